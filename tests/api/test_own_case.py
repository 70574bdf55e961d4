"""The way of a case as its reporter sees it: every status has a stage and a sentence."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from api.pages.own_case import Stand, handled_by, next_words, stages, took
from api.schemas import CaseOut, ClockOut, Step
from casework.lifecycle import Status
from casework.model import Clock

BEGAN = datetime(2026, 5, 11, 1, 30, tzinfo=UTC)


def case(status: Status, *clocks: ClockOut) -> CaseOut:
    return CaseOut(
        case_id=UUID(int=1), number="HD26051170544732", version=1, position=1, status=status,
        status_name="", street="110108011", street_name="中关村街道", certainty="inside",
        indicator=None, indicator_name=None, place_kind="road", lon=116.3, lat=39.9,
        channel="web", round=1, submitted_at=BEGAN, updated_at=BEGAN + timedelta(hours=9),
        due_at=None, due_clock=None, clocks=clocks,
    )  # fmt: skip


def steps(*names: str) -> list[Step]:
    """These steps, an hour after each other."""
    return [
        Step(at=BEGAN + timedelta(hours=n), name=name, says=name, by=None, position=n)
        for n, name in enumerate(names)
    ]


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.NEW])
def test_every_status_has_a_stage_a_sentence_and_somebody_who_has_it(status: Status) -> None:
    found = case(status)
    said = next_words(found)
    assert said.endswith("。") and "{" not in said
    assert handled_by(found)
    shown = stages(found, steps("report-submitted"))
    ended = [stage for stage in shown if stage.stand is Stand.ENDED]
    now = [stage for stage in shown if stage.stand is Stand.NOW]
    assert len(ended) + len(now) == (0 if status is Status.COMPLETED else 1)


def test_stages_tell_when_they_were_reached_and_what_is_to_come() -> None:
    told = steps("report-submitted", "case-registered", "case-dispatched", "case-acknowledged")
    shown = stages(case(Status.HANDLING), told)
    assert [stage.stand.value for stage in shown] == ["done"] * 3 + ["now"] + ["to-come"] * 2
    assert [stage.at for stage in shown[:3]] == [step.at for step in told[:3]]


def test_a_reopened_case_is_at_the_street_again_and_has_not_been_closed() -> None:
    told = steps(
        "report-submitted", "case-registered", "case-dispatched", "case-rectified",
        "case-closed", "recheck-opened", "case-reopened",
    )  # fmt: skip
    shown = stages(case(Status.DISPATCHED), told)
    assert shown[2].at == told[-1].at
    assert all(stage.at is None for stage in shown[3:])


def test_a_promise_is_that_of_the_clock_and_a_late_one_says_so() -> None:
    due = BEGAN + timedelta(minutes=30)
    clock = ClockOut(
        clock=Clock.REVIEW, due_at=due, limit="30分钟", because="", provisional=False, overdue=False
    )
    assert "5月11日 10:00前" in next_words(case(Status.SUBMITTED, clock))
    late = clock.model_copy(update={"overdue": True})
    assert "已超时" in next_words(case(Status.SUBMITTED, late))
    other = clock.model_copy(update={"clock": Clock.OBJECTION})
    assert "（" not in next_words(case(Status.SUBMITTED, other))


def test_what_it_took_is_from_the_report_to_the_last_closing() -> None:
    assert took(case(Status.SUBMITTED), steps("report-submitted")) == ""
    told = steps("report-submitted", "case-closed", "case-reopened", "case-closed")
    assert took(case(Status.CLOSED), told) == "3小时"
