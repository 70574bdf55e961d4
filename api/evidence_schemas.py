"""The shapes on the wire of photos and recordings, their findings, and similar cases."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from api.hygiene import Code, Number
from api.schemas import FileOut, PhotoIn, PhotoOut, PlaceIn, Wire


class PhotosOut(Wire):
    """The photos and recordings of a case that this person may see, in the order they came."""

    case_id: UUID
    number: str
    photos: tuple[PhotoOut, ...]
    as_of: int


Part = Annotated[Number, Field(ge=0, le=1)]


class BoxIn(Wire):
    """A rectangle in parts of the picture's width and height, from its upper left corner."""

    left: Part
    top: Part
    right: Part
    bottom: Part
    what: Literal["face", "plate", "text", "by_hand"] = "by_hand"
    score: Part = Field(default=1.0, description="模型给出的把握；手工画的为 1。")


class RedactIn(Wire):
    """What is to be covered. Without a box: the editor looked and found nothing to cover."""

    boxes: Annotated[tuple[BoxIn, ...], Field(max_length=200)]
    looked: bool = Field(strict=True, description="本人已查看整张照片。")


class RedactedOut(Wire):
    """The redacted picture; it may be published once somebody else has confirmed it."""

    upload: UUID
    number: int
    picture: FileOut


class ConfirmIn(Wire):
    """That nothing is left to be covered on the redacted picture of this number."""

    number: Annotated[int, Field(ge=1, le=10_000, strict=True)]
    looked: bool = Field(strict=True, description="本人已查看遮盖后的整张照片。")


class ConfirmedOut(Wire):
    """The photo may be published."""

    upload: UUID
    number: int
    confirmed_by: str
    confirmed_at: datetime


class BoxesOut(Wire):
    """Boxes that models propose. `models` is empty where none is installed: draw by hand.

    `drawn` are those that the newest covering of the photo covers, to go on from.
    """

    upload: UUID
    width: int
    height: int
    models: tuple[str, ...]
    boxes: tuple[BoxIn, ...]
    drawn: tuple[BoxIn, ...] = ()
    says: str


class SimilarIn(Wire):
    """A report that is about to be sent: where, what, with which photos."""

    place: PlaceIn
    indicator: Code | None = None
    photos: Annotated[tuple[PhotoIn, ...], Field(max_length=9)] = ()


class SimilarOut(Wire):
    """An open case that looks like the same problem, and why. `score` from 0 to 1.

    A citizen is told the number, by which the case can be joined, and a coarse distance.
    """

    case_id: UUID | None
    number: str
    status: str
    status_name: str
    indicator: str | None
    indicator_name: str | None
    street_name: str | None
    submitted_at: datetime | None
    distance_m: int
    score: float
    because: tuple[str, ...]


class FalseRow(Wire):
    """A 街镇 in a month: hand-overs, and those found false. `rate` is None without any.

    `ranked` is False below the minimum sample.
    """

    street: str
    street_name: str | None
    numerator: int
    denominator: int
    rate: float | None
    ranked: bool
    with_findings: int


class FalseCase(Wire):
    """A case-round behind the figures."""

    case_id: UUID
    number: str
    round: int
    street: str
    street_name: str | None
    handed_over_at: datetime
    code: str
    found_at: datetime


class FalseRectificationOut(Wire):
    """虚假整改率 of a month by 街镇, with the case-rounds found false."""

    month: str
    rows: tuple[FalseRow, ...]
    cases: tuple[FalseCase, ...]
    more_cases: bool
    minimum: int
    formula: str
    as_of: int
