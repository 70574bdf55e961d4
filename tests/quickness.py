"""How quick a thing is, on a machine that others use too: only the best of some tries counts."""

import time
from collections.abc import Callable

TRIES = 10


def quickest(
    work: Callable[[], object], enough: float, clock: Callable[[], float] = time.monotonic
) -> float:
    """Seconds of the quickest of `TRIES` runs; one that takes less than `enough` is the last.

    What runs in this thread is timed by `time.thread_time`, which does not count the others.
    """
    best = float("inf")
    for _ in range(TRIES):
        began = clock()
        work()
        best = min(best, clock() - began)
        if best < enough:
            break
    return best
