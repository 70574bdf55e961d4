"""Measures the measures: every one by street and month, and the cases behind them.

    python -m scripts.bench_measures --cases 100000 --directory /tmp/bench

The facts are folded once from made-up lives of a year and kept. Prints one line a figure; the
slowest measure is named.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from uuid import UUID, uuid5

from sqlalchemy import Connection, Engine

from casework.handlings import Cut
from casework.log.port import Recorded
from projections.facts import Facts
from projections.generations import SqliteShelf, create_tables, finish
from projections.lines import CaseKey, Line
from projections.measure_catalogue import CATALOGUE
from projections.measures import By, cases, measure
from projections.periods import Every, periods
from projections.tables import reading
from scripts.bench_views import DerivedKeys, Life

YEAR = timedelta(days=365)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
MONTHS = periods(Every.MONTH, date(2025, 1, 1), date(2025, 12, 31))
PAGE = 20_000


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
    """The views file with the facts of so many cases."""
    name = f"facts{count}_1"
    shelf = SqliteShelf(path)
    if (shelf.path(name)).exists():
        return shelf.open(name)
    begun = time.perf_counter()
    shelf.make(name)
    engine = shelf.open(name)
    with engine.begin() as connection:
        create_tables(connection, name, [Facts()])
    with engine.begin() as connection:
        fold = Facts().fold(empty=True)
        for n, line in enumerate(lines(count, seed), 1):
            fold.apply(line)
            if n % PAGE == 0:
                fold.spill(connection)
        fold.write(connection)
        finish(connection, [Facts()])
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT count(*) FROM case_fact").scalar()
    size = shelf.path(name).stat().st_size / 1e6
    spent = time.perf_counter() - begun
    print(f"facts of {count:,} cases: {rows:,} rows, {size:.0f} MB, {spent:.0f} s")
    return engine


def median(ask: Callable[[Connection], object], engine: Engine, repeats: int = 5) -> float:
    """Milliseconds of the middle one of some askings."""
    spent = []
    for _ in range(repeats):
        with reading(engine) as connection:
            begun = time.perf_counter()
            ask(connection)
            spent.append((time.perf_counter() - begun) * 1000)
    return statistics.median(spent)


def report(name: str, found: dict[str, float], *, every: bool) -> None:
    """The slowest of them."""
    if every:
        for key, spent in sorted(found.items(), key=lambda pair: -pair[1]):
            print(f"  {key}: {spent:.0f} ms")
    slowest = max(found, key=lambda key: found[key])
    print(f"{name}: {found[slowest]:.0f} ms ({slowest})")


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--every", action="store_true", help="a line for each measure")
    arguments = parser.parse_args()
    arguments.directory.mkdir(parents=True, exist_ok=True)
    engine = made(arguments.directory, arguments.cases, arguments.seed)
    with engine.connect() as connection:
        last = connection.exec_driver_sql("SELECT max(from_pos) FROM case_fact").scalar()
    year: dict[str, float] = {}
    month: dict[str, float] = {}
    past: dict[str, float] = {}
    behind: dict[str, float] = {}
    june, cut = MONTHS[5], Cut(NOW, int(last or 0) // 2)
    for name in CATALOGUE:
        year[name] = median(
            lambda c, n=name: measure(c, n, MONTHS, now=NOW, by=By.STREET), engine, 3
        )
        month[name] = median(lambda c, n=name: measure(c, n, june, now=NOW, by=By.STREET), engine)
        past[name] = median(
            lambda c, n=name: measure(c, n, june, now=NOW, by=By.STREET, as_of=cut), engine, 3
        )
        behind[name] = median(lambda c, n=name: cases(c, n, june, now=NOW, limit=100), engine)
    report("any measure by street in a month", month, every=arguments.every)
    report("any measure by street and each month of a year", year, every=arguments.every)
    report("any measure by street as of a past position", past, every=arguments.every)
    report("the cases behind a figure", behind, every=arguments.every)
    engine.dispose()


if __name__ == "__main__":
    main()
