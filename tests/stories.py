"""Little stories of a case in a clerk's words, told through the real rules: given, when, then.

A story is steps joined by →. A step begins with a time in Haidian ("03-02 09:00", a bare "10:30" is
the same day, "2027-01-04 09:00" another year than 2026) or without one happens at once; then come
an act (派遣P04-1, 挂账至03-10, 返工R01 …) or a check (到期03-03 09:00, 已用2小时 …). An act that
is to be refused says why after ✗. Before every timed step the clock does what it owes, as at the
door; what a step does at 09:59 after another at 10:00 happens at 10:00, as in the log.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime

from casework import commands as ask
from casework import special_periods, timers
from casework.case import decide, evolve
from casework.clock_words import CLOCK_NAMES, UNIT_NAMES, length_in_words
from casework.clocks import SHANGHAI, CalendarYear, Holiday
from casework.errors import Refusal
from casework.lifecycle import LABELS
from casework.model import CLOCK, Actor, Clock, ClockStarted, Limit, Outcome, Solved, StreetCode
from casework.owed import owed
from casework.reference import CalendarYearPublished
from casework.special_periods import OCCASIONS, DeclareSpecialPeriod, MoveSpecialPeriodEnd
from casework.state import Case
from tests.history import (
    CHECKER,
    CITIZEN,
    HAIDIAN,
    INSIDE,
    INSIDE_012,
    LEAD,
    OTHER_LEAD,
    OTHER_STREET,
    PHOTO,
    REFERENCES,
    REVIEWER,
    REVIEWER_2,
    STREET,
    SUPERVISOR,
    SUPERVISOR_2,
    ZHONGGUANCUN,
    Told,
    a_submission,
    asking_of,
    rules_of,
    words,
)

_TIME = re.compile(r"^(?:(?:(\d{4})-)?(\d\d-\d\d) )?(\d\d:\d\d(?::\d\d)?)\s*")
_LIMIT = re.compile(rf"(\d+)({'|'.join(sorted(UNIT_NAMES.values(), key=len, reverse=True))})")
_UNITS = {name: unit for unit, name in UNIT_NAMES.items()}
_CLOCKS = {name: clock for clock, name in CLOCK_NAMES.items()}
_OCCASIONS = {name: occasion for occasion, name in OCCASIONS.items()}
_STREETS = {"中关村": ZHONGGUANCUN, "海淀": HAIDIAN}

NOTICE_2027 = CalendarYear(
    2027,
    (Holiday("元旦", date(2027, 1, 1), date(2027, 1, 3)),),
    (date(2027, 1, 9),),
    "试用的通知",
)
"""A notice that is not out yet when these stories are told."""


def limit_of(text: str) -> Limit:
    """Such as 4值守时."""
    found = _LIMIT.fullmatch(text)
    assert found, f"no limit: {text}"
    return Limit(int(found[1]), _UNITS[found[2]])


class Clerk:
    """One case, told step by step."""

    def __init__(self) -> None:
        self.references = REFERENCES
        self.case: Case | None = None
        self.history: list[Told] = []
        self.now = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)

    def tells(self, story: str) -> "Clerk":
        for step in story.split("→"):
            self._step(step.strip())
        return self

    def _step(self, step: str) -> None:
        text = step
        if found := _TIME.match(step):
            self.now = self._moment(step[: found.end()].strip())
            text = step[found.end() :]
            self.catch_up()
        text, refused, why = text.strip().partition("✗")
        text = text.strip()
        for name in sorted((*_ACTS, *_CHECKS, *_CHANGES), key=len, reverse=True):
            if text.startswith(name):
                rest = text.removeprefix(name).strip()
                break
        else:
            assert not text, f"nobody knows how to: {step}"
            return
        if name in _CHECKS:
            _CHECKS[name](self, rest)
            return
        expected = why.strip() if refused else None
        if name in _ACTS:
            *before, last = _ACTS[name](self, rest)
            for command, by in before:
                self._happen(command, by)
            self._try(lambda: self._happen(*last), expected)
        else:
            self._try(lambda: _CHANGES[name](self, rest), expected)

    def _moment(self, text: str) -> datetime:
        found = _TIME.fullmatch(text)
        assert found, f"no time: {text}"
        local = self.now.astimezone(SHANGHAI)
        year, day = found[1] or (2026 if found[2] else local.year), found[2] or f"{local:%m-%d}"
        read = datetime.fromisoformat(f"{year}-{day} {found[3]}")
        return read.replace(tzinfo=SHANGHAI).astimezone(UTC)

    @property
    def at(self) -> datetime:
        """Never before the last fact."""
        return max(self.now, self.case.last_at) if self.case else self.now

    def catch_up(self) -> None:
        for _ in range(4):
            asking = asking_of(self.case, self.at, CLOCK, references=self.references)
            debt = owed(asking)
            if debt is None:
                return
            self._happen(debt.command, CLOCK)
        raise AssertionError("the clock never stops owing")

    def _try(self, act: Callable[[], None], why: str | None) -> None:
        """It happens; or, where a reason is expected, it is refused for it and changes nothing."""
        if why is None:
            act()
            return
        was = self.case, self.references
        try:
            act()
        except Refusal as refusal:
            assert why in str(refusal), str(refusal)  # noqa: PT017  (what it says is the point)
        else:
            raise AssertionError(f"not refused: {why}")
        assert (self.case, self.references) == was

    def _happen(self, command: ask.Command, by: Actor) -> None:
        at = self.at
        asking = asking_of(self.case, at, by, references=self.references)
        for event in decide(asking, command):
            assert not isinstance(event, tuple)
            self.history.append(Told(event, at, by))
            self.case = evolve(self.case, event, at, by)

    @property
    def told(self) -> Case:
        assert self.case is not None, "nothing was reported"
        return self.case

    def fact(self, clock: Clock) -> ClockStarted:
        running = self.told.clocks.get(clock)
        assert running is not None, f"{CLOCK_NAMES[clock]} does not run"
        return running.fact

    def reading(self, clock: Clock) -> timers.Reading:
        calendar = rules_of(self.case, self.at, self.references).calendar
        return timers.read(clock, self.told.timers[clock], self.at, calendar)


# Acts ----------------------------------------------------------------------------------------

_Acts = Callable[[Clerk, str], list[tuple[ask.Command, Actor]]]
W = words()


def _street(clerk: Clerk) -> Actor:
    return OTHER_STREET if clerk.told.street == HAIDIAN else STREET


def _lead(clerk: Clerk) -> Actor:
    return OTHER_LEAD if clerk.told.street == HAIDIAN else LEAD


def _dispatching(clerk: Clerk, rest: str) -> list[tuple[ask.Command, Actor]]:
    """派遣P04-1 from nothing, or 派遣到海淀 of a case that waits for it."""
    if clerk.case is None:
        register = ask.Register(indicator=rest[:3], condition=rest, proposal=INSIDE)
        return [(a_submission(), CITIZEN), (register, REVIEWER)]
    to: StreetCode = _STREETS[rest.removeprefix("到")]
    proposal = INSIDE_012 if to == HAIDIAN else INSIDE
    return [(ask.Dispatch(street=to, proposal=proposal, reason=W), REVIEWER)]


def _suspending(clerk: Clerk, rest: str) -> list[tuple[ask.Command, Actor]]:
    day = date.fromisoformat(rest if rest[:2] == "20" else f"2026-{rest}")
    ask_for = ask.RequestSuspension(code="S01", resume_on=day, words=W)
    return [(ask_for, _lead(clerk)), (ask.GrantSuspension(), SUPERVISOR)]


def _extension(clerk: Clerk, rest: str) -> tuple[ask.Command, Actor]:
    return ask.RequestExtension(code="E01", by=limit_of(rest)), _street(clerk)


def _rated(rest: str) -> list[tuple[ask.Command, Actor]]:
    solved = Solved.NO if rest == "未解决" else Solved.YES
    return [(ask.Rate(solved=solved, satisfaction=3, efficiency=3), CITIZEN)]


_ACTS: dict[str, _Acts] = {
    "上报险情": lambda c, r: [(a_submission(danger=("火情",)), CITIZEN)],
    "上报": lambda c, r: [(a_submission(), CITIZEN)],
    "要求补充": lambda c, r: [(ask.RequestInformation(code="Q01", question=W), REVIEWER)],
    "市民补充": lambda c, r: [(ask.SupplyInformation(text=W), CITIZEN)],
    "不予受理": lambda c, r: [(ask.Refuse(code="N03", words=W), REVIEWER)],
    "异议": lambda c, r: [(ask.Object(words=W), CITIZEN)],
    "立案": lambda c, r: [(ask.Register(indicator=r[:3], condition=r), REVIEWER)],
    "申请撤销立案": lambda c, r: [(ask.RevokeRegistration(code="X01", words=W), REVIEWER)],
    "派遣": _dispatching,
    "撤回派遣": lambda c, r: [(ask.Recall(reason=W), REVIEWER)],
    "签收": lambda c, r: [(ask.Acknowledge(), _street(c))],
    "申请退回": lambda c, r: [(ask.RequestReturn(code="T01"), _street(c))],
    "同意退回": lambda c, r: [(ask.AcceptReturn(), REVIEWER)],
    "驳回退回": lambda c, r: [(ask.RejectReturn(code="TR1"), REVIEWER)],
    "提请协调": lambda c, r: [(ask.RequestCoordination(code="K01"), _street(c))],
    "申请延期": lambda c, r: [_extension(c, r)],
    "同意延期": lambda c, r: [(ask.GrantExtension(), SUPERVISOR)],
    "拒绝延期": lambda c, r: [(ask.DenyExtension(words=W), SUPERVISOR)],
    "延期": lambda c, r: [_extension(c, r), (ask.GrantExtension(), SUPERVISOR)],
    "申请挂账至": lambda c, r: _suspending(c, r)[:1],
    "不说理由申请挂账至": lambda c, r: [
        (
            ask.RequestSuspension(code="S01", resume_on=date.fromisoformat(f"2026-{r}")),
            _lead(c),
        )
    ],
    "同意挂账": lambda c, r: [(ask.GrantSuspension(), SUPERVISOR)],
    "拒绝挂账": lambda c, r: [(ask.DenySuspension(words=W), SUPERVISOR)],
    "挂账至": _suspending,
    "街镇恢复": lambda c, r: [(ask.Resume(), _lead(c))],
    "改类为": lambda c, r: [(ask.Reclassify(indicator=r[:3], condition=r, reason=W), SUPERVISOR)],
    "整改": lambda c, r: [
        (ask.Rectify(outcome=Outcome.RECTIFIED, photos=(PHOTO,), words=W), _street(c))
    ],
    "要求现场核查": lambda c, r: [(ask.RequestSiteCheck(words=W), REVIEWER)],
    "核查员反馈": lambda c, r: [(ask.ReportSiteCheck(findings=W), CHECKER)],
    "返工": lambda c, r: [(ask.OrderRework(code=r, words=W), REVIEWER)],
    "结案": lambda c, r: [(ask.Close(standard_met=True, reply=W), REVIEWER)],
    "送达": lambda c, r: [(ask.Notify(person=c.told.own_reporters[0], channel="sms"), CLOCK)],
    "评价": lambda c, r: _rated(r),
    "维持结案": lambda c, r: [(ask.Uphold(code="V01", words=W), REVIEWER_2)],
    "重办": lambda c, r: [(ask.Reopen(code="V11", words=W), REVIEWER_2)],
    "申请强制结案": lambda c, r: [(ask.RequestForceClose(code="F01", words=W), SUPERVISOR)],
    "确认强制结案": lambda c, r: [(ask.ConfirmForceClose(), SUPERVISOR_2)],
    "申诉成立": lambda c, r: [(ask.UpholdAppeal(), SUPERVISOR)],
    "申诉": lambda c, r: [(ask.Appeal(code="A03", words=W), _lead(c))],
    "督办": lambda c, r: [(ask.Note(words=W), SUPERVISOR)],
    "答复督办": lambda c, r: [(ask.AnswerNote(note=1, words=W), _street(c))],
}


# What happens around the case ----------------------------------------------------------------


def _declare(clerk: Clerk, rest: str) -> None:
    """宣布汛期07-01 08:00至07-02 08:00，限海淀，限P04，时限8值守时."""
    when, *terms = rest.split("，")
    name = next(name for name in _OCCASIONS if when.startswith(name))
    first, last = when.removeprefix(name).split("至")
    only = [term.removeprefix("限") for term in terms if term.startswith("限")]
    limits = [limit_of(t.removeprefix("时限")) for t in terms if t.startswith("时限")]
    command = DeclareSpecialPeriod(
        occasion=_OCCASIONS[name],
        first=clerk._moment(first.strip()),
        last=clerk._moment(last.strip()),
        grounds="试用的通知",
        streets=tuple(str(_STREETS[term]) for term in only if term in _STREETS),
        indicators=tuple(term for term in only if term not in _STREETS),
        limit=limits[0] if limits else None,
    )
    news = special_periods.decide(clerk.references.special, command, clerk.now)
    clerk.references = clerk.references.grown(special=news)


def _move(clerk: Clerk, rest: str) -> None:
    """改期1号至07-01 12:00."""
    number, last = rest.split("号至")
    command = MoveSpecialPeriodEnd(
        number=int(number), last=clerk._moment(last.strip()), grounds="试用的通知"
    )
    news = special_periods.decide(clerk.references.special, command, clerk.now)
    clerk.references = clerk.references.grown(special=news)


def _publish(clerk: Clerk, rest: str) -> None:
    assert rest == "2027年放假安排"
    news = CalendarYearPublished(year=NOTICE_2027, effective_from=clerk.now)
    clerk.references = clerk.references.grown(calendar=[news])


_CHANGES: dict[str, Callable[[Clerk, str], None]] = {
    "宣布": _declare,
    "改期": _move,
    "公布": _publish,
}


# Checks --------------------------------------------------------------------------------------


def _due(clock: Clock) -> Callable[[Clerk, str], None]:
    def check(clerk: Clerk, rest: str) -> None:
        told = clerk.fact(clock).due_at.astimezone(SHANGHAI)
        assert told == clerk._moment(rest), f"{CLOCK_NAMES[clock]} is due {told}, not {rest}"

    return check


def _mark(percent: int) -> Callable[[Clerk, str], None]:
    def check(clerk: Clerk, rest: str) -> None:
        told = clerk.fact(Clock.HANDLING).reached_at(percent)
        assert told == clerk._moment(rest), f"{percent}% is {told}, not {rest}"

    return check


def _is(told: object, expected: object) -> None:
    assert told == expected, f"{told}, not {expected}"


def _without(clerk: Clerk, rest: str) -> None:
    fact = clerk.fact(Clock.HANDLING)
    told = fact.plain_due_at or fact.due_at
    assert told == clerk._moment(rest), f"without it due {told}, not {rest}"


def _length(of: Callable[[timers.Reading], int]) -> Callable[[Clerk, str], None]:
    return lambda c, r: _is(length_in_words(of(c.reading(Clock.HANDLING))), r)


def _plainly(clerk: Clerk, rest: str) -> None:
    provisional = {r.fact.clock for r in clerk.told.clocks.values() if r.fact.provisional}
    assert _CLOCKS[rest] not in provisional, f"{rest} is provisional"


_CHECKS: dict[str, Callable[[Clerk, str], None]] = {
    **{f"{name}到期": _due(clock) for name, clock in _CLOCKS.items()},
    "到期": _due(Clock.HANDLING),
    "若无特殊时段": _without,
    "75%在": _mark(75),
    "150%在": _mark(150),
    "200%在": _mark(200),
    "已用": _length(lambda reading: reading.used),
    "尚余": _length(lambda reading: reading.remaining),
    "暂停至": lambda c, r: _is(c.reading(Clock.HANDLING).runs_again_at, c._moment(r)),
    "在时限内": lambda c, r: _is(c.reading(Clock.HANDLING).in_time, True),
    "已超时": lambda c, r: _is(c.reading(Clock.HANDLING).in_time, False),
    "处置时限": lambda c, r: _is(c.told.total_limit, limit_of(r)),
    "暂定": lambda c, r: _is(c.fact(_CLOCKS[r]).provisional, True),
    "确定": _plainly,
    "不再计时": lambda c, r: _is(_CLOCKS[r] in c.told.clocks, False),
    "状态": lambda c, r: _is(LABELS[c.told.status].staff, r),
}
