from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely
from shapely.geometry import box, shape

from geo.boundaries import Boundaries
from geo.check import DistrictFile, Fault, Report, UnreadableError, check
from geo.compare import changes, moves
from geo.coordinates import from_wgs84, to_metres

BUNDLED = Boundaries.bundled()
SHANGDI, QINGHE, YANYUAN = "110108022", "110108017", "110108015"


def _frame() -> geopandas.GeoDataFrame:
    features = BUNDLED.geojson()["features"]
    assert isinstance(features, list)
    return geopandas.GeoDataFrame(
        {
            "code": [row["properties"]["code"] for row in features],
            "name": [row["properties"]["name"] for row in features],
        },
        geometry=[shape(row["geometry"]) for row in features],
        crs=4326,
    )


SOUND = _frame()


def _with(code: str, area: shapely.Geometry) -> geopandas.GeoDataFrame:
    frame = SOUND.copy()
    frame.loc[frame.code == code, "geometry"] = area
    return frame


def _area(code: str) -> shapely.Geometry:
    return SOUND.geometry[SOUND.code == code].iloc[0]


def _check(frame: geopandas.GeoDataFrame, folder: Path, crs: str | None = None) -> Report:
    path = folder / "district.gpkg"
    frame.to_file(path)
    return check(DistrictFile(path, crs=crs), BUNDLED)


def _faults(report: Report, kind: str) -> list[Fault]:
    return [fault for fault in report.faults if fault.kind == kind]


@pytest.mark.parametrize("name", ["d.geojson", "d.gpkg", "d.shp"])
@pytest.mark.parametrize("epsg", [4326, 4490, 4527, 32650])
def test_a_sound_map_is_sound_in_every_format_and_system(
    tmp_path: Path, name: str, epsg: int
) -> None:
    SOUND.to_crs(epsg).to_file(tmp_path / name, encoding="utf-8")
    file = DistrictFile(tmp_path / name)
    report = check(file, BUNDLED)
    assert report.sound and not report.faults
    assert len(report.areas_km2) == 29
    assert sum(report.areas_km2.values()) == pytest.approx(430.8, abs=0.5)
    assert file.boundaries().street_at(116.3045, 39.993) == YANYUAN


def test_a_map_in_gcj02_is_read_as_such_when_told_and_suspected_when_not(tmp_path: Path) -> None:
    def shift(degrees: np.ndarray) -> np.ndarray:
        return np.column_stack(from_wgs84(degrees[:, 0], degrees[:, 1], "gcj02"))

    shifted = SOUND.set_geometry([shapely.transform(area, shift) for area in SOUND.geometry])
    assert [f.kind for f in _check(shifted, tmp_path).faults] == ["shifted"]
    assert _check(shifted, tmp_path, "gcj02").faults == ()


@pytest.mark.parametrize("crs", ["gcj02", "bd09"])
def test_figures_said_to_be_shifted_that_are_not_are_suspected_too(
    tmp_path: Path, crs: str
) -> None:
    (fault,) = _check(SOUND, tmp_path, crs).faults
    assert (fault.kind, fault.blocking) == ("shifted", True)
    assert {"gcj02": "疑非 GCJ-02", "bd09": "疑非 BD-09"}[crs] in fault.text


def test_no_word_of_the_coordinate_system_is_never_guessed(tmp_path: Path) -> None:
    path = tmp_path / "d.shp"
    SOUND.to_file(path, encoding="utf-8")
    path.with_suffix(".prj").unlink()
    with pytest.raises(UnreadableError, match="没有注明坐标系"):
        DistrictFile(path)
    assert check(DistrictFile(path, crs="wgs84"), BUNDLED).sound


def test_a_file_that_is_no_map_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "no.geojson").write_text("not a map", encoding="utf-8")
    with pytest.raises(UnreadableError, match=r"无法读取 no\.geojson"):
        DistrictFile(tmp_path / "no.geojson")
    SOUND.drop(columns="code").to_file(tmp_path / "nameless.gpkg")
    with pytest.raises(UnreadableError, match="没有街镇代码列"):
        DistrictFile(tmp_path / "nameless.gpkg")


def test_the_columns_of_the_national_standard_are_understood(tmp_path: Path) -> None:
    frame = SOUND.rename(columns={"code": "XZQDM", "name": "XZQMC"})
    frame["XZQDM"] = frame["XZQDM"] + "000"
    assert _check(frame, tmp_path).faults == ()


