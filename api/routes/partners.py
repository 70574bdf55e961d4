"""接入方: services that come with a key, made by a sysadmin, given scopes by a secadmin."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID, uuid5

from fastapi import APIRouter, Depends
from fastapi import Request as HttpRequest

from api.access import Visitor
from api.accounts.errors import NotThere
from api.accounts.partners import Partner
from api.door import Door
from api.office_schemas import KeyIn, PartnerIn, PartnerKeyOut, PartnerOut, ScopesIn
from api.parts import Parts
from api.routes.asked import Key
from api.routes.noted import command_id, noting_refusals
from api.visitors import With, guard
from casework.errors import KeyReused

router = APIRouter(tags=["接入方"])


def _partner(partner: Partner) -> PartnerOut:
    return PartnerOut.model_validate(partner)


async def _read(parts: Parts, partner_id: UUID) -> PartnerOut:
    for partner in await Door(parts).in_thread(parts.partners.partners):
        if partner.id == partner_id:
            return _partner(partner)
    raise NotThere("接入方")


@router.get("/partners", name="partners.list", summary="接入方列表")
async def list_partners(
    parts: With, _visitor: Annotated[Visitor, Depends(guard("partners.list"))]
) -> tuple[PartnerOut, ...]:
    """All partners, by name; never a key."""
    return tuple(map(_partner, await Door(parts).in_thread(parts.partners.partners)))


@router.post("/partners", name="partners.create", status_code=201, summary="新建接入方")
async def create_partner(
    form: PartnerIn,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("partners.create"))],
    key: Key,
) -> PartnerOut:
    """A partner without scopes and without a key."""
    partner_id = uuid5(command_id(visitor, request.url.path, key), "partner")
    async with noting_refusals(parts, visitor, "partners.create"):
        try:
            known = await _read(parts, partner_id)
        except NotThere:
            now = parts.now()
            await Door(parts).in_thread(
                lambda: parts.partners.create(partner_id, form.name, visitor.principal, now)
            )
            return await _read(parts, partner_id)
        if known.name != form.name:
            raise KeyReused
        return known


@router.post("/partners/{partner}/scopes", name="partners.scopes", summary="授权接入方")
async def grant_scopes(
    partner: UUID,
    form: ScopesIn,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("partners.scopes"))],
) -> PartnerOut:
    """The partner may do exactly this from now on."""
    async with noting_refusals(parts, visitor, "partners.scopes", f"partner/{partner}"):
        now = parts.now()
        await Door(parts).in_thread(
            lambda: parts.partners.grant_scopes(partner, form.scopes, visitor.principal, now)
        )
    return await _read(parts, partner)


@router.post("/partners/{partner}/key", name="partners.key", status_code=201, summary="更换密钥")
async def rotate_key(
    partner: UUID,
    form: KeyIn,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("partners.key"))],
) -> PartnerKeyOut:
    """A new key, told once; those before it end after the overlap."""
    async with noting_refusals(parts, visitor, "partners.key", f"partner/{partner}"):
        now, key_id = parts.now(), parts.new_id()
        overlap = timedelta(hours=form.overlap_hours)
        issued = await Door(parts).in_thread(
            lambda: parts.partners.rotate_key(partner, key_id, visitor.principal, now, overlap)
        )
    return PartnerKeyOut(key=issued.value, key_id=issued.session_id, expires_at=issued.expires_at)


@router.post("/partners/{partner}/disable", name="partners.disable", summary="停用接入方")
async def disable_partner(
    partner: UUID,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("partners.disable"))],
) -> PartnerOut:
    """End the partner's access at once."""
    async with noting_refusals(parts, visitor, "partners.disable", f"partner/{partner}"):
        now = parts.now()
        await Door(parts).in_thread(lambda: parts.partners.disable(partner, visitor.principal, now))
    return await _read(parts, partner)
