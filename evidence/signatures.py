"""What a file says it is, by its first bytes. Decodes nothing and believes no name or header sent.

Sources: ISO/IEC 10918-1 B.1 (JPEG markers), PNG 5.2 and 11.2.1, WebP container specification,
ISO/IEC 23008-12 (HEIF: ftyp, ispe), RFC 4867 5 (AMR), RFC 7845 (Ogg Opus), ISO/IEC 13818-7 (ADTS).
"""

from collections.abc import Iterator
from enum import StrEnum

import msgspec

HEAD_BYTES = 65_536
"""How much of a file is looked at. A JPEG whose size stands further back tells none here."""


class Kind(StrEnum):
    PICTURE = "picture"
    RECORDING = "recording"
    OTHER = "other"


class Signature(msgspec.Struct, frozen=True):
    """`name` is for people; width and height in pixels as the header claims, where it tells."""

    kind: Kind
    media_type: str
    name: str
    width: int | None = None
    height: int | None = None


# Still pictures only; hevc and hevx are sequences.
_HEIC = frozenset({b"heic", b"heix", b"heim", b"heis"})
_AUDIO_BRANDS = frozenset({b"M4A ", b"M4B ", b"mp42", b"mp41", b"isom", b"iso2", b"3gp4", b"3gp5"})
# Phones write recordings under the general brands too; a video track is told by its handler.
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # JPEG markers without a length


def recognise(head: bytes) -> Signature | None:
    """What the first `HEAD_BYTES` (or all) of a file say, or None. Linear in their number."""
    return _picture(head) or _recording(head) or _known_but_unwanted(head)


def _picture(head: bytes) -> Signature | None:
    if head.startswith(b"\xff\xd8\xff"):
        return _sized("image/jpeg", "JPEG", _jpeg_size(head))
    if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":
        return _sized("image/png", "PNG", (_big(head[16:20]), _big(head[20:24])))
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return _sized("image/webp", "WebP", _webp_size(head))
    if head[4:8] == b"ftyp" and _brands(head) & _HEIC and b"avif" not in _brands(head):
        return _sized("image/heic", "HEIC", _heic_size(head))
    return None


def _recording(head: bytes) -> Signature | None:
    media_type = name = None
    if head.startswith((b"#!AMR\n", b"#!AMR-WB\n")):
        media_type, name = "audio/amr", "AMR"
    elif head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        media_type, name = "audio/wav", "WAV"
    elif head.startswith(b"OggS") and (head[28:36] == b"OpusHead" or head[28:35] == b"\x01vorbis"):
        media_type, name = "audio/ogg", "Ogg"
    elif head.startswith(b"\x1a\x45\xdf\xa3") and b"webm" in head[:64] and b"V_" not in head[:4096]:
        media_type, name = "audio/webm", "WebM"
    elif head[4:8] == b"ftyp" and _brands(head) & _AUDIO_BRANDS and b"vide" not in head:
        media_type, name = "audio/mp4", "M4A"
    elif len(head) > 3 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        media_type, name = "audio/aac", "AAC"
    elif head.startswith(b"ID3") or _is_mp3_frame(head):
        media_type, name = "audio/mpeg", "MP3"
    if media_type is None or name is None:
        return None
    return Signature(Kind.RECORDING, media_type, name)


def _known_but_unwanted(head: bytes) -> Signature | None:
    """Named only so that the refusal can say what came."""
    start = head[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for found, media_type, name in (
        (head.startswith((b"GIF87a", b"GIF89a")), "image/gif", "GIF"),
        (head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")), "image/tiff", "TIFF"),
        (b"<svg" in start and start.startswith(b"<"), "image/svg+xml", "SVG"),
        (head.startswith(b"BM") and head[6:10] == b"\0\0\0\0", "image/bmp", "BMP"),
        (head[4:8] == b"ftyp" and b"avif" in _brands(head), "image/avif", "AVIF"),
        (head.startswith(b"%PDF-"), "application/pdf", "PDF"),
        (head[4:8] == b"ftyp" or head.startswith(b"\x1a\x45\xdf\xa3"), "video/mp4", "视频"),
    ):
        if found:
            return Signature(Kind.OTHER, media_type, name)
    return None


def _sized(media_type: str, name: str, size: tuple[int, int] | None) -> Signature:
    return Signature(Kind.PICTURE, media_type, name, *(size or (None, None)))


def _brands(head: bytes) -> frozenset[bytes]:
    """Major and compatible brands of the ftyp box, at most the first sixty."""
    box = head[8 : min(_big(head[:4]), 256)]
    return frozenset(box[at : at + 4] for at in range(0, len(box), 4) if at != 4)


def _jpeg_size(head: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in _ALONE:
            at += 2
        elif marker in _START_OF_FRAME:
            return _big(head[at + 7 : at + 9]), _big(head[at + 5 : at + 7])
        else:
            at += 2 + max(2, _big(head[at + 2 : at + 4]))
    return None


def _webp_size(head: bytes) -> tuple[int, int] | None:
    match head[12:16]:
        case b"VP8X" if len(head) >= 30:
            return 1 + _little(head[24:27]), 1 + _little(head[27:30])
        case b"VP8L" if len(head) >= 25 and head[20] == 0x2F:
            bits = _little(head[21:25])
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 " if len(head) >= 30 and head[23:26] == b"\x9d\x01\x2a":
            return _little(head[26:28]) & 0x3FFF, _little(head[28:30]) & 0x3FFF
        case _:
            return None


def _heic_size(head: bytes) -> tuple[int, int] | None:
    """The largest of the sizes told: a picture of tiles tells the tiles' and its own."""
    sizes = [
        (_big(head[at + 8 : at + 12]), _big(head[at + 12 : at + 16]))
        for at in _places(head, b"ispe")
        if at + 16 <= len(head)
    ]
    return max(sizes, key=lambda size: size[0] * size[1], default=None)


def _places(head: bytes, word: bytes) -> Iterator[int]:
    at = head.find(word)
    while at >= 0:
        yield at
        at = head.find(word, at + len(word))


def _is_mp3_frame(head: bytes) -> bool:
    """MPEG audio, layer III, with no reserved version, bit rate or sampling rate."""
    return (
        len(head) > 3
        and head[0] == 0xFF
        and head[1] & 0xE6 == 0xE2
        and head[1] & 0x18 != 0x08
        and head[2] & 0xF0 != 0xF0
        and head[2] & 0x0C != 0x0C
    )


def _big(some: bytes) -> int:
    return int.from_bytes(some, "big")


def _little(some: bytes) -> int:
    return int.from_bytes(some, "little")
