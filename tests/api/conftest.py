"""One running engine a store for all tests of the API, and PostgreSQL for those that need it."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.api.client import POSTGRES, SQLITE, Town, open_town, settings_for
from tests.postgres import PostgresServer, postgres_server

__all__ = ["postgres_server", "town"]


@pytest.fixture(scope="session", params=[SQLITE, POSTGRES])
def town(request: pytest.FixtureRequest) -> Iterator[Town]:
    """The engine at work on either store. Shared: each test brings cases of its own."""
    database = ""
    if request.param == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        database = server.fresh_database()
    with (
        TemporaryDirectory() as folder,
        open_town(settings_for(Path(folder) / "var", database)) as found,
    ):
        yield found
