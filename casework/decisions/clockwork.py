"""What the clock itself changes of a case: due times settled, 特殊时段 that come over it.

The door asks `settled` and `specially` before any other decision on a case, and the watch asks them
of cases that nobody touches: a rule compares times and never waits for a timer.
"""

from typing import NamedTuple

from casework import clocks
from casework import events as did
from casework.clocks import Calendar
from casework.decisions.asking import Asking
from casework.decisions.territory import counted_anew
from casework.errors import NothingPending
from casework.lifecycle import NAME_OF, Action
from casework.model import Clock, ClockStarted, ClockStopped, Limit, Skip
from casework.special_periods import SpecialPeriod
from casework.timers import Running


def settle_due_times(a: Asking) -> list[did.Event]:
    """Clocks that were due in a year without a notice are counted again, now that it is there."""
    turned = settled(a)
    if not turned:
        raise NothingPending(NAME_OF[Action.SETTLE_DUE_TIMES], "没有可以确定的到期时间。")
    assert a.settled
    return [
        did.DueTimesSettled(
            versions=a.settled.versions if a.case.versions else None,
            stopped=tuple(stopped for stopped, _ in turned),
            started=tuple(started for _, started in turned),
        )
    ]


def settled(a: Asking) -> list[tuple[ClockStopped, ClockStarted]]:
    """The provisional clocks as the published years have them; none while all stay provisional."""
    provisional = [r for r in a.case.clocks.values() if r.fact.provisional]
    if not provisional or a.settled is None:
        return []
    turned = [_settled(a, running, a.settled.calendar) for running in provisional]
    return turned if any(not started.provisional for _, started in turned) else []


def _settled(a: Asking, running: Running, calendar: Calendar) -> tuple[ClockStopped, ClockStarted]:
    fact = running.fact
    used = clocks.used(fact, running.since, a.at, calendar)
    if fact.clock is Clock.HANDLING:
        assert a.settled and a.case.street and a.case.indicator
        started = a._replace(rules=a.settled).start_handling(
            "settle_due_times",
            fact.limit,
            street=a.case.street,
            indicator=a.case.indicator,
            carried=used,
            spans=a.handled(),
            plain=fact.plain_limit,
        )
    else:
        under = a._replace(rules=a.settled or a.rules)
        started = under.start(fact.clock, "settle_due_times", fact.limit, used)
    in_time = a.at <= started.due_at
    return ClockStopped(fact.clock, used, in_time, "settle_due_times", final=False), started


class Special(NamedTuple):
    """How 特殊时段 change a handling: what is skipped, and a limit that gives more time."""

    skips: tuple[Skip, ...]
    raised: SpecialPeriod | None


def apply_special_periods(a: Asking) -> list[did.Event]:
    """The handling clock by the periods that hold for it now; what it used stays used."""
    special = specially(a)
    running = a.case.clocks.get(Clock.HANDLING)
    if special is None or running is None:
        raise NothingPending(NAME_OF[Action.APPLY_SPECIAL_PERIODS], "没有需要适用的特殊时段。")
    because = "apply_special_periods"
    raised = special.raised.limit if special.raised else None
    started = _under(a, running, special, raised or running.fact.limit)
    in_time = a.at <= started.due_at
    counting = {skip.period for skip in special.skips}
    periods = [p for p in a.special if p.number in counting or p == special.raised]
    return [
        did.SpecialPeriodsApplied(
            periods=tuple(period.number for period in periods),
            names="、".join(dict.fromkeys(period.name for period in periods)),
            due_before=running.fact.due_at,
            due_at=started.due_at,
            limit=raised,
            limit_of=special.raised.number if special.raised else None,
            stopped=(ClockStopped(Clock.HANDLING, started.carried, in_time, because, final=False),),
            started=(started,),
        )
    ]


def specially(a: Asking) -> Special | None:
    """What the 特殊时段 change of the handling that runs, or None if all is as it should be."""
    running = a.case.clocks.get(Clock.HANDLING)
    if running is None or not a.special:
        return None
    assert a.case.street and a.case.indicator
    skips = tuple(
        skip for skip in a.skips(a.case.street, a.case.indicator) if skip.last > running.since
    )
    plain = Special(skips, None)
    best = plain if skips != running.fact.skips else None
    raising = [period for period in a.special if _may_raise(a, period)]
    if not raising:
        return best
    due_at = _under(a, running, plain, running.fact.limit).due_at
    for period in raising:
        assert period.limit
        special = Special(skips, period)
        longer = _under(a, running, special, period.limit).due_at
        if longer > due_at:
            best, due_at = special, longer
    return best


def _may_raise(a: Asking, period: SpecialPeriod) -> bool:
    """Whether a period with a limit came over this case while it was being handled."""
    assert a.case.street and a.case.indicator and a.case.dispatched_at
    return (
        period.limit is not None
        and a.case.dispatched_at < period.first <= a.at < period.last
        and period.covers(a.case.street, a.case.indicator)
        and period.number not in a.case.raised_by
    )


def _under(a: Asking, running: Running, special: Special, limit: Limit) -> ClockStarted:
    assert a.case.street and a.case.indicator
    fact, calendar = running.fact, a.rules.calendar
    kind = clocks.family(limit.unit)
    if kind is clocks.family(fact.limit.unit):
        used = fact.carried + calendar.counted(kind, running.since, a.at, special.skips)
    else:
        used = counted_anew(a, limit, a.case.indicator)
    plain = fact.plain_limit or (fact.limit if limit != fact.limit else None)
    return a.start_handling(
        "apply_special_periods",
        limit,
        street=a.case.street,
        indicator=a.case.indicator,
        carried=used,
        spans=a.handled(),
        plain=plain,
    )
