"""Eyes for which a photo is a text: its lines are read, its last line says what is seen."""

import msgspec
import numpy as np

from recognition.model import Unavailable
from recognition.vision import Looked
from recognition.worker import Engine


def load(_settings: bytes) -> Engine:
    def look(question: bytes) -> bytes:
        *lines, seen = question.decode().split("\n")
        if lines == ["no photo"]:
            raise Unavailable("照片无法读取")
        read = tuple((line, 0.2 if line.startswith("?") else 0.99) for line in lines)
        return msgspec.msgpack.encode(Looked(read, vector(seen)))

    return look


def vector(seen: str) -> bytes:
    """Photos of one subject point one way, each a little aside."""
    subject, _, aside = seen.partition(" ")
    row = np.zeros(1280, "<f4")
    row[len(subject)] = 1.0
    row[100 + int(aside or 0)] = 0.3
    return row.tobytes()
