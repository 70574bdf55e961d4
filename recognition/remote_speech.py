"""A site's own speech model behind `/v1/audio/transcriptions`. What it hears is a proposal."""

import msgspec

from recognition.believed import printable
from recognition.inventions import without_inventions
from recognition.model import Condition, Model, Transcript
from recognition.remote import Remote

LONGEST = 2_000
"""Characters that are kept of an answer: three minutes of fast speech are a thousand."""

_NAMES = {
    "audio/mpeg": "recording.mp3",
    "audio/mp4": "recording.m4a",
    "audio/ogg": "recording.ogg",
    "audio/webm": "recording.webm",
    "audio/wav": "recording.wav",
    "audio/aac": "recording.aac",
    "audio/amr": "recording.amr",
}
"""Services tell the format by the ending of a name; ours says nothing about who spoke."""


class Transcription(msgspec.Struct):
    """Of the answer, what is read."""

    text: str


class RemoteSpeech:
    """The transcriber behind an address."""

    name = "speech-service"

    def __init__(self, remote: Remote, model: str) -> None:
        self._remote = remote
        self._model = model

    def transcribe(self, recording: bytes, media_type: str) -> Transcript:
        """What the service heard. Raises Unavailable."""
        text = self._remote.post(
            "/v1/audio/transcriptions",
            Transcription,
            lambda answer: without_inventions(printable(answer.text[:LONGEST])),
            fields={"model": self._model, "language": "zh", "response_format": "json"},
            file=(_NAMES.get(media_type, "recording.bin"), recording, media_type),
        )
        return Transcript(text=text, model=Model(self.name, self._model))

    def condition(self) -> Condition:
        """How the address is, by the last answers."""
        return msgspec.structs.replace(self._remote.condition(), name=self.name)
