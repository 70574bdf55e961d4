"""The case board: one row for each case as it stands now. Knows no rule, only what happened.

What may be filtered is a column. The running clocks lie in one column as JSON; from them come the
moment that presses most and the one that presses the street.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from types import ModuleType
from typing import TypeAlias
from uuid import UUID

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    select,
    text,
    update,
)

from casework import events as did
from casework.lifecycle import CLOCK_OF, STATUS_AFTER, Action, Status
from casework.model import WINDOWS, ActorKind, Clock
from projections import lines as reading_of_lines
from projections.lines import Line
from projections.tables import (
    VIEWS,
    chunks,
    copy_rows,
    micros,
    structs_of,
    upsert_rows,
)
from projections.view import ONLY_CASES, OnPoison

FIRST_LINE = 60
"""Characters of the first line of words that a list shows."""

OF_STREET = frozenset({Clock.ACKNOWLEDGE, Clock.HANDLING, Clock.NOTE})
"""Clocks that press the street."""

CASE_BOARD = Table(
    "case_board",
    VIEWS,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("stream", LargeBinary(16), nullable=False),
    Column("case_id", LargeBinary(16), nullable=False),
    Column("number", Text, nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("street", Text),
    Column("proposed", Text),
    Column("certainty", Text, nullable=False),
    Column("indicator", Text),
    Column("condition", Text),
    Column("place_kind", Text, nullable=False),
    Column("lon", Double, nullable=False),
    Column("lat", Double, nullable=False),
    Column("channel", Text, nullable=False),
    Column("sent_by", Text),
    Column("submitted_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("clocks", Text, nullable=False),
    Column("due_at", BigInteger),
    Column("due_clock", Text),
    Column("street_due_at", BigInteger),
    Column("round", Integer, nullable=False),
    Column("person", LargeBinary(16), nullable=False, index=True),
    Column("first_line", Text),
    Column("erased", Boolean, nullable=False),
    Column("new_information", Boolean, nullable=False),
    Column("on_behalf", Boolean, nullable=False),
    Column("danger", Text, nullable=False),
    Column("designated", Boolean, nullable=False),
    Column("pending", Text, nullable=False),
    Column("code", Text),
    Column("recurrence_of", LargeBinary(16)),
    Column("merged_into", LargeBinary(16)),
    Column("merged_number", Text),
    Column("demonstration", Boolean, nullable=False),
    Column("claim_by", Text),
    Column("claim_until", BigInteger),
    Column("supplied", Boolean, nullable=False),
    Column("rework", Boolean, nullable=False),
    Index("case_board_stream", "stream", unique=True),
    # A list asks for the newest of a status, of a street, of an indicator: each index ends in
    # `seq`, so that reading stops at the page's end, and carries what else is filtered by.
    Index("case_board_status", "status", "seq", "street", "indicator"),
    Index("case_board_street", "street", "seq", "status", "indicator"),
    Index("case_board_indicator", "indicator", "seq", "status"),
    Index("case_board_sent_by", "sent_by", "seq"),
    Index("case_board_due", "due_at", "due_clock"),
    Index("case_board_place", "lat", "lon"),
    # The desks count and sort what is open: a small index that holds all they ask by, so that
    # the hundred thousands that ended are not looked at.
    Index(
        "case_board_open",
        "status",
        "street",
        "due_at",
        "due_clock",
        "street_due_at",
        "round",
        "certainty",
        "danger",
        "new_information",
        "supplied",
        "rework",
        "pending",
        "code",
        "seq",
        "ended_at",  # or SQLite would look it up in the row
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index(
        "case_board_pending",
        "pending",
        "street",
        "seq",
        sqlite_where=text("pending <> ''"),
        postgresql_where=text("pending <> ''"),
    ),
)


class BoardRow(msgspec.Struct):
    """A row in memory; fields in the order of the columns."""

    seq: int
    stream: bytes
    case_id: bytes
    number: str
    version: int
    position: int
    status: str
    street: str | None
    proposed: str | None
    certainty: str
    indicator: str | None
    condition: str | None
    place_kind: str
    lon: float
    lat: float
    channel: str
    sent_by: str | None
    """The partner that sent it, by its id."""
    submitted_at: int
    updated_at: int
    ended_at: int | None
    clocks: str
    due_at: int | None
    due_clock: str | None
    street_due_at: int | None
    round: int
    person: bytes
    first_line: str | None
    erased: bool
    new_information: bool
    on_behalf: bool
    danger: str
    designated: bool
    pending: str
    code: str | None
    recurrence_of: bytes | None
    merged_into: bytes | None
    merged_number: str | None
    demonstration: bool
    claim_by: str | None
    claim_until: int | None
    supplied: bool
    """The citizen answered a question, and nobody has moved the case on since."""
    rework: bool
    """Sent back for 返工, and the 街镇 has not handed over since."""


_clocks = msgspec.json.Decoder(dict[Clock, int])
_json = msgspec.json.Encoder()


def _begin(line: Line, e: did.ReportSubmitted) -> BoardRow:
    key = line.key()
    by = line.recorded.actor
    words = line.words()
    return BoardRow(
        seq=key.seq,
        stream=key.stream,
        case_id=key.case_id,
        number=key.number,
        version=0,
        position=0,
        status="",
        street=e.assignment.street,
        proposed=e.assignment.street,
        certainty=str(e.assignment.certainty),
        indicator=e.indicator,
        condition=None,
        place_kind=str(e.place.kind),
        lon=e.place.lon,
        lat=e.place.lat,
        channel=e.channel,
        sent_by=by.id if by.kind is ActorKind.PARTNER else None,
        submitted_at=line.at,
        updated_at=line.at,
        ended_at=None,
        clocks="{}",
        due_at=None,
        due_clock=None,
        street_due_at=None,
        round=1,
        person=key.person,
        first_line=_first_line(words),
        erased=line.gone,
        new_information=False,
        on_behalf=e.on_behalf,
        danger=",".join(e.danger),
        designated=False,
        pending="",
        code=None,
        recurrence_of=e.recurrence_of.bytes if e.recurrence_of else None,
        merged_into=None,
        merged_number=None,
        demonstration=e.demonstration,
        claim_by=None,
        claim_until=None,
        supplied=False,
        rework=False,
    )


def _first_line(words: str | None) -> str | None:
    if not words:
        return None
    return words.lstrip().split("\n", 1)[0][:FIRST_LINE] or None


# One small function an event that says more than where the case stands ----------------------


def _registered(row: BoardRow, _line: Line, e: did.CaseRegistered) -> None:
    row.indicator = e.indicator
    row.condition = e.condition
    if e.recurrence_of is not None:
        row.recurrence_of = e.recurrence_of.bytes


def _reclassified(row: BoardRow, _line: Line, e: did.CaseReclassified) -> None:
    row.indicator = e.indicator
    row.condition = e.condition


def _place_corrected(row: BoardRow, _line: Line, e: did.PlaceCorrected) -> None:
    row.place_kind = str(e.place.kind)
    row.lon = e.place.lon
    row.lat = e.place.lat
    row.certainty = str(e.assignment.certainty)
    row.proposed = e.assignment.street
    if row.status in _NO_STREET_YET:
        row.street = e.assignment.street


_NO_STREET_YET = frozenset({"submitted", "awaiting_information", "registered"})


def _dispatched(row: BoardRow, _line: Line, e: did.CaseDispatched) -> None:
    row.street = e.street
    row.certainty = str(e.assignment.certainty)
    row.designated = e.designated


def _recalled(row: BoardRow, _line: Line, _e: did.CaseRecalled) -> None:
    row.street = row.proposed


def _returned(row: BoardRow, _line: Line, e: did.ReturnAccepted) -> None:
    """That street is not proposed again, so until the next dispatch there is none."""
    row.street = None
    row.code = e.code


def _reopened(row: BoardRow, _line: Line, e: did.CaseReopened) -> None:
    row.street = e.street
    row.round = e.round
    row.code = e.code


def _merged(row: BoardRow, _line: Line, e: did.CaseMerged) -> None:
    row.merged_into = e.primary.bytes
    row.merged_number = e.primary_number


def _unmerged(row: BoardRow, _line: Line, _e: did.CaseUnmerged) -> None:
    row.merged_into = None
    row.merged_number = None


def _more(row: BoardRow, _line: Line, _e: did.InformationAdded | did.ReporterJoined) -> None:
    row.new_information = True


def _coded(row: BoardRow, _line: Line, e: did.CaseRefused | did.RegistrationRevoked) -> None:
    row.code = e.code


def _claimed(row: BoardRow, line: Line, e: did.CaseClaimed) -> None:
    row.claim_by = line.recorded.actor.id
    row.claim_until = micros(e.until)


def _released(row: BoardRow, _line: Line, _e: did.ClaimReleased) -> None:
    row.claim_by = None
    row.claim_until = None


# Each function takes the one type it stands for, which a dict of them cannot say.
Change: TypeAlias = Callable[[BoardRow, Line, did.Event], None]
CHANGES: dict[type[msgspec.Struct], Change] = {
    did.CaseRegistered: _registered,  # type: ignore[dict-item]  # see above, as in the next lines
    did.CaseReclassified: _reclassified,  # type: ignore[dict-item]  # see above
    did.PlaceCorrected: _place_corrected,  # type: ignore[dict-item]  # see above
    did.CaseDispatched: _dispatched,  # type: ignore[dict-item]  # see above
    did.CaseRecalled: _recalled,  # type: ignore[dict-item]  # see above
    did.ReturnAccepted: _returned,  # type: ignore[dict-item]  # see above
    did.CaseReopened: _reopened,  # type: ignore[dict-item]  # see above
    did.CaseMerged: _merged,  # type: ignore[dict-item]  # see above
    did.CaseUnmerged: _unmerged,  # type: ignore[dict-item]  # see above
    did.InformationAdded: _more,  # type: ignore[dict-item]  # see above
    did.ReporterJoined: _more,  # type: ignore[dict-item]  # see above
    did.CaseRefused: _coded,  # type: ignore[dict-item]  # see above
    did.RegistrationRevoked: _coded,  # type: ignore[dict-item]  # see above
    did.CaseClaimed: _claimed,  # type: ignore[dict-item]  # see above
    did.ClaimReleased: _released,  # type: ignore[dict-item]  # see above
}

ASKS: dict[type[msgspec.Struct], Action] = {
    did.RevocationRequested: Action.REVOKE_REGISTRATION,
    did.ReturnRequested: Action.REQUEST_RETURN,
    did.CoordinationRequested: Action.REQUEST_COORDINATION,
    did.ExtensionRequested: Action.REQUEST_EXTENSION,
    did.SuspensionRequested: Action.REQUEST_SUSPENSION,
    did.SiteCheckRequested: Action.REQUEST_SITE_CHECK,
    did.TransferRequested: Action.TRANSFER_OUT,
    did.ForceCloseRequested: Action.REQUEST_FORCE_CLOSE,
    did.AppealMade: Action.APPEAL,
    did.InstructionNoted: Action.NOTE,
}
"""Facts that leave a request open, by the action that asked."""

ENDED_BY: dict[Clock, frozenset[Action]] = {
    clock: frozenset(action for action, of in CLOCK_OF.items() if of is clock)
    for clock in CLOCK_OF.values()
} | {Clock.NOTE: frozenset({Action.NOTE})}
"""The requests that end with a clock: by the answer, or by what made them void."""


def _turn_clocks(row: BoardRow, e: did.Event) -> None:
    running = _clocks.decode(row.clocks)
    for stopped in e.stopped:
        running.pop(stopped.clock, None)
    for started in e.started:
        running[started.clock] = micros(started.due_at)
    row.clocks = _json.encode(running).decode()
    row.due_clock = row.due_at = row.street_due_at = None
    window: tuple[int, Clock] | None = None
    for clock, due in running.items():
        if clock in WINDOWS:
            if window is None or (due, clock) < window:
                window = due, clock
            continue
        if row.due_at is None or due < row.due_at:
            row.due_at, row.due_clock = due, str(clock)
        if clock in OF_STREET and (row.street_due_at is None or due < row.street_due_at):
            row.street_due_at = due
    if row.due_at is None and window is not None:
        row.due_at, row.due_clock = window[0], str(window[1])


def _turn_requests(row: BoardRow, e: did.Event) -> None:
    asked = ASKS.get(type(e))
    if any(started.clock is Clock.NOTE for started in e.started):
        asked = Action.NOTE  # also where an unanswered one goes on with a case that was reopened
    if asked is None and not row.pending:
        return
    pending = set(filter(None, row.pending.split(",")))
    for stopped in e.stopped:
        pending -= ENDED_BY.get(stopped.clock, frozenset())
    if asked is not None:
        pending.add(asked)
    row.pending = ",".join(sorted(pending))


def change(row: BoardRow, line: Line) -> None:
    """Move a row on by one fact of its case."""
    e = line.event
    kind = line.kind
    row.version = line.recorded.version
    row.position = line.position
    row.updated_at = line.at
    after = STATUS_AFTER.get(kind)  # type: ignore[arg-type]  # a fact of a case: `key()` saw to it
    if after is not None and after != row.status:
        was, row.status = row.status, str(after)
        row.claim_by = row.claim_until = None  # the claim was of the desk that had the move
        row.supplied = kind is did.InformationSupplied
        row.rework = kind in _SENT_BACK or (row.rework and after in _WITH_STREET)
        if line.recorded.actor.kind is ActorKind.STAFF:
            row.new_information = False  # somebody looked before moving it on
        if row.status not in _ENDS:
            row.ended_at = None
        elif was not in _ENDS:
            row.ended_at = line.at
    say_more = CHANGES.get(kind)
    if say_more is not None:
        say_more(row, line, e)  # type: ignore[arg-type]  # as above
    if e.started or e.stopped:  # type: ignore[attr-defined]  # as above
        _turn_clocks(row, e)  # type: ignore[arg-type]  # as above
    if row.pending or kind in ASKS or e.started:  # type: ignore[attr-defined]  # as above
        _turn_requests(row, e)  # type: ignore[arg-type]  # as above


_SENT_BACK: frozenset[type[msgspec.Struct]] = frozenset(
    {did.ReworkOrdered, did.RectificationUnreadable}
)
"""返工, by a person or because no photo of the hand-over could be read."""

_WITH_STREET = frozenset({Status.HANDLING, Status.SUSPENDED})
"""Where a 返工 goes on: suspended and resumed it is still one."""

_ENDS = frozenset({"closed", "completed", "refused", "withdrawn", "merged"})


class BoardFold:
    """Rows by stream; over an empty view they all stay in memory until the end."""

    def __init__(self, *, empty: bool) -> None:
        self._rows: dict[bytes, BoardRow] = {}
        self._changed: set[bytes] = set()
        self._erased: set[bytes] = set()
        self._put = copy_rows if empty else upsert_rows

    def read(self, connection: Connection, lines: Sequence[Line]) -> None:
        streams = {line.stream for line in lines}
        for row in structs_of(connection, CASE_BOARD, BoardRow, CASE_BOARD.c.stream, streams):
            self._rows[row.stream] = row

    def apply(self, line: Line) -> None:
        if type(line.event) is did.PersonErased:
            self._forget(line.event.person)
            return
        key = line.key()
        if type(line.event) is did.ReportSubmitted:
            row = _begin(line, line.event)
        else:
            row = self._rows[key.stream]
        change(row, line)
        self._rows[key.stream] = row
        self._changed.add(key.stream)

    def _forget(self, person: UUID) -> None:
        self._erased.add(person.bytes)
        for row in self._rows.values():
            if row.person == person.bytes and row.first_line is not None:
                row.first_line, row.erased = None, True

    def spill(self, connection: Connection) -> None:
        """Any row may change again."""

    def write(self, connection: Connection) -> None:
        for person in self._erased:
            connection.execute(
                update(CASE_BOARD)
                .where(CASE_BOARD.c.person == person, CASE_BOARD.c.first_line.is_not(None))
                .values(first_line=None, erased=True)
            )
        rows = [msgspec.structs.astuple(self._rows[stream]) for stream in self._changed]
        self._put(connection, CASE_BOARD, rows)
        self._changed.clear()
        self._erased.clear()


class CaseBoard:
    """The reader that keeps `case_board`."""

    name = "case_board"
    tables: tuple[Table, ...] = (CASE_BOARD,)
    on_poison = OnPoison.HOLD
    beside = ONLY_CASES

    @property
    def sources(self) -> tuple[ModuleType, ...]:
        return (sys.modules[__name__], reading_of_lines)

    def fold(self, *, empty: bool) -> BoardFold:
        return BoardFold(empty=empty)

    def prepare(self, connection: Connection) -> None:
        """Its table says all."""

    def finish(self, connection: Connection) -> None:
        """As above."""

    def scrub(self, connection: Connection) -> None:
        """The words were overwritten where they stood."""


# questions ---------------------------------------------------------------------------------


def numbers_of(connection: Connection, streams: Iterable[bytes]) -> dict[bytes, str]:
    """The numbers of cases by their streams; one that has none is left out."""
    found: dict[bytes, str] = {}
    for chunk in chunks(streams):
        question = select(CASE_BOARD.c.stream, CASE_BOARD.c.number)
        rows = connection.execute(question.where(CASE_BOARD.c.stream.in_(chunk)))
        found |= {row.stream: row.number for row in rows}
    return found
