"""Typical cases as the views know them, on both databases: what came between, and who is fit."""

from collections.abc import Sequence
from uuid import uuid5

import pytest
from msgspec.structs import replace

from casework import events as did
from casework.log.port import Recorded, UnknownEvent, stream_id
from casework.model import Solved
from casework.monthly_issue import EntryWithdrawn, IssuePublished
from projections.reading import Readers
from projections.tables import reading
from projections.typical_cases import Doubt, Month, candidates_of, fit_count, month_of, published
from tests.projections.histories import SPACE, STREETS, ListedLog, Scribe
from tests.projections.typical import CAPTION, EDITOR, MAY, PICTURE, Typical, a_month


def tell(readers: Readers, *events: Sequence[Recorded] | Recorded) -> None:
    log = ListedLog()
    for some in events:
        log.add(*([some] if isinstance(some, Recorded) else some))
    while any(batch.events for batch in readers.step(log)):
        pass
    assert readers.held() == []


def may(readers: Readers) -> Month:
    with reading(readers.engine) as connection:
        found = month_of(connection, MAY)
    assert found is not None
    return found


@pytest.fixture
def case() -> Typical:
    return Typical(Scribe(), "1")


def test_a_published_entry_is_shown_and_its_month_is_listed(
    readers: Readers, case: Typical
) -> None:
    tell(readers, case.solved(), case.entered())
    month = may(readers)
    (entry,) = month.public
    assert entry.shown is not None and entry.shown.before == (PICTURE,)
    assert (month.version, month.changed_at) == (4, case.at)
    with reading(readers.engine) as connection:
        assert [each.month for each in published(connection)] == [MAY]
        assert month_of(connection, "2026-04") is None


def test_what_was_never_published_is_not_public(readers: Readers, case: Typical) -> None:
    tell(readers, case.solved(), case.entered()[:3])
    assert may(readers).public == [] and may(readers).changed_at is None
    with reading(readers.engine) as connection:
        assert published(connection) == []


def test_an_entry_whose_case_is_reopened_is_hidden_at_once(readers: Readers, case: Typical) -> None:
    events = [*case.solved(), *case.entered()]
    events.append(case.step(did.RecheckOpened()))
    tell(readers, events)
    (entry,) = may(readers).public
    assert entry.shown is None and entry.doubt is Doubt.RECHECKING
    assert entry.changed_at == case.at
    events.append(case.step(did.RecheckUpheld(code="V01", words=case.words("没有问题"))))
    tell(readers, events)
    (entry,) = may(readers).public
    assert entry.shown is not None and entry.changed_at == case.at, "shown again, and it shows"
    events.append(case.reopened())
    tell(readers, events)
    (entry,) = may(readers).public
    assert entry.shown is None and entry.doubt is Doubt.REOPENED


def test_what_was_looked_at_before_publication_hides_nothing(
    readers: Readers, case: Typical
) -> None:
    events = case.solved()
    events += [case.reopened(), case.handed_over(), case.closed(), case.rated(round_=2)]
    tell(readers, events, case.entered())
    assert may(readers).public[0].shown is not None


def test_a_reopening_between_the_last_look_and_the_publication_counts(
    readers: Readers, case: Typical
) -> None:
    events = [*case.solved(), *case.entered()[:3]]
    seen = case.scribe.position
    events.append(case.reopened())
    late = case.public()
    assert isinstance(late.event, IssuePublished)
    events.append(replace(late, event=replace(late.event, seen=seen)))
    tell(readers, events)
    assert may(readers).public[0].doubt is Doubt.REOPENED


def test_a_consent_taken_back_hides_the_entry_that_shows_photos(
    readers: Readers, case: Typical
) -> None:
    events = [*case.solved(), *case.entered(), case.consent_withdrawn(uuid5(SPACE, "stranger"))]
    tell(readers, events)
    assert may(readers).public[0].shown is not None, "not a reporter of this entry"
    tell(readers, [*events, case.consent_withdrawn()])
    assert may(readers).public[0].doubt is Doubt.CONSENT


def test_of_an_erased_reporter_nothing_stays(readers: Readers, case: Typical) -> None:
    events = [*case.solved(), *case.entered(), case.scribe.erase(case.person, case.at)]
    tell(readers, events)
    (entry,) = may(readers).public
    assert entry.shown is None and entry.doubt is Doubt.ERASED
    assert CAPTION not in str(entry) and PICTURE.name not in str(entry)
    with reading(readers.engine) as connection:
        assert fit_count(connection, 202605) == 0


def test_a_withdrawn_entry_stays_in_its_month(readers: Readers, case: Typical) -> None:
    withdrawn = EntryWithdrawn(entry=1, code="W02", withdrawn_by="编甲")
    tell(readers, case.solved(), case.entered(), case.told(withdrawn))
    (entry,) = may(readers).public
    assert entry.shown is None and entry.entry.withdrawn_code == "W02"
    assert entry.changed_at == case.at


def test_candidates_are_the_best_of_each_street_and_indicator_that_agreed(
    readers: Readers,
) -> None:
    scribe = Scribe()
    mine = [Typical(scribe, str(n)) for n in range(3)]
    silent, there = Typical(scribe, "silent"), Typical(scribe, "there", street=STREETS[1])
    partly, back = Typical(scribe, "partly"), Typical(scribe, "back")
    events = [event for case in (*mine, there, back) for event in case.solved()]
    events += silent.solved(agreed=False)
    events += [
        partly.reported(), partly.handed_over(), partly.closed(), partly.rated(Solved.PARTLY),
        back.consent_withdrawn(),
    ]  # fmt: skip
    tell(readers, events)
    with reading(readers.engine) as connection:
        two = candidates_of(connection, 202605, 2)
        everything = candidates_of(connection, 202605, 9)
        assert candidates_of(connection, 202604, 9) == []
    assert len(two) == 3 and there.case_id in dict(two)
    assert set(dict(everything)) == {case.case_id for case in (*mine, there)}
    assert dict(everything)[there.case_id].number == "HDthere"


def test_a_whole_month_stands_as_it_was_told(readers: Readers) -> None:
    tell(readers, a_month(1))
    doubts = [entry.doubt for entry in may(readers).public]
    assert doubts == [None, Doubt.REOPENED, Doubt.CONSENT, Doubt.ERASED]


def test_what_cannot_be_read_is_held_and_hides_nothing_else(
    readers: Readers, case: Typical
) -> None:
    unknown = UnknownEvent("issue-embellished", b"{}", "later release")
    events = [*case.solved(), *case.entered()]
    events.append(case.scribe.record(stream_id("issue/2026-04"), unknown, case.at, EDITOR))
    events.append(case.reopened())
    log = ListedLog(events)
    while any(batch.events for batch in readers.step(log)):
        pass
    assert "typical_cases" in {held.reader for held in readers.held()}
    assert may(readers).public[0].doubt is Doubt.REOPENED
