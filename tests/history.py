"""given / when / then over the rules of a case, and the people and rules of the samples.

Knows no store and no door: a history is a list of facts, told in order. The rules are the shipped
ones (data/indicators, data/calendar), so that a test reads as a clerk would check it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from casework import clocks, seeds
from casework import commands as ask
from casework import events as did
from casework.case import Happening, decide, evolve
from casework.clock_words import BECAUSE_NAMES
from casework.clocks import SHANGHAI
from casework.commands import Words
from casework.decisions.asking import Asking
from casework.errors import Refusal
from casework.lifecycle import ACTION_OF, Status
from casework.model import (
    CLOCK,
    DISPATCHER,
    Actor,
    ActorKind,
    Assignment,
    Certainty,
    Clock,
    ClockStarted,
    ClockStopped,
    Limit,
    Photo,
    Place,
    PlaceKind,
    Role,
    Sealed,
    StreetCode,
)
from casework.reference import AdoptBoundaries, References, Rules, found_boundaries
from casework.state import Case, row_for

# Rules -------------------------------------------------------------------------------------

DATA = Path(__file__).parents[1] / "data"
FOUNDED = datetime(2025, 12, 1, tzinfo=UTC)
REFERENCES = References(
    catalogue=tuple(seeds.catalogue_events(DATA / "indicators", FOUNDED)),
    calendar=tuple(seeds.calendar_events(DATA / "calendar", FOUNDED)),
    boundaries=tuple(
        found_boundaries(
            AdoptBoundaries(
                sha256="0" * 64, source="示例", accuracy_note="示例", effective_from=FOUNDED
            )
        )
    ),
)
RULES = REFERENCES.rules_at(FOUNDED)


# Time: the week of Monday, 2 March 2026, has no holiday in it ------------------------------


def day(text: str) -> datetime:
    """A moment of 2026 as the wall clock in Haidian shows it: "03-02 09:00" or "…:30"."""
    form = "%Y-%m-%d %H:%M:%S" if text.count(":") == 2 else "%Y-%m-%d %H:%M"
    read = datetime.strptime(f"2026-{text}", form).replace(tzinfo=SHANGHAI)
    return read.astimezone(UTC)


def mon(clock: str) -> datetime:
    return day(f"03-02 {clock}")


def tue(clock: str) -> datetime:
    return day(f"03-03 {clock}")


def wed(clock: str) -> datetime:
    return day(f"03-04 {clock}")


def thu(clock: str) -> datetime:
    return day(f"03-05 {clock}")


def fri(clock: str) -> datetime:
    return day(f"03-06 {clock}")


MONDAY_9 = mon("09:00")
A_MICROSECOND = timedelta(microseconds=1)


# People ------------------------------------------------------------------------------------

ZHONGGUANCUN = StreetCode("110108011")
HAIDIAN = StreetCode("110108012")
QINGLONGQIAO = StreetCode("110108013")


def staff(name: str, *roles: Role, street: str | None = None) -> Actor:
    return Actor(ActorKind.STAFF, name, street, roles)


def citizen(number: int) -> Actor:
    return Actor(ActorKind.CITIZEN, str(UUID(int=number)), roles=(Role.CITIZEN,))


def person(actor: Actor) -> UUID:
    return UUID(actor.id)


CITIZEN, NEIGHBOUR, PASSER_BY = citizen(0xA1), citizen(0xA2), citizen(0xA3)
REVIEWER = staff("reviewer-1", Role.REVIEWER)
REVIEWER_2 = staff("reviewer-2", Role.REVIEWER)
SUPERVISOR = staff("supervisor-1", Role.SUPERVISOR)
SUPERVISOR_2 = staff("supervisor-2", Role.SUPERVISOR)
STREET = staff("street-011", Role.STREET, street=ZHONGGUANCUN)
LEAD = staff("lead-011", Role.STREET_LEAD, street=ZHONGGUANCUN)
OTHER_STREET = staff("street-012", Role.STREET, street=HAIDIAN)
OTHER_LEAD = staff("lead-012", Role.STREET_LEAD, street=HAIDIAN)
CHECKER = staff("checker-1", Role.CHECKER)
CHECKER_011 = staff("checker-011", Role.CHECKER, street=ZHONGGUANCUN)
EDITOR = staff("editor-1", Role.EDITOR)
ANALYST = staff("analyst-1", Role.ANALYST)
SYSADMIN = staff("sysadmin-1", Role.SYSADMIN)
SECADMIN = staff("secadmin-1", Role.SECADMIN)
AUDITOR = staff("auditor-1", Role.AUDITOR)
PARTNER = Actor(ActorKind.PARTNER, "12345", roles=(Role.PARTNER,))
EVERYBODY = (
    CITIZEN,
    NEIGHBOUR,
    PASSER_BY,
    REVIEWER,
    REVIEWER_2,
    SUPERVISOR,
    SUPERVISOR_2,
    STREET,
    LEAD,
    OTHER_STREET,
    OTHER_LEAD,
    CHECKER,
    CHECKER_011,
    EDITOR,
    ANALYST,
    SYSADMIN,
    SECADMIN,
    AUDITOR,
    PARTNER,
    CLOCK,
    DISPATCHER,
)


# Things ------------------------------------------------------------------------------------

CASE_ID = UUID(int=0xC1)
OTHER_ID = UUID(int=0xC2)
THIRD_ID = UUID(int=0xC3)
SEALED = Sealed(UUID(int=0xE1), b"nonce", b"box")
PHOTO = Photo(UUID(int=0xF1), "ab" * 32, "image/jpeg", "camera")
GREEN = Place(lon=116.31, lat=39.98, kind=PlaceKind.GREEN)
INSIDE = Assignment(
    street=ZHONGGUANCUN, certainty=Certainty.INSIDE, because="在中关村街道内", boundary_version=1
)
INSIDE_012 = replace(INSIDE, street=HAIDIAN, because="在海淀街道内")
AT_BORDER = replace(INSIDE, certainty=Certainty.NEAR_BORDER, because="距边界8米", border_m=8.0)
OUTSIDE = Assignment(
    street=None,
    certainty=Certainty.OUTSIDE_DISTRICT,
    because="不在海淀区",
    boundary_version=1,
    neighbour="朝阳区",
)


def words(length: int = 12) -> Words:
    return Words(SEALED, length)


def a_submission(**changes: object) -> ask.Submit:
    """A plain report of litter on a green, with whatever is different about it."""
    plain = ask.Submit(
        number="HD202603020001",
        person=person(CITIZEN),
        place=GREEN,
        assignment=INSIDE,
        indicator="P04",
        photos=(PHOTO,),
    )
    return replace(plain, **changes)


# Facts -------------------------------------------------------------------------------------

EVERY_CLOCK = frozenset(Clock)


class Fact(NamedTuple):
    """An event to tell, and the clocks it starts and stops: `given` works out their times.

    `at` None is the time of the fact before it. `starts` names clocks with the sample's step
    limits, or a clock with its limit; `carries` gives them the time that was used before.
    `stops` and `pauses` apply to those of the clocks named that run.
    """

    event: did.Event
    by: Actor
    at: datetime | None = None
    starts: tuple[Clock | tuple[Clock, Limit], ...] = ()
    stops: frozenset[Clock] = frozenset()
    pauses: frozenset[Clock] = frozenset()
    carries: bool = False


class Told(NamedTuple):
    """A fact with its moment and its actor."""

    event: did.Event
    at: datetime
    actor: Actor


def tell(fact: Fact, case: Case | None, rules: Rules = RULES) -> Told:
    """The fact with the clocks that it starts and stops, after the case as it was."""
    at = fact.at or (case.last_at if case else MONDAY_9)
    assert case is None or at >= case.last_at, "a history does not go back"
    calendar = rules.calendar
    running = case.clocks if case else {}
    stopped = tuple(
        clocks.stop(run.fact, run.since, at, calendar, "told", final=clock not in fact.pauses)
        for clock, run in running.items()
        if clock in fact.stops | fact.pauses
    )
    used = {clock: case.used(clock) for clock in case.timers} if case else {}
    used |= {stop.clock: stop.used for stop in stopped}
    started = []
    for named in fact.starts:
        clock, limit = named if isinstance(named, tuple) else (named, rules.step(named))
        carried = used.get(clock, 0) if fact.carries else 0
        started.append(clocks.start(clock, limit, at, calendar, "told", carried))
    event = replace(fact.event, started=(*fact.event.started, *started), stopped=stopped)
    return Told(event, at, fact.by)


# given / when / then -----------------------------------------------------------------------


class Like(NamedTuple):
    """An event expected in part: its kind, some fields, and the clocks it starts and stops."""

    kind: type[did.Event]
    fields: Mapping[str, object]
    starts: Mapping[Clock, datetime] | None = None
    stops: frozenset[Clock] | None = None

    def check(self, event: did.Event) -> None:
        assert type(event) is self.kind, f"{type(event).__name__}, not {self.kind.__name__}"
        for name, value in self.fields.items():
            assert getattr(event, name) == value, f"{name}: {getattr(event, name)!r} != {value!r}"
        if self.starts is not None:
            assert {s.clock: s.due_at for s in event.started} == dict(self.starts)
        if self.stops is not None:
            assert {s.clock for s in event.stopped} == self.stops


def like(
    kind: type[did.Event],
    *,
    starts: Mapping[Clock, datetime] | None = None,
    stops: Iterable[Clock] | None = None,
    **fields: object,
) -> Like:
    """What is expected of an event: `starts` maps clocks to due times, `stops` names clocks."""
    return Like(kind, fields, starts, None if stops is None else frozenset(stops))


class Answer:
    """What a command brought: events, or a refusal. Checked against the table in any case."""

    def __init__(
        self, case: Case | None, command: ask.Command, at: datetime, by: Actor, asking: Asking
    ) -> None:
        self._before, self._at, self._by, self._case_id = case, at, by, asking.case_id
        self.events: list[Happening] = []
        self.refusal: Refusal | None = None
        try:
            self.events = decide(asking, command)
        except Refusal as refusal:
            self.refusal = refusal
            return
        for happening in self.events:
            event = happening[1] if isinstance(happening, tuple) else happening
            reasons = {started.because for started in event.started}
            reasons |= {stopped.because for stopped in event.stopped}
            assert reasons <= set(BECAUSE_NAMES), "a clock's reason is told in Chinese"
        ends = {*row_ends(case, command)}
        assert self.case.status in ends, f"{self.case.status} is no end of {command}"

    @property
    def own(self) -> list[did.Event]:
        """The events of the case itself."""
        return [event for event in self.events if not isinstance(event, tuple)]

    @property
    def case(self) -> Case:
        """The case after what happened."""
        after = reduce(
            lambda case, event: evolve(case, event, self._at, self._by), self.own, self._before
        )
        assert after is not None, f"nothing happened: {self.refusal}"
        return after

    def then(self, *expected: did.Event | Like | tuple[UUID, Like]) -> Case:
        """These events happened and no others; the case after them."""
        assert self.refusal is None, f"refused: {self.refusal!r} {self.refusal}"
        assert len(self.events) == len(expected), self.events
        for happened, wanted in zip(self.events, expected, strict=True):
            event, told = happened, wanted
            if isinstance(wanted, tuple) and not isinstance(wanted, Like):
                assert isinstance(happened, tuple) and happened[0] == wanted[0], happened
                event, told = happened[1], wanted[1]
            assert not isinstance(event, tuple), f"told to another case: {event}"
            if isinstance(told, Like):
                told.check(event)
            else:
                assert event == told
        return self.case

    def refused(self, kind: type[Refusal], saying: str = "", **fields: object) -> None:
        """It was refused in this way, in words that hold `saying`."""
        assert self.refusal is not None, f"not refused: {self.events}"
        assert type(self.refusal) is kind, repr(self.refusal)
        assert saying in str(self.refusal), str(self.refusal)
        for name, value in fields.items():
            assert getattr(self.refusal, name) == value, f"{name}: {self.refusal!r}"


def row_ends(case: Case | None, command: ask.Command) -> set[Status]:
    """Where the table lets the command end."""
    status = case.status if case else Status.NEW
    row = row_for(status, ACTION_OF[type(command)])
    assert row is not None, f"the table knows no {command} from {status}"
    return {status if end is None else end for end in row.to}


class Given(NamedTuple):
    """A history told so far, the case it makes, and other cases beside it."""

    told: tuple[Told, ...] = ()
    case: Case | None = None
    others: Mapping[UUID, Case] = {}
    references: References = REFERENCES

    def and_then(self, *facts: Fact) -> "Given":
        told, case = self.told, self.case
        for fact in facts:
            rules = rules_of(case, MONDAY_9, self.references)
            told = (*told, tell(fact, case, rules))
            case = evolve(case, told[-1].event, told[-1].at, told[-1].actor)
        return self._replace(told=told, case=case)

    def beside(self, **others: "Given") -> "Given":
        """Other cases, by the name of their id: `other` and `third`."""
        ids = {"other": OTHER_ID, "third": THIRD_ID, "itself": CASE_ID}
        cases = {ids[name]: given.state for name, given in others.items()}
        return self._replace(others={**self.others, **cases})

    def under(self, references: References) -> "Given":
        """The same history, asked under further versions of the reference streams."""
        return self._replace(references=references)

    @property
    def state(self) -> Case:
        assert self.case is not None
        return self.case

    def when(self, command: ask.Command, by: Actor, at: datetime | None = None) -> Answer:
        moment = at or (self.case.last_at if self.case else MONDAY_9)
        asking = asking_of(self.case, moment, by, others=self.others, references=self.references)
        return Answer(self.case, command, moment, by, asking)


def given(*facts: Fact) -> Given:
    """A history of these facts."""
    return Given().and_then(*facts)


def rules_of(case: Case | None, at: datetime, references: References = REFERENCES) -> Rules:
    """The rules that hold for the case: frozen at 立案, until then those in force."""
    if case is not None and case.versions is not None:
        return references.rules_of(case.versions)
    return references.rules_at(at)


def asking_of(
    case: Case | None,
    at: datetime,
    by: Actor,
    case_id: UUID = CASE_ID,
    others: Mapping[UUID, Case] | None = None,
    references: References = REFERENCES,
) -> Asking:
    """The circumstances of a command, as the door puts them together."""
    return Asking(
        case_id=case_id,
        given=case,
        at=at,
        by=by,
        rules=rules_of(case, at, references),
        current=references.rules_at(at),
        others=others or {},
        settled=references.settled(
            rules_of(case, at, references).versions, references.versions_at(at)
        ),
        special=references.special_at(at),
    )


def running(facts: Sequence[ClockStarted]) -> dict[Clock, datetime]:
    """The due times of clocks started."""
    return {fact.clock: fact.due_at for fact in facts}


def used(facts: Sequence[ClockStopped], clock: Clock) -> timedelta:
    """How much a stopped clock had used of its limit's kind of time."""
    (micros,) = (fact.used for fact in facts if fact.clock is clock)
    return timedelta(microseconds=micros)
