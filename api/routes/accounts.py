"""账号与角色: made and disabled by a sysadmin; roles proposed by one, confirmed by another."""

from typing import Annotated
from uuid import UUID, uuid5

from fastapi import APIRouter, Depends, Query
from fastapi import Request as HttpRequest

from api.access import Visitor
from api.accounts.errors import NotThere, Unfit
from api.accounts.grants import RoleProposal
from api.accounts.people import Account, name_key
from api.door import Door
from api.hygiene import Line
from api.office_schemas import (
    AccountIn,
    AccountMadeOut,
    AccountOut,
    AccountPage,
    PasswordOut,
    RoleOut,
    RoleProposalOut,
    RolesIn,
)
from api.parts import Parts
from api.routes.asked import Key
from api.routes.noted import command_id, noting_refusals
from api.visitors import With, guard
from casework.errors import KeyReused
from casework.lifecycle import ROLE_NAMES
from casework.model import Role

router = APIRouter(tags=["账号"])


def _roles(roles: tuple[Role, ...]) -> tuple[RoleOut, ...]:
    return tuple(RoleOut(code=role, name=ROLE_NAMES[role]) for role in roles)


def _street_name(parts: Parts, code: str | None) -> str | None:
    """The name; None also for a code that the map of today does not have."""
    boundaries = parts.dispatcher.boundaries
    return boundaries.name(code) if code in boundaries.codes else None


def _account(parts: Parts, account: Account) -> AccountOut:
    return AccountOut(
        id=account.id,
        name=account.name,
        display_name=account.display_name,
        roles=_roles(account.roles),
        street=account.street,
        street_name=_street_name(parts, account.street),
        must_change_at=account.must_change_at,
        disabled_at=account.disabled_at,
        created_at=account.created_at,
    )


def _proposal(parts: Parts, proposal: RoleProposal) -> RoleProposalOut:
    return RoleProposalOut(
        id=proposal.id,
        account_id=proposal.account_id,
        roles=_roles(proposal.roles),
        street=proposal.street,
        street_name=_street_name(parts, proposal.street),
        proposed_by=proposal.proposed_by,
        proposed_at=proposal.proposed_at,
        decision=proposal.decision,
        decided_by=proposal.decided_by,
        decided_at=proposal.decided_at,
    )


@router.get("/accounts", name="accounts.list", summary="工作人员账号，按登录名")
async def list_accounts(
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("accounts.list"))],
    after: Annotated[Line, Query(max_length=64, description="上一页的 next。")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> AccountPage:
    """Staff accounts, a page after a name."""
    found = await Door(parts).in_thread(lambda: parts.people.accounts(after, limit))
    return AccountPage(
        accounts=tuple(_account(parts, account) for account in found),
        next=name_key(found[-1].name) if len(found) == limit else None,
    )


@router.post("/accounts", name="accounts.create", status_code=201, summary="新建账号")
async def create_account(
    form: AccountIn,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("accounts.create"))],
    key: Key,
) -> AccountMadeOut:
    """An account without roles; its temporary password is told once."""
    account_id = uuid5(command_id(visitor, request.url.path, key), "account")
    async with noting_refusals(parts, visitor, "accounts.create"):
        known = await _known(parts, account_id)
        if known is not None:
            if (name_key(known.name), known.display_name) != (
                name_key(form.name),
                form.display_name,
            ):
                raise KeyReused
            return AccountMadeOut(account=_account(parts, known), temporary_password=None)
        password = await parts.people.create(
            account_id, form.name, form.display_name, visitor.principal, parts.now()
        )
    made = await Door(parts).in_thread(lambda: parts.people.account(account_id))
    return AccountMadeOut(account=_account(parts, made), temporary_password=password)


async def _known(parts: Parts, account_id: UUID) -> Account | None:
    try:
        return await Door(parts).in_thread(lambda: parts.people.account(account_id))
    except NotThere:
        return None


@router.post("/accounts/{account}/disable", name="accounts.disable", summary="停用账号")
async def disable_account(
    account: UUID,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("accounts.disable"))],
) -> AccountOut:
    """End every sign-in of the account at once, and let it open no other."""
    async with noting_refusals(parts, visitor, "accounts.disable", f"account/{account}"):
        now = parts.now()
        await Door(parts).in_thread(lambda: parts.people.disable(account, visitor.principal, now))
    return _account(parts, await Door(parts).in_thread(lambda: parts.people.account(account)))


