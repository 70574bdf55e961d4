"""试算, 工作日历 and 按期处置率 over HTTP: tried before it is confirmed, in use once it is."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from api.trying_out import require_few
from casework.clocks import SHANGHAI
from casework.errors import Missing
from casework.events import CaseDispatched
from casework.handlings import Cut
from casework.model import ActorKind, Role
from projections.past_handlings import Wanted
from tests.api.client import (
    ZHONGGUANCUN,
    Body,
    Caller,
    Town,
    Tracked,
    is_problem,
    open_town,
    settings_for,
)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town of its own: these tests change what everybody decides by."""
    with open_town(settings_for(tmp_path_factory.mktemp("trials") / "var")) as found:
        yield found


@pytest.fixture(scope="module")
def sysadmin(town: Town) -> Caller:
    return town.staff("系统甲", Role.SYSADMIN)


@pytest.fixture(scope="module")
def analyst(town: Town) -> Caller:
    return town.staff("分析甲", Role.ANALYST)


def next_morning(town: Town) -> str:
    """Eight o'clock of the next day in Haidian; that day."""
    local = town.clock().astimezone(SHANGHAI)
    town.forward(hours=(32 - local.hour) % 24 or 24)
    return town.clock().astimezone(SHANGHAI).date().isoformat()


def registered(town: Town, indicator: str = "P10", condition: str = "P10-2") -> Tracked:
    case = town.anonymous().report()
    town.reviewer.act(case, "register", "dispatched", indicator=indicator, condition=condition)
    town.street().act(case, "acknowledge", "handling")
    return case


def handed_over(town: Town, case: Tracked, minutes: int) -> Tracked:
    town.settle(case, minutes)
    town.reviewer.sees(case)
    return case


def bikes(hours: int) -> Body:
    row = {
        "id": "P10-2",
        "condition": "未在停车区内停放",
        "limit": {"amount": hours, "unit": "duty_hour"},
        "standard": "车辆入位码放整齐",
    }
    return {"name": "非机动车乱停放", "group": "公共区域", "conditions": [row]}


def soon(town: Town) -> str:
    return (town.clock() + timedelta(minutes=5)).isoformat()


# trying out ------------------------------------------------------------------------------


def test_a_dry_run_tells_who_would_have_been_late_and_changes_nothing(
    town: Town, sysadmin: Caller
) -> None:
    day = next_morning(town)
    quick = handed_over(town, registered(town), 20)
    slow = handed_over(town, registered(town), 100)
    head = town.parts.casework.eventlog.head()
    form = {"indicator": {**bikes(1), "code": "P10"}, "first": day, "last": day}
    answer = sysadmin.post("/indicators/dry-run", form)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    [line] = told["lines"]
    assert (line["indicator"], line["condition"], line["late"]) == ("P10", "P10-2", 0)
    assert line["newly_late"] == [slow.id]
    assert (line["would_be_late"], line["cases"], told["total"]["newly_late_total"]) == (1, 2, 1)
    [street] = told["streets"]
    assert (street["street"], street["street_name"]) == (ZHONGGUANCUN, "中关村街道")
    assert street["newly_late"] == [slow.id]
    assert (told["first"], told["last"], told["says"]) == (day, day, "指标 P10 非机动车乱停放")
    # The clock may have told of a limit meanwhile; nobody else has done anything.
    later = town.parts.casework.eventlog.since(head, 1000)
    assert {recorded.actor.kind for recorded in later} <= {ActorKind.CLOCK}
    assert slow.position <= told["as_of"] <= town.parts.casework.eventlog.head()

    elsewhere = sysadmin.post("/indicators/dry-run", {**form, "streets": ["110108010"]}).json()
    assert elsewhere["lines"] == [] and elsewhere["total"]["cases"] == 0
    other = {**bikes(1), "code": "P10", "conditions": [{**_row(bikes(1)), "id": "P10-1"}]}
    without = sysadmin.post("/indicators/dry-run", {**form, "indicator": other}).json()
    assert sorted(without["without_row"]) == sorted([quick.id, slow.id])
    assert without["without_row_total"] == 2


def _row(indicator: Body) -> dict[str, object]:
    conditions = indicator["conditions"]
    assert isinstance(conditions, list)
    row: dict[str, object] = conditions[0]
    return row


