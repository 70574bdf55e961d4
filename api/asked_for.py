"""What waits for an answer in a case, and what would come of granting it. Decides nothing.

The case is asked for what is open, its history for who asked when, the timeline for the words, and
the rules for what granting would bring about.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from api.door import Door
from api.duty import names_of
from api.one_case import facts_of, steps_told
from api.parts import Parts
from api.request_schemas import AskedOut, GrantedOut, LeewayOut, NoteOut, RequestsOut
from api.routes.cases import look
from api.schemas import ActionOut, Step
from api.time_left import left_of
from casework import clock_story
from casework import commands as ask
from casework.application import Loaded
from casework.clock_words import limit_in_words
from casework.errors import Refusal
from casework.events import Event, InstructionNoted
from casework.indicators import NotInCatalogue
from casework.lifecycle import CLOCK_OF, NAME_OF, Action, rows_from
from casework.log.port import Recorded
from casework.model import Actor, ActorKind, Clock
from casework.state import ANSWERS, Pending, allowed
from projections.case_board import ASKS

GRANTS: Mapping[Action, ask.Command] = {
    Action.REQUEST_EXTENSION: ask.GrantExtension(),
    Action.REQUEST_SUSPENSION: ask.GrantSuspension(),
    Action.REQUEST_RETURN: ask.AcceptReturn(),
}
"""Requests whose granting changes what is due, by the command that grants them."""

GRANTED_BY: Mapping[Action, Action] = {
    Action.REQUEST_EXTENSION: Action.GRANT_EXTENSION,
    Action.REQUEST_SUSPENSION: Action.GRANT_SUSPENSION,
    Action.REQUEST_RETURN: Action.ACCEPT_RETURN,
}

ENGINE = Actor(ActorKind.STAFF, "")
"""Whose name stands under what is only foreseen: nobody's."""


_SOMEBODY = "工作人员"
"""Whose account is not known here."""


class _Supposed(msgspec.Struct, frozen=True):
    """A fact that is only foreseen, as a fact of a history."""

    event: Event
    at: datetime
    actor: Actor


async def asked_for(parts: Parts, loaded: Loaded, by: Actor) -> RequestsOut:
    """The open requests of a case for one who sees it, and what may still be asked for."""
    history = await Door(parts).in_thread(lambda: parts.casework.history(loaded.case_id))
    steps = await look(parts, lambda c: steps_told(c, parts, loaded.case_id, by))
    return await requests_told(parts, loaded, by, history, steps)


async def requests_told(
    parts: Parts,
    loaded: Loaded,
    by: Actor,
    history: Sequence[Recorded],
    steps: Iterable[Step],
) -> RequestsOut:
    """The same, of a history and steps that were read already."""
    now = max(parts.now(), loaded.case.last_at)
    words = {step.position: step.words for step in steps}
    asking = dict(_last(history))
    notes = [r for r in history if isinstance(r.event, InstructionNoted)]
    ids = {r.actor.id for r in (*asking.values(), *notes)}
    names = await Door(parts).in_thread(lambda: names_of(parts.desk, ids))
    rows = {row.action: row for row in rows_from(loaded.case.status)}
    may = [action for action in allowed(loaded.case, by) if action in rows]
    return RequestsOut(
        case_id=loaded.case_id,
        number=loaded.case.number,
        requests=tuple(
            _asked(
                parts,
                loaded,
                action,
                waits,
                asking[action],
                by,
                now,
                name=names.get(asking[action].actor.id, _SOMEBODY),
                words=words.get(asking[action].position),
                granted=_granted(parts, loaded, action, history, now, by),
                answers=tuple(
                    ActionOut(action=one, name=rows[one].name, needs=rows[one].needs)
                    for one in may
                    if action in ANSWERS.get(one, ())
                    or (one, action) == (Action.NAME_CO_HANDLER, Action.REQUEST_COORDINATION)
                ),
            )
            for action, waits in loaded.case.pending.items()
            if action in asking
        ),
        notes=tuple(
            NoteOut(
                number=recorded.event.note,
                at=recorded.at,
                by_name=names.get(recorded.actor.id, _SOMEBODY),
                words=words.get(recorded.position),
            )
            for recorded in notes
            if isinstance(recorded.event, InstructionNoted)
            and recorded.event.note in loaded.case.open_notes
        ),
        leeway=leeway_of(parts, loaded, now),
    )


