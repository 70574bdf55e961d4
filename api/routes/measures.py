"""Measures: the catalogue, figures with all that must be seen beside them, cases, sealed months."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Depends, Path, Query
from fastapi import Request as HttpRequest

from api.access import Visitor
from api.hygiene import Day, StreetText
from api.measure_schemas import (
    MONTH,
    CatalogueOut,
    CountedPageOut,
    FiguresOut,
    MeasureOut,
    RestatementOut,
    SealedFigureOut,
    SealedMonthOut,
    SealIn,
)
from api.measuring import (
    Question,
    answering,
    counted,
    key_name,
    named,
    periods_asked,
    weights_of,
)
from api.office_schemas import IndicatorCode
from api.parts import Parts
from api.problems import problem_error
from api.routes.asked import Key
from api.routes.dry_runs import computed
from api.routes.noted import asked_of, note_done, noting_refusals
from api.sealed_months import Sealed, restated
from api.visitors import With, guard
from casework.lifecycle import Status
from casework.model import Outcome, PlaceKind
from casework.sealed_months import SealedFigure
from projections.measure_catalogue import (
    CATALOGUE,
    Measure,
)
from projections.measures import (
    By,
    Only,
    Part,
    cut_for,
    only_of,
)
from projections.periods import Every, month_named
from projections.tables import reading

router = APIRouter(tags=["统计"])
T = TypeVar("T")

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
From = Annotated[Day | None, Query(alias="from", description="从哪一天所在的时段起；默认本时段。")]
To = Annotated[Day | None, Query(alias="to", description="到哪一天所在的时段止；默认同 from。")]
Street = Annotated[StreetText | None, Query(description="只看一个街镇。")]
OfIndicator = Annotated[IndicatorCode | None, Query(description="只看一个指标。")]
OfPlace = Annotated[PlaceKind | None, Query(description="只看一类场所。")]
OfChannel = Annotated[str | None, Query(max_length=40, description="只看一个来源渠道。")]
OfCode = Annotated[
    str | None, Query(pattern=r"^[A-Z]{1,2}[0-9]{1,2}$", description="只看一个原因代码。")
]
OfStage = Annotated[Status | None, Query(description="只看时段末处于一个环节的。")]
OfOutcome = Annotated[Outcome | None, Query(description="只看一种处置结果。")]
OfCell = Annotated[
    str | None,
    Query(pattern=r"^E[0-9]{1,7}N[0-9]{1,7}$", description="只看一个 100 米网格。"),
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


async def question(  # noqa: PLR0913, PLR0917  each is a parameter of the address
    every: EveryText = Every.MONTH,
    first: From = None,
    last: To = None,
    street: Street = None,
    indicator: OfIndicator = None,
    place_kind: OfPlace = None,
    channel: OfChannel = None,
    code: OfCode = None,
    stage: OfStage = None,
    outcome: OfOutcome = None,
    cell: OfCell = None,
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
        stage=None if stage is None else str(stage),
        outcome=None if outcome is None else str(outcome),
    )
    if cell is not None:
        only = only_of(By.CELL, cell, only)
    return Question(every, first, last, only, as_of, variant)


Asking = Annotated[Question, Depends(question)]


# 目录 --------------------------------------------------------------------------------------


@router.get("/measures", name="measures.list", summary="指标口径目录")
async def list_measures(
    _visitor: Annotated[Visitor, Depends(guard("measures.list"))],
) -> CatalogueOut:
    """Every measure: formula in words, variants, unit, direction, minimum sample, target."""
    return CatalogueOut(
        measures=tuple(measure_out(each) for each in CATALOGUE.values()),
        by=BY_NAMES,
        periods=EVERY_NAMES,
        parts=PART_NAMES,
        how=HOW,
    )


def measure_out(of: Measure) -> MeasureOut:
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


async def quickly(parts: Parts, work: Callable[[], T]) -> T:
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
        of = named(name, asking.variant)
        over = periods_asked(parts, asking)
        weights = None if per is None else weights_of(parts, of, by)
        with answering(parts, asking, weights) as answers:
            return FiguresOut(
                measure=measure_out(of),
                variant=asking.variant,
                every=asking.every,
                by=by,
                at=None if answers.cut is None else answers.cut.at,
                as_of=answers.read_to,
                held=answers.held,
                figures=answers.figures(of, over, by, asking.variant),
                beside=tuple(answers.beside(of, over)),
                exempted=answers.exempted(of, over),
            )

    return await quickly(parts, work)


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
        named(name, asking.variant)
        period = periods_asked(parts, asking)[0]
        with answering(parts, asking) as answers:
            page = answers.cases(name, period, asking.variant, part, limit=limit, offset=offset)
            return CountedPageOut(
                name=name,
                variant=asking.variant,
                period=period.name,
                part=part,
                at=cut_for(period, answers.now, answers.cut).at,
                as_of=answers.read_to,
                total=page.total,
                rows=tuple(counted(parts, row) for row in page.rows),
            )

    return await quickly(parts, work)
