"""What is left of a clock, in its own kind of time, in Chinese words. Pure; reads no clock.

A limit in working or duty time says how much of that time is left, and when such time stops to
count and goes on again: three hours before the weekend are not three hours. Everything follows
from the due time, because what counts between now and then is what is left (docs/adr/0149).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import assert_never

import msgspec

from casework.clocks import (
    DAY,
    HOUR,
    MINUTE,
    SHANGHAI,
    Calendar,
    Counting,
    Family,
    day_micros,
    family,
    micros,
)
from casework.model import Limit, Skip, Unit

_MICROSECOND = timedelta(microseconds=1)


class Part(msgspec.Struct, frozen=True):
    """A part of a length: its microseconds, its name in front of a length, and behind another."""

    micros: int
    leads: str
    follows: str


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """What is left: microseconds of the clock's kind of time, negative once it is passed.

    `counting` tells when that time counts; None for a clock that has stopped. `held` says that a
    特殊时段 keeps it from counting now. `provisional`: its due time waits for a year's notice.
    """

    micros: int
    unit: Unit
    parts: tuple[Part, ...]
    counting: Counting | None = None
    due_at: datetime | None = None
    held: bool = False
    provisional: bool = False

    @property
    def says(self) -> str:
        """Such as 还剩3个工作小时20分钟, 已超期2值守时."""
        return f"{'已超期' if self.micros < 0 else '还剩'}{in_parts(abs(self.micros), self.parts)}"

    def note(self, now: datetime) -> str:
        """Why it stands, or when it will before it is due, and when it goes on; else empty."""
        counting = self.counting
        if counting is None:
            return "已暂停计时"
        if not counting.now:
            why = "特殊时段，已暂停计时" if self.held else "现在不计时"
            assert counting.again_at
            return f"{why}，{when_in_words(counting.again_at, now)}续计"
        until, again = counting.until, counting.again_at
        if until is None or again is None or self.due_at is None or self.due_at <= max(until, now):
            return ""
        stops = when_in_words(until, now, closing=True)
        return f"{stops}后不计时，{when_in_words(again, now, beside=until)}续计"

    def zero_at(self, now: datetime) -> datetime | None:
        """When nothing would be left, did it count without a break from now, or from when it does.

        None for a clock that has stopped. It stays the same for as long as the clock counts on.
        """
        if self.counting is None:
            return None
        since = now if self.counting.now else self.counting.again_at
        assert since
        return since + self.micros * _MICROSECOND


def left(
    unit: Unit,
    due_at: datetime,
    now: datetime,
    calendar: Calendar,
    skips: Sequence[Skip] = (),
    *,
    provisional: bool = False,
) -> Left:
    """What is left at `now` of a clock that runs, whose limit is in `unit` and ends at `due_at`.

    `skips` are those of the fact that started it, in order and apart.
    """
    kind = family(unit)
    first, last = min(now, due_at), max(now, due_at)
    counted = calendar.counted(kind, first, last, skips)
    return Left(
        micros=counted if now <= due_at else -max(counted, 1),
        unit=unit,
        parts=parts_of(unit, calendar),
        counting=calendar.counting(kind, now, skips),
        due_at=due_at,
        held=any(skip.first <= now < skip.last for skip in skips),
        provisional=provisional,
    )


def paused(limit: Limit, used: int, calendar: Calendar) -> Left:
    """What is left of a clock that has stopped and may run on, with `used` microseconds used."""
    rest = micros(limit, calendar) - used
    return Left(micros=rest, unit=limit.unit, parts=parts_of(limit.unit, calendar))


def parts_of(unit: Unit, calendar: Calendar) -> tuple[Part, ...]:
    """What a length of that kind of time is told in. Only a limit in working days is told in them.

    A working day is the sum of its windows.
    """
    match family(unit):
        case Family.CONTINUOUS:
            return PLAIN
        case Family.DUTY:
            return _DUTY
        case Family.WORKING:
            if unit is not Unit.WORKING_DAY:
                return _WORKING
            whole = day_micros(Family.WORKING, calendar)
            return (Part(whole, "个工作日", "个工作日"), *_WORKING)
        case _:
            assert_never(family(unit))


PLAIN = (Part(DAY, "天", "天"), Part(HOUR, "小时", "小时"), Part(MINUTE, "分钟", "分钟"))
"""Time as the wall tells it."""
_DUTY = (Part(HOUR, "值守时", "值守时"), Part(MINUTE, "值守分钟", "分钟"))
_WORKING = (Part(HOUR, "个工作小时", "小时"), Part(MINUTE, "工作分钟", "分钟"))


def in_parts(length: int, parts: Sequence[Part]) -> str:
    """A length in microseconds, not negative, in these parts; less than the last: 不足1分钟."""
    told, rest = "", length
    for part in parts:
        amount, rest = divmod(rest, part.micros)
        if amount:
            told += f"{amount}{part.follows if told else part.leads}"
    return told or f"不足1{parts[-1].leads}"


def when_in_words(
    at: datetime, now: datetime, *, closing: bool = False, beside: datetime | None = None
) -> str:
    """A moment near now: 今日18:00, 明日09:00, 11月30日（周一）09:00.

    `closing`: the end of a day is its 24:00. The day is left out where that of `beside` was just
    told.
    """
    local = at.astimezone(SHANGHAI)
    day = local.date()
    hour = f"{local:%H:%M}"
    if closing and hour == "00:00":
        day, hour = day - timedelta(days=1), "24:00"
    if beside is not None and beside.astimezone(SHANGHAI).date() == day:
        return hour
    days = (day - now.astimezone(SHANGHAI).date()).days
    if days in _NEAR:
        return f"{_NEAR[days]}{hour}"
    return f"{day.month}月{day.day}日（周{'一二三四五六日'[day.weekday()]}）{hour}"


_NEAR = {0: "今日", 1: "明日"}
