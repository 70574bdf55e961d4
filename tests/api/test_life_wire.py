"""What the wire itself promises: versions, keys, positions, and 4xx for whatever else is sent."""

import io
import json
import wave
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from casework.events import ReportSubmitted
from tests.api.client import (
    INSIDE,
    Body,
    Town,
    Tracked,
    is_problem,
    open_town,
    settings_for,
)
from tests.api.test_life_stories import BIKES, dispatched

REPORT: Body = {"place": INSIDE, "text": "单车太多。", "no_photo_reason": "no_camera"}


# keys ------------------------------------------------------------------------------------


def test_a_report_sent_again_under_its_key_is_one_case_with_one_answer(town: Town) -> None:
    resident, key = town.anonymous(), str(uuid4())
    first = resident.post("/reports", REPORT, key=key)
    again = resident.post("/reports", REPORT, key=key)
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert first.headers["ETag"] == again.headers["ETag"]


def test_twins_in_flight_get_the_same_answer(town: Town) -> None:
    resident, key = town.anonymous(), str(uuid4())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: resident.post("/reports", REPORT, key=key), range(16)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1


def test_an_action_sent_again_is_answered_as_before_though_the_case_went_on(town: Town) -> None:
    case, key = town.citizen("市民甲").report(), str(uuid4())
    path = f"/cases/{case.id}/claim"
    first = town.reviewer.post(path, {}, key=key, match=case.version)
    dispatched(town, Tracked(**{**vars(case), "version": first.json()["version"]}))
    again = town.reviewer.post(path, {}, key=key, match=case.version)
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()


def test_one_key_of_two_people_is_two_commands(town: Town) -> None:
    key = "my-key"
    one = town.citizen("市民甲").post("/reports", REPORT, key=key).json()
    two = town.citizen("市民乙").post("/reports", REPORT, key=key).json()
    assert one["case_id"] != two["case_id"] and one["receipt"] != two["receipt"]


@pytest.mark.parametrize("key", ["1", "a" * 36, "00000000-0000-0000-0000-000000000000"])
def test_without_an_account_the_key_is_a_random_uuid(town: Town, key: str) -> None:
    is_problem(town.anonymous().post("/reports", REPORT, key=key), 422, "missing")


def test_without_a_key_nothing_is_taken_in(town: Town) -> None:
    answer = town.http.post("/api/v1/reports", json=REPORT)
    assert is_problem(answer, 422, "invalid")["errors"]


def test_without_a_draft_no_stranger_uploads(town: Town) -> None:
    files = {"file": ("p.jpg", b"x", "image/jpeg")}
    is_problem(town.http.post("/api/v1/photos", files=files), 422, "draft-missing")


def test_a_recording_alone_is_a_report(town: Town) -> None:
    resident = town.anonymous()
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16_000))
    answer = town.http.post(
        "/api/v1/recordings",
        files={"file": ("a.wav", sound.getvalue(), "audio/wav")},
        headers={"Draft": str(resident.draft)},
    )
    assert answer.status_code == 201, answer.text
    case = resident.report(text=None, recording=answer.json()["upload"])
    assert town.holder(case.receipt).sees(case)["status"] == "submitted"


def test_a_photo_of_another_draft_cannot_be_cited(town: Town) -> None:
    photo = town.anonymous().photo()
    thief = town.anonymous()
    body = REPORT | {"photos": [photo]}
    is_problem(thief.post("/reports", body, key=thief.draft), 422, "missing")


# versions and positions ------------------------------------------------------------------


def test_a_lost_race_without_a_version_is_decided_again(town: Town) -> None:
    case = town.citizen("市民甲").report()
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(
                lambda n: town.citizen("市民甲").post(
                    f"/cases/{case.id}/add-information", {"text": f"第{n}次补充。"}
                ),
                range(4),
            )
        )
    assert [answer.status_code for answer in answers] == [200] * 4
    assert sorted(answer.json()["version"] for answer in answers) == list(range(2, 6))


