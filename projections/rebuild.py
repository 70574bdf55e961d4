"""Builds a new generation of all views from the log's start while the old one serves.

Worker processes of their own each fold the streams that fall to them, in memory, and write in
bulk; then the indexes are made, the last pages are read as any reader reads them, and the new
generation is named as serving. The server's process and the log's file are not touched: the log
is read in short pages, the new generation is another file or schema.
"""

import gc
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, closing
from typing import NamedTuple, Protocol
from uuid import UUID

import msgspec
from sqlalchemy import update

from casework.events import PersonErased
from casework.log.port import Log, Recorded
from projections.case_keys import CaseKeys, doubled_numbers
from projections.generations import Shelf, create_tables, finish, next_name
from projections.lines import BESIDE, CaseKey, Line, Opener
from projections.reading import PAGE, Readers
from projections.tables import READER_POSITION, TRANSIENT
from projections.view import Fold, OnPoison, View, reads

BULK_PAGE = 5_000
"""Events in one short read of the log."""

SPILL_PAGES = 8
"""Pages between two writes: long enough to be worth a transaction, short enough for memory."""

ROUNDS = 3
"""How often a rebuild starts again because it met an event that no pass had met before."""

WORKERS = 2

LOOK_FOR_PARENT_SECONDS = 1.0

NICE = 5
"""What workers give way to: the server beside them, which appends and answers."""


class Part(NamedTuple):
    """Which range of streams falls to a worker: the n-th of so many. Ids are evenly spread."""

    n: int
    of: int

    def bounds(self) -> tuple[bytes, bytes]:
        """The lowest and the highest stream id of the part."""
        low = (self.n << 128) // self.of
        high = ((self.n + 1) << 128) // self.of - 1
        return low.to_bytes(16, "big"), high.to_bytes(16, "big")

    def holds(self, stream: UUID) -> bool:
        low, high = self.bounds()
        return low <= stream.bytes <= high


class Source(Protocol):
    """The log as a rebuild reads it, opened in the worker's own process."""

    @property
    def log(self) -> Log: ...

    @property
    def opener(self) -> Opener: ...

    def page(self, position: int, limit: int, stop: int, part: Part) -> tuple[list[Recorded], int]:
        """Read the next `limit` events above `position` up to `stop`.

        Answers with those of the part, and the last position read: `position` itself where there
        is none. Erasures fall to every part.
        """
        ...


class LogSource:
    """A source over any log; each part decodes all of it. `stored_log` is quicker."""

    def __init__(self, log: Log, opener: Opener) -> None:
        self.log = log
        self.opener = opener

    def page(self, position: int, limit: int, stop: int, part: Part) -> tuple[list[Recorded], int]:
        """See Source."""
        page = self.log.since(position, limit, stop)
        mine = [e for e in page if part.holds(e.stream) or isinstance(e.event, PersonErased)]
        return mine, page[-1].position if page else position


OpenSource = Callable[[], AbstractContextManager[Source]]
"""Opens the source. Goes to another process, so it must be importable by name (or a `partial`)."""

OpenShelf = Callable[[], Shelf]
"""Opens the shelf, as above."""


class Fault(msgspec.Struct, frozen=True):
    """A view could not fold a stream from this position on."""

    view: str
    stream: bytes
    position: int


class Job(msgspec.Struct, frozen=True):
    """What a worker is to do; all of it can be sent to another process."""

    open_source: OpenSource
    open_shelf: OpenShelf
    generation: str
    views: tuple[View, ...]
    stop: int
    part: Part
    faults: tuple[Fault, ...]


class _Bulk:
    """The folds of one worker, each with the streams it must leave alone."""

    def __init__(self, views: Sequence[View], faults: Sequence[Fault]) -> None:
        self._pairs = [(view, view.fold(empty=True)) for view in views]
        self._leave: set[tuple[str, bytes]] = set()
        self._until: dict[str, int] = {}
        for fault in faults:
            self._leave_alone(fault)
        self.met: list[Fault] = []

    def _leave_alone(self, fault: Fault) -> None:
        self._leave.add((fault.view, fault.stream))
        self._until[fault.view] = min(fault.position, self._until.get(fault.view, fault.position))

    def apply(self, lines: Sequence[Line]) -> None:
        """Fold a page, view by view, so that a fold's code and rows stay near the processor."""
        of_cases = [line for line in lines if line.kind not in BESIDE]
        for view, fold in self._pairs:
            mine = [line for line in lines if reads(view, line)] if view.beside else of_cases
            self._fold(view, fold, mine)

    def _fold(self, view: View, fold: Fold, lines: Sequence[Line]) -> None:
        for line in lines:
            if self._leave and self._is_left(view, line):
                continue
            try:
                fold.apply(line)
            except TRANSIENT:
                raise
            except Exception:  # noqa: BLE001  any fault of a fold is the event's; the next round leaves it out
                fault = Fault(view.name, line.stream, line.position)
                self.met.append(fault)
                self._leave_alone(fault)

    def _is_left(self, view: View, line: Line) -> bool:
        if view.on_poison is OnPoison.STOP and view.name in self._until:
            return line.position >= self._until[view.name]
        return (view.name, line.stream) in self._leave

    def folds(self) -> list[Fold]:
        return [fold for _, fold in self._pairs]


