"""An erased person is in no row and in no byte of the views."""

from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Engine, select, text

from casework.lifecycle import Status
from projections import search, timeline
from projections.case_list import Filters, one
from projections.erasure import files_of, holding, scrub
from projections.feed import Feed
from projections.generations import SqliteShelf
from projections.lines import ERASED
from projections.process import ErasureAcknowledgements, Process, sqlite_ledgers
from projections.reading import Readers
from projections.search import SEARCH_DOC
from projections.tables import is_sqlite, reading
from tests.projections.conftest import Made
from tests.projections.histories import (
    EPOCH,
    PHRASES,
    ClearTexts,
    ListedLog,
    Scribe,
    Story,
    key_of,
    opener,
)

CANARY = "鹦鹉螺灯塔下的秘密"
ADDRESS = "琥珀巷九号"


def test_an_erased_persons_words_are_gone_and_the_rest_stands(readers: Readers) -> None:
    scribe = Scribe()
    story, other = Story(scribe, "a"), Story(scribe, "b")
    log = ListedLog([story.submitted(CANARY, ADDRESS), other.submitted("别的垃圾")])
    log.add(story.joined(other.person, "我也看到了"), story.registered(), story.rated())
    readers.step(log)
    log.add(scribe.erase(story.person))
    (batch,) = readers.step(log)
    assert batch.erased == (story.person,)
    assert scrub(readers)
    with reading(readers.engine) as connection:
        case = one(connection, story.case_id)
        words = [step.words for step in timeline.steps_of(connection, story.case_id, str)]
        assert search.find(connection, "灯塔", Filters(), epoch=EPOCH).cases == ()
        assert search.find(connection, "琥珀", Filters(), epoch=EPOCH).cases == ()
        (hit,) = search.find(connection, "HDa", Filters(), epoch=EPOCH).cases
        (joined,) = search.find(connection, "看到", Filters(), epoch=EPOCH).cases
    assert case is not None
    assert (case.first_line, case.status) == (ERASED, Status.REGISTERED)
    assert words == [ERASED, "我也看到了", None, ERASED]
    assert hit.number == joined.number == story.number


def test_words_and_erasure_in_one_batch_leave_nothing_either(readers: Readers) -> None:
    scribe = Scribe()
    story = Story(scribe, "a")
    log = ListedLog([story.submitted(CANARY, ADDRESS), story.rated(), scribe.erase(story.person)])
    readers.step(log)
    with reading(readers.engine) as connection:
        case = one(connection, story.case_id)
        assert [s.words for s in timeline.steps_of(connection, story.case_id, str)] == [
            ERASED,
            ERASED,
        ]
        (left,) = connection.scalars(select(SEARCH_DOC.c.grams)).all()
    assert case is not None
    assert case.first_line == ERASED
    assert left.split() == ["hda"]


def test_a_destroyed_key_shows_the_same_as_an_erasure(make_readers: Made) -> None:
    story = Story(Scribe(), "a")
    texts = ClearTexts()
    texts.destroyed.add(key_of(story.person))
    readers = make_readers(with_opener=opener(texts))
    readers.step(ListedLog([story.submitted(CANARY, ADDRESS)]))
    with reading(readers.engine) as connection:
        case = one(connection, story.case_id)
        (step,) = timeline.steps_of(connection, story.case_id, str)
    assert case is not None
    assert (case.first_line, step.words) == (ERASED, ERASED)


def grams_of(words: str) -> list[str]:
    return [words[i : i + 2] for i in range(len(words) - 1)]


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(1, 12))]
)
def test_an_erased_word_is_in_no_byte_of_the_file(
    make_readers: Made, sqlite_shelf: SqliteShelf, seed: int
) -> None:
    random = Random(seed)
    scribe = Scribe()
    readers = make_readers()
    log = ListedLog()
    erased = []
    for n in range(400):
        story = Story(scribe, f"{n}")
        if n % 9 == 0:
            erased.append(story)
            log.add(story.submitted(CANARY, ADDRESS), story.rated())
        else:
            log.add(story.submitted(random.choice(PHRASES) * random.randint(1, 9)))
        log.add(story.registered(), story.dispatched())
        readers.step(log, random.choice([1, 3, 1000]))
    while readers.step(log, random.choice([50, 200])):
        pass
    files = files_of(sqlite_shelf.path("g_1"))
    assert holding(files, [CANARY]) == [CANARY]
    assert holding(files, grams_of(ADDRESS)) == sorted(grams_of(ADDRESS))

    log.add(*(scribe.erase(story.person) for story in erased))
    while readers.step(log):
        pass
    assert scrub(readers)
    files = files_of(sqlite_shelf.path("g_1"))
    assert holding(files, [CANARY, ADDRESS, *grams_of(CANARY), *grams_of(ADDRESS)]) == []


