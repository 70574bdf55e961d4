"""The shapes on the wire: requests (`…In`) and answers (`…Out`). Extra fields are refused.

Coordinates are degrees in the CRS that is named; times are ISO 8601 with their offset.
"""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from api.hygiene import Code, Line, Number, Prose
from casework.model import Certainty, Clock, Crs, PlaceKind, Unit


class Wire(BaseModel):
    """A shape on the wire: nothing extra, nothing changed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


class LimitIn(Wire):
    """A length of time, such as 4 duty hours."""

    amount: Annotated[int, Field(ge=1, le=10_000, strict=True)]
    unit: Unit


class DeviceIn(Wire):
    """Where the phone itself says it is; sealed."""

    lon: Annotated[Number, Field(ge=-180, le=180)]
    lat: Annotated[Number, Field(ge=-90, le=90)]
    crs: Crs
    accuracy_m: Annotated[Number, Field(ge=0, le=100_000)] | None = None


class PlaceIn(Wire):
    """The pin, in the CRS that the phone or map uses. WeChat and 高德 give gcj02."""

    lon: Annotated[Number, Field(ge=-180, le=180)]
    lat: Annotated[Number, Field(ge=-90, le=90)]
    crs: Crs | None = Field(
        default=None, description="wgs84、gcj02、bd09 或 cgcs2000；渠道有默认时可省略。"
    )
    kind: PlaceKind
    accuracy_m: Annotated[Number, Field(ge=0, le=100_000)] | None = None
    address: Annotated[Line, Field(min_length=1, max_length=200)] | None = None
    device: DeviceIn | None = None


class PhotoIn(Wire):
    """A picture that was uploaded before, and how it was taken."""

    upload: UUID
    source: Literal["camera", "album", "unknown"] = "unknown"


class ConsentsIn(Wire):
    """What the reporter agrees to; nothing is assumed."""

    publication: bool = Field(default=False, strict=True)
    contact_by_street: bool = Field(default=False, strict=True)
    analysis: bool = Field(
        default=False, strict=True, description="同意去标识后统计使用情况（用户行为分析季报）。"
    )


class ExternalRefIn(Wire):
    """The same matter on another platform (12345 工单号 …)."""

    platform: Annotated[Line, Field(min_length=1, max_length=40)]
    number: Annotated[Line, Field(min_length=1, max_length=64)]


def _distinct(photos: tuple[PhotoIn, ...]) -> tuple[PhotoIn, ...]:
    if len({photo.upload for photo in photos}) < len(photos):
        raise PydanticCustomError("photo_twice", "同一张照片不能重复添加。")
    return photos


Photos = Annotated[tuple[PhotoIn, ...], Field(max_length=9), AfterValidator(_distinct)]
Contact = Annotated[Line, Field(min_length=5, max_length=60)]
ChannelName = Annotated[Line, Field(pattern=r"^[a-z0-9_-]{1,32}$")]


class ReportIn(Wire):
    """What a resident sends. At least an indicator, words or a recording; photos or a reason."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "place": {
                        "lon": 116.3195,
                        "lat": 39.9834,
                        "crs": "gcj02",
                        "accuracy_m": 15,
                        "kind": "road",
                    },
                    "indicator": "P10",
                    "text": "地铁口人行道上共享单车停得太满，推婴儿车过不去。",
                    "no_photo_reason": "no_camera",
                    "consents": {"publication": False, "contact_by_street": False},
                    "source_channel": "app",
                }
            ]
        },
    )

    place: PlaceIn
    indicator: Code | None = None
    text: Prose | None = None
    photos: Photos = ()
    no_photo_reason: Literal["dangerous", "dark", "gone", "no_camera", "phone_call"] | None = None
    recording: UUID | None = None
    contact: Contact | None = None
    consents: ConsentsIn = ConsentsIn()
    source_channel: ChannelName = "app"
    external_refs: Annotated[tuple[ExternalRefIn, ...], Field(max_length=5)] = ()
    recognition: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,1500}$")] | None = Field(
        default=None, description="类别推荐给出的凭据，用来统计推荐的准确率；没有可省略。"
    )


