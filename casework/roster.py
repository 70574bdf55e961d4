"""The duty roster (值班表): who is on duty at which desk, from when to when. A stream of its own.

Who may write in it, and who is on duty at a moment. Knows account ids, no names; whether an
account exists and sits at the desk is for those to ask who know the accounts.
"""

from bisect import bisect_right, insort
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import reduce
from typing import NamedTuple, TypeAlias, assert_never

import msgspec

from casework import desks
from casework.errors import Missing, NothingPending, NotPermitted, when
from casework.lifecycle import ROLE_NAMES
from casework.model import Actor, Role

NAME = "编排值班"

BACKDATED = timedelta(minutes=5)
"""How far a duty may begin in the past: the time it takes to write it down, no more."""

LONGEST = timedelta(days=31)
"""A duty at most: a month's roster in one line. It also bounds how far a look has to go back."""

FURTHEST = timedelta(days=366)
"""How far ahead a duty may begin; what lies beyond is a slip of the pen."""


# Commands ------------------------------------------------------------------------------------


class AssignDuty(msgspec.Struct, frozen=True, kw_only=True):
    """排班: `begins` ≤ on duty < `ends`. Duties may overlap."""

    desk: str
    account: str
    begins: datetime
    ends: datetime


class RemoveDuty(msgspec.Struct, frozen=True, kw_only=True):
    """撤班: one that has begun ends now; who was on duty until then stays a fact."""

    number: int


Command: TypeAlias = AssignDuty | RemoveDuty


# Events --------------------------------------------------------------------------------------


class DutyAssigned(msgspec.Struct, frozen=True, kw_only=True):
    """`number` counts the duties of the roster from 1."""

    number: int
    desk: str
    account: str
    begins: datetime
    ends: datetime


class DutyRemoved(msgspec.Struct, frozen=True, kw_only=True):
    """The duty holds no longer from `until` on; if that is before it began, it never held."""

    number: int
    desk: str
    account: str
    begins: datetime
    until: datetime


Event: TypeAlias = DutyAssigned | DutyRemoved

STORED_AS: dict[str, type[Event]] = {
    "duty-assigned": DutyAssigned,
    "duty-removed": DutyRemoved,
}


# The roster ----------------------------------------------------------------------------------


class Duty(NamedTuple):
    """One line of the roster. First `begins`, for lines are kept in its order."""

    begins: datetime
    number: int
    ends: datetime
    account: str


class Roster(msgspec.Struct, frozen=True):
    """Every duty that was not taken back, by desk in the order of beginning; `count` ever made."""

    count: int = 0
    duties: dict[str, tuple[Duty, ...]] = {}

    def find(self, number: int) -> tuple[str, Duty] | None:
        """The duty of this number and its desk, or None."""
        for desk, lines in self.duties.items():
            for duty in lines:
                if duty.number == number:
                    return desk, duty
        return None


def on_duty(roster: Roster, desk: str, at: datetime) -> tuple[str, ...]:
    """The accounts on duty at a desk at a moment, whoever began first in front, each once.

    Empty where nobody is, or the desk is none. Looks at the duties of one LONGEST only.
    """
    return tuple(dict.fromkeys(duty.account for duty in duties_at(roster, desk, at)))


def duties_at(roster: Roster, desk: str, at: datetime) -> tuple[Duty, ...]:
    """The duties that hold at a moment, in the order of beginning."""
    return tuple(duty for duty in _begun(roster, desk, at) if duty.ends > at)


def duties_from(roster: Roster, desk: str, at: datetime) -> tuple[Duty, ...]:
    """The duties of a desk that hold at a moment or begin later, in the order of beginning."""
    lines = roster.duties.get(desk, ())
    return duties_at(roster, desk, at) + lines[bisect_right(lines, at, key=_begins) :]


