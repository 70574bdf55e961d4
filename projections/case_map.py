"""Cases on a map as they stood at some moment: exactly for the desks, coarsely for everybody.

What the public may narrow by is what it may see: the middle of the 100 m cell, the month, the
street, the indicator. A finer question would give a finer answer by asking again and again.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, func, literal, or_, select

from casework.lifecycle import Status
from projections.case_board import CASE_BOARD
from projections.case_history import CASE_INTERVAL, REVIEWED
from projections.case_list import Filters, cursor_of, seq_of
from projections.periods import month_number
from projections.tables import micros, moment

MOST = 10_000
"""Cases an answer at most: about 4 MB of GeoJSON."""

Box: TypeAlias = tuple[float, float, float, float]
"""West, south, east, north in WGS-84 degrees."""

_C = CASE_INTERVAL.c

_MARK = re.compile("[0-9a-f]{32}")

_SMALL = 0.002
"""Square degrees, about 19 km²: below it the cases in the box are found by place and sorted, above
it they are read in order and looked at; each is slow where the other is quick."""

_HALF_CELL = 0.001
"""Degrees: more than the middle of a cell is ever away from a place in it."""


class AtPosition(msgspec.Struct, frozen=True):
    """As it stood when the log had come to this position."""

    position: int


class AtTime(msgspec.Struct, frozen=True):
    """As it stood at this time, whatever was written in the log by then."""

    at: datetime


AsOf: TypeAlias = AtPosition | AtTime | None
"""A past moment, or None for now."""


class Spot(msgspec.Struct, frozen=True):
    """A case on the desks' map. `lon`, `lat` are the pin in WGS-84 degrees."""

    number: str
    status: Status
    street: str | None
    indicator: str | None
    lon: float
    lat: float
    submitted_at: datetime
    since: datetime
    """From when it stood like this."""
    demonstration: bool


class PublicSpot(msgspec.Struct, frozen=True):
    """A case on everybody's map. `lon`, `lat` are the middle of its 100 m cell."""

    mark: str
    status: Status
    street: str | None
    indicator: str | None
    lon: float
    lat: float
    month: int
    demonstration: bool


class Spots(msgspec.Struct, frozen=True):
    """Some cases, newest first, and the cursor of the next page."""

    spots: tuple[Spot, ...]
    cursor: str | None


class PublicSpots(msgspec.Struct, frozen=True):
    """Some cases in the order of their marks, and after which mark the next page begins."""

    spots: tuple[PublicSpot, ...]
    after: str | None


def is_mark(text: str) -> bool:
    """Whether the text could be a public mark."""
    return _MARK.fullmatch(text) is not None


class PublicQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """What everybody may narrow the map by. Months are as 202605, both included."""

    bbox: Box | None = None
    first_month: int | None = None
    last_month: int | None = None
    as_of: AsOf = None
    status: tuple[Status, ...] = ()
    street: str | None = None
    indicator: str | None = None


def months_of(start: datetime | None, end: datetime | None) -> tuple[int | None, int | None]:
    """The months that `start` ≤ t < `end` touches."""
    if end is not None:
        end = moment(micros(end) - 1)
    first = None if start is None else month_number(start)
    return first, None if end is None else month_number(end)


def holds_at(as_of: AsOf) -> list[ColumnElement[bool]]:
    """The conditions on an interval to hold at the moment."""
    match as_of:
        case None:
            return [_C.to_pos.is_(None)]
        case AtPosition(position):
            # A case is not there before its own position: the newer ones are not looked at.
            return [
                _C.seq <= position,
                _C.from_pos <= position,
                or_(_C.to_pos.is_(None), _C.to_pos > position),
            ]
        case AtTime(at):
            then = micros(at)
            return [_C.from_at <= then, or_(_C.to_at.is_(None), _C.to_at > then)]


def is_small(box: Box | None) -> bool:
    """Whether so few cases lie in the box that they are best found by their place."""
    return box is not None and (box[2] - box[0]) * (box[3] - box[1]) <= _SMALL


def _in_cells(box: Box, margin: float = 0.0) -> list[ColumnElement[bool]]:
    """The cell's middle lies in the box; an index is used only where the box is small."""
    west, south, east, north = box
    # A sum is no column: neither database then takes the index by place for it.
    lat = _C.cell_lat if is_small(box) else _C.cell_lat + 0.0
    return [
        lat.between(south - margin, north + margin),
        _C.cell_lon.between(west - margin, east + margin),
    ]


