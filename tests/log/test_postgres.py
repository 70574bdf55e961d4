"""What the database holds fast, what is asserted before it is written to, and lost connections."""

import asyncio
from collections.abc import Iterator, Sequence
from threading import Event
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from casework.log.batch import Row
from casework.log.committer import Committer
from casework.log.eventlog import EventLog
from casework.log.port import (
    Appended,
    DuplicateCommand,
    LogUnavailable,
    Outcome,
    VersionConflict,
)
from casework.log.postgres import PostgresRecorder
from casework.log.postgres_writer import PostgresWriter
from casework.log.schema import begin_epoch, postgres_engine, prepare_postgres
from casework.log.writer import Broken
from tests.log.samples import ANN, a_mapper, postgres_recorder, until, write
from tests.postgres import PostgresServer, emptied


@pytest.fixture
def url(postgres_url: str) -> str:
    prepare_postgres(emptied(postgres_url), uuid4())
    return postgres_url


@pytest.fixture
def recorder(url: str) -> Iterator[PostgresRecorder]:
    made = postgres_recorder(url, prepare=False)
    yield made
    made.close()


@pytest.fixture
def log(recorder: PostgresRecorder) -> EventLog:
    return EventLog(recorder, a_mapper())


@pytest.mark.parametrize(
    "rewrite",
    [
        "UPDATE events SET state = 'x' WHERE version = 2",
        "DELETE FROM events WHERE version = 2",
        "TRUNCATE events",
        "INSERT INTO events SELECT * FROM events ON CONFLICT (position) DO UPDATE SET state = 'x'",
    ],
)
def test_nothing_rewrites_an_event(url: str, log: EventLog, rewrite: str) -> None:
    stream = uuid4()
    log.append([write(stream, 0, "a", "b")], uuid4(), ANN)
    with (
        psycopg.connect(url) as connection,
        pytest.raises(psycopg.errors.RaiseException, match="only grows"),
    ):
        connection.execute(rewrite)
    assert log.verify_stream(stream) is None


def test_a_row_changed_behind_our_back_breaks_the_chain(url: str, log: EventLog) -> None:
    stream = uuid4()
    log.append([write(stream, 0, "a", "b", "c")], uuid4(), ANN)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER TABLE events DISABLE TRIGGER events_only_grow")
        connection.execute("UPDATE events SET at = at + 1 WHERE version = 3")
    assert log.verify_stream(stream) == 3


