"""The library's own contract suites, run over our recorders."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import TestCase
from uuid import UUID

import pytest
from eventsourcing.persistence import AggregateRecorder, StoredEvent
from eventsourcing.tests.persistence import (
    AggregateRecorderTestCase,
    ApplicationRecorderTestCase,
    NonInterleavingNotificationIDsBaseCase,
)

from casework.log.recorder import LogRecorder
from tests.log.samples import postgres_recorder, sqlite_recorder
from tests.postgres import emptied


class Plain(AggregateRecorder):
    """What the contract of aggregate recorders looks at: no positions, no columns of our own."""

    def __init__(self, recorder: LogRecorder) -> None:
        self.recorder = recorder

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> None:  # noqa: ANN401 - the library's signature
        self.recorder.insert_events(stored_events, **kwargs)

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> list[StoredEvent]:
        return [
            StoredEvent(event.originator_id, event.originator_version, event.topic, event.state)
            for event in self.recorder.select_events(
                originator_id, gt=gt, lte=lte, desc=desc, limit=limit
            )
        ]


class OnSqlite(TestCase):
    recorder: LogRecorder

    @pytest.fixture(autouse=True)
    def _fresh(self, tmp_path: Path) -> Iterator[None]:
        self.recorder = sqlite_recorder(tmp_path / "log.db")
        yield
        self.recorder.close()


class OnPostgres(TestCase):
    recorder: LogRecorder

    @pytest.fixture(autouse=True)
    def _fresh(self, postgres_url: str) -> Iterator[None]:
        self.recorder = postgres_recorder(emptied(postgres_url))
        yield
        self.recorder.close()


class TestAggregateOnSqlite(OnSqlite, AggregateRecorderTestCase):
    def create_recorder(self) -> AggregateRecorder:
        return Plain(self.recorder)


class TestAggregateOnPostgres(OnPostgres, AggregateRecorderTestCase):
    def create_recorder(self) -> AggregateRecorder:
        return Plain(self.recorder)


class TestApplicationOnSqlite(OnSqlite, ApplicationRecorderTestCase[LogRecorder]):
    def create_recorder(self) -> LogRecorder:
        return self.recorder

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestApplicationOnPostgres(OnPostgres, ApplicationRecorderTestCase[LogRecorder]):
    def create_recorder(self) -> LogRecorder:
        return self.recorder

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestOrderOnSqlite(OnSqlite, NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> LogRecorder:
        return self.recorder


class TestOrderOnPostgres(OnPostgres, NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> LogRecorder:
        return self.recorder


# pytest would collect the library's abstract cases under their own names too.
del AggregateRecorderTestCase, ApplicationRecorderTestCase, NonInterleavingNotificationIDsBaseCase
del OnSqlite, OnPostgres
