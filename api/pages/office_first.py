"""首个管理员页: the command line's one-time token becomes the first holder of one of the three."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.office_schemas import AdministratorOut
from api.pages.frame import Frame, framed
from api.pages.refusing import Refused
from api.pages.submitting import submitted
from api.routes.sessions import redeem
from api.schemas import RedeemIn

router = APIRouter(include_in_schema=False)

PATH = "/first-administrator"
Here = Annotated[Frame, Depends(framed("pages.first_administrator"))]


def _page(frame: Frame, refused: Refused | None = None) -> Response:
    return frame.form_page(
        "office_first.html",
        refused,
    )


@router.get(PATH, name="pages.first_administrator")
async def page(frame: Here) -> Response:
    """The form."""
    return _page(frame)


@router.post(PATH, name="pages.first_administrator")
async def make(frame: Here) -> Response:
    """The account is made and has its role; sign in then."""
    form = await frame.posted()
    frame.permit("accounts.redeem")

    async def work() -> AdministratorOut:
        given = RedeemIn.model_validate(
            {
                "token": form.one("one_time"),
                "name": form.one("name"),
                "display_name": form.one("display_name"),
                "password": form.values.get("password", ("",))[0],
            }
        )
        return await redeem(given, frame.parts, frame.visitor)

    made = await submitted("first", form, work)
    if isinstance(made, Refused):
        return _page(frame, made)
    return frame.go("/sign-in", f"{made.role_name}账号已建好，请登录。")
