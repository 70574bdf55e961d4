"""Opens desk.db (SQLite, or schema `desk` on PostgreSQL) and gives transactions. Knows no table.

SQLite: WAL, `synchronous=FULL`, one writer of this process at a time. PostgreSQL: READ COMMITTED,
with an advisory lock for what must happen one after the other.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Protocol

from pysqlite3 import dbapi2 as sqlite3
from sqlalchemy import Connection, Engine, bindparam, create_engine, event, func, select
from sqlalchemy.engine import make_url

from api.accounts.tables import SCHEMA

_BUSY_MS = 10_000
"""How long a writer of another process may keep us waiting; an online backup takes less."""


class Turn(IntEnum):
    """Work that takes turns. Where two are taken, always in this order, so nobody dead-locks."""

    SCHEMA = 1
    ACCOUNTS = 2
    SIGN_IN = 3
    LIMITS = 4
    AUDIT = 5


_LOCKS = 0x4465736B00
"""First number of the desk's advisory locks ("Desk"); a turn is added to it."""


class _Cursor(Protocol):
    def execute(self, sql: str) -> object: ...
    def close(self) -> None: ...


class _Driver(Protocol):
    """What is asked of a raw SQLite connection here."""

    isolation_level: str | None

    def cursor(self) -> _Cursor: ...


class Desk:
    """The database of accounts, sessions, limits and audit.

    `url` is `sqlite+pysqlite:///path` or `postgresql://…`. Opening makes no tables: see
    `schema.prepare`.
    """

    def __init__(self, url: str, *, connections: int = 8) -> None:
        given = make_url(url)
        self.is_sqlite = given.get_backend_name() == "sqlite"
        self._writing = threading.RLock()
        self.engine = _sqlite(url, connections) if self.is_sqlite else _postgres(url, connections)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, *turns: Turn) -> Iterator[Connection]:
        """A transaction that writes, durable when the block ends; an error rolls it back.

        Writers that name the same turn go one after the other, in all processes.
        """
        if self.is_sqlite:
            with self._writing, self.engine.connect() as connection:
                immediate = connection.execution_options(desk_write=True)
                with immediate.begin():
                    yield immediate
            return
        with self.engine.connect() as connection, connection.begin():
            for turn in sorted(turns):
                connection.execute(
                    select(func.pg_advisory_xact_lock(bindparam("n", _LOCKS + turn)))
                )
            yield connection

    def scrub(self) -> bool:
        """See that deleted bytes lie in no journal. False: a reader is in the way; call it again.

        Deleted rows are overwritten where they stood (`secure_delete`); older copies of their
        pages go with the write-ahead log. PostgreSQL's own vacuum and WAL recycling see to it
        there, in their time.
        """
        if not self.is_sqlite:
            return True
        with self._writing:
            connection = self.engine.raw_connection()
            try:
                cursor = connection.cursor()
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                answer = cursor.fetchone()
                cursor.close()
            finally:
                connection.close()
        return answer is not None and not answer[0]

    def close(self) -> None:
        self.engine.dispose()


def _sqlite(url: str, connections: int) -> Engine:
    engine = create_engine(
        url, module=sqlite3, pool_size=connections, max_overflow=0
    ).execution_options(schema_translate_map={SCHEMA: None})

    @event.listens_for(engine, "connect")
    def settle(driver: _Driver, _record: object) -> None:
        # The driver must not begin transactions by itself: it would begin them as readers, and
        # a reader that turns writer is refused at once instead of waiting.
        driver.isolation_level = None
        cursor = driver.cursor()
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "secure_delete = ON",
            "recursive_triggers = ON",
            f"busy_timeout = {_BUSY_MS}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("desk_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgres(url: str, connections: int) -> Engine:
    return create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_size=connections,
        max_overflow=0,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
    )