def test_a_missing_unit_an_unknown_code_and_a_wrong_name_are_named(tmp_path: Path) -> None:
    frame = SOUND.copy()
    frame.loc[frame.code == SHANGDI, "code"] = "110108009"
    frame.loc[frame.code == QINGHE, "name"] = "河清街道"
    report = _check(frame, tmp_path)
    assert [f.text for f in report.faults] == [
        "缺少上地街道（110108022）。",
        "代码 110108009 不在 29 个街镇之列。",
        "代码 110108017 应为清河街道，文件中写作“河清街道”。",
    ]
    assert [f.blocking for f in report.faults] == [True, True, False]


def test_a_name_of_the_statistics_is_no_fault(tmp_path: Path) -> None:
    frame = SOUND.copy()
    frame.loc[frame.code == "110108023", "name"] = "万柳地区"
    assert _check(frame, tmp_path).faults == ()


def test_an_overlap_is_named_with_its_place_and_size(tmp_path: Path) -> None:
    spot = box(116.300, 40.030, 116.302, 40.031)  # 171 m by 111 m, within 上地
    assert _area(SHANGDI).contains(spot)
    (fault,) = _check(_with(QINGHE, _area(QINGHE).union(spot)), tmp_path).faults
    assert (fault.kind, fault.units) == ("overlap", (QINGHE, SHANGDI))
    assert fault.area_m2 == pytest.approx(18_950, rel=0.01)
    assert fault.lon is not None and fault.lat is not None
    assert spot.contains(shapely.Point(fault.lon, fault.lat))
    assert fault.text.startswith("清河街道与上地街道重叠 18,9")
    assert "位于东经 116.30" in fault.text


def test_a_gap_is_named_with_its_place_and_its_neighbours(tmp_path: Path) -> None:
    spot = box(116.300, 40.030, 116.302, 40.031)
    (fault,) = _check(_with(SHANGDI, _area(SHANGDI).difference(spot)), tmp_path).faults
    assert (fault.kind, fault.blocking, fault.units) == ("gap", True, (SHANGDI,))
    assert spot.contains(shapely.Point(fault.lon, fault.lat))


def test_an_area_that_crosses_itself_is_named_with_its_place(tmp_path: Path) -> None:
    bow = shapely.Polygon([(116.30, 40.03), (116.31, 40.04), (116.31, 40.03), (116.30, 40.04)])
    (fault,) = _faults(_check(_with(SHANGDI, bow), tmp_path), "invalid")
    assert (fault.lon, fault.lat) == pytest.approx((116.305, 40.035), abs=1e-5)
    assert "上地街道图形无效（自相交）" in fault.text


def test_lines_and_empty_shapes_are_named(tmp_path: Path) -> None:
    frame = _with(SHANGDI, shapely.LineString([(116.30, 40.03), (116.31, 40.04)]))
    frame.loc[frame.code == QINGHE, "geometry"] = None
    texts = [fault.text for fault in _check(frame, tmp_path).faults]
    assert "上地街道的图形不是面，而是 LineString。" in texts
    assert "清河街道没有图形。" in texts


def test_ground_beyond_or_short_of_the_running_outline_is_pointed_out(tmp_path: Path) -> None:
    more = _check(
        _with("110108030", _area("110108030").union(box(116.2, 40.15, 116.21, 40.17))), tmp_path
    )
    assert more.sound and [fault.kind for fault in more.faults] == ["beyond"]
    less = _check(
        _with("110108030", _area("110108030").difference(box(116.1, 40.14, 116.4, 40.2))), tmp_path
    )
    assert {fault.kind for fault in less.faults} >= {"uncovered"}


def test_half_a_district_has_the_wrong_area(tmp_path: Path) -> None:
    report = _check(SOUND[SOUND.code <= "110108020"], tmp_path)
    assert not report.sound
    assert len(_faults(report, "missing")) == 10
    assert "平方公里，与公布的 430.77 平方公里相差超过 2%" in _faults(report, "area")[0].text


def test_a_scrap_is_pointed_out(tmp_path: Path) -> None:
    scrap = box(116.3000, 40.0300, 116.3001, 40.0300 + 0.00005)
    frame = _with(SHANGDI, _area(SHANGDI).difference(scrap))
    frame.loc[frame.code == QINGHE, "geometry"] = _area(QINGHE).union(scrap)
    (fault,) = _check(frame, tmp_path).faults
    assert (fault.kind, fault.blocking, fault.units) == ("scrap", False, (QINGHE,))


