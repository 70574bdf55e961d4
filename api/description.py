"""The API's own description (OpenAPI 3.1): who may ask, every answer, examples. Changes no route.

Who may ask comes from the policy table; the examples from `api.examples`.
"""

from collections.abc import Iterable, Iterator, Mapping

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel

from api import problems
from api.access import POLICY, Policy, Who
from api.examples import ANSWERS, EXAMPLES
from api.schemas import Wire
from casework.lifecycle import ROLE_NAMES
from casework.model import Role

Json = dict[str, object]


class FieldErrorOut(Wire):
    """What is wrong with one field."""

    field: str
    message: str


class ProblemOut(Wire):
    """RFC 9457. `type` is stable; `title` and `detail` are plain Chinese."""

    type: str
    title: str
    status: int
    detail: str
    errors: tuple[FieldErrorOut, ...] = ()
    possible: tuple[str, ...] = ()
    door: str | None = None
    neighbour: str | None = None
    version: int | None = None


SCHEMES: Mapping[str, Json] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "登录后得到的令牌。"},
    "partner": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "接入方: `Partner <密钥>`。",
    },
    "receipt": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "未登录的反映人: `Receipt <回执>`。",
    },
    "upload": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "街镇经办人的一次性上传链接: `Upload <链接>`。",
    },
}

_DRAFT: Json = {
    "name": "Draft",
    "in": "header",
    "required": False,
    "description": "未登录上传时的草稿编号（随机 UUID），与随后上报的 Idempotency-Key 相同。",
    "schema": {"type": "string", "format": "uuid"},
}

_ALWAYS = {400: "请求不能读取", 401: "凭证无效", 403: "没有权限", 422: "内容不正确"}
_LATER = {429: "操作过于频繁", 503: "暂时不能办理"}
_OF_ONE = {404: "没有找到", 410: "已按本人要求删除"}
_ALSO = {
    "indicators.list": {404},
    "duty.roster": {404},
    "duty.accounts": {404},
    "calendar.read": {404},
    "handler.task": {404},
    "typical_cases.preview": {409},
}
"""What single operations answer besides."""
_OF_CHANGES = {409: "现在不能这样办理", 412: "案件已被更新", 413: "内容过大"}


def describe(app: FastAPI, served: Iterable[tuple[str, APIRoute]]) -> Json:
    """The description of this app, whose routes are `served` under a prefix each."""
    found: Json = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description="时间为带时区的 ISO 8601；坐标为所注明坐标系的度。",
        routes=app.routes,
    )
    components = _child(found, "components")
    components["securitySchemes"] = dict(SCHEMES)
    schemas = _child(components, "schemas")
    for shape in (FieldErrorOut, ProblemOut):
        schemas[shape.__name__] = _schema(shape)
    every = _ALWAYS | _LATER | _OF_ONE | _OF_CHANGES
    components["responses"] = {str(s): _problem(s, says) for s, says in sorted(every.items())}
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for name, example in ANSWERS.items():
        _child(schemas, name)["examples"] = [example]
    for route, operation in _operations(served, found):
        _complete(route, operation)
    return found


def _operations(
    served: Iterable[tuple[str, APIRoute]], found: Json
) -> Iterator[tuple[APIRoute, Json]]:
    paths = _child(found, "paths")
    for prefix, route in served:
        if not route.include_in_schema:
            continue
        for method in route.methods or ():
            yield route, _child(_child(paths, prefix + route.path_format), method.lower())


def _complete(route: APIRoute, operation: Json) -> None:
    policy = POLICY[route.name]
    operation["security"] = security(policy)
    operation["description"] = (
        f"{operation.get('description', '')}\n\n谁可以: {'、'.join(_names(policy))}。".strip()
    )
    changes = "POST" in (route.methods or ())
    answers = _child(operation, "responses")
    expected = _ALWAYS | _LATER
    if "{" in route.path:
        expected |= _OF_ONE
    if changes:
        expected |= _OF_CHANGES | _OF_ONE
    for status in (*expected, *_ALSO.get(route.name, ())):
        if status not in route.responses:  # what the route says of itself stands
            answers[str(status)] = {"$ref": f"#/components/responses/{status}"}
    if route.name in {"photos.upload", "recordings.upload"}:
        parameters = operation.setdefault("parameters", [])
        assert isinstance(parameters, list)
        parameters.append(_DRAFT)
    content = _child(_child(operation, "requestBody"), "content") if changes else {}
    form = content.get("application/json")
    if isinstance(form, dict):
        name = str(_child(form, "schema").get("$ref", "")).rsplit("/", 1)[-1]
        if name in EXAMPLES:
            form["examples"] = {"example": {"summary": route.summary, "value": EXAMPLES[name]}}
    if not content:
        operation.pop("requestBody", None)


def security(policy: Policy) -> list[Json]:
    """Which credentials open the operation; an empty one where none are needed."""
    ways: list[Json] = []
    if policy.who & {Who.ANYONE, Who.ANONYMOUS}:
        ways.append({})
    with_account = {who for who in Role if who is not Role.PARTNER} | {Who.SIGNED_IN}
    if policy.who & with_account:
        ways.append({"bearer": []})
    if Role.PARTNER in policy.who:
        ways.append({"partner": []})
    if Who.RECEIPT in policy.who:
        ways.append({"receipt": []})
    if Who.LINK in policy.who:
        ways.append({"upload": []})
    return ways


def _names(policy: Policy) -> list[str]:
    own = {
        Who.ANYONE: "任何人",
        Who.SIGNED_IN: "已登录的人",
        Who.ANONYMOUS: "未登录的市民",
        Who.RECEIPT: "持回执的市民",
        Who.LINK: "持上传链接的经办人",
    }
    people = [own[who] for who in Who if who in policy.who]
    people += [ROLE_NAMES[role] for role in Role if role in policy.who]
    return people


def _problem(status: int, says: str) -> Json:
    answer: Json = {
        "description": says,
        "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemOut"}}},
    }
    if status == 429:
        answer["headers"] = {
            "Retry-After": {
                "description": "几秒后再试。",
                "required": True,
                "schema": {"type": "integer", "minimum": 1},
            }
        }
    return answer


def _schema(shape: type[BaseModel]) -> Json:
    made: Json = shape.model_json_schema(
        mode="serialization", ref_template="#/components/schemas/{model}"
    )
    made.pop("$defs", None)
    return made


def _child(parent: Json, name: str) -> Json:
    """The object under this name, made if it is not there."""
    child = parent.setdefault(name, {})
    assert isinstance(child, dict)
    return child
