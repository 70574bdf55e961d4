"""Faces, plates and telephone numbers in a picture. Imported in its own sandbox only.

Needs the `vision` extra; what of it is not there is not looked for. The weights are those of
published packages (ADR 0093), run by onnxruntime on one thread: a thread pool would not live
through the fork that makes each child.

Sources: CenterFace (anchor-free: centre heat map, log size, offset; stride 4); RetinaFace's
decoding of priors (sizes 24–768, strides 8, 16, 32; variances 0.1, 0.2) for plates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module

import msgspec
import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from evidence import images
from evidence.examining import DISPLAY_SIDE
from evidence.masking import mask
from evidence.redaction import Box, Found, What, looks_for, weights

FACE_SIDE, PLATE_SIDE = 1280, 1280
"""Longest sides in pixels that are looked at: far faces and plates are small."""
FACE_SCORE, PLATE_SCORE, TEXT_SCORE = 0.35, 0.5, 0.4
"""Low on purpose: a box too many is a click, a face too few is a harm."""
OVERLAP = 0.3
GROW = {What.FACE: 0.15, What.PLATE: 0.2, What.TEXT: 0.08}
"""Of the box's own sides, on each side: hair and ears, a plate's frame, a line's edge."""

_Array = NDArray[np.float32]
_Scored = list[tuple[float, float, float, float, float]]  # left, top, right, bottom, score
_Line = tuple[list[tuple[float, float]], str, float]  # corners in pixels, words, score
_Reader = Callable[[NDArray[np.uint8]], tuple[list[_Line] | None, object]]


def find(derivative: bytes) -> bytes:
    """Found, as MessagePack."""
    image, _, _ = images.open_upright(derivative, DISPLAY_SIDE)
    pixels = np.asarray(image)
    boxes: list[Box] = []
    looked_for = looks_for()
    for what in looked_for:
        for left, top, right, bottom, score in _FINDERS[what](pixels):
            wide, high = (right - left) * GROW[what], (bottom - top) * GROW[what]
            box = Box(
                max(0.0, left - wide),
                max(0.0, top - high),
                min(1.0, right + wide),
                min(1.0, bottom + high),
                what,
                round(min(1.0, score), 3),
            )
            if box.left < box.right and box.top < box.bottom:
                boxes.append(box)
    return msgspec.msgpack.encode(Found(tuple(boxes), looked_for))


def warm() -> None:
    """Load what is there, and run each once: what is imported late could not be in a child."""
    images.warm()
    blank = np.full((256, 320, 3), 127, np.uint8)
    for what in looks_for():
        _FINDERS[what](blank)


def _faces(pixels: NDArray[np.uint8]) -> _Scored:
    scaled, height, width = _padded(pixels, FACE_SIDE, 32)
    heat, size, offset, _ = _face_model().run(None, {"input.1": scaled})
    centre = heat[0, 0]
    found: _Scored = []
    for row, column in zip(*np.nonzero(centre > FACE_SCORE), strict=True):
        high, wide = np.exp(size[0, :, row, column]) * 4
        down, across = offset[0, :, row, column]
        left, top = (column + across + 0.5) * 4 - wide / 2, (row + down + 0.5) * 4 - high / 2
        right, bottom = left + wide, top + high
        found.append(
            (
                float(left / width),
                float(top / height),
                float(right / width),
                float(bottom / height),
                float(centre[row, column]),
            )
        )
    return _best(found)


@cache
def _face_model() -> onnxruntime.InferenceSession:
    """Its file fixes the size of the picture; the net itself does not care."""
    model = onnx.load(str(weights(What.FACE)))
    graph = model.graph
    weighed = {tensor.name for tensor in graph.initializer}
    for value in (*graph.input, *graph.output):
        if value.name in weighed:
            continue
        dimensions = value.type.tensor_type.shape.dim
        dimensions[0].dim_value = 1
        for place in (2, 3):
            dimensions[place].dim_param = f"{value.name}_{place}"
    return _session(model.SerializeToString())


