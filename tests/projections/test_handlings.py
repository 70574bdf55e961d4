"""Handlings: what the view holds of each dispatch, as of any moment, and how it is judged."""

from collections.abc import Sequence
from datetime import timedelta
from random import Random
from uuid import UUID, uuid5

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from casework import commands as ask
from casework import events as did
from casework.clocks import SHANGHAI
from casework.dry_run import dry_run
from casework.handlings import Cut, End, PastHandling
from casework.log.port import Recorded
from casework.model import Actor, Clock, ClockStarted, Limit, Outcome, PlaceKind, Solved, Unit
from casework.state import Case
from projections.case_keys import CaseKeys
from projections.handlings import HandlingRow, Handlings, HandlingsFold
from projections.lines import CaseKey, Line
from projections.past_handlings import Wanted, as_it_stood, count, past
from projections.reading import Readers
from projections.tables import micros, reading
from tests.history import (
    CITIZEN,
    INSIDE,
    LEAD,
    MONDAY_9,
    PHOTO,
    REVIEWER,
    REVIEWER_2,
    RULES,
    STREET,
    SUPERVISOR,
    Given,
    a_submission,
    words,
)
from tests.projections.conftest import Made
from tests.projections.histories import (
    DAWN,
    LIMIT,
    SPACE,
    STREETS,
    ListedLog,
    Scribe,
    Story,
    lives,
    starts,
)

FOREVER = (DAWN - timedelta(days=400), DAWN + timedelta(days=4000))
NOW = Cut(FOREVER[1])


def folded(events: Sequence[Recorded]) -> list[HandlingRow]:
    """The rows of these events, without a database."""
    fold, keys = HandlingsFold(empty=True), dict[UUID, CaseKey]()
    for each in events:
        if isinstance(each.event, did.ReportSubmitted):
            case = uuid5(each.command_id, "case").bytes
            keys[each.stream] = CaseKey(
                each.position, each.stream.bytes, case, each.event.number, each.event.person.bytes
            )
        if each.stream in keys:
            fold.apply(Line(each, keys[each.stream]))
    rows = [row for stream in fold._rows.values() for row in stream]
    return sorted(rows, key=lambda row: row.position)


def stood(rows: Sequence[HandlingRow], cut: Cut) -> list[PastHandling]:
    return [found for row in rows if (found := as_it_stood(row, cut)) is not None]


def asked(readers: Readers, cut: Cut = NOW, **narrowed: object) -> list[PastHandling]:
    """What the view answers."""
    wanted = Wanted(**{"first": FOREVER[0], "last": FOREVER[1], "cut": cut, **narrowed})  # type: ignore[arg-type]  # as named below
    with reading(readers.engine) as connection:
        found = list(past(connection, wanted))
        assert count(connection, wanted, 10_000) >= len(found)
    return sorted(found, key=lambda one: (one.dispatched_at, one.number))


def tell(readers: Readers, events: Sequence[Recorded]) -> None:
    log = ListedLog(events)
    while readers.step(log):
        pass
    assert readers.positions()["handlings"] == log.head()


@pytest.fixture
def sqlite(make_readers: Made) -> Readers:
    """The view alone, on one database: what it says does not depend on which."""
    return make_readers((CaseKeys(), Handlings()))


# What a row holds ----------------------------------------------------------------------------


def test_a_handling_goes_from_its_dispatch_to_the_hand_over_that_was_accepted(
    sqlite: Readers,
) -> None:
    story = Story(Scribe(), "a")
    events = story.whole()
    tell(sqlite, events)
    at = {type(each.event): each.at for each in events}
    [one] = asked(sqlite)
    assert one == PastHandling(
        case=str(story.case_id),
        number=story.number,
        street=STREETS[0],
        indicator="P09",
        condition="a",
        place_kind=PlaceKind.ROAD,
        dispatched_at=at[did.CaseDispatched],
        limit=LIMIT,
        due_at=at[did.CaseRegistered] + timedelta(hours=4),
        handed_over_at=at[did.CaseRectified],
        outcome=Outcome.RECTIFIED,
        ended_at=at[did.CaseClosed],
        ended_by=End.ACCEPTED,
    )


