"""The connection that writes the log in PostgreSQL. Knows rows, not events."""

import time
from collections.abc import Collection, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import Final, Never
from uuid import UUID

import psycopg
from psycopg import errors
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow

from casework.log.batch import Head, Row
from casework.log.port import Appended, DuplicateCommand
from casework.log.postgres_checks import NETWORK, SESSION, shortcomings
from casework.log.writer import Broken, Clash, Held

LOOK_AGAIN_SECONDS: Final = 0.0005
"""Between two looks whether the server has let go."""

GONE_SECONDS: Final = 5.0
"""How long to wait for the server to let go of a connection we lost."""

_CLASHES = (errors.UniqueViolation, errors.DeadlockDetected, errors.SerializationFailure)
_WAITS = (errors.QueryCanceled, errors.LockNotAvailable)


def writing(url: str) -> str:
    """The address with the settings of a writing session."""
    options = " ".join(f"-c {name}={value}" for name, value in SESSION.items())
    return make_conninfo(url, **NETWORK, options=f"{options} -c tcp_user_timeout=10s")


def _refuse(error: psycopg.Error) -> Never:
    if isinstance(error, _CLASHES):
        raise Clash(str(error)) from error
    if isinstance(error, _WAITS):
        raise Held(str(error)) from error
    raise Broken(str(error)) from error


class PostgresWriter:
    """The committer's connection."""

    def __init__(self, url: str, *, owner_allowed: bool = False) -> None:
        self._conninfo = writing(url)
        self._owner_allowed = owner_allowed
        self._connection: psycopg.Connection[TupleRow] | None = None
        self._session: tuple[int, object] | None = None

    def open(self) -> None:
        """Raises Broken where the server, the database or the role would not keep a promise.

        After a lost connection it first waits until the server has let go of the old one, so
        that its last commit either has happened or never will.
        """
        self.close()
        try:
            connection = psycopg.connect(self._conninfo, autocommit=True)
            self._connection = connection
            wrong = shortcomings(connection, owner_allowed=self._owner_allowed)
            if not wrong and self._session is not None:
                self._outlive(connection, *self._session)
            row = connection.execute(
                "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()",
            ).fetchone()
        except psycopg.Error as error:
            raise Broken(str(error)) from error
        if wrong:
            raise Broken("; ".join(wrong))
        assert row is not None
        self._session = (row[0], row[1])

    def _outlive(
        self,
        connection: psycopg.Connection[TupleRow],
        pid: int,
        started: object,
    ) -> None:
        deadline = time.monotonic() + GONE_SECONDS
        while connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid = %s AND backend_start = %s",
            (pid, started),
        ).fetchone():
            if time.monotonic() > deadline:
                raise Broken(f"the server does not let go of session {pid}")
            time.sleep(LOOK_AGAIN_SECONDS)

    def _run(
        self,
        statement: str,
        values: Sequence[object] = (),
    ) -> psycopg.Cursor[TupleRow]:
        if self._connection is None:
            raise Broken("the log is closed")
        try:
            return self._connection.execute(statement, values or None, binary=True)
        except psycopg.Error as error:
            _refuse(error)

    def probe(self) -> None:
        """One durable record in the server's own log, beside our table."""
        try:
            self._run("SELECT pg_logical_emit_message(true, 'casework', 'probe')")
        except (Held, Clash) as error:
            raise Broken(str(error)) from error

    def begin(self) -> None:
        """Nothing yet: the one INSERT of a batch is a transaction of its own.

        What was read before it need not be read in the same transaction: events do not change,
        and two unique keys refuse a version or a command that somebody else wrote meanwhile.
        """

    def _in_transaction(self) -> bool:
        return (
            self._connection is not None
            and self._connection.info.transaction_status != TransactionStatus.IDLE
        )

    def commit(self) -> None:
        if self._in_transaction():
            self._run("COMMIT")

    def rollback(self) -> None:
        if self._in_transaction():
            self._run("ROLLBACK")

    def savepoint(self) -> None:
        if not self._in_transaction():
            self._run("BEGIN")
        self._run("SAVEPOINT one")

    def release_savepoint(self) -> None:
        self._run("RELEASE SAVEPOINT one")

    def rollback_to_savepoint(self) -> None:
        self._run("ROLLBACK TO SAVEPOINT one")
        self._run("RELEASE SAVEPOINT one")

    def look(
        self,
        command_ids: Collection[UUID],
        streams: Collection[UUID],
    ) -> tuple[dict[UUID, DuplicateCommand], dict[UUID, Head]]:
        """See Writer. One moment, because one statement."""
        stored: dict[UUID, list[TupleRow]] = {}
        heads: dict[UUID, Head] = {}
        for row in self._run(
            "SELECT command_id, ordinal, version, hash, at, position, fingerprint FROM events"
            " WHERE command_id = ANY(%b::uuid[])"
            " UNION ALL"
            " SELECT wanted, NULL, version, hash, at, NULL, NULL FROM unnest(%b::uuid[]) AS wanted"
            " CROSS JOIN LATERAL (SELECT version, hash, at FROM events"
            " WHERE stream = wanted ORDER BY version DESC LIMIT 1) AS last",
            (list(command_ids), list(streams)),
        ):
            if row[1] is None:
                heads[row[0]] = Head(row[2], row[3], row[4])
            else:
                stored.setdefault(row[0], []).append(row)
        return {each: _duplicate(rows) for each, rows in stored.items()}, heads

    def names(self, stream: UUID, after_version: int) -> Collection[str]:
        """See Writer."""
        rows = self._run(
            "SELECT DISTINCT name FROM events WHERE stream = %b AND version > %b",
            (stream, after_version),
        )
        return {row[0] for row in rows}

    def insert(self, rows: Sequence[Row]) -> list[int]:
        """One statement, whatever the number of rows; positions are given in the order of rows."""
        columns = list(zip(*rows, strict=True))
        # An empty fingerprint stands for none: a list of nothing but None has no type.
        fingerprints = [value or b"" for value in columns[9]]
        placed = [
            row[0]
            for row in self._run(
                "INSERT INTO events (stream, version, name, state, at, actor, command_id,"
                " ordinal, hash, fingerprint)"
                " SELECT stream, version, name, state, at, actor, command_id, ordinal, hash,"
                " nullif(fingerprint, '')"
                " FROM unnest(%b::uuid[], %b::bigint[], %b::text[], %b::bytea[], %b::bigint[],"
                " %b::bytea[], %b::uuid[], %b::int[], %b::bytea[], %b::bytea[])"
                " WITH ORDINALITY AS given (stream, version, name, state, at, actor, command_id,"
                " ordinal, hash, fingerprint, n) ORDER BY n RETURNING position",
                (*(list(column) for column in columns[:9]), fingerprints),
            )
        ]
        if len(placed) != len(rows) or any(b <= a for a, b in pairwise(placed)):
            raise Broken("positions do not follow the order of rows", for_good=True)
        return placed

    def rest(self) -> None:
        """Nothing: the server keeps its own house."""

    def close(self) -> None:
        """Close; an open transaction is rolled back with it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _duplicate(rows: list[TupleRow]) -> DuplicateCommand:
    """From rows of (command_id, ordinal, version, hash, at, position, fingerprint)."""
    rows.sort(key=itemgetter(1))
    return DuplicateCommand(
        Appended(
            tuple(row[5] for row in rows),
            tuple(row[3] for row in rows),
            tuple(row[2] for row in rows),
        ),
        rows[0][6],
    )
