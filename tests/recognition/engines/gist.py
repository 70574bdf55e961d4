"""Eyes that read nothing and see of a photo only which file it is."""

import hashlib

import msgspec
import numpy as np

from recognition.vision import Looked
from recognition.worker import Engine


def load(_settings: bytes) -> Engine:
    return lambda photo: msgspec.msgpack.encode(Looked((), vector_of(photo)))


def vector_of(photo: bytes) -> bytes:
    """Another one for every file."""
    told = hashlib.sha256(photo).digest()
    return np.resize(np.frombuffer(told, np.uint8), 1280).astype("<f4").tobytes()
