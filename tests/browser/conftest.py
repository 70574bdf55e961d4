"""One Chromium and one server a worker, and windows for whoever a test needs.

While Playwright runs, the thread of the tests counts as inside an event loop. Tests elsewhere start
loops of their own, so Playwright ends with the last test of this folder: scope "package".
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.desk import (
    Desk,
    Site,
    Viewport,
    find_chromium,
    has_chinese_type,
    launch,
    open_desk,
    open_site,
)
from tests.untested import untested

expect.set_options(timeout=30_000)  # as patient as everything else that is waited for: see desk.py

Opens = Callable[..., Desk]
"""The fixture `desk`: see `tests.browser.desk.open_desk` for what it takes."""


def program() -> str:
    """The browser on this machine, which can draw Chinese; else nothing here is tested."""
    found = find_chromium()
    if found is None:
        untested("there is no Chromium (CHROMIUM may name it): no page is looked at")
    if not has_chinese_type():
        untested("no type for Chinese (fonts-noto-cjk): no page is looked at")
    return found


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The browser."""
    found = program()
    with sync_playwright() as playwright:
        browser = launch(playwright, found)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def site() -> Iterator[Site]:
    """The server and its people. Shared: each test brings cases of its own."""
    with open_site() as found:
        yield found


@pytest.fixture
def desk(chromium: Browser, site: Site) -> Iterator[Opens]:
    """Opens windows: `desk("审核甲", "desktop")`. At the end each is asked for its troubles."""
    with ExitStack() as windows:
        opened: list[Desk] = []

        def opens(
            who: str | None = None,
            viewport: Viewport = "phone",
            *,
            javascript: bool = True,
            elder: bool = False,
            at: tuple[float, float] | None = None,
        ) -> Desk:
            found = windows.enter_context(
                open_desk(chromium, site, who, viewport, javascript=javascript, elder=elder, at=at)
            )
            opened.append(found)
            return found

        yield opens
        for one in opened:
            one.quiet()
