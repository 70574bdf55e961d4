"""上报、补充、审核: from the citizen's phone to 立案 or a refusal (domain.md section 3)."""

import pytest

from casework import commands as ask
from casework import events as did
from casework.catalogue import StepLimitSet
from casework.errors import (
    ConflictOfInterest,
    Exhausted,
    Missing,
    NotAllowed,
    NotPermitted,
    NotYours,
    OutOfScope,
    OutsideDistrict,
    TooEarly,
    TooLate,
    UnknownCode,
)
from casework.indicators import NotInCatalogue
from casework.lifecycle import Action, Status
from casework.model import CLOCK, Actor, Clock, Limit, Place, PlaceKind, Unit
from casework.state import allowed
from tests.facts import (
    VERSIONS,
    absorbed,
    asked,
    check_asked,
    closed,
    joined,
    noted,
    objected,
    refused,
    registered,
    reported,
    return_accepted,
    return_asked,
    revocation_asked,
    revoked,
    supplied,
    to_closed,
    to_completed,
    to_dispatched,
    to_handling,
    to_rectified,
    to_registered,
    withdrawn,
)
from tests.history import (
    A_MICROSECOND,
    ANALYST,
    AT_BORDER,
    CITIZEN,
    EDITOR,
    GREEN,
    INSIDE,
    MONDAY_9,
    NEIGHBOUR,
    OTHER_ID,
    OUTSIDE,
    PARTNER,
    PASSER_BY,
    PHOTO,
    REFERENCES,
    REVIEWER,
    REVIEWER_2,
    SEALED,
    STREET,
    SUPERVISOR,
    ZHONGGUANCUN,
    Fact,
    a_submission,
    day,
    given,
    like,
    mon,
    person,
    tue,
    used,
    wed,
    words,
)

ASK = ask.RequestInformation(code="Q01", question=words())
SUPPLY = ask.SupplyInformation(text=words())
ADD = ask.AddInformation(photos=(PHOTO,))
REGISTER = ask.Register(indicator="P04", condition="P04-1")
REFUSE = ask.Refuse(code="N03", words=words())
OBJECT = ask.Object(words=words())
TEN_PHOTOS = (PHOTO,) * 10


# 上报 ---------------------------------------------------------------------------------------


def test_a_report_is_to_be_reviewed_within_30_duty_minutes() -> None:
    given().when(a_submission(), by=CITIZEN, at=mon("20:50")).then(
        like(did.ReportSubmitted, starts={Clock.REVIEW: tue("07:20")}, stops=())
    )


def test_danger_words_bring_the_review_within_15_minutes_by_night_too() -> None:
    given().when(a_submission(danger=("井盖缺失",)), by=CITIZEN, at=mon("23:00")).then(
        like(did.ReportSubmitted, starts={Clock.REVIEW: mon("23:15")})
    )


def test_a_report_keeps_what_was_said_and_the_versions_it_was_judged_by() -> None:
    said = a_submission(text=words(), contact=SEALED, recording=PHOTO, channel="web")
    given().when(said, by=CITIZEN).then(
        like(
            did.ReportSubmitted,
            number=said.number,
            person=person(CITIZEN),
            place=GREEN,
            assignment=INSIDE,
            versions=VERSIONS,
            indicator="P04",
            text=SEALED,
            recording=PHOTO,
            contact=SEALED,
            photos=(PHOTO,),
            channel="web",
            on_behalf=False,
        )
    )


@pytest.mark.parametrize(
    ("by", "on_behalf"), [(CITIZEN, False), (PARTNER, False), (REVIEWER, True), (STREET, True)]
)
def test_citizen_partner_and_staff_on_behalf_may_report(by: Actor, *, on_behalf: bool) -> None:
    case = given().when(a_submission(), by=by).then(like(did.ReportSubmitted, on_behalf=on_behalf))
    assert case.entered_by == (by.id if on_behalf else None)
    assert case.sent_by == (by.id if by is PARTNER else None)
    assert not case.has_new_information
    assert case.danger is False


@pytest.mark.parametrize("by", [SUPERVISOR, EDITOR, ANALYST, CLOCK])
def test_others_may_not_report(by: Actor) -> None:
    given().when(a_submission(), by=by).refused(NotPermitted, "市民或审核员")


def test_a_place_outside_the_district_is_shown_the_right_door() -> None:
    given().when(a_submission(assignment=OUTSIDE), by=CITIZEN).refused(
        OutsideDistrict, "可能在朝阳区", neighbour="朝阳区"
    )


