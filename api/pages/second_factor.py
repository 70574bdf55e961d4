"""动态口令页: a member of staff sets up their second factor, confirms it by a code, replaces it.

The secret is shown once, as a QR code and in letters, in the answer to the form that asked for it;
no cookie and no address holds it.
"""

from typing import Annotated

import segno
from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.accounts.errors import WrongCredentials
from api.accounts.second_factor import Enrolment
from api.office_schemas import FactorCodeIn
from api.pages.frame import Frame, framed
from api.problems import ProblemError
from api.routes.second_factor import confirm, enrolment, second_factor
from casework.errors import Refusal

router = APIRouter(include_in_schema=False)

PATH = "/second-factor"
Here = Annotated[Frame, Depends(framed("pages.second_factor"))]

_GROUP = 4
_LONGEST = 12
_SHORTEST = 6


@router.get(PATH, name="pages.second_factor")
async def page(frame: Here) -> Response:
    """How one's own stands, and what can be done."""
    return await _page(frame)


@router.post(f"{PATH}/begin", name="pages.second_factor")
async def begin(frame: Here) -> Response:
    """A fresh secret, shown here and never again."""
    form = await frame.posted()
    frame.permit("accounts.second_factor_begin")
    password = form.values.get("password", ("",))[0][:256]
    code = _digits(form.one("code"))
    try:
        shown = await enrolment(frame.parts, frame.visitor, password, code or None)
    except WrongCredentials:
        return await _page(frame, wrong="password", says="密码不正确，请重新填写。")
    except Refusal as refusal:
        return await _page(frame, wrong="code", says=str(refusal))
    except ProblemError as problem:
        return await _page(frame, wrong="password", says=problem.problem.detail)
    return await _page(frame, shown=shown)


@router.post(f"{PATH}/confirm", name="pages.second_factor")
async def confirm_page(frame: Here) -> Response:
    """In force, once the phone shows the right code."""
    form = await frame.posted()
    frame.permit("accounts.second_factor_confirm")
    code = _digits(form.one("code"))
    if not _SHORTEST <= len(code) <= _LONGEST:
        return await _page(frame, wrong="confirm", says="请填写手机上显示的6位数字。")
    try:
        await confirm(FactorCodeIn(code=code), frame.parts, frame.visitor)
    except Refusal as refusal:
        return await _page(frame, wrong="confirm", says=str(refusal))
    except ProblemError as problem:
        return await _page(frame, wrong="confirm", says=problem.problem.detail)
    return frame.go(
        PATH, "动态口令已启用，其他设备上的登录已结束。下次登录时填写手机上的动态口令。"
    )


def _digits(typed: str) -> str:
    """A code as people type it: 123 456."""
    return "".join(typed.split())[:_LONGEST]


async def _page(
    frame: Frame, shown: Enrolment | None = None, wrong: str = "", says: str = ""
) -> Response:
    state = await second_factor(frame.parts, frame.visitor)
    response = frame.page(
        "second_factor.html",
        422 if wrong else 200,
        state=state,
        secret=_grouped(shown.secret) if shown else "",
        picture=segno.make(shown.uri, error="m", micro=False).svg_data_uri(scale=5, light="white")
        if shown
        else "",
        wrong=wrong,
        says=says,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _grouped(secret: str) -> str:
    return " ".join(secret[at : at + _GROUP] for at in range(0, len(secret), _GROUP))
