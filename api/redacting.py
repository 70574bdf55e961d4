"""Makes a photo fit to be published: who covers what, and who looks again. Draws nothing itself.

Models propose boxes where the `vision` extra is installed; an editor keeps, drops and adds, and
says that they looked; somebody else looks at the result. Only then is the photo publishable, with
the reporter's consent where it is a reporter's. The stream evidence/{upload} names who looked.
"""

from collections.abc import Callable, Sequence
from typing import cast
from uuid import UUID

import msgspec

from api.evidence_schemas import BoxesOut, BoxIn, ConfirmedOut, ConfirmIn, RedactedOut, RedactIn
from api.examining import Examining, stream_of
from api.pictures import file_out
from api.problems import ProblemError, problem_error
from api.small_streams import Asked, carry_out, readable
from casework import evidence
from casework.application import Casework
from casework.errors import Erased, KeyReused, Missing
from casework.events import ReporterJoined, ReportSubmitted
from casework.evidence import Box, PhotoRedacted, RedactionConfirmed, Told
from casework.log.port import Recorded
from evidence import redaction
from evidence.errors import BlobDamaged, BlobMissing
from evidence.examining import Examiner
from evidence.redaction import BadBox, Finder, What
from evidence.sandbox import SandboxBroken
from evidence.unreadable import Unreadable as UnreadablePicture
from projections import evidence_seen
from projections.evidence import HANDED_OVER
from projections.evidence_seen import CasePhoto, File, State
from projections.feed import Feed
from projections.tables import reading


class Redacting:
    """Covers, and has it looked at. Every call may wait for a disk or for a picture."""

    def __init__(
        self,
        *,
        casework: Casework,
        examining: Examining,
        examiner: Examiner,
        finder: Finder,
        feed: Callable[[], Feed],
    ) -> None:
        self._casework = casework
        self._examining = examining
        self._examiner = examiner
        self._finder = finder
        self._feed = feed

    def propose(self, case_id: UUID, upload: UUID) -> BoxesOut:
        """Boxes that models see on the display picture; none where no model is installed."""
        display = self._display(case_id, upload)
        try:
            found = self._finder.find(self._read(display))
        except SandboxBroken:
            raise later() from None
        return BoxesOut(
            upload=upload,
            width=display.width,
            height=display.height,
            models=tuple(str(what) for what in found.looked_for),
            boxes=tuple(map(_box_in, found.boxes)),
            drawn=self._drawn(upload),
            says=redaction.says(found.looked_for),
        )

    def _drawn(self, upload: UUID) -> tuple[BoxIn, ...]:
        """What the newest covering covers; nothing where the photo was never covered."""
        history = readable(self._casework.eventlog.history(stream_of(upload)))
        made = [told.event for told in history if isinstance(told.event, PhotoRedacted)]
        return tuple(map(_box_in, made[-1].boxes)) if made else ()

    def redact(self, case_id: UUID, upload: UUID, form: RedactIn, asked: Asked) -> RedactedOut:
        """Cover these boxes on a new picture. The same command gets the same answer."""
        if not form.looked:
            raise Missing("looked", "请查看整张照片后再确认。")
        display = self._display(case_id, upload)
        boxes = [
            redaction.Box(b.left, b.top, b.right, b.bottom, What(b.what), b.score)
            for b in form.boxes
        ]
        try:
            redaction.check(boxes)
        except BadBox as bad:
            raise Missing("boxes", str(bad)) from None

        def tell(history: Sequence[Told]) -> evidence.Event:
            made = self._covered(display, boxes)
            (file,) = self._examining.keep(upload, display.wrapped_key, [made])
            return PhotoRedacted(
                upload=upload,
                person=evidence.person_of(history),
                case=case_id,
                number=evidence.next_redaction(history),
                file=file,
                boxes=tuple(
                    Box(b.left, b.top, b.right, b.bottom, b.what, b.score) for b in form.boxes
                ),
            )

        event = self._tell(upload, tell, asked).event
        if not isinstance(event, PhotoRedacted):
            raise KeyReused
        file = event.file
        picture = file_out(
            File(
                name=file.name,
                upload=upload,
                kind="redacted",
                number=event.number,
                sha256=file.sha256,
                wrapped_key=file.wrapped_key,
                media_type=file.media_type,
                size=file.size,
                width=file.width,
                height=file.height,
            )
        )
        return RedactedOut(upload=upload, number=event.number, picture=picture)

    def confirm(self, case_id: UUID, upload: UUID, form: ConfirmIn, asked: Asked) -> ConfirmedOut:
        """A second person found nothing left to cover on the newest redaction."""
        if not form.looked:
            raise Missing("looked", "请查看遮盖后的整张照片再确认。")
        self._display(case_id, upload)

        def tell(history: Sequence[Told]) -> evidence.Event:
            return evidence.confirm_redaction(history, upload, case_id, form.number, asked.by)

        done = self._tell(upload, tell, asked)
        event = done.event
        if not isinstance(event, RedactionConfirmed):
            raise KeyReused
        return ConfirmedOut(
            upload=upload, number=event.number, confirmed_by=done.actor.id, confirmed_at=done.at
        )

    def publishable(self, case_id: UUID, upload: UUID) -> File:
        """The picture that may be published of this photo: what a monthly issue asks for.

        Raises Missing in words for the editor: not confirmed yet, or no consent.
        """
        (found,) = self.publishable_each(case_id, (upload,))
        if isinstance(found, Missing):
            raise found
        return found

    def publishable_each(self, case_id: UUID, uploads: Sequence[UUID]) -> list[File | Missing]:
        """The same of several photos of a case, each a picture or why there is none."""
        photos = self._photos(case_id)
        history = list(self._casework.history(case_id)) if photos else []
        return [_publishable(photos.get(upload), history) for upload in uploads]

    # small parts ---------------------------------------------------------------------

    def _photos(self, case_id: UUID) -> dict[UUID, CasePhoto]:
        """The photos of a case by upload, each as it was first cited."""
        with reading(self._feed().readers.engine) as connection:
            found = evidence_seen.photos_of_case(connection, case_id)
        return {
            photo.cited.upload: photo for photo in reversed(found) if not photo.cited.is_recording
        }

    def _photo(self, case_id: UUID, upload: UUID) -> CasePhoto:
        photo = self._photos(case_id).get(upload)
        if photo is None:
            raise no_such_photo()
        return photo

    def _display(self, case_id: UUID, upload: UUID) -> File:
        """The display picture of a photo of this case. Raises ProblemError, Missing."""
        photo = self._photo(case_id, upload)
        if photo.state is State.EXAMINING:
            raise Missing("upload", "照片还在检查中，请稍后再试。")
        file = photo.file("display")
        if file is None:
            raise Missing("upload", photo.says or "照片无法使用。")
        return file

    def _read(self, file: File) -> bytes:
        try:
            return self._examining.read(file)
        except (Erased, BlobMissing, BlobDamaged):
            raise no_such_photo() from None

    def _covered(self, display: File, boxes: Sequence[redaction.Box]) -> bytes:
        try:
            made = redaction.redact(self._examiner, self._read(display), boxes)
        except SandboxBroken:
            raise later() from None
        if isinstance(made, UnreadablePicture):
            raise Missing("upload", made.sentence)
        return made

    def _tell(
        self, upload: UUID, tell: Callable[[Sequence[Told]], evidence.Event], asked: Asked
    ) -> Recorded:
        stream, log = stream_of(upload), self._casework.eventlog

        def decide() -> tuple[int, Sequence[evidence.Event]]:
            history = readable(log.history(stream))
            told = [Told(cast("evidence.Event", each.event), each.actor) for each in history]
            return len(history), (tell(told),)

        return carry_out(log, stream, decide, asked)


