"""Where cases gather: counts and repeats on the 100 m grid (万米单元网格), at any past moment.

Counts reviewed cases only: what nobody has looked at may be said three times about nothing.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, select

from casework.instants import MICROSECOND
from casework.lifecycle import Status
from geo.coordinates import to_metres
from geo.grid import Cell
from projections.case_history import CASE_INTERVAL, REVIEWED
from projections.case_map import AsOf, Box, holds_at
from projections.tables import micros

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


Ints = NDArray[np.int64]
Truths = NDArray[np.bool_]

_NORTHS = 1 << 23
_EASTS = 1 << 21
"""More squares of a metre than the district's zone has north and east: two numbers make one."""


class _Cases(msgspec.Struct, frozen=True, eq=False):
    """The cases in question and those they may repeat, an array a field, in order of submission."""

    east: Ints
    north: Ints
    indicator: NDArray[np.str_]
    submitted_at: Ints
    metres: NDArray[np.float64]
    """East and north in EPSG:32650, a row a case."""
    unsolved: Truths
    counted: Truths
    """False for those that others may repeat only: around the box, before the time."""


def hotspots(connection: Connection, question: Question, limit: int = 200) -> Hotspots:
    """Count the cases of each cell. Ties go to the cell further south, then further west."""
    cases = _cases(connection, question)
    again = _repeats(cases, question.metres, timedelta(days=question.days) // MICROSECOND)
    shown = cases.counted
    names, cell = np.unique(cases.north[shown] * _EASTS + cases.east[shown], return_inverse=True)
    count = np.bincount(cell, minlength=len(names))
    unsolved = np.bincount(cell, cases.unsolved[shown], len(names)).astype(np.int64)
    repeats = np.bincount(cell, again[shown], len(names)).astype(np.int64)
    hottest = np.argsort(-count, kind="stable")[:limit]
    indicators = _by_indicator(cell, cases.indicator[shown], hottest)
    return Hotspots(
        tuple(
            Hotspot(
                Cell(int(names[n]) % _EASTS, int(names[n]) // _EASTS),
                int(count[n]),
                int(unsolved[n]),
                int(repeats[n]),
                by_indicator,
            )
            for n, by_indicator in zip(hottest.tolist(), indicators, strict=True)
        ),
        len(names),
        int(shown.sum()),
    )


def _by_indicator(cell: Ints, indicator: NDArray[np.str_], wanted: Ints) -> list[dict[str, int]]:
    """For each of some cells, how many of its cases each indicator has."""
    order = np.argsort(cell, kind="stable")
    starts = np.searchsorted(cell[order], wanted, "left").tolist()
    ends = np.searchsorted(cell[order], wanted, "right").tolist()
    found = []
    for start, end in zip(starts, ends, strict=True):
        codes, count = np.unique(indicator[order[start:end]], return_counts=True)
        found.append(dict(zip(codes.tolist(), count.tolist(), strict=True)))
    return found


def _conditions(question: Question) -> list[ColumnElement[bool]]:
    found = [*holds_at(question.as_of), _C.status.in_([str(s) for s in REVIEWED])]
    if question.street is not None:
        found.append(_C.street == question.street)
    if question.indicator is not None:
        found.append(_C.indicator == question.indicator)
    if question.bbox is not None:
        west, south, east, north = question.bbox
        # A cell's middle may be half a cell from a place in it: 71 m along the diagonal.
        reach = (question.metres + 150.0) * _DEGREES_A_METRE
        found += [
            _C.cell_lat.between(south - reach, north + reach),
            _C.cell_lon.between(west - reach, east + reach),
        ]
    if question.start is not None:
        found.append(_C.submitted_at >= micros(question.start - timedelta(days=question.days)))
    if question.end is not None:
        found.append(_C.submitted_at < micros(question.end))
    return found


def _cases(connection: Connection, question: Question) -> _Cases:
    columns = (
        _C.seq, _C.submitted_at, _C.cell_east, _C.cell_north, _C.cell_lon, _C.cell_lat, _C.lon,
        _C.lat, _C.indicator, _C.status,
    )  # fmt: skip
    rows = connection.execute(select(*columns).where(*_conditions(question))).all()
    # Rows to columns of plain values; numpy cannot make arrays of mixed rows.
    held: list[tuple[Any, ...]] = [*zip(*rows, strict=True)] or [()] * len(columns)
    seq, at, east, north = (np.array(values, dtype=np.int64) for values in held[:4])
    cell_lon, cell_lat, lon, lat = (np.array(values, dtype=np.float64) for values in held[4:8])
    counted = np.ones(len(seq), dtype=bool)
    if question.start is not None:
        counted &= at >= micros(question.start)
    if question.bbox is not None:
        west, south, right, top = question.bbox
        counted &= (west <= cell_lon) & (cell_lon <= right)
        counted &= (south <= cell_lat) & (cell_lat <= top)
    order = np.lexsort((seq, at))
    return _Cases(
        east[order],
        north[order],
        np.array([value or "" for value in held[8]], dtype=np.str_)[order],
        at[order],
        np.column_stack(to_metres(lon, lat))[order],
        np.array([value in _UNSOLVED for value in held[9]], dtype=bool)[order],
        counted[order],
    )


_UNSOLVED = frozenset(map(str, REVIEWED)) - {str(Status.CLOSED), str(Status.COMPLETED)}

_AROUND = [(i, j) for i in (0, -1, 1) for j in (0, -1, 1)]


def _repeats(cases: _Cases, metres: float, micros_back: int) -> Truths:
    """Whether each case repeats an earlier one.

    The cases of an indicator lie in squares as wide as the reach. For each of the nine squares
    around a case, those in it that are early enough stand side by side in one sorted array, and
    are compared from the newest on, all cases at once, until each has found one or has no more.
    """
    count = len(cases.submitted_at)
    found = np.zeros(count, dtype=bool)
    if not count:
        return found
    _, kind = np.unique(cases.indicator, return_inverse=True)
    square = np.floor(cases.metres / metres).astype(np.int64)
    key = (kind * _EASTS + square[:, 0]) * _NORTHS + square[:, 1]
    squares, of_square = np.unique(key, return_inverse=True)
    turn = np.arange(count)
    earliest = np.searchsorted(cases.submitted_at, cases.submitted_at - micros_back, "left")
    places = of_square * count + turn
    at_place = np.argsort(places)
    places = places[at_place]
    for i, j in _AROUND:
        left = np.flatnonzero(~found)
        wanted = key[left] + i * _NORTHS + j
        beside = np.minimum(np.searchsorted(squares, wanted), len(squares) - 1)
        left, beside = left[squares[beside] == wanted], beside[squares[beside] == wanted]
        first = np.searchsorted(places, beside * count + earliest[left])
        last = np.searchsorted(places, beside * count + left) - 1
        while True:
            more = last >= first
            left, first, last = left[more], first[more], last[more]
            if not left.size:
                break
            apart = cases.metres[left] - cases.metres[at_place[last]]
            near = np.hypot(apart[:, 0], apart[:, 1]) <= metres
            found[left[near]] = True
            left, first, last = left[~near], first[~near], last[~near] - 1
    return found
