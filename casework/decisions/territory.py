"""属地: dispatch, return, recall, designation, reclassification, merging of cases.

The map is not known here: the dispatcher's verdict arrives with the command.
"""

from datetime import datetime
from uuid import UUID

from casework import clocks, special_periods
from casework import commands as ask
from casework import events as did
from casework.decisions.asking import KEPT_AT_THE_END, Asking, sealed
from casework.errors import (
    ConflictOfInterest,
    Exhausted,
    Missing,
    NothingPending,
    TooLate,
    UnknownCase,
)
from casework.lifecycle import BEFORE_CLOSING, LABELS, NAME_OF, OPEN, Action, Status
from casework.model import (
    ActorKind,
    Assignment,
    Certainty,
    Clock,
    ClockStarted,
    ClockStopped,
    Limit,
    Sealed,
    StreetCode,
    Unit,
)
from casework.state import Case

MOST_DUTY_HOURS_TO_RETURN = Limit(4, Unit.DUTY_HOUR)
RETURNS_BEFORE_DESIGNATION = 2


def dispatched(
    a: Asking,
    street: StreetCode,
    assignment: Assignment,
    indicator: str,
    condition: str,
    *,
    waited: ClockStarted | None = None,
    reason: Sealed | None = None,
    designated: bool = False,
) -> did.CaseDispatched:
    """派遣: the limit for that 街镇, place kind and day, frozen with its due time.

    In a 特殊时段 with a limit of its own, that is the limit.

    `waited` is a dispatch clock that was started by this very command and ends with it.
    """
    on = a.at.astimezone(clocks.SHANGHAI).date()
    plain = a.rules.limit(indicator, condition, street, a.case.place.kind, on)
    period = special_periods.limit_at(a.special, street, indicator, a.at)
    limit = period.limit if period and period.limit else plain
    handling = a.start_handling(
        "dispatch",
        limit,
        street=street,
        indicator=indicator,
        plain=None if limit == plain else plain,
    )
    stopped: tuple[ClockStopped, ...]
    if waited is not None:
        stopped = (clocks.stop(waited, a.at, a.at, a.rules.calendar, "dispatch"),)
    else:
        stopped = a.stop_all("dispatch")
    return did.CaseDispatched(
        street=street,
        assignment=assignment,
        limit=limit,
        due_at=handling.due_at,
        versions=a.rules.versions,
        reason=reason,
        designated=designated,
        special_period=period.number if period else None,
        stopped=stopped,
        started=(a.start(Clock.ACKNOWLEDGE, "dispatch"), handling),
    )


def certain(a: Asking, proposal: Assignment) -> bool:
    """Whether no person is needed: inside, and not a street whose return was accepted."""
    return (
        proposal.certainty is Certainty.INSIDE
        and proposal.street is not None
        and proposal.street not in a.case.returned_by
    )


def dispatch(a: Asking, c: ask.Dispatch) -> list[did.Event]:
    """A person may choose otherwise than the dispatcher proposes, and says why."""
    returned = c.street in a.case.returned_by
    if a.by.kind is ActorKind.DISPATCHER and not certain(a, c.proposal):
        raise Missing("street", "属地不明确或该街镇的退回已被接受，须由审核员派遣。")
    if (returned or c.street != c.proposal.street) and c.reason is None:
        raise Missing("reason", "派往的街镇与系统建议不同，请写明理由。")
    return [_dispatched(a, c.street, c.proposal, c.reason)]


def designate(a: Asking, c: ask.Designate) -> list[did.Event]:
    """先处置后定责: after two accepted returns a supervisor names the street, for good."""
    if a.case.accepted_returns < RETURNS_BEFORE_DESIGNATION:
        raise Missing("street", "两次退回被接受之后才能指定派遣。")
    return [_dispatched(a, c.street, c.proposal, c.reason, designated=True)]


def _dispatched(
    a: Asking,
    street: StreetCode,
    proposal: Assignment,
    reason: ask.Words | None,
    *,
    designated: bool = False,
) -> did.Event:
    assert a.case.indicator and a.case.condition, "a registered case has both"
    return dispatched(
        a,
        street,
        proposal,
        a.case.indicator,
        a.case.condition,
        reason=sealed(reason),
        designated=designated,
    )


