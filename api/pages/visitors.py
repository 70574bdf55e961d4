"""Who sits in front of a page: the session in the cookie, and what proves that a form is ours.

A cookie is sent along by the browser whoever asks, so a form must come from our own pages: by its
Origin, and by a token bound to the session. Without a session one is led to the sign-in page.
"""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import quote, urlsplit

from fastapi import Request as HttpRequest
from msgspec.structs import replace
from starlette.responses import Response

from api.access import POLICY, Visitor, permit
from api.accounts.principal import Channel, PrincipalKind
from api.parts import Parts
from api.problems import ProblemError, problem_error
from api.visitors import With, address_allowed, visitor_of
from casework.numbers import is_case_number

COOKIE = "session"
DEVICE = "device"
RECEIPTS = "receipts"

KEPT_RECEIPTS = 20
"""How many receipts a browser keeps: a cookie holds 4,096 bytes, a receipt with its number 52."""


def wants_page(request: HttpRequest) -> bool:
    """Whether a browser asks, which shows people what it gets."""
    return "text/html" in request.headers.get("accept", "")


async def page_visitor(request: HttpRequest, parts: Parts) -> Visitor:
    """The visitor by the credentials of the API if there are any, else by the cookie."""
    visitor = await visitor_of(request, parts)
    value = request.cookies.get(COOKIE)
    if request.headers.get("authorization"):
        return visitor
    if not value:
        return _with_receipt(request, visitor)
    now = parts.now()
    principal = await asyncio.get_running_loop().run_in_executor(
        parts.work, parts.sessions.authenticate, value, Channel.PAGE, now
    )
    if principal is None:
        return _with_receipt(request, visitor)
    if principal.kind is PrincipalKind.STAFF and not address_allowed(request, parts):
        raise problem_error(403, "elsewhere", "网络受限", "工作人员只能从单位网络访问。")
    visitor = replace(visitor, principal=principal)
    # What a resident reported from this browser before signing in is still theirs.
    return _with_receipt(request, visitor) if principal.kind is PrincipalKind.CITIZEN else visitor


def _with_receipt(request: HttpRequest, visitor: Visitor) -> Visitor:
    """Who reported from this browser without an account holds the receipt of the case."""
    receipt = receipts_of(request).get(str(request.path_params.get("case", "")).upper())
    return replace(visitor, receipt=receipt) if receipt else visitor


def receipts_of(request: HttpRequest) -> dict[str, str]:
    """The receipts that this browser keeps, by the number of the case, the newest first."""
    pairs = (pair.partition(":") for pair in request.cookies.get(RECEIPTS, "").split("."))
    kept = [(number, receipt) for number, _, receipt in pairs if is_case_number(number)]
    return dict(kept[:KEPT_RECEIPTS])


def keep_receipt(response: Response, request: HttpRequest, number: str, receipt: str) -> None:
    """Let this browser keep a receipt for a year, so that its holder finds the case again."""
    kept = {number: receipt} | {n: r for n, r in receipts_of(request).items() if n != number}
    _keep(response, request, kept)


def forget_receipt(response: Response, request: HttpRequest, number: str) -> None:
    """Of a case whose reporter was erased."""
    kept = {n: r for n, r in receipts_of(request).items() if n != number.upper()}
    _keep(response, request, kept)


def _keep(response: Response, request: HttpRequest, kept: dict[str, str]) -> None:
    value = ".".join(f"{n}:{r}" for n, r in list(kept.items())[:KEPT_RECEIPTS])
    remember(response, request, RECEIPTS, value, 365)


def forget_receipts(response: Response) -> None:
    """On a phone that others use too."""
    response.delete_cookie(RECEIPTS)


def to_sign_in(request: HttpRequest) -> str:
    """The sign-in page, and back here afterwards."""
    query = f"?{request.url.query}" if request.url.query else ""
    here = quote(f"{request.url.path}{query}", safe="/") if _looks(request) else "/"
    return f"/sign-in?next={here}"


def to_status(request: HttpRequest) -> str:
    """Where whoever knows the number of a case learns how it stands, with a receipt all of it."""
    number = str(request.path_params.get("case", "")).upper()
    return f"/status?number={number}" if is_case_number(number) else to_sign_in(request)


def page_guard(
    operation: str, instead: Callable[[HttpRequest], str] = to_sign_in
) -> Callable[[HttpRequest, Parts], Awaitable[Visitor]]:
    """The dependency of a page, as `api.visitors.guard` is of a route of the API.

    Raises:
        ProblemError: 303 to `instead`, where a browser comes without a session.

    """
    policy = POLICY[operation]

    async def guarded(request: HttpRequest, parts: With) -> Visitor:
        visitor = await page_visitor(request, parts)
        try:
            permit(policy, visitor)
        except ProblemError as error:
            if error.problem.type == "/problems/password-due" and wants_page(request):
                raise problem_error(
                    303, "password-due", "请先修改密码", "请先修改密码。",
                    headers={"Location": "/password"},
                ) from None  # fmt: skip
            if error.problem.type == "/problems/second-factor-due" and wants_page(request):
                raise problem_error(
                    303, "second-factor-due", "请先绑定动态口令", "请先绑定动态口令。",
                    headers={"Location": "/second-factor"},
                ) from None  # fmt: skip
            if error.problem.status == 401 and wants_page(request):
                raise problem_error(
                    303,
                    "sign-in",
                    "请先登录",
                    "请先登录。",
                    headers={"Location": instead(request)},
                ) from None
            raise
        return visitor

    return guarded


def _looks(request: HttpRequest) -> bool:
    return request.method in {"GET", "HEAD"}


def own_form(request: HttpRequest) -> None:
    """Refuse a form that another site's page has sent.

    Raises:
        ProblemError: 400; a browser always names the origin of a form it posts.

    """
    origin = request.headers.get("origin") or request.headers.get("referer")
    if origin is None or urlsplit(origin).netloc != request.headers.get("host"):
        raise problem_error(
            400, "foreign-form", "来源不正确", "这个表单不是从本站页面提交的，请重新打开页面再试。"
        )


def own_session(parts: Parts, visitor: Visitor, token: str) -> None:
    """Refuse a form whose token is not of this session. Raises ProblemError: 400."""
    session = visitor.principal.session_id
    if session is None or not parts.sessions.csrf_matches(session, token):
        raise problem_error(
            400, "stale-form", "页面已过期", "页面停留过久或登录已变，请刷新后再提交。"
        )


def token_of(parts: Parts, visitor: Visitor) -> str:
    """The token that forms of this session carry; empty without a session."""
    session = visitor.principal.session_id
    return parts.sessions.csrf_token(session) if session else ""


def remember(response: Response, request: HttpRequest, name: str, value: str, days: int) -> None:
    """Set a cookie that scripts cannot read and other sites cannot send with a form."""
    response.set_cookie(
        name,
        value,
        max_age=days * 86_400,
        httponly=True,
        secure=request.url.scheme == "https",
        samesite="lax",
    )
