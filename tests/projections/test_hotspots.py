"""The map at any moment, hot spots and their repeats, and names of places that residents use."""

from collections.abc import Sequence
from datetime import timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from casework import events as did
from casework.lifecycle import Status
from casework.log.port import Recorded
from casework.model import Place, PlaceKind
from geo.coordinates import to_metres
from geo.grid import cell_at
from projections.case_board import CASE_BOARD
from projections.case_history import CASE_INTERVAL, REVIEWED, mark_of
from projections.case_list import Filters, StaleCursor
from projections.case_map import (
    AsOf,
    AtPosition,
    AtTime,
    PublicQuestion,
    Spot,
    count_public,
    months_of,
    public_spot,
    public_spots,
    spots,
)
from projections.hotspots import Question, hotspots
from projections.periods import month_number
from projections.places_seen import places_named
from projections.reading import Readers
from projections.tables import moment, reading
from tests.projections.conftest import Made
from tests.projections.histories import (
    DAWN,
    EPOCH,
    STREETS,
    ListedLog,
    Scribe,
    Story,
    lives,
)

HOUR = timedelta(hours=1)


def tell(readers: Readers, events: Sequence[Recorded]) -> None:
    log = ListedLog(events)
    while any(batch.events for batch in readers.step(log, 7)):
        pass
    assert readers.held() == []


def test_an_open_interval_says_what_the_board_says(readers: Readers) -> None:
    tell(readers, lives(Scribe(), [f"{n}" for n in range(8)], Random(4), 150))
    same = ("seq", "number", "status", "street", "indicator", "lon", "lat")
    with reading(readers.engine) as connection:
        board = connection.execute(
            select(*(CASE_BOARD.c[name] for name in same)).order_by(CASE_BOARD.c.seq)
        ).all()
        now = connection.execute(
            select(*(CASE_INTERVAL.c[name] for name in same))
            .where(CASE_INTERVAL.c.to_pos.is_(None))
            .order_by(CASE_INTERVAL.c.seq)
        ).all()
    assert len(board) == 8
    assert list(now) == list(board)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 10_000), data=st.data())
def test_the_map_as_of_a_position_is_the_map_that_was_drawn_then(
    make_readers: Made, seed: int, data: st.DataObject
) -> None:
    events = lives(Scribe(), ["a", "b", "c"], Random(seed), 30)
    position = data.draw(st.integers(0, len(events)))
    names = (f"t{seed}_{position}_1", f"a{seed}_{position}_1")
    then, after = make_readers(name=names[0]), make_readers(name=names[1])
    tell(then, events[:position])
    tell(after, events)
    with reading(then.engine) as past, reading(after.engine) as today:
        drawn = spots(past, Filters(), as_of=None, epoch=EPOCH).spots
        again = spots(today, Filters(), as_of=AtPosition(position), epoch=EPOCH).spots
    assert again == drawn


def test_the_map_as_of_a_time_is_what_stood_then(readers: Readers) -> None:
    story = Story(Scribe(), "a")
    tell(readers, story.whole())

    def status(minutes: float) -> list[str]:
        as_of = AtTime(DAWN + timedelta(minutes=minutes))
        with reading(readers.engine) as connection:
            found = spots(connection, Filters(), as_of=as_of, epoch=EPOCH)
        return [str(spot.status) for spot in found.spots]

    # Exactly on the moment of an event, it has happened.
    assert status(-1) == []
    assert (status(0), status(0.9)) == (["submitted"], ["submitted"])
    assert (status(1), status(2), status(3)) == (["registered"], ["dispatched"], ["handling"])
    assert status(10_000) == ["completed"]


def test_an_interval_is_closed_and_never_overwritten(readers: Readers) -> None:
    story = Story(Scribe(), "a")
    log = ListedLog()
    seen: dict[int, tuple[object, ...]] = {}
    for event in story.whole():
        log.add(event)
        readers.step(log)
        with reading(readers.engine) as connection:
            rows = connection.execute(select(CASE_INTERVAL)).all()
        closed = {row.from_pos: tuple(row) for row in rows if row.to_pos is not None}
        assert sum(row.to_pos is None for row in rows) == 1
        assert all(closed[start] == row for start, row in seen.items())
        seen = closed
    assert len(seen) == 6


