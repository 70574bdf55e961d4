"""Files of our own: style, scripts, and what the set-up has put in. Kept for good by browsers."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from fastapi import Request as HttpRequest
from starlette.responses import Response

from api.access import Visitor
from api.pages.rendering import asset, there
from api.pages.visitors import page_guard
from api.problems import problem_error
from api.visitors import With

router = APIRouter(include_in_schema=False)

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}

Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,60}$")]


def _served(request: HttpRequest, name: str) -> Response:
    kind = _TYPES.get(name[name.rfind(".") :])
    if kind is None or not there(name):
        raise problem_error(404, "unknown-file", "没有找到", "没有找到这个文件。")
    file = asset(name)
    # Under its digest a file never changes; without it, it is asked for again.
    lasting = request.query_params.get("v") == file.digest
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "public, max-age=31536000, immutable" if lasting else "no-cache",
        "ETag": f'"{file.digest}"',
        "Vary": "Accept-Encoding",
    }
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    if file.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(
            file.packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=kind
        )
    return Response(file.plain, headers=headers, media_type=kind)


@router.get("/static/{name}", name="pages.static")
async def own(
    name: Name,
    request: HttpRequest,
    _parts: With,
    _visitor: Annotated[Visitor, Depends(page_guard("pages.static"))],
) -> Response:
    """A file that we wrote."""
    return _served(request, name)


@router.get("/static/vendor/{name}", name="pages.static")
async def vendor(
    name: Name,
    request: HttpRequest,
    _parts: With,
    _visitor: Annotated[Visitor, Depends(page_guard("pages.static"))],
) -> Response:
    """A library's file that the set-up has put in; the pages work without it."""
    return _served(request, f"vendor/{name}")
