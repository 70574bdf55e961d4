"""Opens the engine for a command that is no server: settings, parts, and their end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from pydantic import ValidationError

from api.commands.exits import Exit, Refused
from api.parts import Parts
from api.preparing_once import ensure_prepared
from api.settings import Settings
from api.wiring import build, now


def read_settings(**given: object) -> Settings:
    """The settings of the environment; what was `given` on the command line goes before.

    Raises:
        Refused: a setting is not what it should be.

    """
    try:
        return Settings.model_validate(
            Settings().model_dump() | {k: v for k, v in given.items() if v is not None}
        )
    except ValidationError as wrong:
        fields = "；".join(
            f"CASEWORK_{'.'.join(map(str, e['loc'])).upper()}：{e['msg']}" for e in wrong.errors()
        )
        raise Refused(f"设置不正确：{fields}", Exit.BAD_INPUT) from wrong


def catch_up(parts: Parts) -> None:
    """Bring the views to the head: no server reads for a command.

    Beside one, the first to move the position wins. Raises what is TRANSIENT.
    """
    while parts.feed.readers.step(parts.casework.eventlog):
        pass


@contextmanager
def opened(settings: Settings, clock: Callable[[], datetime] = now) -> Iterator[Parts]:
    """The engine, prepared and built, without readers and timers; ended in turn afterwards."""
    ensure_prepared(settings)
    parts = build(settings, clock)
    parts.audit.start()
    try:
        yield parts
    finally:
        parts.examiner.close()
        parts.finder.close()
        parts.audit.stop()
        parts.let_go()
