"""Reading the measures: figures of a period as they stood then, and the very cases behind them.

Read from `case_fact` at a moment: as of each period's end, unless another is asked for. A rate
never comes without its numerator, its denominator and an interval; too small a sample is shown
and not ranked (docs/adr/0110). Knows no street's name and no HTTP.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Connection, case, func, select

from casework.handlings import Cut
from projections.facts import CASE_FACT, Flag, holds
from projections.measure_catalogue import (
    AMOUNTS,
    DUE_MOMENTS,
    MINUTE,
    Condition,
    Direction,
    Kind,
    Measure,
    every_row,
    measured,
    with_variant,
)
from projections.periods import Period
from projections.statistics import percent, quantile, wilson
from projections.tables import micros, moment

_C = CASE_FACT.c


class By(StrEnum):
    """What it is told apart by, beside the period."""

    STREET = "street"
    INDICATOR = "indicator"
    PLACE_KIND = "place_kind"
    CHANNEL = "channel"
    CODE = "code"
    STAGE = "stage"
    OUTCOME = "outcome"
    CELL = "cell"
    """The 100 m cell, as in E4430N44289."""


# Answers -------------------------------------------------------------------------------------


class Only(msgspec.Struct, frozen=True, kw_only=True):
    """Narrows to a 街镇, an indicator, a kind of place, a channel. None is all."""

    street: str | None = None
    indicator: str | None = None
    place_kind: str | None = None
    channel: str | None = None
    code: str | None = None


EVERYTHING = Only()


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A measure in a period, of one key (`""` is all; also a report that has none).

    `value` is in the measure's unit, percent to two places; None over nothing. `n` is the sample:
    the denominator, or how many were counted. `interval` is Wilson's at 95 %, in percent.
    `rank` counts from 1, the best first, among the keys of the period with enough of a sample.
    `p90` is of durations, in minutes. `numerator` of a duration is the sum in minutes.
    """

    period: str
    key: str
    numerator: float
    denominator: int
    value: float | None
    n: int
    interval: tuple[float, float] | None = None
    enough: bool = True
    rank: int | None = None
    p90: float | None = None


class Part(StrEnum):
    """Which of the rows behind a figure."""

    DENOMINATOR = "denominator"
    NUMERATOR = "numerator"
    REST = "rest"
    """In the denominator and not in the numerator."""
    EXEMPTED = "exempted"
    """In the denominator, and an appeal was upheld."""


class Counted(msgspec.Struct, frozen=True):
    """A row behind a figure. `at` is the moment that put it into the period; times are UTC."""

    case_id: UUID
    number: str
    ordinal: int
    round: int
    street: str | None
    indicator: str
    place_kind: str
    channel: str
    at: datetime | None
    counted: bool
    """In the numerator."""
    dispatched_at: datetime | None
    due_at: datetime | None
    handed_at: datetime | None
    closed_at: datetime | None


class Page(msgspec.Struct, frozen=True):
    total: int
    rows: tuple[Counted, ...]


def measure(  # noqa: PLR0913  the questions that a figure answers
    connection: Connection,
    name: str,
    over: Period | Sequence[Period],
    *,
    now: datetime,
    by: By | None = None,
    as_of: Cut | None = None,
    variant: str = "",
    only: Only = EVERYTHING,
    weights: Mapping[str, float] | None = None,
) -> list[Figure]:
    """A measure in each period, in order, of each key in order (of cells, the hottest first).

    As of `as_of`; where that is None, as of each period's own end, or `now` where that is
    earlier. A period that has not begun has no figures. `weights` are 万人 or km² by key: the
    value is then per that. Raises NoSuchMeasure.
    """
    asked = with_variant(measured(name), variant)
    found: list[Figure] = []
    for period in [over] if isinstance(over, Period) else over:
        cut = cut_for(period, now, as_of)
        if cut.at < period.first:
            continue
        found += _in_period(connection, asked, period, cut, by, only, weights)
    return found


def cut_for(period: Period, now: datetime, as_of: Cut | None = None) -> Cut:
    """As of when a period is read."""
    return Cut(min(period.last, now)) if as_of is None else as_of


