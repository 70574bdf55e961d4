"""The supervisor's desk: what is overdue, what must be answered, what waits for a decision.

Only queries over the case board and the stays of cases with a 街镇. Knows no calendar: how long a
thing is over is told by the wall.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Connection, ScalarSelect, func, select

from casework.desks import OF_REVIEWER
from casework.handlings import Cut, End
from casework.lifecycle import CLOCK_OF, Action, Status
from casework.model import SECOND_ESCALATION, WINDOWS, Clock
from projections.case_board import CASE_BOARD, OF_STREET
from projections.desk_lists import (
    ASKED,
    OPEN,
    Pressing,
    among_open,
    bare,
    running,
    status_in,
)
from projections.due import DUE_CLOCK, ESCALATED
from projections.evidence import CITED, FINDING, HANDED_OVER
from projections.hand_overs import HAND_OVER
from projections.redispatch import REDISPATCH
from projections.reports.spots import Spot, rebounding
from projections.tables import chunks, micros, moment

_C = CASE_BOARD.c

RETURNS = 2
"""Accepted returns after which the supervisor designates (domain: 两次退回)."""

ENDING = timedelta(hours=24)
"""A suspension ends soon: there is a day left to prolong it or to begin."""

DUE_SOON = timedelta(hours=24)
"""What is about to be late: 未来24小时到期, as the measure of that name counts it."""

DOUBTED = timedelta(days=14)
"""How long after a hand-over a doubt about it stands on the desk, once nobody has a move."""

REBOUNDED = timedelta(days=7)
"""Of which reports the rebounding spots are made: a week, as on Monday's page."""

MOST_SPOTS = 10

DECISIONS: Mapping[Action, Clock] = MappingProxyType(
    {
        Action.REQUEST_EXTENSION: Clock.EXTENSION,
        Action.REQUEST_SUSPENSION: Clock.SUSPENSION,
        Action.REVOKE_REGISTRATION: Clock.SECOND_PERSON,
        Action.TRANSFER_OUT: Clock.SECOND_PERSON,
        Action.REQUEST_FORCE_CLOSE: Clock.SECOND_PERSON,
        Action.REQUEST_COORDINATION: Clock.COORDINATION,
        Action.APPEAL: Clock.APPEAL,
    }
)
"""Requests that the supervisor decides, each with its own clock."""
assert all(CLOCK_OF[action] is clock for action, clock in DECISIONS.items())


class LateStreet(msgspec.Struct, frozen=True):
    """A 街镇 with cases over their time there, and since when the longest of them is."""

    street: str
    overdue: int
    oldest_due_at: datetime


class Escalated(msgspec.Struct, frozen=True, kw_only=True):
    """A case of which the supervisor was told at 150 or 200 % of its limit."""

    case: Pressing
    percent: int
    reached_at: datetime


class Returned(msgspec.Struct, frozen=True):
    """An open case that came back twice or more, and how often."""

    case: Pressing
    returns: int


class Suspected(msgspec.Struct, frozen=True, kw_only=True):
    """A case whose hand-over is, or was, in doubt (疑似虚假整改).

    `code`: that of the 返工 or reopening which found it false; None where only the check of the
    photos speaks against it. `findings` are its sentences, the gravest first: they advise, a person
    decides.
    """

    case_id: UUID
    number: str
    status: Status
    street: str | None
    indicator: str | None
    round: int
    handed_over_at: datetime
    code: str | None
    findings: tuple[str, ...]


class SupervisorDesk(msgspec.Struct, frozen=True, kw_only=True):
    """The desk. Lists are cut, `counts` are not."""

    counts: dict[str, int]
    by_street: tuple[LateStreet, ...]
    """The most overdue cases first."""
    overdue: tuple[Pressing, ...]
    """Longest over first, of whichever desk."""
    escalated: tuple[Escalated, ...]
    notes: tuple[Pressing, ...]
    decisions: tuple[Pressing, ...]
    to_designate: tuple[Pressing, ...]
    suspensions_ending: tuple[Pressing, ...]
    due_soon: tuple[Pressing, ...]
    """Not late yet, and due within DUE_SOON; the first due first."""
    returned: tuple[Returned, ...]
    suspected: tuple[Suspected, ...]
    rebounds: tuple[Spot, ...]
    """Where in the last REBOUNDED what had been closed was reported again, the most often first."""


