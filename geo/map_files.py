"""Reads boundary maps: the project's own tables, and GeoJSON. Knows no question asked of a map.

Shapefile and GeoPackage are read by `geo.check`, which is kept out of the serving process.
"""

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from geo.arrangement import Arrangement, BrokenMapError, Positions, Side
from geo.coordinates import Crs, from_metres, to_metres, to_wgs84
from geo.units import BUNDLED, Unit, Zone, known_units

DEGREE_GRID = 1e-7
"""Corners in degrees that differ by less, about a centimetre, are the same corner."""


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
            MultiPolygon([Polygon(_ring(part)) for part in row["outline"].split("|")]),
        )
        for row in _table(folder / "zones.csv")
    ]
    return Arrangement(chains), list(known_units().values()), zones


def _ring(outline: str) -> NDArray[np.float64]:
    pairs = np.array([[float(part) for part in pair.split(",")] for pair in outline.split()])
    return np.column_stack(to_metres(pairs[:, 0], pairs[:, 1]))


def write_tables(folder: Path, arrangement: Arrangement, zones: Iterable[Zone]) -> None:
    """Keeps a map as the tables `read_tables` reads: every segment an edge, figures unrounded.

    The holes of a contested zone are filled: what lies in one goes to a person too.
    """
    ends = arrangement.segments.reshape(-1, 2)
    nodes = dict.fromkeys(map(tuple, ends.tolist()))
    ids = {node: f"n{number}" for number, node in enumerate(nodes, start=1)}
    folder.mkdir(parents=True, exist_ok=True)
    degrees = _degrees(np.array(list(nodes)))
    _write(
        folder / "nodes.csv",
        ("id", "lon", "lat", "what"),
        ((name, *at, "") for name, at in zip(ids.values(), degrees, strict=True)),
    )
    walks = (f"{ids[ax, ay]} {ids[bx, by]}" for ax, ay, bx, by in arrangement.segments.tolist())
    _write(
        folder / "edges.csv",
        ("id", "nodes", "left", "right", "neighbour", "accuracy_m"),
        (
            (f"e{i}", walk, side.left, side.right, side.neighbour or "", side.accuracy_m)
            for i, (walk, side) in enumerate(zip(walks, arrangement.sides, strict=True), start=1)
        ),
    )
    _write(
        folder / "zones.csv",
        ("id", "name", "units", "outline", "why"),
        ((z.id, z.name, " ".join(z.units), _outline(z.area), z.why) for z in zones),
    )


def _write(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(head)
        table.writerows(rows)


def _degrees(metres: Positions) -> list[tuple[float, float]]:
    lon, lat = from_metres(metres[:, 0], metres[:, 1])
    return list(zip(lon.tolist(), lat.tolist(), strict=True))


def _outline(area: Polygon | MultiPolygon) -> str:
    return "|".join(
        " ".join(
            f"{lon},{lat}" for lon, lat in _degrees(shapely.get_coordinates(part.exterior)[:-1])
        )
        for part in polygons(area)
    )


def _features(path: Path) -> list[tuple[dict[str, object], object]]:
    content = json.loads(path.read_text(encoding="utf-8"))
    return [(row.get("properties") or {}, row.get("geometry")) for row in content["features"]]


def projection(crs: Crs | str) -> Callable[[Positions], Positions]:
    """Turns rows of degrees in `crs` into rows of metres in EPSG:32650."""

    def project(degrees: Positions) -> Positions:
        lon, lat = to_wgs84(degrees[:, 0], degrees[:, 1], crs)
        return np.column_stack(to_metres(lon, lat))

    return project


def polygons(shape_: BaseGeometry) -> list[Polygon]:
    """The areas in a shape, made valid; its stray lines and points are left out."""
    return [
        part
        for part in shapely.get_parts(shapely.get_parts(shapely.make_valid(shape_)))
        if isinstance(part, Polygon)
    ]


def _area(geometry: object, what: str) -> Polygon | MultiPolygon:
    area = shapely.force_2d(shape(geometry)) if geometry else None
    if not isinstance(area, Polygon | MultiPolygon):
        raise BrokenMapError(f"{what}不是面。")
    if not area.is_valid:
        raise BrokenMapError(f"{what}图形无效：{shapely.is_valid_reason(area)}。")
    return area


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
        parts.setdefault(code, []).append(_area(geometry, f"{code} 的要素"))
    areas = {
        code: pieces[0] if len(pieces) == 1 else shapely.union_all(pieces)
        for code, pieces in parts.items()
    }
    arrangement = Arrangement.of_polygons(
        areas,
        projection(crs),
        grid=DEGREE_GRID,
        accuracy_m=accuracy_m,
        neighbour_at=neighbours(),
    )
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
                MultiPolygon(
                    polygons(
                        shapely.transform(_area(geometry, f"争议地段 {name}"), projection(crs))
                    )
                ),
            )
        )
    return zones


@cache
def neighbours() -> Callable[[float, float], str | None]:
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
