"""Open cases that a new report may be about: near, of the same kind, already reviewed.

Place, indicator and time only; pictures are compared elsewhere. Anybody may ask, so it chooses by
the 100 m cell and not by the pin (docs/adr/0026).
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import msgspec
from sqlalchemy import Connection, select

from casework.clocks import SHANGHAI
from casework.lifecycle import BEFORE_CLOSING, LABELS, Status
from geo.grid import cell_at
from projections.case_board import CASE_BOARD
from projections.tables import micros, moment

_C = CASE_BOARD.c

REVIEWED_OPEN = BEFORE_CLOSING - {Status.SUBMITTED, Status.AWAITING_INFORMATION}
"""From 立案 to the hand-over: what nobody has reviewed is shown to nobody else."""

WITHIN = timedelta(days=30)
"""An older one is hardly what somebody sees today; it stays with its 街镇."""

MOST = 3

_REACH = (0.0025, 0.002)
"""Degrees of longitude and latitude that surely hold the neighbouring cells at 40° north."""


class Alike(msgspec.Struct, frozen=True):
    """An open case by its number, to be joined (我也遇到); `since` is the day it was reported."""

    number: str
    indicator: str
    status: Status
    status_name: str
    since: date


def open_alike(
    connection: Connection, lon: float, lat: float, indicators: Sequence[str], now: datetime
) -> list[Alike]:
    """Those in the cell of a WGS-84 position or one beside it, the newest first, at most three.

    Demonstrations are left out. Raises ValueError for a position beyond the projection.
    """
    here = cell_at(lon, lat)
    east, north = _REACH
    rows = connection.execute(
        select(_C.number, _C.indicator, _C.status, _C.submitted_at, _C.lon, _C.lat)
        .where(
            _C.lat.between(lat - north, lat + north),
            _C.lon.between(lon - east, lon + east),
            _C.indicator.in_(list(indicators)),
            _C.status.in_([str(status) for status in REVIEWED_OPEN]),
            _C.submitted_at >= micros(now - WITHIN),
            _C.demonstration.is_(False),
        )
        .order_by(_C.seq.desc())
        .limit(50)
    )
    found = []
    for number, indicator, status, since, x, y in rows:
        cell = cell_at(x, y)
        if abs(cell.east - here.east) <= 1 and abs(cell.north - here.north) <= 1:
            now_at = Status(status)
            on = moment(since).astimezone(SHANGHAI).date()
            found.append(Alike(number, indicator, now_at, LABELS[now_at].staff, on))
    return found[:MOST]
