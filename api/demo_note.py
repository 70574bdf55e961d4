"""The note in a data folder about the demonstration played into it. Imports nothing heavy."""

from datetime import datetime
from pathlib import Path

import msgspec

FILE = "demo-story.json"


class Played(msgspec.Struct, frozen=True):
    """What was, or is being, played into a data folder; `whole` once it is all there."""

    seed: int
    cases: int
    until: datetime
    whole: bool = False


def played(var: Path) -> Played | None:
    """What stands in the folder's note; None where nothing was played."""
    try:
        return msgspec.json.decode((var / FILE).read_bytes(), type=Played)
    except FileNotFoundError:
        return None


def note(var: Path, story: Played) -> None:
    """Leave the note; whole or not at all."""
    new = var / f"{FILE}.new"
    new.write_bytes(msgspec.json.encode(story))
    new.replace(var / FILE)
