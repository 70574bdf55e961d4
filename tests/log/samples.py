"""Events of our own for the log's tests, so that they hold whatever the engine's events become."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
from eventsourcing.persistence import JSONTranscoder

from casework.log.committer import Committer
from casework.log.eventlog import EventLog
from casework.log.mapper import EventMapper, Names, Upcaster
from casework.log.port import Write
from casework.log.postgres import PostgresRecorder
from casework.log.postgres_writer import PostgresWriter
from casework.log.schema import prepare_postgres, prepare_sqlite
from casework.log.sqlite import SqliteRecorder
from casework.log.sqlite_writer import SqliteWriter
from casework.model import Actor, ActorKind, Role

NOON = datetime(2026, 5, 6, 4, 0, 0, 123456, tzinfo=UTC)
ANN = Actor(ActorKind.STAFF, "ann", roles=(Role.REVIEWER,))


class Opened(msgspec.Struct, frozen=True):
    text: str
    due_at: datetime | None = None
    photo: bytes = b""


class Noted(msgspec.Struct, frozen=True):
    words: str
    weight: int = 1


class Moved(msgspec.Struct, frozen=True):
    street: str


OPENING: dict[str, type[msgspec.Struct]] = {"opened": Opened, "noted": Noted}
MOVING: dict[str, type[msgspec.Struct]] = {"moved.2": Moved}


def to_moved_2(raw: dict[str, object]) -> dict[str, object]:
    return {"street": str(raw["unit"])}


NAMES = Names([OPENING, MOVING], {"moved": Upcaster("moved.2", to_moved_2)})


def until(condition: Callable[[], bool]) -> None:
    """Wait for another thread; fail when it takes absurdly long."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def a_mapper(names: Names = NAMES) -> EventMapper:
    return EventMapper(JSONTranscoder(), names)


def write(stream: UUID, expected: int | None, *words: str, at: datetime = NOON) -> Write:
    return Write(stream, expected, tuple(Noted(each) for each in words), at)


def sqlite_recorder(path: Path, *, queue: int = 4096) -> SqliteRecorder:
    prepare_sqlite(path, uuid4())
    committer = Committer(SqliteWriter(path), queue=queue)
    committer.start()
    return SqliteRecorder(path, committer)


def sqlite_log(path: Path) -> tuple[EventLog, SqliteRecorder]:
    recorder = sqlite_recorder(path)
    return EventLog(recorder, a_mapper()), recorder


def postgres_recorder(url: str, *, prepare: bool = True) -> PostgresRecorder:
    if prepare:
        prepare_postgres(url, uuid4())
    committer = Committer(PostgresWriter(url, owner_allowed=True))
    committer.start()
    return PostgresRecorder(url, committer)
