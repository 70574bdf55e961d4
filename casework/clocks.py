"""Working calendar, limits and the facts of a clock. Knows no case and reads no clock on the wall.

Each family of time (continuous, duty, working) is laid on a line of its own on which only its
counted microseconds have length. Adding a limit is adding on that line; days are reached by
arithmetic over weeks and the few days a notice moves, never by walking over them.

Working days follow the State Council's yearly notice (国务院办公厅关于部分节假日安排的通知) with
调休; the rules of counting are in docs/adr/0010 and 0011. All times are aware; results are in UTC.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import StrEnum
from functools import cached_property
from itertools import accumulate
from typing import Protocol, assert_never

import msgspec

from casework.model import (
    ESCALATION,
    NOT_WATCHED,
    SECOND_ESCALATION,
    WARNING,
    Clock,
    ClockStarted,
    ClockStopped,
    Limit,
    Skip,
    Unit,
)

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Fixed: China has kept no summer time since 1991."""

MINUTE = 60_000_000
"""Microseconds of a minute."""
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_MONDAY = datetime(1900, 1, 1, tzinfo=SHANGHAI).astimezone(UTC)
# Day 0 of every count below: a Monday, so that `day % 7` is the weekday (0 Monday … 6 Sunday).
_MONDAY_ORDINAL = date(1900, 1, 1).toordinal()

Windows = tuple[tuple[time, time], ...]
"""Opening and closing times of a day (Asia/Shanghai), in order; a close at 00:00 is its end."""


class Family(StrEnum):
    """Kinds of time (计时方式): without a break, in duty windows, in working windows."""

    CONTINUOUS = "continuous"
    DUTY = "duty"
    WORKING = "working"


class DifferentFamiliesError(ArithmeticError):
    """Two limits of different kinds of time have no sum."""

    def __init__(self, one: Limit, other: Limit) -> None:
        super().__init__(f"{one} + {other}")
        self.one = one
        self.other = other


def family(unit: Unit) -> Family:
    """The kind of time a unit is counted in."""
    match unit:
        case Unit.MINUTE | Unit.HOUR | Unit.CALENDAR_DAY:
            return Family.CONTINUOUS
        case Unit.DUTY_MINUTE | Unit.DUTY_HOUR:
            return Family.DUTY
        case Unit.WORKING_MINUTE | Unit.WORKING_HOUR | Unit.WORKING_DAY:
            return Family.WORKING
        case _:
            assert_never(unit)


class Holiday(msgspec.Struct, frozen=True):
    """A holiday of a yearly notice: its name and its first and last day off."""

    name: str
    first: date
    last: date

    def days(self) -> Iterator[date]:
        return (
            date.fromordinal(day)
            for day in range(self.first.toordinal(), self.last.toordinal() + 1)
        )


class CalendarYear(msgspec.Struct, frozen=True, omit_defaults=True):
    """One yearly notice: the holidays, the weekend days worked instead (调休), where it is from."""

    year: int
    holidays: tuple[Holiday, ...]
    worked: tuple[date, ...] = ()
    source: str = ""


class Counting(msgspec.Struct, frozen=True):
    """Whether a clock counts at a moment, when it stops to do so, and when it goes on again.

    While it counts: it stands from `until` to `again_at`; both None where nothing is to stop it.
    While it stands: it counts from `again_at` to `until`.
    """

    now: bool
    until: datetime | None
    again_at: datetime | None


class _Days(Protocol):
    """Which days count. Days are whole numbers from `_MONDAY`."""

    def before(self, day: int) -> int:
        """How many days that count lie before `day`, from day 0 (negative before it)."""

    def counts(self, day: int) -> bool: ...

    def nth(self, rank: int) -> int:
        """The day that counts and has `rank` such days before it."""


class _EveryDay:
    """All days count."""

    def before(self, day: int) -> int:
        return day

    def counts(self, day: int) -> bool:  # noqa: ARG002  (every day does)
        return True

    def nth(self, rank: int) -> int:
        return rank


