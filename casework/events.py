"""What has happened to a case. Past tense, subject first, and never unsaid.

These classes are the stored contract. A field may be added with a default, never renamed or
removed. `STORED_AS` gives the name under which each is kept, so that code can move without
touching a stored byte; tests/golden/events.json holds every form ever stored.

Every fact may start and stop clocks; the due times are frozen here when the fact is made.
"""

from datetime import date, datetime
from typing import TypeAlias
from uuid import UUID

import msgspec

from casework.model import (
    Assignment,
    Clock,
    ClockStarted,
    ClockStopped,
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
    Versions,
)


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that happened, with the clocks that it started and stopped."""

    started: tuple[ClockStarted, ...] = ()
    stopped: tuple[ClockStopped, ...] = ()


# 上报 ------------------------------------------------------------------------------------


class ReportSubmitted(Fact, frozen=True, kw_only=True):
    """A citizen, a partner, or staff on someone's behalf reported a problem."""

    number: str
    person: UUID
    place: Place
    assignment: Assignment
    versions: Versions
    indicator: str | None = None
    text: Sealed | None = None
    recording: Photo | None = None
    photos: tuple[Photo, ...] = ()
    no_photo_reason: str | None = None
    contact: Sealed | None = None
    consents: Consents = Consents()
    channel: str = "app"
    external_refs: tuple[ExternalRef, ...] = ()
    on_behalf: bool = False
    danger: tuple[str, ...] = ()
    out_of_scope: tuple[str, ...] = ()
    recurrence_of: UUID | None = None
    demonstration: bool = False
    recognition: Recognition | None = None


class InformationRequested(Fact, frozen=True, kw_only=True):
    code: str
    question: Sealed


class InformationSupplied(Fact, frozen=True, kw_only=True):
    person: UUID
    text: Sealed | None = None
    photos: tuple[Photo, ...] = ()


class InformationLapsed(Fact, frozen=True, kw_only=True):
    """Nobody answered in time (逾期未补充): it lapsed at `fell_due_at`, however late told."""

    fell_due_at: datetime | None = None


class InformationAdded(Fact, frozen=True, kw_only=True):
    """The reporter added something unasked; the case is marked 有新补充."""

    person: UUID
    text: Sealed | None = None
    photos: tuple[Photo, ...] = ()


class ReporterJoined(Fact, frozen=True, kw_only=True):
    """Another citizen met the same problem (我也遇到)."""

    person: UUID
    text: Sealed | None = None
    photos: tuple[Photo, ...] = ()
    contact: Sealed | None = None
    consents: Consents = Consents()


class ReporterLeft(Fact, frozen=True, kw_only=True):
    """One of several reporters withdrew; the case goes on."""

    person: UUID


class CaseWithdrawn(Fact, frozen=True, kw_only=True):
    person: UUID


# 审核 ------------------------------------------------------------------------------------


class CaseRegistered(Fact, frozen=True, kw_only=True):
    """立案: the indicator and its condition row, and the versions that hold from here on."""

    indicator: str
    condition: str
    versions: Versions
    recurrence_of: UUID | None = None


class CaseRefused(Fact, frozen=True, kw_only=True):
    code: str
    words: Sealed


class RefusalObjected(Fact, frozen=True, kw_only=True):
    person: UUID
    words: Sealed


class CaseMerged(Fact, frozen=True, kw_only=True):
    """并案: this case follows its primary. Said again when the primary is itself merged."""

    primary: UUID
    primary_number: str
    repointed: bool = False


class CaseAbsorbed(Fact, frozen=True, kw_only=True):
    """The primary took in another case; its reporters keep progress and rating."""

    secondary: UUID
    secondary_number: str
    reporters: tuple[UUID, ...]


class CaseUnmerged(Fact, frozen=True, kw_only=True):
    primary: UUID
    reason: Sealed


class CaseReleased(Fact, frozen=True, kw_only=True):
    secondary: UUID
    reporters: tuple[UUID, ...]


class RevocationRequested(Fact, frozen=True, kw_only=True):
    code: str
    words: Sealed


class RegistrationRevoked(Fact, frozen=True, kw_only=True):
    code: str


class CaseReclassified(Fact, frozen=True, kw_only=True):
    indicator: str
    condition: str | None
    reason: Sealed


class PlaceCorrected(Fact, frozen=True, kw_only=True):
    place: Place
    assignment: Assignment
    reason: Sealed


# 派遣 ------------------------------------------------------------------------------------