def cases(  # noqa: PLR0913  as above
    connection: Connection,
    name: str,
    period: Period,
    *,
    now: datetime,
    as_of: Cut | None = None,
    variant: str = "",
    part: Part = Part.DENOMINATOR,
    only: Only = EVERYTHING,
    limit: int = 100,
    offset: int = 0,
    due_first: bool = False,
) -> Page:
    """The very rows behind a figure, the first in time first. Raises NoSuchMeasure.

    `due_first` is for rows that have a due time: the first due comes first.
    """
    asked = with_variant(measured(name), variant)
    cut = cut_for(period, now, as_of)
    where = [*_conditions(asked, period, cut, only)]
    counts = asked.numerator(cut)
    if part is Part.NUMERATOR:
        where.append(counts)
    elif part is Part.REST:
        where.append(~counts)
    elif part is Part.EXEMPTED:
        where.append(_C.flags.bitwise_and(int(Flag.EXEMPTED)) != 0)
    total = connection.scalar(select(func.count()).select_from(CASE_FACT).where(*where))
    when = _C.stage_at if asked.kind is Kind.STOCK else _C[asked.moment]
    order = (_C.due_at, _C.number) if due_first else (when, _C.stream, _C.ordinal)
    question = (
        select(
            _C.case_id, _C.number, _C.ordinal, _C.round, _C.street, _C.indicator, _C.place_kind,
            _C.channel, when, case((counts, 1), else_=0), _C.dispatched_at, _C.due_at,
            _C.handed_at, _C.closed_at,
        )
        .where(*where)
        .order_by(*order)
        .limit(limit)
        .offset(offset)
    )  # fmt: skip
    rows = tuple(
        Counted(
            UUID(bytes=row[0]), *row[1:8], _utc(row[8]), bool(row[9]), *(_utc(t) for t in row[10:])
        )
        for row in connection.execute(question)
    )
    return Page(int(total or 0), rows)


def _utc(at: int | None) -> datetime | None:
    return None if at is None else moment(at)


def compared(
    figures: Iterable[Figure], before: Iterable[Figure], names: Mapping[str, str]
) -> dict[tuple[str, str], float | None]:
    """How much each figure differs from that of another period; points of percent for rates.

    `names` gives for each period the name of the one it is compared with. None where either has
    no value.
    """
    then = {(each.period, each.key): each.value for each in before}
    found: dict[tuple[str, str], float | None] = {}
    for each in figures:
        value = then.get((names[each.period], each.key))
        known = value is not None and each.value is not None
        found[each.period, each.key] = round(each.value - value, 2) if known else None  # type: ignore[operator]  # `known` says so
    return found


# Queries -------------------------------------------------------------------------------------


def _conditions(asked: Measure, period: Period, cut: Cut, only: Only) -> list[Condition]:
    found: list[Condition] = []
    if asked.kind is Kind.STOCK:
        found.append(_C.stage.is_not(None))
    else:
        when = _C[asked.moment]
        end = min(period.last, cut.at) if asked.moment in DUE_MOMENTS else period.last
        found += [when >= micros(period.first), when < micros(end)]
    found += [*holds(_C, cut), asked.population(cut)]
    for name in ("street", "indicator", "place_kind", "channel", "code"):
        wanted = getattr(only, name)
        if wanted is not None:
            found.append(_C[name] == wanted)
    return found


def _key(by: By | None) -> list[ColumnElement[str | int | None]]:
    match by:
        case None:
            return []
        case By.CELL:
            return [_C.cell_east, _C.cell_north]
        case _:
            return [_C[str(by)]]


def _name(by: By | None, parts: Sequence[str | int | None]) -> str:
    if by is By.CELL:
        return f"E{parts[0]}N{parts[1]}"
    return str(parts[0] or "") if parts else ""


