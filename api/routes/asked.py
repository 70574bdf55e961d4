"""What every route that changes something reads besides its form: key, version, the very bytes."""

from typing import Annotated

from fastapi import Header
from fastapi import Request as HttpRequest

from api.access import Visitor
from api.door import Request
from api.problems import FieldError, problem_error

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=128,
        description="同一操作重发时保持不变；未登录时须为随机 UUID (v4)。",
        examples=["0b6f0c1e-6a53-4a62-9f2e-6c3a5c1c8d11"],
    ),
]
Match = Annotated[
    str | None,
    Header(alias="If-Match", max_length=40, description='看到的案件版本，如 "3"。'),
]


def version_of(match: str | None) -> int | None:
    """The version of an If-Match header; `*` and nothing ask for none.

    Raises:
        ProblemError: 422 where it is no version.

    """
    if match is None or match.strip() == "*":
        return None
    bare = match.strip().removeprefix("W/").strip('"')
    if not bare.isascii() or not bare.isdigit() or len(bare) > 9:
        raise problem_error(
            422,
            "bad-version",
            "版本号不正确",
            'If-Match 应为看到的案件版本号，如 "3"。',
            errors=(FieldError("If-Match", "应为版本号。"),),
        )
    return int(bare)


async def asked(
    request: HttpRequest, visitor: Visitor, key: str, match: str | None = None
) -> Request:
    """The request as the door takes it. The path is that of the route, without a host."""
    return Request(
        visitor=visitor,
        key=key,
        path=request.url.path,
        body=await request.body(),
        expect=version_of(match),
    )
