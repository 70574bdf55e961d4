"""Turns positions from one coordinate system into another; knows no boundary and no address.

GCJ-02 and BD-09 are the shifted systems of Chinese map services; their formulas are public
and are cross-checked against the npm package gcoord in the tests. Scalars and numpy arrays are
both taken. CGCS2000 lies within a metre of WGS-84, far below any report's accuracy, and is
passed on unchanged.
"""

import math
from enum import StrEnum
from types import ModuleType
from typing import TypeVar, overload

import numpy as np
from numpy.typing import NDArray

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
    if isinstance(lon, np.ndarray) or isinstance(lat, np.ndarray):
        return _project_many(np.asarray(lon, np.float64), np.asarray(lat, np.float64))
    return _project_one(lon, lat)


@overload
def from_metres(east: float, north: float) -> tuple[float, float]: ...
@overload
def from_metres(east: Metres, north: Metres) -> tuple[Degrees, Degrees]: ...
def from_metres(
    east: float | Metres, north: float | Metres
) -> tuple[float, float] | tuple[Degrees, Degrees]:
    """Metres in UTM zone 50 (EPSG:32650) to WGS-84 degrees."""
    if isinstance(east, np.ndarray) or isinstance(north, np.ndarray):
        lon, lat = _off_the_plane(np, np.asarray(east, np.float64), np.asarray(north, np.float64))
        return np.degrees(lon), np.degrees(lat)
    one_lon, one_lat = _off_the_plane(math, east, north)
    return math.degrees(one_lon), math.degrees(one_lat)


# Transverse Mercator by Krüger's series to n^4, good to some micrometres within 1000 km of the
# central meridian. Formulas: Karney, "Transverse Mercator with an accuracy of a few nanometers"
# (2011), eqs. 7-12, 35, 36; Kawase (2013) for the latitude series. WGS 84; zone 50: 117° E.
_SEMI_MAJOR = 6_378_137.0
_FLATTENING = 1 / 298.257223563
_N = _FLATTENING / (2 - _FLATTENING)
_SCALE = 0.9996
_FALSE_EAST = 500_000.0
_MERIDIAN = math.radians(117.0)
_ECCENTRICITY = math.sqrt(_FLATTENING * (2 - _FLATTENING))
_RADIUS = _SEMI_MAJOR / (1 + _N) * (1 + _N**2 / 4 + _N**4 / 64)
_ALPHA = (
    _N / 2 - 2 / 3 * _N**2 + 5 / 16 * _N**3 + 41 / 180 * _N**4,
    13 / 48 * _N**2 - 3 / 5 * _N**3 + 557 / 1440 * _N**4,
    61 / 240 * _N**3 - 103 / 140 * _N**4,
    49561 / 161280 * _N**4,
)
_BETA = (
    _N / 2 - 2 / 3 * _N**2 + 37 / 96 * _N**3 - 1 / 360 * _N**4,
    1 / 48 * _N**2 + 1 / 15 * _N**3 - 437 / 1440 * _N**4,
    17 / 480 * _N**3 - 37 / 840 * _N**4,
    4397 / 161280 * _N**4,
)
_DELTA = (
    2 * _N - 2 / 3 * _N**2 - 2 * _N**3 + 116 / 45 * _N**4,
    7 / 3 * _N**2 - 8 / 5 * _N**3 - 227 / 45 * _N**4,
    56 / 15 * _N**3 - 136 / 35 * _N**4,
    4279 / 630 * _N**4,
)

_REACH = math.radians(80.0)
"""Longitudes further from the central meridian have no place on this projection."""

Number = TypeVar("Number", float, NDArray[np.float64])


def _on_the_ellipsoid(m: ModuleType, lat: Number, lon: Number) -> tuple[Number, Number]:
    """Eastings and northings of radians. `m` is `math` for one point, `numpy` for many.

    The two modules name these functions alike; `math` is twenty times quicker for one point.
    """
    sine = m.sin(lat)
    t = m.sinh(m.atanh(sine) - _ECCENTRICITY * m.atanh(_ECCENTRICITY * sine))
    xi = m.atan2(t, m.cos(lon))
    eta = m.atanh(m.sin(lon) / m.hypot(1.0, t))
    x, y = eta, xi
    for j, alpha in enumerate(_ALPHA, start=1):
        x = x + alpha * m.cos(2 * j * xi) * m.sinh(2 * j * eta)
        y = y + alpha * m.sin(2 * j * xi) * m.cosh(2 * j * eta)
    return _FALSE_EAST + _SCALE * _RADIUS * x, _SCALE * _RADIUS * y


def _off_the_plane(m: ModuleType, east: Number, north: Number) -> tuple[Number, Number]:
    """Longitude and latitude in radians; `m` as above."""
    xi: Number = north / (_SCALE * _RADIUS)
    eta: Number = (east - _FALSE_EAST) / (_SCALE * _RADIUS)
    x, y = eta, xi
    for j, beta in enumerate(_BETA, start=1):
        y = y - beta * m.sin(2 * j * xi) * m.cosh(2 * j * eta)
        x = x - beta * m.cos(2 * j * xi) * m.sinh(2 * j * eta)
    chi = m.asin(m.sin(y) / m.cosh(x))
    lat = chi
    for j, delta in enumerate(_DELTA, start=1):
        lat = lat + delta * m.sin(2 * j * chi)
    return _MERIDIAN + m.atan2(m.sinh(x), m.cos(y)), lat


def _project_one(lon: float, lat: float) -> tuple[float, float]:
    lam = math.remainder(math.radians(lon) - _MERIDIAN, 2 * math.pi)
    if not (abs(lam) <= _REACH and abs(lat) < 90):
        return math.inf, math.inf
    return _on_the_ellipsoid(math, math.radians(lat), lam)


def _project_many(lon: Degrees, lat: Degrees) -> tuple[Metres, Metres]:
    lam = np.remainder(np.radians(lon) - _MERIDIAN + math.pi, 2 * math.pi) - math.pi
    here = (np.abs(lam) <= _REACH) & (np.abs(lat) < 90)
    phi = np.where(here, np.radians(lat), 0.0)
    east, north = _on_the_ellipsoid(np, phi, np.where(here, lam, 0.0))
    return np.where(here, east, np.inf), np.where(here, north, np.inf)


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
