"""Parts of a page that a script asks for again and again: cheap where nothing has changed."""

from hashlib import blake2b

from starlette.responses import Response

from api.pages.frame import Frame


def live(frame: Frame, template: str, **values: object) -> Response:
    """A part of a page with a tag of its content, or 304 where the asker has just that."""
    response = frame.fragment(template, **values)
    tag = f'"{blake2b(bytes(response.body), digest_size=12).hexdigest()}"'
    response.headers["ETag"] = tag
    if frame.request.headers.get("if-none-match") == tag:
        kept = {k: v for k, v in response.headers.items() if k != "content-length"}
        return Response(status_code=304, headers=kept)
    return response
