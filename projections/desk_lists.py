"""What the lists of the desks share: rows that are open, and a case with the clock that presses.

Only queries over the case board. `OPEN` is the condition of its index of open cases, said in the
very words of the index, or neither database would use it.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    func,
    literal_column,
    select,
)

from casework.lifecycle import Status
from casework.model import Clock
from projections.case_board import CASE_BOARD, BoardRow
from projections.case_list import CaseView, view_of
from projections.tables import is_sqlite, moment, structs

_C = CASE_BOARD.c

OPEN: ColumnElement[bool] = _C.ended_at.is_(None)
ASKED: ColumnElement[bool] = _C.pending != literal_column("''")
"""A request waits for an answer; the condition of the index of such cases."""

_clocks = msgspec.json.Decoder(dict[Clock, int])


class Pressing(msgspec.Struct, frozen=True):
    """A case with one of its running clocks. `request` is the action that waits, or None."""

    case_id: UUID
    number: str
    status: Status
    street: str | None
    indicator: str | None
    clock: Clock
    due_at: datetime
    request: str | None = None


class Running(NamedTuple):
    """A case of the board, as far as its clocks and requests go."""

    case_id: UUID
    number: str
    status: Status
    street: str | None
    indicator: str | None
    pending: tuple[str, ...]
    clocks: dict[Clock, int]
    """Clock -> due, microseconds since 1970."""

    def pressing(self, clock: Clock, request: str | None = None) -> Pressing | None:
        """The case under this clock, or None where that does not run."""
        due = self.clocks.get(clock)
        if due is None:
            return None
        return Pressing(
            self.case_id,
            self.number,
            self.status,
            self.street,
            self.indicator,
            clock,
            moment(due),
            request,
        )


def status_in(*statuses: Status) -> ColumnElement[bool]:
    return _C.status.in_([str(status) for status in statuses])


def running(connection: Connection, *conditions: ColumnElement[bool]) -> Iterator[Running]:
    """The cases for which all this holds, with their running clocks."""
    question = select(
        _C.case_id, _C.number, _C.status, _C.street, _C.indicator, _C.pending, _C.clocks
    ).where(*conditions)
    for case_id, number, status, street, indicator, pending, clocks in connection.execute(question):
        yield Running(
            UUID(bytes=case_id),
            number,
            Status(status),
            street,
            indicator,
            tuple(filter(None, pending.split(","))),
            _clocks.decode(clocks),
        )


def bare(connection: Connection, column: ColumnElement[str]) -> ColumnElement[str]:
    """The column; on SQLite as it has no index for, so that it goes through that of open cases.

    It keeps no statistics here, and would rather read every case of a status or a 街镇.
    PostgreSQL knows better, and must not be kept from it.
    """
    return func.coalesce(column, literal_column("''")) if is_sqlite(connection) else column


def among_open(*columns: ColumnElement[Any]) -> Select[Any]:
    """A question to the open cases."""
    return select(*columns).select_from(CASE_BOARD).where(OPEN)


def views_of(connection: Connection, seqs: Iterable[int]) -> dict[int, CaseView]:
    """The views of these cases, by `seq`."""
    question = select(CASE_BOARD).where(_C.seq.in_(list(seqs)))
    return {row.seq: view_of(row) for row in structs(connection, BoardRow, question)}
