"""Characters to sounds by pypinyin, inside a worker: its dictionaries take 58 MB."""

import msgspec
from pypinyin import Style, lazy_pinyin

from recognition.worker import Engine


def load(_settings: bytes) -> Engine:
    """The engine: texts to their syllables without tones; what is no Chinese stays one piece."""

    def spell(question: bytes) -> bytes:
        texts = msgspec.msgpack.decode(question, type=list[str])
        return msgspec.msgpack.encode([lazy_pinyin(text, style=Style.NORMAL) for text in texts])

    return spell
