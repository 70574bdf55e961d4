"""`casework boundaries`: check a map of the district, compare it, take it into use.

The geometry is `geo.check` and `geo.compare`; here are files, sentences and exit codes.
"""

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import typer
from rich.console import Console

from api.boundary_versions import MapUnusable, keep_map
from api.commands.boundaries_picture import Dot, draw
from api.commands.exits import Exit, Refused
from api.commands.opening import catch_up, opened, read_settings
from api.parts import Parts
from api.settings import Settings
from api.wiring import FOUNDER, new_id, now
from casework.application import BOUNDARIES
from casework.clocks import SHANGHAI
from casework.errors import Refusal
from casework.lifecycle import LABELS
from casework.reference import AdoptBoundaries, decide_boundaries
from geo.arrangement import BrokenMapError
from geo.boundaries import Boundaries
from geo.check import DistrictFile, Report, UnreadableError, check
from geo.compare import Change, Move, changes, moves
from geo.coordinates import Crs
from geo.map_files import read_zones
from projections.open_places import open_places
from projections.tables import TRANSIENT, reading

boundaries = typer.Typer(no_args_is_help=True)

SOON = timedelta(seconds=90)
"""From when an adopted map holds if no time is given: the notice asked for is 60 s."""

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
    Path | None, typer.Option("--running", exists=True, help="与之比较的边界；默认为现行的。")
]
Since = Annotated[
    str | None,
    typer.Option(
        "--from", help="生效时间（ISO 8601，不写时区为北京时间），至少 60 秒后；默认 90 秒后。"
    ),
]


def add_to(app: typer.Typer, name: str, line: str) -> None:
    """Put the commands into the program."""
    app.add_typer(boundaries, name=name, help=line)


@boundaries.command("check", help="检查一份边界：29 个街镇、重叠、空隙、图形、坐标系、范围。")
def check_file(
    file: File, crs: GivenCrs = None, encoding: Encoding = None, running: Running = None
) -> None:
    """Print what is wrong; exit code 1 if the map must not be adopted."""
    with _ground(running) as ground:
        report = _checked(_read(file, crs, encoding), ground.map_)
    for fault in report.faults:
        typer.echo(f"{'错误' if fault.blocking else '提示'}\t{fault.text}")
    total = sum(report.areas_km2.values())
    typer.echo(f"{len(report.areas_km2)} 个街镇，总面积 {total:.2f} 平方公里。")
    if not report.sound:
        raise typer.Exit(Exit.FOUND_WRONG)


@boundaries.command("compare", help="比较一份边界与现行边界：变化的地面，换了街镇的在办案件。")
def compare(
    file: File,
    crs: GivenCrs = None,
    encoding: Encoding = None,
    running: Running = None,
    points: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="不看在办案件，改看这些点：CSV（id,lon,lat，WGS-84）。",
        ),
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(dir_okay=False, help="把变化画成地图，存为 PNG。")
    ] = None,
) -> None:
    """Print the ground that changes hands, the largest first, and the cases that would move."""
    after = _read(file, crs, encoding).boundaries()
    with _ground(running) as ground, Console(stderr=True).status("正在比较 …"):
        found = changes(ground.map_, after)
        places = ground.cases if points is None else _points(points)
        lon = np.array([place.lon for place in places])
        lat = np.array([place.lat for place in places])
        moving = moves(ground.map_, after, lon, lat)
    for number, change in enumerate(found, start=1):
        typer.echo(f"{number}\t{change.text}")
    if not found:
        typer.echo("没有变化。")
    typer.echo(
        f"{'在办案件' if points is None else '点'} {len(places)} 个，其中 {len(moving)} 个换街镇。"
    )
    for move in moving:
        typer.echo(_told(places[move.index], move, ground.map_, after))
    if picture is not None:
        draw(picture, ground.map_, after, _dots(found, moving, places))
        typer.echo(f"地图：{picture}（灰线现行，蓝线拟用，红色换街镇，编号同上，圆点为案件）。")


@boundaries.command("adopt", help="检查并启用一份边界，到生效时间自动使用；已有案件不变。")
def adopt(
    file: File,
    source: Annotated[str, typer.Option(help="来源，如发文单位和文号。")],
    crs: GivenCrs = None,
    encoding: Encoding = None,
    contested: Contested = None,
    accuracy_m: Accuracy = 0.0,
    since: Since = None,
    *,
    only_keep: Annotated[
        bool, typer.Option("--only-keep", help="只检查并存放，打印编号，由系统管理员提议启用。")
    ] = False,
) -> None:
    """Keep the map under its digest in var/boundaries and record it in its stream."""
    district, settings = _read(file, crs, encoding), read_settings()
    with opened(settings) as parts:
        if not _checked(district, _in_force(parts)).sound:
            raise Refused(
                "边界有错误，不能启用；请先用 casework boundaries check 查看。", Exit.FOUND_WRONG
            )
        zones = read_zones(contested, crs or Crs.WGS84) if contested else ()
        map_ = district.boundaries(zones, accuracy_m=accuracy_m)
        digest = keep_map(map_, parts.boundaries.folder)
        if only_keep:
            typer.echo(digest)
            return
        said = f"边界精度 {accuracy_m:.0f} 米" if accuracy_m else "以图为准"
        adopted = _record(parts, digest, source, said, _moment(since))
    holds = adopted.effective_from.astimezone(SHANGHAI)
    typer.echo(f"已记录，自 {holds:%Y-%m-%d %H:%M:%S} 起生效，运行中的服务自动使用，不必重启。")
    typer.echo(f"边界保存在 {settings.var / 'boundaries' / digest}。")


