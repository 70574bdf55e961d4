"""What the desks ask of the case board: one case, a filtered list newest first, a public status.

Answers are frozen views; rows never leave. Words are masked and at most one line.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, select, union_all

from casework.errors import when
from casework.lifecycle import LABELS, Status
from casework.log.port import stream_id
from casework.model import WINDOWS
from projections.case_board import CASE_BOARD, BoardRow
from projections.lines import ERASED
from projections.tables import IN_CHUNK, micros, moment, structs

MOST = 200
"""Cases a page at most."""

_C = CASE_BOARD.c


class CaseView(msgspec.Struct, frozen=True):
    """A case on the board. Times are UTC; `lon`, `lat` WGS-84 degrees; `version` is the ETag's.

    `due_at` is the moment that presses most and `due_clock` its clock. `claim_until` may be past:
    a claim lapses by itself. `first_line` is masked.
    """

    case_id: UUID
    number: str
    version: int
    position: int
    status: Status
    street: str | None
    certainty: str
    indicator: str | None
    condition: str | None
    place_kind: str
    lon: float
    lat: float
    channel: str
    submitted_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    due_at: datetime | None
    due_clock: str | None
    street_due_at: datetime | None
    round: int
    first_line: str | None
    new_information: bool
    on_behalf: bool
    danger: tuple[str, ...]
    designated: bool
    pending: tuple[str, ...]
    code: str | None
    recurrence_of: UUID | None
    merged_into: UUID | None
    merged_number: str | None
    demonstration: bool
    claim_by: str | None
    claim_until: datetime | None


class Page(msgspec.Struct, frozen=True):
    """Some cases, newest first, and the cursor of the next page, or None."""

    cases: tuple[CaseView, ...]
    cursor: str | None


class PublicStatus(msgspec.Struct, frozen=True):
    """What anybody may know who has the number (案件处理状态)."""

    number: str
    status: Status
    label: str
    street: str | None
    submitted_at: datetime
    updated_at: datetime
    ended_at: datetime | None


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What a list is narrowed by; all that is given must hold.

    `bbox` is west, south, east, north in WGS-84 degrees. `start` ≤ submitted < `end`. `overdue`
    asks for cases whose most pressing clock was due before the moment it is given; windows that
    merely lapse (rating, objection …) make nobody late. `sent_by` is a partner's id, `pending` an
    action whose request waits for an answer.
    """

    status: tuple[Status, ...] = ()
    street: str | None = None
    indicator: str | None = None
    due_before: datetime | None = None
    overdue: datetime | None = None
    bbox: tuple[float, float, float, float] | None = None
    start: datetime | None = None
    end: datetime | None = None
    demonstration: bool | None = None
    sent_by: str | None = None
    pending: str | None = None


class StaleCursor(Exception):  # noqa: N818  the caller's mistake: 400
    """A cursor of another log epoch, or none of ours."""

    def __str__(self) -> str:
        return "翻页标记已失效，请从第一页重新查询。"


RECURS_WITHIN = timedelta(days=30)
"""After the end of a case the same thing at the same spot is its recurrence (domain.md 3)."""

SAME_SPOT_DEGREES = (0.0006, 0.00045)
"""Half a box of about 50 m, in longitude and latitude at 40° north."""


def recurrence_of(
    connection: Connection, lon: float, lat: float, indicator: str, now: datetime
) -> UUID | None:
    """The latest case of that indicator at that spot that ended within 30 days, or None.

    `lon`, `lat` are WGS-84 degrees; the spot is a box of about 50 m around them.
    """
    east, north = SAME_SPOT_DEGREES
    question = (
        select(_C.case_id)
        .where(
            _C.lat.between(lat - north, lat + north),
            _C.lon.between(lon - east, lon + east),
            _C.indicator == indicator,
            _C.status.in_([str(Status.CLOSED), str(Status.COMPLETED)]),
            _C.ended_at >= micros(now - RECURS_WITHIN),
        )
        .order_by(_C.ended_at.desc())
        .limit(1)
    )
    found = connection.scalar(question)
    return None if found is None else UUID(bytes=found)


def cursor_of(epoch: UUID, seq: int) -> str:
    """An opaque cursor: the log's epoch and the last case seen."""
    return urlsafe_b64encode(epoch.bytes + seq.to_bytes(8, "big")).decode().rstrip("=")


def seq_of(cursor: str, epoch: UUID) -> int:
    """The last case seen. Raises StaleCursor."""
    try:
        raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        raise StaleCursor from None
    if len(raw) != 24 or raw[:16] != epoch.bytes:
        raise StaleCursor
    return int.from_bytes(raw[16:], "big")


def view_of(row: BoardRow) -> CaseView:
    """The frozen view of a row."""
    return CaseView(
        case_id=UUID(bytes=row.case_id),
        number=row.number,
        version=row.version,
        position=row.position,
        status=Status(row.status),
        street=row.street,
        certainty=row.certainty,
        indicator=row.indicator,
        condition=row.condition,
        place_kind=row.place_kind,
        lon=row.lon,
        lat=row.lat,
        channel=row.channel,
        submitted_at=moment(row.submitted_at),
        updated_at=moment(row.updated_at),
        ended_at=_moment(row.ended_at),
        due_at=_moment(row.due_at),
        due_clock=row.due_clock,
        street_due_at=_moment(row.street_due_at),
        round=row.round,
        first_line=ERASED if row.erased else row.first_line,
        new_information=row.new_information,
        on_behalf=row.on_behalf,
        danger=_list(row.danger),
        designated=row.designated,
        pending=_list(row.pending),
        code=row.code,
        recurrence_of=_uuid(row.recurrence_of),
        merged_into=_uuid(row.merged_into),
        merged_number=row.merged_number,
        demonstration=row.demonstration,
        claim_by=row.claim_by,
        claim_until=_moment(row.claim_until),
    )


