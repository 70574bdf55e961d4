"""Personal data sealed under a person's or a staff text's own key. Refuses to know what it says.

AES-256-GCM. The associated data bind a box to its key, case, field and command (store.md,
"Personal data"), so that a box moved to another place does not open. The door seals before
`decide`; `Sealed` is opaque to everything but this module.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from hmac import digest
from struct import Struct
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag

from casework.errors import Erased
from casework.keys import KeyStore
from casework.model import Sealed

ERASED_TEXT = "〔已按本人要求删除〕"
"""What a view shows where the key was destroyed."""

_NONCE_BYTES = 12
# Random nonces under one key are safe for 2^32 boxes (NIST SP 800-38D, 8.3); a key seals one
# person's texts or a single staff text.
_bind = Struct(">15sB16sB16sB16sH").pack
_bind_wrapped = Struct(">16sB16s").pack


class NotAsSealed(Exception):  # noqa: N818  names the finding
    """The box was changed, or stands in another place than the one it was sealed for."""

    def __str__(self) -> str:
        return "密文与其所在位置不符，可能被改动或移动过。"


class Boxed(msgspec.Struct, frozen=True):
    """A box and the place it must have been sealed for."""

    sealed: Sealed
    case_id: UUID
    field: str
    command_id: UUID


class Sealer:
    """Seals and opens with the keys of a store. Thread-safe; ≤ 10 µs each with a cached key."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys

    def seal(self, key_id: UUID, case_id: UUID, field: str, command_id: UUID, text: str) -> Sealed:
        """Seal a text. The key must be `ensure`d. Raises Erased if it was destroyed since."""
        return self.seal_bytes(key_id, case_id, field, command_id, text.encode())

    def seal_bytes(
        self, key_id: UUID, case_id: UUID, field: str, command_id: UUID, content: bytes
    ) -> Sealed:
        """As `seal`, for bytes such as encoded EXIF."""
        key = self._keys.get(key_id)
        if key is None:
            raise Erased
        nonce = os.urandom(_NONCE_BYTES)
        place = _place(key_id, case_id, field, command_id)
        return Sealed(key_id, nonce, key.aead.encrypt(nonce, content, place))

    def open(self, sealed: Sealed, case_id: UUID, field: str, command_id: UUID) -> str | None:
        """The text, or None where the key was destroyed (views show `ERASED_TEXT`).

        Raises NotAsSealed, and UnknownKey for a key that never was.
        """
        content = self.open_bytes(sealed, case_id, field, command_id)
        return None if content is None else content.decode()

    def open_bytes(
        self, sealed: Sealed, case_id: UUID, field: str, command_id: UUID
    ) -> bytes | None:
        """As `open`, for bytes."""
        key = self._keys.get(sealed.key_id)
        if key is None:
            return None
        place = _place(sealed.key_id, case_id, field, command_id)
        try:
            return key.aead.decrypt(sealed.nonce, sealed.box, place)
        except InvalidTag:
            raise NotAsSealed from None

    def open_many(self, boxes: Sequence[Boxed]) -> list[str | None]:
        """As `open`, in the order given; the keys not yet cached are read at once."""
        keys = self._keys.get_all(box.sealed.key_id for box in boxes)
        texts: list[str | None] = []
        for box in boxes:
            key, sealed = keys[box.sealed.key_id], box.sealed
            place = _place(sealed.key_id, box.case_id, box.field, box.command_id)
            try:
                content = None if key is None else key.aead.decrypt(sealed.nonce, sealed.box, place)
            except InvalidTag:
                raise NotAsSealed from None
            texts.append(None if content is None else content.decode())
        return texts

    def fingerprint(self, key_id: UUID, body: bytes) -> bytes:
        """32 bytes that tell the same body again, for idempotency; only with this key.

        A plain hash of a body with a telephone number could be searched back: that is personal
        data. Raises Erased if the key was destroyed (the API answers 410).
        """
        key = self._keys.get(key_id)
        if key is None:
            raise Erased
        return digest(key.mac, body, "sha256")

    def wrapper(self, key_id: UUID) -> Callable[[bytes], bytes]:
        """What the blob store calls to wrap a file's key under the uploader's key."""

        def wrap(secret: bytes) -> bytes:
            key = self._keys.get(key_id)
            if key is None:
                raise Erased
            nonce = os.urandom(_NONCE_BYTES)
            place = _bind_wrapped(b"haidian-blob-1", 16, key_id.bytes)
            return key_id.bytes + nonce + key.aead.encrypt(nonce, secret, place)

        return wrap

    def unwrap(self, wrapped: bytes) -> bytes | None:
        """A file's key again, or None where the uploader's key was destroyed.

        `wrapped` names its key itself. Raises NotAsSealed, UnknownKey.
        """
        key_id = UUID(bytes=wrapped[:16])
        key = self._keys.get(key_id)
        if key is None:
            return None
        nonce, box = wrapped[16 : 16 + _NONCE_BYTES], wrapped[16 + _NONCE_BYTES :]
        try:
            return key.aead.decrypt(nonce, box, _bind_wrapped(b"haidian-blob-1", 16, key_id.bytes))
        except InvalidTag:
            raise NotAsSealed from None


def _place(key_id: UUID, case_id: UUID, field: str, command_id: UUID) -> bytes:
    """The associated data: every part behind its length, so that no two places look alike."""
    name = field.encode()
    return (
        _bind(
            b"haidian-seal-1",
            16,
            key_id.bytes,
            16,
            case_id.bytes,
            16,
            command_id.bytes,
            len(name),
        )
        + name
    )
