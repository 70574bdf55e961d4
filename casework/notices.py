"""到期提醒: who is told when a share of a limit is used, once for each counting of the limit.

The notices of a case lie in a stream beside it. They change nothing: a rule and a measure compare
times. Pure; who is on duty is handed in.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from casework import desks
from casework.events import DeadlineReached
from casework.model import (
    ESCALATION,
    OVERDUE,
    SECOND_ESCALATION,
    WARNING,
    Clock,
    Role,
    StreetCode,
)
from casework.state import Case

PERCENTS = (WARNING, OVERDUE, ESCALATION, SECOND_ESCALATION)

PERCENT_NAMES = {
    WARNING: "临期预警",
    OVERDUE: "超期",
    ESCALATION: "超期升级",
    SECOND_ESCALATION: "二次升级",
}


def addressee(clock: Clock, percent: int, street: StreetCode | None) -> Role:
    """Whose desk is told: first those whose move it is, then those above them.

    An instruction is answered by the 街镇 that has the case, or by the reviewers.
    """
    if clock in desks.OF_SUPERVISOR or percent >= ESCALATION:
        return Role.SUPERVISOR
    if clock in desks.OF_STREET or (clock is Clock.NOTE and street is not None):
        return Role.STREET if percent < OVERDUE else Role.STREET_LEAD
    return Role.REVIEWER if percent < OVERDUE else Role.SUPERVISOR


def desk(to: Role, street: StreetCode | None) -> str:
    """The desk in the duty roster: supervisor, reviewer, street/110108011."""
    if street is not None and to in desks.STREET_ROLES:
        return desks.of_street(street)
    return str(to)


def reached(
    case_id: UUID, case: Case, clock: Clock, percent: int, at: datetime
) -> DeadlineReached | None:
    """The notice that is due at `at`, without recipients; None where the clock has moved on."""
    running = case.clocks.get(clock)
    reached_at = running.fact.reached_at(percent) if running else None
    if running is None or reached_at is None or at < reached_at:
        return None
    to = addressee(clock, percent, case.street)
    return DeadlineReached(
        case=case_id,
        number=case.number,
        clock=clock,
        round=case.round,
        percent=percent,
        began_at=case.timers[clock].began,
        limit=running.fact.limit,
        due_at=running.fact.due_at,
        reached_at=reached_at,
        to=to,
        street=case.street,
    )


def told(history: Iterable[object], notice: DeadlineReached) -> bool:
    """Whether this share of this counting of this limit was told before."""
    return any(
        isinstance(before, DeadlineReached)
        and (before.clock, before.percent, before.began_at, before.limit)
        == (notice.clock, notice.percent, notice.began_at, notice.limit)
        for before in history
    )
