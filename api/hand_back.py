"""Has the clock hand back a case none of whose hand-over's photos can be read. Decides nothing.

Asked anew every few seconds of what the views know, so that no restart forgets one: the command's
id is drawn from the case and the moment of the hand-over, and the rules look at it again.
"""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from api.parts import Parts
from casework import commands as ask
from casework.errors import Refusal
from casework.lifecycle import Status
from casework.model import CLOCK
from projections import evidence_seen
from projections.tables import reading

_COMMANDS = UUID("c0a5d6b2-0f0b-5b43-9a3e-6d2a1c7e9f14")

LOOK_BACK = timedelta(days=7)
"""How long ago a photo may have been told unreadable: an outage of a week is made up for."""


def command_id(case_id: UUID, rectified_at: datetime | None) -> UUID:
    """The one id of handing back what was handed over then."""
    return uuid5(_COMMANDS, f"{case_id}\0{rectified_at.isoformat() if rectified_at else ''}")


async def hand_back_unreadable(parts: Parts) -> int:
    """Hand back what stands rectified without a readable photo; how many cases."""
    at = parts.now()

    def look() -> list[UUID]:
        with reading(parts.feed.readers.engine) as connection:
            return evidence_seen.hand_overs_unreadable(connection, at - LOOK_BACK)

    handed_back = 0
    for case_id in await asyncio.to_thread(look):
        loaded = await parts.casework.current(case_id)
        if loaded is None or loaded.case.status is not Status.RECTIFIED:
            continue
        photos = loaded.case.handed_over

        def known(photos: tuple[UUID, ...] = photos) -> frozenset[UUID]:
            with reading(parts.feed.readers.engine) as connection:
                return evidence_seen.unreadable(connection, photos)

        unreadable = await asyncio.to_thread(known)
        if not photos or not set(photos) <= unreadable:
            continue
        command = ask.HandBackUnreadable(unreadable=tuple(sorted(unreadable)))
        try:
            done = await parts.casework.handle(
                case_id,
                command,
                at=at,
                by=CLOCK,
                command_id=command_id(case_id, loaded.case.rectified_at),
            )
        except Refusal:
            continue  # it moved on meanwhile
        handed_back += not done.repeated
    return handed_back
