"""Measures the dry run: 100,000 cases of a month in a views file, judged by another calendar.

    python -m scripts.bench_dry_run [--cases N]

Four in a hundred cases are suspended, extended, sent back, or reopened. Prints one line a figure,
a progress bar on standard error; and how many due times a second a cold calendar year gives.
"""

import argparse
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from uuid import UUID

import msgspec
from rich.console import Console
from rich.progress import Progress

from api.trying_out import Trial, run
from casework import seeds
from casework.clocks import SHANGHAI, Calendar, family, micros
from casework.handlings import (
    Cut,
    DueSet,
    End,
    Ended,
    Extended,
    Fact,
    HandedOver,
    Paused,
    Resumed,
    Reworked,
)
from casework.instants import to_micros
from casework.model import Limit, Outcome, PlaceKind, Unit
from casework.reference import (
    AdoptBoundaries,
    References,
    Rules,
    WindowsSet,
    evolve_calendar,
    found_boundaries,
)
from projections.generations import create_tables, finish
from projections.handlings import HANDLING, HandlingRow, Handlings, written
from projections.lines import Opener
from projections.past_handlings import Wanted, past
from projections.reading import Readers
from projections.tables import copy_rows, reading, sqlite_views
from projections.timeliness import Period, timeliness

DATA = Path(__file__).parent.parent / "data"
FOUNDED = datetime(2025, 12, 1, tzinfo=UTC)
FIRST = datetime(2026, 10, 1, tzinfo=SHANGHAI)
LAST = datetime(2026, 11, 1, tzinfo=SHANGHAI)
MINUTE = 60_000_000
STREETS = [f"110108{n:03d}" for n in range(1, 30)]


def rules() -> Rules:
    """The shipped rules."""
    adopt = AdoptBoundaries(
        sha256="0" * 64, source="示例", accuracy_note="示例", effective_from=FOUNDED
    )
    return References(
        tuple(seeds.catalogue_events(DATA / "indicators", FOUNDED)),
        tuple(seeds.calendar_events(DATA / "calendar", FOUNDED)),
        tuple(found_boundaries(adopt)),
    ).rules_at(FOUNDED)


def handling(n: int, random: Random, under: Rules) -> HandlingRow:
    """A made-up handling of the month, told as the fold would tell it."""
    indicator = random.choice(list(under.catalogue.indicators.values()))
    row = random.choice(indicator.conditions)
    begun = FIRST + timedelta(seconds=random.randrange(int((LAST - FIRST).total_seconds())))
    at, position = to_micros(begun), n * 10
    due = to_micros(
        under.calendar.after(family(row.limit.unit), begun, micros(row.limit, under.calendar))[0]
    )
    kind = random.randrange(25)
    facts = list(_facts(position, at, due, kind, random))
    handed = next((f.at for f in reversed(facts) if isinstance(f, HandedOver)), None)
    return HandlingRow(
        stream=n.to_bytes(16), ordinal=1, case_id=UUID(int=n).bytes, number=f"HD{n}",
        round=1 + (kind == 4), reopened=kind == 4, staff_entered=False,
        street=random.choice(STREETS), indicator=indicator.code, condition=row.id,
        place_kind=str(random.choice([PlaceKind.ROAD, PlaceKind.COMPOUND])), position=position,
        dispatched_at=at, amount=row.limit.amount, unit=str(row.limit.unit), due_at=due,
        due_low=due, due_high=due, moved=False, reclassified=False, handed_over_at=handed,
        ended_at=None, ended_by=None, facts=written(facts),
    )  # fmt: skip


