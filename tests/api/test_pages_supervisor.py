"""督办台, 值班交接 and 特殊时段 over plain HTTP, as without a script."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from casework.clocks import SHANGHAI
from casework.model import Role
from tests.api.browsing import Browser, browsing, form_to, part
from tests.api.client import (
    NEAR_BORDER,
    XUEYUANLU,
    ZHONGGUANCUN,
    Town,
    Tracked,
    is_problem,
    own_town,
)


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    """A town of this file's own: its clock and catalogue are nobody else's to move."""
    with own_town() as found:
        yield found


"""What the pages ask is asked of both stores in the tests of the API and of the views."""


@pytest.fixture
def boss(town: Town) -> Iterator[Browser]:
    with browsing(town, Role.SUPERVISOR) as browser:
        yield browser


@pytest.fixture
def other(town: Town) -> Iterator[Browser]:
    """Another supervisor."""
    with browsing(town, Role.SUPERVISOR) as browser:
        yield browser


def handled(town: Town) -> Tracked:
    case = town.anonymous().report()
    town.reviewer.act(case, "register", "dispatched", indicator="P02", condition="P02-1")
    town.street().act(case, "acknowledge", "handling")
    return case


def local(town: Town, **later: float) -> str:
    """A moment from now as a field of the page posts it."""
    return f"{town.clock().astimezone(SHANGHAI) + timedelta(**later):%Y-%m-%dT%H:%M}"


def test_an_extension_is_granted_on_the_desk_with_the_new_due_time_before_one(
    town: Town, boss: Browser
) -> None:
    case = handled(town)
    by = {"amount": 1, "unit": "calendar_day"}
    town.street().act(case, "request_extension", "handling", code="E04", by=by, words="连日大风。")
    desk = boss.page("/desk/supervisor", street=ZHONGGUANCUN)
    waits = part(desk, "delays")
    assert case.number in waits and "延长1个自然日" in waits and "连日大风。" in waits
    told = re.search(r"同意后：到期时间由([^<]+)改为<b>([^<]+)</b>", waits)
    assert told and told[1] != told[2] and "新的到期时间怎么算的" in waits
    path = f"/cases/{case.number}/grant-extension"
    done = boss.post(path, form_to(desk, path))
    assert done.status_code == 303, done.text
    assert done.headers["location"] == f"/desk/supervisor?street={ZHONGGUANCUN}"
    page = boss.page(f"/cases/{case.number}")
    assert told[2] in page, "it is due when the desk said it would be"


def test_a_denial_wants_words_and_keeps_them(town: Town, boss: Browser) -> None:
    case = handled(town)
    until = f"{town.clock() + timedelta(days=40):%Y-%m-%d}"
    town.lead().act(case, "request_suspension", "handling", code="S01", resume_on=until)
    desk = boss.page("/desk/supervisor")
    path = f"/cases/{case.number}/deny-suspension"
    form = form_to(desk, path)
    empty = boss.post(path, form)
    assert empty.status_code == 422 and "说明：不能为空" in empty.text
    done = boss.post(path, form | {"words": "不属季节性问题。"})
    assert (done.status_code, done.headers["location"]) == (303, "/desk/supervisor")
    assert case.number not in part(boss.page("/desk/supervisor"), "delays")
    assert "不属季节性问题。" in boss.page(f"/cases/{case.number}")


def test_who_asked_for_a_force_close_does_not_confirm_it(
    town: Town, boss: Browser, other: Browser
) -> None:
    case = handled(town)
    path = f"/cases/{case.number}/request-force-close"
    form = form_to(boss.page(f"/cases/{case.number}"), path)
    done = boss.post(path, form | {"code": "F01", "words": "现场已拆除，点位不复存在。"})
    assert done.status_code == 303, done.text
    mine = part(boss.page("/desk/supervisor"), "seconds")
    assert "这是您提出的，须由另一名督办员确认" in mine
    confirm = f"/cases/{case.number}/confirm-force-close"
    assert confirm not in mine and confirm not in boss.page(f"/cases/{case.number}")
    theirs = other.page("/desk/supervisor")
    assert "现场已拆除" in part(theirs, "seconds")
    assert other.post(confirm, form_to(theirs, confirm)).status_code == 303
    assert town.reviewer.get(f"/cases/{case.id}").json()["status"] == "closed"
    lost = other.post(confirm, form_to(theirs, confirm) | {"key": "another"})
    assert lost.status_code in {409, 412}


def test_what_is_late_stands_by_street_and_what_came_back_twice_is_designated(
    town: Town, boss: Browser
) -> None:
    case = town.anonymous().report(place=NEAR_BORDER)
    town.reviewer.act(case, "register", "registered", indicator="P02", condition="P02-1")
    for street in (ZHONGGUANCUN, XUEYUANLU):
        town.reviewer.act(case, "dispatch", "dispatched", street=street, reason="按管护范围。")
        town.street(street).act(case, "request_return", "dispatched", code="T01")
        town.reviewer.act(case, "accept_return", "registered")
    desk = boss.page("/desk/supervisor")
    back = part(desk, "returned")
    assert case.number in back and "退回2次" in back and "请指定派遣" in back
    page = boss.page(f"/cases/{case.number}", do="designate")
    path = f"/cases/{case.number}/designate"
    form = form_to(page, path) | {"street": ZHONGGUANCUN, "reason": "先处置后定责。"}
    assert boss.post(path, form).status_code == 303
    late = handled(town)
    town.forward(days=2)
    with browsing(town, Role.SUPERVISOR) as tomorrow:
        whole = tomorrow.page("/desk/supervisor")
        assert f'href="/desk/supervisor?street={ZHONGGUANCUN}"' in part(whole, "late")
        narrow = tomorrow.page("/desk/supervisor", street=ZHONGGUANCUN)
        assert "督办台：中关村街道" in narrow and late.number in narrow
        nothing = tomorrow.page("/desk/supervisor", street="110108031")
        assert "没有超期未办的案件" in nothing
        assert tomorrow.get("/desk/supervisor", street="<b>").status_code == 422
        noted = tomorrow.page(f"/cases/{late.number}", do="note")
        path = f"/cases/{late.number}/note"
        form = form_to(noted, path) | {"words": "请说明为何超期。"}
        assert tomorrow.post(path, form).status_code == 303
        assert late.number in part(tomorrow.page("/desk/supervisor"), "notes")


def test_hand_overs_in_doubt_and_the_lists_are_told_and_asked_for_again(
    town: Town, boss: Browser
) -> None:
    case, worker = handled(town), town.street()
    worker.act(
        case, "rectify", "rectified", outcome="rectified", photos=[worker.photo()], words="已清。"
    )
    town.reviewer.act(case, "order_rework", "handling", code="R05", words="不是现场照片。")
    doubt = part(boss.page("/desk/supervisor"), "suspected")
    assert case.number in doubt and "R05" in doubt
    answer = boss.get("/desk/supervisor/lists")
    tag = answer.headers["etag"]
    again = boss.http.get("/desk/supervisor/lists", headers={"If-None-Match": tag})
    assert again.status_code in {200, 304}, "the minutes may have turned over"
    assert "<html" not in answer.text


def test_only_a_supervisor_sits_there(town: Town) -> None:
    with browsing(town, Role.REVIEWER) as reviewer:
        for path in ("/desk/supervisor", "/desk/supervisor/lists", "/desk/special-periods"):
            assert reviewer.get(path).status_code == 403


# 特殊时段 ------------------------------------------------------------------------------------


def test_a_special_period_is_declared_by_one_and_confirmed_by_another(
    town: Town, boss: Browser, other: Browser
) -> None:
    path = "/desk/special-periods"
    form = form_to(boss.page(path), path)
    form |= {"occasion": "snow", "first": local(town, days=40), "limit.unit": "duty_hour"}
    form |= {"streets": ZHONGGUANCUN, "grounds": "区应急办〔2026〕7号。"}
    wrong = boss.post(path, form)
    assert wrong.status_code == 422 and "区应急办〔2026〕7号。</textarea>" in wrong.text
    assert 'href="#declare-last"' in wrong.text and 'id="declare-last"' in wrong.text
    assert f'value="{ZHONGGUANCUN}" checked' in wrong.text
    done = boss.post(path, form | {"last": local(town, days=41)})
    assert done.status_code == 303, done.text
    mine = part(boss.page(path), "waiting")
    assert "雪天" in mine and "须由另一名督办员确认" in mine and "/confirm" not in mine
    assert "雪天" in other.page("/office/configuration")  # among the changes that wait
    theirs = other.page(path)
    confirm = re.search(r'action="(/desk/special-periods/changes/\d+/confirm)"', theirs)
    assert confirm
    assert other.post(confirm[1], form_to(theirs, confirm[1])).status_code == 303
    declared = part(boss.page(path), "declared")
    assert "中关村街道" in declared and "处置暂停计时" in declared and "未开始" in declared

    move = re.search(r'action="(/desk/special-periods/\d+/move-end)"', declared)
    assert move
    form = form_to(declared, move[1]) | {"last": local(town, days=43), "grounds": "雪未停。"}
    assert boss.post(move[1], form).status_code == 303
    theirs = other.page(path)
    reject = re.search(r'action="(/desk/special-periods/changes/\d+/reject)"', theirs)
    assert reject
    empty = other.post(reject[1], form_to(theirs, reject[1]))
    assert empty.status_code == 422 and "理由" in empty.text
    form = form_to(theirs, reject[1]) | {"reason": "预报已停雪。"}
    assert other.post(reject[1], form).status_code == 303
    assert "没有待确认的特殊时段" in boss.page(path)


# 值班交接 ------------------------------------------------------------------------------------


def test_a_shift_is_handed_over_by_one_and_taken_over_by_another(town: Town) -> None:
    case = handled(town)
    desk = f"street-{ZHONGGUANCUN}"
    with (
        browsing(town, Role.STREET, street=ZHONGGUANCUN) as leaving,
        browsing(town, Role.STREET_LEAD, street=ZHONGGUANCUN) as coming,
    ):
        page = leaving.page("/desk/shifts")
        assert "值班交接：中关村街道工作台" in page and "交班签字" in page
        path = f"/desk/shifts/{desk}/hand-over"
        form = form_to(page, path) | {"words": "13900001111请盯住沙发清运。"}
        assert leaving.post(path, form).status_code == 303
        assert leaving.post(path, form).status_code == 303, "one hand-over, however often sent"
        told = leaving.page("/desk/shifts")
        assert told.count("待接班：第") == 1 and "撤回交班" in told and "13900001111" not in told
        assert 'id="take-over"' not in told, "nobody signs twice"
        waits = coming.page("/desk/shifts")
        number = re.search(r"待接班：第(\d+)号", waits)
        assert number
        down = f"/desk/shifts/{desk}/{number[1]}/decline"
        refused = coming.post(down, form_to(waits, down))
        assert refused.status_code == 422 and "decline-words-wrong" in refused.text
        take = f"/desk/shifts/{desk}/{number[1]}/take-over"
        assert coming.post(take, form_to(waits, take)).status_code == 303
        after = coming.page("/desk/shifts")
        assert "已接班。" in after and "待接班：第" not in after
        assert "已接班" in part(after, "records")
        back = f"/desk/shifts/{desk}/{number[1]}/withdraw"
        late = leaving.post(back, form_to(told, back))
        assert late.status_code in {409, 422} and "refused" in late.text
        assert coming.page("/desk/shifts?desk=reviewer", 404)
    assert case.number


def test_a_roster_is_written_by_who_may(town: Town, boss: Browser) -> None:
    worker = town.street()
    desk = f"street-{ZHONGGUANCUN}"
    with (
        browsing(town, Role.STREET_LEAD, street=ZHONGGUANCUN) as lead,
        browsing(town, Role.STREET, street=ZHONGGUANCUN) as clerk,
    ):
        page = lead.page("/desk/shifts")
        path = f"/desk/shifts/{desk}/duties"
        form = form_to(page, path) | {"account": str(worker.account)}
        form |= {"starts_at": local(town, hours=2), "ends_at": local(town, hours=1)}
        wrong = lead.post(path, form)
        assert wrong.status_code == 422 and "结束时间须晚于开始时间" in wrong.text
        assert f'value="{worker.account}" selected' in wrong.text
        done = lead.post(path, form | {"ends_at": local(town, hours=9)})
        assert done.status_code == 303, done.text
        roster = part(lead.page("/desk/shifts"), "roster")
        assert f"经办{ZHONGGUANCUN}" in roster
        off = re.findall(rf'action="(/desk/shifts/{desk}/duties/\d+/remove)"', roster)[-1]
        assert "撤班" not in part(clerk.page("/desk/shifts"), "roster")
        assert clerk.post(off, form_to(roster, off)).status_code in {400, 403}
        assert lead.post(off, form_to(roster, off)).status_code == 303
        assert off not in lead.page("/desk/shifts")
    seen = boss.page("/desk/shifts", desk=desk)
    assert "您不在这个工作台值班" in seen and 'action="' + path + '"' not in seen
    assert "督办工作台" in boss.page("/desk/shifts")
    with browsing(town, Role.REVIEWER) as reviewer:
        own = reviewer.page("/desk/shifts")
        assert "值班交接：审核工作台" in own and "看哪个工作台" not in own


def test_the_record_of_a_day_is_taken_away_by_a_supervisor(town: Town, boss: Browser) -> None:
    page = boss.page("/desk/shifts")
    day = re.search(r'name="day" type="date" value="([0-9-]+)"', page)
    assert day
    file = boss.get("/desk/shifts/records", day=day[1], form="xlsx")
    assert file.status_code == 200, file.text
    assert file.content[:2] == b"PK" and "attachment" in file.headers["content-disposition"]
    wrong = boss.get("/desk/shifts/records", day="2026-13-01", form="xlsx")
    assert wrong.status_code in {400, 422} and "<h1>" in wrong.text
    with browsing(town, Role.STREET, street=ZHONGGUANCUN) as clerk:
        assert 'name="day"' not in clerk.page("/desk/shifts")
        assert clerk.get("/desk/shifts/records", day=day[1], form="xlsx").status_code == 403
    is_problem(town.street().get(f"/documents/shifts/{day[1]}.xlsx"), 403, "not-permitted")
