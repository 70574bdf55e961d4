"""A change of reference data between two people: one proposes, another confirms.

A small aggregate, one stream a proposal. It knows who may and who may not; what the change may say
is the business of the stream that it changes.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from typing import NamedTuple, TypeAlias, assert_never

import msgspec

from casework import catalogue as catalogues
from casework import reference, special_periods
from casework.errors import ConflictOfInterest, Missing, NothingPending, NotPermitted
from casework.model import Actor, Role
from casework.reference import AdoptBoundaries, PublishYear, References, SetWindows
from casework.special_periods import DeclareSpecialPeriod, MoveSpecialPeriodEnd

Change: TypeAlias = (
    catalogues.Command | reference.CalendarCommand | AdoptBoundaries | special_periods.Command
)

NAME = "基础数据变更"


# Commands ------------------------------------------------------------------------------------


class Propose(msgspec.Struct, frozen=True, kw_only=True):
    change: Change
    reason: str


class Confirm(msgspec.Struct, frozen=True):
    pass


class Decline(msgspec.Struct, frozen=True, kw_only=True):
    reason: str


class Withdraw(msgspec.Struct, frozen=True):
    pass


Command: TypeAlias = Propose | Confirm | Decline | Withdraw


# Events --------------------------------------------------------------------------------------


class ChangeProposed(msgspec.Struct, frozen=True, kw_only=True):
    change: Change
    reason: str
    proposed_by: str


class ChangeConfirmed(msgspec.Struct, frozen=True, kw_only=True):
    confirmed_by: str


class ChangeDeclined(msgspec.Struct, frozen=True, kw_only=True):
    declined_by: str
    reason: str


class ChangeWithdrawn(msgspec.Struct, frozen=True):
    pass


Event: TypeAlias = ChangeProposed | ChangeConfirmed | ChangeDeclined | ChangeWithdrawn

STORED_AS: dict[str, type[Event]] = {
    "change-proposed": ChangeProposed,
    "change-confirmed": ChangeConfirmed,
    "change-declined": ChangeDeclined,
    "change-withdrawn": ChangeWithdrawn,
}


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A proposed change; `closed` once it is confirmed, declined or withdrawn."""

    change: Change
    reason: str
    proposed_by: str
    closed: bool = False


class Changes(NamedTuple):
    """Further events of the reference streams, to be appended with those of the proposal."""

    catalogue: Sequence[catalogues.Event] = ()
    calendar: Sequence[reference.CalendarEvent] = ()
    boundaries: Sequence[reference.BoundariesEvent] = ()
    special: Sequence[special_periods.Event] = ()


class Decided(NamedTuple):
    """The proposal's own events, and what they bring about."""

    events: Sequence[Event]
    changes: Changes = Changes()


def decide(
    proposal: Proposal | None, command: Command, by: Actor, references: References, now: datetime
) -> Decided:
    """What follows, or a Refusal.

    A change is held to the guards of its stream when proposed and again when confirmed, since the
    stream and the clock may have moved on in between. Whoever proposed cannot confirm.
    """
    match command:
        case Propose(change=change, reason=reason):
            _require_role(by, _proposer(change), "提出")
            if not reason.strip():
                raise Missing("reason", "请写明变更理由。")
            changes_of(change, references, now)
            return Decided([ChangeProposed(change=change, reason=reason, proposed_by=by.id)])
        case Confirm():
            _require_role(by, Role.SUPERVISOR, "确认")
            waiting = _waiting(proposal)
            if by.id == waiting.proposed_by:
                raise ConflictOfInterest(f"确认{NAME}", "变更由您提出")
            changes = changes_of(waiting.change, references, now)
            return Decided([ChangeConfirmed(confirmed_by=by.id)], changes)
        case Decline(reason=reason):
            _require_role(by, Role.SUPERVISOR, "不同意")
            _waiting(proposal)
            if not reason.strip():
                raise Missing("reason", "请写明不同意的理由。")
            return Decided([ChangeDeclined(declined_by=by.id, reason=reason)])
        case Withdraw():
            if by.id != _waiting(proposal).proposed_by:
                raise ConflictOfInterest(f"撤回{NAME}", "只能由提出人撤回")
            return Decided([ChangeWithdrawn()])
        case _:
            assert_never(command)


def changes_of(change: Change, references: References, now: datetime) -> Changes:
    """The events the change would be now, or the Refusal of the stream that it changes."""
    match change:
        case PublishYear() | SetWindows():
            return Changes(calendar=reference.decide_calendar(references.calendar, change, now))
        case DeclareSpecialPeriod() | MoveSpecialPeriodEnd():
            return Changes(special=special_periods.decide(references.special, change, now))
        case AdoptBoundaries():
            adopted = reference.decide_boundaries(references.boundaries, change, now)
            return Changes(boundaries=adopted)
        case _:
            head = catalogues.fold(references.catalogue)
            return Changes(catalogue=catalogues.decide(head, change, now))


def _proposer(change: Change) -> Role:
    """特殊时段 are the supervisors' to declare; what the desks work by is the administrator's."""
    match change:
        case DeclareSpecialPeriod() | MoveSpecialPeriodEnd():
            return Role.SUPERVISOR
        case _:
            return Role.SYSADMIN


def _require_role(by: Actor, role: Role, verb: str) -> None:
    if not by.holds(role):
        needs = {Role.SYSADMIN: "系统管理员", Role.SUPERVISOR: "督办员"}[role]
        raise NotPermitted(f"{verb}{NAME}", (needs,))


def _waiting(proposal: Proposal | None) -> Proposal:
    if proposal is None or proposal.closed:
        raise NothingPending(NAME, "没有待确认的变更，可能已确认、不同意或撤回。")
    return proposal


def evolve(proposal: Proposal | None, event: Event) -> Proposal | None:
    """The proposal after the event. Refuses nothing."""
    match event:
        case ChangeProposed(change=change, reason=reason, proposed_by=proposed_by):
            return Proposal(change=change, reason=reason, proposed_by=proposed_by)
        case ChangeConfirmed() | ChangeDeclined() | ChangeWithdrawn():
            return proposal and msgspec.structs.replace(proposal, closed=True)
        case _:
            assert_never(event)


def fold(history: Sequence[Event]) -> Proposal | None:
    """The proposal after these events; None before the first."""
    nothing: Proposal | None = None
    return reduce(evolve, history, nothing)
