"""A case as this visitor may see it: from the state for what may be done, from the views for words.

Words here are masked already; staff account ids are shown to staff only.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from api.parts import Parts
from api.schemas import CaseOut, ClockOut, DoneOut, PhotoOut, Proof, Step
from casework.application import Done, Loaded
from casework.clock_words import limit_in_words
from casework.indicators import NotInCatalogue
from casework.lifecycle import LABELS, Status
from casework.model import Actor, ActorKind, Unit
from casework.state import Case, allowed
from casework.time_left import PLAIN, Left
from projections.case_list import CaseView, citizen_label
from projections.timeline import PublicStep
from projections.timeline import Step as DeskStep


class Seen(NamedTuple):
    """What a visitor's eyes are: whose, and whether staff."""

    actor: Actor | None

    @property
    def staff(self) -> bool:
        return self.actor is not None and self.actor.kind is ActorKind.STAFF


def street_name(parts: Parts, code: str | None) -> str | None:
    """The name of a 街镇."""
    return name_of_street(parts, code) if code else None


def name_of_street(parts: Parts, code: str) -> str:
    return parts.boundaries.name_of(code, parts.now())


def indicator_name(parts: Parts, code: str | None) -> str | None:
    """The indicator's name in the catalogue of today, or its code where it is retired."""
    if code is None:
        return None
    catalogue = parts.catalogue
    try:
        return catalogue.indicator(code).name
    except NotInCatalogue:
        return code


def remaining(due_at: datetime, now: datetime) -> str:
    """How long is left, or how long it is over, in days, hours and minutes by the wall.

    A clock of a case is told in its own kind of time: see `api/time_left.py`.
    """
    return Left(
        micros=(due_at - now) // timedelta(microseconds=1), unit=Unit.CALENDAR_DAY, parts=PLAIN
    ).says


def status_name(status: Status, *, staff: bool, view: CaseView | None, parts: Parts) -> str:
    """What the status is called at the desk, or to the citizen with the blanks filled in."""
    if staff or view is None:
        return LABELS[status].staff
    return citizen_label(view, lambda code: name_of_street(parts, code))


def of_view(parts: Parts, view: CaseView, seen: Seen, as_of: int) -> CaseOut:
    """A row of a list."""
    return CaseOut(
        case_id=view.case_id,
        number=view.number,
        version=view.version,
        position=view.position,
        status=view.status,
        status_name=status_name(view.status, staff=seen.staff, view=view, parts=parts),
        street=view.street,
        street_name=street_name(parts, view.street),
        certainty=view.certainty,
        indicator=view.indicator,
        indicator_name=indicator_name(parts, view.indicator),
        condition=view.condition,
        place_kind=view.place_kind,
        lon=view.lon,
        lat=view.lat,
        channel=view.channel,
        round=view.round,
        submitted_at=view.submitted_at,
        updated_at=view.updated_at,
        due_at=view.due_at,
        due_clock=view.due_clock,
        text=view.first_line,
        new_information=view.new_information,
        on_behalf=view.on_behalf,
        danger=view.danger,
        pending=view.pending if seen.staff else (),
        merged_into=view.merged_into,
        recurrence_of=view.recurrence_of,
        demonstration=view.demonstration,
        claimed_by=view.claim_by if seen.staff else None,
        claimed_until=view.claim_until if seen.staff else None,
        as_of=as_of,
    )


def of_state(
    parts: Parts,
    loaded: Loaded,
    view: CaseView | None,
    seen: Seen,
    as_of: int,
    photos: tuple[PhotoOut, ...] = (),
) -> CaseOut:
    """One case: fresh from the log, with the masked words of the view."""
    case, now = loaded.case, parts.now()
    actions = allowed(case, seen.actor) if seen.actor else []
    due = min(case.clocks.values(), key=lambda c: c.fact.due_at, default=None)
    return CaseOut(
        case_id=loaded.case_id,
        number=case.number,
        version=loaded.version,
        position=view.position if view else 0,
        status=case.status,
        status_name=status_name(case.status, staff=seen.staff, view=view, parts=parts),
        street=case.street,
        street_name=street_name(parts, case.street),
        certainty=case.assignment.certainty,
        because=case.assignment.because,
        indicator=case.indicator,
        indicator_name=indicator_name(parts, case.indicator),
        condition=case.condition,
        place_kind=case.place.kind,
        lon=case.place.lon,
        lat=case.place.lat,
        channel=view.channel if view else "",
        round=case.round,
        submitted_at=view.submitted_at if view else case.last_at,
        updated_at=case.last_at,
        due_at=due.fact.due_at if due else None,
        due_clock=due.fact.clock if due else None,
        text=view.first_line if view else None,
        new_information=case.has_new_information,
        on_behalf=case.entered_by is not None,
        danger=view.danger if view else (),
        pending=tuple(sorted(case.pending)) if seen.staff else (),
        merged_into=case.merged_into,
        recurrence_of=view.recurrence_of if view else None,
        demonstration=view.demonstration if view else False,
        claimed_by=_claim(case, now)[0] if seen.staff else None,
        claimed_until=_claim(case, now)[1] if seen.staff else None,
        clocks=tuple(
            ClockOut(
                clock=running.fact.clock,
                due_at=running.fact.due_at,
                limit=limit_in_words(running.fact.limit),
                because=running.fact.because,
                provisional=running.fact.provisional,
                overdue=now > running.fact.due_at,
            )
            for running in sorted(case.clocks.values(), key=lambda c: c.fact.due_at)
        ),
        allowed=tuple(actions),
        photos=photos,
        as_of=as_of,
    )


def _claim(case: Case, now: datetime) -> tuple[str | None, datetime | None]:
    if case.claimed_until is None or case.claimed_until <= now:
        return None, None
    return case.claimed_by, case.claimed_until


def of_done(done: Done) -> DoneOut:
    """The answer to an action; the same again when it is repeated."""
    due = min((c.fact.due_at for c in done.case.clocks.values()), default=None)
    return DoneOut(
        case_id=done.case_id,
        number=done.case.number,
        version=done.version,
        position=done.position,
        status=done.case.status,
        status_name=LABELS[done.case.status].staff,
        proof=Proof(position=done.position, hash=done.hash.hex()),
        due_at=due,
    )


def desk_step(parts: Parts, step: DeskStep) -> Step:
    """A step with who did it, for staff."""
    return Step(
        at=step.at,
        name=step.event,
        says=step.sentence,
        by=f"{step.role} {step.actor_id}" if step.actor_kind == ActorKind.STAFF else step.role,
        street=step.street,
        street_name=street_name(parts, step.street),
        code=step.code,
        words=step.words,
        position=step.position,
    )


def public_step(parts: Parts, step: PublicStep) -> Step:
    """A step without any account or person."""
    return Step(
        at=step.at,
        name=step.event,
        says=step.sentence,
        by=step.role,
        street=step.street,
        street_name=street_name(parts, step.street),
        code=step.code,
        words=step.words,
        position=step.position,
    )
