"""Photos from the upload to the reviewer's desk: examined, shown, compared, covered, gone."""

import io
import time
import zlib
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import TypeVar
from uuid import UUID, uuid4

import httpx
import pytest
from PIL import Image

from api.accounts.audit import AuditFilter, page
from api.checking import appearance
from api.examining import stream_of
from casework.errors import Missing
from casework.evidence import EvidenceExamined
from casework.model import Role
from tests.api.client import (
    INSIDE,
    XUEYUANLU,
    ZHONGGUANCUN,
    Body,
    Caller,
    Town,
    Tracked,
    is_problem,
    open_town,
    settings_for,
)
from tests.evidence.scenes import scene
from tests.evidence.sounds import recording

PATIENCE = 60.0
SMALL = (480, 360)
T = TypeVar("T")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with open_town(settings_for(tmp_path_factory.mktemp("evidence") / "var")) as found:
        yield found


def until(look: Callable[[], T | None]) -> T:
    """What the look finds, as soon as it finds something."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = look()
        if found:
            return found
    raise AssertionError("it never came")


def jpeg(image: Image.Image, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=88, **options)
    return out.getvalue()


def upload(
    caller: Caller, content: bytes, *, case: Tracked | None = None, source: str = "camera"
) -> Body:
    answer = caller.town.http.post(
        "/api/v1/photos",
        files={"file": ("p.jpg", content, "image/jpeg")},
        params={"case": case.number} if case else {},
        headers=caller._headers(None, None),
    )
    assert answer.status_code == 201, answer.text
    return {"upload": answer.json()["upload"], "source": source}


def reported(caller: Caller, *sent: Body, **changes: object) -> Tracked:
    """A report with these photos."""
    body: Body = {"place": INSIDE, "text": "共享单车停得太满，推婴儿车过不去。"}
    if sent:
        body["photos"] = list(sent)
    else:
        body["no_photo_reason"] = "no_camera"
    answer = caller.post("/reports", body | changes, key=caller.draft)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    return Tracked(
        told["case_id"], told["case_number"], told["version"], told["position"],
        "submitted", told["receipt"],
    )  # fmt: skip


def photos(caller: Caller, case: Tracked) -> list[Body]:
    answer = caller.get(f"/cases/{case.id}/photos", after=case.position)
    assert answer.status_code == 200, answer.text
    found: list[Body] = answer.json()["photos"]
    return found


def examined(caller: Caller, case: Tracked, n: int = 1) -> list[Body]:
    """The photos of the case, once none is being looked at any more."""

    def look() -> list[Body] | None:
        found = photos(caller, case)
        done = len(found) == n and all(photo["state"] != "examining" for photo in found)
        return found if done else None

    return until(look)


def fetched(caller: Caller, photo: Body, kind: str) -> httpx.Response:
    file = photo[kind]
    assert isinstance(file, dict)
    return caller.get(str(file["url"]).removeprefix("/api/v1"))


def handed_over(town: Town, *sent: bytes, source: str = "camera", **report: object) -> Tracked:
    """A case that the 街镇 has handed over with these photos."""
    case = reported(town.citizen("市民甲"), **report)
    town.reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
    street = town.street()
    street.act(case, "acknowledge", "handling")
    hand_over(street, case, *sent, source=source)
    return case


def hand_over(street: Caller, case: Tracked, *sent: bytes, source: str = "camera") -> None:
    cited = [upload(street, content, source=source) for content in sent]
    street.act(case, "rectify", "rectified", outcome="rectified", words="已清理", photos=cited)


def findings(town: Town, case: Tracked, n: int = 1) -> list[Body]:
    """What was found on the newest hand-over's photos, once all of them are compared."""

    def look() -> list[Body] | None:
        found = photos(town.reviewer, case)[-n:]
        done = all(p["checked"] or p["state"] == "unreadable" for p in found)
        return found if done else None

    return [f for photo in until(look) for f in photo["findings"]]  # type: ignore[attr-defined]


# shown ---------------------------------------------------------------------------------------


