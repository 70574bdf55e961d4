"""Reports written to a folder when their period is over: what is due, and writing it.

The folder is the ledger: what stands in it is not made again. A file appears whole or not at all.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import NamedTuple

from api.documents.kinds import EVERY, NAMES, Format, Report, around
from api.documents.making import document
from api.documents.rendering import rendered
from api.parts import Parts
from api.settings import Settings
from casework.clocks import SHANGHAI
from projections.periods import Every, Period
from projections.reports.pdf import CannotSet

FORMATS = (Format.PDF, Format.XLSX)

BACK = {Every.DAY: 3, Every.WEEK: 2, Every.MONTH: 2, Every.QUARTER: 1}
"""Ended periods that are caught up where the timer stood still: a long weekend, and then some."""

LONGEST = timedelta(minutes=30)
"""How long the child may take for all that is due."""


class Due(NamedTuple):
    """A file that should be in the folder and is not."""

    report: Report
    period: Period
    form: Format


def file_of(report: Report, period: Period, form: Format) -> str:
    """The file's name, such as 数据分析月报-2026-05.pdf."""
    return f"{NAMES[report]}-{period.name}.{form}"


_PASSED_ON = {
    "var", "database", "log_role", "log_owner_allowed", "keys", "reference", "reports_folder",
    "reports_at",
}  # fmt: skip
"""What tells the child which engine it is of."""


def due(folder: Path, now: datetime, at: time) -> Iterator[Due]:
    """What is missing, the oldest first; from the time of day `at` on after a period's end.

    The 巡检记录 is made on the first day of a month, of that day.
    """
    for report in Report:
        for period in _periods(report, now):
            if now.astimezone(SHANGHAI) < _from(report, period, at):
                continue
            for form in FORMATS:
                if not (folder / file_of(report, period, form)).exists():
                    yield Due(report, period, form)


def _periods(report: Report, now: datetime) -> list[Period]:
    here = around(report, now)
    if report is Report.INSPECTION:
        return [here] if here.first.day == 1 else []
    found = []
    for _ in range(BACK[EVERY[report]]):
        here = here.before()
        found.append(here)
    return found[::-1]


def _from(report: Report, period: Period, at: time) -> datetime:
    day = period.first if report is Report.INSPECTION else period.last
    return datetime.combine(day.date(), at, SHANGHAI)


def write_due(parts: Parts, folder: Path, at: time) -> Iterator[tuple[Due, str | None]]:
    """Make what is missing, one after another; with each, why it could not be made, or None."""
    folder.mkdir(parents=True, exist_ok=True)
    for each in list(due(folder, parts.now(), at)):
        try:
            made = rendered(document(parts, each.report, each.period), each.form)
        except CannotSet as cannot:
            yield each, str(cannot)
            continue
        write_whole(folder / file_of(*each), made)
        yield each, None


def write_whole(path: Path, content: bytes) -> None:
    """Put the file there whole: written beside, made durable, then named."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def run_child(settings: Settings) -> int:
    """Make what is due in a process of its own, so that the server holds none of it.

    Returns its exit code. Raises subprocess.TimeoutExpired after LONGEST.
    """
    given = settings.model_dump(mode="json", include=_PASSED_ON, exclude_none=True)
    done = subprocess.run(
        [sys.executable, "-m", "api", "report", "due"],
        check=False,
        env=os.environ | {f"CASEWORK_{name.upper()}": str(value) for name, value in given.items()},
        timeout=LONGEST.total_seconds(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return done.returncode
