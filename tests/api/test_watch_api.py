"""Warnings, lapses and 特殊时段 as they come about by themselves, over a real log and its index."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from api.timekeeping import Timekeeper
from casework.application import notices_stream
from casework.events import DeadlineReached, DueTimesSettled, SpecialPeriodsApplied
from casework.model import Clock, Role
from casework.timers import Running
from tests.api.client import (
    MORNING,
    XUEYUANLU,
    ZHONGGUANCUN,
    Body,
    Town,
    Tracked,
    is_problem,
    open_town,
    settings_for,
)

ON_DUTY = ("值班甲", "值班乙")


@pytest.fixture
def own_town(tmp_path: Path) -> Iterator[Town]:
    """A town of the test's own, whose days nobody else moves."""
    with open_town(settings_for(tmp_path / "var")) as town:
        yield town


def dispatched(town: Town) -> Tracked:
    """A case of 中关村 with two duty hours to handle."""
    case = town.citizen("市民甲").report()
    town.reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
    return case


def timekeeper(town: Town) -> Timekeeper:
    """Another watch over the same log, as in another process."""
    parts = town.parts
    return Timekeeper(
        parts.casework,
        parts.feed,
        lambda desk, _role, _at: (*ON_DUTY, desk),
        town.clock,
        lambda: town.clock().timestamp(),
    )


def caught_up(town: Town) -> None:
    """The views have read all of the log."""
    head = town.parts.casework.eventlog.head()
    assert town.reviewer.get("/cases", after=head, limit=1).status_code == 200


def move_to(town: Town, moment: datetime) -> None:
    """Let it be a little later than that: the watch waits some seconds for those who are late."""
    left = moment - town.clock() + timedelta(seconds=6)
    town.forward(seconds=max(left.total_seconds(), 0))
    caught_up(town)


def running(town: Town, case: Tracked, clock: Clock = Clock.HANDLING) -> Running:
    loaded = town.parts.casework.load(UUID(case.id))
    assert loaded is not None
    return loaded.case.clocks[clock]


def notices(town: Town, case: Tracked, clock: Clock = Clock.HANDLING) -> list[DeadlineReached]:
    """What was told of a clock of the case, in order."""
    told = town.parts.casework.eventlog.history(notices_stream(UUID(case.id)))
    events = [each.event for each in told]
    return [e for e in events if isinstance(e, DeadlineReached) and e.clock is clock]


def ticks(town: Town, watch: Timekeeper, until: int, case: Tracked) -> None:
    """Tick until that many notices stand there; the index is a moment behind its log."""
    for _ in range(200):
        town.run(watch.tick())
        caught_up(town)
        if len(notices(town, case)) >= until:
            return
    raise AssertionError(notices(town, case))


def test_each_share_of_the_limit_is_told_once_to_whom_it_concerns(town: Town) -> None:
    case, watch = dispatched(town), timekeeper(town)
    fact = running(town, case).fact
    assert fact.warn_at and fact.escalate_at and fact.escalate_again_at
    wanted = [
        (75, fact.warn_at, "street", f"street/{ZHONGGUANCUN}"),
        (100, fact.due_at, "street_lead", f"street/{ZHONGGUANCUN}"),
        (150, fact.escalate_at, "supervisor", "supervisor"),
        (200, fact.escalate_again_at, "supervisor", "supervisor"),
    ]
    for n, (percent, reached_at, to, _) in enumerate(wanted, 1):
        move_to(town, reached_at)
        ticks(town, watch, n, case)
        notice = notices(town, case)[-1]
        assert (notice.percent, notice.reached_at, notice.to) == (percent, reached_at, to)
        assert (notice.due_at, notice.limit, notice.round) == (fact.due_at, fact.limit, 1)
    for _ in range(3):
        town.run(watch.tick())
    assert len(notices(town, case)) == 4


