"""Every screen there is, one a row: looked at, checked and photographed by test_screens.py.

A new page adds rows here. `path` may name what `prepared` lays out, in braces.
"""

from dataclasses import dataclass

from tests.browser.desk import Site, Viewport


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


SCREENS: tuple[Screen, ...] = (
    Screen("sign-in", "/sign-in"),
    Screen("sign-in-desktop", "/sign-in", viewport="desktop"),
    Screen("look-up", "/"),
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
    site.seen()
    return {"submitted": submitted.number, "dispatched": dispatched.number}
