"""What became of one dispatch: its facts with their times, and how it stood at any moment of them.

A handling is a case's stay with a 街镇, from a dispatch or a reopening to its end. Its facts are
kept in the order in which they happened, so that cutting them at a moment, or at a position of the
log, answers as one would have answered then. Decides nothing, and knows no limit but the frozen.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

import msgspec

from casework import events as did
from casework.instants import from_micros, to_micros
from casework.model import Limit, Outcome, PlaceKind, Unit


class End(StrEnum):
    """What ended a stay."""

    ACCEPTED = "accepted"
    """结案: what the 街镇 handed over was accepted."""
    RETURNED = "returned"
    RECALLED = "recalled"
    MERGED = "merged"
    TRANSFERRED = "transferred"
    FORCE_CLOSED = "force_closed"


ENDS: dict[type[msgspec.Struct], End] = {
    did.CaseClosed: End.ACCEPTED,
    did.ReturnAccepted: End.RETURNED,
    did.CaseRecalled: End.RECALLED,
    did.CaseMerged: End.MERGED,
    did.CaseTransferred: End.TRANSFERRED,
    did.CaseForceClosed: End.FORCE_CLOSED,
}

TAKEN_AWAY = frozenset({End.RETURNED, End.RECALLED, End.MERGED})
"""The case left the 街镇 before anything was due to be handed over for good."""


# Facts of a handling. Times are microseconds since 1970 UTC, positions those of the log --------


class _Fact(msgspec.Struct, frozen=True, array_like=True):
    position: int
    at: int


class DueSet(_Fact, frozen=True, array_like=True, tag="due"):
    """The handling clock was started, or started again: with another due time.

    `plain_due_at` is what it would be without special periods, where that is another moment;
    `skips` are the stretches that such periods take out of the count.
    """

    due_at: int
    plain_due_at: int | None = None
    skips: tuple[tuple[int, int], ...] = ()


class HandedOver(_Fact, frozen=True, array_like=True, tag="handed"):
    outcome: Outcome


class Reworked(_Fact, frozen=True, array_like=True, tag="rework"):
    """The hand-over was not accepted; with some codes the wait for the verdict counts."""

    counts: bool


class Paused(_Fact, frozen=True, array_like=True, tag="pause"):
    pass


class Resumed(_Fact, frozen=True, array_like=True, tag="resume"):
    pass


class Extended(_Fact, frozen=True, array_like=True, tag="extend"):
    amount: int
    unit: Unit


class Reclassified(_Fact, frozen=True, array_like=True, tag="reclass"):
    """改类: another row, and its limit counts from the dispatch. An amount of 0 keeps the limit."""

    indicator: str
    condition: str
    amount: int
    unit: Unit


class Relocated(_Fact, frozen=True, array_like=True, tag="place"):
    place_kind: PlaceKind


class Ended(_Fact, frozen=True, array_like=True, tag="end"):
    by: End


class Exempted(_Fact, frozen=True, array_like=True, tag="exempt"):
    """An appeal of the 街镇 was upheld: an overlay on statistics, the facts stand."""

    code: str


Fact: TypeAlias = (
    DueSet
    | HandedOver
    | Reworked
    | Paused
    | Resumed
    | Extended
    | Reclassified
    | Relocated
    | Ended
    | Exempted
)


# As of then ----------------------------------------------------------------------------------


class Cut(msgspec.Struct, frozen=True):
    """The moment as of which is asked: `at`, or what stood in the log up to `position`.

    With a position, `at` is the time of the event there: what is unfinished is judged by it.
    """

    at: datetime
    position: int | None = None


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """A dispatch as it was made: where, by which row, under which limit."""

    case: str
    number: str
    ordinal: int
    round: int
    reopened: bool
    """Begun by a reopening: with half the limit."""
    staff_entered: bool
    street: str
    indicator: str
    condition: str
    place_kind: PlaceKind
    position: int
    dispatched_at: int
    limit: Limit


class PastHandling(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A handling as it stood at a moment. Times are UTC.

    `handed_over_at` is of the last hand-over that was not sent back; whether it was accepted is
    `ended_by`. `pauses` are half-open intervals, in order, in which the clock stood still (挂账,
    the wait for a verdict that does not count, stretches of a special period); `paused_since`
    tells of one that lasts. `limit` is the frozen one without the `extensions` granted.
    """

    case: str
    street: str
    indicator: str
    condition: str
    place_kind: PlaceKind
    dispatched_at: datetime
    limit: Limit
    due_at: datetime
    number: str = ""
    round: int = 1
    reopened: bool = False
    """Under half the limit, as a reopening begins: until 改类 gives a new one."""
    staff_entered: bool = False
    plain_due_at: datetime | None = None
    handed_over_at: datetime | None = None
    outcome: Outcome | None = None
    paused_since: datetime | None = None
    pauses: tuple[tuple[datetime, datetime], ...] = ()
    extensions: tuple[Limit, ...] = ()
    ended_at: datetime | None = None
    ended_by: End | None = None
    exempted: bool = False

    def ran_until(self, as_of: datetime) -> datetime:
        """Until when its clock ran, as far as is known at that moment."""
        return self.handed_over_at or self.paused_since or self.ended_at or as_of

    def late(self, as_of: datetime) -> bool:
        """Whether it was late by the frozen due time; exactly on it is in time."""
        return self.ran_until(as_of) > self.due_at


