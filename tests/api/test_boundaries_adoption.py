"""A new map under a running server: from its time on, for later cases; and dispatch by rule."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from api.boundary_versions import keep_map
from api.commands.opening import opened
from casework.application import BOUNDARIES
from casework.clocks import SHANGHAI
from casework.effective import LEAD
from casework.events import CaseDispatched
from casework.model import Actor, ActorKind, Role
from casework.reference import AdoptBoundaries, decide_boundaries
from geo.boundaries import Boundaries
from tests.api.client import (
    BEIXIAGUAN,
    INSIDE,
    NEAR_BORDER,
    XUEYUANLU,
    ZHONGGUANCUN,
    ZIZHUYUAN,
    Body,
    Town,
    Tracked,
    is_problem,
    open_town,
    settings_for,
)
from tests.api.district_files import write

BIKES = {"indicator": "P10", "condition": "P10-2"}
OPERATOR = Actor(ActorKind.STAFF, "运维", roles=(Role.SYSADMIN,))
HERE: dict[str, str | float] = {"lon": 116.32367, "lat": 39.98207, "crs": "wgs84"}
"""INSIDE, as a query."""


@pytest.fixture
def new_map(tmp_path: Path) -> Boundaries:
    """What lies around INSIDE goes from 中关村 to 学院路; borders good for 20 m."""
    return Boundaries.read(write(tmp_path / "d.geojson"), accuracy_m=20)


@pytest.fixture
def own_town(tmp_path: Path) -> Iterator[Town]:
    with open_town(settings_for(tmp_path / "var")) as found:
        yield found


def adopt(town: Town, map_: Boundaries, **later: float) -> datetime:
    """As the command line does, at the town's own time; from when it holds."""
    parts, at = town.parts, town.clock()
    holds = at + LEAD + timedelta(**later)
    command = AdoptBoundaries(
        sha256=keep_map(map_, parts.boundaries.folder),
        source="区政府公布",
        accuracy_note="20 米",
        effective_from=holds,
    )
    history = parts.casework.references.boundaries
    happened = decide_boundaries(history, command, at)
    parts.casework.record_reference(
        BOUNDARIES, len(history), happened, at=at, by=OPERATOR, command_id=parts.new_id()
    )
    return holds


def located(town: Town, **more: float) -> Body:
    answer = town.anonymous().get("/locate", **{**HERE, "accuracy_m": 10, **more})
    assert answer.status_code == 200, answer.text
    told: Body = answer.json()
    return told


def assignment(town: Town, case: Tracked) -> tuple[object, int, int]:
    """Street, its map, and the version that the case was reported under, from the log."""
    loaded = town.parts.casework.load(UUID(case.id))
    assert loaded is not None
    first = town.parts.casework.history(loaded.case_id)[0].event
    versions = getattr(first, "versions", None)
    assert versions is not None
    verdict = loaded.case.assignment
    return verdict.street, verdict.boundary_version, versions.boundaries


def test_a_new_map_holds_from_its_time_and_old_cases_keep_theirs(
    own_town: Town, new_map: Boundaries
) -> None:
    town = own_town
    submitted, dispatched = town.citizen("市民甲").report(), town.citizen("市民甲").report()
    town.reviewer.act(dispatched, "register", "dispatched", **BIKES)
    adopt(town, new_map, minutes=5)
    waiting = town.citizen("市民甲").report()
    assert located(town)["street"] == ZHONGGUANCUN, "adopted, but not in force yet"
    assert located(town)["boundary_version"] == 1
    town.forward(minutes=7)
    told = located(town)
    assert (told["street"], told["certainty"]) == (XUEYUANLU, "inside")
    assert told["boundary_version"] == 2
    later = town.citizen("市民甲").report()
    assert assignment(town, later) == (XUEYUANLU, 2, 2)
    for old in (submitted, waiting):
        assert assignment(town, old) == (ZHONGGUANCUN, 1, 1)
        town.reviewer.act(old, "register", "dispatched", **BIKES)
        assert town.reviewer.sees(old)["street"] == ZHONGGUANCUN
    assert town.reviewer.sees(dispatched)["street"] == ZHONGGUANCUN
    town.reviewer.act(later, "register", "dispatched", **BIKES)
    assert town.reviewer.sees(later)["street"] == XUEYUANLU


