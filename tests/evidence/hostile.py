"""Files that mean harm, made by code. Each is small enough to send, and costs much to open.

`HOSTILE` names each, with the codes any of which refuses it.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping

from PIL import Image

from evidence.unreadable import Why

PNG = b"\x89PNG\r\n\x1a\n"


def photo(form: str = "JPEG", size: tuple[int, int] = (320, 240), **options: object) -> bytes:
    """An honest small picture."""
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, form, **options)
    return out.getvalue()


def chunk(name: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


def header(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))


def png(width: int, height: int, *before: bytes, behind: bytes = b"") -> bytes:
    """A true RGB picture with chunks before and behind its pixels."""
    rows = zlib.compress((b"\0" + b"\x50\x60\x70" * width) * height, 1)
    ends = chunk(b"IDAT", rows) + behind + chunk(b"IEND", b"")
    return PNG + header(width, height) + b"".join(before) + ends


def png_bomb(side: int = 30_000) -> bytes:
    """900 megapixels of one bit, honest and complete: 110 kB."""
    packer = zlib.compressobj(9)
    row = b"\0" * (1 + side // 8)
    packed = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    return PNG + header(side, side, 1, 0) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def lying_png() -> bytes:
    """Its header says 64 × 64, its pixels unpack to 100 MB."""
    packed = zlib.compress(b"\0" * 100_000_000, 1)
    return PNG + header(64, 64) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def text_bomb(name: bytes = b"zTXt") -> bytes:
    """A comment of 100 MB."""
    packer = zlib.compressobj(1)
    part = b"A" * (1 << 20)
    packed = b"".join(packer.compress(part) for _ in range(100)) + packer.flush()
    start = b"Comment\0\0" if name == b"zTXt" else b"Comment\0\1\0\0\0"
    return png(64, 64, chunk(name, start + packed))


def profile_bomb() -> bytes:
    packed = zlib.compress(b"\0" * 100_000_000, 1)
    return png(64, 64, chunk(b"iCCP", b"p\0\0" + packed))


def many_texts() -> bytes:
    one = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"A" * 900_000, 9))
    return png(64, 64, *[one] * 60)


def many_chunks() -> bytes:
    return png(64, 64, *[chunk(b"tEXt", b"k\0v")] * 20_000)


def jpeg_bomb() -> bytes:
    """A small JPEG whose header says 65,535 × 65,535."""
    small = photo()
    at = small.index(b"\xff\xc0")
    return small[: at + 5] + b"\xff\xff\xff\xff" + small[at + 9 :]


def scan_bomb() -> bytes:
    """A progressive JPEG of 6,000 × 6,000 whose last scan stands there a thousand times."""
    out = io.BytesIO()
    Image.new("L", (6000, 6000), 90).save(out, "JPEG", progressive=True)
    whole = out.getvalue()
    last = whole.rindex(b"\xff\xda")
    return whole[:-2] + whole[last:-2] * 1000 + b"\xff\xd9"


def animated_png(frames: int = 10_000) -> bytes:
    controls = []
    rows = zlib.compress((b"\0" + b"\x50\x60\x70" * 64) * 64, 1)
    for number in range(frames):
        fields = struct.pack(">IIIIIHHBB", 2 * number, 64, 64, 0, 0, 1, 10, 0, 0)
        controls.append(chunk(b"fcTL", fields))
        controls.append(chunk(b"fdAT", struct.pack(">I", 2 * number + 1) + rows))
    return png(64, 64, chunk(b"acTL", struct.pack(">II", frames, 0)), behind=b"".join(controls))


def animated(form: str) -> bytes:
    out = io.BytesIO()
    frames = [Image.new("RGB", (64, 64), (shade, 0, 0)) for shade in range(0, 250, 10)]
    frames[0].save(out, form, save_all=True, append_images=frames[1:])
    return out.getvalue()


def two_pictures_heic() -> bytes:
    out = io.BytesIO()
    frames = [Image.new("RGB", (64, 64), (shade, 0, 0)) for shade in (10, 200)]
    frames[0].save(out, "HEIF", save_all=True, append_images=frames[1:])
    return out.getvalue()


def with_second_picture() -> bytes:
    """A JPEG with another behind it that its index names (CIPA DC-007), as phones write HDR."""
    out = io.BytesIO()
    frames = [Image.new("RGB", (64, 64), (shade, 0, 0)) for shade in (10, 200)]
    frames[0].save(out, "MPO", save_all=True, append_images=frames[1:])
    return out.getvalue()


def panorama() -> bytes:
    """The same for two eyes, as a stereo camera writes them."""
    whole = with_second_picture()
    # Type of the first entry: 0x030000 (main picture) becomes 0x020002 (disparity).
    at = whole.index(b"MPF\0") + 54
    assert whole[at : at + 4] == b"\0\0\x03\0"
    return whole[:at] + b"\x02\0\x02\0" + whole[at + 4 :]


def zipped() -> bytes:
    out = io.BytesIO(photo())
    out.seek(0, 2)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("run.txt", "x")
    return out.getvalue()


def commented(words: bytes) -> bytes:
    """A JPEG with a comment right behind its start."""
    return b"\xff\xd8\xff\xfe" + struct.pack(">H", len(words) + 2) + words + photo()[2:]


_SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
_TIFF = b"II*\0\x08\0\0\0\0\0\0\0\0\0"

HOSTILE: Mapping[str, tuple[Callable[[], bytes], frozenset[Why]]] = {
    name: (make, frozenset(why))
    for name, make, *why in (
        ("PNG of 900 megapixels", png_bomb, Why.TOO_MANY_PIXELS),
        ("PNG with a comment of 100 MB (zTXt)", text_bomb, Why.COSTS_TOO_MUCH),
        ("… (iTXt)", lambda: text_bomb(b"iTXt"), Why.COSTS_TOO_MUCH),
        ("PNG with a profile of 100 MB", profile_bomb, Why.COSTS_TOO_MUCH),
        ("PNG with 54 MB in many comments", many_texts, Why.COSTS_TOO_MUCH),
        ("PNG with 20,000 comments", many_chunks, Why.COSTS_TOO_MUCH),
        ("JPEG of 65,535 × 65,535", jpeg_bomb, Why.TOO_MANY_PIXELS),
        ("JPEG with a thousand scans", scan_bomb, Why.COSTS_TOO_MUCH),
        ("PNG of 10,000 frames", animated_png, Why.SEVERAL_PICTURES),
        ("WebP that moves", lambda: animated("WEBP"), Why.SEVERAL_PICTURES),
        ("HEIC of two pictures", two_pictures_heic, Why.SEVERAL_PICTURES),
        ("JPEG for two eyes", panorama, Why.SEVERAL_PICTURES),
        ("GIF", lambda: animated("GIF"), Why.NOT_A_PICTURE),
        ("TIFF", lambda: _TIFF, Why.NOT_A_PICTURE),
        ("SVG", lambda: _SVG, Why.NOT_A_PICTURE),
        ("PDF", lambda: b"%PDF-1.7\n" + photo(), Why.NOT_A_PICTURE),
        ("JPEG that is a page", lambda: commented(b"*/=1;<!DOCTYPE html>"),
         Why.SOMETHING_ELSE_INSIDE),
        ("JPEG with a script in its comment", lambda: commented(b"<ScRiPt>alert(1)</script>"),
         Why.SOMETHING_ELSE_INSIDE),
        ("JPEG that is an archive", zipped, Why.SOMETHING_ELSE_INSIDE),
        ("JPEG that is a document", lambda: commented(b"%PDF-1.7"), Why.SOMETHING_ELSE_INSIDE),
        ("JPEG with a program", lambda: photo() + b"\x7fELF" + bytes(99),
         Why.SOMETHING_ELSE_INSIDE),
        ("PNG with PHP behind it", lambda: png(64, 64) + b"<?php system($_GET[0]);",
         Why.SOMETHING_ELSE_INSIDE),
        ("PNG with a program behind it", lambda: png(64, 64) + b"MZ" + bytes(200),
         Why.SOMETHING_ELSE_INSIDE),
        ("nothing", lambda: b"", Why.EMPTY),
        ("noise", lambda: bytes(range(256)) * 9, Why.NOT_A_PICTURE),
        ("a picture of one pixel", lambda: photo("PNG", (1, 1)), Why.TOO_SMALL),
        ("a thread", lambda: photo("PNG", (40_000, 2)), Why.TOO_SMALL),
        ("JPEG cut short", lambda: photo(size=(2000, 1500))[:9000], Why.CUT_SHORT),
        ("PNG cut short", lambda: photo("PNG", (2000, 1500))[:-900], Why.CUT_SHORT),
        ("WebP cut short", lambda: photo("WEBP", (2000, 1500))[:-300], Why.CUT_SHORT),
        ("HEIC cut short", lambda: photo("HEIF", (900, 700))[:-300], Why.CUT_SHORT, Why.DAMAGED),
    )
}  # fmt: skip
