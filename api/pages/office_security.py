"""权限与审批页 of the secadmin: roles confirmed by a second person, policy, scopes, erasure.

What the policy table says is shown as it stands; it is code, and changed as code is.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.access import POLICY, name_of
from api.accounts.errors import NotThere
from api.accounts.roles import THREE
from api.duty import accounts_of
from api.office_schemas import DestroyIn, EraseIn, ScopesIn, StaffTextOut
from api.pages.frame import Frame, framed
from api.pages.posted import Posted
from api.pages.refusing import Refused
from api.pages.submitting import carried_out, read, submitted
from api.routes import accounts, partners, persons, second_factor
from casework.errors import Refusal
from casework.lifecycle import ROLE_NAMES

router = APIRouter(include_in_schema=False)

PATH = "/office/security"
Here = Annotated[Frame, Depends(framed("pages.office_security"))]
_ACCOUNTS = 200


async def _page(
    frame: Frame,
    refused: Refused | None = None,
    person: str = "",
    texts: tuple[StaffTextOut, ...] | None = None,
) -> Response:
    parts, visitor = frame.parts, frame.visitor
    waiting = await accounts.list_proposals(parts, visitor)
    people = await accounts.list_accounts(parts, visitor, "", _ACCOUNTS)
    erasures = await persons.list_erasures(parts, visitor)
    ids = {str(p.account_id) for p in waiting} | {str(p.proposed_by) for p in waiting}
    ids |= {who for e in erasures for who in (e.asked_by, e.decided_by) if who}
    factors = await second_factor.enrolled(parts, visitor)
    holders = accounts_of(parts.desk, {str(one.account_id) for one in factors})
    return frame.form_page(
        "office_security.html",
        refused,
        waiting=waiting,
        people=people.accounts,
        factors=[
            (one, holder, bool(THREE & set(holder.roles)))
            for one in factors
            if (holder := holders.get(str(one.account_id)))
        ],
        partners=await partners.list_partners(parts, visitor),
        scopes=sorted({row.scope for row in POLICY.values() if row.scope}),
        erasures=erasures[::-1],
        names=await frame.names_of(ids),
        me=str(visitor.principal.account_id),
        person=person,
        texts=texts,
    )


@router.get(PATH, name="pages.office_security")
async def page(frame: Here) -> Response:
    """What waits for this one, and what stands."""
    return await _page(frame)


@router.get(f"{PATH}/policy", name="pages.office_security")
async def policy(frame: Here) -> Response:
    """The policy table: every operation, who may, and the scope that a partner needs."""
    rows = [(row, [name_of(who) for who in sorted(row.who)]) for row in POLICY.values()]
    return frame.page("office_policy.html", rows=rows, roles=ROLE_NAMES)


Asking = Callable[[], Awaitable[object]]


async def _done(frame: Frame, operation: str, action: str, work: Asking, said: str) -> Response:
    """Carry out a form without fields."""
    return await carried_out(
        frame,
        operation,
        action,
        lambda _: work(),
        partial(_page, frame),
        lambda _: frame.go(PATH, said),
    )


@router.post(f"{PATH}/roles/{{proposal}}/confirm", name="pages.office_security")
async def confirm_roles(proposal: UUID, frame: Here) -> Response:
    """Grant what another has proposed."""
    return await _done(
        frame,
        "accounts.confirm_roles",
        f"roles-{proposal}",
        lambda: accounts.confirm_roles(proposal, frame.parts, frame.visitor),
        "已确认角色，立即生效。",
    )


@router.post(f"{PATH}/roles/{{proposal}}/reject", name="pages.office_security")
async def reject_roles(proposal: UUID, frame: Here) -> Response:
    """Turn it down."""
    return await _done(
        frame,
        "accounts.reject_roles",
        f"roles-{proposal}",
        lambda: accounts.reject_roles(proposal, frame.parts, frame.visitor),
        "已否决角色提议。",
    )


@router.post(f"{PATH}/accounts/{{account}}/withdraw-roles", name="pages.office_security")
async def withdraw_roles(account: UUID, frame: Here) -> Response:
    """Take every role from an account."""
    return await _done(
        frame,
        "accounts.withdraw_roles",
        f"withdraw-{account}",
        lambda: accounts.withdraw_roles(account, frame.parts, frame.visitor),
        "已收回全部角色，立即生效。",
    )


@router.post(f"{PATH}/accounts/{{account}}/remove-second-factor", name="pages.office_security")
async def remove_second_factor(account: UUID, frame: Here) -> Response:
    """Help one who lost the phone."""
    return await _done(
        frame,
        "accounts.second_factor_remove",
        f"factor-{account}",
        lambda: second_factor.remove(account, frame.parts, frame.visitor),
        "已解除动态口令，该账号的登录均已结束；请通知本人用密码登录后重新绑定。",
    )


@router.post(f"{PATH}/partners/{{partner}}/scopes", name="pages.office_security")
async def scopes(partner: UUID, frame: Here) -> Response:
    """What a partner may do from now on."""

    async def work(form: Posted) -> str:
        given = read(ScopesIn, form)
        return (await partners.grant_scopes(partner, given, frame.parts, frame.visitor)).name

    return await carried_out(
        frame,
        "partners.scopes",
        f"scopes-{partner}",
        work,
        partial(_page, frame),
        lambda name: frame.go(PATH, f"{name}的权限已更新。"),
    )


# erasure ----------------------------------------------------------------------------------


@router.post(f"{PATH}/erasures/new", name="pages.office_security")
async def ask_erasure(frame: Here) -> Response:
    """Ask for a person's erasure; another secadmin decides."""

    async def work(form: Posted) -> object:
        person = form.one("person")[:40]
        given = EraseIn(case=None)
        return await persons.erase(
            person, given, frame.request, Response(), frame.parts, frame.visitor, form.key
        )

    return await carried_out(
        frame,
        "persons.erase",
        "erase",
        work,
        partial(_page, frame),
        lambda _: frame.go(PATH, "已提出删除申请，待另一名安全管理员批准。"),
    )


