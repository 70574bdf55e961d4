"""Who writes the duty roster, and who is on duty at a moment."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from casework import desks
from casework.errors import Missing, NothingPending, NotPermitted
from casework.roster import (
    BACKDATED,
    FURTHEST,
    LONGEST,
    AssignDuty,
    DutyAssigned,
    DutyRemoved,
    Event,
    RemoveDuty,
    Roster,
    decide,
    duties_from,
    evolve,
    fold,
    may_see,
    on_duty,
)
from tests.history import (
    A_MICROSECOND,
    EVERYBODY,
    HAIDIAN,
    LEAD,
    SYSADMIN,
    ZHONGGUANCUN,
    mon,
    tue,
)
from tests.quickness import quickest

HERE, THERE = desks.of_street(ZHONGGUANCUN), desks.of_street(HAIDIAN)
NOW = mon("09:00")


def assign(desk: str = HERE, account: str = "甲") -> AssignDuty:
    return AssignDuty(desk=desk, account=account, begins=mon("13:00"), ends=mon("21:00"))


def assigned(
    number: int, begins: datetime, ends: datetime, account: str = "甲", desk: str = HERE
) -> DutyAssigned:
    return DutyAssigned(number=number, desk=desk, account=account, begins=begins, ends=ends)


def taken_back(number: int, until: datetime, desk: str = HERE) -> DutyRemoved:
    return DutyRemoved(number=number, desk=desk, account="甲", begins=mon("13:00"), until=until)


def test_a_desk_is_named_by_its_kind_or_its_street() -> None:
    assert HERE == "street/110108011" and desks.street_of(HERE) == ZHONGGUANCUN
    assert desks.street_of(desks.REVIEWER) is None
    for name in (desks.REVIEWER, desks.SUPERVISOR, HERE):
        assert desks.is_desk(name)
    for name in ("", "street/", "street/110109011", "street/1101080110", "checker", f"{HERE} "):
        assert not desks.is_desk(name)


def test_who_sits_where() -> None:
    seats = {
        desk: {actor.id for actor in EVERYBODY if desks.sits_at(desk, actor)}
        for desk in (desks.REVIEWER, desks.SUPERVISOR, HERE, "nowhere")
    }
    assert seats == {
        desks.REVIEWER: {"reviewer-1", "reviewer-2"},
        desks.SUPERVISOR: {"supervisor-1", "supervisor-2"},
        HERE: {"street-011", "lead-011"},
        "nowhere": set(),
    }


def test_a_duty_is_assigned_and_holds_from_its_beginning_to_before_its_end() -> None:
    (happened,) = decide(Roster(), assign(), LEAD, NOW)
    assert happened == assigned(1, mon("13:00"), mon("21:00"))
    roster = fold([happened])
    assert on_duty(roster, HERE, mon("13:00") - A_MICROSECOND) == ()
    assert on_duty(roster, HERE, mon("13:00")) == ("甲",)
    assert on_duty(roster, HERE, mon("21:00") - A_MICROSECOND) == ("甲",)
    assert on_duty(roster, HERE, mon("21:00")) == ()
    assert on_duty(roster, THERE, mon("13:00")) == ()
    assert on_duty(roster, "nowhere", mon("13:00")) == ()


def test_duties_may_overlap_and_each_account_is_told_once_the_first_to_begin_in_front() -> None:
    roster = fold(
        [
            assigned(1, mon("13:00"), mon("21:00"), "乙"),
            assigned(2, mon("08:00"), mon("17:00"), "甲"),
            assigned(3, mon("15:00"), mon("16:00"), "乙"),
        ]
    )
    assert on_duty(roster, HERE, mon("12:00")) == ("甲",)
    assert on_duty(roster, HERE, mon("15:30")) == ("甲", "乙")
    assert on_duty(roster, HERE, mon("17:00")) == ("乙",)
    assert [duty.number for duty in duties_from(roster, HERE, mon("14:00"))] == [2, 1, 3]
    assert [duty.number for duty in duties_from(roster, HERE, mon("18:00"))] == [1]


@pytest.mark.parametrize(
    ("desk", "writers"),
    [
        (desks.REVIEWER, {"sysadmin-1", "supervisor-1", "supervisor-2"}),
        (desks.SUPERVISOR, {"sysadmin-1", "supervisor-1", "supervisor-2"}),
        (HERE, {"sysadmin-1", "lead-011"}),
        (THERE, {"sysadmin-1", "lead-012"}),
    ],
)
def test_each_desk_has_its_writers(desk: str, writers: set[str]) -> None:
    there = fold([assigned(1, mon("13:00"), mon("21:00"), desk=desk)])
    for actor in EVERYBODY:
        if actor.id in writers:
            assert decide(Roster(), assign(desk), actor, NOW)
            assert decide(there, RemoveDuty(number=1), actor, NOW)
            continue
        with pytest.raises(NotPermitted, match="系统管理员"):
            decide(Roster(), assign(desk), actor, NOW)
        unseen = NotPermitted if may_see(desk, actor) else NothingPending
        with pytest.raises(unseen):
            decide(there, RemoveDuty(number=1), actor, NOW)


def test_a_street_sees_its_own_roster_only() -> None:
    readers = {
        desk: {actor.id for actor in EVERYBODY if may_see(desk, actor)}
        for desk in (desks.REVIEWER, HERE)
    }
    office = {"sysadmin-1", "supervisor-1", "supervisor-2", "reviewer-1", "reviewer-2"}
    assert readers == {desks.REVIEWER: office, HERE: office | {"street-011", "lead-011"}}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"begins": NOW - BACKDATED - A_MICROSECOND}, "不能补排"),
        ({"begins": NOW + FURTHEST + A_MICROSECOND, "ends": NOW + FURTHEST + LONGEST}, "最远"),
        ({"ends": mon("13:00")}, "晚于"),
        ({"ends": mon("13:00") + LONGEST + A_MICROSECOND}, "最长31天"),
    ],
)
def test_a_span_that_cannot_be_is_refused(changes: dict[str, datetime], says: str) -> None:
    with pytest.raises(Missing, match=says):
        decide(Roster(), replace(assign(), **changes), SYSADMIN, NOW)


def test_a_span_at_its_bounds_is_taken() -> None:
    assert decide(Roster(), replace(assign(), begins=NOW - BACKDATED), SYSADMIN, NOW)
    far = NOW + FURTHEST
    bounds = replace(assign(), begins=far, ends=far + LONGEST)
    assert decide(Roster(), bounds, SYSADMIN, NOW)


def test_no_desk_of_that_name() -> None:
    with pytest.raises(Missing, match="没有这个工作台"):
        decide(Roster(), assign("street/110105001"), SYSADMIN, NOW)


def test_a_duty_to_come_is_taken_back_as_if_it_had_never_been() -> None:
    roster = fold([assigned(1, mon("13:00"), mon("21:00"))])
    (removed,) = decide(roster, RemoveDuty(number=1), LEAD, NOW)
    assert removed == taken_back(1, NOW)
    after = evolve(roster, removed)
    assert on_duty(after, HERE, mon("13:00")) == () and after.find(1) is None
    assert after.count == 1, "a number is not given twice"
    with pytest.raises(NothingPending, match="没有这一班"):
        decide(after, RemoveDuty(number=1), LEAD, NOW)


def test_a_duty_that_has_begun_ends_now_and_was_until_then() -> None:
    roster = fold(
        [
            assigned(1, mon("08:00"), mon("21:00")),
            assigned(2, mon("08:00"), mon("21:00"), "乙"),
            taken_back(1, mon("12:00")),
        ]
    )
    assert on_duty(roster, HERE, mon("11:59")) == ("甲", "乙")
    assert on_duty(roster, HERE, mon("12:00")) == ("乙",)


@pytest.mark.parametrize("at", [mon("21:00"), tue("09:00")])
def test_what_is_over_is_not_touched(at: datetime) -> None:
    roster = fold([assigned(1, mon("08:00"), mon("21:00"))])
    with pytest.raises(NothingPending, match="不能更改"):
        decide(roster, RemoveDuty(number=1), SYSADMIN, at)


def test_a_removal_of_nothing_tells_nothing() -> None:
    roster = fold([assigned(1, mon("08:00"), mon("21:00"))])
    assert evolve(roster, taken_back(9, NOW)) == roster


# by brute force ------------------------------------------------------------------------------

SPANS = st.lists(
    st.tuples(
        st.integers(0, 90 * 24),
        st.integers(1, 31 * 24),
        st.sampled_from(["甲", "乙", "丙"]),
        st.sampled_from([HERE, THERE]),
    ),
    max_size=25,
)


@given(SPANS, st.lists(st.tuples(st.integers(1, 25), st.integers(0, 120 * 24)), max_size=5))
def test_who_is_on_duty_is_what_every_line_says(
    spans: Sequence[tuple[int, int, str, str]], removals: Sequence[tuple[int, int]]
) -> None:
    history: list[Event] = [
        assigned(
            n,
            NOW + timedelta(hours=begins),
            NOW + timedelta(hours=begins + lasts),
            account,
            desk,
        )
        for n, (begins, lasts, account, desk) in enumerate(spans, 1)
    ]
    ends = {n: begins + lasts for n, (begins, lasts, _, _) in enumerate(spans, 1)}
    for number, until in removals:
        if number in ends:
            desk = spans[number - 1][3]
            history.append(taken_back(number, NOW + timedelta(hours=until), desk))
            ends[number] = min(ends[number], until)
    roster = fold(history)
    for hour in range(0, 125 * 24, 17):
        for desk in (HERE, THERE):
            plain = {
                account
                for n, (begins, _, account, of) in enumerate(spans, 1)
                if of == desk and begins <= hour < ends[n]
            }
            told = on_duty(roster, desk, NOW + timedelta(hours=hour))
            assert set(told) == plain and len(told) == len(plain)


def test_three_years_of_a_desk_are_asked_in_microseconds() -> None:
    lines: list[Event] = [
        assigned(n, NOW + timedelta(hours=8 * n), NOW + timedelta(hours=8 * n + 9))
        for n in range(1, 3 * 365 * 3)
    ]
    roster, late = fold(lines), NOW + timedelta(days=3 * 365 - 2)

    def ask() -> None:
        for _ in range(100):
            assert on_duty(roster, HERE, late)

    assert quickest(ask, 0.2, thread_time) < 0.2
