"""A process killed, a server crashed in the middle of it: what was acknowledged is there, whole."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from casework.log.eventlog import EventLog
from casework.log.schema import prepare_postgres, prepare_sqlite
from tests.log.crash_writer import opened
from tests.log.samples import a_mapper
from tests.postgres import PostgresServer, running_server

ENOUGH = 300
"""Acknowledged commands before the crash."""


def crash_under_load(kind: str, where: str, crash: Callable[[subprocess.Popen[str]], None]) -> str:
    """Everything the writing process said before, during and after the crash."""
    said: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-m", "tests.log.crash_writer", kind, where],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if len(said) == 2 * ENOUGH:
                crash(process)
        process.kill()
    return "".join(said)


def judge(said: str, log: EventLog) -> None:
    # A line that the kill cut short says nothing.
    lines = [line.split() for line in said[: said.rfind("\n") + 1].splitlines()]
    sent = {UUID(line[1]) for line in lines if line[0] == "sent"}
    stored = {UUID(line[1]): (UUID(line[2]), int(line[3])) for line in lines if line[0] == "stored"}
    assert len(stored) >= ENOUGH // 2
    events = log.since(0, 100_000)
    in_log = {each.command_id for each in events}
    assert stored.keys() <= in_log <= sent
    for key, (stream, version) in stored.items():
        prior = log.by_command(key)
        assert prior is not None
        assert [(each.stream, each.version) for each in prior.events] == [
            (stream, version - 1),
            (stream, version),
        ]
    for stream in {each.stream for each in events}:
        assert log.verify_stream(stream) is None
        assert len(log.history(stream)) % 2 == 0  # no half of a command


def test_what_a_killed_process_acknowledged_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    prepare_sqlite(path, uuid4())
    said = crash_under_load("sqlite", str(path), lambda process: process.kill())
    recorder = opened("sqlite", str(path))
    judge(said, EventLog(recorder, a_mapper()))
    recorder.close()


def test_what_a_killed_process_acknowledged_is_in_the_database(postgres_url: str) -> None:
    prepare_postgres(postgres_url, uuid4())
    said = crash_under_load("postgres", postgres_url, lambda process: process.kill())
    recorder = opened("postgres", postgres_url)
    judge(said, EventLog(recorder, a_mapper()))
    recorder.close()


@pytest.mark.deep
def test_what_a_crashed_server_acknowledged_is_there_after_its_recovery() -> None:
    with running_server() as server:
        url = server.fresh_database()
        prepare_postgres(url, uuid4())

        def crash(_process: subprocess.Popen[str]) -> None:
            server.stop("immediate")

        said = crash_under_load("postgres", url, crash)
        server.start()
        recorder = opened("postgres", url)
        judge(said, EventLog(recorder, a_mapper()))
        recorder.close()


@pytest.mark.deep
def test_the_judge_notices_a_server_that_forgets(postgres_server: PostgresServer) -> None:
    """The control: events that were acknowledged and are gone do not pass."""
    url = postgres_server.fresh_database()
    prepare_postgres(url, uuid4())
    said = crash_under_load("postgres", url, lambda process: process.kill())
    other = postgres_server.fresh_database()
    prepare_postgres(other, uuid4())
    recorder = opened("postgres", other)
    with pytest.raises(AssertionError):
        judge(said, EventLog(recorder, a_mapper()))
    recorder.close()
