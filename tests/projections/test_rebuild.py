"""A rebuild makes what reading live makes, out of sight, and then serves."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from types import ModuleType

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from casework.log.port import Recorded, UnknownEvent
from projections import case_keys
from projections.case_board import CASE_BOARD, BoardRow
from projections.case_keys import CaseKeys
from projections.case_list import Filters, newest
from projections.generations import (
    BOOKS,
    PostgresShelf,
    Shelf,
    SqliteShelf,
    create,
    digest,
    is_current,
    next_name,
)
from projections.reading import Readers
from projections.rebuild import LogSource, Part, rebuild
from projections.tables import reading, structs
from tests.projections.conftest import VIEWS
from tests.projections.histories import (
    EPOCH,
    ListedLog,
    Scribe,
    Story,
    lives,
    opener,
)
from tests.projections.typical import a_month


def some_events(seed: int, steps: int) -> list[Recorded]:
    """Lives of a few cases whose steps interleave, and an erasure in their midst."""
    random = Random(seed)
    scribe = Scribe()
    names = [f"{seed}.{n}" for n in range(6)]
    events = lives(scribe, names, random, steps)
    events.append(scribe.erase(Story(Scribe(), names[0]).person))
    events += lives(scribe, [f"{name}x" for name in names], random, steps // 2)
    return events + a_month(seed, scribe)


@contextmanager
def source_of(seed: int, steps: int) -> Iterator[LogSource]:
    """Importable by name, so that a worker process can make the same log again."""
    yield LogSource(ListedLog(some_events(seed, steps)), opener())


def tables_of(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every view, in an order of its own."""
    found = {}
    with reading(engine) as connection:
        for table in (*BOOKS[1:], *(table for view in VIEWS for table in view.tables)):
            rows = connection.execute(select(table)).all()
            found[table.name] = sorted((tuple(row) for row in rows), key=repr)
    return found


def live(shelf: Shelf, name: str, log: ListedLog, limit: int = 1000) -> dict[str, list[object]]:
    shelf.make(name)
    engine = shelf.open(name)
    create(engine, name, VIEWS)
    readers = Readers(engine, name, VIEWS, opener())
    while any(batch.events for batch in readers.step(log, limit)):
        pass
    made = tables_of(engine)
    engine.dispose()
    return made  # type: ignore[return-value]  # compared whole, never looked into


@pytest.mark.parametrize("workers", [1, 2])
def test_a_rebuild_makes_what_reading_live_makes(
    shelf: Shelf, request: pytest.FixtureRequest, tmp_path: Path, workers: int
) -> None:
    log = ListedLog(some_events(5, 120))
    read_live = live(shelf, "live_1", log, limit=7)
    open_shelf = (
        partial(SqliteShelf, tmp_path)
        if isinstance(shelf, SqliteShelf)
        else partial(PostgresShelf, request.getfixturevalue("postgres_url"))
    )
    rebuilt = rebuild(partial(source_of, 5, 120), open_shelf, VIEWS, workers=workers)
    assert rebuilt.position == log.head()
    assert shelf.serving() == rebuilt.generation
    assert is_current(shelf, VIEWS)
    engine = shelf.open(rebuilt.generation)
    assert tables_of(engine) == read_live
    readers = Readers(engine, rebuilt.generation, VIEWS, opener())
    assert set(readers.positions().values()) == {log.head()}
    engine.dispose()
    shelf.remove("live_1")
    assert "live_1" not in shelf.names()
    with pytest.raises(ValueError, match="serves"):
        shelf.remove(rebuilt.generation)


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 10_000), steps=st.integers(1, 60), limit=st.integers(1, 20))
def test_whatever_happened_rebuild_and_live_agree(
    sqlite_shelf: SqliteShelf, tmp_path: Path, seed: int, steps: int, limit: int
) -> None:
    log = ListedLog(some_events(seed, steps))
    read_live = live(sqlite_shelf, "live_1", log, limit)
    rebuilt = rebuild(
        partial(source_of, seed, steps), partial(SqliteShelf, tmp_path), VIEWS, workers=1
    )
    engine = sqlite_shelf.open(rebuilt.generation)
    assert tables_of(engine) == read_live
    engine.dispose()


class PoisonedSource:
    """A log with an unreadable event, a number given twice, and words that moved."""

    def __init__(self) -> None:
        scribe = Scribe()
        good, bad, twin = Story(scribe, "good"), Story(scribe, "bad"), Story(scribe, "twin")
        twin.number = good.number
        self.log = ListedLog([good.submitted(), bad.submitted(), bad.registered()])
        self.log.add(bad.step(UnknownEvent("case-sung-about", b"{}", "unknown name")))
        self.log.add(bad.dispatched(), twin.submitted(), good.registered(), twin.registered())
        self.opener = opener()

    def page(self, position: int, limit: int, stop: int, part: Part) -> tuple[list[Recorded], int]:
        return LogSource(self.log, self.opener).page(position, limit, stop, part)


