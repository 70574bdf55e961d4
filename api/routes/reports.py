"""上报: photos and recordings first, then the report that cites them; and where a place lies."""

from collections.abc import Iterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, File, Query, Response, UploadFile
from fastapi import Request as HttpRequest
from starlette.datastructures import UploadFile as UploadedFile

from api.access import Visitor, actor_at, require_sight
from api.door import Door, assigned, owner_of, upload_owner
from api.examining import packed
from api.handler_uploads import case_of_link, owner_of_case
from api.hygiene import Degrees
from api.parts import Parts
from api.problems import problem_error
from api.routes.asked import Key, asked
from api.schemas import (
    Door as DoorOut,
)
from api.schemas import (
    LocateOut,
    NearbyOut,
    Promised,
    Proof,
    ReportIn,
    ReportOut,
    StreetOut,
    UploadOut,
)
from api.shown import street_name
from api.uploads import Upload
from api.visitors import With, guard, keep_rate
from casework.clocks import SHANGHAI
from casework.events import ReportSubmitted
from casework.evidence import RecordingExamined
from casework.keys import Owner, OwnerKind, person_key
from casework.model import Crs, Place, PlaceKind
from evidence import recordings
from evidence.examining import CHECK_VERSION
from evidence.signatures import Kind
from geo.coordinates import to_wgs84

router = APIRouter(tags=["上报"])

_PIECE = 65_536

UPLOAD_LIMIT = 21 * 1024 * 1024
RECORDING_LIMIT = 6 * 1024 * 1024
"""Bytes of an upload with its multipart frame."""

FULL_SECONDS = 30
"""When to come again where too many files wait to be examined: some dozens are done by then."""

CaseRef = Annotated[str | None, Query(max_length=40, description="凭回执补充材料时的案件编号。")]


@router.post(
    "/reports",
    name="reports.submit",
    status_code=201,
    summary="上报问题",
    description="同一个 Idempotency-Key 重发只产生一个案件，并得到同样的答复。",
)
async def submit(
    form: ReportIn,
    request: HttpRequest,
    response: Response,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("reports.submit"))],
    key: Key,
) -> ReportOut:
    keep_rate(parts, visitor, "reports", parts.limits.reports)
    door = Door(parts)
    reported = await door.report(await asked(request, visitor, key), form)
    done = reported.done
    submitted = done.happened[0]
    assert isinstance(submitted, ReportSubmitted)
    response.headers["Location"] = f"/api/v1/cases/{done.case_id}"
    response.headers["ETag"] = f'"{done.version}"'
    return ReportOut(
        case_id=done.case_id,
        case_number=submitted.number,
        receipt=reported.receipt,
        proof=Proof(position=done.position, hash=done.hash.hex()),
        version=done.version,
        position=done.position,
        street=submitted.assignment.street,
        street_name=street_name(parts, submitted.assignment.street),
        certainty=submitted.assignment.certainty,
        because=submitted.assignment.because,
        promised=promised(submitted),
        warnings=warnings(parts, submitted),
    )


def promised(submitted: ReportSubmitted) -> Promised:
    """What a report was promised when it was taken in."""
    review_by = submitted.started[0].due_at.astimezone(SHANGHAI)
    return Promised(
        review_by=review_by,
        says=f"我们将在{review_by:%m月%d日 %H:%M}前完成审核，结果会通知您。",
    )


def warnings(parts: Parts, submitted: ReportSubmitted) -> tuple[DoorOut, ...]:
    """Whom to turn to as well, by the words of the report; dangers first."""
    wordings = parts.casework.references.rules_of(submitted.versions).catalogue
    named = {*submitted.danger, *submitted.out_of_scope}
    return tuple(
        DoorOut(name=w.name, door=w.door, number=w.number)
        for w in (*wordings.danger_words, *wordings.scope_words)
        if w.name in named
    )


# uploads ---------------------------------------------------------------------------------


@router.post(
    "/photos",
    name="photos.upload",
    status_code=201,
    summary="上传照片",
    max_body_size=UPLOAD_LIMIT,
)
async def upload_photo(
    file: Annotated[UploadFile, File(description="JPEG、PNG、WebP 或 HEIC，不超过 20 MB。")],
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("photos.upload"))],
    case: CaseRef = None,
) -> UploadOut:
    """Take in a picture: sealed and on the disk before the answer."""
    return await take_in(parts, visitor, file, Kind.PICTURE, case)


@router.post(
    "/recordings",
    name="recordings.upload",
    status_code=201,
    summary="上传录音",
    max_body_size=RECORDING_LIMIT,
)
async def upload_recording(
    file: Annotated[
        UploadFile,
        File(description="M4A、AAC、MP3、WAV、OGG、WebM 或 AMR，不超过 5 MB、60 秒。"),
    ],
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("recordings.upload"))],
    case: CaseRef = None,
) -> UploadOut:
    """Take in a recording: its form and length are looked at before it is kept."""
    return await take_in(parts, visitor, file, Kind.RECORDING, case)


