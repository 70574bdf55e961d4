"""Events in the shape in which they lie in the log, for the library's interfaces. Decodes none."""

from dataclasses import dataclass
from uuid import UUID

from eventsourcing.persistence import Notification, StoredEvent


@dataclass(frozen=True)
class PendingEvent(StoredEvent):
    """An event on its way into the log; the log itself makes its position and hash.

    `at` is microseconds since 1970 UTC, `actor` the actor as JSON.
    """

    at: int
    actor: bytes
    command_id: UUID


@dataclass(frozen=True)
class LoggedEvent(Notification):
    """A row of the log: stored event and notification in one."""

    at: int
    actor: bytes
    command_id: UUID
    ordinal: int
    hash: bytes
