"""个人信息删除 over HTTP: by the person at once, by two 安全管理员, and afterwards in no byte."""

import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from casework.model import Role
from casework.sealing import ERASED_TEXT
from projections.erasure import holding
from tests.api.client import (
    INSIDE,
    Caller,
    Town,
    Tracked,
    is_problem,
    open_town,
    settings_for,
    town_on_its_store,
)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def town(request: pytest.FixtureRequest) -> Iterator[Town]:
    with town_on_its_store(request) as found:
        yield found


@pytest.fixture(scope="module")
def secadmin(town: Town) -> Caller:
    return town.staff("安全甲", Role.SECADMIN)


@pytest.fixture(scope="module")
def second_secadmin(town: Town) -> Caller:
    return town.staff("安全乙", Role.SECADMIN)


def revealed(caller: Caller, case: Tracked) -> dict[str, object]:
    answer = caller.post(f"/cases/{case.id}/reveal", {"reason": "locate"})
    assert answer.status_code == 200, answer.text
    told: dict[str, object] = answer.json()
    return told


def complete(town: Town, answer: httpx.Response) -> dict[str, object]:
    """The erasure went through, at the latest when a busy machine has taken its time."""
    assert answer.status_code in {200, 202}, answer.text
    told: dict[str, object] = answer.json()
    assert told["state"] in {"appended", "complete"}, answer.text
    until = time.monotonic() + 60
    while (known := town.parts.ledger.get(UUID(str(told["erasure_id"])))).waiting_for:
        assert time.monotonic() < until, known
        town.parts.feed.wait_for(town.parts.feed.as_of().position)
    assert known.state == "complete"
    return told


def test_the_holder_of_a_receipt_is_erased_at_once(town: Town) -> None:
    case = town.anonymous().report(contact="13800138000")
    assert revealed(town.reviewer, case)["contact"] == "13800138000"
    holder, key = town.holder(case.receipt), str(uuid4())
    first = holder.post("/persons/me/erase", {"case": case.number}, key=key)
    told = complete(town, first)
    again = holder.post("/persons/me/erase", {"case": case.number}, key=key)
    assert complete(town, again)["erasure_id"] == told["erasure_id"]
    after = revealed(town.reviewer, case)
    assert (after["text"], after["contact"]) == (ERASED_TEXT, ERASED_TEXT)
    seen = town.reviewer.sees(case)
    assert seen["text"] == ERASED_TEXT
    assert ERASED_TEXT in town.reviewer.get(f"/cases/{case.id}/timeline").text


def test_a_citizen_is_erased_with_the_account(town: Town) -> None:
    citizen = town.citizen("要走的市民")
    case = citizen.report()
    own = citizen.get("/me").json()["person_id"]
    complete(town, citizen.post(f"/persons/{own}/erase", {}))
    assert citizen.account is not None
    is_problem(citizen.get("/me"), 401, "unauthenticated")
    assert revealed(town.reviewer, case)["text"] == ERASED_TEXT


def test_another_person_is_as_unknown_as_nobody(town: Town) -> None:
    one, other = town.citizen("市民一"), town.citizen("市民二")
    others = other.get("/me").json()["person_id"]
    is_known = one.post(f"/persons/{others}/erase", {})
    is_nobody = one.post(f"/persons/{uuid4()}/erase", {})
    is_problem(is_known, 404, "not-there")
    assert is_known.content == is_nobody.content
    case = town.anonymous().report()
    stranger = town.holder(town.anonymous().report().receipt)
    refused = stranger.post("/persons/me/erase", {"case": case.number})
    is_problem(refused, 404, "unknown-case")
    is_problem(stranger.post("/persons/me/erase", {}), 422, "missing")
    assert other.get("/me").json()["kind"] == "citizen"


def test_a_secadmin_asks_and_only_another_one_agrees(
    town: Town, secadmin: Caller, second_secadmin: Caller
) -> None:
    citizen = town.citizen("信访的市民")
    case = citizen.report()
    person = citizen.get("/me").json()["person_id"]
    key = str(uuid4())
    asked = secadmin.post(f"/persons/{person}/erase", {}, key=key)
    assert asked.status_code == 202 and asked.json()["state"] == "asked"
    assert secadmin.post(f"/persons/{person}/erase", {}, key=key).json() == asked.json()
    erasure = asked.json()["erasure_id"]
    is_problem(secadmin.post(f"/erasures/{erasure}/approve"), 403, "conflict-of-interest")
    assert revealed(town.reviewer, case)["text"] != ERASED_TEXT
    complete(town, second_secadmin.post(f"/erasures/{erasure}/approve"))
    assert revealed(town.reviewer, case)["text"] == ERASED_TEXT
    is_problem(second_secadmin.post(f"/erasures/{erasure}/decline"), 409, "nothing-pending")
    listed = {row["erasure_id"]: row for row in secadmin.get("/erasures").json()}
    assert listed[erasure]["decided_by"] == str(second_secadmin.account)


