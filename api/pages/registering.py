"""市民注册: an account of one's own, at once signed in. Reporting needs none."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import ValidationError
from starlette.responses import Response

from api.messages import field_errors
from api.pages.acting import Refused, Wrong
from api.pages.frame import Frame, framed, local
from api.pages.posted import Posted, shaped
from api.pages.signing import sign_in_here
from api.problems import FieldError, Problem, ProblemError, of_refusal
from api.routes.sessions import register
from api.schemas import CitizenIn
from casework.errors import Refusal

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
    if form.values.get("password") != form.values.get("again"):
        problem = Problem(
            "/problems/twice", "没有注册", 422, _TWICE, (FieldError("again", _TWICE),)
        )
        return _refused(frame, form, goes_on, problem)
    try:
        frame.permit("accounts.register")
        await register(_read(form), frame.parts, frame.visitor)
        opened = await sign_in_here(frame, form.one("name"), form)
    except ValidationError as invalid:
        errors = field_errors([{**e} for e in invalid.errors(include_url=False)])
        return _refused(frame, form, goes_on, Problem("", "请检查填写的内容", 422, "", errors))
    except Refusal as refusal:
        return _refused(frame, form, goes_on, *of_refusal(refusal))
    except ProblemError as fault:
        return _refused(frame, form, goes_on, fault.problem, fault.headers)
    response = frame.go(goes_on, "注册成功，已经登录。")
    opened.keep(response, frame)
    return response


def _read(form: Posted) -> CitizenIn:
    shape = shaped(CitizenIn, form)
    # A password keeps its spaces.
    return CitizenIn.model_validate(shape | {"password": form.values.get("password", ("",))[0]})


def _refused(
    frame: Frame,
    form: Posted,
    goes_on: str,
    problem: Problem,
    headers: dict[str, str] | None = None,
) -> Response:
    wrong = tuple(
        Wrong(error.field, LABELS.get(error.field, ""), error.message.split(": ", 1)[-1])
        for error in problem.errors
    )
    refused = Refused(
        action="register", status=problem.status, title=problem.title, says=problem.detail,
        wrong=wrong, values=form.values,
    )  # fmt: skip
    values = {name: form.one(name) for name in ("name", "display_name")}
    response = _page(frame, goes_on, values, refused)
    for name, value in (headers or {}).items():
        response.headers[name] = value
    return response


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
    return frame.page(
        "register.html",
        refused.status if refused else 200,
        next=goes_on,
        values=values,
        refused=refused,
        rule=f"{rule}；不要用常见密码。",
    )
