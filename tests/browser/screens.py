"""Every screen there is, one a row: looked at, checked and photographed by test_screens.py.

A new page adds rows here. `path` may name what `prepared` lays out, in braces.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from playwright.sync_api import Page

from tests.browser.desk import VIEWPORTS, Site, Viewport
from tests.browser.street_screens import (
    CLERK,
    SEEN_EACH_TIME,
    STREET_PAGES,
    declare_backwards,
    prepare_street,
    rectify_without_photo,
)


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
            yield replace(screen, name=name, viewport=viewport, elder=large, deep=not first)


def _unknown(page: Page) -> None:
    page.fill("#number", "HD123")
    with page.expect_navigation():
        page.click("button.main")


def _street() -> Iterator[Screen]:
    """The desks of 街镇 and supervisors in every width, and two forms that were refused."""
    for name, path, who in STREET_PAGES:
        yield from ways(Screen(name, path, who, whole=True), elder=False)
        yield Screen(f"{name}-small-elder", path, who, "small", elder=True, whole=True)
    refused = Screen("street-case-refused", "/cases/{street_back}", CLERK, whole=True)
    yield from ways(replace(refused, then=rectify_without_photo), elder=False)
    refused = Screen("special-periods-refused", "/desk/special-periods", "督办甲", whole=True)
    yield from ways(replace(refused, then=declare_backwards), elder=False)


SCREENS: tuple[Screen, ...] = (
    *(replace(one, deep=one.name not in SEEN_EACH_TIME) for one in _street()),
    *ways(Screen("sign-in", "/sign-in"), elder=False),
    Screen("home", "/"),
    Screen("look-up", "/search", "审核甲"),
    Screen("look-up-refused", "/search", "审核甲", then=_unknown),
    Screen("case-street", "/cases/{dispatched}", "经办110108011", whole=True),
    Screen("case-reviewer", "/cases/{dispatched}", "审核甲", viewport="desktop", whole=True),
    Screen("case-own", "/cases/{submitted}", "市民甲", viewport="small", whole=True),
)


def prepared(site: Site) -> dict[str, str]:
    """What the paths name: numbers of cases, made once a server."""
    town = site.town
    submitted = town.citizen("市民甲").report()
    dispatched = town.citizen("市民甲").report(photos=1)
    town.reviewer.act(dispatched, "register", "dispatched", indicator="P10", condition="P10-2")
    street = prepare_street(site)
    site.seen()
    return {
        "submitted": submitted.number,
        "dispatched": dispatched.number,
        **street,
    }
