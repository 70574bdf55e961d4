"""上报页: from a photo to a receipt. One form that does it all; a script only fills it in sooner.

The form's key is the idempotency key: however often the form is sent, it is one case. What a script
asks for while one types comes from the same code and the same words as without a script.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends
from fastapi import Request as HttpRequest
from pydantic import ValidationError
from starlette.datastructures import UploadFile
from starlette.responses import JSONResponse, Response

from api.access import Visitor
from api.door import Door, Reported, Request
from api.evidence_schemas import SimilarIn, SimilarOut
from api.pages.acting import act, drafted
from api.pages.frame import Frame, framed
from api.pages.posted import Posted
from api.pages.refusing import FAULTS, Refused, Wrong, problem_of
from api.pages.report_form import (
    ACTION,
    CHANNELS,
    CRS_NAMES,
    LABELS,
    NO_PHOTO,
    PLACES,
    one,
    pin_of,
    refusal,
    report_of,
    with_choice,
)
from api.pages.uploading import UPLOADS_LIMIT
from api.pages.visitors import keep_receipt
from api.problems import Problem, ProblemError
from api.recognition_schemas import RecognisedOut, RecogniseIn, SpotIn
from api.routes.places import PlacesOut, find
from api.routes.recognitions import recognise
from api.routes.reports import locate, take_in
from api.routes.similar import similar_to_report
from api.schemas import LocateOut, PhotoIn, PlaceIn, ReportIn
from api.visitors import keep_rate
from casework.errors import KeyReused, Refusal
from casework.key_writer import KeysBusy, KeysNotWritten
from casework.lifecycle import Action
from casework.log.port import LogBusy, LogUnavailable
from casework.model import PlaceKind
from evidence.errors import StoreUnavailable, UploadRefused
from evidence.signatures import Kind

router = APIRouter(include_in_schema=False)

Values = Mapping[str, tuple[str, ...]]

OFFERED = 6
"""Places offered for an address: more is a list to search in."""

_LATER = (LogBusy, KeysBusy, LogUnavailable, KeysNotWritten, StoreUnavailable)
"""What passes: the same form sent again is the same report."""

_BUSY = Problem(
    "/problems/busy",
    "系统现在很忙",
    503,
    "暂时没能保存。填写的内容都还在，请稍后再提交一次，重复提交只算一次。",
)

_PREFILLED = ("lon", "lat", "crs", "accuracy_m", "kind", "address")


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What the page knows of a report that is being written."""

    located: LocateOut | None = None
    kinds: RecognisedOut | None = None
    near: tuple[SimilarOut, ...] = ()
    places: PlacesOut | None = None
    notice: str = ""
    """What could not be looked up just now, and that it does not matter."""


# the page ----------------------------------------------------------------------------------


@router.get("/report", name="pages.report")
async def report_page(frame: Annotated[Frame, Depends(framed("pages.report"))]) -> Response:
    """An empty form; what the address names is filled in, as a place code or the host does."""
    return await _opened(frame)


@router.get("/report/on-behalf", name="pages.on_behalf")
async def on_behalf(frame: Annotated[Frame, Depends(framed("pages.on_behalf"))]) -> Response:
    """The same form for staff, with the reporter's contact and how the report came."""
    return await _opened(frame)


async def _opened(frame: Frame) -> Response:
    asked = frame.request.query_params
    given = {f"place.{name}": asked.get(name, "")[:200] for name in _PREFILLED}
    given["indicator"] = asked.get("indicator", "")[:8]
    values: dict[str, tuple[str, ...]] = {name: (text,) for name, text in given.items() if text}
    values["source_channel"] = ("phone",) if frame.staff else (_channel(asked.get("channel", "")),)
    values["key"] = (frame.new_key(),)
    return _page(frame, values, Shown(located=_located(frame, values)))


def _channel(asked: str) -> str:
    return asked if asked in {"miniprogram", "wechat", "app"} else "web"


# sending -----------------------------------------------------------------------------------