BOXES = [
    pytest.param((116.30, 39.95, 116.34, 39.99), id="small"),
    pytest.param((116.25, 39.7, 116.40, 40.2), id="large"),
]


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("as_of", [None, AtPosition(60), AtTime(DAWN + 5 * HOUR)])
def test_a_box_holds_the_pins_in_it_and_pages_join_up(
    readers: Readers, box: tuple[float, float, float, float], as_of: AsOf
) -> None:
    random = Random(9)
    scribe = Scribe()
    stories = [
        Story(
            scribe, f"{n}", at=DAWN + n * HOUR / 4,
            place=(random.uniform(116.2, 116.45), random.uniform(39.9, 40.05)),
        )
        for n in range(40)
    ]  # fmt: skip
    tell(readers, [event for s in stories for event in (s.submitted(), s.registered())])
    with reading(readers.engine) as connection:
        everything = spots(connection, Filters(), as_of=as_of, epoch=EPOCH).spots
        west, south, east, north = box
        wanted = [s for s in everything if west <= s.lon <= east and south <= s.lat <= north]
        found: list[Spot] = []
        cursor = None
        while True:
            page = spots(
                connection, Filters(bbox=box), as_of=as_of, epoch=EPOCH, cursor=cursor, limit=3
            )
            found += page.spots
            cursor = page.cursor
            if cursor is None:
                break
    assert wanted
    assert found == wanted


def test_a_cursor_that_is_none_of_ours_is_refused(readers: Readers) -> None:
    with reading(readers.engine) as connection, pytest.raises(StaleCursor):
        spots(connection, Filters(), as_of=None, epoch=EPOCH, cursor="x")


def test_filters_narrow_the_map(readers: Readers) -> None:
    scribe = Scribe()
    one = Story(scribe, "one", street=STREETS[0], indicator="P01")
    two = Story(scribe, "two", street=STREETS[1], indicator="P02", at=DAWN + HOUR)
    tell(readers, [one.submitted(), two.submitted(), two.registered()])

    def numbers(filters: Filters) -> list[str]:
        with reading(readers.engine) as connection:
            return [s.number for s in spots(connection, filters, as_of=None, epoch=EPOCH).spots]

    assert numbers(Filters()) == ["HDtwo", "HDone"]
    assert numbers(Filters(street=STREETS[0])) == ["HDone"]
    assert numbers(Filters(indicator="P02")) == ["HDtwo"]
    assert numbers(Filters(status=(Status.REGISTERED,))) == ["HDtwo"]
    assert numbers(Filters(start=DAWN + HOUR)) == ["HDtwo"]
    assert numbers(Filters(end=DAWN + HOUR)) == ["HDone"]
    assert numbers(Filters(sent_by="somebody")) == []
    assert numbers(Filters(pending="request_site_check")) == []


# what everybody sees ---------------------------------------------------------------------


def test_everybody_sees_reviewed_cases_by_their_cell_and_month_and_nothing_finer(
    readers: Readers,
) -> None:
    scribe = Scribe()
    waiting, reviewed = Story(scribe, "waiting"), Story(scribe, "reviewed", place=(116.3167, 39.9))
    tell(readers, [waiting.submitted(), reviewed.submitted(), reviewed.registered()])
    with reading(readers.engine) as connection:
        (spot,) = public_spots(connection, PublicQuestion()).spots
        assert public_spot(connection, mark_of(reviewed.case_id)) == spot
        assert public_spot(connection, mark_of(waiting.case_id)) is None
        assert public_spot(connection, "x") is None
        assert count_public(connection, PublicQuestion()) == 1
    assert spot.mark == mark_of(reviewed.case_id)
    assert (spot.lon, spot.lat) == cell_at(116.3167, 39.9).centre()
    assert (spot.lon, spot.lat) != (116.3167, 39.9)
    assert spot.month == 202605
    told = repr(spot)
    assert reviewed.number not in told
    assert str(reviewed.case_id) not in told and reviewed.case_id.hex not in told


def test_a_narrow_box_tells_no_more_than_the_cell(readers: Readers) -> None:
    story = Story(Scribe(), "a", place=(116.3167, 39.9))
    tell(readers, [story.submitted(), story.registered()])
    lon, lat = cell_at(*story.place).centre()
    tiny = 1e-6
    with reading(readers.engine) as connection:

        def around(x: float, y: float) -> int:
            box = (x - tiny, y - tiny, x + tiny, y + tiny)
            return len(public_spots(connection, PublicQuestion(bbox=box)).spots)

        assert around(lon, lat) == 1
        assert around(*story.place) == 0


@pytest.mark.parametrize("box", [None, (116.2, 39.8, 116.4, 40.1), (116.30, 39.95, 116.34, 39.99)])
def test_public_pages_join_up_in_no_order_of_time(
    readers: Readers, box: tuple[float, float, float, float] | None
) -> None:
    scribe = Scribe()
    stories = [Story(scribe, f"{n}", place=(116.31, 39.97)) for n in range(10)]
    tell(readers, [event for s in stories for event in (s.submitted(), s.registered())])
    marks: list[str] = []
    after = None
    with reading(readers.engine) as connection:
        while True:
            page = public_spots(connection, PublicQuestion(bbox=box), after=after, limit=4)
            marks += [spot.mark for spot in page.spots]
            after = page.after
            if after is None:
                break
    assert marks == sorted(mark_of(s.case_id) for s in stories)


