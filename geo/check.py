"""Reads a district's own boundary file and says what is wrong with it, and where, in Chinese.

GeoJSON, Shapefile and GeoPackage, in WGS-84, CGCS2000, GCJ-02 or any system with an EPSG code.
The only room that imports geopandas (about 100 MB): never imported by the serving process.
What a sound file becomes is kept by `Boundaries.save` and served by `Boundaries.read`.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import geopandas
import msgspec
import numpy as np
import pyogrio.errors
import shapely
from pyproj import CRS, Transformer
from shapely import MultiPolygon, Polygon, STRtree
from shapely.geometry.base import BaseGeometry

from geo.arrangement import Arrangement, Positions
from geo.boundaries import Boundaries
from geo.coordinates import Crs, Degrees, from_metres, from_wgs84, to_metres, to_wgs84
from geo.map_files import DEGREE_GRID, neighbours, polygons, projection
from geo.units import Unit, Zone, known_units

OFFICIAL_KM2 = 430.77
"""The district's area as its government states it."""
_AREA_SHARE = 0.02
# The columns of the national standard for territorial units (XZQDM, XZQMC) and common ones.
_CODE_COLUMNS = ("code", "CODE", "XZQDM", "xzqdm", "街镇代码", "代码", "id", "ID")
_NAME_COLUMNS = ("name", "NAME", "XZQMC", "xzqmc", "街镇名称", "名称")
_METRE_GRID = 0.01
_SLIVER_M2 = 1.0  # below, two lines drawn by different hands
_SCRAP_M2 = 100.0  # below, no place a person could stand for
_FIT_M = 200.0  # how far the running outline, perhaps the bundled map, may be off
_SHIFT_SHARE = 0.02  # 500 m off misses far more of the district than this
_REASONS = {
    "Self-intersection": "自相交",
    "Ring Self-intersection": "环自相交",
    "Hole lies outside shell": "洞在面外",
    "Nested holes": "洞中有洞",
    "Nested shells": "面中有面",
    "Interior is disconnected": "内部不连通",
    "Duplicate Rings": "环重复",
    "Too few points in geometry component": "点数不足",
}


class Fault(msgspec.Struct, frozen=True):
    """Something wrong: what, in Chinese, with its place where it has one (WGS-84 degrees).

    A map with a blocking fault must not be adopted; the others are for a person to look at.
    """

    kind: str
    text: str
    blocking: bool = True
    lon: float | None = None
    lat: float | None = None
    area_m2: float | None = None
    units: tuple[str, ...] = ()


class Report(msgspec.Struct, frozen=True):
    """What was found in a file, the blocking first; areas in square kilometres by code."""

    faults: tuple[Fault, ...]
    areas_km2: Mapping[str, float]

    @property
    def sound(self) -> bool:
        """Whether the map may be adopted."""
        return not any(fault.blocking for fault in self.faults)


class UnreadableError(ValueError):
    """The file cannot be looked at at all; says why, in Chinese."""


class DistrictFile:
    """The features of a boundary file in its own order and figures.

    `codes`, `names`, `shapes` run side by side; `to_metres` turns rows of the file's figures
    into metres in EPSG:32650.
    """

    def __init__(
        self, path: Path, *, crs: Crs | str | None = None, encoding: str | None = None
    ) -> None:
        """Reads a file. `crs` overrides what the file says (GCJ-02 has no EPSG code).

        Raises UnreadableError if there is no readable layer, no column of codes, or no word
        anywhere of the coordinate system: that is never guessed.
        """
        try:
            frame = geopandas.read_file(path, encoding=encoding)
        except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
            raise UnreadableError(f"无法读取 {path.name}：{error}") from error
        if not isinstance(frame, geopandas.GeoDataFrame) or frame.empty:
            raise UnreadableError(f"{path.name} 中没有任何图形。")
        codes = next((frame[name] for name in _CODE_COLUMNS if name in frame.columns), None)
        if codes is None:
            raise UnreadableError(f"{path.name} 中没有街镇代码列（{'、'.join(_CODE_COLUMNS)}）。")
        names = next((frame[name] for name in _NAME_COLUMNS if name in frame.columns), codes)
        if crs is None and frame.crs is None:
            known = "、".join(system.value for system in Crs)
            raise UnreadableError(f"{path.name} 没有注明坐标系，请指定（{known}）。")
        self.codes = tuple(_code(value) for value in codes)
        self.names = tuple(str(value) for value in names)
        self.shapes: tuple[BaseGeometry | None, ...] = tuple(
            shapely.force_2d(frame.geometry.to_numpy())
        )
        geographic = crs is not None or frame.crs.is_geographic
        self.grid = DEGREE_GRID if geographic else _METRE_GRID
        self.to_metres = projection(crs) if crs is not None else _from_epsg(frame.crs)

    def areas(self) -> dict[str, Polygon | MultiPolygon]:
        """One area for each code, in the file's figures; mended where it is invalid."""
        parts: dict[str, list[Polygon]] = {}
        for code, shape in zip(self.codes, self.shapes, strict=True):
            if shape is not None:
                parts.setdefault(code, []).extend(polygons(shape))
        return {code: shapely.union_all(held) for code, held in parts.items() if held}

    def in_metres(self, shape: BaseGeometry) -> list[Polygon]:
        """The areas in a shape of the file's figures, in metres."""
        return polygons(shapely.transform(shape, self.to_metres))

    def boundaries(
        self, zones: Iterable[Zone] = (), *, accuracy_m: float = 0.0, version: int = 1
    ) -> Boundaries:
        """The map the file makes, with contested zones. For a file whose report is sound."""
        units = dict(known_units())
        for code, name in zip(self.codes, self.names, strict=True):
            units.setdefault(code, Unit(code, name))
        arrangement = Arrangement.of_polygons(
            self.areas(),
            self.to_metres,
            grid=self.grid,
            accuracy_m=accuracy_m,
            neighbour_at=neighbours(),
        )
        return Boundaries(arrangement, units.values(), zones, version=version)