def _moment(at: int | None) -> datetime | None:
    return None if at is None else moment(at)


def _uuid(value: bytes | None) -> UUID | None:
    return None if value is None else UUID(bytes=value)


def _list(joined: str) -> tuple[str, ...]:
    return tuple(joined.split(",")) if joined else ()


def one(connection: Connection, case_id: UUID) -> CaseView | None:
    """The case of this id, or None."""
    stream = stream_id(f"case/{case_id}").bytes
    rows = structs(connection, BoardRow, select(CASE_BOARD).where(_C.stream == stream))
    return view_of(rows[0]) if rows else None


def one_by_number(connection: Connection, number: str) -> CaseView | None:
    """The case of this number, or None."""
    rows = structs(connection, BoardRow, select(CASE_BOARD).where(_C.number == number))
    return view_of(rows[0]) if rows else None


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    equal: dict[ColumnElement[Any], object] = {  # columns of several types
        _C.street: filters.street,
        _C.indicator: filters.indicator,
        _C.sent_by: filters.sent_by,
        _C.demonstration: filters.demonstration,
    }
    found = [column == value for column, value in equal.items() if value is not None]
    if filters.due_before is not None:
        found.append(_C.due_at < micros(filters.due_before))
    if filters.overdue is not None:
        found += [_C.due_at < micros(filters.overdue), _C.due_clock.not_in(sorted(WINDOWS))]
    if filters.bbox is not None:
        west, south, east, north = filters.bbox
        found += [_C.lat.between(south, north), _C.lon.between(west, east)]
    if filters.start is not None:
        found.append(_C.submitted_at >= micros(filters.start))
    if filters.end is not None:
        found.append(_C.submitted_at < micros(filters.end))
    if filters.pending is not None:
        found.append(("," + _C.pending + ",").like(f"%,{filters.pending},%"))
    return found


def _newest(filters: Filters, also: Sequence[ColumnElement[bool]], limit: int) -> Select[int]:
    """The `seq` of the newest cases.

    With several statuses each is read newest first from its own index range and the newest of all
    are kept: one IN over them would sort every case of those statuses.
    """
    conditions = [*_conditions(filters), *also]

    def newest(*more: ColumnElement[bool]) -> Select[int]:
        return select(_C.seq).where(*conditions, *more).order_by(_C.seq.desc()).limit(limit)

    if not filters.status:
        return newest()
    each = [select(newest(_C.status == str(s)).subquery().c.seq) for s in filters.status]
    merged = union_all(*each).subquery()
    return select(merged.c.seq).order_by(merged.c.seq.desc()).limit(limit)


def newest(
    connection: Connection,
    filters: Filters,
    *,
    epoch: UUID,
    cursor: str | None = None,
    limit: int = 100,
    also: Sequence[ColumnElement[bool]] = (),
) -> Page:
    """The newest cases that the filters let through, at most 200. Raises StaleCursor.

    A page's place is the case it ended with, so cases that come in meanwhile move nothing.
    `also` are more conditions on `case_board`, such as a search's.
    """
    limit = max(1, min(limit, MOST))
    if cursor is not None:
        also = [*also, _C.seq < seq_of(cursor, epoch)]
    seqs = connection.scalars(_newest(filters, also, limit + 1)).all()
    return _page(connection, seqs, epoch, limit)


def newest_among(
    connection: Connection, seqs: Sequence[int], filters: Filters, *, epoch: UUID, limit: int = 100
) -> Page:
    """The newest of some cases, given newest first, that the filters let through."""
    limit = max(1, min(limit, MOST))
    conditions = _conditions(filters)
    if filters.status:
        conditions.append(_C.status.in_([str(s) for s in filters.status]))
    found: list[int] = []
    for start in range(0, len(seqs), IN_CHUNK):
        some = seqs[start : start + IN_CHUNK]
        question = select(_C.seq).where(_C.seq.in_(some), *conditions).order_by(_C.seq.desc())
        found += connection.scalars(question)
        if len(found) > limit:
            break
    return _page(connection, found, epoch, limit)


def _page(connection: Connection, seqs: Sequence[int], epoch: UUID, limit: int) -> Page:
    shown = seqs[:limit]
    question = select(CASE_BOARD).where(_C.seq.in_(shown)).order_by(_C.seq.desc())
    cases = tuple(view_of(row) for row in structs(connection, BoardRow, question))
    return Page(cases, cursor_of(epoch, shown[-1]) if len(seqs) > limit else None)


def citizen_label(row: CaseView, street_name: Callable[[str], str]) -> str:
    """What the citizen is told of the status, its blanks filled in."""
    return LABELS[row.status].citizen.format(
        street=street_name(row.street) if row.street else "有关街镇",
        due=when(row.street_due_at) if row.street_due_at else "近期",
        reason=row.code or "见说明",
        primary=row.merged_number or "主案",
    )


def public_status(
    connection: Connection, number: str, street_name: Callable[[str], str]
) -> PublicStatus | None:
    """Status, dates and street of a case by its number, or None; for `GET /status/{number}`.

    Of a merged case it tells that it was merged and when, as the label says into which.
    """
    row = one_by_number(connection, number)
    if row is None:
        return None
    return PublicStatus(
        row.number,
        row.status,
        citizen_label(row, street_name),
        row.street,
        row.submitted_at,
        row.updated_at,
        row.ended_at,
    )
