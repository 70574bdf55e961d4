"""动态口令: one's own is set up, confirmed and replaced; who lost the phone is helped."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from api.access import Visitor
from api.accounts.second_factor import Enrolment
from api.door import Door
from api.office_schemas import (
    EnrolledOut,
    EnrolmentOut,
    FactorBeginIn,
    FactorCodeIn,
    FactorOut,
)
from api.parts import Parts
from api.routes.noted import noting_refusals
from api.visitors import With, guard, keep_rate

router = APIRouter(tags=["登录"])


@router.get("/accounts/second-factor", name="accounts.second_factor", summary="我的动态口令")
async def second_factor(
    parts: With, visitor: Annotated[Visitor, Depends(guard("accounts.second_factor"))]
) -> FactorOut:
    """Since when one's own is in force, and whether a new one waits to be confirmed."""
    principal = visitor.principal
    state = await Door(parts).in_thread(lambda: parts.factors.state(principal))
    return FactorOut(since=state.since, waits=state.waits, due=principal.second_factor_due)


@router.post(
    "/accounts/second-factor",
    name="accounts.second_factor_begin",
    status_code=201,
    summary="绑定或更换动态口令",
)
async def begin(
    form: FactorBeginIn,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("accounts.second_factor_begin"))],
) -> EnrolmentOut:
    """A secret for the app on the phone, told once; in force once it is confirmed.

    Asks for the password, and to replace one that is in force for its code too.
    """
    found = await enrolment(parts, visitor, form.password, form.code)
    return EnrolmentOut(secret=found.secret, uri=found.uri)


async def enrolment(parts: Parts, visitor: Visitor, password: str, code: str | None) -> Enrolment:
    """As `begin`; a stolen session tries neither passwords nor codes without end."""
    principal, now = visitor.principal, parts.now()
    account = principal.account_id
    assert account is not None
    keep_rate(parts, visitor, "passwords", parts.limits.citizens)
    operation = "accounts.second_factor_begin"
    async with noting_refusals(parts, visitor, operation, f"account/{account}"):
        await parts.people.confirm_password(account, password)
        return await Door(parts).in_thread(lambda: parts.factors.begin(principal, now, code))


@router.post(
    "/accounts/second-factor/confirm",
    name="accounts.second_factor_confirm",
    status_code=204,
    summary="确认动态口令",
)
async def confirm(
    form: FactorCodeIn,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("accounts.second_factor_confirm"))],
) -> None:
    """Put it in force by a code of the phone; every other sign-in of the account ends."""
    principal, now = visitor.principal, parts.now()
    keep_rate(parts, visitor, "passwords", parts.limits.citizens)
    operation = "accounts.second_factor_confirm"
    async with noting_refusals(parts, visitor, operation, f"account/{principal.account_id}"):
        await Door(parts).in_thread(lambda: parts.factors.confirm(form.code, principal, now))


@router.get("/second-factors", name="accounts.second_factors", summary="已启用动态口令的账号")
async def enrolled(
    parts: With, _visitor: Annotated[Visitor, Depends(guard("accounts.second_factors"))]
) -> tuple[EnrolledOut, ...]:
    """The accounts whose second factor is in force."""
    found = await Door(parts).in_thread(parts.factors.enrolled)
    return tuple(EnrolledOut(account_id=each, since=since) for each, since in found.items())


@router.post(
    "/accounts/{account}/remove-second-factor",
    name="accounts.second_factor_remove",
    status_code=204,
    summary="解除动态口令",
)
async def remove(
    account: UUID,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("accounts.second_factor_remove"))],
) -> None:
    """For who lost the phone: by a secadmin; every sign-in of the account ends.

    Never for one of the 三员: theirs is removed on the server.
    """
    operation = "accounts.second_factor_remove"
    async with noting_refusals(parts, visitor, operation, f"account/{account}"):
        now = parts.now()
        await Door(parts).in_thread(lambda: parts.factors.remove(account, visitor.principal, now))
