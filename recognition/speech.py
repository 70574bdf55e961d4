"""A recording to words by the packaged Whisper, and the order in which transcribers are asked.

The extra `[speech]`. What is heard is a proposal: the reporter corrects it; the recording stays.
"""

from collections.abc import Sequence

import msgspec

from recognition import weights
from recognition.bounded import Bounded
from recognition.inventions import without_inventions
from recognition.model import Condition, Model, Transcriber, Transcript, Unavailable

MISSING = "未安装扩展 speech（pip install 'haidian-casework[speech]'），录音请人工收听"

NEEDED = ("faster_whisper", "opencc", "av")


class Heard(msgspec.Struct, frozen=True):
    """What was said, and seconds of the recording and of voice in it."""

    text: str
    seconds: float
    voice_s: float


class Whisper:
    """The transcriber in a worker. `version` names the weights."""

    name = "speech"

    def __init__(self, engine: Bounded, version: str) -> None:
        self._engine = engine
        self._version = version

    def transcribe(self, recording: bytes, media_type: str) -> Transcript:  # noqa: ARG002  the content tells
        """What was heard; empty for silence. Raises Unavailable."""
        heard = msgspec.msgpack.decode(self._engine.ask(recording), type=Heard)
        text = without_inventions(heard.text)
        return Transcript(text=text, model=Model(weights.WHISPER.name, self._version))

    def condition(self) -> Condition:
        """How it is, without loading anything."""
        return self._engine.condition()

    def close(self) -> None:
        self._engine.close()


class FirstThatCan:
    """Several transcribers, asked in order until one can: the site's own before ours."""

    name = "speech"

    def __init__(self, transcribers: Sequence[Transcriber]) -> None:
        self._transcribers = tuple(transcribers)

    def transcribe(self, recording: bytes, media_type: str) -> Transcript:
        """The first answer. Raises the last one's Unavailable."""
        last = Unavailable(MISSING)
        for each in self._transcribers:
            try:
                return each.transcribe(recording, media_type)
            except Unavailable as why:
                last = why
        raise last

    def condition(self) -> Condition:
        """The best of theirs."""
        order = ("ready", "idle", "failing", "absent")
        found = [each.condition() for each in self._transcribers]
        return min(found, key=lambda c: order.index(c.state))
