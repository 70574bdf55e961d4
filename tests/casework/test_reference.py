"""Reference streams: which version holds when, and the rules decisions are made by."""

import timeit
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework import catalogue as catalogues
from casework import events, reference
from casework.catalogue import ReviseIndicator
from casework.clocks import CalendarYear, Holiday
from casework.effective import LEAD, TakesEffectTooSoon
from casework.errors import Missing, UnknownCode
from casework.indicators import LimitOverride, NotInCatalogue
from casework.model import Clock, Limit, PlaceKind, Unit, Versions
from casework.reference import (
    AdoptBoundaries,
    BoundariesAdopted,
    CalendarYearPublished,
    NotInForceYet,
    PublishYear,
    References,
    SetWindows,
    WindowsSet,
    decide_boundaries,
    decide_calendar,
    fold_calendar,
    found_boundaries,
    found_calendar,
)
from casework.seeds import calendar_events, catalogue_events

DATA = Path(__file__).parents[2] / "data"
GENESIS = datetime(2024, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
SOON = NOW + LEAD
YUANMINGYUAN = "110108013"

ADOPT = AdoptBoundaries(
    sha256="5f" * 32, source="自绘", accuracy_note="95%在150米内", effective_from=GENESIS
)
FOUNDED = References(
    tuple(catalogue_events(DATA / "indicators", GENESIS)),
    tuple(calendar_events(DATA / "calendar", GENESIS)),
    tuple(found_boundaries(ADOPT)),
)
YEAR = CalendarYear(
    2027, (Holiday("元旦", date(2027, 1, 1), date(2027, 1, 3)),), (date(2027, 1, 9),), "试填"
)


def a_longer_p07(since: datetime) -> list[catalogues.Event]:
    """P07 with 3 duty hours in place of 2."""
    head = catalogues.fold(FOUNDED.catalogue)
    [row] = head.indicator("P07").conditions
    row = msgspec.structs.replace(row, limit=Limit(3, Unit.DUTY_HOUR))
    revised = msgspec.structs.replace(head.indicator("P07"), conditions=(row,))
    return catalogues.decide(head, ReviseIndicator(indicator=revised, effective_from=since), NOW)


# Which version holds -------------------------------------------------------------------------


def test_a_revision_holds_from_its_time_on_and_not_a_microsecond_before() -> None:
    april = NOW + timedelta(days=40)
    references = FOUNDED.grown(catalogue=a_longer_p07(april))

    before = references.rules_at(april - timedelta(microseconds=1))
    after = references.rules_at(april)

    assert before.limit("P07", "P07-1", YUANMINGYUAN, PlaceKind.ROAD, april.date()).amount == 2
    assert after.limit("P07", "P07-1", YUANMINGYUAN, PlaceKind.ROAD, april.date()).amount == 3
    assert after.versions.catalogue == before.versions.catalogue + 1


def test_rules_an_event_names_stay_what_they_were() -> None:
    named = FOUNDED.rules_at(NOW).versions
    references = FOUNDED.grown(
        catalogue=a_longer_p07(SOON),
        calendar=decide_calendar(
            FOUNDED.calendar, PublishYear(year=YEAR, effective_from=SOON), NOW
        ),
    )

    assert references.rules_of(named) == FOUNDED.rules_of(named)
    assert references.rules_of(named) is references.rules_of(named)
    assert references.rules_at(SOON).calendar.days[2027] == YEAR
    assert references.head == Versions(named.catalogue + 1, named.calendar + 1, 1)


def test_reading_on_without_news_keeps_what_was_folded() -> None:
    assert FOUNDED.grown() is FOUNDED


def test_nothing_is_decided_before_there_are_rules() -> None:
    with pytest.raises(NotInForceYet, match="尚未生效"):
        FOUNDED.rules_at(GENESIS - timedelta(microseconds=1))
    with pytest.raises(NotInForceYet):
        References(FOUNDED.catalogue, FOUNDED.calendar).rules_at(NOW)
    with pytest.raises(NotInForceYet):
        References(FOUNDED.catalogue, (), FOUNDED.boundaries).rules_at(NOW)


@pytest.mark.parametrize("stream", ["catalogue", "calendar", "boundaries"])
def test_a_version_not_read_yet_is_an_error_and_never_an_older_one(stream: str) -> None:
    beyond = msgspec.structs.replace(FOUNDED.head, **{stream: 1000})

    with pytest.raises(LookupError, match="beyond"):
        FOUNDED.rules_of(beyond)


@given(st.lists(st.integers(0, 50), max_size=8).map(sorted), st.integers(-5, 60))
def test_the_version_in_force_is_the_highest_whose_time_has_come(
    hours: list[int], moment: int
) -> None:
    adopted = tuple(
        BoundariesAdopted(
            sha256=f"{number:064x}",
            source="试",
            accuracy_note="试",
            effective_from=GENESIS + timedelta(hours=hour),
        )
        for number, hour in enumerate(hours)
    )

    versions = References(boundaries=adopted).versions_at(GENESIS + timedelta(hours=moment))

    assert versions.boundaries == max(
        (number for number, hour in enumerate(hours, 1) if hour <= moment), default=0
    )


def test_asking_for_the_rules_takes_microseconds() -> None:
    FOUNDED.rules_at(NOW)

    best = min(timeit.repeat(lambda: FOUNDED.rules_at(NOW), number=200, repeat=20)) / 200

    assert best < 20e-6  # 1 µs on a quiet machine; folding anew takes a hundred


# Rules ---------------------------------------------------------------------------------------

RULES = FOUNDED.rules_at(NOW)


def test_a_step_has_its_limit_and_a_shorter_one_in_danger_where_one_is_set() -> None:
    assert RULES.step(Clock.REVIEW) == Limit(30, Unit.DUTY_MINUTE)
    assert RULES.step(Clock.REVIEW, danger=True) == Limit(15, Unit.MINUTE)
    assert RULES.step(Clock.DISPATCH, danger=True) == RULES.step(Clock.DISPATCH)
    with pytest.raises(KeyError):
        RULES.step(Clock.HANDLING)


def test_a_code_is_found_in_its_own_family_only() -> None:
    assert RULES.code("T99", "T").words == 10
    with pytest.raises(UnknownCode) as refused:
        RULES.code("TR1", "T")
    assert refused.value.possible == ("T01", "T02", "T03", "T04", "T05", "T06", "T99")
    with pytest.raises(UnknownCode):
        RULES.code("T07", "T")


def test_a_limit_follows_street_place_and_day() -> None:
    head = catalogues.fold(FOUNDED.catalogue)
    [row] = head.indicator("P04").conditions
    autumn = LimitOverride(
        limit=Limit(2, Unit.CALENDAR_DAY),
        streets=(YUANMINGYUAN,),
        first=date(2026, 11, 1),
        last=date(2026, 11, 30),
    )
    revised = msgspec.structs.replace(
        head.indicator("P04"), conditions=(msgspec.structs.replace(row, overrides=(autumn,)),)
    )
    change = ReviseIndicator(indicator=revised, effective_from=SOON)
    references = FOUNDED.grown(catalogue=catalogues.decide(head, change, NOW))
    rules = references.rules_at(SOON)

    def limit(street: str, on: date) -> Limit:
        return rules.limit("P04", "P04-1", street, PlaceKind.GREEN, on)

    assert limit(YUANMINGYUAN, date(2026, 11, 30)) == autumn.limit
    assert limit(YUANMINGYUAN, date(2026, 12, 1)) == row.limit
    assert limit("110108012", date(2026, 11, 30)) == row.limit
    with pytest.raises(NotInCatalogue):
        rules.limit("P99", "P99-1", YUANMINGYUAN, PlaceKind.GREEN, date(2026, 11, 30))


# Calendar ------------------------------------------------------------------------------------


def test_next_year_is_published_and_due_times_are_no_longer_provisional() -> None:
    [event] = decide_calendar(FOUNDED.calendar, PublishYear(year=YEAR, effective_from=SOON), NOW)

    calendar = fold_calendar([*FOUNDED.calendar, event])

    assert event == CalendarYearPublished(year=YEAR, effective_from=SOON)
    assert calendar.is_working_day(date(2027, 1, 9))
    assert not calendar.is_working_day(date(2027, 1, 1))
    assert calendar.version == RULES.calendar.version + 1


def test_new_windows_keep_the_years() -> None:
    longer = SetWindows(
        duty=((time(6), time(0)),), working=((time(9), time(17)),), effective_from=SOON
    )

    [event] = decide_calendar(FOUNDED.calendar, longer, NOW)
    calendar = fold_calendar([*FOUNDED.calendar, event])

    assert isinstance(event, WindowsSet)
    assert calendar.duty == longer.duty
    assert calendar.days == RULES.calendar.days


@pytest.mark.parametrize(
    ("windows", "why"),
    [
        ((), "至少要有一段"),
        (((time(9), time(9)),), "结束晚于开始"),
        (((time(12), time(9)),), "结束晚于开始"),
        (((time(9), time(12)), (time(11), time(18))), "互不重叠"),
        (((time(13), time(18)), (time(9), time(12))), "先后排列"),
        (((time(20), time(0)), (time(0), time(6))), "先后排列"),
        (((time(9, 0, 30), time(12)),), "整分钟"),
        (((time(9, tzinfo=UTC), time(12)),), "整分钟"),
    ],
)
def test_windows_out_of_order_are_refused(windows: tuple[tuple[time, time], ...], why: str) -> None:
    working = ((time(9), time(17)),)
    for command in (
        SetWindows(duty=windows, working=working, effective_from=SOON),
        SetWindows(duty=working, working=windows, effective_from=SOON),
    ):
        with pytest.raises(Missing, match=why):
            decide_calendar(FOUNDED.calendar, command, NOW)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"holidays": (Holiday("元旦", date(2027, 1, 3), date(2027, 1, 1)),)}, "颠倒"),
        ({"holidays": (*YEAR.holidays, *YEAR.holidays)}, "重叠"),
        ({"holidays": (Holiday("元旦", date(2026, 12, 31), date(2027, 1, 1)),)}, "2027年内"),
        ({"worked": (date(2028, 1, 1),)}, "2027年内"),
        ({"worked": (date(2027, 1, 11),)}, "周六或周日"),
        ({"worked": (date(2027, 1, 2),)}, "不放假"),
        ({"holidays": ()}, "出处"),
        ({"source": " "}, "出处"),
    ],
)
def test_a_notice_that_cannot_be_is_refused(fields: dict[str, object], why: str) -> None:
    year = msgspec.convert({**msgspec.structs.asdict(YEAR), **fields}, CalendarYear)

    with pytest.raises(Missing, match=why):
        decide_calendar(FOUNDED.calendar, PublishYear(year=year, effective_from=SOON), NOW)


