"""Callers that go away, queues that fill, disks that fail: nothing is acknowledged in vain."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from uuid import UUID, uuid4

import pytest

from casework.log.batch import Addition, Command, Entry
from casework.log.committer import Committer
from casework.log.eventlog import EventLog
from casework.log.port import (
    Appended,
    DuplicateCommand,
    LogBusy,
    LogUnavailable,
    Outcome,
    VersionConflict,
)
from casework.log.schema import prepare_sqlite
from casework.log.sqlite import SqliteRecorder
from casework.log.sqlite_writer import SqliteWriter
from casework.log.writer import Broken, Clash
from tests.log.samples import ANN, a_mapper, until, write


class Gated(SqliteWriter):
    """Waits at each commit until let through."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.gate = Event()
        self.reached = Event()

    def commit(self) -> None:
        self.reached.set()
        self.gate.wait()
        super().commit()


class Failing(SqliteWriter):
    """Fails at the commits it is told to, before or after they happened."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.before: list[Exception] = []
        self.after: list[Exception] = []
        self.full = False

    def probe(self) -> None:
        if self.full:
            raise Broken("database or disk is full")
        super().probe()

    def commit(self) -> None:
        if self.before:
            raise self.before.pop()
        super().commit()
        if self.after:
            raise self.after.pop()


class Racing(SqliteWriter):
    """Another process gets in before every insert of a batch, and before the first of a single."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.clashes = 0

    def insert(self, rows):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - as the base
        if len(rows) > 1:
            self.clashes += 1
            raise Clash("unique (stream, version)")
        return super().insert(rows)


def started(writer: SqliteWriter, queue: int = 4096) -> tuple[EventLog, SqliteRecorder]:
    prepare_sqlite(writer.path, uuid4())
    committer = Committer(writer, queue=queue)
    committer.start()
    recorder = SqliteRecorder(writer.path, committer)
    return EventLog(recorder, a_mapper()), recorder


def a_command(stream: UUID, key: UUID) -> Command:
    return Command(key, b"{}", (Addition(stream, 0, (Entry("noted", b"{}"),), 0),))


def test_a_caller_that_goes_away_leaves_its_events_and_a_working_log(tmp_path: Path) -> None:
    writer = Gated(tmp_path / "log.db")
    log, recorder = started(writer)
    keys = [uuid4() for _ in range(40)]

    async def disconnect() -> Outcome:
        tasks = [
            asyncio.create_task(log.submit([write(uuid4(), 0, "a")], key, ANN)) for key in keys
        ]
        await asyncio.to_thread(writer.reached.wait)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert all(task.cancelled() for task in tasks)
        writer.gate.set()
        return await log.submit([write(uuid4(), 0, "b")], uuid4(), ANN)

    assert isinstance(asyncio.run(disconnect()), Appended)
    assert all(log.by_command(key) is not None for key in keys)
    assert log.ready and log.head() == 41
    recorder.close()


def test_an_event_loop_that_has_ended_does_not_stop_the_thread(tmp_path: Path) -> None:
    writer = Gated(tmp_path / "log.db")
    log, recorder = started(writer)

    async def leave() -> None:
        task = asyncio.create_task(log.submit([write(uuid4(), 0, "a")], uuid4(), ANN))
        await asyncio.to_thread(writer.reached.wait)
        task.cancel()

    asyncio.run(leave())
    writer.gate.set()
    assert isinstance(log.append([write(uuid4(), 0, "b")], uuid4(), ANN), Appended)
    assert log.head() == 2
    recorder.close()


def test_disconnects_under_load_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    log, recorder = started(SqliteWriter(tmp_path / "log.db"))
    acknowledged: list[UUID] = []

    async def client(number: int) -> None:
        for turn in range(30):
            key = uuid4()
            task = asyncio.create_task(log.submit([write(uuid4(), 0, "a")], key, ANN))
            if (number + turn) % 3 == 0:
                await asyncio.sleep(0)  # let it be handed in, then hang up
                task.cancel()
            outcome = (await asyncio.gather(task, return_exceptions=True))[0]
            if isinstance(outcome, Appended):
                acknowledged.append(key)

    async def load() -> None:
        await asyncio.gather(*(client(number) for number in range(16)))

    asyncio.run(load())
    assert len(acknowledged) >= 300
    assert all(log.by_command(key) for key in acknowledged)
    assert log.ready
    recorder.close()
    assert not log.alive


def test_a_full_queue_says_so_and_takes_commands_again_afterwards(tmp_path: Path) -> None:
    writer = Gated(tmp_path / "log.db")
    log, recorder = started(writer, queue=3)

    async def crowd() -> list[Outcome | BaseException]:
        first = asyncio.create_task(log.submit([write(uuid4(), 0, "a")], uuid4(), ANN))
        await asyncio.to_thread(writer.reached.wait)
        more = [
            asyncio.create_task(log.submit([write(uuid4(), 0, "b")], uuid4(), ANN))
            for _ in range(5)
        ]
        await asyncio.sleep(0)
        writer.gate.set()
        return await asyncio.gather(first, *more, return_exceptions=True)

    kinds = [type(each) for each in asyncio.run(crowd())]
    assert kinds == [Appended] * 4 + [LogBusy] * 2
    assert isinstance(log.append([write(uuid4(), 0, "c")], uuid4(), ANN), Appended)
    recorder.close()


