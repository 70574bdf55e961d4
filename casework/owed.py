"""What the clock owes a case now: lapses, resumption, settled due times, 特殊时段.

Asked at the door before any other decision on the case, so that no decision depends on whether a
timer has fired, and by the watch for cases that nobody touches. Both use the same command ids:
whoever comes first does it, once.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid5

from casework import commands as ask
from casework.decisions import clockwork
from casework.decisions.asking import Asking
from casework.model import Clock

_COMMANDS = UUID("5f2d9a40-8a0e-5d0c-9d38-0b1f9c4f5a11")

Lapse = ask.LapseInformation | ask.LapseRating | ask.Resume
Clockwork = Lapse | ask.SettleDueTimes | ask.ApplySpecialPeriods

LAPSES: Mapping[Clock, type[Lapse]] = {
    Clock.INFORMATION: ask.LapseInformation,
    Clock.RATING: ask.LapseRating,
    Clock.RESUMPTION: ask.Resume,
}
"""What happens at the end of each clock of `model.LAPSING`."""


class Debt(NamedTuple):
    """A command of the clock, and the one id under which it happens."""

    command: Clockwork
    command_id: UUID


def command_id(case_id: UUID, clock: str, round_: int, percent: object, due_at: datetime) -> UUID:
    """The id of what happens when a share of a clock's limit is used, in that round."""
    parts = (str(case_id), clock, str(round_), str(percent), due_at.isoformat())
    return uuid5(_COMMANDS, "\0".join(parts))


def owed(a: Asking) -> Debt | None:
    """What the clock must do before anything else is decided on this case, or None."""
    if a.given is None:
        return None
    clocks = a.case.clocks
    for clock, command in LAPSES.items():
        running = clocks.get(clock)
        if running is None:
            continue
        due_at = running.fact.due_at
        # A window is open up to its last moment; a suspension ends as its day begins.
        if a.at > due_at or (clock is Clock.RESUMPTION and a.at == due_at):
            return Debt(command(), command_id(a.case_id, clock, a.case.round, 100, due_at))
    return _settlement(a) or _special(a)


def _settlement(a: Asking) -> Debt | None:
    if a.settled is None or not clockwork.settled(a):
        return None
    versions = a.settled.versions
    by = versions.settled or versions.calendar
    parts = (str(a.case_id), "settle", str(by), str(a.case.round))
    return Debt(ask.SettleDueTimes(), uuid5(_COMMANDS, "\0".join(parts)))


def _special(a: Asking) -> Debt | None:
    special = clockwork.specially(a)
    if special is None:
        return None
    since = a.case.clocks[Clock.HANDLING].since
    raised = special.raised.number if special.raised else 0
    parts = (str(a.case_id), "special", since.isoformat(), repr(special.skips), str(raised))
    return Debt(ask.ApplySpecialPeriods(), uuid5(_COMMANDS, "\0".join(parts)))
