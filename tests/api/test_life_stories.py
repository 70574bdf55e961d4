"""Whole lives of cases through HTTP, on both stores; together they take every action there is."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from api.actions import FORMS
from casework.model import Role
from tests.api.client import (
    BEIXIAGUAN,
    COMPOUND,
    INSIDE,
    NEAR_BORDER,
    PASSWORD,
    XUEYUANLU,
    ZHONGGUANCUN,
    ZIZHUYUAN,
    Caller,
    Town,
    Tracked,
)

BIKES = {"indicator": "P10", "condition": "P10-2"}
"""Two duty hours: no extension."""
BULKY = {"indicator": "C02", "condition": "C02-2"}
"""Three calendar days: two extensions."""
YES = {"solved": "yes", "satisfaction": 5, "efficiency": 5}


def rectified(town: Town, case: Tracked, street: str = ZHONGGUANCUN) -> None:
    """From the dispatched case to the hand-over."""
    worker = town.street(street)
    worker.act(case, "acknowledge", "handling")
    worker.act(
        case, "rectify", "rectified",
        outcome="rectified", photos=[worker.photo()], words="车辆已码放整齐。",
    )  # fmt: skip


def closed(town: Town, case: Tracked, by: Caller | None = None) -> None:
    """From the hand-over to the closing."""
    (by or town.reviewer).act(
        case, "close", "closed", standard_met=True, reply="单车已清运，感谢您的反映。"
    )


def dispatched(town: Town, case: Tracked) -> None:
    """From the report to the street, in one command."""
    town.reviewer.act(case, "register", "dispatched", **BIKES)


def handling(town: Town, by: Caller) -> Tracked:
    """A report of bulky rubbish that the street has taken up."""
    case = by.report(place=COMPOUND, text="小区里堆着旧家具。")
    town.reviewer.act(case, "register", "dispatched", **BULKY)
    town.street().act(case, "acknowledge", "handling")
    return case


# the stories -----------------------------------------------------------------------------


def an_anonymous_report_until_it_is_rated_solved(town: Town) -> None:
    resident = town.anonymous()
    case = resident.report(photos=2, contact="13900000000")
    holder = town.holder(case.receipt)
    town.reviewer.act(case, "claim", "submitted")
    town.reviewer.act(case, "release", "submitted")
    town.reviewer.act(
        case, "request_information", "awaiting_information", code="Q02", question="请补一张远景。"
    )
    assert "supply_information" in str(holder.sees(case)["allowed"])
    more = holder.photo(case)
    holder.act(case, "supply_information", "submitted", text="补了一张。", photos=[more])
    dispatched(town, case)
    assert holder.sees(case)["street"] == ZHONGGUANCUN
    worker = town.street()
    worker.act(case, "acknowledge", "handling")
    link = worker.act(case, "assign", "handling", handler="张师傅", upload_link=True)["upload_link"]
    handler = Caller(town, lambda: f"Upload {link}")
    after = handler.photo()
    worker.act(case, "rectify", "rectified", outcome="rectified", photos=[after], words="已清运。")
    assert handler.post("/photos", None).status_code in {404, 422}, "the link is spent"
    town.reviewer.act(case, "request_site_check", "rectified", words="请现场看一下。")
    town.checker.act(
        case, "report_site_check", "rectified",
        findings="仍有几辆。", photos=[town.checker.photo()],
    )  # fmt: skip
    town.reviewer.act(case, "order_rework", "handling", code="R02", words="还有几辆没有清走。")
    worker.act(
        case, "rectify", "rectified",
        outcome="rectified", photos=[worker.photo()], words="全部清走。",
    )  # fmt: skip
    closed(town, case)
    told = holder.get(f"/status/{case.number}", after=case.position).json()
    assert told["status_name"].startswith("已结案") and told["steps"]
    holder.act(case, "rate", "under_recheck", solved="no", satisfaction=1, efficiency=2)
    town.reviewer.act(case, "record_visit", "under_recheck", words="电话回访，仍有车辆。")
    town.second_reviewer.act(case, "reopen", "dispatched", code="V11", words="现场没有解决。")
    rectified(town, case)
    closed(town, case)
    holder.act(case, "rate", "completed", **YES, words="这次好了。")
    town.supervisor.act(case, "supervise_reopen", "dispatched", words="抽查发现照片不实。")
    steps = holder.get(f"/cases/{case.number}/timeline", after=case.position).json()["steps"]
    assert [step["position"] for step in steps] == sorted(step["position"] for step in steps)
    assert "张师傅" not in str(steps)


def a_case_at_the_border_returned_twice_and_designated(town: Town) -> None:
    case = town.citizen("市民甲").report(place=NEAR_BORDER)
    town.reviewer.act(case, "register", "registered", **BIKES)
    because = town.reviewer.sees(case)["because"]
    assert isinstance(because, str) and "界" in because
    town.reviewer.refused(case, "dispatch", 422, "missing", street=BEIXIAGUAN)
    town.reviewer.act(
        case, "dispatch", "dispatched", street=BEIXIAGUAN, reason="路东侧由北下关管护。"
    )
    first = town.street(BEIXIAGUAN)
    first.act(case, "request_return", "dispatched", code="T03")
    town.reviewer.act(case, "reject_return", "dispatched", code="TR1")
    town.reviewer.act(case, "recall", "registered", reason="先核实边界。")
    town.reviewer.act(
        case, "dispatch", "dispatched", street=BEIXIAGUAN, reason="核实后仍派北下关。"
    )
    first.act(case, "request_return", "dispatched", code="T01")
    town.reviewer.act(case, "accept_return", "registered")
    assert first.get(f"/cases/{case.id}").status_code == 404
    second = town.street(ZIZHUYUAN)
    town.reviewer.act(case, "dispatch", "dispatched", street=ZIZHUYUAN)
    second.act(case, "request_return", "dispatched", code="T01")
    town.reviewer.act(case, "accept_return", "registered")
    town.supervisor.act(case, "designate", "dispatched", street=ZIZHUYUAN, reason="先处置后定责。")
    second.refused(case, "request_return", 422, "missing", code="T01")
    rectified(town, case, ZIZHUYUAN)
    closed(town, case)


def a_long_handling_with_extension_suspension_and_coordination(town: Town) -> None:
    case = handling(town, town.citizen("市民乙"))
    worker, lead, boss = town.street(), town.lead(), town.supervisor
    worker.act(case, "claim", "handling")
    worker.act(case, "release", "handling")
    day = {"amount": 1, "unit": "calendar_day"}
    worker.act(case, "request_extension", "handling", code="E01", by=day)
    boss.act(case, "deny_extension", "handling", words="工程量不大。")
    worker.act(case, "request_extension", "handling", code="E06", by=day, words="需产权人到场。")
    due = case_due(worker, case)
    boss.act(case, "grant_extension", "handling")
    assert case_due(worker, case) > due
    worker.act(case, "request_coordination", "handling", code="K02")
    boss.act(
        case, "name_co_handler", "handling",
        body="区城管委", limit={"amount": 8, "unit": "duty_hour"},
    )  # fmt: skip
    boss.act(case, "note", "handling", words="请说明清运计划。")
    lead.act(case, "answer_note", "handling", note=1, words="明日上午清运。")
    later = (town.clock() + timedelta(days=20)).date().isoformat()
    lead.act(case, "request_suspension", "handling", code="S02", resume_on=later)
    boss.act(case, "deny_suspension", "handling", words="不属于工程。")
    lead.act(case, "request_suspension", "handling", code="S02", resume_on=later)
    boss.act(case, "grant_suspension", "suspended")
    worker.act(case, "resume", "handling")
    boss.act(case, "reclassify", "handling", indicator="C01", condition="C01-1", reason="是死角。")
    boss.act(
        case, "correct_place", "handling",
        place={**COMPOUND, "lon": 116.3238, "address": "科育小区"}, reason="定位偏了。",
    )  # fmt: skip
    explained = worker.get(f"/cases/{case.id}/clock").json()["lines"]
    assert len(explained) > 8
    worker.act(
        case, "rectify", "rectified",
        outcome="rectified", photos=[worker.photo()], words="已清运。",
    )  # fmt: skip
    closed(town, case)


def case_due(by: Caller, case: Tracked) -> str:
    due = by.sees(case)["due_at"]
    assert isinstance(due, str)
    return due


def a_refusal_objected_to_then_registered_and_revoked(town: Town) -> None:
    resident = town.citizen("市民丙")
    case = resident.report()
    town.reviewer.act(case, "reclassify", "submitted", indicator="P09", reason="像是占盲道。")
    town.reviewer.act(case, "refuse", "refused", code="N05", words="照片看不清。")
    resident.act(case, "object", "submitted", words="照片是清楚的。")
    town.reviewer.refused(case, "register", 403, "conflict-of-interest", **BIKES)
    town.second_reviewer.act(case, "register", "registered", **BIKES, dispatch=False)
    town.reviewer.act(case, "revoke_registration", "registered", code="X02", words="范围误判。")
    town.supervisor.act(case, "decline_second", "registered", words="范围没有问题。")
    town.reviewer.act(case, "revoke_registration", "registered", code="X03", words="类别误判。")
    town.supervisor.act(case, "confirm_revocation", "refused")
    resident.refused(case, "object", 409, "exhausted", words="再次异议。")


def two_reports_of_one_matter_merged_and_both_rated(town: Town) -> None:
    one, two, three = (town.citizen(f"市民{name}") for name in "丁戊己")
    first, second = one.report(), two.report(text="同一处单车。")
    one.act(first, "add_information", "submitted", text="今天更多了。")
    three.act(first, "join", "submitted", text="我也遇到。")
    town.reviewer.act(second, "merge", "merged", primary=first.id)
    town.reviewer.act(second, "unmerge", "submitted", reason="再看一下。")
    first.version, first.position = town.version_of(first), second.position
    three.act(first, "withdraw", "submitted")
    dispatched(town, first)
    town.reviewer.act(second, "merge", "merged", primary=first.id)
    assert two.sees(second)["merged_into"] == first.id
    first.version = town.version_of(first)
    first.position = second.position
    rectified(town, first)
    closed(town, first)
    one.act(first, "rate", "closed", **YES)
    # Whoever reported the merged case rates through it, too.
    answer = two.post(f"/cases/{second.id}/rate", YES)
    assert answer.status_code == 200, answer.text
    assert answer.json()["case_id"] == first.id and answer.json()["status"] == "completed"


def a_report_taken_back(town: Town) -> None:
    resident = town.citizen("市民庚")
    case = resident.report()
    resident.act(case, "withdraw", "withdrawn")
    mine = resident.get("/my/cases", after=case.position).json()
    assert [c["status"] for c in mine if c["number"] == case.number] == ["withdrawn"]


def a_transfer_by_two_people_and_an_appeal_upheld(town: Town) -> None:
    case = handling(town, town.citizen("市民辛"))
    out = {"body": "市水务局", "number": "SW-2026-118"}
    town.supervisor.act(case, "transfer_out", "handling", **out)
    town.supervisor.refused(case, "confirm_transfer_out", 403, "conflict-of-interest")
    town.second_supervisor.act(case, "decline_second", "handling", words="仍由街镇主办。")
    town.supervisor.act(case, "transfer_out", "handling", **out, words="已与对方确认。")
    town.reviewer.act(case, "confirm_transfer_out", "closed")
    town.lead().act(case, "appeal", "closed", code="A07", words="责任属外单位。")
    town.supervisor.refused(case, "uphold_appeal", 403, "conflict-of-interest")
    town.second_supervisor.act(case, "uphold_appeal", "closed", words="属实。")


def a_forced_closing_by_two_people_and_an_appeal_dismissed(town: Town) -> None:
    case = handling(town, town.citizen("市民壬"))
    town.supervisor.act(case, "request_force_close", "handling", code="F01", words="现场已拆除。")
    town.supervisor.refused(case, "confirm_force_close", 403, "conflict-of-interest")
    town.second_supervisor.act(case, "confirm_force_close", "closed")
    town.lead().act(case, "appeal", "closed", code="A04", words="系统故障所致。")
    third = town.staff("督办丙", Role.SUPERVISOR)
    third.act(case, "dismiss_appeal", "closed", code="AD1")


def a_recheck_upheld_by_one_who_did_not_close(town: Town) -> None:
    resident = town.citizen("市民癸")
    case = resident.report()
    dispatched(town, case)
    rectified(town, case)
    closed(town, case)
    resident.act(case, "rate", "under_recheck", solved="partly", satisfaction=3, efficiency=3)
    evidence = [town.second_reviewer.photo()]
    closer = {"code": "V01", "words": "现场已解决。", "photos": evidence}
    town.reviewer.refused(
        case, "uphold", 403, "conflict-of-interest", code="V01", words="现场已解决。"
    )
    town.second_reviewer.act(case, "uphold", "completed", **closer)
    resident.refused(case, "rate", 409, "exhausted", **YES)


def a_report_of_another_platform(town: Town) -> None:
    platform, other = town.partner("12345热线"), town.partner("网络问政")
    case = platform.report(
        source_channel="hotline",
        external_refs=[{"platform": "12345", "number": "20260511-00087"}],
    )
    assert platform.sees(case)["channel"] == "hotline"
    assert other.get(f"/cases/{case.id}").status_code == 404
    listed = platform.get("/cases", after=case.position, limit=200).json()["cases"]
    assert case.id in {c["case_id"] for c in listed}
    dispatched(town, case)
    assert platform.sees(case)["status"] == "dispatched"


def a_report_entered_by_staff_is_closed_by_others(town: Town) -> None:
    case = town.reviewer.report(source_channel="desk", photos=1)
    town.second_reviewer.act(
        case, "correct_place", "submitted",
        place={**INSIDE, "lon": 116.34252, "lat": 39.99685}, reason="市民说在学院路。",
    )  # fmt: skip
    town.second_reviewer.act(case, "register", "dispatched", **BIKES)
    assert town.second_reviewer.sees(case)["on_behalf"] is True
    rectified(town, case, XUEYUANLU)
    town.reviewer.refused(
        case, "close", 403, "conflict-of-interest", standard_met=True, reply="已办结。"
    )
    closed(town, case, town.second_reviewer)


def what_nobody_answers_the_clock_decides(town: Town) -> None:
    asked, rated = town.citizen("市民子").report(), town.citizen("市民丑").report()
    town.reviewer.act(
        asked, "request_information", "awaiting_information", code="Q01", question="在哪个门？"
    )
    dispatched(town, rated)
    rectified(town, rated)
    closed(town, rated)
    assert town.reviewer.sees(rated)["status"] == "closed"
    town.forward(days=16)
    assert town.status_in_the_end(asked) == "submitted"
    assert town.status_in_the_end(rated) == "completed"


STORIES = (
    an_anonymous_report_until_it_is_rated_solved,
    a_case_at_the_border_returned_twice_and_designated,
    a_long_handling_with_extension_suspension_and_coordination,
    a_refusal_objected_to_then_registered_and_revoked,
    two_reports_of_one_matter_merged_and_both_rated,
    a_report_taken_back,
    a_transfer_by_two_people_and_an_appeal_upheld,
    a_forced_closing_by_two_people_and_an_appeal_dismissed,
    a_recheck_upheld_by_one_who_did_not_close,
    a_report_of_another_platform,
    a_report_entered_by_staff_is_closed_by_others,
    what_nobody_answers_the_clock_decides,
)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_through_http_goes(town: Town, story: Callable[[Town], None]) -> None:
    town.told.add(story.__name__)
    story(town)


def test_together_the_stories_take_every_action_there_is(town: Town) -> None:
    for story in STORIES:
        if story.__name__ not in town.told:
            story(town)
    assert town.taken == set(FORMS)


def test_staff_sign_in_with_their_password_and_out_again(town: Town) -> None:
    town.reviewer.get("/me")
    answer = town.http.post("/api/v1/sessions", json={"name": "审核甲", "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    headers = {"Authorization": f"Bearer {answer.json()['token']}"}
    assert town.http.get("/api/v1/me", headers=headers).json()["roles"] == ["reviewer"]
    assert town.http.delete("/api/v1/sessions/current", headers=headers).status_code == 204
    assert town.http.get("/api/v1/me", headers=headers).status_code == 401
