"""The pages there are: signing in, looking a number up, a case. By finger, keys and eye."""

import re

import pytest

from tests.browser.conftest import Opens
from tests.browser.desk import Site, Viewport, shoot
from tests.browser.looks import holds

WAYS = ["small", *(pytest.param(way, marks=pytest.mark.deep) for way in ("phone", "desktop"))]
"""The narrowest each time, the others in the deep tier."""


@pytest.mark.parametrize("viewport", WAYS)
def test_the_sign_in_form_can_be_used_by_anybody(desk: Opens, viewport: Viewport) -> None:
    window = desk(None, viewport)
    page = window.open("/sign-in")
    holds(page)
    page.fill("[name=name]", "没有这个人")
    page.fill("[name=password]", "Wrong-Pass-1")
    with page.expect_navigation():
        page.click("button.main")
    assert page.locator("[role=alert]").count() == 1
    holds(page)
    shoot(page, f"sign-in-refused-{viewport}")


@pytest.mark.parametrize("viewport", WAYS)
def test_a_number_is_looked_up_and_the_case_is_read(
    desk: Opens, site: Site, viewport: Viewport
) -> None:
    case = site.town.citizen("市民甲").report()
    site.town.reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
    site.seen()
    window = desk("审核甲", viewport)
    page = window.open("/search")
    holds(page)
    page.fill("#number", case.number)
    with page.expect_navigation():
        page.click("button.main")
    assert re.search(rf"/cases/{case.number}$", page.url)
    holds(page)


def test_one_signs_in_by_the_form_without_a_script_running(desk: Opens) -> None:
    window = desk(javascript=False)
    page = window.sign_in("市民甲")
    assert page.get_by_text("市民甲").is_visible()
    holds(page)
