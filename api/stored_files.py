"""Stored files as uploads, facts and views name them, opened under their owner's key.

May wait for the disk or the network. Knows no case, and who may look is asked elsewhere.
"""

from collections.abc import Callable
from typing import Protocol

from casework.errors import Erased
from casework.sealing import Sealer
from evidence.blobs import Blob, BlobStore


class Named(Protocol):
    """What names a stored file: the fields of `Blob`."""

    @property
    def sha256(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def media_type(self) -> str: ...
    @property
    def wrapped_key(self) -> bytes: ...


def blob_of(file: Named) -> Blob:
    """The file as the store takes it."""
    return Blob(file.sha256, file.size, file.media_type, file.wrapped_key)


def unwrapping(sealer: Sealer) -> Callable[[bytes], bytes]:
    """What the store calls for a file's own key. Raises Erased where its owner's is destroyed."""

    def unwrap(wrapped: bytes) -> bytes:
        key = sealer.unwrap(wrapped)
        if key is None:
            raise Erased
        return key

    return unwrap


def content_of(blobs: BlobStore, sealer: Sealer, file: Named) -> bytes:
    """The whole file in the clear, checked. Raises Erased, BlobMissing, BlobDamaged."""
    return blobs.read(blob_of(file), unwrapping(sealer))
