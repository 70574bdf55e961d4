"""What stands on a desk at the end of a shift: counts, and the cases that press. Only queries.

Any desk: the reviewers', the supervisors', a 街镇's. Which clocks press which desk is told in
casework/desks.py. Knows nothing of who hands over to whom.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, func, or_

from casework import desks
from casework.lifecycle import CLOCK_OF, Action, Status
from casework.model import Clock
from projections.case_board import CASE_BOARD
from projections.desk_lists import ASKED, OPEN, Pressing, Running, among_open, running, status_in
from projections.reviewer_desk import AT_DESK as WITH_REVIEWER
from projections.tables import micros

_C = CASE_BOARD.c

WITH_STREET = (Status.DISPATCHED, Status.HANDLING, Status.SUSPENDED)

_RETURN = Action.REQUEST_RETURN


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What stands on a desk. `pressing` holds each case under each clock that presses, once.

    A clock presses if it is overdue or near due, if a request waits under it, or if it is that of
    a 督办 note without an answer. The first due first.
    """

    open: int
    overdue: int
    near_due: int
    pending: int
    notes: int
    pressing: tuple[Pressing, ...]


def desk_work(connection: Connection, desk: str, now: datetime, near: datetime) -> Work:
    """The work of a desk at `now`; near due is what is due from `now` to before `near`.

    Raises ValueError for what is no desk.
    """
    if not desks.is_desk(desk):
        raise ValueError(f"no desk: {desk}")
    due_first = or_(_C.due_at < micros(near), _C.pending != "")
    pressing: dict[tuple[str, Clock], Pressing] = {}
    overdue = near_due = pending = notes = 0
    rows = _rows(connection, desk, due_first)
    for case in rows:
        for clock in desks.clocks_of(desk) & case.clocks.keys():
            found = case.pressing(clock)
            if found is None or found.due_at >= near:
                continue
            overdue += found.due_at < now
            near_due += found.due_at >= now
            pressing[case.number, clock] = found
        for found in _requests(desk, case):
            pending += 1
            pressing[case.number, found.clock] = found
        note = case.pressing(Clock.NOTE, Action.NOTE)
        if note is not None and _is_noted_at(desk, case):
            notes += 1
            pressing[case.number, Clock.NOTE] = note
    return Work(
        open=_waiting(rows) if desk == desks.SUPERVISOR else _open(connection, desk),
        overdue=overdue,
        near_due=near_due,
        pending=pending,
        notes=notes,
        pressing=tuple(sorted(pressing.values(), key=_order)),
    )


def _order(found: Pressing) -> tuple[datetime, str, str]:
    return found.due_at, found.number, found.clock


def _rows(connection: Connection, desk: str, due_first: ColumnElement[bool]) -> list[Running]:
    """The cases that may press this desk."""
    street = desks.street_of(desk)
    if street is not None:
        at_street = (status_in(*WITH_STREET), _C.street == street)
        return list(running(connection, OPEN, *at_street, due_first))
    if desk == desks.SUPERVISOR:
        return list(running(connection, ASKED))  # an appeal may be of a case that has ended
    elsewhere = running(connection, OPEN, ASKED, _C.status.not_in(_reviewers()))
    return [
        *running(connection, OPEN, status_in(*WITH_REVIEWER), due_first),
        *(case for case in elsewhere if _RETURN in case.pending),
    ]


def _reviewers() -> list[str]:
    return [str(status) for status in WITH_REVIEWER]


def _requests(desk: str, case: Running) -> Iterable[Pressing]:
    """The requests to be answered at this desk; at a 街镇's those that it waits for."""
    for name in case.pending:
        if name == Action.NOTE:
            continue
        clock = CLOCK_OF[Action(name)]
        own = desks.street_of(desk) is not None or clock in desks.clocks_of(desk)
        found = case.pressing(clock, name) if own else None
        if found is not None:
            yield found


def _is_noted_at(desk: str, case: Running) -> bool:
    """Whoever has the case answers a 督办 note; the supervisors chase all of them."""
    if desk == desks.REVIEWER:
        return case.status in WITH_REVIEWER
    return True


def _waiting(asked: Iterable[Running]) -> int:
    """Cases that wait for a supervisor."""
    return sum(
        any(CLOCK_OF.get(Action(name)) in desks.OF_SUPERVISOR for name in case.pending)
        for case in asked
    )


def _open(connection: Connection, desk: str) -> int:
    """Cases with the reviewers, or with the 街镇."""
    street = desks.street_of(desk)
    where = [status_in(*WITH_REVIEWER)]
    if street is not None:
        where = [status_in(*WITH_STREET), _C.street == street]
    found = connection.scalar(among_open(func.count()).where(*where))
    return int(found or 0)
