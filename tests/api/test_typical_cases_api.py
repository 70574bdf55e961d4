"""月度典型案例 over HTTP: two persons, a last look, feeds that a reader understands, no silence.

Photos are examined, covered by one editor and confirmed by another, as they are for real.
"""

import io
import json
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import feedparser
import httpx
import pytest

from casework.model import Role
from tests.api.client import (
    BEIXIAGUAN,
    ZHONGGUANCUN,
    Body,
    Caller,
    Town,
    Tracked,
    is_problem,
    open_town,
    settings_for,
)
from tests.api.test_evidence_api import until

MAY = "2026-05"
ISSUE = f"/typical-cases/{MAY}"
CAPTION = "地铁口单车当天清走，通道恢复。"
YES: Body = {"solved": "yes", "satisfaction": 5, "efficiency": 4}


@pytest.fixture(scope="module")
def press(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town of its own, where photos are covered; each test has entries of its own to print."""
    with open_town(settings_for(tmp_path_factory.mktemp("press") / "var")) as town:
        yield town


# people ----------------------------------------------------------------------------------


def editor(town: Town) -> Caller:
    return town.staff("编辑甲", Role.EDITOR)


def second_editor(town: Town) -> Caller:
    return town.staff("编辑乙", Role.EDITOR)


def solved(town: Town, *, photos: int = 0, agreed: bool = False) -> Tracked:
    """A case that was reported, registered, handled, closed and rated 5."""
    consents = {"publication": agreed, "contact_by_street": False}
    case = town.anonymous().report(photos=photos, consents=consents)
    town.reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
    worker = town.street()
    worker.act(case, "acknowledge", "handling")
    worker.act(
        case, "rectify", "rectified", outcome="rectified", photos=[worker.photo()], words="已码放。"
    )
    town.second_reviewer.act(case, "close", "closed", standard_met=True, reply="已处置，谢谢。")
    town.holder(case.receipt).act(case, "rate", "completed", **YES)
    return case


def step(by: Caller, how: str, form: Body | None = None, *, issue: str = ISSUE) -> Body:
    answer = by.post(f"{issue}/{how}", form)
    assert answer.status_code in {200, 201}, answer.text
    told: Body = answer.json()
    assert answer.headers["ETag"] == f'"{told["version"]}"'
    return told


def entry_of(told: Body, case: Tracked) -> Body:
    entries = told["entries"]
    assert isinstance(entries, list)
    found: Body = next(e for e in reversed(entries) if e["number"] == case.number)
    return found


def nominated(town: Town, case: Tracked, *, issue: str = ISSUE, **form: object) -> int:
    body: Body = {"case": case.number, "caption": CAPTION, **form}
    number = entry_of(step(town.reviewer, "nominate", body, issue=issue), case)["entry"]
    assert isinstance(number, int)
    return number


def approved(town: Town, entry: int, *, issue: str = ISSUE, **form: object) -> None:
    step(editor(town), "redact", {"entry": entry, "caption": CAPTION, **form}, issue=issue)
    step(second_editor(town), "approve", {"entry": entry}, issue=issue)


def published(town: Town, case: Tracked, *, issue: str = ISSUE, **form: object) -> int:
    entry = nominated(town, case, issue=issue, **form)
    approved(town, entry, issue=issue)
    step(editor(town), "publish", issue=issue)
    return entry


def get(town: Town, path: str, **headers: str) -> httpx.Response:
    """As anybody asks, once the views have seen everything."""
    head = town.parts.casework.eventlog.head()
    return town.http.get(path, params={"after": head}, headers=headers)


def caught_up(town: Town) -> None:
    """The views have seen everything."""
    head = town.parts.casework.eventlog.head()
    assert town.reviewer.get("/cases", after=head, limit=1).json()["as_of"] >= head


def shown(town: Town, entry: int, issue: str = ISSUE) -> Body:
    answer = get(town, f"/api/v1{issue}")
    assert answer.status_code == 200, answer.text
    found: Body = next(e for e in answer.json()["entries"] if e["entry"] == entry)
    return found


# the life of an entry --------------------------------------------------------------------


def test_a_case_becomes_public_by_the_hands_of_three(town: Town) -> None:
    case = solved(town)
    entry = nominated(town, case)
    draft: Body = {"entry": entry, "caption": CAPTION}
    is_problem(editor(town).post(f"{ISSUE}/approve", {"entry": entry}), 409, "nothing-pending")
    assert entry_of(step(editor(town), "redact", draft), case)["stage_name"] == "待批准"
    own = editor(town).post(f"{ISSUE}/approve", {"entry": entry})
    assert "由您处理" in str(is_problem(own, 403, "conflict-of-interest")["detail"])
    assert all(e.get("entry") != entry for e in entries(town)), "nothing is public yet"
    step(second_editor(town), "approve", {"entry": entry})
    done = entry_of(step(editor(town), "publish"), case)
    assert (done["stage"], done["against"]) == ("published", [])
    found = shown(town, entry)
    assert (found["state"], found["title"]) == ("shown", "中关村街道·非机动车乱停放")
    assert (found["satisfaction"], found["raters"], found["outcome_name"]) == (5.0, 1, "已整改")
    assert found["taken"] == "0分" and found["id"] == f"202605-{entry:02d}"
    text = json.dumps(found)
    for secret in (case.number, case.id, "婴儿车", "审核", "编辑"):
        assert secret not in text


def entries(town: Town) -> list[Body]:
    answer = get(town, f"/api/v1{ISSUE}")
    if answer.status_code == 404:
        is_problem(answer, 404, "no-issue")
        return []
    found: list[Body] = answer.json()["entries"]
    return found


def test_who_holds_two_roles_does_not_approve_their_own_nomination(town: Town) -> None:
    both = town.staff("两职", Role.REVIEWER, Role.EDITOR)
    case = solved(town)
    told = step(both, "nominate", {"case": case.id, "caption": CAPTION})
    entry = entry_of(told, case)["entry"]
    step(editor(town), "redact", {"entry": entry, "caption": CAPTION})
    refused = both.post(f"{ISSUE}/approve", {"entry": entry})
    assert "由您推荐" in str(is_problem(refused, 403, "conflict-of-interest")["detail"])
    step(editor(town), "withdraw", {"entry": entry, "code": "W06"})


def test_captions_are_masked_before_they_are_stored(town: Town) -> None:
    case = solved(town)
    entry = nominated(town, case, caption="李先生电话13900001234反映，当天清走。")
    head = town.parts.casework.eventlog.head()
    told = editor(town).get(f"{ISSUE}/desk", after=head).json()
    caption = str(entry_of(told, case)["caption"])
    assert "13900001234" not in caption and "当天清走" in caption
    step(editor(town), "withdraw", {"entry": entry, "code": "W01"})


def test_what_is_not_solved_is_not_nominated(town: Town) -> None:
    case = town.anonymous().report()
    form = {"case": case.number, "caption": CAPTION}
    refused = town.reviewer.post(f"{ISSUE}/nominate", form)
    assert "没有结案" in str(is_problem(refused, 422, "missing")["detail"])
    nothing = town.reviewer.post(f"{ISSUE}/nominate", form | {"case": "HD26051100000000"})
    is_problem(nothing, 404, "unknown-case")
    early = town.reviewer.post("/typical-cases/2099-06/nominate", form)
    is_problem(early, 409, "too-early")
    for month in ("2026-13", "2026-5", "nothing"):
        is_problem(town.reviewer.post(f"/typical-cases/{month}/nominate", form), 422, "invalid")
    is_problem(
        editor(town).post(f"{ISSUE}/redact", {"entry": 60, "caption": "x"}), 404, "not-there"
    )


def test_a_step_on_an_old_version_is_refused_and_a_repeated_one_is_the_same(town: Town) -> None:
    case = solved(town)
    key = "nominated-once"
    form = {"case": case.number, "caption": CAPTION}
    first = town.reviewer.post(f"{ISSUE}/nominate", form, key=key)
    entry = entry_of(first.json(), case)["entry"]
    version = first.json()["version"]
    again = town.reviewer.post(f"{ISSUE}/nominate", form, key=key)
    assert again.json()["version"] == version
    draft = {"entry": entry, "caption": CAPTION}
    stale = editor(town).post(f"{ISSUE}/redact", draft, match=version - 1)
    problem = is_problem(stale, 412, "stale")
    assert "本月典型案例已更新" in str(problem["detail"]) and problem["version"] == version
    assert editor(town).post(f"{ISSUE}/redact", draft, match=version).status_code == 200
    changed = town.reviewer.post(f"{ISSUE}/nominate", form | {"caption": "别的"}, key=key)
    is_problem(changed, 422, "key-reused")
    auditor = town.staff("审计甲", Role.AUDITOR)
    rows = auditor.get("/audit", target=f"issue/{MAY}").json()["rows"][:4]
    assert [(row["action"].removeprefix("typical_cases."), row["outcome"]) for row in rows] == [
        ("nominate", "refused"), ("redact", "done"), ("redact", "refused"), ("nominate", "done"),
    ]  # fmt: skip
    step(editor(town), "withdraw", {"entry": entry, "code": "W02"})


def test_photos_that_nobody_has_covered_block_with_a_clear_sentence(town: Town) -> None:
    case = solved(town, photos=1, agreed=True)
    loaded = town.parts.casework.history(UUID(case.id))
    upload = str(loaded[0].event.photos[0].upload)  # type: ignore[attr-defined]
    entry = nominated(town, case, before=[upload])
    caught_up(town)
    draft: Body = {"entry": entry, "caption": CAPTION}
    refused = editor(town).post(f"{ISSUE}/redact", draft)
    assert "须经遮盖并由另一人确认" in str(is_problem(refused, 422, "missing")["detail"])
    step(editor(town), "redact", draft | {"before": []})
    step(second_editor(town), "approve", {"entry": entry})
    step(editor(town), "publish")
    assert shown(town, entry)["before"] == []


# the last look ---------------------------------------------------------------------------


def test_a_case_reopened_meanwhile_stops_the_publication(town: Town) -> None:
    case = solved(town)
    entry = nominated(town, case)
    approved(town, entry)
    reopened(town, case)
    refused = editor(town).post(f"{ISSUE}/publish")
    assert f"第{entry}件: 案件没有结案，或已重办" in str(
        is_problem(refused, 409, "not-publishable")["detail"]
    )
    step(editor(town), "withdraw", {"entry": entry, "code": "W03"})


def reopened(town: Town, case: Tracked) -> None:
    town.supervisor.act(case, "supervise_reopen", "dispatched", words="现场复查发现原整改不实。")


def test_an_entry_reopened_afterwards_is_hidden_at_once_and_then_withdrawn(town: Town) -> None:
    case = solved(town)
    entry = published(town, case)
    reopened(town, case)
    hidden = shown(town, entry)
    assert hidden["state"] == "withdrawn" and hidden["says"] == "案件已重新办理，停止展示。"
    assert hidden["caption"] is None and hidden["street"] is None
    head = town.parts.casework.eventlog.head()
    told = entry_of(editor(town).get(f"{ISSUE}/desk", after=head).json(), case)
    assert told["must_withdraw"] is True and told["against"] == ["案件没有结案，或已重办。"]
    correction: Body = {"entry": entry, "caption": CAPTION, "why": "补充复查情况。"}
    assert entry_of(step(editor(town), "redact", correction), case)["must_withdraw"] is True
    form: Body = {"entry": entry, "code": "W03", "words": "一周后再次堆放。"}
    assert entry_of(step(editor(town), "withdraw", form), case)["must_withdraw"] is False
    assert shown(town, entry)["says"] == "已撤回: 问题反弹（W03）。一周后再次堆放。"


def test_of_an_erased_reporter_nothing_is_shown(town: Town) -> None:
    case, waiting = solved(town), solved(town)
    entry, other = published(town, case), nominated(town, waiting)
    approved(town, other)
    for one in (case, waiting):
        holder = town.holder(one.receipt)
        answer = holder.post("/persons/me/erase", {"case": one.number})
        assert answer.status_code in {200, 202}, answer.text
    gone = shown(town, entry)
    assert (gone["state"], gone["says"]) == ("removed", "应当事人要求移除。")
    assert CAPTION not in json.dumps(gone, ensure_ascii=False)
    is_problem(editor(town).post(f"{ISSUE}/publish"), 409, "nothing-pending")
    again = town.reviewer.post(f"{ISSUE}/nominate", {"case": waiting.id, "caption": CAPTION})
    assert again.status_code in {404, 409, 410, 422}, again.text


# photos and consent ----------------------------------------------------------------------


def cover(town: Town, case: Tracked, upload: str) -> int:
    """An editor covers nothing of it, and says so; the number of the covering."""
    path = f"/cases/{case.id}/photos/{upload}/redact"

    def covered() -> httpx.Response | None:
        answer = editor(town).post(path, {"boxes": [], "looked": True})
        return answer if answer.is_success else None  # it is still being examined

    number = until(covered).json()["number"]
    assert isinstance(number, int)
    return number


def confirm_cover(town: Town, case: Tracked, upload: str, number: int) -> None:
    path = f"/cases/{case.id}/photos/{upload}/confirm-redaction"
    form = {"number": number, "looked": True}
    until(lambda: second_editor(town).post(path, form).is_success or None)


def with_photos(press: Town) -> tuple[Tracked, list[str], list[str]]:
    """A solved case with consent; its uploads before and after, covered and looked at."""
    town = press
    case = solved(town, photos=1, agreed=True)
    head = town.parts.casework.eventlog.head()
    found = town.reviewer.get(f"{ISSUE}/proposal", after=head).json()["proposed"]
    mine = next(each for each in found if each["number"] == case.number)
    for upload in (*mine["before"], *mine["after"]):
        cover(town, case, upload)
        confirm_cover(town, case, upload, 1)
    caught_up(town)
    return case, mine["before"], mine["after"]


def test_a_pair_of_pictures_is_shown_and_served_without_a_name_of_a_case(press: Town) -> None:
    town = press
    case, before, after = with_photos(press)
    entry = published(town, case, before=before, after=after)
    found = shown(town, entry)
    assert isinstance(found["before"], list) and isinstance(found["after"], list)
    pair = [*found["before"], *found["after"]]
    assert [each["alt"] for each in pair] == [
        "中关村街道非机动车乱停放，整改前照片1",
        "中关村街道非机动车乱停放，整改后照片1",
    ]
    for each in pair:
        served = town.http.get(each["url"])
        assert served.status_code == 200 and served.headers["Content-Type"] == "image/jpeg"
        assert before[0] not in each["url"] and case.id not in each["url"]
        known = {"If-None-Match": served.headers["ETag"]}
        assert town.http.get(each["url"], headers=known).status_code == 304
    other = pair[0]["url"].rsplit("/", 1)[0] + "/" + "0" * 32
    is_problem(town.http.get(other), 404, "unknown-file")
    step(editor(town), "withdraw", {"entry": entry, "code": "W07"})
    shown(town, entry)  # waits until the views have it
    is_problem(town.http.get(pair[0]["url"]), 404, "unknown-file")


def test_an_editor_writes_a_title_and_what_the_pictures_show(press: Town) -> None:
    town = press
    case, before, after = with_photos(press)
    entry = nominated(town, case, before=before, after=after)
    path = f"{ISSUE}/desk/{entry}/preview"
    early = town.reviewer.get(path)
    assert "还没有可以预览的稿件" in str(is_problem(early, 409, "nothing-pending")["detail"])
    is_problem(town.reviewer.get(f"{ISSUE}/desk/60/preview"), 404, "not-there")
    draft: Body = {
        "entry": entry,
        "title": "盲道当天恢复",
        "caption": CAPTION,
        "alt": {before[0]: "单车堵住盲道，电话13900001234", after[0]: "盲道上空了"},
    }
    strange = draft | {"alt": {case.id: "不是它的照片"}}
    is_problem(editor(town).post(f"{ISSUE}/redact", strange), 422, "missing")
    told = entry_of(step(editor(town), "redact", draft), case)
    assert told["title"] == "盲道当天恢复" and "13900001234" not in str(told["alt"])
    assert (told["nominated_by_name"], told["redacted_by_names"]) == ("审核甲", ["编辑甲"])
    promised = editor(town).get(path).json()
    step(editor(town), "redact", {"entry": entry, "caption": CAPTION})
    assert editor(town).get(path).json()["before"] == promised["before"], "what is not given stays"
    step(second_editor(town), "approve", {"entry": entry})
    assert entries_of(town, entry) == [], "a preview is no publication"
    step(editor(town), "publish")
    found = shown(town, entry)
    pictures = [*found.pop("before"), *found.pop("after")]  # type: ignore[misc]
    previewed = [*promised.pop("before"), *promised.pop("after")]
    assert [each["alt"] for each in pictures] == [each["alt"] for each in previewed]
    names, promised_names = (
        [str(each["url"]).rsplit("/", 1)[1] for each in found] for found in (pictures, previewed)
    )
    assert names == promised_names and pictures[1]["alt"] == "盲道上空了"
    for each in previewed:
        seen = editor(town).get(str(each["url"]).removeprefix("/api/v1"))
        assert seen.headers["Content-Type"] == "image/jpeg"
    assert found["title"] == "盲道当天恢复"
    for name in ("published_at", "updated_at"):
        del found[name], promised[name]
    assert found == promised
    month = next(
        m for m in town.reviewer.get("/desk/typical-cases").json()["months"] if m["month"] == MAY
    )
    assert {s["stage"]: s["entries"] for s in month["stages"]}["published"] >= 1
    step(editor(town), "withdraw", {"entry": entry, "code": "W02"})


def entries_of(town: Town, entry: int) -> list[Body]:
    return [each for each in entries(town) if each["entry"] == entry]


def test_a_picture_covered_anew_stops_the_publication(press: Town) -> None:
    town = press
    case, before, after = with_photos(press)
    entry = nominated(town, case, before=before, after=after)
    approved(town, entry)
    cover(town, case, before[0])
    caught_up(town)
    refused = editor(town).post(f"{ISSUE}/publish")
    assert "须经遮盖并由另一人确认" in str(is_problem(refused, 409, "not-publishable")["detail"])
    step(editor(town), "withdraw", {"entry": entry, "code": "W01"})


def test_a_consent_taken_back_stops_and_hides(press: Town) -> None:
    town = press
    case, before, after = with_photos(press)
    entry = nominated(town, case, before=before, after=after)
    approved(town, entry)
    holder, path = town.holder(case.receipt), f"/cases/{case.id}/withdraw-publication-consent"
    is_problem(town.anonymous().post(path), 401, "unauthenticated")
    is_problem(town.citizen("别人").post(path), 404, "unknown-case")
    assert holder.post(path).json()["publication"] is False
    refused = editor(town).post(f"{ISSUE}/publish")
    detail = str(is_problem(refused, 409, "not-publishable")["detail"])
    assert f"第{entry}件: 反映人不同意公开照片。" in detail
    head = town.parts.casework.eventlog.head()
    proposed = town.reviewer.get(f"{ISSUE}/proposal", after=head).json()["proposed"]
    assert case.number not in {each["number"] for each in proposed}
    step(editor(town), "withdraw", {"entry": entry, "code": "W05"})
    other, before, after = with_photos(press)
    public = published(town, other, before=before, after=after)
    url = shown(town, public)["before"][0]["url"]  # type: ignore[index]
    town.holder(other.receipt).post(f"/cases/{other.id}/withdraw-publication-consent")
    assert shown(town, public)["says"] == "反映人不再同意公开，停止展示。"
    is_problem(town.http.get(url), 404, "unknown-file")


def test_the_proposal_gives_its_reasons_and_leaves_out_what_is_nominated(press: Town) -> None:
    town = press
    case, _, _ = with_photos(press)
    plain = solved(town)
    head = town.parts.casework.eventlog.head()
    told = editor(town).get(f"{ISSUE}/proposal", after=head, most=50).json()
    mine = next(each for each in told["proposed"] if each["number"] == case.number)
    assert "满意度5分，处置效率4分" in mine["because"] and "按期整改" in mine["because"]
    assert plain.number not in {each["number"] for each in told["proposed"]}, "no consent, no pair"
    assert told["fit"] >= len(told["proposed"]) and "强制结案" in told["rule"]
    entry = nominated(town, case)
    told = editor(town).get(f"{ISSUE}/proposal", most=50).json()
    assert case.number not in {each["number"] for each in told["proposed"]}
    step(editor(town), "withdraw", {"entry": entry, "code": "W06"})
    is_problem(town.street().get(f"{ISSUE}/proposal"), 403, "not-permitted")


# never silently, and conditionally ---------------------------------------------------------


def test_what_is_public_never_changes_silently(town: Town) -> None:
    case = solved(town)
    entry = published(town, case)
    first = shown(town, entry)
    correction: Body = {"entry": entry, "caption": "当天清走，次日复查。"}
    refused = editor(town).post(f"{ISSUE}/redact", correction)
    assert "更正须写明原因" in str(is_problem(refused, 422, "missing")["detail"])
    step(editor(town), "redact", correction | {"why": "补充复查情况。"})
    assert shown(town, entry) == first, "a draft changes nothing"
    step(second_editor(town), "approve", {"entry": entry})
    step(editor(town), "publish")
    corrected = shown(town, entry)
    assert corrected["caption"] == "当天清走，次日复查。"
    assert corrected["says"] == "已更正: 补充复查情况。"
    corrections = corrected["corrections"]
    assert isinstance(corrections, list)
    (before,) = corrections
    assert (before["caption"], before["why"]) == (CAPTION, "补充复查情况。")
    assert corrected["published_at"] == first["published_at"]
    assert str(corrected["updated_at"]) > str(first["updated_at"])
    step(editor(town), "withdraw", {"entry": entry, "code": "W02"})
    gone = shown(town, entry)
    assert (gone["state_name"], gone["says"]) == ("已撤回", "已撤回: 事实有误（W02）。")
    assert gone["title"] == f"【已撤回】2026年5月典型案例第{entry}件"
    is_problem(
        editor(town).post(f"{ISSUE}/withdraw", {"entry": entry, "code": "W02"}),
        409,
        "nothing-pending",
    )


def test_what_is_known_is_not_sent_again_until_it_changes(town: Town) -> None:
    entry = published(town, solved(town))
    town.forward(seconds=5)
    changed = ""
    for path in (f"/api/v1{ISSUE}", "/api/v1/typical-cases", "/feeds/typical-cases.atom",
                 "/feeds/typical-cases.json"):  # fmt: skip
        answer = get(town, path)
        assert answer.headers["Cache-Control"] == "public, no-cache", path
        tag, changed = answer.headers["ETag"], answer.headers["Last-Modified"]
        for headers in (
            {"If-None-Match": tag},
            {"If-None-Match": f'"x", W/{tag}'},
            {"If-Modified-Since": changed},
        ):
            same = get(town, path, **headers)
            assert (same.status_code, same.content) == (304, b""), f"{path} {headers}"
            assert same.headers["ETag"] == tag
        # The tag goes before the time, and nonsense is no time.
        both = {"If-None-Match": '"other"', "If-Modified-Since": changed}
        assert get(town, path, **both).status_code == 200
        assert get(town, path, **{"If-Modified-Since": "gestern"}).status_code == 200
    tag = get(town, f"/api/v1{ISSUE}").headers["ETag"]
    with town.clock.still():
        step(editor(town), "withdraw", {"entry": entry, "code": "W04"})
        changed_now = get(town, f"/api/v1{ISSUE}", **{"If-None-Match": tag})
    assert changed_now.status_code == 200 and changed_now.headers["ETag"] != tag
    assert "Last-Modified" not in changed_now.headers, "another change may share this second"
    town.forward(seconds=5)
    later = get(town, f"/api/v1{ISSUE}", **{"If-Modified-Since": changed})
    assert later.status_code == 200 and later.headers["Last-Modified"] != changed


# feeds -----------------------------------------------------------------------------------


def atom(town: Town, **query: str) -> feedparser.FeedParserDict:
    head = str(town.parts.casework.eventlog.head())
    answer = town.http.get("/feeds/typical-cases.atom", params={"after": head, **query})
    assert answer.headers["Content-Type"] == "application/atom+xml"
    read = feedparser.parse(io.BytesIO(answer.content), response_headers=dict(answer.headers))
    assert not read.bozo and read.version == "atom10"
    return read


def test_feedparser_reads_the_feed_with_its_pictures(press: Town) -> None:
    town = press
    case, before, after = with_photos(press)
    caption = "<b>单车</b> & 通道当天恢复。"
    entry = nominated(town, case, before=before, after=after, caption=caption)
    step(editor(town), "redact", {"entry": entry, "caption": caption})
    step(second_editor(town), "approve", {"entry": entry})
    step(editor(town), "publish")
    read = atom(town)
    assert read.feed.title == "海淀随手拍·典型案例" and read.feed.id.startswith("urn:uuid:")
    newest = read.entries[0]
    assert newest.title == "中关村街道·非机动车乱停放"
    assert newest.summary.startswith("<b>单车</b>") or "&lt;b&gt;" in newest.summary
    html = newest.content[0].value
    assert html.count("<img") == 2 and "整改后照片1" in html and "<b>" not in html
    assert {tag.term for tag in newest.tags} == {ZHONGGUANCUN, "P10"}
    assert tuple(newest.updated_parsed) >= tuple(newest.published_parsed)
    for link in read.feed.links:
        assert town.http.get(link.href).status_code == 200
    step(editor(town), "withdraw", {"entry": entry, "code": "W02"})
    again = atom(town).entries[0]
    assert again.id == newest.id and again.title.startswith("【已撤回】")
    assert "<img" not in again.content[0].value and again.updated >= newest.updated


def test_a_street_and_an_indicator_have_feeds_of_their_own(town: Town) -> None:
    entry = published(town, solved(town))
    for query, found in (
        ({"street": ZHONGGUANCUN}, True), ({"indicator": "P10"}, True),
        ({"street": ZHONGGUANCUN, "indicator": "P10"}, True),
        ({"street": BEIXIAGUAN}, False), ({"indicator": "P01"}, False),
    ):  # fmt: skip
        read = atom(town, **query)
        assert bool(read.entries) is found, query
        assert all(query["street"] in {t.term for t in e.get("tags", [])} or "【" in e.title
                   for e in read.entries if "street" in query)  # fmt: skip
    assert atom(town, street=ZHONGGUANCUN).feed.title == "海淀随手拍·典型案例·中关村街道"
    for query, there in (
        ({"street": ZHONGGUANCUN, "indicator": "P10"}, True),
        ({"street": BEIXIAGUAN}, False),
        ({"indicator": "P01"}, False),
    ):
        page = town.http.get(f"/api/v1{ISSUE}", params=query).json()
        assert (entry in {each["entry"] for each in page["entries"]}) is there, query
    ids = {atom(town, **query).feed.id for query in ({}, {"street": ZHONGGUANCUN})}
    assert len(ids) == 2
    for path in ("/feeds/typical-cases.atom", f"/api/v1{ISSUE}"):
        unknown = town.http.get(path, params={"street": "110108999"})
        assert "没有这个街镇" in str(is_problem(unknown, 422, "bad-parameter")["detail"])
    step(editor(town), "withdraw", {"entry": entry, "code": "W02"})
    titles = [e.title for e in atom(town, street=ZHONGGUANCUN).entries]
    assert f"【已撤回】2026年5月典型案例第{entry}件" in titles, "those who read this feed learn it"


def test_the_json_feed_says_the_same(town: Town) -> None:
    entry = published(town, solved(town))
    answer = get(town, "/feeds/typical-cases.json")
    assert answer.headers["Content-Type"] == "application/feed+json"
    told = answer.json()
    assert told["version"] == "https://jsonfeed.org/version/1.1"
    assert told["items"], "published above"
    read = {each.id: each for each in atom(town).entries}
    for item in told["items"]:
        assert {"id", "url", "title", "content_text", "date_published", "date_modified"} <= set(
            item
        )
        assert datetime.fromisoformat(item["date_modified"]).tzinfo is not None
        assert read[item["id"]].title == item["title"]
        gone = item["title"].startswith("【")
        assert town.http.get(item["url"]).status_code in ({200, 410} if gone else {200})
    step(editor(town), "withdraw", {"entry": entry, "code": "W02"})


def test_what_is_shown_is_on_the_map_service_too(press: Town) -> None:
    town = press
    case = solved(town)
    entry = published(town, case)
    shown(town, entry)
    base = "/ogc/collections/typical-cases/items"
    name = f"202605-{entry:02d}"
    found = town.http.get(f"{base}/{name}").json()
    assert found["properties"]["month"] == MAY and found["properties"]["caption"] == CAPTION
    lon, lat = found["geometry"]["coordinates"]
    box = {"bbox": f"{lon - 0.001},{lat - 0.001},{lon + 0.001},{lat + 0.001}"}
    for query, there in (
        ({}, True), (box, True), ({"bbox": "116.05,39.9,116.06,39.91"}, False),
        ({"datetime": "2026-05-20T00:00:00Z"}, True), ({"datetime": "2026-06-01/.."}, False),
        ({"datetime": "../2026-04-30"}, False),
    ):  # fmt: skip
        page = town.http.get(base, params=query).json()
        assert (name in {each["id"] for each in page["features"]}) is there, query
        assert case.number not in json.dumps(page)
    step(editor(town), "withdraw", {"entry": entry, "code": "W02"})
    shown(town, entry)
    is_problem(town.http.get(f"{base}/{name}"), 404, "no-feature")
