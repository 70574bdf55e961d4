"""The due index: which clocks run, and what falls due first. An index of work for the watcher.

Filled only from the clocks that facts started and stopped, so it holds exactly what the log says.
It stops at an event it cannot read: what it would miss is somebody's right to an answer in time.
"""

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from types import ModuleType
from uuid import UUID

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Executable,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    delete,
    func,
    select,
)

from casework import events as did
from casework.log.port import stream_id
from casework.model import Clock, ClockStarted, Limit, Unit
from projections import lines as reading_of_lines
from projections.lines import Line
from projections.tables import (
    VIEWS,
    Values,
    copy_rows,
    micros,
    moment,
    structs_of,
    upsert_rows,
)
from projections.view import OnPoison

DUE_CASE = Table(
    "due_case",
    VIEWS,
    Column("stream", LargeBinary(16), primary_key=True),
    Column("case_id", LargeBinary(16), nullable=False),
    Column("round", Integer, nullable=False),
)

DUE_CLOCK = Table(
    "due_clock",
    VIEWS,
    Column("stream", LargeBinary(16), primary_key=True),
    Column("clock", Text, primary_key=True),
    Column("round", Integer, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("amount", Integer, nullable=False),
    Column("unit", Text, nullable=False),
    Column("carried", BigInteger, nullable=False),
    Column("because", Text, nullable=False),
    Column("provisional", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    Index("due_clock_due", "due_at"),
)


class RunningClock(msgspec.Struct, frozen=True):
    """A clock that runs. `carried` is microseconds of the limit's kind of time used before.

    `position` is that of the fact that started it.
    """

    case_id: UUID
    clock: Clock
    round: int
    started_at: datetime
    due_at: datetime
    limit: Limit
    carried: int
    because: str
    provisional: bool
    position: int


class _Case(msgspec.Struct):
    stream: bytes
    case_id: bytes
    round: int


class _Clock(msgspec.Struct):
    stream: bytes
    clock: str
    round: int
    started_at: int
    due_at: int
    amount: int
    unit: str
    carried: int
    because: str
    provisional: int
    position: int


def _clock(line: Line, round_: int, fact: ClockStarted) -> _Clock:
    return _Clock(
        line.stream,
        str(fact.clock),
        round_,
        line.at,
        micros(fact.due_at),
        fact.limit.amount,
        str(fact.limit.unit),
        fact.carried,
        fact.because,
        int(fact.provisional),
        line.position,
    )


class DueFold:
    def __init__(self, *, empty: bool) -> None:
        self._cases: dict[bytes, _Case] = {}
        self._changed: set[bytes] = set()
        self._clocks: dict[tuple[bytes, str], _Clock | None] = {}
        """None: stopped, and still to be taken out of the table."""
        self._empty = empty

    def read(self, connection: Connection, lines: Sequence[Line]) -> None:
        streams = {line.stream for line in lines}
        for case in structs_of(connection, DUE_CASE, _Case, DUE_CASE.c.stream, streams):
            self._cases[case.stream] = case

    def apply(self, line: Line) -> None:
        event = line.event
        if type(event) is did.PersonErased:
            return
        key = line.key()
        assert isinstance(event, did.Fact)
        if type(event) is did.ReportSubmitted:
            self._cases[key.stream] = _Case(key.stream, key.case_id, 1)
            self._changed.add(key.stream)
        case = self._cases[key.stream]
        if type(event) is did.CaseReopened:
            case.round = event.round
            self._changed.add(key.stream)
        for stopped in event.stopped:
            self._clocks[key.stream, str(stopped.clock)] = None
        for started in event.started:
            self._clocks[key.stream, str(started.clock)] = _clock(line, case.round, started)

    def spill(self, connection: Connection) -> None:
        """Any clock may stop again."""

    def write(self, connection: Connection) -> None:
        put = copy_rows if self._empty else upsert_rows
        put(connection, DUE_CASE, _rows(self._cases[stream] for stream in self._changed))
        stopped = [key for key, clock in self._clocks.items() if clock is None]
        if not self._empty:
            for stream, clock in stopped:
                connection.execute(
                    delete(DUE_CLOCK).where(
                        DUE_CLOCK.c.stream == stream, DUE_CLOCK.c.clock == clock
                    )
                )
        put(connection, DUE_CLOCK, _rows(c for c in self._clocks.values() if c is not None))
        self._changed.clear()
        self._clocks.clear()


def _rows(structs: Iterable[msgspec.Struct]) -> list[Values]:
    return [msgspec.structs.astuple(each) for each in structs]


class DueIndex:
    """The reader that keeps `due_clock`."""

    name = "due"
    tables: tuple[Table, ...] = (DUE_CASE, DUE_CLOCK)
    on_poison = OnPoison.STOP

    @property
    def sources(self) -> tuple[ModuleType, ...]:
        return (sys.modules[__name__], reading_of_lines)

    def fold(self, *, empty: bool) -> DueFold:
        return DueFold(empty=empty)

    def prepare(self, connection: Connection) -> None:
        """Its tables say all."""

    def finish(self, connection: Connection) -> None:
        """As above."""

    def scrub(self, connection: Connection) -> None:
        """It holds no words."""


_RUNNING = select(DUE_CASE.c.case_id, *DUE_CLOCK.c).join(
    DUE_CASE, DUE_CASE.c.stream == DUE_CLOCK.c.stream
)


def _views(connection: Connection, question: Executable) -> list[RunningClock]:
    return [
        RunningClock(
            UUID(bytes=row.case_id),
            Clock(row.clock),
            row.round,
            moment(row.started_at),
            moment(row.due_at),
            Limit(row.amount, Unit(row.unit)),
            row.carried,
            row.because,
            bool(row.provisional),
            row.position,
        )
        for row in connection.execute(question)
    ]


def due(
    connection: Connection, at: datetime, limit: int, clocks: Sequence[Clock] = ()
) -> list[RunningClock]:
    """The clocks that run and were due at or before `at`, the longest due first.

    `clocks` narrows to these kinds; none given: all.
    """
    question = _RUNNING.where(DUE_CLOCK.c.due_at <= micros(at))
    if clocks:
        question = question.where(DUE_CLOCK.c.clock.in_([str(c) for c in clocks]))
    return _views(connection, question.order_by(DUE_CLOCK.c.due_at).limit(limit))


def running(
    connection: Connection, clocks: Sequence[Clock], after: int, limit: int
) -> list[RunningClock]:
    """The clocks of these kinds that run, by the position that started them, above `after`.

    What warns before a clock is due looks at all of them, page by page.
    """
    question = _RUNNING.where(
        DUE_CLOCK.c.clock.in_([str(c) for c in clocks]), DUE_CLOCK.c.position > after
    )
    return _views(connection, question.order_by(DUE_CLOCK.c.position).limit(limit))


def of_case(connection: Connection, case_id: UUID) -> list[RunningClock]:
    """The clocks of one case that run, the first due first."""
    stream = stream_id(f"case/{case_id}").bytes
    question = _RUNNING.where(DUE_CLOCK.c.stream == stream)
    return _views(connection, question.order_by(DUE_CLOCK.c.due_at))


def counts(connection: Connection, at: datetime) -> dict[Clock, tuple[int, int]]:
    """For each clock how many run, and how many of them were due at `at`."""
    late = func.sum((DUE_CLOCK.c.due_at <= micros(at)).cast(Integer))
    question = select(DUE_CLOCK.c.clock, func.count(), late).group_by(DUE_CLOCK.c.clock)
    return {Clock(c): (int(n), int(over)) for c, n, over in connection.execute(question)}
