"""The keys under which personal data is sealed, in a file of their own. Knows no text and no case.

Keys live in keys.db, never in the log's file or cluster: a key destroyed there would live on in
its WAL and base backups (store.md, "Personal data"). Each is wrapped by the master key, bound to
its id and owner. A destroyed key leaves a tombstone, so that a retry cannot bring it back.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from datetime import datetime
from enum import StrEnum
from hmac import digest
from pathlib import Path
from typing import TypeVar
from uuid import UUID, uuid5

import msgspec
from cachetools import LRUCache
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pysqlite3 import dbapi2 as sqlite3

from casework.errors import Erased
from casework.instants import from_micros, to_micros
from casework.key_file import open_to_read, scrub, unwrap, wrap
from casework.key_writer import KeyWriter

T = TypeVar("T")

_NAMES = UUID("6f0f7c0e-3c0b-5d6e-9a53-0d1c4f5a8b21")


class UnknownKey(Exception):  # noqa: N818  names what was asked for
    """No such key was ever kept here: lost data or a wrong file, not an erasure."""

    def __init__(self, key_id: UUID) -> None:
        super().__init__(f"密钥 {key_id} 不存在。")
        self.key_id = key_id


class WrongOwner(Exception):  # noqa: N818  names what is wrong
    """The key belongs to someone else: a mistake of the caller."""


class OwnerKind(StrEnum):
    PERSON = "person"
    CASE = "case"


class Owner(msgspec.Struct, frozen=True):
    """Whose key it is: a person (pseudonymous id) or a case (for staff words about it)."""

    kind: OwnerKind
    id: str


class Key(msgspec.Struct, frozen=True):
    """An unwrapped key, ready for use. `mac` is derived from it, for fingerprints only."""

    aead: AESGCM
    mac: bytes
    owner: Owner


class KeyRow(msgspec.Struct, frozen=True):
    """What may be told of a key without opening it."""

    key_id: UUID
    owner: Owner
    created_at: datetime
    destroyed_at: datetime | None


def person_key(person_id: str) -> UUID:
    """The key id of a person: derived, so that a retried command finds the same key."""
    return uuid5(_NAMES, f"person\0{person_id}")


def staff_text_key(command_id: UUID, field: str) -> UUID:
    """The key id of one staff text: derived from the command that wrote it and its field."""
    return uuid5(_NAMES, f"text\0{command_id}\0{field}")


class KeyStore:
    """Keys by id: made durable in groups, opened from a bounded cache, destroyed for good.

    `now` gives the time a key is made; `cached` is the most keys held unwrapped in memory.
    Thread-safe. Several processes may share the file; each calls `poll` often.
    """

    def __init__(
        self, path: Path, master: bytes, now: Callable[[], datetime], *, cached: int = 20_000
    ) -> None:
        self._master = AESGCM(master)
        self._now = now
        self._lock = threading.Lock()
        self._cache: LRUCache[UUID, Key | None] = LRUCache(cached)
        self._purges = 0
        self._reading = threading.Lock()
        self._db = open_to_read(path, self._master)
        self._generation: int = self._read("SELECT n FROM generation")[0][0]
        self._writer = KeyWriter(path)

    @property
    def alive(self) -> bool:
        """Whether new keys can be written. False means: not ready."""
        return self._writer.alive

    def close(self) -> None:
        self._writer.close()
        self.purge()
        with self._reading:
            self._db.close()

    # Making -------------------------------------------------------------------------------

    async def ensure(self, key_id: UUID, owner: Owner) -> None:
        """See that the key exists and is on disk; the same answer however often it is asked.

        Raises Erased if it was destroyed, WrongOwner, KeysBusy, KeysNotWritten.
        """
        await self.ensure_all([(key_id, owner)])

    async def ensure_all(self, wanted: Sequence[tuple[UUID, Owner]]) -> None:
        """As `ensure`, for all keys of a command in one commit."""
        missing = self._not_cached(wanted)
        if missing:
            before = self._purges
            made = await asyncio.wrap_future(self._make(missing))
            self._remember(made, before)

    def ensure_now(self, key_id: UUID, owner: Owner) -> None:
        """As `ensure`, for a thread that may wait."""
        missing = self._not_cached([(key_id, owner)])
        if missing:
            before = self._purges
            self._remember(self._make(missing).result(), before)

    def _not_cached(self, wanted: Sequence[tuple[UUID, Owner]]) -> list[tuple[UUID, Owner]]:
        missing = []
        with self._lock:
            for key_id, owner in wanted:
                try:
                    key = self._cache[key_id]
                except KeyError:
                    missing.append((key_id, owner))
                else:
                    _check(key_id, key, owner)
        return missing

    def _make(self, wanted: list[tuple[UUID, Owner]]) -> Future[list[tuple[UUID, Key | None]]]:
        at = to_micros(self._now())

        def job(db: sqlite3.Connection) -> list[tuple[UUID, Key | None]]:
            return [(key_id, self._insert(db, key_id, owner, at)) for key_id, owner in wanted]

        return self._writer.together(job)

    def _insert(self, db: sqlite3.Connection, key_id: UUID, owner: Owner, at: int) -> Key:
        secret = AESGCM.generate_key(256)
        added = db.execute(
            "INSERT INTO key VALUES (?, ?, ?, ?, ?, NULL, NULL) ON CONFLICT DO NOTHING",
            (key_id.bytes, owner.kind, owner.id, self._wrap_key(secret, key_id, owner), at),
        )
        if added.rowcount == 1:
            return _key(secret, owner)
        row = db.execute(_ONE, (key_id.bytes,)).fetchone()
        return _check(key_id, self._unwrap_row(row), owner)

    # Opening ------------------------------------------------------------------------------

    def get(self, key_id: UUID) -> Key | None:
        """The key, or None if it was destroyed. Raises UnknownKey if it never was."""
        try:
            with self._lock:
                return self._cache[key_id]
        except KeyError:
            return self.get_all([key_id])[key_id]

    def get_all(self, key_ids: Iterable[UUID]) -> dict[UUID, Key | None]:
        """As `get`, for many keys in few reads."""
        found: dict[UUID, Key | None] = {}
        absent = []
        with self._lock:
            before = self._purges
            for key_id in set(key_ids):
                try:
                    found[key_id] = self._cache[key_id]
                except KeyError:
                    absent.append(key_id)
        if absent:
            rows = self._read(_MANY, (msgspec.json.encode([one.hex for one in absent]),))
            read = [(UUID(bytes=row[0]), self._unwrap_row(row)) for row in rows]
            self._remember(read, before)
            found.update(read)
        for key_id in absent:
            if key_id not in found:
                raise UnknownKey(key_id)
        return found

    def _unwrap_row(self, row: tuple[bytes, str, str, bytes | None]) -> Key | None:
        raw_id, kind, owner_id, wrapped = row
        if wrapped is None:
            return None
        key_id, owner = UUID(bytes=raw_id), Owner(OwnerKind(kind), owner_id)
        bound = _bound_to(key_id, owner)
        try:
            secret = unwrap(self._master, wrapped, bound)
        except InvalidTag as error:
            raise UnknownKey(key_id) from error
        return _key(secret, owner)

    def _wrap_key(self, secret: bytes, key_id: UUID, owner: Owner) -> bytes:
        return wrap(self._master, secret, _bound_to(key_id, owner))

    # The cache ----------------------------------------------------------------------------

    def purge(self, key_ids: Iterable[UUID] | None = None) -> None:
        """Forget these unwrapped keys, or all."""
        with self._lock:
            self._purges += 1
            for key_id in list(self._cache) if key_ids is None else key_ids:
                self._cache.pop(key_id, None)

    def poll(self) -> list[UUID]:
        """Forget keys that another process destroyed since the last call, and name them."""
        with self._reading:
            since = self._generation
        generation, destroyed = self.destroyed_keys_since(since)
        if destroyed:
            self.purge(destroyed)
        with self._reading:
            self._generation = max(self._generation, generation)
        return destroyed

    def destroyed_keys_since(self, generation: int) -> tuple[int, list[UUID]]:
        """The present generation, and the keys destroyed after the given one."""
        now = self._read("SELECT n FROM generation")[0][0]
        if now == generation:
            return now, []
        rows = self._read(
            "SELECT key_id FROM key WHERE destroyed_in > ? AND destroyed_in <= ?", (generation, now)
        )
        return now, [UUID(bytes=row[0]) for row in rows]

    def _remember(self, keys: Iterable[tuple[UUID, Key | None]], before: int) -> None:
        """Cache keys read when `before` purges had been; a purge since may have meant them."""
        with self._lock:
            if self._purges == before:
                self._cache.update(keys)

    # Destroying ---------------------------------------------------------------------------

    def keys_of(self, owner: Owner) -> list[KeyRow]:
        """All keys of an owner, the destroyed ones too, oldest first."""
        rows = self._read(_OWNED, (owner.kind, owner.id))
        return [
            KeyRow(
                UUID(bytes=raw),
                owner,
                from_micros(made),
                None if gone is None else from_micros(gone),
            )
            for raw, made, gone in rows
        ]

    def keys_of_case(self, case_id: UUID) -> list[KeyRow]:
        """Keys of staff texts about a case, for a person to go through after an erasure."""
        return self.keys_of(Owner(OwnerKind.CASE, str(case_id)))

    def destroy_case_keys(self, case_id: UUID, key_ids: Sequence[UUID], at: datetime) -> None:
        """Destroy keys of staff texts of one case. Raises WrongOwner, and then destroys none."""
        owner = Owner(OwnerKind.CASE, str(case_id))
        if not {row.key_id for row in self.keys_of(owner)}.issuperset(key_ids):
            raise WrongOwner(f"案件 {case_id} 没有这些密钥。")
        self.destroy(owner, at, key_ids)

    def destroy(self, owner: Owner, at: datetime, key_ids: Sequence[UUID] | None = None) -> None:
        """Destroy these keys of the owner (or all) so that no byte of keys.db* holds them.

        Returns when the wrapped keys are overwritten, the file is rebuilt and the WAL is empty;
        may be repeated after a crash at any point. A person's own key gets a tombstone even if it
        never was. Raises KeysBusy while another process keeps reading; call it again then.
        """
        stamp = to_micros(at)

        def job(db: sqlite3.Connection) -> None:
            db.execute("BEGIN IMMEDIATE")
            db.execute("UPDATE generation SET n = n + 1")
            if owner.kind is OwnerKind.PERSON:
                db.execute(_TOMBSTONE, (person_key(owner.id).bytes, owner.id, stamp, stamp))
            rows = db.execute(_OWNED, (owner.kind, owner.id)).fetchall()
            chosen = {row[0] for row in rows}
            if key_ids is not None:
                chosen &= {one.bytes for one in key_ids}
            db.executemany(_DESTROY, [(stamp, raw) for raw in chosen])
            db.execute("COMMIT")
            # Before the scrub, which may fail: nothing more is opened from here on.
            self.purge(UUID(bytes=raw) for raw in chosen)
            scrub(db)

        self._writer.alone(job).result()

    def write_alone(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run a job of the erasure ledger, which lives in this file, in one durable commit."""

        def within(db: sqlite3.Connection) -> T:
            db.execute("BEGIN IMMEDIATE")
            answer = job(db)
            db.execute("COMMIT")
            return answer

        return self._writer.alone(within).result()

    def read(self, query: str, values: tuple[str, ...] = ()) -> list[tuple[object, ...]]:
        """Rows of the erasure ledger."""
        return self._read(query, values)

    # Reading ------------------------------------------------------------------------------

    # Any: what a column holds is known to the query, and checked by the one who unpacks the row.
    def _read(self, query: str, values: tuple[object, ...] = ()) -> list[tuple]:  # type: ignore[type-arg]
        with self._reading:
            rows: list[tuple] = self._db.execute(query, values).fetchall()  # type: ignore[type-arg]
        return rows


