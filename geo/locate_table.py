"""Locates the rows of a table: id, lon, lat in; the verdict on each out. Knows no file, no CLI."""

import csv
import math
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np

from geo.coordinates import Crs, to_wgs84
from geo.dispatch import Certainty, Dispatcher

# Enough to make the bulk geometry worth while, few enough to hold.
_CHUNK = 20_000

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


class _Row(NamedTuple):
    id: str
    lon: float
    lat: float
    accuracy_m: float


def locate_table(
    lines: Iterable[str], dispatcher: Dispatcher, crs: Crs | str = Crs.WGS84
) -> Iterator[Located]:
    """The verdict on each row of a CSV with a head that has id, lon and lat, degrees in `crs`.

    A column accuracy_m, the report's own accuracy in metres, is used where there is one. Raises
    BadRowError on a missing column or a figure that is none; some rows before it may then be
    left without an answer.
    """
    rows = _rows(lines)
    while chunk := list(islice(rows, _CHUNK)):
        yield from _locate(chunk, dispatcher, Crs(crs))


def _rows(lines: Iterable[str]) -> Iterator[_Row]:
    table = csv.DictReader(_without_mark(lines))
    missing = [name for name in ("id", "lon", "lat") if name not in (table.fieldnames or ())]
    if missing:
        raise BadRowError(f"表头缺少列：{'、'.join(missing)}。")
    for row in table:
        lon, lat = (_number(row, column, table.line_num) for column in ("lon", "lat"))
        own = _number(row, "accuracy_m", table.line_num) if row.get("accuracy_m") else 0.0
        yield _Row(row["id"], lon, lat, own)


def _locate(chunk: list[_Row], dispatcher: Dispatcher, crs: Crs) -> Iterator[Located]:
    lon, lat = to_wgs84(
        np.array([row.lon for row in chunk]), np.array([row.lat for row in chunk]), crs
    )
    own = np.array([row.accuracy_m for row in chunk])
    many = dispatcher.assign_many(lon, lat, own)
    codes = (*many.codes, "")
    for i, row in enumerate(chunk):
        outside = many.certainty[i] is Certainty.OUTSIDE_DISTRICT
        border_m = float(many.border_m[i])
        yield Located(
            row.id,
            "" if outside else codes[many.street[i]],
            many.certainty[i].value,
            f"{border_m:.1f}" if math.isfinite(border_m) else "",
            codes[many.runner_up[i]],
            dispatcher.because(many, i, row.accuracy_m),
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
