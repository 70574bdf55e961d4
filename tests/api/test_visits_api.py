"""回访 over HTTP: what has to be asked about again, and a rating with the time it took."""

from collections.abc import Iterator

import pytest

from tests.api.client import Caller, Town, Tracked, is_problem, open_town, settings_for


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with open_town(settings_for(tmp_path_factory.mktemp("visits") / "var")) as found:
        yield found


def closed(town: Town, by: Caller, outcome: str = "rectified") -> Tracked:
    case = by.report()
    town.reviewer.act(case, "register", "dispatched", indicator="P10", condition="P10-2")
    town.street().act(case, "acknowledge", "handling")
    return town.settle(case, 25, outcome)


def due(town: Town, case: Tracked) -> dict[str, tuple[str, int | None]]:
    told = town.reviewer.get("/visits", after=case.position).json()
    assert told["total"] == len(told["visits"])
    return {each["case_id"]: (each["why"], each["satisfaction"]) for each in told["visits"]}


def test_an_unhappy_reporter_and_what_was_not_found_are_asked_again(town: Town) -> None:
    citizen = town.citizen("市民甲")
    unhappy, happy = closed(town, citizen), closed(town, citizen)
    gone = closed(town, citizen, "not_found")
    citizen.act(unhappy, "rate", "under_recheck", solved="no", satisfaction=2, efficiency=3)
    citizen.act(happy, "rate", "completed", solved="yes", satisfaction=5, efficiency=5)
    assert due(town, happy) == {unhappy.id: ("unhappy", 2), gone.id: ("not_found", None)}
    town.reviewer.act(gone, "record_visit", "closed", words="电话回访，确已清走。", solved="yes")
    assert due(town, gone) == {unhappy.id: ("unhappy", 2)}
    is_problem(town.street().get("/visits"), 403, "not-permitted")


def test_a_rating_is_seen_beside_the_time_it_took(town: Town) -> None:
    citizen = town.citizen("市民乙")
    case = closed(town, citizen)
    citizen.act(case, "rate", "completed", solved="yes", satisfaction=4, efficiency=2)
    for caller in (town.street(), town.reviewer):
        (told,) = caller.get(f"/cases/{case.id}/ratings", after=case.position).json()["rounds"]
        assert (told["efficiency"], told["satisfaction"], told["solved"]) == (2.0, 4, "yes")
        assert told["minutes"] >= 25 and told["handling_minutes"] >= 0 and told["in_time"]
        assert "person" not in told
    is_problem(citizen.get(f"/cases/{case.id}/ratings"), 403, "not-permitted")