class _WorkingDays:
    """Monday to Friday but for the days off of a notice, and the weekend days worked instead."""

    def __init__(self, off: Iterable[int], worked: Iterable[int]) -> None:
        self._off = frozenset(day for day in off if day % 7 < 5)
        self._worked = frozenset(day for day in worked if day % 7 >= 5)
        self._moved = sorted(self._off | self._worked)
        self._sums = [0]
        for day in self._moved:
            self._sums.append(self._sums[-1] + (1 if day in self._worked else -1))
        # A moved day lies before the day of a rank exactly if this figure is not above the rank.
        self._ranks_past = [self.before(day + 1) for day in self._moved]

    def before(self, day: int) -> int:
        return _weekdays_before(day) + self._sums[bisect_left(self._moved, day)]

    def counts(self, day: int) -> bool:
        return day in self._worked or (day % 7 < 5 and day not in self._off)

    def nth(self, rank: int) -> int:
        moved = bisect_right(self._ranks_past, rank)
        weeks, weekday = divmod(rank - self._sums[moved], 5)
        day = 7 * weeks + weekday
        # A worked weekend day comes before the Monday that has as many days before it.
        return min(day, self._moved[moved]) if moved < len(self._moved) else day


def _weekdays_before(day: int) -> int:
    weeks, weekday = divmod(day, 7)
    return 5 * weeks + min(weekday, 5)


class _Timeline:
    """One family's counted time as a line: moments to positions in microseconds, and back."""

    def __init__(self, windows: Windows, days: _Days) -> None:
        self._windows = tuple(
            (micros_of_day(opens), micros_of_day(closes) or DAY) for opens, closes in windows
        )
        self._days = days
        # What has counted of a day when each window opens, and at its end.
        *self._before, self.day_micros = accumulate(
            (closes - opens for opens, closes in self._windows), initial=0
        )

    def position(self, at: datetime) -> int:
        since = at - _MONDAY
        position = self._days.before(since.days) * self.day_micros
        if self._days.counts(since.days):
            micros = _micros_since_midnight(since)
            for opens, closes in self._windows:
                if micros <= opens:
                    break
                position += min(micros, closes) - opens
        return position

    def moment(self, position: int) -> datetime:
        """The first moment at that position: used up at a window's end means that end."""
        rank, rest = divmod(position - 1, self.day_micros)
        window = bisect_right(self._before, rest) - 1
        opens, _ = self._windows[window]
        micros = opens + rest + 1 - self._before[window]
        return _moment(self._days.nth(rank), micros)

    def opens(self, at: datetime) -> datetime:
        """The first moment from `at` on that counts."""
        since = at - _MONDAY
        if self._days.counts(since.days):
            micros = _micros_since_midnight(since)
            for opens, closes in self._windows:
                if micros < closes:
                    return at if micros >= opens else _moment(since.days, opens)
        return _moment(self._days.nth(self._days.before(since.days + 1)), self._windows[0][0])

    def closes(self, at: datetime) -> datetime | None:
        """The first moment after `at`, which counts, that does not; None if there is none."""
        if self.day_micros == DAY and isinstance(self._days, _EveryDay):
            return None
        since = at - _MONDAY
        day, end = since.days, _micros_since_midnight(since)
        while self._days.counts(day):
            for opens, closes in self._windows:
                if opens <= end < closes:
                    end = closes
            if end < DAY:
                break
            day, end = day + 1, 0
            if self._windows[0][0]:
                break
        return _moment(day, end)


def _micros_since_midnight(since: timedelta) -> int:
    return since.seconds * 1_000_000 + since.microseconds


def _moment(day: int, micros: int) -> datetime:
    return _MONDAY + timedelta(days=day, microseconds=micros)


def micros_of_day(at: time) -> int:
    """Microseconds since midnight."""
    return ((at.hour * 60 + at.minute) * 60 + at.second) * 1_000_000 + at.microsecond


def _day(on: date) -> int:
    return on.toordinal() - _MONDAY_ORDINAL


