"""Made-up histories for the views: events built by hand, a log that is a list, texts in the clear.

`Story` tells one case step by step; `a_life` draws whole lives from a random number generator, as
scripts/bench_views.py does.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID, uuid5

import msgspec

from casework import events as did
from casework import evidence
from casework.log.port import Outcome as LogOutcome
from casework.log.port import PriorCommand, Recorded, UnknownEvent, Write, stream_id
from casework.model import (
    CLOCK,
    NOT_WATCHED,
    Actor,
    ActorKind,
    Assignment,
    Certainty,
    Clock,
    ClockStarted,
    ClockStopped,
    Consents,
    Limit,
    Outcome,
    Photo,
    Place,
    PlaceKind,
    Role,
    Sealed,
    Solved,
    StreetCode,
    Unit,
    Versions,
)
from projections.lines import Opener

DAWN = datetime(2026, 5, 6, 1, 0, tzinfo=UTC)
SPACE = UUID("6a1f6f2e-7f0c-4f57-8b0c-2f4f3a8d9c01")
EPOCH = UUID("0d9f5b1e-52ad-4a0e-9d60-8fd2f1c2a001")
VERSIONS = Versions(1, 1, 1)
LIMIT = Limit(4, Unit.DUTY_HOUR)
STREETS = [StreetCode(f"110108{n:03d}") for n in range(1, 30)]
INDICATORS = ["C01", "C02", *(f"P{n:02d}" for n in range(1, 11))]
REVIEWER = Actor(ActorKind.STAFF, "审甲", roles=(Role.REVIEWER,))
PHRASES = [
    "盲道被共享单车占了，老人没法走",
    "垃圾桶满了没人清理，味道很大",
    "墙上贴满了小广告",
    "快递员把货堆在人行道上分拣",
    "河面上漂着塑料袋和树枝",
    "工地门口浮土很厚，一刮风就扬尘",
]


def case_of(command_id: UUID) -> UUID:
    """The id of the case that a command made."""
    return uuid5(command_id, "case")


def unmasked(text: str) -> str:
    return text


class ClearTexts:
    """Texts whose boxes are the words themselves, until their key is destroyed."""

    def __init__(self) -> None:
        self.destroyed: set[UUID] = set()
        self.opened: list[tuple[UUID, str, UUID]] = []

    def open(self, sealed: Sealed, case_id: UUID, field: str, command_id: UUID) -> str | None:
        self.opened.append((case_id, field, command_id))
        return None if sealed.key_id in self.destroyed else sealed.box.decode()


def opener(texts: ClearTexts | None = None) -> Opener:
    return Opener(texts or ClearTexts(), unmasked, case_of)


class ListedLog:
    """A log that is a list: what the readers need of the port, and nothing else."""

    epoch = EPOCH
    ready = True

    def __init__(self, events: Sequence[Recorded] = ()) -> None:
        self.events = list(events)
        self._wakes: list[Callable[[int], None]] = []

    def add(self, *events: Recorded) -> None:
        self.events += events
        for wake in self._wakes:
            wake(self.head())

    def since(self, position: int, limit: int, stop: int | None = None) -> list[Recorded]:
        found = [e for e in self.events if e.position > position]
        return [e for e in found if stop is None or e.position <= stop][:limit]

    def head(self) -> int:
        return self.events[-1].position if self.events else 0

    def on_commit(self, wake: Callable[[int], None]) -> None:
        self._wakes.append(wake)

    def append(
        self,
        writes: Sequence[Write],
        command_id: UUID,
        actor: Actor,
        fingerprint: bytes | None = None,
    ) -> LogOutcome:
        raise NotImplementedError

    async def submit(
        self,
        writes: Sequence[Write],
        command_id: UUID,
        actor: Actor,
        fingerprint: bytes | None = None,
    ) -> LogOutcome:
        raise NotImplementedError

    def history(self, stream: UUID, after_version: int = 0) -> list[Recorded]:
        return [e for e in self.events if e.stream == stream and e.version > after_version]

    def by_command(self, command_id: UUID) -> PriorCommand | None:
        raise NotImplementedError


def sealed(text: str, key: UUID) -> Sealed:
    return Sealed(key, b"n" * 12, text.encode())


def key_of(person: UUID) -> UUID:
    return uuid5(person, "key")


def starts(clock: Clock, at: datetime, hours: float = 4) -> ClockStarted:
    due_at = at + timedelta(hours=hours)
    if clock in NOT_WATCHED:
        return ClockStarted(clock, LIMIT, due_at, "test")
    return ClockStarted(
        clock,
        LIMIT,
        due_at,
        "test",
        began_at=DAWN,
        warn_at=at + timedelta(hours=hours * 0.75),
        escalate_at=at + timedelta(hours=hours * 1.5),
        escalate_again_at=at + timedelta(hours=hours * 2),
    )


def stops(clock: Clock, *, final: bool = True) -> ClockStopped:
    return ClockStopped(clock, 1_000_000, in_time=True, because="test", final=final)


def street_actor(street: StreetCode) -> Actor:
    return Actor(ActorKind.STAFF, f"街{street[-3:]}", street, (Role.STREET,))


def citizen(person: UUID) -> Actor:
    return Actor(ActorKind.CITIZEN, str(person), roles=(Role.CITIZEN,))


def photo_of(upload: UUID, person: UUID) -> Photo:
    """A photo whose key the person's key wraps."""
    wrapped = key_of(person).bytes + b"wrapped"
    return Photo(upload, upload.hex * 2, "image/jpeg", "camera", wrapped, 1000)


