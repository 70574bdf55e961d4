"""What decisions are made by: the catalogue, calendar and boundary version in force at a moment.

Folds three reference streams into `Rules`. Knows no case, and of boundaries only that a version
was adopted: the map itself is another package's. Reads no clock and no file.
"""

from collections.abc import Sequence
from datetime import date, datetime
from functools import cached_property, reduce
from typing import TypeAlias, assert_never

import msgspec

from casework import catalogue as catalogues
from casework import special_periods
from casework.catalogue import Catalogue
from casework.clocks import DAY, Calendar, CalendarYear, Windows, micros_of_day
from casework.effective import Effective, require_notice, version_at
from casework.errors import Missing, Refusal, UnknownCode
from casework.indicators import ReasonCode
from casework.model import Clock, Limit, PlaceKind, Versions


class _Timed(msgspec.Struct, frozen=True, kw_only=True):
    effective_from: datetime


# Calendar: commands, events, decide, evolve ----------------------------------------------------


class PublishYear(_Timed, frozen=True, kw_only=True, tag="publish-year"):
    """Enter the State Council's notice for a year, or a corrected one."""

    year: CalendarYear


class SetWindows(_Timed, frozen=True, kw_only=True, tag="set-windows"):
    """The windows of a day (Asia/Shanghai) in which duty time and working time count."""

    duty: Windows
    working: Windows


CalendarCommand: TypeAlias = PublishYear | SetWindows


class CalendarYearPublished(_Timed, frozen=True, kw_only=True):
    year: CalendarYear


class WindowsSet(_Timed, frozen=True, kw_only=True):
    duty: Windows
    working: Windows


CalendarEvent: TypeAlias = CalendarYearPublished | WindowsSet

NO_CALENDAR = Calendar(0, (), (), {})
"""Before the first event. It has no windows, so nothing can be counted by it."""


def decide_calendar(
    history: Sequence[CalendarEvent], command: CalendarCommand, now: datetime
) -> list[CalendarEvent]:
    """The events of a change of the calendar asked for at `now`, or a Refusal."""
    require_notice(command.effective_from, now, _last(history))
    return [_decide_calendar(fold_calendar(history), command)]


def found_calendar(commands: Sequence[CalendarCommand]) -> list[CalendarEvent]:
    """The first events of the stream: windows first, then years, all from one moment.

    Held to the same guards as later ones but for the notice.
    """
    if not commands or not isinstance(commands[0], SetWindows):
        raise Missing("commands", "日历须先设定值守时段和工作时段。")
    _require_one_moment(commands)
    history: list[CalendarEvent] = []
    for command in commands:
        history.append(_decide_calendar(fold_calendar(history), command))
    return history


def _decide_calendar(calendar: Calendar, command: CalendarCommand) -> CalendarEvent:
    match command:
        case PublishYear(year=year):
            if calendar.days.get(year.year) == year:
                raise Missing("year", "内容与现行版本相同，没有变化。")
            _require_sound_year(year)
            return CalendarYearPublished(year=year, effective_from=command.effective_from)
        case SetWindows(duty=duty, working=working):
            if (calendar.duty, calendar.working) == (duty, working):
                raise Missing("windows", "内容与现行版本相同，没有变化。")
            _require_sound_windows("值守时段", duty)
            _require_sound_windows("工作时段", working)
            return WindowsSet(duty=duty, working=working, effective_from=command.effective_from)
        case _:
            assert_never(command)


def _require_sound_windows(name: str, windows: Windows) -> None:
    end = 0
    for opens, closes in windows:
        begins = micros_of_day(opens)
        if begins < end or (micros_of_day(closes) or DAY) <= begins:
            raise Missing("windows", f"{name}须按先后排列，互不重叠，每段结束晚于开始。")
        end = micros_of_day(closes) or DAY
        if any(at.second or at.microsecond or at.tzinfo for at in (opens, closes)):
            raise Missing("windows", f"{name}以北京时间整分钟为界。")
    if not windows:
        raise Missing("windows", f"{name}至少要有一段。")


def _require_sound_year(year: CalendarYear) -> None:
    if any(holiday.last < holiday.first for holiday in year.holidays):
        raise Missing("holidays", "假期的起止日期颠倒。")
    ends = [day for holiday in year.holidays for day in (holiday.first, holiday.last)]
    if any(day.year != year.year for day in ends):
        raise Missing("holidays", f"放假和上班日期都须在{year.year}年内。")
    off = [day for holiday in year.holidays for day in holiday.days()]
    if len(set(off)) < len(off):
        raise Missing("holidays", "假期之间有重叠的日子。")
    if any(day.year != year.year for day in year.worked):
        raise Missing("holidays", f"放假和上班日期都须在{year.year}年内。")
    if any(day.weekday() < 5 or day in off for day in year.worked):
        raise Missing("worked", "调休上班日须是不放假的周六或周日。")
    if not year.holidays or not year.source.strip():
        raise Missing("source", "须填写假期和放假通知的出处。")


