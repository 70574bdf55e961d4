"""What facts mean for the parts that many of them share: clocks, street, open requests.

Helpers of `casework.case.evolve`; like it they refuse nothing and read no rules.
"""

from datetime import datetime
from typing import assert_never

from msgspec.structs import replace

from casework import events as did
from casework.lifecycle import CLOCK_OF, STATUS_AFTER, Action, Status
from casework.model import Actor, ActorKind, Clock, StreetCode
from casework.state import Case, Pending
from casework.timers import turn

NoRequest = (
    did.ReportSubmitted
    | did.InformationLapsed
    | did.CaseWithdrawn
    | did.CaseAcknowledged
    | did.CoHandlerNamed
    | did.ExtensionDenied
    | did.SuspensionDenied
    | did.CaseResumed
    | did.SiteCheckReported
    | did.SecondPersonDeclined
    | did.RecheckOpened
    | did.VisitRecorded
    | did.AppealUpheld
    | did.AppealDismissed
)
"""Facts whose whole meaning lies in their status and clocks."""

Request = (
    did.RevocationRequested
    | did.CoordinationRequested
    | did.ExtensionRequested
    | did.SuspensionRequested
    | did.SiteCheckRequested
    | did.TransferRequested
    | did.ForceCloseRequested
)


def opened(event: did.ReportSubmitted, at: datetime, by: Actor) -> Case:
    """The case that a report opens."""
    return Case(
        number=event.number,
        status=Status.SUBMITTED,
        place=event.place,
        assignment=event.assignment,
        first_reporter=event.person,
        own_reporters=(event.person,),
        last_at=at,
        indicator=event.indicator,
        danger=bool(event.danger),
        entered_by=by.id if event.on_behalf else None,
        sent_by=by.id if by.kind is ActorKind.PARTNER else None,
    )


def clocked(case: Case, event: did.Event, at: datetime) -> Case:
    """Status and clocks after a fact, and the requests that end with their clock.

    Whoever had claimed the case had it at that desk: with the status the claim ends.
    """
    status = STATUS_AFTER.get(type(event), case.status)
    if status is not case.status:
        case = replace(case, claimed_by=None, claimed_until=None)
    if not event.started and not event.stopped:
        return replace(case, status=status, last_at=at)
    timers, spans = turn(case.timers, event.started, event.stopped, at), case.spans
    for stopped in event.stopped:
        ran = case.timers.get(stopped.clock)
        if stopped.clock is Clock.HANDLING and ran is not None and ran.running is not None:
            spans = (*spans, (ran.running.since, at))
    total, plain, rating_until = case.total_limit, case.plain_limit, case.rating_until
    for started in event.started:
        if started.clock is Clock.HANDLING:
            total, plain = started.limit, started.plain_limit
        if started.clock is Clock.RATING:
            rating_until = started.due_at
    return replace(
        case,
        status=status,
        last_at=at,
        timers=timers,
        spans=spans,
        total_limit=total,
        plain_limit=plain,
        rating_until=rating_until,
        pending={
            a: p
            for a, p in case.pending.items()
            if (timer := timers.get(CLOCK_OF[a])) is not None and timer.running is not None
        },
    )


def with_street(
    case: Case, event: did.CaseDispatched | did.CaseReopened, at: datetime, by: Actor
) -> Case:
    """A new dispatch: the street has it, with everything that counts per dispatch at its start."""
    return replace(
        case,
        street=event.street,
        assignment=event.assignment,
        limit=event.limit,
        handled_by=case.handled_by | {str(event.street)},
        dispatched_at=at,
        dispatched_by=by.id,
        return_asked=False,
        extensions=0,
        upload_link=None,
        spans=(),
        raised_by=frozenset(),
        designated=isinstance(event, did.CaseDispatched) and event.designated,
    )


def waited(case: Case, at: datetime) -> tuple[tuple[datetime, datetime], ...]:
    """The stretches of handling time, and with them the wait since a hand-over that was none."""
    return (*case.spans, (case.rectified_at, at)) if case.rectified_at else case.spans


def undispatched(case: Case) -> Case:
    """No street has it any more."""
    street: StreetCode | None = None
    return replace(
        case,
        street=street,
        limit=None,
        total_limit=None,
        dispatched_at=None,
        upload_link=None,
        spans=(),
    )


def relimited(case: Case, event: did.CaseReclassified) -> Case:
    """改类 while handling: what counts by the limit counts by the new one from here on."""
    limits = [started.limit for started in event.started if started.clock is Clock.HANDLING]
    return replace(case, limit=limits[0], extensions=0) if limits else case


def asked_of(case: Case, *requests: Action) -> frozenset[str]:
    """Who had asked for any of these and has no answer yet."""
    return frozenset(case.pending[request].by for request in requests if request in case.pending)


def requested(case: Case, event: Request | NoRequest, by: Actor) -> Case:
    """The case with an open request, or as it is."""
    match event:
        case did.RevocationRequested(code=code):
            return pending(case, Action.REVOKE_REGISTRATION, Pending(by.id, code))
        case did.CoordinationRequested(code=code):
            return pending(case, Action.REQUEST_COORDINATION, Pending(by.id, code))
        case did.ExtensionRequested(code=code, by=more):
            return pending(case, Action.REQUEST_EXTENSION, Pending(by.id, code, extend_by=more))
        case did.SuspensionRequested(code=code, resume_on=day):
            return pending(case, Action.REQUEST_SUSPENSION, Pending(by.id, code, resume_on=day))
        case did.SiteCheckRequested():
            return pending(case, Action.REQUEST_SITE_CHECK, Pending(by.id))
        case did.TransferRequested(body=body, number=number):
            asked = Pending(by.id, body=body, number=number)
            return pending(case, Action.TRANSFER_OUT, asked)
        case did.ForceCloseRequested(code=code):
            return pending(case, Action.REQUEST_FORCE_CLOSE, Pending(by.id, code))
        case (
            did.ReportSubmitted()
            | did.InformationLapsed()
            | did.CaseWithdrawn()
            | did.CaseAcknowledged()
            | did.CoHandlerNamed()
            | did.ExtensionDenied()
            | did.SuspensionDenied()
            | did.CaseResumed()
            | did.SiteCheckReported()
            | did.SecondPersonDeclined()
            | did.RecheckOpened()
            | did.VisitRecorded()
            | did.AppealUpheld()
            | did.AppealDismissed()
        ):
            return case
        case _:
            assert_never(event)


def pending(case: Case, action: Action, asked: Pending) -> Case:
    return replace(case, pending={**case.pending, action: asked})
