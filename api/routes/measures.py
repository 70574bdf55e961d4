"""Measures: the catalogue, figures with all that must be seen beside them, cases, sealed months."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Literal, NamedTuple, TypeVar

from fastapi import APIRouter, Depends, Path, Query
from fastapi import Request as HttpRequest
from sqlalchemy import Connection

from api.access import Visitor
from api.geojson import bad, moment_of
from api.hygiene import StreetText
from api.measure_schemas import (
    MONTH,
    BesideOut,
    CatalogueOut,
    CountedOut,
    CountedPageOut,
    FigureOut,
    FiguresOut,
    MeasureOut,
    RestatementOut,
    SealedFigureOut,
    SealedMonthOut,
    SealIn,
)
from api.office_schemas import IndicatorCode
from api.parts import Parts
from api.problems import problem_error
from api.routes.asked import Key
from api.routes.dry_runs import computed
from api.routes.noted import asked_of, note_done, noting_refusals
from api.sealed_months import Sealed, restated
from api.shown import indicator_name, name_of_street, street_name
from api.trying_out import cut_of
from api.visitors import With, guard
from casework.clocks import SHANGHAI
from casework.handlings import Cut
from casework.lifecycle import LABELS, Status
from casework.model import PlaceKind
from casework.sealed_months import SealedFigure
from projections.measure_catalogue import (
    CATALOGUE,
    Direction,
    Kind,
    Measure,
    NoSuchMeasure,
    measured,
    with_variant,
)
from projections.measures import (
    By,
    Counted,
    Figure,
    Only,
    Part,
    cases,
    compared,
    measure,
)
from projections.periods import Every, Period, month_named, periods
from projections.tables import reading
from projections.timeline_words import PLACES

router = APIRouter(tags=["统计"])
T = TypeVar("T")

MOST_PERIODS = 400
"""A year by days, and some."""

_MOST = 500

BY_NAMES = {
    By.STREET: "街镇",
    By.INDICATOR: "指标",
    By.PLACE_KIND: "场所类型",
    By.CHANNEL: "来源渠道",
    By.CODE: "原因代码",
    By.STAGE: "环节",
    By.OUTCOME: "处置结果",
    By.CELL: "100 米网格",
}
EVERY_NAMES = {Every.DAY: "日", Every.WEEK: "周", Every.MONTH: "月", Every.QUARTER: "季度"}
PART_NAMES = {
    Part.DENOMINATOR: "分母",
    Part.NUMERATOR: "分子",
    Part.REST: "分母中未计入分子的",
    Part.EXEMPTED: "申诉成立的",
}
HOW = (
    "每个数按其分母的时间归入时段，以时段末的情况为准（时段未完的，以现在为准）；"
    "给出 as_of 的，以那一刻为准。"
    "样本少于 minimum_sample 的照常显示，不参与排名；interval 为 95% 的威尔逊区间。"
    "已封存的月份读取封存的数，之后的更正见封存月份的 restated。"
)

Name = Annotated[str, Path(pattern=r"^[a-z_]{1,40}$", description="指标口径的名称。")]
EveryText = Annotated[Every, Query(alias="period", description="时段的长度。")]
From = Annotated[date | None, Query(alias="from", description="从哪一天所在的时段起；默认本时段。")]
To = Annotated[date | None, Query(alias="to", description="到哪一天所在的时段止；默认同 from。")]
Street = Annotated[StreetText | None, Query(description="只看一个街镇。")]
OfIndicator = Annotated[IndicatorCode | None, Query(description="只看一个指标。")]
OfPlace = Annotated[PlaceKind | None, Query(description="只看一类场所。")]
OfChannel = Annotated[str | None, Query(max_length=40, description="只看一个来源渠道。")]
OfCode = Annotated[
    str | None, Query(pattern=r"^[A-Z]{1,2}[0-9]{1,2}$", description="只看一个原因代码。")
]
AsOfText = Annotated[
    str | None,
    Query(
        max_length=40,
        description="以哪一刻的情况为准：日期、带时区的时间或日志位置；默认各时段末。",
    ),
]
VariantText = Annotated[
    str, Query(pattern=r"^[a-z0-9_]{0,40}$", description="口径；空为默认口径，见目录。")
]


class Question(NamedTuple):
    """What both routes are asked: over which time, of whom, as of when."""

    every: Every
    first: date | None
    last: date | None
    only: Only
    as_of: str | None
    variant: str


async def question(  # noqa: PLR0913, PLR0917  each is a parameter of the address
    every: EveryText = Every.MONTH,
    first: From = None,
    last: To = None,
    street: Street = None,
    indicator: OfIndicator = None,
    place_kind: OfPlace = None,
    channel: OfChannel = None,
    code: OfCode = None,
    as_of: AsOfText = None,
    variant: VariantText = "",
) -> Question:
    """The parameters that both routes share."""
    only = Only(
        street=street,
        indicator=indicator,
        place_kind=None if place_kind is None else str(place_kind),
        channel=channel,
        code=code,
    )
    return Question(every, first, last, only, as_of, variant)


Asking = Annotated[Question, Depends(question)]


# 目录 --------------------------------------------------------------------------------------


@router.get("/measures", name="measures.list", summary="指标口径目录")
async def list_measures(
    _visitor: Annotated[Visitor, Depends(guard("measures.list"))],
) -> CatalogueOut:
    """Every measure: formula in words, variants, unit, direction, minimum sample, target."""
    return CatalogueOut(
        measures=tuple(_measure(each) for each in CATALOGUE.values()),
        by=BY_NAMES,
        periods=EVERY_NAMES,
        parts=PART_NAMES,
        how=HOW,
    )


def _measure(of: Measure) -> MeasureOut:
    return MeasureOut(
        name=of.name,
        title=of.title,
        formula=of.formula,
        kind=of.kind,
        unit=of.unit,
        direction=of.direction,
        minimum_sample=of.minimum_sample,
        target=of.target,
        variants={name: variant.title for name, variant in of.variants.items()},
        beside=of.beside,
        version=of.version,
    )


# 封存 --------------------------------------------------------------------------------------


@router.post("/measures/seal", name="measures.seal", status_code=201, summary="封存一个月的数据")
async def seal(
    form: SealIn,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("measures.seal"))],
    key: Key,
) -> SealedMonthOut:
    """Once, after the month's end; the clock does it by itself two hours after."""
    operation, target = "measures.seal", f"sealed-month/{form.month}"
    async with noting_refusals(parts, visitor, operation, target):
        asked = await asked_of(request, parts, visitor, key)
        sealed = await computed(parts, lambda: parts.sealed_months.seal(form.month, asked))
    position = str(sealed.fact.position)
    await note_done(parts, visitor, operation, asked, target, position=position)
    return _sealed(parts, sealed, (), None)