def check(file: DistrictFile, running: Boundaries) -> Report:
    """Everything wrong with a file, against the list of the 29 and the running version."""
    areas = file.areas()
    metric = {code: MultiPolygon(file.in_metres(area)) for code, area in sorted(areas.items())}
    faults = [
        *_list_faults(file),
        *_shape_faults(file),
        *_overlaps(file, areas),
        *_gaps(file, areas),
        *_scraps(metric),
        *_fit(shapely.union_all(list(areas.values())), file, running),
    ]
    faults.sort(key=lambda fault: not fault.blocking)
    return Report(tuple(faults), {c: round(area.area / 1e6, 4) for c, area in metric.items()})


def _list_faults(file: DistrictFile) -> Iterator[Fault]:
    known = known_units()
    for code in sorted(set(known) - set(file.codes)):
        yield Fault("missing", f"缺少{known[code].name}（{code}）。", units=(code,))
    for code in sorted(set(file.codes) - set(known)):
        yield Fault("unknown", f"代码 {code or '（空）'} 不在 29 个街镇之列。", units=(code,))
    for code, name in zip(file.codes, file.names, strict=True):
        unit = known.get(code)
        if unit and name not in {code, unit.name, *unit.also_known_as}:
            text = f"代码 {code} 应为{unit.name}，文件中写作“{name}”。"
            yield Fault("name", text, blocking=False, units=(code,))
    for code in sorted(code for code in set(file.codes) if file.codes.count(code) > 1):
        text = f"代码 {code} 出现在 {file.codes.count(code)} 个要素中，将合并为一个。"
        yield Fault("repeated", text, blocking=False, units=(code,))


def _shape_faults(file: DistrictFile) -> Iterator[Fault]:
    for code, shape in zip(file.codes, file.shapes, strict=True):
        name = _name(code)
        if shape is None or shape.is_empty:
            yield Fault("empty", f"{name}没有图形。", units=(code,))
        elif not isinstance(shape, Polygon | MultiPolygon):
            text = f"{name}的图形不是面，而是 {shape.geom_type}。"
            yield Fault("not_area", text, units=(code,))
        elif not shape.is_valid:
            reason, _, figures = shapely.is_valid_reason(shape).rstrip("]").partition("[")
            at = file.to_metres(np.array([[float(part) for part in figures.split()[:2]]]))[0]
            text = f"{name}图形无效（{_REASONS.get(reason, reason)}）"
            yield _placed("invalid", text, shapely.Point(at), units=(code,))


def _overlaps(file: DistrictFile, areas: Mapping[str, Polygon | MultiPolygon]) -> Iterator[Fault]:
    for one, two in itertools.combinations(sorted(areas), 2):
        for part in file.in_metres(shapely.intersection(areas[one], areas[two])):
            if part.area > _SLIVER_M2:
                text = f"{_name(one)}与{_name(two)}重叠 {_size(part)}"
                yield _placed("overlap", text, part, units=(one, two))


def _gaps(file: DistrictFile, areas: Mapping[str, Polygon | MultiPolygon]) -> Iterator[Fault]:
    codes = sorted(areas)
    tree = STRtree([areas[code] for code in codes])
    whole = shapely.union_all(list(areas.values()))
    for ring in itertools.chain.from_iterable(body.interiors for body in polygons(whole)):
        beside = tuple(codes[i] for i in sorted(tree.query(ring, "intersects").tolist()))
        for hole in file.in_metres(Polygon(ring)):
            if hole.area > _SLIVER_M2:
                text = f"{'、'.join(map(_name, beside))}之间有空隙 {_size(hole)}"
                yield _placed("gap", text, hole, units=beside)