def supervisor_desk(
    connection: Connection, now: datetime, *, street: str | None = None, limit: int = 100
) -> SupervisorDesk:
    """The desk at `now`. `street` narrows to one 街镇; each list holds at most `limit`."""
    within = [] if street is None else [_C.street == street]
    late = [_C.due_at < micros(now), _C.due_clock.not_in(sorted(WINDOWS)), *within]
    notes, decisions = _asked(connection, within)
    designate = _to_designate(connection, within)
    ending = _suspensions_ending(connection, now, within)
    by_street = _by_street(connection, now, within)
    soon = [_C.due_at >= micros(now), _C.due_at < micros(now + DUE_SOON), *within]
    soon.append(_C.due_clock.not_in(sorted(WINDOWS | {Clock.RESUMPTION})))
    coming = connection.scalar(among_open(func.count()).where(*soon))
    returned = _returned(connection, within)
    suspected = _suspected(connection, now, within)
    rebounds = tuple(
        spot
        for spot in rebounding(connection, now - REBOUNDED, now, Cut(now), 10 * MOST_SPOTS)
        if street in {None, spot.street}
    )
    by_clock = {
        Clock(clock): int(n)
        for clock, n in connection.execute(
            among_open(_C.due_clock, func.count()).where(*late).group_by(_C.due_clock)
        )
    }
    requests = {str(action): 0 for action in DECISIONS}
    for decision in decisions:
        requests[decision.request or ""] += 1
    return SupervisorDesk(
        counts={
            "overdue": sum(by_clock.values()),
            "overdue_street": sum(n for clock, n in by_clock.items() if clock in OF_STREET),
            "overdue_review": sum(n for clock, n in by_clock.items() if clock in OF_REVIEWER),
            "notes": len(notes),
            "decisions": len(decisions),
            **requests,
            "to_designate": len(designate),
            "suspensions_ending": len(ending),
            "due_soon": int(coming or 0),
            "returned": len(returned),
            "suspected": len(suspected),
            "rebounds": len(rebounds),
        },
        by_street=by_street,
        overdue=_overdue(connection, late, limit),
        escalated=escalated(connection, limit, street),
        notes=tuple(notes[:limit]),
        decisions=tuple(decisions[:limit]),
        to_designate=tuple(designate[:limit]),
        suspensions_ending=tuple(ending[:limit]),
        due_soon=_overdue(connection, soon, limit),
        returned=tuple(returned[:limit]),
        suspected=tuple(suspected[:limit]),
        rebounds=rebounds[:MOST_SPOTS],
    )


def _overdue(
    connection: Connection, late: Sequence[ColumnElement[bool]], limit: int
) -> tuple[Pressing, ...]:
    """The longest over first, each under the clock by which it is.

    Chosen within the index; only the rows that are shown are read.
    """
    order = (_C.due_at, _C.seq)
    first = among_open(_C.seq).where(*late).order_by(*order).limit(limit)
    question = (
        select(_C.case_id, _C.number, _C.status, _C.street, _C.indicator, _C.due_clock, _C.due_at)
        .where(_C.seq.in_(first.scalar_subquery()))
        .order_by(*order)
    )
    return tuple(
        Pressing(
            UUID(bytes=case_id),
            number,
            Status(status),
            street,
            indicator,
            Clock(clock),
            moment(due),
        )
        for case_id, number, status, street, indicator, clock, due in connection.execute(question)
    )


