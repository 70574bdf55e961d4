"""属地: dispatch, return, recall, designation, reclassification (domain.md sections 3 and 4)."""

from datetime import date, datetime, time, timedelta

import pytest
from msgspec.structs import replace

from casework import catalogue as catalogues
from casework import commands as ask
from casework import events as did
from casework.errors import (
    ConflictOfInterest,
    Exhausted,
    Missing,
    NotAllowed,
    NothingPending,
    NotPermitted,
    NotYours,
    TooLate,
    UnknownCode,
)
from casework.indicators import LimitOverride, NotInCatalogue
from casework.lifecycle import Action, Status
from casework.model import (
    DISPATCHER,
    Actor,
    Clock,
    Limit,
    Place,
    PlaceKind,
    Role,
    StreetCode,
    Unit,
)
from casework.reference import References, WindowsSet
from tests.facts import (
    VERSIONS,
    acknowledged,
    assigned,
    dispatched,
    extended,
    extension_asked,
    force_asked,
    noted,
    rectified,
    registered,
    reported,
    resumed,
    return_accepted,
    return_asked,
    return_rejected,
    revocation_asked,
    reworked,
    suspended,
    suspension_asked,
    to_closed,
    to_dispatched,
    to_handling,
    to_registered,
)
from tests.history import (
    A_MICROSECOND,
    AT_BORDER,
    GREEN,
    HAIDIAN,
    INSIDE,
    INSIDE_012,
    LEAD,
    MONDAY_9,
    OTHER_STREET,
    OUTSIDE,
    REFERENCES,
    REVIEWER,
    REVIEWER_2,
    SEALED,
    STREET,
    SUPERVISOR,
    SUPERVISOR_2,
    ZHONGGUANCUN,
    Fact,
    day,
    given,
    like,
    mon,
    staff,
    tue,
    used,
    wed,
    words,
)

HOUR_US = 3_600_000_000


def send(to: StreetCode = ZHONGGUANCUN, *, why: bool = False) -> ask.Dispatch:
    return ask.Dispatch(street=to, proposal=INSIDE, reason=words() if why else None)


# 派遣 ---------------------------------------------------------------------------------------

LIMITS = [
    # row, sent, due: the sample limits, each counted in its own kind of time
    ("P04-1", mon("09:00"), mon("17:00")),  # 8 duty hours within the day
    ("P04-1", mon("20:00"), tue("14:00")),  # 1 hour today, 7 tomorrow from 07:00
    ("P01-1", mon("21:00"), tue("09:00")),  # 2 duty hours, sent as the windows close
    ("P01-2", day("03-07 18:00"), day("03-08 08:00")),  # duty hours run on a Saturday and Sunday
    ("C01-1", mon("09:00"), day("03-05 09:00")),  # 3 calendar days
    ("C02-1", mon("23:30"), tue("23:30")),  # 1 calendar day, by night too
    ("P10-1", mon("06:00"), mon("08:00")),  # 1 duty hour, sent before the windows open
]


@pytest.mark.parametrize(("row", "at", "due"), LIMITS)
def test_a_dispatch_freezes_the_limit_and_the_due_time(
    row: str, at: datetime, due: datetime
) -> None:
    history = given(reported(at), registered(row=row))
    history.when(send(), by=REVIEWER, at=at).then(
        like(did.CaseDispatched, due_at=due, versions=VERSIONS, designated=False, reason=None)
    )


def test_the_street_has_thirty_duty_minutes_to_acknowledge() -> None:
    case = (
        given(*to_registered())
        .when(send(), by=REVIEWER, at=mon("20:45"))
        .then(
            like(
                did.CaseDispatched,
                starts={Clock.ACKNOWLEDGE: tue("07:15"), Clock.HANDLING: tue("14:45")},
                stops={Clock.DISPATCH},
            )
        )
    )
    assert (case.status, case.street, case.limit) == (
        Status.DISPATCHED,
        ZHONGGUANCUN,
        Limit(8, Unit.DUTY_HOUR),
    )


