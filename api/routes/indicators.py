"""指标目录: what is in force, and its changes, proposed by one person and confirmed by another."""

from collections.abc import Callable, Iterable
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from fastapi import Request as HttpRequest

from api.access import Visitor
from api.accounts.errors import NotThere
from api.configuring import (
    STATE_NAMES,
    ProposedChange,
    all_changes,
    change_of,
    decide,
    in_words,
    propose,
)
from api.door import Door
from api.office_schemas import (
    AddIndicatorIn,
    CatalogueOut,
    ChangeOut,
    ConditionOut,
    DeclineIn,
    IndicatorBodyIn,
    IndicatorCode,
    IndicatorOut,
    LimitOut,
    Named,
    OverrideOut,
    PartyOut,
    ProposeIn,
    ReasonOut,
    RetireIndicatorIn,
    ReviseIndicatorIn,
)
from api.parts import Parts
from api.routes.asked import Key
from api.routes.noted import asked_of, note_done, noting_refusals
from api.small_streams import Asked
from api.visitors import With, guard
from casework import catalogue as catalogues
from casework import proposals
from casework.clock_words import limit_in_words
from casework.errors import Missing
from casework.indicators import FAMILIES, ConditionRow, Indicator, LimitOverride
from casework.model import Limit, PlaceKind, Versions

router = APIRouter(tags=["指标"])

PLACE_NAMES = {
    PlaceKind.COMPOUND: "居住小区",
    PlaceKind.MAIN_ROAD: "重点道路",
    PlaceKind.ROAD: "道路",
    PlaceKind.METRO_EXIT: "地铁出入口",
    PlaceKind.GREEN: "公共绿地",
    PlaceKind.WATER: "水域",
    PlaceKind.CAMPUS: "校园",
    PlaceKind.MARKET: "市场",
    PlaceKind.SQUARE: "广场",
    PlaceKind.OTHER: "其他公共空间",
    PlaceKind.INDOOR: "楼道内和室内",
}

Number = Annotated[int, Path(ge=1, le=10**9, description="变更编号。")]
CodeOfPath = Annotated[IndicatorCode, Path()]


# 目录 --------------------------------------------------------------------------------------


def _places(kinds: Iterable[PlaceKind]) -> tuple[Named, ...]:
    return tuple(Named(code=kind, name=PLACE_NAMES[kind]) for kind in kinds)


def _limit(limit: Limit) -> LimitOut:
    return LimitOut(amount=limit.amount, unit=limit.unit, words=limit_in_words(limit))


def _override(parts: Parts, override: LimitOverride) -> OverrideOut:
    boundaries = parts.dispatcher.boundaries
    return OverrideOut(
        limit=_limit(override.limit),
        streets=tuple(
            Named(code=code, name=boundaries.name(code) if code in boundaries.codes else code)
            for code in override.streets
        ),
        place_kinds=_places(override.place_kinds),
        first=override.first,
        last=override.last,
    )


def _condition(parts: Parts, row: ConditionRow) -> ConditionOut:
    return ConditionOut(
        id=row.id,
        condition=row.condition,
        limit=_limit(row.limit),
        standard=row.standard,
        place_kinds=_places(row.place_kinds),
        overrides=tuple(_override(parts, override) for override in row.overrides),
    )


def _indicator(parts: Parts, indicator: Indicator) -> IndicatorOut:
    return IndicatorOut(
        code=indicator.code,
        name=indicator.name,
        group=indicator.group,
        sample=indicator.sample,
        note="示例，待区级确认" if indicator.sample else None,
        conditions=tuple(_condition(parts, row) for row in indicator.conditions),
        place_kinds=_places(indicator.place_kinds),
        parties=tuple(
            PartyOut(place_kind=Named(code=kind, name=PLACE_NAMES[kind]), party=party)
            for kind, party in indicator.parties.items()
        ),
        keywords=indicator.keywords,
        examples=indicator.examples,
    )


@router.get("/indicators", name="indicators.list", summary="指标目录")
def list_indicators(
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("indicators.list"))],
    version: Annotated[
        int | None, Query(ge=1, le=10**9, description="某一版；默认现行版。")
    ] = None,
) -> CatalogueOut:
    """The indicators in force, or of a version, with limits in words."""
    references = parts.casework.references
    current = references.versions_at(parts.now())
    head = references.head
    wanted = version or current.catalogue
    if not 1 <= wanted <= head.catalogue:
        raise NotThere("目录版本")
    found = references.rules_of(Versions(wanted, head.calendar, head.boundaries)).catalogue
    return CatalogueOut(
        version=wanted,
        in_force=wanted == current.catalogue,
        effective_from=found.last_effective,
        indicators=tuple(
            _indicator(parts, found.indicators[code]) for code in sorted(found.indicators)
        ),
    )


@router.get("/codes", name="indicators.codes", summary="原因代码")
def list_codes(
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("indicators.codes"))],
    family: Annotated[str | None, Query(max_length=4, description="如 N、TR；默认全部。")] = None,
) -> tuple[ReasonOut, ...]:
    """The coded reasons that may be chosen now."""
    if family is not None and family not in FAMILIES:
        raise Missing("family", f"没有这一类原因，可选: {'、'.join(FAMILIES)}。")
    catalogue = parts.catalogue
    return tuple(
        ReasonOut(
            code=reason.code,
            family=reason.family,
            family_name=FAMILIES[reason.family],
            text=reason.text,
            words=reason.words,
        )
        for name in ([family] if family else FAMILIES)
        for reason in catalogue.family(name)
    )


