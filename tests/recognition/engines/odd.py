"""An engine that does what it is told, also what no engine should. Runs in a real worker."""

import os
import threading
from importlib import import_module

from recognition.model import Unavailable
from recognition.worker import Engine


def load(settings: bytes) -> Engine:
    if settings == b"no such library":
        import_module("no_such_library")

    def answer(question: bytes) -> bytes:
        word, _, rest = question.partition(b" ")
        if word == b"hang":
            threading.Event().wait()
        if word == b"die":
            os._exit(int(rest or b"1"))
        if word == b"fill":
            return str(len(bytearray(int(rest)))).encode()
        if word == b"fault":
            raise RuntimeError("the reporter's own words")
        if word == b"refuse":
            raise Unavailable("照片无法读取")
        if word == b"long":
            return bytes(int(rest))
        if word == b"environment":
            return " ".join(sorted(os.environ)).encode()
        return b"heard " + question

    return answer
