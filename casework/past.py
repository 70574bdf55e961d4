"""A case's history as handlings that the dry run can judge. Reads facts, decides nothing.

Only first rounds are judged: a reopened one has a limit of its own (half), which no catalogue
row names. A handling that ended with an accepted return, a recall, a transfer or a forced end was
never handed over and is left out.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from casework import events as did
from casework.dry_run import PastHandling
from casework.log.port import Recorded
from casework.model import Clock, PlaceKind

_NEVER_HANDED_OVER = (
    did.ReturnAccepted,
    did.CaseRecalled,
    did.CaseTransferred,
    did.CaseForceClosed,
    did.CaseMerged,
)


class _Running(msgspec.Struct, kw_only=True):
    """A handling as far as it is told."""

    street: str
    dispatched_at: datetime
    due_at: datetime
    handed_over_at: datetime | None = None
    paused_at: datetime | None = None
    pauses: tuple[tuple[datetime, datetime], ...] = ()
    extensions: int = 0


def past_handlings(
    case_id: UUID, history: Iterable[Recorded], first: datetime, last: datetime
) -> list[PastHandling]:
    """The first-round handlings of a case that were dispatched at or after `first`, before `last`.

    `history` is the case's own stream from its first event. Indicator, condition and kind of
    place are those that held at the end, as after a reclassification the whole handling is
    judged anew.
    """
    told = _Telling()
    for recorded in history:
        told.take(recorded)
    if told.indicator is None or told.condition is None:
        return []
    found = told.finished if told.running is None else [*told.finished, told.running]
    return [
        PastHandling(
            case=str(case_id),
            indicator=told.indicator,
            condition=told.condition,
            street=one.street,
            place_kind=told.place_kind,
            dispatched_at=one.dispatched_at,
            due_at=one.due_at,
            handed_over_at=one.handed_over_at,
            pauses=one.pauses,
            extensions=one.extensions,
        )
        for one in found
        if first <= one.dispatched_at < last
    ]


class _Telling:
    def __init__(self) -> None:
        self.indicator: str | None = None
        self.condition: str | None = None
        self.place_kind = PlaceKind.OTHER
        self.running: _Running | None = None
        self.reopened = False
        self.finished: list[_Running] = []

    def take(self, recorded: Recorded) -> None:
        event, at = recorded.event, recorded.at
        if self.reopened:
            return
        match event:
            case did.ReportSubmitted(place=place) | did.PlaceCorrected(place=place):
                self.place_kind = place.kind
            case did.CaseRegistered(indicator=indicator, condition=condition):
                self.indicator, self.condition = indicator, condition
            case did.CaseReclassified(indicator=indicator, condition=condition):
                self.indicator = indicator
                self.condition = condition or self.condition
            case did.CaseDispatched(street=street, due_at=due_at):
                self.running = _Running(street=street, dispatched_at=at, due_at=due_at)
            case did.CaseReopened():
                self.reopened = True
            case _:
                pass
        if self.running is not None:
            _hand_over(self.running, event, at)
            _stand_still(self.running, event, at)
            self._end(self.running, event)

    def _end(self, running: _Running, event: msgspec.Struct) -> None:
        if isinstance(event, did.CaseClosed):
            self.finished.append(running)
        if isinstance(event, (did.CaseClosed, *_NEVER_HANDED_OVER)):
            self.running = None


def _hand_over(running: _Running, event: msgspec.Struct, at: datetime) -> None:
    """When it was handed over, and what was granted or taken back."""
    match event:
        case did.CaseRectified():
            running.handed_over_at = at
        case did.ReworkOrdered(verification_counts=counts):
            # Not accepted after all; with other codes the wait for the verdict stood still.
            if running.handed_over_at is not None and not counts:
                running.pauses = (*running.pauses, (running.handed_over_at, at))
            running.handed_over_at = None
        case did.RectificationUnreadable():
            running.handed_over_at = None
        case did.ExtensionGranted():
            running.extensions += 1
        case _:
            pass


def _stand_still(running: _Running, event: msgspec.Struct, at: datetime) -> None:
    """While suspended the clock stands still; afterwards it has another due time."""
    if isinstance(event, did.CaseSuspended):
        running.paused_at = at
    elif isinstance(event, did.CaseResumed) and running.paused_at is not None:
        running.pauses = (*running.pauses, (running.paused_at, at))
        running.paused_at = None
    for started in event.started if isinstance(event, did.Fact) else ():
        if started.clock is Clock.HANDLING:
            running.due_at = started.due_at
