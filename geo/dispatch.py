"""Which 街镇 a place belongs to, how sure that is, and why. Proposes; knows no case.

The verdicts, strongest first: contested, near a border (also the district's own), outside the
district, inside. Only the last may be dispatched without a person.
"""

import math
from collections.abc import Collection
from enum import StrEnum

import msgspec
import numpy as np
import shapely
from numpy.typing import NDArray

from geo.boundaries import Boundaries
from geo.coordinates import Degrees, to_metres
from geo.units import Zone


class Certainty(StrEnum):
    """How sure the territory is (属地把握)."""

    INSIDE = "inside"
    NEAR_BORDER = "near_border"
    CONTESTED = "contested"
    OUTSIDE_DISTRICT = "outside_district"


class Assignment(msgspec.Struct, frozen=True):
    """The verdict on a place.

    `street` is empty only outside the district, or where every unit has returned the case.
    `border_m` is the distance in metres to the nearest border of any kind; `neighbour` the
    district beyond, where the place lies outside or near the district's edge.
    """

    street: str | None
    certainty: Certainty
    because: str
    boundary_version: int
    border_m: float | None = None
    runner_up: str | None = None
    neighbour: str | None = None


class Assignments(msgspec.Struct, frozen=True, eq=False):
    """Verdicts on many places, an array a field; units are indices into `codes`, -1 for none.

    `segment` is the border the verdict speaks of, `zone` the contested zone, -1 for none.
    """

    codes: tuple[str, ...]
    street: NDArray[np.int64]
    runner_up: NDArray[np.int64]
    border_m: NDArray[np.float64]
    certainty: NDArray[np.object_]
    segment: NDArray[np.int64]
    zone: NDArray[np.int64]


# Beyond this the nearest edge tells the wrong district for more than one place in ten.
_NEIGHBOUR_REACH_M = 3_000.0


