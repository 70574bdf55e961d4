import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from geo.coordinates import Crs, from_metres, from_wgs84, to_metres, to_wgs84

# Made once with the npm package gcoord 1.0.7 (MIT): transform(point, WGS84, GCJ02 | BD09).
FIXTURE = Path(__file__).parent / "gcoord.csv"
ROWS = [
    {name: float(value) for name, value in row.items()}
    for row in csv.DictReader(FIXTURE.read_text(encoding="utf-8").splitlines())
]
A_MILLIMETRE = 1e-8  # degrees
around_beijing = st.tuples(st.floats(115.4, 117.5), st.floats(39.4, 41.1))


@pytest.mark.parametrize("crs", [Crs.GCJ02, Crs.BD09])
@pytest.mark.parametrize("row", ROWS)
def test_agrees_with_gcoord_both_ways(crs: Crs, row: dict[str, float]) -> None:
    plain = (row["wgs84_lon"], row["wgs84_lat"])
    shifted = (row[f"{crs}_lon"], row[f"{crs}_lat"])
    assert from_wgs84(*plain, crs) == pytest.approx(shifted, abs=A_MILLIMETRE)
    assert to_wgs84(*shifted, crs) == pytest.approx(plain, abs=A_MILLIMETRE)


@given(around_beijing, st.sampled_from(list(Crs)))
def test_there_and_back_is_the_same_place(place: tuple[float, float], crs: Crs) -> None:
    assert to_wgs84(*from_wgs84(*place, crs), crs) == pytest.approx(place, abs=A_MILLIMETRE)


@given(st.lists(around_beijing, min_size=1, max_size=20), st.sampled_from(list(Crs)))
def test_an_array_is_turned_as_each_of_its_points(
    places: list[tuple[float, float]], crs: Crs
) -> None:
    lon, lat = np.array(places).T
    many = np.column_stack(to_wgs84(lon, lat, crs))
    assert many.tolist() == [list(to_wgs84(x, y, crs)) for x, y in places]


def test_gcj02_is_more_than_half_a_kilometre_off_over_haidian() -> None:
    lon, lat = (part.ravel() for part in np.meshgrid(np.linspace(116.05, 116.38), 40.0))
    x, y = to_metres(lon, lat)
    gx, gy = to_metres(*from_wgs84(lon, lat, Crs.GCJ02))
    off = np.hypot(gx - x, gy - y)
    assert 500 < off.min() < off.max() < 600


def test_cgcs2000_is_passed_on_unchanged() -> None:
    assert to_wgs84(116.3, 40.0, "cgcs2000") == (116.3, 40.0)


def test_an_unknown_system_is_refused() -> None:
    with pytest.raises(ValueError, match="epsg:3857"):
        to_wgs84(116.3, 40.0, "epsg:3857")


@given(around_beijing)
def test_metres_and_back_is_the_same_place(place: tuple[float, float]) -> None:
    x, y = to_metres(*place)
    lon, lat = from_metres(np.array([x]), np.array([y]))
    assert (float(lon[0]), float(lat[0])) == pytest.approx(place, abs=1e-9)


def test_a_thousandth_of_a_degree_north_is_111_metres() -> None:
    (_, south), (_, north) = to_metres(116.3, 40.0), to_metres(116.3, 40.001)
    assert north - south == pytest.approx(111.0, abs=0.2)


@given(lon=st.floats(115.0, 118.0), lat=st.floats(39.0, 41.0))
def test_metres_are_those_of_proj_to_a_tenth_of_a_millimetre(lon: float, lat: float) -> None:
    east, north = to_metres(lon, lat)
    theirs = Transformer.from_crs(4326, 32650, always_xy=True).transform(lon, lat)
    assert (east, north) == pytest.approx(theirs, abs=1e-4)
    many = to_metres(np.array([lon]), np.array([lat]))
    assert (many[0][0], many[1][0]) == pytest.approx((east, north), abs=1e-6)
    back = from_metres(np.array([east]), np.array([north]))
    assert (back[0][0], back[1][0]) == pytest.approx((lon, lat), abs=1e-9)
    assert from_metres(east, north) == pytest.approx((lon, lat), abs=1e-9)
