"""Measures a tick of the watch: what it costs to ask what is due while a million cases are open.

    python -m scripts.bench_watch [--cases N] [--due N]

A file of the due index with so many open cases, two clocks each, a third of them overdue and told
of; then the question of a tick, with nothing due and with some due. One line a figure: median and
the worst of the rounds in milliseconds, and the same question without its index beside it.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from uuid import UUID

from sqlalchemy import Connection, text

from casework.log.port import stream_id
from projections import due
from projections.due import DUE_CASE, DUE_CLOCK, DueIndex
from projections.generations import create_tables, finish
from projections.tables import Values, copy_rows, moment, reading, sqlite_views

NOW = 1_780_000_000_000_000
"""Microseconds since 1970: some day in 2026."""
HOUR = 3_600_000_000
ROUNDS = 30
A_TICK = 500
STREETS = [f"110108{n:03d}" for n in range(1, 30)]


def clocks(stream: bytes, n: int, random: Random) -> Iterator[Values]:
    """A handling clock and an acknowledgement of one case; nothing of them is due now."""
    for clock, hours in (("handling", 24), ("acknowledge", 1)):
        started = NOW - random.randrange(60 * hours) * HOUR
        due_at = started + hours * HOUR
        shares = [(75, started + hours * HOUR * 3 // 4), (100, due_at)]
        shares += [(150, started + hours * HOUR * 3 // 2), (200, started + 2 * hours * HOUR)]
        ahead = [(at, percent) for percent, at in shares if at > NOW + HOUR]
        next_at, next_percent = ahead[0] if ahead else (None, None)
        told = max([percent for percent, at in shares if at <= NOW + HOUR], default=0)
        yield (
            stream, clock, 1, started, started, due_at, hours, "hour", 0, "dispatch", 0, n,
            shares[0][1], shares[2][1], shares[3][1], told, next_at, next_percent,
        )  # fmt: skip


def fill(connection: Connection, cases: int, random: Random) -> None:
    """So many open cases, in batches."""
    for first in range(0, cases, 50_000):
        some = range(first, min(first + 50_000, cases))
        streams = {n: stream_id(f"case/{UUID(int=n)}").bytes for n in some}
        rows: list[Values] = [
            (streams[n], UUID(int=n).bytes, 1, random.choice(STREETS), "P10") for n in some
        ]
        copy_rows(connection, DUE_CASE, rows)
        turning = [row for n in some for row in clocks(streams[n], n, random)]
        copy_rows(connection, DUE_CLOCK, turning)


def milliseconds(work: Callable[[], object]) -> tuple[float, float]:
    """Median and worst of the rounds."""
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1e3)
    return statistics.median(taken), max(taken)


def main() -> None:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--due", type=int, default=500)
    given = parser.parse_args()
    at, random, view = moment(NOW), Random(7), DueIndex()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "views.db"
        loading = sqlite_views(path, loading=True)
        with loading.begin() as connection:
            create_tables(connection, "bench", (view,))
            fill(connection, given.cases, random)
            finish(connection, (view,))
        loading.dispose()
        engine = sqlite_views(path)
        with engine.begin() as connection:
            connection.execute(text("ANALYZE"))

        def tick(when: timedelta = timedelta()) -> int:
            with reading(engine) as connection:
                return len(due.work(connection, at + when, A_TICK))

        def overdue() -> int:
            with reading(engine) as connection:
                return len(due.due(connection, at, 100))

        print(f"{given.cases:,} open cases, {2 * given.cases:,} clocks")
        assert tick() == 0
        print("tick, nothing due:       p50 {:.2f} ms, worst {:.2f} ms".format(*milliseconds(tick)))
        with engine.begin() as connection:
            connection.execute(
                text(
                    "UPDATE due_clock SET next_at = :now, next_percent = 75 WHERE rowid IN"
                    " (SELECT rowid FROM due_clock WHERE next_at IS NOT NULL LIMIT :n)"
                ),
                {"now": NOW - HOUR, "n": given.due},
            )
        assert tick() == min(given.due, A_TICK)
        print(
            f"tick, {given.due} due:           p50 {{:.2f}} ms, worst {{:.2f}} ms".format(
                *milliseconds(tick)
            )
        )
        print(
            "100 longest overdue:     p50 {:.2f} ms, worst {:.2f} ms".format(*milliseconds(overdue))
        )
        with engine.begin() as connection:
            connection.execute(text("DROP INDEX due_clock_next"))
        print("tick without its index:  p50 {:.2f} ms, worst {:.2f} ms".format(*milliseconds(tick)))
        engine.dispose()


if __name__ == "__main__":
    main()
