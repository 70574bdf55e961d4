"""Measures the map: boxes, past moments and hot spots over made-up intervals of 100,000 cases.

    python scripts/bench_map.py --cases 100000

Cases gather around sixty spots and live through one to seven intervals. One line a figure: median
and 95th percentile in milliseconds over fifteen questions.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from uuid import UUID, uuid5

from sqlalchemy import Connection, Engine

sys.path.insert(0, str(Path(__file__).parent.parent))

from casework.lifecycle import Status
from geo.grid import cell_at
from projections.case_history import CASE_INTERVAL, CaseHistory
from projections.case_list import Filters
from projections.case_map import (
    AsOf,
    AtPosition,
    AtTime,
    Box,
    PublicQuestion,
    count_public,
    public_spots,
    spots,
)
from projections.generations import create_tables, finish
from projections.hotspots import Question, hotspots
from projections.tables import (
    Values,
    copy_rows,
    moment,
    reading,
    sqlite_views,
)

EPOCH = UUID(int=0)
BEGUN = 1_770_000_000_000_000
EVERY, HOUR = 300_000_000, 3_600_000_000
"""Microseconds between two cases, and between two intervals of one."""
LIFE = ("submitted", "registered", "dispatched", "handling", "rectified", "closed", "completed")
DISTRICT: Box = (116.05, 39.88, 116.42, 40.16)
EMPTY: Box = (117.0, 39.0, 118.0, 40.0)
ROUNDS = 15


def intervals(n: int, random: Random, spot: tuple[float, float]) -> list[Values]:
    """The rows of one case."""
    lon, lat = random.gauss(spot[0], 0.01), random.gauss(spot[1], 0.008)
    cell, mark, seq = cell_at(lon, lat), uuid5(EPOCH, str(n)).hex, n * 10 + 1
    street, indicator = f"110108{random.randrange(1, 30):03d}", f"P{random.randrange(1, 11):02d}"
    count = random.choice([1, 2, 3, 4, 5, 6, *[7] * 14])
    at, month = BEGUN + n * EVERY, 202601 + n // 10_000
    return [
        (
            seq, seq + i, None if i == count - 1 else seq + i + 1,
            at + i * HOUR, None if i == count - 1 else at + (i + 1) * HOUR,
            mark, f"HD{n}", None, at, month, False, str(Status(LIFE[i])), street, street,
            indicator, lon, lat, cell.east, cell.north, *cell.centre(),
        )
        for i in range(count)
    ]  # fmt: skip


def fill(path: Path, cases: int, random: Random) -> list[tuple[float, float]]:
    """A generation of made-up intervals; the spots they gather around."""
    gathered = [(random.uniform(116.1, 116.4), random.uniform(39.9, 40.1)) for _ in range(60)]
    rows = [row for n in range(cases) for row in intervals(n, random, random.choice(gathered))]
    engine = sqlite_views(path, loading=True)
    with engine.begin() as connection:
        create_tables(connection, "g_1", [CaseHistory()])
        copy_rows(connection, CASE_INTERVAL, rows)
        finish(connection, [CaseHistory()])
    engine.dispose()
    print(f"{cases} cases, {len(rows)} intervals")
    return gathered


def measure(engine: Engine, name: str, ask: Callable[[Connection], object]) -> None:
    """Ask `ROUNDS` times and print the figures."""
    took = []
    for _ in range(ROUNDS):
        with reading(engine) as connection:
            begun = time.perf_counter()
            ask(connection)
            took.append((time.perf_counter() - begun) * 1000)
    worst = sorted(took)[int(ROUNDS * 0.95)]
    print(f"{name:38s} p50 {statistics.median(took):7.1f} ms   p95 {worst:7.1f} ms")


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--cases", type=int, default=100_000)
    cases: int = given.parse_args().cases
    random = Random(1)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "views.db"
        gathered = fill(path, cases, random)
        engine = sqlite_views(path)

        def near(width: float) -> Box:
            x, y = random.choice(gathered)
            return (x - width / 2, y - width / 2, x + width / 2, y + width / 2)

        boxes: dict[str, Callable[[], Box]] = {
            "3 km": lambda: near(0.03),
            "10 km": lambda: near(0.1),
            "district": lambda: DISTRICT,
            "empty": lambda: EMPTY,
        }
        moments: dict[str, AsOf] = {
            "now": None,
            "position": AtPosition(cases * 6),
            "time": AtTime(moment(BEGUN + cases * 6 // 10 * EVERY)),
        }
        for when, as_of in moments.items():
            for where, box in boxes.items():
                measure(
                    engine, f"desk, {where}, {when}",
                    lambda c, a=as_of, b=box: spots(c, Filters(bbox=b()), as_of=a, epoch=EPOCH),  # type: ignore[misc]  # bound now
                )  # fmt: skip
                measure(
                    engine, f"public, {where}, {when}",
                    lambda c, a=as_of, b=box: public_spots(c, PublicQuestion(bbox=b(), as_of=a)),  # type: ignore[misc]  # bound now
                )  # fmt: skip
        measure(engine, "count, public", lambda c: count_public(c, PublicQuestion()))
        month = moment(BEGUN + cases * 6 // 10 * EVERY), moment(BEGUN + cases * 7 // 10 * EVERY)
        measure(engine, "hot spots, 3 km", lambda c: hotspots(c, Question(bbox=near(0.03))))
        measure(
            engine,
            "hot spots, district, a tenth",
            lambda c: hotspots(c, Question(bbox=DISTRICT, start=month[0], end=month[1])),
        )
        measure(engine, "hot spots, everything", lambda c: hotspots(c, Question()))
        engine.dispose()


if __name__ == "__main__":
    main()
