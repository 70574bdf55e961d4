"""月度典型案例 as they are read: the months, what has come between since, and who may be proposed.

The months lie as the rules fold them. What happened to a case or a consent after it was published
lies beside them and is put together when it is asked: a rebuild folds streams apart. Nothing is
decided here; an entry that may no longer be shown is not, before anybody has said so.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from types import ModuleType
from typing import NamedTuple
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
    delete,
    func,
    select,
)

from casework import candidates as rules_of_candidates
from casework import events as did
from casework import monthly_issue
from casework.candidates import Candidate
from casework.log.port import UnknownEvent
from casework.monthly_issue import Entry, Issue, Shown
from projections import lines as reading_of_lines
from projections import periods
from projections.lines import Line
from projections.periods import month_number
from projections.tables import (
    VIEWS,
    Values,
    chunks,
    copy_rows,
    moment,
    structs,
    structs_of,
    upsert_rows,
)
from projections.view import OnPoison

TYPICAL_ISSUE = Table(
    "typical_issue",
    VIEWS,
    Column("stream", LargeBinary(16), primary_key=True),
    Column("month", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("state", LargeBinary, nullable=False),
    Index("typical_issue_month", "month"),
)
"""A row a month; `state` is the issue as the rules fold it."""

TYPICAL_DOUBT = Table(
    "typical_doubt",
    VIEWS,
    Column("stream", LargeBinary(16), primary_key=True),
    Column("case_id", LargeBinary(16), nullable=False),
    Column("doubt", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Index("typical_doubt_case", "case_id"),
)
"""Cases under recheck or reopened, by the last such fact; most cases have none."""

TYPICAL_REFUSAL = Table(
    "typical_refusal",
    VIEWS,
    Column("case_id", LargeBinary(16), primary_key=True),
    Column("person", LargeBinary(16), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
)
"""Consents taken back."""

TYPICAL_CANDIDATE = Table(
    "typical_candidate",
    VIEWS,
    Column("stream", LargeBinary(16), primary_key=True),
    Column("case_id", LargeBinary(16), nullable=False),
    Column("person", LargeBinary(16), nullable=False),
    Column("month", Integer, nullable=False),
    Column("fit", Integer, nullable=False),
    Column("satisfaction", Integer, nullable=False),
    Column("street", Text),
    Column("indicator", Text),
    Column("state", LargeBinary, nullable=False),
    Index("typical_candidate_month", "month", "fit"),
    Index("typical_candidate_case", "case_id"),
    Index("typical_candidate_person", "person"),
)
"""Cases whose first reporter agreed to publication. `month` is that of the last rating, as 202605,
or 0; `satisfaction` in tenths."""

_I, _D, _R, _C = TYPICAL_ISSUE.c, TYPICAL_DOUBT.c, TYPICAL_REFUSAL.c, TYPICAL_CANDIDATE.c

_OF_ISSUES = tuple(monthly_issue.STORED_AS.values())


class Doubt(StrEnum):
    """Why a published entry is not shown, though nobody has withdrawn it yet."""

    RECHECKING = "rechecking"
    REOPENED = "reopened"
    SETTLED = "settled"
    """The recheck upheld the closing: nothing is in doubt any more."""
    CONSENT = "consent"
    ERASED = "erased"


_DOUBTS: dict[type[msgspec.Struct], Doubt] = {
    did.RecheckOpened: Doubt.RECHECKING,
    did.RecheckUpheld: Doubt.SETTLED,
    did.CaseReopened: Doubt.REOPENED,
}

_json = msgspec.json.Encoder()
_issue = msgspec.json.Decoder(Issue)
_candidate = msgspec.json.Decoder(Candidate)


class _Issue(msgspec.Struct):
    stream: bytes
    month: str
    position: int
    state: bytes


class _Doubt(msgspec.Struct, frozen=True):
    stream: bytes
    case_id: bytes
    doubt: str
    at: int
    position: int


class _Row(msgspec.Struct):
    stream: bytes
    case_id: bytes
    person: bytes
    month: int
    fit: int
    satisfaction: int
    street: str | None
    indicator: str | None
    state: bytes


class _Known(NamedTuple):
    case_id: bytes
    candidate: Candidate


class TypicalCasesFold:
    """Months, doubts and candidates; only the candidates are many."""

    def __init__(self, *, empty: bool) -> None:
        self._issues: dict[bytes, _Issue] = {}
        self._changed_issues: set[bytes] = set()
        self._doubts: dict[bytes, _Doubt] = {}
        self._refusals: dict[tuple[bytes, bytes], Values] = {}
        self._candidates: dict[bytes, _Known] = {}
        self._by_person: dict[bytes, set[bytes]] = {}
        self._changed: set[bytes] = set()
        self._gone: set[bytes] = set()
        self._empty = empty
        self._put: Callable[[Connection, Table, Sequence[Values]], None] = (
            copy_rows if empty else upsert_rows
        )

    def read(self, connection: Connection, lines: Sequence[Line]) -> None:
        streams = {line.stream for line in lines}
        persons = {
            line.event.person.bytes for line in lines if isinstance(line.event, did.PersonErased)
        }
        told = {line.stream for line in lines if isinstance(line.event, _OF_ISSUES)}
        issues = (  # any issue may show what an erased person reported
            structs(connection, _Issue, select(TYPICAL_ISSUE))
            if persons
            else structs_of(connection, TYPICAL_ISSUE, _Issue, _I.stream, told)
        )
        self._issues |= {issue.stream: issue for issue in issues}
        for row in structs_of(connection, TYPICAL_CANDIDATE, _Row, _C.stream, streams):
            self._know(row.stream, row.case_id, _candidate.decode(row.state))
        for row in structs_of(connection, TYPICAL_CANDIDATE, _Row, _C.person, persons):
            self._know(row.stream, row.case_id, _candidate.decode(row.state))

    def _know(self, stream: bytes, case_id: bytes, candidate: Candidate) -> None:
        self._candidates[stream] = _Known(case_id, candidate)
        self._by_person.setdefault(candidate.person.bytes, set()).add(stream)

    def apply(self, line: Line) -> None:
        event = line.event
        if isinstance(event, UnknownEvent):
            line.key()  # nobody can say that it is nothing of ours
        elif isinstance(event, did.PersonErased):
            self._erase(event.person, moment(line.at))
        elif isinstance(event, did.PublicationConsentWithdrawn):
            key = event.case.bytes, event.person.bytes
            self._refusals[key] = (*key, line.at, line.position)
        elif isinstance(event, _OF_ISSUES):
            self._tell(line, event)
        else:
            self._follow(line)

    def _tell(self, line: Line, event: monthly_issue.Event) -> None:
        row = self._issues.get(line.stream)
        if row is None:
            assert isinstance(event, monthly_issue.CaseNominated), "every month begins so"
            row = _Issue(line.stream, event.month, 0, _json.encode(Issue()))
            self._issues[line.stream] = row
        issue = monthly_issue.evolve(_issue.decode(row.state), event, line.recorded.at)
        row.state, row.position = _json.encode(issue), line.position
        self._changed_issues.add(row.stream)

    def _erase(self, person: UUID, at: datetime) -> None:
        for row in self._issues.values():
            before = _issue.decode(row.state)
            after = monthly_issue.erased(before, person, at)
            if after is not before:
                row.state = _json.encode(after)
                self._changed_issues.add(row.stream)
        for stream in self._by_person.pop(person.bytes, ()):
            del self._candidates[stream]
            self._changed.discard(stream)
            self._gone.add(stream)

    def _follow(self, line: Line) -> None:
        """A fact of a case."""
        key = line.key()
        assert isinstance(line.event, did.Fact), "a fact of a case: `key()` saw to it"
        event: did.Event = line.event  # type: ignore[assignment]  # every fact of a case is one
        doubt = _DOUBTS.get(line.kind)
        if doubt is not None:
            self._doubts[key.stream] = _Doubt(
                key.stream, key.case_id, str(doubt), line.at, line.position
            )
        known = self._candidates.get(key.stream)
        if known is None:
            if isinstance(event, did.ReportSubmitted) and event.consents.publication:
                begun = rules_of_candidates.evolve(None, event, line.recorded.at)
                assert begun is not None
                self._know(key.stream, key.case_id, begun)
                self._changed.add(key.stream)
            return
        after = rules_of_candidates.evolve(known.candidate, event, line.recorded.at)
        if after is not None and after is not known.candidate:
            self._candidates[key.stream] = _Known(known.case_id, after)
            self._changed.add(key.stream)

    def spill(self, connection: Connection) -> None:
        """A case may be reopened long after its end, and a consent taken back."""

    def write(self, connection: Connection) -> None:
        for chunk in [] if self._empty else chunks(sorted(self._gone)):
            connection.execute(delete(TYPICAL_CANDIDATE).where(_C.stream.in_(chunk)))
        rows = [self._issues[stream] for stream in sorted(self._changed_issues)]
        self._put(connection, TYPICAL_ISSUE, [msgspec.structs.astuple(row) for row in rows])
        doubts = [msgspec.structs.astuple(self._doubts[s]) for s in sorted(self._doubts)]
        self._put(connection, TYPICAL_DOUBT, doubts)
        self._put(connection, TYPICAL_REFUSAL, [self._refusals[k] for k in sorted(self._refusals)])
        self._put(
            connection,
            TYPICAL_CANDIDATE,
            [_row(stream, self._candidates[stream]) for stream in sorted(self._changed)],
        )
        self._changed_issues.clear()
        self._doubts.clear()
        self._refusals.clear()
        self._changed.clear()
        self._gone.clear()


def _row(stream: bytes, known: _Known) -> Values:
    case = known.candidate
    return (
        stream,
        known.case_id,
        case.person.bytes,
        month_number(case.rated_at) if case.rated_at else 0,
        int(rules_of_candidates.fit(case)),
        round(case.satisfaction * 10),
        case.street,
        case.indicator,
        _json.encode(case),
    )


class TypicalCases:
    """The reader that keeps the tables of typical cases."""

    name = "typical_cases"
    tables: tuple[Table, ...] = (
        TYPICAL_ISSUE,
        TYPICAL_DOUBT,
        TYPICAL_REFUSAL,
        TYPICAL_CANDIDATE,
    )
    on_poison = OnPoison.HOLD
    """A withdrawal must not wait for a stream that is nothing to it."""
    beside: frozenset[type[msgspec.Struct]] = frozenset(
        {did.PublicationConsentWithdrawn, *_OF_ISSUES}
    )

    @property
    def sources(self) -> tuple[ModuleType, ...]:
        return (
            sys.modules[__name__],
            reading_of_lines,
            monthly_issue,
            rules_of_candidates,
            periods,
        )

    def fold(self, *, empty: bool) -> TypicalCasesFold:
        return TypicalCasesFold(empty=empty)

    def prepare(self, connection: Connection) -> None:
        """Its tables say all."""

    def finish(self, connection: Connection) -> None:
        """As above: what was folded apart is put together when it is asked."""

    def scrub(self, connection: Connection) -> None:
        """What was wiped lies in no index."""


# questions -------------------------------------------------------------------------------


class Standing(msgspec.Struct, frozen=True):
    """An entry with what has come between. `since` is when the doubt came up, in UTC."""

    entry: Entry
    doubt: Doubt | None = None
    since: datetime | None = None

    @property
    def shown(self) -> Shown | None:
        """What may be shown of it in public now."""
        if self.doubt is not None or self.entry.gone:
            return None
        return self.entry.shown

    def is_of(self, street: str | None, indicator: str | None) -> bool:
        """Whether it is filed under these; None is any. Withdrawn, it stays where it was."""
        filed = self.entry.shown
        return filed is not None and (
            street in {None, filed.street} and indicator in {None, filed.indicator}
        )

    @property
    def changed_at(self) -> datetime | None:
        """When what the public sees of it last changed; None where it never saw it."""
        if self.entry.published_at is None:
            return None
        entry = self.entry
        moments = (entry.shown_since, entry.withdrawn_at, entry.erased_at, self.since)
        return max(at for at in moments if at is not None)


class Month(msgspec.Struct, frozen=True):
    """A month with every entry as it stands. `version` is the stream's, for If-Match."""

    month: str
    version: int
    issue: Issue
    entries: tuple[Standing, ...]

    @property
    def public(self) -> list[Standing]:
        """The entries that the public has ever seen, in their order."""
        return [each for each in self.entries if each.entry.published_at is not None]

    @property
    def changed_at(self) -> datetime | None:
        """When the public's view of the month last changed."""
        return max((at for e in self.public if (at := e.changed_at) is not None), default=None)


