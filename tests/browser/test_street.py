"""A 街镇's work on a phone, with a camera's file and without a script; a supervisor's decisions."""

import io
import random
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.api.client import Tracked
from tests.browser.conftest import Opens
from tests.browser.desk import Site
from tests.browser.street_screens import CLERK


def dispatched(site: Site, text: str = "电线杆上贴满小广告。") -> Tracked:
    town = site.town
    case = town.anonymous().report(text=text)
    town.reviewer.act(case, "register", "dispatched", indicator="P02", condition="P02-1")
    site.seen()
    return case


def handled(site: Site) -> Tracked:
    case = dispatched(site)
    site.town.street().act(case, "acknowledge", "handling")
    site.seen()
    return case


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo as a phone takes it: 12 megapixels, some megabytes, an orientation in its EXIF."""
    noise = random.Random(7).randbytes(500 * 375 * 3)
    image = Image.frombytes("RGB", (500, 375), noise).resize((4000, 3000), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Phone"
    out = io.BytesIO()
    image.save(out, "JPEG", quality=92, exif=exif)
    path = tmp_path_factory.mktemp("camera") / "IMG_0001.jpg"
    path.write_bytes(out.getvalue())
    return path


def row(page: Page, case: Tracked) -> str:
    """The cell of a case in the list."""
    return f".task:has(a[href*='{case.number}'])"


def test_the_whole_job_is_done_on_a_phone(desk: Opens, site: Site, camera: Path) -> None:
    case = dispatched(site)
    window = desk(CLERK, "phone")
    page = window.open("/desk/street?section=to_acknowledge")
    with page.expect_navigation():
        page.locator(row(page, case)).get_by_role("button", name="签收").tap()
    expect(page.locator(".said")).to_contain_text("已办理：签收")
    page.goto(f"{site.address}/desk/street?section=tasks")
    with page.expect_navigation():
        page.locator(row(page, case)).get_by_role("link", name="整改反馈").tap()
    assert page.url.endswith("#act-rectify")
    taken = page.locator("#act-rectify input[data-source=camera]")
    with page.expect_response("**/uploads/photo") as sent:
        taken.set_input_files(camera)
    size = sent.value.json()["bytes"]
    assert size < camera.stat().st_size / 2, "shrunk on the phone"
    expect(page.locator(".picked-one")).to_contain_text("已上传")
    page.get_by_text("已整改", exact=True).tap()
    page.locator("#rectify-words").fill("已清理，电线杆恢复原貌。")
    with page.expect_navigation():
        page.locator("#act-rectify button.main").tap()
    assert "/desk/street" in page.url
    site.seen()
    told = site.town.reviewer.get(f"/cases/{case.id}").json()
    assert told["status"] == "rectified"
    assert [p["source"] for p in told["photos"] if p["came_with"] == "case-rectified"] == ["camera"]


def test_the_whole_job_is_done_without_a_script(desk: Opens, site: Site, camera: Path) -> None:
    case = dispatched(site)
    window = desk(CLERK, "phone", javascript=False)
    page = window.open("/desk/street?section=to_acknowledge")
    with page.expect_navigation():
        page.locator(row(page, case)).get_by_role("button", name="签收").tap()
    page = window.open(f"/cases/{case.number}?do=rectify")
    page.locator("#act-rectify input[data-source=camera]").set_input_files(camera)
    page.get_by_label("已劝导撤离").check()
    page.locator("#rectify-words").fill("摊主已撤离，现场已清扫。")
    with page.expect_navigation():
        page.locator("#act-rectify button.main").tap()
    assert site.town.reviewer.get(f"/cases/{case.id}").json()["status"] == "rectified"


@pytest.mark.deep
def test_a_handler_without_an_account_sends_photos_the_street_picks_from(
    desk: Opens, site: Site, camera: Path
) -> None:
    case = handled(site)
    clerk = desk(CLERK, "phone")
    page = clerk.open(f"/cases/{case.number}?do=assign")
    page.locator("#assign-handler").fill("张师傅")
    page.get_by_label("给经办人一个一次性上传链接").check()
    with page.expect_navigation():
        page.locator("#act-assign button").tap()
    link = page.locator("#handler-link").input_value()
    handler = desk(None, "phone")
    theirs = handler.open(link.removeprefix(site.address))
    with theirs.expect_response("**/uploads/photo"):
        theirs.locator("input[data-source=camera]").set_input_files(camera)
    expect(theirs.locator(".picked-one")).to_contain_text("已上传")
    with theirs.expect_navigation():
        theirs.get_by_role("button", name="完成").tap()
    expect(theirs.locator(".said")).to_contain_text("已收到1张照片")
    page = clerk.open(f"/cases/{case.number}")
    page.locator("#act-rectify .sent").first.tap()
    page.get_by_text("已整改", exact=True).tap()
    page.locator("#rectify-words").fill("已清理。")
    with page.expect_navigation():
        page.locator("#act-rectify button.main").tap()
    assert site.town.reviewer.get(f"/cases/{case.id}").json()["status"] == "rectified"
    handler.open(link.removeprefix(site.address), 404)


def ask_again(page: Page) -> None:
    """What the script does by itself every twenty seconds."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_the_list_keeps_itself_up_to_date_and_leaves_alone_who_reads(
    desk: Opens, site: Site
) -> None:
    window = desk(CLERK, "desktop")
    page = window.open("/desk/street")
    case = dispatched(site)
    ask_again(page)
    expect(page.locator(row(page, case))).to_be_visible()
    button = page.locator(row(page, case)).get_by_role("button", name="签收")
    button.focus()
    later = dispatched(site)
    ask_again(page)
    expect(page.get_by_role("button", name="清单有变化，点此刷新")).to_be_visible()
    assert page.locator(row(page, later)).count() == 0, "nothing moves under a finger"
    with page.expect_navigation():
        button.press("Enter")
    assert site.town.reviewer.get(f"/cases/{case.id}").json()["status"] == "handling"
    expect(page.locator(row(page, later))).to_be_visible()


