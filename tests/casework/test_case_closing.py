"""核查、结案、评价、复核: until it is solved, or done again (domain.md sections 3, 4 and 7)."""

from datetime import datetime, timedelta

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
    TooEarly,
    TooLate,
    UnknownCode,
    UnseenFindings,
)
from casework.evidence import Finding
from casework.lifecycle import Action, Status
from casework.model import CLOCK, Actor, Clock, Limit, Role, Solved, Unit
from tests.facts import (
    absorbed,
    acknowledged,
    appealed,
    check_asked,
    closed,
    completed,
    dispatched,
    doubted,
    force_asked,
    force_closed,
    joined,
    noted,
    rated,
    rectified,
    registered,
    reopened,
    reported,
    revocation_asked,
    suspension_asked,
    to_closed,
    to_completed,
    to_dispatched,
    to_handling,
    to_recheck,
    to_rectified,
    to_registered,
    to_suspended,
    transfer_asked,
    transferred,
    unrated,
    unreadable,
)
from tests.history import (
    A_MICROSECOND,
    CASE_ID,
    CHECKER,
    CHECKER_011,
    CITIZEN,
    HAIDIAN,
    INSIDE,
    INSIDE_012,
    LEAD,
    MONDAY_9,
    NEIGHBOUR,
    OTHER_ID,
    PASSER_BY,
    PHOTO,
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
    fri,
    given,
    like,
    mon,
    person,
    staff,
    tue,
    wed,
    words,
)

TEN = (PHOTO,) * 10
REVIEWER_011 = staff("reviewer-011", Role.REVIEWER, street=ZHONGGUANCUN)
BOTH_DESKS = staff("two-hats", Role.REVIEWER, Role.SUPERVISOR)


# 现场核查 -----------------------------------------------------------------------------------

CHECK = ask.RequestSiteCheck(words=words())
FOUND = ask.ReportSiteCheck(findings=words(), photos=(PHOTO,))


@pytest.mark.parametrize("facts", [(reported(),), to_rectified(), to_recheck()])
def test_a_reviewer_asks_for_a_check_on_site_within_four_duty_hours(
    facts: tuple[Fact, ...],
) -> None:
    history = given(*facts)
    history.when(CHECK, by=REVIEWER, at=mon("19:00")).then(
        like(did.SiteCheckRequested, words=SEALED, starts={Clock.SITE_CHECK: tue("09:00")})
    )
    history.and_then(check_asked()).when(CHECK, by=REVIEWER).refused(NothingPending)


def test_a_checker_reports_what_was_found() -> None:
    history = given(*to_rectified(), check_asked())
    case = history.when(FOUND, by=CHECKER).then(
        like(did.SiteCheckReported, findings=SEALED, photos=(PHOTO,), stops={Clock.SITE_CHECK})
    )
    assert not case.pending
    history.when(replace(FOUND, photos=TEN), by=CHECKER).refused(Missing, what="photos")
    given(*to_rectified()).when(FOUND, by=CHECKER).refused(NothingPending)
    history.when(FOUND, by=REVIEWER).refused(NotPermitted, "核查员")


def test_nobody_checks_for_their_own_street() -> None:
    handled = given(*to_rectified(), check_asked())
    handled.when(FOUND, by=CHECKER_011).refused(ConflictOfInterest, "您所在街镇")
    not_yet_sent = given(reported(), check_asked())
    not_yet_sent.when(FOUND, by=CHECKER_011).refused(ConflictOfInterest)
    lies_elsewhere = (reported(assignment=INSIDE_012), *to_rectified()[1:], check_asked())
    found = given(*lies_elsewhere)._replace(
        case=replace(given(*lies_elsewhere).state, assignment=INSIDE_012)
    )
    found.when(FOUND, by=CHECKER_011).refused(ConflictOfInterest)
    elsewhere = given(reported(assignment=INSIDE_012), check_asked())
    elsewhere.when(FOUND, by=CHECKER_011).then(like(did.SiteCheckReported))


