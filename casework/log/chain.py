"""The hash chain of a stream: one formula over stored bytes. Knows no event and no database."""

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

DOMAIN = b"haidian-casework/event/1"
"""Sets these hashes apart from every other use of SHA-256; a new formula gets a new tag."""

GENESIS = b""
"""What the first event of a stream has in place of a previous hash."""


def _part(data: bytes) -> bytes:
    return len(data).to_bytes(8, "big") + data


def _number(value: int) -> bytes:
    return _part(value.to_bytes(8, "big", signed=True))


def event_hash(
    previous: bytes,
    stream: UUID,
    version: int,
    name: str,
    actor: bytes,
    at: int,
    command_id: UUID,
    state: bytes,
) -> bytes:
    """32 bytes over everything an event says.

    SHA-256 of the parts, each preceded by its length in eight bytes, big endian: domain tag,
    hash of the stream's previous event (empty before the first), stream, version, name in UTF-8,
    actor as stored, `at` in microseconds since 1970 UTC, command id, event as stored. Numbers are
    eight bytes, signed, big endian.
    """
    return sha256(
        b"".join(
            (
                _part(DOMAIN),
                _part(previous),
                _part(stream.bytes),
                _number(version),
                _part(name.encode()),
                _part(actor),
                _number(at),
                _part(command_id.bytes),
                _part(state),
            ),
        ),
    ).digest()


class Link(NamedTuple):
    """One stored event, as far as its hash is concerned."""

    version: int
    name: str
    actor: bytes
    at: int
    command_id: UUID
    state: bytes
    hash: bytes


def broken_link(stream: UUID, links: Iterable[Link]) -> int | None:
    """The version of the first event of a whole stream whose hash or version is wrong, or None.

    A missing or doubled event counts as wrong at the version that should have been there.
    """
    previous = GENESIS
    for expected, link in enumerate(links, start=1):
        right = event_hash(
            previous, stream, link.version, link.name, link.actor, link.at,
            link.command_id, link.state,
        )  # fmt: skip
        if link.version != expected or link.hash != right:
            return expected
        previous = link.hash
    return None
