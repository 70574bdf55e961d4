"""The whole life of a case through five windows: from a phone's photo to a page for everybody.

Nothing is done here but by pages: each person sees what they would see, and taps what they would.
"""

import re
from urllib.parse import urlsplit

from playwright.sync_api import FilePayload, Page, expect

from tests.api.client import picture
from tests.api.test_evidence_api import until
from tests.browser.conftest import Opens
from tests.browser.desk import Desk, Site
from tests.browser.street_screens import CLERK

WORDS = "人行道停满共享单车，推婴儿车过不去"
HERE = (116.3221, 39.9835)
"""Well inside 中关村街道, away from what other tests report."""


def photo(seed: int) -> FilePayload:
    """A photo as it is picked on a phone."""
    return FilePayload(name="p.jpg", mimeType="image/jpeg", buffer=picture(seed))


def tapped(page: Page, button: str, *, exact: bool = True) -> None:
    """Tap a button that leads on."""
    with page.expect_navigation():
        page.get_by_role("button", name=button, exact=exact).first.click()


def reported(citizen: Desk) -> str:
    """A photo, a place that the phone knows, a few words: the number on the receipt."""
    page = citizen.open("/report")
    with page.expect_file_chooser() as chooser:
        page.locator("label.pick", has_text="相册").tap()
    chooser.value.set_files([photo(4711)])
    page.locator("#place-told .street").wait_for()
    page.fill("#report-text", WORDS)
    expect(page.locator("[name=indicator][value=P10]")).to_be_checked()
    page.locator("label.chip", has_text="地铁出入口").last.tap()
    page.locator("[name='consents.publication']").check()
    page.locator("#send").tap()
    page.wait_for_url("**/receipt")
    found = re.search(r"HD\d{14}", page.inner_text("main"))
    assert found
    return found[0]


def in_sight(site: Site, number: str) -> list[str]:
    """Wait until the photos of the case are looked through and compared; their ids."""

    def ready() -> list[dict[str, object]] | None:
        photos = site.town.reviewer.get(f"/cases/{number}/photos").json()["photos"]
        compared = all(p["checked"] for p in photos if p["came_with"] == "case-rectified")
        return photos if compared and all(p["state"] == "ready" for p in photos) else None

    photos = until(ready)
    site.seen()
    return [str(photo["upload"]) for photo in photos]


def covered_by_two(editor: Desk, other: Desk, entry: str, photos: list[str]) -> None:
    """One draws, another looks at what is left to be seen."""
    for upload in photos:
        page = editor.open(f"{entry}/photos/{upload}")
        for part, percent in (("left", "10"), ("top", "10"), ("width", "20"), ("height", "20")):
            page.fill(f"#redact-{part}-0", percent)
        page.get_by_label("我已看过整张照片").check()
        tapped(page, "遮盖")
        page = other.open(f"{entry}/photos/{upload}")
        page.get_by_label("我已看过遮盖后的整张照片").check()
        tapped(page, "确认遮盖")


def registered(reviewer: Desk, number: str) -> None:
    """Registered and dispatched by keys alone."""
    page = reviewer.open(f"/desk/reviewer?list=to_review&case={number}")
    assert WORDS in page.inner_text("main")
    with page.expect_navigation():
        page.keyboard.press("a")
        page.keyboard.press("Enter")
    expect(page.locator(".said").first).to_contain_text(f"{number}已立案并派遣至中关村街道")


def handled(street: Desk, number: str) -> None:
    """Acknowledged and handed over with a photo from the camera."""
    page = street.open(f"/cases/{number}")
    tapped(page, "签收", exact=False)
    page = street.open(f"/cases/{number}?do=rectify")
    with page.expect_response("**/uploads/photo"):
        page.locator("#act-rectify input[data-source=camera]").set_input_files([photo(815)])
    expect(page.locator(".picked-one")).to_contain_text("已上传")
    page.get_by_text("已整改", exact=True).tap()
    page.locator("#rectify-words").fill("已联系企业清运，盲道恢复畅通。")
    with page.expect_navigation():
        page.locator("#act-rectify button.main").tap()


def closed(reviewer: Desk, number: str) -> None:
    """Verified against the photos and closed with words to the resident."""
    page = reviewer.open(f"/desk/reviewer?list=to_verify&case={number}")
    page.locator("a[href='#do-close']").click()
    for tick in page.locator("#act-close input[type=checkbox]").all():
        tick.check()
    page.fill("#close-reply", "已清运并施划停放区，感谢反映。")
    with page.expect_navigation():
        page.locator("#act-close button.main").click()


def rated(citizen: Desk, number: str) -> None:
    """Told the result and asked three things: three taps."""
    page = citizen.open(f"/cases/{number}")
    assert "已清运并施划停放区" in page.inner_text("main")
    for answer in ("已解决", "很满意", "很快"):
        page.locator("#act-rate label.chip", has_text=answer).first.tap()
    with page.expect_navigation():
        page.locator("#act-rate button.main").tap()
    assert "已办理：评价" in page.inner_text("main")


def nominated(reviewer: Desk, number: str) -> str:
    """Where the entry is prepared."""
    page = reviewer.open(f"/desk/typical-cases/2026-05/nominate?case={number}")
    page.get_by_label("说明").fill("群众身边小事，当天解决。")
    tapped(page, "推荐到2026年5月典型案例")
    return urlsplit(page.url).path


def published(editor: Desk, other: Desk, entry: str) -> None:
    """Described by one, approved by another, published."""
    page = editor.open(entry)
    page.fill("#texts-title", "轮椅又能走盲道了")
    for described in page.get_by_label("里看得到什么", exact=False).all():
        described.fill("盲道的照片")
    tapped(page, "保存并预览")
    tapped(other.open(f"{entry}/preview"), "批准", exact=False)
    page = editor.open("/desk/typical-cases/2026-05")
    button = page.get_by_role("button", name="发布").first
    button.click()
    page.get_by_text("再按一次即办理").first.wait_for()
    with page.expect_navigation():
        button.click()
    assert page.get_by_text("已发布，公众现在可以看到。").is_visible()


def test_a_case_goes_its_whole_way_through_five_windows(desk: Opens, site: Site) -> None:
    citizen, reviewer = desk("市民乙", "phone", at=HERE), desk("审核甲", "desktop")
    number = reported(citizen)
    in_sight(site, number)
    registered(reviewer, number)
    site.seen()
    handled(desk(CLERK, "phone"), number)
    uploads = in_sight(site, number)
    closed(reviewer, number)
    site.seen()
    rated(citizen, number)
    site.seen()
    assert site.town.reviewer.get(f"/cases/{number}").json()["status"] == "completed"
    entry = nominated(reviewer, number)
    editor, other = desk("编辑甲", "desktop"), desk("编辑乙", "desktop")
    covered_by_two(editor, other, entry, uploads)
    published(editor, other, entry)

    page = desk(None, "small").open(f"/typical-cases/2026-05/{entry.rpartition('/')[2]}")
    assert page.get_by_role("heading", name="轮椅又能走盲道了").is_visible()
    assert page.get_by_role("img", name="盲道的照片").count() == len(uploads)
    shown = page.inner_text("main")
    assert "市民乙" not in shown and CLERK not in shown, "no person is in it"
