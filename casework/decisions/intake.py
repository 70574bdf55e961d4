"""上报、补充、审核: from the citizen's phone to 立案 or a refusal."""

from datetime import datetime
from uuid import UUID

from casework import commands as ask
from casework import events as did
from casework.decisions.asking import KEPT_AT_THE_END, Asking, sealed
from casework.decisions.territory import certain, dispatched, require_other_reviewer
from casework.errors import (
    Exhausted,
    Missing,
    OutOfScope,
    OutsideDistrict,
    TooEarly,
    TooLate,
)
from casework.lifecycle import NAME_OF, Action
from casework.model import (
    ActorKind,
    Certainty,
    Clock,
    ClockStarted,
    Photo,
    PlaceKind,
)

MOST_PHOTOS = 9
"""A report's photos (evidence rules)."""

MOST_QUESTIONS = 2
"""Requests for information per case (domain.md section 3)."""

DOOR_ELSEWHERE = "请拨打12345市民服务热线，由所在区受理。"
DOOR_INDOOR = "楼内问题请联系物业或社区居委会，也可拨打12345。"


def submit(a: Asking, c: ask.Submit) -> list[did.Event]:
    """A report becomes a case, unless it lies outside the district or indoors."""
    if c.assignment.certainty is Certainty.OUTSIDE_DISTRICT:
        raise OutsideDistrict(c.assignment.neighbour, DOOR_ELSEWHERE)
    if c.place.kind is PlaceKind.INDOOR:
        raise OutOfScope(DOOR_INDOOR)
    if not (c.indicator or c.text or c.recording):
        raise Missing("text", "请选择问题类别，或写几句话，或录一段语音。")
    if not c.photos and not c.no_photo_reason:
        raise Missing("photos", "请至少拍一张照片；确实无法拍照的，请选择原因。")
    require_few(c.photos)
    if c.indicator:
        a.current.catalogue.indicator(c.indicator)
    limit = a.current.step(Clock.REVIEW, danger=bool(c.danger))
    return [
        did.ReportSubmitted(
            number=c.number,
            person=c.person,
            place=c.place,
            assignment=c.assignment,
            versions=a.current.versions,
            indicator=c.indicator,
            text=sealed(c.text),
            recording=c.recording,
            photos=c.photos,
            no_photo_reason=c.no_photo_reason,
            contact=c.contact,
            consents=c.consents,
            channel=c.channel,
            external_refs=c.external_refs,
            on_behalf=a.by.kind is ActorKind.STAFF,
            danger=c.danger,
            out_of_scope=c.out_of_scope,
            recurrence_of=c.recurrence_of,
            demonstration=c.demonstration,
            recognition=c.recognition,
            started=(a.start(Clock.REVIEW, "submit", limit),),
        )
    ]


def require_few(photos: tuple[Photo, ...]) -> None:
    """Refuse more than nine photos."""
    if len(photos) > MOST_PHOTOS:
        raise Missing("photos", f"照片最多{MOST_PHOTOS}张。")


def require_something(text: ask.Words | None, photos: tuple[Photo, ...]) -> None:
    """Refuse an empty supplement."""
    if text is None and not photos:
        raise Missing("text", "请写几句话或添加照片。")
    require_few(photos)


def request_information(a: Asking, c: ask.RequestInformation) -> list[did.Event]:
    """The review clock waits while the citizen has 48 hours."""
    if a.case.information_requests >= MOST_QUESTIONS:
        raise Exhausted(NAME_OF[Action.REQUEST_INFORMATION], MOST_QUESTIONS, "案")
    code = a.code(c.code, "Q", c.question)
    stopped = a.stop_all("request_information", paused=frozenset({Clock.REVIEW}))
    return [
        did.InformationRequested(
            code=code,
            question=c.question.sealed,
            stopped=stopped,
            started=(a.start(Clock.INFORMATION, "request_information"),),
        )
    ]


def supply_information(a: Asking, c: ask.SupplyInformation) -> list[did.Event]:
    """Review goes on with what was left of its time."""
    require_something(c.text, c.photos)
    return [
        did.InformationSupplied(
            person=person(a),
            text=sealed(c.text),
            photos=c.photos,
            stopped=a.stop(Clock.INFORMATION, "supply_information"),
            started=(review_again(a, "supply_information"),),
        )
    ]


