"""Desks where people sit by turns (工作台): 审核, 督办, and one for each 街镇. Knows no account.

A desk is a plain name: "reviewer", "supervisor", "street/110108011".
"""

import re

from casework.model import Actor, Clock, Role, StreetCode

REVIEWER = "reviewer"
SUPERVISOR = "supervisor"

_STREET = re.compile(r"street/(110108[0-9]{3})")

STREET_ROLES = (Role.STREET, Role.STREET_LEAD)


def of_street(street: str) -> str:
    """The desk of a 街镇, by its code."""
    return f"street/{street}"


def street_of(desk: str) -> StreetCode | None:
    """The code of the 街镇 whose desk it is; None for the others."""
    found = _STREET.fullmatch(desk)
    return StreetCode(found[1]) if found else None


def is_desk(desk: str) -> bool:
    """Whether the name is one of a desk. Which 街镇 there are, the map says."""
    return desk in (REVIEWER, SUPERVISOR) or street_of(desk) is not None


def roles_at(desk: str) -> tuple[Role, ...]:
    """The roles of which one is needed to sit at this desk."""
    if desk == REVIEWER:
        return (Role.REVIEWER,)
    return (Role.SUPERVISOR,) if desk == SUPERVISOR else STREET_ROLES


def sits_at(desk: str, by: Actor) -> bool:
    """Whether the work of this desk is the actor's."""
    if desk == REVIEWER:
        return by.holds(Role.REVIEWER)
    if desk == SUPERVISOR:
        return by.holds(Role.SUPERVISOR)
    street = street_of(desk)
    return street is not None and by.street == street and by.holds(*STREET_ROLES)


OF_REVIEWER = frozenset(
    {
        Clock.REVIEW,
        Clock.DISPATCH,
        Clock.RETURN,
        Clock.VERIFICATION,
        Clock.SITE_CHECK,
        Clock.RECHECK,
    }
)
"""Clocks that press the reviewers. A site check is the checker's to make and theirs to chase."""

OF_SUPERVISOR = frozenset(
    {
        Clock.COORDINATION,
        Clock.EXTENSION,
        Clock.SUSPENSION,
        Clock.SECOND_PERSON,
        Clock.APPEAL,
    }
)
"""Clocks of what the supervisor decides."""

OF_STREET = frozenset({Clock.ACKNOWLEDGE, Clock.HANDLING, Clock.RESUMPTION})
"""Clocks that press a 街镇. 督办 presses whoever has the case, see NOTE."""


def clocks_of(desk: str) -> frozenset[Clock]:
    """The clocks that press a desk, but for that of 督办 notes."""
    if desk == REVIEWER:
        return OF_REVIEWER
    return OF_SUPERVISOR if desk == SUPERVISOR else OF_STREET