def test_what_is_declined_destroys_nothing(
    town: Town, secadmin: Caller, second_secadmin: Caller
) -> None:
    citizen = town.citizen("留下的市民")
    case = citizen.report()
    person = citizen.get("/me").json()["person_id"]
    erasure = secadmin.post(f"/persons/{person}/erase", {}).json()["erasure_id"]
    assert second_secadmin.post(f"/erasures/{erasure}/decline").json()["state"] == "declined"
    is_problem(second_secadmin.post(f"/erasures/{erasure}/approve"), 409, "nothing-pending")
    assert revealed(citizen, case)["text"] != ERASED_TEXT
    is_problem(secadmin.post(f"/erasures/{uuid4()}/approve"), 404, "not-there")
    is_problem(secadmin.post(f"/persons/{uuid4()}/erase", {}), 404, "not-there")


def test_an_erased_person_cannot_report_again_under_the_same_key(town: Town) -> None:
    someone, key = town.anonymous(), str(uuid4())
    someone.draft = key
    case = someone.report(key=key)
    complete(town, town.holder(case.receipt).post("/persons/me/erase", {"case": case.number}))
    body = {"place": INSIDE, "text": "又来了", "no_photo_reason": "no_camera"}
    is_problem(someone.post("/reports", body, key=key), 410, "erased")


def test_the_files_of_the_person_are_gone_and_nobody_elses(town: Town) -> None:
    leaving, staying = town.anonymous(), town.anonymous()
    case = leaving.report(photos=2)
    staying.report(photos=1)
    uncited = leaving.photo()
    until = time.monotonic() + 60
    while town.parts.uploads.waiting():
        assert time.monotonic() < until, "they are never all examined"
    with town.parts.desk.read() as connection:
        before = connection.exec_driver_sql(
            f"SELECT id, sha256 FROM {'' if town.parts.desk.is_sqlite else 'desk.'}upload"  # noqa: S608  a name of ours
        ).all()
    names = set(town.parts.blobs.names())
    assert len(names) >= len(before)
    complete(town, town.holder(case.receipt).post("/persons/me/erase", {"case": case.number}))
    left = set(town.parts.blobs.names())
    assert len(names) - len(left) == 3 * 3, "each with the two pictures made from it"
    assert left < names
    again = leaving.post(
        "/reports",
        {"place": INSIDE, "text": "照片", "photos": [uncited]},
        key=leaving.draft,
    )
    assert again.status_code == 410


# staff texts -----------------------------------------------------------------------------


def test_staff_words_are_destroyed_one_by_one(
    town: Town, secadmin: Caller, second_secadmin: Caller
) -> None:
    citizen = town.citizen("被写到的市民")
    case = citizen.report()
    person = citizen.get("/me").json()["person_id"]
    town.reviewer.act(
        case, "request_information", "awaiting_information", code="Q01", question="请张三说明位置"
    )
    citizen.act(case, "supply_information", "submitted", text="在地铁口")
    town.reviewer.act(case, "refuse", "refused", code="N03", words="不属于指标范围的事项")
    town.reviewer.sees(case)
    texts = secadmin.get(f"/persons/{person}/staff-texts").json()
    assert len(texts) == 2 and {text["case_number"] for text in texts} == {case.number}
    path = f"/persons/{person}/staff-texts/destroy"
    mixed = {"key_ids": [texts[0]["key_id"], str(uuid4())]}
    is_problem(secadmin.post(path, mixed), 404, "not-there")
    timeline = town.reviewer.get(f"/cases/{case.id}/timeline").text
    assert "说明位置" in timeline and ERASED_TEXT not in timeline
    done = secadmin.post(path, {"key_ids": [texts[0]["key_id"]]})
    assert done.status_code == 200, done.text
    gone = {text["key_id"]: text["destroyed_at"] is not None for text in done.json()}
    assert gone == {texts[0]["key_id"]: True, texts[1]["key_id"]: False}
    timeline = town.reviewer.get(f"/cases/{case.id}/timeline").text
    assert "说明位置" not in timeline and ERASED_TEXT in timeline
    assert "不属于指标范围" in timeline


