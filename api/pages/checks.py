"""现场核查: what a checker is asked to look at, the first due first; the report goes from the case.

The list is the API's own for a checker. A case of the checker's own 街镇 is left out.
"""

from datetime import datetime
from functools import partial
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.access import may_see
from api.door import Door
from api.pages.frame import Frame, framed
from api.routes.cases import list_cases, look
from api.schemas import CaseOut, LeftOut, Step
from api.shown import desk_step, name_of_street
from api.time_left import left_of
from casework.lifecycle import Action
from casework.model import Clock
from projections import timeline

router = APIRouter(include_in_schema=False)

MOST = 100
ASKED_IN = "site-check-requested"


class Check(NamedTuple):
    """A site check that waits: the case, what was asked, when it is due."""

    case: CaseOut
    asked: Step | None
    due_at: datetime | None
    left: LeftOut | None
    late: bool


@router.get("/desk/checks", name="pages.checks")
async def checks_page(frame: Annotated[Frame, Depends(framed("pages.checks"))]) -> Response:
    """What waits for somebody to go and look, the first due first."""
    return frame.page("checks.html", checks=await _checks(frame), now=frame.parts.now())


async def _checks(frame: Frame) -> list[Check]:
    parts, visitor = frame.parts, frame.visitor
    page = await list_cases(
        parts=parts, visitor=visitor, pending=Action.REQUEST_SITE_CHECK, limit=MOST
    )
    now, name = parts.now(), partial(name_of_street, parts)
    found: list[tuple[float, Check]] = []
    for case in page.cases:
        loaded = await Door(parts).loaded(case.case_id)
        if not may_see(visitor.principal.actor(), loaded.case):
            continue
        steps = await look(
            parts, partial(timeline.steps_of, case_id=case.case_id, street_name=name)
        )
        asked = next((step for step in reversed(steps) if step.event == ASKED_IN), None)
        clock = loaded.case.clocks.get(Clock.SITE_CHECK)
        due = clock.fact.due_at if clock else None
        check = Check(
            case,
            desk_step(parts, asked) if asked else None,
            due,
            left_of(parts, loaded, Clock.SITE_CHECK, now),
            bool(due and due < now),
        )
        found.append((due.timestamp() if due else float("inf"), check))
    return [check for _, check in sorted(found, key=lambda one: (one[0], one[1].case.number))]
