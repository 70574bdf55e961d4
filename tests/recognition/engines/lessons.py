"""An engine that knows its lesson by heart, and nothing else."""

import msgspec

from recognition.sounds import Judged, Lesson, Told
from recognition.worker import Engine


def load(_settings: bytes) -> Engine:
    learnt: dict[str, dict[str, str]] = {}

    def answer(question: bytes) -> bytes:
        asked = msgspec.msgpack.decode(question, type=Lesson | Told)
        if isinstance(asked, Lesson):
            learnt[asked.key] = dict(asked.examples)
            return b""
        known = learnt.get(asked.key)
        scores = None if known is None else {known[asked.text]: 1.0}
        return msgspec.msgpack.encode(Judged(scores))

    return answer
