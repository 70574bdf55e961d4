"""按期处置率, counted by hand: what is in the denominator, what in the numerator, by variant."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from casework.handlings import Cut, End, PastHandling
from casework.model import Limit, Outcome, PlaceKind, Unit
from projections.timeliness import (
    Part,
    Period,
    Timeliness,
    Variant,
    of_part,
    overall,
    timeliness,
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}+08:00")


APRIL = Period(at("04-01 00:00"), at("05-01 00:00"), Cut(at("05-01 00:00")))
DUE = at("04-10 10:00")
IN_TIME = {"handed_over_at": DUE, "ended_by": End.ACCEPTED, "ended_at": DUE + timedelta(hours=1)}
LATE = {**IN_TIME, "handed_over_at": DUE + timedelta(microseconds=1)}


def one(n: int = 0, /, **more: object) -> PastHandling:
    """A handling that was due on 10 April at ten; unfinished unless it is said otherwise."""
    told = {
        "case": f"{n}", "number": f"HD{n:05d}", "street": "110108011", "indicator": "P10",
        "condition": "P10-2", "place_kind": PlaceKind.ROAD, "limit": Limit(2, Unit.DUTY_HOUR),
        "dispatched_at": DUE - timedelta(hours=2), "due_at": DUE, **more,
    }  # fmt: skip
    return PastHandling(**told)  # type: ignore[arg-type]  # fields by name, as above


def counted(*handlings: PastHandling, period: Period = APRIL) -> Timeliness:
    return overall(timeliness(handlings, period))


def test_a_month_of_972_due_with_911_handed_over_and_737_in_time() -> None:
    """93.72 % handed over, 75.82 % in time; 61 are not, and each is accounted for."""
    month = [
        *(one(n, **IN_TIME) for n in range(737)),
        *(one(n, **LATE) for n in range(737, 911)),
        *(one(n) for n in range(911, 950)),
        *(one(n, handed_over_at=DUE) for n in range(950, 960)),
        *(one(n, ended_by=End.TRANSFERRED, ended_at=DUE) for n in range(960, 966)),
        *(one(n, ended_by=End.FORCE_CLOSED, ended_at=DUE) for n in range(966, 972)),
    ]

    [line] = timeliness(month, APRIL)

    rate = line.frozen
    assert (rate.due, rate.handed_over, rate.in_time) == (972, 911, 737)
    assert round(100 * rate.handed_over / rate.due, 2) == 93.72
    assert round(100 * rate.in_time / rate.due, 2) == 75.82
    assert (line.unfinished, line.waiting, line.transferred, line.force_closed) == (39, 10, 6, 6)
    assert rate.due - rate.handed_over == 39 + 10 + 6 + 6
    assert line.plain == rate and line.exempted == rate


TABLE: Mapping[str, tuple[dict[str, object], tuple[int, int, int]]] = {
    "到期那一刻反馈，按期": (IN_TIME, (1, 1, 1)),
    "迟一微秒，逾期": (LATE, (1, 1, 0)),
    "没有办结，留在分母": ({}, (1, 0, 0)),
    "已反馈未核查，还不算": ({"handed_over_at": DUE}, (1, 0, 0)),
    "转办，不进分子": ({"ended_by": End.TRANSFERRED, "ended_at": DUE}, (1, 0, 0)),
    "已反馈后强制结案，不进分子": (
        {"handed_over_at": DUE, "ended_by": End.FORCE_CLOSED, "ended_at": DUE}, (1, 0, 0)),
    "到期前退回，不在分母": ({"ended_by": End.RETURNED, "ended_at": DUE}, (0, 0, 0)),
    "到期前撤回派遣，不在分母": ({"ended_by": End.RECALLED, "ended_at": DUE}, (0, 0, 0)),
    "到期后才退回，仍是到期": (
        {"ended_by": End.RETURNED, "ended_at": DUE + timedelta(minutes=1)}, (1, 0, 0)),
    "到期后并案，仍是到期": (
        {"ended_by": End.MERGED, "ended_at": DUE + timedelta(minutes=1)}, (1, 0, 0)),
    "月初零点到期，算当月": ({"due_at": at("04-01 00:00")}, (1, 0, 0)),
    "下月零点到期，算下月": ({"due_at": at("05-01 00:00")}, (0, 0, 0)),
    "上月到期本月反馈，算上月": ({**IN_TIME, "due_at": at("03-31 23:59")}, (0, 0, 0)),
}  # fmt: skip


@pytest.mark.parametrize("why", TABLE)
def test_what_counts(why: str) -> None:
    given, expected = TABLE[why]
    rate = counted(one(**given)).frozen
    assert (rate.due, rate.handed_over, rate.in_time) == expected


def test_a_month_that_still_runs_counts_what_has_fallen_due() -> None:
    running = Period(APRIL.first, APRIL.last, Cut(DUE + timedelta(days=1)))
    soon = one(2, due_at=DUE + timedelta(days=2), handed_over_at=DUE, ended_by=End.ACCEPTED)
    assert counted(one(1), soon, period=running).frozen.due == 1


def test_an_upheld_appeal_is_taken_out_of_both_sides_of_its_own_variant_only() -> None:
    line = counted(one(1, **IN_TIME), one(2, **LATE), one(3, **LATE, exempted=True))
    assert (line.frozen.due, line.frozen.in_time, line.appeals) == (3, 1, 1)
    assert (line.exempted.due, line.exempted.in_time) == (2, 1)


def test_without_special_periods_another_due_time_decides() -> None:
    """The special period moved it from the last of March into April."""
    moved = one(1, **IN_TIME, plain_due_at=at("03-31 20:00"))
    shorter = one(2, **IN_TIME, plain_due_at=DUE - timedelta(hours=1))
    line = counted(moved, shorter)
    assert (line.frozen.due, line.frozen.in_time) == (2, 2)
    assert (line.plain.due, line.plain.in_time) == (1, 0)


def test_every_street_and_indicator_has_its_own_line_and_the_total_adds_up() -> None:
    some = [
        one(1, **IN_TIME, street="110108012"),
        one(2, **LATE, indicator="P09", outcome=Outcome.NOT_FOUND),
        one(3, **IN_TIME, staff_entered=True),
    ]
    lines = timeliness(some, APRIL)
    assert [(line.street, line.indicator, line.frozen.due) for line in lines] == [
        ("110108011", "P09", 1),
        ("110108011", "P10", 1),
        ("110108012", "P10", 1),
    ]
    total = overall(lines)
    assert (total.frozen.due, total.frozen.in_time) == (3, 2)
    assert (total.not_found, total.staff_entered) == (1, 1)


def test_behind_each_figure_are_just_its_handlings_the_first_due_first() -> None:
    late, early = one(1, **LATE), one(2, **IN_TIME, due_at=DUE)
    open_, exempt = one(3, due_at=DUE - timedelta(days=1)), one(4, **LATE, exempted=True)
    some = [late, early, open_, exempt]

    def behind(part: Part, variant: Variant = Variant.FROZEN) -> list[str]:
        return [each.case for each in of_part(some, APRIL, variant, part)]

    assert behind(Part.DUE) == ["3", "1", "2", "4"]
    assert behind(Part.IN_TIME) == ["2"] and behind(Part.LATE) == ["1", "4"]
    assert behind(Part.OPEN) == ["3"] and behind(Part.EXEMPTED) == ["4"]
    assert behind(Part.DUE, Variant.EXEMPTED) == ["3", "1", "2"]