def test_stairwells_and_rooms_are_out_of_scope() -> None:
    indoor = Place(lon=116.31, lat=39.98, kind=PlaceKind.INDOOR)
    given().when(a_submission(place=indoor), by=CITIZEN).refused(OutOfScope, "物业")


def test_a_report_needs_an_indicator_or_words_or_a_recording() -> None:
    given().when(a_submission(indicator=None), by=CITIZEN).refused(Missing, what="text")
    for enough in ({"text": words()}, {"recording": PHOTO}):
        given().when(a_submission(indicator=None, **enough), by=CITIZEN).then(
            like(did.ReportSubmitted)
        )


def test_a_report_needs_a_photo_or_a_reason_why_there_is_none() -> None:
    given().when(a_submission(photos=()), by=CITIZEN).refused(Missing, what="photos")
    given().when(a_submission(photos=(), no_photo_reason="夜间"), by=CITIZEN).then(
        like(did.ReportSubmitted, no_photo_reason="夜间")
    )


def test_nine_photos_are_the_most() -> None:
    given().when(a_submission(photos=(PHOTO,) * 9), by=CITIZEN).then(like(did.ReportSubmitted))
    given().when(a_submission(photos=TEN_PHOTOS), by=CITIZEN).refused(Missing, "最多9张")


def test_an_indicator_that_is_not_in_the_catalogue_is_refused() -> None:
    given().when(a_submission(indicator="Z99"), by=CITIZEN).refused(NotInCatalogue)


def test_words_without_a_character_are_refused() -> None:
    given().when(a_submission(text=words(0)), by=CITIZEN).refused(Missing, what="text")


def test_nothing_but_a_report_can_be_asked_of_nothing() -> None:
    given().when(REGISTER, by=REVIEWER, at=MONDAY_9).refused(
        NotAllowed, "未上报", possible=("上报",)
    )


def test_a_report_is_made_once() -> None:
    given(reported()).when(a_submission(), by=CITIZEN).refused(NotAllowed, "待审核")


# 要求补充 ------------------------------------------------------------------------------------


def test_a_question_pauses_the_review_and_gives_the_citizen_48_hours() -> None:
    answer = given(reported()).when(ASK, by=REVIEWER, at=mon("09:10"))
    answer.then(
        like(
            did.InformationRequested,
            code="Q01",
            question=SEALED,
            starts={Clock.INFORMATION: wed("09:10")},
            stops={Clock.REVIEW},
        )
    )
    (event,) = answer.own
    assert [stop.final for stop in event.stopped] == [False]
    assert answer.case.status is Status.AWAITING_INFORMATION


def test_an_answer_lets_the_review_go_on_with_what_was_left_of_its_time() -> None:
    history = given(reported(), asked(mon("09:10")))
    case = history.when(SUPPLY, by=CITIZEN, at=tue("10:00")).then(
        like(
            did.InformationSupplied,
            person=person(CITIZEN),
            text=SEALED,
            starts={Clock.REVIEW: tue("10:20")},
            stops={Clock.INFORMATION},
        )
    )
    assert case.status is Status.SUBMITTED
    assert case.has_new_information


def test_the_review_of_a_danger_goes_on_in_its_15_minutes() -> None:
    history = given(reported(danger=("火情",)), asked(mon("09:10")))
    history.when(SUPPLY, by=CITIZEN, at=mon("10:00")).then(
        like(did.InformationSupplied, starts={Clock.REVIEW: mon("10:05")})
    )


def test_two_questions_are_the_most() -> None:
    once = given(reported(), asked(), supplied())
    once.when(ASK, by=REVIEWER).then(like(did.InformationRequested))
    history = once.and_then(asked(), supplied())
    history.when(ASK, by=REVIEWER).refused(Exhausted, most=2, per="案")


def test_an_answer_says_or_shows_something() -> None:
    history = given(reported(), asked())
    history.when(ask.SupplyInformation(), by=CITIZEN).refused(Missing, what="text")
    history.when(ask.SupplyInformation(photos=(PHOTO,)), by=CITIZEN).then(
        like(did.InformationSupplied, photos=(PHOTO,))
    )
    too_many = ask.SupplyInformation(photos=TEN_PHOTOS)
    history.when(too_many, by=CITIZEN).refused(Missing, what="photos")


def test_nobody_else_answers_for_the_reporter() -> None:
    given(reported(), asked()).when(SUPPLY, by=NEIGHBOUR).refused(NotYours, "没有找到")


