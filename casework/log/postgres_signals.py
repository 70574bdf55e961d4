"""Tells other processes that the log has grown, and hears it from them. Carries a position only.

NOTIFY never runs inside a commit: there it would take a lock over the whole database through
each fsync. It runs on a connection of its own, at most every few milliseconds.
"""

import logging
from collections.abc import Callable
from threading import Event, Thread

import psycopg
from psycopg.rows import TupleRow

from casework.log.wakeups import Wakeups

CHANNEL = "casework_log"

GAP_SECONDS = 0.004
"""Between two NOTIFYs: readers notice nothing, the server has 250 a second at most."""

POLL_SECONDS = 1.0
"""Readers look this often even when nothing is heard: a NOTIFY is no promise."""

logger = logging.getLogger(__name__)


class Signals:
    """Two threads, two connections. A lost connection is made again every POLL_SECONDS."""

    def __init__(self, conninfo: str, wakeups: Wakeups) -> None:
        self._conninfo = conninfo
        self._wakeups = wakeups
        self._news = Event()
        self._closing = Event()
        self._head = 0
        self._threads = [
            Thread(target=self._keep, args=(self._speak,), name="log-notify", daemon=True),
            Thread(target=self._keep, args=(self._listen,), name="log-listen", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def announce(self, head: int) -> None:
        """Have other processes told, shortly. Does not block."""
        self._head = head
        self._news.set()

    def close(self) -> None:
        """Stop both threads."""
        self._closing.set()
        self._news.set()
        for thread in self._threads:
            thread.join()

    def _keep(self, work: Callable[[psycopg.Connection[TupleRow]], None]) -> None:
        while not self._closing.is_set():
            try:
                with psycopg.connect(self._conninfo, autocommit=True) as connection:
                    work(connection)
            except psycopg.Error as error:
                logger.warning("signals of the log interrupted: %s", error)
                self._closing.wait(POLL_SECONDS)
                self._wakeups.ring(0)

    def _speak(self, connection: psycopg.Connection[TupleRow]) -> None:
        while True:
            self._news.wait()
            self._news.clear()
            # At the end too, so that the listener wakes and sees that it is the end.
            connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, str(self._head)))
            if self._closing.wait(GAP_SECONDS):
                connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, str(self._head)))
                return

    def _listen(self, connection: psycopg.Connection[TupleRow]) -> None:
        connection.execute(f"LISTEN {CHANNEL}")
        while not self._closing.is_set():
            # Asked for each time, first of all right after LISTEN: what was committed before it,
            # or announced by a process that died over it, is found here.
            row = connection.execute("SELECT coalesce(max(position), 0) FROM events").fetchone()
            head = 0 if row is None else row[0]
            self._wakeups.ring(head)
            for _heard in connection.notifies(timeout=POLL_SECONDS, stop_after=1):
                break
