"""The process behind `recognition.bounded`: takes its terms, loads one engine, answers until left.

It gives itself the bounds before it loads anything. Engines import their libraries here, never in
the process that serves.
"""

import contextlib
import os
import resource
import socket
import sys
from collections.abc import Callable
from importlib import import_module

import msgspec

from recognition import bounded
from recognition.model import Unavailable

Engine = Callable[[bytes], bytes]
"""Answers a question. Raises Unavailable with a reason in Chinese."""

ENGINES = {
    "semantic": "recognition.engines.semantic",
    "vision": "recognition.engines.vision",
    "picture": "recognition.engines.picture",
    "speech": "recognition.engines.speech",
    "sounds": "recognition.engines.sounds",
}
"""Each a module with `load(settings: bytes) -> Engine`."""


def load(task: bounded.Task) -> Engine:
    """The engine of a task. Raises Unavailable where its extra is missing."""
    try:
        module = import_module(ENGINES.get(task.engine, task.engine))
        engine: Engine = module.load(task.settings)
    except ImportError as missing:
        raise Unavailable(f"缺少组件 {missing.name or task.engine}") from missing
    return engine


def main(descriptor: int) -> None:
    """Serve the socket until the other end closes it or nobody asks any more."""
    line = socket.socket(fileno=descriptor)
    _, terms = bounded.receive(line)
    task, memory_mb, idle = msgspec.msgpack.decode(terms, type=tuple[bounded.Task, int, float])
    most = memory_mb * 1024 * 1024
    with contextlib.suppress(ValueError, OSError):  # a system without this limit keeps its own
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold what was said
    os.nice(5)
    engine: Engine | None = None
    while True:
        line.settimeout(idle)
        try:
            _, question = bounded.receive(line)
        except (TimeoutError, bounded.Died):
            return
        line.settimeout(None)
        try:
            engine = engine or load(task)
            kind, answer = bounded.ANSWERED, engine(question)
        except Unavailable as why:
            kind, answer = bounded.REFUSED, str(why).encode()
        except Exception as fault:  # noqa: BLE001  any fault of a library is told, and ends it
            # The kind of fault only: its text may hold what somebody wrote or said.
            bounded.send(line, bounded.FAILED, type(fault).__name__.encode())
            return
        bounded.send(line, kind, answer)


if __name__ == "__main__":
    main(int(sys.argv[1]))
