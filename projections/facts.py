"""What measures count: each report and each stay with a 街镇, between two positions of the log.

A row is an interval (`from_pos` ≤ p < `to_pos`): it is closed when something of it changes, and
never overwritten. Row 0 of a case is its report, up to the dispatch; row n is its n-th dispatch,
and what is closed, rated, visited or appealed belongs to the last. No words, no person.
"""

import sys
from collections.abc import Iterable, Sequence
from enum import IntFlag
from types import ModuleType
from typing import NamedTuple, TypeAlias

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    select,
    text,
)
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from casework import events as did
from casework import handlings as ends_of_stays
from casework.handlings import ENDS, TAKEN_AWAY, Cut, End
from casework.lifecycle import STATUS_AFTER, Status
from casework.model import ActorKind, Clock, ClockStarted, Outcome, Solved
from geo import coordinates, grid
from geo.grid import cell_at
from projections import analyst_views
from projections import lines as reading_of_lines
from projections.lines import CaseKey, Line
from projections.tables import VIEWS, Values, chunks, copy_rows, micros, structs, upsert_rows
from projections.view import ONLY_CASES, OnPoison

FOREVER = 1 << 62
"""`to_pos` and `to_at` of what still holds: a number, so that one comparison asks for both."""


class Flag(IntFlag):
    """What is true of a row; one number, so that an index can carry all of it."""

    STAFF_ENTERED = 1 << 0
    """自报自处: staff sent it, on their own or on someone's behalf."""
    DEMONSTRATION = 1 << 1
    REVIEW_DONE = 1 << 2
    REVIEW_LATE = 1 << 3
    REGISTERED = 1 << 4
    REFUSED = 1 << 5
    MERGED = 1 << 6
    WITHDRAWN = 1 << 7
    DISPATCH_DONE = 1 << 8
    DISPATCH_LATE = 1 << 9
    ACKNOWLEDGE_DONE = 1 << 10
    ACKNOWLEDGE_LATE = 1 << 11
    VERIFY_DONE = 1 << 12
    VERIFY_LATE = 1 << 13
    HANDED_IN_TIME = 1 << 14
    HANDED_IN_TIME_PLAIN = 1 << 15
    """As if there were no special periods."""
    ACCEPTED = 1 << 16
    """结案: what was handed over was accepted."""
    TRANSFERRED = 1 << 17
    FORCE_CLOSED = 1 << 18
    TAKEN_AWAY = 1 << 19
    """Returned, recalled or merged."""
    TAKEN_EARLY = 1 << 20
    """The same, and before it was due."""
    TAKEN_EARLY_PLAIN = 1 << 21
    NOT_FOUND = 1 << 22
    """现场未发现, as last handed over."""
    REWORKED = 1 << 23
    EXTENDED = 1 << 24
    SUSPENDED = 1 << 25
    RETURNED = 1 << 26
    MISDISPATCHED = 1 << 27
    """The return was for T01, T02, T03 or T05: the dispatch was wrong."""
    REOPENED = 1 << 28
    FALSE_RECTIFIED = 1 << 29
    """虚假整改: sent back as R05, or reopened as V13."""
    EXEMPTED = 1 << 30
    """An appeal was upheld: an overlay on statistics."""
    APPEAL_DECIDED = 1 << 31
    VISITED = 1 << 32
    VISIT_COMPARES = 1 << 33
    """A visit asked what a rating had answered."""
    VISIT_AGREES = 1 << 34
    RATED = 1 << 35
    SOLVED = 1 << 36
    """Every rating of the round says so."""
    SATISFIED = 1 << 37
    """Every rating of the round gives 4 or 5."""
    CLOSED_IN_TIME = 1 << 38
    """Accepted, handed over in time, and closed before it was due to close."""
    HANDED = 1 << 39
    """Handed over at least once, whether or not it was sent back."""
    ACKNOWLEDGED = 1 << 40
    FIRST_ROUND = 1 << 41
    NOT_AT_ONCE = 1 << 42
    """An earlier stay of the same round was returned, sent back or extended."""


CLOSED = Flag.ACCEPTED | Flag.TRANSFERRED | Flag.FORCE_CLOSED
MISDISPATCHES = frozenset({"T01", "T02", "T03", "T05"})
SATISFIED_FROM = 4

_MOMENTS = ("submitted_at", "reviewed_at", "dispatched_at", "due_at", "plain_due_at", "handed_at",
            "closing_due_at", "closed_at", "appealed_at")  # fmt: skip
