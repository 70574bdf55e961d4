"""Facts of a case by short names, to tell histories with. Decides nothing: it only tells."""

from datetime import UTC, date, datetime, time
from uuid import UUID

from casework import events as did
from casework.clocks import SHANGHAI
from casework.model import (
    CLOCK,
    Actor,
    Assignment,
    Clock,
    ClockStarted,
    Limit,
    Outcome,
    Place,
    PlaceKind,
    Solved,
    StreetCode,
    Unit,
)
from tests.history import (
    CHECKER,
    CITIZEN,
    EVERY_CLOCK,
    GREEN,
    INSIDE,
    LEAD,
    MONDAY_9,
    NEIGHBOUR,
    PHOTO,
    REVIEWER,
    RULES,
    SEALED,
    STREET,
    SUPERVISOR,
    SUPERVISOR_2,
    ZHONGGUANCUN,
    Fact,
    person,
)

ALL = EVERY_CLOCK - {Clock.NOTE, Clock.APPEAL}
AT_THE_END = ALL | {Clock.NOTE}
ARCHIVED = EVERY_CLOCK - {Clock.APPEAL, Clock.APPEAL_WINDOW}
VERSIONS = RULES.versions


def limit_of(row: str, kind: PlaceKind = PlaceKind.GREEN) -> Limit:
    """The sample limit of a condition row."""
    return RULES.limit(row[:3], row, ZHONGGUANCUN, kind, date(2026, 3, 2))


# 上报 ---------------------------------------------------------------------------------------


def reported(
    at: datetime | None = None,
    by: Actor = CITIZEN,
    reporter: Actor = CITIZEN,
    *,
    place: Place = GREEN,
    assignment: Assignment = INSIDE,
    number: str = "HD202603020001",
    danger: tuple[str, ...] = (),
) -> Fact:
    event = did.ReportSubmitted(
        number=number,
        person=person(reporter),
        place=place,
        assignment=assignment,
        versions=VERSIONS,
        indicator="P04",
        photos=(PHOTO,),
        on_behalf=by.kind == "staff",
        danger=danger,
    )
    limit = RULES.step(Clock.REVIEW, danger=bool(danger))
    return Fact(event, by, at, starts=((Clock.REVIEW, limit),))


def asked(at: datetime | None = None, by: Actor = REVIEWER) -> Fact:
    event = did.InformationRequested(code="Q01", question=SEALED)
    return Fact(event, by, at, (Clock.INFORMATION,), ALL, frozenset({Clock.REVIEW}))


def supplied(at: datetime | None = None, by: Actor = CITIZEN) -> Fact:
    event = did.InformationSupplied(person=person(by), text=SEALED)
    return Fact(event, by, at, (Clock.REVIEW,), ALL, carries=True)


def joined(by: Actor = NEIGHBOUR, at: datetime | None = None) -> Fact:
    return Fact(did.ReporterJoined(person=person(by)), by, at)


def withdrawn(at: datetime | None = None, by: Actor = CITIZEN) -> Fact:
    return Fact(did.CaseWithdrawn(person=person(by)), by, at, stops=AT_THE_END)


def refused(at: datetime | None = None, by: Actor = REVIEWER, *, last: bool = False) -> Fact:
    """`last`: after an objection there is no further one."""
    starts = () if last else (Clock.OBJECTION,)
    return Fact(did.CaseRefused(code="N03", words=SEALED), by, at, starts, AT_THE_END)


def objected(at: datetime | None = None, by: Actor = CITIZEN) -> Fact:
    event = did.RefusalObjected(person=person(by), words=SEALED)
    return Fact(event, by, at, (Clock.REVIEW,), ALL)


def registered(at: datetime | None = None, row: str = "P04-1", by: Actor = REVIEWER) -> Fact:
    event = did.CaseRegistered(indicator=row[:3], condition=row, versions=VERSIONS)
    return Fact(event, by, at, (Clock.DISPATCH,), ALL)


def merged(primary: UUID, at: datetime | None = None, by: Actor = REVIEWER) -> Fact:
    event = did.CaseMerged(primary=primary, primary_number="HD202603020002")
    return Fact(event, by, at, stops=AT_THE_END)


def absorbed(secondary: UUID, *reporters: Actor, at: datetime | None = None) -> Fact:
    event = did.CaseAbsorbed(
        secondary=secondary,
        secondary_number="HD202603020003",
        reporters=tuple(person(reporter) for reporter in reporters),
    )
    return Fact(event, REVIEWER, at)


def revocation_asked(at: datetime | None = None, by: Actor = REVIEWER) -> Fact:
    event = did.RevocationRequested(code="X01", words=SEALED)
    return Fact(event, by, at, (Clock.SECOND_PERSON,))


def revoked(at: datetime | None = None, by: Actor = SUPERVISOR) -> Fact:
    return Fact(did.RegistrationRevoked(code="X01"), by, at, (Clock.OBJECTION,), AT_THE_END)


# 派遣 ---------------------------------------------------------------------------------------


