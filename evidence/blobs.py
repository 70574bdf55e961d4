"""Files that people upload, sealed under a key of their own, in a `Store`. Knows no case.

A file never stands in the clear: it is sealed piece by piece as it comes in, and named by the
SHA-256 of its sealed bytes, so that two uploads of one picture share nothing and erasing one
person never touches another.

Form of a file: six bytes of magic, then pieces of ≤ 64 KiB under AES-256-GCM, each with its number
and whether it is the last in its nonce, and the media type as associated data: none can be dropped,
swapped or added unseen. Whoever reads to the end has also checked the file against its name.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from io import BufferedIOBase
from types import TracebackType
from typing import Self

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from evidence.errors import (
    BlobDamaged,
    BlobMissing,
    Empty,
    NotAPicture,
    NotARecording,
    TooLarge,
    TooManyPixels,
)
from evidence.signatures import HEAD_BYTES, Kind, Signature, recognise
from evidence.store import Store

LIMIT_BYTES = 20 * 1024 * 1024
"""Most bytes of one file."""
LIMIT_PIXELS = 50_000_000
"""Most pixels a picture's header may claim: beyond it, decoding costs more than a worker has."""

_MAGIC = b"HDBLB\x01"
_PIECE = HEAD_BYTES
_TAG = 16


class Blob(msgspec.Struct, frozen=True):
    """A stored file: SHA-256 of its sealed bytes, bytes in the clear, type, its wrapped key.

    Width and height in pixels as the header claims, where it tells.
    """

    sha256: str
    size: int
    media_type: str
    wrapped_key: bytes
    width: int | None = None
    height: int | None = None


