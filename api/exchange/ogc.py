"""OGC API - Features - Part 1 (17-069r4): core, GeoJSON and OpenAPI 3.0, for everybody.

Three collections: the 街镇, the cases as everybody may see them, the typical cases. A parameter
that is unknown or wrong is 400, as core asks, where our own API answers 422.
"""

import re
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path
from fastapi import Request as HttpRequest
from shapely import box
from shapely.geometry import shape
from starlette.responses import Response

from api.access import Visitor
from api.exchange.ogc_description import (
    API_TYPE,
    CASES,
    COLLECTIONS,
    CONFORMS_TO,
    CRS84,
    DEFAULT_LIMIT,
    DISTRICT,
    GREATEST_LIMIT,
    GREGORIAN,
    STREETS,
    TYPICAL,
    openapi,
)
from api.geojson import (
    ANSWERS,
    MEDIA_TYPE,
    GeoJson,
    Json,
    answer,
    bad,
    box_of,
    feature,
    point,
    time_of,
)
from api.parts import Parts
from api.problems import problem_error
from api.routes.cases import look
from api.routes.map import Names, public_feature, street_features
from api.typical_shown import public_entry
from api.visitors import With, guard, keep_rate
from projections import typical_cases
from projections.case_map import (
    Box,
    PublicQuestion,
    count_public,
    is_mark,
    public_spot,
    public_spots,
)
from projections.periods import month_number

router = APIRouter(prefix="/ogc", tags=["OGC API - Features"])

_SECONDS = 60
_ENTRY = re.compile(r"20[0-9]{4}-[0-9]{2,3}")
"""The name of a typical case, as 202605-03."""
_JSON = "application/json"
_OBJECT: dict[int | str, Json] = {
    200: {"content": {_JSON: {"schema": {"type": "object"}}}},
    304: {"description": "与 If-None-Match 所给的相同"},
}
_API: dict[int | str, Json] = {
    200: {"content": {API_TYPE: {"schema": {"type": "object"}}}},
    304: {"description": "与 If-None-Match 所给的相同"},
}

CollectionId = Annotated[str, Path(max_length=60, examples=[CASES])]
FeatureId = Annotated[str, Path(max_length=60, examples=["110108011"])]


def base_of(request: HttpRequest, parts: Parts) -> str:
    """The service's own address, which all its links begin with."""
    root = parts.settings.public_url or str(request.base_url)
    return f"{root.rstrip('/')}/ogc"


def _link(href: str, rel: str, title: str, media_type: str = _JSON) -> Json:
    return {"href": href, "rel": rel, "type": media_type, "title": title}


def _only(request: HttpRequest, *known: str) -> None:
    """Refuse parameters that are not known here, and one given twice (core 7.15.1)."""
    for name in request.query_params:
        if name not in known:
            raise bad(name, "没有这个参数。", 400)
        if len(request.query_params.getlist(name)) > 1:
            raise bad(name, "只能给一次。", 400)


def _known(collection: str) -> str:
    if collection not in COLLECTIONS:
        names = "、".join(COLLECTIONS)
        raise problem_error(404, "no-collection", "没有找到", f"没有这个要素集，可选: {names}。")
    return collection


@router.get("", name="ogc.landing", summary="OGC 服务首页", responses=_OBJECT)
def landing(
    request: HttpRequest, parts: With, _visitor: Annotated[Visitor, Depends(guard("ogc.landing"))]
) -> Response:
    """Where everything is."""
    return _landing(request, parts)


@router.get("/", name="ogc.home", summary="OGC 服务首页", responses=_OBJECT)
def home(
    request: HttpRequest, parts: With, _visitor: Annotated[Visitor, Depends(guard("ogc.home"))]
) -> Response:
    """As above: clients write the address either way."""
    return _landing(request, parts)


def _landing(request: HttpRequest, parts: Parts) -> Response:
    _only(request)
    base = base_of(request, parts)
    body: Json = {
        "title": "海淀随手拍空间数据服务",
        "description": "街镇、案件（公众版）、典型案例。坐标为 CRS84（WGS-84，经度在前）。",
        "links": [
            _link(f"{base}/", "self", "首页"),
            _link(f"{base}/api", "service-desc", "接口说明 (OpenAPI 3.0)", API_TYPE),
            _link(f"{base}/conformance", "conformance", "符合的规范"),
            _link(f"{base}/collections", "data", "要素集"),
        ],
    }
    return answer(request, body, public=True, seconds=_SECONDS, media_type=_JSON)


