"""A clock in Chinese words: names, and how a due time came about, step by step. Decides nothing.

What is told is told to the second: moments are cut down to their second before anything is laid
out, so that the figures of the lines add up to the limit as a clerk would add them.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple, assert_never

import msgspec
from msgspec.structs import replace

from casework.clocks import (
    DAY,
    SHANGHAI,
    Calendar,
    Family,
    day_micros,
    family,
    micros,
    micros_of_day,
)
from casework.lifecycle import NAME_OF, Action
from casework.model import Clock, ClockStarted, ClockStopped, Limit, Skip, Unit
from casework.timers import Stand

UNIT_NAMES: Mapping[Unit, str] = {
    Unit.MINUTE: "分钟",
    Unit.HOUR: "小时",
    Unit.CALENDAR_DAY: "个自然日",
    Unit.DUTY_MINUTE: "值守分钟",
    Unit.DUTY_HOUR: "值守时",
    Unit.WORKING_MINUTE: "工作分钟",
    Unit.WORKING_HOUR: "工作小时",
    Unit.WORKING_DAY: "个工作日",
}
"""An hour of duty is the field's own word, 值守时; everywhere (docs/adr/0015)."""

CLOCK_NAMES: Mapping[Clock, str] = {
    Clock.REVIEW: "审核",
    Clock.INFORMATION: "补充信息",
    Clock.OBJECTION: "异议",
    Clock.DISPATCH: "派遣",
    Clock.ACKNOWLEDGE: "签收",
    Clock.HANDLING: "处置",
    Clock.RETURN: "退回审核",
    Clock.COORDINATION: "协调审核",
    Clock.EXTENSION: "延期审核",
    Clock.SUSPENSION: "挂账审核",
    Clock.RESUMPTION: "挂账期",
    Clock.SECOND_PERSON: "第二人确认",
    Clock.VERIFICATION: "核查",
    Clock.SITE_CHECK: "现场核查",
    Clock.RATING: "评价",
    Clock.RECHECK: "复核",
    Clock.APPEAL: "申诉审核",
    Clock.APPEAL_WINDOW: "申诉期",
    Clock.NOTE: "督办答复",
}

STAND_NAMES: Mapping[Stand, str] = {
    Stand.RUNNING: "计时中",
    Stand.PAUSED: "暂停计时",
    Stand.STOPPED: "已停止",
}

EXTENSION = "extension"
"""Why a handling clock stops and starts again with a longer limit; no action of its own name."""

BECAUSE_NAMES: Mapping[str, str] = {
    **{action.value: name for action, name in NAME_OF.items()},
    EXTENSION: "延期",
}
"""Chinese for the reasons clocks start and stop. A reason not named here is shown as it is."""

_SECOND = 1_000_000
"""Microseconds."""
_WEEKDAYS = "一二三四五六日"
_RUNS = {
    Family.CONTINUOUS: "连续计时，不分昼夜和节假日",
    Family.DUTY: "只计值守时段，节假日照计",
    Family.WORKING: "只计工作日的工作时段",
}
_WINDOWS = {
    Family.CONTINUOUS: "",
    Family.DUTY: "不在值守时段内",
    Family.WORKING: "不在工作时段内",
}


# Stretches -----------------------------------------------------------------------------------


class Why(StrEnum):
    """What a stretch of time is to a clock."""

    COUNTED = "counted"
    """All of it counts: continuous time."""
    WHOLE = "whole"
    """One or more days with all of their windows."""
    WORKED = "worked"
    """A weekend day worked instead (调休), with all of its windows."""
    PART = "part"
    """Windows of a day, or parts of them."""
    OUTSIDE = "outside"
    """Part of a day on which time counts, but none of its windows."""
    DAY_OFF = "day_off"
    """Weekend or holiday, by `name`."""
    SPECIAL = "special"
    """A 特殊时段, by number."""


