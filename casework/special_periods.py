"""特殊时段: stretches in which limits count otherwise, such as flood season or heavy snow.

A stream of its own, decided by two persons like other reference data (casework/proposals.py): a
supervisor asks, a second one confirms. A period holds for some 街镇 and some indicators, from one
time to another, never backdated; its end can be moved, and it is never taken back. Knows no case.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from functools import reduce
from typing import TypeAlias, assert_never

import msgspec

from casework.effective import LEAD
from casework.errors import Missing, NothingPending, when
from casework.indicators import require_positive
from casework.model import Limit, Skip

NAME = "特殊时段"


class Occasion(StrEnum):
    """What calls for it."""

    FLOOD = "flood"
    SNOW = "snow"
    POLLUTION = "pollution"
    EVENT = "event"
    OTHER = "other"


OCCASIONS: dict[Occasion, str] = {
    Occasion.FLOOD: "汛期",
    Occasion.SNOW: "雪天",
    Occasion.POLLUTION: "重污染",
    Occasion.EVENT: "重大活动",
    Occasion.OTHER: "其他",
}


class SpecialPeriod(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A declared period. Half-open: `first` ≤ t < `last`. An empty tuple means all.

    Without `limit` the handling clock stands still; with it, it is the handling limit of what is
    dispatched meanwhile, and of open cases where it gives them more time.
    """

    number: int
    occasion: Occasion
    first: datetime
    last: datetime
    streets: tuple[str, ...] = ()
    indicators: tuple[str, ...] = ()
    limit: Limit | None = None
    grounds: str = ""

    @property
    def name(self) -> str:
        """Such as 汛期."""
        return OCCASIONS[self.occasion]

    def covers(self, street: str, indicator: str) -> bool:
        """Whether it holds there and for that."""
        return (not self.streets or street in self.streets) and (
            not self.indicators or indicator in self.indicators
        )

    def skip(self) -> Skip:
        """The stretch that does not count."""
        return Skip(self.first, self.last, self.number)


# Commands ------------------------------------------------------------------------------------


class DeclareSpecialPeriod(msgspec.Struct, frozen=True, kw_only=True, tag="declare-special-period"):
    """宣布. Times are moments; `grounds` is the notice or order that it rests on."""

    occasion: Occasion
    first: datetime
    last: datetime
    grounds: str
    streets: tuple[str, ...] = ()
    indicators: tuple[str, ...] = ()
    limit: Limit | None = None


class MoveSpecialPeriodEnd(
    msgspec.Struct, frozen=True, kw_only=True, tag="move-special-period-end"
):
    """提前解除或延长: the period ends at another time than declared."""

    number: int
    last: datetime
    grounds: str


Command: TypeAlias = DeclareSpecialPeriod | MoveSpecialPeriodEnd


# Events --------------------------------------------------------------------------------------


class SpecialPeriodDeclared(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    effective_from: datetime
    number: int
    occasion: Occasion
    first: datetime
    last: datetime
    grounds: str
    streets: tuple[str, ...] = ()
    indicators: tuple[str, ...] = ()
    limit: Limit | None = None


class SpecialPeriodEndMoved(msgspec.Struct, frozen=True, kw_only=True):
    effective_from: datetime
    number: int
    last: datetime
    grounds: str


Event: TypeAlias = SpecialPeriodDeclared | SpecialPeriodEndMoved

STORED_AS: dict[str, type[Event]] = {
    "special-period-declared": SpecialPeriodDeclared,
    "special-period-end-moved": SpecialPeriodEndMoved,
}

SpecialPeriods: TypeAlias = tuple[SpecialPeriod, ...]


def decide(history: Sequence[Event], command: Command, now: datetime) -> list[Event]:
    """The events of a command confirmed at `now`, or a Refusal. They hold a minute later."""
    since = max([now + LEAD, *(event.effective_from for event in history[-1:])])
    match command:
        case DeclareSpecialPeriod():
            _require_sound(command, since)
            number = sum(isinstance(event, SpecialPeriodDeclared) for event in history) + 1
            return [
                SpecialPeriodDeclared(
                    effective_from=since,
                    number=number,
                    occasion=command.occasion,
                    first=command.first,
                    last=command.last,
                    grounds=command.grounds.strip(),
                    streets=command.streets,
                    indicators=command.indicators,
                    limit=command.limit,
                )
            ]
        case MoveSpecialPeriodEnd(number=number, last=last):
            if not command.grounds.strip():
                raise Missing("grounds", "请写明提前解除或延长的依据。")
            period = next((p for p in fold(history) if p.number == number), None)
            if period is None or period.last <= since:
                raise NothingPending(NAME, f"第{number}号特殊时段不存在或已经结束。")
            if last == period.last:
                raise Missing("last", "结束时间与现在相同，没有变化。")
            _require_ahead("last", last, max(since, period.first))
            return [
                SpecialPeriodEndMoved(
                    effective_from=since,
                    number=number,
                    last=last,
                    grounds=command.grounds.strip(),
                )
            ]
        case _:
            assert_never(command)


def _require_sound(command: DeclareSpecialPeriod, since: datetime) -> None:
    _require_ahead("first", command.first, since)
    if command.last <= command.first:
        raise Missing("last", "特殊时段的结束时间须晚于开始时间。")
    if not command.grounds.strip():
        raise Missing("grounds", "请写明宣布特殊时段的依据，如通知文号。")
    if command.limit is not None:
        require_positive(command.limit)


def _require_ahead(field: str, given: datetime, earliest: datetime) -> None:
    """Never backdated: what has already been counted stays counted."""
    if given < earliest:
        raise Missing(field, f"特殊时段不得溯及既往，最早可填{when(earliest)}之后。")


def evolve(periods: SpecialPeriods, event: Event) -> SpecialPeriods:
    """The periods after the event. Refuses nothing."""
    match event:
        case SpecialPeriodDeclared():
            declared = SpecialPeriod(
                number=event.number,
                occasion=event.occasion,
                first=event.first,
                last=event.last,
                streets=event.streets,
                indicators=event.indicators,
                limit=event.limit,
                grounds=event.grounds,
            )
            return (*periods, declared)
        case SpecialPeriodEndMoved(number=number, last=last):
            return tuple(
                msgspec.structs.replace(period, last=last) if period.number == number else period
                for period in periods
            )
        case _:
            assert_never(event)


def fold(history: Sequence[Event]) -> SpecialPeriods:
    """Every period after these events, ended ones included."""
    nothing: SpecialPeriods = ()
    return reduce(evolve, history, nothing)


def skips(periods: SpecialPeriods, street: str, indicator: str) -> list[Skip]:
    """The stretches that do not count for a case of that 街镇 and indicator."""
    return [
        period.skip()
        for period in periods
        if period.limit is None and period.covers(street, indicator)
    ]


def limit_at(
    periods: SpecialPeriods, street: str, indicator: str, at: datetime
) -> SpecialPeriod | None:
    """The period whose limit holds for what is dispatched at `at`: the latest declared, or None."""
    return next(
        (
            period
            for period in reversed(periods)
            if period.limit is not None
            and period.first <= at < period.last
            and period.covers(street, indicator)
        ),
        None,
    )
