"""What a 街镇 may still ask for is what the rules will say to the request, to the microsecond."""

from datetime import date, datetime

import pytest

from casework import commands as ask
from casework.leeway import Leeway, leeway
from casework.lifecycle import Action
from casework.model import CLOCK, Limit, Unit
from tests.facts import (
    extended,
    extension_asked,
    return_asked,
    suspended,
    suspension_asked,
    to_closed,
    to_dispatched,
    to_handling,
    to_registered,
)
from tests.history import (
    A_MICROSECOND,
    LEAD,
    STREET,
    Fact,
    asking_of,
    given,
    mon,
    words,
)

DAY = Limit(1, Unit.CALENDAR_DAY)


def room(*facts: Fact, at: datetime | None = None) -> Leeway:
    """What may be asked for after these facts."""
    case = given(*facts).state
    return leeway(asking_of(case, at or case.last_at, CLOCK))


def test_a_return_may_be_asked_for_exactly_until_then() -> None:
    # P04-1: 8 duty hours from Monday 09:00; a quarter of it is two hours.
    found = room(*to_handling())
    assert found.return_until == mon("11:00")
    asking = ask.RequestReturn(code="T01", words=None)
    history = given(*to_handling())
    assert history.when(asking, STREET, found.return_until).refusal is None
    late = found.return_until + A_MICROSECOND
    refused = history.when(asking, STREET, late)
    after = room(*to_handling(), at=late)
    assert after.return_until is None
    assert after.why_not[Action.REQUEST_RETURN] == str(refused.refusal)


def test_what_was_asked_once_is_not_asked_again() -> None:
    found = room(*to_handling(), return_asked())
    assert found.return_until is None and "1次" in found.why_not[Action.REQUEST_RETURN]
    waits = room(*to_handling(), extension_asked())
    assert waits.extension_until is None
    assert "待决" in waits.why_not[Action.REQUEST_EXTENSION]


def test_an_extension_is_told_with_how_often_and_how_much() -> None:
    found = room(*to_handling("P02-1"))
    assert (found.extensions_granted, found.extensions_most) == (0, 1)
    assert found.extension_longest == DAY
    longer = Limit(2, Unit.CALENDAR_DAY)
    after = room(*to_handling("P02-1"), extension_asked(more=DAY), extended(longer))
    assert (after.extensions_granted, after.extension_until) == (1, None)
    assert "1次" in after.why_not[Action.REQUEST_EXTENSION]


def test_a_suspension_may_last_half_a_year_and_is_asked_for_once_a_round() -> None:
    found = room(*to_handling())
    assert found.suspension_until == date(2026, 8, 29), "180 days after 2 March"
    asking = ask.RequestSuspension(code="S01", resume_on=found.suspension_until, words=words())
    assert given(*to_handling()).when(asking, LEAD).refusal is None
    day = date(2026, 3, 4)
    waits = room(*to_handling(), suspension_asked(day))
    assert waits.suspension_until is None
    over = room(*to_handling(), suspension_asked(day), suspended(day))
    assert over.suspension_until is None and Action.REQUEST_SUSPENSION not in over.why_not


def test_an_appeal_is_told_once_the_case_is_closed() -> None:
    assert room(*to_closed()).appeal_until is not None
    assert room(*to_handling()).appeal_until is None


@pytest.mark.parametrize("facts", [to_registered(), to_closed()], ids=["registered", "closed"])
def test_where_the_table_has_no_such_request_nothing_is_said_of_it(
    facts: tuple[Fact, ...],
) -> None:
    found = room(*facts)
    assert found.return_until is None and Action.REQUEST_RETURN not in found.why_not
    assert found.extension_until is None and Action.REQUEST_EXTENSION not in found.why_not
    assert room(*to_dispatched()).return_until is not None
