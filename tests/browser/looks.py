"""How a page must look to whoever uses it: checks that a real browser answers.

Each check returns what is wrong, in words, as a list; `holds` runs them all and fails with one
list. Knows no page. The questions themselves are in looks.js.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from playwright.sync_api import Page

from tests.untested import untested

HERE = Path(__file__).parent
AXE = HERE.parents[1] / ".venv" / "assets" / "axe.min.js"

TARGET = 44
"""CSS pixels in either direction that a finger needs."""
ELDER_TARGET = 60
ELDER_TEXT = 18
"""The same in 长辈版, and the least size of its type."""

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa")


@cache
def _script(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _ask(page: Page, call: str) -> list[str]:
    """Ask looks.js, which a page keeps once it has been asked."""
    if not page.evaluate("'looks' in window"):
        page.evaluate(f"window.looks = {_script(HERE / 'looks.js')}; null")
    found: list[str] = page.evaluate(f"window.looks.{call}")
    return found


def runs_scripts(page: Page) -> bool:
    """Whether the page's own scripts may run; where not, no promise is ever kept either."""
    return bool(page.evaluate("matchMedia('(scripting: enabled)').matches"))


@contextmanager
def _twin(page: Page) -> Iterator[Page]:
    """The same page where scripts may run, but has none: for asking what takes a promise."""
    browser = page.context.browser
    assert browser is not None
    shown = re.sub(r"<script\b.*?</script>", "", page.content(), flags=re.DOTALL)
    shown = re.sub(r"<(/?)noscript\b", r"<\1div", shown)
    context = browser.new_context(
        viewport=page.viewport_size, storage_state=page.context.storage_state()
    )
    try:
        twin = context.new_page()
        twin.route(
            page.url,
            lambda route: route.fulfill(body=shown, content_type="text/html; charset=utf-8"),
        )
        twin.goto(page.url)
        yield twin
    finally:
        context.close()


def axe(page: Page, *, without: Sequence[str] = ()) -> list[str]:
    """What axe-core finds against WCAG 2.1 A and AA, but for these rules."""
    if not AXE.is_file():
        untested(
            "axe-core is not there: no page is checked for accessibility. `make assets` brings it"
        )
    if not runs_scripts(page):
        with _twin(page) as twin:
            return axe(twin, without=without)
    if not page.evaluate("'axe' in window"):
        page.evaluate(_script(AXE) + "; null")
    rules = {rule: {"enabled": False} for rule in without}
    found = page.evaluate(
        "(options) => window.axe.run(document, options).then((found) => found.violations)",
        {"runOnly": list(RULES), "resultTypes": ["violations"], "rules": rules},
    )
    return [
        f"{one['id']}: {one['help']}: {node['target'][0]} ({_first_line(node)})"
        for one in found
        for node in one["nodes"]
    ]


def _first_line(node: dict[str, str]) -> str:
    return node["failureSummary"].split("\n")[1].strip()


def is_elder(page: Page) -> bool:
    """Whether the page is shown in 长辈版."""
    return bool(_ask(page, "elder()"))


def words(page: Page) -> list[str]:
    """One h1, a language, a title, ids used once, a label for every field."""
    return _ask(page, "words()")


def sideways(page: Page) -> list[str]:
    """Whether the page scrolls sideways, and what makes it."""
    return _ask(page, "sideways()")


def small(page: Page) -> list[str]:
    """Controls too small for a finger; links within a sentence may be."""
    return _ask(page, f"small({ELDER_TARGET if is_elder(page) else TARGET})")


def clipped(page: Page) -> list[str]:
    """Text that is cut off by what it stands in, or runs out of its button."""
    return _ask(page, "clipped()")


def covered(page: Page) -> list[str]:
    """Controls that another thing lies upon, once scrolled to."""
    return _ask(page, "covered()")


def tiny(page: Page) -> list[str]:
    """Type too small for 长辈版; nothing on a page that is not in it."""
    return _ask(page, f"tiny({ELDER_TEXT})") if is_elder(page) else []


def keyboard(page: Page) -> list[str]:
    """What Tab does not reach, or reaches twice, or where one cannot see that it did."""
    wanted = _ask(page, "start()")
    reached: list[int] = []
    found: list[str] = []
    last = None
    for _ in range(3 * len(wanted) + 20):
        page.keyboard.press("Tab")
        at = page.evaluate("window.looks.stop()")
        if at is None and not reached:
            continue  # the focus was within the page: Tab goes round to its beginning first
        if at is None or (reached and at["at"] == reached[0] and last != at["at"]):
            break  # past the last, or at the first again
        if at["at"] == last:
            continue  # the parts of a date are stops within one field
        last = at["at"]
        if last < 0:
            continue  # a part that scrolls is a stop of its own
        if last in reached:
            found.append(f"Tab comes to {at['name']} twice")
            break
        reached.append(last)
        if not at["ring"]:
            found.append(f"nothing shows that {at['name']} has the focus")
        if not at["inView"]:
            found.append(f"{at['name']} has the focus out of sight")
    missed = [name for number, name in enumerate(wanted) if number not in reached]
    page.evaluate("document.activeElement?.blur()")
    return found + [f"Tab does not come to {name}" for name in missed]


def holds(page: Page, *, with_keyboard: bool = True, without: Sequence[str] = ()) -> None:
    """All of it at once. Raises AssertionError with everything that is wrong.

    `without` names rules of axe that a test leaves out, each with a reason beside it.
    """
    checks = [words, sideways, small, clipped, covered, tiny]
    found = [f"{check.__name__}: {what}" for check in checks for what in check(page)]
    if with_keyboard:
        found += [f"keyboard: {what}" for what in keyboard(page)]
    if found and not AXE.is_file():
        raise AssertionError(_told(page, found))
    found += [f"axe: {what}" for what in axe(page, without=without)]
    if found:
        raise AssertionError(_told(page, found))


def _told(page: Page, found: Sequence[str]) -> str:
    size = page.viewport_size or {"width": 0, "height": 0}
    elder = "，长辈版" if is_elder(page) else ""
    return "\n  ".join([f"{page.url} ({size['width']} px{elder}):", *found])
