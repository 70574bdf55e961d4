"""Files that nobody needs: uploads never cited, and what a crash left without a row or a fact.

A file is young for 48 hours, twice as long as an upload may be cited. Nothing goes that a fact of
the log names: that is asked of the views, and only when they have seen the log to the end it had
when the collecting began and hold no stream aside.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from api.uploads import GOOD_FOR, Uploads
from evidence.blobs import BlobStore
from projections import evidence_seen
from projections.feed import Feed
from projections.tables import reading

YOUNG = timedelta(hours=48)
_AT_ONCE = 500


class Collected(msgspec.Struct, frozen=True):
    """How many expired upload ids and files went; `waits` says that the views are not ready."""

    uploads: int = 0
    files: int = 0
    waits: bool = False


class Health(msgspec.Struct, frozen=True):
    """Files that facts name: how many, and those that are missing or damaged."""

    files: int
    missing: tuple[str, ...]
    damaged: tuple[str, ...]


class Collecting:
    """Looks for what nobody needs, and for what is needed and not there. May block for long."""

    def __init__(
        self,
        uploads: Uploads,
        blobs: BlobStore,
        feed: Callable[[], Feed],
        now: Callable[[], datetime],
    ) -> None:
        self._uploads = uploads
        self._blobs = blobs
        self._feed = feed
        self._now = now

    def collect(self) -> Collected:
        """Remove expired uploads that no fact cites, then files that belong to nothing."""
        before = self._now() - YOUNG
        if not self._views_know():
            return Collected(waits=True)
        uploads = self._expire(before)
        files = self._blobs.collect_orphans(self._is_needed, before)
        return Collected(uploads, len(files))

    def _views_know(self) -> bool:
        """Whether the views know every citation there is now."""
        feed = self._feed()
        head = feed.log.head()
        readers = feed.readers
        return readers.seen() >= head and not readers.held()

    def _expire(self, before: datetime) -> int:
        """Uploads were good for a day; the row goes last, so that none is forgotten half way."""
        gone, after = 0, None
        while rows := self._uploads.expired(before + GOOD_FOR, after, _AT_ONCE):
            after = rows[-1].id
            cited = self._cited([row.id for row in rows])
            for upload in rows:
                if upload.id in cited:
                    continue
                for name in (*self._uploads.derived(upload.id), upload.blob.sha256):
                    self._blobs.delete(name)
                self._uploads.remove(upload.id)
                gone += 1
        return gone

    def _cited(self, uploads: list[UUID]) -> set[UUID]:
        with reading(self._feed().readers.engine) as connection:
            return {cited.upload for cited in evidence_seen.citing(connection, uploads)}

    def _is_needed(self, sha256: str) -> bool:
        if self._uploads.holds(sha256):
            return True
        with reading(self._feed().readers.engine) as connection:
            return evidence_seen.is_cited(connection, sha256)

    def check(self) -> Health:
        """Read every file that a fact names. Needs no key."""
        with reading(self._feed().readers.engine) as connection:
            cited = evidence_seen.files_cited(connection)
        missing, damaged = [], []
        for sha256, _ in cited:
            if not self._blobs.exists(sha256):
                missing.append(sha256)
            elif not self._blobs.verify(sha256):
                damaged.append(sha256)
        return Health(len(cited), tuple(missing), tuple(damaged))
