"""`casework demo`: a data folder with accounts and a month of marked cases; then a server.

A folder is made once: a second call adds nothing and only shows the accounts.
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from api import demo_accounts
from api.commands.exits import Exit, Refused
from api.commands.opening import opened, read_settings
from api.demo import Played, StoryClock, note, play, played
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
    if known is None or not known.whole:
        _prepare(settings, known or Played(seed, cases, _end(until)))
    show(settings)
    if serve:
        _serve(settings)


def _end(until: datetime | None) -> datetime:
    """The last moment of the story."""
    if until is None:
        return now()
    end = (until.replace(tzinfo=SHANGHAI) + END_OF_DAY).astimezone(UTC)
    if end > now():
        raise Refused("演示只讲过去的事：--until 不能晚于今天。", Exit.BAD_INPUT)
    return end


def _prepare(settings: Settings, story: Played) -> None:
    start = time.perf_counter()
    clock = StoryClock(story.until)
    with opened(settings, clock) as parts, Progress(console=Console(stderr=True)) as bar:
        telling = bar.add_task("演示案件", total=story.cases)

        async def prepare() -> None:
            troupe = await demo_accounts.prepare(parts, now())
            note(settings.var, story)
            await play(parts, clock, troupe, story, lambda ended: bar.advance(telling, ended))

        try:
            asyncio.run(prepare())
        except demo_accounts.NotADemonstration as real:
            raise Refused(
                f"{settings.var} 中已有账号，不是演示数据目录；请用 CASEWORK_VAR 另指一个。"
            ) from real
    note(settings.var, Played(story.seed, story.cases, story.until, whole=True))
    spent = time.perf_counter() - start
    typer.echo(f"已准备 {story.cases} 个演示案件，用时 {spent:.1f} 秒。", err=True)


def show(settings: Settings) -> None:
    """Print who can sign in, and where that stands."""
    credentials = demo_accounts.read(settings.var) or {}
    typer.echo("演示账号（口令为随机生成，只用于演示）：")
    for key, player in credentials.items():
        secret = player.get("password") or player.get("key", "")
        typer.echo(f"  {key:<15}{player['name']:<24}{secret}")
    typer.echo(f"保存在 {settings.var / demo_accounts.FILE}")


def _serve(settings: Settings) -> None:
    from api.commands.serve import serve  # noqa: PLC0415  only a server pays for what it imports

    typer.echo(f"\n服务地址 http://{settings.host}:{settings.port}/api/v1 （Ctrl+C 结束）")
    serve(settings)
