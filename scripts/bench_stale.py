"""What stale commands cost: actions a second with and without 5 % of them stale, in one run.

`python scripts/bench_stale.py [--postgres] [--seconds 1] [--clients 16] [--rounds 12]` starts the
real server, gives each client a case of its own (another after 30 events), and has it claim that
case again and again with the version it saw last (If-Match). In every other stretch one command
in twenty carries an old version and is refused with 412, its audit row included. Prints one JSON
line; the ratio is that of all answers, the other that of commands carried out.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.assurance.load import Line, Person, Sent, report
from tests.assurance.rig import Installation
from tests.postgres import running_server

STALE = 20
"""One in so many."""


LONG = 30
"""Events of a case, after which a client reports another: few cases have more."""


class Worker:
    """A client with a case of its own."""

    def __init__(self, port: int, people: list[Person], number: int) -> None:
        self.line = Line(port)
        self.partner, self.staff = people[0], people[-1]
        self.number = number
        self.case, self.version = "", 0

    async def begin(self) -> None:
        sent = Sent(self.partner, "/api/v1/reports", str(uuid4()), report_of(self.number))
        told = await self.line.send(sent)
        assert told.status == 201, told
        self.case = str(told.body["case_id"])
        self.version = int(str(told.body["version"]))

    async def work(self, until: float, *, stale: bool) -> tuple[int, int]:
        """Answers in all, and those of commands carried out."""
        answers = done = 0
        while time.perf_counter() < until:
            if self.version > LONG:
                await self.begin()
                answers, done = answers + 1, done + 1
            answers += 1
            is_stale = stale and answers % STALE == self.number % STALE
            match = self.version - 1 if is_stale else self.version
            path = f"/api/v1/cases/{self.case}/claim"
            told = await self.line.send(Sent(self.staff, path, str(uuid4()), {}), match)
            assert told.status == (412 if is_stale else 200), told
            if not is_stale:
                done += 1
                self.version = int(str(told.body["version"]))
        return answers, done


def report_of(number: int) -> dict[str, object]:
    return report(random.Random(number))


async def stretches(
    port: int, people: list[Person], clients: int, seconds: float, rounds: int
) -> dict[str, object]:
    workers = [Worker(port, people, n) for n in range(clients)]
    await asyncio.gather(*(worker.begin() for worker in workers))
    await stretch(workers, 1, stale=True)  # warm
    pairs = []
    for n in range(rounds):
        # Side by side, and in turns: what else the machine does then weighs on both alike.
        first = await stretch(workers, seconds, stale=n % 2 == 1)
        second = await stretch(workers, seconds, stale=n % 2 == 0)
        pairs.append((first, second) if n % 2 == 0 else (second, first))
    kept = sorted(with_stale.answers / plain.answers for plain, with_stale in pairs)
    return {
        "clients": clients,
        "actions_per_s": round(statistics.median(plain.done for plain, _ in pairs)),
        "ratio": round(statistics.median(kept), 3),
        "ratio_carried_out": round(statistics.median(s.done / p.done for p, s in pairs), 3),
        "spread": [round(kept[0], 3), round(kept[-1], 3)],
    }


class Stretch(NamedTuple):
    """Answers a second, and commands carried out a second."""

    answers: float
    done: float


async def stretch(workers: list[Worker], seconds: float, *, stale: bool) -> Stretch:
    until = time.perf_counter() + seconds
    told = await asyncio.gather(*(worker.work(until, stale=stale) for worker in workers))
    answers, done = (sum(each) / seconds for each in zip(*told, strict=True))
    return Stretch(answers, done)


def measure(folder: Path, database: str, given: argparse.Namespace) -> dict[str, object]:
    installation = Installation(folder, database)
    people = [Person(*pair) for pair in json.loads(installation.people.read_text())]
    with installation.server() as server:
        found = asyncio.run(
            stretches(server.port, people, given.clients, given.seconds, given.rounds)
        )
    return {"store": "postgresql" if database else "sqlite", **found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=12)
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        if not given.postgres:
            print(json.dumps(measure(Path(folder), "", given)))
            return
        with running_server() as server:
            print(json.dumps(measure(Path(folder), server.fresh_database(), given)))


if __name__ == "__main__":
    main()
