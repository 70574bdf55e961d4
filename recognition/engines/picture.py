"""Pictures decoded and drawn anew, inside a worker: smaller, upright, without what a camera wrote.

For whoever sends a picture out of the house. Knows no model.
"""

import contextlib
import io
from importlib import import_module

import msgspec
from PIL import Image, ImageOps, UnidentifiedImageError

from recognition.model import Unavailable
from recognition.worker import Engine

with contextlib.suppress(ImportError):  # phones of one maker write HEIC; read where it can be
    pillow_heif = import_module("pillow_heif")
    pillow_heif.register_heif_opener()

MOST_PIXELS = 50_000_000
"""A phone's largest; beyond it a small file can fill the memory."""


def opened(content: bytes) -> Image.Image:
    """The picture, upright, RGB. Raises Unavailable for what is none or too large."""
    try:
        file = Image.open(io.BytesIO(content), formats=_formats())
        if file.width * file.height > MOST_PIXELS:
            raise Unavailable("照片像素太多")
        return ImageOps.exif_transpose(file).convert("RGB")
    except Image.DecompressionBombError as bomb:
        raise Unavailable("照片像素太多") from bomb
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as fault:
        raise Unavailable("照片无法读取") from fault


def _formats() -> tuple[str, ...]:
    return ("JPEG", "PNG", "WEBP", *(["HEIF"] if "HEIF" in Image.OPEN else []))


def load(settings: bytes) -> Engine:
    """The engine: a picture's file to a JPEG without metadata. `settings` is its longest side."""
    longest = msgspec.msgpack.decode(settings, type=int)

    def redraw(question: bytes) -> bytes:
        picture = opened(question)
        picture.thumbnail((longest, longest))
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=85)
        return out.getvalue()

    return redraw