def _moved(tmp_path: Path) -> tuple[Boundaries, Boundaries]:
    """The running map, and one in which 燕园 takes a block of 上地."""
    block = box(116.300, 40.030, 116.302, 40.031)
    frame = _with(SHANGDI, _area(SHANGDI).difference(block))
    frame.loc[frame.code == YANYUAN, "geometry"] = _area(YANYUAN).union(block)
    frame.to_file(tmp_path / "new.gpkg")
    return BUNDLED, DistrictFile(tmp_path / "new.gpkg").boundaries(version=2)


def test_the_ground_that_changes_hands_is_told_pair_by_pair(tmp_path: Path) -> None:
    (change,) = changes(*_moved(tmp_path))
    assert (change.before, change.after) == (SHANGDI, YANYUAN)
    assert change.area_m2 == pytest.approx(18_950, rel=0.01)
    assert change.text.startswith("上地街道划入燕园街道 0.0189 平方公里")


def test_ground_lost_to_the_outside_is_told_too(tmp_path: Path) -> None:
    cut = box(116.1, 40.15, 116.4, 40.2)
    _with("110108030", _area("110108030").difference(cut)).to_file(tmp_path / "new.gpkg")
    smaller = DistrictFile(tmp_path / "new.gpkg").boundaries()
    (lost,) = changes(BUNDLED, smaller)
    (gained,) = changes(smaller, BUNDLED)
    assert (lost.before, lost.after) == ("110108030", "outside") == (gained.after, gained.before)
    assert lost.area_m2 == pytest.approx(gained.area_m2)
    assert "上庄镇划入区外" in lost.text


def test_places_that_would_move_are_told(tmp_path: Path) -> None:
    lon, lat = np.array([[116.301, 40.0305], [116.305, 40.035], [116.397, 39.917]]).T
    (move,) = moves(*_moved(tmp_path), lon, lat)
    assert (move.index, move.before, move.after) == (0, SHANGDI, YANYUAN)


def test_a_map_does_not_differ_from_itself() -> None:
    assert changes(BUNDLED, BUNDLED) == ()


def test_a_corner_set_on_a_neighbours_straight_border_opens_no_gap(tmp_path: Path) -> None:
    west = box(116.20, 40.00, 116.25, 40.05)
    east = shapely.Polygon(
        [(116.25, 40.00), (116.30, 40.00), (116.30, 40.05), (116.25, 40.05), (116.25, 40.013)]
    )
    north = box(116.20, 40.05, 116.30, 40.08)
    frame = geopandas.GeoDataFrame(
        {"code": [SHANGDI, QINGHE, YANYUAN]}, geometry=[west, east, north], crs=4326
    )
    frame.to_file(tmp_path / "t.gpkg")
    file = DistrictFile(tmp_path / "t.gpkg")
    assert not {f.kind for f in check(file, BUNDLED).faults} & {"gap", "overlap"}
    boundaries = file.boundaries()
    assert len(boundaries.arrangement.faces) == 3
    for lon in np.linspace(116.205, 116.295, 50).tolist():
        x, y = to_metres(lon, 40.05)
        border, away = boundaries.nearest_border(shapely.Point(x, y))
        assert away < 2
        assert "outside" not in boundaries.arrangement.sides[border][:2]


def test_a_table_without_shapes_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("code,name\n110108011,中关村街道\n", encoding="utf-8")
    with pytest.raises(UnreadableError, match="没有任何图形"):
        DistrictFile(tmp_path / "t.csv")


def test_a_file_that_holds_only_lines_has_faults_and_no_area(tmp_path: Path) -> None:
    line = shapely.LineString([(116.30, 40.03), (116.31, 40.04)])
    report = _check(_with(SHANGDI, line)[SOUND.code == SHANGDI], tmp_path)
    assert report.areas_km2 == {}
    assert [fault.kind for fault in report.faults] == ["missing"] * 28 + ["not_area"]


def test_an_adopted_file_keeps_its_zones_and_accuracy_on_disk(tmp_path: Path) -> None:
    SOUND.to_crs(4490).to_file(tmp_path / "d.gpkg")
    adopted = DistrictFile(tmp_path / "d.gpkg").boundaries(BUNDLED.zones, accuracy_m=20, version=3)
    adopted.save(tmp_path / "kept")
    again = Boundaries.read(tmp_path / "kept", version=3)
    assert [zone.name for zone in again.zones] == [zone.name for zone in BUNDLED.zones]
    assert set(again.arrangement.accuracy_m) == {20.0}
    assert changes(adopted, again) == ()