def test_a_restart_in_between_changes_nothing(tmp_path: Path, new_map: Boundaries) -> None:
    settings = settings_for(tmp_path / "var")
    with open_town(settings) as town:
        case = town.citizen("市民甲").report()
        holds = adopt(town, new_map)
    with open_town(settings) as town:
        assert town.clock() < holds and located(town)["boundary_version"] == 1
        town.forward(minutes=2)
        assert located(town)["street"] == XUEYUANLU
        # Read anew in this process: the map of a case's report is found by its version.
        town.staff("审核丙", Role.REVIEWER).act(case, "register", "dispatched", **BIKES)
        assert assignment(town, case) == (ZHONGGUANCUN, 1, 1)


def test_a_server_notices_what_another_process_adopted(own_town: Town, new_map: Boundaries) -> None:
    from_outside = settings_for(own_town.parts.settings.var)
    with opened(from_outside, own_town.clock) as parts:
        at = own_town.clock()
        command = AdoptBoundaries(
            sha256=keep_map(new_map, parts.boundaries.folder),
            source="区政府公布",
            accuracy_note="20 米",
            effective_from=at + LEAD,
        )
        happened = decide_boundaries(parts.casework.references.boundaries, command, at)
        parts.casework.record_reference(
            BOUNDARIES, 1, happened, at=at, by=OPERATOR, command_id=parts.new_id()
        )
    own_town.forward(minutes=2)
    assert located(own_town)["boundary_version"] == 2


def test_two_people_adopt_a_map_that_lies_on_the_server(
    own_town: Town, new_map: Boundaries
) -> None:
    town = own_town
    admin = town.staff("系统甲", Role.SYSADMIN)
    holds = (town.clock() + timedelta(minutes=10)).isoformat()
    change = {
        "type": "adopt-boundaries",
        "sha256": "ab" * 32,
        "source": "区政府公布",
        "accuracy_note": "20 米",
        "effective_from": holds,
    }
    asked: Body = {"change": change, "reason": "换用区里公布的边界"}
    for digest in ("ab" * 32, "../" * 21 + "x"):
        unknown = admin.post("/changes", {**asked, "change": {**change, "sha256": digest}})
        assert "--only-keep" in str(is_problem(unknown, 422, "missing")["detail"])
    digest = keep_map(new_map, town.parts.boundaries.folder)
    proposed = admin.post("/changes", {**asked, "change": {**change, "sha256": digest}})
    assert proposed.status_code == 202, proposed.text
    number = proposed.json()["id"]
    is_problem(admin.post(f"/changes/{number}/confirm"), 403, "not-permitted")
    done = town.supervisor.post(f"/changes/{number}/confirm")
    assert done.status_code == 200 and done.json()["state"] == "confirmed", done.text
    town.forward(minutes=11)
    assert located(town)["street"] == XUEYUANLU


def test_without_its_map_nothing_is_guessed(own_town: Town, new_map: Boundaries) -> None:
    town = own_town
    case = town.citizen("市民甲").report()
    adopt(town, new_map)
    kept = town.parts.boundaries.folder / town.parts.casework.references.boundaries[1].sha256
    (kept / "edges.csv").write_text("id,nodes,left,right,neighbour,accuracy_m\n")
    town.forward(minutes=2)
    lost = town.anonymous().get("/locate", **HERE)
    assert "第2版街镇边界" in str(is_problem(lost, 503, "map-unusable")["detail"])
    ready = town.http.get("/health/ready")
    assert ready.status_code == 503 and "街镇边界不能读取" in ready.json()["waiting_for"]
    town.reviewer.act(case, "register", "dispatched", **BIKES)
    assert assignment(town, case)[1] == 1, "the old map is whole"
    assert town.reviewer.sees(case)["street_name"] == "中关村街道", "looking needs no map"


# dispatch by rule, on either store --------------------------------------------------------


def test_the_reports_own_accuracy_counts(town: Town) -> None:
    assert located(town)["certainty"] == "inside"
    vague = located(town, accuracy_m=900)
    assert vague["certainty"] == "near_border" and "定位误差 900 米" in str(vague["because"])
    case = town.citizen("市民甲").report(place={**INSIDE, "accuracy_m": 900})
    town.reviewer.act(case, "register", "registered", **BIKES)
    assert "定位误差 900 米" in str(town.reviewer.sees(case)["because"])


