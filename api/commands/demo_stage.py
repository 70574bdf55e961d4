"""Plays the demonstration into a data folder, with a bar that shows how far it is."""

import asyncio
import time

import typer
from rich.console import Console
from rich.progress import Progress

from api import demo_accounts
from api.commands.exits import Refused
from api.commands.opening import opened
from api.demo import StoryClock, play
from api.demo_note import Played, note
from api.settings import Settings
from api.wiring import now


def put_on(settings: Settings, story: Played) -> None:
    """Make the accounts, then play the story. Cut off, it is carried on by the next call.

    Raises:
        Refused: the folder holds accounts that are none of a demonstration's.

    """
    start = time.perf_counter()
    clock = StoryClock(story.until)
    with opened(settings, clock) as parts, Progress(console=Console(stderr=True)) as bar:
        telling = bar.add_task("演示案件", total=story.cases)

        async def both() -> None:
            troupe = await demo_accounts.prepare(parts, now())
            note(settings.var, story)
            await play(parts, clock, troupe, story, lambda ended: bar.advance(telling, ended))

        try:
            asyncio.run(both())
        except demo_accounts.NotADemonstration as real:
            raise Refused(
                f"{settings.var} 中已有账号，不是演示数据目录；请用 CASEWORK_VAR 另指一个。"
            ) from real
    note(settings.var, Played(story.seed, story.cases, story.until, whole=True))
    spent = time.perf_counter() - start
    typer.echo(f"已准备 {story.cases} 个演示案件，用时 {spent:.1f} 秒。", err=True)