class CaseDispatched(Fact, frozen=True, kw_only=True):
    """派遣 or 指定派遣: the street, the dispatcher's verdict, and why if a person chose."""

    street: StreetCode
    assignment: Assignment
    limit: Limit
    due_at: datetime
    versions: Versions
    reason: Sealed | None = None
    designated: bool = False
    special_period: int | None = None
    """The 特殊时段 whose limit this is, by its number."""


class CaseRecalled(Fact, frozen=True, kw_only=True):
    street: StreetCode
    reason: Sealed


class CaseAcknowledged(Fact, frozen=True, kw_only=True):
    street: StreetCode


class ReturnRequested(Fact, frozen=True, kw_only=True):
    code: str
    words: Sealed | None = None


class ReturnAccepted(Fact, frozen=True, kw_only=True):
    street: StreetCode
    code: str


class ReturnRejected(Fact, frozen=True, kw_only=True):
    code: str
    words: Sealed | None = None


# 处置 ------------------------------------------------------------------------------------


class HandlerAssigned(Fact, frozen=True, kw_only=True):
    """`link` is the SHA-256 of a one-time upload link's secret, if one was made."""

    handler: str
    link: str | None = None


class CoordinationRequested(Fact, frozen=True, kw_only=True):
    code: str
    words: Sealed | None = None


class CoHandlerNamed(Fact, frozen=True, kw_only=True):
    body: str
    limit: Limit
    due_at: datetime


class ExtensionRequested(Fact, frozen=True, kw_only=True):
    code: str
    by: Limit
    words: Sealed | None = None


class ExtensionGranted(Fact, frozen=True, kw_only=True):
    by: Limit
    due_at: datetime


class ExtensionDenied(Fact, frozen=True, kw_only=True):
    words: Sealed


class SuspensionRequested(Fact, frozen=True, kw_only=True):
    code: str
    resume_on: date
    words: Sealed | None = None


class CaseSuspended(Fact, frozen=True, kw_only=True):
    code: str
    resume_on: date


class SuspensionDenied(Fact, frozen=True, kw_only=True):
    words: Sealed


class CaseResumed(Fact, frozen=True, kw_only=True):
    """恢复处置. By the clock: on the agreed day, `fell_due_at`, however late it was told."""

    due_at: datetime
    fell_due_at: datetime | None = None


class CaseRectified(Fact, frozen=True, kw_only=True):
    """整改反馈: the hand-over. Whether it is accepted is the reviewer's to say."""

    street: StreetCode
    outcome: Outcome
    photos: tuple[Photo, ...]
    words: Sealed
    demonstration: bool = False


class SiteCheckRequested(Fact, frozen=True, kw_only=True):
    words: Sealed


class SiteCheckReported(Fact, frozen=True, kw_only=True):
    findings: Sealed
    photos: tuple[Photo, ...] = ()


class ReworkOrdered(Fact, frozen=True, kw_only=True):
    """返工. `verification_counts`: with R01, R04, R05 the wait counts as handling time."""

    code: str
    words: Sealed
    findings_seen: tuple[UUID, ...] = ()
    verification_counts: bool = False


# 结案与评价 --------------------------------------------------------------------------------


class RectificationUnreadable(Fact, frozen=True, kw_only=True):
    """No photo of the hand-over could be read: back to handling, as by a rework with R04."""

    photos: tuple[UUID, ...]
    code: str = "R04"


class CaseClosed(Fact, frozen=True, kw_only=True):
    reply: Sealed
    standard: str
    findings_seen: tuple[UUID, ...] = ()


class TransferRequested(Fact, frozen=True, kw_only=True):
    body: str
    number: str
    words: Sealed | None = None


class CaseTransferred(Fact, frozen=True, kw_only=True):
    """转办: closed here, never counted as solved."""

    body: str
    number: str


class ForceCloseRequested(Fact, frozen=True, kw_only=True):
    code: str
    words: Sealed


class CaseForceClosed(Fact, frozen=True, kw_only=True):
    code: str


class SecondPersonDeclined(Fact, frozen=True, kw_only=True):
    """The second person did not agree; the case stays as it is."""

    request: str
    words: Sealed


class CitizenNotified(Fact, frozen=True, kw_only=True):
    person: UUID
    channel: str
    read: bool = False


class CaseRated(Fact, frozen=True, kw_only=True):
    person: UUID
    round: int
    solved: Solved
    satisfaction: int
    efficiency: int
    words: Sealed | None = None


class RecheckOpened(Fact, frozen=True, kw_only=True):
    """A reporter said partly or no."""


class CaseCompleted(Fact, frozen=True, kw_only=True):
    """Every reporter said solved."""


class RatingLapsed(Fact, frozen=True, kw_only=True):
    """The rating window ended, at `fell_due_at`; those who did not rate count as unrated."""

    fell_due_at: datetime | None = None


