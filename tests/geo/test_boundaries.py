import itertools
from pathlib import Path

import msgspec
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.arrangement import BrokenMapError
from geo.boundaries import Boundaries
from geo.coordinates import from_wgs84, to_metres
from geo.dispatch import Dispatcher
from geo.units import known_units
from tests.geo.maps import UNIT_NAMES, centre, square, two_squares, write_geojson, write_tables

OFFICIAL_KM2 = 430.77
BUNDLED = Boundaries.bundled()
in_and_around = st.tuples(st.floats(115.95, 116.45), st.floats(39.85, 40.20))


def test_the_bundled_map_holds_all_29_units() -> None:
    assert len(BUNDLED.codes) == 29
    assert BUNDLED.codes == tuple(sorted(known_units()))
    assert "110108009" not in BUNDLED.codes


def test_the_bundled_map_has_neither_gap_nor_overlap() -> None:
    areas = list(BUNDLED.arrangement.areas().values())
    whole = shapely.union_all(areas)
    assert all(area.is_valid for area in areas)
    assert isinstance(whole, shapely.Polygon)
    assert not whole.interiors
    assert sum(area.area for area in areas) == pytest.approx(whole.area, abs=1.0)
    assert whole.area / 1e6 == pytest.approx(OFFICIAL_KM2, rel=0.005)


def test_every_edge_of_the_bundled_map_divides_two_units_or_the_district_from_a_neighbour() -> None:
    for side in BUNDLED.arrangement.sides:
        assert side.left != side.right
        assert ("outside" in (side.left, side.right)) == (side.neighbour is not None)
        assert 30 <= side.accuracy_m <= 150
    assert {side.neighbour for side in BUNDLED.arrangement.sides} == {
        None, "昌平区", "朝阳区", "西城区", "丰台区", "石景山区", "门头沟区",
    }  # fmt: skip


def test_units_in_several_parts_keep_them() -> None:
    parts = {code: len(BUNDLED.area_of(code).geoms) for code in BUNDLED.codes}
    for code in ("110108015", "110108019", "110108023", "110108024", "110108001", "110108013"):
        assert parts[code] > 1, BUNDLED.name(code)
    assert any(part.interiors for part in BUNDLED.area_of("110108020").geoms)


@pytest.mark.parametrize(
    ("lon", "lat", "name"),
    [
        (116.321, 40.003, "清华园街道"),  # 清华大学东区
        (116.3045, 39.993, "燕园街道"),  # 北京大学未名湖
        (116.193, 39.992, "香山街道"),  # 香山公园
        (116.197, 40.105, "上庄镇"),
        (116.100, 40.070, "苏家坨镇"),
        (116.305, 40.035, "上地街道"),
        (116.316, 39.908, "羊坊店街道"),  # 军事博物馆
        (116.331, 39.951, "北下关街道"),  # 北京交通大学以西
        (116.397, 39.917, None),  # 故宫
        (116.188, 39.905, None),  # 石景山区
    ],
)
def test_well_known_places_lie_where_everybody_knows(
    lon: float, lat: float, name: str | None
) -> None:
    code = BUNDLED.street_at(lon, lat)
    assert (code and BUNDLED.name(code)) == name


@given(st.lists(in_and_around, min_size=1, max_size=50))
def test_many_points_get_what_each_gets(places: list[tuple[float, float]]) -> None:
    lon, lat = np.array(places).T
    assert BUNDLED.streets_at(lon, lat).tolist() == [
        BUNDLED.street_at(x, y) or "" for x, y in places
    ]


@given(in_and_around)
def test_a_point_is_in_the_one_unit_it_gets_and_in_no_other(place: tuple[float, float]) -> None:
    point = shapely.Point(to_metres(*place))
    inside = {code for code, area in AREAS.items() if shapely.contains_properly(area, point)}
    got = BUNDLED.street_at(*place)
    on_border = any(area.boundary.distance(point) == 0 for area in AREAS.values())
    assert on_border or inside == ({got} if got else set())


AREAS = BUNDLED.arrangement.areas()
CHECKERBOARD = {
    (column, row): code
    for (column, row), code in zip(
        itertools.product(range(4), range(4)),
        ["110108011", "110108012", "110108022", "110108024"] * 4,
        strict=True,
    )
}
# Each column is shifted by two, so that no unit touches itself along an edge.
SHIFTED = {
    (column, row): sorted(UNIT_NAMES)[(row + 2 * column) % 4] for column, row in CHECKERBOARD
}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(seed=st.integers(0, 2**32), turn=st.integers(0, 3), backwards=st.booleans())
def test_order_direction_and_start_of_rings_change_nothing(
    tmp_path: Path, seed: int, turn: int, *, backwards: bool
) -> None:
    def shuffled(rows: list[dict[str, object]]) -> list[dict[str, object]]:
        order = np.random.default_rng(seed).permutation(len(rows))
        return [rows[i] for i in order]

    def turned(ring: list[tuple[float, float]]) -> list[tuple[float, float]]:
        corners = ring[:-1][turn:] + ring[:-1][:turn]
        corners = corners[::-1] if backwards else corners
        return [*corners, corners[0]]

    plain = Boundaries.read(write_geojson(tmp_path / "plain.geojson", SHIFTED))
    other = Boundaries.read(
        write_geojson(tmp_path / "other.geojson", SHIFTED, order=shuffled, ring=turned)
    )
    assert other.digest == plain.digest
    lon, lat = np.random.default_rng(seed).uniform([116.19, 39.99], [116.25, 40.05], (200, 2)).T
    assert other.streets_at(lon, lat).tolist() == plain.streets_at(lon, lat).tolist()


