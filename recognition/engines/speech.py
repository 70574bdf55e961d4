"""Words heard in a recording, inside the worker. Looks for a voice first: silence gives nothing.

Whisper through faster-whisper, Silero's voice detector, OpenCC for simplified characters. Knows no
indicator.
"""

import io
from collections.abc import Iterator, Mapping
from itertools import chain

import av
import msgspec
import numpy as np
import numpy.typing as npt
from faster_whisper import WhisperModel
from faster_whisper.vad import SileroVADModel
from opencc import OpenCC

from recognition.model import Unavailable
from recognition.speech import Heard
from recognition.weights import Weight, located
from recognition.worker import Engine

Sound = npt.NDArray[np.float32]

RATE = 16_000
LONGEST_S = 180
"""Seconds of a recording that are heard; a report is told in one or two minutes."""

_WINDOW = 512  # samples that the detector judges at once: 32 ms
_SURE = 0.5  # the detector's own threshold
_FEWEST = 8  # windows with a voice, a quarter of a second: shorter is a cough or a click
_AROUND = 12  # windows kept before and after, so that no first consonant is cut
_UNHEARD = -1.3  # mean log probability below which Whisper guesses


class Settings(msgspec.Struct, frozen=True):
    """The files of a CTranslate2 model by name, each of one or more parts, and the detector's."""

    model: Mapping[str, tuple[Weight, ...]]
    voice: Weight


def load(settings: bytes) -> Engine:
    """The engine: a recording's file to what was heard (`Heard`, msgpack)."""
    wanted = msgspec.msgpack.decode(settings, type=Settings)
    files = {
        name: b"".join(located(part).read_bytes() for part in parts)
        for name, parts in wanted.model.items()
    }
    voices = SileroVADModel(str(located(wanted.voice)))
    model = WhisperModel("pinned", device="cpu", compute_type="int8", cpu_threads=1, files=files)
    simplified = OpenCC("t2s")

    def hear(question: bytes) -> bytes:
        sound = decoded(question)
        spoken = voiced(sound, voices)
        text = simplified.convert(_said(model, spoken)) if spoken.size else ""
        heard = Heard(text, sound.size / RATE, spoken.size / RATE)
        return msgspec.msgpack.encode(heard)

    return hear


def _said(model: WhisperModel, spoken: Sound) -> str:
    """The words. One try at temperature 0: further ones cost seconds and make things up.

    No prompt: where little is heard, Whisper says the prompt. No three pieces come twice, which
    ends the loops it falls into.
    """
    pieces, _ = model.transcribe(
        spoken,
        language="zh",
        beam_size=5,
        temperature=0.0,
        no_repeat_ngram_size=3,
        condition_on_previous_text=False,
        without_timestamps=True,
    )
    return "".join(piece.text.strip() for piece in pieces if piece.avg_logprob > _UNHEARD)


def decoded(recording: bytes) -> Sound:
    """The sound of a file, one channel at 16 kHz in -1..1. Raises Unavailable for what is none."""
    try:
        with av.open(io.BytesIO(recording), mode="r", metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise Unavailable("录音里没有声音")
            pieces = list(_resampled(container))
    except (av.error.FFmpegError, ValueError) as fault:
        raise Unavailable("录音无法读取") from fault
    if not pieces:
        return np.zeros(0, np.float32)
    return np.concatenate(pieces).astype(np.float32) / 32768.0


def _resampled(container: av.container.InputContainer) -> Iterator[npt.NDArray[np.int16]]:
    """Pieces as they are decoded. Raises Unavailable when it grows too long."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    samples = 0
    for frame in chain(container.decode(audio=0), (None,)):
        for piece in resampler.resample(frame):
            sound = piece.to_ndarray().reshape(-1).astype(np.int16, copy=False)
            samples += sound.size
            if samples > LONGEST_S * RATE:
                raise Unavailable(f"录音超过 {LONGEST_S} 秒，请人工收听")
            yield sound


def voiced(sound: Sound, voices: SileroVADModel) -> Sound:
    """The parts of a sound where somebody speaks, put together; empty where nobody does."""
    whole = -(-sound.size // _WINDOW) * _WINDOW
    if not whole:
        return sound
    padded = np.pad(sound, (0, whole - sound.size))
    sure = np.asarray(voices(padded)).reshape(-1) > _SURE
    if int(sure.sum()) < _FEWEST:
        return np.zeros(0, np.float32)
    kept = np.convolve(sure, np.ones(2 * _AROUND + 1), mode="same") > 0.5
    spoken: Sound = padded.reshape(-1, _WINDOW)[kept].reshape(-1)
    return spoken
