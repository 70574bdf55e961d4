"""Which reports there are, and the periods they speak of. Days, weeks and months are Shanghai's."""

from contextlib import suppress
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import assert_never

from casework.clocks import SHANGHAI
from projections.periods import Every, Period, period_of


class Report(StrEnum):
    """A kind of report, as it is named in paths and commands."""

    WEEKLY = "weekly"
    MONDAY = "monday"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    INSPECTION = "inspection"
    WORK_LOG = "work-log"
    SHIFTS = "shifts"


class Format(StrEnum):
    PDF = "pdf"
    XLSX = "xlsx"
    CSV = "csv"


MEDIA_TYPES = {
    Format.PDF: "application/pdf",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.CSV: "text/csv; charset=utf-8",
}

NAMES = {
    Report.WEEKLY: "周报",
    Report.MONDAY: "全区周一专页",
    Report.MONTHLY: "数据分析月报",
    Report.QUARTERLY: "用户行为分析季报",
    Report.INSPECTION: "巡检记录",
    Report.WORK_LOG: "工作日志",
    Report.SHIFTS: "值班与交接班记录",
}


class NotAPeriod(ValueError):  # noqa: N818  names the finding
    """A text that names no period of this kind; says what would."""


EVERY = {
    Report.WEEKLY: Every.WEEK,
    Report.MONDAY: Every.WEEK,
    Report.MONTHLY: Every.MONTH,
    Report.QUARTERLY: Every.QUARTER,
    Report.INSPECTION: Every.DAY,
    Report.WORK_LOG: Every.DAY,
    Report.SHIFTS: Every.DAY,
}

WRITTEN = {
    Every.DAY: "年-月-日，如 2026-05-01",
    Every.WEEK: "年-W周，如 2026-W22",
    Every.MONTH: "年-月，如 2026-05",
    Every.QUARTER: "年-Q季，如 2026-Q2",
}


def named(report: Report, name: str) -> Period:
    """The period of this name. Raises NotAPeriod."""
    every = EVERY[report]
    with suppress(ValueError):
        found = period_of(every, _first_day(every, name))
        if found.name == name and found.first.year >= 2000:
            return found
    raise NotAPeriod(f"{NAMES[report]}的时间应写作 {WRITTEN[every]}。")


def _first_day(every: Every, name: str) -> date:
    """A day in the period. Raises ValueError."""
    match every:
        case Every.DAY:
            return date.fromisoformat(name)
        case Every.WEEK:
            year, week = name.split("-W")
            return date.fromisocalendar(int(year), int(week), 1)
        case Every.MONTH:
            return date.fromisoformat(f"{name}-01")
        case Every.QUARTER:
            year, quarter = name.split("-Q")
            return date(int(year), int(quarter) * 3, 1)
        case _:
            assert_never(every)


def around(report: Report, at: datetime) -> Period:
    """The period in which a moment lies."""
    return period_of(EVERY[report], at.astimezone(SHANGHAI).date())


def in_words(period: Period) -> str:
    """How a period is called in a title."""
    first, last = period.first.date(), period.last.date() - timedelta(days=1)
    match period.every:
        case Every.DAY:
            return f"{first.year}年{first.month}月{first.day}日"
        case Every.WEEK:
            year, week, _ = first.isocalendar()
            span = f"{first.month}月{first.day}日—{last.month}月{last.day}日"
            return f"{year}年第{week}周（{span}）"
        case Every.MONTH:
            return f"{first.year}年{first.month}月"
        case Every.QUARTER:
            return f"{first.year}年第{last.month // 3}季度"
        case _:
            assert_never(period.every)
