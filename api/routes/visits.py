"""回访 that are due, and how a case was rated with the objective time beside it."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.access import Visitor
from api.parts import Parts
from api.routes.cases import After, CaseRef, look, seen_up_to, sight
from api.schemas import Wire
from api.shown import indicator_name, street_name
from api.visitors import With, guard
from projections.visits import Visit, Why, ratings_of, visits

router = APIRouter(tags=["评价"])

WHY = {
    Why.UNHAPPY: "满意度不高于 2 分",
    Why.NOT_FOUND: "现场未发现",
    Why.TRANSFERRED: "转办",
    Why.FORCE_CLOSED: "强制结案",
    Why.UNRATED: "未评价（抽样）",
}


class VisitOut(Wire):
    case_id: str
    number: str
    round: int
    street: str | None
    street_name: str | None
    indicator_name: str | None
    closed_at: datetime
    why: Why
    why_name: str
    satisfaction: int | None
    solved: str | None


class VisitsOut(Wire):
    """Visits that are due, the longest closed first; `total` of all."""

    total: int
    visits: tuple[VisitOut, ...]
    as_of: int


class RatedRoundOut(Wire):
    """A closed round: the worst answers, the mean efficiency, and the objective time beside it.

    `minutes` from dispatch to hand-over by the wall, `handling_minutes` on the handling clock.
    """

    round: int
    street: str | None
    street_name: str | None
    closed_at: datetime
    ratings: int
    solved: str | None
    satisfaction: int | None
    efficiency: float | None
    minutes: int | None
    handling_minutes: int | None
    in_time: bool | None
    visited: bool
    visit_agrees: bool | None


class RatingsOut(Wire):
    number: str
    rounds: tuple[RatedRoundOut, ...]
    as_of: int


@router.get("/visits", name="visits.list", summary="待回访的案件")
async def due_visits(
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("visits.list"))],
    limit: Annotated[int, Query(ge=1, le=500, description="最多返回几条。")] = 100,
    after: After = None,
) -> VisitsOut:
    """Gone from the list once the visit is recorded (`record-visit`)."""
    as_of = await seen_up_to(parts, after)
    total, found = await look(parts, lambda c: visits(c, parts.now(), limit))
    return VisitsOut(total=total, visits=tuple(_visit(parts, each) for each in found), as_of=as_of)


def _visit(parts: Parts, each: Visit) -> VisitOut:
    return VisitOut(
        case_id=str(each.case_id),
        number=each.number,
        round=each.round,
        street=each.street,
        street_name=street_name(parts, each.street),
        indicator_name=indicator_name(parts, each.indicator or None),
        closed_at=each.closed_at,
        why=each.why,
        why_name=WHY[each.why],
        satisfaction=each.satisfaction,
        solved=each.solved,
    )


@router.get("/cases/{case}/ratings", name="cases.ratings", summary="评价与实际用时")
async def ratings(
    case: CaseRef,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("cases.ratings"))],
    after: After = None,
) -> RatingsOut:
    """How each closed round was rated; who rated is not told."""
    loaded, _actor = await sight(parts, visitor, case)
    as_of = await seen_up_to(parts, after)
    rounds = await look(parts, lambda c: ratings_of(c, loaded.case_id))
    return RatingsOut(
        number=loaded.case.number,
        rounds=tuple(
            RatedRoundOut(
                **{field: getattr(each, field) for field in each.__struct_fields__},
                street_name=street_name(parts, each.street),
            )
            for each in rounds
        ),
        as_of=as_of,
    )
