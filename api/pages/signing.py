"""登录页: name and password into a session of the browser, and out of it; one's own password."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.accounts.errors import DeskRefusal
from api.accounts.principal import Channel
from api.door import Door
from api.pages.frame import Frame, framed, local
from api.pages.posted import Posted
from api.pages.visitors import COOKIE, DEVICE, remember
from api.problems import ProblemError
from api.routes.noted import noting_refusals
from api.visitors import keep_rate
from casework.errors import Refusal

router = APIRouter(include_in_schema=False)


@router.get("/sign-in", name="pages.sign_in")
async def sign_in_page(
    frame: Annotated[Frame, Depends(framed("pages.sign_in"))],
    next_: Annotated[str, Query(alias="next", max_length=400)] = "/",
) -> Response:
    """The form."""
    return frame.page("sign_in.html", next=local(next_), name="", error="")


@router.post("/sign-in", name="pages.sign_in")
async def sign_in(frame: Annotated[Frame, Depends(framed("pages.sign_in"))]) -> Response:
    """A session for this browser; what was typed stays, but for the password."""
    form = await frame.posted()
    name, goes_on = form.one("name")[:64], local(form.one("next", "/"))
    try:
        device = await sign_in_here(frame, name, form)
    except (DeskRefusal, Refusal) as refusal:
        return frame.page("sign_in.html", 422, next=goes_on, name=name, error=str(refusal))
    response = frame.go("/password" if device.must_change else goes_on)
    device.keep(response, frame)
    return response


class Opened:
    """A session that was opened: its secret, the device it is known by."""

    def __init__(self, secret: str, device: str, *, must_change: bool) -> None:
        self._secret = secret
        self._device = device
        self.must_change = must_change

    def keep(self, response: Response, frame: Frame) -> None:
        """Let this browser keep them."""
        remember(response, frame.request, COOKIE, self._secret, 30)
        remember(response, frame.request, DEVICE, self._device, 180)


async def sign_in_here(frame: Frame, name: str, form: Posted) -> Opened:
    """Open a session for this browser. Raises DeskRefusal or Refusal."""
    parts = frame.parts
    password = form.values.get("password", ("",))[0][:256]
    signed_in = await parts.sign_in.sign_in(
        name,
        password,
        source=frame.visitor.source,
        device=frame.request.cookies.get(DEVICE),
        channel=Channel.PAGE,
        session_id=parts.new_id(),
        now=parts.now(),
        code=form.one("code")[:40] or None,
    )
    return Opened(
        signed_in.session.value, signed_in.device, must_change=signed_in.must_change_password
    )


@router.post("/sign-out", name="pages.sign_out")
async def sign_out(frame: Annotated[Frame, Depends(framed("pages.sign_out"))]) -> Response:
    """The session ends at once, on the server too."""
    await frame.posted()
    parts, principal = frame.parts, frame.visitor.principal
    session_id, now = principal.session_id, parts.now()
    assert session_id is not None
    await Door(parts).in_thread(lambda: parts.sessions.revoke(session_id, principal, now))
    response = frame.go("/", "已退出登录。")
    response.delete_cookie(COOKIE)
    return response


@router.get("/password", name="pages.password")
async def password_page(frame: Annotated[Frame, Depends(framed("pages.password"))]) -> Response:
    """The form for one's own password."""
    return frame.page("password.html", refused=None)


@router.post("/password", name="pages.password")
async def change_password(frame: Annotated[Frame, Depends(framed("pages.password"))]) -> Response:
    """A new password; every other sign-in of the account ends."""
    form = await frame.posted()
    parts, principal = frame.parts, frame.visitor.principal
    account = principal.account_id
    assert account is not None
    old, new, again = (form.values.get(n, ("",))[0][:256] for n in ("old", "new", "again"))
    if new != again:
        return _not_changed(frame, "两次填写的新密码不一样，请重新填写。")
    try:
        keep_rate(parts, frame.visitor, "passwords", parts.limits.citizens)
        async with noting_refusals(parts, frame.visitor, "accounts.password", f"account/{account}"):
            await parts.people.change_password(account, old, new, principal, parts.now())
    except Refusal as refusal:
        return _not_changed(frame, str(refusal))
    except ProblemError as problem:
        return _not_changed(frame, problem.problem.detail)
    return frame.go("/", "密码已修改，其他设备上的登录已结束。")


def _not_changed(frame: Frame, says: str) -> Response:
    return frame.page("password.html", 422, refused=says)
