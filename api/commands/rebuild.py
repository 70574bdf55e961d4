"""`casework rebuild`: the views anew from the log, while the old ones serve. Decides nothing."""

import time
from typing import Annotated

import typer
from rich.console import Console

from api.commands.opening import read_settings
from api.preparing import prepare
from api.rebuilding import rebuild_views
from api.wiring import all_views, open_shelf
from projections.generations import is_current
from projections.rebuild import WORKERS


def add_to(app: typer.Typer, name: str, line: str) -> None:
    """Put the command into the program."""
    app.command(name, help=line)(rebuild)


def rebuild(
    *,
    only_new: Annotated[
        bool,
        typer.Option("--next", help="只在视图的代码或表有变化时重建（升级前运行）。"),
    ] = False,
    workers: Annotated[int, typer.Option(min=1, max=64, help="并行进程数。")] = WORKERS,
) -> None:
    """Build a new generation up to the log's head and name it as serving.

    A server that runs turns to the new generation within seconds.
    """
    settings = read_settings()
    prepare(settings)
    views = all_views()
    shelf = open_shelf(settings)
    before = shelf.serving()
    if only_new and is_current(shelf, views):
        typer.echo(f"视图已是当前版本（{before}），无需重建。")
        return
    start = time.perf_counter()
    with Console(stderr=True).status("正在由事件日志重建视图 …"):
        done = rebuild_views(settings, workers=workers)
    spent = time.perf_counter() - start
    # The one that served until now may still be open in a server; older ones are in nobody's.
    for name in shelf.names():
        if name not in (before, done.generation):
            shelf.remove(name)
    rate = done.position / spent
    typer.echo(
        f"已重建 {len(views)} 个视图：{done.position} 个事件，{spent:.1f} 秒，每秒 {rate:,.0f} 个；"
        f"新版本 {done.generation}，暂存流 {done.held} 个。运行中的服务会在几秒内改用新版本。"
    )
