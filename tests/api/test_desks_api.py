"""工作台 over HTTP: the reviewers', the supervisors', the 街镇's own counts."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from api.shown import remaining
from tests.api.client import (
    BEIXIAGUAN,
    INSIDE,
    NEAR_BORDER,
    XUEYUANLU,
    ZHONGGUANCUN,
    Body,
    Town,
    Tracked,
    is_problem,
    picture,
)


def dispatched(town: Town) -> Tracked:
    case = town.anonymous().report()
    town.reviewer.act(case, "register", "dispatched", indicator="P02", condition="P02-1")
    return case


def numbers(section: object) -> set[str]:
    assert isinstance(section, dict)
    return {case["number"] for case in section["cases"]}


def supervisors(town: Town, **query: str) -> dict[str, list[Body]]:
    head = town.parts.casework.eventlog.head()
    answer = town.supervisor.get("/desk/supervisor", after=head, limit=200, **query)
    assert answer.status_code == 200, answer.text
    told: dict[str, list[Body]] = answer.json()
    return told


def test_the_reviewers_desk_tells_its_work_by_kind(town: Town) -> None:
    danger = town.anonymous().report(text="路口的井盖不见了，有人差点掉下去。")
    border = town.anonymous().report(place=NEAR_BORDER)
    town.reviewer.act(border, "register", "registered", indicator="P02", condition="P02-1")
    asks = dispatched(town)
    town.street().act(asks, "request_return", "dispatched", code="T01")
    head = town.parts.casework.eventlog.head()
    desk = town.reviewer.get("/desk/reviewer", after=head, limit=100).json()
    assert danger.number in numbers(desk["urgent"]) and desk["urgent"]["name"] == "紧急"
    assert border.number in numbers(desk["border"])
    (back,) = [case for case in desk["returns"]["cases"] if case["number"] == asks.number]
    assert back["clock_name"] == "退回审核" and back["remaining"].startswith("还剩")
    assert desk["by_status"]["submitted"] >= 1 and desk["as_of"] >= head
    assert desk["to_review"]["count"] == desk["by_status"]["submitted"]
    assert border.number not in numbers(desk["to_dispatch"])
    assert desk["to_dispatch"]["name"] == "待派遣"
    assert danger.number in numbers(
        town.supervisor.get("/desk/reviewer", limit=100).json()["urgent"]
    )
    for caller in (town.street(), town.checker):
        is_problem(caller.get("/desk/reviewer"), 403, "not-permitted")


def reviewers(town: Town) -> Body:
    head = town.parts.casework.eventlog.head()
    desk: Body = town.reviewer.get("/desk/reviewer", after=head, limit=100).json()
    return desk


def spot(lon: float, lat: float) -> Body:
    return {**INSIDE, "lon": lon, "lat": lat}


def test_a_report_that_repeats_an_earlier_open_one_is_suspected(town: Town) -> None:
    here, near, far = spot(116.3301, 39.9791), spot(116.33012, 39.97915), spot(116.3301, 39.9809)
    first = town.anonymous().report(place=here)
    again = town.anonymous().report(place=near, text="人行道被共享单车堵住了。")
    other = town.anonymous().report(place=far)
    told = reviewers(town)["duplicates"]
    assert isinstance(told, dict)
    found, like = numbers(told), told["like"]
    assert again.number in found and like[again.number] == first.number
    assert first.number not in found, "the earlier one is not the repetition"
    assert other.number not in found, "200 m away is another place"
    town.reviewer.act(first, "refuse", "refused", code="N03", words="不属于受理范围，请拨打12345。")
    assert again.number not in numbers(reviewers(town)["duplicates"]), "what ended is not repeated"


def test_one_and_the_same_picture_is_suspected_across_some_streets(town: Town) -> None:
    shot = picture(9_041)

    def sends(lat: float) -> Tracked:
        caller = town.anonymous()
        answer = town.http.post(
            "/api/v1/photos",
            files={"file": ("p.jpg", shot, "image/jpeg")},
            headers={"Draft": caller.draft or ""},
        )
        cited = {"upload": answer.json()["upload"], "source": "album"}
        body = {"place": spot(116.3181, lat), "text": "垃圾桶满了。", "photos": [cited]}
        told = caller.post("/reports", body, key=caller.draft).json()
        return Tracked(
            told["case_id"], told["case_number"], told["version"], told["position"], "submitted"
        )

    first, again, too_far = sends(39.9781), sends(39.9826), sends(39.9921)
    for case in (first, again, too_far):
        until_examined(town, case)
    told = reviewers(town)["duplicates"]
    assert isinstance(told, dict)
    assert told["like"].get(again.number) == first.number
    assert told["like"].get(too_far.number) is None, "over a kilometre from both"


def until_examined(town: Town, case: Tracked) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        head = town.parts.casework.eventlog.head()
        photos = town.reviewer.get(f"/cases/{case.id}/photos", after=head).json()["photos"]
        if all(photo["state"] == "ready" for photo in photos):
            return
    raise AssertionError("nobody examined the photos")


def test_the_supervisors_desk_tells_who_is_late_and_what_waits(town: Town) -> None:
    case = dispatched(town)
    street, worker = ZHONGGUANCUN, town.street()
    worker.act(case, "acknowledge", "handling")
    town.supervisor.act(case, "note", "handling", words="请说明清运计划。")
    worker.act(
        case, "request_extension", "handling", code="E01", by={"amount": 1, "unit": "calendar_day"}
    )
    before = supervisors(town, street=street)
    (note,) = [each for each in before["notes"] if each["number"] == case.number]
    assert (note["request_name"], note["clock_name"]) == ("督办", "督办答复")
    (waits,) = [each for each in before["decisions"] if each["number"] == case.number]
    assert (waits["request_name"], waits["clock"]) == ("申请延期", "extension")
    assert case.number not in {each["number"] for each in before["overdue"]}
    worker.act(case, "answer_note", "handling", note=1, words="明日上午清运。")
    town.forward(days=2)
    after = supervisors(town, street=street)
    assert case.number not in {each["number"] for each in after["notes"]}
    (late,) = [each for each in after["overdue"] if each["number"] == case.number]
    assert late["overdue"] and str(late["remaining"]).startswith("已超期26值守时")
    (by_street,) = after["by_street"]
    assert by_street["street"] == street and str(by_street["longest"]).startswith("已超期")
    is_problem(town.reviewer.get("/desk/supervisor"), 403, "not-permitted")


def test_a_streets_desk_counts_what_is_asked_of_it(town: Town) -> None:
    head = town.parts.casework.eventlog.head()
    before = town.street().get("/desk/street", after=head).json()
    case = dispatched(town)
    after = town.street().get("/desk/street", after=case.position).json()
    assert after["to_acknowledge"] == before["to_acknowledge"] + 1
    assert after["due_today"] == before["due_today"] + 1
    for name in ("again", "dissatisfied", "suspensions_ending"):
        assert after[name] == before[name]
    assert town.street(XUEYUANLU).get("/desk/street").json()["street"] == XUEYUANLU
    assert town.street(BEIXIAGUAN).get("/desk/street").json()["street"] == BEIXIAGUAN


NOW = datetime(2026, 5, 11, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left", "says"),
    [
        (timedelta(0), "还剩不足1分钟"),
        (timedelta(seconds=59), "还剩不足1分钟"),
        (timedelta(minutes=80), "还剩1小时20分钟"),
        (timedelta(days=2, minutes=3), "还剩2天3分钟"),
        (-timedelta(seconds=1), "已超期不足1分钟"),
        (-timedelta(days=1, hours=1), "已超期1天1小时"),
    ],
)
def test_what_is_left_is_told_in_words(left: timedelta, says: str) -> None:
    assert remaining(NOW + left, NOW) == says


def test_a_streets_desk_lists_its_cases_by_what_is_asked_first(town: Town) -> None:
    case, noted = dispatched(town), dispatched(town)
    town.street().act(noted, "acknowledge", "handling")
    town.supervisor.act(noted, "note", "handling", words="请说明清运计划。")
    desk = town.street().get("/desk/street", after=noted.position).json()
    sections = {section["key"]: section for section in desk["sections"]}
    assert [section["name"] for section in desk["sections"]] == [
        "督办待答复", "超期", "今日到期", "待签收",
        "返工/重办", "群众不满意", "挂账到期", "申请待答复", "可申诉", "全部在办",
    ]  # fmt: skip
    tasks = {task["case"]["number"]: task for task in sections["to_acknowledge"]["tasks"]}
    waits = tasks[case.number]
    assert (waits["clock"], waits["clock_name"], waits["overdue"]) == ("acknowledge", "签收", False)
    assert waits["remaining"].startswith("还剩") and not waits["again"]
    (note,) = [t for t in sections["notes"]["tasks"] if t["case"]["number"] == noted.number]
    assert note["case"]["pending"] == ["note"]
    for key in ("overdue", "due_today", "to_acknowledge", "again", "dissatisfied"):
        assert sections[key]["count"] == desk[key]
    assert sections["tasks"]["count"] == len(sections["tasks"]["tasks"]) == len(desk["tasks"])


def test_the_supervisors_desk_tells_what_is_about_to_be_late_and_what_is_in_doubt(
    town: Town,
) -> None:
    case = dispatched(town)
    street, worker = ZHONGGUANCUN, town.street()
    worker.act(case, "acknowledge", "handling")
    near = supervisors(town, street=street)
    assert case.number in {each["number"] for each in near["due_soon"]}
    back = worker.photo()
    worker.act(case, "rectify", "rectified", outcome="rectified", photos=[back], words="已清走。")
    town.reviewer.act(case, "order_rework", "handling", code="R05", words="照片不是现场照片。")
    doubt = supervisors(town, street=street)
    (found,) = [each for each in doubt["suspected"] if each["number"] == case.number]
    assert (found["code"], found["status_name"], found["round"]) == ("R05", "处置中", 1)
    counts = town.supervisor.get("/desk/supervisor").json()["counts"]
    assert {"due_soon", "returned", "suspected", "rebounds"} <= counts.keys()
