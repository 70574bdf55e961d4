"""A process that appends as fast as it can and says which commands were acknowledged.

Run by test_crash: `python -m tests.log.crash_writer sqlite PATH` or `… postgres URL`.
"""

import asyncio
import sys
from pathlib import Path
from uuid import uuid4

from casework.log.committer import Committer
from casework.log.eventlog import EventLog
from casework.log.port import Appended, LogUnavailable
from casework.log.postgres import PostgresRecorder
from casework.log.postgres_writer import PostgresWriter
from casework.log.recorder import LogRecorder
from casework.log.sqlite import SqliteRecorder
from casework.log.sqlite_writer import SqliteWriter
from tests.log.samples import ANN, a_mapper, write


def opened(kind: str, where: str) -> LogRecorder:
    if kind == "sqlite":
        committer = Committer(SqliteWriter(Path(where)))
        committer.start()
        return SqliteRecorder(Path(where), committer)
    committer = Committer(PostgresWriter(where, owner_allowed=True))
    committer.start()
    return PostgresRecorder(where, committer)


async def client(log: EventLog) -> None:
    """Each a stream of its own, two events a command, until the log fails."""
    stream, version = uuid4(), 0
    while True:
        key = uuid4()
        print("sent", key, flush=True)
        try:
            outcome = await log.submit([write(stream, version, "a", "b")], key, ANN)
        except LogUnavailable:
            return
        assert isinstance(outcome, Appended)
        version += 2
        print("stored", key, stream, version, flush=True)


async def load(log: EventLog) -> None:
    await asyncio.gather(*(client(log) for _ in range(8)))


if __name__ == "__main__":
    recorder = opened(*sys.argv[1:])
    asyncio.run(load(EventLog(recorder, a_mapper())))
