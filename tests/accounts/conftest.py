"""A desk on each database; an office with the first administrators on it."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from api.accounts.desk import Desk
from api.accounts.schema.prepare import prepare
from tests.accounts.office import Office
from tests.postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]


@pytest.fixture(params=["sqlite", "postgres"])
def desk_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        url = f"sqlite+pysqlite:///{tmp_path / 'desk.db'}"
    else:
        url = request.getfixturevalue("postgres_url")
        with psycopg.connect(url) as connection:
            # A schema anew is ten times quicker than a database anew.
            connection.execute("DROP SCHEMA IF EXISTS desk CASCADE")
    prepare(url)
    return url


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
