"""`casework boundaries`: check a map of the district, compare it, take it into use.

The geometry is `geo.check` and `geo.compare`; here are files, sentences and exit codes.
"""

import csv
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console

from api.commands.exits import Exit, Refused
from api.commands.opening import opened, read_settings
from api.wiring import FOUNDER, new_id, now
from casework.application import BOUNDARIES
from casework.clocks import SHANGHAI
from casework.errors import Refusal
from casework.reference import AdoptBoundaries, decide_boundaries
from geo.arrangement import BrokenMapError
from geo.boundaries import Boundaries
from geo.check import DistrictFile, Report, UnreadableError, check
from geo.compare import changes, moves
from geo.coordinates import Crs, Degrees
from geo.map_files import read_zones
from geo.units import BUNDLED

boundaries = typer.Typer(no_args_is_help=True)

SOON = timedelta(seconds=90)
"""From when an adopted map holds at the earliest: the notice asked for is 60 s."""

File = Annotated[
    Path,
    typer.Argument(exists=True, dir_okay=False, help="GeoJSON、Shapefile 或 GeoPackage。"),
]
GivenCrs = Annotated[
    Crs | None, typer.Option("--crs", help="坐标系；文件自己注明时不必给出（GCJ-02 须给出）。")
]
Encoding = Annotated[str | None, typer.Option(help="属性的编码，如 gb18030。")]
Contested = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="争议地段 GeoJSON，与边界同一坐标系。"),
]
Accuracy = Annotated[float, typer.Option(min=0, help="边界精度（米）；0 为以图为准。")]
Running = Annotated[
    Path | None, typer.Option("--running", exists=True, help="与之比较的现行边界；默认为在用的。")
]


def add_to(app: typer.Typer, name: str, line: str) -> None:
    """Put the commands into the program."""
    app.add_typer(boundaries, name=name, help=line)


@boundaries.command("check", help="检查一份边界：29 个街镇、重叠、空隙、图形、坐标系、范围。")
def check_file(
    file: File, crs: GivenCrs = None, encoding: Encoding = None, running: Running = None
) -> None:
    """Print what is wrong; exit code 1 if the map must not be adopted."""
    report = _checked(_read(file, crs, encoding), _map(running))
    for fault in report.faults:
        typer.echo(f"{'错误' if fault.blocking else '提示'}\t{fault.text}")
    total = sum(report.areas_km2.values())
    typer.echo(f"{len(report.areas_km2)} 个街镇，总面积 {total:.2f} 平方公里。")
    if not report.sound:
        raise typer.Exit(Exit.FOUND_WRONG)


@boundaries.command("compare", help="比较一份边界与现行边界：变化的地面，换了街镇的点。")
def compare(
    file: File,
    crs: GivenCrs = None,
    encoding: Encoding = None,
    running: Running = None,
    points: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="CSV（id,lon,lat，WGS-84），如在办案件。"),
    ] = None,
) -> None:
    """Print the ground that changes hands, the largest first, and the points that would move."""
    before = _map(running)
    after = _read(file, crs, encoding).boundaries()
    with Console(stderr=True).status("正在比较 …"):
        found = changes(before, after)
    for change in found:
        typer.echo(change.text)
    if not found:
        typer.echo("没有变化。")
    if points is None:
        return
    ids, lon, lat = _points(points)
    for move in moves(before, after, lon, lat):
        typer.echo(f"{ids[move.index]}\t{move.before or '区外'} → {move.after or '区外'}")


@boundaries.command("adopt", help="检查并启用一份边界；到生效时间重启服务后使用。")
def adopt(
    file: File,
    source: Annotated[str, typer.Option(help="来源，如发文单位和文号。")],
    note: Annotated[str, typer.Option(help="精度说明。")],
    crs: GivenCrs = None,
    encoding: Encoding = None,
    contested: Contested = None,
    accuracy_m: Accuracy = 0.0,
) -> None:
    """Keep the map under its digest in var/boundaries and record it in its stream."""
    district = _read(file, crs, encoding)
    if not _checked(district, _map(None)).sound:
        raise Refused(
            "边界有错误，不能启用；请先用 casework boundaries check 查看。", Exit.FOUND_WRONG
        )
    settings = read_settings()
    zones = read_zones(contested, crs or Crs.WGS84) if contested else ()
    map_ = district.boundaries(zones, accuracy_m=accuracy_m)
    with opened(settings) as parts:
        history, at = parts.casework.references.boundaries, now()
        command = AdoptBoundaries(
            sha256=map_.digest, source=source, accuracy_note=note, effective_from=at + SOON
        )
        try:
            happened = decide_boundaries(history, command, at)
        except Refusal as refusal:
            raise Refused(str(refusal)) from refusal
        folder = settings.var / "boundaries" / map_.digest
        map_.save(folder)
        parts.casework.record_reference(
            BOUNDARIES, len(history), happened, at=at, by=FOUNDER, command_id=new_id()
        )
    since = command.effective_from.astimezone(SHANGHAI)
    typer.echo(f"已记录，自 {since:%Y-%m-%d %H:%M:%S} 起生效。边界保存在 {folder}。")
    typer.echo(f"请设 CASEWORK_BOUNDARIES={folder} 并在生效后重启服务。", err=True)


def _read(file: Path, crs: Crs | None, encoding: str | None) -> DistrictFile:
    try:
        return DistrictFile(file, crs=crs, encoding=encoding)
    except UnreadableError as unreadable:
        raise Refused(str(unreadable), Exit.BAD_INPUT) from unreadable


def _map(path: Path | None) -> Boundaries:
    try:
        return Boundaries.read(path or read_settings().boundaries or BUNDLED)
    except BrokenMapError as broken:
        raise Refused(f"现行边界无法读取：{broken}", Exit.BAD_INPUT) from broken


def _checked(file: DistrictFile, running: Boundaries) -> Report:
    with Console(file=sys.stderr).status("正在检查 …"):
        return check(file, running)


def _points(path: Path) -> tuple[list[str], Degrees, Degrees]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [(r["id"], float(r["lon"]), float(r["lat"])) for r in csv.DictReader(file)]
    except (KeyError, ValueError) as wrong:
        raise Refused(f"无法读取 {path.name}：须有 id,lon,lat 三列。", Exit.BAD_INPUT) from wrong
    return [r[0] for r in rows], np.array([r[1] for r in rows]), np.array([r[2] for r in rows])
