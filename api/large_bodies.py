"""The framework's plain 413 as a problem like every other. Knows no limit and no route.

The framework turns a body away as soon as its announced or counted length is too great, before
and outside of any handler of ours; its words are English and plain text.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.problems import Problem

TOO_LARGE = Problem("/problems/http-413", "内容过大", 413, "提交的内容过大，请删减后再提交。")


class LargeBodies:
    """A layer around the whole app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        turned_away = False

        async def as_problem(message: Message) -> None:
            nonlocal turned_away
            if message["type"] == "http.response.start" and _is_plain_413(message):
                turned_away = True
                await problems.response(TOO_LARGE)(scope, receive, send)
            elif not turned_away:
                await send(message)

        await self._app(scope, receive, as_problem)


def _is_plain_413(message: Message) -> bool:
    headers: dict[bytes, bytes] = dict(message["headers"])
    return message["status"] == 413 and headers.get(b"content-type", b"").startswith(b"text/plain")
