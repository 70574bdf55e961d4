"""Photos that a handler sends by the one-time link of 指派: what is there, and a look at it.

They stand under the case, good for a day, until the 街镇 cites them in its 整改反馈. Nobody else
sees them before, and no original is served.
"""

from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from uuid import UUID

from api.door import Door
from api.examining import unpacked
from api.parts import Parts
from api.request_schemas import CaseUploadOut
from casework.application import Loaded
from casework.errors import UnknownCase
from casework.evidence import Derived, EvidenceExamined, PhotoUnreadable
from casework.lifecycle import Status
from projections import evidence_seen
from projections.evidence_seen import STATE_NAMES, State
from projections.tables import reading

MOST = 30
"""Files shown: more than three hand-overs may cite."""


async def case_of_link(parts: Parts, link: str) -> Loaded:
    """The case whose current one-time link this is.

    Raises:
        UnknownCase: it is none, or void: handed over since, or assigned anew.

    """
    door = Door(parts)
    text, _, secret = link.partition(".")
    case_id = await door.case_id(text)
    loaded = await door.loaded(case_id)
    case = loaded.case
    given = sha256(secret.encode(errors="replace")).hexdigest()
    if case.status is not Status.HANDLING or not compare_digest(case.upload_link or "", given):
        raise UnknownCase(case_id)
    return loaded


def owner_of_case(case_id: UUID) -> str:
    """Under whose name uploads by a link stand."""
    return f"case:{case_id}"


async def uploads_of(parts: Parts, case_id: UUID) -> tuple[CaseUploadOut, ...]:
    """What was sent by links of this case and is still to be cited, the oldest first."""
    now = parts.now()
    return await Door(parts).in_thread(lambda: _uploads(parts, case_id, now))


def _uploads(parts: Parts, case_id: UUID, now: datetime) -> tuple[CaseUploadOut, ...]:
    held = parts.uploads.held_by(owner_of_case(case_id), now, MOST)
    with reading(parts.feed.readers.engine) as connection:
        cited = {c.upload for c in evidence_seen.citing(connection, [u.id for u, _ in held])}
    shown = []
    for upload, outcome in held:
        if upload.id in cited:
            continue
        found = None if outcome is None else unpacked(outcome)
        state = State.EXAMINING
        if found is not None:
            state = State.READY if isinstance(found, EvidenceExamined) else State.UNREADABLE
        ready = state is State.READY
        shown.append(
            CaseUploadOut(
                upload=upload.id,
                good_until=upload.good_until,
                bytes=upload.blob.size,
                state=state,
                state_name=STATE_NAMES[state],
                says=found.says if isinstance(found, PhotoUnreadable) else None,
                picture=f"/api/v1/cases/{case_id}/uploads/{upload.id}" if ready else None,
            )
        )
    return tuple(shown)


def thumbnail_of(parts: Parts, case_id: UUID, upload: UUID) -> Derived | None:
    """The small picture made of an upload of this case, or None. May wait for a disk."""
    found = parts.uploads.of([upload], [owner_of_case(case_id)])
    outcome = found.get(upload)
    told = None if outcome is None else unpacked(outcome)
    return told.thumbnail if isinstance(told, EvidenceExamined) else None
