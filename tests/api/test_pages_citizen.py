"""The resident's pages over plain HTTP, as a browser without a script asks for them."""

import re
from collections.abc import Iterator, Mapping
from html import unescape
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest

from casework.model import Role
from casework.numbers import case_number
from tests.api.browsing import (
    client_of,
    form_of,
    holds_together,
    origin,
    says,
    signed_in,
    token_on,
)
from tests.api.client import (
    INSIDE,
    OUTSIDE,
    PASSWORD,
    Town,
    Tracked,
    open_town,
    own_town,
    picture,
    settings_for,
)


# What a page does with a store is tested elsewhere, on both.
@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    """A town of this file's own: its clock and catalogue are nobody else's to move."""
    with own_town() as found:
        yield found


@pytest.fixture
def phone(town: Town) -> Iterator[httpx.Client]:
    """A phone of its own, that follows nothing by itself."""
    with client_of(town) as client:
        yield client


def reported(town: Town, phone: httpx.Client) -> Tracked:
    """A case of nobody's account, whose receipt this phone keeps."""
    case = town.anonymous().report()
    form = {"number": case.number, "receipt": case.receipt, "token": "", "key": str(uuid4())}
    kept = phone.post("/status", data=form, headers=origin(town))
    assert kept.status_code == 303, kept.text
    return case


