"""申请: what waits in a case, what is left to ask for; the task and photos of a handler."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Response

from api.access import Visitor, unauthenticated
from api.asked_for import asked_for
from api.door import Door
from api.handler_uploads import case_of_link, thumbnail_of, uploads_of
from api.parts import Parts
from api.request_schemas import CaseUploadOut, HandlerTaskOut, RequestsOut
from api.routes.cases import After, CaseRef, seen_up_to, sight
from api.routes.photos import HEADERS, PICTURES, nothing_there, whole_file
from api.shown import indicator_name, street_name
from api.time_left import left_of
from api.visitors import With, guard
from casework.application import Loaded
from casework.errors import Refusal
from casework.events import HandlerAssigned
from casework.model import Clock, PlaceKind
from projections.timeline_words import PLACES

router = APIRouter(tags=["申请"])


@router.get("/cases/{case}/requests", name="cases.requests", summary="待答复的申请和还可申请什么")
async def read_requests(
    case: CaseRef,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("cases.requests"))],
    after: After = None,
) -> RequestsOut:
    """Open requests with their clocks and what granting would do; 督办; what may still be asked."""
    await seen_up_to(parts, after)
    loaded, actor = await sight(parts, visitor, case)
    return await asked_for(parts, loaded, actor)


@router.get("/cases/{case}/uploads", name="cases.uploads", summary="经办人上传的照片")
async def list_uploads(
    case: CaseRef,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("cases.uploads"))],
) -> tuple[CaseUploadOut, ...]:
    """What handlers sent by the one-time link and no form has cited, to be chosen from."""
    loaded, _actor = await sight(parts, visitor, case)
    return await uploads_of(parts, loaded.case_id)


@router.get(
    "/cases/{case}/uploads/{upload}",
    name="cases.upload_file",
    summary="经办人上传的照片（缩略图）",
    response_class=Response,
    responses=PICTURES,
)
async def read_upload(
    case: CaseRef,
    upload: Annotated[UUID, Path(description="上传编号。")],
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("cases.upload_file"))],
) -> Response:
    """A small picture of it, without what the camera wrote into it."""
    loaded, _actor = await sight(parts, visitor, case)
    found = await Door(parts).in_thread(lambda: thumbnail_of(parts, loaded.case_id, upload))
    if found is None:
        raise nothing_there()
    content = await whole_file(parts, found)
    return Response(content, media_type=found.media_type, headers=HEADERS)


@router.get("/handler-task", name="handler.task", summary="经办人的任务")
async def read_task(
    parts: With, visitor: Annotated[Visitor, Depends(guard("handler.task"))]
) -> HandlerTaskOut:
    """Where to go and what to photograph, for the holder of the one-time link of 指派."""
    if visitor.link is None:
        raise unauthenticated()
    return await task_of(parts, await case_of_link(parts, visitor.link))


async def task_of(parts: Parts, loaded: Loaded) -> HandlerTaskOut:
    """The task as its handler is told it: no person, no words of the report."""
    case, now = loaded.case, parts.now()
    running = case.clocks.get(Clock.HANDLING)
    due_at = running.fact.due_at if running else None
    left = left_of(parts, loaded, Clock.HANDLING, now)
    near = next(iter(parts.gazetteer.near(case.place.lon, case.place.lat)), None)
    history = await Door(parts).in_thread(lambda: parts.casework.history(loaded.case_id))
    named = [r.event.handler for r in history if isinstance(r.event, HandlerAssigned)]
    return HandlerTaskOut(
        number=case.number,
        street_name=street_name(parts, case.street),
        indicator_name=indicator_name(parts, case.indicator),
        standard=_standard(parts, loaded),
        place_name=PLACES[PlaceKind(case.place.kind)],
        lon=case.place.lon,
        lat=case.place.lat,
        near=f"{near.place.name}（约{near.distance_m:.0f}米）" if near else None,
        due_at=due_at,
        remaining=left.says if left else None,
        left=left,
        handler=named[-1] if named else "",
        uploads=await uploads_of(parts, loaded.case_id),
    )


def _standard(parts: Parts, loaded: Loaded) -> str | None:
    """What must be reached before the case is closed, by the catalogue of its registration."""
    case = loaded.case
    if case.versions is None or case.indicator is None or case.condition is None:
        return None
    try:
        rules = parts.casework.references.rules_of(case.versions)
        return rules.catalogue.indicator(case.indicator).row(case.condition).standard
    except Refusal:
        return None
