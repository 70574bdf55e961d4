"""The map in a real browser: our own layer alone, positions that agree with the server's."""

import json

import pytest

from api.pages.base_map import base_map, told
from api.pages.rendering import HEADERS
from api.settings import Settings
from geo.coordinates import from_wgs84
from tests.browser.conftest import Opens
from tests.browser.desk import Site


def test_a_case_is_shown_on_boundaries_of_our_own_and_nobody_else_is_asked(
    desk: Opens, site: Site
) -> None:
    case = site.town.citizen("市民甲").report()
    window = desk("审核甲", "desktop")
    window.open(f"/cases/{case.number}")
    window.page.wait_for_selector(".map .dot.here")
    window.page.wait_for_selector(".map path", state="attached")
    said = window.page.inner_text(".map .leaflet-control-attribution")
    assert "示意，非法定界线" in said
    # The library's own mark is a national flag with its name: never in our pages.
    assert window.page.locator(".map .leaflet-attribution-flag").count() == 0
    assert "Leaflet" not in said


POINTS = [(116.24, 40.03), (116.3195, 39.9834), (115.9, 40.16), (116.43, 39.88)]


@pytest.mark.parametrize("point", POINTS)
def test_the_page_shifts_positions_as_the_server_does(
    desk: Opens, point: tuple[float, float]
) -> None:
    window = desk(None, "phone")
    window.open("/")
    there, back = window.page.evaluate(
        """async ([lon, lat]) => {
          const own = await import("/static/map.js");
          const there = own.toGcj02(lon, lat);
          return [there, own.toWgs84(...there)];
        }""",
        list(point),
    )
    assert there == pytest.approx(from_wgs84(*point, "gcj02"), abs=1e-8)
    assert back == pytest.approx(point, abs=1e-7), "one centimetre"


def test_a_map_of_others_is_let_in_by_name_and_shows_its_approval() -> None:
    assert base_map(Settings()) is None
    assert json.loads(told(Settings()))["tiles"] == []
    settings = Settings(
        base_map="tianditu", base_map_key="k1", base_map_approval="GS（2024）0568号"
    )
    found = base_map(settings)
    assert found is not None
    assert all(tiles.endswith("&tk=k1") for tiles in found.tiles)
    assert "GS（2024）0568号" in json.loads(told(settings))["says"]
    assert "{tiles}" in HEADERS["Content-Security-Policy"]
    for name in ("amap", "tencent"):
        assert json.loads(told(Settings.model_validate({"base_map": name})))["crs"] == "gcj02"
