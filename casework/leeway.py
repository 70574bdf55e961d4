"""What a 街镇 may still ask for with its case, and until when: told before anybody asks.

The same questions that the decisions ask themselves, so what is told here is what will be said to
the request. Decides nothing, and knows no actor: who may ask is the table's.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import TypeVar

import msgspec

from casework.decisions.asking import Asking
from casework.decisions.handling import extensions_allowed, may_extend, may_suspend
from casework.decisions.oversight import may_appeal
from casework.decisions.territory import may_return
from casework.errors import Refusal
from casework.lifecycle import Action
from casework.model import Limit
from casework.state import row_for

T = TypeVar("T")


class Leeway(msgspec.Struct, frozen=True, kw_only=True):
    """What may be asked for now. A time or day: until then; None: not now.

    `why_not` says for each request that the table has here and that is not possible, in a sentence,
    why. `extension_longest` is the most that one extension may add, in the limit's kind of time.
    """

    return_until: datetime | None = None
    extension_until: datetime | None = None
    extensions_granted: int = 0
    extensions_most: int = 0
    extension_longest: Limit | None = None
    suspension_until: date | None = None
    appeal_until: datetime | None = None
    why_not: dict[Action, str] = {}


def leeway(a: Asking) -> Leeway:
    """What the 街镇 that has the case may still ask for."""
    why_not: dict[Action, str] = {}

    def ask(action: Action, question: Callable[[Asking], T]) -> T | None:
        if row_for(a.case.status, action) is None:
            return None
        try:
            return question(a)
        except Refusal as refusal:
            why_not[action] = str(refusal)
            return None

    limit = a.case.limit
    return Leeway(
        return_until=ask(Action.REQUEST_RETURN, may_return),
        extension_until=ask(Action.REQUEST_EXTENSION, may_extend),
        extensions_granted=a.case.extensions,
        extensions_most=extensions_allowed(limit, a.rules.calendar) if limit else 0,
        extension_longest=limit,
        suspension_until=ask(Action.REQUEST_SUSPENSION, may_suspend),
        appeal_until=ask(Action.APPEAL, may_appeal),
        why_not=why_not,
    )
