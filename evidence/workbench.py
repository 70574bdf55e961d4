"""The bench of evidence/sandbox.py, seen from inside: `python -m evidence.workbench MODULE`.

Reads limits and then jobs from its standard input, forks a child for each and answers with one
letter and what came of it: A(nswer), C(rashed), L(imit). Ends when its input does.
"""

from __future__ import annotations

import importlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import NoReturn

import msgspec

from evidence.confinement import close_all_but, die_with_parent, lock_in
from evidence.frames import FrameBroken, read_frame, write_frame
from evidence.sandbox import Limits

Jobs = Mapping[str, Callable[[bytes], bytes]]
_IN, _OUT = 0, 1
_OUT_OF_MEMORY = 77
"""How a child ends that got no more memory."""


def main() -> None:
    """Serve until the input ends."""
    # Whoever stops the server by the keyboard stops us by closing the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limits = msgspec.msgpack.decode(read_frame(_IN, 4096), type=Limits)
    module = importlib.import_module(sys.argv[1])
    module.warm()
    jobs: Jobs = module.JOBS
    write_frame(_OUT, msgspec.msgpack.encode(_try_fences(limits)))
    # From here on libraries may complain of files; nobody reads it, and it could tell of them.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    while True:
        try:
            job = read_frame(_IN, 64).decode()
            payload = read_frame(_IN, limits.bytes_in)
        except FrameBroken:
            return
        write_frame(_OUT, _in_child(jobs[job], payload, limits))


def _try_fences(limits: Limits) -> tuple[str, ...]:
    """Which fences stand here, found by putting them up around a child."""
    answer = _in_child(lambda _: _fences(limits), b"", limits, locked=False)
    return msgspec.msgpack.decode(answer[1:], type=tuple[str, ...])


def _fences(limits: Limits) -> bytes:
    return msgspec.msgpack.encode(lock_in(limits.memory, limits.cpu))


def _in_child(
    work: Callable[[bytes], bytes], payload: bytes, limits: Limits, *, locked: bool = True
) -> bytes:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _child(work, payload, writing, limits if locked else None)
    os.close(writing)
    answer, stopped = _collect(reading, limits)
    os.close(reading)
    if stopped:
        os.kill(pid, signal.SIGKILL)
    _, status, used = os.wait4(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if stopped:
        return b"L" + stopped.encode()
    if code == 0:
        return b"A" + answer
    if code == _OUT_OF_MEMORY:
        return b"Lmemory"
    if code == -signal.SIGXCPU or used.ru_utime + used.ru_stime >= limits.cpu:
        return b"Lcpu"
    return f"C{code}".encode()


def _child(
    work: Callable[[bytes], bytes], payload: bytes, writing: int, limits: Limits | None
) -> NoReturn:
    """In the fork: lock in, work, answer, and end without any of the parent's tidying up."""
    code = 1
    try:
        die_with_parent()
        close_all_but(writing)
        if limits is not None:
            lock_in(limits.memory, limits.cpu)
        rest = memoryview(work(payload))
        while rest:
            rest = rest[os.write(writing, rest) :]
        code = 0
    except MemoryError:
        code = _OUT_OF_MEMORY
    finally:
        os._exit(code)


def _collect(reading: int, limits: Limits) -> tuple[bytes, str | None]:
    """All that a child says, or why it is to be stopped."""
    until = time.monotonic() + limits.seconds
    poll = select.poll()
    poll.register(reading, select.POLLIN)
    poll.register(_IN, 0)  # only whether the other side is still there
    got = bytearray()
    while True:
        ready = poll.poll(max(0.0, until - time.monotonic()) * 1000)
        if not ready:
            return b"", "seconds"
        if any(fd == _IN for fd, _ in ready):
            return b"", "nobody waits"
        some = os.read(reading, 1 << 20)
        if not some:
            return bytes(got), None
        got += some
        if len(got) > limits.bytes_out:
            return b"", "bytes out"


if __name__ == "__main__":
    main()
