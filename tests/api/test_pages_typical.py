"""典型案例 as pages, over plain HTTP: one entry's whole way by four hands, and what anybody reads.

Photos are examined, covered by one editor and confirmed by another, as they are for real.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from typing import Literal
from urllib.parse import unquote
from uuid import uuid4

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from api.evidence_schemas import BoxIn
from api.pages.covering import Row, boxes_of, row_of
from casework.model import Role
from tests.api.browsing import Browser, browsing, form_to, holds_together, token_on
from tests.api.client import ZHONGGUANCUN, Body, Town, Tracked, open_town, settings_for
from tests.api.test_evidence_api import until
from tests.api.test_typical_cases_api import (
    approved,
    caught_up,
    nominated,
    published,
    reopened,
    shown,
    solved,
    step,
    with_photos,
)

MAY, DESK = "2026-05", "/desk/typical-cases/2026-05"
PUBLIC = f"/typical-cases/{MAY}"


@pytest.fixture(scope="module")
def press(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town of its own, known outside by an address of its own."""
    settings = settings_for(
        tmp_path_factory.mktemp("press") / "var", public_url="https://example.org/"
    )
    with open_town(settings) as town:
        yield town


class Window(Browser):
    """A browser in which more is asked of what is read and sent."""

    def read(self, path: str, status: int = 200, **headers: str) -> httpx.Response:
        answer = self.http.get(path, headers=headers)
        assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text[:400]}"
        return answer

    def sees(self, path: str, *words: str, status: int = 200) -> str:
        answer = self.read(path, status)
        holds_together(answer)
        text = unescape(answer.text)
        for one in words:
            assert one in text, f"{path} does not say {one}"
        return text

    def sends(self, page: str, action: str, **form: object) -> httpx.Response:
        """Fill in the form of a page that goes to this address, and send it."""
        return self.post(action, {**form_to(self.read(page).text, action), **form})

    def posts(self, action: str, page: str, **form: object) -> httpx.Response:
        """Send a form that the page does not offer."""
        own = {"token": token_on(self.read(page).text), "key": str(uuid4())}
        return self.post(action, {**own, **form})

    def goes(self, page: str, action: str, to: str, **form: object) -> str:
        """The same, and where it leads; what is said there."""
        answer = self.sends(page, action, **form)
        assert answer.status_code == 303, unescape(answer.text)
        assert answer.headers["location"] == to
        said = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("said="))
        self.read(to.partition("#")[0])
        return unquote(said.split(";")[0].removeprefix("said="))


@contextmanager
def window(
    town: Town, name: str | None, *roles: Role, street: str | None = None
) -> Iterator[Window]:
    """A browser, and whoever has signed in there."""
    with browsing(town, *roles, street=street, name=name or "") as browser:
        yield Window(town, browser.http)


@pytest.fixture(scope="module")
def editor(press: Town) -> Iterator[Window]:
    with window(press, "编辑丙", Role.EDITOR) as found:
        yield found


@pytest.fixture(scope="module")
def other(press: Town) -> Iterator[Window]:
    with window(press, "编辑丁", Role.EDITOR) as found:
        yield found


@pytest.fixture(scope="module")
def reviewer(press: Town) -> Iterator[Window]:
    with window(press, "审核丙", Role.REVIEWER) as found:
        yield found


@pytest.fixture(scope="module")
def anybody(press: Town) -> Iterator[Window]:
    with window(press, None) as found:
        yield found


def examined(town: Town) -> tuple[Tracked, list[str], list[str]]:
    """A solved case with a pair of photos that are ready to be looked at."""
    case = solved(town, photos=1, agreed=True)

    def ready() -> bool:
        found = town.reviewer.get(f"/cases/{case.id}/photos").json()["photos"]
        return len(found) == 2 and all(photo["state"] == "ready" for photo in found)

    until(ready)
    found = town.reviewer.get("/typical-cases/2026-05/proposal", most=50).json()["proposed"]
    mine = next(each for each in found if each["number"] == case.number)
    return case, mine["before"], mine["after"]


def box(n: int, *parts: str) -> Body:
    found: Body = {f"keep.{n}": "yes"}
    for name, part in zip(("left", "top", "width", "height"), parts, strict=True):
        found[f"{name}.{n}"] = part
    return found


def levels(picture: Image.Image) -> tuple[int, int]:
    """The darkest and the brightest grey of a picture."""
    found = picture.convert("L").tobytes()
    return min(found), max(found)


@dataclass
class Desk:
    """Who sits at the desk of one entry."""

    editor: Window
    other: Window
    reviewer: Window
    anybody: Window


