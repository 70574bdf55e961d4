"""My cases: what a person reported or joined, how it stands, and what is asked of them now.

Knows persons only by their pseudonymous id. A merged case shows how its primary stands.
"""

import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from types import ModuleType
from uuid import UUID

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    select,
)

from casework import events as did
from casework.lifecycle import Status
from casework.log.port import stream_id
from casework.model import Clock
from projections import lines as reading_of_lines
from projections.case_board import CASE_BOARD, BoardRow
from projections.case_list import CaseView, citizen_label, view_of
from projections.lines import Line
from projections.tables import (
    VIEWS,
    copy_rows,
    moment,
    structs,
    structs_of,
    upsert_rows,
)
from projections.view import ONLY_CASES, OnPoison


class How(StrEnum):
    """How a person came to a case."""

    REPORTED = "reported"
    JOINED = "joined"
    MERGED = "merged"
    """Through a case of theirs that was merged into this one."""


class Asked(StrEnum):
    """What a citizen may be asked to do."""

    SUPPLY = "supply"
    RATE = "rate"
    OBJECT = "object"


REPORTER = Table(
    "reporter",
    VIEWS,
    Column("person", LargeBinary(16), primary_key=True),
    Column("stream", LargeBinary(16), primary_key=True),
    Column("how", Text, nullable=False),
    Column("via", LargeBinary(16)),
    Column("since", BigInteger, nullable=False),
    Column("gone", Boolean, nullable=False),
    Column("rated_round", Integer, nullable=False),
    Index("reporter_stream", "stream"),
)


class _Reporter(msgspec.Struct):
    person: bytes
    stream: bytes
    how: str
    via: bytes | None
    since: int
    gone: bool
    rated_round: int


class MyCase(msgspec.Struct, frozen=True):
    """One of a person's cases. `shown` is the case whose progress counts: the primary's if merged.

    `until` is when what is `asked` lapses (UTC). `rated` says whether this round is rated.
    """

    case_id: UUID
    number: str
    how: How
    since: datetime
    status: Status
    label: str
    shown: CaseView
    asked: Asked | None
    until: datetime | None
    rated: bool


class MyCasesFold:
    def __init__(self, *, empty: bool) -> None:
        self._rows: dict[bytes, dict[bytes, _Reporter]] = {}
        self._changed: set[tuple[bytes, bytes]] = set()
        self._put = copy_rows if empty else upsert_rows

    def read(self, connection: Connection, lines: Sequence[Line]) -> None:
        streams = {line.stream for line in lines if line.kind in _TOUCHING}
        for row in structs_of(connection, REPORTER, _Reporter, REPORTER.c.stream, streams):
            self._rows.setdefault(row.stream, {})[row.person] = row

    def apply(self, line: Line) -> None:
        event = line.event
        if type(event) is did.PersonErased:
            return
        stream = line.key().stream
        if line.kind not in _TOUCHING:
            return
        match event:
            case did.ReportSubmitted(person=person):
                self._add(stream, person.bytes, How.REPORTED, None, line.at)
            case did.ReporterJoined(person=person):
                self._add(stream, person.bytes, How.JOINED, None, line.at)
            case did.CaseAbsorbed(secondary=secondary, reporters=reporters):
                for person in reporters:
                    self._add(stream, person.bytes, How.MERGED, secondary.bytes, line.at)
            case did.CaseReleased(secondary=secondary):
                self._release(stream, secondary.bytes)
            case did.ReporterLeft(person=person):
                self._row(stream, person.bytes).gone = True
            case did.CaseRated(person=person, round=round_):
                self._row(stream, person.bytes).rated_round = round_
            case _:
                pass

    def _add(self, stream: bytes, person: bytes, how: How, via: bytes | None, at: int) -> None:
        mine = self._rows.setdefault(stream, {})
        known = mine.get(person)
        if known is None or known.gone:
            mine[person] = _Reporter(
                person, stream, str(how), via, at, gone=False,
                rated_round=known.rated_round if known else 0,
            )  # fmt: skip
            self._changed.add((stream, person))

    def _row(self, stream: bytes, person: bytes) -> _Reporter:
        self._changed.add((stream, person))
        return self._rows[stream][person]

    def _release(self, stream: bytes, secondary: bytes) -> None:
        for row in self._rows.get(stream, {}).values():
            if row.via == secondary:
                row.gone = True
                self._changed.add((stream, row.person))

    def spill(self, connection: Connection) -> None:
        """Any row may change again."""

    def write(self, connection: Connection) -> None:
        rows = [msgspec.structs.astuple(self._rows[s][p]) for s, p in self._changed]
        self._put(connection, REPORTER, rows)
        self._changed.clear()