def derived(upload: UUID, kind: str) -> evidence.Derived:
    made = uuid5(upload, kind)
    return evidence.Derived(made.hex, made.hex * 2, b"k", "image/jpeg", 10, 4, 3)


def examined(upload: UUID, person: UUID | None = None, look: int = 0) -> evidence.EvidenceExamined:
    """A readable picture; two of one `look` look alike. Sealed under the person's key, if any."""
    told = msgspec.json.encode(appearance(upload, look)).decode()
    return evidence.EvidenceExamined(
        upload=upload, person=person, sha256=upload.hex * 2, version=1, media_type="image/jpeg",
        width=40, height=30, thumbnail=derived(upload, "t"), display=derived(upload, "d"),
        appearance=sealed(told, key_of(person) if person else upload),
    )  # fmt: skip


def appearance(upload: UUID, look: int = 0) -> evidence.Appearance:
    return evidence.Appearance(
        content=upload.hex, pixels=upload.hex, phash=(1 << 63) + look, dhash=look,
        parts=bytes([look % 256]) * 24, brightness=100.0, highlights=200.0, sharpness=1.0,
    )  # fmt: skip


def unreadable(upload: UUID, person: UUID | None = None) -> evidence.PhotoUnreadable:
    return evidence.PhotoUnreadable(
        upload=upload,
        person=person,
        sha256=upload.hex * 2,
        version=1,
        code="damaged",
        says="坏了。",
    )


def evidence_stream(upload: UUID) -> UUID:
    return stream_id(f"evidence/{upload}")


class Scribe:
    """Gives positions, versions and command ids to what happens."""

    def __init__(self, start: int = 0) -> None:
        self.position = start
        self.versions: dict[UUID, int] = {}

    def record(
        self,
        stream: UUID,
        event: msgspec.Struct,
        at: datetime,
        actor: Actor,
        command_id: UUID | None = None,
    ) -> Recorded:
        self.position += 1
        self.versions[stream] = version = self.versions.get(stream, 0) + 1
        name = "test" if isinstance(event, UnknownEvent) else type(event).__name__
        return Recorded(
            stream, version, self.position, name, event, at, actor,
            command_id or uuid5(stream, str(version)), 0, b"",
        )  # fmt: skip

    def tell(self, fact: evidence.EvidenceFact, at: datetime = DAWN) -> Recorded:
        """A fact of an upload."""
        return self.record(evidence_stream(fact.upload), fact, at, REVIEWER)

    def erase(self, person: UUID, at: datetime = DAWN) -> Recorded:
        stream = stream_id(f"person/{person}")
        return self.record(stream, did.PersonErased(person=person), at, REVIEWER)


