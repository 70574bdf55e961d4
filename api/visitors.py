"""Who comes to a route: credentials read, source named, policy asked, rate kept.

Every route names its operation; `guard` is its one dependency. An operation without a row in the
policy table fails when the app is made.
"""

import asyncio
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from fastapi import Request as HttpRequest
from limits.limits import RateLimitItem
from limits.strategies import RateLimiter

from api.access import POLICY, Visitor, permit, unauthenticated
from api.accounts.audit import entry_of
from api.accounts.principal import NOBODY, Channel, Principal, PrincipalKind
from api.parts import Parts
from api.problems import problem_error
from api.settings import Network
from casework.errors import Refusal


async def parts_of(request: HttpRequest) -> Parts:
    """The engine behind this app. Async, for the framework runs plain functions in a thread."""
    parts: Parts = request.app.state.parts
    return parts


With = Annotated[Parts, Depends(parts_of)]

_SCHEMES = {"bearer": Channel.BEARER, "partner": Channel.PARTNER}


def address_of(request: HttpRequest, proxies: tuple[Network, ...]) -> str:
    """The address the request came from; what a proxy says is believed only of trusted ones."""
    peer = request.client.host if request.client else "0.0.0.0"  # noqa: S104  nobody, not a bind
    if not _within(peer, proxies):
        return peer
    for hop in reversed(request.headers.get("x-forwarded-for", "").split(",")):
        if hop.strip() and not _within(hop.strip(), proxies):
            return hop.strip()
    return peer


def _within(address: str, networks: tuple[Network, ...]) -> bool:
    try:
        known = ip_address(address)
    except ValueError:
        return False
    return any(known in network for network in networks)


async def visitor_of(request: HttpRequest, parts: Parts) -> Visitor:
    """Read the credentials.

    Raises:
        ProblemError: 401 for credentials that nobody holds, 403 for staff from elsewhere.

    """
    address = address_of(request, parts.settings.proxies)
    source = parts.sources.name(address)
    draft = _uuid(request.headers.get("draft"))
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if not scheme:
        return Visitor(NOBODY, source, draft=draft)
    if scheme.lower() == "receipt":
        return Visitor(NOBODY, source, receipt=value.strip()[:64], draft=draft)
    if scheme.lower() == "upload":
        return Visitor(NOBODY, source, link=value.strip()[:200], draft=draft)
    channel = _SCHEMES.get(scheme.lower())
    if channel is None:
        raise unauthenticated()
    principal = await _authenticated(parts, value.strip(), channel)
    if principal is None:
        raise unauthenticated()
    if principal.kind is PrincipalKind.STAFF and not address_allowed(request, parts):
        raise problem_error(403, "elsewhere", "网络受限", "工作人员只能从单位网络访问。")
    return Visitor(principal, source, draft=draft)


def address_allowed(request: HttpRequest, parts: Parts) -> bool:
    """Whether staff may come from where this request does."""
    networks = parts.settings.networks
    return not networks or _within(address_of(request, parts.settings.proxies), networks)


async def _authenticated(parts: Parts, value: str, channel: Channel) -> Principal | None:
    now = parts.now()
    known = parts.sessions.known(value, channel, now)
    if known is not None:
        return known
    return await asyncio.get_running_loop().run_in_executor(
        parts.work, parts.sessions.authenticate, value, channel, now
    )


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def guard(operation: str) -> Callable[[HttpRequest, Parts], Awaitable[Visitor]]:
    """The dependency of a route: who it is, if the policy lets them.

    Raises KeyError at once for an operation that the table does not know.
    """
    policy = POLICY[operation]

    async def guarded(request: HttpRequest, parts: With) -> Visitor:
        visitor = await visitor_of(request, parts)
        try:
            permit(policy, visitor)
        except Refusal as refusal:
            # The log does not know of it, so nothing could give the row again after a kill.
            case = request.path_params.get("case")
            await parts.audit.record_durably(
                entry_of(
                    visitor.principal,
                    operation,
                    parts.now(),
                    target=None if case is None else f"case/{case}",
                    outcome="refused",
                    facts={"why": type(refusal).__name__},
                )
            )
            raise
        return visitor

    return guarded


_LOOKS = frozenset({"status", "map", "places", "recognitions"})
"""What is only looked at: counted by source, an account's own limit is for what it sends."""


def keep_rate(parts: Parts, visitor: Visitor, what: str, item: RateLimitItem) -> None:
    """Count one request of this visitor against a limit.

    Raises:
        ProblemError: 429 with Retry-After, in whole seconds.

    """
    principal = visitor.principal
    limiter: RateLimiter = parts.limiter
    if principal.kind is PrincipalKind.STAFF:
        return
    if principal.kind is PrincipalKind.PARTNER:
        # Their limits are of tens of thousands: one count a window, not a moment a request.
        limiter = parts.partner_limiter
        item, name = parts.limits.partners, f"partner:{principal.account_id}"
    elif principal.kind is PrincipalKind.CITIZEN and what not in _LOOKS:
        item, name = parts.limits.citizens, f"person:{principal.person_id}"
    else:
        name = visitor.source
    if limiter.hit(item, what, name):
        return
    stats = limiter.get_window_stats(item, what, name)
    wait = max(1, int(stats.reset_time - parts.now().timestamp()) + 1)
    raise problem_error(
        429,
        "too-many-requests",
        "操作过于频繁",
        f"操作过于频繁，请在{wait}秒后再试。",
        headers={"Retry-After": str(wait)},
    )
