"""Reading the log in PostgreSQL, for several processes or machines. Knows rows, not events.

Writers of several processes insert without a table lock, so positions may become visible out of
order. Readers see to it that they never pass one that is still to come: see `_settled`.
"""

import time
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import psycopg
from eventsourcing.persistence import (
    AggregateRecorder,
    InfrastructureFactory,
    ProcessRecorder,
    TrackingRecorder,
)
from eventsourcing.utils import strtobool
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool, PoolTimeout

from casework.log.committer import Committer
from casework.log.port import LogBusy, LogUnavailable
from casework.log.postgres_checks import NETWORK
from casework.log.postgres_signals import Signals
from casework.log.postgres_writer import PostgresWriter, writing
from casework.log.recorder import LogRecorder
from casework.log.stored import LoggedEvent

READERS: Final = 16
"""Connections for reading at most; the thread pool of queries is of that order."""

WAIT_SECONDS: Final = 5.0
"""How long a reader waits for a connection before it is told to come back."""

LOOK_AGAIN_SECONDS: Final = 0.0005
"""Between two looks at the transactions in flight; a commit takes about that long."""

PATIENCE_SECONDS: Final = 2.0
"""A page waits this long for transactions in flight; then it ends before the first hole."""

COLUMNS: Final = "position, stream, version, name, state, at, actor, command_id, ordinal, hash"


def reading(url: str) -> str:
    """The address with the settings of a reading session. On the primary: see `_settled`."""
    return make_conninfo(
        url, **NETWORK,
        options="-c default_transaction_read_only=on -c statement_timeout=30s",
    )  # fmt: skip