_STREETS_FIRST = ("from_at", "to_at", "street", "flags")


_MORE = {"handed_at": ("dispatched_at", "handled"), "reviewed_at": ("submitted_at",)}


def _when(name: str) -> Index:
    """A moment, and all that a count by 街镇 needs: the rows themselves are not looked at."""
    has = text(f"{name} IS NOT NULL")
    columns = (name, *_STREETS_FIRST, *_MORE.get(name, ()))
    short = f"case_fact_{name.removesuffix('_at')}"
    return Index(short, *columns, sqlite_where=has, postgresql_where=has)


_OPEN, _REPORT = text("stage IS NOT NULL"), text("submitted_at IS NOT NULL")

CASE_FACT = Table(
    "case_fact",
    VIEWS,
    Column("stream", LargeBinary(16), primary_key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("from_pos", BigInteger, primary_key=True, autoincrement=False),
    Column("to_pos", BigInteger, nullable=False),
    Column("from_at", BigInteger, nullable=False),
    Column("to_at", BigInteger, nullable=False),
    Column("case_id", LargeBinary(16), nullable=False),
    Column("number", Text, nullable=False),
    Column("round", Integer, nullable=False),
    Column("street", Text),
    Column("indicator", Text, nullable=False),
    Column("place_kind", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("cell_east", Integer, nullable=False),
    Column("cell_north", Integer, nullable=False),
    Column("stage", Text),
    Column("stage_at", BigInteger),
    Column("code", Text),
    Column("outcome", Text),
    Column("flags", BigInteger, nullable=False),
    Column("submitted_at", BigInteger),
    Column("review_due_at", BigInteger),
    Column("reviewed_at", BigInteger),
    Column("dispatch_due_at", BigInteger),
    Column("dispatched_at", BigInteger),
    Column("waited", BigInteger),
    Column("acknowledge_due_at", BigInteger),
    Column("acknowledged_at", BigInteger),
    Column("due_at", BigInteger),
    Column("plain_due_at", BigInteger),
    Column("handed_at", BigInteger),
    Column("verify_due_at", BigInteger),
    Column("closing_due_at", BigInteger),
    Column("closed_at", BigInteger),
    Column("appealed_at", BigInteger),
    Column("handled", BigInteger),
    Column("ratings", Integer, nullable=False),
    Column("solved", Text),
    Column("satisfaction", Integer),
    Column("efficiency", Integer, nullable=False),
    *(_when(name) for name in _MOMENTS),
    Index(
        "case_fact_open",
        "to_at",
        "stage",
        "street",
        "from_at",
        "from_pos",
        "to_pos",
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    ),
    Index(
        "case_fact_cell",
        "cell_east",
        "cell_north",
        "indicator",
        "submitted_at",
        "from_at",
        "to_at",
        "flags",
        "stream",
        sqlite_where=_REPORT,
        postgresql_where=_REPORT,
    ),
)


Moment: TypeAlias = int | ColumnElement[int]
"""Microseconds since 1970 or a position, or where one will stand in a question asked again."""


class CutAt(NamedTuple):
    """The cut as of which is asked; by its position where there is one."""

    at: Moment
    position: Moment | None = None


def as_of_cut(cut: Cut) -> CutAt:
    """The cut as numbers."""
    return CutAt(micros(cut.at), cut.position)


def holds(
    columns: ReadOnlyColumnCollection[str, ColumnElement[int]], asked: CutAt
) -> list[ColumnElement[bool]]:
    """Whether a row of `case_fact`, or of an alias of it, stood at the cut."""
    if asked.position is None:
        return [columns.from_at <= asked.at, columns.to_at > asked.at]
    return [columns.from_pos <= asked.position, columns.to_pos > asked.position]


class FactRow(msgspec.Struct):
    """A row in memory; fields in the order of the columns. Times are microseconds since 1970."""

    stream: bytes
    ordinal: int
    from_pos: int
    to_pos: int
    from_at: int
    to_at: int
    case_id: bytes
    number: str
    round: int
    street: str | None
    """Of the report, the one whose ground it is; of a stay, the one that has it."""
    indicator: str
    place_kind: str
    channel: str
    cell_east: int
    cell_north: int
    stage: str | None
    """The status of the case, on the row where it stands, while the case is open."""
    stage_at: int | None
    code: str | None
    """The coded reason of what ended it: of a refusal, a return or a forced closing."""
    outcome: str | None
    flags: int
    submitted_at: int | None = None
    review_due_at: int | None = None
    reviewed_at: int | None = None
    """Registered, refused or merged."""
    dispatch_due_at: int | None = None
    dispatched_at: int | None = None
    waited: int | None = None
    """Microseconds before the dispatch, since it was registered or left the 街镇 before."""
    acknowledge_due_at: int | None = None
    acknowledged_at: int | None = None
    due_at: int | None = None
    plain_due_at: int | None = None
    """As it would be without special periods; otherwise as `due_at`."""
    handed_at: int | None = None
    """Of the last hand-over, also one that was sent back."""
    verify_due_at: int | None = None
    closing_due_at: int | None = None
    """When the handling is due, and once handed over in time the verification, if that is later.

    None once taken away.
    """
    closed_at: int | None = None
    appealed_at: int | None = None
    """When the appeal was decided."""
    handled: int | None = None
    """Microseconds on the handling clock, of the limit's own kind of time."""
    ratings: int = 0
    solved: str | None = None
    """The worst that a reporter of the round said, as is `satisfaction`."""
    satisfaction: int | None = None
    efficiency: int = 0
    """The sum of the ratings' 处置效率."""

    # Plain numbers: `Flag`'s own operators cost a microsecond, and make a Flag of `flags`.

    def has(self, flag: int) -> bool:
        return int.__and__(self.flags, flag) != 0

    def mark(self, flag: int, *, when: bool = True) -> None:
        if when:
            self.flags = int.__or__(self.flags, flag)

    def clear(self, flag: int) -> None:
        self.flags = int.__and__(self.flags, ~int(flag))


_CASE_OPEN = frozenset({
    Status.SUBMITTED, Status.AWAITING_INFORMATION, Status.REGISTERED, Status.DISPATCHED,
    Status.HANDLING, Status.SUSPENDED, Status.RECTIFIED, Status.UNDER_RECHECK,
})  # fmt: skip
_AT_REPORT = frozenset({Status.SUBMITTED, Status.AWAITING_INFORMATION, Status.REGISTERED})
_TURNS = Flag.RETURNED | Flag.REWORKED | Flag.EXTENDED | Flag.NOT_AT_ONCE
_REVIEWED = Flag.REGISTERED | Flag.REFUSED | Flag.MERGED | Flag.WITHDRAWN
_OVER = CLOSED | Flag.TAKEN_AWAY
_WORST = (Solved.NO, Solved.PARTLY, Solved.YES)
STEPS: dict[Clock, tuple[str, Flag, Flag]] = {
    Clock.REVIEW: ("review_due_at", Flag.REVIEW_DONE, Flag.REVIEW_LATE),
    Clock.DISPATCH: ("dispatch_due_at", Flag.DISPATCH_DONE, Flag.DISPATCH_LATE),
    Clock.ACKNOWLEDGE: ("acknowledge_due_at", Flag.ACKNOWLEDGE_DONE, Flag.ACKNOWLEDGE_LATE),
    Clock.VERIFICATION: ("verify_due_at", Flag.VERIFY_DONE, Flag.VERIFY_LATE),
}
"""Of each step: the column of when it is due, the flags of done and of late."""
_OF_REPORT = frozenset({Clock.REVIEW, Clock.DISPATCH})


class FactsFold:
    """The rows that hold of each case in hand; closed ones are only waiting to be written."""

    def __init__(self, *, empty: bool) -> None:
        self._rows: dict[bytes, list[FactRow]] = {}
        self._touched: set[tuple[bytes, int]] = set()
        self._closed: list[Values] = []
        self._put = copy_rows if empty else upsert_rows

    def read(self, connection: Connection, lines: Sequence[Line]) -> None:
        found: list[FactRow] = []
        for chunk in chunks({line.stream for line in lines}):
            question = select(CASE_FACT).where(
                CASE_FACT.c.stream.in_(chunk), CASE_FACT.c.to_pos == FOREVER
            )
            found += structs(connection, FactRow, question)
        for row in sorted(found, key=lambda row: row.ordinal):
            self._rows.setdefault(row.stream, []).append(row)

    def apply(self, line: Line) -> None:
        event = line.event
        if type(event) is did.PersonErased:
            return
        key = line.key()
        assert isinstance(event, did.Fact), "a fact of a case: `key()` saw to it"
        if isinstance(event, did.ReportSubmitted):
            self._rows[key.stream] = [_report(key, line, event)]
            self._touched.add((key.stream, 0))
            return
        rows = self._rows[key.stream]
        after = [msgspec.structs.replace(row) for row in rows]
        _tell(after, line, event)
        for n, row in enumerate(after):
            if n == len(rows):
                rows.append(row)
            elif row == rows[n]:
                continue
            else:
                self._close(rows[n], line)
                row.from_pos, row.from_at = line.position, line.at
                rows[n] = row
            self._touched.add((key.stream, n))

    def _close(self, row: FactRow, line: Line) -> None:
        row.to_pos, row.to_at = line.position, line.at
        self._closed.append(msgspec.structs.astuple(row))

    def spill(self, connection: Connection) -> None:
        self._put(connection, CASE_FACT, self._closed)
        self._closed = []

    def write(self, connection: Connection) -> None:
        self.spill(connection)
        rows = [msgspec.structs.astuple(self._rows[s][n]) for s, n in sorted(self._touched)]
        self._put(connection, CASE_FACT, rows)
        self._touched.clear()


# What a fact says of the rows ------------------------------------------------------------------


def _report(key: CaseKey, line: Line, e: did.ReportSubmitted) -> FactRow:
    cell = cell_at(e.place.lon, e.place.lat)
    row = FactRow(
        stream=key.stream,
        ordinal=0,
        from_pos=line.position,
        to_pos=FOREVER,
        from_at=line.at,
        to_at=FOREVER,
        case_id=key.case_id,
        number=key.number,
        round=1,
        street=e.assignment.street,
        indicator=e.indicator or "",
        place_kind=str(e.place.kind),
        channel=e.channel,
        cell_east=cell.east,
        cell_north=cell.north,
        stage=str(Status.SUBMITTED),
        stage_at=line.at,
        code=None,
        outcome=None,
        flags=int(Flag.FIRST_ROUND),
        submitted_at=line.at,
    )
    by_staff = e.on_behalf or line.recorded.actor.kind is ActorKind.STAFF
    row.mark(Flag.STAFF_ENTERED, when=by_staff)
    row.mark(Flag.DEMONSTRATION, when=e.demonstration)
    _clocks([row], e)
    return row


def _tell(rows: list[FactRow], line: Line, event: did.Fact) -> None:
    """Change the rows of a case by one of its facts; a dispatch adds one."""
    if isinstance(event, did.CaseDispatched | did.CaseReopened):
        _dispatched(rows, line, event)
    _clocks(rows, event)
    _of_report(rows[0], line, event)
    _of_place(rows, event)
    last = rows[-1]
    if last.ordinal:
        _of_stay(last, line, event)
    _after_closing(last, line, event)
    _stage(rows, line, event)


def _dispatched(rows: list[FactRow], line: Line, e: did.CaseDispatched | did.CaseReopened) -> None:
    report, last = rows[0], rows[-1]
    round_ = last.round
    if isinstance(e, did.CaseReopened):
        last.mark(Flag.REOPENED)
        last.mark(Flag.FALSE_RECTIFIED, when=e.code == "V13")
        round_ = e.round
    since = report.stage_at if last.stage is None else last.stage_at
    kept = Flag.STAFF_ENTERED | Flag.DEMONSTRATION
    begun = Flag.FIRST_ROUND if round_ == 1 else Flag(0)
    if round_ == last.round and last.has(_TURNS):
        begun |= Flag.NOT_AT_ONCE
    due_at = micros(e.due_at)
    rows.append(
        msgspec.structs.replace(
            report,
            ordinal=len(rows),
            from_pos=line.position,
            from_at=line.at,
            round=round_,
            street=str(e.street),
            stage=None,
            stage_at=None,
            code=None,
            outcome=None,
            flags=int(report.flags & kept | begun),
            submitted_at=None,
            review_due_at=None,
            reviewed_at=None,
            dispatch_due_at=None,
            dispatched_at=line.at,
            waited=None if since is None else line.at - since,
            due_at=due_at,
            plain_due_at=due_at,
            closing_due_at=due_at,
            closed_at=None,
            appealed_at=None,
            handled=None,
            ratings=0,
            solved=None,
            satisfaction=None,
            efficiency=0,
        )
    )


def _clocks(rows: list[FactRow], event: did.Fact) -> None:
    """Due times as frozen, and whether each step that stopped was in time."""
    for stop in event.stopped:
        last = rows[-1]
        if stop.clock is Clock.HANDLING and not isinstance(event, did.CaseReopened):
            last.handled = stop.used
        elif stop.clock in STEPS and stop.final:
            _name, done, late = STEPS[stop.clock]
            row = rows[0] if stop.clock in _OF_REPORT else last
            row.mark(done)
            row.mark(late, when=not stop.in_time)
    for start in event.started:
        if start.clock is Clock.HANDLING:
            _due(rows[-1], start)
        elif start.clock in STEPS:
            name, done, _late = STEPS[start.clock]
            row = rows[0] if start.clock in _OF_REPORT else rows[-1]
            row.clear(done)
            setattr(row, name, micros(start.due_at))


def _due(row: FactRow, start: ClockStarted) -> None:
    row.due_at = row.closing_due_at = micros(start.due_at)
    plain = start.plain_due_at
    row.plain_due_at = row.due_at if plain is None else micros(plain)


def _of_report(row: FactRow, line: Line, event: did.Fact) -> None:
    match event:
        case did.CaseRegistered():
            _review(row, line, Flag.REGISTERED, None)
        case did.CaseRefused(code=code) | did.RegistrationRevoked(code=code):
            _review(row, line, Flag.REFUSED, code)
        case did.CaseMerged(repointed=False):
            _review(row, line, Flag.MERGED, None)
        case did.CaseWithdrawn():
            row.clear(_REVIEWED)
            row.mark(Flag.WITHDRAWN)
        case did.RefusalObjected() | did.CaseUnmerged():
            row.clear(_REVIEWED)
            row.reviewed_at = row.code = None
        case _:
            pass


def _review(row: FactRow, line: Line, verdict: Flag, code: str | None) -> None:
    """The last verdict counts, at the time of the first: that is when it was reviewed."""
    row.clear(_REVIEWED)
    row.mark(verdict)
    row.code = code
    row.reviewed_at = line.at if row.reviewed_at is None else row.reviewed_at


def _of_place(rows: list[FactRow], event: did.Fact) -> None:
    """Indicator and place, of the report and of a stay that lasts."""
    match event:
        case did.CaseRegistered(indicator=code) | did.CaseReclassified(indicator=code):
            for row in _current(rows):
                row.indicator = code
        case did.PlaceCorrected(place=place, assignment=assignment):
            cell = cell_at(place.lon, place.lat)
            for row in _current(rows):
                row.place_kind = str(place.kind)
                row.cell_east, row.cell_north = cell.east, cell.north
            rows[0].street = assignment.street
        case _:
            pass


def _current(rows: list[FactRow]) -> list[FactRow]:
    return [rows[0], *(row for row in rows[-1:] if row.ordinal and not _is_over(row))]


def _is_over(row: FactRow) -> bool:
    return row.has(_OVER)


def _of_stay(row: FactRow, line: Line, event: did.Fact) -> None:
    """What happens while the 街镇 has it."""
    if _is_over(row):
        return
    match event:
        case did.CaseAcknowledged():
            row.acknowledged_at = line.at
            row.mark(Flag.ACKNOWLEDGED)
        case did.CaseRectified(outcome=outcome):
            _handed_over(row, line, outcome)
        case did.ReworkOrdered(code=code) | did.RectificationUnreadable(code=code):
            row.mark(Flag.REWORKED)
            row.mark(Flag.FALSE_RECTIFIED, when=code == "R05")
            row.clear(Flag.HANDED_IN_TIME | Flag.HANDED_IN_TIME_PLAIN | Flag.NOT_FOUND)
        case did.ExtensionGranted():
            row.mark(Flag.EXTENDED)
        case did.CaseSuspended():
            row.mark(Flag.SUSPENDED)
        case did.ReturnAccepted(code=code):
            row.mark(Flag.RETURNED)
            row.mark(Flag.MISDISPATCHED, when=code in MISDISPATCHES)
            row.code = code
        case _:
            pass
    end = ENDS.get(type(event))
    if end is not None:
        _end(row, line, end)


def _handed_over(row: FactRow, line: Line, outcome: Outcome) -> None:
    assert row.due_at is not None and row.plain_due_at is not None, "a dispatch starts the clock"
    row.handed_at, row.outcome = line.at, str(outcome)
    row.clear(Flag.HANDED_IN_TIME | Flag.HANDED_IN_TIME_PLAIN | Flag.NOT_FOUND)
    row.mark(Flag.HANDED)
    row.mark(Flag.HANDED_IN_TIME, when=line.at <= row.due_at)
    if row.verify_due_at is not None and line.at <= row.due_at:
        # Handed over late, it stays due where it was: waiting moves no case to another month.
        row.closing_due_at = max(row.due_at, row.verify_due_at)
    row.mark(Flag.HANDED_IN_TIME_PLAIN, when=line.at <= row.plain_due_at)
    row.mark(Flag.NOT_FOUND, when=outcome is Outcome.NOT_FOUND)


def _end(row: FactRow, line: Line, end: End) -> None:
    assert row.due_at is not None and row.plain_due_at is not None, "a dispatch starts the clock"
    if end in TAKEN_AWAY:
        row.mark(Flag.TAKEN_AWAY)
        row.mark(Flag.TAKEN_EARLY, when=line.at <= row.due_at)
        row.mark(Flag.TAKEN_EARLY_PLAIN, when=line.at <= row.plain_due_at)
        row.closing_due_at = None
    elif end is End.ACCEPTED:
        assert row.closing_due_at is not None, "it was not taken away"
        in_time = row.has(Flag.HANDED_IN_TIME) and line.at <= row.closing_due_at
        row.mark(Flag.CLOSED_IN_TIME, when=in_time)


_HOW_CLOSED: dict[type[msgspec.Struct], Flag] = {
    did.CaseClosed: Flag.ACCEPTED,
    did.CaseTransferred: Flag.TRANSFERRED,
    did.CaseForceClosed: Flag.FORCE_CLOSED,
}


def _after_closing(row: FactRow, line: Line, event: did.Fact) -> None:
    """Closing and what follows; a case may be closed by force before it was ever dispatched."""
    how = _HOW_CLOSED.get(type(event))
    if how is not None and not row.has(CLOSED):
        row.mark(how)
        row.closed_at = line.at
    match event:
        case did.CaseForceClosed(code=code):
            row.code = code
        case did.CaseRated():
            _rated(row, event)
        case did.VisitRecorded(solved=solved) if solved is not None:
            row.mark(Flag.VISITED)
            row.mark(Flag.VISIT_COMPARES, when=row.solved is not None)
            row.mark(Flag.VISIT_AGREES, when=row.solved == solved)
        case did.VisitRecorded():
            row.mark(Flag.VISITED)
        case did.AppealUpheld() | did.AppealDismissed():
            row.mark(Flag.APPEAL_DECIDED)
            row.mark(Flag.EXEMPTED, when=isinstance(event, did.AppealUpheld))
            row.appealed_at = line.at
        case _:
            pass


def _rated(row: FactRow, e: did.CaseRated) -> None:
    """A round with several reporters is as good as the worst that one of them says of it."""
    worst = e.solved if row.solved is None else min(e.solved, Solved(row.solved), key=_WORST.index)
    row.solved = str(worst)
    row.satisfaction = min(e.satisfaction, row.satisfaction or e.satisfaction)
    row.ratings += 1
    row.efficiency += e.efficiency
    row.clear(Flag.SOLVED | Flag.SATISFIED)
    row.mark(Flag.RATED)
    row.mark(Flag.SOLVED, when=worst is Solved.YES)
    row.mark(Flag.SATISFIED, when=row.satisfaction >= SATISFIED_FROM)


def _stage(rows: Iterable[FactRow], line: Line, event: did.Fact) -> None:
    status = STATUS_AFTER.get(type(event))  # type: ignore[arg-type]  # a fact of a case
    if status is None:
        return
    report, *stays = rows
    for row in (report, *stays[-1:]):
        holds = (row is report) == (status in _AT_REPORT) or not stays
        stage = str(status) if holds and status in _CASE_OPEN else None
        if row.stage != stage:
            row.stage, row.stage_at = stage, None if stage is None else line.at


class Facts:
    """The reader that keeps `case_fact`."""

    name = "facts"
    tables: tuple[Table, ...] = (CASE_FACT,)
    on_poison = OnPoison.STOP
    """A number without its cases would be wrong unseen."""
    beside = ONLY_CASES

    @property
    def sources(self) -> tuple[ModuleType, ...]:
        return (
            sys.modules[__name__],
            reading_of_lines,
            ends_of_stays,
            grid,
            coordinates,
            analyst_views,
        )

    def fold(self, *, empty: bool) -> FactsFold:
        return FactsFold(empty=empty)

    def prepare(self, connection: Connection) -> None:
        """Make the views that analysts ask."""
        flags = {name: int(flag) for name, flag in Flag.__members__.items()}
        analyst_views.make(connection, flags, FOREVER)

    def finish(self, connection: Connection) -> None:
        """Its table says all."""

    def scrub(self, connection: Connection) -> None:
        """It holds no words."""