def test_a_dry_run_answers_as_of_a_past_moment_and_a_past_position(
    town: Town, sysadmin: Caller
) -> None:
    """Before the hand-over the case was open, and by then not late under either limit."""
    day = next_morning(town)
    case = registered(town)
    town.reviewer.sees(case)
    position, then = case.position, town.clock().isoformat()
    handed_over(town, case, 100)
    form = {"indicator": {**bikes(1), "code": "P10"}, "first": day, "last": day}
    now, at_position, at_time = (
        sysadmin.post("/indicators/dry-run", {**form, **more}).json()
        for more in ({}, {"as_of": str(position)}, {"as_of": then})
    )
    assert now["total"]["would_be_late"] == 1
    assert at_position["total"] == at_time["total"]
    assert at_position["total"]["would_be_late"] == 0 and at_position["total"]["cases"] == 1
    assert at_position["as_of"] == position
    beyond = {**form, "as_of": str(town.parts.casework.eventlog.head() + 1000)}
    is_problem(sysadmin.post("/indicators/dry-run", beyond), 422, "bad-parameter")


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"first": 0}, "invalid"),
        ({"last": "2026-01-01"}, "missing"),
        ({"last": "9999-12-31"}, "missing"),
        ({"as_of": "2999-01-01"}, "bad-parameter"),
        ({"as_of": "昨天"}, "bad-parameter"),
        ({"streets": ["北京"]}, "invalid"),
    ],
)
def test_what_cannot_be_tried_is_said_in_chinese(
    sysadmin: Caller, changes: Body, kind: str
) -> None:
    form = {"indicator": {**bikes(1), "code": "P10"}, **changes}
    is_problem(sysadmin.post("/indicators/dry-run", form), 422, kind)


def test_what_is_too_much_for_a_request_is_refused_and_the_command_named(town: Town) -> None:
    """The bound is 100,000; here it is one."""
    for _ in range(2):
        registered(town, "P10", "P10-2")
    head = town.parts.casework.eventlog.head()
    assert town.reviewer.get("/cases", after=head, limit=1).json()["as_of"] >= head
    wanted = Wanted(
        first=town.clock() - timedelta(days=400), last=town.clock(), cut=Cut(town.clock())
    )
    require_few(town.parts.feed.readers, wanted)
    with pytest.raises(Missing, match=r"超过1次.*casework dry-run"):
        require_few(town.parts.feed.readers, wanted, 1)


def test_by_default_last_month_is_judged(town: Town, sysadmin: Caller) -> None:
    told = sysadmin.post("/indicators/dry-run", {"indicator": {**bikes(1), "code": "P10"}}).json()
    this = town.clock().astimezone(SHANGHAI).replace(day=1).date()
    assert told["first"] == (this - timedelta(days=1)).replace(day=1).isoformat()
    assert told["last"] == (this - timedelta(days=1)).isoformat()
    assert told["lines"] == []


def test_a_change_is_tried_out_before_the_second_person_confirms_it(
    town: Town, sysadmin: Caller
) -> None:
    day = next_morning(town)
    slow = handed_over(town, registered(town), 100)
    span = {"first": day, "last": day}
    body = {"indicator": bikes(1), "effective_from": soon(town), "reason": "提速"}
    number = sysadmin.post("/indicators/P10/revise", body).json()["id"]
    town.forward(minutes=10)  # its time has passed: it can still be tried, not confirmed
    told = town.supervisor.post(f"/changes/{number}/dry-run", span)
    assert told.status_code == 200, told.text
    assert told.json()["says"] == "修订指标 P10 非机动车乱停放"
    assert told.json()["lines"][0]["newly_late"] == [slow.id]
    sysadmin.post(f"/changes/{number}/withdraw")
    is_problem(town.supervisor.post(f"/changes/{number}/dry-run", span), 409, "nothing-pending")
    is_problem(town.supervisor.post("/changes/99999/dry-run", span), 404, "not-there")

    end = {"effective_from": soon(town), "reason": "并入其他指标"}
    retired = sysadmin.post("/indicators/P10/retire", end).json()["id"]
    told = town.supervisor.post(f"/changes/{retired}/dry-run", span).json()
    assert told["without_row"] == [slow.id] and told["lines"] == []
    sysadmin.post(f"/changes/{retired}/withdraw")

    code = {"type": "add-code", "code": {"code": "N13", "family": "N", "text": "已在办理"},
            "effective_from": soon(town)}  # fmt: skip
    other = sysadmin.post("/changes", {"change": code, "reason": "补充"}).json()["id"]
    refused = is_problem(town.supervisor.post(f"/changes/{other}/dry-run", span), 422, "missing")
    assert "不影响处置时限" in str(refused["detail"])


