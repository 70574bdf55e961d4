"""A case's history as the dry run sees it: pauses, rework, extensions, returns, later rounds."""

from datetime import timedelta
from uuid import UUID

import msgspec

from casework import events as did
from casework.dry_run import PastHandling
from casework.log.port import Recorded
from casework.model import (
    Clock,
    ClockStarted,
    Limit,
    Outcome,
    Place,
    PlaceKind,
    StreetCode,
    Unit,
    Versions,
)
from casework.past import past_handlings
from tests.history import CITIZEN, GREEN, INSIDE, MONDAY_9, PHOTO, SEALED, STREET, ZHONGGUANCUN, day

CASE = UUID(int=7)
VERSIONS = Versions(1, 1, 1)
LIMIT = Limit(2, Unit.DUTY_HOUR)
DUE = MONDAY_9 + timedelta(hours=2)
MONTH = (day("03-01 00:00"), day("04-01 00:00"))

SUBMITTED = did.ReportSubmitted(
    number="HD1",
    person=UUID(CITIZEN.id),
    place=Place(lon=GREEN.lon, lat=GREEN.lat, kind=PlaceKind.ROAD),
    assignment=INSIDE,
    versions=VERSIONS,
)
REGISTERED = did.CaseRegistered(indicator="P10", condition="P10-2", versions=VERSIONS)
DISPATCHED = did.CaseDispatched(
    street=ZHONGGUANCUN, assignment=INSIDE, limit=LIMIT, due_at=DUE, versions=VERSIONS
)
RECTIFIED = did.CaseRectified(
    street=ZHONGGUANCUN, outcome=Outcome.RECTIFIED, photos=(PHOTO,), words=SEALED
)
CLOSED = did.CaseClosed(reply=SEALED, standard="已码放")
DISPATCHED_AT = (SUBMITTED, REGISTERED, DISPATCHED)


def told(*happened: tuple[float, msgspec.Struct]) -> list[PastHandling]:
    """The handlings of March, of events so many minutes after Monday at nine."""
    history = [
        Recorded(
            CASE,
            n,
            n,
            "",
            event,
            MONDAY_9 + timedelta(minutes=minutes),
            STREET,
            UUID(int=n),
            0,
            b"",
        )
        for n, (minutes, event) in enumerate(
            [*((0.0, event) for event in DISPATCHED_AT), *happened], start=1
        )
    ]
    return past_handlings(CASE, history, *MONTH)


def minutes(n: float) -> object:
    return MONDAY_9 + timedelta(minutes=n)


def test_a_plain_handling_ends_with_the_hand_over_that_was_accepted() -> None:
    (one,) = told((30, RECTIFIED), (90, CLOSED))
    assert one == PastHandling(
        case=str(CASE),
        indicator="P10",
        condition="P10-2",
        street=ZHONGGUANCUN,
        place_kind=PlaceKind.ROAD,
        dispatched_at=MONDAY_9,
        due_at=DUE,
        handed_over_at=MONDAY_9 + timedelta(minutes=30),
    )


def test_what_still_runs_has_no_hand_over() -> None:
    (one,) = told()
    assert one.handed_over_at is None and one.due_at == DUE


def test_a_rework_counts_the_wait_or_stands_still_as_its_code_says() -> None:
    done = ((30, RECTIFIED), (90, did.ReworkOrdered(code="R02", words=SEALED)))
    (still,) = told(*done, (100, RECTIFIED), (110, CLOSED))
    assert still.handed_over_at == minutes(100)
    assert still.pauses == ((minutes(30), minutes(90)),)
    not_done = did.ReworkOrdered(code="R01", words=SEALED, verification_counts=True)
    (counted,) = told((30, RECTIFIED), (90, not_done), (100, RECTIFIED), (110, CLOSED))
    assert counted.handed_over_at == minutes(100) and counted.pauses == ()
    (open_again,) = told(*done)
    assert open_again.handed_over_at is None


def test_a_suspension_stands_still_and_sets_another_due_time() -> None:
    later = MONDAY_9 + timedelta(days=2)
    started = ClockStarted(Clock.HANDLING, LIMIT, later, "resume")
    (one,) = told(
        (10, did.CaseSuspended(code="S01", resume_on=later.date())),
        (70, did.CaseResumed(due_at=later, started=(started,))),
    )
    assert one.pauses == ((minutes(10), minutes(70)),) and one.due_at == later


def test_granted_extensions_are_counted_with_the_due_time_they_made() -> None:
    later = DUE + timedelta(hours=2)
    started = ClockStarted(Clock.HANDLING, Limit(4, Unit.DUTY_HOUR), later, "extension")
    (one,) = told((10, did.ExtensionGranted(by=LIMIT, due_at=later, started=(started,))))
    assert (one.extensions, one.due_at) == (1, later)


def test_a_street_that_rightly_returned_the_case_is_not_judged() -> None:
    returned = did.ReturnAccepted(street=ZHONGGUANCUN, code="T01")
    again = msgspec.structs.replace(
        DISPATCHED, street=StreetCode("110108012"), due_at=DUE + timedelta(hours=1)
    )
    (one,) = told((20, returned), (40, again), (50, RECTIFIED), (60, CLOSED))
    assert (one.street, one.dispatched_at) == ("110108012", minutes(40))
    assert told((20, did.CaseRecalled(street=ZHONGGUANCUN, reason=SEALED))) == []
    assert told((20, did.CaseForceClosed(code="F01"))) == []


def test_after_a_reclassification_the_whole_handling_is_of_the_new_row() -> None:
    other = did.CaseReclassified(indicator="P09", condition="P09-1", reason=SEALED)
    (one,) = told((10, other))
    assert (one.indicator, one.condition, one.dispatched_at) == ("P09", "P09-1", MONDAY_9)


def test_later_rounds_and_other_months_are_left_out() -> None:
    reopened = did.CaseReopened(
        code="V11", words=SEALED, street=ZHONGGUANCUN, assignment=INSIDE, limit=LIMIT,
        due_at=DUE, round=2,
    )  # fmt: skip
    (one,) = told((30, RECTIFIED), (90, CLOSED), (95, reopened), (99, RECTIFIED), (120, DISPATCHED))
    assert one.handed_over_at == minutes(30)
    recalled = did.CaseRecalled(street=ZHONGGUANCUN, reason=SEALED)
    assert told((10, recalled), (60 * 24 * 60, DISPATCHED)) == []
