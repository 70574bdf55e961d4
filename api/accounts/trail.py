"""The thread that writes the audit trail in groups. Knows how rows get there, not what they mean.

A row that somebody waits for is committed at once, with all that is queued. Rows nobody waits for
gather for up to 0.1 s, so that a busy log is not slowed by a second fsync a command; after a kill
the accepted commands among them are added again from the log by `record_missing`. So refusals and
reveals, which the log does not know, are recorded with `record_durably`.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future
from itertools import islice

from sqlalchemy import insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from api.accounts.audit import Entry, append
from api.accounts.desk import Desk, Turn
from api.accounts.errors import Overloaded
from api.accounts.tables import audit_through

_GATHER_S = 0.1
_GROUP = 512
_RETRY_S = 0.5
_ROOM = 20_000
"""Rows that may wait. About 10 MB and some seconds of writing; beyond it commands are refused."""

_Queued = tuple[Entry, Future[None] | None]


class AuditTrail:
    """The writer of the trail. Start it once a process; stop it after the last command."""

    def __init__(self, desk: Desk, room: int = _ROOM) -> None:
        self._desk = desk
        self._room = room
        self._queue: deque[_Queued] = deque()
        self._changed = threading.Condition()
        self._waited_for = 0
        self._stopping = False
        self._failing = False
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Write what is queued, then end. What cannot be written then is given up."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join()

    def is_healthy(self) -> bool:
        """False while rows cannot be written, or the thread is gone: not ready to serve."""
        return self._thread.is_alive() and not self._failing

    def has_room(self) -> bool:
        """Ask before a command is accepted; where False answer 503, for no row may be dropped."""
        return len(self._queue) < self._room

    def record(self, entry: Entry) -> None:
        """Queue a row that the log could give again: an accepted command. Never waits."""
        with self._changed:
            self._queue.append((entry, None))
            if len(self._queue) == 1 or len(self._queue) == _GROUP:
                self._changed.notify()

    async def record_durably(self, entry: Entry) -> None:
        """Come back when the row is on disk: reveals, refusals, sign-ins.

        Raises Overloaded where the queue is full, and what the database said where it failed;
        then what was to be shown must not be shown.
        """
        if not self.has_room():
            raise Overloaded
        done: Future[None] = Future()
        with self._changed:
            if self._stopping:
                raise Overloaded
            self._queue.append((entry, done))
            self._waited_for += 1
            self._changed.notify()
        await asyncio.wrap_future(done)

    def recorded_through(self) -> int:
        """The log position up to which every accepted command is known to have its row."""
        with self._desk.read() as connection:
            return connection.scalar(select(audit_through.c.position)) or 0

    def record_missing(self, entries: Iterable[Entry], through: int) -> int:
        """Add the rows of accepted commands that a crash left out; returns how many.

        `entries` are the commands of the log after `recorded_through()` up to position `through`,
        each with its command id. Repeating adds nothing. Run at start, and now and then.
        """
        added = 0
        rest = iter(entries)
        while group := list(islice(rest, _GROUP)):
            with self._desk.write(Turn.AUDIT) as connection:
                added += append(connection, group)
        with self._desk.write(Turn.AUDIT) as connection:
            reached = connection.scalar(select(audit_through.c.position))
            if reached is None:
                connection.execute(insert(audit_through).values(one=True, position=through))
            elif reached < through:
                connection.execute(update(audit_through).values(position=through))
        return added

    def _run(self) -> None:
        try:
            while group := self._next_group():
                self._write(group)
        finally:
            # Whether stopped or fallen over: nobody may wait for a thread that is gone.
            with self._changed:
                self._stopping = True
                left = list(self._queue)
                self._queue.clear()
            for _, done in left:
                _settle(done, Overloaded())

    def _write(self, group: list[_Queued]) -> None:
        fault: Exception | None = None
        try:
            with self._desk.write(Turn.AUDIT) as connection:
                append(connection, [entry for entry, _ in group])
        except SQLAlchemyError as error:
            fault = error
        finally:
            self._failing = fault is not None
            for _, done in group:
                _settle(done, fault)
        if fault is not None:
            self._put_back([queued for queued in group if queued[1] is None])

    def _next_group(self) -> list[_Queued]:
        """Wait for rows worth a commit; empty when stopping and nothing is left."""
        with self._changed:
            while not self._queue and not self._stopping:
                self._changed.wait()
            until = time.monotonic() + _GATHER_S
            while not (self._waited_for or self._stopping or len(self._queue) >= _GROUP):
                if (rest := until - time.monotonic()) <= 0:
                    break
                self._changed.wait(rest)
            group = [self._queue.popleft() for _ in range(min(_GROUP, len(self._queue)))]
            self._waited_for -= sum(done is not None for _, done in group)
            return group

    def _put_back(self, group: list[_Queued]) -> None:
        """Keep what nobody waits for, in order, for another try a little later."""
        with self._changed:
            if not self._stopping:
                self._queue.extendleft(reversed(group))
                self._changed.wait_for(lambda: self._stopping, timeout=_RETRY_S)


def _settle(done: Future[None] | None, fault: Exception | None) -> None:
    """Answer whoever waits; one who went away must not stop the thread."""
    if done is None or not done.set_running_or_notify_cancel():
        return
    if fault is None:
        done.set_result(None)
    else:
        done.set_exception(fault)
