"""A clock in Chinese words: names, and how a due time came about. Decides nothing."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta

import msgspec

from casework.clocks import (
    DAY,
    MINUTE,
    SHANGHAI,
    Calendar,
    Family,
    day_micros,
    family,
    micros,
    micros_of_day,
)
from casework.lifecycle import NAME_OF
from casework.model import Clock, ClockStarted, ClockStopped, Limit, Unit

UNIT_NAMES: Mapping[Unit, str] = {
    Unit.MINUTE: "分钟",
    Unit.HOUR: "小时",
    Unit.CALENDAR_DAY: "个自然日",
    Unit.DUTY_MINUTE: "值守分钟",
    Unit.DUTY_HOUR: "值守小时",
    Unit.WORKING_MINUTE: "工作分钟",
    Unit.WORKING_HOUR: "工作小时",
    Unit.WORKING_DAY: "个工作日",
}

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

EXTENSION = "extension"
"""Why a handling clock stops and starts again with a longer limit; no action of its own name."""

BECAUSE_NAMES: Mapping[str, str] = {
    **{action.value: name for action, name in NAME_OF.items()},
    EXTENSION: "延期",
}
"""Chinese for the reasons clocks start and stop. A reason not named here is shown as it is."""

_WEEKDAYS = "一二三四五六日"
_RUNS = {
    Family.CONTINUOUS: "连续计时，不分昼夜和节假日",
    Family.DUTY: "只计值守时段，节假日照计",
    Family.WORKING: "只计工作日的工作时段",
}


def limit_in_words(limit: Limit) -> str:
    """Such as 4值守小时, 2个工作日."""
    return f"{limit.amount}{UNIT_NAMES[limit.unit]}"


def explain(
    facts: Sequence[tuple[datetime, ClockStarted | ClockStopped]], calendar: Calendar
) -> list[str]:
    """How a due time came about, in Chinese, step by step and to the minute (Asia/Shanghai).

    `facts` are those of one clock of one round, in order, each with the moment it happened. Days
    are told under the step that set a due time; neighbouring days of one kind share a line.
    """
    lines: list[str] = []
    running: ClockStarted | None = None
    for at, fact in facts:
        if isinstance(fact, ClockStarted):
            lines += _explain_start(at, fact, calendar)
            running = fact
        else:
            lines.append(_explain_stop(at, fact, running, calendar))
    return lines


def _explain_start(at: datetime, fact: ClockStarted, calendar: Calendar) -> list[str]:
    kind = family(fact.limit.unit)
    allowed = micros(fact.limit, calendar)
    told = f"{_moment(at)} {_because(fact.because)}：{CLOCK_NAMES[fact.clock]}时限"
    told += limit_in_words(fact.limit)
    if fact.limit.unit is Unit.WORKING_DAY:
        told += f"（合{_length(allowed)}）"
    if fact.carried:
        told += f"，此前已用{_length(fact.carried)}"
        left = allowed - fact.carried
        told += f"，尚余{_length(left)}" if left > 0 else "，已无剩余"
    lines = [f"{told}；{_RUNS[kind]}。"]
    if at < fact.due_at:
        lines += _explain_days(kind, at, fact.due_at, calendar)
    provisional = "（所涉年度放假安排尚未公布，为暂定）" if fact.provisional else ""
    return [*lines, f"到期时间：{_moment(fact.due_at)}{provisional}。"]


class _Run(msgspec.Struct):
    """Neighbouring days told in one line."""

    what: str
    first: date
    last: date


def _explain_days(kind: Family, at: datetime, due_at: datetime, calendar: Calendar) -> list[str]:
    if kind is Family.CONTINUOUS:
        return [f"  {_moment(at)}至{_moment(due_at)}，计{_length(_between(at, due_at))}。"]
    whole = day_micros(kind, calendar)
    lines: list[str] = []
    for run in _runs(kind, at, due_at, calendar):
        days = (run.last - run.first).days + 1
        span = _on(run.first) if days == 1 else f"{_on(run.first)}至{_on(run.last)}"
        if run.what in (_WHOLE, _INSTEAD):
            instead = "调休上班，" if run.what == _INSTEAD else ""
            each = "全天" if days == 1 else f"共{days}天，"
            lines.append(f"  {span}：{instead}{each}计{_length(days * whole)}。")
        elif run.what == _PART:
            lines.append(f"  {span}：{_part(kind, run.first, (at, due_at), calendar)}。")
        else:
            lines.append(f"  {span}：{run.what}，不计。")
    return lines


_WHOLE, _INSTEAD, _PART = "whole", "instead", "part"


def _runs(kind: Family, at: datetime, due_at: datetime, calendar: Calendar) -> list[_Run]:
    """The days between, those alike and side by side in one run; a day in part stands alone."""
    runs: list[_Run] = []
    day = at.astimezone(SHANGHAI).date()
    while (opens := _midnight(day)) < due_at:
        counted = calendar.counted(kind, max(opens, at), min(opens + timedelta(days=1), due_at))
        what = _what(kind, day, counted, calendar)
        if runs and runs[-1].what == what != _PART:
            runs[-1].last = day
        else:
            runs.append(_Run(what, day, day))
        day += timedelta(days=1)
    return runs


def _what(kind: Family, day: date, counted: int, calendar: Calendar) -> str:
    if kind is Family.WORKING and not calendar.is_working_day(day):
        return calendar.holiday(day) or "周末"
    if counted != day_micros(kind, calendar):
        return _PART
    return _INSTEAD if kind is Family.WORKING and day.weekday() >= 5 else _WHOLE


def _part(kind: Family, day: date, between: tuple[datetime, datetime], calendar: Calendar) -> str:
    """The windows of that day as far as they lie between the two moments."""
    told = []
    counted = 0
    for opens, closes in calendar.duty if kind is Family.DUTY else calendar.working:
        ends = _midnight(day) + timedelta(microseconds=micros_of_day(closes) or DAY)
        begins = _midnight(day) + timedelta(microseconds=micros_of_day(opens))
        begins, ends = max(begins, between[0]), min(ends, between[1])
        if begins < ends:
            told.append(f"{_clock_time(begins)}–{_clock_time(ends, closing=True)}")
            counted += _between(begins, ends)
    return f"{'、'.join(told)}，计{_length(counted)}" if told else "时段已过，不计"


def _explain_stop(
    at: datetime, fact: ClockStopped, running: ClockStarted | None, calendar: Calendar
) -> str:
    told = f"{_moment(at)} {_because(fact.because)}：{'停止计时' if fact.final else '暂停计时'}"
    told += f"，累计用时{_length(fact.used)}"
    if fact.in_time:
        return f"{told}，在时限内。"
    over = fact.used - micros(running.limit, calendar) if running else 0
    return f"{told}，已超时{_length(over) if over > 0 else ''}。"


def _because(because: str) -> str:
    return BECAUSE_NAMES.get(because, because)


def _between(a: datetime, b: datetime) -> int:
    return (b - a) // timedelta(microseconds=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), SHANGHAI)


def _on(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日（周{_WEEKDAYS[day.weekday()]}）"


def _moment(at: datetime) -> str:
    local = at.astimezone(SHANGHAI)
    return f"{_on(local.date())}{local:%H:%M}"


def _clock_time(at: datetime, *, closing: bool = False) -> str:
    told = f"{at.astimezone(SHANGHAI):%H:%M}"
    return "24:00" if closing and told == "00:00" else told


def _length(length: int) -> str:
    """A length of time to the minute; what is shorter is said to be so."""
    hours, minutes = divmod(length // MINUTE, 60)
    told = (f"{hours}小时" if hours else "") + (f"{minutes}分钟" if minutes else "")
    return told or ("不足1分钟" if length else "0分钟")
