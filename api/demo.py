"""Plays the demonstration through the same door as everything else, and remembers what was played.

The story is told by `api.demo_month`; here it meets the engine. Every command's key comes from the
story's seed, so that a play cut off in the middle is carried on, and one that is whole adds
nothing. Cases are flagged as demonstration in the log.
"""

import asyncio
import heapq
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from datetime import datetime
from random import Random
from typing import NamedTuple
from uuid import UUID, uuid5

from msgspec.structs import replace

from api import hand_back
from api.access import Visitor
from api.accounts.principal import NOBODY, Principal
from api.actions import FORMS, Form, Made, RectifyIn
from api.demo_accounts import Troupe
from api.demo_desks import REFERENCE, Desks, OwnFeed
from api.demo_month import Told, month
from api.demo_note import Played
from api.demo_pictures import picture
from api.demo_places import Ground
from api.demo_telling import EXAMINED, Answer, Deed, Kind, Picture, Script, Seen, Step, Turn
from api.door import Door, Request, upload_owner
from api.parts import Parts
from api.schemas import ReportIn
from casework import commands as ask
from casework import watch
from casework.errors import Missing
from casework.keys import Owner, OwnerKind, person_key
from casework.lifecycle import Action
from casework.model import CLOCK, Role, Unit
from casework.owed import LAPSES
from casework.reference import Rules
from evidence.signatures import Kind as FileKind
from geo.gazetteer import read_places
from geo.units import BUNDLED

ABREAST = 24
"""Cases played at once: enough to share commits, few enough to keep the log near its own time."""

_IDS = UUID("0c7e5e0e-6a8f-5c1d-9a55-2b9b5e6d7f10")
SOURCE = "demonstration"
"""From where those who play it come."""

_LONG = frozenset({Unit.CALENDAR_DAY, Unit.WORKING_DAY})


class MarkedRectifyIn(RectifyIn):
    """整改反馈 with drawn pictures: marked as a demonstration too."""

    def command(self, made: Made) -> ask.Command:
        command = super().command(made)
        assert isinstance(command, ask.Rectify)
        return replace(command, demonstration=True)


_FORMS: dict[Action, type[Form]] = {**FORMS, Action.RECTIFY: MarkedRectifyIn}


class StoryClock:
    """The clock of the engine while a story is played: what is played now is now.

    Threads that were told no moment get the latest one played.
    """

    def __init__(self, start: datetime) -> None:
        self._here: ContextVar[datetime | None] = ContextVar("moment", default=None)
        self._latest = start

    def __call__(self) -> datetime:
        return self._here.get() or self._latest

    def set(self, moment: datetime) -> None:
        """From here on, in this task, it is that moment."""
        self._here.set(moment)


class _Turn(NamedTuple):
    """A step that waits to be played; of two at one moment the earlier case goes first."""

    at: datetime
    number: int
    turn: int
    step: Turn
    script: Script
    cases: int

    @property
    def waits(self) -> bool:
        """Whether all before its moment must have been played."""
        return isinstance(self.step, Deed) and self.step.waits

    @property
    def alone(self) -> bool:
        """Whether nothing may be decided beside it: it changes the rules."""
        return isinstance(self.step, Deed) and self.step.what in REFERENCE


async def play(
    parts: Parts,
    clock: StoryClock,
    troupe: Troupe,
    story: Played,
    progress: Callable[[int], None] = lambda _ended: None,
) -> None:
    """Play the story up to its end; `progress` is told how many cases have come to theirs.

    `parts` must have been built with `clock`.

    Raises:
        Refusal: a step is against the rules; the story or the catalogue was changed.

    """
    stage = _Stage(parts, clock, troupe, story)
    waiting: list[_Turn] = []
    for number, told in enumerate(_scripts(parts, story)):
        _wait(waiting, next(told.script), (number, 0), told, story.until, progress)
    while waiting:
        turns = _next(waiting)
        for turn, seen in zip(turns, await _together(stage, turns), strict=True):
            told = Told(turn.at, turn.script, turn.cases)
            try:
                step = turn.script.send(seen)
            except StopIteration:
                progress(told.cases)
                continue
            _wait(waiting, step, (turn.number, turn.turn + 1), told, story.until, progress)
    await stage.finish()