def as_of(begun: Begun, facts: Iterable[Fact], cut: Cut) -> PastHandling | None:
    """The handling as it stood at the cut; None where it had not begun.

    `facts` are in the order in which they happened.
    """
    last_at, last_position = to_micros(cut.at), cut.position
    if _beyond(begun.position, begun.dispatched_at, last_position, last_at):
        return None
    told = _Telling(begun)
    for fact in facts:
        if _beyond(fact.position, fact.at, last_position, last_at):
            break
        told.take(fact)
    return told.stands()


def _beyond(position: int, at: int, last_position: int | None, last_at: int) -> bool:
    return at > last_at if last_position is None else position > last_position


class _Telling:
    """A handling while its facts are told, in whole microseconds."""

    def __init__(self, begun: Begun) -> None:
        self.begun = begun
        self.indicator = begun.indicator
        self.condition = begun.condition
        self.place_kind = begun.place_kind
        self.limit = begun.limit
        self.reopened = begun.reopened
        self.due: DueSet | None = None
        self.handed: HandedOver | None = None
        self.paused: int | None = None
        self.pauses: list[tuple[int, int]] = []
        self.extensions: list[Limit] = []
        self.ended: Ended | None = None
        self.exempted = False

    def take(self, fact: Fact) -> None:  # noqa: C901  one arm a fact
        match fact:
            case DueSet():
                self.due = fact
            case HandedOver():
                self.handed = fact
            case Ended():
                self.ended = fact
            case Reworked(at=at, counts=counts):
                if self.handed is not None and not counts:
                    self.pauses.append((self.handed.at, at))
                self.handed = None
            case Paused(at=at):
                self.paused = at
            case Resumed(at=at):
                if self.paused is not None:
                    self.pauses.append((self.paused, at))
                self.paused = None
            case Extended(amount=amount, unit=unit):
                self.extensions.append(Limit(amount, unit))
            case Reclassified():
                self._reclassify(fact)
            case Relocated(place_kind=kind):
                self.place_kind = kind
            case Exempted():
                self.exempted = True

    def _reclassify(self, fact: Reclassified) -> None:
        """The time on the clock is kept; what was granted on the old limit, or halved, is not."""
        self.indicator, self.condition = fact.indicator, fact.condition
        if fact.amount:
            self.limit = Limit(fact.amount, fact.unit)
            self.reopened = False
            self.extensions = []

    def stands(self) -> PastHandling:
        begun, due, handed, ended = self.begun, self.due, self.handed, self.ended
        assert due is not None, "a dispatch starts the clock"
        gaps = [*self.pauses, *due.skips] if due.skips else self.pauses
        return PastHandling(
            case=begun.case,
            number=begun.number,
            round=begun.round,
            reopened=self.reopened,
            staff_entered=begun.staff_entered,
            street=begun.street,
            indicator=self.indicator,
            condition=self.condition,
            place_kind=self.place_kind,
            dispatched_at=from_micros(begun.dispatched_at),
            limit=self.limit,
            due_at=from_micros(due.due_at),
            plain_due_at=None if due.plain_due_at is None else from_micros(due.plain_due_at),
            handed_over_at=None if handed is None else from_micros(handed.at),
            outcome=None if handed is None else handed.outcome,
            paused_since=None if self.paused is None else from_micros(self.paused),
            pauses=tuple(_apart(gaps)) if gaps else (),
            extensions=tuple(self.extensions),
            ended_at=None if ended is None else from_micros(ended.at),
            ended_by=None if ended is None else ended.by,
            exempted=self.exempted,
        )


def _apart(gaps: list[tuple[int, int]]) -> Iterable[tuple[datetime, datetime]]:
    """The same stretches in order, those that touch or overlap as one."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(gaps):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return ((from_micros(first), from_micros(last)) for first, last in merged)