def test_of_many_with_one_version_one_goes_through(town: Town) -> None:
    case = town.citizen("市民甲").report()
    with ThreadPoolExecutor(6) as pool:
        answers = list(
            pool.map(
                lambda _: town.reviewer.post(f"/cases/{case.id}/claim", {}, match=case.version),
                range(6),
            )
        )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 5


@pytest.mark.parametrize("match", ['"x"', "latest", '"-1"', '"' + "9" * 20 + '"'])
def test_an_if_match_that_is_no_version_is_refused(town: Town, match: str) -> None:
    case = town.citizen("市民甲").report()
    answer = town.reviewer.post(f"/cases/{case.id}/claim", {}, match=match)
    is_problem(answer, 422, "bad-version")


def test_what_was_written_is_read_at_its_position(town: Town) -> None:
    case = town.citizen("市民甲").report()
    page = town.reviewer.get("/cases", after=case.position, limit=5).json()
    assert page["as_of"] >= case.position
    assert case.id in {row["case_id"] for row in page["cases"]}


def test_a_position_beyond_the_log_is_refused(town: Town) -> None:
    beyond = town.parts.casework.eventlog.head() + 1_000_000
    is_problem(town.reviewer.get("/cases", after=beyond), 400, "beyond-head")


# what else is sent -----------------------------------------------------------------------

DEEP = b"[" * 100_000 + b"]" * 100_000
BASE = json.dumps(REPORT, ensure_ascii=True)

ODD: dict[str, bytes] = {
    "a NUL": BASE.replace("no_camera", "no_camera\\u0000").encode(),
    "a NUL in words": json.dumps(REPORT | {"text": "a\0b"}).encode(),
    "a lone surrogate": BASE.replace('"text": "', '"text": "\\ud800').encode(),
    "a lone surrogate as a name": BASE[:-1].encode() + b', "\\udfff": 1}',
    "NaN": BASE.replace("116.32367", "NaN").encode(),
    "minus infinity": BASE.replace("116.32367", "-Infinity").encode(),
    "1e999": BASE.replace("116.32367", "1e999").encode(),
    "a number of 5,000 digits": BASE.replace("116.32367", "9" * 5000).encode(),
    "a bidi override": json.dumps(REPORT | {"text": "好\u202egnp.exe"}).encode(),
    "a bidi isolate in a line": json.dumps(REPORT | {"contact": "139\u2066000000"}).encode(),
    "deep nesting": DEEP,
    "deep nesting inside": BASE.replace('"no_camera"', "[" * 9000 + "]" * 9000).encode(),
    "half a body": BASE[: len(BASE) // 2].encode(),
    "no JSON": b"\xff\xfe\x00",
    "broken UTF-8": BASE.replace("no_camera", "x").encode() + b"\xc3\x28",
    "a list": b"[]",
    "nothing": b"",
    "a text for a number": BASE.replace("116.32367", '"116.3"').encode(),
    "a truth value for a number": BASE.replace("116.32367", "true").encode(),
    "a name twice as another": json.dumps(REPORT | {"extra": 1}).encode(),
    "no words": json.dumps(REPORT | {"text": " \n\t "}).encode(),
    "too many words": json.dumps(REPORT | {"text": "字" * 2001}).encode(),
}


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_odd_bodies_are_refused_and_nothing_is_stored(town: Town, content: bytes) -> None:
    log = town.parts.casework.eventlog
    head = log.head()
    answer = town.anonymous().post("/reports", content=content)
    # 400 where no JSON could be read at all, 422 where what was read is not a report.
    known = {400: "http-400", 422: "invalid"}
    assert answer.status_code in known, f"{answer.status_code} {answer.text[:300]}"
    is_problem(answer, answer.status_code, known[answer.status_code])
    # What the clock and the examiners tell of other cases meanwhile is not of this report.
    assert not any(isinstance(each.event, ReportSubmitted) for each in log.since(head, 100))


def test_a_huge_body_is_refused(town: Town) -> None:
    answer = town.anonymous().post("/reports", content=b'{"text": "' + b"x" * 3_000_000 + b'"}')
    is_problem(answer, 413, "http-413")


def test_a_huge_body_in_chunks_is_refused(town: Town) -> None:
    answer = town.http.post(
        "/api/v1/reports",
        content=(b"x" * 65_536 for _ in range(40)),
        headers={"Content-Type": "application/json", "Idempotency-Key": str(uuid4())},
    )
    is_problem(answer, 413, "http-413")


@pytest.mark.parametrize(
    "path",
    [
        "/cases/%00",
        "/cases/%ED%A0%80",
        "/cases/..%2f..%2fetc%2fpasswd",
        "/cases/" + "9" * 400,
        "/cases?limit=999999999999999999999999",
        "/cases?after=-1",
        "/cases?after=99999999999999999999",
        "/cases?bbox=nan,nan,nan,nan",
        "/cases?bbox=1e999,1,2,3",
        "/cases?from=2026-01-01T00:00:00",
        "/cases?cursor=%00",
        "/cases?cursor=AAAA",
        "/cases?q=%00",
        "/cases?q=%E2%80%AE",
        "/cases?street=110108%27--",
        "/cases?status=nowhere",
        "/locate?lon=nan&lat=39.9&crs=wgs84",
        "/locate?lon=1e999&lat=39.9&crs=wgs84",
        "/status/%F0%9F%98%80",
        "/nowhere",
    ],
)
def test_odd_paths_and_queries_are_problems_of_the_asker(town: Town, path: str) -> None:
    answer = town.reviewer.get(path)
    assert 400 <= answer.status_code < 500, f"{answer.status_code}: {answer.text[:300]}"
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "said",
    ["Bearer", "Basic YTpi", "Bearer " + "x" * 9000, "Partner k.x", "Receipt x", "\x80"],
)
def test_credentials_that_nobody_holds_open_nothing(town: Town, said: str) -> None:
    case = town.citizen("市民甲").report()
    headers = {b"Authorization": said.encode("latin-1")}
    answer = town.http.get(f"/api/v1/cases/{case.id}", headers=headers)
    assert answer.status_code in {401, 404}, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_request_that_is_not_offered_is_a_problem_too(town: Town) -> None:
    answer = town.http.request("PATCH", "/api/v1/reports")
    assert is_problem(answer, 405, "http-405")


