"""督办、申诉、领办: what runs beside the life of a case (domain.md sections 2 and 3)."""

import pytest
from msgspec.structs import replace

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
from casework.lifecycle import OPEN, Action, Status
from casework.model import Actor, Clock, Role, Solved
from casework.state import allowed
from tests.facts import (
    acknowledged,
    appealed,
    claimed,
    closed,
    dispatched,
    doubted,
    force_asked,
    force_closed,
    merged,
    noted,
    rated,
    rectified,
    refused,
    registered,
    reopened,
    reported,
    return_asked,
    return_rejected,
    reworked,
    to_closed,
    to_completed,
    to_dispatched,
    to_handling,
    to_recheck,
    to_rectified,
    to_registered,
    transfer_asked,
    transferred,
)
from tests.history import (
    A_MICROSECOND,
    LEAD,
    OTHER_ID,
    OTHER_LEAD,
    OTHER_STREET,
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
    staff,
    words,
)

APPEAL = ask.Appeal(code="A03", words=words())
UPHOLD = ask.UpholdAppeal()
DISMISS = ask.DismissAppeal(code="AD1", words=words())


def hats(*roles: Role, street: str | None = None, name: str = "two-hats") -> Actor:
    return staff(name, *roles, street=street)


# 申诉 ---------------------------------------------------------------------------------------


def test_the_lead_appeals_within_five_working_days_of_the_closing() -> None:
    """Closed on Friday 17:00: the fifth working day after it ends on the next Friday at 17:00."""
    history = given(*to_closed(fri("17:00")))
    case = history.when(APPEAL, by=LEAD, at=day("03-13 17:00")).then(
        like(
            did.AppealMade,
            code="A03",
            words=SEALED,
            starts={Clock.APPEAL: day("03-18 17:00")},
            stops={Clock.APPEAL_WINDOW},
        )
    )
    assert case.status is Status.CLOSED
    late = day("03-13 17:00") + A_MICROSECOND
    history.when(APPEAL, by=LEAD, at=late).refused(TooLate, until=day("03-13 17:00"))


def test_an_appeal_may_be_made_after_the_archive_too() -> None:
    given(*to_completed()).when(APPEAL, by=LEAD).then(like(did.AppealMade))
    given(*to_recheck()).when(APPEAL, by=LEAD).refused(NotAllowed, "待复核")


def test_only_the_lead_of_the_street_that_had_the_case_appeals() -> None:
    given(*to_closed()).when(APPEAL, by=STREET).refused(NotPermitted)
    given(*to_closed()).when(APPEAL, by=OTHER_LEAD).refused(NotYours)
    given(*to_closed()).when(replace(APPEAL, code="AD1"), by=LEAD).refused(UnknownCode, "A01")


def test_a_case_is_appealed_once() -> None:
    history = given(*to_closed(), appealed())
    history.when(APPEAL, by=LEAD).refused(Exhausted, most=1, per="案")
    decided = Fact(did.AppealDismissed(code="AD1"), SUPERVISOR, stops=frozenset({Clock.APPEAL}))
    history.and_then(decided).when(APPEAL, by=LEAD).refused(Exhausted)


def test_an_appeal_is_a_judgement_beside_the_facts() -> None:
    history = given(*to_closed(), appealed("A03"))
    for command, event in (
        (UPHOLD, like(did.AppealUpheld, code="A03", words=None, stops={Clock.APPEAL})),
        (DISMISS, like(did.AppealDismissed, code="AD1", words=SEALED, stops={Clock.APPEAL})),
    ):
        case = history.when(command, by=SUPERVISOR).then(event)
        assert (case.status, case.closed_at) == (Status.CLOSED, history.state.closed_at)
        assert not case.pending
    history.when(replace(DISMISS, code="A01"), by=SUPERVISOR).refused(UnknownCode)
    given(*to_closed()).when(UPHOLD, by=SUPERVISOR).refused(NothingPending)
    history.when(UPHOLD, by=REVIEWER).refused(NotPermitted, "督办员")


