"""试算 of open cases: what is told before a change is confirmed is what comes about afterwards."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from casework.model import Clock, Role
from tests.api.browsing import Browser, browsing, form_to
from tests.api.client import MORNING, ZHONGGUANCUN, Body, Town, Tracked, is_problem, own_town
from tests.api.test_watch_api import caught_up, confirmed, declare, dispatched, move_to, running

YEAR: Body = {
    "year": 2027,
    "holidays": [{"name": "元旦", "first": "2027-01-01", "last": "2027-01-03"}],
    "worked": [],
    "source": "试验用通知",
}


@pytest.fixture
def town() -> Iterator[Town]:
    """A town of the test's own, whose days nobody else moves."""
    with own_town() as found:
        yield found


def ticked(town: Town, case: Tracked, clock: Clock, before: datetime) -> datetime:
    """The due time of a clock once the watch has changed it."""
    caught_up(town)
    for _ in range(200):
        town.run(town.parts.timekeeper.tick())
        caught_up(town)
        if running(town, case, clock).fact.due_at != before:
            break
    return running(town, case, clock).fact.due_at


def under_recheck_at_new_year(town: Town) -> Tracked:
    """A case whose recheck of two working days ends in a year without a notice."""
    town.forward(days=(datetime(2026, 12, 31, 4, tzinfo=MORNING.tzinfo) - town.clock()).days)
    case = dispatched(town)
    street = town.street()
    street.act(case, "acknowledge", "handling")
    handed = {"outcome": "rectified", "photos": [street.photo(case)], "words": "已码放整齐。"}
    street.act(case, "rectify", "rectified", **handed)
    town.second_reviewer.act(case, "close", "closed", standard_met=True, reply="已办结。")
    unsolved = {"solved": "no", "satisfaction": 1, "efficiency": 1}
    town.citizen("市民甲").act(case, "rate", "under_recheck", **unsolved)
    assert running(town, case, Clock.RECHECK).fact.provisional
    caught_up(town)
    return case


def test_a_year_is_tried_out_on_open_cases_and_does_what_it_said(town: Town) -> None:
    case = under_recheck_at_new_year(town)
    before = running(town, case, Clock.RECHECK).fact.due_at
    sysadmin = town.staff("系统甲", Role.SYSADMIN)
    told = sysadmin.post("/calendar/dry-run", {"year": YEAR})
    assert told.status_code == 200, told.text
    tried = told.json()["open_cases"]
    (move,) = [m for m in tried["moved"] if (m["number"], m["clock"]) == (case.number, "recheck")]
    assert datetime.fromisoformat(move["due_at"]) == before and not move["provisional"]
    line = next(each for each in tried["lines"] if each["street"] == ZHONGGUANCUN)
    assert line["indicator_name"] == "非机动车乱停放" and line["later"] >= 1
    effective = (town.clock() + timedelta(seconds=70)).isoformat()
    change = {"type": "publish-year", "year": YEAR, "effective_from": effective}
    proposed = sysadmin.post("/changes", {"change": change, "reason": "公布2027年安排"}).json()
    waiting = town.supervisor.post(f"/changes/{proposed['id']}/open-dry-run").json()
    assert move in waiting["moved"] and waiting["says"] == "发布2027年工作日历"
    whole = town.supervisor.post(f"/changes/{proposed['id']}/dry-run", {}).json()
    assert move in whole["open_cases"]["moved"]
    assert running(town, case, Clock.RECHECK).fact.due_at == before, "nothing has happened"
    confirmed(town, proposed)
    town.forward(seconds=15)
    after = ticked(town, case, Clock.RECHECK, before)
    assert after == datetime.fromisoformat(move["would_be_due_at"]) > before
    again = town.supervisor.post(f"/changes/{proposed['id']}/open-dry-run")
    is_problem(again, 409, "nothing-pending")


def test_a_special_period_is_tried_out_and_does_what_it_said(town: Town) -> None:
    case, other = dispatched(town), town.citizen("市民甲").report()
    town.reviewer.act(other, "register", "dispatched", indicator="P01", condition="P01-2")
    caught_up(town)
    form: Body = {
        "occasion": "flood",
        "first": (town.clock() + timedelta(minutes=30)).isoformat(),
        "last": (town.clock() + timedelta(days=2)).isoformat(),
        "indicators": ["P10"],
    }
    told = town.supervisor.post("/special-periods/dry-run", form)
    assert told.status_code == 200, told.text
    tried = told.json()
    assert (tried["looked_at"], tried["moved_total"]) == (1, 1), "one of another indicator is not"
    (move,) = tried["moved"]
    before = running(town, case).fact.due_at
    assert (move["number"], datetime.fromisoformat(move["due_at"])) == (case.number, before)
    change = declare(town, first=form["first"], last=form["last"])
    assert town.supervisor.post(f"/changes/{change['id']}/open-dry-run").json()["moved"] == [move]
    confirmed(town, change)
    after = ticked(town, case, Clock.HANDLING, before)
    assert after == datetime.fromisoformat(move["would_be_due_at"]) > before
    ended = town.supervisor.post(
        "/special-periods/1/move-end",
        {"last": (town.clock() + timedelta(hours=2)).isoformat(), "grounds": "预警解除。"},
    ).json()
    earlier = town.supervisor.post(f"/changes/{ended['id']}/open-dry-run").json()
    assert [line["earlier"] for line in earlier["lines"]] == [1]


