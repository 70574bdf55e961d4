"""个人信息删除: by the person, or asked by one 安全管理员 and approved by another; its ledger."""

import asyncio
from functools import partial
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends, Path, Response
from fastapi import Request as HttpRequest

from api.access import Visitor, actor_at
from api.accounts.audit import Fact, entry_of
from api.accounts.errors import NotThere
from api.accounts.principal import PrincipalKind
from api.door import Door
from api.office_schemas import DestroyIn, EraseIn, ErasureRowOut, StaffTextOut
from api.parts import Parts
from api.routes.asked import Key
from api.routes.noted import command_id, noting_refusals
from api.visitors import With, guard, keep_rate
from casework.erasure import Erasure, ErasureState
from casework.errors import Missing, UnknownCase
from casework.events import PlaceCorrected
from casework.key_writer import KeysBusy
from casework.keys import KeyRow, Owner, OwnerKind
from casework.model import Sealed
from projections.erasure import scrub
from projections.feed import LOOK_SECONDS, WAIT_SECONDS
from projections.lines import WORDS
from projections.persons import CaseOfPerson, cases_of_person, wipe_words
from projections.search import document_id
from projections.tables import reading

router = APIRouter(tags=["个人信息"])

STATE_NAMES = {
    ErasureState.ASKED: "待另一名安全管理员批准",
    ErasureState.APPROVED: "已批准",
    ErasureState.KEYS_DESTROYED: "密钥已销毁",
    ErasureState.APPENDED: "正在清除",
    ErasureState.COMPLETE: "已完成",
    ErasureState.DECLINED: "不批准",
}

ME = "me"

PersonRef = Annotated[
    str,
    Path(
        min_length=1,
        max_length=40,
        description="person_id；本人（已登录或持回执）可写 me。",
        examples=[ME],
    ),
]


def _row(erasure: Erasure) -> ErasureRowOut:
    return ErasureRowOut(
        erasure_id=erasure.id,
        person_id=erasure.person_id,
        state=erasure.state,
        state_name=STATE_NAMES[erasure.state],
        asked_by=erasure.asked_by,
        asked_at=erasure.asked_at,
        decided_by=erasure.decided_by,
        decided_at=erasure.decided_at,
        completed_at=erasure.completed_at,
        waiting_for=erasure.waiting_for,
    )


# asking ----------------------------------------------------------------------------------


@router.post(
    "/persons/{person}/erase",
    name="persons.erase",
    status_code=202,
    summary="删除个人信息",
    description="本人申请立即办理；安全管理员申请须另一名安全管理员批准。删除后不能恢复。",
    responses={200: {"model": ErasureRowOut, "description": "已经全部删除"}},
)
async def erase(
    person: PersonRef,
    form: EraseIn,
    request: HttpRequest,
    response: Response,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("persons.erase"))],
    key: Key,
) -> ErasureRowOut:
    """By the person it goes through at once (200 when nothing is left); by staff it is asked."""
    keep_rate(parts, visitor, "erasures", parts.limits.citizens)
    if visitor.principal.kind is PrincipalKind.STAFF:
        return await _ask(parts, visitor, person, request, key)
    async with noting_refusals(parts, visitor, "persons.erase"):
        own = await _oneself(parts, visitor, person, form.case)
        erasure_id = command_id(visitor, request.url.path, key, str(own))
    # Before anything is destroyed, so that an erasure never stands in no trail.
    await _note(parts, visitor, "persons.erase", own, erasure_id, by_oneself=True)
    erasure = await Door(parts).in_thread(lambda: parts.erasing.by_oneself(erasure_id, own))
    erasure = await _seen_by_the_views(parts, erasure)
    if erasure.state is ErasureState.COMPLETE:
        response.status_code = 200
    return _row(erasure)


async def _oneself(parts: Parts, visitor: Visitor, person: str, case: str | None) -> UUID:
    """The visitor's own person id, if that is whom the path names.

    Raises NotThere for everybody else, known or not; UnknownCase where the receipt is of no case.
    """
    if visitor.principal.kind is PrincipalKind.CITIZEN:
        own = visitor.principal.person_id
        assert own is not None
    else:
        if case is None:
            raise Missing("case", "凭回执申请时请填写案件编号。")
        door = Door(parts)
        case_id = await door.case_id(case)
        loaded = await door.loaded(case_id)
        actor = actor_at(visitor, case_id, loaded.case, parts.receipts)
        if actor is None:
            raise UnknownCase(case_id)
        own = UUID(actor.id)
    if person not in (ME, str(own)):
        raise NotThere("个人")
    return own


