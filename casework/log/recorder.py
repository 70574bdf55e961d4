"""The library's recorder over a committer: what SQLite and PostgreSQL have in common. No SQL."""

from abc import abstractmethod
from collections.abc import Sequence
from itertools import groupby
from typing import Any, TypedDict
from uuid import UUID, uuid5

import msgspec
from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    ListenNotifySubscription,
    OperationalError,
    StoredEvent,
)

from casework.log.batch import Addition, Command, Entry
from casework.log.committer import Committer
from casework.log.port import Appended, LogError
from casework.log.stored import LoggedEvent, PendingEvent
from casework.log.wakeups import Wakeups

BARE = UUID("0d6c7e0a-3a0b-5e0e-8a53-5a0b1f1f6f42")
"""Namespace of command ids for events that came through the library's interface without one."""


class InsertOptions(TypedDict, total=False):
    """What `save` and `put` of the library may hand to `insert_events` besides the events.

    They stand in where an event does not carry them itself. `tracking` is the library's own and
    always None here: readers keep their positions with their rows.
    """

    command_id: UUID
    at: int
    actor: bytes
    fingerprint: bytes | None
    tracking: None


def as_command(events: Sequence[StoredEvent], options: InsertOptions) -> Command:
    """One command of these events. Raises IntegrityError where versions of a stream skip."""
    additions: list[Addition] = []
    first = events[0]
    command_id = options.get("command_id")
    actor = options.get("actor", b"")
    if isinstance(first, PendingEvent):
        command_id, actor = first.command_id, first.actor
    for stream, run in groupby(events, key=lambda event: event.originator_id):
        if not isinstance(stream, UUID):
            raise TypeError(f"a stream id is a UUID, not {stream!r}")
        of_stream = list(run)
        start = of_stream[0].originator_version
        if [event.originator_version for event in of_stream] != list(
            range(start, start + len(of_stream)),
        ):
            raise IntegrityError(f"versions of {stream} do not follow on each other")
        last = of_stream[-1]
        additions.append(
            Addition(
                stream,
                start - 1,
                tuple(Entry(event.topic, event.state) for event in of_stream),
                last.at if isinstance(last, PendingEvent) else options.get("at", 0),
            ),
        )
    return Command(
        # Without an id, the first version it writes names the command: it can be written once.
        command_id or uuid5(BARE, f"{first.originator_id}/{first.originator_version}"),
        actor,
        tuple(additions),
        options.get("fingerprint"),
        free_start=True,
    )


class LogRecorder(ApplicationRecorder):
    """Writes through the committer, reads on connections of its own."""

    def __init__(self, committer: Committer) -> None:
        self.committer = committer
        self.wakeups = Wakeups()
        committer.wakeups.add(self.wakeups.ring)

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        **kwargs: Any,  # noqa: ANN401 - the library's signature; converted on the next lines
    ) -> Sequence[int] | None:
        """Positions in the order given; None for no events.

        Raises IntegrityError when a version or the command is already there, OperationalError
        when the log cannot be written.
        """
        if not stored_events:
            return None
        command = as_command(stored_events, msgspec.convert(kwargs, InsertOptions))
        try:
            outcome = self.committer.submit_blocking(command)
        except LogError as error:
            raise OperationalError(str(error)) from error
        if isinstance(outcome, Appended):
            return list(outcome.positions)
        raise IntegrityError(repr(outcome))

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> "LogSubscription":
        """Events above `gt` as they come, for ever."""
        return LogSubscription(self, gt, topics)

    @abstractmethod
    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[LoggedEvent]: ...

    @abstractmethod
    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[LoggedEvent]: ...

    @abstractmethod
    def select_command(self, command_id: UUID) -> tuple[list[LoggedEvent], bytes | None]:
        """The events of a command by ordinal, and its fingerprint."""

    @abstractmethod
    def epoch(self) -> UUID:
        """The epoch this log is in."""

    @abstractmethod
    def close(self) -> None:
        """Write what waits, stop the threads and close the connections."""


class LogSubscription(ListenNotifySubscription[LogRecorder]):
    """The library's subscription, woken by commits."""

    def __init__(self, recorder: LogRecorder, gt: int | None, topics: Sequence[str]) -> None:
        super().__init__(recorder, gt, topics)
        recorder.wakeups.add(self._wake)
        self._wake(0)  # what came in between the first look and the line above

    def _wake(self, _head: int) -> None:
        self._has_been_notified.set()

    def stop(self) -> None:
        """No more events; the thread ends."""
        self._recorder.wakeups.remove(self._wake)
        super().stop()
