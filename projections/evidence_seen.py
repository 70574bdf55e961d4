"""What one asks of the uploads: those of a case with their state, a file by its name, what is owed.

Answers with frozen views. Ids are UUIDs, times UTC.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, Select, select, tuple_

from casework.lifecycle import Status
from projections.case_history import CASE_INTERVAL
from projections.evidence import (
    CHECKED,
    CITED,
    DERIVED,
    EXAMINED,
    FINDING,
    HANDED_OVER,
    OWED,
    REDACTED,
    UNREADABLE,
    unsigned,
)
from projections.lines import CASE_KEY
from projections.tables import chunks, micros, moment

AnyRow = Row[tuple[object, ...]]


class State(StrEnum):
    """How far an upload is looked at."""

    EXAMINING = "examining"
    READY = "ready"
    UNREADABLE = "unreadable"


BY_REPORTERS = (
    "report-submitted",
    "information-supplied",
    "information-added",
    "reporter-joined",
)
"""Facts whose pictures show the problem as reporters saw it."""

STATE_NAMES = {
    State.EXAMINING: "检查中",
    State.READY: "可查看",
    State.UNREADABLE: "无法使用",
}


class Cited(msgspec.Struct, frozen=True):
    """An upload as a fact of a case cites it. `position` is that fact's place in the log."""

    upload: UUID
    case_id: UUID
    position: int
    ordinal: int
    event: str
    at: datetime
    person: UUID | None
    street: str | None
    is_recording: bool
    source: str
    sha256: str
    wrapped_key: bytes
    media_type: str
    size: int


class File(msgspec.Struct, frozen=True):
    """A derived file, ready to be read. `kind` is thumbnail, display or redacted."""

    name: str
    upload: UUID
    kind: str
    number: int
    sha256: str
    wrapped_key: bytes
    media_type: str
    size: int
    width: int
    height: int


class FoundOn(msgspec.Struct, frozen=True):
    """A finding on a photo of a hand-over, which stands at `position`."""

    id: UUID
    upload: UUID
    case_id: UUID
    position: int
    kind: str
    severity: str
    says: str
    other: UUID | None
    other_case: UUID | None
    at: datetime


class Redaction(msgspec.Struct, frozen=True):
    """A redacted picture, by whom, and who looked at it again."""

    upload: UUID
    number: int
    case_id: UUID
    boxes: int
    redacted_by: str
    redacted_at: datetime
    confirmed_by: str | None
    confirmed_at: datetime | None


class CasePhoto(msgspec.Struct, frozen=True):
    """An upload of a case, as far as it is looked at. `says` is why it cannot be used."""

    cited: Cited
    state: State
    says: str | None = None
    seconds: float | None = None
    files: tuple[File, ...] = ()
    checked: bool = False
    findings: tuple[FoundOn, ...] = ()
    redactions: tuple[Redaction, ...] = ()

    def file(self, kind: str) -> File | None:
        """The newest file of a kind, or None."""
        return max((f for f in self.files if f.kind == kind), key=lambda f: f.number, default=None)


class Hashes(msgspec.Struct, frozen=True):
    """What a readable picture looks like. `seq` orders pictures by when it was told."""

    seq: int
    upload: UUID
    content: str
    pixels: str
    phash: int
    dhash: int
    parts: bytes


class Owed(msgspec.Struct, frozen=True):
    """What is still to be told of an upload that the fact at `position` cites."""

    upload: UUID
    position: int
    what: str


def _id(stored: bytes | None) -> UUID | None:
    return None if stored is None else UUID(bytes=stored)


def _cited(row: AnyRow) -> Cited:
    return Cited(
        upload=UUID(bytes=row.upload),
        case_id=UUID(bytes=row.case_id),
        position=row.position,
        ordinal=row.ordinal,
        event=row.event,
        at=moment(row.at),
        person=_id(row.person),
        street=row.street,
        is_recording=bool(row.is_recording),
        source=row.source,
        sha256=row.sha256,
        wrapped_key=bytes(row.wrapped_key),
        media_type=row.media_type,
        size=row.size,
    )