class Stretch(msgspec.Struct, frozen=True):
    """Half-open [first, last), and the microseconds of the clock's kind of time that it counts."""

    first: datetime
    last: datetime
    counted: int
    why: Why
    name: str = ""
    windows: tuple[tuple[datetime, datetime], ...] = ()
    period: int = 0


def stretches(
    kind: Family, first: datetime, last: datetime, calendar: Calendar, skips: Iterable[Skip] = ()
) -> list[Stretch]:
    """[first, last) laid out without gap or overlap, as that kind of time counts it.

    Days of one kind side by side are one stretch; a 特殊时段 is one of its own. `skips` are in
    order and apart. What is counted adds up to `calendar.counted`, to the microsecond.
    """
    found: list[Stretch] = []
    at = first
    for skip in skips:
        begins, ends = max(skip.first, at), min(skip.last, last)
        if begins < ends:
            found += _plain(kind, at, begins, calendar)
            found.append(Stretch(begins, ends, 0, Why.SPECIAL, period=skip.period))
            at = ends
    return [*found, *_plain(kind, at, last, calendar)]


def _plain(kind: Family, first: datetime, last: datetime, calendar: Calendar) -> list[Stretch]:
    if first >= last:
        return []
    if kind is Family.CONTINUOUS:
        return [Stretch(first, last, _between(first, last), Why.COUNTED)]
    found: list[Stretch] = []
    day = first.astimezone(SHANGHAI).date()
    while (midnight := _midnight(day)) < last:
        next_day = midnight + timedelta(days=1)
        piece = _on_day(kind, day, max(midnight, first), min(next_day, last), calendar)
        before = found[-1] if found else None
        if before and (before.why, before.name) == (piece.why, piece.name) and piece.why in _ALIKE:
            counted = before.counted + piece.counted
            found[-1] = replace(before, last=piece.last, counted=counted)
        else:
            found.append(piece)
        day += timedelta(days=1)
    return found


_ALIKE = frozenset({Why.WHOLE, Why.WORKED, Why.DAY_OFF})
"""What may stand in one line for several days."""


def _on_day(
    kind: Family, day: date, first: datetime, last: datetime, calendar: Calendar
) -> Stretch:
    """[first, last) of one day (Asia/Shanghai)."""
    name = ""
    if kind is Family.WORKING:
        if not calendar.is_working_day(day):
            return Stretch(first, last, 0, Why.DAY_OFF, calendar.holiday(day) or "周末")
        name = "调休上班" if day.weekday() >= 5 else ""
    windows = []
    for opens, closes in calendar.duty if kind is Family.DUTY else calendar.working:
        begins = _midnight(day) + timedelta(microseconds=micros_of_day(opens))
        ends = _midnight(day) + timedelta(microseconds=micros_of_day(closes) or DAY)
        begins, ends = max(begins, first), min(ends, last)
        if begins < ends:
            windows.append((begins, ends))
    counted = sum(_between(*window) for window in windows)
    if not counted:
        return Stretch(first, last, 0, Why.OUTSIDE, name)
    if counted < day_micros(kind, calendar):
        return Stretch(first, last, counted, Why.PART, name, tuple(windows))
    return Stretch(first, last, counted, Why.WORKED if name else Why.WHOLE, name)