def _last(history: Iterable[Recorded]) -> Iterable[tuple[Action, Recorded]]:
    """The last time that each kind of request was made."""
    for recorded in history:
        action = ASKS.get(type(recorded.event))
        if action is not None:
            yield action, recorded


def _asked(  # noqa: PLR0913  a field each
    parts: Parts,
    loaded: Loaded,
    action: Action,
    waits: Pending,
    recorded: Recorded,
    by: Actor,
    now: datetime,
    *,
    name: str,
    words: str | None,
    granted: GrantedOut | None,
    answers: tuple[ActionOut, ...],
) -> AskedOut:
    running = loaded.case.clocks.get(CLOCK_OF[action]) if action in CLOCK_OF else None
    due_at = running.fact.due_at if running else None
    left = left_of(parts, loaded, CLOCK_OF[action], now) if running else None
    return AskedOut(
        action=action,
        name=NAME_OF[action],
        asked_by=waits.by,
        asked_by_name=name,
        asked_at=recorded.at,
        mine=waits.by == by.id,
        code=waits.code or None,
        code_text=code_text(parts, waits.code),
        words=words,
        more=_more(waits),
        due_at=due_at,
        remaining=left.says if left else None,
        left=left,
        overdue=due_at is not None and due_at < now,
        granted=granted,
        answers=answers,
    )


def code_text(parts: Parts, code: str | None) -> str | None:
    """What a code says in the catalogue of today, or None."""
    if not code:
        return None
    try:
        return parts.catalogue.code(code).text
    except (KeyError, NotInCatalogue, Refusal):
        return None


def _more(waits: Pending) -> str | None:
    """What a request asks for besides its code."""
    if waits.extend_by is not None:
        return f"延长{limit_in_words(waits.extend_by)}"
    if waits.resume_on is not None:
        day = waits.resume_on
        return f"挂账至{day.year}年{day.month}月{day.day}日恢复"
    if waits.body:
        return f"转办{waits.body}，对方编号{waits.number}"
    return None


def _granted(
    parts: Parts,
    loaded: Loaded,
    action: Action,
    history: Sequence[Recorded],
    now: datetime,
    by: Actor,
) -> GrantedOut | None:
    """What granting would do, for who may grant it."""
    command = GRANTS.get(action)
    if command is None or GRANTED_BY[action] not in allowed(loaded.case, by):
        return None
    running = loaded.case.clocks.get(Clock.HANDLING)
    before = running.fact.due_at if running else None
    name = str(GRANTED_BY[action])
    try:
        events = parts.casework.foresee(loaded, command, at=now, by=by)
    except Refusal as refusal:
        return GrantedOut(
            action=name, due_before=before, due_at=None, lines=(), why_not=str(refusal)
        )
    supposed = [*facts_of(history), *(_Supposed(event, now, ENGINE) for event in events)]
    told = clock_story.told(supposed, parts.casework.references, now)
    handling = [one for one in told if one.clock is Clock.HANDLING][-1:]
    starts = [start for event in events for start in event.started]
    after = next((s.due_at for s in starts if s.clock is Clock.HANDLING), None)
    lines = [line for one in handling for step in one.steps[-1:] for line in step.told]
    return GrantedOut(action=name, due_before=before, due_at=after, lines=tuple(lines))


def leeway_of(parts: Parts, loaded: Loaded, now: datetime) -> LeewayOut:
    """What the 街镇 that has the case may still ask for."""
    room = parts.casework.leeway(loaded, at=now)
    longest = room.extension_longest
    return LeewayOut(
        return_until=room.return_until,
        return_why_not=room.why_not.get(Action.REQUEST_RETURN),
        extension_until=room.extension_until,
        extension_why_not=room.why_not.get(Action.REQUEST_EXTENSION),
        extensions_granted=room.extensions_granted,
        extensions_most=room.extensions_most,
        extension_longest=limit_in_words(longest) if longest and room.extensions_most else None,
        suspension_until=room.suspension_until,
        suspension_why_not=room.why_not.get(Action.REQUEST_SUSPENSION),
        appeal_until=room.appeal_until,
        appeal_why_not=room.why_not.get(Action.APPEAL),
    )
