"""Every screen there is, one a row: looked at, checked and photographed by test_screens.py.

A new page adds rows here. `path` may name what `prepared` lays out, in braces.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from playwright.sync_api import FilePayload, Page

from tests.api.client import PASSWORD, picture
from tests.browser.desk import VIEWPORTS, Site, Viewport
from tests.browser.street_screens import (
    CLERK,
    SEEN_EACH_TIME,
    STREET_PAGES,
    declare_backwards,
    prepare_street,
    rectify_without_photo,
)
from tests.browser.typical import DESK, MAY, laid_out


@dataclass(frozen=True)
class Screen:
    """A page as somebody sees it."""

    name: str
    """Of the picture: small letters, digits and hyphens."""
    path: str
    who: str | None = None
    """Of `PEOPLE`; None: nobody is signed in."""
    viewport: Viewport = "phone"
    elder: bool = False
    javascript: bool = True
    ready: str | None = None
    """A selector of what must be seen before anything is checked: a map, a chart."""
    whole: bool = False
    """Whether the picture shows the whole page or what fits on the screen."""
    then: Callable[[Page], None] | None = None
    """What is done before it is looked at: a form filled, a refusal provoked."""
    status: int = 200
    """What the page is answered with."""
    deep: bool = False
    """Whether only `make deep` and `make screenshots` look at it."""


def ways(screen: Screen, *, elder: bool = True) -> Iterator[Screen]:
    """A screen in every width, and in each with large type too if there is such a thing.

    `make test` looks at the usual phone, at the desktop, and at the hardest: large on a small one.
    """
    for viewport in VIEWPORTS:
        for large in (False, True) if elder else (False,):
            first = large == (viewport == "small") or not elder
            name = f"{screen.name}-{viewport}{'-elder' if large else ''}"
            deep = screen.deep or not first
            yield replace(screen, name=name, viewport=viewport, elder=large, deep=deep)


def _unknown(page: Page) -> None:
    page.fill("#number", "HD123")
    with page.expect_navigation():
        page.click("button.main")


NONE, WORK = "/desk/typical-cases/2026-03", DESK + "/{waiting}"
PREVIEW = DESK + "/{written}/preview"
NOMINATE, PHOTO = DESK + "/nominate?case={proposed}", WORK + "/photos/{photo}"


def _sent(page: Page, form: str) -> None:
    """Send a form as it is, without the browser's own questions."""
    with page.expect_navigation():
        page.eval_on_selector(form, "(it) => HTMLFormElement.prototype.submit.call(it)")


def _untold(page: Page) -> None:
    _sent(page, "#nominate")


def _unsaid(page: Page) -> None:
    page.fill("#texts-caption", "")
    _sent(page, "form[action$='/texts']")


def _wide(page: Page) -> None:
    for name, percent in (("left", "60"), ("top", "10"), ("width", "60"), ("height", "上")):
        page.fill(f"#redact-{name}-0", percent)
    _sent(page, "[data-covering]")


def _street() -> Iterator[Screen]:
    """The desks of 街镇 and supervisors in every width, and two forms that were refused."""
    for name, path, who in STREET_PAGES:
        yield from ways(Screen(name, path, who, whole=True), elder=False)
        yield Screen(f"{name}-small-elder", path, who, "small", elder=True, whole=True)
    refused = Screen("street-case-refused", "/cases/{street_back}", CLERK, whole=True)
    yield from ways(replace(refused, then=rectify_without_photo), elder=False)
    refused = Screen("special-periods-refused", "/desk/special-periods", "督办甲", whole=True)
    yield from ways(replace(refused, then=declare_backwards), elder=False)


def _nothing_given(page: Page) -> None:
    page.click("#send")
    page.locator(".refused").wait_for()


def _written(page: Page) -> None:
    page.fill("#report-text", "人行道停满共享单车，推婴儿车过不去")
    page.locator("[data-proposed]").first.wait_for()
    page.fill("#report-place-address", "中关村广场")
    page.click("#find")
    page.locator("[name='place.pick']").first.check()
    page.locator("#place-told .street").wait_for()
    page.locator("label.chip", has_text="广场").click()


