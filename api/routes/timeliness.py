"""按期处置率 of a month, for each 街镇 and indicator, and the handlings behind each figure."""

from collections.abc import Callable, Iterator
from typing import Annotated, NamedTuple, TypeVar

from fastapi import APIRouter, Depends, Query

from api.access import Visitor
from api.geojson import bad, moment_of
from api.hygiene import StreetText
from api.office_schemas import IndicatorCode
from api.parts import Parts
from api.routes.dry_runs import computed
from api.routes.redispatch import Month
from api.shown import indicator_name, name_of_street
from api.trial_schemas import (
    HandlingOut,
    RateOut,
    TimelinessCasesOut,
    TimelinessFigures,
    TimelinessOut,
    TimelinessRowOut,
)
from api.trying_out import cut_of, require_few
from api.visitors import With, guard
from casework.handlings import End, PastHandling
from projections.past_handlings import Wanted, past
from projections.periods import month_named
from projections.statistics import percent
from projections.tables import reading
from projections.timeliness import (
    MINIMUM_SAMPLE,
    Part,
    Period,
    Rate,
    Timeliness,
    Variant,
    of_part,
    overall,
    standing,
    timeliness,
)

router = APIRouter(tags=["统计"])
T = TypeVar("T")

VARIANTS = {
    Variant.FROZEN: "按冻结的到期时间",
    Variant.PLAIN: "不计特殊时段（如同没有宣布过特殊时段）",
    Variant.EXEMPTED: "剔除申诉成立的",
}

ENDS = {
    End.ACCEPTED: "核查通过",
    End.RETURNED: "退回",
    End.RECALLED: "撤回派遣",
    End.MERGED: "并案",
    End.TRANSFERRED: "转办",
    End.FORCE_CLOSED: "强制结案",
}

FORMULA = (
    "以一次派遣后的处置为单位（案件×轮次×街镇）。分母：到期时间在当月的处置，以月末的情况为准"
    "（月份未完的，以现在为准，只计已到期的），未办结的留在分母。"
    "处置率 = 已反馈并经核查通过 ÷ 分母；按期处置率 = 其中反馈时间不晚于到期时间的 ÷ 分母。"
    "转办、强制结案留在分母，不计入分子；到期前已退回、撤回或并案的不在分母。"
    "再次派遣的案件，每个街镇各计一次。"
)

_MOST = 500

Street = Annotated[StreetText | None, Query(description="只看一个街镇。")]
OfIndicator = Annotated[IndicatorCode | None, Query(description="只看一个指标。")]
AsOfText = Annotated[
    str | None,
    Query(
        max_length=40,
        description="以哪一刻的情况为准：日期、带时区的时间或日志位置；默认月末，月份未完时为现在。",
    ),
]


class Question(NamedTuple):
    """Which month, of whom, and as of when."""

    month: str
    street: str | None
    indicator: str | None
    as_of: str | None


async def question(
    month: Month, street: Street = None, indicator: OfIndicator = None, as_of: AsOfText = None
) -> Question:
    """What both routes are asked."""
    return Question(month, street, indicator, as_of)


Asking = Annotated[Question, Depends(question)]


class _Asked(NamedTuple):
    """What is asked for, and from which position it is answered."""

    wanted: Wanted
    period: Period
    as_of: int


@router.get("/measures/timeliness", name="measures.timeliness", summary="按期处置率")
async def timeliness_of_month(
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("measures.timeliness"))],
    asking: Asking,
) -> TimelinessOut:
    """Numerators and denominators in three variants, and what has to be seen beside a rate."""

    def work() -> TimelinessOut:
        asked = _asked(parts, asking)
        lines = _read(parts, asked, lambda found: timeliness(found, asked.period))
        return TimelinessOut(
            month=asking.month,
            at=asked.period.cut.at,
            as_of=asked.as_of,
            total=_figures(overall(lines)),
            rows=tuple(_row(parts, line) for line in lines),
            variants={str(variant): says for variant, says in VARIANTS.items()},
            minimum_sample=MINIMUM_SAMPLE,
            formula=FORMULA,
        )

    return await computed(parts, work)


