"""The street boundaries in force at a moment, and those of a version. Knows no case.

An adopted map lies as tables in a folder named by their digest, the one that its event names; what
differs from it by a byte is not used. A version is read when it is first asked for.
"""

import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from casework.errors import Missing, Refusal
from casework.reference import BoundariesEvent, NotInForceYet, References
from geo.arrangement import BrokenMapError
from geo.boundaries import Boundaries
from geo.dispatch import Dispatcher
from geo.units import known_units

_HEX = frozenset("0123456789abcdef")

FOLDER = "boundaries"
"""Under the data folder: every map ever adopted here."""


@dataclass(eq=False)
class MapUnusable(Refusal):
    """The files of an adopted map are missing or not those that were adopted (边界文件不可用)."""

    version: int
    why: str

    def __str__(self) -> str:
        return f"第{self.version}版街镇边界{self.why}，暂时不能定位和派遣，请联系系统管理员。"


def digest_of(folder: Path) -> str:
    """SHA-256 over names and bytes of a map's tables, in order of name."""
    found = hashlib.sha256()
    for path in sorted(folder.glob("*.csv")):
        content = path.read_bytes()
        found.update(f"{path.name}\0{len(content)}\0".encode() + content)
    return found.hexdigest()


def keep_map(boundaries: Boundaries, folder: Path) -> str:
    """Keep a map under its digest, on the disk before this returns; the digest.

    Keeping the same map again changes nothing. Whole or not at all: written aside, then renamed.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".new-", dir=folder))
    boundaries.save(aside)
    digest = digest_of(aside)
    kept = folder / digest
    if kept.is_dir() and digest_of(kept) == digest:
        shutil.rmtree(aside)
        return digest
    for path in (*aside.iterdir(), aside):
        _sync(path)
    shutil.rmtree(kept, ignore_errors=True)
    aside.rename(kept)
    _sync(folder)
    return digest


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_kept(folder: Path, digest: str, version: int) -> Boundaries:
    """A kept map under the number of its version.

    Raises:
        MapUnusable: it is not there, or not the one that was adopted.

    """
    kept = folder / digest
    if not kept.is_dir():
        raise MapUnusable(version, f"的文件缺失（{digest[:12]}…）")
    if digest_of(kept) != digest:
        raise MapUnusable(version, f"的文件与启用时不符（{digest[:12]}…）")
    try:
        return Boundaries.read(kept, version=version)
    except (BrokenMapError, KeyError, ValueError) as broken:
        raise MapUnusable(version, f"无法读取（{broken}）") from broken


class BoundaryVersions:
    """Dispatchers by version. `references` gives the reference streams as read so far.

    Maps stay in memory once read: an adoption is a matter of years, a map some megabytes.
    """

    def __init__(self, references: Callable[[], References], folder: Path) -> None:
        self.folder = folder
        self._references = references
        self._known: dict[int, Dispatcher] = {}
        self._reading = threading.Lock()

    def at(self, moment: datetime) -> Dispatcher:
        """The dispatcher in force at the moment. Raises NotInForceYet, MapUnusable."""
        version = self._references().versions_at(moment).boundaries
        if not version:
            raise NotInForceYet
        return self.of(version)

    def of(self, version: int) -> Dispatcher:
        """The dispatcher of a version that a fact names; a new one is read (some 40 ms).

        Raises MapUnusable, and LookupError beyond the stream read so far.
        """
        known = self._known.get(version)
        if known is not None:
            return known
        with self._reading:
            if version not in self._known:
                map_ = read_kept(self.folder, self._adopted(version).sha256, version)
                self._known[version] = Dispatcher(map_)
            return self._known[version]

    def _adopted(self, version: int) -> BoundariesEvent:
        stream = self._references().boundaries
        if not 1 <= version <= len(stream):
            raise LookupError(f"boundaries {version} of {len(stream)}")
        return stream[version - 1]

    def name_of(self, code: str, moment: datetime) -> str:
        """The name of a unit: of the 29 without any map, of another by the map in force.

        Raises MapUnusable, NotInForceYet, KeyError for another.
        """
        unit = known_units().get(code)
        return unit.name if unit else self.at(moment).boundaries.name(code)

    def require_kept(self, digest: str) -> None:
        """Raise Missing where no map of that digest was put on this disk, whole and readable."""
        absent = Missing(
            "sha256",
            "服务器上没有这份边界，请先用 casework boundaries adopt --only-keep 检查并存放。",
        )
        if len(digest) != 64 or not set(digest) <= _HEX:  # a name, never a path
            raise absent
        try:
            read_kept(self.folder, digest, 0)
        except MapUnusable:
            raise absent from None

    def read_ahead(self, moment: datetime) -> None:
        """Read what holds now and what will, so that nobody waits and a loss shows beforehand.

        Raises MapUnusable for the first that cannot be read.
        """
        references = self._references()
        for version in range(
            references.versions_at(moment).boundaries, references.head.boundaries + 1
        ):
            if version:
                self.of(version)

    def usable(self, moment: datetime) -> bool:
        """Whether places can be assigned at that moment."""
        try:
            self.at(moment)
        except (MapUnusable, NotInForceYet):
            return False
        return True