def _filled(page: Page) -> None:
    photo = FilePayload(name="p.jpg", mimeType="image/jpeg", buffer=picture(7))
    page.set_input_files("[name=album_files]", [photo])
    page.locator(".picked-one", has_text="已上传").wait_for()
    _written(page)


def _receipt(page: Page) -> None:
    _filled(page)
    page.click("#send")
    page.wait_for_url("**/receipt")


def _no_stars(page: Page) -> None:
    page.evaluate(
        "for (const one of document.querySelectorAll('#act-rate [required]')) one.required = false"
    )
    with page.expect_navigation():
        page.click("#act-rate button.main")


def deeply(screens: Iterator[Screen], but: str = "phone") -> Iterator[Screen]:
    """Ways of which `make test` looks at one alone."""
    return (replace(one, deep=not one.name.endswith(but)) for one in screens)


CITIZEN: tuple[Screen, ...] = (
    *deeply(ways(Screen("report", "/report", whole=True)), "small-elder"),
    *deeply(ways(Screen("report-error", "/report", whole=True, then=_nothing_given)), "none"),
    *deeply(ways(Screen("report-filled", "/report", whole=True, then=_filled)), "none"),
    *deeply(ways(Screen("report-done", "/report", whole=True, then=_receipt)), "none"),
    *deeply(ways(Screen("my", "/my", "市民乙", whole=True))),
    *deeply(ways(Screen("my-empty", "/my")), "none"),
    *deeply(ways(Screen("status", "/status?number={submitted}", whole=True)), "none"),
    *deeply(ways(Screen("own-case", "/cases/{closed}", "市民乙", whole=True)), "small-elder"),
    *deeply(ways(Screen("own-case-error", "/cases/{closed}", "市民乙", then=_no_stars)), "none"),
    *deeply(ways(Screen("own-asked", "/cases/{asked}", "市民乙", whole=True)), "none"),
    *deeply(ways(Screen("register", "/register")), "none"),
    *deeply(ways(Screen("home", "/")), "none"),
    Screen("on-behalf", "/report/on-behalf", "审核甲", "desktop", whole=True, deep=True),
    Screen("report-plain", "/report", whole=True, javascript=False, deep=True),
)


def _begun(page: Page) -> None:
    page.fill("#password", PASSWORD)
    with page.expect_navigation():
        page.get_by_role("button", name="开始绑定").click()


def _tried_period(page: Page) -> None:
    page.check("[name=occasion][value=snow]")
    page.fill("#declare-first", "2026-05-11T12:00")
    page.fill("#declare-last", "2026-05-13T08:00")
    with page.expect_navigation():
        page.get_by_role("button", name="先试算").last.click()


def _tried_year(page: Page) -> None:
    page.get_by_text("提议发布一年的放假安排").click()
    page.fill("#years-year", "2027")
    page.fill("#years-holidays", "元旦 2027-01-01 2027-01-03")
    with page.expect_navigation():
        page.get_by_role("button", name="先试算").last.click()


def _to_the_charts(page: Page) -> None:
    page.locator("#t-trend").scroll_into_view_if_needed()