class Calendar(msgspec.Struct, frozen=True, dict=True):
    """A version of the working calendar: windows and the published years.

    `days` maps a year to its notice. A year without one has plain weeks, and a due time in working
    time that touches such a year is provisional.
    """

    version: int
    duty: Windows
    working: Windows
    days: Mapping[int, CalendarYear]

    def is_working_day(self, on: date) -> bool:
        """Whether people work on that day (Asia/Shanghai), 调休 included."""
        return self._working_days.counts(_day(on))

    def holiday(self, on: date) -> str | None:
        """The name of the holiday that day belongs to, by the notice of its year."""
        return self._holiday_names.get(on)

    def after(
        self, kind: Family, start: datetime, micros: int, skips: Sequence[Skip] = ()
    ) -> tuple[datetime, bool]:
        """When `micros` of that family's time have passed since `start`; whether provisional.

        Counting begins at the next window if `start` is outside one. Time used up exactly at a
        window's end is over at that end. No time has passed at `start` itself; a negative figure
        looks back the same way. `skips`, in order and apart, do not count in either direction.
        """
        end = self._after(kind, start, micros)
        if micros > 0:
            for skip in skips:
                if skip.first >= end:
                    break
                if skip.last > start:
                    micros += self.counted(kind, max(skip.first, start), skip.last)
                    end = self._after(kind, start, micros)
        elif micros < 0:
            for skip in reversed(skips):
                if skip.last < end:
                    break
                if skip.first < start:
                    micros -= self.counted(kind, skip.first, min(skip.last, start))
                    end = self._after(kind, start, micros)
        return end, kind is Family.WORKING and not self._published(start, end)

    def _after(self, kind: Family, start: datetime, micros: int) -> datetime:
        if micros == 0:
            return start
        line = self._lines[kind]
        return line.moment(line.position(start) + micros)

    def counted(self, kind: Family, a: datetime, b: datetime, skips: Sequence[Skip] = ()) -> int:
        """Microseconds of that family's time in [a, b), but for the `skips`."""
        line = self._lines[kind]
        total = line.position(b) - line.position(a)
        for skip in skips:
            first, last = max(skip.first, a), min(skip.last, b)
            if first < last:
                total -= line.position(last) - line.position(first)
        return total

    def counting(self, kind: Family, at: datetime, skips: Sequence[Skip] = ()) -> Counting:
        """Whether that family's time counts at `at`, and when that changes next.

        `skips`, in order and apart, do not count.
        """
        line = self._lines[kind]
        starts = _opens(line, at, skips)
        until = line.closes(starts)
        ahead = next((skip.first for skip in skips if skip.first > starts), None)
        if ahead is not None and (until is None or ahead < until):
            until = ahead
        if starts > at:
            return Counting(now=False, until=until, again_at=starts)
        again_at = None if until is None else _opens(line, until, skips)
        return Counting(now=True, until=until, again_at=again_at)

    def _published(self, a: datetime, b: datetime) -> bool:
        first, last = sorted((a.astimezone(SHANGHAI).year, b.astimezone(SHANGHAI).year))
        return all(year in self.days for year in range(first, last + 1))

    @cached_property
    def _lines(self) -> dict[Family, _Timeline]:
        return {
            Family.CONTINUOUS: _Timeline(((time(0), time(0)),), _EveryDay()),
            Family.DUTY: _Timeline(self.duty, _EveryDay()),
            Family.WORKING: _Timeline(self.working, self._working_days),
        }

    @cached_property
    def _working_days(self) -> _WorkingDays:
        return _WorkingDays(
            (_day(day) for day in self._holiday_names),
            (_day(day) for year in self.days.values() for day in year.worked),
        )

    @cached_property
    def _holiday_names(self) -> dict[date, str]:
        return {
            day: holiday.name
            for year in self.days.values()
            for holiday in year.holidays
            for day in holiday.days()
        }


def _opens(line: _Timeline, at: datetime, skips: Sequence[Skip]) -> datetime:
    """The first moment from `at` on that counts and lies in none of the stretches left out."""
    at = line.opens(at)
    for skip in skips:
        if skip.first <= at < skip.last:
            at = line.opens(skip.last)
    return at


def day_micros(kind: Family, calendar: Calendar) -> int:
    """Microseconds of one day of that family: 24 h, the duty windows, or the working windows."""
    return calendar._lines[kind].day_micros  # noqa: SLF001  (the calendar's own other half)


def micros(limit: Limit, calendar: Calendar) -> int:
    """The limit in microseconds of its family's time. A working day is the sum of its windows."""
    return limit.amount * _unit_micros(limit.unit, calendar)


