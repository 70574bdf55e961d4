"""The units of a boundary map, coarse enough for a page: what a map in a report is drawn from."""

import shapely

from geo.boundaries import Boundaries
from projections.reports.document import Outline, Shape

COARSE_M = 60.0
"""Detail below this is thinner than the line around a unit in print (118 mm for some 30 km)."""


def outline(boundaries: Boundaries) -> Outline:
    """The map in kilometres from its north-west corner, east and south."""
    # The largest first: what lies inside another is drawn over it.
    codes = sorted(boundaries.units, key=lambda code: -boundaries.area_of(code).area)
    areas = shapely.coverage_simplify([boundaries.area_of(code) for code in codes], COARSE_M)
    west, south, east, north = (float(end) for end in shapely.total_bounds(areas))

    def at(x: float, y: float) -> tuple[float, float]:
        return round(float(x - west) / 1000, 3), round(float(north - y) / 1000, 3)

    shapes = []
    for code, area in zip(codes, areas, strict=True):
        largest = max(shapely.get_parts(area), key=lambda part: float(part.area))
        inside = shapely.maximum_inscribed_circle(largest, 20.0).coords[0]
        rings = tuple(
            tuple(at(x, y) for x, y in part.exterior.coords) for part in shapely.get_parts(area)
        )
        shapes.append(Shape(code, rings, at(*inside)))
    return Outline(
        width=round((east - west) / 1000, 3),
        height=round((north - south) / 1000, 3),
        shapes=tuple(shapes),
        source=f"街镇边界第 {boundaries.version} 版。",
    )