@router.get("/api", name="ogc.api", summary="OGC 服务的接口说明", responses=_API)
def description(
    request: HttpRequest, parts: With, _visitor: Annotated[Visitor, Depends(guard("ogc.api"))]
) -> Response:
    """The OpenAPI 3.0 document."""
    _only(request)
    body = openapi(base_of(request, parts))
    return answer(request, body, public=True, seconds=_SECONDS, media_type=API_TYPE)


@router.get("/conformance", name="ogc.conformance", summary="符合的规范", responses=_OBJECT)
def conformance(
    request: HttpRequest, _visitor: Annotated[Visitor, Depends(guard("ogc.conformance"))]
) -> Response:
    """The conformance classes."""
    _only(request)
    body: Json = {"conformsTo": CONFORMS_TO}
    return answer(request, body, public=True, seconds=_SECONDS, media_type=_JSON)


def _collection(base: str, name: str) -> Json:
    title, description_ = COLLECTIONS[name]
    there = f"{base}/collections/{name}"
    extent: Json = {"spatial": {"bbox": [list(DISTRICT)], "crs": CRS84}}
    if name == CASES:
        extent["temporal"] = {"interval": [["2024-01-01T00:00:00Z", None]], "trs": GREGORIAN}
    return {
        "id": name,
        "title": title,
        "description": description_,
        "extent": extent,
        "itemType": "feature",
        "crs": [CRS84],
        "links": [
            _link(there, "self", title),
            _link(f"{there}/items", "items", f"{title}的要素", MEDIA_TYPE),
        ],
    }


@router.get("/collections", name="ogc.collections", summary="要素集列表", responses=_OBJECT)
def collections(
    request: HttpRequest,
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("ogc.collections"))],
) -> Response:
    """The three collections."""
    _only(request)
    base = base_of(request, parts)
    body: Json = {
        "links": [_link(f"{base}/collections", "self", "要素集")],
        "collections": [_collection(base, name) for name in COLLECTIONS],
    }
    return answer(request, body, public=True, seconds=_SECONDS, media_type=_JSON)


@router.get("/collections/{collection}", name="ogc.collection", summary="要素集", responses=_OBJECT)
def one_collection(
    collection: CollectionId,
    request: HttpRequest,
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("ogc.collection"))],
) -> Response:
    """One collection."""
    _only(request)
    body = _collection(base_of(request, parts), _known(collection))
    return answer(request, body, public=True, seconds=_SECONDS, media_type=_JSON)


# items -----------------------------------------------------------------------------------


@router.get(
    "/collections/{collection}/items",
    name="ogc.items",
    summary="要素",
    response_class=GeoJson,
    responses=ANSWERS,
)
async def items(
    collection: CollectionId,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("ogc.items"))],
) -> Response:
    """A page of features: in the box, of the time, after the cursor."""
    keep_rate(parts, visitor, "map", parts.limits.maps)
    _only(request, "bbox", "datetime", "limit", "cursor")
    _known(collection)
    given = request.query_params
    within, months = box_of(given.get("bbox"), 400), _months(given.get("datetime"))
    limit, cursor = _limit(given.get("limit")), given.get("cursor")
    if collection == CASES:
        matched, features, after = await _cases(parts, within, months, limit, cursor)
    else:
        found = (
            _streets(parts, within)
            if collection == STREETS
            else await _typical(parts, within, months)
        )
        matched, features, after = _page(found, limit, cursor)
    there = f"{base_of(request, parts)}/collections/{collection}"
    links = [
        _link(_with(f"{there}/items", dict(given)), "self", "本页", MEDIA_TYPE),
        _link(there, "collection", COLLECTIONS[collection][0]),
    ]
    if after is not None:
        onward = _with(f"{there}/items", {**given, "cursor": after})
        links.append(_link(onward, "next", "下一页", MEDIA_TYPE))
    body: Json = {
        "type": "FeatureCollection",
        "features": features,
        "numberMatched": matched,
        "numberReturned": len(features),
        "links": links,
    }
    return answer(request, body, public=True, seconds=_SECONDS)


def _with(address: str, query: dict[str, str]) -> str:
    return f"{address}?{urlencode(query, safe=',:/')}" if query else address


def _limit(text: str | None) -> int:
    """How many features a page: too many are cut to the most, which core allows."""
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit()) or not text.strip("0"):
        raise bad("limit", f"应为1到{GREATEST_LIMIT}的整数。", 400)
    return GREATEST_LIMIT if len(text.lstrip("0")) > 5 else min(int(text), GREATEST_LIMIT)


