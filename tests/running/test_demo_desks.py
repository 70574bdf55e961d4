"""What a newcomer sees after `make run`: a public month, and work on every list of every desk."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TypeVar

import feedparser
import httpx
import pytest

from api.access import Visitor
from api.app import create_app
from api.demo_accounts import Troupe
from api.demo_places import DEMO_STREETS
from api.demo_typical_words import IN_WORK, PUBLISHED
from api.routes import accounts, desks, duty, indicators, shifts, special_periods
from api.routes.cases import list_cases
from api.routes.typical_cases import stage_of
from api.typical_cases import read_issue
from api.typical_schemas import TypicalMonthOut
from casework.lifecycle import Action
from projections.street_desk import SECTIONS, sections
from projections.tables import reading
from tests.running.conftest import UNTIL, Stage

LAST, THIS = "2026-10", "2026-11"
"""The last full month before the end of the story, and the month of that end."""

T = TypeVar("T")


def visitor(key: str) -> Visitor:
    return Visitor(Troupe({}).principal(key), "test")


def run(work: Coroutine[object, object, T]) -> T:
    return asyncio.run(work)


@pytest.fixture(scope="module")
def got(demonstration: Stage) -> Callable[[str], httpx.Response]:
    """An answer of the app over what was played, to somebody without an account."""
    door = httpx.ASGITransport(create_app(demonstration.parts))

    async def ask(path: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=door, base_url="http://127.0.0.1") as client:
            return await client.get(path)

    return lambda path: run(ask(path))


# the public ------------------------------------------------------------------------------


def test_the_last_full_month_is_public_in_title_pictures_and_words(
    got: Callable[[str], httpx.Response],
) -> None:
    page = got(f"/typical-cases/{LAST}")
    assert page.status_code == 200
    told = got(f"/api/v1/typical-cases/{LAST}")
    month = TypicalMonthOut.model_validate_json(told.content)
    assert len(month.entries) == len(PUBLISHED)
    assert len({entry.street for entry in month.entries}) == len(PUBLISHED)
    assert len({entry.indicator for entry in month.entries}) == len(PUBLISHED)
    for entry, words in zip(month.entries, PUBLISHED, strict=True):
        assert entry.state == "shown" and entry.demonstration
        assert entry.title in page.text and entry.title.endswith(words.title.split("}")[1])
        assert "{" not in f"{entry.title}{entry.caption}"
        assert [p.alt for p in (*entry.before, *entry.after)] == [words.before, words.after]
        for picture in (*entry.before, *entry.after):
            assert got(picture.url).headers["Content-Type"] == "image/jpeg"


def test_the_feed_holds_the_public_month_and_nothing_of_the_one_in_work(
    got: Callable[[str], httpx.Response],
) -> None:
    feed = feedparser.parse(got("/feeds/typical-cases.atom").content)
    assert not feed.bozo
    assert len(feed.entries) == len(PUBLISHED)
    assert got(f"/api/v1/typical-cases/{THIS}").status_code == 404


# the editors -----------------------------------------------------------------------------


def test_nobody_approved_what_they_nominated_or_wrote(demonstration: Stage) -> None:
    log = demonstration.parts.casework.eventlog
    for month in (LAST, THIS):
        for entry in read_issue(log, month).entries.values():
            assert entry.approved_by not in {entry.nominated_by, *entry.redactors}
            assert len(entry.redactors) <= 1


def test_the_month_in_work_stands_at_every_stage_before_publication(demonstration: Stage) -> None:
    issue = read_issue(demonstration.parts.casework.eventlog, THIS)
    stages = [stage_of(entry) for entry in issue.entries.values()]
    assert stages == ["approved", "redacted", *["nominated"] * (len(IN_WORK) - 2)]


# the desks -------------------------------------------------------------------------------


def test_every_list_of_the_reviewers_has_a_case(demonstration: Stage) -> None:
    desk = run(desks.reviewers(demonstration.parts, visitor("reviewer")))
    lists = desk.model_dump(exclude={"by_status", "as_of"})
    # What is about to be late, or is late, is so by the clock and not by the story.
    assert not [key for key, one in lists.items() if not one["count"] and "due" not in key]
    assert all(desk.by_status.values())


def test_every_list_of_the_supervisors_has_a_case(demonstration: Stage) -> None:
    desk = run(desks.supervisors(demonstration.parts, visitor("supervisor")))
    # What is late, and where a problem came back, is so by chance and not by the story.
    by_chance = {"overdue_review", "rebounds"}
    assert {key for key, count in desk.counts.items() if not count} <= by_chance
    doubts = {one.code or one.findings for one in desk.suspected}
    assert "R05" in doubts
    assert any("反映照片" in line for one in desk.suspected for line in one.findings)


def test_every_list_of_a_street_has_a_case(demonstration: Stage) -> None:
    with reading(demonstration.parts.feed.readers.engine) as connection:
        found = sections(connection, DEMO_STREETS[0], UNTIL, UNTIL, UNTIL)
    by_clock = {"due_today", "suspensions_ending"}
    assert {key for key in SECTIONS if not found[key]} <= by_clock


def test_a_checker_is_asked_to_go_and_look(demonstration: Stage) -> None:
    page = run(
        list_cases(
            parts=demonstration.parts,
            visitor=visitor("checker"),
            pending=Action.REQUEST_SITE_CHECK,
        )
    )
    assert page.cases


# beside the cases --------------------------------------------------------------------------


@pytest.mark.parametrize("desk", ["reviewer", "supervisor", f"street-{DEMO_STREETS[0]}"])
def test_somebody_is_on_duty_and_a_shift_waits_for_its_second_signature(
    demonstration: Stage, desk: str
) -> None:
    parts, who = demonstration.parts, visitor("supervisor")
    (line,) = run(duty.read_roster(parts, who, desk)).desks
    assert line.upcoming and all(each.fit for each in (*line.on_duty, *line.upcoming))
    told = run(shifts.list_shifts(desk, parts, who, None, 20)).shifts
    assert [shift.state for shift in told] == ["waiting", "taken_over"]
    assert told[0].summary.open and told[1].handed_over_by != told[1].answered_by


def test_a_special_period_runs_by_two_and_another_waits_for_its_second(
    demonstration: Stage,
) -> None:
    parts = demonstration.parts
    (period,) = special_periods.list_periods(parts, visitor("supervisor"))
    assert period.state == "running"
    changes = run(indicators.list_changes(parts=parts, _visitor=visitor("supervisor")))
    (confirmed,) = [change for change in changes if change.state == "confirmed"]
    assert confirmed.proposed_by != confirmed.decided_by
    waiting = [change.says for change in changes if change.state == "open"]
    assert len(waiting) == 2 and any("P11" in says for says in waiting)


def test_a_role_waits_for_its_second_person(demonstration: Stage) -> None:
    (proposal,) = run(accounts.list_proposals(demonstration.parts, visitor("secadmin")))
    assert proposal.proposed_by != proposal.account_id
