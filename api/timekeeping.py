"""The watch as it runs: a tick every few seconds over the due index, held still while time jumps.

Each process may run one; what two of them do at once happens once. Of a tick no more is read than
is due. What cannot be done now is set aside for a while, so that it holds up nothing behind it.
"""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection

from api.logs import log
from casework import watch
from casework.application import Casework
from casework.log.port import LogError
from casework.watch import OnDuty, Vigil
from projections import due
from projections.due import RunningClock, Work
from projections.feed import Feed
from projections.tables import reading

WORK_A_TICK = 500
CASES_A_TICK = 200
"""Cases that a tick settles or brings under a 特殊时段; the next ones come with the next tick."""

SET_ASIDE_FOR = timedelta(minutes=10)

Page = Callable[[Connection, int, int], list[RunningClock]]
"""(connection, after position, limit) -> clocks in the order of their positions."""


class Timekeeper:
    """One process's watch. `steady` is a monotonic clock in seconds. One task ticks it."""

    def __init__(
        self,
        casework: Casework,
        feed: Feed,
        on_duty: OnDuty,
        now: Callable[[], datetime],
        steady: Callable[[], float],
    ) -> None:
        self._casework = casework
        self._feed = feed
        self._on_duty = on_duty
        self._now = now
        self._steady = steady
        self._vigil: Vigil | None = None
        self._aside: dict[tuple[UUID, str, int], datetime] = {}
        self._rounds: dict[tuple[str, int, datetime | None], int | None] = {}
        """How far each campaign has come, by the position of a clock; None: it is through."""
        self._ends: dict[tuple[str, int, datetime | None], int] = {}
        """The end of the log when a campaign first found nothing more: it is through once the due
        index has read up to there. A case that it had not seen by then would be left out."""
        self.done = 0
        """What the watch has brought about since the start."""

    @property
    def vigil(self) -> Vigil:
        """The comparison of clocks; the first look takes the newest fact of the log in."""
        if self._vigil is None:
            head = self._casework.eventlog.head()
            newest = self._casework.eventlog.since(head - 1, 1) if head else []
            last = newest[-1].at if newest else None
            self._vigil = Vigil(self._now(), self._steady(), last)
        return self._vigil

    @property
    def is_held(self) -> bool:
        """Whether the watch holds still because the clocks disagree."""
        return self._vigil is not None and self._vigil.held is not None

    def accept_time(self) -> None:
        """A person has looked at the clock and says it is right."""
        self.vigil.accept(self._now(), self._steady())

    async def tick(self) -> int:
        """Do what is due now; returns how much happened. Nothing while the clocks disagree."""
        at = self._now()
        vigil = await asyncio.to_thread(lambda: self.vigil)
        was = vigil.held
        if not vigil.look(at, self._steady()):
            if was is None and vigil.held is not None:
                ahead = vigil.held.ahead.total_seconds()
                log.error("clock", held=True, ahead_seconds=round(ahead, 3))
            return 0
        if was is not None:
            log.warning("clock", held=False)
        done = 0
        for each in await asyncio.to_thread(self._due, at):
            try:
                done += await watch.carry_out(self._casework, [each], at, self._on_duty)
            except LogError:
                raise
            except Exception as fault:  # noqa: BLE001  one case that cannot be read holds up no other
                log.warning("watch", fault=type(fault).__name__, case=str(each.case_id))
                self._aside[_name(each)] = at + SET_ASIDE_FOR
        self.done += done
        for name, page in self._campaigns(at):
            await self._campaign(name, page, at)
        return done

    def _due(self, at: datetime) -> list[Work]:
        self._aside = {name: until for name, until in self._aside.items() if until > at}
        with reading(self._feed.readers.engine) as connection:
            found = due.work(connection, at - watch.GRACE, WORK_A_TICK + len(self._aside))
        return [each for each in found if _name(each) not in self._aside]

    def behind(self, at: datetime) -> float:
        """Seconds since the oldest thing that is due and not done; 0 where there is none."""
        with reading(self._feed.readers.engine) as connection:
            oldest = due.work(connection, at - watch.GRACE, 1)
        return max(((at - each.reached_at).total_seconds() for each in oldest), default=0.0)

    def _campaigns(self, at: datetime) -> Iterator[tuple[tuple[str, int, datetime | None], Page]]:
        """What has to be brought to open cases: a published year, a 特殊时段 begun or moved."""
        references = self._casework.references
        calendar = references.versions_at(at).calendar
        yield ("calendar", calendar, None), due.provisional
        for period in references.special_at(at):
            if period.last <= at or (period.limit is not None and at < period.first):
                continue

            def page(
                connection: Connection,
                after: int,
                limit: int,
                streets: tuple[str, ...] = period.streets,
                indicators: tuple[str, ...] = period.indicators,
            ) -> list[RunningClock]:
                return due.handled(connection, streets, indicators, after, limit)

            yield ("special", period.number, period.last), page

    async def _campaign(
        self, name: tuple[str, int, datetime | None], page: Page, at: datetime
    ) -> None:
        """One page of a campaign. A clock that it starts anew comes again, and is in order then."""
        after = self._rounds.get(name, 0)
        if after is None:
            return

        def read() -> tuple[int, list[RunningClock]]:
            seen = self._feed.readers.positions().get(due.DueIndex.name, 0)
            with reading(self._feed.readers.engine) as connection:
                return seen, page(connection, after, CASES_A_TICK)

        seen, found = await asyncio.to_thread(read)
        await watch.catch_up(self._casework, [clock.case_id for clock in found], at)
        if found:
            self._rounds[name] = found[-1].position
        elif name not in self._ends:
            self._ends[name] = await asyncio.to_thread(self._casework.eventlog.head)
        elif seen >= self._ends[name]:
            self._rounds[name] = None


def _name(work: Work) -> tuple[UUID, str, int]:
    return work.case_id, work.clock, work.percent
