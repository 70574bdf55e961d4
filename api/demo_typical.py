"""Two months of typical cases in the demonstration: the last full one published, this one in work.

The cases of a month are scripts of their own; the editors' work on them begins when all are told.
Nobody confirms what they covered, nor approves what they wrote. Pure.
"""

from collections.abc import Generator, Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple
from uuid import UUID

from api.demo_places import Ground
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
    reached,
)
from api.demo_typical_words import IN_WORK, PUBLISHED, Words
from casework.clocks import SHANGHAI
from casework.lifecycle import Action

CASES = len(PUBLISHED) + len(IN_WORK)

_EDITORS = ("editor", "editor_2")
_REVIEWERS = ("reviewer", "reviewer_2")

_DAY = timedelta(days=1)
_FIRST, _EVERY = 2 * _DAY, 3 * _DAY
"""When in the month the first case is reported, and the next after each: six in eighteen days."""

_DESK_DAY = 22 * _DAY
"""When the month is nominated; published on its last day."""

_LATELY, _EACH = 13 * _DAY, 2 * _DAY
"""The same for the month in work, back from the end of the story."""

_AT_WORK = timedelta(hours=30)
"""How long before the end of the story this month's desk began."""

_APPROVED, _WRITTEN, _COVERED = 1, 2, 3
"""So many entries of the month in work were approved, written, covered; others are nominated."""


class Part(NamedTuple):
    """A script of a month, when it begins, and how many cases it tells."""

    start: datetime
    script: Script
    cases: int = 0


class Example(NamedTuple):
    """A case told for its month: where, in which words, its number, its two photos."""

    words: Words
    place: str
    number: str
    before: UUID
    after: UUID

    def says(self, text: str) -> str:
        return text.format(place=self.place)


def published(
    rng: Random, ground: Ground, kinds: Sequence[Kind], until: datetime
) -> Iterator[Part]:
    """The last full month before `until`: told, covered, written, approved, public."""
    end = _begins(until)
    first = _begins(end - _DAY)
    month, every = _Month(first), len(PUBLISHED)
    starts = [first + _FIRST + turn * _EVERY for turn in range(every)]
    yield from _told(rng, ground, kinds, month, PUBLISHED, starts, examined=every)
    work, pace = first + _DESK_DAY, timedelta(minutes=9)
    yield Part(work, month.nominated(work, pace))
    yield from month.all_covered(range(every), work + _DAY, pace)
    yield Part(work + 2 * _DAY, month.written(every, work + 2 * _DAY, pace, every))
    yield Part(end - _DAY / 3, month.published(end - _DAY / 3))


def in_work(rng: Random, ground: Ground, kinds: Sequence[Kind], until: datetime) -> Iterator[Part]:
    """The month of `until`: one entry ready to publish, one to be approved, others begun."""
    this = _begins(until)
    month = _Month(this)
    starts = [until - _LATELY + turn * _EACH for turn in range(len(IN_WORK))]
    yield from _told(rng, ground, kinds, month, IN_WORK, starts, examined=_COVERED)
    # Also in the first minutes of a month: a quarter of what there is of time for each step.
    work = max(this, until - _AT_WORK)
    step = (until - work) / 4
    pace = step / (2 * len(IN_WORK))
    yield Part(work, month.nominated(work, pace))
    yield from month.all_covered(range(_WRITTEN), work + step, pace)
    yield from month.all_covered(range(_WRITTEN, _COVERED), work + step, pace, confirmed=False)
    yield Part(work + 2 * step, month.written(_WRITTEN, work + 2 * step, pace, _APPROVED))


