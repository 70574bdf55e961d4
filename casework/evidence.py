"""What was found out about an upload that a case cites (stream evidence/{upload id}).

Facts in which nothing about the case is decided: they arrive when they are ready, and whoever
closes a case or orders rework names the findings they have seen. Written once an event cites the
upload, never for files that nobody handed in. What the camera wrote and what the picture looks
like are sealed under the uploader's key; names of sealed files and sizes stand in the clear.

A new find in the same file has a new check version: the command's id is drawn from upload and
version, so that what two workers examine at once is told once.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid5

import msgspec

from casework.errors import ConflictOfInterest, NothingPending
from casework.model import Actor, Sealed

_CHECKS = UUID("3b1f6f0e-6f5c-5a6e-9b7d-5d5a3f0c8e21")


class EvidenceFact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something told of an upload. `person` is the reporter whose upload it is; None for staff."""

    upload: UUID
    person: UUID | None = None


class Derived(msgspec.Struct, frozen=True, omit_defaults=True):
    """A picture made from an upload: a random name, the SHA-256 of its sealed bytes.

    `wrapped_key` opens it with the uploader's key only; sizes in bytes and pixels.
    """

    name: str
    sha256: str
    wrapped_key: bytes
    media_type: str
    size: int
    width: int = 0
    height: int = 0


class Appearance(msgspec.Struct, frozen=True):
    """What a picture looks like, in numbers. It shows nothing, but finds the picture again.

    `content` is the SHA-256 of the file as sent and `pixels` that of its decoded pixels; `phash`
    and `dhash` are 64 bits each, unsigned; `parts` tells of parts of the picture. Brightness and
    highlights from 0 (black) to 255.
    """

    content: str
    pixels: str
    phash: int
    dhash: int
    parts: bytes
    brightness: float
    highlights: float
    sharpness: float


APPEARANCE = "appearance"
"""The field under which an `Appearance` is sealed, as JSON."""


class EvidenceExamined(EvidenceFact, frozen=True, kw_only=True):
    """The picture could be read. `sha256` names the sealed original, which is never served.

    `facts` is what the camera wrote and `appearance` an `Appearance`, both sealed. The fields from
    `content` to `sharpness` hold one told in the clear, as it was before ADR 0146.
    """

    sha256: str
    version: int
    media_type: str
    width: int
    height: int
    content: str = ""
    pixels: str = ""
    phash: int = 0
    dhash: int = 0
    parts: bytes = b""
    brightness: float = 0.0
    highlights: float = 0.0
    sharpness: float = 0.0
    thumbnail: Derived
    display: Derived
    facts: Sealed | None = None
    appearance: Sealed | None = None


class PhotoUnreadable(EvidenceFact, frozen=True, kw_only=True):
    """The file cannot be used, now or later; `says` is the sentence for whoever sent it."""

    sha256: str
    version: int
    code: str
    says: str


class RecordingExamined(EvidenceFact, frozen=True, kw_only=True):
    """The recording is one, of so many seconds."""

    sha256: str
    version: int
    media_type: str
    seconds: float


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """What speaks against a photo of a hand-over. It advises; it refuses nothing.

    `severity` is note, doubt or grave. `other` is the upload that it looks like, `other_case` the
    case which cites that one.
    """

    id: UUID
    kind: str
    says: str
    severity: str = "note"
    other: UUID | None = None
    other_case: UUID | None = None


class PhotoChecked(EvidenceFact, frozen=True, kw_only=True):
    """A photo of a hand-over was compared with what is known; perhaps nothing was found.

    `rectified_at` is the moment of the hand-over, `position` where it stands in the log.
    """

    case: UUID
    position: int
    rectified_at: datetime
    version: int
    findings: tuple[Finding, ...] = ()


class Box(msgspec.Struct, frozen=True, omit_defaults=True):
    """A rectangle covered with one colour, in parts of width and height from the upper left corner.

    `what` is face, plate, text or by_hand; `score` what the model gave it, 1 for one drawn by hand.
    """

    left: float
    top: float
    right: float
    bottom: float
    what: str = "by_hand"
    score: float = 1.0


