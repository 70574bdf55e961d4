"""What past handlings would have looked like under other rules. Decides nothing, changes no fact.

A what-if for whoever is about to change the catalogue or the calendar: pure, over handlings as they
stood at a moment. How each is judged: docs/adr/0014 and 0083.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime

import msgspec

from casework.clocks import SHANGHAI, Calendar, Family, family, half, micros
from casework.decisions.closing import LEAST_AFTER_REOPENING
from casework.handlings import End, PastHandling
from casework.indicators import NotInCatalogue
from casework.model import Limit, PlaceKind
from casework.reference import Rules

MOST_NAMED = 100
"""Cases named in a list; its total tells how many there are."""

STEP = 1_000
"""Handlings between two calls of the progress."""

EVERYWHERE = ""
"""The street of a line that counts all streets."""


class WhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """Handlings of one condition row, in one 街镇 or in all of them (`EVERYWHERE`).

    `due` counts those whose frozen due time had come, `late` those late by it. `newly_late` and
    `relieved` name the cases that change sides, `moved` all whose due time would be another than
    the frozen one, at most MOST_NAMED; the totals count handlings.
    """

    street: str
    indicator: str
    condition: str
    cases: int
    due: int
    late: int
    would_be_late: int
    newly_late_total: int
    relieved_total: int
    newly_late: tuple[str, ...]
    relieved: tuple[str, ...]
    moved_total: int = 0
    moved: tuple[str, ...] = ()


class DryRun(msgspec.Struct, frozen=True, kw_only=True):
    """A line for each condition row, and for each 街镇 and row; both in order of their codes.

    `without_row` names cases whose row the new catalogue lacks. `left_out` counts handlings that
    never came to a hand-over: returned, recalled, merged, transferred or closed by force.
    """

    judged: int
    left_out: int
    lines: tuple[WhatIf, ...]
    streets: tuple[WhatIf, ...]
    without_row: tuple[str, ...]
    without_row_total: int


def _silent(_judged: int) -> None:
    """Nobody watches."""


def dry_run(
    past: Iterable[PastHandling],
    rules: Rules,
    as_of: datetime,
    progress: Callable[[int], None] = _silent,
) -> DryRun:
    """How `rules` would have judged `past`, unfinished ones as of `as_of`.

    `progress` is told how many more have been looked at, every STEP of them and at the end.
    """
    judge = Judge(rules)
    tallies: dict[tuple[str, str, str], _Tally] = {}
    lacking: list[str] = []
    seen = left_out = without_row = 0
    for seen, handling in enumerate(past, start=1):
        if seen % STEP == 0:
            progress(STEP)
        if handling.ended_by is not None and handling.ended_by is not End.ACCEPTED:
            left_out += 1
            continue
        try:
            due_at = judge.due_at(handling)
        except NotInCatalogue:
            without_row += 1
            if len(lacking) < MOST_NAMED:
                lacking.append(handling.case)
            continue
        key = (handling.street, handling.indicator, handling.condition)
        tally = tallies.get(key)
        if tally is None:
            tally = tallies[key] = _Tally()
        tally.count(handling, handling.ran_until(as_of), due_at, as_of)
    progress(seen % STEP)
    return DryRun(
        judged=seen - left_out - without_row,
        left_out=left_out,
        lines=tuple(_over_streets(tallies)),
        streets=tuple(tallies[key].line(*key) for key in sorted(tallies)),
        without_row=tuple(dict.fromkeys(lacking)),
        without_row_total=without_row,
    )


class Judge:
    """When a handling would have been due under some rules. Remembers the limits it looked up."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._calendar: Calendar = rules.calendar
        self._limits: dict[tuple[str, str, str, PlaceKind, date], tuple[Limit, Family, int]] = {}

    def due_at(self, handling: PastHandling) -> datetime:
        """Raises NotInCatalogue where the catalogue has no such row.

        The limit is that of the 街镇, the kind of place and the day of dispatch; the clock stands
        still in the same stretches as it did. Where the limit would have run out before such a
        stretch, that moment is told.
        """
        limit, kind, allowed = self._limit(handling)
        if handling.reopened:
            limit, kind, allowed = self._after_reopening(limit, handling.dispatched_at)
        for extension in handling.extensions:
            allowed += self._extended(extension, handling.limit, kind, limit)
        begun = handling.dispatched_at
        for paused, resumed in handling.pauses:
            used = self._calendar.counted(kind, begun, paused)
            if used > allowed:
                break
            allowed -= used
            begun = resumed
        return self._calendar.after(kind, begun, allowed)[0]

    def _limit(self, handling: PastHandling) -> tuple[Limit, Family, int]:
        on = handling.dispatched_at.astimezone(SHANGHAI).date()
        key = (
            handling.indicator, handling.condition, handling.street, handling.place_kind, on,
        )  # fmt: skip
        found = self._limits.get(key)
        if found is None:
            found = self._limits[key] = self._told(self._rules.limit(*key))
        return found

    def _told(self, limit: Limit) -> tuple[Limit, Family, int]:
        return limit, family(limit.unit), micros(limit, self._calendar)

    def _after_reopening(self, full: Limit, at: datetime) -> tuple[Limit, Family, int]:
        """Half of it, or the least where that would be due later: as a reopening itself does."""
        one, other = self._told(half(full, self._calendar)), self._told(LEAST_AFTER_REOPENING)
        due = [self._calendar.after(kind, at, allowed)[0] for _, kind, allowed in (one, other)]
        return one if due[0] >= due[1] else other

    def _extended(self, by: Limit, frozen: Limit, kind: Family, limit: Limit) -> int:
        """The extension's own size; its share of the limit where that is another kind of time."""
        size = micros(by, self._calendar)
        if family(by.unit) is kind:
            return size
        return size * micros(limit, self._calendar) // micros(frozen, self._calendar)


