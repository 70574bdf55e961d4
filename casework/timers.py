"""One fold of clock facts: how each clock of a case stands, at any moment. Pure; reads no rules.

`turn` takes in what a fact started and stopped; `read` tells running, paused or stopped, used,
remaining and due, exactly. The case, the due index and the page that explains a due time all ask
here, so that no two of them can differ. Facts up to a past moment give the clocks as of then.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from casework import clocks
from casework.clocks import Calendar
from casework.model import Clock, ClockStarted, ClockStopped, Limit


class Running(msgspec.Struct, frozen=True):
    """A clock that runs: how it was started, and since when."""

    fact: ClockStarted
    since: datetime


class Timer(msgspec.Struct, frozen=True, kw_only=True):
    """A clock after some fact.

    `began` is when its limit was first counted from nothing: a pause, a rework or a longer limit
    leave it as it is, another dispatch begins anew. `used` is microseconds of the limit's kind of
    time when it last stopped.
    """

    limit: Limit
    began: datetime
    running: Running | None = None
    used: int = 0
    in_time: bool = True
    final: bool = False


Timers = dict[Clock, Timer]


def turn(
    timers: Mapping[Clock, Timer],
    started: Iterable[ClockStarted],
    stopped: Iterable[ClockStopped],
    at: datetime,
) -> Timers:
    """The clocks after a fact at `at` that stopped and started some."""
    after = dict(timers)
    for stop in stopped:
        timer = after.get(stop.clock)
        if timer is not None:
            after[stop.clock] = Timer(
                limit=timer.limit,
                began=timer.began,
                used=stop.used,
                in_time=stop.in_time,
                final=stop.final,
            )
    for start in started:
        since = start.since or at
        after[start.clock] = Timer(
            limit=start.limit,
            began=start.began_at or since,
            running=Running(start, since),
            used=start.carried,
        )
    return after


def fold(facts: Iterable[tuple[datetime, ClockStarted | ClockStopped]]) -> Timers:
    """The clocks after these facts, each with its moment, in order."""
    timers: Timers = {}
    for at, fact in facts:
        if isinstance(fact, ClockStarted):
            timers = turn(timers, (fact,), (), at)
        else:
            timers = turn(timers, (), (fact,), at)
    return timers


class Stand(StrEnum):
    """How a clock stands."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A clock as read at a moment. `used` + `remaining` is the limit, in microseconds of its kind.

    `remaining` is negative once the limit is passed. `due_at` is None while nothing runs;
    `runs_again_at` tells when a 特殊时段 that holds a clock up is over. `in_time` is about now
    where it runs, else about when it stopped.
    """

    clock: Clock
    stand: Stand
    limit: Limit
    used: int
    remaining: int
    in_time: bool
    due_at: datetime | None = None
    provisional: bool = False
    runs_again_at: datetime | None = None

    @property
    def percent(self) -> int:
        """Whole percent of the limit used, rounded down; above 100 once it is passed."""
        return self.used * 100 // (self.used + self.remaining)


def read(clock: Clock, timer: Timer, at: datetime, calendar: Calendar) -> Reading:
    """The clock at `at`, which is not before the timer's last fact."""
    whole = clocks.micros(timer.limit, calendar)
    running = timer.running
    if running is None:
        return Reading(
            clock=clock,
            stand=Stand.STOPPED if timer.final else Stand.PAUSED,
            limit=timer.limit,
            used=timer.used,
            remaining=whole - timer.used,
            in_time=timer.in_time,
        )
    fact = running.fact
    used = clocks.used(fact, running.since, at, calendar)
    held = next((skip for skip in fact.skips if skip.first <= at < skip.last), None)
    return Reading(
        clock=clock,
        stand=Stand.RUNNING if held is None else Stand.PAUSED,
        limit=timer.limit,
        used=used,
        remaining=whole - used,
        in_time=at <= fact.due_at,
        due_at=fact.due_at,
        provisional=fact.provisional,
        runs_again_at=held.last if held else None,
    )
