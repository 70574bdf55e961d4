"""The feed thread: woken by commits, and waited for by those who read their own writes."""

import asyncio

import pytest

from projections.feed import BeyondHead, Feed
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
