"""Typical cases in a real browser: what is drawn is covered, by mouse, finger, keys, no script."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from tests.api.test_pages_typical import levels
from tests.browser.conftest import Opens
from tests.browser.costs import best, measure
from tests.browser.desk import Site
from tests.browser.looks import holds
from tests.browser.typical import DESK, MAY, Covering, covered_picture, laid_out, pair, uncovered


@pytest.fixture(scope="module")
def month(site: Site) -> dict[str, str]:
    return laid_out(site)


def hidden(site: Site, what: Covering, *edges: float) -> None:
    """The result is one colour within these edges, to a pixel, and a picture outside.

    JPEG smears over blocks of 16 pixels: at the very edge something of the picture beside it may
    shine into the colour, further in nothing.
    """
    made = covered_picture(site, what)
    left, top, right, bottom = edges
    wide, high = made.size
    x, y, far_x, far_y = left * wide, top * high, right * wide, bottom * high
    edge = made.crop((round(x) + 1, round(y) + 1, round(far_x), round(far_y)))
    darkest, brightest = levels(edge)
    assert brightest - darkest < 60, f"{darkest} to {brightest} inside"
    within = made.crop((round(x) + 12, round(y) + 12, round(far_x) - 12, round(far_y) - 12))
    darkest, brightest = levels(within)
    assert brightest - darkest < 14, f"{darkest} to {brightest} within"
    for box in (
        (0, 0, wide, round(y) - 2), (0, round(far_y) + 3, wide, high),
        (0, 0, round(x) - 2, high), (round(far_x) + 3, 0, wide, high),
    ):  # fmt: skip
        assert levels(made.crop(box))[0] > brightest + 8, f"something is hidden in {box}"


def drag(page: Page, *parts: float) -> None:
    """Press at the first corner, draw to the second: parts of the picture's width and height."""
    page.locator("[data-stage]").scroll_into_view_if_needed()
    box = page.locator("[data-stage]").bounding_box()
    assert box is not None
    (x, y), (far_x, far_y) = (
        (box["x"] + box["width"] * across, box["y"] + box["height"] * down)
        for across, down in (parts[:2], parts[2:])
    )
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move((x + far_x) / 2, (y + far_y) / 2)
    page.mouse.move(far_x, far_y)
    page.mouse.up()


def test_a_rectangle_that_is_dragged_covers_exactly_that_and_another_person_confirms(
    desk: Opens, site: Site
) -> None:
    what = uncovered(site.town)
    window = desk("编辑甲", "desktop")
    page = window.open(what.path)
    holds(page)
    drag(page, 0.2, 0.25, 0.5, 0.5)
    assert page.input_value("#redact-left-0").startswith(("19.9", "20"))
    drag(page, 0.3, 0.35, 0.4, 0.45)  # within it: it moves by a tenth
    assert page.input_value("#redact-left-0").startswith(("29.9", "30", "30.0"))
    drag(page, 0.6, 0.6, 0.7, 0.8)  # its corner: it grows
    assert abs(float(page.input_value("#redact-width-0")) - 40) < 0.5
    drag(page, 0.05, 0.8, 0.15, 0.9)
    assert page.input_value("#redact-left-1").startswith(("4.9", "5"))
    page.locator("[name='keep.1']").uncheck()
    assert page.locator("[data-marks] rect").count() == 1, "what is dropped is not shown"
    page.get_by_label("我已看过整张照片").check()
    with page.expect_navigation():
        page.get_by_role("button", name="遮盖", exact=True).click()
    assert page.get_by_text("遮盖由您完成").is_visible()
    hidden(site, what, 0.3, 0.35, 0.7, 0.8)
    other = desk("编辑乙", "phone").open(what.path + "#covered")
    other.get_by_label("我已看过遮盖后的整张照片").check()
    with other.expect_navigation():
        other.get_by_role("button", name="确认遮盖").click()
    assert other.get_by_text("1/2张已确认").is_visible()