class VisitRecorded(Fact, frozen=True, kw_only=True):
    """回访: asked again by the back office; never overwrites a rating."""

    words: Sealed
    solved: Solved | None = None
    satisfaction: int | None = None


class RecheckUpheld(Fact, frozen=True, kw_only=True):
    code: str
    words: Sealed
    photos: tuple[Photo, ...] = ()


class CaseReopened(Fact, frozen=True, kw_only=True):
    """重办 or 督办重办: a new round, with half the limit."""

    code: str
    words: Sealed
    street: StreetCode
    assignment: Assignment
    limit: Limit
    due_at: datetime
    round: int
    supervised: bool = False


class AppealMade(Fact, frozen=True, kw_only=True):
    """申诉: a statistical overlay, never a change of the fact."""

    code: str
    words: Sealed


class AppealUpheld(Fact, frozen=True, kw_only=True):
    code: str
    words: Sealed | None = None


class AppealDismissed(Fact, frozen=True, kw_only=True):
    code: str
    words: Sealed | None = None


# 督办与领办 --------------------------------------------------------------------------------


class InstructionNoted(Fact, frozen=True, kw_only=True):
    """督办: an instruction that must be answered."""

    note: int
    words: Sealed


class InstructionAnswered(Fact, frozen=True, kw_only=True):
    note: int
    words: Sealed


class CaseClaimed(Fact, frozen=True, kw_only=True):
    until: datetime


class ClaimReleased(Fact, frozen=True, kw_only=True):
    pass


# 时钟 ------------------------------------------------------------------------------------


class DueTimesSettled(Fact, frozen=True, kw_only=True):
    """Years that were not published have been: provisional due times become definite.

    `versions` names the calendar that filled them in, for a case that had frozen its own.
    """

    versions: Versions | None = None


class SpecialPeriodsApplied(Fact, frozen=True, kw_only=True):
    """特殊时段 change the due time of a handling under way.

    `periods` are those that now count, by number, `names` what they are called. `limit` is the
    longer handling limit of the period `limit_of`, where there is one.
    """

    periods: tuple[int, ...]
    names: str
    due_before: datetime
    due_at: datetime
    limit: Limit | None = None
    limit_of: int | None = None


Event: TypeAlias = (
    ReportSubmitted
    | InformationRequested
    | InformationSupplied
    | InformationLapsed
    | InformationAdded
    | ReporterJoined
    | ReporterLeft
    | CaseWithdrawn
    | CaseRegistered
    | CaseRefused
    | RefusalObjected
    | CaseMerged
    | CaseAbsorbed
    | CaseUnmerged
    | CaseReleased
    | RevocationRequested
    | RegistrationRevoked
    | CaseReclassified
    | PlaceCorrected
    | CaseDispatched
    | CaseRecalled
    | CaseAcknowledged
    | ReturnRequested
    | ReturnAccepted
    | ReturnRejected
    | HandlerAssigned
    | CoordinationRequested
    | CoHandlerNamed
    | ExtensionRequested
    | ExtensionGranted
    | ExtensionDenied
    | SuspensionRequested
    | CaseSuspended
    | SuspensionDenied
    | CaseResumed
    | CaseRectified
    | SiteCheckRequested
    | SiteCheckReported
    | ReworkOrdered
    | RectificationUnreadable
    | CaseClosed
    | TransferRequested
    | CaseTransferred
    | ForceCloseRequested
    | CaseForceClosed
    | SecondPersonDeclined
    | CitizenNotified
    | CaseRated
    | RecheckOpened
    | CaseCompleted
    | RatingLapsed
    | VisitRecorded
    | RecheckUpheld
    | CaseReopened
    | AppealMade
    | AppealUpheld
    | AppealDismissed
    | InstructionNoted
    | InstructionAnswered
    | CaseClaimed
    | ClaimReleased
    | DueTimesSettled
    | SpecialPeriodsApplied
)

