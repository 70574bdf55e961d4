"""Uploads that cases cite: what was found out about each, what was made of it, what is still owed.

Holds no words and no sealed text. Rows of an erased person's uploads are deleted; what a
perceptual hash says of a picture goes with them, and never comes where its key is destroyed. Rows
of a case's own facts and rows of an upload's are apart, since a rebuild folds the two in different
processes.
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
    Double,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    delete,
    select,
    text,
    update,
)

from casework import events as did
from casework import evidence
from casework.model import Photo
from projections import lines as reading_of_lines
from projections.lines import EVIDENCE_EVENTS, Line
from projections.tables import VIEWS, Values, chunks, copy_rows, upsert_rows
from projections.view import OnPoison

EXAMINE, CHECK = "examine", "check"
"""What is owed to an upload: to tell whether it can be read; to compare a hand-over's photo."""

HANDED_OVER = "case-rectified"

CITED = Table(
    "cited_upload",
    VIEWS,
    Column("stream", LargeBinary(16), primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("upload", LargeBinary(16), nullable=False, index=True),
    Column("case_id", LargeBinary(16), nullable=False, index=True),
    Column("event", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("person", LargeBinary(16), index=True),
    Column("street", Text),
    Column("is_recording", Boolean, nullable=False),
    Column("source", Text, nullable=False),
    Column("sha256", Text, nullable=False, index=True),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
)

UNREADABLE = text("readable = false")
"""The index's own words: another way to say it would not find the index."""

EXAMINED = Table(
    "examined_upload",
    VIEWS,
    Column("upload", LargeBinary(16), primary_key=True),
    Column("seq", BigInteger, nullable=False, unique=True),
    Column("person", LargeBinary(16), index=True),
    Column("at", BigInteger, nullable=False),
    Column("readable", Boolean, nullable=False),
    Column("says", Text),
    Column("seconds", Double),
    Column("content", Text, index=True),
    Column("pixels", Text, index=True),
    Column("phash", BigInteger),
    Column("dhash", BigInteger),
    Column("parts", LargeBinary),
    Column("brightness", Double),
    Column("highlights", Double),
    Column("sharpness", Double),
    Column("width", Integer),
    Column("height", Integer),
    Index("examined_unreadable", "at", sqlite_where=UNREADABLE, postgresql_where=UNREADABLE),
)

DERIVED = Table(
    "derived_file",
    VIEWS,
    Column("name", Text, primary_key=True),
    Column("upload", LargeBinary(16), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("sha256", Text, nullable=False, index=True),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
)

CHECKED = Table(
    "checked_upload",
    VIEWS,
    Column("upload", LargeBinary(16), primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("case_id", LargeBinary(16), nullable=False, index=True),
)

FINDING = Table(
    "finding",
    VIEWS,
    Column("id", LargeBinary(16), primary_key=True),
    Column("upload", LargeBinary(16), nullable=False, index=True),
    Column("case_id", LargeBinary(16), nullable=False, index=True),
    Column("position", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("says", Text, nullable=False),
    Column("other", LargeBinary(16)),
    Column("other_case", LargeBinary(16)),
    Column("at", BigInteger, nullable=False),
)

REDACTED = Table(
    "redacted_photo",
    VIEWS,
    Column("upload", LargeBinary(16), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("case_id", LargeBinary(16), nullable=False),
    Column("boxes", Integer, nullable=False),
    Column("redacted_by", Text, nullable=False),
    Column("redacted_at", BigInteger, nullable=False),
    Column("confirmed_by", Text),
    Column("confirmed_at", BigInteger),
)

OWED = Table(
    "owed_to_upload",
    VIEWS,
    Column("upload", LargeBinary(16), primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("what", Text, primary_key=True),
    Index("owed_to_upload_order", "position", "upload", "what"),
)

_NOT_MEASURED: Values = (None,) * 10
"""What stands in `examined_upload` of a file that is no readable picture."""

OF_UPLOADS = (EXAMINED, DERIVED, CHECKED, FINDING, REDACTED, OWED)


def _holds_photos(kind: type[msgspec.Struct]) -> bool:
    return bool({"photos", "recording"} & set(kind.__struct_fields__)) and (
        kind is not did.RectificationUnreadable
    )


_NAME_OF = {kind: name for name, kind in did.STORED_AS.items()}

CITING = frozenset(kind for kind in did.STORED_AS.values() if _holds_photos(kind))
"""Facts of cases that may cite uploads."""

_OTHERS = frozenset(did.STORED_AS.values()) - CITING

_HIGH = 1 << 63


def signed(bits: int) -> int:
    """64 bits as both databases keep whole numbers."""
    return bits - (_HIGH << 1) if bits >= _HIGH else bits


def unsigned(stored: int) -> int:
    """The 64 bits of `signed`."""
    return stored + (_HIGH << 1) if stored < 0 else stored


def photos_of(event: msgspec.Struct) -> tuple[tuple[Photo, bool], ...]:
    """The uploads that a fact of a case cites, each with whether it is a recording."""
    photos: object = getattr(event, "photos", ())
    recording: object = getattr(event, "recording", None)
    found = [(p, False) for p in photos if isinstance(p, Photo)] if photos else []  # type: ignore[attr-defined]  # a tuple wherever it is there
    if isinstance(recording, Photo):
        found.append((recording, True))
    return tuple(found)


class EvidenceFold:
    """Rows to be added, and what is owed less what was done; only a redaction is ever changed."""

    def __init__(self, *, empty: bool) -> None:
        self._empty = empty
        self._rows: dict[str, list[Values]] = {}
        self._owed: set[tuple[bytes, int, str]] = set()
        self._done: set[tuple[bytes, int | None, str]] = set()
        self._known: set[bytes] = set()
        self._unreadable: set[bytes] = set()
        self._confirmed: list[tuple[bytes, int, str, int]] = []
        self._persons: set[bytes] = set()
        """Whose uploads are among the rows in hand."""
        self._erased: set[bytes] = set()
        self._put = copy_rows if empty else upsert_rows

    def read(self, connection: Connection, lines: Sequence[Line]) -> None:
        """Which of the uploads that are cited were examined before: nothing is owed to them."""
        cited = {p.upload.bytes for line in lines for p, _ in photos_of(line.event)}
        for chunk in chunks(cited):
            rows = connection.execute(
                select(EXAMINED.c.upload, EXAMINED.c.readable).where(EXAMINED.c.upload.in_(chunk))
            )
            for upload, readable in rows:
                self._note_examined(upload, readable=readable)

    def _note_examined(self, upload: bytes, *, readable: bool) -> None:
        self._known.add(upload)
        if not readable:
            self._unreadable.add(upload)

    def _add(self, table: Table, *values: object) -> None:
        self._rows.setdefault(table.name, []).append(values)  # type: ignore[arg-type]  # plain values of our own columns

    def apply(self, line: Line) -> None:
        event = line.event
        if line.kind in CITING:
            self._cite(line)
            return
        if line.kind in _OTHERS:
            line.key()
            return
        match event:
            case did.PersonErased():
                self._forget(event.person.bytes)
            case evidence.EvidenceExamined():
                self._examined(line, event)
            case evidence.PhotoUnreadable():
                self._told(line, event, readable=False, says=event.says)
                self._done.add((event.upload.bytes, None, CHECK))
            case evidence.RecordingExamined():
                self._told(line, event, readable=True, seconds=event.seconds)
            case evidence.PhotoChecked():
                self._checked(line, event)
            case evidence.PhotoRedacted():
                upload, by = event.upload.bytes, line.recorded.actor.id
                self._add(
                    REDACTED, upload, event.number, event.case.bytes, len(event.boxes),
                    by, line.at, None, None,
                )  # fmt: skip
                self._derived(upload, "redacted", event.number, event.file)
            case evidence.RedactionConfirmed():
                by = line.recorded.actor.id
                self._confirmed.append((event.upload.bytes, event.number, by, line.at))
            case _:
                line.key()

    def _cite(self, line: Line) -> None:
        key = line.key()
        cited = photos_of(line.event)
        if not cited:
            return
        name = _NAME_OF[type(line.event)]  # type: ignore[index]  # a fact of a case: `key()` saw to it
        person = getattr(line.event, "person", None)
        if person:
            self._persons.add(person.bytes)
        for ordinal, (photo, is_recording) in enumerate(cited):
            upload = photo.upload.bytes
            self._add(
                CITED, line.stream, line.position, ordinal, upload, key.case_id, name, line.at,
                person.bytes if person else None, getattr(line.event, "street", None),
                is_recording, photo.source, photo.sha256, photo.wrapped_key,
                photo.media_type, photo.size,
            )  # fmt: skip
            if upload not in self._known:
                self._owed.add((upload, line.position, EXAMINE))
            if name == HANDED_OVER and upload not in self._unreadable:
                self._owed.add((upload, line.position, CHECK))

    def _told(
        self,
        line: Line,
        event: evidence.EvidenceFact,
        *,
        readable: bool,
        says: str | None = None,
        seconds: float | None = None,
        measured: Values = _NOT_MEASURED,
    ) -> None:
        upload, person = event.upload.bytes, event.person
        if person:
            self._persons.add(person.bytes)
        self._note_examined(upload, readable=readable)
        self._done.add((upload, None, EXAMINE))
        self._add(
            EXAMINED, upload, line.position, person.bytes if person else None, line.at, readable,
            says, seconds, *measured,
        )  # fmt: skip

    def _examined(self, line: Line, e: evidence.EvidenceExamined) -> None:
        looks = line.looks()
        measured: Values = (None,) * 8
        if looks is not None:
            measured = (
                looks.content, looks.pixels, signed(looks.phash), signed(looks.dhash), looks.parts,
                looks.brightness, looks.highlights, looks.sharpness,
            )  # fmt: skip
        self._told(line, e, readable=True, measured=(*measured, e.width, e.height))
        self._derived(e.upload.bytes, "thumbnail", 0, e.thumbnail)
        self._derived(e.upload.bytes, "display", 0, e.display)

    def _derived(self, upload: bytes, kind: str, number: int, f: evidence.Derived) -> None:
        self._add(
            DERIVED, f.name, upload, kind, number, f.sha256, f.wrapped_key, f.media_type,
            f.size, f.width, f.height,
        )  # fmt: skip

    def _checked(self, line: Line, e: evidence.PhotoChecked) -> None:
        self._done.add((e.upload.bytes, e.position, CHECK))
        self._add(CHECKED, e.upload.bytes, e.position, e.case.bytes)
        for f in e.findings:
            self._add(
                FINDING, f.id.bytes, e.upload.bytes, e.case.bytes, e.position, f.kind,
                f.severity, f.says,
                f.other.bytes if f.other else None,
                f.other_case.bytes if f.other_case else None, line.at,
            )  # fmt: skip

    def _forget(self, person: bytes) -> None:
        """Rows gathered in this very batch go here; those in the tables when it is written."""
        self._erased.add(person)
        if person not in self._persons:
            return
        at = CITED.columns.keys().index("person")
        cited = self._rows.get(CITED.name, [])
        gone = {row[3] for row in cited if row[at] == person}
        gone |= {row[0] for row in self._rows.get(EXAMINED.name, []) if row[2] == person}
        self._rows[CITED.name] = [row for row in cited if row[at] != person]
        for table in OF_UPLOADS:
            n = table.columns.keys().index("upload")
            rows = self._rows.get(table.name, [])
            self._rows[table.name] = [row for row in rows if row[n] not in gone]
        self._owed = {owed for owed in self._owed if owed[0] not in gone}

    def spill(self, connection: Connection) -> None:
        """Memory suffices: a row for each upload, some hundred bytes."""

    def write(self, connection: Connection) -> None:
        for person in self._erased:
            _wipe(connection, person)
        for table in (CITED, EXAMINED, DERIVED, CHECKED, FINDING, REDACTED):
            self._put(connection, table, self._rows.pop(table.name, []))
        for upload, number, by, at in self._confirmed:
            connection.execute(
                update(REDACTED)
                .where(REDACTED.c.upload == upload, REDACTED.c.number == number)
                .values(confirmed_by=by, confirmed_at=at)
            )
        settled = {(u, w) for u, n, w in self._done if n is None}
        owed = [o for o in self._owed if o not in self._done and (o[0], o[2]) not in settled]
        self._put(connection, OWED, owed)
        if not self._empty:
            for upload, position, what in self._done:
                here = [OWED.c.upload == upload, OWED.c.what == what]
                if position is not None:
                    here.append(OWED.c.position == position)
                connection.execute(delete(OWED).where(*here))
        self._owed, self._done, self._confirmed, self._erased = set(), set(), [], set()
        self._persons, self._rows = set(), {}


def _wipe(connection: Connection, person: bytes) -> None:
    uploads = set(connection.scalars(select(CITED.c.upload).where(CITED.c.person == person)))
    uploads |= set(connection.scalars(select(EXAMINED.c.upload).where(EXAMINED.c.person == person)))
    connection.execute(delete(CITED).where(CITED.c.person == person))
    for chunk in chunks(uploads):
        for table in OF_UPLOADS:
            connection.execute(delete(table).where(table.c.upload.in_(chunk)))


class Evidence:
    """The reader that keeps what is known of uploads."""

    name = "evidence"
    tables: tuple[Table, ...] = (CITED, *OF_UPLOADS)
    on_poison = OnPoison.HOLD
    beside = EVIDENCE_EVENTS

    @property
    def sources(self) -> tuple[ModuleType, ...]:
        return (sys.modules[__name__], reading_of_lines)

    def fold(self, *, empty: bool) -> EvidenceFold:
        return EvidenceFold(empty=empty)

    def prepare(self, connection: Connection) -> None:
        """Its tables say all."""

    def finish(self, connection: Connection) -> None:
        """What two folds of a rebuild could not know of each other: what is owed no more."""
        told = select(EXAMINED.c.upload)
        connection.execute(delete(OWED).where(OWED.c.what == EXAMINE, OWED.c.upload.in_(told)))
        unreadable = told.where(EXAMINED.c.readable.is_(False))
        connection.execute(delete(OWED).where(OWED.c.what == CHECK, OWED.c.upload.in_(unreadable)))
        done = select(CHECKED.c.upload).where(
            CHECKED.c.upload == OWED.c.upload, CHECKED.c.position == OWED.c.position
        )
        connection.execute(delete(OWED).where(OWED.c.what == CHECK, done.exists()))

    def scrub(self, connection: Connection) -> None:
        """It holds no words; deleted bytes are overwritten where they stood."""
