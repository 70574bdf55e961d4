"""审核台 in a real browser: by keys alone and counted, two at once, without a script, by eye."""

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.api.client import INSIDE, NEAR_BORDER, Body, Tracked, picture
from tests.browser.conftest import Opens
from tests.browser.desk import Site, Viewport, shoot
from tests.browser.looks import holds

MOST_KEYS = 6
"""What a plain report may take."""


@dataclass
class Keys:
    """The keyboard of a page, counting."""

    page: Page
    pressed: int = 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.pressed += 1


def spot(site: Site) -> Body:
    """A place of its own, well inside 中关村: 120 m from those of the other tests."""
    site.town.pictures += 1
    n = site.town.pictures
    return {**INSIDE, "lon": 116.3188 + n % 8 * 0.0014, "lat": 39.9782 + n // 8 % 8 * 0.0011}


def plain(
    site: Site,
    *,
    place: Body | None = None,
    indicator: str | None = "P10",
    text: str = "共享单车停得太满，推婴儿车过不去。",
    photos: int = 0,
) -> Tracked:
    case = site.town.citizen("市民甲").report(
        photos=photos, place=place or spot(site), indicator=indicator, text=text
    )
    site.seen()
    return case


def status(site: Site, case: Tracked) -> str:
    return str(site.town.reviewer.get(f"/cases/{case.id}").json()["status"])


def claimed(page: Page) -> None:
    """Wait until this window has the case for itself."""
    expect(page.locator("[data-claim-says]")).to_contain_text("您已领办")


def at_rest(page: Page) -> None:
    """Wait until the claim of the case that was led on to is answered: opened by its address
    meanwhile, the case would be shown as it was before it.
    """
    page.wait_for_load_state("networkidle")


def test_a_plain_report_takes_at_most_six_keys_and_the_next_one_is_open(
    desk: Opens, site: Site
) -> None:
    first, second, third = plain(site), plain(site), plain(site)
    window = desk("审核甲", "desktop")
    page = window.open(f"/desk/reviewer?list=to_review&case={first.number}")
    later = page.locator("[data-desk]").get_attribute("data-later")
    keys = Keys(page)
    with page.expect_navigation():
        keys.press("a", "Enter")
    assert keys.pressed <= MOST_KEYS
    expect(page.locator(".said").first).to_contain_text(f"{first.number}已立案并派遣至中关村街道")
    expect(page.locator(".said").first).to_contain_text("前处置")
    assert status(site, first) == "dispatched"
    assert later is not None and later.endswith(
        page.locator("[data-desk]").get_attribute("data-open") or "?"
    )

    # Another kind than the proposed one, by its number.
    at_rest(page)
    page = window.open(f"/desk/reviewer?list=to_review&case={second.number}")
    keys = Keys(page)
    wanted = page.locator(".choice input[type=radio]").nth(1).get_attribute("value")
    with page.expect_navigation():
        keys.press("a", "2", "Enter")
    assert keys.pressed <= MOST_KEYS
    told = site.town.reviewer.get(f"/cases/{second.id}").json()
    assert wanted == f"{told['indicator']} {told['condition']}"

    # Refused with the words of the code: asked once more, as what ends something is.
    at_rest(page)
    page = window.open(f"/desk/reviewer?list=to_review&case={third.number}")
    keys = Keys(page)
    keys.press("r", "N", "0", "3", "Enter")
    expect(page.locator("#act-refuse .asked")).to_be_visible()
    with page.expect_navigation():
        keys.press("Enter")
    assert keys.pressed <= MOST_KEYS
    assert status(site, third) == "refused"


def test_the_keys_go_through_the_queue_and_can_be_switched_off(desk: Opens, site: Site) -> None:
    cases = [plain(site) for _ in range(3)]
    window = desk("审核甲", "desktop")
    page = window.open(f"/desk/reviewer?list=to_review&case={cases[1].number}")
    keys = Keys(page)
    at = page.locator("[data-desk]")
    claimed(page)
    before, after = at.get_attribute("data-earlier"), at.get_attribute("data-later")
    assert before or after
    key, there, back = ("j", after, "k") if after else ("k", before, "j")
    with page.expect_navigation(url=f"**{there}"):
        keys.press(key)
    with page.expect_navigation():
        keys.press(back)
    assert at.get_attribute("data-open") == cases[1].number
    keys.press("?")
    expect(page.locator("#legend")).to_be_visible()
    keys.press("Escape")
    expect(page.locator("#legend")).to_be_hidden()
    keys.press("/")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.type("ajkrq?")
    assert page.input_value("#find") == "ajkrq?", "who types is not disturbed"
    assert at.get_attribute("data-open") == cases[1].number
    keys.press("Escape")
    keys.press("q")
    expect(page.locator("#request_information-code")).to_be_focused()
    keys.press("Escape")
    page.click("[data-keys]")
    expect(page.locator("[data-keys]")).to_have_text("快捷键：关")
    keys.press("Escape", "r")
    expect(page.locator("#do-refuse")).not_to_have_attribute("open", "")
    page.reload()
    expect(page.locator("[data-keys]")).to_have_text("快捷键：关")
    page.click("[data-keys]")
    page.locator("h1").click()
    keys.press("r")
    expect(page.locator("#refuse-code")).to_be_focused()
    page.select_option("#refuse-code", "N02")
    expect(page.locator("#refuse-words")).to_have_value(re.compile("物业服务企业"))


def test_of_two_at_once_one_is_told_who_did_what_and_loses_no_word(desk: Opens, site: Site) -> None:
    case = plain(site)
    first = desk("审核甲", "desktop")
    one = first.open(f"/desk/reviewer?list=to_review&case={case.number}")
    claimed(one)
    second = desk("审核乙", "desktop")
    other = second.open(f"/desk/reviewer?list=to_review&case={case.number}")
    expect(other.locator(".claim")).to_contain_text("审核甲已领办")
    row = other.locator(f"[data-number={case.number}]")
    expect(row).to_contain_text("审核甲已领办")
    Keys(other).press("r")
    other.select_option("#refuse-code", "N05")
    other.fill("#refuse-words", "照片里看不出问题在哪里，请补拍。")
    with one.expect_navigation():
        Keys(one).press("a", "Enter")
    assert status(site, case) == "dispatched"
    # The other's queue tells it as soon as it looks again; what was typed is still there.
    other.click("[data-refresh]")
    expect(other.locator("[data-changed]")).to_be_visible()
    assert other.input_value("#refuse-words") == "照片里看不出问题在哪里，请补拍。"
    other.click("#act-refuse [data-go]")
    with other.expect_navigation():
        other.click("#act-refuse [data-go]")
    told = other.locator(".refused")
    expect(told).to_contain_text("在您打开之后")
    expect(told).to_contain_text("审核员审核甲")
    expect(told).to_contain_text("立案")
    assert other.input_value("#typed") == "照片里看不出问题在哪里，请补拍。"


def test_a_repeated_report_is_merged_by_two_keys(desk: Opens, site: Site) -> None:
    place = spot(site)
    first, again = plain(site, place=place), plain(site, place=place)
    page = desk("审核甲", "desktop").open(f"/desk/reviewer?list=duplicates&case={again.number}")
    expect(page.locator(f"[data-number={again.number}]")).to_contain_text(f"像{first.number}")
    claimed(page)
    keys = Keys(page)
    with page.expect_navigation():
        keys.press("m", "Enter")
    assert keys.pressed <= MOST_KEYS
    assert status(site, again) == "merged"


@pytest.mark.deep
def test_a_wrong_place_is_corrected_on_the_map(desk: Opens, site: Site) -> None:
    case = plain(site)
    page = desk("审核甲", "desktop").open(f"/desk/reviewer?case={case.number}")
    claimed(page)
    page.click("#do-correct-place > summary")
    area = page.locator("#do-correct-place .map.leaflet-container")
    area.wait_for()
    area.click(position={"x": 60, "y": 60})
    expect(page.locator("#correct_place-place-lon")).not_to_have_value("")
    page.select_option("#correct_place-place-kind", "road")
    page.fill("#correct_place-reason", "按照片更正到路口。")
    before = site.town.reviewer.get(f"/cases/{case.id}").json()
    with page.expect_navigation():
        page.click("#act-correct-place [data-go]")
    after = site.town.reviewer.get(f"/cases/{case.id}").json()
    assert before["lon"] > after["lon"] and before["lat"] < after["lat"], "up and to the left"
    assert page.locator("[data-desk]").get_attribute("data-open") == case.number


@pytest.mark.deep
def test_a_lost_connection_is_told_and_what_was_typed_stays(desk: Opens, site: Site) -> None:
    case = plain(site)
    window = desk("审核甲", "desktop")
    page = window.open(f"/desk/reviewer?list=to_review&case={case.number}")
    claimed(page)
    Keys(page).press("r")
    page.fill("#refuse-words", "照片里看不出问题在哪里。")
    window.context.set_offline(True)
    page.click("[data-refresh]")
    expect(page.locator("[data-lost]")).to_be_visible()
    page.select_option("#refuse-code", "N05")
    page.click("#act-refuse [data-go]")
    page.click("#act-refuse [data-go]")
    expect(page.locator(".offline")).to_be_visible()
    window.context.set_offline(False)
    expect(page.locator(".offline")).to_be_hidden()
    page.click("[data-refresh]")
    expect(page.locator("[data-lost]")).to_be_hidden()
    assert page.input_value("#refuse-words") == "照片里看不出问题在哪里。"
    with page.expect_navigation():
        page.click("#act-refuse [data-go]")
    assert status(site, case) == "refused"
    window.troubles.clear()  # what failed while there was no connection was meant to


@pytest.mark.parametrize("viewport", ["phone", pytest.param("desktop", marks=pytest.mark.deep)])
def test_without_a_script_one_goes_from_the_list_to_the_case_to_its_form(
    desk: Opens, site: Site, viewport: Viewport
) -> None:
    case = plain(site)
    page = desk("审核甲", viewport, javascript=False).open("/desk/reviewer?list=to_review")
    with page.expect_navigation():
        page.click(f"[data-number={case.number}]")
    with page.expect_navigation():
        page.click(".claim form button")
    assert "您已领办" in page.inner_text(".claim")
    page.click("#do-request-information > summary")
    page.select_option("#request_information-code", "Q01")
    with page.expect_navigation():
        page.click("#act-request-information [data-go]")
    assert status(site, case) == "awaiting_information"
    assert "已办理：要求补充" in page.inner_text(".said")


# by eye ---------------------------------------------------------------------------------------


def scene(site: Site, state: str) -> str:
    """The desk in a state, as an address."""
    if state == "empty":
        return "/desk/reviewer?list=recheck"
    if state == "border":
        case = plain(site, place=NEAR_BORDER)
        site.town.reviewer.act(case, "register", "registered", indicator="P10", condition="P10-2")
    elif state == "verification":
        case = plain(site, photos=1)
        town, street = site.town, site.town.street()
        town.reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
        street.act(case, "acknowledge", "handling")
        photo = street.photo(case)
        street.act(
            case, "rectify", "rectified", outcome="rectified", words="已清理。", photos=[photo]
        )
    elif state == "danger":
        case = plain(site, text="路口的井盖不见了，\n有人差点掉下去。", indicator=None)
    else:
        place = spot(site)
        plain(site, place=place)
        case = plain(site, place=place, photos=2, indicator=None)
    site.seen()
    return f"/desk/reviewer?case={case.number}"


FAST = {("error", "phone"), ("verification", "desktop")}
"""A plain case is looked at in both widths as one of the screens (tests/browser/screens.py)."""
STATES = ("filled", "error", "empty", "border", "danger", "verification")
LOOKS = [
    pytest.param(state, viewport, marks=[] if (state, viewport) in FAST else [pytest.mark.deep])
    for state in STATES
    for viewport in ("desktop", "phone")
]


@pytest.mark.parametrize(("state", "viewport"), LOOKS)
def test_the_desk_can_be_used_by_anybody(
    desk: Opens, site: Site, state: str, viewport: Viewport
) -> None:
    window = desk("审核甲", viewport)
    page = window.open(scene(site, state))
    if state != "empty":
        claimed(page)
    if state == "error":
        page.click(".jump a[href='#do-refuse']")
        page.select_option("#refuse-code", "N99")
        page.click("#act-refuse [data-go]")
        with page.expect_navigation():
            page.click("#act-refuse [data-go]")
        expect(page.locator(".refused")).to_be_focused()
    shoot(page, f"reviewer-{state}-{viewport}", whole=True)
    # After an error the focus is on what is wrong: Tab goes on from there, not from the top.
    holds(page, with_keyboard=state != "error")


@pytest.mark.parametrize("viewport", ["phone", pytest.param("desktop", marks=pytest.mark.deep)])
def test_a_checker_reports_from_the_site(desk: Opens, site: Site, viewport: Viewport) -> None:
    window = desk("核查甲", viewport)
    case = plain(site)
    site.town.reviewer.act(case, "request_site_check", "submitted", words="请看是否在楼道内。")
    site.seen()
    page = window.open("/desk/checks")
    holds(page)
    shoot(page, f"checks-{viewport}", whole=True)
    with page.expect_navigation():
        page.click(f"a[href*={case.number}]")
    shoot(page, f"check-case-{viewport}", whole=True)
    holds(page)
    page.fill("[name=findings]", "在楼前空地，不在楼道内。")
    shot = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": picture(7)}
    page.set_input_files("input[data-source=camera]", shot)  # type: ignore[arg-type]  # as it says
    expect(page.locator(".picked-one")).to_contain_text("已上传")
    with page.expect_navigation():
        page.click("#act-report-site-check button.main")
    expect(page.locator(".said")).to_contain_text("反馈现场核查")
    told = site.town.reviewer.get(f"/cases/{case.id}/photos").json()["photos"]
    assert [(one["came_with"], one["source"]) for one in told] == [
        ("site-check-reported", "camera")
    ]


@pytest.mark.deep
@pytest.mark.parametrize("viewport", ["phone", "desktop"])
@pytest.mark.parametrize("query", ["", "?status=submitted", "?from=2026-05-12&to=2026-05-11"])
def test_looking_for_cases_can_be_used_by_anybody(
    desk: Opens, site: Site, viewport: Viewport, query: str
) -> None:
    plain(site)
    window = desk("审核甲", viewport)
    page = window.open(f"/search{query}", 422 if "from" in query else 200)
    shoot(page, f"search-{'found' if 'status' in query else 'form'}-{viewport}", whole=True)
    holds(page)
