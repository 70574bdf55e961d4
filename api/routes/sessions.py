"""登录: signing in and out, one's own password, accounts that people make themselves."""

from typing import Annotated

from fastapi import APIRouter, Depends

from api.access import Visitor
from api.accounts.principal import Channel
from api.door import Door
from api.office_schemas import AdministratorOut, CitizenOut, SignInWithCodeIn
from api.routes.noted import noting_refusals
from api.schemas import CitizenIn, MeOut, PasswordIn, RedeemIn, SessionOut
from api.shown import street_name
from api.visitors import With, guard, keep_rate
from casework.lifecycle import ROLE_NAMES

router = APIRouter(tags=["登录"])


@router.post("/sessions", name="sessions.open", status_code=201, summary="登录")
async def sign_in(
    form: SignInWithCodeIn,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("sessions.open"))],
) -> SessionOut:
    """A token for `Authorization: Bearer`. Keep `device` and send it with the next sign-in."""
    signed_in = await parts.sign_in.sign_in(
        form.name,
        form.password,
        source=visitor.source,
        device=form.device,
        channel=Channel.BEARER,
        session_id=parts.new_id(),
        now=parts.now(),
        code=form.code,
    )
    return SessionOut(
        token=signed_in.session.value,
        device=signed_in.device,
        expires_at=signed_in.session.expires_at,
        kind=signed_in.kind,
        must_change_password=signed_in.must_change_password,
    )


@router.delete("/sessions/current", name="sessions.close", status_code=204, summary="退出")
async def sign_out(
    parts: With, visitor: Annotated[Visitor, Depends(guard("sessions.close"))]
) -> None:
    """End this sign-in, at once."""
    session_id = visitor.principal.session_id
    assert session_id is not None
    now = parts.now()
    await Door(parts).in_thread(lambda: parts.sessions.revoke(session_id, visitor.principal, now))


@router.get("/me", name="sessions.me", summary="我是谁")
async def me(parts: With, visitor: Annotated[Visitor, Depends(guard("sessions.me"))]) -> MeOut:
    """Who is signed in, or nobody."""
    principal = visitor.principal
    return MeOut(
        kind=principal.kind,
        display_name=principal.display_name,
        roles=tuple(principal.roles),
        street=principal.street,
        street_name=street_name(parts, principal.street),
        person_id=principal.person_id,
        must_change_password=principal.must_change_password,
        second_factor=principal.second_factor,
        second_factor_due=principal.second_factor_due,
    )


@router.post("/accounts/password", name="accounts.password", status_code=204, summary="修改密码")
async def change_password(
    form: PasswordIn,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("accounts.password"))],
) -> None:
    """The owner's change; ends every other sign-in of the account."""
    account_id = visitor.principal.account_id
    assert account_id is not None
    # A stolen session must not try passwords without end.
    keep_rate(parts, visitor, "passwords", parts.limits.citizens)
    async with noting_refusals(parts, visitor, "accounts.password", f"account/{account_id}"):
        await parts.people.change_password(
            account_id, form.old, form.new, visitor.principal, parts.now()
        )


@router.post("/citizens", name="accounts.register", status_code=201, summary="市民注册")
async def register(
    form: CitizenIn,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("accounts.register"))],
) -> CitizenOut:
    """A citizen's own account; sign in afterwards."""
    keep_rate(parts, visitor, "registrations", parts.limits.reports)
    person_id = parts.new_id()
    async with noting_refusals(parts, visitor, "accounts.register"):
        await parts.people.register_citizen(
            parts.new_id(), person_id, form.name, form.display_name, form.password, parts.now()
        )
    return CitizenOut(person_id=person_id)


@router.post("/administrators", name="accounts.redeem", status_code=201, summary="首个管理员")
async def redeem(
    form: RedeemIn,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("accounts.redeem"))],
) -> AdministratorOut:
    """The one-time token of the command line makes the first holder of one of the 三员."""
    keep_rate(parts, visitor, "redemptions", parts.limits.reports)
    account_id = parts.new_id()
    async with noting_refusals(parts, visitor, "accounts.redeem"):
        role = await parts.grants.redeem(
            form.token, account_id, form.name, form.display_name, form.password, parts.now()
        )
    return AdministratorOut(account_id=account_id, role=role, role_name=ROLE_NAMES[role])