@router.post("/report", name="pages.report", max_body_size=UPLOADS_LIMIT)
async def send(frame: Annotated[Frame, Depends(framed("pages.report"))]) -> Response:
    """Take the report in; or the same page with what is missing, nothing filled in lost."""
    form = await frame.posted()
    if not _is_random(form.key):
        form = Posted({**form.values, "key": (frame.new_key(),)}, form.files)
    visitor = drafted(frame.visitor, form.key)
    values, failed = await _with_files(frame, visitor, form)
    values = with_choice(values)
    wanted = one(values, "do")
    if one(values, "join"):
        return await _join(frame, values)
    if wanted == "find" or (one(values, "place.address") and not one(values, "place.lon")):
        return await _places(frame, visitor, values, failed)
    report = report_of(values)
    if isinstance(report, Refused) or failed:
        refused = report if isinstance(report, Refused) else None
        return await _again(frame, visitor, values, refused, failed)
    if not (_scripted(frame.request) or one(values, "near_shown") or frame.staff):
        near = await _near(frame, visitor, values)
        if near:
            values["near_shown"] = ("yes",)
            shown = Shown(located=_located(frame, values), near=near)
            return _page(frame, values, shown)
    return await _report(frame, visitor, values, report)


def _is_random(key: str) -> bool:
    """Whether it is such a key as our page makes; without one a form is a new one."""
    try:
        return UUID(key).version == 4
    except ValueError:
        return False


async def _report(frame: Frame, visitor: Visitor, values: Values, report: ReportIn) -> Response:
    parts, key = frame.parts, one(values, "key")
    request = Request(visitor, key, "/report", report.model_dump_json().encode())
    door = Door(parts)
    try:
        frame.permit("reports.submit")
        keep_rate(parts, visitor, "reports", parts.limits.reports)
        return _taken(frame, await door.report(request, report))
    except KeyReused:
        # It arrived before, its answer was lost, and then something was changed: one case.
        earlier = await door.reported_before(request)
        if earlier is None:
            raise
        said = "这份上报先前已经收到。后来改动的内容没有收，请在案件里“补充信息”。"
        return _taken(frame, earlier, said)
    except FAULTS as fault:
        problem, headers = problem_of(fault)
        return await _again(frame, visitor, values, refusal(problem, values, headers=headers))
    except _LATER:
        refused = refusal(_BUSY, values, headers={"Retry-After": "2"})
        return await _again(frame, visitor, values, refused)


def _taken(frame: Frame, reported: Reported, said: str = "") -> Response:
    number = reported.done.case.number
    if frame.staff:
        said = f"已代为上报，编号{number}。回执{reported.receipt}只显示这一次，请告知反映人。{said}"
    response = _on(frame, f"/cases/{number}/receipt", said)
    if frame.visitor.is_anonymous:
        keep_receipt(response, frame.request, number, reported.receipt)
    return response


def _on(frame: Frame, path: str, said: str) -> Response:
    """On to a page: a script goes there by itself, once it has thrown the draft away."""
    response = frame.go(path, said)
    if not _scripted(frame.request):
        return response
    told = JSONResponse({"to": path}, 201)
    for name, value in response.raw_headers:
        if name == b"set-cookie":
            told.raw_headers.append((name, value))
    return told


def _scripted(request: HttpRequest) -> bool:
    return request.headers.get("x-asked-by") == "script"


async def _join(frame: Frame, values: Values) -> Response:
    """我也遇到: another reporter of a case that is there already."""
    number = one(values, "join")[:40]
    visitor = drafted(frame.visitor, one(values, "key"))
    here, frame.path = frame.path, f"/cases/{number}/join"  # one key is not to be two commands
    acted = await act(frame, number, Action.JOIN, Posted(values, {}))
    frame.path = here
    if isinstance(acted, Refused):
        problem = Problem("/problems/join", acted.title, acted.status, acted.says)
        refused = refusal(problem, values, acted.wrong, acted.headers)
        return await _again(frame, visitor, values, refused)
    number = acted.done.case.number
    to = f"/cases/{number}" if frame.signed_in else f"/cases/{number}/receipt"
    response = _on(frame, to, f"已加入案件{number}，进展会一并告诉您。")
    if acted.receipt:
        keep_receipt(response, frame.request, number, acted.receipt)
    return response


