"""Deals the scripts of the demonstration out over its month. Pure.

What has ended lies anywhere in the month before the end, what is open shortly before it; with cases
enough there are two months of typical cases, and what is done at the desks beside the cases.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from api import demo_office, demo_typical
from api.demo_open import OPEN, Open
from api.demo_places import DEMO_STREETS, Ground, Spot
from api.demo_story import LIVES, Life
from api.demo_telling import Kind, Script, Teller, in_duty

MONTH = timedelta(days=30)

_OPEN_SHARE = 0.2
_REPORTERS = ("anonymous", "anonymous", "anonymous", "citizen", "citizen_2")

WHOLE = len(OPEN) + len(LIVES) + demo_typical.CASES
"""Cases from which on everything is told."""


class Told(NamedTuple):
    """A script, when it begins, and how many cases it counts for."""

    start: datetime
    script: Script
    cases: int = 1


def month(
    seed: int,
    cases: int,
    until: datetime,
    ground: Ground,
    kinds: Sequence[Kind],
    long_kinds: Sequence[Kind],
) -> Iterator[Told]:
    """`cases` cases over the month before `until`, each script with the moment it begins.

    `kinds` are indicators with a condition row, `long_kinds` those with a day or more. The same
    arguments tell the same story; its scripts must be played up to `until` and no further.
    """
    rng = Random(seed)
    if cases >= WHOLE:
        yield from _at_the_desks(_own(rng), ground, kinds, until)
        cases -= demo_typical.CASES
    still_open = max(min(cases, len(OPEN)), round(cases * _OPEN_SHARE))
    for number in range(still_open):
        yield _open(_own(rng), ground, long_kinds, until, number)
    for number, life in enumerate(_dealt(rng, cases - still_open)):
        # The first of each begins early enough to come to its end; of the others more begin
        # towards the end of the month than at its beginning.
        share = rng.uniform(0.9, 1.0) if number < len(LIVES) else rng.random() ** 1.2
        back = MONTH * share
        start = in_duty(until - timedelta(hours=3) - back, rng)
        kind = rng.choice(long_kinds if life.long else kinds)
        certain = rng.random() < 0.85 if life.certain is None else life.certain
        teller = Teller(_own(rng), ground, kind, start, certain=certain)
        teller.reporter = "anonymous" if life.anonymous else rng.choice(_REPORTERS)
        yield Told(start, life.script(teller))


def _at_the_desks(
    rng: Random, ground: Ground, kinds: Sequence[Kind], until: datetime
) -> Iterator[Told]:
    for start, script in demo_office.scripts(until):
        yield Told(start, script, 0)
    for tell in (demo_typical.published, demo_typical.in_work):
        for part in tell(_own(rng), ground, kinds, until):
            yield Told(*part)


def _open(rng: Random, ground: Ground, kinds: Sequence[Kind], until: datetime, number: int) -> Told:
    """One that is still open; the first two of each lie in the two 街镇 that have accounts."""
    told = OPEN[number % len(OPEN)]
    start = until - timedelta(minutes=rng.uniform(told.least, told.most))
    turn = number // len(OPEN)
    street = DEMO_STREETS[turn] if turn < len(DEMO_STREETS) and told.certain else None
    kind, spot = _somewhere(rng, ground, kinds, street, told)
    teller = Teller(rng, ground, kind, start, spot=spot)
    teller.hurried, teller.end, teller.reporter = True, until, told.reporter
    return Told(start, told.script(teller))


def _somewhere(
    rng: Random, ground: Ground, kinds: Sequence[Kind], street: str | None, told: Open
) -> tuple[Kind, Spot]:
    """A kind that is met there, and where."""
    for kind in rng.sample(kinds, len(kinds)):
        try:
            return kind, ground.spot(rng, kind.indicator, certain=told.certain, street=street)
        except LookupError:
            continue
    raise LookupError(street)


def _own(rng: Random) -> Random:
    """Random numbers of a case's own: what one script draws changes no other."""
    return Random(rng.getrandbits(64))


def _dealt(rng: Random, cases: int) -> list[Life]:
    """Each life once, then by weight."""
    dealt = list(LIVES[:cases])
    weights = [life.weight for life in LIVES]
    return dealt + rng.choices(LIVES, weights, k=max(0, cases - len(dealt)))
