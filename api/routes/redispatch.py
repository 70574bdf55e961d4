"""再派遣: what returns and recalls cost each 街镇 in a month, and the cases behind the figures."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.access import Visitor
from api.hygiene import StreetText
from api.parts import Parts
from api.place_code_schemas import ChainOut, LegOut, RedispatchOut, RedispatchRow
from api.routes.cases import After, look, seen_up_to
from api.shown import name_of_street
from api.visitors import With, guard
from projections.periods import month_named
from projections.redispatch import Leg, Lost, chains, lost

router = APIRouter(tags=["统计"])

MOST_CHAINS = 200

FORMULA = (
    "某月派往该街镇的每次派遣计 1 次（n）；退回被接受或被撤回的，从派遣到退回、撤回的时间计入损失。"
    "minutes_lost 为自然时间的分钟数，handling_minutes_lost 为处置时钟上的分钟数"
    "（按各案件时限的计时方式）。按派遣时间归月（北京时间），之后的退回仍计入派遣当月。"
)

Month = Annotated[
    str,
    Query(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", description="月份，如 2026-05。"),
]


@router.get("/measures/redispatch", name="measures.redispatch", summary="再派遣与损失的时间")
async def redispatches(
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("measures.redispatch"))],
    month: Month,
    street: Annotated[StreetText | None, Query(description="只看一个街镇。")] = None,
    after: After = None,
) -> RedispatchOut:
    """For each 街镇 its dispatches of the month, and what of them was lost, with the cases."""
    as_of = await seen_up_to(parts, after)
    period = month_named(month)
    first, last = period.first, period.last
    rows = await look(parts, lambda c: lost(c, first, last))
    found = await look(parts, lambda c: chains(c, first, last, MOST_CHAINS + 1, street))
    return RedispatchOut(
        month=month,
        rows=tuple(_row(parts, row) for row in rows if street in {None, row.street}),
        chains=tuple(_chain(parts, legs) for legs in found[:MOST_CHAINS]),
        more_chains=len(found) > MOST_CHAINS,
        formula=FORMULA,
        as_of=as_of,
    )


def _row(parts: Parts, row: Lost) -> RedispatchRow:
    return RedispatchRow(
        street=row.street,
        street_name=name_of_street(parts, row.street),
        n=row.n,
        returned=row.returned,
        recalled=row.recalled,
        by_code=row.by_code,
        minutes_lost=row.minutes,
        handling_minutes_lost=row.handling_minutes,
    )


def _chain(parts: Parts, legs: list[Leg]) -> ChainOut:
    return ChainOut(
        case_id=legs[0].case_id,
        number=legs[0].number,
        legs=tuple(
            LegOut(
                ordinal=leg.ordinal,
                street=leg.street,
                street_name=name_of_street(parts, leg.street),
                dispatched_at=leg.dispatched_at,
                ended_at=leg.ended_at,
                ended_by=leg.ended_by,
                code=leg.code,
                minutes=leg.minutes,
                handling_minutes=leg.handling_minutes,
            )
            for leg in legs
        ),
    )