def test_two_watches_at_once_and_a_new_one_after_a_restart_tell_it_once(own_town: Town) -> None:
    town = own_town
    case = dispatched(town)
    fact = running(town, case).fact
    assert fact.escalate_again_at
    one, two = timekeeper(town), timekeeper(town)
    move_to(town, fact.escalate_again_at)

    async def both() -> None:
        for _ in range(12):
            await asyncio.gather(one.tick(), two.tick())
            await asyncio.sleep(0)

    for _ in range(20):
        town.run(both())
        caught_up(town)
        if len(notices(town, case)) == 4:
            break
    after = timekeeper(town)
    for _ in range(5):
        town.run(after.tick())
        caught_up(town)
    told = notices(town, case)
    assert [notice.percent for notice in told] == [75, 100, 150, 200]
    assert all(notice.reached_at <= town.clock() for notice in told)
    # The acknowledgement that never came was told of as well, in the same way.
    assert [n.percent for n in notices(town, case, Clock.ACKNOWLEDGE)] == [75, 100, 150, 200]


def test_whoever_is_on_duty_receives_it_and_the_supervisor_sees_what_has_gone_so_far(
    own_town: Town,
) -> None:
    town = own_town
    street, supervisor = town.street(), town.supervisor
    for desk, caller, by in (
        (f"street-{ZHONGGUANCUN}", street, town.lead()),
        ("supervisor", supervisor, supervisor),
    ):
        duty = {
            "desk": desk,
            "account": str(caller.account),
            "starts_at": town.clock().isoformat(),
            "ends_at": (town.clock() + timedelta(days=3)).isoformat(),
        }
        assert by.post("/duty-roster", duty).status_code in {200, 201}
    case = dispatched(town)
    fact = running(town, case).fact
    assert fact.escalate_at
    move_to(town, fact.escalate_at)
    ticks(town, town.parts.timekeeper, 3, case)
    recipients = [(n.percent, n.recipients) for n in notices(town, case)]
    assert recipients == [
        (75, (str(street.account),)),
        (100, ()),
        (150, (str(supervisor.account),)),
    ], "no 街镇负责人 is on duty: the desk as a whole is told"
    head = town.parts.casework.eventlog.head()
    desk = supervisor.get("/desk/supervisor", after=head).json()
    escalated = {e["case"]["clock"]: (e["percent"], e["reached_at"]) for e in desk["escalated"]}
    assert escalated["handling"][0] == 150
    assert datetime.fromisoformat(escalated["handling"][1]) == fact.escalate_at
    assert desk["counts"]["overdue_street"] == 1


def test_a_desk_reads_what_it_was_told_and_what_of_it_still_presses(own_town: Town) -> None:
    town = own_town
    street, lead, stranger = town.street(), town.lead(), town.street(XUEYUANLU)
    town.parts.timekeeper._on_duty = lambda _desk, _role, _at: (str(street.account),)
    case = dispatched(town)
    street.act(case, "acknowledge", "handling")
    fact = running(town, case).fact
    move_to(town, fact.due_at)
    ticks(town, town.parts.timekeeper, 2, case)
    head = town.parts.casework.eventlog.head()
    (seen,) = street.get("/desk/notices", after=head).json()["notices"]
    assert (seen["percent"], seen["kind_name"], seen["to_name"]) == (75, "临期预警", "街镇经办")
    assert (seen["for_me"], seen["pressing"], seen["on_duty"]) == (True, True, 1)
    assert f"案件{case.number}的处置时限2" in seen["says"]
    assert [n["percent"] for n in lead.get("/desk/notices").json()["notices"]] == [100]
    assert stranger.get("/desk/notices").json()["notices"] == []
    assert town.supervisor.get("/desk/notices").json()["notices"] == []
    assert town.reviewer.get("/desk/notices").json()["notices"] == []

    photo = street.photo(case)
    street.act(
        case, "rectify", "rectified", outcome="rectified", photos=[photo], words="已码放整齐。"
    )
    head = town.parts.casework.eventlog.head()
    assert street.get("/desk/notices", after=head).json()["notices"] == []
    (seen,) = street.get("/desk/notices", pressing="false").json()["notices"]
    assert (seen["pressing"], seen["number"]) == (False, case.number)
    page = street.get("/desk/notices", pressing="false", limit=1).json()
    assert page["next"] == seen["position"]
    assert (
        street.get("/desk/notices", pressing="false", before=page["next"]).json()["notices"] == []
    )


