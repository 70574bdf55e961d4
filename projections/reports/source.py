"""What a report of figures is made from: one state of the views, a period, and names."""

from collections.abc import Callable
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from casework.handlings import Cut
from projections.measures import EVERYTHING, By, Figure, Only, compared, cut_for, measure
from projections.periods import Period
from projections.reports.document import Outline


class Names(msgspec.Struct, frozen=True):
    """What codes are called in the period."""

    street: Callable[[str], str]
    indicator: Callable[[str], str]
    reason: Callable[[str], str]
    place: Callable[[float, float], str | None]
    """What lies near a WGS-84 position, if anything with a name does."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of `period` as of `as_of`; None is the period's end, or `now` where it still runs.

    `streets` are the codes of the 29 in order: one without a case is in the table too.
    """

    connection: Connection
    period: Period
    now: datetime
    as_of: Cut | None
    streets: tuple[str, ...]
    names: Names
    outline: Outline | None

    @property
    def cut(self) -> Cut:
        return cut_for(self.period, self.now, self.as_of)

    def figures(self, name: str, by: By | None = None, variant: str = "") -> dict[str, Figure]:
        """The measure in the period, by key."""
        found = measure(
            self.connection, name, self.period, now=self.now, by=by, as_of=self.as_of,
            variant=variant,
        )  # fmt: skip
        return {figure.key: figure for figure in found}

    def total(self, name: str, variant: str = "", only: Only = EVERYTHING) -> "Beside":
        """The measure over all, beside that of the period before and of the year before.

        Those two are read as of their own ends.
        """
        earlier = [self.period.before(), self.period.year_before()]
        (now,) = measure(
            self.connection, name, self.period, now=self.now, as_of=self.as_of, variant=variant,
            only=only,
        )  # fmt: skip
        then = measure(self.connection, name, earlier, now=self.now, variant=variant, only=only)
        changes = [
            compared([now], then, {self.period.name: other.name})[self.period.name, ""]
            if figure.n
            else None
            for other, figure in zip(earlier, then, strict=True)
        ]
        return Beside(now, *changes)


class Beside(msgspec.Struct, frozen=True):
    """A figure with its change against the period before and the year before (环比, 同比)."""

    figure: Figure
    before: float | None
    year_before: float | None
