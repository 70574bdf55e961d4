"""What happens where a browser is missing; people, places and clocks of the windows."""

import sys
from pathlib import Path

import httpx
import pytest

from api.pages.visitors import COOKIE
from tests.browser.conftest import Opens, program
from tests.browser.desk import PEOPLE, Site


@pytest.mark.parametrize("without", ["browser", "type"])
@pytest.mark.parametrize("ci", ["", "true"])
def test_what_is_missing_is_said_aloud_and_fails_in_ci(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ci: str, without: str
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setenv("CHROMIUM", sys.executable if without == "type" else "/nowhere/chromium")
    monkeypatch.setenv("PATH", str(tmp_path))
    kind = pytest.fail.Exception if ci else pytest.skip.Exception
    with pytest.raises(kind, match=r"^NOT TESTED: .*no page is looked at"):
        program()


def test_everybody_has_an_account_and_a_session_of_a_page(site: Site) -> None:
    for name in PEOPLE:
        page = httpx.get(
            f"{site.address}/password", cookies={COOKIE: site.cookie(name)}, timeout=30
        )
        assert page.status_code == 200 and name in page.text, name


def test_a_phone_says_where_it_is_and_its_scripts_may_read_the_time_of_the_site(
    desk: Opens, site: Site
) -> None:
    window = desk("市民甲", at=(116.32367, 39.98207))
    window.own_clock()
    page = window.open("/")
    there = page.evaluate(
        "new Promise((done) => navigator.geolocation.getCurrentPosition("
        "(at) => done([at.coords.longitude, at.coords.latitude])))"
    )
    assert there == [116.32367, 39.98207]
    ahead = page.evaluate("Date.now() / 1000") - site.town.clock().timestamp()
    assert abs(ahead) < 60


def test_a_page_whose_files_are_lost_can_still_be_used(desk: Opens) -> None:
    window = desk()
    window.lose("/static/")
    page = window.sign_in("市民甲")
    assert page.get_by_text("市民甲").is_visible()
    assert page.evaluate("document.styleSheets[0]?.cssRules.length ?? 0") == 0
