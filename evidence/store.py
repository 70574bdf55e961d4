"""Where sealed bytes lie, named by their own SHA-256. Opens none, and knows no key and no case.

A store is told a name only when the bytes of that name are whole on this machine's disk, and says
that it has them only when they are durable. Two kinds: a folder, and an S3-compatible service.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from io import BufferedIOBase
from pathlib import Path
from typing import Protocol

import msgspec

from evidence.errors import BlobMissing

_NAME = re.compile(r"[0-9a-f]{64}")


class Kept(msgspec.Struct, frozen=True):
    """A stored file, and since when."""

    sha256: str
    since: datetime


class Store(Protocol):
    """What the blob store asks of a place. Thread-safe; every call may block."""

    def quarantine(self) -> tuple[int, Path]:
        """A new local file, open for writing, that only its maker knows."""
        ...

    def admit(self, path: Path, sha256: str) -> None:
        """Take a quarantined file, fsynced itself, under its name; durable when it returns."""
        ...

    def open(self, sha256: str) -> BufferedIOBase:
        """The sealed bytes. Raises BlobMissing."""
        ...

    def exists(self, sha256: str) -> bool:
        """Whether there is such a file."""
        ...

    def delete(self, sha256: str) -> bool:
        """Remove a file for good, as far as the place does; False if it was not there."""
        ...

    def kept(self) -> Iterator[Kept]:
        """Every stored file, in the order of the names."""
        ...

    def clear_quarantine(self, before: datetime) -> None:
        """Remove what uploads left half done before that time."""
        ...


def require_name(sha256: str) -> str:
    """The name, if it is one. Raises BlobMissing: what is no name names nothing."""
    if not _NAME.fullmatch(sha256):
        raise BlobMissing(sha256)
    return sha256


class Quarantine:
    """A local folder for what comes in, sealed already but not yet named."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def new(self) -> tuple[int, Path]:
        fd, name = tempfile.mkstemp(dir=self._folder)
        return fd, Path(name)

    def clear(self, before: datetime) -> None:
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before.timestamp():
                    path.unlink()


class Folder:
    """A folder: `incoming/` (quarantine), `ab/cd/<sha256>`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = Quarantine(root / "incoming")
        self._durable: set[Path] = set()

    def quarantine(self) -> tuple[int, Path]:
        """See Store."""
        return self._incoming.new()

    def admit(self, path: Path, sha256: str) -> None:
        """See Store: rename, then fsync of the folder."""
        home = self._path(sha256)
        for folder in (home.parent.parent, home.parent):
            # Once a process for each folder: another may have made it and not yet fsynced.
            if folder not in self._durable:
                folder.mkdir(exist_ok=True)
                _fsync_folder(folder.parent)
                self._durable.add(folder)
        path.rename(home)
        _fsync_folder(home.parent)

    def open(self, sha256: str) -> BufferedIOBase:
        """See Store."""
        try:
            return self._path(sha256).open("rb")
        except FileNotFoundError:
            raise BlobMissing(sha256) from None

    def exists(self, sha256: str) -> bool:
        """See Store."""
        return self._path(sha256).exists()

    def delete(self, sha256: str) -> bool:
        """See Store."""
        path = self._path(sha256)
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        _fsync_folder(path.parent)
        return True

    def kept(self) -> Iterator[Kept]:
        """See Store."""
        for path in sorted(self._root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*")):
            if _NAME.fullmatch(path.name):
                with suppress(FileNotFoundError):
                    since = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                    yield Kept(path.name, since)

    def clear_quarantine(self, before: datetime) -> None:
        """See Store."""
        self._incoming.clear(before)

    def _path(self, sha256: str) -> Path:
        require_name(sha256)
        return self._root / sha256[:2] / sha256[2:4] / sha256


def _fsync_folder(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