def test_a_calendar_change_needs_notice_and_a_difference() -> None:
    same_year = PublishYear(year=RULES.calendar.days[2026], effective_from=SOON)
    same_windows = SetWindows(
        duty=RULES.calendar.duty, working=RULES.calendar.working, effective_from=SOON
    )
    for command in (same_year, same_windows):
        with pytest.raises(Missing, match="没有变化"):
            decide_calendar(FOUNDED.calendar, command, NOW)
    with pytest.raises(TakesEffectTooSoon):
        decide_calendar(FOUNDED.calendar, PublishYear(year=YEAR, effective_from=NOW), NOW)


def test_a_calendar_is_founded_on_windows_from_one_moment() -> None:
    windows = SetWindows(
        duty=((time(7), time(21)),), working=((time(9), time(17)),), effective_from=GENESIS
    )
    year = PublishYear(year=YEAR, effective_from=GENESIS)
    later = PublishYear(year=YEAR, effective_from=SOON)

    assert len(found_calendar([windows, year])) == 2
    with pytest.raises(Missing, match="值守时段"):
        found_calendar([year, windows])
    with pytest.raises(Missing, match="值守时段"):
        found_calendar([])
    with pytest.raises(Missing, match="同一时间"):
        found_calendar([windows, later])


# Boundaries ----------------------------------------------------------------------------------


