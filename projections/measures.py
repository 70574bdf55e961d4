"""Reading the measures: figures of a period as they stood then, and the very cases behind them.

Read from `case_fact` at a moment: as of each period's end, unless another is asked for. A rate
never comes without its numerator, its denominator and an interval; too small a sample is shown
and not ranked (docs/adr/0110). Knows no street's name and no HTTP.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple, TypeAlias
from uuid import UUID

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Executable,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
)

from casework.handlings import Cut
from projections.facts import CASE_FACT, CutAt, Flag, Moment, as_of_cut, holds
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
    """Narrows to a 街镇, an indicator, a kind of place … None is all, `""` is what has none.

    `cell` is a 100 m cell by its numbers east and north.
    """

    street: str | None = None
    indicator: str | None = None
    place_kind: str | None = None
    channel: str | None = None
    code: str | None = None
    stage: str | None = None
    outcome: str | None = None
    cell: tuple[int, int] | None = None


EVERYTHING = Only()

_CELL = re.compile(r"E([0-9]{1,7})N([0-9]{1,7})")


def only_of(by: By, key: str, within: Only = EVERYTHING) -> Only:
    """Narrowed further to one key of what is told apart. Raises ValueError for no such cell."""
    if by is not By.CELL:
        return msgspec.structs.replace(within, **{str(by): key})
    named = _CELL.fullmatch(key)
    if named is None:
        raise ValueError(key)
    return msgspec.structs.replace(within, cell=(int(named[1]), int(named[2])))


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


Wanted: TypeAlias = tuple[str, str]
"""A measure and a variant of it; `""` is the measure itself."""


def together(
    connection: Connection,
    wanted: Sequence[Wanted],
    period: Period,
    *,
    now: datetime,
    by: By | None = None,
    as_of: Cut | None = None,
    only: Only = EVERYTHING,
) -> dict[Wanted, list[Figure]]:
    """What `measure` tells of each, from one question for all that share a moment.

    Empty lists where the period has not begun. Raises NoSuchMeasure.
    """
    asked = {each: with_variant(measured(each[0]), each[1]) for each in wanted}
    cut = cut_for(period, now, as_of)
    if cut.at < period.first:
        return {each: [] for each in asked}
    found: dict[Wanted, list[Figure]] = {}
    alike: dict[str, list[Wanted]] = {}
    for each, of in asked.items():
        if of.kind is Kind.DURATION or by is By.CELL:
            found[each] = _in_period(connection, of, period, cut, by, only, None)
        else:
            alike.setdefault("" if of.kind is Kind.STOCK else of.moment, []).append(each)
    for some in alike.values():
        found |= _at_once(connection, {each: asked[each] for each in some}, period, cut, by, only)
    return {each: found[each] for each in wanted}


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
    counts = asked.numerator(as_of_cut(cut))
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


def first_report(connection: Connection) -> datetime | None:
    """When the first report came in; None where there is none."""
    first = connection.scalar(select(func.min(_C.submitted_at)).where(_C.submitted_at.is_not(None)))
    return _utc(first)


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


class _Bounds(NamedTuple):
    """Between which moments, and as of when: numbers, or where they will stand."""

    first: Moment
    end: Moment
    cut: CutAt


def _bounds(asked: Measure, period: Period, cut: Cut) -> _Bounds:
    end = min(period.last, cut.at) if asked.moment in DUE_MOMENTS else period.last
    return _Bounds(micros(period.first), micros(end), as_of_cut(cut))


def _conditions(asked: Measure, period: Period, cut: Cut, only: Only) -> list[Condition]:
    bounds = _bounds(asked, period, cut)
    return [*_span(asked, bounds, only), asked.population(bounds.cut)]


def _span(asked: Measure, bounds: _Bounds, only: Only) -> list[Condition]:
    """Rows of the period that stood at the cut, whichever of them are counted."""
    found: list[Condition] = []
    if asked.kind is Kind.STOCK:
        found.append(_C.stage.is_not(None))
    else:
        when = _C[asked.moment]
        found += [when >= bounds.first, when < bounds.end]
    found += holds(_C, bounds.cut)
    for name in ("street", "indicator", "place_kind", "channel", "code", "stage", "outcome"):
        wanted = getattr(only, name)
        if wanted is not None:
            column = _C[name]
            found.append(column == wanted if wanted else or_(column.is_(None), column == ""))
    if only.cell is not None:
        found += [_C.cell_east == only.cell[0], _C.cell_north == only.cell[1]]
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
        counts, whole = _counts(asked, as_of_cut(cut))
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


def _at_once(
    connection: Connection,
    asked: Mapping[Wanted, Measure],
    period: Period,
    cut: Cut,
    by: By | None,
    only: Only,
) -> dict[Wanted, list[Figure]]:
    """Measures of one moment from one question: two sums each."""
    question = _question(tuple(asked), by, only, positioned=cut.position is not None)
    bounds = _bounds(next(iter(asked.values())), period, cut)
    moments = {"first": bounds.first, "end": bounds.end, **bounds.cut._asdict()}
    rows = connection.execute(question, moments).all()
    keys = len(_key(by))
    found: dict[Wanted, list[Figure]] = {}
    for number, (each, of) in enumerate(asked.items()):
        first = keys + 2 * number
        figures = [
            _figure(of, period, _name(by, row[:keys]), int(row[first] or 0), whole)
            for row in rows
            if (whole := int(row[first + 1] or 0)) or by is None
        ]
        in_order = sorted(figures, key=lambda one: one.key)
        found[each] = in_order if by is None else ranked(of, in_order)
    return found


_FIRST, _END, _AT, _POSITION = (
    bindparam(name, type_=BigInteger) for name in ("first", "end", "at", "position")
)


@lru_cache(maxsize=512)
def _question(
    wanted: tuple[Wanted, ...], by: By | None, only: Only, *, positioned: bool
) -> Executable:
    """The question for these, for any period: building it takes longer than answering it."""
    asked = [with_variant(measured(name), variant) for name, variant in wanted]
    bounds = _Bounds(_FIRST, _END, CutAt(_AT, _POSITION if positioned else None))
    keys = _key(by)
    sums = [amount for of in asked for amount in _sums(of, bounds.cut)]
    return select(*keys, *sums).where(*_span(asked[0], bounds, only)).group_by(*keys)


def _sums(asked: Measure, cut: CutAt) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """Numerator and denominator among rows of which only some are the measure's."""
    mine = asked.population(cut)
    if asked.kind is Kind.MEAN:
        assert asked.amount is not None, "a mean is of something"
        return (
            func.sum(case((mine, AMOUNTS[asked.amount]), else_=0)),
            func.sum(case((mine, _C.ratings), else_=0)),
        )
    counts = and_(mine, asked.numerator(cut))
    return func.sum(case((counts, 1), else_=0)), func.sum(case((mine, 1), else_=0))


MOST_CELLS = 200
"""Cells told of a period, the hottest first."""


def _counts(asked: Measure, cut: CutAt) -> tuple[ColumnElement[int], ColumnElement[int]]:
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
