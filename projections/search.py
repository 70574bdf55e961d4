"""Full-text search over masked words, addresses and numbers, on both databases. Knows no raw text.

A document is what one event said; its id is the case's `seq` and the event's version, so that the
order of documents is the order of cases. SQLite: FTS5 over bigrams, with secure-delete.
PostgreSQL: a tsvector of the same tokens.

A question with few hits starts from the index and looks the hits up on the board; one with many
starts from the board's newest cases and looks whether they hold the words: either way a page
costs a few thousand look-ups at most, for the rarest status and the commonest word.
"""

import sys
from collections.abc import Sequence
from types import ModuleType
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Index,
    LargeBinary,
    Table,
    Text,
    delete,
    exists,
    func,
    select,
    text,
    update,
)

from casework import events as did
from projections import bigrams
from projections import lines as reading_of_lines
from projections.bigrams import Phrase, grams, phrases
from projections.case_board import CASE_BOARD
from projections.case_list import Filters, Page, newest, newest_among, seq_of
from projections.lines import Line
from projections.tables import VIEWS, Values, copy_rows, insert_rows, is_sqlite
from projections.view import ONLY_CASES, OnPoison

VERSION_BITS = 12
"""A case has some tens of events; one of more than 4,095 is held aside."""

FEW = 2000
"""Hits that are looked up one by one: a few milliseconds."""

SEARCH_DOC = Table(
    "search_doc",
    VIEWS,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("stream", LargeBinary(16), nullable=False),
    Column("person", LargeBinary(16)),
    Column("grams", Text, nullable=False),
    Index("search_doc_person", "person"),
)

_SAID = frozenset(
    {
        did.ReportSubmitted,
        did.InformationSupplied,
        did.InformationAdded,
        did.ReporterJoined,
        did.PlaceCorrected,
    }
)
"""Events whose words or address describe the problem."""


def _document(line: Line) -> Values | None:
    event = line.event
    key = line.key()
    if line.kind not in _SAID:
        return None
    version = line.recorded.version
    if version >= 1 << VERSION_BITS:
        raise ValueError(f"more events than a case can have: {version}")
    whose: UUID | None = None
    match event:
        case did.ReportSubmitted(number=number, person=person):
            whose, tokens = person, grams(number, line.words(), line.address)
        case (
            did.InformationSupplied(person=person)
            | did.InformationAdded(person=person)
            | did.ReporterJoined(person=person)
        ):
            whose, tokens = person, grams(line.words())
        case did.PlaceCorrected():
            tokens = grams(line.address)
        case _:
            return None
    if not tokens:
        return None
    return (document_id(key.seq, version), key.stream, whose.bytes if whose else None, tokens)


class SearchFold:
    def __init__(self, *, empty: bool) -> None:
        self._new: list[Values] = []
        self._erased: list[bytes] = []
        self._empty = empty

    def read(self, connection: Connection, lines: Sequence[Line]) -> None:
        """A document needs no other."""

    def apply(self, line: Line) -> None:
        if type(line.event) is did.PersonErased:
            person = line.event.person.bytes
            self._erased.append(person)
            self._new = [_only_number(row) if row[2] == person else row for row in self._new]
            return
        document = _document(line)
        if document is not None:
            self._new.append(document)

    def spill(self, connection: Connection) -> None:
        self.write(connection)

    def write(self, connection: Connection) -> None:
        for person in self._erased:
            _wipe(connection, person, indexed=not self._empty)
        if self._empty:
            copy_rows(connection, SEARCH_DOC, self._new)
        else:
            insert_rows(connection, SEARCH_DOC, self._new)
            _index(connection, self._new)
        self._new = []
        self._erased = []


def _only_number(row: Values) -> Values:
    """Of a report the first token, its number; of anything else nothing."""
    assert isinstance(row[0], int)
    first = row[0] & ((1 << VERSION_BITS) - 1) == 1
    number = str(row[3]).split(" ", 2)[1] if first else ""
    return (*row[:3], f" {number} ")


def _index(connection: Connection, rows: Sequence[Values]) -> None:
    if rows and is_sqlite(connection):
        connection.exec_driver_sql(
            "INSERT INTO search_fts (rowid, grams) VALUES (?, ?)",
            [(row[0], row[3]) for row in rows],
        )


def _wipe(connection: Connection, person: bytes, *, indexed: bool) -> None:
    """Leave of a person's documents the case number, which is the case's."""
    rows = connection.execute(
        select(SEARCH_DOC.c.id, SEARCH_DOC.c.stream, SEARCH_DOC.c.grams).where(
            SEARCH_DOC.c.person == person
        )
    ).all()
    for row in rows:
        if indexed and is_sqlite(connection):
            connection.exec_driver_sql(
                "INSERT INTO search_fts (search_fts, rowid, grams) VALUES ('delete', ?, ?)",
                (row.id, row.grams),
            )
        kept = _only_number((row.id, row.stream, person, row.grams))[3]
        if str(kept).strip():
            connection.execute(
                update(SEARCH_DOC).where(SEARCH_DOC.c.id == row.id).values(grams=kept)
            )
            if indexed:
                _index(connection, [(row.id, row.stream, person, kept)])
        else:
            connection.execute(delete(SEARCH_DOC).where(SEARCH_DOC.c.id == row.id))


def document_id(seq: int, version: int) -> int:
    """The document of the event that is this version of the case submitted at `seq`."""
    return (seq << VERSION_BITS) + version


