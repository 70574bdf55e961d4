"""What the rest of the engine may ask of the event log. Knows no database and no library.

Times are aware datetimes in UTC, kept to the microsecond. Positions count the whole log from 1,
may have holes, and never go down; versions count one stream from 1 without holes.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID, uuid5

import msgspec

from casework.model import Actor

STREAMS = UUID("5d0f2e2c-6c0b-5a58-9a2e-8d1f0c7f6b11")
"""Namespace of all stream ids; changing it would orphan every stored stream."""


def stream_id(name: str) -> UUID:
    """The id of a stream by its name, such as "case/{id}" or "catalogue"."""
    return uuid5(STREAMS, name)


class Write(msgspec.Struct, frozen=True):
    """Events to add to one stream.

    `expected_version` is the version the decision was made on (0: the stream must be new; None:
    add at the end, whatever is there, for streams in which nothing is decided). The log records
    max(at, `at` of the stream's last event), so that time never goes back within a stream.
    """

    stream: UUID
    expected_version: int | None
    events: tuple[msgspec.Struct, ...]
    at: datetime


class UnknownEvent(msgspec.Struct, frozen=True):
    """A stored event this release cannot read: kept as stored, never skipped.

    Its stream is read-only here. `why` is for the operator: an unknown name, or what is wrong
    with the stored bytes.
    """

    name: str
    raw: bytes
    why: str


class Recorded(msgspec.Struct, frozen=True):
    """An event as it stands in the log. `ordinal` counts the events of its command from 0."""

    stream: UUID
    version: int
    position: int
    name: str
    event: msgspec.Struct
    at: datetime
    actor: Actor
    command_id: UUID
    ordinal: int
    hash: bytes

    @property
    def originator_id(self) -> UUID:
        """The stream, in the library's word."""
        return self.stream

    @property
    def originator_version(self) -> int:
        """The version, in the library's word."""
        return self.version


class Appended(msgspec.Struct, frozen=True):
    """The command is in the log, durably. One entry an event, in the order they were given."""

    positions: tuple[int, ...]
    hashes: tuple[bytes, ...]
    versions: tuple[int, ...]


class VersionConflict(msgspec.Struct, frozen=True):
    """Somebody else wrote to the stream first; nothing was stored."""

    stream: UUID
    expected: int
    actual: int


class DuplicateCommand(msgspec.Struct, frozen=True):
    """The command was already in the log, or a twin of it went in with the same commit.

    The caller compares `fingerprint` with its own: another body under the same key is an error.
    """

    earlier: Appended
    fingerprint: bytes | None


class StreamReadOnly(msgspec.Struct, frozen=True):
    """The stream holds an event of a name unknown to this release; nothing was stored."""

    stream: UUID
    name: str


Outcome = Appended | VersionConflict | DuplicateCommand | StreamReadOnly


class PriorCommand(msgspec.Struct, frozen=True):
    """What a command left in the log: its events in the order given, and its fingerprint."""

    events: tuple[Recorded, ...]
    fingerprint: bytes | None


class LogError(Exception):
    """The log could not do it. Nothing was acknowledged."""


class LogBusy(LogError):  # noqa: N818 - a state of the log, read as a sentence
    """The queue in front of the log is full, or another process holds it; try again shortly."""


class LogUnavailable(LogError):  # noqa: N818 - as above
    """The log cannot be written now. Whether the command went in shows when it is sent again."""


class Log(Protocol):
    """The event log."""

    @property
    def epoch(self) -> UUID:
        """Changes when a restore rewinds the log; positions of two epochs do not compare."""
        ...

    @property
    def ready(self) -> bool:
        """Whether the log can be written now."""
        ...

    def append(
        self,
        writes: Sequence[Write],
        command_id: UUID,
        actor: Actor,
        fingerprint: bytes | None = None,
    ) -> Outcome:
        """Add the events of one command in one transaction, and wait until it is durable.

        Raises LogBusy or LogUnavailable.
        """
        ...

    async def submit(
        self,
        writes: Sequence[Write],
        command_id: UUID,
        actor: Actor,
        fingerprint: bytes | None = None,
    ) -> Outcome:
        """Do what `append` does without holding the event loop.

        Cancelling the wait does not cancel the append. Raises LogBusy or LogUnavailable.
        """
        ...

    def history(self, stream: UUID, after_version: int = 0) -> list[Recorded]:
        """The events of a stream above a version, in order."""
        ...

    def by_command(self, command_id: UUID) -> PriorCommand | None:
        """What a command left in the log, or None."""
        ...

    def since(self, position: int, limit: int, stop: int | None = None) -> list[Recorded]:
        """At most `limit` events above `position`, up to `stop`, in order; none is ever missed."""
        ...

    def head(self) -> int:
        """The highest position stored, 0 if the log is empty."""
        ...

    def on_commit(self, wake: Callable[[int], None]) -> None:
        """Call `wake(head)` after commits, from a thread of the log. `wake` must not block."""
        ...
