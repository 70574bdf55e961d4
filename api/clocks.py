"""The clocks of a case on the wire: seconds, moments and Chinese words of what they tell."""

from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from api.schemas import LeftOut, Wire
from api.time_left import left_of_told
from casework.clock_story import Told, whole_seconds
from casework.clock_words import (
    CLOCK_NAMES,
    STAND_NAMES,
    Line,
    Step,
    Why,
    length_in_words,
    limit_in_words,
)
from casework.model import Clock
from casework.timers import Stand

_SECOND = 1_000_000


class StretchOut(Wire):
    """A stretch of time up to a due time, half-open, and the seconds of it that count."""

    first: datetime
    last: datetime
    counted_seconds: int
    why: Why
    special_period: int | None = Field(default=None, description="不计时的特殊时段编号。")
    says: str


class ClockStepOut(Wire):
    """What happened to a clock.

    `counted_seconds` of `stretches` and `carried_seconds` add up to `limit_seconds` where a due
    time was set that was still to come.
    """

    at: datetime
    says: str
    stretches: tuple[StretchOut, ...] = ()
    limit_seconds: int
    carried_seconds: int
    due: tuple[str, ...] = ()


class ClockReadingOut(Wire):
    """A clock of one round at that moment.

    Used and remaining seconds add up to its limit; they are seconds of the limit's own kind of
    time (duty, working or without a break).
    """

    clock: Clock
    name: str
    round: int
    stand: Stand
    stand_name: str
    limit: str
    used_seconds: int
    used: str
    remaining_seconds: int = Field(description="超时后为负数。")
    remaining: str
    percent: int
    in_time: bool
    due_at: datetime | None
    provisional: bool
    runs_again_at: datetime | None = Field(description="因特殊时段暂停时，何时恢复计时。")
    left: LeftOut | None = Field(description="剩余时间和何时计时；已停止的为空。")
    plain_due_at: datetime | None = Field(description="若无特殊时段，应于何时到期；相同则为空。")
    steps: tuple[ClockStepOut, ...]
    overlays: tuple[str, ...] = Field(description="申诉等事后说明，不改变任何时间。")


_BEGAN = "2026年11月22日（周日）20:10 派遣：处置时限4值守时；只计值守时段，节假日照计。"
_SUNDAY = "2026年11月22日（周日）：20:10–21:00，计50分钟。"
_MONDAY = "2026年11月23日（周一）：07:00–10:10，计3小时10分钟。"
_DUE = "到期时间：2026年11月23日（周一）10:10。"
_EXAMPLE: JsonDict = {
    "case_id": "7f0c5b0e-2f53-5d0c-9a53-0c7a3b1f4a10",
    "number": "HD26112200123452",
    "at": "2026-11-23T09:00:00+08:00",
    "lines": [
        "处置（第1轮）：计时中，已用2小时50分钟，尚余1小时10分钟。",
        _BEGAN,
        f"  {_SUNDAY}",
        f"  {_MONDAY}",
        _DUE,
    ],
    "clocks": [
        {
            "clock": "handling",
            "name": "处置",
            "round": 1,
            "stand": "running",
            "stand_name": "计时中",
            "limit": "4值守时",
            "used_seconds": 10_200,
            "used": "2小时50分钟",
            "remaining_seconds": 4_200,
            "remaining": "1小时10分钟",
            "percent": 70,
            "in_time": True,
            "due_at": "2026-11-23T10:10:00+08:00",
            "provisional": False,
            "runs_again_at": None,
            "left": {
                "says": "还剩1值守时10分钟",
                "note": "",
                "seconds": 4_200,
                "unit": "duty_hour",
                "counts_now": True,
                "counts_until": "2026-11-23T21:00:00+08:00",
                "counts_again_at": "2026-11-24T07:00:00+08:00",
                "zero_at": "2026-11-23T10:10:00+08:00",
                "provisional": False,
                "held": "",
                "scale": "3600:值守时:值守时,60:值守分钟:分钟",
            },
            "plain_due_at": None,
            "steps": [
                {
                    "at": "2026-11-22T20:10:00+08:00",
                    "says": _BEGAN,
                    "stretches": [
                        {
                            "first": "2026-11-22T20:10:00+08:00",
                            "last": "2026-11-23T00:00:00+08:00",
                            "counted_seconds": 3_000,
                            "why": "part",
                            "special_period": None,
                            "says": _SUNDAY,
                        },
                        {
                            "first": "2026-11-23T00:00:00+08:00",
                            "last": "2026-11-23T10:10:00+08:00",
                            "counted_seconds": 11_400,
                            "why": "part",
                            "special_period": None,
                            "says": _MONDAY,
                        },
                    ],
                    "limit_seconds": 14_400,
                    "carried_seconds": 0,
                    "due": [_DUE],
                }
            ],
            "overlays": [],
        }
    ],
}


class ExplainOut(Wire):
    """The clocks of a case as they stand at a moment, and how each due time came about."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        from_attributes=True,
        json_schema_extra={"examples": [_EXAMPLE]},
    )

    case_id: UUID
    number: str
    at: datetime
    lines: tuple[str, ...]
    clocks: tuple[ClockReadingOut, ...]


def reading_out(told: Told, at: datetime) -> ClockReadingOut:
    """One clock as it stands at `at`, with its steps.

    A suspension has no limit but a day that was agreed.
    """
    reading = told.reading
    used, left = whole_seconds(reading)
    agreed = told.clock is Clock.RESUMPTION
    return ClockReadingOut(
        clock=told.clock,
        name=CLOCK_NAMES[told.clock],
        round=told.round,
        stand=reading.stand,
        stand_name=STAND_NAMES[reading.stand],
        limit="至约定恢复日" if agreed else limit_in_words(reading.limit),
        used_seconds=used,
        used=length_in_words(used * _SECOND),
        remaining_seconds=left,
        remaining=length_in_words(left * _SECOND)
        if left >= 0
        else f"已超{length_in_words(-left * _SECOND)}",
        percent=reading.percent,
        in_time=reading.in_time,
        due_at=reading.due_at,
        provisional=reading.provisional,
        runs_again_at=reading.runs_again_at,
        left=left_of_told(told, at),
        plain_due_at=told.plain_due_at,
        steps=tuple(_step(step) for step in told.steps),
        overlays=tuple(step.says for step in told.overlays),
    )


def _step(step: Step) -> ClockStepOut:
    return ClockStepOut(
        at=step.at,
        says=step.says,
        stretches=tuple(_stretch(line) for line in step.lines),
        limit_seconds=step.limit // _SECOND,
        carried_seconds=step.carried // _SECOND,
        due=step.due,
    )


def _stretch(line: Line) -> StretchOut:
    stretch = line.stretch
    return StretchOut(
        first=stretch.first,
        last=stretch.last,
        counted_seconds=stretch.counted // _SECOND,
        why=stretch.why,
        special_period=stretch.period or None,
        says=line.says,
    )
