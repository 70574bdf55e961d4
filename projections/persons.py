"""All cases that a person ever had to do with, for an erasure; and staff words wiped one by one.

Knows persons only by their pseudonymous id. These rows outlive an erasure: they name nobody then.
"""

from collections.abc import Collection
from uuid import UUID

import msgspec
from sqlalchemy import Connection, select, update

from projections.lines import CASE_KEY
from projections.my_cases import REPORTER
from projections.reading import Readers
from projections.tables import chunks
from projections.timeline import TIMELINE


class CaseOfPerson(msgspec.Struct, frozen=True):
    """A case by its id and number."""

    case_id: UUID
    number: str


def cases_of_person(connection: Connection, person: UUID) -> list[CaseOfPerson]:
    """Cases reported, joined, left again, or come to by a merger; in the order of submission."""
    rows = connection.execute(
        select(CASE_KEY.c.case_id, CASE_KEY.c.number)
        .join(REPORTER, REPORTER.c.stream == CASE_KEY.c.stream)
        .where(REPORTER.c.person == person.bytes)
        .order_by(CASE_KEY.c.seq)
    )
    return [CaseOfPerson(UUID(bytes=case_id), number) for case_id, number in rows]


def wipe_words(readers: Readers, positions: Collection[int]) -> None:
    """Take the words of these events off the timeline; a rebuild without their keys says the same.

    May be repeated. The file is scrubbed by the caller.
    """
    marks = [position.to_bytes(8, "big") for position in positions]
    with readers.engine.begin() as connection:
        for some in chunks(marks):
            connection.execute(
                update(TIMELINE)
                .where(TIMELINE.c.position.in_([int.from_bytes(mark, "big") for mark in some]))
                .values(words=None, erased=True)
            )