async def _ask(
    parts: Parts, visitor: Visitor, person: str, request: HttpRequest, key: str
) -> ErasureRowOut:
    async with noting_refusals(parts, visitor, "persons.erase"):
        asked_for = await _known(parts, person)
        erasure_id = command_id(visitor, request.url.path, key)
        by, now = visitor.principal.actor().id, parts.now()
        erasure = await Door(parts).in_thread(
            lambda: parts.ledger.ask(erasure_id, str(asked_for), by, now)
        )
    await _note(parts, visitor, "persons.erase", asked_for, erasure.id)
    return _row(erasure)


async def _known(parts: Parts, person: str) -> UUID:
    """The id, if anybody here stands for it. Raises NotThere."""
    try:
        asked_for = UUID(person)
    except ValueError:
        raise NotThere("个人") from None
    owner = Owner(OwnerKind.PERSON, str(asked_for))

    def knows() -> bool:
        return bool(parts.keys.keys_of(owner)) or parts.people.knows_person(asked_for)

    if not await Door(parts).in_thread(knows):
        raise NotThere("个人")
    return asked_for


async def _note(
    parts: Parts,
    visitor: Visitor,
    operation: str,
    person: UUID | str,
    erasure_id: UUID,
    *,
    by_oneself: bool = False,
) -> None:
    facts: dict[str, Fact] = {"erasure": str(erasure_id)}
    if by_oneself:
        facts["by"] = "oneself"
    await parts.audit.record_durably(
        entry_of(visitor.principal, operation, parts.now(), target=f"person/{person}", facts=facts)
    )


async def _seen_by_the_views(parts: Parts, erasure: Erasure) -> Erasure:
    """Give the views the two seconds in which they usually have forgotten too."""
    looks = int(WAIT_SECONDS / LOOK_SECONDS)
    while erasure.state is ErasureState.APPENDED and looks > 0:
        await asyncio.sleep(LOOK_SECONDS)
        erasure = await Door(parts).in_thread(partial(parts.ledger.get, erasure.id))
        looks -= 1
    return erasure


# deciding --------------------------------------------------------------------------------


@router.get("/erasures", name="persons.erasures", summary="删除台账")
async def list_erasures(
    parts: With, _visitor: Annotated[Visitor, Depends(guard("persons.erasures"))]
) -> tuple[ErasureRowOut, ...]:
    """Every erasure ever asked for, oldest first, and how far it has come."""
    return tuple(map(_row, await Door(parts).in_thread(parts.ledger.all)))


@router.post("/erasures/{erasure}/approve", name="persons.approve_erasure", summary="批准删除")
async def approve_erasure(
    erasure: UUID,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("persons.approve_erasure"))],
) -> ErasureRowOut:
    """A second 安全管理员 agrees, and it goes through. There is no way back."""
    async with noting_refusals(parts, visitor, "persons.approve_erasure", f"erasure/{erasure}"):
        await _require_erasure(parts, erasure)
        by = visitor.principal.actor().id
        reached = await Door(parts).in_thread(lambda: parts.erasing.approve(erasure, by))
    await _note(parts, visitor, "persons.approve_erasure", reached.person_id, erasure)
    return _row(await _seen_by_the_views(parts, reached))


@router.post("/erasures/{erasure}/decline", name="persons.decline_erasure", summary="不批准删除")
async def decline_erasure(
    erasure: UUID,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("persons.decline_erasure"))],
) -> ErasureRowOut:
    """Refuse it, before any key is destroyed."""
    async with noting_refusals(parts, visitor, "persons.decline_erasure", f"erasure/{erasure}"):
        await _require_erasure(parts, erasure)
        by, now = visitor.principal.actor().id, parts.now()
        declined = await Door(parts).in_thread(lambda: parts.ledger.decline(erasure, by, now))
    await _note(parts, visitor, "persons.decline_erasure", declined.person_id, erasure)
    return _row(declined)


