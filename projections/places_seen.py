"""Names of places that several reporters used of one spot: what residents call where they stand.

Keeps each reporter's own masked address words, of reviewed cases only, until that person is
erased. Nobody is answered with them alone: a name is told when three persons have used it for
places that lie together.
"""

import sys
from collections import defaultdict
from collections.abc import Sequence
from statistics import median
from types import ModuleType

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    Index,
    LargeBinary,
    Table,
    Text,
    delete,
    func,
    literal,
    or_,
    select,
)

from casework import events as did
from geo import gazetteer
from geo.coordinates import to_metres
from geo.gazetteer import plain
from projections import lines as reading_of_lines
from projections.lines import Line
from projections.tables import VIEWS, copy_rows, structs_of, upsert_rows
from projections.view import ONLY_CASES, OnPoison

PERSONS = 3
"""Who must have used a name before it is told: one or two may be a household."""

TOGETHER_M = 300.0
"""Within this of their middle the places of one name must lie, or the name tells no place."""

SHORTEST, LONGEST = 3, 40
"""Characters of a name: a shorter one names nothing, a longer one is a story."""

_MOST_GROUPS = 50

PLACE_SEEN = Table(
    "place_seen",
    VIEWS,
    Column("stream", LargeBinary(16), primary_key=True),
    Column("person", LargeBinary(16), nullable=False, index=True),
    Column("key", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("lon", Double, nullable=False),
    Column("lat", Double, nullable=False),
    Column("reviewed", Boolean, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Index("place_seen_key", "key", "reviewed", "person"),
)

_C = PLACE_SEEN.c


class SeenRow(msgspec.Struct):
    """A row in memory; fields in the order of the columns."""

    stream: bytes
    person: bytes
    key: str
    words: str
    lon: float
    lat: float
    reviewed: bool
    seq: int


class SeenPlace(msgspec.Struct, frozen=True):
    """A name of a place, WGS-84 degrees; `accuracy_m` holds all its pins; how many persons."""

    name: str
    lon: float
    lat: float
    accuracy_m: float
    persons: int


def _begin(line: Line, e: did.ReportSubmitted) -> SeenRow | None:
    if line.fault is not None:
        raise line.fault
    if line.address is None:
        return None
    words = " ".join(line.address.split())
    key = plain(words).replace("%", "")
    if not SHORTEST <= len(key) <= LONGEST or "〔" in words:
        return None
    stream, person = line.key().stream, line.key().person
    return SeenRow(
        stream, person, key, words, e.place.lon, e.place.lat, reviewed=False, seq=line.key().seq
    )


class PlacesSeenFold:
    """Rows by stream; reports without an address have none."""

    def __init__(self, *, empty: bool) -> None:
        self._rows: dict[bytes, SeenRow] = {}
        self._changed: set[bytes] = set()
        self._erased: set[bytes] = set()
        self._put = copy_rows if empty else upsert_rows

    def read(self, connection: Connection, lines: Sequence[Line]) -> None:
        streams = {line.stream for line in lines}
        for row in structs_of(connection, PLACE_SEEN, SeenRow, _C.stream, streams):
            self._rows[row.stream] = row

    def apply(self, line: Line) -> None:
        if type(line.event) is did.PersonErased:
            self._forget(line.event.person.bytes)
            return
        key = line.key()
        if type(line.event) is did.ReportSubmitted:
            begun = _begin(line, line.event)
            if begun is not None:
                self._rows[key.stream] = begun
                self._changed.add(key.stream)
            return
        row = self._rows.get(key.stream)
        if row is None:
            return
        match line.event:
            case did.CaseRegistered():
                row.reviewed = True
            case did.RegistrationRevoked():
                row.reviewed = False
            case did.PlaceCorrected() as e:
                row.lon, row.lat = e.place.lon, e.place.lat
            case _:
                return
        self._changed.add(key.stream)

    def _forget(self, person: bytes) -> None:
        self._erased.add(person)
        for stream in [s for s, row in self._rows.items() if row.person == person]:
            del self._rows[stream]
            self._changed.discard(stream)

    def spill(self, connection: Connection) -> None:
        """Any row may change again."""

    def write(self, connection: Connection) -> None:
        for person in self._erased:
            connection.execute(delete(PLACE_SEEN).where(_C.person == person))
        rows = [msgspec.structs.astuple(self._rows[stream]) for stream in self._changed]
        self._put(connection, PLACE_SEEN, rows)
        self._changed.clear()
        self._erased.clear()


class PlacesSeen:
    """The reader that keeps `place_seen`."""

    name = "places_seen"
    tables: tuple[Table, ...] = (PLACE_SEEN,)
    on_poison = OnPoison.HOLD
    beside = ONLY_CASES

    @property
    def sources(self) -> tuple[ModuleType, ...]:
        return (sys.modules[__name__], reading_of_lines, gazetteer)

    def fold(self, *, empty: bool) -> PlacesSeenFold:
        return PlacesSeenFold(empty=empty)

    def prepare(self, connection: Connection) -> None:
        """Its table says all."""

    def finish(self, connection: Connection) -> None:
        """As above."""

    def scrub(self, connection: Connection) -> None:
        """The rows of an erased person were overwritten where they stood."""


def places_named(connection: Connection, text: str, limit: int = 5) -> tuple[SeenPlace, ...]:
    """Places whose name stands in the text, or holds it; the most used first.

    A name is told only when `PERSONS` different persons used it within `TOGETHER_M`.
    """
    wanted = plain(text).replace("%", "")
    if len(wanted) < SHORTEST:
        return ()
    persons = func.count(_C.person.distinct())
    groups = connection.execute(
        select(_C.key, persons)
        .where(
            _C.reviewed.is_(True),
            or_(_C.key.contains(wanted, autoescape=True), literal(wanted).contains(_C.key)),
        )
        .group_by(_C.key)
        .having(persons >= PERSONS)
        .order_by(persons.desc(), _C.key)
        .limit(_MOST_GROUPS)
    ).all()
    used: dict[str, list[SeenRow]] = defaultdict(list)
    keys = [key for key, _ in groups]
    rows = connection.execute(
        select(PLACE_SEEN).where(_C.key.in_(keys), _C.reviewed.is_(True)).order_by(_C.seq)
    )
    for row in rows:
        used[row.key].append(SeenRow(*row))
    found = (_place(used[key]) for key in keys)
    return tuple(place for place in found if place is not None)[:limit]


def _place(rows: Sequence[SeenRow]) -> SeenPlace | None:
    """The place in the middle of its pins, or None where too few persons mean one place."""
    lon, lat = median(row.lon for row in rows), median(row.lat for row in rows)
    x, y = to_metres(lon, lat)
    near = []
    for row in rows:
        east, north = to_metres(row.lon, row.lat)
        away = ((east - x) ** 2 + (north - y) ** 2) ** 0.5
        if away <= TOGETHER_M:
            near.append((away, row))
    persons = len({row.person for _, row in near})
    if persons < PERSONS:
        return None
    # To a tenth of a second of arc: the middle of three pins need not tell one of them.
    return SeenPlace(
        near[0][1].words, round(lon, 4), round(lat, 4), max(50.0, *(a for a, _ in near)), persons
    )