DECIDED_BY_THEMSELVES = [
    # what was appealed, the history with the decision, and whose decision it was
    ("A01", (*to_registered(), dispatched(by=SUPERVISOR), acknowledged(), rectified(), closed())),
    (
        "A02",
        (
            *to_dispatched(),
            return_asked(),
            return_rejected(by=SUPERVISOR),
            acknowledged(),
            rectified(),
            closed(),
        ),
    ),
    ("A06", (*to_rectified(), reworked(by=SUPERVISOR), rectified(), closed())),
    ("A05", (*to_rectified(), closed(by=SUPERVISOR))),
    ("A01", (*to_rectified(), closed(by=SUPERVISOR))),
    ("A07", (*to_handling(), transfer_asked(by=SUPERVISOR), transferred(by=REVIEWER))),
    ("A03", (*to_handling(), force_asked(by=SUPERVISOR), force_closed(by=SUPERVISOR_2))),
    ("A03", (*to_handling(), force_asked(by=REVIEWER), force_closed(by=SUPERVISOR))),
]


@pytest.mark.parametrize(("code", "facts"), DECIDED_BY_THEMSELVES)
@pytest.mark.parametrize("command", [UPHOLD, DISMISS])
def test_nobody_decides_an_appeal_against_their_own_decision(
    code: str, facts: tuple[Fact, ...], command: ask.Command
) -> None:
    history = given(*facts, appealed(code))
    history.when(command, by=SUPERVISOR).refused(ConflictOfInterest, "您的决定")
    other = staff("supervisor-3", Role.SUPERVISOR)
    assert history.when(command, by=other).refusal is None


def test_nobody_decides_their_own_appeal() -> None:
    both = hats(Role.STREET_LEAD, Role.SUPERVISOR, street=ZHONGGUANCUN)
    history = given(*to_closed(), appealed(by=both))
    history.when(UPHOLD, by=both).refused(ConflictOfInterest, "由您提出")


WHERE_IT_WENT = {
    "待复核": (rated(Solved.NO), doubted()),
    "待签收": (rated(Solved.NO), doubted(), reopened(2)),
    "处置中": (rated(Solved.NO), doubted(), reopened(2), acknowledged()),
    "已并案": (rated(Solved.NO), doubted(), reopened(2), merged(OTHER_ID)),
}


@pytest.mark.parametrize("status", WHERE_IT_WENT)
def test_an_open_appeal_is_decided_wherever_the_case_has_gone_since(status: str) -> None:
    history = given(*to_closed(), appealed(), *WHERE_IT_WENT[status])
    assert Clock.APPEAL in history.state.clocks
    case = history.when(UPHOLD, by=SUPERVISOR).then(like(did.AppealUpheld))
    assert case.status is history.state.status
    assert Action.UPHOLD_APPEAL in allowed(history.state, SUPERVISOR)
    assert Action.UPHOLD_APPEAL not in allowed(case, SUPERVISOR)


# 督办 ---------------------------------------------------------------------------------------

NOTE = ask.Note(words=words())


def answer(number: int) -> ask.AnswerNote:
    return ask.AnswerNote(note=number, words=words())


def test_an_instruction_must_be_answered_within_four_duty_hours() -> None:
    given(*to_handling()).when(NOTE, by=SUPERVISOR, at=mon("19:00")).then(
        like(
            did.InstructionNoted,
            note=1,
            words=SEALED,
            starts={Clock.NOTE: day("03-03 09:00")},
            stops=(),
        )
    )
    given(*to_handling()).when(ask.Note(words=words(0)), by=SUPERVISOR).refused(Missing)
    given(*to_handling()).when(NOTE, by=REVIEWER).refused(NotPermitted)


def test_the_clock_runs_from_the_first_instruction_to_the_last_answer() -> None:
    history = given(*to_handling(), noted(1))
    history.when(NOTE, by=SUPERVISOR_2).then(like(did.InstructionNoted, note=2, starts={}))
    both = history.and_then(noted(2))
    first = both.when(answer(2), by=STREET)
    first.then(like(did.InstructionAnswered, note=2, words=SEALED, stops=()))
    assert first.case.open_notes == (1,)
    both._replace(case=first.case).when(answer(1), by=REVIEWER).then(
        like(did.InstructionAnswered, note=1, stops={Clock.NOTE})
    )


