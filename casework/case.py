"""The case: one report, from the citizen's phone to the archive.

`decide` holds the rules and may refuse: the table says who may act from where, the rooms of
`casework.decisions` say what then happens. `evolve` holds the meaning of the past and may not
refuse: it reads no clock, no rules and no ids, so that a rule tightened today cannot unsay
what happened yesterday.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from typing import Protocol, assert_never
from uuid import UUID

from msgspec.structs import replace

from casework import commands as ask
from casework import events as did
from casework.decisions import clockwork, closing, handling, intake, oversight, territory
from casework.decisions.asking import Asking, require, require_said
from casework.evolution import (
    asked_of,
    clocked,
    opened,
    pending,
    relimited,
    requested,
    undispatched,
    waited,
    with_street,
)
from casework.lifecycle import ACTION_OF, Action
from casework.model import Actor
from casework.state import Case, Pending, Rating, asked_by

Happening = did.Event | tuple[UUID, did.Event]
"""An event of the case itself, or of another case that the command touches (merging)."""


def decide(a: Asking, command: ask.Command) -> list[Happening]:
    """Answer a command with what now happens, or refuse it.

    Raises:
        Refusal: the rules stand against it; nothing happens.

    """
    require(a, ACTION_OF[type(command)])
    require_said(command)
    match command:
        case ask.Submit():
            return [*intake.submit(a, command)]
        case ask.RequestInformation():
            return [*intake.request_information(a, command)]
        case ask.SupplyInformation():
            return [*intake.supply_information(a, command)]
        case ask.LapseInformation():
            return [*intake.lapse_information(a)]
        case ask.AddInformation():
            return [*intake.add_information(a, command)]
        case ask.Join():
            return [*intake.join(a, command)]
        case ask.Withdraw():
            return [*intake.withdraw(a)]
        case ask.Register():
            return [*intake.register(a, command)]
        case ask.Refuse():
            return [*intake.refuse(a, command)]
        case ask.Object():
            return [*intake.object_(a, command)]
        case ask.Merge():
            return territory.merge(a, command)
        case ask.Unmerge():
            return territory.unmerge(a, command)
        case ask.RevokeRegistration():
            return [*territory.revoke_registration(a, command)]
        case ask.ConfirmRevocation():
            return [*territory.confirm_revocation(a)]
        case ask.Reclassify():
            return [*territory.reclassify(a, command)]
        case ask.CorrectPlace():
            return [*territory.correct_place(command)]
        case ask.Dispatch():
            return [*territory.dispatch(a, command)]
        case ask.Designate():
            return [*territory.designate(a, command)]
        case ask.Recall():
            return [*territory.recall(a, command)]
        case ask.RequestReturn():
            return [*territory.request_return(a, command)]
        case ask.AcceptReturn():
            return [*territory.accept_return(a)]
        case ask.RejectReturn():
            return [*territory.reject_return(a, command)]
        case ask.Acknowledge():
            return [*handling.acknowledge(a)]
        case ask.Assign():
            return [*handling.assign(command)]
        case ask.RequestCoordination():
            return [*handling.request_coordination(a, command)]
        case ask.NameCoHandler():
            return [*handling.name_co_handler(a, command)]
        case ask.RequestExtension():
            return [*handling.request_extension(a, command)]
        case ask.GrantExtension():
            return [*handling.grant_extension(a)]
        case ask.DenyExtension():
            return [*handling.deny_extension(a, command)]
        case ask.RequestSuspension():
            return [*handling.request_suspension(a, command)]
        case ask.GrantSuspension():
            return [*handling.grant_suspension(a)]
        case ask.DenySuspension():
            return [*handling.deny_suspension(a, command)]
        case ask.Resume():
            return [*handling.resume(a)]
        case ask.Rectify():
            return [*handling.rectify(a, command)]
        case ask.RequestSiteCheck():
            return [*closing.request_site_check(a, command)]
        case ask.ReportSiteCheck():
            return [*closing.report_site_check(a, command)]
        case ask.OrderRework():
            return [*closing.order_rework(a, command)]
        case ask.HandBackUnreadable():
            return [*closing.hand_back_unreadable(a, command)]
        case ask.Close():
            return [*closing.close(a, command)]
        case ask.TransferOut():
            return [*closing.transfer_out(a, command)]
        case ask.ConfirmTransferOut():
            return [*closing.confirm_transfer_out(a)]
        case ask.RequestForceClose():
            return [*closing.request_force_close(a, command)]
        case ask.ConfirmForceClose():
            return [*closing.confirm_force_close(a)]
        case ask.DeclineSecond():
            request = asked_by(a.case, Action.DECLINE_SECOND)
            assert request
            return [*closing.decline_second(a, command, request)]
        case ask.Notify():
            return [*closing.notify(a, command)]
        case ask.Rate():
            return [*closing.rate(a, command)]
        case ask.LapseRating():
            return [*closing.lapse_rating(a)]
        case ask.SettleDueTimes():
            return [*clockwork.settle_due_times(a)]
        case ask.ApplySpecialPeriods():
            return [*clockwork.apply_special_periods(a)]
        case ask.RecordVisit():
            return [*closing.record_visit(a, command)]
        case ask.Uphold():
            return [*closing.uphold(a, command)]
        case ask.Reopen():
            return [*closing.reopen(a, command)]
        case ask.SuperviseReopen():
            return [*closing.supervise_reopen(a, command)]
        case ask.Appeal():
            return [*oversight.appeal(a, command)]
        case ask.UpholdAppeal():
            return [*oversight.uphold_appeal(a, command)]
        case ask.DismissAppeal():
            return [*oversight.dismiss_appeal(a, command)]
        case ask.Note():
            return [*oversight.note(a, command)]
        case ask.AnswerNote():
            return [*oversight.answer_note(a, command)]
        case ask.Claim():
            return [*oversight.claim(a)]
        case ask.Release():
            return [*oversight.release(a)]
        case _:
            assert_never(command)


def evolve(before: Case | None, event: did.Event, at: datetime, by: Actor) -> Case:
    """The case after an event. Total: the past is never refused."""
    if isinstance(event, did.ReportSubmitted):
        before = opened(event, at, by)
    assert before, "every history begins with ReportSubmitted"
    case = clocked(before, event, at)
    match event:
        case did.InformationRequested():
            return replace(case, information_requests=case.information_requests + 1)
        case did.InformationSupplied() | did.InformationAdded():
            return replace(case, has_new_information=True)
        case did.ReporterJoined(person=person):
            own = (*case.own_reporters, person)
            return replace(case, own_reporters=own, has_new_information=True)
        case did.ReporterLeft(person=person):
            own = tuple(p for p in case.own_reporters if p != person)
            brought = {k: tuple(p for p in v if p != person) for k, v in case.absorbed.items()}
            gone = (*case.left, person)
            return replace(case, own_reporters=own, absorbed=brought, left=gone)
        case did.CaseRegistered(indicator=indicator, condition=row, versions=versions):
            return replace(case, indicator=indicator, condition=row, versions=versions)
        case did.CaseRefused():
            return replace(case, refused_by=frozenset({by.id}), has_new_information=False)
        case did.RegistrationRevoked():
            both = asked_of(before, Action.REVOKE_REGISTRATION) | {by.id}
            return replace(case, refused_by=both, has_new_information=False)
        case did.RefusalObjected():
            return replace(case, objected=True, versions=None)
        case did.CaseMerged(primary=primary):
            return replace(case, merged_into=primary, absorbed={})
        case did.CaseAbsorbed(secondary=other, reporters=persons):
            return replace(case, absorbed={**case.absorbed, other: persons})
        case did.CaseUnmerged():
            return replace(undispatched(case), merged_into=None, versions=None)
        case did.CaseReleased(secondary=other):
            return replace(case, absorbed={k: v for k, v in case.absorbed.items() if k != other})
        case did.CaseReclassified(indicator=indicator, condition=row):
            return replace(relimited(case, event), indicator=indicator, condition=row)
        case did.PlaceCorrected(place=place, assignment=assignment):
            return replace(case, place=place, assignment=assignment)
        case did.CaseDispatched():
            return with_street(case, event, at, by)
        case did.CaseReopened(round=number):
            case = with_street(case, event, at, by)
            return replace(case, round=number, was_suspended=False, notified=False)
        case did.CaseRecalled():
            return undispatched(case)
        case did.ReturnRequested(code=code):
            case = pending(case, Action.REQUEST_RETURN, Pending(by.id, code))
            return replace(case, return_asked=True)
        case did.ReturnAccepted(street=street):
            case = replace(undispatched(case), accepted_returns=case.accepted_returns + 1)
            return replace(case, returned_by=case.returned_by | {street})
        case did.ReturnRejected():
            return replace(case, return_rejected_by=by.id)
        case did.ExtensionGranted():
            return replace(case, extensions=case.extensions + 1)
        case did.CaseSuspended():
            return replace(case, was_suspended=True)
        case did.HandlerAssigned(link=link):
            return replace(case, upload_link=link)
        case did.CaseRectified(photos=photos):
            handed_over = tuple(photo.upload for photo in photos)
            return replace(case, rectified_at=at, upload_link=None, handed_over=handed_over)
        case did.RectificationUnreadable():
            return replace(case, spans=waited(case, at))
        case did.ReworkOrdered(verification_counts=counts):
            return replace(case, rework_by=by.id, spans=waited(case, at) if counts else case.spans)
        case did.CaseClosed() | did.CaseTransferred() | did.CaseForceClosed():
            asked = asked_of(before, Action.TRANSFER_OUT, Action.REQUEST_FORCE_CLOSE)
            case = replace(case, closed_by=asked | {by.id}, closed_at=at)
            return replace(case, has_new_information=False)
        case did.CitizenNotified(channel=channel):
            return replace(case, notified=case.notified or channel != closing.IN_APP)
        case did.CaseRated(person=person, round=number, solved=solved):
            return replace(case, ratings=(*case.ratings, Rating(person, number, solved)))
        case did.CaseCompleted() | did.RecheckUpheld():
            return replace(case, completed_at=at)
        case did.RatingLapsed(fell_due_at=fell_due_at):
            return replace(case, completed_at=fell_due_at or at)
        case did.AppealMade(code=code):
            case = pending(case, Action.APPEAL, Pending(by.id, code))
            return replace(case, appealed=True, appeal_code=code)
        case did.InstructionNoted(note=number):
            return replace(case, notes=(*case.notes, number))
        case did.InstructionAnswered(note=number):
            return replace(case, notes_answered=(*case.notes_answered, number))
        case did.CaseClaimed(until=until):
            return replace(case, claimed_by=by.id, claimed_until=until)
        case did.DueTimesSettled(versions=versions):
            return replace(case, versions=versions or case.versions)
        case did.SpecialPeriodsApplied(limit=limit, limit_of=number):
            raised = case.raised_by if number is None else case.raised_by | {number}
            return replace(case, limit=limit or case.limit, raised_by=raised)
        case did.ClaimReleased():
            return replace(case, claimed_by=None, claimed_until=None)
        case _:
            return requested(case, event, by)


class Happened(Protocol):
    """An event with its moment and its actor, as the log or a test tells it."""

    @property
    def event(self) -> did.Event: ...
    @property
    def at(self) -> datetime: ...
    @property
    def actor(self) -> Actor: ...


def fold(history: Iterable[Happened], case: Case | None = None) -> Case | None:
    """The case that a history tells of."""
    return reduce(lambda c, h: evolve(c, h.event, h.at, h.actor), history, case)
