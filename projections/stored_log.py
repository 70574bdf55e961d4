"""The log's rows as a rebuild reads them: a range of streams, filtered by the database itself.

Any log can be rebuilt from through `rebuild.LogSource`; this is the same, several times quicker,
for the two storages there are. It knows their one table, `events`, and nothing of how it is
written. Short pages, each a query of its own; never a cursor held across a rebuild.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

import msgspec
from psycopg import Connection
from pysqlite3 import dbapi2

from casework.events import OTHER_STORED_AS, PersonErased
from casework.log.port import Log, Recorded
from casework.model import Actor
from projections.lines import Opener
from projections.rebuild import Part
from projections.tables import moment

Row: TypeAlias = tuple[int, bytes | UUID, int, str, bytes, int, bytes, bytes | UUID, int, bytes]
ReadRows: TypeAlias = Callable[[int, int, int, bytes, bytes], Sequence[Row]]
"""(after position, up to position, limit, lowest stream, highest stream) -> rows in order."""

Decode: TypeAlias = Callable[[str, bytes], msgspec.Struct]
"""(name, stored bytes) -> event; `casework.log.mapper.Names.decode`."""

_ERASED = next(name for name, kind in OTHER_STORED_AS.items() if kind is PersonErased)
_COLUMNS = "position, stream, version, name, state, at, actor, command_id, ordinal, hash"

ACTORS = 10_000
"""Actors kept decoded, then forgotten all at once: a dict is a tenth of the price of an LRU."""

STREAMS = 50_000
"""Stream ids kept: more than are ever open at once."""


def sqlite_rows(connection: dbapi2.Connection) -> ReadRows:
    """Read the log in a SQLite file over this connection."""
    statement = (
        f"SELECT {_COLUMNS} FROM events WHERE position > ? AND position <= ?"  # noqa: S608  columns above, a name of ours
        f" AND (stream BETWEEN ? AND ? OR name = '{_ERASED}') ORDER BY position LIMIT ?"
    )

    def read(after: int, stop: int, limit: int, low: bytes, high: bytes) -> Sequence[Row]:
        found = connection.execute(statement, (after, stop, low, high, limit))
        rows: list[Row] = found.fetchall()
        return rows

    return read


def open_sqlite_log(path: Path) -> dbapi2.Connection:
    """A read-only connection to a log's file."""
    return dbapi2.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)


def postgres_rows(connection: Connection[Row]) -> ReadRows:
    """Read the log in PostgreSQL over this connection, in autocommit.

    Only up to a position that a gap-safe reader has seen: `stop` is the log's head as `since`
    answers it.
    """
    statement = (
        f"SELECT {_COLUMNS} FROM events WHERE position > %s AND position <= %s"  # noqa: S608  as above
        f" AND (stream BETWEEN %s AND %s OR name = '{_ERASED}') ORDER BY position LIMIT %s"
    ).encode()

    def read(after: int, stop: int, limit: int, low: bytes, high: bytes) -> Sequence[Row]:
        bounds = UUID(bytes=low), UUID(bytes=high)
        with connection.cursor(binary=True) as cursor:
            return cursor.execute(statement, (after, stop, *bounds, limit)).fetchall()

    return read


class StoredLog:
    """A source for `rebuild` over the stored rows. `decode` is the log's own."""

    def __init__(self, log: Log, opener: Opener, read: ReadRows, decode: Decode) -> None:
        self.log = log
        self.opener = opener
        self._read = read
        self._decode = decode
        self._actor: msgspec.json.Decoder[Actor] = msgspec.json.Decoder(Actor, strict=False)
        self._actors: dict[bytes, Actor] = {}
        self._streams: dict[bytes | UUID, UUID] = {}

    def page(self, position: int, limit: int, stop: int, part: Part) -> tuple[list[Recorded], int]:
        """See Source."""
        rows = self._read(position, stop, limit, *part.bounds())
        last = rows[-1][0] if len(rows) == limit else stop
        return [self._recorded(row) for row in rows], last

    def _recorded(self, row: Row) -> Recorded:
        position, stream, version, name, state, at, actor, command_id, ordinal, hash_ = row
        return Recorded(
            self._streams.get(stream) or self._stream(stream),
            version,
            position,
            name,
            self._decode(name, state),
            moment(at),
            self._actors.get(actor) or self._known(actor),
            command_id if isinstance(command_id, UUID) else UUID(bytes=command_id),
            ordinal,
            hash_,
        )

    def _stream(self, stored: bytes | UUID) -> UUID:
        """One object for all events of a stream, as far as they lie near each other."""
        if len(self._streams) >= STREAMS:
            self._streams.clear()
        stream = stored if isinstance(stored, UUID) else UUID(bytes=stored)
        self._streams[stored] = stream
        return stream

    def _known(self, actor: bytes) -> Actor:
        if len(self._actors) >= ACTORS:
            self._actors.clear()
        known = self._actors[actor] = self._actor.decode(actor)
        return known
