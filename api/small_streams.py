"""Commands on streams beside the cases: decided on their history, recorded once, answered again.

What such a stream holds and who may add to it is the rule's to say; here is the race and the retry.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from casework.application import ATTEMPTS, Contended, Unreadable
from casework.errors import KeyReused, Refusal
from casework.log.port import (
    Appended,
    Log,
    Recorded,
    StreamReadOnly,
    UnknownEvent,
    Write,
)
from casework.model import Actor


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks when, under which command id; `fingerprint` tells the same body again."""

    by: Actor
    at: datetime
    command_id: UUID
    fingerprint: bytes


def carry_out(
    log: Log,
    stream: UUID,
    decide: Callable[[], tuple[int, Sequence[msgspec.Struct]]],
    asked: Asked,
) -> Recorded:
    """Record what `decide` says; the first event it led to.

    `decide` reads the stream and tells the version it decided on with what follows. A lost race
    is decided again, up to five times. The same command gets the same answer, also where it would
    be refused by now. May wait for a disk.

    Raises:
        Refusal: the rules stand against it.
        KeyReused: the command id stands for another command or another body.
        Unreadable: the stream holds an event of a later release.

    """
    for _ in range(ATTEMPTS):
        earlier = _earlier(log, stream, asked)
        if earlier is not None:
            return earlier
        try:
            version, happened = decide()
        except Refusal as refusal:
            twin = _earlier(log, stream, asked)
            if twin is not None:
                return twin
            raise refusal from None
        write = Write(stream, version, tuple(happened), asked.at)
        outcome = log.append([write], asked.command_id, asked.by, asked.fingerprint)
        if isinstance(outcome, StreamReadOnly):
            raise Unreadable
        if isinstance(outcome, Appended):
            made = _earlier(log, stream, asked)
            assert made is not None, "just written"
            return made
    raise Contended


def _earlier(log: Log, stream: UUID, asked: Asked) -> Recorded | None:
    """What the command left when it was first carried out. Raises KeyReused."""
    prior = log.by_command(asked.command_id)
    if prior is None:
        return None
    if prior.fingerprint != asked.fingerprint or prior.events[0].stream != stream:
        raise KeyReused
    return prior.events[0]


def readable(history: Sequence[Recorded]) -> Sequence[Recorded]:
    """The history, if every event of it can be read. Raises Unreadable."""
    if any(isinstance(recorded.event, UnknownEvent) for recorded in history):
        raise Unreadable
    return history
