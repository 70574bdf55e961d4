"""What the first page of 数据分析 tells, read from one state of the tables.

Figures come from the measures, places from hot spots and rebounds, hand-backs from their own
tables. Nothing is reckoned here but the order of rows.
"""

from collections.abc import Iterator, Sequence
from itertools import dropwhile

import msgspec
from sqlalchemy import Connection

from api.documents.making import NEAR_M
from api.measure_schemas import CountedOut, FigureOut
from api.measuring import Answers, answering, counted, key_name
from api.pages.analyst_asked import Chosen, period_chosen
from api.pages.analyst_words import Stamp, lasting, title_of
from api.parts import Parts
from api.shown import indicator_name, name_of_street
from casework.handlings import End
from casework.lifecycle import Status
from geo.grid import Cell
from projections.hand_overs import FalseRate, FalseRound, false_rates, false_rounds
from projections.measure_catalogue import CATALOGUE, DOUBTS, Direction, Measure
from projections.measures import By, Part, Wanted, cut_for
from projections.periods import Every, Period
from projections.redispatch import Leg, Lost, chains, lost
from projections.reports.spots import rebounding
from projections.training import hit_rates

STRIP: tuple[Wanted, ...] = (
    ("reports", ""), ("closings", ""), ("backlog", ""), ("backlog", "overdue"),
    ("handled_in_time", ""), ("closed_in_time", ""), ("solved", ""), ("satisfied", ""),
    ("response", ""), ("handling_time", ""), ("first_time", ""), ("rework", ""),
    ("reopened", ""), ("rebound", ""), ("dispatch_accuracy", ""), ("refusals", ""),
)  # fmt: skip
"""Numbers at the top, in the order shown."""

AGEING: tuple[Wanted, ...] = (
    ("backlog", ""), ("backlog", "over_1_day"), ("backlog", "over_7_days"),
    ("backlog", "over_30_days"), ("backlog", "overdue"), ("due_soon", ""), ("suspended", ""),
)  # fmt: skip
STAGED: tuple[Wanted, ...] = AGEING[:5]

TREND: tuple[Wanted, ...] = (
    ("reports", ""), ("closings", ""), ("backlog", ""),
    ("handled_in_time", ""), ("closed_in_time", ""), ("satisfied", ""),
)  # fmt: skip
TREND_PERIODS = {Every.DAY: 14, Every.WEEK: 12, Every.MONTH: 12, Every.QUARTER: 8}

MOST_SPOTS = 10
MOST_CHAINS = 10
MOST_OVERDUE = 10


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A measure with its figure, and those that must be seen with it."""

    of: Measure
    variant: str
    figure: FigureOut
    beside: tuple["Card", ...] = ()

    @property
    def title(self) -> str:
        return title_of(self.of.name, self.variant)


class StreetRow(msgspec.Struct, frozen=True, kw_only=True):
    """A 街镇 in the ranked table. `level`: 0 … 4 for the colour on the map, None without one."""

    code: str
    name: str
    figure: FigureOut | None
    level: int | None = None


class Ranking(msgspec.Struct, frozen=True, kw_only=True):
    """The 29 by one measure, and which values each colour of the map stands for."""

    of: Measure
    variant: str
    rows: tuple[StreetRow, ...]
    legend: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return title_of(self.of.name, self.variant)


class TrendRow(msgspec.Struct, frozen=True):
    """A period, and the figure of each measure of the trend; None where it had not begun."""

    name: str
    figures: tuple[float | None, ...]


class StageRow(msgspec.Struct, frozen=True):
    key: str
    name: str
    counts: tuple[int, ...]


class SpotRow(msgspec.Struct, frozen=True, kw_only=True):
    """A 100 m cell: where, on whose ground, how many, and which cases where they are few."""

    cell: str
    near: str
    street: str
    indicator: str = ""
    cases: int
    numbers: tuple[str, ...] = ()


class LegRow(msgspec.Struct, frozen=True):
    street: str
    how: str


class ChainRow(msgspec.Struct, frozen=True):
    """A case that went from 街镇 to 街镇."""

    number: str
    legs: tuple[LegRow, ...]


class HitRow(msgspec.Struct, frozen=True):
    """How often a model's proposals were what was registered."""

    name: str
    n: int
    first: int
    three: int


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    stamp: Stamp
    cards: tuple[Card, ...]
    ranking: Ranking
    trend: tuple[TrendRow, ...]
    ageing: tuple[Card, ...]
    stages: tuple[StageRow, ...]
    overdue: tuple[CountedOut, ...]
    overdue_total: int
    hot: tuple[SpotRow, ...]
    rebounds: tuple[SpotRow, ...]
    lost: tuple[tuple[str, Lost], ...]
    chains: tuple[ChainRow, ...]
    false: tuple[tuple[str, FalseRate], ...]
    false_rounds: tuple[FalseRound, ...]
    doubts: tuple[Card, ...]
    hits: tuple[HitRow, ...]
    behind: int
    """Events of the log that these tables have not read."""

    @property
    def empty(self) -> bool:
        """Whether nothing was ever reported, as far as this question sees."""
        return not any(row.figures[0] or row.figures[2] for row in self.trend)


