"""A demonstration played once for all tests of this folder: reading it changes nothing."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from api import demo_accounts
from api.accounts.trail import AuditTrail
from api.demo import StoryClock, play
from api.demo_month import WHOLE
from api.demo_note import Played
from api.parts import Parts
from api.preparing import prepare
from api.settings import Settings
from api.wiring import build

UNTIL = datetime(2026, 11, 11, 19, 30, tzinfo=UTC)
"""Half past three at night in Haidian: even then a case stands in every status."""

STORY = Played(seed=7, cases=WHOLE, until=UNTIL)


class Stage(NamedTuple):
    """The engine of a data folder, and its clock."""

    parts: Parts
    clock: StoryClock


def open_stage(var: Path) -> Stage:
    """A prepared folder, with a clock for the story.

    Its passwords never grow old: the story ends on a day, and is looked at on any later one.
    """
    settings = Settings(var=var, password_profile="asvs")
    prepare(settings)
    clock = StoryClock(UNTIL)
    return Stage(build(settings, clock, lambda: clock().timestamp()), clock)


def close_stage(stage: Stage) -> None:
    """End what was opened."""
    stage.parts.examiner.close()
    stage.parts.work.shutdown()
    stage.parts.casework.close()
    stage.parts.keys.close()
    stage.parts.desk.close()


def play_on(
    stage: Stage,
    story: Played = STORY,
    progress: Callable[[int], None] = lambda _ended: None,
) -> None:
    """Accounts and story, as the command plays them."""

    async def both(parts: Parts) -> None:
        troupe = await demo_accounts.prepare(parts, UNTIL)
        await play(parts, stage.clock, troupe, story, progress)

    # The trail's thread runs once; a stage that is played on gets another one.
    audit = AuditTrail(stage.parts.desk)
    playing = replace(stage.parts, audit=audit)
    audit.start()
    try:
        asyncio.run(both(playing))
    finally:
        audit.stop()


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A whole demonstration of few cases."""
    stage = open_stage(tmp_path_factory.mktemp("demonstration") / "var")
    play_on(stage)
    yield stage
    close_stage(stage)
