"""Measures counted by hand, against a plain recount of the log, and the cases behind them."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import Connection, func, select, text

from casework import events as did
from casework.handlings import Cut
from casework.log.port import Recorded
from casework.model import Actor, ActorKind, Clock, ClockStopped, Outcome, Role, Solved
from projections.facts import CASE_FACT, FOREVER, Facts, Flag
from projections.generations import Shelf, SqliteShelf, create
from projections.handlings import Handlings
from projections.measure_catalogue import CATALOGUE, DOUBTS, Direction, Kind, NoSuchMeasure
from projections.measures import By, Figure, Only, Part, cases, compared, measure, only_of, together
from projections.past_handlings import Wanted, past
from projections.periods import Every, month_before, month_named, month_number, period_of, periods
from projections.reading import Readers
from projections.statistics import percent, quantile, wilson
from projections.tables import reading
from projections.timeliness import Period as Due
from projections.timeliness import overall, timeliness
from projections.visits import SAMPLE, UNRATED_AFTER, Why, visits
from tests.projections.histories import (
    LIMIT,
    REVIEWER,
    STREETS,
    VERSIONS,
    ListedLog,
    Scribe,
    Story,
    citizen,
    opener,
    starts,
    stops,
    street_actor,
)

MAY = period_of(Every.MONTH, date(2026, 5, 1))
JUNE = MAY.last
SUPERVISOR = Actor(ActorKind.STAFF, "督甲", roles=(Role.SUPERVISOR,))
T = TypeVar("T")


class Told(Story):
    """A story with the steps that measures tell apart."""

    def late(self, clock: Clock) -> ClockStopped:
        return ClockStopped(clock, 1_000_000, in_time=False, because="test")

    def registered_late(self) -> Recorded:
        return self.step(
            did.CaseRegistered(
                indicator=self.indicator,
                condition="a",
                versions=VERSIONS,
                stopped=(self.late(Clock.REVIEW),),
            )
        )

    def refused(self, code: str = "N01") -> Recorded:
        words = self.words("不在范围")
        return self.step(did.CaseRefused(code=code, words=words, stopped=(stops(Clock.REVIEW),)))

    def returned(self, code: str) -> Recorded:
        event = did.ReturnAccepted(street=self.street, code=code, stopped=(stops(Clock.HANDLING),),
                                   started=(starts(Clock.DISPATCH, self.at, 0.25),))  # fmt: skip
        return self.step(event)

    def reworked(self, code: str = "R02", hours: float = 4) -> Recorded:
        event = did.ReworkOrdered(
            code=code,
            words=self.words("再清"),
            stopped=(stops(Clock.VERIFICATION),),
            started=(starts(Clock.HANDLING, self.at, hours),),
        )
        return self.step(event)

    def extended(self) -> Recorded:
        due = self.at + timedelta(hours=8)
        started = (starts(Clock.HANDLING, self.at, 8),)
        return self.step(did.ExtensionGranted(by=LIMIT, due_at=due, started=started), SUPERVISOR)

    def suspended(self) -> Recorded:
        event = did.CaseSuspended(
            code="S01", resume_on=date(2026, 7, 1), stopped=(stops(Clock.HANDLING, final=False),)
        )
        return self.step(event, SUPERVISOR)

    def resumed(self) -> Recorded:
        due = self.at + timedelta(hours=4)
        return self.step(did.CaseResumed(due_at=due, started=(starts(Clock.HANDLING, self.at),)))

    def transferred(self) -> Recorded:
        return self.step(did.CaseTransferred(body="排水集团", number="1"), SUPERVISOR)

    def force_closed(self) -> Recorded:
        return self.step(did.CaseForceClosed(code="F01"), SUPERVISOR)

    def found_nothing(self) -> Recorded:
        event = did.CaseRectified(
            street=self.street,
            outcome=Outcome.NOT_FOUND,
            photos=(),
            words=self.words("现场未见"),
            stopped=(stops(Clock.HANDLING, final=False),),
            started=(starts(Clock.VERIFICATION, self.at, 2),),
        )
        return self.step(event, street_actor(self.street))

    def rated_with(
        self, solved: Solved, satisfaction: int, efficiency: int = 4, round_: int = 1
    ) -> Recorded:
        event = did.CaseRated(
            person=self.person, round=round_, solved=solved, satisfaction=satisfaction,
            efficiency=efficiency,
        )  # fmt: skip
        return self.step(event, citizen(self.person))

    def reopened(self, code: str = "V11", round_: int = 2) -> Recorded:
        due = self.at + timedelta(hours=2)
        event = did.CaseReopened(
            code=code,
            words=self.words("没有解决"),
            street=self.street,
            assignment=self.assignment(),
            limit=LIMIT,
            due_at=due,
            round=round_,
            started=(starts(Clock.HANDLING, self.at, 2),),
        )
        return self.step(event)

    def visited(self, solved: Solved | None) -> Recorded:
        return self.step(did.VisitRecorded(words=self.words("电话回访"), solved=solved))

    def appeal_upheld(self) -> Recorded:
        return self.step(did.AppealUpheld(code="A02"), SUPERVISOR)

    def appeal_dismissed(self) -> Recorded:
        return self.step(did.AppealDismissed(code="AD1"), SUPERVISOR)


class Town:
    """Cases told step by step, and what is measured of them."""

    def __init__(self, readers: Readers) -> None:
        self.readers = readers
        self.scribe = Scribe()
        self.log = ListedLog()
        self.made = 0

    def story(
        self,
        street: int = 0,
        at: datetime = datetime(2026, 5, 6, 1, tzinfo=UTC),
        place: tuple[float, float] = (116.31, 39.98),
    ) -> Told:
        self.made += 1
        return Told(self.scribe, f"{self.made}", street=STREETS[street], at=at, place=place)

    def ask(self, work: Callable[[Connection], T]) -> T:
        while self.readers.step(self.log):
            pass
        with reading(self.readers.engine) as connection:
            return work(connection)

    def figures(
        self, name: str, by: By | None = None, *, as_of: Cut | None = None, variant: str = "",
        only: Only | None = None,
    ) -> list[Figure]:  # fmt: skip
        only = only or Only()
        return self.ask(
            lambda c: measure(
                c, name, MAY, now=JUNE, by=by, as_of=as_of, variant=variant, only=only
            )
        )

    def counts(self, name: str, variant: str = "", as_of: Cut | None = None) -> tuple[float, int]:
        """Numerator and denominator of the whole month."""
        (found,) = self.figures(name, variant=variant, as_of=as_of)
        return found.numerator, found.denominator


@pytest.fixture
def town(make_readers: Callable[..., Readers]) -> Town:
    return Town(make_readers([Facts()]))


def begun(story: Told, hours: float = 4) -> list[Recorded]:
    """Up to the 签收."""
    return [story.submitted(), story.registered(), story.dispatched(hours), story.acknowledged()]


def by_staff(report: Recorded) -> Recorded:
    """The report as one that somebody of the staff entered."""
    return replace(report, actor=REVIEWER)


def after(story: Told, minutes: float) -> Told:
    story.at += timedelta(minutes=minutes)
    return story


# Hand-counted --------------------------------------------------------------------------------


def test_the_published_example_972_due_911_closed_737_in_time(town: Town) -> None:
    for n in range(972):
        story = town.story(n % 3)
        town.log.add(*begun(story))
        if n < 911:
            after(story, 60 if n < 737 else 600)
            town.log.add(story.rectified(), story.closed())
    (closed,), (in_time,) = town.figures("closed"), town.figures("closed_in_time")
    assert (closed.numerator, closed.denominator, closed.value) == (911, 972, 93.72)
    assert (in_time.numerator, in_time.denominator, in_time.value) == (737, 972, 75.82)
    assert town.counts("handled_in_time") == (737, 972)
    streets = town.figures("closed", By.STREET)
    assert [each.key for each in streets] == list(STREETS[:3])
    assert sum(each.numerator for each in streets) == 911
    assert {each.rank for each in streets} <= {1, 2, 3} and all(each.enough for each in streets)
    behind = town.ask(lambda c: cases(c, "closed", MAY, now=JUNE, part=Part.REST, limit=100))
    assert behind.total == 61 and not any(row.counted or row.closed_at for row in behind.rows)


def test_each_measure_of_a_month_that_a_clerk_can_count(town: Town) -> None:
    """Nine reports: each line tells one, and what it adds."""
    plain, late, again, back, far, none, waits, staff, no = (town.story() for _ in range(9))
    town.log.add(*begun(plain), plain.rectified(), plain.closed())
    town.log.add(plain.rated_with(Solved.YES, 5), plain.visited(Solved.YES))
    town.log.add(*begun(late), late.extended(), after(late, 600).rectified(), late.closed())
    town.log.add(late.rated_with(Solved.NO, 2, 1), late.visited(Solved.YES), late.appeal_upheld())
    town.log.add(*begun(again), again.rectified(), again.reworked("R05"), again.rectified())
    town.log.add(again.closed(), again.reopened("V13"), again.rectified(), again.closed())
    town.log.add(*begun(back), back.returned("T01"), back.dispatched(4), back.found_nothing())
    town.log.add(back.closed(), back.appeal_dismissed())
    town.log.add(*begun(far), far.transferred())
    town.log.add(none.submitted(), none.registered_late(), none.force_closed())
    town.log.add(*begun(waits), waits.suspended())
    town.log.add(*begun(staff), staff.rectified(), staff.closed())
    town.log.add(no.submitted(), no.refused())

    counted = {name: town.counts(name) for name in CATALOGUE}
    assert {name: counted[name] for name in EXPECTED} == EXPECTED
    assert {asked: town.counts(*asked) for asked in OTHERWISE} == OTHERWISE
    (efficiency,) = town.figures("efficiency")
    assert efficiency.value == 2.5
    (refusals,) = town.figures("refusals", By.CODE)
    assert (refusals.key, refusals.value) == ("N01", 1)
    exempted = town.ask(lambda c: cases(c, "handled", MAY, now=JUNE, part=Part.EXEMPTED))
    assert [row.number for row in exempted.rows] == [late.number]
    [stage] = town.figures("backlog", By.STAGE)
    assert (stage.key, stage.value) == ("suspended", 1)


EXPECTED: dict[str, tuple[float, int]] = {
    "reports": (9, 9),
    "accepted": (8, 9),
    "registered": (8, 8),
    "review_in_time": (8, 9),
    "response": (7, 9),  # the second dispatch of `back` and the reopening are not acknowledged
    "dispatch_accuracy": (8, 9),
    "returned": (1, 9),
    "handled": (6, 8),  # taken from the first street before it was due: one of nine is out
    "handled_in_time": (5, 8),
    "closed": (6, 8),
    "closed_in_time": (5, 8),
    "first_time": (
        2,
        8,
    ),  # plain and staff: `back` was closed at once, but only by the second street
    "rework": (1, 6),
    "extension": (1, 8),
    "suspension": (1, 8),
    "reopened": (1, 8),
    "solved": (1, 2),
    "satisfied": (1, 2),
    "rated": (2, 8),
    "not_found": (1, 8),
    "transferred": (1, 8),
    "force_closed": (1, 8),
    "false_rectified": (1, 6),
    "appeals_upheld": (1, 2),
    "visits_agree": (1, 2),
    "backlog": (1, 1),
    "suspended": (1, 1),
    "closings": (8, 8),
    "refusals": (1, 1),
    "hotspots": (8, 8),
}

OTHERWISE: dict[tuple[str, str], tuple[float, int]] = {
    ("handled", "exempted"): (5, 7),
    ("handled_in_time", "exempted"): (5, 7),
    ("closed", "without_suspended"): (6, 7),
    ("closed", "exempted"): (5, 7),
    ("closed_in_time", "without_suspended"): (5, 7),
    ("closed_in_time", "exempted"): (5, 7),
    ("solved", "first_round"): (1, 2),
    ("satisfied", "unrated_satisfied"): (7, 8),
}


def test_staff_reports_are_out_of_satisfaction_and_told_apart(town: Town) -> None:
    own, other = town.story(), town.story()
    town.log.add(
        by_staff(own.submitted()),
        own.registered(),
        own.dispatched(),
        own.acknowledged(),
        own.rectified(),
    )
    town.log.add(own.closed(), own.rated_with(Solved.YES, 5))
    town.log.add(*begun(other), other.rectified(), other.closed(), other.rated_with(Solved.NO, 1))
    assert town.counts("satisfied") == (0, 1) and town.counts("rated") == (1, 1)
    assert town.counts("satisfied", "staff_entered") == (1, 1)
    assert town.counts("reports", "staff_entered") == (1, 1)
    assert town.counts("reports", "by_residents") == (1, 1)


def test_a_row_belongs_to_the_month_of_the_moment_that_its_measure_names(town: Town) -> None:
    """Each story goes over the end of April one step later than the one before."""
    april = datetime(2026, 4, 30, 15, tzinfo=UTC)  # eleven at night in Haidian
    reported, dispatched, handed = (town.story(at=april) for _ in range(3))
    town.log.add(reported.submitted(), after(reported, 90).registered(), reported.dispatched(1))
    town.log.add(reported.returned("T05"), reported.dispatched(1), reported.acknowledged())
    town.log.add(reported.rectified(), reported.closed())
    town.log.add(*begun(dispatched, 0.5), after(dispatched, 90).rectified(), dispatched.closed())
    town.log.add(*begun(handed), handed.rectified(), after(handed, 90).closed())
    wanted = {
        "reports": 0, "review_in_time": 0, "hotspots": 0,  # when they came in
        "accepted": 1, "registered": 1, "dispatch_in_time": 1,  # when they were reviewed
        "acknowledge_in_time": 2, "response": 2, "dispatch_accuracy": 2, "returned": 2,
        "handled": 2, "handled_in_time": 2, "extension": 2, "suspension": 2,  # when they were due
        "verification_in_time": 2, "handling_time": 2, "rework": 2, "false_rectified": 2,
        "closed": 2, "closed_in_time": 2,
        "closings": 3, "first_time": 3, "rebound": 3, "rated": 3, "reopened": 3, "not_found": 3,
        "transferred": 3, "force_closed": 3,
    }  # fmt: skip
    town.log.add(handed.rated_with(Solved.YES, 5), handed.visited(Solved.YES))
    wanted |= dict.fromkeys(("solved", "satisfied", "efficiency", "visits_agree"), 1)
    assert {name: town.counts(name)[1] for name in wanted} == wanted
    steps = {each: town.counts("step_time", each)[1] for each in CATALOGUE["step_time"].variants}
    assert steps == {"dispatch": 2, "acknowledge": 1, "handling": 2, "verification": 3}
    assert town.counts("step_time") == (91, 1), (
        "minutes of the review, one of them that of its step"
    )


def test_rounds_and_who_entered_them_are_told_apart(town: Town) -> None:
    again, own, silent = town.story(), town.story(), town.story()
    town.log.add(*begun(again), again.rectified(), again.closed(), again.rated_with(Solved.NO, 1))
    town.log.add(again.reopened(), again.acknowledged(), again.rectified(), again.closed())
    town.log.add(again.rated_with(Solved.YES, 5, round_=2))
    for story in (own, silent):
        town.log.add(by_staff(story.submitted()), story.registered(), story.dispatched())
        town.log.add(story.acknowledged(), story.rectified(), story.closed())
    town.log.add(own.rated_with(Solved.YES, 4))
    for name in ("solved", "satisfied"):
        assert town.counts(name) == (1, 2)
        assert town.counts(name, "first_round") == (0, 1)
        assert town.counts(name, "final") == (1, 1)
        assert town.counts(name, "staff_entered") == (1, 1)
    assert town.counts("satisfied", "unrated_satisfied") == (1, 2)
    assert town.counts("rated") == (2, 2) and town.counts("rated", "staff_entered") == (1, 2)
    assert town.counts("first_time") == (2, 4), "nor is it at once where it was reopened"
    assert town.counts("reports", "staff_entered") == (2, 2)
    assert town.counts("reports", "by_residents") == (1, 1)


def test_how_old_what_waits_is_and_what_of_it_is_over(town: Town) -> None:
    for days, hours in ((0.5, 24), (2, 24), (10, 24 * 30), (40, 4)):
        town.log.add(*begun(town.story(at=MAY.last - timedelta(days=days)), hours))
    only_reported = town.story(at=MAY.last - timedelta(days=8))
    town.log.add(only_reported.submitted())
    assert town.counts("backlog") == (5, 5)
    ages = {each: int(town.counts("backlog", each)[0]) for each in CATALOGUE["backlog"].variants}
    assert ages == {"over_1_day": 4, "over_7_days": 3, "over_30_days": 1, "overdue": 2}
    assert town.counts("due_soon") == (1, 1)
    assert town.counts("suspended") == (0, 0)


def test_a_case_that_was_merged_is_accepted_and_not_registered(town: Town) -> None:
    primary, twin, refused = town.story(), town.story(), town.story()
    town.log.add(primary.submitted(), primary.registered(), twin.submitted())
    event = did.CaseMerged(primary=primary.stream, primary_number=primary.number)
    town.log.add(twin.step(event), refused.submitted(), refused.refused())
    assert town.counts("accepted") == (2, 3) and town.counts("registered") == (1, 2)


def test_a_special_period_may_be_left_out_of_the_reckoning(town: Town) -> None:
    """Due after two hours, had nobody declared one; handed over after three of its five."""
    for at in (datetime(2026, 5, 6, 1, tzinfo=UTC), MAY.last - timedelta(hours=4)):
        story = town.story(at=at)
        town.log.add(story.submitted(), story.registered())
        sent = story.dispatched(5)
        acknowledge, handling = sent.event.started  # type: ignore[attr-defined]
        plain = replace(handling, plain_due_at=sent.at + timedelta(hours=2), plain_limit=LIMIT)
        event = replace(sent.event, started=(acknowledge, plain))
        town.log.add(replace(sent, event=event), after(story, 180).rectified(), story.closed())
    assert town.counts("handled_in_time") == (1, 1), "the second falls due in June"
    assert town.counts("handled_in_time", "plain") == (0, 2)


def test_time_is_told_as_it_passes_and_as_its_clock_counts(town: Town) -> None:
    story = town.story()
    town.log.add(*begun(story))
    rectified = after(story, 120).rectified()
    counted = ClockStopped(Clock.HANDLING, 30 * 60_000_000, True, "test", final=False)
    event = replace(rectified.event, stopped=(counted,))
    town.log.add(replace(rectified, event=event), story.closed())
    assert town.counts("handling_time") == (122, 1), "from the dispatch, a minute a step"
    assert town.counts("handling_time", "limit_time") == (30, 1)
    other = town.story()
    town.log.add(*begun(other), other.rectified(), other.force_closed())
    assert town.counts("handling_time")[1] == 2
    assert town.counts("step_time", "verification")[1] == 1, "nobody verified the other"


def test_in_time_is_what_was_verified_and_what_was_signed_for_in_time(town: Town) -> None:
    waits, late = town.story(), town.story()
    town.log.add(*begun(waits), waits.rectified())
    town.log.add(late.submitted(), late.registered(), late.dispatched())
    stopped = (late.late(Clock.ACKNOWLEDGE),)
    town.log.add(late.step(did.CaseAcknowledged(street=late.street, stopped=stopped)))
    assert town.counts("handled_in_time") == (0, 2), "handed over in time, verified by nobody"
    assert town.counts("response") == town.counts("acknowledge_in_time") == (1, 2)


def test_each_step_is_told_with_its_own_time(town: Town) -> None:
    story = town.story()
    town.log.add(story.submitted(), after(story, 9).registered(), after(story, 19).dispatched(9))
    town.log.add(after(story, 29).acknowledged(), after(story, 39).rectified())
    town.log.add(after(story, 49).closed())
    steps = {each: town.counts("step_time", each)[0] for each in CATALOGUE["step_time"].variants}
    assert town.counts("step_time") == (10, 1)
    assert steps == {"dispatch": 20, "acknowledge": 30, "handling": 70, "verification": 50}


def test_what_lacks_what_figures_rest_on_is_counted_in_its_month(town: Town) -> None:
    may = datetime(2026, 5, 6, 1, tzinfo=UTC)
    for at in (may, may - timedelta(days=30)):  # the same in April, which is another month's
        nowhere, nothing, odd, shown = (town.story(at=at) for _ in range(4))
        report = nowhere.submitted()
        unsure = replace(report.event.assignment, street=None)  # type: ignore[attr-defined]
        town.log.add(replace(report, event=replace(report.event, assignment=unsure)))
        report = nothing.submitted()
        town.log.add(replace(report, event=replace(report.event, indicator=None)))
        report = shown.submitted()
        town.log.add(replace(report, event=replace(report.event, demonstration=True)))
        town.log.add(*begun(odd))
        handed = odd.rectified()
        town.log.add(replace(handed, at=handed.at - timedelta(hours=1)))
    found = {name: town.counts(name)[0] for name in DOUBTS}
    # No fact of a dispatch that is written today lacks its due time.
    assert found == dict.fromkeys(DOUBTS, 1) | {"without_due": 0}


def test_an_appeal_counts_when_it_is_decided_and_one_that_was_dismissed_too(town: Town) -> None:
    for decided in (Told.appeal_upheld, Told.appeal_dismissed, Told.appeal_dismissed):
        story = town.story()
        town.log.add(*begun(story), story.rectified(), story.closed(), decided(story))
    assert town.counts("appeals_upheld") == (1, 3)


def test_several_reporters_are_as_content_as_the_least_content(town: Town) -> None:
    story = town.story()
    town.log.add(*begun(story), story.rectified(), story.closed())
    town.log.add(story.rated_with(Solved.YES, 5, 5), story.rated_with(Solved.PARTLY, 3, 2))
    assert town.counts("solved") == (0, 1) and town.counts("satisfied") == (0, 1)
    assert town.counts("efficiency") == (7, 2)


def test_the_same_thing_in_the_same_cell_within_thirty_days_is_a_rebound(town: Town) -> None:
    first, other = town.story(), town.story(place=(116.33, 39.97))
    for story in (first, other):
        town.log.add(*begun(story), story.rectified(), story.closed())
    assert town.counts("rebound") == (0, 2)
    again = town.story(at=first.at + timedelta(days=10))
    town.log.add(again.submitted())
    assert town.counts("rebound") == (0, 2)  # not registered yet
    town.log.add(again.registered())
    assert town.counts("rebound") == (1, 2)
    assert town.counts("rebound", "within_7_days") == (0, 2)
    before = town.log.head() - 1
    assert town.counts("rebound", as_of=Cut(JUNE, before)) == (0, 2), "as the log stood then"
    assert town.counts("rebound", as_of=Cut(JUNE, before + 1)) == (1, 2)
    hot = town.figures("hotspots", By.CELL)
    assert [each.value for each in hot] == [2, 1] and hot[0].key.startswith("E")


def test_a_case_counts_for_each_street_with_its_own_minutes(town: Town) -> None:
    story = town.story(0)
    town.log.add(*begun(story), after(story, 300).returned("T03"))
    story.street = STREETS[1]
    town.log.add(story.dispatched(4), story.acknowledged(), after(story, 59).rectified())
    town.log.add(story.closed())
    (first, second) = town.figures("handled_in_time", By.STREET)
    assert (first.key, first.numerator, first.denominator) == (STREETS[0], 0, 1)
    assert (second.key, second.numerator, second.denominator) == (STREETS[1], 1, 1)
    (spent,) = town.figures("handling_time", By.STREET)
    assert (spent.key, spent.value, spent.p90, spent.n) == (STREETS[1], 61, 61, 1)
    assert [each.denominator for each in town.figures("closed", By.STREET)] == [1]


def test_what_is_not_due_yet_is_in_no_denominator(town: Town) -> None:
    story = town.story(at=datetime(2026, 5, 31, 10, tzinfo=UTC))
    town.log.add(*begun(story, hours=3))
    before = Cut(datetime(2026, 5, 31, 11, tzinfo=UTC))
    assert town.counts("handled", as_of=before) == (0, 0)
    waits = town.story(at=before.at - timedelta(minutes=5))
    town.log.add(waits.submitted())
    assert town.counts("review_in_time", as_of=before) == (1, 1), "it may still be in time"
    assert town.counts("review_in_time") == (1, 2)
    assert town.counts("due_soon", as_of=before) == (1, 1)
    assert town.counts("handled") == (0, 1)
    assert town.counts("backlog") == (2, 2) and town.counts("backlog", "overdue") == (1, 1)


def test_a_month_is_told_as_of_its_end_unless_another_moment_is_asked(town: Town) -> None:
    story = town.story(at=datetime(2026, 5, 31, 1, tzinfo=UTC))
    town.log.add(*begun(story))
    after(story, 60 * 24)
    done = story.rectified()
    town.log.add(done, story.closed())
    assert town.counts("closed") == (0, 1)
    later = Cut(datetime(2026, 6, 3, tzinfo=UTC))
    assert town.counts("closed", as_of=later) == (1, 1)
    assert town.counts("closed", as_of=Cut(done.at, done.position)) == (0, 1)
    assert town.counts("closed", as_of=Cut(later.at, done.position + 1)) == (1, 1)
    assert town.counts("backlog") == (1, 1)


def test_an_indicator_may_be_asked_for_and_told_apart(town: Town) -> None:
    story, other = town.story(), town.story()
    other.indicator = "X77"
    town.log.add(story.submitted(), other.submitted())
    assert [each.key for each in town.figures("reports", By.INDICATOR)] == ["P09", "X77"]
    (only,) = town.figures("reports", only=Only(indicator="X77"))
    assert only.value == 1


def test_reports_per_square_kilometre_are_not_ranked(town: Town) -> None:
    town.log.add(*(town.story(n % 2).submitted() for n in range(40)))
    weights = {str(STREETS[0]): 4.0}
    found = town.ask(lambda c: measure(c, "reports", MAY, now=JUNE, by=By.STREET, weights=weights))
    assert [(each.value, each.rank) for each in found] == [(5.0, None), (None, None)]


def test_of_what_nobody_rated_one_in_twenty_is_asked_about_the_same_each_time(town: Town) -> None:
    stories = [town.story() for _ in range(120)]
    for story in stories:
        town.log.add(*begun(story), story.rectified(), story.closed())
    now = stories[-1].at + UNRATED_AFTER
    assert town.ask(lambda c: visits(c, now - timedelta(days=3))) == (0, [])
    total, found = town.ask(lambda c: visits(c, now + timedelta(days=1), limit=3))
    sampled = {story.number for story in stories if story.stream.bytes[0] < SAMPLE}
    assert total == len(sampled) > 0
    assert {each.number for each in found} <= sampled and len(found) == min(3, total)
    assert {each.why for each in found} == {Why.UNRATED}


def test_names_that_are_not_in_the_catalogue_are_told(town: Town) -> None:
    with pytest.raises(NoSuchMeasure):
        town.figures("nothing")
    with pytest.raises(NoSuchMeasure):
        town.figures("closed", variant="nothing")


# Periods and statistics ----------------------------------------------------------------------


def test_periods_lie_in_shanghai() -> None:
    assert MAY.first == datetime(2026, 4, 30, 16, tzinfo=UTC) and MAY.name == "2026-05"
    assert (MAY.before().name, MAY.year_before().name) == ("2026-04", "2025-05")
    week = period_of(Every.WEEK, date(2026, 1, 1))
    assert (week.name, week.first.date(), week.before().name) == (
        "2026-W01", date(2025, 12, 29), "2025-W52",
    )  # fmt: skip
    quarter = period_of(Every.QUARTER, date(2026, 5, 31))
    assert (quarter.name, quarter.last.date()) == ("2026-Q2", date(2026, 7, 1))
    assert period_of(Every.DAY, date(2024, 2, 29)).year_before().name == "2023-02-28"
    names = [each.name for each in periods(Every.MONTH, date(2025, 11, 30), date(2026, 1, 1))]
    assert names == ["2025-11", "2025-12", "2026-01"]
    assert month_named("2026-05") == MAY
    late = datetime.fromisoformat("2026-02-28T16:30:00+00:00")  # half past midnight in Shanghai
    assert (month_before(late).name, month_number(late)) == ("2026-02", 202603)


@given(st.dates(date(2000, 1, 1), date(2099, 1, 1)), st.sampled_from(Every))
def test_periods_follow_one_another_without_gap(on: date, every: Every) -> None:
    period = period_of(every, on)
    assert period.first.date() <= on < period.last.date()
    after_ = period_of(every, period.last.date())
    assert after_.first == period.last and after_.before() == period


def test_percentages_and_intervals_are_those_of_the_books() -> None:
    assert percent(911, 972) == 93.72 and percent(737, 972) == 75.82 and percent(1, 0) is None
    assert percent(1, 3) == 33.33 and percent(2, 3) == 66.67 and percent(1, 800) == 0.13
    assert wilson(0, 0) is None and wilson(10, 10) == (72.25, 100.0)
    assert wilson(5, 10) == (23.66, 76.34)  # Wilson's score interval without correction
    assert [quantile([1, 2, 3, 4], share) for share in (0.5, 0.9, 1.0)] == [2, 4, 4]


def test_a_change_is_told_where_both_have_a_value() -> None:
    def figure(period: str, value: float | None) -> Figure:
        return Figure(period=period, key="", numerator=0, denominator=0, value=value, n=0)

    now = [figure("2026-05", 93.72), figure("2026-06", None)]
    before = [figure("2026-04", 90.0), figure("2026-05", 93.72)]
    names = {"2026-05": "2026-04", "2026-06": "2026-05"}
    assert compared(now, before, names) == {("2026-05", ""): 3.72, ("2026-06", ""): None}


def test_every_measure_is_whole() -> None:
    for name, each in CATALOGUE.items():
        assert each.name == name and each.title and each.formula.endswith("。")
        assert set(each.beside) <= set(CATALOGUE)
        if "按期" in each.title:
            honest = {"not_found", "transferred", "force_closed", "false_rectified"}
            assert honest <= set(each.beside)
        if each.kind in {Kind.COUNT, Kind.STOCK}:
            assert each.direction is Direction.NEITHER
    assert CATALOGUE["satisfied"].beside == ("rated",)


# Against a plain recount ----------------------------------------------------------------------


def random_lives(seed: int, count: int) -> list[Recorded]:
    """Cases that live by the rules, at random."""
    random, scribe = Random(seed), Scribe()
    told: list[Recorded] = []
    for n in range(count):
        at = datetime(2026, 4, 25, tzinfo=UTC) + timedelta(minutes=random.randrange(60 * 24 * 40))
        story = Told(scribe, f"{seed}-{n}", street=random.choice(STREETS[:3]), at=at)
        told += _life(story, random)
    return told


def _life(story: Told, random: Random) -> Iterator[Recorded]:  # noqa: C901, PLR0912  one branch a turn of fate
    def passes() -> Told:
        return after(story, random.choice((1, 20, 90, 300, 3000)))

    yield story.submitted()
    if random.random() < 0.1:
        yield passes().refused(random.choice(("N01", "N03")))
        return
    yield random.choice((passes().registered, passes().registered_late))()
    for round_ in (1, 2, 3):
        if round_ == 1:
            yield passes().dispatched(random.choice((2, 4, 24)))
            while random.random() < 0.2:
                yield passes().returned(random.choice(("T01", "T04")))
                story.street = random.choice(STREETS[:3])
                yield passes().dispatched(4)
        if random.random() < 0.9:
            yield passes().acknowledged()
        if random.random() < 0.2:
            yield passes().extended()
        if random.random() < 0.2:
            yield passes().suspended()
            yield passes().resumed()
        end = random.random()
        if end < 0.1:
            return
        if end < 0.2:
            yield random.choice((passes().transferred, passes().force_closed))()
            return
        yield passes().rectified()
        while random.random() < 0.3:
            yield passes().reworked(random.choice(("R02", "R05")))
            yield passes().rectified()
        yield passes().closed()
        if random.random() < 0.5:
            yield passes().rated_with(random.choice((*Solved,)), random.randint(1, 5))
        if random.random() < 0.2:
            yield random.choice((passes().appeal_upheld, passes().appeal_dismissed))()
        if random.random() < 0.7:
            return
        yield passes().reopened(random.choice(("V11", "V13")), round_ + 1)


class Recount:
    """The same counts by a plain reading of the events up to a cut: no rows, no flags."""

    def __init__(self, events: Sequence[Recorded], cut: Cut) -> None:
        self.cut = cut
        self.stays: list[tuple[str, list[Recorded]]] = []
        self.reports: list[list[Recorded]] = []
        lives: dict[object, list[Recorded]] = {}
        for each in events:
            kept = each.at <= cut.at if cut.position is None else each.position <= cut.position
            if kept:
                lives.setdefault(each.stream, []).append(each)
        for life in lives.values():
            self.reports.append(life)
            starts_ = [n for n, told in enumerate(life) if isinstance(told.event, _DISPATCH)]
            for first, last in zip(starts_, [*starts_, len(life)][1:], strict=True):
                # What ends by a reopening still tells that it was reopened.
                event = life[first].event
                assert isinstance(event, _DISPATCH)
                self.stays.append((str(event.street), life[first : last + 1]))

    def due(self, stay: list[Recorded]) -> datetime:
        facts = [each.event for each in self.own(stay) if isinstance(each.event, did.Fact)]
        return [s.due_at for f in facts for s in f.started if s.clock is Clock.HANDLING][-1]

    def own(self, stay: list[Recorded]) -> list[Recorded]:
        """Without the dispatch that ended it."""
        return [stay[0], *(each for each in stay[1:] if not isinstance(each.event, _DISPATCH))]

    def handled(self, street: str) -> tuple[int, int]:
        """(in time and accepted, due) of the month."""
        due = in_time = 0
        for whose, stay in self.stays:
            own = self.own(stay)
            due_at, kinds = self.due(stay), [type(each.event) for each in own]
            taken = [each.at for each in own if isinstance(each.event, did.ReturnAccepted)]
            if whose != street or not MAY.first <= due_at < min(MAY.last, self.cut.at):
                continue
            if taken and taken[0] <= due_at:
                continue
            due += 1
            handed = [each.at for each in own if isinstance(each.event, did.CaseRectified)]
            in_time += did.CaseClosed in kinds and handed[-1] <= due_at
        return in_time, due

    def share(
        self, when: type[did.Fact], what: Callable[[list[Recorded]], bool]
    ) -> tuple[int, int]:
        """Of the stays whose last such event lies in the month, those of which it holds."""
        found = [
            stay
            for _street, stay in self.stays
            if any(isinstance(e.event, when) for e in self.own(stay))
            and MAY.first
            <= [e.at for e in self.own(stay) if isinstance(e.event, when)][-1]
            < MAY.last
        ]
        return sum(what(stay) for stay in found), len(found)

    def open(self) -> int:
        ends = (did.CaseRefused, did.CaseClosed, did.CaseTransferred, did.CaseForceClosed)
        found = 0
        for life in self.reports:
            state = [
                e for e in life if isinstance(e.event, (*ends, *_DISPATCH, did.ReportSubmitted))
            ]
            found += not isinstance(state[-1].event, ends)
        return found


_DISPATCH = (did.CaseDispatched, did.CaseReopened)


def _any(*kinds: type[did.Fact]) -> Callable[[list[Recorded]], bool]:
    return lambda stay: any(isinstance(each.event, kinds) for each in stay[1:])


def published(readers: Readers, cut: Cut) -> tuple[int, int]:
    """按期处置率 as the handlings with their facts tell it: numerator and denominator."""
    wanted = Wanted(first=MAY.first, last=MAY.last, cut=cut, by_due=True)
    with reading(readers.engine) as connection:
        lines = timeliness(past(connection, wanted), Due(MAY.first, MAY.last, cut))
    return overall(lines).frozen.in_time, overall(lines).frozen.due


def agree(readers: Readers, events: Sequence[Recorded], cut: Cut) -> None:
    plain = Recount(events, cut)
    with reading(readers.engine) as connection:

        def counts(name: str, only: Only | None = None) -> tuple[float, int]:
            told = measure(connection, name, MAY, now=JUNE, as_of=cut, only=only or Only())
            return (told[0].numerator, told[0].denominator) if told else (0, 0)

        for street in STREETS[:3]:
            assert counts("handled_in_time", Only(street=street)) == plain.handled(street)
        assert counts("handled_in_time") == published(readers, cut)
        assert counts("rework") == plain.share(did.CaseRectified, _any(did.ReworkOrdered))
        returned = plain.share(did.CaseDispatched, _any(did.ReturnAccepted))
        reopened_too = plain.share(did.CaseReopened, _any(did.ReturnAccepted))
        assert counts("returned") == (returned[0] + reopened_too[0], returned[1] + reopened_too[1])
        reopened = plain.share(did.CaseClosed, _any(did.CaseReopened))
        moved = plain.share(did.CaseTransferred, _any(did.CaseReopened))
        forced = plain.share(did.CaseForceClosed, _any(did.CaseReopened))
        assert counts("reopened") == (reopened[0], reopened[1] + moved[1] + forced[1])
        rated = plain.share(did.CaseClosed, _any(did.CaseRated))
        assert counts("rated") == (rated[0], rated[1] + moved[1] + forced[1])
        if MAY.first <= cut.at:
            assert counts("backlog") == (plain.open(), plain.open())


CUTS = [
    Cut(JUNE),
    Cut(datetime(2026, 5, 10, 3, tzinfo=UTC)),
    Cut(datetime(2026, 5, 20, 3, tzinfo=UTC)),
    Cut(JUNE, 40),
    Cut(JUNE, 150),
]


@settings(max_examples=12)
@given(seed=st.integers(0, 10**9))
def test_counts_equal_a_plain_recount_of_the_log(make_log: "Made", seed: int) -> None:
    events = random_lives(seed, 25)
    readers, done = make_log(events)
    for cut in CUTS:
        agree(readers, events, cut)
    done()


Made = Callable[[Sequence[Recorded]], tuple[Readers, Callable[[], None]]]


@pytest.fixture(scope="module")
def make_log(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Readers that have read the events, and how to let go of them."""
    shelf = SqliteShelf(tmp_path_factory.mktemp("facts"))
    taken = iter(range(1, 10**6))

    def made(events: Sequence[Recorded]) -> tuple[Readers, Callable[[], None]]:
        name = f"f_{next(taken)}"
        readers = _read(shelf, name, events)
        return readers, readers.engine.dispose

    return made


