"""到期提醒: what a desk was told of limits, newest first, and what of it still presses."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from api.access import Visitor
from api.office_schemas import LimitOut
from api.parts import Parts
from api.routes.cases import After, look, seen_up_to
from api.schemas import Wire
from api.shown import street_name
from api.visitors import With, guard
from casework.clock_words import CLOCK_NAMES, limit_in_words
from casework.errors import when
from casework.lifecycle import ROLE_NAMES
from casework.model import Clock, Role
from casework.notices import PERCENT_NAMES
from projections.notices import Notice, notices_for

router = APIRouter(tags=["时限"])

DESKS = frozenset({Role.STREET, Role.STREET_LEAD, Role.REVIEWER, Role.SUPERVISOR})


class NoticeOut(Wire):
    """A notice. `for_me`: this account was on duty when it was given."""

    position: int
    case_id: UUID
    number: str
    clock: Clock
    clock_name: str
    round: int
    percent: int
    kind_name: str
    limit: LimitOut
    due_at: datetime
    reached_at: datetime
    told_at: datetime
    to: Role
    to_name: str
    street: str | None
    street_name: str | None
    on_duty: int
    for_me: bool
    pressing: bool
    says: str


class NoticePage(Wire):
    """Notices, the newest first; `next` is the position to ask on from."""

    notices: tuple[NoticeOut, ...]
    next: int | None
    as_of: int


@router.get("/desk/notices", name="desk.notices", summary="到期提醒，新的在前")
async def read_notices(
    *,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("desk.notices"))],
    pressing: Annotated[bool, Query(description="只看仍在计时的。")] = True,
    before: Annotated[int | None, Query(ge=1, le=2**53, description="翻页: 此位置之前的。")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
    after: After = None,
) -> NoticePage:
    """What this visitor's desks were told: warnings, overdue, escalations."""
    as_of = await seen_up_to(parts, after)
    principal = visitor.principal
    desks = DESKS & set(principal.roles)
    found = await look(
        parts,
        lambda c: notices_for(
            c, desks, principal.street, pressing=pressing, before=before, limit=limit
        ),
    )
    me = str(principal.account_id)
    return NoticePage(
        notices=tuple(_shown(parts, notice, me) for notice in found),
        next=found[-1].position if len(found) == limit else None,
        as_of=as_of,
    )


def _shown(parts: Parts, notice: Notice, me: str) -> NoticeOut:
    limit, clock = notice.limit, CLOCK_NAMES[notice.clock]
    kind = PERCENT_NAMES[notice.percent]
    return NoticeOut(
        position=notice.position,
        case_id=notice.case_id,
        number=notice.number,
        clock=notice.clock,
        clock_name=clock,
        round=notice.round,
        percent=notice.percent,
        kind_name=kind,
        limit=LimitOut(amount=limit.amount, unit=limit.unit, words=limit_in_words(limit)),
        due_at=notice.due_at,
        reached_at=notice.reached_at,
        told_at=notice.told_at,
        to=notice.to,
        to_name=ROLE_NAMES[notice.to],
        street=notice.street,
        street_name=street_name(parts, notice.street),
        on_duty=len(notice.recipients),
        for_me=me in notice.recipients,
        pressing=notice.pressing,
        says=(
            f"{kind}：案件{notice.number}的{clock}时限{limit_in_words(limit)}"
            f"已用{notice.percent}%，{when(notice.due_at)}到期。"
        ),
    )
