"""What may be asked of a case. Imperative, and refusable. Data only.

Words arrive sealed: `Words` carries the sealed text and how long it was, which is all that a
rule may know of it. Geography arrives as the dispatcher's verdict (`Assignment`).
"""

from datetime import date
from typing import TypeAlias
from uuid import UUID

import msgspec

from casework.evidence import Finding
from casework.model import (
    Assignment,
    Consents,
    ExternalRef,
    Limit,
    Outcome,
    Photo,
    Place,
    Recognition,
    Sealed,
    Solved,
    StreetCode,
)


class Words(msgspec.Struct, frozen=True):
    """A sealed text and its length in characters."""

    sealed: Sealed
    length: int


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A command."""


# 市民 ------------------------------------------------------------------------------------


class Submit(Ask, frozen=True, kw_only=True):
    """上报. `number` is filled in at the door, where a number already taken is seen."""

    person: UUID
    place: Place
    assignment: Assignment
    number: str = ""
    indicator: str | None = None
    text: Words | None = None
    recording: Photo | None = None
    photos: tuple[Photo, ...] = ()
    no_photo_reason: str | None = None
    contact: Sealed | None = None
    consents: Consents = Consents()
    channel: str = "app"
    external_refs: tuple[ExternalRef, ...] = ()
    danger: tuple[str, ...] = ()
    out_of_scope: tuple[str, ...] = ()
    recurrence_of: UUID | None = None
    demonstration: bool = False
    recognition: Recognition | None = None


class SupplyInformation(Ask, frozen=True, kw_only=True):
    text: Words | None = None
    photos: tuple[Photo, ...] = ()


class AddInformation(Ask, frozen=True, kw_only=True):
    text: Words | None = None
    photos: tuple[Photo, ...] = ()


class Join(Ask, frozen=True, kw_only=True):
    text: Words | None = None
    photos: tuple[Photo, ...] = ()
    contact: Sealed | None = None
    consents: Consents = Consents()


class Withdraw(Ask, frozen=True, kw_only=True):
    pass


class Object(Ask, frozen=True, kw_only=True):
    words: Words


class Rate(Ask, frozen=True, kw_only=True):
    solved: Solved
    satisfaction: int
    efficiency: int
    words: Words | None = None


# 审核员 -----------------------------------------------------------------------------------


class RequestInformation(Ask, frozen=True, kw_only=True):
    code: str
    question: Words


class Register(Ask, frozen=True, kw_only=True):
    """立案. `proposal` is the dispatcher's verdict now; certain, it dispatches at once."""

    indicator: str
    condition: str
    proposal: Assignment | None = None
    recurrence_of: UUID | None = None


class Refuse(Ask, frozen=True, kw_only=True):
    code: str
    words: Words


class Merge(Ask, frozen=True, kw_only=True):
    primary: UUID


class Unmerge(Ask, frozen=True, kw_only=True):
    reason: Words


class RevokeRegistration(Ask, frozen=True, kw_only=True):
    code: str
    words: Words


class ConfirmRevocation(Ask, frozen=True, kw_only=True):
    pass


class Reclassify(Ask, frozen=True, kw_only=True):
    indicator: str
    reason: Words
    condition: str | None = None


class CorrectPlace(Ask, frozen=True, kw_only=True):
    place: Place
    assignment: Assignment
    reason: Words


class Dispatch(Ask, frozen=True, kw_only=True):
    """派遣. `proposal` is what the dispatcher says now; another street needs a reason."""

    street: StreetCode
    proposal: Assignment
    reason: Words | None = None


class Designate(Ask, frozen=True, kw_only=True):
    street: StreetCode
    proposal: Assignment
    reason: Words


class Recall(Ask, frozen=True, kw_only=True):
    reason: Words


class AcceptReturn(Ask, frozen=True, kw_only=True):
    pass


class RejectReturn(Ask, frozen=True, kw_only=True):
    code: str
    words: Words | None = None


class RequestSiteCheck(Ask, frozen=True, kw_only=True):
    words: Words


class ReportSiteCheck(Ask, frozen=True, kw_only=True):
    findings: Words
    photos: tuple[Photo, ...] = ()


class OrderRework(Ask, frozen=True, kw_only=True):
    """返工. `findings` are those on the photos handed over, as the door knows them."""

    code: str
    words: Words
    findings_seen: tuple[UUID, ...] = ()
    findings: tuple[Finding, ...] = ()


class Close(Ask, frozen=True, kw_only=True):
    """结案. `standard_met` is the closing standard of the condition row, ticked.

    `findings` are those on the photos handed over, as the door knows them.
    """

    standard_met: bool
    reply: Words
    findings_seen: tuple[UUID, ...] = ()
    findings: tuple[Finding, ...] = ()


class Uphold(Ask, frozen=True, kw_only=True):
    code: str
    words: Words
    photos: tuple[Photo, ...] = ()