def dispatched(
    at: datetime | None = None,
    row: str = "P04-1",
    to: StreetCode = ZHONGGUANCUN,
    by: Actor = REVIEWER,
    *,
    designated: bool = False,
) -> Fact:
    limit = limit_of(row)
    event = did.CaseDispatched(
        street=to,
        assignment=INSIDE,
        limit=limit,
        due_at=MONDAY_9,
        versions=VERSIONS,
        designated=designated,
    )
    return Fact(event, by, at, (Clock.ACKNOWLEDGE, (Clock.HANDLING, limit)), ALL)


def acknowledged(at: datetime | None = None, by: Actor = STREET) -> Fact:
    event = did.CaseAcknowledged(street=ZHONGGUANCUN)
    return Fact(event, by, at, stops=frozenset({Clock.ACKNOWLEDGE}))


def assigned(link: str | None = None, at: datetime | None = None) -> Fact:
    return Fact(did.HandlerAssigned(handler="张师傅", link=link), STREET, at)


def return_asked(at: datetime | None = None, by: Actor = STREET, code: str = "T01") -> Fact:
    return Fact(did.ReturnRequested(code=code), by, at, (Clock.RETURN,))


def return_accepted(
    at: datetime | None = None, street: StreetCode = ZHONGGUANCUN, by: Actor = REVIEWER
) -> Fact:
    event = did.ReturnAccepted(street=street, code="T01")
    return Fact(event, by, at, (Clock.DISPATCH,), ALL)


def return_rejected(at: datetime | None = None, by: Actor = REVIEWER) -> Fact:
    return Fact(did.ReturnRejected(code="TR1"), by, at, stops=frozenset({Clock.RETURN}))


# 处置 ---------------------------------------------------------------------------------------


def coordination_asked(at: datetime | None = None, by: Actor = STREET) -> Fact:
    return Fact(did.CoordinationRequested(code="K01"), by, at, (Clock.COORDINATION,))


def extension_asked(
    at: datetime | None = None, more: Limit | None = None, by: Actor = STREET
) -> Fact:
    event = did.ExtensionRequested(code="E01", by=more or Limit(4, Unit.DUTY_HOUR))
    return Fact(event, by, at, (Clock.EXTENSION,))


def extended(to: Limit, at: datetime | None = None, by: Actor = SUPERVISOR) -> Fact:
    """`to` is the whole limit after the extension."""
    event = did.ExtensionGranted(by=to, due_at=MONDAY_9)
    both = frozenset({Clock.HANDLING, Clock.EXTENSION})
    return Fact(event, by, at, ((Clock.HANDLING, to),), both, carries=True)


def suspension_asked(resume_on: date, at: datetime | None = None, by: Actor = LEAD) -> Fact:
    event = did.SuspensionRequested(code="S01", resume_on=resume_on)
    return Fact(event, by, at, (Clock.SUSPENSION,))


def suspended(resume_on: date, at: datetime | None = None) -> Fact:
    """The handling clock waits until 00:00 of that day in Haidian."""
    wakes = datetime.combine(resume_on, time(), SHANGHAI).astimezone(UTC)
    wake = ClockStarted(Clock.RESUMPTION, Limit(1, Unit.CALENDAR_DAY), wakes, "told")
    event = did.CaseSuspended(code="S01", resume_on=resume_on, started=(wake,))
    return Fact(event, SUPERVISOR, at, stops=ALL, pauses=frozenset({Clock.HANDLING}))


def resumed(limit: Limit, at: datetime | None = None, by: Actor = CLOCK) -> Fact:
    event = did.CaseResumed(due_at=MONDAY_9)
    return Fact(event, by, at, ((Clock.HANDLING, limit),), ALL, carries=True)


def rectified(
    at: datetime | None = None, by: Actor = STREET, outcome: Outcome = Outcome.RECTIFIED
) -> Fact:
    event = did.CaseRectified(street=ZHONGGUANCUN, outcome=outcome, photos=(PHOTO,), words=SEALED)
    return Fact(event, by, at, (Clock.VERIFICATION,), ALL, frozenset({Clock.HANDLING}))


def check_asked(at: datetime | None = None, by: Actor = REVIEWER) -> Fact:
    return Fact(did.SiteCheckRequested(words=SEALED), by, at, (Clock.SITE_CHECK,))


def check_reported(at: datetime | None = None, by: Actor = CHECKER) -> Fact:
    event = did.SiteCheckReported(findings=SEALED)
    return Fact(event, by, at, stops=frozenset({Clock.SITE_CHECK}))


def reworked(
    at: datetime | None = None, row: str = "P04-1", by: Actor = REVIEWER, code: str = "R02"
) -> Fact:
    event = did.ReworkOrdered(code=code, words=SEALED)
    return Fact(event, by, at, ((Clock.HANDLING, limit_of(row)),), ALL, carries=True)


