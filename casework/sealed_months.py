"""封存: the figures of a month as they were published, once and for good (sealed-month/{yyyy-mm}).

What is sealed is read, never computed again; what the same formulas give later is a restatement,
shown beside it. Knows no measure: figures come in, and lie here.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

import msgspec

from casework.errors import Missing, NothingPending, NotPermitted, TooEarly
from casework.lifecycle import ROLE_NAMES
from casework.model import Actor, Role

NAME = "封存月度数据"

GRACE = timedelta(hours=2)
"""After the month's end before the clock seals it: the views have long read everything by then."""

MOST_FIGURES = 20_000
"""Some forty measures and variants by the 29 and some hundred indicators: a megabyte."""


class SealedFigure(msgspec.Struct, frozen=True, array_like=True):
    """A figure as it was: of a measure (and variant), of a key of `by` (both empty: of all).

    `value` is in the measure's unit; `version` is that of its formula.
    """

    measure: str
    variant: str
    by: str
    key: str
    numerator: float
    denominator: int
    value: float | None
    p90: float | None
    version: int


class SealMonth(msgspec.Struct, frozen=True, kw_only=True):
    """`as_of` is when the month ended; `position` how far the log had been read."""

    month: str
    as_of: datetime
    position: int
    figures: tuple[SealedFigure, ...]


class MonthSealed(msgspec.Struct, frozen=True, kw_only=True):
    month: str
    as_of: datetime
    position: int
    figures: tuple[SealedFigure, ...]


Event: TypeAlias = MonthSealed

STORED_AS: dict[str, type[Event]] = {"month-sealed": MonthSealed}


def decide(history: Sequence[Event], command: SealMonth, by: Actor, at: datetime) -> list[Event]:
    """What follows, or a Refusal: a month is sealed once, by a supervisor or the clock."""
    if not by.holds(Role.SUPERVISOR, Role.CLOCK):
        raise NotPermitted(NAME, (ROLE_NAMES[Role.SUPERVISOR],))
    if history:
        raise NothingPending(NAME, f"{command.month}的数据已经封存，封存后不再改动。")
    if at < command.as_of:
        raise TooEarly(NAME, command.as_of)
    if not command.figures or len(command.figures) > MOST_FIGURES:
        raise Missing("figures", f"封存的数据应有1至{MOST_FIGURES}项。")
    return [
        MonthSealed(
            month=command.month,
            as_of=command.as_of,
            position=command.position,
            figures=command.figures,
        )
    ]
