"""街镇台: what the 街镇 has to do, what presses most first; signed for in one tap.

The list is a part of its own that a script asks for again; without one the page is loaded anew.
"""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.pages.frame import Frame, framed
from api.pages.live import live
from api.routes.cases import street_tasks
from api.routes.notices import NoticeOut, read_notices
from api.schemas import StreetDeskOut, StreetSectionOut, StreetTaskOut
from casework.lifecycle import NAME_OF
from casework.model import OVERDUE, Role

router = APIRouter(include_in_schema=False)

Section = Annotated[str, Query(max_length=30)]

REST = "tasks"
"""The section of everything: what stands in no other comes last."""


class Shown(msgspec.Struct, frozen=True):
    """A section as the page shows it: a case stands in the first that it belongs to."""

    key: str
    name: str
    count: int
    tasks: tuple[StreetTaskOut, ...]
    elsewhere: int
    """How many of it stand further up."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """The desk as its page shows it."""

    desk: StreetDeskOut
    counted: tuple[StreetSectionOut, ...]
    """The sections with their counts, but for that of everything."""
    sections: tuple[Shown, ...]
    chosen: str
    first: StreetTaskOut | None
    """What is due next."""
    notices: tuple[NoticeOut, ...]
    escalated: tuple[NoticeOut, ...]
    """Told at 100 % and more: what a 街镇负责人 hears of first."""


@router.get("/desk/street", name="pages.street")
async def street(
    frame: Annotated[Frame, Depends(framed("pages.street"))], section: Section = ""
) -> Response:
    """The desk."""
    seen = await _seen(frame, section)
    return frame.page("street.html", seen=seen, names=NAME_OF, now=frame.parts.now())


@router.get("/desk/street/tasks", name="pages.street")
async def tasks(
    frame: Annotated[Frame, Depends(framed("pages.street"))], section: Section = ""
) -> Response:
    """Only what changes of it."""
    return live(frame, "street_tasks.html", seen=await _seen(frame, section), names=NAME_OF)


async def _seen(frame: Frame, section: str) -> Seen:
    parts, visitor = frame.parts, frame.visitor
    desk = await street_tasks(parts, visitor)
    page = await read_notices(parts=parts, visitor=visitor, pressing=True, before=None, limit=50)
    lead = Role.STREET_LEAD in visitor.principal.roles
    # Only a 街镇负责人 appeals; what they ask for and wait for they look at before the rest.
    shown = [one for one in desk.sections if lead or one.key != "appealable"]
    keys = {one.key for one in shown}
    every = desk.sections[-1].tasks
    return Seen(
        desk=desk,
        counted=tuple(one for one in shown if one.key != REST),
        sections=_sections(shown, section if section in keys else ""),
        chosen=section if section in keys else "",
        first=next((task for task in every if task.due_at is not None), None),
        notices=page.notices,
        escalated=tuple(n for n in page.notices if lead and n.percent >= OVERDUE),
    )


def _sections(sections: Sequence[StreetSectionOut], chosen: str) -> tuple[Shown, ...]:
    """All of one section, or of each what stands in none before it."""
    shown: list[Shown] = []
    told: set[str] = set()
    for one in sections:
        if chosen and one.key != chosen:
            continue
        fresh = tuple(task for task in one.tasks if task.case.number not in told)
        told |= {task.case.number for task in fresh}
        shown.append(Shown(one.key, one.name, one.count, fresh, len(one.tasks) - len(fresh)))
    return tuple(shown)
