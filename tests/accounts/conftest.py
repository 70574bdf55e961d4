"""A desk on each database; an office with the first administrators on it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from api.accounts.desk import Desk
from api.accounts.schema.prepare import prepare
from tests.accounts.office import Office
from tests.postgres import PostgresServer, postgres_server

__all__ = ["postgres_server"]


@pytest.fixture(scope="session")
def sqlite_desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new desk, to be copied: running every step of its making takes longer than most tests."""
    path = tmp_path_factory.mktemp("desk") / "desk.db"
    prepare(f"sqlite+pysqlite:///{path}")
    return path


class PostgresDesk:
    """A desk emptied for each test, and made anew where a test has changed its tables."""

    SHAPE = """
        SELECT c.relname, t.tgname, t.tgenabled
        FROM pg_class c LEFT JOIN pg_trigger t ON t.tgrelid = c.oid
        WHERE c.relnamespace = to_regnamespace('desk') ORDER BY 1, 2
    """
    EMPTY = """
        SET LOCAL session_replication_role = replica;  -- past the guards of what may only grow
        DO $$
        DECLARE t record;
        BEGIN
            FOR t IN SELECT oid::regclass AS name, relkind FROM pg_class
                WHERE relnamespace = 'desk'::regnamespace AND relname <> 'alembic_version'
            LOOP
                CASE t.relkind
                    WHEN 'r' THEN EXECUTE format('DELETE FROM %s', t.name);
                    WHEN 'S' THEN PERFORM setval(t.name, 1, false);
                    ELSE NULL;
                END CASE;
            END LOOP;
        END $$
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._shape: list[tuple[object, ...]] = []

    def empty(self) -> None:
        with psycopg.connect(self.url) as connection:
            whole = bool(self._shape) and connection.execute(self.SHAPE).fetchall() == self._shape
            connection.execute(self.EMPTY if whole else "DROP SCHEMA IF EXISTS desk CASCADE")
        if not whole:
            prepare(self.url)
            with psycopg.connect(self.url) as connection:
                self._shape = connection.execute(self.SHAPE).fetchall()


@pytest.fixture(scope="session")
def postgres_desk(postgres_server: PostgresServer) -> PostgresDesk:
    return PostgresDesk(postgres_server.fresh_database())


@pytest.fixture(params=["sqlite", "postgres"])
def desk_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_desk"), tmp_path / "desk.db")
        return f"sqlite+pysqlite:///{tmp_path / 'desk.db'}"
    desk: PostgresDesk = request.getfixturevalue("postgres_desk")
    desk.empty()
    return desk.url


@pytest.fixture
def desk(desk_url: str) -> Iterator[Desk]:
    desk = Desk(desk_url)
    yield desk
    desk.close()


@pytest.fixture
def office(desk: Desk) -> Iterator[Office]:
    office = Office(desk)
    yield office
    office.close()
