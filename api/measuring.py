"""Figures with all that must be seen beside them, from one state of the tables.

Behind the routes of the measures and the analyst's pages alike: what is asked, over which periods,
as of when; many measures from few questions. Sealed months are read. Knows no HTTP route.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection

from api.geojson import bad, moment_of
from api.measure_schemas import BesideOut, CountedOut, FigureOut
from api.parts import Parts
from api.problems import problem_error
from api.sealed_months import Sealed, read_back, read_to
from api.shown import indicator_name, name_of_street, street_name
from api.trying_out import cut_of
from casework.clocks import SHANGHAI
from casework.handlings import Cut
from casework.lifecycle import LABELS, Status
from casework.model import PlaceKind
from projections.measure_catalogue import (
    CATALOGUE,
    Direction,
    Kind,
    Measure,
    NoSuchMeasure,
    measured,
    with_variant,
)
from projections.measures import (
    By,
    Counted,
    Figure,
    Only,
    Page,
    Part,
    Wanted,
    cases,
    compared,
    measure,
    together,
)
from projections.periods import Every, Period, periods
from projections.tables import reading
from projections.timeline_words import PLACES

MOST_PERIODS = 400
"""A year by days, and some."""


class Question(NamedTuple):
    """What is asked: over which time, of whom, as of when."""

    every: Every
    first: date | None
    last: date | None
    only: Only
    as_of: str | None
    variant: str


class Told(NamedTuple):
    """A figure, and whether it was read from a sealed month."""

    figure: Figure
    sealed: bool


class Answers(NamedTuple):
    """What one question is answered with: one state of the tables, one moment of now."""

    parts: Parts
    connection: Connection
    asking: Question
    cut: Cut | None
    now: datetime
    weights: Mapping[str, float] | None = None

    @property
    def read_to(self) -> int:
        """The position of the log up to which these tables are read."""
        return read_to(self.connection, self.parts.feed.readers)

    @property
    def held(self) -> tuple[str, ...]:
        """Readers that wait at an event that they cannot read."""
        return tuple(sorted({each.reader for each in self.parts.feed.held()}))

    def figures(
        self, of: Measure, over: Sequence[Period], by: By | None, variant: str
    ) -> tuple[FigureOut, ...]:
        """Figures of all periods, each with the period before and the year before."""
        wanted = (of.name, variant)
        return self.many([wanted], over, by)[wanted]

    def many(
        self, wanted: Sequence[Wanted], over: Sequence[Period], by: By | None = None
    ) -> dict[Wanted, tuple[FigureOut, ...]]:
        """The same of several measures, from few questions."""
        every = {each.name: each for some in over for each in _compared_with(some)}
        told = self.alone(wanted, list(every.values()), by)
        return {each: tuple(self._beside_each(each, over, by, told[each])) for each in wanted}

    def _beside_each(
        self, wanted: Wanted, over: Sequence[Period], by: By | None, told: Sequence[Told]
    ) -> Iterator[FigureOut]:
        of, every = measured(wanted[0]), [each.figure for each in told]
        before = {each.name: each.before().name for each in over}
        year_before = {each.name: each.year_before().name for each in over}
        found = [each for each in told if each.figure.period in before]
        figures = [each.figure for each in found]
        then = {(figure.period, figure.key): figure.value for figure in every}
        changes = compared(figures, every, before)
        on_year = compared(figures, every, year_before)
        for each, sealed in found:
            key = (each.period, each.key)
            yield FigureOut(
                period=each.period,
                key=each.key,
                key_name=key_name(self.parts, by, each.key),
                numerator=each.numerator,
                denominator=each.denominator,
                value=each.value,
                n=each.n,
                interval=each.interval,
                p90=each.p90,
                enough=each.enough,
                rank=each.rank,
                on_target=on_target(of, each),
                before=then.get((before[each.period], each.key)),
                change=changes[key],
                year_before=then.get((year_before[each.period], each.key)),
                change_on_year=on_year[key],
                sealed=sealed,
            )

    def alone(
        self, wanted: Sequence[Wanted], over: Sequence[Period], by: By | None
    ) -> dict[Wanted, list[Told]]:
        """Figures without those of other periods. Sealed months are read, the rest computed."""
        found: dict[Wanted, list[Told]] = {each: [] for each in wanted}
        for period in over:
            month, left = self._sealed(period), []
            for name, variant in wanted:
                sealed = None if month is None else read_back(month, name, by, variant)
                if sealed is None:
                    left.append((name, variant))
                else:
                    found[name, variant] += [Told(figure, sealed=True) for figure in sealed]
            for each, figures in self._computed(left, period, by).items():
                found[each] += [Told(figure, sealed=False) for figure in figures]
        return found

    def _computed(
        self, wanted: Sequence[Wanted], period: Period, by: By | None
    ) -> Mapping[Wanted, Sequence[Figure]]:
        if len(wanted) > 1 and self.weights is None:
            return together(
                self.connection, wanted, period, now=self.now, by=by, as_of=self.cut,
                only=self.asking.only,
            )  # fmt: skip
        return {
            (name, variant): measure(
                self.connection, name, period, now=self.now, by=by, as_of=self.cut,
                variant=variant, only=self.asking.only, weights=self.weights,
            )
            for name, variant in wanted
        }  # fmt: skip

    def _sealed(self, period: Period) -> Sealed | None:
        """The sealed month, where its figures are what is asked for."""
        if period.every is not Every.MONTH or (self.cut, self.weights) != (None, None):
            return None
        if self.asking.only != Only() or period.last > self.now:
            return None
        return self.parts.sealed_months.of(period.name)

    def beside(self, of: Measure, over: Sequence[Period]) -> Iterable[BesideOut]:
        """What must be seen with it, and the reports of staff where they are kept out."""
        wanted = [(name, "") for name in of.beside]
        if "staff_entered" in of.variants:
            wanted.append((of.name, "staff_entered"))
        for (name, variant), figures in self.many(wanted, over).items():
            each = CATALOGUE[name]
            yield BesideOut(
                name=name,
                variant=variant,
                title=each.variants[variant].title if variant else each.title,
                unit=each.unit,
                figures=figures,
            )

    def exempted(self, of: Measure, over: Sequence[Period]) -> int:
        """How many of the denominators an upheld appeal exempts; see the part of that name."""
        if "exempted" not in of.variants:
            return 0
        return sum(self.cases(of.name, period, "", Part.EXEMPTED, limit=0).total for period in over)

    def cases(
        self,
        name: str,
        period: Period,
        variant: str,
        part: Part,
        *,
        limit: int,
        offset: int = 0,
        due_first: bool = False,
    ) -> Page:
        """The very rows that a figure of one period counts."""
        return cases(
            self.connection, name, period, now=self.now, as_of=self.cut, variant=variant,
            part=part, only=self.asking.only, limit=limit, offset=offset, due_first=due_first,
        )  # fmt: skip


@contextmanager
def answering(
    parts: Parts, asking: Question, weights: Mapping[str, float] | None = None
) -> Iterator[Answers]:
    """Read one state of the tables. Raises ProblemError for a moment that cannot be asked for."""
    cut = cut_asked(parts, asking)
    with reading(parts.feed.readers.engine) as connection:
        yield Answers(parts, connection, asking, cut, parts.now(), weights)


def _compared_with(period: Period) -> tuple[Period, Period, Period]:
    """The period, the one before it and that of the year before: many are one of another's."""
    return period, period.before(), period.year_before()


