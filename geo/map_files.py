"""Reads boundary maps: the project's own tables, and GeoJSON. Knows no question asked of a map.

Shapefile and GeoPackage are read by `geo.check`, which is kept out of the serving process.
"""

import csv
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon
from shapely.geometry import shape

from geo.arrangement import Arrangement, BrokenMapError, Side
from geo.coordinates import Crs, to_metres, to_wgs84
from geo.units import BUNDLED, Unit, Zone, known_units


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_tables(folder: Path) -> tuple[Arrangement, list[Unit], list[Zone]]:
    rows = _table(folder / "nodes.csv")
    degrees = np.array([[float(row["lon"]), float(row["lat"])] for row in rows])
    metres = np.column_stack(to_metres(degrees[:, 0], degrees[:, 1]))
    place = {row["id"]: metres[i] for i, row in enumerate(rows)}
    chains = []
    for row in _table(folder / "edges.csv"):
        try:
            points = np.array([place[node] for node in row["nodes"].split()])
        except KeyError as unknown:
            raise BrokenMapError(f"边 {row['id']} 引用了不存在的节点 {unknown.args[0]}。") from None
        side = Side(row["left"], row["right"], row["neighbour"] or None, float(row["accuracy_m"]))
        chains.append((points, side))
    zones = [
        Zone(
            row["id"],
            row["name"],
            tuple(row["units"].split()),
            row["why"],
            Polygon(_ring(row["outline"])),
        )
        for row in _table(folder / "zones.csv")
    ]
    return Arrangement(chains), list(known_units().values()), zones


def _ring(outline: str) -> NDArray[np.float64]:
    pairs = np.array([[float(part) for part in pair.split(",")] for pair in outline.split()])
    return np.column_stack(to_metres(pairs[:, 0], pairs[:, 1]))


def _features(path: Path) -> list[tuple[dict[str, object], object]]:
    content = json.loads(path.read_text(encoding="utf-8"))
    return [(row.get("properties") or {}, row.get("geometry")) for row in content["features"]]


def _area(geometry: object, crs: Crs | str, what: str) -> Polygon | MultiPolygon:
    def project(pairs: NDArray[np.float64]) -> NDArray[np.float64]:
        lon, lat = to_wgs84(pairs[:, 0], pairs[:, 1], crs)
        return np.column_stack(to_metres(lon, lat))

    area = shapely.force_2d(shape(geometry)) if geometry else None
    if not isinstance(area, Polygon | MultiPolygon):
        raise BrokenMapError(f"{what}不是面。")
    if not area.is_valid:
        raise BrokenMapError(f"{what}图形无效:{shapely.is_valid_reason(area)}。")
    # Rings that touch in a point may cross by a hair once their corners are projected.
    turned = shapely.make_valid(shapely.transform(area, project))
    parts = [part for part in shapely.get_parts(turned) if isinstance(part, Polygon)]
    return MultiPolygon(parts) if len(parts) > 1 else parts[0]


def read_polygons(path: Path, crs: Crs | str, accuracy_m: float) -> tuple[Arrangement, list[Unit]]:
    """A GeoJSON of unit areas; a unit in several features is put together."""
    parts: dict[str, list[Polygon | MultiPolygon]] = {}
    units = dict(known_units())
    for number, (properties, geometry) in enumerate(_features(path), start=1):
        code = str(properties.get("code") or properties.get("id") or "")
        if not code:
            raise BrokenMapError(f"边界文件第 {number} 个要素没有街镇代码(code)。")
        if code not in units:
            units[code] = Unit(code, str(properties.get("name") or code))
        parts.setdefault(code, []).append(_area(geometry, crs, f"{code} 的要素"))
    areas = {
        code: pieces[0] if len(pieces) == 1 else shapely.union_all(pieces)
        for code, pieces in parts.items()
    }
    arrangement = Arrangement.of_polygons(areas, accuracy_m, _neighbours())
    return arrangement, list(units.values())


def read_zones(path: Path, crs: Crs | str) -> list[Zone]:
    """A GeoJSON of contested zones: `id` (or `code`), `name`, `units` (a list), `why` or `note`."""
    zones = []
    for number, (properties, geometry) in enumerate(_features(path), start=1):
        name = str(properties.get("id") or properties.get("code") or f"Z{number}")
        units = properties.get("units")
        zones.append(
            Zone(
                name,
                str(properties.get("name") or name),
                tuple(str(unit) for unit in units) if isinstance(units, list) else (),
                str(properties.get("why") or properties.get("note") or ""),
                _area(geometry, crs, f"争议地段 {name}"),
            )
        )
    return zones


@cache
def _neighbours() -> Callable[[float, float], str | None]:
    """Names the district beyond an outline by the nearest edge of the bundled map's outline."""
    arrangement, _, _ = read_tables(BUNDLED)
    beyond = [
        (line, side.neighbour)
        for line, side in zip(arrangement.lines, arrangement.sides, strict=True)
        if side.neighbour
    ]
    tree = shapely.STRtree([line for line, _ in beyond])

    def neighbour_at(x: float, y: float) -> str | None:
        nearest = tree.nearest(shapely.Point(x, y))
        return None if nearest is None else beyond[int(nearest)][1]

    return neighbour_at
