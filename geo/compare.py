"""What changes between two versions of the boundaries: ground, and places that would move."""

from collections.abc import Sequence

import msgspec
import shapely
from shapely import STRtree

from geo.arrangement import OUTSIDE
from geo.boundaries import Boundaries
from geo.coordinates import Degrees, from_metres

_SLIVER_M2 = 1.0


class Change(msgspec.Struct, frozen=True):
    """Ground that goes from one unit to another (`outside` beyond the district).

    Area in square metres; a point in its largest part, WGS-84 degrees.
    """

    before: str
    after: str
    area_m2: float
    lon: float
    lat: float
    text: str


class Move(msgspec.Struct, frozen=True):
    """A place, by its position in the question, that another unit would hold."""

    index: int
    before: str | None
    after: str | None


def changes(running: Boundaries, coming: Boundaries) -> tuple[Change, ...]:
    """The area that changes hands, pair by pair, the largest first."""
    before, after = _with_outside(running, coming), _with_outside(coming, running)
    names = _names(running, coming)
    codes = list(after)
    tree = STRtree(list(after.values()))
    found = []
    for was, area in before.items():
        for i in tree.query(area, "intersects").tolist():
            common = shapely.intersection(area, after[codes[i]])
            if codes[i] == was or common.area <= _SLIVER_M2:
                continue
            largest = max(shapely.get_parts(common), key=lambda part: part.area)
            spot = shapely.get_coordinates(shapely.point_on_surface(largest))
            lon, lat = (round(float(part[0]), 6) for part in from_metres(spot[:, 0], spot[:, 1]))
            text = (
                f"{names[was]}划入{names[codes[i]]} {common.area / 1e6:.4f} 平方公里，"
                f"最大一块在东经 {lon:.5f}、北纬 {lat:.5f}。"
            )
            found.append(Change(was, codes[i], round(common.area, 1), lon, lat, text))
    return tuple(sorted(found, key=lambda change: -change.area_m2))


def moves(running: Boundaries, coming: Boundaries, lon: Degrees, lat: Degrees) -> tuple[Move, ...]:
    """Of places in WGS-84 degrees, such as those of open cases, the ones that would move."""
    before: Sequence[str] = running.streets_at(lon, lat).tolist()
    after: Sequence[str] = coming.streets_at(lon, lat).tolist()
    return tuple(
        Move(i, was or None, will or None)
        for i, (was, will) in enumerate(zip(before, after, strict=True))
        if was != will
    )


def _names(*maps: Boundaries) -> dict[str, str]:
    named = {code: unit.name for map_ in maps for code, unit in map_.units.items()}
    return named | {OUTSIDE: "区外"}


def _with_outside(
    map_: Boundaries, other: Boundaries
) -> dict[str, shapely.MultiPolygon | shapely.Polygon]:
    """A map's units, and as `outside` what only the other map covers."""
    areas: dict[str, shapely.MultiPolygon | shapely.Polygon] = dict(map_.arrangement.areas())
    whole = shapely.union_all(list(areas.values()))
    beyond = shapely.union_all(list(other.arrangement.areas().values())).difference(whole)
    return areas | {OUTSIDE: beyond}
