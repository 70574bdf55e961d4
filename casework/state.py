"""The case as its history tells it, and the small questions one asks of it. Decides nothing."""

from datetime import date, datetime
from typing import assert_never
from uuid import UUID

import msgspec

from casework.lifecycle import RULES, Action, Relation, Row, Status, rows_from
from casework.model import (
    Actor,
    ActorKind,
    Assignment,
    Clock,
    Limit,
    Place,
    Role,
    Solved,
    StreetCode,
    Versions,
)
from casework.timers import Running, Timer


class Pending(msgspec.Struct, frozen=True, omit_defaults=True):
    """An open request, by whom and with which code; what it asks for stands in the last fields."""

    by: str
    code: str = ""
    extend_by: Limit | None = None
    resume_on: date | None = None
    body: str = ""
    number: str = ""


class Rating(msgspec.Struct, frozen=True):
    person: UUID
    round: int
    solved: Solved


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One case, after some event. Immutable; a new one for every event."""

    number: str
    status: Status
    place: Place
    assignment: Assignment
    first_reporter: UUID
    """Who sent the report, also after leaving it: a receipt is drawn from this."""
    own_reporters: tuple[UUID, ...]
    """Who reported or joined this very case; those of absorbed cases stand in `absorbed`."""
    left: tuple[UUID, ...] = ()
    """Reporters who took their part back."""
    last_at: datetime
    round: int = 1

    indicator: str | None = None
    condition: str | None = None
    versions: Versions | None = None
    danger: bool = False
    has_new_information: bool = False
    entered_by: str | None = None
    """The account that entered it on someone's behalf."""
    sent_by: str | None = None
    """The partner that sent it."""

    timers: dict[Clock, Timer] = {}
    """Every clock that ever ran, as it stands: see `casework.timers`."""
    spans: tuple[tuple[datetime, datetime], ...] = ()
    """Stretches that count as handling time since the current dispatch, closed ones only."""

    pending: dict[Action, Pending] = {}
    """Open requests, by the action that asked."""

    information_requests: int = 0
    objected: bool = False
    refused_by: frozenset[str] = frozenset()
    """Who refused it, or had its registration revoked: not the ones to judge an objection."""

    street: StreetCode | None = None
    handled_by: frozenset[str] = frozenset()
    """Every 街镇 that ever had the case."""
    returned_by: frozenset[StreetCode] = frozenset()
    accepted_returns: int = 0
    dispatched_at: datetime | None = None
    dispatched_by: str | None = None
    designated: bool = False
    return_asked: bool = False
    limit: Limit | None = None
    """As dispatched; `total_limit` includes extensions."""
    total_limit: Limit | None = None
    plain_limit: Limit | None = None
    """`total_limit` as it would be without a 特殊时段, where that differs."""
    raised_by: frozenset[int] = frozenset()
    """特殊时段, by number, that have given this dispatch a longer limit."""
    extensions: int = 0
    was_suspended: bool = False

    upload_link: str | None = None
    """Digest of the handler's one-time upload link; void once the street hands over."""
    rectified_at: datetime | None = None
    handed_over: tuple[UUID, ...] = ()
    """The uploads of the last hand-over."""
    rework_by: str | None = None
    return_rejected_by: str | None = None
    closed_by: frozenset[str] = frozenset()
    """Who closed it, and who asked a second person to."""
    closed_at: datetime | None = None
    completed_at: datetime | None = None
    notified: bool = False
    """Told through a channel other than the in-app inbox, which starts the rating window anew."""
    rating_until: datetime | None = None
    ratings: tuple[Rating, ...] = ()
    appealed: bool = False
    appeal_code: str = ""

    notes: tuple[int, ...] = ()
    notes_answered: tuple[int, ...] = ()
    claimed_by: str | None = None
    claimed_until: datetime | None = None

    merged_into: UUID | None = None
    absorbed: dict[UUID, tuple[UUID, ...]] = {}
    """Cases merged into this one, with the reporters that each brought."""

    @property
    def clocks(self) -> dict[Clock, Running]:
        """The clocks that run."""
        return {c: timer.running for c, timer in self.timers.items() if timer.running is not None}

    def used(self, clock: Clock) -> int:
        """Microseconds of its limit that a clock had used when it last stopped, or 0."""
        timer = self.timers.get(clock)
        return timer.used if timer is not None and timer.running is None else 0

    @property
    def reporters(self) -> tuple[UUID, ...]:
        """Everybody with progress and rating: own reporters first, each once."""
        brought = (person for persons in self.absorbed.values() for person in persons)
        return tuple(dict.fromkeys((*self.own_reporters, *brought)))

    def rating_of(self, person: UUID) -> Rating | None:
        """What the person said in this round."""
        for rating in self.ratings:
            if rating.person == person and rating.round == self.round:
                return rating
        return None

    @property
    def open_notes(self) -> tuple[int, ...]:
        return tuple(n for n in self.notes if n not in self.notes_answered)


