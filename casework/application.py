"""The one door: every command from every driver is loaded for, decided and recorded here.

The door keeps a bounded cache of states. A cached state may only lead to an append, which the
log checks against the version it was made on; before a refusal is answered, the stream is read
on and decided again. No clock and no id is made here.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from functools import reduce
from typing import ClassVar, cast
from uuid import UUID, uuid5

import msgspec
from cachetools import LRUCache
from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.persistence import JSONTranscoder, Mapper, Transcoder
from msgspec.structs import replace

from casework import case as cases
from casework import (
    catalogue,
    events,
    evidence,
    monthly_issue,
    notices,
    place_code,
    proposals,
    reference,
    roster,
    sealed_months,
    shifts,
    special_periods,
)
from casework import commands as ask
from casework.decisions import clockwork
from casework.decisions.asking import Asking
from casework.effective import Effective
from casework.errors import AlreadyReported, Behind, KeyReused, Refusal, Stale, UnknownCase
from casework.leeway import Leeway, leeway
from casework.log.eventlog import EventLog
from casework.log.mapper import EventMapper, Names
from casework.log.port import (
    Appended,
    DuplicateCommand,
    Outcome,
    Recorded,
    StreamReadOnly,
    UnknownEvent,
    VersionConflict,
    Write,
    stream_id,
)
from casework.log.recorder import LogRecorder
from casework.model import CLOCK, Actor, Clock, ClockStarted, Role
from casework.numbers import case_number
from casework.owed import Clockwork, owed
from casework.reference import References
from casework.state import Case

NAMES = Names(
    [
        events.STORED_AS,
        events.OTHER_STORED_AS,
        evidence.STORED_AS,
        catalogue.STORED_AS,
        reference.STORED_AS,
        special_periods.STORED_AS,
        proposals.STORED_AS,
        place_code.STORED_AS,
        place_code.LIST_STORED_AS,
        roster.STORED_AS,
        shifts.STORED_AS,
        sealed_months.STORED_AS,
        monthly_issue.STORED_AS,
    ]
)
"""Every stored name of the engine."""

ATTEMPTS = 5
"""How often a decision that lost a race is made anew (store.md)."""

CACHED = 4096
"""States kept: a few kilobytes each."""

LAG = 30.0
"""Seconds a process may be behind on a reference stream before it stops deciding."""

CATALOGUE = stream_id("catalogue")
CALENDAR = stream_id("calendar")
BOUNDARIES = stream_id("boundaries")
SPECIAL = stream_id("special-periods")

MOST_DEBTS = 4
"""Steps in which the clock catches up on a case: a lapse, settled times, 特殊时段, a race."""


def case_stream(case_id: UUID) -> UUID:
    """The stream of a case."""
    return stream_id(f"case/{case_id}")


def notices_stream(case_id: UUID) -> UUID:
    """The stream beside a case of what was told about its limits."""
    return stream_id(f"notices/{case_id}")


def change_stream(number: int) -> UUID:
    """The stream of a proposed change of reference data; they are numbered from 1."""
    return stream_id(f"change/{number}")


def case_of(command_id: UUID) -> UUID:
    """The id of the case that a report begins: derived, so that a report sent twice is one."""
    return uuid5(command_id, "case")


class Unreadable(Refusal):
    """The stream holds an event of a later release; it is read-only here (只读)."""

    def __str__(self) -> str:
        return "这个案件含有新版本系统写入的内容，当前版本只能查看，请升级后再办理。"


class Contended(Refusal):
    """Others kept writing first; sending it again is safe (争用)."""

    def __str__(self) -> str:
        return "同时办理的人较多，请稍后重试。"


class Loaded(msgspec.Struct, frozen=True):
    """A case with its id and version."""

    case_id: UUID
    version: int
    case: Case


class Done(msgspec.Struct, frozen=True):
    """What a command left behind. `repeated`: it was already there, and this is the same answer."""

    case_id: UUID
    version: int
    position: int
    hash: bytes
    case: Case
    happened: tuple[msgspec.Struct, ...]
    at: datetime
    repeated: bool = False


class Casework(Application[UUID]):
    """Cases, kept as the events that happened to them."""

    name = "casework"
    env: ClassVar[dict[str, str]] = {}

    def __init__(self, env: Mapping[str, str]) -> None:
        super().__init__(dict(env))
        mapper = self.mapper
        assert isinstance(mapper, EventMapper) and isinstance(self.recorder, LogRecorder)
        self.eventlog = EventLog(self.recorder, mapper)
        self.references = References()
        self._read_at: datetime | None = None
        self._refreshing = threading.Lock()
        self._states: LRUCache[UUID, Loaded] = LRUCache(CACHED)
        self._loading = ThreadPoolExecutor(4, thread_name_prefix="load")

    def construct_mapper(self) -> Mapper[UUID]:
        return EventMapper(self.construct_transcoder(), NAMES)

    def construct_transcoder(self) -> Transcoder:
        return JSONTranscoder()  # the library asks for one; EventMapper needs none

    def close(self) -> None:
        self._loading.shutdown()
        super().close()

    # reference streams ---------------------------------------------------------------

    def refresh(self, at: datetime) -> References:
        """Read the reference streams on; called at start, after a change, and every few seconds."""
        with self._refreshing:
            head = self.references.head
            self.references = self.references.grown(
                catalogue=cast("list[catalogue.Event]", self._news(CATALOGUE, head.catalogue)),
                calendar=cast("list[reference.CalendarEvent]", self._news(CALENDAR, head.calendar)),
                boundaries=cast(
                    "list[reference.BoundariesEvent]", self._news(BOUNDARIES, head.boundaries)
                ),
                special=cast(
                    "list[special_periods.Event]",
                    self._news(SPECIAL, len(self.references.special)),
                ),
            )
            # Whoever asked earlier and waited here has read no less than those before.
            self._read_at = max(at, self._read_at or at)
            return self.references

    def _news(self, stream: UUID, after: int) -> list[msgspec.Struct]:
        found = self.eventlog.history(stream, after)
        if any(isinstance(recorded.event, UnknownEvent) for recorded in found):
            raise Unreadable
        return [recorded.event for recorded in found]

    def record_reference(
        self,
        stream: UUID,
        expected: int,
        happened: Sequence[Effective],
        *,
        at: datetime,
        by: Actor,
        command_id: UUID,
    ) -> Appended:
        """Append decided facts of a reference stream, and take them in.

        Raises:
            Stale: somebody else changed the stream first.

        """
        facts = tuple(cast("msgspec.Struct", fact) for fact in happened)
        outcome = self.eventlog.append([Write(stream, expected, facts, at)], command_id, by)
        self.refresh(at)
        return _settled(outcome)

    def decide_change(
        self,
        number: int,
        command: proposals.Command,
        *,
        at: datetime,
        by: Actor,
        command_id: UUID,
        fingerprint: bytes | None = None,
    ) -> Appended:
        """Carry out a command on a proposed change, with what it brings about, in one transaction.

        A lost race is decided again, up to five times; a proposal takes a number nobody has.

        Raises:
            Stale: the number of a new proposal is taken.
            KeyReused: the command id stands for another command or another body.
            Refusal: the rules stand against it.

        """
        stream = change_stream(number)
        earlier = self._change_made(stream, command_id, fingerprint)
        if earlier is not None:
            return earlier
        for _ in range(ATTEMPTS):
            references, told = self.refresh(at), self._news(stream, 0)
            proposal = proposals.fold(cast("list[proposals.Event]", told))
            expected = 0 if isinstance(command, proposals.Propose) else len(told)
            try:
                decided = proposals.decide(proposal, command, by, references, at)
            except Refusal as refusal:
                twin = self._change_made(stream, command_id, fingerprint)
                if twin is not None:
                    return twin
                raise refusal from None
            brought, head = decided.changes, references.head
            wanted: list[tuple[UUID, int, Sequence[object]]] = [
                (stream, expected, decided.events),
                (CATALOGUE, head.catalogue, brought.catalogue),
                (CALENDAR, head.calendar, brought.calendar),
                (BOUNDARIES, head.boundaries, brought.boundaries),
                (SPECIAL, len(references.special), brought.special),
            ]
            writes = [
                Write(where, version, tuple(cast("Sequence[msgspec.Struct]", facts)), at)
                for where, version, facts in wanted
                if facts
            ]
            outcome = self.eventlog.append(writes, command_id, by, fingerprint)
            if isinstance(outcome, VersionConflict) and expected:
                continue
            if isinstance(outcome, DuplicateCommand) and outcome.fingerprint != fingerprint:
                raise KeyReused
            self.refresh(at)
            return _settled(outcome)
        raise Contended

    def _change_made(
        self, stream: UUID, command_id: UUID, fingerprint: bytes | None
    ) -> Appended | None:
        """What the command left when it was first carried out, or None. Raises KeyReused."""
        prior = self.eventlog.by_command(command_id)
        if prior is None:
            return None
        if prior.fingerprint != fingerprint or prior.events[0].stream != stream:
            raise KeyReused
        return _appended(prior.events)

    def record_fact(
        self, stream: UUID, fact: msgspec.Struct, *, at: datetime, by: Actor, command_id: UUID
    ) -> Appended:
        """Add a fact in which nothing is decided, such as one turned away or a person erased."""
        outcome = self.eventlog.append([Write(stream, None, (fact,), at)], command_id, by)
        return outcome.earlier if isinstance(outcome, DuplicateCommand) else _settled(outcome)

    # cases ---------------------------------------------------------------------------

    def load(self, case_id: UUID) -> Loaded | None:
        """The case as the log tells it now, or None. Reads the whole stream."""
        try:
            # The library types projectors for its own aggregates; it asks nothing else of ours.
            found: object = self.repository.get(case_stream(case_id), projector_func=_project)  # type: ignore[type-var]
        except AggregateNotFoundError:
            return None
        assert isinstance(found, Told)
        return Loaded(case_id, found.version, found.case)

    def read_on(self, known: Loaded) -> Loaded:
        """A case that was known, and what the log tells of it since."""
        news = self.eventlog.history(case_stream(known.case_id), known.version)
        told = _project(Told(known.version, known.case), news)
        assert told is not None
        return Loaded(known.case_id, told.version, told.case)

    async def current(self, case_id: UUID) -> Loaded | None:
        """The case as far as this process knows, or None; for looking, not for deciding."""
        return self._states.get(case_id) or await self._load(case_id)

    def case_of_number(self, number: str) -> UUID | None:
        """The case that took a number, or None."""
        for recorded in self.eventlog.history(stream_id(f"number/{number}")):
            if isinstance(recorded.event, events.NumberTaken):
                return recorded.event.case
        return None

    def history(self, case_id: UUID) -> list[Recorded]:
        """Every fact of the case, in order."""
        return self.eventlog.history(case_stream(case_id))

    def forget(self) -> None:
        """Empty the cache of states (after an erasure)."""
        self._states.clear()

    async def handle(
        self,
        case_id: UUID,
        command: ask.Command,
        *,
        at: datetime,
        by: Actor,
        command_id: UUID,
        fingerprint: bytes | None = None,
        expect: int | None = None,
    ) -> Done:
        """Carry out a command, durably, or refuse it.

        `expect` is the version the actor saw: with it one attempt is made, without it a lost
        race is decided again, up to five times. The same `command_id` always gets the same answer.

        Raises:
            Refusal: the rules, or a stale `expect`, stand against it.
            LogBusy, LogUnavailable: the log could not take it; nothing was acknowledged.

        """
        self._require_fresh(at)
        fresh, taken = False, 0
        refused_on: Loaded | None = None
        for _ in range(ATTEMPTS):
            known = None if fresh else self._states.get(case_id)
            # The case of a report bears the report's own name: that there is none yet is taken
            # for granted, and like a known state that may only lead to an append.
            unread = known is not None or (isinstance(command, ask.Submit) and not fresh)
            loaded = known if unread else await self._load(case_id, refused_on)
            if isinstance(command, ask.Submit):
                command = replace(command, number=case_number(case_id, at, taken))
            try:
                if loaded is not None and not isinstance(command, Clockwork):
                    loaded = await self._after_the_clock(loaded, at)
                decided = await self._decide(loaded, case_id, command, at, by, expect)
            except Refusal as refusal:
                if unread:
                    fresh, refused_on = True, known
                    self._states.pop(case_id, None)
                    continue
                earlier = await self._earlier(command_id, fingerprint, case_id)
                if earlier is not None:
                    return earlier
                raise refusal from None
            outcome = await self.eventlog.submit(decided.writes, command_id, by, fingerprint)
            if isinstance(outcome, Appended):
                return self._took(decided, outcome, by)
            for touched in decided.told:
                self._states.pop(touched, None)
            if isinstance(outcome, DuplicateCommand):
                earlier = await self._earlier(command_id, fingerprint, case_id)
                assert earlier is not None, "the log has just named it"
                return earlier
            refused_on = None  # after a conflict nothing that was known is trusted
            lost = _lost(outcome, expect)
            await self._require_new(decided, lost)
            taken += lost.stream == decided.number_stream
            fresh = True
        raise Contended

    def foresee(
        self, loaded: Loaded, command: ask.Command, *, at: datetime, by: Actor
    ) -> tuple[events.Event, ...]:
        """What the command would bring about now; nothing is stored, nothing promised.

        For commands that touch no other case. What the clock owes the case is not done before.

        Raises:
            Refusal: the rules stand against it.

        """
        decided = cases.decide(self._asking(loaded, loaded.case_id, at, by), command)
        return tuple(event for event in decided if not isinstance(event, tuple))

    def under(self, loaded: Loaded, references: References, at: datetime) -> list[ClockStarted]:
        """The clocks of a case as they would be started anew, did these references hold at `at`.

        By the very rules that will do it: due times settled, 特殊时段 that come over it. Nothing is
        stored, nothing promised.
        """
        asking = self._asking(loaded, loaded.case_id, at, CLOCK, references=references)
        started = [anew for _, anew in clockwork.settled(asking)]
        if clockwork.specially(asking) is not None:
            for event in clockwork.apply_special_periods(asking):
                started += event.started
        return started

    def leeway(self, loaded: Loaded, *, at: datetime) -> Leeway:
        """What the 街镇 that has the case may still ask for now."""
        return leeway(self._asking(loaded, loaded.case_id, at, CLOCK))

    async def catch_up(self, case_id: UUID, at: datetime) -> None:
        """Let the clock do what it owes the case, though nobody asks anything of it now."""
        self._require_fresh(at)
        loaded = await self._load(case_id, self._states.get(case_id))
        if loaded is not None:
            await self._after_the_clock(loaded, at)

    async def remind(
        self,
        case_id: UUID,
        clock: Clock,
        percent: int,
        *,
        at: datetime,
        command_id: UUID,
        on_duty: Callable[[str, Role, datetime], tuple[str, ...]],
    ) -> bool:
        """Tell the desk concerned that a share of a limit is used; whether this call told it.

        Once for each counting of the limit, however often it is asked, by however many watchers.
        """
        loaded = await self._load(case_id, self._states.get(case_id))
        notice = notices.reached(case_id, loaded.case, clock, percent, at) if loaded else None
        if notice is None:
            return False
        stream, loop = notices_stream(case_id), asyncio.get_running_loop()
        told = await loop.run_in_executor(self._loading, self.eventlog.history, stream)
        if notices.told((recorded.event for recorded in told), notice):
            return False
        to = Role(notice.to)
        desk = notices.desk(to, notice.street)
        recipients = await loop.run_in_executor(self._loading, on_duty, desk, to, at)
        notice = replace(notice, recipients=recipients)
        writes = [Write(stream, len(told), (notice,), at)]
        outcome = await self.eventlog.submit(writes, command_id, CLOCK)
        return isinstance(outcome, Appended)

    async def _after_the_clock(self, loaded: Loaded, at: datetime) -> Loaded:
        """The case once the clock has done what it owes: no decision waits for a timer."""
        for _ in range(MOST_DEBTS):
            debt = owed(self._asking(loaded, loaded.case_id, at, CLOCK))
            if debt is None:
                break
            with suppress(Refusal):  # the state was an old one: read it anew
                await self.handle(
                    loaded.case_id, debt.command, at=at, by=CLOCK, command_id=debt.command_id
                )
            found = await self._load(loaded.case_id, self._states.get(loaded.case_id))
            assert found is not None, "a case does not go away"
            loaded = found
        return loaded

    async def _require_new(self, decided: "_Decided", lost: VersionConflict) -> None:
        """Refuse a report whose number on another platform is a case already."""
        if lost.stream not in decided.reference_streams:
            return
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._loading, self.eventlog.history, lost.stream)
        for recorded in found:
            if isinstance(recorded.event, events.ReferenceTaken):
                taken = recorded.event
                raise AlreadyReported(taken.platform, taken.number, taken.case_number)

    def _require_fresh(self, at: datetime) -> None:
        behind = (at - self._read_at).total_seconds() if self._read_at else float("inf")
        if behind > LAG:
            raise Behind(behind)

    async def _load(self, case_id: UUID, known: Loaded | None = None) -> Loaded | None:
        loop = asyncio.get_running_loop()
        if known is not None:
            return await loop.run_in_executor(self._loading, self.read_on, known)
        return await loop.run_in_executor(self._loading, self.load, case_id)

    async def _decide(
        self,
        loaded: Loaded | None,
        case_id: UUID,
        command: ask.Command,
        at: datetime,
        by: Actor,
        expect: int | None,
    ) -> "_Decided":
        version = loaded.version if loaded else 0
        if loaded is None and not isinstance(command, ask.Submit):
            raise UnknownCase(case_id)
        if expect is not None and expect != version:
            raise Stale(expect, version)
        others = await self._others(loaded, command)
        asking = self._asking(loaded, case_id, at, by, others)
        told: dict[UUID, list[events.Event]] = {case_id: []}
        for happening in cases.decide(asking, command):
            whose, event = happening if isinstance(happening, tuple) else (case_id, happening)
            told.setdefault(whose, []).append(event)
        before = {other.case_id: other for other in others}
        if loaded:
            before[case_id] = loaded
        return _Decided(case_id, asking.at, told, before)

    def _asking(
        self,
        loaded: Loaded | None,
        case_id: UUID,
        at: datetime,
        by: Actor,
        others: Sequence[Loaded] = (),
        references: References | None = None,
    ) -> Asking:
        """The circumstances of a command. Time never goes back, whatever the wall clock says."""
        case = loaded.case if loaded else None
        at = max([at, *([case.last_at] if case else []), *(o.case.last_at for o in others)])
        references = references or self.references
        current = references.rules_at(at)
        frozen = case.versions if case else None
        rules = references.rules_of(frozen) if frozen else current
        return Asking(
            case_id=case_id,
            given=case,
            at=at,
            by=by,
            rules=rules,
            current=current,
            others={other.case_id: other.case for other in others},
            settled=references.settled(rules.versions, current.versions),
            special=references.special_at(at),
        )

    async def _others(self, loaded: Loaded | None, command: ask.Command) -> list[Loaded]:
        """The other cases that a merge or its undoing touches."""
        if loaded is None:
            return []
        wanted: set[UUID] = set()
        if isinstance(command, ask.Merge):
            wanted = {command.primary, *loaded.case.absorbed}
        elif isinstance(command, ask.Unmerge) and loaded.case.merged_into:
            wanted = {loaded.case.merged_into}
        found = [case for case_id in sorted(wanted) if (case := await self._load(case_id))]
        further = {case.case.merged_into for case in found} - wanted - {loaded.case_id, None}
        return found + [c for i in further if i is not None and (c := await self._load(i))]

    def _took(self, decided: "_Decided", outcome: Appended, by: Actor) -> Done:
        """The states after the append, into the cache; and the answer."""
        for whose, facts in decided.told.items():
            before = decided.before.get(whose)
            case = before.case if before else None
            for fact in facts:
                case = cases.evolve(case, fact, decided.at, by)
            assert case is not None
            version = (before.version if before else 0) + len(facts)
            self._states[whose] = Loaded(whose, version, case)
        own = len(decided.told[decided.case_id]) - 1
        after = self._states[decided.case_id]
        return Done(
            case_id=decided.case_id,
            version=after.version,
            position=max(outcome.positions),
            hash=outcome.hashes[own],
            case=after.case,
            happened=tuple(decided.told[decided.case_id]),
            at=decided.at,
        )

    async def _earlier(
        self, command_id: UUID, fingerprint: bytes | None, case_id: UUID
    ) -> Done | None:
        """The answer given when this very command was first carried out."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._loading, self.earlier, command_id, fingerprint, case_id
        )

    def earlier(self, command_id: UUID, fingerprint: bytes | None, case_id: UUID) -> Done | None:
        """What the command left in the log, or None.

        Raises:
            KeyReused: it was another command, or had another body.

        """
        prior = self.eventlog.by_command(command_id)
        if prior is None:
            return None
        stream = case_stream(case_id)
        own = [recorded for recorded in prior.events if recorded.stream == stream]
        if not own or prior.fingerprint != fingerprint:
            raise KeyReused
        last = own[-1]
        history = [r for r in self.history(case_id) if r.version <= last.version]
        loaded = _project(None, history)
        assert loaded is not None
        return Done(
            case_id=case_id,
            version=last.version,
            position=max(recorded.position for recorded in prior.events),
            hash=last.hash,
            case=loaded.case,
            happened=tuple(recorded.event for recorded in own),
            at=last.at,
            repeated=True,
        )


