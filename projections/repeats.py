"""What the suspicion rests on that a report repeats another one. Only queries; weighs nothing.

Open cases with their pins, and cases whose reporters sent the very same file or the same pixels.
"""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, and_, select

from casework.lifecycle import BEFORE_CLOSING, Status
from projections.case_board import CASE_BOARD
from projections.desk_lists import among_open, bare
from projections.evidence import CITED, EXAMINED
from projections.evidence_seen import BY_REPORTERS, OpenCase
from projections.tables import chunks, moment

_C = CASE_BOARD.c


class OpenReport(NamedTuple):
    """A case that is not closed yet, as it is stored; `seq` is the order of the reports.

    There are thousands, of which a few are looked at: `case` reads one.
    """

    seq: int
    case_id: bytes
    number: str
    status: str
    street: str | None
    indicator: str | None
    lon: float
    lat: float
    submitted_at: int

    @property
    def case(self) -> OpenCase:
        return OpenCase(
            UUID(bytes=self.case_id),
            self.number,
            Status(self.status),
            self.street,
            self.indicator,
            self.lon,
            self.lat,
            moment(self.submitted_at),
        )


def open_reports(connection: Connection) -> list[OpenReport]:
    """Every case from 待审核 to 待核查, in no order."""
    columns = [CASE_BOARD.c[name] for name in OpenReport._fields]
    statuses = sorted(str(status) for status in BEFORE_CLOSING)
    question = among_open(*columns).where(bare(connection, _C.status).in_(statuses))
    return [OpenReport._make(row) for row in connection.execute(question).all()]


def sent_twice(connection: Connection, cases: Iterable[UUID]) -> dict[UUID, set[UUID]]:
    """Of each of these cases the others whose reporters sent the same file, or the same pixels."""
    mine, theirs = CITED.alias("mine"), CITED.alias("theirs")
    one, other = EXAMINED.alias("one"), EXAMINED.alias("other")
    found: dict[UUID, set[UUID]] = {}
    for chunk in chunks(case.bytes for case in cases):
        for column in ("content", "pixels"):
            question = (
                select(mine.c.case_id, theirs.c.case_id)
                .join(one, one.c.upload == mine.c.upload)
                .join(
                    other,
                    and_(other.c[column] == one.c[column], other.c.upload != one.c.upload),
                )
                .join(theirs, theirs.c.upload == other.c.upload)
                .where(
                    mine.c.case_id.in_(chunk),
                    mine.c.event.in_(BY_REPORTERS),
                    theirs.c.event.in_(BY_REPORTERS),
                    theirs.c.case_id != mine.c.case_id,
                )
            )
            for case_id, like in connection.execute(question).all():
                found.setdefault(UUID(bytes=case_id), set()).add(UUID(bytes=like))
    return found
