"""Time, place and device as a camera wrote them (EXIF 2.32, CIPA DC-008). Believes nothing odd.

Every field may be missing, of another type, or nonsense: then it is None. Nothing here raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from math import isfinite
from typing import SupportsFloat, SupportsIndex

from PIL import Image
from PIL.ExifTags import IFD

from evidence.examining import Facts

_BEIJING = timezone(timedelta(hours=8))
_MAKE, _MODEL, _ORIENTATION, _SOFTWARE = 0x010F, 0x0110, 0x0112, 0x0131
_TAKEN, _DIGITIZED, _TAKEN_ZONE, _DIGITIZED_ZONE = 0x9003, 0x9004, 0x9011, 0x9012
_NORTH_SOUTH, _LATITUDE, _EAST_WEST, _LONGITUDE, _CLOCK, _ERROR, _DATE = 1, 2, 3, 4, 7, 31, 29
_EARLIEST_YEAR = 2000
"""A camera that lost its clock says 1970 or 1980."""
_LONGEST_WORD = 64

_Tags = Mapping[int, object]


def read(exif: Image.Exif) -> Facts:
    """What is told and makes sense."""
    base, camera, place = _tags(exif), _ifd(exif, IFD.Exif), _ifd(exif, IFD.GPSInfo)
    if not base and not camera and not place:
        return Facts()
    taken = _time(camera.get(_TAKEN)) or _time(camera.get(_DIGITIZED))
    zone = _zone(camera.get(_TAKEN_ZONE)) or _zone(camera.get(_DIGITIZED_ZONE))
    latitude = _degrees(place.get(_LATITUDE), place.get(_NORTH_SOUTH), "NS", 90)
    longitude = _degrees(place.get(_LONGITUDE), place.get(_EAST_WEST), "EW", 180)
    # A phone that had no fix writes 0, 0.
    known = latitude is not None and longitude is not None and (latitude, longitude) != (0, 0)
    return Facts(
        any=True,
        taken_at=taken and taken.replace(tzinfo=zone or _BEIJING).astimezone(UTC),
        zone_told=taken is not None and zone is not None,
        gps_at=_satellite_time(place),
        longitude=longitude if known else None,
        latitude=latitude if known else None,
        accuracy_m=_number(place.get(_ERROR)) if known else None,
        make=_word(base.get(_MAKE)),
        model=_word(base.get(_MODEL)),
        software=_word(base.get(_SOFTWARE)),
        orientation=_orientation(base.get(_ORIENTATION)),
    )


def _tags(exif: Image.Exif) -> _Tags:
    with suppress(Exception):
        return dict(exif)
    return {}


def _ifd(exif: Image.Exif, which: int) -> _Tags:
    with suppress(Exception):
        return dict(exif.get_ifd(which))
    return {}


def _text(value: object) -> str | None:
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    return value.strip("\0 ") if isinstance(value, str) else None


def _word(value: object) -> str | None:
    text = "".join(c for c in _text(value) or "" if c.isprintable())[:_LONGEST_WORD].strip()
    return text or None


def _time(value: object) -> datetime | None:
    with suppress(ValueError):
        found = datetime.strptime(_text(value) or "", "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007  the zone stands elsewhere
        return found if found.year >= _EARLIEST_YEAR else None
    return None


def _zone(value: object) -> timezone | None:
    with suppress(ValueError):
        offset = datetime.strptime(_text(value) or "", "%z").utcoffset()
        return timezone(offset) if offset is not None else None
    return None


def _number(value: object) -> float | None:
    if not isinstance(value, SupportsFloat | SupportsIndex):
        return None
    with suppress(ValueError, ZeroDivisionError, OverflowError, TypeError):
        number = float(value)
        return number if isfinite(number) and number >= 0 else None
    return None


def _three(value: object) -> tuple[float, float, float] | None:
    if not isinstance(value, tuple | list) or len(value) != 3:
        return None
    first, second, third = (_number(part) for part in value)
    if first is None or second is None or third is None:
        return None
    return first, second, third


def _degrees(value: object, side: object, sides: str, most: float) -> float | None:
    parts, letter = _three(value), _text(side)
    if parts is None or letter not in tuple(sides):
        return None
    degrees = parts[0] + parts[1] / 60 + parts[2] / 3600
    if degrees > most:
        return None
    return -degrees if letter == sides[1] else degrees


def _satellite_time(place: _Tags) -> datetime | None:
    clock, day = _three(place.get(_CLOCK)), _text(place.get(_DATE))
    with suppress(ValueError, OverflowError):
        if clock is not None and day is not None:
            start = datetime.strptime(day, "%Y:%m:%d").replace(tzinfo=UTC)
            hours, minutes, seconds = clock
            if start.year >= _EARLIEST_YEAR:
                return start + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return None


def _orientation(value: object) -> int:
    return value if isinstance(value, int) and 1 <= value <= 8 else 1