@dataclass
class Case:
    """A case on its way, its photos, and the page of its entry."""

    number: str
    id: str
    before: list[str]
    after: list[str]
    entry: str = ""

    @property
    def public(self) -> str:
        return f"{PUBLIC}/{self.entry.rpartition('/')[2]}"


def test_the_whole_way_of_an_entry_by_the_hands_of_four(
    press: Town, editor: Window, other: Window, reviewer: Window, anybody: Window
) -> None:
    case, before, after = examined(press)
    desk = Desk(editor, other, reviewer, anybody)
    one = Case(case.number, case.id, before, after)
    it_is_nominated(desk, one)
    it_is_covered_by_one(press, desk, one)
    another_confirms(press, desk, one)
    texts = it_is_written(desk, one)
    another_approves_and_it_is_public(press, desk, one)
    it_is_corrected_and_withdrawn(desk, one, texts)


def it_is_nominated(desk: Desk, case: Case) -> None:
    proposed = desk.reviewer.sees(f"{DESK}/proposal", case.number, "满意度5分", "推荐这一件")
    assert f"/nominate?case={case.number}" in proposed
    assert "推荐这一件" not in desk.editor.sees(f"{DESK}/proposal", case.number, "由审核员推荐")
    page, form = f"{DESK}/nominate?case={case.number}", f"{DESK}/nominate"
    desk.reviewer.sees(page, "整改前照片1", "整改后照片1")
    photos = {"before": case.before, "after": case.after}
    empty = desk.reviewer.sends(page, form, **photos, caption="")
    assert empty.status_code == 422 and 'href="#nominate-caption"' in empty.text
    assert f'value="{case.before[0]}" checked' in empty.text, "what was ticked stays ticked"
    answer = desk.reviewer.sends(page, form, **photos, caption="单车堵路，当天清走。")
    assert answer.status_code == 303, unescape(answer.text)
    case.entry = answer.headers["location"]
    desk.reviewer.sees(case.entry, "0/2张已遮盖", "由融媒编辑处理", case.number)
    again = desk.reviewer.sends(page, form, caption="再推一次。")
    assert again.status_code == 409
    assert "已经推荐到本月" in again.text and "再推一次。" in again.text


def it_is_covered_by_one(press: Town, desk: Desk, case: Case) -> None:
    editor, photo = desk.editor, f"{case.entry}/photos/{case.before[0]}"
    form = f"{photo}/redact"
    editor.sees(photo, "距左边%", "我已看过整张照片", "还没有遮盖")
    covering = {**box(0, "10", "20", "50", "25"), "rows": "4", "do": "cover"}
    unseen = editor.sends(photo, form, **covering)
    assert unseen.status_code == 422 and "请查看整张照片后再确认" in unseen.text
    assert 'value="25"' in unseen.text, "what was written stays"
    wide = editor.sends(photo, form, **{**covering, "width.0": "95"}, looked="yes")
    assert wide.status_code == 422 and 'href="#redact-left-0"' in wide.text
    words = editor.sends(photo, form, **{**covering, "top.0": "上边"}, looked="yes")
    assert 'href="#redact-top-0"' in words.text and 'value="上边"' in words.text
    more = editor.sends(photo, form, **{**covering, "do": "more"})
    assert more.status_code == 200 and 'name="left.4"' in more.text and 'value="25"' in more.text
    said = editor.goes(photo, form, f"{photo}#covered", **covering, looked="yes")
    assert "已遮盖1处" in said
    text = editor.sees(photo, "遮盖由您完成，须由另一人看过后确认")
    assert "确认遮盖</button>" not in text
    assert re.search(r'name="left.0"[^>]*value="10"', text), "one goes on from what was drawn"
    (address,) = re.findall(r'class="result" src="([^"]+)"', text)
    made = Image.open(io.BytesIO(editor.read(address).content))
    assert made.size == (320, 240)
    inside, outside = made.crop((36, 52, 188, 104)), made.crop((0, 0, 320, 44))
    darkest, brightest = levels(inside)
    assert brightest - darkest < 12, "10 to 60 and 20 to 45 percent are one colour"
    assert levels(outside)[0] > brightest + 20, "and nothing beside"
    assert desk.anybody.http.get(address).status_code == 303, "nobody else fetches it"


