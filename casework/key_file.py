"""keys.db and master.key as files: made, checked, opened, scrubbed. Knows no owner."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pysqlite3 import dbapi2 as sqlite3

from casework.key_writer import KeysBusy, connect_to_write

_KEY_BYTES = 32
_NONCE_BYTES = 12
_SCHEMA_VERSION = 1
_SQLITE_NEEDED = (3, 51, 3)  # the first with the fix for the WAL-reset fault
_MASTER_CHECK = b"haidian-master-key-check-1"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS key (
  key_id       BLOB PRIMARY KEY,
  owner_kind   TEXT NOT NULL CHECK (owner_kind IN ('person', 'case')),
  owner_id     TEXT NOT NULL,
  wrapped      BLOB,
  created_at   INTEGER NOT NULL,
  destroyed_at INTEGER,
  destroyed_in INTEGER,
  CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS key_of_owner ON key (owner_kind, owner_id);
CREATE INDEX IF NOT EXISTS key_destroyed ON key (destroyed_in) WHERE destroyed_in IS NOT NULL;
CREATE TABLE IF NOT EXISTS generation (n INTEGER NOT NULL);
INSERT INTO generation SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM generation);
CREATE TABLE IF NOT EXISTS master_check (sealed BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS erasure (
  id           TEXT PRIMARY KEY,
  person_id    TEXT NOT NULL,
  asked_by     TEXT NOT NULL,
  asked_at     INTEGER NOT NULL,
  decided_by   TEXT,
  decided_at   INTEGER,
  state        TEXT NOT NULL,
  position     INTEGER,
  completed_at INTEGER
);
CREATE UNIQUE INDEX IF NOT EXISTS erasure_open ON erasure (person_id)
  WHERE state NOT IN ('complete', 'declined');
CREATE TABLE IF NOT EXISTS erasure_reader (
  erasure_id      TEXT NOT NULL REFERENCES erasure (id),
  reader          TEXT NOT NULL,
  acknowledged_at INTEGER,
  PRIMARY KEY (erasure_id, reader)
);
"""


class MasterKeyRefused(Exception):  # noqa: N818  the start-up is refused, with the reason
    """The master key is absent, exposed, of the wrong size, or not this file's."""


class KeysNotPrepared(Exception):  # noqa: N818  names the state of the file
    """keys.db has no schema yet, or one of another version; the SQLite is too old."""


def create_master_key(path: Path) -> None:
    """Make a new random master key, once, readable by its owner only (0600), and fsync it.

    Raises FileExistsError rather than replace one: every key would be lost with it.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(fd, AESGCM.generate_key(256))
        os.fsync(fd)
    finally:
        os.close(fd)
    fsync_folder(path.parent)


def read_master_key(path: Path) -> bytes:
    """The 32 bytes of the master key. Raises MasterKeyRefused if others could read it."""
    try:
        mode = path.stat().st_mode
        secret = path.read_bytes()
    except OSError as error:
        raise MasterKeyRefused(f"读不到主密钥文件 {path}。") from error
    if mode & 0o077:
        raise MasterKeyRefused(f"主密钥文件 {path} 的权限过宽，应为 0600。")
    if len(secret) != _KEY_BYTES:
        raise MasterKeyRefused(f"主密钥文件 {path} 应为 {_KEY_BYTES} 字节。")
    return secret


def prepare(path: Path, master: bytes) -> None:
    """Create keys.db and its tables (0600), bound to this master key. Safe to repeat.

    A step of installation and migration, never of a worker's start.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    db = connect_to_write(path)
    try:
        db.executescript(_SCHEMA)
        db.execute("BEGIN IMMEDIATE")
        if db.execute("SELECT 1 FROM master_check").fetchone() is None:
            sealed = wrap(AESGCM(master), _MASTER_CHECK, b"check")
            db.execute("INSERT INTO master_check VALUES (?)", (sealed,))
        db.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
        db.execute("COMMIT")
    finally:
        db.close()
    fsync_folder(path.parent)


def open_to_read(path: Path, master: AESGCM) -> sqlite3.Connection:
    """A connection that cannot write, for any thread, one at a time.

    Raises KeysNotPrepared, or MasterKeyRefused where the file was made with another master key.
    """
    if sqlite3.sqlite_version_info < _SQLITE_NEEDED:
        raise KeysNotPrepared(f"SQLite {sqlite3.sqlite_version} 过旧。")
    if not path.exists():
        raise KeysNotPrepared(f"密钥库 {path} 尚未建立。")
    db = sqlite3.connect(path, isolation_level=None, timeout=10, check_same_thread=False)
    try:
        _examine(db, master)
    except BaseException:
        db.close()
        raise
    db.execute("PRAGMA query_only=ON")
    return db


def _examine(db: sqlite3.Connection, master: AESGCM) -> None:
    if db.execute("PRAGMA user_version").fetchone()[0] != _SCHEMA_VERSION:
        raise KeysNotPrepared("密钥库的结构版本不符。")
    sealed: bytes = db.execute("SELECT sealed FROM master_check").fetchone()[0]
    try:
        unwrap(master, sealed, b"check")
    except InvalidTag as error:
        raise MasterKeyRefused("主密钥与密钥库不匹配。") from error


def scrub(db: sqlite3.Connection) -> None:
    """Rebuild the file and empty the WAL.

    secure_delete zeroes freed cells, but a page that was split or merged may keep a stale copy
    between its cells; only the rebuilt file is known to hold none.
    """
    db.execute("VACUUM")
    busy = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    if busy:
        raise KeysBusy


def wrap(master: AESGCM, secret: bytes, bound: bytes) -> bytes:
    """A random nonce and the sealed secret, bound to what it belongs to."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + master.encrypt(nonce, secret, bound)


def unwrap(master: AESGCM, wrapped: bytes, bound: bytes) -> bytes:
    """The secret again. Raises InvalidTag if it was wrapped for something else."""
    return master.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], bound)


def fsync_folder(path: Path) -> None:
    """Make new and renamed entries of a folder durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