def stretch_in_words(stretch: Stretch, kind: Family, names: Mapping[int, str]) -> str:
    """One line on a stretch; `names` are those of the 特殊时段 by number."""
    first, last = stretch.first, stretch.last
    counted = f"计{length_in_words(stretch.counted)}"
    days = (_date(last - timedelta(microseconds=1)) - _date(first)).days + 1
    span = _on(_date(first))
    if days > 1:
        span += f"至{_on(_date(last - timedelta(microseconds=1)))}"
    worked = f"{stretch.name}，" if stretch.name else ""
    match stretch.why:
        case Why.COUNTED:
            return f"{moment_in_words(first)}至{moment_in_words(last)}，{counted}。"
        case Why.SPECIAL:
            name = names.get(stretch.period, "")
            which = f"{name}特殊时段（第{stretch.period}号）"
            return f"{moment_in_words(first)}至{moment_in_words(last)}：{which}，不计。"
        case Why.DAY_OFF:
            return f"{span}：{stretch.name}，不计。"
        case Why.OUTSIDE:
            when = f"{_clock_time(first)}–{_clock_time(last, closing=True)}"
            return f"{span}：{worked}{when}{_WINDOWS[kind]}，不计。"
        case Why.PART:
            told = "、".join(
                f"{_clock_time(begins)}–{_clock_time(ends, closing=True)}"
                for begins, ends in stretch.windows
            )
            return f"{span}：{worked}{told}，{counted}。"
        case Why.WHOLE | Why.WORKED:
            return f"{span}：{worked}{'全天' if days == 1 else f'共{days}天，'}{counted}。"
        case _:
            assert_never(stretch.why)


# Steps ---------------------------------------------------------------------------------------


class Turn(NamedTuple):
    """A fact of a clock, the moment it was written down, and the calendar it was counted by."""

    at: datetime
    fact: ClockStarted | ClockStopped
    calendar: Calendar


class Line(msgspec.Struct, frozen=True):
    """A stretch and its sentence."""

    stretch: Stretch
    says: str


class Step(msgspec.Struct, frozen=True):
    """One fact of a clock: what happened, the stretches up to its due time, and the due time.

    `at` is when the clock began to run, also where that was written down later, or when it stopped.
    The counted figures of `lines` and `carried` add up to `limit`, all in microseconds of whole
    seconds, as far as the step set a due time that was still to come.
    """

    at: datetime
    says: str
    lines: tuple[Line, ...] = ()
    due: tuple[str, ...] = ()
    limit: int = 0
    carried: int = 0

    @property
    def told(self) -> list[str]:
        """All of it, line by line; stretches are set in."""
        return [self.says, *(f"  {line.says}" for line in self.lines), *self.due]


def steps(turns: Sequence[Turn], names: Mapping[int, str]) -> list[Step]:
    """One step a fact; a stop that only makes way for the next start is told by that start."""
    found: list[Step] = []
    running: ClockStarted | None = None
    stopped: ClockStopped | None = None
    for here, then in zip(turns, (*turns[1:], None), strict=True):
        if isinstance(here.fact, ClockStarted):
            found.append(_started(here, here.fact, stopped, names))
            running, stopped = here.fact, None
        else:
            stopped = here.fact
            if not _goes_straight_on(here, stopped, then):
                found.append(_stopped(here, stopped, running))
    return found


def _goes_straight_on(here: Turn, stopped: ClockStopped, then: Turn | None) -> bool:
    return (
        not stopped.final
        and then is not None
        and isinstance(then.fact, ClockStarted)
        and then.at == here.at
    )


def _started(
    turn: Turn, fact: ClockStarted, before: ClockStopped | None, names: Mapping[int, str]
) -> Step:
    began = fact.since or turn.at
    since, due_at = _second(began), _second(fact.due_at)
    kind, calendar = family(fact.limit.unit), turn.calendar
    because, clock = because_in_words(fact.because), CLOCK_NAMES[fact.clock]
    late = f"（{moment_in_words(turn.at)}登记，自{moment_in_words(since)}起计）"
    head = f"{moment_in_words(since)} {because}{late if since < _second(turn.at) else ''}："
    skips = [replace(s, first=_second(s.first), last=_second(s.last)) for s in fact.skips]
    laid = stretches(kind, since, due_at, calendar, skips)
    counted = sum(stretch.counted for stretch in laid)
    lines = tuple(Line(one, stretch_in_words(one, kind, names)) for one in laid)
    due = tuple(_due(fact))
    if fact.clock is Clock.RESUMPTION:
        return Step(began, f"{head}挂账至{moment_in_words(due_at)}。", lines, due, counted)
    limit = micros(fact.limit, calendar)
    carried = limit - counted if 0 < fact.carried < limit else _whole(fact.carried)
    told = f"{head}{clock}时限{limit_in_words(fact.limit)}"
    if fact.limit.unit is Unit.WORKING_DAY:
        told += f"（合{length_in_words(limit)}）"
    if fact.carried:
        told += f"，{_carried(fact, carried, before)}"
        told += f"，尚余{length_in_words(limit - carried)}" if carried < limit else "，已无剩余"
    return Step(began, f"{told}；{_RUNS[kind]}。", lines, due, limit, carried)


