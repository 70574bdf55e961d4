"""位置二维码: issue, list, withdraw, scan counts, the picture; and what a scan leads to."""

import io
import re
from collections.abc import Mapping
from datetime import timedelta
from html import escape
from string import Template
from typing import Annotated
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import segno
from fastapi import APIRouter, Depends, Path, Query
from fastapi import Request as HttpRequest
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from api.access import Visitor
from api.accounts.errors import NotThere
from api.door import Door, assigned
from api.hygiene import Day, StreetText
from api.parts import Parts
from api.place_code_schemas import (
    PlaceCodeIn,
    PlaceCodeOut,
    PlaceCodePage,
    PrefilledPlace,
    PrefilledReport,
    RevokePlaceCodeIn,
    ScannedOut,
    ScansOfDay,
    ScansOut,
)
from api.place_codes import IssuedCode, shanghai_day
from api.problems import problem_error
from api.routes.asked import Key
from api.routes.noted import asked_of, note_done, noting_refusals
from api.shown import name_of_street
from api.visitors import With, guard, keep_rate
from casework.errors import Missing
from casework.model import Crs, Place, Role
from casework.place_code import EVERYWHERE, IssueCode, RevokeCode
from geo.coordinates import to_wgs84

router = APIRouter(tags=["位置二维码"])
"""Under the API."""

links = APIRouter(tags=["位置二维码"])
"""What is printed: short, and outside the API."""

Code = Annotated[
    str, Path(min_length=8, max_length=40, description="二维码编号，18 个字符，可手工输入。")
]

REVOKED = "这个位置二维码已经停用，请在“随手拍”中直接选择位置上报，或拨打 12345。"

MODULE = 8
"""Pixels of a module: 300 dpi print of 3 cm, and screens."""

_CARRIED = {
    "channel": re.compile(r"[a-z0-9_-]{1,32}"),
    "elder": re.compile(r"1"),
    "scale": re.compile(r"[0-2](\.[0-9]{1,2})?"),
}
"""What a mini-program says of itself to every page (miniprogram/paths.js); else the hop to the
report page would lose the size of the type."""

_SEES_ALL = (*EVERYWHERE, Role.ANALYST, Role.SUPERVISOR)


# for the back rooms ----------------------------------------------------------------------


@router.post("/place-codes", name="place_codes.issue", status_code=201, summary="发放位置二维码")
async def issue(
    form: PlaceCodeIn,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("place_codes.issue"))],
    key: Key,
) -> PlaceCodeOut:
    """Issue a code for a place in the district; a 街镇 for its own ground."""
    asked = await asked_of(request, parts, visitor, key)
    lon, lat = to_wgs84(form.lon, form.lat, form.crs.value)
    place = Place(
        lon=lon, lat=lat, kind=form.kind, crs=form.crs, source_lon=form.lon, source_lat=form.lat
    )
    async with noting_refusals(parts, visitor, "place_codes.issue"):
        if form.indicator is not None:
            parts.casework.references.rules_at(asked.at).catalogue.indicator(form.indicator)
        command = IssueCode(
            place=place,
            assignment=assigned(parts.boundaries.at(asked.at), place),
            name=form.name,
            indicator=form.indicator,
        )
        issued = await Door(parts).in_thread(lambda: parts.place_codes.issue(command, asked))
    target = f"place-code/{issued.number}"
    await note_done(parts, visitor, "place_codes.issue", asked, target)
    return await _shown(parts, request, issued)


@router.get("/place-codes", name="place_codes.list", summary="位置二维码列表")
async def list_codes(
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("place_codes.list"))],
    street: Annotated[StreetText | None, Query(description="只看一个街镇。")] = None,
    after: Annotated[int, Query(ge=0, le=2**53, description="上一页的 next。")] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> PlaceCodePage:
    """Codes in the order of issue with all their scans; a 街镇 sees its own."""
    if not visitor.principal.actor().holds(*_SEES_ALL):
        street = _own_street(visitor)
    page = await Door(parts).in_thread(lambda: parts.place_codes.page(street, after, limit))
    totals = await Door(parts).in_thread(
        lambda: parts.place_codes.scans.totals([issued.number for issued in page.codes])
    )
    return PlaceCodePage(
        codes=tuple(
            _code(parts, request, issued, totals.get(issued.number, 0)) for issued in page.codes
        ),
        next=page.after,
    )


