"""指标目录 over HTTP: in words, changed by two people from a time on, tried out before."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from casework.application import CATALOGUE, change_stream
from casework.catalogue import IndicatorRevised
from casework.model import Role
from casework.proposals import ChangeConfirmed
from tests.api.client import (
    Body,
    Caller,
    Town,
    is_problem,
    town_on_its_store,
)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def town(request: pytest.FixtureRequest) -> Iterator[Town]:
    """A town of its own: these tests change what everybody decides by."""
    with town_on_its_store(request) as found:
        yield found


@pytest.fixture(scope="module")
def sysadmin(town: Town) -> Caller:
    return town.staff("系统甲", Role.SYSADMIN)


def catalogue(town: Town, **query: int) -> dict[str, Body]:
    answer = town.anonymous().get("/indicators", **query)
    assert answer.status_code == 200, answer.text
    return {indicator["code"]: indicator for indicator in answer.json()["indicators"]}


def in_force(town: Town) -> int:
    version: int = town.anonymous().get("/indicators").json()["version"]
    return version


def soon(town: Town, **much: float) -> str:
    return (town.clock() + timedelta(**(much or {"minutes": 5}))).isoformat()


def bikes(hours: int) -> Body:
    """P10 with another limit for its second row."""
    return {
        "name": "非机动车乱停放",
        "group": "公共区域",
        "sample": True,
        "conditions": [
            {
                "id": "P10-1",
                "condition": "地铁出入口高峰时段淤积",
                "limit": {"amount": 1, "unit": "duty_hour"},
                "standard": "出入口通行顺畅",
                "place_kinds": ["metro_exit"],
            },
            {
                "id": "P10-2",
                "condition": "未在停车区内停放",
                "limit": {"amount": hours, "unit": "duty_hour"},
                "standard": "车辆入位码放整齐",
                "overrides": [
                    {
                        "limit": {"amount": 1, "unit": "duty_hour"},
                        "streets": ["110108011"],
                        "first": "2027-01-01",
                    }
                ],
            },
        ],
        "parties": {"road": "单车企业"},
        "keywords": ["单车"],
    }


def propose(sysadmin: Caller, hours: int, since: str, key: str | None = None) -> httpx.Response:
    form = {"indicator": bikes(hours), "effective_from": since, "reason": "夏季骑行增多"}
    return sysadmin.post("/indicators/P10/revise", form, key=key)


# reading ---------------------------------------------------------------------------------


def test_anybody_reads_the_twelve_indicators_with_limits_in_words(town: Town) -> None:
    found = catalogue(town, version=in_force(town))
    assert len(found) == 12
    bikes_ = found["P10"]
    assert bikes_["note"] == "示例，待区级确认"
    rows = bikes_["conditions"]
    assert isinstance(rows, list)
    assert rows[0]["limit"] == {"amount": 1, "unit": "duty_hour", "words": "1值守时"}
    assert rows[0]["place_kinds"] == [{"code": "metro_exit", "name": "地铁出入口"}]
    assert rows[0]["standard"] and bikes_["parties"] and bikes_["examples"]
    is_problem(town.anonymous().get("/indicators", version=10**6), 404, "not-there")


def test_codes_come_by_family_with_the_words_they_ask_for(town: Town) -> None:
    refusals = town.anonymous().get("/codes", family="N").json()
    assert [code["code"] for code in refusals][:2] == ["N01", "N02"]
    assert refusals[-1]["code"] == "N99" and refusals[-1]["words"] == 10
    assert {code["family_name"] for code in refusals} == {"不予受理"}
    every = town.anonymous().get("/codes").json()
    assert len(every) > len(refusals) and refusals[0] in every
    is_problem(town.anonymous().get("/codes", family="ZZ"), 422, "missing")


# changing --------------------------------------------------------------------------------


def test_a_change_is_proposed_by_one_and_holds_when_another_confirmed_it(
    town: Town, sysadmin: Caller
) -> None:
    before, key = in_force(town), str(uuid4())
    since = soon(town)
    asked = propose(sysadmin, 3, since, key)
    assert asked.status_code == 202, asked.text
    change = asked.json()
    assert (change["state"], change["says"]) == ("open", "修订指标 P10 非机动车乱停放")
    assert propose(sysadmin, 3, since, key).json() == change
    is_problem(propose(sysadmin, 4, since, key), 422, "key-reused")
    assert change in town.supervisor.get("/changes", waiting="true").json()
    is_problem(sysadmin.post(f"/changes/{change['id']}/confirm"), 403, "not-permitted")

    once = str(uuid4())
    confirmed = town.supervisor.post(f"/changes/{change['id']}/confirm", key=once)
    assert confirmed.status_code == 200, confirmed.text
    assert confirmed.json()["decided_by"] == str(town.supervisor.account)
    again = town.supervisor.post(f"/changes/{change['id']}/confirm", key=once)
    assert again.json() == confirmed.json()
    other = town.second_supervisor.post(f"/changes/{change['id']}/confirm")
    is_problem(other, 409, "nothing-pending")

    assert in_force(town) == before
    rows = catalogue(town, version=before + 1)["P10"]["conditions"]
    assert isinstance(rows, list) and rows[1]["limit"]["words"] == "3值守时"
    assert rows[1]["overrides"][0]["streets"] == [
        {"code": "110108011", "name": town.parts.dispatcher.boundaries.name("110108011")}
    ]
    town.forward(minutes=6)
    assert in_force(town) == before + 1
    rows = catalogue(town, version=before)["P10"]["conditions"]
    assert isinstance(rows, list) and rows[1]["limit"]["words"] == "2值守时"


def test_the_confirmation_and_what_it_brings_stand_in_the_log_as_one_command(
    town: Town, sysadmin: Caller
) -> None:
    number = propose(sysadmin, 5, soon(town)).json()["id"]
    assert town.supervisor.post(f"/changes/{number}/confirm").status_code == 200
    log = town.parts.casework.eventlog
    confirmed = log.history(change_stream(number))[-1]
    revised = log.history(CATALOGUE)[-1]
    assert isinstance(confirmed.event, ChangeConfirmed)
    assert isinstance(revised.event, IndicatorRevised)
    assert confirmed.command_id == revised.command_id
    assert confirmed.actor.id == revised.actor.id == str(town.supervisor.account)
    prior = log.by_command(confirmed.command_id)
    assert prior is not None and len(prior.events) == 2
    town.forward(minutes=6)


def test_a_change_may_be_turned_down_or_taken_back_and_then_holds_never(
    town: Town, sysadmin: Caller
) -> None:
    before = town.parts.casework.references.head
    one, other = (propose(sysadmin, n, soon(town)).json()["id"] for n in (7, 8))
    rejected = town.supervisor.post(f"/changes/{one}/reject", {"reason": "再调研一个月"}).json()
    assert (rejected["state_name"], rejected["decided_because"]) == ("不同意", "再调研一个月")
    second = town.staff("系统乙", Role.SYSADMIN)
    is_problem(second.post(f"/changes/{other}/withdraw"), 403, "conflict-of-interest")
    assert sysadmin.post(f"/changes/{other}/withdraw").json()["state"] == "withdrawn"
    for number in (one, other):
        is_problem(town.supervisor.post(f"/changes/{number}/confirm"), 409, "nothing-pending")
    is_problem(town.supervisor.post("/changes/999999/confirm"), 404, "not-there")
    assert town.parts.casework.references.head == before


def test_a_change_that_would_hold_before_people_know_is_refused_also_at_the_confirmation(
    town: Town, sysadmin: Caller
) -> None:
    is_problem(propose(sysadmin, 9, soon(town, seconds=5)), 422, "takes-effect-too-soon")
    number = propose(sysadmin, 9, soon(town, minutes=5)).json()["id"]
    town.forward(minutes=5)
    late = town.supervisor.post(f"/changes/{number}/confirm")
    is_problem(late, 422, "takes-effect-too-soon")
    assert town.refusals()[0].entry.target == f"change/{number}"
    sysadmin.post(f"/changes/{number}/withdraw")
    naive = {"indicator": bikes(2), "effective_from": "2026-06-01T00:00:00", "reason": "x"}
    is_problem(sysadmin.post("/indicators/P10/revise", naive), 422, "invalid")


def test_indicators_are_added_and_retired(town: Town, sysadmin: Caller) -> None:
    added = {**bikes(2), "code": "P77", "name": "试点指标"}
    form = {"indicator": added, "effective_from": soon(town), "reason": "试点"}
    number = sysadmin.post("/indicators", form).json()["id"]
    town.supervisor.post(f"/changes/{number}/confirm")
    town.forward(minutes=6)
    assert catalogue(town)["P77"]["name"] == "试点指标"
    again = {**form, "effective_from": soon(town)}
    is_problem(sysadmin.post("/indicators", again), 409, "already-in-catalogue")
    end = {"effective_from": soon(town), "reason": "试点结束"}
    number = sysadmin.post("/indicators/P77/retire", end).json()["id"]
    town.supervisor.post(f"/changes/{number}/confirm")
    town.forward(minutes=6)
    assert "P77" not in catalogue(town)
    unknown = {"effective_from": soon(town), "reason": "没有这个指标"}
    is_problem(sysadmin.post("/indicators/Z99/retire", unknown), 422, "not-in-catalogue")


def test_codes_step_limits_words_and_calendar_change_in_the_same_way(
    town: Town, sysadmin: Caller
) -> None:
    def changed(change: Body) -> str:
        form = {"change": {**change, "effective_from": soon(town)}, "reason": "试点"}
        asked = sysadmin.post("/changes", form)
        assert asked.status_code == 202, asked.text
        confirmed = town.supervisor.post(f"/changes/{asked.json()['id']}/confirm")
        assert confirmed.status_code == 200, confirmed.text
        town.forward(minutes=6)
        says: str = confirmed.json()["says"]
        return says

    code = {"code": "N13", "family": "N", "text": "已在办理中"}
    assert changed({"type": "add-code", "code": code}) == "新增原因代码 N13 已在办理中"
    assert "N13" in town.anonymous().get("/codes", family="N").text
    limit = {"amount": 20, "unit": "duty_minute"}
    says = changed({"type": "set-step-limit", "clock": "review", "limit": limit})
    assert says == "设定审核时限为20值守分钟"
    case = town.anonymous().report()
    assert "'limit': '20值守分钟'" in str(town.reviewer.sees(case)["clocks"])
    word = {
        "name": "路灯漏电",
        "words": ["漏电"],
        "door": "请立即远离并拨打95598",
        "number": "95598",
    }
    words: Body = {"type": "set-danger-words", "wordings": [word]}
    assert changed(words) == "设定险情提示词"
    windows: Body = {
        "type": "set-windows",
        "duty": [["07:00:00", "22:00:00"]],
        "working": [["09:00:00", "17:00:00"]],
    }
    assert changed(windows) == "设定值守和工作时段"


@pytest.mark.parametrize(
    "change",
    [
        {"type": "burn-everything"},
        {"type": "add-code", "code": {"code": 7}},
        {"type": "retire-code", "code": "N01", "effective_from": "2026-12-01T00:00:00"},
        {"type": "retire-code", "code": "N01\u202e", "effective_from": "2026-12-01T00:00:00Z"},
        {"type": "adopt-boundaries", "sha256": "0" * 64, "effective_from": "2026-12-01T00:00:00Z"},
        {"type": "retire-code", "code": [[[[["N01"]]]]], "effective_from": "2026-12-01T00:00:00Z"},
    ],
)
def test_a_change_of_no_known_shape_is_refused_in_chinese(sysadmin: Caller, change: Body) -> None:
    answer = sysadmin.post("/changes", {"change": change, "reason": "试点"})
    assert answer.status_code == 422, answer.text
    kind = answer.json()["type"].removeprefix("/problems/")
    assert kind in {"missing", "invalid"}
    is_problem(answer, 422, kind)
