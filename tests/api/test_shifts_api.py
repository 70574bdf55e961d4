"""交接班 over HTTP: what is left is listed, signed by one and taken over by another."""

from uuid import uuid4

from api.duty import shift_stream
from casework.model import Role
from casework.shifts import ShiftHandedOver
from tests.api.client import (
    BEIXIAGUAN,
    ZHONGGUANCUN,
    ZIZHUYUAN,
    Body,
    Caller,
    Town,
    is_problem,
)

HERE = f"street-{ZHONGGUANCUN}"
THERE = f"street-{BEIXIAGUAN}"


def handed_over(by: Caller, desk: str = HERE, words: str = "", key: str | None = None) -> Body:
    answer = by.post(f"/shifts/{desk}/hand-over", {"words": words}, key=key)
    assert answer.status_code == 201, answer.text
    told: Body = answer.json()
    return told


def answered(
    by: Caller, shift: Body, how: str, form: object = None, key: str | None = None
) -> Body:
    path = f"/shifts/{shift['desk']}/{shift['number']}/{how}"
    answer = by.post(path, form, key=key)
    assert answer.status_code == 200, answer.text
    told: Body = answer.json()
    return told


def test_a_street_hands_over_what_is_left_and_another_account_takes_it_over(town: Town) -> None:
    worker, lead = town.street(), town.lead()
    case = town.anonymous().report()
    town.reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
    draft = worker.get(f"/shifts/{HERE}/draft", after=case.position).json()
    items = {(item["number"], item["clock"]) for item in draft["summary"]["items"]}
    assert (case.number, "acknowledge") in items and (case.number, "handling") in items
    assert draft["desk_name"] == "中关村街道工作台"
    made = handed_over(worker, words="李先生电话13900001234，已约下午。")
    assert made["state_name"] == "待接班" and made["handed_over_by_name"] == f"经办{ZHONGGUANCUN}"
    summary = made["summary"]
    assert isinstance(summary, dict)
    assert summary["open"] == draft["summary"]["open"] and summary["near_due"] >= 2
    assert "13900001234" not in str(made["words"]) and "已约下午" in str(made["words"])
    taken = answered(lead, made, "take-over")
    assert (taken["state"], taken["answered_by_name"]) == ("taken_over", f"负责{ZHONGGUANCUN}")
    town.street().act(case, "acknowledge", "handling")
    page = worker.get(f"/shifts/{HERE}").json()
    assert page["shifts"][0] == taken, "what was handed over stays as it was seen"


def test_what_is_stored_is_masked_and_holds_no_name_of_an_account(town: Town) -> None:
    made = handed_over(town.street(ZIZHUYUAN), f"street-{ZIZHUYUAN}", "请回电 13800001111")
    log = town.parts.casework.eventlog
    (first, *_) = log.history(shift_stream(f"street/{ZIZHUYUAN}"))
    assert isinstance(first.event, ShiftHandedOver)
    assert "13800001111" not in str(first.event) and "经办" not in str(first.event)
    answered(town.street(ZIZHUYUAN), made, "withdraw")


def test_nobody_signs_twice_and_each_hand_over_is_answered_once(town: Town) -> None:
    first, second = town.reviewer, town.second_reviewer
    made = handed_over(first, "reviewer")
    again = first.post("/shifts/reviewer/hand-over", {})
    assert "等待接班" in str(is_problem(again, 409, "nothing-pending")["detail"])
    path = f"/shifts/reviewer/{made['number']}"
    is_problem(first.post(f"{path}/take-over"), 403, "conflict-of-interest")
    is_problem(second.post(f"{path}/withdraw"), 403, "conflict-of-interest")
    is_problem(second.post(f"{path}/decline", {"words": ""}), 422, "invalid")
    declined = answered(second, made, "decline", {"words": "清单第一件已办结。"})
    assert (declined["state"], declined["answer"]) == ("declined", "清单第一件已办结。")
    for how, by, form in (
        ("take-over", second, None),
        ("decline", second, {"words": "再看"}),
        ("withdraw", first, None),
    ):
        is_problem(by.post(f"{path}/{how}", form), 409, "nothing-pending")
    is_problem(second.post("/shifts/reviewer/100000/take-over"), 404, "not-there")
    withdrawn = answered(first, handed_over(first, "reviewer"), "withdraw")
    assert withdrawn["state_name"] == "已撤回"


