"""GeoJSON answers and what their questions share: boxes, moments, entity tags. Knows no case.

Positions are WGS-84 (CRS84) degrees, longitude first (RFC 7946).
"""

import math
import re
from datetime import MAXYEAR, MINYEAR, datetime, timedelta
from hashlib import blake2b
from typing import Annotated

import msgspec
from fastapi import Query
from fastapi import Request as HttpRequest
from starlette.responses import Response

from api.problems import FieldError, ProblemError, problem_error
from casework.clocks import SHANGHAI
from projections.case_map import AsOf, AtPosition, AtTime, Box

MEDIA_TYPE = "application/geo+json"

Json = dict[str, object]

SHAPE: Json = {
    "type": "object",
    "required": ["type", "features"],
    "properties": {
        "type": {"const": "FeatureCollection"},
        "features": {"type": "array", "items": {"type": "object"}},
    },
}

ANSWERS: dict[int | str, Json] = {
    200: {"description": "GeoJSON", "content": {MEDIA_TYPE: {"schema": SHAPE}}},
    304: {"description": "与 If-None-Match 所给的相同"},
}

BoxText = Annotated[
    str | None,
    Query(max_length=120, description="西,南,东,北 (WGS-84)", examples=["116.2,39.9,116.4,40.0"]),
]
MomentText = Annotated[
    str | None,
    Query(
        max_length=40,
        description="过去的一刻: 日期（北京时间零时）、带时区的时间，工作人员也可用日志位置。",
        examples=["2026-05-01"],
    ),
]

LONGEST = 2**53
"""A position that JSON's numbers still hold exactly."""


class GeoJson(Response):
    """What a route with GeoJSON answers is said to answer with."""

    media_type = MEDIA_TYPE


def answer(
    request: HttpRequest, body: Json, *, public: bool, seconds: int, media_type: str = MEDIA_TYPE
) -> Response:
    """The body with its entity tag, or 304 where the asker has it already.

    A `public` answer may be kept `seconds` by anybody, another only by the one who asked, who
    asks again each time.
    """
    content = msgspec.json.encode(body)
    tag = f'"{blake2b(content, digest_size=12).hexdigest()}"'
    headers = {
        "ETag": tag,
        "Vary": "Authorization",
        "Cache-Control": f"public, max-age={seconds}" if public else "private, no-cache",
    }
    known = [each.strip().removeprefix("W/") for each in _known(request).split(",")]
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


def _known(request: HttpRequest) -> str:
    return request.headers.get("if-none-match", "")


def point(lon: float, lat: float) -> Json:
    return {"type": "Point", "coordinates": [lon, lat]}


def feature(geometry: Json, properties: Json, name: str | None = None) -> Json:
    """A feature; `name` is its id."""
    made: Json = {"type": "Feature"}
    if name is not None:
        made["id"] = name
    return made | {"geometry": geometry, "properties": properties}


def bad(field: str, why: str, status: int = 422) -> ProblemError:
    """A parameter that cannot be used, with what to write instead."""
    return problem_error(
        status, "bad-parameter", "参数不正确", f"{field}: {why}", errors=(FieldError(field, why),)
    )


def box_of(text: str | None, status: int = 422) -> Box | None:
    """A box of four numbers, or of six of which the heights are not looked at.

    Raises:
        ProblemError: anything else.

    """
    if text is None:
        return None
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise bad("bbox", "应为四个数: 西,南,东,北。", status) from None
    if len(numbers) == 6:
        numbers = [numbers[0], numbers[1], numbers[3], numbers[4]]
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        raise bad("bbox", "应为四个数: 西,南,东,北。", status)
    west, south, east, north = numbers
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise bad("bbox", "应为四个数: 西,南,东,北，且西不大于东、南不大于北。", status)
    return west, south, east, north


_POSITION = re.compile(r"[0-9]{1,16}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def moment_of(text: str | None, now: datetime, *, coarse: bool) -> AsOf:
    """The moment asked for. `coarse`: only days, so that no time of a single step can be found.

    Raises:
        ProblemError: not a moment, one to come, or finer than may be asked.

    """
    if text is None:
        return None
    if _POSITION.fullmatch(text):
        if coarse:
            raise bad("as_of", "请用日期，如 2026-05-01；日志位置只供工作人员使用。")
        if int(text) > LONGEST:
            raise bad("as_of", "位置过大。")
        return AtPosition(int(text))
    at = time_of("as_of", text)
    if at > now:
        raise bad("as_of", "不能晚于现在。")
    if coarse:
        at = at.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    return AtTime(at)


def time_of(field: str, text: str, status: int = 422) -> datetime:
    """A time with its offset, or a date's first moment in Shanghai.

    Raises:
        ProblemError: anything else.

    """
    try:
        if _DAY.fullmatch(text):
            return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)
        # In a query a plus sign reads as a space.
        at = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or not _is_held(at):
        why = "应为日期或带时区的时间，如 2026-05-01 或 2026-05-01T08:00:00+08:00。"
        raise bad(field, why, status)
    return at


def _is_held(at: datetime) -> bool:
    """Whether the time can be turned into any zone."""
    return MINYEAR + 1 < at.year < MAXYEAR


def month_bounds(first: int | None, last: int | None) -> tuple[datetime | None, datetime | None]:
    """From the first moment of one month to the first after another, in Shanghai."""
    start = None if first is None else _month(first)
    end = None if last is None else (_month(last) + timedelta(days=31)).replace(day=1)
    return start, end


def _month(month: int) -> datetime:
    return datetime(month // 100, month % 100, 1, tzinfo=SHANGHAI)