def _file(row: AnyRow) -> File:
    return File(
        name=row.name,
        upload=UUID(bytes=row.upload),
        kind=row.kind,
        number=row.number,
        sha256=row.sha256,
        wrapped_key=bytes(row.wrapped_key),
        media_type=row.media_type,
        size=row.size,
        width=row.width,
        height=row.height,
    )


def _found(row: AnyRow) -> FoundOn:
    return FoundOn(
        id=UUID(bytes=row.id),
        upload=UUID(bytes=row.upload),
        case_id=UUID(bytes=row.case_id),
        position=row.position,
        kind=row.kind,
        severity=row.severity,
        says=row.says,
        other=_id(row.other),
        other_case=_id(row.other_case),
        at=moment(row.at),
    )


def _redaction(row: AnyRow) -> Redaction:
    return Redaction(
        upload=UUID(bytes=row.upload),
        number=row.number,
        case_id=UUID(bytes=row.case_id),
        boxes=row.boxes,
        redacted_by=row.redacted_by,
        redacted_at=moment(row.redacted_at),
        confirmed_by=row.confirmed_by,
        confirmed_at=None if row.confirmed_at is None else moment(row.confirmed_at),
    )


# uploads and files -----------------------------------------------------------------------


def citing(connection: Connection, uploads: Iterable[UUID]) -> list[Cited]:
    """Every fact that cites one of these uploads, in the order of the log."""
    found = []
    for chunk in chunks(upload.bytes for upload in uploads):
        rows = connection.execute(select(CITED).where(CITED.c.upload.in_(chunk)))
        found += [_cited(row) for row in rows]
    return sorted(found, key=lambda c: (c.position, c.ordinal))


def file_named(connection: Connection, name: str) -> File | None:
    """The derived file of a random name."""
    row = connection.execute(select(DERIVED).where(DERIVED.c.name == name)).one_or_none()
    return None if row is None else _file(row)


def photos_of_case(connection: Connection, case_id: UUID) -> list[CasePhoto]:
    """Every upload of a case in the order in which it came, each with what is known of it."""
    rows = connection.execute(
        select(CITED)
        .where(CITED.c.case_id == case_id.bytes)
        .order_by(CITED.c.position, CITED.c.ordinal)
    )
    cited = [_cited(row) for row in rows]
    return _told(connection, cited) if cited else []


def _told(connection: Connection, cited: Sequence[Cited]) -> list[CasePhoto]:
    uploads = list({one.upload.bytes for one in cited})
    examined = {
        UUID(bytes=row.upload): row
        for row in connection.execute(select(EXAMINED).where(EXAMINED.c.upload.in_(uploads)))
    }
    files = [_file(r) for r in _of(connection, select(DERIVED), DERIVED.c.upload.in_(uploads))]
    found = [_found(r) for r in _of(connection, select(FINDING), FINDING.c.upload.in_(uploads))]
    redacted = [
        _redaction(r) for r in _of(connection, select(REDACTED), REDACTED.c.upload.in_(uploads))
    ]
    checked = {
        (UUID(bytes=row.upload), row.position)
        for row in connection.execute(select(CHECKED).where(CHECKED.c.upload.in_(uploads)))
    }
    told = []
    for one in cited:
        row = examined.get(one.upload)
        state = State.EXAMINING
        if row is not None:
            state = State.READY if row.readable else State.UNREADABLE
        told.append(
            CasePhoto(
                cited=one,
                state=state,
                says=row.says if row is not None else None,
                seconds=row.seconds if row is not None else None,
                files=tuple(f for f in files if f.upload == one.upload),
                checked=(one.upload, one.position) in checked,
                findings=tuple(
                    f for f in found if (f.upload, f.position) == (one.upload, one.position)
                ),
                redactions=tuple(
                    sorted((r for r in redacted if r.upload == one.upload), key=lambda r: r.number)
                ),
            )
        )
    return told


def _of(
    connection: Connection, question: Select[tuple[object, ...]], where: object
) -> list[AnyRow]:
    return list(connection.execute(question.where(where)).all())  # type: ignore[arg-type]  # a condition on a column