# 返工与结案: never one's own ------------------------------------------------------------------

CLOSE = ask.Close(standard_met=True, reply=words())
REWORK = ask.OrderRework(code="R02", words=words())
VISIT = ask.RecordVisit(words=words())


def test_closing_opens_the_windows_for_rating_and_appeal() -> None:
    history = given(*to_rectified(), check_asked())
    case = history.when(CLOSE, by=REVIEWER, at=mon("10:00")).then(
        like(
            did.CaseClosed,
            reply=SEALED,
            standard="绿地内无垃圾、无废弃物，清理未损坏植被",
            starts={Clock.RATING: day("03-17 10:00"), Clock.APPEAL_WINDOW: day("03-09 10:00")},
            stops={Clock.VERIFICATION, Clock.SITE_CHECK},
        )
    )
    assert case.status is Status.CLOSED
    assert case.closed_by == {REVIEWER.id}
    assert case.rating_until == day("03-17 10:00")


def test_who_appealed_before_gets_no_second_window() -> None:
    history = given(*to_closed(), appealed(), rated(Solved.NO), doubted(), reopened(2))
    history = history.and_then(acknowledged(), rectified())
    history.when(CLOSE, by=REVIEWER).then(
        like(did.CaseClosed, stops={Clock.VERIFICATION}, starts={Clock.RATING: day("03-17 09:00")})
    )


def test_closing_needs_the_standard_ticked_and_a_reply_in_words() -> None:
    history = given(*to_rectified())
    unmet = ask.Close(standard_met=False, reply=words())
    history.when(unmet, by=REVIEWER).refused(Missing, "返工", what="standard_met")
    silent = ask.Close(standard_met=True, reply=words(0))
    history.when(silent, by=REVIEWER).refused(Missing, "答复", what="reply")


def test_close_and_rework_name_the_findings_that_were_seen() -> None:
    history = given(*to_rectified())
    seen = (OTHER_ID,)
    history.when(replace(CLOSE, findings_seen=seen), by=REVIEWER).then(
        like(did.CaseClosed, findings_seen=seen)
    )
    history.when(replace(REWORK, findings_seen=seen), by=REVIEWER).then(
        like(did.ReworkOrdered, findings_seen=seen)
    )
    history.when(replace(REWORK, code="E01"), by=REVIEWER).refused(UnknownCode)


FOUND_TWICE = (
    Finding(id=OTHER_ID, kind="same_picture", says="与另一案件的照片相同"),
    Finding(id=CASE_ID, kind="before_dispatch", says="拍摄时间早于派遣"),
)


@pytest.mark.parametrize("command", [CLOSE, REWORK])
def test_findings_not_seen_are_listed_in_the_refusal(command: ask.Close | ask.OrderRework) -> None:
    history = given(*to_rectified())
    blind = replace(command, findings=FOUND_TWICE, findings_seen=(OTHER_ID,))
    refused = history.when(blind, by=REVIEWER).refusal
    assert isinstance(refused, UnseenFindings)
    assert refused.unseen == (f"拍摄时间早于派遣（{CASE_ID}）",)
    assert str(CASE_ID) in str(refused)
    assert "与另一案件" not in str(refused)
    seen = replace(blind, findings_seen=(CASE_ID, OTHER_ID))
    assert history.when(seen, by=REVIEWER).refusal is None, "a finding refuses nothing by itself"


def test_a_hand_over_without_a_readable_photo_goes_back_and_its_wait_counts() -> None:
    history = given(*to_handling(), rectified(mon("10:00")))
    hand_back = ask.HandBackUnreadable(unreadable=(PHOTO.upload,))
    case = history.when(hand_back, by=CLOCK, at=mon("11:00")).then(
        like(did.RectificationUnreadable, photos=(PHOTO.upload,), code="R04")
    )
    assert case.status is Status.HANDLING
    reworked = history.when(
        ask.OrderRework(code="R04", words=words()), by=REVIEWER, at=mon("11:00")
    ).then(like(did.ReworkOrdered, verification_counts=True))
    assert case.clocks[Clock.HANDLING].fact.due_at == reworked.clocks[Clock.HANDLING].fact.due_at
    assert (case.spans, case.used(Clock.HANDLING)) == (
        reworked.spans,
        reworked.used(Clock.HANDLING),
    )


