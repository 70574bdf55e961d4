"""What happens where a browser is missing; people, places and clocks of the windows."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.conftest import Opens
from tests.browser.desk import PEOPLE, Site

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("ci", "code", "says"), [("", 0, "1 skipped"), ("true", 1, "1 error")])
def test_without_a_browser_it_is_said_aloud_and_fails_in_ci(ci: str, code: int, says: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/browser/test_costs.py"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "CHROMIUM": "/nowhere/chromium", "CI": ci},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "NOT TESTED: there is no Chromium" in done.stdout and says in done.stdout


@pytest.mark.parametrize("name", PEOPLE)
def test_everybody_can_sign_in(desk: Opens, name: str) -> None:
    page = desk(name, "desktop").open("/")
    assert page.get_by_text(name, exact=True).is_visible()


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
