"""并案与拆分: merged cases follow their primary, and nobody loses progress or rating."""

import pytest

from casework import commands as ask
from casework import events as did
from casework.catalogue import StepLimitSet
from casework.errors import Missing, NotAllowed, NotPermitted, UnknownCase
from casework.lifecycle import Status
from casework.model import Clock, Limit, Unit
from tests.facts import (
    absorbed,
    dispatched,
    joined,
    merged,
    noted,
    registered,
    reported,
    to_closed,
    to_completed,
    to_dispatched,
    to_handling,
    to_recheck,
    to_rectified,
    to_registered,
)
from tests.history import (
    CASE_ID,
    CITIZEN,
    NEIGHBOUR,
    OTHER_ID,
    PASSER_BY,
    REFERENCES,
    REVIEWER,
    SEALED,
    SUPERVISOR,
    THIRD_ID,
    Fact,
    given,
    like,
    mon,
    person,
    words,
)

PRIMARY = given(reported(number="HD202603020002", by=NEIGHBOUR, reporter=NEIGHBOUR))
MERGE = ask.Merge(primary=OTHER_ID)
UNMERGE = ask.Unmerge(reason=words())


@pytest.mark.parametrize("facts", [(reported(),), to_registered(), to_dispatched(), to_handling()])
def test_a_case_is_merged_from_review_to_handling(facts: tuple[Fact, ...]) -> None:
    history = given(*facts, joined(PASSER_BY), noted()).beside(other=PRIMARY)
    case = history.when(MERGE, by=REVIEWER).then(
        like(
            did.CaseMerged,
            primary=OTHER_ID,
            primary_number="HD202603020002",
            repointed=False,
            stops=set(history.state.clocks),
        ),
        (
            OTHER_ID,
            like(
                did.CaseAbsorbed,
                secondary_number="HD202603020001",
                reporters=(person(CITIZEN), person(PASSER_BY)),
            ),
        ),
    )
    assert (case.status, case.merged_into, dict(case.clocks)) == (Status.MERGED, OTHER_ID, {})


def test_a_case_that_was_handed_over_is_not_merged_away() -> None:
    given(*to_rectified()).beside(other=PRIMARY).when(MERGE, by=REVIEWER).refused(NotAllowed)
    given(reported()).beside(other=PRIMARY).when(MERGE, by=SUPERVISOR).refused(NotPermitted)


@pytest.mark.parametrize("facts", [to_closed(), to_recheck(), to_completed()])
def test_the_primary_is_a_case_before_its_closing(facts: tuple[Fact, ...]) -> None:
    history = given(reported()).beside(other=given(*facts))
    history.when(MERGE, by=REVIEWER).refused(Missing, "主案目前是", what="primary")


def test_a_primary_that_is_not_there_is_not_found() -> None:
    given(reported()).when(MERGE, by=REVIEWER).refused(UnknownCase, case=OTHER_ID)


def test_a_case_is_not_merged_into_itself_or_into_its_own_secondary() -> None:
    own = given(reported())
    own.beside(itself=own).when(ask.Merge(primary=CASE_ID), by=REVIEWER).refused(Missing)
    history = given(reported(), absorbed(OTHER_ID, NEIGHBOUR))
    secondary = PRIMARY.and_then(merged(CASE_ID))
    history.beside(other=secondary, itself=history).when(MERGE, by=REVIEWER).refused(
        Missing, "不能并入自己"
    )


def test_merging_into_a_merged_case_leads_to_its_primary() -> None:
    secondary = PRIMARY.and_then(merged(THIRD_ID))
    last = given(reported(number="HD202603020003", by=PASSER_BY, reporter=PASSER_BY))
    history = given(reported()).beside(other=secondary, third=last)
    history.when(MERGE, by=REVIEWER).then(
        like(did.CaseMerged, primary=THIRD_ID, primary_number="HD202603020003"),
        (THIRD_ID, like(did.CaseAbsorbed, reporters=(person(CITIZEN),))),
    )


