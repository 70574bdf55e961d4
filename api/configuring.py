"""Changes of reference data between two people, as the back rooms list and decide them.

Changes are numbered from 1; each is a stream of its own. What they would do is `api.trying_out`.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import assert_never
from uuid import UUID

import msgspec

from api.accounts.errors import NotThere
from api.parts import Parts
from api.small_streams import Asked
from casework import catalogue as catalogues
from casework import proposals, special_periods
from casework.application import ATTEMPTS, Casework, Contended, change_stream
from casework.clock_words import CLOCK_NAMES, limit_in_words
from casework.errors import Missing, Stale, when
from casework.log.port import Recorded
from casework.proposals import Change
from casework.reference import AdoptBoundaries, CalendarCommand, PublishYear, SetWindows
from casework.special_periods import OCCASIONS, DeclareSpecialPeriod, MoveSpecialPeriodEnd

STATE_NAMES = {
    "open": "待确认",
    "confirmed": "已确认",
    "declined": "不同意",
    "withdrawn": "已撤回",
}


class ProposedChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change, who asked for it, and what became of it. Times are UTC."""

    number: int
    change: Change
    reason: str
    proposed_by: str
    proposed_at: datetime
    state: str = "open"
    decided_by: str | None = None
    decided_at: datetime | None = None
    decided_because: str | None = None


def all_changes(casework: Casework) -> list[ProposedChange]:
    """Every change ever proposed, the newest first. A read of 0.1 ms each; may wait for a disk."""
    found: list[ProposedChange] = []
    while history := casework.eventlog.history(change_stream(len(found) + 1)):
        found.append(_told(len(found) + 1, history))
    return found[::-1]


def one_change(casework: Casework, number: int) -> ProposedChange:
    """Raises NotThere."""
    history = casework.eventlog.history(change_stream(number))
    if not history:
        raise NotThere("变更")
    return _told(number, history)


def _told(number: int, history: Iterable[Recorded]) -> ProposedChange:
    change: ProposedChange | None = None
    for recorded in history:
        match recorded.event:
            case proposals.ChangeProposed(change=what, reason=reason, proposed_by=by):
                change = ProposedChange(
                    number=number,
                    change=what,
                    reason=reason,
                    proposed_by=by,
                    proposed_at=recorded.at,
                )
            case proposals.ChangeConfirmed():
                change = _decided(change, recorded, "confirmed")
            case proposals.ChangeDeclined(reason=because):
                change = _decided(change, recorded, "declined", because)
            case proposals.ChangeWithdrawn():
                change = _decided(change, recorded, "withdrawn")
            case _:
                raise NotThere("变更")
    assert change is not None, "a stream begins with the proposal"
    return change


def _decided(
    change: ProposedChange | None, recorded: Recorded, state: str, because: str | None = None
) -> ProposedChange:
    assert change is not None, "a stream begins with the proposal"
    return msgspec.structs.replace(
        change,
        state=state,
        decided_by=recorded.actor.id,
        decided_at=recorded.at,
        decided_because=because,
    )


_CHANGES = catalogues.Command | CalendarCommand | AdoptBoundaries | special_periods.Command


def change_of(data: Mapping[str, object]) -> Change:
    """The change that this data describes: of catalogue, calendar or boundaries.

    Raises Missing where it has not the shape, or its time has no offset.
    """
    try:
        change: Change = msgspec.convert(data, _CHANGES)
    except msgspec.ValidationError as wrong:
        where = re.search(r"\$[^`]*", str(wrong))
        told = f"（{where[0].removeprefix('$.')}）" if where and where[0] != "$" else ""
        raise Missing(
            "change", f"变更内容的格式不正确{told}，请对照 GET /changes 的例子。"
        ) from None
    for field in ("effective_from", "first", "last"):
        moment = getattr(change, field, None)
        if isinstance(moment, datetime) and moment.tzinfo is None:
            raise Missing(field, "请写明时区，如 2026-12-01T00:00:00+08:00。")
    return change


