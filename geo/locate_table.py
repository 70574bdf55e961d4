"""Locates the rows of a table: id, lon, lat in; the verdict on each out. Knows no file, no CLI."""

import csv
import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from geo.coordinates import Crs, to_wgs84
from geo.dispatch import Dispatcher

HEAD = ("id", "street", "certainty", "border_m", "runner_up", "because")


class BadRowError(ValueError):
    """A row that cannot be located; says which and why, in Chinese."""


class Located(NamedTuple):
    """A row of the answer, in the order of `HEAD`.

    `street` is the code of the best unit, also where a person must decide; empty only outside
    the district. `border_m` is in metres, empty for a position no map reaches.
    """

    id: str
    street: str
    certainty: str
    border_m: str
    runner_up: str
    because: str


def locate_table(
    lines: Iterable[str], dispatcher: Dispatcher, crs: Crs | str = Crs.WGS84
) -> Iterator[Located]:
    """The verdict on each row of a CSV with a head that has id, lon and lat, degrees in `crs`.

    A column accuracy_m, the report's own accuracy in metres, is used where there is one. Rows
    are answered as they come. Raises BadRowError on a missing column or a figure that is none.
    """
    rows = csv.DictReader(_without_mark(lines))
    missing = [name for name in ("id", "lon", "lat") if name not in (rows.fieldnames or ())]
    if missing:
        raise BadRowError(f"表头缺少列：{'、'.join(missing)}。")
    for row in rows:
        lon = _number(row, "lon", rows.line_num)
        lat = _number(row, "lat", rows.line_num)
        accuracy = _number(row, "accuracy_m", rows.line_num) if row.get("accuracy_m") else None
        verdict = dispatcher.assign(*to_wgs84(lon, lat, crs), accuracy)
        yield Located(
            row["id"],
            verdict.street or "",
            verdict.certainty.value,
            "" if verdict.border_m is None else f"{verdict.border_m:.1f}",
            verdict.runner_up or "",
            verdict.because,
        )


def _without_mark(lines: Iterable[str]) -> Iterator[str]:
    """The lines without the mark spreadsheets put before the first."""
    for number, line in enumerate(lines):
        yield line.removeprefix("\ufeff") if number == 0 else line


def _number(row: dict[str, str | None], column: str, line: int) -> float:
    text = row.get(column) or ""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadRowError(f"第 {line} 行的 {column} 不是数字：“{text}”。")
    return number
