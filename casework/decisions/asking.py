"""What every decision has in hand: the case, the moment, the actor and the rules that hold."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from casework import clocks, special_periods
from casework.commands import Command, Words
from casework.errors import (
    ConflictOfInterest,
    Missing,
    NotAllowed,
    NothingPending,
    NotPermitted,
    NotYours,
)
from casework.lifecycle import LABELS, NAME_OF, ROLE_NAMES, ROWS_OF, Action, Relation, Row, Status
from casework.model import Actor, Clock, ClockStarted, ClockStopped, Limit, Sealed, Skip
from casework.reference import Rules
from casework.special_periods import SpecialPeriods
from casework.state import ANSWERS, Case, allowed, asked_by, row_for, stands_to

KEPT = frozenset({Clock.NOTE, Clock.APPEAL})
"""Clocks that a change of stage does not end: an instruction and an appeal outlive it."""

KEPT_AT_THE_END = frozenset({Clock.APPEAL})
"""Where nobody has a move any more, an instruction waits until the case comes back to life."""


class Asking(NamedTuple):
    """A command's circumstances.

    `rules` are those that hold for this case: frozen at 立案, until then the current ones.
    `current` are those in force now, by which codes and indicators are judged.
    `settled` are `rules` with the years of the calendar that were published since; None: none was.
    `special` are the 特殊时段 declared by now.
    """

    case_id: UUID
    given: Case | None
    at: datetime
    by: Actor
    rules: Rules
    current: Rules
    others: Mapping[UUID, Case] = {}
    settled: Rules | None = None
    special: SpecialPeriods = ()

    @property
    def case(self) -> Case:
        assert self.given is not None, "only submit asks about nothing"
        return self.given

    # clocks --------------------------------------------------------------------------

    def start(
        self,
        clock: Clock,
        because: str,
        limit: Limit | None = None,
        carried: int = 0,
        since: datetime | None = None,
    ) -> ClockStarted:
        """The clock as it would run from now, with its own step limit unless another is given.

        `since` is an earlier moment from which it runs, where what starts it comes late.
        """
        allowed_time = limit or self.rules.step(clock)
        begins = since or self.at
        fact = clocks.start(clock, allowed_time, begins, self.rules.calendar, because, carried)
        return self._begun(fact, begins)

    def _begun(self, fact: ClockStarted, begins: datetime) -> ClockStarted:
        """The clock with the moments that lie before the fact: what it goes on from, if it does."""
        before = self.given.timers.get(fact.clock) if self.given and fact.carried else None
        return replace(
            fact,
            since=None if begins == self.at else begins,
            began_at=before.began if before else None,
        )

    def start_handling(
        self,
        because: str,
        limit: Limit,
        *,
        street: str,
        indicator: str,
        carried: int = 0,
        spans: Iterable[tuple[datetime, datetime]] = (),
        plain: Limit | None = None,
        since: datetime | None = None,
    ) -> ClockStarted:
        """The handling clock from now, or `since`, past the 特殊时段 that hold for the case.

        `plain` is the limit that would hold without any, where it differs; `spans` are the
        stretches handled so far, by which that other due time is told.
        """
        begins, calendar = since or self.at, self.rules.calendar
        skips = self.skips(street, indicator)
        fact = clocks.start(Clock.HANDLING, limit, begins, calendar, because, carried, skips)
        fact = self._begun(fact, begins)
        if not skips and plain is None:
            return fact
        kind = clocks.family((plain or limit).unit)
        used = sum(calendar.counted(kind, first, last) for first, last in spans)
        whole = clocks.micros(plain or limit, calendar)
        due_at, _ = calendar.after(kind, begins, whole - used)
        if due_at == fact.due_at:
            return replace(fact, plain_limit=plain)
        return replace(fact, plain_limit=plain, plain_due_at=due_at)

    def skips(self, street: str, indicator: str) -> tuple[Skip, ...]:
        """What 特殊时段 take out of the handling time there, in order and apart."""
        if not self.special:
            return ()
        return clocks.apart(special_periods.skips(self.special, street, indicator))

    def handled(self) -> tuple[tuple[datetime, datetime], ...]:
        """Stretches that count as handling since the dispatch, the one that runs up to now."""
        running = self.case.clocks.get(Clock.HANDLING)
        last = () if running is None else ((running.since, self.at),)
        return (*self.case.spans, *last)

    def stop(
        self, clock: Clock, because: str, *, final: bool = True, at: datetime | None = None
    ) -> tuple[ClockStopped, ...]:
        """The clock stopped now, or at an earlier moment; nothing if it does not run."""
        running = self.case.clocks.get(clock)
        if running is None:
            return ()
        moment, calendar = at or self.at, self.rules.calendar
        return (clocks.stop(running.fact, running.since, moment, calendar, because, final=final),)

    def stop_all(
        self, because: str, keep: frozenset[Clock] = KEPT, paused: frozenset[Clock] = frozenset()
    ) -> tuple[ClockStopped, ...]:
        """Every running clock stopped but those kept; those paused may run on later."""
        paused |= {Clock.NOTE}
        return tuple(
            stopped
            for clock in self.case.clocks
            if clock not in keep
            for stopped in self.stop(clock, because, final=clock not in paused)
        )

    def still_noted(self, because: str) -> tuple[ClockStarted, ...]:
        """The clock of an unanswered instruction, if it waited while the case had ended."""
        if not self.case.open_notes or Clock.NOTE in self.case.clocks:
            return ()
        return (self.start(Clock.NOTE, because, carried=self.case.used(Clock.NOTE)),)

    # guards --------------------------------------------------------------------------

    def code(self, code: str, family: str, words: Words | None) -> str:
        """The code, if it is in force in its family and its words suffice.

        Raises:
            UnknownCode: it is not.
            Missing: `…99 其他` without the words it asks for.

        """
        reason = self.current.code(code, family)
        if (words.length if words else 0) < reason.words:
            raise Missing("words", f"选择「{reason.text}」时请写明原因，至少{reason.words}个字。")
        return code

    def never_asked(self, action: Action, request: Action) -> None:
        """Nobody grants or confirms what they themselves asked for (section 2)."""
        if self.case.pending[request].by == self.by.id:
            raise ConflictOfInterest(NAME_OF[action], "申请由您提出")

    def never_own(self, action: Action) -> None:
        """Nobody verifies or closes what their own 街镇 handled or they entered (section 2)."""
        name = NAME_OF[action]
        if self.by.street is not None and self.by.street in self.case.handled_by:
            raise ConflictOfInterest(name, "案件由您所在街镇处置")
        if self.case.entered_by == self.by.id:
            raise ConflictOfInterest(name, "案件由您代为录入")


def require(asking: Asking, action: Action) -> Row:
    """The row of the table by which this action may be taken, or the refusal.

    Role and relation are asked before the status, so that a stranger learns nothing of it.

    Raises:
        NotPermitted, NotYours, ConflictOfInterest, NotAllowed, NothingPending, Missing.

    """
    case, by = asking.given, asking.by
    status = case.status if case else Status.NEW
    rows = ROWS_OF[action]
    held = [row for row in rows if by.holds(*row.by)]
    name = NAME_OF[action]
    if not held:
        needs = dict.fromkeys(ROLE_NAMES[role] for row in rows for role in row.by)
        raise NotPermitted(name, tuple(needs))
    if not any(stands_to(case, by, row) for row in held):
        raise _stranger(name, held[0].relation)
    row = row_for(status, action)
    if row is None:
        raise _not_allowed(action, case, by)
    if row not in held:
        raise NotPermitted(name, tuple(ROLE_NAMES[role] for role in row.by))
    if not stands_to(case, by, row):
        raise _stranger(name, row.relation)
    if case is not None and action in ANSWERS and asked_by(case, action) is None:
        raise NothingPending(name, f"没有待决的申请，不能「{name}」。")
    return row


def _not_allowed(action: Action, case: Case | None, by: Actor) -> NotAllowed:
    """The refusal of the table, with what this actor may do instead."""
    status = case.status if case else Status.NEW
    possible = allowed(case, by) if case else [Action.SUBMIT]
    return NotAllowed(NAME_OF[action], LABELS[status].staff, tuple(NAME_OF[a] for a in possible))


def _stranger(name: str, relation: Relation) -> Exception:
    if relation is Relation.NOT_REPORTER:
        return Missing("person", "您已经是这个案件的反映人，可以直接追加信息。")
    if relation is Relation.OTHER_STREET:
        return ConflictOfInterest(name, "案件由您所在街镇处置")
    return NotYours(name)


_UNSAID: dict[str, str] = {
    "reply": "请写给市民的答复。",
    "question": "请写明要市民补充什么。",
    "findings": "请填写现场发现的情况。",
    "reason": "请写明理由。",
}


def require_said(command: Command) -> None:
    """Refuse words without a character: whoever need say nothing leaves them away.

    Raises:
        Missing: with the name of the field.

    """
    for name in command.__struct_fields__:
        value = getattr(command, name)
        if isinstance(value, Words) and value.length == 0:
            raise Missing(name, _UNSAID.get(name, "请填写说明。"))


def sealed(words: Words | None) -> Sealed | None:
    """The sealed text of optional words."""
    return words.sealed if words else None
