"""A model's process is bounded in memory, time and queue; killed and started anew."""

import os
import threading
from collections.abc import Callable, Iterator

import msgspec
import pytest

from recognition.bounded import FAILURES, LARGEST, Bounded, Bounds, Task
from recognition.model import Unavailable

BOUNDS = Bounds(memory_mb=1024, seconds=10, starting=10, pause=3600)
ENGINE = "tests.recognition.engines.odd"

Start = Callable[..., Bounded]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Bounded] = []

    def begin(settings: bytes = b"", **bounds: float) -> Bounded:
        changed = msgspec.structs.replace(BOUNDS, **bounds)
        started.append(Bounded("odd", Task(ENGINE, settings), changed))
        return started[-1]

    yield begin
    for each in started:
        each.close()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_nothing_is_started_before_the_first_question(start: Start) -> None:
    worker = start()
    before = worker.pid
    assert before is None and worker.condition().state == "idle"
    assert worker.ask(b"one") == b"heard one"
    pid = worker.pid
    assert worker.ask(b"two") == b"heard two" and worker.pid == pid
    assert worker.condition().state == "ready"
    worker.close()
    assert pid is not None and not is_alive(pid)


def test_without_what_it_needs_it_is_absent_and_is_not_started() -> None:
    worker = Bounded(
        "odd", Task(ENGINE), BOUNDS, needs=("msgspec", "no_such_package"), missing="未安装扩展"
    )
    assert (worker.condition().state, worker.condition().note) == ("absent", "未安装扩展")
    with pytest.raises(Unavailable, match="未安装扩展"):
        worker.ask(b"one")
    assert worker.pid is None


def test_one_that_does_not_answer_in_time_is_killed_and_the_next_question_gets_a_new_one(
    start: Start,
) -> None:
    worker = start(seconds=0.4, starting=30)
    worker.ask(b"one")
    hanging = worker.pid
    with pytest.raises(Unavailable, match="超时"):
        worker.ask(b"hang")
    assert hanging is not None and not is_alive(hanging)
    assert worker.condition().state == "failing" and "超时" in worker.condition().note
    assert start().ask(b"two") == b"heard two"


def test_one_that_dies_is_started_anew(start: Start) -> None:
    worker = start()
    worker.ask(b"one")
    with pytest.raises(Unavailable, match="异常退出"):
        worker.ask(b"die")
    assert worker.ask(b"two") == b"heard two"
    assert worker.condition().state == "ready"


@pytest.mark.parametrize(("memory_mb", "enough"), [(256, False), (1024, True)])
def test_more_memory_than_allowed_is_not_given(
    start: Start, memory_mb: int, *, enough: bool
) -> None:
    worker = start(memory_mb=memory_mb)
    wanted = 300_000_000
    if enough:
        assert worker.ask(b"fill %d" % wanted) == str(wanted).encode()
        return
    with pytest.raises(Unavailable, match="MemoryError"):
        worker.ask(b"fill %d" % wanted)
    assert worker.ask(b"two") == b"heard two"


def test_a_question_too_many_is_refused_at_once(start: Start) -> None:
    worker = start(waiting=1, seconds=3.0, starting=30)
    worker.ask(b"one")
    outcome: list[str] = []

    def hang() -> None:
        try:
            worker.ask(b"hang")
        except Unavailable as why:
            outcome.append(str(why))

    asking = threading.Thread(target=hang)
    asking.start()
    while worker._places._value:  # until the other has the only place
        pass
    with pytest.raises(Unavailable, match="太多"):
        worker.ask(b"two")
    asking.join()
    assert "超时" in outcome[0]


def test_after_some_failures_in_a_row_it_is_left_alone_for_a_while(start: Start) -> None:
    resting, trying = start(), start(pause=0)
    for worker in (resting, trying):
        for _ in range(FAILURES):
            with pytest.raises(Unavailable):
                worker.ask(b"die")
    with pytest.raises(Unavailable, match="暂停使用"):
        resting.ask(b"one")
    assert resting.pid is None
    assert trying.ask(b"one") == b"heard one"


def test_one_that_left_because_nobody_asked_has_not_failed(start: Start) -> None:
    worker = start(idle=0.05)
    worker.ask(b"one")
    left = worker._process
    assert left is not None and left.wait(60) == 0
    assert worker.ask(b"two") == b"heard two"
    assert worker.condition().state == "ready" and worker.pid != left.pid


def test_a_refusal_is_told_and_is_no_failure(start: Start) -> None:
    worker = start()
    with pytest.raises(Unavailable, match="照片无法读取"):
        worker.ask(b"refuse")
    assert worker.condition().state == "ready"


def test_a_fault_is_told_by_its_kind_and_never_by_its_words(start: Start) -> None:
    worker = start()
    with pytest.raises(Unavailable, match="RuntimeError") as told:
        worker.ask(b"fault")
    assert "reporter" not in str(told.value) + worker.condition().note


def test_an_answer_that_is_too_long_is_not_read(start: Start) -> None:
    worker = start()
    with pytest.raises(Unavailable, match="异常退出"):
        worker.ask(b"long %d" % (LARGEST + 1))
    assert worker.ask(b"two") == b"heard two"


def test_a_missing_library_is_named(start: Start) -> None:
    with pytest.raises(Unavailable, match="缺少组件 no_such_library"):
        start(b"no such library").ask(b"one")


def test_what_the_server_was_started_with_is_not_passed_on(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASEWORK_DATABASE", "postgresql://name:secret@…")
    assert b"CASEWORK_DATABASE" not in start().ask(b"environment").split()