def recall(a: Asking, c: ask.Recall) -> list[did.Event]:
    assert a.case.street
    return [
        did.CaseRecalled(
            street=a.case.street,
            reason=c.reason.sealed,
            stopped=a.stop_all("recall"),
            started=(a.start(Clock.DISPATCH, "recall"),),
        )
    ]


def request_return(a: Asking, c: ask.RequestReturn) -> list[did.Event]:
    """退回: within a quarter of the limit and four duty hours; the handling clock runs on."""
    may_return(a)
    return [
        did.ReturnRequested(
            code=a.code(c.code, "T", c.words),
            words=sealed(c.words),
            started=(a.start(Clock.RETURN, "request_return"),),
        )
    ]


def may_return(a: Asking) -> datetime:
    """Until when the 街镇 may ask to return the case.

    Raises:
        Missing: it was designated.
        Exhausted: it was asked for already.
        TooLate: that time is over.

    """
    name = NAME_OF[Action.REQUEST_RETURN]
    if a.case.designated:
        raise Missing("code", "指定派遣的案件不得退回，请先处置后定责。")
    if a.case.return_asked:
        raise Exhausted(name, 1, "次派遣")
    until = _return_until(a)
    if a.at > until:
        raise TooLate(name, until)
    return until


def _return_until(a: Asking) -> datetime:
    assert a.case.limit and a.case.dispatched_at and a.case.street and a.case.indicator
    calendar, since = a.rules.calendar, a.case.dispatched_at
    skips = a.skips(a.case.street, a.case.indicator)
    return min(
        calendar.after(
            clocks.family(most.unit), since, clocks.micros(most, calendar) // part, skips
        )[0]
        for most, part in ((a.case.limit, 4), (MOST_DUTY_HOURS_TO_RETURN, 1))
    )


def accept_return(a: Asking) -> list[did.Event]:
    """The street is not proposed again; another starts with the full limit."""
    a.never_asked(Action.ACCEPT_RETURN, Action.REQUEST_RETURN)
    assert a.case.street
    return [
        did.ReturnAccepted(
            street=a.case.street,
            code=a.case.pending[Action.REQUEST_RETURN].code,
            stopped=a.stop_all("accept_return"),
            started=(a.start(Clock.DISPATCH, "accept_return"),),
        )
    ]


def reject_return(a: Asking, c: ask.RejectReturn) -> list[did.Event]:
    return [
        did.ReturnRejected(
            code=a.code(c.code, "TR", c.words),
            words=sealed(c.words),
            stopped=a.stop(Clock.RETURN, "reject_return"),
        )
    ]


def reclassify(a: Asking, c: ask.Reclassify) -> list[did.Event]:
    """改类: elapsed time is kept, the new limit counts from the dispatch."""
    law = a.current if a.case.versions is None else a.rules
    indicator = law.catalogue.indicator(c.indicator)
    if a.case.versions is not None and c.condition is None:
        raise Missing("condition", "已立案的案件改类须选择立案条件。")
    if c.condition is not None:
        indicator.row(c.condition)
    started: tuple[ClockStarted, ...] = ()
    stopped: tuple[ClockStopped, ...] = ()
    if a.case.status is Status.HANDLING:
        assert c.condition and a.case.street
        assert a.case.dispatched_at
        on = a.case.dispatched_at.astimezone(clocks.SHANGHAI).date()
        limit = a.rules.limit(c.indicator, c.condition, a.case.street, a.case.place.kind, on)
        stopped = (
            *a.stop(Clock.HANDLING, "reclassify", final=False),
            *a.stop(Clock.EXTENSION, "reclassify"),
        )
        started = (
            a.start_handling(
                "reclassify",
                limit,
                street=a.case.street,
                indicator=c.indicator,
                carried=counted_anew(a, limit, c.indicator),
                spans=a.handled(),
            ),
        )
    return [
        did.CaseReclassified(
            indicator=c.indicator,
            condition=c.condition,
            reason=c.reason.sealed,
            started=started,
            stopped=stopped,
        )
    ]


def counted_anew(a: Asking, limit: Limit, indicator: str) -> int:
    """Handling time since the dispatch, counted anew in the limit's own kind of time."""
    assert a.case.street
    kind, skips = clocks.family(limit.unit), a.skips(a.case.street, indicator)
    counted = a.rules.calendar.counted
    return sum(counted(kind, first, last, skips) for first, last in a.handled())


