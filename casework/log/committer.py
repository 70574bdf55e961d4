"""One thread and one connection through which everything enters the log. Knows no SQL.

Commands that arrive while a commit runs share the next one. A caller that goes away takes
nothing with it: its command is stored all the same, and the thread never notices.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
from threading import Condition, Thread

from casework.log.batch import Command
from casework.log.port import (
    Appended,
    LogBusy,
    LogUnavailable,
    Outcome,
)
from casework.log.transaction import Transactions
from casework.log.wakeups import Wakeups
from casework.log.writer import Broken, Held, Writer

MAX_EVENTS = 256
"""Events that share one commit: enough to pay for an fsync, few enough to keep the wait short."""

QUEUE = 4096
"""Commands waiting, about a second's worth of the fastest disk measured; more is overload."""

RETRY_SECONDS = 1.0
"""Between attempts to write again after a failure."""

logger = logging.getLogger(__name__)


Result = Outcome | LogBusy | LogUnavailable


@dataclass(slots=True)
class _Waiting:
    command: Command
    answer: "asyncio.Future[Outcome] | Future[Outcome]"
    loop: asyncio.AbstractEventLoop | None


def _settle(
    answered: Iterable[tuple["asyncio.Future[Outcome] | Future[Outcome]", Result]],
) -> None:
    for future, result in answered:
        if future.done():
            continue  # the caller went away; its events stand
        try:
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
        except InvalidStateError:
            continue  # went away this very moment


def _unavailable(why: str, batch: Sequence[_Waiting]) -> list[LogUnavailable]:
    """One exception a caller: each collects the traceback of the one who raises it."""
    return [LogUnavailable(why) for _ in batch]


