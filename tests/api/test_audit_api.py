"""审计 over HTTP: filters, pages backwards, and a chain that shows a row changed on the disk."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pysqlite3 import dbapi2 as sqlite3

from casework.model import Role
from tests.api.client import Caller, Town, is_problem, open_town, settings_for


@pytest.fixture
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with open_town(settings_for(tmp_path_factory.mktemp("audit") / "var")) as found:
        yield found


@pytest.fixture
def auditor(town: Town) -> Caller:
    return town.staff("审计甲", Role.AUDITOR)


def test_the_auditor_finds_who_was_refused_what(town: Town, auditor: Caller) -> None:
    is_problem(town.reviewer.get("/audit"), 403, "not-permitted")
    town.reviewer.get("/accounts")
    found = auditor.get("/audit", outcome="refused", principal=str(town.reviewer.account)).json()
    assert [row["action"] for row in found["rows"]] == ["accounts.list", "audit.list"]
    assert found["before"] is None
    assert auditor.get("/audit", action="accounts.list").json()["rows"] == found["rows"][:1]
    until = found["rows"][0]["at"]
    earlier = auditor.get("/audit", outcome="refused", until=until).json()["rows"]
    assert [row["action"] for row in earlier] == ["audit.list"]
    is_problem(auditor.get("/audit", since="2026-05-11T09:00:00"), 422, "invalid")


def test_pages_lead_back_to_the_first_row(town: Town, auditor: Caller) -> None:
    for _ in range(5):
        town.reviewer.get("/accounts")
    seen: list[int] = []
    page = auditor.get("/audit", limit=3).json()
    while True:
        seen += [row["seq"] for row in page["rows"]]
        if page["before"] is None:
            break
        page = auditor.get("/audit", limit=3, before=page["before"]).json()
    assert seen == list(range(len(seen), 0, -1)) and len(seen) > 5


@contextmanager
def behind_its_back(town: Town) -> Iterator[sqlite3.Connection]:
    """The file opened by somebody with the disk, triggers out of the way."""
    db = sqlite3.connect(town.parts.settings.var / "desk.db")
    triggers = db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in triggers:
        db.execute(f"DROP TRIGGER {name}")
    yield db
    db.commit()
    db.close()


def test_a_row_changed_on_the_disk_breaks_the_chain(town: Town, auditor: Caller) -> None:
    town.reviewer.get("/accounts")
    before = auditor.get("/audit/verification").json()
    assert before["holds"] is True and before["first_broken"] is None
    assert before["rows"] == before["head_seq"] > 0 and len(before["head_hash"]) == 64
    with behind_its_back(town) as db:
        db.execute("UPDATE audit SET action = 'sign-in' WHERE seq = 2")
    after = auditor.get("/audit/verification").json()
    assert (after["holds"], after["first_broken"]) == (False, 2)