def test_one_readable_photo_is_enough_for_a_person_to_look() -> None:
    history = given(*to_rectified())
    none = ask.HandBackUnreadable(unreadable=(OTHER_ID,))
    history.when(none, by=CLOCK).refused(Missing, "可以读取", what="unreadable")
    history.when(none, by=REVIEWER).refused(NotPermitted)
    again = ask.HandBackUnreadable(unreadable=(PHOTO.upload,))
    given(*to_rectified(), unreadable()).when(again, by=CLOCK).refused(NotAllowed, "处置中")


@pytest.mark.parametrize("command", [CLOSE, REWORK])
def test_nobody_judges_what_their_own_street_handled(command: ask.Command) -> None:
    given(*to_rectified()).when(command, by=REVIEWER_011).refused(
        ConflictOfInterest, "您所在街镇处置"
    )


@pytest.mark.parametrize("command", [CLOSE, REWORK])
def test_a_reviewer_of_another_street_may_judge(command: ask.Command) -> None:
    elsewhere = staff("reviewer-012", Role.REVIEWER, street=HAIDIAN)
    assert given(*to_rectified()).when(command, by=elsewhere).refusal is None


def test_the_standard_is_the_one_frozen_with_the_registration() -> None:
    old = REFERENCES.rules_at(MONDAY_9).catalogue.indicator("P04")
    stricter = replace(old.conditions[0], standard="更严的标准")
    revised = catalogues.IndicatorRevised(
        indicator=replace(old, conditions=(stricter,)), effective_from=mon("10:00")
    )
    history = given(*to_rectified()).under(REFERENCES.grown(catalogue=[revised]))
    history.when(CLOSE, by=REVIEWER, at=mon("11:00")).then(
        like(did.CaseClosed, standard=old.conditions[0].standard)
    )


@pytest.mark.parametrize("command", [CLOSE, REWORK])
def test_nobody_judges_what_they_entered_on_someones_behalf(command: ask.Command) -> None:
    entered = (reported(by=REVIEWER), *to_rectified()[1:])
    given(*entered).when(command, by=REVIEWER).refused(ConflictOfInterest, "代为录入")
    assert given(*entered).when(command, by=REVIEWER_2).refusal is None


@pytest.mark.parametrize("command", [CLOSE, REWORK])
def test_only_a_reviewer_judges_a_hand_over(command: ask.Command) -> None:
    given(*to_rectified()).when(command, by=SUPERVISOR).refused(NotPermitted)
    given(*to_handling()).when(command, by=REVIEWER).refused(NotAllowed, "处置中")


# 转办与强制结案: two persons ------------------------------------------------------------------

TRANSFER = ask.TransferOut(body=" 市排水集团 ", number=" PS-1 ", words=words())
FORCE = ask.RequestForceClose(code="F01", words=words())
DECLINE = ask.DeclineSecond(words=words())
OPEN_TO_FORCE = {
    "待派遣": to_registered(),
    "待签收": to_dispatched(),
    "处置中": to_handling(),
    "挂账": to_suspended(),
}