def test_months_are_those_of_shanghai(readers: Readers) -> None:
    # 15:59 UTC of 31 May is still May there, 16:00 UTC is June.
    may = DAWN.replace(day=31, hour=15, minute=59)
    june = DAWN.replace(day=31, hour=16, minute=0)
    scribe = Scribe()
    stories = [Story(scribe, "may", at=may), Story(scribe, "june", at=june)]
    tell(readers, [event for s in stories for event in (s.submitted(), s.registered())])
    assert (month_number(may), month_number(june)) == (202605, 202606)
    assert months_of(may, june) == (202605, 202605)
    assert months_of(None, june + timedelta(microseconds=1)) == (None, 202606)
    with reading(readers.engine) as connection:
        for first, last, found in (
            (202606, None, [202606]),
            (None, 202605, [202605]),
            (202605, 202606, [202605, 202606]),
        ):
            question = PublicQuestion(first_month=first, last_month=last)
            spotted = public_spots(connection, question).spots
            assert sorted(s.month for s in spotted) == found
            assert count_public(connection, question) == len(found)


# hot spots -------------------------------------------------------------------------------


def by_hand(stories: Sequence[Story], metres: float, days: int) -> dict[str, tuple[int, int]]:
    """Cases and repeats by cell, every pair looked at."""
    found: dict[str, tuple[int, int]] = {}
    for n, case in enumerate(stories):
        x, y = to_metres(*case.place)
        again = False
        for other in stories[:n]:
            a, b = to_metres(*other.place)
            again |= (
                case.indicator == other.indicator
                and case.at - other.at <= timedelta(days=days)
                and ((a - x) ** 2 + (b - y) ** 2) ** 0.5 <= metres
            )
        name = cell_at(*case.place).name
        cases, repeats = found.get(name, (0, 0))
        found[name] = cases + 1, repeats + again
    return found


@pytest.mark.parametrize(("metres", "days"), [(100.0, 30), (30.0, 30), (250.0, 2), (1.0, 365)])
def test_repeats_are_what_looking_at_every_pair_finds(
    make_readers: Made, metres: float, days: int
) -> None:
    readers = make_readers()
    random = Random(3)
    scribe = Scribe()
    stories = [
        Story(
            scribe, f"{n}", at=DAWN + 7 * n * HOUR, indicator=random.choice(["P01", "P02"]),
            place=(116.3 + random.randrange(8) / 2000, 39.95 + random.randrange(8) / 2000),
        )
        for n in range(120)
    ]  # fmt: skip
    begun = {s.number: s.at for s in stories}
    tell(readers, [event for s in stories for event in (s.submitted(), s.registered())])
    for story in stories:
        story.at = begun[story.number]
    with reading(readers.engine) as connection:
        found = hotspots(connection, Question(metres=metres, days=days), limit=1000)
    told = {spot.cell.name: (spot.cases, spot.repeats) for spot in found.hotspots}
    assert told == by_hand(stories, metres, days)
    assert (found.cells, found.cases) == (len(told), 120)
    counts = [spot.cases for spot in found.hotspots]
    assert counts == sorted(counts, reverse=True)
    assert all(sum(spot.by_indicator.values()) == spot.cases for spot in found.hotspots)


def test_a_repeat_of_what_lies_outside_box_and_time_counts_and_the_other_does_not(
    readers: Readers,
) -> None:
    scribe = Scribe()
    lon, lat = cell_at(116.31, 39.98).centre()
    east = cell_at(116.31, 39.98)
    other_lon, _ = type(east)(east.east + 1, east.north).centre()
    old = Story(scribe, "old", place=(other_lon, lat))
    new = Story(scribe, "new", place=(lon, lat), at=DAWN + timedelta(days=20))
    tell(readers, [old.submitted(), old.registered(), new.submitted(), new.registered()])
    box = (lon - 1e-5, lat - 1e-5, lon + 1e-5, lat + 1e-5)
    with reading(readers.engine) as connection:
        question = Question(bbox=box, start=DAWN + timedelta(days=10), metres=150)
        (spot,) = hotspots(connection, question).hotspots
        nothing = hotspots(connection, Question(end=DAWN))
        short = hotspots(connection, Question(bbox=box, days=19, metres=150)).hotspots
    assert (spot.cases, spot.repeats, spot.unsolved) == (1, 1, 1)
    assert (nothing.hotspots, nothing.cells, nothing.cases) == ((), 0, 0)
    assert [s.repeats for s in short] == [0]


