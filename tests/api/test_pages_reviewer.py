"""审核台, 现场核查 and 查案件 as a browser without scripts asks for them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import httpx
import pytest

from casework.model import Role
from tests.api.browsing import Browser, browsing, form_to
from tests.api.client import (
    INSIDE,
    NEAR_BORDER,
    Body,
    Town,
    Tracked,
    own_town,
)


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    """A town of this file's own: its clock and catalogue are nobody else's to move."""
    with own_town() as found:
        yield found


"""A page asks what the API asks; that is tested on either store."""


class Window(Browser):
    """The browser of somebody at the reviewers' desk."""

    def form(self, case: Tracked, path: str) -> dict[str, str]:
        """The hidden fields of a form on the desk with this case open."""
        return form_to(self.page("/desk/reviewer", case=case.number), at(case, path))

    def decide(self, case: Tracked, path: str, **values: str) -> httpx.Response:
        """Fill in a form of the open case and send it."""
        return self.post(at(case, path), self.form(case, path) | values)


def at(case: Tracked, path: str) -> str:
    """Where a form of the desk is posted to."""
    return f"/desk/reviewer/{case.number}/{path}"


@contextmanager
def window(town: Town, role: Role) -> Iterator[Window]:
    with browsing(town, role) as browser:
        yield Window(town, browser.http)


JSON = {"Accept": "application/json"}


@pytest.fixture
def desk(town: Town) -> Iterator[Window]:
    """A reviewer's own window."""
    with window(town, Role.REVIEWER) as found:
        yield found


@pytest.fixture
def checker(town: Town) -> Iterator[Window]:
    with window(town, Role.CHECKER) as found:
        yield found


def spot(town: Town) -> Body:
    """A place of its own, inside 中关村, away from the other tests' reports."""
    town.pictures += 1
    return {**INSIDE, "lon": 116.3190 + town.pictures % 30 * 0.0003, "lat": 39.9790}


def went(answer: httpx.Response, path: str) -> None:
    assert (answer.status_code, answer.headers.get("location")) == (303, path), answer.text


def test_the_desk_tells_what_is_next_and_why(town: Town, desk: Window) -> None:
    danger = town.anonymous().report(text="路口的井盖不见了，有人差点掉下去。")
    plain = town.anonymous().report(place=spot(town))
    page = desk.get("/desk/reviewer").text
    order = ["紧急", "即将超时", "已补充", "疑似重复", "交界待定", "退回待审", "待核查"]
    links = re.findall(r'<li><a href="/desk/reviewer[^"]*"[^>]*>([^<]+?) ?(?:<b>|<)', page)
    assert [link for link in links if link in order] == order
    for extra in ("已超时", "待复核", "待派遣", "待回访", "待审核"):
        assert extra in page
    assert danger.number in page and "快捷键" in page
    opened = desk.get("/desk/reviewer", case=danger.number).text
    assert "险情：" in opened and "为什么在这里" in opened and "紧急" in opened
    assert "属地明确" in opened and "距最近边界" in opened and "其次：" in opened
    assert re.search(r"<dt>清单</dt><dd>紧急、[^<]*待审核</dd>", opened)
    only = desk.get("/desk/reviewer", list="to_review", case=plain.number).text
    assert f'data-number="{plain.number}"' in only and 'aria-current="true"' in only
    assert desk.get("/desk/reviewer", case="HD26051100000000").status_code == 404
    nothing = desk.get("/desk/reviewer", list="recheck").text
    assert "这个清单里没有案件" in nothing or "待复核（" in nothing


