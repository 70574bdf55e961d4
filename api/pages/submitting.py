"""A form of a page: carried out, or told what is wrong with it. Knows no form."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

import msgspec
from pydantic import BaseModel
from starlette.responses import Response

from api.pages.frame import Frame
from api.pages.posted import Posted, shaped
from api.pages.refusing import FAULTS, Label, Refused, problem_of, refused
from api.schemas import Step
from casework.errors import Refusal, Stale

T = TypeVar("T")
F = TypeVar("F", bound=BaseModel)


LABELS: Mapping[str, str] = {
    "name": "名称",
    "token": "一次性口令",
    "password": "密码",
    "display_name": "姓名",
    "roles": "角色",
    "street": "街镇",
    "scopes": "权限",
    "overlap_hours": "小时数",
    "reason": "理由",
    "effective_from": "生效时间",
    "code": "代码",
    "text": "文字",
    "words": "字数",
    "clock": "环节",
    "limit": "时限",
    "conditions": "立案条件",
    "group": "类",
    "holidays": "假期",
    "year": "年份",
    "desk": "工作台",
    "account": "值班人",
    "starts_at": "开始时间",
    "ends_at": "结束时间",
    "key_ids": "文字",
    "occasion": "事由",
    "first": "开始",
    "last": "结束",
    "grounds": "依据",
}
"""What the fields of forms other than a case's actions are called, by the last part of the name."""


def label_of(_action: str, name: str) -> str:
    """What a field is called, or nothing."""
    first, _, rest = name.removeprefix("indicator.").partition(".")
    return LABELS.get(rest) or LABELS.get(first, "")


async def submitted(
    action: str,
    form: Posted,
    work: Callable[[], Awaitable[T]],
    *,
    label: Label = label_of,
    instead: tuple[type[Refusal], ...] = (),
    since: Callable[[], Awaitable[Sequence[Step]]] | None = None,
) -> T | Refused:
    """What the work gives, or why it was refused with all that was typed.

    `since` tells what others have done, where they were faster. Problems of credentials, and
    refusals of the kinds `instead`, are raised: a page shows them instead of the form.
    """
    try:
        return await work()
    except instead:
        raise
    except FAULTS as fault:
        problem, headers = problem_of(fault)
        meanwhile = await since() if since and isinstance(fault, Stale) else ()
        return refused(action, problem, form.values, since=meanwhile, headers=headers, label=label)


async def carried_out(
    frame: Frame,
    operation: str,
    action: str,
    work: Callable[[Posted], Awaitable[T]],
    again: Callable[[Refused], Awaitable[Response]],
    then: Callable[[T], Response],
) -> Response:
    """Read the form that a page has posted, ask the policy table, do the work; then on, or again.

    `again` is the page with what was typed and what is wrong with it.
    """
    form = await frame.posted()
    frame.permit(operation)
    done = await submitted(action, form, lambda: work(form))
    return await again(done) if isinstance(done, Refused) else then(done)


def read(form: type[F], posted: Posted) -> F:
    """The form of the API that was posted. Raises ValidationError."""
    return form.model_validate_json(msgspec.json.encode(shaped(form, posted)))


def in_shanghai(text: str) -> str:
    """A moment as a `datetime-local` field posts it, in Shanghai, with its offset."""
    return f"{text}:00+08:00" if len(text) == len("2026-12-01T00:00") else text


def lines(text: str) -> tuple[str, ...]:
    """The lines of a text field that hold something."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def with_values(posted: Posted, **changes: Sequence[str]) -> Posted:
    """The same form with some fields written as the API reads them."""
    return Posted({**posted.values, **{k: tuple(v) for k, v in changes.items()}}, posted.files)


def with_moments(posted: Posted, *names: str) -> Posted:
    """The same form with what `datetime-local` fields posted as moments of Shanghai."""
    told = {name: (in_shanghai(posted.one(name)),) for name in names if posted.one(name)}
    return with_values(posted, **told)
