"""Processes: readers with a position and a ledger of their own, backed up and never rebuilt.

What an event asks for is written down in the same transaction as the position (`record`), and done
afterwards, as often as it takes (`settle`). So nothing is owed twice and nothing is forgotten;
what is done must bear being done again. Outbox and seal are of this kind too.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol
from uuid import UUID

from pysqlite3 import dbapi2
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    LargeBinary,
    MetaData,
    Table,
    Text,
    create_engine,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from casework.events import PersonErased
from casework.log.port import Log, Recorded
from projections.reading import PAGE, compare_and_set
from projections.tables import READER_POSITION, reading

LEDGERS = MetaData()
POSITION = READER_POSITION.to_metadata(LEDGERS)

ALWAYS = "always"
"""The one generation of a process."""


def sqlite_ledgers(path: Path) -> Engine:
    """An engine over the ledgers' file; every commit is on the disk before it returns."""
    engine = create_engine(
        f"sqlite+pysqlite:///{path}", module=dbapi2, connect_args={"check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def _open(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 10000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        only_reads = connection.get_execution_options().get("only_reads", False)
        connection.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")

    return engine


class Ledger(Protocol):
    """What a process does with the events."""

    @property
    def name(self) -> str: ...

    @property
    def tables(self) -> tuple[Table, ...]: ...

    def record(self, connection: Connection, page: Sequence[Recorded]) -> None:
        """Write down what these events ask for. Raises if it cannot; then nothing moved."""
        ...

    def settle(self, engine: Engine, seen: int) -> None:
        """Do what is owed and may be done now that the views have seen `seen`; then mark it."""
        ...


class Process:
    """One process over its ledger. It stops at an event that it cannot record."""

    def __init__(self, engine: Engine, ledger: Ledger) -> None:
        self._engine = engine
        self._ledger = ledger

    @property
    def name(self) -> str:
        return self._ledger.name

    def prepare(self) -> None:
        """Make what tables are missing. Called by a command line, never at a worker's start."""
        for table in (POSITION, *self._ledger.tables):
            table.create(self._engine, checkfirst=True)
        with self._engine.begin() as connection:
            there = connection.scalar(select(POSITION.c.n).where(POSITION.c.reader == self.name))
            if there is None:
                connection.execute(
                    insert(POSITION).values(reader=self.name, generation=ALWAYS, n=0)
                )

    def position(self) -> int:
        """Up to where the ledger tells what is owed. Raises LookupError if it is not prepared."""
        with reading(self._engine) as connection:
            n = connection.scalar(select(POSITION.c.n).where(POSITION.c.reader == self.name))
        if n is None:
            raise LookupError(self.name)
        return int(n)

    def step(self, log: Log, seen: int, limit: int = PAGE) -> int:
        """Record the next page, then settle. Returns how many events were read."""
        start = self.position()
        page = log.since(start, limit)
        if page:
            with self._engine.begin() as connection:
                last = page[-1].position
                if not compare_and_set(connection, ALWAYS, [self.name], start, last):
                    return 0  # another runner was quicker
                self._ledger.record(connection, page)
        self._ledger.settle(self._engine, seen)
        return len(page)


OWED_ERASURE = Table(
    "owed_erasure",
    LEDGERS,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("person", LargeBinary(16), nullable=False),
    Column("done", Boolean, nullable=False),
    Column("epoch", Text, nullable=False),
)


class ErasureAcknowledgements:
    """Tells the erasure ledger that the views have forgotten a person, once they have.

    `scrub` leaves no trace of what the views wiped (`erasure.scrub`); it may answer False: not
    now. `acknowledge` gets the person and the position of the erasure, and must be safe to call
    again.
    """

    name = "erasure_acknowledgements"
    tables: tuple[Table, ...] = (OWED_ERASURE,)

    def __init__(
        self, epoch: UUID, scrub: Callable[[], bool], acknowledge: Callable[[UUID, int], None]
    ) -> None:
        self._epoch = epoch
        self._scrub = scrub
        self._acknowledge = acknowledge

    def record(self, connection: Connection, page: Sequence[Recorded]) -> None:
        """See Ledger."""
        rows = [
            {
                "position": each.position,
                "person": each.event.person.bytes,
                "done": False,
                "epoch": str(self._epoch),
            }
            for each in page
            if isinstance(each.event, PersonErased)
        ]
        if rows:
            connection.execute(insert(OWED_ERASURE), rows)

    def settle(self, engine: Engine, seen: int) -> None:
        """See Ledger. The views have wiped what they have seen; one scrub does for all."""
        with reading(engine) as connection:
            owed = connection.execute(
                select(OWED_ERASURE.c.position, OWED_ERASURE.c.person)
                .where(OWED_ERASURE.c.done.is_(False), OWED_ERASURE.c.position <= seen)
                .order_by(OWED_ERASURE.c.position)
            ).all()
        if not owed or not self._scrub():
            return
        for position, person in owed:
            self._acknowledge(UUID(bytes=person), position)
            with engine.begin() as connection:
                connection.execute(
                    update(OWED_ERASURE)
                    .where(OWED_ERASURE.c.position == position)
                    .values(done=True)
                )