def test_the_engine_signs_in_as_a_role_that_can_only_add(postgres_server: PostgresServer) -> None:
    url = postgres_server.fresh_database()
    name = f"engine_{url.partition('?')[0][-6:]}".replace("/", "_")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
    prepare_postgres(url, uuid4(), app_role=name)
    with pytest.raises(Broken, match="INSERT and SELECT only"):
        Committer(PostgresWriter(url)).start()
    narrow = url.replace("postgres@", f"{name}@")
    committer = Committer(PostgresWriter(narrow))
    committer.start()
    recorder = PostgresRecorder(narrow, committer)
    log = EventLog(recorder, a_mapper())
    assert isinstance(log.append([write(uuid4(), 0, "a")], uuid4(), ANN), Appended)
    assert len(log.since(0, 10)) == 1
    kill(url)
    with pytest.raises(LogUnavailable):
        log.append([write(uuid4(), 0, "a")], uuid4(), ANN)
    assert log.ready  # it may also find out whether the server takes writes again
    with psycopg.connect(narrow) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DELETE FROM events")
    recorder.close()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("ALTER TABLE events DISABLE TRIGGER events_only_grow", "could be rewritten"),
        ("ALTER SEQUENCE events_position_seq CACHE 32", "in blocks"),
    ],
)
def test_a_database_that_would_break_a_promise_is_refused(url: str, change: str, why: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(change)
    with pytest.raises(Broken, match=why):
        Committer(PostgresWriter(url, owner_allowed=True)).start()


def test_a_server_that_may_forget_commits_is_refused(
    postgres_server: PostgresServer, url: str
) -> None:
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET full_page_writes = off")
        connection.execute("SELECT pg_reload_conf()")
    try:
        with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
            until(lambda: connection.execute("SHOW full_page_writes").fetchone() == ("off",))
        with pytest.raises(Broken, match="torn page"):
            Committer(PostgresWriter(url, owner_allowed=True)).start()
    finally:
        with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM RESET full_page_writes")
            connection.execute("SELECT pg_reload_conf()")
            until(lambda: connection.execute("SHOW full_page_writes").fetchone() == ("on",))


def kill(url: str) -> None:
    """Cut all connections to the database but our own."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_after_cut_connections_the_log_writes_reads_and_wakes_again(
    url: str, log: EventLog
) -> None:
    woken = Event()
    log.append([write(uuid4(), 0, "a")], uuid4(), ANN)
    kill(url)
    key, stream = uuid4(), uuid4()
    with pytest.raises(LogUnavailable):
        log.append([write(stream, 0, "b")], key, ANN)
    assert log.ready  # connected again before it answered
    log.on_commit(lambda _head: woken.set())
    assert isinstance(log.append([write(stream, 0, "b")], key, ANN), Appended)
    assert len(log.history(stream)) == 1
    assert woken.wait(60)


def test_a_commit_whose_answer_was_lost_is_found_by_its_command(url: str) -> None:
    class Losing(PostgresWriter):
        lose = True

        def insert(self, rows: Sequence[Row]) -> list[int]:
            placed = super().insert(rows)
            if self.lose:
                self.lose = False
                kill(url)
                self._run("SELECT 1")
            return placed

    committer = Committer(Losing(url, owner_allowed=True))
    committer.start()
    recorder = PostgresRecorder(url, committer)
    log = EventLog(recorder, a_mapper())
    stream = uuid4()
    done = log.append([write(stream, 0, "a", "b")], uuid4(), ANN, b"body")
    assert isinstance(done, DuplicateCommand)
    assert done.earlier.versions == (1, 2) and done.fingerprint == b"body"
    assert len(log.history(stream)) == 2
    recorder.close()


def test_two_processes_contend_for_streams_without_loss_or_dead_lock(url: str) -> None:
    """Merges over the same two streams in opposite orders, from two processes at once."""
    made = [postgres_recorder(url, prepare=False) for _ in range(2)]
    logs = [EventLog(recorder, a_mapper()) for recorder in made]
    streams = [uuid4() for _ in range(3)]
    kept: list[Appended] = []

    async def client(number: int) -> None:
        log = logs[number % 2]
        for turn in range(12):
            one, two = streams[(number + turn) % 3], streams[(number + turn + 1) % 3]
            outcome: Outcome | None = None
            key = uuid4()
            while not isinstance(outcome, Appended):
                at = [len(await asyncio.to_thread(log.history, each)) for each in (one, two)]
                outcome = await log.submit(
                    [write(one, at[0], "a"), write(two, at[1], "b")], key, ANN
                )
                assert isinstance(outcome, Appended | VersionConflict)
            kept.append(outcome)

    async def load() -> None:
        await asyncio.gather(*(client(number) for number in range(6)))

    asyncio.run(load())
    stored = logs[0].since(0, 1000)
    assert len(stored) == 2 * len(kept) == 144
    assert sorted(p for each in kept for p in each.positions) == [e.position for e in stored]
    assert all(logs[1].verify_stream(stream) is None for stream in streams)
    for recorder in made:
        recorder.close()


def test_one_key_sent_to_two_processes_at_once_is_stored_once(url: str) -> None:
    made = [postgres_recorder(url, prepare=False) for _ in range(2)]
    logs = [EventLog(recorder, a_mapper()) for recorder in made]

    async def both() -> None:
        for _ in range(40):
            stream, key = uuid4(), uuid4()
            outcomes = await asyncio.gather(
                *(log.submit([write(stream, 0, "a", "b")], key, ANN) for log in logs)
            )
            assert sorted(type(each).__name__ for each in outcomes) == [
                "Appended",
                "DuplicateCommand",
            ]

    asyncio.run(both())
    assert len(logs[0].since(0, 1000)) == 80
    for recorder in made:
        recorder.close()


def test_a_commit_wakes_readers_of_other_processes(url: str, log: EventLog) -> None:
    other = postgres_recorder(url, prepare=False)
    heard: list[int] = []
    EventLog(other, a_mapper()).on_commit(heard.append)
    log.append([write(uuid4(), 0, "a", "b")], uuid4(), ANN)
    until(lambda: 2 in heard)
    with other.subscribe(gt=0) as subscription:
        assert [next(subscription).id, next(subscription).id] == [1, 2]
        log.append([write(uuid4(), 0, "c")], uuid4(), ANN)
        assert next(subscription).id == 3
    other.close()


def test_a_restore_begins_an_epoch_and_never_gives_a_position_twice(url: str) -> None:
    after = uuid4()
    begin_epoch(postgres_engine(url), after, floor=500)
    recorder = postgres_recorder(url, prepare=False)
    log = EventLog(recorder, a_mapper())
    assert log.epoch == after
    done = log.append([write(uuid4(), 0, "a", "b")], uuid4(), ANN)
    assert isinstance(done, Appended) and done.positions == (501, 502)
    assert [each.position for each in log.since(0, 10)] == [501, 502]
    recorder.close()
