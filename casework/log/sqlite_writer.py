"""The one connection that writes the log's SQLite file, and the only one that checkpoints.

Knows rows, not events.
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final, Never
from uuid import UUID

from pysqlite3 import dbapi2

from casework.log.batch import Head, Row
from casework.log.binding import bind_as_they_are
from casework.log.port import Appended, DuplicateCommand
from casework.log.writer import Broken, Clash, Held

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

FULL_SYNC: Final = 2

_BUSY, _LOCKED, _IOERR, _CORRUPT, _FULL, _CONSTRAINT, _NOTADB = 5, 6, 10, 11, 13, 19, 26


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
        bind_as_they_are()
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