def fields(page: str) -> dict[str, str | list[str]]:
    """What a browser would post of the report's form, were it sent as it stands."""
    form = re.search(r'<form[^>]*id="report".*?</form>', page, re.DOTALL)
    assert form, page
    found: dict[str, str | list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", form[0]):
        marks = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        kind = marks.get("type", "text")
        if kind == "file" or (kind in {"radio", "checkbox"} and " checked" not in tag):
            continue
        name, value = marks["name"], unescape(marks.get("value", ""))
        if name == "photos":
            held = found.setdefault(name, [])
            assert isinstance(held, list)
            held.append(value)
        else:
            found[name] = value
    for name, text in re.findall(r'<textarea[^>]*name="([a-z]+)"[^>]*>([^<]*)<', form[0]):
        found[name] = unescape(text)
    for name, inner in re.findall(r'<select[^>]*name="([a-z._]+)"[^>]*>(.*?)</select>', form[0]):
        picked = re.search(r'value="([^"]*)" selected', inner) or re.search(
            r'value="([^"]*)"', inner
        )
        assert picked
        found[name] = picked[1]
    return found


NONE: Mapping[str, str] = {}
HERE = {"place.lon": "116.32367", "place.lat": "39.98207", "place.kind": "road"}


def send(
    town: Town,
    phone: httpx.Client,
    form: dict[str, str | list[str]],
    photo: int | None = None,
    headers: Mapping[str, str] = NONE,
) -> httpx.Response:
    headers = origin(town) | dict(headers)
    files = [("album_files", ("p.jpg", picture(photo), "image/jpeg"))] if photo is not None else []
    if not files:
        return phone.post("/report", data=form, headers=headers)
    return phone.post("/report", data=form, files=files, headers=headers)


def test_one_form_leads_from_an_address_to_a_receipt(town: Town, phone: httpx.Client) -> None:
    page = phone.get("/report")
    holds_together(page)
    form = fields(page.text) | {
        "text": "人行道停满共享单车，推婴儿车过不去",
        "place.address": "中关村广场",
        "place.kind": "square",
        "do": "find",
    }
    found = send(town, phone, form, photo=81)
    holds_together(found)
    assert found.status_code == 200 and "已上传照片1" in found.text
    assert "推婴儿车过不去</textarea>" in found.text
    choice = re.search(r'name="place.pick" value="([^"]+)"', found.text)
    assert choice, found.text
    assert "推荐：" in found.text and 'name="recognition" value="' in found.text
    form = fields(found.text) | {"place.pick": unescape(choice[1]), "place.kind": "square"}
    form |= {"near_shown": "yes"}
    done = send(town, phone, form)
    assert done.status_code == 303, done.text
    number = re.fullmatch(r"/cases/(HD\d+)/receipt", done.headers["location"])
    assert number
    cookie = next(c for c in done.headers.get_list("set-cookie") if c.startswith("receipts="))
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie
    receipt = phone.get(done.headers["location"])
    holds_together(receipt)
    assert number[1] in receipt.text and "前完成审核" in receipt.text
    assert re.search(r'id="receipt">[0-9A-Z-]{20,}<', receipt.text)
    again = send(town, phone, form)
    assert again.headers["location"] == done.headers["location"], "sent twice, it is one case"


def test_all_that_is_missing_is_said_at_once_and_nothing_is_lost(
    town: Town, phone: httpx.Client
) -> None:
    form = fields(phone.get("/report").text)
    empty = send(town, phone, form)
    holds_together(empty)
    assert empty.status_code == 422
    for name in ("photos", "place", "place-kind", "indicator"):
        assert f'<a href="#report-{name}"' in empty.text and f'id="report-{name}"' in empty.text
    part = send(town, phone, form | HERE | {"contact": "1", "consents.publication": "yes"}, 82)
    assert part.status_code == 422
    assert "已上传照片1" in part.text and 'value="116.32367"' in part.text
    assert 'href="#report-contact"' in part.text and "中关村街道" in part.text
    kept = fields(part.text)
    assert kept["consents.publication"] == "yes" and len(kept["photos"]) == 1
    assert kept["key"] == form["key"]
    whole = send(
        town, phone, kept | {"contact": "13800000000", "indicator": "P10", "near_shown": "yes"}
    )
    assert whole.status_code == 303, whole.text


def test_a_file_that_is_no_photo_is_named_and_the_others_stay(
    town: Town, phone: httpx.Client
) -> None:
    form = fields(phone.get("/report").text) | HERE | {"indicator": "P10", "near_shown": "yes"}
    answer = phone.post(
        "/report",
        data=form,
        files=[
            ("album_files", ("good.jpg", picture(83), "image/jpeg")),
            ("album_files", ("bad.jpg", b"not a picture at all", "image/jpeg")),
        ],
        headers=origin(town),
    )
    assert answer.status_code == 422
    assert "bad.jpg" in answer.text and "已上传照片1" in answer.text
    assert send(town, phone, fields(answer.text)).status_code == 303


def test_a_changed_form_under_the_same_key_leads_to_the_case_that_was_taken(
    town: Town, phone: httpx.Client
) -> None:
    form = fields(phone.get("/report").text) | HERE | {
        "indicator": "P10", "no_photo_reason": "dark", "near_shown": "yes",
    }  # fmt: skip
    first = send(town, phone, form)
    changed = send(town, phone, form | {"text": "又想起一句话"})
    assert changed.headers["location"] == first.headers["location"]
    says(phone.get(changed.headers["location"]), 200, "先前已经收到")


def test_out_of_the_district_and_indoors_one_is_told_the_right_door(
    town: Town, phone: httpx.Client
) -> None:
    form = fields(phone.get("/report").text) | HERE | {
        "indicator": "P10", "no_photo_reason": "dark",
    }  # fmt: skip
    away = form | {"place.lon": str(OUTSIDE["lon"]), "place.lat": str(OUTSIDE["lat"])}
    answer = send(town, phone, away)
    says(answer, 422, "12345")
    assert "海淀随手拍受理不了" in answer.text
    says(send(town, phone, form | {"place.kind": "indoor"}), 422, "物业")
    righted = send(town, phone, form | {"near_shown": "yes"})
    assert righted.status_code == 303, "put right, the same form is a report"


def test_danger_words_come_first_and_scope_words_refuse_nothing(
    town: Town, phone: httpx.Client
) -> None:
    form = fields(phone.get("/report").text) | HERE | {
        "no_photo_reason": "dangerous", "near_shown": "yes",
        "text": "路口井盖缺失，很危险；另外邻居家噪音扰民",
    }  # fmt: skip
    done = send(town, phone, form)
    page = phone.get(done.headers["location"]).text
    assert page.index("有危险，请先打电话") < page.index("已收到您的上报")
    assert 'href="tel:' in page


def test_the_nearby_case_is_offered_once_and_may_be_joined(town: Town, phone: httpx.Client) -> None:
    place = {**INSIDE, "lon": 116.3201, "lat": 39.9801}
    first = town.citizen("市民甲").report(place=place, indicator="P10")
    town.reviewer.act(first, "register", "dispatched", indicator="P10", condition="P10-2")
    town.reviewer.get(f"/cases/{first.id}", after=first.position)
    form = fields(phone.get("/report").text) | {
        "place.lon": "116.3201", "place.lat": "39.9801", "place.kind": "road",
        "indicator": "P10", "no_photo_reason": "dark", "text": "单车乱停",
    }  # fmt: skip
    offered = send(town, phone, form)
    says(offered, 200, "我也遇到")
    assert first.number in offered.text and "仍然上报" in offered.text
    joined = send(town, phone, fields(offered.text) | {"join": first.number})
    assert joined.headers["location"] == f"/cases/{first.number}/receipt", joined.text
    says(phone.get(joined.headers["location"]), 200, first.number)
    says(phone.get(f"/cases/{first.number}"), 200, "中关村街道")
    anyway = send(town, phone, fields(offered.text) | {"key": str(uuid4())})
    assert anyway.status_code == 303 and first.number not in anyway.headers["location"]


def test_a_script_is_told_where_to_go_or_what_is_wrong(town: Town, phone: httpx.Client) -> None:
    script = {"X-Asked-By": "script", "Accept": "*/*"}
    form = fields(phone.get("/report").text) | HERE | {"indicator": "P10"}
    wrong = send(town, phone, form, headers=script)
    assert wrong.status_code == 422 and wrong.text.strip().startswith('<div id="refused-told">')
    done = send(town, phone, form | {"no_photo_reason": "dark"}, headers=script)
    assert done.status_code == 201 and done.json()["to"].endswith("/receipt")
    assert phone.get(done.json()["to"]).status_code == 200, "the receipt is kept"
    look = phone.post("/report/look/place", data=form, headers=origin(town) | script)
    assert 'id="place-told"' in look.text and "中关村街道" in look.text
    foreign = phone.post("/report/look/place", data=form, headers={"Origin": "http://a.example"})
    assert foreign.status_code == 400


def report_by(town: Town, phone: httpx.Client, **changes: str) -> str:
    form = fields(phone.get("/report").text) | HERE | {
        "indicator": "P10", "no_photo_reason": "dark", "near_shown": "yes", **changes,
    }  # fmt: skip
    done = send(town, phone, form)
    assert done.status_code == 303, done.text
    seen(town)
    return str(done.headers["location"].split("/")[2])


def seen(town: Town) -> None:
    """Wait until the views have all that has happened."""
    town.reviewer.get("/cases", after=town.parts.casework.eventlog.head(), limit=1)


def tracked(town: Town, number: str) -> Tracked:
    told = town.reviewer.get(f"/cases/{number}").json()
    return Tracked(told["case_id"], number, told["version"], told["position"], told["status"])


def close(town: Town, case: Tracked) -> None:
    town.reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
    street = town.street()
    street.act(case, "acknowledge", "handling")
    street.act(
        case, "rectify", "rectified", outcome="rectified", photos=[street.photo(case)],
        words="已清理。",
    )  # fmt: skip
    town.reviewer.act(case, "close", "closed", standard_met=True, reply="已清理，感谢反映。")
    town.reviewer.get(f"/cases/{case.id}", after=case.position)


def test_receipts_kept_by_the_phone_are_the_way_to_my_cases(
    town: Town, phone: httpx.Client
) -> None:
    says(phone.get("/my"), 200, "没有记住的上报")
    number, other = report_by(town, phone), report_by(town, phone, indicator="P03")
    mine = phone.get("/my")
    holds_together(mine)
    assert number in mine.text and other in mine.text
    case = tracked(town, number)
    close(town, case)
    asked = phone.get("/my").text
    assert asked.index("等您回复") < asked.index(number) < asked.index(other)
    assert "有1件上报等您回复" in phone.get("/").text
    forgot = phone.post("/my/forget", data={}, headers=origin(town))
    assert forgot.headers["location"] == "/my"
    gone = phone.get("/my").text
    assert number not in gone and "没有记住的上报" in gone


def test_the_case_is_rated_in_three_choices_without_a_script(
    town: Town, phone: httpx.Client
) -> None:
    number = report_by(town, phone)
    close(town, tracked(town, number))
    page = phone.get(f"/cases/{number}")
    says(page, 200, "请您评价")
    assert "从上报到结案用了" in page.text and "已清理，感谢反映。" in page.text
    assert "还没有整改照片" not in page.text
    form = form_of(page.text, "rate")
    short = phone.post(f"/cases/{number}/rate", data=form | {"solved": "yes"}, headers=origin(town))
    says(short, 422, 'href="#rate-satisfaction"')
    assert 'value="yes" required checked' in short.text
    done = phone.post(
        f"/cases/{number}/rate",
        data=form_of(short.text, "rate")
        | {"solved": "yes", "satisfaction": "5", "efficiency": "4"},
        headers=origin(town),
    )
    assert done.status_code == 303, done.text
    assert town.reviewer.get(f"/cases/{number}").json()["status"] == "completed"
    says(phone.get(f"/cases/{number}"), 200, "已经办完归档")


def test_who_knows_the_number_learns_the_status_and_with_the_receipt_all(
    town: Town, phone: httpx.Client
) -> None:
    number = report_by(town, phone, text="单车乱停在盲道上")
    receipt = re.search(r'id="receipt">([^<]+)<', phone.get(f"/cases/{number}/receipt").text)
    assert receipt
    nobody = case_number(uuid4(), town.clock())
    with client_of(town) as other:
        led = other.get(f"/cases/{number}")
        assert (led.status_code, led.headers["location"]) == (303, f"/status?number={number}")
        public = other.get(led.headers["location"])
        says(public, 200, "审核中")
        assert "盲道" not in public.text
        for text, status, words in (
            ("HD123", 422, "请核对"), (nobody, 404, "没有编号为"),
        ):  # fmt: skip
            says(other.get("/status", params={"number": text}), status, words)
        form = {"number": number, "receipt": "AAAA-BBBB"}
        says(other.post("/status", data=form, headers=origin(town)), 422, "对不上")
        opened = other.post(
            "/status", data=form | {"receipt": receipt[1].lower()}, headers=origin(town)
        )
        assert opened.headers["location"] == f"/cases/{number}"
        says(other.get(f"/cases/{number}"), 200, "盲道")
        assert number in other.get("/my").text


def test_consent_is_taken_back_and_a_person_erased_from_the_page(
    town: Town, phone: httpx.Client
) -> None:
    number = report_by(town, phone, text="要删除的话", **{"consents.publication": "yes"})
    page = phone.get(f"/cases/{number}").text
    assert "不再同意公开" in page
    path = f"/cases/{number}/withdraw-publication-consent"
    key = {"key": str(uuid4())}
    assert phone.post(path, data=key, headers=origin(town)).status_code == 303
    assert "没有授权公开" in phone.get(f"/cases/{number}").text
    erase = f"/cases/{number}/erase"
    says(phone.post(erase, data=key, headers=origin(town)), 422, "勾选")
    done = phone.post(erase, data=key | {"sure": "yes"}, headers=origin(town))
    assert done.headers["location"] == "/my", done.text
    says(phone.get("/my"), 200, "您的个人信息")
    assert number not in phone.get("/my").text
    assert "要删除的话" not in town.reviewer.get(f"/cases/{number}").text


def test_a_reporter_supplies_what_was_asked_and_withdraws(town: Town, phone: httpx.Client) -> None:
    number = report_by(town, phone)
    case = tracked(town, number)
    town.reviewer.act(
        case, "request_information", "awaiting_information", code="Q01", question="在哪个路口？"
    )
    town.reviewer.get(f"/cases/{case.id}", after=case.position)
    page = phone.get(f"/cases/{number}")
    says(page, 200, "在哪个路口？")
    form = form_of(page.text, "supply-information") | {"text": "南门路口"}
    path = f"/cases/{number}/supply-information"
    done = phone.post(path, data=form, headers=origin(town))
    assert done.status_code == 303, done.text
    form = form_of(phone.get(f"/cases/{number}").text, "withdraw")
    gone = phone.post(f"/cases/{number}/withdraw", data=form, headers=origin(town))
    assert gone.headers["location"] == "/my"
    assert town.reviewer.get(f"/cases/{number}").json()["status"] == "withdrawn"


def test_a_resident_registers_is_signed_in_and_finds_what_was_reported(
    town: Town, phone: httpx.Client
) -> None:
    assert "/register?next=" in phone.get("/sign-in").text
    name = f"市民{uuid4().hex[:8]}"
    form = {"name": name, "password": PASSWORD, "again": "other", "next": "/my"}
    twice = phone.post("/register", data=form, headers=origin(town))
    says(twice, 422, 'href="#register-again"')
    assert f'value="{name}"' in twice.text and PASSWORD not in twice.text
    weak = phone.post(
        "/register", data=form | {"password": "1", "again": "1"}, headers=origin(town)
    )
    says(weak, 422, "密码不符合要求")
    done = phone.post("/register", data=form | {"again": PASSWORD}, headers=origin(town))
    assert done.headers["location"] == "/my", done.text
    page = phone.get("/my")
    says(page, 200, "注册成功")
    assert token_on(page.text)
    form_now = fields(phone.get("/report").text) | {
        "text": "盲道上停满共享单车",
        "place.kind": "road",
    }
    asked = send(town, phone, form_now | {"place.address": "中关村广场", "do": "find"}, photo=84)
    assert "已上传照片1" in asked.text and "推荐：" in asked.text
    whole = send(town, phone, fields(asked.text) | HERE | {"near_shown": "yes"})
    number = whole.headers["location"].split("/")[2]
    seen(town)
    assert number in phone.get("/my").text
    assert "receipts" not in phone.cookies, "an account needs none"
    phone.cookies.clear()
    says(phone.post("/register", data=form | {"again": PASSWORD}, headers=origin(town)), 409, name)


def test_staff_report_for_somebody_and_are_told_the_receipt_once(
    town: Town, phone: httpx.Client
) -> None:
    name = f"审核{uuid4().hex[:8]}"
    town.staff(name, Role.REVIEWER)
    signed_in(town, phone, name)
    page = phone.get("/report/on-behalf")
    says(page, 200, "代为上报")
    form = fields(page.text) | HERE | {
        "indicator": "P10", "no_photo_reason": "phone_call", "contact": "13800000000",
        "external_platform": "12345", "external_number": f"GD{uuid4().hex[:8]}",
    }  # fmt: skip
    assert form["source_channel"] == "phone"
    done = send(town, phone, form)
    assert done.status_code == 303, done.text
    receipt = phone.get(done.headers["location"])
    says(receipt, 200, "只显示这一次")
    assert "只显示这一次" not in phone.get(done.headers["location"]).text
    number = done.headers["location"].split("/")[2]
    told = town.reviewer.get(f"/cases/{number}").json()
    assert told["on_behalf"] and told["channel"] == "phone"
    again = fields(phone.get("/report").text) | {k: form[k] for k in form if k != "key"}
    says(send(town, phone, again), 409, "已经上报过")


def test_a_place_code_fills_the_place_in(town: Town, phone: httpx.Client) -> None:
    where = {**INSIDE, "name": "中关村广场东北角", "indicator": "P10"}
    where.pop("accuracy_m")
    made = town.reviewer.post("/place-codes", where).json()
    led = phone.get(f"/q/{made['code']}")
    assert led.status_code == 302 and led.headers["location"].startswith("/report?")
    page = phone.get(led.headers["location"])
    says(page, 200, "中关村街道")
    form = fields(page.text)
    assert form["place.address"] == "中关村广场东北角" and form["indicator"] == "P10"
    assert form["place.lon"] == "116.32367" and form["place.kind"] == "road"
    mini = phone.get("/report", params={"channel": "miniprogram", "elder": "1", "scale": "1.25"})
    assert 'data-crs="gcj02"' in mini.text and 'class="scale-125 elder"' in mini.text
    assert fields(mini.text)["source_channel"] == "miniprogram"


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[Town]:
    """An engine that takes little from one source."""
    settings = settings_for(tmp_path / "var", report_limit="1/hour", upload_limit="1/hour")
    with open_town(settings) as found:
        yield found


def test_too_much_from_one_source_is_said_in_the_page_and_nothing_is_lost(
    town: Town, busy: Town
) -> None:
    with client_of(busy) as phone:
        form = fields(phone.get("/report").text) | HERE | {"indicator": "P10", "near_shown": "yes"}
        two = [("album_files", (f"{n}.jpg", picture(n), "image/jpeg")) for n in (91, 92)]
        answer = phone.post("/report", data=form, files=two, headers=origin(busy))
        says(answer, 422, "操作过于频繁")
        assert "92.jpg" in answer.text and "已上传照片1" in answer.text
        kept = fields(answer.text)
        assert send(busy, phone, kept).status_code == 303
        more = kept | {"key": str(uuid4()), "photos": "", "no_photo_reason": "dark", "text": "留着"}
        late = send(busy, phone, more)
        says(late, 429, "操作过于频繁")
        assert int(late.headers["retry-after"]) > 0 and "留着</textarea>" in late.text


def test_a_reporter_of_a_merged_case_follows_and_rates_its_primary(
    town: Town, phone: httpx.Client
) -> None:
    number = report_by(town, phone)
    mine = tracked(town, number)
    primary = town.citizen("市民甲").report()
    town.reviewer.act(mine, "merge", "merged", primary=primary.id)
    primary = tracked(town, primary.number)
    close(town, primary)
    says(phone.get("/my"), 200, "请评价")
    page = phone.get(f"/cases/{number}")
    says(page, 200, "一并办理")
    assert "已清理，感谢反映。" in page.text and "请您评价" in page.text
    form = form_of(page.text, "rate") | {"solved": "no", "satisfaction": "1", "efficiency": "1"}
    done = phone.post(f"/cases/{number}/rate", data=form, headers=origin(town))
    assert done.status_code == 303, done.text
    assert town.reviewer.get(f"/cases/{primary.id}").json()["status"] == "under_recheck"


def test_what_was_reported_before_signing_in_is_still_theirs_in_this_browser(
    town: Town, phone: httpx.Client
) -> None:
    number = report_by(town, phone, text="登录之前报的")
    name = f"市民{uuid4().hex[:8]}"
    form = {"name": name, "password": PASSWORD, "again": PASSWORD, "next": "/my"}
    phone.post("/register", data=form, headers=origin(town))
    assert number in phone.get("/my").text
    page = phone.get(f"/cases/{number}")
    says(page, 200, "登录之前报的")
    more = form_of(page.text, "add-information") | {"text": "再补一句"}
    done = phone.post(f"/cases/{number}/add-information", data=more, headers=origin(town))
    assert done.status_code == 303, done.text
    assert town.reviewer.get(f"/cases/{number}").json()["new_information"]


NASTY = (
    "\x00", "\u202e反", "nan", "1e999", "-inf", "９９", "' OR 1=1 --", "<script>alert(1)</script>",
    "x" * 3000, "110108011 39 x", "🚲" * 50, "../../etc/passwd", "%00%ff",
)  # fmt: skip


def test_whatever_is_posted_the_page_answers_in_words(town: Town, phone: httpx.Client) -> None:
    clean = fields(phone.get("/report").text) | HERE | {"indicator": "P10", "near_shown": "yes"}
    names = [
        "key", "text", "indicator", "place.lon", "place.accuracy_m", "place.crs", "place.kind",
        "place.address", "place.pick", "place.device.lon", "photos", "recording", "contact",
        "recognition", "source_channel", "no_photo_reason", "join", "consents.publication", "do",
    ]  # fmt: skip
    for number, name in enumerate(names):
        nasty = NASTY[number % len(NASTY)], NASTY[(number * 5 + 3) % len(NASTY)]
        for value in nasty:
            answer = send(town, phone, clean | {"key": str(uuid4()), name: value})
            assert answer.status_code in {200, 303, 404, 409, 422}, (name, value, answer.text)
            if answer.status_code == 200:
                assert "<script>alert" not in answer.text
    for value in NASTY:
        asked = {"lon": value, "lat": value, "crs": value, "kind": value, "address": value}
        query = asked | {"indicator": value, "channel": value, "scale": value, "elder": value}
        holds_together(phone.get("/report", params=query))
        for what in ("place", "kinds", "near", "places", value[:20].replace("/", "") or "x"):
            path = f"/report/look/{quote(what, safe='')}"
            looked = phone.post(
                path, data=clean | {"text": value, "place.lon": value, "place.address": value},
                headers=origin(town),
            )  # fmt: skip
            assert looked.status_code in {200, 404}, (what, value, looked.text)
        status = phone.get("/status", params={"number": value[:40]})
        assert status.status_code in {200, 404, 422}


def test_the_page_of_a_case_asks_for_what_is_new_and_gets_nothing_twice(
    town: Town, phone: httpx.Client
) -> None:
    case = reported(town, phone)
    page = phone.get(f"/cases/{case.number}").text
    assert f'data-progress="/cases/{case.number}/progress"' in page
    assert "progress.js" in page
    told = phone.get(f"/cases/{case.number}/progress")
    assert told.status_code == 200 and "<html" not in told.text and "<form" not in told.text
    tag = told.headers["etag"]
    same = phone.get(f"/cases/{case.number}/progress", headers={"If-None-Match": tag})
    assert (same.status_code, same.content) == (304, b"")
    stamp = re.search(r'data-stamp="([^"]+)"', told.text)
    assert stamp and stamp[1] in page
    town.reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
    town.reviewer.get("/cases", after=case.position, limit=1)
    then = phone.get(f"/cases/{case.number}/progress", headers={"If-None-Match": tag})
    assert then.status_code == 200 and "将到现场处置" in then.text
    assert stamp[1] not in then.text and f'data-version="{case.version}"' in then.text
    assert 'data-part="review"' in then.text
    receipt = phone.get(f"/cases/{case.number}/receipt").text
    assert 'data-part="review"' in receipt and "progress.js" not in receipt, "nothing left to wait"


def test_what_is_new_is_told_to_whom_the_case_belongs_only(town: Town, phone: httpx.Client) -> None:
    case = reported(town, phone)
    with client_of(town) as other:
        led = other.get(f"/cases/{case.number}/progress")
        assert led.status_code == 303 and "/sign-in" in led.headers["location"]
        mine = reported(town, other)
        other.cookies.set("receipts", other.cookies["receipts"].replace(mine.number, case.number))
        assert other.get(f"/cases/{case.number}/progress").status_code in {303, 404}
    town.holder(case.receipt).act(case, "withdraw", "withdrawn")
    over = phone.get(f"/cases/{case.number}")
    assert over.status_code == 200 and "data-progress=" not in over.text
