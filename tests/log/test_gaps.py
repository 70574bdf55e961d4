"""A reader never passes a position that is still to come. The control is a reader that may."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from uuid import uuid4

import psycopg
import pytest

from casework.log.postgres import PostgresRecorder
from casework.log.schema import prepare_postgres
from tests.log.samples import postgres_recorder, until
from tests.postgres import emptied

INSERT = """
INSERT INTO events (stream, version, name, state, at, actor, command_id, ordinal, hash)
SELECT %s, n, 'noted', '{}', 0, '{}', %s, n, decode(repeat('00', 32), 'hex')
FROM generate_series(1, %s) AS n
"""


@pytest.fixture
def url(postgres_url: str) -> str:
    prepare_postgres(emptied(postgres_url), uuid4())
    return postgres_url


@pytest.fixture
def recorder(url: str) -> Iterator[PostgresRecorder]:
    made = postgres_recorder(url, prepare=False)
    yield made
    made.close()


def insert(connection: psycopg.Connection[tuple[object, ...]], events: int = 1) -> None:
    connection.execute(INSERT, (uuid4(), uuid4(), events))


def positions(recorder: PostgresRecorder, after: int = 0) -> list[int]:
    return [
        each.id for each in recorder.select_notifications(after, 1000, inclusive_of_start=False)
    ]


def naive(connection: psycopg.Connection[tuple[int]], after: int) -> list[int]:
    rows = connection.execute(
        "SELECT position FROM events WHERE position > %s ORDER BY position LIMIT 1000", (after,)
    )
    return [row[0] for row in rows]


@pytest.mark.parametrize("ending", ["commit", "rollback"])
def test_a_page_waits_for_the_one_still_writing_below_it(
    url: str, recorder: PostgresRecorder, ending: str
) -> None:
    with psycopg.connect(url) as slow, psycopg.connect(url) as quick:
        insert(slow, 2)
        insert(quick, 1)
        quick.commit()
        with ThreadPoolExecutor(1) as reader:
            page = reader.submit(positions, recorder)
            until(lambda: recorder.waits > 0)
            assert not page.done()
            getattr(slow, ending)()
            assert page.result() == ([1, 2, 3] if ending == "commit" else [3])


def test_a_naive_reader_passes_it(url: str) -> None:
    """The control: without the wait, positions 1 and 2 would be lost to this reader for good."""
    with psycopg.connect(url) as slow, psycopg.connect(url) as quick:
        insert(slow, 2)
        insert(quick, 1)
        quick.commit()
        assert naive(quick, 0) == [3]
        slow.commit()
        assert naive(quick, 3) == []


def test_a_page_ends_before_the_hole_when_the_writer_below_is_very_slow(
    url: str, recorder: PostgresRecorder
) -> None:
    impatient = PostgresRecorder(url, recorder.committer, patience=0.01)
    with psycopg.connect(url) as slow, psycopg.connect(url) as quick:
        insert(quick, 2)
        insert(slow, 1)
        insert(quick, 1)
        quick.commit()
        assert positions(impatient) == [1, 2]
        slow.commit()
        assert positions(impatient, 2) == [3, 4]
    impatient._signals.close()
    impatient._pool.close()


def test_topics_do_not_hide_a_hole(url: str, recorder: PostgresRecorder) -> None:
    with psycopg.connect(url) as slow, psycopg.connect(url) as quick:
        insert(slow, 1)
        insert(quick, 1)
        quick.commit()
        with ThreadPoolExecutor(1) as reader:
            page = reader.submit(recorder.select_notifications, 0, 10, None, ["noted"])
            until(lambda: recorder.waits > 0)
            slow.commit()
            assert [each.id for each in page.result()] == [1, 2]


def write_and_roll_back(url: str, seed: int, commits: int) -> None:
    """Every transaction gives its events positions at two moments; a fifth is rolled back."""
    chance = random.Random(seed)
    with psycopg.connect(url) as connection:
        for _ in range(commits):
            insert(connection, chance.randint(1, 3))
            insert(connection, 1)
            if chance.random() < 0.2:
                connection.rollback()
            else:
                connection.commit()


def tail(read: Callable[[int], list[int]], done: Event) -> list[int]:
    """Everything a reader saw who went on from the last position until the log was quiet."""
    seen: list[int] = []
    while True:
        last = done.is_set()
        page = read(seen[-1] if seen else 0)
        seen += page
        if last and not page:
            return seen


def tail_under_load(url: str, recorder: PostgresRecorder, commits: int) -> tuple[int, int, int]:
    """How many events were stored, missed by our reader, missed by a naive one."""
    done = Event()
    with (
        ThreadPoolExecutor(8) as threads,
        psycopg.connect(url, autocommit=True) as connection,
    ):
        ours = threads.submit(tail, lambda after: positions(recorder, after), done)
        theirs = threads.submit(tail, lambda after: naive(connection, after), done)
        writers = [threads.submit(write_and_roll_back, url, seed, commits) for seed in range(6)]
        for writer in writers:
            writer.result()
        done.set()
        seen, seen_naively = ours.result(), theirs.result()
        stored = naive_all(connection)
    assert seen == sorted(set(seen))
    return len(stored), len(stored - set(seen)), len(stored - set(seen_naively))


def naive_all(connection: psycopg.Connection[tuple[int]]) -> set[int]:
    return {row[0] for row in connection.execute("SELECT position FROM events")}


def test_a_reader_under_load_misses_nothing_where_a_naive_one_does(
    url: str, recorder: PostgresRecorder
) -> None:
    stored, missed, missed_naively = tail_under_load(url, recorder, commits=150)
    assert stored > 1000
    assert missed == 0
    assert missed_naively > 0
    assert recorder.holes > 0


@pytest.mark.deep
@pytest.mark.timeout(600)
def test_a_reader_under_long_load_misses_nothing(url: str, recorder: PostgresRecorder) -> None:
    stored, missed, missed_naively = tail_under_load(url, recorder, commits=5000)
    print(f"{stored=} {missed=} {missed_naively=} {recorder.holes=} {recorder.waits=}")
    assert missed == 0
    assert missed_naively > 0
