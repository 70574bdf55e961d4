"""处置: what the 街镇 does and asks for, and what is answered (domain.md sections 3 and 4)."""

from datetime import date, datetime, time, timedelta

import pytest
from msgspec.structs import replace

from casework import commands as ask
from casework import events as did
from casework.catalogue import IndicatorRevised
from casework.clocks import MINUTE
from casework.decisions.handling import extensions_allowed
from casework.errors import (
    ConflictOfInterest,
    Exhausted,
    Missing,
    NotAllowed,
    NothingPending,
    NotPermitted,
    NotYours,
    TooEarly,
    TooLate,
    UnknownCode,
)
from casework.lifecycle import Action, Status
from casework.model import CLOCK, Actor, Clock, Limit, Outcome, Role, Solved, Unit
from casework.reference import References, WindowsSet
from tests.facts import (
    appealed,
    assigned,
    check_asked,
    claimed,
    coordination_asked,
    dispatched,
    doubted,
    extended,
    extension_asked,
    force_asked,
    force_closed,
    limit_of,
    noted,
    rated,
    rectified,
    reopened,
    resumed,
    return_accepted,
    return_asked,
    reworked,
    suspended,
    suspension_asked,
    to_closed,
    to_dispatched,
    to_handling,
    to_recheck,
    to_rectified,
    to_registered,
    to_suspended,
)
from tests.history import (
    A_MICROSECOND,
    CITIZEN,
    INSIDE,
    LEAD,
    MONDAY_9,
    OTHER_LEAD,
    OTHER_STREET,
    PHOTO,
    REFERENCES,
    REVIEWER,
    RULES,
    SEALED,
    STREET,
    SUPERVISOR,
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

EIGHT_HOURS = Limit(8, Unit.DUTY_HOUR)
FOUR_HOURS = Limit(4, Unit.DUTY_HOUR)
ONE_DAY = Limit(1, Unit.CALENDAR_DAY)
BOTH_HATS = staff("two-hats", Role.STREET_LEAD, Role.SUPERVISOR, street=ZHONGGUANCUN)


# 签收与指派 ----------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [STREET, LEAD])
def test_the_street_acknowledges_and_handling_runs_on(by: Actor) -> None:
    case = (
        given(*to_dispatched())
        .when(ask.Acknowledge(), by=by, at=mon("09:30"))
        .then(like(did.CaseAcknowledged, street=ZHONGGUANCUN, starts={}, stops={Clock.ACKNOWLEDGE}))
    )
    assert case.status is Status.HANDLING
    assert case.clocks[Clock.HANDLING].fact.due_at == mon("17:00")


@pytest.mark.parametrize(
    ("at", "in_time"), [(mon("09:30"), True), (mon("09:30") + A_MICROSECOND, False)]
)
def test_exactly_on_the_second_is_in_time(at: datetime, *, in_time: bool) -> None:
    (event,) = given(*to_dispatched()).when(ask.Acknowledge(), by=STREET, at=at).own
    assert [stop.in_time for stop in event.stopped] == [in_time]


@pytest.mark.parametrize("by", [OTHER_STREET, OTHER_LEAD])
def test_a_street_that_does_not_have_the_case_is_told_there_is_none(by: Actor) -> None:
    given(*to_dispatched()).when(ask.Acknowledge(), by=by).refused(NotYours, "没有找到")
    given(*to_handling()).when(ask.Acknowledge(), by=STREET).refused(NotAllowed, "处置中")
    given(*to_dispatched()).when(ask.Acknowledge(), by=REVIEWER).refused(NotPermitted)


def test_a_handler_is_named_by_the_street() -> None:
    history = given(*to_handling())
    history.when(ask.Assign(handler=" 张师傅 ", link="ab"), by=STREET).then(
        did.HandlerAssigned(handler="张师傅", link="ab")
    )
    history.when(ask.Assign(handler="  "), by=STREET).refused(Missing, what="handler")


def test_an_upload_link_is_void_once_the_street_hands_over_or_loses_the_case() -> None:
    history = given(*to_handling(), assigned("ab"))
    assert history.state.upload_link == "ab"
    assert history.and_then(assigned("cd")).state.upload_link == "cd"
    assert history.and_then(rectified()).state.upload_link is None
    assert history.and_then(return_asked(), return_accepted()).state.upload_link is None
    closed_by_force = history.and_then(force_asked(), force_closed())
    again = closed_by_force.and_then(rated(Solved.NO), doubted(), reopened(2))
    assert again.state.upload_link is None, "a link of the last round opens nothing in this one"


# 提请协调与确定协办 --------------------------------------------------------------------------

COORDINATE = ask.RequestCoordination(code="K01")


def test_coordination_is_asked_for_and_the_clock_of_the_street_runs_on() -> None:
    case = (
        given(*to_handling())
        .when(COORDINATE, by=STREET, at=mon("10:00"))
        .then(
            like(
                did.CoordinationRequested,
                code="K01",
                words=None,
                starts={Clock.COORDINATION: mon("12:00")},
                stops=(),
            )
        )
    )
    assert Clock.HANDLING in case.clocks
    given(*to_handling(), coordination_asked()).when(COORDINATE, by=STREET).refused(
        NothingPending, "同类申请"
    )
    wrong = ask.RequestCoordination(code="T01")
    given(*to_handling()).when(wrong, by=STREET).refused(UnknownCode)


def test_a_supervisor_names_who_helps_and_by_when_and_the_street_stays_in_charge() -> None:
    command = ask.NameCoHandler(body=" 园林局 ", limit=FOUR_HOURS)
    history = given(*to_handling(), coordination_asked())
    case = history.when(command, by=SUPERVISOR, at=mon("19:00")).then(
        like(
            did.CoHandlerNamed,
            body="园林局",
            limit=FOUR_HOURS,
            due_at=tue("09:00"),
            stops={Clock.COORDINATION},
        )
    )
    assert (case.street, case.pending) == (ZHONGGUANCUN, {})
    unasked = given(*to_handling()).when(command, by=SUPERVISOR)
    unasked.then(like(did.CoHandlerNamed, stops=()))


def test_a_co_handler_has_a_name_and_a_limit() -> None:
    history = given(*to_handling())
    history.when(ask.NameCoHandler(body=" ", limit=FOUR_HOURS), by=SUPERVISOR).refused(
        Missing, what="body"
    )
    none = ask.NameCoHandler(body="园林局", limit=Limit(0, Unit.HOUR))
    history.when(none, by=SUPERVISOR).refused(Missing, what="limit")


# 延期 ---------------------------------------------------------------------------------------

CLASSES = [
    # the limit, and how many extensions it allows
    (Limit(1, Unit.DUTY_HOUR), 0),
    (Limit(240, Unit.DUTY_MINUTE), 0),
    (Limit(4, Unit.DUTY_HOUR), 0),
    (Limit(4, Unit.HOUR), 0),
    (Limit(241, Unit.DUTY_MINUTE), 1),
    (Limit(8, Unit.DUTY_HOUR), 1),
    (Limit(14, Unit.DUTY_HOUR), 1),  # a day of duty hours, 07:00 to 21:00
    (Limit(24, Unit.HOUR), 1),
    (Limit(1, Unit.CALENDAR_DAY), 1),
    (Limit(1, Unit.WORKING_DAY), 1),
    (Limit(15, Unit.DUTY_HOUR), 2),
    (Limit(25, Unit.HOUR), 2),
    (Limit(2, Unit.CALENDAR_DAY), 2),
    (Limit(8, Unit.WORKING_HOUR), 2),  # a working day has 7.5
]


@pytest.mark.parametrize(("limit", "number"), CLASSES)
def test_none_up_to_four_hours_one_up_to_a_day_two_above(limit: Limit, number: int) -> None:
    assert extensions_allowed(limit, RULES.calendar) == number


def more(limit: Limit, code: str = "E01") -> ask.RequestExtension:
    return ask.RequestExtension(code=code, by=limit)


def test_an_extension_is_asked_for_before_it_is_due_or_on_the_second() -> None:
    history = given(*to_handling())
    history.when(more(FOUR_HOURS), by=STREET, at=mon("17:00")).then(
        like(
            did.ExtensionRequested,
            code="E01",
            by=FOUR_HOURS,
            starts={Clock.EXTENSION: mon("19:00")},
            stops=(),
        )
    )
    late = history.when(more(FOUR_HOURS), by=STREET, at=mon("17:00") + A_MICROSECOND)
    late.refused(TooLate, until=mon("17:00"))


def test_an_extension_adds_at_most_the_original_limit() -> None:
    history = given(*to_handling())
    history.when(more(EIGHT_HOURS), by=STREET).then(like(did.ExtensionRequested))
    history.when(more(Limit(481, Unit.DUTY_MINUTE)), by=STREET).refused(Missing, what="by")
    history.when(more(Limit(0, Unit.DUTY_HOUR)), by=STREET).refused(Missing, what="by")
    history.when(more(Limit(1, Unit.HOUR)), by=STREET).refused(Missing, "计时方式")


def test_a_granted_extension_lengthens_the_limit_and_keeps_the_time_used() -> None:
    history = given(*to_handling(), extension_asked(mon("16:00")))
    answer = history.when(ask.GrantExtension(), by=SUPERVISOR, at=mon("17:30"))
    case = answer.then(
        like(
            did.ExtensionGranted,
            by=FOUR_HOURS,
            due_at=mon("21:00"),
            starts={Clock.HANDLING: mon("21:00")},
            stops={Clock.HANDLING, Clock.EXTENSION},
        )
    )
    assert used(answer.own[0].stopped, Clock.HANDLING) == timedelta(hours=8, minutes=30)
    assert {stop.clock: stop.final for stop in answer.own[0].stopped}[Clock.HANDLING] is False
    assert (case.limit, case.total_limit) == (EIGHT_HOURS, Limit(12, Unit.DUTY_HOUR))
    assert case.extensions == 1


def test_denied_after_it_was_due_overdue_stands_from_the_original_due_time() -> None:
    history = given(*to_handling(), extension_asked(mon("16:59")))
    deny = ask.DenyExtension(words=words())
    case = history.when(deny, by=SUPERVISOR, at=mon("18:00")).then(
        like(did.ExtensionDenied, words=SEALED, starts={}, stops={Clock.EXTENSION})
    )
    assert case.clocks[Clock.HANDLING].fact.due_at == mon("17:00")
    assert not case.pending
    (event,) = (
        given(*to_handling(), extension_asked())
        .when(
            ask.Rectify(outcome=Outcome.RECTIFIED, photos=(PHOTO,), words=words()),
            by=STREET,
            at=mon("18:00"),
        )
        .own
    )
    in_time = {stop.clock: stop.in_time for stop in event.stopped}
    assert in_time[Clock.HANDLING] is False


def test_an_eight_hour_limit_is_extended_once_and_one_of_three_days_twice() -> None:
    once = given(*to_handling(), extension_asked(), extended(Limit(12, Unit.DUTY_HOUR)))
    once.when(more(FOUR_HOURS), by=STREET).refused(Exhausted, most=1, per="次派遣")
    days = given(
        *to_handling("C01-1"), extension_asked(more=ONE_DAY), extended(Limit(4, Unit.CALENDAR_DAY))
    )
    days.when(more(ONE_DAY), by=STREET).then(like(did.ExtensionRequested))
    twice = days.and_then(extension_asked(more=ONE_DAY), extended(Limit(5, Unit.CALENDAR_DAY)))
    twice.when(more(ONE_DAY), by=STREET).refused(Exhausted, most=2)


def test_a_second_extension_is_measured_by_the_original_limit_too() -> None:
    five_days = extended(Limit(5, Unit.CALENDAR_DAY))
    history = given(*to_handling("C01-1"), extension_asked(more=ONE_DAY), five_days)
    history.when(more(Limit(3, Unit.CALENDAR_DAY)), by=STREET).then(like(did.ExtensionRequested))
    history.when(more(Limit(4, Unit.CALENDAR_DAY)), by=STREET).refused(Missing, what="by")


def test_four_hours_are_not_extended() -> None:
    given(*to_handling("P01-2")).when(more(FOUR_HOURS), by=STREET).refused(Exhausted, most=0)


def test_one_request_for_an_extension_at_a_time_and_only_while_open_it_is_decided() -> None:
    history = given(*to_handling(), extension_asked())
    history.when(more(FOUR_HOURS), by=STREET).refused(NothingPending)
    for command in (ask.GrantExtension(), ask.DenyExtension(words=words())):
        given(*to_handling()).when(command, by=SUPERVISOR).refused(NothingPending, "没有待决")


def test_an_extension_lapses_with_the_hand_over() -> None:
    history = given(*to_handling(), extension_asked(), rectified())
    assert not history.state.pending
    history.when(ask.GrantExtension(), by=SUPERVISOR).refused(NotAllowed)


def test_nobody_grants_what_they_asked_for() -> None:
    asked = given(*to_handling(), extension_asked(by=BOTH_HATS))
    asked.when(ask.GrantExtension(), by=BOTH_HATS).refused(ConflictOfInterest, "由您提出")
    asked = given(*to_handling(), suspension_asked(date(2026, 3, 4), by=BOTH_HATS))
    asked.when(ask.GrantSuspension(), by=BOTH_HATS).refused(ConflictOfInterest, "由您提出")


# 挂账 ---------------------------------------------------------------------------------------


def until(resume_on: date, length: int = 0, code: str = "S01") -> ask.RequestSuspension:
    return ask.RequestSuspension(
        code=code, resume_on=resume_on, words=words(length) if length else None
    )


def test_only_the_lead_of_the_street_asks_for_a_suspension() -> None:
    history = given(*to_handling())
    history.when(until(date(2026, 3, 4)), by=STREET).refused(NotPermitted, "街镇负责人")
    history.when(until(date(2026, 3, 4)), by=OTHER_LEAD).refused(NotYours)
    case = history.when(until(date(2026, 3, 4)), by=LEAD, at=mon("10:00")).then(
        like(
            did.SuspensionRequested,
            code="S01",
            resume_on=date(2026, 3, 4),
            starts={Clock.SUSPENSION: mon("12:00")},
            stops=(),
        )
    )
    assert case.status is Status.HANDLING


DAYS = [
    # asked on Monday, 2 March: the day of resumption, characters said, whether that will do
    (date(2026, 3, 2), 12, False),  # today
    (date(2026, 3, 3), 0, True),
    (date(2026, 5, 31), 0, True),  # the 90th day
    (date(2026, 6, 1), 9, False),  # the 91st needs ten characters
    (date(2026, 6, 1), 0, False),
    (date(2026, 6, 1), 10, True),
    (date(2026, 8, 29), 10, True),  # the 180th day
    (date(2026, 8, 30), 10, False),
]


@pytest.mark.parametrize(("resume_on", "length", "will_do"), DAYS)
def test_a_suspension_lasts_from_one_to_180_days(
    resume_on: date, length: int, *, will_do: bool
) -> None:
    answer = given(*to_handling()).when(until(resume_on, length), by=LEAD, at=mon("23:59"))
    if will_do:
        answer.then(like(did.SuspensionRequested, resume_on=resume_on))
    else:
        answer.refused(Missing)


def test_a_suspension_is_asked_for_once_a_round() -> None:
    one = given(*to_handling(), suspension_asked(date(2026, 3, 4)))
    one.when(until(date(2026, 3, 5)), by=LEAD).refused(NothingPending)
    before = given(
        *to_handling(),
        suspension_asked(date(2026, 3, 4)),
        suspended(date(2026, 3, 4)),
        resumed(EIGHT_HOURS, wed("00:00")),
    )
    before.when(until(date(2026, 3, 6)), by=LEAD).refused(Exhausted, most=1, per="轮处置")
    next_round = before.and_then(rectified(), reopened(2))
    acknowledged = next_round.when(ask.Acknowledge(), by=STREET).case
    again = next_round._replace(case=acknowledged)
    again.when(until(date(2026, 3, 6)), by=LEAD).then(like(did.SuspensionRequested))


def test_a_granted_suspension_pauses_handling_until_the_day_begins() -> None:
    history = given(*to_handling(), suspension_asked(date(2026, 3, 4)), force_asked())
    answer = history.when(ask.GrantSuspension(), by=SUPERVISOR, at=mon("11:00"))
    case = answer.then(
        like(
            did.CaseSuspended,
            code="S01",
            resume_on=date(2026, 3, 4),
            starts={Clock.RESUMPTION: wed("00:00")},
            stops={Clock.HANDLING, Clock.SUSPENSION, Clock.SECOND_PERSON},
        )
    )
    assert {stop.clock: stop.final for stop in answer.own[0].stopped}[Clock.HANDLING] is False
    assert (case.status, case.pending) == (Status.SUSPENDED, {})


def test_a_suspension_whose_day_has_begun_is_no_longer_granted() -> None:
    history = given(*to_handling(), suspension_asked(date(2026, 3, 3)))
    history.when(ask.GrantSuspension(), by=SUPERVISOR, at=tue("00:00")).refused(
        TooLate, until=tue("00:00")
    )
    last = history.when(ask.GrantSuspension(), by=SUPERVISOR, at=mon("23:59"))
    last.then(like(did.CaseSuspended, starts={Clock.RESUMPTION: tue("00:00")}))


def test_a_denied_suspension_changes_nothing() -> None:
    history = given(*to_handling(), suspension_asked(date(2026, 3, 4)))
    case = history.when(ask.DenySuspension(words=words()), by=SUPERVISOR).then(
        like(did.SuspensionDenied, words=SEALED, starts={}, stops={Clock.SUSPENSION})
    )
    assert (case.status, case.was_suspended) == (Status.HANDLING, False)


SUSPENDED = (
    *to_handling(),
    suspension_asked(date(2026, 3, 4)),
    suspended(date(2026, 3, 4), mon("11:00")),
)


def test_the_clock_resumes_on_the_day_and_not_before() -> None:
    history = given(*SUSPENDED)
    early = history.when(ask.Resume(), by=CLOCK, at=wed("00:00") - A_MICROSECOND)
    early.refused(TooEarly)
    case = history.when(ask.Resume(), by=CLOCK, at=wed("00:00")).then(
        like(
            did.CaseResumed,
            due_at=wed("13:00"),
            starts={Clock.HANDLING: wed("13:00")},
            stops={Clock.RESUMPTION},
        )
    )
    assert case.status is Status.HANDLING


@pytest.mark.parametrize("by", [STREET, LEAD, SUPERVISOR])
def test_street_and_supervisor_resume_before_the_day(by: Actor) -> None:
    given(*SUSPENDED).when(ask.Resume(), by=by, at=mon("14:00")).then(
        like(did.CaseResumed, due_at=mon("20:00"))
    )
    given(*SUSPENDED).when(ask.Resume(), by=OTHER_STREET).refused(NotYours)


# 整改反馈 -----------------------------------------------------------------------------------


def handed_over(outcome: Outcome = Outcome.RECTIFIED) -> ask.Rectify:
    return ask.Rectify(outcome=outcome, photos=(PHOTO,), words=words())


@pytest.mark.parametrize("outcome", list(Outcome))
def test_the_hand_over_stops_handling_until_it_is_judged(outcome: Outcome) -> None:
    answer = given(*to_handling()).when(handed_over(outcome), by=STREET, at=mon("15:00"))
    case = answer.then(
        like(
            did.CaseRectified,
            street=ZHONGGUANCUN,
            outcome=outcome,
            photos=(PHOTO,),
            words=SEALED,
            starts={Clock.VERIFICATION: mon("17:00")},
            stops={Clock.HANDLING},
        )
    )
    assert [stop.final for stop in answer.own[0].stopped] == [False]
    assert (case.status, case.rectified_at) == (Status.RECTIFIED, mon("15:00"))


def test_a_hand_over_ends_every_request_of_the_street() -> None:
    history = given(
        *to_handling(),
        noted(),
        return_asked(),
        coordination_asked(),
        extension_asked(),
        suspension_asked(date(2026, 3, 4)),
        force_asked(),
    )
    case = history.when(handed_over(), by=LEAD).then(like(did.CaseRectified))
    assert set(case.clocks) == {Clock.NOTE, Clock.VERIFICATION}
    assert not case.pending


def test_a_hand_over_has_a_photo_and_words() -> None:
    history = given(*to_handling())
    history.when(replace(handed_over(), photos=()), by=STREET).refused(Missing, what="photos")
    too_many = replace(handed_over(), photos=(PHOTO,) * 10)
    history.when(too_many, by=STREET).refused(Missing, what="photos")
    history.when(replace(handed_over(), words=words(0)), by=STREET).refused(Missing, what="words")
    history.when(handed_over(), by=CITIZEN).refused(NotPermitted)


# 返工: which time counts ---------------------------------------------------------------------

REWORKS = [
    # Sent Monday 09:00 under 8 duty hours, handed over 11:00, judged 12:30.
    ("R01", mon("17:00"), True),  # 未整改: the wait counts
    ("R04", mon("17:00"), True),
    ("R05", mon("17:00"), True),
    ("R02", mon("18:30"), False),  # 不彻底: the remainder runs on from here
    ("R03", mon("18:30"), False),
    ("R06", mon("18:30"), False),
    ("R07", mon("18:30"), False),
]


@pytest.mark.parametrize(("code", "due", "counts"), REWORKS)
def test_which_verification_time_counts_as_handling(
    code: str, due: datetime, *, counts: bool
) -> None:
    history = given(*to_handling(), rectified(mon("11:00")), check_asked())
    command = ask.OrderRework(code=code, words=words())
    case = history.when(command, by=REVIEWER, at=mon("12:30")).then(
        like(
            did.ReworkOrdered,
            code=code,
            verification_counts=counts,
            starts={Clock.HANDLING: due},
            stops={Clock.VERIFICATION, Clock.SITE_CHECK},
        )
    )
    assert (case.status, case.rework_by) == (Status.HANDLING, REVIEWER.id)


def test_what_was_overdue_at_the_hand_over_is_overdue_after_the_rework() -> None:
    history = given(*to_handling(), rectified(mon("18:00")))
    command = ask.OrderRework(code="R02", words=words())
    (event,) = history.when(command, by=REVIEWER, at=mon("19:00")).own
    assert event.started[0].due_at == mon("18:00")
    assert event.started[0].carried == 9 * 60 * MINUTE


def test_rework_and_resumption_keep_what_was_extended() -> None:
    history = given(
        *to_handling(), extension_asked(), extended(Limit(12, Unit.DUTY_HOUR)), rectified()
    )
    rework = history.when(ask.OrderRework(code="R02", words=words()), by=REVIEWER)
    assert rework.own[0].started[0].limit == Limit(12, Unit.DUTY_HOUR)


def test_a_second_hand_over_counts_all_handling_so_far() -> None:
    history = given(
        *to_handling(), rectified(mon("11:00")), reworked(mon("12:00")), rectified(mon("14:00"))
    )
    assert history.state.used(Clock.HANDLING) == 4 * 60 * MINUTE


def other_times() -> References:
    """From Monday 12:00 on, duty is 13:00 to 15:00 and a working day one hour; 绿地 has 1 hour."""
    windows = WindowsSet(
        duty=((time(13), time(15)),), working=((time(9), time(10)),), effective_from=mon("12:00")
    )
    old = REFERENCES.rules_at(MONDAY_9).catalogue.indicator("P04")
    row = replace(old.conditions[0], limit=Limit(1, Unit.DUTY_HOUR))
    shorter = IndicatorRevised(
        indicator=replace(old, conditions=(row,)), effective_from=mon("12:00")
    )
    return REFERENCES.grown(catalogue=[shorter], calendar=[windows])


GRANT = ask.GrantExtension()
REWORK_R01 = ask.OrderRework(code="R01", words=words())
REWORK_R02 = ask.OrderRework(code="R02", words=words())
CLOSE = ask.Close(standard_met=True, reply=words())
SEND = ask.Dispatch(street=ZHONGGUANCUN, proposal=INSIDE)

FROZEN: list[tuple[tuple[Fact, ...], ask.Command, Actor, Clock, datetime]] = [
    # the case so far; what is asked on Monday 14:00; the clock, and when it is due as of 09:00
    ((*to_handling(), extension_asked()), GRANT, SUPERVISOR, Clock.HANDLING, mon("21:00")),
    (to_rectified(at=mon("11:00")), REWORK_R01, REVIEWER, Clock.HANDLING, mon("17:00")),
    (to_rectified(at=mon("11:00")), REWORK_R02, REVIEWER, Clock.HANDLING, mon("20:00")),
    (to_suspended(at=mon("11:00")), ask.Resume(), STREET, Clock.HANDLING, mon("20:00")),
    (to_rectified(at=mon("11:00")), CLOSE, REVIEWER, Clock.APPEAL_WINDOW, day("03-09 14:00")),
    (to_recheck(), ask.Reopen(code="V11", words=words()), REVIEWER, Clock.HANDLING, mon("18:00")),
    (to_registered(), SEND, REVIEWER, Clock.HANDLING, tue("08:00")),
]


@pytest.mark.parametrize(("facts", "command", "by", "clock", "due"), FROZEN)
def test_a_registered_case_keeps_its_limits_and_its_calendar(
    facts: tuple[Fact, ...], command: ask.Command, by: Actor, clock: Clock, due: datetime
) -> None:
    history = given(*facts).under(other_times())
    (event,) = history.when(command, by=by, at=mon("14:00")).own
    assert {started.clock: started.due_at for started in event.started}[clock] == due


def test_a_co_handler_has_its_limit_by_the_frozen_calendar() -> None:
    command = ask.NameCoHandler(body="园林局", limit=FOUR_HOURS)
    history = given(*to_handling()).under(other_times())
    history.when(command, by=SUPERVISOR, at=mon("14:00")).then(
        like(did.CoHandlerNamed, due_at=mon("18:00"))
    )


def test_extensions_begin_anew_with_another_dispatch() -> None:
    history = given(*to_handling(), extension_asked(), extended(Limit(12, Unit.DUTY_HOUR)))
    recalled = did.CaseRecalled(street=ZHONGGUANCUN, reason=SEALED)
    fact = dispatched()._replace(event=recalled, starts=(Clock.DISPATCH,))
    again = history.and_then(fact, dispatched())
    assert (again.state.extensions, again.state.total_limit) == (0, limit_of("P04-1"))


def test_a_case_that_was_not_solved_is_handled_again_in_a_new_round() -> None:
    history = given(*to_recheck(), reopened(2))
    assert history.state.round == 2
    assert history.state.limit == FOUR_HOURS
    assert given(*to_closed(), rated(), appealed()).state.round == 1


def test_a_claim_ends_when_the_case_moves_to_another_desk() -> None:
    history = given(*to_rectified(), claimed(mon("09:15")))
    assert history.state.claimed_by == REVIEWER.id
    moved = history.and_then(reworked())
    assert (moved.state.claimed_by, moved.state.claimed_until) == (None, None)


def test_a_return_may_be_open_beside_a_request_for_an_extension() -> None:
    history = given(*to_handling(), return_asked(), extension_asked())
    assert set(history.state.pending) == {Action.REQUEST_RETURN, Action.REQUEST_EXTENSION}