_TOUCHING = frozenset(
    {
        did.ReportSubmitted,
        did.ReporterJoined,
        did.CaseAbsorbed,
        did.CaseReleased,
        did.ReporterLeft,
        did.CaseRated,
    }
)


class MyCases:
    """The reader that keeps `reporter`."""

    name = "my_cases"
    tables: tuple[Table, ...] = (REPORTER,)
    on_poison = OnPoison.HOLD
    beside = ONLY_CASES

    @property
    def sources(self) -> tuple[ModuleType, ...]:
        return (sys.modules[__name__], reading_of_lines)

    def fold(self, *, empty: bool) -> MyCasesFold:
        return MyCasesFold(empty=empty)

    def prepare(self, connection: Connection) -> None:
        """Its table says all."""

    def finish(self, connection: Connection) -> None:
        """As above."""

    def scrub(self, connection: Connection) -> None:
        """It holds no words."""


_R = REPORTER.c
_B = CASE_BOARD.c
_clocks = msgspec.json.Decoder(dict[Clock, int])


def cases_of(
    connection: Connection,
    person: UUID,
    street_name: Callable[[str], str],
    *,
    limit: int = 100,
    before: int | None = None,
) -> list[MyCase]:
    """The person's cases, newest first, of cases before position `before` (the last one's).

    A case that came to them only through a merger is shown by the one they reported themselves.
    """
    question = (
        select(REPORTER)
        .join(CASE_BOARD, _B.stream == _R.stream)
        .where(_R.person == person.bytes, _R.gone.is_(False), _R.how != str(How.MERGED))
        .order_by(_B.seq.desc())
        .limit(limit)
    )
    if before is not None:
        question = question.where(_B.seq < before)
    mine = structs(connection, _Reporter, question)
    rows = _boards(connection, [row.stream for row in mine])
    primaries = _boards(
        connection,
        [_stream(rows[r.stream].merged_into) for r in mine if rows[r.stream].merged_into],
    )
    rated = _rated(connection, person, [*rows, *primaries])
    return [_my_case(row, rows[row.stream], primaries, rated, street_name) for row in mine]


def _stream(case_id: bytes | None) -> bytes:
    assert case_id is not None
    return stream_id(f"case/{UUID(bytes=case_id)}").bytes


def _boards(connection: Connection, streams: Sequence[bytes]) -> dict[bytes, BoardRow]:
    found = structs_of(connection, CASE_BOARD, BoardRow, _B.stream, streams)
    return {row.stream: row for row in found}


def _rated(connection: Connection, person: UUID, streams: Sequence[bytes]) -> dict[bytes, int]:
    rows = connection.execute(
        select(_R.stream, _R.rated_round).where(_R.person == person.bytes, _R.stream.in_(streams))
    )
    return {row.stream: row.rated_round for row in rows}


def _my_case(
    mine: _Reporter,
    own: BoardRow,
    primaries: dict[bytes, BoardRow],
    rated: dict[bytes, int],
    street_name: Callable[[str], str],
) -> MyCase:
    shown = primaries.get(_stream(own.merged_into), own) if own.merged_into else own
    is_rated = rated.get(shown.stream, 0) >= shown.round
    asked, until = _asked(shown, is_rated=is_rated, own=shown is own)
    view = view_of(shown)
    return MyCase(
        case_id=UUID(bytes=own.case_id),
        number=own.number,
        how=How(mine.how),
        since=moment(mine.since),
        status=Status(own.status),
        label=citizen_label(view_of(own), street_name),
        shown=view,
        asked=asked,
        until=until,
        rated=is_rated,
    )


def _asked(row: BoardRow, *, is_rated: bool, own: bool) -> tuple[Asked | None, datetime | None]:
    """What is asked now, read off the windows that run."""
    clocks = _clocks.decode(row.clocks)
    for clock, asked, open_ in (
        (Clock.INFORMATION, Asked.SUPPLY, own),
        (Clock.RATING, Asked.RATE, not is_rated),
        (Clock.OBJECTION, Asked.OBJECT, own),
    ):
        if open_ and clock in clocks:
            return asked, moment(clocks[clock])
    return None, None


def is_reporter(connection: Connection, person: UUID, case_id: UUID) -> bool:
    """Whether the person reported or joined this case, or one merged into it."""
    stream = stream_id(f"case/{case_id}").bytes
    found = connection.scalar(
        select(_R.stream).where(_R.person == person.bytes, _R.stream == stream, _R.gone.is_(False))
    )
    return found is not None
