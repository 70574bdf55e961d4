"""A street's desk: its open cases by remaining time, counts, and what it waits for. Only queries.

It reads the case board; a table of its own would say the same twice.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, Integer, Select, func, select

from casework.lifecycle import Action, Status
from casework.model import Clock
from projections.case_board import CASE_BOARD, OF_STREET, BoardRow
from projections.case_list import CaseView, view_of
from projections.desk_lists import ASKED, OPEN, among_open, running, status_in
from projections.due import DUE_CLOCK
from projections.tables import micros, moment, structs

WITH_STREET = (Status.DISPATCHED, Status.HANDLING)
"""Where the street has the move."""

ON_DESK = (*WITH_STREET, Status.SUSPENDED, Status.RECTIFIED, Status.CLOSED, Status.UNDER_RECHECK)
"""What a desk counts: also what it waits for."""

_OPEN_ON_DESK = tuple(status for status in ON_DESK if status is not Status.CLOSED)

_NEVER = 1 << 62

_C = CASE_BOARD.c


class Desk(msgspec.Struct, frozen=True):
    """What stands on a desk: cases by status, those overdue, those with an open request.

    `due_today` are due later on the day of Shanghai; `again` were sent back by 返工 or reopened
    (重办) and wait for another hand-over; `dissatisfied` are under recheck since a citizen said
    that the problem is not, or only partly, solved; of `suspensions_ending` the agreed day comes
    before `soon`, or has come.
    """

    by_status: dict[Status, int]
    overdue: int
    due_soon: int
    pending: dict[str, int]
    due_today: int = 0
    to_acknowledge: int = 0
    again: int = 0
    dissatisfied: int = 0
    suspensions_ending: int = 0


class Task(msgspec.Struct, frozen=True):
    """A case with the clock that presses the 街镇 most, or that it waits for.

    `again`: it was sent back by 返工 or reopened by 重办.
    """

    case: CaseView
    clock: Clock | None
    due_at: datetime | None
    again: bool


SECTIONS = (
    "notes",
    "overdue",
    "due_today",
    "to_acknowledge",
    "again",
    "dissatisfied",
    "suspensions_ending",
    "requests",
    "appealable",
)
"""In the order in which a desk shows them; `notes` are 督办 without an answer, `requests` what
waits for the answer of others, `appealable` are closed cases whose appeal window is open."""


def _of(street: str | None, *statuses: Status) -> list[ColumnElement[bool]]:
    mine: list[ColumnElement[bool]] = [_C.status.in_([str(s) for s in statuses])]
    return mine if street is None else [_C.street == street, *mine]


def tasks(
    connection: Connection, street: str | None, *, limit: int = 100, after: int | None = None
) -> list[CaseView]:
    """As `pressing`, without the clocks."""
    return [task.case for task in pressing(connection, street, limit=limit, after=after)]


def pressing(
    connection: Connection, street: str | None, *, limit: int = 100, after: int | None = None
) -> list[Task]:
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
    return [task_of(row) for row in structs(connection, BoardRow, question)]


def desk(
    connection: Connection,
    street: str | None,
    now: datetime,
    soon: datetime,
    midnight: datetime | None = None,
) -> Desk:
    """Counts of a desk at `now`; `due_soon` are due between `now` and `soon`.

    `midnight` is the end of the day in Shanghai; without it that of `soon` stands for the day.
    """
    at, of_street = micros(now), () if street is None else (_C.street == street,)
    late = func.sum((_C.street_due_at < at).cast(Integer))
    close = func.sum(_C.street_due_at.between(at, micros(soon)).cast(Integer))
    ends = micros(midnight or soon)
    today = func.sum(((_C.street_due_at >= at) & (_C.street_due_at < ends)).cast(Integer))
    again = func.sum((_C.rework | (_C.round > 1)).cast(Integer))
    rows = connection.execute(
        among_open(_C.status, _C.pending, func.count(), late, close, today, again)
        .where(status_in(*_OPEN_ON_DESK), *of_street)
        .group_by(_C.status, _C.pending)
    ).all()
    by_status = dict.fromkeys(ON_DESK, 0)
    by_status[Status.CLOSED] = _closed(connection, of_street)
    pending: dict[str, int] = {}
    sums = [0, 0, 0, 0]
    for status, requests, n, *more in rows:
        by_status[Status(status)] += n
        for at_, some in enumerate(more):
            if at_ < 3 or status in WITH_STREET:
                sums[at_] += some or 0
        for request in filter(None, requests.split(",")):
            pending[request] = pending.get(request, 0) + n
    ending = sum(
        case.clocks.get(Clock.RESUMPTION, _NEVER) < micros(soon)
        for case in running(
            connection, OPEN, status_in(Status.SUSPENDED), _C.due_at < micros(soon), *of_street
        )
    )
    return Desk(
        by_status,
        sums[0],
        sums[1],
        pending,
        due_today=sums[2],
        to_acknowledge=by_status[Status.DISPATCHED],
        again=sums[3],
        dissatisfied=by_status[Status.UNDER_RECHECK],
        suspensions_ending=ending,
    )


def sections(
    connection: Connection,
    street: str,
    now: datetime,
    soon: datetime,
    midnight: datetime,
    limit: int = 50,
) -> dict[str, tuple[Task, ...]]:
    """The cases behind the counts of `desk`, each list the first due first; at most `limit`.

    A case may stand in several.
    """
    at, ends = micros(now), micros(midnight)
    here, due = status_in(*WITH_STREET), _C.street_due_at
    wanted: dict[str, tuple[ColumnElement[bool], ...]] = {
        "notes": (ASKED, ("," + _C.pending + ",").like(f"%,{Action.NOTE},%")),
        "overdue": (here, due < at),
        "due_today": (here, due >= at, due < ends),
        "to_acknowledge": (status_in(Status.DISPATCHED),),
        "again": (here, _C.rework | (_C.round > 1)),
        "dissatisfied": (status_in(Status.UNDER_RECHECK),),
        "suspensions_ending": (status_in(Status.SUSPENDED), _C.due_at < micros(soon)),
    }
    found: dict[str, tuple[Task, ...]] = {}
    for name, conditions in wanted.items():
        first = due if name != "dissatisfied" else _C.due_at
        question = (
            select(CASE_BOARD)
            .where(OPEN, _C.street == street, *conditions)
            .order_by(first.is_(None), first, _C.seq)
            .limit(limit)
        )
        tasks = [task_of(row) for row in structs(connection, BoardRow, question)]
        if name == "suspensions_ending":
            tasks = [t for t in tasks if t.clock is Clock.RESUMPTION and t.due_at < soon]  # type: ignore[operator]  # a clock is due
        found[name] = tuple(tasks)
    for name, cases in _beside(street, now).items():
        question = cases.order_by(_C.due_at.is_(None), _C.due_at, _C.seq).limit(limit)
        found[name] = tuple(task_of(row) for row in structs(connection, BoardRow, question))
    return found


def beside(connection: Connection, street: str, now: datetime) -> dict[str, int]:
    """How many cases wait for the answer of others, and how many may be appealed against."""
    return {
        name: int(connection.scalar(select(func.count()).select_from(cases.subquery())) or 0)
        for name, cases in _beside(street, now).items()
    }


def _beside(street: str, now: datetime) -> dict[str, Select[tuple[object, ...]]]:
    """Cases in which the 街镇 has no move that presses: also such as have ended."""
    window = DUE_CLOCK.c
    asked = select(CASE_BOARD).where(ASKED, _C.pending != str(Action.NOTE), _C.street == street)
    appealable = (
        select(CASE_BOARD)
        .join(DUE_CLOCK, window.stream == _C.stream)
        .where(
            window.clock == str(Clock.APPEAL_WINDOW),
            window.due_at >= micros(now),
            _C.street == street,
            status_in(Status.CLOSED, Status.COMPLETED),
        )
    )
    return {"requests": asked, "appealable": appealable}


def task_of(row: BoardRow) -> Task:
    """A row with the clock of it that presses the 街镇 most."""
    running = _clocks.decode(row.clocks)
    own = [(due, clock) for clock, due in running.items() if clock in PRESSING]
    every = [(due, clock) for clock, due in running.items()]
    due, clock = min(own or every, default=(None, None))
    again = row.status in WITH_STREET and (row.rework or row.round > 1)
    return Task(view_of(row), clock, None if due is None else moment(due), again)


PRESSING = OF_STREET | {Clock.RESUMPTION}
_clocks = msgspec.json.Decoder(dict[Clock, int])


def _closed(connection: Connection, of_street: Sequence[ColumnElement[bool]]) -> int:
    """Cases that wait for their rating."""
    found = connection.scalar(
        select(func.count())
        .select_from(CASE_BOARD)
        .where(_C.status == str(Status.CLOSED), *of_street)
    )
    return int(found or 0)


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
            ASKED,
            ("," + _C.pending + ",").like(like),
            *([] if street is None else [_C.street == street]),
        )
        .order_by(_C.due_at.is_(None), _C.due_at, _C.seq)
        .limit(limit)
    )
    return [view_of(row) for row in structs(connection, BoardRow, question)]
