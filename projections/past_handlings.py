"""Handlings as they stood at a moment, by when they were dispatched or due. Judges nothing."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from casework.handlings import Begun, Cut, PastHandling, as_of
from casework.model import Limit, PlaceKind, Unit
from projections.handlings import HANDLING, HandlingRow, told
from projections.tables import micros

BATCH = 2_000
"""Rows fetched at a time: a reader of many does not hold them all."""

_C = HANDLING.c


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which handlings: dispatched in [first, last), or due there (`by_due`), as of the cut.

    No street or indicator given means all of them; the indicator is the one that held then.
    """

    first: datetime
    last: datetime
    cut: Cut
    by_due: bool = False
    streets: tuple[str, ...] = ()
    indicator: str | None = None


def count(connection: Connection, wanted: Wanted, most: int) -> int:
    """How many rows would be looked at, or `most` + 1 where there are more."""
    some = select(_C.stream).where(*_conditions(wanted)).limit(most + 1).subquery()
    return int(connection.scalar(select(func.count()).select_from(some)) or 0)


def past(connection: Connection, wanted: Wanted) -> Iterator[PastHandling]:
    """The handlings as they stood, in no order; read on while the connection is open."""
    question = select(HANDLING).where(*_conditions(wanted)).execution_options(yield_per=BATCH)
    first, last = wanted.first, wanted.last
    for row in connection.execute(question):
        handling = as_it_stood(HandlingRow(*row), wanted.cut)
        if handling is None or wanted.indicator not in {None, handling.indicator}:
            continue
        if wanted.by_due and not (first <= handling.due_at < last or _plainly(handling, wanted)):
            continue
        yield handling


def as_it_stood(row: HandlingRow, cut: Cut) -> PastHandling | None:
    """A row as it stood at the cut; None where it was not there yet."""
    begun = Begun(
        case=str(UUID(bytes=row.case_id)),
        number=row.number,
        ordinal=row.ordinal,
        round=row.round,
        reopened=row.reopened,
        staff_entered=row.staff_entered,
        street=row.street,
        indicator=row.indicator,
        condition=row.condition,
        place_kind=PlaceKind(row.place_kind),
        position=row.position,
        dispatched_at=row.dispatched_at,
        limit=Limit(row.amount, Unit(row.unit)),
    )
    return as_of(begun, told(row.facts), cut)


def _plainly(handling: PastHandling, wanted: Wanted) -> bool:
    """Whether its due time without special periods lies there."""
    plain = handling.plain_due_at
    return plain is not None and wanted.first <= plain < wanted.last


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    first, last, cut = micros(wanted.first), micros(wanted.last), wanted.cut
    found: list[ColumnElement[bool]] = []
    if wanted.by_due:
        still = and_(_C.moved.is_(False), _C.due_low >= first, _C.due_low < last)
        found.append(or_(still, and_(_C.moved, _C.due_low < last, _C.due_high >= first)))
    else:
        found += [_C.dispatched_at >= first, _C.dispatched_at < last]
    if cut.position is None:
        found.append(_C.dispatched_at <= micros(cut.at))
    else:
        found.append(_C.position <= cut.position)
    if wanted.streets:
        found.append(_C.street.in_(wanted.streets))
    if wanted.indicator is not None:
        found.append(or_(_C.indicator == wanted.indicator, _C.reclassified))
    return found