def test_a_plain_report_is_registered_by_sending_what_stands_chosen(
    town: Town, desk: Window
) -> None:
    case = town.anonymous().report(place=spot(town), indicator="P10")
    page = desk.get("/desk/reviewer", list="to_review", case=case.number).text
    chosen = re.search(r'name="choice" value="(P10 P10-[0-9])" checked', page)
    assert chosen, "the reporter's own choice stands first"
    assert "反映人所选" in page and "结案标准：" in page
    form = form_to(page, at(case, "register"))
    assert form["next"] != case.number
    form |= {"choice": chosen[1], "dispatch": "yes"}
    done = desk.post(at(case, "register"), form)
    assert done.status_code == 303
    assert done.headers["location"].startswith("/desk/reviewer?list=to_review")
    told = desk.get(done.headers["location"]).text
    assert re.search(rf"{case.number}已立案并派遣至中关村街道，时限.+，应于2026年", told)
    assert town.reviewer.sees(case)["status"] == "dispatched"


def test_another_kind_is_chosen_from_the_list_and_none_is_said_so(town: Town, desk: Window) -> None:
    case = town.anonymous().report(place=spot(town))
    none = desk.decide(case, "register", choice="other", other="")
    assert none.status_code == 422
    assert '<a href="#register-choice">立案情况：请选择一种情况。</a>' in none.text
    assert 'id="register-choice"' in none.text
    done = desk.decide(case, "register", choice="other", other="P02 P02-1", dispatch="yes")
    assert done.status_code == 303
    assert town.reviewer.sees(case)["indicator"] == "P02"


def test_what_recognition_proposes_stands_first_with_its_reasons(town: Town, desk: Window) -> None:
    told = town.anonymous().post(
        "/recognitions", {"text": "地铁口共享单车停得太满，推婴儿车过不去。"}
    )
    assert told.status_code == 200
    case = town.citizen("市民甲").report(
        place=spot(town),
        text="地铁口共享单车停得太满，推婴儿车过不去。",
        recognition=told.json()["recognition"],
    )
    page = desk.get("/desk/reviewer", case=case.number).text
    best = told.json()["proposals"][0]
    assert f"{best['indicator']} {best['name']}" in page
    assert "推荐（" in page and "上报时推荐" in page
    first = re.search(r'name="choice" value="([A-Z0-9]+) ', page)
    assert first and first[1] == best["indicator"]


def test_what_may_be_no_indicators_is_told_with_whose_it_is_in_one_sentence(
    town: Town, desk: Window
) -> None:
    words = "小区停水两天了，打电话也没人管。"
    learnt = town.anonymous().post("/recognitions", {"text": words})
    assert learnt.status_code == 200
    case = town.anonymous().report(text=words, place=spot(town))
    page = desk.get("/desk/reviewer", case=case.number).text
    scope = re.search(r"<dt>范围</dt><dd>([^<]+)</dd>", page)
    assert scope and re.fullmatch(
        r"可能不属于现行指标（[0-9]+%），建议转告反映人：[^。]*停水拨打96116[^。]*。", scope[1]
    )


def test_a_refusal_may_go_with_the_words_of_its_code(town: Town, desk: Window) -> None:
    case = town.citizen("市民甲").report(place=spot(town))
    page = desk.get("/desk/reviewer", case=case.number).text
    assert "各原因的标准文字" in page and "请联系物业服务企业" in page
    other = desk.decide(case, "refuse", code="N99", words="")
    assert other.status_code == 422 and 'value="N99" selected' in other.text
    done = desk.decide(case, "refuse", code="N02", words="")
    assert done.status_code == 303
    steps = town.citizen("市民甲").get(f"/cases/{case.id}/timeline", after=_head(town)).json()
    assert "请联系物业服务企业或社区居委会" in steps["steps"][-1]["words"]


def _head(town: Town) -> int:
    return town.parts.casework.eventlog.head()


def test_the_citizen_is_asked_and_what_they_answer_is_shown(town: Town, desk: Window) -> None:
    citizen = town.citizen("市民甲")
    case = citizen.report(place=spot(town))
    assert desk.decide(case, "request-information", code="Q01", question="").status_code == 303
    case.version = town.version_of(case)
    citizen.act(case, "supply_information", "submitted", text="在地铁站C口北侧三十米。")
    page = desk.get("/desk/reviewer", list="supplied", case=case.number).text
    assert "在地铁站C口北侧三十米。" in page and f'data-number="{case.number}"' in page


