"""数据分析 in a real browser: charts under the policy, tables without a script, files, keys."""

import csv
import io
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opens
from tests.browser.desk import Desk, Site, Viewport, shoot
from tests.browser.looks import holds

HOME = "/desk/analyst"
EMPTY = f"{HOME}?on=2020-01-01"
WRONG = f"{HOME}?as_of=2999-01-01T00:00"


@pytest.fixture(scope="module")
def told(site: Site) -> str:
    """Cases in several stages, one overdue; the number of the one that was closed."""
    town = site.town
    for _ in range(2):
        waits = town.anonymous().report()
        town.reviewer.act(waits, "register", "dispatched", indicator="P10", condition="P10-2")
    case = town.anonymous().report()
    town.reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
    street = town.street()
    street.act(case, "acknowledge", "handling")
    street.act(
        case, "rectify", "rectified", outcome="rectified", photos=[street.photo()], words="已码放。"
    )
    town.second_reviewer.act(case, "close", "closed", standard_met=True, reply="已处置，谢谢。")
    town.forward(hours=3)
    town.anonymous().report()
    site.seen()
    return case.number


def drawn(page: Page) -> None:
    """Wait until every chart of the page is drawn; they wait for being looked at."""
    for table in page.locator("table[id^=t-]").all():
        table.scroll_into_view_if_needed()
    for chart in page.locator("[data-chart]").all():
        expect(chart).to_have_attribute("data-drawn", re.compile("yes|nothing"))


def test_charts_and_map_are_drawn_of_the_tables_under_the_policy(desk: Opens, told: str) -> None:
    window = desk("分析甲", "desktop")
    page = window.open(HOME)
    drawn(page)
    charts = page.locator("[data-chart]")
    assert charts.count() == 3 and page.locator("canvas").count() == 0
    for chart in charts.all():
        assert chart.locator("svg").count() == 1
    names = page.locator("#t-stages tbody th").all_inner_texts()
    written = page.locator("[data-chart=stages] svg text").all_text_contents()
    assert names and set(names) <= set(written), "what the chart says is what the table says"
    # A tooltip of markup would bring styles that the policy forbids; the window listens for that.
    page.locator("[data-chart=stages]").hover()
    page.mouse.wheel(0, 40)
    page.locator("[data-chart=amounts]").hover()
    expect(page.locator("[data-colours]")).to_have_attribute("data-drawn", "yes")
    assert page.locator(".map path").count() >= 29
    holds(page, with_keyboard=False)
    shoot(page, "analyst-charts", whole=True)


def test_without_a_script_the_tables_are_the_answer(desk: Opens, told: str) -> None:
    window = desk("分析甲", "desktop", javascript=False)
    page = window.open(HOME)
    assert page.locator("[data-chart]:visible").count() == 0
    assert page.locator("#t-streets tbody tr[data-code]").count() == 29
    assert page.get_by_text("地图打不开时请看旁边的表").is_visible()
    with page.expect_navigation():
        page.select_option("#f-period", "week")
        page.locator(".asked-for button").click()
    assert "period=week" in page.url and "周" in page.locator(".stamp").first.inner_text()
    page.goto(f"{window.site.address}{HOME}/export")
    with page.expect_download() as waited:
        page.get_by_role("button", name="生成并下载").click()
    assert waited.value.suggested_filename == "cases.csv"


def test_a_file_tells_that_it_comes_and_that_it_came(desk: Opens, told: str) -> None:
    window = desk("分析甲", "desktop")
    page = window.open(f"{HOME}/export")
    page.get_by_label("案件编号").check()
    with page.expect_download() as waited:
        page.get_by_role("button", name="生成并下载").click()
    rows = list(csv.reader(io.StringIO(Path(waited.value.path()).read_text("utf-8-sig"))))
    assert rows[0] == ["number"] and [told] in rows
    expect(page.locator(".working")).to_contain_text("已下载：cases.csv")
    page.fill("#f-from", "2026-05-02")
    page.fill("#f-to", "2026-05-01")
    page.get_by_role("button", name="生成并下载").click()
    alert = page.locator(".working[role=alert]")
    expect(alert).to_contain_text("结束日期不能早于开始日期")
    expect(page.get_by_role("button", name="生成并下载")).to_be_enabled()
    holds(page, with_keyboard=False)