def _begun(roster: Roster, desk: str, at: datetime) -> Sequence[Duty]:
    """The duties begun by then that may still last."""
    lines = roster.duties.get(desk, ())
    return lines[
        bisect_right(lines, at - LONGEST, key=_begins) : bisect_right(lines, at, key=_begins)
    ]


def _begins(duty: Duty) -> datetime:
    return duty.begins


def decide(roster: Roster, command: Command, by: Actor, now: datetime) -> list[Event]:
    """What follows, or a Refusal."""
    match command:
        case AssignDuty(desk=desk, account=account, begins=begins, ends=ends):
            require_editor(desk, by)
            _require_span(begins, ends, now)
            return [
                DutyAssigned(
                    number=roster.count + 1, desk=desk, account=account, begins=begins, ends=ends
                )
            ]
        case RemoveDuty(number=number):
            found = roster.find(number)
            if found is None or not may_see(found[0], by):
                raise NothingPending(NAME, "没有这一班，可能已经撤销。")
            desk, duty = found
            require_editor(desk, by)
            if duty.ends <= now:
                raise NothingPending(NAME, f"这一班已于{when(duty.ends)}结束，值班记录不能更改。")
            return [
                DutyRemoved(
                    number=number,
                    desk=desk,
                    account=duty.account,
                    begins=duty.begins,
                    until=now,
                )
            ]
        case _:
            assert_never(command)


def may_see(desk: str, by: Actor) -> bool:
    """Whether the actor reads the roster of this desk: a 街镇 only its own."""
    return by.holds(Role.SYSADMIN, Role.SUPERVISOR, Role.REVIEWER) or desks.sits_at(desk, by)


def may_edit(desk: str, by: Actor) -> bool:
    """Whether the actor writes the roster of this desk."""
    if by.holds(Role.SYSADMIN):
        return True
    street = desks.street_of(desk)
    if street is None:
        return by.holds(Role.SUPERVISOR)
    return by.holds(Role.STREET_LEAD) and by.street == street


def require_editor(desk: str, by: Actor) -> None:
    """Raises Missing where there is no such desk, NotPermitted for who may not write there."""
    if not desks.is_desk(desk):
        raise Missing("desk", "没有这个工作台。")
    if may_edit(desk, by):
        return
    own = ROLE_NAMES[Role.SUPERVISOR]
    if desks.street_of(desk) is not None:
        own = f"本街镇的{ROLE_NAMES[Role.STREET_LEAD]}"
    raise NotPermitted(NAME, (own, ROLE_NAMES[Role.SYSADMIN]))


def _require_span(begins: datetime, ends: datetime, now: datetime) -> None:
    if begins < now - BACKDATED:
        raise Missing("begins", "值班不能补排，开始时间最早为现在。")
    if begins > now + FURTHEST:
        raise Missing("begins", f"开始时间最远可排到{FURTHEST.days}天后。")
    if ends <= begins:
        raise Missing("ends", "结束时间须晚于开始时间。")
    if ends - begins > LONGEST:
        raise Missing("ends", f"一班最长{LONGEST.days}天。")


def evolve(roster: Roster, event: Event) -> Roster:
    """The roster after the event. Refuses nothing."""
    match event:
        case DutyAssigned(number=number, desk=desk):
            lines = list(roster.duties.get(desk, ()))
            insort(lines, Duty(event.begins, number, event.ends, event.account))
            return Roster(max(roster.count, number), {**roster.duties, desk: tuple(lines)})
        case DutyRemoved(number=number, desk=desk, until=until):
            lines = [
                duty._replace(ends=min(duty.ends, until)) if duty.number == number else duty
                for duty in roster.duties.get(desk, ())
                if duty.number != number or duty.begins < until
            ]
            return Roster(roster.count, {**roster.duties, desk: tuple(lines)})
        case _:
            assert_never(event)


def fold(history: Sequence[Event]) -> Roster:
    """The roster after these events."""
    return reduce(evolve, history, Roster())
