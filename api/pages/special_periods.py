"""特殊时段页: declared by one supervisor, confirmed by another; its end moved the same way."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from api.office_schemas import ChangeOut, DeclineIn
from api.pages.choices import Choice, indicators, streets, units
from api.pages.frame import Frame, framed
from api.pages.posted import Posted
from api.pages.refusing import NOTHING_TYPED, Refused
from api.pages.submitting import carried_out, read, submitted, with_moments, with_values
from api.routes.dry_runs import try_out_open
from api.routes.indicators import confirm_change, list_changes, reject_change, withdraw_change
from api.routes.special_periods import (
    DeclareIn,
    MoveEndIn,
    SpecialPeriodOut,
    TryPeriodIn,
    declare,
    list_periods,
    move_end,
    try_out,
)
from api.trial_schemas import OpenTrialOut
from casework.special_periods import OCCASIONS

router = APIRouter(include_in_schema=False)

PATH = "/desk/special-periods"

Number = Annotated[int, Path(ge=1, le=10**9)]

OURS = frozenset({"declare-special-period", "move-special-period-end"})
"""Changes that are decided here; those of catalogue and calendar have a page of their own."""


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """The page: what is declared, what waits for a second person, what may be chosen."""

    periods: tuple[SpecialPeriodOut, ...]
    waiting: tuple[ChangeOut, ...]
    me: str
    occasions: tuple[Choice, ...]
    streets: tuple[Choice, ...]
    indicators: tuple[Choice, ...]
    units: tuple[Choice, ...]
    told: OpenTrialOut | None
    """What a dry run told."""


@router.get(PATH, name="pages.special_periods")
async def special_periods(
    frame: Annotated[Frame, Depends(framed("pages.special_periods"))],
) -> Response:
    """All of it."""
    return await _answer(frame)


async def _answer(
    frame: Frame,
    refused: Refused | None = None,
    told: OpenTrialOut | None = None,
    typed: Posted | None = None,
) -> Response:
    """The page. What was typed stays in a form that was tried out, as where one is refused."""
    kept = refused
    if typed is not None:
        kept = Refused(action="declare", status=200, title="", says="", values=typed.values)
    parts, visitor = frame.parts, frame.visitor
    waiting = await list_changes(parts=parts, _visitor=visitor, waiting=True)
    shown = Shown(
        periods=list_periods(parts, visitor),
        waiting=tuple(change for change in waiting if change.change.get("type") in OURS),
        me=str(visitor.principal.account_id),
        occasions=tuple(Choice(one, name) for one, name in OCCASIONS.items()),
        streets=streets(parts),
        indicators=indicators(parts),
        units=units(),
        told=told,
    )
    values = kept.values if kept else NOTHING_TYPED
    return frame.form_page("special_periods.html", refused, shown=shown, kept=kept, values=values)


async def _done(
    frame: Frame,
    operation: str,
    action: str,
    work: Callable[[Posted], Awaitable[object]],
    said: str,
) -> Response:
    """Carry out a form of this page; back to it, or to the form with what is wrong."""
    return await carried_out(
        frame, operation, action, work, partial(_answer, frame), lambda _: frame.go(PATH, said)
    )


def _as_asked(form: Posted) -> Posted:
    """The form of a period as the API reads it."""
    if not form.one("limit.amount"):
        form = with_values(form, **{"limit.unit": ()})  # the unit alone was only not changed
    return with_moments(form, "first", "last")


@router.post(PATH + "/dry-run", name="pages.special_periods")
async def try_out_typed(
    frame: Annotated[Frame, Depends(framed("pages.special_periods"))],
) -> Response:
    """Which open cases the period would touch as it is typed; proposes nothing."""
    form = await frame.posted()
    frame.permit("special_periods.dry_run")

    async def work() -> OpenTrialOut:
        asked = _as_asked(form)
        if not asked.one("grounds"):
            asked = with_values(asked, grounds=())
        return await try_out(read(TryPeriodIn, asked), frame.parts, frame.visitor)

    told = await submitted("declare", form, work)
    if isinstance(told, Refused):
        return await _answer(frame, told)
    return await _answer(frame, told=told, typed=form)


@router.post(PATH + "/changes/{number}/dry-run", name="pages.special_periods")
async def try_out_waiting(
    number: Number, frame: Annotated[Frame, Depends(framed("pages.special_periods"))]
) -> Response:
    """The same of one that waits for the second person."""
    form = await frame.posted()
    frame.permit("changes.open_dry_run")
    told = await submitted(
        f"confirm_{number}", form, lambda: try_out_open(number, frame.parts, frame.visitor)
    )
    if isinstance(told, Refused):
        return await _answer(frame, told)
    return await _answer(frame, told=told)


@router.post(PATH, name="pages.special_periods")
async def ask_for(
    frame: Annotated[Frame, Depends(framed("pages.special_periods"))],
) -> Response:
    """Ask for a period."""

    async def work(form: Posted) -> object:
        given = read(DeclareIn, _as_asked(form))
        return await declare(given, frame.request, frame.parts, frame.visitor, form.key)

    said = "已提出，请另一名督办员确认。"
    return await _done(frame, "special_periods.declare", "declare", work, said)


@router.post(PATH + "/{number}/move-end", name="pages.special_periods")
async def move(
    number: Number, frame: Annotated[Frame, Depends(framed("pages.special_periods"))]
) -> Response:
    """Ask for another end."""

    async def work(form: Posted) -> object:
        given = read(MoveEndIn, with_moments(form, "last"))
        return await move_end(number, given, frame.request, frame.parts, frame.visitor, form.key)

    said = "已提出改变结束时间，请另一名督办员确认。"
    return await _done(frame, "special_periods.move_end", f"move_end_{number}", work, said)


@router.post(PATH + "/changes/{number}/confirm", name="pages.special_periods")
async def confirm(
    number: Number, frame: Annotated[Frame, Depends(framed("pages.special_periods"))]
) -> Response:
    """The second person."""

    async def work(form: Posted) -> object:
        return await confirm_change(number, frame.request, frame.parts, frame.visitor, form.key)

    return await _done(frame, "indicators.confirm", f"confirm_{number}", work, "已确认。")


@router.post(PATH + "/changes/{number}/reject", name="pages.special_periods")
async def reject(
    number: Number, frame: Annotated[Frame, Depends(framed("pages.special_periods"))]
) -> Response:
    """Turn it down, with a reason."""

    async def work(form: Posted) -> object:
        given = read(DeclineIn, form)
        return await reject_change(
            number, given, frame.request, frame.parts, frame.visitor, form.key
        )

    return await _done(frame, "indicators.reject", f"reject_{number}", work, "已记录不同意。")


@router.post(PATH + "/changes/{number}/withdraw", name="pages.special_periods")
async def withdraw(
    number: Number, frame: Annotated[Frame, Depends(framed("pages.special_periods"))]
) -> Response:
    """Take one's own back."""

    async def work(form: Posted) -> object:
        return await withdraw_change(number, frame.request, frame.parts, frame.visitor, form.key)

    return await _done(frame, "indicators.withdraw", f"withdraw_{number}", work, "已撤回。")