def another_confirms(press: Town, desk: Desk, case: Case) -> None:
    photo, result = (f"{case.entry}/photos/{each[0]}" for each in (case.before, case.after))
    own = desk.editor.posts(f"{photo}/confirm", photo, number="1", looked="yes")
    assert own.status_code == 403 and "回避" in own.text
    early = desk.editor.sends(
        case.entry, f"{case.entry}/texts", caption="已清走。", before=case.before,
        **{f"alt.{case.before[0]}": "单车堵住通道"},
    )  # fmt: skip
    assert early.status_code == 422 and "须经遮盖并由另一人确认" in early.text
    unread = desk.other.sends(photo, f"{photo}/confirm")
    assert unread.status_code == 422 and "查看遮盖后的整张照片" in unread.text
    back, covered = f"{case.entry}#cover", {"rows": "4", "do": "cover", "looked": "yes"}
    assert "的遮盖已确认" in desk.other.goes(photo, f"{photo}/confirm", back, looked="yes")
    desk.editor.goes(result, f"{result}/redact", f"{result}#covered", **covered)
    desk.reviewer.goes(result, f"{result}/confirm", back, looked="yes")
    desk.editor.sees(case.entry, "2/2张已确认", "已遮盖（编辑丙），已确认（编辑丁）")


def it_is_written(desk: Desk, case: Case) -> Body:
    editor, entry = desk.editor, case.entry
    texts: Body = {"title": "通道当天恢复", "caption": "单车堵路，当天清走。"}
    texts |= {"before": case.before, "after": case.after}
    silent = editor.sends(entry, f"{entry}/texts", **texts)
    assert silent.status_code == 422 and "看不见照片的人靠它了解" in silent.text
    assert f'href="#texts-alt-{case.before[0]}"' in silent.text and "通道当天恢复" in silent.text
    texts |= {f"alt.{case.before[0]}": "单车堵住<通道>", f"alt.{case.after[0]}": "通道空了"}
    editor.goes(entry, f"{entry}/texts", f"{entry}/preview", **texts)
    text = editor.sees(f"{entry}/preview", "须由另一位编辑批准", "单车堵住<通道>")
    assert "批准第" not in text
    desk.reviewer.sees(f"{entry}/preview", "由融媒编辑批准")
    desk.anybody.read(case.public, 404)
    return texts


def another_approves_and_it_is_public(press: Town, desk: Desk, case: Case) -> None:
    editor, entry = desk.editor, case.entry
    refused = editor.posts(f"{entry}/approve", f"{entry}/preview")
    assert refused.status_code == 403 and "案例由您处理" in refused.text
    assert "可以发布" in desk.other.goes(f"{entry}/preview", f"{entry}/approve", DESK)
    editor.sees(DESK, "待发布", "1件已批准")
    assert "已发布" in editor.goes(DESK, f"{DESK}/publish", DESK)
    editor.sees(DESK, "看公开页")
    text = desk.anybody.sees(
        case.public, '<h1 id="entry-title">通道当天恢复</h1>', "单车堵路，当天清走。", "用时",
        "中关村街道", "非机动车乱停放", "1人评价：满意度5分，处置效率4分", "已整改",
        'alt="通道空了"',
    )  # fmt: skip
    for secret in (case.number, case.id, "审核丙", "编辑丙", "婴儿车"):
        assert secret not in text
    preview = editor.sees(f"{entry}/preview", "这是现在公开的样子")
    assert article(preview) == article(text), "a preview is what is published"
    for address in re.findall(r'<img src="([^"]+)"', text):
        assert desk.anybody.read(address).headers["content-type"] == "image/jpeg"


def it_is_corrected_and_withdrawn(desk: Desk, case: Case, texts: Body) -> None:
    editor, entry = desk.editor, case.entry
    pictures = re.findall(r'<img src="([^"]+)"', desk.anybody.read(case.public).text)
    editor.sees(entry, "更正原因")
    why = editor.sends(entry, f"{entry}/texts", **texts)
    assert why.status_code == 422 and "更正须写明原因" in why.text
    editor.goes(entry, f"{entry}/texts", f"{entry}/preview", **texts, why="补充复查。")
    editor.sees(entry, "更正中，原内容仍公开")
    bare = editor.sends(entry, f"{entry}/withdraw", words="有人能认出来。")
    assert bare.status_code == 422 and 'href="#withdraw-code"' in bare.text
    assert "有人能认出来。" in bare.text
    editor.goes(entry, f"{entry}/withdraw", DESK, code="W01", words="有人能认出来。")
    text = desk.anybody.sees(case.public, "W01", "有人能认出来。", status=410)
    assert "通道当天恢复" not in text and "<img" not in text and "noindex" in text
    desk.anybody.sees(PUBLIC, "【已撤回】", "公开0件")
    assert [desk.anybody.http.get(address).status_code for address in pictures] == [404, 404]
    editor.sees(entry, "有人能认出来。", "看公开页")


