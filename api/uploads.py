"""Upload ids: what a report may cite, by whom, for how long. Knows no bytes and no case.

An id is random and bound to whoever uploaded: an account, or the draft of an anonymous report.
A hash is no capability: knowing a file's name opens nothing.

The rows are also the queue of what is still to be examined: one without an outcome waits, and is
taken by whoever examines for a while, so that a queue survives every restart and a file whose
examiner died is taken again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import Row, delete, func, insert, or_, select, update

from api.accounts.desk import Desk
from api.accounts.tables import derived_file, upload
from casework.errors import Missing
from evidence.blobs import Blob

GOOD_FOR = timedelta(hours=24)

TAKEN_FOR = timedelta(minutes=2)
"""How long one who examines a file has for it; an examination ends well before."""


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

    def add(
        self,
        upload_id: UUID,
        owner: str,
        blob: Blob,
        now: datetime,
        outcome: bytes | None = None,
    ) -> Upload:
        """Bind a stored file to its owner. Durable when it returns.

        `outcome` is given for what was looked at already, such as a recording.
        """
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
                    outcome=outcome,
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
            connection.execute(delete(derived_file).where(derived_file.c.upload_id == upload_id))

    # examination ---------------------------------------------------------------------

    def waiting(self) -> int:
        """How many files have no outcome yet."""
        with self._desk.read() as connection:
            question = select(func.count()).where(upload.c.outcome.is_(None))
            return int(connection.scalar(question) or 0)

    def take(self, now: datetime) -> Upload | None:
        """The file that has waited longest, for `TAKEN_FOR`; None where none waits."""
        free = or_(upload.c.taken_until.is_(None), upload.c.taken_until <= now)
        longest = (
            select(upload.c.id)
            .where(upload.c.outcome.is_(None), free)
            .order_by(upload.c.good_until)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        # Asked every second, mostly for nothing: a look holds up no writer.
        with self._desk.read() as connection:
            question = select(upload.c.id).where(upload.c.outcome.is_(None), free).limit(1)
            if connection.scalar(question) is None:
                return None
        with self._desk.write() as connection:
            row = connection.execute(
                update(upload)
                .where(upload.c.id.in_(longest.scalar_subquery()))
                .values(taken_until=now + TAKEN_FOR)
                .returning(upload)
            ).one_or_none()
        return None if row is None else _upload(row)

    def unexamined(self, upload_id: UUID) -> Upload | None:
        """The file of this id, if nobody has examined it yet; None also for an unknown one."""
        with self._desk.read() as connection:
            question = select(upload).where(upload.c.id == upload_id, upload.c.outcome.is_(None))
            row = connection.execute(question).one_or_none()
        return None if row is None else _upload(row)

    def settle(self, upload_id: UUID, outcome: bytes) -> bool:
        """Keep what was found out. Durable; False where the upload was erased meanwhile."""
        with self._desk.write() as connection:
            kept = connection.execute(
                update(upload)
                .where(upload.c.id == upload_id)
                .values(outcome=outcome, taken_until=None)
            )
        return kept.rowcount == 1

    def outcomes(self, wanted: Sequence[UUID]) -> dict[UUID, bytes | None]:
        """What is kept of these files; None for one that waits; nothing for an unknown one."""
        with self._desk.read() as connection:
            rows = connection.execute(
                select(upload.c.id, upload.c.outcome).where(upload.c.id.in_(list(wanted)))
            ).all()
        return {row.id: None if row.outcome is None else bytes(row.outcome) for row in rows}

    def of(self, wanted: Sequence[UUID], owners: Sequence[str]) -> dict[UUID, bytes | None]:
        """As `outcomes`, of those that belong to one of these owners."""
        with self._desk.read() as connection:
            rows = connection.execute(
                select(upload.c.id, upload.c.outcome).where(
                    upload.c.id.in_(list(wanted)), upload.c.owner.in_(list(owners))
                )
            ).all()
        return {row.id: None if row.outcome is None else bytes(row.outcome) for row in rows}

    def held_by(self, owner: str, now: datetime, limit: int) -> list[tuple[Upload, bytes | None]]:
        """What an owner may still cite, with its outcome, the oldest first; at most `limit`.

        Looked for among the uploads of a day, along the index of how long they are good.
        """
        with self._desk.read() as connection:
            rows = connection.execute(
                select(upload)
                .where(upload.c.good_until > now, upload.c.owner == owner)
                .order_by(upload.c.good_until, upload.c.id)
                .limit(limit)
            ).all()
        return [(_upload(row), None if row.outcome is None else bytes(row.outcome)) for row in rows]

    def bring_back(self, upload_id: UUID, blob: Blob, now: datetime) -> None:
        """Have a file examined that the log cites and this desk does not know (a restore)."""
        with self._desk.write() as connection:
            known = connection.scalar(select(upload.c.id).where(upload.c.id == upload_id))
            if known is None:
                connection.execute(
                    insert(upload).values(
                        id=upload_id,
                        owner="log",
                        sha256=blob.sha256,
                        size=blob.size,
                        media_type=blob.media_type,
                        wrapped_key=blob.wrapped_key,
                        good_until=now,
                    )
                )

    # files made from an upload, and what is left over -----------------------------------

    def note_derived(self, upload_id: UUID, sha256: Sequence[str]) -> bool:
        """Say which files were made from an upload. False: it was erased; delete them again."""
        with self._desk.write() as connection:
            known = connection.scalar(select(upload.c.id).where(upload.c.id == upload_id))
            if known is None:
                return False
            connection.execute(
                insert(derived_file), [{"sha256": one, "upload_id": upload_id} for one in sha256]
            )
        return True

    def derived(self, upload_id: UUID) -> list[str]:
        """The names of the files made from an upload."""
        with self._desk.read() as connection:
            question = select(derived_file.c.sha256).where(derived_file.c.upload_id == upload_id)
            return list(connection.scalars(question))

    def expired(self, before: datetime, after: UUID | None, limit: int) -> list[Upload]:
        """Uploads that were good until before then, in the order of their ids."""
        question = select(upload).where(upload.c.good_until < before).order_by(upload.c.id)
        if after is not None:
            question = question.where(upload.c.id > after)
        with self._desk.read() as connection:
            return [_upload(row) for row in connection.execute(question.limit(limit))]

    def holds(self, sha256: str) -> bool:
        """Whether a file belongs to an upload known here."""
        with self._desk.read() as connection:
            for table in (upload, derived_file):
                question = select(table.c.sha256).where(table.c.sha256 == sha256).limit(1)
                if connection.scalar(question) is not None:
                    return True
        return False


def _upload(row: Row[tuple[object, ...]]) -> Upload:
    blob = Blob(row.sha256, row.size, row.media_type, bytes(row.wrapped_key))
    return Upload(row.id, row.owner, blob, row.good_until)
