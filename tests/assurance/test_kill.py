"""The server killed under load: what it acknowledged is there, once, and its own."""

from pathlib import Path

import pytest

from tests.assurance.rig import LYING, Installation
from tests.postgres import PostgresServer

BEFORE_THE_KILL = 150
"""Answers of a round, so that the kill comes in the middle of full batches."""


def on(store: str, request: pytest.FixtureRequest) -> str:
    """The database's address for a store; nothing for SQLite."""
    if store == "sqlite":
        return ""
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.fresh_database()


def round_of_killing(installation: Installation) -> None:
    """Load, a kill in the middle, a new start, everything unanswered sent again, a checker."""
    with installation.server() as server, server.load():
        server.answered(BEFORE_THE_KILL)
        server.kill()
    with installation.server() as server:
        server.settle()
        server.in_order()


STORES = [
    pytest.param("sqlite", id="kill-sqlite"),
    pytest.param("postgres", id="kill-postgres"),
]


@pytest.mark.parametrize("store", STORES)
def test_a_killed_server_has_kept_what_it_acknowledged(
    store: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    installation = Installation(tmp_path, on(store, request))
    round_of_killing(installation)
    code, says = installation.check()
    assert code == 0, says


@pytest.mark.deep
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("store", STORES)
def test_a_server_killed_many_times_has_kept_what_it_acknowledged(
    store: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    installation = Installation(tmp_path, on(store, request))
    for _ in range(25):
        round_of_killing(installation)
        code, says = installation.check()
        assert code == 0, says


def test_a_server_that_acknowledges_too_early_is_found_out(tmp_path: Path) -> None:
    """The control: the same kill, the same checker, and one guard taken out."""
    installation = Installation(tmp_path, program=LYING)
    with installation.server() as server, server.load("--plain"):
        server.answered(BEFORE_THE_KILL)
        server.kill()
    installation.program = ("-m", "api", "serve")
    with installation.server():
        pass
    code, says = installation.check()
    assert code == 1
    assert "acknowledged and not in the log" in says


@pytest.mark.parametrize("clients", [4])
def test_clients_who_hang_up_wedge_nothing_and_lose_nothing(tmp_path: Path, clients: int) -> None:
    installation = Installation(tmp_path)
    with installation.server() as server:
        with server.load("--rude", processes=1, clients=clients), server.load(processes=1):
            server.answered(2 * BEFORE_THE_KILL)
            assert server.ready()
        server.settle()
        server.in_order()
        assert server.ready()
    code, says = installation.check()
    assert code == 0, says
