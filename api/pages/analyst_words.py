"""Figures in words: a value in its unit, the fraction behind it, how it differs, what is unsure.

Counts nothing. A number never stands alone: what is said beside it is said here, for all.
"""

import re
from datetime import datetime

import msgspec

from api.documents.kinds import in_words
from api.measure_schemas import FigureOut
from casework.clocks import SHANGHAI
from projections.measure_catalogue import CATALOGUE, Direction, Kind, Measure, measured
from projections.periods import Period

NOTHING = "—"

SHOWN_INTERVAL = 100
"""A sample below this has its interval told: with fewer, chance alone moves a rate by some 10 %."""


def title_of(name: str, variant: str = "") -> str:
    """What a measure is called, with its variant."""
    of = measured(name)
    return f"{of.title}（{of.variants[variant].title}）" if variant else of.title


def formula(of: Measure) -> str:
    """How it is counted; without the clauses that point into the API."""
    clauses = [each for each in re.split("(?<=[；。])", of.formula) if "/m" not in each]
    return "".join(clauses).rstrip("；。") + "。"


def amount(of: Measure, value: float | None) -> str:
    """A value with its unit; a dash over nothing."""
    if value is None:
        return NOTHING
    match of.kind:
        case Kind.RATE:
            return f"{value:.2f}%"
        case Kind.MEAN:
            return f"{value:.2f}分"
        case Kind.DURATION:
            return lasting(value)
        case _:
            return f"{value:,.0f}{of.unit}"


def lasting(minutes: float) -> str:
    """Minutes as people say them: 35分钟, 3.2小时, 2.1天."""
    if minutes < 120:
        return f"{minutes:.0f}分钟"
    return f"{minutes / 60:.1f}小时" if minutes < 48 * 60 else f"{minutes / 1440:.1f}天"


def fraction(of: Measure, figure: FigureOut) -> str:
    """Numerator and denominator, or the size of the sample."""
    match of.kind:
        case Kind.RATE:
            return f"{figure.numerator:,.0f} ÷ {figure.denominator:,}"
        case Kind.MEAN:
            return f"{figure.numerator:,.0f}分 ÷ {figure.denominator:,}份"
        case Kind.DURATION:
            tail = "" if figure.p90 is None else f"，P90 {lasting(figure.p90)}"
            return f"中位数，n = {figure.n:,}{tail}"
        case Kind.STOCK:
            return "时段末的存量"
        case _:
            return "时段内的件数"


def change(of: Measure, by: float | None) -> str:
    """How much a figure differs from another; points of percent for rates."""
    if by is None:
        return NOTHING
    sign = "＋" if by > 0 else "－" if by < 0 else ""
    size = abs(by)
    match of.kind:
        case Kind.RATE:
            return f"{sign}{size:.2f}点"
        case Kind.MEAN:
            return f"{sign}{size:.2f}"
        case Kind.DURATION:
            return f"{sign}{lasting(size)}"
        case _:
            return f"{sign}{size:,.0f}"


def unsure(of: Measure, figure: FigureOut) -> str:
    """What a small sample leaves open; nothing where the sample is large."""
    said = []
    if figure.interval is not None and figure.n < SHOWN_INTERVAL:
        low, high = figure.interval
        said.append(f"95%区间 {low:.1f}–{high:.1f}%")
    if not figure.enough:
        said.append(f"样本少于{of.minimum_sample}，不排名")
    return "；".join(said)


def target(of: Measure, figure: FigureOut) -> str:
    """The target and whether it is kept; nothing where there is none."""
    if of.target is None:
        return ""
    sign = "≤" if of.direction is Direction.DOWN else "≥"
    kept = {True: "已达到", False: "未达到", None: "没有数据"}[figure.on_target]
    return f"目标 {sign} {of.target:g}{of.unit}，{kept}"


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """Which period is told, as of when, from how far into the log."""

    period: Period
    at: datetime
    position: int
    sealed: bool = False
    held: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return in_words(self.period)

    @property
    def says(self) -> str:
        at = self.at.astimezone(SHANGHAI)
        tail = "，读取已封存的数" if self.sealed else ""
        return f"{self.name} · 截至{at:%Y-%m-%d %H:%M} · 日志位置 {self.position}{tail}"


def plain(name: str, value: float | None) -> str:
    """A value of a sealed figure, whose measure may have left the catalogue since."""
    of = CATALOGUE.get(name)
    if of is not None:
        return amount(of, value)
    return NOTHING if value is None else f"{value:,.2f}"


def variant_title(name: str, variant: str) -> str:
    """What a way of counting is called; of a sealed one that is gone, its name."""
    of = CATALOGUE.get(name)
    if not variant:
        return "默认"
    return of.variants[variant].title if of is not None and variant in of.variants else variant