def test_the_same_request_is_one_hand_over(town: Town) -> None:
    key, other = str(uuid4()), str(uuid4())
    made = handed_over(town.supervisor, "supervisor", key=key)
    assert handed_over(town.supervisor, "supervisor", key=key) == made
    changed = town.supervisor.post("/shifts/supervisor/hand-over", {"words": "别的"}, key=key)
    is_problem(changed, 422, "key-reused")
    taken = answered(town.second_supervisor, made, "take-over", key=other)
    assert answered(town.second_supervisor, made, "take-over", key=other) == taken
    assert handed_over(town.supervisor, "supervisor", key=key)["state"] == "taken_over"


def test_a_street_sees_its_own_desk_only_and_a_supervisor_all(town: Town) -> None:
    worker = town.street()
    for desk in (THERE, "reviewer", "supervisor", "street-110108999", "nothing"):
        for path in (f"/shifts/{desk}", f"/shifts/{desk}/draft"):
            is_problem(worker.get(path), 404, "not-there")
        is_problem(worker.post(f"/shifts/{desk}/hand-over", {}), 404, "not-there")
    is_problem(town.reviewer.get(f"/shifts/{HERE}"), 404, "not-there")
    for desk in (HERE, "reviewer"):
        assert town.supervisor.get(f"/shifts/{desk}").status_code == 200
        assert town.supervisor.get(f"/shifts/{desk}/draft").status_code == 200
        refused = town.supervisor.post(f"/shifts/{desk}/hand-over", {})
        is_problem(refused, 403, "not-permitted")
    is_problem(town.checker.get(f"/shifts/{HERE}"), 403, "not-permitted")


def test_the_list_goes_on_page_by_page_the_newest_first(town: Town) -> None:
    worker, desk = town.street(BEIXIAGUAN), THERE
    numbers = []
    for _ in range(3):
        made = handed_over(worker, desk)
        numbers.append(made["number"])
        answered(worker, made, "withdraw")
    seen: list[int] = []
    query: dict[str, str | float] = {"limit": 2}
    while True:
        page = worker.get(f"/shifts/{desk}", **query).json()
        seen += [shift["number"] for shift in page["shifts"]]
        if page["next"] is None:
            break
        query["before"] = page["next"]
    assert seen == sorted(seen, reverse=True) and seen[:3] == numbers[::-1] and seen[-1] == 1


def test_the_desks_of_reviewers_and_supervisors_hand_over_what_is_theirs(town: Town) -> None:
    worker = town.street()
    waits, asks = town.anonymous().report(), town.anonymous().report()
    town.reviewer.act(asks, "register", "dispatched", indicator="P02", condition="P02-1")
    worker.act(asks, "acknowledge", "handling")
    by = {"amount": 1, "unit": "calendar_day"}
    worker.act(asks, "request_extension", "handling", code="E01", by=by)
    worker.act(asks, "request_return", "handling", code="T01")
    town.supervisor.post(f"/cases/{asks.id}/note", {"words": "请说明清运计划。"})
    head = town.parts.casework.eventlog.head()

    def items(by: Caller, desk: str) -> set[tuple[str, str]]:
        told = by.get(f"/shifts/{desk}/draft", after=head).json()["summary"]
        return {(item["number"], item["clock"]) for item in told["items"]}

    at_review = items(town.reviewer, "reviewer")
    assert (waits.number, "review") in at_review and (asks.number, "handling") not in at_review
    at_street = items(worker, HERE)
    assert (asks.number, "note") in at_street and (asks.number, "handling") not in at_street
    at_supervision = items(town.supervisor, "supervisor")
    assert (asks.number, "note") in at_supervision
    assert (waits.number, "review") not in at_supervision
    assert (asks.number, "extension") in at_supervision - at_review
    assert (asks.number, "return") in at_review - at_supervision
    assert {(asks.number, "extension"), (asks.number, "return")} <= at_street


def test_signatures_and_refusals_stand_in_the_trail(town: Town) -> None:
    worker = town.street(BEIXIAGUAN)
    made = handed_over(worker, THERE)
    answered(town.lead(BEIXIAGUAN), made, "take-over")
    auditor = town.staff("审计甲", Role.AUDITOR)
    rows = auditor.get("/audit", target=f"shift/{THERE}/{made['number']}").json()["rows"]
    assert [row["action"] for row in rows] == ["shifts.take_over", "shifts.hand_over"]
    worker.post(f"/shifts/{THERE}/{made['number']}/withdraw")
    assert town.refusals()[0].entry.action == "shifts.withdraw"