@pytest.mark.deep
def test_a_finger_draws_on_a_small_screen(desk: Opens, site: Site) -> None:
    what = uncovered(site.town)
    page = desk("编辑甲", "small").open(what.path)
    page.locator("[data-stage]").scroll_into_view_if_needed()
    box = page.locator("[data-stage]").bounding_box()
    assert box is not None
    touch = page.context.new_cdp_session(page)

    def finger(kind: str, *places: tuple[float, float]) -> None:
        at = [
            {"x": box["x"] + box["width"] * across, "y": box["y"] + box["height"] * down}
            for across, down in places
        ]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    finger("touchStart", (0.25, 0.25))
    finger("touchMove", (0.5, 0.4))
    finger("touchMove", (0.75, 0.5))
    finger("touchEnd")
    page.get_by_label("我已看过整张照片").check()
    with page.expect_navigation():
        page.get_by_role("button", name="遮盖", exact=True).click()
    hidden(site, what, 0.25, 0.25, 0.75, 0.5)


def test_the_keyboard_alone_covers(desk: Opens, site: Site) -> None:
    what = uncovered(site.town)
    page = desk("编辑甲", "desktop").open(what.path)
    reach(page, "redact-left-0")
    for part in ("30", "40", "25", "20"):
        page.keyboard.type(part)
        page.keyboard.press("Tab")
    assert page.locator("[data-marks] rect").count() == 1, "it is shown as it is typed"
    reach(page, "looked")
    page.keyboard.press("Space")
    reach(page, "cover")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    hidden(site, what, 0.3, 0.4, 0.55, 0.6)


def reach(page: Page, what: str) -> None:
    """Tab to the control of this id, name or value."""
    for _ in range(80):
        at = page.evaluate(
            "[document.activeElement.id, document.activeElement.name, document.activeElement.value]"
        )
        if what in at:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not come to {what}")


def test_without_a_script_the_numbers_cover_and_nothing_is_lost(desk: Opens, site: Site) -> None:
    what = uncovered(site.town)
    page = desk("编辑甲", "phone", javascript=False).open(what.path)
    assert not page.get_by_role("button", name="画框").is_visible()
    for name, part in (("left", "10"), ("top", "20"), ("width", "95"), ("height", "30")):
        page.fill(f"#redact-{name}-0", part)
    page.get_by_label("我已看过整张照片").check()
    with page.expect_navigation():
        page.get_by_role("button", name="遮盖", exact=True).click()
    assert page.get_by_role("link", name="超出了照片").is_visible()
    assert page.input_value("#redact-width-0") == "95"
    page.fill("#redact-width-0", "60")
    with page.expect_navigation():
        page.get_by_role("button", name="遮盖", exact=True).click()
    hidden(site, what, 0.1, 0.2, 0.7, 0.5)


def test_on_paper_there_is_the_case_and_nothing_of_the_site(
    desk: Opens, month: dict[str, str]
) -> None:
    page = desk(None, "desktop").open(f"{MAY}/{month['public']}")
    assert page.locator(".printed").is_hidden()
    page.emulate_media(media="print")
    for gone in (".top", ".doors", ".share", ".turn", ".skip", ".path"):
        assert page.locator(gone).first.is_hidden(), f"{gone} is printed"
    for there in ("h1", ".pair img", ".caption", ".facts", ".printed"):
        assert page.locator(there).first.is_visible(), f"{there} is not printed"
    boxes = [image.bounding_box() for image in page.locator(".pair img").all()]
    assert len(boxes) == 2
    assert boxes[0] and boxes[1] and boxes[0]["y"] == boxes[1]["y"], "before stands beside after"


