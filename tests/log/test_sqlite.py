"""What the file itself holds fast, and what is asserted before it is written to."""

import sqlite3
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from pysqlite3 import dbapi2

from casework.log.committer import Committer
from casework.log.eventlog import EventLog
from casework.log.port import Appended, LogBusy, VersionConflict
from casework.log.schema import begin_epoch, prepare_sqlite, sqlite_engine
from casework.log.sqlite import SqliteRecorder
from casework.log.sqlite_writer import CHECKPOINT_BYTES, SqliteWriter
from casework.log.writer import Broken
from tests.log.samples import ANN, a_mapper, sqlite_log, until, write


def a_log_of_three(path: Path) -> UUID:
    log, recorder = sqlite_log(path)
    stream = uuid4()
    log.append([write(stream, 0, "a", "b", "c")], uuid4(), ANN)
    recorder.close()
    return stream


def rows(path: Path) -> list[tuple[object, ...]]:
    connection = dbapi2.connect(path)
    found = connection.execute("SELECT * FROM events ORDER BY position").fetchall()
    connection.close()
    return list(found)


REWRITES = [
    "UPDATE events SET state = x'78' WHERE version = 2",
    "UPDATE OR REPLACE events SET version = 1 WHERE version = 2",
    "DELETE FROM events WHERE version = 2",
    # over the same position, the same version of the stream, the same place in the command
    """
    INSERT OR REPLACE INTO events SELECT position, stream, 99, name, state, at, actor,
    zeroblob(16), ordinal, hash, NULL FROM events WHERE version = 2
    """,
    """
    REPLACE INTO events SELECT 99, stream, version, 'other', state, at, actor,
    zeroblob(16), ordinal, hash, NULL FROM events WHERE version = 2
    """,
    """
    REPLACE INTO events SELECT 99, zeroblob(16), 1, 'other', state, at, actor,
    command_id, ordinal, hash, NULL FROM events WHERE version = 2
    """,
]


@pytest.mark.parametrize("rewrite", REWRITES)
@pytest.mark.parametrize("module", [dbapi2, sqlite3], ids=["bundled", "of the system"])
def test_nothing_rewrites_an_event(tmp_path: Path, rewrite: str, module: type[sqlite3]) -> None:  # type: ignore[valid-type] # a module, not a type
    path = tmp_path / "log.db"
    a_log_of_three(path)
    before = rows(path)
    connection = module.connect(path)  # type: ignore[attr-defined] # as above
    assert connection.execute("PRAGMA recursive_triggers").fetchone() == (0,)
    with pytest.raises(module.IntegrityError, match="only grows"):  # type: ignore[attr-defined] # as above
        connection.execute(rewrite)
    connection.rollback()
    connection.close()
    assert rows(path) == before


@pytest.mark.parametrize("rewrite", REWRITES[3:])
def test_without_the_guard_on_insert_a_replace_would_rewrite(tmp_path: Path, rewrite: str) -> None:
    """The control: it is that guard, and nothing else, that stops REPLACE."""
    path = tmp_path / "log.db"
    a_log_of_three(path)
    before = rows(path)
    connection = dbapi2.connect(path, isolation_level=None)
    connection.execute("DROP TRIGGER events_no_replace")
    connection.execute(rewrite)
    connection.close()
    assert rows(path) != before