def test_the_dispatcher_sends_where_it_is_certain() -> None:
    given(*to_registered()).when(send(), by=DISPATCHER).then(like(did.CaseDispatched))


@pytest.mark.parametrize("proposal", [AT_BORDER, OUTSIDE])
def test_near_a_border_the_dispatcher_leaves_it_to_a_person(proposal: object) -> None:
    command = replace(send(), proposal=proposal)
    given(*to_registered()).when(command, by=DISPATCHER).refused(Missing, "审核员")
    reasoned = replace(command, reason=words())
    given(*to_registered()).when(reasoned, by=REVIEWER).then(like(did.CaseDispatched))


def test_a_person_who_sends_elsewhere_than_proposed_says_why() -> None:
    history = given(*to_registered())
    history.when(send(HAIDIAN), by=REVIEWER).refused(Missing, what="reason")
    history.when(send(HAIDIAN, why=True), by=REVIEWER).then(
        like(did.CaseDispatched, street=HAIDIAN, assignment=INSIDE, reason=SEALED)
    )


def test_a_street_gets_nothing_to_handle_before_the_case_is_registered() -> None:
    given(reported()).when(send(), by=REVIEWER).refused(NotAllowed, "待审核")


def changed_limits() -> References:
    """From Tuesday on, 绿地 has 2 duty hours instead of 8."""
    old = REFERENCES.rules_at(MONDAY_9).catalogue.indicator("P04")
    row = replace(old.conditions[0], limit=Limit(2, Unit.DUTY_HOUR))
    new = catalogues.IndicatorRevised(
        indicator=replace(old, conditions=(row,)), effective_from=tue("00:00")
    )
    return REFERENCES.grown(catalogue=[new])


def test_a_change_of_the_catalogue_touches_no_case_registered_before_it() -> None:
    history = given(*to_registered()).under(changed_limits())
    history.when(send(), by=REVIEWER, at=tue("09:00")).then(
        like(did.CaseDispatched, limit=Limit(8, Unit.DUTY_HOUR), versions=VERSIONS)
    )
    later = given(reported()).under(changed_limits())
    command = ask.Register(indicator="P04", condition="P04-1", proposal=INSIDE)
    later.when(command, by=REVIEWER, at=tue("09:00")).then(
        like(did.CaseRegistered, versions=replace(VERSIONS, catalogue=VERSIONS.catalogue + 1)),
        like(did.CaseDispatched, limit=Limit(2, Unit.DUTY_HOUR), due_at=tue("11:00")),
    )


# 退回 ---------------------------------------------------------------------------------------

RETURN = ask.RequestReturn(code="T01")
WINDOWS = [
    # row, sent, until: a quarter of the limit, but no more than 4 duty hours
    ("P01-1", mon("09:00"), mon("09:30")),  # of 2 duty hours
    ("P04-1", mon("09:00"), mon("11:00")),  # of 8 duty hours
    ("P04-1", mon("20:00"), tue("08:00")),  # a duty hour each side of the night
    ("C02-1", mon("09:00"), mon("13:00")),  # 6 hours of a day; 4 duty hours are less
    ("C02-1", mon("20:00"), tue("02:00")),  # 6 hours by night are less than 4 duty hours
    ("C01-1", mon("09:00"), mon("13:00")),  # 18 hours of 3 days; 4 duty hours are less
]


@pytest.mark.parametrize(("row", "at", "until"), WINDOWS)
def test_a_return_is_asked_for_within_a_quarter_of_the_limit(
    row: str, at: datetime, until: datetime
) -> None:
    history = given(reported(at), registered(row=row), dispatched(row=row))
    history.when(RETURN, by=STREET, at=until).then(like(did.ReturnRequested, code="T01"))
    late = history.when(RETURN, by=STREET, at=until + A_MICROSECOND)
    late.refused(TooLate, "申请退回", until=until)


