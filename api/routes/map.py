"""时空一张图: streets, cases and hot spots as GeoJSON, now or as they stood at a past moment.

The desks see the cases within their sight with number and pin. Everybody else sees reviewed cases
only, each in the middle of its 100 m cell with its month: no number, no word, no exact time.
"""

import asyncio
from functools import lru_cache
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Depends, Query
from fastapi import Request as HttpRequest
from msgspec.structs import replace
from starlette.responses import Response

from api.access import READS, Visitor
from api.accounts.principal import PrincipalKind
from api.geojson import (
    ANSWERS,
    BoxText,
    GeoJson,
    Json,
    MomentText,
    answer,
    bad,
    box_of,
    feature,
    moment_of,
    month_bounds,
    point,
    time_of,
)
from api.hygiene import Code, StreetText
from api.parts import Parts
from api.problems import problem_error
from api.routes.cases import look, scoped, seen_up_to
from api.shown import indicator_name, street_name
from api.visitors import With, guard, keep_rate
from casework.lifecycle import LABELS, Status
from casework.model import Role
from geo.boundaries import Boundaries
from projections.case_list import Filters, StaleCursor
from projections.case_map import (
    AsOf,
    AtPosition,
    AtTime,
    PublicQuestion,
    PublicSpot,
    Spot,
    is_mark,
    months_of,
    public_spots,
    spots,
)
from projections.hotspots import Hotspot, Question, hotspots

router = APIRouter(tags=["时空一张图"])

METRES, DAYS = 100, 30
"""What a repeat is unless the desk asks otherwise: the same cell's width, 反弹 within a month."""

_PUBLIC_SECONDS = 60
_STREETS_SECONDS = 300

PUBLIC_NOTE = "公众图层：只含已立案案件，位置为百米网格中心，时间只到月份。"

_TEN = "最多返回的数量。"

TimeText = Annotated[
    str | None,
    Query(max_length=40, description="日期或带时区的时间。", examples=["2026-05-01"]),
]
Cursor = Annotated[str | None, Query(max_length=64, description="上一页给出的 next。")]


def scope_of(visitor: Visitor, filters: Filters) -> Filters | None:
    """The filters within this desk's sight; None for one who sees what everybody sees.

    A desk whose filters leave nothing keeps them: they let nothing through.
    """
    principal = visitor.principal
    desk = principal.kind is PrincipalKind.STAFF and principal.holds(*_DESKS)
    partner = principal.kind is PrincipalKind.PARTNER and READS in principal.scopes
    if not desk and not partner:
        return None
    within = scoped(visitor, filters)
    return replace(filters, sent_by="") if within is None else within


_DESKS = (
    Role.REVIEWER,
    Role.SUPERVISOR,
    Role.ANALYST,
    Role.STREET,
    Role.STREET_LEAD,
    Role.CHECKER,
    Role.EDITOR,
)


# streets ---------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def street_features(boundaries: Boundaries) -> tuple[Json, ...]:
    """A feature a street: code, name, declared accuracy of its borders in metres."""
    map_ = boundaries.arrangement
    index = {code: n for n, code in enumerate(boundaries.codes)}
    made = []
    for each in _features(boundaries.geojson()):
        told = each["properties"]
        assert isinstance(told, dict)
        n = index[told["code"]]
        accuracy = map_.accuracy_m[(boundaries.left == n) | (boundaries.right == n)]
        properties: Json = {
            **told,
            "accuracy_m": float(accuracy.max()),
            "accuracy_median_m": float(np.median(accuracy)),
            "boundary_version": boundaries.version,
        }
        made.append({**each, "id": told["code"], "properties": properties})
    return tuple(made)


def _features(collection: Json) -> list[Json]:
    found = collection["features"]
    assert isinstance(found, list)
    return found


@router.get(
    "/map/streets",
    name="map.streets",
    summary="街镇图层",
    response_class=GeoJson,
    responses=ANSWERS,
)
def map_streets(
    request: HttpRequest,
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("map.streets"))],
) -> Response:
    """The 29 街镇 with name, code and the accuracy declared for their borders."""
    boundaries = parts.dispatcher.boundaries
    body: Json = {
        "type": "FeatureCollection",
        "features": street_features(boundaries),
        "boundary_version": boundaries.version,
    }
    return answer(request, body, public=True, seconds=_STREETS_SECONDS)