class Proof(Wire):
    """Where the report stands in the log, and the hash it got there."""

    position: int
    hash: str


class Door(Wire):
    """Whom to turn to as well, or instead."""

    name: str
    door: str
    number: str = ""


class Promised(Wire):
    """What is promised at this moment, to the minute."""

    review_by: datetime
    says: str


class ReportOut(Wire):
    """What the resident gets back; the same for ever under the same key."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "case_id": "7f9c1c3e-5f0c-5f0e-9a36-0e1f6d2b9a10",
                    "case_number": "HD26112200123452",
                    "receipt": "4K2M-9T7A-QW3E-R5TY-U8XP-A1SD-FG2H",
                    "proof": {"position": 4711, "hash": "0" * 64},
                    "version": 1,
                    "position": 4712,
                    "street": "110108012",
                    "street_name": "海淀街道",
                    "certainty": "inside",
                    "because": "位于海淀街道内，距最近边界 412 米。",
                    "promised": {
                        "review_by": "2026-11-22T10:30:00+08:00",
                        "says": "我们将在11月22日10:30前完成审核。",
                    },
                    "warnings": [],
                }
            ]
        }
    )

    case_id: UUID
    case_number: str
    receipt: str
    proof: Proof
    version: int
    position: int
    street: str | None
    street_name: str | None
    certainty: Certainty
    because: str
    promised: Promised
    warnings: tuple[Door, ...] = ()


class UploadOut(Wire):
    """A file taken in; cite `upload` in a report within 24 hours."""

    upload: UUID
    bytes: int
    media_type: str
    good_until: datetime


class FileOut(Wire):
    """A picture made for looking at; `url` is the only way to it. Sizes in pixels."""

    url: str
    width: int
    height: int


class FindingOut(Wire):
    """What speaks against a photo of a hand-over. Name its `id` in `findings_seen`.

    `severity` is note, doubt or grave.
    """

    id: UUID
    kind: str
    severity: str
    says: str
    upload: UUID
    other_case: UUID | None = None
    at: datetime


class RedactionOut(Wire):
    """A picture with rectangles over what must not be shown, and who looked at it."""

    number: int
    boxes: int
    redacted_by: str
    redacted_at: datetime
    confirmed_by: str | None = None
    confirmed_at: datetime | None = None


class PhotoOut(Wire):
    """An upload of a case: what it came with, and how far it is looked at.

    `state` is examining, ready or unreadable; `says` tells why it cannot be used. `checked` says
    that a hand-over's photo was compared with earlier ones.
    """

    upload: UUID
    came_with: str
    at: datetime
    position: int
    kind: Literal["photo", "recording"]
    source: str
    state: str
    state_name: str
    says: str | None = None
    thumbnail: FileOut | None = None
    display: FileOut | None = None
    redacted: FileOut | None = None
    recording: str | None = None
    seconds: float | None = None
    checked: bool = False
    findings: tuple[FindingOut, ...] = ()
    redactions: tuple[RedactionOut, ...] = ()


class SignInIn(Wire):
    name: Annotated[Line, Field(min_length=1, max_length=64)]
    password: Annotated[str, Field(min_length=1, max_length=256)]
    device: Annotated[str, Field(max_length=200)] | None = None


class SessionOut(Wire):
    token: str
    device: str
    expires_at: datetime
    kind: str
    must_change_password: bool


class MeOut(Wire):
    """Who is signed in, as the pages and apps need it."""

    kind: str
    display_name: str
    roles: tuple[str, ...]
    street: str | None
    street_name: str | None
    person_id: UUID | None
    must_change_password: bool
    second_factor: bool = Field(description="本次登录用了动态口令。")
    second_factor_due: bool = Field(description="角色须使用动态口令而本次登录没有用，请先绑定。")


class PasswordIn(Wire):
    old: Annotated[str, Field(min_length=1, max_length=256)]
    new: Annotated[str, Field(min_length=1, max_length=256)]


class CitizenIn(Wire):
    """A citizen who wants an account of their own."""

    name: Annotated[Line, Field(min_length=2, max_length=64)]
    password: Annotated[str, Field(min_length=1, max_length=256)]
    display_name: Annotated[Line, Field(min_length=1, max_length=40)] = "市民"


class RedeemIn(Wire):
    """The one-time token of the command line makes the first administrator."""

    token: Annotated[str, Field(min_length=1, max_length=200)]
    name: Annotated[Line, Field(min_length=2, max_length=64)]
    display_name: Annotated[Line, Field(min_length=1, max_length=40)]
    password: Annotated[str, Field(min_length=1, max_length=256)]


class NearbyOut(Wire):
    """A known place near a point."""

    name: str
    kind: str
    distance_m: float


class LocateOut(Wire):
    """Which 街镇 a point belongs to, how sure that is, and why."""

    lon: float
    lat: float
    street: str | None
    street_name: str | None
    certainty: Certainty
    border_m: float | None
    runner_up: str | None
    runner_up_name: str | None
    neighbour: str | None
    boundary_version: int
    because: str
    nearby: tuple[NearbyOut, ...] = Field(
        default=(), description="一公里内的已知地点，近的在前；距离到地点的代表点。"
    )


class StreetOut(Wire):
    """A 街镇."""

    code: str
    name: str


class ClockOut(Wire):
    """A running clock."""

    clock: Clock
    due_at: datetime
    limit: str
    because: str
    provisional: bool
    overdue: bool


class ActionOut(Wire):
    """One thing this person may do now."""

    action: str
    name: str
    needs: str


class CaseOut(Wire):
    """A case as this person may see it; words are masked unless revealed."""

    case_id: UUID
    number: str
    version: int
    position: int
    status: str
    status_name: str
    street: str | None
    street_name: str | None
    certainty: str
    because: str | None = None
    indicator: str | None
    indicator_name: str | None
    condition: str | None = None
    place_kind: str
    lon: float
    lat: float
    channel: str
    round: int
    submitted_at: datetime
    updated_at: datetime
    due_at: datetime | None
    due_clock: str | None
    text: str | None = None
    new_information: bool = False
    on_behalf: bool = False
    danger: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    merged_into: UUID | None = None
    recurrence_of: UUID | None = None
    demonstration: bool = False
    claimed_by: str | None = None
    claimed_until: datetime | None = None
    clocks: tuple[ClockOut, ...] = ()
    allowed: tuple[str, ...] = ()
    photos: tuple[PhotoOut, ...] = Field(
        default=(), description="只在查看单个案件时给出；列表中不给。还在查验的注明检查中。"
    )
    as_of: int = 0


class CasePage(Wire):
    """A page of cases, newest first; `next` leads on."""

    cases: tuple[CaseOut, ...]
    next: str | None
    as_of: int


class Step(Wire):
    """One step of a case in plain words."""

    at: datetime
    name: str
    says: str
    by: str | None
    street: str | None = None
    street_name: str | None = None
    code: str | None = None
    words: str | None = None
    position: int
    photos: tuple[PhotoOut, ...] = ()


class TimelineOut(Wire):
    case_id: UUID
    number: str
    steps: tuple[Step, ...]
    as_of: int


class DoneOut(Wire):
    """An action was carried out, durably."""

    case_id: UUID
    number: str
    version: int
    position: int
    status: str
    status_name: str
    proof: Proof
    due_at: datetime | None = None
    receipt: str | None = None
    upload_link: str | None = None


class StatusOut(Wire):
    """案件处理状态: what anybody with the number may know; more with the receipt."""

    number: str
    status: str
    status_name: str
    submitted_at: datetime
    updated_at: datetime
    street: str | None
    street_name: str | None
    steps: tuple[Step, ...] = ()


class MyCaseOut(Wire):
    """One of a citizen's own cases."""

    case_id: UUID
    number: str
    how: str
    since: datetime
    status: str
    label: str
    text: str | None
    street_name: str | None
    asked: str | None
    until: datetime | None
    rated: bool
    as_of: int


