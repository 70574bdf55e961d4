"""The same matter on another platform is one case; the same thing at the same spot recurs."""

from uuid import UUID, uuid4

from casework.events import CaseRegistered
from tests.api.client import INSIDE, Town, is_problem
from tests.api.test_life_stories import YES, closed, dispatched, rectified


def test_the_same_number_of_the_same_platform_is_one_case(town: Town) -> None:
    partner = town.partner("接诉即办")
    refs = [{"platform": "12345", "number": f"GD-{town.pictures}-{id(town)}"}]
    case = partner.report(external_refs=refs)
    body = {"place": INSIDE, "text": "同一件事又推送了一次。", "no_photo_reason": "phone_call"}
    again = partner.post("/reports", body | {"external_refs": refs})
    problem = is_problem(again, 409, "already-reported")
    assert case.number in str(problem["detail"])
    other = [{"platform": "网络问政", "number": refs[0]["number"]}]
    assert partner.report(external_refs=other).id != case.id


def test_a_citizen_cannot_try_numbers_of_other_platforms(town: Town) -> None:
    refs = [{"platform": "12345", "number": "GD-1"}]
    body = {"place": INSIDE, "text": "试试。", "no_photo_reason": "gone", "external_refs": refs}
    someone = town.anonymous()
    is_problem(someone.post("/reports", body, key=someone.draft), 422, "missing")


def test_the_same_thing_at_the_same_spot_within_thirty_days_is_its_recurrence(town: Town) -> None:
    citizen = town.citizen("反复市民")
    spot = {**INSIDE, "lon": 116.3255, "lat": 39.9795}
    first = citizen.report(place=spot)
    dispatched(town, first)
    rectified(town, first)
    closed(town, first)
    citizen.act(first, "rate", "completed", **YES)
    town.reviewer.sees(first)
    second = citizen.report(place=spot)
    dispatched(town, second)
    town.reviewer.sees(second)
    history = town.parts.casework.history(UUID(second.id))
    assert [
        str(recorded.event.recurrence_of)
        for recorded in history
        if isinstance(recorded.event, CaseRegistered)
    ] == [first.id]
    elsewhere = citizen.report(place={**spot, "lon": 116.3240})
    dispatched(town, elsewhere)
    registered = [
        recorded.event
        for recorded in town.parts.casework.history(UUID(elsewhere.id))
        if isinstance(recorded.event, CaseRegistered)
    ]
    assert [event.recurrence_of for event in registered] == [None]


def test_whoever_leaves_a_case_is_nobody_there_and_gets_the_same_answer_again(town: Town) -> None:
    first, joiner = town.anonymous(), town.anonymous()
    case = first.report()
    joined = joiner.post(f"/cases/{case.id}/join", {}, key=joiner.draft)
    assert joined.status_code == 200, joined.text
    holder, other = town.holder(case.receipt), town.holder(joined.json()["receipt"])
    key = str(uuid4())
    left = holder.post(f"/cases/{case.id}/withdraw", {}, key=key)
    assert left.status_code == 200, left.text
    again = holder.post(f"/cases/{case.id}/withdraw", {}, key=key)
    assert (again.status_code, again.json()) == (200, left.json())
    is_problem(
        holder.post(f"/cases/{case.id}/add-information", {"text": "还在"}), 404, "unknown-case"
    )
    is_problem(holder.get(f"/cases/{case.id}"), 404, "unknown-case")
    assert other.get(f"/cases/{case.id}").status_code == 200
    added = other.post(f"/cases/{case.id}/add-information", {"text": "我还在等。"})
    assert added.status_code == 200, added.text