def test_a_commit_that_failed_is_not_acknowledged_and_leaves_nothing(tmp_path: Path) -> None:
    writer = Failing(tmp_path / "log.db")
    log, recorder = started(writer)
    writer.before.append(Broken("database or disk is full"))
    writer.full = True
    stream, key = uuid4(), uuid4()
    with pytest.raises(LogUnavailable, match="full"):
        log.append([write(stream, 0, "a")], key, ANN)
    assert not log.ready and log.alive
    with pytest.raises(LogUnavailable):
        log.append([write(stream, 0, "a")], key, ANN)
    assert log.history(stream) == []  # reading goes on
    recorder.close()


def test_the_log_is_ready_again_when_the_disk_is(tmp_path: Path) -> None:
    writer = Failing(tmp_path / "log.db")
    log, recorder = started(writer)
    writer.before.append(Broken("database or disk is full"))
    stream, key = uuid4(), uuid4()
    with pytest.raises(LogUnavailable):
        log.append([write(stream, 0, "a")], key, ANN)
    assert log.ready  # it probed the disk before it answered
    assert isinstance(log.append([write(stream, 0, "a")], key, ANN), Appended)
    recorder.close()


def test_a_commit_whose_answer_was_lost_is_found_by_its_command(tmp_path: Path) -> None:
    writer = Failing(tmp_path / "log.db")
    log, recorder = started(writer)
    heard: list[int] = []
    log.on_commit(heard.append)
    writer.after.append(Broken("connection lost"))
    stream = uuid4()
    done = log.append([write(stream, 0, "a", "b")], uuid4(), ANN, b"body")
    assert isinstance(done, DuplicateCommand) and done.fingerprint == b"body"
    assert [each.position for each in log.history(stream)] == list(done.earlier.positions)
    assert heard == [2]
    recorder.close()


def test_after_an_io_error_this_process_never_writes_again(tmp_path: Path) -> None:
    writer = Failing(tmp_path / "log.db")
    log, recorder = started(writer)
    writer.before.append(Broken("disk I/O error", for_good=True))
    with pytest.raises(LogUnavailable):
        log.append([write(uuid4(), 0, "a")], uuid4(), ANN)
    for _ in range(2):
        with pytest.raises(LogUnavailable):
            log.append([write(uuid4(), 0, "a")], uuid4(), ANN)
    assert not log.ready
    assert log.head() == 0
    recorder.close()


@pytest.mark.filterwarnings("ignore:Exception in thread log-committer")  # it is meant to die
def test_if_the_thread_dies_every_waiter_is_told(tmp_path: Path) -> None:
    class Dying(Gated):
        def commit(self) -> None:
            self.reached.set()
            self.gate.wait()
            raise MemoryError

    writer = Dying(tmp_path / "log.db")
    log, recorder = started(writer)
    with ThreadPoolExecutor(4) as callers:
        first = callers.submit(log.append, [write(uuid4(), 0, "a")], uuid4(), ANN)
        writer.reached.wait()
        others = [
            callers.submit(log.append, [write(uuid4(), 0, "b")], uuid4(), ANN) for _ in range(3)
        ]
        until(lambda: recorder.committer.waiting == 3)
        writer.gate.set()
        for future in [first, *others]:
            with pytest.raises(LogUnavailable):
                future.result()
    assert not log.alive and not log.ready
    with pytest.raises(LogUnavailable):
        log.append([write(uuid4(), 0, "c")], uuid4(), ANN)
    recorder.close()


def test_where_another_process_got_in_only_the_loser_is_refused(tmp_path: Path) -> None:
    """A batch that clashes is written again with a savepoint a command."""
    path = tmp_path / "log.db"
    writer = Racing(path)
    log, recorder = started(writer)
    taken = uuid4()
    log.append([write(taken, 0, "first")], uuid4(), ANN)

    async def burst() -> list[Outcome]:
        return await asyncio.gather(
            *(
                log.submit([write(stream, 0, "a")], uuid4(), ANN)
                for stream in (uuid4(), taken, uuid4(), uuid4())
            )
        )

    while writer.clashes == 0:  # until three of them share a batch
        outcomes = asyncio.run(burst())
        assert [type(each) for each in outcomes] == [
            Appended, VersionConflict, Appended, Appended,
        ]  # fmt: skip
    assert len(log.since(0, 100)) == log.head()
    recorder.close()


def test_a_command_that_always_loses_is_told_to_come_back(tmp_path: Path) -> None:
    log, recorder = started(Racing(tmp_path / "log.db"))
    with pytest.raises(LogBusy):
        log.append([write(uuid4(), 0, "a", "b")], uuid4(), ANN)
    assert log.ready and log.head() == 0
    assert isinstance(log.append([write(uuid4(), 0, "a")], uuid4(), ANN), Appended)
    recorder.close()


def test_an_unprepared_file_is_refused_at_start(tmp_path: Path) -> None:
    committer = Committer(SqliteWriter(tmp_path / "log.db"))
    with pytest.raises(Broken):
        committer.start()
    assert not committer.ready
    with pytest.raises(LogUnavailable):
        committer.submit_blocking(a_command(uuid4(), uuid4()))
    committer.close()


def test_closing_writes_what_waits(tmp_path: Path) -> None:
    writer = Gated(tmp_path / "log.db")
    log, recorder = started(writer)
    with ThreadPoolExecutor(5) as callers:
        futures = [
            callers.submit(log.append, [write(uuid4(), 0, "a")], uuid4(), ANN) for _ in range(4)
        ]
        writer.reached.wait()
        closing = callers.submit(recorder.close)
        writer.gate.set()
        closing.result()
        settled = [future.exception() for future in futures]
    stored = [each for each in settled if each is None]
    assert len(stored) >= 1
    assert all(each is None or isinstance(each, LogUnavailable) for each in settled)
    again, reopened = started(SqliteWriter(tmp_path / "log.db"))
    assert again.head() == len(stored)
    reopened.close()
