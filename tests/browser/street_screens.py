"""Screens of the 街镇's and the supervisors' desks, and what must be there for them to show."""

from collections.abc import Sequence

from playwright.sync_api import Page

from casework.model import Role
from tests.api.client import XUEYUANLU, ZHONGGUANCUN
from tests.browser.desk import Site

CLERK, LEAD, IDLE = f"经办{ZHONGGUANCUN}", f"负责{ZHONGGUANCUN}", "经办空闲"

STREET_PAGES: Sequence[tuple[str, str, str | None]] = (
    ("street-desk", "/desk/street", CLERK),
    ("street-desk-lead", "/desk/street", LEAD),
    ("street-desk-empty", "/desk/street", IDLE),
    ("street-section-empty", "/desk/street?section=suspensions_ending", CLERK),
    ("street-case-new", "/cases/{street_new}", CLERK),
    ("street-case", "/cases/{street_back}", CLERK),
    ("street-case-asking", "/cases/{street_back}?do=request_extension", CLERK),
    ("handler", "/handler/{street_link}", None),
    ("supervisor-desk", "/desk/supervisor", "督办甲"),
    ("supervisor-desk-street", "/desk/supervisor?street=110108031", "督办甲"),
    ("supervisor-case", "/cases/{street_asked}", "督办甲"),
    ("shifts", "/desk/shifts", LEAD),
    ("special-periods", "/desk/special-periods", "督办甲"),
)
"""Name, path, who: in every width."""

SEEN_EACH_TIME = frozenset({"street-desk-phone", "street-case-small", "supervisor-desk-desktop"})
"""What the fast tests look at; the rest is for the deep ones."""


def rectify_without_photo(page: Page) -> None:
    """Hand over without a photo: refused, with all that was typed."""
    page.get_by_label("已整改").check()
    page.fill("#rectify-words", "已清理，现场恢复通行。")
    with page.expect_navigation():
        page.locator("#act-rectify button.main").click()


def declare_backwards(page: Page) -> None:
    """A period that ends before it begins: refused, with all that was typed."""
    page.get_by_label("雪天").check()
    page.fill("#declare-first", "2027-01-02T08:00")
    page.fill("#declare-last", "2027-01-01T08:00")
    page.fill("#declare-grounds", "区应急办通知。")
    with page.expect_navigation():
        page.locator("#act-declare button.main").click()


def prepare_street(site: Site) -> dict[str, str]:
    """Cases of every kind for 中关村; an account of a 街镇 that has nothing to do."""
    town = site.town
    worker, boss, reviewer = town.street(), town.supervisor, town.reviewer
    town.staff(IDLE, Role.STREET, street=XUEYUANLU)
    new = town.anonymous().report(photos=1, text="电线杆上贴满小广告，盖住了路牌。")
    back = town.anonymous().report(photos=1, text="路口墙面被大面积喷涂，站牌看不清。")
    asked = town.anonymous().report(text="过街天桥两侧贴满小广告。")
    for case in (new, back, asked):
        reviewer.act(case, "register", "dispatched", indicator="P02", condition="P02-1")
    for case in (back, asked):
        worker.act(case, "acknowledge", "handling")
    photos = [worker.photo(), worker.photo()]
    worker.act(back, "rectify", "rectified", outcome="rectified", photos=photos, words="已清。")
    words = "请站到路口原来的位置再拍，照片里看不到站牌。"
    reviewer.act(back, "order_rework", "handling", code="R03", words=words)
    boss.act(back, "note", "handling", words="请今天下班前说明原因。")
    done = worker.act(back, "assign", "handling", handler="张师傅", upload_link=True)
    by = {"amount": 1, "unit": "calendar_day"}
    worker.act(asked, "request_extension", "handling", code="E04", by=by, words="连日大风。")
    return {
        "street_new": new.number,
        "street_back": back.number,
        "street_asked": asked.number,
        "street_link": str(done["upload_link"]),
    }
