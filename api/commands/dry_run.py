"""`casework dry-run`: last month under rules as they might be, however many cases. Changes nothing.

What is judged and how is `casework.dry_run`; here are files, a progress bar, tables, exit codes.
"""

import csv
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from api.commands.exits import Exit, Refused
from api.commands.opening import catch_up, opened, read_settings
from api.configuring import one_change
from api.geojson import moment_of
from api.parts import Parts
from api.problems import ProblemError
from api.trying_out import Trial, cut_of, run, with_change, with_indicator
from casework import seeds
from casework.clocks import SHANGHAI
from casework.dry_run import EVERYWHERE, DryRun, WhatIf
from casework.errors import Refusal
from casework.indicators import Indicator
from casework.reference import Rules, fold_calendar
from projections.past_handlings import Wanted, count
from projections.periods import month_before
from projections.tables import reading

MOST = 10_000_000
"""More handlings than a district ever has: the bar's end is counted up to here."""

HEAD = (
    "街镇", "指标", "立案条件", "处置", "已到期", "原超期", "试算超期", "新增超期", "不再超期",
)  # fmt: skip
NAMES = ("新增超期案件", "不再超期案件")


def add_to(app: typer.Typer, name: str, line: str) -> None:
    """Put the command into the program."""
    app.command(name, help=f"{line}。\n\n须且只须给出 --change、--indicator、--calendar 之一。")(
        dry_run
    )


def dry_run(
    *,
    change: Annotated[int | None, typer.Option(min=1, help="待确认变更的编号。")] = None,
    indicator: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="指标文件（TOML，同 data/indicators）。"),
    ] = None,
    calendar: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="日历目录（同 data/calendar）。"),
    ] = None,
    first: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="派遣日期自这一天起；默认上月第一天。"),
    ] = None,
    last: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="到这一天止（含）；默认上月最后一天。"),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(help="以哪一刻的情况为准：日期、带时区的时间或日志位置；默认现在。"),
    ] = None,
    streets: Annotated[str, typer.Option(help="只看这些街镇：代码，以逗号分隔。")] = "",
    file: Annotated[
        Path | None,
        typer.Option("--csv", dir_okay=False, help="另存为 CSV，含变化案件的编号。"),
    ] = None,
) -> None:
    """Print a line for each 街镇 and row; the bar goes to standard error."""
    if sum(each is not None for each in (change, indicator, calendar)) != 1:
        raise typer.BadParameter("须且只须给出 --change、--indicator、--calendar 之一。")
    with opened(read_settings()) as parts:
        trial = _trial(parts, change, indicator, calendar)
        wanted = _wanted(parts, first, last, as_of, streets)
        found = _run(parts, trial, wanted)
    _tell(trial, wanted, found)
    if file is not None:
        _save(file, found)


def _trial(
    parts: Parts, change: int | None, indicator: Path | None, calendar: Path | None
) -> Trial:
    references, now = parts.casework.references, parts.now()
    try:
        if change is not None:
            return with_change(references, one_change(parts.casework, change))
        if indicator is not None:
            given = msgspec.toml.decode(indicator.read_bytes(), type=Indicator)
            return with_indicator(references, given, now)
        assert calendar is not None, "one of the three is given"
        events = seeds.calendar_events(calendar, now)
        rules = references.rules_at(now)
        whole = fold_calendar(events)
        return Trial(
            says=f"工作日历 {calendar}", rules=Rules(rules.catalogue, whole, rules.boundary_version)
        )
    except (msgspec.MsgspecError, UnicodeDecodeError, OSError) as bad:
        raise Refused(f"文件不能用：{bad}", Exit.BAD_INPUT) from bad
    except Refusal as refusal:
        code = Exit.NOT_POSSIBLE if change is not None else Exit.BAD_INPUT
        raise Refused(f"不能试算：{refusal}", code) from refusal


def _wanted(
    parts: Parts, first: datetime | None, last: datetime | None, as_of: str | None, streets: str
) -> Wanted:
    now = parts.now()
    try:
        cut = cut_of(parts.casework.eventlog, moment_of(as_of, now, coarse=False), now)
    except ProblemError as bad:
        raise Refused(f"--as-of：{bad.problem.detail}", Exit.BAD_INPUT) from bad
    whole = month_before(cut.at)
    begins, ends = whole.first, whole.last
    if first is not None:
        begins = datetime.combine(first.date(), time(0), SHANGHAI)
    if last is not None:
        ends = datetime.combine(last.date(), time(0), SHANGHAI) + timedelta(days=1)
    if ends <= begins:
        raise typer.BadParameter("起止日期颠倒。")
    codes = tuple(code.strip() for code in streets.split(",") if code.strip())
    unknown = [code for code in codes if code not in parts.dispatcher.boundaries.codes]
    if unknown:
        raise typer.BadParameter(f"没有这些街镇：{'、'.join(unknown)}。")
    return Wanted(first=begins, last=ends, cut=cut, streets=codes)


def _run(parts: Parts, trial: Trial, wanted: Wanted) -> DryRun:
    readers = parts.feed.readers
    catch_up(parts)
    with reading(readers.engine) as connection:
        narrowed = msgspec.structs.replace(wanted, indicator=trial.indicator)
        total = count(connection, narrowed, MOST)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=Console(stderr=True),
    )  # fmt: skip
    with bar:
        task = bar.add_task(f"试算 {trial.says}", total=total)
        found = run(readers, trial, wanted, lambda n: bar.advance(task, n))
        bar.update(task, completed=total)
    return found


def _tell(trial: Trial, wanted: Wanted, found: DryRun) -> None:
    first = wanted.first.astimezone(SHANGHAI).date()
    last = (wanted.last - timedelta(days=1)).astimezone(SHANGHAI).date()
    typer.echo(f"{trial.says}；派遣日期 {first} 至 {last}，共 {found.judged} 次处置。")
    typer.echo("\t".join(HEAD))
    for line in (*found.streets, *found.lines):
        typer.echo("\t".join(map(str, _cells(line))))
    if found.left_out:
        typer.echo(f"退回、撤回、并案、转办或强制结案 {found.left_out} 次，不计。")
    if found.without_row_total:
        typer.echo(f"新目录中没有其立案条件的 {found.without_row_total} 次，不计。")


def _cells(line: WhatIf) -> tuple[str | int, ...]:
    return (
        "全区" if line.street == EVERYWHERE else line.street,
        line.indicator, line.condition, line.cases, line.due, line.late, line.would_be_late,
        line.newly_late_total, line.relieved_total,
    )  # fmt: skip


def _save(file: Path, found: DryRun) -> None:
    try:
        with file.open("w", encoding="utf-8-sig", newline="") as out:
            table = csv.writer(out, lineterminator="\n")
            table.writerow((*HEAD, *NAMES))
            table.writerows(_rows(found))
    except OSError as bad:
        raise Refused(f"不能写入 {file}：{bad.strerror}", Exit.NOT_POSSIBLE) from bad


def _rows(found: DryRun) -> Iterator[tuple[str | int, ...]]:
    for line in found.streets:
        yield (*_cells(line), " ".join(line.newly_late), " ".join(line.relieved))