def stands_to(case: Case | None, by: Actor, row: Row) -> bool:
    """Whether the actor stands to the case as the row asks.

    A street relation binds those who act as a 街镇; a role in the same row that is not a street's
    is not bound by it.
    """
    if case is None:
        return True
    match row.relation:
        case Relation.ANYONE:
            return True
        case Relation.REPORTER:
            return is_reporter(case, by)
        case Relation.NOT_REPORTER:
            return not is_reporter(case, by)
        case Relation.OWN_STREET:
            if by.holds(*(role for role in row.by if role not in _STREET_ROLES)):
                return True
            return case.street is not None and by.street == case.street
        case Relation.OTHER_STREET:
            return by.street is None or by.street not in {case.assignment.street, *case.handled_by}
        case _:
            assert_never(row.relation)


_STREET_ROLES = frozenset({Role.STREET, Role.STREET_LEAD})


def is_reporter(case: Case, by: Actor) -> bool:
    """Whether the actor is one of the citizens who reported it."""
    return by.kind is ActorKind.CITIZEN and any(str(person) == by.id for person in case.reporters)


def _open_to(case: Case, by: Actor, row: Row) -> bool:
    return by.holds(*row.by) and stands_to(case, by, row) and _asked_for(case, row.action)


ANSWERS: dict[Action, tuple[Action, ...]] = {
    Action.ACCEPT_RETURN: (Action.REQUEST_RETURN,),
    Action.REJECT_RETURN: (Action.REQUEST_RETURN,),
    Action.GRANT_EXTENSION: (Action.REQUEST_EXTENSION,),
    Action.DENY_EXTENSION: (Action.REQUEST_EXTENSION,),
    Action.GRANT_SUSPENSION: (Action.REQUEST_SUSPENSION,),
    Action.DENY_SUSPENSION: (Action.REQUEST_SUSPENSION,),
    Action.CONFIRM_REVOCATION: (Action.REVOKE_REGISTRATION,),
    Action.CONFIRM_TRANSFER_OUT: (Action.TRANSFER_OUT,),
    Action.CONFIRM_FORCE_CLOSE: (Action.REQUEST_FORCE_CLOSE,),
    Action.DECLINE_SECOND: (
        Action.REVOKE_REGISTRATION,
        Action.TRANSFER_OUT,
        Action.REQUEST_FORCE_CLOSE,
    ),
    Action.UPHOLD_APPEAL: (Action.APPEAL,),
    Action.DISMISS_APPEAL: (Action.APPEAL,),
    Action.REPORT_SITE_CHECK: (Action.REQUEST_SITE_CHECK,),
}
"""An answer needs its question: which requests each of these decides."""


def asked_by(case: Case, action: Action) -> Action | None:
    """The open request that this action would decide, or None."""
    for request in ANSWERS.get(action, ()):
        if request in case.pending:
            return request
    return None


def _asked_for(case: Case, action: Action) -> bool:
    if action is Action.ANSWER_NOTE:
        return bool(case.open_notes)
    if action is Action.SETTLE_DUE_TIMES:
        return any(running.fact.provisional for running in case.clocks.values())
    return action not in ANSWERS or asked_by(case, action) is not None


def allowed(case: Case, by: Actor) -> list[Action]:
    """What the table offers this actor now, in the order of the table. Times are not asked."""
    return [row.action for row in rows_from(case.status) if _open_to(case, by, row)]


def row_for(status: Status, action: Action) -> Row | None:
    """The row of the table for an action from a status, or None."""
    rule = RULES.get((status, action))
    return rule.row if rule else None
