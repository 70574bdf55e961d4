"""申请: what waits in a case and what granting would do; the handler's link, task and photos."""

from datetime import datetime, timedelta

import httpx
import pytest

from casework.clocks import SHANGHAI
from tests.api.client import (
    NEAR_BORDER,
    XUEYUANLU,
    Caller,
    Town,
    Tracked,
    is_problem,
)


def handled(town: Town) -> Tracked:
    case = town.anonymous().report()
    town.reviewer.act(case, "register", "dispatched", indicator="P02", condition="P02-1")
    town.street().act(case, "acknowledge", "handling")
    return case


def asked(caller: Caller, case: Tracked) -> httpx.Response:
    answer = caller.get(f"/cases/{case.id}/requests", after=case.position)
    assert answer.status_code == 200, answer.text
    return answer


def test_an_extension_is_foreseen_with_its_arithmetic_before_it_is_granted(town: Town) -> None:
    case, worker = handled(town), town.street()
    before = asked(worker, case).json()["leeway"]
    assert (before["extensions_granted"], before["extensions_most"]) == (0, 1)
    assert before["extension_longest"] == "1个自然日" and before["return_until"]
    by = {"amount": 1, "unit": "calendar_day"}
    worker.act(case, "request_extension", "handling", code="E04", by=by, words="连日大风。")
    told = asked(town.supervisor, case).json()["requests"]
    (request,) = told
    assert request["more"] == "延长1个自然日" and request["code_text"] == "天气原因"
    assert request["words"] == "连日大风。" and not request["mine"]
    assert request["asked_by_name"].startswith("经办") and request["remaining"].startswith("还剩")
    assert [a["action"] for a in request["answers"]] == ["grant_extension", "deny_extension"]
    foreseen = request["granted"]
    assert any("到期时间" in line for line in foreseen["lines"]), foreseen
    version = case.version
    assert town.version_of(case) == version, "nothing happened yet"
    town.supervisor.act(case, "grant_extension", "handling")
    granted = town.supervisor.get(f"/cases/{case.id}/clock").json()["clocks"]
    (handling,) = [clock for clock in granted if clock["clock"] == "handling"]
    assert datetime.fromisoformat(handling["due_at"]) == datetime.fromisoformat(foreseen["due_at"])
    after = asked(worker, case).json()
    assert after["requests"] == []
    leeway = after["leeway"]
    assert leeway["extension_until"] is None and "1次" in leeway["extension_why_not"]


def test_who_asked_sees_the_request_and_answers_nothing(town: Town) -> None:
    case, lead = handled(town), town.lead()
    day = (town.clock() + timedelta(days=20)).astimezone(SHANGHAI).date()
    lead.act(case, "request_suspension", "handling", code="S01", resume_on=str(day))
    told = asked(lead, case).json()["requests"]
    (request,) = told
    assert request["mine"] and request["answers"] == [] and request["granted"] is None
    assert request["more"] == f"挂账至{day.year}年{day.month}月{day.day}日恢复"
    (seen,) = asked(town.supervisor, case).json()["requests"]
    assert seen["granted"]["why_not"] is None
    is_problem(town.street(XUEYUANLU).get(f"/cases/{case.id}/requests"), 404, "unknown-case")


def test_a_return_may_be_asked_for_a_quarter_of_the_limit_and_not_of_what_was_designated(
    town: Town,
) -> None:
    case = handled(town)
    before = asked(town.street(), case).json()["leeway"]
    town.street().act(case, "request_return", "handling", code="T01")
    after = asked(town.street(), case).json()["leeway"]
    assert before["return_until"] and after["return_until"] is None
    assert "最多1次" in after["return_why_not"] or "1次" in after["return_why_not"]


def test_notes_wait_with_their_number_and_words(town: Town) -> None:
    case = handled(town)
    town.supervisor.act(case, "note", "handling", words="请说明清运计划。")
    town.supervisor.act(case, "note", "handling", words="请说明责任人。")
    town.street().act(case, "answer_note", "handling", note=1, words="明日上午清运。")
    (note,) = asked(town.street(), case).json()["notes"]
    assert (note["number"], note["words"], note["by_name"]) == (2, "请说明责任人。", "督办甲")


