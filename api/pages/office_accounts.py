"""账号页 of the sysadmin: accounts, their roles as proposed, services that come with a key.

A secret is shown once, in the answer to the very form that made it, and kept nowhere.
"""

from functools import partial
from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.office_schemas import (
    AccountIn,
    AccountMadeOut,
    KeyIn,
    PartnerIn,
    PartnerKeyOut,
    PartnerOut,
    RoleProposalOut,
    RolesIn,
)
from api.pages.choices import streets
from api.pages.frame import Frame, framed
from api.pages.posted import Posted
from api.pages.refusing import Refused
from api.pages.rendering import moment
from api.pages.submitting import carried_out, read, submitted
from api.routes import accounts, partners
from casework.lifecycle import ROLE_NAMES
from casework.model import Role

router = APIRouter(include_in_schema=False)

PATH = "/office/accounts"

STAFF_ROLES = tuple(
    role
    for role in ROLE_NAMES
    if role not in {Role.CITIZEN, Role.PARTNER, Role.CLOCK, Role.DISPATCHER}
)
Here = Annotated[Frame, Depends(framed("pages.office_accounts"))]


async def _page(
    frame: Frame, refused: Refused | None = None, after: str = "", secret: "Secret | None" = None
) -> Response:
    found = await accounts.list_accounts(frame.parts, frame.visitor, after)
    services = await partners.list_partners(frame.parts, frame.visitor)
    waiting = await accounts.list_proposals(frame.parts, frame.visitor)
    response = frame.form_page(
        "office_accounts.html",
        refused,
        accounts=found.accounts,
        next=found.next,
        partners=services,
        waiting={proposal.account_id: proposal for proposal in waiting},
        roles=[(role, ROLE_NAMES[role]) for role in STAFF_ROLES],
        streets=[(one.value, one.name) for one in streets(frame.parts)],
        secret=secret,
    )
    if secret:
        response.headers["Cache-Control"] = "no-store"
    return response


class Secret(NamedTuple):
    """A secret told once: whose it is, what it is, what to do with it."""

    whose: str
    value: str
    what_to_do: str


_TEMPORARY = "请当面告诉本人，首次登录时必须修改。离开本页后不再显示。"


@router.get(PATH, name="pages.office_accounts")
async def page(frame: Here, after: Annotated[str, Query(max_length=64)] = "") -> Response:
    """Accounts by name, and the partners."""
    return await _page(frame, after=after)


@router.post(f"{PATH}/new", name="pages.office_accounts")
async def create(frame: Here) -> Response:
    """A new account; its temporary password is shown in the answer."""
    form = await frame.posted()
    frame.permit("accounts.create")

    async def work() -> AccountMadeOut:
        given = read(AccountIn, form)
        return await accounts.create_account(
            given, frame.request, frame.parts, frame.visitor, form.key
        )

    made = await submitted("new-account", form, work)
    if isinstance(made, Refused):
        return await _page(frame, made)
    if made.temporary_password is None:
        return frame.go(PATH, f"账号{made.account.name}已经建好；临时密码已显示过，可以重置。")
    return await _page(
        frame,
        secret=Secret(f"账号{made.account.name}的临时密码", made.temporary_password, _TEMPORARY),
    )


@router.post(f"{PATH}/{{account}}/reset-password", name="pages.office_accounts")
async def reset(account: UUID, frame: Here) -> Response:
    """Another temporary password."""
    form = await frame.posted()
    frame.permit("accounts.reset")
    made = await submitted(
        "reset", form, lambda: accounts.reset_password(account, frame.parts, frame.visitor)
    )
    if isinstance(made, Refused):
        return await _page(frame, made)
    whose = f"账号{form.one('name')}的临时密码"
    return await _page(frame, secret=Secret(whose, made.temporary_password, _TEMPORARY))


@router.post(f"{PATH}/{{account}}/disable", name="pages.office_accounts")
async def disable(account: UUID, frame: Here) -> Response:
    """The account signs in no more, at once."""
    return await carried_out(
        frame,
        "accounts.disable",
        "disable",
        lambda _: accounts.disable_account(account, frame.parts, frame.visitor),
        partial(_page, frame),
        lambda done: frame.go(PATH, f"账号{done.name}已停用，所有登录已结束。"),
    )


@router.post(f"{PATH}/{{account}}/enable", name="pages.office_accounts")
async def enable(account: UUID, frame: Here) -> Response:
    """The account may sign in again."""
    return await carried_out(
        frame,
        "accounts.enable",
        "enable",
        lambda _: accounts.enable_account(account, frame.parts, frame.visitor),
        partial(_page, frame),
        lambda done: frame.go(PATH, f"账号{done.name}已启用。"),
    )


@router.post(f"{PATH}/{{account}}/roles", name="pages.office_accounts")
async def roles(account: UUID, frame: Here) -> Response:
    """Propose roles; a 安全管理员 confirms."""

    async def work(form: Posted) -> RoleProposalOut:
        given = read(RolesIn, form)
        return await accounts.propose_roles(
            account, given, frame.request, frame.parts, frame.visitor, form.key
        )

    return await carried_out(
        frame,
        "accounts.propose_roles",
        f"roles-{account}",
        work,
        partial(_page, frame),
        lambda _: frame.go(PATH, "已提议，待安全管理员确认后生效。"),
    )


# 接入方 ------------------------------------------------------------------------------------


@router.post(f"{PATH}/partners/new", name="pages.office_accounts")
async def create_partner(frame: Here) -> Response:
    """A service that will come with a key; it may do nothing yet."""

    async def work(form: Posted) -> PartnerOut:
        given = read(PartnerIn, form)
        return await partners.create_partner(
            given, frame.request, frame.parts, frame.visitor, form.key
        )

    return await carried_out(
        frame,
        "partners.create",
        "new-partner",
        work,
        partial(_page, frame),
        lambda done: frame.go(PATH, f"接入方{done.name}已建好，待安全管理员授权后发放密钥。"),
    )


@router.post(f"{PATH}/partners/{{partner}}/key", name="pages.office_accounts")
async def rotate(partner: UUID, frame: Here) -> Response:
    """A new key, shown in the answer."""
    form = await frame.posted()
    frame.permit("partners.key")

    async def work() -> PartnerKeyOut:
        return await partners.rotate_key(partner, read(KeyIn, form), frame.parts, frame.visitor)

    made = await submitted(f"key-{partner}", form, work)
    if isinstance(made, Refused):
        return await _page(frame, made)
    until = f"有效至{moment(made.expires_at)}。请用安全的方式交给对方，离开本页后不再显示。"
    return await _page(frame, secret=Secret(f"{form.one('name')}的密钥", made.key, until))


@router.post(f"{PATH}/partners/{{partner}}/disable", name="pages.office_accounts")
async def disable_partner(partner: UUID, frame: Here) -> Response:
    """The service may do nothing more, at once."""
    return await carried_out(
        frame,
        "partners.disable",
        "disable-partner",
        lambda _: partners.disable_partner(partner, frame.parts, frame.visitor),
        partial(_page, frame),
        lambda done: frame.go(PATH, f"接入方{done.name}已停用。"),
    )
