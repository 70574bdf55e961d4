"""登录: the first administrators, sign-in and out, temporary passwords, citizens' own accounts."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from casework.model import Role
from tests.api.client import PASSWORD, Caller, Town, is_problem, open_town, settings_for


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town of its own: the first administrator can be made only once."""
    with open_town(settings_for(tmp_path_factory.mktemp("sessions") / "var")) as found:
        yield found


def signed_in(town: Town, name: str, password: str = PASSWORD) -> Caller:
    answer = town.anonymous().post("/sessions", {"name": name, "password": password})
    assert answer.status_code == 201, answer.text
    token = answer.json()["token"]
    return Caller(town, lambda: f"Bearer {token}")


def register(town: Town, name: str, password: str = PASSWORD) -> httpx.Response:
    return town.anonymous().post("/citizens", {"name": name, "password": password})


def test_the_token_of_the_command_line_makes_one_administrator_once(town: Town) -> None:
    token = town.parts.grants.issue_first_admin_token(town.clock(), Role.SECADMIN)
    form = {"token": token, "name": "anquan", "display_name": "安全员", "password": PASSWORD}
    made = town.anonymous().post("/administrators", form)
    assert made.status_code == 201, made.text
    assert made.json()["role"] == "secadmin" and made.json()["role_name"] == "安全管理员"
    is_problem(town.anonymous().post("/administrators", form), 404, "not-there")
    me = signed_in(town, "anquan").get("/me").json()
    assert (me["kind"], me["roles"], me["display_name"]) == ("staff", ["secadmin"], "安全员")


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(town: Town) -> None:
    assert register(town, "shimin-a").status_code == 201
    form = {"name": "shimin-a", "password": "not it at all"}
    wrong = town.anonymous().post("/sessions", form)
    unknown = town.anonymous().post("/sessions", {**form, "name": "nobody-here"})
    is_problem(wrong, 401, "wrong-credentials")
    assert (wrong.status_code, wrong.content) == (unknown.status_code, unknown.content)


def test_signing_out_ends_the_token_at_once(town: Town) -> None:
    register(town, "shimin-b")
    citizen = signed_in(town, "shimin-b")
    said = citizen.credentials()
    assert said is not None
    assert citizen.get("/me").json()["kind"] == "citizen"
    left = town.http.delete("/api/v1/sessions/current", headers={"Authorization": said})
    assert (left.status_code, left.content) == (204, b"")
    is_problem(citizen.get("/me"), 401, "unauthenticated")


def test_nobody_is_told_that_they_are_nobody(town: Town) -> None:
    me = town.anonymous().get("/me")
    assert me.status_code == 200
    assert me.json()["kind"] == "anonymous" and me.json()["roles"] == []


def test_a_citizen_gets_a_pseudonym_and_a_name_only_once(town: Town) -> None:
    made = register(town, "shimin-c")
    assert made.status_code == 201
    assert signed_in(town, "shimin-c").get("/me").json()["person_id"] == made.json()["person_id"]
    is_problem(register(town, "SHIMIN-C"), 409, "name-taken")
    is_problem(register(town, "shimin-d", "123456"), 422, "weak-password")
    assert [row.entry.action for row in town.refusals()[:2]] == ["accounts.register"] * 2


def test_the_owner_changes_the_password_and_other_sign_ins_end(town: Town) -> None:
    register(town, "shimin-e")
    here, elsewhere = signed_in(town, "shimin-e"), signed_in(town, "shimin-e")
    new = "Wan-Quan-He-Lu-7"
    refused = here.post("/accounts/password", {"old": "something else", "new": new})
    is_problem(refused, 401, "wrong-credentials")
    done = here.post("/accounts/password", {"old": PASSWORD, "new": new})
    assert done.status_code == 204, done.text
    assert here.get("/me").json()["kind"] == "citizen"
    is_problem(elsewhere.get("/me"), 401, "unauthenticated")
    assert signed_in(town, "shimin-e", new).get("/me").status_code == 200


def test_a_temporary_password_opens_nothing_but_its_change(town: Town) -> None:
    sysadmin = town.staff("管理甲", Role.SYSADMIN)
    form = {"name": "xin-ren", "display_name": "新人"}
    temporary = sysadmin.post("/accounts", form).json()["temporary_password"]
    newcomer = signed_in(town, "xin-ren", temporary)
    assert newcomer.get("/me").json()["must_change_password"] is True
    is_problem(newcomer.get("/indicators"), 403, "password-due")
    changed = newcomer.post("/accounts/password", {"old": temporary, "new": PASSWORD})
    assert changed.status_code == 204
    assert newcomer.get("/indicators").status_code == 200


def test_registrations_are_limited_by_source(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "var", report_limit="2/hour")
    with open_town(settings) as town:
        assert [register(town, f"one-{n}").status_code for n in range(2)] == [201, 201]
        refused = register(town, f"one-{uuid4().hex[:6]}")
        is_problem(refused, 429, "too-many-requests")
        assert 1 <= int(refused.headers["Retry-After"]) <= 3600
