"""Two months of typical cases in the demonstration: the last full one published, this one in work.

A script tells the cases of a month one after another, then the work of the editors on them. Nobody
confirms what they covered, nor approves what they wrote. Pure.
"""

from collections.abc import Generator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple, TypeAlias
from uuid import UUID

from api.demo_places import Ground, Spot
from api.demo_scenes import acknowledged, closed, rectified, taken_on
from api.demo_telling import (
    EXAMINED,
    Answer,
    Deed,
    Kind,
    Script,
    Seen,
    Teller,
    Turn,
    do,
    in_duty,
)
from api.demo_typical_words import IN_WORK, PUBLISHED, Words
from casework.clocks import SHANGHAI
from casework.lifecycle import Action

CASES = len(PUBLISHED) + len(IN_WORK)

_EDITORS = ("editor", "editor_2")
_REVIEWERS = ("reviewer", "reviewer_2")

_FIRST, _EVERY = timedelta(days=2), timedelta(days=3)
"""When in the month the first case is reported, and the next after each: six in eighteen days."""

_DESK_DAY = timedelta(days=22)
"""When the month is nominated; published on its last day."""

_LATELY, _EACH = timedelta(days=13), timedelta(days=2)
"""The same for the month in work, back from the end of the story."""

_AT_WORK = timedelta(hours=30)
"""How long before the end of the story this month's desk began."""


class Example(NamedTuple):
    """A case told for its month: where, in which words, its number, its two photos."""

    words: Words
    place: str
    number: str
    before: UUID
    after: UUID

    def says(self, text: str) -> str:
        return text.format(place=self.place)


Telling: TypeAlias = Generator[Turn, Seen | Answer, Example]
Doing: TypeAlias = Generator[Turn, Seen | Answer, None]


class _Desk:
    """The editors' desk of a month: its moment, and who has what entry."""

    def __init__(self, month: str, at: datetime, pace: timedelta) -> None:
        self.month = month
        self.at = at
        self.pace = pace

    def do(self, who: str, what: str, of: dict[str, str], **fields: object) -> Doing:
        yield from self._done(who, what, of, fields)

    def _done(
        self, who: str, what: str, of: dict[str, str], fields: dict[str, object]
    ) -> Generator[Turn, Seen | Answer, int]:
        self.at += self.pace
        answer = yield from do(Deed(at=self.at, who=who, what=what, of=of, fields=fields))
        return answer.number

    def nominate(self, who: str, one: Example) -> Generator[Turn, Seen | Answer, int]:
        fields: dict[str, object] = {
            "case": one.number,
            "caption": one.says(one.words.caption),
            "before": [str(one.before)],
            "after": [str(one.after)],
        }
        return (yield from self._done(who, "typical_cases.nominate", self._month, fields))

    @property
    def _month(self) -> dict[str, str]:
        return {"month": self.month}

    def cover(self, who: str, one: Example) -> Generator[Turn, Seen | Answer, list[int]]:
        """A rectangle on the photo of the report; on the other somebody looked."""
        left, top, right, bottom = one.words.box
        drawn = [{"left": left, "top": top, "right": right, "bottom": bottom}]
        numbers = []
        for upload, boxes in ((one.before, drawn), (one.after, [])):
            of = {"case": one.number, "upload": str(upload)}
            fields: dict[str, object] = {"boxes": boxes, "looked": True}
            numbers.append((yield from self._done(who, "cases.redact", of, fields)))
        return numbers

    def confirm(self, who: str, one: Example, numbers: Sequence[int]) -> Doing:
        for upload, number in zip((one.before, one.after), numbers, strict=True):
            of = {"case": one.number, "upload": str(upload)}
            yield from self.do(who, "cases.confirm_redaction", of, number=number, looked=True)

    def write(self, who: str, one: Example, entry: int) -> Doing:
        yield from self.do(
            who,
            "typical_cases.redact",
            self._month,
            entry=entry,
            title=one.says(one.words.title),
            caption=one.says(one.words.caption),
            alt={str(one.before): one.words.before, str(one.after): one.words.after},
        )

    def approve(self, who: str, entry: int) -> Doing:
        yield from self.do(who, "typical_cases.approve", self._month, entry=entry)

    def publish(self, who: str) -> Doing:
        yield from self.do(who, "typical_cases.publish", self._month)

    def examined(self) -> Doing:
        """What was found on the photos is told."""
        yield from do(Deed(at=self.at, who="clock", what=EXAMINED))


def published(
    rng: Random, ground: Ground, kinds: Sequence[Kind], until: datetime
) -> tuple[datetime, Script]:
    """The last full month before `until`: told, covered, written, approved, public."""
    first, last = _month_before(until)
    start = first + _FIRST
    return start, _published(rng, ground, kinds, first, last)