def month_of(connection: Connection, month: str) -> Month | None:
    """One month, or None where nothing was ever nominated."""
    return next(_months(connection, _I.month == month), None)


def begun(connection: Connection) -> list[Month]:
    """Every month that anything was nominated for, the newest first."""
    return sorted(_months(connection), key=lambda each: each.month, reverse=True)


def published(
    connection: Connection, first: int | None = None, last: int | None = None
) -> list[Month]:
    """Every month that the public has seen, the newest first.

    `first` and `last` are numbers of months, as 202605, both included; None is all there are.
    """
    asked = [_I.month >= _name_of(first)] if first is not None else []
    asked += [_I.month <= _name_of(last)] if last is not None else []
    months = [each for each in _months(connection, *asked) if each.public]
    return sorted(months, key=lambda each: each.month, reverse=True)


def _name_of(month: int) -> str:
    return f"{month // 100:04}-{month % 100:02}"


def _months(connection: Connection, *asked: ColumnElement[bool]) -> Iterator[Month]:
    for row in structs(connection, _Issue, select(TYPICAL_ISSUE).where(*asked)):
        issue = _issue.decode(row.state)
        cases = {entry.case.bytes for entry in issue.entries.values()}
        doubts = {
            d.case_id: d for d in structs_of(connection, TYPICAL_DOUBT, _Doubt, _D.case_id, cases)
        }
        refusals: dict[bytes, list[_Refusal]] = {}
        for refusal in structs_of(connection, TYPICAL_REFUSAL, _Refusal, _R.case_id, cases):
            refusals.setdefault(refusal.case_id, []).append(refusal)
        yield Month(
            row.month,
            issue.version,
            issue,
            tuple(
                _standing(entry, doubts.get(entry.case.bytes), refusals.get(entry.case.bytes, []))
                for entry in issue.entries.values()
            ),
        )