def overview(parts: Parts, chosen: Chosen, shown: Wanted) -> Overview:
    """Read it; `shown` colours the map. May wait for a disk. Raises ProblemError."""
    period = period_chosen(parts, chosen)
    with answering(parts, chosen.question()) as answers:
        beside = [(name, "") for each in STRIP for name in CATALOGUE[each[0]].beside]
        wanted = dict.fromkeys((*STRIP, *beside, *AGEING, *((name, "") for name in DOUBTS)))
        found = {each: figures[0] for each, figures in answers.many(list(wanted), [period]).items()}
        overdue = answers.cases(
            "backlog", period, "overdue", Part.DENOMINATOR, limit=MOST_OVERDUE, due_first=True
        )
        head = parts.casework.eventlog.head()
        lost_rows, chain_rows, false_rows, rounds = _handed_back(
            parts, answers.connection, period, chosen
        )
        return Overview(
            stamp=stamp_of(answers, period, sealed=found["reports", ""].sealed),
            cards=tuple(_card(found, each) for each in STRIP),
            ranking=ranking(answers, period, shown),
            trend=tuple(_trend(answers, period)),
            ageing=tuple(_card(found, each) for each in AGEING),
            stages=tuple(_stages(answers, period)),
            overdue=tuple(counted(parts, row) for row in overdue.rows),
            overdue_total=overdue.total,
            hot=tuple(_hot(answers, period)),
            rebounds=tuple(_rebounds(answers, period)),
            lost=lost_rows,
            chains=chain_rows,
            false=false_rows,
            false_rounds=rounds,
            doubts=tuple(_card(found, (name, "")) for name in DOUBTS),
            hits=tuple(_hits(answers.connection, period)),
            behind=max(0, head - answers.read_to),
        )


def stamp_of(answers: Answers, period: Period, *, sealed: bool = False) -> Stamp:
    """Of when what is answered tells."""
    cut = cut_for(period, answers.now, answers.cut)
    return Stamp(
        period=period,
        at=cut.at,
        position=cut.position or answers.read_to,
        sealed=sealed,
        held=answers.held,
    )


def _card(found: dict[Wanted, FigureOut], wanted: Wanted) -> Card:
    of = CATALOGUE[wanted[0]]
    return Card(
        of=of,
        variant=wanted[1],
        figure=found[wanted],
        beside=tuple(
            Card(of=CATALOGUE[name], variant="", figure=found[name, ""])
            for name in of.beside
            if (name, "") in found
        ),
    )


# 街镇 --------------------------------------------------------------------------------------


def ranking(answers: Answers, period: Period, shown: Wanted) -> Ranking:
    """The 29 by one measure: ranked ones first, then too small a sample, then without a figure."""
    parts, of = answers.parts, CATALOGUE[shown[0]]
    figures = {each.key: each for each in answers.many([shown], [period], By.STREET)[shown]}
    units = tuple(parts.dispatcher.boundaries.units)
    codes = dict.fromkeys((*units, *(key for key in figures if key)))
    values = [
        figure.value for code in codes
        if (figure := figures.get(code)) and figure.enough and figure.value is not None
    ]  # fmt: skip
    low, high = (min(values), max(values)) if values else (0.0, 0.0)
    step = (high - low) / len(_COLOURS)
    rows = [
        StreetRow(
            code=code,
            name=name_of_street(parts, code),
            figure=(figure := figures.get(code)),
            level=_level(figure, low, step),
        )
        for code in codes
    ]
    if "" in figures:
        rows.append(StreetRow(code="", name="未定", figure=figures[""]))
    rows.sort(key=lambda row: _place(of, row))
    edges = [(low + n * step, low + (n + 1) * step) for n in _COLOURS] if step else [(low, high)]
    return Ranking(
        of=of,
        variant=shown[1],
        rows=tuple(rows),
        legend=tuple(f"{a:,.1f}–{b:,.1f}" for a, b in edges) if values else (),
    )


_COLOURS = range(5)


def _level(figure: FigureOut | None, low: float, step: float) -> int | None:
    if figure is None or not figure.enough or figure.value is None:
        return None
    return min(_COLOURS[-1], int((figure.value - low) / step)) if step else 0


def _place(of: Measure, row: StreetRow) -> tuple[int, float, str]:
    figure = row.figure
    if not row.code:
        return 3, 0.0, ""
    if figure is None or figure.value is None:
        return 2, 0.0, row.code
    if figure.rank is not None:
        return 0, float(figure.rank), row.code
    up = -1.0 if of.direction is not Direction.DOWN else 1.0
    return int(not figure.enough), up * figure.value, row.code


# 走势、账龄 --------------------------------------------------------------------------------


