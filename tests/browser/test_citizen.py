"""A resident with a phone: taps counted, connections lost, a voice kept, scripts switched off."""

import re
import time
from dataclasses import dataclass
from uuid import UUID

import pytest
from playwright.sync_api import FilePayload, Page, Request, Route, expect

from casework.events import ReportSubmitted
from tests.api.client import picture
from tests.browser.conftest import Opens
from tests.browser.costs import best, measure
from tests.browser.desk import Desk, Site
from tests.browser.looks import holds

INSIDE = (116.32367, 39.98207)
WORDS = "人行道停满共享单车，推婴儿车过不去"


@dataclass
class Finger:
    """Somebody's finger on a phone; every tap is counted."""

    page: Page
    taps: int = 0

    def tap(self, selector: str, text: str | None = None) -> None:
        self.page.locator(selector, has_text=text).first.tap()
        self.taps += 1

    def photo(self, seed: int, button: str = "相册") -> None:
        with self.page.expect_file_chooser() as chooser:
            self.tap("label.pick", button)
        chooser.value.set_files([file(seed)])


def file(seed: int) -> FilePayload:
    return FilePayload(name=f"{seed}.jpg", mimeType="image/jpeg", buffer=picture(seed))


def reports(site: Site) -> int:
    """How many reports the log holds."""
    log = site.town.parts.casework.eventlog
    return sum(isinstance(r.event, ReportSubmitted) for r in log.since(0, 100_000))


def written(page: Page, kind: str = "道路") -> None:
    """All that a report needs but its photo; the phone knows where it is."""
    page.locator("#place-told .street").wait_for()
    page.fill("#report-text", WORDS)
    page.locator("label.chip", has_text=kind).last.click()


def forgive(window: Desk, *words: str) -> None:
    """Troubles that a test has made itself."""
    window.troubles[:] = [t for t in window.troubles if not any(w in t for w in words)]


def kept(page: Page) -> list[int]:
    """How many drafts, and how many photos, the phone still keeps."""
    found: list[int] = page.evaluate(
        """async () => {
          const drafts = Object.keys(localStorage).filter((name) => /^report-draft/.test(name));
          const { Shelf } = await import("/static/kept.js");
          return [drafts.length, (await new Shelf("").all()).length];
        }"""
    )
    return found


def test_from_opening_to_the_receipt_in_six_taps_and_under_a_minute(
    desk: Opens, site: Site
) -> None:
    window = desk(None, "phone", at=INSIDE)
    before, began = reports(site), time.monotonic()
    page = window.open("/report")
    finger = Finger(page)
    finger.photo(41)
    finger.tap("#report-text")
    page.keyboard.type(WORDS)
    expect(page.locator("[name=indicator][value=P10]")).to_be_checked()
    assert "单车" in page.inner_text("#kinds-told"), "the reason is said"
    assert "中关村街道" in page.inner_text("#place-told")
    assert "WGS-84" in page.inner_text("#located")
    finger.tap("label.chip", "地铁出入口")
    finger.tap("#send")
    page.wait_for_url("**/receipt")
    assert finger.taps <= 6, finger.taps
    assert time.monotonic() - began < 60
    assert "前完成审核" in page.inner_text("main")
    assert reports(site) == before + 1
    assert kept(page) == [0, 0], "the draft is gone"
    page.goto(site.address + "/report")
    assert page.input_value("#report-text") == ""


def test_an_answer_lost_on_its_way_leaves_one_case(desk: Opens, site: Site) -> None:
    window = desk(None, "phone", at=INSIDE)
    page = window.open("/report")
    Finger(page).photo(42)
    written(page)
    before = reports(site)
    lost: list[int] = []

    def lose(route: Route) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.fetch().status)
        route.abort("connectionreset")

    page.route(re.compile(r"/report$"), lose)
    page.click("#send")
    page.locator("#sending button", has_text="再发一次").wait_for()
    assert lost == [201], "it had arrived"
    assert page.input_value("#report-text") == WORDS
    # Somebody changes a word and sends again: still one report, and they are told so.
    page.fill("#report-text", WORDS + "。")
    page.locator("#sending button").click()
    page.wait_for_url("**/receipt")
    assert "先前已经收到" in page.inner_text("main")
    assert reports(site) == before + 1
    assert kept(page) == [0, 0]
    forgive(window, "failed request")


