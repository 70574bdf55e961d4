"""Measures the monthly report: figures, setting, workbook.

    python -m scripts.bench_reports --cases 100000 --directory /tmp/bench

Over the facts and intervals of `bench_measures`. Names and the map are the bundled ones. Prints
one line a figure.
"""

import argparse
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

from api.documents.kinds import Format
from api.documents.rendering import rendered
from geo.boundaries import Boundaries
from projections.measures import cut_for
from projections.periods import Every, period_of
from projections.reports.document import Document
from projections.reports.figures import monthly_parts
from projections.reports.outline import outline
from projections.reports.source import Names, Source
from projections.tables import reading
from scripts.bench_measures import made

T = TypeVar("T")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
MONTH = period_of(Every.MONTH, date(2025, 10, 1))


def timed(what: str, work: Callable[[], T]) -> T:
    begun, worked = time.perf_counter(), time.process_time()
    found = work()
    took, busy = time.perf_counter() - begun, time.process_time() - worked
    print(f"{what}: {took:.2f} s, processor {busy:.2f} s of this process", flush=True)
    return found


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--cases", type=int, default=100_000)
    asked.add_argument("--directory", type=Path, required=True)
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args()
    given.directory.mkdir(parents=True, exist_ok=True)
    map_ = Boundaries.bundled()
    engine = made(given.directory, given.cases, given.seed)

    def figures() -> Document:
        with reading(engine) as connection:
            source = Source(
                connection=connection, period=MONTH, now=NOW, as_of=None,
                streets=tuple(map_.units),
                names=Names(map_.name, str, str, lambda _lon, _lat: None),
                outline=outline(map_),
            )  # fmt: skip
            return Document(
                name="月报", title="月报", period=MONTH.name, as_of=cut_for(MONTH, NOW).at,
                position=0, parts=monthly_parts(source), outline=source.outline,
            )  # fmt: skip

    document = timed(f"figures of a month, {given.cases} cases", figures)
    for form in Format:
        timed(f"set as {form}", lambda form=form: rendered(document, form))  # type: ignore[misc]  # bound at once


if __name__ == "__main__":
    main()
