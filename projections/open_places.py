"""Where the open cases lie: what a change of the street boundaries is held against."""

import msgspec
from sqlalchemy import Connection, select

from casework.lifecycle import OPEN, Status
from projections.case_board import CASE_BOARD

_C = CASE_BOARD.c


class OpenPlace(msgspec.Struct, frozen=True):
    """An open case by its number, where it lies in WGS-84 degrees, whose it is, how it stands."""

    number: str
    lon: float
    lat: float
    street: str | None
    status: Status


def open_places(connection: Connection) -> list[OpenPlace]:
    """Every case in which somebody still has a move, in the order of submission."""
    rows = connection.execute(
        select(_C.number, _C.lon, _C.lat, _C.street, _C.status)
        .where(_C.status.in_([str(status) for status in OPEN]))
        .order_by(_C.seq)
    )
    return [
        OpenPlace(number, lon, lat, street, Status(now)) for number, lon, lat, street, now in rows
    ]