def test_a_danger_word_shortens_the_review_and_names_the_number(town: Town) -> None:
    answer = town.anonymous().post("/reports", REPORT | {"text": "井盖缺失，很危险。"})
    assert answer.status_code == 201
    assert answer.json()["warnings"]


# limits ----------------------------------------------------------------------------------


def test_reports_of_one_source_are_limited_also_after_a_restart(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    settings = settings_for(tmp_path_factory.mktemp("limited") / "var", report_limit="3/hour")
    with open_town(settings) as town:
        for _ in range(3):
            town.anonymous().report()
        answer = town.anonymous().post("/reports", REPORT)
        is_problem(answer, 429, "too-many-requests")
        wait = int(answer.headers["Retry-After"])
        assert 0 < wait <= 3600
        assert town.parts.casework.eventlog.head() > 0
    with open_town(settings) as town:
        is_problem(town.anonymous().post("/reports", REPORT), 429, "too-many-requests")
        town.partner("12345").report()  # another limit, another name
        town.forward(hours=2)
        town.anonymous().report()


def test_what_is_public_says_nothing_of_a_person(town: Town) -> None:
    case = town.anonymous().report(contact="13912345678", text="找王建国，电话13912345678。")
    dispatched(town, case)
    for answer in (
        town.anonymous().get(f"/status/{case.number}", after=case.position),
        town.holder(case.receipt).get(f"/cases/{case.id}", after=case.position),
        town.street().get(f"/cases/{case.id}", after=case.position),
    ):
        assert answer.status_code == 200
        assert "13912345678" not in answer.text
    assert town.reviewer.post(f"/cases/{case.id}/register", BIKES).status_code == 409