def spots(
    connection: Connection,
    filters: Filters,
    *,
    as_of: AsOf,
    epoch: UUID,
    cursor: str | None = None,
    limit: int = 1000,
) -> Spots:
    """The newest cases that the filters let through, as they stood; for the desks.

    Of the filters: status, street, indicator, bbox, start and end of submission, sent_by, and
    pending, which is always today's. Raises StaleCursor.
    """
    limit = max(1, min(limit, MOST))
    conditions = [*holds_at(as_of), *_conditions(filters)]
    if cursor is not None:
        conditions.append(_C.seq < seq_of(cursor, epoch))
    # A sum again, so that few cases are sorted rather than all read in order.
    order = (_C.seq + 0).desc() if is_small(filters.bbox) else _C.seq.desc()
    question = (
        select(
            _C.seq, _C.number, _C.status, _C.street, _C.indicator, _C.lon, _C.lat,
            _C.submitted_at, _C.from_at, _C.demonstration,
        )
        .where(*conditions)
        .order_by(order)
        .limit(limit + 1)
    )  # fmt: skip
    rows = connection.execute(question).all()
    found = tuple(
        Spot(number, Status(status), street, indicator, lon, lat, moment(at), moment(since), demo)
        for _, number, status, street, indicator, lon, lat, at, since, demo in rows[:limit]
    )
    return Spots(found, cursor_of(epoch, rows[limit - 1].seq) if len(rows) > limit else None)


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    equal: dict[ColumnElement[Any], object] = {  # columns of several types
        _C.street: filters.street,
        _C.indicator: filters.indicator,
        _C.sent_by: filters.sent_by,
    }
    found = [column == value for column, value in equal.items() if value is not None]
    if filters.status:
        found.append(_C.status.in_([str(s) for s in filters.status]))
    if filters.bbox is not None:
        west, south, east, north = filters.bbox
        found += _in_cells(filters.bbox, _HALF_CELL)
        found += [_C.lat.between(south, north), _C.lon.between(west, east)]
    if filters.start is not None:
        found.append(_C.submitted_at >= micros(filters.start))
    if filters.end is not None:
        found.append(_C.submitted_at < micros(filters.end))
    if filters.pending is not None:
        waiting = ("," + CASE_BOARD.c.pending + ",").like(f"%,{filters.pending},%")
        found.append(_C.seq.in_(select(CASE_BOARD.c.seq).where(waiting)))
    return found


_PUBLIC = (
    _C.mark, _C.status, _C.street, _C.indicator, _C.cell_lon, _C.cell_lat, _C.month,
    _C.demonstration,
)  # fmt: skip


def _public(question: PublicQuestion) -> list[ColumnElement[bool]]:
    statuses = [s for s in REVIEWED if not question.status or s in question.status]
    found = [*holds_at(question.as_of), _C.status.in_([str(s) for s in statuses])]
    if question.bbox is not None:
        found += _in_cells(question.bbox)
    if question.street is not None:
        found.append(_C.street == question.street)
    if question.indicator is not None:
        found.append(_C.indicator == question.indicator)
    if question.first_month is not None:
        found.append(_C.month >= question.first_month)
    if question.last_month is not None:
        found.append(_C.month <= question.last_month)
    return found


def public_spots(
    connection: Connection,
    question: PublicQuestion,
    *,
    after: str | None = None,
    limit: int = 1000,
) -> PublicSpots:
    """The reviewed cases that the question lets through, as they stood; for everybody.

    A page begins after a mark, so cases that come in meanwhile move nothing.
    """
    limit = max(1, min(limit, MOST))
    conditions = _public(question)
    if after is not None:
        conditions.append(_C.mark > after)
    order = _C.mark + literal("") if is_small(question.bbox) else _C.mark
    asked: Select[Any] = (  # a column of each kind
        select(*_PUBLIC).where(*conditions).order_by(order).limit(limit + 1)
    )
    rows = connection.execute(asked).all()
    found = tuple(_public_spot(row) for row in rows[:limit])
    return PublicSpots(found, found[-1].mark if len(rows) > limit else None)


def public_spot(connection: Connection, mark: str) -> PublicSpot | None:
    """The case of this mark as it stands, if it is one that everybody may see."""
    conditions = _public(PublicQuestion())
    row = connection.execute(select(*_PUBLIC).where(*conditions, _C.mark == mark)).first()
    return None if row is None else _public_spot(row)


def count_public(connection: Connection, question: PublicQuestion) -> int:
    """How many reviewed cases the question lets through."""
    counted = select(func.count()).select_from(CASE_INTERVAL).where(*_public(question))
    return int(connection.scalars(counted).one())


def _public_spot(row: Sequence[Any]) -> PublicSpot:  # a row of plain values
    mark, status, *rest = row
    return PublicSpot(mark, Status(status), *rest)