@router.post(f"{PATH}/erasures/{{erasure}}/approve", name="pages.office_security")
async def approve(erasure: UUID, frame: Here) -> Response:
    """The second person agrees: there is no way back."""
    return await _done(
        frame,
        "persons.approve_erasure",
        f"erasure-{erasure}",
        lambda: persons.approve_erasure(erasure, frame.parts, frame.visitor),
        "已批准，个人信息正在清除，进度见下表。",
    )


@router.post(f"{PATH}/erasures/{{erasure}}/decline", name="pages.office_security")
async def decline(erasure: UUID, frame: Here) -> Response:
    """The second person does not agree."""
    return await _done(
        frame,
        "persons.decline_erasure",
        f"erasure-{erasure}",
        lambda: persons.decline_erasure(erasure, frame.parts, frame.visitor),
        "未批准删除申请。",
    )


@router.get(f"{PATH}/texts", name="pages.office_security")
async def texts(frame: Here, person: Annotated[str, Query(max_length=40)] = "") -> Response:
    """What staff wrote about a person's cases, by key, for somebody to decide on."""
    frame.permit("persons.staff_texts")
    try:
        found = await persons.list_staff_texts(person, frame.parts, frame.visitor)
    except NotThere as unknown:
        return frame.message(404, "没有找到这个人", str(unknown), PATH)
    return await _page(frame, person=person, texts=found)


@router.post(f"{PATH}/texts/destroy", name="pages.office_security")
async def destroy(frame: Here) -> Response:
    """Destroy the keys of the texts that were ticked."""
    form = await frame.posted()
    frame.permit("persons.destroy_staff_texts")
    person = form.one("person")[:40]

    async def work() -> object:
        given = read(DestroyIn, form)
        return await persons.destroy_staff_texts(person, given, frame.parts, frame.visitor)

    done = await submitted("texts", form, work)
    if isinstance(done, Refused):
        try:
            kept = await persons.list_staff_texts(person, frame.parts, frame.visitor)
        except Refusal:
            kept = ()
        return await _page(frame, done, person, kept)
    return frame.go(PATH, "所选文字的密钥已销毁。")
