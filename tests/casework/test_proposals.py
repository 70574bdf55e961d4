"""A change of catalogue, calendar or boundaries takes two people."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import msgspec
import pytest

from casework import catalogue, events, reference
from casework.catalogue import RetireIndicator
from casework.clocks import CalendarYear, Holiday
from casework.effective import LEAD, TakesEffectTooSoon
from casework.errors import ConflictOfInterest, Missing, NothingPending, NotPermitted
from casework.indicators import NotInCatalogue
from casework.model import Actor, ActorKind, Role
from casework.proposals import (
    STORED_AS,
    Change,
    ChangeConfirmed,
    ChangeDeclined,
    ChangeProposed,
    ChangeWithdrawn,
    Command,
    Confirm,
    Decline,
    Event,
    Propose,
    Withdraw,
    decide,
    fold,
)
from casework.reference import AdoptBoundaries, PublishYear, References, SetWindows
from casework.seeds import calendar_events, catalogue_events

DATA = Path(__file__).parents[2] / "data"
GENESIS = datetime(2024, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
TOMORROW = NOW + timedelta(days=1)
BOUNDARIES = AdoptBoundaries(
    sha256="5f" * 32, source="自绘", accuracy_note="95%在150米内", effective_from=GENESIS
)
REFERENCES = References(
    tuple(catalogue_events(DATA / "indicators", GENESIS)),
    tuple(calendar_events(DATA / "calendar", GENESIS)),
    tuple(reference.found_boundaries(BOUNDARIES)),
)

ADMIN = Actor(ActorKind.STAFF, "管理员甲", roles=(Role.SYSADMIN,))
SUPERVISOR = Actor(ActorKind.STAFF, "督办员乙", roles=(Role.SUPERVISOR,))
BOTH = Actor(ActorKind.STAFF, "管理员甲", roles=(Role.SYSADMIN, Role.SUPERVISOR))

RETIRE = RetireIndicator(code="P08", effective_from=TOMORROW)
PROPOSED = ChangeProposed(change=RETIRE, reason="区里已发文", proposed_by=ADMIN.id)

EVERY_STREAM: list[Change] = [
    RETIRE,
    PublishYear(
        year=CalendarYear(2027, (Holiday("元旦", date(2027, 1, 1), date(2027, 1, 3)),), (), "试填"),
        effective_from=TOMORROW,
    ),
    SetWindows(
        duty=((time(6), time(22)),), working=((time(9), time(17)),), effective_from=TOMORROW
    ),
    msgspec.structs.replace(BOUNDARIES, sha256="a0" * 32, effective_from=TOMORROW),
]


@pytest.mark.parametrize("change", EVERY_STREAM, ids=lambda change: type(change).__name__)
def test_what_one_proposes_and_another_confirms_is_changed(change: Change) -> None:
    proposed = decide(None, Propose(change=change, reason="试"), ADMIN, REFERENCES, NOW)
    assert not any(proposed.changes)

    confirmed = decide(fold(proposed.events), Confirm(), SUPERVISOR, REFERENCES, NOW)

    assert confirmed.events == [ChangeConfirmed(confirmed_by=SUPERVISOR.id)]
    after = REFERENCES.grown(*confirmed.changes)
    assert after.rules_at(TOMORROW) != REFERENCES.rules_at(TOMORROW)
    assert sum(len(stream) for stream in confirmed.changes) == 1


def test_nobody_confirms_what_they_proposed() -> None:
    with pytest.raises(ConflictOfInterest, match="变更由您提出"):
        decide(fold([PROPOSED]), Confirm(), BOTH, REFERENCES, NOW)


@pytest.mark.parametrize(
    ("command", "by", "needs"),
    [
        (Propose(change=RETIRE, reason="试"), SUPERVISOR, "系统管理员"),
        (Confirm(), ADMIN, "督办员"),
        (Decline(reason="不妥"), ADMIN, "督办员"),
    ],
)
def test_each_step_needs_its_role(command: Command, by: Actor, needs: str) -> None:
    with pytest.raises(NotPermitted, match=needs):
        decide(fold([PROPOSED]), command, by, REFERENCES, NOW)


def test_a_proposal_is_declined_with_a_reason_or_withdrawn_by_its_author() -> None:
    waiting = fold([PROPOSED])

    assert decide(waiting, Decline(reason="不妥"), SUPERVISOR, REFERENCES, NOW).events == [
        ChangeDeclined(declined_by=SUPERVISOR.id, reason="不妥")
    ]
    assert decide(waiting, Withdraw(), ADMIN, REFERENCES, NOW).events == [ChangeWithdrawn()]
    with pytest.raises(Missing, match="理由"):
        decide(waiting, Decline(reason=" "), SUPERVISOR, REFERENCES, NOW)
    with pytest.raises(ConflictOfInterest, match="提出人"):
        decide(waiting, Withdraw(), SUPERVISOR, REFERENCES, NOW)


ENDS: list[Event] = [
    ChangeConfirmed(confirmed_by="乙"),
    ChangeDeclined(declined_by="乙", reason="不妥"),
    ChangeWithdrawn(),
]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: type(end).__name__)
def test_a_proposal_is_decided_once(end: Event) -> None:
    for command, by in (
        (Confirm(), SUPERVISOR),
        (Decline(reason="不妥"), SUPERVISOR),
        (Withdraw(), ADMIN),
    ):
        with pytest.raises(NothingPending, match="没有待确认"):
            decide(fold([PROPOSED, end]), command, by, REFERENCES, NOW)
        with pytest.raises(NothingPending):
            decide(None, command, by, REFERENCES, NOW)


def test_nonsense_is_refused_when_it_is_proposed() -> None:
    ghost = RetireIndicator(code="P77", effective_from=TOMORROW)

    with pytest.raises(NotInCatalogue):
        decide(None, Propose(change=ghost, reason="试"), ADMIN, REFERENCES, NOW)
    with pytest.raises(Missing, match="理由"):
        decide(None, Propose(change=RETIRE, reason=""), ADMIN, REFERENCES, NOW)


def test_a_change_is_judged_again_when_it_is_confirmed() -> None:
    waiting = fold([PROPOSED])
    retired = catalogue.decide(
        catalogue.fold(REFERENCES.catalogue),
        RetireIndicator(code="P08", effective_from=NOW + LEAD),
        NOW,
    )

    with pytest.raises(NotInCatalogue):
        decide(waiting, Confirm(), SUPERVISOR, REFERENCES.grown(catalogue=retired), NOW)
    with pytest.raises(TakesEffectTooSoon):
        decide(waiting, Confirm(), SUPERVISOR, REFERENCES, TOMORROW)


@pytest.mark.parametrize("change", EVERY_STREAM, ids=lambda change: type(change).__name__)
def test_a_stored_proposal_comes_back_the_same(change: Change) -> None:
    event = ChangeProposed(change=change, reason="试", proposed_by="甲")

    assert msgspec.json.decode(msgspec.json.encode(event), type=ChangeProposed) == event


def test_the_stored_names_are_the_proposals_own() -> None:
    assert set(STORED_AS.values()) == {ChangeProposed, *(type(end) for end in ENDS)}
    for other in (events.STORED_AS, catalogue.STORED_AS, reference.STORED_AS):
        assert not STORED_AS.keys() & other.keys()