def test_a_border_case_goes_to_one_of_two_streets_side_by_side(town: Town, desk: Window) -> None:
    case = town.anonymous().report(place=NEAR_BORDER)
    page = desk.get("/desk/reviewer", case=case.number).text
    assert "靠近边界" in page and "属地不明确" in page
    done = desk.decide(case, "register", choice="other", other="P02 P02-1")
    went(done, f"/desk/reviewer?case={case.number}")
    page = desk.get("/desk/reviewer", case=case.number).text
    assert "交界待定" in page and "请选择街镇派遣" in page
    streets = re.findall(r'type="radio" name="street" value="(1101080\d\d)"', page)
    assert len(streets) == 2
    done = desk.decide(case, "dispatch", street=streets[1], reason="现场在路东侧，归该街道。")
    assert done.status_code == 303
    assert town.reviewer.sees(case)["street"] == streets[1]


def test_a_return_is_decided_with_the_streets_reason(town: Town, desk: Window) -> None:
    cases = [town.anonymous().report(place=spot(town)) for _ in range(2)]
    for case in cases:
        town.reviewer.act(case, "register", "dispatched", indicator="P02", condition="P02-1")
        town.street().act(
            case, "request_return", "dispatched", code="T01", words="该点位在路北，属于学院路。"
        )
    page = desk.get("/desk/reviewer", list="returns", case=cases[0].number).text
    assert "该点位在路北，属于学院路。" in page
    assert desk.decide(cases[0], "reject-return", code="TR1").status_code == 303
    went(desk.decide(cases[1], "accept-return"), f"/desk/reviewer?case={cases[1].number}")
    page = desk.get("/desk/reviewer", case=cases[1].number).text
    assert "曾退回" in page and "中关村街道" in page
    assert 'name="street" value="110108011"' not in page.replace("street_other", "")


def test_the_similar_case_is_merged_by_one_tap(town: Town, desk: Window) -> None:
    place = spot(town)
    first, again = (town.anonymous().report(place=place) for _ in range(2))
    page = desk.get("/desk/reviewer", case=again.number).text
    assert f"并入{first.number}" in page and "位置基本相同" in page
    form = form_to(page, at(again, "merge")) | {"primary": first.number}
    assert desk.post(at(again, "merge"), form).status_code == 303
    assert town.reviewer.sees(again)["status"] == "merged"
    unknown = desk.decide(first, "merge", primary="HD26051100000000")
    assert unknown.status_code == 422 and "没有编号为HD26051100000000的案件" in unknown.text


def rectified(town: Town, place: Body) -> Tracked:
    case = town.citizen("市民甲").report(place=place, photos=1)
    town.reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
    street = town.street()
    street.act(case, "acknowledge", "handling")
    street.act(
        case, "rectify", "rectified", outcome="rectified", words="已清理。",
        photos=[street.photo(case)],
    )  # fmt: skip
    return case


def test_what_was_handed_over_is_closed_or_sent_back(town: Town, desk: Window) -> None:
    done, again = rectified(town, spot(town)), rectified(town, spot(town))
    page = desk.get("/desk/reviewer", list="verification", case=done.number).text
    assert "整改前" in page and "整改后" in page and "结案标准：" in page
    unmet = desk.decide(done, "close", reply="已处置完毕。")
    assert unmet.status_code == 422 and "已处置完毕。" in unmet.text
    for _ in range(2):  # the check of the photos may come in between, and is to be seen first
        form = desk.form(done, "close")
        page = desk.get("/desk/reviewer", case=done.number).text
        seen = re.findall(r'name="findings_seen" value="([^"]+)"', page)
        form |= {"standard_met": "yes", "reply": "已处置完毕，请评价。"}
        answer = desk.post(at(done, "close"), {**form, "findings_seen": seen})
        if answer.status_code == 303:
            break
    assert town.reviewer.sees(done)["status"] == "closed"
    page = desk.get("/desk/reviewer", case=again.number).text
    seen = re.findall(r'name="findings_seen" value="([^"]+)"', page)
    form = form_to(page, at(again, "order-rework")) | {
        "code": "R02",
        "words": "墙角还有，请清理干净。",
    }
    answer = desk.post(at(again, "order-rework"), {**form, "findings_seen": seen})
    if answer.status_code != 303:
        assert "查验" in answer.text and "墙角还有，请清理干净。" in answer.text