def test_without_a_connection_it_waits_on_the_phone_and_is_sent_once(
    desk: Opens, site: Site
) -> None:
    window = desk(None, "phone", at=INSIDE)
    page = window.open("/report")
    written(page)
    posts: list[Request] = []
    page.on("request", lambda r: posts.append(r) if r.url.endswith("/report") else None)
    window.context.set_offline(True)
    Finger(page).photo(43)
    page.locator(".picked-one", has_text="再试一次").wait_for()
    page.click("#send")
    expect(page.locator("#sending")).to_contain_text("恢复后自动发送一次")
    before = reports(site)
    window.context.set_offline(False)
    page.wait_for_url("**/receipt")
    assert reports(site) == before + 1
    assert len([r for r in posts if r.method == "POST"]) == 1
    assert kept(page) == [0, 0]
    forgive(window, "failed request", "ERR_INTERNET_DISCONNECTED")


def test_what_was_not_sent_is_there_again_when_the_page_is_opened_again(desk: Opens) -> None:
    window = desk(None, "phone", at=INSIDE)
    page = window.open("/report")
    Finger(page).photo(44)
    page.locator(".picked-one", has_text="已上传").wait_for()
    written(page)
    key = page.input_value("[name=key]")
    window.open("/report")
    page.locator(".picked-one", has_text="已上传").wait_for()
    assert page.input_value("#report-text") == WORDS
    assert page.input_value("[name=key]") == key, "it is the same report"
    expect(page.locator("#draft-told")).to_contain_text("已恢复")
    with page.expect_navigation():
        page.locator("#draft-told button", has_text="清空重填").click()
    assert page.input_value("#report-text") == ""
    assert page.input_value("[name=key]") != key


def test_who_does_not_say_where_they_are_finds_the_place_by_name(desk: Opens) -> None:
    page = desk(None, "phone").open("/report")
    expect(page.locator("#located")).to_contain_text("没有允许定位")
    page.fill("#report-place-address", "中关村广场")
    page.keyboard.press("Enter")
    page.locator("[name='place.pick']").first.check()
    expect(page.locator("#place-told")).to_contain_text("街道")
    page.locator("[data-map]").scroll_into_view_if_needed()
    pin = page.locator(".map .pin-mark")
    pin.wait_for()
    before = page.input_value("[name='place.lat']")
    pin.focus()
    page.keyboard.press("ArrowUp")
    expect(page.locator("#located")).to_contain_text("在地图上选的位置")
    moved = float(page.input_value("[name='place.lat']")) - float(before)
    assert moved == pytest.approx(0.0001, abs=2e-6), "ten metres north"


def test_a_voice_is_kept_with_the_report(desk: Opens, site: Site) -> None:
    window = desk(None, "phone", at=INSIDE)
    window.context.grant_permissions(["microphone", "geolocation"])
    page = window.open("/report")
    page.locator("#place-told .street").wait_for()
    page.click("#record")
    expect(page.locator("#recording-told")).to_contain_text("正在录音 1秒")
    page.click("#record")
    expect(page.locator("#recording-told")).to_contain_text("录音已上传")
    assert page.locator("audio").count() == 1
    page.locator("summary", has_text="拍不了照片").click()
    page.locator("label.chip", has_text="天黑拍不清").click()
    page.locator("label.chip", has_text="道路").last.click()
    page.click("#send")
    page.wait_for_url("**/receipt")
    number = page.url.split("/")[-2]
    case = site.town.reviewer.get(f"/cases/{number}").json()
    history = site.town.parts.casework.history(UUID(case["case_id"]))
    report = history[0].event
    assert isinstance(report, ReportSubmitted) and report.recording is not None
    assert report.recording.media_type.startswith("audio/")


