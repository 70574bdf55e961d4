"""值班表: who is on duty at which desk; read, written, taken back."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from fastapi import Request as HttpRequest

from api.access import Visitor
from api.accounts.errors import NotThere
from api.accounts.people import Account
from api.desk_schemas import DeskDutyOut, DutyAccountOut, DutyIn, DutyOut, DutyRosterOut
from api.door import Door
from api.duty import accounts_of, fits, require_fit
from api.hygiene import AwareMoment
from api.parts import Parts
from api.routes.asked import Key
from api.routes.at_desk import desk_name, every_desk, read_desk, written
from api.routes.noted import asked_of, note_done, noting_refusals
from api.small_streams import Asked
from api.visitors import With, guard
from casework import desks
from casework import roster as rosters
from casework.errors import Missing
from casework.roster import AssignDuty, Duty, DutyAssigned, RemoveDuty

router = APIRouter(tags=["值班"])

AHEAD = timedelta(days=31)
"""How far ahead a roster is shown: as long as a line of it may be."""

Number = Annotated[int, Path(ge=1, le=10**9, description="班次编号。")]


@router.get("/duty-roster", name="duty.roster", summary="值班表")
async def read_roster(
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("duty.roster"))],
    desk: Annotated[
        str | None, Query(max_length=32, description="只看一个工作台；默认可见的全部。")
    ] = None,
    at: Annotated[AwareMoment | None, Query(description="此时谁值班；默认现在。")] = None,
) -> DutyRosterOut:
    """Who is on duty at a moment, and who will be in the 31 days after it; a 街镇 sees its own."""
    moment, by = at or parts.now(), visitor.principal.actor()
    wanted = every_desk(parts) if desk is None else [read_desk(parts, desk)]
    seen = [each for each in wanted if each is not None and rosters.may_see(each, by)]
    if desk is not None and not seen:
        raise NotThere("工作台")
    return await Door(parts).in_thread(lambda: _roster(parts, seen, moment))


@router.get("/duty-roster/accounts", name="duty.accounts", summary="可排班的账号")
async def read_accounts(
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("duty.accounts"))],
    desk: Annotated[str, Query(max_length=32, description="工作台。")],
) -> tuple[DutyAccountOut, ...]:
    """Who sits at a desk and may be put on its roster, for who writes that roster."""
    own = read_desk(parts, desk)
    if own is None or not rosters.may_edit(own, visitor.principal.actor()):
        raise NotThere("工作台")
    found = await Door(parts).in_thread(
        lambda: parts.people.holding(desks.roles_at(own), desks.street_of(own))
    )
    return tuple(DutyAccountOut(account=one.id, account_name=one.display_name) for one in found)


def _roster(parts: Parts, seen: list[str], at: datetime) -> DutyRosterOut:
    roster = parts.duty.read()
    lines = {
        desk: [duty for duty in rosters.duties_from(roster, desk, at) if duty.begins < at + AHEAD]
        for desk in seen
    }
    ids = [duty.account for duties in lines.values() for duty in duties]
    accounts = accounts_of(parts.desk, ids)

    def told(desk: str, duties: Iterable[Duty]) -> tuple[DutyOut, ...]:
        return tuple(_duty(parts, desk, duty, accounts) for duty in duties)

    return DutyRosterOut(
        at=at,
        desks=tuple(
            DeskDutyOut(
                desk=written(desk),
                desk_name=desk_name(parts, desk),
                on_duty=told(desk, (duty for duty in duties if duty.begins <= at)),
                upcoming=told(desk, (duty for duty in duties if duty.begins > at)),
            )
            for desk, duties in lines.items()
        ),
    )


def _duty(parts: Parts, desk: str, duty: Duty, accounts: dict[str, Account]) -> DutyOut:
    account = accounts.get(duty.account)
    return DutyOut(
        number=duty.number,
        desk=written(desk),
        desk_name=desk_name(parts, desk),
        account=duty.account,
        account_name=account.display_name if account else duty.account,
        starts_at=duty.begins,
        ends_at=duty.ends,
        fit=fits(desk, account),
    )


@router.post("/duty-roster", name="duty.assign", status_code=201, summary="排班")
async def assign(
    form: DutyIn,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("duty.assign"))],
    key: Key,
) -> DutyOut:
    """Put an account of the desk on the roster; duties may overlap, and begin in no past."""
    async with noting_refusals(parts, visitor, "duty.assign"):
        desk = read_desk(parts, form.desk)
        if desk is None:
            raise Missing("desk", "没有这个工作台。")
        account = str(form.account)
        command = AssignDuty(desk=desk, account=account, begins=form.starts_at, ends=form.ends_at)
        return await _record(request, parts, visitor, "duty.assign", key, command)


@router.post("/duty-roster/{number}/remove", name="duty.remove", summary="撤班")
async def remove(
    number: Number,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("duty.remove"))],
    key: Key,
) -> DutyOut:
    """Take a duty back; one that has begun ends now, one that is over stays."""
    async with noting_refusals(parts, visitor, "duty.remove", f"duty/{number}"):
        command = RemoveDuty(number=number)
        return await _record(request, parts, visitor, "duty.remove", key, command)


async def _record(
    request: HttpRequest,
    parts: Parts,
    visitor: Visitor,
    operation: str,
    key: str,
    command: rosters.Command,
) -> DutyOut:
    """Carry it out in a thread; then its audit row."""
    asked = await asked_of(request, parts, visitor, key)
    done = await Door(parts).in_thread(lambda: _carry_out(parts, command, asked))
    target, facts = f"duty/{done.number}", {"desk": done.desk, "account": done.account}
    await note_done(parts, visitor, operation, asked, target, **facts)
    return done


def _carry_out(parts: Parts, command: rosters.Command, asked: Asked) -> DutyOut:
    """The duty as it was written or taken back, under its desk and name."""

    def fit() -> None:
        if isinstance(command, AssignDuty):
            found = accounts_of(parts.desk, [command.account])
            require_fit(command.desk, found.get(command.account))

    event = parts.duty.record(command, asked, fit)
    ends = event.ends if isinstance(event, DutyAssigned) else max(event.begins, event.until)
    duty = Duty(event.begins, event.number, ends, event.account)
    return _duty(parts, event.desk, duty, accounts_of(parts.desk, [event.account]))