def test_the_handling_clock_runs_on_while_a_return_is_open() -> None:
    case = (
        given(*to_handling())
        .when(RETURN, by=STREET, at=mon("10:00"))
        .then(like(did.ReturnRequested, starts={Clock.RETURN: mon("10:30")}, stops=()))
    )
    assert Clock.HANDLING in case.clocks
    assert case.pending[Action.REQUEST_RETURN].by == STREET.id


def test_a_return_is_asked_for_once_per_dispatch() -> None:
    history = given(*to_dispatched(), return_asked(), return_rejected())
    history.when(RETURN, by=STREET).refused(Exhausted, most=1, per="次派遣")
    again = given(*to_dispatched(), return_asked(), return_accepted(), dispatched(to=ZHONGGUANCUN))
    again.when(RETURN, by=STREET).then(like(did.ReturnRequested))


def test_not_our_duty_is_no_reason_to_return() -> None:
    given(*to_dispatched()).when(ask.RequestReturn(code="K01"), by=STREET).refused(
        UnknownCode, "T01"
    )
    other = ask.RequestReturn(code="T99")
    given(*to_dispatched()).when(other, by=STREET).refused(Missing, "10个字")
    said = ask.RequestReturn(code="T99", words=words(10))
    given(*to_dispatched()).when(said, by=STREET).then(like(did.ReturnRequested, words=SEALED))


def test_a_street_returns_only_its_own_case() -> None:
    given(*to_dispatched()).when(RETURN, by=OTHER_STREET).refused(NotYours)


def test_an_accepted_return_leaves_the_street_out_and_the_next_starts_in_full() -> None:
    history = given(*to_handling(), return_asked(mon("10:00")))
    case = history.when(ask.AcceptReturn(), by=REVIEWER, at=mon("10:20")).then(
        like(
            did.ReturnAccepted,
            street=ZHONGGUANCUN,
            code="T01",
            starts={Clock.DISPATCH: mon("10:35")},
            stops={Clock.HANDLING, Clock.RETURN},
        )
    )
    assert (case.street, case.limit, case.total_limit) == (None, None, None)
    assert case.accepted_returns == 1
    assert case.returned_by == {ZHONGGUANCUN}
    later = history.and_then(return_accepted(mon("10:20")))
    later.when(send(HAIDIAN, why=True), by=REVIEWER, at=mon("10:30")).then(
        like(did.CaseDispatched, due_at=mon("18:30"))
    )


def test_the_street_whose_return_was_accepted_is_not_proposed_again() -> None:
    history = given(*to_dispatched(), return_asked(), return_accepted())
    history.when(send(), by=DISPATCHER).refused(Missing, "退回已被接受")
    history.when(send(), by=REVIEWER).refused(Missing, what="reason")
    history.when(send(why=True), by=REVIEWER).then(like(did.CaseDispatched))


def test_a_rejected_return_stays_with_the_street() -> None:
    history = given(*to_handling(), return_asked())
    case = history.when(ask.RejectReturn(code="TR1"), by=REVIEWER).then(
        like(did.ReturnRejected, code="TR1", words=None, starts={}, stops={Clock.RETURN})
    )
    assert case.status is Status.HANDLING
    assert case.return_rejected_by == REVIEWER.id
    history.when(ask.RejectReturn(code="T01"), by=REVIEWER).refused(UnknownCode, "TR1")


def test_a_return_is_decided_only_while_it_is_open() -> None:
    for command in (ask.AcceptReturn(), ask.RejectReturn(code="TR1")):
        given(*to_handling()).when(command, by=REVIEWER).refused(NothingPending, "没有待决")
        given(*to_handling(), return_asked()).when(command, by=STREET).refused(NotPermitted)


def test_nobody_accepts_the_return_they_asked_for() -> None:
    both = staff("two-hats", Role.STREET, Role.REVIEWER, street=ZHONGGUANCUN)
    history = given(*to_handling(), return_asked(by=both))
    history.when(ask.AcceptReturn(), by=both).refused(ConflictOfInterest, "由您提出")
    history.when(ask.AcceptReturn(), by=REVIEWER).then(like(did.ReturnAccepted))


