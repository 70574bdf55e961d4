"""The shapes of calendar, dry runs and 按期处置率. Knows no rule.

Times are ISO 8601 with their offset; days and months are those of Shanghai.
"""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from api.hygiene import Day, Line, StreetText
from api.office_schemas import IndicatorIn, Word
from api.schemas import Wire

TimeOfDay = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["09:00"])]
WindowIn = tuple[TimeOfDay, TimeOfDay]
_MOST_WINDOWS = 12


class WindowsIn(Wire):
    """值守时段和工作时段, each in order; a close at 00:00 is the end of the day."""

    duty: Annotated[tuple[WindowIn, ...], Field(min_length=1, max_length=_MOST_WINDOWS)]
    working: Annotated[tuple[WindowIn, ...], Field(min_length=1, max_length=_MOST_WINDOWS)]


class HolidayIn(Wire):
    name: Word
    first: Day
    last: Day


class YearIn(Wire):
    """A yearly notice: holidays with their first and last day off, and the weekend days worked."""

    year: Annotated[int, Field(ge=2000, le=2100, strict=True)]
    holidays: Annotated[tuple[HolidayIn, ...], Field(min_length=1, max_length=20)]
    worked: Annotated[tuple[Day, ...], Field(max_length=40)] = ()
    source: Annotated[Line, Field(max_length=200)] = "试算"

    @model_validator(mode="after")
    def _within_the_year(self) -> "YearIn":
        if any(day.year != self.year for h in self.holidays for day in (h.first, h.last)):
            raise PydanticCustomError("year_days", "放假日期须在这一年内。")
        return self


class TrialIn(Wire):
    """Over what is tried: handlings dispatched on these days; by default those of last month."""

    first: Day | None = Field(default=None, description="派遣日期自这一天起；默认上月第一天。")
    last: Day | None = Field(default=None, description="到这一天止（含）；默认上月最后一天。")
    as_of: Annotated[Line, Field(max_length=40)] | None = Field(
        default=None,
        description="以哪一刻的情况为准：日期、带时区的时间或日志位置；默认现在。",
    )
    streets: Annotated[tuple[StreetText, ...], Field(max_length=29)] = Field(
        default=(), description="只看这些街镇；默认全部。"
    )


class DryRunIn(TrialIn):
    """An indicator as it might be."""

    indicator: IndicatorIn


class CalendarDryRunIn(TrialIn):
    """A calendar as it might be: other windows, or a year's notice."""

    windows: WindowsIn | None = None
    year: YearIn | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "CalendarDryRunIn":
        if (self.windows is None) == (self.year is None):
            raise PydanticCustomError(
                "one_of_both", "请给出 windows（时段）或 year（年度安排）之一。"
            )
        return self


class ChangeDryRunIn(TrialIn):
    """The change itself stands in the path."""


class WhatIfOut(Wire):
    """Handlings of a condition row: how many were late, would be, and the cases that change sides.

    `due` had fallen due by the frozen due time. The lists name at most 100 cases; their totals
    count handlings.
    """

    indicator: str
    condition: str
    cases: int
    due: int
    late: int
    would_be_late: int
    newly_late_total: int
    relieved_total: int
    newly_late: tuple[str, ...]
    relieved: tuple[str, ...]
    moved_total: int = Field(description="到期时间会与冻结的不同的处置次数。")
    moved: tuple[str, ...]


class WhatIfOfStreetOut(WhatIfOut):
    street: str
    street_name: str


class WhatIfTotalOut(Wire):
    cases: int
    due: int
    late: int
    would_be_late: int
    newly_late_total: int
    relieved_total: int
    moved_total: int


class OpenMoveOut(Wire):
    """An open case of which a clock would be due at another time."""

    case_id: UUID
    number: str
    street: str | None
    street_name: str | None
    indicator: str | None
    indicator_name: str | None
    clock: str
    clock_name: str
    due_at: datetime
    would_be_due_at: datetime
    provisional: bool = Field(description="试算后仍为暂定。")


class OpenLineOut(Wire):
    """Open cases of a 街镇 and indicator that were looked at, and those that would move."""

    street: str | None
    street_name: str | None
    indicator: str | None
    indicator_name: str | None
    cases: int
    later: int
    earlier: int


class OpenTrialOut(Wire):
    """What a change would do to cases that are open now. `moved` names at most 200 of them.

    `at` is when it would hold; `looked_at` are the cases that it could touch.
    """

    says: str
    at: datetime
    looked_at: int
    moved_total: int
    lines: tuple[OpenLineOut, ...]
    moved: tuple[OpenMoveOut, ...]
    how: str


class DryRunOut(Wire):
    """`lines` count all 街镇, `streets` each. `left_out` never came to a hand-over of their own.

    `as_of` is the position the views had read, or the one asked for; `at` the moment by which the
    unfinished are judged.
    """

    says: str
    first: date
    last: date
    as_of: int
    at: datetime
    total: WhatIfTotalOut
    lines: tuple[WhatIfOut, ...]
    streets: tuple[WhatIfOfStreetOut, ...]
    without_row: tuple[str, ...]
    without_row_total: int
    left_out: int
    open_cases: OpenTrialOut | None = Field(
        description="在办案件中到期时间会变的；只有日历会动在办案件，指标变更为空。"
    )
    how: str


# 日历 --------------------------------------------------------------------------------------


class HolidayOut(Wire):
    name: str
    first: date
    last: date


class CalendarYearOut(Wire):
    """`worked` are the weekend days worked instead (调休上班)."""

    year: int
    holidays: tuple[HolidayOut, ...]
    worked: tuple[date, ...]
    source: str


class CalendarOut(Wire):
    """Windows of a day in Shanghai, as 09:00; a close at 24:00 is the end of the day."""

    version: int
    in_force: bool
    effective_from: datetime
    duty: tuple[tuple[str, str], ...]
    working: tuple[tuple[str, str], ...]
    years: tuple[CalendarYearOut, ...]
    note: str


# 按期处置率 --------------------------------------------------------------------------------


class RateOut(Wire):
    """Rates in percent to two places; None over nothing. `enough`: the sample may be ranked."""

    due: int
    handed_over: int
    in_time: int
    handed_over_rate: float | None
    in_time_rate: float | None
    enough: bool


class TimelinessFigures(Wire):
    frozen: RateOut
    plain: RateOut
    exempted: RateOut
    waiting: int
    unfinished: int
    not_found: int
    transferred: int
    force_closed: int
    taken_away: int
    staff_entered: int
    appeals: int


class TimelinessRowOut(TimelinessFigures):
    street: str
    street_name: str
    indicator: str
    indicator_name: str | None


class TimelinessOut(Wire):
    """`at`: as of when; `as_of`: the position that the figures were computed from."""

    month: str
    at: datetime
    as_of: int
    total: TimelinessFigures
    rows: tuple[TimelinessRowOut, ...]
    variants: dict[str, str]
    minimum_sample: int
    formula: str


class HandlingOut(Wire):
    case_id: str
    number: str
    round: int
    street: str
    street_name: str
    indicator: str
    condition: str
    dispatched_at: datetime
    due_at: datetime
    handed_over_at: datetime | None
    in_time: bool
    ended_at: datetime | None
    ended_by: str | None
    ended_by_name: str | None
    exempted: bool


class TimelinessCasesOut(Wire):
    month: str
    at: datetime
    as_of: int
    total: int
    handlings: tuple[HandlingOut, ...]
