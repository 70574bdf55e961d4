"""A case as a typical case might tell of it: whether it may, and how well. A fold of its own.

What is shown of a case in public comes from here and from nowhere else, so that the desk's proposal
and the last look before publication judge alike. Knows no issue, no view and no word of a person.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec
from msgspec.structs import replace

from casework import events as did
from casework.model import Clock, Outcome, Photo, Solved

HIGH = 4
"""Satisfaction of 5 from which a case is proposed: 满意 or better, as in 满意率."""

_MINUTE = 60


class Ended(StrEnum):
    """How the last round ended."""

    CLOSED = "closed"
    TRANSFERRED = "transferred"
    FORCE_CLOSED = "force_closed"
    MERGED = "merged"


class Shot(msgspec.Struct, frozen=True):
    """A reporter's photo, and whose it is."""

    upload: UUID
    person: UUID


class Said(msgspec.Struct, frozen=True):
    """A rating of the round that counts, without its words."""

    person: UUID
    solved: Solved
    satisfaction: int
    efficiency: int


class Candidate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a typical case may tell of a case. `lon`, `lat` are the pin in WGS-84 degrees."""

    number: str
    person: UUID
    """Who reported it first."""
    submitted_at: datetime
    lon: float
    lat: float
    street: str | None = None
    indicator: str | None = None
    round: int = 1
    reporters: int = 1
    consenting: tuple[UUID, ...] = ()
    """Reporters who agreed to publication."""
    before: tuple[Shot, ...] = ()
    after: tuple[UUID, ...] = ()
    """Uploads of the last hand-over."""
    outcome: Outcome | None = None
    handed_over_at: datetime | None = None
    in_time: bool | None = None
    ended: Ended | None = None
    rechecking: bool = False
    said: tuple[Said, ...] = ()
    rated_at: datetime | None = None
    demonstration: bool = False

    @property
    def minutes(self) -> int | None:
        """Whole minutes by the wall from the report to the hand-over that was accepted."""
        if self.handed_over_at is None:
            return None
        return int((self.handed_over_at - self.submitted_at).total_seconds()) // _MINUTE

    @property
    def satisfaction(self) -> float:
        """The mean of those who rated, 1 to 5, to one place; 0 where nobody did."""
        return _mean([said.satisfaction for said in self.said])

    @property
    def efficiency(self) -> float:
        """As `satisfaction`."""
        return _mean([said.efficiency for said in self.said])

    def shots_of(self, uploads: Collection[UUID]) -> list[Shot]:
        """The reporters' photos among these uploads."""
        return [shot for shot in self.before if shot.upload in uploads]


def _mean(values: Sequence[int]) -> float:
    return round(sum(values) / len(values), 1) if values else 0.0


