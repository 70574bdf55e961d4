"""The forms of the actions: what each asks for, and the command it becomes.

A form names its texts; the door seals them before a command exists. The paths of the actions, and
the words about them in the API's description, come from the life cycle's table.
"""

from abc import abstractmethod
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Protocol
from uuid import UUID

from pydantic import Field

from api.hygiene import Code, Line, Prose, StreetText
from api.schemas import (
    ConsentsIn,
    Contact,
    LimitIn,
    PhotoIn,
    Photos,
    PlaceIn,
    Wire,
)
from casework import commands as ask
from casework.evidence import Finding
from casework.lifecycle import Action
from casework.model import (
    Assignment,
    Consents,
    Limit,
    Outcome,
    Photo,
    Place,
    Sealed,
    Solved,
    StreetCode,
)


class Made(Protocol):
    """What the door has prepared for a form."""

    def words(self, field: str) -> ask.Words | None:
        """The sealed text of a field, or None if it was left empty."""
        ...

    def some_words(self, field: str) -> ask.Words:
        """The sealed text of a field that was filled in."""
        ...

    def sealed(self, field: str) -> Sealed | None:
        """The sealed text, where its length is nobody's business."""
        ...

    def photos(self, photos: tuple[PhotoIn, ...]) -> tuple[Photo, ...]:
        """The uploaded files that the form cites."""
        ...

    def place(self, place: PlaceIn) -> tuple[Place, Assignment]:
        """A new place in WGS-84, and the dispatcher's verdict on it."""
        ...

    def proposal(self) -> Assignment:
        """The dispatcher's verdict on the case's place, without the streets that returned it."""
        ...

    def recurrence_of(self) -> UUID | None:
        """The case of the same kind at the same spot that ended within 30 days."""
        ...

    def findings(self) -> tuple[Finding, ...]:
        """What was found on the photos of the last hand-over."""
        ...

    def link(self) -> str:
        """A fresh one-time upload link: its digest for the event; the secret goes in the answer."""
        ...


class Form(Wire):
    """A form that knows its command."""

    def texts(self) -> Mapping[str, str]:
        """The words to be sealed, by the field of the event that will hold them."""
        found: dict[str, str] = {}
        for field in ("words", "reason", "question", "reply", "findings", "text", "contact"):
            value: object = getattr(self, field, None)
            if isinstance(value, str):
                found[field] = value
        return found

    def uploads(self) -> tuple[PhotoIn, ...]:
        """The files that the form cites."""
        photos: object = getattr(self, "photos", ())
        return photos if isinstance(photos, tuple) else ()

    @abstractmethod
    def command(self, made: Made) -> ask.Command:
        """The command."""


class _Plain(Form):
    """A form without fields: an empty object."""


class _Worded(Form):
    words: Prose


class _Coded(Form):
    code: Code
    words: Prose


class _CodedWordsIfNeeded(Form):
    code: Code
    words: Prose | None = None


# 市民 ------------------------------------------------------------------------------------


class SupplyInformationIn(Form):
    text: Prose | None = None
    photos: Photos = ()

    def command(self, made: Made) -> ask.Command:
        return ask.SupplyInformation(text=made.words("text"), photos=made.photos(self.photos))


class AddInformationIn(Form):
    text: Prose | None = None
    photos: Photos = ()

    def command(self, made: Made) -> ask.Command:
        return ask.AddInformation(text=made.words("text"), photos=made.photos(self.photos))


class JoinIn(Form):
    text: Prose | None = None
    photos: Photos = ()
    contact: Contact | None = None
    consents: ConsentsIn = ConsentsIn()

    def command(self, made: Made) -> ask.Command:
        return ask.Join(
            text=made.words("text"),
            photos=made.photos(self.photos),
            contact=made.sealed("contact"),
            consents=consents(self.consents),
        )


def consents(given: ConsentsIn) -> Consents:
    return Consents(
        publication=given.publication,
        contact_by_street=given.contact_by_street,
        analysis=given.analysis,
    )


class WithdrawIn(_Plain):
    def command(self, made: Made) -> ask.Command:  # noqa: ARG002  nothing to prepare
        return ask.Withdraw()


class ObjectIn(_Worded):
    def command(self, made: Made) -> ask.Command:
        return ask.Object(words=made.some_words("words"))


class RateIn(Form):
    solved: Solved
    satisfaction: Annotated[int, Field(ge=1, le=5, strict=True)]
    efficiency: Annotated[int, Field(ge=1, le=5, strict=True)]
    words: Prose | None = None

    def command(self, made: Made) -> ask.Command:
        return ask.Rate(
            solved=self.solved,
            satisfaction=self.satisfaction,
            efficiency=self.efficiency,
            words=made.words("words"),
        )


# 审核员 -----------------------------------------------------------------------------------


