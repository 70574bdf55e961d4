"""The log in one SQLite file: the embedded default. Knows rows, not events.

One connection writes (the committer's); readers have read-only connections of their own and hold
each for one short page. Only the writer checkpoints.
"""

from collections.abc import Collection, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, Never
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

from casework.log.batch import Head, Row
from casework.log.committer import Broken, Clash, Committer, Held
from casework.log.port import Appended, DuplicateCommand, LogBusy, LogUnavailable
from casework.log.recorder import LogRecorder
from casework.log.stored import LoggedEvent

LEAST_VERSION: Final = (3, 51, 3)
"""The first with the fix for resetting the WAL while it is read."""

BUSY_SECONDS: Final = 5.0
"""How long a writer waits for one of another process, such as a command line beside the server."""

CHECKPOINT_BYTES: Final = 4 << 20
"""Of stored bytes since the last checkpoint: about the 1,000 pages SQLite itself would take."""

WAL_LIMIT_BYTES: Final = 64 << 20
"""A WAL above this has had a reader sitting on it; it is cut back as soon as that one leaves."""

CUT_SECONDS: Final = 0.05
"""How long commits may wait for the readers of a WAL that is to be cut back."""

READERS: Final = 16
"""Connections for reading at most; the thread pool of queries is of that order."""

FULL_SYNC: Final = 2

_BUSY, _LOCKED, _IOERR, _CORRUPT, _FULL, _CONSTRAINT, _NOTADB = 5, 6, 10, 11, 13, 19, 26

COLUMNS: Final = "position, stream, version, name, state, at, actor, command_id, ordinal, hash"


def _refuse(error: dbapi2.Error) -> Never:
    """Translate an error of the writing connection.

    After an I/O error the kernel may have dropped pages it failed to write and report success
    next time, so this process never writes again; a full disk may recover.
    """
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code == _CONSTRAINT:
        raise Clash(str(error)) from error
    if code in {_BUSY, _LOCKED}:
        raise Held(str(error)) from error
    raise Broken(str(error), for_good=code in {_IOERR, _CORRUPT, _NOTADB}) from error


