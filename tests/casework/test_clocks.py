"""Clocks: due times in words a clerk can check, and the laws that hold for every moment."""

import timeit
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import thread_time

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.clocks import (
    DAY,
    HOUR,
    MINUTE,
    SHANGHAI,
    Calendar,
    CalendarYear,
    DifferentFamiliesError,
    Family,
    Holiday,
    day_micros,
    family,
    half,
    micros,
    plus,
    start,
    stop,
)
from casework.model import Clock, ClockStarted, Limit, Unit
from casework.reference import fold_calendar
from casework.seeds import calendar_events

SHIPPED = Path(__file__).parents[2] / "data" / "calendar"
CALENDAR = fold_calendar(calendar_events(SHIPPED, datetime(2024, 1, 1, tzinfo=UTC)))

LIMITS = {
    "2值守时": Limit(2, Unit.DUTY_HOUR),
    "4值守时": Limit(4, Unit.DUTY_HOUR),
    "8值守时": Limit(8, Unit.DUTY_HOUR),
    "30值守分钟": Limit(30, Unit.DUTY_MINUTE),
    "15分钟": Limit(15, Unit.MINUTE),
    "48小时": Limit(48, Unit.HOUR),
    "1自然日": Limit(1, Unit.CALENDAR_DAY),
    "3自然日": Limit(3, Unit.CALENDAR_DAY),
    "30工作分钟": Limit(30, Unit.WORKING_MINUTE),
    "3工作小时": Limit(3, Unit.WORKING_HOUR),
    "1工作日": Limit(1, Unit.WORKING_DAY),
    "2工作日": Limit(2, Unit.WORKING_DAY),
    "5工作日": Limit(5, Unit.WORKING_DAY),
}

# 开始（北京时间） | 时限 | 到期 | 说明
DUE_TIMES = """
2026-03-02 08:00 | 2值守时   | 2026-03-02 10:00 | 值守时段内顺延
2026-03-02 19:00 | 2值守时   | 2026-03-02 21:00 | 恰好用完当日值守时段，当晚21时到期，不推到次日
2026-03-02 20:00 | 2值守时   | 2026-03-03 08:00 | 当晚用1小时，次日7时起再用1小时
2026-03-02 21:00 | 2值守时   | 2026-03-03 09:00 | 21时已不计，次日7时起算
2026-03-02 23:30 | 30值守分钟  | 2026-03-03 07:30 | 夜间上报，次日7时起算
2026-03-02 05:00 | 30值守分钟  | 2026-03-02 07:30 | 清晨上报，当日7时起算
2026-02-17 10:00 | 4值守时   | 2026-02-17 14:00 | 春节当日，值守时照计
2026-02-17 15:00 | 8值守时   | 2026-02-18 09:00 | 节假日跨夜
2026-12-31 20:30 | 2值守时   | 2027-01-01 08:30 | 跨年，值守时与放假通知无关
2026-03-02 23:50 | 15分钟      | 2026-03-03 00:05 | 险情审核不分昼夜
2026-02-14 09:00 | 48小时      | 2026-02-16 09:00 | 连续计时，不管春节
2026-10-01 12:00 | 3自然日     | 2026-10-04 12:00 | 自然日是连续的24小时
2024-02-28 18:00 | 1自然日     | 2024-02-29 18:00 | 闰年2月29日
2026-03-02 09:00 | 1工作日     | 2026-03-02 18:00 | 周一开门即计，当日下班到期
2026-03-02 10:00 | 1工作日     | 2026-03-03 10:00 | 次日同一时刻
2026-03-02 11:30 | 3工作小时   | 2026-03-02 16:00 | 午休12:00至13:30不计
2026-03-02 11:30 | 30工作分钟  | 2026-03-02 12:00 | 恰在午休开始时用完，12时到期
2026-03-02 12:30 | 30工作分钟  | 2026-03-02 14:00 | 午休中开始，13:30起算
2026-03-06 17:00 | 3工作小时   | 2026-03-09 11:00 | 周五下午到周一上午
2026-03-07 10:00 | 1工作日     | 2026-03-09 18:00 | 周六开始，周一起算
2026-09-30 16:00 | 2工作日     | 2026-10-09 16:00 | 国庆放假7天不计，8日、9日上班
2026-10-09 16:00 | 1工作日     | 2026-10-10 16:00 | 10月10日（周六）调休上班，照计
2026-10-10 16:00 | 1工作日     | 2026-10-12 16:00 | 调休周六之后的周日不计
2026-02-13 16:00 | 2工作日     | 2026-02-24 16:00 | 2月14日（周六）上班，15日至23日春节
2025-01-27 09:00 | 5工作日     | 2025-02-08 18:00 | 27日、2月5日至7日及8日（周六上班）
2025-04-30 18:00 | 1工作日     | 2025-05-06 18:00 | 下班后开始，劳动节后第一天
2024-02-09 09:00 | 1工作日     | 2024-02-09 18:00 | 2024年除夕不是放假日
2026-12-31 09:00 | 1工作日     | 2026-12-31 18:00 | 已公布年份的最后一刻
"""


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def rows(table: str) -> list[tuple[str, ...]]:
    return [tuple(cell.strip() for cell in row.split("|")) for row in table.strip().splitlines()]


