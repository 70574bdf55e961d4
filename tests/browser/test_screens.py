"""Each screen of the list: it holds in all respects, and is photographed for who wants to look."""

import pytest

from tests.browser.conftest import Opens
from tests.browser.desk import Site, shoot
from tests.browser.looks import holds, is_elder
from tests.browser.screens import SCREENS, Screen, prepared, ways


@pytest.fixture(scope="package")
def laid_out(site: Site) -> dict[str, str]:
    return prepared(site)


@pytest.mark.screenshots
@pytest.mark.parametrize(
    "screen",
    [
        pytest.param(screen, id=screen.name, marks=[pytest.mark.deep] if screen.deep else [])
        for screen in SCREENS
    ],
)
def test_a_screen_holds(desk: Opens, laid_out: dict[str, str], screen: Screen) -> None:
    window = desk(screen.who, screen.viewport, elder=screen.elder, javascript=screen.javascript)
    page = window.open(screen.path.format(**laid_out), screen.status)
    if screen.then:
        screen.then(page)
    if screen.ready:
        page.locator(screen.ready).first.wait_for()
    shoot(page, screen.name, whole=screen.whole)
    assert is_elder(page) == screen.elder
    holds(page)


def test_a_screen_in_every_way_is_six_and_three_of_them_are_looked_at_each_time() -> None:
    found = list(ways(Screen("x", "/")))
    assert [screen.name for screen in found if not screen.deep] == [
        "x-phone",
        "x-small-elder",
        "x-desktop",
    ]
    assert len(found) == 6
    assert len(list(ways(Screen("x", "/"), elder=False))) == 3


def test_no_two_screens_have_one_name() -> None:
    assert len({screen.name for screen in SCREENS}) == len(SCREENS)
