"""The feed thread: woken by commits, and waited for by those who read their own writes."""

import asyncio
import threading
import time

import pytest

from casework.log.port import Recorded
from projections.feed import BeyondHead, Feed
from projections.reading import PAGE
from tests.projections.conftest import Made
from tests.projections.histories import ListedLog, Scribe, Story

PATIENCE = 60.0


def test_a_wait_ends_as_soon_as_the_views_have_seen_the_position(make_readers: Made) -> None:
    story = Story(Scribe(), "a")
    log = ListedLog([story.submitted()])
    feed = Feed(log, make_readers())
    feed.start()
    try:
        assert feed.wait_for(1, PATIENCE).position == 1
        log.add(story.registered(), story.dispatched())
        assert asyncio.run(feed.seen(3, PATIENCE)).position == 3
        assert not feed.as_of().degraded
    finally:
        feed.stop()


def test_a_wait_beyond_the_head_is_the_callers_mistake(make_readers: Made) -> None:
    feed = Feed(ListedLog(), make_readers())
    with pytest.raises(BeyondHead, match="超出"):
        feed.wait_for(1)


def test_a_wait_that_times_out_answers_with_what_is_there(make_readers: Made) -> None:
    story = Story(Scribe(), "a")
    log = ListedLog([story.submitted()])
    feed = Feed(log, make_readers())
    feed.round()
    log.add(story.registered())
    assert feed.wait_for(2, timeout=0.01).position == 1


def test_held_streams_are_named_and_make_it_degraded(make_readers: Made) -> None:
    scribe = Scribe()
    first, second = Story(scribe, "a"), Story(scribe, "b")
    second.number = first.number
    feed = Feed(ListedLog([first.submitted(), second.submitted()]), make_readers())
    feed.round()
    assert feed.as_of().held == (second.stream,)
    assert feed.as_of().degraded
    assert feed.metrics()["held_streams"] == 1


class Busy(ListedLog):
    """A log in which something more stands whenever it is read."""

    def __init__(self) -> None:
        self.scribe, self.told = Scribe(), 0
        super().__init__()

    def since(self, position: int, limit: int, stop: int | None = None) -> list[Recorded]:
        self.told += 1
        self.add(Story(self.scribe, f"{self.told}").submitted())
        return super().since(position, limit, stop)


def test_the_first_catch_up_ends_also_where_people_write_all_the_time(make_readers: Made) -> None:
    feed = Feed(Busy(), make_readers())
    feed.start()
    try:
        until = time.monotonic() + PATIENCE
        while not feed.caught_up and time.monotonic() < until:
            threading.Event().wait(0.01)
        assert feed.caught_up
    finally:
        feed.stop()


def test_a_feed_that_is_a_page_behind_has_not_caught_up(make_readers: Made) -> None:
    scribe = Scribe()
    log = ListedLog([Story(scribe, f"{n}").submitted() for n in range(PAGE + 1)])
    feed = Feed(log, make_readers())
    head = log.head()
    feed.round()
    assert not feed._all_have_read(head)
    feed.round()
    assert feed._all_have_read(head)
