"""GET /cases/{case}/clock: how the clocks of a case stand, now and at a past moment, and why."""

from datetime import timedelta

import httpx

from casework.clock_story import FOR_REPORTERS
from casework.model import Clock
from tests.api.client import ZIZHUYUAN, Body, Town, Tracked, is_problem
from tests.api.test_life_stories import handling

BETWEEN_DESKS = {str(clock) for clock in set(Clock) - FOR_REPORTERS}


def clocks_of(answer: httpx.Response) -> dict[str, Body]:
    """The newest clock of each kind."""
    assert answer.status_code == 200, answer.text
    return {reading["clock"]: reading for reading in answer.json()["clocks"]}


def with_a_pending_return(town: Town) -> Tracked:
    case = handling(town, town.citizen("市民甲"))
    town.street().act(case, "request_return", "handling", code="T01")
    return case


def test_staff_see_every_clock_with_figures_that_add_up(town: Town) -> None:
    case = with_a_pending_return(town)

    answer = town.reviewer.get(f"/cases/{case.id}/clock")

    found = clocks_of(answer)
    assert set(found) == {"review", "dispatch", "acknowledge", "handling", "return"}
    handled = found["handling"]
    assert (handled["name"], handled["round"]) == ("处置", 1)
    assert (handled["stand"], handled["stand_name"]) == ("running", "计时中")
    assert handled["in_time"] is True
    assert handled["provisional"] is False
    steps = handled["steps"]
    assert isinstance(steps, list)
    (step,) = steps
    counted = sum(stretch["counted_seconds"] for stretch in step["stretches"])
    assert counted + step["carried_seconds"] == step["limit_seconds"]
    used, remaining = handled["used_seconds"], handled["remaining_seconds"]
    assert isinstance(used, int)
    assert isinstance(remaining, int)
    assert used + remaining == step["limit_seconds"]
    lines = answer.json()["lines"]
    assert step["says"] in lines
    assert any(line.startswith("到期时间：") for line in lines)
    assert found["review"]["stand_name"] == "已停止"


def test_the_reporter_is_told_of_the_case_and_not_of_what_desks_ask_each_other(
    town: Town,
) -> None:
    case = with_a_pending_return(town)

    answer = town.citizen("市民甲").get(f"/cases/{case.id}/clock")

    found = clocks_of(answer)
    assert "handling" in found
    assert not set(found) & BETWEEN_DESKS
    assert "退回" not in answer.text
    for staff in (town.reviewer, town.street()):
        assert str(staff.account) not in answer.text
    is_problem(town.street(ZIZHUYUAN).get(f"/cases/{case.id}/clock"), 404, "unknown-case")


def test_a_past_moment_is_told_by_the_facts_up_to_it(town: Town) -> None:
    case = town.citizen("市民乙").report()
    path = f"/cases/{case.id}/clock"
    then = town.reviewer.get(path).json()["at"]
    town.reviewer.act(case, "refuse", "refused", code="N03", words="不属于上报范围。")

    now = clocks_of(town.reviewer.get(path))
    past = clocks_of(town.reviewer.get(path, as_of=then))

    assert now["review"]["stand"] == "stopped"
    assert "objection" in now
    assert past["review"]["stand"] == "running"
    assert "objection" not in past


def test_no_moment_to_come_nor_before_the_report_nor_without_its_offset(town: Town) -> None:
    case = town.citizen("市民乙").report()
    ahead = (town.clock() + timedelta(hours=1)).isoformat()
    path = f"/cases/{case.id}/clock"

    future = is_problem(town.reviewer.get(path, as_of=ahead), 422, "bad-parameter")
    before = is_problem(
        town.reviewer.get(path, as_of="2026-01-01T00:00:00+08:00"), 422, "bad-parameter"
    )
    bare = is_problem(town.reviewer.get(path, as_of="2026-05-11T09:30:00"), 422, "bad-parameter")

    assert future["detail"] == "只能查看过去的时间，请填写不晚于现在的时间。"
    assert before["detail"] == "该时间案件尚未上报，请填写上报之后的时间。"
    assert "时区" in str(bare["detail"])
