"""登录页: name and password into a session of the browser, and out of it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query
from fastapi import Request as HttpRequest
from starlette.responses import RedirectResponse, Response

from api.access import Visitor
from api.accounts.errors import DeskRefusal
from api.accounts.principal import Channel
from api.door import Door
from api.hygiene import Line
from api.pages.rendering import page
from api.pages.visitors import (
    COOKIE,
    DEVICE,
    own_form,
    own_session,
    page_guard,
    remember,
    token_of,
)
from api.visitors import With
from casework.errors import Refusal

router = APIRouter(include_in_schema=False)

Short = Annotated[Line, Form(max_length=200)]


def _local(path: str) -> str:
    """Where to go on: a path of this site, whatever was asked."""
    fine = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if fine else "/"


@router.get("/sign-in", name="pages.sign_in")
async def sign_in_page(
    parts: With,
    visitor: Annotated[Visitor, Depends(page_guard("pages.sign_in"))],
    next_: Annotated[str, Query(alias="next", max_length=200)] = "/",
) -> Response:
    """The form."""
    return page(
        "sign_in.html",
        visitor=visitor,
        token=token_of(parts, visitor),
        next=_local(next_),
        name="",
        error="",
    )


@router.post("/sign-in", name="pages.sign_in")
async def sign_in(
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(page_guard("pages.sign_in"))],
    name: Short = "",
    password: Annotated[str, Form(max_length=200)] = "",
    code: Short = "",
    next_: Annotated[str, Form(alias="next", max_length=200)] = "/",
) -> Response:
    """A session for this browser; what was typed stays, but for the password."""
    own_form(request)
    try:
        signed_in = await parts.sign_in.sign_in(
            name,
            password,
            source=visitor.source,
            device=request.cookies.get(DEVICE),
            channel=Channel.PAGE,
            session_id=parts.new_id(),
            now=parts.now(),
            code=code or None,
        )
    except (DeskRefusal, Refusal) as refusal:
        return page(
            "sign_in.html",
            422,
            visitor=visitor,
            token=token_of(parts, visitor),
            next=_local(next_),
            name=name,
            error=str(refusal),
        )
    response = RedirectResponse(_local(next_), 303)
    remember(response, request, COOKIE, signed_in.session.value, 30)
    remember(response, request, DEVICE, signed_in.device, 180)
    return response


@router.post("/sign-out", name="pages.sign_out")
async def sign_out(
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(page_guard("pages.sign_out"))],
    token: Short = "",
) -> Response:
    """The session ends at once, on the server too."""
    own_form(request)
    own_session(parts, visitor, token)
    session_id, now = visitor.principal.session_id, parts.now()
    assert session_id is not None
    await Door(parts).in_thread(lambda: parts.sessions.revoke(session_id, visitor.principal, now))
    response = RedirectResponse("/", 303)
    response.delete_cookie(COOKIE)
    return response