def test_a_row_changed_behind_our_back_breaks_the_chain(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    stream = a_log_of_three(path)
    connection = dbapi2.connect(path, isolation_level=None)
    trigger = connection.execute(
        "SELECT sql FROM sqlite_schema WHERE name = 'events_no_update'"
    ).fetchone()[0]
    connection.execute("DROP TRIGGER events_no_update")
    connection.execute(
        """UPDATE events SET state = CAST('{"words":"z"}' AS BLOB) WHERE version = 2"""
    )
    connection.execute(trigger)
    connection.close()
    log, recorder = sqlite_log(path)
    assert log.verify_stream(stream) == 2
    recorder.close()


def test_a_log_whose_guards_are_gone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    a_log_of_three(path)
    connection = dbapi2.connect(path, isolation_level=None)
    connection.execute("DROP TRIGGER events_no_delete")
    connection.close()
    with pytest.raises(Broken, match="guards"):
        Committer(SqliteWriter(path)).start()


def test_a_log_outside_wal_mode_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    a_log_of_three(path)
    connection = dbapi2.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    with pytest.raises(Broken, match="WAL"):
        Committer(SqliteWriter(path)).start()


def test_a_sqlite_without_the_wal_fix_is_refused(tmp_path: Path) -> None:
    class Demanding(SqliteWriter):
        least_version = (99, 0, 0)

    path = tmp_path / "log.db"
    a_log_of_three(path)
    with pytest.raises(Broken, match="too old"):
        Committer(Demanding(path)).start()


def test_commits_are_synced_and_only_the_writer_checkpoints(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    prepare_sqlite(path, uuid4())
    writer = SqliteWriter(path)
    writer.open()
    connection = writer._connection
    assert connection is not None
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA wal_autocheckpoint").fetchone() == (0,)
    writer.close()
    log, recorder = sqlite_log(path)
    reader = recorder._connect()
    with pytest.raises(dbapi2.OperationalError, match="readonly"):
        reader.execute("DELETE FROM log_epochs")
    reader.close()
    assert log.ready
    recorder.close()


def test_the_wal_is_moved_into_the_file_now_and_then(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    prepare_sqlite(path, uuid4())
    writer = SqliteWriter(path)
    committer = Committer(writer)
    committer.start()
    recorder = SqliteRecorder(path, committer)
    log = EventLog(recorder, a_mapper())
    log.append([write(uuid4(), 0, "x" * CHECKPOINT_BYTES)], uuid4(), ANN)
    grown = writer.wal_bytes
    log.append([write(uuid4(), 0, "a")], uuid4(), ANN)  # after the checkpoint between the two
    assert writer.checkpoints == 1
    assert writer.wal_bytes <= grown
    assert path.stat().st_size > CHECKPOINT_BYTES
    recorder.close()


def test_a_wal_that_a_reader_sat_on_is_cut_back_when_it_leaves(tmp_path: Path) -> None:
    class Watchful(SqliteWriter):
        wal_limit_bytes = 1 << 20

    path = tmp_path / "log.db"
    prepare_sqlite(path, uuid4())
    writer = Watchful(path)
    committer = Committer(writer)
    committer.start()
    recorder = SqliteRecorder(path, committer)
    log = EventLog(recorder, a_mapper())
    log.append([write(uuid4(), 0, "a")], uuid4(), ANN)
    sitting = dbapi2.connect(path, isolation_level=None)
    sitting.execute("BEGIN")
    sitting.execute("SELECT count(*) FROM events").fetchall()
    for _ in range(2):
        log.append([write(uuid4(), 0, "x" * CHECKPOINT_BYTES)], uuid4(), ANN)
    assert writer.wal_bytes > 2 * CHECKPOINT_BYTES
    sitting.close()
    log.append([write(uuid4(), 0, "x" * CHECKPOINT_BYTES)], uuid4(), ANN)
    until(lambda: writer.wal_bytes == 0)
    assert len(log.since(0, 10)) == 4
    recorder.close()


def test_two_processes_on_one_file_see_each_others_events(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    one, first = sqlite_log(path)
    two, second = sqlite_log(path)
    stream = uuid4()
    for version in range(6):
        log = one if version % 2 else two
        assert isinstance(log.append([write(stream, version, "a")], uuid4(), ANN), Appended)
    assert isinstance(one.append([write(stream, 5, "a")], uuid4(), ANN), VersionConflict)
    assert [each.position for each in two.since(0, 10)] == [1, 2, 3, 4, 5, 6]
    assert one.epoch == two.epoch
    first.close()
    second.close()


def test_a_file_held_by_another_process_is_busy_not_broken(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    prepare_sqlite(path, uuid4())
    committer = Committer(SqliteWriter(path, busy_seconds=0.01))
    committer.start()
    recorder = SqliteRecorder(path, committer)
    log = EventLog(recorder, a_mapper())
    other = dbapi2.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LogBusy):
        log.append([write(uuid4(), 0, "a")], uuid4(), ANN)
    assert log.ready
    other.execute("ROLLBACK")
    other.close()
    assert isinstance(log.append([write(uuid4(), 0, "a")], uuid4(), ANN), Appended)
    recorder.close()


def test_a_full_disk_refuses_writes_keeps_reads_and_recovers(tmp_path: Path) -> None:
    """A page limit stands in for the end of the disk: SQLite answers both with SQLITE_FULL."""

    class Small(SqliteWriter):
        pages = 0

        def open(self) -> None:
            super().open()
            if self.pages:
                self._run(f"PRAGMA max_page_count = {self.pages}")

        def probe(self) -> None:
            if self.pages:
                raise Broken("still full")
            super().probe()

    path = tmp_path / "log.db"
    prepare_sqlite(path, uuid4())
    writer = Small(path)
    writer.pages = 40
    committer = Committer(writer, retry_seconds=0.01)
    committer.start()
    recorder = SqliteRecorder(path, committer)
    log = EventLog(recorder, a_mapper())
    stream, key = uuid4(), uuid4()
    log.append([write(stream, 0, "small")], uuid4(), ANN)
    with pytest.raises(Exception, match="full"):
        log.append([write(stream, 1, "x" * 400_000)], key, ANN)
    assert not log.ready
    assert len(log.history(stream)) == 1
    assert log.by_command(key) is None
    writer.pages = 0
    until(lambda: log.ready)
    assert isinstance(log.append([write(stream, 1, "x" * 400_000)], key, ANN), Appended)
    recorder.close()


def test_a_restore_begins_an_epoch_and_never_gives_a_position_twice(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    before, after = uuid4(), uuid4()
    prepare_sqlite(path, before)
    prepare_sqlite(path, uuid4())  # a second preparation changes nothing
    log, recorder = sqlite_log(path)
    assert log.epoch == before
    recorder.close()
    begin_epoch(sqlite_engine(path), after, floor=500)
    log, recorder = sqlite_log(path)
    assert log.epoch == after
    done = log.append([write(uuid4(), 0, "a", "b")], uuid4(), ANN)
    assert isinstance(done, Appended) and done.positions == (501, 502)
    assert [each.position for each in log.since(0, 10)] == [501, 502]
    recorder.close()
