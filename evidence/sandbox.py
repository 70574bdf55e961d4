"""Processes for work on bytes that nobody trusts. Knows no picture and imports no picture library.

A bench is a process with everything imported and warmed up; for each job it forks a child that
locks itself in (evidence/confinement.py), works and is gone. So nothing of one person's file is
in reach of the next, and what a file does to its child, be it a crash, an endless loop or all
the memory, ends with the child. The bench ends it at the limit; should the bench itself not
answer, it is ended here and another is started.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from evidence.frames import FrameBroken, read_frame, write_frame

_ROOT = Path(__file__).resolve().parent.parent
_START_S = 30.0
"""To import and warm up: 0.5 s on an idle machine."""
_GRACE_S = 5.0
"""How much longer than its limit a job may take before the bench itself is given up."""
_ATTEMPTS = 2


class Limits(msgspec.Struct, frozen=True):
    """What one job may use: address space and answer in bytes, CPU and elapsed seconds."""

    memory: int
    cpu: int
    seconds: float
    bytes_in: int
    bytes_out: int = 16 * 1024 * 1024


PICTURES = Limits(memory=1024**3, cpu=10, seconds=20.0, bytes_in=20 * 1024 * 1024)
VISION = Limits(memory=4 * 1024**3, cpu=60, seconds=120.0, bytes_in=20 * 1024 * 1024)
"""Models need more room; they only ever see derivatives that a picture bench has made."""


class Stopped(msgspec.Struct, frozen=True):
    """The job did not answer: it crashed, or (`crashed` is False) was stopped at a limit."""

    crashed: bool
    what: str


class SandboxBroken(Exception):  # noqa: N818  names the finding
    """No bench can be had, or it was closed. Says nothing about the file: try again later."""


class Sandbox:
    """At most `benches` processes that work on jobs of a module. Thread-safe.

    `module` names a module with `JOBS`, functions by name from bytes to bytes, and `warm()`.
    It is imported in the benches only.
    """

    def __init__(self, module: str, limits: Limits, benches: int = 1) -> None:
        self._module = module
        self._limits = limits
        self._free = threading.Condition()
        self._room = benches
        self._idle: list[_Bench] = []
        self._all: set[_Bench] = set()
        self._closed = False

    def run(self, job: str, payload: bytes) -> bytes | Stopped:
        """Do a job; blocks until a bench is free and the job done or stopped.

        Raises SandboxBroken. A bench that dies under a job is replaced and the job tried again
        once: the machine may have been short of memory for a moment.
        """
        for _ in range(_ATTEMPTS):
            bench = self._take()
            try:
                answer = bench.do(job, payload)
            except (FrameBroken, OSError, TimeoutError):
                self._lose(bench)
                continue
            except BaseException:
                self._lose(bench)
                raise
            self._give_back(bench)
            return answer
        raise SandboxBroken(f"{self._module}: the process died twice under a job")

    def confinement(self) -> tuple[str, ...]:
        """What the children are held by, as they found it on this system."""
        bench = self._take()
        self._give_back(bench)
        return bench.confinement

    def pids(self) -> frozenset[int]:
        """The process ids of the benches there are now."""
        with self._free:
            return frozenset(bench.pid for bench in self._all)

    def close(self) -> None:
        """End all benches, also those at work."""
        with self._free:
            self._closed = True
            idle, at_work = self._idle, self._all.difference(self._idle)
            self._idle, self._all = [], set()
            self._free.notify_all()
        for bench in idle:
            bench.end()
        for bench in at_work:
            bench.kill()

    def _take(self) -> _Bench:
        with self._free:
            while not self._idle and not self._room and not self._closed:
                self._free.wait()
            if self._closed:
                raise SandboxBroken(f"{self._module}: closed")
            if self._idle:
                return self._idle.pop()
            self._room -= 1
        try:
            bench = _Bench(self._module, self._limits)
        except BaseException:
            self._leave_room()
            raise
        if not self._enrol(bench):
            bench.end()
            raise SandboxBroken(f"{self._module}: closed")
        return bench

    def _enrol(self, bench: _Bench) -> bool:
        """False if all was closed while it started."""
        with self._free:
            if not self._closed:
                self._all.add(bench)
            return not self._closed

    def _give_back(self, bench: _Bench) -> None:
        with self._free:
            if bench in self._all:
                self._idle.append(bench)
                self._free.notify()
                return
        bench.end()

    def _lose(self, bench: _Bench) -> None:
        bench.end()
        with self._free:
            self._all.discard(bench)
        self._leave_room()

    def _leave_room(self) -> None:
        with self._free:
            self._room += 1
            self._free.notify()


class _Bench:
    """One process, seen from outside. One job at a time."""

    def __init__(self, module: str, limits: Limits) -> None:
        self._limits = limits
        # Nothing of our environment: it may hold secrets.
        environment = {
            "PYTHONPATH": os.pathsep.join([str(_ROOT), *filter(None, sys.path)]),
            "PATH": os.defpath,
            "LC_ALL": "C.UTF-8",
            # A forked child has one thread; and each more costs address space.
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
            "MALLOC_ARENA_MAX": "1",
        }
        self._process = subprocess.Popen(  # noqa: S603  our own module, no shell
            [sys.executable, "-s", "-P", "-m", "evidence.workbench", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            cwd=_ROOT,
            bufsize=0,
        )
        self.pid = self._process.pid
        try:
            self._send(msgspec.msgpack.encode(limits), time.monotonic() + _START_S)
            ready = self._receive(time.monotonic() + _START_S)
        except (FrameBroken, OSError, TimeoutError) as error:
            self.end()
            raise SandboxBroken(f"{module}: the process did not start") from error
        self.confinement = msgspec.msgpack.decode(ready, type=tuple[str, ...])

    def do(self, job: str, payload: bytes) -> bytes | Stopped:
        until = time.monotonic() + self._limits.seconds + _GRACE_S
        self._send(job.encode(), until)
        self._send(payload, until)
        answer = self._receive(until)
        if answer[:1] == b"A":
            return answer[1:]
        return Stopped(answer[:1] == b"C", answer[1:].decode())

    def kill(self) -> None:
        """The bench dies, and its child with it: it asks the kernel for that.

        Its pipes stay for the thread that waits on them: their numbers, given away under it,
        could soon be another file's.
        """
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """For the thread that holds the bench: it dies, and its pipes are closed."""
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()

    def _send(self, payload: bytes, until: float) -> None:
        assert self._process.stdin is not None
        fd = self._process.stdin.fileno()
        write_frame(fd, payload, lambda: _wait(fd, select.POLLOUT, until))

    def _receive(self, until: float) -> bytes:
        assert self._process.stdout is not None
        fd = self._process.stdout.fileno()
        return read_frame(fd, self._limits.bytes_out + 64, lambda: _wait(fd, select.POLLIN, until))


def _wait(fd: int, for_what: int, until: float) -> None:
    poll = select.poll()
    poll.register(fd, for_what)
    if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
        raise TimeoutError
