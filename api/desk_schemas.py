"""The shapes of the desks: what presses, the duty roster, the hand-over between shifts.

A desk is written `reviewer`, `supervisor` or `street-110108011`. Times are ISO 8601 with their
offset. Knows no rule.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.hygiene import AwareMoment, Line, Remark
from api.schemas import CaseOut, LeftOut, Wire

DeskText = Annotated[Line, Field(min_length=1, max_length=32, examples=["street-110108011"])]

NOTHING_PERSONAL = "不要填写姓名、电话等个人信息；存储前会自动遮盖。"


# 工作台 ------------------------------------------------------------------------------------


class PressingOut(Wire):
    """A case under one of its clocks. `remaining` is told in its own kind of time."""

    case_id: UUID
    number: str
    status: str
    status_name: str
    street: str | None
    street_name: str | None
    indicator: str | None
    indicator_name: str | None
    clock: str
    clock_name: str
    request: str | None = None
    request_name: str | None = None
    due_at: datetime
    overdue: bool
    remaining: str
    left: LeftOut


class SectionOut(Wire):
    """A list: how many there are, and the first of them, what presses most in front.

    `left` tells of each case that is listed what is left of the clock of its `due_clock`.
    """

    name: str
    count: int
    cases: tuple[CaseOut, ...]
    left: dict[str, LeftOut] = Field(description="案件编号 → 当前时限的剩余时间。")


class DuplicatesOut(SectionOut):
    """疑似重复; `like` tells of each case that is listed the earlier one it is most like."""

    like: dict[str, str] = Field(description="案件编号 → 最像的在办案件编号。")


class ReturnsOut(Wire):
    """退回待审, with the clocks of the decisions."""

    name: str
    count: int
    cases: tuple[PressingOut, ...]


class ReviewerDeskOut(Wire):
    """The reviewers' desk. A case may stand in several sections."""

    by_status: dict[str, int]
    urgent: SectionOut
    overdue: SectionOut
    due_soon: SectionOut
    supplied: SectionOut
    duplicates: DuplicatesOut
    border: SectionOut
    returns: ReturnsOut
    verification: SectionOut
    recheck: SectionOut
    to_dispatch: SectionOut
    to_review: SectionOut
    as_of: int


class LateStreetOut(Wire):
    """A 街镇 with cases over their time there.

    `longest` is how long the oldest of them is over, by the wall.
    """

    street: str
    street_name: str
    overdue: int
    oldest_due_at: datetime
    longest: str


class EscalatedOut(Wire):
    """A case that has reached 150 or 200 % of its limit."""

    case: PressingOut
    percent: int
    reached_at: datetime


class ReturnedOut(Wire):
    """A case that came back twice or more; `returns` are those accepted."""

    case: PressingOut
    returns: int


class SuspectedOut(Wire):
    """疑似虚假整改: a case-round whose hand-over is, or was, in doubt.

    `code` is that of the 返工 or reopening which found it false; `findings` of the photo check
    advise only.
    """

    case_id: UUID
    number: str
    status: str
    status_name: str
    street: str | None
    street_name: str | None
    indicator: str | None
    indicator_name: str | None
    round: int
    handed_over_at: datetime
    code: str | None
    findings: tuple[str, ...]


class ReboundOut(Wire):
    """反弹点位: a 100 m cell, by its middle, where what had been closed was reported again."""

    cell: str
    lon: float
    lat: float
    street: str | None
    street_name: str | None
    indicator: str
    indicator_name: str | None
    reports: int


class SupervisorDeskOut(Wire):
    """The supervisor's desk. Lists are cut at `limit`, counts are not.

    `escalated` are those of which it was told at 150 or 200 % of a limit; `due_soon` are due
    within a day; `returned` 退回≥2次; `suspected` 疑似虚假整改; `rebounds` 反弹点位 of a week.
    """

    counts: dict[str, int]
    by_street: tuple[LateStreetOut, ...]
    overdue: tuple[PressingOut, ...]
    escalated: tuple[EscalatedOut, ...]
    notes: tuple[PressingOut, ...]
    decisions: tuple[PressingOut, ...]
    to_designate: tuple[PressingOut, ...]
    suspensions_ending: tuple[PressingOut, ...]
    due_soon: tuple[PressingOut, ...]
    returned: tuple[ReturnedOut, ...]
    suspected: tuple[SuspectedOut, ...]
    rebounds: tuple[ReboundOut, ...]
    as_of: int


# 值班表 ------------------------------------------------------------------------------------


class DutyIn(Wire):
    """排班: on duty from `starts_at` to before `ends_at`; at most 31 days."""

    desk: DeskText = Field(description="reviewer、supervisor 或 street-街镇代码。")
    account: UUID
    starts_at: AwareMoment = Field(description="最早为现在；不能补排。")
    ends_at: AwareMoment


class DutyAccountOut(Wire):
    """Somebody who may be put on the roster of a desk."""

    account: UUID
    account_name: str


class DutyOut(Wire):
    """A line of the roster. `fit`: the account is in use and still sits at the desk."""

    number: int
    desk: str
    desk_name: str
    account: str
    account_name: str
    starts_at: datetime
    ends_at: datetime
    fit: bool


class DeskDutyOut(Wire):
    """A desk: who is on duty at the moment asked for, and who will be in the 31 days after it."""

    desk: str
    desk_name: str
    on_duty: tuple[DutyOut, ...]
    upcoming: tuple[DutyOut, ...]


class DutyRosterOut(Wire):
    at: datetime
    desks: tuple[DeskDutyOut, ...]


# 交接班 ------------------------------------------------------------------------------------


class ItemOut(Wire):
    """A case that pressed when the shift was handed over."""

    number: str
    clock: str
    clock_name: str
    due_at: datetime
    overdue: bool


class SummaryOut(Wire):
    """What stood on the desk at `at`. `left_out` items are counted and not named."""

    at: datetime
    open: int
    near_due: int
    overdue: int
    pending: int
    notes: int
    items: tuple[ItemOut, ...]
    left_out: int


class DraftOut(Wire):
    """What would be handed over now."""

    desk: str
    desk_name: str
    summary: SummaryOut
    as_of: int


class HandOverIn(Wire):
    words: Remark = Field(default="", description=f"交接说明。{NOTHING_PERSONAL}")


class DeclineShiftIn(Wire):
    words: Remark = Field(min_length=1, description=f"不接班的原因。{NOTHING_PERSONAL}")


class ShiftOut(Wire):
    """A hand-over with its signatures: of who handed over, and of who answered."""

    number: int
    desk: str
    desk_name: str
    handed_over_by: str
    handed_over_by_name: str
    handed_over_at: datetime
    summary: SummaryOut
    words: str
    state: str
    state_name: str
    answered_by: str | None
    answered_by_name: str | None
    answered_at: datetime | None
    answer: str | None


class ShiftPage(Wire):
    """Hand-overs of a desk, the newest first; `next` leads on as `before`."""

    shifts: tuple[ShiftOut, ...]
    next: int | None