@pytest.mark.deep
def test_somebody_who_met_the_same_joins_it_instead(desk: Opens, site: Site) -> None:
    place = {"lon": 116.3181, "lat": 39.9791, "crs": "wgs84", "kind": "road", "accuracy_m": 8}
    first = site.town.citizen("市民甲").report(place=place, indicator="P10")
    site.town.reviewer.act(first, "register", "dispatched", indicator="P10", condition="P10-2")
    site.seen()
    window = desk(None, "phone", at=(116.3181, 39.9791))
    page = window.open("/report")
    page.locator("label.chip", has_text="非机动车乱停放").click()
    join = page.locator("#near-told button", has_text="我也遇到").first
    join.wait_for()
    assert first.number in page.inner_text("#near-told")
    before = reports(site)
    page.locator(f"button[value={first.number}]").click()
    page.wait_for_url("**/receipt")
    assert first.number in page.inner_text("main")
    assert reports(site) == before
    site.seen()
    window.open("/my")
    assert "我也遇到" in page.inner_text("main")


def test_without_a_script_one_form_does_it_all(desk: Opens) -> None:
    page = desk(None, "small", javascript=False, elder=True).open("/report")
    holds(page, with_keyboard=False)
    page.set_input_files("[name=album_files]", [file(45)])
    page.fill("#report-text", WORDS)
    page.fill("#report-place-address", "中关村广场")
    page.click("#send")
    assert "已上传照片1" in page.inner_text("#report-photos")
    page.locator("[name='place.pick']").first.check()
    page.locator("label.chip", has_text="非机动车乱停放").click()
    page.click("#send")
    assert page.locator("a[href='#report-place-kind']").count() == 1
    page.locator("label.chip", has_text="广场").last.click()
    page.click("#send")
    if not page.url.endswith("/receipt"):
        assert "附近已有类似问题" in page.inner_text("main")
        page.click("#send")
    assert page.url.endswith("/receipt")


def test_the_report_page_is_small_and_soon_there(desk: Opens) -> None:
    drawn = ".map path:not([d='M0 0'])"  # a 街镇 that is in sight
    cost = best(lambda: measure(desk(None, "phone", at=INSIDE), "/report", drawn), 1.5, 2.5)
    cost.within(kilobytes=120, first_paint=1.5)
    assert cost.seen[drawn] <= 2.5, cost


@pytest.mark.deep
def test_a_photo_that_cannot_be_taken_in_is_told_and_the_rest_goes_on(desk: Opens) -> None:
    window = desk(None, "phone", at=INSIDE)
    page = window.open("/report")
    written(page)
    bad = FilePayload(name="x.jpg", mimeType="image/jpeg", buffer=b"no picture")
    page.set_input_files("[name=album_files]", [bad])
    page.locator(".picked-one", has_text="再试一次").wait_for()
    page.click("#send")
    expect(page.locator("#sending")).to_contain_text("移除那张照片")
    page.locator(".picked-one button", has_text="移除").click()
    Finger(page).photo(46)
    page.click("#send")
    page.wait_for_url("**/receipt")


@pytest.mark.deep
def test_all_twelve_kinds_are_reached_by_keys(desk: Opens) -> None:
    page = desk(None, "phone").open("/report")
    page.locator("[name=indicator]").first.focus()
    reached = set()
    for _ in range(13):
        page.keyboard.press("ArrowDown")
        reached.add(page.evaluate("document.activeElement.value"))
    assert len(reached - {""}) == 12


@pytest.mark.deep
def test_too_many_reports_are_told_in_the_page_and_nothing_is_lost(desk: Opens) -> None:
    window = desk(None, "phone", at=INSIDE)
    window.allow(503)
    page = window.open("/report")
    Finger(page).photo(47)
    written(page)
    body = '{"title":"系统繁忙","status":503,"detail":"现在提交的人较多，请稍后再试。"}'
    page.route(
        re.compile(r"/report$"),
        lambda route: route.fulfill(status=503, body=body, content_type="application/problem+json"),
        times=1,
    )
    page.click("#send")
    expect(page.locator("#sending")).to_contain_text("请稍后再试")
    page.click("#send")
    page.wait_for_url("**/receipt")


