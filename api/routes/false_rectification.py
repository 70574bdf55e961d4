"""虚假整改率: what of a month's hand-overs was found false, by 街镇, with the cases behind it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.access import Visitor
from api.evidence_schemas import FalseCase, FalseRectificationOut, FalseRow
from api.hygiene import StreetText
from api.routes.cases import After, look, seen_up_to
from api.routes.redispatch import Month
from api.shown import name_of_street
from api.visitors import With, guard
from projections.hand_overs import false_rates, false_rounds
from projections.periods import month_named

router = APIRouter(tags=["统计"])

MOST_CASES = 200

MINIMUM = 20
"""Hand-overs below which a 街镇 is not ranked: one case more or less would turn the order over."""

FORMULA = (
    "分母：当月首次反馈整改的案件轮次（整改照片全部无法读取的反馈不计）；"
    "分子：其中以 R05 疑似虚假退回返工、以 V13 原整改失实重办、或由督办员督办重办的轮次。"
    "按首次反馈的时间归月（北京时间），之后才查实的仍计入反馈当月。"
    "照片疑点只供核查参考，不直接计入分子，另列有疑点的轮次数。"
)


@router.get(
    "/measures/false-rectification", name="measures.false_rectification", summary="虚假整改率"
)
async def false_rectification(
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("measures.false_rectification"))],
    month: Month,
    street: Annotated[StreetText | None, Query(description="只看一个街镇。")] = None,
    after: After = None,
) -> FalseRectificationOut:
    """For each 街镇 its hand-overs of the month, and those found false, with the cases."""
    as_of = await seen_up_to(parts, after)
    period = month_named(month)
    first, last = period.first, period.last
    rates = await look(parts, lambda c: false_rates(c, first, last))
    found = await look(parts, lambda c: false_rounds(c, first, last, MOST_CASES + 1, street))
    return FalseRectificationOut(
        month=month,
        rows=tuple(
            FalseRow(
                street=rate.street,
                street_name=name_of_street(parts, rate.street),
                numerator=rate.false,
                denominator=rate.handed_over,
                rate=rate.false / rate.handed_over if rate.handed_over else None,
                ranked=rate.handed_over >= MINIMUM,
                with_findings=rate.with_findings,
            )
            for rate in rates
            if street in {None, rate.street}
        ),
        cases=tuple(
            FalseCase(
                case_id=one.case_id,
                number=one.number,
                round=one.round,
                street=one.street,
                street_name=name_of_street(parts, one.street),
                handed_over_at=one.handed_over_at,
                code=one.code,
                found_at=one.found_at,
            )
            for one in found[:MOST_CASES]
        ),
        more_cases=len(found) > MOST_CASES,
        minimum=MINIMUM,
        formula=FORMULA,
        as_of=as_of,
    )
