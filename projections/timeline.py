"""The timeline: what has happened to a case, step by step, for the desks and for the public.

A step keeps the few values of its event that its sentence names, and its masked words; the
sentence itself is made when it is read (`timeline_words`).
"""

import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from types import ModuleType
from uuid import UUID

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
    select,
    text,
    update,
)

from casework import events as did
from casework.lifecycle import ROLE_NAMES
from casework.log.port import stream_id
from casework.model import Actor, ActorKind, Role
from projections import lines as reading_of_lines
from projections.lines import ERASED, Line
from projections.tables import (
    VIEWS,
    Values,
    copy_rows,
    moment,
    upsert_rows,
)
from projections.timeline_words import FOR_REPORTER, PUBLIC, details_of, sentence
from projections.view import ONLY_CASES, OnPoison

TIMELINE = Table(
    "timeline",
    VIEWS,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("stream", LargeBinary(16), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("street", Text),
    Column("code", Text),
    Column("details", Text),
    Column("words", Text),
    Column("erased", Boolean, nullable=False),
    Column("person", LargeBinary(16)),
    Index("timeline_stream", "stream", "position"),
    Index(
        "timeline_person",
        "person",
        sqlite_where=text("person IS NOT NULL"),
        postgresql_where=text("person IS NOT NULL"),
    ),
)


class Step(msgspec.Struct, frozen=True):
    """One step as the desks see it. `words` are masked; `at` is UTC."""

    position: int
    at: datetime
    event: str
    sentence: str
    actor_kind: str
    actor_id: str
    role: str
    street: str | None
    code: str | None
    words: str | None
    public: bool


class PublicStep(msgspec.Struct, frozen=True):
    """One step as reporter and public see it: no account, no person, only words meant for them."""

    position: int
    at: datetime
    event: str
    sentence: str
    role: str
    street: str | None
    code: str | None
    words: str | None


_NAME_OF = {kind: name for name, kind in did.STORED_AS.items()}
_CITIZENS_OWN = frozenset(
    {
        did.ReportSubmitted,
        did.InformationSupplied,
        did.InformationAdded,
        did.ReporterJoined,
        did.RefusalObjected,
        did.CaseRated,
        did.ReporterLeft,
        did.CaseWithdrawn,
        did.CitizenNotified,
    }
)


def role_label(actor: Actor) -> str:
    """Who acted, in a word: the first role held, or the kind of actor."""
    if actor.kind is ActorKind.CITIZEN:
        return ROLE_NAMES[Role.CITIZEN]
    if actor.roles:
        return ROLE_NAMES[actor.roles[0]]
    return {
        ActorKind.STAFF: "工作人员",
        ActorKind.PARTNER: ROLE_NAMES[Role.PARTNER],
        ActorKind.CLOCK: ROLE_NAMES[Role.CLOCK],
        ActorKind.DISPATCHER: ROLE_NAMES[Role.DISPATCHER],
    }[actor.kind]


def _row(line: Line) -> Values:
    e = line.event
    line.key()
    actor = line.recorded.actor
    person: UUID | None = getattr(e, "person", None) if type(e) in _CITIZENS_OWN else None
    return (
        line.position,
        line.stream,
        line.at,
        _NAME_OF[type(e)],  # type: ignore[index]  # a fact of a case: `key()` saw to it
        str(actor.kind),
        actor.id,
        role_label(actor),
        getattr(e, "street", None) or actor.street,
        getattr(e, "code", None),
        details_of(e),
        line.words(),
        line.gone,
        person.bytes if person else None,
    )


_WORDS = [column.name for column in TIMELINE.columns].index("words")


class TimelineFold:
    """Steps are only ever added; an erasure empties the words of those before it."""

    def __init__(self, *, empty: bool) -> None:
        self._new: list[Values] = []
        self._erased: list[bytes] = []
        self._put = copy_rows if empty else upsert_rows

    def read(self, connection: Connection, lines: Sequence[Line]) -> None:
        """A step needs no other."""

    def apply(self, line: Line) -> None:
        if type(line.event) is did.PersonErased:
            person = line.event.person.bytes
            self._erased.append(person)
            self._new = [_without_words(row) if row[-1] == person else row for row in self._new]
            return
        self._new.append(_row(line))

    def spill(self, connection: Connection) -> None:
        self.write(connection)

    def write(self, connection: Connection) -> None:
        for person in self._erased:
            connection.execute(
                update(TIMELINE)
                .where(TIMELINE.c.person == person, TIMELINE.c.words.is_not(None))
                .values(words=None, erased=True)
            )
        self._put(connection, TIMELINE, self._new)
        self._new = []
        self._erased = []


def _without_words(row: Values) -> Values:
    if row[_WORDS] is None:
        return row
    return (*row[:_WORDS], None, True, row[-1])


class Timeline:
    """The reader that keeps `timeline`."""

    name = "timeline"
    tables: tuple[Table, ...] = (TIMELINE,)
    on_poison = OnPoison.HOLD
    beside = ONLY_CASES

    @property
    def sources(self) -> tuple[ModuleType, ...]:
        return (sys.modules[__name__], reading_of_lines)

    def fold(self, *, empty: bool) -> TimelineFold:
        return TimelineFold(empty=empty)

    def prepare(self, connection: Connection) -> None:
        """Its table says all."""

    def finish(self, connection: Connection) -> None:
        """As above."""

    def scrub(self, connection: Connection) -> None:
        """The words were overwritten where they stood."""


def steps_of(
    connection: Connection, case_id: UUID, street_name: Callable[[str], str]
) -> list[Step]:
    """The steps of a case in order, for the desks; empty where there is no such case.

    `street_name` gives the name of a street code.
    """
    return [
        Step(
            position=row.position,
            at=moment(row.at),
            event=row.name,
            sentence=sentence(row.name, row.street, row.code, row.details, street_name),
            actor_kind=row.actor_kind,
            actor_id=row.actor_id,
            role=row.role,
            street=row.street,
            code=row.code,
            words=ERASED if row.erased else row.words,
            public=row.name in PUBLIC,
        )
        for row in connection.execute(
            select(TIMELINE)
            .where(TIMELINE.c.stream == stream_id(f"case/{case_id}").bytes)
            .order_by(TIMELINE.c.position)
        )
    ]


def public_steps_of(
    connection: Connection, case_id: UUID, street_name: Callable[[str], str]
) -> list[PublicStep]:
    """The steps that concern the reporter: what was done, and the words addressed to them."""
    return [
        PublicStep(
            position=step.position,
            at=step.at,
            event=step.event,
            sentence=step.sentence,
            role=_PUBLIC_ROLE.get(step.actor_kind, "工作人员"),
            street=step.street,
            code=step.code,
            words=step.words if step.event in FOR_REPORTER else None,
        )
        for step in steps_of(connection, case_id, street_name)
        if step.public
    ]


_PUBLIC_ROLE = {
    str(ActorKind.CITIZEN): "市民",
    str(ActorKind.CLOCK): "系统",
    str(ActorKind.DISPATCHER): "系统",
    str(ActorKind.PARTNER): "合作平台",
}