_ONE = "SELECT key_id, owner_kind, owner_id, wrapped FROM key WHERE key_id = ?"
_MANY = """SELECT key_id, owner_kind, owner_id, wrapped FROM key
  WHERE key_id IN (SELECT unhex(value) FROM json_each(?))"""
_OWNED = """SELECT key_id, created_at, destroyed_at FROM key
  WHERE owner_kind = ? AND owner_id = ? ORDER BY created_at, key_id"""
_TOMBSTONE = """INSERT INTO key SELECT ?, 'person', ?, NULL, ?, ?, n FROM generation WHERE true
  ON CONFLICT DO NOTHING"""
_DESTROY = """UPDATE key SET wrapped = NULL, destroyed_at = ?,
  destroyed_in = (SELECT n FROM generation) WHERE key_id = ? AND wrapped IS NOT NULL"""


def _check(key_id: UUID, key: Key | None, owner: Owner) -> Key:
    if key is None:
        raise Erased
    if key.owner != owner:
        raise WrongOwner(f"密钥 {key_id} 属于另一所有者。")
    return key


def _key(secret: bytes, owner: Owner) -> Key:
    return Key(AESGCM(secret), digest(secret, b"haidian-fingerprint-1", "sha256"), owner)


def _bound_to(key_id: UUID, owner: Owner) -> bytes:
    return b"\0".join((b"haidian-key-1", key_id.bytes, owner.kind.encode(), owner.id.encode()))