def test_a_photo_is_being_looked_at_and_then_there_without_what_the_camera_wrote(
    town: Town,
) -> None:
    reporter = town.anonymous()
    tags = Image.Exif()
    tags[0x010E] = "canary of the camera"
    sent = jpeg(scene(1, SMALL), exif=tags.tobytes())
    photo = upload(reporter, sent)
    case = reported(reporter, photo)
    holder = town.holder(case.receipt)
    first = photos(holder, case)
    assert [p["upload"] for p in first] == [photo["upload"]]
    assert first[0]["state_name"] in {"检查中", "可查看"}
    (ready,) = examined(holder, case)
    assert ready["state_name"] == "可查看"
    for kind, side in (("thumbnail", 320), ("display", 1600)):
        answer = fetched(holder, ready, kind)
        assert answer.status_code == 200
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert "Set-Cookie" not in answer.headers
        shown = Image.open(io.BytesIO(answer.content))
        assert max(shown.size) <= side
        assert shown.size == (ready[kind]["width"], ready[kind]["height"])  # type: ignore[index]
        assert not shown.getexif() and b"canary" not in answer.content
        assert answer.content != sent
    seen = holder.sees(case)
    assert [p["upload"] for p in seen["photos"]] == [photo["upload"]]  # type: ignore[attr-defined]
    steps = holder.get(f"/cases/{case.id}/timeline").json()["steps"]
    assert steps[0]["photos"][0]["state"] == "ready"
    log = town.parts.settings.var / "log.db"
    assert b"canary of the camera" not in log.read_bytes() + Path(f"{log}-wal").read_bytes()


def test_a_picture_is_there_only_for_those_who_may_see_it(town: Town) -> None:
    reporter = town.citizen("市民甲")
    case = reported(reporter, upload(reporter, jpeg(scene(2, SMALL))))
    (photo,) = examined(reporter, case)
    town.reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
    for who in (reporter, town.reviewer, town.supervisor, town.street(), town.lead()):
        assert fetched(who, photo, "display").status_code == 200
    strangers = [
        town.citizen("市民乙"),
        town.street(XUEYUANLU),
        town.checker,
        town.staff("编辑甲", Role.EDITOR),
        town.staff("分析甲", Role.ANALYST),
        town.partner("网络问政"),
        town.holder(town.anonymous().report().receipt),
    ]
    absent = town.reviewer.get(f"/photos/{uuid4().hex}")
    for who in strangers:
        answer = fetched(who, photo, "display")
        is_problem(answer, 404, "unknown-file")
        assert answer.json() == absent.json(), "not yours and not there are one answer"
    is_problem(fetched(town.anonymous(), photo, "display"), 401, "unauthenticated")


def test_a_joiner_sees_their_own_photo_and_not_the_first_reporters(town: Town) -> None:
    first, joiner = town.citizen("市民甲"), town.citizen("市民丙")
    case = reported(first, upload(first, jpeg(scene(3, SMALL))))
    answer = joiner.post(
        f"/cases/{case.id}/join", {"photos": [upload(joiner, jpeg(scene(4, SMALL)))]}
    )
    assert answer.status_code == 200, answer.text
    case.position = answer.json()["position"]
    hers, his = examined(town.reviewer, case, 2)
    assert [p["upload"] for p in examined(joiner, case)] == [his["upload"]]
    assert [p["upload"] for p in examined(first, case)] == [hers["upload"]]
    is_problem(fetched(joiner, hers, "thumbnail"), 404, "unknown-file")


@pytest.mark.parametrize("name", ["cut", "bomb", "no picture at all", "two pictures"])
def test_a_broken_photo_is_refused_with_a_sentence_and_the_report_stands(
    town: Town, name: str
) -> None:
    whole = jpeg(scene(5, SMALL))
    many = io.BytesIO()
    scene(6, (160, 120)).save(
        many, "PNG", save_all=True, append_images=[scene(7, (160, 120))], duration=100
    )
    broken = {
        "cut": whole[: len(whole) // 2],
        "bomb": png_of(6000, 8000),
        "no picture at all": whole[:600] + b"\0" * 3000,
        "two pictures": many.getvalue(),
    }
    reporter = town.anonymous()
    case = reported(reporter, upload(reporter, broken[name]))
    holder = town.holder(case.receipt)
    (photo,) = examined(holder, case)
    assert photo["state"] == "unreadable" and photo["state_name"] == "无法使用"
    says = photo["says"]
    assert isinstance(says, str) and says.endswith("。")
    assert photo["display"] is None and photo["thumbnail"] is None
    assert holder.sees(case)["status"] == "submitted"


def png_of(width: int, height: int) -> bytes:
    """A header that promises many pixels, and nothing behind it."""
    head = b"IHDR" + width.to_bytes(4) + height.to_bytes(4) + b"\x08\x02\0\0\0"
    crc = zlib.crc32(head).to_bytes(4)
    data = zlib.compress(bytes(1000))
    body = b"IDAT" + data
    return (
        b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4) + head + crc
        + len(data).to_bytes(4) + body + zlib.crc32(body).to_bytes(4)
        + bytes(4) + b"IEND" + zlib.crc32(b"IEND").to_bytes(4)
    )  # fmt: skip


