"""动态口令: set up, confirmed, replaced and taken off, by the API and on pages without a script."""

import base64
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlparse
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from casework.model import Role
from tests.api.browsing import ACCEPTS, Browser, form_to
from tests.api.client import PASSWORD, Caller, Town, is_problem, open_town, settings_for

SUPERVISOR = "须用口令的督办"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town in which supervisors need a second factor, and others may have one."""
    var = tmp_path_factory.mktemp("factors") / "var"
    with open_town(settings_for(var, second_factor_roles="supervisor")) as found:
        yield found


@pytest.fixture
def browser(town: Town) -> Iterator[Browser]:
    with httpx.Client(base_url=town.http.base_url, headers=ACCEPTS, timeout=30) as client:
        yield Browser(town, client)


def shown(secret: str, at: datetime) -> str:
    """What the app on the phone shows."""
    key = base64.b32decode(secret.replace(" ", ""))
    return TOTP(key, 6, SHA1(), 30).generate(int(at.timestamp())).decode()  # noqa: S303  what RFC 6238 names


def somebody(town: Town, *roles: Role) -> tuple[str, Caller]:
    """A new member of staff, and their name."""
    name = f"{roles[0]}{uuid4().hex[:8]}"
    return name, town.staff(name, *roles)


def sign_in(town: Town, name: str, code: str | None = None) -> httpx.Response:
    return town.anonymous().post("/sessions", {"name": name, "password": PASSWORD, "code": code})


def holder(town: Town, name: str, code: str | None = None) -> Caller:
    answer = sign_in(town, name, code)
    assert answer.status_code == 201, answer.text
    token = answer.json()["token"]
    return Caller(town, lambda: f"Bearer {token}")


def next_period(town: Town) -> datetime:
    """A moment whose code was not used yet."""
    town.forward(seconds=60)
    return town.clock()


def begun(caller: Caller, code: str | None = None) -> str:
    form = {"password": PASSWORD, "code": code}
    answer = caller.post("/accounts/second-factor", form)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    asked = parse_qs(urlparse(told["uri"]).query)
    assert asked["secret"] == [told["secret"]]
    return str(told["secret"])


def test_one_is_set_up_by_the_api_and_asked_for_from_then_on(town: Town) -> None:
    name, _ = somebody(town, Role.REVIEWER)
    here, elsewhere = holder(town, name), holder(town, name)
    assert here.get("/accounts/second-factor").json() == {
        "since": None,
        "waits": False,
        "due": False,
    }
    is_problem(
        here.post("/accounts/second-factor", {"password": "not it"}), 401, "wrong-credentials"
    )
    is_problem(here.post("/accounts/second-factor/confirm", {"code": "123456"}), 404, "not-there")
    secret = begun(here)
    assert here.get("/accounts/second-factor").json()["waits"]
    wrong = here.post("/accounts/second-factor/confirm", {"code": "00000x"})
    is_problem(wrong, 401, "wrong-code")
    assert town.refusals()[0].entry.action == "accounts.second_factor_confirm"
    code = shown(secret, town.clock())
    assert here.post("/accounts/second-factor/confirm", {"code": code}).status_code == 204
    assert here.get("/me").json()["second_factor"]
    is_problem(elsewhere.get("/accounts/second-factor"), 401, "unauthenticated")
    is_problem(sign_in(town, name), 401, "code-needed")
    is_problem(sign_in(town, name, code), 401, "wrong-code")  # it was used to confirm
    again = holder(town, name, shown(secret, next_period(town)))
    assert again.get("/me").json()["second_factor"]


def test_a_stolen_session_neither_replaces_nor_confirms(town: Town) -> None:
    name, _ = somebody(town, Role.REVIEWER)
    _, other = somebody(town, Role.REVIEWER)
    mine = holder(town, name)
    secret = begun(mine)
    code = shown(secret, town.clock())
    is_problem(other.post("/accounts/second-factor/confirm", {"code": code}), 404, "not-there")
    assert mine.post("/accounts/second-factor/confirm", {"code": code}).status_code == 204
    form = {"password": PASSWORD}
    is_problem(mine.post("/accounts/second-factor", form), 401, "code-needed")
    replay = mine.post("/accounts/second-factor", {**form, "code": code})
    is_problem(replay, 401, "wrong-code")
    fresh = begun(mine, shown(secret, next_period(town)))
    holder(town, name, shown(secret, next_period(town)))  # the old one holds until it is confirmed
    code = shown(fresh, town.clock())
    assert mine.post("/accounts/second-factor/confirm", {"code": code}).status_code == 204
    at = next_period(town)
    is_problem(sign_in(town, name, shown(secret, at)), 401, "wrong-code")
    assert sign_in(town, name, shown(fresh, at)).status_code == 201


def test_who_lost_the_phone_is_helped_by_a_secadmin_not_by_a_sysadmin(
    town: Town, browser: Browser
) -> None:
    name, made = somebody(town, Role.REVIEWER)
    mine = holder(town, name)
    code = shown(begun(mine), town.clock())
    assert mine.post("/accounts/second-factor/confirm", {"code": code}).status_code == 204
    _, sysadmin = somebody(town, Role.SYSADMIN)
    guard, secadmin = somebody(town, Role.SECADMIN)
    path = f"/accounts/{made.account}/remove-second-factor"
    is_problem(sysadmin.post(path), 403, "not-permitted")
    held = {each["account_id"] for each in secadmin.get("/second-factors").json()}
    assert str(made.account) in held
    form = {"name": guard, "password": PASSWORD, "next": "/office/security"}
    assert browser.post("/sign-in", form).status_code == 303
    page = browser.page("/office/security")
    assert f"（{name}）" in page and "两件事不能由一个人做" in page
    button = f"/office/security/accounts/{made.account}/remove-second-factor"
    done = browser.post(button, form_to(page, button))
    assert done.status_code == 303, done.text
    assert "已解除动态口令" in browser.page("/office/security")
    is_problem(mine.get("/accounts/second-factor"), 401, "unauthenticated")
    assert not holder(town, name).get("/me").json()["second_factor"]
    is_problem(secadmin.post(path), 404, "not-there")


def test_a_role_that_needs_one_opens_nothing_else_before(town: Town, browser: Browser) -> None:
    town.staff(SUPERVISOR, Role.SUPERVISOR)
    caller = holder(town, SUPERVISOR)
    is_problem(caller.get("/desk/supervisor"), 403, "second-factor-due")
    assert caller.get("/me").json()["second_factor_due"]
    form = {"name": SUPERVISOR, "password": PASSWORD, "next": "/desk/supervisor"}
    assert browser.post("/sign-in", form).headers["location"] == "/desk/supervisor"
    led = browser.get("/desk/supervisor")
    assert (led.status_code, led.headers["location"]) == (303, "/second-factor")
    page = browser.page("/second-factor")
    assert "绑定后才能办理其他事项" in page
    path, confirm = "/second-factor/begin", "/second-factor/confirm"
    wrong = browser.post(path, form_to(page, path) | {"password": "not it"})
    assert wrong.status_code == 422 and "密码不正确" in wrong.text
    answer = browser.post(path, form_to(page, path) | {"password": PASSWORD})
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    secret = re.search(r'<code class="key">([A-Z2-7 ]+)</code>', answer.text)
    assert secret and 'src="data:image/svg+xml' in answer.text
    later = browser.page("/second-factor")
    assert secret[1] not in later and "还差一步" in later, "shown once"
    typed = form_to(later, confirm)
    assert "6位数字" in browser.post(confirm, typed | {"code": "12"}).text
    missed = browser.post(confirm, typed | {"code": "00000x"})
    assert missed.status_code == 422 and "动态口令不正确" in missed.text
    code = shown(secret[1], town.clock())
    done = browser.post(confirm, typed | {"code": f"{code[:3]} {code[3:]}"})
    assert done.status_code == 303, done.text
    assert "已启用，自" in browser.page("/second-factor")
    assert browser.get("/desk/supervisor").status_code == 200
    is_problem(sign_in(town, SUPERVISOR), 401, "code-needed")


def test_the_page_replaces_one_by_its_code(town: Town, browser: Browser) -> None:
    name, _ = somebody(town, Role.REVIEWER)
    mine = holder(town, name)
    old = begun(mine)
    code = shown(old, town.clock())
    assert mine.post("/accounts/second-factor/confirm", {"code": code}).status_code == 204
    form = {"name": name, "password": PASSWORD, "next": "/"}
    stopped = browser.post("/sign-in", form)
    assert stopped.status_code == 422 and "请输入动态口令" in stopped.text
    code = shown(old, next_period(town))
    assert browser.post("/sign-in", form | {"code": code}).status_code == 303
    page = browser.page("/second-factor")
    path = "/second-factor/begin"
    replayed = browser.post(path, form_to(page, path) | {"password": PASSWORD, "code": code})
    assert replayed.status_code == 422 and "已使用过" in replayed.text
    code = shown(old, next_period(town))
    answer = browser.post(path, form_to(page, path) | {"password": PASSWORD, "code": code})
    assert answer.status_code == 200 and "原来的动态口令仍然有效" in answer.text
    secret = re.search(r'<code class="key">([A-Z2-7 ]+)</code>', answer.text)
    assert secret
    confirm = "/second-factor/confirm"
    code = shown(secret[1], town.clock())
    assert browser.post(confirm, form_to(answer.text, confirm) | {"code": code}).status_code == 303
    is_problem(sign_in(town, name, shown(old, next_period(town))), 401, "wrong-code")


def test_a_citizen_has_none_and_a_code_of_some_minutes_ago_confirms_nothing(town: Town) -> None:
    is_problem(town.citizen("市民口令").get("/accounts/second-factor"), 403, "not-permitted")
    name, _ = somebody(town, Role.REVIEWER)
    mine = holder(town, name)
    secret = begun(mine)
    old = shown(secret, town.clock() - timedelta(minutes=3))
    is_problem(mine.post("/accounts/second-factor/confirm", {"code": old}), 401, "wrong-code")
    assert mine.get("/accounts/second-factor").json()["since"] is None