@router.post("/place-codes/{code}/revoke", name="place_codes.revoke", summary="停用位置二维码")
async def revoke(
    code: Code,
    form: RevokePlaceCodeIn,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("place_codes.revoke"))],
    key: Key,
) -> PlaceCodeOut:
    """Withdraw a code for good; whoever scans it is told."""
    asked = await asked_of(request, parts, visitor, key)
    async with noting_refusals(parts, visitor, "place_codes.revoke", f"place-code/{code[:8]}"):
        found = await _found(parts, code)
        revoked = await Door(parts).in_thread(
            lambda: parts.place_codes.revoke(found.number, RevokeCode(reason=form.reason), asked)
        )
    target = f"place-code/{revoked.number}"
    await note_done(parts, visitor, "place_codes.revoke", asked, target)
    return await _shown(parts, request, revoked)


@router.get("/place-codes/{code}/scans", name="place_codes.scans", summary="扫码次数")
async def scans(
    code: Code,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("place_codes.scans"))],
    first: Annotated[Day | None, Query(description="默认 30 天前。")] = None,
    last: Annotated[Day | None, Query(description="默认今天。")] = None,
) -> ScansOut:
    """Scans by day; nobody's name, number or address is kept."""
    found = await _own(parts, visitor, code)
    until = last or shanghai_day(parts.now())
    since = first or until - timedelta(days=30)
    if until < since:
        raise Missing("last", "起止日期颠倒。")
    days = await Door(parts).in_thread(
        lambda: parts.place_codes.scans.days(found.number, since, until)
    )
    return ScansOut(
        code=found.code,
        first=since,
        last=until,
        days=tuple(ScansOfDay(day=day, scans=n) for day, n in days),
        total=sum(n for _, n in days),
    )


@router.get(
    "/place-codes/{code}/qr.svg",
    name="place_codes.qr",
    summary="二维码图片 (SVG)",
    response_class=Response,
    responses={200: {"content": {"image/svg+xml": {}}}},
)
async def picture_svg(
    code: Code,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("place_codes.qr"))],
) -> Response:
    """For print."""
    return _picture(request, parts, await _own(parts, visitor, code), "svg", "image/svg+xml")


@router.get(
    "/place-codes/{code}/qr.png",
    name="place_codes.qr",
    summary="二维码图片 (PNG)",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}}},
)
async def picture_png(
    code: Code,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("place_codes.qr"))],
) -> Response:
    """For screens."""
    return _picture(request, parts, await _own(parts, visitor, code), "png", "image/png")


def _picture(
    request: HttpRequest, parts: Parts, issued: IssuedCode, kind: str, media_type: str
) -> Response:
    out = io.BytesIO()
    # Level Q: a quarter of the picture may be scratched or pasted over, as it is out of doors.
    segno.make(_link(parts, request, issued.code), error="q", micro=False).save(
        out, kind=kind, scale=MODULE, border=4
    )
    return Response(out.getvalue(), media_type=media_type)


# for whoever scans -----------------------------------------------------------------------


@router.get(
    "/place-codes/{code}/place",
    name="place_codes.place",
    summary="扫码得到的位置",
    responses={410: {"description": "二维码已停用"}},
)
async def scanned_place(
    code: Code,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("place_codes.place"))],
) -> ScannedOut:
    """Where one is, and the fields of a report that this fills in. Counts as a scan."""
    keep_rate(parts, visitor, "place-codes", parts.limits.status)
    found = await _found(parts, code)
    if found.held.revoked:
        raise problem_error(410, "place-code-revoked", "二维码已停用", REVOKED)
    await _count(parts, visitor, found)
    return ScannedOut(
        code=found.code,
        name=found.held.name,
        street=found.held.street,
        street_name=name_of_street(parts, found.held.street),
        report=PrefilledReport(
            place=PrefilledPlace(
                lon=found.held.place.lon,
                lat=found.held.place.lat,
                crs=Crs.WGS84,
                kind=found.held.place.kind,
                address=found.held.name,
            ),
            indicator=found.held.indicator,
        ),
    )


