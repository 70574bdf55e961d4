"""Generations of the views: each a whole set of tables, of which one serves. Folds nothing.

A generation is named by the digest of its tables and of the code that fills them, and an attempt.
On SQLite it is a file `views-<name>.db` and a small file names the one that serves; on PostgreSQL
it is a schema `views_<name>` and one row names it. Readers never see half a generation: it is
named as serving only when it is whole.
"""

import ast
import hashlib
import inspect
import os
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Protocol

from sqlalchemy import Connection, Engine, Table, insert, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.schema import CreateIndex, CreateTable

from projections.lines import CASE_KEY
from projections.tables import (
    HELD_EVENT,
    HELD_STREAM,
    READER_POSITION,
    is_sqlite,
    postgres_views,
    reading,
    sqlite_views,
)
from projections.view import View

BOOKS: tuple[Table, ...] = (READER_POSITION, HELD_STREAM, HELD_EVENT, CASE_KEY)
"""Tables of every generation, beside those of the views."""

DIGEST = 12
"""Hex digits of a generation's digest: 48 bits tell the few that ever lie side by side."""


@cache
def _code(module: ModuleType) -> str:
    """A digest of a module's code without comments and layout, which change no row.

    Code does not change while it runs, and reading it costs a tenth of a start.
    """
    return hashlib.sha256(ast.dump(ast.parse(inspect.getsource(module))).encode()).hexdigest()


def digest(views: Iterable[View]) -> str:
    """The digest of the views' tables and of the code that makes their rows."""
    parts: list[str] = []
    for view in sorted(views, key=lambda v: v.name):
        parts.append(view.name)
        for table in view.tables:
            parts.append(str(CreateTable(table)))
            parts += sorted(str(CreateIndex(index)) for index in table.indexes)
        parts += [_code(module) for module in view.sources]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:DIGEST]


def create_tables(connection: Connection, generation: str, views: Sequence[View]) -> None:
    """Make the empty tables of a generation, each reader at position 0, still without indexes."""
    for table in (*BOOKS, *(table for view in views for table in view.tables)):
        statement = str(CreateTable(table).compile(dialect=connection.dialect))
        if not is_sqlite(connection):
            # Neither logged nor copied to a standby: a wiped word is in no WAL. See ADR 0051.
            statement = statement.replace("CREATE TABLE", "CREATE UNLOGGED TABLE", 1)
        connection.exec_driver_sql(statement)
    connection.execute(
        insert(READER_POSITION),
        [{"reader": view.name, "generation": generation, "n": 0} for view in views],
    )
    for view in views:
        view.prepare(connection)


def create_indexes(connection: Connection, views: Sequence[View]) -> None:
    """The indexes of the tables, made at once after the rows are in."""
    for table in (*BOOKS, *(table for view in views for table in view.tables)):
        for index in sorted(table.indexes, key=lambda i: str(i.name)):
            connection.execute(CreateIndex(index))


def finish(connection: Connection, views: Sequence[View]) -> None:
    """Make everything that is better made over rows than before them."""
    create_indexes(connection, views)
    for view in views:
        view.finish(connection)
    if not is_sqlite(connection):
        # Freshly loaded tables have no statistics, and the planner would read them whole.
        for table in (*BOOKS, *(table for view in views for table in view.tables)):
            connection.exec_driver_sql(f"ANALYZE {table.name}")


def create(engine: Engine, generation: str, views: Sequence[View]) -> None:
    """An empty generation, ready to be read into."""
    with engine.begin() as connection:
        create_tables(connection, generation, views)
        finish(connection, views)


class Shelf(Protocol):
    """Where the generations lie."""

    def serving(self) -> str | None:
        """The name of the one that serves, or None."""
        ...

    def names(self) -> list[str]:
        """All that are there, whole or not."""
        ...

    def open(self, generation: str) -> Engine:
        """An engine over one of them."""
        ...

    def load(self, generation: str) -> Engine:
        """An engine for filling a new one at once. Nobody else reads it yet."""
        ...

    def settle(self, generation: str) -> None:
        """Bring what was loaded safely to the disk."""
        ...

    def make(self, generation: str) -> None:
        """Room for a new one; what may lie there of a broken attempt is removed."""
        ...

    def serve(self, generation: str) -> None:
        """Name it as the one that serves, durably and at once for all processes."""
        ...

    def remove(self, generation: str) -> None:
        """Throw one away. Not the one that serves: ValueError."""
        ...

    def close(self) -> None:
        """Let go of what it holds open itself; the engines are their askers' to dispose of."""
        ...