def test_hot_spots_count_what_was_reviewed_by_then(readers: Readers) -> None:
    scribe = Scribe()
    one, two = Story(scribe, "one"), Story(scribe, "two")
    events = [*one.whole()[:8], two.submitted(), two.registered()]
    tell(readers, events)

    def counts(as_of: AsOf) -> list[tuple[int, int]]:
        with reading(readers.engine) as connection:
            found = hotspots(connection, Question(as_of=as_of, street=STREETS[0]))
        return [(spot.cases, spot.unsolved) for spot in found.hotspots]

    assert counts(AtPosition(1)) == []
    assert counts(AtPosition(2)) == [(1, 1)]
    assert counts(AtPosition(9)) == [(1, 0)]
    assert counts(None) == [(2, 1)]
    with reading(readers.engine) as connection:
        assert hotspots(connection, Question(street=STREETS[1])).cells == 0
        assert hotspots(connection, Question(indicator="P01")).cells == 0
    assert Status.SUBMITTED not in REVIEWED


# names of places -------------------------------------------------------------------------


def test_a_name_is_told_when_three_persons_used_it_of_one_place(readers: Readers) -> None:
    scribe = Scribe()
    log = ListedLog()
    spot = (116.3101, 39.9801)

    def report(name: str, words: str, place: tuple[float, float] = spot) -> Story:
        story = Story(scribe, name, place=place)
        log.add(story.submitted("有垃圾", words), story.registered())
        readers.step(log)
        return story

    def named(text: str) -> list[tuple[str, int]]:
        with reading(readers.engine) as connection:
            return [(p.name, p.persons) for p in places_named(connection, text)]

    report("a", "东升八家早市")
    report("b", "海淀区 东升八家早市")
    assert named("八家早市") == []
    report("c", "东升八家早市。")
    assert named("八家早市") == [("东升八家早市", 3)]
    assert named("北京市海淀区东升八家早市东门") == [("东升八家早市", 3)]
    assert named("八%市") == [] and named("市") == [] and named("别处") == []
    # Too far away to be the same place.
    report("d", "东升八家早市", (116.36, 40.01))
    assert named("八家早市") == [("东升八家早市", 3)]
    with reading(readers.engine) as connection:
        (place,) = places_named(connection, "八家早市")
    assert (place.lon, place.lat, place.accuracy_m) == (116.3101, 39.9801, 50.0)


def test_names_of_one_person_of_unreviewed_cases_and_of_the_erased_are_not_told(
    readers: Readers,
) -> None:
    scribe = Scribe()
    log = ListedLog()
    stories = [Story(scribe, f"{n}") for n in range(4)]
    stories[1].person = stories[0].person
    for story in stories[:3]:
        log.add(story.submitted("有垃圾", "八家早市"), story.registered())
    log.add(stories[3].submitted("有垃圾", "八家早市"))
    readers.step(log)

    def named() -> list[int]:
        with reading(readers.engine) as connection:
            return [p.persons for p in places_named(connection, "八家早市")]

    assert named() == []
    log.add(stories[3].registered())
    readers.step(log)
    assert named() == [3]
    log.add(stories[3].step(did.RegistrationRevoked(code="X01")))
    readers.step(log)
    assert named() == []
    fifth = Story(scribe, "5")
    log.add(fifth.submitted("有垃圾", "八家早市"), fifth.registered())
    readers.step(log)
    assert named() == [3]
    log.add(scribe.erase(stories[0].person))
    readers.step(log)
    assert named() == []


def test_a_corrected_place_moves_the_case_and_the_name(readers: Readers) -> None:
    scribe = Scribe()
    story = Story(scribe, "a")
    moved = did.PlaceCorrected(
        place=Place(lon=116.2, lat=40.0, kind=PlaceKind.ROAD),
        assignment=story.assignment(),
        reason=story.words("点位更正"),
    )
    others = [Story(scribe, f"o{n}", place=(116.2, 40.0)) for n in range(2)]
    events = [story.submitted("有垃圾", "八家早市"), story.registered(), story.step(moved)]
    for other in others:
        events += [other.submitted("有垃圾", "八家早市"), other.registered()]
    tell(readers, events)
    with reading(readers.engine) as connection:
        (place,) = places_named(connection, "八家早市")
        there = spots(connection, Filters(street=STREETS[0]), as_of=None, epoch=EPOCH).spots[-1]
        before = spots(connection, Filters(), as_of=AtPosition(2), epoch=EPOCH).spots[-1]
    assert (place.lon, place.lat) == (116.2, 40.0)
    assert (there.lon, there.lat) == (116.2, 40.0)
    assert (before.lon, before.lat) == story.place
    assert there.since == moment(int(events[2].at.timestamp() * 1_000_000))
