"""Every case-round that a 街镇 handed over, and whether it was found false later (虚假整改).

Found false: rework ordered with R05 疑似虚假, a reopening with V13 原整改失实, or one by the
supervisor, who reopens for nothing else (督办重办). A finding on a photo alone proves nothing and
is not counted. A hand-over without a readable photo was none. Knows no person and no words.
"""

import sys
from collections.abc import Sequence
from datetime import datetime
from types import ModuleType
from uuid import UUID

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    case,
    func,
    select,
)

from casework import events as did
from projections import lines as reading_of_lines
from projections.evidence import FINDING
from projections.lines import Line
from projections.tables import VIEWS, copy_rows, micros, moment, structs_of, upsert_rows
from projections.view import ONLY_CASES, OnPoison

SUSPECTED, UNTRUE, SUPERVISED = "R05", "V13", "督办重办"

HAND_OVER = Table(
    "hand_over",
    VIEWS,
    Column("stream", LargeBinary(16), primary_key=True),
    Column("round", Integer, primary_key=True, autoincrement=False),
    Column("case_id", LargeBinary(16), nullable=False),
    Column("number", Text, nullable=False),
    Column("street", Text, nullable=False),
    Column("handed_over_at", BigInteger),
    Column("hand_overs", Integer, nullable=False),
    Column("code", Text),
    Column("found_at", BigInteger),
    Index("hand_over_at", "handed_over_at", "street"),
    Index("hand_over_case", "case_id"),
)

_C = HAND_OVER.c


_TURNS = frozenset(
    {
        did.CaseDispatched,
        did.CaseReopened,
        did.CaseRectified,
        did.RectificationUnreadable,
        did.ReworkOrdered,
    }
)
"""Facts that mean something here; most of a case's do not."""


class _Round(msgspec.Struct):
    """A row in memory; fields in the order of the columns. Handed over if it has a time."""

    stream: bytes
    round: int
    case_id: bytes
    number: str
    street: str
    handed_over_at: int | None = None
    hand_overs: int = 0
    code: str | None = None
    found_at: int | None = None


class HandOversFold:
    """The rounds of each case that a page touches; the last may change, and the one before it."""

    def __init__(self, *, empty: bool) -> None:
        self._rounds: dict[bytes, list[_Round]] = {}
        self._changed: set[tuple[bytes, int]] = set()
        self._put = copy_rows if empty else upsert_rows

    def read(self, connection: Connection, lines: Sequence[Line]) -> None:
        streams = {line.stream for line in lines if line.kind in _TURNS}
        found = structs_of(connection, HAND_OVER, _Round, _C.stream, streams)
        for row in sorted(found, key=lambda row: row.round):
            self._rounds.setdefault(row.stream, []).append(row)

    def apply(self, line: Line) -> None:
        event = line.event
        if line.kind not in _TURNS:
            if line.kind is not did.PersonErased:
                line.key()
            return
        line.key()
        rounds = self._rounds.setdefault(line.stream, [])
        last = rounds[-1] if rounds else None
        if isinstance(event, did.CaseReopened):
            if last is not None and (event.supervised or event.code == UNTRUE):
                self._found(last, SUPERVISED if event.supervised else UNTRUE, line.at)
            self._begin(rounds, line, event.round, str(event.street))
        elif last is not None:
            self._go_on(last, event, line.at)
        elif isinstance(event, did.CaseDispatched):
            self._begin(rounds, line, 1, str(event.street))

    def _go_on(self, last: _Round, event: msgspec.Struct, at: int) -> None:
        """What a fact means for the round that lasts."""
        match event:
            case did.CaseDispatched(street=street) if not last.hand_overs:
                last.street = str(street)
            case did.CaseRectified(street=street):
                last.street = str(street)
                last.hand_overs += 1
                if last.handed_over_at is None:
                    last.handed_over_at = at
            case did.RectificationUnreadable():
                last.hand_overs -= 1
                if not last.hand_overs:
                    last.handed_over_at = None
            case did.ReworkOrdered(code=code) if code == SUSPECTED:
                self._found(last, SUSPECTED, at)
            case _:
                return
        self._changed.add((last.stream, last.round))

    def _begin(self, rounds: list[_Round], line: Line, number: int, street: str) -> None:
        key = line.key()
        rounds.append(_Round(line.stream, number, key.case_id, key.number, street))
        self._changed.add((line.stream, number))

    def _found(self, row: _Round, code: str, at: int) -> None:
        """What was found first stands: a round is false once."""
        if row.code is None:
            row.code, row.found_at = code, at
            self._changed.add((row.stream, row.round))

    def spill(self, connection: Connection) -> None:
        """Any case may be reopened."""

    def write(self, connection: Connection) -> None:
        rows = [
            msgspec.structs.astuple(row)
            for rounds in self._rounds.values()
            for row in rounds
            if (row.stream, row.round) in self._changed
        ]
        self._put(connection, HAND_OVER, rows)
        self._changed.clear()


