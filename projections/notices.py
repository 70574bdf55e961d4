"""到期提醒 as the desks read them: what was told of which limit, to which desk, and to whom.

A row a notice, only ever added. It holds no words and no citizen; accounts on duty stand in it as
the notice names them. Whether a notice still presses shows in the due index.
"""

import sys
from collections.abc import Collection, Sequence
from datetime import datetime
from types import ModuleType
from uuid import UUID

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    and_,
    or_,
    select,
)

from casework import events as did
from casework.log.port import UnknownEvent, stream_id
from casework.model import Clock, Limit, Role, Unit
from projections import lines as reading_of_lines
from projections.due import DUE_CLOCK
from projections.lines import Line
from projections.tables import VIEWS, Values, copy_rows, micros, moment, upsert_rows
from projections.view import OnPoison

NOTICE = Table(
    "notice",
    VIEWS,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("stream", LargeBinary(16), nullable=False),
    Column("case_id", LargeBinary(16), nullable=False),
    Column("number", Text, nullable=False),
    Column("clock", Text, nullable=False),
    Column("round", Integer, nullable=False),
    Column("percent", Integer, nullable=False),
    Column("amount", Integer, nullable=False),
    Column("unit", Text, nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("reached_at", BigInteger, nullable=False),
    Column("told_at", BigInteger, nullable=False),
    Column("desk", Text, nullable=False),
    Column("street", Text),
    Column("recipients", Text, nullable=False),
    Index("notice_desk", "desk", "street", "position"),
    Index("notice_stream", "stream", "position"),
)

_N = NOTICE.c


class Notice(msgspec.Struct, frozen=True):
    """A notice. `pressing`: the clock it is about still runs on the same limit."""

    position: int
    case_id: UUID
    number: str
    clock: Clock
    round: int
    percent: int
    limit: Limit
    due_at: datetime
    reached_at: datetime
    told_at: datetime
    to: Role
    street: str | None
    recipients: tuple[str, ...]
    pressing: bool


class NoticesFold:
    """Rows to be added; nothing of them ever changes."""

    def __init__(self, *, empty: bool) -> None:
        self._new: list[Values] = []
        self._put = copy_rows if empty else upsert_rows

    def read(self, connection: Connection, lines: Sequence[Line]) -> None:
        """A notice needs no other."""

    def apply(self, line: Line) -> None:
        event = line.event
        if isinstance(event, UnknownEvent):
            line.key()  # nobody can say that it is no notice
        if isinstance(event, did.DeadlineReached):
            self._new.append(_row(line, event))

    def spill(self, connection: Connection) -> None:
        self.write(connection)

    def write(self, connection: Connection) -> None:
        self._put(connection, NOTICE, self._new)
        self._new = []


def _row(line: Line, e: did.DeadlineReached) -> Values:
    return (
        line.position,
        stream_id(f"case/{e.case}").bytes,
        e.case.bytes,
        e.number,
        str(e.clock),
        e.round,
        e.percent,
        e.limit.amount,
        str(e.limit.unit),
        micros(e.began_at),
        micros(e.due_at),
        micros(e.reached_at),
        line.at,
        e.to,
        e.street,
        ",".join(e.recipients),
    )


class Notices:
    """The reader that keeps `notice`."""

    name = "notices"
    tables: tuple[Table, ...] = (NOTICE,)
    on_poison = OnPoison.HOLD
    beside: frozenset[type[msgspec.Struct]] = frozenset({did.DeadlineReached})

    @property
    def sources(self) -> tuple[ModuleType, ...]:
        return (sys.modules[__name__], reading_of_lines)

    def fold(self, *, empty: bool) -> NoticesFold:
        return NoticesFold(empty=empty)

    def prepare(self, connection: Connection) -> None:
        """Its table says all."""

    def finish(self, connection: Connection) -> None:
        """As above."""

    def scrub(self, connection: Connection) -> None:
        """It holds no words."""


_SAME = and_(
    DUE_CLOCK.c.stream == _N.stream,
    DUE_CLOCK.c.clock == _N.clock,
    DUE_CLOCK.c.began_at == _N.began_at,
    DUE_CLOCK.c.amount == _N.amount,
    DUE_CLOCK.c.unit == _N.unit,
)
_PRESSING = DUE_CLOCK.c.stream.is_not(None)


def notices_for(
    connection: Connection,
    desks: Collection[Role],
    street: str | None,
    *,
    pressing: bool,
    before: int | None,
    limit: int,
) -> list[Notice]:
    """The notices to these desks, the newest first, below a position.

    A street's desks get only those of `street`. `pressing` leaves out what is settled.
    """
    streets = {Role.STREET, Role.STREET_LEAD}
    mine: list[ColumnElement[bool]] = []
    plain = [str(role) for role in desks if role not in streets]
    if plain:
        mine.append(_N.desk.in_(plain))
    own = [str(role) for role in desks if role in streets]
    if own and street is not None:
        mine.append(and_(_N.desk.in_(own), _N.street == street))
    if not mine:
        return []
    where = [or_(*mine)]
    if pressing:
        where.append(_PRESSING)
    if before is not None:
        where.append(_N.position < before)
    question = (
        select(NOTICE, _PRESSING.label("pressing"))
        .outerjoin(DUE_CLOCK, _SAME)
        .where(*where)
        .order_by(_N.position.desc())
        .limit(limit)
    )
    return [
        Notice(
            position=row.position,
            case_id=UUID(bytes=row.case_id),
            number=row.number,
            clock=Clock(row.clock),
            round=row.round,
            percent=row.percent,
            limit=Limit(row.amount, Unit(row.unit)),
            due_at=moment(row.due_at),
            reached_at=moment(row.reached_at),
            told_at=moment(row.told_at),
            to=Role(row.desk),
            street=row.street,
            recipients=tuple(filter(None, row.recipients.split(","))),
            pressing=bool(row.pressing),
        )
        for row in connection.execute(question)
    ]
