"""Open cases that may be the same problem: place, kind, time, picture. A proposal, never a merge.

To a citizen only what everybody may know of a case is told (its number, kind and street, about how
far), and only of cases that a reviewer has looked at.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from math import ceil, cos, radians
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from casework.lifecycle import BEFORE_CLOSING, Status
from evidence.duplicates import ASK, SAME_PICTURE_M, Pair, Score, score
from evidence.likeness import Likeness, same_picture
from evidence.provenance import Position, metres
from projections import evidence_seen
from projections.case_history import REVIEWED
from projections.evidence_seen import OpenCase
from projections.repeats import OpenReport, open_reports, sent_twice

MOST_LOOKED_AT = 400
"""Open cases within a kilometre that are compared, the newest: more than a square kilometre has."""
MOST_TOLD = 5
COARSE_M = 50
"""To a citizen distances are told in steps of so much: a case's pin is not everybody's."""

_DEGREE_M = 111_320.0
_CELL_M = 100.0
_SQUARE = (0.0012, 0.0009)
"""Degrees of longitude and latitude of a square of about 100 m: without one picture, what reaches
`ASK` is 83 m away at most, for place then counts half of what it can."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A report, sent or about to be: degrees in WGS-84, metres; `pictures` as far as examined."""

    lon: float
    lat: float
    at: datetime
    accuracy_m: float = 0.0
    indicator: str | None = None
    indicator_name: str = ""
    pictures: tuple[Likeness, ...] = ()


class Similar(msgspec.Struct, frozen=True):
    """An open case that looks like the same problem."""

    case: OpenCase
    distance_m: float
    score: Score


def for_reviewer(connection: Connection, asked: Asked, itself: UUID) -> list[Similar]:
    """What a reviewer should look at before 立案, the likeliest first."""
    found = _scored(connection, asked, BEFORE_CLOSING, itself)
    return [one for one in found if one.score.proposed][:MOST_TOLD]


class Repeated(msgspec.Struct, frozen=True):
    """A report that waits for review, and the earlier open case that it is most like."""

    seq: int
    case: OpenCase
    like: Similar


def repeated(connection: Connection) -> dict[int, Repeated]:
    """疑似重复: what waits for review and very likely repeats an earlier open case, by its `seq`.

    Weighed as in `for_reviewer`, from `ASK` on, but with two differences that keep one look at all
    open cases cheap: pins count as exact, and pictures are the same only if file or pixels are.
    """
    reports = open_reports(connection)
    waiting = [report for report in reports if report.status == Status.SUBMITTED]
    twice = sent_twice(connection, [UUID(bytes=report.case_id) for report in waiting])
    squares: dict[tuple[int, int], list[OpenReport]] = defaultdict(list)
    for report in reports:
        squares[_square(report)].append(report)
    by_id = {report.case_id: report for report in reports} if twice else {}
    found: dict[int, Repeated] = {}
    for report in waiting:
        same = {case.bytes for case in twice.get(UUID(bytes=report.case_id), ())}
        earlier = [one for one in _beside(squares, report) if one.seq < report.seq]
        for case in same:
            one = by_id.get(case)
            if one is not None and one.seq < report.seq and one not in earlier:
                earlier.append(one)
        if not earlier:
            continue
        here = report.case
        scored = [_like(here, one.case, same=one.case_id in same) for one in earlier]
        likest = max(scored, key=lambda one: (one.score.value, -one.distance_m))
        if likest.score.value >= ASK:
            found[report.seq] = Repeated(report.seq, here, likest)
    return found


def _like(here: OpenCase, case: OpenCase, *, same: bool) -> Similar:
    away = metres(Position(here.lon, here.lat), Position(case.lon, case.lat))
    asked = Asked(lon=here.lon, lat=here.lat, at=here.submitted_at, indicator=here.indicator)
    return Similar(case, away, score(_pair(asked, case, away, same or None)))


def _square(report: OpenReport) -> tuple[int, int]:
    east, north = _SQUARE
    return int(report.lon / east), int(report.lat / north)


def _beside(
    squares: Mapping[tuple[int, int], list[OpenReport]], report: OpenReport
) -> Iterator[OpenReport]:
    """What lies in the square of the report, or in one beside it."""
    x, y = _square(report)
    for east in (x - 1, x, x + 1):
        for north in (y - 1, y, y + 1):
            yield from squares.get((east, north), ())


def for_citizen(connection: Connection, asked: Asked) -> list[Similar]:
    """What a citizen is asked about before sending (我也遇到), with coarse distances."""
    known = BEFORE_CLOSING & frozenset(REVIEWED)
    found = [one for one in _scored(connection, asked, known, None) if one.score.worth_asking]
    return [_coarse(one, asked) for one in found[:MOST_TOLD]]


def _scored(
    connection: Connection,
    asked: Asked,
    statuses: frozenset[Status],
    itself: UUID | None,
) -> list[Similar]:
    near = evidence_seen.open_cases_near(connection, _around(asked), statuses, MOST_LOOKED_AT)
    near = [case for case in near if case.case_id != itself]
    pictures = (
        evidence_seen.pictures_reported(connection, [case.case_id for case in near])
        if asked.pictures
        else {}
    )
    here = Position(asked.lon, asked.lat)
    found = []
    for case in near:
        away = metres(here, Position(case.lon, case.lat))
        pair = _pair(asked, case, away, _same(asked, pictures.get(case.case_id, [])))
        found.append(Similar(case, away, score(pair)))
    return sorted(found, key=lambda one: (-one.score.value, one.distance_m))


def _pair(asked: Asked, case: OpenCase, away: float, same: bool | None) -> Pair:  # noqa: FBT001  a third answer: not known
    return Pair(
        distance_m=away,
        apart=asked.at - case.submitted_at,
        accuracy_m=asked.accuracy_m,
        indicator=asked.indicator,
        earlier_indicator=case.indicator,
        indicator_name=asked.indicator_name,
        same_picture=same,
    )


def _same(asked: Asked, pictures: Sequence[evidence_seen.Hashes]) -> bool | None:
    if not asked.pictures or not pictures:
        return None
    return any(
        same_picture(mine, Likeness(one.phash, one.dhash, one.parts))
        for mine in asked.pictures
        for one in pictures
    )


def _coarse(found: Similar, asked: Asked) -> Similar:
    """The same, with the distance rounded up, also in the reasons."""
    away = float(ceil(max(found.distance_m, 1.0) / COARSE_M) * COARSE_M)
    same = True if "照片几乎相同" in found.score.reasons else None
    told = score(_pair(asked, found.case, away, same))
    reasons = told.reasons or found.score.reasons[1:]
    return Similar(found.case, away, Score(found.score.value, reasons))


def _around(asked: Asked) -> tuple[float, float, float, float]:
    """The box of cells in which a case may lie that is near enough."""
    reach = SAME_PICTURE_M + _CELL_M if asked.pictures else 200.0 + _CELL_M
    up = reach / _DEGREE_M
    right = up / cos(radians(asked.lat))
    return asked.lon - right, asked.lat - up, asked.lon + right, asked.lat + up
