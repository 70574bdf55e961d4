"""Has uploads examined, and tells the log of those that a case cites. Decodes nothing itself.

Two threads' worth of work, both drawn from what is on the disk:
examine: a file without an outcome in the desk's database → a sandboxed process → the files made
from it, sealed under the same person's key → the outcome, kept with the upload.
tell: what the views say is owed to an upload that a fact cites, as soon as both are there → the
facts of stream evidence/{upload}, each under one command id, so that two processes tell it once.
A file that nobody cites is never told of, and goes after 48 hours (`api.collecting`).
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec.structs import replace

from api.checking import FACTS, Checking
from api.logs import log
from api.stored_files import blob_of, content_of, unwrapping
from api.uploads import Upload, Uploads
from casework import evidence
from casework.application import NAMES, Casework
from casework.errors import Erased
from casework.evidence import (
    APPEARANCE,
    Appearance,
    Derived,
    EvidenceExamined,
    PhotoUnreadable,
    RecordingExamined,
)
from casework.log.port import stream_id
from casework.model import Actor, ActorKind, Sealed
from casework.sealing import Sealer
from evidence import recordings
from evidence.blobs import BlobStore
from evidence.errors import BlobDamaged, BlobMissing, UploadRefused
from evidence.examining import CHECK_VERSION, Examined, Examiner
from evidence.unreadable import Unreadable
from projections import evidence_seen
from projections.evidence import CHECK, EXAMINE
from projections.evidence_seen import Cited, Owed
from projections.feed import Feed
from projections.tables import TRANSIENT, reading

EXAMINER = Actor(ActorKind.CLOCK, "examiner")
"""Who tells of an upload: nobody's decision."""

TELL_SECONDS = 0.1
SWEEP_SECONDS = 10.0
"""How often all that is owed is looked through, for what another process examined or restored."""
LOOK_SECONDS = 1.0
"""Another process may have taken the file in: so look again this often."""
AT_ONCE = 200
RETRY_SECONDS = 2.0

Outcome = EvidenceExamined | PhotoUnreadable | RecordingExamined


def stream_of(upload: UUID) -> UUID:
    """The stream of what was found out about an upload."""
    return stream_id(f"evidence/{upload}")


def packed(outcome: Outcome) -> bytes:
    """An outcome as it is kept until it is told: stored name, then the event's JSON."""
    return NAMES.name_of(outcome).encode() + b"\n" + NAMES.encode(outcome)


def unpacked(stored: bytes) -> Outcome:
    """The outcome of `packed`."""
    name, _, state = stored.partition(b"\n")
    found = NAMES.decode(name.decode(), state)
    assert isinstance(found, EvidenceExamined | PhotoUnreadable | RecordingExamined)
    return found


