"""Positions, batches and poison: nothing is skipped, nothing is counted twice."""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from uuid import UUID

import pytest
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    MetaData,
    Table,
    Text,
    select,
    update,
)

from api.wiring import all_views
from casework.log.port import Recorded, UnknownEvent
from casework.model import Sealed
from projections.case_board import CASE_BOARD, CaseBoard
from projections.case_keys import CaseKeys
from projections.due import DueIndex
from projections.generations import SqliteShelf, create
from projections.lines import Line, Unreadable
from projections.my_cases import MyCases
from projections.reading import Move, Readers, compare_and_set
from projections.search import Search
from projections.tables import READER_POSITION, reading, upsert_rows
from projections.timeline import TIMELINE, Timeline
from projections.view import ONLY_CASES, OnPoison, View
from tests.projections.conftest import Made
from tests.projections.histories import ClearTexts, ListedLog, Scribe, Story, opener

CORE: tuple[View, ...] = (
    CaseKeys(), CaseBoard(), Timeline(), DueIndex(), MyCases(), Search(),
)  # fmt: skip
"""Views whose names these tests tell; there are more."""

TALLY = Table(
    "tally",
    MetaData(),
    Column("stream", Text, primary_key=True),
    Column("n", BigInteger, nullable=False),
)


class TallyFold:
    """Adds one for each event: the least idempotent fold there is."""

    def __init__(self) -> None:
        self.n = 0

    def read(self, connection: Connection, lines: Sequence[Line]) -> None:
        self.n = connection.scalar(select(TALLY.c.n)) or 0

    def apply(self, line: Line) -> None:
        self.n += 1

    def spill(self, connection: Connection) -> None:
        pass

    def write(self, connection: Connection) -> None:
        upsert_rows(connection, TALLY, [("all", self.n)])


class Tally:
    name = "tally"
    tables: tuple[Table, ...] = (TALLY,)
    sources: tuple[ModuleType, ...] = ()
    on_poison = OnPoison.STOP
    beside = ONLY_CASES

    def fold(self, *, empty: bool) -> TallyFold:
        return TallyFold()

    def prepare(self, connection: Connection) -> None:
        pass

    def finish(self, connection: Connection) -> None:
        pass

    def scrub(self, connection: Connection) -> None:
        pass


def only_upwards(
    connection: Connection, generation: str, readers: Sequence[str], start: int, last: int
) -> bool:
    """What is commonly done instead of compare-and-set: up, from wherever it is."""
    moved = connection.execute(
        update(READER_POSITION)
        .where(READER_POSITION.c.reader.in_(readers), READER_POSITION.c.n < last)
        .values(n=last)
    )
    return moved.rowcount == len(readers)


