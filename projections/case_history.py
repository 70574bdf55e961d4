"""Where each case stood, and how, between two positions of the log: for maps of any past moment.

A row is an interval. It is closed when something of it changes and never overwritten. It holds no
words and no person. Each row also carries what may be shown to everybody: the middle of its cell
in the 100 m grid, the month, and a mark that is neither number nor order of coming in.
"""

import sys
from collections.abc import Sequence
from types import ModuleType
from uuid import UUID, uuid5

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    Index,
    Integer,
    Table,
    Text,
    select,
    text,
)

from casework import events as did
from casework.lifecycle import STATUS_AFTER, Status
from casework.model import ActorKind
from geo import coordinates, grid
from geo.grid import cell_at
from projections import lines as reading_of_lines
from projections import periods
from projections.lines import Line
from projections.periods import month_number
from projections.tables import (
    IN_CHUNK,
    VIEWS,
    Values,
    copy_rows,
    moment,
    structs,
    upsert_rows,
)
from projections.view import ONLY_CASES, OnPoison

REVIEWED = (
    Status.REGISTERED,
    Status.DISPATCHED,
    Status.HANDLING,
    Status.SUSPENDED,
    Status.RECTIFIED,
    Status.CLOSED,
    Status.UNDER_RECHECK,
    Status.COMPLETED,
)
"""Where a reviewer has found that there is a case (立案): only these are counted and published."""

_MARKS = UUID("9e0f3c52-5a0d-5d0c-8f43-6f2c4a7be610")
"""Names public marks: from the case's id, which nobody can guess, and not back to it."""

_NOW = text("to_pos IS NULL")