@pytest.mark.deep
def test_an_address_is_sent_on_by_one_tap_or_copied(desk: Opens, month: dict[str, str]) -> None:
    window = desk(None, "phone")
    window.context.add_init_script(
        "navigator.share = (what) => { window.sent = what; return Promise.resolve(); };"
    )
    page = window.open(f"{MAY}/{month['public']}")
    page.get_by_role("button", name="分享").click()
    page.get_by_text("已打开分享。").wait_for()
    sent = page.evaluate("window.sent")
    assert urlsplit(sent["url"]).path == f"{MAY}/{month['public']}"
    assert sent["title"] == "地铁口盲道当天恢复畅通"
    plain = desk(None, "desktop")
    plain.context.grant_permissions(["clipboard-read", "clipboard-write"])
    plain.context.add_init_script(
        "Object.defineProperty(navigator, 'share', { value: undefined });"
    )
    page = plain.open(f"{MAY}/{month['public']}")
    page.get_by_role("button", name="复制地址").click()
    page.get_by_text("地址已复制").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == sent["url"]


def test_everything_public_can_be_read_without_a_script(desk: Opens, month: dict[str, str]) -> None:
    page = desk(None, "small", javascript=False, elder=True).open(f"{MAY}/{month['public']}")
    assert page.get_by_label("本页地址").input_value().endswith(f"{MAY}/{month['public']}")
    assert not page.get_by_role("button", name="打印").is_visible()
    holds(page)
    with page.expect_navigation():
        page.get_by_role("link", name="2026年5月典型案例").click()
    with page.expect_navigation():
        page.get_by_role("link", name="← 2026年4月典型案例").click()
    assert page.get_by_role("heading", level=1).inner_text() == "2026年4月典型案例"


@pytest.mark.deep
def test_a_month_is_small_and_soon_there(desk: Opens, month: dict[str, str]) -> None:
    assert month["public"]
    cost = best(lambda: measure(desk(), MAY, ".pair img"), 1.5)
    cost.within(kilobytes=120, first_paint=1.5)


@pytest.mark.deep
def test_an_entry_goes_from_the_proposal_to_the_public_through_four_windows(
    desk: Opens, site: Site
) -> None:
    case, before, _ = pair(site.town)
    site.seen()
    reviewer, editor, other = desk("审核甲", "desktop"), desk("编辑甲"), desk("编辑乙", "phone")
    page = reviewer.open(f"{DESK}/nominate?case={case.number}")
    page.locator("input[name=after]").uncheck()
    page.get_by_label("说明").fill("单车占满盲道，当天调走。")
    tapped(page, "推荐到2026年5月典型案例")
    entry = urlsplit(page.url).path
    page = editor.open(f"{entry}/photos/{before[0]}")
    drag(page, 0.5, 0.5, 0.75, 0.9)
    page.get_by_label("我已看过整张照片").check()
    tapped(page, "遮盖")
    page = other.open(f"{entry}/photos/{before[0]}")
    page.get_by_label("我已看过遮盖后的整张照片").check()
    tapped(page, "确认遮盖")
    page = editor.open(entry)
    page.fill("#texts-title", "盲道当天恢复")
    page.get_by_label("整改前照片1里看得到什么").fill("盲道上停满单车")
    tapped(page, "保存并预览")
    assert page.get_by_text("稿件由您处理，须由另一位编辑批准。").is_visible()
    page = other.open(f"{entry}/preview")
    tapped(page, "批准", exact=False)
    page = editor.open(DESK)
    button = page.get_by_role("button", name="发布")
    button.click()
    page.get_by_text("再按一次即办理").wait_for()
    with page.expect_navigation():
        button.click()
    assert page.get_by_text("已发布，公众现在可以看到。").is_visible()
    page = desk(None, "small").open(f"{MAY}/{entry.rpartition('/')[2]}")
    assert page.get_by_role("heading", name="盲道当天恢复").is_visible()
    assert page.get_by_role("img", name="盲道上停满单车").is_visible()


def tapped(page: Page, button: str, *, exact: bool = True) -> None:
    """Tap a button that leads on."""
    with page.expect_navigation():
        page.get_by_role("button", name=button, exact=exact).first.click()
