"""The due index: which clocks run, what falls due first, and of what somebody is to be told next.

Filled only from the clocks that facts started and stopped and from the notices given, so it holds
exactly what the log says. `next_at` is the moment of each clock's next work: a share of the limit
used up, or its end where that lapses by itself; a tick of the watch costs by what is due, not by
what is open. It stops at an event it cannot read: what it would miss is somebody's right to an
answer in time.
"""

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from types import ModuleType
from typing import TypeAlias
from uuid import UUID

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Executable,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    and_,
    delete,
    func,
    select,
    text,
)

from casework import events as did
from casework.log.port import stream_id
from casework.model import (
    ESCALATION,
    LAPSING,
    OVERDUE,
    SECOND_ESCALATION,
    WARNING,
    Clock,
    ClockStarted,
    Limit,
    Skip,
    Unit,
)
from projections import lines as reading_of_lines
from projections.lines import Line
from projections.tables import (
    VIEWS,
    Values,
    chunks,
    copy_rows,
    micros,
    moment,
    structs,
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
    Column("street", Text),
    Column("indicator", Text),
    Column("calendar", Integer),
    Column("settled", Integer),
)

_PROVISIONAL = text("provisional = 1")
ESCALATED = text("told >= 150")
"""Clocks of which the supervisors were told: the words of their index, in a question too."""

