import errno
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from evidence.sandbox import Limits, Sandbox, SandboxBroken, Stopped
from tests.evidence.probes import ATTEMPTS

LIMITS = Limits(memory=700 * 1024**2, cpu=1, seconds=6.0, bytes_in=10_000_000, bytes_out=1_000_000)
LINUX = sys.platform == "linux"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    box = Sandbox("tests.evidence.probes", LIMITS)
    yield box
    box.close()


def test_a_job_comes_back_whatever_its_size(sandbox: Sandbox) -> None:
    for size in (0, 1, 65_535, 65_536, 900_000):
        sent = os.urandom(size)
        assert sandbox.run("echo", sent) == sent


@pytest.mark.skipif(not LINUX, reason="the filter is Linux's own")
def test_all_fences_stand_on_linux(sandbox: Sandbox) -> None:
    assert {"seccomp", "memory", "cpu", "no files, no sockets"} <= set(sandbox.confinement())


@pytest.mark.parametrize("what", ATTEMPTS)
def test_inside_nothing_reaches_out(sandbox: Sandbox, what: str) -> None:
    assert sandbox.run("attempt", what.encode()) in {
        f"refused {number}".encode() for number in (errno.EPERM, errno.EMFILE)
    }


ALONE = """
import resource, sys
from evidence import confinement
from tests.evidence.probes import ATTEMPTS, attempt
what, fence = sys.argv[1:]
if fence == "limits":
    confinement._limits(700 * 1024**2, 1)
if fence == "filter":
    assert confinement._no_new_privileges() and confinement._filter()
print(attempt(ATTEMPTS[what]).decode())
"""


def alone(what: str, fence: str) -> str:
    """The same attempt behind one fence only, or behind none."""
    run = [sys.executable, "-c", ALONE, what, fence]
    return subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("what", ["socket", "read a file"])
def test_each_fence_alone_keeps_network_and_files_away_and_without_them_both_are_there(
    what: str,
) -> None:
    assert alone(what, "none") == "done"
    assert alone(what, "limits") == f"refused {errno.EMFILE}"
    if LINUX:
        assert alone(what, "filter") == f"refused {errno.EPERM}"


@pytest.mark.parametrize(
    ("job", "crashed"),
    [("crash", True), ("fail", True), ("spin", False), ("eat", False), ("talk", False)],
)
def test_what_a_job_does_to_itself_is_an_answer_and_the_bench_lives_on(
    sandbox: Sandbox, job: str, crashed: bool
) -> None:
    bench = sandbox.run("who", b"")
    before = time.monotonic()
    stopped = sandbox.run(job, b"")
    assert isinstance(stopped, Stopped)
    assert stopped.crashed is crashed
    assert time.monotonic() - before < LIMITS.seconds + 20
    assert sandbox.run("who", b"") == bench


def test_a_job_that_only_waits_is_ended_by_the_clock() -> None:
    limits = Limits(memory=LIMITS.memory, cpu=1, seconds=1.5, bytes_in=10, bytes_out=1000)
    box = Sandbox("tests.evidence.probes", limits)
    assert box.run("stand still", b"") == Stopped(crashed=False, what="seconds")
    assert box.run("echo", b"on") == b"on"
    box.close()


def test_nothing_of_one_job_is_left_for_the_next(sandbox: Sandbox) -> None:
    assert sandbox.run("remember", b"first") == b"first"
    assert sandbox.run("remember", b"second") == b"second"


def test_nothing_of_our_environment_is_inside(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASEWORK_TEST_SECRET", "x")
    box = Sandbox("tests.evidence.probes", LIMITS)
    names = box.run("environment", b"")
    box.close()
    assert isinstance(names, bytes)
    assert b"CASEWORK" not in names and b"PATH" in names


def test_a_bench_that_was_killed_is_replaced(sandbox: Sandbox) -> None:
    sandbox.run("echo", b"")
    (pid,) = sandbox.pids()
    os.kill(pid, signal.SIGKILL)
    assert sandbox.run("echo", b"again") == b"again"
    assert sandbox.pids() != {pid}


def test_two_benches_work_at_once_for_many_threads() -> None:
    box = Sandbox("tests.evidence.probes", LIMITS, benches=2)
    with ThreadPoolExecutor(8) as threads:
        sent = [bytes([number]) * 1000 for number in range(40)]
        assert list(threads.map(lambda one: box.run("echo", one), sent)) == sent
    assert 1 <= len(box.pids()) <= 2
    box.close()


def test_closing_ends_the_process_and_whoever_waits_is_told() -> None:
    box = Sandbox("tests.evidence.probes", LIMITS)
    box.run("echo", b"")
    (pid,) = box.pids()
    told: list[BaseException] = []

    def wait() -> None:
        try:
            box.run("stand still", b"")
        except SandboxBroken as broken:
            told.append(broken)

    waiting = threading.Thread(target=wait)
    waiting.start()
    box.close()
    waiting.join(60)
    assert len(told) == 1
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(SandboxBroken):
        box.run("echo", b"")


def test_closing_just_as_a_job_begins_is_told_too() -> None:
    box = Sandbox("tests.evidence.probes", LIMITS)

    class ClosesTheBox(str):
        """Closes at the worst moment: when the bench is taken and nothing is sent yet."""

        __slots__ = ()

        def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
            box.close()
            return super().encode(encoding, errors)

    before = len(os.listdir("/proc/self/fd")) if LINUX else 0  # noqa: PTH208  numbers, no paths
    with pytest.raises(SandboxBroken):
        box.run(ClosesTheBox("echo"), b"")
    assert before == (len(os.listdir("/proc/self/fd")) if LINUX else 0)  # noqa: PTH208  the same


def test_a_module_that_cannot_be_imported_is_told_at_once() -> None:
    box = Sandbox("tests.evidence.no_such_module", LIMITS)
    with pytest.raises(SandboxBroken):
        box.run("echo", b"")


SERVER = """
import os, sys, threading
from evidence.sandbox import Limits, Sandbox
limits = Limits(memory=700 * 1024**2, cpu=9, seconds=60.0, bytes_in=10)
box = Sandbox("tests.evidence.probes", limits)
box.run("echo", b"")
threading.Thread(target=box.run, args=("spin", b""), daemon=True).start()
print(*box.pids(), flush=True)
sys.stdin.read()
"""


def test_when_the_server_is_killed_bench_and_job_die_too() -> None:
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert server.stdin is not None and server.stdout is not None
    bench = int(server.stdout.readline())
    handle = os.pidfd_open(bench) if LINUX else None
    server.kill()
    server.wait()
    server.stdin.close()
    server.stdout.close()
    if handle is not None:
        # Waits on the process itself: it becomes readable when it has ended.
        assert select.select([handle], [], [], 60)[0]
        os.close(handle)


def test_the_serving_process_imports_no_picture_library() -> None:
    code = (
        "import sys, evidence.examining, evidence.redaction, evidence.provenance\n"
        "assert not {'PIL', 'pillow_heif', 'onnxruntime', 'cv2'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