# 变更 --------------------------------------------------------------------------------------


def indicator_of(code: str, form: IndicatorBodyIn) -> Indicator:
    """The indicator that a form describes."""
    return msgspec.convert({**form.model_dump(mode="json"), "code": code}, Indicator)


def _change(change: ProposedChange) -> ChangeOut:
    return ChangeOut(
        id=change.number,
        says=in_words(change.change),
        change=msgspec.to_builtins(change.change, str_keys=True),
        reason=change.reason,
        state=change.state,
        state_name=STATE_NAMES[change.state],
        proposed_by=change.proposed_by,
        proposed_at=change.proposed_at,
        decided_by=change.decided_by,
        decided_at=change.decided_at,
        decided_because=change.decided_because,
    )


async def settle(
    request: HttpRequest,
    parts: Parts,
    visitor: Visitor,
    operation: str,
    key: str,
    work: Callable[[Asked], ProposedChange],
) -> ChangeOut:
    """Carry it out in a thread, with one audit row whether it is done or refused."""
    target = f"change/{request.path_params.get('number', '')}".rstrip("/")
    async with noting_refusals(parts, visitor, operation, target):
        asked = await asked_of(request, parts, visitor, key)
        settled = await Door(parts).in_thread(lambda: work(asked))
    target = f"change/{settled.number}"
    await note_done(parts, visitor, operation, asked, target, state=settled.state)
    return _change(settled)


@router.post("/indicators", name="indicators.propose", status_code=202, summary="提议新增指标")
async def propose_indicator(
    form: AddIndicatorIn,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("indicators.propose"))],
    key: Key,
) -> ChangeOut:
    """Propose an indicator; a supervisor confirms."""
    change = catalogues.AddIndicator(
        indicator=indicator_of(form.indicator.code, form.indicator),
        effective_from=form.effective_from,
    )
    return await settle(
        request,
        parts,
        visitor,
        "indicators.propose",
        key,
        lambda asked: propose(parts, change, form.reason, asked),
    )


@router.post(
    "/indicators/{code}/revise", name="indicators.propose", status_code=202, summary="提议修订指标"
)
async def propose_revision(
    code: CodeOfPath,
    form: ReviseIndicatorIn,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("indicators.propose"))],
    key: Key,
) -> ChangeOut:
    """Propose another content of an indicator; only later cases are touched."""
    change = catalogues.ReviseIndicator(
        indicator=indicator_of(code, form.indicator), effective_from=form.effective_from
    )
    return await settle(
        request,
        parts,
        visitor,
        "indicators.propose",
        key,
        lambda asked: propose(parts, change, form.reason, asked),
    )


@router.post(
    "/indicators/{code}/retire", name="indicators.propose", status_code=202, summary="提议停用指标"
)
async def propose_retirement(
    code: CodeOfPath,
    form: RetireIndicatorIn,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("indicators.propose"))],
    key: Key,
) -> ChangeOut:
    """Propose that an indicator be no longer chosen; cases under it go on."""
    change = catalogues.RetireIndicator(code=code, effective_from=form.effective_from)
    return await settle(
        request,
        parts,
        visitor,
        "indicators.propose",
        key,
        lambda asked: propose(parts, change, form.reason, asked),
    )


@router.post("/changes", name="indicators.propose", status_code=202, summary="提议变更基础数据")
async def propose_change(
    form: ProposeIn,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("indicators.propose"))],
    key: Key,
) -> ChangeOut:
    """Propose any change: indicators, coded reasons, step limits, wordings, calendar."""
    return await settle(
        request,
        parts,
        visitor,
        "indicators.propose",
        key,
        lambda asked: propose(parts, change_of(form.change), form.reason, asked),
    )


@router.get("/changes", name="indicators.proposals", summary="基础数据的变更，新的在前")
async def list_changes(
    *,
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("indicators.proposals"))],
    waiting: Annotated[bool, Query(description="只看待确认的。")] = False,
) -> tuple[ChangeOut, ...]:
    """What was proposed, and what became of it."""
    found = await Door(parts).in_thread(lambda: all_changes(parts.casework))
    return tuple(_change(change) for change in found if not waiting or change.state == "open")


@router.post("/changes/{number}/confirm", name="indicators.confirm", summary="确认变更")
async def confirm_change(
    number: Number,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("indicators.confirm"))],
    key: Key,
) -> ChangeOut:
    """Put it into the reference streams; whoever proposed it cannot."""
    return await settle(
        request,
        parts,
        visitor,
        "indicators.confirm",
        key,
        lambda asked: decide(parts, number, proposals.Confirm(), asked),
    )


@router.post("/changes/{number}/reject", name="indicators.reject", summary="否决变更")
async def reject_change(
    number: Number,
    form: DeclineIn,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("indicators.reject"))],
    key: Key,
) -> ChangeOut:
    """Turn it down, with a reason."""
    return await settle(
        request,
        parts,
        visitor,
        "indicators.reject",
        key,
        lambda asked: decide(parts, number, proposals.Decline(reason=form.reason), asked),
    )


@router.post("/changes/{number}/withdraw", name="indicators.withdraw", summary="撤回变更")
async def withdraw_change(
    number: Number,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("indicators.withdraw"))],
    key: Key,
) -> ChangeOut:
    """Take one's own proposal back."""
    return await settle(
        request,
        parts,
        visitor,
        "indicators.withdraw",
        key,
        lambda asked: decide(parts, number, proposals.Withdraw(), asked),
    )