def _months(text: str | None) -> tuple[int | None, int | None]:
    """The months that the moment or interval touches: a case is known by its month."""
    if text is None:
        return None, None
    start, slash, end = text.partition("/")
    if not slash:
        end = start
    if {start, end} <= {"", ".."}:
        raise bad("datetime", "至少要有一端的时间。", 400)
    first = None if start in {"", ".."} else time_of("datetime", start, 400)
    last = None if end in {"", ".."} else time_of("datetime", end, 400)
    if first is not None and last is not None and first > last:
        raise bad("datetime", "起点不能晚于终点。", 400)
    return None if first is None else month_number(first), None if last is None else month_number(
        last
    )


async def _cases(
    parts: Parts,
    within: Box | None,
    months: tuple[int | None, int | None],
    limit: int,
    cursor: str | None,
) -> tuple[int, list[Json], str | None]:
    if cursor is not None and not is_mark(cursor):
        raise bad("cursor", "翻页标记无效，请从第一页重新查询。", 400)
    question = PublicQuestion(bbox=within, first_month=months[0], last_month=months[1])
    page = await look(parts, lambda c: public_spots(c, question, after=cursor, limit=limit))
    matched = await look(parts, lambda c: count_public(c, question))
    names = Names(parts)
    return matched, [public_feature(spot, names) for spot in page.spots], page.after


def _streets(parts: Parts, within: Box | None) -> list[Json]:
    """The streets that touch the box."""
    features = street_features(parts.dispatcher.boundaries)
    if within is None:
        return list(features)
    asked = box(*within)
    return [each for each in features if shape(each["geometry"]).intersects(asked)]


async def _typical(
    parts: Parts, within: Box | None, months: tuple[int | None, int | None]
) -> list[Json]:
    """The typical cases shown now, of these months, in the box."""
    features = []
    for month in await look(parts, lambda c: typical_cases.published(c, *months)):
        for standing in month.public:
            shown = standing.shown
            if shown is None or not _inside(within, shown.lon, shown.lat):
                continue
            entry = public_entry(parts, month.month, standing)
            told: Json = {
                "month": month.month,
                **entry.model_dump(
                    mode="json", include=set(_TOLD), exclude_none=True, exclude_defaults=True
                ),
            }
            features.append(feature(point(shown.lon, shown.lat), told, entry.id))
    return sorted(features, key=lambda each: str(each["id"]))


_TOLD = (
    "title", "street", "street_name", "indicator", "indicator_name", "caption", "outcome_name",
    "minutes", "satisfaction", "efficiency", "raters", "demonstration", "published_at",
    "updated_at",
)  # fmt: skip


def _inside(within: Box | None, lon: float, lat: float) -> bool:
    if within is None:
        return True
    west, south, east, north = within
    return west <= lon <= east and south <= lat <= north


def _page(found: list[Json], limit: int, cursor: str | None) -> tuple[int, list[Json], str | None]:
    """Those after the cursor, which is the id of a page's last feature."""
    rest = [each for each in found if cursor is None or str(each["id"]) > cursor]
    shown = rest[:limit]
    return len(found), shown, str(shown[-1]["id"]) if len(rest) > limit else None


@router.get(
    "/collections/{collection}/items/{name}",
    name="ogc.feature",
    summary="一个要素",
    response_class=GeoJson,
    responses={
        200: {"content": {MEDIA_TYPE: {"schema": {"type": "object"}}}},
        304: ANSWERS[304],
    },
)
async def one_feature(
    collection: CollectionId,
    name: FeatureId,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("ogc.feature"))],
) -> Response:
    """One feature by its id."""
    keep_rate(parts, visitor, "map", parts.limits.maps)
    _only(request)
    _known(collection)
    found = await _feature(parts, collection, name)
    if found is None:
        raise problem_error(404, "no-feature", "没有找到", "这个要素集里没有这个要素。")
    there = f"{base_of(request, parts)}/collections/{collection}"
    links = [
        _link(f"{there}/items/{name}", "self", "本要素", MEDIA_TYPE),
        _link(there, "collection", COLLECTIONS[collection][0]),
    ]
    return answer(request, {**found, "links": links}, public=True, seconds=_SECONDS)


async def _feature(parts: Parts, collection: str, name: str) -> Json | None:
    if collection == STREETS:
        streets = _streets(parts, None)
        return next((each for each in streets if each["id"] == name), None)
    if collection == TYPICAL:
        if _ENTRY.fullmatch(name) is None:
            return None
        month = int(name[:6])
        shown = await _typical(parts, None, (month, month))
        return next((each for each in shown if each["id"] == name), None)
    if collection != CASES or not is_mark(name):
        return None
    spot = await look(parts, lambda connection: public_spot(connection, name))
    return None if spot is None else public_feature(spot, Names(parts))
