"""What the routes of the desks share: how a desk is written, what it is called, who sees it."""

from typing import Annotated

from fastapi import Path

from api.accounts.errors import NotThere
from api.parts import Parts
from api.shown import name_of_street
from casework import desks
from casework.model import Actor, Role

DeskRef = Annotated[
    str,
    Path(
        min_length=1,
        max_length=32,
        description="reviewer、supervisor 或 street-街镇代码。",
        examples=["reviewer", "street-110108011"],
    ),
]

_NAMES = {desks.REVIEWER: "审核工作台", desks.SUPERVISOR: "督办工作台"}


def read_desk(parts: Parts, written: str) -> str | None:
    """The desk's name inside, or None where the map of today has no such 街镇."""
    desk = written.replace("street-", "street/", 1)
    if "/" in written or not desks.is_desk(desk):
        return None
    street = desks.street_of(desk)
    known = street is None or street in parts.dispatcher.boundaries.codes
    return desk if known else None


def every_desk(parts: Parts) -> list[str]:
    """The reviewers' and supervisors' desk, and one for each 街镇 of today."""
    streets = sorted(parts.dispatcher.boundaries.codes)
    return [desks.REVIEWER, desks.SUPERVISOR, *(desks.of_street(code) for code in streets)]


def written(desk: str) -> str:
    """The desk as paths and answers write it."""
    return desk.replace("/", "-")


def desk_name(parts: Parts, desk: str) -> str:
    """What the desk is called."""
    street = desks.street_of(desk)
    return f"{name_of_street(parts, street)}工作台" if street else _NAMES[desk]


def seen_desk(parts: Parts, by: Actor, reference: str) -> str:
    """The desk of a path, if its work is the visitor's; a supervisor looks at all of them.

    Raises NotThere: also for a desk that is another's.
    """
    desk = read_desk(parts, reference)
    if desk is None or not (desks.sits_at(desk, by) or by.holds(Role.SUPERVISOR)):
        raise NotThere("工作台")
    return desk