CASE_INTERVAL = Table(
    "case_interval",
    VIEWS,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("from_pos", BigInteger, primary_key=True, autoincrement=False),
    Column("to_pos", BigInteger),
    Column("from_at", BigInteger, nullable=False),
    Column("to_at", BigInteger),
    Column("mark", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("sent_by", Text),
    Column("submitted_at", BigInteger, nullable=False),
    Column("month", Integer, nullable=False),
    Column("demonstration", Boolean, nullable=False),
    Column("status", Text, nullable=False),
    Column("street", Text),
    Column("proposed", Text),
    Column("indicator", Text),
    Column("lon", Double, nullable=False),
    Column("lat", Double, nullable=False),
    Column("cell_east", Integer, nullable=False),
    Column("cell_north", Integer, nullable=False),
    Column("cell_lon", Double, nullable=False),
    Column("cell_lat", Double, nullable=False),
    # Today is asked for far more often than a past day, and is a seventh of the rows.
    Index("case_interval_now", "cell_lat", "cell_lon", sqlite_where=_NOW, postgresql_where=_NOW),
    Index("case_interval_then", "cell_lat", "cell_lon", "from_pos", "to_pos"),
    Index("case_interval_open", "seq", sqlite_where=_NOW, postgresql_where=_NOW),
    Index("case_interval_street", "street", "seq", sqlite_where=_NOW, postgresql_where=_NOW),
    Index("case_interval_mark", "mark", "from_pos"),
    Index("case_interval_mark_now", "mark", sqlite_where=_NOW, postgresql_where=_NOW),
)


class IntervalRow(msgspec.Struct):
    """A row in memory; fields in the order of the columns."""

    seq: int
    from_pos: int
    to_pos: int | None
    """The position of the event that ended it: the row holds for `from_pos` ≤ p < `to_pos`."""
    from_at: int
    to_at: int | None
    mark: str
    number: str
    sent_by: str | None
    submitted_at: int
    month: int
    """Of the submission in Shanghai, as 202605."""
    demonstration: bool
    status: str
    street: str | None
    proposed: str | None
    indicator: str | None
    lon: float
    lat: float
    cell_east: int
    cell_north: int
    cell_lon: float
    cell_lat: float


def mark_of(case_id: UUID) -> str:
    """What everybody may call the case: 32 hex digits."""
    return uuid5(_MARKS, str(case_id)).hex


def _begin(line: Line, e: did.ReportSubmitted) -> IntervalRow:
    key, by = line.key(), line.recorded.actor
    row = IntervalRow(
        seq=key.seq,
        from_pos=line.position,
        to_pos=None,
        from_at=line.at,
        to_at=None,
        mark=mark_of(UUID(bytes=key.case_id)),
        number=key.number,
        sent_by=by.id if by.kind is ActorKind.PARTNER else None,
        submitted_at=line.at,
        month=month_number(moment(line.at)),
        demonstration=e.demonstration,
        status=str(STATUS_AFTER[did.ReportSubmitted]),
        street=e.assignment.street,
        proposed=e.assignment.street,
        indicator=e.indicator,
        lon=0.0,
        lat=0.0,
        cell_east=0,
        cell_north=0,
        cell_lon=0.0,
        cell_lat=0.0,
    )
    _put(row, e.place.lon, e.place.lat)
    return row


def _put(row: IntervalRow, lon: float, lat: float) -> None:
    cell = cell_at(lon, lat)
    row.lon, row.lat = lon, lat
    row.cell_east, row.cell_north = cell.east, cell.north
    row.cell_lon, row.cell_lat = cell.centre()


_NO_STREET_YET = frozenset(
    {str(Status.SUBMITTED), str(Status.AWAITING_INFORMATION), str(Status.REGISTERED)}
)


def _say(row: IntervalRow, line: Line) -> None:
    """What a fact of the case changes of where and how it stands."""
    after = STATUS_AFTER.get(line.kind)  # type: ignore[arg-type]  # a fact of a case: `key()` saw to it
    if after is not None:
        row.status = str(after)
    match line.event:
        case did.CaseRegistered() | did.CaseReclassified() as e:
            row.indicator = e.indicator
        case did.PlaceCorrected() as e:
            _put(row, e.place.lon, e.place.lat)
            row.proposed = e.assignment.street
            if row.status in _NO_STREET_YET:
                row.street = e.assignment.street
        case did.CaseDispatched() | did.CaseReopened() as e:
            row.street = e.street
        case did.CaseRecalled():
            row.street = row.proposed
        case did.ReturnAccepted():
            # That street is not proposed again, so until the next dispatch there is none.
            row.street = None
        case _:
            pass


def _standing(row: IntervalRow) -> Values:
    return (row.status, row.street, row.proposed, row.indicator, row.lon, row.lat)


class CaseHistoryFold:
    """The open interval of each case in hand; closed ones are only waiting to be written."""

    def __init__(self, *, empty: bool) -> None:
        self._open: dict[int, IntervalRow] = {}
        self._touched: set[int] = set()
        self._closed: list[Values] = []
        self._write = copy_rows if empty else upsert_rows

    def read(self, connection: Connection, lines: Sequence[Line]) -> None:
        seqs = sorted({line.case.seq for line in lines if line.case is not None})
        for start in range(0, len(seqs), IN_CHUNK):
            question = select(CASE_INTERVAL).where(
                CASE_INTERVAL.c.seq.in_(seqs[start : start + IN_CHUNK]),
                CASE_INTERVAL.c.to_pos.is_(None),
            )
            for row in structs(connection, IntervalRow, question):
                self._open[row.seq] = row

    def apply(self, line: Line) -> None:
        if type(line.event) is did.PersonErased:
            return
        key = line.key()
        if type(line.event) is did.ReportSubmitted:
            self._open[key.seq] = _begin(line, line.event)
            self._touched.add(key.seq)
            return
        was = self._open[key.seq]
        row = msgspec.structs.replace(was, from_pos=line.position, from_at=line.at)
        _say(row, line)
        if _standing(row) == _standing(was):
            return
        was.to_pos, was.to_at = line.position, line.at
        self._closed.append(msgspec.structs.astuple(was))
        self._open[key.seq] = row
        self._touched.add(key.seq)

    def spill(self, connection: Connection) -> None:
        self._write(connection, CASE_INTERVAL, self._closed)
        self._closed = []

    def write(self, connection: Connection) -> None:
        self.spill(connection)
        rows = [msgspec.structs.astuple(self._open[seq]) for seq in self._touched]
        self._write(connection, CASE_INTERVAL, rows)
        self._touched.clear()


class CaseHistory:
    """The reader that keeps `case_interval`."""

    name = "case_history"
    tables: tuple[Table, ...] = (CASE_INTERVAL,)
    on_poison = OnPoison.HOLD
    beside = ONLY_CASES

    @property
    def sources(self) -> tuple[ModuleType, ...]:
        return (sys.modules[__name__], reading_of_lines, grid, coordinates, periods)

    def fold(self, *, empty: bool) -> CaseHistoryFold:
        return CaseHistoryFold(empty=empty)

    def prepare(self, connection: Connection) -> None:
        """Its table says all."""

    def finish(self, connection: Connection) -> None:
        """As above."""

    def scrub(self, connection: Connection) -> None:
        """It holds no words."""