class RequestInformationIn(Form):
    code: Code
    question: Prose

    def command(self, made: Made) -> ask.Command:
        return ask.RequestInformation(code=self.code, question=made.some_words("question"))


class RegisterIn(Form):
    """立案. With `dispatch` and a certain territory the case is dispatched at once."""

    indicator: Code
    condition: Annotated[Line, Field(min_length=1, max_length=32)]
    dispatch: bool = Field(default=True, strict=True)
    recurrence_of: UUID | None = None

    def command(self, made: Made) -> ask.Command:
        return ask.Register(
            indicator=self.indicator,
            condition=self.condition,
            proposal=made.proposal() if self.dispatch else None,
            recurrence_of=self.recurrence_of or made.recurrence_of(),
        )


class RefuseIn(_Coded):
    def command(self, made: Made) -> ask.Command:
        return ask.Refuse(code=self.code, words=made.some_words("words"))


class MergeIn(Form):
    primary: UUID

    def command(self, made: Made) -> ask.Command:  # noqa: ARG002  nothing to prepare
        return ask.Merge(primary=self.primary)


class UnmergeIn(Form):
    reason: Prose

    def command(self, made: Made) -> ask.Command:
        return ask.Unmerge(reason=made.some_words("reason"))


class RevokeRegistrationIn(_Coded):
    def command(self, made: Made) -> ask.Command:
        return ask.RevokeRegistration(code=self.code, words=made.some_words("words"))


class ConfirmRevocationIn(_Plain):
    def command(self, made: Made) -> ask.Command:  # noqa: ARG002  nothing to prepare
        return ask.ConfirmRevocation()


class ReclassifyIn(Form):
    indicator: Code
    condition: Annotated[Line, Field(min_length=1, max_length=32)] | None = None
    reason: Prose

    def command(self, made: Made) -> ask.Command:
        return ask.Reclassify(
            indicator=self.indicator,
            condition=self.condition,
            reason=made.some_words("reason"),
        )


class CorrectPlaceIn(Form):
    place: PlaceIn
    reason: Prose

    def texts(self) -> Mapping[str, str]:
        address = {"address": self.place.address} if self.place.address else {}
        return {"reason": self.reason, **address}

    def command(self, made: Made) -> ask.Command:
        place, assignment = made.place(self.place)
        return ask.CorrectPlace(
            place=place, assignment=assignment, reason=made.some_words("reason")
        )


class DispatchIn(Form):
    street: StreetText
    reason: Prose | None = None

    def command(self, made: Made) -> ask.Command:
        return ask.Dispatch(
            street=StreetCode(self.street),
            proposal=made.proposal(),
            reason=made.words("reason"),
        )


class DesignateIn(Form):
    street: StreetText
    reason: Prose

    def command(self, made: Made) -> ask.Command:
        return ask.Designate(
            street=StreetCode(self.street),
            proposal=made.proposal(),
            reason=made.some_words("reason"),
        )


class RecallIn(Form):
    reason: Prose

    def command(self, made: Made) -> ask.Command:
        return ask.Recall(reason=made.some_words("reason"))


class AcceptReturnIn(_Plain):
    def command(self, made: Made) -> ask.Command:  # noqa: ARG002  nothing to prepare
        return ask.AcceptReturn()


class RejectReturnIn(_CodedWordsIfNeeded):
    def command(self, made: Made) -> ask.Command:
        return ask.RejectReturn(code=self.code, words=made.words("words"))


class RequestSiteCheckIn(_Worded):
    def command(self, made: Made) -> ask.Command:
        return ask.RequestSiteCheck(words=made.some_words("words"))


class ReportSiteCheckIn(Form):
    findings: Prose
    photos: Photos = ()

    def command(self, made: Made) -> ask.Command:
        return ask.ReportSiteCheck(
            findings=made.some_words("findings"), photos=made.photos(self.photos)
        )


FindingsSeen = Annotated[tuple[UUID, ...], Field(max_length=50)]


class OrderReworkIn(Form):
    code: Code
    words: Prose
    findings_seen: FindingsSeen = ()

    def command(self, made: Made) -> ask.Command:
        return ask.OrderRework(
            code=self.code,
            words=made.some_words("words"),
            findings_seen=self.findings_seen,
            findings=made.findings(),
        )


class CloseIn(Form):
    standard_met: bool = Field(strict=True, description="已核对并勾选结案标准。")
    reply: Prose
    findings_seen: FindingsSeen = ()

    def command(self, made: Made) -> ask.Command:
        return ask.Close(
            standard_met=self.standard_met,
            reply=made.some_words("reply"),
            findings_seen=self.findings_seen,
            findings=made.findings(),
        )


class UpholdIn(Form):
    code: Code
    words: Prose
    photos: Photos = ()

    def command(self, made: Made) -> ask.Command:
        return ask.Uphold(
            code=self.code, words=made.some_words("words"), photos=made.photos(self.photos)
        )


