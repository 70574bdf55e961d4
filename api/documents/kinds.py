"""Which reports there are, and the periods they speak of. Days, weeks and months are Shanghai's."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from enum import StrEnum

import msgspec

from casework.clocks import SHANGHAI


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


class Period(msgspec.Struct, frozen=True):
    """[first, last) in Shanghai. `text` is how it is written in paths, `words` for people."""

    text: str
    words: str
    first: datetime
    last: datetime


class NotAPeriod(ValueError):
    """A text that names no period of this kind; says what would."""


def period_of(report: Report, text: str) -> Period:
    """The period that a text names. Raises NotAPeriod."""
    pattern, read, says = _FORMS[_STEP[report]]
    found = re.fullmatch(pattern, text)
    try:
        if found is not None:
            return read(text, *map(int, found.groups()))
    except ValueError:
        pass
    raise NotAPeriod(f"{NAMES[report]}的时间应写作 {says}。")


def period_at(report: Report, at: datetime) -> Period:
    """The period in which a moment lies."""
    day = at.astimezone(SHANGHAI).date()
    match _STEP[report]:
        case "day":
            return _day(day)
        case "week":
            return _week(day)
        case "month":
            return _month(day.year, day.month)
        case _:
            return _quarter(day.year, (day.month + 2) // 3)


def period_before(report: Report, period: Period) -> Period:
    """The one that ends where this one begins (环比)."""
    return period_at(report, period.first - timedelta(seconds=1))


def period_a_year_before(report: Report, period: Period) -> Period:
    """The same period of last year (同比); for a week that of the same number, 53 being 52."""
    day = period.first.date()
    if _STEP[report] == "week":
        year, week, _ = day.isocalendar()
        return _week(date.fromisocalendar(year - 1, min(week, 52), 1))
    leap = day.month == 2 and day.day == 29
    earlier = day.replace(year=day.year - 1, day=28 if leap else day.day)
    return period_at(report, _midnight(earlier))


_STEP = {
    Report.WEEKLY: "week",
    Report.MONDAY: "week",
    Report.MONTHLY: "month",
    Report.QUARTERLY: "quarter",
    Report.INSPECTION: "day",
    Report.WORK_LOG: "day",
    Report.SHIFTS: "day",
}


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


def _day(day: date) -> Period:
    first = _midnight(day)
    return Period(
        day.isoformat(), f"{day.year}年{day.month}月{day.day}日", first, first + timedelta(days=1)
    )


def _week(day: date) -> Period:
    year, week, weekday = day.isocalendar()
    monday = day - timedelta(days=weekday - 1)
    sunday = monday + timedelta(days=6)
    return Period(
        f"{year}-W{week:02}",
        f"{year}年第{week}周（{monday:%m月%d日}—{sunday:%m月%d日}）",
        _midnight(monday),
        _midnight(monday + timedelta(days=7)),
    )


def _months(year: int, month: int, count: int) -> tuple[datetime, datetime]:
    after = year * 12 + month - 1 + count
    return _midnight(date(year, month, 1)), _midnight(date(after // 12, after % 12 + 1, 1))


def _month(year: int, month: int) -> Period:
    return Period(f"{year}-{month:02}", f"{year}年{month}月", *_months(year, month, 1))


def _quarter(year: int, quarter: int) -> Period:
    if not 1 <= quarter <= 4:
        raise ValueError(quarter)
    return Period(
        f"{year}-Q{quarter}", f"{year}年第{quarter}季度", *_months(year, quarter * 3 - 2, 3)
    )


_Read = Callable[..., Period]

_FORMS: dict[str, tuple[str, _Read, str]] = {
    "day": (
        r"20(?:\d{2})-\d{2}-\d{2}",
        lambda text: _day(date.fromisoformat(text)),
        "年-月-日，如 2026-05-01",
    ),
    "week": (
        r"(20\d{2})-W(\d{2})",
        lambda _text, year, week: _week(date.fromisocalendar(year, week, 1)),
        "年-W周，如 2026-W22",
    ),
    "month": (
        r"(20\d{2})-(\d{2})",
        lambda _text, year, month: _month(year, month),
        "年-月，如 2026-05",
    ),
    "quarter": (
        r"(20\d{2})-Q(\d)",
        lambda _text, year, quarter: _quarter(year, quarter),
        "年-Q季，如 2026-Q2",
    ),
}