def returned(story: Story) -> Recorded:
    return story.step(did.ReturnAccepted(street=story.street, code="T01"), after=20)


def test_each_dispatch_of_each_round_is_a_row_of_the_street_that_had_it(readers: Readers) -> None:
    story = Story(Scribe(), "a")
    events = [story.submitted(), story.registered(), story.dispatched(), returned(story)]
    story.street = STREETS[1]
    events += [story.dispatched(), story.rectified(), story.closed()]
    reopened = did.CaseReopened(
        code="V11", words=story.words("没解决"), street=STREETS[1], assignment=story.assignment(),
        limit=Limit(2, Unit.DUTY_HOUR), due_at=story.at + timedelta(hours=2), round=2,
    )  # fmt: skip
    events += [story.step(reopened), story.rectified()]
    tell(readers, events)
    first, second, third = asked(readers)
    assert [(one.street, one.round, one.ended_by) for one in (first, second, third)] == [
        (STREETS[0], 1, End.RETURNED),
        (STREETS[1], 1, End.ACCEPTED),
        (STREETS[1], 2, None),
    ]
    assert third.reopened and third.limit == Limit(2, Unit.DUTY_HOUR)
    assert third.handed_over_at == story.at
    assert asked(readers, streets=(STREETS[0],)) == [first]


def test_an_appeal_that_is_upheld_exempts_the_handling_that_had_ended(sqlite: Readers) -> None:
    story = Story(Scribe(), "a")
    upheld = did.AppealUpheld(code="A03", words=None)
    tell(sqlite, [*story.whole(), story.step(upheld)])
    [now] = asked(sqlite)
    [then] = asked(sqlite, Cut(NOW.at, 10))
    assert (now.exempted, then.exempted) == (True, False)


def test_a_row_is_found_by_the_due_time_that_held_then(readers: Readers) -> None:
    """An extension of a day moves it out of one day and into the next, from its grant on."""
    story = Story(Scribe(), "a")
    events = [story.submitted(), story.registered(), story.dispatched(), story.acknowledged()]
    due, later = DAWN + timedelta(minutes=1, hours=4), DAWN + timedelta(days=1, hours=4)
    longer = ClockStarted(Clock.HANDLING, LIMIT, later, "extension")
    granted = did.ExtensionGranted(by=LIMIT, due_at=later, started=(longer,))
    events.append(story.step(granted, SUPERVISOR, after=60))
    tell(readers, events)
    noon, next_day = DAWN + timedelta(hours=12), DAWN + timedelta(days=2)
    half_past = Cut(DAWN + timedelta(minutes=30))
    assert asked(readers, first=DAWN, last=noon, by_due=True) == []
    [before] = asked(readers, half_past, first=DAWN, last=noon, by_due=True)
    [after] = asked(readers, first=noon, last=next_day, by_due=True)
    assert (before.due_at, after.due_at) == (due, later)
    assert after.extensions == (LIMIT,)


def test_a_row_is_found_by_the_indicator_that_held_then(readers: Readers) -> None:
    story = Story(Scribe(), "a")
    events = [story.submitted(), story.registered(), story.dispatched(), story.acknowledged()]
    other = did.CaseReclassified(
        indicator="P10", condition="P10-2", reason=story.words("不是盲道"),
        started=(starts(Clock.HANDLING, story.at),),
    )  # fmt: skip
    tell(readers, [*events, story.step(other)])
    [now] = asked(readers, indicator="P10")
    assert now.condition == "P10-2" and asked(readers, indicator="P09") == []
    [then] = asked(readers, Cut(NOW.at, 4), indicator="P09")
    assert then.condition == "a" and asked(readers, Cut(NOW.at, 4), indicator="P10") == []


