"""A street's desk: its open cases by remaining time, counts, and what it waits for. Only queries.

It reads the case board; a table of its own would say the same twice.
"""

from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, Integer, func, select

from casework.lifecycle import Status
from projections.case_board import CASE_BOARD, BoardRow
from projections.case_list import CaseView, view_of
from projections.tables import micros, structs

WITH_STREET = (Status.DISPATCHED, Status.HANDLING)
"""Where the street has the move."""

ON_DESK = (*WITH_STREET, Status.SUSPENDED, Status.RECTIFIED, Status.CLOSED, Status.UNDER_RECHECK)
"""What a desk counts: also what it waits for."""

_C = CASE_BOARD.c


class Desk(msgspec.Struct, frozen=True):
    """What stands on a desk: cases by status, those overdue, those with an open request."""

    by_status: dict[Status, int]
    overdue: int
    due_soon: int
    pending: dict[str, int]


def _of(street: str | None, *statuses: Status) -> list[ColumnElement[bool]]:
    mine: list[ColumnElement[bool]] = [_C.status.in_([str(s) for s in statuses])]
    return mine if street is None else [_C.street == street, *mine]


def tasks(
    connection: Connection, street: str | None, *, limit: int = 100, after: int | None = None
) -> list[CaseView]:
    """The cases that wait for the street, the one that presses most first.

    `street` None: all streets, for the supervisor. `after` is the `position` of nothing but the
    number of tasks to leave out, for a next page.
    """
    question = (
        select(CASE_BOARD)
        .where(*_of(street, *WITH_STREET))
        .order_by(_C.street_due_at.is_(None), _C.street_due_at, _C.seq)
        .limit(limit)
        .offset(after or 0)
    )
    return [view_of(row) for row in structs(connection, BoardRow, question)]


def desk(connection: Connection, street: str | None, now: datetime, soon: datetime) -> Desk:
    """Counts of a desk at `now`; `due_soon` are due between `now` and `soon`."""
    at = micros(now)
    late = func.sum((_C.street_due_at < at).cast(Integer))
    close = func.sum(_C.street_due_at.between(at, micros(soon)).cast(Integer))
    rows = connection.execute(
        select(_C.status, _C.pending, func.count(), late, close)
        .where(*_of(street, *ON_DESK))
        .group_by(_C.status, _C.pending)
    )
    by_status = dict.fromkeys(ON_DESK, 0)
    pending: dict[str, int] = {}
    overdue = due_soon = 0
    for status, requests, n, over, near in rows:
        by_status[Status(status)] += n
        overdue += over or 0
        due_soon += near or 0
        for request in filter(None, requests.split(",")):
            pending[request] = pending.get(request, 0) + n
    return Desk(by_status, overdue, due_soon, pending)


def with_pending(
    connection: Connection, request: str, *, street: str | None = None, limit: int = 100
) -> list[CaseView]:
    """The cases in which this request (the action's name) waits for an answer, by what presses.

    `street` None: all streets, for the desk that answers.
    """
    like = f"%,{request},%"
    question = (
        select(CASE_BOARD)
        .where(
            _C.pending != "",
            ("," + _C.pending + ",").like(like),
            *([] if street is None else [_C.street == street]),
        )
        .order_by(_C.due_at.is_(None), _C.due_at, _C.seq)
        .limit(limit)
    )
    return [view_of(row) for row in structs(connection, BoardRow, question)]
