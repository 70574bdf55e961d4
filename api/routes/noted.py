"""What a route outside the cases needs besides its form: a command id, a row in the audit trail."""

import hmac
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid5

from fastapi import Request as HttpRequest

from api.access import Visitor
from api.accounts.audit import Fact, entry_of
from api.door import COMMANDS
from api.parts import Parts
from api.small_streams import Asked
from casework.errors import Missing, Refusal

_KEY = re.compile(r"[\x21-\x7e]{1,128}")


@asynccontextmanager
async def noting_refusals(
    parts: Parts, visitor: Visitor, operation: str, target: str | None = None
) -> AsyncIterator[None]:
    """Let a refusal through only after its audit row is on the disk."""
    try:
        yield
    except Refusal as refusal:
        await parts.audit.record_durably(
            entry_of(
                visitor.principal,
                operation,
                parts.now(),
                target=target,
                outcome="refused",
                facts={"why": type(refusal).__name__},
            )
        )
        raise


async def asked_of(request: HttpRequest, parts: Parts, visitor: Visitor, key: str) -> Asked:
    """Who asks what now, by the request. Raises Missing for a key that is none."""
    return Asked(
        by=visitor.principal.actor(),
        at=parts.now(),
        command_id=command_id(visitor, request.url.path, key),
        fingerprint=hmac.digest(parts.fingerprint_key, await request.body(), "sha256"),
    )


async def note_done(
    parts: Parts, visitor: Visitor, operation: str, asked: Asked, target: str, **facts: Fact
) -> None:
    """The audit row of what was done: one, by its command id, however often it is sent."""
    await parts.audit.record_durably(
        entry_of(
            visitor.principal,
            operation,
            asked.at,
            target=target,
            facts=facts,
            command_id=asked.command_id,
        )
    )


def command_id(visitor: Visitor, path: str, key: str, person: str | None = None) -> UUID:
    """The id of a command: the same for the same person, path and key, for ever (store.md).

    `person` is whom a receipt stands for; one without an account brings a random UUID as key, so
    that no stranger can guess it. Raises Missing for another key.
    """
    if visitor.is_anonymous:
        if _version(key) != 4 or person is None:
            raise Missing("Idempotency-Key", "未登录时 Idempotency-Key 须是客户端随机生成的 UUID。")
        return uuid5(COMMANDS, f"receipt:{person}\0POST {path}\0{UUID(key)}")
    if not _KEY.fullmatch(key):
        raise Missing("Idempotency-Key", "请提供 Idempotency-Key（1至128个可见字符）。")
    principal = f"{visitor.principal.kind}:{visitor.principal.actor_id}"
    return uuid5(COMMANDS, f"{principal}\0POST {path}\0{key}")


def _version(key: str) -> int | None:
    try:
        return UUID(key).version
    except ValueError:
        return None