# cases -----------------------------------------------------------------------------------


@router.get(
    "/map/cases",
    name="map.cases",
    summary="案件图层",
    response_class=GeoJson,
    responses=ANSWERS,
)
async def map_cases(  # noqa: PLR0913  a query parameter each
    *,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("map.cases"))],
    bbox: BoxText = None,
    from_: Annotated[TimeText, Query(alias="from")] = None,
    to: TimeText = None,
    as_of: MomentText = None,
    status: Annotated[list[Status] | None, Query()] = None,
    street: Annotated[StreetText | None, Query()] = None,
    indicator: Annotated[Code | None, Query()] = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=10_000, description=_TEN)] = 1000,
) -> Response:
    """Cases submitted from … to …, as points, as they stood at `as_of`."""
    keep_rate(parts, visitor, "map", parts.limits.maps)
    filters = Filters(
        status=tuple(status or ()),
        street=street,
        indicator=indicator,
        bbox=box_of(bbox),
        start=None if from_ is None else time_of("from", from_),
        end=None if to is None else time_of("to", to),
    )
    within = scope_of(visitor, filters)
    then = moment_of(as_of, parts.now(), coarse=within is None)
    position = await _seen(parts, then)
    if within is None:
        body = await _public_cases(parts, filters, then, cursor, limit)
    else:
        body = await _desk_cases(parts, within, then, cursor, limit)
    body["as_of"] = told_moment(None if within is None else position, then)
    return answer(request, body, public=within is None, seconds=_PUBLIC_SECONDS)


async def _seen(parts: Parts, then: AsOf) -> int:
    """Wait until the views have seen the position asked for."""
    return await seen_up_to(parts, then.position if isinstance(then, AtPosition) else None)


def told_moment(position: int | None, then: AsOf) -> Json:
    """How far the views had read, which is told to desks only, and which moment is shown."""
    told: Json = {}
    match then:
        case AtPosition(asked):
            told["position"] = asked
        case AtTime(at):
            told["at"] = at.isoformat()
        case None:
            pass
    return told if position is None else {"position": position, **told}


async def _desk_cases(
    parts: Parts, filters: Filters, then: AsOf, cursor: str | None, limit: int
) -> Json:
    epoch = parts.casework.eventlog.epoch
    try:
        page = await look(
            parts,
            lambda c: spots(c, filters, as_of=then, epoch=epoch, cursor=cursor, limit=limit),
        )
    except StaleCursor as stale:
        raise problem_error(400, "stale-cursor", "翻页标记失效", str(stale)) from None
    names = Names(parts)
    return {
        "type": "FeatureCollection",
        "features": [_desk_feature(spot, names) for spot in page.spots],
        "next": page.cursor,
    }


async def _public_cases(
    parts: Parts, filters: Filters, then: AsOf, cursor: str | None, limit: int
) -> Json:
    if cursor is not None and not is_mark(cursor):
        raise problem_error(400, "stale-cursor", "翻页标记失效", str(StaleCursor()))
    first, last = months_of(filters.start, filters.end)
    question = PublicQuestion(
        bbox=filters.bbox,
        first_month=first,
        last_month=last,
        as_of=then,
        status=filters.status,
        street=filters.street,
        indicator=filters.indicator,
    )
    page = await look(parts, lambda c: public_spots(c, question, after=cursor, limit=limit))
    names = Names(parts)
    return {
        "type": "FeatureCollection",
        "features": [public_feature(spot, names) for spot in page.spots],
        "next": page.after,
        "note": PUBLIC_NOTE,
    }


