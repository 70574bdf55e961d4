"""What a picture's file tells besides its pixels. Knows no case and nothing of the engine.

Read by libraries that others wrote: Pillow (tags, texts, profiles, comments, XMP, IPTC, segments
of a JPEG) and ExifRead. Beside them the bytes are searched for the words by which
metadata begin, and for what stands behind the picture's own end.
"""

import io
from collections.abc import Iterator

import exifread
from PIL import Image, IptcImagePlugin, PngImagePlugin

MARKS = (
    b"Exif\0", b"http://ns.adobe.com/", b"xmpmeta", b"<?xpacket", b"http://www.w3.org/1999/02/22-rdf",
    b"ICC_PROFILE\0", b"mntrRGB XYZ", b"Photoshop 3.0\0", b"8BIM\x04\x04", b"MPF\0MM", b"MPF\0II",
    b"JFXX\0", b"urn:iso:std:iso:ts:21496", b"http://ns.google.com/", b"SEFHe", b"MotionPhoto",
)  # fmt: skip
"""Each too long to stand in packed pixels by chance."""
PLAIN = frozenset(
    {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    | {"loop", "background", "timestamp", "duration"}
)
"""How dense the dots of a JPEG are, and how a WebP would move: what is there in each."""
_PNG = b"\x89PNG\r\n\x1a\n"


def leftovers(content: bytes) -> list[str]:
    """All that is told, in words; nothing for a picture that tells nothing."""
    return [*marks(content), *_by_pillow(content), *_by_exifread(content), *_behind(content)]


def marks(content: bytes) -> list[str]:
    """Words by which metadata begin. Opens nothing, so any bytes may come."""
    return [f"the bytes {mark!r}" for mark in MARKS if mark in content]


def _by_pillow(content: bytes) -> Iterator[str]:
    with Image.open(io.BytesIO(content)) as image:
        image.load()  # of a PNG, what stands behind the pixels
        for name in sorted(set(image.info) - PLAIN, key=str):
            yield f"Pillow: {name}"
        for tag in image.getexif():
            yield f"Pillow: EXIF {tag:#06x}"
        if IptcImagePlugin.getiptcinfo(image):
            yield "Pillow: IPTC"
        if isinstance(image, PngImagePlugin.PngImageFile):
            yield from (f"Pillow: text {name}" for name in image.text)
        # An APP0 with dots per inch is how a JFIF begins.
        for name, told in getattr(image, "applist", ()):
            if name != "APP0" or not told.startswith(b"JFIF\0") or len(told) != 14:
                yield f"Pillow: segment {name}"


def _by_exifread(content: bytes) -> Iterator[str]:
    for tag in exifread.process_file(io.BytesIO(content), details=False):
        if not tag.startswith("JPEG"):
            yield f"ExifRead: {tag}"


def _behind(content: bytes) -> Iterator[str]:
    """What stands behind the end that the format itself tells."""
    if content.startswith(b"\xff\xd8"):
        # In packed pixels 0xFF is followed by 0 or a restart; so the first end is the end.
        end = content.find(b"\xff\xd9", content.find(b"\xff\xda")) + 2
    elif content.startswith(_PNG):
        end = content.rfind(b"IEND") + 8
    else:
        end = 8 + int.from_bytes(content[4:8], "little")
    if end < len(content):
        yield f"{len(content) - end} bytes behind the picture's end"