class Examining:
    """The threads that examine and tell. `most_waiting` bounds the queue."""

    def __init__(  # noqa: PLR0913  a part each
        self,
        *,
        uploads: Uploads,
        blobs: BlobStore,
        sealer: Sealer,
        casework: Casework,
        feed: Callable[[], Feed],
        examiner: Examiner,
        checking: Checking,
        now: Callable[[], datetime],
        new_id: Callable[[], UUID],
        threads: int,
        most_waiting: int,
    ) -> None:
        self._uploads = uploads
        self._blobs = blobs
        self._sealer = sealer
        self._casework = casework
        self._feed = feed
        self._examiner = examiner
        self._checking = checking
        self._now = now
        self._new_id = new_id
        self._most = most_waiting
        self._wanted = threading.Semaphore(0)
        self._ended = threading.Event()
        self._newest: Owed | None = None
        """Up to where what is owed was looked through."""
        self._counted: tuple[float, int] = (float("-inf"), 0)
        self.failures = 0
        self._threads = [
            threading.Thread(target=self._examine_all, name=f"examine-{n}", daemon=True)
            for n in range(threads)
        ]
        self._threads.append(threading.Thread(target=self._tell_all, name="tell", daemon=True))

    # life ----------------------------------------------------------------------------

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End after the file in hand."""
        self._ended.set()
        for _ in self._threads:
            self._wanted.release()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def arrived(self) -> None:
        """A file was taken in that is to be examined."""
        at, count = self._counted
        self._counted = (at, count + 1)
        self._wanted.release()

    def waiting(self) -> int:
        """How many files wait, as of a second ago; older where the database cannot be asked."""
        at, count = self._counted
        if time.monotonic() - at > LOOK_SECONDS:
            with suppress(*TRANSIENT):
                count = self._uploads.waiting()
            self._counted = (time.monotonic(), count)
        return count

    def is_full(self) -> bool:
        """Whether so many files wait that no more are taken in."""
        return self.waiting() >= self._most

    # examine -------------------------------------------------------------------------

    def _examine_all(self) -> None:
        while not self._ended.is_set():
            try:
                if self.examine_next():
                    self._wanted.acquire(blocking=False)  # its own: or each wakes somebody twice
                else:
                    self._wanted.acquire(timeout=LOOK_SECONDS)
            except Exception as fault:  # noqa: BLE001  a thread that ended would leave every photo unseen
                self._note(fault)

    def _note(self, fault: Exception) -> None:
        if self._ended.is_set():
            return  # what is ending fails, and nothing is lost by it
        self.failures += 1
        log.error("examining", kind=type(fault).__name__)
        self._ended.wait(RETRY_SECONDS)

    def examine_next(self) -> bool:
        """Examine the file that has waited longest. False where none waits."""
        upload = self._uploads.take(self._now())
        if upload is None:
            return False
        self.examine(upload)
        return True

    def examine(self, upload: Upload) -> None:
        """Examine this file, whichever others wait."""
        try:
            outcome = self._outcome(upload)
        except Erased:
            return  # the sweep of the erasure removes what there is
        except BlobMissing:
            log.error("examining", upload=str(upload.id), fault="the file is missing")
            return  # taken for a while, then looked for again: a restore may bring it
        self._uploads.settle(upload.id, packed(outcome))
        self._tell_of(upload.id)

    def _outcome(self, upload: Upload) -> Outcome:
        blob = upload.blob
        try:
            pieces = list(self._blobs.get(blob, unwrapping(self._sealer)))
        except BlobDamaged:
            return self._unreadable(upload, "damaged_here", "照片文件在保存中损坏，请重新上传。")
        if blob.media_type.startswith("audio/"):
            return self._heard(upload, pieces)
        found = self._examiner.examine(pieces)
        if isinstance(found, Unreadable):
            return self._unreadable(upload, str(found.code), found.sentence)
        return self._examined(upload, found)

    def _heard(self, upload: Upload, pieces: Sequence[bytes]) -> Outcome:
        """A recording of an earlier release, or one that only the log knows."""
        try:
            heard = recordings.check(pieces)
        except UploadRefused as refused:
            return self._unreadable(upload, type(refused).__name__, str(refused))
        return RecordingExamined(
            upload=upload.id,
            sha256=upload.blob.sha256,
            version=CHECK_VERSION,
            media_type=heard.media_type,
            seconds=round(heard.seconds, 2),
        )

    def _unreadable(self, upload: Upload, code: str, says: str) -> PhotoUnreadable:
        return PhotoUnreadable(
            upload=upload.id,
            sha256=upload.blob.sha256,
            version=CHECK_VERSION,
            code=code,
            says=says,
        )

    def _examined(self, upload: Upload, found: Examined) -> EvidenceExamined:
        key_id = UUID(bytes=upload.blob.wrapped_key[:16])
        command = evidence.examination_id(upload.id, found.version)

        def sealed(field: str, what: msgspec.Struct) -> Sealed:
            told = msgspec.json.encode(what)
            return self._sealer.seal_bytes(key_id, upload.id, field, command, told)

        looks = Appearance(
            content=found.content,
            pixels=found.pixels,
            phash=found.likeness.phash,
            dhash=found.likeness.dhash,
            parts=found.likeness.parts,
            brightness=found.measures.brightness,
            highlights=found.measures.highlights,
            sharpness=found.measures.sharpness,
        )
        thumbnail, display = self.keep(
            upload.id, upload.blob.wrapped_key, (found.thumbnail, found.display)
        )
        return EvidenceExamined(
            upload=upload.id,
            sha256=upload.blob.sha256,
            version=found.version,
            media_type=found.media_type,
            width=found.width,
            height=found.height,
            thumbnail=thumbnail,
            display=display,
            facts=sealed(FACTS, found.facts) if found.facts.any else None,
            appearance=sealed(APPEARANCE, looks),
        )

    def keep(self, upload_id: UUID, wrapped_key: bytes, pictures: Sequence[bytes]) -> list[Derived]:
        """Pictures made from an upload, sealed under the same person's key; durable.

        Raises Erased, also where the upload was erased while they were being made.
        """
        wrap = self._sealer.wrapper(UUID(bytes=wrapped_key[:16]))
        blobs = [self._blobs.put([picture], wrap) for picture in pictures]
        if not self._uploads.note_derived(upload_id, [blob.sha256 for blob in blobs]):
            for blob in blobs:
                self._blobs.delete(blob.sha256)
            raise Erased
        return [
            Derived(
                name=self._new_id().hex,
                sha256=blob.sha256,
                wrapped_key=blob.wrapped_key,
                media_type=blob.media_type,
                size=blob.size,
                width=blob.width or 0,
                height=blob.height or 0,
            )
            for blob in blobs
        ]

    def read(self, file: evidence_seen.File) -> bytes:
        """A derived file in the clear. Raises Erased, BlobMissing, BlobDamaged."""
        return content_of(self._blobs, self._sealer, file)

    # tell ----------------------------------------------------------------------------

    def _tell_all(self) -> None:
        swept, looked_at = float("-inf"), -1
        while not self._ended.is_set():
            try:
                position = self._feed().as_of().position
                if time.monotonic() - swept > SWEEP_SECONDS:
                    self.tell()
                    swept = time.monotonic()
                elif position != looked_at:  # else nothing was cited: the views are not asked
                    self._tell_new()
                looked_at = position
            except Exception as fault:  # noqa: BLE001  as above
                self._note(fault)
            self._ended.wait(TELL_SECONDS)

    def tell(self) -> int:
        """Tell the log all that is owed and known. Returns how many facts were told."""
        self._newest = None
        return self._tell_new()

    def _tell_new(self) -> int:
        """The same of what is owed since the last look: what was cited meanwhile.

        An upload that is examined after it is cited is told of by who examined it.
        """
        told = 0
        while True:
            with reading(self._feed().readers.engine) as connection:
                page = evidence_seen.owed(connection, AT_ONCE, self._newest)
                if not page:
                    return told
                citing = evidence_seen.citing(connection, {one.upload for one in page})
            told += self._tell_page(page, citing)
            self._newest = page[-1]

    def _tell_of(self, upload: UUID) -> None:
        """What is owed to one upload, now that it is examined."""
        with reading(self._feed().readers.engine) as connection:
            page = evidence_seen.owed_to(connection, upload)
            citing = evidence_seen.citing(connection, [upload]) if page else []
        self._tell_page(page, citing)

    def _tell_page(self, page: Sequence[Owed], citing: Sequence[Cited]) -> int:
        by_upload: dict[UUID, list[Cited]] = {}
        for cited in citing:
            by_upload.setdefault(cited.upload, []).append(cited)
        known = self._uploads.outcomes(list(by_upload)) if by_upload else {}
        return sum(self._tell_one(one, by_upload.get(one.upload, []), known) for one in page)

    def _tell_one(
        self, owed: Owed, citing: Sequence[Cited], known: dict[UUID, bytes | None]
    ) -> int:
        if not citing:
            return 0  # the person was erased between two looks
        if owed.upload not in known:
            self._uploads.bring_back(owed.upload, blob_of(citing[0]), self._now())
            self._wanted.release()
            return 0
        stored = known[owed.upload]
        if stored is None:
            return 0
        outcome = replace(unpacked(stored), person=_person(citing))
        # What was found by comparing is told after what was compared, whichever is owed first;
        # told twice, it stands there once.
        self._record(outcome, evidence.examination_id(owed.upload, outcome.version))
        if owed.what == EXAMINE:
            return 1
        if owed.what == CHECK and isinstance(outcome, EvidenceExamined):
            at = next(one for one in citing if one.position == owed.position)
            fact = self._checking.check(outcome, at)
            self._record(fact, evidence.check_id(owed.upload, owed.position, fact.version))
            return 1
        return 0

    def _record(self, fact: evidence.Event, command_id: UUID) -> None:
        self._casework.record_fact(
            stream_of(fact.upload), fact, at=self._now(), by=EXAMINER, command_id=command_id
        )


def _person(citing: Sequence[Cited]) -> UUID | None:
    return next((cited.person for cited in citing if cited.person is not None), None)