def findings_of_hand_over(connection: Connection, case_id: UUID) -> list[FoundOn]:
    """The findings on the photos of a case's last hand-over."""
    last = connection.scalar(
        select(CITED.c.position)
        .where(CITED.c.case_id == case_id.bytes, CITED.c.event == HANDED_OVER)
        .order_by(CITED.c.position.desc())
        .limit(1)
    )
    if last is None:
        return []
    rows = connection.execute(
        select(FINDING)
        .where(FINDING.c.case_id == case_id.bytes, FINDING.c.position == last)
        .order_by(FINDING.c.id)
    )
    return [_found(row) for row in rows]


def is_cited(connection: Connection, sha256: str) -> bool:
    """Whether a fact names this sealed file, as an upload or as made from one."""
    for table in (CITED, DERIVED):
        question = select(table.c.sha256).where(table.c.sha256 == sha256).limit(1)
        if connection.scalar(question) is not None:
            return True
    return False


def files_cited(connection: Connection) -> list[tuple[str, UUID]]:
    """Every sealed file that a fact names, with its upload, each once, in order of the names."""
    found: dict[str, UUID] = {}
    for table in (CITED, DERIVED):
        for sha256, upload in connection.execute(select(table.c.sha256, table.c.upload)):
            found[sha256] = UUID(bytes=upload)
    return sorted(found.items())


# work ------------------------------------------------------------------------------------


def owed(connection: Connection, limit: int, after: Owed | None = None) -> list[Owed]:
    """What is owed to uploads, the oldest first, from behind a row of an earlier page on."""
    order = (OWED.c.position, OWED.c.upload, OWED.c.what)
    question = select(OWED).order_by(*order).limit(limit)
    if after is not None:
        behind = (after.position, after.upload.bytes, after.what)
        question = question.where(tuple_(*order) > behind)
    return [_owed(row) for row in connection.execute(question)]


def owed_to(connection: Connection, upload: UUID) -> list[Owed]:
    """What is owed to one upload."""
    rows = connection.execute(select(OWED).where(OWED.c.upload == upload.bytes))
    return [_owed(row) for row in rows]


def _owed(row: AnyRow) -> Owed:
    return Owed(UUID(bytes=row.upload), row.position, row.what)


def hand_overs_unreadable(connection: Connection, since: datetime) -> list[UUID]:
    """Cases with a hand-over one of whose photos was told to be unreadable since then."""
    # In two steps, each on its index; a join would read every citation there is.
    recent = connection.scalars(
        select(EXAMINED.c.upload).where(UNREADABLE, EXAMINED.c.at >= micros(since))
    )
    found: set[UUID] = set()
    for chunk in chunks(recent.all()):
        cases = connection.scalars(
            select(CITED.c.case_id).where(CITED.c.upload.in_(chunk), CITED.c.event == HANDED_OVER)
        )
        found |= {UUID(bytes=case) for case in cases}
    return sorted(found)


def unreadable(connection: Connection, uploads: Iterable[UUID]) -> frozenset[UUID]:
    """Those of these uploads that cannot be read."""
    found: set[UUID] = set()
    for chunk in chunks(upload.bytes for upload in uploads):
        rows = connection.scalars(
            select(EXAMINED.c.upload).where(
                EXAMINED.c.upload.in_(chunk), EXAMINED.c.readable.is_(False)
            )
        )
        found |= {UUID(bytes=row) for row in rows}
    return frozenset(found)


def hashes_after(connection: Connection, seq: int, limit: int) -> list[Hashes]:
    """What readable pictures look like, in the order in which they were told, above `seq`."""
    rows = connection.execute(
        select(EXAMINED)
        .where(EXAMINED.c.seq > seq, EXAMINED.c.phash.is_not(None))
        .order_by(EXAMINED.c.seq)
        .limit(limit)
    )
    return [_hashes(row) for row in rows]


def hashes_of(connection: Connection, uploads: Iterable[UUID]) -> dict[UUID, Hashes]:
    """What these uploads look like, as far as they are readable pictures."""
    found = {}
    for chunk in chunks(upload.bytes for upload in uploads):
        rows = connection.execute(
            select(EXAMINED).where(EXAMINED.c.upload.in_(chunk), EXAMINED.c.phash.is_not(None))
        )
        for row in rows:
            found[UUID(bytes=row.upload)] = _hashes(row)
    return found


