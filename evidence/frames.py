"""Messages over a pipe: four bytes of length, then as many bytes. Knows no content."""

import os
from collections.abc import Callable

_PIPE = 65_536
"""As much as a pipe takes at once; more would block in the middle of a write."""


class FrameBroken(Exception):  # noqa: N818  names the finding
    """The other side is gone, or sends what it should not."""


def _at_once() -> None:
    """Do not wait: the read or write itself blocks."""


def write_frame(fd: int, payload: bytes, wait: Callable[[], None] = _at_once) -> None:
    """Send a message. `wait` returns when the pipe can take some, or raises."""
    rest = memoryview(len(payload).to_bytes(4) + payload)
    while rest:
        wait()
        rest = rest[os.write(fd, rest[:_PIPE]) :]


def read_frame(fd: int, limit: int, wait: Callable[[], None] = _at_once) -> bytes:
    """The next message of at most `limit` bytes. Raises FrameBroken."""
    size = int.from_bytes(_read(fd, 4, wait))
    if size > limit:
        raise FrameBroken(f"{size} bytes, at most {limit}")
    return _read(fd, size, wait)


def _read(fd: int, size: int, wait: Callable[[], None]) -> bytes:
    got = bytearray()
    while len(got) < size:
        wait()
        some = os.read(fd, min(size - len(got), 1 << 20))
        if not some:
            raise FrameBroken("closed")
        got += some
    return bytes(got)