def _read(shelf: Shelf, name: str, events: Sequence[Recorded]) -> Readers:
    shelf.make(name)
    engine = shelf.open(name)
    create(engine, name, [Facts(), Handlings()])
    readers = Readers(engine, name, [Facts(), Handlings()], opener())
    log = ListedLog(events)
    while readers.step(log, 37):
        pass
    assert readers.positions() == {"facts": log.head(), "handlings": log.head()}
    return readers


EVERY_WANTED = [(name, each) for name, of in CATALOGUE.items() for each in ("", *of.variants)]


def asked_at_once_is_asked_one_by_one(readers: Readers, cut: Cut, by: By | None) -> None:
    with reading(readers.engine) as connection:
        told = together(connection, EVERY_WANTED, MAY, now=JUNE, by=by, as_of=cut)
        for name, variant in EVERY_WANTED:
            single = measure(connection, name, MAY, now=JUNE, by=by, as_of=cut, variant=variant)
            assert told[name, variant] == single, (name, variant, by, cut)


@settings(max_examples=3)
@given(seed=st.integers(0, 10**9))
def test_what_is_asked_at_once_is_what_is_asked_one_by_one(make_log: "Made", seed: int) -> None:
    readers, done = make_log(random_lives(seed, 25))
    for cut in (CUTS[0], CUTS[2], CUTS[3]):
        for by in (None, By.STREET):
            asked_at_once_is_asked_one_by_one(readers, cut, by)
    done()


