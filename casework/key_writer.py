"""The one hand that writes keys.db: a thread that commits many jobs in one fsync.

Knows connections and transactions, not what is written.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pysqlite3 import dbapi2 as sqlite3

T = TypeVar("T")

_MOST_TOGETHER = 256
# A commit costs one fsync however many keys it holds; beyond this the wait grows, not the rate.
_MOST_WAITING = 8192
_PATIENCE_S = 3
# Another process commits in milliseconds; whoever holds the file longer is met again later.
_IO_ERROR = 10
# SQLITE_IOERR: after a failed fsync nobody knows what the disk holds, so nothing more is promised.


class KeysBusy(Exception):  # noqa: N818  a state to wait out, not a fault
    """Too many jobs wait, or another process holds the file. Try again later (503)."""

    def __str__(self) -> str:
        return "系统繁忙，请稍后再试。"


class KeysNotWritten(Exception):  # noqa: N818  names what did not happen
    """The disk refused the write; nothing of it may be relied on."""

    def __str__(self) -> str:
        return "密钥未能写入磁盘，本次提交没有保存，请稍后再试。"


@dataclass(eq=False)
class _Job:
    """`shared`: may stand in one transaction with others, being a single statement each."""

    run: Callable[[sqlite3.Connection], None]
    fail: Callable[[BaseException], None]
    settle: Callable[[], None]
    start: Callable[[], bool]
    shared: bool


class KeyWriter:
    """Runs jobs on its own connection and answers each only after its commit is on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._jobs: queue.Queue[_Job | None] = queue.Queue(_MOST_WAITING)
        self._broken: BaseException | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="keys", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """False once the disk failed or the thread ended: the process is not ready then."""
        return self._thread.is_alive() and self._broken is None

    def together(self, job: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """Run `job` in a transaction shared with others; the future is done after the fsync.

        An error of the job's own fails that job alone, so it must not leave half a write.
        """
        return self._submit(job, shared=True)

    def alone(self, job: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """Run `job` outside any transaction; it begins and commits its own."""
        return self._submit(job, shared=False)

    def close(self) -> None:
        """Finish what was accepted, then stop."""
        if not self._closing:
            self._closing = True
            if self._thread.is_alive():
                self._jobs.put(None)
        self._thread.join()

    def _submit(self, job: Callable[[sqlite3.Connection], T], *, shared: bool) -> Future[T]:
        if self._closing or not self.alive:
            raise KeysNotWritten from self._broken
        future: Future[T] = Future()
        answers: list[T] = []

        def fail(error: BaseException) -> None:
            if not future.done():
                future.set_exception(error)

        try:
            self._jobs.put_nowait(
                _Job(
                    run=lambda db: answers.append(job(db)),
                    fail=fail,
                    settle=lambda: future.set_result(answers[-1]),
                    # After this a caller who hangs up can no longer cancel the future under us.
                    start=future.set_running_or_notify_cancel,
                    shared=shared,
                )
            )
        except queue.Full:
            raise KeysBusy from None
        if not self._thread.is_alive():  # it ended between the question above and the queue
            self._refuse_the_rest()
        return future

    def _run(self) -> None:
        batch: list[_Job] = []
        try:
            db = connect_to_write(self._path)
            try:
                last = False
                while not last and self._broken is None and (job := self._jobs.get()) is not None:
                    batch, last = self._drain(job)
                    self._commit(db, [one for one in batch if one.shared and one.start()])
                    for one in batch:
                        if not one.shared and one.start():
                            self._run_alone(db, one)
            finally:
                db.close()
        except BaseException as error:
            self._broken = error
            for one in batch:
                one.fail(KeysNotWritten())
            raise
        finally:
            self._refuse_the_rest()

    def _drain(self, first: _Job) -> tuple[list[_Job], bool]:
        batch = [first]
        while len(batch) < _MOST_TOGETHER:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return batch, True
            batch.append(job)
        return batch, False

    def _commit(self, db: sqlite3.Connection, batch: list[_Job]) -> None:
        if not batch:
            return
        done: list[_Job] = []
        refused: list[tuple[_Job, Exception]] = []
        try:
            db.execute("BEGIN IMMEDIATE")
            for job in batch:
                try:
                    job.run(db)
                    done.append(job)
                except sqlite3.Error:
                    raise
                except Exception as error:  # noqa: BLE001  handed to the one who asked
                    refused.append((job, error))
            db.execute("COMMIT")
        except sqlite3.Error as error:
            failure = self._failed(db, error)
            for job in batch:
                job.fail(failure)
            return
        for job in done:
            job.settle()
        for job, why in refused:
            job.fail(why)

    def _run_alone(self, db: sqlite3.Connection, job: _Job) -> None:
        try:
            job.run(db)
        except sqlite3.Error as error:
            job.fail(self._failed(db, error))
        except Exception as error:  # noqa: BLE001  handed to the one who asked
            if db.in_transaction:
                db.execute("ROLLBACK")
            job.fail(error)
        else:
            job.settle()

    def _failed(self, db: sqlite3.Connection, error: sqlite3.Error) -> Exception:
        if db.in_transaction:
            db.execute("ROLLBACK")
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in {5, 6}:  # SQLITE_BUSY, SQLITE_LOCKED
            return KeysBusy()
        if code == _IO_ERROR:
            self._broken = error
        failure = KeysNotWritten()
        failure.__cause__ = error
        return failure

    def _refuse_the_rest(self) -> None:
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return
            if job is not None and job.start():
                job.fail(KeysNotWritten())


def connect_to_write(path: Path) -> sqlite3.Connection:
    """A connection whose commits are on disk when they return, and whose deletions are zeros."""
    db = sqlite3.connect(path, isolation_level=None, timeout=_PATIENCE_S)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA secure_delete=ON")
    db.execute("PRAGMA foreign_keys=ON")
    return db
