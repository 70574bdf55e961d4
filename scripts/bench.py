"""All measurements, one after another, as one table; ends with 1 where a floor is missed.

`python -m scripts.bench [--cases N]`, from the root, or `make bench`. Each figure is read off what
its own script prints: a script that stops printing it is a missed floor too. The bar is what is
aimed for, the floor what must hold on two cores that do nothing else.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import NamedTuple


class Figure(NamedTuple):
    """A figure in the output of a script: how it is found, and what it must be.

    `most` says that smaller is better.
    """

    name: str
    pattern: str
    unit: str
    bar: float
    floor: float
    most: bool = False

    def holds(self, value: float) -> bool:
        """Whether the floor is kept."""
        return value <= self.floor if self.most else value >= self.floor


class Run(NamedTuple):
    """A script with its arguments, and the figures it prints."""

    script: str
    arguments: tuple[str, ...]
    figures: tuple[Figure, ...]


def _http(store: str, rate: float, *arguments: str) -> Run:
    return Run(
        "bench_http",
        arguments,
        (
            Figure(f"{store}: reports through HTTP", r'"reports_per_s": ([\d.]+)', "/s", rate, 100),
            Figure(f"{store}: … p99", r'"p99_ms": ([\d.]+)', "ms", 100, 200, most=True),
            # Told, not held: where a commit costs 30 µs the ratio is small, where it costs a
            # real disk's milliseconds it passes 1.
            Figure(f"{store}: … to raw commits", r'"ratio_to_raw": ([\d.]+)', "×", 0, 0),
            Figure(
                f"{store}: resident after 1,000 reports",
                r'"resident_mb_after_1000": ([\d.]+)',
                "MB",
                150,
                200,
                most=True,
            ),
        ),
    )


def plan(directory: str, events: int) -> Iterator[Run]:
    """What is run, in order; views are built in `directory`."""
    yield _http("SQLite", 500)
    yield _http("PostgreSQL", 400, "--postgres")
    yield Run(
        "bench_photos",
        (),
        (
            Figure(
                "reports with two photos of 400 kB",
                r'"photo_reports_per_s": ([\d.]+)',
                "/s",
                30,
                20,
            ),
            Figure("… p99 of a request", r'"upload_p99_ms": ([\d.]+)', "ms", 500, 500, most=True),
            Figure("… p99 of all three", r'"unit_p99_ms": ([\d.]+)', "ms", 500, 1000, most=True),
            Figure("… to plain files", r'"ratio_to_plain_files": ([\d.]+)', "×", 0, 0),
            Figure(
                "a photo of 12 megapixels ready, idle",
                r'"ready_12_megapixels_s": ([\d.]+)',
                "s",
                2,
                4,
                most=True,
            ),
        ),
    )
    yield Run(
        "bench_evidence",
        (),
        (
            Figure("12 megapixels, HEIC", r"HEIF.*ready in: ([\d.]+) s", "s", 2, 4, most=True),
            Figure("slowest hostile file", r"refused in: ([\d.]+) s", "s", 1, 1, most=True),
            Figure("copies found, re-shot", r"found, re-shot: ([\d.]+) %", "%", 95, 95),
            Figure("copies found, watermarked", r"found, watermarked: ([\d.]+) %", "%", 95, 95),
            Figure(
                "copies found, a tenth cut off", r"found, cropped by 10 %: ([\d.]+) %", "%", 95, 95
            ),
            Figure("pairs that are none", r"false pairs.*: (\d+)", "", 0, 0, most=True),
            Figure(
                "asked of 100,000 pictures",
                r"100,000 pictures: (\d+) ms",
                "ms",
                200,
                500,
                most=True,
            ),
        ),
    )
    yield Run(
        "bench_log",
        ("--clients", "16"),
        (
            Figure("SQLite: log to bare commits", r"SQLite, 16.*\((\d+)%\)", "%", 60, 30),
            Figure("PostgreSQL: log to bare commits", r"PostgreSQL, 16.*\((\d+)%\)", "%", 39, 20),
            Figure(
                "SQLite: with 5 % stale, of without", r"SQLite, 16.*stale.*\((\d+)% of", "%", 70, 70
            ),
        ),
    )
    yield Run(
        "bench_views",
        ("--events", str(events), "--directory", directory),
        (
            Figure("rebuild of all views", r"rebuild.* ([\d,]+) events/s", "/s", 33_000, 11_000),
            # Of processor time, so that it says the same on a busy machine and a free one.
            Figure("… to reading the log alone", r"([\d.]+) times that of", "×", 5, 8, most=True),
            Figure(
                "longest append beside it", r"append beside it: (\d+)", "ms", 150, 400, most=True
            ),
            Figure(
                "newest 100, three filters", _p50("newest 100 by three"), "ms", 15, 30, most=True
            ),
            Figure("a case with its timeline", _p50("one case with"), "ms", 5, 15, most=True),
            Figure("search, two characters", _p50("search 盲道"), "ms", 20, 60, most=True),
        ),
    )
    yield Run(
        "bench_dry_run",
        (),
        (
            Figure(
                "dry run of 100,000 cases",
                r"dry run of 100,000.*: ([\d.]+) s",
                "s",
                10,
                15,
                most=True,
            ),
            Figure(
                "timeliness of a month of them",
                r"timeliness of.*: ([\d.]+) s",
                "s",
                5,
                12,
                most=True,
            ),
            Figure(
                "due times, cold calendar", r"cold calendar year: ([\d,]+)", "/s", 50_000, 25_000
            ),
        ),
    )

    yield Run(
        "bench_measures",
        ("--directory", directory),
        (
            Figure(
                "any measure by street in a month",
                r"by street in a month: ([\d.]+) ms",
                "ms",
                100,
                200,
                most=True,
            ),
            Figure(
                "the cases behind a figure",
                r"cases behind a figure: ([\d.]+) ms",
                "ms",
                50,
                100,
                most=True,
            ),
        ),
    )
    yield Run(
        "bench_watch",
        (),
        (
            Figure(
                "tick, 1,000,000 open, nothing due", _p50("nothing due"), "ms", 50, 50, most=True
            ),
            Figure("tick, 1,000,000 open, 500 due", _p50("500 due"), "ms", 50, 100, most=True),
        ),
    )


def _p50(name: str) -> str:
    return rf"{name}.*p50 ([\d.]+) ms"


def main() -> int:
    """Run everything; the number of missed floors, at most one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="events in the views' log")
    given = parser.parse_args()
    rows: list[tuple[str, str, str, str, str]] = []
    missed = False
    with tempfile.TemporaryDirectory() as directory:
        for run in plan(directory, given.events):
            start = time.perf_counter()
            print(f"── {run.script} {' '.join(run.arguments)}", flush=True)
            done = subprocess.run(
                [sys.executable, "-m", f"scripts.{run.script}", *run.arguments],
                check=False,
                capture_output=True,
                text=True,
            )
            print(done.stdout, end="")
            if done.returncode:
                print(done.stderr[-2000:])
            print(f"   {time.perf_counter() - start:.0f} s", flush=True)
            for figure in run.figures:
                value, verdict = read(figure, done.stdout)
                missed |= verdict != "holds"
                rows.append(
                    (
                        figure.name,
                        value,
                        _of(figure, figure.bar),
                        _of(figure, figure.floor),
                        verdict,
                    )
                )
    print()
    _print(("figure", "measured", "bar", "floor", ""), rows)
    return int(missed)


def read(figure: Figure, printed: str) -> tuple[str, str]:
    """The measured value in words, and whether its floor holds."""
    found = re.search(figure.pattern, printed)
    if found is None:
        return "–", "NOT MEASURED"
    value = float(found[1].replace(",", ""))
    return f"{value:,g} {figure.unit}", "holds" if figure.holds(value) else "MISSED"


def _of(figure: Figure, value: float) -> str:
    return f"{'≤' if figure.most else '≥'} {value:,g} {figure.unit}"


def _print(head: tuple[str, ...], rows: list[tuple[str, str, str, str, str]]) -> None:
    table = [head, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    for row in table:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )


if __name__ == "__main__":
    sys.exit(main())
