"""What is left of clocks on the wire and on the desks, each in its own kind of time.

In bulk from the due index and the calendars in memory: a desk asks one question more, whatever the
number of its rows. Where the due index does not know a clock yet, it is told by the wall.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Self
from uuid import UUID

from sqlalchemy import Connection

from api.parts import Parts
from api.schemas import LeftOut
from casework import time_left
from casework.application import Loaded
from casework.clock_story import Told
from casework.clocks import Calendar
from casework.model import Clock, ClockStarted, Unit
from casework.reference import References
from casework.time_left import Left
from projections import due
from projections.due import Counted


def left_out(left: Left, now: datetime, held: str = "") -> LeftOut:
    """One of them on the wire, as it stands at `now`."""
    counting = left.counting
    return LeftOut(
        says=left.says,
        note=left.note(now),
        seconds=-(-left.micros // 1_000_000),
        unit=left.unit,
        counts_now=counting is not None and counting.now,
        counts_until=counting.until if counting else None,
        counts_again_at=counting.again_at if counting else None,
        zero_at=left.zero_at(now),
        provisional=left.provisional,
        held=held,
        scale=",".join(f"{p.micros // 1_000_000}:{p.leads}:{p.follows}" for p in left.parts),
    )


class Lefts:
    """What is left of the running clocks of some cases, at one moment."""

    def __init__(
        self,
        references: References,
        counted: Mapping[tuple[UUID, Clock], Counted],
        now: datetime,
    ) -> None:
        self._references = references
        self._counted = counted
        self._now = now

    @classmethod
    def of_cases(
        cls, parts: Parts, connection: Connection, cases: Iterable[UUID], now: datetime
    ) -> Self:
        """Reads how their clocks count."""
        return cls(parts.casework.references, due.counted(connection, cases), now)

    def of(self, case_id: UUID, clock: Clock, due_at: datetime) -> LeftOut:
        """One clock. By the wall where the index tells another due time than the one shown."""
        found = self._counted.get((case_id, clock))
        if found is None or found.due_at != due_at:
            return by_wall(self._references, due_at, self._now)
        calendar = self._calendar(found)
        left = time_left.left(
            found.unit, due_at, self._now, calendar, found.skips, provisional=found.provisional
        )
        held = ""
        if found.held is not None:
            limit, used = found.held
            held = f"处置已暂停计时，{time_left.paused(limit, used, calendar).says}"
        return left_out(left, self._now, held)

    def _calendar(self, found: Counted) -> Calendar:
        if found.calendar is None:
            return calendar_at(self._references, found.written_at)
        return self._references.calendar_of(found.calendar, found.settled)


def calendar_at(references: References, at: datetime) -> Calendar:
    """The calendar in force at a moment."""
    return references.calendar_of(references.versions_at(at).calendar)


def by_wall(references: References, due_at: datetime, now: datetime) -> LeftOut:
    """What is left by the wall."""
    calendar = calendar_at(references, now)
    return left_out(time_left.left(Unit.CALENDAR_DAY, due_at, now, calendar), now)


def left_of(parts: Parts, loaded: Loaded, clock: Clock, now: datetime) -> LeftOut | None:
    """What is left of a clock of a case read from the log; None where it does not run."""
    running = loaded.case.clocks.get(clock)
    if running is None:
        return None
    references, versions = parts.casework.references, loaded.case.versions
    calendar = (
        references.calendar_of(versions.calendar, versions.settled)
        if versions
        else calendar_at(references, running.since)
    )
    return _of_fact(running.fact, now, calendar)


def left_of_told(told: Told, now: datetime) -> LeftOut | None:
    """What is left of a clock as its history tells it; None where it has stopped for good."""
    if told.left is None:
        return None
    return left_out(told.left, now)


def _of_fact(fact: ClockStarted, now: datetime, calendar: Calendar) -> LeftOut:
    left = time_left.left(
        fact.limit.unit, fact.due_at, now, calendar, fact.skips, provisional=fact.provisional
    )
    return left_out(left, now)