# What is asked ---------------------------------------------------------------------------------


def named(name: str, variant: str) -> Measure:
    """The measure of this name. Raises ProblemError where it or the variant is not there."""
    try:
        of = measured(name)
    except NoSuchMeasure:
        raise problem_error(
            404, "not-found", "没有找到", "没有这个指标口径，请先查看目录（/measures）。"
        ) from None
    try:
        with_variant(of, variant)
    except NoSuchMeasure:
        known = "、".join(of.variants) or "无"
        raise bad("variant", f"「{of.title}」没有这种口径；可用的口径：{known}。") from None
    return of


def periods_asked(parts: Parts, asking: Question) -> list[Period]:
    """The periods asked for. Raises ProblemError for none, too many, or one to come."""
    now = parts.now()
    first = asking.first or asking.last or now.astimezone(SHANGHAI).date()
    last = asking.last or first
    if not (2000 <= first.year <= 2100 and 2000 <= last.year <= 2100):
        raise bad("from", "日期应在2000年至2100年之间。")
    if first > last:
        raise bad("to", "结束日期不能早于开始日期。")
    if (last - first).days > 366 * 12:
        raise bad("to", "一次最多查询十二年。")
    over = periods(asking.every, first, last)
    if len(over) > MOST_PERIODS:
        raise bad("to", f"一次最多{MOST_PERIODS}个时段，请缩短时间或用更长的时段。")
    if over[0].first > now:
        raise bad("from", "这个时段还没有到。")
    return over


def cut_asked(parts: Parts, asking: Question) -> Cut | None:
    """The moment asked for; None where each period is told as of its own end."""
    if asking.as_of is None:
        return None
    now = parts.now()
    return cut_of(parts.casework.eventlog, moment_of(asking.as_of, now, coarse=False), now)


def areas(parts: Parts) -> dict[str, float]:
    """Square kilometres by 街镇, of the boundaries in force."""
    found = parts.dispatcher.boundaries.arrangement.areas()
    return {code: area.area / 1e6 for code, area in found.items()}


def weights_of(parts: Parts, of: Measure, by: By | None) -> dict[str, float]:
    """Square kilometres by 街镇. Raises ProblemError where a figure is not so many of a 街镇."""
    if by is not By.STREET or of.kind not in {Kind.COUNT, Kind.STOCK}:
        raise bad("per", "每平方千米只用于按街镇分列的件数（by=street）。")
    return areas(parts)


# What is told ----------------------------------------------------------------------------------


def on_target(of: Measure, figure: Figure) -> bool | None:
    """Whether the target is kept; None where there is none, or nothing to compare."""
    if of.target is None or figure.value is None:
        return None
    up = of.direction is Direction.UP
    return figure.value >= of.target if up else figure.value <= of.target


def key_name(parts: Parts, by: By | None, key: str) -> str:
    """What a key is called in Chinese."""
    if not key:
        return "合计" if by is None else "未定"
    match by:
        case By.STREET:
            return name_of_street(parts, key)
        case By.INDICATOR:
            return indicator_name(parts, key) or key
        case By.PLACE_KIND:
            return PLACES[PlaceKind(key)]
        case By.STAGE:
            return LABELS[Status(key)].staff
        case _:
            return key


def counted(parts: Parts, row: Counted) -> CountedOut:
    """A row behind a figure."""
    return CountedOut(
        case_id=str(row.case_id),
        number=row.number,
        round=row.round,
        street=row.street,
        street_name=street_name(parts, row.street),
        indicator=row.indicator,
        indicator_name=indicator_name(parts, row.indicator or None),
        place_kind=row.place_kind,
        channel=row.channel,
        at=row.at,
        counted=row.counted,
        dispatched_at=row.dispatched_at,
        due_at=row.due_at,
        handed_over_at=row.handed_at,
        closed_at=row.closed_at,
    )