def _unit_micros(unit: Unit, calendar: Calendar) -> int:
    match unit:
        case Unit.MINUTE | Unit.DUTY_MINUTE | Unit.WORKING_MINUTE:
            return MINUTE
        case Unit.HOUR | Unit.DUTY_HOUR | Unit.WORKING_HOUR:
            return HOUR
        case Unit.CALENDAR_DAY:
            return DAY
        case Unit.WORKING_DAY:
            return day_micros(Family.WORKING, calendar)
        case _:
            assert_never(unit)


_MINUTES = {
    Family.CONTINUOUS: Unit.MINUTE,
    Family.DUTY: Unit.DUTY_MINUTE,
    Family.WORKING: Unit.WORKING_MINUTE,
}


def half(limit: Limit, calendar: Calendar) -> Limit:
    """Half of it: in the same unit where that is whole, else in minutes of the same family.

    Half a minute is given away to whoever has to act, so the result is never 0.
    """
    if limit.amount % 2 == 0:
        return Limit(limit.amount // 2, limit.unit)
    return Limit(-(-micros(limit, calendar) // (2 * MINUTE)), _MINUTES[family(limit.unit)])


def plus(one: Limit, other: Limit, calendar: Calendar) -> Limit:
    """The sum: in their unit if it is the same, else in minutes of their family.

    Raises DifferentFamiliesError where they are different kinds of time. (Windows end on whole
    minutes, so a working day is a whole number of them.)
    """
    if one.unit is other.unit:
        return Limit(one.amount + other.amount, one.unit)
    if family(one.unit) is not family(other.unit):
        raise DifferentFamiliesError(one, other)
    total = micros(one, calendar) + micros(other, calendar)
    return Limit(-(-total // MINUTE), _MINUTES[family(one.unit)])


def start(
    clock: Clock,
    limit: Limit,
    at: datetime,
    calendar: Calendar,
    because: str,
    carried: int = 0,
    skips: tuple[Skip, ...] = (),
) -> ClockStarted:
    """The clock runs from `at` with `carried` microseconds of its limit already used.

    With more carried than the limit allows, `due_at` lies in the past, at the moment the limit ran
    out had it run without a break: such a clock is overdue from the first. `skips` are all that
    hold, past ones included; the fact keeps those that are still to come.
    """
    kind, whole = family(limit.unit), micros(limit, calendar)
    due_at, provisional = calendar.after(kind, at, whole - carried, skips)
    ahead = tuple(skip for skip in skips if skip.last > at)
    if clock in NOT_WATCHED:
        return ClockStarted(clock, limit, due_at, because, carried, provisional, skips=ahead)
    warn_at, escalate_at, escalate_again_at = (
        calendar.after(kind, at, whole * percent // 100 - carried, skips)[0]
        for percent in (WARNING, ESCALATION, SECOND_ESCALATION)
    )
    return ClockStarted(
        clock,
        limit,
        due_at,
        because,
        carried,
        provisional,
        skips=ahead,
        warn_at=warn_at,
        escalate_at=escalate_at,
        escalate_again_at=escalate_again_at,
    )


def used(running: ClockStarted, since: datetime, at: datetime, calendar: Calendar) -> int:
    """Microseconds of its limit used at `at` by a clock that runs since `since`."""
    kind = family(running.limit.unit)
    return running.carried + calendar.counted(kind, since, at, running.skips)


def stop(
    running: ClockStarted,
    started_at: datetime,
    at: datetime,
    calendar: Calendar,
    because: str,
    *,
    final: bool = True,
) -> ClockStopped:
    """The clock that ran from `started_at` stops at `at`; exactly on the due time is in time."""
    spent = used(running, started_at, at, calendar)
    return ClockStopped(running.clock, spent, at <= running.due_at, because, final)


def apart(skips: Iterable[Skip]) -> tuple[Skip, ...]:
    """The stretches in order and without overlap: where two overlap, the earlier one has it."""
    found: list[Skip] = []
    for skip in sorted(skips, key=lambda skip: (skip.first, skip.period)):
        first = max(skip.first, found[-1].last) if found else skip.first
        if first < skip.last:
            found.append(Skip(first, skip.last, skip.period))
    return tuple(found)