def article(text: str) -> str:
    """What the public reads of an entry, without where its pictures are fetched."""
    found = re.search(r"<h1 id=\"entry-title\">.*?</dl>", text, re.DOTALL)
    assert found
    return re.sub(r'(href|src)="[^"]+"', "", found[0])


SPANS = (
    st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted).filter(lambda ends: ends[0] < ends[1])
)


@given(SPANS, SPANS, st.sampled_from(["face", "plate", "text", "by_hand"]))
def test_what_was_drawn_or_proposed_comes_back_from_the_form_and_never_smaller(
    across: list[float], down: list[float], what: Literal["face", "plate", "text", "by_hand"]
) -> None:
    (left, right), (top, bottom) = across, down
    drawn = BoxIn(left=left, top=top, right=right, bottom=bottom, what=what, score=0.75)
    (sent,), wrong = boxes_of([row_of(drawn)])
    assert wrong == [], "a rectangle of the API is one of the form"
    again = BoxIn.model_validate(sent)
    assert (again.what, again.score) == (what, 0.75)
    assert again.left <= left and again.top <= top
    assert again.right >= right and again.bottom >= bottom
    far = (left - again.left, top - again.top, again.right - right, again.bottom - bottom)
    assert max(far) <= 0.0001 + 1e-12, "nor larger than by a hundredth of a percent"
    assert boxes_of([row_of(again)])[0] == [sent], "however often it is gone on from"


def test_what_a_person_drops_or_leaves_empty_is_not_covered() -> None:
    kept = Row(left="1", top="2", width="3", height="4", what="plate", score="0.9")
    dropped = msgspec.structs.replace(kept, what="face", keep=False)
    boxes, wrong = boxes_of([Row(), dropped, kept, Row()])
    assert wrong == [] and [box["what"] for box in boxes] == ["plate"]
    for bad in ("", "-1", "101", "NaN", "1e400", "左"):
        boxes, wrong = boxes_of([msgspec.structs.replace(kept, top=bad)])
        assert [each.field for each in wrong] == ["top.0"], bad
    for empty in ("0", "0.0"):
        _, wrong = boxes_of([msgspec.structs.replace(kept, width=empty)])
        assert "大小为零" in wrong[0].says


def test_what_is_sent_on_and_kept(press: Town, anybody: Window, editor: Window) -> None:
    case, before, after = with_photos(press)
    number = published(press, case, before=before, after=after)
    shown(press, number)
    text = anybody.sees(f"{PUBLIC}/{number}")
    address = f"https://example.org{PUBLIC}/{number}"
    assert f'<link rel="canonical" href="{address}">' in text
    assert f'<meta property="og:url" content="{address}">' in text
    assert re.search(r'og:image" content="https://example.org/api/v1/typical-cases/', text)
    assert 'og:title" content="中关村街道·非机动车乱停放"' in text
    assert 'type="application/atom+xml"' in text and 'type="application/feed+json"' in text
    month = anybody.read(PUBLIC)
    assert f'<link rel="canonical" href="https://example.org{PUBLIC}">' in month.text
    assert month.headers["cache-control"] == "public, no-cache"
    assert month.headers["vary"] == "Cookie"
    known = {"If-None-Match": month.headers["etag"]}
    assert anybody.read(PUBLIC, 304, **known).content == b""
    assert anybody.read("/typical-cases").text.count(month.headers["etag"]) == 0
    theirs = editor.read(PUBLIC)
    assert theirs.headers["cache-control"] == "private, no-cache"
    assert editor.read(PUBLIC, 304, **{"If-None-Match": theirs.headers["etag"]}).content == b""
    published(press, solved(press))
    caught_up(press)
    assert anybody.read(PUBLIC, 200, **known).headers["etag"] != month.headers["etag"]


def test_a_correction_says_why_and_shows_what_stood_there(press: Town, anybody: Window) -> None:
    number = published(press, solved(press))
    first, second = (press.staff(name, Role.EDITOR) for name in ("编辑丙", "编辑丁"))
    for caption, why in (("次日复查。", "补充复查。"), ("次日复查，没有反弹。", "写明结果。")):
        form = {"entry": number, "caption": caption, "why": why}
        step(first, "redact", form)
        step(second, "approve", {"entry": number})
        step(first, "publish")
    caught_up(press)
    text = anybody.sees(
        f"{PUBLIC}/{number}", "已更正: 写明结果。", '<p class="caption">次日复查，没有反弹。</p>'
    )
    older = text[text.index("更正前的说明") :]
    assert older.index("单车当天清走") < older.index("次日复查。")
    assert older.count("更正原因：补充复查。") == 1, "each reason stands once"