# compared --------------------------------------------------------------------------------------


def test_a_hand_over_with_the_reports_own_photo_is_found_and_must_be_named(town: Town) -> None:
    reporter, before = town.citizen("市民甲"), scene(11, SMALL)
    case = reported(reporter, upload(reporter, jpeg(before)))
    examined(reporter, case)
    town.reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
    street = town.street()
    street.act(case, "acknowledge", "handling")
    cropped = before.crop((20, 15, 465, 350))
    hand_over(street, case, jpeg(cropped), source="album")
    found = findings(town, case)
    kinds = {f["kind"]: f for f in found}
    assert set(kinds) == {"same_picture", "from_album"}
    assert "本案的反映照片" in str(kinds["same_picture"]["says"])
    seen = [f["id"] for f in found]
    for who, hidden in ((street, "findings"), (reporter, "findings")):
        assert all(not p[hidden] for p in photos(who, case))
    form = {"standard_met": True, "reply": "已清理，感谢反映。"}
    problem = town.reviewer.refused(case, "close", 409, "unseen-findings", **form)
    assert all(str(f["says"]) in str(problem["detail"]) for f in found)
    half = town.reviewer.refused(
        case, "order_rework", 409, "unseen-findings",
        code="R05", words="疑似旧照片", findings_seen=seen[:1],
    )  # fmt: skip
    assert str(seen[0]) not in str(half["detail"]) and str(seen[1]) in str(half["detail"])
    town.reviewer.act(
        case, "order_rework", "handling", code="R05", words="疑似旧照片", findings_seen=seen
    )
    hand_over(street, case, jpeg(scene(12, SMALL)))
    assert findings(town, case) == [], "another picture of the place, from the camera"
    town.reviewer.act(case, "close", "closed", **form)


def test_a_photo_used_for_another_case_is_found_exactly_and_nearly(town: Town) -> None:
    once = scene(13, SMALL)
    first = handed_over(town, jpeg(once))
    assert findings(town, first) == []
    tags = Image.Exif()
    tags[0x0132] = "2020:01:01 08:00:00"
    again = handed_over(town, jpeg(once, exif=tags.tobytes()), jpeg(once.resize((400, 300))))
    found = findings(town, again, 2)
    assert {f["kind"] for f in found} >= {"same_file", "same_picture"}
    assert all(first.number in str(f["says"]) for f in found if str(f["kind"]).startswith("same"))
    assert all(f["other_case"] == first.id for f in found if str(f["kind"]).startswith("same"))


def test_time_and_place_that_the_camera_wrote_speak_against_a_photo_and_stay_sealed(
    town: Town,
) -> None:
    tags = Image.Exif()
    tags[0x0110] = "canary phone"
    tags.get_ifd(0x8769)[0x9003] = "2026:01:05 08:00:00"
    tags.get_ifd(0x8825).update({1: "N", 2: (40.0, 3.0, 0.0), 3: "E", 4: (116.0, 19.0, 25.0)})
    case = handed_over(town, jpeg(scene(14, SMALL), exif=tags.tobytes()))
    found = {f["kind"]: str(f["says"]) for f in findings(town, case)}
    assert set(found) == {"before_dispatch", "far_away"}
    assert "派遣之前" in found["before_dispatch"] and "公里" in found["far_away"]
    log = town.parts.settings.var / "log.db"
    assert b"canary phone" not in log.read_bytes() + Path(f"{log}-wal").read_bytes()


