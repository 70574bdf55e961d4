"""值班交接页: who is on duty, what would be handed over now, and the two signatures.

Of the own desk; a supervisor looks at every desk. Signing is the API's, with its rules.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from api.desk_schemas import (
    DeclineShiftIn,
    DeskDutyOut,
    DraftOut,
    DutyAccountOut,
    DutyIn,
    HandOverIn,
    ShiftPage,
)
from api.documents.kinds import Format, Report
from api.pages.frame import Frame, framed
from api.pages.posted import Posted
from api.pages.refusing import Refused
from api.pages.submitting import carried_out, read, with_moments, with_values
from api.parts import Parts
from api.routes.at_desk import desk_name as name_of
from api.routes.at_desk import every_desk, read_desk, written
from api.routes.documents import given_out
from api.routes.duty import assign, read_accounts, read_roster, remove
from api.routes.shifts import decline, draft, hand_over, list_shifts, take_over, withdraw
from casework import desks
from casework import roster as rosters
from casework.clocks import SHANGHAI
from casework.model import Role
from casework.shifts import NEAR_DUE

router = APIRouter(include_in_schema=False)

PATH = "/desk/shifts"

Asked = Annotated[str, Query(max_length=32)]
Desk = Annotated[str, Path(max_length=32)]
Number = Annotated[int, Path(ge=1, le=10**9)]

RECORDS = 10
DAY = timedelta(days=1)


class Choice(msgspec.Struct, frozen=True):
    """A desk that this visitor may look at."""

    desk: str
    name: str


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A desk's shifts as their page shows them."""

    desk: str
    name: str
    choices: tuple[Choice, ...]
    sits: bool
    """Whether the visitor works at this desk: who does not only looks."""
    edits: bool
    duty: DeskDutyOut | None
    accounts: tuple[DutyAccountOut, ...]
    draft: DraftOut
    page: ShiftPage
    me: str
    report: str
    """The last day whose record may be taken away; nothing for who may not."""


def own_desks(parts: Parts, frame: Frame) -> list[str]:
    """The desks of this visitor, the own ones first."""
    by = frame.visitor.principal.actor()
    every = every_desk(parts)
    own = [desk for desk in every if desks.sits_at(desk, by)]
    return own + ([d for d in every if d not in own] if by.holds(Role.SUPERVISOR) else [])


@router.get(PATH, name="pages.shifts")
async def shifts(
    frame: Annotated[Frame, Depends(framed("pages.shifts"))],
    desk: Asked = "",
    before: Annotated[int | None, Query(ge=1, le=10**9)] = None,
) -> Response:
    """The own desk, or the one that is asked for."""
    return await _answer(frame, desk, before=before)


async def _answer(
    frame: Frame, desk: str = "", refused: Refused | None = None, before: int | None = None
) -> Response:
    parts, visitor = frame.parts, frame.visitor
    known = own_desks(parts, frame)
    asked = read_desk(parts, desk) if desk else None
    if desk and asked not in known:
        return frame.message(404, "没有这个工作台", "没有这个工作台，或不归您查看。", PATH)
    if not known:
        return frame.message(403, "没有工作台", "您的账号还没有所属工作台，请联系系统管理员。", "/")
    own = asked or known[0]
    by = visitor.principal.actor()
    name = written(own)
    roster = await read_roster(parts, visitor, name, None)
    edits = frame.may("duty.assign") and rosters.may_edit(own, by)
    yesterday = (parts.now().astimezone(SHANGHAI) - DAY).date()
    shown = Shown(
        desk=name,
        name=name_of(parts, own),
        choices=tuple(Choice(written(one), name_of(parts, one)) for one in known),
        sits=desks.sits_at(own, by),
        edits=edits,
        duty=next(iter(roster.desks), None),
        accounts=await read_accounts(parts, visitor, name) if edits else (),
        draft=await draft(name, parts, visitor),
        page=await list_shifts(name, parts, visitor, before, RECORDS),
        me=str(visitor.principal.account_id),
        report=str(yesterday) if frame.may("documents.shifts") else "",
    )
    return frame.form_page(
        "shifts.html",
        refused,
        shown=shown,
        near_hours=NEAR_DUE // timedelta(hours=1),
    )


