import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.boundaries import Boundaries
from geo.dispatch import Certainty, Dispatcher
from tests.geo.maps import SIDE, centre, two_squares, write_geojson

BUNDLED = Dispatcher(Boundaries.bundled())
WEST_UNIT, EAST_UNIT = "110108011", "110108012"
WEST, EAST = centre(0, 0), centre(1, 0)
METRE = SIDE / 854  # degrees of longitude at 40° north
MIDDLE = 116.21  # the border between the two squares
DISPUTED = (
    "Z9,某操场,110108011 110108012,"
    '"116.203,40.003 116.207,40.003 116.207,40.007 116.203,40.007",两说'
)
in_and_around = st.tuples(st.floats(115.95, 116.45), st.floats(39.85, 40.20))


@pytest.fixture
def squares(tmp_path: Path) -> Dispatcher:
    """Two squares of about 850 m by 1,110 m whose borders are good to 50 m."""
    return Dispatcher(Boundaries.read(two_squares(tmp_path), version=7))


@pytest.fixture
def disputed(tmp_path: Path) -> Dispatcher:
    return Dispatcher(Boundaries.read(two_squares(tmp_path, zones=[DISPUTED])))


def test_the_middle_of_a_unit_is_its_own(squares: Dispatcher) -> None:
    verdict = squares.assign(*WEST)
    assert (verdict.street, verdict.certainty) == (WEST_UNIT, Certainty.INSIDE)
    assert verdict.border_m == pytest.approx(427, abs=2)
    assert verdict.runner_up == EAST_UNIT
    assert verdict.boundary_version == 7
    assert verdict.because == "位于中关村街道内，距最近边界 427 米。"


@pytest.mark.parametrize(
    ("metres_west", "report_accuracy", "certainty"),
    [
        (40, None, Certainty.NEAR_BORDER),
        (60, None, Certainty.INSIDE),
        (60, 5.0, Certainty.INSIDE),
        (60, 15.0, Certainty.NEAR_BORDER),
        (300, 200.0, Certainty.INSIDE),
        (300, 260.0, Certainty.NEAR_BORDER),
        (60, -15.0, Certainty.INSIDE),
    ],
)
def test_a_point_nearer_than_border_and_report_are_good_for_is_left_to_a_person(
    squares: Dispatcher, metres_west: float, report_accuracy: float | None, certainty: Certainty
) -> None:
    verdict = squares.assign(MIDDLE - metres_west * METRE, WEST[1], report_accuracy)
    assert verdict.certainty is certainty
    assert (verdict.street, verdict.runner_up) == (WEST_UNIT, EAST_UNIT)
    assert verdict.border_m == pytest.approx(metres_west, abs=1)
    assert verdict.neighbour is None


def test_the_sentence_names_both_units_and_both_doubts(squares: Dispatcher) -> None:
    verdict = squares.assign(MIDDLE - 60 * METRE, WEST[1], 15.0)
    assert verdict.because == (
        "距中关村街道与海淀街道的边界 60 米，不足边界精度 50 米加定位误差 15 米，请人工核定。"
    )


def test_a_point_on_the_border_is_near_it_and_gets_the_lower_code(tmp_path: Path) -> None:
    exact = Dispatcher(Boundaries.read(two_squares(tmp_path, accuracy_m=0)))
    sure = exact.assign(MIDDLE - 2 * METRE, WEST[1])
    assert sure.certainty is Certainty.INSIDE
    corner = exact.assign(MIDDLE, 40.0)
    assert (corner.street, corner.certainty) == (WEST_UNIT, Certainty.NEAR_BORDER)


def test_near_the_districts_edge_a_person_decides_and_the_neighbour_is_named(
    squares: Dispatcher,
) -> None:
    for lat in (40.0002, 39.9998):
        verdict = squares.assign(WEST[0], lat)
        assert (verdict.street, verdict.certainty) == (WEST_UNIT, Certainty.NEAR_BORDER)
        assert verdict.neighbour == "昌平区"
        assert "中关村街道与昌平区的边界" in verdict.because


