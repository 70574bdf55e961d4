"""试算: last month under limits or a calendar as they might be, before anyone confirms them."""

import asyncio
from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends

from api.access import Visitor
from api.configuring import one_change
from api.geojson import moment_of
from api.open_trials import of_change, open_trial
from api.parts import Parts
from api.routes.indicators import Number, indicator_of
from api.shown import name_of_street
from api.trial_schemas import (
    CalendarDryRunIn,
    ChangeDryRunIn,
    DryRunIn,
    DryRunOut,
    OpenTrialOut,
    TrialIn,
    WhatIfOfStreetOut,
    WhatIfOut,
    WhatIfTotalOut,
    WindowIn,
    WindowsIn,
    YearIn,
)
from api.trying_out import (
    Trial,
    cut_of,
    run_bounded,
    timely,
    with_calendar,
    with_change,
    with_indicator,
)
from api.visitors import With, guard
from casework.clocks import SHANGHAI, CalendarYear, Holiday, Windows
from casework.dry_run import DryRun
from casework.errors import Missing
from casework.reference import CalendarCommand, PublishYear, SetWindows
from projections.past_handlings import Wanted
from projections.periods import month_before

router = APIRouter(tags=["试算"])
T = TypeVar("T")

HOW = (
    "每次派遣（含重办、返工、延期、挂账）按变更生效后的规则重算到期时间："
    "时限取派遣当日该街镇、该场所类型的时限，"
    "重办减半但不少于2值守小时，已批延期按原批时长，挂账等停表时段照扣；"
    "与当时冻结的到期时间比较谁会超期。未办结的算到 at 为止；"
    "退回、撤回、并案、转办、强制结案的不计。"
    "试算不改变任何案件。"
)


@router.post(
    "/indicators/dry-run", name="indicators.dry_run", summary="试算: 若按新时限，上月会怎样"
)
async def try_out_indicator(
    form: DryRunIn,
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("indicators.dry_run"))],
) -> DryRunOut:
    """Judge past handlings by an indicator as it might be; changes nothing."""
    indicator = indicator_of(form.indicator.code, form.indicator)
    return await _try_out(
        parts, form, lambda now: with_indicator(parts.casework.references, indicator, now)
    )


@router.post("/calendar/dry-run", name="calendar.dry_run", summary="试算: 若按新日历，上月会怎样")
async def try_out_calendar(
    form: CalendarDryRunIn,
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("calendar.dry_run"))],
) -> DryRunOut:
    """Judge past handlings by other windows or another year's notice; changes nothing."""
    references = parts.casework.references

    def opened(now: datetime) -> OpenTrialOut:
        return open_trial(parts, timely(references, _calendar_of(form, now), now), now, now)

    return await _try_out(
        parts, form, lambda now: with_calendar(references, _calendar_of(form, now), now), opened
    )


@router.post(
    "/changes/{number}/dry-run",
    name="changes.dry_run",
    summary="试算一项待确认的变更: 若确认，上月会怎样",
)
async def try_out_change(
    number: Number,
    form: ChangeDryRunIn,
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("changes.dry_run"))],
) -> DryRunOut:
    """Judge past handlings by the very change that waits to be confirmed; changes nothing."""
    proposed = await computed(parts, lambda: one_change(parts.casework, number))

    def opened(now: datetime) -> OpenTrialOut | None:
        change = proposed.change
        return (
            of_change(parts, proposed, now)
            if isinstance(change, PublishYear | SetWindows)
            else None
        )

    return await _try_out(
        parts, form, lambda _: with_change(parts.casework.references, proposed), opened
    )


@router.post(
    "/changes/{number}/open-dry-run",
    name="changes.open_dry_run",
    summary="试算一项待确认的变更: 若确认，在办案件会怎样",
)
async def try_out_open(
    number: Number,
    parts: With,
    _visitor: Annotated[Visitor, Depends(guard("changes.open_dry_run"))],
) -> OpenTrialOut:
    """Whose due times a calendar or 特殊时段 that waits would move; changes nothing."""
    now = parts.now()
    proposed = await computed(parts, lambda: one_change(parts.casework, number))
    return await computed(parts, lambda: of_change(parts, proposed, now))