SCREENS: tuple[Screen, ...] = (
    *(replace(one, deep=one.name not in SEEN_EACH_TIME) for one in _street()),
    *deeply(ways(Screen("sign-in", "/sign-in"), elder=False), "desktop"),
    Screen("second-factor", "/second-factor", "审核甲", whole=True, deep=True),
    *deeply(ways(Screen("factor-begun", "/second-factor", "核查甲", then=_begun), elder=False)),
    Screen("home", "/"),
    Screen("look-up", "/search", "审核甲", deep=True),
    Screen("look-up-refused", "/search", "审核甲", then=_unknown),
    Screen("case-street", "/cases/{dispatched}", "经办110108011", whole=True),
    Screen("case-reviewer", "/cases/{dispatched}", "审核甲", viewport="desktop", whole=True),
    *CITIZEN,
    *(
        Screen(
            f"reviewer-{at}",
            "/desk/reviewer?case={submitted}",
            "审核甲",
            viewport=at,
            ready=".map .dot" if at == "desktop" else None,
            whole=True,
            deep=at == "phone",
        )
        for at in ("desktop", "phone")
    ),
    Screen("reviewer-list", "/desk/reviewer", "审核甲", whole=True, deep=True),
    Screen("checks", "/desk/checks", "核查甲", deep=True),
    Screen("search", "/search?status=submitted", "审核甲", viewport="desktop", deep=True),
    Screen(
        "analyst",
        "/desk/analyst",
        "分析甲",
        "desktop",
        then=_to_the_charts,
        ready="[data-chart][data-drawn=yes]",
        whole=True,
        deep=True,
    ),
    Screen("analyst-phone", "/desk/analyst", "分析甲", "phone", whole=True, deep=True),
    Screen(
        "analyst-measure",
        "/desk/analyst/measures/handled_in_time",
        "分析甲",
        "desktop",
        whole=True,
        deep=True,
    ),
    Screen("analyst-cases", "/desk/analyst/cases?measure=reports", "分析甲", "desktop", deep=True),
    Screen("analyst-export", "/desk/analyst/export", "负责110108011", deep=True),
    Screen("analyst-documents", "/desk/analyst/documents", "督办甲", "desktop", deep=True),
    Screen(
        "analyst-dry-run", "/desk/analyst/dry-run?indicator=P10", "系统甲", "desktop", deep=True
    ),
    *deeply(
        ways(
            Screen(
                "period-tried", "/desk/special-periods", "督办甲", whole=True, then=_tried_period
            ),
            elder=False,
        )
    ),
    *deeply(
        ways(
            Screen("year-tried", "/office/configuration", "系统甲", whole=True, then=_tried_year),
            elder=False,
        ),
        "none",
    ),
    Screen("case-own", "/cases/{submitted}", "市民甲", viewport="small", whole=True),
    *deeply(ways(Screen("typical-month", MAY, whole=True)), "small-elder"),
    *ways(Screen("typical-entry", MAY + "/{public}", whole=True, deep=True)),
    *ways(Screen("typical-gone", MAY + "/{gone}", status=410, deep=True)),
    *ways(Screen("typical-none", "/typical-cases/2026-03", status=404, deep=True)),
    *ways(Screen("typical-desk", DESK, "编辑甲", whole=True, deep=True), elder=False),
    *ways(Screen("typical-desk-none", NONE, "审核甲", deep=True), elder=False),
    *ways(
        Screen("typical-proposal", DESK + "/proposal", "审核甲", whole=True, deep=True), elder=False
    ),
    *ways(Screen("typical-nominate", NOMINATE, "审核甲", whole=True, deep=True), elder=False),
    *ways(
        Screen("typical-nominate-refused", NOMINATE, "审核甲", then=_untold, deep=True), elder=False
    ),
    *ways(Screen("typical-work", WORK, "编辑甲", whole=True, deep=True), elder=False),
    *ways(Screen("typical-work-refused", WORK, "编辑甲", then=_unsaid, deep=True), elder=False),
    *ways(Screen("typical-photo", PHOTO, "编辑甲", whole=True, deep=True), elder=False),
    *ways(Screen("typical-photo-refused", PHOTO, "编辑甲", then=_wide, deep=True), elder=False),
    *ways(Screen("typical-preview", PREVIEW, "编辑乙", whole=True, deep=True), elder=False),
)


def prepared(site: Site) -> dict[str, str]:
    """What the paths name: numbers of cases, made once a server."""
    town = site.town
    submitted = town.citizen("市民甲").report()
    dispatched = town.citizen("市民甲").report(photos=1)
    town.reviewer.act(dispatched, "register", "dispatched", indicator="P10", condition="P10-2")
    desks = prepare_street(site)
    resident, street = town.citizen("市民乙"), town.street()
    closed, asked = resident.report(photos=1), resident.report(photos=1)
    town.reviewer.act(
        asked, "request_information", "awaiting_information", code="Q01", question="在哪个路口？"
    )
    town.reviewer.act(closed, "register", "dispatched", indicator="P10", condition="P10-2")
    street.act(closed, "acknowledge", "handling")
    handed = {"outcome": "rectified", "photos": [street.photo()], "words": "已清理。"}
    street.act(closed, "rectify", "rectified", **handed)
    town.reviewer.act(closed, "close", "closed", standard_met=True, reply="已清理，感谢反映。")
    site.seen()
    return {
        "submitted": submitted.number,
        "dispatched": dispatched.number,
        "closed": closed.number,
        "asked": asked.number,
        **laid_out(site),
        **desks,
    }