# 指定派遣与撤回派遣 --------------------------------------------------------------------------

TWICE_RETURNED: tuple[Fact, ...] = (
    *to_dispatched(),
    return_asked(),
    return_accepted(),
    dispatched(to=HAIDIAN),
    return_asked(by=OTHER_STREET),
    return_accepted(street=HAIDIAN),
)
DESIGNATE = ask.Designate(street=ZHONGGUANCUN, proposal=INSIDE, reason=words())


def test_a_supervisor_designates_after_two_accepted_returns() -> None:
    once = TWICE_RETURNED[:5]
    given(*once).when(DESIGNATE, by=SUPERVISOR).refused(Missing, "两次退回")
    given(*TWICE_RETURNED).when(DESIGNATE, by=REVIEWER).refused(NotPermitted, "督办员")
    given(*TWICE_RETURNED).when(DESIGNATE, by=SUPERVISOR).then(
        like(did.CaseDispatched, street=ZHONGGUANCUN, designated=True, reason=SEALED)
    )


def test_what_was_designated_is_not_returned() -> None:
    history = given(*TWICE_RETURNED, dispatched(designated=True, by=SUPERVISOR))
    history.when(RETURN, by=STREET).refused(Missing, "先处置后定责")


@pytest.mark.parametrize("facts", [to_dispatched(), to_handling()])
def test_a_reviewer_recalls_a_dispatch(facts: tuple[Fact, ...]) -> None:
    case = (
        given(*facts)
        .when(ask.Recall(reason=words()), by=REVIEWER, at=mon("09:10"))
        .then(
            like(
                did.CaseRecalled,
                street=ZHONGGUANCUN,
                reason=SEALED,
                starts={Clock.DISPATCH: mon("09:25")},
            )
        )
    )
    assert (case.status, case.street, set(case.clocks)) == (
        Status.REGISTERED,
        None,
        {Clock.DISPATCH},
    )


def test_a_case_without_a_street_has_no_dispatch_and_no_link() -> None:
    history = given(*to_handling(), assigned("ab"))
    case = history.when(ask.Recall(reason=words()), by=REVIEWER).case
    assert (case.dispatched_at, case.upload_link, case.spans) == (None, None, ())


def test_a_recall_needs_a_reason() -> None:
    given(*to_handling()).when(ask.Recall(reason=words(0)), by=REVIEWER).refused(
        Missing, "请写明理由", what="reason"
    )


# 改类与更正位置 ------------------------------------------------------------------------------


def anew(row: str | None, indicator: str | None = None) -> ask.Reclassify:
    return ask.Reclassify(indicator=indicator or (row or "P04")[:3], condition=row, reason=words())


def test_a_report_may_be_reclassified_without_a_condition_a_case_may_not() -> None:
    given(reported()).when(anew(None, "P01"), by=REVIEWER).then(
        did.CaseReclassified(indicator="P01", condition=None, reason=SEALED)
    )
    registered_case = given(*to_registered())
    registered_case.when(anew(None, "P01"), by=REVIEWER).refused(Missing, what="condition")
    case = registered_case.when(anew("P01-2"), by=REVIEWER).then(
        did.CaseReclassified(indicator="P01", condition="P01-2", reason=SEALED)
    )
    assert (case.indicator, case.condition) == ("P01", "P01-2")


def test_reclassifying_needs_what_the_catalogue_holds() -> None:
    given(reported()).when(anew(None, "Z99"), by=REVIEWER).refused(NotInCatalogue)
    given(reported()).when(anew("P04-9"), by=REVIEWER).refused(NotInCatalogue)


def test_while_a_street_handles_it_only_a_supervisor_reclassifies() -> None:
    given(*to_handling()).when(anew("P01-2"), by=REVIEWER).refused(NotPermitted, "督办员")
    given(reported()).when(anew("P01-2"), by=SUPERVISOR).refused(NotPermitted, "审核员")
    given(*to_dispatched()).when(anew("P01-2"), by=SUPERVISOR).refused(NotAllowed)


