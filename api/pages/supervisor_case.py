"""A case as a supervisor decides on it: what waits with what granting would do, and the forms."""

from collections.abc import Iterable

import msgspec

from api.asked_for import requests_told
from api.pages.action_forms import ActionForm
from api.pages.frame import Frame
from api.pages.shown_case import Shown
from api.request_schemas import AskedOut, LeewayOut, NoteOut
from casework.lifecycle import Action

NAMING = str(Action.NAME_CO_HANDLER)


class Decision(msgspec.Struct, frozen=True):
    """A request, and the forms by which this visitor may answer it."""

    asked: AskedOut
    forms: tuple[ActionForm, ...]


class SupervisorView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of a case shows besides the case itself."""

    decisions: tuple[Decision, ...]
    notes: tuple[NoteOut, ...]
    leeway: LeewayOut
    others: tuple[ActionForm, ...]


async def supervisor_view(frame: Frame, shown: Shown) -> SupervisorView:
    """All of it, for a case that this visitor may see."""
    told = await requests_told(frame.parts, shown.loaded, shown.actor, shown.history, shown.steps)
    decisions = tuple(Decision(asked, answers_to(asked, shown.forms)) for asked in told.requests)
    taken = {form.action for one in decisions for form in one.forms}
    answering = {answer.action for one in told.requests for answer in one.answers if one.mine}
    return SupervisorView(
        decisions=decisions,
        notes=told.notes,
        leeway=told.leeway,
        others=tuple(
            form
            for form in shown.forms
            if form.action not in taken and form.action not in answering
        ),
    )


def answers_to(asked: AskedOut, forms: Iterable[ActionForm]) -> tuple[ActionForm, ...]:
    """The forms by which this visitor may answer a request, in the order of its answers.

    Nobody decides what they asked for themselves; a co-handler may be named all the same.
    """
    by_action = {form.action: form for form in forms}
    return tuple(
        by_action[answer.action]
        for answer in asked.answers
        if answer.action in by_action and not (asked.mine and answer.action != NAMING)
    )