def _publishable(photo: CasePhoto | None, history: Sequence[Recorded]) -> File | Missing:
    """The picture that may be published of a photo of the case with this history, or why none."""
    if photo is None:  # erased, or of another case
        return Missing("photos", str(no_such_photo()))
    newest = photo.redactions[-1] if photo.redactions else None
    file = photo.file("redacted")
    if newest is None or newest.confirmed_by is None or file is None:
        return Missing("photos", "照片须经遮盖并由另一人确认后才能公开。")
    if not _consented(photo, history):
        return Missing("photos", "反映人没有同意公开这张照片。")
    return file


def _consented(photo: CasePhoto, history: Sequence[Recorded]) -> bool:
    """A 街镇's photo needs nobody's consent; a reporter's needs theirs, from when they came."""
    if photo.cited.event == HANDED_OVER:
        return True
    for recorded in history:
        event = recorded.event
        if (
            isinstance(event, ReportSubmitted | ReporterJoined)
            and event.person == photo.cited.person
        ):
            return event.consents.publication
    return False


def _box_in(box: Box | redaction.Box) -> BoxIn:
    return BoxIn.model_validate(msgspec.structs.asdict(box) | {"what": str(box.what)})


def later() -> ProblemError:
    """The process that works on pictures cannot be had now."""
    return problem_error(
        503,
        "pictures-busy",
        "暂时不能处理照片",
        "照片处理程序暂时不可用，请稍后重试。",
        headers={"Retry-After": "5"},
    )


def no_such_photo() -> ProblemError:
    """Not a photo of this case, or erased."""
    return problem_error(404, "unknown-file", "没有找到", "没有找到这张照片。")
