"""The server's own secret and the keys drawn from it. Knows nothing of what they are used on.

One file of 32 random bytes, mode 0600, made once and never overwritten. Each use has a key of its
own by HKDF-SHA256 (RFC 5869), so that a key that leaks from one use opens no other.
"""

import os
import secrets
from enum import StrEnum
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_BYTES = 32


class Purpose(StrEnum):
    """What a key may be used for. The words are part of the key: never change one."""

    RECEIPTS = "haidian-casework/receipts/1"
    SOURCES = "haidian-casework/sources/1"
    CREDENTIALS = "haidian-casework/credentials/1"
    CSRF = "haidian-casework/csrf/1"
    SECOND_FACTORS = "haidian-casework/second-factors/1"
    FINGERPRINTS = "haidian-casework/fingerprints/1"
    PLACE_CODES = "haidian-casework/place-codes/1"
    RECOGNITIONS = "haidian-casework/recognitions/1"


class UnsafeKeyFile(Exception):  # noqa: N818  a finding at start, told to the operator
    """The key file is too short, or others than its owner may read it."""


class ServerKey:
    """The secret of this installation. Its text form shows nothing of it."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != _BYTES:
            raise UnsafeKeyFile(f"密钥应为{_BYTES}字节，实为{len(secret)}字节")
        self._secret = secret

    def __repr__(self) -> str:
        return "ServerKey(…)"

    def derive(self, purpose: Purpose) -> bytes:
        """32 bytes for one use. The same for ever."""
        return HKDF(SHA256(), _BYTES, salt=None, info=purpose.value.encode()).derive(self._secret)


def open_server_key(path: Path) -> ServerKey:
    """Read the key, or make it if there is none yet (two starters at once get the same one).

    Raises UnsafeKeyFile where group or others could read it, or where it is cut short.
    """
    if not path.exists():
        _make(path)
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise UnsafeKeyFile(f"{path} 的权限为 {mode:04o}，应为 0600")
    return ServerKey(path.read_bytes())


def _make(path: Path) -> None:
    """Whole or not at all: written aside, made durable, then linked to its name if still free."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, secrets.token_bytes(_BYTES))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        path.hardlink_to(aside)
    except FileExistsError:
        pass  # another starter was first: its key is the key
    finally:
        aside.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
