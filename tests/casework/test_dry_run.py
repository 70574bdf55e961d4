"""The dry run: past handlings judged by other limits and other calendars."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

import msgspec
import pytest

from casework.clocks import CalendarYear, Holiday
from casework.dry_run import EVERYWHERE, MOST_NAMED, STEP, Judge, dry_run
from casework.handlings import (
    Begun,
    Cut,
    DueSet,
    End,
    Ended,
    Exempted,
    Extended,
    Fact,
    HandedOver,
    PastHandling,
    Paused,
    Reclassified,
    Relocated,
    Resumed,
    Reworked,
    as_of,
)
from casework.indicators import Indicator, LimitOverride
from casework.instants import to_micros
from casework.model import Limit, Outcome, PlaceKind, Unit
from casework.reference import CalendarYearPublished, Rules, WindowsSet, evolve_calendar
from tests.history import MONDAY_9, RULES, mon, tue, wed

STREET, OTHER = "110108013", "110108011"
FOUR = Limit(4, Unit.DUTY_HOUR)
TWO = Limit(2, Unit.DUTY_HOUR)
HOURS = {
    "2值守小时": TWO,
    "3值守小时": Limit(3, Unit.DUTY_HOUR),
    "4值守小时": FOUR,
    "1值守小时": Limit(1, Unit.DUTY_HOUR),
    "90值守分钟": Limit(90, Unit.DUTY_MINUTE),
    "4小时": Limit(4, Unit.HOUR),
    "1自然日": Limit(1, Unit.CALENDAR_DAY),
    "1工作日": Limit(1, Unit.WORKING_DAY),
}


def ruled(limit: Limit, *overrides: LimitOverride) -> Rules:
    """The shipped rules, with this limit for P07."""
    p07: Indicator = RULES.catalogue.indicator("P07")
    row = msgspec.structs.replace(p07.conditions[0], limit=limit, overrides=overrides)
    indicators = {
        **RULES.catalogue.indicators,
        "P07": msgspec.structs.replace(p07, conditions=(row,)),
    }
    catalogue = msgspec.structs.replace(RULES.catalogue, indicators=indicators)
    return Rules(catalogue, RULES.calendar, RULES.boundary_version)


def handled(case: str = "一", /, **more: object) -> PastHandling:
    """A P07 dispatched on Monday at nine, with two duty hours, handed over at half past ten."""
    plain = PastHandling(
        case=case,
        street=STREET,
        indicator="P07",
        condition="P07-1",
        place_kind=PlaceKind.ROAD,
        dispatched_at=MONDAY_9,
        limit=TWO,
        due_at=mon("11:00"),
        handed_over_at=mon("10:30"),
        ended_by=End.ACCEPTED,
        ended_at=mon("12:00"),
    )
    return msgspec.structs.replace(plain, **more)


# When it would have been due -----------------------------------------------------------------

DUE = """
二小时照旧                 | 2值守小时   | {}                                   | 03-02 11:00
改为四小时                 | 4值守小时   | {}                                   | 03-02 13:00
改为一自然日               | 1自然日     | {}                                   | 03-03 09:00
改为一工作日               | 1工作日     | {}                                   | 03-02 18:00
挂账半小时，顺延           | 2值守小时   | {"pauses": ["09:30", "10:00"]}       | 03-02 11:30
挂账过夜，次日接着算       | 2值守小时   | {"pauses": ["10:00", "+08:00"]}      | 03-03 09:00
挂账前已用完，仍是那一刻   | 1值守小时   | {"pauses": ["10:30", "+08:00"]}      | 03-02 10:00
恰好用完时挂账，恢复时到期 | 1值守小时   | {"pauses": ["10:00", "+08:00"]}      | 03-03 08:00
延期一小时，按实际时长     | 2值守小时   | {"extensions": ["1值守小时"]}        | 03-02 12:00
两次延期相加 | 2值守小时 | {"extensions": ["1值守小时", "2值守小时"]} | 03-02 14:00
延期一半，换算到自然日     | 1自然日     | {"extensions": ["1值守小时"]}        | 03-03 21:00
重办减半为二小时           | 4值守小时   | {"reopened": true}                   | 03-02 11:00
重办减半不足二小时，取二小时 | 2值守小时 | {"reopened": true}                   | 03-02 11:00
重办减半为十二小时         | 1自然日     | {"reopened": true}                   | 03-02 21:00
重办后延期 | 4值守小时 | {"reopened": true, "extensions": ["1值守小时"]} | 03-02 12:00
"""


def rows(table: str) -> list[tuple[str, ...]]:
    return [tuple(cell.strip() for cell in row.split("|")) for row in table.strip().splitlines()]


def told(text: str) -> datetime:
    """A time of Monday, or with a plus of Tuesday."""
    return tue(text[1:]) if text.startswith("+") else mon(text)


@pytest.mark.parametrize(("why", "limit", "more", "due"), rows(DUE))
def test_it_would_have_been_due_when_the_clerk_says(
    why: str, limit: str, more: str, due: str
) -> None:
    given: dict[str, object] = {}
    for name, value in msgspec.json.decode(more, type=dict[str, bool | list[str]]).items():
        if isinstance(value, bool):
            given[name] = value
        elif name == "pauses":
            given[name] = ((told(value[0]), told(value[1])),)
        else:
            given[name] = tuple(HOURS[each] for each in value)

    found = Judge(ruled(HOURS[limit])).due_at(handled(**given))

    assert found == (tue if due.startswith("03-03") else mon)(due[6:]), why


def test_the_limit_is_that_of_the_street_the_place_and_the_day_of_dispatch() -> None:
    here = LimitOverride(limit=FOUR, streets=(STREET,), place_kinds=(PlaceKind.ROAD,),
                         first=date(2026, 3, 2), last=date(2026, 3, 2))  # fmt: skip
    judge = Judge(ruled(TWO, here))
    assert judge.due_at(handled()) == mon("13:00")
    assert judge.due_at(handled(street=OTHER)) == mon("11:00")
    assert judge.due_at(handled(place_kind=PlaceKind.CAMPUS)) == mon("11:00")
    assert judge.due_at(handled(dispatched_at=tue("09:00"))) == tue("11:00")


def test_a_calendar_with_other_windows_is_judged_like_any_other_rules() -> None:
    """Were the desk manned from ten, two duty hours from nine would be over at noon."""
    late = WindowsSet(
        duty=((time(10), time(21)),),
        working=((time(10), time(18)),),
        effective_from=MONDAY_9,
    )
    rules = Rules(RULES.catalogue, evolve_calendar(RULES.calendar, late), RULES.boundary_version)
    [line] = dry_run([handled(handed_over_at=mon("11:30"))], rules, tue("09:00")).lines
    assert (line.late, line.would_be_late, line.relieved) == (1, 0, ("一",))


def test_a_day_off_in_a_corrected_notice_moves_a_due_time_in_working_days() -> None:
    """Were Tuesday, 3 March a holiday, a working day from Monday noon would end on Wednesday."""
    year = CalendarYear(2026, (Holiday("试填", date(2026, 3, 3), date(2026, 3, 3)),), (), "试填")
    off = CalendarYearPublished(year=year, effective_from=MONDAY_9)
    one_day = ruled(Limit(1, Unit.WORKING_DAY))
    rules = Rules(one_day.catalogue, evolve_calendar(RULES.calendar, off), 1)
    handling = handled(dispatched_at=mon("16:00"))
    assert Judge(one_day).due_at(handling) == tue("16:00")
    assert Judge(rules).due_at(handling) == wed("16:00")


# What is told --------------------------------------------------------------------------------


def test_a_dry_run_says_who_would_have_been_late_and_who_relieved() -> None:
    past = [
        handled("按时"),
        handled("恰在一小时", handed_over_at=mon("10:00")),
        handled("晚半小时", handed_over_at=mon("11:30")),
        handled("未办", handed_over_at=None, ended_by=None, ended_at=None),
        handled("挂账中", handed_over_at=None, ended_by=None, ended_at=None,
                paused_since=mon("09:50")),
        handled("别处", street=OTHER),
    ]  # fmt: skip

    shorter = dry_run(past, ruled(HOURS["1值守小时"]), mon("11:01"))
    longer = dry_run(past, ruled(FOUR), mon("11:01"))

    [line] = shorter.lines
    assert (line.street, line.indicator, line.condition) == (EVERYWHERE, "P07", "P07-1")
    assert (line.cases, line.due, line.late, line.would_be_late) == (6, 6, 2, 4)
    assert line.newly_late == ("别处", "按时") and line.newly_late_total == 2
    assert [(s.street, s.cases, s.newly_late) for s in shorter.streets] == [
        (OTHER, 1, ("别处",)),
        (STREET, 5, ("按时",)),
    ]
    assert longer.lines[0].relieved == ("晚半小时", "未办")
    assert longer.lines[0].would_be_late == 0


def test_what_has_not_fallen_due_is_no_case_that_was_due() -> None:
    open_ = handled(handed_over_at=None, ended_by=None, ended_at=None)
    [line] = dry_run([open_], ruled(HOURS["1值守小时"]), mon("10:30")).lines
    assert (line.cases, line.due, line.late, line.would_be_late) == (1, 0, 0, 1)


@pytest.mark.parametrize("end", [end for end in End if end is not End.ACCEPTED])
def test_what_never_came_to_a_hand_over_is_counted_apart(end: End) -> None:
    found = dry_run([handled(ended_by=end, handed_over_at=None)], ruled(TWO), tue("09:00"))
    assert (found.left_out, found.judged, found.lines) == (1, 0, ())


def test_rows_that_the_new_catalogue_lacks_are_named_not_guessed() -> None:
    gone = [handled(f"{n}", condition="P07-9") for n in range(MOST_NAMED + 5)]
    found = dry_run([*gone, handled("在")], ruled(TWO), tue("09:00"))
    assert found.without_row == tuple(str(n) for n in range(MOST_NAMED))
    assert (found.without_row_total, found.judged) == (MOST_NAMED + 5, 1)


def test_lists_of_cases_are_bounded_and_their_totals_are_not() -> None:
    past = [handled(f"{n}") for n in range(MOST_NAMED + 1)] + [handled("0", round=2)]
    [line] = dry_run(past, ruled(HOURS["1值守小时"]), tue("09:00")).lines
    assert line.newly_late == tuple(str(n) for n in range(MOST_NAMED))
    assert line.newly_late_total == MOST_NAMED + 2


def test_the_progress_adds_up_to_what_was_looked_at() -> None:
    seen: list[int] = []
    dry_run((handled() for _ in range(2 * STEP + 7)), ruled(TWO), tue("09:00"), seen.append)
    assert seen == [STEP, STEP, 7]
    dry_run([], ruled(TWO), tue("09:00"), seen.append)
    assert seen[-1] == 0


# As of then ----------------------------------------------------------------------------------

BEGUN = Begun(
    case="一", number="HD1", ordinal=1, round=1, reopened=False, staff_entered=False,
    street=STREET, indicator="P07", condition="P07-1", place_kind=PlaceKind.ROAD, position=10,
    dispatched_at=to_micros(MONDAY_9), limit=TWO,
)  # fmt: skip


def us(clock: str) -> int:
    return to_micros(mon(clock))


STORY: tuple[Fact, ...] = (
    DueSet(10, us("09:00"), us("11:00")),
    Paused(11, us("09:10")),
    Resumed(12, us("09:20")),
    DueSet(12, us("09:20"), us("11:10")),
    Extended(13, us("09:30"), 1, Unit.DUTY_HOUR),
    DueSet(13, us("09:30"), us("12:10")),
    HandedOver(14, us("09:40"), Outcome.RECTIFIED),
    Reworked(15, us("09:50"), counts=False),
    DueSet(15, us("09:50"), us("12:20")),
    HandedOver(16, us("10:00"), Outcome.GONE),
    Ended(17, us("10:10"), End.ACCEPTED),
    Exempted(18, us("15:00"), "A03"),
)

MOMENTS: Mapping[str, Mapping[str, object]] = {
    "09:00": {"due_at": mon("11:00"), "handed_over_at": None, "pauses": ()},
    "09:15": {"due_at": mon("11:00"), "paused_since": mon("09:10"), "pauses": ()},
    "09:20": {"due_at": mon("11:10"), "paused_since": None,
              "pauses": ((mon("09:10"), mon("09:20")),)},
    "09:35": {"due_at": mon("12:10"), "extensions": (Limit(1, Unit.DUTY_HOUR),)},
    "09:45": {"handed_over_at": mon("09:40"), "ended_by": None, "outcome": Outcome.RECTIFIED},
    "09:55": {"handed_over_at": None, "due_at": mon("12:20"), "outcome": None,
              "pauses": ((mon("09:10"), mon("09:20")), (mon("09:40"), mon("09:50")))},
    "10:05": {"handed_over_at": mon("10:00"), "ended_by": None},
    "12:00": {"ended_by": End.ACCEPTED, "ended_at": mon("10:10"), "exempted": False},
    "15:00": {"exempted": True},
}  # fmt: skip


@pytest.mark.parametrize("clock", MOMENTS)
def test_a_handling_is_cut_at_a_moment_as_one_would_have_seen_it(clock: str) -> None:
    found = as_of(BEGUN, STORY, Cut(mon(clock)))
    assert found is not None
    for name, value in MOMENTS[clock].items():
        assert getattr(found, name) == value, name


def test_a_handling_is_cut_at_a_position_whatever_the_time_was() -> None:
    for fact in STORY:
        by_position = as_of(BEGUN, STORY, Cut(tue("09:00"), fact.position))
        by_time = as_of(BEGUN, STORY, Cut(MONDAY_9 + timedelta(microseconds=fact.at - us("09:00"))))
        assert by_position == by_time
    assert as_of(BEGUN, STORY, Cut(tue("09:00"), 9)) is None
    assert as_of(BEGUN, STORY, Cut(mon("08:59"))) is None


def test_a_wait_for_a_verdict_that_counts_is_no_pause_also_when_the_row_changes() -> None:
    """A reclassification keeps the time on the clock, and what was granted is gone."""
    counted: tuple[Fact, ...] = (
        DueSet(10, us("09:00"), us("11:00")),
        Extended(11, us("09:10"), 1, Unit.DUTY_HOUR),
        HandedOver(12, us("09:40"), Outcome.RECTIFIED),
        Reworked(13, us("09:50"), counts=True),
    )
    plain = as_of(BEGUN, counted, Cut(tue("09:00")))
    assert plain is not None and plain.pauses == () and plain.extensions
    other = Reclassified(14, us("09:55"), "P10", "P10-2", 4, Unit.DUTY_HOUR)
    moved = Relocated(15, us("09:56"), PlaceKind.METRO_EXIT)
    again = as_of(BEGUN, (*counted, other, moved), Cut(tue("09:00")))
    assert again is not None
    assert again.pauses == () and again.extensions == ()
    assert (again.indicator, again.condition, again.limit) == ("P10", "P10-2", FOUR)
    assert again.place_kind is PlaceKind.METRO_EXIT


def test_stretches_of_a_special_period_stand_still_like_pauses_each_once() -> None:
    skips = ((us("09:15"), us("09:40")), (us("10:00"), us("10:10")))
    facts: tuple[Fact, ...] = (
        DueSet(10, us("09:00"), us("11:35"), us("11:00"), skips),
        Paused(11, us("09:10")),
        Resumed(12, us("09:20")),
    )
    found = as_of(BEGUN, facts, Cut(tue("09:00")))
    assert found is not None and found.plain_due_at == mon("11:00")
    assert found.pauses == ((mon("09:10"), mon("09:40")), (mon("10:00"), mon("10:10")))
    assert Judge(ruled(TWO)).due_at(found) == mon("11:40")