class ReopenIn(Form):
    code: Code
    words: Prose
    street: StreetText | None = None

    def command(self, made: Made) -> ask.Command:
        return ask.Reopen(
            code=self.code,
            words=made.some_words("words"),
            street=StreetCode(self.street) if self.street else None,
            proposal=made.proposal() if self.street else None,
        )


class RecordVisitIn(Form):
    words: Prose
    solved: Solved | None = None
    satisfaction: Annotated[int, Field(ge=1, le=5, strict=True)] | None = None

    def command(self, made: Made) -> ask.Command:
        return ask.RecordVisit(
            words=made.some_words("words"),
            solved=self.solved,
            satisfaction=self.satisfaction,
        )


# 街镇 ------------------------------------------------------------------------------------


class AcknowledgeIn(_Plain):
    def command(self, made: Made) -> ask.Command:  # noqa: ARG002  nothing to prepare
        return ask.Acknowledge()


class AssignIn(Form):
    handler: Annotated[Line, Field(min_length=1, max_length=40)]
    upload_link: bool = Field(
        default=False, strict=True, description="是否给经办人一个一次性上传链接。"
    )

    def command(self, made: Made) -> ask.Command:
        return ask.Assign(handler=self.handler, link=made.link() if self.upload_link else None)


class RequestReturnIn(_CodedWordsIfNeeded):
    def command(self, made: Made) -> ask.Command:
        return ask.RequestReturn(code=self.code, words=made.words("words"))


class RequestCoordinationIn(_CodedWordsIfNeeded):
    def command(self, made: Made) -> ask.Command:
        return ask.RequestCoordination(code=self.code, words=made.words("words"))


class RequestExtensionIn(Form):
    code: Code
    by: LimitIn
    words: Prose | None = None

    def command(self, made: Made) -> ask.Command:
        return ask.RequestExtension(code=self.code, by=limit(self.by), words=made.words("words"))


def limit(given: LimitIn) -> Limit:
    return Limit(given.amount, given.unit)


class RequestSuspensionIn(Form):
    code: Code
    resume_on: date
    words: Prose | None = None

    def command(self, made: Made) -> ask.Command:
        return ask.RequestSuspension(
            code=self.code, resume_on=self.resume_on, words=made.words("words")
        )


class ResumeIn(_Plain):
    def command(self, made: Made) -> ask.Command:  # noqa: ARG002  nothing to prepare
        return ask.Resume()


class RectifyIn(Form):
    outcome: Outcome
    photos: Annotated[Photos, Field(min_length=1)]
    words: Prose

    def command(self, made: Made) -> ask.Command:
        return ask.Rectify(
            outcome=self.outcome,
            photos=made.photos(self.photos),
            words=made.some_words("words"),
        )


class AppealIn(_Coded):
    def command(self, made: Made) -> ask.Command:
        return ask.Appeal(code=self.code, words=made.some_words("words"))


class AnswerNoteIn(Form):
    note: Annotated[int, Field(ge=1, le=10_000, strict=True)]
    words: Prose

    def command(self, made: Made) -> ask.Command:
        return ask.AnswerNote(note=self.note, words=made.some_words("words"))


class ClaimIn(_Plain):
    def command(self, made: Made) -> ask.Command:  # noqa: ARG002  nothing to prepare
        return ask.Claim()


class ReleaseIn(_Plain):
    def command(self, made: Made) -> ask.Command:  # noqa: ARG002  nothing to prepare
        return ask.Release()


# 督办员 -----------------------------------------------------------------------------------


class NameCoHandlerIn(Form):
    body: Annotated[Line, Field(min_length=2, max_length=80)]
    limit: LimitIn

    def command(self, made: Made) -> ask.Command:  # noqa: ARG002  nothing to prepare
        return ask.NameCoHandler(body=self.body, limit=limit(self.limit))


class GrantExtensionIn(_Plain):
    def command(self, made: Made) -> ask.Command:  # noqa: ARG002  nothing to prepare
        return ask.GrantExtension()


class DenyExtensionIn(_Worded):
    def command(self, made: Made) -> ask.Command:
        return ask.DenyExtension(words=made.some_words("words"))


class GrantSuspensionIn(_Plain):
    def command(self, made: Made) -> ask.Command:  # noqa: ARG002  nothing to prepare
        return ask.GrantSuspension()


class DenySuspensionIn(_Worded):
    def command(self, made: Made) -> ask.Command:
        return ask.DenySuspension(words=made.some_words("words"))


class TransferOutIn(Form):
    body: Annotated[Line, Field(min_length=2, max_length=80)]
    number: Annotated[Line, Field(min_length=1, max_length=64)]
    words: Prose | None = None

    def command(self, made: Made) -> ask.Command:
        return ask.TransferOut(body=self.body, number=self.number, words=made.words("words"))


