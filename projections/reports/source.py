"""What a report of figures is made from: one state of the views, a period, and names."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

import msgspec
from sqlalchemy import Connection

from casework.handlings import Cut
from projections.measures import By, Figure, compared, cut_for, measure
from projections.periods import Period
from projections.reports.document import Outline


class Names(msgspec.Struct, frozen=True):
    """What codes are called in the period."""

    street: Callable[[str], str]
    indicator: Callable[[str], str]
    reason: Callable[[str], str]
    place: Callable[[float, float], str | None]
    """What lies near a WGS-84 position, if anything with a name does."""


Kept: TypeAlias = Callable[[str, Period, By | None, str], list[Figure] | None]
"""(measure, period, by, variant) -> the figures as they were sealed; None where none were."""


def nothing_kept(_name: str, _period: Period, _by: By | None, _variant: str) -> None:
    """No period is sealed."""


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
    kept: Kept = nothing_kept
    """What was sealed; read instead of reckoning, where no other moment is asked for."""

    @property
    def cut(self) -> Cut:
        return cut_for(self.period, self.now, self.as_of)

    def figures(self, name: str, by: By | None = None, variant: str = "") -> dict[str, Figure]:
        """The measure in the period, by key."""
        return {f.key: f for f in self.of(self.period, name, by, variant)}

    def of(
        self, period: Period, name: str, by: By | None = None, variant: str = ""
    ) -> list[Figure]:
        """The measure in a period: of the report's own as asked, of another as of its end."""
        as_of = self.as_of if period == self.period else None
        if as_of is None:
            sealed = self.kept(name, period, by, variant)
            if sealed is not None:
                return sealed
        return measure(
            self.connection, name, period, now=self.now, by=by, as_of=as_of, variant=variant
        )

    def total(self, name: str, variant: str = "") -> "Beside":
        """The measure over all, beside that of the period before and of the year before.

        Those two are read as of their own ends.
        """
        earlier = [self.period.before(), self.period.year_before()]
        (now,) = self.of(self.period, name, variant=variant)
        then = [self.of(other, name, variant=variant)[0] for other in earlier]
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
