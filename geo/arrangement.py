"""The plane cut into units: straight segments with the unit on either side. Reads no file.

Two neighbours share each segment, so that there can be neither gap nor overlap. Positions are
metres in EPSG:32650. The order of the input, the direction of its rings and where they start
change nothing: segments are kept in one order of their own.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple, Self

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon, STRtree

from geo.coordinates import from_metres

OUTSIDE = "outside"

Positions = NDArray[np.float64]
"""Rows of x, y."""


class BrokenMapError(ValueError):
    """The lines do not make a map; says where, in Chinese."""


class Side(NamedTuple):
    """What a chain of positions divides. `accuracy_m` is how far the true line may lie."""

    left: str
    right: str
    neighbour: str | None
    accuracy_m: float


class Arrangement:
    """Segments (n, 4) in metres; units left and right of each; faces (polygons) and their unit."""

    def __init__(self, chains: Iterable[tuple[NDArray[np.float64], Side]]) -> None:
        rows: dict[tuple[float, float, float, float], Side] = {}
        for points, side in chains:
            for a, b in pairwise(map(tuple, points.tolist())):
                turned = side._replace(left=side.right, right=side.left)
                key, held = ((*a, *b), side) if a < b else ((*b, *a), turned)
                if rows.setdefault(key, held) != held:
                    raise BrokenMapError(
                        f"从 {_spot(a)} 到 {_spot(b)} 的边界画了两次，且两次不一致。"
                    )
        if not rows:
            raise BrokenMapError("边界图中没有任何边。")
        keys = sorted(rows)
        self.segments = np.array(keys, dtype=np.float64)
        self.sides = tuple(rows[key] for key in keys)
        self.lines = shapely.linestrings(self.segments.reshape(-1, 2, 2))
        self.accuracy_m = np.array([side.accuracy_m for side in self.sides])
        self.faces, self.face_units = self._faces(rows)

    @classmethod
    def of_polygons(
        cls,
        units: Mapping[str, Polygon | MultiPolygon],
        to_metres: Callable[[Positions], Positions],
        *,
        grid: float,
        accuracy_m: float = 0.0,
        neighbour_at: Callable[[float, float], str | None] = lambda _x, _y: None,
    ) -> Self:
        """Cuts the plane along the outlines of `units` (code to area, in any system).

        Corners of two neighbours closer than `grid`, in the file's own figures, are the same.
        Where two units overlap the lower code holds the place; a gap is outside. Both are for
        the check of a file to report; here they only must not depend on the file's order.
        `neighbour_at` names the district beyond the outline at a position in metres.
        """
        codes = sorted(units)
        areas = [units[code] for code in codes]
        # Cut first, project afterwards: a corner that one unit sets on its neighbour's straight
        # line would leave that line by centimetres once both are projected.
        noded = shapely.unary_union(shapely.boundary(areas), grid_size=grid)
        tree = STRtree(areas)
        left: dict[tuple[float, float, float, float], str] = {}
        for face in shapely.get_parts(shapely.polygonize([noded])):
            held = tree.query(shapely.point_on_surface(face), "intersects")
            code = codes[int(held.min())] if held.size else OUTSIDE
            for ring in _rings(face):
                for a, b in pairwise(ring):
                    left[*a, *b] = code
        chains: list[tuple[Positions, Side]] = []
        for (ax, ay, bx, by), code in left.items():
            other = left.get((bx, by, ax, ay), OUTSIDE)
            if code != other and ((ax, ay) < (bx, by) or other == OUTSIDE):
                points = to_metres(np.array([[ax, ay], [bx, by]]))
                beyond = None
                if OUTSIDE in (code, other):
                    beyond = neighbour_at(*points.mean(axis=0).tolist())
                chains.append((points, Side(code, other, beyond, accuracy_m)))
        return cls(chains)

    def areas(self) -> dict[str, MultiPolygon]:
        """Each unit's area with its parts and holes, metres, by code."""
        return {
            code: MultiPolygon(
                [
                    face
                    for face, unit in zip(self.faces, self.face_units, strict=True)
                    if unit == code
                ]
            )
            for code in sorted(set(self.face_units))
        }

    def _must_close(self) -> None:
        """Raises BrokenMapError where lines cross between their ends, or end in the open."""
        one, two = STRtree(self.lines).query(self.lines, "crosses")
        if one.size:
            meet = shapely.get_coordinates(self.lines[one[0]].intersection(self.lines[two[0]]))
            raise BrokenMapError(f"边界在 {_spot((meet[0, 0], meet[0, 1]))} 处交叉，但没有节点。")
        _, cuts, dangles, _ = shapely.polygonize_full(self.lines)
        if loose := [*shapely.get_parts(cuts), *shapely.get_parts(dangles)]:
            raise BrokenMapError(f"从 {_spot(loose[0].coords[0])} 起的边界没有闭合。")

    def _faces(
        self, rows: Mapping[tuple[float, float, float, float], Side]
    ) -> tuple[tuple[Polygon, ...], tuple[str, ...]]:
        self._must_close()
        found: list[tuple[bytes, Polygon, str]] = []
        for face in shapely.get_parts(shapely.polygonize(self.lines)):
            units = {_left_of(rows, a, b) for ring in _rings(face) for a, b in pairwise(ring)}
            if len(units) > 1:
                spot = shapely.point_on_surface(face)
                names = "、".join(sorted(units))
                raise BrokenMapError(f"{_spot((spot.x, spot.y))} 处一块地同时标为 {names}。")
            code = units.pop()
            if code != OUTSIDE:
                found.append((shapely.to_wkb(shapely.normalize(face)), face, code))
        found.sort(key=lambda row: (row[2], row[0]))
        return tuple(row[1] for row in found), tuple(row[2] for row in found)


Point = tuple[float, float]


def _rings(face: Polygon) -> list[list[Point]]:
    """The rings of a face, each with the face on its left."""
    turned = shapely.orient_polygons(face)
    return [list(ring.coords) for ring in (turned.exterior, *turned.interiors)]


def _left_of(rows: Mapping[tuple[float, float, float, float], Side], a: Point, b: Point) -> str:
    side = rows.get((*a, *b))
    return side.left if side is not None else rows[*b, *a].right


def _spot(at: Point) -> str:
    """A place in words, WGS-84 degrees."""
    lon, lat = from_metres(np.array([at[0]]), np.array([at[1]]))
    return f"({lon[0]:.5f}, {lat[0]:.5f})"