async def _require_erasure(parts: Parts, erasure_id: UUID) -> None:
    known = await Door(parts).in_thread(parts.ledger.all)
    if all(erasure.id != erasure_id for erasure in known):
        raise NotThere("删除申请")


# staff texts -----------------------------------------------------------------------------


def _cases(parts: Parts, person: UUID) -> list[CaseOfPerson]:
    with reading(parts.feed.readers.engine) as connection:
        return cases_of_person(connection, person)


def _texts(parts: Parts, person: UUID) -> list[tuple[CaseOfPerson, KeyRow]]:
    return [
        (case, row)
        for case in _cases(parts, person)
        for row in parts.keys.keys_of_case(case.case_id)
    ]


def _text(case: CaseOfPerson, row: KeyRow) -> StaffTextOut:
    return StaffTextOut(
        key_id=row.key_id,
        case_id=case.case_id,
        case_number=case.number,
        written_at=row.created_at,
        destroyed_at=row.destroyed_at,
    )


@router.get("/persons/{person}/staff-texts", name="persons.staff_texts", summary="相关工作文字")
async def list_staff_texts(
    person: PersonRef,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("persons.staff_texts"))],
) -> tuple[StaffTextOut, ...]:
    """What staff wrote about the person's cases, by key, for somebody to decide on."""
    async with noting_refusals(parts, visitor, "persons.staff_texts"):
        asked_for = await _known(parts, person)
    found = await Door(parts).in_thread(lambda: _texts(parts, asked_for))
    return tuple(_text(case, row) for case, row in found)


@router.post(
    "/persons/{person}/staff-texts/destroy",
    name="persons.destroy_staff_texts",
    summary="销毁工作文字",
)
async def destroy_staff_texts(
    person: PersonRef,
    form: DestroyIn,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("persons.destroy_staff_texts"))],
) -> tuple[StaffTextOut, ...]:
    """Destroy the keys of these texts, and take their words off the views. May be repeated."""
    async with noting_refusals(parts, visitor, "persons.destroy_staff_texts"):
        asked_for = await _known(parts, person)
        await Door(parts).in_thread(lambda: _destroy(parts, asked_for, frozenset(form.key_ids)))
    await parts.audit.record_durably(
        entry_of(
            visitor.principal,
            "persons.destroy_staff_texts",
            parts.now(),
            target=f"person/{asked_for}",
            facts={"keys": len(form.key_ids)},
        )
    )
    found = await Door(parts).in_thread(lambda: _texts(parts, asked_for))
    return tuple(_text(case, row) for case, row in found)


def _destroy(parts: Parts, person: UUID, key_ids: frozenset[UUID]) -> None:
    """All of them or, if one is of no case of the person, none.

    Raises NotThere; KeysBusy where a reader keeps the old bytes, then call it again.
    """
    found = _texts(parts, person)
    if not key_ids <= {row.key_id for _, row in found}:
        raise NotThere("工作文字")
    chosen: dict[CaseOfPerson, list[UUID]] = {}
    for case, row in found:
        if row.key_id in key_ids:
            chosen.setdefault(case, []).append(row.key_id)
    for case, keys in chosen.items():
        parts.keys.destroy_case_keys(case.case_id, keys, parts.now())
    parts.casework.forget()
    # A page that was opened before the keys went may still be on its way into the views.
    parts.feed.wait_for(parts.casework.eventlog.head())
    positions, documents = [], []
    for case in chosen:
        for recorded in parts.casework.history(case.case_id):
            if _sealed_under(recorded.event, WORDS.get(type(recorded.event)), key_ids):
                positions.append(recorded.position)
            corrected = isinstance(recorded.event, PlaceCorrected) and recorded.event.place
            if corrected and _sealed_under(corrected, "address", key_ids):
                documents.append(document_id(case.seq, recorded.version))
    wipe_words(parts.feed.readers, positions, documents)
    if not scrub(parts.feed.readers):
        raise KeysBusy


def _sealed_under(holder: msgspec.Struct, field: str | None, key_ids: frozenset[UUID]) -> bool:
    sealed = getattr(holder, field) if field else None
    return isinstance(sealed, Sealed) and sealed.key_id in key_ids