class HandOvers:
    """The reader that keeps `hand_over`."""

    name = "hand_overs"
    tables: tuple[Table, ...] = (HAND_OVER,)
    on_poison = OnPoison.STOP
    """A number without its cases would be wrong unseen."""
    beside = ONLY_CASES

    @property
    def sources(self) -> tuple[ModuleType, ...]:
        return (sys.modules[__name__], reading_of_lines)

    def fold(self, *, empty: bool) -> HandOversFold:
        return HandOversFold(empty=empty)

    def prepare(self, connection: Connection) -> None:
        """Its table says all."""

    def finish(self, connection: Connection) -> None:
        """As above."""

    def scrub(self, connection: Connection) -> None:
        """It holds no words."""


# questions ---------------------------------------------------------------------------------


class FalseRate(msgspec.Struct, frozen=True):
    """A 街镇 in a while: case-rounds handed over, of these found false, and with findings."""

    street: str
    handed_over: int
    false: int
    with_findings: int


class FalseRound(msgspec.Struct, frozen=True):
    """A case-round found false, by which code, and when."""

    case_id: UUID
    number: str
    round: int
    street: str
    handed_over_at: datetime
    code: str
    found_at: datetime


def false_rates(connection: Connection, first: datetime, last: datetime) -> list[FalseRate]:
    """For each 街镇 the case-rounds first handed over in [first, last), by code of the 街镇.

    A round found false after that time still counts for the time of its hand-over.
    """
    found = select(FINDING.c.case_id).where(FINDING.c.case_id == _C.case_id).exists()
    rows = connection.execute(
        select(
            _C.street,
            func.count(),
            func.count(_C.code),
            func.sum(case((found, 1), else_=0)),
        )
        .where(_C.handed_over_at >= micros(first), _C.handed_over_at < micros(last))
        .group_by(_C.street)
        .order_by(_C.street)
    )
    return [FalseRate(street, n, false, int(found or 0)) for street, n, false, found in rows]


def false_rounds(
    connection: Connection, first: datetime, last: datetime, limit: int, street: str | None = None
) -> list[FalseRound]:
    """The case-rounds behind the figures, what was found last first; at most `limit`."""
    rows = connection.execute(
        select(HAND_OVER)
        .where(
            _C.handed_over_at >= micros(first),
            _C.handed_over_at < micros(last),
            _C.code.is_not(None),
            *([] if street is None else [_C.street == street]),
        )
        .order_by(_C.found_at.desc(), _C.stream)
        .limit(limit)
    )
    return [
        FalseRound(
            case_id=UUID(bytes=row.case_id),
            number=row.number,
            round=row.round,
            street=row.street,
            handed_over_at=moment(row.handed_over_at),
            code=row.code,
            found_at=moment(row.found_at),
        )
        for row in rows
    ]