def test_a_reopened_case_is_gone_from_its_page_at_once_and_the_desk_says_what_to_do(
    press: Town, anybody: Window, editor: Window
) -> None:
    case = solved(press)
    number = published(press, case)
    caught_up(press)
    anybody.sees(f"{PUBLIC}/{number}", "单车当天清走")
    reopened(press, case)
    caught_up(press)
    anybody.sees(f"{PUBLIC}/{number}", "案件已重新办理，停止展示。", status=410)
    entry = f"{DESK}/{number}"
    editor.sees(DESK, "已停止展示，待记录撤回")
    editor.sees(
        entry, "公众已看不到", "案件没有结案，或已重办。", 'href="/desk/typical-cases/2026-05/'
    )
    editor.goes(entry, f"{entry}/withdraw", DESK, code="W03")


def test_a_publication_that_is_refused_leads_to_what_is_missing(
    press: Town, editor: Window
) -> None:
    case = solved(press)
    number = nominated(press, case)
    approved(press, number)
    reopened(press, case)
    caught_up(press)
    editor.sees(DESK, "下面的问题解决后才能发布")
    refused = editor.sends(DESK, f"{DESK}/publish")
    assert refused.status_code == 409
    text = unescape(refused.text)
    assert "暂不能发布，一件也没有发布" in text
    assert f"第{number}件：案件没有结案，或已重办。" in text
    assert f'href="{DESK}/{number}#withdraw"' in text
    editor.goes(f"{DESK}/{number}", f"{DESK}/{number}/withdraw", DESK, code="W03")


def test_another_entrys_step_is_no_reason_to_write_again_but_ones_own_is(
    press: Town, editor: Window, other: Window
) -> None:
    number = nominated(press, solved(press))
    entry = f"{DESK}/{number}"
    first = editor.read(entry).text
    form = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', first))
    form |= {"key": str(uuid4()), "caption": "先写的。"}
    nominated(press, solved(press))
    done = editor.post(f"{entry}/texts", form)
    assert done.status_code == 303, unescape(done.text)
    late = form | {"key": str(uuid4()), "caption": "后写的，没看到先写的。"}
    stale = editor.post(f"{entry}/texts", late)
    assert stale.status_code == 412
    assert "本月典型案例已更新" in stale.text and "后写的，没看到先写的。" in stale.text
    other.goes(entry, f"{entry}/texts", f"{entry}/preview", caption="看过再写的。")


def test_what_is_not_there_says_so_and_leads_on(
    press: Town, anybody: Window, editor: Window, reviewer: Window
) -> None:
    anybody.sees("/typical-cases/2026-03", "这个月还没有公开典型案例", status=404)
    anybody.sees("/typical-cases/2026-13", status=422)
    anybody.sees(f"{PUBLIC}/60", "这个月没有这一件案例", status=404)
    editor.sees("/desk/typical-cases/2026-03", "还没有推荐案件")
    editor.sees(f"{DESK}/60", "没有找到", status=404)
    editor.sees(f"{DESK}/1/photos/{uuid4()}", "没有找到这张照片", status=404)
    assert editor.read("/desk/typical-cases", 303).headers["location"] == DESK
    for number, words in (("HD1", "这不是一个案件编号"), ("HD26051100000000", "没有")):
        text = reviewer.sees(f"{DESK}/nominate?case={number}", words, status=422)
        assert f'value="{number}"' in text
    open_case = press.anonymous().report()
    reviewer.sees(f"{DESK}/nominate?case={open_case.number}", "不能推荐：案件没有结案")
    with window(press, "街镇丙", Role.STREET, street=ZHONGGUANCUN) as worker:
        worker.read(DESK, 403)
    assert anybody.read(DESK, 303).headers["location"].startswith("/sign-in")


@pytest.mark.deep
def test_before_the_first_publication_the_page_says_so(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with open_town(settings_for(tmp_path_factory.mktemp("empty") / "var")) as town:
        with window(town, None) as nobody:
            nobody.sees("/typical-cases", "还没有公开的典型案例")
        with window(town, "督办丙", Role.SUPERVISOR) as supervisor:
            supervisor.sees(DESK, "还没有推荐案件", "还没有任何月份")
            supervisor.read(f"{DESK}/proposal", 403)