class SqliteShelf:
    """Generations as files of a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._sign = directory / "views-serving"

    def path(self, generation: str) -> Path:
        return self._directory / f"views-{generation}.db"

    def serving(self) -> str | None:
        """See Shelf."""
        try:
            name = self._sign.read_text().strip()
        except FileNotFoundError:
            return None
        return name if self.path(name).exists() else None

    def names(self) -> list[str]:
        """See Shelf."""
        return sorted(
            path.stem.removeprefix("views-") for path in self._directory.glob("views-*.db")
        )

    def open(self, generation: str) -> Engine:
        """See Shelf."""
        return sqlite_views(self.path(generation))

    def load(self, generation: str) -> Engine:
        """See Shelf."""
        return sqlite_views(self.path(generation), loading=True)

    def settle(self, generation: str) -> None:
        """See Shelf. Named as serving only after this, a file is whole also after a power cut."""
        descriptor = os.open(self.path(generation), os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def make(self, generation: str) -> None:
        """See Shelf."""
        self._delete(generation)

    def serve(self, generation: str) -> None:
        """See Shelf."""
        new = self._sign.with_suffix(".new")
        with new.open("w") as file:
            file.write(generation)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._sign)

    def remove(self, generation: str) -> None:
        """See Shelf."""
        if generation == self.serving():
            raise ValueError(f"{generation} serves")
        self._delete(generation)

    def close(self) -> None:
        """See Shelf. A directory is not held open."""

    def _delete(self, generation: str) -> None:
        for suffix in ("", "-wal", "-shm", "-journal"):
            Path(f"{self.path(generation)}{suffix}").unlink(missing_ok=True)


class PostgresShelf:
    """Generations as schemas of a database (`postgresql://…`)."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._engine = postgres_views(url, "views_control")
        with self._engine.begin() as connection:
            connection.execute(text("CREATE SCHEMA IF NOT EXISTS views_control"))
            connection.execute(
                text(
                    "CREATE TABLE IF NOT EXISTS views_control.serving"
                    " (one boolean PRIMARY KEY DEFAULT true CHECK (one), generation text NOT NULL)"
                )
            )

    def close(self) -> None:
        """See Shelf."""
        self._engine.dispose()

    def serving(self) -> str | None:
        """See Shelf. None also after a crash of the server, which empties what is unlogged."""
        with reading(self._engine) as connection:
            name = connection.scalar(text("SELECT generation FROM views_control.serving"))
            if name is None:
                return None
            try:
                filled = connection.scalar(
                    text(f"SELECT count(*) FROM views_{name}.reader_position")  # noqa: S608  a name of ours: hex digits and a count
                )
            except ProgrammingError:
                return None
            return str(name) if filled else None

    def names(self) -> list[str]:
        """See Shelf."""
        with reading(self._engine) as connection:
            found = connection.scalars(
                text(
                    "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'views\\_%'"
                    " AND nspname <> 'views_control' ORDER BY nspname"
                )
            )
            return [str(name).removeprefix("views_") for name in found]

    def open(self, generation: str) -> Engine:
        """See Shelf."""
        return postgres_views(self._url, f"views_{generation}")

    def load(self, generation: str) -> Engine:
        """See Shelf."""
        return self.open(generation)

    def settle(self, generation: str) -> None:
        """See Shelf. Unlogged tables are for the server to keep."""

    def make(self, generation: str) -> None:
        """See Shelf."""
        with self._engine.begin() as connection:
            connection.execute(text(f"DROP SCHEMA IF EXISTS views_{generation} CASCADE"))
            connection.execute(text(f"CREATE SCHEMA views_{generation}"))

    def serve(self, generation: str) -> None:
        """See Shelf."""
        with self._engine.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO views_control.serving (generation) VALUES (:name)"
                    " ON CONFLICT (one) DO UPDATE SET generation = excluded.generation"
                ),
                {"name": generation},
            )

    def remove(self, generation: str) -> None:
        """See Shelf."""
        if generation == self.serving():
            raise ValueError(f"{generation} serves")
        with self._engine.begin() as connection:
            connection.execute(text(f"DROP SCHEMA IF EXISTS views_{generation} CASCADE"))


def next_name(shelf: Shelf, views: Sequence[View]) -> str:
    """The name of a new generation of these views: their digest and the next attempt."""
    base = digest(views)
    taken = [name for name in shelf.names() if name.startswith(f"{base}_")]
    attempts = [int(name.removeprefix(f"{base}_")) for name in taken]
    return f"{base}_{max(attempts, default=0) + 1}"


def is_current(shelf: Shelf, views: Sequence[View]) -> bool:
    """Whether the generation that serves was made by the code of today."""
    serving = shelf.serving()
    return serving is not None and serving.split("_")[0] == digest(views)