class _Decided(msgspec.Struct, frozen=True):
    case_id: UUID
    at: datetime
    told: dict[UUID, list[events.Event]]
    before: dict[UUID, Loaded]

    @property
    def writes(self) -> list[Write]:
        """One write a stream; a report also takes its number."""
        writes = [
            Write(
                case_stream(case_id),
                self.before[case_id].version if case_id in self.before else 0,
                tuple(facts),
                self.at,
            )
            for case_id, facts in self.told.items()
        ]
        first = self.told[self.case_id][0]
        if isinstance(first, events.ReportSubmitted):
            taken = events.NumberTaken(number=first.number, case=self.case_id)
            writes.append(Write(stream_id(f"number/{first.number}"), 0, (taken,), self.at))
            writes += [
                Write(stream, 0, (reference,), self.at)
                for stream, reference in self.references(first)
            ]
        return writes

    def references(
        self, report: events.ReportSubmitted
    ) -> Iterator[tuple[UUID, events.ReferenceTaken]]:
        """What a report takes of the numbers of other platforms."""
        for ref in dict.fromkeys(report.external_refs):
            yield (
                stream_id(f"reference/{ref.platform}/{ref.number}"),
                events.ReferenceTaken(
                    platform=ref.platform,
                    number=ref.number,
                    case=self.case_id,
                    case_number=report.number,
                ),
            )

    @property
    def reference_streams(self) -> frozenset[UUID]:
        first = self.told[self.case_id][0]
        if not isinstance(first, events.ReportSubmitted):
            return frozenset()
        return frozenset(stream for stream, _ in self.references(first))

    @property
    def number_stream(self) -> UUID | None:
        """The stream by which a report takes its number."""
        first = self.told[self.case_id][0]
        if isinstance(first, events.ReportSubmitted):
            return stream_id(f"number/{first.number}")
        return None


