"""街镇台 over plain HTTP, as without a script: the whole of a 街镇's work with its cases."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from casework.model import Role
from tests.api.browsing import Browser, browsing, form_to, part
from tests.api.client import XUEYUANLU, ZHONGGUANCUN, Town, Tracked, own_town, picture


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    """A town of this file's own: its clock and catalogue are nobody else's to move."""
    with own_town() as found:
        yield found


"""What the pages ask is asked of both stores in the tests of the API and of the views."""


@pytest.fixture
def clerk(town: Town) -> Iterator[Browser]:
    with browsing(town, Role.STREET, street=ZHONGGUANCUN) as browser:
        yield browser


@pytest.fixture
def lead(town: Town) -> Iterator[Browser]:
    with browsing(town, Role.STREET_LEAD, street=ZHONGGUANCUN) as browser:
        yield browser


WORDS = "电线杆上贴满小广告。"


def dispatched(town: Town, text: str = WORDS) -> Tracked:
    case = town.anonymous().report(text=text)
    town.reviewer.act(case, "register", "dispatched", indicator="P02", condition="P02-1")
    return case


def handled(town: Town, text: str = WORDS) -> Tracked:
    case = dispatched(town, text)
    town.street().act(case, "acknowledge", "handling")
    return case


def test_a_case_is_signed_for_from_the_list_in_one_tap_and_once(town: Town, clerk: Browser) -> None:
    case = dispatched(town)
    page = clerk.page("/desk/street")
    assert "中关村街道工作台" in page and "待签收" in page and "data-now=" in page
    assert case.number in page and f"/cases/{case.number}#clocks" in page
    assert page.count(f"签收 {case.number}") == 1, "a case stands in the first section only"
    form = form_to(page, f"/cases/{case.number}/acknowledge")
    done = clerk.post(f"/cases/{case.number}/acknowledge", form)
    assert (done.status_code, done.headers["location"]) == (303, "/desk/street")
    version = town.version_of(case)
    assert clerk.post(f"/cases/{case.number}/acknowledge", form).status_code == 303
    assert town.version_of(case) == version == case.version + 1
    after = clerk.page("/desk/street", section="tasks")
    assert "已办理：签收" in after and f"/cases/{case.number}/acknowledge" not in after
    assert f"/cases/{case.number}?back=/desk/street%3Fsection%3Dtasks&amp;do=rectify" in after


def test_a_section_is_looked_at_alone_and_an_empty_desk_says_so(town: Town, clerk: Browser) -> None:
    case = dispatched(town)
    assert case.number in clerk.page("/desk/street", section="to_acknowledge")
    nothing = clerk.page("/desk/street", section="suspensions_ending")
    assert "这一栏现在没有案件" in nothing and case.number not in nothing
    assert case.number in clerk.page("/desk/street", section="<b>")
    with browsing(town, Role.STREET, street=XUEYUANLU) as other:
        page = other.page("/desk/street")
        assert case.number not in page
        other.page(f"/cases/{case.number}", 404)


def test_the_list_is_asked_for_again_at_no_cost_while_nothing_changes(
    town: Town, clerk: Browser
) -> None:
    clerk.page("/desk/street")
    answer = clerk.get("/desk/street/tasks")
    tag = answer.headers["etag"]
    same = clerk.http.get("/desk/street/tasks", headers={"If-None-Match": tag})
    assert (same.status_code, same.headers["etag"], same.content) == (304, tag, b"")
    case = dispatched(town)
    clerk.town.street().get("/desk/street", after=case.position)
    changed = clerk.http.get("/desk/street/tasks", headers={"If-None-Match": tag})
    assert changed.status_code == 200 and case.number in changed.text
    assert "<html" not in changed.text


def test_the_page_of_a_case_says_why_it_came_when_it_is_due_and_what_may_be_asked(
    town: Town, clerk: Browser
) -> None:
    case = handled(town)
    page = clerk.page(f"/cases/{case.number}")
    told = town.street().get(f"/cases/{case.id}").json()
    assert told["because"] in page and "怎么算出来的" in page and "剩余" in page
    assert "还可延期1次（最多1次），每次最多1个自然日" in page
    assert "前申请（处置时限的四分之一，且不超过4值守时）" in page
    assert "申请挂账" not in page, "a 街镇负责人 asks for that"
    units = re.search(r'name="by.unit".*?</select>', page, re.DOTALL)
    assert units and "值守时" not in units[0]
    assert '<option value="calendar_day" selected>个自然日' in units[0]
    town.forward(hours=9)
    with browsing(town, Role.STREET, street=ZHONGGUANCUN) as evening:
        later = evening.page(f"/cases/{case.number}")
    assert 'id="act-request-return"' not in later and "申请退回：" in later


def test_rework_is_explained_with_its_code_and_what_to_do(town: Town, clerk: Browser) -> None:
    case, worker = handled(town), town.street()
    worker.act(
        case, "rectify", "rectified", outcome="rectified", photos=[worker.photo()], words="已清。"
    )
    town.reviewer.act(case, "order_rework", "handling", code="R03", words="请站到路口再拍。")
    assert case.number in part(clerk.page("/desk/street", section="again"), "section-again")
    page = clerk.page(f"/cases/{case.number}")
    assert "为什么又回到这里" in page and "请站到路口再拍。" in page
    assert "R03" in page and "同一方向重拍" in page
    assert "还没有整改照片" not in page, "what was handed over stays to be compared"


def test_the_street_rectifies_with_photos_of_its_own_and_of_a_handler(
    town: Town, clerk: Browser
) -> None:
    case = handled(town, text="电话13900001111，楼下堆了沙发。")
    form = form_to(clerk.page(f"/cases/{case.number}"), f"/cases/{case.number}/assign")
    form |= {"handler": "张师傅", "upload_link": "yes"}
    assert clerk.post(f"/cases/{case.number}/assign", form).status_code == 303
    told = clerk.page(f"/cases/{case.number}")
    link = re.search(r"/handler/([0-9a-f-]{36}\.[\w-]+)", told)
    assert link and "给经办人的链接" in told
    assert link[1] not in clerk.page(f"/cases/{case.number}"), "it is shown once"

    with browsing(town) as handler:
        path = f"/handler/{link[1]}"
        page = handler.page(path)
        assert case.number in page and "什么时候前" in page and "张师傅" in page
        assert "沙发" not in page and "1390000" not in page
        empty = handler.post(path, form_to(page, path))
        assert empty.status_code == 422 and "请先拍照" in empty.text
        sent = handler.post(
            path, form_to(page, path), photo_files=("a.jpg", picture(61), "image/jpeg")
        )
        assert sent.status_code == 303
        assert "已收到1张照片" in handler.page(path)
        picked = handler.post(
            "/uploads/photo", {"link": link[1]}, file=("b.jpg", picture(62), "image/jpeg")
        )
        assert picked.status_code == 200, picked.text
        wrong = handler.post(path, {}, photo_files=("c.txt", b"nothing", "text/plain"))
        assert wrong.status_code == 422 and "照片" in wrong.text

    uploads = town.street().get(f"/cases/{case.id}/uploads").json()
    assert len(uploads) == 2
    page = clerk.page(f"/cases/{case.number}")
    values = re.findall(r'<input type="checkbox" name="photos" value="([^"]+)"', page)
    assert [value.split()[0] for value in values] == [one["upload"] for one in uploads]
    form = form_to(page, f"/cases/{case.number}/rectify")
    kept = clerk.post(f"/cases/{case.number}/rectify", form | {"photos": values[0]})
    assert kept.status_code == 422
    assert f'value="{values[0]}" checked' in kept.text, "what was ticked stays ticked"
    assert f'type="hidden" name="photos" value="{values[0]}"' not in kept.text
    form = form_to(kept.text, f"/cases/{case.number}/rectify")
    form |= {"photos": values[0], "outcome": "rectified", "words": "已清运，现场恢复。"}
    own = ("after.jpg", picture(63), "image/jpeg")
    done = clerk.post(f"/cases/{case.number}/rectify", form, photo_files=own)
    assert done.status_code == 303, done.text
    photos = town.reviewer.get(f"/cases/{case.id}").json()
    assert photos["status"] == "rectified"
    with browsing(town) as handler:
        assert "链接已失效" in handler.page(f"/handler/{link[1]}", 404)
        spent = handler.post(f"/handler/{link[1]}", {}, photo_files=own)
        assert spent.status_code == 404


def test_asking_for_more_time_is_kept_where_it_is_wrong_and_waits_in_sight(
    town: Town, clerk: Browser
) -> None:
    case = handled(town)
    path = f"/cases/{case.number}/request-extension"
    form = form_to(clerk.page(f"/cases/{case.number}"), path)
    form |= {"code": "E04", "by.amount": "9", "by.unit": "calendar_day", "words": "连日大风。"}
    wrong = clerk.post(path, form)
    assert wrong.status_code == 422 and "不超过原时限" in wrong.text
    assert ">连日大风。</textarea>" in wrong.text and 'value="9"' in wrong.text
    done = clerk.post(path, form | {"by.amount": "1"})
    assert done.status_code == 303, done.text
    page = clerk.page(f"/cases/{case.number}")
    assert "已提出，等待答复" in page and "延长1个自然日" in page and "连日大风。" in page
    assert "延期申请" in page or "申请延期：" in page
    assert "申请延期待答复" in clerk.page("/desk/street", section="tasks")


def test_a_note_stands_on_top_and_is_answered_by_its_words(town: Town, clerk: Browser) -> None:
    case = handled(town)
    town.supervisor.act(case, "note", "handling", words="请说明清运计划。")
    town.supervisor.act(case, "note", "handling", words="请说明责任人。")
    desk = clerk.page("/desk/street")
    assert re.findall(r'<h2 id="section-(\w+)"', desk)[0] == "notes"
    assert case.number in part(desk, "section-notes")
    page = clerk.page(f"/cases/{case.number}", do="answer_note")
    assert "请说明清运计划。" in page and "第2号：请说明责任人。" in page
    path = f"/cases/{case.number}/answer-note"
    form = form_to(page, path) | {"note": "2", "words": "由李四负责。"}
    assert clerk.post(path, form).status_code == 303
    one = clerk.page(f"/cases/{case.number}")
    assert "请说明清运计划。" in part(one, "notes")
    form = form_to(one, path)
    assert form["note"] == "1", "the one that is left needs no choosing"
    assert clerk.post(path, form | {"words": "明日上午。"}).status_code == 303
    assert "督办待答复（" not in clerk.page(f"/cases/{case.number}")


def test_a_lost_race_from_the_list_says_who_did_what(town: Town, clerk: Browser) -> None:
    case = dispatched(town)
    form = form_to(clerk.page("/desk/street"), f"/cases/{case.number}/acknowledge")
    town.street().act(case, "acknowledge", "handling")
    lost = clerk.post(f"/cases/{case.number}/acknowledge", form)
    assert lost.status_code in {409, 412}
    assert "在您打开之后" in lost.text and "签收" in lost.text
    assert f"街镇经办经办{ZHONGGUANCUN}：" in lost.text, "who did it, by name"


def test_a_lead_hears_of_what_is_overdue_first_and_asks_to_suspend(
    town: Town, lead: Browser
) -> None:
    case = handled(town)
    page = lead.page(f"/cases/{case.number}")
    path = f"/cases/{case.number}/request-suspension"
    assert "每轮一次；恢复日期从明天起" in page
    wrong = lead.post(path, form_to(page, path) | {"code": "S01", "resume_on": "2020-01-01"})
    assert wrong.status_code == 422 and 'value="2020-01-01"' in wrong.text
    resume = f"{town.clock() + timedelta(days=20):%Y-%m-%d}"
    done = lead.post(path, form_to(page, path) | {"code": "S01", "resume_on": resume})
    assert done.status_code == 303, done.text
    assert "挂账至" in lead.page(f"/cases/{case.number}")


def test_a_lead_finds_what_may_be_appealed_against_and_appeals(town: Town, lead: Browser) -> None:
    case, worker = handled(town), town.street()
    worker.act(
        case, "rectify", "rectified", outcome="rectified", photos=[worker.photo()], words="已清。"
    )
    town.reviewer.act(case, "close", "closed", standard_met=True, reply="已处置。")
    found = part(lead.page("/desk/street", section="appealable"), "section-appealable")
    assert case.number in found and "do=appeal" in found
    page = lead.page(f"/cases/{case.number}", do="appeal")
    path = f"/cases/{case.number}/appeal"
    assert "每案一次；不改变事实" in page
    form = form_to(page, path) | {"code": "A03", "words": "当日大雪封路，无法作业。"}
    assert lead.post(path, form).status_code == 303
    waits = part(lead.page("/desk/street", section="requests"), "section-requests")
    assert case.number in waits and "申诉待答复" in waits
    with browsing(town, Role.STREET, street=ZHONGGUANCUN) as clerk:
        assert "可申诉" not in clerk.page("/desk/street")


def test_a_case_is_claimed_and_let_go(town: Town, clerk: Browser) -> None:
    case = handled(town)
    page = clerk.page(f"/cases/{case.number}")
    assert "/release" not in page
    path = f"/cases/{case.number}/claim"
    assert clerk.post(path, form_to(page, path)).status_code == 303
    mine = clerk.page(f"/cases/{case.number}")
    assert "已有人领办" in mine and path not in mine
    path = f"/cases/{case.number}/release"
    assert clerk.post(path, form_to(mine, path)).status_code == 303
    assert "已有人领办" not in clerk.page(f"/cases/{case.number}")


def test_other_desks_are_led_away(town: Town) -> None:
    with browsing(town, Role.REVIEWER) as reviewer:
        assert reviewer.get("/desk/street").status_code == 403
    with browsing(town) as nobody:
        led = nobody.get("/desk/street")
        assert (led.status_code, led.headers["location"]) == (303, "/sign-in?next=/desk/street")
