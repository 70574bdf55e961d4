"""What falls due now, done through the one door. Knows no table and reads no clock itself.

The index of what is due may lag behind or be read by two watchers at once: every command's id is
drawn from the case, the clock, its round, the share of the limit and the due time, so that what is
asked twice happens once, also after a restart. A case that moved on since is left alone.

A watch whose wall clock jumps against the steady one holds still (`Vigil`): nothing lapses and
nobody is told by a time that may be wrong.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import msgspec

from casework.application import Casework
from casework.errors import Refusal
from casework.model import CLOCK, LAPSING, Clock, Role
from casework.owed import LAPSES
from casework.owed import command_id as id_of

GRACE = timedelta(seconds=5)
"""How long after its moment a thing is done: commands given before it are in the log by then."""

STEP = timedelta(seconds=5)
"""How far the wall clock may part from the steady one before the watch holds still."""

OnDuty = Callable[[str, Role, datetime], tuple[str, ...]]
"""(desk, role, moment) -> the accounts of that role on duty there."""


class Due(Protocol):
    """A clock that is due, as the index tells it."""

    @property
    def case_id(self) -> UUID: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def round(self) -> int: ...
    @property
    def due_at(self) -> datetime: ...


class Work(Due, Protocol):
    """A share of its limit used up, of which somebody is to be told, or its end."""

    @property
    def percent(self) -> int: ...


def command_id(due: Due, percent: int = 100) -> UUID:
    """The one id of what happens when that share of this clock's limit is used."""
    return id_of(due.case_id, due.clock, due.round, percent, due.due_at)


async def carry_out(casework: Casework, work: Iterable[Work], at: datetime, on_duty: OnDuty) -> int:
    """Lapse what has lapsed, tell whom it concerns; returns how much happened.

    A refusal means that the case moved on since the index was read: nothing is lost by it.
    """
    done = 0
    for due in work:
        if due.clock not in LAPSING:
            done += await casework.remind(
                due.case_id,
                due.clock,
                due.percent,
                at=at,
                command_id=command_id(due, due.percent),
                on_duty=on_duty,
            )
            continue
        try:
            carried = await casework.handle(
                due.case_id, LAPSES[due.clock](), at=at, by=CLOCK, command_id=command_id(due)
            )
        except Refusal:
            continue
        done += not carried.repeated
    return done


async def catch_up(casework: Casework, cases: Iterable[UUID], at: datetime) -> None:
    """Settle due times and apply 特殊时段 where that is owed, in cases that nobody touches."""
    for case_id in cases:
        with suppress(Refusal):  # such as of a stream that only a later release can read
            await casework.catch_up(case_id, at)


class Held(msgspec.Struct, frozen=True):
    """The watch holds still since `since`: the wall clock is `ahead` of where it should be."""

    since: datetime
    ahead: timedelta


class Vigil:
    """Compares the wall clock with the steady one, look by look.

    A step of more than `STEP` holds the watch until the wall clock is back where it should be, or
    somebody accepts it as right. Not thread-safe: one loop looks.
    """

    def __init__(self, wall: datetime, steady: float, newest: datetime | None = None) -> None:
        """`steady` in seconds; `newest` is the time of the newest fact in the log.

        A wall clock that was set back while the process was down shows by it.
        """
        self._wall = wall
        self._steady = steady
        self.held: Held | None = None
        if newest is not None and newest - wall > STEP:
            self._wall = newest
            self.held = Held(wall, wall - newest)

    def look(self, wall: datetime, steady: float) -> bool:
        """Whether the watch may act at `wall`."""
        expected = self._wall + timedelta(seconds=steady - self._steady)
        ahead = wall - expected
        if abs(ahead) > STEP:
            self.held = Held(self.held.since if self.held else wall, ahead)
            return False
        # Slewing is followed; only a jump is held.
        self._wall, self._steady, self.held = wall, steady, None
        return True

    def accept(self, wall: datetime, steady: float) -> None:
        """Somebody has looked at the clock and says it is right now."""
        self._wall, self._steady, self.held = wall, steady, None
