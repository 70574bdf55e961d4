"""The ledger of erasures: who asked, who agreed, and how far each has come. Opens no text.

asked → approved → keys_destroyed → appended → complete (or declined). Each step is one durable
commit in keys.db and may be repeated, so that a crash between any two is resumed by `unfinished`.
The ledger is kept, and replayed after a restore: an older keys.db would bring the keys back.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec
from pysqlite3 import dbapi2 as sqlite3

from casework.errors import ConflictOfInterest, NothingPending
from casework.instants import from_micros, to_micros
from casework.keys import KeyStore, Owner, OwnerKind


class ErasureState(StrEnum):
    ASKED = "asked"
    APPROVED = "approved"
    KEYS_DESTROYED = "keys_destroyed"
    APPENDED = "appended"
    COMPLETE = "complete"
    DECLINED = "declined"


class Erasure(msgspec.Struct, frozen=True):
    """One person's erasure. `id` is also the command id of the `PersonErased` event.

    `position` is that event's place in the log; `waiting_for` names the readers (and the blob
    sweep) that have not yet said that they hold nothing of the person.
    """

    id: UUID
    person_id: str
    asked_by: str
    asked_at: datetime
    state: ErasureState
    decided_by: str | None = None
    decided_at: datetime | None = None
    position: int | None = None
    completed_at: datetime | None = None
    waiting_for: tuple[str, ...] = ()


class ErasureLedger:
    """Steps of erasures, in keys.db. Each call returns after its fsync; call from a thread."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys

    def ask(self, erasure_id: UUID, person_id: str, by: str, at: datetime) -> Erasure:
        """Ask that a person be erased. An unfinished one of that person is returned instead."""

        def job(db: sqlite3.Connection) -> None:
            db.execute(
                """INSERT INTO erasure (id, person_id, asked_by, asked_at, state)
                VALUES (?, ?, ?, ?, 'asked') ON CONFLICT DO NOTHING""",
                (str(erasure_id), person_id, by, to_micros(at)),
            )

        self._keys.write_alone(job)
        found = self._rows("WHERE id = ?", str(erasure_id)) or self._rows(
            "WHERE person_id = ? AND state NOT IN ('complete', 'declined')", person_id
        )
        return found[0]

    def approve(self, erasure_id: UUID, by: str, at: datetime) -> Erasure:
        """Agree. Two people are needed, or the person himself.

        Raises ConflictOfInterest for the one who asked on another's behalf, NothingPending.
        """
        erasure = self.get(erasure_id)
        if by == erasure.asked_by and by != erasure.person_id:
            raise ConflictOfInterest("同意删除个人信息", "申请人与同意人不能是同一账号")
        return self._decide(erasure, ErasureState.APPROVED, by, at)

    def decline(self, erasure_id: UUID, by: str, at: datetime) -> Erasure:
        """Refuse, before any key is destroyed. Raises NothingPending."""
        return self._decide(self.get(erasure_id), ErasureState.DECLINED, by, at)

    def destroy_keys(self, erasure_id: UUID, at: datetime) -> Erasure:
        """Destroy all keys of the person; see `KeyStore.destroy`. May be repeated.

        Raises NothingPending before approval, KeysBusy.
        """
        erasure = self.get(erasure_id)
        if erasure.state in {ErasureState.ASKED, ErasureState.DECLINED}:
            raise NothingPending("销毁密钥", "删除申请尚未获得同意。")
        self._keys.destroy(Owner(OwnerKind.PERSON, erasure.person_id), at)
        return self._move(erasure_id, ErasureState.APPROVED, ErasureState.KEYS_DESTROYED)

    def appended(self, erasure_id: UUID, position: int, readers: Iterable[str]) -> Erasure:
        """`PersonErased` stands in the log at `position`; these readers must acknowledge it.

        Name every view with person rows, the blob sweep, and every process with a cache.
        """
        names = sorted(set(readers))
        if self.get(erasure_id).state in {ErasureState.ASKED, ErasureState.APPROVED}:
            raise NothingPending("记录删除事件", "密钥尚未销毁。")

        def job(db: sqlite3.Connection) -> None:
            moved = db.execute(
                """UPDATE erasure SET state = 'appended', position = ?
                WHERE id = ? AND state = 'keys_destroyed'""",
                (position, str(erasure_id)),
            )
            if moved.rowcount == 1:
                db.executemany(
                    "INSERT INTO erasure_reader (erasure_id, reader) VALUES (?, ?)",
                    [(str(erasure_id), name) for name in names],
                )

        self._keys.write_alone(job)
        return self.get(erasure_id)

    def acknowledge(self, erasure_id: UUID, reader: str, at: datetime) -> Erasure:
        """Note that this reader holds nothing of the person now. The last one completes it.

        May be repeated. Raises NothingPending before `appended`, or for a reader not named there.
        """
        stamp = to_micros(at)

        def job(db: sqlite3.Connection) -> bool:
            key = (str(erasure_id), reader)
            named = db.execute(
                "SELECT 1 FROM erasure_reader WHERE erasure_id = ? AND reader = ?", key
            ).fetchone()
            db.execute(
                """UPDATE erasure_reader SET acknowledged_at = ?
                WHERE erasure_id = ? AND reader = ? AND acknowledged_at IS NULL""",
                (stamp, *key),
            )
            db.execute(
                """UPDATE erasure SET state = 'complete', completed_at = ?
                WHERE id = ? AND state = 'appended' AND NOT EXISTS (SELECT 1 FROM erasure_reader
                  WHERE erasure_id = erasure.id AND acknowledged_at IS NULL)""",
                (stamp, str(erasure_id)),
            )
            return named is not None

        if not self._keys.write_alone(job):
            raise NothingPending("确认已删除", f"「{reader}」没有待确认的删除。")
        return self.get(erasure_id)

    def get(self, erasure_id: UUID) -> Erasure:
        """Raises NothingPending if there is no such erasure."""
        found = self._rows("WHERE id = ?", str(erasure_id))
        if not found:
            raise NothingPending("删除个人信息", "没有找到这项删除申请。")
        return found[0]

    def unfinished(self) -> list[Erasure]:
        """Approved ones that a start-up must carry on, oldest first; not those merely asked."""
        return self._rows("WHERE state IN ('approved', 'keys_destroyed', 'appended')")

    def asked(self) -> list[Erasure]:
        """Those that wait for a decision, oldest first."""
        return self._rows("WHERE state = 'asked'")

    def all(self) -> list[Erasure]:
        """The whole ledger, for the record kept outside and replayed after a restore."""
        return self._rows("")

    def replay(self, kept: Iterable[Erasure]) -> list[Erasure]:
        """After a restore: take in erasures that this keys.db may not know, to be done again.

        Every approved one starts again at `approved`; what the backup brought back is destroyed
        again. Its event is already in the log under the same command id, or will be.
        """
        rows = [one for one in kept if one.decided_at and one.state is not ErasureState.DECLINED]

        def job(db: sqlite3.Connection) -> None:
            for one in rows:
                same = (str(one.id), one.person_id)
                db.execute(
                    """DELETE FROM erasure_reader WHERE erasure_id IN (SELECT id FROM erasure
                    WHERE id = ? OR (person_id = ? AND state NOT IN ('complete', 'declined')))""",
                    same,
                )
                db.execute(
                    """DELETE FROM erasure
                    WHERE id = ? OR (person_id = ? AND state NOT IN ('complete', 'declined'))""",
                    same,
                )
                asked, decided = to_micros(one.asked_at), to_micros(one.decided_at or one.asked_at)
                db.execute(
                    """INSERT INTO erasure
                    (id, person_id, asked_by, asked_at, decided_by, decided_at, state)
                    VALUES (?, ?, ?, ?, ?, ?, 'approved')""",
                    (str(one.id), one.person_id, one.asked_by, asked, one.decided_by, decided),
                )

        self._keys.write_alone(job)
        return self.unfinished()

    def _decide(self, erasure: Erasure, to: ErasureState, by: str, at: datetime) -> Erasure:
        def job(db: sqlite3.Connection) -> int:
            moved = db.execute(
                """UPDATE erasure SET state = ?, decided_by = ?, decided_at = ?
                WHERE id = ? AND state = 'asked'""",
                (to, by, to_micros(at), str(erasure.id)),
            )
            return int(moved.rowcount)

        moved = self._keys.write_alone(job)
        now = self.get(erasure.id)
        if not moved and (now.state, now.decided_by) != (to, by):
            raise NothingPending("决定删除申请", "这项删除申请已有决定。")
        return now

    def _move(self, erasure_id: UUID, before: ErasureState, after: ErasureState) -> Erasure:
        def job(db: sqlite3.Connection) -> None:
            db.execute(
                "UPDATE erasure SET state = ? WHERE id = ? AND state = ?",
                (after, str(erasure_id), before),
            )

        self._keys.write_alone(job)
        return self.get(erasure_id)

    def _rows(self, where: str, *values: str) -> list[Erasure]:
        rows = self._keys.read(_SELECT.replace("{where}", where), values)
        return [_erasure(row) for row in msgspec.convert(rows, list[_Row])]


_SELECT = """SELECT id, person_id, asked_by, asked_at, state, decided_by, decided_at, position,
  completed_at, (SELECT json_group_array(reader ORDER BY reader) FROM erasure_reader
    WHERE erasure_id = erasure.id AND acknowledged_at IS NULL)
  FROM erasure {where} ORDER BY asked_at, id"""


class _Row(msgspec.Struct, frozen=True, array_like=True):
    """A row of `_SELECT` as it is stored."""

    id: UUID
    person_id: str
    asked_by: str
    asked_at: int
    state: ErasureState
    decided_by: str | None
    decided_at: int | None
    position: int | None
    completed_at: int | None
    waiting: str


def _erasure(row: _Row) -> Erasure:
    return Erasure(
        id=row.id,
        person_id=row.person_id,
        asked_by=row.asked_by,
        asked_at=from_micros(row.asked_at),
        state=row.state,
        decided_by=row.decided_by,
        decided_at=None if row.decided_at is None else from_micros(row.decided_at),
        position=row.position,
        completed_at=None if row.completed_at is None else from_micros(row.completed_at),
        waiting_for=msgspec.json.decode(row.waiting, type=tuple[str, ...]),
    )