class Names:
    """Chinese names of codes, each looked up once an answer."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._streets: dict[str | None, str | None] = {}
        self._indicators: dict[str | None, str | None] = {}

    def street(self, code: str | None) -> str | None:
        if code not in self._streets:
            self._streets[code] = street_name(self._parts, code)
        return self._streets[code]

    def indicator(self, code: str | None) -> str | None:
        if code not in self._indicators:
            self._indicators[code] = indicator_name(self._parts, code)
        return self._indicators[code]


def _desk_feature(spot: Spot, names: Names) -> Json:
    return feature(
        point(spot.lon, spot.lat),
        {
            "number": spot.number,
            "status": spot.status,
            "status_name": LABELS[spot.status].staff,
            "street": spot.street,
            "street_name": names.street(spot.street),
            "indicator": spot.indicator,
            "indicator_name": names.indicator(spot.indicator),
            "submitted_at": spot.submitted_at,
            "since": spot.since,
            "demonstration": spot.demonstration,
        },
        spot.number,
    )


def public_feature(spot: PublicSpot, names: Names) -> Json:
    """A case as everybody may see it."""
    return feature(
        point(spot.lon, spot.lat),
        {
            "status": spot.status,
            "status_name": LABELS[spot.status].staff,
            "street": spot.street,
            "street_name": names.street(spot.street),
            "indicator": spot.indicator,
            "indicator_name": names.indicator(spot.indicator),
            "month": f"{spot.month // 100:04d}-{spot.month % 100:02d}",
            "demonstration": spot.demonstration,
        },
        spot.mark,
    )


# hot spots -------------------------------------------------------------------------------


@router.get(
    "/map/hotspots",
    name="map.hotspots",
    summary="高发点位（百米网格）",
    response_class=GeoJson,
    responses=ANSWERS,
)
async def map_hotspots(  # noqa: PLR0913  a query parameter each
    *,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("map.hotspots"))],
    bbox: BoxText = None,
    from_: Annotated[TimeText, Query(alias="from")] = None,
    to: TimeText = None,
    as_of: MomentText = None,
    street: Annotated[StreetText | None, Query()] = None,
    indicator: Annotated[Code | None, Query()] = None,
    n: Annotated[int, Query(ge=1, le=1000, description="多少米内算重复。")] = METRES,
    m: Annotated[int, Query(ge=1, le=365, description="多少天内算重复。")] = DAYS,
    limit: Annotated[int, Query(ge=1, le=5000, description=_TEN)] = 200,
) -> Response:
    """Cells of 100 m (EPSG:32650) with their reviewed cases, most first, and how many repeat.

    A case repeats when one of its indicator was submitted up to `m` days before, up to `n` metres
    away.
    """
    keep_rate(parts, visitor, "map", parts.limits.maps)
    question = Question(
        bbox=box_of(bbox),
        start=None if from_ is None else time_of("from", from_),
        end=None if to is None else time_of("to", to),
        street=street,
        indicator=indicator,
        metres=n,
        days=m,
    )
    own = desk_of_hotspots(visitor)
    if not own and (n, m) != (METRES, DAYS):
        # By trying one length after another the way between two cases could be found exactly.
        raise bad("n", f"公众图层只按{METRES}米、{DAYS}天计算重复。")
    if not own:
        start, end = month_bounds(*months_of(question.start, question.end))
        question = replace(question, start=start, end=end)
    then = moment_of(as_of, parts.now(), coarse=not own)
    position = await _seen(parts, then)
    question = replace(question, as_of=then)
    found = await look(parts, lambda connection: hotspots(connection, question, limit))
    names = Names(parts)
    body: Json = {
        "type": "FeatureCollection",
        "features": await asyncio.to_thread(
            lambda: [_hotspot_feature(spot, names) for spot in found.hotspots]
        ),
        "as_of": told_moment(position if own else None, then),
        "n": n,
        "m": m,
        "cells": found.cells,
        "cases": found.cases,
    }
    return answer(request, body, public=not own, seconds=_PUBLIC_SECONDS)


def desk_of_hotspots(visitor: Visitor) -> bool:
    """Whether this visitor may ask finely: the desks that see every case anyway."""
    principal = visitor.principal
    return principal.kind is PrincipalKind.STAFF and principal.holds(
        Role.REVIEWER, Role.SUPERVISOR, Role.ANALYST
    )


def _hotspot_feature(spot: Hotspot, names: Names) -> Json:
    return feature(
        {"type": "Polygon", "coordinates": [spot.cell.ring()]},
        {
            "cell": spot.cell.name,
            "cases": spot.cases,
            "unsolved": spot.unsolved,
            "repeats": spot.repeats,
            "indicators": [
                {"indicator": code or None, "indicator_name": names.indicator(code), "cases": count}
                for code, count in spot.by_indicator.items()
            ],
        },
        spot.cell.name,
    )