def evolve(known: Candidate | None, event: did.Event, at: datetime) -> Candidate | None:  # noqa: C901, PLR0912  one arm a fact
    """The candidate after a fact of its case; None before the report. Refuses nothing."""
    if isinstance(event, did.ReportSubmitted):
        return _began(event, at)
    if known is None:
        return None
    match event:
        case did.ReporterJoined(person=person, photos=photos, consents=consents):
            known = with_consent(known, person, given=consents.publication)
            return replace(_with_shots(known, person, photos), reporters=known.reporters + 1)
        case (
            did.InformationSupplied(person=person, photos=photos)
            | did.InformationAdded(person=person, photos=photos)
        ):
            return _with_shots(known, person, photos)
        case did.ReporterLeft(person=person):
            left = tuple(shot for shot in known.before if shot.person != person)
            known = with_consent(known, person, given=False)
            return replace(known, before=left, reporters=max(1, known.reporters - 1))
        case did.CaseAbsorbed(reporters=brought):
            return replace(known, reporters=known.reporters + len(brought))
        case did.CaseReleased(reporters=gone):
            return replace(known, reporters=max(1, known.reporters - len(gone)))
        case did.CaseMerged():
            return replace(known, ended=Ended.MERGED)
        case did.CaseUnmerged():
            return replace(known, ended=None)
        case did.CaseRegistered(indicator=indicator) | did.CaseReclassified(indicator=indicator):
            return replace(known, indicator=indicator)
        case did.PlaceCorrected(place=place):
            return replace(known, lon=place.lon, lat=place.lat)
        case did.CaseDispatched(street=street):
            return replace(known, street=str(street))
        case did.CaseRectified(outcome=outcome, photos=photos):
            in_time = next((s.in_time for s in event.stopped if s.clock is Clock.HANDLING), None)
            return replace(
                known,
                outcome=outcome,
                after=tuple(photo.upload for photo in photos),
                handed_over_at=at,
                in_time=in_time,
            )
        case did.ReworkOrdered():
            return replace(known, handed_over_at=None, in_time=None)
        case did.CaseClosed():
            return replace(known, ended=Ended.CLOSED)
        case did.CaseTransferred():
            return replace(known, ended=Ended.TRANSFERRED)
        case did.CaseForceClosed():
            return replace(known, ended=Ended.FORCE_CLOSED)
        case did.CaseRated() as rated:
            said = Said(rated.person, rated.solved, rated.satisfaction, rated.efficiency)
            return replace(known, said=(*known.said, said), rated_at=at)
        case did.RecheckOpened():
            return replace(known, rechecking=True)
        case did.RecheckUpheld():
            return replace(known, rechecking=False)
        case did.CaseReopened() as again:
            return replace(
                known,
                round=again.round,
                street=str(again.street),
                ended=None,
                rechecking=False,
                said=(),
                rated_at=None,
                after=(),
                outcome=None,
                handed_over_at=None,
                in_time=None,
            )
        case _:
            return known


def _began(event: did.ReportSubmitted, at: datetime) -> Candidate:
    return Candidate(
        number=event.number,
        person=event.person,
        submitted_at=at,
        lon=event.place.lon,
        lat=event.place.lat,
        street=event.assignment.street,
        indicator=event.indicator,
        consenting=(event.person,) if event.consents.publication else (),
        before=tuple(Shot(photo.upload, event.person) for photo in event.photos),
        demonstration=event.demonstration,
    )


def _with_shots(known: Candidate, person: UUID, photos: Sequence[Photo]) -> Candidate:
    shots = tuple(Shot(photo.upload, person) for photo in photos)
    return replace(known, before=(*known.before, *shots)) if shots else known


def with_consent(known: Candidate, person: UUID, *, given: bool) -> Candidate:
    """The candidate once a reporter has agreed to publication, or taken that back."""
    others = tuple(each for each in known.consenting if each != person)
    return replace(known, consenting=(*others, person) if given else others)


def fold(history: Iterable[tuple[did.Event, datetime]]) -> Candidate | None:
    """The candidate after these facts, each with its time."""
    known: Candidate | None = None
    for event, at in history:
        known = evolve(known, event, at)
    return known


# may it be shown? ------------------------------------------------------------------------


_NOT_CLOSED: dict[Ended | None, str] = {
    None: "案件没有结案，或已重办。",
    Ended.TRANSFERRED: "案件已转办，不算解决。",
    Ended.FORCE_CLOSED: "案件为强制结案，不算解决。",
    Ended.MERGED: "案件已并入其他案件，请推荐主案件。",
}


def why_not(case: Candidate) -> str | None:
    """Why it cannot be a typical case now, in Chinese; None where it can."""
    if case.ended is not Ended.CLOSED:
        return _NOT_CLOSED[case.ended]
    if case.rechecking:
        return "案件正在复核。"
    if case.outcome is Outcome.NOT_FOUND:
        return "处置结果为现场未发现，没有整改可以展示。"
    if not case.said:
        return "反映人还没有评价。"
    if any(said.solved is not Solved.YES for said in case.said):
        return "有反映人评价为部分解决或未解决。"
    return None


def without_consent(case: Candidate, uploads: Collection[UUID]) -> bool:
    """Whether some of these photos are of reporters who did not agree to publication."""
    return any(shot.person not in case.consenting for shot in case.shots_of(uploads))


# how well? -------------------------------------------------------------------------------