def propose(parts: Parts, change: Change, reason: str, asked: Asked) -> ProposedChange:
    """Propose a change under the next free number; the same answer for the same command.

    Raises a Refusal of the rules, KeyReused, Contended.
    """
    casework = parts.casework
    _require_files(parts, change)
    command = proposals.Propose(change=change, reason=reason)
    for _ in range(ATTEMPTS):
        number = _number_of(casework, asked.command_id) or _next_number(casework)
        try:
            _carry_out(parts, number, command, asked)
        except Stale:
            continue
        return one_change(casework, number)
    raise Contended


def decide(parts: Parts, number: int, command: proposals.Command, asked: Asked) -> ProposedChange:
    """Confirm, decline or withdraw; what is confirmed is in the reference streams on return.

    Raises NotThere, a Refusal of the rules, KeyReused, Contended.
    """
    proposed = one_change(parts.casework, number)
    if isinstance(command, proposals.Confirm):
        _require_files(parts, proposed.change)
    _carry_out(parts, number, command, asked)
    return one_change(parts.casework, number)


def _require_files(parts: Parts, change: Change) -> None:
    """A map of boundaries is adopted only where it lies on the disk, checked and whole."""
    if isinstance(change, AdoptBoundaries):
        parts.boundaries.require_kept(change.sha256)


def _carry_out(parts: Parts, number: int, command: proposals.Command, asked: Asked) -> None:
    parts.casework.decide_change(
        number,
        command,
        at=asked.at,
        by=asked.by,
        command_id=asked.command_id,
        fingerprint=asked.fingerprint,
    )


def _number_of(casework: Casework, command_id: UUID) -> int | None:
    """The number under which this very command was carried out before."""
    prior = casework.eventlog.by_command(command_id)
    if prior is None:
        return None
    number = 1
    while casework.eventlog.history(change_stream(number)):
        if change_stream(number) == prior.events[0].stream:
            return number
        number += 1
    return None


def _next_number(casework: Casework) -> int:
    number = 1
    while casework.eventlog.history(change_stream(number)):
        number += 1
    return number


def in_words(change: Change) -> str:  # noqa: C901, PLR0912  one arm a change
    """What the change says, in one line."""
    match change:
        case catalogues.AddIndicator(indicator=indicator):
            return f"新增指标 {indicator.code} {indicator.name}"
        case catalogues.ReviseIndicator(indicator=indicator):
            return f"修订指标 {indicator.code} {indicator.name}"
        case catalogues.RetireIndicator(code=code):
            return f"停用指标 {code}"
        case catalogues.AddCode(code=reason):
            return f"新增原因代码 {reason.code} {reason.text}"
        case catalogues.ReviseCode(code=reason):
            return f"修订原因代码 {reason.code} {reason.text}"
        case catalogues.RetireCode(code=code):
            return f"停用原因代码 {code}"
        case catalogues.SetStepLimit(clock=clock, limit=limit, danger=danger):
            which = "险情时的" if danger else ""
            return f"设定{which}{CLOCK_NAMES[clock]}时限为{limit_in_words(limit)}"
        case catalogues.SetDangerWords():
            return "设定险情提示词"
        case catalogues.SetScopeWords():
            return "设定范围提示词"
        case PublishYear(year=year):
            return f"发布{year.year}年工作日历"
        case SetWindows():
            return "设定值守和工作时段"
        case DeclareSpecialPeriod():
            return f"宣布{OCCASIONS[change.occasion]}特殊时段，{_span(change.first, change.last)}"
        case MoveSpecialPeriodEnd(number=number, last=last):
            return f"第{number}号特殊时段改至{when(last)}结束"
        case AdoptBoundaries(source=source):
            return f"启用街镇边界 {source}"
        case _:
            assert_never(change)


def _span(first: datetime, last: datetime) -> str:
    return f"{when(first)}至{when(last)}"