async def computed(parts: Parts, work: Callable[[], T]) -> T:
    """Compute for seconds without holding up those who wait for a disk; one after another."""
    return await asyncio.get_running_loop().run_in_executor(parts.trials, work)


def _none(_now: datetime) -> OpenTrialOut | None:
    """An indicator touches later cases only."""


async def _try_out(
    parts: Parts,
    form: TrialIn,
    trial: Callable[[datetime], Trial],
    opened: Callable[[datetime], OpenTrialOut | None] = _none,
) -> DryRunOut:
    """`opened` tells of open cases; of those as they stand now only."""
    now = parts.now()
    moment = moment_of(form.as_of, now, coarse=False)

    def work() -> DryRunOut:
        cut = cut_of(parts.casework.eventlog, moment, now)
        first, last = days_of(form, cut.at)
        wanted = Wanted(first=first, last=last, cut=cut, streets=form.streets)
        tried = trial(now)
        found = run_bounded(parts.feed.readers, tried, wanted)
        read = parts.feed.readers.positions()["handlings"]
        open_cases = opened(now) if form.as_of is None else None
        return _answer(parts, tried, wanted, found, cut.position or read, open_cases)

    return await computed(parts, work)


def days_of(form: TrialIn, at: datetime) -> tuple[datetime, datetime]:
    """The days of dispatch, half-open; by default the month before `at`. Raises Missing."""
    whole = month_before(at)
    first, last = whole.first, whole.last
    if any(day and not 2000 <= day.year <= 2100 for day in (form.first, form.last)):
        raise Missing("first", "试算的日期应在2000年至2100年之间。")
    if form.first is not None:
        first = datetime.combine(form.first, time(0), SHANGHAI)
    if form.last is not None:
        last = datetime.combine(form.last, time(0), SHANGHAI) + timedelta(days=1)
    if last <= first:
        raise Missing("last", "试算的起止日期颠倒。")
    return first, last


def _calendar_of(form: CalendarDryRunIn, now: datetime) -> CalendarCommand:
    if form.year is not None:
        return PublishYear(year=_year(form.year), effective_from=now)
    assert form.windows is not None, "the form has one of both"
    return _windows(form.windows, now)


def _windows(form: WindowsIn, now: datetime) -> SetWindows:
    return SetWindows(duty=_times(form.duty), working=_times(form.working), effective_from=now)


def _times(windows: tuple[WindowIn, ...]) -> Windows:
    return tuple((time.fromisoformat(a), time.fromisoformat(b)) for a, b in windows)


def _year(form: YearIn) -> CalendarYear:
    holidays = tuple(Holiday(each.name, each.first, each.last) for each in form.holidays)
    return CalendarYear(form.year, holidays, form.worked, form.source)


def _answer(
    parts: Parts,
    trial: Trial,
    wanted: Wanted,
    found: DryRun,
    as_of: int,
    open_cases: OpenTrialOut | None,
) -> DryRunOut:
    return DryRunOut(
        says=trial.says,
        first=wanted.first.astimezone(SHANGHAI).date(),
        last=(wanted.last - timedelta(days=1)).astimezone(SHANGHAI).date(),
        as_of=as_of,
        at=wanted.cut.at,
        total=WhatIfTotalOut(
            cases=sum(line.cases for line in found.lines),
            due=sum(line.due for line in found.lines),
            late=sum(line.late for line in found.lines),
            would_be_late=sum(line.would_be_late for line in found.lines),
            newly_late_total=sum(line.newly_late_total for line in found.lines),
            relieved_total=sum(line.relieved_total for line in found.lines),
            moved_total=sum(line.moved_total for line in found.lines),
        ),
        lines=tuple(WhatIfOut.model_validate(line) for line in found.lines),
        streets=tuple(
            WhatIfOfStreetOut(
                **WhatIfOut.model_validate(line).model_dump(),
                street=line.street,
                street_name=name_of_street(parts, line.street),
            )
            for line in found.streets
        ),
        without_row=found.without_row,
        without_row_total=found.without_row_total,
        left_out=found.left_out,
        open_cases=open_cases,
        how=HOW,
    )
