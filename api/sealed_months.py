"""Sealed months: made once after a month's end, and read ever after. Knows no route.

May wait for a disk and compute for a second or two.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import cast
from uuid import UUID, uuid5

import msgspec
from cachetools import LRUCache
from sqlalchemy import Connection, select

from api.small_streams import Asked, carry_out, readable
from casework import sealed_months
from casework.clocks import SHANGHAI
from casework.errors import Missing, NothingPending
from casework.handlings import Cut
from casework.log.port import Log, Recorded, stream_id
from casework.model import CLOCK
from casework.sealed_months import GRACE, MonthSealed, SealedFigure, SealMonth
from projections.feed import Feed
from projections.measure_catalogue import CATALOGUE, Kind, measured
from projections.measures import By, Figure, enough_of, measure, ranked
from projections.periods import Every, Period, month_named, period_of
from projections.reading import Readers
from projections.statistics import wilson
from projections.tables import READER_POSITION, reading

KEYS: tuple[By | None, ...] = (None, By.STREET, By.INDICATOR)
"""What every measure is sealed by; some have one more."""

MORE_KEYS: dict[str, tuple[By, ...]] = {
    "refusals": (By.CODE,),
    "backlog": (By.STAGE,),
    "hotspots": (By.CELL,),
}

KEPT = 36
"""Sealed months in memory: three years, some megabytes."""


class Sealed(msgspec.Struct, frozen=True):
    """A sealed month, when and by whom it was sealed, and where in the log that stands."""

    fact: MonthSealed
    sealed_at: datetime
    sealed_by: str
    position: int
    told_apart: dict[tuple[str, str, str], list[SealedFigure]]
    """The figures by measure, variant and what they are told apart by."""


class SealedMonths:
    """The sealed months of a log. What is sealed never changes, so it is read once."""

    def __init__(self, log: Log, feed: Feed) -> None:
        self._log = log
        self._feed = feed
        self._known: LRUCache[str, Sealed] = LRUCache(KEPT)

    def of(self, month: str) -> Sealed | None:
        """The sealed month, as in 2026-05; None where it is not sealed. Raises Unreadable."""
        found = self._known.get(month)
        if found is None:
            for recorded in readable(self._log.history(_stream(month), 0)):
                found = self._known[month] = _sealed(recorded)
        return found

    def figures(
        self, name: str, period: Period, by: By | None, variant: str
    ) -> list[Figure] | None:
        """The figures of a measure as they were sealed; None where none were sealed like that.

        Raises Unreadable.
        """
        sealed = self.of(period.name) if period.every is Every.MONTH else None
        return None if sealed is None else read_back(sealed, name, by, variant)

    def seal(self, month: str, asked: Asked) -> Sealed:
        """Seal a month that is over.

        Raises a Refusal: not over, sealed already, not permitted, or the views are behind.
        """
        period = month_named(month)

        def decide() -> tuple[int, Sequence[msgspec.Struct]]:
            history = readable(self._log.history(_stream(month), 0))
            facts = [cast("MonthSealed", each.event) for each in history]
            bare = SealMonth(month=month, as_of=period.last, position=0, figures=())
            if not facts and asked.at >= period.last:
                bare = self._computed(bare, period)
            return len(history), sealed_months.decide(facts, bare, asked.by, asked.at)

        return _sealed(carry_out(self._log, _stream(month), decide, asked))

    def tick(self, at: datetime) -> Sealed | None:
        """Seal the month before `at`, if it is time and nobody has."""
        this = period_of(Every.MONTH, at.astimezone(SHANGHAI).date())
        month = this.before().name
        if at < this.first + GRACE or self.of(month) is not None:
            return None
        if not self._has_cases(this.before()):
            return None
        command = uuid5(_stream(month), "sealed by the clock")
        asked = Asked(by=CLOCK, at=at, command_id=command, fingerprint=b"clock")
        try:
            return self.seal(month, asked)
        except (Missing, NothingPending):
            return None  # the views are behind, or another process was first: asked again later

    def _has_cases(self, period: Period) -> bool:
        """Whether anything was reported before its end: an empty engine seals nothing."""
        with reading(self._feed.readers.engine) as connection:
            (open_,) = measure(connection, "backlog", period, now=period.last)
            (sent,) = measure(connection, "reports", period, now=period.last)
        return bool(open_.n or sent.n)

    def _computed(self, command: SealMonth, period: Period) -> SealMonth:
        # Read everything that was written by now: the month is over, and no later fact is of it.
        head = self._log.head()
        self._feed.wait_for(head)
        readers = self._feed.readers
        with reading(readers.engine) as connection:
            position = read_to(connection, readers)
            if position < head:
                raise Missing(
                    "position",
                    "统计数据还没有跟上最新的案件，请稍后再试；如持续如此请联系系统管理员。",
                )
            figures = tuple(sealed_figures(connection, period))
        return msgspec.structs.replace(command, position=position, figures=figures)


def _stream(month: str) -> UUID:
    return stream_id(f"sealed-month/{month}")


def _sealed(recorded: Recorded) -> Sealed:
    fact = cast("MonthSealed", recorded.event)
    told_apart: dict[tuple[str, str, str], list[SealedFigure]] = {}
    for each in fact.figures:
        told_apart.setdefault((each.measure, each.variant, each.by), []).append(each)
    return Sealed(fact, recorded.at, recorded.actor.id, recorded.position, told_apart)


def read_to(connection: Connection, readers: Readers) -> int:
    """How far the facts are read, in the very state of the tables that is asked."""
    row = READER_POSITION.c
    question = select(row.n).where(row.reader == "facts", row.generation == readers.generation)
    return int(connection.scalar(question) or 0)


def sealed_figures(
    connection: Connection, period: Period, now: datetime | None = None
) -> list[SealedFigure]:
    """Every measure and variant of a period, as of its end, or of `now` (a restatement)."""
    cut = None if now is None else Cut(now)
    return [
        SealedFigure(
            name, variant, str(by or ""), each.key, each.numerator, each.denominator,
            each.value, each.p90, measured(name).version,
        )
        for name, of in CATALOGUE.items()
        for variant in ("", *of.variants)
        for by in (*KEYS, *MORE_KEYS.get(name, ()))
        for each in measure(
            connection, name, period, now=now or period.last, by=by, variant=variant, as_of=cut
        )
    ]  # fmt: skip


def read_back(sealed: Sealed, name: str, by: By | None, variant: str) -> list[Figure] | None:
    """The figures of a measure as they were sealed; None where it was not sealed like that.

    Nor where the measure or the variant came into the catalogue after the month was sealed.
    """
    if by not in {*KEYS, *MORE_KEYS.get(name, ())}:
        return None
    of = measured(name)
    rate = of.kind is Kind.RATE
    if (name, variant, "") not in sealed.told_apart:
        return None
    found = [
        Figure(
            period=sealed.fact.month,
            key=each.key,
            numerator=each.numerator,
            denominator=each.denominator,
            value=each.value,
            n=each.denominator,
            interval=wilson(int(each.numerator), each.denominator) if rate else None,
            enough=enough_of(of, each.denominator),
            p90=each.p90,
        )
        for each in sealed.told_apart.get((name, variant, str(by or "")), ())
    ]
    return ranked(of, found) if by not in {None, By.CELL} else found


def restated(
    connection: Connection, sealed: Sealed, period: Period, now: datetime
) -> list[tuple[SealedFigure, SealedFigure | None]]:
    """The sealed figures that the same formulas give otherwise now, each beside what they give."""
    told = {_name(each): each for each in sealed_figures(connection, period, now)}
    pairs = [(each, told.get(_name(each))) for each in sealed.fact.figures]
    return [(was, now_) for was, now_ in pairs if was != now_]


def _name(figure: SealedFigure) -> tuple[str, str, str, str]:
    return (figure.measure, figure.variant, figure.by, figure.key)
