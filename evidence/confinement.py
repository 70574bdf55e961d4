"""How a process that is about to open a stranger's file locks itself in. Standard library only.

Two fences, neither of which can be climbed back over, each enough against network and files:

- limits of the system (all POSIX): address space, CPU, no core dump, no byte into any file, and
  **no new file descriptor**, so that neither a file nor a socket can be opened;
- on Linux (x86-64, arm64) a seccomp filter that knows only what computing needs: memory, its own
  open pipe, threads, clocks, the end. No open, no socket, no exec, no fork, no signal to others,
  no change of limits, no memory that can be run. Everything else fails with EPERM.

Numbers of system calls: asm/unistd_64.h (x86-64), asm-generic/unistd.h (arm64). The form of the
filter: linux/seccomp.h, linux/bpf_common.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import signal
import struct
import sys
from contextlib import suppress

_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
# Their numbers on x86-64 and on arm64.
_ALLOWED = {
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "fstat": (5, 80),
    "lseek": (8, 62),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "nanosleep": (35, 101),
    "getpid": (39, 172),
    "exit": (60, 93),
    "gettimeofday": (96, 169),
    "getrusage": (98, 165),
    "sigaltstack": (131, 132),
    "gettid": (186, 178),
    "futex": (202, 98),
    "sched_getaffinity": (204, 123),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115),
    "exit_group": (231, 94),
    "set_robust_list": (273, 99),
    "getrandom": (318, 278),
    "rseq": (334, 293),
}
_CLONE = (56, 220)
_MMAP, _MPROTECT = (9, 222), (10, 226)
_CLONE3 = 435  # the same on both
_CLONE_THREAD = 0x10000
_PROT_EXEC = 0x4

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_SECCOMP_MODE_FILTER = 2
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_X32 = 0x40000000


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def lock_in(memory: int, cpu: int) -> tuple[str, ...]:
    """Confine this process for good; the names of the fences that stand.

    `memory` in bytes of address space, `cpu` in seconds from now on.
    """
    fences = _limits(memory, cpu)
    if sys.platform == "linux" and _no_new_privileges() and _filter():
        fences += ("seccomp",)
    return fences


def die_with_parent() -> None:
    """On Linux: be killed when the parent is, whatever this process is doing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _limits(memory: int, cpu: int) -> tuple[str, ...]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = cpu + int(used.ru_utime + used.ru_stime)
    wanted = {
        "memory": (resource.RLIMIT_AS, memory, memory),
        # At the soft limit the signal, a second later, if it is ignored, the end.
        "cpu": (resource.RLIMIT_CPU, until, until + 1),
        "no core": (resource.RLIMIT_CORE, 0, 0),
        "no writing": (resource.RLIMIT_FSIZE, 0, 0),
        "no files, no sockets": (resource.RLIMIT_NOFILE, 0, 0),
    }
    stand = []
    for name, (which, soft, hard) in wanted.items():
        # macOS knows no limit of address space.
        with suppress(ValueError, OSError):
            resource.setrlimit(which, (soft, hard))
            stand.append(name)
    return tuple(stand)


def _no_new_privileges() -> bool:
    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    return bool(prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)


def _filter() -> bool:
    known = _ARCHITECTURES.get(platform.machine())
    if known is None or sys.maxsize < 2**32:
        return False
    code = b"".join(_instructions(*known))
    program = _Program(len(code) // 8, code)
    prctl = ctypes.CDLL(None).prctl
    return bool(prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) == 0)


def _instructions(architecture: int, column: int) -> list[bytes]:
    """The filter, as BPF. Jumps count instructions from the next one on."""
    no = _ERRNO | errno.EPERM
    program = [
        _do(_LOAD, _ARCHITECTURE),
        _do(_EQUAL, architecture, 1, 0),
        _do(_RETURN, _KILL),
        _do(_LOAD, _NUMBER),
        _do(_AT_LEAST, _X32, 0, 1),
        _do(_RETURN, no),
    ]
    for numbers in _ALLOWED.values():
        program += [_do(_EQUAL, numbers[column], 0, 1), _do(_RETURN, _ALLOW)]
    # Told that there is no clone3, the C library takes clone, whose flags can be looked at.
    program += [_do(_EQUAL, _CLONE3, 0, 1), _do(_RETURN, _ERRNO | errno.ENOSYS)]
    for number, argument, bit, set_, unset in (
        (_CLONE[column], 0, _CLONE_THREAD, _ALLOW, no),
        (_MMAP[column], 2, _PROT_EXEC, no, _ALLOW),
        (_MPROTECT[column], 2, _PROT_EXEC, no, _ALLOW),
    ):
        program += [
            _do(_EQUAL, number, 0, 4),
            _do(_LOAD, _ARGUMENTS + 8 * argument),
            _do(_ANY_BIT, bit, 0, 1),
            _do(_RETURN, set_),
            _do(_RETURN, unset),
        ]
    return [*program, _do(_RETURN, no)]


def _do(code: int, value: int, jump_true: int = 0, jump_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, jump_true, jump_false, value)


def close_all_but(*kept: int) -> None:
    """Close every open descriptor but these."""
    top = max(kept)
    for fd in range(top):
        if fd not in kept:
            with suppress(OSError):
                os.close(fd)
    os.closerange(top + 1, 4096)