def fold_part(job: Job) -> tuple[Fault, ...]:
    """Fold one part of the streams up to `stop` and write it. Returns the faults it met newly."""
    # Millions of small objects that live to the end: looking for cycles among them is all cost.
    gc.disable()
    with closing(job.open_shelf()) as shelf:
        engine = shelf.load(job.generation)
    bulk = _Bulk(job.views, job.faults)
    keys: dict[bytes, CaseKey] = {}
    position = pages = 0
    with job.open_source() as source:
        while position < job.stop:
            page, last = source.page(position, BULK_PAGE, job.stop, job.part)
            if last == position:
                break
            position = last
            bulk.apply(list(source.opener.lines_from_start(page, keys)))
            pages += 1
            if pages % SPILL_PAGES == 0:
                with engine.begin() as connection:
                    for fold in bulk.folds():
                        fold.spill(connection)
    for fold in bulk.folds():
        with engine.begin() as connection:
            fold.write(connection)
    engine.dispose()
    gc.enable()
    return tuple(bulk.met)


def begin_worker(parent: int) -> None:
    """Give way to others, and do not outlive the process that started it.

    A worker whose parent was killed would wait for its next job for ever.
    """
    os.nice(NICE)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_FOR_PARENT_SECONDS)
    os._exit(1)


class Rebuilt(msgspec.Struct, frozen=True):
    """The new generation, and how many events were folded in bulk up to which position."""

    generation: str
    position: int
    held: int


def rebuild(
    open_source: OpenSource,
    open_shelf: OpenShelf,
    views: Sequence[View],
    *,
    workers: int = WORKERS,
    serve: bool = True,
) -> Rebuilt:
    """Build a new generation up to the log's head and let it serve.

    Runs in a process of its own (a command line, or one started by the server); with one worker
    it folds in this process. What no view can fold is held aside as when reading live. Raises
    RuntimeError when every round meets new poison, OSError and database errors as they come.
    """
    with closing(open_shelf()) as shelf, open_source() as source:
        name = next_name(shelf, views)
        stop = source.log.head()
        faults: tuple[Fault, ...] = ()
        for _ in range(ROUNDS):
            shelf.make(name)
            job = Job(open_source, open_shelf, name, tuple(views), stop, Part(0, 1), faults)
            met = _load(shelf, job, workers)
            if not met:
                break
            faults += met
        else:
            shelf.remove(name)
            raise RuntimeError(f"new faults in each of {ROUNDS} rounds: {faults}")
        engine = shelf.open(name)
        readers = Readers(engine, name, views, source.opener)
        for fault in faults:
            readers.set_aside(source.log, fault.view, UUID(bytes=fault.stream))
        while any(batch.events for batch in readers.step(source.log, PAGE)):
            if readers.seen() >= source.log.head():
                break
        held = len(readers.held())
        engine.dispose()
        if serve:
            shelf.serve(name)
    return Rebuilt(name, stop, held)


def _load(shelf: Shelf, job: Job, workers: int) -> tuple[Fault, ...]:
    """Fill a generation's empty tables. Returns the faults met; with any, it is not whole."""
    engine = shelf.load(job.generation)
    with engine.begin() as connection:
        create_tables(connection, job.generation, job.views)
    engine.dispose()
    jobs = [msgspec.structs.replace(job, part=Part(i, workers)) for i in range(workers)]
    if workers == 1:
        met = fold_part(jobs[0])
    else:
        # Forking a process that has threads would copy locks held by none: start afresh.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(
            workers, mp_context=context, initializer=begin_worker, initargs=(os.getpid(),)
        ) as pool:
            met = tuple(fault for faults in pool.map(fold_part, jobs) for fault in faults)
    if met:
        return met
    engine = shelf.load(job.generation)
    with engine.begin() as connection:
        doubled = [Fault(CaseKeys.name, s, n) for s, n in doubled_numbers(connection)]
    if doubled:
        engine.dispose()
        return tuple(doubled)
    with engine.begin() as connection:
        for view in job.views:
            connection.execute(
                update(READER_POSITION)
                .where(READER_POSITION.c.reader == view.name)
                .values(n=_position(view, job))
            )
        finish(connection, job.views)
    engine.dispose()
    shelf.settle(job.generation)
    return ()


def _position(view: View, job: Job) -> int:
    """How far the view has read: all of it, or up to where it stops."""
    if view.on_poison is OnPoison.STOP:
        stops = [fault.position - 1 for fault in job.faults if fault.view == view.name]
        return min([job.stop, *stops])
    return job.stop