def _hashes(row: AnyRow) -> Hashes:
    return Hashes(
        seq=row.seq,
        upload=UUID(bytes=row.upload),
        content=row.content,
        pixels=row.pixels,
        phash=unsigned(row.phash),
        dhash=unsigned(row.dhash),
        parts=bytes(row.parts),
    )


def seq_before_newest(connection: Connection, n: int) -> int:
    """The `seq` above which the newest `n` readable pictures lie; 0 where there are not so many."""
    seq = connection.scalar(
        select(EXAMINED.c.seq)
        .where(EXAMINED.c.phash.is_not(None))
        .order_by(EXAMINED.c.seq.desc())
        .offset(n)
        .limit(1)
    )
    return int(seq or 0)


def same_bytes(connection: Connection, content: str, pixels: str) -> set[UUID]:
    """Uploads of the very same file or the very same pixels."""
    found: set[UUID] = set()
    for column, value in ((EXAMINED.c.content, content), (EXAMINED.c.pixels, pixels)):
        rows = connection.scalars(select(EXAMINED.c.upload).where(column == value))
        found |= {UUID(bytes=row) for row in rows}
    return found


def numbers_of(connection: Connection, cases: Iterable[UUID]) -> dict[UUID, str]:
    """The numbers of these cases."""
    found: dict[UUID, str] = {}
    for chunk in chunks(case.bytes for case in cases):
        rows = connection.execute(
            select(CASE_KEY.c.case_id, CASE_KEY.c.number).where(CASE_KEY.c.case_id.in_(chunk))
        )
        found |= {UUID(bytes=case_id): number for case_id, number in rows}
    return found


def pictures_reported(connection: Connection, cases: Iterable[UUID]) -> dict[UUID, list[Hashes]]:
    """What the pictures look like that reporters sent of these cases."""
    found: dict[UUID, list[Hashes]] = {}
    for chunk in chunks(case.bytes for case in cases):
        rows = connection.execute(
            select(CITED.c.case_id.label("of_case"), EXAMINED)
            .join(EXAMINED, EXAMINED.c.upload == CITED.c.upload)
            .where(
                CITED.c.case_id.in_(chunk),
                CITED.c.event.in_(BY_REPORTERS),
                EXAMINED.c.phash.is_not(None),
            )
        )
        for row in rows:
            found.setdefault(UUID(bytes=row.of_case), []).append(_hashes(row))
    return found


class OpenCase(msgspec.Struct, frozen=True):
    """A case that is not closed yet, near a place. Degrees in WGS-84."""

    case_id: UUID
    number: str
    status: Status
    street: str | None
    indicator: str | None
    lon: float
    lat: float
    submitted_at: datetime


def open_cases_near(
    connection: Connection,
    box: tuple[float, float, float, float],
    statuses: Iterable[Status],
    limit: int,
) -> list[OpenCase]:
    """Cases in one of these statuses whose 100 m cell lies in the box, the newest first.

    `box` is west, south, east, north of the cells' middles. Read off an index on the cells.
    """
    of = CASE_INTERVAL.c
    west, south, east, north = box
    rows = connection.execute(
        select(CASE_INTERVAL, CASE_KEY.c.case_id)
        .join(CASE_KEY, CASE_KEY.c.seq == of.seq)
        .where(
            of.to_pos.is_(None),
            of.cell_lat.between(south, north),
            of.cell_lon.between(west, east),
            of.status.in_([str(status) for status in statuses]),
        )
        .order_by(of.seq.desc())
        .limit(limit)
    )
    return [
        OpenCase(
            case_id=UUID(bytes=row.case_id),
            number=row.number,
            status=Status(row.status),
            street=row.street,
            indicator=row.indicator,
            lon=row.lon,
            lat=row.lat,
            submitted_at=moment(row.submitted_at),
        )
        for row in rows
    ]


def submitted_at(connection: Connection, case_id: UUID) -> datetime | None:
    """When the case was reported, or None."""
    found = connection.scalar(
        select(CASE_INTERVAL.c.submitted_at)
        .join(CASE_KEY, CASE_KEY.c.seq == CASE_INTERVAL.c.seq)
        .where(CASE_KEY.c.case_id == case_id.bytes)
        .limit(1)
    )
    return None if found is None else moment(found)
