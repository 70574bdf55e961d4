"""What the page of a case costs: each thing about the case is asked of the stores once.

Counted are the statements that name the case, by its id, its number or the stream of either: what
runs beside the request names others.
"""

import re
from collections.abc import Iterator
from uuid import UUID

import pytest

from casework.log.port import stream_id
from casework.model import Role
from projections import evidence_seen
from projections.tables import reading
from tests.api.browsing import Browser, browsing
from tests.api.client import ZHONGGUANCUN, Town, Tracked, own_town
from tests.api.statements import statements
from tests.api.test_evidence_api import until


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    """A town of this file's own, on SQLite: there a connection tells what it is asked."""
    with own_town() as found:
        yield found


@pytest.fixture(scope="module")
def handled(town: Town) -> Tracked:
    """A case with photos and an open request, whose photos are examined."""
    case = town.anonymous().report(photos=2)
    town.reviewer.act(case, "register", "dispatched", indicator="P02", condition="P02-1")
    town.street().act(case, "acknowledge", "handling")
    by = {"amount": 1, "unit": "calendar_day"}
    town.street().act(case, "request_extension", "handling", code="E04", by=by, words="连日大风。")
    return looked_at(town, case)


def looked_at(town: Town, case: Tracked) -> Tracked:
    """The case, once nothing is owed to any photo: nobody works behind the page."""

    def nothing_owed() -> bool:
        town.reviewer.sees(case)
        with reading(town.parts.feed.readers.engine) as connection:
            return not evidence_seen.owed(connection, 1)

    until(nothing_owed)
    return case


def asked_of(browser: Browser, path: str, case: Tracked) -> list[str]:
    """The statements naming the case that its page takes, by the table or stream that is read."""
    browser.page(path)  # what is kept in memory from one request to the next is read now
    with statements() as every:
        assert browser.http.get(path).status_code == 200
    names = {
        UUID(case.id).hex: "case",
        case.id: "case",
        stream_id(f"case/{case.id}").hex: "history",
        stream_id(f"number/{case.number}").hex: "number",
        stream_id(f"consent/{case.id}").hex: "consent",
        case.number.lower(): "number",
    }
    found = []
    for statement in every:
        named = [name for mark, name in names.items() if mark in statement.lower()]
        if named:
            table = re.search(r"\bFROM (?:main\.)?(\w+)", statement)
            found.append(f"{table[1] if table else statement} by {named[0]}")
    return found


ONCE = [
    "case_board by history",
    "cited_upload by case",
    "events by history",
    "events by number",
    "timeline by history",
]
"""The number, the facts, the row of the lists, the photos, the steps."""


@pytest.mark.parametrize(
    ("role", "street", "more"),
    [
        (Role.REVIEWER, None, []),
        (Role.SUPERVISOR, None, []),
        (Role.STREET, ZHONGGUANCUN, ["upload by case"]),
    ],
)
def test_the_page_of_a_case_reads_each_thing_of_it_once(
    town: Town, handled: Tracked, role: Role, street: str | None, more: list[str]
) -> None:
    with browsing(town, role, street=street) as browser:
        asked = asked_of(browser, f"/cases/{handled.number}", handled)
    assert sorted(asked) == sorted([*ONCE, *more])


def test_so_does_the_reporters_page(town: Town, handled: Tracked) -> None:
    with browsing(town) as browser:
        browser.http.cookies.set("receipts", f"{handled.number}:{handled.receipt}")
        asked = asked_of(browser, f"/cases/{handled.number}", handled)
    assert sorted(asked) == sorted([*ONCE, "events by consent"])


def test_so_does_the_case_on_the_reviewers_desk(town: Town, handled: Tracked) -> None:
    with browsing(town, Role.REVIEWER) as browser:
        asked = asked_of(browser, f"/desk/reviewer?case={handled.number}", handled)
    alike = ["case_interval by case", "cited_upload by case"]
    assert sorted(asked) == sorted([*ONCE, *alike]), "what may be the same is asked beside it"
