"""How people use the service, of those who agreed to it: a row a person and case, no words.

Only reports and joinings whose consents say `analysis` leave a row; a person is a pseudonymous id
that no report ever shows. An erased person's rows are deleted.
"""

import sys
from collections.abc import Sequence
from types import ModuleType

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    LargeBinary,
    Table,
    Text,
    delete,
)

from casework import events as did
from projections import lines as reading_of_lines
from projections.lines import Line
from projections.tables import VIEWS, Values, copy_rows, structs_of, upsert_rows
from projections.view import ONLY_CASES, OnPoison

BEHAVIOUR = Table(
    "behaviour",
    VIEWS,
    Column("person", LargeBinary(16), primary_key=True),
    Column("stream", LargeBinary(16), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("joined", Boolean, nullable=False),
    Column("channel", Text, nullable=False),
    Column("indicator", Text),
    Column("photo", Boolean, nullable=False),
    Column("rated_at", BigInteger),
    Index("behaviour_at", "at"),
    Index("behaviour_stream", "stream"),
)


class BehaviourRow(msgspec.Struct):
    """A row in memory; fields in the order of the columns."""

    person: bytes
    stream: bytes
    at: int
    """When it was reported or joined, microseconds since 1970."""
    joined: bool
    channel: str
    indicator: str | None
    """As registered, or as the reporter said while it is not."""
    photo: bool
    rated_at: int | None = None
    """When the person rated the case first."""


class BehaviourFold:
    def __init__(self, *, empty: bool) -> None:
        self._rows: dict[bytes, dict[bytes, BehaviourRow]] = {}
        self._by_person: dict[bytes, set[bytes]] = {}
        self._changed: set[tuple[bytes, bytes]] = set()
        self._erased: set[bytes] = set()
        self._put = copy_rows if empty else upsert_rows

    def read(self, connection: Connection, lines: Sequence[Line]) -> None:
        streams = {line.stream for line in lines if line.kind in _TOUCHING}
        for row in structs_of(connection, BEHAVIOUR, BehaviourRow, BEHAVIOUR.c.stream, streams):
            self._rows.setdefault(row.stream, {})[row.person] = row
            self._by_person.setdefault(row.person, set()).add(row.stream)

    def apply(self, line: Line) -> None:
        if isinstance(line.event, did.PersonErased):
            self._forget(line.event.person.bytes)
            return
        line.key()
        match line.event:
            case did.ReportSubmitted(consents=consents, on_behalf=False) as event:
                if consents.analysis:
                    self._add(line, event.person.bytes, event.channel, event.indicator,
                              photo=bool(event.photos), joined=False)  # fmt: skip
            case did.ReporterJoined(consents=consents) as event:
                if consents.analysis:
                    self._add(line, event.person.bytes, JOINING, None,
                              photo=bool(event.photos), joined=True)  # fmt: skip
            case did.CaseRegistered(indicator=code) | did.CaseReclassified(indicator=code):
                for row in self._rows.get(line.stream, {}).values():
                    row.indicator = code
                    self._changed.add((row.stream, row.person))
            case did.CaseRated(person=person):
                mine = self._rows.get(line.stream, {}).get(person.bytes)
                if mine is not None and mine.rated_at is None:
                    mine.rated_at = line.at
                    self._changed.add((mine.stream, mine.person))
            case _:
                pass

    def _add(
        self, line: Line, person: bytes, channel: str, indicator: str | None, *, photo: bool,
        joined: bool,
    ) -> None:  # fmt: skip
        mine = self._rows.setdefault(line.stream, {})
        if person in mine:
            return
        mine[person] = BehaviourRow(person, line.stream, line.at, joined, channel, indicator, photo)
        self._by_person.setdefault(person, set()).add(line.stream)
        self._changed.add((line.stream, person))

    def _forget(self, person: bytes) -> None:
        self._erased.add(person)
        for stream in self._by_person.pop(person, ()):
            del self._rows[stream][person]

    def spill(self, connection: Connection) -> None:
        """Any row may change again."""

    def write(self, connection: Connection) -> None:
        for person in self._erased:
            connection.execute(delete(BEHAVIOUR).where(BEHAVIOUR.c.person == person))
        rows: list[Values] = [
            msgspec.structs.astuple(self._rows[stream][person])
            for stream, person in self._changed
            if person in self._rows[stream]
        ]
        self._put(connection, BEHAVIOUR, rows)
        self._changed.clear()
        self._erased.clear()


JOINING = "join"
"""Stands as the channel of who joined: the fact names none."""

_TOUCHING = frozenset(
    {
        did.ReportSubmitted,
        did.ReporterJoined,
        did.CaseRegistered,
        did.CaseReclassified,
        did.CaseRated,
    }
)


class Behaviour:
    """The reader that keeps `behaviour`."""

    name = "behaviour"
    tables: tuple[Table, ...] = (BEHAVIOUR,)
    on_poison = OnPoison.HOLD
    beside = ONLY_CASES

    @property
    def sources(self) -> tuple[ModuleType, ...]:
        return (sys.modules[__name__], reading_of_lines)

    def fold(self, *, empty: bool) -> BehaviourFold:
        return BehaviourFold(empty=empty)

    def prepare(self, connection: Connection) -> None:
        """Its table says all."""

    def finish(self, connection: Connection) -> None:
        """As above."""

    def scrub(self, connection: Connection) -> None:
        """It holds no words."""