def test_reclassifying_counts_the_elapsed_time_by_the_new_kind_of_time() -> None:
    """Sent Monday 09:00 under 3 calendar days; on Tuesday 10:00 it is 8 duty hours, from then."""
    history = given(*to_handling("C01-1"))
    answer = history.when(anew("P04-1"), by=SUPERVISOR, at=tue("10:00"))
    case = answer.then(
        like(
            did.CaseReclassified,
            condition="P04-1",
            starts={Clock.HANDLING: mon("17:00")},
            stops={Clock.HANDLING},
        )
    )
    (event,) = answer.own
    assert event.stopped[0].final is False
    assert used(event.stopped, Clock.HANDLING) == timedelta(hours=25)
    assert event.started[0].carried == 15 * HOUR_US  # 12 h on Monday, 3 h on Tuesday, on duty
    assert (case.limit, case.total_limit) == (Limit(8, Unit.DUTY_HOUR),) * 2


def test_time_that_did_not_count_before_does_not_count_after_reclassifying() -> None:
    """Suspended for two days, and waiting for a verification that ended in R02."""
    history = given(
        *to_handling("C01-1"),
        suspension_asked(date(2026, 3, 4)),
        suspended(date(2026, 3, 4), mon("10:00")),
        resumed(Limit(3, Unit.CALENDAR_DAY), wed("10:00")),
        rectified(wed("11:00")),
        reworked(wed("13:00"), "C01-1"),
    )
    answer = history.when(anew("P04-1"), by=SUPERVISOR, at=wed("14:00"))
    (event,) = answer.own
    assert event.started[0].carried == 3 * HOUR_US
    assert event.started[0].due_at == wed("19:00")


def test_a_verification_that_counts_as_handling_counts_after_reclassifying_too() -> None:
    event = did.ReworkOrdered(code="R01", words=SEALED, verification_counts=True)
    rework = reworked(wed("13:00"), "C01-1")._replace(event=event)
    history = given(*to_handling("C01-1"), rectified(mon("11:00")), rework)
    answer = history.when(anew("C02-1"), by=SUPERVISOR, at=wed("14:00"))
    assert answer.own[0].started[0].carried == 53 * HOUR_US


def test_the_new_limit_is_the_one_of_the_day_of_dispatch() -> None:
    """A special limit of Tuesday does not reach back to a dispatch on Monday."""
    old = REFERENCES.rules_at(MONDAY_9).catalogue.indicator("C02")
    special = LimitOverride(limit=Limit(5, Unit.CALENDAR_DAY), first=date(2026, 3, 3))
    row = replace(old.conditions[0], overrides=(special,))
    revised = catalogues.IndicatorRevised(
        indicator=replace(old, conditions=(row, old.conditions[1])), effective_from=mon("00:00")
    )
    references = REFERENCES.grown(catalogue=[revised])
    versions = references.versions_at(MONDAY_9)
    frozen = did.CaseRegistered(indicator="C01", condition="C01-1", versions=versions)
    history = given(
        reported(),
        registered(row="C01-1")._replace(event=frozen),
    ).under(references)
    history = history.and_then(dispatched(row="C01-1"), acknowledged())
    history.when(anew("C02-1"), by=SUPERVISOR, at=tue("10:00")).then(
        like(did.CaseReclassified, starts={Clock.HANDLING: tue("09:00")})
    )


def test_reclassifying_drops_the_extensions_of_the_old_limit() -> None:
    """What may be extended, and by how much, goes by the new limit: 8 duty hours, once."""
    history = given(
        *to_handling("C01-1"),
        extension_asked(more=Limit(1, Unit.CALENDAR_DAY)),
        extended(Limit(4, Unit.CALENDAR_DAY)),
    )
    answer = history.when(anew("P04-1"), by=SUPERVISOR, at=mon("10:00"))
    assert answer.own[0].started[0].due_at == mon("17:00")
    assert answer.case.extensions == 0
    reclassified = Fact(answer.own[0], SUPERVISOR, mon("10:00"), stops=frozenset({Clock.HANDLING}))
    later = history.and_then(reclassified)
    by_day = ask.RequestExtension(code="E01", by=Limit(1, Unit.CALENDAR_DAY))
    later.when(by_day, by=STREET).refused(Missing, "计时方式")
    by_hours = ask.RequestExtension(code="E01", by=Limit(8, Unit.DUTY_HOUR))
    later.when(by_hours, by=STREET).then(like(did.ExtensionRequested))