def test_each_square_of_a_file_is_its_units(tmp_path: Path) -> None:
    boundaries = Boundaries.read(write_geojson(tmp_path / "b.geojson", SHIFTED))
    for (column, row), code in SHIFTED.items():
        assert boundaries.street_at(*centre(column, row)) == code


def test_a_file_in_gcj02_is_moved_to_where_it_belongs(tmp_path: Path) -> None:
    def shift(ring: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [from_wgs84(*point, "gcj02") for point in ring]

    path = write_geojson(tmp_path / "b.geojson", SHIFTED, ring=shift)
    boundaries = Boundaries.read(path, crs="gcj02")
    ten_metres_off_the_corner = (116.2099, 40.0099)
    assert boundaries.street_at(*ten_metres_off_the_corner) == SHIFTED[0, 0]
    assert Boundaries.read(path).street_at(116.2015, 40.0005) is None


def test_the_districts_geojson_reads_back_as_the_same_map(tmp_path: Path) -> None:
    path = tmp_path / "out.geojson"
    path.write_bytes(msgspec.json.encode(BUNDLED.geojson()))
    again = Boundaries.read(path)
    assert again.codes == BUNDLED.codes
    for code in BUNDLED.codes:
        assert again.area_of(code).area == pytest.approx(BUNDLED.area_of(code).area, rel=1e-5)


def test_a_hole_left_by_all_units_is_outside(tmp_path: Path) -> None:
    ring = {place: code for place, code in SHIFTED.items() if place != (1, 1)}
    boundaries = Boundaries.read(write_geojson(tmp_path / "b.geojson", ring))
    assert boundaries.street_at(*centre(1, 1)) is None


def test_an_edge_with_an_unknown_node_is_named(tmp_path: Path) -> None:
    write_tables(tmp_path, {"a": (116.2, 40.0)}, [("a b", "110108011", "outside", "", 50)])
    with pytest.raises(BrokenMapError, match="边 e0 引用了不存在的节点 b"):
        Boundaries.read(tmp_path)


def test_a_border_that_does_not_close_is_named(tmp_path: Path) -> None:
    two_squares(tmp_path)
    edges = tmp_path / "edges.csv"
    edges.write_text(edges.read_text("utf-8").replace("nm nw sw sm", "nm nw sw"), "utf-8")
    with pytest.raises(BrokenMapError, match="没有闭合"):
        Boundaries.read(tmp_path)


def test_borders_that_cross_without_a_node_are_named(tmp_path: Path) -> None:
    sw, se, ne, nw = square(0, 0)[:4]
    write_tables(
        tmp_path,
        {"sw": sw, "se": se, "ne": ne, "nw": nw},
        [
            ("sw se ne nw sw", "110108011", "outside", "昌平区", 50),
            ("sw ne", "110108011", "110108012", "", 50),
            ("se nw", "110108011", "110108012", "", 50),
        ],
    )
    with pytest.raises(BrokenMapError, match=r"\(116\.205\d\d, 40\.005\d\d\) 处交叉"):
        Boundaries.read(tmp_path)


def test_a_place_given_to_two_units_is_named(tmp_path: Path) -> None:
    two_squares(tmp_path)
    edges = tmp_path / "edges.csv"
    turned = edges.read_text("utf-8").replace(
        "sm nm,110108011,110108012", "sm nm,110108012,110108011"
    )
    edges.write_text(turned, "utf-8")
    with pytest.raises(BrokenMapError, match="同时标为"):
        Boundaries.read(tmp_path)


def test_a_code_nobody_knows_is_refused(tmp_path: Path) -> None:
    two_squares(tmp_path)
    edges = tmp_path / "edges.csv"
    edges.write_text(edges.read_text("utf-8").replace("110108012", "110108009"), "utf-8")
    with pytest.raises(BrokenMapError, match="110108009"):
        Boundaries.read(tmp_path)


def test_a_saved_map_reads_back_as_the_same_map(tmp_path: Path) -> None:
    BUNDLED.save(tmp_path / "kept")
    again = Boundaries.read(tmp_path / "kept")
    assert again.codes == BUNDLED.codes
    assert [zone.id for zone in again.zones] == [zone.id for zone in BUNDLED.zones]
    lon, lat = np.random.default_rng(3).uniform([115.95, 39.85], [116.45, 40.2], (5_000, 2)).T
    ours, theirs = (Dispatcher(map_).assign_many(lon, lat) for map_ in (BUNDLED, again))
    assert (ours.street == theirs.street).all()
    assert (ours.certainty == theirs.certainty).all()
    assert np.allclose(ours.border_m, theirs.border_m, atol=1e-3)


def _feature(
    properties: dict[str, object], geometry: dict[str, object] | None
) -> dict[str, object]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def _collection(path: Path, *features: dict[str, object]) -> Path:
    path.write_bytes(msgspec.json.encode({"type": "FeatureCollection", "features": features}))
    return path


def test_contested_zones_are_read_beside_a_file_of_units(tmp_path: Path) -> None:
    units = write_geojson(tmp_path / "b.geojson", SHIFTED)
    area: dict[str, object] = {"type": "Polygon", "coordinates": [square(0, 0)]}
    zones = _collection(
        tmp_path / "z.geojson",
        _feature(
            {"id": "Z1", "name": "某操场", "units": ["110108011", "110108022"], "note": "两说"},
            area,
        ),
        _feature({}, {"type": "Polygon", "coordinates": [square(2, 2)]}),
    )
    boundaries = Boundaries.read(units, contested=zones)
    named, bare = boundaries.zones
    assert (named.id, named.name, named.why) == ("Z1", "某操场", "两说")
    assert named.units == ("110108011", "110108022")
    assert (bare.id, bare.name, bare.units, bare.why) == ("Z2", "Z2", (), "")
    assert Dispatcher(boundaries).assign(*centre(0, 0)).certainty == "contested"
    assert Dispatcher(boundaries).assign(*centre(2, 2)).runner_up is not None


def test_a_file_without_a_word_on_neighbours_takes_those_of_the_bundled_map(
    tmp_path: Path,
) -> None:
    boundaries = Boundaries.read(write_geojson(tmp_path / "b.geojson", SHIFTED))
    for side in boundaries.arrangement.sides:
        assert (side.neighbour is not None) == ("outside" in (side.left, side.right))


def test_a_file_may_say_how_good_it_is(tmp_path: Path) -> None:
    path = write_geojson(tmp_path / "b.geojson", SHIFTED)
    beside = (116.2095, 40.005)  # 43 m from the border of two squares
    exact, rough = (Boundaries.read(path, accuracy_m=good) for good in (0.0, 60.0))
    assert Dispatcher(exact).assign(*beside).certainty == "inside"
    assert Dispatcher(rough).assign(*beside).certainty == "near_border"


@pytest.mark.parametrize(
    ("properties", "geometry", "words"),
    [
        ({}, {"type": "Polygon", "coordinates": [square(0, 0)]}, "第 1 个要素没有街镇代码"),
        ({"code": "110108011"}, None, "110108011 的要素不是面"),
        ({"code": "110108011"}, {"type": "Point", "coordinates": [116.2, 40]}, "不是面"),
        (
            {"code": "110108011"},
            {"type": "Polygon", "coordinates": [[(0, 0), (1, 1), (1, 0), (0, 1), (0, 0)]]},
            "110108011 的要素图形无效",
        ),
    ],
)
def test_a_feature_that_is_no_unit_is_named(
    tmp_path: Path, properties: dict[str, object], geometry: dict[str, object] | None, words: str
) -> None:
    with pytest.raises(BrokenMapError, match=words):
        Boundaries.read(_collection(tmp_path / "b.geojson", _feature(properties, geometry)))


def test_a_unit_in_several_features_is_put_together(tmp_path: Path) -> None:
    features = [
        _feature({"code": "110108011"}, {"type": "Polygon", "coordinates": [square(column, 0)]})
        for column in (0, 1)
    ]
    boundaries = Boundaries.read(_collection(tmp_path / "b.geojson", *features))
    assert len(boundaries.arrangement.faces) == 1
    assert boundaries.street_at(*centre(1, 0)) == "110108011"


def test_a_border_drawn_twice_with_other_units_is_named(tmp_path: Path) -> None:
    two_squares(tmp_path)
    with (tmp_path / "edges.csv").open("a", encoding="utf-8") as edges:
        edges.write("\ne9,sm nm,110108012,110108011,,50")
    with pytest.raises(BrokenMapError, match="画了两次"):
        Boundaries.read(tmp_path)


def test_a_map_without_a_border_is_refused(tmp_path: Path) -> None:
    write_tables(tmp_path, {"a": (116.2, 40.0)}, [])
    with pytest.raises(BrokenMapError, match="没有任何边"):
        Boundaries.read(tmp_path)
