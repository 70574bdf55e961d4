"""Measures the desks over a full case board: the median of each, in milliseconds.

    python scripts/bench_desks.py [--postgres] [--cases 100000] [--open 6000]

The rows are made at once, not told as events: what is measured is the questions. Of the open cases
a third is with the reviewers, the rest with the 29 街镇; one in ten is overdue, one in twenty has a
request that waits. `--late` makes every open case overdue, which no district would live through.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from uuid import UUID

import msgspec
from sqlalchemy import Engine

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from api.similar import repeated  # noqa: E402  after the path is set
from casework import desks  # noqa: E402  as above
from casework.lifecycle import CLOCK_OF, Action, Status  # noqa: E402  as above
from casework.log.port import stream_id  # noqa: E402  as above
from casework.model import Clock  # noqa: E402  as above
from projections import street_desk  # noqa: E402  as above
from projections.case_board import CASE_BOARD, OF_STREET, BoardRow, CaseBoard  # noqa: E402  again
from projections.desk_work import desk_work  # noqa: E402  as above
from projections.due import DueIndex  # noqa: E402  as above
from projections.evidence import Evidence  # noqa: E402  as above
from projections.generations import (  # noqa: E402  as above
    PostgresShelf,
    SqliteShelf,
    create_tables,
    finish,
)
from projections.redispatch import REDISPATCH, Redispatch  # noqa: E402  as above
from projections.reviewer_desk import reviewer_desk  # noqa: E402  as above
from projections.supervisor_desk import supervisor_desk  # noqa: E402  as above
from projections.tables import copy_rows, micros, reading  # noqa: E402  as above
from tests.postgres import running_server  # noqa: E402  as above

NOW = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)
STREETS = [f"110108{n:03d}" for n in range(1, 30)]
VIEWS = (CaseBoard(), DueIndex(), Redispatch(), Evidence())
REQUESTS = (
    Action.REQUEST_EXTENSION,
    Action.REQUEST_RETURN,
    Action.REQUEST_COORDINATION,
    Action.NOTE,
    Action.REQUEST_SUSPENSION,
    Action.REQUEST_FORCE_CLOSE,
)
WHERE = (
    (Status.SUBMITTED, Clock.REVIEW, 15),
    (Status.AWAITING_INFORMATION, Clock.INFORMATION, 3),
    (Status.REGISTERED, Clock.DISPATCH, 4),
    (Status.RECTIFIED, Clock.VERIFICATION, 8),
    (Status.UNDER_RECHECK, Clock.RECHECK, 4),
    (Status.DISPATCHED, Clock.ACKNOWLEDGE, 12),
    (Status.HANDLING, Clock.HANDLING, 48),
    (Status.SUSPENDED, Clock.RESUMPTION, 6),
)


def board_row(seq: int, random: Random, *, is_open: bool, late: float) -> BoardRow:
    """A case somewhere, with clocks that fit its status."""
    status, clock, _ = random.choices(WHERE, [weight for _, _, weight in WHERE])[0]
    clocks: dict[Clock, int] = {}
    pending = ""
    if is_open:
        over = random.random() < late
        hours = -random.random() * 200 if over else random.random() * 60
        clocks[clock] = micros(NOW + timedelta(hours=hours))
        if random.random() < 0.05:
            asked = random.choice(REQUESTS)
            pending = str(asked)
            asks = Clock.NOTE if asked is Action.NOTE else CLOCK_OF[asked]
            clocks[asks] = micros(NOW + timedelta(hours=random.random() * 10 - 2))
    else:
        status = random.choices([Status.COMPLETED, Status.CLOSED], [9, 1])[0]
        if status is Status.CLOSED:
            clocks[Clock.RATING] = micros(NOW + timedelta(days=random.random() * 15))
    first = min(clocks, key=lambda c: clocks[c], default=None)
    streets = [due for c, due in clocks.items() if c in OF_STREET]
    at = micros(NOW - timedelta(hours=random.random() * 300))
    case_id = UUID(int=seq)
    return BoardRow(
        seq=seq, stream=stream_id(f"case/{case_id}").bytes, case_id=case_id.bytes,
        number=f"HD26{seq:010d}", version=5, position=seq, status=str(status),
        street=random.choice(STREETS), proposed=None,
        certainty=random.choices(["inside", "near_border", "contested"], [90, 8, 2])[0],
        indicator=f"P{random.randint(1, 10):02d}", condition="a", place_kind="road",
        lon=random.uniform(116.05, 116.39), lat=random.uniform(39.89, 40.15),
        channel="app", sent_by=None, submitted_at=at, updated_at=at,
        ended_at=None if is_open else at, clocks=msgspec.json.encode(clocks).decode(),
        due_at=clocks[first] if first else None, due_clock=str(first) if first else None,
        street_due_at=min(streets, default=None), round=1 + (random.random() < 0.03),
        person=case_id.bytes, first_line="盲道被共享单车占满，老人推轮椅过不去", erased=False,
        new_information=random.random() < 0.05, on_behalf=False,
        danger="井盖" if random.random() < 0.01 else "", designated=False, pending=pending,
        code="T01" if random.random() < 0.1 else None, recurrence_of=None, merged_into=None,
        merged_number=None, demonstration=False, claim_by=None, claim_until=None,
        supplied=random.random() < 0.05, rework=random.random() < 0.05,
    )  # fmt: skip


def fill(engine: Engine, cases: int, is_open: int, late: float) -> None:
    random = Random(11)
    opened = set(random.sample(range(1, cases + 1), is_open))
    rows = [board_row(seq, random, is_open=seq in opened, late=late) for seq in range(1, cases + 1)]
    stays: list[tuple[str | int | bytes | None, ...]] = []
    for row in rows:
        for ordinal in range(1, 2 + (random.random() < 0.05) + (random.random() < 0.02)):
            returned = "returned" if row.code else None
            stays.append(
                (row.stream, ordinal, row.case_id, row.number, row.street or "", row.submitted_at,
                 row.submitted_at, returned, row.code, 0)
            )  # fmt: skip
    with engine.begin() as connection:
        create_tables(connection, "g_1", VIEWS)
        copy_rows(connection, CASE_BOARD, [msgspec.structs.astuple(row) for row in rows])
        copy_rows(connection, REDISPATCH, stays)
        finish(connection, VIEWS)


def timed(name: str, ask: Callable[[], object], repeats: int) -> None:
    """Median and 95th percentile by the wall, and the median of our own processor time.

    On a busy machine the wall tells of the others too; processor time leaves a server's out.
    """
    spent, worked = [], []
    for _ in range(repeats):
        start, begun = time.perf_counter(), time.thread_time()
        ask()
        spent.append((time.perf_counter() - start) * 1000)
        worked.append((time.thread_time() - begun) * 1000)
    spent.sort()
    p50, p95 = statistics.median(spent), spent[int(repeats * 0.95)]
    print(
        f"{name}: p50 {p50:.2f} ms, p95 {p95:.2f} ms, processor {statistics.median(worked):.2f} ms"
    )


@contextmanager
def generation(*, postgres: bool) -> Iterator[Engine]:
    """An empty generation on either database."""
    if postgres:
        with running_server() as server:
            shelf = PostgresShelf(server.fresh_database())
            shelf.make("g_1")
            engine = shelf.open("g_1")
            yield engine
            engine.dispose()
            shelf.close()
        return
    with TemporaryDirectory() as folder:
        files = SqliteShelf(Path(folder))
        files.make("g_1")
        engine = files.open("g_1")
        yield engine
        engine.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--open", type=int, default=6_000)
    parser.add_argument("--late", action="store_true")
    parser.add_argument("--repeats", type=int, default=100)
    given = parser.parse_args()
    random = Random(5)
    with generation(postgres=given.postgres) as engine:
        fill(engine, given.cases, given.open, 1.0 if given.late else 0.1)

        def asking(ask: Callable[..., object], *arguments: object) -> Callable[[], object]:
            def once() -> object:
                with reading(engine) as connection:
                    return ask(connection, *arguments)

            return once

        def street() -> object:
            code = random.choice(STREETS)
            with reading(engine) as connection:
                street_desk.tasks(connection, code)
                return street_desk.desk(connection, code, NOW, NOW + timedelta(hours=24), NOW)

        near = NOW + timedelta(hours=4)
        timed("the supervisors' desk", asking(supervisor_desk, NOW), given.repeats)
        timed("the reviewers' desk", asking(reviewer_desk, NOW), given.repeats)
        timed("suspected repetitions", asking(repeated), given.repeats)
        timed("a street's desk with its tasks", street, given.repeats)
        for desk in (desks.REVIEWER, desks.SUPERVISOR, desks.of_street(STREETS[3])):
            timed(f"hand-over of {desk}", asking(desk_work, desk, NOW, near), given.repeats)


if __name__ == "__main__":
    main()
