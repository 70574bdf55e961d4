"""Readers of one database: positions moved by compare-and-set, batches, and poison held aside.

Rows and positions commit together. The position moves from the one the batch was read after, in
the first statement of the transaction: of two runners with overlapping batches the second finds
no row, rolls back and reads again. Knows no view and no log storage.
"""

from collections.abc import Callable, Container, Iterable, Sequence
from typing import TypeAlias
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Engine, delete, insert, select, update

from casework.events import PersonErased
from casework.log.port import Log, Recorded
from projections.lines import Line, Opener
from projections.tables import HELD_EVENT, HELD_STREAM, READER_POSITION, TRANSIENT, reading
from projections.view import Fold, OnPoison, View, reads

PAGE = 1000
"""Events in a batch at most; an idle reader takes them one by one as they come."""


class Moved(Exception):  # noqa: N818  names the finding
    """Another runner moved the position first; nothing was written."""


class LostTables(Exception):  # noqa: N818  names the finding
    """The tables are there, and empty: a crash of PostgreSQL does that to unlogged ones."""


class HeldStream(msgspec.Struct, frozen=True):
    """A stream that a view could not fold from `position` on, and why."""

    reader: str
    stream: UUID
    position: int
    why: str


class Batch(msgspec.Struct, frozen=True):
    """What a step did: how many events, up to which position, whom it erased."""

    events: int
    position: int
    erased: tuple[UUID, ...] = ()
    stopped: tuple[str, ...] = ()
    """Readers that wait at an event they cannot fold."""


Move: TypeAlias = Callable[[Connection, str, Sequence[str], int, int], bool]
"""(connection, generation, readers, from, to) -> whether the positions were moved."""


def compare_and_set(
    connection: Connection, generation: str, readers: Sequence[str], start: int, last: int
) -> bool:
    """Move all the readers from `start` to `last`, or none of them is where it was thought."""
    moved = connection.execute(
        update(READER_POSITION)
        .where(
            READER_POSITION.c.reader.in_(readers),
            READER_POSITION.c.generation == generation,
            READER_POSITION.c.n == start,
        )
        .values(n=last)
    )
    return moved.rowcount == len(readers)