def test_a_case_is_transferred_by_two_persons() -> None:
    given(*to_handling()).when(TRANSFER, by=SUPERVISOR, at=mon("10:00")).then(
        like(
            did.TransferRequested,
            body="市排水集团",
            number="PS-1",
            words=SEALED,
            starts={Clock.SECOND_PERSON: mon("12:00")},
            stops=(),
        )
    )
    history = given(*to_handling(), transfer_asked())
    for second in (SUPERVISOR_2, REVIEWER):
        case = history.when(ask.ConfirmTransferOut(), by=second, at=mon("11:00")).then(
            like(
                did.CaseTransferred,
                body="市排水集团",
                number="PS-1",
                starts={Clock.RATING: day("03-17 11:00"), Clock.APPEAL_WINDOW: day("03-09 11:00")},
                stops={Clock.HANDLING, Clock.SECOND_PERSON},
            )
        )
        assert case.closed_by == {SUPERVISOR.id, second.id}


def test_a_transfer_names_the_receiving_body_and_its_number() -> None:
    for lacking in (replace(TRANSFER, body=" "), replace(TRANSFER, number="")):
        given(*to_handling()).when(lacking, by=SUPERVISOR).refused(Missing, what="body")


@pytest.mark.parametrize("status", OPEN_TO_FORCE)
def test_a_case_is_force_closed_by_two_supervisors(status: str) -> None:
    facts = OPEN_TO_FORCE[status]
    given(*facts).when(FORCE, by=SUPERVISOR).then(
        like(
            did.ForceCloseRequested,
            code="F01",
            words=SEALED,
            starts={Clock.SECOND_PERSON: mon("11:00")},
        )
    )
    history = given(*facts, force_asked())
    history.when(ask.ConfirmForceClose(), by=REVIEWER).refused(NotPermitted)
    case = history.when(ask.ConfirmForceClose(), by=SUPERVISOR_2).then(
        like(did.CaseForceClosed, code="F01", stops=set(history.state.clocks))
    )
    assert case.closed_by == {SUPERVISOR.id, SUPERVISOR_2.id}
    assert not case.pending


CONFIRMATIONS = [
    (transfer_asked(), ask.ConfirmTransferOut()),
    (force_asked(), ask.ConfirmForceClose()),
]


@pytest.mark.parametrize(("asked", "confirm"), CONFIRMATIONS)
def test_the_second_person_is_another_account(asked: Fact, confirm: ask.Command) -> None:
    history = given(*to_handling(), asked)
    history.when(confirm, by=SUPERVISOR).refused(ConflictOfInterest, "由您提出")
    own_street = staff("supervisor-011", Role.SUPERVISOR, street=ZHONGGUANCUN)
    history.when(confirm, by=own_street).refused(ConflictOfInterest, "您所在街镇")
    given(*to_handling()).when(confirm, by=SUPERVISOR_2).refused(NothingPending, "没有待决")


@pytest.mark.parametrize("command", [TRANSFER, FORCE])
def test_one_request_for_a_second_person_at_a_time(command: ask.Command) -> None:
    history = given(*to_handling(), force_asked())
    history.when(command, by=SUPERVISOR_2).refused(NothingPending, "已有一项申请")


DECLINED = [
    ((*to_registered(), revocation_asked()), Action.REVOKE_REGISTRATION),
    ((*to_handling(), transfer_asked()), Action.TRANSFER_OUT),
    ((*to_handling(), force_asked()), Action.REQUEST_FORCE_CLOSE),
    ((*to_dispatched(), force_asked()), Action.REQUEST_FORCE_CLOSE),
    ((*to_suspended(), force_asked()), Action.REQUEST_FORCE_CLOSE),
]


@pytest.mark.parametrize(("facts", "request_"), DECLINED)
def test_the_second_person_may_decline_and_the_case_stays(
    facts: tuple[Fact, ...], request_: Action
) -> None:
    history = given(*facts)
    case = history.when(DECLINE, by=SUPERVISOR_2).then(
        like(
            did.SecondPersonDeclined,
            request=str(request_),
            words=SEALED,
            stops={Clock.SECOND_PERSON},
        )
    )
    assert (case.status, case.pending) == (history.state.status, {})


def test_there_is_nothing_to_decline_without_a_request() -> None:
    given(*to_handling()).when(DECLINE, by=SUPERVISOR).refused(NothingPending)


