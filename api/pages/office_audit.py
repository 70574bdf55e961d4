"""审计页 of the auditor: the trail by person, action, object and time; whether its chain holds."""

from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.access import POLICY
from api.door import Door
from api.office_schemas import VerificationOut
from api.pages.frame import Frame, framed
from api.pages.posted import day_of
from api.routes import audit, persons
from casework.clocks import SHANGHAI
from casework.errors import UnknownCase
from casework.lifecycle import NAME_OF, Action

router = APIRouter(include_in_schema=False)

PATH = "/office/audit"
Here = Annotated[Frame, Depends(framed("pages.office_audit"))]
Text = Annotated[str, Query(max_length=200)]
ROWS = 100

OUTCOMES = {"done": "已办", "refused": "被拒", "locked": "已锁定"}

OF_ACCOUNTS = {
    "sign-in": "登录",
    "account-created": "新建账号",
    "account-disabled": "停用账号",
    "account-enabled": "启用账号",
    "account-erased": "删除账号",
    "partner-created": "新建接入方",
    "partner-disabled": "停用接入方",
    "partner-key-rotated": "更换接入方密钥",
    "partner-scopes-granted": "授权接入方",
    "password-changed": "修改密码",
    "password-reset": "重置密码",
    "roles-proposed": "提议角色",
    "roles-granted": "确认角色",
    "roles-rejected": "否决角色",
    "roles-withdrawn": "收回角色",
    "second-factor-set": "启用动态口令",
    "second-factor-removed": "停用动态口令",
    "session-revoked": "退出登录",
    "sessions-revoked": "结束全部登录",
    "reveal": "查看原文",
    "listen": "收听录音",
}
"""What the trail writes that is no operation of the policy table and no action of a case."""


@router.get(PATH, name="pages.office_audit")
async def page(
    frame: Here,
    *,
    principal: Text = "",
    action: Text = "",
    target: Text = "",
    outcome: Text = "",
    since: Text = "",
    until: Text = "",
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> Response:
    """Rows, the newest first; all that is filled in must hold."""
    return await _page(
        frame,
        {
            "principal": principal.strip(),
            "action": action.strip(),
            "target": target.strip(),
            "outcome": outcome.strip(),
            "since": since.strip(),
            "until": until.strip(),
        },
        before,
    )


async def _page(
    frame: Frame,
    asked: dict[str, str],
    before: int | None = None,
    chain: VerificationOut | None = None,
) -> Response:
    parts, visitor = frame.parts, frame.visitor
    wrong = {
        name: "请填写日期，如 2026-11-25。"
        for name in ("since", "until")
        if asked[name] and day_of(asked[name]) is None
    }
    found = await audit.list_audit(
        parts=parts,
        _visitor=visitor,
        principal=asked["principal"] or None,
        action=asked["action"] or None,
        target=await _object(frame, asked["target"]),
        outcome=asked["outcome"] or None,
        since=_midnight(asked["since"]),
        until=_midnight(asked["until"]),
        before=before,
        limit=ROWS,
    )
    ids = {row.principal_id for row in found.rows if row.principal_id}
    more = {name: value for name, value in asked.items() if value}
    return frame.page(
        "office_audit.html",
        422 if wrong else 200,
        rows=[] if wrong else found.rows,
        older=urlencode({**more, "before": found.before}) if found.before else "",
        asked=asked,
        wrong=wrong,
        names=await frame.names_of(ids),
        actions=_actions(),
        outcomes=OUTCOMES,
        chain=chain,
        erasures=await persons.list_erasures(parts, visitor),
    )


async def _object(frame: Frame, text: str) -> str | None:
    """What a row is about, as the trail names it; a case may be asked for by its number."""
    if not text or "/" in text:
        return text or None
    try:
        return f"case/{await Door(frame.parts).case_id(text)}"
    except UnknownCase:
        return text


def _midnight(text: str) -> datetime | None:
    day = day_of(text)
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI) if day else None


def _actions() -> dict[str, str]:
    """What the trail's actions are called."""
    named = {operation: row.what for operation, row in POLICY.items()}
    return (
        named
        | OF_ACCOUNTS
        | {str(action): NAME_OF[action] for action in Action if action in NAME_OF}
    )


@router.post(f"{PATH}/verify", name="pages.office_audit")
async def verify(frame: Here) -> Response:
    """Compute the whole chain again; the answer shows it with the head to be kept elsewhere."""
    await frame.posted()
    frame.permit("audit.verify")
    told = await audit.verify_audit(frame.parts, frame.visitor)
    nothing = dict.fromkeys(("principal", "action", "target", "outcome", "since", "until"), "")
    return await _page(frame, nothing, chain=told)
