"""Who wants to know that the log has grown. Carries a position, never an event."""

import logging
from collections.abc import Callable
from threading import Lock

logger = logging.getLogger(__name__)


class Wakeups:
    """Calls everybody who asked, from the thread that noticed. A callee must not block."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._wakes: tuple[Callable[[int], None], ...] = ()

    def add(self, wake: Callable[[int], None]) -> None:
        with self._lock:
            self._wakes = (*self._wakes, wake)

    def remove(self, wake: Callable[[int], None]) -> None:
        """No error if it is not there."""
        with self._lock:
            self._wakes = tuple(each for each in self._wakes if each != wake)

    def ring(self, head: int) -> None:
        """Tell everybody that the log reaches `head` at least."""
        for wake in self._wakes:
            try:
                wake(head)
            except Exception:  # a reader's fault must not stop the log
                logger.exception("a commit listener failed")
