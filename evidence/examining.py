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
from enum import StrEnum
from types import TracebackType
from typing import Self

import msgspec

from evidence.likeness import Likeness
from evidence.sandbox import PICTURES, Sandbox, Stopped

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


class Why(StrEnum):
    """Stable codes of what makes a file unreadable."""

    NOT_A_PICTURE = "not_a_picture"
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_SMALL = "too_small"
    SEVERAL_PICTURES = "several_pictures"
    CUT_SHORT = "cut_short"
    DAMAGED = "damaged"
    SOMETHING_ELSE_INSIDE = "something_else_inside"
    COSTS_TOO_MUCH = "costs_too_much"


SENTENCES = {
    Why.NOT_A_PICTURE: "这不是 JPEG、PNG、WebP 或 HEIC 格式的照片，无法使用。",
    Why.EMPTY: "照片文件是空的，请重新上传。",
    Why.TOO_LARGE: "照片文件超过20 MB，请压缩后再上传。",
    Why.TOO_MANY_PIXELS: "照片尺寸过大（超过5000万像素），请缩小后再上传。",
    Why.TOO_SMALL: "照片尺寸太小，看不清现场，请重新拍摄。",
    Why.SEVERAL_PICTURES: "这是动图或多张图片合成的文件，请上传单张照片。",
    Why.CUT_SHORT: "照片没有传完整，请重新上传。",
    Why.DAMAGED: "照片文件已损坏，无法打开，请重新拍摄或另存后上传。",
    Why.SOMETHING_ELSE_INSIDE: "照片文件里夹带了其他内容，请上传手机直接拍摄的照片。",
    Why.COSTS_TOO_MUCH: "照片无法在规定的时间和内存内打开，请重新拍摄或缩小后上传。",
}


class Unreadable(msgspec.Struct, frozen=True, tag="unreadable"):
    """The file cannot be used, now or later. The sentence is for the person who sent it."""

    code: Why
    sentence: str

    @classmethod
    def because(cls, code: Why) -> Self:
        """With the sentence that belongs to the code."""
        return cls(code, SENTENCES[code])


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

    def examine(self, pieces: Iterable[bytes]) -> Examined | Unreadable:
        """What is in this file. See the module."""
        content = bytearray()
        for piece in pieces:
            content += piece
            if len(content) > PICTURES.bytes_in:
                return Unreadable.because(Why.TOO_LARGE)
        answer = self._sandbox.run("examine", bytes(content))
        if isinstance(answer, Stopped):
            return Unreadable.because(Why.DAMAGED if answer.crashed else Why.COSTS_TOO_MUCH)
        return msgspec.msgpack.decode(answer, type=Examined | Unreadable)
