"""交接班: what would be handed over, handing over, and the second signature."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from fastapi import Request as HttpRequest

from api.access import Visitor
from api.accounts.people import Account
from api.desk_schemas import (
    DeclineShiftIn,
    DraftOut,
    HandOverIn,
    ItemOut,
    ShiftOut,
    ShiftPage,
    SummaryOut,
)
from api.door import Door
from api.duty import STATE_NAMES, Shift, accounts_of, page_of, record_shift
from api.parts import Parts
from api.routes.asked import Key
from api.routes.at_desk import DeskRef, desk_name, seen_desk, written
from api.routes.cases import After, look, seen_up_to
from api.routes.noted import asked_of, note_done, noting_refusals
from api.visitors import With, guard
from casework import shifts
from casework.clock_words import CLOCK_NAMES
from casework.shifts import (
    MOST_LISTED,
    NEAR_DUE,
    Decline,
    HandOver,
    Item,
    Summary,
    TakeOver,
    Withdraw,
)
from evidence.masking import mask
from projections.desk_work import Work, desk_work

router = APIRouter(tags=["交接班"])

Number = Annotated[int, Path(ge=1, le=10**9, description="交接班编号，每个工作台从 1 起。")]


@router.get("/shifts/{desk}", name="shifts.list", summary="交接班记录，新的在前")
async def list_shifts(
    desk: DeskRef,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("shifts.list"))],
    before: Annotated[int | None, Query(ge=1, le=10**9, description="上一页的 next。")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> ShiftPage:
    """The hand-overs of a desk with both signatures; a supervisor reads those of every desk."""
    own = seen_desk(parts, visitor.principal.actor(), desk)
    log = parts.casework.eventlog

    def read() -> ShiftPage:
        found = page_of(log, own, before, limit + 1)
        accounts = _accounts(parts, *found[:limit])
        return ShiftPage(
            shifts=tuple(_shift(parts, own, shift, accounts) for shift in found[:limit]),
            next=found[limit - 1].number if len(found) > limit else None,
        )

    return await Door(parts).in_thread(read)


@router.get("/shifts/{desk}/draft", name="shifts.draft", summary="交班清单: 现在交班会交出什么")
async def draft(
    desk: DeskRef,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("shifts.draft"))],
    after: After = None,
) -> DraftOut:
    """What would be handed over now; nothing is written."""
    own = seen_desk(parts, visitor.principal.actor(), desk)
    as_of = await seen_up_to(parts, after)
    summary = await _summary(parts, own, parts.now())
    return DraftOut(
        desk=written(own), desk_name=desk_name(parts, own), summary=_told(summary), as_of=as_of
    )


@router.post("/shifts/{desk}/hand-over", name="shifts.hand_over", status_code=201, summary="交班")
async def hand_over(
    desk: DeskRef,
    form: HandOverIn,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("shifts.hand_over"))],
    key: Key,
) -> ShiftOut:
    """Sign what is left on the desk, as the engine sees it now; another account takes over."""
    operation = "shifts.hand_over"
    async with noting_refusals(parts, visitor, operation, f"shift/{desk}"):
        own = seen_desk(parts, visitor.principal.actor(), desk)
        # What was acknowledged until now is in the list: the views are waited for.
        await seen_up_to(parts, await Door(parts).in_thread(parts.casework.eventlog.head))
        summary = await _summary(parts, own, parts.now())
        command = HandOver(summary=summary, words=mask(form.words))
        return await _record(request, parts, visitor, operation, key, own, command)


@router.post("/shifts/{desk}/{number}/take-over", name="shifts.take_over", summary="接班")
async def take_over(
    desk: DeskRef,
    number: Number,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("shifts.take_over"))],
    key: Key,
) -> ShiftOut:
    """The second signature, by another account of the desk."""
    return await _answer(
        request, parts, visitor, "shifts.take_over", key, desk, TakeOver(number=number)
    )


@router.post("/shifts/{desk}/{number}/decline", name="shifts.decline", summary="不接班")
async def decline(
    desk: DeskRef,
    number: Number,
    form: DeclineShiftIn,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("shifts.decline"))],
    key: Key,
) -> ShiftOut:
    """Not taken over, with the reason."""
    return await _answer(
        request,
        parts,
        visitor,
        "shifts.decline",
        key,
        desk,
        Decline(number=number, words=mask(form.words)),
    )


@router.post("/shifts/{desk}/{number}/withdraw", name="shifts.withdraw", summary="撤回交班")
async def withdraw(
    desk: DeskRef,
    number: Number,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("shifts.withdraw"))],
    key: Key,
) -> ShiftOut:
    """By who handed over, until somebody has answered."""
    return await _answer(
        request, parts, visitor, "shifts.withdraw", key, desk, Withdraw(number=number)
    )


async def _answer(
    request: HttpRequest,
    parts: Parts,
    visitor: Visitor,
    operation: str,
    key: str,
    desk: str,
    command: TakeOver | Decline | Withdraw,
) -> ShiftOut:
    async with noting_refusals(parts, visitor, operation, f"shift/{desk}/{command.number}"):
        own = seen_desk(parts, visitor.principal.actor(), desk)
        return await _record(request, parts, visitor, operation, key, own, command)


async def _record(
    request: HttpRequest,
    parts: Parts,
    visitor: Visitor,
    operation: str,
    key: str,
    desk: str,
    command: shifts.Command,
) -> ShiftOut:
    """Carry it out in a thread; then its audit row, once however often it is sent."""
    asked = await asked_of(request, parts, visitor, key)

    def carry_out() -> ShiftOut:
        shift = record_shift(parts.casework.eventlog, desk, command, asked)
        return _shift(parts, desk, shift, _accounts(parts, shift))

    done = await Door(parts).in_thread(carry_out)
    target = f"shift/{done.desk}/{done.number}"
    await note_done(parts, visitor, operation, asked, target, state=done.state)
    return done


# what is left ----------------------------------------------------------------------------


async def _summary(parts: Parts, desk: str, at: datetime) -> Summary:
    """What stands on the desk, as the views know it."""
    work: Work = await look(parts, lambda c: desk_work(c, desk, at, at + NEAR_DUE))
    items = tuple(Item(each.number, each.clock, each.due_at) for each in work.pressing)
    return Summary(
        at=at,
        open=work.open,
        near_due=work.near_due,
        overdue=work.overdue,
        pending=work.pending,
        notes=work.notes,
        items=items[:MOST_LISTED],
        left_out=max(0, len(items) - MOST_LISTED),
    )


def _told(summary: Summary) -> SummaryOut:
    return SummaryOut(
        at=summary.at,
        open=summary.open,
        near_due=summary.near_due,
        overdue=summary.overdue,
        pending=summary.pending,
        notes=summary.notes,
        items=tuple(
            ItemOut(
                number=item.number,
                clock=item.clock,
                clock_name=CLOCK_NAMES[item.clock],
                due_at=item.due_at,
                overdue=item.due_at < summary.at,
            )
            for item in summary.items
        ),
        left_out=summary.left_out,
    )


def _accounts(parts: Parts, *found: Shift) -> dict[str, Account]:
    """The accounts that signed."""
    ids = [each for s in found for each in (s.handed_over_by, s.answered_by) if each is not None]
    return accounts_of(parts.desk, ids)


def _shift(parts: Parts, desk: str, shift: Shift, accounts: dict[str, Account]) -> ShiftOut:
    def name(account: str) -> str:
        known = accounts.get(account)
        return known.display_name if known else account

    return ShiftOut(
        number=shift.number,
        desk=written(desk),
        desk_name=desk_name(parts, desk),
        handed_over_by=shift.handed_over_by,
        handed_over_by_name=name(shift.handed_over_by),
        handed_over_at=shift.handed_over_at,
        summary=_told(shift.summary),
        words=shift.words,
        state=shift.state,
        state_name=STATE_NAMES[shift.state],
        answered_by=shift.answered_by,
        answered_by_name=name(shift.answered_by) if shift.answered_by else None,
        answered_at=shift.answered_at,
        answer=shift.answer,
    )
