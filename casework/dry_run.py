"""What past cases would have looked like under other limits. Decides nothing and changes no fact.

A what-if for whoever is about to revise the catalogue or the calendar: pure, over rows of facts
that are handed in.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from casework.clocks import SHANGHAI, Calendar, Family, family, micros
from casework.indicators import NotInCatalogue
from casework.model import PlaceKind
from casework.reference import Rules


class PastHandling(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One round of one case: when it was dispatched, due, handed over, and what lay between.

    `handed_over_at` is of the hand-over that was accepted; None while there is none. `pauses` are
    half-open intervals in which the clock stood still (挂账). `extensions` counts those granted.
    """

    case: str
    indicator: str
    condition: str
    street: str
    place_kind: PlaceKind
    dispatched_at: datetime
    due_at: datetime
    handed_over_at: datetime | None = None
    pauses: tuple[tuple[datetime, datetime], ...] = ()
    extensions: int = 0


class WhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """One condition row: how many were late by the frozen due time, and would be by the new limit.

    `newly_late` and `relieved` name the cases that change sides.
    """

    indicator: str
    condition: str
    cases: int
    late: int
    would_be_late: int
    newly_late: tuple[str, ...]
    relieved: tuple[str, ...]


class DryRun(msgspec.Struct, frozen=True, kw_only=True):
    """A line for each condition row, by code; and the cases whose row the new catalogue lacks."""

    lines: tuple[WhatIf, ...]
    without_row: tuple[str, ...]


def dry_run(past: Iterable[PastHandling], rules: Rules, as_of: datetime) -> DryRun:
    """How the limits of `rules` would have judged `past`, unfinished ones as of `as_of`.

    The limit is the one for the street, place kind and day of dispatch (Asia/Shanghai). A granted
    extension is taken at its most, one more limit; the asking for it is not decided again.
    """
    judged: dict[tuple[str, str], list[tuple[str, bool, bool]]] = {}
    without_row: list[str] = []
    for handling in past:
        late = (handling.handed_over_at or as_of) > handling.due_at
        try:
            would_be_late = _late(handling, rules, as_of)
        except NotInCatalogue:
            without_row.append(handling.case)
            continue
        row = (handling.indicator, handling.condition)
        judged.setdefault(row, []).append((handling.case, late, would_be_late))
    lines = tuple(_line(row, judged[row]) for row in sorted(judged))
    return DryRun(lines=lines, without_row=tuple(without_row))


def _late(handling: PastHandling, rules: Rules, as_of: datetime) -> bool:
    limit = rules.limit(
        handling.indicator,
        handling.condition,
        handling.street,
        handling.place_kind,
        handling.dispatched_at.astimezone(SHANGHAI).date(),
    )
    allowed = micros(limit, rules.calendar) * (1 + handling.extensions)
    return _used(handling, family(limit.unit), rules.calendar, as_of) > allowed


def _used(handling: PastHandling, kind: Family, calendar: Calendar, as_of: datetime) -> int:
    end = handling.handed_over_at or as_of
    used = calendar.counted(kind, handling.dispatched_at, end)
    for paused, resumed in handling.pauses:
        used -= calendar.counted(kind, paused, max(paused, min(resumed, end)))
    return used


def _line(row: tuple[str, str], judged: list[tuple[str, bool, bool]]) -> WhatIf:
    return WhatIf(
        indicator=row[0],
        condition=row[1],
        cases=len(judged),
        late=sum(late for _, late, _ in judged),
        would_be_late=sum(would_be for _, _, would_be in judged),
        newly_late=tuple(case for case, late, would_be in judged if would_be and not late),
        relieved=tuple(case for case, late, would_be in judged if late and not would_be),
    )
