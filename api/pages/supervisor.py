"""督办台: what is late and where, what is about to be, what is asked of me; decided in one place.

The lists are a part of their own that a script asks for again. Decisions stand open on the desk,
each with its clock and with what granting it would do; further ones are a tap away.
"""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.access import POLICY
from api.asked_for import asked_for
from api.desk_schemas import PressingOut, SupervisorDeskOut
from api.pages.action_forms import ActionForm, forms_of
from api.pages.frame import Frame, framed
from api.pages.live import live
from api.pages.supervisor_case import answers_to
from api.request_schemas import AskedOut
from api.routes.cases import sight
from api.routes.desks import supervisors
from api.routes.indicators import list_changes
from api.schemas import CaseOut
from api.shown import Seen, of_state
from casework.model import Clock

router = APIRouter(include_in_schema=False)

Street = Annotated[str, Query(pattern=r"^(110108[0-9]{3})?$")]

OPENED = 8
"""Decisions of a kind that stand open on the desk: what a person decides in one sitting."""

LISTED = 30

KINDS: tuple[tuple[str, str, frozenset[Clock]], ...] = (
    ("delays", "待批延期/挂账", frozenset({Clock.EXTENSION, Clock.SUSPENSION})),
    ("seconds", "待第二人确认", frozenset({Clock.SECOND_PERSON})),
    ("appeals", "待决申诉", frozenset({Clock.APPEAL})),
    ("coordination", "待协调", frozenset({Clock.COORDINATION})),
)


class Decision(msgspec.Struct, frozen=True):
    """A request on the desk: the case, what is asked, and the forms that answer it."""

    case: CaseOut
    asked: AskedOut
    forms: tuple[ActionForm, ...]


class Kind(msgspec.Struct, frozen=True):
    """Decisions of one kind: how many, those that stand open, those that are a tap away."""

    key: str
    name: str
    count: int
    opened: tuple[Decision, ...]
    others: tuple[PressingOut, ...]


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """The desk as its page shows it."""

    desk: SupervisorDeskOut
    kinds: tuple[Kind, ...]
    street: str
    street_name: str
    changes: int
    """Changes of reference data that wait for a second person; not one's own."""
    configuration: str
    """Where they are confirmed, if that page is there for this visitor."""

    @property
    def here(self) -> str:
        return f"/desk/supervisor?street={self.street}" if self.street else "/desk/supervisor"


@router.get("/desk/supervisor", name="pages.supervisor")
async def supervisor(
    frame: Annotated[Frame, Depends(framed("pages.supervisor"))], street: Street = ""
) -> Response:
    """The desk, of the district or of one 街镇."""
    return frame.page("supervisor.html", shown=await _shown(frame, street), now=frame.parts.now())


@router.get("/desk/supervisor/lists", name="pages.supervisor")
async def lists(
    frame: Annotated[Frame, Depends(framed("pages.supervisor"))], street: Street = ""
) -> Response:
    """Only what changes of it."""
    return live(frame, "supervisor_lists.html", shown=await _shown(frame, street))


async def _shown(frame: Frame, street: str) -> Shown:
    parts, visitor = frame.parts, frame.visitor
    desk = await supervisors(parts, visitor, street or None, LISTED)
    me = str(visitor.principal.account_id)
    waiting = await list_changes(parts=parts, _visitor=visitor, waiting=True)
    known = parts.dispatcher.boundaries
    configuration = "/office/configuration"
    return Shown(
        desk=desk,
        kinds=tuple([await _kind(frame, desk, *kind) for kind in KINDS]),
        street=street,
        street_name=known.name(street) if street in known.codes else "",
        changes=sum(change.proposed_by != me for change in waiting),
        configuration=configuration
        if "pages.office_configuration" in POLICY and frame.may("pages.office_configuration")
        else "",
    )


async def _kind(
    frame: Frame, desk: SupervisorDeskOut, key: str, name: str, clocks: frozenset[Clock]
) -> Kind:
    waits = [one for one in desk.decisions if one.clock in clocks]
    opened = [await _opened(frame, one) for one in waits[:OPENED]]
    return Kind(
        key=key,
        name=name,
        count=len(waits),
        opened=tuple(one for one in opened if one is not None),
        others=tuple(waits[OPENED:]),
    )


async def _opened(frame: Frame, pressing: PressingOut) -> Decision | None:
    """A decision with its forms; None where somebody has decided meanwhile."""
    parts = frame.parts
    loaded, actor = await sight(parts, frame.visitor, str(pressing.case_id))
    told = await asked_for(parts, loaded, actor)
    asked = next((one for one in told.requests if one.action == pressing.request), None)
    if asked is None:
        return None
    case = of_state(parts, loaded, None, Seen(actor), 0)
    return Decision(case, asked, answers_to(asked, forms_of(parts, case)))
