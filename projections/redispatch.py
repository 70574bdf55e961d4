"""Every stay of a case with a 街镇, from dispatch to its end: what returns and recalls cost.

Knows no person and no words. A stay that ends with an accepted return or a recall was lost; the
handling clock ran on through it, as the rules want it.
"""

import sys
from collections.abc import Callable, Sequence
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
    func,
    select,
)

from casework import events as did
from casework import handlings as ends_of_stays
from casework.handlings import ENDS, End
from casework.model import Clock
from projections import lines as reading_of_lines
from projections.lines import Line
from projections.tables import VIEWS, Values, copy_rows, micros, moment, structs_of, upsert_rows
from projections.view import ONLY_CASES, OnPoison

MINUTE = 60_000_000

REDISPATCH = Table(
    "redispatch",
    VIEWS,
    Column("stream", LargeBinary(16), primary_key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("case_id", LargeBinary(16), nullable=False),
    Column("number", Text, nullable=False),
    Column("street", Text, nullable=False),
    Column("dispatched_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("ended_by", Text),
    Column("code", Text),
    Column("handled", BigInteger),
    Index("redispatch_dispatched", "dispatched_at", "street"),
)

_C = REDISPATCH.c


LOST = (End.RETURNED, End.RECALLED)
"""Another 街镇 has to begin anew."""


class _Leg(msgspec.Struct):
    stream: bytes
    ordinal: int
    case_id: bytes
    number: str
    street: str
    dispatched_at: int
    ended_at: int | None = None
    ended_by: str | None = None
    code: str | None = None
    handled: int | None = None
    """Microseconds on the handling clock, of the limit's own kind of time, when it last stopped."""


class RedispatchFold:
    """The stays of each case that a page touches, in order; only the last may still change."""

    def __init__(self, *, empty: bool) -> None:
        self._legs: dict[bytes, list[_Leg]] = {}
        self._changed: set[tuple[bytes, int]] = set()
        self._put: Callable[[Connection, Table, Sequence[Values]], None] = (
            copy_rows if empty else upsert_rows
        )

    def read(self, connection: Connection, lines: Sequence[Line]) -> None:
        streams = {line.stream for line in lines}
        found = structs_of(connection, REDISPATCH, _Leg, _C.stream, streams)
        for leg in sorted(found, key=lambda leg: leg.ordinal):
            self._legs.setdefault(leg.stream, []).append(leg)

    def apply(self, line: Line) -> None:
        event = line.event
        if type(event) is did.PersonErased:
            return
        key = line.key()
        assert isinstance(event, did.Fact), "a fact of a case: `key()` saw to it"
        legs = self._legs.setdefault(line.stream, [])
        last = legs[-1] if legs and legs[-1].ended_at is None else None
        if last is not None:
            self._turn(last, line, event)
        if isinstance(event, did.CaseDispatched | did.CaseReopened):
            leg = _Leg(
                line.stream, len(legs) + 1, key.case_id, key.number, str(event.street), line.at
            )
            legs.append(leg)
            self._changed.add((leg.stream, leg.ordinal))

    def _turn(self, leg: _Leg, line: Line, event: did.Fact) -> None:
        """What a fact means for the stay that lasts."""
        end = ENDS.get(type(event))
        used = next((s.used for s in event.stopped if s.clock is Clock.HANDLING), None)
        if end is None and used is None:
            return
        if used is not None:
            leg.handled = used
        if end is not None:
            leg.ended_at, leg.ended_by = line.at, str(end)
            leg.code = getattr(event, "code", None)
        self._changed.add((leg.stream, leg.ordinal))

    def spill(self, connection: Connection) -> None:
        """The last stay of any case may change again."""

    def write(self, connection: Connection) -> None:
        rows = [msgspec.structs.astuple(self._legs[s][n - 1]) for s, n in sorted(self._changed)]
        self._put(connection, REDISPATCH, rows)
        self._changed.clear()


class Redispatch:
    """The reader that keeps `redispatch`."""

    name = "redispatch"
    tables: tuple[Table, ...] = (REDISPATCH,)
    on_poison = OnPoison.STOP
    """A number without its cases would be wrong unseen."""
    beside = ONLY_CASES

    @property
    def sources(self) -> tuple[ModuleType, ...]:
        return (sys.modules[__name__], reading_of_lines, ends_of_stays)

    def fold(self, *, empty: bool) -> RedispatchFold:
        return RedispatchFold(empty=empty)

    def prepare(self, connection: Connection) -> None:
        """Its table says all."""

    def finish(self, connection: Connection) -> None:
        """As above."""

    def scrub(self, connection: Connection) -> None:
        """It holds no words."""


# questions ---------------------------------------------------------------------------------


class Leg(msgspec.Struct, frozen=True):
    """A stay. Times are UTC; `minutes` elapsed by the wall, `handling_minutes` on the clock.

    Both are whole minutes, rounded down, and None while the stay lasts.
    """

    case_id: UUID
    number: str
    ordinal: int
    street: str
    dispatched_at: datetime
    ended_at: datetime | None
    ended_by: End | None
    code: str | None
    minutes: int | None
    handling_minutes: int | None


class Lost(msgspec.Struct):
    """A 街镇 in a while: `n` dispatches to it, and of these what was lost."""

    street: str
    n: int = 0
    returned: int = 0
    recalled: int = 0
    by_code: dict[str, int] = {}
    minutes: int = 0
    handling_minutes: int = 0


def lost(connection: Connection, first: datetime, last: datetime) -> list[Lost]:
    """For each 街镇 the dispatches of [first, last), by code of the 街镇.

    A stay belongs to the time of its dispatch, as every rate belongs to its denominator's, and
    counts for the 街镇 that had it, with its own minutes.
    """
    spent, handled = func.sum(_C.ended_at - _C.dispatched_at), func.sum(_C.handled)
    question = (
        select(_C.street, _C.ended_by, _C.code, func.count(), spent, handled)
        .where(_C.dispatched_at >= micros(first), _C.dispatched_at < micros(last))
        .group_by(_C.street, _C.ended_by, _C.code)
    )
    found: dict[str, Lost] = {}
    micros_lost: dict[str, list[int]] = {}
    for street, ended_by, code, n, elapsed, on_clock in connection.execute(question):
        row = found.setdefault(street, Lost(street, by_code={}))
        row.n += n
        if ended_by not in LOST:
            continue
        row.returned += n if ended_by == End.RETURNED else 0
        row.recalled += n if ended_by == End.RECALLED else 0
        if code is not None:
            row.by_code[code] = row.by_code.get(code, 0) + n
        total = micros_lost.setdefault(street, [0, 0])
        total[0] += int(elapsed or 0)
        total[1] += int(on_clock or 0)
    for street, (elapsed, on_clock) in micros_lost.items():
        found[street].minutes = elapsed // MINUTE
        found[street].handling_minutes = on_clock // MINUTE
    return [found[street] for street in sorted(found)]


def chains(
    connection: Connection, first: datetime, last: datetime, limit: int, street: str | None = None
) -> list[list[Leg]]:
    """Cases with a lost stay that began in [first, last), each with all its stays in order.

    At most `limit`, the case dispatched last first; `street` narrows to those it lost.
    """
    begun = func.max(_C.dispatched_at)
    question = (
        select(_C.stream)
        .where(
            _C.dispatched_at >= micros(first),
            _C.dispatched_at < micros(last),
            _C.ended_by.in_([str(end) for end in LOST]),
            *([] if street is None else [_C.street == street]),
        )
        .group_by(_C.stream)
        .order_by(begun.desc(), _C.stream)
        .limit(limit)
    )
    streams = list(connection.scalars(question))
    legs: dict[bytes, list[_Leg]] = {}
    for leg in structs_of(connection, REDISPATCH, _Leg, _C.stream, streams):
        legs.setdefault(leg.stream, []).append(leg)
    return [
        [_view(leg) for leg in sorted(legs[stream], key=lambda leg: leg.ordinal)]
        for stream in streams
    ]


def _view(leg: _Leg) -> Leg:
    ended = leg.ended_at
    return Leg(
        UUID(bytes=leg.case_id),
        leg.number,
        leg.ordinal,
        leg.street,
        moment(leg.dispatched_at),
        None if ended is None else moment(ended),
        None if leg.ended_by is None else End(leg.ended_by),
        leg.code,
        None if ended is None else (ended - leg.dispatched_at) // MINUTE,
        None if ended is None or leg.handled is None else leg.handled // MINUTE,
    )