# 反馈 ---------------------------------------------------------------------------------------


def told(channel: str = "sms", who: Actor = CITIZEN, *, read: bool = False) -> ask.Notify:
    return ask.Notify(person=person(who), channel=channel, read=read)


def test_the_first_delivery_outside_the_app_opens_the_rating_window_anew() -> None:
    history = given(*to_closed())
    answer = history.when(told(), by=CLOCK, at=wed("09:00"))
    case = answer.then(
        like(
            did.CitizenNotified,
            person=person(CITIZEN),
            channel="sms",
            read=False,
            starts={Clock.RATING: day("03-19 09:00")},
            stops={Clock.RATING},
        )
    )
    assert [stop.final for stop in answer.own[0].stopped] == [False]
    assert case.rating_until == day("03-19 09:00")
    again = history._replace(case=case).when(told(read=True), by=CLOCK, at=fri("09:00"))
    again.then(like(did.CitizenNotified, read=True, starts={}, stops=()))


def test_the_inbox_of_the_app_leaves_the_window_at_the_closing() -> None:
    case = (
        given(*to_closed())
        .when(told("in_app"), by=CLOCK, at=wed("09:00"))
        .then(like(did.CitizenNotified, channel="in_app", starts={}, stops=()))
    )
    assert (case.notified, case.rating_until) == (False, day("03-17 09:00"))


def test_only_reporters_are_notified_and_only_by_the_clock() -> None:
    given(*to_closed()).when(told(who=NEIGHBOUR), by=CLOCK).refused(Missing, what="person")
    given(*to_closed()).when(told(), by=REVIEWER).refused(NotPermitted)
    given(*to_completed()).when(told(), by=CLOCK).refused(NotAllowed)


# 评价 ---------------------------------------------------------------------------------------


def says(solved: Solved, satisfaction: int = 4, efficiency: int = 5) -> ask.Rate:
    return ask.Rate(solved=solved, satisfaction=satisfaction, efficiency=efficiency, words=words())


def test_solved_said_by_the_only_reporter_archives_the_case() -> None:
    history = given(*to_closed(), noted())
    case = history.when(says(Solved.YES), by=CITIZEN).then(
        did.CaseRated(
            person=person(CITIZEN),
            round=1,
            solved=Solved.YES,
            satisfaction=4,
            efficiency=5,
            words=SEALED,
        ),
        like(did.CaseCompleted, stops={Clock.RATING, Clock.NOTE}),
    )
    assert (case.status, set(case.clocks)) == (Status.COMPLETED, {Clock.APPEAL_WINDOW})
    assert case.completed_at == mon("09:00")


@pytest.mark.parametrize("solved", [Solved.PARTLY, Solved.NO])
def test_the_first_partly_or_no_opens_a_recheck_of_two_working_days(solved: Solved) -> None:
    history = given(*to_closed())
    case = history.when(says(solved), by=CITIZEN, at=fri("17:00")).then(
        like(did.CaseRated, solved=solved),
        like(did.RecheckOpened, starts={Clock.RECHECK: day("03-10 17:00")}, stops={Clock.RATING}),
    )
    assert case.status is Status.UNDER_RECHECK


def test_every_reporter_rates_once_and_all_must_say_solved() -> None:
    history = given(reported(), joined(NEIGHBOUR), absorbed(OTHER_ID, PASSER_BY), *to_closed()[1:])
    one = history.and_then(rated())
    one.when(says(Solved.YES), by=CITIZEN).refused(Exhausted, most=1, per="轮")
    one.when(says(Solved.YES), by=NEIGHBOUR).then(like(did.CaseRated))
    two = one.and_then(rated(by=NEIGHBOUR))
    two.when(says(Solved.YES), by=PASSER_BY).then(like(did.CaseRated), like(did.CaseCompleted))
    two.when(says(Solved.NO), by=PASSER_BY).then(like(did.CaseRated), like(did.RecheckOpened))