class PostgresRecorder(LogRecorder):
    """Reads on connections of its own, on the primary; writes through the committer."""

    def __init__(
        self,
        url: str,
        committer: Committer,
        *,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        super().__init__(committer)
        self._patience = patience
        self.holes = 0
        self.waits = 0
        self._pool: ConnectionPool[psycopg.Connection[TupleRow]] = ConnectionPool(
            reading(url),
            kwargs={"autocommit": True},
            min_size=1,
            max_size=READERS,
            timeout=WAIT_SECONDS,
            check=ConnectionPool.check_connection,
            open=True,
            name="log-readers",
        )
        self._signals = Signals(writing(url), self.wakeups)
        committer.wakeups.add(self._signals.announce)
        self._signals.start()

    def _rows(self, statement: str, values: Sequence[object]) -> list[TupleRow]:
        try:
            with self._pool.connection() as connection:
                return connection.execute(statement, values or None, binary=True).fetchall()
        except PoolTimeout as error:
            raise LogBusy(str(error)) from error
        except psycopg.OperationalError as error:
            raise LogUnavailable(str(error)) from error

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[LoggedEvent]:
        """See AggregateRecorder."""
        where = "stream = %b"
        bounds: list[object] = [originator_id]
        if gt is not None:
            where += " AND version > %b"
            bounds.append(gt)
        if lte is not None:
            where += " AND version <= %b"
            bounds.append(lte)
        statement = (
            f"SELECT {COLUMNS} FROM events WHERE {where}"  # noqa: S608 - constants only
            f" ORDER BY version {'DESC' if desc else 'ASC'}"
        )
        if limit is not None:
            statement += " LIMIT %b"
            bounds.append(limit)
        return [_event(row) for row in self._rows(statement, bounds)]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[LoggedEvent]:
        """See ApplicationRecorder. Never passes a position that is still to come."""
        after = (start or 0) - 1 if inclusive_of_start and start else (start or 0)
        if topics:
            return self._of_topics(after, limit, stop, topics)
        return [_event(row) for row in self._settled(after, limit, stop)]

    def _of_topics(
        self,
        after: int,
        limit: int,
        stop: int | None,
        topics: Sequence[str],
    ) -> list[LoggedEvent]:
        """Holes show only in a page of everything, so such pages are read and sifted."""
        found: list[LoggedEvent] = []
        while len(found) < limit:
            page = self._settled(after, max(limit, 500), stop)
            if not page:
                break
            found += [_event(row) for row in page if row[3] in topics]
            after = page[-1][0]
        return found[:limit]

    def _page(self, after: int, limit: int, stop: int | None) -> list[TupleRow]:
        bound, values = ("", []) if stop is None else (" AND position <= %b", [stop])
        return self._rows(
            f"SELECT {COLUMNS} FROM events WHERE position > %b{bound} ORDER BY position LIMIT %b",  # noqa: S608 - as above
            [after, *values, limit],
        )

    def _settled(self, after: int, limit: int, stop: int | None) -> list[TupleRow]:
        """A page below which nothing will appear any more.

        A hole is either a transaction still in flight or one rolled back. Whoever has taken a
        position holds RowExclusiveLock on the table until its end, so: note who holds it now,
        wait until those are over, and read the same page again.
        """
        page = self._page(after, limit, stop)
        if not page or page[-1][0] - after == len(page):
            return page
        self.holes += 1
        last = page[-1][0]
        if self._outwaited():
            return self._page(after, limit, last)
        whole = 0  # somebody is slow: hand out what comes before the first hole
        while whole < len(page) and page[whole][0] == after + whole + 1:
            whole += 1
        return page[:whole]

    def _outwaited(self) -> bool:
        """Whether all transactions now writing to the log have ended within our patience."""
        question = (
            "SELECT virtualtransaction FROM pg_locks WHERE locktype = 'relation'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND relation = 'events'::regclass AND mode = 'RowExclusiveLock' AND granted"
        )
        held = {row[0] for row in self._rows(question, ())}
        deadline = time.monotonic() + self._patience
        while held:
            if time.monotonic() > deadline:
                return False
            self.waits += 1
            time.sleep(LOOK_AGAIN_SECONDS)
            held &= {row[0] for row in self._rows(question, ())}
        return True

    def max_notification_id(self) -> int | None:
        """See ApplicationRecorder."""
        highest = self._rows("SELECT max(position) FROM events", ())[0][0]
        assert highest is None or isinstance(highest, int)
        return highest

    def select_command(self, command_id: UUID) -> tuple[list[LoggedEvent], bytes | None]:
        """See LogRecorder."""
        rows = self._rows(
            f"SELECT {COLUMNS}, fingerprint FROM events WHERE command_id = %b ORDER BY ordinal",  # noqa: S608 - as above
            (command_id,),
        )
        return [_event(row[:-1]) for row in rows], rows[0][-1] if rows else None

    def epoch(self) -> UUID:
        """See LogRecorder."""
        return UUID(self._rows("SELECT epoch FROM log_epochs ORDER BY n DESC LIMIT 1", ())[0][0])

    def close(self) -> None:
        """See LogRecorder."""
        self.committer.close()
        self._signals.close()
        self._pool.close()


def _event(row: TupleRow) -> LoggedEvent:
    position, stream, version, name, state, at, actor, command_id, ordinal, stored_hash = row
    return LoggedEvent(
        stream, version, name, state, position, at, actor, command_id, ordinal, stored_hash,
    )  # fmt: skip


class PostgresFactory(InfrastructureFactory[TrackingRecorder]):
    """Lets the library's Application find the recorder.

    LOG_URL is the "postgresql://" address of the prepared database. LOG_OWNER_ALLOWED=y lets the
    engine sign in as a role that could change the tables, for a trial on one's own machine.
    """

    LOG_URL = "LOG_URL"
    LOG_OWNER_ALLOWED = "LOG_OWNER_ALLOWED"
    _recorder: PostgresRecorder | None = None

    def application_recorder(self) -> PostgresRecorder:
        """The one recorder of this factory, its committer started.

        Raises KeyError without LOG_URL, Broken where the server does not keep what it must.
        """
        if self._recorder is None:
            url = self.env.get(self.LOG_URL)
            if not url:
                raise KeyError(self.LOG_URL)
            allowed = strtobool(self.env.get(self.LOG_OWNER_ALLOWED, "no") or "no")
            committer = Committer(PostgresWriter(url, owner_allowed=allowed))
            committer.start()
            self._recorder = PostgresRecorder(url, committer)
        return self._recorder

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """Refused: a log keeps no snapshots."""
        raise NotImplementedError(purpose)

    def tracking_recorder(
        self,
        tracking_recorder_class: type[TrackingRecorder] | None = None,
    ) -> TrackingRecorder:
        """Refused: readers keep their positions with their rows, in another database."""
        raise NotImplementedError(tracking_recorder_class)

    def process_recorder(self) -> ProcessRecorder:
        """Refused, as above."""
        raise NotImplementedError

    def close(self) -> None:
        """Write what waits and let go of the connections."""
        if self._recorder is not None:
            self._recorder.close()