def test_an_open_request_for_an_extension_ends_with_reclassifying() -> None:
    history = given(*to_handling(), extension_asked())
    case = history.when(anew("C01-1"), by=SUPERVISOR, at=mon("10:00")).then(
        like(did.CaseReclassified, stops={Clock.HANDLING, Clock.EXTENSION})
    )
    assert not case.pending


def test_a_registered_case_is_reclassified_by_its_own_catalogue_a_report_by_todays() -> None:
    """P01 is retired from Monday 12:00 on: no new case gets it, an older one still may."""
    retired = catalogues.IndicatorRetired(code="P01", effective_from=mon("12:00"))
    references = REFERENCES.grown(catalogue=[retired])
    old = given(*to_registered()).under(references)
    old.when(anew("P01-2"), by=REVIEWER, at=mon("14:00")).then(like(did.CaseReclassified))
    new = given(reported()).under(references)
    new.when(anew("P01-2"), by=REVIEWER, at=mon("14:00")).refused(NotInCatalogue)
    new.when(anew("P02-1"), by=REVIEWER, at=mon("14:00")).then(like(did.CaseReclassified))


def shorter_duty() -> References:
    """From Monday 12:00 on, duty is 13:00 to 15:00 only, and 绿地 has one hour."""
    windows = WindowsSet(
        duty=((time(13), time(15)),), working=((time(9), time(10)),), effective_from=mon("12:00")
    )
    old = REFERENCES.rules_at(MONDAY_9).catalogue.indicator("P04")
    row = replace(old.conditions[0], limit=Limit(1, Unit.DUTY_HOUR))
    shorter = catalogues.IndicatorRevised(
        indicator=replace(old, conditions=(row,)), effective_from=mon("12:00")
    )
    return REFERENCES.grown(catalogue=[shorter], calendar=[windows])


def test_return_and_reclassification_keep_the_frozen_limits_and_calendar() -> None:
    returning = given(*to_dispatched("C01-1")).under(shorter_duty())
    returning.when(RETURN, by=STREET, at=mon("14:00")).refused(TooLate, until=mon("13:00"))
    handled = given(*to_handling("C01-1")).under(shorter_duty())
    handled.when(anew("P04-1"), by=SUPERVISOR, at=mon("14:00")).then(
        like(did.CaseReclassified, starts={Clock.HANDLING: mon("17:00")})
    )


def test_an_extension_does_not_widen_the_window_for_a_return() -> None:
    history = given(*to_handling(), extension_asked(), extended(Limit(12, Unit.DUTY_HOUR)))
    late = mon("11:00") + A_MICROSECOND
    history.when(RETURN, by=STREET, at=late).refused(TooLate, until=mon("11:00"))


def test_a_place_is_corrected_with_a_reason_and_moves_no_clock() -> None:
    elsewhere = Place(lon=116.3, lat=39.99, kind=PlaceKind.ROAD)
    command = ask.CorrectPlace(place=elsewhere, assignment=INSIDE_012, reason=words())
    corrected = did.PlaceCorrected(place=elsewhere, assignment=INSIDE_012, reason=SEALED)
    for history, by in (
        (given(reported()), REVIEWER),
        (given(*to_registered()), REVIEWER),
        (given(*to_handling()), SUPERVISOR),
    ):
        case = history.when(command, by=by).then(corrected)
        assert (case.place, case.assignment) == (elsewhere, INSIDE_012)
    given(*to_handling()).when(command, by=REVIEWER).refused(NotPermitted)


# 撤销立案 -----------------------------------------------------------------------------------

