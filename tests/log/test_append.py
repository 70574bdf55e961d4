"""What a command leaves in the log, on both databases."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from casework.log.eventlog import EventLog
from casework.log.mapper import Names
from casework.log.port import (
    Appended,
    DuplicateCommand,
    Outcome,
    StreamReadOnly,
    UnknownEvent,
    VersionConflict,
    Write,
    stream_id,
)
from casework.log.recorder import LogRecorder
from tests.log.samples import (
    ANN,
    MOVING,
    NOON,
    OPENING,
    Moved,
    Noted,
    Opened,
    a_mapper,
    until,
    write,
)


def add(log: EventLog, *writes: Write, key: UUID | None = None) -> Outcome:
    return log.append(list(writes), key or uuid4(), ANN)


def test_events_come_back_as_they_went_in(log: EventLog) -> None:
    stream, key = stream_id("case/1"), uuid4()
    opened = Opened("井盖缺失 \u0000 😀", NOON, b"\x00\xff")
    done = log.append([Write(stream, 0, (opened, Noted("看过")), NOON)], key, ANN, b"finger")
    assert isinstance(done, Appended)
    history = log.history(stream)
    assert [each.event for each in history] == [opened, Noted("看过")]
    assert [each.version for each in history] == [1, 2] == list(done.versions)
    assert [each.ordinal for each in history] == [0, 1]
    assert {each.at for each in history} == {NOON}
    assert {each.actor for each in history} == {ANN}
    assert {each.command_id for each in history} == {key}
    assert tuple(each.hash for each in history) == done.hashes
    assert log.since(0, 10) == history
    prior = log.by_command(key)
    assert prior is not None
    assert prior.events == tuple(history) and prior.fingerprint == b"finger"
    assert log.by_command(uuid4()) is None
    assert log.head() == done.positions[-1]
    assert log.verify_stream(stream) is None


def test_a_stale_decision_is_told_what_stands_there(log: EventLog) -> None:
    stream = uuid4()
    add(log, write(stream, 0, "a", "b"))
    assert add(log, write(stream, 1, "c")) == VersionConflict(stream, 1, 2)
    assert add(log, write(stream, 5, "c")) == VersionConflict(stream, 5, 2)
    assert add(log, write(uuid4(), 0, "d"), write(stream, 0, "c")) == VersionConflict(stream, 0, 2)
    assert log.head() == 2


def test_two_streams_go_in_together_or_not_at_all(log: EventLog) -> None:
    first, second = uuid4(), uuid4()
    done = add(log, write(first, 0, "a"), write(second, 0, "b", "c"))
    assert isinstance(done, Appended)
    assert done.versions == (1, 1, 2)
    assert add(log, write(first, 1, "d"), write(second, 1, "e")) == VersionConflict(second, 1, 2)
    assert len(log.history(first)) == 1


def test_a_stream_without_decisions_takes_events_at_its_end(log: EventLog) -> None:
    stream = uuid4()
    add(log, write(stream, None, "a"))
    add(log, write(stream, None, "b"))
    assert [each.version for each in log.history(stream)] == [1, 2]


def test_time_never_goes_back_within_a_stream(log: EventLog) -> None:
    stream = uuid4()
    add(log, write(stream, 0, "a"))
    add(log, write(stream, 1, "b", at=NOON - timedelta(hours=1)))
    assert [each.at for each in log.history(stream)] == [NOON, NOON]


def test_a_command_sent_again_is_answered_with_what_it_did(log: EventLog) -> None:
    stream, key = uuid4(), uuid4()
    done = log.append([write(stream, 0, "a", "b")], key, ANN, b"body")
    assert isinstance(done, Appended)
    again = log.append([write(stream, 0, "a", "b")], key, ANN, b"other body")
    assert again == DuplicateCommand(done, b"body")
    assert log.head() == 2


def test_a_twin_in_the_same_commit_is_answered_with_the_same(log: EventLog) -> None:
    async def twins() -> list[Outcome]:
        stream, key = uuid4(), uuid4()
        return await asyncio.gather(
            *(log.submit([write(stream, 0, "a")], key, ANN, b"body") for _ in range(8))
        )

    first, *others = asyncio.run(twins())
    assert isinstance(first, Appended)
    assert others == [DuplicateCommand(first, b"body")] * 7
    assert log.head() == first.positions[0]


def test_a_command_without_events_is_refused(log: EventLog) -> None:
    with pytest.raises(ValueError, match="without events"):
        add(log, Write(uuid4(), 0, (), NOON))


def test_five_thousand_events_go_in_as_one_command(log: EventLog) -> None:
    stream = uuid4()
    done = add(log, write(stream, 0, *("x" * 600 for _ in range(5000))))
    assert isinstance(done, Appended)
    assert done.versions == tuple(range(1, 5001))
    assert len(log.history(stream)) == 5000
    assert log.verify_stream(stream) is None


def test_readers_page_through_the_log_without_overlap(log: EventLog) -> None:
    for _ in range(5):
        add(log, write(uuid4(), 0, "a", "b"))
    pages, position = [], 0
    while page := log.since(position, 3, stop=9):
        pages.append([each.position for each in page])
        position = page[-1].position
    assert pages == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    assert [each.version for each in log.history(log.since(0, 1)[0].stream, 1)] == [2]


class Foreseen(msgspec.Struct, frozen=True):
    """An event of a later release."""

    words: str


def test_a_stream_with_an_event_of_a_later_release_is_read_only_here(
    recorder: LogRecorder,
) -> None:
    later = EventLog(recorder, a_mapper(Names([OPENING, MOVING, {"foreseen": Foreseen}])))
    stream = uuid4()
    later.append([Write(stream, 0, (Foreseen("?"), Noted("a")), NOON)], uuid4(), ANN)
    here = EventLog(recorder, a_mapper())
    unknown, known = here.history(stream)
    assert unknown.event == UnknownEvent("foreseen", b'{"words":"?"}', "unknown name")
    assert known.event == Noted("a")
    assert [each.position for each in here.since(0, 9)] == [1, 2]
    refused = here.append([write(stream, 2, "b")], uuid4(), ANN)
    assert refused == StreamReadOnly(stream, "foreseen")
    assert here.head() == 2
    assert isinstance(later.append([write(stream, 2, "b")], uuid4(), ANN), Appended)


def test_other_streams_stay_writable_beside_a_read_only_one(recorder: LogRecorder) -> None:
    later = EventLog(recorder, a_mapper(Names([OPENING, MOVING, {"foreseen": Foreseen}])))
    here, stream = EventLog(recorder, a_mapper()), uuid4()
    later.append([Write(stream, 0, (Foreseen("?"),), NOON)], uuid4(), ANN)

    async def both() -> tuple[Outcome, Outcome]:
        return await asyncio.gather(
            here.submit([write(stream, 1, "b")], uuid4(), ANN),
            here.submit([write(uuid4(), 0, "c")], uuid4(), ANN),
        )

    refused, stored = asyncio.run(both())
    assert isinstance(refused, StreamReadOnly)
    assert isinstance(stored, Appended)


def test_an_old_shape_is_read_as_the_new_one(recorder: LogRecorder) -> None:
    class OldMoved(msgspec.Struct, frozen=True):
        unit: str

    stream = uuid4()
    old = EventLog(recorder, a_mapper(Names([{"moved": OldMoved}])))
    old.append([Write(stream, 0, (OldMoved("清河街道"),), NOON)], uuid4(), ANN)
    here = EventLog(recorder, a_mapper())
    assert [each.event for each in here.history(stream)] == [Moved("清河街道")]
    assert isinstance(
        here.append([Write(stream, 1, (Moved("学院路街道"),), NOON)], uuid4(), ANN), Appended
    )
    assert [each.name for each in here.history(stream)] == ["moved", "moved.2"]
    assert here.verify_stream(stream) is None


def test_commits_wake_those_who_asked_and_a_failing_one_harms_nobody(
    log: EventLog,
) -> None:
    heard: list[int] = []

    def fail(_head: int) -> None:
        raise RuntimeError("a reader's fault")

    log.on_commit(fail)
    log.on_commit(heard.append)
    add(log, write(uuid4(), 0, "a", "b"))
    add(log, write(uuid4(), 0, "c"))
    until(lambda: 3 in heard)
    assert log.ready and log.alive