@links.get(
    "/q/{code}",
    name="place_codes.open",
    summary="扫码",
    response_class=HTMLResponse,
    responses={
        302: {"description": "转到上报页面"},
        404: {"description": "没有这个二维码", "content": {"text/html": {}}},
        410: {"description": "二维码已停用", "content": {"text/html": {}}},
    },
)
async def open_link(
    code: Code,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("place_codes.open"))],
) -> Response:
    """To the report page with the place in its address, or to a page that says where one is."""
    keep_rate(parts, visitor, "place-codes", parts.limits.status)
    try:
        found = await _found(parts, code)
    except NotThere:
        return _page("没有这个二维码", "请核对编号，或在“随手拍”中直接选择位置上报。", status=404)
    if found.held.revoked:
        return _page("二维码已停用", REVOKED, status=410)
    await _count(parts, visitor, found)
    if parts.settings.report_page:
        target = _prefilled(parts.settings.report_page, found, request.query_params)
        return RedirectResponse(target, status_code=302)
    street = name_of_street(parts, found.held.street)
    return _page(
        f"您在：{found.held.name}",
        f"属{street}，位置编号 {found.code}。",
        "上报问题：打开“随手拍”，选择拍照上报，位置处填写上面的地点或位置编号，"
        "拍一张远景、一张近景，写一句话说明。",
    )


def _prefilled(page: str, issued: IssuedCode, said: Mapping[str, str]) -> str:
    """The report page's address with the place in its query, and what the host said of itself."""
    place = issued.held.place
    asked = {
        "place_code": issued.code,
        "lon": str(place.lon),
        "lat": str(place.lat),
        "crs": str(Crs.WGS84),
        "kind": str(place.kind),
        "address": issued.held.name,
    }
    if issued.held.indicator is not None:
        asked["indicator"] = issued.held.indicator
    for name, form in _CARRIED.items():
        if form.fullmatch(said.get(name, "")):
            asked[name] = said[name]
    parts = urlsplit(page)
    query = urlencode([*parse_qsl(parts.query), *asked.items()])
    return urlunsplit(parts._replace(query=query))


_PAGE = Template(
    '<!doctype html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    "<title>海淀随手拍</title>\n</head>\n<body>\n<main>\n<h1>$title</h1>\n$words\n"
    "<p>井盖缺失、坠线、燃气泄漏、火情等险情，请先拨打 119、110 或 120。</p>\n"
    "<p>其他诉求请拨打 12345 市民服务热线。</p>\n</main>\n</body>\n</html>\n"
)


def _page(title: str, *words: str, status: int = 200) -> HTMLResponse:
    told = "\n".join(f"<p>{escape(each)}</p>" for each in words)
    return HTMLResponse(
        _PAGE.substitute(title=escape(title), words=told),
        status_code=status,
        headers={
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
            "Referrer-Policy": "no-referrer",
        },
    )


# small parts -----------------------------------------------------------------------------


async def _count(parts: Parts, visitor: Visitor, found: IssuedCode) -> None:
    at = parts.now()
    await Door(parts).in_thread(lambda: parts.place_codes.count(found.number, visitor.source, at))


async def _found(parts: Parts, code: str) -> IssuedCode:
    found = await Door(parts).in_thread(lambda: parts.place_codes.find(code))
    if found is None:
        raise NotThere("位置二维码")
    return found


async def _own(parts: Parts, visitor: Visitor, code: str) -> IssuedCode:
    """The code, if it is on ground whose codes the visitor may look at. Raises NotThere."""
    found = await _found(parts, code)
    everywhere = visitor.principal.actor().holds(*_SEES_ALL)
    if not everywhere and found.held.street != _own_street(visitor):
        raise NotThere("位置二维码")
    return found


def _own_street(visitor: Visitor) -> str:
    street = visitor.principal.street
    if street is None:
        raise Missing("street", "您的账号没有所属街镇，请联系管理员。")
    return street


def _link(parts: Parts, request: HttpRequest, code: str) -> str:
    base = parts.settings.public_url or str(request.base_url)
    return f"{base.rstrip('/')}/q/{code}"


async def _shown(parts: Parts, request: HttpRequest, issued: IssuedCode) -> PlaceCodeOut:
    totals = await Door(parts).in_thread(lambda: parts.place_codes.scans.totals([issued.number]))
    return _code(parts, request, issued, totals.get(issued.number, 0))


def _code(parts: Parts, request: HttpRequest, issued: IssuedCode, total: int) -> PlaceCodeOut:
    held = issued.held
    return PlaceCodeOut(
        code=issued.code,
        link=_link(parts, request, issued.code),
        name=held.name,
        lon=held.place.lon,
        lat=held.place.lat,
        kind=held.place.kind,
        street=held.street,
        street_name=name_of_street(parts, held.street),
        indicator=held.indicator,
        issued_by=issued.issued_by,
        issued_at=issued.issued_at,
        revoked_at=issued.revoked_at,
        revoked_because=issued.revoked_because,
        scans=total,
    )