@router.get(
    "/measures/sealed/{month}", name="measures.sealed", summary="封存的月度数据和之后的更正"
)
async def sealed_month(
    month: Annotated[str, Path(pattern=MONTH, description="月份，如 2026-05。")],
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("measures.sealed"))],
) -> SealedMonthOut:
    """As sealed; beside it, where the same formulas give something else now."""

    def work() -> SealedMonthOut:
        sealed = parts.sealed_months.of(month)
        if sealed is None:
            raise problem_error(404, "not-found", "没有找到", "这个月的数据还没有封存。")
        period, now = month_named(month), parts.now()
        with reading(parts.feed.readers.engine) as connection:
            return _sealed(parts, sealed, restated(connection, sealed, period, now), now)

    return await computed(parts, work)


def _sealed(
    parts: Parts,
    sealed: Sealed,
    changed: Sequence[tuple[SealedFigure, SealedFigure | None]],
    at: datetime | None,
) -> SealedMonthOut:
    return SealedMonthOut(
        month=sealed.fact.month,
        as_of=sealed.fact.as_of,
        position=sealed.fact.position,
        proof=sealed.position,
        sealed_at=sealed.sealed_at,
        sealed_by=sealed.sealed_by,
        figures=tuple(_sealed_figure(parts, each) for each in sealed.fact.figures),
        restated=tuple(
            RestatementOut(
                sealed=_sealed_figure(parts, was),
                now=None if now is None else _sealed_figure(parts, now),
            )
            for was, now in changed
        ),
        restated_at=at,
    )


def _sealed_figure(parts: Parts, each: SealedFigure) -> SealedFigureOut:
    of = CATALOGUE.get(each.measure)
    return SealedFigureOut(
        measure=each.measure,
        title=each.measure if of is None else of.title,
        variant=each.variant,
        by=each.by,
        key=each.key,
        key_name=key_name(parts, By(each.by) if each.by else None, each.key),
        numerator=each.numerator,
        denominator=each.denominator,
        value=each.value,
        p90=each.p90,
        version=each.version,
    )


# 数 ----------------------------------------------------------------------------------------


async def _quickly(parts: Parts, work: Callable[[], T]) -> T:
    """Ask in a thread, and not behind what computes for seconds."""
    return await asyncio.get_running_loop().run_in_executor(parts.work, work)


