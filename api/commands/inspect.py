"""`casework inspect`: the 巡检记录, with the whole log verified."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from api.commands.exits import Exit, Refused
from api.commands.opening import catch_up, opened, read_settings
from api.documents.inspection import BAD, inspection_parts
from api.documents.kinds import Format, Report, around
from api.documents.making import document
from api.documents.rendering import NotRendered, rendered
from api.documents.schedule import write_whole
from projections.reports.document import Heading, Table, Words, shown
from projections.reports.pdf import CannotSet


def add_to(app: typer.Typer, name: str, line: str) -> None:
    """Put the command into the program."""
    app.command(name, help=line)(inspect)


def inspect(
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="另写入文件；扩展名 pdf、xlsx 或 csv。")
    ] = None,
) -> None:
    """Print the record; exit code 1 if anything is not in order."""
    with opened(read_settings()) as parts:
        catch_up(parts)
        now = parts.now()
        made = msgspec.structs.replace(
            document(parts, Report.INSPECTION, around(Report.INSPECTION, now)),
            parts=inspection_parts(parts, now, whole=True),
        )
    typer.echo(f"{made.title} {made.period}\n{made.says_as_of}")
    for part in made.parts:
        match part:
            case Heading(text=text) | Words(text=text):
                typer.echo(text)
            case Table():
                for row in part.rows:
                    cells = zip(row, part.columns, strict=True)
                    typer.echo("\t".join(shown(cell, column.kind) for cell, column in cells))
    if out is not None:
        try:
            form = Format(out.suffix.removeprefix(".").lower())
            write_whole(out, rendered(made, form))
        except ValueError as wrong:
            raise Refused("文件扩展名应为 pdf、xlsx 或 csv。", Exit.BAD_INPUT) from wrong
        except (CannotSet, NotRendered, OSError) as wrong:
            raise Refused(f"没有写入 {out}：{wrong}", Exit.NOT_POSSIBLE) from wrong
    if any(BAD in row for table in made.tables() for row in table.rows):
        raise typer.Exit(Exit.FOUND_WRONG)
