from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.duplicates import Pair, score

HOUR = timedelta(hours=1)
TABLE = [
    # metres, apart, indicators, same picture, proposed to the reviewer, asked of the citizen
    (3, HOUR, ("P03", "P03"), None, True, True),
    (40, HOUR, ("P03", "P03"), None, True, True),
    (100, HOUR, ("P03", "P03"), None, True, False),
    (160, HOUR, ("P03", "P03"), None, False, False),
    (3, timedelta(days=29), ("P03", "P03"), None, True, True),
    (70, timedelta(days=29), ("P03", "P03"), None, True, False),
    (3, HOUR, ("P03", "P10"), None, False, False),
    (3, HOUR, (None, "P10"), None, True, True),
    (60, timedelta(days=20), (None, "P10"), None, False, False),
    (400, HOUR, ("P03", "P10"), True, True, True),
    (2000, HOUR, ("P03", "P03"), True, False, False),
]


@pytest.mark.parametrize(("metres", "apart", "kinds", "same", "proposed", "asked"), TABLE)
def test_when_two_reports_are_one(
    metres: float,
    apart: timedelta,
    kinds: tuple[str | None, str | None],
    same: bool | None,
    proposed: bool,
    asked: bool,
) -> None:
    found = score(Pair(metres, apart, 0.0, *kinds, same_picture=same))
    assert (found.proposed, found.worth_asking) == (proposed, asked)


def test_the_reasons_are_told() -> None:
    pair = Pair(12, 3 * HOUR, 5.0, "P03", "P03", "垃圾桶脏污满冒、周边不洁", same_picture=False)
    assert score(pair).reasons == (
        "位置基本相同",
        "同为「垃圾桶脏污满冒、周边不洁」",
        "相隔3小时",
    )
    pair = Pair(320, timedelta(days=4), same_picture=True)
    assert score(pair).reasons == ("照片几乎相同", "相距约320米", "相隔4天")
    assert score(Pair(40, timedelta(seconds=20), 0, "P03", "P10")).reasons == (
        "相距约40米",
        "问题类别不同",
        "相隔1分钟",
    )


def test_a_pin_that_may_be_wrong_is_given_the_benefit() -> None:
    assert not score(Pair(170, HOUR, 0, "P03", "P03")).value
    assert score(Pair(170, HOUR, 40, "P03", "P03")).value
    assert not score(Pair(250, HOUR, 5000, "P03", "P03")).value


@given(st.floats(0, 5000), st.floats(0, 5000), st.integers(0, 10**7), st.integers(0, 10**7))
def test_nearer_and_sooner_never_counts_less(
    one: float, other: float, soon: int, late: int
) -> None:
    near, far = sorted((one, other))
    first, second = sorted((soon, late))
    better = score(Pair(near, timedelta(seconds=first), 0, "P03", "P03")).value
    worse = score(Pair(far, timedelta(seconds=second), 0, "P03", "P03")).value
    assert 0 <= worse <= better <= 1
