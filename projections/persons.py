"""All cases that a person ever had to do with, for an erasure; and staff words wiped one by one.

Knows persons only by their pseudonymous id. These rows outlive an erasure: they name nobody then.
"""

from collections.abc import Iterator, Sequence
from uuid import UUID

import msgspec
from sqlalchemy import Connection, select, update

from projections.lines import CASE_KEY
from projections.my_cases import REPORTER
from projections.reading import Readers
from projections.search import forget_documents
from projections.tables import IN_CHUNK
from projections.timeline import TIMELINE


class CaseOfPerson(msgspec.Struct, frozen=True):
    """A case by its id and number, and where in the log it was submitted."""

    case_id: UUID
    number: str
    seq: int


def cases_of_person(connection: Connection, person: UUID) -> list[CaseOfPerson]:
    """Cases reported, joined, left again, or come to by a merger; in the order of submission."""
    rows = connection.execute(
        select(CASE_KEY.c.case_id, CASE_KEY.c.number, CASE_KEY.c.seq)
        .join(REPORTER, REPORTER.c.stream == CASE_KEY.c.stream)
        .where(REPORTER.c.person == person.bytes)
        .order_by(CASE_KEY.c.seq)
    )
    return [CaseOfPerson(UUID(bytes=case_id), number, seq) for case_id, number, seq in rows]


def wipe_words(readers: Readers, positions: Sequence[int], documents: Sequence[int]) -> None:
    """Take the words of these events off the timeline, and these documents out of the search.

    A rebuild without their keys says the same. May be repeated; the caller scrubs the file.
    """
    with readers.engine.begin() as connection:
        for some in _chunks(positions):
            connection.execute(
                update(TIMELINE)
                .where(TIMELINE.c.position.in_(some))
                .values(words=None, erased=True)
            )
        for some in _chunks(documents):
            forget_documents(connection, some)


def _chunks(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), IN_CHUNK):
        yield numbers[start : start + IN_CHUNK]