class LeftOut(Wire):
    """What is left of a clock. Seconds are of the limit's own kind of time, negative once over.

    `zero_at` is when nothing would be left if it counted without a break from now on, or from when
    it counts again: what a page counts down to while the clock counts. `held` tells what is left
    of a clock that has stopped for as long as this one runs.
    """

    says: str
    note: str = Field(description="何时起不计时、何时续计；一直计时的为空。")
    seconds: int
    unit: str
    counts_now: bool
    counts_until: datetime | None
    counts_again_at: datetime | None
    zero_at: datetime | None
    provisional: bool = Field(description="到期时间为暂定：所涉年度放假安排尚未公布。")
    held: str = ""
    scale: str = Field(
        default="", description="剩余时间的各级单位：秒数:打头的名称:随后的名称，以逗号分隔。"
    )


class StreetTaskOut(Wire):
    """A case under the clock that presses the 街镇 most; `remaining` is in its own kind of time.

    `again`: it was sent back by 返工 or reopened by 重办.
    """

    case: CaseOut
    clock: str | None
    clock_name: str | None
    due_at: datetime | None
    overdue: bool
    remaining: str | None
    left: LeftOut | None
    again: bool


class StreetSectionOut(Wire):
    """A list of the street's desk: how many there are, and those that are due first."""

    key: str
    name: str
    count: int
    tasks: tuple[StreetTaskOut, ...]