class _Refusal(msgspec.Struct, frozen=True):
    case_id: bytes
    person: bytes
    at: int
    position: int


def _standing(entry: Entry, doubt: _Doubt | None, refusals: Sequence[_Refusal]) -> Standing:
    """What has come after the last look counts; what came before was looked at."""
    if entry.erased_at is not None:
        return Standing(entry, Doubt.ERASED, entry.erased_at)
    persons = {person.bytes for person in entry.persons}
    shows_photos = entry.shown is not None and bool(entry.shown.before)
    for refusal in refusals:
        if refusal.person in persons and refusal.position > entry.seen and shows_photos:
            return Standing(entry, Doubt.CONSENT, moment(refusal.at))
    if doubt is not None and doubt.position > entry.seen and entry.shown is not None:
        if doubt.doubt != Doubt.SETTLED:
            return Standing(entry, Doubt(doubt.doubt), moment(doubt.at))
        return Standing(entry, None, moment(doubt.at))
    return Standing(entry)


def candidates_of(
    connection: Connection, month: int, most_of_each: int
) -> list[tuple[UUID, Candidate]]:
    """The fit cases rated in a month (202605), at most so many of each 街镇 and indicator.

    The best rated of each come first, so that a month of thousands is not read whole.
    """
    place = (
        func.row_number()
        .over(
            partition_by=(_C.street, _C.indicator),
            order_by=(_C.satisfaction.desc(), _C.stream),
        )
        .label("place")
    )
    best = (
        select(_C.case_id, _C.state, place)
        .where(_C.month == month, _C.fit == 1)
        .where(~select(_R.person).where(_R.case_id == _C.case_id, _R.person == _C.person).exists())
        .subquery()
    )
    question = select(best.c.case_id, best.c.state).where(best.c.place <= most_of_each)
    return [
        (UUID(bytes=case_id), _candidate.decode(state))
        for case_id, state in connection.execute(question)
    ]


def fit_count(connection: Connection, month: int) -> int:
    """How many cases of the month are fit to be proposed."""
    question = select(func.count()).where(_C.month == month, _C.fit == 1)
    return int(connection.scalar(question) or 0)


def refused_by(connection: Connection, case: UUID) -> set[UUID]:
    """Reporters of the case who took their consent back."""
    question = select(_R.person).where(_R.case_id == case.bytes)
    return {UUID(bytes=person) for person in connection.scalars(question)}