def race(shelf: SqliteShelf, name: str, move: Move, log: ListedLog) -> int:
    """Two runners with unequal batches over one tally. Returns what was counted."""
    shelf.make(name)
    engine = shelf.open(name)
    create(engine, name, [Tally()])
    engine.dispose()
    barrier = threading.Barrier(2)

    def run(limit: int) -> None:
        own = shelf.open(name)
        readers = Readers(own, name, [Tally()], opener(), move)
        barrier.wait()
        while readers.positions()["tally"] < log.head():
            readers.step(log, limit)
        own.dispose()

    threads = [threading.Thread(target=run, args=(limit,)) for limit in (7, 11)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine = shelf.open(name)
    with reading(engine) as connection:
        counted = connection.scalars(select(TALLY.c.n)).one()
    engine.dispose()
    return int(counted)


def many_events(cases: int = 150) -> ListedLog:
    scribe = Scribe()
    return ListedLog([e for n in range(cases) for e in Story(scribe, f"{n}").whole()])


def test_two_runners_with_overlapping_batches_count_every_event_once(
    sqlite_shelf: SqliteShelf,
) -> None:
    log = many_events()
    assert race(sqlite_shelf, "cas_1", compare_and_set, log) == log.head()


class OvertakingLog(ListedLog):
    """Between the reading of a page and its folding another runner folds a shorter one."""

    def __init__(self, log: ListedLog, overtake: Callable[[], object]) -> None:
        super().__init__(log.events)
        self._overtake = overtake

    def since(self, position: int, limit: int, stop: int | None = None) -> list[Recorded]:
        page = super().since(position, limit, stop)
        self._overtake()
        return page


@pytest.mark.parametrize(("move", "counted"), [(compare_and_set, 11), (only_upwards, 18)])
def test_a_batch_that_was_overtaken_is_dropped_and_without_compare_and_set_it_doubles(
    sqlite_shelf: SqliteShelf, move: Move, counted: int
) -> None:
    log = many_events(2)
    log.events = log.events[:11]
    sqlite_shelf.make("g_1")
    engine = sqlite_shelf.open("g_1")
    create(engine, "g_1", [Tally()])
    slow = Readers(engine, "g_1", [Tally()], opener(), move)
    quick = Readers(engine, "g_1", [Tally()], opener(), move)
    slow.step(OvertakingLog(log, lambda: quick.step(log, 7)), 11)
    while slow.step(log):
        pass
    with reading(engine) as connection:
        assert connection.scalar(select(TALLY.c.n)) == counted
    engine.dispose()


def board_and_steps(readers: Readers) -> tuple[list[object], list[object]]:
    with reading(readers.engine) as connection:
        board = connection.execute(select(CASE_BOARD).order_by(CASE_BOARD.c.seq)).all()
        steps = connection.execute(select(TIMELINE).order_by(TIMELINE.c.position)).all()
    return list(board), list(steps)


def test_an_event_nobody_can_read_holds_its_stream_and_no_other(make_readers: Made) -> None:
    scribe = Scribe()
    bad, good = Story(scribe, "bad"), Story(scribe, "good")
    log = ListedLog([bad.submitted(), good.submitted()])
    log.add(bad.step(UnknownEvent("case-sung-about", b"{}", "unknown name")))
    log.add(bad.registered(), good.registered(), bad.dispatched())
    readers = make_readers(CORE)
    readers.step(log)

    board, _ = board_and_steps(readers)
    assert [row.status for row in board] == ["submitted", "registered"]  # type: ignore[attr-defined]  # a row
    assert {(held.reader, held.stream, held.position) for held in readers.held()} == {
        (view, bad.stream, 3)
        for view in ("case_board", "case_keys", "timeline", "my_cases", "search")
    }
    assert readers.positions() == {**dict.fromkeys(readers.views, log.head()), "due": 2}


@pytest.mark.parametrize("view", all_views(), ids=lambda view: view.name)
def test_no_view_passes_over_what_it_cannot_read(view: View) -> None:
    case = Story(Scribe(), "case")
    log = ListedLog([case.submitted()])
    log.add(case.step(UnknownEvent("case-rated", b"{", "unreadable")))
    unreadable = Line(log.events[1], None)
    with pytest.raises(Unreadable):
        view.fold(empty=True).apply(unreadable)


def test_a_held_stream_drains_in_order_once_it_can_be_read(make_readers: Made) -> None:
    scribe = Scribe()
    bad, good = Story(scribe, "bad"), Story(scribe, "good")
    log = ListedLog([bad.submitted(), good.submitted(), bad.registered()])
    readable = log.events[2]
    unreadable = UnknownEvent("case-registered", b"{", "unreadable")
    log.events[2] = type(readable)(
        readable.stream, readable.version, readable.position, readable.name, unreadable,
        readable.at, readable.actor, readable.command_id, readable.ordinal, readable.hash,
    )  # fmt: skip
    log.add(bad.dispatched(), bad.acknowledged())
    readers = make_readers(CORE)
    readers.step(log)
    assert readers.mend(log) == 0
    log.events[2] = readable
    assert readers.mend(log) == 5
    assert readers.held() == []

    straight = make_readers(CORE, name="g_2")
    straight.step(log)
    assert board_and_steps(readers) == board_and_steps(straight)


def test_a_number_given_twice_holds_the_second_case(make_readers: Made) -> None:
    scribe = Scribe()
    first, second = Story(scribe, "a"), Story(scribe, "b")
    second.number = first.number
    log = ListedLog([first.submitted(), second.submitted(), first.registered()])
    readers = make_readers([CaseKeys()])
    readers.step(log)
    assert [(held.reader, held.stream) for held in readers.held()] == [("case_keys", second.stream)]


def test_an_index_of_work_stops_at_the_event_and_goes_on_when_it_is_mended(
    make_readers: Made,
) -> None:
    class Picky(Tally):
        def __init__(self) -> None:
            self.bad = 3

        def fold(self, *, empty: bool) -> TallyFold:
            view = self

            class PickyFold(TallyFold):
                def apply(self, line: Line) -> None:
                    if line.position == view.bad:
                        raise ValueError("not this one")
                    super().apply(line)

            return PickyFold()

    view = Picky()
    log = ListedLog(Story(Scribe(), "a").whole())
    readers = make_readers([CaseKeys(), CaseBoard(), view])
    readers.step(log)
    assert readers.positions() == {"case_keys": 10, "case_board": 10, "tally": 2}
    assert readers.step(log)[0].stopped == ("tally",)
    view.bad = 0
    readers.step(log)
    assert readers.positions()["tally"] == 10
    with reading(readers.engine) as connection:
        assert connection.scalar(select(TALLY.c.n)) == 10


@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_the_size_of_batches_changes_nothing(make_readers: Made, limit: int) -> None:
    scribe = Scribe()
    log = ListedLog([e for n in range(5) for e in Story(scribe, f"{n}").whole()])
    readers = make_readers(CORE)
    while readers.step(log, limit):
        pass
    whole = make_readers(CORE, name="g_2")
    whole.step(log)
    assert board_and_steps(readers) == board_and_steps(whole)


def test_a_database_that_fails_is_tried_again_and_nothing_is_held(
    make_readers: Made, tmp_path: Path
) -> None:
    class Full(Tally):
        fails = True

        def fold(self, *, empty: bool) -> TallyFold:
            if self.fails:
                raise OSError("disk full")
            return TallyFold()

    view = Full()
    log = ListedLog(Story(Scribe(), "a").whole())
    readers = make_readers([view])
    with pytest.raises(OSError, match="disk full"):
        readers.step(log)
    assert (readers.positions(), readers.held()) == ({"tally": 0}, [])
    view.fails = False
    readers.step(log)
    assert readers.positions() == {"tally": 10}


def test_time_in_the_rows_is_exact_to_the_microsecond(make_readers: Made) -> None:
    story = Story(Scribe(), "a")
    story.at += timedelta(microseconds=123457)
    log = ListedLog([story.submitted()])
    readers = make_readers(CORE)
    readers.step(log)
    board, _ = board_and_steps(readers)
    assert board[0].submitted_at % 1_000_000 == 123457  # type: ignore[attr-defined]  # a row


def test_words_that_do_not_open_hold_their_stream_in_views_of_words_only(
    make_readers: Made,
) -> None:
    class Torn(ClearTexts):
        broken = True

        def open(self, sealed: Sealed, case_id: UUID, field: str, command_id: UUID) -> str | None:
            if self.broken and case_id == bad.case_id:
                raise UnicodeDecodeError("utf-8", b"", 0, 1, "torn")
            return super().open(sealed, case_id, field, command_id)

    scribe = Scribe()
    bad, good = Story(scribe, "bad"), Story(scribe, "good")
    log = ListedLog([bad.submitted(), good.submitted(), bad.registered(), good.registered()])
    texts = Torn()
    readers = make_readers(CORE, opener(texts))
    readers.step(log)
    assert {held.reader for held in readers.held()} == {"case_board", "timeline", "search"}
    assert readers.positions() == dict.fromkeys(readers.views, 4)
    texts.broken = False
    assert readers.mend(log) == 3
    straight = make_readers(CORE, name="g_2")
    straight.step(log)
    assert board_and_steps(readers) == board_and_steps(straight)


def test_a_key_store_that_is_away_holds_nothing_and_is_asked_again(make_readers: Made) -> None:
    class Away(ClearTexts):
        away = True

        def open(self, sealed: Sealed, case_id: UUID, field: str, command_id: UUID) -> str | None:
            if self.away:
                raise OSError("no key file")
            return super().open(sealed, case_id, field, command_id)

    log = ListedLog([Story(Scribe(), "a").submitted()])
    texts = Away()
    readers = make_readers(CORE, opener(texts))
    with pytest.raises(OSError, match="key file"):
        readers.step(log)
    assert (set(readers.positions().values()), readers.held()) == ({0}, [])
    texts.away = False
    readers.step(log)
    assert set(readers.positions().values()) == {1}