@router.get("/measures/{name}", name="measures.figures", summary="一个口径的数")
async def figures(
    name: Name,
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("measures.figures"))],
    asking: Asking,
    by: Annotated[By | None, Query(description="按什么分列；空为合计。")] = None,
    per: Annotated[
        Literal["km2"] | None,
        Query(description="每平方千米：只用于按街镇分列的件数，面积取现行边界图。"),
    ] = None,
) -> FiguresOut:
    """Each period and key with numerator, denominator, n and interval; compared and ranked."""

    def work() -> FiguresOut:
        of = _named(name, asking.variant)
        over = _periods(parts, asking)
        weights = None if per is None else _areas(parts, of, by)
        with reading(parts.feed.readers.engine) as connection:
            asked = _Asked(parts, connection, asking, _cut(parts, asking), parts.now(), weights)
            return FiguresOut(
                measure=_measure(of),
                variant=asking.variant,
                every=asking.every,
                by=by,
                at=None if asked.cut is None else asked.cut.at,
                as_of=parts.feed.readers.positions()["facts"],
                held=tuple(sorted({each.reader for each in parts.feed.held()})),
                figures=tuple(asked.figures(of, over, by, asking.variant)),
                beside=tuple(asked.beside(of, over)),
                exempted=asked.exempted(of, over),
            )

    return await _quickly(parts, work)


class _Asked(NamedTuple):
    """What one question is answered with."""

    parts: Parts
    connection: Connection
    asking: Question
    cut: Cut | None
    now: datetime
    weights: Mapping[str, float] | None

    def figures(
        self, of: Measure, over: Sequence[Period], by: By | None, variant: str
    ) -> Iterable[FigureOut]:
        """Figures of all periods, each with the period before and the year before."""
        known: dict[str, list[tuple[Figure, bool]]] = {}

        def read(asked: Iterable[Period]) -> Iterator[tuple[Figure, bool]]:
            for period in asked:
                if period.name not in known:  # the period before is mostly one of them
                    known[period.name] = self._read(of.name, period, by, variant)
                yield from known[period.name]

        told = list(read(over))
        before = list(read(each.before() for each in over))
        year_before = list(read(each.year_before() for each in over))
        found = [figure for figure, _sealed in told]
        then = {(f.period, f.key): f.value for f, _sealed in (*before, *year_before)}
        names = {each.name: each.before().name for each in over}
        years = {each.name: each.year_before().name for each in over}
        changes = compared(found, [f for f, _ in before], names)
        on_year = compared(found, [f for f, _ in year_before], years)
        for each, sealed in told:
            key = (each.period, each.key)
            yield FigureOut(
                period=each.period,
                key=each.key,
                key_name=key_name(self.parts, by, each.key),
                numerator=each.numerator,
                denominator=each.denominator,
                value=each.value,
                n=each.n,
                interval=each.interval,
                p90=each.p90,
                enough=each.enough,
                rank=each.rank,
                on_target=on_target(of, each),
                before=then.get((names[each.period], each.key)),
                change=changes[key],
                year_before=then.get((years[each.period], each.key)),
                change_on_year=on_year[key],
                sealed=sealed,
            )

    def _read(
        self, name: str, period: Period, by: By | None, variant: str
    ) -> list[tuple[Figure, bool]]:
        """Figures, and whether they were sealed: a sealed month is read, all else computed."""
        told = self._sealed(name, period, by, variant)
        if told is not None:
            return [(figure, True) for figure in told]
        figures_ = measure(
            self.connection, name, period, now=self.now, by=by, as_of=self.cut,
            variant=variant, only=self.asking.only, weights=self.weights,
        )  # fmt: skip
        return [(figure, False) for figure in figures_]

    def _sealed(
        self, name: str, period: Period, by: By | None, variant: str
    ) -> list[Figure] | None:
        if (self.cut, self.weights, self.asking.only) != (None, None, Only()):
            return None
        return self.parts.sealed_months.figures(name, period, by, variant)

    def beside(self, of: Measure, over: Sequence[Period]) -> Iterable[BesideOut]:
        """What must be seen with it, and the reports of staff where they are kept out."""
        wanted = [(CATALOGUE[name], "") for name in of.beside]
        if "staff_entered" in of.variants:
            wanted.append((of, "staff_entered"))
        for each, variant in wanted:
            title = each.variants[variant].title if variant else each.title
            yield BesideOut(
                name=each.name,
                variant=variant,
                title=title,
                unit=each.unit,
                figures=tuple(self.figures(each, over, None, variant)),
            )

    def exempted(self, of: Measure, over: Sequence[Period]) -> int:
        """How many of the denominators an upheld appeal exempts; see the part of that name."""
        if "exempted" not in of.variants:
            return 0
        return sum(
            cases(
                self.connection, of.name, period, now=self.now, as_of=self.cut,
                part=Part.EXEMPTED, only=self.asking.only, limit=0,
            ).total
            for period in over
        )  # fmt: skip