def _record(
    parts: Parts, digest: str, source: str, note: str, since: datetime | None
) -> AdoptBoundaries:
    """The adoption, in its stream. Raises Refused."""
    history, at = parts.casework.references.boundaries, now()
    command = AdoptBoundaries(
        sha256=digest, source=source, accuracy_note=note, effective_from=since or at + SOON
    )
    try:
        happened = decide_boundaries(history, command, at)
        parts.casework.record_reference(
            BOUNDARIES, len(history), happened, at=at, by=FOUNDER, command_id=new_id()
        )
    except Refusal as refusal:
        raise Refused(str(refusal)) from refusal
    return command


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as wrong:
        raise Refused(f"生效时间无法识别：{text}。", Exit.BAD_INPUT) from wrong
    return moment.replace(tzinfo=SHANGHAI) if moment.tzinfo is None else moment


def _read(file: Path, crs: Crs | None, encoding: str | None) -> DistrictFile:
    try:
        return DistrictFile(file, crs=crs, encoding=encoding)
    except UnreadableError as unreadable:
        raise Refused(str(unreadable), Exit.BAD_INPUT) from unreadable


# what runs now ---------------------------------------------------------------------------


class _Place(NamedTuple):
    """A point to ask both maps about: a case, or a row of a table."""

    name: str
    lon: float
    lat: float
    status: str = ""


class _Ground(NamedTuple):
    """The map to compare with, and the open cases."""

    map_: Boundaries
    cases: list[_Place]


@contextmanager
def _ground(path: Path | None) -> Iterator[_Ground]:
    """The map given, or that in force here, or the one a first start would take."""
    settings = read_settings()
    if not _begun(settings):
        yield _Ground(_map(path or settings.boundaries), [])
        return
    with opened(settings) as parts:
        _read_on(parts)
        with reading(parts.feed.readers.engine) as connection:
            cases = [
                _Place(case.number, case.lon, case.lat, LABELS[case.status].staff)
                for case in open_places(connection)
            ]
        yield _Ground(_map(path) if path else _in_force(parts), cases)


def _read_on(parts: Parts) -> None:
    """Bring the views to the head; a server that runs does the same, and either may be first."""
    try:
        catch_up(parts)
    except TRANSIENT:
        typer.echo("服务正在写入视图，在办案件以视图现有内容为准。", err=True)


def _begun(settings: Settings) -> bool:
    """Whether an engine was ever started here."""
    return bool(settings.database) or (settings.var / "log.db").exists()


def _in_force(parts: Parts) -> Boundaries:
    try:
        return parts.dispatcher.boundaries
    except MapUnusable as lost:
        typer.echo(f"{lost} 改与随程序提供的边界比较。", err=True)
        return Boundaries.bundled()


def _map(path: Path | None) -> Boundaries:
    try:
        return Boundaries.read(path) if path else Boundaries.bundled()
    except BrokenMapError as broken:
        raise Refused(f"现行边界无法读取：{broken}", Exit.BAD_INPUT) from broken


def _checked(file: DistrictFile, running: Boundaries) -> Report:
    with Console(file=sys.stderr).status("正在检查 …"):
        return check(file, running)


# what moves ------------------------------------------------------------------------------


def _points(path: Path) -> list[_Place]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [
                _Place(row["id"], float(row["lon"]), float(row["lat"]))
                for row in csv.DictReader(file)
            ]
    except (KeyError, ValueError) as wrong:
        raise Refused(f"无法读取 {path.name}：须有 id,lon,lat 三列。", Exit.BAD_INPUT) from wrong


def _told(place: _Place, move: Move, before: Boundaries, after: Boundaries) -> str:
    was = before.name(move.before) if move.before else "区外"
    will = after.name(move.after) if move.after else "区外"
    status = f"\t{place.status}" if place.status else ""
    return f"{place.name}\t{was} → {will}{status}"


def _dots(
    found: tuple[Change, ...], moving: tuple[Move, ...], places: list[_Place]
) -> tuple[Dot, ...]:
    numbered = [Dot(c.lon, c.lat, str(n)) for n, c in enumerate(found, start=1)]
    cases = [Dot(places[move.index].lon, places[move.index].lat) for move in moving]
    return (*cases, *numbered)
