"""The back rooms in a real browser: by eye and by keys, empty, filled and refused."""

import pytest

from tests.browser.conftest import Opens
from tests.browser.desk import Site, shoot
from tests.browser.looks import holds

PAGES = (
    ("系统甲", "/office/accounts"),
    ("系统甲", "/office/configuration"),
    ("系统甲", "/office/configuration/indicators/P10"),
    ("系统甲", "/office/duty"),
    ("安全甲", "/office/security"),
    ("安全甲", "/office/security/policy"),
    ("审计甲", "/office/audit"),
)


EACH_TIME = ("/office/accounts", "/office/configuration", "/office/security")


@pytest.mark.parametrize(
    ("who", "path"),
    [
        pytest.param(who, path, id=path, marks=() if path in EACH_TIME else pytest.mark.deep)
        for who, path in PAGES
    ],
)
def test_a_room_can_be_used_by_anybody(desk: Opens, who: str, path: str) -> None:
    window = desk(who, "desktop")
    page = window.open(path)
    # A walk through the hundreds of fields of an indicator is for the deep tier.
    holds(page, with_keyboard="indicators" not in path)
    shoot(page, f"office{path.removeprefix('/office').replace('/', '-')}")


@pytest.mark.deep
@pytest.mark.parametrize(("who", "path"), PAGES, ids=[path for _, path in PAGES])
def test_a_room_can_be_used_on_a_phone(desk: Opens, who: str, path: str) -> None:
    holds(desk(who, "phone").open(path))


def test_a_secret_is_asked_for_twice_and_shown_once(desk: Opens, site: Site) -> None:
    window = desk("系统甲", "desktop")
    page = window.open("/office/accounts")
    site.town.staff("要重置的人")
    page = window.open("/office/accounts?after=要")
    page.locator("summary", has_text="要重置的人").click()
    reset = page.get_by_role("button", name="重置密码").first
    reset.click()
    assert page.get_by_text("再按一次即办理").is_visible(), "no window over the page"
    with page.expect_navigation():
        reset.click()
    assert page.locator(".secret code").inner_text()
    holds(page)
    page = window.open("/office/accounts")
    assert page.locator(".secret").count() == 0


def test_what_is_refused_is_led_to_by_a_link(desk: Opens) -> None:
    window = desk("系统甲", "desktop")
    page = window.open("/office/configuration")
    page.locator("summary", has_text="提议变更环节时限").click()
    page.select_option("#steps-clock", "review")
    page.fill("#steps-limit-amount", "二十")
    page.fill("#steps-reason", "审核提速")
    with page.expect_navigation():
        page.locator("form[action$='/steps'] button").click()
    assert page.locator(".refused").is_visible()
    assert page.input_value("#steps-reason") == "审核提速"
    page.get_by_role("link", name="时限：请填写整数。").click()
    assert page.locator(":focus, :target").first.get_attribute("id") == "steps-limit-amount"
    holds(page, with_keyboard=False)