def test_further_ratings_during_and_after_a_recheck_are_only_recorded() -> None:
    history = given(reported(), joined(NEIGHBOUR), *to_recheck()[1:])
    for solved in Solved:
        case = history.when(says(solved), by=NEIGHBOUR).then(like(did.CaseRated, solved=solved))
        assert case.status is Status.UNDER_RECHECK
    archived = given(reported(), joined(NEIGHBOUR), *to_closed()[1:], rated(), completed())
    archived.when(says(Solved.NO), by=NEIGHBOUR).then(like(did.CaseRated))


def test_ratings_are_taken_until_the_window_ends_and_on_its_last_second() -> None:
    history = given(*to_closed())
    history.when(says(Solved.YES), by=CITIZEN, at=day("03-17 09:00")).then(
        like(did.CaseRated), like(did.CaseCompleted)
    )
    late = day("03-17 09:00") + A_MICROSECOND
    history.when(says(Solved.YES), by=CITIZEN, at=late).refused(TooLate)
    lapsed = history.and_then(unrated(late))
    lapsed.when(says(Solved.YES), by=CITIZEN, at=late).refused(TooLate, until=day("03-17 09:00"))


@pytest.mark.parametrize(("satisfaction", "efficiency"), [(0, 3), (6, 3), (3, 0), (3, 6)])
def test_ratings_go_from_one_to_five(satisfaction: int, efficiency: int) -> None:
    command = says(Solved.YES, satisfaction, efficiency)
    given(*to_closed()).when(command, by=CITIZEN).refused(Missing, "1到5分")


@pytest.mark.parametrize(("satisfaction", "efficiency"), [(1, 5), (5, 1)])
def test_one_and_five_are_ratings(satisfaction: int, efficiency: int) -> None:
    command = says(Solved.YES, satisfaction, efficiency)
    given(*to_closed()).when(command, by=CITIZEN).then(
        like(did.CaseRated, satisfaction=satisfaction, efficiency=efficiency),
        like(did.CaseCompleted),
    )


def test_only_reporters_rate_and_never_the_street() -> None:
    given(*to_closed()).when(says(Solved.YES), by=NEIGHBOUR).refused(NotYours)
    given(*to_closed()).when(says(Solved.YES), by=STREET).refused(NotPermitted, "市民")


def test_every_round_is_rated_anew() -> None:
    history = given(*to_recheck(), reopened(2), acknowledged(), rectified(), closed())
    case = history.when(says(Solved.YES), by=CITIZEN).then(
        like(did.CaseRated, round=2), like(did.CaseCompleted)
    )
    assert [rating.round for rating in case.ratings] == [1, 2]


def test_an_unrated_case_is_archived_when_the_window_is_over() -> None:
    history = given(*to_closed())
    lapse = ask.LapseRating()
    history.when(lapse, by=CLOCK, at=day("03-17 09:00")).refused(TooEarly)
    late = day("03-17 09:00") + A_MICROSECOND
    case = history.when(lapse, by=CLOCK, at=late).then(like(did.RatingLapsed, stops={Clock.RATING}))
    assert (case.status, case.completed_at) == (Status.COMPLETED, day("03-17 09:00"))
    history.when(lapse, by=REVIEWER).refused(NotPermitted)


# 回访 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("facts", [to_closed(), to_recheck(), to_completed()])
def test_a_visit_is_recorded_beside_the_rating(facts: tuple[Fact, ...]) -> None:
    history = given(*facts)
    said = ask.RecordVisit(words=words(), solved=Solved.NO, satisfaction=1)
    case = history.when(said, by=REVIEWER).then(
        did.VisitRecorded(words=SEALED, solved=Solved.NO, satisfaction=1)
    )
    assert (case.status, case.ratings) == (history.state.status, history.state.ratings)