@pytest.fixture
def careless_readers(make_readers: Made) -> Readers:
    """The same without overwriting what is deleted: the negative control."""
    readers = make_readers()
    with readers.engine.begin() as connection:
        assert is_sqlite(connection)
        connection.execute(text("PRAGMA secure_delete = OFF"))
        connection.execute(
            text("INSERT INTO search_fts (search_fts, rank) VALUES ('secure-delete', 0)")
        )
    return readers


def test_without_overwriting_the_erased_word_stays_in_the_file(
    careless_readers: Readers, sqlite_shelf: SqliteShelf
) -> None:
    scribe = Scribe()
    story = Story(scribe, "a")
    log = ListedLog([story.submitted(CANARY, ADDRESS), scribe.erase(story.person)])
    careless_readers.step(log, 1)
    careless_readers.step(log, 1)
    assert holding(files_of(sqlite_shelf.path("g_1")), [CANARY]) == [CANARY]


def acknowledging(
    path: Path, readers: Readers, told: list[tuple[object, int, list[str]]]
) -> tuple[Engine, Process]:
    """The process, and what it tells: whom, at which position, and what is still in the files."""
    files = Path(str(readers.engine.url.database))
    engine = sqlite_ledgers(path / "ledgers.db")
    ledger = ErasureAcknowledgements(
        EPOCH,
        lambda: scrub(readers),
        lambda person, n: told.append((person, n, holding(files_of(files), [CANARY]))),
    )
    return engine, Process(engine, ledger)


def test_an_erasure_is_acknowledged_once_the_views_have_forgotten(
    make_readers: Made, tmp_path: Path
) -> None:
    scribe = Scribe()
    story = Story(scribe, "a")
    log = ListedLog([story.submitted(CANARY), scribe.erase(story.person)])
    told: list[tuple[object, int, list[str]]] = []
    readers = make_readers()
    engine, process = acknowledging(tmp_path, readers, told)
    process.prepare()
    process.step(log, seen=1)
    assert told == []
    feed = Feed(log, readers, processes=[process])
    feed.round()
    feed.round()
    assert told == [(story.person, 2, [])]
    engine.dispose()


def test_what_is_owed_survives_the_end_of_the_program(make_readers: Made, tmp_path: Path) -> None:
    scribe = Scribe()
    story = Story(scribe, "a")
    log = ListedLog([story.submitted(CANARY), scribe.erase(story.person)])
    told: list[tuple[object, int, list[str]]] = []
    readers = make_readers()
    engine, process = acknowledging(tmp_path, readers, told)
    process.prepare()
    process.step(log, seen=0)
    engine.dispose()

    readers.step(log)
    engine, process = acknowledging(tmp_path, readers, told)
    process.prepare()
    assert process.position() == 2
    process.step(log, seen=2)
    assert told == [(story.person, 2, [])]
    engine.dispose()


def test_nothing_is_acknowledged_while_a_reader_keeps_the_words_in_the_wal(
    make_readers: Made, tmp_path: Path
) -> None:
    scribe = Scribe()
    story = Story(scribe, "a")
    log = ListedLog([story.submitted(CANARY), scribe.erase(story.person)])
    told: list[tuple[object, int, list[str]]] = []
    readers = make_readers()
    engine, process = acknowledging(tmp_path, readers, told)
    process.prepare()
    readers.step(log, 1)
    with reading(readers.engine) as connection:
        assert one(connection, story.case_id) is not None
        readers.step(log)
        process.step(log, seen=2)
        assert told == []
    process.step(log, seen=2)
    assert told == [(story.person, 2, [])]
    engine.dispose()
