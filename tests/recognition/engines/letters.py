"""An embedder that a test can follow: a text's vector counts its characters."""

import zlib

import msgspec
import numpy as np

from recognition.worker import Engine


def load(_settings: bytes) -> Engine:
    def embed(question: bytes) -> bytes:
        texts = msgspec.msgpack.decode(question, type=list[str])
        rows = np.zeros((len(texts), 384), "<f4")
        for row, text in zip(rows, texts, strict=True):
            for char in text:
                row[zlib.crc32(char.encode()) % 384] += 1
        lengths = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
        return bytes((rows / lengths).astype("<f4").tobytes())

    return embed
