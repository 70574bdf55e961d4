"""Measures counted by hand, as of any moment, and the cases behind them."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from casework import events as did
from casework.handlings import Cut
from casework.model import Clock, Outcome, Solved
from projections.facts import Facts
from projections.lines import Opener
from projections.measure_catalogue import CATALOGUE, Direction, Kind, NoSuchMeasure
from projections.measures import By, Figure, Only, Part, cases, compared, measure
from projections.periods import Every, Period, period_of, periods
from projections.reading import Readers
from projections.statistics import percent, quantile, wilson
from projections.tables import reading
from tests.projections.histories import (
    DAWN,
    STREETS,
    ListedLog,
    Scribe,
    Story,
    starts,
    stops,
    street_actor,
)

MAY = period_of(Every.MONTH, date(2026, 5, 1))
JUNE = MAY.last


class Town:
    """Cases told step by step, and what is measured of them."""

    def __init__(self, readers: Readers) -> None:
        self.readers = readers
        self.scribe = Scribe()
        self.log = ListedLog()
        self.made = 0

    def story(self, **more: Any) -> Story:
        self.made += 1
        return Story(self.scribe, f"{self.made}", **more)

    def read(self) -> None:
        while self.readers.step(self.log):
            pass

    def ask(self, work: Callable[[Connection], Any]) -> Any:
        self.read()
        with reading(self.readers.engine) as connection:
            return work(connection)

    def figure(self, name: str, period: Period = MAY, **more: Any) -> Figure:
        (found,) = self.figures(name, period, **more)
        return found

    def figures(self, name: str, period: Period = MAY, **more: Any) -> list[Figure]:
        now = more.pop("now", JUNE)
        found: list[Figure] = self.ask(lambda c: measure(c, name, period, now=now, **more))
        return found


@pytest.fixture
def town(make_readers: Callable[..., Readers]) -> Town:
    return Town(make_readers([Facts()]))


def handled(story: Story, *, minutes: float | None, close: bool = True) -> list[Any]:
    """Dispatched with four hours, and handed over after so many minutes, or not."""
    told = [story.submitted(), story.registered(), story.dispatched(4), story.acknowledged()]
    if minutes is not None:
        story.at += timedelta(minutes=minutes)
        told.append(story.rectified())
        if close:
            told.append(story.closed())
    return told


def test_the_published_example_972_due_911_closed_737_in_time(town: Town) -> None:
    for n in range(972):
        story = town.story(street=STREETS[n % 3])
        in_time, closed = n < 737, n < 911
        town.log.add(*handled(story, minutes=60 if in_time else 600 if closed else None))
    closed, in_time = town.figure("closed"), town.figure("closed_in_time")
    assert (closed.numerator, closed.denominator, closed.value) == (911, 972, 93.72)
    assert (in_time.numerator, in_time.denominator, in_time.value) == (737, 972, 75.82)
    of_handling = town.figure("handled_in_time")
    assert (of_handling.numerator, of_handling.denominator) == (737, 972)
    streets = town.figures("closed", by=By.STREET)
    assert [each.key for each in streets] == list(STREETS[:3])
    assert sum(each.numerator for each in streets) == 911
    behind = town.ask(lambda c: cases(c, "closed", MAY, now=JUNE, part=Part.REST, limit=100))
    assert behind.total == 61 and not any(row.counted or row.closed_at for row in behind.rows)
