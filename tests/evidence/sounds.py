"""Recordings made by real encoders: a hum of a given length, in each format that phones write."""

import io
from fractions import Fraction
from functools import cache

import av
import numpy as np

# name: (container, codec, sampling rate, options of the container)
FORMATS: dict[str, tuple[str, str, int, dict[str, str]]] = {
    "webm": ("webm", "libopus", 48_000, {}),
    "webm of a browser": ("webm", "libopus", 48_000, {"live": "1"}),
    "ogg opus": ("ogg", "libopus", 48_000, {}),
    "m4a": ("ipod", "aac", 44_100, {}),
    "m4a in fragments": ("mp4", "aac", 44_100, {"movflags": "frag_keyframe+empty_moov"}),
    "mp3": ("mp3", "libmp3lame", 44_100, {}),
    "mp3 at a low rate": ("mp3", "libmp3lame", 16_000, {}),
    "aac": ("adts", "aac", 44_100, {}),
    "wav": ("wav", "pcm_s16le", 8_000, {}),
}


@cache
def recording(name: str, seconds: float) -> bytes:
    """A file of this format that plays so long."""
    container, codec, rate, options = FORMATS[name]
    out = io.BytesIO()
    with av.open(out, "w", format=container, options=options) as target:
        stream = target.add_stream(codec, rate=rate)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "mono"
        wave = np.sin(np.arange(round(seconds * rate)) * 2 * np.pi * 220 / rate)
        whole = (8000 * wave).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(whole, format="s16", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), 0
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            target.mux(packet)
    return out.getvalue()


def film(container: str) -> bytes:
    """A second of moving pictures, its index at the end where the container has one."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as target:
        stream = target.add_stream("mpeg4" if container == "mp4" else "libvpx", rate=10)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for shade in range(0, 200, 20):
            grey = np.full((48, 64, 3), shade, np.uint8)
            target.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        target.mux(stream.encode(None))
    return out.getvalue()