def test_a_question_unanswered_lapses_after_48_hours_and_not_on_the_second() -> None:
    history = given(reported(), asked(mon("09:10")))
    lapse = ask.LapseInformation()
    history.when(lapse, by=CLOCK, at=wed("09:10")).refused(TooEarly, due=wed("09:10"))
    case = history.when(lapse, by=CLOCK, at=wed("09:10") + A_MICROSECOND).then(
        like(did.InformationLapsed, stops={Clock.INFORMATION})
    )
    assert case.status is Status.SUBMITTED
    assert case.clocks[Clock.REVIEW].fact.carried == 10 * 60 * 1_000_000


def test_only_the_clock_lets_a_question_lapse() -> None:
    given(reported(), asked()).when(ask.LapseInformation(), by=REVIEWER).refused(NotPermitted)


# 追加、共同反映、撤回 ------------------------------------------------------------------------


def test_the_reporter_may_add_something_until_the_hand_over_is_judged() -> None:
    for history in (given(reported()), given(*to_handling()), given(*to_rectified())):
        case = history.when(ADD, by=CITIZEN).then(
            did.InformationAdded(person=person(CITIZEN), photos=(PHOTO,))
        )
        assert case.has_new_information
    given(*to_closed()).when(ADD, by=CITIZEN).refused(NotAllowed)
    given(reported()).when(ask.AddInformation(), by=CITIZEN).refused(Missing)


def test_another_citizen_joins_and_is_a_reporter_from_then_on() -> None:
    said = ask.Join(text=words(), photos=(PHOTO,), contact=SEALED)
    case = (
        given(reported())
        .when(said, by=NEIGHBOUR)
        .then(
            did.ReporterJoined(
                person=person(NEIGHBOUR), text=SEALED, photos=(PHOTO,), contact=SEALED
            )
        )
    )
    assert case.reporters == (person(CITIZEN), person(NEIGHBOUR))
    assert case.has_new_information


def test_a_reporter_does_not_join_again() -> None:
    given(reported()).when(ask.Join(), by=CITIZEN).refused(Missing, "您已经是")
    given(reported()).when(ask.Join(photos=TEN_PHOTOS), by=NEIGHBOUR).refused(Missing)


def test_the_only_reporter_takes_the_report_back() -> None:
    case = (
        given(reported(), noted())
        .when(ask.Withdraw(), by=CITIZEN)
        .then(like(did.CaseWithdrawn, person=person(CITIZEN), stops={Clock.REVIEW, Clock.NOTE}))
    )
    assert case.status is Status.WITHDRAWN
    assert not case.clocks


def test_one_of_several_reporters_only_leaves() -> None:
    history = given(reported(), joined(NEIGHBOUR), absorbed(OTHER_ID, PASSER_BY, NEIGHBOUR))
    case = history.when(ask.Withdraw(), by=NEIGHBOUR).then(
        did.ReporterLeft(person=person(NEIGHBOUR))
    )
    assert case.status is Status.SUBMITTED
    assert case.reporters == (person(CITIZEN), person(PASSER_BY))


def test_a_report_is_not_taken_back_once_it_is_a_case() -> None:
    given(*to_registered()).when(ask.Withdraw(), by=CITIZEN).refused(NotAllowed, "待派遣")


# 立案 ---------------------------------------------------------------------------------------


def test_registering_freezes_the_versions_and_gives_15_duty_minutes_to_dispatch() -> None:
    case = (
        given(reported())
        .when(REGISTER, by=REVIEWER, at=mon("20:50"))
        .then(
            like(
                did.CaseRegistered,
                indicator="P04",
                condition="P04-1",
                versions=VERSIONS,
                starts={Clock.DISPATCH: tue("07:05")},
                stops={Clock.REVIEW},
            )
        )
    )
    assert (case.versions, case.status) == (VERSIONS, Status.REGISTERED)


def test_with_a_certain_street_one_command_registers_and_dispatches() -> None:
    command = ask.Register(indicator="P04", condition="P04-1", proposal=INSIDE)
    case = (
        given(reported())
        .when(command, by=REVIEWER, at=mon("09:10"))
        .then(
            like(did.CaseRegistered, starts={Clock.DISPATCH: mon("09:25")}),
            like(
                did.CaseDispatched,
                street=ZHONGGUANCUN,
                due_at=mon("17:10"),
                designated=False,
                starts={Clock.ACKNOWLEDGE: mon("09:40"), Clock.HANDLING: mon("17:10")},
                stops={Clock.DISPATCH},
            ),
        )
    )
    assert case.status is Status.DISPATCHED