def test_outside_the_district_names_the_neighbour_and_whom_to_call(squares: Dispatcher) -> None:
    verdict = squares.assign(WEST[0], 39.995)
    assert (verdict.street, verdict.certainty) == (None, Certainty.OUTSIDE_DISTRICT)
    assert verdict.neighbour == "昌平区"
    assert verdict.border_m == pytest.approx(555, abs=2)
    assert verdict.because == (
        "不在海淀区范围内，距区界约 555 米，可能在昌平区。请拨打 12345 市民服务热线，转昌平区办理。"
    )


@pytest.mark.parametrize("place", [(121.47, 31.23), (0.0, 0.0), (-63.0, -40.0), (400.0, 95.0)])
def test_far_away_no_neighbour_is_guessed(squares: Dispatcher, place: tuple[float, float]) -> None:
    verdict = squares.assign(*place)
    assert (verdict.certainty, verdict.neighbour) == (Certainty.OUTSIDE_DISTRICT, None)


@pytest.mark.parametrize("place", [(float("nan"), 40.0), (116.2, float("nan"))])
def test_a_position_that_is_no_number_is_refused(
    squares: Dispatcher, place: tuple[float, float]
) -> None:
    with pytest.raises(ValueError, match="not a number"):
        squares.assign(*place)


def test_in_a_contested_zone_a_person_decides_between_its_claimants(disputed: Dispatcher) -> None:
    verdict = disputed.assign(*WEST)
    assert (verdict.street, verdict.certainty) == (WEST_UNIT, Certainty.CONTESTED)
    assert verdict.runner_up == EAST_UNIT
    assert verdict.because == "位于争议地段“某操场”（两说），请人工核定。"


def test_a_report_whose_accuracy_reaches_a_contested_zone_is_contested(
    disputed: Dispatcher,
) -> None:
    beside = (116.208, WEST[1])  # 85 m east of the zone
    assert disputed.assign(*beside).certainty is Certainty.INSIDE
    assert disputed.assign(*beside, 90.0).certainty is Certainty.CONTESTED


def test_a_unit_that_returned_the_case_is_not_proposed_again(squares: Dispatcher) -> None:
    verdict = squares.assign(*WEST, excluded={WEST_UNIT})
    assert (verdict.street, verdict.runner_up) == (EAST_UNIT, WEST_UNIT)
    assert verdict.certainty is Certainty.NEAR_BORDER
    assert verdict.because == "中关村街道已退回，拟改派海淀街道，请人工核定。"


def test_a_return_by_another_unit_changes_nothing(squares: Dispatcher) -> None:
    assert squares.assign(*WEST, excluded={EAST_UNIT}) == squares.assign(*WEST)


def test_a_return_from_a_contested_zone_leaves_it_contested(disputed: Dispatcher) -> None:
    verdict = disputed.assign(*WEST, excluded={WEST_UNIT})
    assert (verdict.street, verdict.certainty) == (EAST_UNIT, Certainty.CONTESTED)


def test_when_all_have_returned_it_the_supervisor_designates(squares: Dispatcher) -> None:
    verdict = squares.assign(*WEST, excluded={WEST_UNIT, EAST_UNIT})
    assert (verdict.street, verdict.runner_up) == (None, WEST_UNIT)
    assert verdict.certainty is Certainty.NEAR_BORDER
    assert "督办员" in verdict.because


def test_a_map_of_one_unit_has_no_runner_up(tmp_path: Path) -> None:
    one = Boundaries.read(write_geojson(tmp_path / "one.geojson", {(0, 0): WEST_UNIT}))
    assert Dispatcher(one).assign(*WEST).runner_up is None


