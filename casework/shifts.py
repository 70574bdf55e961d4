"""Hand-over between shifts (交接班): one signs what is left, another takes it over.

A stream a desk. What is left is frozen in the fact as the outgoing person saw it. Knows no view, no
account and no clock; the words are masked before they come here.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import reduce
from typing import TypeAlias, assert_never

import msgspec

from casework import desks
from casework.errors import ConflictOfInterest, Missing, NothingPending, NotPermitted
from casework.lifecycle import ROLE_NAMES
from casework.model import Actor, Clock, Role

NAME = "交接班"

NEAR_DUE = timedelta(hours=4)
"""What the next shift must look at first: half a shift, and the commonest limit of the samples."""

MOST_LISTED = 100
"""Cases a summary names; it counts them all. Some eight kilobytes of a fact."""

MOST_WORDS = 500
"""Characters of words: a remark, not a report."""


# What is handed over -------------------------------------------------------------------------


class Item(msgspec.Struct, frozen=True):
    """A case that presses: its number, the clock that does, and when that is due."""

    number: str
    clock: Clock
    due_at: datetime


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What stood on the desk at a moment: counts, and the items that press, the first due first.

    `open` are cases at the desk; `near_due` and `overdue` clocks of the desk due within NEAR_DUE,
    or before; `pending` requests without an answer; `notes` cases with a 督办 note unanswered.
    `left_out` items are counted and not named.
    """

    at: datetime
    open: int
    near_due: int
    overdue: int
    pending: int
    notes: int
    items: tuple[Item, ...] = ()
    left_out: int = 0


# Commands ------------------------------------------------------------------------------------


class HandOver(msgspec.Struct, frozen=True, kw_only=True):
    """交班. `words` are masked already."""

    summary: Summary
    words: str = ""


class TakeOver(msgspec.Struct, frozen=True, kw_only=True):
    """接班: the second signature."""

    number: int


class Decline(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    words: str


class Withdraw(msgspec.Struct, frozen=True, kw_only=True):
    number: int


Command: TypeAlias = HandOver | TakeOver | Decline | Withdraw


# Events --------------------------------------------------------------------------------------


class ShiftHandedOver(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`number` counts the hand-overs of the desk from 1."""

    number: int
    desk: str
    handed_over_by: str
    summary: Summary
    words: str = ""


class ShiftTakenOver(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    taken_over_by: str


class ShiftDeclined(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    declined_by: str
    words: str


class ShiftWithdrawn(msgspec.Struct, frozen=True, kw_only=True):
    number: int


Event: TypeAlias = ShiftHandedOver | ShiftTakenOver | ShiftDeclined | ShiftWithdrawn

STORED_AS: dict[str, type[Event]] = {
    "shift-handed-over": ShiftHandedOver,
    "shift-taken-over": ShiftTakenOver,
    "shift-declined": ShiftDeclined,
    "shift-withdrawn": ShiftWithdrawn,
}


# The desk ------------------------------------------------------------------------------------


class Shifts(msgspec.Struct, frozen=True):
    """How many hand-overs a desk has seen, and who made those that wait for an answer."""

    count: int = 0
    waiting: dict[int, str] = {}


def decide(shifts: Shifts, desk: str, command: Command, by: Actor) -> list[Event]:
    """What follows at this desk, or a Refusal."""
    _require_seat(desk, by)
    match command:
        case HandOver(summary=summary, words=words):
            if by.id in shifts.waiting.values():
                raise NothingPending(NAME, "您已交班，正等待接班；如有变化请先撤回再重新交班。")
            _require_length(words)
            if len(summary.items) > MOST_LISTED:
                raise Missing("summary", f"交班清单最多列出{MOST_LISTED}件。")
            return [
                ShiftHandedOver(
                    number=shifts.count + 1,
                    desk=desk,
                    handed_over_by=by.id,
                    summary=summary,
                    words=words,
                )
            ]
        case TakeOver(number=number):
            _require_another(shifts, number, by)
            return [ShiftTakenOver(number=number, taken_over_by=by.id)]
        case Decline(number=number, words=words):
            _require_another(shifts, number, by)
            if not words.strip():
                raise Missing("words", "请写明不接班的原因。")
            _require_length(words)
            return [ShiftDeclined(number=number, declined_by=by.id, words=words)]
        case Withdraw(number=number):
            if _outgoing(shifts, number) != by.id:
                raise ConflictOfInterest("撤回交班", "只能由交班人撤回")
            return [ShiftWithdrawn(number=number)]
        case _:
            assert_never(command)


def _require_seat(desk: str, by: Actor) -> None:
    if desks.sits_at(desk, by):
        return
    if desk in (desks.REVIEWER, desks.SUPERVISOR):
        raise NotPermitted(NAME, (ROLE_NAMES[Role(desk)],))
    raise NotPermitted(NAME, tuple(f"本街镇的{ROLE_NAMES[r]}" for r in desks.STREET_ROLES))


def _require_length(words: str) -> None:
    if len(words) > MOST_WORDS:
        raise Missing("words", f"交接说明最多{MOST_WORDS}字。")


def _outgoing(shifts: Shifts, number: int) -> str:
    """Who made the hand-over that waits for an answer."""
    outgoing = shifts.waiting.get(number)
    if outgoing is None:
        raise NothingPending(NAME, "没有待接的班，可能已接、未接或撤回。")
    return outgoing


def _require_another(shifts: Shifts, number: int, by: Actor) -> None:
    if _outgoing(shifts, number) == by.id:
        raise ConflictOfInterest("接班", "班由您交出")


def evolve(shifts: Shifts, event: Event) -> Shifts:
    """The desk after the event. Refuses nothing."""
    match event:
        case ShiftHandedOver(number=number, handed_over_by=outgoing):
            return Shifts(max(shifts.count, number), {**shifts.waiting, number: outgoing})
        case ShiftTakenOver() | ShiftDeclined() | ShiftWithdrawn():
            left = {n: by for n, by in shifts.waiting.items() if n != event.number}
            return Shifts(shifts.count, left)
        case _:
            assert_never(event)


def fold(history: Sequence[Event]) -> Shifts:
    """The desk after these events."""
    return reduce(evolve, history, Shifts())
