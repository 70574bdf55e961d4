"""Pages as a browser asks for them: signing in and out, and a case with its clocks explained."""

import re
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from casework.model import Role
from tests.api.client import PASSWORD, Town, is_problem

BROWSER = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def browser(town: Town) -> Iterator[httpx.Client]:
    """A browser of its own, that follows nothing by itself."""
    with httpx.Client(base_url=town.http.base_url, headers=BROWSER, timeout=30) as client:
        yield client


def origin(town: Town) -> dict[str, str]:
    return {"Origin": str(town.http.base_url).rstrip("/")}


def signed_in(town: Town, browser: httpx.Client, name: str, next_: str = "/") -> httpx.Response:
    form = {"name": name, "password": PASSWORD, "next": next_}
    return browser.post("/sign-in", data=form, headers=origin(town))


def holds_together(answer: httpx.Response) -> None:
    """What every page says about itself."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "<script" not in answer.text and "style=" not in answer.text
    assert '<html lang="zh-CN">' in answer.text


def test_a_page_leads_who_is_not_signed_in_to_the_form_and_back(
    town: Town, browser: httpx.Client
) -> None:
    case = town.citizen("市民甲").report()
    name = f"审核{uuid4().hex[:8]}"
    town.staff(name, Role.REVIEWER)
    led = browser.get(f"/cases/{case.number}")
    assert (led.status_code, led.headers["location"]) == (
        303,
        f"/sign-in?next=/cases/{case.number}",
    )
    form = browser.get(led.headers["location"])
    holds_together(form)
    assert f'value="/cases/{case.number}"' in form.text
    answer = signed_in(town, browser, name, f"/cases/{case.number}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/cases/{case.number}")
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("session="))
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie
    page = browser.get(answer.headers["location"])
    assert page.status_code == 200
    holds_together(page)

    token = re.search(r'name="token" value="([0-9a-f]+)"', page.text)
    assert token
    wrong = browser.post("/sign-out", data={"token": "0" * 64}, headers=origin(town))
    is_problem(wrong, 400, "stale-form")
    foreign = browser.post(
        "/sign-out", data={"token": token[1]}, headers={"Origin": "http://elsewhere.example"}
    )
    is_problem(foreign, 400, "foreign-form")
    out = browser.post("/sign-out", data={"token": token[1]}, headers=origin(town))
    assert out.status_code == 303
    assert browser.get(f"/cases/{case.number}").status_code == 303, "the session is over"


def test_a_wrong_password_keeps_what_was_typed_and_says_what_to_do(
    town: Town, browser: httpx.Client
) -> None:
    form = {"name": "没有这个人", "password": "Wrong-Pass-1", "next": "//elsewhere.example"}
    answer = browser.post("/sign-in", data=form, headers=origin(town))
    assert answer.status_code == 422
    holds_together(answer)
    assert 'role="alert"' in answer.text and 'value="没有这个人"' in answer.text
    assert "Wrong-Pass-1" not in answer.text
    assert "elsewhere" not in answer.text, "only paths of this site are gone on to"
    foreign = browser.post("/sign-in", data=form, headers={"Origin": "http://elsewhere.example"})
    is_problem(foreign, 400, "foreign-form")
    is_problem(browser.post("/sign-in", data=form), 400, "foreign-form")


def test_the_street_sees_when_a_case_is_due_and_how_that_came_about(
    town: Town, browser: httpx.Client
) -> None:
    case = town.citizen("市民甲").report(text="<b>共享单车</b>停得太满")
    town.reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
    name = f"街镇{uuid4().hex[:8]}"
    town.staff(name, Role.STREET, street="110108011")
    signed_in(town, browser, name)
    head = town.parts.casework.eventlog.head()
    town.reviewer.get("/cases", after=head, limit=1)
    page = browser.get(f"/cases/{case.number}")
    assert page.status_code == 200
    holds_together(page)
    told = town.street().get(f"/cases/{case.id}/clock").json()
    for clock in told["clocks"]:
        assert f"{clock['name']}" in page.text
        for step in clock["steps"]:
            assert step["says"] in page.text
            for stretch in step["stretches"]:
                assert stretch["says"] in page.text
            for line in step["due"]:
                assert line in page.text
    assert "待签收" in page.text and "处置" in page.text and "怎么算出来的" in page.text
    assert "<b>共享单车" not in page.text and "&lt;b&gt;共享单车" in page.text

    stranger = f"街镇{uuid4().hex[:8]}"
    town.staff(stranger, Role.STREET, street="110108010")
    browser.cookies.clear()
    signed_in(town, browser, stranger)
    theirs, nothing = browser.get(f"/cases/{case.number}"), browser.get(f"/cases/{uuid4()}")
    assert (theirs.status_code, nothing.status_code) == (404, 404)
    assert theirs.text == nothing.text, "not yours and not there are one answer"


def test_a_number_is_looked_up_from_the_first_page(town: Town, browser: httpx.Client) -> None:
    case = town.citizen("市民甲").report()
    holds_together(browser.get("/"))
    found = browser.get("/", params={"number": f" {case.number.lower()} "})
    assert (found.status_code, found.headers["location"]) == (303, f"/cases/{case.number}")
    wrong = browser.get("/", params={"number": "HD123"})
    assert wrong.status_code == 422
    assert 'value="HD123"' in wrong.text and "请核对" in wrong.text
    style = browser.get("/static/app.css")
    assert (style.status_code, style.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert browser.get("/static/nothing.css").status_code == 404
    assert browser.get("/static/..%2fcases.py").status_code in {404, 422}