def photos_of(caller: Caller, case: Tracked) -> list[dict[str, object]]:
    answer = caller.get(f"/cases/{case.id}/uploads")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, object]] = answer.json()
    return found


def test_a_handler_is_told_where_to_go_and_the_street_picks_from_what_comes_back(
    town: Town,
) -> None:
    case = town.anonymous().report(text="电话13900001111，楼下堆了沙发。")
    town.reviewer.act(case, "register", "dispatched", indicator="P02", condition="P02-1")
    worker = town.street()
    worker.act(case, "acknowledge", "handling")
    link = worker.act(case, "assign", "handling", handler="张师傅", upload_link=True)["upload_link"]
    handler = Caller(town, lambda: f"Upload {link}")
    task = handler.get("/handler-task")
    assert task.status_code == 200, task.text
    told = task.json()
    assert told["number"] == case.number and told["handler"] == "张师傅"
    assert told["indicator_name"] and told["standard"] and told["due_at"] and told["near"]
    assert "沙发" not in task.text and "1390000" not in task.text
    assert photos_of(worker, case) == told["uploads"] == []
    sent = handler.photo()
    (found,) = photos_of(worker, case)
    assert found["upload"] == sent["upload"]
    picture = shown(town, worker, case)
    assert picture.headers["content-type"] == "image/jpeg" and picture.content[:2] == b"\xff\xd8"
    for caller in (town.reviewer, handler):
        is_problem(
            caller.get(f"/cases/{case.id}/uploads"), 401 if caller is handler else 403,
            "unauthenticated" if caller is handler else "not-permitted",
        )  # fmt: skip
    is_problem(town.street(XUEYUANLU).get(f"/cases/{case.id}/uploads"), 404, "unknown-case")
    worker.act(case, "rectify", "rectified", outcome="rectified", photos=[sent], words="已清运。")
    town.reviewer.get(f"/cases/{case.id}", after=case.position)
    assert photos_of(worker, case) == [], "what is cited is a photo of the case"
    is_problem(handler.get("/handler-task"), 404, "unknown-case")
    guess = Caller(town, lambda: f"Upload {case.id}.guess")
    is_problem(guess.get("/handler-task"), 404, "unknown-case")


def shown(town: Town, worker: Caller, case: Tracked) -> httpx.Response:
    """The small picture of the one upload of a case, once it was looked at."""
    while True:
        (found,) = photos_of(worker, case)
        assert found["state"] in {"examining", "ready"}, found
        if found["state"] == "ready":
            break
    path = str(found["picture"]).removeprefix("/api/v1")
    answer = worker.get(path)
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.parametrize("desk", ["street-110108011", "supervisor"])
def test_who_writes_a_roster_is_told_whom_to_put_on_it(town: Town, desk: str) -> None:
    town.street()
    writer = town.lead() if desk.startswith("street") else town.supervisor
    found = writer.get("/duty-roster/accounts", desk=desk)
    assert found.status_code == 200, found.text
    names = {one["account_name"] for one in found.json()}
    if desk == "supervisor":
        assert "督办甲" in names and not any(name.startswith("经办") for name in names)
    else:
        assert "经办110108011" in names and "督办甲" not in names
    is_problem(town.lead().get("/duty-roster/accounts", desk="reviewer"), 404, "not-there")
    is_problem(town.street().get("/duty-roster/accounts", desk=desk), 403, "not-permitted")


def test_a_case_without_a_street_has_nothing_to_ask_for(town: Town) -> None:
    case = town.anonymous().report(place=NEAR_BORDER)
    told = asked(town.reviewer, case).json()
    leeway = told["leeway"]
    assert told["requests"] == told["notes"] == []
    assert {value for value in leeway.values() if value} == set()
