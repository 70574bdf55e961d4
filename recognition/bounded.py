"""A model in a process of its own: loaded on first use, bounded in memory, time and queue.

The process is asked one thing after another over a socket. Late, dead or out of memory, it is
killed and the next question starts a new one; after some failures in a row it is left alone for a
while. Knows nothing of what is asked: bytes go out, bytes come back. The other end is
`recognition.worker`.
"""

import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from recognition.model import Condition, Unavailable
from recognition.weights import installed

_HEADER = struct.Struct("!BI")
LARGEST = 64 * 1024 * 1024
"""Bytes of one question or answer: a report's photos are 60 MB at most, and go one at a time."""

ANSWERED, REFUSED, FAILED = 0, 1, 2
"""First byte of an answer: here it is; a reason in Chinese why not; the name of a fault."""

FAILURES = 3
"""In a row, before the process is left alone: once may be one bad photo."""

_ROOT = Path(__file__).parent.parent
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker may use.

    `memory_mb` of address space, `seconds` for an answer and `starting` more for the first,
    `waiting` questions at once, `idle` seconds until it leaves, `pause` seconds of being left
    alone after failures.
    """

    memory_mb: int
    seconds: float
    starting: float = 30.0
    waiting: int = 4
    idle: float = 600.0
    pause: float = 60.0


class Task(msgspec.Struct, frozen=True):
    """Which engine the worker loads (see `recognition.worker`), and its settings."""

    engine: str
    settings: bytes = b""


class Died(Exception):  # noqa: N818  names the finding
    """The other end is gone."""


class Bounded:
    """One engine behind a process. May be asked by several threads; they take turns."""

    def __init__(
        self, name: str, task: Task, bounds: Bounds, needs: Sequence[str] = (), missing: str = ""
    ) -> None:
        """`needs` are packages that the engine imports, `missing` says what to install for them."""
        self.name = name
        self._needs = tuple(needs)
        self._missing = missing
        self._task = task
        self._bounds = bounds
        self._turn = threading.Lock()
        self._places = threading.BoundedSemaphore(bounds.waiting)
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._failures = 0
        self._alone_until = 0.0
        self._last = ""

    def ask(self, question: bytes, seconds: float | None = None) -> bytes:
        """The engine's answer, within its own bound or `seconds` where nobody waits for it.

        Raises Unavailable with a sentence for an operator.
        """
        self.require()
        within = seconds or self._bounds.seconds
        if not self._places.acquire(blocking=False):
            raise Unavailable("排队的识别请求太多")
        try:
            deadline = time.monotonic() + within
            if not self._turn.acquire(timeout=within):
                raise Unavailable("识别程序正忙")
            try:
                return self._ask(question, deadline)
            finally:
                self._turn.release()
        finally:
            self._places.release()

    def require(self) -> None:
        """Raises Unavailable where a package that it needs is not installed; starts nothing."""
        if not installed(*self._needs):
            raise Unavailable(self._missing)

    def condition(self) -> Condition:
        """How it is, without starting it."""
        if not installed(*self._needs):
            return Condition(name=self.name, state="absent", note=self._missing)
        if self._failures:
            return Condition(name=self.name, state="failing", note=self._last)
        process = self._process
        alive = process is not None and process.poll() is None
        return Condition(name=self.name, state="ready" if alive else "idle")

    @property
    def pid(self) -> int | None:
        """The process that answers, if there is one."""
        return self._process.pid if self._process is not None else None

    def close(self) -> None:
        """End the process, if there is one, also amid a question. It may be asked again."""
        process = self._process
        if process is not None:
            process.kill()
        with self._turn:
            self._end()

    def _ask(self, question: bytes, deadline: float) -> bytes:
        if time.monotonic() < self._alone_until:
            raise Unavailable(f"识别程序暂停使用：{self._last}")
        try:
            kind, answer = self._exchange(question, deadline)
        except TimeoutError as late:
            raise self._failed("识别超时，已重启识别程序") from late
        except (Died, OSError) as gone:
            raise self._failed("识别程序异常退出（可能超出内存上限），已重启") from gone
        if kind == FAILED:
            raise self._failed(f"识别程序出错：{answer.decode(errors='replace')[:80]}")
        self._failures = 0
        if kind == REFUSED:
            raise Unavailable(answer.decode(errors="replace"))
        return answer

    def _failed(self, why: str) -> Unavailable:
        """Kill it, remember why, and say so."""
        self._end()
        self._last = why
        self._failures += 1
        if self._failures >= FAILURES:
            self._alone_until = time.monotonic() + self._bounds.pause
        return Unavailable(why)

    def _exchange(self, question: bytes, deadline: float) -> tuple[int, bytes]:
        """One question to the living process; a new one where it left for idleness."""
        process, line = self._process, self._socket
        if process is not None and line is not None:
            try:
                return _exchange(line, question, deadline)
            except TimeoutError:
                raise
            except (Died, OSError):
                if not _left(process):
                    raise
        self._end()
        line = self._start()
        return _exchange(line, question, deadline + self._bounds.starting)

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  ourselves
                [sys.executable, "-m", "recognition.worker", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                cwd=_ROOT,
                env={k: v for k, v in os.environ.items() if k in _PASSED_ON}
                | {
                    # One thread: the cores belong to those who report. Nothing is fetched.
                    "OMP_NUM_THREADS": "1",
                    "OPENBLAS_NUM_THREADS": "1",
                    "HF_HUB_OFFLINE": "1",
                    "PYTHONPATH": str(_ROOT),
                },
                stdin=subprocess.DEVNULL,
                # What a library prints may hold what somebody wrote or said.
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        self._socket = ours
        terms = (self._task, self._bounds.memory_mb, self._bounds.idle)
        send(ours, 0, msgspec.msgpack.encode(terms))
        return ours

    def _end(self) -> None:
        process, line = self._process, self._socket
        self._process = self._socket = None
        if line is not None:
            line.close()
        if process is not None:
            process.kill()
            process.wait()


def _left(process: subprocess.Popen[bytes]) -> bool:
    """Whether it went of itself because nobody asked."""
    try:
        return process.wait(1) == 0
    except subprocess.TimeoutExpired:
        return False


def _exchange(line: socket.socket, question: bytes, deadline: float) -> tuple[int, bytes]:
    line.settimeout(max(deadline - time.monotonic(), 0.001))
    send(line, 0, question)
    return receive(line, deadline)


def send(line: socket.socket, kind: int, content: bytes) -> None:
    """Send one frame. Raises OSError, TimeoutError."""
    line.sendall(_HEADER.pack(kind, len(content)))
    line.sendall(content)


def receive(line: socket.socket, deadline: float | None = None) -> tuple[int, bytes]:
    """One frame, by `deadline` on the monotonic clock. Raises OSError, TimeoutError, Died."""
    kind, size = _HEADER.unpack(_exactly(line, _HEADER.size, deadline))
    if size > LARGEST:
        raise Died
    return kind, _exactly(line, size, deadline)


def _exactly(line: socket.socket, size: int, deadline: float | None) -> bytes:
    content = bytearray()
    while len(content) < size:
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            line.settimeout(left)
        piece = line.recv(min(size - len(content), 1 << 20))
        if not piece:
            raise Died
        content += piece
    return bytes(content)