def test_after_an_accepted_return_the_street_is_not_proposed_again(town: Town) -> None:
    case = town.citizen("市民甲").report()
    town.reviewer.act(case, "register", "dispatched", **BIKES)
    worker = town.street(ZHONGGUANCUN)
    worker.act(case, "request_return", "dispatched", code="T01", words="不在本辖区。")
    town.reviewer.act(case, "accept_return", "registered")
    # What the dispatcher says now stands in the next dispatch, beside the person's choice.
    town.reviewer.refused(case, "dispatch", 422, "missing", street=ZHONGGUANCUN)
    loaded = town.parts.casework.load(UUID(case.id))
    assert loaded is not None
    second = town.parts.dispatcher.assign(
        loaded.case.place.lon, loaded.case.place.lat, 10, {ZHONGGUANCUN}
    ).street
    assert second is not None and second != ZHONGGUANCUN
    town.reviewer.act(case, "dispatch", "dispatched", street=second)
    dispatched = _dispatches(town, case)[-1]
    assert dispatched.assignment.street == second and dispatched.reason is None
    assert "中关村街道已退回" in dispatched.assignment.because


def test_a_reviewers_other_choice_is_recorded_with_its_reason(town: Town) -> None:
    case = town.citizen("市民甲").report(place=NEAR_BORDER)
    town.reviewer.act(case, "register", "registered", **BIKES)
    town.reviewer.refused(case, "dispatch", 422, "missing", street=BEIXIAGUAN)
    town.reviewer.act(case, "dispatch", "dispatched", street=BEIXIAGUAN, reason="路口由对面管护。")
    (dispatched,) = _dispatches(town, case)
    assert (dispatched.street, dispatched.assignment.street) == (BEIXIAGUAN, ZIZHUYUAN)
    assert dispatched.reason is not None
    steps = town.reviewer.get(f"/cases/{case.id}/timeline", after=case.position).json()["steps"]
    assert any(step["words"] == "路口由对面管护。" for step in steps)


def _dispatches(town: Town, case: Tracked) -> list[CaseDispatched]:
    history = town.parts.casework.history(UUID(case.id))
    return [r.event for r in history if isinstance(r.event, CaseDispatched)]


def test_what_a_return_costs_is_told_by_unit_and_case(town: Town) -> None:
    analyst = town.staff("分析甲", Role.ANALYST)
    month = f"{town.clock().astimezone(SHANGHAI):%Y-%m}"

    def row(after: int | None = None) -> Body:
        asked: dict[str, str | int] = {"month": month, "street": BEIXIAGUAN}
        told = analyst.get("/measures/redispatch", **asked, **({"after": after} if after else {}))
        assert told.status_code == 200, told.text
        found: Body = told.json()
        return found

    def figures(told: Body) -> tuple[int, int]:
        rows = told["rows"]
        assert isinstance(rows, list)
        return (rows[0]["n"], rows[0]["returned"]) if rows else (0, 0)

    n, returned = figures(row())
    case = town.citizen("市民甲").report(place=NEAR_BORDER)
    town.reviewer.act(case, "register", "registered", **BIKES)
    town.reviewer.act(case, "dispatch", "dispatched", street=BEIXIAGUAN, reason="路东。")
    town.street(BEIXIAGUAN).act(case, "request_return", "dispatched", code="T01")
    town.forward(minutes=10)
    town.reviewer.act(case, "accept_return", "registered")
    town.reviewer.act(case, "dispatch", "dispatched", street=ZIZHUYUAN)
    told = row(case.position)
    assert figures(told) == (n + 1, returned + 1)
    chains = told["chains"]
    assert isinstance(chains, list)
    (mine,) = [chain for chain in chains if chain["number"] == case.number]
    first, second = mine["legs"]
    assert (first["street"], first["ended_by"], first["code"]) == (BEIXIAGUAN, "returned", "T01")
    assert first["minutes"] == 10 and first["handling_minutes"] == 10, "the clock runs on"
    assert (second["street"], second["ended_at"]) == (ZIZHUYUAN, None)
    is_problem(town.reviewer.get("/measures/redispatch", month=month), 403, "not-permitted")
    is_problem(analyst.get("/measures/redispatch", month="2026-13"), 422, "invalid")