class Readers:
    """The views of one generation, read together: each page is decoded once."""

    def __init__(
        self,
        engine: Engine,
        generation: str,
        views: Sequence[View],
        opener: Opener,
        move: Move = compare_and_set,
    ) -> None:
        self.engine = engine
        self.generation = generation
        self.views = {view.name: view for view in views}
        self._opener = opener
        self._move = move

    def positions(self) -> dict[str, int]:
        """Where each reader is. A reader without a row has lost its tables (see ADR 0051)."""
        with reading(self.engine) as connection:
            rows = connection.execute(
                select(READER_POSITION.c.reader, READER_POSITION.c.n).where(
                    READER_POSITION.c.generation == self.generation
                )
            )
            return {reader: n for reader, n in rows if reader in self.views}

    def seen(self) -> int:
        """The position that every view has seen; a stopped index of work holds nobody up."""
        return min(
            (n for r, n in self.positions().items() if self.views[r].on_poison is OnPoison.HOLD),
            default=0,
        )

    def held(self) -> list[HeldStream]:
        """The streams held aside, by view."""
        with reading(self.engine) as connection:
            return [
                HeldStream(reader, UUID(bytes=stream), position, why)
                for reader, stream, position, why in connection.execute(
                    select(HELD_STREAM).order_by(HELD_STREAM.c.position)
                )
            ]

    def step(self, log: Log, limit: int = PAGE) -> list[Batch]:
        """Read one page for each group of readers that stand at the same position.

        Returns what was done, nothing where all are at the head. Raises one of TRANSIENT; then
        nothing was lost and the step may be taken again. Raises LostTables where only a rebuild
        helps.
        """
        positions = self.positions()
        if positions.keys() != self.views.keys():
            raise LostTables
        groups: dict[int, list[str]] = {}
        for reader, position in positions.items():
            groups.setdefault(position, []).append(reader)
        done = []
        for start, readers in sorted(groups.items()):
            page = log.since(start, limit)
            if page:
                done.append(self._take(start, sorted(readers), page))
        return done

    def _take(self, start: int, readers: list[str], page: list[Recorded]) -> Batch:
        last = page[-1].position
        erased = tuple(e.event.person for e in page if isinstance(e.event, PersonErased))
        try:
            with self.engine.begin() as connection:
                self._claim(connection, readers, start, last)
                lines = self._opener.lines(connection, page)
                held = self._held_streams(connection, readers)
                for reader in readers:
                    self._fold_all(connection, self.views[reader], lines, held[reader])
        except Moved:
            return Batch(0, start)
        except TRANSIENT:
            raise
        except Exception:  # noqa: BLE001  whatever a fold raises is the event's fault; see _carefully
            return self._carefully(start, readers, page)
        return Batch(len(page), last, erased)

    def _claim(self, connection: Connection, readers: Sequence[str], start: int, last: int) -> None:
        if not self._move(connection, self.generation, readers, start, last):
            raise Moved

    def _fold_all(
        self, connection: Connection, view: View, lines: Sequence[Line], held: Container[bytes]
    ) -> None:
        mine = [line for line in lines if line.stream not in held]
        _put_aside(connection, view.name, (line for line in lines if line.stream in held))
        fold_lines(connection, view, mine)

    def _held_streams(
        self, connection: Connection, readers: Iterable[str]
    ) -> dict[str, set[bytes]]:
        """The streams that each of these readers holds aside; none of one that stops."""
        held: dict[str, set[bytes]] = {reader: set() for reader in readers}
        for reader, stream in connection.execute(
            select(HELD_STREAM.c.reader, HELD_STREAM.c.stream).where(HELD_STREAM.c.reader.in_(held))
        ):
            held[reader].add(stream)
        return held

    def _carefully(self, start: int, readers: list[str], page: list[Recorded]) -> Batch:
        """The page again, reader by reader and line by line, to find the one that is wrong."""
        stopped = []
        reached = start
        for reader in readers:
            view = self.views[reader]
            last = page[-1].position
            try:
                with self.engine.begin() as connection:
                    self._claim(connection, [reader], start, last)
                    lines = self._opener.lines(connection, page)
                    stop = self._line_by_line(connection, view, lines)
                    if stop is not None:
                        stopped.append(reader)
                        last = max(start, stop - 1)
                        _place(connection, self.generation, reader, last)
            except Moved:
                continue
            reached = max(reached, last)
        erased = tuple(
            e.event.person
            for e in page
            if isinstance(e.event, PersonErased) and e.position <= reached
        )
        done = sum(e.position <= reached for e in page)
        return Batch(done, reached, erased, tuple(stopped))

    def _line_by_line(
        self, connection: Connection, view: View, lines: Sequence[Line]
    ) -> int | None:
        """Fold each line under a savepoint. The position to stop at, or None."""
        held = self._held_streams(connection, [view.name])[view.name]
        for line in lines:
            if line.stream in held:
                _put_aside(connection, view.name, [line])
                continue
            try:
                with connection.begin_nested():
                    fold_lines(connection, view, [line])
            except TRANSIENT:
                raise
            except Exception as fault:  # noqa: BLE001  any fault of a fold holds the stream, none skips it
                if view.on_poison is OnPoison.STOP:
                    return line.position
                held.add(line.stream)
                _hold(connection, view.name, line, fault)
        return None

    def set_aside(self, log: Log, reader: str, stream: UUID) -> None:
        """Fold a stream that a bulk load left out, up to the reader's position, poison and all.

        Only for views that hold; one that stops stands before the event already.
        """
        view = self.views[reader]
        if view.on_poison is OnPoison.STOP:
            return
        with self.engine.begin() as connection:
            at = self._position(connection, reader)
            self._claim(connection, [reader], at, at)
            page = [each for each in log.history(stream) if each.position <= at]
            self._line_by_line(connection, view, self._opener.lines(connection, page))

    def _position(self, connection: Connection, reader: str) -> int:
        found = connection.scalars(
            select(READER_POSITION.c.n).where(
                READER_POSITION.c.reader == reader,
                READER_POSITION.c.generation == self.generation,
            )
        )
        return int(found.one())

    def mend(self, log: Log) -> int:
        """Try the held streams again, oldest first, each in order. Returns how many are mended."""
        mended = 0
        for held in self.held():
            try:
                with self.engine.begin() as connection:
                    mended += self._drain(connection, log, held)
            except TRANSIENT:
                raise
            except Exception:  # noqa: BLE001, S112  still poison: it stays held, and `held()` tells so
                continue
        return mended

    def _drain(self, connection: Connection, log: Log, held: HeldStream) -> int:
        """Fold what is held of one stream and let it go; nobody else may move meanwhile."""
        at = self._position(connection, held.reader)
        self._claim(connection, [held.reader], at, at)
        stream = held.stream.bytes
        of_stream = (HELD_EVENT.c.reader == held.reader, HELD_EVENT.c.stream == stream)
        positions = connection.scalars(
            select(HELD_EVENT.c.position).where(*of_stream).order_by(HELD_EVENT.c.position)
        ).all()
        if not positions:
            return 0  # drained by another runner
        page = [each for n in positions for each in log.since(n - 1, 1, n)]
        fold_lines(connection, self.views[held.reader], self._opener.lines(connection, page))
        connection.execute(delete(HELD_EVENT).where(*of_stream))
        connection.execute(
            delete(HELD_STREAM).where(
                HELD_STREAM.c.reader == held.reader, HELD_STREAM.c.stream == stream
            )
        )
        return 1


def fold_lines(connection: Connection, view: View, lines: Sequence[Line]) -> None:
    """Fold some lines into a view's tables: the one way, live, careful and mended alike."""
    lines = [line for line in lines if reads(view, line)]
    if not lines:
        return
    fold: Fold = view.fold(empty=False)
    fold.read(connection, lines)
    for line in lines:
        fold.apply(line)
    fold.write(connection)


def _put_aside(connection: Connection, reader: str, lines: Iterable[Line]) -> None:
    rows = [{"reader": reader, "position": n.position, "stream": n.stream} for n in lines]
    if rows:
        connection.execute(insert(HELD_EVENT), rows)


def _hold(connection: Connection, reader: str, line: Line, fault: Exception) -> None:
    connection.execute(
        insert(HELD_STREAM).values(
            reader=reader,
            stream=line.stream,
            position=line.position,
            why=f"{type(fault).__name__}: {fault}"[:500],
        )
    )
    _put_aside(connection, reader, [line])


def _place(connection: Connection, generation: str, reader: str, position: int) -> None:
    connection.execute(
        update(READER_POSITION)
        .where(READER_POSITION.c.reader == reader, READER_POSITION.c.generation == generation)
        .values(n=position)
    )
