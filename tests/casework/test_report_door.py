"""A report at the door, on a real log: nothing is read for it, and still it is one case."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from casework import events as did
from casework.application import BOUNDARIES, CALENDAR, CATALOGUE, Casework, Done, Loaded
from casework.errors import KeyReused, NotAllowed
from casework.log.schema import prepare_sqlite
from casework.model import CLOCK
from tests.history import CASE_ID, CITIZEN, FOUNDED, REFERENCES, a_submission, mon


class Office(Casework):
    """A process with the engine in it, which counts the cases that it read from the log."""

    reads = 0

    def load(self, case_id: UUID) -> Loaded | None:
        self.reads += 1
        return super().load(case_id)

    def reports(self, command_id: UUID, fingerprint: bytes = b"one") -> Done:
        at = mon("09:00")
        self.refresh(at)
        return asyncio.run(
            self.handle(
                CASE_ID, a_submission(), at=at, by=CITIZEN, command_id=command_id,
                fingerprint=fingerprint,
            )
        )  # fmt: skip

    def reported(self) -> int:
        return sum(isinstance(r.event, did.ReportSubmitted) for r in self.history(CASE_ID))


@pytest.fixture
def offices(tmp_path: Path) -> Iterator[tuple[Office, Office]]:
    """Two engines over one log with the shipped rules."""
    path = tmp_path / "log.db"
    prepare_sqlite(path, uuid4())
    where = {"PERSISTENCE_MODULE": "casework.log.sqlite", "LOG_PATH": str(path)}
    one, other = Office(where), Office(where)
    one.refresh(FOUNDED)
    for stream, facts in (
        (CATALOGUE, REFERENCES.catalogue),
        (CALENDAR, REFERENCES.calendar),
        (BOUNDARIES, REFERENCES.boundaries),
    ):
        one.record_reference(stream, 0, facts, at=FOUNDED, by=CLOCK, command_id=uuid4())
    yield one, other
    one.close()
    other.close()


def test_a_new_report_is_appended_without_looking_for_its_case(
    offices: tuple[Office, Office],
) -> None:
    office, _ = offices
    assert office.reports(uuid4()).version == 1
    assert (office.reads, office.reported()) == (0, 1)


def test_sent_again_to_another_process_it_gets_the_same_answer(
    offices: tuple[Office, Office],
) -> None:
    office, other = offices
    key = uuid4()
    first, again = office.reports(key), other.reports(key)
    assert (again.position, again.version) == (first.position, first.version)
    assert office.reported() == 1


def test_another_report_under_its_key_is_refused_by_a_process_that_never_saw_it(
    offices: tuple[Office, Office],
) -> None:
    office, other = offices
    key = uuid4()
    office.reports(key)
    with pytest.raises(KeyReused):
        other.reports(key, fingerprint=b"other")
    assert office.reported() == 1


def test_a_second_report_of_one_case_is_refused_after_the_case_was_read(
    offices: tuple[Office, Office],
) -> None:
    office, other = offices
    office.reports(uuid4())
    with pytest.raises(NotAllowed):
        other.reports(uuid4())
    assert other.reads
    assert office.reported() == 1
