"""The clock at the door, on a real log: decisions wait for no timer, nothing happens twice."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid4

import pytest

from casework import commands as ask
from casework import events as did
from casework import watch
from casework.application import BOUNDARIES, CALENDAR, CATALOGUE, SPECIAL, Casework, Done
from casework.errors import NotAllowed
from casework.lifecycle import Status
from casework.log.schema import prepare_sqlite
from casework.model import CLOCK, Actor, Clock, Outcome, Solved
from casework.owed import LAPSES
from casework.reference import CalendarYearPublished
from casework.special_periods import Occasion, SpecialPeriodDeclared
from tests.history import (
    CASE_ID,
    CITIZEN,
    FOUNDED,
    INSIDE,
    LEAD,
    PHOTO,
    REFERENCES,
    REVIEWER,
    STREET,
    SUPERVISOR,
    a_submission,
    day,
    mon,
    wed,
    words,
)
from tests.stories import NOTICE_2027

REGISTER = ask.Register(indicator="P04", condition="P04-1", proposal=INSIDE)
RECTIFY = ask.Rectify(outcome=Outcome.RECTIFIED, photos=(PHOTO,), words=words())


class DueNow(NamedTuple):
    """What an index of due clocks tells a watcher."""

    case_id: UUID
    clock: Clock
    round: int
    due_at: datetime
    percent: int = 100


class Office:
    """A process with the engine in it; several may share one log."""

    def __init__(self, casework: Casework) -> None:
        self.casework = casework

    def does(self, command: ask.Command, by: Actor, at: datetime) -> Done:
        self.casework.refresh(at)
        return asyncio.run(self.casework.handle(CASE_ID, command, at=at, by=by, command_id=uuid4()))

    def watches(self, at: datetime) -> int:
        """One round of the watch, from an index that is read anew from the log."""
        return asyncio.run(self._round(at, 1))

    def watch_twice_at_once(self, at: datetime) -> int:
        return asyncio.run(self._round(at, 2))

    async def _round(self, at: datetime, watchers: int) -> int:
        self.casework.refresh(at)
        loaded = self.casework.load(CASE_ID)
        assert loaded is not None
        clocks = loaded.case.clocks
        due = [
            DueNow(CASE_ID, clock, loaded.case.round, clocks[clock].fact.due_at)
            for clock in LAPSES
            if clock in clocks
        ]
        rounds = [
            watch.carry_out(self.casework, due, at, lambda _desk, _role, _at: ())
            for _ in range(watchers)
        ]
        return sum(await asyncio.gather(*rounds))

    def facts(self, kind: type[did.Event]) -> list[tuple[datetime, did.Event]]:
        return [(r.at, r.event) for r in self.casework.history(CASE_ID) if type(r.event) is kind]


@pytest.fixture
def offices(tmp_path: Path) -> Iterator[tuple[Office, Office]]:
    """Two engines over one log with the shipped rules."""
    path = tmp_path / "log.db"
    prepare_sqlite(path, uuid4())
    where = {"PERSISTENCE_MODULE": "casework.log.sqlite", "LOG_PATH": str(path)}
    one, other = Casework(where), Casework(where)
    founding = (
        (CATALOGUE, REFERENCES.catalogue),
        (CALENDAR, REFERENCES.calendar),
        (BOUNDARIES, REFERENCES.boundaries),
    )
    one.refresh(FOUNDED)
    for stream, facts in founding:
        one.record_reference(stream, 0, facts, at=FOUNDED, by=CLOCK, command_id=uuid4())
    yield Office(one), Office(other)
    one.close()
    other.close()


@pytest.fixture
def office(offices: tuple[Office, Office]) -> Office:
    return offices[0]


def handled(office: Office, at: datetime) -> None:
    office.does(a_submission(), CITIZEN, at)
    office.does(REGISTER, REVIEWER, at)
    office.does(ask.Acknowledge(), STREET, at)


def suspended(office: Office) -> None:
    """Dispatched on Monday at 9, suspended at 10 until Wednesday: one of eight hours is used."""
    handled(office, mon("09:00"))
    wednesday = ask.RequestSuspension(code="S01", resume_on=date(2026, 3, 4), words=words())
    office.does(wednesday, LEAD, mon("10:00"))
    office.does(ask.GrantSuspension(), SUPERVISOR, mon("10:00"))


def test_a_hand_over_after_the_agreed_day_is_taken_though_no_watcher_ran(office: Office) -> None:
    suspended(office)

    done = office.does(RECTIFY, STREET, wed("13:30"))

    assert done.case.status is Status.RECTIFIED
    ((at, resumed),) = office.facts(did.CaseResumed)
    assert at == wed("13:30")
    assert isinstance(resumed, did.CaseResumed)
    assert resumed.fell_due_at == wed("00:00")
    ((_, rectified),) = office.facts(did.CaseRectified)
    (handling,) = (stop for stop in rectified.stopped if stop.clock is Clock.HANDLING)
    assert handling.used == int(7.5 * 3600 * 1_000_000), "counted from the agreed day"
    assert handling.in_time


def test_before_the_agreed_day_the_case_stays_suspended(office: Office) -> None:
    suspended(office)

    with pytest.raises(NotAllowed, match="挂账"):
        office.does(RECTIFY, STREET, wed("00:00") - timedelta(microseconds=1))

    assert not office.facts(did.CaseResumed)


def test_a_supplement_after_48_hours_is_refused_with_what_is_possible(office: Office) -> None:
    office.does(a_submission(), CITIZEN, mon("09:00"))
    office.does(ask.RequestInformation(code="Q01", question=words()), REVIEWER, mon("09:10"))

    with pytest.raises(NotAllowed) as refused:
        office.does(ask.SupplyInformation(text=words()), CITIZEN, wed("09:10:01"))

    assert str(refused.value) == (
        "案件目前是「待审核」，不能「补充说明」。现在可以: 追加信息、撤回上报。"
    )
    assert len(office.facts(did.InformationLapsed)) == 1
    assert not office.facts(did.InformationSupplied)
    again = office.does(ask.AddInformation(text=words()), CITIZEN, wed("09:10:02"))
    assert again.case.has_new_information


def test_a_supplement_at_the_last_moment_is_taken(office: Office) -> None:
    office.does(a_submission(), CITIZEN, mon("09:00"))
    office.does(ask.RequestInformation(code="Q01", question=words()), REVIEWER, mon("09:10"))

    done = office.does(ask.SupplyInformation(text=words()), CITIZEN, wed("09:10"))

    assert done.case.status is Status.SUBMITTED
    assert not office.facts(did.InformationLapsed)


def test_the_watch_after_the_door_finds_nothing_to_do(office: Office) -> None:
    suspended(office)
    office.does(ask.Note(words=words()), SUPERVISOR, wed("08:00"))

    assert office.watches(wed("08:00")) == 0
    assert len(office.facts(did.CaseResumed)) == 1


def test_two_watchers_of_one_debt_leave_one_event(offices: tuple[Office, Office]) -> None:
    one, other = offices
    suspended(one)

    assert one.watch_twice_at_once(wed("07:00")) == 1
    assert other.watches(wed("07:00:01")) == 0
    assert len(one.facts(did.CaseResumed)) == 1


def test_two_processes_that_owe_the_same_do_it_once(offices: tuple[Office, Office]) -> None:
    """Both have the suspended case in hand; whoever acts first, the other finds it done."""
    one, other = offices
    suspended(one)
    for office in offices:
        asyncio.run(office.casework.current(CASE_ID))
    note = ask.Note(words=words())

    one.does(note, SUPERVISOR, wed("08:00"))
    done = other.does(note, SUPERVISOR, wed("08:00"))

    assert done.case.status is Status.HANDLING
    assert len(other.facts(did.CaseResumed)) == 1
    assert len(other.facts(did.InstructionNoted)) == 2


def test_the_hour_of_a_wall_clock_set_back_does_not_go_back_in_the_log(office: Office) -> None:
    handled(office, mon("10:00"))

    done = office.does(RECTIFY, STREET, mon("09:00"))

    assert done.at == mon("10:00")
    moments = [recorded.at for recorded in office.casework.history(CASE_ID)]
    assert moments == sorted(moments)


def test_a_special_period_reaches_a_case_nobody_had_touched(office: Office) -> None:
    handled(office, mon("09:00"))
    flood = SpecialPeriodDeclared(
        effective_from=mon("10:01"),
        number=1,
        occasion=Occasion.FLOOD,
        first=mon("12:00"),
        last=mon("15:00"),
        grounds="试用的通知",
    )
    office.casework.record_reference(
        SPECIAL, 0, [flood], at=mon("10:00"), by=SUPERVISOR, command_id=uuid4()
    )

    done = office.does(RECTIFY, STREET, mon("18:00"))

    ((_, applied),) = office.facts(did.SpecialPeriodsApplied)
    assert isinstance(applied, did.SpecialPeriodsApplied)
    assert (applied.due_before, applied.due_at) == (mon("17:00"), mon("20:00"))
    assert done.case.timers[Clock.HANDLING].in_time


def test_a_published_year_settles_a_recheck_before_anything_else(office: Office) -> None:
    at = day("12-31 14:00")
    handled(office, at)
    office.does(RECTIFY, STREET, at)
    office.does(ask.Close(standard_met=True, reply=words()), REVIEWER, at)
    office.does(ask.Rate(solved=Solved.NO, satisfaction=1, efficiency=1), CITIZEN, at)
    notice = CalendarYearPublished(year=NOTICE_2027, effective_from=at + timedelta(minutes=1))
    office.casework.record_reference(
        CALENDAR, len(REFERENCES.calendar), [notice], at=at, by=SUPERVISOR, command_id=uuid4()
    )

    done = office.does(ask.Note(words=words()), SUPERVISOR, at + timedelta(hours=1))

    recheck = done.case.clocks[Clock.RECHECK].fact
    assert not recheck.provisional
    assert recheck.due_at == datetime(2027, 1, 5, 6, tzinfo=UTC)
    assert len(office.facts(did.DueTimesSettled)) == 1
