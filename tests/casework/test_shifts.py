"""Hand-over between shifts: two signatures, each once, and what was left stays as it was seen."""

import pytest

from casework import desks
from casework.errors import ConflictOfInterest, Missing, NothingPending, NotPermitted, Refusal
from casework.model import Actor, Clock, Role
from casework.shifts import (
    MOST_LISTED,
    MOST_WORDS,
    Command,
    Decline,
    Event,
    HandOver,
    Item,
    ShiftDeclined,
    ShiftHandedOver,
    Shifts,
    ShiftTakenOver,
    ShiftWithdrawn,
    Summary,
    TakeOver,
    Withdraw,
    decide,
    evolve,
    fold,
)
from tests.history import (
    EVERYBODY,
    LEAD,
    REVIEWER,
    REVIEWER_2,
    STREET,
    SUPERVISOR,
    SUPERVISOR_2,
    ZHONGGUANCUN,
    mon,
    staff,
)

DESK = desks.REVIEWER
HERE = desks.of_street(ZHONGGUANCUN)
LEFT = Summary(
    at=mon("17:00"),
    open=12,
    near_due=2,
    overdue=1,
    pending=1,
    notes=0,
    items=(
        Item("HD202603020001", Clock.REVIEW, mon("16:30")),
        Item("HD202603020002", Clock.RETURN, mon("17:20")),
    ),
)
HAND_OVER = HandOver(summary=LEFT, words="第二件请优先。")
REVIEWER_3 = staff("reviewer-3", Role.REVIEWER)


def handed(number: int = 1, by: Actor = REVIEWER, desk: str = DESK) -> ShiftHandedOver:
    return ShiftHandedOver(
        number=number, desk=desk, handed_over_by=by.id, summary=LEFT, words="第二件请优先。"
    )


def when(history: list[Event], command: Command, by: Actor, desk: str = DESK) -> list[Event]:
    return decide(fold(history), desk, command, by)


def refused(
    kind: type[Refusal], says: str, history: list[Event], command: Command, by: Actor
) -> None:
    with pytest.raises(kind, match=says):
        when(history, command, by)


def test_one_hands_over_and_another_takes_over() -> None:
    assert when([], HAND_OVER, REVIEWER) == [handed()]
    taken = when([handed()], TakeOver(number=1), REVIEWER_2)
    assert taken == [ShiftTakenOver(number=1, taken_over_by=REVIEWER_2.id)]
    assert fold([handed(), *taken]) == Shifts(count=1)


def test_the_next_one_has_the_next_number() -> None:
    history: list[Event] = [handed(), ShiftTakenOver(number=1, taken_over_by=REVIEWER_2.id)]
    assert when(history, HAND_OVER, REVIEWER_2) == [handed(2, REVIEWER_2)]


def test_nobody_takes_over_from_themself() -> None:
    refused(ConflictOfInterest, "由您交出", [handed()], TakeOver(number=1), REVIEWER)
    refused(ConflictOfInterest, "由您交出", [handed()], Decline(number=1, words="忙"), REVIEWER)


def test_it_is_declined_with_words_and_may_be_handed_over_anew() -> None:
    declined = when([handed()], Decline(number=1, words="清单不全。"), REVIEWER_2)
    assert declined == [ShiftDeclined(number=1, declined_by=REVIEWER_2.id, words="清单不全。")]
    refused(Missing, "原因", [handed()], Decline(number=1, words="  "), REVIEWER_2)
    assert when([handed(), *declined], HAND_OVER, REVIEWER) == [handed(2)]


def test_only_the_outgoing_withdraws() -> None:
    assert when([handed()], Withdraw(number=1), REVIEWER) == [ShiftWithdrawn(number=1)]
    refused(ConflictOfInterest, "交班人", [handed()], Withdraw(number=1), REVIEWER_2)


@pytest.mark.parametrize(
    "end",
    [
        ShiftTakenOver(number=1, taken_over_by="reviewer-2"),
        ShiftDeclined(number=1, declined_by="reviewer-2", words="清单不全。"),
        ShiftWithdrawn(number=1),
    ],
)
def test_each_is_signed_once(end: Event) -> None:
    history = [handed(), end]
    for command, by in (
        (TakeOver(number=1), REVIEWER_3),
        (Decline(number=1, words="再看。"), REVIEWER_3),
        (Withdraw(number=1), REVIEWER),
    ):
        refused(NothingPending, "没有待接的班", history, command, by)
    refused(NothingPending, "没有待接的班", [], TakeOver(number=1), REVIEWER_2)


def test_two_who_leave_together_hand_over_side_by_side_but_each_only_once() -> None:
    history: list[Event] = [handed(), handed(2, REVIEWER_2)]
    refused(NothingPending, "等待接班", history, HAND_OVER, REVIEWER)
    assert when(history, TakeOver(number=1), REVIEWER_2), "one may stay on for the other"
    after = fold([*history, ShiftTakenOver(number=2, taken_over_by=REVIEWER_3.id)])
    assert after.waiting == {1: REVIEWER.id}


@pytest.mark.parametrize(
    ("desk", "seated"),
    [
        (desks.REVIEWER, {REVIEWER.id, REVIEWER_2.id}),
        (desks.SUPERVISOR, {SUPERVISOR.id, SUPERVISOR_2.id}),
        (HERE, {STREET.id, LEAD.id}),
    ],
)
def test_only_those_of_the_desk_hand_over_and_take_over(desk: str, seated: set[str]) -> None:
    waiting: list[Event] = [handed(by=REVIEWER_3, desk=desk)]
    for actor in EVERYBODY:
        commands: tuple[Command, ...] = (
            HAND_OVER,
            TakeOver(number=1),
            Decline(number=1, words="不全。"),
        )
        for command in commands:
            if actor.id in seated:
                assert when(waiting, command, actor, desk)
            else:
                with pytest.raises(NotPermitted):
                    when(waiting, command, actor, desk)


def test_words_and_lists_have_their_length() -> None:
    long = HandOver(summary=LEFT, words="话" * (MOST_WORDS + 1))
    refused(Missing, "最多500字", [], long, REVIEWER)
    declined = Decline(number=1, words="话" * (MOST_WORDS + 1))
    refused(Missing, "最多500字", [handed()], declined, REVIEWER_2)
    items = (LEFT.items[0],) * (MOST_LISTED + 1)
    many = Summary(at=LEFT.at, open=1, near_due=0, overdue=0, pending=0, notes=0, items=items)
    refused(Missing, "最多列出100件", [], HandOver(summary=many), REVIEWER)


def test_an_answer_to_nothing_tells_nothing() -> None:
    assert evolve(Shifts(), ShiftWithdrawn(number=3)) == Shifts()
