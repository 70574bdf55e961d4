"""The due index as an index of work: what comes next for each clock, and what it costs to ask."""

from datetime import timedelta

from casework import owed
from casework.model import LAPSING, Clock
from projections import due
from projections.due import Work
from projections.reading import Readers
from projections.tables import reading
from tests.projections.histories import DAWN, Scribe, Story
from tests.projections.test_views import tell


def work(readers: Readers, hours: float) -> list[tuple[Clock, int]]:
    """What is due so many hours after dawn, as (clock, percent)."""
    with reading(readers.engine) as connection:
        found = due.work(connection, DAWN + timedelta(hours=hours), 100)
    assert found == sorted(found, key=lambda each: each.reached_at)
    return [(each.clock, each.percent) for each in found]


def test_what_is_lapsing_is_what_the_clock_can_lapse() -> None:
    assert set(owed.LAPSES) == LAPSING


def test_each_share_of_a_limit_is_work_once_and_in_order(readers: Readers) -> None:
    story = Story(Scribe(), "a")
    tell(readers, [*story.whole()[:4]])
    assert work(readers, 2.9) == []
    assert work(readers, 3.1) == [(Clock.HANDLING, 75)]
    assert work(readers, 100) == [(Clock.HANDLING, 75)], "one at a time"

    tell(readers, [story.noticed(Clock.HANDLING, 75)])
    assert work(readers, 3.1) == []
    assert work(readers, 4.1) == [(Clock.HANDLING, 100)]

    tell(readers, [story.noticed(Clock.HANDLING, percent) for percent in (100, 150)])
    assert work(readers, 7.9) == []
    assert work(readers, 8.1) == [(Clock.HANDLING, 200)]

    tell(readers, [story.noticed(Clock.HANDLING, 200)])
    assert work(readers, 10_000) == []


def test_a_notice_of_another_counting_leaves_this_one_to_be_told(readers: Readers) -> None:
    story = Story(Scribe(), "a")
    tell(readers, story.whole()[:4])
    tell(readers, [story.noticed(Clock.HANDLING, 75, began_at=DAWN - timedelta(days=1))])
    assert work(readers, 3.1) == [(Clock.HANDLING, 75)]


def test_a_stopped_clock_is_no_work_and_what_was_told_of_it_is_remembered(
    readers: Readers,
) -> None:
    story = Story(Scribe(), "a")
    tell(readers, story.whole()[:4])
    tell(readers, [story.noticed(Clock.HANDLING, 75), story.rectified()])
    assert work(readers, 3.1) == [(Clock.VERIFICATION, 75)]
    tell(readers, [story.noticed(Clock.VERIFICATION, percent) for percent in (75, 100, 150, 200)])
    again = story.dispatched()
    tell(readers, [again])
    assert (Clock.HANDLING, 75) not in work(readers, 10), "the same limit, counted on"
    assert (Clock.HANDLING, 100) in work(readers, 10)


def test_what_lapses_by_itself_is_work_at_its_end(readers: Readers) -> None:
    story = Story(Scribe(), "a")
    told = [story.submitted(), story.registered(), story.dispatched(), story.acknowledged()]
    tell(readers, [*told, story.rectified(), story.closed()])
    with reading(readers.engine) as connection:
        (clock,) = due.of_case(connection, story.case_id)
        assert clock.clock is Clock.RATING
        assert due.work(connection, clock.due_at - timedelta(microseconds=1), 10) == []
        (found,) = due.work(connection, clock.due_at, 10)
    assert found == Work(story.case_id, Clock.RATING, 1, clock.due_at, 100, clock.due_at)