def test_a_lost_connection_is_said_beside_the_list(desk: Opens, site: Site) -> None:
    dispatched(site)
    window = desk(CLERK, "phone")
    page = window.open("/desk/street")
    window.context.set_offline(True)
    ask_again(page)
    expect(page.locator("[data-live-state]")).to_contain_text("连接断开")
    expect(page.locator(".offline")).to_be_visible()
    window.context.set_offline(False)
    expect(page.locator("[data-live-state]")).to_contain_text(re.compile("更新|最新的"))
    gone = [what for what in window.troubles if "INTERNET_DISCONNECTED" in what]
    assert gone == window.troubles, "nothing but the lost connection went wrong"
    window.troubles.clear()


def test_a_supervisor_grants_and_denies_in_one_place(desk: Opens, site: Site) -> None:
    granted, denied = handled(site), handled(site)
    by = {"amount": 1, "unit": "calendar_day"}
    for case in (granted, denied):
        site.town.street().act(
            case, "request_extension", "handling", code="E04", by=by, words="连日大风。"
        )
    site.seen()
    window = desk("督办甲", "desktop")
    page = window.open("/desk/supervisor")
    card = page.locator(f"article[aria-label$='{granted.number}']")
    due = card.get_by_text("同意后：到期时间由").locator("b").inner_text()
    with page.expect_navigation():
        card.get_by_role("button", name="同意延期").click()
    expect(page.locator(".said")).to_contain_text("同意延期")
    card = page.locator(f"article[aria-label$='{denied.number}']")
    card.get_by_text("不同意延期，写明理由").click()
    card.locator("textarea").fill("已延过一次，请按时处置。")
    ask_again(page)
    assert card.locator("textarea").input_value() == "已延过一次，请按时处置。"
    with page.expect_navigation():
        card.get_by_role("button", name="不同意延期").click()
    assert page.locator(f"article[aria-label$='{denied.number}']").count() == 0
    page = window.open(f"/cases/{granted.number}")
    expect(page.locator("main")).to_contain_text(due)


@pytest.mark.deep
def test_what_was_typed_is_still_there_after_a_lost_race(desk: Opens, site: Site) -> None:
    case = handled(site)
    window = desk("督办甲", "desktop")
    page = window.open(f"/cases/{case.number}?do=note")
    page.locator("#note-words").fill("请说明为何没有按时签收。")
    site.town.street().act(case, "claim", "handling")
    with page.expect_navigation():
        page.locator("#act-note button").click()
    expect(page.locator(".refused")).to_contain_text("在您打开之后")
    assert page.locator("#note-words").input_value() == "请说明为何没有按时签收。"
    with page.expect_navigation():
        page.locator("#act-note button").click()
    expect(page.locator(".said")).to_contain_text("督办")


@pytest.mark.deep
def test_a_shift_is_handed_over_and_taken_over(desk: Opens, site: Site) -> None:
    dispatched(site)
    leaving = desk(CLERK, "phone")
    page = leaving.open("/desk/shifts")
    page.fill("#hand_over-words", "请盯住路口。")
    with page.expect_navigation():
        page.locator("#hand-over button.main").tap()
    coming = desk(CLERK.replace("经办", "负责"), "desktop")
    page = coming.open("/desk/shifts")
    with page.expect_navigation():
        page.get_by_role("button", name="接班", exact=True).click()
    expect(page.locator(".said")).to_contain_text("已接班")


def test_what_is_left_ticks_while_duty_lasts_and_stands_at_night(desk: Opens, site: Site) -> None:
    town = site.town
    case = town.anonymous().report(text="绿地里有成堆的枯枝。")
    town.reviewer.act(case, "register", "dispatched", indicator="P04", condition="P04-1")
    town.street().act(case, "acknowledge", "handling")
    site.seen()
    window = desk(CLERK, "phone")
    window.own_clock()
    page = window.open(f"/cases/{case.number}")
    left = page.locator(".duty .left b")
    note = page.locator(".duty .left small")
    expect(left).to_have_text(re.compile(r"还剩[78]值守时(5\d分钟)?"))
    page.clock.fast_forward("02:00:00")
    expect(left).to_have_text(re.compile(r"还剩[56]值守时(5\d分钟)?"))
    page.clock.fast_forward("11:00:00")
    expect(note).to_have_text(re.compile(r"现在不计时，5月12日 07:00续计"))
    expect(left).to_have_text(re.compile(r"已超期\d值守时"))
    stands = left.text_content()
    page.clock.fast_forward("03:00:00")
    assert left.text_content() == stands
    page.clock.fast_forward("08:00:00")
    expect(note).to_have_text("刷新页面看最新的剩余时间")
    assert left.text_content() == stands
