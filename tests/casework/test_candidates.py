"""What a typical case may tell of a case, and in which order cases are proposed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid5

import pytest
from msgspec.structs import replace

from casework import events as did
from casework.candidates import (
    Candidate,
    Ended,
    Said,
    Shot,
    fit,
    fold,
    ranked,
    why_not,
    with_consent,
    without_consent,
)
from casework.model import Actor, Clock, ClockStopped, Consents, Outcome, Photo, Solved
from tests.facts import joined, rated, reported, reworked, to_dispatched
from tests.history import (
    CITIZEN,
    GREEN,
    INSIDE,
    NEIGHBOUR,
    PHOTO,
    RULES,
    SEALED,
    THIRD_ID,
    ZHONGGUANCUN,
    mon,
    person,
    tue,
)

OTHER = Photo(UUID(int=0xF2), "cd" * 32, "image/jpeg", "camera")
AGREED = Consents(publication=True)
ME, THEY = person(CITIZEN), person(NEIGHBOUR)
SPACE = UUID("6a1f6f2e-7f0c-4f57-8b0c-2f4f3a8d9c03")


def report() -> did.ReportSubmitted:
    event = reported().event
    assert isinstance(event, did.ReportSubmitted)
    return replace(event, consents=AGREED)


def handed_over(outcome: Outcome = Outcome.RECTIFIED) -> did.CaseRectified:
    stopped = ClockStopped(Clock.HANDLING, 1, in_time=True, because="rectify", final=False)
    return did.CaseRectified(
        street=ZHONGGUANCUN, outcome=outcome, photos=(OTHER,), words=SEALED, stopped=(stopped,)
    )


def rating(by: Actor = CITIZEN, solved: Solved = Solved.YES, number: int = 1) -> did.CaseRated:
    event = rated(solved, by=by, number=number).event
    assert isinstance(event, did.CaseRated)
    return event


CLOSED = did.CaseClosed(reply=SEALED, standard="无垃圾")
REOPENED = did.CaseReopened(
    code="V11", words=SEALED, street=ZHONGGUANCUN, assignment=INSIDE,
    limit=RULES.limit("P04", "P04-1", ZHONGGUANCUN, GREEN.kind, mon("09:00").date()),
    due_at=tue("09:00"), round=2,
)  # fmt: skip
DONE: tuple[did.Event, ...] = (report(), handed_over(), CLOSED, rating())


def told(*events: did.Event) -> Candidate:
    """The candidate of facts that are an hour apart, from Monday at nine."""
    found = fold((event, mon("09:00") + timedelta(hours=n)) for n, event in enumerate(events))
    assert found is not None
    return found


def test_a_case_that_is_solved_and_rated_may_be_shown_with_its_figures() -> None:
    case = told(*DONE)
    assert why_not(case) is None and fit(case)
    assert (case.number, case.indicator, case.street) == ("HD202603020001", "P04", ZHONGGUANCUN)
    assert (case.minutes, case.in_time, case.satisfaction, case.efficiency) == (60, True, 4.0, 4.0)
    assert case.before == (Shot(PHOTO.upload, ME),) and case.after == (OTHER.upload,)
    assert case.rated_at == mon("12:00")


@pytest.mark.parametrize(
    ("then", "says"),
    [
        ((did.RecheckOpened(),), "正在复核"),
        ((did.RecheckOpened(), did.RecheckUpheld(code="V01", words=SEALED)), None),
        ((did.RecheckOpened(), REOPENED), "已重办"),
        ((REOPENED, handed_over(), CLOSED), "还没有评价"),
        ((REOPENED, handed_over(), CLOSED, rating(number=2)), None),
        ((rating(NEIGHBOUR, Solved.NO),), "部分解决或未解决"),
    ],
)
def test_what_comes_after_a_rating_counts(then: Sequence[did.Event], says: str | None) -> None:
    reason = why_not(told(*DONE, *then))
    assert reason is None if says is None else says in (reason or "")


def test_a_new_round_begins_without_hand_over_and_rating() -> None:
    case = told(*DONE, REOPENED)
    assert (case.round, case.after, case.said, case.minutes) == (2, (), (), None)
    again = reworked().event
    assert isinstance(again, did.ReworkOrdered)
    assert told(report(), handed_over(), again).minutes is None


def test_each_reporters_photos_need_their_own_consent() -> None:
    event = joined().event
    assert isinstance(event, did.ReporterJoined)
    neighbour = replace(event, photos=(OTHER,))
    case = told(report(), neighbour)
    assert case.reporters == 2 and case.consenting == (ME,)
    assert not without_consent(case, [PHOTO.upload]) and without_consent(case, [OTHER.upload])
    agreed = told(report(), replace(neighbour, consents=AGREED))
    assert not without_consent(agreed, [PHOTO.upload, OTHER.upload])
    assert without_consent(with_consent(agreed, THEY, given=False), [OTHER.upload])
    left = told(report(), replace(neighbour, consents=AGREED), did.ReporterLeft(person=THEY))
    assert left.shots_of([OTHER.upload]) == [] and left.reporters == 1


def test_further_photos_merges_places_and_classes_are_followed() -> None:
    moved = replace(GREEN, lon=116.4)
    place = did.PlaceCorrected(place=moved, assignment=INSIDE, reason=SEALED)
    supplied = did.InformationAdded(person=ME, photos=(OTHER,))
    classed = did.CaseReclassified(indicator="P05", condition="P05-1", reason=SEALED)
    absorbed = did.CaseAbsorbed(secondary=THIRD_ID, secondary_number="X", reporters=(THEY,))
    case = told(report(), supplied, place, classed, absorbed)
    assert [shot.upload for shot in case.before] == [PHOTO.upload, OTHER.upload]
    assert (case.lon, case.indicator, case.reporters) == (116.4, "P05", 2)
    released = did.CaseReleased(secondary=THIRD_ID, reporters=(THEY,))
    assert told(report(), absorbed, released).reporters == 1
    merged = did.CaseMerged(primary=THIRD_ID, primary_number="X")
    assert told(report(), merged).ended is Ended.MERGED
    unmerged = did.CaseUnmerged(primary=THIRD_ID, reason=SEALED)
    assert told(report(), merged, unmerged).ended is None


def test_before_its_report_there_is_no_candidate() -> None:
    assert fold([(CLOSED, mon("09:00"))]) is None


# the order -------------------------------------------------------------------------------


def one(
    name: str, street: str, indicator: str, satisfaction: int = 5, **changes: object
) -> tuple[UUID, Candidate]:
    reporter = uuid5(SPACE, f"reporter {name}")
    case = Candidate(
        number=name,
        person=reporter,
        submitted_at=mon("09:00"),
        lon=116.3,
        lat=39.9,
        street=street,
        indicator=indicator,
        consenting=(reporter,),
        before=(Shot(uuid5(SPACE, f"before {name}"), reporter),),
        after=(uuid5(SPACE, f"after {name}"),),
        outcome=Outcome.RECTIFIED,
        handed_over_at=mon("10:00"),
        in_time=True,
        ended=Ended.CLOSED,
        said=(Said(reporter, Solved.YES, satisfaction, 5),),
        rated_at=mon("12:00"),
    )
    return uuid5(SPACE, name), replace(case, **changes)


def names(
    cases: Sequence[tuple[UUID, Candidate]], taken: Sequence[Candidate] = (), most: int = 9
) -> list[str]:
    return [proposed.candidate.number for proposed in ranked(cases, taken, most)]


def test_a_month_is_spread_over_streets_and_indicators_before_it_repeats() -> None:
    cases = [
        one("a", "011", "P01"), one("b", "011", "P01"), one("c", "011", "P02", 4),
        one("d", "012", "P02", 4), one("e", "012", "P01"),
    ]  # fmt: skip
    # a; then d, though rated lower than b: another street and another indicator.
    assert names(cases) == ["a", "d", "b", "e", "c"]
    assert names(cases[:2], [one("x", "011", "P01")[1]]) == ["a", "b"], "ties: the smaller number"
    assert names(cases, [cases[0][1]], 1) == ["d"]


def test_what_is_not_fit_is_not_proposed() -> None:
    cases = [
        one("low", "011", "P01", 3), one("no-consent", "011", "P01", consenting=()),
        one("no-after", "011", "P01", after=()), one("no-before", "011", "P01", before=()),
        one("forced", "011", "P01", ended=Ended.FORCE_CLOSED),
        one("not-found", "011", "P01", outcome=Outcome.NOT_FOUND),
    ]  # fmt: skip
    assert names(cases) == []


def test_the_reasons_are_told_in_words() -> None:
    first, second = ranked(
        [one("a", "011", "P01"), one("b", "011", "P02", 4, in_time=False)], (), 9
    )
    assert first.because == (
        "1人评价，均为已解决",
        "满意度5分，处置效率5分",
        "整改前照片1张、整改后1张，反映人同意公开",
        "按期整改",
        "一次办结，没有重办",
        "本月该街镇首件",
        "本月该指标首件",
    )
    assert "本月该街镇已有1件，排后" in second.because and "按期整改" not in second.because
    (many,) = ranked([one("c", "011", "P01", reporters=3, round=2)], (), 9)
    assert "3人反映同一问题" in many.because and "一次办结，没有重办" not in many.because


def test_the_earlier_report_goes_first_where_all_else_is_equal() -> None:
    def at(hour: str) -> datetime:
        return mon(f"{hour}:00")

    cases = [one("b", "011", "P01", submitted_at=at("08")), one("a", "012", "P02")]
    assert names(cases) == ["b", "a"]


def test_street_and_indicator_are_those_of_the_last_dispatch_and_registration() -> None:
    case = told(report(), *(fact.event for fact in to_dispatched("P05-1")[1:]))
    assert (case.indicator, case.street) == ("P05", ZHONGGUANCUN)
    assert told(*DONE, did.CaseCompleted()) == told(*DONE), "most facts tell nothing of it"


@pytest.mark.parametrize(
    ("end", "ended"),
    [
        (did.CaseTransferred(body="市水务局", number="Z-1"), Ended.TRANSFERRED),
        (did.CaseForceClosed(code="F01"), Ended.FORCE_CLOSED),
    ],
)
def test_an_end_that_is_no_solution_is_kept_apart(end: did.Event, ended: Ended) -> None:
    assert told(report(), end).ended is ended
    elsewhere = did.InformationAdded(person=ME)
    assert told(report(), end, elsewhere) == told(report(), end)
