"""工作日历: windows and yearly notices of the version in force, or of another one."""

from datetime import time
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.access import Visitor
from api.accounts.errors import NotThere
from api.trial_schemas import CalendarOut, CalendarYearOut, HolidayOut
from api.visitors import With, guard
from casework.clocks import CalendarYear, Windows
from casework.model import Versions

router = APIRouter(tags=["工作日历"])

NOTE = (
    "放假和调休以国务院办公厅各年的通知为准；没有列出的年份尚未发布，按普通的周一至周五计算，到期时间为暂定。"
    "时段为北京时间，示例，待区级确认。"
)


@router.get("/calendar", name="calendar.read", summary="工作日历")
def read_calendar(
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("calendar.read"))],
    version: Annotated[
        int | None, Query(ge=1, le=10**9, description="某一版；默认现行版。")
    ] = None,
) -> CalendarOut:
    """The windows and years in force, or of a version, and since when they hold."""
    references = parts.casework.references
    current, head = references.versions_at(parts.now()), references.head
    wanted = version or current.calendar
    if not 1 <= wanted <= head.calendar:
        raise NotThere("日历版本")
    found = references.rules_of(Versions(head.catalogue, wanted, head.boundaries)).calendar
    return CalendarOut(
        version=wanted,
        in_force=wanted == current.calendar,
        effective_from=references.calendar[wanted - 1].effective_from,
        duty=_windows(found.duty),
        working=_windows(found.working),
        years=tuple(_year(found.days[year]) for year in sorted(found.days)),
        note=NOTE,
    )


def _windows(windows: Windows) -> tuple[tuple[str, str], ...]:
    return tuple(
        (opens.isoformat("minutes"), "24:00" if closes == time(0) else closes.isoformat("minutes"))
        for opens, closes in windows
    )


def _year(year: CalendarYear) -> CalendarYearOut:
    return CalendarYearOut(
        year=year.year,
        holidays=tuple(
            HolidayOut(name=each.name, first=each.first, last=each.last) for each in year.holidays
        ),
        worked=year.worked,
        source=year.source,
    )
