"""`casework locate`: a table of positions in, a table of verdicts out. Knows no case and no server.

The columns are those of interfaces.md; the geometry is `geo.locate_table`.
"""

import csv
import io
import sys
from pathlib import Path
from typing import Annotated

import typer

from api.commands.exits import Exit, Refused
from geo.arrangement import BrokenMapError
from geo.boundaries import Boundaries
from geo.coordinates import Crs
from geo.dispatch import Dispatcher
from geo.locate_table import HEAD, BadRowError, locate_table
from geo.units import BUNDLED

COLUMNS = (
    "读入的列：id,lon,lat，可有 accuracy_m。"
    "写出的列：id,street,certainty,border_m,runner_up,because。"
    "street 是九位街镇代码；须人工确认的也给出最可能的街镇，只有区外为空。"
)


def add_to(app: typer.Typer, name: str, line: str) -> None:
    """Put the command into the program."""
    app.command(name, help=f"{line}。\n\n{COLUMNS}")(locate)


def locate(
    crs: Annotated[Crs, typer.Option(help="位置的坐标系。")] = Crs.WGS84,
    boundaries: Annotated[
        Path | None,
        typer.Option(exists=True, help="街镇边界：目录或 GeoJSON；默认用随程序提供的边界图。"),
    ] = None,
    contested: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="争议地段 GeoJSON。")
    ] = None,
    accuracy_m: Annotated[
        float, typer.Option(min=0, help="GeoJSON 边界的精度（米）；0 为以图为准。")
    ] = 0.0,
) -> None:
    """Read the table of standard input to its end; what was right before a bad row is written."""
    table = csv.writer(sys.stdout, lineterminator="\n")
    try:
        map_ = Boundaries.read(boundaries or BUNDLED, contested=contested, accuracy_m=accuracy_m)
        lines = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", newline="")
        located = locate_table(lines, Dispatcher(map_), crs)
        first = next(located, None)
        table.writerow(HEAD)
        if first is not None:
            table.writerow(first)
        table.writerows(located)
    except (BrokenMapError, BadRowError, UnicodeDecodeError) as bad:
        raise Refused(f"无法定位：{bad}", Exit.BAD_INPUT) from bad