class Story:
    """One case. Each step makes one recorded event and returns it."""

    def __init__(
        self,
        scribe: Scribe,
        name: str,
        *,
        at: datetime = DAWN,
        street: StreetCode = STREETS[0],
        indicator: str = "P09",
        place: tuple[float, float] = (116.31, 39.98),
    ) -> None:
        self.scribe = scribe
        self.command = uuid5(SPACE, name)
        self.case_id = case_of(self.command)
        self.stream = stream_id(f"case/{self.case_id}")
        self.number = f"HD{name}"
        self.person = uuid5(SPACE, f"person {name}")
        self.at = at
        self.street = street
        self.indicator = indicator
        self.place = place
        self.photos = 0
        """How many photos a report and a hand-over cite."""

    def step(self, event: msgspec.Struct, actor: Actor = REVIEWER, after: float = 1) -> Recorded:
        """The event, `after` minutes after the one before."""
        self.at += timedelta(minutes=after)
        return self.scribe.record(self.stream, event, self.at, actor)

    def assignment(self) -> Assignment:
        return Assignment(
            street=self.street, certainty=Certainty.INSIDE, because="在界内", boundary_version=1
        )

    def words(self, text: str, person: UUID | None = None) -> Sealed:
        """Words under a person's key, or under one of the case's for staff."""
        return sealed(text, key_of(person) if person else uuid5(self.case_id, text))

    def submitted(self, text: str | None = "盲道被占", address: str | None = None) -> Recorded:
        lon, lat = self.place
        event = did.ReportSubmitted(
            number=self.number,
            person=self.person,
            place=Place(
                lon=lon,
                lat=lat,
                kind=PlaceKind.ROAD,
                address=self.words(address, self.person) if address else None,
            ),
            assignment=self.assignment(),
            versions=VERSIONS,
            indicator=self.indicator,
            consents=Consents(analysis=True),
            text=self.words(text, self.person) if text else None,
            photos=self.pictures("submitted"),
            started=(starts(Clock.REVIEW, self.at),),
        )
        return self.scribe.record(self.stream, event, self.at, citizen(self.person), self.command)

    def pictures(self, when: str) -> tuple[Photo, ...]:
        return tuple(
            photo_of(uuid5(self.case_id, f"{when} {n}"), self.person) for n in range(self.photos)
        )

    def registered(self) -> Recorded:
        return self.step(
            did.CaseRegistered(
                indicator=self.indicator,
                condition="a",
                versions=VERSIONS,
                stopped=(stops(Clock.REVIEW),),
            )
        )

    def dispatched(self, hours: float = 4) -> Recorded:
        due = self.at + timedelta(hours=hours)
        return self.step(
            did.CaseDispatched(
                street=self.street,
                assignment=self.assignment(),
                limit=LIMIT,
                due_at=due,
                versions=VERSIONS,
                started=(
                    starts(Clock.ACKNOWLEDGE, self.at, 0.5),
                    starts(Clock.HANDLING, self.at, hours),
                ),
            )
        )

    def acknowledged(self) -> Recorded:
        return self.step(
            did.CaseAcknowledged(street=self.street, stopped=(stops(Clock.ACKNOWLEDGE),)),
            street_actor(self.street),
        )

    def extension_requested(self) -> Recorded:
        return self.step(
            did.ExtensionRequested(
                code="E01",
                by=LIMIT,
                words=self.words("需要吊车"),
                started=(starts(Clock.EXTENSION, self.at, 2),),
            ),
            street_actor(self.street),
        )

    def rectified(self) -> Recorded:
        return self.step(
            did.CaseRectified(
                street=self.street,
                outcome=Outcome.RECTIFIED,
                photos=self.pictures(f"rectified {self.at}"),
                words=self.words("已清理干净"),
                stopped=(stops(Clock.HANDLING, final=False), stops(Clock.EXTENSION)),
                started=(starts(Clock.VERIFICATION, self.at, 2),),
            ),
            street_actor(self.street),
        )

    def closed(self) -> Recorded:
        return self.step(
            did.CaseClosed(
                reply=self.words("您反映的问题已处置"),
                standard="已清除",
                stopped=(stops(Clock.VERIFICATION),),
                started=(starts(Clock.RATING, self.at, 24 * 15),),
            )
        )

    def rated(self, solved: Solved = Solved.YES, round_: int = 1) -> Recorded:
        return self.step(
            did.CaseRated(
                person=self.person,
                round=round_,
                solved=solved,
                satisfaction=5 if solved is Solved.YES else 2,
                efficiency=4,
                words=self.words("很快", self.person),
            ),
            citizen(self.person),
        )

    def completed(self) -> Recorded:
        return self.step(did.CaseCompleted(stopped=(stops(Clock.RATING),)), CLOCK)

    def claimed(self) -> Recorded:
        return self.step(did.CaseClaimed(until=self.at + timedelta(minutes=15)))

    def noticed(self, clock: Clock, percent: int, *, began_at: datetime = DAWN) -> Recorded:
        """Somebody was told of a limit, in the stream beside the case."""
        self.at += timedelta(minutes=1)
        notice = did.DeadlineReached(
            case=self.case_id,
            number=self.number,
            clock=clock,
            round=1,
            percent=percent,
            began_at=began_at,
            limit=LIMIT,
            due_at=self.at,
            reached_at=self.at,
            to="street",
        )
        return self.scribe.record(stream_id(f"notices/{self.case_id}"), notice, self.at, CLOCK)

    def joined(self, person: UUID, text: str = "我也遇到了") -> Recorded:
        return self.step(
            did.ReporterJoined(person=person, text=self.words(text, person)), citizen(person)
        )

    def whole(self) -> list[Recorded]:
        """An ordinary life: ten events."""
        return [
            self.submitted(),
            self.registered(),
            self.dispatched(),
            self.acknowledged(),
            self.claimed(),
            self.extension_requested(),
            self.rectified(),
            self.closed(),
            self.rated(),
            self.completed(),
        ]