class _Month:
    """A month's desk: its cases as they were told, and the number of each entry."""

    def __init__(self, first: datetime) -> None:
        self._of = {"month": f"{first.astimezone(SHANGHAI):%Y-%m}"}
        self.told: dict[int, Example] = {}
        self._entries: dict[int, int] = {}

    def nominated(self, at: datetime, pace: timedelta) -> Script:
        """Every case, one after another, once its photos were looked at."""
        yield from do(Deed(at=at, who="clock", what=EXAMINED, waits=True))
        for turn, one in sorted(self.told.items()):
            fields: dict[str, object] = {
                "case": one.number,
                "caption": one.says(one.words.caption),
                "before": [str(one.before)],
                "after": [str(one.after)],
            }
            at += pace
            answer = yield from self._do(at, _REVIEWERS[turn % 2], "nominate", fields)
            self._entries[turn] = answer.number

    def all_covered(
        self, turns: Sequence[int], at: datetime, pace: timedelta, *, confirmed: bool = True
    ) -> Iterator[Part]:
        """Both photos of these."""
        for turn in turns:
            for after in (False, True):
                yield Part(at, self._covered(turn, after, at, pace, confirmed=confirmed))

    def _covered(
        self, turn: int, after: bool, at: datetime, pace: timedelta, *, confirmed: bool
    ) -> Script:
        """A photo covered by one, and looked at by another; after the work nothing is covered."""
        yield from reached(at)
        one = self.told[turn]
        left, top, right, bottom = one.words.box
        box = {"left": left, "top": top, "right": right, "bottom": bottom}
        of = {"case": one.number, "upload": str(one.after if after else one.before)}
        fields: dict[str, object] = {"boxes": [] if after else [box], "looked": True}
        editor, other = _hands(turn)
        made = yield from do(Deed(at=at, who=editor, what="cases.redact", of=of, fields=fields))
        if confirmed:
            fields = {"number": made.number, "looked": True}
            what = "cases.confirm_redaction"
            yield from do(Deed(at=at + pace, who=other, what=what, of=of, fields=fields))

    def written(self, turns: int, at: datetime, pace: timedelta, approved: int) -> Script:
        """The texts of the first `turns` entries; of `approved` of them approved by another."""
        yield from reached(at)
        for turn in range(turns):
            one, entry = self.told[turn], self._entries[turn]
            editor, other = _hands(turn)
            fields: dict[str, object] = {
                "entry": entry,
                "title": one.says(one.words.title),
                "caption": one.says(one.words.caption),
                "alt": {str(one.before): one.words.before, str(one.after): one.words.after},
            }
            yield from self._do(at, editor, "redact", fields)
            at += pace
            if turn < approved:
                yield from self._do(at, other, "approve", {"entry": entry})
                at += pace

    def published(self, at: datetime) -> Script:
        """Everything approved, at once."""
        yield from reached(at)
        yield from self._do(at, "editor", "publish", {})

    def _do(
        self, at: datetime, who: str, what: str, fields: dict[str, object]
    ) -> Generator[Turn, Seen | Answer, Answer]:
        what = f"typical_cases.{what}"
        return (yield from do(Deed(at=at, who=who, what=what, of=self._of, fields=fields)))


def _hands(turn: int) -> tuple[str, str]:
    """Who works on an entry, and who looks at that."""
    return _EDITORS[turn % 2], _EDITORS[1 - turn % 2]


def _told(
    rng: Random,
    ground: Ground,
    kinds: Sequence[Kind],
    month: _Month,
    words: Sequence[Words],
    starts: Sequence[datetime],
    *,
    examined: int,
) -> Iterator[Part]:
    """The cases, each in another 街镇; the photos of the first `examined` are looked at at once."""
    streets: set[str] = set()
    for turn, (each, start) in enumerate(zip(words, starts, strict=True)):
        spot = ground.spot(rng, each.indicator)
        while spot.street in streets:
            spot = ground.spot(rng, each.indicator)
        streets.add(spot.street)
        kind = [kind for kind in kinds if kind.indicator == each.indicator][-1]
        own = Random(rng.getrandbits(64))
        t = Teller(own, ground, kind, in_duty(start, own), spot=spot)
        t.reporter = own.choice(("anonymous", "anonymous", "citizen"))
        t.remedy, t.examined, t.publishable = each.remedy, turn < examined, True
        yield Part(t.at, _solved(t, month, turn, each), 1)


def _solved(t: Teller, month: _Month, turn: int, words: Words) -> Script:
    """A case that ended well within two days, seen before and after from the same spot."""
    reported = yield from t.submit(text=f"{t.spot.name}{words.trouble}")
    yield from taken_on(t)
    seen = yield from acknowledged(t)
    handed_over = yield from rectified(t, seen, t.rng.uniform(0.2, 0.4), elsewhere=False)
    yield from closed(t, handed_over)
    t.later(60, 700)
    grade = t.rng.choice((4, 5, 5))
    seen = yield from t.as_reporter(Action.RATE, solved="yes", satisfaction=grade, efficiency=5)
    month.told[turn] = Example(
        words, t.spot.name, seen.case.number, reported.uploads[0], handed_over.uploads[0]
    )


def _begins(moment: datetime) -> datetime:
    """The beginning of its month in Shanghai."""
    local = moment.astimezone(SHANGHAI)
    first = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return first.astimezone(moment.tzinfo)