def test_boundaries_are_adopted_one_after_another_and_may_go_back() -> None:
    other = msgspec.structs.replace(ADOPT, sha256="a0" * 32, effective_from=SOON)
    back = msgspec.structs.replace(ADOPT, effective_from=SOON)

    second = decide_boundaries(FOUNDED.boundaries, other, NOW)
    third = decide_boundaries([*FOUNDED.boundaries, *second], back, NOW)

    assert [event.sha256 for event in (*second, *third)] == ["a0" * 32, "5f" * 32]
    with pytest.raises(Missing, match="没有变化"):
        decide_boundaries(FOUNDED.boundaries, back, NOW)
    with pytest.raises(TakesEffectTooSoon):
        decide_boundaries(
            FOUNDED.boundaries, msgspec.structs.replace(other, effective_from=NOW), NOW
        )


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"sha256": "5F" * 32}, "SHA-256"),
        ({"sha256": "5f" * 31}, "SHA-256"),
        ({"source": ""}, "来源"),
        ({"accuracy_note": " "}, "精度"),
    ],
)
def test_boundaries_of_unknown_make_are_refused(fields: dict[str, str], why: str) -> None:
    with pytest.raises(Missing, match=why):
        found_boundaries(msgspec.structs.replace(ADOPT, **fields))


# Stored --------------------------------------------------------------------------------------


def test_every_reference_event_is_stored_under_a_name_of_its_own_and_comes_back_the_same() -> None:
    names = {kind: name for name, kind in reference.STORED_AS.items()}

    for event in (*FOUNDED.calendar, *FOUNDED.boundaries):
        assert names[type(event)]
        assert msgspec.json.decode(msgspec.json.encode(event), type=type(event)) == event
    assert not reference.STORED_AS.keys() & catalogues.STORED_AS.keys()
    assert not reference.STORED_AS.keys() & events.STORED_AS.keys()
    assert not catalogues.STORED_AS.keys() & events.STORED_AS.keys()
