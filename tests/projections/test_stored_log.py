"""The rebuild's own way of reading gives exactly what the log gives."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.persistence import JSONTranscoder

from casework import events as did
from casework.log.eventlog import EventLog
from casework.log.mapper import EventMapper, Names
from casework.log.port import Write, stream_id
from projections.rebuild import LogSource, Part
from projections.stored_log import StoredLog, open_sqlite_log, postgres_rows, sqlite_rows
from tests.log.samples import postgres_recorder, sqlite_recorder
from tests.postgres import PostgresServer
from tests.projections.histories import DAWN, REVIEWER, Scribe, Story, opener


def mapper() -> EventMapper:
    return EventMapper(JSONTranscoder(), Names([did.STORED_AS, did.OTHER_STORED_AS]))


def fill(log: EventLog) -> None:
    scribe = Scribe()
    for n in range(8):
        story = Story(scribe, f"{n}")
        for version, each in enumerate(story.whole()):
            at = each.at + timedelta(microseconds=version)
            log.append([Write(each.stream, version, (each.event,), at)], uuid4(), each.actor)
    person = UUID(int=5)
    erased = did.PersonErased(person=person)
    stream = stream_id(f"person/{person}")
    log.append([Write(stream, None, (erased,), DAWN)], uuid4(), REVIEWER)


@pytest.fixture(params=["sqlite", "postgres"])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoredLog]:
    """The same log, read by rows, on each database."""
    if request.param == "sqlite":
        recorder = sqlite_recorder(tmp_path / "log.db")
        log = EventLog(recorder, mapper())
        fill(log)
        connection = open_sqlite_log(tmp_path / "log.db")
        yield StoredLog(log, opener(), sqlite_rows(connection), mapper().names.decode)
        connection.close()
        recorder.close()
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    url = server.fresh_database()
    elsewhere = postgres_recorder(url)
    log = EventLog(elsewhere, mapper())
    fill(log)
    with psycopg.connect(url, autocommit=True) as connected:
        yield StoredLog(log, opener(), postgres_rows(connected), mapper().names.decode)
    elsewhere.close()


@pytest.mark.parametrize("limit", [3, 1000])
@pytest.mark.parametrize("parts", [1, 2, 3])
def test_each_part_reads_what_the_log_says_of_its_streams(
    stored: StoredLog, parts: int, limit: int
) -> None:
    stop = stored.log.head()
    plain = LogSource(stored.log, opener())
    for n in range(parts):
        part = Part(n, parts)
        position, found = 0, []
        while position < stop:
            page, position = stored.page(position, limit, stop, part)
            found += page
        assert found == plain.page(0, 1000, stop, part)[0]


def test_parts_share_out_every_stream_once() -> None:
    streams = [uuid4() for _ in range(200)]
    for of in (1, 2, 3, 7):
        assert all(sum(Part(n, of).holds(s) for n in range(of)) == 1 for s in streams)