def _wait(
    waiting: list[_Turn],
    step: Turn,
    place: tuple[int, int],
    told: Told,
    until: datetime,
    progress: Callable[[int], None],
) -> None:
    """Put a script's next step among those that wait; one beyond the end ends the script."""
    if step.at <= until:
        heapq.heappush(waiting, _Turn(step.at, *place, step, told.script, told.cases))
        return
    told.script.close()
    progress(told.cases)


def _next(waiting: list[_Turn]) -> list[_Turn]:
    """The earliest of those that wait, as many as may be played at once."""
    turns = [heapq.heappop(waiting)]
    while waiting and len(turns) < ABREAST and not turns[0].alone:
        head = waiting[0]
        if head.alone or (head.waits and turns[0].at < head.at):
            break
        turns.append(heapq.heappop(waiting))
    return turns


async def _together(stage: "_Stage", turns: Iterable[_Turn]) -> list[Seen | Answer]:
    return await asyncio.gather(*(stage.act(t.step, (t.number, t.turn)) for t in turns))


def _scripts(parts: Parts, story: Played) -> list[Told]:
    rules = parts.casework.references.rules_at(story.until)
    kinds, long_kinds = kinds_of(rules)
    ground = Ground(read_places(BUNDLED / "places.csv"), parts.dispatcher)
    told = month(story.seed, story.cases, story.until, ground, kinds, long_kinds)
    return sorted(told, key=lambda one: one.start)


def kinds_of(rules: Rules) -> tuple[list[Kind], list[Kind]]:
    """Every indicator with each of its condition rows; and those with a day or more."""
    every = [
        (Kind(indicator.code, row.id, indicator.name), row.limit.unit in _LONG)
        for _, indicator in sorted(rules.catalogue.indicators.items())
        for row in indicator.conditions
    ]
    return [kind for kind, _ in every], [kind for kind, long in every if long]