def _areas(parts: Parts, of: Measure, by: By | None) -> dict[str, float]:
    """Square kilometres by 街镇. Raises ProblemError where a figure is not so many of a 街镇."""
    if by is not By.STREET or of.kind not in {Kind.COUNT, Kind.STOCK}:
        raise bad("per", "每平方千米只用于按街镇分列的件数（by=street）。")
    areas = parts.dispatcher.boundaries.arrangement.areas()
    return {code: area.area / 1e6 for code, area in areas.items()}


def on_target(of: Measure, figure: Figure) -> bool | None:
    """Whether the target is kept; None where there is none, or nothing to compare."""
    if of.target is None or figure.value is None:
        return None
    up = of.direction is Direction.UP
    return figure.value >= of.target if up else figure.value <= of.target


def key_name(parts: Parts, by: By | None, key: str) -> str:
    """What a key is called in Chinese."""
    if not key:
        return "合计" if by is None else "未定"
    match by:
        case By.STREET:
            return name_of_street(parts, key)
        case By.INDICATOR:
            return indicator_name(parts, key) or key
        case By.PLACE_KIND:
            return PLACES[PlaceKind(key)]
        case By.STAGE:
            return LABELS[Status(key)].staff
        case _:
            return key


@router.get("/measures/{name}/cases", name="measures.cases", summary="一个数背后的案件，先到的在前")
async def cases_behind(
    name: Name,
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("measures.cases"))],
    asking: Asking,
    part: Annotated[Part, Query(description="分母、分子、其余，或申诉成立的。")] = Part.DENOMINATOR,
    offset: Annotated[int, Query(ge=0, le=10**6, description="跳过前几条。")] = 0,
    limit: Annotated[int, Query(ge=1, le=_MOST, description="最多返回几条。")] = 100,
) -> CountedPageOut:
    """The very case-rounds that a figure of one period counts."""

    def work() -> CountedPageOut:
        _named(name, asking.variant)
        period, cut = _periods(parts, asking)[0], _cut(parts, asking)
        with reading(parts.feed.readers.engine) as connection:
            page = cases(
                connection, name, period, now=parts.now(), as_of=cut, variant=asking.variant,
                part=part, only=asking.only, limit=limit, offset=offset,
            )  # fmt: skip
        return CountedPageOut(
            name=name,
            variant=asking.variant,
            period=period.name,
            part=part,
            at=min(period.last, parts.now()) if cut is None else cut.at,
            as_of=parts.feed.readers.positions()["facts"],
            total=page.total,
            rows=tuple(_counted(parts, row) for row in page.rows),
        )

    return await _quickly(parts, work)


def _counted(parts: Parts, row: Counted) -> CountedOut:
    return CountedOut(
        case_id=str(row.case_id),
        number=row.number,
        round=row.round,
        street=row.street,
        street_name=street_name(parts, row.street),
        indicator=row.indicator,
        indicator_name=indicator_name(parts, row.indicator or None),
        place_kind=row.place_kind,
        channel=row.channel,
        at=row.at,
        counted=row.counted,
        dispatched_at=row.dispatched_at,
        due_at=row.due_at,
        handed_over_at=row.handed_at,
        closed_at=row.closed_at,
    )


def _named(name: str, variant: str) -> Measure:
    try:
        of = measured(name)
    except NoSuchMeasure:
        raise problem_error(
            404, "not-found", "没有找到", "没有这个指标口径，请先查看目录（/measures）。"
        ) from None
    try:
        with_variant(of, variant)
    except NoSuchMeasure:
        known = "、".join(of.variants) or "无"
        raise bad("variant", f"「{of.title}」没有这种口径；可用的口径：{known}。") from None
    return of


def _periods(parts: Parts, asking: Question) -> list[Period]:
    """The periods asked for. Raises ProblemError for none, too many, or one to come."""
    now = parts.now()
    first = asking.first or asking.last or now.astimezone(SHANGHAI).date()
    last = asking.last or first
    if not (2000 <= first.year <= 2100 and 2000 <= last.year <= 2100):
        raise bad("from", "日期应在2000年至2100年之间。")
    if first > last:
        raise bad("to", "结束日期不能早于开始日期。")
    if (last - first).days > 366 * 12:
        raise bad("to", "一次最多查询十二年。")
    over = periods(asking.every, first, last)
    if len(over) > MOST_PERIODS:
        raise bad("to", f"一次最多{MOST_PERIODS}个时段，请缩短时间或用更长的时段。")
    if over[0].first > now:
        raise bad("from", "这个时段还没有到。")
    return over


def _cut(parts: Parts, asking: Question) -> Cut | None:
    if asking.as_of is None:
        return None
    now = parts.now()
    return cut_of(parts.casework.eventlog, moment_of(asking.as_of, now, coarse=False), now)
