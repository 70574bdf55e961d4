"""Audit rows that a crash left out, given again by the log. Adds nothing twice.

An accepted command is audited after it is durable, so a kill may come between the two; the log
knows who did what, and its command id stands in the trail only once.
"""

from collections.abc import Iterator, Sequence

from api.accounts.audit import Entry
from api.parts import Parts
from casework import evidence
from casework.events import STORED_AS, Fact, PersonErased
from casework.log.port import Recorded
from casework.model import ActorKind

_PAGE = 1000
_NAME_OF: dict[type, str] = {
    kind: name for table in (STORED_AS, evidence.STORED_AS) for name, kind in table.items()
}


def complete_trail(parts: Parts) -> int:
    """Read the log on from where the trail is known to be whole; returns how many rows it lacked.

    The last page's commands may still wait in the trail's own queue: they are found there by id.
    """
    added = 0
    position = parts.audit.recorded_through()
    while page := parts.casework.eventlog.since(position, _PAGE):
        position = page[-1].position
        added += parts.audit.record_missing(_entries(page), position)
    return added


def _entries(page: Sequence[Recorded]) -> Iterator[Entry]:
    """One row for each command of people; what the clock does stands in the log alone."""
    for recorded in page:
        event = recorded.event
        if recorded.ordinal or not isinstance(event, (Fact, PersonErased, evidence.EvidenceFact)):
            continue
        if recorded.actor.kind in {ActorKind.CLOCK, ActorKind.DISPATCHER}:
            continue
        citizen = recorded.actor.kind is ActorKind.CITIZEN
        name = _NAME_OF.get(type(event), "person-erased")
        yield Entry(
            at=recorded.at,
            principal_kind=str(recorded.actor.kind),
            principal_id=None if citizen else recorded.actor.id,
            action=f"log:{name}",
            target=f"stream/{recorded.stream}",
            facts={"version": recorded.version, "position": recorded.position},
            command_id=recorded.command_id,
        )