@contextmanager
def poisoned() -> Iterator[PoisonedSource]:
    yield PoisonedSource()


def test_a_rebuild_holds_aside_what_reading_live_holds_aside(
    sqlite_shelf: SqliteShelf, tmp_path: Path
) -> None:
    source = PoisonedSource()
    read_live = live(sqlite_shelf, "live_1", source.log)
    rebuilt = rebuild(poisoned, partial(SqliteShelf, tmp_path), VIEWS, workers=1)
    engine = sqlite_shelf.open(rebuilt.generation)
    assert tables_of(engine) == read_live
    readers = Readers(engine, rebuilt.generation, VIEWS, opener())
    stopped = {"due": 3, "redispatch": 3, "handlings": 3, "hand_overs": 3, "facts": 3}
    assert readers.positions() == {**dict.fromkeys(readers.views, 8), **stopped}
    assert rebuilt.held == len(readers.held()) == 13
    engine.dispose()


def test_readers_never_see_half_a_generation(sqlite_shelf: SqliteShelf, tmp_path: Path) -> None:
    """Whoever asks while a rebuild runs gets the old generation's answer, whole."""
    old = rebuild(partial(source_of, 1, 40), partial(SqliteShelf, tmp_path), VIEWS, workers=1)
    asked: list[tuple[str | None, int]] = []

    def ask() -> None:
        serving = sqlite_shelf.serving()
        assert serving is not None
        engine = sqlite_shelf.open(serving)
        with reading(engine) as connection:
            asked.append((serving, len(newest(connection, Filters(), epoch=EPOCH).cases)))
        engine.dispose()

    class AskingSource(LogSource):
        def page(
            self, position: int, limit: int, stop: int, part: Part
        ) -> tuple[list[Recorded], int]:
            ask()
            return super().page(position, 10, stop, part)

    @contextmanager
    def asking() -> Iterator[LogSource]:
        yield AskingSource(ListedLog(some_events(2, 60)), opener())

    ask()
    new = rebuild(asking, partial(SqliteShelf, tmp_path), VIEWS, workers=1)
    assert len(asked) > 8
    assert set(asked) == {(old.generation, asked[0][1])}
    assert sqlite_shelf.serving() == new.generation != old.generation


def test_a_change_of_table_or_fold_is_another_generation_and_a_comment_is_none(
    sqlite_shelf: SqliteShelf,
) -> None:
    class Renamed(CaseKeys):
        sources: tuple[ModuleType, ...] = (case_keys, msgspec)

    assert digest(VIEWS) == digest(tuple(reversed(VIEWS)))
    assert digest([CaseKeys()]) != digest([Renamed()])
    assert next_name(sqlite_shelf, VIEWS) == f"{digest(VIEWS)}_1"
    assert not is_current(sqlite_shelf, VIEWS)


def test_the_board_of_a_rebuild_is_the_fold_of_the_history(
    sqlite_shelf: SqliteShelf, tmp_path: Path
) -> None:
    events = some_events(9, 100)
    rebuilt = rebuild(partial(source_of, 9, 100), partial(SqliteShelf, tmp_path), VIEWS, workers=1)
    engine = sqlite_shelf.open(rebuilt.generation)
    with reading(engine) as connection:
        rows = {r.stream: r for r in structs(connection, BoardRow, select(CASE_BOARD))}
    engine.dispose()
    for stream, row in rows.items():
        mine = [e for e in events if e.stream.bytes == stream]
        assert (row.version, row.position) == (len(mine), mine[-1].position)


PARENT = """
import multiprocessing, os, time
from concurrent.futures import ProcessPoolExecutor
from projections.rebuild import begin_worker

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        1, mp_context=context, initializer=begin_worker, initargs=(os.getpid(),)
    ) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        time.sleep(600)
"""


def test_a_worker_does_not_outlive_a_parent_that_was_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(root)},
        text=True,
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        assert runs(worker)
        parent.kill()
    until = time.monotonic() + 60
    while runs(worker) and time.monotonic() < until:
        threading.Event().wait(0.1)
    assert not runs(worker)


def runs(pid: int) -> bool:
    """Whether Linux tells of such a process, and not as of one that has ended."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):  # the second where it ends while we read
        return False
