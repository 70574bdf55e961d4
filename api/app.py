"""The app: routes under the policy table, problems for every refusal, the layers around them."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from traceback import extract_tb

from fastapi import APIRouter, FastAPI
from fastapi import Request as HttpRequest
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp

from api import problems
from api.access import POLICY, Visitor
from api.accounts.principal import NOBODY
from api.description import describe
from api.exchange import feeds, ogc
from api.large_bodies import LargeBodies
from api.logs import log
from api.messages import field_errors
from api.pages import (
    analyst,
    analyst_files,
    analyst_trials,
    checks,
    covering,
    files,
    following,
    handlers,
    home,
    office_accounts,
    office_audit,
    office_configuration,
    office_duty,
    office_first,
    office_security,
    registering,
    reporting,
    reviewer,
    searching,
    signing,
    statics,
    street,
    supervisor,
    typical,
    typical_desk,
    uploading,
)
from api.pages import cases as case_pages
from api.pages import second_factor as second_factor_pages
from api.pages import shifts as shift_pages
from api.pages import special_periods as special_period_pages
from api.pages.frame import Frame, problem_page
from api.pages.visitors import page_visitor, wants_page
from api.parts import Parts
from api.problems import Problem, ProblemError
from api.routes import (
    accounts,
    audit,
    calendar,
    cases,
    desks,
    documents,
    dry_runs,
    duty,
    exports,
    false_rectification,
    health,
    indicators,
    measures,
    notices,
    partners,
    persons,
    photos,
    place_codes,
    places,
    recognitions,
    redispatch,
    reports,
    requests,
    second_factor,
    sessions,
    shifts,
    similar,
    special_periods,
    timeliness,
    typical_cases,
    visits,
)
from api.routes import map as map_layers
from api.running import running
from api.watching import Watched
from casework.errors import Refusal
from casework.key_writer import KeysBusy, KeysNotWritten
from casework.log.port import LogBusy, LogUnavailable
from evidence.errors import StoreUnavailable, UploadRefused

API = "/api/v1"

BODY_LIMIT = 256 * 1024
"""Bytes of a JSON body: a report of 2,000 characters with nine photos cited is far below."""

_TITLES = {
    400: "请求不正确",
    401: "请先登录",
    403: "没有权限",
    404: "没有找到",
    405: "不支持这种请求方式",
    413: "内容过大",
    415: "不支持的内容类型",
    422: "内容不正确",
}


class Served(FastAPI):
    """The app with a layer around the framework's own layers."""

    def build_middleware_stack(self) -> ASGIApp:
        return LargeBodies(super().build_middleware_stack())

    def openapi(self) -> dict[str, object]:
        """The description, made once."""
        if not self.openapi_schema:
            self.openapi_schema = describe(self, served())
        return self.openapi_schema


