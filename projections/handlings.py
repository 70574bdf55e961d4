"""Every dispatch of every case as a row whose facts carry their times: measures and dry runs.

A row never loses what it once said: what happened later is another fact at its end, so that any
past moment is answered by cutting there (`casework.handlings.as_of`). Knows no person, no words.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import ModuleType

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
)

from casework import events as did
from casework import handlings as facts_of_handlings
from casework.handlings import (
    ENDS,
    DueSet,
    Ended,
    Exempted,
    Extended,
    Fact,
    HandedOver,
    Paused,
    Reclassified,
    Relocated,
    Resumed,
    Reworked,
)
from casework.model import ActorKind, Clock, ClockStarted, Limit, Unit
from projections import lines as reading_of_lines
from projections.lines import CaseKey, Line
from projections.tables import VIEWS, Values, copy_rows, micros, structs_of, upsert_rows
from projections.view import ONLY_CASES, OnPoison

HANDLED_CASE = Table(
    "handled_case",
    VIEWS,
    Column("stream", LargeBinary(16), primary_key=True),
    Column("round", Integer, nullable=False),
    Column("indicator", Text, nullable=False),
    Column("condition", Text, nullable=False),
    Column("place_kind", Text, nullable=False),
    Column("staff_entered", Boolean, nullable=False),
)

HANDLING = Table(
    "handling",
    VIEWS,
    Column("stream", LargeBinary(16), primary_key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("case_id", LargeBinary(16), nullable=False),
    Column("number", Text, nullable=False),
    Column("round", Integer, nullable=False),
    Column("reopened", Boolean, nullable=False),
    Column("staff_entered", Boolean, nullable=False),
    Column("street", Text, nullable=False),
    Column("indicator", Text, nullable=False),
    Column("condition", Text, nullable=False),
    Column("place_kind", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("dispatched_at", BigInteger, nullable=False),
    Column("amount", Integer, nullable=False),
    Column("unit", Text, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("due_low", BigInteger, nullable=False),
    Column("due_high", BigInteger, nullable=False),
    Column("moved", Boolean, nullable=False),
    Column("reclassified", Boolean, nullable=False),
    Column("handed_over_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("ended_by", Text),
    Column("facts", Text, nullable=False),
    Index("handling_dispatched", "dispatched_at"),
    # A due time that never moved lies in a period or not; the few that moved are looked at.
    Index("handling_due", "moved", "due_low"),
    Index("handling_street", "street", "dispatched_at"),
)


class HandlingRow(msgspec.Struct):
    """A row in memory; fields in the order of the columns. Times are microseconds."""

    stream: bytes
    ordinal: int
    case_id: bytes
    number: str
    round: int
    reopened: bool
    staff_entered: bool
    street: str
    indicator: str
    condition: str
    place_kind: str
    position: int
    dispatched_at: int
    amount: int
    unit: str
    due_at: int
    """As frozen now; `due_low` and `due_high` are the least and the most it ever was."""
    due_low: int
    due_high: int
    moved: bool
    reclassified: bool
    handed_over_at: int | None
    """Of the last hand-over that was not sent back."""
    ended_at: int | None
    ended_by: str | None
    facts: str
    """A line of JSON each, in the order in which they happened; see `told`."""


class _Case(msgspec.Struct):
    stream: bytes
    round: int
    indicator: str
    condition: str
    place_kind: str
    staff_entered: bool


_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[Fact] = msgspec.json.Decoder(Fact)


def told(facts: str) -> list[Fact]:
    """The facts of a row."""
    return _DECODER.decode_lines(facts)


def written(facts: Iterable[Fact]) -> str:
    """Facts as a row holds them."""
    return _ENCODER.encode_lines(facts).decode()


class HandlingsFold:
    """The rows of each case that a page touches, in order; any of them may still be told of."""

    def __init__(self, *, empty: bool) -> None:
        self._cases: dict[bytes, _Case] = {}
        self._rows: dict[bytes, list[HandlingRow]] = {}
        self._touched: set[bytes] = set()
        self._changed: set[tuple[bytes, int]] = set()
        self._put: Callable[[Connection, Table, Sequence[Values]], None] = (
            copy_rows if empty else upsert_rows
        )

    def read(self, connection: Connection, lines: Sequence[Line]) -> None:
        streams = {line.stream for line in lines}
        for case in structs_of(connection, HANDLED_CASE, _Case, HANDLED_CASE.c.stream, streams):
            self._cases[case.stream] = case
        found = structs_of(connection, HANDLING, HandlingRow, HANDLING.c.stream, streams)
        for row in sorted(found, key=lambda row: row.ordinal):
            self._rows.setdefault(row.stream, []).append(row)

    def apply(self, line: Line) -> None:
        event = line.event
        if type(event) is did.PersonErased:
            return
        key = line.key()
        assert isinstance(event, did.Fact), "a fact of a case: `key()` saw to it"
        if isinstance(event, did.ReportSubmitted):
            self._cases[key.stream] = _begin(key, event, line)
            self._touched.add(key.stream)
            return
        case = self._cases[key.stream]
        rows = self._rows.setdefault(key.stream, [])
        if rows:
            self._say(rows[-1], line, event)
        if _change(case, event):
            self._touched.add(key.stream)
        if isinstance(event, did.CaseDispatched | did.CaseReopened):
            row = _dispatched(key, case, len(rows) + 1, line, event)
            rows.append(row)
            self._changed.add((row.stream, row.ordinal))

    def _say(self, row: HandlingRow, line: Line, event: did.Fact) -> None:
        """What a fact means for the last handling of the case."""
        facts = list(_facts(line, event, over=row.ended_at is not None))
        if not facts:
            return
        for fact in facts:
            _note(row, fact)
        row.facts += written(facts)
        self._changed.add((row.stream, row.ordinal))

    def spill(self, connection: Connection) -> None:
        """An appeal may be upheld long after the end: any row may be told of again."""

    def write(self, connection: Connection) -> None:
        cases = [msgspec.structs.astuple(self._cases[stream]) for stream in sorted(self._touched)]
        self._put(connection, HANDLED_CASE, cases)
        rows = [msgspec.structs.astuple(self._rows[s][n - 1]) for s, n in sorted(self._changed)]
        self._put(connection, HANDLING, rows)
        self._touched.clear()
        self._changed.clear()


def _begin(key: CaseKey, e: did.ReportSubmitted, line: Line) -> _Case:
    by_staff = e.on_behalf or line.recorded.actor.kind is ActorKind.STAFF
    return _Case(key.stream, 1, e.indicator or "", "", str(e.place.kind), by_staff)


def _change(case: _Case, event: did.Fact) -> bool:
    """What the next dispatch will be made by; whether anything of it changed."""
    match event:
        case did.CaseRegistered(indicator=indicator, condition=condition):
            case.indicator, case.condition = indicator, condition
        case did.CaseReclassified(indicator=indicator, condition=condition):
            case.indicator, case.condition = indicator, condition or case.condition
        case did.PlaceCorrected(place=place):
            case.place_kind = str(place.kind)
        case did.CaseReopened(round=round_):
            case.round = round_
        case _:
            return False
    return True


def _dispatched(
    key: CaseKey, case: _Case, ordinal: int, line: Line, e: did.CaseDispatched | did.CaseReopened
) -> HandlingRow:
    due = _due(line, _handling(e)) or DueSet(line.position, line.at, micros(e.due_at))
    row = HandlingRow(
        stream=key.stream,
        ordinal=ordinal,
        case_id=key.case_id,
        number=key.number,
        round=case.round,
        reopened=isinstance(e, did.CaseReopened),
        staff_entered=case.staff_entered,
        street=str(e.street),
        indicator=case.indicator,
        condition=case.condition,
        place_kind=case.place_kind,
        position=line.position,
        dispatched_at=line.at,
        amount=e.limit.amount,
        unit=str(e.limit.unit),
        due_at=due.due_at,
        due_low=due.due_at,
        due_high=due.due_at,
        moved=False,
        reclassified=False,
        handed_over_at=None,
        ended_at=None,
        ended_by=None,
        facts=written([due]),
    )
    _note(row, due)
    return row


def _handling(event: did.Fact) -> ClockStarted | None:
    """The handling clock, where the fact starts it."""
    return next((each for each in event.started if each.clock is Clock.HANDLING), None)


def _due(line: Line, started: ClockStarted | None) -> DueSet | None:
    """What a start of the handling clock says of the due time: the one place that reads it."""
    if started is None:
        return None
    return DueSet(
        line.position,
        line.at,
        micros(started.due_at),
        plain_due_at=None if started.plain_due_at is None else micros(started.plain_due_at),
        skips=tuple((micros(skip.first), micros(skip.last)) for skip in started.skips),
    )


def _facts(line: Line, event: did.Fact, *, over: bool) -> Iterator[Fact]:  # noqa: C901, PLR0912  one arm a fact
    """The facts of a handling in an event of its case; one that is `over` can only be exempted."""
    position, at = line.position, line.at
    if over:
        if isinstance(event, did.AppealUpheld):
            yield Exempted(position, at, event.code)
        return
    started = _handling(event)
    match event:
        case did.CaseRectified(outcome=outcome):
            yield HandedOver(position, at, outcome)
        case did.ReworkOrdered(verification_counts=counts):
            yield Reworked(position, at, counts)
        case did.RectificationUnreadable():
            yield Reworked(position, at, counts=True)
        case did.CaseSuspended():
            yield Paused(position, at)
        case did.CaseResumed():
            # However late it was noticed, the clock runs from the day that was agreed.
            since = started.since if started else None
            yield Resumed(position, at if since is None else micros(since))
        case did.ExtensionGranted(by=by):
            yield Extended(position, at, by.amount, by.unit)
        case did.CaseReclassified(indicator=indicator, condition=condition):
            limit = started.limit if started else Limit(0, Unit.MINUTE)
            yield Reclassified(position, at, indicator, condition or "", limit.amount, limit.unit)
        case did.PlaceCorrected(place=place):
            yield Relocated(position, at, place.kind)
        case _:
            end = ENDS.get(type(event))
            if end is not None:
                yield Ended(position, at, end)
    # A dispatch ends nothing by itself; its own clock is the next row's.
    if not isinstance(event, did.CaseDispatched | did.CaseReopened):
        due = _due(line, started)
        if due is not None:
            yield due


def _note(row: HandlingRow, fact: Fact) -> None:
    """What of a fact stands in a column, so that it can be looked for."""
    match fact:
        case DueSet(due_at=due_at, plain_due_at=plain):
            row.due_at = due_at
            for each in (due_at, due_at if plain is None else plain):
                row.due_low, row.due_high = min(row.due_low, each), max(row.due_high, each)
            row.moved = row.due_low != row.due_high
        case HandedOver(at=at):
            row.handed_over_at = at
        case Reworked():
            row.handed_over_at = None
        case Reclassified():
            row.reclassified = True
        case Ended(at=at, by=by):
            row.ended_at, row.ended_by = at, str(by)
        case _:
            pass


class Handlings:
    """The reader that keeps `handling`."""

    name = "handlings"
    tables: tuple[Table, ...] = (HANDLED_CASE, HANDLING)
    on_poison = OnPoison.STOP
    """A number without its cases would be wrong unseen."""
    beside = ONLY_CASES

    @property
    def sources(self) -> tuple[ModuleType, ...]:
        return (sys.modules[__name__], reading_of_lines, facts_of_handlings)

    def fold(self, *, empty: bool) -> HandlingsFold:
        return HandlingsFold(empty=empty)

    def prepare(self, connection: Connection) -> None:
        """Its tables say all."""

    def finish(self, connection: Connection) -> None:
        """As above."""

    def scrub(self, connection: Connection) -> None:
        """It holds no words."""
