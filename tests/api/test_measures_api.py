"""Measures over HTTP: the catalogue, figures, the cases behind them, sealed months."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from casework.clocks import SHANGHAI
from casework.model import Role
from projections.measure_catalogue import CATALOGUE
from tests.api.client import (
    ZHONGGUANCUN,
    Caller,
    Town,
    Tracked,
    is_problem,
    open_town,
    settings_for,
)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town of its own: its clock goes over the end of a month."""
    with open_town(settings_for(tmp_path_factory.mktemp("measures") / "var")) as found:
        local = found.clock().astimezone(SHANGHAI)
        found.forward(days=33 - local.day, hours=32 - local.hour)  # a morning early next month
        yield found


@pytest.fixture(scope="module")
def analyst(town: Town) -> Caller:
    return town.staff("分析甲", Role.ANALYST)


@pytest.fixture(scope="module")
def supervisor(town: Town) -> Caller:
    return town.staff("督办甲", Role.SUPERVISOR)


def month_of(town: Town) -> str:
    return town.clock().astimezone(SHANGHAI).strftime("%Y-%m")


def closed_after(town: Town, minutes: int) -> Tracked:
    """Dispatched, handed over after so many minutes, and closed."""
    case = town.anonymous().report()
    town.reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
    town.street().act(case, "acknowledge", "handling")
    town.settle(case, minutes)
    town.reviewer.sees(case)
    return case


def test_the_catalogue_tells_every_measure_in_words(analyst: Caller, town: Town) -> None:
    told = analyst.get("/measures").json()
    assert [each["name"] for each in told["measures"]] == list(CATALOGUE)
    assert all(
        each["title"] in each["formula"] or each["kind"] != "rate" for each in told["measures"]
    )
    is_problem(town.street().get("/measures"), 403, "not-permitted")


def test_a_figure_comes_with_its_cases_and_what_must_be_seen_beside_it(
    analyst: Caller, town: Town
) -> None:
    month = month_of(town)
    good, late = closed_after(town, 20), closed_after(town, 130)
    town.forward(hours=3)
    town.reviewer.sees(late)
    day = f"{month}-01"
    query = {"from": day, "by": "street"}
    told = analyst.get("/measures/closed_in_time", **query).json()
    [figure] = told["figures"]
    assert (figure["key"], figure["numerator"], figure["denominator"]) == (ZHONGGUANCUN, 1, 2)
    assert figure["value"] == 50.0 and figure["rank"] is None and not figure["enough"]
    assert figure["key_name"] and figure["interval"][0] < 50 < figure["interval"][1]
    beside = {each["name"] for each in told["beside"]}
    assert beside == {"closed", "not_found", "transferred", "force_closed", "false_rectified"}
    behind = analyst.get("/measures/closed_in_time/cases", **{"from": day}).json()
    assert [(row["case_id"], row["counted"]) for row in behind["rows"]] == [
        (good.id, True),
        (late.id, False),
    ]
    only = analyst.get("/measures/closed_in_time/cases", **{"from": day, "part": "rest"}).json()
    assert [row["case_id"] for row in only["rows"]] == [late.id] and only["total"] == 1
    [cell] = analyst.get("/measures/reports", **{"from": day, "by": "cell"}).json()["figures"]
    there = analyst.get("/measures/reports/cases", **{"from": day, "cell": cell["key"]}).json()
    assert there["total"] == cell["denominator"] == 2
    none = analyst.get("/measures/reports/cases", **{"from": day, "cell": "E1N1"}).json()
    assert none["total"] == 0
    was = analyst.get("/measures/reports", **{"from": day, "as_of": "1"}).json()
    assert [each["value"] for each in was["figures"]] in ([], [0])
    rated = analyst.get("/measures/satisfied", **{"from": day}).json()
    assert [(each["name"], each["variant"]) for each in rated["beside"]] == [
        ("rated", ""),
        ("satisfied", "staff_entered"),
    ]
    [dense] = analyst.get(
        "/measures/reports", **{"from": day, "by": "street", "per": "km2"}
    ).json()["figures"]
    assert 0 < dense["value"] < dense["numerator"] and dense["rank"] is None
    is_problem(analyst.get("/measures/reports", per="km2"), 422, "bad-parameter")
    is_problem(analyst.get("/measures/nothing"), 404, "not-found")
    is_problem(analyst.get("/measures/closed", variant="odd"), 422, "bad-parameter")
    is_problem(analyst.get("/measures/closed", **{"from": "2099-01-01"}), 422, "bad-parameter")
    is_problem(
        analyst.get("/measures/closed", period="day", **{"from": "2020-01-01", "to": "2026-01-01"}),
        422,
        "bad-parameter",
    )


def test_a_month_is_sealed_once_and_a_correction_stands_beside_it(
    analyst: Caller, supervisor: Caller, town: Town
) -> None:
    month = month_of(town)
    closed_after(town, 10)
    is_problem(supervisor.post("/measures/seal", {"month": month}), 409, "too-early")
    is_problem(analyst.get(f"/measures/sealed/{month}"), 404, "not-found")
    local = town.clock().astimezone(SHANGHAI)
    waiting = town.anonymous().report()
    town.forward(days=33 - local.day)
    town.reviewer.act(waiting, "register", "dispatched", indicator="P10", condition="P10-2")
    is_problem(analyst.post("/measures/seal", {"month": month}), 403, "not-permitted")
    key = str(uuid4())
    done = supervisor.post("/measures/seal", {"month": month}, key=key)
    assert done.status_code == 201, done.text
    sealed = done.json()
    [total] = [each for each in sealed["figures"] if (each["measure"], each["by"], each["variant"])
               == ("reports", "", "")]  # fmt: skip
    again = supervisor.post("/measures/seal", {"month": month}, key=key).json()
    assert again == sealed
    is_problem(supervisor.post("/measures/seal", {"month": month}), 409, "nothing-pending")
    read = analyst.get("/measures/reports", **{"from": f"{month}-01"}).json()["figures"]
    assert [(each["value"], each["sealed"]) for each in read] == [(total["value"], True)]
    split = analyst.get("/measures/reports", **{"from": f"{month}-01", "by": "channel"}).json()
    assert sum(each["value"] for each in split["figures"]) == total["value"]
    assert not any(each["sealed"] for each in split["figures"])  # nobody seals it by channel
    told = analyst.get(f"/measures/sealed/{month}").json()
    assert told["figures"] == sealed["figures"]
    moved = {
        each["sealed"]["measure"]: each for each in told["restated"] if not each["sealed"]["by"]
    }
    assert "reports" not in moved
    assert moved["backlog"]["sealed"]["value"] == 1


def test_the_clock_seals_the_month_that_is_over(town: Town, analyst: Caller) -> None:
    closed_after(town, 10)
    month = month_of(town)
    local = town.clock().astimezone(SHANGHAI)
    town.forward(days=33 - local.day)
    town.reviewer.sees(town.anonymous().report())
    at: datetime = town.clock()
    first = town.parts.sealed_months.tick(at)
    assert first is not None and first.fact.month == month and first.sealed_by == "clock"
    assert town.parts.sealed_months.tick(at + timedelta(minutes=10)) is None
    assert analyst.get(f"/measures/sealed/{month}").json()["proof"] == first.position
