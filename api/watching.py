"""What one sees of the running process: request logs and metrics, without personal data.

A log line names the route, never the path: a path may hold a number or a receipt. Trace ids are
taken from `traceparent` if one came, else made.
"""

import logging
import secrets
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger("casework")


def configure_logs() -> None:
    """JSON lines on standard error: time, level, event, facts."""
    logging.basicConfig(format="%(message)s", stream=sys.stderr, level=logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


class Meters:
    """Counters and histograms of requests, by route and status."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "casework_requests_total",
            "Requests by route, method and status.",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "casework_request_seconds",
            "Time to answer, by route.",
            ("route",),
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=self.registry,
        )


class Watched:
    """The outermost layer: a trace id, one log line and one measure a request."""

    def __init__(self, app: ASGIApp, meters: Meters) -> None:
        self._app = app
        self._meters = meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trace = _trace(scope)
        status = 500
        began = time.perf_counter()

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message.setdefault("headers", []).append((b"trace-id", trace.encode()))
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            taken = time.perf_counter() - began
            route = getattr(scope.get("route"), "name", None) or "none"
            self._meters.requests.labels(route, scope["method"], str(status)).inc()
            self._meters.seconds.labels(route).observe(taken)
            if status >= 500 or taken > 1:
                log.warning(
                    "request", route=route, status=status, ms=round(taken * 1e3), trace=trace
                )


def _trace(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"traceparent":
            parts = value.decode("latin-1").split("-")
            if len(parts) == 4 and len(parts[1]) == 32 and parts[1].isalnum():
                return str(parts[1])
    return secrets.token_hex(16)


BODY_LIMIT = 256 * 1024
"""Bytes of a JSON body: a report of 2,000 characters with nine photos cited is far below."""

UPLOAD_LIMIT = 21 * 1024 * 1024
"""Bytes of an upload with its multipart frame."""


class Bounded:
    """Refuses bodies that are too long before they are read whole."""

    def __init__(
        self, app: ASGIApp, refuse: Callable[[Scope, Receive, Send], Awaitable[None]]
    ) -> None:
        self._app = app
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = UPLOAD_LIMIT if scope["path"].endswith(("/photos", "/recordings")) else BODY_LIMIT
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > limit:
            await self._refuse(scope, receive, send)
            return
        taken = 0

        async def counted() -> MutableMapping[str, Any]:  # Starlette's own type of a message
            nonlocal taken
            message = await receive()
            if message["type"] == "http.request":
                taken += len(message.get("body", b""))
                if taken > limit:
                    raise BodyTooLong
            return message

        try:
            await self._app(scope, counted, send)
        except BodyTooLong:
            await self._refuse(scope, receive, send)


class BodyTooLong(Exception):  # noqa: N818  a state of the request
    """More came than was declared."""