@pytest.mark.parametrize(("begins", "limit", "due", "why"), rows(DUE_TIMES))
def test_a_limit_is_due_when_the_clerk_says(begins: str, limit: str, due: str, why: str) -> None:
    running = start(Clock.HANDLING, LIMITS[limit], moment(begins), CALENDAR, "dispatch")

    assert running.due_at == moment(due), why
    assert not running.provisional


@pytest.mark.parametrize(
    ("begins", "limit", "provisional"),
    [
        ("2026-12-31 09:00", "1工作日", False),
        ("2026-12-31 09:01", "1工作日", True),
        ("2027-03-01 09:00", "1工作日", True),
        ("2023-12-29 09:00", "2工作日", True),
        ("2027-03-01 09:00", "4值守时", False),
        ("2027-03-01 09:00", "1自然日", False),
    ],
)
def test_working_time_that_touches_an_unpublished_year_is_provisional(
    begins: str, limit: str, provisional: bool
) -> None:
    running = start(Clock.RECHECK, LIMITS[limit], moment(begins), CALENDAR, "recheck")

    assert running.provisional is provisional


def test_the_working_days_are_those_of_chinesecalendar_for_2024_to_2026() -> None:
    day = date(2024, 1, 1)
    while day.year < 2027:
        assert CALENDAR.is_working_day(day) == chinese_calendar.is_workday(day), day
        day += timedelta(days=1)


def test_an_unpublished_year_has_plain_weeks() -> None:
    assert CALENDAR.is_working_day(date(2027, 10, 1))
    assert not CALENDAR.is_working_day(date(2027, 10, 2))


# Stopping ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stops", "in_time"),
    [
        ("2026-03-02 11:59:59.999999", True),
        ("2026-03-02 12:00:00", True),
        ("2026-03-02 12:00:00.000001", False),
    ],
)
def test_exactly_on_the_due_time_is_in_time(stops: str, in_time: bool) -> None:
    at = moment("2026-03-02 08:00")
    running = start(Clock.HANDLING, Limit(4, Unit.DUTY_HOUR), at, CALENDAR, "dispatch")

    stopped = stop(running, at, moment(stops), CALENDAR, "rectify")

    assert stopped.in_time is in_time


def test_a_paused_clock_keeps_what_was_used_and_gives_the_rest() -> None:
    at = moment("2026-03-02 08:00")
    running = start(Clock.HANDLING, Limit(4, Unit.DUTY_HOUR), at, CALENDAR, "dispatch")
    paused = stop(
        running, at, moment("2026-03-02 11:00"), CALENDAR, "grant_suspension", final=False
    )

    resumed = start(
        Clock.HANDLING,
        running.limit,
        moment("2026-04-01 20:30"),
        CALENDAR,
        "resume",
        carried=paused.used,
    )

    assert paused.used == 3 * HOUR
    assert not paused.final
    assert resumed.due_at == moment("2026-04-02 07:30")