def _facts(position: int, at: int, due: int, kind: int, random: Random) -> Iterator[Fact]:
    """What happened: plainly, or (`kind` 0 to 3) with a pause, an extension, a rework, no end."""
    yield DueSet(position, at, due)
    over = at + int((due - at) * random.uniform(0.1, 1.2))
    half = (at + over) // 2
    if kind == 0:
        yield Paused(position + 1, half)
        yield Resumed(position + 2, half + 600 * MINUTE)
        over += 600 * MINUTE
    if kind == 1:
        yield Extended(position + 1, half, 1, Unit.DUTY_HOUR)
    if kind == 2:
        yield HandedOver(position + 1, half, Outcome.RECTIFIED)
        yield Reworked(position + 2, half + 30 * MINUTE, counts=False)
        over += 60 * MINUTE
    if kind != 3:
        yield HandedOver(position + 4, over, Outcome.RECTIFIED)
        yield Ended(position + 5, over + 30 * MINUTE, End.ACCEPTED)


def other_windows(under: Rules) -> Rules:
    """The same catalogue, the desk manned from eight to ten at night."""
    windows = msgspec.convert(
        {"duty": [["08:00:00", "22:00:00"]], "working": [["09:00:00", "17:00:00"]],
         "effective_from": FOUNDED.isoformat()}, WindowsSet,
    )  # fmt: skip
    return Rules(under.catalogue, evolve_calendar(under.calendar, windows), under.boundary_version)


def dry_run_of(cases: int, folder: Path) -> None:
    """Fill a views file, and judge it all by another calendar; then the month's timeliness."""
    under, random = rules(), Random(1)
    path = folder / "views.db"
    engine = sqlite_views(path, loading=True)
    with engine.begin() as connection:
        create_tables(connection, "g_1", [Handlings()])
        rows = [msgspec.structs.astuple(handling(n, random, under)) for n in range(cases)]
        copy_rows(connection, HANDLING, rows)
        finish(connection, [Handlings()])
    engine.dispose()
    engine = sqlite_views(path)
    readers = Readers(engine, "g_1", [Handlings()], _nothing_to_open())
    wanted = Wanted(first=FIRST, last=LAST, cut=Cut(LAST + timedelta(days=5)))
    trial = Trial(says="另一时段", rules=other_windows(under))
    begun = time.perf_counter()
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("dry run", total=cases)
        found = run(readers, trial, wanted, lambda n: bar.advance(task, n))
    spent = time.perf_counter() - begun
    changed = sum(line.newly_late_total + line.relieved_total for line in found.lines)
    print(f"dry run of {cases:,} cases: {spent:.2f} s, {cases / spent:,.0f} cases/s;"
          f" {len(found.streets)} lines, {changed:,} change sides")  # fmt: skip
    period = Period(FIRST, LAST, Cut(LAST))
    begun = time.perf_counter()
    with reading(engine) as connection:
        month = Wanted(first=FIRST, last=LAST, cut=period.cut, by_due=True)
        lines = timeliness(past(connection, month), period)
    due = sum(line.frozen.due for line in lines)
    print(f"timeliness of {due:,} due in a month: {time.perf_counter() - begun:.2f} s")
    engine.dispose()


def _nothing_to_open() -> Opener:
    class NoTexts:
        def open(self, *_: object) -> str | None:
            return None

    return Opener(NoTexts(), str, lambda command: command)


def due_times(count: int) -> None:
    """Due times in working days under a calendar whose tables are not made yet."""
    under = rules().calendar
    cold = Calendar(under.version, under.duty, under.working, {2026: under.days[2026]})
    limit, kind = Limit(3, Unit.WORKING_DAY), family(Unit.WORKING_DAY)
    starts = [datetime(2026, 1, 5, 1, tzinfo=UTC) + timedelta(seconds=211 * n)
              for n in range(count)]  # fmt: skip
    begun = time.perf_counter()
    allowed = micros(limit, cold)
    for start in starts:
        cold.after(kind, start, allowed)
    spent = time.perf_counter() - begun
    print(f"due times from a cold calendar year: {count / spent:,.0f} /s")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        dry_run_of(given.cases, Path(folder))
    due_times(100_000)


if __name__ == "__main__":
    main()