def test_who_lost_a_race_is_told_who_did_what_and_keeps_the_words(town: Town, desk: Window) -> None:
    case = town.citizen("市民甲").report(place=spot(town))
    form = desk.form(case, "refuse")
    town.second_reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
    form |= {"code": "N05", "words": "照片里看不出问题在哪里。"}
    answer = desk.post(at(case, "refuse"), form)
    assert answer.status_code in {409, 412}
    assert "在您打开之后" in answer.text and "审核员审核乙：" in answer.text
    assert "照片里看不出问题在哪里。" in answer.text


def test_a_case_is_claimed_told_to_the_others_and_given_up(town: Town, desk: Window) -> None:
    case = town.citizen("市民甲").report(place=spot(town))
    page = desk.get("/desk/reviewer", case=case.number).text
    form = form_to(page, at(case, "claim"))
    told = desk.post(at(case, "claim"), form, JSON)
    assert told.status_code == 200 and told.json()["version"] == case.version + 1
    assert "您已领办" in desk.get("/desk/reviewer", case=case.number).text
    with window(town, Role.REVIEWER) as other:
        rows = other.get("/desk/reviewer/queue", list="to_review").text
        row = rows[rows.index(f'data-number="{case.number}"') :]
        assert "已领办" in row[: row.index("</a>")]
        assert re.search(r"已领办，至5月", other.get("/desk/reviewer", case=case.number).text)
        late = form_to(page, at(case, "claim")) | {"token": other.form(case, "refuse")["token"]}
        lost = other.post(at(case, "claim"), late, JSON)
        assert lost.status_code in {409, 412} and lost.json()["since"]
    # Whoever decides the case before it is led past it.
    with window(town, Role.REVIEWER) as other:
        earlier = town.citizen("市民甲").report(place=spot(town))
        form = other.form(earlier, "refuse") | {"code": "N05", "words": "", "next": case.number}
        on = other.post(at(earlier, "refuse"), form)
        assert on.status_code == 303
        assert case.number not in on.headers["location"]
    given_up = desk.decide(case, "release")
    assert given_up.status_code == 303
    assert "您已领办" not in desk.get("/desk/reviewer", case=case.number).text


def test_the_queue_is_asked_again_at_no_cost_until_something_happens(
    town: Town, desk: Window
) -> None:
    first = desk.get("/desk/reviewer/queue")
    assert first.status_code == 200 and "<html" not in first.text
    tag = {"If-None-Match": first.headers["etag"]}
    answers = [desk.http.get("/desk/reviewer/queue", headers=tag).status_code for _ in range(2)]
    assert 304 in answers, "but for the minute's turn"
    case = town.citizen("市民甲").report(place=spot(town))
    desk.get("/desk/reviewer")
    again = desk.http.get("/desk/reviewer/queue", headers=tag, params={"list": "to_review"})
    assert again.status_code == 200 and case.number in again.text


