"""What can be told of a picture's file without decoding it. Reads bytes; every look is bounded.

Refused here: several pictures in one file, scans without end, and a second file hidden in the
first (a page, a script, an archive, a document). Film and depth that phones append to a photo
are let pass: nothing but the picture itself is ever passed on.

Sources: ITU-T T.81 B.1 (JPEG), PNG 5.3 and APNG (acTL), WebP container specification, ZIP
APPNOTE 4.3.16 (end of central directory).
"""

from __future__ import annotations

from evidence.blobs import LIMIT_PIXELS
from evidence.signatures import HEAD_BYTES, Kind, Signature, recognise
from evidence.unreadable import Why

MOST_SCANS = 100
"""A progressive photo has about ten, with a thumbnail and a depth map about thirty. Each costs a
pass over the whole picture."""
MOST_CHUNKS = 4096
LEAST_SIDE = 16
"""Pixels."""

# A browser or reader takes these for its own wherever they stand. Long enough that compressed
# data does not hold one by chance: for seven bytes in 20 MB once in 10^9 files. A document type
# alone is no page: picture editors write property lists (<!DOCTYPE plist) into their photos.
_HIDDEN = (
    b"<script", b"<!doctype html", b"<!doctype svg", b"<?php", b"<html>", b"<html ", b"<iframe",
    b"javascript:",
)  # fmt: skip
_PDF = b"%PDF-"
_PDF_WITHIN = 1024  # readers look for the header that far
_ZIP_END = b"PK\x05\x06"
_ARCHIVES = (
    b"PK\x03\x04",
    b"Rar!\x1a\x07",
    b"7z\xbc\xaf\x27\x1c",
    b"MZ",
    b"\x7fELF",
    b"\xca\xfe\xba\xbe",
)


def look(content: bytes) -> Signature | Why:
    """The picture's type and size as its head tells, or why the file is refused."""
    if not content:
        return Why.EMPTY
    found = recognise(content[:HEAD_BYTES])
    if found is None or found.kind is not Kind.PICTURE:
        return Why.NOT_A_PICTURE
    if found.width is not None and found.height is not None:
        if found.width * found.height > LIMIT_PIXELS:
            return Why.TOO_MANY_PIXELS
        if min(found.width, found.height) < LEAST_SIDE:
            return Why.TOO_SMALL
    refused = _inside(found.media_type, content)
    if refused is not None:
        return refused
    return Why.SOMETHING_ELSE_INSIDE if _hides_something(content) else found


def _inside(media_type: str, content: bytes) -> Why | None:
    match media_type:
        case "image/png":
            return _png(content)
        case "image/webp":
            return _webp(content)
        case "image/jpeg" if content.count(b"\xff\xda") > MOST_SCANS:
            return Why.COSTS_TOO_MUCH
        case _:
            return None


def _png(content: bytes) -> Why | None:
    """Walk the chunks: acTL before the picture means that it moves."""
    at = 8
    for _ in range(MOST_CHUNKS):
        size, name = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8]
        if name in {b"acTL", b"fdAT"}:
            return Why.SEVERAL_PICTURES
        if len(name) < 4 or at + 12 + size > len(content):
            return Why.CUT_SHORT
        at += 12 + size
        if name == b"IEND":
            return _behind(content, at)
    return Why.COSTS_TOO_MUCH


def _webp(content: bytes) -> Why | None:
    size = 8 + int.from_bytes(content[4:8], "little")
    if size > len(content):
        return Why.CUT_SHORT
    if content[12:16] == b"VP8X" and content[20] & 0x02:
        return Why.SEVERAL_PICTURES
    at = 12
    for _ in range(MOST_CHUNKS):
        name = content[at : at + 4]
        if name in (b"ANIM", b"ANMF"):
            return Why.SEVERAL_PICTURES
        if len(name) < 4 or at >= size:
            return _behind(content, size + size % 2)
        length = int.from_bytes(content[at + 4 : at + 8], "little")
        at += 8 + length + length % 2
    return Why.COSTS_TOO_MUCH


def _behind(content: bytes, end: int) -> Why | None:
    """What stands behind the picture's own end."""
    return Why.SOMETHING_ELSE_INSIDE if content[end:].startswith(_ARCHIVES) else None


def _hides_something(content: bytes) -> bool:
    lower = content.lower()
    if any(word in lower for word in _HIDDEN):
        return True
    if _PDF in content[:_PDF_WITHIN] or b"\n" + _PDF in content or b"\xff\xd9" + _PDF in content:
        return True
    if any(b"\xff\xd9" + mark in content for mark in _ARCHIVES if len(mark) > 3):
        return True
    return _ends_as_zip(content)


def _ends_as_zip(content: bytes) -> bool:
    """Readers of archives begin at the end: a record whose comment reaches exactly to it."""
    at = content.rfind(_ZIP_END)
    while at >= 0 and at >= len(content) - 22 - 65_535:
        if at + 22 + int.from_bytes(content[at + 20 : at + 22], "little") == len(content):
            return True
        at = content.rfind(_ZIP_END, 0, at)
    return False