_PER_SATISFACTION, _PER_EFFICIENCY = 20.0, 6.0
_PAIR, _IN_TIME, _FIRST_ROUND, _PER_REPORTER = 10.0, 20.0, 10.0, 3.0
_MOST_PHOTOS, _MOST_REPORTERS = 3, 5
_SAME_STREET, _SAME_INDICATOR = 25.0, 25.0
"""Points. Satisfaction leads; a second case of a 街镇 or an indicator costs more than one grade of
satisfaction, so that a month shows the breadth of the district before its favourites."""


class Proposed(msgspec.Struct, frozen=True):
    """A case with its points when it was chosen, and why, in Chinese."""

    case: UUID
    candidate: Candidate
    score: float
    because: tuple[str, ...]


def fit(case: Candidate) -> bool:
    """Whether it is proposed at all: solved, rated high, a pair of photos, consent given."""
    return (
        why_not(case) is None
        and min(said.satisfaction for said in case.said) >= HIGH
        and bool(case.after)
        and any(shot.person in case.consenting for shot in case.before)
    )


def ranked(
    cases: Iterable[tuple[UUID, Candidate]], taken: Iterable[Candidate], most: int
) -> list[Proposed]:
    """The best `most` of those that are fit, one after another, spread over 街镇 and indicators.

    `taken` are in the month's issue already: what is like them stands back. Ties go to the earlier
    report, then to the smaller number, so that the same month gives the same list.
    """
    left = {case_id: (case, _points(case)) for case_id, case in cases if fit(case)}
    streets: dict[str | None, int] = {}
    indicators: dict[str | None, int] = {}
    for case in taken:
        _count(case, streets, indicators)
    chosen: list[Proposed] = []

    def now(case_id: UUID) -> float:
        case, points = left[case_id]
        return (
            points
            - _SAME_STREET * streets.get(case.street, 0)
            - _SAME_INDICATOR * indicators.get(case.indicator, 0)
        )

    def order(case_id: UUID) -> tuple[float, datetime, str]:
        case = left[case_id][0]
        return -now(case_id), case.submitted_at, case.number

    while left and len(chosen) < most:
        best = min(left, key=order)
        case = left[best][0]
        because = _because(case, streets.get(case.street, 0), indicators.get(case.indicator, 0))
        chosen.append(Proposed(best, case, round(now(best), 1), because))
        _count(case, streets, indicators)
        del left[best]
    return chosen


def _count(
    case: Candidate, streets: dict[str | None, int], indicators: dict[str | None, int]
) -> None:
    streets[case.street] = streets.get(case.street, 0) + 1
    indicators[case.indicator] = indicators.get(case.indicator, 0) + 1


def _agreed(case: Candidate) -> int:
    return sum(shot.person in case.consenting for shot in case.before)


def _points(case: Candidate) -> float:
    return (
        _PER_SATISFACTION * case.satisfaction
        + _PER_EFFICIENCY * case.efficiency
        + _PAIR * min(_agreed(case), len(case.after), _MOST_PHOTOS)
        + _IN_TIME * bool(case.in_time)
        + _FIRST_ROUND * (case.round == 1)
        + _PER_REPORTER * min(case.reporters - 1, _MOST_REPORTERS)
    )


def _because(case: Candidate, of_street: int, of_indicator: int) -> tuple[str, ...]:
    reasons = [
        f"{len(case.said)}人评价，均为已解决",
        f"满意度{case.satisfaction:g}分，处置效率{case.efficiency:g}分",
        f"整改前照片{_agreed(case)}张、整改后{len(case.after)}张，反映人同意公开",
    ]
    if case.in_time:
        reasons.append("按期整改")
    if case.round == 1:
        reasons.append("一次办结，没有重办")
    if case.reporters > 1:
        reasons.append(f"{case.reporters}人反映同一问题")
    reasons.append("本月该街镇首件" if not of_street else f"本月该街镇已有{of_street}件，排后")
    reasons.append(
        "本月该指标首件" if not of_indicator else f"本月该指标已有{of_indicator}件，排后"
    )
    return tuple(reasons)
