"""A written report as data: words, tables, and drawings of tables. Knows no format and no measure.

A drawing is always one of a table that stands beside it, so that nothing can be seen only in
colours and lengths. Cells hold values; `shown` is the one way in which they become words.
"""

from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

import msgspec

from casework.clocks import SHANGHAI

Cell: TypeAlias = str | int | float | None
"""None is shown as 「—」: nothing to count there, which is not 0."""

NOTHING = "—"

CHANNELS = {
    "app": "App",
    "miniprogram": "小程序",
    "h5": "网页",
    "web": "网页",
    "phone": "电话",
    "counter": "来访",
    "letter": "来信",
    "patrol": "巡查发现",
    "other": "其他",
    "join": "我也遇到",
    "12345": "12345 热线",
}
"""Where reports come from, as far as a name is known; a partner's channel stands for itself."""


class Kind(StrEnum):
    """What a column holds, and with it how a cell is aligned and written."""

    WORDS = "words"
    COUNT = "count"
    """Whole numbers of cases, persons, events."""
    CHANGE = "change"
    """A difference of counts, with its sign."""
    RATE = "rate"
    """Percent, two decimals: 93.72 is 93.72 %."""
    POINTS = "points"
    """A difference of rates in percentage points."""
    NUMBER = "number"
    """An amount, one decimal."""
    SCORE = "score"
    """A mean of marks, two decimals."""


class Column(msgspec.Struct, frozen=True):
    """A column of a table. `share` is its width beside the others in print."""

    name: str
    kind: Kind = Kind.WORDS
    share: float = 1.0


class Draws(StrEnum):
    BARS = "bars"
    """A horizontal bar a row."""
    LINES = "lines"
    """Rows are points from left to right, each drawn column a line."""
    MAP = "map"
    """The units coloured by the drawn column; the first column is the number on the map."""


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """How a table is drawn. `label` and `values` are indexes of its columns.

    `codes` names the unit of each row, for a map.
    """

    how: Draws
    title: str
    label: int
    values: tuple[int, ...]
    codes: tuple[str, ...] = ()


class Table(msgspec.Struct, frozen=True, kw_only=True, tag="table"):
    """Rows under a header. `note` stands below, in small type."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    drawing: Drawing | None = None
    note: str = ""
    empty: str = "没有记录。"
    """What is said where there are no rows."""


class Heading(msgspec.Struct, frozen=True, tag="heading"):
    text: str


class Words(msgspec.Struct, frozen=True, tag="words"):
    text: str


Part: TypeAlias = Heading | Words | Table


class Shape(msgspec.Struct, frozen=True):
    """A unit of the map: rings and a point inside, in kilometres east and south of the corner."""

    code: str
    rings: tuple[tuple[tuple[float, float], ...], ...]
    inside: tuple[float, float]


class Outline(msgspec.Struct, frozen=True):
    """The district as it is drawn, `width` by `height` kilometres."""

    width: float
    height: float
    shapes: tuple[Shape, ...]
    source: str
    """Which version of the boundaries, in words."""


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A report. `as_of` is the moment and `position` the place in the log that it speaks of."""

    name: str
    """Which kind of report: 数据分析月报."""
    title: str
    period: str
    as_of: datetime
    position: int
    facts: tuple[str, ...] = ()
    """What a reader must know of the figures before the first one: sealed, sample data."""
    parts: tuple[Part, ...]
    outline: Outline | None = None

    @property
    def says_as_of(self) -> str:
        return f"数据截至 {clock(self.as_of)}（日志位置 {self.position}）"

    def tables(self) -> tuple[Table, ...]:
        return tuple(part for part in self.parts if isinstance(part, Table))


def clock(at: datetime | None) -> str:
    """A moment as it is written, in the time of Shanghai, to the second."""
    return NOTHING if at is None else at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def shown(cell: Cell, kind: Kind) -> str:
    """A cell in words. Raises TypeError where the cell is none of its column's kind."""
    if cell is None:
        return NOTHING
    if kind is Kind.WORDS:
        return str(cell)
    if isinstance(cell, str):
        raise TypeError(f"{cell!r} stands in a column of numbers")
    return _NUMBERS[kind](cell)


def _signed(text: str) -> str:
    """With a sign, and the true minus; a zero has none."""
    if not text.strip("+-0."):
        return text.lstrip("+-")
    return text.replace("-", "−")  # a hyphen is no minus


_NUMBERS = {
    Kind.COUNT: lambda n: f"{n:,}",
    Kind.CHANGE: lambda n: _signed(f"{n:+,}"),
    Kind.RATE: lambda n: f"{n:.2f}%",
    Kind.POINTS: lambda n: _signed(f"{n:+.2f}"),
    Kind.NUMBER: lambda n: f"{n:,.1f}",
    Kind.SCORE: lambda n: f"{n:.2f}",
}