def test_a_period_with_a_limit_is_tried_out_as_of_its_beginning(town: Town) -> None:
    case = dispatched(town)
    caught_up(town)
    before = running(town, case).fact.due_at
    first = town.clock() + timedelta(minutes=30)
    form: Body = {
        "occasion": "snow",
        "first": first.isoformat(),
        "last": (first + timedelta(days=1)).isoformat(),
        "limit": {"amount": 8, "unit": "duty_hour"},
    }
    tried = town.supervisor.post("/special-periods/dry-run", form).json()
    assert datetime.fromisoformat(tried["at"]) == first
    (move,) = tried["moved"]
    shorter = {**form, "limit": {"amount": 30, "unit": "duty_minute"}}
    assert town.supervisor.post("/special-periods/dry-run", shorter).json()["moved"] == []
    confirmed(town, declare(town, **{**form, "streets": []}))
    move_to(town, first)
    after = ticked(town, case, Clock.HANDLING, before)
    assert after == datetime.fromisoformat(move["would_be_due_at"]) > before


def test_what_cannot_be_tried_is_said(town: Town) -> None:
    now = town.clock()
    form: Body = {
        "occasion": "flood",
        "first": (now - timedelta(hours=1)).isoformat(),
        "last": (now + timedelta(hours=1)).isoformat(),
    }
    told = is_problem(town.supervisor.post("/special-periods/dry-run", form), 422, "missing")
    assert "不得溯及既往" in str(told)
    is_problem(town.street().post("/special-periods/dry-run", form), 403, "not-permitted")
    sysadmin = town.staff("系统甲", Role.SYSADMIN)
    code = {"type": "add-code", "code": {"code": "N13", "family": "N", "text": "已在办理"},
            "effective_from": (now + timedelta(hours=1)).isoformat()}  # fmt: skip
    change = sysadmin.post("/changes", {"change": code, "reason": "补充"}).json()
    told = is_problem(sysadmin.post(f"/changes/{change['id']}/open-dry-run"), 422, "missing")
    assert "不影响在办案件" in str(told["detail"])


# pages -------------------------------------------------------------------------------------


def result(page: str) -> str:
    found = re.search(r'<section class="card" id="told".*?</section>', page, re.DOTALL)
    assert found, "no result"
    return found[0]


def tried_year(browser: Browser, page: str, **fields: str) -> str:
    path = "/office/configuration/years/dry-run"
    typed = form_to(page, "/office/configuration/years") | fields
    answer = browser.post(path, typed)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_a_year_is_tried_out_from_its_form_and_by_the_second_person(town: Town) -> None:
    case = under_recheck_at_new_year(town)
    with browsing(town, Role.SYSADMIN) as sysadmin:
        page = sysadmin.page("/office/configuration")
        assert 'formaction="/office/configuration/years/dry-run"' in page
        fields = {"year": "2027", "holidays": "元旦 2027-01-01 2027-01-03", "worked": ""}
        tried = tried_year(sysadmin, page, **fields)
        told = result(tried)
        assert case.number in told and "到期时间会变" in told and "推后" in told
        assert "元旦 2027-01-01 2027-01-03</textarea>" in tried, "what was typed stays"
        path = "/office/configuration/years/dry-run"
        typed = form_to(page, "/office/configuration/years") | fields | {"holidays": "元旦"}
        wrong = sysadmin.post(path, typed)
        assert wrong.status_code == 422 and "每行写一个假期" in wrong.text
        soon = (town.clock() + timedelta(hours=9)).strftime("%Y-%m-%dT%H:%M")
        whole = fields | {"source": "通知", "reason": "公布", "effective_from": soon}
        done = sysadmin.post("/office/configuration/years", typed | whole)
        assert done.status_code == 303, done.text
    with browsing(town, Role.SUPERVISOR) as second:
        page = second.page("/office/configuration")
        waits = re.search(r'action="(/office/configuration/changes/\d+/dry-run)"', page)
        assert waits and "data-long" in page
        answer = second.post(waits[1], form_to(page, waits[1]))
        assert answer.status_code == 200 and case.number in result(answer.text)
        assert "确认后不能撤回" in answer.text, "and is confirmed there"


def test_a_period_is_tried_out_from_its_form_and_by_the_second_person(town: Town) -> None:
    case = dispatched(town)
    first = (town.clock() + timedelta(hours=11)).strftime("%Y-%m-%dT%H:%M")
    last = (town.clock() + timedelta(hours=32)).strftime("%Y-%m-%dT%H:%M")
    fields = {"occasion": "snow", "first": first, "last": last}
    with browsing(town, Role.SUPERVISOR) as one:
        page = one.page("/desk/special-periods")
        path = "/desk/special-periods/dry-run"
        typed = form_to(page, "/desk/special-periods") | fields
        late = one.post(path, typed | {"first": last, "last": first})
        assert late.status_code == 422 and "结束时间须晚于开始时间" in late.text
        answer = one.post(path, typed)
        assert answer.status_code == 200 and f'value="{first}"' in answer.text
        told = result(answer.text)
        assert "宣布雪天特殊时段" in told and "可能受影响的在办案件1件" in told
        assert case.number not in told, "it is due before"
        earlier = (town.clock() + timedelta(hours=8, minutes=30)).strftime("%Y-%m-%dT%H:%M")
        answer = one.post(path, typed | {"first": earlier})
        assert case.number in result(answer.text)
        done = one.post("/desk/special-periods", typed | {"first": earlier, "grounds": "预警。"})
        assert done.status_code == 303, done.text
    with browsing(town, Role.SUPERVISOR) as second:
        page = second.page("/desk/special-periods")
        waits = re.search(r'action="(/desk/special-periods/changes/\d+/dry-run)"', page)
        assert waits
        answer = second.post(waits[1], form_to(page, waits[1]))
        assert answer.status_code == 200 and case.number in result(answer.text)
