"""`casework blobs`: are the files that cases cite whole, and away with what nobody cites."""

import sys

import typer

from api.commands.exits import Exit
from api.commands.opening import opened, read_settings
from api.parts import Parts


def add_to(app: typer.Typer, name: str, line: str) -> None:
    """Put the commands into the program."""
    commands = typer.Typer(help=line, no_args_is_help=True)
    commands.command("check", help="核对每个被引用的照片和录音文件是否在、是否完好")(check)
    commands.command("collect", help="清除48小时内无人引用的文件和过期的上传编号")(collect)
    app.add_typer(commands, name=name)


def check() -> None:
    """Read every file; exit code 1 if one is missing or damaged."""
    with opened(read_settings()) as parts:
        _catch_up(parts)
        found = parts.collecting.check()
    for name in found.missing:
        typer.echo(f"缺失\t{name}")
    for name in found.damaged:
        typer.echo(f"损坏\t{name}")
    whole = not found.missing and not found.damaged
    typer.echo(
        f"{found.files} 个文件："
        + (
            "全部完好。"
            if whole
            else f"缺失 {len(found.missing)} 个，损坏 {len(found.damaged)} 个。"
        )
    )
    if not whole:
        sys.exit(Exit.FOUND_WRONG)


def collect() -> None:
    """Remove what nobody cites; nothing where the views cannot tell."""
    with opened(read_settings()) as parts:
        _catch_up(parts)
        done = parts.collecting.collect()
    if done.waits:
        typer.echo("视图有暂存的事件，无法确认哪些文件无人引用，没有清除。", err=True)
        sys.exit(Exit.FOUND_WRONG)
    typer.echo(f"已清除 {done.uploads} 个过期的上传、{done.files} 个无人引用的文件。")


def _catch_up(parts: Parts) -> None:
    """Read the log to its end, as a server would."""
    while parts.feed.round():
        pass