def test_near_a_border_a_person_dispatches() -> None:
    command = ask.Register(indicator="P04", condition="P04-1", proposal=AT_BORDER)
    given(reported()).when(command, by=REVIEWER).then(like(did.CaseRegistered))


def test_a_street_whose_return_was_accepted_is_not_sent_to_at_once() -> None:
    history = given(
        *to_dispatched(),
        return_asked(),
        return_accepted(),
        revocation_asked(),
        revoked(),
        objected(),
    )
    command = ask.Register(indicator="P04", condition="P04-1", proposal=INSIDE)
    history.when(command, by=REVIEWER_2).then(like(did.CaseRegistered))


def test_registering_needs_an_indicator_and_a_condition_that_are_in_force() -> None:
    unknown = ask.Register(indicator="Z99", condition="Z99-1")
    given(reported()).when(unknown, by=REVIEWER).refused(NotInCatalogue, "指标")
    no_row = ask.Register(indicator="P04", condition="P01-1")
    given(reported()).when(no_row, by=REVIEWER).refused(NotInCatalogue, "立案条件")


def test_registering_ends_a_site_check_that_was_asked_for() -> None:
    given(reported(), check_asked()).when(REGISTER, by=REVIEWER).then(
        like(did.CaseRegistered, stops={Clock.REVIEW, Clock.SITE_CHECK})
    )


@pytest.mark.parametrize("by", [CITIZEN, STREET, SUPERVISOR])
def test_only_a_reviewer_registers(by: Actor) -> None:
    given(reported()).when(REGISTER, by=by).refused(NotPermitted, "审核员")


# 不予受理与异议 ------------------------------------------------------------------------------


def test_a_refusal_has_a_code_and_words_and_leaves_five_days_to_object() -> None:
    case = (
        given(reported())
        .when(REFUSE, by=REVIEWER, at=mon("09:10"))
        .then(
            like(
                did.CaseRefused,
                code="N03",
                words=SEALED,
                starts={Clock.OBJECTION: day("03-07 09:10")},
                stops={Clock.REVIEW},
            )
        )
    )
    assert case.status is Status.REFUSED


def test_a_code_of_another_family_is_refused_and_the_right_ones_are_named() -> None:
    wrong = ask.Refuse(code="T01", words=words())
    given(reported()).when(wrong, by=REVIEWER).refused(UnknownCode, "N01")


@pytest.mark.parametrize(("length", "enough"), [(9, False), (10, True)])
def test_other_reasons_need_ten_characters(length: int, *, enough: bool) -> None:
    answer = given(reported()).when(ask.Refuse(code="N99", words=words(length)), by=REVIEWER)
    if enough:
        answer.then(like(did.CaseRefused, code="N99"))
    else:
        answer.refused(Missing, "至少10个字", what="words")


def test_an_objection_within_five_days_brings_the_report_back_to_review() -> None:
    history = given(reported(), refused(mon("09:00")))
    case = history.when(OBJECT, by=CITIZEN, at=day("03-07 09:00")).then(
        like(
            did.RefusalObjected,
            person=person(CITIZEN),
            words=SEALED,
            starts={Clock.REVIEW: day("03-07 09:30")},
            stops={Clock.OBJECTION},
        )
    )
    assert case.status is Status.SUBMITTED
    late = day("03-07 09:00") + A_MICROSECOND
    history.when(OBJECT, by=CITIZEN, at=late).refused(TooLate, until=day("03-07 09:00"))


def test_what_was_new_has_been_seen_once_the_case_is_judged() -> None:
    new = given(reported(), joined(NEIGHBOUR))
    assert new.state.has_new_information
    assert not new.and_then(refused()).state.has_new_information
    facts = (*to_registered(), joined(NEIGHBOUR), revocation_asked(), revoked())
    assert not given(*facts).state.has_new_information
    assert not given(*to_rectified(), joined(NEIGHBOUR), closed()).state.has_new_information


def test_after_an_objection_the_review_has_the_time_that_is_set_today() -> None:
    """Also where an earlier registration had frozen an older catalogue."""
    hour = StepLimitSet(
        clock=Clock.REVIEW, limit=Limit(1, Unit.DUTY_HOUR), effective_from=mon("10:00")
    )
    history = given(*to_registered(), revocation_asked(), revoked())
    history.under(REFERENCES.grown(catalogue=[hour])).when(
        OBJECT, by=CITIZEN, at=mon("11:00")
    ).then(like(did.RefusalObjected, starts={Clock.REVIEW: mon("12:00")}))