class PhotoRedacted(EvidenceFact, frozen=True, kw_only=True):
    """An editor covered what must not be shown, or found nothing to cover, looking at it."""

    case: UUID
    number: int
    file: Derived
    boxes: tuple[Box, ...] = ()


class RedactionConfirmed(EvidenceFact, frozen=True, kw_only=True):
    """A second person looked at the redacted picture and found nothing left to cover."""

    case: UUID
    number: int


Opened = Callable[[Sealed, UUID, str, UUID], str | None]
"""Sealed text, about what, its field, its command; in the clear, or None: the key is destroyed."""

Event = (
    EvidenceExamined
    | PhotoUnreadable
    | RecordingExamined
    | PhotoChecked
    | PhotoRedacted
    | RedactionConfirmed
)

STORED_AS: dict[str, type[Event]] = {
    "evidence-examined": EvidenceExamined,
    "photo-unreadable": PhotoUnreadable,
    "recording-examined": RecordingExamined,
    "photo-checked": PhotoChecked,
    "photo-redacted": PhotoRedacted,
    "redaction-confirmed": RedactionConfirmed,
}


def appearance_of(
    examined: EvidenceExamined, command_id: UUID, opened: Opened
) -> Appearance | None:
    """What the picture looks like; None where the key is destroyed. Raises what `opened` does."""
    sealed = examined.appearance
    if sealed is None:
        return Appearance(
            content=examined.content,
            pixels=examined.pixels,
            phash=examined.phash,
            dhash=examined.dhash,
            parts=examined.parts,
            brightness=examined.brightness,
            highlights=examined.highlights,
            sharpness=examined.sharpness,
        )
    text = opened(sealed, examined.upload, APPEARANCE, command_id)
    return None if text is None else msgspec.json.decode(text, type=Appearance)


def examination_id(upload: UUID, version: int) -> UUID:
    """The one command id under which a check version tells of an upload."""
    return uuid5(_CHECKS, f"{upload}\0examined\0{version}")


def check_id(upload: UUID, position: int, version: int) -> UUID:
    """The one command id of comparing a photo of the hand-over at a position of the log."""
    return uuid5(_CHECKS, f"{upload}\0checked\0{position}\0{version}")


def finding_id(upload: UUID, position: int, kind: str, other: UUID | None = None) -> UUID:
    """A finding's id: the same whoever finds it."""
    return uuid5(_CHECKS, f"{upload}\0found\0{position}\0{kind}\0{other or ''}")


# before publication ----------------------------------------------------------------------


class Told(NamedTuple):
    """A fact of an upload's stream, and who told it."""

    event: Event
    by: Actor


def next_redaction(history: Sequence[Told]) -> int:
    """The number of the next redacted picture; they are counted from 1."""
    return 1 + sum(isinstance(told.event, PhotoRedacted) for told in history)


def person_of(history: Sequence[Told]) -> UUID | None:
    """Whose upload it is, as the stream has it."""
    return next((told.event.person for told in history if told.event.person is not None), None)


def confirm_redaction(
    history: Sequence[Told], upload: UUID, case: UUID, number: int, by: Actor
) -> RedactionConfirmed:
    """A second person has looked at the newest redacted picture.

    Raises:
        NothingPending: it is not the newest, or confirmed already.
        ConflictOfInterest: the one who covered it cannot confirm it.

    """
    made = [told for told in history if isinstance(told.event, PhotoRedacted)]
    if not made or number != len(made):
        raise NothingPending("确认遮盖", "没有这一版待确认的遮盖照片，请查看最新的一版。")
    for told in history:
        if isinstance(told.event, RedactionConfirmed) and told.event.number == number:
            raise NothingPending("确认遮盖", "这一版遮盖照片已经确认过。")
    if made[-1].by.id == by.id:
        raise ConflictOfInterest("确认遮盖", "照片由您遮盖")
    return RedactionConfirmed(upload=upload, person=person_of(history), case=case, number=number)
