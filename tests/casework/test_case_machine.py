"""Anything asked of several cases by anybody at any time: the rules hold in every step.

The model is small on purpose: the status word of each case and the table. What the rules add to
the table (times, counts, codes, two persons) is in the files of the desks; here it may only make
a refusal of what the table offers, never an event where the table has none.
"""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec.structs import replace

from casework import commands as ask
from casework import events as did
from casework import special_periods, timers
from casework.application import MOST_DEBTS
from casework.case import Happening, decide, evolve, fold
from casework.clock_words import BECAUSE_NAMES
from casework.clocks import SHANGHAI, micros
from casework.commands import Command, Reopen
from casework.decisions import clockwork
from casework.decisions.asking import Asking
from casework.effective import LEAD
from casework.errors import NotAllowed, NotPermitted, NotYours, Refusal
from casework.lifecycle import ACTION_OF, BEFORE_CLOSING, CLOCK_OF, OPEN, RULES, Action, Status
from casework.log.mapper import Names
from casework.model import CLOCK, Actor, Clock, Limit, Outcome, Solved, StreetCode, Unit
from casework.owed import Clockwork, owed
from casework.reference import CalendarYearPublished
from casework.special_periods import DeclareSpecialPeriod, MoveSpecialPeriodEnd, Occasion
from casework.state import ANSWERS, Case, allowed
from tests.history import (
    CITIZEN,
    EVERYBODY,
    INSIDE,
    MONDAY_9,
    PHOTO,
    REFERENCES,
    REVIEWER,
    STREET,
    ZHONGGUANCUN,
    Told,
    asking_of,
    day,
    rules_of,
    words,
)
from tests.stories import NOTICE_2027
from tests.strategies import SOUND, WILD, Values, actors, commands, sound_submissions

NAMES = Names([did.STORED_AS])
CASES = tuple(UUID(int=0xC0 + n) for n in range(4))
MICROSECOND = timedelta(microseconds=1)
PAUSES = (
    timedelta(0),
    MICROSECOND,
    timedelta(minutes=1),
    timedelta(minutes=20),
    timedelta(hours=1),
    timedelta(hours=9),
    timedelta(days=3),
)

BEGINNINGS = (MONDAY_9, MONDAY_9, day("12-29 09:00"))
"""The last one is days before a year that has no notice yet."""

SPECIAL_LIMITS = (None, None, Limit(12, Unit.DUTY_HOUR), Limit(2, Unit.WORKING_DAY))
SPECIAL_STREETS: tuple[tuple[StreetCode, ...], ...] = ((), (ZHONGGUANCUN,))

WALK: tuple[tuple[Command, Actor], ...] = (
    (ask.Register(indicator="P04", condition="P04-1", proposal=INSIDE), REVIEWER),
    (ask.Acknowledge(), STREET),
    (ask.Rectify(outcome=Outcome.RECTIFIED, photos=(PHOTO,), words=words()), STREET),
    (ask.Close(standard_met=True, reply=words()), REVIEWER),
    (ask.Rate(solved=Solved.NO, satisfaction=1, efficiency=1), CITIZEN),
)

STAGE: dict[Status, set[Clock]] = {
    Status.SUBMITTED: {Clock.REVIEW},
    Status.AWAITING_INFORMATION: {Clock.INFORMATION},
    Status.REGISTERED: {Clock.DISPATCH},
    Status.DISPATCHED: {Clock.ACKNOWLEDGE, Clock.HANDLING},
    Status.HANDLING: {Clock.HANDLING},
    Status.SUSPENDED: {Clock.RESUMPTION},
    Status.RECTIFIED: {Clock.VERIFICATION},
    Status.CLOSED: {Clock.RATING},
    Status.UNDER_RECHECK: {Clock.RECHECK},
    Status.COMPLETED: set(),
    Status.REFUSED: set(),
    Status.WITHDRAWN: set(),
    Status.MERGED: set(),
}
"""The clocks of each status: these run and no other stage's."""

WINDOWS = {Clock.OBJECTION, Clock.APPEAL_WINDOW}
"""What is open to somebody beside the stage; nobody's work."""

WITH_STREET = {Status.DISPATCHED, Status.HANDLING, Status.SUSPENDED, Status.RECTIFIED}
WITHOUT_STREET = {Status.SUBMITTED, Status.AWAITING_INFORMATION, Status.REGISTERED}