@given(in_and_around, st.one_of(st.none(), st.floats(0, 2_000)))
def test_every_place_is_outside_or_has_one_unit_or_goes_to_a_person(
    place: tuple[float, float], accuracy: float | None
) -> None:
    verdict = BUNDLED.assign(*place, accuracy)
    assert (verdict.street is None) == (verdict.certainty is Certainty.OUTSIDE_DISTRICT)
    assert verdict.runner_up is None or verdict.runner_up != verdict.street
    if verdict.certainty is Certainty.INSIDE:
        assert verdict.street == BUNDLED.boundaries.street_at(*place)
        assert verdict.border_m is not None and verdict.border_m > max(30, accuracy or 0)


@given(in_and_around, st.floats(0, 500), st.floats(0, 500))
def test_a_worse_position_never_makes_the_verdict_surer(
    place: tuple[float, float], good: float, worse: float
) -> None:
    sure = {Certainty.INSIDE, Certainty.OUTSIDE_DISTRICT}
    better = BUNDLED.assign(*place, good).certainty
    if better not in sure:
        assert BUNDLED.assign(*place, good + worse).certainty not in sure


@given(
    st.lists(
        st.tuples(in_and_around, st.one_of(st.just(0.0), st.floats(0, 3_000))),
        min_size=1,
        max_size=40,
    )
)
def test_many_places_get_the_verdicts_each_gets(
    rows: list[tuple[tuple[float, float], float]],
) -> None:
    lon, lat = np.array([place for place, _ in rows]).T
    many = BUNDLED.assign_many(lon, lat, np.array([accuracy for _, accuracy in rows]))
    codes = [*many.codes, None]
    for i, (place, accuracy) in enumerate(rows):
        one = BUNDLED.assign(*place, accuracy)
        assert codes[many.street[i]] == one.street
        assert codes[many.runner_up[i]] == one.runner_up
        assert many.certainty[i] is one.certainty
        assert round(float(many.border_m[i]), 1) == one.border_m
        assert BUNDLED.because(many, i, accuracy) == one.because


def test_most_of_every_unit_can_be_dispatched_without_a_person() -> None:
    rng = np.random.default_rng(29)
    lon, lat = rng.uniform([116.04, 39.88], [116.40, 40.17], (60_000, 2)).T
    many = BUNDLED.assign_many(lon, lat)
    per_unit = Counter(many.street[many.street >= 0].tolist())
    sure = Counter(many.street[many.certainty == Certainty.INSIDE].tolist())
    contested = Counter(many.street[many.certainty == Certainty.CONTESTED].tolist())
    clear = {unit: per_unit[unit] - contested[unit] for unit in per_unit}
    assert len(per_unit) == 29
    assert sum(sure.values()) > 0.85 * sum(clear.values())
    assert all(sure[unit] > 0.4 * clear[unit] for unit in per_unit)


def test_among_many_a_place_no_map_reaches_is_outside(squares: Dispatcher) -> None:
    many = squares.assign_many(np.array([400.0, WEST[0]]), np.array([95.0, WEST[1]]))
    assert many.certainty.tolist() == [Certainty.OUTSIDE_DISTRICT, Certainty.INSIDE]
    assert many.border_m[0] == np.inf
    assert squares.because(many, 0) == squares.assign(400.0, 95.0).because


def test_among_many_contested_places_name_their_claimants(disputed: Dispatcher) -> None:
    many = disputed.assign_many(np.array([WEST[0]]), np.array([WEST[1]]))
    one = disputed.assign(*WEST)
    assert (many.codes[many.street[0]], many.codes[many.runner_up[0]]) == (
        one.street,
        one.runner_up,
    )
    assert disputed.because(many, 0) == one.because


def test_serving_does_not_load_the_readers_of_files() -> None:
    script = (
        "import sys, geo.dispatch, geo.gazetteer, geo.locate_table, geo.compare;"
        "print(sorted({'geopandas', 'pandas', 'pyogrio'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