@pytest.mark.deep
def test_a_report_that_waited_is_offered_when_the_page_is_opened_again(
    desk: Opens, site: Site
) -> None:
    window = desk(None, "phone", at=INSIDE)
    page = window.open("/report")
    Finger(page).photo(48)
    page.locator(".picked-one", has_text="已上传").wait_for()
    written(page)
    window.context.set_offline(True)
    page.click("#send")
    expect(page.locator("#sending")).to_contain_text("恢复后自动发送一次")
    before = reports(site)
    page.goto("about:blank")
    window.context.set_offline(False)
    window.open("/report")
    assert reports(site) == before, "nobody sends it unasked"
    page.locator("#draft-told button", has_text="现在发送").click()
    page.wait_for_url("**/receipt")
    assert reports(site) == before + 1
    forgive(window, "failed request", "ERR_INTERNET_DISCONNECTED")


@pytest.mark.deep
def test_on_a_shared_phone_one_button_forgets_receipts_and_drafts(desk: Opens) -> None:
    window = desk(None, "phone", at=INSIDE)
    page = window.open("/report")
    Finger(page).photo(49)
    written(page)
    page.click("#send")
    page.wait_for_url("**/receipt")
    window.open("/report")
    page.locator("#place-told .street").wait_for()
    page.fill("#report-text", "还没有写完")
    Finger(page).photo(50)
    page.locator(".picked-one", has_text="已上传").wait_for()
    assert kept(page) == [1, 1]
    window.open("/my")
    page.click("form[action='/my/forget'] button")
    with page.expect_navigation():
        page.click("form[action='/my/forget'] button")
    assert "没有记住的上报" in page.inner_text("main")
    assert kept(page) == [0, 0]


@pytest.mark.deep
def test_a_report_needs_no_map(desk: Opens) -> None:
    window = desk(None, "phone", at=INSIDE)
    window.lose("/static/vendor")
    page = window.open("/report")
    Finger(page).photo(51)
    written(page)
    page.locator("[data-map]").scroll_into_view_if_needed()
    page.click("#send")
    page.wait_for_url("**/receipt")


@pytest.mark.deep
def test_a_case_is_rated_in_three_taps_and_sent(desk: Opens, site: Site) -> None:
    town = site.town
    resident, street = town.citizen("市民乙"), town.street()
    case = resident.report()
    town.reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
    street.act(case, "acknowledge", "handling")
    photos = [street.photo()]
    street.act(case, "rectify", "rectified", outcome="rectified", photos=photos, words="已清理。")
    town.reviewer.act(case, "close", "closed", standard_met=True, reply="已清理，感谢反映。")
    site.seen()
    page = desk("市民乙", "phone").open("/my")
    page.locator(f"a[href^='/cases/{case.number}']").tap()
    finger = Finger(page)
    for text in ("已解决", "很满意", "很快"):
        finger.tap("#act-rate label.chip", text)
    assert finger.taps == 3
    with page.expect_navigation():
        page.locator("#act-rate button.main").tap()
    assert "已办理：评价" in page.inner_text("main")
    assert town.reviewer.get(f"/cases/{case.id}").json()["status"] == "completed"


def _look_again(page: Page) -> None:
    """What the page does by itself twice a minute."""
    with page.expect_response("**/progress"):
        page.evaluate("dispatchEvent(new Event('online'))")


def test_a_case_that_is_worked_on_shows_what_is_new_and_keeps_what_is_typed(
    desk: Opens, site: Site
) -> None:
    town = site.town
    case = town.citizen("市民甲").report()
    site.seen()
    page = desk("市民甲", "phone").open(f"/cases/{case.number}")
    town.reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
    site.seen()
    with page.expect_navigation():  # nobody was doing anything: the page is loaded anew
        page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator(".next")).to_contain_text("将到现场处置")
    page.get_by_text("补充信息", exact=True).first.click()
    words = page.locator("textarea[name=text]")
    words.fill("今天又多了几辆。")
    town.street().act(case, "acknowledge", "handling")
    site.seen()
    _look_again(page)
    expect(page.locator(".next")).to_contain_text("正在处置")
    expect(page.get_by_role("button", name="进展有变化，点此刷新页面")).to_be_visible()
    expect(words).to_have_value("今天又多了几辆。")
    expect(words).to_be_focused()