class StreetDeskOut(Wire):
    """A street's desk: counts, and the cases by what presses.

    `due_today` 今日到期 (the rest of the day), `to_acknowledge` 待签收, `again` 返工/重办,
    `dissatisfied` 群众不满意 (under recheck), `suspensions_ending` 挂账到期 (within a day).
    """

    street: str
    street_name: str
    by_status: dict[str, int]
    overdue: int
    due_soon: int
    due_today: int
    to_acknowledge: int
    again: int
    dissatisfied: int
    suspensions_ending: int
    pending: dict[str, int]
    tasks: tuple[CaseOut, ...]
    sections: tuple[StreetSectionOut, ...] = Field(
        default=(),
        description="分栏: 督办待答复、超期、今日到期、待签收、返工/重办、群众不满意、挂账到期、"
        "申请待答复、可申诉、全部在办；同一案件可出现在多栏。",
    )


class DueOut(Wire):
    """A clock that is due."""

    case_id: UUID
    clock: str
    due_at: datetime


class RevealOut(Wire):
    """The original words; this look stands in the audit trail."""

    case_id: UUID
    text: str | None
    contact: str | None
    address: str | None
    device: str | None
    joined: tuple[str | None, ...] = ()


class RevealIn(Wire):
    """Why the original is needed: a word from a list, for the audit trail keeps no free text."""

    reason: Literal["locate", "contact", "verify", "complaint", "own"] = Field(
        description="locate 核对位置，contact 联系反映人，verify 核实情况，"
        "complaint 处理投诉或复核，own 本人查看。"
    )


class ErasureOut(Wire):
    """How far an erasure has come."""

    erasure_id: UUID
    person_id: UUID
    state: str
    asked_at: datetime


class AuditRowOut(Wire):
    seq: int
    at: datetime
    principal_kind: str
    principal_id: str | None
    action: str
    target: str | None
    outcome: str
    facts: dict[str, str | int | float | bool | None]
    hash: str


class AuditPage(Wire):
    rows: tuple[AuditRowOut, ...]
    before: int | None


class DayIn(Wire):
    """A day in Shanghai."""

    day: date