def _carried(fact: ClockStarted, carried: int, before: ClockStopped | None) -> str:
    told = f"此前已用{length_in_words(carried)}"
    if before is None or before.used == fact.carried:
        return told
    if fact.because == Action.ORDER_REWORK and before.used < fact.carried:
        waited = length_in_words(carried - _whole(before.used))
        return f"{told}（含计入处置的核查等待{waited}）"
    return f"{told}（按新的时限重新折算）"


def _due(fact: ClockStarted) -> Iterable[str]:
    provisional = "（所涉年度放假安排尚未公布，为暂定）" if fact.provisional else ""
    yield f"到期时间：{moment_in_words(fact.due_at)}{provisional}。"
    limit = f"时限为{limit_in_words(fact.plain_limit)}，" if fact.plain_limit else ""
    if fact.plain_due_at:
        yield f"若无特殊时段，{limit}应于{moment_in_words(fact.plain_due_at)}到期。"
    elif limit:
        yield f"若无特殊时段，{limit}到期时间相同。"


def _stopped(turn: Turn, fact: ClockStopped, running: ClockStarted | None) -> Step:
    told = f"{moment_in_words(turn.at)} {because_in_words(fact.because)}："
    told += "停止计时" if fact.final else "暂停计时"
    if fact.clock is Clock.RESUMPTION:
        return Step(turn.at, f"{told}，挂账结束。")
    told += f"，累计用时{length_in_words(fact.used)}"
    if fact.in_time:
        return Step(turn.at, f"{told}，在时限内。")
    over = fact.used - micros(running.limit, turn.calendar) if running else 0
    return Step(turn.at, f"{told}，已超时{length_in_words(over) if over > 0 else ''}。")


# Words ---------------------------------------------------------------------------------------


def limit_in_words(limit: Limit) -> str:
    """Such as 4值守时, 2个工作日."""
    return f"{limit.amount}{UNIT_NAMES[limit.unit]}"


def because_in_words(because: str) -> str:
    """Why a clock started or stopped."""
    return BECAUSE_NAMES.get(because, because)


def length_in_words(length: int) -> str:
    """A length of time in microseconds, to the second; what is shorter is said to be so."""
    minutes, seconds = divmod(length // _SECOND, 60)
    hours, minutes = divmod(minutes, 60)
    told = (f"{hours}小时" if hours else "") + (f"{minutes}分钟" if minutes else "")
    told += f"{seconds}秒" if seconds else ""
    return told or ("不足1秒" if length else "0分钟")


def moment_in_words(at: datetime) -> str:
    """A moment in Haidian to the minute, or to the second where it is not on the minute."""
    local = at.astimezone(SHANGHAI)
    return f"{_on(local.date())}{_clock_time(local)}"


def _clock_time(at: datetime, *, closing: bool = False) -> str:
    local = at.astimezone(SHANGHAI)
    told = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    return "24:00" if closing and told == "00:00" else told


def _on(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日（周{_WEEKDAYS[day.weekday()]}）"


def _date(at: datetime) -> date:
    return at.astimezone(SHANGHAI).date()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), SHANGHAI)


def _between(first: datetime, last: datetime) -> int:
    return (last - first) // timedelta(microseconds=1)


def _second(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def _whole(length: int) -> int:
    return length // _SECOND * _SECOND
