"""The clocks of a case as its history tells them: each as it stands at a moment, and how so. Pure.

A clock is told from its first start to its last stop, each fact by the calendar that it was counted
by: a due time that was provisional stays explained by what was known when it was told. Facts later
than the moment asked for are not looked at, so a past moment is told as it was then.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from casework import clock_words, time_left, timers
from casework import events as did
from casework.case import Happened, evolve
from casework.clock_words import Step, Turn
from casework.clocks import Calendar
from casework.decisions.asking import KEPT
from casework.lifecycle import OPEN, Status
from casework.model import Clock, ClockStarted
from casework.reference import References
from casework.state import Case
from casework.time_left import Left
from casework.timers import Reading, Stand, Timer

WAITS_IN: Mapping[Clock, frozenset[Status]] = {
    Clock.REVIEW: frozenset({Status.AWAITING_INFORMATION}),
    Clock.HANDLING: frozenset({Status.SUSPENDED, Status.RECTIFIED}),
    Clock.NOTE: frozenset(Status) - OPEN,
}
"""Where a clock that stopped may still run on; elsewhere it has stopped for good."""

FOR_REPORTERS = frozenset(
    {
        Clock.REVIEW,
        Clock.INFORMATION,
        Clock.OBJECTION,
        Clock.DISPATCH,
        Clock.ACKNOWLEDGE,
        Clock.HANDLING,
        Clock.RESUMPTION,
        Clock.VERIFICATION,
        Clock.RATING,
        Clock.RECHECK,
    }
)
"""Clocks a reporter or partner is told of: where the case waits, not what the desks ask of each
other. The steps of their timeline are chosen by the same measure."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One clock of one round, as it stands, and how it came to that.

    `plain_due_at` is when it would be due without 特殊时段, where that differs. `overlays` are what
    was said of it later and changes no figure: appeals. `left` is None once it has stopped for
    good.
    """

    clock: Clock
    round: int
    reading: Reading
    steps: tuple[Step, ...]
    plain_due_at: datetime | None = None
    left: Left | None = None
    overlays: tuple[Step, ...] = ()

    @property
    def lines(self) -> list[str]:
        """A heading with how it stands, then step by step."""
        told = [line for step in (*self.steps, *self.overlays) for line in step.told]
        return [self._heading(), *told]

    def _heading(self) -> str:
        reading = self.reading
        name = f"{clock_words.CLOCK_NAMES[self.clock]}（第{self.round}轮）"
        told = f"{name}：{clock_words.STAND_NAMES[reading.stand]}"
        if self.clock is not Clock.RESUMPTION:
            used, left = whole_seconds(reading)
            told += f"，已用{_seconds(used)}，"
            told += f"尚余{_seconds(left)}" if left >= 0 else f"超出{_seconds(-left)}"
        if reading.runs_again_at:
            told += f"，特殊时段至{clock_words.moment_in_words(reading.runs_again_at)}"
        return f"{told}。"


def whole_seconds(reading: Reading) -> tuple[int, int]:
    """Used and remaining in whole seconds that still add up to the limit."""
    used = reading.used // 1_000_000
    return used, (reading.used + reading.remaining) // 1_000_000 - used


def _seconds(length: int) -> str:
    return clock_words.length_in_words(length * 1_000_000)


class _Clock(msgspec.Struct):
    clock: Clock
    round: int
    turns: list[Turn]
    overlays: list[Step]


def told(history: Iterable[Happened], references: References, at: datetime) -> list[Told]:
    """Every clock that had started by `at`, in the order in which they did.

    `history` is the case's own, from its first fact. An empty list: it was not reported yet.
    """
    telling = _Telling()
    for happened in history:
        if happened.at > at:
            break
        telling.take(happened, references)
    names = {period.number: period.name for period in references.special_at(at)}
    return [telling.read(one, at, names) for one in telling.all]


class _Telling:
    def __init__(self) -> None:
        self.case: Case | None = None
        self.all: list[_Clock] = []
        self.open: dict[Clock, _Clock] = {}

    def take(self, happened: Happened, references: References) -> None:
        event, at = happened.event, happened.at
        before = self.case
        case = self.case = evolve(before, event, at, happened.actor)
        rules = references.rules_of(case.versions) if case.versions else references.rules_at(at)
        for stopped in event.stopped:
            self.open[stopped.clock].turns.append(Turn(at, stopped, rules.calendar))
            if stopped.final:
                del self.open[stopped.clock]
        if before is not None and before.round != case.round:
            self.open = {clock: one for clock, one in self.open.items() if clock in KEPT}
        for started in event.started:
            one = self.open.get(started.clock)
            if one is None:
                one = self.open[started.clock] = _Clock(started.clock, case.round, [], [])
                self.all.append(one)
            one.turns.append(Turn(at, started, rules.calendar))
        if isinstance(event, did.AppealMade | did.AppealUpheld | did.AppealDismissed):
            handling = [one for one in self.all if one.clock is Clock.HANDLING]
            for one in handling[-1:]:
                one.overlays.append(_overlay(at, event))

    def read(self, one: _Clock, at: datetime, names: Mapping[int, str]) -> Told:
        assert self.case is not None
        timer = timers.fold((turn.at, turn.fact) for turn in one.turns)[one.clock]
        reading = timers.read(one.clock, timer, at, one.turns[-1].calendar)
        goes_on = self.open.get(one.clock) is one
        waits = goes_on and self.case.status in WAITS_IN.get(one.clock, frozenset())
        if timer.running is None and not waits:
            reading = replace(reading, stand=Stand.STOPPED)
        if one.clock is Clock.RESUMPTION:
            reading = replace(reading, remaining=_agreed(one.turns) - reading.used)
        return Told(
            clock=one.clock,
            round=one.round,
            reading=reading,
            steps=tuple(clock_words.steps(one.turns, names)),
            plain_due_at=timer.running.fact.plain_due_at if timer.running else None,
            left=_left(reading, timer, at, one.turns[-1].calendar),
            overlays=tuple(one.overlays),
        )


def _left(reading: Reading, timer: Timer, at: datetime, calendar: Calendar) -> Left | None:
    if timer.running is not None:
        fact = timer.running.fact
        return time_left.left(
            fact.limit.unit, fact.due_at, at, calendar, fact.skips, provisional=fact.provisional
        )
    if reading.stand is Stand.STOPPED:
        return None
    return time_left.paused(reading.limit, reading.used, calendar)


def _agreed(turns: Iterable[Turn]) -> int:
    """Microseconds of a suspension: it lasts up to an agreed day, whatever its limit is called."""
    ((day, since),) = ((t.fact.due_at, t.at) for t in turns if isinstance(t.fact, ClockStarted))
    return (day - since) // timedelta(microseconds=1)


def _overlay(at: datetime, event: did.AppealMade | did.AppealUpheld | did.AppealDismissed) -> Step:
    said = f"{clock_words.moment_in_words(at)} {_APPEALS[type(event)]}（{event.code}）"
    return Step(at, f"{said}；以上用时和到期时间不变。")


_APPEALS: Mapping[type[did.Event], str] = {
    did.AppealMade: "街镇提出申诉",
    did.AppealUpheld: "申诉成立，统计时另作说明",
    did.AppealDismissed: "申诉不成立",
}
