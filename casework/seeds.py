"""Reads the shipped calendar and catalogue files into the first events of the reference streams.

Files in, events out: it appends nothing and is used once, when a log is founded. What the files
say is held to the same guards as a later change.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from casework import catalogue as catalogues
from casework import reference
from casework.catalogue import (
    AddCode,
    AddIndicator,
    SetDangerWords,
    SetScopeWords,
    SetStepLimit,
)
from casework.clocks import CalendarYear, Windows
from casework.indicators import FAMILIES, OTHER_WORDS, Indicator, ReasonCode, Wording
from casework.model import Clock, Limit
from casework.reference import PublishYear, SetWindows


class _WindowsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    duty: Windows
    working: Windows


class _StepsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    steps: dict[Clock, Limit]
    danger: dict[Clock, Limit]


class _WordingsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    danger: tuple[Wording, ...]
    scope: tuple[Wording, ...]


def calendar_events(folder: Path, effective_from: datetime) -> list[reference.CalendarEvent]:
    """The first events of the calendar stream: windows.toml and a file a year, e.g. 2026.toml.

    Raises msgspec.ValidationError where a file has not the shape, a Refusal where it says nonsense.
    """
    windows = msgspec.toml.decode((folder / "windows.toml").read_bytes(), type=_WindowsFile)
    years = [
        msgspec.toml.decode(path.read_bytes(), type=CalendarYear)
        for path in sorted(folder.glob("[0-9][0-9][0-9][0-9].toml"))
    ]
    return reference.found_calendar(
        [
            SetWindows(duty=windows.duty, working=windows.working, effective_from=effective_from),
            *(PublishYear(year=year, effective_from=effective_from) for year in years),
        ]
    )


def catalogue_events(folder: Path, effective_from: datetime) -> list[catalogues.Event]:
    """The first events of the catalogue stream: an indicator a file, codes, steps and wordings.

    Raises msgspec.ValidationError where a file has not the shape, a Refusal where it says nonsense.
    """
    return catalogues.found(_catalogue_commands(folder, effective_from))


def _catalogue_commands(folder: Path, since: datetime) -> Iterator[catalogues.Command]:
    for path in sorted(folder.glob("[A-Z][0-9]*.toml")):
        indicator = msgspec.toml.decode(path.read_bytes(), type=Indicator)
        yield AddIndicator(indicator=indicator, effective_from=since)
    for reason in _codes(folder):
        yield AddCode(code=reason, effective_from=since)
    steps = msgspec.toml.decode((folder / "steps.toml").read_bytes(), type=_StepsFile)
    for clock, limit in steps.steps.items():
        yield SetStepLimit(clock=clock, limit=limit, effective_from=since)
    for clock, limit in steps.danger.items():
        yield SetStepLimit(clock=clock, limit=limit, danger=True, effective_from=since)
    wordings = msgspec.toml.decode((folder / "wordings.toml").read_bytes(), type=_WordingsFile)
    yield SetDangerWords(wordings=wordings.danger, effective_from=since)
    yield SetScopeWords(wordings=wordings.scope, effective_from=since)


def _codes(folder: Path) -> Iterator[ReasonCode]:
    """The codes of the file, and 其他 for every family: what no list foresaw needs words."""
    shipped = msgspec.toml.decode(
        (folder / "codes.toml").read_bytes(), type=dict[str, tuple[tuple[str, str], ...]]
    )
    for family in FAMILIES:
        for code, text in shipped[family]:
            yield ReasonCode(code, family, text)
        yield ReasonCode(f"{family}99", family, "其他", OTHER_WORDS)