def lives(scribe: Scribe, names: Sequence[str], random: Random, steps: int) -> list[Recorded]:
    """Cases whose steps interleave: at each turn some case takes its next step."""
    stories = [
        Story(
            scribe,
            name,
            street=random.choice(STREETS[:3]),
            indicator=random.choice(INDICATORS[:3]),
            at=DAWN + timedelta(minutes=n),
        )
        for n, name in enumerate(names)
    ]
    for n, story in enumerate(stories):
        story.photos = n % 3
    told = dict.fromkeys(range(len(stories)), 0)
    events = []
    for _ in range(steps):
        i = random.randrange(len(stories))
        events.append(_next(stories[i], told[i], random))
        events += _found_out(stories[i], events[-1], random)
        told[i] += 1
    return events


def _found_out(story: Story, cited: Recorded, random: Random) -> list[Recorded]:
    """What may be told of the uploads that a fact cites."""
    told: list[Recorded] = []
    for photo in getattr(cited.event, "photos", ()):
        if random.random() < 0.2:
            continue
        whose = None if isinstance(cited.event, did.CaseRectified) else story.person
        if random.random() < 0.2:
            told.append(story.scribe.tell(unreadable(photo.upload, whose), story.at))
            continue
        told.append(story.scribe.tell(examined(photo.upload, whose, 7), story.at))
        if whose is None and random.random() < 0.7:
            found = evidence.Finding(
                uuid5(photo.upload, "found"), "same_picture", "相同。", "grave"
            )
            checked = evidence.PhotoChecked(
                upload=photo.upload, case=story.case_id, position=cited.position,
                rectified_at=cited.at, version=1, findings=(found,),
            )  # fmt: skip
            told.append(story.scribe.tell(checked, story.at))
    return told


_ORDER: tuple[Callable[[Story], Recorded], ...] = (
    Story.registered, Story.dispatched, Story.acknowledged, Story.extension_requested,
    Story.rectified, Story.closed, Story.rated, Story.completed,
)  # fmt: skip


def _next(story: Story, told: int, random: Random) -> Recorded:
    if told == 0:
        return story.submitted(random.choice([*PHRASES, ""]), "中关村大街5号")
    if random.random() < 0.2:
        return story.claimed()
    if random.random() < 0.15:
        clock = random.choice((Clock.HANDLING, Clock.ACKNOWLEDGE, Clock.VERIFICATION))
        began_at = random.choice((DAWN, DAWN + timedelta(hours=1)))
        return story.noticed(clock, random.choice((75, 100, 150, 200)), began_at=began_at)
    if random.random() < 0.1:
        return story.joined(uuid5(SPACE, f"joiner {told}"), random.choice(PHRASES))
    return random.choice(_ORDER)(story)
