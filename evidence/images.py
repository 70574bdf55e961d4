"""Opens a stranger's picture. Imported in the processes of evidence/sandbox.py only.

In: the bytes of a file. Out: what evidence/examining.py promises, as MessagePack. The picture is
decoded once, small where the format can (JPEG), turned upright, and written anew from its bare
pixels: nothing of the file but what a person sees of it reaches a derivative.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from math import ceil, floor

import msgspec
import numpy as np
import pillow_heif
from PIL import Image, ImageCms, ImageDraw, ImageFile, PngImagePlugin, UnidentifiedImageError

from evidence import exif, likeness, measures
from evidence.blobs import LIMIT_PIXELS
from evidence.containers import LEAST_SIDE, look
from evidence.examining import DISPLAY_SIDE, THUMBNAIL_SIDE, Examined, Facts
from evidence.unreadable import Unreadable, Why

_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/heic": "HEIF"}
_TEXT_CHUNK, _TEXT_ALL = 1 << 20, 4 << 20
"""Most bytes that one text of a PNG, and all together, may unpack to."""
_DISPLAY_QUALITY, _THUMBNAIL_QUALITY = 82, 78
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_FILL = (32, 32, 32)
_Rectangle = tuple[float, float, float, float]
_SRGB = ImageCms.createProfile("sRGB")


class Refused(Exception):  # noqa: N818  an answer, not a fault
    """The picture cannot be used."""

    def __init__(self, why: Why) -> None:
        self.why = why


def examine(content: bytes) -> bytes:
    """Examined or Unreadable, as MessagePack."""
    try:
        return msgspec.msgpack.encode(_examined(content))
    except Refused as refused:
        return msgspec.msgpack.encode(Unreadable.because(refused.why))


def redact(request: bytes) -> bytes:
    """A derivative with rectangles filled. Takes (JPEG, [(left, top, right, bottom)]) in parts."""
    derivative, boxes = msgspec.msgpack.decode(request, type=tuple[bytes, list[_Rectangle]])
    image, _, _ = open_upright(derivative, DISPLAY_SIDE)
    draw = ImageDraw.Draw(image)
    width, height = image.size
    for left, top, right, bottom in boxes:
        # Outwards to whole pixels: no rim of what is to be hidden.
        draw.rectangle(
            (floor(left * width), floor(top * height), ceil(right * width), ceil(bottom * height)),
            fill=_FILL,
        )
    return as_jpeg(image)


def open_upright(content: bytes, side: int) -> tuple[Image.Image, str, Facts]:
    """The picture as a person sees it: RGB, longest side ≤ `side`, upright; its type; its facts.

    Raises Refused.
    """
    image, media_type, facts, _ = _opened(content, side)
    return _upright(image, facts.orientation), media_type, facts


def as_jpeg(image: Image.Image, quality: int = _DISPLAY_QUALITY) -> bytes:
    """Written from bare pixels: an image object may carry profile, comment and texts along."""
    bare = Image.frombytes("RGB", image.size, image.tobytes())
    out = io.BytesIO()
    bare.save(out, "JPEG", quality=quality, optimize=False)
    return out.getvalue()


def warm() -> None:
    """Take every way once, so that a child that may open no file has all it needs."""
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = LIMIT_PIXELS
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    PngImagePlugin.MAX_TEXT_CHUNK = _TEXT_CHUNK
    PngImagePlugin.MAX_TEXT_MEMORY = _TEXT_ALL
    pillow_heif.register_heif_opener(thumbnails=False, decode_threads=1)
    drawn = Image.fromarray(np.arange(96 * 64 * 3, dtype=np.uint8).reshape(64, 96, 3))
    tags = Image.Exif()
    tags[0x0112] = 6
    profile = ImageCms.ImageCmsProfile(_SRGB).tobytes()
    for name in _FORMATS.values():
        out = io.BytesIO()
        drawn.save(out, name, exif=tags.tobytes(), icc_profile=profile)
        _examined(out.getvalue())
        with suppress(Refused):
            _examined(out.getvalue()[: len(out.getvalue()) // 2])
    redact(msgspec.msgpack.encode((as_jpeg(drawn), [(0.1, 0.1, 0.9, 0.9)])))


def _examined(content: bytes) -> Examined:
    image, media_type, facts, size = _opened(content, DISPLAY_SIDE)
    # Before it is turned: whoever takes the metadata off loses which way is up, not the pixels.
    pixels = hashlib.sha256(repr(image.size).encode() + image.tobytes()).hexdigest()
    display = _upright(image, facts.orientation)
    grey = display.convert("L")
    square = grey.resize((likeness.SIDE, likeness.SIDE), Image.Resampling.BOX)
    thumbnail = _fit(display, THUMBNAIL_SIDE)
    turned = facts.orientation >= 5
    return Examined(
        media_type=media_type,
        width=size[1] if turned else size[0],
        height=size[0] if turned else size[1],
        content=hashlib.sha256(content).hexdigest(),
        pixels=pixels,
        facts=facts,
        likeness=likeness.likeness_of(np.asarray(square)),
        measures=measures.measures_of(np.asarray(_fit(grey, measures.SIDE))),
        thumbnail=as_jpeg(thumbnail, _THUMBNAIL_QUALITY),
        display=as_jpeg(display),
    )


def _opened(content: bytes, side: int) -> tuple[Image.Image, str, Facts, tuple[int, int]]:
    """RGB, longest side ≤ `side`, not yet upright; type; facts; size in the file."""
    found = look(content)
    if isinstance(found, Why):
        raise Refused(found)
    try:
        image = Image.open(io.BytesIO(content), formats=[_FORMATS[found.media_type]])
        size = image.size
        _require_one(image)
        if isinstance(image, PngImagePlugin.PngImageFile):
            image.load()  # its EXIF may stand behind the pixels
        facts = exif.read(image.getexif())
        image.draft("RGB", (side, side))
        image.load()
        profile = image.info.get("icc_profile")
        shown = _in_srgb(_fit(_flat(image), side), profile)
    except Refused:
        raise
    except MemoryError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise Refused(Why.TOO_MANY_PIXELS) from None
    except UnidentifiedImageError:
        raise Refused(Why.DAMAGED) from None
    except Exception as error:  # noqa: BLE001  decoders raise whatever they like
        raise Refused(_why(error)) from None
    return shown, found.media_type, facts, size


def _why(error: Exception) -> Why:
    words = str(error).lower()
    if "truncated" in words or "end of file" in words or isinstance(error, EOFError):
        return Why.CUT_SHORT
    if "too large" in words or "too much memory" in words or "security limit" in words:
        return Why.COSTS_TOO_MUCH
    return Why.DAMAGED


def _require_one(image: Image.Image) -> None:
    width, height = image.size
    if width * height > LIMIT_PIXELS:
        raise Refused(Why.TOO_MANY_PIXELS)
    if min(width, height) < LEAST_SIDE:
        raise Refused(Why.TOO_SMALL)
    if image.format != "MPO" and getattr(image, "n_frames", 1) != 1:
        raise Refused(Why.SEVERAL_PICTURES)
    # Phones write the light map of an HDR photo behind it, as a second picture of its own kind;
    # a panorama or a pair for two eyes is told by its type.
    entries = getattr(image, "mpinfo", {}).get(0xB002, ())
    if any(str(entry["Attribute"]["MPType"]).startswith("Multi-Frame") for entry in entries):
        raise Refused(Why.SEVERAL_PICTURES)


def _flat(image: Image.Image) -> Image.Image:
    """As RGB; what is transparent becomes white, 16 bits become 8."""
    if image.mode.startswith(("I", "F")):
        deep = np.asarray(image)
        image = Image.fromarray((deep.astype(np.float32) / 257).clip(0, 255).astype(np.uint8))
    if image.has_transparency_data:
        with_alpha = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(with_alpha, mask=with_alpha.getchannel("A"))
        return white
    return image.convert("RGB")


def _in_srgb(image: Image.Image, profile: object) -> Image.Image:
    """Phones photograph in wider colours; without their profile these would look pale."""
    if not isinstance(profile, bytes) or not profile:
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        turned = ImageCms.profileToProfile(image, source, _SRGB)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
    return image if turned is None else turned


def _fit(image: Image.Image, side: int) -> Image.Image:
    longest = max(image.size)
    if longest <= side:
        return image
    width, height = (max(1, round(part * side / longest)) for part in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    how = _UPRIGHT.get(orientation)
    return image if how is None else image.transpose(how)


JOBS: Mapping[str, Callable[[bytes], bytes]] = {"examine": examine, "redact": redact}
