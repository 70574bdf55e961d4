"""回访: which closed cases somebody has to ask about again, and how each round was rated.

A task is there until the visit is recorded: for a satisfaction of 2 or less, for everything closed
without being put right (现场未发现, 转办, 强制结案), and for a fixed sample of what nobody rated.
Reads facts only: no words, no person.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from casework.log.port import stream_id
from projections.facts import CASE_FACT, CLOSED, FOREVER, FactRow, Flag
from projections.measure_catalogue import MINUTE
from projections.tables import micros, moment, structs

_C = CASE_FACT.c

UNHAPPY = 2
"""The satisfaction at and below which somebody asks again."""

UNRATED_AFTER = timedelta(days=15)
"""The sample rating window: before it ends nobody counts as unrated."""

LOOK_BACK = timedelta(days=90)
"""As long as 督办重办 is possible; an older case is asked about no more."""

SAMPLE = 13
"""Of 256: cases whose stream begins with a byte below it, about 5 %, the same at every look."""


class Why(StrEnum):
    """Why a visit is due; the first that holds."""

    UNHAPPY = "unhappy"
    NOT_FOUND = "not_found"
    TRANSFERRED = "transferred"
    FORCE_CLOSED = "force_closed"
    UNRATED = "unrated"


class Visit(msgspec.Struct, frozen=True):
    """A visit that is due."""

    case_id: UUID
    number: str
    round: int
    street: str | None
    indicator: str
    closed_at: datetime
    why: Why
    satisfaction: int | None
    solved: str | None


def _has(flag: Flag) -> ColumnElement[bool]:
    return _C.flags.bitwise_and(int(flag)) != 0


def _due(now: datetime) -> list[ColumnElement[bool]]:
    not_found = Flag.ACCEPTED | Flag.NOT_FOUND
    sampled = and_(
        ~_has(Flag.RATED | Flag.STAFF_ENTERED),
        _C.closed_at <= micros(now - UNRATED_AFTER),
        _C.stream < bytes([SAMPLE]),
    )
    return [
        _C.to_pos == FOREVER,
        _C.closed_at >= micros(now - LOOK_BACK),
        ~_has(Flag.VISITED | Flag.REOPENED),
        or_(
            _C.satisfaction <= UNHAPPY,
            _C.flags.bitwise_and(int(not_found)) == int(not_found),
            _has(Flag.TRANSFERRED | Flag.FORCE_CLOSED),
            sampled,
        ),
    ]


def visits(connection: Connection, now: datetime, limit: int = 100) -> tuple[int, list[Visit]]:
    """How many visits are due, and the first of them: the longest closed first."""
    where = _due(now)
    total = connection.scalar(select(func.count()).select_from(CASE_FACT).where(*where))
    question = select(CASE_FACT).where(*where).order_by(_C.closed_at, _C.stream).limit(limit)
    return int(total or 0), [_visit(row) for row in structs(connection, FactRow, question)]


def _visit(row: FactRow) -> Visit:
    assert row.closed_at is not None, "asked for"
    return Visit(
        UUID(bytes=row.case_id),
        row.number,
        row.round,
        row.street,
        row.indicator,
        moment(row.closed_at),
        _why(row),
        row.satisfaction,
        row.solved,
    )


def _why(row: FactRow) -> Why:
    if row.satisfaction is not None and row.satisfaction <= UNHAPPY:
        return Why.UNHAPPY
    if row.has(Flag.TRANSFERRED):
        return Why.TRANSFERRED
    if row.has(Flag.FORCE_CLOSED):
        return Why.FORCE_CLOSED
    return Why.NOT_FOUND if row.has(Flag.NOT_FOUND) else Why.UNRATED


class RatedRound(msgspec.Struct, frozen=True, kw_only=True):
    """A round as it was rated, and the objective time beside it.

    `solved` and `satisfaction` are the worst of the round's ratings, `efficiency` their mean.
    `minutes` from dispatch to hand-over by the wall, `handling_minutes` on the handling clock.
    """

    round: int
    street: str | None
    closed_at: datetime
    ratings: int
    solved: str | None
    satisfaction: int | None
    efficiency: float | None
    minutes: int | None
    handling_minutes: int | None
    in_time: bool | None
    visited: bool
    visit_agrees: bool | None


def ratings_of(connection: Connection, case_id: UUID) -> list[RatedRound]:
    """Every closed round of a case, in order."""
    question = (
        select(CASE_FACT)
        .where(
            _C.stream == stream_id(f"case/{case_id}").bytes,
            _C.to_pos == FOREVER,
            _has(CLOSED),
        )
        .order_by(_C.ordinal)
    )
    return [_round(row) for row in structs(connection, FactRow, question)]


def _round(row: FactRow) -> RatedRound:
    assert row.closed_at is not None, "asked for"
    handed, dispatched = row.handed_at, row.dispatched_at
    spent = None if handed is None or dispatched is None else (handed - dispatched) // MINUTE
    return RatedRound(
        round=row.round,
        street=row.street,
        closed_at=moment(row.closed_at),
        ratings=row.ratings,
        solved=row.solved,
        satisfaction=row.satisfaction,
        efficiency=round(row.efficiency / row.ratings, 2) if row.ratings else None,
        minutes=spent,
        handling_minutes=None if row.handled is None else row.handled // MINUTE,
        in_time=None if handed is None else row.has(Flag.HANDED_IN_TIME),
        visited=row.has(Flag.VISITED),
        visit_agrees=row.has(Flag.VISIT_AGREES) if row.has(Flag.VISIT_COMPARES) else None,
    )
