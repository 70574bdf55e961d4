"""One case as one who may see it is told of it: its steps and its clocks, made of what was read.

Whoever asks for several answers about a case reads its log and its views once, and hands what was
read to each. Decides nothing; reads only through the connection it is given.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import cast
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import Connection

from api.clocks import ExplainOut, reading_out
from api.parts import Parts
from api.schemas import PhotoOut, Step
from api.shown import desk_step, name_of_street, public_step
from casework import clock_story
from casework.application import Loaded
from casework.case import Happened
from casework.events import Fact
from casework.log.port import Recorded
from casework.model import Actor, ActorKind
from projections import timeline


def facts_of(history: Iterable[Recorded]) -> list[Happened]:
    """What happened to the case itself, of all that stands in its stream."""
    return cast("list[Happened]", [each for each in history if isinstance(each.event, Fact)])


def clocks_told(
    parts: Parts, loaded: Loaded, actor: Actor, history: Iterable[Recorded], at: datetime
) -> ExplainOut | None:
    """How each clock stands at a moment, and how its due time came about; None before the report.

    Reporters and partners are told of the clocks of their case, not of what desks ask each other.
    Reckons long enough to be done in a thread.
    """
    told = clock_story.told(facts_of(history), parts.casework.references, at)
    if not told:
        return None
    if actor.kind is not ActorKind.STAFF:
        told = [replace(t, overlays=()) for t in told if t.clock in clock_story.FOR_REPORTERS]
    return ExplainOut(
        case_id=loaded.case_id,
        number=loaded.case.number,
        at=at,
        lines=tuple(line for one in told for line in one.lines),
        clocks=tuple(reading_out(one, at) for one in told),
    )


def steps_told(
    connection: Connection, parts: Parts, case_id: UUID, actor: Actor
) -> tuple[Step, ...]:
    """What happened, in order; for citizens and partners without accounts or persons."""
    name = partial(name_of_street, parts)
    if actor.kind is ActorKind.STAFF:
        own = timeline.steps_of(connection, case_id, name)
        return tuple(desk_step(parts, step) for step in own)
    public = timeline.public_steps_of(connection, case_id, name)
    return tuple(public_step(parts, step) for step in public)


def with_photos(steps: Iterable[Step], photos: Sequence[PhotoOut]) -> tuple[Step, ...]:
    """The steps, each with the uploads that came with it."""
    return tuple(
        step.model_copy(update={"photos": tuple(p for p in photos if p.position == step.position)})
        for step in steps
    )
