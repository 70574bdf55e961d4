"""工作台: what presses at the reviewers' desk and at the supervisors'. The 街镇's is in `cases`."""

from collections.abc import Iterable
from datetime import datetime
from itertools import chain
from typing import Annotated

import msgspec
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
from api.time_left import Lefts
from api.visitors import With, guard
from casework.clock_words import CLOCK_NAMES
from casework.lifecycle import LABELS, NAME_OF, Action
from casework.model import Clock
from projections.desk_lists import Pressing
from projections.reports.spots import Spot
from projections.reviewer_desk import ReviewerDesk, Section, reviewer_desk
from projections.supervisor_desk import SupervisorDesk, Suspected, supervisor_desk

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

    def ask(connection: Connection) -> tuple[dict[int, similar.Repeated], ReviewerDesk, Lefts]:
        repeats = similar.repeated(connection)
        desk = reviewer_desk(connection, now, limit, repeats)
        sections = [each for each in msgspec.structs.astuple(desk) if isinstance(each, Section)]
        shown = {view.case_id for section in sections for view in section.cases}
        shown |= {each.case_id for each in desk.returns.cases}
        return repeats, desk, Lefts.of_cases(parts, connection, shown, now)

    repeats, desk, lefts = await look(parts, ask)
    like = {each.case.number: each.like.case.number for each in repeats.values()}

    def told(name: str, section: Section) -> SectionOut:
        cases = tuple(of_view(parts, view, seen, as_of) for view in section.cases)
        left = {
            case.number: lefts.of(case.case_id, Clock(case.due_clock), case.due_at)
            for case in cases
            if case.due_at is not None and case.due_clock is not None
        }
        return SectionOut(name=name, count=section.count, cases=cases, left=left)

    duplicates = told("疑似重复", desk.duplicates)
    return ReviewerDeskOut(
        by_status={str(status): n for status, n in desk.by_status.items()},
        urgent=told("紧急", desk.urgent),
        overdue=told("已超时", desk.overdue),
        due_soon=told("即将超时", desk.due_soon),
        supplied=told("已补充", desk.supplied),
        duplicates=DuplicatesOut(
            name="疑似重复",
            count=desk.duplicates.count,
            cases=duplicates.cases,
            left=duplicates.left,
            like={view.number: like[view.number] for view in desk.duplicates.cases},
        ),
        border=told("交界待定", desk.border),
        returns=ReturnsOut(
            name="退回待审",
            count=desk.returns.count,
            cases=_pressing(parts, desk.returns.cases, now, lefts),
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

    def ask(connection: Connection) -> tuple[SupervisorDesk, Lefts]:
        desk = supervisor_desk(connection, now, street=street, limit=limit)
        shown = {each.case_id for each in _every(desk)}
        return desk, Lefts.of_cases(parts, connection, shown, now)

    desk, lefts = await look(parts, ask)
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
        overdue=_pressing(parts, desk.overdue, now, lefts),
        escalated=tuple(
            EscalatedOut(
                case=pressing_out(parts, each.case, now, lefts),
                percent=each.percent,
                reached_at=each.reached_at,
            )
            for each in desk.escalated
        ),
        notes=_pressing(parts, desk.notes, now, lefts),
        decisions=_pressing(parts, desk.decisions, now, lefts),
        to_designate=_pressing(parts, desk.to_designate, now, lefts),
        suspensions_ending=_pressing(parts, desk.suspensions_ending, now, lefts),
        due_soon=_pressing(parts, desk.due_soon, now, lefts),
        returned=tuple(
            ReturnedOut(case=pressing_out(parts, each.case, now, lefts), returns=each.returns)
            for each in desk.returned
        ),
        suspected=tuple(_suspected(parts, each) for each in desk.suspected),
        rebounds=tuple(_rebound(parts, each) for each in desk.rebounds),
        as_of=as_of,
    )


def _every(desk: SupervisorDesk) -> Iterable[Pressing]:
    """All that stand in its lists under a clock."""
    yield from chain(
        desk.overdue, desk.notes, desk.decisions, desk.to_designate, desk.suspensions_ending,
        desk.due_soon,
    )  # fmt: skip
    yield from (each.case for each in desk.escalated)
    yield from (each.case for each in desk.returned)


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


def _pressing(
    parts: Parts, found: Iterable[Pressing], now: datetime, lefts: Lefts
) -> tuple[PressingOut, ...]:
    return tuple(pressing_out(parts, each, now, lefts) for each in found)


def pressing_out(parts: Parts, found: Pressing, now: datetime, lefts: Lefts) -> PressingOut:
    """A case under one of its clocks, with what is left of it."""
    left = lefts.of(found.case_id, found.clock, found.due_at)
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
        remaining=left.says,
        left=left,
    )
