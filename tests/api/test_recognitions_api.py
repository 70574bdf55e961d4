"""类别推荐 over HTTP: proposals, doors, tickets, what is near, and how good it was."""

from datetime import timedelta

import pytest

from tests.api.client import INSIDE, OUTSIDE, Town, is_problem

BIKES = "地铁口共享单车堆成山，人都过不去"
LAT = 39.98207
SPOT = {"lon": 116.33011, "lat": LAT, "crs": "wgs84"}


def test_it_proposes_three_with_reasons_and_always_none_of_these(town: Town) -> None:
    answer = town.anonymous().post("/recognitions", {"text": BIKES, "place_kind": "metro_exit"})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert next(p["indicator"] for p in told["proposals"]) == "P10"
    assert len(told["proposals"]) == 3 and told["none_of_these"] == "以上都不是"
    assert told["preselected"] == "P10" and told["proposals"][0]["confidence"] > 0.65
    assert "“单车”" in told["proposals"][0]["because"]
    assert not told["out_of_scope"]["flagged"] and told["out_of_scope"]["door"] is None
    (model,) = told["models"]
    assert model["name"] == "text" and len(model["version"]) == 16


def test_a_matter_elsewhere_gets_its_door_and_nothing_preselected(town: Town) -> None:
    told = town.anonymous().post("/recognitions", {"text": "我家楼道里堆满了邻居的纸箱子"}).json()
    assert told["out_of_scope"]["flagged"] and told["preselected"] is None
    door = told["out_of_scope"]["door"]
    assert "物业" in door["door"] and door["number"] == "12345"
    assert len(told["proposals"]) == 3  # a person may know better
    noise = town.anonymous().post("/recognitions", {"text": "夜里施工噪音太大"}).json()
    assert noise["out_of_scope"]["flagged"]


def test_danger_is_told_first(town: Town) -> None:
    told = town.anonymous().post("/recognitions", {"text": "井盖没了，差点掉下去"}).json()
    assert [door["number"] for door in told["dangers"]] == ["110"]


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({}, "请写几句话"),
        ({"text": ""}, ""),
        ({"text": "字" * 2001}, ""),
        ({"text": "车", "photos": ["0b6f0c1e-6a53-4a62-9f2e-6c3a5c1c8d11"]}, "重新上传"),
        ({"text": "车", "place_kind": "moon"}, ""),
        ({"text": "车", "place": {"lon": 500, "lat": 1, "crs": "wgs84"}}, ""),
        ({"text": "车", "more": 1}, ""),
    ],
)
def test_what_cannot_be_asked_is_told_in_chinese(
    town: Town, form: dict[str, object], says: str
) -> None:
    answer = town.anonymous().post("/recognitions", form)
    kind = "missing" if says else "invalid"
    assert says in str(is_problem(answer, 422, kind)["detail"])


def test_a_photo_is_read_by_whoever_uploaded_it_alone(town: Town) -> None:
    one, other = town.anonymous(), town.anonymous()
    photo = one.photo()["upload"]
    mine = one.post("/recognitions", {"text": BIKES, "photos": [photo]})
    assert mine.status_code == 200, mine.text
    is_problem(other.post("/recognitions", {"text": BIKES, "photos": [photo]}), 422, "missing")
    nobody = town.http.post("/api/v1/recognitions", json={"photos": [photo]})
    is_problem(nobody, 422, "draft-missing")
    wrong = one.post("/recognitions", {"text": BIKES, "recording": photo})
    assert "不是录音" in str(is_problem(wrong, 422, "missing")["detail"])


def test_a_place_brings_what_is_open_nearby(town: Town) -> None:
    """Reviewed and of a proposed kind: nobody else's unreviewed report is told."""
    here = {**INSIDE, **SPOT}
    case = town.anonymous().report(place=here, text=BIKES)
    ask = {"text": BIKES, "place": SPOT}
    assert town.anonymous().post("/recognitions", ask).json()["alike"] == []
    town.reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
    town.reviewer.sees(case)
    (alike,) = town.anonymous().post("/recognitions", ask).json()["alike"]
    assert alike["number"] == case.number and alike["indicator_name"] == "非机动车乱停放"
    assert alike["status_name"] == "待签收"
    far = {"text": BIKES, "place": {**SPOT, "lat": LAT + 0.004}}
    assert town.anonymous().post("/recognitions", far).json()["alike"] == []
    away = {"text": BIKES, "place": {key: OUTSIDE[key] for key in ("lon", "lat", "crs")}}
    assert town.anonymous().post("/recognitions", away).json()["alike"] == []
    other = {"text": "河面上漂着塑料瓶", "place": SPOT}
    found = town.anonymous().post("/recognitions", other).json()
    assert "P10" not in [p["indicator"] for p in found["proposals"]] and found["alike"] == []


