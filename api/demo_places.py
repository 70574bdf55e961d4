"""Where the cases of the demonstration lie: near named places, inside the units. Knows no case."""

from math import cos, radians
from random import Random
from typing import NamedTuple

from casework.model import Certainty, PlaceKind
from geo.dispatch import Dispatcher
from geo.gazetteer import Place

DEMO_STREETS = ("110108012", "110108011")
"""海淀街道 and 中关村街道: the two whose desks have demonstration accounts."""

_DEMO_SHARE = 0.45
"""Of all cases, so that those two desks have something to show."""

_METRES_A_DEGREE = 111_320.0

_AT: dict[str, tuple[str, ...]] = {
    "C01": ("compound",),
    "C02": ("compound",),
    "P01": ("crossing", "road", "metro", "business"),
    "P02": ("crossing", "road", "metro", "business"),
    "P03": ("crossing", "road", "metro", "business", "hospital"),
    "P04": ("park", "road"),
    "P05": ("park",),
    "P06": ("crossing", "road"),
    "P07": ("compound", "university", "business"),
    "P08": ("road", "compound"),
    "P09": ("metro", "crossing", "hospital"),
    "P10": ("metro", "university", "business"),
}
"""Indicator → kinds of named places near which it is met."""

_KINDS: dict[str, PlaceKind] = {
    "compound": PlaceKind.COMPOUND,
    "crossing": PlaceKind.MAIN_ROAD,
    "road": PlaceKind.ROAD,
    "metro": PlaceKind.METRO_EXIT,
    "business": PlaceKind.SQUARE,
    "hospital": PlaceKind.MAIN_ROAD,
    "park": PlaceKind.GREEN,
    "university": PlaceKind.ROAD,
}
_STREETSIDE = frozenset({"P07", "P08"})
"""Met beside a compound, on the public road."""

_SPREAD_M = {"road": 160.0, "park": 120.0, "university": 110.0}
"""How far from the figures of a named place a case may lie, in metres (standard deviation)."""


class Spot(NamedTuple):
    """A position in WGS-84 degrees, what lies there, and the 街镇 that holds it."""

    name: str
    lon: float
    lat: float
    kind: PlaceKind
    street: str
    certain: bool


class Ground:
    """The named places of the district, by what may be met there."""

    def __init__(self, places: list[Place], dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        held: dict[tuple[str, bool | str], list[Place]] = {}
        for place in places:
            if place.kind in _KINDS:
                street = dispatcher.assign(place.lon, place.lat).street
                held.setdefault((place.kind, street in DEMO_STREETS), []).append(place)
                held.setdefault((place.kind, str(street)), []).append(place)
        self._held = held

    def spot(
        self, rng: Random, indicator: str, *, certain: bool = True, street: str | None = None
    ) -> Spot:
        """A spot for the indicator, far enough from every border or, if not `certain`, near one.

        In that `street`, if one is given. Raises LookupError where there is none.
        """
        for _ in range(2000 if street is None else 200):
            kind = rng.choice(_AT[indicator])
            where = rng.random() < _DEMO_SHARE if street is None else street
            choice = self._held.get((kind, where))
            if not choice:
                continue
            found = self._near(rng, rng.choice(choice), indicator)
            if found is None or found.certain is not certain:
                continue
            if street in {None, found.street}:
                return found
        raise LookupError(f"no spot for {indicator}")

    def _near(self, rng: Random, place: Place, indicator: str) -> Spot | None:
        spread = _SPREAD_M.get(place.kind, 60.0)
        north, east = rng.gauss(0, spread), rng.gauss(0, spread)
        lat = place.lat + north / _METRES_A_DEGREE
        lon = place.lon + east / (_METRES_A_DEGREE * cos(radians(place.lat)))
        verdict = self._dispatcher.assign(lon, lat, 15.0)
        if verdict.street is None:
            return None
        return Spot(
            place.name,
            round(lon, 6),
            round(lat, 6),
            _kind(place, indicator),
            verdict.street,
            verdict.certainty.value == Certainty.INSIDE,
        )


def _kind(place: Place, indicator: str) -> PlaceKind:
    if indicator == "P05":
        return PlaceKind.WATER
    if indicator in _STREETSIDE and place.kind == "compound":
        return PlaceKind.ROAD
    return _KINDS[place.kind]
