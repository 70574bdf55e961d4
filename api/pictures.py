"""Which uploads of a case somebody may see, and in which form. Reads no bytes and no table.

An original is never served. Whoever may see the case sees what is theirs to see of it: a citizen
their own uploads and what a 街镇 handed over, a partner what it sent and what was handed over, an
analyst only what was redacted.
"""

from collections.abc import Sequence

from api.schemas import FileOut, FindingOut, PhotoOut, RedactionOut
from casework.model import Actor, ActorKind, Role
from projections.evidence import HANDED_OVER
from projections.evidence_seen import STATE_NAMES, CasePhoto, Cited, File, State

REPORTED = "report-submitted"

_ORIGINALS = (
    Role.REVIEWER,
    Role.SUPERVISOR,
    Role.STREET,
    Role.STREET_LEAD,
    Role.CHECKER,
    Role.EDITOR,
)
_FINDINGS = (Role.REVIEWER, Role.SUPERVISOR)
_REDACTIONS = (Role.EDITOR, Role.REVIEWER)


def may_see_upload(actor: Actor, cited: Cited) -> bool:
    """Whether one who may see the case may see this upload of it."""
    match actor.kind:
        case ActorKind.CITIZEN:
            return cited.event == HANDED_OVER or str(cited.person) == actor.id
        case ActorKind.PARTNER:
            return cited.event in {HANDED_OVER, REPORTED}
        case ActorKind.STAFF:
            return actor.holds(*_ORIGINALS)
        case _:
            return False


def may_see_file(actor: Actor, cited: Cited, file: File) -> bool:
    """The same of a picture made from it. A redacted one is for those who prepare publication."""
    if file.kind == "redacted":
        return actor.holds(Role.EDITOR, Role.REVIEWER, Role.SUPERVISOR, Role.ANALYST)
    return may_see_upload(actor, cited)


def may_see_findings(actor: Actor) -> bool:
    """Findings are the reviewer's to weigh."""
    return actor.holds(*_FINDINGS)


def may_see_redactions(actor: Actor) -> bool:
    """Who covered what is for those who prepare publication."""
    return actor.holds(*_REDACTIONS)


def may_listen(actor: Actor, cited: Cited) -> bool:
    """A recording is the reporter's voice: theirs, and those who handle the case."""
    if actor.kind is ActorKind.STAFF:
        return actor.holds(Role.REVIEWER, Role.SUPERVISOR, Role.STREET, Role.STREET_LEAD)
    return may_see_upload(actor, cited)


def photos_shown(photos: Sequence[CasePhoto], actor: Actor) -> tuple[PhotoOut, ...]:
    """The uploads of a case as one who may see the case sees them."""
    return tuple(_shown(photo, actor) for photo in photos if _in_sight(actor, photo))


def _in_sight(actor: Actor, photo: CasePhoto) -> bool:
    if photo.cited.is_recording:
        return may_listen(actor, photo.cited)
    if may_see_upload(actor, photo.cited):
        return True
    redacted = photo.file("redacted")
    return redacted is not None and may_see_file(actor, photo.cited, redacted)


def _shown(photo: CasePhoto, actor: Actor) -> PhotoOut:
    """An upload as this actor sees it."""
    cited = photo.cited
    heard = cited.is_recording and photo.state is State.READY

    def picture(kind: str) -> FileOut | None:
        file = photo.file(kind)
        return file_out(file) if file and may_see_file(actor, cited, file) else None

    return PhotoOut(
        upload=cited.upload,
        came_with=cited.event,
        at=cited.at,
        position=cited.position,
        kind="recording" if cited.is_recording else "photo",
        source=cited.source,
        state=photo.state,
        state_name=STATE_NAMES[photo.state],
        says=photo.says,
        thumbnail=picture("thumbnail"),
        display=picture("display"),
        redacted=picture("redacted"),
        recording=f"/api/v1/recordings/{cited.upload.hex}" if heard else None,
        seconds=photo.seconds,
        checked=photo.checked if may_see_findings(actor) else False,
        findings=tuple(
            FindingOut(
                id=f.id,
                kind=f.kind,
                severity=f.severity,
                says=f.says,
                upload=f.upload,
                other_case=f.other_case,
                at=f.at,
            )
            for f in (photo.findings if may_see_findings(actor) else ())
        ),
        redactions=tuple(
            RedactionOut(
                number=r.number,
                boxes=r.boxes,
                redacted_by=r.redacted_by,
                redacted_at=r.redacted_at,
                confirmed_by=r.confirmed_by,
                confirmed_at=r.confirmed_at,
            )
            for r in (photo.redactions if may_see_redactions(actor) else ())
        ),
    )


def file_out(file: File) -> FileOut:
    """Where a picture is fetched, and how large it is."""
    return FileOut(url=f"/api/v1/photos/{file.name}", width=file.width, height=file.height)