def create_app(parts: Parts) -> FastAPI:
    """The app over these parts, which run for as long as it serves.

    Raises KeyError where a route has no row in the policy table, LookupError for an idle row.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with running(parts):
            yield

    app = Served(
        title="海淀随手拍 · 案件引擎",
        version="1",
        summary="上报、审核、派遣、处置、结案、评价",
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
        max_body_size=BODY_LIMIT,
    )
    app.state.parts = parts
    require_policy([*ROUTERS, *UNPREFIXED])
    for router in ROUTERS:
        app.include_router(router, prefix=API)
    for router in UNPREFIXED:
        app.include_router(router)
    _answer_problems(app)
    app.add_middleware(Watched, meters=parts.meters)
    return app


def served() -> Iterator[tuple[str, APIRoute]]:
    """Every route with the prefix it is served under."""
    for prefix, routers in ((API, ROUTERS), ("", UNPREFIXED)):
        for router in routers:
            for route in router.routes:
                assert isinstance(route, APIRoute)
                yield prefix, route


def methods_at(path: str) -> set[str]:
    """Every method of a path; the framework names those of its first route only.

    A path that is written out somewhere is that one, and not a name that another could take.
    """
    found = [
        (prefix + route.path == path, route.methods or ())
        for prefix, route in served()
        if path.startswith(prefix) and route.path_regex.match(path.removeprefix(prefix))
    ]
    exact = any(same for same, _ in found)
    return {method for same, methods in found if same or not exact for method in methods}


ROUTERS = tuple(
    module.router
    for module in (
        reports,
        similar,
        photos,
        sessions,
        cases,
        requests,
        desks,
        duty,
        shifts,
        second_factor,
        accounts,
        partners,
        indicators,
        calendar,
        dry_runs,
        persons,
        audit,
        place_codes,
        redispatch,
        special_periods,
        notices,
        timeliness,
        false_rectification,
        documents,
        exports,
        visits,
        typical_cases,
        places,
        map_layers,
        recognitions,
        measures,  # last of its kind: it takes any name of a measure
    )
)
"""What is served under `API`."""

UNPREFIXED = (
    health.router,
    place_codes.links,
    ogc.router,
    feeds.router,
    statics.router,
    home.router,
    signing.router,
    second_factor_pages.router,
    registering.router,
    uploading.router,
    reporting.router,
    following.router,
    files.router,
    street.router,
    handlers.router,
    supervisor.router,
    special_period_pages.router,
    shift_pages.router,
    reviewer.router,
    checks.router,
    searching.router,
    case_pages.router,
    analyst.router,
    analyst_files.router,
    analyst_trials.router,
    office_first.router,
    office_accounts.router,
    office_configuration.router,
    office_duty.router,
    office_security.router,
    office_audit.router,
    typical.router,
    typical_desk.router,
    covering.router,
)
"""What is served beside it."""


def require_policy(routers: Sequence[APIRouter]) -> None:
    """Every route has its row and every row its route, or the app is not made."""
    names = {
        route.name for router in routers for route in router.routes if isinstance(route, APIRoute)
    }
    undeclared, idle = names - POLICY.keys(), POLICY.keys() - names
    if undeclared or idle:
        raise LookupError(f"without policy: {sorted(undeclared)}; without route: {sorted(idle)}")


def _answer_problems(app: FastAPI) -> None:
    @app.exception_handler(Refusal)
    @app.exception_handler(UploadRefused)
    async def refused(request: HttpRequest, refusal: Exception) -> Response:
        assert isinstance(refusal, (Refusal, UploadRefused))
        return await _answer(request, *problems.of_refusal(refusal))

    @app.exception_handler(ProblemError)
    async def problem(request: HttpRequest, error: Exception) -> Response:
        assert isinstance(error, ProblemError)
        return await _answer(request, error.problem, error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: HttpRequest, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        found = field_errors(error.errors())
        detail = "；".join(dict.fromkeys(e.message for e in found)) or "请检查填写的内容。"
        body = Problem("/problems/invalid", _TITLES[422], 422, detail, found)
        return await _answer(request, body)

    @app.exception_handler(HTTPException)
    async def plain(request: HttpRequest, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(sorted(methods_at(request.url.path)))
        title = _TITLES.get(error.status_code, "请求不能处理")
        body = Problem(
            f"/problems/http-{error.status_code}", title, error.status_code, title + "。"
        )
        return await _answer(request, body, headers)

    @app.exception_handler(LogBusy)
    @app.exception_handler(KeysBusy)
    async def busy(request: HttpRequest, _error: Exception) -> Response:
        return await _later(
            request, "busy", "系统繁忙", "现在提交的人较多，请稍后用同一个 Idempotency-Key 重试。"
        )

    @app.exception_handler(LogUnavailable)
    @app.exception_handler(KeysNotWritten)
    @app.exception_handler(StoreUnavailable)
    async def unavailable(request: HttpRequest, _error: Exception) -> Response:
        return await _later(
            request,
            "not-stored",
            "暂时不能保存",
            "系统暂时不能保存，请稍后用同一个 Idempotency-Key 重试；是否已保存以重试的答复为准。",
        )

    @app.exception_handler(OperationalError)
    @app.exception_handler(InterfaceError)
    @app.exception_handler(PoolTimeout)
    async def cut_off(request: HttpRequest, error: Exception) -> Response:
        route = getattr(request.scope.get("route"), "name", None)
        log.warning("database", route=route, kind=type(error).__name__)
        return await _later(
            request, "database", "数据库暂时不可用", "数据库暂时不可用，请稍后重试。"
        )

    @app.exception_handler(Exception)
    async def fault(request: HttpRequest, error: Exception) -> Response:
        route = getattr(request.scope.get("route"), "name", None)
        # Where, but not what: a message may hold what a person wrote.
        frames = [f"{f.filename}:{f.lineno} {f.name}" for f in extract_tb(error.__traceback__)[-6:]]
        log.error("fault", route=route, kind=type(error).__name__, frames=frames)
        body = Problem("/problems/fault", "系统出错", 500, "系统出错，已记录，请稍后重试。")
        return await _answer(request, body)


async def _later(request: HttpRequest, kind: str, title: str, detail: str) -> Response:
    body = Problem(f"/problems/{kind}", title, 503, detail)
    return await _answer(request, body, {"Retry-After": "1"})


async def _answer(
    request: HttpRequest, problem: Problem, headers: Mapping[str, str] | None = None
) -> Response:
    """The problem in the form of who asks: a page for a browser on our pages, else JSON."""
    if request.url.path.startswith(API) or not wants_page(request) or problem.status < 400:
        return problems.response(problem, headers)
    parts: Parts = request.app.state.parts
    try:
        visitor = await page_visitor(request, parts)
    except (ProblemError, SQLAlchemyError):
        # Who it is cannot be told now; what went wrong can.
        visitor = Visitor(NOBODY, "")
    return problem_page(Frame(request, parts, visitor), problem, headers or {})
