"""The reviewers' desk: what presses, by kind of work. Only queries over the case board.

Suspected duplicates are not told: no view finds them yet.
"""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import ColumnElement, Connection, func, select

from casework.desks import OF_REVIEWER
from casework.lifecycle import Action, Status
from casework.model import Certainty, Clock
from projections.case_board import CASE_BOARD
from projections.desk_lists import ASKED, OPEN, Pressing, Section, running, section, status_in
from projections.tables import micros

_C = CASE_BOARD.c

AT_DESK = (
    Status.SUBMITTED,
    Status.AWAITING_INFORMATION,
    Status.REGISTERED,
    Status.RECTIFIED,
    Status.UNDER_RECHECK,
)
"""Where the reviewers have the move, or wait for the citizen to answer them."""

NOT_DISPATCHED = (Status.SUBMITTED, Status.AWAITING_INFORMATION, Status.REGISTERED)

SOON = timedelta(minutes=30)
"""Soon due at this desk: the sample limit of a review."""

UNSURE = (Certainty.NEAR_BORDER, Certainty.CONTESTED)


class Returns(msgspec.Struct, frozen=True):
    """Requests of return, the first due first; `count` of all."""

    count: int
    cases: tuple[Pressing, ...]


class ReviewerDesk(msgspec.Struct, frozen=True, kw_only=True):
    """The sections of the desk. A case may stand in several."""

    by_status: dict[Status, int]
    urgent: Section
    """紧急: danger words, and not dispatched yet."""
    overdue: Section
    due_soon: Section
    """即将超时: a clock of the reviewers is due within SOON."""
    supplied: Section
    """已补充: the citizen answered, or added something, and the case waits for review."""
    border: Section
    """交界待定: registered, and the map is not sure: a person dispatches."""
    returns: Returns
    """退回待审."""
    verification: Section
    """待核查."""
    recheck: Section
    """待复核."""


def reviewer_desk(connection: Connection, now: datetime, limit: int = 20) -> ReviewerDesk:
    """The desk at `now`; each section with at most `limit` cases."""
    at, soon = micros(now), micros(now + SOON)
    own = _C.due_clock.in_(sorted(OF_REVIEWER))

    def of(*conditions: ColumnElement[bool]) -> Section:
        return section(connection, conditions, limit)

    return ReviewerDesk(
        by_status=_by_status(connection),
        urgent=of(status_in(*NOT_DISPATCHED), _C.danger != ""),
        overdue=of(status_in(*AT_DESK), own, _C.due_at < at),
        due_soon=of(status_in(*AT_DESK), own, _C.due_at.between(at, soon)),
        supplied=of(status_in(Status.SUBMITTED), _C.supplied | _C.new_information),
        border=of(
            status_in(Status.REGISTERED), _C.certainty.in_([str(certainty) for certainty in UNSURE])
        ),
        returns=_returns(connection, limit),
        verification=of(status_in(Status.RECTIFIED)),
        recheck=of(status_in(Status.UNDER_RECHECK)),
    )


def _by_status(connection: Connection) -> dict[Status, int]:
    question = select(_C.status, func.count()).where(OPEN, status_in(*AT_DESK)).group_by(_C.status)
    found = {Status(status): int(n) for status, n in connection.execute(question)}
    return {status: found.get(status, 0) for status in AT_DESK}


def _returns(connection: Connection, limit: int) -> Returns:
    asked = Action.REQUEST_RETURN
    like = ("," + _C.pending + ",").like(f"%,{asked},%")
    found = [
        pressing
        for case in running(connection, ASKED, like)
        if (pressing := case.pressing(Clock.RETURN, asked)) is not None
    ]
    found.sort(key=lambda pressing: (pressing.due_at, pressing.number))
    return Returns(len(found), tuple(found[:limit]))
