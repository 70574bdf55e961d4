"""How many commands a second the log takes, against bare INSERT + COMMIT of the same bytes.

`python -m scripts.bench_log [--commands N] [--clients N] [--url postgresql://…]`, from the root.
Both ways run in turns in the same minute on the same disk into tables of the same shape, so the
ratio means something where the absolute figures do not. Without `--url` a server of its own is
started, by the code the tests start theirs with. The database of `--url` is emptied.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from uuid import uuid4

import msgspec
import psycopg
from eventsourcing.persistence import JSONTranscoder
from pysqlite3 import dbapi2

from casework.log.batch import Row
from casework.log.committer import Committer
from casework.log.eventlog import EventLog
from casework.log.mapper import EventMapper, Names
from casework.log.port import Appended, Outcome, VersionConflict, Write
from casework.log.postgres import PostgresRecorder
from casework.log.postgres_writer import PostgresWriter, writing
from casework.log.schema import prepare_postgres, prepare_sqlite
from casework.log.sqlite import SqliteRecorder
from casework.log.sqlite_writer import SqliteWriter
from casework.model import Actor, ActorKind
from tests.postgres import emptied, running_server

ROUNDS = 3
AT = datetime(2026, 5, 6, 4, tzinfo=UTC)
ANN = Actor(ActorKind.STAFF, "ann")


class Said(msgspec.Struct, frozen=True):
    """An event of a usual size."""

    words: str


MAPPER = EventMapper(JSONTranscoder(), Names([{"said": Said}]))
EVENT = Said("x" * 600)


def bare_row() -> Row:
    """What the log would store for one command."""
    return Row(
        uuid4(), 1, "said", MAPPER.names.encode(EVENT), 0, MAPPER.encode_actor(ANN),
        uuid4(), 0, bytes(32), None,
    )  # fmt: skip


def bare_sqlite(path: Path, commands: int) -> float:
    """One row a commit on one connection: SQLite has no more than one writer to offer."""
    writer = SqliteWriter(path)
    writer.open()
    rows = [bare_row() for _ in range(commands)]
    began = time.perf_counter()
    for row in rows:
        writer.begin()
        writer.insert([row])
        writer.commit()
    took = time.perf_counter() - began
    writer.close()
    return commands / took


def plainest_sqlite(path: Path, commands: int) -> float:
    """The same without our triggers, column checks and second index: INSERT and nothing else."""
    connection = dbapi2.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE bare (stream, version, state, PRIMARY KEY (stream, version))")
    rows = [bare_row() for _ in range(commands)]
    began = time.perf_counter()
    for row in rows:
        connection.execute("INSERT INTO bare VALUES (?, ?, ?)", (row[0].bytes, row[1], row[3]))
    took = time.perf_counter() - began
    connection.close()
    return commands / took


def bare_postgres(url: str, commands: int, clients: int) -> float:
    """One row a statement in autocommit, on as many connections as there are clients."""
    shares = [[bare_row() for _ in range(commands // clients)] for _ in range(clients)]

    def client(rows: list[Row]) -> None:
        with psycopg.connect(writing(url), autocommit=True) as connection:
            for row in rows:
                connection.execute(
                    "INSERT INTO events (stream, version, name, state, at, actor, command_id,"
                    " ordinal, hash, fingerprint) VALUES (%b,%b,%b,%b,%b,%b,%b,%b,%b,%b)",
                    row,
                )

    with ThreadPoolExecutor(clients) as threads:
        began = time.perf_counter()
        for future in [threads.submit(client, rows) for rows in shares]:
            future.result()
        return commands / (time.perf_counter() - began)


async def load(log: EventLog, commands: int, clients: int, stale: float) -> tuple[float, float]:
    """Commands a second and the 99th percentile of one, in ms; `stale` of them come too late."""
    taken = uuid4()
    await log.submit([Write(taken, 0, (EVENT,), AT)], uuid4(), ANN)
    every = round(1 / stale) if stale else commands + 1
    waits: list[float] = []

    async def client(number: int) -> None:
        for turn in range(commands // clients):
            late = (number + turn) % every == every - 1
            began = time.perf_counter()
            outcome: Outcome = await log.submit(
                [Write(taken if late else uuid4(), 0, (EVENT,), AT)], uuid4(), ANN
            )
            waits.append(time.perf_counter() - began)
            assert isinstance(outcome, VersionConflict if late else Appended)

    began = time.perf_counter()
    await asyncio.gather(*(client(number) for number in range(clients)))
    took = time.perf_counter() - began
    return len(waits) / took, statistics.quantiles(waits, n=100)[98] * 1000


def through_sqlite(path: Path, commands: int, clients: int, stale: float) -> tuple[float, float]:
    """The whole way through the log: encode, queue, plan, hash, insert, commit, answer."""
    committer = Committer(SqliteWriter(path))
    committer.start()
    recorder = SqliteRecorder(path, committer)
    try:
        return asyncio.run(load(EventLog(recorder, MAPPER), commands, clients, stale))
    finally:
        recorder.close()


def through_postgres(url: str, commands: int, clients: int, stale: float) -> tuple[float, float]:
    """The same over PostgreSQL."""
    committer = Committer(PostgresWriter(url, owner_allowed=True))
    committer.start()
    recorder = PostgresRecorder(url, committer)
    try:
        return asyncio.run(load(EventLog(recorder, MAPPER), commands, clients, stale))
    finally:
        recorder.close()


def report(
    title: str,
    bare: Callable[[], float],
    ours: Callable[[float], tuple[float, float]],
) -> None:
    """Medians of rounds that take turns."""
    bares: list[float] = []
    fresh: list[tuple[float, float]] = []
    stales: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        bares.append(bare())
        fresh.append(ours(0.0))
        stales.append(ours(0.05))
    base = statistics.median(bares)
    rate = statistics.median(each[0] for each in fresh)
    stale = statistics.median(each[0] for each in stales)
    wait = statistics.median(each[1] for each in fresh)
    print(
        f"{title}: bare {base:,.0f}/s; log {rate:,.0f}/s ({rate / base:.0%}), p99 {wait:.1f} ms; "
        f"with 5% stale {stale:,.0f}/s ({stale / rate:.0%} of without); "
        f"load {os.getloadavg()[0]:.1f}"
    )


def bench_sqlite(directory: Path, commands: int, counts: Sequence[int]) -> None:
    numbers = count()

    def fresh() -> Path:
        path = directory / f"log-{next(numbers)}.db"
        prepare_sqlite(path, uuid4())
        return path

    plainest = plainest_sqlite(directory / "plainest.db", commands)
    print(f"SQLite, a bare table without guards: {plainest:,.0f}/s")
    for clients in counts:
        report(
            f"SQLite, {clients} clients",
            lambda: bare_sqlite(fresh(), commands),
            partial(lambda n, stale: through_sqlite(fresh(), commands, n, stale), clients),
        )


def bench_postgres(url: str, commands: int, counts: Sequence[int]) -> None:
    def anew() -> str:
        prepare_postgres(emptied(url), uuid4())
        return url

    for clients in counts:
        report(
            f"PostgreSQL, {clients} clients",
            partial(lambda n: bare_postgres(anew(), commands, n), clients),
            partial(lambda n, stale: through_postgres(anew(), commands, n, stale), clients),
        )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commands", type=int, default=4000)
    parser.add_argument("--clients", type=int, nargs="*", default=[16, 64])
    parser.add_argument("--url")
    parser.add_argument("--only", choices=["sqlite", "postgres"])
    given = parser.parse_args(arguments)
    if given.only != "postgres":
        Path("var").mkdir(exist_ok=True)  # beside the real log: a memory disk would flatter
        with tempfile.TemporaryDirectory(dir="var") as directory:
            bench_sqlite(Path(directory), given.commands, given.clients)
    if given.only != "sqlite":
        with nullcontext() if given.url else running_server() as server:
            url: str = given.url if server is None else server.fresh_database()
            bench_postgres(url, given.commands, given.clients)


if __name__ == "__main__":
    main()