def test_the_original_words_are_shown_once_and_leave_a_trace(town: Town, desk: Window) -> None:
    case = town.citizen("市民甲").report(
        place=spot(town), text="我叫张三，电话13812345678，门口垃圾没人清。"
    )
    page = desk.get("/desk/reviewer", case=case.number).text
    assert "13812345678" not in page
    none = desk.decide(case, "reveal", reason="")
    assert none.status_code == 422 and "请选择查看原文的理由" in none.text
    shown = desk.decide(case, "reveal", reason="verify")
    assert shown.status_code == 200 and "13812345678" in shown.text
    assert shown.headers["cache-control"] == "no-store"
    assert "13812345678" not in desk.get("/desk/reviewer", case=case.number).text
    auditor = town.staff("审计甲", Role.AUDITOR)
    rows = auditor.get("/audit", action="reveal").json()["rows"]
    assert any(row["target"] == f"case/{case.id}" for row in rows)


def test_a_wrong_place_is_corrected_and_a_wrong_kind_changed(town: Town, desk: Window) -> None:
    case = town.citizen("市民甲").report(place=spot(town), indicator="P10")
    kind = desk.decide(case, "reclassify", choice="P02 P02-1", reason="照片里是小广告。")
    went(kind, f"/desk/reviewer?case={case.number}")
    place = {
        "place.lon": "116.3210", "place.lat": "39.9795", "place.crs": "wgs84", "place.kind": "road",
    }  # fmt: skip
    moved = desk.decide(case, "correct-place", reason="按照片更正到路口。", **place)
    went(moved, f"/desk/reviewer?case={case.number}")
    seen = town.reviewer.get(f"/cases/{case.id}").json()
    assert (seen["lon"], seen["lat"], seen["indicator"]) == (116.321, 39.9795, "P02")


def rated(town: Town, **rating: object) -> Tracked:
    case = rectified(town, spot(town))
    town.reviewer.act(case, "close", "closed", standard_met=True, reply="已处置完毕。")
    then = "completed" if rating["solved"] == "yes" else "under_recheck"
    town.citizen("市民甲").act(case, "rate", then, **rating)
    return case


def test_an_unhappy_citizen_is_visited_and_rechecked_and_a_happy_case_nominated(
    town: Town, desk: Window
) -> None:
    unhappy = rated(town, solved="no", satisfaction=1, efficiency=2)
    page = desk.get("/desk/reviewer", list="visits", case=unhappy.number).text
    assert "满意度不高于 2 分" in page and "未解决，满意度1分" in page
    assert desk.decide(unhappy, "record-visit", words="市民说仍未清理。").status_code == 303
    again = desk.get("/desk/reviewer", list="recheck", case=unhappy.number).text
    assert "维持结案" in again and "重办" in again
    assert desk.decide(unhappy, "reopen", code="V11", words="现场仍未清理。").status_code == 303
    assert town.reviewer.sees(unhappy)["status"] == "dispatched"
    happy = rated(town, solved="yes", satisfaction=5, efficiency=5)
    page = desk.get("/desk/reviewer", case=happy.number).text
    assert "推荐为典型案例" in page
    form = form_to(page, at(happy, "nominate"))
    after = re.findall(r'name="after" value="([^"]+)"', page)
    empty = desk.post(at(happy, "nominate"), form | {"caption": ""})
    assert empty.status_code == 422 and 'href="#nominate-caption"' in empty.text
    done = desk.post(
        at(happy, "nominate"),
        form | {"caption": "路口共享单车一日内清理到位。", "after": after[0]},
    )
    assert done.status_code == 303, done.text
    assert "已推荐到" in desk.get(done.headers["location"]).text


def test_a_recheck_upheld_by_another_and_a_registration_to_be_revoked(
    town: Town, desk: Window
) -> None:
    again = rated(town, solved="partly", satisfaction=3, efficiency=3)
    kept = desk.decide(again, "uphold", code="V01", words="已到现场核对，问题已解决。")
    assert kept.status_code == 303, kept.text
    assert town.reviewer.sees(again)["status"] == "completed"
    case = town.citizen("市民甲").report(place=spot(town))
    town.reviewer.act(
        case, "register", "registered", indicator="P10", condition="P10-2", dispatch=False
    )
    listed = desk.get("/desk/reviewer", list="to_dispatch", case=case.number).text
    assert f'data-number="{case.number}"' in listed
    asked = desk.decide(case, "revoke-registration", code="X02", words="实为小区内部道路。")
    assert asked.status_code == 303
    assert "revoke_registration" in town.reviewer.sees(case)["pending"]  # type: ignore[operator]


