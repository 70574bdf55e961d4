"""What is left of a clock: in words a clerk can check, and the laws that hold at every moment."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework import timers
from casework.clocks import Calendar, Family, family, start
from casework.model import Clock, Limit, Skip, Unit
from casework.time_left import left, paused
from tests.casework.test_clock_laws import LIMITS, SECONDS, skips_from
from tests.casework.test_clocks import ANY_CALENDAR, CALENDAR, KINDS, moment

UNITS = {
    "值守": Unit.DUTY_HOUR,
    "工时": Unit.WORKING_HOUR,
    "工日": Unit.WORKING_DAY,
    "自然": Unit.CALENDAR_DAY,
}

# 现在（北京时间） | 计时方式 | 到期 | 剩余 | 何时计时
LEFT = """
2026-11-25 16:40 | 值守 | 2026-11-25 20:00 | 还剩3值守时20分钟 |
2026-11-25 20:30 | 值守 | 2026-11-26 08:50 | 还剩2值守时20分钟 | 今日21:00后不计时，明日07:00续计
2026-11-25 23:00 | 值守 | 2026-11-26 08:50 | 还剩1值守时50分钟 | 现在不计时，明日07:00续计
2026-11-26 05:00 | 值守 | 2026-11-26 08:50 | 还剩1值守时50分钟 | 现在不计时，今日07:00续计
2026-11-25 08:15 | 值守 | 2026-11-25 08:40 | 还剩25值守分钟 |
2026-11-25 08:40 | 值守 | 2026-11-25 08:40 | 还剩不足1值守分钟 |
2026-11-25 16:40 | 工时 | 2026-11-25 18:00 | 还剩1个工作小时20分钟 |
2026-11-25 16:40 | 工时 | 2026-11-26 11:00 | 还剩3个工作小时20分钟 | 今日18:00后不计时，明日续计
2026-11-25 11:00 | 工时 | 2026-11-25 15:30 | 还剩3个工作小时 | 今日12:00后不计时，13:30续计
2026-11-25 12:30 | 工时 | 2026-11-25 15:30 | 还剩2个工作小时 | 现在不计时，今日13:30续计
2026-11-27 16:40 | 工时 | 2026-11-30 11:00 | 还剩3个工作小时20分钟 | 今日18:00后不计时，11-30续计
2026-11-28 10:00 | 工日 | 2026-11-30 18:00 | 还剩1个工作日 | 现在不计时，11-30续计
2026-11-25 17:00 | 工日 | 2026-11-27 18:00 | 还剩2个工作日1小时 | 今日18:00后不计时，明日续计
2026-11-27 17:30 | 工日 | 2026-11-27 18:00 | 还剩30工作分钟 |
2026-09-30 17:00 | 工时 | 2026-10-08 10:00 | 还剩2个工作小时 | 今日18:00后不计时，10-08续计
2026-11-27 17:00 | 工时 | 2026-11-27 15:00 | 已超期2个工作小时 |
2026-11-28 12:00 | 工时 | 2026-11-27 18:00 | 已超期不足1工作分钟 | 现在不计时，11-30续计
2026-11-26 10:00 | 值守 | 2026-11-25 20:00 | 已超期4值守时 |
2026-11-28 03:00 | 自然 | 2026-11-30 04:05 | 还剩2天1小时5分钟 |
2026-11-28 03:00 | 自然 | 2026-11-27 01:58 | 已超期1天1小时2分钟 |
"""

SHORT = {
    "明日续计": "明日09:00续计",
    "11-30续计": "11月30日（周一）09:00续计",
    "10-08续计": "10月8日（周四）09:00续计",
}

ROWS = [[part.strip() for part in row.split("|")] for row in LEFT.strip().splitlines()]


@pytest.mark.parametrize(("now", "unit", "due", "says", "note"), ROWS)
def test_what_is_left_is_told_as_a_clerk_counts_it(
    now: str, unit: str, due: str, says: str, note: str
) -> None:
    found = left(UNITS[unit], moment(due), moment(now), CALENDAR)

    for short, whole in SHORT.items():
        note = note.replace(short, whole)
    assert (found.says, found.note(moment(now))) == (says, note)


def test_a_special_period_holds_it_up_and_says_so() -> None:
    skip = Skip(moment("2026-11-25 15:00"), moment("2026-11-26 10:00"), 1)
    now = moment("2026-11-25 16:00")

    found = left(Unit.DUTY_HOUR, moment("2026-11-26 12:00"), now, CALENDAR, (skip,))

    assert found.says == "还剩2值守时" and found.held
    assert found.note(now) == "特殊时段，已暂停计时，明日10:00续计"
    before = moment("2026-11-25 14:00")
    ahead = left(Unit.DUTY_HOUR, moment("2026-11-26 12:00"), before, CALENDAR, (skip,))
    assert ahead.says == "还剩3值守时" and not ahead.held
    assert ahead.note(before) == "今日15:00后不计时，明日10:00续计"


def test_a_clock_that_has_stopped_says_so_and_what_is_left() -> None:
    found = paused(Limit(2, Unit.WORKING_DAY), 3 * 3_600_000_000, CALENDAR)

    assert found.says == "还剩1个工作日4小时30分钟"
    assert found.note(moment("2026-11-25 14:00")) == "已暂停计时"
    assert found.zero_at(moment("2026-11-25 14:00")) is None


@given(ANY_CALENDAR, LIMITS, SECONDS, st.integers(0, 9 * 86_400), st.data())
def test_what_is_left_is_what_the_fold_of_the_clock_says(
    calendar: Calendar, limit: Limit, at: datetime, later: int, data: st.DataObject
) -> None:
    skips = data.draw(skips_from(at))
    fact = start(Clock.HANDLING, limit, at, calendar, "dispatch", 0, skips)
    timer = timers.fold([(at, fact)])[Clock.HANDLING]
    now = at + timedelta(seconds=later)

    found = left(limit.unit, fact.due_at, now, calendar, fact.skips)

    reading = timers.read(Clock.HANDLING, timer, now, calendar)
    assert found.micros == (reading.remaining if now <= fact.due_at else reading.remaining or -1)
    assert found.held == (reading.stand is timers.Stand.PAUSED)


@given(ANY_CALENDAR, KINDS, SECONDS, st.data())
def test_time_counts_without_a_break_up_to_the_end_told_and_not_before_it_is_to_go_on(
    calendar: Calendar, kind: Family, at: datetime, data: st.DataObject
) -> None:
    skips = data.draw(skips_from(at))
    instant = timedelta(microseconds=1)

    def counts(first: datetime, last: datetime) -> int:
        return calendar.counted(kind, first, last, skips)

    found = calendar.counting(kind, at, skips)

    assert counts(at, at + instant) == found.now
    if found.now:
        first, last, again = at, found.until, found.again_at
        assert (last is None) == (again is None)
    else:
        assert found.again_at is not None
        first, last, again = found.again_at, found.until, None
        assert counts(at, first) == 0
        assert counts(first, first + instant) == 1
    if last is None:
        assert counts(first, first + timedelta(days=9)) == timedelta(days=9) // instant
    else:
        assert counts(first, last) == (last - first) // instant > 0
        assert counts(last, last + instant) == 0
    if last is not None and again is not None:
        assert counts(last, again) == 0
        assert counts(again, again + instant) == 1


@given(ANY_CALENDAR, LIMITS, SECONDS, st.floats(0, 1))
def test_what_a_page_counts_down_to_stays_while_the_clock_counts(
    calendar: Calendar, limit: Limit, at: datetime, share: float
) -> None:
    due_at, _ = calendar.after(family(limit.unit), at, 3_600_000_000)
    found = left(limit.unit, due_at, at, calendar)
    counting = found.counting
    assert counting is not None
    stop = counting.until if counting.now else counting.again_at
    until = min(stop or due_at, due_at)

    now = at + share * (until - at) * 0.999

    assert left(limit.unit, due_at, now, calendar).zero_at(now) == found.zero_at(at)