def test_every_key_that_tells_apart_can_be_asked_for_alone(town: Town) -> None:
    """Each row of a table leads to its cases: as many as it counts, also where a key is empty."""
    town.log.add(*random_lives(7, 40))
    for by in By:
        for name in ("reports", "closed", "backlog"):
            for row in town.figures(name, by):
                page = town.ask(
                    lambda c, row=row, name=name, by=by: cases(  # type: ignore[misc]  # bound at once
                        c, name, MAY, now=JUNE, only=only_of(by, row.key)
                    )
                )
                assert page.total == row.denominator, (by, name, row.key)


def test_both_databases_count_the_same(shelf: Shelf) -> None:
    events = random_lives(5, 60)
    readers = _read(shelf, "f_1", events)
    for cut in CUTS:
        agree(readers, events, cut)
    for by in (None, By.INDICATOR):
        asked_at_once_is_asked_one_by_one(readers, CUTS[0], by)
    with reading(readers.engine) as connection:
        for name, of in CATALOGUE.items():
            for variant in ("", *of.variants):
                for by in (None, By.STREET, By.CELL):
                    told = measure(connection, name, MAY, now=JUNE, by=by, variant=variant)
                    whole = sum(each.denominator for each in told)
                    page = cases(connection, name, MAY, now=JUNE, variant=variant)
                    if of.kind not in {Kind.MEAN, Kind.DURATION}:
                        assert whole == page.total, (name, variant, by)
        seen = connection.scalar(text("SELECT count(*) FROM case_rounds WHERE round >= 1"))
        flags = CASE_FACT.c.flags.bitwise_and(int(Flag.ACCEPTED)) != 0
        held = CASE_FACT.c.to_pos == FOREVER
        assert connection.scalar(select(func.count()).where(held)) == seen
        assert connection.scalar(select(func.count()).where(held, flags)) == connection.scalar(
            text("SELECT count(*) FROM case_rounds WHERE is_accepted")
        )
    readers.engine.dispose()


def test_intervals_of_a_row_follow_one_another_and_are_never_overwritten(make_log: Made) -> None:
    events = random_lives(7, 40)
    half, done = make_log(events[: len(events) // 2])
    whole, done_too = make_log(events)
    with reading(half.engine) as first, reading(whole.engine) as second:
        before = set(map(tuple, first.execute(CASE_FACT.select()).all()))
        then = set(map(tuple, second.execute(CASE_FACT.select()).all()))
    ended = {row for row in before if row[3] < events[-1].position}
    assert ended and ended <= then
    rows = sorted(then, key=lambda row: row[:3])
    for one, next_ in pairwise(rows):
        if one[:2] == next_[:2]:
            assert one[3] == next_[2] and one[5] == next_[4]
    done()
    done_too()