def _in_period(
    connection: Connection,
    asked: Measure,
    period: Period,
    cut: Cut,
    by: By | None,
    only: Only,
    weights: Mapping[str, float] | None,
) -> list[Figure]:
    where = _conditions(asked, period, cut, only)
    keys = _key(by)
    if asked.kind is Kind.DURATION:
        found = _durations(connection, asked, period, by, where)
    else:
        counts, whole = _counts(asked, cut)
        question = select(*keys, counts, whole).where(*where).group_by(*keys)
        rows = connection.execute(question).all()
        found = [
            _figure(asked, period, _name(by, row[:-2]), int(row[-2] or 0), int(row[-1] or 0))
            for row in rows
            if row[-1] or by is None
        ]
    if weights is not None:
        found = [_weighed(each, weights) for each in found]
    if by is By.CELL:
        return sorted(found, key=lambda one: (-one.n, one.key))[:MOST_CELLS]
    return ranked(asked, sorted(found, key=lambda one: one.key)) if by is not None else found


MOST_CELLS = 200
"""Cells told of a period, the hottest first."""


def _counts(asked: Measure, cut: Cut) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """Numerator and denominator of a group of rows."""
    if asked.kind is Kind.MEAN:
        assert asked.amount is not None, "a mean is of something"
        return func.sum(AMOUNTS[asked.amount]), func.sum(_C.ratings)
    if asked.numerator is every_row:
        return func.count(), func.count()
    return func.sum(case((asked.numerator(cut), 1), else_=0)), func.count()


def _figure(asked: Measure, period: Period, key: str, numerator: int, denominator: int) -> Figure:
    value: float | None
    interval = None
    match asked.kind:
        case Kind.COUNT | Kind.STOCK:
            value = float(numerator)
        case Kind.MEAN:
            value = round(numerator / denominator, 2) if denominator else None
        case _:
            value = percent(numerator, denominator)
            interval = wilson(numerator, denominator)
    return Figure(
        period=period.name,
        key=key,
        numerator=numerator,
        denominator=denominator,
        value=value,
        n=denominator,
        interval=interval,
        enough=enough_of(asked, denominator),
    )


def enough_of(asked: Measure, n: int) -> bool:
    return asked.kind in {Kind.COUNT, Kind.STOCK} or n >= asked.minimum_sample


def _durations(
    connection: Connection,
    asked: Measure,
    period: Period,
    by: By | None,
    where: Sequence[Condition],
) -> list[Figure]:
    """Median and P90 in minutes to one place; neither database computes them alike."""
    assert asked.amount is not None, "a duration is of something"
    amount = AMOUNTS[asked.amount]
    values: dict[str, list[int]] = {}
    question = select(*_key(by), amount).where(*where, amount.is_not(None))
    for row in connection.execute(question):
        values.setdefault(_name(by, row[:-1]), []).append(int(row[-1] or 0))
    if by is None:
        values.setdefault("", [])
    return [_duration(asked, period, key, sorted(some)) for key, some in values.items()]


def _duration(asked: Measure, period: Period, key: str, values: Sequence[int]) -> Figure:
    n = len(values)
    return Figure(
        period=period.name,
        key=key,
        numerator=round(sum(values) / MINUTE, 1),
        denominator=n,
        value=round(quantile(values, 0.5) / MINUTE, 1) if n else None,
        p90=round(quantile(values, 0.9) / MINUTE, 1) if n else None,
        n=n,
        enough=enough_of(asked, n),
    )


def _weighed(figure: Figure, weights: Mapping[str, float]) -> Figure:
    weight = weights.get(figure.key)
    value = None if not weight else round(figure.numerator / weight, 2)
    return msgspec.structs.replace(figure, value=value)


def ranked(asked: Measure, figures: list[Figure]) -> list[Figure]:
    """With ranks, equal values sharing one; what is too small or of no direction has none."""
    if asked.direction is Direction.NEITHER:
        return figures
    values = [each.value for each in figures if each.key and each.enough and each.value is not None]
    values.sort(reverse=asked.direction is Direction.UP)
    return [
        msgspec.structs.replace(each, rank=values.index(each.value) + 1)
        if each.key and each.enough and each.value is not None
        else each
        for each in figures
    ]