def test_a_checker_goes_and_looks_and_reports(town: Town, desk: Window, checker: Window) -> None:
    case = town.citizen("市民甲").report(place=spot(town))
    assert desk.decide(case, "request-site-check", words="请看是否在楼道内。").status_code == 303
    listed = checker.get("/desk/checks").text
    assert case.number in listed and "请看是否在楼道内。" in listed and "到期" in listed
    page = checker.get(f"/cases/{case.number}").text
    assert "要核查什么" in page and 'capture="environment"' in page
    form = form_to(page, f"/cases/{case.number}/report-site-check")
    empty = checker.post(f"/cases/{case.number}/report-site-check", form | {"findings": ""})
    assert empty.status_code == 422 and "核查情况" in empty.text
    done = checker.post(
        f"/cases/{case.number}/report-site-check", form | {"findings": "在楼前空地，不在楼道内。"}
    )
    went(done, "/desk/checks")
    assert f"/cases/{case.number}?" not in checker.get("/desk/checks").text
    assert "在楼前空地，不在楼道内。" in desk.get("/desk/reviewer", case=case.number).text
    assert checker.get("/desk/reviewer").status_code == 403


def test_cases_are_looked_for_by_words_status_street_and_day(town: Town, desk: Window) -> None:
    words = f"滤镜{uuid4().hex[:6]}"
    found = [town.citizen("市民甲").report(text=f"{words}的路灯下有垃圾。") for _ in range(2)]
    went(desk.get("/search", q=found[0].number.lower()), f"/cases/{found[0].number}")
    page = desk.get("/search", q=words, status="submitted", street="110108011").text
    assert all(case.number in page for case in found)
    assert "没有更早的了" in page
    none = desk.get("/search", q=words, status="closed").text
    assert "没有符合条件的案件" in none
    day = town.clock().astimezone().date().isoformat()
    assert found[0].number in desk.get("/search", q=words, **{"from": day, "to": day}).text
    wrong = desk.get("/search", **{"from": "2026-05-12", "to": "2026-05-11"})
    assert wrong.status_code == 422 and "结束日期早于开始日期" in wrong.text
    assert desk.get("/search", street="110108999").status_code == 422
    assert desk.get("/search", q=words, cursor="nonsense").status_code == 422


def test_a_long_list_leads_on_page_by_page(town: Town, desk: Window) -> None:
    for _ in range(31):
        town.citizen("市民甲").report(place=spot(town))
    page = desk.get("/search", status="submitted").text
    first = set(re.findall(r'href="/cases/(HD\d+)"', page))
    assert len(first) == 30
    more = re.search(r'href="(/search\?[^"]*cursor=[^"]+)"', page)
    assert more
    second = desk.get(more[1].replace("&amp;", "&")).text
    assert first.isdisjoint(re.findall(r'href="/cases/(HD\d+)"', second))


def test_what_is_left_or_over_is_said_once_and_as_the_script_counts_it(
    town: Town, desk: Window
) -> None:
    case = town.anonymous().report(place=spot(town))
    fresh = desk.get("/desk/reviewer", list="to_review", case=case.number).text
    assert re.search(r"data-left=[^>]+>还剩\d+值守分钟<", fresh)
    for _ in range(2):  # a desk that nobody looks at for half an hour is signed out
        town.forward(minutes=20)
        desk.get("/desk/reviewer")
    late = desk.get("/desk/reviewer", list="to_review", case=case.number).text
    assert re.search(r"data-left=[^>]+>已超期\d+值守分钟<", late)
    assert "已超已超" not in late