def test_a_calendar_is_tried_out_by_its_windows_or_by_a_year(
    town: Town, analyst: Caller, sysadmin: Caller
) -> None:
    day = next_morning(town)
    slow = handed_over(town, registered(town), 130)
    span = {"first": day, "last": day}
    windows = {"duty": [["09:00", "21:00"]], "working": [["09:00", "18:00"]]}
    told = analyst.post("/calendar/dry-run", {"windows": windows, **span})
    assert told.status_code == 200, told.text
    assert told.json()["lines"][0]["relieved"] == [slow.id]
    holiday = {"name": "试填", "first": "2027-01-01", "last": "2027-01-03"}
    year = {"year": 2027, "holidays": [holiday], "worked": ["2027-01-09"]}
    same = analyst.post("/calendar/dry-run", {"year": year, **span}).json()
    assert (same["total"]["late"], same["total"]["would_be_late"]) == (1, 1)
    assert same["says"] == "发布2027年工作日历"

    number = sysadmin.post(
        "/changes",
        {
            "change": {
                "type": "set-windows",
                "duty": [["09:00:00", "21:00:00"]],
                "working": [["09:00:00", "18:00:00"]],
                "effective_from": soon(town),
            },
            "reason": "试点",
        },
    ).json()["id"]
    by_change = analyst.post(f"/changes/{number}/dry-run", span).json()
    assert by_change["lines"] == told.json()["lines"]
    sysadmin.post(f"/changes/{number}/withdraw")


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"windows": {"duty": [["21:00", "09:00"]], "working": [["09:00", "18:00"]]}},
        {"windows": {"duty": [["9点", "21:00"]], "working": [["09:00", "18:00"]]}},
        {"year": {"year": 2027, "holidays": [{"name": "元旦", "first": "2026-12-31",
                                              "last": "2027-01-02"}]}},
        {"year": {"year": 2027, "holidays": [{"name": "元旦", "first": "2027-01-02",
                                              "last": "2027-01-01"}]}},
    ],
)  # fmt: skip
def test_a_calendar_nobody_could_work_by_is_refused(analyst: Caller, form: Body) -> None:
    answer = analyst.post("/calendar/dry-run", form)
    assert answer.status_code == 422, answer.text
    is_problem(answer, 422, answer.json()["type"].removeprefix("/problems/"))


def test_only_those_who_weigh_changes_try_them(town: Town) -> None:
    for path in ("/indicators/dry-run", "/calendar/dry-run", "/changes/1/dry-run"):
        assert town.street().post(path, {}).status_code in {403, 422}
    is_problem(town.street().post("/changes/1/dry-run", {}), 403, "not-permitted")


# the calendar ----------------------------------------------------------------------------


def test_anybody_reads_windows_holidays_and_worked_weekends(town: Town) -> None:
    told = town.anonymous().get("/calendar").json()
    assert told["in_force"] and told["duty"] == [["07:00", "21:00"]]
    assert told["working"] == [["09:00", "12:00"], ["13:30", "18:00"]]
    [year] = [each for each in told["years"] if each["year"] == 2026]
    assert {"name": "国庆节", "first": "2026-10-01", "last": "2026-10-07"} in year["holidays"]
    assert "2026-10-10" in year["worked"] and "国务院" in year["source"]
    before = town.anonymous().get("/calendar", version=1).json()
    assert (before["version"], before["in_force"], before["years"]) == (1, False, [])
    is_problem(town.anonymous().get("/calendar", version=10**6), 404, "not-there")


# a thirteenth indicator --------------------------------------------------------------------


