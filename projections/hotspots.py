"""Where cases gather: counts and repeats on the 100 m grid (万米单元网格), at any past moment.

Counts reviewed cases only: what nobody has looked at may be said three times about nothing.
"""

import math
from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
import numpy as np
from sqlalchemy import Connection, select

from casework.lifecycle import Status
from geo.coordinates import to_metres
from geo.grid import Cell
from projections.case_history import CASE_INTERVAL, REVIEWED
from projections.case_map import AsOf, Box, holds_at
from projections.tables import MICROSECOND, micros

_C = CASE_INTERVAL.c

_DEGREES_A_METRE = 1 / 80_000
"""More than a metre is, in either direction, anywhere in the district."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Which cases are counted, and what a repeat is.

    A case repeats another of the same indicator that was submitted at most `days` days before it
    and lies at most `metres` away. `bbox` holds the middles of cells; `start` ≤ submitted < `end`.
    """

    bbox: Box | None = None
    start: datetime | None = None
    end: datetime | None = None
    as_of: AsOf = None
    street: str | None = None
    indicator: str | None = None
    metres: float = 100.0
    days: int = 30


class Hotspot(msgspec.Struct, frozen=True):
    """A cell with its cases: how many, how many not closed yet, how many repeat an earlier one."""

    cell: Cell
    cases: int
    unsolved: int
    repeats: int
    by_indicator: dict[str, int]


class Hotspots(msgspec.Struct, frozen=True):
    """The cells with most cases first, and how many cells and cases there are in all."""

    hotspots: tuple[Hotspot, ...]
    cells: int
    cases: int


class _Case(msgspec.Struct, frozen=True):
    cell: Cell
    indicator: str
    submitted_at: int
    east: float
    north: float
    unsolved: bool
    counted: bool
    """False for one that only others may repeat: around the box, before the time."""


def hotspots(connection: Connection, question: Question, limit: int = 200) -> Hotspots:
    """Count the cases of each cell. Ties go to the cell further south-west."""
    cases = _cases(connection, question)
    repeats = _repeats(cases, question.metres, timedelta(days=question.days) // MICROSECOND)
    of_cell: dict[Cell, list[tuple[_Case, bool]]] = defaultdict(list)
    for case, again in zip(cases, repeats, strict=True):
        if case.counted:
            of_cell[case.cell].append((case, again))
    order = sorted(of_cell.items(), key=lambda held: (-len(held[1]), held[0].north, held[0].east))
    return Hotspots(
        tuple(_hotspot(cell, held) for cell, held in order[:limit]),
        len(of_cell),
        sum(len(held) for held in of_cell.values()),
    )


def _hotspot(cell: Cell, held: Iterable[tuple[_Case, bool]]) -> Hotspot:
    cases = [case for case, _ in held]
    return Hotspot(
        cell,
        len(cases),
        sum(case.unsolved for case in cases),
        sum(again for _, again in held),
        dict(sorted(Counter(case.indicator for case in cases).items())),
    )


def _cases(connection: Connection, question: Question) -> list[_Case]:
    """The cases in question and those that they may repeat, in the order of submission."""
    start = None if question.start is None else micros(question.start)
    end = None if question.end is None else micros(question.end)
    conditions = [*holds_at(question.as_of), _C.status.in_([str(s) for s in REVIEWED])]
    if question.street is not None:
        conditions.append(_C.street == question.street)
    if question.indicator is not None:
        conditions.append(_C.indicator == question.indicator)
    if question.bbox is not None:
        west, south, east, north = question.bbox
        # A cell's middle may be half a cell from a place in it: 71 m along the diagonal.
        reach = (question.metres + 150.0) * _DEGREES_A_METRE
        conditions += [
            _C.cell_lat.between(south - reach, north + reach),
            _C.cell_lon.between(west - reach, east + reach),
        ]
    if start is not None:
        earlier = timedelta(days=question.days) // MICROSECOND
        conditions.append(_C.submitted_at >= start - earlier)
    if end is not None:
        conditions.append(_C.submitted_at < end)
    rows = connection.execute(
        select(
            _C.cell_east, _C.cell_north, _C.cell_lon, _C.cell_lat, _C.indicator, _C.submitted_at,
            _C.lon, _C.lat, _C.status,
        )
        .where(*conditions)
        .order_by(_C.submitted_at, _C.seq)
    ).all()  # fmt: skip
    degrees = np.array([(row.lon, row.lat) for row in rows]).reshape(-1, 2)
    easts, norths = to_metres(degrees[:, 0], degrees[:, 1])
    return [
        _Case(
            Cell(cell_east, cell_north),
            indicator or "",
            at,
            x,
            y,
            status in _UNSOLVED,
            (start is None or at >= start) and _within(question.bbox, lon, lat),
        )
        for (cell_east, cell_north, lon, lat, indicator, at, _, _, status), x, y in zip(
            rows, easts.tolist(), norths.tolist(), strict=True
        )
    ]


_UNSOLVED = frozenset(map(str, REVIEWED)) - {str(Status.CLOSED), str(Status.COMPLETED)}


def _within(box: Box | None, lon: float, lat: float) -> bool:
    return box is None or (box[0] <= lon <= box[2] and box[1] <= lat <= box[3])


def _repeats(cases: Iterable[_Case], metres: float, days: int) -> list[bool]:
    """Whether each case repeats an earlier one; cases come in the order of submission.

    Recent cases of an indicator lie in squares as wide as the reach: only nine are looked into,
    each from its newest case, and what is too old is dropped for good.
    """
    recent: dict[tuple[str, int, int], deque[_Case]] = defaultdict(deque)
    found = []
    for case in cases:
        x, y = int(case.east // metres), int(case.north // metres)
        again = False
        for key in ((case.indicator, x + i, y + j) for i in (0, -1, 1) for j in (0, -1, 1)):
            near = recent.get(key)
            if near is None:
                continue
            while near and case.submitted_at - near[0].submitted_at > days:
                near.popleft()
            if any(_apart(case, other) <= metres for other in reversed(near)):
                again = True
                break
        recent[case.indicator, x, y].append(case)
        found.append(again)
    return found


def _apart(one: _Case, other: _Case) -> float:
    return math.hypot(one.east - other.east, one.north - other.north)
