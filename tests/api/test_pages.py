"""Pages as a browser asks for them: signing in and out, and a case with its clocks explained."""

import re
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from casework.model import Role
from tests.api.browsing import (
    client_of,
    form_of,
    holds_together,
    origin,
    says,
    signed_in,
    token_on,
)
from tests.api.client import Town, own_town, picture


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    """A town of this file's own: its clock and catalogue are nobody else's to move."""
    with own_town() as found:
        yield found


@pytest.fixture
def browser(town: Town) -> Iterator[httpx.Client]:
    """A browser of its own, that follows nothing by itself."""
    with client_of(town) as client:
        yield client


def test_a_page_leads_who_is_not_signed_in_to_the_form_and_back(
    town: Town, browser: httpx.Client
) -> None:
    case = town.citizen("市民甲").report()
    name = f"审核{uuid4().hex[:8]}"
    town.staff(name, Role.REVIEWER)
    led = browser.get(f"/cases/{case.number}")
    assert (led.status_code, led.headers["location"]) == (303, f"/status?number={case.number}")
    status = browser.get(led.headers["location"])
    holds_together(status)
    onward = re.search(r'href="(/sign-in[?][^"]+)"', status.text)
    assert onward and onward[1] == f"/sign-in?next=/cases/{case.number}"
    form = browser.get(onward[1])
    holds_together(form)
    assert f'value="/cases/{case.number}"' in form.text
    answer = signed_in(town, browser, name, f"/cases/{case.number}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/cases/{case.number}")
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("session="))
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie
    page = browser.get(answer.headers["location"])
    assert page.status_code == 200
    holds_together(page)

    token = token_on(page.text)
    wrong = browser.post("/sign-out", data={"token": "0" * 64}, headers=origin(town))
    says(wrong, 400, "页面停留过久")
    foreign = browser.post(
        "/sign-out", data={"token": token}, headers={"Origin": "http://elsewhere.example"}
    )
    says(foreign, 400, "不是从本站页面提交的")
    out = browser.post("/sign-out", data={"token": token}, headers=origin(town))
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
    says(foreign, 400, "不是从本站页面提交的")
    says(browser.post("/sign-in", data=form), 400, "不是从本站页面提交的")


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
    plain = [re.sub(r"/cases/[^\"]+", "", answer.text) for answer in (theirs, nothing)]
    assert plain[0] == plain[1], "not yours and not there are one answer"