class BlobStore:
    """Sealed files in a store. Thread-safe; every call may block on the disk or the network."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def incoming(self, kind: Kind, limit: int = LIMIT_BYTES) -> Incoming:
        """Begin to take in a file, for one who gets it piece by piece. Use it by `with`."""
        return Incoming(self._store, kind, limit)

    def put(
        self,
        stream: Iterable[bytes],
        wrap: Callable[[bytes], bytes],
        kind: Kind = Kind.PICTURE,
        limit: int = LIMIT_BYTES,
    ) -> Blob:
        """Take in a whole stream; durable when it returns. Raises UploadRefused.

        `wrap` seals the file's 32-byte key under the uploader's key, which must be durable.
        """
        with self.incoming(kind, limit) as incoming:
            for some in stream:
                incoming.write(some)
            return incoming.finish(wrap)

    def get(self, blob: Blob, unwrap: Callable[[bytes], bytes]) -> Iterator[bytes]:
        """The file in the clear, in pieces of ≤ 64 KiB, each checked before it is given.

        A file cut short is found at its end: what came before must then be thrown away.
        Raises BlobMissing at once; BlobDamaged while reading.
        """
        key = AESGCM(unwrap(blob.wrapped_key))
        return _pieces(self._store.open(blob.sha256), key, blob)

    def read(self, blob: Blob, unwrap: Callable[[bytes], bytes]) -> bytes:
        """The whole file in the clear. Raises BlobMissing, BlobDamaged."""
        return b"".join(self.get(blob, unwrap))

    def verify(self, sha256: str) -> bool:
        """Whether the sealed bytes are still those of the name. Needs no key."""
        with self._store.open(sha256) as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256

    def exists(self, sha256: str) -> bool:
        """Whether there is a file of that name, whatever its bytes."""
        try:
            return self._store.exists(sha256)
        except BlobMissing:
            return False

    def delete(self, sha256: str) -> bool:
        """Remove a file for good (as far as the store does); False if it was not there."""
        return self._store.delete(sha256)

    def names(self) -> Iterator[str]:
        """The SHA-256 of every stored file, in order."""
        return (kept.sha256 for kept in self._store.kept())

    def collect_orphans(self, cited: Callable[[str], bool], before: datetime) -> list[str]:
        """Delete files older than `before` that nobody cites, and what an upload left half done.

        `before` must lie further back than an upload id is good for, else one about to be cited
        could go. Returns the names of the stored files deleted.
        """
        self._store.clear_quarantine(before)
        orphans = (
            kept.sha256
            for kept in self._store.kept()
            if kept.since < before and not cited(kept.sha256)
        )
        return [name for name in orphans if self.delete(name)]


class Incoming:
    """A file on its way in: counted, looked at, sealed into quarantine. One thread at a time."""

    def __init__(self, store: Store, kind: Kind, limit: int) -> None:
        self._store = store
        self._kind = kind
        self._limit = limit
        self._secret = AESGCM.generate_key(256)
        self._key = AESGCM(self._secret)
        self._waiting = bytearray()
        self._size = 0
        self._number = 0
        self._signature: Signature | None = None
        self._hash = hashlib.sha256()
        fd, self._path = store.quarantine()
        self._file = os.fdopen(fd, "wb")
        self._emit(_MAGIC)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)

    def write(self, some: bytes) -> None:
        """Take the next bytes. Raises TooLarge, or what is wrong with the type, at once."""
        self._size += len(some)
        if self._size > self._limit:
            raise TooLarge(self._limit)
        self._waiting += some
        # The last piece is marked as such, so one is always kept back.
        while len(self._waiting) > _PIECE:
            self._seal(bytes(self._waiting[:_PIECE]), last=False)
            del self._waiting[:_PIECE]

    def finish(self, wrap: Callable[[bytes], bytes]) -> Blob:
        """The end has come: make the file durable under its name. Raises UploadRefused."""
        if not self._size:
            raise Empty
        signature = self._seal(bytes(self._waiting), last=True)
        wrapped = wrap(self._secret)
        self._file.flush()
        os.fsync(self._file.fileno())
        name = self._hash.hexdigest()
        self._store.admit(self._path, name)
        return Blob(
            sha256=name,
            size=self._size,
            media_type=signature.media_type,
            wrapped_key=wrapped,
            width=signature.width,
            height=signature.height,
        )

    def _seal(self, piece: bytes, *, last: bool) -> Signature:
        signature = self._signature or _accept(piece, self._kind)
        self._signature = signature
        nonce = _nonce(self._number, last=last)
        self._emit(self._key.encrypt(nonce, piece, _bound(signature.media_type)))
        self._number += 1
        return signature

    def _emit(self, sealed: bytes) -> None:
        self._hash.update(sealed)
        self._file.write(sealed)


def _accept(head: bytes, kind: Kind) -> Signature:
    found = recognise(head)
    if found is None or found.kind is not kind:
        name = None if found is None else found.name
        raise NotAPicture(name) if kind is Kind.PICTURE else NotARecording(name)
    if (found.width or 0) * (found.height or 0) > LIMIT_PIXELS:
        raise TooManyPixels(LIMIT_PIXELS)
    return found


def _pieces(file: BufferedIOBase, key: AESGCM, blob: Blob) -> Iterator[bytes]:
    digest = hashlib.sha256()

    def sealed_piece(size: int = _PIECE + _TAG) -> bytes:
        some = file.read(size)
        digest.update(some)
        return some

    with file:
        if sealed_piece(len(_MAGIC)) != _MAGIC:
            raise BlobDamaged(blob.sha256)
        number, sealed = 0, sealed_piece()
        while True:
            following = sealed_piece()
            nonce = _nonce(number, last=not following)
            try:
                piece = key.decrypt(nonce, sealed, _bound(blob.media_type))
            except InvalidTag:
                raise BlobDamaged(blob.sha256) from None
            if not following and digest.hexdigest() != blob.sha256:
                raise BlobDamaged(blob.sha256)
            yield piece
            if not following:
                return
            number, sealed = number + 1, following


def _nonce(number: int, *, last: bool) -> bytes:
    """Counted, not random: the key is this file's alone, so none repeats."""
    return number.to_bytes(11, "big") + (b"\1" if last else b"\0")


def _bound(media_type: str) -> bytes:
    return b"haidian-blob-1\0" + media_type.encode()
