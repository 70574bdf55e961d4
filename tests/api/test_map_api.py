"""时空一张图 over HTTP: what desks see, what everybody sees, and what stood at a past moment."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from casework.clocks import SHANGHAI
from casework.model import Role
from geo.grid import cell_at
from tests.api.client import (
    INSIDE,
    SQLITE,
    XUEYUANLU,
    ZHONGGUANCUN,
    Caller,
    Town,
    Tracked,
    is_problem,
    open_town,
    settings_for,
)

Features = list[dict[str, Any]]  # what JSON gives


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town of its own, so that what stands on the map is known."""
    with open_town(settings_for(tmp_path_factory.mktemp("map") / "var")) as town:
        yield town


def drawn(answer: httpx.Response) -> Features:
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/geo+json"
    body = answer.json()
    assert body["type"] == "FeatureCollection"
    features: Features = body["features"]
    assert all(each["type"] == "Feature" for each in features)
    return features


def seen(town: Town, case: Tracked) -> None:
    """Wait until the views have the case's last position."""
    town.reviewer.sees(case)


def around(lon: float, lat: float, degrees: float = 0.002) -> str:
    return f"{lon - degrees},{lat - degrees},{lon + degrees},{lat + degrees}"


def reported(town: Town, lon: float, lat: float, *, review: bool = True) -> Tracked:
    case = town.citizen("市民图").report(place={**INSIDE, "lon": lon, "lat": lat})
    if review:
        town.reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
    seen(town, case)
    return case


def statuses(features: Features) -> list[object]:
    return [each["properties"]["status"] for each in features]


