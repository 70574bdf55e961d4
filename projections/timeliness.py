"""按期处置率: of the handlings that fell due in a period, how many were handed over in time.

Unit: a case's handling by a 街镇 in a round. A handling belongs to the period of its due time, as
of the period's end or any other moment; what is unfinished then stays in. See docs/adr/0085.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum

import msgspec

from casework.handlings import TAKEN_AWAY, Cut, End, PastHandling
from casework.model import Outcome

MINIMUM_SAMPLE = 20
"""Handlings below which a rate is shown and not ranked: one case is 5 % of it."""


class Variant(StrEnum):
    """How it is counted (口径)."""

    FROZEN = "frozen"
    """按派遣时冻结的到期时间."""
    PLAIN = "plain"
    """As if there were no special periods."""
    EXEMPTED = "exempted"
    """Without those whose appeal was upheld."""


class Rate(msgspec.Struct):
    """A numerator over a denominator; `handed_over` is that of 处置率."""

    due: int = 0
    handed_over: int = 0
    in_time: int = 0

    def add(self, standing: "Standing") -> None:
        self.due += 1
        self.handed_over += standing.handed_over
        self.in_time += standing.in_time


class Standing(msgspec.Struct, frozen=True):
    """One handling in the measure: handed over and accepted by then, and whether in time."""

    handed_over: bool
    in_time: bool


class Timeliness(msgspec.Struct):
    """A 街镇 and an indicator: the three variants, and what has to be shown beside a rate.

    Everything beside counts handlings of the frozen denominator. `waiting` were handed over and
    not judged yet, `unfinished` not handed over; `not_found` were accepted as 现场未发现.
    """

    street: str
    indicator: str
    frozen: Rate
    plain: Rate
    exempted: Rate
    waiting: int = 0
    unfinished: int = 0
    not_found: int = 0
    transferred: int = 0
    force_closed: int = 0
    taken_away: int = 0
    staff_entered: int = 0
    appeals: int = 0


def overall(lines: Iterable[Timeliness]) -> Timeliness:
    """All lines as one."""
    total = Timeliness("", "", Rate(), Rate(), Rate())
    for line in lines:
        for rate in _RATES.values():
            whole, part = rate(total), rate(line)
            whole.due += part.due
            whole.handed_over += part.handed_over
            whole.in_time += part.in_time
        for name in _BESIDE:
            setattr(total, name, getattr(total, name) + getattr(line, name))
    return total


_BESIDE = ("waiting", "unfinished", "not_found", "transferred", "force_closed", "taken_away",
           "staff_entered", "appeals")  # fmt: skip


class Period(msgspec.Struct, frozen=True):
    """Due times in [first, last) count, as of the cut; one still running counts up to the cut."""

    first: datetime
    last: datetime
    cut: Cut

    @property
    def end(self) -> datetime:
        return min(self.last, self.cut.at)


def standing(handling: PastHandling, period: Period, variant: Variant) -> Standing | None:
    """How a handling stands in the measure; None where it is not in the denominator.

    Not in it: not due in the period; taken away (returned, recalled, merged) before it was due;
    exempted, in that variant. 转办 and 强制结案 stay in the denominator, never in the numerator.
    """
    if variant is Variant.EXEMPTED and handling.exempted:
        return None
    due_at = handling.due_at
    if variant is Variant.PLAIN and handling.plain_due_at is not None:
        due_at = handling.plain_due_at
    if not period.first <= due_at < period.end:
        return None
    if _taken_away(handling) and handling.ended_at is not None and handling.ended_at <= due_at:
        return None
    accepted = handling.ended_by is End.ACCEPTED and handling.handed_over_at is not None
    in_time = accepted and handling.handed_over_at is not None and handling.handed_over_at <= due_at
    return Standing(accepted, in_time)


def _taken_away(handling: PastHandling) -> bool:
    return handling.ended_by in TAKEN_AWAY


def timeliness(handlings: Iterable[PastHandling], period: Period) -> list[Timeliness]:
    """A line for each 街镇 and indicator, in order of their codes."""
    found: dict[tuple[str, str], Timeliness] = {}
    for handling in handlings:
        key = (handling.street, handling.indicator)
        for variant in Variant:
            stands = standing(handling, period, variant)
            if stands is None:
                continue
            line = found.get(key)
            if line is None:
                line = found[key] = Timeliness(*key, Rate(), Rate(), Rate())
            _RATES[variant](line).add(stands)
            if variant is Variant.FROZEN:
                _beside(line, handling)
    return [found[key] for key in sorted(found)]


_RATES: dict[Variant, Callable[[Timeliness], Rate]] = {
    Variant.FROZEN: lambda line: line.frozen,
    Variant.PLAIN: lambda line: line.plain,
    Variant.EXEMPTED: lambda line: line.exempted,
}


def _beside(line: Timeliness, handling: PastHandling) -> None:
    ended = handling.ended_by
    line.staff_entered += handling.staff_entered
    line.appeals += handling.exempted
    line.taken_away += _taken_away(handling)
    line.transferred += ended is End.TRANSFERRED
    line.force_closed += ended is End.FORCE_CLOSED
    if ended is None:
        line.waiting += handling.handed_over_at is not None
        line.unfinished += handling.handed_over_at is None
    elif ended is End.ACCEPTED:
        line.not_found += handling.outcome is Outcome.NOT_FOUND


class Part(StrEnum):
    """Which of the denominator's handlings are looked at, when the figures are drilled into."""

    DUE = "due"
    IN_TIME = "in_time"
    LATE = "late"
    """Handed over and accepted, after the due time."""
    OPEN = "open"
    """Not handed over and accepted."""
    EXEMPTED = "exempted"


def of_part(
    handlings: Iterable[PastHandling], period: Period, variant: Variant, part: Part
) -> list[PastHandling]:
    """The handlings behind a figure, the first due first."""
    found = []
    for handling in handlings:
        stands = standing(handling, period, variant)
        if stands is not None and _in_part(handling, stands, part):
            found.append(handling)
    return sorted(found, key=lambda one: (one.due_at, one.number, one.dispatched_at))


def _in_part(handling: PastHandling, stands: Standing, part: Part) -> bool:
    match part:
        case Part.DUE:
            return True
        case Part.IN_TIME:
            return stands.in_time
        case Part.LATE:
            return stands.handed_over and not stands.in_time
        case Part.OPEN:
            return not stands.handed_over
        case Part.EXEMPTED:
            return handling.exempted