class ConfirmTransferOutIn(_Plain):
    def command(self, made: Made) -> ask.Command:  # noqa: ARG002  nothing to prepare
        return ask.ConfirmTransferOut()


class RequestForceCloseIn(_Coded):
    def command(self, made: Made) -> ask.Command:
        return ask.RequestForceClose(code=self.code, words=made.some_words("words"))


class ConfirmForceCloseIn(_Plain):
    def command(self, made: Made) -> ask.Command:  # noqa: ARG002  nothing to prepare
        return ask.ConfirmForceClose()


class DeclineSecondIn(_Worded):
    def command(self, made: Made) -> ask.Command:
        return ask.DeclineSecond(words=made.some_words("words"))


class SuperviseReopenIn(_Worded):
    def command(self, made: Made) -> ask.Command:
        return ask.SuperviseReopen(words=made.some_words("words"))


class UpholdAppealIn(Form):
    words: Prose | None = None

    def command(self, made: Made) -> ask.Command:
        return ask.UpholdAppeal(words=made.words("words"))


class DismissAppealIn(_CodedWordsIfNeeded):
    def command(self, made: Made) -> ask.Command:
        return ask.DismissAppeal(code=self.code, words=made.words("words"))


class NoteIn(_Worded):
    def command(self, made: Made) -> ask.Command:
        return ask.Note(words=made.some_words("words"))


FORMS: dict[Action, type[Form]] = {
    Action.SUPPLY_INFORMATION: SupplyInformationIn,
    Action.ADD_INFORMATION: AddInformationIn,
    Action.JOIN: JoinIn,
    Action.WITHDRAW: WithdrawIn,
    Action.OBJECT: ObjectIn,
    Action.RATE: RateIn,
    Action.REQUEST_INFORMATION: RequestInformationIn,
    Action.REGISTER: RegisterIn,
    Action.REFUSE: RefuseIn,
    Action.MERGE: MergeIn,
    Action.UNMERGE: UnmergeIn,
    Action.REVOKE_REGISTRATION: RevokeRegistrationIn,
    Action.CONFIRM_REVOCATION: ConfirmRevocationIn,
    Action.RECLASSIFY: ReclassifyIn,
    Action.CORRECT_PLACE: CorrectPlaceIn,
    Action.DISPATCH: DispatchIn,
    Action.DESIGNATE: DesignateIn,
    Action.RECALL: RecallIn,
    Action.ACCEPT_RETURN: AcceptReturnIn,
    Action.REJECT_RETURN: RejectReturnIn,
    Action.REQUEST_SITE_CHECK: RequestSiteCheckIn,
    Action.REPORT_SITE_CHECK: ReportSiteCheckIn,
    Action.ORDER_REWORK: OrderReworkIn,
    Action.CLOSE: CloseIn,
    Action.UPHOLD: UpholdIn,
    Action.REOPEN: ReopenIn,
    Action.RECORD_VISIT: RecordVisitIn,
    Action.ACKNOWLEDGE: AcknowledgeIn,
    Action.ASSIGN: AssignIn,
    Action.REQUEST_RETURN: RequestReturnIn,
    Action.REQUEST_COORDINATION: RequestCoordinationIn,
    Action.REQUEST_EXTENSION: RequestExtensionIn,
    Action.REQUEST_SUSPENSION: RequestSuspensionIn,
    Action.RESUME: ResumeIn,
    Action.RECTIFY: RectifyIn,
    Action.APPEAL: AppealIn,
    Action.ANSWER_NOTE: AnswerNoteIn,
    Action.CLAIM: ClaimIn,
    Action.RELEASE: ReleaseIn,
    Action.NAME_CO_HANDLER: NameCoHandlerIn,
    Action.GRANT_EXTENSION: GrantExtensionIn,
    Action.DENY_EXTENSION: DenyExtensionIn,
    Action.GRANT_SUSPENSION: GrantSuspensionIn,
    Action.DENY_SUSPENSION: DenySuspensionIn,
    Action.TRANSFER_OUT: TransferOutIn,
    Action.CONFIRM_TRANSFER_OUT: ConfirmTransferOutIn,
    Action.REQUEST_FORCE_CLOSE: RequestForceCloseIn,
    Action.CONFIRM_FORCE_CLOSE: ConfirmForceCloseIn,
    Action.DECLINE_SECOND: DeclineSecondIn,
    Action.SUPERVISE_REOPEN: SuperviseReopenIn,
    Action.UPHOLD_APPEAL: UpholdAppealIn,
    Action.DISMISS_APPEAL: DismissAppealIn,
    Action.NOTE: NoteIn,
}
"""The form of every action that a person may take; a test holds it to the policy table."""
