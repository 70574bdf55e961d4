"""Number to case and stream to case: the look-up that the other views and the door rest on."""

import sys
from collections.abc import Sequence
from types import ModuleType
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Table, func, select

from casework import events as did
from projections import lines as reading_of_lines
from projections.lines import CASE_KEY, Line
from projections.tables import Values, copy_rows, upsert_rows
from projections.view import ONLY_CASES, OnPoison


class CaseKeysFold:
    def __init__(self, *, empty: bool) -> None:
        self._new: list[Values] = []
        self._put = copy_rows if empty else upsert_rows

    def read(self, connection: Connection, lines: Sequence[Line]) -> None:
        """A key is written once and never read again here."""

    def apply(self, line: Line) -> None:
        if type(line.event) is did.PersonErased:
            return
        key = line.key()
        if type(line.event) is did.ReportSubmitted:
            self._new.append(msgspec.structs.astuple(key))

    def spill(self, connection: Connection) -> None:
        self.write(connection)

    def write(self, connection: Connection) -> None:
        self._put(connection, CASE_KEY, self._new)
        self._new = []


class CaseKeys:
    """The reader that fills `case_key`. A number given twice is poison for the second case."""

    name = "case_keys"
    tables: tuple[Table, ...] = ()
    """`case_key` is there in every generation: all lines are read with it."""
    on_poison = OnPoison.HOLD
    beside = ONLY_CASES

    @property
    def sources(self) -> tuple[ModuleType, ...]:
        return (sys.modules[__name__], reading_of_lines)

    def fold(self, *, empty: bool) -> CaseKeysFold:
        return CaseKeysFold(empty=empty)

    def prepare(self, connection: Connection) -> None:
        """Its table says all."""

    def finish(self, connection: Connection) -> None:
        """As above."""

    def scrub(self, connection: Connection) -> None:
        """It holds no words."""


def case_of_number(connection: Connection, number: str) -> UUID | None:
    """The id of the case of this number, or None."""
    found = connection.scalar(select(CASE_KEY.c.case_id).where(CASE_KEY.c.number == number))
    return None if found is None else UUID(bytes=found)


def number_of_case(connection: Connection, case_id: UUID) -> str | None:
    """The number of this case, or None."""
    return connection.scalar(select(CASE_KEY.c.number).where(CASE_KEY.c.case_id == case_id.bytes))


def doubled_numbers(connection: Connection) -> list[tuple[bytes, int]]:
    """Stream and position of every case whose number an earlier case has.

    For a table that was filled in bulk, before its unique index is made.
    """
    first = (
        select(CASE_KEY.c.number, func.min(CASE_KEY.c.seq).label("seq"))
        .group_by(CASE_KEY.c.number)
        .having(func.count() > 1)
        .subquery()
    )
    rows = connection.execute(
        select(CASE_KEY.c.stream, CASE_KEY.c.seq).join(
            first, (first.c.number == CASE_KEY.c.number) & (CASE_KEY.c.seq > first.c.seq)
        )
    )
    return [(row.stream, row.seq) for row in rows]
