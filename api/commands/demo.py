"""`casework demo`: a data folder with accounts and a month of marked cases; then a server.

A folder is made once: a second call adds nothing and only shows the accounts.
"""

import importlib
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from api import demo_accounts
from api.commands.exits import Exit, Refused
from api.commands.opening import read_settings
from api.commands.serve import serve as serve_app
from api.demo_note import Played, played
from api.settings import Settings
from api.wiring import now
from casework.clocks import SHANGHAI

END_OF_DAY = timedelta(hours=18)
"""A story that ends on a day of the past ends at six in the evening."""


def add_to(app: typer.Typer, name: str, line: str) -> None:
    """Put the command into the program."""
    app.command(name, help=line)(demo)


def demo(
    *,
    cases: Annotated[int, typer.Option(min=0, max=5000, help="案件数。")] = 300,
    seed: Annotated[int, typer.Option(help="同一种子讲同样的故事。")] = 1,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="讲到哪一天为止；默认到现在。"),
    ] = None,
    serve: Annotated[bool, typer.Option("--serve", help="随后启动服务。")] = False,
) -> None:
    """Prepare the demonstration, print its accounts, and serve if asked to."""
    settings = read_settings()
    known = played(settings.var)
    if known is not None and known.whole:
        show(settings)
    elif serve:
        _beforehand(cases, seed, until)
    else:
        # Drawing and telling are imported only where there is something to draw and tell.
        stage = importlib.import_module("api.commands.demo_stage")
        stage.put_on(settings, known or Played(seed, cases, _end(until)))
        show(settings)
    if serve:
        where = f"http://{settings.host}:{settings.port}"
        typer.echo(f"\n页面 {where}/ ，接口 {where}/api/v1 ，典型案例 {where}/typical-cases")
        typer.echo("谁登录后能看到什么见 docs/tour.md；Ctrl+C 结束。")
        serve_app(settings)


def _beforehand(cases: int, seed: int, until: datetime | None) -> None:
    """Prepare in a process of its own: what it took of memory is not the server's."""
    day = ("--until", f"{until:%Y-%m-%d}") if until else ()
    done = subprocess.run(  # noqa: S603  ourselves
        [sys.executable, "-m", "api", "demo", "--cases", str(cases), "--seed", str(seed), *day],
        check=False,
    )
    if done.returncode:
        raise typer.Exit(done.returncode)


def _end(until: datetime | None) -> datetime:
    """The last moment of the story."""
    if until is None:
        return now()
    end = (until.replace(tzinfo=SHANGHAI) + END_OF_DAY).astimezone(UTC)
    if end > now():
        raise Refused("演示只讲过去的事：--until 不能晚于今天。", Exit.BAD_INPUT)
    return end


def show(settings: Settings) -> None:
    """Print who can sign in, and where that stands."""
    credentials = demo_accounts.read(settings.var) or {}
    typer.echo("演示账号（口令为随机生成，只用于演示）：")
    for key, player in credentials.items():
        secret = player.get("password") or player.get("key", "")
        typer.echo(f"  {key:<15}{player['name']:<24}{secret}")
    typer.echo(f"保存在 {settings.var / demo_accounts.FILE}")
