"""What falls due now becomes a command of the clock. Knows no table and reads no clock itself.

The index of what is due may lag behind or be read by two watchers at once: the command's id is
drawn from the case, the clock, its round and its due time, so that whatever is asked twice
happens once. Warnings and escalations are not told here.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol
from uuid import UUID

from casework.application import Casework
from casework.errors import Refusal
from casework.model import CLOCK, Clock
from casework.owed import LAPSES
from casework.owed import command_id as id_of


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


def command_id(due: Due) -> UUID:
    """The one id of what happens when this clock runs out."""
    return id_of(due.case_id, due.clock, due.round, 100, due.due_at)


async def run_due(
    casework: Casework, due: Callable[[Clock, datetime], Iterable[Due]], at: datetime
) -> int:
    """Carry out what has fallen due by `at`; returns how much.

    A refusal means that the case moved on since the index was read: nothing is lost by it.
    """
    done = 0
    for clock, command in LAPSES.items():
        for found in due(clock, at):
            try:
                carried = await casework.handle(
                    found.case_id, command(), at=at, by=CLOCK, command_id=command_id(found)
                )
            except Refusal:
                continue
            done += not carried.repeated
    return done