def escalated(
    connection: Connection, limit: int, street: str | None = None
) -> tuple[Escalated, ...]:
    """The cases of which somebody was told at 150 or 200 % of a limit that still runs.

    The highest share first, then the longest due.
    """
    clock = DUE_CLOCK.c
    question = (
        select(
            _C.case_id,
            _C.number,
            _C.status,
            _C.street,
            _C.indicator,
            clock.clock,
            clock.due_at,
            clock.told,
            clock.escalate_at,
            clock.escalate_again_at,
        )
        .join(DUE_CLOCK, clock.stream == _C.stream)
        .where(ESCALATED, *([] if street is None else [_C.street == street]))
        .order_by(clock.told.desc(), clock.due_at, _C.seq)
        .limit(limit)
    )
    return tuple(
        Escalated(
            case=Pressing(
                UUID(bytes=row.case_id),
                row.number,
                Status(row.status),
                row.street,
                row.indicator,
                Clock(row.clock),
                moment(row.due_at),
            ),
            percent=row.told,
            reached_at=moment(
                row.escalate_again_at if row.told >= SECOND_ESCALATION else row.escalate_at
            ),
        )
        for row in connection.execute(question)
    )


def _by_street(
    connection: Connection, now: datetime, within: Sequence[ColumnElement[bool]]
) -> tuple[LateStreet, ...]:
    street = bare(connection, _C.street)
    question = (
        among_open(street, func.count(), func.min(_C.street_due_at))
        .where(_C.street_due_at < micros(now), *within)
        .group_by(street)
    )
    found = [
        LateStreet(code, int(n), moment(oldest))
        for code, n, oldest in connection.execute(question)
        if code
    ]
    return tuple(sorted(found, key=lambda late: (-late.overdue, late.oldest_due_at, late.street)))


def _asked(
    connection: Connection, within: Sequence[ColumnElement[bool]]
) -> tuple[list[Pressing], list[Pressing]]:
    """督办 notes without an answer, and what waits for a decision: each the first due first."""
    notes: list[Pressing] = []
    decisions: list[Pressing] = []
    for case in running(connection, ASKED, *within):
        for request in case.pending:
            if request == Action.NOTE:
                note = case.pressing(Clock.NOTE, request)
                notes += [note] if note else []
            elif (clock := DECISIONS.get(Action(request))) is not None:
                decision = case.pressing(clock, request)
                decisions += [decision] if decision else []
    return sorted(notes, key=_due), sorted(decisions, key=_due)


def _due(pressing: Pressing) -> tuple[datetime, str]:
    return pressing.due_at, pressing.number


def _returns() -> ScalarSelect[int]:
    """How many returns of a case were accepted. One that never came back has no `code`."""
    stays = REDISPATCH.c
    return (
        select(func.count())
        .where(stays.stream == _C.stream, stays.ended_by == str(End.RETURNED))
        .scalar_subquery()
    )


def _to_designate(connection: Connection, within: Sequence[ColumnElement[bool]]) -> list[Pressing]:
    """Registered again after two accepted returns: the supervisor designates a 街镇."""
    conditions = [OPEN, status_in(Status.REGISTERED), _C.code.is_not(None), _returns() >= RETURNS]
    found = [case.pressing(Clock.DISPATCH) for case in running(connection, *conditions, *within)]
    return sorted((pressing for pressing in found if pressing is not None), key=_due)


def _returned(connection: Connection, within: Sequence[ColumnElement[bool]]) -> list[Returned]:
    """Open cases that came back RETURNS times or more, wherever they are now."""
    returns = _returns()
    question = (
        select(
            _C.case_id, _C.number, _C.status, _C.street, _C.indicator, _C.due_clock, _C.due_at,
            returns.label("returns"),
        )
        .where(OPEN, _C.code.is_not(None), _C.due_at.is_not(None), returns >= RETURNS, *within)
        .order_by(returns.desc(), _C.due_at, _C.seq)
    )  # fmt: skip
    return [
        Returned(
            Pressing(
                UUID(bytes=row.case_id),
                row.number,
                Status(row.status),
                row.street,
                row.indicator,
                Clock(row.due_clock),
                moment(row.due_at),
            ),
            int(row.returns),
        )
        for row in connection.execute(question)
    ]