# the ticket, and how good it was -----------------------------------------------------------


def test_a_report_carries_what_was_shown_and_the_measure_counts_it(town: Town) -> None:
    citizen = town.anonymous()
    shown = citizen.post("/recognitions", {"text": BIKES}).json()
    version = shown["models"][0]["version"]

    def rates() -> dict[str, tuple[int, int, int]]:
        head = town.parts.casework.eventlog.head()
        measure = town.supervisor.get("/measures/recognition", after=head).json()
        assert measure["formula"] and measure["as_of"] >= head
        found = {}
        for row in [*measure["rows"], *measure["total"]]:
            if row["version"] == version:
                top1, top3 = (
                    round(row[f]["share"] * row["n"]) if row["n"] else 0 for f in ("top1", "top3")
                )
                assert row["top1"]["low"] <= row["top1"]["share"] <= row["top1"]["high"]
                found[row["indicator"]] = (row["n"], top1, top3)
        return found

    before = rates()
    right = citizen.report(text=BIKES, recognition=shown["recognition"])
    town.reviewer.act(right, "register", "dispatched", indicator="P10", condition="P10-2")
    second = shown["proposals"][1]["indicator"]
    again = town.anonymous()
    wrong = again.report(text=BIKES, recognition=shown["recognition"])
    town.reviewer.act(wrong, "register", "dispatched", indicator=second, condition=f"{second}-1")
    without = town.anonymous().report(text=BIKES)
    town.reviewer.act(without, "register", "dispatched", indicator="P10", condition="P10-2")
    after = rates()

    def gained(indicator: str) -> tuple[int, int, int]:
        n, one, three = before.get(indicator, (0, 0, 0))
        now = after[indicator]
        return now[0] - n, now[1] - one, now[2] - three

    assert gained("P10") == (1, 1, 1)
    assert gained(second) == (1, 0, 1)
    assert gained("") == (2, 1, 2)


def test_a_ticket_we_did_not_make_is_refused_and_an_old_one_forgotten(town: Town) -> None:
    citizen = town.anonymous()
    ticket = citizen.post("/recognitions", {"text": BIKES}).json()["recognition"]
    assert BIKES not in ticket and len(ticket) < 600
    turned = ("A" if ticket[-9] != "A" else "B").join([ticket[:-9], ticket[-8:]])
    for forged in (turned, "AAAA", "A"):
        answer = citizen.post(
            "/reports",
            {"place": INSIDE, "text": BIKES, "no_photo_reason": "dark", "recognition": forged},
            key=citizen.draft,
        )
        assert "recognition" in str(is_problem(answer, 422, "missing")["detail"])
    tickets = town.parts.tickets
    now = town.parts.now()
    assert tickets.read(ticket, now) is not None
    assert tickets.read(ticket, now + timedelta(hours=25)) is None
    assert tickets.read(None, now) is None


def test_the_measure_is_for_the_desks_and_its_days_are_days(town: Town) -> None:
    assert town.anonymous().get("/measures/recognition").status_code == 401
    assert town.citizen("好奇").get("/measures/recognition").status_code == 403
    for first, last in (("2026-05-02", "2026-05-01"), ("2024-01-01", "2026-01-01")):
        answer = town.supervisor.get("/measures/recognition", first=first, last=last)
        is_problem(answer, 422, "missing")
    asked = {"text": "共享单车堆满了地铁口"}
    assert town.anonymous().post("/recognitions", asked).status_code == 200
    told = town.supervisor.get("/measures/recognition", first="2026-05-01").json()
    assert any(training["serving"] for training in told["trainings"])
    assert all(len(training["version"]) == 64 for training in told["trainings"])