def _scraps(areas: Mapping[str, MultiPolygon]) -> Iterator[Fault]:
    for code, area in areas.items():
        for part in area.geoms:
            if part.area < _SCRAP_M2:
                text = f"{_name(code)}有一块碎片，仅 {_size(part)}"
                yield _placed("scrap", text, part, blocking=False, units=(code,))


def _fit(together: BaseGeometry, file: DistrictFile, running: Boundaries) -> Iterator[Fault]:
    """Whether all units `together` lie where the district lies and are as large."""
    whole = MultiPolygon(file.in_metres(together))
    if whole.is_empty:
        return
    district = shapely.union_all(list(running.arrangement.areas().values()))
    total = whole.area / 1e6
    if abs(total - OFFICIAL_KM2) > OFFICIAL_KM2 * _AREA_SHARE:
        text = f"总面积 {total:.2f} 平方公里，与公布的 {OFFICIAL_KM2} 平方公里相差超过 2%。"
        yield Fault("area", text, area_m2=round(whole.area, 1))
    away = whole.symmetric_difference(district).area
    if away > _SHIFT_SHARE * district.area and (guess := _better(whole, district, away / 2)):
        yield Fault("shifted", f"整体偏移数百米，{guess}，请核对坐标系。")
        return
    # A gap among the units has been told already.
    filled = shapely.union_all([Polygon(part.exterior) for part in whole.geoms])
    for kind, words, odd in (
        ("beyond", "超出现行区界", filled.difference(district.buffer(_FIT_M))),
        ("uncovered", "现行区界内未被覆盖", district.buffer(-_FIT_M).difference(filled)),
    ):
        for part in polygons(odd):
            if part.area > _SCRAP_M2:
                text = f"{words} {_size(part)}（已容许 {_FIT_M:.0f} 米）"
                yield _placed(kind, text, part, blocking=False)


def _placed(
    kind: str,
    text: str,
    at: Polygon | shapely.Point,
    *,
    blocking: bool = True,
    units: tuple[str, ...] = (),
) -> Fault:
    spot = shapely.get_coordinates(shapely.point_on_surface(at))
    lon, lat = (round(float(part[0]), 6) for part in from_metres(spot[:, 0], spot[:, 1]))
    area_m2 = round(at.area, 1) if at.area else None
    placed = f"{text}，位于东经 {lon:.5f}、北纬 {lat:.5f}。"
    return Fault(kind, placed, blocking, lon, lat, area_m2, units)


def _size(area: Polygon) -> str:
    return f"{area.area:,.0f} 平方米"


def _name(code: str) -> str:
    unit = known_units().get(code)
    return unit.name if unit else f"代码 {code or '（空）'}"


def _code(value: object) -> str:
    """Nine digits; twelve that end in 000 are the same unit in the statistical form."""
    code = "" if value is None else str(value).strip().removesuffix(".0")
    return code[:9] if len(code) == 12 and code.endswith("000") else code


def _from_epsg(crs: CRS) -> Callable[[Positions], Positions]:
    transformer = Transformer.from_crs(crs, 32650, always_xy=True)

    def project(figures: Positions) -> Positions:
        return np.column_stack(transformer.transform(figures[:, 0], figures[:, 1]))

    return project


def _better(whole: MultiPolygon, district: BaseGeometry, less_than_m2: float) -> str | None:
    """What the figures rather are, if they fit the district far better so; in Chinese."""
    found = {
        words: shapely.make_valid(shapely.transform(whole, turn))
        .symmetric_difference(district)
        .area
        for words, turn in _MISTAKES.items()
    }
    best = min(found, key=lambda words: found[words])
    return best if found[best] < less_than_m2 else None


def _turned(
    turn: Callable[[Degrees, Degrees, Crs | str], tuple[Degrees, Degrees]], crs: Crs
) -> Callable[[Positions], Positions]:
    def project(metres: Positions) -> Positions:
        return np.column_stack(to_metres(*turn(*from_metres(metres[:, 0], metres[:, 1]), crs)))

    return project


_MISTAKES: Mapping[str, Callable[[Positions], Positions]] = {
    "疑为 GCJ-02 坐标": _turned(to_wgs84, Crs.GCJ02),
    "疑为 BD-09 坐标": _turned(to_wgs84, Crs.BD09),
    "疑非 GCJ-02 坐标": _turned(from_wgs84, Crs.GCJ02),
    "疑非 BD-09 坐标": _turned(from_wgs84, Crs.BD09),
}
"""What may be wrong with a file's word about its figures, and what undoes it."""