class Reopen(Ask, frozen=True, kw_only=True):
    """重办. Goes to the same street unless `street` names another."""

    code: str
    words: Words
    street: StreetCode | None = None
    proposal: Assignment | None = None


class RecordVisit(Ask, frozen=True, kw_only=True):
    words: Words
    solved: Solved | None = None
    satisfaction: int | None = None


# 街镇 ------------------------------------------------------------------------------------


class Acknowledge(Ask, frozen=True, kw_only=True):
    pass


class Assign(Ask, frozen=True, kw_only=True):
    handler: str
    link: str | None = None


class RequestReturn(Ask, frozen=True, kw_only=True):
    code: str
    words: Words | None = None


class RequestCoordination(Ask, frozen=True, kw_only=True):
    code: str
    words: Words | None = None


class RequestExtension(Ask, frozen=True, kw_only=True):
    code: str
    by: Limit
    words: Words | None = None


class RequestSuspension(Ask, frozen=True, kw_only=True):
    code: str
    resume_on: date
    words: Words | None = None


class Resume(Ask, frozen=True, kw_only=True):
    pass


class Rectify(Ask, frozen=True, kw_only=True):
    outcome: Outcome
    photos: tuple[Photo, ...]
    words: Words
    demonstration: bool = False


class Appeal(Ask, frozen=True, kw_only=True):
    code: str
    words: Words


class AnswerNote(Ask, frozen=True, kw_only=True):
    note: int
    words: Words


class Claim(Ask, frozen=True, kw_only=True):
    pass


class Release(Ask, frozen=True, kw_only=True):
    pass


# 督办员 -----------------------------------------------------------------------------------


class NameCoHandler(Ask, frozen=True, kw_only=True):
    body: str
    limit: Limit


class GrantExtension(Ask, frozen=True, kw_only=True):
    pass


class DenyExtension(Ask, frozen=True, kw_only=True):
    words: Words


class GrantSuspension(Ask, frozen=True, kw_only=True):
    pass


class DenySuspension(Ask, frozen=True, kw_only=True):
    words: Words


class TransferOut(Ask, frozen=True, kw_only=True):
    body: str
    number: str
    words: Words | None = None


class ConfirmTransferOut(Ask, frozen=True, kw_only=True):
    pass


class RequestForceClose(Ask, frozen=True, kw_only=True):
    code: str
    words: Words


class ConfirmForceClose(Ask, frozen=True, kw_only=True):
    pass


class DeclineSecond(Ask, frozen=True, kw_only=True):
    """The second person does not agree to a revocation, transfer or forced closing."""

    words: Words


class SuperviseReopen(Ask, frozen=True, kw_only=True):
    words: Words


class UpholdAppeal(Ask, frozen=True, kw_only=True):
    words: Words | None = None


class DismissAppeal(Ask, frozen=True, kw_only=True):
    code: str
    words: Words | None = None


class Note(Ask, frozen=True, kw_only=True):
    words: Words


# 时钟 ------------------------------------------------------------------------------------


class LapseInformation(Ask, frozen=True, kw_only=True):
    pass


class LapseRating(Ask, frozen=True, kw_only=True):
    pass


class SettleDueTimes(Ask, frozen=True, kw_only=True):
    """确定到期时间: the year that was provisional has been published."""


class ApplySpecialPeriods(Ask, frozen=True, kw_only=True):
    """适用特殊时段: the due time of a handling under way, by the periods declared."""


class HandBackUnreadable(Ask, frozen=True, kw_only=True):
    """No photo of the hand-over can be read: `unreadable` names the uploads found to be so."""

    unreadable: tuple[UUID, ...]


class Notify(Ask, frozen=True, kw_only=True):
    person: UUID
    channel: str
    read: bool = False


Command: TypeAlias = (
    Submit
    | SupplyInformation
    | AddInformation
    | Join
    | Withdraw
    | Object
    | Rate
    | RequestInformation
    | Register
    | Refuse
    | Merge
    | Unmerge
    | RevokeRegistration
    | ConfirmRevocation
    | Reclassify
    | CorrectPlace
    | Dispatch
    | Designate
    | Recall
    | AcceptReturn
    | RejectReturn
    | RequestSiteCheck
    | ReportSiteCheck
    | OrderRework
    | Close
    | Uphold
    | Reopen
    | RecordVisit
    | Acknowledge
    | Assign
    | RequestReturn
    | RequestCoordination
    | RequestExtension
    | RequestSuspension
    | Resume
    | Rectify
    | Appeal
    | AnswerNote
    | Claim
    | Release
    | NameCoHandler
    | GrantExtension
    | DenyExtension
    | GrantSuspension
    | DenySuspension
    | TransferOut
    | ConfirmTransferOut
    | RequestForceClose
    | ConfirmForceClose
    | DeclineSecond
    | SuperviseReopen
    | UpholdAppeal
    | DismissAppeal
    | Note
    | LapseInformation
    | LapseRating
    | SettleDueTimes
    | ApplySpecialPeriods
    | HandBackUnreadable
    | Notify
)
