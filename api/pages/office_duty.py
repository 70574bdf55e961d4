"""值班表页 of the sysadmin: every desk's roster, assigned and taken back."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.desk_schemas import DutyIn, DutyOut
from api.pages.frame import Frame, framed
from api.pages.posted import Posted
from api.pages.refusing import Refused
from api.pages.submitting import carried_out, read, with_moments
from api.routes import accounts, duty
from api.routes.at_desk import desk_name, every_desk, written

router = APIRouter(include_in_schema=False)

PATH = "/office/duty"
Here = Annotated[Frame, Depends(framed("pages.office_duty"))]

_ACCOUNTS = 200


async def _page(frame: Frame, refused: Refused | None = None) -> Response:
    parts = frame.parts
    roster = await duty.read_roster(parts, frame.visitor, None, None)
    known = await accounts.list_accounts(parts, frame.visitor, "", _ACCOUNTS)
    people = [
        (str(one.id), f"{one.display_name}（{'、'.join(role.name for role in one.roles)}）")
        for one in known.accounts
        if one.roles and one.disabled_at is None
    ]
    return frame.form_page(
        "office_duty.html",
        refused,
        roster=roster,
        people=people,
        desks=[(written(desk), desk_name(parts, desk)) for desk in every_desk(parts)],
    )


@router.get(PATH, name="pages.office_duty")
async def page(frame: Here) -> Response:
    """Who is on duty now, and who will be in the month to come."""
    return await _page(frame)


@router.post(f"{PATH}/assign", name="pages.office_duty")
async def assign(frame: Here) -> Response:
    """Put somebody on a desk's roster."""

    async def work(form: Posted) -> DutyOut:
        given = read(DutyIn, with_moments(form, "starts_at", "ends_at"))
        return await duty.assign(given, frame.request, frame.parts, frame.visitor, form.key)

    return await carried_out(
        frame,
        "duty.assign",
        "duty",
        work,
        partial(_page, frame),
        lambda done: frame.go(PATH, f"已排班：{done.desk_name} {done.account_name}。"),
    )


@router.post(f"{PATH}/{{number}}/remove", name="pages.office_duty")
async def remove(number: int, frame: Here) -> Response:
    """Take a duty back; one that has begun ends now."""
    return await carried_out(
        frame,
        "duty.remove",
        "duty",
        lambda form: duty.remove(number, frame.request, frame.parts, frame.visitor, form.key),
        partial(_page, frame),
        lambda done: frame.go(PATH, f"已撤班：{done.desk_name} {done.account_name}。"),
    )