def correct_place(c: ask.CorrectPlace) -> list[did.Event]:
    return [did.PlaceCorrected(place=c.place, assignment=c.assignment, reason=c.reason.sealed)]


def revoke_registration(a: Asking, c: ask.RevokeRegistration) -> list[did.Event]:
    require_no_second(a, Action.REVOKE_REGISTRATION)
    return [
        did.RevocationRequested(
            code=a.code(c.code, "X", c.words),
            words=c.words.sealed,
            started=(a.start(Clock.SECOND_PERSON, "revoke_registration"),),
        )
    ]


def confirm_revocation(a: Asking) -> list[did.Event]:
    a.never_own(Action.CONFIRM_REVOCATION)
    a.never_asked(Action.CONFIRM_REVOCATION, Action.REVOKE_REGISTRATION)
    return [
        did.RegistrationRevoked(
            code=a.case.pending[Action.REVOKE_REGISTRATION].code,
            stopped=a.stop_all("confirm_revocation", KEPT_AT_THE_END),
            started=() if a.case.objected else (a.start(Clock.OBJECTION, "confirm_revocation"),),
        )
    ]


def require_no_second(a: Asking, action: Action) -> None:
    """One request for a second person at a time."""
    if Clock.SECOND_PERSON in a.case.clocks:
        raise NothingPending(NAME_OF[action], "已有一项申请在等第二人确认，请先办结。")


def merge(a: Asking, c: ask.Merge) -> list[did.Event | tuple[UUID, did.Event]]:
    """并案. Told to this case, to its primary, and to the cases merged into this one before."""
    if a.case.status is Status.SUBMITTED:
        require_other_reviewer(a, Action.MERGE)
    if c.primary == a.case_id or c.primary in a.case.absorbed:
        raise Missing("primary", "不能并入自己或已并入本案的案件。")
    primary_id, primary = _primary(a, c.primary)
    if primary.status not in BEFORE_CLOSING:
        now = LABELS[primary.status].staff
        raise Missing("primary", f"主案目前是「{now}」，不能再并入其他案件。")
    told: list[did.Event | tuple[UUID, did.Event]] = [
        did.CaseMerged(
            primary=primary_id,
            primary_number=primary.number,
            stopped=a.stop_all("merge", KEPT_AT_THE_END),
        ),
        (primary_id, absorbed(a.case_id, a.case.number, a.case.own_reporters)),
    ]
    for child_id, reporters in a.case.absorbed.items():
        child = a.others[child_id]
        again = did.CaseMerged(primary=primary_id, primary_number=primary.number, repointed=True)
        told += [
            (child_id, again),
            (primary_id, absorbed(child_id, child.number, reporters)),
        ]
    return told


def require_other_reviewer(a: Asking, action: Action) -> None:
    """After an objection another reviewer decides."""
    if a.case.objected and a.by.id in a.case.refused_by:
        raise ConflictOfInterest(NAME_OF[action], "市民异议针对的是您的决定")


def absorbed(case_id: UUID, number: str, reporters: tuple[UUID, ...]) -> did.CaseAbsorbed:
    return did.CaseAbsorbed(secondary=case_id, secondary_number=number, reporters=reporters)


def _primary(a: Asking, wanted: UUID) -> tuple[UUID, Case]:
    """The case to merge into; a merged one leads on to its own primary (no chains)."""
    case = a.others.get(wanted)
    if case is None:
        raise UnknownCase(wanted)
    if case.merged_into is None:
        return wanted, case
    return case.merged_into, a.others[case.merged_into]


def unmerge(a: Asking, c: ask.Unmerge) -> list[did.Event | tuple[UUID, did.Event]]:
    """拆分: back to review, while the primary is open."""
    assert a.case.merged_into
    primary = a.others[a.case.merged_into]
    if primary.status not in OPEN:
        raise Missing("primary", "主案已经结束，不能再拆分。")
    limit = a.current.step(Clock.REVIEW, danger=a.case.danger)
    return [
        did.CaseUnmerged(
            primary=a.case.merged_into,
            reason=c.reason.sealed,
            started=(a.start(Clock.REVIEW, "unmerge", limit), *a.still_noted("unmerge")),
        ),
        (
            a.case.merged_into,
            did.CaseReleased(secondary=a.case_id, reporters=a.case.own_reporters),
        ),
    ]
