"""照片与录音: what is served of them, and to whom; what is covered before publication."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Response
from fastapi import Request as HttpRequest

from api.access import Visitor, actor_at, may_see
from api.accounts.audit import entry_of
from api.door import Door
from api.evidence_schemas import (
    BoxesOut,
    ConfirmedOut,
    ConfirmIn,
    PhotosOut,
    RedactedOut,
    RedactIn,
)
from api.parts import Parts
from api.pictures import may_listen, may_see_file, photos_shown
from api.problems import ProblemError, problem_error
from api.routes.asked import Key
from api.routes.cases import After, CaseRef, look, seen_up_to, sight
from api.routes.noted import asked_of, note_done, noting_refusals
from api.stored_files import Named, content_of
from api.visitors import With, guard
from casework.errors import Erased, UnknownCase
from casework.model import Actor, ActorKind
from evidence.errors import BlobDamaged, BlobMissing
from projections import evidence_seen
from projections.evidence_seen import Cited, File

router = APIRouter(tags=["照片与录音"])

Name = Annotated[
    str,
    Path(pattern="^[0-9a-f]{32}$", description="案件答复中给出的文件名。", examples=["0" * 32]),
]
UploadRef = Annotated[UUID, Path(description="上传编号。")]

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-site",
    "Cache-Control": "private, max-age=300",
    "Referrer-Policy": "no-referrer",
}
"""With every picture and recording: it is what it says, does nothing, and nobody else keeps it."""

PICTURES: dict[int | str, dict[str, object]] = {
    200: {"content": {"image/jpeg": {}}, "description": "照片（不含拍摄信息）。"}
}
SOUNDS: dict[int | str, dict[str, object]] = {
    200: {"content": {"audio/*": {}}, "description": "录音。"}
}


def nothing_there() -> ProblemError:
    """Not there, and not yours: one answer."""
    return problem_error(404, "unknown-file", "没有找到", "没有找到这个文件。")


@router.get(
    "/photos/{name}",
    name="photos.file",
    summary="查看照片",
    response_class=Response,
    responses=PICTURES,
)
async def read_photo(
    name: Name, parts: With, visitor: Annotated[Visitor, Depends(guard("photos.file"))]
) -> Response:
    """A picture made for looking at; originals are never served."""
    file = await look(parts, lambda c: evidence_seen.file_named(c, name))
    if file is None:
        raise nothing_there()
    citing = await look(parts, lambda c: evidence_seen.citing(c, [file.upload]))
    for cited in citing:
        actor = await _actor(parts, visitor, cited)
        if actor is not None and may_see_file(actor, cited, file):
            return await _served(parts, file)
    raise nothing_there()


@router.get(
    "/recordings/{name}",
    name="recordings.file",
    summary="收听录音",
    response_class=Response,
    responses=SOUNDS,
)
async def read_recording(
    name: Name, parts: With, visitor: Annotated[Visitor, Depends(guard("recordings.file"))]
) -> Response:
    """A recording that was examined. Staff who listen are in the audit trail before that."""
    upload = UUID(name)
    for cited in await look(parts, lambda c: evidence_seen.citing(c, [upload])):
        actor = await _actor(parts, visitor, cited)
        if not cited.is_recording or actor is None or not may_listen(actor, cited):
            continue
        photos = await look(parts, partial(evidence_seen.photos_of_case, case_id=cited.case_id))
        known = next((p for p in photos if p.cited.upload == upload), None)
        if known is None or known.state is not evidence_seen.State.READY:
            raise nothing_there()
        if actor.kind is ActorKind.STAFF:
            await parts.audit.record_durably(
                entry_of(
                    visitor.principal,
                    "listen",
                    parts.now(),
                    target=f"case/{cited.case_id}",
                    facts={"upload": str(upload)},
                )
            )
        content = await whole_file(parts, cited)
        return Response(content, media_type=cited.media_type, headers=HEADERS)
    raise nothing_there()


async def _actor(parts: Parts, visitor: Visitor, cited: Cited) -> Actor | None:
    """Who this visitor is at the citing case, if they may see it."""
    try:
        loaded = await Door(parts).loaded(cited.case_id)
    except UnknownCase:
        return None
    actor = actor_at(visitor, cited.case_id, loaded.case, parts.receipts)
    return actor if may_see(actor, loaded.case) else None


async def _served(parts: Parts, file: File) -> Response:
    content = await whole_file(parts, file)
    return Response(content, media_type=file.media_type, headers=HEADERS)


async def whole_file(parts: Parts, file: Named) -> bytes:
    """The whole file, checked against its hash before the first byte goes out."""
    try:
        return await Door(parts).in_thread(lambda: content_of(parts.blobs, parts.sealer, file))
    except (Erased, BlobMissing):
        raise nothing_there() from None
    except BlobDamaged:
        raise problem_error(
            503,
            "file-damaged",
            "文件损坏",
            "文件在保存中损坏，管理员恢复后可再查看。",
            headers={"Retry-After": "3600"},
        ) from None


# the photos of a case --------------------------------------------------------------------


@router.get("/cases/{case}/photos", name="cases.photos", summary="案件的照片和录音")
async def list_photos(
    case: CaseRef,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("cases.photos"))],
    after: After = None,
) -> PhotosOut:
    """What this visitor may see, in the order it came; what is still looked at says 检查中."""
    as_of = await seen_up_to(parts, after)
    loaded, actor = await sight(parts, visitor, case)
    found = await look(parts, lambda c: evidence_seen.photos_of_case(c, loaded.case_id))
    return PhotosOut(
        case_id=loaded.case_id,
        number=loaded.case.number,
        photos=photos_shown(found, actor),
        as_of=as_of,
    )


# before publication ----------------------------------------------------------------------


@router.get("/cases/{case}/photos/{upload}/boxes", name="cases.propose_boxes", summary="遮盖建议")
async def propose_boxes(
    case: CaseRef,
    upload: UploadRef,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("cases.propose_boxes"))],
) -> BoxesOut:
    """Where models see faces, plates and telephone numbers; a person keeps, drops and adds."""
    loaded, _actor = await sight(parts, visitor, case)
    door = Door(parts)
    return await door.in_thread(lambda: parts.redacting.propose(loaded.case_id, upload))


@router.post(
    "/cases/{case}/photos/{upload}/redact",
    name="cases.redact",
    status_code=201,
    summary="遮盖照片",
)
async def redact(
    case: CaseRef,
    upload: UploadRef,
    form: RedactIn,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("cases.redact"))],
    key: Key,
) -> RedactedOut:
    """Cover these rectangles with one colour on a picture of its own; the original stays sealed."""
    loaded, _actor = await sight(parts, visitor, case)
    target = f"case/{loaded.case_id}"
    async with noting_refusals(parts, visitor, "cases.redact", target):
        asked = await asked_of(request, parts, visitor, key)
        answer = await Door(parts).in_thread(
            lambda: parts.redacting.redact(loaded.case_id, upload, form, asked)
        )
    await note_done(parts, visitor, "cases.redact", asked, target, upload=str(upload))
    return answer


@router.post(
    "/cases/{case}/photos/{upload}/confirm-redaction",
    name="cases.confirm_redaction",
    summary="确认遮盖",
)
async def confirm_redaction(
    case: CaseRef,
    upload: UploadRef,
    form: ConfirmIn,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("cases.confirm_redaction"))],
    key: Key,
) -> ConfirmedOut:
    """A second person has looked at the redacted picture: it may be published."""
    loaded, _actor = await sight(parts, visitor, case)
    target = f"case/{loaded.case_id}"
    async with noting_refusals(parts, visitor, "cases.confirm_redaction", target):
        asked = await asked_of(request, parts, visitor, key)
        answer = await Door(parts).in_thread(
            lambda: parts.redacting.confirm(loaded.case_id, upload, form, asked)
        )
    await note_done(parts, visitor, "cases.confirm_redaction", asked, target, upload=str(upload))
    return answer
