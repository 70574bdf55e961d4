"""Whether a voice recording may be kept: its format by content, its length by its own container.

The sound is never decoded nor changed: a recording is kept and played as it came. So what it
may be is narrow. Pure; a file of 5 MB takes well under a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from evidence import durations
from evidence.errors import Empty, NotARecording, RecordingDamaged, RecordingTooLong, TooLarge
from evidence.signatures import HEAD_BYTES, Kind, recognise

LIMIT_BYTES = 5 * 1024 * 1024
LIMIT_SECONDS = 60.0
_TOLERANCE_S = 1.0
"""A recorder that stops at 60 s writes its last packet whole."""

_DURATIONS: Mapping[str, Callable[[bytes], float | None]] = {
    "audio/wav": durations.wav,
    "audio/ogg": durations.ogg,
    "audio/webm": durations.webm,
    "audio/mp4": durations.mp4,
    "audio/mpeg": durations.mp3,
    "audio/aac": durations.aac,
    "audio/amr": durations.amr,
}


class Recording(msgspec.Struct, frozen=True):
    """A recording that may be kept: its type, how long it plays in seconds, its bytes."""

    media_type: str
    seconds: float
    size: int


def check(pieces: Iterable[bytes]) -> Recording:
    """What kind of recording this is, and how long it plays.

    Raises UploadRefused: TooLarge, Empty, NotARecording, RecordingTooLong, RecordingDamaged.
    """
    content = bytearray()
    for piece in pieces:
        content += piece
        if len(content) > LIMIT_BYTES:
            raise TooLarge(LIMIT_BYTES)
    if not content:
        raise Empty
    found = recognise(bytes(content[:HEAD_BYTES]))
    if found is None or found.kind is not Kind.RECORDING:
        raise NotARecording(None if found is None else found.name)
    if found.media_type == "audio/mp4" and _holds_film(content):
        raise NotARecording("视频")
    seconds = _DURATIONS[found.media_type](bytes(content))
    if seconds is None:
        raise RecordingDamaged
    if seconds > LIMIT_SECONDS + _TOLERANCE_S:
        raise RecordingTooLong(LIMIT_SECONDS, seconds)
    return Recording(found.media_type, round(seconds, 2), len(content))


def _holds_film(content: bytearray) -> bool:
    """A track for the eye, wherever the index stands (ISO/IEC 14496-12, 8.4.3: hdlr)."""
    at = content.find(b"hdlr")
    while at >= 0:
        if content[at + 12 : at + 16] == b"vide":
            return True
        at = content.find(b"hdlr", at + 4)
    return False