class Told(msgspec.Struct, frozen=True):
    """A case and its version, as a stream tells it."""

    version: int
    case: Case


def _project(initial: Told | None, recorded: Iterable[Recorded]) -> Told | None:
    """The library's projector: a case from its recorded facts."""
    return reduce(_onto, recorded, initial)


def _onto(told: Told | None, recorded: Recorded) -> Told:
    event = recorded.event
    if isinstance(event, UnknownEvent):
        raise Unreadable
    happened = cast("events.Event", event)
    before = told.case if told else None
    return Told(recorded.version, cases.evolve(before, happened, recorded.at, recorded.actor))


def _lost(outcome: VersionConflict | StreamReadOnly, expect: int | None) -> VersionConflict:
    """A race that may be decided again; or Unreadable, or Stale where a version was expected."""
    if isinstance(outcome, StreamReadOnly):
        raise Unreadable
    if expect is not None:
        raise Stale(expect, outcome.actual)
    return outcome


def _appended(prior: Sequence[Recorded]) -> Appended:
    """The append that left these events."""
    return Appended(
        tuple(recorded.position for recorded in prior),
        tuple(recorded.hash for recorded in prior),
        tuple(recorded.version for recorded in prior),
    )


def _settled(outcome: Outcome) -> Appended:
    """The append, or the refusal that stands in its place."""
    match outcome:
        case Appended():
            return outcome
        case DuplicateCommand(earlier=earlier):
            return earlier
        case VersionConflict(expected=expected, actual=actual):
            raise Stale(expected, actual)
        case StreamReadOnly():
            raise Unreadable