def lapse_information(a: Asking) -> list[did.Event]:
    """48 hours are over; recorded as unanswered, the review goes on."""
    due_at = a.case.clocks[Clock.INFORMATION].fact.due_at
    if a.at <= due_at:
        raise TooEarly(NAME_OF[Action.LAPSE_INFORMATION], due_at)
    return [
        did.InformationLapsed(
            fell_due_at=due_at,
            stopped=a.stop(Clock.INFORMATION, "lapse_information", at=due_at),
            started=(review_again(a, "lapse_information", since=due_at),),
        )
    ]


def review_again(a: Asking, because: str, since: datetime | None = None) -> ClockStarted:
    """The review clock with the time already used carried over."""
    limit = a.rules.step(Clock.REVIEW, danger=a.case.danger)
    return a.start(Clock.REVIEW, because, limit, a.case.used(Clock.REVIEW), since)


def add_information(a: Asking, c: ask.AddInformation) -> list[did.Event]:
    require_something(c.text, c.photos)
    return [did.InformationAdded(person=person(a), text=sealed(c.text), photos=c.photos)]


def join(a: Asking, c: ask.Join) -> list[did.Event]:
    """Another citizen becomes a reporter, with progress and rating."""
    require_few(c.photos)
    return [
        did.ReporterJoined(
            person=person(a),
            text=sealed(c.text),
            photos=c.photos,
            contact=c.contact,
            consents=c.consents,
        )
    ]


def withdraw(a: Asking) -> list[did.Event]:
    """The only reporter takes the report back; one of several only leaves."""
    if len(a.case.reporters) > 1:
        return [did.ReporterLeft(person=person(a))]
    return [did.CaseWithdrawn(person=person(a), stopped=a.stop_all("withdraw", KEPT_AT_THE_END))]


def register(a: Asking, c: ask.Register) -> list[did.Event]:
    """立案. With a certain territory it is one command and two events."""
    require_other_reviewer(a, Action.REGISTER)
    a.current.catalogue.indicator(c.indicator).row(c.condition)
    to_dispatch = a.start(Clock.DISPATCH, "register")
    registered = did.CaseRegistered(
        indicator=c.indicator,
        condition=c.condition,
        versions=a.current.versions,
        recurrence_of=c.recurrence_of,
        stopped=a.stop_all("register"),
        started=(to_dispatch,),
    )
    if c.proposal is None or not certain(a, c.proposal):
        return [registered]
    assert c.proposal.street is not None
    straight = dispatched(
        a, c.proposal.street, c.proposal, c.indicator, c.condition, waited=to_dispatch
    )
    return [registered, straight]


def refuse(a: Asking, c: ask.Refuse) -> list[did.Event]:
    """不予受理. The citizen has five days to object, once."""
    require_other_reviewer(a, Action.REFUSE)
    return [
        did.CaseRefused(
            code=a.code(c.code, "N", c.words),
            words=c.words.sealed,
            stopped=a.stop_all("refuse", KEPT_AT_THE_END),
            started=() if a.case.objected else (a.start(Clock.OBJECTION, "refuse"),),
        )
    ]


def object_(a: Asking, c: ask.Object) -> list[did.Event]:
    """异议: back to review, by another reviewer."""
    name = NAME_OF[Action.OBJECT]
    if a.case.objected:
        raise Exhausted(name, 1, "案")
    window = a.case.clocks[Clock.OBJECTION]
    if a.at > window.fact.due_at:
        raise TooLate(name, window.fact.due_at)
    limit = a.current.step(Clock.REVIEW, danger=a.case.danger)
    return [
        did.RefusalObjected(
            person=person(a),
            words=c.words.sealed,
            stopped=a.stop_all("object"),
            started=(a.start(Clock.REVIEW, "object", limit), *a.still_noted("object")),
        )
    ]


def person(a: Asking) -> UUID:
    """The citizen who asks, as a pseudonymous person id."""
    return UUID(a.by.id)
