"""A case as a supervisor decides on it: what waits with what granting would do, and the forms."""

from collections.abc import Sequence

import msgspec

from api.asked_for import asked_for
from api.pages.action_forms import ActionForm
from api.pages.frame import Frame
from api.request_schemas import AskedOut, LeewayOut, NoteOut
from api.routes.cases import sight
from api.schemas import CaseOut


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


async def supervisor_view(
    frame: Frame, case: CaseOut, forms: Sequence[ActionForm]
) -> SupervisorView:
    """All of it, for a case that this visitor may see."""
    loaded, actor = await sight(frame.parts, frame.visitor, str(case.case_id))
    told = await asked_for(frame.parts, loaded, actor)
    by_action = {form.action: form for form in forms}
    decisions = tuple(
        Decision(
            asked,
            tuple(
                by_action[answer.action]
                for answer in asked.answers
                if answer.action in by_action and not _own(asked, answer.action)
            ),
        )
        for asked in told.requests
    )
    taken = {form.action for one in decisions for form in one.forms}
    answering = {answer.action for one in told.requests for answer in one.answers if one.mine}
    return SupervisorView(
        decisions=decisions,
        notes=told.notes,
        leeway=told.leeway,
        others=tuple(
            form for form in forms if form.action not in taken and form.action not in answering
        ),
    )


def _own(asked: AskedOut, action: str) -> bool:
    """Nobody decides what they asked for themselves; a co-handler may be named all the same."""
    return asked.mine and action != "name_co_handler"
