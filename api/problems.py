"""Refusals as HTTP problems (RFC 9457): one table, one shape, Chinese words. Knows no route.

`type` is stable and relative: /problems/<kind>. A field error names its field and says in plain
Chinese what to do.
"""

from collections.abc import Mapping, Sequence

import msgspec
from starlette.responses import Response

from api import boundary_versions
from api.accounts import errors as desk
from casework import application, catalogue, effective, errors, indicators, monthly_issue, reference
from casework.errors import Refusal
from evidence import errors as evidence_errors
from evidence.errors import UploadRefused

MEDIA_TYPE = "application/problem+json"

KINDS: dict[type[Exception], tuple[int, str]] = {
    errors.NotAllowed: (409, "现在不能这样办理"),
    errors.NotPermitted: (403, "没有权限"),
    errors.NotYours: (404, "没有找到"),
    errors.ConflictOfInterest: (403, "需要回避"),
    errors.UnknownCase: (404, "没有找到"),
    errors.Stale: (412, "案件已被更新"),
    errors.Missing: (422, "内容不完整"),
    errors.UnknownCode: (422, "原因代码无效"),
    errors.TooLate: (409, "已过时限"),
    errors.TooEarly: (409, "未到时间"),
    errors.Exhausted: (409, "次数已用完"),
    errors.NothingPending: (409, "没有可办理的申请"),
    errors.UnseenFindings: (409, "有疑点尚未查看"),
    errors.OutsideDistrict: (422, "不在海淀区"),
    errors.OutOfScope: (422, "不在上报范围"),
    errors.AlreadyReported: (409, "已经上报过"),
    errors.KeyReused: (422, "幂等键重复使用"),
    errors.Erased: (410, "已按本人要求删除"),
    errors.Behind: (503, "系统正在同步"),
    application.Unreadable: (503, "只能查看"),
    application.Contended: (503, "请稍后重试"),
    catalogue.AlreadyInCatalogue: (409, "代码已存在"),
    indicators.NotInCatalogue: (422, "目录中没有"),
    effective.TakesEffectTooSoon: (422, "生效时间过早"),
    boundary_versions.MapUnusable: (503, "街镇边界不可用"),
    monthly_issue.NotPublishable: (409, "暂不能发布"),
    reference.NotInForceYet: (503, "基础数据尚未生效"),
    desk.WrongCredentials: (401, "登录失败"),
    desk.CodeNeeded: (401, "需要动态口令"),
    desk.WrongCode: (401, "动态口令不正确"),
    desk.TooManyAttempts: (429, "登录失败次数过多"),
    desk.Overloaded: (503, "系统繁忙"),
    desk.WeakPassword: (422, "密码不符合要求"),
    desk.NotForYou: (403, "没有权限"),
    desk.RolesClash: (409, "角色互斥"),
    desk.NameTaken: (409, "登录名已被使用"),
    desk.Unfit: (422, "内容不符合要求"),
    desk.NotThere: (404, "没有找到"),
    desk.AlreadyDecided: (409, "已经处理"),
    UploadRefused: (422, "文件不能接收"),
    evidence_errors.TooLarge: (413, "文件过大"),
}
"""Every refusal's status and Chinese title; a test walks the subclasses."""


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one field of a request."""

    field: str
    message: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of every answer that is not a success."""

    type: str
    title: str
    status: int
    detail: str
    errors: tuple[FieldError, ...] = ()
    possible: tuple[str, ...] = ()
    door: str | None = None
    neighbour: str | None = None
    version: int | None = None


class ProblemError(Exception):
    """A problem of HTTP itself: no credentials, a missing header, too many requests."""

    def __init__(self, problem: Problem, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(problem.detail)
        self.problem = problem
        self.headers = dict(headers or {})


def problem_error(
    status: int,
    kind: str,
    title: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[FieldError] = (),
) -> ProblemError:
    """A problem to raise from a route."""
    problem = Problem(f"/problems/{kind}", title, status, detail, tuple(errors))
    return ProblemError(problem, headers)


def row_of(kind: type[BaseException]) -> tuple[int, str]:
    """Status and title of a refusal: its own row, or that of its nearest ancestor."""
    for ancestor in kind.__mro__:
        found = KINDS.get(ancestor)
        if found:
            status: int = found[0]
            return status, str(found[1])
    raise LookupError(f"no problem for {kind.__name__}")


def of_refusal(refusal: Refusal | UploadRefused) -> tuple[Problem, dict[str, str]]:
    """The problem of a refusal, and the headers that go with it."""
    status, title = row_of(type(refusal))
    headers: dict[str, str] = {}
    if status == 503:
        headers["Retry-After"] = str(getattr(refusal, "retry_after", 1))
    elif status in {401, 429}:
        wait = getattr(refusal, "retry_after", None)
        headers |= {"Retry-After": str(wait)} if wait else {"WWW-Authenticate": "Bearer"}
    # NotYours must look exactly as if there were no such case.
    kind = (
        "unknown-case"
        if status == 404 and isinstance(refusal, (errors.NotYours, errors.UnknownCase))
        else _slug(type(refusal).__name__)
    )
    return Problem(
        type=f"/problems/{kind}",
        title=title,
        status=status,
        detail=str(refusal),
        errors=_field_errors(refusal),
        possible=tuple(getattr(refusal, "possible", ())),
        door=getattr(refusal, "door", None),
        neighbour=getattr(refusal, "neighbour", None),
        version=getattr(refusal, "actual", None),
    ), headers


def _field_errors(refusal: Exception) -> tuple[FieldError, ...]:
    match refusal:
        case errors.Missing(what=field) | desk.Unfit(field=field):
            return (FieldError(field, str(refusal)),)
        case errors.UnknownCode():
            return (FieldError("code", str(refusal)),)
        case errors.OutsideDistrict() | errors.OutOfScope():
            return (FieldError("place", str(refusal)),)
        case _:
            return ()


def _slug(name: str) -> str:
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")


def response(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """The problem as an answer. Never cached: what it says may change at once."""
    return Response(
        msgspec.json.encode(problem),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers={**(headers or {}), "Cache-Control": "no-store"},
    )