def test_a_pause_does_not_tell_the_same_limit_again_and_a_longer_one_does(own_town: Town) -> None:
    town = own_town
    case = town.citizen("市民甲").report()
    town.reviewer.act(case, "register", "dispatched", indicator="P02", condition="P02-1")
    town.street().act(case, "acknowledge", "handling")
    watch = timekeeper(town)
    fact = running(town, case).fact
    assert fact.warn_at
    move_to(town, fact.warn_at)
    ticks(town, watch, 1, case)

    # Words that have been said are not said again when the clock goes on after a pause.
    day = (town.clock() + timedelta(days=3)).date().isoformat()
    town.lead().act(case, "request_suspension", "handling", code="S01", resume_on=day)
    town.supervisor.act(case, "grant_suspension", "suspended")
    town.lead().act(case, "resume", "handling")
    resumed = running(town, case).fact
    assert resumed.warn_at is not None
    assert resumed.warn_at < town.clock()
    caught_up(town)
    for _ in range(3):
        town.run(watch.tick())
    assert [notice.percent for notice in notices(town, case)] == [75]

    # A longer limit has shares of its own.
    by = {"amount": 12, "unit": "hour"}
    town.street().act(case, "request_extension", "handling", code="E01", by=by)
    town.supervisor.act(case, "grant_extension", "handling")
    longer = running(town, case).fact
    assert longer.warn_at and longer.limit != fact.limit
    move_to(town, longer.warn_at)
    ticks(town, watch, 2, case)
    assert [notice.percent for notice in notices(town, case)] == [75, 75]


def is_held(watch: Timekeeper) -> bool:
    return watch.is_held


def test_a_jump_of_the_wall_clock_holds_the_watch_until_a_person_has_looked(
    own_town: Town,
) -> None:
    town = own_town
    case = dispatched(town)
    steady = timekeeper(town)
    wall, ahead = town.clock, [timedelta()]
    jumpy = Timekeeper(
        town.parts.casework,
        town.parts.feed,
        lambda _desk, _role, _at: (),
        lambda: wall() + ahead[0],
        lambda: wall().timestamp(),
    )
    caught_up(town)
    assert town.run(jumpy.tick()) == 0
    assert not is_held(jumpy)
    fact = running(town, case).fact
    ahead[0] = fact.due_at - wall() + timedelta(hours=1)
    for _ in range(3):
        assert town.run(jumpy.tick()) == 0
    assert is_held(jumpy)
    assert notices(town, case) == []
    ahead[0] = timedelta()
    town.run(jumpy.tick())
    assert not is_held(jumpy), "put right: it goes on by itself"

    ahead[0] = fact.due_at - wall() + timedelta(hours=1)
    town.run(jumpy.tick())
    assert is_held(jumpy)
    jumpy.accept_time()
    ticks(town, jumpy, 2, case)
    assert [notice.percent for notice in notices(town, case)][:2] == [75, 100]
    assert steady.done == 0


def test_the_administrator_sees_that_the_watch_is_held_and_lets_it_go_on(own_town: Town) -> None:
    town = own_town
    admin = town.staff("系统甲", Role.SYSADMIN)
    seen = admin.get("/watch").json()
    assert (seen["held"], seen["ahead_seconds"], seen["says"]) == (
        False,
        None,
        "时钟正常，到期提醒照常进行。",
    )
    assert town.http.get("/health/ready").json()["clock_held"] is False
    fast = [0.0]
    town.parts.timekeeper._steady = lambda: town.clock().timestamp() - fast[0]
    fast[0] = 7200.0
    town.run(town.parts.timekeeper.tick())
    seen = admin.get("/watch").json()
    assert seen["held"]
    assert "快了7200秒" in seen["says"]
    ready = town.http.get("/health/ready")
    assert (ready.status_code, ready.json()["clock_held"], ready.json()["degraded"]) == (
        200,
        True,
        True,
    )
    assert "casework_watch_held 1" in town.http.get("/metrics").text
    is_problem(town.reviewer.post("/watch/accept-time"), 403, "not-permitted")
    accepted = admin.post("/watch/accept-time").json()
    assert accepted["held"] is False
    town.run(town.parts.timekeeper.tick())
    assert admin.get("/watch").json()["held"] is False