def forget_documents(connection: Connection, documents: Sequence[int]) -> None:
    """Take documents out of the table and its index; those not there are passed over."""
    rows = connection.execute(
        select(SEARCH_DOC.c.id, SEARCH_DOC.c.grams).where(SEARCH_DOC.c.id.in_(documents))
    ).all()
    for row in rows:
        if is_sqlite(connection):
            connection.exec_driver_sql(
                "INSERT INTO search_fts (search_fts, rowid, grams) VALUES ('delete', ?, ?)",
                (row.id, row.grams),
            )
        connection.execute(delete(SEARCH_DOC).where(SEARCH_DOC.c.id == row.id))


class Search:
    """The reader that keeps `search_doc` and its index."""

    name = "search"
    tables: tuple[Table, ...] = (SEARCH_DOC,)
    on_poison = OnPoison.HOLD
    beside = ONLY_CASES

    @property
    def sources(self) -> tuple[ModuleType, ...]:
        return (sys.modules[__name__], bigrams, reading_of_lines)

    def fold(self, *, empty: bool) -> SearchFold:
        return SearchFold(empty=empty)

    def prepare(self, connection: Connection) -> None:
        """The index beside the table: FTS5 without a copy of the words, or a tsvector column."""
        if is_sqlite(connection):
            connection.exec_driver_sql(
                "CREATE VIRTUAL TABLE search_fts USING fts5(grams, content='search_doc',"
                " content_rowid='id', tokenize='unicode61 remove_diacritics 0')"
            )
            connection.exec_driver_sql(
                "INSERT INTO search_fts (search_fts, rank) VALUES ('secure-delete', 1)"
            )
        else:
            connection.exec_driver_sql(
                "ALTER TABLE search_doc ADD COLUMN tsv tsvector"
                " GENERATED ALWAYS AS (to_tsvector('simple', grams)) STORED"
            )

    def finish(self, connection: Connection) -> None:
        """Index the rows that are there."""
        if is_sqlite(connection):
            connection.exec_driver_sql("INSERT INTO search_fts (search_fts) VALUES ('rebuild')")
        else:
            connection.exec_driver_sql("CREATE INDEX search_doc_tsv ON search_doc USING gin (tsv)")

    def scrub(self, connection: Connection) -> None:
        """Merge the index's segments, so that a deleted word is in none of them."""
        if is_sqlite(connection):
            connection.exec_driver_sql("INSERT INTO search_fts (search_fts) VALUES ('optimize')")


def _for_fts5(looked_for: Sequence[Phrase]) -> str:
    return " ".join(
        f'"{" ".join(phrase.tokens)}"{"*" if phrase.prefix else ""}' for phrase in looked_for
    )


def _for_tsquery(looked_for: Sequence[Phrase]) -> str:
    return " & ".join(
        "(" + " <-> ".join(f"'{t}'{':*' if p.prefix else ''}" for t in p.tokens) + ")"
        for p in looked_for
    )


def _matching(
    connection: Connection, looked_for: Sequence[Phrase], before: int, limit: int
) -> list[int]:
    """The cases of the newest matching documents, newest first, by their `seq`."""
    if is_sqlite(connection):
        statement = (
            "SELECT rowid FROM search_fts WHERE search_fts MATCH :q AND rowid < :before"
            " ORDER BY rowid DESC LIMIT :limit"
        )
        question = _for_fts5(looked_for)
    else:
        statement = (
            "SELECT id FROM search_doc WHERE tsv @@ CAST(:q AS tsquery) AND id < :before"
            " ORDER BY id DESC LIMIT :limit"
        )
        question = _for_tsquery(looked_for)
    found = connection.scalars(
        text(statement), {"q": question, "before": before << VERSION_BITS, "limit": limit}
    )
    return [int(id_) >> VERSION_BITS for id_ in found]


def _holds(connection: Connection, looked_for: Sequence[Phrase]) -> ColumnElement[bool]:
    """Whether some document of a case on the board holds all the phrases: the index's answer.

    Tokens stand between blanks, so a phrase is a piece of text and a prefix its beginning.
    """
    position_in = func.instr if is_sqlite(connection) else func.strpos
    pieces = [f" {' '.join(p.tokens)}{'' if p.prefix else ' '}" for p in looked_for]
    first = CASE_BOARD.c.seq * (1 << VERSION_BITS)
    return exists(
        select(1).where(
            SEARCH_DOC.c.id.between(first, first + (1 << VERSION_BITS) - 1),
            *(position_in(SEARCH_DOC.c.grams, piece) > 0 for piece in pieces),
        )
    )


_NO_CURSOR = 1 << 50
"""Above every position; shifted by VERSION_BITS it still fits into 63 bits."""


def find(
    connection: Connection,
    question: str,
    filters: Filters,
    *,
    epoch: UUID,
    cursor: str | None = None,
    limit: int = 50,
    few: int = FEW,
) -> Page:
    """The newest cases whose words hold all of the question's, through the filters.

    Words of Chinese are found anywhere in a text; words of letters or digits, such as a case
    number, from their beginning. A question without a word finds nothing. Up to `few` hits are
    looked up one by one, see above. Raises StaleCursor.
    """
    looked_for = phrases(question)
    if not looked_for:
        return Page((), None)
    before = _NO_CURSOR if cursor is None else seq_of(cursor, epoch)
    hits = _matching(connection, looked_for, before, few + 1)
    if len(hits) <= few:
        seqs = list(dict.fromkeys(hits))
        return newest_among(connection, seqs, filters, epoch=epoch, limit=limit)
    holds = _holds(connection, looked_for)
    return newest(connection, filters, epoch=epoch, cursor=cursor, limit=limit, also=[holds])
