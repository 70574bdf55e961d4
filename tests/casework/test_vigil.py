"""The wall clock against the steady one: small slews are followed, a jump holds the watch."""

from datetime import UTC, datetime, timedelta

from casework.watch import STEP, Vigil

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NINE + timedelta(seconds=seconds)


def test_a_clock_that_runs_as_it_should_lets_the_watch_act() -> None:
    vigil = Vigil(NINE, 100.0)
    assert all(vigil.look(at(n), 100.0 + n) for n in range(0, 600, 2))


def test_a_clock_that_is_slewed_a_little_at_a_time_is_followed() -> None:
    vigil = Vigil(NINE, 100.0)
    assert all(vigil.look(at(n * 2.4), 100.0 + n * 2) for n in range(200))


def test_exactly_the_step_is_let_pass_and_a_microsecond_more_is_held() -> None:
    assert Vigil(NINE, 0.0).look(NINE + STEP, 0.0)
    assert Vigil(NINE, 0.0).look(NINE - STEP, 0.0)
    assert not Vigil(NINE, 0.0).look(NINE + STEP + timedelta(microseconds=1), 0.0)
    assert not Vigil(NINE, 0.0).look(NINE - STEP - timedelta(microseconds=1), 0.0)


def test_a_clock_set_back_holds_the_watch_until_it_is_put_right() -> None:
    vigil = Vigil(NINE, 0.0)
    assert vigil.look(at(10), 10.0)
    assert not vigil.look(at(-3600), 12.0)
    assert vigil.held is not None
    assert (vigil.held.since, vigil.held.ahead) == (at(-3600), timedelta(seconds=-3612))
    assert not vigil.look(at(-3590), 22.0)
    assert vigil.held.since == at(-3600), "held since the jump, not since the last look"
    assert vigil.look(at(30), 30.0), "back where it should be"
    assert vigil.held is None


def test_a_clock_set_ahead_holds_until_a_person_says_it_is_right() -> None:
    vigil = Vigil(NINE, 0.0)
    assert not vigil.look(at(7200), 2.0)
    vigil.accept(at(7202), 4.0)
    assert vigil.held is None
    assert vigil.look(at(7204), 6.0)


def test_a_clock_that_went_back_while_nobody_ran_shows_by_the_newest_fact() -> None:
    vigil = Vigil(NINE, 0.0, newest=at(60))
    assert vigil.held is not None
    assert vigil.held.ahead == timedelta(seconds=-60)
    assert not vigil.look(at(2), 2.0)
    assert vigil.look(at(64), 4.0), "the wall has caught up with what was written"
    assert Vigil(NINE, 0.0, newest=at(-60)).held is None
    assert Vigil(NINE, 0.0, newest=at(5)).held is None, "a little ahead is another machine"