async def _done(
    frame: Frame,
    desk: str,
    operation: str,
    action: str,
    work: Callable[[Posted], Awaitable[object]],
    said: str,
) -> Response:
    """Carry out a form of this page; back to it, or to the form with what is wrong."""
    return await carried_out(
        frame,
        operation,
        action,
        work,
        partial(_answer, frame, desk),
        lambda _: frame.go(f"{PATH}?desk={desk}", said),
    )


@router.post(PATH + "/{desk}/hand-over", name="pages.shifts")
async def sign_over(
    desk: Desk, frame: Annotated[Frame, Depends(framed("pages.shifts"))]
) -> Response:
    """Sign what is left on the desk."""

    async def work(form: Posted) -> object:
        given = read(HandOverIn, form)
        return await hand_over(desk, given, frame.request, frame.parts, frame.visitor, form.key)

    said = "已交班，等接班人签收。"
    return await _done(frame, desk, "shifts.hand_over", "hand_over", work, said)


@router.post(PATH + "/{desk}/{number}/take-over", name="pages.shifts")
async def sign_for(
    desk: Desk, number: Number, frame: Annotated[Frame, Depends(framed("pages.shifts"))]
) -> Response:
    """The second signature."""

    async def work(form: Posted) -> object:
        return await take_over(desk, number, frame.request, frame.parts, frame.visitor, form.key)

    return await _done(frame, desk, "shifts.take_over", "take_over", work, "已接班。")


@router.post(PATH + "/{desk}/{number}/decline", name="pages.shifts")
async def turn_down(
    desk: Desk, number: Number, frame: Annotated[Frame, Depends(framed("pages.shifts"))]
) -> Response:
    """Not taken over, with the reason."""

    async def work(form: Posted) -> object:
        why = read(DeclineShiftIn, form)
        return await decline(desk, number, why, frame.request, frame.parts, frame.visitor, form.key)

    said = "已记录不接班，请与交班人当面核对。"
    return await _done(frame, desk, "shifts.decline", "decline", work, said)


@router.post(PATH + "/{desk}/{number}/withdraw", name="pages.shifts")
async def take_back(
    desk: Desk, number: Number, frame: Annotated[Frame, Depends(framed("pages.shifts"))]
) -> Response:
    """By who handed over, until somebody has answered."""

    async def work(form: Posted) -> object:
        return await withdraw(desk, number, frame.request, frame.parts, frame.visitor, form.key)

    return await _done(frame, desk, "shifts.withdraw", "withdraw", work, "已撤回交班。")


@router.post(PATH + "/{desk}/duties", name="pages.shifts")
async def put_on_duty(
    desk: Desk, frame: Annotated[Frame, Depends(framed("pages.shifts"))]
) -> Response:
    """排班."""

    async def work(form: Posted) -> object:
        filled = with_moments(with_values(form, desk=(desk,)), "starts_at", "ends_at")
        given = read(DutyIn, filled)
        return await assign(given, frame.request, frame.parts, frame.visitor, form.key)

    return await _done(frame, desk, "duty.assign", "assign_duty", work, "已排班。")


@router.post(PATH + "/{desk}/duties/{number}/remove", name="pages.shifts")
async def take_off_duty(
    desk: Desk, number: Number, frame: Annotated[Frame, Depends(framed("pages.shifts"))]
) -> Response:
    """撤班."""

    async def work(form: Posted) -> object:
        return await remove(number, frame.request, frame.parts, frame.visitor, form.key)

    return await _done(frame, desk, "duty.remove", "remove_duty", work, "已撤班。")


@router.get(PATH + "/records", name="pages.shifts_report")
async def report(
    frame: Annotated[Frame, Depends(framed("pages.shifts_report"))],
    day: Annotated[str, Query(max_length=20)] = "",
    form: Format = Format.PDF,
) -> Response:
    """值班与交接班记录 of a day, as a file; what is wrong with the day is told on a page."""
    return await given_out(frame.parts, frame.visitor, Report.SHIFTS, day, form, None)
