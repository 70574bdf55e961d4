"""The examination of a picture: what goes in, what comes out. Knows no case and no disk.

    examiner = Examiner(workers=1)                # starts on the first picture
    outcome = examiner.examine(store.get(blob, unwrap))
    match outcome:
        case Examined(): …                        # thumbnail, display, facts, likeness, measures
        case Unreadable(code, sentence): …        # final: this file will never be readable

`examine` blocks the calling thread (a 12-megapixel photo: well under a second; never longer than
`PICTURES.seconds` and a little), may be called by several threads and runs at most `workers`
pictures at once. The picture is decoded in a process of its own, forked for it, that has no
network, no file, ≤ 1 GiB and ≤ 10 s (evidence/sandbox.py); the calling process imports no
picture library. What the picture does to that process is an answer (`Unreadable`), never an
exception. Exceptions: SandboxBroken, where no such process can be had (try again later), and
whatever the pieces raise while they are read (BlobDamaged, BlobMissing).

Personal data: `facts` (time, place and device) are to be sealed by the caller under the
uploader's key. `likeness`, the hashes and the derivatives are of a person's picture too and go when
the person goes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from types import TracebackType
from typing import Self

import msgspec

from evidence.likeness import Likeness
from evidence.sandbox import PICTURES, Sandbox, SandboxBroken, Stopped
from evidence.unreadable import Unreadable, Why

CHECK_VERSION = 1
"""Goes up when an examination would find something else in the same file."""
THUMBNAIL_SIDE = 320
DISPLAY_SIDE = 1600
"""Longest sides of the derivatives in pixels; a smaller picture is not made larger."""


class Facts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the camera wrote (EXIF), as far as it makes sense. All of it can be forged.

    Times are aware. `zone_told` is False where the camera told no zone and Beijing time was taken.
    `gps_at` is the satellites' time. Degrees are WGS-84 as EXIF has them; `accuracy_m` its
    GPSHPositioningError. `any` is False for a file without EXIF: no finding, mini-programs
    strip it.
    """

    any: bool = False
    taken_at: datetime | None = None
    zone_told: bool = False
    gps_at: datetime | None = None
    longitude: float | None = None
    latitude: float | None = None
    accuracy_m: float | None = None
    make: str | None = None
    model: str | None = None
    software: str | None = None
    orientation: int = 1


class Measures(msgspec.Struct, frozen=True):
    """How well the picture can be seen.

    `brightness` is the mean of luma and `highlights` its 95th percentile, both 0 (black) to 255.
    `sharpness` says how strong edges are at all (0 for a plain surface), independent of the
    picture's size: see evidence/measures.py.
    """

    brightness: float
    highlights: float
    sharpness: float


class Examined(msgspec.Struct, frozen=True, tag="examined"):
    """A readable picture. Width and height in pixels as a person sees it, upright.

    `content` is the SHA-256 of the file, `pixels` that of the decoded pixels: the same after
    metadata were taken off. `thumbnail` and `display` are JPEGs without any metadata.
    """

    media_type: str
    width: int
    height: int
    content: str
    pixels: str
    facts: Facts
    likeness: Likeness
    measures: Measures
    thumbnail: bytes
    display: bytes
    version: int = CHECK_VERSION


_MACHINE = frozenset({"seconds", "nobody waits"})
"""Why a job was stopped that says nothing about its file: an endless loop meets the limit of CPU
time first, so elapsed time runs out only where the machine has too much to do."""


class Examiner:
    """Examines pictures in processes of their own. Thread-safe. Close it, or use it by `with`."""

    def __init__(self, workers: int = 1) -> None:
        self._sandbox = Sandbox("evidence.images", PICTURES, workers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the processes. A picture being examined by another thread raises SandboxBroken."""
        self._sandbox.close()

    def confinement(self) -> tuple[str, ...]:
        """What holds the processes, in words such as `seccomp`, `memory`, `cpu`; for /health."""
        return self._sandbox.confinement()

    def pids(self) -> frozenset[int]:
        """The processes there are now: none before the first picture."""
        return self._sandbox.pids()

    def examine(self, pieces: Iterable[bytes]) -> Examined | Unreadable:
        """What is in this file. See the module."""
        content = bytearray()
        for piece in pieces:
            content += piece
            if len(content) > PICTURES.bytes_in:
                return Unreadable.because(Why.TOO_LARGE)
        answer = self.work("examine", bytes(content))
        if isinstance(answer, Unreadable):
            return answer
        return msgspec.msgpack.decode(answer, type=Examined | Unreadable)

    def work(self, job: str, payload: bytes) -> bytes | Unreadable:
        """Another job of evidence/images.py. Raises SandboxBroken."""
        answer = self._sandbox.run(job, payload)
        if isinstance(answer, Stopped):
            if answer.what in _MACHINE:
                raise SandboxBroken(f"stopped for {answer.what}")
            return Unreadable.because(Why.DAMAGED if answer.crashed else Why.COSTS_TOO_MUCH)
        return answer