def test_what_was_merged_into_a_case_before_follows_it_to_its_primary() -> None:
    """No chains: the third case is told that its primary is now the second's primary."""
    third = given(reported(number="HD202603020003"), merged(CASE_ID))
    history = given(reported(), absorbed(THIRD_ID, PASSER_BY)).beside(other=PRIMARY, third=third)
    case = history.when(MERGE, by=REVIEWER).then(
        like(did.CaseMerged, primary=OTHER_ID),
        (OTHER_ID, like(did.CaseAbsorbed, reporters=(person(CITIZEN),))),
        (THIRD_ID, like(did.CaseMerged, primary=OTHER_ID, repointed=True)),
        (
            OTHER_ID,
            like(
                did.CaseAbsorbed,
                secondary=THIRD_ID,
                secondary_number="HD202603020003",
                reporters=(person(PASSER_BY),),
            ),
        ),
    )
    assert case.absorbed == {}


def test_a_reporter_who_left_does_not_come_back_by_merging_again() -> None:
    third = given(reported(number="HD202603020003"), merged(CASE_ID))
    left = Fact(did.ReporterLeft(person=person(PASSER_BY)), PASSER_BY)
    history = given(reported(), absorbed(THIRD_ID, PASSER_BY, NEIGHBOUR), left)
    answer = history.beside(other=PRIMARY, third=third).when(MERGE, by=REVIEWER)
    answer.then(
        like(did.CaseMerged),
        (OTHER_ID, like(did.CaseAbsorbed)),
        (THIRD_ID, like(did.CaseMerged)),
        (OTHER_ID, like(did.CaseAbsorbed, reporters=(person(NEIGHBOUR),))),
    )


def test_the_primary_counts_the_reporters_of_every_case_once() -> None:
    case = given(reported(), joined(NEIGHBOUR), absorbed(OTHER_ID, NEIGHBOUR, PASSER_BY)).state
    assert case.reporters == (person(CITIZEN), person(NEIGHBOUR), person(PASSER_BY))


@pytest.mark.parametrize("facts", [(reported(),), to_handling(), to_closed(), to_recheck()])
def test_a_merged_case_is_split_off_while_its_primary_is_open(facts: tuple[Fact, ...]) -> None:
    history = given(*to_handling(), noted(at=mon("09:00")), merged(OTHER_ID, mon("10:00")))
    case = (
        history.beside(other=given(*facts))
        .when(UNMERGE, by=REVIEWER, at=mon("11:00"))
        .then(
            like(
                did.CaseUnmerged,
                primary=OTHER_ID,
                reason=SEALED,
                starts={Clock.REVIEW: mon("11:30"), Clock.NOTE: mon("14:00")},
                stops=(),
            ),
            (OTHER_ID, like(did.CaseReleased, reporters=(person(CITIZEN),))),
        )
    )
    assert (case.status, case.street, case.versions, case.merged_into) == (
        Status.SUBMITTED,
        None,
        None,
        None,
    )


def test_a_split_case_has_the_review_time_that_is_set_today() -> None:
    """Also where its registration had frozen an older catalogue."""
    hour = StepLimitSet(
        clock=Clock.REVIEW, limit=Limit(1, Unit.DUTY_HOUR), effective_from=mon("10:00")
    )
    history = given(*to_handling(), merged(OTHER_ID)).beside(other=PRIMARY)
    history.under(REFERENCES.grown(catalogue=[hour])).when(
        UNMERGE, by=REVIEWER, at=mon("11:00")
    ).then(
        like(did.CaseUnmerged, starts={Clock.REVIEW: mon("12:00")}),
        (OTHER_ID, like(did.CaseReleased)),
    )


def test_nothing_is_split_off_a_primary_that_has_ended() -> None:
    history = given(reported(), merged(OTHER_ID)).beside(other=given(*to_completed()))
    history.when(UNMERGE, by=REVIEWER).refused(Missing, "主案已经结束")


def test_the_primary_lets_the_reporters_of_a_split_case_go() -> None:
    released = Fact(did.CaseReleased(secondary=OTHER_ID, reporters=(person(NEIGHBOUR),)), REVIEWER)
    history = given(reported(), absorbed(OTHER_ID, NEIGHBOUR), absorbed(THIRD_ID, PASSER_BY))
    assert history.and_then(released).state.reporters == (person(CITIZEN), person(PASSER_BY))


def test_a_split_case_is_reviewed_and_registered_anew() -> None:
    unmerged = Fact(
        did.CaseUnmerged(primary=OTHER_ID, reason=SEALED), REVIEWER, starts=(Clock.REVIEW,)
    )
    history = given(*to_handling(), merged(OTHER_ID), unmerged)
    again = history.and_then(registered(), dispatched())
    assert again.state.status is Status.DISPATCHED
