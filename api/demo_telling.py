"""What one case of the demonstration is told with: its moment, its people, its steps. Does nothing.

A script is a generator: it yields steps and is sent what came of each. It never sees a clock; the
moments are its own, in the past, and whoever plays it stops at the end of the story.
"""

from collections.abc import Generator, Mapping
from datetime import date, datetime, timedelta
from random import Random
from typing import TypeAlias
from uuid import UUID

import msgspec

from api import demo_words
from api.demo_places import Ground, Spot
from casework.clocks import SHANGHAI
from casework.lifecycle import Action
from casework.model import Clock
from casework.state import Case

EXAMINED = "photos.examined"
"""No operation of anybody: what was found on photos is told the log, as the server does itself."""

REACHED = ""
"""Nothing is done: a moment has come, for who tells on from there."""

OPENS, ENDS = 7, 21
"""Duty hours of the shipped calendar (Asia/Shanghai), in which staff act."""


class Picture(msgspec.Struct, frozen=True):
    """A picture to be drawn and cited."""

    indicator: str
    seed: int
    after: bool = False
    source: str = "camera"
    cut: bool = False
    """It did not come through whole: nobody can read it."""
    examined: bool = False
    """It is looked at at once, for what the story goes on to do with it."""


class RanOut(msgspec.Struct, frozen=True):
    """A clock of a case that runs out; what the watcher draws its command's id from."""

    case_id: UUID
    clock: Clock
    round: int
    due_at: datetime


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Something that somebody does at a moment.

    `who` is a key of the cast, `anonymous`, `clock`, or `street`/`street_lead` of `street`.
    `fields` are those of the action's form as JSON; photos are drawn, uploaded and cited. `ran`
    is the clock that ran out. A step says all of this itself: played again, when the case has
    long moved on, it must be the same command.
    """

    at: datetime
    who: str
    what: Action
    case: UUID | None = None
    fields: Mapping[str, object] = {}
    photos: tuple[Picture, ...] = ()
    receipt: str | None = None
    street: str | None = None
    ran: RanOut | None = None


class Seen(msgspec.Struct, frozen=True):
    """What came of a step."""

    case_id: UUID
    case: Case
    person: UUID | None = None
    receipt: str | None = None
    uploads: tuple[UUID, ...] = ()
    """The photos that came with it."""


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """Something done at a desk that is no action on a case: a duty, a month's entry, a signature.

    `what` is an operation of the policy table, `of` what its path names, `fields` its form as JSON.
    One that `waits` is done when all before its moment has been, and is seen in the views.
    """

    at: datetime
    who: str
    what: str
    of: Mapping[str, str] = {}
    fields: Mapping[str, object] = {}
    street: str | None = None
    waits: bool = False


class Answer(msgspec.Struct, frozen=True):
    """What was answered to a deed: the number that what was done has from now on, if any."""

    number: int = 0


Turn: TypeAlias = Step | Deed
Script: TypeAlias = Generator[Turn, Seen | Answer, None]
Scene: TypeAlias = Generator[Turn, Seen | Answer, Seen]
"""Part of a script; its value is the last thing seen."""


def reached(at: datetime) -> Generator[Turn, Seen | Answer, Answer]:
    """All before the moment has been played; what follows may rest on what came of it."""
    return (yield from do(Deed(at=at, who="clock", what=REACHED, waits=True)))


def do(deed: Deed) -> Generator[Turn, Seen | Answer, Answer]:
    """A deed, and what was answered."""
    answer = yield deed
    assert isinstance(answer, Answer)
    return answer


class Kind(msgspec.Struct, frozen=True):
    """An indicator and the condition row under which its cases are registered."""

    indicator: str
    condition: str
    name: str


class Teller:
    """Tells one case: keeps its moment and its people."""

    def __init__(
        self,
        rng: Random,
        ground: Ground,
        kind: Kind,
        start: datetime,
        *,
        certain: bool = True,
        spot: Spot | None = None,
    ) -> None:
        self.rng = rng
        self.ground = ground
        self.kind = kind
        self.spot = spot or ground.spot(rng, kind.indicator, certain=certain)
        self.at = start
        self.end = start
        """When the whole story ends, for what goes on after it."""
        self.hurried = False
        """Everything happens in minutes, at night too: for what is still open at the end."""
        self.examined = False
        """Its pictures are looked at at once."""
        self.publishable: bool | None = None
        """Whether the reporter agrees to publication; None: as it happens."""
        self.scene = rng.getrandbits(31)
        self.remedy = demo_words.remedy(rng, kind.indicator)
        self.reporter = "anonymous"
        self.receipt: str | None = None
        self.case: UUID | None = None
        self.street: str | None = None
        reviewers = ["reviewer", "reviewer_2"]
        rng.shuffle(reviewers)
        self.reviewer, self.other_reviewer = reviewers

    # time ----------------------------------------------------------------------------

    def later(self, least: float, most: float) -> datetime:
        """Some minutes on; into the next duty hours where it would be night."""
        self.at += timedelta(minutes=self.rng.uniform(least, most))
        if not self.hurried:
            self.at = in_duty(self.at, self.rng)
        return self.at

    def until(self, moment: datetime, share: float) -> datetime:
        """On towards a moment, by a share of the way; beyond it with a share above one."""
        self.at += max((moment - self.at) * share, timedelta(minutes=2))
        if not self.hurried:
            self.at = in_duty(self.at, self.rng)
        return self.at

    def day(self, days: int) -> date:
        """The date so many days from now, in Shanghai."""
        return (self.at.astimezone(SHANGHAI) + timedelta(days=days)).date()

    # steps ---------------------------------------------------------------------------

    def tell(
        self,
        who: str,
        what: Action,
        fields: Mapping[str, object] | None = None,
        photos: tuple[Picture, ...] = (),
        ran: RanOut | None = None,
    ) -> Scene:
        """An action on the case, now."""
        seen = yield Step(
            at=self.at,
            who=who,
            what=what,
            case=self.case,
            fields=fields or {},
            photos=photos,
            receipt=self.receipt if who == "anonymous" else None,
            street=self.street,
            ran=ran,
        )
        assert isinstance(seen, Seen)
        self.street = seen.case.street
        return seen

    def photo(self, number: int = 0, *, after: bool = False) -> tuple[Picture, ...]:
        """A picture of the spot; another number shows it from elsewhere."""
        source = "album" if self.rng.random() < 0.2 else "camera"
        scene = self.scene + number
        return (Picture(self.kind.indicator, scene, after, source, examined=self.examined),)

    def place(self) -> dict[str, object]:
        """The pin of the report."""
        return {
            "lon": self.spot.lon,
            "lat": self.spot.lat,
            "crs": "wgs84",
            "kind": self.spot.kind.value,
            "accuracy_m": self.rng.choice((8, 12, 15)),
            "address": f"{self.spot.name}附近",
        }

    def submit(self, *, text: str | None = None) -> Scene:
        """The report, by somebody. From here on the case is known."""
        photos = self.photo()
        if self.rng.random() < 0.2 and not self.examined:
            photos += self.photo(1)
        fields: dict[str, object] = {
            "place": self.place(),
            "text": text or demo_words.report(self.rng, self.kind.indicator, self.spot.name),
            "consents": {
                "publication": self._agrees(),
                "contact_by_street": self.rng.random() < 0.3,
                "analysis": self.reporter != "partner" and self.at.microsecond % 5 != 0,
            },
            "source_channel": "app",
        }
        if self.rng.random() < 0.6:
            fields["indicator"] = self.kind.indicator
        if self.reporter == "partner":
            fields["source_channel"] = "12345"
            number = f"YS{self.at:%y%m%d}{self.rng.randrange(10**6):06d}"
            fields["external_refs"] = [{"platform": "12345", "number": number}]
        elif self.reporter.startswith("reviewer"):
            fields["source_channel"] = "phone"
        elif self.rng.random() < 0.3:
            fields["contact"] = f"139{self.rng.randrange(10**8):08d}"
        if self.reporter == "anonymous" and self.rng.random() < 0.35:
            fields["source_channel"] = "miniprogram"
        seen = yield from self.tell(self.reporter, Action.SUBMIT, fields, photos)
        self.case, self.receipt = seen.case_id, seen.receipt
        return seen

    def _agrees(self) -> bool:
        by_chance = self.rng.random() < 0.6
        return by_chance if self.publishable is None else self.publishable

    def ask(self, who: str, what: Action, /, **fields: object) -> Scene:
        """An action without pictures."""
        return (yield from self.tell(who, what, fields))

    def as_reporter(self, what: Action, /, **fields: object) -> Scene:
        """Something the reporter does: with the account or the receipt."""
        who = self.reporter if self.reporter.startswith("citizen") else "anonymous"
        return (yield from self.tell(who, what, fields))

    def clock(self, what: Action, seen: Seen, clock: Clock) -> Scene:
        """What the clock does when one of the case's clocks has run out."""
        due_at = seen.case.clocks[clock].fact.due_at
        self.at = max(self.at, due_at + timedelta(seconds=2))
        ran = RanOut(seen.case_id, clock, seen.case.round, due_at)
        return (yield from self.tell("clock", what, ran=ran))


def in_duty(moment: datetime, rng: Random) -> datetime:
    """The moment, or a little after the next opening of the desks."""
    local = moment.astimezone(SHANGHAI)
    if OPENS <= local.hour < ENDS:
        return moment
    if local.hour >= ENDS:
        local += timedelta(days=1)
    opened = local.replace(hour=OPENS, minute=0, second=0, microsecond=0)
    return (opened + timedelta(minutes=rng.uniform(2, 25))).astimezone(moment.tzinfo)