@router.get(
    "/measures/timeliness/cases",
    name="measures.timeliness_cases",
    summary="按期处置率背后的处置，先到期的在前",
)
async def cases_of_timeliness(
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("measures.timeliness_cases"))],
    asking: Asking,
    variant: Annotated[Variant, Query(description="口径。")] = Variant.FROZEN,
    part: Annotated[
        Part,
        Query(
            description="due 分母、in_time 按期、late 逾期办结、open 未办结、exempted 申诉成立。"
        ),
    ] = Part.DUE,
    offset: Annotated[int, Query(ge=0, le=10**6, description="跳过前几条。")] = 0,
    limit: Annotated[int, Query(ge=1, le=_MOST, description="最多返回几条。")] = 100,
) -> TimelinessCasesOut:
    """The handlings that a figure counts."""

    def work() -> TimelinessCasesOut:
        asked = _asked(parts, asking)
        found = _read(parts, asked, lambda some: of_part(some, asked.period, variant, part))
        return TimelinessCasesOut(
            month=asking.month,
            at=asked.period.cut.at,
            as_of=asked.as_of,
            total=len(found),
            handlings=tuple(
                _handling(parts, one, asked.period, variant)
                for one in found[offset : offset + limit]
            ),
        )

    return await computed(parts, work)


def _asked(parts: Parts, asking: Question) -> _Asked:
    period = month_named(asking.month)
    first, last = period.first, period.last
    now = parts.now()
    if first > now:
        raise bad("month", "这个月还没有到。")
    cut = cut_of(
        parts.casework.eventlog, moment_of(asking.as_of, now, coarse=False), min(now, last)
    )
    wanted = Wanted(
        first=first,
        last=last,
        cut=cut,
        by_due=True,
        streets=(asking.street,) if asking.street else (),
        indicator=asking.indicator,
    )
    require_few(parts.feed.readers, wanted)
    read = parts.feed.readers.positions()["handlings"]
    return _Asked(wanted, Period(first, last, cut), cut.position or read)


def _read(parts: Parts, asked: _Asked, work: Callable[[Iterator[PastHandling]], T]) -> T:
    with reading(parts.feed.readers.engine) as connection:
        return work(past(connection, asked.wanted))


def _rate(rate: Rate) -> RateOut:
    return RateOut(
        due=rate.due,
        handed_over=rate.handed_over,
        in_time=rate.in_time,
        handed_over_rate=percent(rate.handed_over, rate.due),
        in_time_rate=percent(rate.in_time, rate.due),
        enough=rate.due >= MINIMUM_SAMPLE,
    )


def _figures(line: Timeliness) -> TimelinessFigures:
    return TimelinessFigures(
        frozen=_rate(line.frozen),
        plain=_rate(line.plain),
        exempted=_rate(line.exempted),
        waiting=line.waiting,
        unfinished=line.unfinished,
        not_found=line.not_found,
        transferred=line.transferred,
        force_closed=line.force_closed,
        taken_away=line.taken_away,
        staff_entered=line.staff_entered,
        appeals=line.appeals,
    )


def _row(parts: Parts, line: Timeliness) -> TimelinessRowOut:
    return TimelinessRowOut(
        **_figures(line).model_dump(),
        street=line.street,
        street_name=name_of_street(parts, line.street),
        indicator=line.indicator,
        indicator_name=indicator_name(parts, line.indicator),
    )


def _handling(parts: Parts, one: PastHandling, period: Period, variant: Variant) -> HandlingOut:
    stands = standing(one, period, variant)
    due_at = one.plain_due_at if variant is Variant.PLAIN and one.plain_due_at else one.due_at
    return HandlingOut(
        case_id=one.case,
        number=one.number,
        round=one.round,
        street=one.street,
        street_name=name_of_street(parts, one.street),
        indicator=one.indicator,
        condition=one.condition,
        dispatched_at=one.dispatched_at,
        due_at=due_at,
        handed_over_at=one.handed_over_at,
        in_time=stands is not None and stands.in_time,
        ended_at=one.ended_at,
        ended_by=one.ended_by,
        ended_by_name=None if one.ended_by is None else ENDS[one.ended_by],
        exempted=one.exempted,
    )