class Committer:
    """Owns the thread. `start` before use, `close` at the end."""

    def __init__(
        self,
        writer: Writer,
        *,
        queue: int = QUEUE,
        max_events: int = MAX_EVENTS,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._writer = writer
        self._retry = retry_seconds
        self._limit = queue
        self._max_events = max_events
        self._queue: deque[_Waiting] = deque()
        self._changed = Condition()
        self._closing = False
        self._broken: str | None = "not started"
        self._for_good = False
        self._dead = False
        self._opened: Future[None] = Future()
        self._transactions = Transactions(writer)
        self._current: list[_Waiting] = []
        self._thread = Thread(target=self._run, name="log-committer", daemon=True)
        self.wakeups = Wakeups()
        self.commits = 0
        self.events = 0

    def start(self) -> None:
        """Open the connection in the thread. Raises what `Writer.open` raises."""
        self._thread.start()
        self._opened.result()

    @property
    def alive(self) -> bool:
        """False once the thread has ended: the process should exit."""
        return self._thread.is_alive() and not self._dead

    @property
    def ready(self) -> bool:
        """Whether a command handed in now would be written."""
        return self.alive and self._broken is None and not self._closing

    @property
    def waiting(self) -> int:
        """Commands in the queue."""
        return len(self._queue)

    async def submit(self, command: Command) -> Outcome:
        """Wait for the command to be durable. Raises LogBusy or LogUnavailable."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Outcome] = loop.create_future()
        self._enqueue(_Waiting(command, future, loop))
        return await future

    def submit_blocking(self, command: Command) -> Outcome:
        """Do the same from a thread."""
        future: Future[Outcome] = Future()
        self._enqueue(_Waiting(command, future, None))
        return future.result()

    def close(self) -> None:
        """Write what waits, then stop. A second call does nothing."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join()

    def _enqueue(self, waiting: _Waiting) -> None:
        if waiting.command.size == 0:
            raise ValueError("a command without events leaves no trace to be recognised by")
        with self._changed:
            if self._closing or not self.alive or self._broken is not None:
                raise LogUnavailable(self._broken or "the log is closed")
            if len(self._queue) >= self._limit:
                raise LogBusy(f"{self._limit} commands wait")
            self._queue.append(waiting)
            if len(self._queue) == 1:
                self._changed.notify()

    def _take(self) -> list[_Waiting]:
        """The next batch; empty when closing, or when it is time to try the connection again."""
        with self._changed:
            while not self._queue and not self._closing:
                again = self._broken is not None and not self._for_good
                if not self._changed.wait(self._retry if again else None) and again:
                    return []
            batch: list[_Waiting] = []
            room = self._max_events
            while self._queue and (not batch or self._queue[0].command.size <= room):
                batch.append(self._queue.popleft())
                room -= batch[-1].command.size
            return batch

    def _run(self) -> None:
        try:
            if self._open_first():
                self._loop()
        finally:
            self._end()

    def _open_first(self) -> bool:
        try:
            self._writer.open()
        except BaseException as error:  # noqa: BLE001 - handed on to the caller of start()
            self._opened.set_exception(error)
            return False
        self._broken = None
        self._opened.set_result(None)
        return True

    def _loop(self) -> None:
        while True:
            self._current = self._take()
            if self._broken is not None and not self._mend():
                self._turn_away()
            elif self._current:
                self._serve(self._current)
            self._current = []
            if self._closing and not self._queue:
                return

    def _turn_away(self) -> None:
        """Everybody at once: each attempt to connect may take seconds, and they have waited."""
        with self._changed:
            self._current += self._queue
            self._queue.clear()
        self._answer(self._current, _unavailable(self._broken or "", self._current))

    def _end(self) -> None:
        """Nobody is left waiting for a thread that is gone."""
        with self._changed:
            self._dead = True
            left = self._current + list(self._queue)
            self._queue.clear()
        self._answer(left, _unavailable("the committer has ended", left))
        self._writer.close()

    def _serve(self, batch: list[_Waiting]) -> None:
        head = 0
        results: Sequence[Result]
        try:
            results = self._transactions.write([waiting.command for waiting in batch])
        except Held:
            results = [LogBusy("another process holds the log") for _ in batch]
        except Broken as error:
            results = self._after(error, batch)
        for result in results:
            if isinstance(result, Appended):
                head = max(head, *result.positions)
                self.events += len(result.positions)
        self._answer(batch, results)
        if head:
            self.commits += 1
            self.wakeups.ring(head)
        if self._broken is None:
            try:
                self._writer.rest()
            except Broken as error:
                self._break(error)

    def _after(self, error: Broken, batch: Sequence[_Waiting]) -> Sequence[Result]:
        """What to answer when the connection broke: look whether the commands went in after all.

        Those that did are found by their ids and answered like any command sent twice.
        """
        self._break(error)
        unsettled = _unavailable(str(error), batch)
        if error.for_good or not self._mend():
            return unsettled
        try:
            stored, _ = self._writer.look({waiting.command.command_id for waiting in batch}, ())
        except Broken as again:
            self._break(again)
            return unsettled
        if stored:
            self.wakeups.ring(max(max(found.earlier.positions) for found in stored.values()))
        return [
            stored.get(waiting.command.command_id, failed)
            for waiting, failed in zip(batch, unsettled, strict=True)
        ]

    def _break(self, error: Broken) -> None:
        logger.error("the log cannot be written: %s", error)
        self._broken = str(error)
        self._transactions.forget()
        self._for_good = self._for_good or error.for_good

    def _mend(self) -> bool:
        if self._for_good:
            return False
        try:
            self._writer.open()
            self._writer.probe()
        except Broken as error:
            self._break(error)
            return False
        logger.warning("the log can be written again")
        self._broken = None
        return True

    def _answer(self, batch: Sequence[_Waiting], results: Sequence[Result]) -> None:
        """One call into each event loop for all its futures, not one a future."""
        by_loop: dict[
            asyncio.AbstractEventLoop | None,
            list[tuple[asyncio.Future[Outcome] | Future[Outcome], Result]],
        ] = {}
        for waiting, result in zip(batch, results, strict=True):
            by_loop.setdefault(waiting.loop, []).append((waiting.answer, result))
        for loop, answered in by_loop.items():
            if loop is None:
                _settle(answered)
                continue
            try:
                loop.call_soon_threadsafe(_settle, answered)
            except RuntimeError:
                continue  # the loop is closed: nobody waits there any more
