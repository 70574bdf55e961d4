"""Rate limits over desk.db: the library's strategies, counted in memory, kept over a restart."""

import threading
from collections.abc import Callable
from time import thread_time

from hypothesis import given
from hypothesis import strategies as st
from limits import parse
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter
from sqlalchemy import text

from api.accounts.desk import Desk
from api.accounts.limits_store import DeskStorage

THREE = parse("3/minute")


class Watch:
    """A clock that is set by hand (epoch seconds)."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def started(desk: Desk, clock: Callable[[], float]) -> DeskStorage:
    storage = DeskStorage(desk, clock)
    storage.start()
    return storage


def test_a_moving_window_lets_three_through_and_one_more_when_the_first_is_a_minute_old(
    desk: Desk,
) -> None:
    clock = Watch()
    storage = started(desk, clock)
    limiter = MovingWindowRateLimiter(storage)
    answers = []
    for second in (0, 10, 20, 30, 59, 60, 61, 70, 71):
        clock.now = 1_000_000 + second
        answers.append(limiter.hit(THREE, "submit", "source"))
    assert answers == [True, True, True, False, False, True, False, True, False]
    stats = limiter.get_window_stats(THREE, "submit", "source")
    assert (stats.reset_time, stats.remaining) == (1_000_020 + 60, 0)
    assert limiter.hit(THREE, "submit", "another")
    assert not limiter.hit(THREE, "submit", "third", cost=4)
    storage.stop()


def test_a_fixed_window_counts_from_its_first_hit(desk: Desk) -> None:
    clock = Watch()
    storage = started(desk, clock)
    limiter = FixedWindowRateLimiter(storage)
    assert [limiter.hit(THREE, "a") for _ in range(4)] == [True, True, True, False]
    assert not limiter.test(THREE, "a")
    assert limiter.get_window_stats(THREE, "a").reset_time == 1_000_060
    clock.now += 60
    assert limiter.test(THREE, "a")
    assert limiter.hit(THREE, "a")
    limiter.clear(THREE, "a")
    assert [limiter.hit(THREE, "a") for _ in range(4)] == [True, True, True, False]
    storage.stop()


def test_limits_survive_a_restart(desk: Desk) -> None:
    clock = Watch()
    before = started(desk, clock)
    for _ in range(3):
        assert MovingWindowRateLimiter(before).hit(THREE, "m")
        assert FixedWindowRateLimiter(before).hit(THREE, "f")
    before.stop()
    clock.now += 59
    after = started(desk, clock)
    assert not MovingWindowRateLimiter(after).hit(THREE, "m")
    assert not FixedWindowRateLimiter(after).hit(THREE, "f")
    clock.now += 1
    assert MovingWindowRateLimiter(after).hit(THREE, "m")
    assert FixedWindowRateLimiter(after).hit(THREE, "f")
    after.stop()


def test_counts_reach_the_disk_by_themselves_within_the_second(desk: Desk) -> None:
    written = threading.Event()

    class Told(DeskStorage):
        def flush(self) -> None:
            super().flush()
            written.set()

    storage = Told(desk, Watch())
    storage.start()
    for _ in range(3):
        MovingWindowRateLimiter(storage).hit(THREE, "m")
    written.clear()
    assert written.wait(60)
    other = started(desk, Watch())
    assert not MovingWindowRateLimiter(other).hit(THREE, "m")
    other.stop()
    storage.stop()


def test_two_processes_add_their_counts_up(desk: Desk, desk_url: str) -> None:
    clock = Watch()
    elsewhere = Desk(desk_url)
    here, there = started(desk, clock), started(elsewhere, clock)
    for storage in (here, there):
        assert MovingWindowRateLimiter(storage).hit(THREE, "m")
        assert FixedWindowRateLimiter(storage).hit(THREE, "f")
    here.flush()
    assert MovingWindowRateLimiter(there).hit(THREE, "m")
    assert FixedWindowRateLimiter(there).hit(THREE, "f")
    there.flush()
    assert not MovingWindowRateLimiter(there).hit(THREE, "m")
    assert not FixedWindowRateLimiter(there).hit(THREE, "f")
    here.stop()
    there.stop()
    elsewhere.close()


def test_when_the_database_fails_limits_hold_and_are_written_later(desk: Desk) -> None:
    clock = Watch()
    storage = DeskStorage(desk, clock)
    prefix = "" if desk.is_sqlite else "desk."
    with desk.write() as connection:
        connection.execute(text(f"ALTER TABLE {prefix}rate_moments RENAME TO away"))
    for _ in range(2):
        assert MovingWindowRateLimiter(storage).hit(THREE, "m")
        assert FixedWindowRateLimiter(storage).hit(THREE, "f")
        storage.flush()
    assert not storage.check()
    with desk.write() as connection:
        connection.execute(text(f"ALTER TABLE {prefix}away RENAME TO rate_moments"))
    storage.flush()
    assert storage.check()
    for limiter in (MovingWindowRateLimiter, FixedWindowRateLimiter):
        again = started(desk, clock)
        assert (
            limiter(again)
            .get_window_stats(THREE, "m" if limiter is MovingWindowRateLimiter else "f")
            .remaining
            == 1
        )
        again.stop()


def test_what_is_over_leaves_memory_and_disk(desk: Desk) -> None:
    clock = Watch()
    storage = DeskStorage(desk, clock)
    MovingWindowRateLimiter(storage).hit(THREE, "m")
    FixedWindowRateLimiter(storage).hit(THREE, "f")
    storage.flush()
    clock.now += 60
    storage.remove_expired()
    prefix = "" if desk.is_sqlite else "desk."
    with desk.read() as connection:
        for table in ("rate_moments", "rate_window"):
            left = connection.execute(text(f"SELECT count(*) FROM {prefix}{table}"))  # noqa: S608  fixed
            assert left.scalar_one() == 0
    assert storage.reset() == 0


def test_reset_forgets_everything(desk: Desk) -> None:
    storage = DeskStorage(desk, Watch())
    limiter = MovingWindowRateLimiter(storage)
    while limiter.hit(THREE, "m"):
        pass
    storage.flush()
    assert storage.reset() == 1
    assert limiter.hit(THREE, "m")


@given(st.lists(st.floats(0, 100), max_size=40).map(sorted))
def test_no_minute_ever_holds_more_than_the_limit(hits: list[float]) -> None:
    desk = Desk("sqlite+pysqlite:////nowhere/desk.db")  # counting never opens it
    clock = Watch()
    limiter = MovingWindowRateLimiter(DeskStorage(desk, clock))
    passed = []
    for second in hits:
        clock.now = 1_000_000 + second
        if limiter.hit(THREE, "m"):
            passed.append(clock.now)
    for start in passed:
        assert sum(start <= at < start + 60 for at in passed) <= 3
    desk.close()


def test_five_hundred_checks_take_a_small_part_of_a_second(desk: Desk) -> None:
    storage = started(desk, Watch())
    limiter = MovingWindowRateLimiter(storage)
    best = 1.0
    for turn in range(5):
        began = thread_time()
        for n in range(500):
            limiter.hit(THREE, "submit", f"{turn}-{n}")
        best = min(best, thread_time() - began)
    storage.stop()
    assert best < 0.05
