"""The audit trail: chained, added to, never changed; written in groups; mended after a crash."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from subprocess import PIPE
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api.accounts.audit import AuditFilter, Entry, Head, append, count, head, page, verify
from api.accounts.desk import Desk, Turn
from api.accounts.errors import Overloaded
from api.accounts.trail import AuditTrail
from tests.accounts.office import NOON, run


def entry(action: str = "looked", minute: int = 0, command: UUID | None = None) -> Entry:
    return Entry(
        at=NOON + timedelta(minutes=minute),
        principal_kind="staff",
        principal_id="7",
        action=action,
        target="case/1",
        facts={"code": "R01", "version": 3, "redacted": True, "before": None},
        command_id=command,
    )


def written(desk: Desk, *entries: Entry) -> None:
    with desk.write(Turn.AUDIT) as connection:
        append(connection, entries)


def forge(desk: Desk, *statements: str) -> None:
    """What somebody with the database's password could do."""
    table = "audit" if desk.is_sqlite else "desk.audit"
    with desk.write() as connection:
        if desk.is_sqlite:
            for trigger in ("update", "delete", "replace"):
                connection.execute(text(f"DROP TRIGGER audit_no_{trigger}"))
        else:
            connection.execute(text("ALTER TABLE desk.audit DISABLE TRIGGER ALL"))
        for statement in statements:
            connection.execute(text(statement.replace("AUDIT", table)))


@pytest.fixture
def trail(desk: Desk) -> Iterator[AuditTrail]:
    trail = AuditTrail(desk)
    trail.start()
    yield trail
    trail.stop()


def test_what_was_written_comes_back_the_same_and_the_chain_holds(desk: Desk) -> None:
    entries = [entry(minute=n, command=uuid4()) for n in range(3)]
    written(desk, *entries)
    written(desk, entry("later"))
    rows = page(desk, AuditFilter())
    assert [row.entry for row in reversed(rows)][:3] == entries
    assert [row.seq for row in rows] == [4, 3, 2, 1]
    assert verify(desk) is None


def test_an_empty_trail_holds(desk: Desk) -> None:
    assert verify(desk) is None
    assert verify(desk, Head(1, bytes(32))) == 1


@pytest.mark.parametrize(
    ("forgery", "broken"),
    [
        ("UPDATE AUDIT SET outcome = 'refused' WHERE seq = 4", 4),
        ("UPDATE AUDIT SET facts = '{}' WHERE seq = 4", 4),
        ("UPDATE AUDIT SET target = NULL WHERE seq = 4", 4),
        ("UPDATE AUDIT SET at = at + 1 WHERE seq = 2", 2),
        ("DELETE FROM AUDIT WHERE seq = 4", 4),
        ("DELETE FROM AUDIT WHERE seq = 1", 1),
    ],
)
def test_a_changed_or_missing_row_is_found(desk: Desk, forgery: str, broken: int) -> None:
    written(desk, *(entry(minute=n) for n in range(6)))
    forge(desk, forgery)
    assert verify(desk) == broken


def test_a_tail_cut_off_shows_only_against_a_head_kept_outside(desk: Desk) -> None:
    written(desk, *(entry(minute=n) for n in range(6)))
    with desk.read() as connection:
        outside = head(connection)
    forge(desk, "DELETE FROM AUDIT WHERE seq > 4")
    assert verify(desk) is None
    assert verify(desk, outside) == 5


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE AUDIT SET outcome = 'x'",
        "DELETE FROM AUDIT",
        "INSERT OR REPLACE INTO AUDIT SELECT * FROM AUDIT",
        "TRUNCATE AUDIT",
    ],
)
def test_the_database_itself_refuses_to_change_a_row(desk: Desk, statement: str) -> None:
    if ("OR REPLACE" in statement) != desk.is_sqlite and statement[0] in "IT":
        pytest.skip("not a word of this database")
    written(desk, entry())
    table = "audit" if desk.is_sqlite else "desk.audit"
    with pytest.raises(DBAPIError, match="append-only"), desk.write() as connection:
        connection.execute(text(statement.replace("AUDIT", table)))
    assert count(desk) == 1
    assert verify(desk) is None


def test_auditors_ask_by_person_action_target_outcome_and_time_page_by_page(desk: Desk) -> None:
    written(desk, *(entry("odd" if n % 2 else "even", minute=n) for n in range(10)))
    odd = AuditFilter(
        action="odd", principal_id="7", target="case/1", outcome="done",
        since=NOON + timedelta(minutes=3), until=NOON + timedelta(minutes=9),
    )  # fmt: skip
    assert [row.seq for row in page(desk, odd)] == [8, 6, 4]
    first = page(desk, AuditFilter(), limit=4)
    second = page(desk, AuditFilter(before=first[-1].seq), limit=4)
    assert [row.seq for row in (*first, *second)] == [10, 9, 8, 7, 6, 5, 4, 3]
    assert page(desk, AuditFilter(outcome="refused")) == []


def test_a_command_has_one_row_however_often_it_is_recorded(desk: Desk) -> None:
    command = uuid4()
    written(desk, entry(command=command), entry(command=command))
    written(desk, entry(command=command), entry())
    assert count(desk) == 2
    assert verify(desk) is None


def test_a_row_somebody_waits_for_is_on_disk_when_the_wait_ends(
    desk: Desk, trail: AuditTrail
) -> None:
    run(trail.record_durably(entry("revealed")))
    assert [row.entry.action for row in page(desk, AuditFilter())] == ["revealed"]