def test_a_number_is_looked_up_from_the_first_page(town: Town, browser: httpx.Client) -> None:
    case = town.citizen("市民甲").report()
    holds_together(browser.get("/"))
    town.staff("查案件的人", Role.ANALYST)
    signed_in(town, browser, "查案件的人")
    found = browser.get("/search", params={"number": f" {case.number.lower()} "})
    assert (found.status_code, found.headers["location"]) == (303, f"/cases/{case.number}")
    wrong = browser.get("/search", params={"number": "HD123"})
    assert wrong.status_code == 422
    assert 'value="HD123"' in wrong.text and "请核对" in wrong.text
    style = browser.get("/static/app.css")
    assert (style.status_code, style.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert browser.get("/static/nothing.css").status_code == 404
    assert browser.get("/static/..%2fcases.py").status_code in {404, 422}


# forms of actions ------------------------------------------------------------------------


@pytest.fixture
def reviewing(town: Town, browser: httpx.Client) -> httpx.Client:
    """The browser of a reviewer."""
    name = f"审核{uuid4().hex[:8]}"
    town.staff(name, Role.REVIEWER)
    signed_in(town, browser, name)
    return browser


def test_a_case_is_registered_from_its_page_once_however_often_it_is_sent(
    town: Town, reviewing: httpx.Client
) -> None:
    case = town.citizen("市民甲").report()
    form = form_of(reviewing.get(f"/cases/{case.number}").text, "register")
    form |= {"indicator": "P10", "condition": "P10-2", "dispatch": "yes"}
    path = f"/cases/{case.number}/register"
    done = reviewing.post(path, data=form, headers=origin(town))
    assert (done.status_code, done.headers["location"]) == (303, f"/cases/{case.number}")
    version = town.version_of(case)
    again = reviewing.post(path, data=form, headers=origin(town))
    assert again.status_code == 303
    assert town.version_of(case) == version == case.version + 2
    page = reviewing.get(f"/cases/{case.number}")
    says(page, 200, "已办理：立案")
    assert "待签收" in page.text
    assert "已办理" not in reviewing.get(f"/cases/{case.number}").text, "it is told once"


def test_an_unticked_box_is_a_no(town: Town, reviewing: httpx.Client) -> None:
    case = town.citizen("市民甲").report()
    form = form_of(reviewing.get(f"/cases/{case.number}").text, "register")
    form |= {"indicator": "P10", "condition": "P10-2"}
    reviewing.post(f"/cases/{case.number}/register", data=form, headers=origin(town))
    says(reviewing.get(f"/cases/{case.number}"), 200, "待派遣")


def test_what_is_wrong_is_said_beside_the_field_and_nothing_typed_is_lost(
    town: Town, reviewing: httpx.Client
) -> None:
    case = town.citizen("市民甲").report()
    form = form_of(reviewing.get(f"/cases/{case.number}").text, "refuse")
    form |= {"code": "N99", "words": "<太短>"}
    answer = reviewing.post(f"/cases/{case.number}/refuse", data=form, headers=origin(town))
    assert answer.status_code == 422
    holds_together(answer)
    assert "&lt;太短&gt;</textarea>" in answer.text
    assert 'value="N99" selected' in answer.text
    assert 'role="alert"' in answer.text
    assert town.version_of(case) == case.version
    del form["code"]
    answer = reviewing.post(f"/cases/{case.number}/refuse", data=form, headers=origin(town))
    says(answer, 422, '<a href="#refuse-code">原因：不能为空。</a>')
    assert 'id="refuse-code"' in answer.text and 'aria-invalid="true"' in answer.text


def test_a_lost_race_tells_who_did_what_and_keeps_the_words(
    town: Town, reviewing: httpx.Client
) -> None:
    case = town.citizen("市民甲").report()
    form = form_of(reviewing.get(f"/cases/{case.number}").text, "refuse")
    town.second_reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
    form |= {"code": "N05", "words": "照片里看不出问题在哪里。"}
    answer = reviewing.post(f"/cases/{case.number}/refuse", data=form, headers=origin(town))
    assert answer.status_code in {409, 412}
    holds_together(answer)
    assert "在您打开之后" in answer.text and "立案" in answer.text
    assert "照片里看不出问题在哪里。" in answer.text


def test_photos_go_with_the_form_where_there_is_no_script(
    town: Town, browser: httpx.Client
) -> None:
    case = town.citizen("市民甲").report()
    town.reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
    name = f"街镇{uuid4().hex[:8]}"
    town.staff(name, Role.STREET, street="110108011")
    signed_in(town, browser, name)
    page = browser.get(f"/cases/{case.number}")
    browser.post(
        f"/cases/{case.number}/acknowledge",
        data=form_of(page.text, "acknowledge"),
        headers=origin(town),
    )
    form = form_of(browser.get(f"/cases/{case.number}").text, "rectify")
    empty = browser.post(
        f"/cases/{case.number}/rectify",
        data=form | {"outcome": "rectified", "words": "已清理完毕，现场恢复通行。"},
        headers=origin(town),
    )
    says(empty, 422, "整改后的照片")
    kept = browser.post(
        f"/cases/{case.number}/rectify",
        data=form | {"outcome": "rectified"},
        files={"photo_files": ("after.jpg", picture(7), "image/jpeg")},
        headers=origin(town),
    )
    says(kept, 422, "已上传照片1")
    cited = re.search(r'name="photos" value="([^"]+)"', kept.text)
    assert cited, "the photo need not be sent again"
    done = browser.post(
        f"/cases/{case.number}/rectify",
        data=form_of(kept.text, "rectify")
        | {"outcome": "rectified", "words": "已清理完毕，现场恢复通行。", "photos": cited[1]},
        headers=origin(town),
    )
    assert done.status_code == 303, done.text
    assert town.reviewer.get(f"/cases/{case.id}").json()["status"] == "rectified"


def test_a_page_is_as_large_as_one_reads_it(town: Town, browser: httpx.Client) -> None:
    plain = browser.get("/")
    assert 'class="scale-100"' in plain.text
    large = browser.post("/size", data={"elder": "1", "back": "/sign-in"}, headers=origin(town))
    assert (large.status_code, large.headers["location"]) == (303, "/sign-in")
    assert 'class="scale-100 elder"' in browser.get("/").text
    assert 'class="scale-125 elder"' in browser.get("/", params={"scale": "1.3"}).text
    assert 'class="scale-125 elder"' in browser.get("/").text, "it is remembered"
    assert 'class="scale-125"' in browser.get("/", params={"elder": "0"}).text
    for nonsense in ("nan", "inf", "<b>", "-1"):
        assert browser.get("/", params={"scale": nonsense}).status_code == 200


def test_who_must_change_the_password_is_led_there(town: Town, browser: httpx.Client) -> None:
    name = f"审核{uuid4().hex[:8]}"
    caller = town.staff(name, Role.REVIEWER)
    reset = town.staff("系统管理员", Role.SYSADMIN).post(
        f"/accounts/{caller.account}/reset-password"
    )
    temporary = reset.json()["temporary_password"]
    sign_in = {"name": name, "password": temporary}
    answer = browser.post("/sign-in", data=sign_in, headers=origin(town))
    assert (answer.status_code, answer.headers["location"]) == (303, "/password")
    led = browser.get("/search")
    assert (led.status_code, led.headers["location"]) == (303, "/password")
    page = browser.get("/password")
    holds_together(page)
    token = token_on(page.text)
    form = {"token": token, "old": temporary, "new": "Xin-Mi-Ma-2026!", "again": "Xin"}
    says(browser.post("/password", data=form, headers=origin(town)), 422, "两次填写的新密码")
    form["again"] = form["new"]
    assert browser.post("/password", data=form, headers=origin(town)).status_code == 303
    assert browser.get("/search").status_code == 200
