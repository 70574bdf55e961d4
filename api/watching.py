"""What one sees of the running process: request logs and metrics, without personal data.

A log line names the route, never the path: a path may hold a number or a receipt. Trace ids are
taken from `traceparent` if one came, else made.
"""

import secrets
import time

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.logs import log


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
