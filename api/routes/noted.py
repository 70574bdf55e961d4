"""What a route outside the cases needs besides its form: a command id, a row for a refusal."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid5

from api.access import Visitor
from api.accounts.audit import entry_of
from api.door import COMMANDS
from api.parts import Parts
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