# 特殊时段 ----------------------------------------------------------------------------------


def declare(town: Town, **changes: object) -> Body:
    body: Body = {
        "occasion": "flood",
        "first": (town.clock() + timedelta(minutes=30)).isoformat(),
        "last": (town.clock() + timedelta(days=2)).isoformat(),
        "streets": [ZHONGGUANCUN],
        "indicators": ["P10"],
        "grounds": "区防汛办暴雨红色预警。",
    }
    answer = town.supervisor.post("/special-periods", body | changes)
    assert answer.status_code == 202, answer.text
    change: Body = answer.json()
    return change


def confirmed(town: Town, change: Body) -> None:
    """Another supervisor agrees; a minute later it holds."""
    answer = town.second_supervisor.post(f"/changes/{change['id']}/confirm", {})
    assert answer.status_code == 200, answer.text
    town.forward(seconds=61)


def test_a_special_period_takes_two_supervisors_and_is_never_backdated(own_town: Town) -> None:
    town = own_town
    past = (town.clock() - timedelta(hours=1)).isoformat()
    body = {"occasion": "snow", "first": past, "last": past, "grounds": "雪天"}
    assert "不得溯及既往" in str(
        is_problem(town.supervisor.post("/special-periods", body), 422, "missing")["detail"]
    )
    is_problem(town.reviewer.post("/special-periods", body), 403, "not-permitted")
    change = declare(town)
    is_problem(
        town.supervisor.post(f"/changes/{change['id']}/confirm", {}), 403, "conflict-of-interest"
    )
    assert town.citizen("市民甲").get("/special-periods").json() == []
    confirmed(town, change)
    (period,) = town.citizen("市民甲").get("/special-periods").json()
    assert (period["name"], period["effect"], period["state"]) == ("汛期", "处置暂停计时", "coming")


def test_open_cases_come_under_a_special_period_and_their_reporters_are_told(
    own_town: Town,
) -> None:
    town = own_town
    case, other = dispatched(town), town.citizen("市民甲").report()
    town.reviewer.act(other, "register", "dispatched", indicator="P01", condition="P01-2")
    before = running(town, case).fact
    confirmed(town, declare(town))
    caught_up(town)
    for _ in range(50):
        town.run(town.parts.timekeeper.tick())
        if running(town, case).fact != before:
            break
    fact = running(town, case).fact
    (skip,) = fact.skips
    assert fact.due_at == skip.last + (before.due_at - skip.first)
    assert fact.plain_due_at == before.due_at
    assert running(town, other).fact.skips == (), "another indicator"
    history = town.parts.casework.history(UUID(case.id))
    applied = [r.event for r in history if isinstance(r.event, SpecialPeriodsApplied)]
    assert [(e.periods, e.names, e.due_before) for e in applied] == [((1,), "汛期", before.due_at)]
    head = town.parts.casework.eventlog.head()
    steps = town.citizen("市民甲").get(f"/cases/{case.id}/timeline", after=head).json()["steps"]
    assert any("因汛期特殊时段调整时限" in step["says"] for step in steps)

    # What is dispatched meanwhile knows of it from the first.
    late = dispatched(town)
    assert running(town, late).fact.skips == (skip,)

    # 提前解除: another end, another due time, by the door itself before anything else is decided.
    last = town.clock() + timedelta(hours=2)
    moved = town.supervisor.post(
        f"/special-periods/{skip.period}/move-end",
        {"last": last.isoformat(), "grounds": "预警解除。"},
    )
    confirmed(town, moved.json())
    answer = town.street().post(f"/cases/{late.id}/acknowledge", {})
    assert answer.status_code == 200, answer.text
    assert running(town, late).fact.skips[0].last == last
    assert running(town, late).fact.due_at < fact.due_at