def _published(
    rng: Random, ground: Ground, kinds: Sequence[Kind], first: datetime, last: datetime
) -> Script:
    told: list[Example] = []
    at = first
    for turn, (words, spot) in enumerate(_spread(rng, ground, PUBLISHED)):
        at = max(at, in_duty(first + _FIRST + turn * _EVERY, rng))
        one, at = yield from _solved(rng, ground, kinds, words, spot, at, examined=True)
        told.append(one)
    desk = _Desk(f"{first.astimezone(SHANGHAI):%Y-%m}", first + _DESK_DAY, timedelta(minutes=9))
    entries = []
    for turn, one in enumerate(told):
        entries.append((yield from desk.nominate(_REVIEWERS[turn % 2], one)))
    yield from desk.examined()
    for turn, (one, entry) in enumerate(zip(told, entries, strict=True)):
        editor, other = _EDITORS[turn % 2], _EDITORS[1 - turn % 2]
        numbers = yield from desk.cover(editor, one)
        yield from desk.confirm(other, one, numbers)
        yield from desk.write(editor, one, entry)
        yield from desk.approve(other, entry)
    desk.at = last - timedelta(hours=8)
    yield from desk.publish("editor")


def in_work(
    rng: Random, ground: Ground, kinds: Sequence[Kind], until: datetime
) -> tuple[datetime, Script]:
    """The month that goes on, up to `until`: one ready to publish, one to be approved, others begun."""
    start = until - _LATELY
    return start, _in_work(rng, ground, kinds, start, until)


def _in_work(
    rng: Random, ground: Ground, kinds: Sequence[Kind], start: datetime, until: datetime
) -> Script:
    told: list[Example] = []
    at = start
    for turn, (words, spot) in enumerate(_spread(rng, ground, IN_WORK)):
        at = max(at, in_duty(start + turn * _EACH, rng))
        one, at = yield from _solved(rng, ground, kinds, words, spot, at, examined=turn < _BEGUN)
        told.append(one)
    this = _begins(until)
    work = max(this, until - _AT_WORK)
    desk = _Desk(f"{this.astimezone(SHANGHAI):%Y-%m}", work, (until - work) / 25)
    entries = []
    for turn, one in enumerate(told):
        entries.append((yield from desk.nominate(_REVIEWERS[turn % 2], one)))
    yield from desk.examined()
    ready, written, covered = told[:_BEGUN]
    for one, entry in ((ready, entries[0]), (written, entries[1])):
        numbers = yield from desk.cover("editor_2", one)
        yield from desk.confirm("reviewer", one, numbers)
        yield from desk.write("editor_2", one, entry)
    yield from desk.cover("editor_2", covered)
    yield from desk.approve("editor", entries[0])


_BEGUN = 3
"""So many entries of this month were begun: ready, written, covered."""


def _solved(
    rng: Random,
    ground: Ground,
    kinds: Sequence[Kind],
    words: Words,
    spot: Spot,
    at: datetime,
    *,
    examined: bool,
) -> Generator[Turn, Seen | Answer, tuple[Example, datetime]]:
    """A case that ended well, and when its last word was said."""
    kind = [kind for kind in kinds if kind.indicator == words.indicator][-1]
    t = Teller(rng, ground, kind, at, spot=spot)
    t.reporter, t.remedy = rng.choice(("anonymous", "anonymous", "citizen")), words.remedy
    t.examined, t.publishable = examined, True
    reported = yield from t.submit(text=f"{spot.name}{words.trouble}")
    yield from taken_on(t)
    seen = yield from acknowledged(t)
    seen = yield from rectified(t, seen, rng.uniform(0.2, 0.4), elsewhere=False)
    handed_over = seen.uploads
    yield from closed(t, seen)
    t.later(60, 700)
    grade = rng.choice((4, 5, 5))
    yield from t.as_reporter(Action.RATE, solved="yes", satisfaction=grade, efficiency=5)
    one = Example(words, spot.name, seen.case.number, reported.uploads[0], handed_over[0])
    return one, t.at


def _spread(rng: Random, ground: Ground, words: Sequence[Words]) -> list[tuple[Words, Spot]]:
    """A spot for each, in as many 街镇 as there are words."""
    streets: set[str] = set()
    found: list[tuple[Words, Spot]] = []
    for each in words:
        spot = ground.spot(rng, each.indicator)
        while spot.street in streets:
            spot = ground.spot(rng, each.indicator)
        streets.add(spot.street)
        found.append((each, spot))
    return found


def _begins(moment: datetime) -> datetime:
    """The beginning of its month in Shanghai."""
    local = moment.astimezone(SHANGHAI)
    first = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return first.astimezone(moment.tzinfo)


def _month_before(until: datetime) -> tuple[datetime, datetime]:
    """The last full month: its beginning and its end."""
    end = _begins(until)
    return _begins(end - timedelta(days=1)), end
