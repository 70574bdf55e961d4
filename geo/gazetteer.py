"""Address text and place names to points, and points to places nearby; from a list of places.

Knows names and figures only: no boundary, no house numbers. A candidate says how far off it may
be; a person picks one and moves the pin.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Self

import msgspec
import numpy as np
import shapely
from shapely import STRtree

from geo.coordinates import to_metres
from geo.units import BUNDLED

# Said in front of any address here; tells nothing.
# (北京 alone is not taken away: 北京大学 would become 大学.)
_PREFIX = re.compile(r"^(中国)?(北京市)?(北京(?=海淀区))?(海淀区)?")
_NOISE = re.compile(r"[\s,,。.、;;::!!??()\[\]【】“”\"'·\-—_/#&+]+")
_METRES = re.compile(r"(\d{1,4})(?:多)?米")
_BESIDE = re.compile(r"附近|旁|对面|路口|以?[东南西北]侧|[东南西北]边|门外|出口|[a-h]\d?口")
_BESIDE_M = 200.0
_SHORTEST = 2  # a single character names nothing
_ALIKE = 0.5


class Place(msgspec.Struct, frozen=True):
    """A named place, WGS-84 degrees. `accuracy_m` covers its extent and the figures' doubt.

    `unit` is the code of the 街镇 it is known to be in; `roads` those that meet at a crossing.
    """

    name: str
    kind: str
    lon: float
    lat: float
    accuracy_m: float
    aliases: tuple[str, ...] = ()
    unit: str | None = None
    roads: tuple[str, ...] = ()


class Candidate(msgspec.Struct, frozen=True):
    """A place an address may mean, between 0 and 1 how likely, and why, in Chinese."""

    place: Place
    score: float
    accuracy_m: float
    because: str


class Nearby(msgspec.Struct, frozen=True):
    """A place near a point, and how far."""

    place: Place
    distance_m: float


class Gazetteer:
    """Places by name and by position. The order they come in changes nothing."""

    def __init__(self, places: Iterable[Place]) -> None:
        self.places = tuple(sorted(places, key=lambda p: (p.name, p.kind, p.lon, p.lat)))
        self._keys = [
            (key, place)
            for place in self.places
            for key in dict.fromkeys(map(plain, (place.name, *place.aliases)))
            if len(key) >= _SHORTEST
        ]
        self._crossings = [
            (place, [plain(road) for road in place.roads]) for place in self.places if place.roads
        ]
        self._unit_names = {
            plain(place.name): place.unit for place in self.places if place.kind == "unit"
        }
        degrees = np.array([[place.lon, place.lat] for place in self.places]).reshape(-1, 2)
        self._points = shapely.points(*to_metres(degrees[:, 0], degrees[:, 1]))
        self._tree = STRtree(self._points)

    @classmethod
    def bundled(cls) -> Self:
        """The list that comes with the project (data/street_boundaries/places.csv)."""
        return cls(read_places(BUNDLED / "places.csv"))

    def find(self, text: str, limit: int = 5) -> tuple[Candidate, ...]:
        """Places an address or name may mean, the likeliest first.

        Crossings of which two roads are named; names that stand in the text; names the text is
        part of (somebody is still typing); only where there is none of these, names alike.
        """
        wanted = plain(text)
        if len(wanted) < _SHORTEST:
            return ()
        found = [
            *self._crossings_in(wanted),
            *self._named_in(wanted),
            *self._containing(wanted),
        ] or self._alike(wanted)
        unit = next((code for name, code in self._unit_names.items() if name in wanted), None)
        best: dict[Place, Candidate] = {}
        for candidate in (_in_unit(each, unit) for each in found):
            held = best.get(candidate.place)
            if held is None or candidate.score > held.score:
                best[candidate.place] = candidate
        order = sorted(best.values(), key=lambda c: (-c.score, c.accuracy_m, c.place.name))
        return tuple(order[:limit])

    def near(
        self, lon: float, lat: float, limit: int = 5, within_m: float = 1_000.0
    ) -> tuple[Nearby, ...]:
        """Places within so many metres of a WGS-84 position, the nearest first; no units."""
        point = shapely.Point(to_metres(lon, lat))
        found = self._tree.query(point, "dwithin", within_m)
        distance = shapely.distance(self._points[found], point)
        nearby = (
            Nearby(self.places[i], round(away, 1))
            for away, i in sorted(zip(distance.tolist(), found.tolist(), strict=True))
            if self.places[i].kind != "unit"
        )
        return tuple(nearby)[:limit]

    def _crossings_in(self, wanted: str) -> list[Candidate]:
        found = []
        for place, roads in self._crossings:
            named = [road for road in roads if road in wanted]
            if len(named) >= 2:
                because = f"{place.roads[0]}等道路的交叉口“{place.name}”"
                found.append(_candidate(place, 0.95, wanted, because))
        return found

    def _named_in(self, wanted: str) -> list[Candidate]:
        spans = [
            (at.start(), at.end(), key, place)
            for key, place in self._keys
            if key in wanted
            for at in re.finditer(re.escape(key), wanted)
        ]
        # 中关村 within 中关村大街 is not meant.
        whole = [
            span
            for span in spans
            if not any(
                other[0] <= span[0] and span[1] <= other[1] and len(other[2]) > len(span[2])
                for other in spans
            )
        ]
        return [
            _candidate(
                place,
                0.6 + 0.35 * len(key) / len(wanted) - min(0.2, place.accuracy_m / 10_000),
                wanted,
                f"文字中有“{place.name if key == plain(place.name) else key}”",
            )
            for _, _, key, place in whole
        ]

    def _containing(self, wanted: str) -> list[Candidate]:
        return [
            _candidate(
                place, 0.4 + 0.3 * len(wanted) / len(key), wanted, f"“{place.name}”含有所输文字"
            )
            for key, place in self._keys
            if wanted in key
        ]

    def _alike(self, wanted: str) -> list[Candidate]:
        pairs = _pairs(wanted)
        found = []
        for key, place in self._keys:
            other = _pairs(key)
            alike = 2 * len(pairs & other) / (len(pairs) + len(other))
            if alike >= _ALIKE:
                because = f"与“{place.name}”字面相近"
                found.append(_candidate(place, 0.4 * alike, wanted, because))
        return found


def read_places(path: Path) -> list[Place]:
    """A table name, aliases, kind, lon, lat, accuracy_m, unit, roads; lists parted by spaces."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Place(
                row["name"],
                row["kind"],
                float(row["lon"]),
                float(row["lat"]),
                float(row["accuracy_m"]),
                tuple(row["aliases"].split()),
                row["unit"] or None,
                tuple(row["roads"].split()),
            )
            for row in csv.DictReader(file)
        ]


def plain(text: str) -> str:
    """An address as it is compared: without city, district, spaces and marks.

    地铁五道口站 and 五道口地铁站 are both 五道口站.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    bare = _NOISE.sub("", _PREFIX.sub("", _NOISE.sub("", folded)))
    return bare.replace("地铁站", "站").replace("地铁", "")


def _candidate(place: Place, score: float, wanted: str, because: str) -> Candidate:
    """With the distance the text itself adds: 300 米, 附近, 东侧."""
    said = _METRES.search(wanted)
    added = float(said.group(1)) if said else _BESIDE_M if _BESIDE.search(wanted) else 0.0
    accuracy = place.accuracy_m + added
    return Candidate(place, round(score, 3), accuracy, f"{because}，误差约 {accuracy:.0f} 米。")


def _in_unit(candidate: Candidate, unit: str | None) -> Candidate:
    """Likelier where the text names the unit the place is known to be in."""
    if unit is None or candidate.place.unit != unit or candidate.place.kind == "unit":
        return candidate
    score = round(min(1.0, candidate.score + 0.1), 3)
    return msgspec.structs.replace(candidate, score=score)


def _pairs(text: Sequence[str]) -> set[tuple[str, str]]:
    return set(pairwise(text))
