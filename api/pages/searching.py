"""查案件: a number leads straight to its case; else a list by words, status, 街镇, indicator, time.

Asks the API's own list: every desk finds what it may see, and nothing else.
"""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from starlette.responses import RedirectResponse, Response

from api.pages.choices import Choice, indicators, streets
from api.pages.frame import Frame, framed
from api.pages.posted import day_of
from api.problems import ProblemError
from api.routes.cases import list_cases
from api.schemas import CasePage
from casework.clocks import SHANGHAI
from casework.lifecycle import LABELS, Status
from casework.numbers import is_case_number

router = APIRouter(include_in_schema=False)

A_PAGE = 30
LONGEST = 60
"""Characters of words to look for, as the API takes them."""

Text = Annotated[str, Query(max_length=100)]

_NEVER_SHOWN = frozenset({Status.NEW})


@router.get("/search", name="pages.search")
async def search(  # noqa: PLR0913, PLR0917  a field of the form each
    frame: Annotated[Frame, Depends(framed("pages.search"))],
    number: Text = "",
    q: Text = "",
    status: Text = "",
    street: Text = "",
    indicator: Text = "",
    first: Annotated[str, Query(alias="from", max_length=20)] = "",
    last: Annotated[str, Query(alias="to", max_length=20)] = "",
    overdue: Text = "",
    cursor: Text = "",
) -> Response:
    """The form, and what it finds."""
    asked = {
        "number": number.strip(),
        "q": " ".join(q.split()),
        "status": status,
        "street": street,
        "indicator": indicator,
        "from": first,
        "to": last,
        "overdue": overdue,
    }
    wanted = (asked["number"] or asked["q"]).upper()
    if is_case_number(wanted):
        return RedirectResponse(f"/cases/{wanted}", 303)
    errors = _errors(frame, asked)
    page: CasePage | None = None
    if any(asked.values()) and not errors:
        try:
            page = await _found(frame, asked, cursor)
        except ProblemError as problem:
            errors = {"q": problem.problem.detail}
    return frame.page(
        "search.html",
        422 if errors else 200,
        asked=asked,
        errors=errors,
        found=page,
        more=_more(asked, page),
        paged=bool(cursor),
        statuses=_statuses(),
        streets=streets(frame.parts),
        indicators=indicators(frame.parts),
        now=frame.parts.now(),
    )


async def _found(frame: Frame, asked: Mapping[str, str], cursor: str) -> CasePage:
    """What the API's list finds. Raises ProblemError for a cursor that is none."""
    first, last = day_of(asked["from"]), day_of(asked["to"])
    return await list_cases(
        parts=frame.parts,
        visitor=frame.visitor,
        status=[Status(asked["status"])] if asked["status"] else None,
        street=asked["street"] or None,
        indicator=asked["indicator"] or None,
        overdue=asked["overdue"] == "yes",
        from_=datetime.combine(first, time(0), SHANGHAI) if first else None,
        to=datetime.combine(last, time(0), SHANGHAI) + timedelta(days=1) if last else None,
        q=asked["q"] or None,
        cursor=cursor or None,
        limit=A_PAGE,
    )


def _errors(frame: Frame, asked: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with a field, by its name."""
    found: dict[str, str] = {}
    if asked["number"]:
        found["number"] = "这不是一个案件编号。编号形如 HD26112200123452，请核对后再查。"
    if len(asked["q"]) > LONGEST:
        found["q"] = f"最多填写{LONGEST}个字。"
    elif not asked["q"].isprintable():
        found["q"] = "文字中含有无法查找的字符，请删除。"
    days = {name: day_of(asked[name]) for name in ("from", "to")}
    for name, day in days.items():
        if asked[name] and day is None:
            found[name] = "请填写日期，如 2026-05-11。"
    start, end = days["from"], days["to"]
    if start and end and end < start:
        found["to"] = "结束日期早于开始日期，请改正。"
    for name, choices in (
        ("status", _statuses()),
        ("street", streets(frame.parts)),
        ("indicator", indicators(frame.parts)),
    ):
        if asked[name] and asked[name] not in {choice.value for choice in choices}:
            found[name] = "没有这一项，请从列表中选择。"
    return found


def _more(asked: Mapping[str, str], page: CasePage | None) -> str:
    """The address of the next page, if there is one."""
    if page is None or page.next is None:
        return ""
    kept = {name: value for name, value in asked.items() if value}
    return f"/search?{urlencode(kept | {'cursor': page.next})}"


def _statuses() -> tuple[Choice, ...]:
    return tuple(Choice(s, LABELS[s].staff) for s in Status if s not in _NEVER_SHOWN)
