"""A version of the district's street boundaries: which unit holds a point, how far the border is.

Serves from shapely, numpy and pyproj alone; knows no dispatch and no case.
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

import msgspec
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon, STRtree
from shapely.geometry import mapping

from geo.arrangement import OUTSIDE, Arrangement, BrokenMapError
from geo.coordinates import Crs, Degrees, from_metres, to_metres
from geo.map_files import read_polygons, read_tables, read_zones, write_tables
from geo.units import BUNDLED, Unit, Zone


class Boundaries:
    """Units, their shared borders and contested zones, all of one version.

    `version` counts in the stream of adopted boundary maps. `digest` is the SHA-256 of units,
    segments and zones, the same for the same map whatever its file's order.
    """

    def __init__(
        self,
        arrangement: Arrangement,
        units: Iterable[Unit],
        zones: Iterable[Zone] = (),
        *,
        version: int = 1,
    ) -> None:
        self.version = version
        self.arrangement = arrangement
        held = set(arrangement.face_units)
        self.units: Mapping[str, Unit] = {
            unit.code: unit for unit in sorted(units, key=lambda u: u.code) if unit.code in held
        }
        if unnamed := held - set(self.units):
            raise BrokenMapError(f"边界图中有未登记的代码:{'、'.join(sorted(unnamed))}。")
        self.codes = tuple(self.units)
        self.zones = tuple(sorted(zones, key=lambda zone: zone.id))
        index = {code: i for i, code in enumerate(self.codes)} | {OUTSIDE: -1}
        self.left = np.array([index[side.left] for side in arrangement.sides], dtype=np.int64)
        self.right = np.array([index[side.right] for side in arrangement.sides], dtype=np.int64)
        self._face_unit = np.array([index[code] for code in arrangement.face_units])
        self._faces = np.array(arrangement.faces)
        self._face_tree = STRtree(arrangement.faces)
        self._line_tree = STRtree(arrangement.lines)
        self._inner = np.flatnonzero((self.left >= 0) & (self.right >= 0))
        self._inner_tree = STRtree(arrangement.lines[self._inner])
        self._outer = np.flatnonzero((self.left < 0) | (self.right < 0))
        self._outer_tree = STRtree(arrangement.lines[self._outer])
        self._zone_tree = STRtree([zone.area for zone in self.zones])
        self.greatest_accuracy_m = float(arrangement.accuracy_m.max())
        self.digest = self._digest()

    @classmethod
    def bundled(cls, version: int = 1) -> Self:
        """The generalised map that comes with the project (data/street_boundaries)."""
        return cls.read(BUNDLED, version=version)

    @classmethod
    def read(
        cls,
        path: Path,
        *,
        contested: Path | None = None,
        crs: Crs | str = Crs.WGS84,
        accuracy_m: float = 0.0,
        version: int = 1,
    ) -> Self:
        """A folder with nodes.csv, edges.csv, units.csv, zones.csv, or a GeoJSON of polygons.

        A GeoJSON feature carries `code` (or `id`) and `name`; `accuracy_m` is what its borders
        are good for (0: taken at its word). `contested` is a GeoJSON of zones. `crs` is that of
        both GeoJSON files. Raises BrokenMapError, in Chinese, if no map comes of it.
        """
        if path.is_dir():
            arrangement, units, zones = read_tables(path)
        else:
            arrangement, units = read_polygons(path, crs, accuracy_m)
            zones = []
        if contested is not None:
            zones = read_zones(contested, crs)
        return cls(arrangement, units, zones, version=version)

    def save(self, folder: Path) -> None:
        """Keeps the map as a folder that `read` takes: an adopted version, whole."""
        write_tables(folder, self.arrangement, self.zones)

    def name(self, code: str) -> str:
        return self.units[code].name

    def street_at(self, lon: float, lat: float) -> str | None:
        """The code of the unit at a WGS-84 position, None outside the district.

        On a border the unit with the lowest code.
        """
        x, y = to_metres(lon, lat)
        unit = self.unit_at(shapely.Point(x, y))
        return None if unit < 0 else self.codes[unit]

    def unit_at(self, point: shapely.Point) -> int:
        """As `street_at`, for a point in metres, as an index into `codes` (-1 outside)."""
        faces = self._face_tree.query(point, "intersects")
        return int(self._face_unit[faces].min()) if faces.size else -1

    def nearest_border(self, point: shapely.Point) -> tuple[int, float]:
        """The segment nearest to a point in metres, and how far it is."""
        segment, distance = self._line_tree.query_nearest(
            point, return_distance=True, all_matches=False
        )
        return int(segment[0]), float(distance[0])

    def doubtful_borders(self, point: shapely.Point, reach_m: float) -> list[int]:
        """Segments whose true line may lie within `reach_m` of the point, the nearest first."""
        found = self._line_tree.query(point, "dwithin", self.greatest_accuracy_m + reach_m)
        distance = shapely.distance(self.arrangement.lines[found], point)
        close = distance <= self.arrangement.accuracy_m[found] + reach_m
        order = np.lexsort((found[close], distance[close]))
        segments: list[int] = found[close][order].tolist()
        return segments

    def zone_at(self, point: shapely.Point, reach_m: float) -> Zone | None:
        """The first contested zone within `reach_m` of a point in metres."""
        found = self._zone_tree.query(point, "dwithin", reach_m)
        return self.zones[int(found.min())] if found.size else None

    def units_by_distance(self, point: shapely.Point) -> list[int]:
        """All units, the nearest to a point in metres first; that which holds it before all."""
        distance = np.full(len(self.codes), np.inf)
        np.minimum.at(distance, self._face_unit, shapely.distance(self._faces, point))
        order: list[int] = np.argsort(distance, kind="stable").tolist()
        return order

    def rivals(self, points: NDArray[np.object_], units: NDArray[np.int64]) -> NDArray[np.int64]:
        """For points in metres and the unit of each: the unit beyond its nearest inner border.

        -1 where the map has no inner border.
        """
        found = np.full(len(points), -1, dtype=np.int64)
        if self._inner.size:
            rows, nearest = self._inner_tree.query_nearest(points, all_matches=False)
            segments = self._inner[nearest]
            left, right = self.left[segments], self.right[segments]
            found[rows] = np.where(left == units[rows], right, left)
        return found

    def rival(self, point: shapely.Point, unit: int) -> int:
        """As `rivals`, for one point."""
        if not self._inner.size:
            return -1
        segment = self._inner[self._inner_tree.query_nearest(point, all_matches=False)[0]]
        left = int(self.left[segment])
        return int(self.right[segment]) if left == unit else left

    def streets_at(self, lon: Degrees, lat: Degrees) -> NDArray[np.str_]:
        """The codes of the units at many WGS-84 positions; "" outside the district."""
        names = np.array([*self.codes, ""])
        return names[self.units_at(shapely.points(*to_metres(lon, lat)))]

    def units_at(self, points: NDArray[np.object_]) -> NDArray[np.int64]:
        """As `streets_at`, for points in metres, as indices into `codes` (-1 outside)."""
        found = np.full(len(points), len(self.codes), dtype=np.int64)
        rows, faces = self._face_tree.query(points, "intersects")
        np.minimum.at(found, rows, self._face_unit[faces])
        found[found == len(self.codes)] = -1
        return found

    def nearest_borders(
        self, points: NDArray[np.object_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """As `nearest_border`, for many points in metres."""
        (_, segments), distances = self._line_tree.query_nearest(
            points, return_distance=True, all_matches=False
        )
        return segments, distances

    def nearest_outlines(self, points: NDArray[np.object_]) -> NDArray[np.int64]:
        """The unit behind the district's outline nearest to each point in metres."""
        segments = self._outer[self._outer_tree.query_nearest(points, all_matches=False)[1]]
        units: NDArray[np.int64] = np.maximum(self.left[segments], self.right[segments])
        return units

    def doubtful(
        self, points: NDArray[np.object_], reach_m: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """The first of `doubtful_borders` for many points in metres; -1 for none."""
        rows, found = self._line_tree.query(points, "dwithin", self.greatest_accuracy_m + reach_m)
        distance = shapely.distance(self.arrangement.lines[found], points[rows])
        close = np.flatnonzero(distance <= self.arrangement.accuracy_m[found] + reach_m[rows])
        order = close[np.lexsort((found[close], distance[close], rows[close]))]
        some, first = np.unique(rows[order], return_index=True)
        segments = np.full(len(points), -1, dtype=np.int64)
        segments[some] = found[order][first]
        return segments

    def zones_at(
        self, points: NDArray[np.object_], reach_m: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """The first contested zone within reach of each point, as an index; -1 for none."""
        found = np.full(len(points), len(self.zones), dtype=np.int64)
        rows, zones = self._zone_tree.query(points, "dwithin", reach_m)
        np.minimum.at(found, rows, zones)
        found[found == len(self.zones)] = -1
        return found

    def area_of(self, code: str) -> MultiPolygon:
        """A unit's area in metres (EPSG:32650)."""
        return self.arrangement.areas()[code]

    def geojson(self) -> dict[str, object]:
        """All units as a GeoJSON FeatureCollection in WGS-84 degrees, seven decimals."""
        return {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "properties": {"code": code, "name": self.name(code)},
                    "geometry": mapping(_in_degrees(area)),
                }
                for code, area in self.arrangement.areas().items()
            ],
        }

    def _digest(self) -> str:
        content = (
            tuple(self.units.values()),
            np.round(self.arrangement.segments, 3).tolist(),
            self.arrangement.sides,
            [(z.id, z.name, z.units, z.why, shapely.normalize(z.area).wkt) for z in self.zones],
        )
        return hashlib.sha256(msgspec.json.encode(content)).hexdigest()


def _in_degrees(area: MultiPolygon) -> MultiPolygon:
    def back(pairs: NDArray[np.float64]) -> NDArray[np.float64]:
        degrees: Degrees = np.column_stack(from_metres(pairs[:, 0], pairs[:, 1])).round(7)
        return degrees

    turned: MultiPolygon = shapely.transform(area, back)
    return turned
