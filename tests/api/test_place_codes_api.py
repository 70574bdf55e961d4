"""Place codes over HTTP: issued, printed, scanned, counted, withdrawn."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from api.place_codes import DIGITS, Scanners, Signer, _number, code_stream
from api.schemas import ReportIn
from api.small_streams import Asked
from casework.log.port import Write
from casework.model import Actor, ActorKind, Assignment, Certainty, Role
from casework.place_code import IssueCode, PlaceCodeIssued
from projections.place_code_scans import PlaceCodeScans
from projections.process import sqlite_ledgers
from tests.api.client import (
    BEIXIAGUAN,
    INSIDE,
    OUTSIDE,
    ZHONGGUANCUN,
    Body,
    Caller,
    Town,
    is_problem,
    open_town,
    settings_for,
)
from tests.miniprogram.node import mini_program

REVIEWER = Actor(ActorKind.STAFF, "审核丙", roles=(Role.REVIEWER,))
WHERE: Body = {
    "lon": INSIDE["lon"],
    "lat": INSIDE["lat"],
    "crs": "wgs84",
    "kind": "square",
    "name": "中关村广场<东北角>",
    "indicator": "P10",
}


def issued(by: Caller, **changes: object) -> Body:
    answer = by.post("/place-codes", WHERE | changes)
    assert answer.status_code == 201, answer.text
    told: Body = answer.json()
    return told


def scan(town: Town, code: object) -> httpx.Response:
    """From a phone: no credentials, no redirects followed."""
    return town.http.get(f"/q/{code}", headers={})


def test_a_code_leads_to_its_place_and_fills_in_a_report(town: Town) -> None:
    code = issued(town.reviewer)
    assert len(str(code["code"])) == 18
    assert str(code["link"]).endswith(f"/q/{code['code']}")
    assert (code["street"], code["street_name"]) == (ZHONGGUANCUN, "中关村街道")
    told = town.anonymous().get(f"/place-codes/{code['code']}/place").json()
    assert told["name"] == WHERE["name"] and told["street_name"] == "中关村街道"
    report = ReportIn.model_validate(told["report"] | {"text": "单车倒了一片。"})
    assert (report.place.lon, report.place.lat) == (INSIDE["lon"], INSIDE["lat"])
    taken = town.anonymous().report(**told["report"])
    assert taken.status == "submitted"


def test_without_a_report_page_a_scan_shows_a_chinese_page_without_script(tmp_path: Path) -> None:
    with open_town(settings_for(tmp_path / "var", report_page="")) as town:
        code = issued(town.reviewer)
        page = scan(town, str(code["code"]).lower())
    assert page.status_code == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "您在：中关村广场&lt;东北角&gt;" in page.text and "中关村街道" in page.text
    assert str(code["code"]) in page.text and "12345" in page.text
    assert "<script" not in page.text


def test_a_position_in_another_system_is_turned_and_kept(town: Town) -> None:
    code = issued(town.reviewer, crs="gcj02", lon=116.32982, lat=39.98344)
    assert code["lon"] == pytest.approx(116.32367, abs=2e-4)
    assert code["street"] == ZHONGGUANCUN
    number = str(code["code"])[:8]
    log = town.parts.casework.eventlog
    history = log.history(code_stream(number))
    assert isinstance(history[0].event, PlaceCodeIssued)
    assert history[0].event.place.source_lon == 116.32982


def test_a_street_issues_sees_and_withdraws_only_at_home(town: Town) -> None:
    home, elsewhere = town.street(), town.street(BEIXIAGUAN)
    code = issued(home, name="本街道的牌子")["code"]
    is_problem(elsewhere.post("/place-codes", WHERE), 403, "not-permitted")
    is_problem(
        elsewhere.post(f"/place-codes/{code}/revoke", {"reason": "越权"}), 403, "not-permitted"
    )
    is_problem(elsewhere.get(f"/place-codes/{code}/qr.svg"), 404, "not-there")
    is_problem(elsewhere.get(f"/place-codes/{code}/scans"), 404, "not-there")
    theirs = elsewhere.get("/place-codes", street=ZHONGGUANCUN, limit=200).json()["codes"]
    assert all(each["street"] == BEIXIAGUAN for each in theirs)
    own = home.get("/place-codes", limit=200).json()["codes"]
    assert code in {each["code"] for each in own}
    assert {each["street"] for each in own} == {ZHONGGUANCUN}
    is_problem(town.checker.post("/place-codes", WHERE), 403, "not-permitted")
    is_problem(town.anonymous().post("/place-codes", WHERE), 401, "unauthenticated")


def test_the_list_goes_on_page_by_page_in_the_order_of_issue(town: Town) -> None:
    codes = [issued(town.reviewer, name=f"牌子{n}")["code"] for n in range(3)]
    seen, after = [], 0
    while True:
        page = town.reviewer.get("/place-codes", after=after, limit=2).json()
        seen += [each["code"] for each in page["codes"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert len(seen) == len(set(seen))
    assert [code for code in seen if code in codes] == codes


@pytest.mark.parametrize(
    ("changes", "status", "kind"),
    [
        ({"lon": OUTSIDE["lon"], "lat": OUTSIDE["lat"]}, 422, "outside-district"),
        ({"kind": "indoor"}, 422, "out-of-scope"),
        ({"indicator": "Z99"}, 422, "not-in-catalogue"),
        ({"name": ""}, 422, "invalid"),
        ({"crs": None}, 422, "invalid"),
    ],
)
def test_a_place_that_takes_no_reports_gets_no_code(
    town: Town, changes: Body, status: int, kind: str
) -> None:
    is_problem(town.reviewer.post("/place-codes", WHERE | changes), status, kind)


def test_the_same_request_is_one_code_and_another_body_is_refused(town: Town) -> None:
    key = str(uuid4())
    first = town.reviewer.post("/place-codes", WHERE, key=key)
    again = town.reviewer.post("/place-codes", WHERE, key=key)
    assert first.json()["code"] == again.json()["code"]
    other = town.reviewer.post("/place-codes", WHERE | {"name": "别处的牌子"}, key=key)
    is_problem(other, 422, "key-reused")


def test_what_is_revoked_is_gone_for_good(town: Town) -> None:
    code = issued(town.reviewer)["code"]
    key = str(uuid4())
    for _ in range(2):
        done = town.reviewer.post(f"/place-codes/{code}/revoke", {"reason": "牌子已拆除"}, key=key)
        assert done.status_code == 200 and done.json()["revoked_because"] == "牌子已拆除"
    page = scan(town, code)
    assert page.status_code == 410 and "已停用" in page.text and "12345" in page.text
    problem = town.anonymous().get(f"/place-codes/{code}/place")
    is_problem(problem, 410, "place-code-revoked")
    again = town.reviewer.post(f"/place-codes/{code}/revoke", {"reason": "再停一次"})
    is_problem(again, 409, "nothing-pending")


def test_a_code_that_nobody_signed_leads_nowhere(town: Town) -> None:
    code = str(issued(town.reviewer)["code"])
    forged = code[:-1] + DIGITS[(DIGITS.index(code[-1]) + 1) % 32]
    is_problem(town.anonymous().get(f"/place-codes/{forged}/place"), 404, "not-there")
    assert scan(town, forged).status_code == 404
    unknown = town.parts.place_codes._signer.code_of("00000000")
    assert scan(town, unknown).status_code == 404, "signed, but never issued"


def test_the_picture_is_an_image_of_the_link(town: Town) -> None:
    code = issued(town.reviewer)["code"]
    svg = town.reviewer.get(f"/place-codes/{code}/qr.svg")
    assert svg.headers["Content-Type"].startswith("image/svg+xml") and b"<svg" in svg.content
    png = town.reviewer.get(f"/place-codes/{code}/qr.png")
    with Image.open(io.BytesIO(png.content)) as image:
        assert image.format == "PNG" and image.width == image.height
        assert image.width % 8 == 0 and (image.width // 8 - 8) % 4 == 1, "modules of a QR code"


def test_scans_are_counted_once_an_hour_for_each_phone_and_day_by_day(town: Town) -> None:
    code = issued(town.reviewer)["code"]
    with town.clock.still():  # no hour begins meanwhile
        for _ in range(3):
            assert scan(town, code).status_code == 302
        town.anonymous().get(f"/place-codes/{code}/place")
    told = town.reviewer.get(f"/place-codes/{code}/scans").json()
    assert told["total"] == 1
    town.forward(hours=1)
    scan(town, code)
    told = town.reviewer.get(f"/place-codes/{code}/scans").json()
    assert told["total"] == 2 and sum(day["scans"] for day in told["days"]) == 2
    listed = town.reviewer.get("/place-codes", limit=200).json()["codes"]
    assert next(each["scans"] for each in listed if each["code"] == code) == 2
    backwards = town.reviewer.get(
        f"/place-codes/{code}/scans", first="2026-05-12", last="2026-05-11"
    )
    is_problem(backwards, 422, "missing")
    seconds = town.reviewer.get(f"/place-codes/{code}/scans", last="0")
    is_problem(seconds, 422, "invalid")


def test_issue_and_withdrawal_leave_audit_rows_and_so_do_refusals(town: Town) -> None:
    code = str(issued(town.reviewer)["code"])
    town.reviewer.post(f"/place-codes/{code}/revoke", {"reason": "牌子已拆除"})
    auditor = town.staff("审计甲", Role.AUDITOR)
    rows = auditor.get("/audit", limit=50).json()["rows"]
    done = [row["action"] for row in rows if row["target"] == f"place-code/{code[:8]}"]
    assert sorted(done) == ["place_codes.issue", "place_codes.revoke"]
    town.street(BEIXIAGUAN).post("/place-codes", WHERE)
    assert town.refusals()[0].entry.action == "place_codes.issue"


@pytest.fixture
def with_page(tmp_path: Path) -> Iterator[Town]:
    settings = settings_for(
        tmp_path / "var",
        public_url="https://ssp.haidian.test",
        report_page="https://ssp.haidian.test/report?from=qr",
    )
    with open_town(settings) as found:
        yield found


def test_with_a_report_page_a_scan_goes_there_with_the_place(
    with_page: Town,
) -> None:
    code = issued(with_page.reviewer)
    assert code["link"] == f"https://ssp.haidian.test/q/{code['code']}"
    answer = scan(with_page, code["code"])
    assert answer.status_code == 302
    target = httpx.URL(answer.headers["Location"])
    assert (target.host, target.path) == ("ssp.haidian.test", "/report")
    assert dict(target.params) == {
        "from": "qr",
        "place_code": code["code"],
        "lon": "116.32367",
        "lat": "39.98207",
        "crs": "wgs84",
        "kind": "square",
        "address": WHERE["name"],
        "indicator": "P10",
    }

    # The mini-program scans the same link; what it says of the phone is not lost on the way.
    opened = httpx.URL(mini_program("scan.cjs", str(code["link"])))
    answer = with_page.http.get(opened.raw_path.decode(), headers={})
    said = httpx.URL(answer.headers["Location"]).params
    assert dict(said) == {**target.params, "channel": "miniprogram", "elder": "1", "scale": "1.25"}

    bent = {"elder": "2", "scale": "9", "channel": "<b>", "next": "//elsewhere.example"}
    answer = with_page.http.get(f"/q/{code['code']}", params=bent, headers={})
    assert httpx.URL(answer.headers["Location"]) == target, "nothing else is carried"


def test_codes_and_counts_are_there_after_a_restart(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "var")
    with open_town(settings) as town:
        code = issued(town.reviewer)["code"]
        scan(town, code)
    with open_town(settings) as town:
        assert scan(town, code).status_code == 302
        told = town.staff("督办丙", Role.SUPERVISOR).get(f"/place-codes/{code}/scans").json()
        assert told["total"] == 2, "who scanned is not known beyond a restart"


# small parts -----------------------------------------------------------------------------

NOON = datetime(2026, 5, 11, 4, 59, tzinfo=UTC)


def test_a_code_is_read_however_it_is_typed_and_only_under_its_key() -> None:
    signer = Signer(b"k" * 32)
    code = signer.code_of("0123ABCD")
    assert len(code) == 18 and set(code) <= set(DIGITS)
    typed = f"{code[:6]}-{code[6:12]} {code[12:]}".lower().replace("1", "l").replace("0", "o")
    assert signer.number_of(typed) == "0123ABCD"
    assert Signer(b"j" * 32).number_of(code) is None
    for wrong in ("", code[:-1], code + "0", "U" * 18, "é" * 18):
        assert signer.number_of(wrong) is None


def test_a_scanner_is_known_within_the_hour_of_the_clock_only() -> None:
    scanners = Scanners()
    assert scanners.is_new("A", "phone", NOON)
    assert not scanners.is_new("A", "phone", NOON + timedelta(seconds=59))
    assert scanners.is_new("B", "phone", NOON) and scanners.is_new("A", "other", NOON)
    assert scanners.is_new("A", "phone", NOON + timedelta(minutes=1)), "the next hour"


def test_a_flood_of_scanners_is_not_counted_and_not_kept() -> None:
    scanners = Scanners(most=2)
    assert [scanners.is_new("A", str(n), NOON) for n in range(4)] == [True, True, False, False]


def test_scans_add_up_by_day(tmp_path: Path) -> None:
    engine = sqlite_ledgers(tmp_path / "ledgers.db")
    scans = PlaceCodeScans(engine)
    scans.prepare()
    day = NOON.date()
    for code, when in (("A", day), ("A", day), ("A", day + timedelta(days=1)), ("B", day)):
        scans.add(code, when)
    assert scans.days("A", day, day) == [(day, 2)]
    assert scans.days("A", day, day + timedelta(days=9)) == [(day, 2), (day + timedelta(days=1), 1)]
    assert scans.totals(["A", "B", "C"]) == {"A": 3, "B": 1}
    engine.dispose()


def test_a_number_that_is_taken_gives_way_to_the_next(town: Town) -> None:
    codes, command, at = town.parts.place_codes, uuid4(), town.clock()
    known = codes.find(str(issued(town.reviewer)["code"]))
    assert known is not None
    verdict = Assignment(
        street=known.held.street, certainty=Certainty.INSIDE, because="在界内", boundary_version=1
    )
    wanted = IssueCode(place=known.held.place, assignment=verdict, name="后来的")
    taken = PlaceCodeIssued(
        place=known.held.place, street=known.held.street, boundary_version=1, name="先来的"
    )
    town.parts.casework.eventlog.append(
        [Write(code_stream(_number(command, 0)), 0, (taken,), at)], uuid4(), REVIEWER
    )
    asked = Asked(by=REVIEWER, at=at, command_id=command, fingerprint=b"f")
    made = codes.issue(wanted, asked)
    assert (made.number, made.held.name) == (_number(command, 1), "后来的")
    assert codes.issue(wanted, asked) == made
