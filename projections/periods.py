"""Days, weeks, months and quarters as they lie in Shanghai. Knows no measure."""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import assert_never

import msgspec

from casework.clocks import SHANGHAI


class Every(StrEnum):
    """Lengths of periods, as they lie in Shanghai. A week begins on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


class Period(msgspec.Struct, frozen=True):
    """[first, last) in Shanghai, and what it is called: 2026-05-06, 2026-W19, 2026-05, 2026-Q2."""

    name: str
    every: Every
    first: datetime
    last: datetime

    def before(self) -> "Period":
        """The period before it (环比)."""
        return period_of(self.every, (self.first - timedelta(hours=1)).date())

    def year_before(self) -> "Period":
        """The same period of the year before (同比); of a week, the one 52 weeks before."""
        if self.every is Every.WEEK:
            return period_of(self.every, self.first.date() - timedelta(weeks=52))
        on = self.first.date()
        leap = (on.month, on.day) == (2, 29)
        return period_of(self.every, on.replace(year=on.year - 1, day=28 if leap else on.day))


def period_of(every: Every, on: date) -> Period:
    """The period that a day of Shanghai lies in."""
    match every:
        case Every.DAY:
            first, after, name = on, on + timedelta(days=1), on.isoformat()
        case Every.WEEK:
            year, week, weekday = on.isocalendar()
            first = on - timedelta(days=weekday - 1)
            after, name = first + timedelta(weeks=1), f"{year}-W{week:02d}"
        case Every.MONTH:
            first, after, name = on.replace(day=1), _months_on(on, 1), f"{on:%Y-%m}"
        case Every.QUARTER:
            first = on.replace(day=1, month=(on.month - 1) // 3 * 3 + 1)
            after, name = _months_on(first, 3), f"{on.year}-Q{(on.month + 2) // 3}"
        case _:
            assert_never(every)
    return Period(name, every, _midnight(first), _midnight(after))


def month_named(name: str) -> Period:
    """The month that is written so, as 2026-05. Raises ValueError."""
    return period_of(Every.MONTH, date.fromisoformat(f"{name}-01"))


def month_before(at: datetime) -> Period:
    """The last whole month before a moment."""
    return period_of(Every.MONTH, at.astimezone(SHANGHAI).date()).before()


def month_number(at: datetime) -> int:
    """The month of an aware time in Shanghai, as 202605."""
    there = at.astimezone(SHANGHAI)
    return there.year * 100 + there.month


def periods(every: Every, first: date, last: date) -> list[Period]:
    """The periods that the days from `first` to `last`, both included, touch."""
    found = [period_of(every, first)]
    while found[-1].last <= _midnight(last):
        found.append(period_of(every, found[-1].last.date()))
    return found


def _months_on(on: date, months: int) -> date:
    month = on.year * 12 + on.month - 1 + months
    return date(month // 12, month % 12 + 1, 1)


def _midnight(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, tzinfo=SHANGHAI)
