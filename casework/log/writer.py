"""What the committer asks of the one connection that writes. Knows no SQL and no thread."""

from collections.abc import Collection, Sequence
from typing import Protocol
from uuid import UUID

from casework.log.batch import Head, Row
from casework.log.port import DuplicateCommand, LogError


class Clash(Exception):  # noqa: N818 - an event between two writers, not a fault
    """Another process wrote the same stream or command between our look and our insert."""


class Broken(LogError):  # noqa: N818 - the state of a connection
    """The connection cannot go on. `for_good`: no attempt to write may follow in this process."""

    def __init__(self, why: str, *, for_good: bool = False) -> None:
        super().__init__(why)
        self.for_good = for_good


class Held(Exception):  # noqa: N818 - a state, as above
    """Another process holds the log for the moment; the connection is sound."""


class Writer(Protocol):
    """The connection of the committer. All calls come from its thread.

    Any call may raise Broken; any but `open` and `probe` Held; `insert` also Clash. Where one
    INSERT is a transaction of its own, a writer may leave it at that: everything between `begin`
    and `commit` is inserted at once, unless there are savepoints.
    """

    def open(self) -> None:
        """Connect and assert what durability rests on. Also called again after Broken."""

    def probe(self) -> None:
        """Raise unless the log can be written."""

    def begin(self) -> None: ...
    def commit(self) -> None: ...
    def rollback(self) -> None: ...
    def savepoint(self) -> None: ...
    def release_savepoint(self) -> None: ...
    def rollback_to_savepoint(self) -> None: ...

    def look(
        self,
        command_ids: Collection[UUID],
        streams: Collection[UUID],
    ) -> tuple[dict[UUID, DuplicateCommand], dict[UUID, Head]]:
        """Those of the commands that are in the log, and the last events of the streams.

        Both as of one moment: a twin that another process commits in between must be recognised
        as one, not mistaken for a stranger who wrote to the stream first.
        """
        ...

    def names(self, stream: UUID, after_version: int) -> Collection[str]:
        """The distinct stored names of a stream above a version."""
        ...

    def insert(self, rows: Sequence[Row]) -> list[int]:
        """Insert in this order and return ascending positions."""
        ...

    def rest(self) -> None:
        """Housekeeping between batches, after their callers have been answered."""

    def close(self) -> None: ...