class CasesUnderRules(RuleBasedStateMachine):
    """Up to four cases, asked anything, one command at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = MONDAY_9
        self.cases: dict[UUID, Case] = {}
        self.histories: dict[UUID, list[Told]] = {}
        self.references = REFERENCES

    # what is asked -------------------------------------------------------------------

    @initialize(
        data=st.data(),
        number=st.integers(1, len(CASES)),
        now=st.sampled_from(BEGINNINGS),
        far=st.integers(0, len(WALK)),
    )
    def reports(self, data: st.DataObject, number: int, now: datetime, far: int) -> None:
        """The first case is some steps on its way: drawn at random few would get that far."""
        self.now = now
        for case_id in CASES[:number]:
            report = data.draw(sound_submissions(f"HD20260302{len(self.cases):04}"))
            by = data.draw(st.sampled_from([who for who in EVERYBODY if _may_report(who)]))
            self.ask(case_id, report, by)
            assert case_id in self.cases, "a sound report is taken"
        for command, by in WALK[:far]:
            person = str(self.cases[CASES[0]].own_reporters[0])
            self.ask(CASES[0], command, replace(by, id=person) if by == CITIZEN else by)

    @rule(data=st.data(), by=actors)
    def anything(self, data: st.DataObject, by: Actor) -> None:
        """Any command by anybody: mostly against the rules."""
        case_id = data.draw(st.sampled_from(list(self.cases)))
        action = data.draw(st.sampled_from(Action))
        self.ask(case_id, data.draw(self._commands(WILD)[action]), by)

    @rule(data=st.data(), sound=st.booleans())
    def what_is_offered(self, data: st.DataObject, *, sound: bool) -> None:
        """Something the table offers to somebody; the rules may still refuse it."""
        self._offered(data, SOUND if sound else WILD, frozenset(Action))

    @rule(data=st.data())
    def what_moves_on(self, data: st.DataObject) -> None:
        """Something the table offers that may move the case, so that cases get far."""
        self._offered(data, SOUND, _MOVES)

    @rule(data=st.data())
    def what_is_asked_for(self, data: st.DataObject) -> None:
        """A request, or the answer to one."""
        self._offered(data, SOUND, _REQUESTS)

    def _offered(self, data: st.DataObject, values: Values, actions: frozenset[Action]) -> None:
        case_id = data.draw(st.sampled_from(list(self.cases)))
        case = self.cases[case_id]
        offers = [(by, a) for by in EVERYBODY for a in allowed(case, by) if a in actions]
        if offers:
            action = data.draw(st.sampled_from(sorted({action for _, action in offers})))
            by = data.draw(st.sampled_from([by for by, offer in offers if offer is action]))
            self.ask(case_id, data.draw(self._commands(values)[action]), by)

    @rule(pause=st.sampled_from(PAUSES))
    def time_passes(self, pause: timedelta) -> None:
        self.now += pause

    @rule(data=st.data(), off=st.sampled_from([-MICROSECOND, timedelta(0), MICROSECOND]))
    def something_falls_due(self, data: st.DataObject, off: timedelta) -> None:
        """To the very moment a clock is due, or just beside it."""
        dues = sorted(self._dues())
        if dues:
            self.now = data.draw(st.sampled_from(dues)) + off

    @rule(
        after=st.sampled_from([timedelta(hours=1), timedelta(hours=14), timedelta(days=2)]),
        lasts=st.sampled_from([timedelta(hours=3), timedelta(hours=11), timedelta(days=4)]),
        limit=st.sampled_from(SPECIAL_LIMITS),
        streets=st.sampled_from(SPECIAL_STREETS),
    )
    def a_special_period_is_declared(
        self,
        after: timedelta,
        lasts: timedelta,
        limit: Limit | None,
        streets: tuple[StreetCode, ...],
    ) -> None:
        if len(self.references.special) < 4:
            first = self.now + after
            self._special(
                DeclareSpecialPeriod(
                    occasion=Occasion.FLOOD,
                    first=first,
                    last=first + lasts,
                    grounds="通知",
                    limit=limit,
                    streets=streets,
                )
            )

    @rule(data=st.data(), to=st.sampled_from([timedelta(hours=2), timedelta(days=3)]))
    def a_special_period_ends_otherwise(self, data: st.DataObject, to: timedelta) -> None:
        declared = special_periods.fold(self.references.special)
        if declared and len(self.references.special) < 6:
            number = data.draw(st.sampled_from([period.number for period in declared]))
            self._special(MoveSpecialPeriodEnd(number=number, last=self.now + to, grounds="通知"))

    def _special(self, command: special_periods.Command) -> None:
        try:
            news = special_periods.decide(self.references.special, command, self.now)
        except Refusal:
            return
        self.references = self.references.grown(special=news)

    @rule()
    def the_year_is_published(self) -> None:
        """With its notice of a minute; once is enough."""
        if self.references.calendar == REFERENCES.calendar:
            news = CalendarYearPublished(year=NOTICE_2027, effective_from=self.now + LEAD)
            self.references = self.references.grown(calendar=[news])

    def _dues(self) -> set[datetime]:
        running = (clock for case in self.cases.values() for clock in case.clocks.values())
        return {clock.fact.due_at for clock in running if clock.fact.due_at > self.now}

    def _commands(self, values: Values) -> dict[Action, st.SearchStrategy[Command]]:
        today = self.now.astimezone(SHANGHAI).date()
        return dict(commands(values, tuple(self.cases), today))

    # what is expected ----------------------------------------------------------------

    def ask(self, case_id: UUID, command: Command, by: Actor) -> None:
        """As at the door: what the clock owes comes first."""
        if case_id in self.cases and not isinstance(command, Clockwork):
            self._after_the_clock(case_id)
        self._ask(case_id, command, by)

    def _after_the_clock(self, case_id: UUID) -> None:
        for _ in range(MOST_DEBTS):
            asking = self._asking(case_id, CLOCK)
            debt = owed(asking)
            assert debt == owed(asking), "asked twice it is the same debt under the same id"
            if debt is None:
                break
            version = len(self.histories[case_id])
            self._ask(case_id, debt.command, CLOCK)
            assert len(self.histories[case_id]) > version, "what is owed is never refused"
        asking = self._asking(case_id, CLOCK)
        assert owed(asking) is None, "the clock comes to rest"
        if asking.settled is not None:
            covered = asking.settled.calendar.days
            for running in asking.case.clocks.values():
                # From where it was counted, forwards or, of one that is overdue, backwards.
                ends = (running.since, running.fact.due_at)
                first, last = sorted(moment.astimezone(SHANGHAI).year for moment in ends)
                known = all(year in covered for year in range(first, last + 1))
                assert not running.fact.provisional or not known
        assert clockwork.specially(asking) is None

    def _asking(self, case_id: UUID, by: Actor) -> Asking:
        before = self.cases.get(case_id)
        others = {other: case for other, case in self.cases.items() if other != case_id}
        at = max(self.now, before.last_at) if before else self.now
        return asking_of(before, at, by, case_id, others, self.references)

    def _ask(self, case_id: UUID, command: Command, by: Actor) -> None:
        before = self.cases.get(case_id)
        asking = self._asking(case_id, by)
        at = asking.at
        status = before.status if before else Status.NEW
        action = ACTION_OF[type(command)]
        offered = before is None or action in allowed(before, by)
        refusal: Refusal | None = None
        happened: list[Happening] = []
        try:
            happened = decide(asking, command)
        except Refusal as refused:
            refusal = refused
        if refusal is not None:
            assert str(refusal).endswith("。"), "every refusal is a Chinese sentence"
            assert not offered or _beyond_the_table(refusal, command, before)
            return
        assert offered, f"{action} by {by.id} is not offered from {status}"
        assert happened, "a command that is not refused makes something happen"
        for event in happened:
            if isinstance(event, tuple):
                self._tell(event[0], event[1], at, by)
            else:
                self._tell(case_id, event, at, by)
        assert self.cases[case_id].status in RULES[status, action].to

    def _tell(self, case_id: UUID, event: did.Event, at: datetime, by: Actor) -> None:
        reasons = {clock.because for clock in event.started} | {
            clock.because for clock in event.stopped
        }
        assert reasons <= set(BECAUSE_NAMES), "a clock's reason is told in Chinese"
        name = NAMES.name_of(event)
        stored = NAMES.decode(name, NAMES.encode(event))
        assert stored == event, "what is stored comes back the same"
        history = self.histories.setdefault(case_id, [])
        assert not history or at >= history[-1].at, "a history never goes back"
        history.append(Told(event, at, by))
        self.cases[case_id] = evolve(self.cases.get(case_id), event, at, by)

    # what always holds ---------------------------------------------------------------

    @invariant()
    def a_case_is_the_fold_of_its_history(self) -> None:
        for case_id, case in self.cases.items():
            assert fold(self.histories[case_id]) == case

    @invariant()
    def the_clocks_of_the_status_run_and_no_other_stage_does(self) -> None:
        stages = set().union(*STAGE.values())
        for case in self.cases.values():
            assert set(case.clocks) & stages == STAGE[case.status], case

    @invariant()
    def used_and_remaining_of_every_clock_are_its_limit(self) -> None:
        for case in self.cases.values():
            calendar = rules_of(case, case.last_at, self.references).calendar
            for clock, timer in case.timers.items():
                reading = timers.read(clock, timer, max(self.now, case.last_at), calendar)
                assert reading.used + reading.remaining == micros(timer.limit, calendar)
                assert reading.used >= 0

    @invariant()
    def a_request_is_open_exactly_as_long_as_its_clock_runs(self) -> None:
        for case in self.cases.values():
            clocks = [CLOCK_OF[action] for action in case.pending]
            assert len(clocks) == len(set(clocks)), "one request for a second person at a time"
            assert set(clocks) == set(case.clocks) & set(CLOCK_OF.values())

    @invariant()
    def an_unanswered_instruction_is_timed_while_the_case_is_open(self) -> None:
        for case in self.cases.values():
            open_ = bool(case.open_notes) and case.status in OPEN
            assert (Clock.NOTE in case.clocks) == open_

    @invariant()
    def nothing_is_anybodys_work_in_the_archive(self) -> None:
        for case in self.cases.values():
            if case.status not in OPEN:
                assert set(case.clocks) <= {Clock.APPEAL, *WINDOWS}

    @invariant()
    def a_street_has_a_limit_and_a_limit_a_street(self) -> None:
        for case in self.cases.values():
            assert (case.street is None) == (case.limit is None) == (case.total_limit is None)
            assert case.street is not None or case.status not in WITH_STREET
            assert case.street is None or case.status not in WITHOUT_STREET
            assert case.street is None or case.street in case.handled_by

    @invariant()
    def a_registered_case_has_its_indicator_and_its_versions(self) -> None:
        for case in self.cases.values():
            if case.status in WITH_STREET | {Status.REGISTERED, Status.CLOSED}:
                assert case.versions
                assert case.indicator
                assert case.condition

    @invariant()
    def merged_cases_stand_with_an_unmerged_primary_that_knows_them(self) -> None:
        for case_id, case in self.cases.items():
            assert (case.merged_into is not None) == (case.status is Status.MERGED)
            if case.merged_into is not None:
                primary = self.cases[case.merged_into]
                assert primary.merged_into is None, "no chains"
                assert case_id in primary.absorbed
                assert not case.absorbed

    @invariant()
    def a_case_that_can_still_be_joined_has_nobody_twice(self) -> None:
        for case in self.cases.values():
            if case.status in BEFORE_CLOSING:
                assert len(set(case.own_reporters)) == len(case.own_reporters)

    @invariant()
    def nobody_is_offered_an_action_twice(self) -> None:
        for case in self.cases.values():
            for by in EVERYBODY:
                offered = allowed(case, by)
                assert len(set(offered)) == len(offered)


_MOVES = frozenset(action for (status, action), found in RULES.items() if found.to - {status}) - {
    Action.WITHDRAW,
    Action.REFUSE,
    Action.MERGE,
    Action.RECALL,
}
_REQUESTS = frozenset({*CLOCK_OF, *ANSWERS})


def _may_report(by: Actor) -> bool:
    return by.holds(*RULES[Status.NEW, Action.SUBMIT].row.by)


def _beyond_the_table(refusal: Refusal, command: Command, case: Case | None) -> bool:
    """Whether the refusal is by a rule that the table leaves to the decisions."""
    if isinstance(refusal, NotPermitted):
        return isinstance(command, Reopen) and case is not None and case.round >= 2
    return not isinstance(refusal, NotAllowed | NotYours)


TestCasesUnderRules = pytest.mark.timeout(7200)(CasesUnderRules.TestCase)
TestCasesUnderRules.settings = settings(
    stateful_step_count=50, max_examples=5 * settings().max_examples
)


def test_the_clock_and_the_dispatcher_are_among_those_who_ask() -> None:
    assert CLOCK in EVERYBODY
    assert set(commands(WILD, CASES, MONDAY_9.date())) == set(Action)
