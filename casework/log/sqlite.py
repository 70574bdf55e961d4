"""Reading the log in one SQLite file, the embedded default. Knows rows, not events.

Readers have read-only connections of their own and hold each for one short page.
"""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final
from uuid import UUID

from eventsourcing.persistence import (
    AggregateRecorder,
    InfrastructureFactory,
    ProcessRecorder,
    TrackingRecorder,
)
from pysqlite3 import dbapi2
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from casework.log.committer import Committer
from casework.log.port import LogBusy, LogUnavailable
from casework.log.recorder import LogRecorder
from casework.log.sqlite_writer import BUSY_SECONDS, SqliteWriter
from casework.log.stored import LoggedEvent

READERS: Final = 16
"""Connections for reading at most; the thread pool of queries is of that order."""

COLUMNS: Final = "position, stream, version, name, state, at, actor, command_id, ordinal, hash"


def _event(row: Sequence[object]) -> LoggedEvent:
    position, stream, version, name, state, at, actor, command_id, ordinal, stored_hash = row
    assert isinstance(stream, bytes)
    assert isinstance(command_id, bytes)
    return LoggedEvent(
        UUID(bytes=stream), version, name, state, position, at, actor,  # type: ignore[arg-type] # columns of a STRICT table
        UUID(bytes=command_id), ordinal, stored_hash,  # type: ignore[arg-type] # as above
    )  # fmt: skip


class SqliteRecorder(LogRecorder):
    """Reads on read-only connections; writes through the committer."""

    def __init__(self, path: Path, committer: Committer) -> None:
        super().__init__(committer)
        self._path = path
        self._pool = QueuePool(
            self._connect,
            pool_size=READERS,
            max_overflow=0,
            reset_on_return=None,  # single SELECTs in autocommit leave nothing to roll back
            use_lifo=True,
        )

    def _connect(self) -> dbapi2.Connection:
        connection = dbapi2.connect(
            f"file:{self._path}?mode=ro", uri=True, isolation_level=None,
            check_same_thread=False, timeout=BUSY_SECONDS,
        )  # fmt: skip
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _rows(self, statement: str, values: Sequence[object]) -> list[Sequence[object]]:
        try:
            with closing(self._pool.connect()) as connection, closing(connection.cursor()) as page:
                page.execute(statement, tuple(values))
                return list(page.fetchall())
        except PoolTimeout as error:
            raise LogBusy("all reading connections are taken") from error
        except dbapi2.Error as error:
            raise LogUnavailable(str(error)) from error

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[LoggedEvent]:
        """See AggregateRecorder."""
        assert isinstance(originator_id, UUID)
        values: list[object] = [originator_id.bytes]
        where = "stream = ?"
        if gt is not None:
            where += " AND version > ?"
            values.append(gt)
        if lte is not None:
            where += " AND version <= ?"
            values.append(lte)
        values.append(-1 if limit is None else limit)
        order = "DESC" if desc else "ASC"
        statement = f"SELECT {COLUMNS} FROM events WHERE {where} ORDER BY version {order} LIMIT ?"  # noqa: S608 - constants only
        return [_event(row) for row in self._rows(statement, values)]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[LoggedEvent]:
        """See ApplicationRecorder."""
        values: list[object] = [start or 0]
        where = "position >= ?" if inclusive_of_start else "position > ?"
        if stop is not None:
            where += " AND position <= ?"
            values.append(stop)
        if topics:
            where += f" AND name IN ({','.join('?' * len(topics))})"
            values += topics
        values.append(limit)
        statement = f"SELECT {COLUMNS} FROM events WHERE {where} ORDER BY position LIMIT ?"  # noqa: S608 - as above
        return [_event(row) for row in self._rows(statement, values)]

    def max_notification_id(self) -> int | None:
        """See ApplicationRecorder."""
        highest = self._rows("SELECT max(position) FROM events", ())[0][0]
        assert highest is None or isinstance(highest, int)
        return highest

    def select_command(self, command_id: UUID) -> tuple[list[LoggedEvent], bytes | None]:
        """See LogRecorder."""
        rows = self._rows(
            f"SELECT {COLUMNS}, fingerprint FROM events WHERE command_id = ? ORDER BY ordinal",  # noqa: S608 - as above
            (command_id.bytes,),
        )
        fingerprint = rows[0][-1] if rows else None
        assert fingerprint is None or isinstance(fingerprint, bytes)
        return [_event(row[:-1]) for row in rows], fingerprint

    def epoch(self) -> UUID:
        """See LogRecorder."""
        return UUID(
            str(self._rows("SELECT epoch FROM log_epochs ORDER BY n DESC LIMIT 1", ())[0][0]),
        )

    def close(self) -> None:
        """See LogRecorder."""
        self._pool.dispose()
        self.committer.close()


class SqliteFactory(InfrastructureFactory[TrackingRecorder]):
    """Lets the library's Application find the recorder: LOG_PATH names the prepared file."""

    LOG_PATH = "LOG_PATH"
    _recorder: SqliteRecorder | None = None

    def application_recorder(self) -> SqliteRecorder:
        """The one recorder of this factory, its committer started.

        Raises KeyError without LOG_PATH, Broken where the file does not keep what it must.
        """
        if self._recorder is None:
            path = self.env.get(self.LOG_PATH)
            if not path:
                raise KeyError(self.LOG_PATH)
            committer = Committer(SqliteWriter(Path(path)))
            committer.start()
            self._recorder = SqliteRecorder(Path(path), committer)
        return self._recorder

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """Refused: a log keeps no snapshots."""
        raise NotImplementedError(purpose)

    def tracking_recorder(
        self,
        tracking_recorder_class: type[TrackingRecorder] | None = None,
    ) -> TrackingRecorder:
        """Refused: readers keep their positions with their rows, in another database."""
        raise NotImplementedError(tracking_recorder_class)

    def process_recorder(self) -> ProcessRecorder:
        """Refused, as above."""
        raise NotImplementedError

    def close(self) -> None:
        """Write what waits and let go of the file."""
        if self._recorder is not None:
            self._recorder.close()
