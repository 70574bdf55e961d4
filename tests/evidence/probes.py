"""Jobs that try what a hostile file would make a decoder try. Imported in a bench, by name."""

import ctypes
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path

KEPT: list[bytes] = []


def warm() -> None:
    """Nothing to load."""


def attempt(what: Callable[[], object]) -> bytes:
    """`done`, or the system's refusal."""
    try:
        what()
    except OSError as error:
        return f"refused {error.errno}".encode()
    return b"done"


def fork() -> object:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    return os.waitpid(pid, 0)


def run_memory() -> object:
    """Ask for memory that can be written and run, as injected code would."""
    call = ctypes.CDLL(None, use_errno=True).mmap
    call.restype = ctypes.c_void_p
    found = call(None, ctypes.c_size_t(4096), 7, 0x22, -1, ctypes.c_long(0))
    if found == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), "mmap")
    return found


ATTEMPTS: Mapping[str, Callable[[], object]] = {
    "socket": socket.socket,
    "pair": socket.socketpair,
    "read a file": lambda: Path(__file__).open().close(),
    "write a file": lambda: Path("/tmp/probe").open("w").close(),  # noqa: S108  never made
    "fork": fork,
    "exec": lambda: os.execv("/bin/true", ["true"]),  # noqa: S606  it must fail
    "signal the parent": lambda: os.kill(os.getppid(), 0),
    "list a folder": lambda: os.listdir("/"),  # noqa: PTH208  the bare call
    "delete": lambda: os.unlink("/tmp/probe-not-there"),  # noqa: PTH108, S108  the bare call
    "memory to run": run_memory,
}


def crash(_: bytes) -> bytes:
    return ctypes.string_at(1, 1)


def spin(_: bytes) -> bytes:
    while True:
        pass


def stand_still(_: bytes) -> bytes:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    while True:
        time.sleep(1000)


def eat(_: bytes) -> bytes:
    while True:
        KEPT.append(bytes(200_000_000))


def talk(_: bytes) -> bytes:
    return b"x" * 50_000_000


def fail(_: bytes) -> bytes:
    raise ValueError


def remember(payload: bytes) -> bytes:
    """What earlier jobs left behind in this process."""
    KEPT.append(payload)
    return b",".join(KEPT)


JOBS: Mapping[str, Callable[[bytes], bytes]] = {
    "echo": lambda payload: payload,
    "attempt": lambda payload: attempt(ATTEMPTS[payload.decode()]),
    "environment": lambda _: "\n".join(os.environ).encode(),
    "crash": crash,
    "spin": spin,
    "stand still": stand_still,
    "eat": eat,
    "talk": talk,
    "fail": fail,
    "remember": remember,
    "who": lambda _: f"{os.getppid()}".encode(),
}
