"""What every reader's table needs: engines, bulk statements, positions. Knows no view and no case.

Ids lie as 16 bytes and times as microseconds since 1970 UTC, on both databases alike, so that one
row of plain values fits either. SQLite is the bundled build; PostgreSQL holds a generation in a
schema of its own.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import TypeAlias, TypeVar

import msgspec
from pysqlite3 import dbapi2
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Executable,
    LargeBinary,
    MetaData,
    Table,
    Text,
    create_engine,
    event,
    select,
)
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from casework.instants import from_micros, to_micros
from casework.log.binding import bind_as_they_are

Value: TypeAlias = str | int | float | bytes | bool | None
Values: TypeAlias = tuple[Value, ...]
S = TypeVar("S", bound=msgspec.Struct)

TRANSIENT = (OperationalError, InterfaceError, OSError, dbapi2.OperationalError)
"""A database, the key store or the disk, not the event: the batch is tried again as it was."""

VIEWS = MetaData()
"""Tables that are thrown away and rebuilt at will."""

IN_CHUNK = 500
"""Ids in one IN list: far below either database's limit, and one plan for all."""

BUSY_MILLISECONDS = 60_000
"""How long a writer of a views file waits for another; only a rebuild has two."""

READER_POSITION = Table(
    "reader_position",
    VIEWS,
    Column("reader", Text, primary_key=True),
    Column("generation", Text, primary_key=True),
    Column("n", BigInteger, nullable=False),
)

HELD_STREAM = Table(
    "held_stream",
    VIEWS,
    Column("reader", Text, primary_key=True),
    Column("stream", LargeBinary(16), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("why", Text, nullable=False),
)

HELD_EVENT = Table(
    "held_event",
    VIEWS,
    Column("reader", Text, primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("stream", LargeBinary(16), nullable=False, index=True),
)


micros, moment = to_micros, from_micros
"""To a column that holds a moment and back: as the log itself stores instants."""


_SERVING = (
    "journal_mode = WAL",
    # A view lost in a power cut is folded again from the log, so it need not sync each commit.
    "synchronous = NORMAL",
    "secure_delete = ON",
    "cache_size = -65536",
    "mmap_size = 1073741824",
)
_LOADING = (
    # A file that is being filled for the first time is thrown away if anything fails.
    "journal_mode = OFF",
    "synchronous = OFF",
    "cache_size = -262144",
    "temp_store = MEMORY",
)


def sqlite_views(path: Path, *, loading: bool = False) -> Engine:
    """An engine over a views file. Deleted bytes are overwritten (`secure_delete`).

    `loading` is for filling a new file that nobody reads: no journal, no sync.

    A transaction takes the write lock when it begins, so that what it read still holds when it
    writes; one of `reading` takes none.
    """
    bind_as_they_are()
    engine = create_engine(
        f"sqlite+pysqlite:///{path}",
        module=dbapi2,
        connect_args={"check_same_thread": False, "timeout": BUSY_MILLISECONDS / 1000},
        # The connection used last is used first, so that few of them fill a cache of pages.
        pool_use_lifo=True,
    )

    @event.listens_for(engine, "connect")
    def _open(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in _LOADING if loading else _SERVING:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        only_reads = connection.get_execution_options().get("only_reads", False)
        connection.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")

    return engine


def postgres_views(url: str, schema: str) -> Engine:
    """An engine over one schema of a PostgreSQL database (`postgresql://…`)."""
    address = make_url(url).set(drivername="postgresql+psycopg")
    return create_engine(address, connect_args={"options": f"-csearch_path={schema}"})


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one state of the tables and holds up no writer."""
    with engine.connect().execution_options(only_reads=True) as connection:
        yield connection


def is_sqlite(bind: Engine | Connection) -> bool:
    return bind.dialect.name == sqlite_dialect.name


def _into(bind: Connection, table: Table) -> str:
    mark = "?" if is_sqlite(bind) else "%s"
    names = [column.name for column in table.columns]
    return (
        f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join(mark for _ in names)})"  # noqa: S608  names of our own tables, no value
    )


def insert_rows(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Add rows, their values in the order of the table's columns."""
    if rows:
        connection.exec_driver_sql(_into(connection, table), list(rows))


def upsert_rows(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Add rows, or replace those of the same primary key."""
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    rest = [column.name for column in table.columns if column.name not in keys]
    change = ", ".join(f"{name} = excluded.{name}" for name in rest)
    then = f"UPDATE SET {change}" if rest else "NOTHING"
    statement = f"{_into(connection, table)} ON CONFLICT ({', '.join(keys)}) DO {then}"
    connection.exec_driver_sql(statement, list(rows))


def copy_rows(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Add many rows that are not there yet: COPY on PostgreSQL.

    In the order of the primary key, so that a B-tree only ever grows at its end.
    """
    width = len(table.primary_key)
    if width and next(iter(table.primary_key)) is next(iter(table.columns)):
        rows = sorted(rows, key=itemgetter(slice(width)))
    if is_sqlite(connection):
        insert_rows(connection, table, rows)
        return
    names = ", ".join(column.name for column in table.columns)
    cursor = connection.connection.cursor()
    with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
    cursor.close()


def chunks(ids: Iterable[bytes], size: int = IN_CHUNK) -> Iterator[list[bytes]]:
    """The ids in lists of at most `size`."""
    rest = iter(ids)
    while chunk := list(islice(rest, size)):
        yield chunk


def structs(connection: Connection, kind: type[S], question: Executable) -> list[S]:
    """What a select of whole rows finds, as structs of the same fields."""
    return [kind(*row) for row in connection.execute(question)]


def structs_of(
    connection: Connection, table: Table, kind: type[S], column: Column[bytes], ids: Iterable[bytes]
) -> Iterator[S]:
    """Whole rows of a table, by the ids in one of its columns, as structs of the same fields."""
    for chunk in chunks(ids):
        yield from structs(connection, kind, select(table).where(column.in_(chunk)))