# what goes wrong, and what is looked for ----------------------------------------------------


async def _with_files(
    frame: Frame, visitor: Visitor, form: Posted
) -> tuple[dict[str, tuple[str, ...]], tuple[Wrong, ...]]:
    """The values with the files that came with the form itself; those not taken in, and why."""
    values = {name: found for name, found in form.values.items() if name != "token"}
    failed: list[Wrong] = []
    for name, source in (("camera_files", "camera"), ("album_files", "album")):
        for file in form.files.get(name, ()):
            kept = await _kept(frame, visitor, file, Kind.PICTURE, "photos", failed)
            if kept:
                values["photos"] = (*values.get("photos", ()), f"{kept} {source}")
    for file in form.files.get("recording_file", ()):
        kept = await _kept(frame, visitor, file, Kind.RECORDING, "recording", failed)
        if kept:
            values["recording"] = (kept,)
    return values, tuple(failed)


async def _kept(
    frame: Frame, visitor: Visitor, file: UploadFile, kind: Kind, field: str, failed: list[Wrong]
) -> str:
    try:
        frame.permit("photos.upload" if kind is Kind.PICTURE else "recordings.upload")
        return str((await take_in(frame.parts, visitor, file, kind, None)).upload)
    except UploadRefused as fault:
        failed.append(Wrong(field, LABELS[field], f"{file.filename}：{fault}"))
    except ProblemError as fault:
        failed.append(Wrong(field, LABELS[field], f"{file.filename}：{fault.problem.detail}"))
    except _LATER:
        failed.append(Wrong(field, LABELS[field], f"{file.filename}：{_BUSY.detail}"))
    return ""


async def _places(
    frame: Frame, visitor: Visitor, values: Values, failed: Sequence[Wrong]
) -> Response:
    """Where the address may be: to be chosen from, never taken by itself."""
    places = await _found(frame, visitor, one(values, "place.address"))
    shown = Shown(places=places, kinds=await _kinds(frame, visitor, values))
    values = _with_transcript(values, shown.kinds)
    refused = None
    if one(values, "do") != "find" and not _scripted(frame.request):
        says = "请在找到的地点中选一处。" if places and places.places else "没有找到，请换个说法。"
        wrong = (Wrong("place", LABELS["place"], says), *failed)
        refused = refusal(Problem("/problems/invalid", "还差一点", 422, ""), values, wrong)
    elif failed:
        problem = Problem("/problems/upload", "有文件没有收下", 422, "")
        refused = refusal(problem, values, tuple(failed))
    return _page(frame, values, shown, refused)


async def _again(
    frame: Frame,
    visitor: Visitor,
    values: Values,
    refused: Refused | None,
    failed: Sequence[Wrong] = (),
) -> Response:
    """The page with all that was filled in and what is wrong with it."""
    if failed:
        mine = refused.wrong if refused else ()
        left = tuple(w for w in mine if w.field not in {f.field for f in failed})
        problem = Problem("/problems/invalid", "还差一点", 422, "")
        refused = refusal(problem, values, (*failed, *left))
    shown = Shown()
    if not _scripted(frame.request):
        located = _located(frame, values)
        shown = Shown(located=located, kinds=await _kinds(frame, visitor, values))
        values = _with_transcript(values, shown.kinds)
    return _page(frame, values, shown, refused)


def _with_transcript(values: Values, kinds: RecognisedOut | None) -> Values:
    """What was said stands in the field for words, to be put right, where nothing stands yet."""
    if kinds is None or not kinds.transcript or one(values, "text"):
        return values
    return {**values, "text": (kinds.transcript,)}