def test_a_dispatch_is_not_there_before_it_happened(sqlite: Readers) -> None:
    story = Story(Scribe(), "a")
    tell(sqlite, story.whole())
    assert asked(sqlite, Cut(DAWN)) == [] and asked(sqlite, Cut(NOW.at, 2)) == []


# The view is the fold of the log, at every moment of it --------------------------------------


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), steps=st.integers(1, 80))
def test_the_whole_view_cut_at_a_position_is_the_view_of_the_log_up_to_there(
    seed: int, steps: int
) -> None:
    random = Random(seed)
    events = lives(Scribe(), [f"{seed}.{n}" for n in range(4)], random, steps)
    whole = folded(events)
    for end in sorted({random.randrange(len(events) + 1) for _ in range(6)}):
        before = events[:end]
        position = before[-1].position if before else 0
        assert stood(whole, Cut(NOW.at, position)) == stood(folded(before), NOW)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), steps=st.integers(1, 80))
def test_what_the_columns_say_is_what_the_facts_say(seed: int, steps: int) -> None:
    rows = folded(lives(Scribe(), [f"{seed}.{n}" for n in range(4)], Random(seed), steps))
    for row, now in zip(rows, stood(rows, NOW), strict=True):
        assert micros(now.due_at) == row.due_at
        assert row.due_low <= row.due_at <= row.due_high
        assert now.handed_over_at is None or micros(now.handed_over_at) == row.handed_over_at
        assert (now.ended_by, now.street) == (row.ended_by, row.street)


def plainly(history: Sequence[Recorded]) -> list[tuple[object, ...]]:
    """The dispatches of one case told straight from its log, with no regard to speed."""
    told: list[list[object]] = []
    due, handed, end = 2, 3, 4
    for each in history:
        event, now = each.event, told[-1] if told and told[-1][end] is None else None
        assert isinstance(event, did.Fact)
        if isinstance(event, did.CaseRectified) and now:
            now[handed] = each.at
        if isinstance(event, did.ReworkOrdered) and now:
            now[handed] = None
        kinds = {did.CaseClosed: End.ACCEPTED, did.ReturnAccepted: End.RETURNED}
        if type(event) in kinds and now:
            now[end] = kinds[type(event)]
        if isinstance(event, did.CaseDispatched | did.CaseReopened):
            told.append([each.at, str(event.street), event.due_at, None, None])
            now = told[-1]
        for started in event.started:
            if started.clock is Clock.HANDLING and now:
                now[due] = started.due_at
    return [tuple(line) for line in told]


# Lives lived through the rules themselves ----------------------------------------------------


class Life:
    """A case that really was decided: what was refused is left out."""

    def __init__(self, name: str, scribe: Scribe) -> None:
        self.scribe = scribe
        self.stream = uuid5(SPACE, f"stream {name}")
        self.case: Case | None = None
        self.at = MONDAY_9
        self.events: list[Recorded] = []
        self.do(a_submission(number=f"HD{name}"), CITIZEN)

    def do(self, command: ask.Command, by: Actor) -> bool:
        answer = Given(case=self.case).when(command, by, self.at)
        if answer.refusal is not None:
            return False
        self.case = answer.case
        self.events += [self.scribe.record(self.stream, event, self.at, by) for event in answer.own]
        return True

    def wait(self, minutes: int) -> None:
        self.at += timedelta(minutes=minutes)


MORE = Limit(3, Unit.DUTY_HOUR)
DAY = Limit(1, Unit.CALENDAR_DAY)
REASON = words(30)


