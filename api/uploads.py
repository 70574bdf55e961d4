"""Upload ids: what a report may cite, by whom, for how long. Knows no bytes and no case.

An id is random and bound to whoever uploaded: an account, or the draft of an anonymous report.
A hash is no capability: knowing a file's name opens nothing.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import Row, delete, func, insert, select

from api.accounts.desk import Desk
from api.accounts.tables import upload
from casework.errors import Missing
from evidence.blobs import Blob

GOOD_FOR = timedelta(hours=24)


class Upload(msgspec.Struct, frozen=True):
    """A stored file, and the id under which its owner may cite it."""

    id: UUID
    owner: str
    blob: Blob
    good_until: datetime


class Uploads:
    """The ids given out, in the desk's database. Every call may wait for the disk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def add(self, upload_id: UUID, owner: str, blob: Blob, now: datetime) -> Upload:
        """Bind a stored file to its owner. Durable when it returns."""
        until = now + GOOD_FOR
        with self._desk.write() as connection:
            connection.execute(
                insert(upload).values(
                    id=upload_id,
                    owner=owner,
                    sha256=blob.sha256,
                    size=blob.size,
                    media_type=blob.media_type,
                    wrapped_key=blob.wrapped_key,
                    good_until=until,
                )
            )
        return Upload(upload_id, owner, blob, until)

    def cited(
        self, wanted: Sequence[UUID], owners: Sequence[str], now: datetime
    ) -> dict[UUID, Blob]:
        """The files of these ids.

        Raises:
            Missing: one is unknown, another's, or too old; told in one and the same sentence.

        """
        if not wanted:
            return {}
        with self._desk.read() as connection:
            rows = connection.execute(
                select(upload).where(
                    upload.c.id.in_(list(wanted)),
                    upload.c.owner.in_(list(owners)),
                    upload.c.good_until > now,
                )
            ).all()
        found = {row.id: _upload(row).blob for row in rows}
        if len(found) < len(set(wanted)):
            raise Missing("photos", "有照片或录音已过期或不存在，请重新上传后再提交。")
        return found

    def under_key(self, key_id: UUID) -> list[Upload]:
        """All files ever taken in whose own key is wrapped by this key, good or not any more.

        Every wrapped key begins with the id of the key that opens it (`Sealer.wrapper`).
        """
        with self._desk.read() as connection:
            rows = connection.execute(
                select(upload).where(func.substr(upload.c.wrapped_key, 1, 16) == key_id.bytes)
            ).all()
        return [_upload(row) for row in rows]

    def remove(self, upload_id: UUID) -> None:
        """Forget an id. Durable when it returns; doing it again does nothing."""
        with self._desk.write() as connection:
            connection.execute(delete(upload).where(upload.c.id == upload_id))


def _upload(row: Row[tuple[object, ...]]) -> Upload:
    blob = Blob(row.sha256, row.size, row.media_type, bytes(row.wrapped_key))
    return Upload(row.id, row.owner, blob, row.good_until)