def test_a_case_that_the_index_has_not_seen_yet_comes_under_a_special_period_later(
    own_town: Town,
) -> None:
    town, watch = own_town, timekeeper(own_town)
    # The server's own watch holds still, for its clocks disagree: that of this test does it.
    town.parts.timekeeper._steady = lambda: town.clock().timestamp() - 7200
    change = declare(town)
    with town.parts.feed._switch:  # the views stand still
        case = dispatched(town)
        before = running(town, case).fact
        confirmed(town, change)
        for _ in range(3):
            town.run(watch.tick())
        assert running(town, case).fact == before
    caught_up(town)
    for _ in range(3):
        town.run(watch.tick())
    assert running(town, case).fact.skips
    rounds = dict(watch._rounds)
    assert set(rounds.values()) == {None}, "looked through to the end of the log: all is done"


def test_a_period_with_a_limit_of_its_own_gives_open_cases_only_more_time(
    own_town: Town,
) -> None:
    town = own_town
    case = dispatched(town)
    before = running(town, case).fact
    change = declare(town, limit={"amount": 8, "unit": "duty_hour"}, occasion="snow")
    shorter = declare(town, limit={"amount": 30, "unit": "duty_minute"}, occasion="event")
    confirmed(town, change)
    confirmed(town, shorter)
    caught_up(town)
    town.run(town.parts.timekeeper.tick())
    assert running(town, case).fact == before, "not before it begins"
    move_to(town, MORNING + timedelta(minutes=40))
    for _ in range(50):
        town.run(town.parts.timekeeper.tick())
        if running(town, case).fact != before:
            break
    fact = running(town, case).fact
    assert (fact.limit.amount, fact.plain_limit, fact.plain_due_at) == (
        8,
        before.limit,
        before.due_at,
    )
    new = running(town, dispatched(town)).fact
    assert (new.limit.amount, new.limit.unit) == (30, "duty_minute"), "new ones take it as it is"


# 暂定 --------------------------------------------------------------------------------------


def test_a_provisional_due_time_is_settled_when_the_year_is_published(own_town: Town) -> None:
    town = own_town
    case = dispatched(town)
    town.street().act(case, "acknowledge", "handling")
    photo = town.street().photo(case)
    town.street().act(
        case, "rectify", "rectified", outcome="rectified", photos=[photo], words="已码放整齐。"
    )
    town.second_reviewer.act(case, "close", "closed", standard_met=True, reply="已办结。")
    town.forward(days=(datetime(2026, 12, 31, 4, tzinfo=MORNING.tzinfo) - town.clock()).days)
    other = dispatched(town)
    town.street().act(other, "acknowledge", "handling")
    photo = town.street().photo(other)
    town.street().act(
        other, "rectify", "rectified", outcome="rectified", photos=[photo], words="已码放整齐。"
    )
    town.second_reviewer.act(other, "close", "closed", standard_met=True, reply="已办结。")
    town.citizen("市民甲").act(
        other, "rate", "under_recheck", solved="no", satisfaction=1, efficiency=1
    )
    before = running(town, other, Clock.RECHECK).fact
    assert before.provisional
    admin = town.staff("系统甲", Role.SYSADMIN)
    year = {
        "type": "publish-year",
        "year": {
            "year": 2027,
            "holidays": [{"name": "元旦", "first": "2027-01-01", "last": "2027-01-03"}],
            "worked": [],
            "source": "试验用通知",
        },
        "effective_from": (town.clock() + timedelta(minutes=10)).isoformat(),
    }
    change = admin.post("/changes", {"change": year, "reason": "公布2027年安排"})
    assert change.status_code == 202, change.text
    agreed = town.second_supervisor.post(f"/changes/{change.json()['id']}/confirm", {})
    assert agreed.status_code == 200, agreed.text
    town.forward(minutes=10)
    caught_up(town)
    for _ in range(50):
        town.run(town.parts.timekeeper.tick())
        if not running(town, other, Clock.RECHECK).fact.provisional:
            break
    after = running(town, other, Clock.RECHECK).fact
    assert not after.provisional
    assert after.due_at > before.due_at, "New Year's Day no longer counts"
    history = town.parts.casework.history(UUID(other.id))
    assert sum(isinstance(each.event, DueTimesSettled) for each in history) == 1
