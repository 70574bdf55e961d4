"""账号、角色、接入方 over HTTP: two people for roles, secrets told once, ends at once."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from casework.model import Role
from tests.api.client import PASSWORD, ZHONGGUANCUN, Caller, Town, is_problem, open_town
from tests.api.client import settings_for as settings


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with open_town(settings(tmp_path_factory.mktemp("accounts") / "var")) as found:
        yield found


@pytest.fixture(scope="module")
def sysadmin(town: Town) -> Caller:
    return town.staff("系统甲", Role.SYSADMIN)


@pytest.fixture(scope="module")
def secadmin(town: Town) -> Caller:
    return town.staff("安全甲", Role.SECADMIN)


def make(sysadmin: Caller, name: str) -> str:
    answer = sysadmin.post("/accounts", {"name": name, "display_name": "某人"})
    assert answer.status_code == 201, answer.text
    account: str = answer.json()["account"]["id"]
    return account


def test_an_account_is_made_once_and_its_password_told_once(sysadmin: Caller) -> None:
    key, form = str(uuid4()), {"name": "li-si", "display_name": "李四"}
    first = sysadmin.post("/accounts", form, key=key)
    again = sysadmin.post("/accounts", form, key=key)
    assert first.status_code == again.status_code == 201
    assert first.json()["temporary_password"] and again.json()["temporary_password"] is None
    assert first.json()["account"] == again.json()["account"]
    other = sysadmin.post("/accounts", {**form, "name": "wang-wu"}, key=key)
    is_problem(other, 422, "key-reused")
    is_problem(sysadmin.post("/accounts", form), 409, "name-taken")


def test_roles_need_two_people(town: Town, sysadmin: Caller, secadmin: Caller) -> None:
    account, key = make(sysadmin, "zhao-liu"), str(uuid4())
    form = {"roles": ["street"], "street": ZHONGGUANCUN}
    asked = secadmin.post(f"/accounts/{account}/roles", form, key=key)
    assert asked.status_code == 202, asked.text
    proposal = asked.json()
    assert proposal["street_name"] and proposal["decision"] is None
    same = secadmin.post(f"/accounts/{account}/roles", form, key=key)
    assert same.json() == proposal
    assert proposal in sysadmin.get("/role-proposals").json()
    refused = secadmin.post(f"/role-proposals/{proposal['id']}/confirm")
    is_problem(refused, 403, "not-for-you")
    second = town.staff("安全乙", Role.SECADMIN)
    granted = second.post(f"/role-proposals/{proposal['id']}/confirm")
    assert granted.json()["decision"] == "confirmed"
    is_problem(second.post(f"/role-proposals/{proposal['id']}/reject"), 409, "already-decided")
    listed = {a["id"]: a for a in sysadmin.get("/accounts", limit=200).json()["accounts"]}
    assert [role["name"] for role in listed[account]["roles"]] == ["街镇经办"]
    taken = secadmin.post(f"/accounts/{account}/withdraw-roles")
    assert taken.json()["roles"] == []


def test_roles_that_exclude_each_other_and_streets_that_are_none_are_refused(
    sysadmin: Caller,
) -> None:
    account = make(sysadmin, "qian-qi")
    path = f"/accounts/{account}/roles"
    is_problem(sysadmin.post(path, {"roles": ["auditor", "sysadmin"]}), 409, "roles-clash")
    is_problem(sysadmin.post(path, {"roles": ["street"], "street": "110108999"}), 422, "unfit")
    is_problem(sysadmin.post(path, {"roles": ["citizen"]}), 409, "roles-clash")
    missing = f"/accounts/{uuid4()}/roles"
    is_problem(sysadmin.post(missing, {"roles": ["reviewer"]}), 404, "not-there")


def test_a_proposer_may_take_a_proposal_back(sysadmin: Caller) -> None:
    account = make(sysadmin, "sun-ba")
    asked = sysadmin.post(f"/accounts/{account}/roles", {"roles": ["reviewer"]}).json()
    rejected = sysadmin.post(f"/role-proposals/{asked['id']}/reject")
    assert rejected.json()["decision"] == "rejected"


def test_disabling_ends_every_sign_in_and_enabling_lets_in_again(
    town: Town, sysadmin: Caller
) -> None:
    reviewer = town.staff("要停用的", Role.REVIEWER)
    assert reviewer.get("/cases").status_code == 200
    disabled = sysadmin.post(f"/accounts/{reviewer.account}/disable")
    assert disabled.json()["disabled_at"] is not None
    is_problem(reviewer.get("/cases"), 401, "unauthenticated")
    form = {"name": "要停用的", "password": PASSWORD}
    is_problem(town.anonymous().post("/sessions", form), 401, "wrong-credentials")
    assert sysadmin.post(f"/accounts/{reviewer.account}/enable").json()["disabled_at"] is None
    assert town.anonymous().post("/sessions", form).status_code == 201


def test_nobody_resets_the_password_of_those_who_oversee_them(town: Town, sysadmin: Caller) -> None:
    auditor = town.staff("审计甲", Role.AUDITOR)
    is_problem(sysadmin.post(f"/accounts/{auditor.account}/reset-password"), 403, "not-for-you")
    own = sysadmin.post(f"/accounts/{sysadmin.account}/disable")
    is_problem(own, 403, "not-for-you")
    account = make(sysadmin, "zhou-jiu")
    reset = sysadmin.post(f"/accounts/{account}/reset-password").json()["temporary_password"]
    signed = town.anonymous().post("/sessions", {"name": "zhou-jiu", "password": reset})
    assert signed.json()["must_change_password"] is True


def test_accounts_come_in_pages_by_name(sysadmin: Caller) -> None:
    for name in ("page-a", "page-b", "page-c"):
        make(sysadmin, name)
    seen: list[str] = []
    after = ""
    while True:
        page = sysadmin.get("/accounts", limit=2, after=after).json()
        seen += [account["name"] for account in page["accounts"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert len(seen) == len(set(seen)) and {"page-a", "page-b", "page-c"} <= set(seen)


def test_who_holds_neither_office_sees_no_account_and_leaves_a_row(town: Town) -> None:
    is_problem(town.reviewer.get("/accounts"), 403, "not-permitted")
    newest = town.refusals()[0].entry
    assert (newest.action, newest.principal_id) == ("accounts.list", str(town.reviewer.account))


# partners --------------------------------------------------------------------------------


def a_partner(sysadmin: Caller, name: str) -> UUID:
    answer = sysadmin.post("/partners", {"name": name})
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["id"])


def with_key(town: Town, key: str) -> Caller:
    return Caller(town, lambda: f"Partner {key}")


def test_a_partner_may_do_what_a_secadmin_grants_and_no_more(
    town: Town, sysadmin: Caller, secadmin: Caller
) -> None:
    partner = a_partner(sysadmin, "网络问政")
    told = sysadmin.post(f"/partners/{partner}/key", {}).json()
    service = with_key(town, told["key"])
    is_problem(service.get("/cases"), 403, "not-permitted")
    is_problem(secadmin.post(f"/partners/{partner}/scopes", {"scopes": ["all"]}), 422, "invalid")
    granted = secadmin.post(f"/partners/{partner}/scopes", {"scopes": ["cases:read"]})
    assert granted.json()["scopes"] == ["cases:read"]
    assert service.get("/cases").status_code == 200
    listed = sysadmin.get("/partners")
    assert str(partner) in [one["id"] for one in listed.json()]
    assert told["key"] not in listed.text


def test_a_partner_is_made_once_under_one_key(sysadmin: Caller) -> None:
    key = str(uuid4())
    first = sysadmin.post("/partners", {"name": "接诉即办"}, key=key)
    assert sysadmin.post("/partners", {"name": "接诉即办"}, key=key).json() == first.json()
    is_problem(sysadmin.post("/partners", {"name": "另一个"}, key=key), 422, "key-reused")
    is_problem(sysadmin.post("/partners", {"name": "接诉即办"}), 409, "name-taken")


def test_a_key_that_got_out_ends_at_once_and_a_partner_too(
    town: Town, sysadmin: Caller, secadmin: Caller
) -> None:
    partner = a_partner(sysadmin, "采编")
    secadmin.post(f"/partners/{partner}/scopes", {"scopes": ["cases:read"]})
    old = with_key(town, sysadmin.post(f"/partners/{partner}/key", {}).json()["key"])
    both = with_key(town, sysadmin.post(f"/partners/{partner}/key", {}).json()["key"])
    assert old.get("/cases").status_code == both.get("/cases").status_code == 200
    answer = sysadmin.post(f"/partners/{partner}/key", {"overlap_hours": 0})
    new = with_key(town, answer.json()["key"])
    assert [c.get("/cases").status_code for c in (old, both, new)] == [401, 401, 200]
    assert sysadmin.post(f"/partners/{partner}/disable").json()["disabled_at"] is not None
    assert new.get("/cases").status_code == 401
    is_problem(sysadmin.post(f"/partners/{uuid4()}/disable"), 404, "not-there")