async def take_in(
    parts: Parts, visitor: Visitor, file: UploadedFile, kind: Kind, case: str | None
) -> UploadOut:
    """Take in a file for a report, or for a case that is named; what a form then cites.

    Raises UploadRefused, and ProblemError where somebody without an account names no draft.
    """
    keep_rate(parts, visitor, "uploads", parts.limits.uploads)
    door = Door(parts)
    owner, key_id, key_owner = await _uploader(parts, door, visitor, case)
    await parts.keys.ensure(key_id, key_owner)
    wrap = parts.sealer.wrapper(key_id)
    upload_id, now = parts.new_id(), parts.now()

    def pieces() -> Iterator[bytes]:
        file.file.seek(0)
        return iter(lambda: file.file.read(_PIECE), b"")

    def store() -> Upload:
        if kind is Kind.PICTURE:
            if parts.examining.is_full():
                raise problem_error(
                    503,
                    "examining-full",
                    "系统繁忙",
                    "现在上传照片的人较多，请稍后再试；也可以先不带照片上报。",
                    headers={"Retry-After": str(FULL_SECONDS)},
                )
            blob = parts.blobs.put(pieces(), wrap, kind)
            return parts.uploads.add(upload_id, owner, blob, now)
        heard = recordings.check(pieces())
        blob = parts.blobs.put(pieces(), wrap, kind, recordings.LIMIT_BYTES)
        outcome = packed(
            RecordingExamined(
                upload=upload_id,
                sha256=blob.sha256,
                version=CHECK_VERSION,
                media_type=heard.media_type,
                seconds=round(heard.seconds, 2),
            )
        )
        return parts.uploads.add(upload_id, owner, blob, now, outcome)

    kept = await door.in_thread(store)
    if kind is Kind.PICTURE:
        parts.examining.arrived()
    blob = kept.blob
    return UploadOut(
        upload=kept.id,
        bytes=blob.size,
        media_type=blob.media_type,
        good_until=kept.good_until,
    )


async def _uploader(
    parts: Parts, door: Door, visitor: Visitor, case: str | None
) -> tuple[str, UUID, Owner]:
    """Under whose name a file stands, and the key that wraps its own."""
    if visitor.link is not None:
        case_id = (await case_of_link(parts, visitor.link)).case_id
        return owner_of_case(case_id), parts.new_id(), Owner(OwnerKind.CASE, str(case_id))
    if visitor.receipt is not None and case is not None:
        case_id = await door.case_id(case)
        known = (await door.loaded(case_id)).case
        actor = require_sight(actor_at(visitor, case_id, known, parts.receipts), case_id, known)
        return owner_of(actor), person_key(actor.id), Owner(OwnerKind.PERSON, actor.id)
    if visitor.is_anonymous:
        if visitor.draft is None or visitor.draft.version != 4:
            raise problem_error(
                422,
                "draft-missing",
                "缺少草稿编号",
                "未登录上传时请在 Draft 头中给出草稿编号（随机 UUID，"
                "与随后上报的 Idempotency-Key 相同）；凭回执补充时请用 case 参数给出案件编号。",
            )
        person = str(door.person_of_draft(visitor.draft))
        return (
            upload_owner(visitor, visitor.draft),
            person_key(person),
            Owner(OwnerKind.PERSON, person),
        )
    owner = upload_owner(visitor, None)
    if visitor.principal.person_id is not None:
        person = str(visitor.principal.person_id)
        return owner, person_key(person), Owner(OwnerKind.PERSON, person)
    # Staff and partners: each file under a key of its own that their account owns. Whose report it
    # will be is not known yet, so erasing a person does not reach these files by their key.
    return owner, parts.new_id(), Owner(OwnerKind.CASE, owner)


# places ----------------------------------------------------------------------------------


@router.get("/locate", name="places.locate", summary="定位到街镇")
def locate(
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("places.locate"))],
    lon: Annotated[Degrees, Query(ge=-180, le=180)],
    lat: Annotated[Degrees, Query(ge=-90, le=90)],
    crs: Annotated[Crs, Query()],
    accuracy_m: Annotated[Degrees | None, Query(ge=0, le=100_000)] = None,
) -> LocateOut:
    """Which 街镇 a point belongs to, how sure that is, and why."""
    x, y = to_wgs84(lon, lat, crs.value)
    place = Place(lon=x, lat=y, kind=PlaceKind.OTHER, accuracy_m=accuracy_m)
    found = assigned(parts.dispatcher, place)
    return LocateOut(
        lon=x,
        lat=y,
        street=found.street,
        street_name=street_name(parts, found.street),
        certainty=found.certainty,
        border_m=found.border_m,
        runner_up=found.runner_up,
        runner_up_name=street_name(parts, found.runner_up),
        neighbour=found.neighbour,
        boundary_version=found.boundary_version,
        because=found.because,
        nearby=tuple(
            NearbyOut(name=near.place.name, kind=near.place.kind, distance_m=near.distance_m)
            for near in parts.gazetteer.near(x, y)
        ),
    )


@router.get("/streets", name="places.streets", summary="29 个街镇")
def streets(
    parts: With, _visitor: Annotated[Visitor, Depends(guard("places.streets"))]
) -> tuple[StreetOut, ...]:
    """Codes and names of the 街镇."""
    boundaries = parts.dispatcher.boundaries
    return tuple(StreetOut(code=code, name=boundaries.name(code)) for code in boundaries.codes)
