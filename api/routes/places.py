"""地点: address text and place names to points, each with its source, accuracy and 街镇.

Three sources: the list of places, names that residents used of past cases, and an outside geocoder
where one is set. None is taken as the truth: a person picks one and moves the pin.
"""

from enum import StrEnum
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from api.access import Visitor
from api.geocoding import Found, GeocoderFailed
from api.hygiene import Line
from api.logs import log
from api.parts import Parts
from api.routes.cases import look
from api.schemas import Wire
from api.shown import street_name
from api.visitors import With, guard, keep_rate
from casework.model import Certainty
from geo.gazetteer import Candidate
from projections.places_seen import SeenPlace, places_named

router = APIRouter(tags=["上报"])

_GEOCODED, _SEEN = 0.75, 0.7
"""How likely what comes from elsewhere stands beside the list's own: below a name that is there
whole, above one that is only part of what was typed."""


class Source(StrEnum):
    """Where a place is known from."""

    GAZETTEER = "gazetteer"
    CASES = "cases"
    GEOCODER = "geocoder"


_SOURCES = {
    Source.GAZETTEER: "地名录",
    Source.CASES: "居民常用地名",
    Source.GEOCODER: "外部地址服务",
}


class PlaceOut(Wire):
    """A place the text may mean. WGS-84 degrees, good to `accuracy_m` metres."""

    name: str
    kind: str
    lon: float
    lat: float
    accuracy_m: float
    street: str | None = Field(description="所在街镇；不在海淀区时为空。")
    street_name: str | None
    certainty: Certainty
    source: Source
    source_name: str
    score: float = Field(description="0 到 1，越大越像。")
    because: str


class PlacesOut(Wire):
    """What was found, the likeliest first, and how the outside geocoder fared."""

    places: tuple[PlaceOut, ...]
    geocoder: Literal["off", "answered", "failed"]
    says: str


@router.get("/places", name="places.find", summary="地址、地名查点位")
async def find(
    response: Response,
    parts: With,
    visitor: Annotated[Visitor, Depends(guard("places.find"))],
    q: Annotated[Line, Query(min_length=1, max_length=100, description="地址或地名。")],
    limit: Annotated[int, Query(ge=1, le=20)] = 10,
) -> PlacesOut:
    """Points that address text or a place name may mean; nobody's own address is told."""
    keep_rate(parts, visitor, "places", parts.limits.maps)
    known = [_listed(parts, each) for each in parts.gazetteer.find(q, limit)]
    seen = await look(parts, lambda connection: places_named(connection, q, limit))
    known += [_seen(parts, place) for place in seen]
    fared: Literal["off", "answered", "failed"] = "off"
    if parts.geocoder is not None:
        try:
            found = await parts.geocoder.find(q, limit)
            known += [_geocoded(parts, place) for place in found]
            fared = "answered"
        except GeocoderFailed as fault:
            log.warning("geocoder", why=str(fault))
            fared = "failed"
    # What was typed is nobody else's to keep.
    response.headers["Cache-Control"] = "private, max-age=60"
    places = tuple(sorted(known, key=lambda place: -place.score)[:limit])
    return PlacesOut(
        places=places, geocoder=fared, says=_says(len(places), failed=fared == "failed")
    )


def _says(count: int, *, failed: bool) -> str:
    told = (
        f"找到{count}处，请选择后在地图上核对。"
        if count
        else "没有找到，请换个说法或直接在地图上点选。"
    )
    return f"外部地址服务暂时不可用，以下只是本地结果。{told}" if failed else told


def _listed(parts: Parts, each: Candidate) -> PlaceOut:
    place = each.place
    return _place(
        parts, Source.GAZETTEER, place.name, place.kind, (place.lon, place.lat),
        each.accuracy_m, each.score, each.because,
    )  # fmt: skip


def _seen(parts: Parts, place: SeenPlace) -> PlaceOut:
    because = f"有{place.persons}位居民上报时用过这个名称，误差约 {place.accuracy_m:.0f} 米。"
    return _place(
        parts, Source.CASES, place.name, "seen", (place.lon, place.lat), place.accuracy_m,
        _SEEN, because,
    )  # fmt: skip


def _geocoded(parts: Parts, place: Found) -> PlaceOut:
    because = f"外部地址服务给出，误差约 {place.accuracy_m:.0f} 米。"
    return _place(
        parts, Source.GEOCODER, place.name, "address", (place.lon, place.lat),
        place.accuracy_m, _GEOCODED, because,
    )  # fmt: skip


def _place(
    parts: Parts,
    source: Source,
    name: str,
    kind: str,
    at: tuple[float, float],
    accuracy_m: float,
    score: float,
    because: str,
) -> PlaceOut:
    lon, lat = at
    assigned = parts.dispatcher.assign(lon, lat, accuracy_m)
    return PlaceOut(
        name=name,
        kind=kind,
        lon=lon,
        lat=lat,
        accuracy_m=accuracy_m,
        street=assigned.street,
        street_name=street_name(parts, assigned.street),
        certainty=Certainty(assigned.certainty.value),
        source=source,
        source_name=_SOURCES[source],
        score=score,
        because=because,
    )