DUE_CLOCK = Table(
    "due_clock",
    VIEWS,
    Column("stream", LargeBinary(16), primary_key=True),
    Column("clock", Text, primary_key=True),
    Column("round", Integer, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("amount", Integer, nullable=False),
    Column("unit", Text, nullable=False),
    Column("carried", BigInteger, nullable=False),
    Column("because", Text, nullable=False),
    Column("provisional", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("written_at", BigInteger, nullable=False),
    Column("calendar", Integer),
    Column("settled", Integer),
    Column("skips", Text, nullable=False),
    Column("held_used", BigInteger),
    Column("held_amount", Integer),
    Column("held_unit", Text),
    Column("warn_at", BigInteger),
    Column("escalate_at", BigInteger),
    Column("escalate_again_at", BigInteger),
    Column("told", Integer, nullable=False),
    Column("next_at", BigInteger),
    Column("next_percent", Integer),
    Index("due_clock_due", "due_at"),
    Index("due_clock_kind", "clock", "due_at"),
    Index("due_clock_next", "next_at"),
    Index(
        "due_clock_provisional",
        "position",
        sqlite_where=_PROVISIONAL,
        postgresql_where=_PROVISIONAL,
    ),
    Index("due_clock_escalated", "told", sqlite_where=ESCALATED, postgresql_where=ESCALATED),
)

DUE_TOLD = Table(
    "due_told",
    VIEWS,
    Column("stream", LargeBinary(16), primary_key=True),
    Column("clock", Text, primary_key=True),
    Column("began_at", BigInteger, nullable=False),
    Column("amount", Integer, nullable=False),
    Column("unit", Text, nullable=False),
    Column("percent", Integer, nullable=False),
)
"""How far somebody was told of a clock, by the counting and the limit it was told of."""


class RunningClock(msgspec.Struct, frozen=True):
    """A clock that runs. `carried` is microseconds of the limit's kind of time used before.

    `position` is that of the fact that started it; `told` the percent of which somebody was told.
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
    told: int


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """What is needed to tell how much of a clock is left: how it counts, and by which calendar.

    `calendar` and `settled` are the versions its case has frozen; None: it has frozen none, and
    the calendar is that of `written_at`. `held` is the clock that a suspension holds up, with the
    microseconds of it that were used.
    """

    due_at: datetime
    unit: Unit
    provisional: bool
    skips: tuple[Skip, ...]
    written_at: datetime
    calendar: int | None
    settled: int
    held: tuple[Limit, int] | None


class Work(msgspec.Struct, frozen=True):
    """What a clock asks of the watch: `percent` of its limit was used at `reached_at`."""

    case_id: UUID
    clock: Clock
    round: int
    due_at: datetime
    percent: int
    reached_at: datetime


class _Case(msgspec.Struct):
    stream: bytes
    case_id: bytes
    round: int
    street: str | None
    indicator: str | None
    calendar: int | None = None
    settled: int | None = None


_Held: TypeAlias = tuple[int | None, int | None, str | None]
"""Microseconds used, and the amount and unit of the limit."""

_LOOKS_AT_CLOCKS = (did.DeadlineReached, did.CaseSuspended)
"""Facts that say something of a clock that is running already."""


class _Told(msgspec.Struct, frozen=True):
    stream: bytes
    clock: str
    began_at: int
    amount: int
    unit: str
    percent: int


class _Clock(msgspec.Struct):
    stream: bytes
    clock: str
    round: int
    started_at: int
    began_at: int
    due_at: int
    amount: int
    unit: str
    carried: int
    because: str
    provisional: int
    position: int
    written_at: int
    calendar: int | None
    settled: int | None
    skips: str
    held_used: int | None
    held_amount: int | None
    held_unit: str | None
    warn_at: int | None
    escalate_at: int | None
    escalate_again_at: int | None
    told: int
    next_at: int | None
    next_percent: int | None

    def tell(self, told: _Told | None) -> None:
        """Set what comes next, after what was told of this very counting and limit."""
        same = told is not None and (told.began_at, told.amount, told.unit) == (
            self.began_at,
            self.amount,
            self.unit,
        )
        self.told = told.percent if told is not None and same else 0
        self.next_at = self.next_percent = None
        for percent, at in self._shares():
            if at is not None and percent > self.told:
                self.next_at, self.next_percent = at, percent
                return

    def _shares(self) -> Iterable[tuple[int, int | None]]:
        if Clock(self.clock) in LAPSING:
            return ((OVERDUE, self.due_at),)
        return (
            (WARNING, self.warn_at),
            (OVERDUE, None if self.warn_at is None else self.due_at),
            (ESCALATION, self.escalate_at),
            (SECOND_ESCALATION, self.escalate_again_at),
        )


def _clock(line: Line, case: _Case, fact: ClockStarted) -> _Clock:
    since = line.at if fact.since is None else micros(fact.since)
    return _Clock(
        stream=line.stream,
        clock=str(fact.clock),
        round=case.round,
        started_at=since,
        began_at=since if fact.began_at is None else micros(fact.began_at),
        due_at=micros(fact.due_at),
        amount=fact.limit.amount,
        unit=str(fact.limit.unit),
        carried=fact.carried,
        because=fact.because,
        provisional=int(fact.provisional),
        position=line.position,
        written_at=line.at,
        calendar=case.calendar,
        settled=case.settled,
        skips=_skips(fact.skips),
        held_used=None,
        held_amount=None,
        held_unit=None,
        warn_at=_maybe(fact.warn_at),
        escalate_at=_maybe(fact.escalate_at),
        escalate_again_at=_maybe(fact.escalate_again_at),
        told=0,
        next_at=None,
        next_percent=None,
    )


def _skips(skips: Sequence[Skip]) -> str:
    if not skips:
        return ""
    plain = [(micros(skip.first), micros(skip.last), skip.period) for skip in skips]
    return msgspec.json.encode(plain).decode()


_skips_of = msgspec.json.Decoder(list[tuple[int, int, int]])


def _maybe(at: datetime | None) -> int | None:
    return None if at is None else micros(at)


def _case_stream(event: did.DeadlineReached) -> bytes:
    return stream_id(f"case/{event.case}").bytes


class DueFold:
    """Clocks and notices; in a rebuild they may come from different parts and meet in `finish`."""

    def __init__(self, *, empty: bool) -> None:
        self._cases: dict[bytes, _Case] = {}
        self._changed: set[bytes] = set()
        self._clocks: dict[tuple[bytes, str], _Clock | None] = {}
        """None: stopped, and still to be taken out of the table."""
        self._told: dict[tuple[bytes, str], _Told] = {}
        self._newly_told: set[tuple[bytes, str]] = set()
        self._empty = empty

    def read(self, connection: Connection, lines: Sequence[Line]) -> None:
        streams = {
            _case_stream(line.event) if isinstance(line.event, did.DeadlineReached) else line.stream
            for line in lines
        }
        for case in structs_of(connection, DUE_CASE, _Case, DUE_CASE.c.stream, streams):
            self._cases[case.stream] = case
        for told in structs_of(connection, DUE_TOLD, _Told, DUE_TOLD.c.stream, streams):
            self._told[told.stream, told.clock] = told
        if any(isinstance(line.event, _LOOKS_AT_CLOCKS) for line in lines):
            for clock in structs_of(connection, DUE_CLOCK, _Clock, DUE_CLOCK.c.stream, streams):
                self._clocks[clock.stream, clock.clock] = clock

    def apply(self, line: Line) -> None:
        event = line.event
        if type(event) is did.PersonErased:
            return
        if isinstance(event, did.DeadlineReached):
            self._tell(event)
            return
        key = line.key()
        assert isinstance(event, did.Fact)
        case = self._cases.get(key.stream)
        if case is None:
            assert isinstance(event, did.ReportSubmitted), "every history begins with the report"
            case = _Case(key.stream, key.case_id, 1, None, event.indicator)
            self._cases[key.stream] = case
            self._changed.add(key.stream)
        if _turn(case, event):
            self._changed.add(key.stream)
        held = self._held(key.stream, event)
        for stopped in event.stopped:
            self._clocks[key.stream, str(stopped.clock)] = None
        for started in event.started:
            clock = _clock(line, case, started)
            if started.clock is Clock.RESUMPTION:
                clock.held_used, clock.held_amount, clock.held_unit = held
            clock.tell(self._told.get((key.stream, clock.clock)))
            self._clocks[key.stream, clock.clock] = clock

    def _held(self, stream: bytes, event: did.Fact) -> _Held:
        """What is used of the handling clock that a suspension stops, and its limit."""
        running = self._clocks.get((stream, str(Clock.HANDLING)))
        for stopped in event.stopped:
            if isinstance(event, did.CaseSuspended) and stopped.clock is Clock.HANDLING and running:
                return stopped.used, running.amount, running.unit
        return None, None, None

    def _tell(self, event: did.DeadlineReached) -> None:
        stream, clock = _case_stream(event), str(event.clock)
        limit, began_at = event.limit, micros(event.began_at)
        before = self._told.get((stream, clock))
        told = _Told(stream, clock, began_at, limit.amount, str(limit.unit), event.percent)
        if before is not None and before == msgspec.structs.replace(told, percent=before.percent):
            told = msgspec.structs.replace(told, percent=max(before.percent, event.percent))
        self._told[stream, clock] = told
        self._newly_told.add((stream, clock))
        running = self._clocks.get((stream, clock))
        if running is not None:
            running.tell(told)

    def spill(self, connection: Connection) -> None:
        """Any clock may stop again."""

    def write(self, connection: Connection) -> None:
        put = copy_rows if self._empty else upsert_rows
        put(connection, DUE_CASE, _rows(self._cases[stream] for stream in self._changed))
        put(connection, DUE_TOLD, _rows(self._told[key] for key in self._newly_told))
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
        self._newly_told.clear()


def _turn(case: _Case, event: did.Fact) -> bool:
    """What a fact changes of where the case is, what it is about, and the calendar it is under."""
    match event:
        case did.CaseReopened():
            case.round, case.street = event.round, event.street
        case did.CaseDispatched():
            case.street = event.street
        case did.CaseRegistered():
            case.indicator = event.indicator
            case.calendar, case.settled = event.versions.calendar, event.versions.settled
        case did.CaseReclassified():
            case.indicator = event.indicator
        case did.RefusalObjected() | did.CaseUnmerged():
            case.calendar = case.settled = None
        case did.DueTimesSettled(versions=versions) if versions is not None:
            case.calendar, case.settled = versions.calendar, versions.settled
        case _:
            return False
    return True


def _rows(structs: Iterable[msgspec.Struct]) -> list[Values]:
    return [msgspec.structs.astuple(each) for each in structs]


class DueIndex:
    """The reader that keeps `due_clock`."""

    name = "due"
    tables: tuple[Table, ...] = (DUE_CASE, DUE_CLOCK, DUE_TOLD)
    on_poison = OnPoison.STOP
    beside: frozenset[type[msgspec.Struct]] = frozenset({did.DeadlineReached})

    @property
    def sources(self) -> tuple[ModuleType, ...]:
        return (sys.modules[__name__], reading_of_lines)

    def fold(self, *, empty: bool) -> DueFold:
        return DueFold(empty=empty)

    def prepare(self, connection: Connection) -> None:
        """Its tables say all."""

    def finish(self, connection: Connection) -> None:
        """Clocks and the notices given of them meet: a rebuild folded them apart."""
        told = {
            (row.stream, row.clock): row
            for row in structs(connection, _Told, select(DUE_TOLD).join(DUE_CLOCK, _SAME))
        }
        again = structs(connection, _Clock, select(DUE_CLOCK).join(DUE_TOLD, _SAME))
        for clock in again:
            clock.tell(told[clock.stream, clock.clock])
        upsert_rows(connection, DUE_CLOCK, _rows(again))

    def scrub(self, connection: Connection) -> None:
        """It holds no words."""


_SAME = and_(DUE_TOLD.c.stream == DUE_CLOCK.c.stream, DUE_TOLD.c.clock == DUE_CLOCK.c.clock)
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
            row.told,
        )
        for row in connection.execute(question)
    ]


def work(connection: Connection, at: datetime, limit: int) -> list[Work]:
    """What fell due at or before `at` and was not done yet, the oldest first."""
    question = (
        _RUNNING.where(DUE_CLOCK.c.next_at <= micros(at)).order_by(DUE_CLOCK.c.next_at).limit(limit)
    )
    return [
        Work(
            UUID(bytes=row.case_id),
            Clock(row.clock),
            row.round,
            moment(row.due_at),
            row.next_percent,
            moment(row.next_at),
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


def provisional(connection: Connection, after: int, limit: int) -> list[RunningClock]:
    """Clocks whose due time waits for a year's notice, by the position that started them."""
    question = _RUNNING.where(DUE_CLOCK.c.provisional == 1, DUE_CLOCK.c.position > after)
    return _views(connection, question.order_by(DUE_CLOCK.c.position).limit(limit))


def handled(
    connection: Connection,
    streets: Sequence[str],
    indicators: Sequence[str],
    after: int,
    limit: int,
) -> list[RunningClock]:
    """Handling clocks that run there and for these, by the position that started them.

    None named: all.
    """
    where: list[ColumnElement[bool]] = [
        DUE_CLOCK.c.clock == str(Clock.HANDLING),
        DUE_CLOCK.c.position > after,
    ]
    if streets:
        where.append(DUE_CASE.c.street.in_(streets))
    if indicators:
        where.append(DUE_CASE.c.indicator.in_(indicators))
    question = _RUNNING.where(*where).order_by(DUE_CLOCK.c.position).limit(limit)
    return _views(connection, question)


def of_case(connection: Connection, case_id: UUID) -> list[RunningClock]:
    """The clocks of one case that run, the first due first."""
    stream = stream_id(f"case/{case_id}").bytes
    question = _RUNNING.where(DUE_CLOCK.c.stream == stream)
    return _views(connection, question.order_by(DUE_CLOCK.c.due_at))


def counted(connection: Connection, cases: Iterable[UUID]) -> dict[tuple[UUID, Clock], Counted]:
    """How the clocks that run of these cases count, by case and clock: one question in all."""
    streams = {stream_id(f"case/{case}").bytes: case for case in cases}
    c = DUE_CLOCK.c
    found: dict[tuple[UUID, Clock], Counted] = {}
    for chunk in chunks(streams):
        question = select(
            c.stream, c.clock, c.due_at, c.unit, c.provisional, c.skips, c.written_at,
            c.calendar, c.settled, c.held_used, c.held_amount, c.held_unit,
        ).where(c.stream.in_(chunk))  # fmt: skip
        for row in connection.execute(question):
            found[streams[row.stream], Clock(row.clock)] = Counted(
                due_at=moment(row.due_at),
                unit=Unit(row.unit),
                provisional=bool(row.provisional),
                skips=tuple(
                    Skip(moment(first), moment(last), period)
                    for first, last, period in (_skips_of.decode(row.skips) if row.skips else ())
                ),
                written_at=moment(row.written_at),
                calendar=row.calendar,
                settled=row.settled or 0,
                held=None
                if row.held_unit is None
                else (Limit(row.held_amount, Unit(row.held_unit)), row.held_used),
            )
    return found


def counts(connection: Connection, at: datetime) -> dict[Clock, tuple[int, int]]:
    """For each clock how many run, and how many of them were due at `at`."""
    late = func.sum((DUE_CLOCK.c.due_at <= micros(at)).cast(Integer))
    question = select(DUE_CLOCK.c.clock, func.count(), late).group_by(DUE_CLOCK.c.clock)
    return {Clock(c): (int(n), int(over)) for c, n, over in connection.execute(question)}
