"""How long a recording plays, by its own container. Decodes no sound; every walk is bounded.

Each function takes the whole file (≤ 5 MB) and gives seconds, or None where the file does not
hold together. Where container and content could disagree, the content is counted: pages, frames
and blocks, not a header that anybody can write.

Sources: RIFF/WAVE (fmt, data), RFC 3533 and RFC 7845 (Ogg, Opus), ISO/IEC 14496-12 (mvhd, mdhd,
trun), RFC 8794 and RFC 9559 (EBML, Matroska), ISO/IEC 11172-3 and 13818-3 (MPEG audio frames),
ISO/IEC 13818-7 (ADTS), RFC 4867 5.3 (AMR), ID3v2 3.1.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice

_MOST_STEPS = 100_000
"""A minute has at most 24,000 packets (Opus, 2.5 ms)."""
_LONG_S = 600.0
"""Nobody counts on from here."""


def wav(content: bytes) -> float | None:
    """Bytes of sound by bytes a second."""
    rate = size = 0
    for name, start, end in _riff(content):
        if name == b"fmt ":
            rate = int.from_bytes(content[start + 8 : start + 12], "little")
        elif name == b"data":
            size += end - start
    return size / rate if rate and size else None


def _riff(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    at = 12
    for _ in range(4096):
        if at + 8 > len(content):
            return
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        # A recorder that streams writes all ones, and the sound goes to the end.
        yield content[at : at + 4], at + 8, min(at + 8 + size, len(content))
        at += 8 + size + size % 2


def ogg(content: bytes) -> float | None:
    """Granules of the last page of the first stream, less what Opus lets the decoder skip."""
    rate, skipped, last, serial = 0, 0, 0, None
    at = 0
    for _ in range(_MOST_STEPS):
        if content[at : at + 4] != b"OggS" or at + 27 > len(content):
            break
        segments = content[at + 26]
        body = at + 27 + segments
        size = sum(content[at + 27 : body])
        if body + size > len(content):
            return None
        if serial is None:
            serial = content[at + 14 : at + 18]
            rate, skipped = _ogg_head(content[body : body + size])
        granule = int.from_bytes(content[at + 6 : at + 14], "little", signed=True)
        if content[at + 14 : at + 18] == serial and granule > last:
            last = granule
        at = body + size
    if at != len(content) or not rate or last <= skipped:
        return None
    return (last - skipped) / rate


def _ogg_head(packet: bytes) -> tuple[int, int]:
    if packet.startswith(b"OpusHead") and len(packet) >= 19:
        return 48_000, int.from_bytes(packet[10:12], "little")
    if packet.startswith(b"\x01vorbis") and len(packet) >= 30:
        return int.from_bytes(packet[12:16], "little"), 0
    return 0, 0


# Second half of a frame's header: kbit/s by index, for MPEG-1 and MPEG-2/2.5 layer III.
_KBITS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBITS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_HERTZ = (44_100, 48_000, 32_000)


def mp3(content: bytes) -> float | None:
    """Frame by frame. What is no frame ends it: tags at the end, or nonsense."""
    at = _behind_id3(content)
    seconds, frames = 0.0, 0
    for _ in range(_MOST_STEPS):
        found = _mp3_frame(content, at)
        if found is None:
            break
        size, length = found
        seconds += length
        if seconds > _LONG_S:
            return seconds
        frames += 1
        at += size
    tail = content[at:]
    ends = not tail or tail.startswith((b"TAG", b"APETAGEX")) or len(tail) < 2048
    return seconds if frames > 1 and ends else None


def _mp3_frame(content: bytes, at: int) -> tuple[int, float] | None:
    head = content[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2 or head[1] & 0x18 == 0x08:
        return None
    version, rate, hertz = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if rate in {0, 15} or hertz == 3:
        return None
    first = version == 3
    frequency = _HERTZ[hertz] // (1 if first else 2 if version == 2 else 4)
    kbits, samples = (_KBITS_1[rate], 1152) if first else (_KBITS_2[rate], 576)
    return samples // 8 * kbits * 1000 // frequency + (head[2] >> 1 & 1), samples / frequency


def aac(content: bytes) -> float | None:
    """ADTS, frame by frame, each up to four blocks of 1,024 samples."""
    hertz = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025,
             8_000, 7_350)  # fmt: skip
    at, seconds = _behind_id3(content), 0.0
    for _ in range(_MOST_STEPS):
        head = content[at : at + 7]
        if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
            break
        size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        index = head[2] >> 2 & 15
        if size < 7 or index >= len(hertz):
            return None
        seconds += ((head[6] & 3) + 1) * 1024 / hertz[index]
        if seconds > _LONG_S:
            return seconds
        at += size
    return seconds if at == len(content) and seconds else None


def amr(content: bytes) -> float | None:
    """Frames of 20 ms."""
    wide = content.startswith(b"#!AMR-WB\n")
    sizes = (
        (18, 24, 33, 37, 41, 47, 51, 59, 61, 6, 1, 1, 1, 1, 1, 1)
        if wide
        else (13, 14, 16, 18, 20, 21, 27, 32, 6, 1, 1, 1, 1, 1, 1, 1)
    )
    at, frames = 9 if wide else 6, 0
    while at < len(content) and frames < _MOST_STEPS:
        at += sizes[content[at] >> 3 & 15]
        frames += 1
    return frames * 0.02 if frames and at == len(content) else None


def _behind_id3(content: bytes) -> int:
    if not content.startswith(b"ID3") or len(content) < 10:
        return 0
    size = 0
    for part in content[6:10]:
        size = size << 7 | part & 0x7F
    return 10 + size


def mp4(content: bytes) -> float | None:
    """The longest of what film and tracks tell, and what the fragments of the sound sum up to."""
    longest = 0.0
    scale = film_default = default = ticks = 0
    for name, start, end in islice(_boxes(content, 0, len(content), 0), 20_000):
        box = content[start : min(end, start + 40)]
        match name:
            case b"mvhd" | b"mdhd":
                seconds, found = _told(box)
                longest = max(longest, seconds)
                scale = found if name == b"mdhd" else scale
            case b"trex":
                film_default = int.from_bytes(box[12:16])
            case b"tfhd":
                default = _default(box) or film_default
            case b"trun":
                ticks += _fragment(content[start:end], default or film_default)
            case _:
                pass
    return max(longest, ticks / scale if scale else 0.0) or None


_FOLDERS = frozenset({b"moov", b"trak", b"mdia", b"moof", b"traf", b"mvex"})


def _boxes(content: bytes, at: int, end: int, depth: int) -> Iterator[tuple[bytes, int, int]]:
    while at + 8 <= end:
        size, name, head = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8], 8
        if size == 1:
            size, head = int.from_bytes(content[at + 8 : at + 16]), 16
        elif size == 0:
            size = end - at
        if size < head or at + size > end:
            return
        yield name, at + head, at + size
        if name in _FOLDERS and depth < 6:
            yield from _boxes(content, at + head, at + size, depth + 1)
        at += size


def _told(box: bytes) -> tuple[float, int]:
    """Seconds, or 0 where it does not know, and ticks in a second; of mvhd and mdhd."""
    long = box[:1] == b"\1"
    scale = int.from_bytes(box[20:24] if long else box[12:16])
    ticks = int.from_bytes(box[24:32] if long else box[16:20])
    unknown = (2**64 if long else 2**32) - 1
    return (ticks / scale if scale and ticks != unknown else 0.0), scale


def _default(header: bytes) -> int:
    """Ticks of each sample of a fragment that tells none itself; 0 if tfhd does not say."""
    flags = int.from_bytes(header[1:4])
    at = 8 + 8 * bool(flags & 1) + 4 * bool(flags & 2)
    return int.from_bytes(header[at : at + 4]) if flags & 8 else 0


def _fragment(run: bytes, default: int) -> int:
    """Ticks of a run, whose samples tell their own or all last the same."""
    flags, count = int.from_bytes(run[1:4]), int.from_bytes(run[4:8])
    if not flags & 0x100:
        return count * default
    at = 8 + 4 * bool(flags & 1) + 4 * bool(flags & 4)
    step = 4 * sum(bool(flags & bit) for bit in (0x100, 0x200, 0x400, 0x800))
    places = islice(range(at, len(run) - 3, step), count)
    return sum(int.from_bytes(run[place : place + 4]) for place in places)


_SEGMENT, _CLUSTER, _BLOCK_GROUP = 0x18538067, 0x1F43B675, 0xA0
_INFO, _SCALE, _DURATION = 0x1549A966, 0x2AD7B1, 0x4489
_TIME, _SIMPLE_BLOCK, _BLOCK, _BLOCK_DURATION = 0xE7, 0xA3, 0xA1, 0x9B


def webm(content: bytes) -> float | None:
    """The latest block's time and, where told, its length. A browser's recorder tells no other."""
    scale, cluster, latest, span, told = 1_000_000, 0, -1, 0, 0.0
    for name, start, end in _elements(content):
        if name == _SCALE:
            scale = int.from_bytes(content[start:end])
        elif name == _DURATION and end - start in {4, 8}:
            told = _float(content[start:end])
        elif name == _TIME:
            cluster = int.from_bytes(content[start:end])
        elif name in {_SIMPLE_BLOCK, _BLOCK}:
            track = _size(content, start)
            if track is None:
                return None
            offset = int.from_bytes(content[track[1] : track[1] + 2], signed=True)
            span = max(span, cluster + offset - latest) if 0 <= latest < cluster + offset else span
            latest = max(latest, cluster + offset)
        elif name == _BLOCK_DURATION:
            span = max(span, int.from_bytes(content[start:end]))
    if latest < 0:
        return None
    # The last block lasts about as long as another.
    return max(told, float(latest + min(span, 120))) * scale / 1e9


def _elements(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Id, start and end of what stands in the file; segment and clusters are stepped into."""
    at = 0
    for _ in range(_MOST_STEPS):
        if at >= len(content):
            return
        width = 9 - content[at].bit_length() if content[at] else 9
        if width > 4:
            return
        name = int.from_bytes(content[at : at + width])
        found = _size(content, at + width)
        if found is None:
            return
        size, start = found
        if name in {_SEGMENT, _CLUSTER, _BLOCK_GROUP, _INFO}:
            at = start
            continue
        if size is None or start + size > len(content):
            return
        yield name, start, start + size
        at = start + size


def _size(content: bytes, at: int) -> tuple[int | None, int] | None:
    """A number of EBML and where it ends; None as number is "unknown"."""
    if at >= len(content) or not content[at]:
        return None
    width = 9 - content[at].bit_length()
    if at + width > len(content):
        return None
    value = int.from_bytes(content[at : at + width]) & ((1 << 7 * width) - 1)
    return (None if value == (1 << 7 * width) - 1 else value), at + width


def _float(some: bytes) -> float:
    return float(struct.unpack(">f" if len(some) == 4 else ">d", some)[0])