def test_a_clock_that_carries_all_of_its_limit_is_due_where_it_would_have_been() -> None:
    at = moment("2026-03-02 08:00")
    running = start(Clock.HANDLING, Limit(2, Unit.DUTY_HOUR), at, CALENDAR, "dispatch")
    handed_over = moment("2026-03-02 09:00")
    reworked = moment("2026-03-03 08:00")
    used = CALENDAR.counted(Family.DUTY, at, reworked)

    again = start(Clock.HANDLING, running.limit, reworked, CALENDAR, "rework", carried=used)

    assert again.due_at == running.due_at < reworked
    assert not stop(again, reworked, reworked, CALENDAR, "rectify").in_time
    assert stop(running, at, handed_over, CALENDAR, "rectify", final=False).in_time


# Limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (Limit(4, Unit.DUTY_HOUR), Limit(2, Unit.DUTY_HOUR)),
        (Limit(1, Unit.DUTY_HOUR), Limit(30, Unit.DUTY_MINUTE)),
        (Limit(3, Unit.CALENDAR_DAY), Limit(36 * 60, Unit.MINUTE)),
        (Limit(1, Unit.WORKING_DAY), Limit(225, Unit.WORKING_MINUTE)),
        (Limit(15, Unit.DUTY_MINUTE), Limit(8, Unit.DUTY_MINUTE)),
        (Limit(1, Unit.MINUTE), Limit(1, Unit.MINUTE)),
    ],
)
def test_half_a_limit_is_exact_to_the_minute_and_never_nothing(
    limit: Limit, expected: Limit
) -> None:
    assert half(limit, CALENDAR) == expected


@given(st.integers(1, 400), st.sampled_from(Unit))
def test_twice_the_half_is_the_whole_or_a_minute_more(amount: int, unit: Unit) -> None:
    limit = Limit(amount, unit)

    left_over = 2 * micros(half(limit, CALENDAR), CALENDAR) - micros(limit, CALENDAR)

    assert left_over in (0, MINUTE)
    assert family(half(limit, CALENDAR).unit) is family(unit)


def test_limits_of_one_kind_of_time_add_up_and_others_do_not() -> None:
    hours, minutes = Limit(2, Unit.DUTY_HOUR), Limit(30, Unit.DUTY_MINUTE)

    assert plus(hours, hours, CALENDAR) == Limit(4, Unit.DUTY_HOUR)
    assert plus(hours, minutes, CALENDAR) == Limit(150, Unit.DUTY_MINUTE)
    assert plus(Limit(1, Unit.WORKING_DAY), Limit(1, Unit.WORKING_HOUR), CALENDAR) == Limit(
        510, Unit.WORKING_MINUTE
    )
    with pytest.raises(DifferentFamiliesError, match="DUTY_HOUR"):
        plus(hours, Limit(1, Unit.HOUR), CALENDAR)


def test_a_day_of_each_kind_of_time_is_the_sum_of_its_windows() -> None:
    assert day_micros(Family.CONTINUOUS, CALENDAR) == DAY
    assert day_micros(Family.DUTY, CALENDAR) == 14 * HOUR
    assert day_micros(Family.WORKING, CALENDAR) == 7 * HOUR + 30 * MINUTE
    assert micros(Limit(2, Unit.WORKING_DAY), CALENDAR) == 15 * HOUR


def test_a_window_may_end_at_midnight() -> None:
    night = Calendar(1, ((time(20), time(0)),), ((time(9), time(17)),), {})

    assert start(
        Clock.REVIEW, Limit(4, Unit.DUTY_HOUR), moment("2026-03-02 20:00"), night, "submit"
    ).due_at == moment("2026-03-03 00:00")
    assert start(
        Clock.REVIEW, Limit(5, Unit.DUTY_HOUR), moment("2026-03-02 20:00"), night, "submit"
    ).due_at == moment("2026-03-03 21:00")


# Laws ----------------------------------------------------------------------------------------

