"""Answers that everybody may keep and must ask about again: entity tags and times of change.

RFC 9110, section 13: If-None-Match goes before If-Modified-Since. Nothing is kept unasked, since
what is withdrawn must be gone at once.
"""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import blake2b

from fastapi import Request as HttpRequest
from starlette.responses import Response

_SETTLED = timedelta(seconds=2)
"""A time of change is told once another change can no longer fall into the same second."""


def conditional(
    request: HttpRequest,
    content: bytes,
    media_type: str,
    changed_at: datetime | None,
    now: datetime,
) -> Response:
    """The content with its tag and time of change, or 304 where the asker has it already."""
    tag = f'"{blake2b(content, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "public, no-cache"}
    told = changed_at is not None and now - changed_at >= _SETTLED
    if changed_at is not None and told:
        headers["Last-Modified"] = format_datetime(changed_at.astimezone(UTC), usegmt=True)
    known = request.headers.get("if-none-match")
    if known is not None:
        tags = [each.strip().removeprefix("W/") for each in known.split(",")]
        same = tag in tags or "*" in tags
    else:
        same = told and changed_at is not None and not _changed_since(request, changed_at)
    if same:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


def _changed_since(request: HttpRequest, changed_at: datetime) -> bool:
    """Whether it changed after the time that the asker names; yes for none and for nonsense."""
    text = request.headers.get("if-modified-since")
    if text is None:
        return True
    try:
        since = parsedate_to_datetime(text)
    except ValueError:
        return True
    if since.tzinfo is None:
        since = since.replace(tzinfo=UTC)
    return changed_at.replace(microsecond=0) > since