def evolve_calendar(calendar: Calendar, event: CalendarEvent) -> Calendar:
    """The next version of the calendar."""
    version = calendar.version + 1
    match event:
        case CalendarYearPublished(year=year):
            days = {**calendar.days, year.year: year}
            return Calendar(version, calendar.duty, calendar.working, days)
        case WindowsSet(duty=duty, working=working):
            return Calendar(version, duty, working, calendar.days)
        case _:
            assert_never(event)


def fold_calendar(history: Sequence[CalendarEvent]) -> Calendar:
    """The calendar after these events from the first."""
    return reduce(evolve_calendar, history, NO_CALENDAR)


# Boundaries ------------------------------------------------------------------------------------


class AdoptBoundaries(_Timed, frozen=True, kw_only=True, tag="adopt-boundaries"):
    """Take a set of street boundaries into use. `sha256` is that of its files."""

    sha256: str
    source: str
    accuracy_note: str


class BoundariesAdopted(_Timed, frozen=True, kw_only=True):
    sha256: str
    source: str
    accuracy_note: str


BoundariesEvent: TypeAlias = BoundariesAdopted


def decide_boundaries(
    history: Sequence[BoundariesEvent], command: AdoptBoundaries, now: datetime
) -> list[BoundariesEvent]:
    """The events of an adoption asked for at `now`, or a Refusal. Going back is adopting again."""
    require_notice(command.effective_from, now, _last(history))
    return [_decide_boundaries(history, command)]


def found_boundaries(command: AdoptBoundaries) -> list[BoundariesEvent]:
    """The first event of the stream, held to the same guards but for the notice."""
    return [_decide_boundaries((), command)]


def _decide_boundaries(
    history: Sequence[BoundariesEvent], command: AdoptBoundaries
) -> BoundariesEvent:
    if len(command.sha256) != 64 or not set(command.sha256) <= set("0123456789abcdef"):
        raise Missing("sha256", "边界版本须是文件的SHA-256（64位小写十六进制）。")
    if not command.source.strip() or not command.accuracy_note.strip():
        raise Missing("source", "须写明边界的来源和精度。")
    if history and history[-1].sha256 == command.sha256:
        raise Missing("sha256", "这一版边界正在使用，没有变化。")
    return BoundariesAdopted(
        sha256=command.sha256,
        source=command.source,
        accuracy_note=command.accuracy_note,
        effective_from=command.effective_from,
    )


STORED_AS: dict[str, type[CalendarEvent] | type[BoundariesEvent]] = {
    "calendar-year-published": CalendarYearPublished,
    "windows-set": WindowsSet,
    "boundaries-adopted": BoundariesAdopted,
}


def _last(history: Sequence[Effective]) -> datetime | None:
    return history[-1].effective_from if history else None


def _require_one_moment(commands: Sequence[CalendarCommand]) -> None:
    if len({command.effective_from for command in commands}) > 1:
        raise Missing("effective_from", "首批日历内容须自同一时间生效。")


# Rules -----------------------------------------------------------------------------------------


class NotInForceYet(Refusal):
    """No catalogue, calendar or boundaries hold at that moment (基础数据尚未生效)."""

    def __str__(self) -> str:
        return "指标目录、工作日历或街镇边界在该时间尚未生效，不能办理。"


class Rules(msgspec.Struct, frozen=True):
    """What `decide` needs: one version of each reference stream."""

    catalogue: Catalogue
    calendar: Calendar
    boundary_version: int
    settled: int = 0
    """See `Versions.settled`."""

    @property
    def versions(self) -> Versions:
        return Versions(
            self.catalogue.version, self.calendar.version, self.boundary_version, self.settled
        )

    def limit(
        self, indicator: str, row: str, street: str, place_kind: PlaceKind, on: date
    ) -> Limit:
        """The handling limit there on that day (Asia/Shanghai); NotInCatalogue if unknown."""
        condition = self.catalogue.indicator(indicator).row(row)
        return condition.limit_for(street, place_kind, on)

    def step(self, clock: Clock, *, danger: bool = False) -> Limit:
        """The limit of a step; the shorter one where danger words were found and one is set.

        KeyError for clocks that are no step: handling (see `limit`) and the suspended time.
        """
        if danger and clock in self.catalogue.danger_steps:
            return self.catalogue.danger_steps[clock]
        return self.catalogue.steps[clock]

    def code(self, code: str, family: str) -> ReasonCode:
        """The coded reason; UnknownCode if it is unknown, retired or of another family."""
        reason = self.catalogue.codes.get(code)
        if reason is None or reason.family != family:
            possible = tuple(known.code for known in self.catalogue.family(family))
            raise UnknownCode(code, possible)
        return reason