def _plates(pixels: NDArray[np.uint8]) -> _Scored:
    scaled, height, width = _padded(pixels, PLATE_SIDE, 32)
    # The net was taught with blue first, and means taken off.
    mean = np.array([104, 117, 123], np.float32)[None, :, None, None]
    model = _plate_model()
    places, scores, _ = model.run(None, {model.get_inputs()[0].name: scaled[:, ::-1] - mean})
    score = scores[0, :, 1]
    sure = score > PLATE_SCORE
    prior = _priors(*scaled.shape[2:])[sure]
    centre = prior[:, :2] + places[0][sure, :2] * 0.1 * prior[:, 2:]
    size = prior[:, 2:] * np.exp(places[0][sure, 2:] * 0.2)
    corners = np.concatenate([centre - size / 2, centre + size / 2], 1)
    parts = corners / np.array([width, height, width, height], np.float32)
    found: _Scored = [
        (float(left), float(top), float(right), float(bottom), float(one))
        for (left, top, right, bottom), one in zip(parts, score[sure], strict=True)
    ]
    return _best(found)


@cache
def _plate_model() -> onnxruntime.InferenceSession:
    return _session(str(weights(What.PLATE)))


def _priors(height: int, width: int) -> _Array:
    """Centres and sides in pixels, in the order of the net's answers."""
    rows = []
    for step, sides in ((8, (24, 48)), (16, (96, 192)), (32, (384, 768))):
        down, across = -(-height // step), -(-width // step)
        y, x, side = np.meshgrid(np.arange(down), np.arange(across), sides, indexing="ij")
        rows.append(np.stack([(x + 0.5) * step, (y + 0.5) * step, side, side], -1).reshape(-1, 4))
    return np.concatenate(rows).astype(np.float32)


def _texts(pixels: NDArray[np.uint8]) -> _Scored:
    """Lines that hold a telephone number, a plate or what else the masking rules know."""
    height, width = pixels.shape[:2]
    lines, _ = _reader()(np.ascontiguousarray(pixels[:, :, ::-1]))
    found: _Scored = []
    for corners, text, score in lines or ():
        if mask(text) != text and float(score) >= TEXT_SCORE:
            across = [float(x) for x, _ in corners]
            down = [float(y) for _, y in corners]
            found.append(
                (
                    min(across) / width,
                    min(down) / height,
                    max(across) / width,
                    max(down) / height,
                    float(score),
                )
            )
    return found


@cache
def _reader() -> _Reader:
    """Not imported above: faces and plates are found without it."""
    import_module("cv2").setNumThreads(0)
    made: _Reader = import_module("rapidocr_onnxruntime").RapidOCR(
        intra_op_num_threads=1, inter_op_num_threads=1
    )
    return made


def _session(model: str | bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _padded(pixels: NDArray[np.uint8], side: int, step: int) -> tuple[_Array, int, int]:
    """As one batch of planes, longest side `side`; and height and width without the padding.

    The padding makes each side a multiple of `step`.
    """
    image = Image.fromarray(pixels)
    scale = side / max(image.size)
    width, height = (max(1, round(part * scale)) for part in image.size)
    scaled = np.asarray(image.resize((width, height)))
    padded = np.zeros((-(-height // step) * step, -(-width // step) * step, 3), np.float32)
    padded[:height, :width] = scaled
    return padded.transpose(2, 0, 1)[None], height, width


def _best(found: _Scored) -> _Scored:
    """Of boxes that overlap, the surest."""
    kept: _Scored = []
    for box in sorted(found, key=lambda one: -one[4])[:1000]:
        if all(_shared(box, other) < OVERLAP for other in kept):
            kept.append(box)
    return kept


def _shared(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Intersection over union."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    if wide <= 0 or high <= 0:
        return 0.0
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return wide * high / (areas - wide * high)


_FINDERS: Mapping[What, Callable[[NDArray[np.uint8]], _Scored]] = {
    What.FACE: _faces,
    What.PLATE: _plates,
    What.TEXT: _texts,
}
JOBS: Mapping[str, Callable[[bytes], bytes]] = {"find": find}
