"""Shapes of the measures on the wire: catalogue, figures, cases, sealed months."""

from datetime import datetime

from pydantic import Field

from api.schemas import Wire
from projections.measure_catalogue import Direction, Kind
from projections.measures import By, Part
from projections.periods import Every

MONTH = r"^20[0-9]{2}-(0[1-9]|1[0-2])$"


class MeasureOut(Wire):
    """A measure of the catalogue. `variants`: name → what it is called (口径)."""

    name: str
    title: str
    formula: str
    kind: Kind
    unit: str
    direction: Direction
    minimum_sample: int
    target: float | None
    variants: dict[str, str]
    beside: tuple[str, ...]
    version: int


class CatalogueOut(Wire):
    measures: tuple[MeasureOut, ...]
    by: dict[By, str]
    periods: dict[Every, str]
    parts: dict[Part, str]
    how: str


class FigureOut(Wire):
    """A figure of a period and a key; an empty key is all, or those that have none.

    Rates and intervals in percent to two places, durations in minutes. `before` and `year_before`
    are the values of the period before and of the year before, `change…` the difference (points
    of percent for rates). `on_target` compares with the measure's target.
    """

    period: str
    key: str
    key_name: str
    numerator: float
    denominator: int
    value: float | None
    n: int
    interval: tuple[float, float] | None
    p90: float | None
    enough: bool
    rank: int | None
    on_target: bool | None
    before: float | None
    change: float | None
    year_before: float | None
    change_on_year: float | None
    sealed: bool


class BesideOut(Wire):
    """A measure, or a variant, that must be seen beside: its figures of each whole period."""

    name: str
    variant: str
    title: str
    unit: str
    figures: tuple[FigureOut, ...]


class FiguresOut(Wire):
    """Figures with all that must be seen beside them.

    `at`: as of when, None where each period is told as of its own end; `as_of`: the position that
    the answer was computed from; `held`: readers that wait at an event; `exempted`: how many of
    the denominators have an upheld appeal.
    """

    measure: MeasureOut
    variant: str
    every: Every
    by: By | None
    at: datetime | None
    as_of: int
    held: tuple[str, ...]
    figures: tuple[FigureOut, ...]
    beside: tuple[BesideOut, ...]
    exempted: int


class CountedOut(Wire):
    case_id: str
    number: str
    round: int
    street: str | None
    street_name: str | None
    indicator: str
    indicator_name: str | None
    place_kind: str
    channel: str
    at: datetime | None
    counted: bool
    dispatched_at: datetime | None
    due_at: datetime | None
    handed_over_at: datetime | None
    closed_at: datetime | None


class CountedPageOut(Wire):
    """The rows behind a figure, the first in time first."""

    name: str
    variant: str
    period: str
    part: Part
    at: datetime
    as_of: int
    total: int
    rows: tuple[CountedOut, ...]


class SealIn(Wire):
    month: str = Field(pattern=MONTH, description="要封存的月份，须已结束。", examples=["2026-05"])


class SealedFigureOut(Wire):
    measure: str
    title: str
    variant: str
    by: str
    key: str
    key_name: str
    numerator: float
    denominator: int
    value: float | None
    p90: float | None
    version: int


class RestatementOut(Wire):
    """A sealed figure beside what the same formula gives now; None where it gives none."""

    sealed: SealedFigureOut
    now: SealedFigureOut | None


class SealedMonthOut(Wire):
    """`position` is how far the log had been read, `proof` where the seal itself stands in it."""

    month: str
    as_of: datetime
    position: int
    proof: int
    sealed_at: datetime
    sealed_by: str
    figures: tuple[SealedFigureOut, ...]
    restated: tuple[RestatementOut, ...]
    restated_at: datetime | None
