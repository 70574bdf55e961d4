"""`casework report`: one report to a file, or all that are due to a folder (for a timer)."""

from pathlib import Path
from typing import Annotated

import typer

from api.commands.exits import Exit, Refused
from api.commands.opening import catch_up, opened, read_settings
from api.documents.kinds import NAMES, Format, NotAPeriod, Report, around, in_words, named
from api.documents.making import NotYet, document, last_ended
from api.documents.rendering import NotRendered, rendered
from api.documents.schedule import file_of, write_due, write_whole
from api.geojson import moment_of
from api.parts import Parts
from api.problems import ProblemError
from api.settings import Settings
from api.trying_out import cut_of
from casework.handlings import Cut
from projections.reports.pdf import CannotSet


def add_to(app: typer.Typer, name: str, line: str) -> None:
    """Put the commands into the program."""
    group = typer.Typer(help=line, no_args_is_help=True)
    for report in Report:
        group.command(report.value, help=NAMES[report])(_one(report))
    group.command("due", help="把到期未写的报告写入目录；供定时任务调用。")(_due)
    app.add_typer(group, name=name)


def _one(report: Report):  # type: ignore[no-untyped-def]  # noqa: ANN202  typer reads the inner one
    def make(
        period: Annotated[
            str | None,
            typer.Argument(help="时段，如 2026-05、2026-W22、2026-Q2、日期；默认最近一个完整的。"),
        ] = None,
        out: Annotated[
            Path | None, typer.Option("--out", "-o", help="写入的文件；扩展名 pdf、xlsx 或 csv。")
        ] = None,
        as_of: Annotated[
            str | None, typer.Option(help="以哪一刻为准：日期、带时区的时间或日志位置。")
        ] = None,
    ) -> None:
        with opened(read_settings()) as parts:
            write_one(parts, report, period, out, as_of)

    return make


def write_one(
    parts: Parts, report: Report, name: str | None, out: Path | None, as_of: str | None
) -> None:
    """Make one report and say where it is. Raises Refused."""
    now = parts.now()
    catch_up(parts)
    try:
        period = (
            named(report, name)
            if name
            else around(report, now)
            if report is Report.INSPECTION
            else last_ended(lambda at: around(report, at), now)
        )
        path = out or Path(file_of(report, period, Format.PDF))
        form = Format(path.suffix.removeprefix(".").lower())
    except NotAPeriod as wrong:
        raise Refused(str(wrong), Exit.BAD_INPUT) from wrong
    except ValueError as wrong:
        raise Refused("文件扩展名应为 pdf、xlsx 或 csv。", Exit.BAD_INPUT) from wrong
    if report is Report.INSPECTION and not period.first <= now < period.last:
        raise Refused("巡检记录只能记当天的情况。", Exit.BAD_INPUT)
    try:
        write_whole(path, rendered(document(parts, report, period, _cut(parts, as_of)), form))
    except NotYet as early:
        raise Refused(str(early), Exit.BAD_INPUT) from early
    except (CannotSet, NotRendered) as cannot:
        raise Refused(str(cannot), Exit.NOT_POSSIBLE) from cannot
    except OSError as wrong:
        raise Refused(f"不能写入 {path}：{wrong.strerror}", Exit.NOT_POSSIBLE) from wrong
    typer.echo(f"{NAMES[report]} {in_words(period)}：{path}")


def _cut(parts: Parts, as_of: str | None) -> Cut | None:
    if as_of is None:
        return None
    now = parts.now()
    try:
        return cut_of(parts.casework.eventlog, moment_of(as_of, now, coarse=False), now)
    except ProblemError as wrong:
        raise Refused(f"--as-of：{wrong.problem.detail}", Exit.BAD_INPUT) from wrong


def _due(
    folder: Annotated[
        Path | None, typer.Option(help="目录；默认为设置 CASEWORK_REPORTS_FOLDER。")
    ] = None,
) -> None:
    settings: Settings = read_settings(reports_folder=folder)
    if settings.reports_folder is None:
        raise Refused("请用 --folder 或 CASEWORK_REPORTS_FOLDER 指定目录。", Exit.BAD_INPUT)
    failed = 0
    with opened(settings) as parts:
        catch_up(parts)
        for each, why in write_due(parts, settings.reports_folder, settings.reports_at):
            failed += why is not None
            typer.echo(f"{file_of(*each)}：{why or '已写入'}")
    if failed:
        raise Refused(f"{failed} 份没有生成。", Exit.NOT_POSSIBLE)
