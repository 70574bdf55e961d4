"""Where what was closed comes up again: registered reports that follow a closing on their cell."""

from collections import defaultdict
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, exists, select

from casework.handlings import Cut
from casework.instants import MICROSECOND
from geo.grid import Cell
from projections.facts import CASE_FACT, Flag, as_of_cut, holds
from projections.tables import micros

WITHIN = timedelta(days=30)
_C = CASE_FACT.c


class Spot(msgspec.Struct, frozen=True):
    """A 100 m cell and an indicator, which reports followed a closing, and on whose ground."""

    cell: Cell
    indicator: str
    street: str | None
    reports: int
    numbers: tuple[str, ...] = ()
    """Of the cases, in order."""


def rebounding(
    connection: Connection, first: datetime, last: datetime, cut: Cut, limit: int = 10
) -> list[Spot]:
    """The spots with most reports in [first, last), registered by the cut, at most WITHIN after.

    A report follows a closing where one of the same indicator in the same cell was accepted
    before it. Ties go to the cell further south, then further west.
    """
    closed = CASE_FACT.alias("closed")
    follows = exists().where(
        closed.c.cell_east == _C.cell_east,
        closed.c.cell_north == _C.cell_north,
        closed.c.indicator == _C.indicator,
        closed.c.stream != _C.stream,
        closed.c.flags.bitwise_and(int(Flag.ACCEPTED)) != 0,
        closed.c.closed_at < _C.submitted_at,
        closed.c.closed_at >= _C.submitted_at - WITHIN // MICROSECOND,
        *holds(closed.c, as_of_cut(cut)),
    )
    rows = connection.execute(
        select(_C.cell_east, _C.cell_north, _C.indicator, _C.street, _C.number).where(
            _C.submitted_at >= micros(first),
            _C.submitted_at < micros(last),
            _C.flags.bitwise_and(int(Flag.REGISTERED)) != 0,
            *holds(_C, as_of_cut(cut)),
            follows,
        )
    )
    found: dict[tuple[int, int, str], list[tuple[str, str | None]]] = defaultdict(list)
    for east, north, indicator, street, number in rows:
        found[north, east, indicator].append((number, street))
    most = sorted(found.items(), key=lambda each: (-len(each[1]), each[0]))[:limit]
    return [
        Spot(
            Cell(east, north), indicator, _mostly([street for _, street in reports]),
            len(reports), tuple(sorted(number for number, _ in reports)),
        )
        for (north, east, indicator), reports in most
    ]  # fmt: skip


def _mostly(streets: list[str | None]) -> str | None:
    """On whose ground most of them lie; the cell may be cut by a border."""
    return max(streets, key=lambda street: (streets.count(street), street or ""))