def test_a_thirteenth_indicator_is_added_used_revised_and_retired_by_the_api_alone(
    town: Town, sysadmin: Caller
) -> None:
    def changed(path: str, **form: object) -> None:
        body = {**form, "effective_from": soon(town), "reason": "按区级通知"}
        asked = sysadmin.post(path, body)
        assert asked.status_code == 202, asked.text
        tried = town.supervisor.post(f"/changes/{asked.json()['id']}/dry-run", {})
        assert tried.status_code == 200, tried.text
        done = town.supervisor.post(f"/changes/{asked.json()['id']}/confirm")
        assert done.status_code == 200, done.text
        town.forward(minutes=6)

    row = {
        "id": "P11-1",
        "condition": "井盖缺失或破损",
        "limit": {"amount": 3, "unit": "duty_hour"},
        "standard": "恢复完好",
    }
    manhole: Body = {"name": "井盖缺损", "group": "公共区域", "conditions": [row]}
    early = town.anonymous().report()
    refused = {"indicator": "P11", "condition": "P11-1"}
    town.reviewer.refused(early, "register", 422, "not-in-catalogue", **refused)
    day = next_morning(town)
    changed("/indicators", indicator={**manhole, "code": "P11"})
    listed = town.anonymous().get("/indicators").json()["indicators"]
    assert len(listed) == 13 and "P11" in {each["code"] for each in listed}

    hour = timedelta(hours=1)
    first = registered(town, "P11", "P11-1")
    assert limit_of(town, first) == 3 * hour
    longer = {**manhole, "conditions": [{**row, "limit": {"amount": 4, "unit": "duty_hour"}}]}
    changed("/indicators/P11/revise", indicator=longer)
    second = registered(town, "P11", "P11-1")
    assert limit_of(town, second) == 4 * hour
    assert limit_of(town, first) == 3 * hour

    head = town.parts.casework.eventlog.head()
    assert town.reviewer.get("/cases", after=head, limit=1).json()["as_of"] >= head
    form = {"indicator": {**longer, "code": "P11"}, "first": day, "last": day}
    told = sysadmin.post("/indicators/dry-run", form).json()
    assert told["total"]["cases"] == 2
    changed("/indicators/P11/retire")
    third = town.anonymous().report()
    town.reviewer.refused(third, "register", 422, "not-in-catalogue", **refused)
    handed_over(town, first, 5)  # what was registered under it goes on


def limit_of(town: Town, case: Tracked) -> timedelta:
    """How long the street was given, as frozen at its dispatch."""
    history = town.parts.casework.history(UUID(case.id))
    [due] = [(e.at, e.event.due_at) for e in history if isinstance(e.event, CaseDispatched)]
    return due[1] - due[0]


# 按期处置率 ------------------------------------------------------------------------------


def test_timeliness_counts_what_fell_due_and_drills_down_to_its_cases(
    town: Town, analyst: Caller
) -> None:
    local = town.clock().astimezone(SHANGHAI)
    town.forward(days=32 - local.day, hours=32 - local.hour)  # early next month, before nine
    next_morning(town)
    month = town.clock().astimezone(SHANGHAI).strftime("%Y-%m")
    good = handed_over(town, registered(town), 20)
    late = handed_over(town, registered(town), 130)
    still = registered(town)
    town.forward(hours=3)
    town.reviewer.sees(still)

    told = analyst.get("/measures/timeliness", month=month).json()
    rate = {"due": 3, "handed_over": 2, "in_time": 1, "handed_over_rate": 66.67,
            "in_time_rate": 33.33, "enough": False}  # fmt: skip
    [row] = told["rows"]
    assert row["frozen"] == row["plain"] == row["exempted"] == rate == told["total"]["frozen"]
    assert (row["street"], row["indicator"], row["unfinished"]) == (ZHONGGUANCUN, "P10", 1)
    assert "强制结案" in told["formula"] and told["minimum_sample"] == 20
    assert still.position <= told["as_of"] <= town.parts.casework.eventlog.head()

    def cases(**query: str) -> list[str]:
        found = analyst.get("/measures/timeliness/cases", month=month, **query).json()
        assert found["total"] == len(found["handlings"])
        return [each["case_id"] for each in found["handlings"]]

    assert cases() == [good.id, late.id, still.id]
    assert cases(part="in_time") == [good.id]
    assert cases(part="late") == [late.id] and cases(part="open") == [still.id]
    assert cases(part="exempted") == [] and cases(street="110108010") == []
    assert cases(indicator="P10", variant="plain") == [good.id, late.id, still.id]
    page = analyst.get("/measures/timeliness/cases", month=month, offset=1, limit=1).json()
    assert [each["case_id"] for each in page["handlings"]] == [late.id] and page["total"] == 3
    assert page["handlings"][0]["ended_by_name"] == "核查通过"

    before = analyst.get("/measures/timeliness", month=month, as_of=str(good.position)).json()
    assert before["total"]["frozen"]["due"] == 0 and before["as_of"] == good.position
    is_problem(analyst.get("/measures/timeliness", month="2099-01"), 422, "bad-parameter")
    is_problem(town.street().get("/measures/timeliness", month=month), 403, "not-permitted")
