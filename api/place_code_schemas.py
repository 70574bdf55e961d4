"""The shapes of place codes and of what they count. Knows no rule."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from api.hygiene import Line, Number
from api.schemas import Wire
from casework.model import Crs, PlaceKind


class PlaceCodeIn(Wire):
    """Where the code will hang. Its name is read by whoever scans it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "lon": 116.32367,
                    "lat": 39.98207,
                    "crs": "wgs84",
                    "kind": "square",
                    "name": "中关村广场东北角公告栏",
                    "indicator": "P10",
                }
            ]
        }
    )

    lon: Annotated[Number, Field(ge=-180, le=180)]
    lat: Annotated[Number, Field(ge=-90, le=90)]
    crs: Crs = Field(description="wgs84、gcj02、bd09 或 cgcs2000。")
    kind: PlaceKind
    name: Annotated[Line, Field(min_length=2, max_length=60)]
    indicator: Annotated[str, Field(pattern=r"^[A-Z][0-9]{2}$")] | None = Field(
        default=None, description="预填的指标，扫码的人可以改。"
    )


class RevokePlaceCodeIn(Wire):
    """Withdrawn for good."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "公告栏已拆除。"}]})

    reason: Annotated[Line, Field(min_length=2, max_length=200)]


class PlaceCodeOut(Wire):
    """A code as the back rooms see it. `link` is what its picture says."""

    code: str
    link: str
    name: str
    lon: float
    lat: float
    kind: PlaceKind
    street: str
    street_name: str
    indicator: str | None
    issued_by: str
    issued_at: datetime
    revoked_at: datetime | None
    revoked_because: str | None
    scans: int


class PlaceCodePage(Wire):
    """Codes in the order of issue; `next` leads on."""

    codes: tuple[PlaceCodeOut, ...]
    next: int | None


class ScansOfDay(Wire):
    day: date
    scans: int


class ScansOut(Wire):
    """Scans by day in Shanghai; a phone counts once an hour. Days without any are left out."""

    code: str
    first: date
    last: date
    days: tuple[ScansOfDay, ...]
    total: int


class PrefilledPlace(Wire):
    """The `place` of a report, as `POST /reports` takes it."""

    lon: float
    lat: float
    crs: Crs
    kind: PlaceKind
    address: str


class PrefilledReport(Wire):
    """The fields of a report that the code fills in; all may be changed."""

    place: PrefilledPlace
    indicator: str | None


class ScannedOut(Wire):
    """Where one is, and what a report from here begins with."""

    code: str
    name: str
    street: str
    street_name: str
    report: PrefilledReport


class RedispatchRow(Wire):
    """A 街镇 in a month. `n` counts dispatches made to it in that month; minutes are whole.

    `minutes_lost` is the time from dispatch to the accepted return or the recall; of it
    `handling_minutes_lost` ran on the handling clock, in the limit's own kind of time.
    """

    street: str
    street_name: str
    n: int
    returned: int
    recalled: int
    by_code: dict[str, int]
    minutes_lost: int
    handling_minutes_lost: int


class LegOut(Wire):
    """One stay of a case with a 街镇; `ended_by` is empty while it lasts."""

    ordinal: int
    street: str
    street_name: str
    dispatched_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    code: str | None
    minutes: int | None
    handling_minutes: int | None


class ChainOut(Wire):
    """A case that went from one 街镇 to another, or came back."""

    case_id: UUID
    number: str
    legs: tuple[LegOut, ...]


class RedispatchOut(Wire):
    """再派遣: what returns and recalls cost in a month of dispatches."""

    month: str
    rows: tuple[RedispatchRow, ...]
    chains: tuple[ChainOut, ...]
    more_chains: bool
    formula: str
    as_of: int
