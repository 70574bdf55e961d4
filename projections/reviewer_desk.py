"""The reviewers' desk: what presses, by kind of work. Only queries over the case board.

Which reports are suspected to repeat another one is weighed elsewhere and handed in.
"""

from collections import Counter
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from casework.desks import OF_REVIEWER
from casework.lifecycle import Action, Status
from casework.model import Certainty, Clock
from projections.case_board import CASE_BOARD
from projections.case_list import CaseView
from projections.desk_lists import ASKED, Pressing, among_open, bare, running, views_of
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

_NEVER = 1 << 62

UNSURE = (Certainty.NEAR_BORDER, Certainty.CONTESTED)


class Section(msgspec.Struct, frozen=True):
    """A list of the desk: how many there are, and the first of them, what presses most in front."""

    count: int
    cases: tuple[CaseView, ...]


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
    duplicates: Section
    """疑似重复: waits for review, and an earlier open case is very likely the same problem."""
    border: Section
    """交界待定: registered, and the map is not sure: a person dispatches."""
    returns: Returns
    """退回待审."""
    verification: Section
    """待核查."""
    recheck: Section
    """待复核."""
    to_dispatch: Section
    """待派遣: registered, and no question of a border keeps it from being dispatched."""
    to_review: Section
    """待审核: all that wait for review."""


class _Open(NamedTuple):
    """An open case at the desk, as far as the sections ask."""

    seq: int
    status: str
    due_at: int | None
    due_clock: str | None
    certainty: str
    danger: str
    new_information: bool
    supplied: bool


def reviewer_desk(
    connection: Connection, now: datetime, limit: int = 20, repeats: Collection[int] = ()
) -> ReviewerDesk:
    """The desk at `now`; each section with at most `limit` cases.

    `repeats` are the cases, by their `seq`, that are suspected to repeat another one.

    One look at the open cases of the desk, which lie in an index; then the rows that are shown.
    """
    at, soon = micros(now), micros(now + SOON)
    found = _open_cases(connection)
    wanted: dict[str, Callable[[_Open], bool]] = {
        "urgent": lambda case: bool(case.danger) and case.status in NOT_DISPATCHED,
        "overdue": lambda case: _due(case) < at,
        "due_soon": lambda case: at <= _due(case) <= soon,
        "supplied": lambda case: (
            (case.supplied or case.new_information) and case.status == Status.SUBMITTED
        ),
        "duplicates": lambda case: case.status == Status.SUBMITTED and case.seq in repeats,
        "border": lambda case: case.status == Status.REGISTERED and case.certainty in UNSURE,
        "verification": lambda case: case.status == Status.RECTIFIED,
        "recheck": lambda case: case.status == Status.UNDER_RECHECK,
        "to_dispatch": lambda case: (
            case.status == Status.REGISTERED and case.certainty not in UNSURE
        ),
        "to_review": lambda case: case.status == Status.SUBMITTED,
    }
    sections = {name: [case.seq for case in found if holds(case)] for name, holds in wanted.items()}
    shown = {seq for seqs in sections.values() for seq in seqs[:limit]}
    views = views_of(connection, shown)
    by_status = Counter(case.status for case in found)
    return ReviewerDesk(
        by_status={status: by_status[status] for status in AT_DESK},
        returns=_returns(connection, limit),
        **{
            name: Section(len(seqs), tuple(views[seq] for seq in seqs[:limit]))
            for name, seqs in sections.items()
        },
    )


def _open_cases(connection: Connection) -> list[_Open]:
    """What is open at the desk, the first due first; those without a clock at the end."""
    columns = [CASE_BOARD.c[name] for name in _Open._fields]
    statuses = [str(status) for status in AT_DESK]
    question = among_open(*columns).where(bare(connection, _C.status).in_(statuses))
    found = [_Open._make(row) for row in connection.execute(question)]
    return sorted(found, key=lambda case: (case.due_at is None, case.due_at or 0, case.seq))


def _due(case: _Open) -> int:
    """When a clock of the reviewers is due; never where another presses first."""
    if case.due_at is None or case.due_clock not in OF_REVIEWER:
        return _NEVER
    return case.due_at


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
