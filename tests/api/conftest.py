"""One running engine a store for all tests of the API, and PostgreSQL for those that need it."""

from collections.abc import Iterator

import pytest

from tests.api.client import POSTGRES, SQLITE, Town, town_on_its_store
from tests.postgres import postgres_server

__all__ = ["postgres_server", "town"]


@pytest.fixture(scope="session", params=[SQLITE, POSTGRES])
def town(request: pytest.FixtureRequest) -> Iterator[Town]:
    """The engine at work on either store. Shared: each test brings cases of its own."""
    with town_on_its_store(request) as found:
        yield found
