"""The duty roster and the hand-overs of this engine, as they stand in the log. Knows no route.

All of it may wait for a disk. The log holds ids; whose they are is asked of the accounts.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import cast
from uuid import UUID

import msgspec

from api.accounts.desk import Desk
from api.accounts.errors import NotThere
from api.accounts.people import Account, read_account
from api.accounts.principal import PrincipalKind
from api.small_streams import Asked, carry_out, readable
from casework import desks, shifts
from casework import roster as rosters
from casework.errors import Missing
from casework.log.port import Log, Recorded, stream_id
from casework.model import Actor, ActorKind, Role
from casework.roster import Roster
from casework.shifts import Summary

ROSTER = stream_id("duty-roster")


def shift_stream(desk: str) -> UUID:
    """The stream of a desk's hand-overs."""
    return stream_id(f"shift/{desk}")


class DutyRoster:
    """The roster of now: read on from the log by version, so that asking costs one look."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._version = 0
        self._roster = Roster()

    def read(self) -> Roster:
        """The roster as the log tells it now. Raises Unreadable."""
        return self._read()[1]

    def _read(self) -> tuple[int, Roster]:
        with self._lock:
            for recorded in readable(self._log.history(ROSTER, self._version)):
                self._roster = rosters.evolve(self._roster, cast("rosters.Event", recorded.event))
                self._version = recorded.version
            return self._version, self._roster

    def record(
        self, command: rosters.Command, asked: Asked, also: Callable[[], None] = lambda: None
    ) -> rosters.Event:
        """Carry out a command; the fact that it led to.

        `also` is asked once the rules agree, and may still refuse: so that who may not write here
        is told that, and not which accounts there are. Raises a Refusal, KeyReused, Contended.
        """

        def decide() -> tuple[int, Sequence[msgspec.Struct]]:
            version, roster = self._read()
            happened = rosters.decide(roster, command, asked.by, asked.at)
            also()
            return version, happened

        return cast("rosters.Event", carry_out(self._log, ROSTER, decide, asked).event)


def accounts_of(desk: Desk, ids: Iterable[str]) -> dict[str, Account]:
    """The accounts of these ids; what is none is left out."""
    found: dict[str, Account] = {}
    with desk.read() as connection:
        for each in dict.fromkeys(ids):
            with suppress(NotThere, ValueError):
                found[each] = read_account(connection, UUID(each))
    return found


def names_of(desk: Desk, ids: Iterable[str]) -> dict[str, str]:
    """What the holders of these accounts are called; what is no account is left out."""
    return {each: account.display_name for each, account in accounts_of(desk, ids).items()}


def on_duty(
    roster: DutyRoster, accounts: Desk, desk: str, role: Role, at: datetime
) -> tuple[str, ...]:
    """Who of that role is on duty at a desk and still in use there. May wait for a disk."""
    ids = rosters.on_duty(roster.read(), desk, at)
    known = accounts_of(accounts, ids)
    return tuple(i for i in ids if fits(desk, known.get(i)) and role in known[i].roles)


def fits(desk: str, account: Account | None) -> bool:
    """Whether the account is in use and its work is that of the desk."""
    if account is None or account.disabled_at is not None:
        return False
    if account.kind is not PrincipalKind.STAFF:
        return False
    actor = Actor(ActorKind.STAFF, str(account.id), account.street, account.roles)
    return desks.sits_at(desk, actor)


def require_fit(desk: str, account: Account | None) -> None:
    """Raises Missing for an account that is none, not in use, or of another desk."""
    if not fits(desk, account):
        raise Missing("account", "没有这个账号，或账号已停用、不属于该工作台。")


STATE_NAMES = {
    "waiting": "待接班",
    "taken_over": "已接班",
    "declined": "未接班",
    "withdrawn": "已撤回",
}
"""What may have become of a hand-over."""


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """A hand-over with both signatures. `state` is of STATE_NAMES."""

    number: int
    handed_over_by: str
    handed_over_at: datetime
    summary: Summary
    words: str
    state: str = "waiting"
    answered_by: str | None = None
    answered_at: datetime | None = None
    answer: str | None = None


def page_of(log: Log, desk: str, before: int | None, limit: int) -> list[Shift]:
    """The hand-overs of a desk below a number, the newest first. Raises Unreadable."""
    found = [shift for shift in _all(log, desk) if before is None or shift.number < before]
    return found[-limit:][::-1]


def record_shift(log: Log, desk: str, command: shifts.Command, asked: Asked) -> Shift:
    """Carry out a command at a desk; the hand-over as it stands then.

    Raises a Refusal of the rules, NotThere for a hand-over that never was, KeyReused, Contended.
    """

    def decide() -> tuple[int, Sequence[msgspec.Struct]]:
        history = readable(log.history(shift_stream(desk)))
        desk_now = shifts.fold([cast("shifts.Event", each.event) for each in history])
        if not isinstance(command, shifts.HandOver) and command.number > desk_now.count:
            raise NotThere("交接班记录")
        return len(history), shifts.decide(desk_now, desk, command, asked.by)

    done = carry_out(log, shift_stream(desk), decide, asked)
    number = cast("shifts.Event", done.event).number
    return next(shift for shift in _all(log, desk) if shift.number == number)


def _all(log: Log, desk: str) -> list[Shift]:
    """Every hand-over of a desk, in order: some thousand a year, 10 µs each."""
    found: dict[int, Shift] = {}
    for recorded in readable(log.history(shift_stream(desk))):
        match recorded.event:
            case shifts.ShiftHandedOver() as handed:
                found[handed.number] = Shift(
                    number=handed.number,
                    handed_over_by=handed.handed_over_by,
                    handed_over_at=recorded.at,
                    summary=handed.summary,
                    words=handed.words,
                )
            case shifts.ShiftTakenOver(number=number):
                found[number] = _answered(found[number], recorded, "taken_over")
            case shifts.ShiftDeclined(number=number, words=words):
                found[number] = _answered(found[number], recorded, "declined", words)
            case shifts.ShiftWithdrawn(number=number):
                found[number] = _answered(found[number], recorded, "withdrawn")
            case _:
                raise TypeError(f"no fact of a shift: {recorded.name}")
    return list(found.values())


def _answered(shift: Shift, recorded: Recorded, state: str, words: str | None = None) -> Shift:
    return msgspec.structs.replace(
        shift,
        state=state,
        answered_by=recorded.actor.id,
        answered_at=recorded.at,
        answer=words,
    )
