"""What may be chosen in a field of a page: 街镇, indicators, units of a limit. Knows no form."""

import msgspec

from api.parts import Parts
from casework.clock_words import UNIT_NAMES


class Choice(msgspec.Struct, frozen=True):
    """One thing that may be chosen. `note` is said beside it."""

    value: str
    name: str
    note: str = ""
    group: str = ""


def streets(parts: Parts) -> tuple[Choice, ...]:
    """The 街镇 of the map in force, in the order of their codes."""
    known = parts.dispatcher.boundaries
    return tuple(Choice(code, known.name(code)) for code in sorted(known.codes))


def indicators(parts: Parts) -> tuple[Choice, ...]:
    """The indicators of the catalogue in force, by code; those of a group belong together."""
    found = sorted(parts.catalogue.indicators.items())
    return tuple(Choice(code, f"{code} {one.name}", group=one.group) for code, one in found)


def units() -> tuple[Choice, ...]:
    """The units in which a limit is told."""
    return tuple(Choice(unit, name) for unit, name in UNIT_NAMES.items())
