"""Measures the measures: every one by street and month, and the cases behind them.

    python -m scripts.bench_measures --cases 100000 --directory /tmp/bench

The facts and intervals are folded once from made-up lives of a year by the views' own folds, and
kept: 100,000 cases take half a minute, 1,000,000 ten times that and 6 GB. Prints one line a
figure; the slowest measure is named.
"""

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple, TypeAlias
from uuid import UUID, uuid5

from sqlalchemy import Connection, Engine, func, select

from casework.handlings import Cut
from casework.log.port import Recorded
from projections.case_history import CASE_INTERVAL, CaseHistory
from projections.facts import CASE_FACT, Facts
from projections.generations import SqliteShelf, create_tables, finish
from projections.lines import CaseKey, Line
from projections.measure_catalogue import CATALOGUE
from projections.measures import By, cases, measure
from projections.periods import Every, periods
from projections.tables import reading
from projections.view import View
from scripts.bench_views import DerivedKeys, Life

YEAR = timedelta(days=365)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
MONTHS = periods(Every.MONTH, date(2025, 1, 1), date(2025, 12, 31))
PAGE = 100_000
"""Events folded at once."""
VIEWS: tuple[View, ...] = (Facts(), CaseHistory())
"""What measures, hot spots and reports ask."""
Ask: TypeAlias = Callable[[Connection, str], None]
"""Asks for a measure by its name."""


class LifeOfTheYear(Life):
    """A life without its words: facts hold none."""

    def words(self, field: str, said: str, person: UUID | None = None) -> None:  # type: ignore[override]
        """Not sealed, so that the bench measures the fold."""


def lines(count: int, seed: int) -> Iterator[Line]:
    """What happened to so many cases of a year, one case after another."""
    random, keys, position = Random(seed), DerivedKeys(), 0
    for n in range(count):
        life = LifeOfTheYear(n, random, keys)
        life.at = datetime(2025, 1, 1, tzinfo=UTC) + YEAR * n / count
        key: CaseKey | None = None
        for version, (actor, event) in enumerate(life.steps(), 1):
            if version > 4 and random.random() < 0.02:
                break
            position += 1
            recorded = Recorded(
                life.stream, version, position, "", event, life.at, actor,
                uuid5(life.stream, str(version)), 0, b"",
            )  # fmt: skip
            key = key or CaseKey(
                position, life.stream.bytes, life.case_id.bytes, f"HD25{n:09d}", life.person.bytes
            )
            yield Line(recorded, key)
            life.at += timedelta(minutes=random.randint(1, 90))


def made(path: Path, count: int, seed: int) -> Engine:
    """The views file with the facts and intervals of so many cases."""
    name, making = f"year{count}_1", f"making{count}_1"
    shelf = SqliteShelf(path)
    if shelf.path(name).exists():
        return shelf.open(name)
    begun = time.perf_counter()
    shelf.make(making)
    engine = shelf.load(making)
    with engine.begin() as connection:
        create_tables(connection, making, VIEWS)
    gc.disable()  # as in a rebuild's worker: there are no cycles to be looked for
    for some in cases_of(lines(count, seed)):
        # No event of another case comes near these: a fold of their own, and little memory.
        with engine.begin() as connection:
            for view in VIEWS:
                fold = view.fold(empty=True)
                for line in some:
                    fold.apply(line)
                fold.write(connection)
    gc.enable()
    with engine.begin() as connection:
        finish(connection, VIEWS)
    rows = {}
    with engine.connect() as connection:
        for table in (CASE_FACT, CASE_INTERVAL):
            rows[table.name] = connection.scalar(select(func.count()).select_from(table))
    engine.dispose()
    shelf.path(making).rename(shelf.path(name))
    size = shelf.path(name).stat().st_size / 1e6
    told = ", ".join(f"{n:,} rows of {table}" for table, n in rows.items())
    print(f"{count:,} cases: {told}, {size:.0f} MB, {time.perf_counter() - begun:.0f} s")
    return shelf.open(name)


def cases_of(lines: Iterator[Line]) -> Iterator[list[Line]]:
    """The lines in lists of whole cases."""
    some: list[Line] = []
    for line in lines:
        if line.recorded.version == 1 and len(some) > PAGE:
            yield some
            some = []
        some.append(line)
    yield some


class Spent(NamedTuple):
    """Milliseconds of some askings: by the wall, and of processor time."""

    wall: tuple[float, ...]
    processor: tuple[float, ...]

    @property
    def usual(self) -> float:
        return statistics.median(self.wall)

    def __str__(self) -> str:
        wall, processor = sorted(self.wall), sorted(self.processor)
        return (
            f"{self.usual:.0f} ms [{wall[0]:.0f}-{wall[-1]:.0f}], processor"
            f" {statistics.median(processor):.0f} ms [{processor[0]:.0f}-{processor[-1]:.0f}]"
        )


def spent(ask: Callable[[Connection], object], engine: Engine, repeats: int) -> Spent:
    """What it takes to ask so often."""
    found = []
    for _ in range(repeats):
        with reading(engine) as connection:
            begun = time.perf_counter(), time.process_time()
            ask(connection)
            ended = time.perf_counter(), time.process_time()
        found.append(tuple((end - begin) * 1000 for end, begin in zip(ended, begun, strict=True)))
    return Spent(*zip(*found, strict=True))


def report(name: str, ask: Ask, engine: Engine, repeats: int, *, every: bool) -> None:
    """Each measure asked; the slowest is told, by the wall and by the processor."""
    found = {key: spent(lambda c, key=key: ask(c, key), engine, repeats) for key in CATALOGUE}
    if every:
        for key, one in sorted(found.items(), key=lambda pair: -pair[1].usual):
            print(f"  {key}: {one}")
    slowest = max(found, key=lambda key: found[key].usual)
    busiest = max(found, key=lambda key: statistics.median(found[key].processor))
    print(f"{name}: {found[slowest]} ({slowest})", flush=True)
    if busiest != slowest:
        print(f"  most of the processor: {found[busiest]} ({busiest})")


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--short", action="store_true", help="a month and the cases behind it only")
    parser.add_argument("--every", action="store_true", help="a line for each measure")
    arguments = parser.parse_args()
    arguments.directory.mkdir(parents=True, exist_ok=True)
    engine = made(arguments.directory, arguments.cases, arguments.seed)
    with engine.connect() as connection:
        last = connection.exec_driver_sql("SELECT max(from_pos) FROM case_fact").scalar()
    june, cut = MONTHS[5], Cut(NOW, int(last or 0) // 2)

    def month(c: Connection, name: str) -> None:
        measure(c, name, june, now=NOW, by=By.STREET)

    def behind(c: Connection, name: str) -> None:
        cases(c, name, june, now=NOW, limit=100)

    def past(c: Connection, name: str) -> None:
        measure(c, name, june, now=NOW, by=By.STREET, as_of=cut)

    def year(c: Connection, name: str) -> None:
        measure(c, name, MONTHS, now=NOW, by=By.STREET)

    asked: list[tuple[str, Ask, int]] = [
        ("any measure by street in a month", month, 5),
        ("the cases behind a figure", behind, 5),
        ("any measure by street as of a past position", past, 3),
        ("any measure by street and each month of a year", year, 3),
    ]
    for name, ask, repeats in asked[:2] if arguments.short else asked:
        report(name, ask, engine, repeats, every=arguments.every)
    engine.dispose()


if __name__ == "__main__":
    main()
