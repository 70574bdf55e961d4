from collections.abc import Iterator
from pathlib import Path

import pytest

from casework.log.eventlog import EventLog
from casework.log.recorder import LogRecorder
from tests.log.samples import a_mapper, postgres_recorder, sqlite_recorder
from tests.postgres import emptied, postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]
"""Fixtures of the tests below."""


@pytest.fixture(params=["sqlite", "postgres"])
def recorder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LogRecorder]:
    """A fresh log on each of the two databases."""
    made: LogRecorder
    if request.param == "sqlite":
        made = sqlite_recorder(tmp_path / "log.db")
    else:
        made = postgres_recorder(emptied(request.getfixturevalue("postgres_url")))
    yield made
    made.close()


@pytest.fixture
def log(recorder: LogRecorder) -> EventLog:
    return EventLog(recorder, a_mapper())