REVOKE = ask.RevokeRegistration(code="X01", words=words())


def test_a_registration_is_revoked_by_two_persons() -> None:
    asked = given(*to_registered()).when(REVOKE, by=REVIEWER, at=mon("09:05"))
    asked.then(
        like(
            did.RevocationRequested,
            code="X01",
            words=SEALED,
            starts={Clock.SECOND_PERSON: mon("11:05")},
            stops=(),
        )
    )
    history = given(*to_registered(), noted(), revocation_asked())
    case = history.when(ask.ConfirmRevocation(), by=SUPERVISOR, at=mon("10:00")).then(
        like(
            did.RegistrationRevoked,
            code="X01",
            starts={Clock.OBJECTION: day("03-07 10:00")},
            stops={Clock.DISPATCH, Clock.SECOND_PERSON, Clock.NOTE},
        )
    )
    assert case.status is Status.REFUSED


def test_nobody_confirms_their_own_revocation() -> None:
    both = staff("two-hats", Role.REVIEWER, Role.SUPERVISOR)
    history = given(*to_registered(), revocation_asked(by=both))
    history.when(ask.ConfirmRevocation(), by=both).refused(ConflictOfInterest, "由您提出")


def test_nobody_revokes_what_their_own_street_had() -> None:
    own = staff("supervisor-011", Role.SUPERVISOR, street=ZHONGGUANCUN)
    history = given(*to_dispatched(), return_asked(), return_accepted(), revocation_asked())
    history.when(ask.ConfirmRevocation(), by=own).refused(ConflictOfInterest, "您所在街镇")


def test_after_an_objection_a_revocation_is_final() -> None:
    facts = (reported(), registered(), revocation_asked())
    after = given(*facts)
    assert after.state.objected is False
    objected_before = after._replace(case=replace(after.state, objected=True))
    objected_before.when(ask.ConfirmRevocation(), by=SUPERVISOR).then(
        like(did.RegistrationRevoked, starts={})
    )


def test_without_a_request_there_is_nothing_to_confirm() -> None:
    given(*to_registered()).when(ask.ConfirmRevocation(), by=SUPERVISOR).refused(NothingPending)


def test_one_request_for_a_second_person_at_a_time() -> None:
    history = given(*to_registered(), force_asked())
    history.when(REVOKE, by=REVIEWER).refused(NothingPending, "第二人")


def test_a_case_that_was_closed_is_not_dispatched() -> None:
    given(*to_closed()).when(send(), by=REVIEWER_2).refused(NotAllowed, "已结案")
    given(*to_closed()).when(ask.Recall(reason=words()), by=REVIEWER).refused(NotAllowed)


@pytest.mark.parametrize("by", [LEAD, SUPERVISOR_2, DISPATCHER])
def test_only_a_reviewer_revokes(by: Actor) -> None:
    given(*to_registered()).when(REVOKE, by=by).refused(NotPermitted)


def test_the_kind_of_place_may_have_a_limit_of_its_own() -> None:
    """The limit is the one for that place kind; another kind keeps the row's."""
    old = REFERENCES.rules_at(MONDAY_9).catalogue.indicator("P04")
    special = LimitOverride(limit=Limit(1, Unit.DUTY_HOUR), place_kinds=(PlaceKind.GREEN,))
    row = replace(old.conditions[0], overrides=(special,))
    revised = catalogues.IndicatorRevised(
        indicator=replace(old, conditions=(row,)), effective_from=mon("00:00")
    )
    references = REFERENCES.grown(catalogue=[revised])
    command = ask.Register(indicator="P04", condition="P04-1", proposal=INSIDE)
    on_green = given(reported()).under(references).when(command, by=REVIEWER)
    assert on_green.case.limit == Limit(1, Unit.DUTY_HOUR)
    square = replace(GREEN, kind=PlaceKind.SQUARE)
    elsewhere = given(reported(place=square)).under(references).when(command, by=REVIEWER)
    assert elsewhere.case.limit == Limit(8, Unit.DUTY_HOUR)