def run_up_to(period: Period) -> list[Period]:
    """The period and those before it, the earliest first."""
    found = [period]
    for _ in range(TREND_PERIODS[period.every] - 1):
        found.insert(0, found[0].before())
    return found


def _trend(answers: Answers, period: Period) -> Iterator[TrendRow]:
    over = run_up_to(period)
    told = {
        (wanted, each.figure.period): each.figure.value
        for wanted, some in answers.alone(TREND, over, None).items()
        for each in some
    }
    rows = [
        TrendRow(each.name, tuple(told.get((wanted, each.name)) for wanted in TREND))
        for each in over
    ]
    # Before the first report there is nothing to tell.
    return dropwhile(lambda row: not any(row.figures) and row is not rows[-1], rows)


def _stages(answers: Answers, period: Period) -> Iterator[StageRow]:
    told = answers.alone(STAGED, [period], By.STAGE)
    counts = {
        (wanted, each.figure.key): int(each.figure.numerator)
        for wanted, some in told.items()
        for each in some
    }
    there = {each.figure.key for each in told["backlog", ""]}
    for key in [str(status) for status in Status if status in there]:
        yield StageRow(
            key,
            key_name(answers.parts, By.STAGE, key),
            tuple(counts.get((wanted, key), 0) for wanted in STAGED),
        )


# 点位 --------------------------------------------------------------------------------------


def _hot(answers: Answers, period: Period) -> Iterator[SpotRow]:
    wanted: Wanted = ("hotspots", "")
    for each in answers.alone([wanted], [period], By.CELL)[wanted][:MOST_SPOTS]:
        east, _, north = each.figure.key.removeprefix("E").partition("N")
        yield _spot(answers.parts, Cell(int(east), int(north)), int(each.figure.numerator))


def _rebounds(answers: Answers, period: Period) -> Iterator[SpotRow]:
    cut, only = cut_for(period, answers.now, answers.cut), answers.asking.only
    found = rebounding(answers.connection, period.first, period.last, cut, 200)
    chosen = [
        spot for spot in found
        if only.street in {None, spot.street} and only.indicator in {None, spot.indicator}
    ]  # fmt: skip
    for spot in chosen[:MOST_SPOTS]:
        row = _spot(answers.parts, spot.cell, spot.reports)
        yield msgspec.structs.replace(
            row,
            indicator=indicator_name(answers.parts, spot.indicator or None) or "未定",
            numbers=spot.numbers,
        )


def _spot(parts: Parts, cell: Cell, cases: int) -> SpotRow:
    lon, lat = cell.centre()
    street = parts.dispatcher.assign(lon, lat).street
    near = parts.gazetteer.near(lon, lat, 1, NEAR_M)
    return SpotRow(
        cell=cell.name,
        near=near[0].place.name if near else f"{lon:.4f}, {lat:.4f}",
        street=name_of_street(parts, street) if street else "区外",
        cases=cases,
    )


# 退回、再派遣、虚假整改 --------------------------------------------------------------------

_Back = tuple[
    tuple[tuple[str, Lost], ...],
    tuple[ChainRow, ...],
    tuple[tuple[str, FalseRate], ...],
    tuple[FalseRound, ...],
]


def _handed_back(parts: Parts, connection: Connection, period: Period, chosen: Chosen) -> _Back:
    """As it is now: these tables tell no past moment."""
    street = chosen.street or None
    first, last = period.first, period.last
    return (
        tuple(
            (name_of_street(parts, row.street), row)
            for row in lost(connection, first, last)
            if street in {None, row.street} and (row.returned or row.recalled)
        ),
        tuple(_chain(parts, legs) for legs in chains(connection, first, last, MOST_CHAINS, street)),
        tuple(
            (name_of_street(parts, rate.street), rate)
            for rate in false_rates(connection, first, last)
            if street in {None, rate.street} and (rate.false or rate.with_findings)
        ),
        tuple(false_rounds(connection, first, last, MOST_CHAINS, street)),
    )


_ENDED = {End.RETURNED: "退回", End.RECALLED: "撤回派遣"}


def _chain(parts: Parts, legs: Sequence[Leg]) -> ChainRow:
    told = []
    for leg in legs:
        how = _ENDED.get(leg.ended_by, "") if leg.ended_by else ""
        lasted = "" if leg.minutes is None or not how else f"，用时{lasting(leg.minutes)}"
        told.append(
            LegRow(
                name_of_street(parts, leg.street),
                f"{how}{' ' + leg.code if leg.code and how else ''}{lasted}",
            )
        )
    return ChainRow(legs[0].number, tuple(told))


def _hits(connection: Connection, period: Period) -> Iterator[HitRow]:
    rates = hit_rates(connection, period.first, period.last)
    for model, version in dict.fromkeys((rate.model, rate.version) for rate in rates):
        own = [rate for rate in rates if (rate.model, rate.version) == (model, version)]
        yield HitRow(
            f"{model} {version}",
            sum(rate.n for rate in own),
            sum(rate.top1 for rate in own),
            sum(rate.top3 for rate in own),
        )
