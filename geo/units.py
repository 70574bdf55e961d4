"""The 29 街镇 and contested places as nouns, and the list of the 29. Holds no geometry rule."""

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec
from shapely import MultiPolygon, Polygon

BUNDLED = Path(__file__).parent.parent / "data" / "street_boundaries"


class Unit(msgspec.Struct, frozen=True):
    """One of the 29 街镇: nine-digit code, full name, 街道 or 镇, other names in use."""

    code: str
    name: str
    kind: str = ""
    also_known_as: tuple[str, ...] = ()


class Zone(msgspec.Struct, frozen=True):
    """A contested place (争议地段): its name, the units that may hold it, why; area in metres."""

    id: str
    name: str
    units: tuple[str, ...]
    why: str
    area: Polygon | MultiPolygon


@cache
def known_units() -> Mapping[str, Unit]:
    """The 29 街镇 by code, as the place-name database and the statistics office list them."""
    with (BUNDLED / "units.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["code"]: Unit(
                row["code"],
                row["name"],
                row["kind"],
                tuple(dict.fromkeys([row["statistics_name"], *row["also_known_as"].split(";")])),
            )
            for row in csv.DictReader(file)
        }
