"""A fresh generation on each database, and readers over it."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Engine

from projections.behaviour import Behaviour
from projections.case_board import CaseBoard
from projections.case_history import CaseHistory
from projections.case_keys import CaseKeys
from projections.due import DueIndex
from projections.evidence import Evidence
from projections.facts import Facts
from projections.generations import BOOKS, PostgresShelf, Shelf, SqliteShelf, create
from projections.hand_overs import HandOvers
from projections.handlings import Handlings
from projections.lines import Opener
from projections.my_cases import MyCases
from projections.notices import Notices
from projections.places_seen import PlacesSeen
from projections.reading import Readers
from projections.redispatch import Redispatch
from projections.search import Search
from projections.tables import READER_POSITION
from projections.timeline import Timeline
from projections.training import Training
from projections.typical_cases import TypicalCases
from projections.view import View
from tests.postgres import PostgresServer, postgres_server, postgres_url
from tests.projections.histories import opener

__all__ = ["postgres_server", "postgres_url"]

VIEWS: tuple[View, ...] = (
    CaseKeys(),
    CaseBoard(),
    Timeline(),
    DueIndex(),
    Notices(),
    Redispatch(),
    MyCases(),
    Search(),
    CaseHistory(),
    PlacesSeen(),
    Handlings(),
    Training(),
    Evidence(),
    HandOvers(),
    Behaviour(),
    Facts(),
    TypicalCases(),
)

Made = Callable[..., Readers]


@pytest.fixture
def sqlite_shelf(tmp_path: Path) -> SqliteShelf:
    return SqliteShelf(tmp_path)


@pytest.fixture
def make_readers(sqlite_shelf: SqliteShelf) -> Iterator[Made]:
    """Readers over a new SQLite generation; the engines are let go of afterwards."""
    engines: list[Engine] = []

    def make(
        views: Sequence[View] = VIEWS, with_opener: Opener | None = None, name: str = "g_1"
    ) -> Readers:
        sqlite_shelf.make(name)
        engine = sqlite_shelf.open(name)
        engines.append(engine)
        create(engine, name, views)
        return Readers(engine, name, views, with_opener or opener())

    yield make
    for engine in engines:
        engine.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    """Each of the two places where generations lie."""
    if request.param == "sqlite":
        yield SqliteShelf(tmp_path)
        return
    postgres = PostgresShelf(request.getfixturevalue("postgres_url"))
    yield postgres
    postgres.close()


@pytest.fixture(scope="session")
def postgres_views(postgres_server: PostgresServer) -> Iterator[Engine]:
    """One generation of all views: making its tables costs more than most tests of them."""
    shelf = PostgresShelf(postgres_server.fresh_database())
    shelf.make("g_1")
    engine = shelf.open("g_1")
    create(engine, "g_1", VIEWS)
    yield engine
    engine.dispose()
    shelf.close()


@pytest.fixture(params=["sqlite", "postgres"])
def readers(request: pytest.FixtureRequest) -> Iterator[Readers]:
    """Readers over an empty generation of all views, on each database.

    That of PostgreSQL is emptied for each test: whoever changes its tables takes a `shelf`.
    """
    if request.param == "sqlite":
        yield request.getfixturevalue("make_readers")()
        return
    engine: Engine = request.getfixturevalue("postgres_views")
    with engine.begin() as connection:
        for table in (*BOOKS, *(table for view in VIEWS for table in view.tables)):
            if table is not READER_POSITION:
                connection.execute(table.delete())
        connection.execute(READER_POSITION.update().values(n=0))
    yield Readers(engine, "g_1", VIEWS, opener())