def test_an_address_that_staff_corrected_goes_from_the_search_with_its_key(
    town: Town, secadmin: Caller
) -> None:
    citizen = town.citizen("被更正的市民")
    case = citizen.report()
    person = citizen.get("/me").json()["person_id"]
    place = {**INSIDE, "address": "蓝旗营小吃店旁"}
    town.reviewer.act(case, "correct_place", "submitted", place=place, reason="电话核实过位置")
    town.reviewer.sees(case)

    def found() -> list[str]:
        cases = town.reviewer.get("/cases", q="蓝旗营").json()["cases"]
        return [one["case_id"] for one in cases]

    assert found() == [case.id]
    keys = [text["key_id"] for text in secadmin.get(f"/persons/{person}/staff-texts").json()]
    assert len(keys) == 2
    done = secadmin.post(f"/persons/{person}/staff-texts/destroy", {"key_ids": keys})
    assert done.status_code == 200, done.text
    assert found() == []
    assert "电话核实" not in town.reviewer.get(f"/cases/{case.id}/timeline").text
    if town.parts.desk.is_sqlite:
        words = ["蓝旗营", "蓝旗 旗营", "电话核实"]
        assert holding(files_under(town.parts.settings.var), words) == []


# the canary ------------------------------------------------------------------------------

CANARIES = ("金丝雀甲写的正文", "13911223344", "金丝雀胡同七号", "金丝雀乙的正文", "jinsique-yi")


def files_under(var: Path) -> list[Path]:
    return [path for path in var.rglob("*") if path.is_file()]


def test_after_an_erasure_the_words_are_in_no_byte_of_any_file(tmp_path: Path) -> None:
    var = tmp_path / "var"
    with open_town(settings_for(var)) as town:
        somebody = town.anonymous()
        case = somebody.report(
            text=CANARIES[0],
            contact=CANARIES[1],
            place={**INSIDE, "address": CANARIES[2]},
            photos=1,
        )
        form = {"name": CANARIES[4], "password": "Liu-Lang-Tai-Bei-9"}
        assert town.anonymous().post("/citizens", form).status_code == 201
        token = town.anonymous().post("/sessions", form).json()["token"]
        citizen = Caller(town, lambda: f"Bearer {token}")
        second = citizen.report(text=CANARIES[3])
        neighbour = town.anonymous().report(text="邻居的正文留着")
        town.reviewer.sees(neighbour)

        # Before: the views show what masking leaves; what was typed, only a reveal tells.
        assert {CANARIES[0], CANARIES[3], CANARIES[4]} <= set(holding(files_under(var), CANARIES))
        assert CANARIES[1] not in holding(files_under(var), CANARIES)
        told = revealed(town.reviewer, case)
        assert (told["text"], told["contact"], told["address"]) == CANARIES[:3]
        refused = town.street().post(f"/cases/{case.id}/reveal", {"reason": "verify"})
        assert refused.status_code == 403
        found = town.reviewer.get("/cases", q="金丝雀").json()["cases"]
        assert {one["case_id"] for one in found} == {case.id, second.id}

        complete(town, town.holder(case.receipt).post("/persons/me/erase", {"case": case.number}))
        complete(town, citizen.post("/persons/me/erase", {}))
        assert holding(files_under(var), CANARIES) == []
        assert town.reviewer.get("/cases", q="金丝雀").json()["cases"] == []
        assert revealed(town.reviewer, neighbour)["text"] == "邻居的正文留着"
        assert holding(files_under(var), ["邻居的正文留着"]) == ["邻居的正文留着"]
    assert holding(files_under(var), CANARIES) == []
    with open_town(settings_for(var)) as town:
        reviewer = town.staff("重启后的审核", Role.REVIEWER)
        assert revealed(reviewer, case)["text"] == ERASED_TEXT
        assert {
            UUID(row["erasure_id"])
            for row in town.staff("审计", Role.AUDITOR).get("/erasures").json()
        } == {one.id for one in town.parts.ledger.all()}
    assert holding(files_under(var), CANARIES) == []
