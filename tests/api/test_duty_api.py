"""The duty roster over HTTP: who writes it, who reads it, and that the past stays."""

from datetime import timedelta
from uuid import UUID, uuid4

from api.duty import ROSTER
from casework.model import Role
from casework.roster import DutyAssigned, DutyRemoved, on_duty
from tests.api.client import (
    BEIXIAGUAN,
    XUEYUANLU,
    ZHONGGUANCUN,
    Body,
    Caller,
    Town,
    is_problem,
)

HERE = f"street-{ZHONGGUANCUN}"


def duty(town: Town, account: Caller, desk: str = HERE, after: float = 1, hours: float = 8) -> Body:
    begins = town.clock() + timedelta(hours=after)
    return {
        "desk": desk,
        "account": str(account.account),
        "starts_at": begins.isoformat(),
        "ends_at": (begins + timedelta(hours=hours)).isoformat(),
    }


def assigned(by: Caller, form: Body, key: str | None = None) -> Body:
    answer = by.post("/duty-roster", form, key=key)
    assert answer.status_code == 201, answer.text
    told: Body = answer.json()
    return told


def listed(by: Caller, **query: str) -> dict[str, dict[str, list[Body]]]:
    """Desk -> on_duty and upcoming -> lines."""
    answer = by.get("/duty-roster", **query)
    assert answer.status_code == 200, answer.text
    return {desk["desk"]: desk for desk in answer.json()["desks"]}


def test_a_lead_puts_an_account_of_the_street_on_duty(town: Town) -> None:
    worker = town.street()
    made = assigned(town.lead(), duty(town, worker, after=1))
    assert (made["desk"], made["desk_name"]) == (HERE, "中关村街道工作台")
    assert (made["account_name"], made["fit"]) == (f"经办{ZHONGGUANCUN}", True)
    now = listed(worker)
    assert set(now) == {HERE}, "a street sees its own desk"
    assert made in now[HERE]["upcoming"] and made not in now[HERE]["on_duty"]
    then = (town.clock() + timedelta(hours=2)).isoformat()
    at = listed(worker, desk=HERE, at=then)
    assert made in at[HERE]["on_duty"] and made not in at[HERE]["upcoming"]
    roster = town.parts.duty.read()
    assert str(worker.account) in on_duty(
        roster, f"street/{ZHONGGUANCUN}", town.clock() + timedelta(hours=2)
    )


def test_the_log_holds_ids_and_no_names(town: Town) -> None:
    assigned(town.lead(), duty(town, town.street()))
    for recorded in town.parts.casework.eventlog.history(ROSTER):
        assert f"经办{ZHONGGUANCUN}" not in str(recorded.event)
        assert isinstance(recorded.event, DutyAssigned | DutyRemoved)
        assert str(UUID(recorded.event.account)) == recorded.event.account


def test_who_may_write_where(town: Town) -> None:
    sysadmin = town.staff("系统丁", Role.SYSADMIN)
    for desk, account in (
        ("reviewer", town.reviewer),
        ("supervisor", town.supervisor),
        (HERE, town.street()),
    ):
        assigned(sysadmin, duty(town, account, desk))
    assigned(town.supervisor, duty(town, town.second_reviewer, "reviewer"))
    assigned(town.supervisor, duty(town, town.second_supervisor, "supervisor"))
    for caller in (town.supervisor, town.lead(BEIXIAGUAN)):
        is_problem(caller.post("/duty-roster", duty(town, town.street())), 403, "not-permitted")
    refused = town.lead().post("/duty-roster", duty(town, town.reviewer, "reviewer"))
    assert "督办员" in str(is_problem(refused, 403, "not-permitted")["detail"])
    for caller in (town.reviewer, town.street()):
        is_problem(caller.post("/duty-roster", duty(town, caller)), 403, "not-permitted")


def test_only_who_sits_at_the_desk_is_put_on_it(town: Town) -> None:
    for stranger in (town.street(BEIXIAGUAN), town.reviewer, town.citizen("值班市民")):
        answer = town.lead().post("/duty-roster", duty(town, stranger))
        problem = is_problem(answer, 422, "missing")
        assert "不属于该工作台" in str(problem["detail"])
    nobody = duty(town, town.street()) | {"account": str(uuid4())}
    is_problem(town.lead().post("/duty-roster", nobody), 422, "missing")
    for desk in ("street-110108999", "street/110108011", "reception", "street-1"):
        answer = town.staff("系统丁", Role.SYSADMIN).post(
            "/duty-roster", duty(town, town.street(), desk)
        )
        assert "没有这个工作台" in str(is_problem(answer, 422, "missing")["detail"])


