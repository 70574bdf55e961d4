"""市民注册: an account of one's own, at once signed in. Reporting needs none."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.pages.frame import Frame, framed, local
from api.pages.posted import Posted, shaped
from api.pages.refusing import Refused
from api.pages.signing import Opened, sign_in_here
from api.pages.submitting import submitted
from api.problems import FieldError, problem_error
from api.routes.sessions import register
from api.schemas import CitizenIn

router = APIRouter(include_in_schema=False)

LABELS = {"name": "登录名", "password": "密码", "again": "再填一次密码", "display_name": "称呼"}
NOTHING: Mapping[str, str] = {}
_TWICE = "两次填写的密码不一样，请重新填写。"


@router.get("/register", name="pages.register")
async def register_page(
    frame: Annotated[Frame, Depends(framed("pages.register"))],
    next_: Annotated[str, Query(alias="next", max_length=400)] = "/my",
) -> Response:
    """The form."""
    return _page(frame, local(next_, "/my"))


@router.post("/register", name="pages.register")
async def make_account(frame: Annotated[Frame, Depends(framed("pages.register"))]) -> Response:
    """An account and a session for this browser; what was typed stays, but for the passwords."""
    form = await frame.posted()
    goes_on = local(form.one("next"), "/my")

    async def work() -> Opened:
        if form.values.get("password") != form.values.get("again"):
            wrong = (FieldError("again", _TWICE),)
            raise problem_error(422, "twice", "没有注册", _TWICE, errors=wrong)
        frame.permit("accounts.register")
        await register(_read(form), frame.parts, frame.visitor)
        return await sign_in_here(frame, form.one("name"), form)

    opened = await submitted("register", form, work, label=_label)
    if isinstance(opened, Refused):
        typed = {name: form.one(name) for name in ("name", "display_name")}
        return _page(frame, goes_on, typed, opened)
    response = frame.go(goes_on, "注册成功，已经登录。")
    opened.keep(response, frame)
    return response


def _label(_action: str, name: str) -> str:
    return LABELS.get(name, "")


def _read(form: Posted) -> CitizenIn:
    shape = shaped(CitizenIn, form)
    # A password keeps its spaces.
    return CitizenIn.model_validate(shape | {"password": form.values.get("password", ("",))[0]})


def _page(
    frame: Frame,
    goes_on: str,
    values: Mapping[str, str] = NOTHING,
    refused: Refused | None = None,
) -> Response:
    profile = frame.parts.passwords.profile
    rule = f"至少{profile.shortest}位"
    if profile.classes:
        rule += f"，含大写字母、小写字母、数字、符号中的{profile.classes}类"
    return frame.form_page(
        "register.html",
        refused,
        next=goes_on,
        values=values,
        rule=f"{rule}；不要用常见密码。",
    )
