"""The demonstration: every status, every action, marked, the same for a seed, never twice."""

import asyncio
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from api import demo_accounts
from api.access import PERSONS_ACTIONS
from api.accounts.audit import AuditFilter, page
from api.accounts.principal import Channel
from api.commands.verification import LogCheck, audit_wrong
from api.demo_accounts import CAST, FILE, NotADemonstration
from casework.application import case_of
from casework.events import (
    STORED_AS,
    CaseRectified,
    DueTimesSettled,
    ReportSubmitted,
    SpecialPeriodsApplied,
)
from casework.lifecycle import Status
from casework.log.port import Recorded
from tests.running.conftest import STORY, UNTIL, Stage, close_stage, open_stage, play_on


def log_of(stage: Stage) -> list[Recorded]:
    return stage.parts.casework.eventlog.since(0, 1_000_000)


def outline(stage: Stage) -> list[tuple[str, str, str]]:
    """What a story tells, without what is random by intention (keys, nonces)."""
    told = [
        (str(r.stream), type(r.event).__name__, r.at.isoformat())
        for r in log_of(stage)
        if type(r.event) in STORED_AS.values()
    ]
    return sorted(told)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Stage]:
    stage = open_stage(tmp_path / "var")
    yield stage
    close_stage(stage)


def test_no_status_is_without_a_case(demonstration: Stage) -> None:
    reports = [r for r in log_of(demonstration) if isinstance(r.event, ReportSubmitted)]
    cases = [demonstration.parts.casework.load(case_of(r.command_id)) for r in reports]
    assert {c.case.status for c in cases if c} == set(Status) - {Status.NEW}


def test_every_event_a_case_can_have_is_told(demonstration: Stage) -> None:
    told = {type(r.event) for r in log_of(demonstration)}
    # A story told about the past has no year left to publish and no 特殊时段 declared for it.
    of_reference = {DueTimesSettled, SpecialPeriodsApplied}
    assert set(STORED_AS.values()) - of_reference <= told


def test_every_action_a_person_may_take_is_taken(demonstration: Stage) -> None:
    rows = page(demonstration.parts.desk, AuditFilter(), limit=100_000)
    taken = {row.entry.action for row in rows if row.entry.outcome == "done"}
    assert {str(action) for action in PERSONS_ACTIONS} <= taken


def test_reports_and_hand_overs_are_marked_as_demonstration(demonstration: Stage) -> None:
    marked = [
        r.event.demonstration
        for r in log_of(demonstration)
        if isinstance(r.event, ReportSubmitted | CaseRectified)
    ]
    assert marked and all(marked)


def test_nothing_happens_after_the_end_of_the_story(demonstration: Stage) -> None:
    assert max(r.at for r in log_of(demonstration) if type(r.event) in STORED_AS.values()) <= UNTIL


def test_what_was_played_is_whole(demonstration: Stage) -> None:
    check = LogCheck(demonstration.parts)
    assert not list(check.run(lambda _read: None))
    assert not list(audit_wrong(demonstration.parts))
    assert check.files > STORY.cases


@pytest.mark.deep
def test_the_same_seed_tells_the_same_even_when_cut_off_in_the_middle(
    demonstration: Stage, empty: Stage
) -> None:
    def cut(_ended: int) -> None:
        if len(log_of(empty)) > len(log_of(demonstration)) // 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        play_on(empty, STORY, cut)
    part = outline(empty)
    play_on(empty)
    assert set(part) < set(outline(demonstration))
    assert outline(empty) == outline(demonstration)


def test_played_again_it_adds_nothing(demonstration: Stage) -> None:
    head = demonstration.parts.casework.eventlog.head()
    play_on(demonstration)
    assert demonstration.parts.casework.eventlog.head() == head


def test_the_accounts_can_sign_in_and_only_their_owner_can_read_them(
    demonstration: Stage,
) -> None:
    parts = demonstration.parts
    path = parts.settings.var / FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    kept = demo_accounts.read(parts.settings.var)
    assert kept is not None and kept.keys() == CAST.keys() | {"partner"}
    # The story ends on a day; whoever looks at it, such as the test of the tour, does so later.
    later = UNTIL + timedelta(days=4000)

    async def sign_in(name: str, password: str) -> bool:
        opened = await parts.sign_in.sign_in(
            name,
            password,
            source=parts.sources.name("127.0.0.1"),
            device=None,
            channel=Channel.BEARER,
            session_id=parts.new_id(),
            now=later,
        )
        principal = parts.sessions.authenticate(opened.session.value, Channel.BEARER, later)
        return principal is not None and not principal.must_change_password

    for key in CAST:
        assert asyncio.run(sign_in(kept[key]["name"], kept[key]["password"])), key


def test_a_folder_with_accounts_of_its_own_is_no_stage(empty: Stage) -> None:
    token = empty.parts.grants.issue_first_admin_token(UNTIL)
    asyncio.run(
        empty.parts.grants.redeem(
            token, empty.parts.new_id(), "lihua", "李华", "Shui-Mo-Fang-7", UNTIL
        )
    )
    with pytest.raises(NotADemonstration):
        asyncio.run(demo_accounts.prepare(empty.parts, UNTIL))
