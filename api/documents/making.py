"""Makes the document of a report and a period from the engine's parts. Sets nothing on paper."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection

from api.documents.inspection import inspection_parts
from api.documents.kinds import NAMES, Report, in_words
from api.documents.shift_log import shift_parts
from api.parts import Parts
from casework.handlings import Cut
from casework.indicators import NotInCatalogue
from casework.log.port import Log, Recorded
from geo.units import known_units
from projections.measures import cut_for
from projections.periods import Period
from projections.reports.document import Document, Outline, Part, clock
from projections.reports.figures import monday_parts, monthly_parts, weekly_parts
from projections.reports.outline import outline
from projections.reports.quarterly import quarterly_parts, use
from projections.reports.source import Names, Source
from projections.reports.work_log import day_of, work_log_parts
from projections.tables import reading

NEAR_M = 300.0
"""How far a named place may lie from a cell to be called near."""

PAGE = 2_000
SLACK = 5_000
"""Positions read around a day's: events of different streams may stand out of order by that."""

SAMPLES = "指标和时限为示例，待区级确认。"


class NotYet(ValueError):  # noqa: N818  names the finding
    """The period has not begun."""


def document(parts: Parts, report: Report, period: Period, as_of: Cut | None = None) -> Document:
    """The report as of a moment: the period's end, or now while it runs. May take seconds.

    Raises NotYet.
    """
    now = parts.now()
    if period.first > now:
        raise NotYet(f"{in_words(period)}还没有到。")
    if report is Report.INSPECTION:
        cut = Cut(now, parts.casework.eventlog.head())
    else:
        cut = cut_for(period, now, as_of)
    made = _MAKERS[report](parts, period, now, as_of, cut)
    return Document(
        name=NAMES[report],
        title=f"海淀随手拍{NAMES[report]}",
        period=in_words(period),
        as_of=cut.at,
        position=cut.position or position_at(parts.casework.eventlog, cut.at),
        facts=tuple(_facts(parts, report, period, now)),
        parts=made[0],
        outline=made[1],
    )


Made = tuple[tuple[Part, ...], Outline | None]
Maker = Callable[[Parts, Period, datetime, Cut | None, Cut], Made]


def _facts(parts: Parts, report: Report, period: Period, now: datetime) -> Iterator[str]:
    sealed = parts.sealed_months.of(period.name) if report is Report.MONTHLY else None
    if sealed is not None:
        yield (
            f"本月数据已于 {clock(sealed.sealed_at)} 封存（日志位置 {sealed.position}），"
            f"以下为封存的数；之后的更正见 /measures/sealed/{period.name}。"
        )
    if period.last > now and report is not Report.INSPECTION:
        yield "这一时段还没有结束，数字还会变。"
    if report in _OF_FIGURES:
        yield SAMPLES
    if report is Report.QUARTERLY:
        yield (
            "只统计本人同意（analysis）的使用情况；不含姓名、联系方式和任何个人标识。"
            "匿名上报每次为一个新的标识。已按本人要求删除的不在内，因此以后重出时人数可能减少。"
        )


def _of_figures(parts_of: Callable[[Source], tuple[Part, ...]]) -> Maker:
    def make(parts: Parts, period: Period, now: datetime, as_of: Cut | None, cut: Cut) -> Made:
        map_ = parts.boundaries.at(cut.at).boundaries
        with reading(parts.feed.readers.engine) as connection:
            source = Source(
                connection=connection,
                period=period,
                now=now,
                as_of=as_of,
                streets=tuple(map_.units),
                names=names_at(parts, cut.at),
                outline=outline(map_),
                kept=parts.sealed_months.figures,
            )
            return parts_of(source), source.outline

    return make


def _quarterly(parts: Parts, period: Period, now: datetime, _as_of: Cut | None, cut: Cut) -> Made:
    def asked(connection: Connection) -> tuple[Part, ...]:
        before = period.before().first
        found = use(connection, period.first, period.last, before, min(now, cut.at))
        return quarterly_parts(found, names_at(parts, cut.at).indicator)

    with reading(parts.feed.readers.engine) as connection:
        return asked(connection), None


def _work_log(parts: Parts, period: Period, _now: datetime, _as_of: Cut | None, cut: Cut) -> Made:
    happened = between(parts.casework.eventlog, period.first, min(period.last, cut.at))
    return work_log_parts(day_of(happened, names_at(parts, cut.at).street)), None


def _shifts(parts: Parts, period: Period, _now: datetime, _as_of: Cut | None, cut: Cut) -> Made:
    return shift_parts(parts, period, cut.at), None


def _inspection(
    parts: Parts, _period: Period, now: datetime, _as_of: Cut | None, _cut: Cut
) -> Made:
    return inspection_parts(parts, now), None


_MAKERS: dict[Report, Maker] = {
    Report.WEEKLY: _of_figures(weekly_parts),
    Report.MONDAY: _of_figures(monday_parts),
    Report.MONTHLY: _of_figures(monthly_parts),
    Report.QUARTERLY: _quarterly,
    Report.INSPECTION: _inspection,
    Report.WORK_LOG: _work_log,
    Report.SHIFTS: _shifts,
}
_OF_FIGURES = frozenset({Report.WEEKLY, Report.MONDAY, Report.MONTHLY})


def names_at(parts: Parts, at: datetime) -> Names:
    """What codes were called at a moment; a code that is in no catalogue stands for itself."""
    catalogue = parts.casework.references.rules_at(at).catalogue
    map_ = parts.boundaries.at(at).boundaries

    def street(code: str) -> str:
        unit = known_units().get(code)
        return unit.name if unit else map_.name(code) if code in map_.codes else code

    def indicator(code: str) -> str:
        try:
            return f"{code} {catalogue.indicator(code).name}"
        except NotInCatalogue:
            return code

    def reason(code: str) -> str:
        try:
            return catalogue.code(code).text
        except NotInCatalogue:
            return code

    def place(lon: float, lat: float) -> str | None:
        near = parts.gazetteer.near(lon, lat, 1, NEAR_M)
        return near[0].place.name if near else None

    return Names(street, indicator, reason, place)


def position_at(log: Log, at: datetime) -> int:
    """The position of the last event before a moment; 0 where there is none.

    Found by halving: positions follow time, but for events that were stored side by side.
    """
    low, high = 0, log.head()
    while low < high:
        middle = (low + high + 1) // 2
        found = log.since(middle - 1, 1)
        if found and found[0].at < at:
            low = found[0].position
        else:
            high = middle - 1
    return low


def between(log: Log, first: datetime, last: datetime) -> Iterator[Recorded]:
    """The events of [first, last), in order of position."""
    position = max(0, position_at(log, first) - SLACK)
    end = position_at(log, last) + SLACK
    while page := log.since(position, PAGE, min(end, log.head())):
        position = page[-1].position
        yield from (each for each in page if first <= each.at < last)


def last_ended(period_around: Callable[[datetime], Period], now: datetime) -> Period:
    """The last period of its kind that is over."""
    return period_around(period_around(now).first - timedelta(hours=1))
