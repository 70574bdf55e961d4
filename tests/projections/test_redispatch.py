"""Stays of cases with a 街镇: chains, and what returns and recalls cost, on both databases."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from casework import events as did
from casework.handlings import End
from casework.log.port import Recorded
from casework.model import Clock, ClockStopped, StreetCode
from projections.reading import Readers
from projections.redispatch import Leg, chains, lost
from projections.tables import reading
from tests.projections.histories import (
    DAWN,
    LIMIT,
    STREETS,
    ListedLog,
    Scribe,
    Story,
    starts,
    stops,
    street_actor,
)

FIRST, LAST = DAWN - timedelta(days=5), DAWN + timedelta(days=26)
HERE, THERE = STREETS[0], STREETS[1]


def tell(readers: Readers, events: Sequence[Recorded]) -> None:
    log = ListedLog(events)
    while readers.step(log):
        pass
    assert readers.held() == []


def used(minutes: float) -> ClockStopped:
    return ClockStopped(
        Clock.HANDLING, int(minutes * 60_000_000), in_time=True, because="test", final=True
    )


def returned(story: Story, after: float, on_clock: float, code: str = "T01") -> Recorded:
    """The accepted return, so many minutes after the dispatch."""
    return story.step(
        did.ReturnAccepted(
            street=story.street, code=code, stopped=(used(on_clock), stops(Clock.ACKNOWLEDGE))
        ),
        after=after,
    )


def to(story: Story, street: StreetCode) -> Recorded:
    story.street = street
    return story.dispatched()


def legs_of(readers: Readers) -> list[list[Leg]]:
    with reading(readers.engine) as connection:
        return chains(connection, FIRST, LAST, 10)


def test_a_chain_tells_every_stay_with_its_minutes(readers: Readers) -> None:
    story = Story(Scribe(), "a")
    tell(
        readers,
        [
            story.submitted(),
            story.registered(),
            to(story, HERE),
            returned(story, after=45, on_clock=30, code="T02"),
            to(story, THERE),
            story.step(
                did.CaseRecalled(street=THERE, reason=story.words("派错了"), stopped=(used(7.5),)),
                after=8,
            ),
            to(story, HERE),
            story.rectified(),
            story.step(did.CaseClosed(reply=story.words("好了"), standard="已清除"), after=9),
        ],
    )
    ((first, second, third),) = legs_of(readers)
    assert (first.street, first.ended_by, first.code) == (HERE, End.RETURNED, "T02")
    assert (first.minutes, first.handling_minutes) == (45, 30)
    assert (second.street, second.ended_by, second.code) == (THERE, End.RECALLED, None)
    assert (second.minutes, second.handling_minutes) == (8, 7)
    assert (third.street, third.ended_by, third.ordinal) == (HERE, End.ACCEPTED, 3)
    assert third.minutes == 10, "one to the hand-over, nine to the closing"
    assert first.ended_at is not None and second.dispatched_at >= first.ended_at
    assert first.number == story.number and first.case_id == story.case_id


def test_what_is_lost_is_the_units_own_with_its_n(readers: Readers) -> None:
    scribe = Scribe()
    events: list[Recorded] = []
    for name, minutes, code in (("a", 45, "T01"), ("b", 20, "T01"), ("c", 10, "T03")):
        story = Story(scribe, name)
        events += [
            story.submitted(), story.registered(), to(story, HERE),
            returned(story, after=minutes, on_clock=5, code=code), to(story, THERE),
        ]  # fmt: skip
    good = Story(scribe, "d")
    events += [good.submitted(), good.registered(), to(good, HERE)]
    tell(readers, events)
    with reading(readers.engine) as connection:
        here, there = lost(connection, FIRST, LAST)
        assert lost(connection, LAST, LAST + timedelta(days=31)) == []
        assert lost(connection, FIRST, DAWN) == [], "half-open, by the time of dispatch"
        only = chains(connection, FIRST, LAST, 10, THERE)
        assert len(chains(connection, FIRST, LAST, 2)) == 2
    assert (here.street, here.n, here.returned, here.recalled) == (HERE, 4, 3, 0)
    assert here.by_code == {"T01": 2, "T03": 1}
    assert (here.minutes, here.handling_minutes) == (75, 15)
    assert (there.street, there.n, there.returned, there.minutes) == (THERE, 3, 0, 0)
    assert only == [], "it lost none"


@pytest.mark.parametrize(
    ("event", "end"),
    [
        (did.CaseMerged, End.MERGED),
        (did.CaseTransferred, End.TRANSFERRED),
        (did.CaseForceClosed, End.FORCE_CLOSED),
    ],
)
def test_other_ends_are_no_loss(readers: Readers, event: type[did.Event], end: End) -> None:
    story, other = Story(Scribe(), "a"), Story(Scribe(), "b")
    ended: dict[type[did.Event], did.Event] = {
        did.CaseMerged: did.CaseMerged(primary=other.case_id, primary_number="HD1"),
        did.CaseTransferred: did.CaseTransferred(body="区水务局", number="1"),
        did.CaseForceClosed: did.CaseForceClosed(code="F01"),
    }
    tell(
        readers,
        [
            story.submitted(), story.registered(), to(story, HERE), returned(story, 5, 5),
            to(story, THERE), story.step(ended[event], after=3),
            story.step(did.CaseMerged(primary=other.case_id, primary_number="HD2", repointed=True)),
        ],
    )  # fmt: skip
    ((_, second),) = legs_of(readers)
    assert (second.ended_by, second.minutes) == (end, 3), "what follows changes nothing"
    with reading(readers.engine) as connection:
        assert sum(row.minutes for row in lost(connection, FIRST, LAST)) == 5


def test_a_reopened_case_is_a_stay_of_its_own_and_no_loss(readers: Readers) -> None:
    story = Story(Scribe(), "a")
    reopened = did.CaseReopened(
        code="V11",
        words=story.words("没有解决"),
        street=THERE,
        assignment=story.assignment(),
        limit=LIMIT,
        due_at=DAWN + timedelta(days=2),
        round=2,
        started=(starts(Clock.HANDLING, DAWN),),
    )
    tell(
        readers,
        [
            story.submitted(), story.registered(), to(story, HERE), story.acknowledged(),
            story.rectified(), story.closed(), story.rated(), story.step(reopened),
        ],
    )  # fmt: skip
    assert legs_of(readers) == []
    with reading(readers.engine) as connection:
        assert [(row.street, row.n) for row in lost(connection, FIRST, LAST)] == [
            (HERE, 1),
            (THERE, 1),
        ]


def test_a_stay_that_lasts_has_no_end_and_counts_no_minutes(readers: Readers) -> None:
    story = Story(Scribe(), "a")
    suspended = did.CaseSuspended(code="S01", resume_on=DAWN.date(), stopped=(used(12),))
    tell(
        readers,
        [
            story.submitted(), story.registered(), to(story, HERE), returned(story, 5, 5),
            to(story, THERE), story.acknowledged(), story.step(suspended, street_actor(THERE)),
        ],
    )  # fmt: skip
    ((_, second),) = legs_of(readers)
    assert (second.ended_at, second.ended_by) == (None, None)
    assert (second.minutes, second.handling_minutes) == (None, None)