def test_the_street_that_handled_it_does_not_visit() -> None:
    given(*to_closed()).when(VISIT, by=REVIEWER_011).refused(ConflictOfInterest)
    given(*to_closed()).when(VISIT, by=LEAD).refused(NotPermitted)
    given(*to_closed()).when(VISIT, by=REVIEWER).then(like(did.VisitRecorded, satisfaction=None))
    for wrong in (0, 6):
        said = ask.RecordVisit(words=words(), satisfaction=wrong)
        given(*to_closed()).when(said, by=REVIEWER).refused(Missing, what="satisfaction")


# 复核: 维持与重办 -----------------------------------------------------------------------------

UPHOLD = ask.Uphold(code="V01", words=words(), photos=(PHOTO,))
REOPEN = ask.Reopen(code="V11", words=words())


def test_a_recheck_is_upheld_by_a_reviewer_who_did_not_close_it() -> None:
    history = given(*to_recheck())
    history.when(UPHOLD, by=REVIEWER).refused(ConflictOfInterest, "由您结案")
    case = history.when(UPHOLD, by=REVIEWER_2).then(
        like(
            did.RecheckUpheld,
            code="V01",
            words=SEALED,
            photos=(PHOTO,),
            stops={Clock.RECHECK},
        )
    )
    assert (case.status, set(case.clocks)) == (Status.COMPLETED, {Clock.APPEAL_WINDOW})
    history.when(UPHOLD, by=REVIEWER_011).refused(ConflictOfInterest, "您所在街镇")
    history.when(replace(UPHOLD, photos=TEN), by=REVIEWER_2).refused(Missing)
    history.when(replace(UPHOLD, code="V11"), by=REVIEWER_2).refused(UnknownCode, "V01")


def test_who_asked_for_a_transfer_counts_as_having_closed_it() -> None:
    asked = transfer_asked(by=BOTH_DESKS)
    history = given(*to_handling(), asked, transferred(), rated(Solved.NO), doubted())
    history.when(UPHOLD, by=BOTH_DESKS).refused(ConflictOfInterest, "由您结案")
    history.when(UPHOLD, by=REVIEWER).then(like(did.RecheckUpheld))


HALVES = [
    # row, reopened, limit, due: half the limit, and never less than two duty hours
    ("P04-1", mon("09:00"), Limit(4, Unit.DUTY_HOUR), mon("13:00")),
    ("P01-2", mon("20:00"), Limit(2, Unit.DUTY_HOUR), tue("08:00")),
    ("P01-1", mon("09:00"), Limit(2, Unit.DUTY_HOUR), mon("11:00")),  # half of 2 were 1
    ("P10-1", mon("09:00"), Limit(2, Unit.DUTY_HOUR), mon("11:00")),
    ("C01-1", mon("09:00"), Limit(2160, Unit.MINUTE), tue("21:00")),  # 36 hours
    ("C02-1", mon("09:00"), Limit(720, Unit.MINUTE), mon("21:00")),
    ("C02-1", mon("19:30"), Limit(720, Unit.MINUTE), tue("07:30")),
]


@pytest.mark.parametrize(("row", "at", "limit", "due"), HALVES)
def test_a_reopened_case_has_half_the_limit_and_at_least_two_duty_hours(
    row: str, at: datetime, limit: Limit, due: datetime
) -> None:
    history = given(*to_closed(row=row), rated(Solved.NO), doubted())
    case = history.when(REOPEN, by=REVIEWER_2, at=at).then(
        like(
            did.CaseReopened,
            code="V11",
            words=SEALED,
            street=ZHONGGUANCUN,
            assignment=INSIDE,
            limit=limit,
            due_at=due,
            round=2,
            supervised=False,
            stops={Clock.RECHECK, Clock.APPEAL_WINDOW},
        )
    )
    assert (case.status, case.round, case.limit) == (Status.DISPATCHED, 2, limit)
    assert case.clocks[Clock.HANDLING].fact.due_at == due
    assert Clock.ACKNOWLEDGE in case.clocks