_IN_DOUBT = ("doubt", "grave")
_LOOKED_AT = (Status.RECTIFIED, Status.UNDER_RECHECK)
_DONE_AGAIN = (Status.DISPATCHED, Status.HANDLING, Status.SUSPENDED)
_OVER = (Status.CLOSED, Status.COMPLETED)


def _suspected(
    connection: Connection, now: datetime, within: Sequence[ColumnElement[bool]]
) -> list[Suspected]:
    """Hand-overs in doubt: to be looked at now, sent back as false, or closed not long ago."""
    of, found = HAND_OVER.c, FINDING.c
    # Of the last photos only: what was handed over before has been judged by the 返工.
    last = (
        select(func.max(CITED.c.position))
        .where(CITED.c.case_id == found.case_id, CITED.c.event == HANDED_OVER)
        .scalar_subquery()
    )
    doubted = (
        select(found.id)
        .where(found.case_id == _C.case_id, found.severity.in_(_IN_DOUBT), found.position == last)
        .exists()
    )
    columns = (
        _C.case_id, _C.number, _C.status, _C.street, _C.indicator, of.round, of.handed_over_at,
        of.code,
    )  # fmt: skip
    join = select(*columns).join(HAND_OVER, of.stream == _C.stream).where(*within)
    latest = (of.round == _C.round) & of.handed_over_at.is_not(None)
    # 返工 goes on in its round; what was reopened as false is handled in the next one.
    sent_back = of.code.is_not(None) & ((of.round == _C.round) | (of.round == _C.round - 1))
    recent = of.handed_over_at >= micros(now - DOUBTED)
    questions = (
        join.where(OPEN, status_in(*_LOOKED_AT), latest, doubted | of.code.is_not(None)),
        join.where(OPEN, status_in(*_DONE_AGAIN), sent_back),
        join.where(recent, status_in(*_OVER), latest, doubted),
    )
    rows = {
        row.case_id: row for question in questions for row in connection.execute(question).all()
    }
    says = _findings(connection, rows)
    suspected = [
        Suspected(
            case_id=UUID(bytes=row.case_id),
            number=row.number,
            status=Status(row.status),
            street=row.street,
            indicator=row.indicator,
            round=row.round,
            handed_over_at=moment(row.handed_over_at),
            code=row.code,
            findings=says.get(row.case_id, ()),
        )
        for row in rows.values()
        if row.handed_over_at is not None
    ]
    return sorted(suspected, key=lambda one: (one.status not in _LOOKED_AT, one.handed_over_at))


def _findings(connection: Connection, cases: Collection[bytes]) -> dict[bytes, tuple[str, ...]]:
    """What speaks against the last photos of these cases, the gravest first, each sentence once."""
    told: dict[bytes, dict[str, None]] = {}
    for chunk in chunks(cases):
        rows = connection.execute(
            select(FINDING.c.case_id, FINDING.c.says)
            .where(FINDING.c.case_id.in_(chunk), FINDING.c.severity.in_(_IN_DOUBT))
            .order_by(FINDING.c.position.desc(), FINDING.c.severity.desc(), FINDING.c.says)
        )
        for case_id, sentence in rows:
            told.setdefault(case_id, {})[sentence] = None
    return {case_id: tuple(sentences)[:3] for case_id, sentences in told.items()}


def _suspensions_ending(
    connection: Connection, now: datetime, within: Sequence[ColumnElement[bool]]
) -> list[Pressing]:
    """Suspended cases whose day of resumption comes within ENDING, or has come."""
    until = now + ENDING
    conditions = [OPEN, status_in(Status.SUSPENDED), _C.due_at < micros(until)]
    found = [case.pressing(Clock.RESUMPTION) for case in running(connection, *conditions, *within)]
    ending = [pressing for pressing in found if pressing is not None and pressing.due_at < until]
    return sorted(ending, key=_due)