def test_rows_nobody_waits_for_are_written_before_stop_returns(desk: Desk) -> None:
    trail = AuditTrail(desk)
    trail.start()
    for n in range(1500):
        trail.record(entry(minute=n, command=uuid4()))
    trail.stop()
    assert count(desk) == 1500
    assert verify(desk) is None
    with pytest.raises(Overloaded):
        run(trail.record_durably(entry()))


def test_a_hundred_people_waiting_share_commits_and_one_who_leaves_harms_nobody(
    desk: Desk, trail: AuditTrail
) -> None:
    async def many() -> None:
        tasks = [asyncio.create_task(trail.record_durably(entry(minute=n))) for n in range(100)]
        await asyncio.sleep(0)
        tasks[3].cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert sum(isinstance(one, asyncio.CancelledError) for one in done) == 1
        await trail.record_durably(entry("after"))

    run(many())
    assert trail.is_healthy()
    assert count(desk) == 101


def test_two_processes_chain_into_one_trail(desk: Desk, desk_url: str) -> None:
    other = Desk(desk_url)
    trails = [AuditTrail(desk), AuditTrail(other)]
    for trail in trails:
        trail.start()

    async def both() -> None:
        await asyncio.gather(*(trails[n % 2].record_durably(entry(minute=n)) for n in range(60)))

    run(both())
    for trail in trails:
        trail.stop()
    other.close()
    assert count(desk) == 60
    assert verify(desk) is None


def test_while_rows_cannot_be_written_those_who_wait_are_told_and_the_rest_is_kept(
    desk: Desk, trail: AuditTrail
) -> None:
    table = "audit" if desk.is_sqlite else "desk.audit"
    with desk.write() as connection:
        connection.execute(text(f"ALTER TABLE {table} RENAME TO away"))
    trail.record(entry("kept", command=uuid4()))
    with pytest.raises(DBAPIError):
        run(trail.record_durably(entry("told")))
    assert not trail.is_healthy()
    away = "away" if desk.is_sqlite else "desk.away"
    with desk.write() as connection:
        connection.execute(text(f"ALTER TABLE {away} RENAME TO audit"))
    run(trail.record_durably(entry("again")))
    assert trail.is_healthy()
    assert {row.entry.action for row in page(desk, AuditFilter())} == {"kept", "again"}


def test_a_full_queue_says_so_before_a_command_is_accepted(desk: Desk) -> None:
    trail = AuditTrail(desk, room=2)
    assert trail.has_room()
    trail.record(entry())
    trail.record(entry())
    assert not trail.has_room()
    with pytest.raises(Overloaded):
        run(trail.record_durably(entry()))
    trail.start()
    trail.stop()
    assert count(desk) == 2


def test_after_a_crash_the_log_gives_back_exactly_the_rows_that_are_missing(
    desk: Desk, trail: AuditTrail
) -> None:
    commands = [uuid4() for _ in range(1200)]
    log = [entry(minute=n, command=command) for n, command in enumerate(commands)]
    written(desk, *log[:700:2])
    assert trail.recorded_through() == 0
    assert trail.record_missing(iter(log), through=1200) == 1200 - 350
    assert trail.record_missing(iter(log), through=1100) == 0
    assert trail.recorded_through() == 1200
    assert count(desk) == 1200
    assert verify(desk) is None


@given(st.text(), st.text(min_size=0, max_size=500))
def test_whatever_a_stranger_sends_can_be_stored(target: str, code: str) -> None:
    made = Entry(
        at=NOON, principal_kind="anonymous", principal_id=None, action="a", target=target,
        facts={"code": code},
    )  # fmt: skip
    stored = made.facts["code"]
    assert made.target is not None and isinstance(stored, str)
    for words in (made.target, stored):
        words.encode()
        assert "\0" not in words and len(words) <= 200


def test_hostile_text_does_not_stop_the_writer(desk: Desk, trail: AuditTrail) -> None:
    hostile = Entry(
        at=NOON, principal_kind="anonymous", principal_id="\ud800", action="a\0b",
        target="\udfff\0", outcome="refused", facts={"\0": "\ud800" * 300, "n": 10**40},
    )  # fmt: skip
    run(trail.record_durably(hostile))
    assert verify(desk) is None
    assert page(desk, AuditFilter())[0].entry == hostile


RECORDER = """
import itertools, sys
from uuid import UUID
from api.accounts.desk import Desk
from api.accounts.trail import AuditTrail
from tests.accounts.test_audit import entry
trail = AuditTrail(Desk(sys.argv[1]))
trail.start()
for n in itertools.count(1):
    trail.record(entry(minute=n, command=UUID(int=n)))
    if n % 100 == 0:
        print(n, flush=True)
"""


def test_a_process_killed_while_recording_leaves_a_trail_that_can_be_mended(
    desk: Desk, desk_url: str
) -> None:
    with subprocess.Popen([sys.executable, "-c", RECORDER, desk_url], stdout=PIPE) as recorder:
        assert recorder.stdout is not None
        accepted = next(int(line) for line in recorder.stdout if int(line) >= 5000)
        recorder.kill()
    assert verify(desk) is None
    left = count(desk)
    log = [entry(minute=n, command=UUID(int=n)) for n in range(1, accepted + 1)]
    added = AuditTrail(desk).record_missing(log, through=accepted)
    assert added == max(0, accepted - left)
    assert count(desk) == max(accepted, left)
    assert verify(desk) is None