class SqliteWriter:
    """The committer's connection. Asserts at `open` what durability rests on."""

    least_version = LEAST_VERSION
    wal_limit_bytes = WAL_LIMIT_BYTES

    def __init__(self, path: Path, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self.path = path
        self.checkpoints = 0
        self._busy_seconds = busy_seconds
        self._connection: dbapi2.Connection | None = None
        self._unchecked = 0

    @property
    def wal_bytes(self) -> int:
        """Size of the WAL file, for the metrics."""
        wal = Path(f"{self.path}-wal")
        return wal.stat().st_size if wal.exists() else 0

    def open(self) -> None:
        """Raises Broken where the file, the build or the settings would not keep a promise."""
        self.close()
        if dbapi2.sqlite_version_info < self.least_version:
            raise Broken(f"SQLite {dbapi2.sqlite_version} is too old", for_good=True)
        try:
            connection = dbapi2.connect(
                f"file:{self.path}?mode=rw", uri=True, isolation_level=None,
                timeout=self._busy_seconds,
            )  # fmt: skip
        except dbapi2.Error as error:
            raise Broken(f"{self.path}: {error}") from error
        self._connection = connection
        # Between batches, not inside a commit somebody waits for: see rest().
        self._set("wal_autocheckpoint", 0, 0)
        self._set("synchronous", "FULL", FULL_SYNC)
        self._set("recursive_triggers", "ON", 1)
        self._set("foreign_keys", "ON", 1)
        if self._one("PRAGMA journal_mode") != "wal":
            raise Broken("the log is not in WAL mode", for_good=True)
        guards = self._one(
            "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'events'"
            " AND name IN ('events_no_replace', 'events_no_update', 'events_no_delete')",
        )
        if guards != 3:
            raise Broken("the log is not prepared, or its guards are gone", for_good=True)

    def _set(self, pragma: str, value: object, expected: object) -> None:
        self._run(f"PRAGMA {pragma} = {value}")
        if self._one(f"PRAGMA {pragma}") != expected:
            raise Broken(f"SQLite does not take {pragma} = {value}", for_good=True)

    def _run(self, statement: str, values: Sequence[object] = ()) -> dbapi2.Cursor:
        if self._connection is None:
            raise Broken("the log is closed")
        try:
            return self._connection.execute(statement, values)
        except dbapi2.Error as error:
            _refuse(error)

    def _one(self, statement: str, values: Sequence[object] = ()) -> object:
        row = self._run(statement, values).fetchone()
        return row[0] if row else None

    def probe(self) -> None:
        """One durable write beside the log."""
        try:
            self._run("UPDATE log_probe SET n = n + 1")
        except Held as error:
            raise Broken(str(error)) from error

    def begin(self) -> None:
        """Take the write lock at once, so that what is read after it still holds at commit."""
        self._run("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self._run("COMMIT")

    def rollback(self) -> None:
        if self._connection is not None and self._connection.in_transaction:
            self._run("ROLLBACK")

    def savepoint(self) -> None:
        self._run("SAVEPOINT one")

    def release_savepoint(self) -> None:
        self._run("RELEASE one")

    def rollback_to_savepoint(self) -> None:
        self._run("ROLLBACK TO one")

    def look(
        self,
        command_ids: Collection[UUID],
        streams: Collection[UUID],
    ) -> tuple[dict[UUID, DuplicateCommand], dict[UUID, Head]]:
        """See Writer. One moment, because `begin` has taken the write lock."""
        earlier: dict[UUID, DuplicateCommand] = {}
        for command_id in command_ids:
            rows = self._run(
                "SELECT position, hash, version, fingerprint FROM events"
                " WHERE command_id = ? ORDER BY ordinal",
                (command_id.bytes,),
            ).fetchall()
            if rows:
                positions, hashes, versions, fingerprints = zip(*rows, strict=True)
                earlier[command_id] = DuplicateCommand(
                    Appended(positions, hashes, versions),
                    fingerprints[0],
                )
        heads: dict[UUID, Head] = {}
        for stream in streams:
            row = self._run(
                "SELECT version, hash, at FROM events WHERE stream = ?"
                " ORDER BY version DESC LIMIT 1",
                (stream.bytes,),
            ).fetchone()
            if row:
                heads[stream] = Head(*row)
        return earlier, heads

    def names(self, stream: UUID, after_version: int) -> Collection[str]:
        """See Writer."""
        rows = self._run(
            "SELECT DISTINCT name FROM events WHERE stream = ? AND version > ?",
            (stream.bytes, after_version),
        )
        return {row[0] for row in rows}

    def insert(self, rows: Sequence[Row]) -> list[int]:
        """Positions follow the sequence, which a restore may have raised above the last row."""
        last = self._one("SELECT seq FROM sqlite_sequence WHERE name = 'events'")
        start = (last if isinstance(last, int) else 0) + 1
        positions = list(range(start, start + len(rows)))
        assert self._connection is not None
        try:
            self._connection.executemany(
                "INSERT INTO events (position, stream, version, name, state, at, actor,"
                " command_id, ordinal, hash, fingerprint) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                (
                    (
                        position, row.stream.bytes, row.version, row.name, row.state, row.at,
                        row.actor, row.command_id.bytes, row.ordinal, row.hash, row.fingerprint,
                    )
                    for position, row in zip(positions, rows, strict=True)
                ),
            )  # fmt: skip
        except dbapi2.Error as error:
            _refuse(error)
        # Beside the event come three index entries and the row's own columns.
        self._unchecked += sum(len(row.state) + 512 for row in rows)
        return positions

    def rest(self) -> None:
        """Move the WAL into the file now and then, while nobody waits for a commit."""
        if self._unchecked < CHECKPOINT_BYTES:
            return
        try:
            if self.wal_bytes > self.wal_limit_bytes:
                self._run(f"PRAGMA busy_timeout = {round(CUT_SECONDS * 1000)}")
                self._run("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                self._run(f"PRAGMA busy_timeout = {round(self._busy_seconds * 1000)}")
            else:
                self._run("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except (Held, Clash) as error:
            raise Broken(str(error)) from error
        self._unchecked = 0
        self.checkpoints += 1

    def close(self) -> None:
        """Close; an open transaction is rolled back with it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


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
