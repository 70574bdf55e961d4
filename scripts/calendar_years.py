"""Seeds a year's file of data/calendar from the package chinesecalendar, or compares those shipped.

    python -m scripts.calendar_years 2027 [--into data/calendar]
    python -m scripts.calendar_years --check

The package knows days and the holidays they belong to; where the notice is from it does not: the
source of a seeded file is left to be filled in, and an empty one is refused when it is entered.
"""

import argparse
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path

import chinese_calendar
import msgspec
from chinese_calendar import Holiday as PackageHoliday

from casework.clocks import CalendarYear, Holiday

FOLDER = Path(__file__).parent.parent / "data" / "calendar"

NAMES = {
    PackageHoliday.new_years_day: "元旦",
    PackageHoliday.spring_festival: "春节",
    PackageHoliday.tomb_sweeping_day: "清明节",
    PackageHoliday.labour_day: "劳动节",
    PackageHoliday.dragon_boat_festival: "端午节",
    PackageHoliday.mid_autumn_festival: "中秋节",
    PackageHoliday.national_day: "国庆节",
}


class NotPublishedError(LookupError):
    """The package does not know the year yet."""


def seeded(year: int) -> CalendarYear:
    """The year as the package tells it: holidays by name, weekend days worked, no source.

    A weekend inside or beside a holiday belongs to it, as the notices count. Raises
    NotPublishedError.
    """
    try:
        days = [(day, *chinese_calendar.get_holiday_detail(day)) for day in _days(year)]
    except NotImplementedError:
        raise NotPublishedError(year) from None
    named = {day: name for day, off, name in days if off and name is not None}
    worked = tuple(day for day, off, _ in days if not off and day.weekday() >= 5)
    return CalendarYear(year, tuple(_holidays(named)), worked)


def _days(year: int) -> Iterator[date]:
    first = date(year, 1, 1)
    return (first + timedelta(days=n) for n in range((date(year + 1, 1, 1) - first).days))


def _holidays(named: dict[date, str]) -> Iterator[Holiday]:
    """Runs of days off; where two festivals share one, it bears both names, as in the notices."""
    runs = groupby(enumerate(sorted(named)), key=lambda each: each[1].toordinal() - each[0])
    for _, run in runs:
        days = [day for _, day in run]
        names = dict.fromkeys(NAMES[PackageHoliday(named[day])] for day in days)
        yield Holiday("、".join(names), days[0], days[-1])


def as_toml(year: CalendarYear) -> str:
    """The file of a year, with the source left to fill in."""
    worked = ", ".join(day.isoformat() for day in year.worked)
    holidays = "\n".join(
        f'  {{ name = "{each.name}", first = {each.first}, last = {each.last} }},'
        for each in year.holidays
    )
    return (
        f"year = {year.year}\n# 请填写放假通知的名称、文号和日期。\n"
        f'source = "{year.source}"\nworked = [{worked}]\nholidays = [\n{holidays}\n]\n'
    )


def shipped(path: Path) -> CalendarYear:
    """The year that a file of data/calendar tells."""
    return msgspec.toml.decode(path.read_bytes(), type=CalendarYear)


def differences(one: CalendarYear, other: CalendarYear) -> list[str]:
    """What two tellings of a year differ in, a line a day or a name; sources are not compared."""
    found = []
    for day in _days(one.year):
        here, there = _told(one, day), _told(other, day)
        if here != there:
            found.append(f"{day}: {here} / {there}")
    return found


def _told(year: CalendarYear, day: date) -> str:
    if day in year.worked:
        return "上班"
    return next((each.name for each in year.holidays if each.first <= day <= each.last), "平日")


def main() -> int:
    """0: done or equal; 1: a shipped year differs; 3: the year is not known yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("year", nargs="?", type=int)
    parser.add_argument("--into", type=Path, default=FOLDER)
    parser.add_argument("--check", action="store_true", help="compare the files that are there")
    given = parser.parse_args()
    if given.check:
        paths = sorted(given.into.glob("[0-9][0-9][0-9][0-9].toml"))
        years = [shipped(path) for path in paths]
        lines = [line for year in years for line in differences(year, seeded(year.year))]
        print("\n".join(lines) or f"{len(years)} years agree")
        return int(bool(lines))
    path = given.into / f"{given.year}.toml"
    if given.year is None or path.exists():
        parser.error("name a year that has no file yet")
    try:
        path.write_text(as_toml(seeded(given.year)), encoding="utf-8")
    except NotPublishedError:
        print(f"chinesecalendar does not know {given.year} yet")
        return 3
    print(f"{path}: fill in the source")
    return 0


if __name__ == "__main__":
    sys.exit(main())
