"""Brings the log's tables up to date, and begins an epoch. Knows no event.

Called by a command line, never by a worker at its start: two workers starting at once must not
both change tables.
"""

from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from pysqlite3 import dbapi2

MIGRATIONS = Path(__file__).parent / "migrations"


def sqlite_engine(path: Path) -> sa.Engine:
    """An engine on a file, with the SQLite that carries the WAL fixes."""
    return sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        module=dbapi2,
        poolclass=sa.NullPool,
    )


def postgres_engine(url: str) -> sa.Engine:
    """An engine for a "postgresql://" address, over psycopg."""
    parsed = sa.make_url(url)
    return sa.create_engine(parsed.set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)


def prepare_sqlite(path: Path, epoch: UUID) -> None:
    """Create or upgrade the log in this file. `epoch` is used only if it has none yet."""
    _prepare(sqlite_engine(path), epoch, None)


def prepare_postgres(url: str, epoch: UUID, app_role: str | None = None) -> None:
    """Create or upgrade the log in this database, as the owner of its tables.

    `app_role` is the role the engine signs in as: it gets INSERT and SELECT, nothing else.
    """
    _prepare(postgres_engine(url), epoch, app_role)


def _prepare(engine: sa.Engine, epoch: UUID, app_role: str | None) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            # The journal mode is a property of the file and cannot change inside a transaction.
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        if connection.scalar(sa.text("SELECT count(*) FROM log_epochs")) == 0:
            _insert_epoch(connection, epoch)
        if app_role is not None:
            role = engine.dialect.identifier_preparer.quote(app_role)
            connection.exec_driver_sql(f"GRANT SELECT, INSERT ON events TO {role}")
            connection.exec_driver_sql(f"GRANT SELECT ON log_epochs TO {role}")
    engine.dispose()


def begin_epoch(engine: sa.Engine, epoch: UUID, floor: int) -> None:
    """After a restore: positions up to `floor` are never given again, and readers see a new epoch.

    `floor` is the highest position any reader may have seen before the restore.
    """
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(
                sa.text("UPDATE sqlite_sequence SET seq = max(seq, :floor) WHERE name = 'events'"),
                {"floor": floor},
            )
            connection.execute(
                sa.text(
                    "INSERT INTO sqlite_sequence (name, seq) SELECT 'events', :floor"
                    " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'events')",
                ),
                {"floor": floor},
            )
        elif floor > 0:
            connection.execute(
                sa.text(
                    "SELECT setval(pg_get_serial_sequence('events', 'position'), greatest(:floor,"
                    " (SELECT coalesce(max(position), 1) FROM events)))",
                ),
                {"floor": floor},
            )
        _insert_epoch(connection, epoch)
    engine.dispose()


def _insert_epoch(connection: sa.Connection, epoch: UUID) -> None:
    connection.execute(
        sa.text(
            "INSERT INTO log_epochs (n, epoch)"
            " SELECT coalesce(max(n), 0) + 1, :epoch FROM log_epochs",
        ),
        {"epoch": str(epoch)},
    )
