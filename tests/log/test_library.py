"""The library's Application and ProjectionRunner, as they are, over both of our logs."""

import os
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from eventsourcing.application import Application
from eventsourcing.persistence import IntegrityError, Tracking
from eventsourcing.popo import POPOTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner

from casework.log.mapper import EventMapper, Pending
from casework.log.port import Recorded
from casework.log.schema import prepare_postgres, prepare_sqlite
from tests.log.samples import ANN, NOON, Noted, a_mapper
from tests.postgres import emptied


class Words:
    """What a stream says, and up to which version."""

    def __init__(self, words: str, version: int) -> None:
        self.words = words
        self.version = version


def read(words: Words | None, events: Iterable[Recorded]) -> Words | None:
    for each in events:
        assert isinstance(each.event, Noted)
        words = Words((words.words if words else "") + each.event.words, each.version)
    return words


class Cases(Application[UUID]):
    name = "cases"

    def construct_mapper(self) -> EventMapper:
        return a_mapper()

    def note(self, stream: UUID, version: int, words: str) -> int:
        pending = Pending(stream, version, Noted(words), NOON, ANN, uuid4())
        (recording,) = self.save(pending)
        return recording.notification.id


class Count(POPOTrackingRecorder):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def add(self, position: int, tracking: Tracking) -> None:
        with self._database_lock:
            self._assert_tracking_uniqueness(tracking)
            self._insert_tracking(tracking)
            self.seen.append(position)


class Counting(Projection[Count]):
    name = "counting"

    def process_event(self, domain_event: Recorded, tracking: Tracking) -> None:
        self.view.add(domain_event.position, tracking)


@pytest.fixture(params=["sqlite", "postgres"])
def env(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    own = {"COUNTING_PERSISTENCE_MODULE": "eventsourcing.popo"}
    if request.param == "sqlite":
        prepare_sqlite(tmp_path / "log.db", uuid4())
        own |= {"PERSISTENCE_MODULE": "casework.log.sqlite", "LOG_PATH": str(tmp_path / "log.db")}
    else:
        url = emptied(request.getfixturevalue("postgres_url"))
        prepare_postgres(url, uuid4())
        own |= {
            "PERSISTENCE_MODULE": "casework.log.postgres",
            "LOG_URL": url,
            "LOG_OWNER_ALLOWED": "y",
        }
    assert not own.keys() & os.environ.keys()
    return own


def test_an_application_of_the_library_keeps_its_events_in_our_log(env: dict[str, str]) -> None:
    stream = uuid4()
    with Cases(env) as app:
        app.note(stream, 1, "a")
        app.note(stream, 2, "b")
        with pytest.raises(IntegrityError):
            app.note(stream, 2, "stale")
        found = app.repository.get(stream, projector_func=read)  # type: ignore[type-var] # our states are no aggregates of the library
        assert found is not None
        assert (found.words, found.version) == ("ab", 2)
        section = app.notification_log["1,10"]
        assert [each.id for each in section.items] == [1, 2]


def test_a_runner_of_the_library_projects_our_log(env: dict[str, str]) -> None:
    with (
        Cases(env) as app,
        ProjectionRunner(
            application_class=Cases, projection_class=Counting, view_class=Count, env=env
        ) as runner,
    ):
        stream = uuid4()
        for version in range(1, 6):
            runner.app.note(stream, version, "x")
        runner.wait(5, timeout=60)
        assert runner.view.seen == [1, 2, 3, 4, 5]
        assert app.recorder.max_notification_id() == 5