class Dispatcher:
    """Assigns places to the units of one version of the boundaries."""

    def __init__(self, boundaries: Boundaries) -> None:
        self.boundaries = boundaries

    def assign(
        self,
        lon: float,
        lat: float,
        accuracy_m: float | None = None,
        excluded: Collection[str] = frozenset(),
    ) -> Assignment:
        """The verdict on a WGS-84 position that is good to `accuracy_m` metres.

        `excluded` are units that have returned the case: they are not proposed again, and the
        choice of another is left to a person. Raises ValueError for a position that is not a
        number.
        """
        if math.isnan(lon) or math.isnan(lat):
            raise ValueError("position is not a number")
        x, y = to_metres(lon, lat)
        if math.isinf(x) or math.isinf(y):
            return self._outside(None, None)
        point = shapely.Point(x, y)
        reach = max(accuracy_m or 0.0, 0.0)
        map_ = self.boundaries
        held = map_.unit_at(point)
        nearest, border_m = map_.nearest_border(point)
        zone = map_.zone_at(point, reach)
        doubt: list[int] = []
        if border_m <= map_.greatest_accuracy_m + reach:
            doubt = map_.doubtful_borders(point, reach)
        if held < 0 and zone is None and not doubt:
            return self._outside(border_m, self._beyond(nearest))
        first = held if held >= 0 else map_.units_by_distance(point)[0]
        second = _other_claimant(map_.codes, zone, first)
        if second < 0:
            second = map_.rival(point, first)
        if zone is not None:
            certainty, because = Certainty.CONTESTED, _contested(zone)
        elif doubt:
            segment = nearest if self._reaches(nearest, border_m, reach) else doubt[0]
            certainty, because = Certainty.NEAR_BORDER, self._near(segment, border_m, reach)
        else:
            certainty, because = Certainty.INSIDE, self._inside(first, border_m)
        if map_.codes[first] in excluded:
            second, first = first, self._next(point, excluded)
            if certainty is Certainty.INSIDE:
                certainty = Certainty.NEAR_BORDER
            because = self._after_return(second, first)
        return Assignment(
            street=map_.codes[first] if first >= 0 else None,
            certainty=certainty,
            because=because,
            boundary_version=map_.version,
            border_m=round(border_m, 1),
            runner_up=map_.codes[second] if second >= 0 else None,
            neighbour=next(filter(None, map(self._beyond, doubt)), None),
        )

    def assign_many(
        self, lon: Degrees, lat: Degrees, accuracy_m: NDArray[np.float64] | None = None
    ) -> Assignments:
        """As `assign`, for many places at once; `because` gives the sentence for one of them.

        A position no map reaches is outside; its distance to the border is infinite.
        """
        map_ = self.boundaries
        x, y = to_metres(lon, lat)
        nowhere = ~(np.isfinite(x) & np.isfinite(y))
        points = shapely.points(np.where(nowhere, 0.0, x), np.where(nowhere, 0.0, y))
        reach = np.zeros(len(points)) if accuracy_m is None else np.maximum(accuracy_m, 0.0)
        street = map_.units_at(points)
        segment, border_m = map_.nearest_borders(points)
        zone = map_.zones_at(points, reach)
        # What its own nearest border may hold is in doubt at once: looking at every border
        # within a wide radius would cost more than it tells.
        doubt = border_m <= map_.arrangement.accuracy_m[segment] + reach
        open_ = np.flatnonzero(~doubt & (border_m <= map_.greatest_accuracy_m + reach))
        other = map_.doubtful(points[open_], reach[open_])
        doubt[open_] = other >= 0
        segment[open_] = np.where(other >= 0, other, segment[open_])
        outside = (street < 0) & (zone < 0) & ~doubt
        astray = np.flatnonzero((street < 0) & ~outside)
        street[astray] = map_.nearest_outlines(points[astray])
        runner_up = np.full(len(points), -1, dtype=np.int64)
        here = np.flatnonzero(~outside)
        runner_up[here] = map_.rivals(points[here], street[here])
        for row in np.flatnonzero(zone >= 0).tolist():
            rival = _other_claimant(map_.codes, map_.zones[zone[row]], int(street[row]))
            runner_up[row] = rival if rival >= 0 else runner_up[row]
        certainty = np.empty(len(points), dtype=object)
        certainty[:] = Certainty.INSIDE
        certainty[outside] = Certainty.OUTSIDE_DISTRICT
        certainty[doubt] = Certainty.NEAR_BORDER
        certainty[zone >= 0] = Certainty.CONTESTED
        border_m = np.where(nowhere, np.inf, border_m)
        return Assignments(map_.codes, street, runner_up, border_m, certainty, segment, zone)

    def because(self, many: Assignments, row: int, accuracy_m: float = 0.0) -> str:
        """The sentence `assign` gives, for one row of many whose own accuracy is given again."""
        border_m, segment = float(many.border_m[row]), int(many.segment[row])
        match many.certainty[row]:
            case Certainty.INSIDE:
                return self._inside(int(many.street[row]), border_m)
            case Certainty.CONTESTED:
                return _contested(self.boundaries.zones[many.zone[row]])
            case Certainty.NEAR_BORDER:
                return self._near(segment, border_m, max(accuracy_m, 0.0))
            case _ if math.isinf(border_m):
                return self._outside(None, None).because
            case _:
                return self._outside(border_m, self._beyond(segment)).because

    def _reaches(self, segment: int, border_m: float, reach: float) -> bool:
        return border_m <= float(self.boundaries.arrangement.accuracy_m[segment]) + reach

    def _inside(self, unit: int, border_m: float) -> str:
        return f"位于{self._name(unit)}内，距最近边界 {border_m:.0f} 米。"

    def _next(self, point: shapely.Point, excluded: Collection[str]) -> int:
        codes = self.boundaries.codes
        left = (i for i in self.boundaries.units_by_distance(point) if codes[i] not in excluded)
        return next(left, -1)

    def _name(self, unit: int) -> str:
        return self.boundaries.name(self.boundaries.codes[unit])

    def _beyond(self, segment: int) -> str | None:
        return self.boundaries.arrangement.sides[segment].neighbour

    def _outside(self, border_m: float | None, neighbour: str | None) -> Assignment:
        if border_m is None or border_m > _NEIGHBOUR_REACH_M:
            neighbour = None
        far = "" if border_m is None else f"，距区界约 {_length(border_m)}"
        where = f"，可能在{neighbour}" if neighbour else ""
        door = neighbour or "当地"
        return Assignment(
            street=None,
            certainty=Certainty.OUTSIDE_DISTRICT,
            because=f"不在海淀区范围内{far}{where}。请拨打 12345 市民服务热线，转{door}办理。",
            boundary_version=self.boundaries.version,
            border_m=None if border_m is None else round(border_m, 1),
            neighbour=neighbour,
        )

    def _near(self, segment: int, border_m: float, reach: float) -> str:
        map_ = self.boundaries
        units = (int(map_.left[segment]), int(map_.right[segment]))
        names = [self._name(unit) for unit in units if unit >= 0]
        if len(names) == 1:
            names.append(self._beyond(segment) or "区外")
        doubts = f"边界精度 {map_.arrangement.accuracy_m[segment]:.0f} 米"
        if reach:
            doubts += f"加定位误差 {reach:.0f} 米"
        return f"距{names[0]}与{names[1]}的边界 {border_m:.0f} 米，不足{doubts}，请人工核定。"

    def _after_return(self, returned: int, proposed: int) -> str:
        if proposed < 0:
            return f"{self._name(returned)}等全部候选街镇均已退回，请督办员指定。"
        return f"{self._name(returned)}已退回，拟改派{self._name(proposed)}，请人工核定。"


def _length(metres: float) -> str:
    return f"{metres:.0f} 米" if metres < 1_000 else f"{metres / 1_000:.1f} 公里"


def _contested(zone: Zone) -> str:
    why = f"（{zone.why}）" if zone.why else ""
    return f"位于争议地段“{zone.name}”{why}，请人工核定。"


def _other_claimant(codes: tuple[str, ...], zone: Zone | None, unit: int) -> int:
    """The other unit that claims a contested zone, -1 for none."""
    if zone is None:
        return -1
    return next((codes.index(c) for c in zone.units if c in codes and c != codes[unit]), -1)
