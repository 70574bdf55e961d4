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

from casework import events as did
from casework.case import Happening, decide, evolve, fold
from casework.clock_words import BECAUSE_NAMES
from casework.clocks import SHANGHAI
from casework.commands import Command, Reopen
from casework.errors import NotAllowed, NotPermitted, NotYours, Refusal
from casework.lifecycle import ACTION_OF, BEFORE_CLOSING, CLOCK_OF, OPEN, RULES, Action, Status
from casework.log.mapper import Names
from casework.model import CLOCK, Actor, Clock
from casework.state import ANSWERS, Case, allowed
from tests.history import EVERYBODY, MONDAY_9, Told, asking_of
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

    # what is asked -------------------------------------------------------------------

    @initialize(data=st.data(), number=st.integers(1, len(CASES)))
    def reports(self, data: st.DataObject, number: int) -> None:
        for case_id in CASES[:number]:
            report = data.draw(sound_submissions(f"HD20260302{len(self.cases):04}"))
            by = data.draw(st.sampled_from([who for who in EVERYBODY if _may_report(who)]))
            self.ask(case_id, report, by)
            assert case_id in self.cases, "a sound report is taken"

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

    def _dues(self) -> set[datetime]:
        running = (clock for case in self.cases.values() for clock in case.clocks.values())
        return {clock.fact.due_at for clock in running if clock.fact.due_at > self.now}

    def _commands(self, values: Values) -> dict[Action, st.SearchStrategy[Command]]:
        today = self.now.astimezone(SHANGHAI).date()
        return dict(commands(values, tuple(self.cases), today))

    # what is expected ----------------------------------------------------------------

    def ask(self, case_id: UUID, command: Command, by: Actor) -> None:
        before = self.cases.get(case_id)
        others = {other: case for other, case in self.cases.items() if other != case_id}
        at = max(self.now, before.last_at) if before else self.now
        asking = asking_of(before, at, by, case_id, others)
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