STORED_AS: dict[str, type[Event]] = {
    "report-submitted": ReportSubmitted,
    "information-requested": InformationRequested,
    "information-supplied": InformationSupplied,
    "information-lapsed": InformationLapsed,
    "information-added": InformationAdded,
    "reporter-joined": ReporterJoined,
    "reporter-left": ReporterLeft,
    "case-withdrawn": CaseWithdrawn,
    "case-registered": CaseRegistered,
    "case-refused": CaseRefused,
    "refusal-objected": RefusalObjected,
    "case-merged": CaseMerged,
    "case-absorbed": CaseAbsorbed,
    "case-unmerged": CaseUnmerged,
    "case-released": CaseReleased,
    "revocation-requested": RevocationRequested,
    "registration-revoked": RegistrationRevoked,
    "case-reclassified": CaseReclassified,
    "place-corrected": PlaceCorrected,
    "case-dispatched": CaseDispatched,
    "case-recalled": CaseRecalled,
    "case-acknowledged": CaseAcknowledged,
    "return-requested": ReturnRequested,
    "return-accepted": ReturnAccepted,
    "return-rejected": ReturnRejected,
    "handler-assigned": HandlerAssigned,
    "coordination-requested": CoordinationRequested,
    "co-handler-named": CoHandlerNamed,
    "extension-requested": ExtensionRequested,
    "extension-granted": ExtensionGranted,
    "extension-denied": ExtensionDenied,
    "suspension-requested": SuspensionRequested,
    "case-suspended": CaseSuspended,
    "suspension-denied": SuspensionDenied,
    "case-resumed": CaseResumed,
    "case-rectified": CaseRectified,
    "site-check-requested": SiteCheckRequested,
    "site-check-reported": SiteCheckReported,
    "rework-ordered": ReworkOrdered,
    "rectification-unreadable": RectificationUnreadable,
    "case-closed": CaseClosed,
    "transfer-requested": TransferRequested,
    "case-transferred": CaseTransferred,
    "force-close-requested": ForceCloseRequested,
    "case-force-closed": CaseForceClosed,
    "second-person-declined": SecondPersonDeclined,
    "citizen-notified": CitizenNotified,
    "case-rated": CaseRated,
    "recheck-opened": RecheckOpened,
    "case-completed": CaseCompleted,
    "rating-lapsed": RatingLapsed,
    "visit-recorded": VisitRecorded,
    "recheck-upheld": RecheckUpheld,
    "case-reopened": CaseReopened,
    "appeal-made": AppealMade,
    "appeal-upheld": AppealUpheld,
    "appeal-dismissed": AppealDismissed,
    "instruction-noted": InstructionNoted,
    "instruction-answered": InstructionAnswered,
    "case-claimed": CaseClaimed,
    "claim-released": ClaimReleased,
    "due-times-settled": DueTimesSettled,
    "special-periods-applied": SpecialPeriodsApplied,
}


# Facts of other streams --------------------------------------------------------------------


class ReportTurnedAway(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A report from outside the district: counted without text or position."""

    channel: str
    neighbour: str | None = None


class PersonErased(msgspec.Struct, frozen=True, kw_only=True):
    """The person's key is destroyed; readers now forget what they hold (stream person/{id})."""

    person: UUID


class NumberTaken(msgspec.Struct, frozen=True, kw_only=True):
    """A case number is given out (stream number/{number}, written with the report itself).

    Two cases cannot take one number: the stream can be begun only once.
    """

    number: str
    case: UUID


class ReferenceTaken(msgspec.Struct, frozen=True, kw_only=True):
    """A number of another platform belongs to a case (stream reference/{platform}/{number}).

    Written with the report: the same 工单号 sent twice is one case.
    """

    platform: str
    number: str
    case: UUID
    case_number: str


class DeadlineReached(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A share of a limit is used: 75 % 预警, 100 % 超期, 150 and 200 % 升级 (notices/{case}).

    `reached_at` is when, `at` when it was told. `began_at` tells one counting of the limit from
    another: in each, every share is told once. `to` is the desk, `recipients` the accounts that
    were on duty there. Nothing is decided by it: rules and measures compare times.
    """

    case: UUID
    number: str
    clock: Clock
    round: int
    percent: int
    began_at: datetime
    limit: Limit
    due_at: datetime
    reached_at: datetime
    to: str
    street: StreetCode | None = None
    recipients: tuple[str, ...] = ()


class PublicationConsentWithdrawn(msgspec.Struct, frozen=True, kw_only=True):
    """A reporter no longer agrees that photos of theirs are published (consent/{case}).

    Given with the report; taken back at any time, also when the case is archived.
    """

    case: UUID
    person: UUID


OTHER_STORED_AS: dict[
    str,
    type[ReportTurnedAway]
    | type[PersonErased]
    | type[NumberTaken]
    | type[ReferenceTaken]
    | type[DeadlineReached]
    | type[PublicationConsentWithdrawn],
] = {
    "report-turned-away": ReportTurnedAway,
    "person-erased": PersonErased,
    "number-taken": NumberTaken,
    "reference-taken": ReferenceTaken,
    "deadline-reached": DeadlineReached,
    "publication-consent-withdrawn": PublicationConsentWithdrawn,
}
