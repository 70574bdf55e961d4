"""`casework verify`: whether log, audit trail and files are whole. Says so, and mends nothing."""

import sys

import typer
from rich.console import Console
from rich.progress import Progress

from api.commands.exits import Exit
from api.commands.opening import opened, read_settings
from api.commands.verification import LogCheck, audit_wrong


def add_to(app: typer.Typer, name: str, line: str) -> None:
    """Put the command into the program."""
    app.command(name, help=line)(verify)


def verify() -> None:
    """Read everything once; exit code 1 if anything is not in order."""
    found = 0
    with opened(read_settings()) as parts, Progress(console=Console(stderr=True)) as bar:
        log = LogCheck(parts)
        head = parts.casework.eventlog.head()
        reading = bar.add_task("事件日志", total=head)
        for wrong in log.run(lambda read: bar.advance(reading, read)):
            found += 1
            typer.echo("\t".join(wrong))
        bar.update(reading, completed=head)
        for wrong in audit_wrong(parts):
            found += 1
            typer.echo("\t".join(wrong))
    typer.echo(
        f"{log.events} 个事件、{log.streams} 条流、{log.files} 次文件引用，审计链："
        + ("全部完好。" if not found else f"发现 {found} 处问题。")
    )
    if found:
        sys.exit(Exit.FOUND_WRONG)
