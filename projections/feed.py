"""The thread that keeps the views fresh: woken by commits, and by a poll. Folds nothing itself.

One thread a process. Lag is one fold and one commit, 1–5 ms. It also lets a request wait until the
views have seen a position (read your writes).
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from casework.log.port import Log
from projections.process import Process
from projections.reading import Batch, HeldStream, LostTables, Readers

POLL_SECONDS = 0.5
"""A wake-up may be lost when another process writes; so look again this often."""

RETRY_SECONDS = 0.2
"""After the database failed."""

MEND_SECONDS = 60.0
"""Held streams are tried again this often: a mended release or key store may read them."""

WAIT_SECONDS = 2.0
"""How long a reader of its own write waits before it takes what is there."""

LOOK_SECONDS = 0.02
"""How often a wait looks at the tables, for a feed that runs in another process."""


LONGEST_PAUSE = 0.15
"""Seconds between two batches at the head of the log at most."""


class AsOf(msgspec.Struct, frozen=True):
    """What an answer was computed from: the position, its log, and the streams held aside."""

    position: int
    epoch: UUID
    held: tuple[UUID, ...] = ()
    degraded: bool = False


class BeyondHead(Exception):  # noqa: N818  the caller's mistake: 400
    """A position that the log has not reached."""

    def __str__(self) -> str:
        return "所给的位置超出了日志末尾。"


class _Wait(NamedTuple):
    position: int
    loop: asyncio.AbstractEventLoop
    reached: asyncio.Future[None]


def _wake(reached: asyncio.Future[None]) -> None:
    if not reached.done():
        reached.set_result(None)


class Feed:
    """Keeps one generation's readers at the head of the log.

    `processes` are run after the views in each round, with the position that the views have seen.
    `now` is a monotonic clock in seconds.
    """

    patience: float = WAIT_SECONDS
    """Seconds that a reader of its own write waits who does not say how long."""

    def __init__(
        self,
        log: Log,
        readers: Readers,
        *,
        processes: Sequence[Process] = (),
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.log = log
        self._readers = readers
        self._processes = processes
        self._now = now
        self._wake = threading.Event()
        self._arrived = threading.Condition()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._seen = 0
        self._waiting: list[_Wait] = []
        self._next_mend = 0.0
        self._stopped: tuple[str, ...] = ()
        self._held: tuple[UUID, ...] = ()
        self._switch = threading.Lock()
        self.caught_up = False
        """The first catch-up is done: until then the process is not ready."""
        self.failure: Exception | None = None
        """Why the last round failed; None when it went well."""
        self.counts: dict[str, int] = {
            "events": 0, "batches": 0, "failures": 0, "mended": 0,
        }  # fmt: skip

    @property
    def readers(self) -> Readers:
        """The generation that serves."""
        return self._readers

    @property
    def lost(self) -> bool:
        """Whether the views are gone and must be built anew; see LostTables."""
        return isinstance(self.failure, LostTables)

    def start(self) -> None:
        """Start reading; returns at once."""
        self._thread = threading.Thread(target=self._run, name="views", daemon=True)
        self.log.on_commit(self._on_commit)
        self._thread.start()

    def stop(self) -> None:
        """Finish the batch in hand and end the thread."""
        self._ended.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def _on_commit(self, _head: int) -> None:
        self._wake.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            self._wake.clear()
            began = self._now()
            try:
                # Where people write all the time there is no round that finds nothing.
                head = None if self.caught_up else self.log.head()
                busy = self.round()
                if head is not None and self._all_have_read(head):
                    self.caught_up = True
            except Exception as failure:  # noqa: BLE001  a dead thread would leave the views old for ever
                self._fail(failure)
                continue
            self.failure = None
            if not busy:
                self.caught_up = True
                self._wake.wait(POLL_SECONDS)
            elif self.caught_up and not self._waiting:
                # Small batches cost most: at the head of the log the views take a quarter of the
                # time at most, and larger batches instead, so that who writes is not held up.
                self._ended.wait(min(3 * (self._now() - began), LONGEST_PAUSE))

    def _fail(self, failure: Exception) -> None:
        self.failure = failure
        if self.lost:
            self.caught_up = False
        self.counts["failures"] += 1
        self._ended.wait(RETRY_SECONDS)

    def round(self) -> bool:
        """One step of all readers, and the upkeep after it. False when there was nothing to do."""
        with self._switch:
            batches = self._readers.step(self.log)
            self._note(batches)
            self._keep_up()
            at = self._readers.seen()
        self._arrive(at)
        busy = any(batch.events for batch in batches)
        recorded = [process.step(self.log, at) for process in self._processes]
        return busy or any(recorded)

    def _all_have_read(self, head: int) -> bool:
        """Whether every reader that goes on stands there or beyond."""
        positions = self._readers.positions()
        return all(n >= head for name, n in positions.items() if name not in self._stopped)

    def _arrive(self, at: int) -> None:
        with self._arrived:
            self._seen = at
            self._arrived.notify_all()
            waiting, self._waiting = self._waiting, []
            for wait in waiting:
                if wait.position > at:
                    self._waiting.append(wait)
                elif not wait.loop.is_closed():
                    wait.loop.call_soon_threadsafe(_wake, wait.reached)

    def switch(self, readers: Readers) -> None:
        """Serve another generation from here on; the old one is not read any more."""
        with self._switch:
            self._readers = readers
        self._wake.set()

    def _note(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            self.counts["batches"] += 1
            self.counts["events"] += batch.events
        self._stopped = tuple(name for batch in batches for name in batch.stopped)

    def _keep_up(self) -> None:
        """Try held streams now and then."""
        if self._now() >= self._next_mend:
            self._next_mend = self._now() + MEND_SECONDS
            self.counts["mended"] += self._readers.mend(self.log)
        self._held = tuple(dict.fromkeys(held.stream for held in self._readers.held()))

    def held(self) -> list[HeldStream]:
        """What is held aside, for the operator."""
        return self._readers.held()

    def as_of(self) -> AsOf:
        """From what an answer given now is computed."""
        degraded = bool(self._held or self._stopped or self.failure)
        return AsOf(self._seen, self.log.epoch, self._held, degraded)

    def metrics(self) -> dict[str, int]:
        """Counters and gauges by name, for /metrics."""
        return {
            **self.counts,
            "position": self._seen,
            "head": self.log.head(),
            "held_streams": len(self._held),
            "stopped_readers": len(self._stopped),
            "degraded": int(bool(self._held or self._stopped or self.failure)),
        }

    def _has_seen(self, position: int) -> bool:
        if self._seen >= position:
            return True
        at = self._readers.seen()
        self._seen = max(self._seen, at)
        return at >= position

    def wait_for(self, position: int, timeout: float | None = None) -> AsOf:
        """Wait until the views have seen `position`, at most `timeout` seconds, or `patience`.

        Answers with what they have seen by then, which may be less. Raises BeyondHead.
        """
        if self._seen < position and position > self.log.head():
            raise BeyondHead
        until = time.monotonic() + (self.patience if timeout is None else timeout)
        while not self._has_seen(position) and (left := until - time.monotonic()) > 0:
            with self._arrived:
                if self._seen < position:
                    self._arrived.wait(min(left, LOOK_SECONDS))
        return self.as_of()

    async def seen(self, position: int, timeout: float | None = None) -> AsOf:  # noqa: ASYNC109  the wait answers with what is there, it does not fail
        """Do what `wait_for` does without holding the event loop."""
        if self._seen < position and position > self.log.head():
            raise BeyondHead
        if self._thread is None:  # another process reads
            return await asyncio.to_thread(self.wait_for, position, timeout)
        loop = asyncio.get_running_loop()
        wait = _Wait(position, loop, loop.create_future())
        with self._arrived:
            if self._seen >= position:
                return self.as_of()
            self._waiting.append(wait)
        await asyncio.wait({wait.reached}, timeout=self.patience if timeout is None else timeout)
        if not wait.reached.done():
            with self._arrived:
                self._waiting = [other for other in self._waiting if other is not wait]
        return self.as_of()
