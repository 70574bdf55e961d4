"""试算 of open cases: whose due times a change would move, before anybody confirms it.

By the very rules that would move them once it holds (casework/decisions/clockwork.py), each case
read from the log; which cases it could touch is asked of the due index. Changes nothing.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from api.configuring import ProposedChange, in_words
from api.parts import Parts
from api.shown import indicator_name, street_name
from api.trial_schemas import OpenLineOut, OpenMoveOut, OpenTrialOut
from casework import proposals, special_periods
from casework.application import Loaded
from casework.clock_words import CLOCK_NAMES
from casework.errors import Missing, NothingPending
from casework.proposals import Change
from casework.reference import PublishYear, References, SetWindows
from casework.special_periods import DeclareSpecialPeriod, MoveSpecialPeriodEnd
from projections import due
from projections.due import RunningClock
from projections.tables import reading

MOST_OPEN = 5_000
"""Open cases that a request looks at: each is read from the log, some seconds in all."""

MOST_NAMED = 200
"""Cases named in the answer; the totals tell how many there are."""

_HOW_CALENDAR = (
    "已立案的案件按立案时冻结的日历计时，新公布的年度只确定原来“暂定”的到期时间；"
    "改动时段和更正已公布的年度不影响在办案件。"
)
_HOW_SPECIAL = (
    "正在计时的处置按时段重算：暂停计时的顺延，改用时限的只在更宽时改用（以时段开始时仍在办计）。"
    "挂账、待核查的案件恢复处置后再按时段计算，不在此列。"
)

Touching = PublishYear | SetWindows | DeclareSpecialPeriod | MoveSpecialPeriodEnd
"""Changes that can move the due time of an open case."""


def of_change(parts: Parts, proposed: ProposedChange, now: datetime) -> OpenTrialOut:
    """What a change that waits would do. Raises NothingPending where it is decided already."""
    if proposed.state != "open":
        raise NothingPending("试算", "这项变更已有结论，没有待确认的内容可试算。")
    return open_trial(parts, touching(proposed.change), proposed.proposed_at, now)


def touching(change: Change) -> Touching:
    """The change, if it can move open cases. Raises Missing."""
    if not isinstance(change, Touching):
        raise Missing("change", f"「{in_words(change)}」不影响在办案件，无须试算。")
    return change


def open_trial(parts: Parts, change: Touching, asked_at: datetime, now: datetime) -> OpenTrialOut:
    """Whose due times it would move. `asked_at` is when it was proposed, or now.

    Raises:
        Refusal: the stream that it changes would refuse it; more than MOST_OPEN cases.

    """
    references = parts.casework.references
    grown = references.grown(*proposals.changes_of(change, references, asked_at))
    at = max(now, _from(change, grown))
    found = _Found()
    for case_id in _candidates(parts, change, grown):
        loaded = parts.casework.load(case_id)
        if loaded is not None:
            found.look(parts, loaded, grown, at)
    return OpenTrialOut(
        says=in_words(change),
        at=at,
        looked_at=sum(found.cases.values()),
        moved_total=len(found.moved),
        lines=tuple(found.lines(parts)),
        moved=tuple(sorted(found.moved, key=lambda one: (one.due_at, one.number))[:MOST_NAMED]),
        how=_HOW_CALENDAR if isinstance(change, PublishYear | SetWindows) else _HOW_SPECIAL,
    )


def _from(change: Touching, grown: References) -> datetime:
    """When it would come over open cases."""
    match change:
        case PublishYear() | SetWindows():
            return change.effective_from
        case DeclareSpecialPeriod(limit=limit, first=first) if limit is not None:
            return max(first, grown.special[-1].effective_from)
        case DeclareSpecialPeriod() | MoveSpecialPeriodEnd():
            return grown.special[-1].effective_from


def _candidates(parts: Parts, change: Touching, grown: References) -> list[UUID]:
    """The open cases that it could touch: by the due index, each once."""
    question: Callable[[Connection], list[RunningClock]]
    match change:
        case PublishYear() | SetWindows():

            def question(connection: Connection) -> list[RunningClock]:
                return due.provisional(connection, 0, MOST_OPEN + 1)

        case DeclareSpecialPeriod() | MoveSpecialPeriodEnd():
            periods = special_periods.fold(grown.special)
            number = change.number if isinstance(change, MoveSpecialPeriodEnd) else len(periods)
            (period,) = (each for each in periods if each.number == number)

            def question(connection: Connection) -> list[RunningClock]:
                return due.handled(connection, period.streets, period.indicators, 0, MOST_OPEN + 1)

    with reading(parts.feed.readers.engine) as connection:
        clocks = question(connection)
    if len(clocks) > MOST_OPEN:
        raise Missing("streets", f"在办案件超过{MOST_OPEN:,}件，请限定街镇或指标后再试算。")
    return list(dict.fromkeys(clock.case_id for clock in clocks))


class _Found:
    """What was found: cases by 街镇 and indicator, those that would be due later or earlier."""

    def __init__(self) -> None:
        self.cases: Counter[tuple[str | None, str | None]] = Counter()
        self.later: Counter[tuple[str | None, str | None]] = Counter()
        self.earlier: Counter[tuple[str | None, str | None]] = Counter()
        self.moved: list[OpenMoveOut] = []

    def look(self, parts: Parts, loaded: Loaded, grown: References, at: datetime) -> None:
        case = loaded.case
        key = case.street, case.indicator
        self.cases[key] += 1
        for started in parts.casework.under(loaded, grown, at):
            before = case.clocks[started.clock].fact.due_at
            if started.due_at == before:
                continue
            (self.later if started.due_at > before else self.earlier)[key] += 1
            self.moved.append(
                OpenMoveOut(
                    case_id=loaded.case_id,
                    number=case.number,
                    street=case.street,
                    street_name=street_name(parts, case.street),
                    indicator=case.indicator,
                    indicator_name=indicator_name(parts, case.indicator),
                    clock=started.clock,
                    clock_name=CLOCK_NAMES[started.clock],
                    due_at=before,
                    would_be_due_at=started.due_at,
                    provisional=started.provisional,
                )
            )

    def lines(self, parts: Parts) -> list[OpenLineOut]:
        """One for each 街镇 and indicator, in order of their codes."""
        return [
            OpenLineOut(
                street=street,
                street_name=street_name(parts, street),
                indicator=indicator,
                indicator_name=indicator_name(parts, indicator),
                cases=self.cases[street, indicator],
                later=self.later[street, indicator],
                earlier=self.earlier[street, indicator],
            )
            for street, indicator in sorted(
                self.cases, key=lambda key: (key[0] or "", key[1] or "")
            )
        ]
