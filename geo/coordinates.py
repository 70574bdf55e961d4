"""Turns positions from one coordinate system into another; knows no boundary and no address.

GCJ-02 and BD-09 are the shifted systems of Chinese map services; their formulas are public
and are cross-checked against the npm package gcoord in the tests. Scalars and numpy arrays are
both taken. CGCS2000 lies within a metre of WGS-84, far below any report's accuracy, and is
passed on unchanged.
"""

from enum import StrEnum
from functools import cache
from typing import overload

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

Degrees = NDArray[np.float64]
Metres = NDArray[np.float64]


class Crs(StrEnum):
    """The systems in which a report may name its place."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"
    CGCS2000 = "cgcs2000"


# Krasovsky 1940, the ellipsoid the GCJ-02 shift was written on.
_SEMI_MAJOR_M = 6378245.0
_ECCENTRICITY_2 = 0.00669342162296594323
_BD_PI = np.pi * 3000.0 / 180.0
# Outside this box the shift does not apply (the box of the published formula).
_CHINA = (72.004, 137.8347, 0.8293, 55.8271)
# The shift changes by less than 2 % of itself per step: eight steps end below a micrometre.
_STEPS = 8


@overload
def to_wgs84(lon: float, lat: float, crs: Crs | str) -> tuple[float, float]: ...
@overload
def to_wgs84(lon: Degrees, lat: Degrees, crs: Crs | str) -> tuple[Degrees, Degrees]: ...
def to_wgs84(
    lon: float | Degrees, lat: float | Degrees, crs: Crs | str
) -> tuple[float, float] | tuple[Degrees, Degrees]:
    """Degrees in `crs` to WGS-84 degrees, to better than a centimetre.

    Raises ValueError for a system that is not in `Crs`.
    """
    x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    match Crs(crs):
        case Crs.WGS84 | Crs.CGCS2000:
            pass
        case Crs.GCJ02:
            x, y = _unshift(x, y)
        case Crs.BD09:
            x, y = _unshift(*_bd09_to_gcj02(x, y))
    return _like(lon, x, y)


@overload
def from_wgs84(lon: float, lat: float, crs: Crs | str) -> tuple[float, float]: ...
@overload
def from_wgs84(lon: Degrees, lat: Degrees, crs: Crs | str) -> tuple[Degrees, Degrees]: ...
def from_wgs84(
    lon: float | Degrees, lat: float | Degrees, crs: Crs | str
) -> tuple[float, float] | tuple[Degrees, Degrees]:
    """WGS-84 degrees to degrees in `crs`. Raises ValueError for a system not in `Crs`."""
    x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    match Crs(crs):
        case Crs.WGS84 | Crs.CGCS2000:
            pass
        case Crs.GCJ02:
            x, y = _shifted(x, y)
        case Crs.BD09:
            x, y = _gcj02_to_bd09(*_shifted(x, y))
    return _like(lon, x, y)


@overload
def to_metres(lon: float, lat: float) -> tuple[float, float]: ...
@overload
def to_metres(lon: Degrees, lat: Degrees) -> tuple[Metres, Metres]: ...
def to_metres(
    lon: float | Degrees, lat: float | Degrees
) -> tuple[float, float] | tuple[Metres, Metres]:
    """WGS-84 degrees to metres east and north in UTM zone 50 (EPSG:32650).

    Haidian lies under 1° west of the central meridian: lengths are true to 0.4 ‰.
    A position the projection cannot hold comes back as infinity.
    """
    east, north = _utm().transform(lon, lat)
    return east, north


def from_metres(east: Metres, north: Metres) -> tuple[Degrees, Degrees]:
    """Metres in UTM zone 50 (EPSG:32650) to WGS-84 degrees."""
    lon, lat = _utm().transform(east, north, direction="INVERSE")
    return np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)


@cache
def _utm() -> Transformer:
    # Safe to share: a pyproj Transformer keeps its PROJ context per thread.
    return Transformer.from_crs(4326, 32650, always_xy=True)


def _like(
    given: float | Degrees, x: Degrees, y: Degrees
) -> tuple[float, float] | tuple[Degrees, Degrees]:
    return (x, y) if isinstance(given, np.ndarray) else (float(x), float(y))


def _offset(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """The GCJ-02 shift in degrees at a WGS-84 position; zero outside China."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    ripple = (20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + ripple
    north += (20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    north += (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + ripple
    east += (20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    east += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    radians = np.radians(lat)
    magic = 1.0 - _ECCENTRICITY_2 * np.sin(radians) ** 2
    meridian = _SEMI_MAJOR_M * (1.0 - _ECCENTRICITY_2) / (magic * np.sqrt(magic))
    parallel = _SEMI_MAJOR_M / np.sqrt(magic) * np.cos(radians)
    west_end, east_end, south_end, north_end = _CHINA
    inside = (lon >= west_end) & (lon <= east_end) & (lat >= south_end) & (lat <= north_end)
    return (
        np.where(inside, np.degrees(east / parallel), 0.0),
        np.where(inside, np.degrees(north / meridian), 0.0),
    )


def _shifted(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    dx, dy = _offset(lon, lat)
    return lon + dx, lat + dy


def _unshift(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    x, y = lon, lat
    for _ in range(_STEPS):
        dx, dy = _offset(x, y)
        x, y = lon - dx, lat - dy
    return x, y


def _gcj02_to_bd09(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BD_PI)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BD_PI)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def _bd09_to_gcj02(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    # The published inverse is good to about a metre; a few steps against the forward formula
    # make it exact, so that a round trip does not walk.
    x, y = lon - 0.0065, lat - 0.006
    for _ in range(_STEPS):
        bx, by = _gcj02_to_bd09(x, y)
        x, y = x + lon - bx, y + lat - by
    return x, y
