"""What recognition learns from, and how often it was right.

Texts, what they were found to be, and what their reporters had been shown. Holds masked texts only,
until their person is erased. Rows are added and never changed, so that a rebuild may write them as
it goes. Knows no model.
"""

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
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
    select,
)

from casework import events as did
from casework.model import Recognition
from projections import lines as reading_of_lines
from projections.lines import Line
from projections.statistics import share_interval
from projections.tables import VIEWS, Values, copy_rows, insert_rows, micros, upsert_rows
from projections.view import ONLY_CASES, OnPoison

SHORTEST = 2
"""Characters of a text from which something can be learnt."""

LEARNT_TEXT = Table(
    "learnt_text",
    VIEWS,
    Column("stream", LargeBinary(16), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("person", LargeBinary(16), nullable=False, index=True),
    Column("text", Text, nullable=False),
)
"""The first words of a report; those of demonstrations are told, not met, and teach nothing."""

FOUND_TO_BE = Table(
    "found_to_be",
    VIEWS,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("stream", LargeBinary(16), nullable=False, index=True),
    Column("indicator", Text),
    Column("code", Text),
    Column("at", BigInteger, nullable=False),
    Column("first", Boolean, nullable=False),
)
"""Each time somebody said what it is: 立案 (`first`), 改类, 不予受理 and 撤销立案 (`code`)."""

SHOWN = Table(
    "recognition_shown",
    VIEWS,
    Column("stream", LargeBinary(16), primary_key=True),
    Column("model", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("first", Text, nullable=False),
    Column("second", Text, nullable=False),
    Column("third", Text, nullable=False),
    Column("confidence", Double, nullable=False),
    Column("warned", Boolean, nullable=False),
    Column("preselected", Boolean, nullable=False),
    Column("chosen", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)
"""What the reporter was shown, and `chosen`, the indicator that the report then named."""

UNLEARNT = Table(
    "unlearnt",
    VIEWS,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
)
"""Each erasure: what was learnt before it must be learnt anew."""

Index("recognition_shown_at", SHOWN.c.at)

_T, _F, _S = LEARNT_TEXT.c, FOUND_TO_BE.c, SHOWN.c


class TrainingFold:
    """Rows to be added, and persons to be forgotten."""

    def __init__(self, *, empty: bool) -> None:
        self._put: Callable[[Connection, Table, Sequence[Values]], None] = (
            copy_rows if empty else insert_rows
        )
        self._texts: list[tuple[bytes, int, bytes, str]] = []
        self._found: list[Values] = []
        self._shown: list[Values] = []
        self._unlearnt: list[Values] = []
        self._erased: list[bytes] = []

    def read(self, connection: Connection, lines: Sequence[Line]) -> None:
        """A row needs no other."""

    def apply(self, line: Line) -> None:
        event = line.event
        match event:
            case did.PersonErased(person=person):
                self._erased.append(person.bytes)
                self._texts = [row for row in self._texts if row[2] != person.bytes]
                self._unlearnt.append((line.position, line.at))
            case did.ReportSubmitted():
                self._begin(line, event)
            case did.CaseRegistered(indicator=indicator):
                self._say(line, indicator, None, first=True)
            case did.CaseReclassified(indicator=indicator):
                self._say(line, indicator, None)
            case did.CaseRefused(code=code) | did.RegistrationRevoked(code=code):
                self._say(line, None, code)
            case _:
                line.key()

    def _begin(self, line: Line, event: did.ReportSubmitted) -> None:
        key, words = line.key(), line.words()
        if event.demonstration:
            return
        if words is not None and len(words) >= SHORTEST:
            self._texts.append((key.stream, key.seq, key.person, words))
        if event.recognition is not None:
            self._shown.append(_shown(key.stream, event.recognition, event.indicator, line.at))

    def _say(
        self, line: Line, indicator: str | None, code: str | None, *, first: bool = False
    ) -> None:
        stream = line.key().stream
        self._found.append((line.position, stream, indicator, code, line.at, first))

    def spill(self, connection: Connection) -> None:
        self.write(connection)

    def write(self, connection: Connection) -> None:
        for person in self._erased:
            connection.execute(delete(LEARNT_TEXT).where(_T.person == person))
        self._put(connection, LEARNT_TEXT, self._texts)
        self._put(connection, FOUND_TO_BE, self._found)
        self._put(connection, SHOWN, self._shown)
        # The parts of a rebuild all meet an erasure.
        upsert_rows(connection, UNLEARNT, self._unlearnt)
        self._texts, self._found, self._shown = [], [], []
        self._unlearnt, self._erased = [], []


def _shown(stream: bytes, shown: Recognition, chosen: str | None, at: int) -> Values:
    codes = [each.indicator for each in shown.proposals]
    return (
        stream,
        "+".join(model.name for model in shown.models),
        "+".join(model.version for model in shown.models),
        *(codes[i] if i < len(codes) else "" for i in range(3)),
        shown.proposals[0].confidence if shown.proposals else 0.0,
        shown.warned,
        shown.preselected,
        chosen or "",
        at,
    )


class Training:
    """The reader that keeps what recognition learns from."""

    name = "training"
    tables: tuple[Table, ...] = (LEARNT_TEXT, FOUND_TO_BE, SHOWN, UNLEARNT)
    on_poison = OnPoison.HOLD
    beside = ONLY_CASES

    @property
    def sources(self) -> tuple[ModuleType, ...]:
        return (sys.modules[__name__], reading_of_lines)

    def fold(self, *, empty: bool) -> TrainingFold:
        return TrainingFold(empty=empty)

    def prepare(self, connection: Connection) -> None:
        """Its tables say all."""

    def finish(self, connection: Connection) -> None:
        """As above."""

    def scrub(self, connection: Connection) -> None:
        """The rows of an erased person were overwritten where they stood."""


# what is learnt ----------------------------------------------------------------------------


class Learnt(msgspec.Struct, frozen=True):
    """A masked text, and what it was last found to be: an indicator, or a code of refusal.

    `person` numbers the persons in order of appearance in the answer: no id leaves.
    """

    text: str
    indicator: str | None
    code: str | None
    person: int


class Extent(msgspec.Struct, frozen=True):
    """How much there is to learn from: to see whether learning anew is worth while."""

    found: int
    """Times somebody said what a report is."""
    erasures: int


def extent(connection: Connection) -> Extent:
    """How much there is now."""
    found = connection.scalar(select(func.count()).select_from(FOUND_TO_BE))
    erasures = connection.scalar(select(func.count()).select_from(UNLEARNT))
    return Extent(found or 0, erasures or 0)


def learnt(connection: Connection, most: int, each: int) -> list[Learnt]:
    """The newest texts that somebody has said something of, in order of time.

    At most `most` in all, and `each` of one indicator or code.
    """
    last = select(func.max(_F.position)).group_by(_F.stream)
    rows = connection.execute(
        select(_T.text, _F.indicator, _F.code, _T.person)
        .join(FOUND_TO_BE, _F.stream == _T.stream)
        .where(_F.position.in_(last))
        .order_by(_T.seq.desc())
        .limit(most)
    )
    counts: Counter[str | None] = Counter()
    kept = []
    for text, indicator, code, person in rows:
        counts[indicator or code] += 1
        if counts[indicator or code] <= each:
            kept.append((text, indicator, code, person))
    numbers: dict[bytes, int] = {}
    return [
        Learnt(text, indicator, code, numbers.setdefault(person, len(numbers)))
        for text, indicator, code, person in reversed(kept)
    ]


# how good it was ---------------------------------------------------------------------------


class HitRate(msgspec.Struct, frozen=True):
    """How often what was shown was what the reviewer registered, with Wilson's interval at 95 %.

    `n` reports shown a proposal of this model and version and registered as `indicator`; `top1`
    and `top3` of them had it first, or among the three. The intervals are (low, high) in 0..1.
    """

    model: str
    version: str
    indicator: str
    n: int
    top1: int
    top3: int
    top1_interval: tuple[float, float]
    top3_interval: tuple[float, float]


class Warnings(msgspec.Struct, frozen=True):
    """Of reports shown a proposal: those told 可能不在范围内, and what became of them."""

    model: str
    version: str
    refused: int
    """Refused with a code that says out of scope …"""
    refused_warned: int
    """… of which had been warned."""
    registered: int
    registered_warned: int
    """Warned for nothing."""


def hit_rates(connection: Connection, first: datetime, last: datetime) -> list[HitRate]:
    """By model, version and indicator; a report counts when it was registered in [first, last).

    The indicator at the first 立案 counts: a later 改类 is another judgement.
    """
    again = FOUND_TO_BE.alias("again")
    earlier = select(func.min(again.c.position)).where(
        again.c.stream == _F.stream, again.c.first.is_(True)
    )
    rows = connection.execute(
        select(_S.model, _S.version, _F.indicator, _S.first, _S.second, _S.third, func.count())
        .join(FOUND_TO_BE, _F.stream == _S.stream)
        .where(
            _F.first.is_(True),
            _F.position == earlier.scalar_subquery(),
            _F.at >= micros(first),
            _F.at < micros(last),
        )
        .group_by(_S.model, _S.version, _F.indicator, _S.first, _S.second, _S.third)
    )
    counts: dict[tuple[str, str, str], list[int]] = {}
    for model, version, indicator, one, two, three, n in rows:
        row = counts.setdefault((model, version, indicator), [0, 0, 0])
        row[0] += n
        row[1] += n if one == indicator else 0
        row[2] += n if indicator in {one, two, three} else 0
    return [
        HitRate(*key, n, top1, top3, share_interval(top1, n), share_interval(top3, n))
        for key, (n, top1, top3) in sorted(counts.items())
    ]


def warnings(
    connection: Connection, first: datetime, last: datetime, codes: Sequence[str]
) -> list[Warnings]:
    """By model and version; a report counts when it was last judged in [first, last).

    `codes` are those of refusal that say out of scope.
    """
    newest = select(func.max(_F.position)).group_by(_F.stream)
    rows = connection.execute(
        select(_S.model, _S.version, _S.warned, _F.indicator, _F.code, func.count())
        .join(FOUND_TO_BE, _F.stream == _S.stream)
        .where(_F.position.in_(newest), _F.at >= micros(first), _F.at < micros(last))
        .group_by(_S.model, _S.version, _S.warned, _F.indicator, _F.code)
    )
    counts: dict[tuple[str, str], list[int]] = {}
    for model, version, warned, indicator, code, n in rows:
        row = counts.setdefault((model, version), [0, 0, 0, 0])
        if code in codes:
            row[0] += n
            row[1] += n if warned else 0
        elif indicator is not None:
            row[2] += n
            row[3] += n if warned else 0
    return [Warnings(*key, *row) for key, row in sorted(counts.items())]