@router.post("/report/look/{what}", name="pages.report_look")
async def look_up(
    what: str, frame: Annotated[Frame, Depends(framed("pages.report_look"))]
) -> Response:
    """A part of the page while it is filled in: place, kinds, near or places."""
    form = await frame.posted()
    values, visitor = dict(form.values), drafted(frame.visitor, form.key)
    if what == "place":
        shown = Shown(located=_located(frame, values))
    elif what == "kinds":
        shown = await _shown_kinds(frame, visitor, values)
    elif what == "near":
        shown = Shown(near=await _near(frame, visitor, values))
    else:
        what = "places"
        shown = Shown(places=await _found(frame, visitor, one(values, "place.address")))
    return frame.fragment("report_look.html", what=what, shown=shown, values=values)


def _located(frame: Frame, values: Values) -> LocateOut | None:
    pin = pin_of(values)
    if pin is None:
        return None
    return locate(frame.parts, frame.visitor, pin.lon, pin.lat, pin.crs, pin.accuracy_m)


async def _found(frame: Frame, visitor: Visitor, text: str) -> PlacesOut | None:
    text = text[:100]
    if not text or not text.isprintable():
        return None
    try:
        return await find(Response(), frame.parts, visitor, text, OFFERED)
    except ProblemError as fault:
        return PlacesOut(places=(), geocoder="off", says=fault.problem.detail)


async def _kinds(frame: Frame, visitor: Visitor, values: Values) -> RecognisedOut | None:
    """What it may be, where nobody has chosen yet; it never stands in the way."""
    return None if one(values, "indicator") else (await _shown_kinds(frame, visitor, values)).kinds


async def _shown_kinds(frame: Frame, visitor: Visitor, values: Values) -> Shown:
    pin, kind = pin_of(values), one(values, "place.kind")
    try:
        asked = RecogniseIn(
            text=one(values, "text")[:2000] or None,
            photos=tuple(photo.upload for photo in _photos(values)),
            recording=UUID(recorded) if (recorded := one(values, "recording")) else None,
            place_kind=PlaceKind(kind) if kind else None,
            place=SpotIn(lon=pin.lon, lat=pin.lat, crs=pin.crs) if pin else None,
        )
        if not (asked.text or asked.photos or asked.recording):
            return Shown()
        frame.permit("recognitions.ask")
        return Shown(kinds=await recognise(asked, frame.parts, visitor))
    except (ValidationError, ValueError):
        return Shown()
    except Refusal as fault:
        return Shown(notice=str(fault))
    except ProblemError as fault:
        return Shown(notice=fault.problem.detail)


def _photos(values: Values) -> tuple[PhotoIn, ...]:
    cited = dict.fromkeys(text.partition(" ")[0] for text in values.get("photos", ()))
    return tuple(PhotoIn(upload=UUID(upload)) for upload in cited if upload)


async def _near(frame: Frame, visitor: Visitor, values: Values) -> tuple[SimilarOut, ...]:
    """Open cases that may be this one; none where that cannot be told now."""
    pin = pin_of(values)
    if pin is None or one(values, "place.kind") == PlaceKind.INDOOR:
        return ()
    try:
        asked = SimilarIn(
            place=PlaceIn(
                lon=pin.lon, lat=pin.lat, crs=pin.crs, accuracy_m=pin.accuracy_m,
                kind=PlaceKind(one(values, "place.kind") or PlaceKind.OTHER),
            ),
            indicator=one(values, "indicator") or None,
            photos=_photos(values)[:9],
        )  # fmt: skip
        frame.permit("reports.similar")
        return await similar_to_report(asked, frame.parts, visitor)
    except (ValidationError, ValueError, Refusal, ProblemError):
        return ()


# the page itself ---------------------------------------------------------------------------


def _page(frame: Frame, values: Values, shown: Shown, refused: Refused | None = None) -> Response:
    catalogue = frame.parts.catalogue
    groups: dict[str, list[tuple[str, str]]] = {}
    for code, indicator in sorted(catalogue.indicators.items()):
        groups.setdefault(indicator.group, []).append((code, indicator.name))
    template = "report_look.html" if _scripted(frame.request) else "report.html"
    return frame.form_page(
        template,
        refused,
        action=ACTION,
        values=values,
        shown=shown,
        what="all",
        groups=groups,
        places=PLACES,
        no_photo=NO_PHOTO,
        channels=CHANNELS,
        crs_names=CRS_NAMES,
    )