def test_a_reopened_case_may_go_to_another_street() -> None:
    command = replace(REOPEN, street=HAIDIAN, proposal=INSIDE_012)
    case = (
        given(*to_recheck())
        .when(command, by=REVIEWER)
        .then(like(did.CaseReopened, street=HAIDIAN, assignment=INSIDE_012))
    )
    assert case.street == HAIDIAN
    assert case.handled_by == {ZHONGGUANCUN, HAIDIAN}


def test_a_case_that_no_street_ever_had_needs_one_to_be_reopened() -> None:
    history = given(*to_registered(), force_asked(), force_closed(), rated(Solved.NO), doubted())
    history.when(REOPEN, by=REVIEWER).refused(Missing, what="street")
    named = replace(REOPEN, street=ZHONGGUANCUN)
    history.when(named, by=REVIEWER).then(like(did.CaseReopened, street=ZHONGGUANCUN))


def round_two_rechecked() -> tuple[Fact, ...]:
    again = (acknowledged(), rectified(), closed(), rated(Solved.NO, number=2), doubted())
    return (*to_recheck(), reopened(2), *again)


def test_into_the_third_round_only_a_supervisor_reopens() -> None:
    given(*to_recheck()).when(REOPEN, by=SUPERVISOR).then(like(did.CaseReopened, round=2))
    history = given(*round_two_rechecked())
    history.when(REOPEN, by=REVIEWER_2).refused(NotPermitted, "第3轮重办")
    history.when(REOPEN, by=SUPERVISOR).then(like(did.CaseReopened, round=3))


def test_reopening_has_a_code_of_its_own() -> None:
    given(*to_recheck()).when(replace(REOPEN, code="V01"), by=REVIEWER).refused(UnknownCode, "V11")


def test_false_rectification_is_reopened_within_90_days_of_the_archive() -> None:
    history = given(*to_completed(), noted(at=mon("09:00")))
    command = ask.SuperviseReopen(words=words())
    last = mon("09:00") + timedelta(days=90)
    history.when(command, by=REVIEWER).refused(NotPermitted)
    case = history.when(command, by=SUPERVISOR, at=last).then(
        like(
            did.CaseReopened,
            code="V13",
            supervised=True,
            round=2,
            limit=Limit(4, Unit.DUTY_HOUR),
            due_at=day("05-31 13:00"),
            stops={Clock.APPEAL_WINDOW},
        )
    )
    assert case.status is Status.DISPATCHED
    history.when(command, by=SUPERVISOR, at=last + A_MICROSECOND).refused(TooLate, until=last)


def test_an_instruction_still_to_be_answered_runs_on_when_a_case_is_reopened() -> None:
    history = given(*to_closed(), noted(at=mon("09:00")), rated(at=mon("10:00")), completed())
    (event,) = history.when(ask.SuperviseReopen(words=words()), by=SUPERVISOR, at=tue("09:00")).own
    assert {s.clock: s.due_at for s in event.started}[Clock.NOTE] == tue("12:00")
    kept = given(*to_recheck(), noted()).when(REOPEN, by=REVIEWER)
    assert Clock.NOTE not in {stop.clock for stop in kept.own[0].stopped}


def test_reopening_ends_a_request_that_was_still_open() -> None:
    history = given(*to_recheck(), check_asked())
    case = history.when(REOPEN, by=REVIEWER).then(like(did.CaseReopened))
    assert not case.pending
    assert set(case.clocks) == {Clock.ACKNOWLEDGE, Clock.HANDLING}


def test_only_the_statuses_of_the_table_lead_to_a_closing() -> None:
    history = given(reported(), registered(), dispatched())
    history.when(CLOSE, by=REVIEWER).refused(NotAllowed)
    history.when(TRANSFER, by=SUPERVISOR).refused(NotAllowed)
    asked = given(*to_handling(), suspension_asked(mon("09:00").date() + timedelta(days=2)))
    asked.when(FORCE, by=SUPERVISOR).then(like(did.ForceCloseRequested))
