"""The shapes of recognition on the wire."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from api.hygiene import Number, Prose
from api.schemas import Door, Wire
from casework.model import Crs, PlaceKind


class SpotIn(Wire):
    """Where it is, if that is known already: open cases nearby are offered then."""

    lon: Annotated[Number, Field(ge=-180, le=180)]
    lat: Annotated[Number, Field(ge=-90, le=90)]
    crs: Crs


def _distinct(photos: tuple[UUID, ...]) -> tuple[UUID, ...]:
    if len(set(photos)) < len(photos):
        raise PydanticCustomError("photo_twice", "同一张照片不能重复添加。")
    return photos


class RecogniseIn(Wire):
    """What one wants to know the kind of: words, photos or a recording uploaded before."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "text": "盲道上停满了共享单车，盲人根本走不了。",
                    "place_kind": "road",
                    "place": {"lon": 116.3195, "lat": 39.9834, "crs": "gcj02"},
                }
            ]
        },
    )

    text: Prose | None = None
    photos: Annotated[
        tuple[UUID, ...],
        Field(max_length=9, description="先上传得到的 upload。"),
        AfterValidator(_distinct),
    ] = ()
    recording: UUID | None = Field(default=None, description="先上传得到的 upload。")
    place_kind: PlaceKind | None = None
    place: SpotIn | None = None


class ProposalOut(Wire):
    """An indicator that it may be, and why."""

    indicator: str
    name: str
    confidence: float = Field(description="0 到 1。")
    because: tuple[str, ...] = Field(description="为它说话的词语或照片上看到的东西。")


class OutOfScopeOut(Wire):
    """Whether it looks like none of the indicators. A warning: nobody is refused for it."""

    flagged: bool
    confidence: float = Field(description="0 到 1，越大越不像现行指标内的问题。")
    door: Door | None = Field(description="flagged 时应去的渠道。")
    because: tuple[str, ...]


class ModelOut(Wire):
    """A model that spoke."""

    name: str
    version: str


class AlikeOut(Wire):
    """An open case nearby that may be the same: 我也遇到 instead of a new report."""

    number: str
    indicator: str
    indicator_name: str
    status_name: str
    since: date


class RecognisedOut(Wire):
    """Ranked proposals. A person decides: nothing is submitted by itself."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "recognition": "q83vEjRWeJCrze8…",
                    "proposals": [
                        {
                            "indicator": "P09",
                            "name": "车辆占压盲道",
                            "confidence": 0.87,
                            "because": ["“盲道”", "“单车”"],
                        },
                        {
                            "indicator": "P10",
                            "name": "非机动车乱停放",
                            "confidence": 0.05,
                            "because": ["“单车”"],
                        },
                    ],
                    "none_of_these": "以上都不是",
                    "preselected": "P09",
                    "out_of_scope": {
                        "flagged": False,
                        "confidence": 0.04,
                        "door": None,
                        "because": [],
                    },
                    "dangers": [],
                    "alike": [],
                    "transcript": None,
                    "notes": [],
                    "models": [{"name": "text", "version": "3f0c9a36b0e1f6d2"}],
                }
            ]
        }
    )

    recognition: str = Field(
        description="随上报一起提交的凭据，24 小时内有效；只含代码、把握和模型版本。"
    )
    proposals: tuple[ProposalOut, ...]
    none_of_these: str = Field(description="始终一并给出的选项。")
    preselected: str | None = Field(description="把握足够时预先选中的指标，仍由人确认。")
    out_of_scope: OutOfScopeOut
    dangers: tuple[Door, ...] = Field(description="文字里提到的险情：先给出应拨打的电话。")
    alike: tuple[AlikeOut, ...] = Field(description="附近已立案未结的同类案件，先问是不是同一件。")
    transcript: str | None = Field(description="录音转写，供本人修改；没有则为空。")
    notes: tuple[str, ...]
    models: tuple[ModelOut, ...]


class IntervalOut(Wire):
    """A share with Wilson's interval at 95 %."""

    share: float | None
    low: float
    high: float


class HitRateOut(Wire):
    """How often a model's proposals were what the reviewer registered."""

    model: str
    version: str
    indicator: str
    indicator_name: str
    n: int
    top1: IntervalOut
    top3: IntervalOut


class WarningsOut(Wire):
    """How the warning 可能不在范围内 fared: of what was refused as such, and of what was not."""

    model: str
    version: str
    refused: int
    refused_warned: int
    registered: int
    registered_warned: int


class TrainedOut(Wire):
    """A training of the text model: the SHA-256 of its inputs, when, on how many texts."""

    version: str
    at: datetime
    learnt: int
    texts: int
    preselect: float
    flag: float
    serving: bool


class RecognitionMeasureOut(Wire):
    """How good recognition is, by model version and indicator."""

    first: date
    last: date
    rows: tuple[HitRateOut, ...]
    total: tuple[HitRateOut, ...] = Field(description="各版本合计，indicator 为空。")
    warnings: tuple[WarningsOut, ...]
    trainings: tuple[TrainedOut, ...]
    formula: str
    as_of: int