KINDS = st.sampled_from(Family)
MOMENTS = st.datetimes(datetime(2023, 6, 1), datetime(2027, 6, 1)).map(  # noqa: DTZ001  (hypothesis wants bare bounds)
    lambda bare: bare.replace(tzinfo=UTC)
)
SPANS = st.integers(1, 40 * DAY)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Any calendar: one to three windows a day, and a year with days off and weekends worked."""

    def windows() -> tuple[tuple[time, time], ...]:
        edges = draw(st.lists(st.integers(0, 1440), min_size=2, max_size=6, unique=True))
        edges = sorted(edges[: len(edges) // 2 * 2])
        times = [time(edge // 60 % 24, edge % 60) for edge in edges]
        return tuple(zip(times[::2], times[1::2], strict=True))

    days = draw(st.lists(st.dates(date(2025, 1, 1), date(2025, 12, 31)), unique=True, max_size=30))
    off = tuple(Holiday("假", day, day) for day in days[::2])
    worked = tuple(day for day in days[1::2] if day.weekday() >= 5)
    return Calendar(1, windows(), windows(), {2025: CalendarYear(2025, off, worked, "试")})


ANY_CALENDAR = st.just(CALENDAR) | calendars()


@given(ANY_CALENDAR, KINDS, MOMENTS, SPANS)
def test_what_is_counted_up_to_the_due_time_is_the_limit(
    calendar: Calendar, kind: Family, at: datetime, span: int
) -> None:
    due, _ = calendar.after(kind, at, span)

    assert calendar.counted(kind, at, due) == span
    assert due > at
    just_before = due - timedelta(microseconds=1)
    assert calendar.counted(kind, at, just_before) == span - 1


@given(ANY_CALENDAR, KINDS, MOMENTS, SPANS, SPANS)
def test_two_limits_one_after_the_other_are_one(
    calendar: Calendar, kind: Family, at: datetime, first: int, second: int
) -> None:
    between, first_provisional = calendar.after(kind, at, first)
    due, second_provisional = calendar.after(kind, between, second)

    assert calendar.after(kind, at, first + second) == (
        due,
        first_provisional or second_provisional,
    )


@given(ANY_CALENDAR, KINDS, MOMENTS, MOMENTS, MOMENTS)
def test_counted_time_adds_up_and_never_runs_backwards(
    calendar: Calendar, kind: Family, one: datetime, two: datetime, three: datetime
) -> None:
    one, two, three = sorted((one, two, three))
    counted = calendar.counted

    assert counted(kind, one, two) + counted(kind, two, three) == counted(kind, one, three)
    assert 0 <= counted(kind, one, two) <= (two - one) // timedelta(microseconds=1)
    assert counted(kind, two, one) == -counted(kind, one, two)


@given(ANY_CALENDAR, KINDS, MOMENTS, MOMENTS, SPANS)
def test_who_starts_later_is_due_no_earlier(
    calendar: Calendar, kind: Family, one: datetime, two: datetime, span: int
) -> None:
    earlier, later = sorted((one, two))

    assert calendar.after(kind, earlier, span)[0] <= calendar.after(kind, later, span)[0]


@given(ANY_CALENDAR, st.dates(date(2024, 6, 1), date(2026, 6, 1)), st.integers(1, 200))
def test_whole_working_days_are_found_as_by_leafing_through_the_calendar(
    calendar: Calendar, first: date, days: int
) -> None:
    day = first - timedelta(days=1)
    for _ in range(days):
        day += timedelta(days=1)
        while not calendar.is_working_day(day):
            day += timedelta(days=1)
    closes = calendar.working[-1][1]
    end_day = day if closes != time(0) else day + timedelta(days=1)

    due, _ = calendar.after(
        Family.WORKING,
        datetime.combine(first, time(0), SHANGHAI),
        days * day_micros(Family.WORKING, calendar),
    )

    assert due == datetime.combine(end_day, closes, SHANGHAI)


@given(ANY_CALENDAR, KINDS, MOMENTS)
def test_no_time_at_all_has_passed_at_the_start(
    calendar: Calendar, kind: Family, at: datetime
) -> None:
    assert calendar.after(kind, at, 0)[0] == at


@pytest.mark.parametrize("limit", ["5工作日", "3自然日", "8值守时"])
def test_starting_a_clock_takes_microseconds(limit: str) -> None:
    at = moment("2026-09-30 16:00")

    def begin() -> ClockStarted:
        return start(Clock.HANDLING, LIMITS[limit], at, CALENDAR, "dispatch")

    best = min(timeit.repeat(begin, timer=thread_time, number=200, repeat=20)) / 200

    assert best < 60e-6  # 3 to 5 µs on a quiet machine; a walk over minutes would take thousands