def test_the_street_layer_has_29_streets_with_their_declared_accuracy(town: Town) -> None:
    answer = town.anonymous().get("/map/streets")
    features = drawn(answer)
    assert len(features) == 29
    for each in features:
        told = each["properties"]
        assert each["id"] == told["code"]
        assert each["geometry"]["type"] in {"Polygon", "MultiPolygon"}
        accuracy, middle = told["accuracy_m"], told["accuracy_median_m"]
        assert isinstance(accuracy, float) and isinstance(middle, float)
        assert 0 < middle <= accuracy
    names = {each["properties"]["name"] for each in features}
    assert {"中关村街道", "上庄镇"} <= names
    again = town.http.get("/api/v1/map/streets", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "public" in answer.headers["Cache-Control"]


def test_a_desk_sees_the_pin_and_the_number_and_everybody_the_cell_and_the_month(
    town: Town,
) -> None:
    lon, lat = 116.3161, 39.9817
    month = (town.clock() + timedelta(hours=8)).strftime("%Y-%m")
    case = reported(town, lon, lat)
    box = around(lon, lat, 0.0007)
    (pin,) = drawn(town.reviewer.get("/map/cases", bbox=box))
    assert pin["geometry"] == {"type": "Point", "coordinates": [lon, lat]}
    assert pin["properties"]["number"] == case.number
    assert pin["properties"]["street_name"] == "中关村街道"
    assert pin["properties"]["status_name"] == "待签收"
    answer = town.anonymous().get("/map/cases", bbox=box)
    (spot,) = drawn(answer)
    assert spot["geometry"]["coordinates"] == list(cell_at(lon, lat).centre())
    assert spot["properties"] == {
        "status": "dispatched", "status_name": "待签收", "street": ZHONGGUANCUN,
        "street_name": "中关村街道", "indicator": "P10", "indicator_name": "非机动车乱停放",
        "month": month, "demonstration": False,
    }  # fmt: skip
    for secret in (case.number, case.id, case.id.replace("-", ""), "单车", "position"):
        assert secret not in answer.text
    assert town.citizen("市民别人").get("/map/cases", bbox=box).json() == answer.json()


def test_a_report_that_nobody_has_reviewed_is_on_no_public_map(town: Town) -> None:
    lon, lat = 116.3259, 39.9893  # where no other test reports
    reported(town, lon, lat, review=False)
    box = around(lon, lat, 0.0007)
    assert statuses(drawn(town.reviewer.get("/map/cases", bbox=box))) == ["submitted"]
    assert drawn(town.anonymous().get("/map/cases", bbox=box)) == []
    assert drawn(town.anonymous().get("/map/hotspots", bbox=box)) == []


@pytest.mark.parametrize("town", [SQLITE], indirect=True)
def test_a_box_around_the_pin_tells_everybody_no_more_than_the_cell(town: Town) -> None:
    lon, lat = 116.3191, 39.9853
    case = reported(town, lon, lat)
    tight = around(lon, lat, 0.00001)
    assert drawn(town.anonymous().get("/map/cases", bbox=tight)) == []
    assert drawn(town.anonymous().get("/map/hotspots", bbox=tight)) == []
    found = drawn(town.reviewer.get("/map/cases", bbox=tight))
    assert [each["id"] for each in found] == [case.number]


def test_each_desk_sees_its_own_cases_only(town: Town) -> None:
    lon, lat = cell_at(116.3221, 39.9801).centre()
    case = reported(town, lon, lat)
    box = around(lon, lat, 0.0003)

    def numbers(caller: Caller) -> list[object]:
        features = drawn(caller.get("/map/cases", bbox=box))
        return [each["properties"].get("number") for each in features]

    assert numbers(town.reviewer) == numbers(town.supervisor) == [case.number]
    assert numbers(town.street(ZHONGGUANCUN)) == [case.number]
    assert numbers(town.street(XUEYUANLU)) == []
    assert numbers(town.partner("网络问政")) == []
    assert numbers(town.checker) == []
    # A 街镇 that asks for another's gets nothing, not everything.
    other = town.street(ZHONGGUANCUN).get("/map/cases", bbox=box, street=XUEYUANLU)
    assert drawn(other) == []
    # The 三员 have no desk: they see what everybody sees.
    assert numbers(town.staff("系统甲", Role.SYSADMIN)) == [None]
    waiting = reported(town, lon, lat, review=False)
    town.reviewer.act(waiting, "request_site_check", "submitted", words="请看一下现场。")
    seen(town, waiting)
    assert numbers(town.checker) == [waiting.number]


def test_the_map_shows_the_state_as_it_was_at_a_position_and_at_a_time(quiet: Town) -> None:
    lon, lat = cell_at(116.3267, 39.9841).centre()
    box = around(lon, lat, 0.0001)
    nothing = quiet.parts.casework.eventlog.head()
    case = quiet.citizen("市民图").report(place={**INSIDE, "lon": lon, "lat": lat})
    submitted_at, submitted = quiet.clock(), case.position
    quiet.forward(hours=1)
    quiet.reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
    registered = case.position
    quiet.street().act(case, "acknowledge", "handling")
    seen(quiet, case)

    def at(as_of: object) -> list[object]:
        return statuses(drawn(quiet.reviewer.get("/map/cases", bbox=box, as_of=str(as_of))))

    assert at(nothing) == []
    assert at(submitted) == ["submitted"]
    assert at(registered) == ["dispatched"]
    assert at(case.position) == ["handling"]
    assert at(submitted_at.isoformat()) == ["submitted"]
    assert at((submitted_at - timedelta(minutes=1)).isoformat()) == []
    told = quiet.reviewer.get("/map/cases", as_of=str(submitted)).json()["as_of"]
    assert told == {"position": submitted}
    # Everybody may ask for days only: the answer is that of the day's first moment.
    quiet.forward(days=1)
    today = quiet.clock().astimezone(SHANGHAI)
    for text in (f"{today:%Y-%m-%d}", today.isoformat()):
        answer = quiet.anonymous().get("/map/cases", bbox=box, as_of=text)
        assert statuses(drawn(answer)) == ["handling"]
        assert answer.json()["as_of"]["at"] == f"{today:%Y-%m-%d}T00:00:00+08:00"
    yesterday = today - timedelta(days=1)
    before = quiet.anonymous().get("/map/cases", bbox=box, as_of=yesterday.isoformat())
    assert drawn(before) == []


def test_pages_join_up_for_desks_and_for_everybody(quiet: Town) -> None:
    for n in range(5):
        reported(quiet, 116.3217 + n / 1000, 39.982)
    for caller in (quiet.reviewer, quiet.anonymous()):
        whole = [each["id"] for each in drawn(caller.get("/map/cases"))]
        pages: list[object] = []
        query: dict[str, str | float] = {"limit": 2}
        while True:
            answer = caller.get("/map/cases", **query)
            pages += [each["id"] for each in drawn(answer)]
            if answer.json()["next"] is None:
                break
            query["cursor"] = answer.json()["next"]
        assert pages == whole
        assert len(whole) >= 5


def test_the_time_window_is_of_the_submission_and_by_months_for_everybody(quiet: Town) -> None:
    case = reported(quiet, 116.3261, 39.9806)
    begun = quiet.parts.now()
    early, late = (begun - timedelta(days=1)).isoformat(), (begun + timedelta(days=1)).isoformat()
    box = around(116.3261, 39.9806, 0.0007)

    def found(caller: Caller, **window: str) -> int:
        return len(drawn(caller.get("/map/cases", bbox=box, **window)))

    assert found(quiet.reviewer, **{"from": early, "to": late}) == 1
    assert found(quiet.reviewer, **{"from": late}) == 0
    assert found(quiet.reviewer, to=early) == 0
    # The same month is the same to everybody; another month is not.
    assert found(quiet.anonymous(), to=early) == 1
    assert found(quiet.anonymous(), **{"from": "2026-06-01"}) == 0
    assert found(quiet.anonymous(), **{"from": "2026-05-31", "to": "2026-06-01"}) == 1
    assert found(quiet.reviewer, status="dispatched", indicator="P10", street=ZHONGGUANCUN) == 1
    assert found(quiet.anonymous(), status="dispatched", indicator="P10") == 1
    assert found(quiet.anonymous(), status="submitted") == 0
    assert found(quiet.anonymous(), street=XUEYUANLU) == 0
    assert case.number


def test_hot_spots_count_cases_and_repeats_in_cells(quiet: Town) -> None:
    lon, lat = cell_at(116.3281, 39.9771).centre()
    for n in range(3):
        reported(quiet, lon + n / 100_000, lat)
    box = around(lon, lat, 0.0002)
    answer = quiet.anonymous().get("/map/hotspots", bbox=box)
    (spot,) = drawn(answer)
    assert spot["properties"] == {
        "cell": cell_at(lon, lat).name, "cases": 3, "unsolved": 3, "repeats": 2,
        "indicators": [{"indicator": "P10", "indicator_name": "非机动车乱停放", "cases": 3}],
    }  # fmt: skip
    (ring,) = spot["geometry"]["coordinates"]
    assert ring[0] == ring[-1] and len(ring) == 5
    body = answer.json()
    assert (body["n"], body["m"], body["cells"], body["cases"]) == (100, 30, 1, 3)
    (fine,) = drawn(quiet.reviewer.get("/map/hotspots", bbox=box, n=1, m=30))
    assert fine["properties"]["repeats"] == 2
    first = drawn(quiet.reviewer.get("/map/hotspots", bbox=box, as_of="1"))
    assert first == []
    assert drawn(quiet.reviewer.get("/map/hotspots", bbox=box, indicator="P01")) == []
    # The way between two cases is not to be found by trying.
    is_problem(quiet.anonymous().get("/map/hotspots", n=50), 422, "bad-parameter")
    is_problem(quiet.street().get("/map/hotspots", m=7), 422, "bad-parameter")


@pytest.mark.parametrize("path", ["/map/cases", "/map/hotspots"])
@pytest.mark.parametrize(
    "query",
    [
        {"bbox": "1,2,3"},
        {"bbox": "a,b,c,d"},
        {"bbox": "3,2,1,4"},
        {"bbox": "nan,0,1,1"},
        {"from": "yesterday"},
        {"from": "2026-05-01T08:00:00"},
        {"to": "0001-01-01T00:00:00Z"},
        {"as_of": "2099-01-01"},
        {"as_of": "x"},
    ],
)
@pytest.mark.parametrize("town", [SQLITE], indirect=True)
def test_what_cannot_be_asked_is_said_in_chinese(
    town: Town, path: str, query: dict[str, str]
) -> None:
    for caller in (town.reviewer, town.anonymous()):
        problem = is_problem(caller.get(path, **query), 422, "bad-parameter")
        (field,) = query
        assert problem["errors"][0]["field"] == field  # type: ignore[index]  # a list of errors


@pytest.mark.parametrize("town", [SQLITE], indirect=True)
def test_limits_cursors_and_positions_beyond_are_refused(town: Town) -> None:
    for limit in (0, 10_001):
        is_problem(town.reviewer.get("/map/cases", limit=limit), 422, "invalid")
    for caller in (town.reviewer, town.anonymous()):
        is_problem(caller.get("/map/cases", cursor="x"), 400, "stale-cursor")
    is_problem(town.reviewer.get("/map/cases", as_of=10**15), 400, "beyond-head")
    is_problem(town.reviewer.get("/map/cases", as_of=2**53 + 1), 422, "bad-parameter")
    is_problem(town.anonymous().get("/map/cases", as_of=1), 422, "bad-parameter")


@pytest.mark.parametrize("town", [SQLITE], indirect=True)
def test_what_a_desk_sees_is_kept_by_nobody_else(town: Town) -> None:
    desk = town.reviewer.get("/map/cases", bbox=around(116.3, 39.9))
    public = town.anonymous().get("/map/cases", bbox=around(116.3, 39.9))
    assert desk.headers["Cache-Control"] == "private, no-cache"
    assert public.headers["Cache-Control"] == "public, max-age=60"
    assert desk.headers["Vary"] == public.headers["Vary"] == "Authorization"