def moves(life: Life, move: str) -> bool:
    """One thing that people do with a case in hand; whether the rules let them."""
    day = life.at.astimezone(SHANGHAI).date()
    match move:
        case "rectify":
            return life.do(
                ask.Rectify(outcome=Outcome.RECTIFIED, photos=(PHOTO,), words=REASON), STREET
            )
        case "rework" | "counted":
            code = "R02" if move == "rework" else "R01"
            return life.do(ask.OrderRework(code=code, words=REASON), REVIEWER_2)
        case "extend":
            more = DAY if life.case and life.case.indicator == "C01" else MORE
            return life.do(ask.RequestExtension(code="E01", by=more), STREET) and life.do(
                ask.GrantExtension(), SUPERVISOR
            )
        case "suspend":
            wake = ask.RequestSuspension(code="S01", resume_on=day + timedelta(days=2))
            return life.do(wake, LEAD) and life.do(ask.GrantSuspension(), SUPERVISOR)
        case "resume":
            return life.do(ask.Resume(), SUPERVISOR)
        case "reclassify":
            other = "C01" if life.case and life.case.indicator == "P04" else "P04"
            command = ask.Reclassify(indicator=other, condition=f"{other}-1", reason=REASON)
            return life.do(command, SUPERVISOR)
        case "close":
            return life.do(ask.Close(standard_met=True, reply=REASON), REVIEWER_2)
        case "reopen":
            no = ask.Rate(solved=Solved.NO, satisfaction=1, efficiency=1, words=REASON)
            again = ask.Reopen(code="V11", words=REASON, proposal=INSIDE)
            return (
                life.do(no, CITIZEN)
                and life.do(again, SUPERVISOR)
                and life.do(ask.Acknowledge(), STREET)
            )
        case _:
            raise AssertionError(move)


MOVES = (
    "rectify", "rework", "counted", "extend", "suspend", "resume", "reclassify", "close", "reopen",
    "rectify", "close", "reopen",
)  # fmt: skip


def lived(name: str, steps: Sequence[tuple[int, str]]) -> list[Recorded]:
    life = Life(name, Scribe())
    life.wait(10)
    life.do(ask.Register(indicator="P04", condition="P04-1", proposal=INSIDE), REVIEWER)
    life.do(ask.Acknowledge(), STREET)
    for minutes, move in steps:
        life.wait(minutes)
        moves(life, move)
    return life.events


STEPS = st.lists(
    st.tuples(st.sampled_from([0, 1, 30, 119, 240, 480, 1440, 2000]), st.sampled_from(MOVES)),
    max_size=12,
)


WAITED = [(30, "rectify"), (2000, "counted"), (1, "reclassify"), (2400, "rectify")]
"""The wait counts on the new limit, of three days, as it did on the old."""

TWICE = [(30, "rectify"), (1, "close"), (1, "reopen"), (200, "rectify"), (1, "close")]
"""In time by half of eight duty hours."""

OVERNIGHT = [(30, "rectify"), (1, "close"), (1, "reopen"), (470, "extend"), (1440, "rectify")]

RENEWED = [(0, "rectify"), (0, "close"), (0, "reopen"), (0, "reclassify")]
"""Half the limit, until 改类 gives the whole one of another row."""


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
@example(steps=WAITED)
@example(steps=TWICE)
@example(steps=OVERNIGHT)
@example(steps=RENEWED)
def test_judged_by_the_rules_it_was_decided_by_every_handling_comes_out_as_it_did(
    steps: list[tuple[int, str]],
) -> None:
    """Rework of both kinds, suspensions, extensions, 改类, reopened rounds; at every moment."""
    events = lived("a", steps)
    rows = folded(events)
    for each in (*events, None):
        at = each.at if each else events[-1].at + timedelta(days=3)
        handlings = stood(rows, Cut(at, each.position if each else None))
        told = dry_run(handlings, RULES, at)
        for line in told.lines:
            assert (line.newly_late, line.relieved) == ((), ())
        assert told.judged + told.left_out == len(handlings)


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_the_view_tells_what_the_log_tells(steps: list[tuple[int, str]]) -> None:
    events = lived("a", steps)
    rows = folded(events)
    for end in range(1, len(events) + 1):
        found = stood(rows, Cut(events[end - 1].at, events[end - 1].position))
        assert [
            (one.dispatched_at, one.street, one.due_at, one.handed_over_at, one.ended_by)
            for one in found
        ] == plainly(events[:end])