class _Tally:
    """What is counted of one street and row."""

    def __init__(self) -> None:
        self.cases = self.due = self.late = self.would_be_late = 0
        self.newly_late_total = self.relieved_total = self.moved_total = 0
        self.newly_late: list[str] = []
        self.relieved: list[str] = []
        self.moved: list[str] = []

    def count(
        self, handling: PastHandling, until: datetime, would_be_due: datetime, as_of: datetime
    ) -> None:
        late, would_be_late = until > handling.due_at, until > would_be_due
        self.cases += 1
        self.due += handling.due_at <= as_of
        self.late += late
        self.would_be_late += would_be_late
        if would_be_due != handling.due_at:
            self.moved_total += 1
            _name(self.moved, handling.case)
        if late is would_be_late:
            return
        if late:
            self.relieved_total += 1
            _name(self.relieved, handling.case)
        else:
            self.newly_late_total += 1
            _name(self.newly_late, handling.case)

    def add(self, other: "_Tally") -> None:
        self.cases += other.cases
        self.due += other.due
        self.late += other.late
        self.would_be_late += other.would_be_late
        self.newly_late_total += other.newly_late_total
        self.relieved_total += other.relieved_total
        self.moved_total += other.moved_total
        self.newly_late += other.newly_late
        self.relieved += other.relieved
        self.moved += other.moved

    def line(self, street: str, indicator: str, condition: str) -> WhatIf:
        return WhatIf(
            street=street,
            indicator=indicator,
            condition=condition,
            cases=self.cases,
            due=self.due,
            late=self.late,
            would_be_late=self.would_be_late,
            newly_late_total=self.newly_late_total,
            relieved_total=self.relieved_total,
            newly_late=tuple(dict.fromkeys(self.newly_late))[:MOST_NAMED],
            relieved=tuple(dict.fromkeys(self.relieved))[:MOST_NAMED],
            moved_total=self.moved_total,
            moved=tuple(dict.fromkeys(self.moved))[:MOST_NAMED],
        )


def _name(names: list[str], case: str) -> None:
    if len(names) < MOST_NAMED:
        names.append(case)


def _over_streets(tallies: dict[tuple[str, str, str], _Tally]) -> Iterable[WhatIf]:
    rows: dict[tuple[str, str], _Tally] = {}
    for (_, indicator, condition), tally in sorted(tallies.items()):
        rows.setdefault((indicator, condition), _Tally()).add(tally)
    return (rows[key].line(EVERYWHERE, *key) for key in sorted(rows))