@router.post("/accounts/{account}/enable", name="accounts.enable", summary="启用账号")
async def enable_account(
    account: UUID,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("accounts.enable"))],
) -> AccountOut:
    """Let the account sign in again; never one of the 三员."""
    async with noting_refusals(parts, visitor, "accounts.enable", f"account/{account}"):
        now = parts.now()
        await Door(parts).in_thread(lambda: parts.people.enable(account, visitor.principal, now))
    return _account(parts, await Door(parts).in_thread(lambda: parts.people.account(account)))


@router.post("/accounts/{account}/reset-password", name="accounts.reset", summary="重置密码")
async def reset_password(
    account: UUID,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("accounts.reset"))],
) -> PasswordOut:
    """A new temporary password, told once; never for one of the 三员."""
    async with noting_refusals(parts, visitor, "accounts.reset", f"account/{account}"):
        password = await parts.people.reset_password(account, visitor.principal, parts.now())
    return PasswordOut(temporary_password=password)


# 角色 --------------------------------------------------------------------------------------


@router.get("/role-proposals", name="accounts.proposals", summary="待确认的角色提议")
async def list_proposals(
    parts: With, _visitor: Annotated[Visitor, Depends(guard("accounts.proposals"))]
) -> tuple[RoleProposalOut, ...]:
    """What waits for a secadmin, oldest first."""
    found = await Door(parts).in_thread(parts.grants.open_proposals)
    return tuple(_proposal(parts, proposal) for proposal in found)


@router.post(
    "/accounts/{account}/roles", name="accounts.propose_roles", status_code=202, summary="提议角色"
)
async def propose_roles(
    account: UUID,
    form: RolesIn,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("accounts.propose_roles"))],
    key: Key,
) -> RoleProposalOut:
    """Ask that the account hold exactly these roles; a secadmin other than the asker confirms."""
    proposal_id = uuid5(command_id(visitor, request.url.path, key), "roles")
    async with noting_refusals(parts, visitor, "accounts.propose_roles", f"account/{account}"):
        if form.street is not None and form.street not in parts.dispatcher.boundaries.codes:
            raise Unfit("street", "没有这个街镇，请从街镇列表中选择。")
        now = parts.now()
        proposal = await Door(parts).in_thread(
            lambda: parts.grants.propose_once(
                proposal_id, account, form.roles, form.street, visitor.principal, now
            )
        )
    return _proposal(parts, proposal)


@router.post(
    "/role-proposals/{proposal}/confirm", name="accounts.confirm_roles", summary="确认角色"
)
async def confirm_roles(
    proposal: UUID,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("accounts.confirm_roles"))],
) -> RoleProposalOut:
    """Grant what was proposed; by a secadmin who is neither proposer nor receiver."""
    async with noting_refusals(
        parts, visitor, "accounts.confirm_roles", f"role-proposal/{proposal}"
    ):
        now = parts.now()
        await Door(parts).in_thread(lambda: parts.grants.confirm(proposal, visitor.principal, now))
    return _proposal(parts, await Door(parts).in_thread(lambda: parts.grants.proposal(proposal)))


@router.post("/role-proposals/{proposal}/reject", name="accounts.reject_roles", summary="否决角色")
async def reject_roles(
    proposal: UUID,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("accounts.reject_roles"))],
) -> RoleProposalOut:
    """Turn a proposal down; by a secadmin, or by whoever made it."""
    async with noting_refusals(
        parts, visitor, "accounts.reject_roles", f"role-proposal/{proposal}"
    ):
        now = parts.now()
        await Door(parts).in_thread(lambda: parts.grants.reject(proposal, visitor.principal, now))
    return _proposal(parts, await Door(parts).in_thread(lambda: parts.grants.proposal(proposal)))


@router.post(
    "/accounts/{account}/withdraw-roles", name="accounts.withdraw_roles", summary="收回全部角色"
)
async def withdraw_roles(
    account: UUID,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("accounts.withdraw_roles"))],
) -> AccountOut:
    """Take every role from an account, at once; by one secadmin, not from themselves."""
    async with noting_refusals(parts, visitor, "accounts.withdraw_roles", f"account/{account}"):
        now = parts.now()
        await Door(parts).in_thread(lambda: parts.grants.withdraw(account, visitor.principal, now))
    return _account(parts, await Door(parts).in_thread(lambda: parts.people.account(account)))
