"""Laws of clocks on any calendar with any 特殊时段, and the closed form counted out by hand."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework import clocks, timers
from casework.clocks import (
    DAY,
    MINUTE,
    SHANGHAI,
    Calendar,
    Family,
    apart,
    family,
    micros,
    micros_of_day,
    start,
    stop,
)
from casework.model import (
    CLOCK,
    ESCALATION,
    OVERDUE,
    SECOND_ESCALATION,
    WARNING,
    Clock,
    Limit,
    Skip,
    Unit,
)
from casework.owed import owed
from tests.casework.test_clock_table import ROWS
from tests.casework.test_clocks import ANY_CALENDAR, CALENDAR, KINDS, moment
from tests.history import asking_of
from tests.stories import Clerk

MICROSECOND = timedelta(microseconds=1)
BEGINNING = datetime(2024, 12, 28, tzinfo=SHANGHAI)
SECONDS = st.integers(0, 380 * 86_400).map(lambda n: BEGINNING + timedelta(seconds=n))
MINUTES = st.integers(0, 380 * 1440).map(lambda n: BEGINNING + timedelta(minutes=n))
LIMITS = st.builds(Limit, st.integers(1, 12), st.sampled_from(Unit))


@st.composite
def skips_from(draw: st.DrawFn, at: datetime, step: timedelta = MICROSECOND) -> tuple[Skip, ...]:
    """特殊时段 around a moment, often overlapping, as they are kept: in order and apart."""
    day = DAY // (step // MICROSECOND)
    drawn = draw(st.lists(st.tuples(st.integers(-day, 4 * day), st.integers(1, day)), max_size=4))
    return apart(
        Skip(at + after * step, at + (after + lasts) * step, number)
        for number, (after, lasts) in enumerate(drawn, 1)
    )


# Laws ----------------------------------------------------------------------------------------


@given(ANY_CALENDAR, KINDS, SECONDS, st.integers(1, 6 * DAY), st.data())
def test_a_skip_more_never_makes_it_due_earlier(
    calendar: Calendar, kind: Family, at: datetime, span: int, data: st.DataObject
) -> None:
    fewer, one_more = data.draw(skips_from(at)), data.draw(skips_from(at))

    before, _ = calendar.after(kind, at, span, fewer)
    after, _ = calendar.after(kind, at, span, apart((*fewer, *one_more)))

    assert after >= before


@given(ANY_CALENDAR, LIMITS, SECONDS, st.integers(0, 3 * DAY), st.integers(1, DAY), st.data())
def test_a_pause_never_makes_it_due_earlier(
    calendar: Calendar,
    limit: Limit,
    at: datetime,
    runs: int,
    pause: int,
    data: st.DataObject,
) -> None:
    skips = data.draw(skips_from(at))
    unbroken = start(Clock.HANDLING, limit, at, calendar, "dispatch", skips=skips)
    pauses = min(at + timedelta(microseconds=runs), unbroken.due_at)
    paused = stop(unbroken, at, pauses, calendar, "grant_suspension", final=False)

    resumed = start(
        Clock.HANDLING,
        limit,
        pauses + timedelta(microseconds=pause),
        calendar,
        "resume",
        paused.used,
        skips,
    )

    assert resumed.due_at >= unbroken.due_at or paused.used == micros(limit, calendar)
    for percent in (ESCALATION, SECOND_ESCALATION):
        before, after = unbroken.reached_at(percent), resumed.reached_at(percent)
        assert before is not None
        assert after is not None
        assert after >= before


@given(ANY_CALENDAR, st.sampled_from(Unit), st.integers(1, 30), SECONDS, st.data())
def test_a_longer_limit_is_due_no_earlier(
    calendar: Calendar, unit: Unit, amount: int, at: datetime, data: st.DataObject
) -> None:
    skips, carried = data.draw(skips_from(at)), data.draw(st.integers(0, 3 * DAY))

    shorter, longer = (
        start(Clock.HANDLING, Limit(n, unit), at, calendar, "dispatch", carried, skips)
        for n in (amount, amount + 1)
    )

    assert longer.due_at > shorter.due_at


@given(ANY_CALENDAR, LIMITS, SECONDS, st.integers(0, 9 * DAY), st.data())
def test_used_and_remaining_are_the_limit_at_any_moment(
    calendar: Calendar, limit: Limit, at: datetime, later: int, data: st.DataObject
) -> None:
    skips, carried = data.draw(skips_from(at)), data.draw(st.integers(0, DAY))
    fact = start(Clock.HANDLING, limit, at, calendar, "dispatch", carried, skips)
    timer = timers.fold([(at, fact)])[Clock.HANDLING]
    now = at + timedelta(microseconds=later)

    reading = timers.read(Clock.HANDLING, timer, now, calendar)

    assert reading.used + reading.remaining == micros(limit, calendar)
    assert reading.in_time == (now <= fact.due_at)
    assert reading.used >= carried
    if reading.remaining > 0:
        assert reading.in_time
    if fact.due_at > at:
        at_due = timers.read(Clock.HANDLING, timer, fact.due_at, calendar)
        assert (at_due.remaining, at_due.percent) == (0, 100)
    stopped = stop(fact, at, now, calendar, "rectify")
    after = timers.fold([(at, fact), (now, stopped)])[Clock.HANDLING]
    assert timers.read(Clock.HANDLING, after, now, calendar).used == reading.used


@given(ANY_CALENDAR, LIMITS, SECONDS, st.data())
def test_marks_lie_where_used_reaches_the_share(
    calendar: Calendar, limit: Limit, at: datetime, data: st.DataObject
) -> None:
    skips, carried = data.draw(skips_from(at)), data.draw(st.integers(0, DAY))
    fact = start(Clock.HANDLING, limit, at, calendar, "dispatch", carried, skips)
    whole = micros(limit, calendar)

    marks = [fact.reached_at(p) for p in (WARNING, OVERDUE, ESCALATION, SECOND_ESCALATION)]

    assert marks == sorted(mark for mark in marks if mark is not None)
    for percent, mark in zip((WARNING, OVERDUE, ESCALATION, SECOND_ESCALATION), marks, strict=True):
        assert mark is not None
        share = whole * percent // 100
        if mark > at:
            assert clocks.used(fact, at, mark, calendar) == share
            assert clocks.used(fact, at, mark - MICROSECOND, calendar) == share - 1
        else:
            assert carried >= share


@given(ANY_CALENDAR, KINDS, SECONDS, st.integers(1, 4 * DAY), st.integers(1, 4 * DAY), st.data())
def test_looking_back_finds_the_moment_it_was_due(
    calendar: Calendar, kind: Family, at: datetime, span: int, over: int, data: st.DataObject
) -> None:
    """A clock that ran on unbroken is told the same due time later, 特殊时段 in between or not."""
    skips = data.draw(skips_from(at))
    due, _ = calendar.after(kind, at, span, skips)
    later, _ = calendar.after(kind, at, span + over, skips)

    assert calendar.after(kind, later, -over, skips)[0] == due


@pytest.mark.parametrize("story", ROWS.values(), ids=ROWS)
def test_what_the_clock_owes_has_one_id_however_often_it_is_asked(story: str) -> None:
    clerk = Clerk().tells(story)
    for later in (timedelta(0), timedelta(days=1), timedelta(days=200)):
        asking = asking_of(clerk.case, clerk.at + later, CLOCK, references=clerk.references)

        assert owed(asking) == owed(asking)


@given(st.integers(0, 3 * 1440), st.integers(0, 1440))
def test_once_the_year_is_published_nothing_that_it_covers_stays_provisional(
    at: int, later: int
) -> None:
    clerk = Clerk()
    clerk.now = moment("2026-12-28 09:00") + timedelta(minutes=at)
    clerk.tells("派遣P04-1 → 签收 → 整改 → 结案 → 评价未解决 → 公布2027年放假安排")
    clerk.now += timedelta(minutes=later)

    clerk.catch_up()

    for running in clerk.told.clocks.values():
        assert not running.fact.provisional or running.fact.due_at.year > 2027


# By hand -------------------------------------------------------------------------------------


def counts(kind: Family, calendar: Calendar, at: datetime, skips: Sequence[Skip]) -> bool:
    """Whether the moment counts, asked as a clerk with the notice at hand would."""
    if any(skip.first <= at < skip.last for skip in skips):
        return False
    if kind is Family.CONTINUOUS:
        return True
    day, clock = at.date(), at.time()
    if kind is Family.WORKING:
        year = calendar.days.get(day.year)
        off = year and any(one.first <= day <= one.last for one in year.holidays)
        worked = year and day in year.worked
        if off or (day.weekday() >= 5 and not worked):
            return False
    windows = calendar.duty if kind is Family.DUTY else calendar.working
    return any(
        opens <= clock and (clock < closes or closes == time(0)) for opens, closes in windows
    )


@given(ANY_CALENDAR, KINDS, MINUTES, st.integers(1, 3000), st.data())
def test_minute_by_minute_comes_to_the_same_due_time(
    calendar: Calendar, kind: Family, at: datetime, minutes: int, data: st.DataObject
) -> None:
    skips = data.draw(skips_from(at, timedelta(minutes=1)))
    due, _ = calendar.after(kind, at, minutes * MINUTE, skips)

    walked, left = at, minutes
    for _ in range(6000):
        left -= counts(kind, calendar, walked, skips)
        walked += timedelta(minutes=1)
        if not left:
            assert due == walked
            break
    else:
        assert due > walked
        assert calendar.counted(kind, at, walked, skips) == (minutes - left) * MINUTE


@given(ANY_CALENDAR, KINDS, SECONDS, st.integers(0, 4000), st.data())
def test_second_by_second_counts_the_same(
    calendar: Calendar, kind: Family, at: datetime, seconds: int, data: st.DataObject
) -> None:
    skips = data.draw(skips_from(at, timedelta(seconds=1)))
    until = at + timedelta(seconds=seconds)

    by_hand = sum(counts(kind, calendar, at + timedelta(seconds=n), skips) for n in range(seconds))

    assert calendar.counted(kind, at, until, skips) == by_hand * 1_000_000


def test_the_hand_counts_the_shipped_calendar_as_it_is() -> None:
    """The counting by hand is itself checked: National Day, 调休, lunch, night."""
    told = {
        "2026-10-01 10:00": (True, True, False),
        "2026-10-10 10:00": (True, True, True),
        "2026-10-12 12:30": (True, True, False),
        "2026-10-12 22:00": (True, False, False),
    }
    for text, expected in told.items():
        at = moment(text)
        assert tuple(counts(kind, CALENDAR, at, ()) for kind in Family) == expected
    assert family(Unit.WORKING_DAY) is Family.WORKING
    assert micros_of_day(time(13, 30)) == 810 * MINUTE
    assert date(2026, 10, 10) in CALENDAR.days[2026].worked
