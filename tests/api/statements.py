"""What the stores of this process are asked, statement by statement; on SQLite.

The pools of all three stores are SQLAlchemy's: whoever takes a connection of one is listened to.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from pysqlite3 import dbapi2
from sqlalchemy import event
from sqlalchemy.pool import Pool


@contextmanager
def statements() -> Iterator[list[str]]:
    """The text of each statement, with its values written in, in the order in which it began."""
    asked: list[str] = []

    def taken(connection: dbapi2.Connection, _record: object, _proxy: object) -> None:
        connection.set_trace_callback(asked.append)

    def given_back(connection: dbapi2.Connection | None, _record: object) -> None:
        if connection is not None:
            connection.set_trace_callback(None)

    event.listen(Pool, "checkout", taken)
    event.listen(Pool, "checkin", given_back)
    try:
        yield asked
    finally:
        event.remove(Pool, "checkout", taken)
        event.remove(Pool, "checkin", given_back)