class _Stage:
    """Where steps become requests at the door."""

    def __init__(self, parts: Parts, clock: StoryClock, troupe: Troupe, story: Played) -> None:
        self._parts = parts
        self._door = Door(parts, demonstration=True)
        self._desks = Desks(parts, OwnFeed(parts.casework.eventlog, parts.feed.readers))
        self._clock = clock
        self._troupe = troupe
        self._story = story

    async def act(self, step: Turn, turn: tuple[int, int]) -> Seen | Answer:
        """Play one step; `turn` is the number of the script and of the step in it."""
        self._clock.set(step.at)
        key = _key(self._story.seed, turn)
        if isinstance(step, Deed):
            return await self._do(step, key)
        if step.who == "clock":
            return await self._clockwork(step)
        visitor = self._visitor(step, key)
        photos = [
            await self._upload(step, visitor, picture_, f"{key}/{number}")
            for number, picture_ in enumerate(step.photos)
        ]
        fields = {**step.fields, **({"photos": photos} if photos else {})}
        if step.what is Action.SUBMIT:
            report = ReportIn.model_validate(fields)
            request = Request(visitor, key, "/api/v1/reports", _body(report))
            taken = await self._door.report(request, report)
            return Seen(
                taken.done.case_id, taken.done.case, taken.person, taken.receipt, _ids(photos)
            )
        form = _FORMS[step.what].model_validate(fields)
        path = f"/api/v1/cases/{step.case}/{step.what.replace('_', '-')}"
        acted = await self._door.act(
            Request(visitor, key, path, _body(form)), str(step.case), step.what, form
        )
        return Seen(
            acted.done.case_id, acted.done.case, receipt=acted.receipt, uploads=_ids(photos)
        )

    async def _do(self, deed: Deed, key: str) -> Answer:
        visitor = Visitor(NOBODY if deed.who == "clock" else self._principal(deed), SOURCE)
        answer = await self._desks.carry_out(deed, visitor, key)
        if deed.what in REFERENCE:
            # Read as of the end: who decides must not be behind the rules of the story's moment.
            await asyncio.to_thread(self._parts.casework.refresh, self._story.until)
        return answer

    async def finish(self) -> None:
        """What was found on photos that were looked at is told at the end."""
        self._clock.set(self._story.until)
        end = Deed(at=self._story.until, who="clock", what=EXAMINED)
        await self._desks.carry_out(end, Visitor(NOBODY, SOURCE), "")

    def _visitor(self, step: Step, key: str) -> Visitor:
        if step.who == "anonymous":
            draft = None if step.receipt else UUID(key)
            return Visitor(NOBODY, SOURCE, receipt=step.receipt, draft=draft)
        return Visitor(self._principal(step), SOURCE)

    def _principal(self, step: Turn) -> Principal:
        if step.who not in ("street", "street_lead") or step.street is None:
            return self._troupe.principal(step.who)
        return self._troupe.of_street(Role(step.who), step.street)

    async def _clockwork(self, step: Step) -> Seen:
        """What the clock does, under the very ids the watcher would use."""
        assert step.case is not None
        command: ask.Command
        if step.ran is not None:
            command = LAPSES[step.ran.clock]()
            command_id = watch.command_id(step.ran)
        elif step.what is Action.HAND_BACK_UNREADABLE:
            # As the story saw it: told again, the case may have been handed over anew.
            photos = tuple(UUID(one) for one in str(step.fields["photos"]).split())
            since = datetime.fromisoformat(str(step.fields["rectified_at"]))
            command = ask.HandBackUnreadable(unreadable=photos)
            command_id = hand_back.command_id(step.case, since)
        else:
            assert step.what is Action.NOTIFY, "the clock does nothing else"
            person, channel = str(step.fields["person"]), str(step.fields["channel"])
            command = ask.Notify(person=UUID(person), channel=channel)
            command_id = uuid5(_IDS, f"notify/{step.case}/{step.at.isoformat()}")
        done = await self._parts.casework.handle(
            step.case, command, at=step.at, by=CLOCK, command_id=command_id
        )
        return Seen(done.case_id, done.case)

    async def _upload(
        self, step: Step, visitor: Visitor, wanted: Picture, name: str
    ) -> dict[str, str]:
        """Draw a picture and take it in as an upload; one that is there already stays."""
        upload_id = uuid5(_IDS, name)
        owner, key_id, key_owner = await self._uploader(step, visitor, name)
        parts = self._parts
        await parts.keys.ensure(key_id, key_owner)
        wrap = parts.sealer.wrapper(key_id)

        def store() -> None:
            try:
                parts.uploads.cited([upload_id], [owner], step.at)
            except Missing:
                drawn = picture(wanted.indicator, wanted.seed, after=wanted.after)
                if wanted.cut:
                    drawn = drawn[: len(drawn) // 3]
                blob = parts.blobs.put([drawn], wrap, FileKind.PICTURE)
                parts.uploads.add(upload_id, owner, blob, step.at)
            waits = parts.uploads.unexamined(upload_id) if wanted.examined else None
            if waits is not None:
                parts.examining.examine(waits)

        await self._door.in_thread(store)
        return {"upload": str(upload_id), "source": wanted.source}

    async def _uploader(self, step: Step, visitor: Visitor, name: str) -> tuple[str, UUID, Owner]:
        """Under whose name the file stands, and the key that wraps its own."""
        person: UUID | None = visitor.principal.person_id
        if visitor.draft is not None:
            person = self._door.person_of_draft(visitor.draft)
            owner = upload_owner(visitor, visitor.draft)
        elif visitor.is_anonymous:
            assert step.case is not None
            person = (await self._door.loaded(step.case)).case.own_reporters[0]
            owner = f"citizen:{person}"
        else:
            owner = upload_owner(visitor, None)
        if person is not None:
            return owner, person_key(str(person)), Owner(OwnerKind.PERSON, str(person))
        return owner, uuid5(_IDS, f"key/{name}"), Owner(OwnerKind.CASE, owner)


def _ids(photos: Iterable[Mapping[str, str]]) -> tuple[UUID, ...]:
    return tuple(UUID(photo["upload"]) for photo in photos)


def _key(seed: int, turn: tuple[int, int]) -> str:
    """The idempotency key of a step: a random UUID, as strangers must use, but of the story's."""
    number, step = turn
    return str(UUID(int=Random(f"{seed}/{number}/{step}").getrandbits(128), version=4))


def _body(form: ReportIn | Form) -> bytes:
    return form.model_dump_json(exclude_defaults=True).encode()