class References(msgspec.Struct, frozen=True, dict=True):
    """The reference streams from their first event, and the rules of any moment.

    `special` are the 特殊时段: they are not frozen with a case, since they come over open ones too.

    Each is a value: more events make another one (`grown`), so a decision under way keeps its own.
    """

    catalogue: tuple[catalogues.Event, ...] = ()
    calendar: tuple[CalendarEvent, ...] = ()
    boundaries: tuple[BoundariesEvent, ...] = ()
    special: tuple[special_periods.Event, ...] = ()

    def grown(
        self,
        catalogue: Sequence[catalogues.Event] = (),
        calendar: Sequence[CalendarEvent] = (),
        boundaries: Sequence[BoundariesEvent] = (),
        special: Sequence[special_periods.Event] = (),
    ) -> "References":
        """These and the further events of each stream; the same value if there are none."""
        if not (catalogue or calendar or boundaries or special):
            return self
        return References(
            (*self.catalogue, *catalogue),
            (*self.calendar, *calendar),
            (*self.boundaries, *boundaries),
            (*self.special, *special),
        )

    @property
    def head(self) -> Versions:
        """How far each stream goes, changes that do not hold yet included."""
        return Versions(len(self.catalogue), len(self.calendar), len(self.boundaries))

    def versions_at(self, moment: datetime) -> Versions:
        """The versions in force at the moment; 0 where nothing is yet."""
        return Versions(
            version_at(self.catalogue, moment),
            version_at(self.calendar, moment),
            version_at(self.boundaries, moment),
        )

    def special_at(self, moment: datetime) -> special_periods.SpecialPeriods:
        """The 特殊时段 declared by that moment, those to come and those that ended included."""
        known = version_at(self.special, moment)
        if known not in self._specials:
            self._specials[known] = special_periods.fold(self.special[:known])
        return self._specials[known]

    def rules_at(self, moment: datetime) -> Rules:
        """The rules in force at the moment; NotInForceYet before all three streams have begun."""
        versions = self.versions_at(moment)
        if not (versions.catalogue and versions.calendar and versions.boundaries):
            raise NotInForceYet
        return self.rules_of(versions)

    def rules_of(self, versions: Versions) -> Rules:
        """The rules of versions that an event names. LookupError beyond the streams read so far.

        Each version is folded once and kept; a known one costs about a microsecond.
        """
        rules = self._rules.get(versions)
        if rules is None:
            head = self.head
            if (
                versions.catalogue > head.catalogue
                or versions.calendar > head.calendar
                or versions.boundaries > head.boundaries
                or versions.settled > head.calendar
            ):
                raise LookupError(f"{versions} beyond {head}")
            rules = Rules(
                catalogues.fold(self.catalogue[: versions.catalogue]),
                self.calendar_of(versions.calendar, versions.settled),
                versions.boundaries,
                versions.settled,
            )
            self._rules[versions] = rules
        return rules

    def settled(self, versions: Versions, current: Versions) -> Rules | None:
        """The rules of versions with the years filled in that were published since, or None.

        Of a case that has frozen nothing (`versions` are `current`) they are the current ones.
        """
        if versions == current:
            return self.rules_of(current)
        if max(versions.calendar, versions.settled) >= current.calendar:
            return None
        return self.rules_of(msgspec.structs.replace(versions, settled=current.calendar))

    def calendar_of(self, version: int, settled: int = 0) -> Calendar:
        """A frozen calendar; years it did not have are filled from the one it is settled by.

        A year that it had stays as it was: a corrected notice touches no due time already told.
        Each is folded once and kept.
        """
        calendar = self._calendars.get((version, settled))
        if calendar is None:
            calendar = fold_calendar(self.calendar[:version])
            if settled > version:
                days = fold_calendar(self.calendar[:settled]).days
                calendar = msgspec.structs.replace(calendar, days={**days, **calendar.days})
            self._calendars[version, settled] = calendar
        return calendar

    @cached_property
    def _rules(self) -> dict[Versions, Rules]:
        return {}

    @cached_property
    def _calendars(self) -> dict[tuple[int, int], Calendar]:
        return {}

    @cached_property
    def _specials(self) -> dict[int, special_periods.SpecialPeriods]:
        return {}