def test_a_hand_over_that_nobody_can_read_goes_back_by_the_clock(town: Town) -> None:
    whole = jpeg(scene(15, SMALL))
    case = handed_over(town, whole[: len(whole) // 3], whole[:2000])
    assert town.status_in_the_end(case) == "handling"
    steps = town.street().get(f"/cases/{case.id}/timeline").json()["steps"]
    assert "无法读取" in steps[-1]["says"] and steps[-1]["by"] == "时钟"
    case.version = town.version_of(case)
    hand_over(town.street(), case, jpeg(scene(16, SMALL)), whole[:2000])
    assert findings(town, case, 2) == []
    assert town.reviewer.sees(case)["status"] == "rectified", "one can be read: a person looks"


def test_false_hand_overs_are_counted_by_street_and_month_and_lead_to_their_cases(
    town: Town,
) -> None:
    analyst = town.staff("分析甲", Role.ANALYST)

    def measured() -> tuple[int, int, Body]:
        told = analyst.get("/measures/false-rectification", month="2026-05", after=head(town))
        assert told.status_code == 200, told.text
        rows = [r for r in told.json()["rows"] if r["street"] == ZHONGGUANCUN]
        row = rows[0] if rows else {"numerator": 0, "denominator": 0}
        return row["numerator"], row["denominator"], told.json()

    false, all_, _ = measured()
    good, bad = handed_over(town, jpeg(scene(17, SMALL))), handed_over(town, jpeg(scene(18, SMALL)))
    for case in (good, bad):
        assert findings(town, case) == []
    town.reviewer.act(good, "close", "closed", standard_met=True, reply="已清理。")
    town.reviewer.act(bad, "order_rework", "handling", code="R05", words="现场仍堆放")
    after_false, after_all, told = measured()
    assert (after_false - false, after_all - all_) == (1, 2)
    newest = told["cases"][0]  # type: ignore[index]
    assert (newest["number"], newest["code"], newest["round"]) == (bad.number, "R05", 1)
    assert "分母" in str(told["formula"])


def head(town: Town) -> int:
    return town.parts.casework.eventlog.head()


# similar ---------------------------------------------------------------------------------------


def test_the_same_problem_is_proposed_to_citizen_and_reviewer_with_reasons(town: Town) -> None:
    spot = {**INSIDE, "lon": 116.3101, "lat": 39.9901}
    seen = scene(21, SMALL)
    first = reported(town.citizen("市民甲"), upload(town.citizen("市民甲"), jpeg(seen)), place=spot)
    other = town.citizen("市民丁")
    near = {**spot, "lon": 116.3102}

    def proposed(**more: object) -> list[Body]:
        answer = other.post("/reports/similar", {"place": near, "indicator": "P10", **more})
        assert answer.status_code == 200, answer.text
        found: list[Body] = answer.json()
        return found

    examined(town.reviewer, first)
    assert proposed() == [], "what no reviewer has looked at is told to nobody"
    town.reviewer.act(first, "register", "dispatched", indicator="P10", condition="P10-2")
    (told,) = until(lambda: proposed() or None)
    assert told["number"] == first.number and told["case_id"] is None
    assert told["distance_m"] == 50 and told["submitted_at"] is None
    assert any("同为" in reason for reason in told["because"])  # type: ignore[attr-defined]
    assert "照片几乎相同" not in str(told["because"])
    mine = upload(other, jpeg(seen.crop((15, 15, 470, 350))))
    by_picture = until(lambda: [p for p in proposed(photos=[mine]) if "照片" in str(p["because"])])
    assert by_picture[0]["number"] == first.number
    joined = other.post(f"/cases/{first.number}/join", {"photos": [mine]})
    assert joined.status_code == 200
    second = reported(town.citizen("市民戊"), place=near, indicator="P10")
    answer = town.reviewer.get(f"/cases/{second.id}/similar", after=second.position)
    (pair,) = answer.json()
    assert pair["case_id"] == first.id and pair["score"] >= 0.6
    town.reviewer.act(second, "merge", "merged", primary=first.id)
    assert town.citizen("市民戊").get(f"/cases/{second.id}").status_code == 200
    is_problem(town.street().get(f"/cases/{first.id}/similar"), 403, "not-permitted")


# covered ---------------------------------------------------------------------------------------


def closed_with(town: Town, content: bytes, **report: object) -> tuple[Tracked, Body, str]:
    """A closed case with this reporter's photo; the photo, and where it is worked on."""
    reporter = town.citizen("市民甲")
    photo = upload(reporter, content)
    case = reported(reporter, photo, **report)
    town.reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
    town.street().act(case, "acknowledge", "handling")
    hand_over(town.street(), case, jpeg(scene(case.position, SMALL)))
    assert findings(town, case) == []
    town.reviewer.act(case, "close", "closed", standard_met=True, reply="已清理。")
    return case, photo, f"/cases/{case.id}/photos/{photo['upload']}"


def may_be_published(town: Town, case: Tracked, photo: Body) -> bool:
    """What the monthly issue asks, once the views have read the log to its end."""
    until(lambda: town.parts.feed._has_seen(head(town)))
    try:
        file = town.parts.redacting.publishable(UUID(case.id), UUID(str(photo["upload"])))
    except Missing:
        return False
    return file.kind == "redacted"


WHITE = jpeg(Image.new("RGB", (800, 600), (250, 250, 250)))
BOX = {"left": 0.25, "top": 0.25, "right": 0.5, "bottom": 0.5}


def test_what_an_editor_covers_is_filled_on_a_picture_of_its_own(town: Town) -> None:
    case, photo, path = closed_with(town, WHITE)
    editor = town.staff("编辑甲", Role.EDITOR)
    proposed = editor.get(f"{path}/boxes").json()
    assert isinstance(proposed["says"], str) and proposed["width"] == 800
    for boxes, looked in (([{**BOX, "right": 0.2}], True), ([BOX], False)):
        refused = editor.post(f"{path}/redact", {"boxes": boxes, "looked": looked})
        is_problem(refused, 422, "missing")
    key = str(uuid4())
    made = editor.post(f"{path}/redact", {"boxes": [BOX], "looked": True}, key=key)
    assert made.status_code == 201, made.text
    again = editor.post(f"{path}/redact", {"boxes": [BOX], "looked": True}, key=key)
    assert again.json() == made.json(), "sent again"
    other = editor.post(f"{path}/redact", {"boxes": [], "looked": True}, key=key)
    is_problem(other, 422, "key-reused")
    url = made.json()["picture"]["url"].removeprefix("/api/v1")
    covered = Image.open(io.BytesIO(until(lambda: fetched_at(editor, url))))
    assert covered.size == (800, 600)
    inside, outside = covered.getpixel((300, 225)), covered.getpixel((500, 400))
    assert max(inside) < 40 and min(outside) > 230  # type: ignore[arg-type]
    (row,) = [p for p in photos(editor, case) if p["upload"] == photo["upload"]]
    whole = Image.open(io.BytesIO(fetched(editor, row, "display").content))
    assert min(whole.getpixel((300, 225))) > 230, "the other one is as it was"  # type: ignore[arg-type]
    assert fetched(town.staff("分析甲", Role.ANALYST), row, "redacted").status_code == 200
    is_problem(fetched(town.citizen("市民甲"), row, "redacted"), 404, "unknown-file")


def fetched_at(caller: Caller, path: str) -> bytes | None:
    answer = caller.get(path)
    return answer.content if answer.status_code == 200 else None


def test_only_what_a_second_person_has_looked_at_may_be_published(town: Town) -> None:
    case, photo, path = closed_with(town, WHITE, consents={"publication": True})
    editor, second = town.staff("编辑甲", Role.EDITOR), town.staff("编辑乙", Role.EDITOR)
    confirm, nothing = {"number": 1, "looked": True}, {"boxes": [], "looked": True}
    assert not may_be_published(town, case, photo)
    editor.post(f"{path}/redact", nothing).raise_for_status()
    assert not may_be_published(town, case, photo)
    is_problem(editor.post(f"{path}/confirm-redaction", confirm), 403, "conflict-of-interest")
    unseen = {"number": 1, "looked": False}
    is_problem(second.post(f"{path}/confirm-redaction", unseen), 422, "missing")
    key = str(uuid4())
    confirmed = second.post(f"{path}/confirm-redaction", confirm, key=key)
    assert confirmed.status_code == 200, confirmed.text
    again = second.post(f"{path}/confirm-redaction", confirm, key=key)
    assert again.json() == confirmed.json(), "sent again, though by now it would be refused"
    wanted = AuditFilter(action="cases.confirm_redaction", target=f"case/{case.id}")
    rows = page(town.parts.desk, wanted)
    assert sorted(row.entry.outcome for row in rows) == ["done", "refused", "refused"]
    assert confirmed.json()["confirmed_by"] == str(second.account)
    assert may_be_published(town, case, photo)
    assert editor.post(f"{path}/redact", nothing).json()["number"] == 2
    assert not may_be_published(town, case, photo), "covered anew, to be looked at anew"
    is_problem(second.post(f"{path}/confirm-redaction", confirm), 409, "nothing-pending")
    (row,) = [p for p in photos(editor, case) if p["upload"] == photo["upload"]]
    told = [(r["redacted_by"], r["confirmed_by"]) for r in row["redactions"]]  # type: ignore[attr-defined]
    assert told == [(str(editor.account), str(second.account)), (str(editor.account), None)]


def test_a_reporters_photo_without_consent_is_never_publishable(town: Town) -> None:
    case, photo, path = closed_with(town, WHITE)
    editor = town.staff("编辑甲", Role.EDITOR)
    editor.post(f"{path}/redact", {"boxes": [], "looked": True}).raise_for_status()
    form = {"number": 1, "looked": True}
    town.reviewer.post(f"{path}/confirm-redaction", form).raise_for_status()
    assert not may_be_published(town, case, photo)
    with pytest.raises(Missing, match="没有同意公开"):
        town.parts.redacting.publishable(UUID(case.id), UUID(str(photo["upload"])))


# heard -----------------------------------------------------------------------------------------


def say(caller: Caller, content: bytes) -> httpx.Response:
    return caller.town.http.post(
        "/api/v1/recordings",
        files={"file": ("r", content, "audio/wav")},
        headers=caller._headers(None, None),
    )


def test_a_recording_is_kept_played_to_those_who_may_and_every_listening_is_on_record(
    town: Town,
) -> None:
    reporter = town.citizen("市民甲")
    sound = recording("wav", 2.0)
    taken = say(reporter, sound)
    assert taken.status_code == 201, taken.text
    case = reported(reporter, recording=taken.json()["upload"])
    (heard,) = examined(reporter, case)
    assert heard["kind"] == "recording" and heard["seconds"] == 2.0
    path = str(heard["recording"]).removeprefix("/api/v1")
    for who, rows in ((reporter, 0), (town.reviewer, 1)):
        before = listened(town, case)
        answer = who.get(path)
        assert answer.status_code == 200 and answer.content == sound
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert listened(town, case) - before == rows
    for who in (town.citizen("市民乙"), town.street(XUEYUANLU), town.street()):
        is_problem(who.get(path), 404, "unknown-file")


def listened(town: Town, case: Tracked) -> int:
    wanted = AuditFilter(action="listen", target=f"case/{case.id}")
    return len(page(town.parts.desk, wanted, 100))


def test_a_recording_too_long_or_none_is_refused_in_words(town: Town) -> None:
    reporter = town.citizen("市民甲")
    is_problem(say(reporter, recording("wav", 75.0)), 422, "recording-too-long")
    is_problem(say(reporter, jpeg(scene(41, (64, 48)))), 422, "not-a-recording")
    is_problem(say(reporter, b"RIFF" + bytes(200)), 422, "not-a-recording")


# gone ------------------------------------------------------------------------------------------


def fact_of(town: Town, upload_id: UUID) -> EvidenceExamined:
    (told,) = town.parts.casework.eventlog.history(stream_of(upload_id))
    assert isinstance(told.event, EvidenceExamined)
    return told.event


def test_what_a_picture_looks_like_is_sealed_in_the_log_and_in_the_queue(town: Town) -> None:
    reporter = town.anonymous()
    sent = jpeg(scene(53, SMALL))
    photo = upload(reporter, sent)
    case = reported(reporter, photo)
    examined(town.holder(case.receipt), case)
    fact = fact_of(town, UUID(str(photo["upload"])))
    looks = appearance(fact, town.parts.sealer)
    assert looks is not None and looks.content == sha256(sent).hexdigest() and looks.parts
    var = town.parts.settings.var
    kept = b"".join(path.read_bytes() for name in ("log", "desk") for path in var.glob(f"{name}.*"))
    assert fact.sha256.encode() in kept, "the name of the sealed file is in the clear"
    assert str(looks.phash).encode() not in kept
    assert looks.content.encode() not in kept and looks.pixels.encode() not in kept


def test_an_erased_persons_pictures_are_gone_with_all_that_was_made_of_them(town: Town) -> None:
    reporter = town.citizen("市民要删")
    sent = [upload(reporter, jpeg(scene(51, SMALL))), upload(reporter, jpeg(scene(52, SMALL)))]
    case = reported(reporter, *sent)
    ready = examined(reporter, case, 2)
    uploads = [UUID(str(photo["upload"])) for photo in sent]
    names = [n for u in uploads for n in town.parts.uploads.derived(u)]
    assert len(names) == 4 and all(town.parts.blobs.exists(name) for name in names)
    answer = reporter.post("/persons/me/erase", {})
    assert answer.status_code < 300, answer.text
    until(lambda: not any(town.parts.blobs.exists(name) for name in names))
    until(lambda: town.parts.feed._has_seen(head(town)))
    assert photos(town.reviewer, case) == []
    is_problem(fetched(town.reviewer, ready[0], "display"), 404, "unknown-file")
    health = town.parts.collecting.check()
    assert not health.missing and not health.damaged
    for one in uploads:
        fact = fact_of(town, one)
        assert appearance(fact, town.parts.sealer) is None, "nor do the numbers of it open"
