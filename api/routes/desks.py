"""工作台: what presses at the reviewers' desk and at the supervisors'. The 街镇's is in `cases`."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from sqlalchemy import Connection

from api import similar
from api.access import Visitor
from api.desk_schemas import (
    DuplicatesOut,
    EscalatedOut,
    LateStreetOut,
    PressingOut,
    ReboundOut,
    ReturnedOut,
    ReturnsOut,
    ReviewerDeskOut,
    SectionOut,
    SupervisorDeskOut,
    SuspectedOut,
)
from api.hygiene import StreetText
from api.parts import Parts
from api.routes.cases import After, look, seen_up_to
from api.shown import Seen, indicator_name, name_of_street, of_view, remaining, street_name
from api.visitors import With, guard
from casework.clock_words import CLOCK_NAMES
from casework.lifecycle import LABELS, NAME_OF, Action
from projections.desk_lists import Pressing
from projections.reports.spots import Spot
from projections.reviewer_desk import ReviewerDesk, Section, reviewer_desk
from projections.supervisor_desk import Suspected, supervisor_desk

router = APIRouter(tags=["工作台"])


@router.get("/desk/reviewer", name="desk.reviewer", summary="审核工作台")
async def reviewers(
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("desk.reviewer"))],
    limit: Annotated[int, Query(ge=1, le=100, description="每个清单最多列出的件数。")] = 20,
    after: After = None,
) -> ReviewerDeskOut:
    """What presses, by kind of work, the first due first."""
    as_of = await seen_up_to(parts, after)
    now, seen = parts.now(), Seen(visitor.principal.actor())

    def ask(connection: Connection) -> tuple[dict[int, similar.Repeated], ReviewerDesk]:
        repeats = similar.repeated(connection)
        return repeats, reviewer_desk(connection, now, limit, repeats)

    repeats, desk = await look(parts, ask)
    like = {each.case.number: each.like.case.number for each in repeats.values()}

    def told(name: str, section: Section) -> SectionOut:
        cases = tuple(of_view(parts, view, seen, as_of) for view in section.cases)
        return SectionOut(name=name, count=section.count, cases=cases)

    return ReviewerDeskOut(
        by_status={str(status): n for status, n in desk.by_status.items()},
        urgent=told("紧急", desk.urgent),
        overdue=told("已超时", desk.overdue),
        due_soon=told("即将超时", desk.due_soon),
        supplied=told("已补充", desk.supplied),
        duplicates=DuplicatesOut(
            name="疑似重复",
            count=desk.duplicates.count,
            cases=told("疑似重复", desk.duplicates).cases,
            like={view.number: like[view.number] for view in desk.duplicates.cases},
        ),
        border=told("交界待定", desk.border),
        returns=ReturnsOut(
            name="退回待审",
            count=desk.returns.count,
            cases=_pressing(parts, desk.returns.cases, now),
        ),
        verification=told("待核查", desk.verification),
        recheck=told("待复核", desk.recheck),
        to_dispatch=told("待派遣", desk.to_dispatch),
        to_review=told("待审核", desk.to_review),
        as_of=as_of,
    )


@router.get("/desk/supervisor", name="desk.supervisor", summary="督办工作台")
async def supervisors(
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("desk.supervisor"))],
    street: Annotated[StreetText | None, Query(description="只看一个街镇。")] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="每个清单最多列出的件数。")] = 100,
    after: After = None,
) -> SupervisorDeskOut:
    """Overdue by 街镇 and by how long, notes to be answered, decisions with their clocks."""
    as_of = await seen_up_to(parts, after)
    now = parts.now()
    desk = await look(parts, lambda c: supervisor_desk(c, now, street=street, limit=limit))
    return SupervisorDeskOut(
        counts=desk.counts,
        by_street=tuple(
            LateStreetOut(
                street=late.street,
                street_name=name_of_street(parts, late.street),
                overdue=late.overdue,
                oldest_due_at=late.oldest_due_at,
                longest=remaining(late.oldest_due_at, now),
            )
            for late in desk.by_street
        ),
        overdue=_pressing(parts, desk.overdue, now),
        escalated=tuple(
            EscalatedOut(
                case=pressing_out(parts, each.case, now),
                percent=each.percent,
                reached_at=each.reached_at,
            )
            for each in desk.escalated
        ),
        notes=_pressing(parts, desk.notes, now),
        decisions=_pressing(parts, desk.decisions, now),
        to_designate=_pressing(parts, desk.to_designate, now),
        suspensions_ending=_pressing(parts, desk.suspensions_ending, now),
        due_soon=_pressing(parts, desk.due_soon, now),
        returned=tuple(
            ReturnedOut(case=pressing_out(parts, each.case, now), returns=each.returns)
            for each in desk.returned
        ),
        suspected=tuple(_suspected(parts, each) for each in desk.suspected),
        rebounds=tuple(_rebound(parts, each) for each in desk.rebounds),
        as_of=as_of,
    )


def _suspected(parts: Parts, found: Suspected) -> SuspectedOut:
    return SuspectedOut(
        case_id=found.case_id,
        number=found.number,
        status=found.status,
        status_name=LABELS[found.status].staff,
        street=found.street,
        street_name=street_name(parts, found.street),
        indicator=found.indicator,
        indicator_name=indicator_name(parts, found.indicator),
        round=found.round,
        handed_over_at=found.handed_over_at,
        code=found.code,
        findings=found.findings,
    )


def _rebound(parts: Parts, found: Spot) -> ReboundOut:
    lon, lat = found.cell.centre()
    return ReboundOut(
        cell=found.cell.name,
        lon=lon,
        lat=lat,
        street=found.street,
        street_name=street_name(parts, found.street),
        indicator=found.indicator,
        indicator_name=indicator_name(parts, found.indicator),
        reports=found.reports,
    )


def _pressing(parts: Parts, found: Iterable[Pressing], now: datetime) -> tuple[PressingOut, ...]:
    return tuple(pressing_out(parts, each, now) for each in found)


def pressing_out(parts: Parts, found: Pressing, now: datetime) -> PressingOut:
    """A case under one of its clocks, with what is left of it."""
    return PressingOut(
        case_id=found.case_id,
        number=found.number,
        status=found.status,
        status_name=LABELS[found.status].staff,
        street=found.street,
        street_name=street_name(parts, found.street),
        indicator=found.indicator,
        indicator_name=indicator_name(parts, found.indicator),
        clock=found.clock,
        clock_name=CLOCK_NAMES[found.clock],
        request=found.request,
        request_name=NAME_OF[Action(found.request)] if found.request else None,
        due_at=found.due_at,
        overdue=found.due_at < now,
        remaining=remaining(found.due_at, now),
    )