def test_an_account_that_is_disabled_since_is_shown_as_not_fit(town: Town) -> None:
    leaves = town.staff("将离岗", Role.STREET, street=XUEYUANLU)
    made = assigned(town.lead(XUEYUANLU), duty(town, leaves, f"street-{XUEYUANLU}"))
    sysadmin = town.staff("系统丁", Role.SYSADMIN)
    assert sysadmin.post(f"/accounts/{leaves.account}/disable").status_code < 300
    (now,) = [
        line
        for line in listed(sysadmin)[f"street-{XUEYUANLU}"]["upcoming"]
        if line["number"] == made["number"]
    ]
    assert now["fit"] is False and now["account_name"] == "将离岗"


def test_the_same_request_is_one_duty_and_what_is_sent_again_gets_the_same_answer(
    town: Town,
) -> None:
    form, key, other = duty(town, town.street()), str(uuid4()), str(uuid4())
    made = assigned(town.lead(), form, key)
    assert assigned(town.lead(), form, key) == made
    changed = town.lead().post("/duty-roster", form | {"desk": "reviewer"}, key=key)
    is_problem(changed, 422, "key-reused")
    path = f"/duty-roster/{made['number']}/remove"
    first = town.lead().post(path, key=other)
    assert first.status_code == 200 and first.json()["ends_at"] == first.json()["starts_at"]
    assert town.lead().post(path, key=other).json() == first.json()
    is_problem(town.lead().post(path), 409, "nothing-pending")


def test_a_duty_is_taken_back_and_one_that_is_over_is_not(town: Town) -> None:
    worker = town.street()
    made = assigned(town.lead(), duty(town, worker, after=0, hours=2))
    number = made["number"]
    is_problem(town.lead(BEIXIAGUAN).post(f"/duty-roster/{number}/remove"), 409, "nothing-pending")
    is_problem(town.supervisor.post(f"/duty-roster/{number}/remove"), 403, "not-permitted")
    town.forward(hours=1)
    cut = town.lead().post(f"/duty-roster/{number}/remove").json()
    assert cut["starts_at"] == made["starts_at"] and cut["ends_at"] < str(made["ends_at"])
    assert number not in {line["number"] for line in listed(worker)[HERE]["on_duty"]}
    again = town.lead().post(f"/duty-roster/{number}/remove")
    assert "不能更改" in str(is_problem(again, 409, "nothing-pending")["detail"])


def test_spans_that_cannot_be(town: Town) -> None:
    lead, worker = town.lead(), town.street()
    for form in (
        duty(town, worker, after=-1),
        duty(town, worker, hours=0),
        duty(town, worker, hours=32 * 24),
    ):
        is_problem(lead.post("/duty-roster", form), 422, "missing")
    without_offset = duty(town, worker) | {"starts_at": "2026-05-12T08:00:00"}
    is_problem(lead.post("/duty-roster", without_offset), 422, "invalid")


def test_another_streets_desk_and_none_are_one_answer(town: Town) -> None:
    answers = [
        town.street().get("/duty-roster", desk=desk)
        for desk in (f"street-{BEIXIAGUAN}", "reviewer", "street-110108999", "nothing")
    ]
    for answer in answers:
        is_problem(answer, 404, "not-there")
    assert len({answer.content for answer in answers}) == 1
    everything = listed(town.reviewer)
    assert {"reviewer", "supervisor", HERE} < set(everything) and len(everything) == 31


def test_every_change_and_every_refusal_stands_in_the_trail(town: Town) -> None:
    made = assigned(town.lead(), duty(town, town.street()))
    auditor = town.staff("审计甲", Role.AUDITOR)
    rows = auditor.get("/audit", target=f"duty/{made['number']}").json()["rows"]
    assert [row["action"] for row in rows] == ["duty.assign"]
    town.lead(BEIXIAGUAN).post("/duty-roster", duty(town, town.street()))
    assert town.refusals()[0].entry.action == "duty.assign"