def test_a_lost_connection_is_said_and_nothing_is_lost(desk: Opens, told: str) -> None:
    window = desk("分析甲", "phone")
    page = window.open(f"{HOME}/measures/handled_in_time")
    window.context.set_offline(True)
    page.get_by_role("link", name="下载这些表").click()
    expect(page.locator(".working[role=alert]")).to_contain_text("网络断开")
    expect(page.locator(".offline")).to_be_visible()
    window.context.set_offline(False)
    with page.expect_download() as waited:
        page.get_by_role("link", name="下载这些表").click()
    assert waited.value.suggested_filename.startswith("按期处置率-")
    expect(page.locator(".offline")).to_be_hidden()
    # What failed while there was no connection was meant to.
    window.troubles[:] = [
        each for each in window.troubles if "ERR_INTERNET_DISCONNECTED" not in each
    ]


def test_a_number_is_followed_to_a_case_and_back_by_keys_alone(desk: Opens, told: str) -> None:
    window = desk("分析甲", "desktop")
    page = window.open(f"{HOME}/measures/closed")
    link = page.locator(".whole a").first
    link.focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    link = page.get_by_role("link", name=told)
    link.focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url.split("?")[0].endswith(f"/cases/{told}")
    back = page.get_by_role("link", name="返回列表")
    back.focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "/desk/analyst/cases?" in page.url


def test_a_trial_is_run_and_its_result_has_the_focus(desk: Opens, site: Site, told: str) -> None:
    window = desk("分析甲", "desktop")
    page = window.open(f"{HOME}/dry-run")
    page.select_option("#f-indicator", "P10")
    with page.expect_navigation():
        page.get_by_role("button", name="列出这个指标的时限").click()
    day = f"{site.town.clock():%Y-%m-%d}"
    page.locator("#f-indicator-conditions-1-limit-amount").fill("1")
    page.locator("[name='limit.P10-2.unit']").select_option("working_day")
    page.fill("#f-first-limit", f"{day[:8]}01")
    page.fill("#f-last-limit", day)
    with page.expect_navigation():
        page.locator("form:has(#f-first-limit) button.main").click()
    assert page.evaluate("document.activeElement.id") == "told"
    assert "总的结果" in page.locator("#told").inner_text()
    assert page.locator("[name='limit.P10-2.amount']").input_value() == "1"
    drawn(page)
    holds(page, with_keyboard=False)


# All ways of looking -----------------------------------------------------------------------

PAGES = (
    ("overview", HOME, 200),
    ("empty", EMPTY, 200),
    ("wrong", WRONG, 422),
    ("measures", f"{HOME}/measures", 200),
    ("measure", f"{HOME}/measures/handled_in_time", 200),
    ("cases", f"{HOME}/cases?measure=reports", 200),
    ("no-cases", f"{HOME}/cases?measure=reports&on=2020-01-01", 200),
    ("cases-wrong", f"{HOME}/cases?measure=reports&on=2099-01-01", 422),
    ("export", f"{HOME}/export", 200),
    ("export-wrong", f"{HOME}/export/file?from=x", 422),
    ("documents", f"{HOME}/documents", 200),
    ("documents-wrong", f"{HOME}/documents/file?report=weekly&on=x", 422),
    ("sealed", f"{HOME}/sealed/2026-04", 200),
    ("dry-run", f"{HOME}/dry-run?indicator=P10", 200),
)
VIEWPORTS: tuple[Viewport, ...] = ("desktop", "phone")


def looked_at(window: Desk, name: str, path: str, status: int, *, keys: bool) -> None:
    page = window.open(path, status)
    drawn(page)
    holds(page, with_keyboard=keys)
    shoot(
        page,
        f"analyst-{name}-{page.viewport_size['width'] if page.viewport_size else 0}",
        whole=True,
    )


@pytest.mark.parametrize("path", [WRONG], ids=["wrong"])
def test_what_is_wrong_is_led_to_on_a_phone(desk: Opens, told: str, path: str) -> None:
    window = desk("分析甲", "phone")
    page = window.open(path, 422)
    assert page.evaluate("document.activeElement.className") == "refused"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id || location.hash.slice(1)") == "f-as_of"
    # Tab begins at what is wrong, not at the top: the walk over all of it is for other pages.
    holds(page, with_keyboard=False)


@pytest.mark.deep
@pytest.mark.parametrize("viewport", VIEWPORTS)
@pytest.mark.parametrize(("name", "path", "status"), PAGES, ids=[name for name, _, _ in PAGES])
def test_a_page_can_be_used_by_anybody(
    desk: Opens, told: str, name: str, path: str, status: int, viewport: Viewport
) -> None:
    looked_at(desk("督办甲", viewport), name, path, status, keys=status == 200)