def test_an_instruction_is_answered_once_and_by_those_concerned() -> None:
    history = given(*to_handling(), noted())
    history.when(answer(2), by=STREET).refused(NothingPending, "第2号")
    history.when(answer(1), by=OTHER_STREET).refused(NotYours)
    history.when(answer(1), by=SUPERVISOR).refused(NotPermitted)
    given(*to_handling()).when(answer(1), by=STREET).refused(NothingPending)
    assert Action.ANSWER_NOTE in allowed(history.state, STREET)
    assert Action.ANSWER_NOTE not in allowed(given(*to_handling()).state, STREET)


def test_an_instruction_outlives_every_change_of_stage() -> None:
    history = given(reported(), noted(), registered(), dispatched(), acknowledged(), rectified())
    case = history.and_then(closed(), rated(Solved.NO), doubted(), reopened(2)).state
    assert case.clocks[Clock.NOTE].fact.due_at == mon("13:00")
    given(*to_completed()).when(NOTE, by=SUPERVISOR).refused(NotAllowed, "已归档")
    given(reported(), refused()).when(NOTE, by=SUPERVISOR).refused(NotAllowed)


# 领办 ---------------------------------------------------------------------------------------

CLAIM, RELEASE = ask.Claim(), ask.Release()


def test_a_claim_keeps_others_away_for_fifteen_minutes() -> None:
    given(reported()).when(CLAIM, by=REVIEWER).then(did.CaseClaimed(until=mon("09:15")))
    history = given(reported(), claimed(mon("09:15")))
    history.when(CLAIM, by=REVIEWER_2, at=mon("09:15") - A_MICROSECOND).refused(
        NothingPending, "其他人员"
    )
    history.when(CLAIM, by=REVIEWER_2, at=mon("09:15")).then(did.CaseClaimed(until=mon("09:30")))
    history.when(CLAIM, by=REVIEWER, at=mon("09:10")).then(did.CaseClaimed(until=mon("09:25")))


def test_only_who_claimed_releases() -> None:
    history = given(reported(), claimed(mon("09:15")))
    history.when(RELEASE, by=REVIEWER_2).refused(NothingPending, "没有领办")
    case = history.when(RELEASE, by=REVIEWER).then(did.ClaimReleased())
    assert (case.claimed_by, case.claimed_until) == (None, None)
    given(reported()).when(RELEASE, by=REVIEWER).refused(NothingPending)


@pytest.mark.parametrize("facts", [to_dispatched(), to_handling()])
def test_a_street_claims_its_own_cases_and_a_reviewer_those_of_the_back_office(
    facts: tuple[Fact, ...],
) -> None:
    history = given(*facts)
    history.when(CLAIM, by=STREET).then(like(did.CaseClaimed))
    history.when(CLAIM, by=OTHER_STREET).refused(NotYours)
    history.when(CLAIM, by=REVIEWER).refused(NotPermitted, "街镇经办")
    given(*to_rectified()).when(CLAIM, by=STREET).refused(NotPermitted, "审核员")
    given(*to_completed()).when(CLAIM, by=REVIEWER).refused(NotAllowed)


def test_two_hats_do_not_open_another_streets_desk() -> None:
    """The row that applies is the street's; being a reviewer too makes no case one's own."""
    both = hats(Role.REVIEWER, Role.STREET, street="110108012")
    given(*to_handling()).when(CLAIM, by=both).refused(NotYours)
    assert Action.CLAIM not in allowed(given(*to_handling()).state, both)


def test_a_claim_ends_with_the_status() -> None:
    history = given(reported(), claimed(mon("09:15")), registered(), dispatched())
    history.when(CLAIM, by=STREET).then(like(did.CaseClaimed))
    assert history.state.claimed_by is None


def test_every_open_status_is_someones_desk() -> None:
    claimable = {
        status
        for status in OPEN
        if any(
            Action.CLAIM in allowed(replace(given(*to_handling()).state, status=status), by)
            for by in (REVIEWER, STREET)
        )
    }
    assert claimable == OPEN