def unreadable(at: datetime | None = None, row: str = "P04-1") -> Fact:
    event = did.RectificationUnreadable(photos=(PHOTO.upload,))
    return Fact(event, CLOCK, at, ((Clock.HANDLING, limit_of(row)),), ALL, carries=True)


# 结案与评价 -----------------------------------------------------------------------------------


def closed(at: datetime | None = None, by: Actor = REVIEWER, *, appealed: bool = False) -> Fact:
    event = did.CaseClosed(reply=SEALED, standard="无垃圾")
    return Fact(event, by, at, _windows(appealed=appealed), ALL)


def transfer_asked(at: datetime | None = None, by: Actor = SUPERVISOR) -> Fact:
    event = did.TransferRequested(body="市排水集团", number="PS-1")
    return Fact(event, by, at, (Clock.SECOND_PERSON,))


def transferred(at: datetime | None = None, by: Actor = SUPERVISOR_2) -> Fact:
    event = did.CaseTransferred(body="市排水集团", number="PS-1")
    return Fact(event, by, at, _windows(), ALL)


def force_asked(at: datetime | None = None, by: Actor = SUPERVISOR) -> Fact:
    event = did.ForceCloseRequested(code="F01", words=SEALED)
    return Fact(event, by, at, (Clock.SECOND_PERSON,))


def force_closed(at: datetime | None = None, by: Actor = SUPERVISOR_2) -> Fact:
    return Fact(did.CaseForceClosed(code="F01"), by, at, _windows(), ALL)


def _windows(*, appealed: bool = False) -> tuple[Clock, ...]:
    return (Clock.RATING,) if appealed else (Clock.RATING, Clock.APPEAL_WINDOW)


def rated(
    solved: Solved = Solved.YES,
    at: datetime | None = None,
    by: Actor = CITIZEN,
    number: int = 1,
) -> Fact:
    event = did.CaseRated(
        person=person(by), round=number, solved=solved, satisfaction=4, efficiency=4
    )
    return Fact(event, by, at)


def doubted(at: datetime | None = None) -> Fact:
    """A reporter said partly or no: the recheck is open."""
    rating = frozenset({Clock.RATING})
    return Fact(did.RecheckOpened(), CITIZEN, at, (Clock.RECHECK,), rating)


def completed(at: datetime | None = None) -> Fact:
    return Fact(did.CaseCompleted(), CITIZEN, at, stops=ARCHIVED)


def unrated(at: datetime | None = None) -> Fact:
    return Fact(did.RatingLapsed(), CLOCK, at, stops=ARCHIVED)


def reopened(
    number: int, at: datetime | None = None, limit: Limit | None = None, by: Actor = REVIEWER
) -> Fact:
    halved = limit or Limit(4, Unit.DUTY_HOUR)
    event = did.CaseReopened(
        code="V11",
        words=SEALED,
        street=ZHONGGUANCUN,
        assignment=INSIDE,
        limit=halved,
        due_at=MONDAY_9,
        round=number,
    )
    return Fact(event, by, at, (Clock.ACKNOWLEDGE, (Clock.HANDLING, halved)), ALL)


def appealed(code: str = "A03", at: datetime | None = None, by: Actor = LEAD) -> Fact:
    event = did.AppealMade(code=code, words=SEALED)
    return Fact(event, by, at, (Clock.APPEAL,), frozenset({Clock.APPEAL_WINDOW}))


def noted(number: int = 1, at: datetime | None = None) -> Fact:
    starts = (Clock.NOTE,) if number == 1 else ()
    return Fact(did.InstructionNoted(note=number, words=SEALED), SUPERVISOR, at, starts)


def claimed(until: datetime, at: datetime | None = None, by: Actor = REVIEWER) -> Fact:
    return Fact(did.CaseClaimed(until=until), by, at)


# Stages --------------------------------------------------------------------------------------
# Each begins on Monday at 9 and moves within the same minute, so that limits are easy to count.


def to_registered(row: str = "P04-1") -> tuple[Fact, ...]:
    return (reported(), registered(row=row))


def to_dispatched(row: str = "P04-1") -> tuple[Fact, ...]:
    return (*to_registered(row), dispatched(row=row))


def to_handling(row: str = "P04-1") -> tuple[Fact, ...]:
    return (*to_dispatched(row), acknowledged())


def to_suspended(row: str = "P04-1", at: datetime | None = None) -> tuple[Fact, ...]:
    wednesday = date(2026, 3, 4)
    return (*to_handling(row), suspension_asked(wednesday), suspended(wednesday, at))


def to_rectified(row: str = "P04-1", at: datetime | None = None) -> tuple[Fact, ...]:
    return (*to_handling(row), rectified(at))


def to_closed(at: datetime | None = None, row: str = "P04-1") -> tuple[Fact, ...]:
    return (*to_rectified(row), closed(at))


def to_recheck(at: datetime | None = None) -> tuple[Fact, ...]:
    return (*to_closed(at), rated(Solved.NO), doubted())


def to_completed(at: datetime | None = None) -> tuple[Fact, ...]:
    return (*to_closed(at), rated(), completed())