def test_an_objection_is_made_once() -> None:
    history = given(reported(), refused(), objected())
    after = history.when(REFUSE, by=REVIEWER_2).then(
        like(did.CaseRefused, starts={}, stops={Clock.REVIEW})
    )
    assert Clock.OBJECTION not in after.clocks
    again = history.and_then(refused(by=REVIEWER_2, last=True))
    again.when(OBJECT, by=CITIZEN).refused(Exhausted, most=1, per="案")


def test_nobody_but_a_reporter_objects() -> None:
    given(reported(), refused()).when(OBJECT, by=NEIGHBOUR).refused(NotYours)


@pytest.mark.parametrize("command", [REGISTER, REFUSE, ask.Merge(primary=OTHER_ID)])
def test_an_objection_is_judged_by_another_reviewer(command: ask.Command) -> None:
    history = given(reported(), refused(by=REVIEWER), objected()).beside(other=given(reported()))
    history.when(command, by=REVIEWER).refused(ConflictOfInterest, "市民异议")
    assert history.when(command, by=REVIEWER_2).refusal is None


def test_after_a_revocation_neither_who_asked_nor_who_confirmed_judges_the_objection() -> None:
    both = Actor(SUPERVISOR.kind, SUPERVISOR.id, roles=(*SUPERVISOR.roles, *REVIEWER.roles))
    history = given(*to_registered(), revocation_asked(by=REVIEWER), revoked(), objected())
    history.when(REGISTER, by=REVIEWER).refused(ConflictOfInterest)
    history.when(REGISTER, by=both).refused(ConflictOfInterest)
    history.when(REGISTER, by=REVIEWER_2).then(like(did.CaseRegistered))


def test_an_instruction_waits_while_a_report_stands_refused() -> None:
    """The clock of a 督办 stops with the refusal and runs on after an objection."""
    history = given(reported(), noted(at=mon("09:00")), refused(mon("10:00")))
    assert Clock.NOTE not in history.state.clocks
    history.when(OBJECT, by=CITIZEN, at=mon("12:00")).then(
        like(
            did.RefusalObjected,
            starts={Clock.REVIEW: mon("12:30"), Clock.NOTE: mon("15:00")},
        )
    )


# What the table offers -----------------------------------------------------------------------

FIRST: tuple[tuple[tuple[Fact, ...], Actor, list[Action]], ...] = (
    (
        (reported(),),
        CITIZEN,
        [Action.ADD_INFORMATION, Action.WITHDRAW],
    ),
    ((reported(),), NEIGHBOUR, [Action.JOIN]),
    (
        (reported(),),
        REVIEWER,
        [
            Action.REQUEST_INFORMATION,
            Action.REGISTER,
            Action.REFUSE,
            Action.MERGE,
            Action.RECLASSIFY,
            Action.CORRECT_PLACE,
            Action.REQUEST_SITE_CHECK,
            Action.CLAIM,
            Action.RELEASE,
        ],
    ),
    ((reported(),), SUPERVISOR, [Action.NOTE]),
    ((reported(), asked()), CLOCK, [Action.LAPSE_INFORMATION]),
    ((reported(), refused()), CITIZEN, [Action.OBJECT]),
    ((reported(), withdrawn()), CITIZEN, []),
    (
        (reported(), registered(), revocation_asked()),
        SUPERVISOR,
        [
            Action.CONFIRM_REVOCATION,
            Action.DESIGNATE,
            Action.REQUEST_FORCE_CLOSE,
            Action.DECLINE_SECOND,
            Action.NOTE,
        ],
    ),
    (to_completed(), CITIZEN, [Action.RATE]),
)


@pytest.mark.parametrize(("facts", "by", "offered"), FIRST)
def test_the_table_offers_each_what_is_theirs_to_do(
    facts: tuple[Fact, ...], by: Actor, offered: list[Action]
) -> None:
    assert allowed(given(*facts).state, by) == offered


def test_the_time_that_a_question_took_does_not_count_as_review() -> None:
    history = given(reported(mon("09:00")), asked(mon("09:10")), supplied(tue("09:00")))
    answer = history.when(REGISTER, by=REVIEWER, at=tue("09:20"))
    (event,) = answer.own
    assert used(event.stopped, Clock.REVIEW).total_seconds() == 30 * 60
    assert event.stopped[0].in_time
