"""Load from processes of their own, which write down what they send and what they are answered.

`python -m tests.assurance.load drive PORT PEOPLE SAID [--clients N] [--rude] [--reports]` goes on
until the server is gone; `… settle PORT PEOPLE SAID SAID …` sends again whatever was sent and not
answered. A line is on the disk before what follows from it happens. Knows nothing of the engine.
"""

import argparse
import asyncio
import json
import os
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

REPORTS = "/api/v1/reports"
GIVE_UP = 30.0
"""Seconds of nothing but 503, or of no server, after which a client ends."""


RUDE = 60
"""Requests of a rude client: each must be sent again and answered in the end."""


class Person(NamedTuple):
    """Whom the engine knows by `who`, with these credentials."""

    who: str
    says: str


class Sent(NamedTuple):
    person: Person
    path: str
    key: str
    body: dict[str, object]


class Answer(NamedTuple):
    status: int
    body: dict[str, object]


class Said:
    """The file of what was sent and answered: each line on the disk when it returns."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a")

    def sent(self, sent: Sent) -> None:
        self._write(sent, {"body": sent.body})

    def answered(self, sent: Sent, answer: Answer) -> None:
        facts: dict[str, object] = {"status": answer.status}
        if answer.status in {200, 201}:
            proof = answer.body["proof"]
            assert isinstance(proof, dict)
            facts |= {
                "case": answer.body["case_id"],
                "position": answer.body["position"],
                "hash": proof["hash"],
            }
        self._write(sent, facts)

    def _write(self, sent: Sent, facts: dict[str, object]) -> None:
        line = {"who": sent.person.who, "path": sent.path, "key": sent.key, **facts}
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())


class Gone(Exception):  # noqa: N818  a fact about the server
    """The server does not answer any more."""


class Line:
    """One kept-alive connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, sent: Sent, match: int | None = None) -> Answer:
        """Send, with the version that was seen if one is given; the answer. Raises Gone."""
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._streams
            writer.write(request(sent, match))
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            content = await reader.readexactly(length)
        except (OSError, EOFError, asyncio.IncompleteReadError) as error:
            self._streams = None
            raise Gone from error
        return Answer(int(head.split()[1]), json.loads(content))

    async def hang_up(self, sent: Sent, part: float) -> None:
        """Send a part of the request and go away without a word."""
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self._port)
            raw = request(sent)
            writer.write(raw[: max(1, int(len(raw) * part))])
            await writer.drain()
            writer.transport.abort()
        except OSError as error:
            raise Gone from error


def request(sent: Sent, match: int | None = None) -> bytes:
    content = json.dumps(sent.body).encode()
    seen = "" if match is None else f'If-Match: "{match}"\r\n'
    head = (
        f"POST {sent.path} HTTP/1.1\r\nHost: load\r\nContent-Type: application/json\r\n"
        f"Authorization: {sent.person.says}\r\nIdempotency-Key: {sent.key}\r\n"
        f"{seen}Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


async def carried(line: Line, said: Said, sent: Sent) -> Answer:
    """Send until it is answered with something else than 503. Raises Gone."""
    loop = asyncio.get_running_loop()
    until = loop.time() + GIVE_UP
    while True:
        answer = await line.send(sent)
        if answer.status != 503:
            said.answered(sent, answer)
            return answer
        if loop.time() > until:
            raise Gone
        await asyncio.sleep(0.1)  # as Retry-After asks, but sooner


def somewhere(rng: random.Random) -> dict[str, object]:
    """A place on the ground of 中关村."""
    return {
        "lon": round(rng.uniform(116.315, 116.33), 6),
        "lat": round(rng.uniform(39.975, 39.99), 6),
        "crs": "wgs84",
        "kind": "road",
    }


def report(rng: random.Random) -> dict[str, object]:
    return {
        "place": somewhere(rng),
        "text": f"共享单车停得太满，第{rng.randrange(10**9)}次反映。",
        "no_photo_reason": "no_camera",
        "contact": f"139{rng.randrange(10**8):08d}",
    }


class Client:
    """One after another: reports of both partners under one key, then what the reviewer does."""

    def __init__(
        self, port: int, people: Sequence[Person], said: Said, seed: str, *, plain: bool
    ) -> None:
        self.plain = plain
        self.line, self.said = Line(port), said
        self.partners = [p for p in people if p.who.startswith("partner")]
        self.staff = [p for p in people if p.who.startswith("staff")]
        self.rng = random.Random(seed)
        self.seed = seed
        self.number = 0

    async def drive(self) -> None:
        while True:
            self.number += 1
            key = f"{self.seed}-{self.number}"
            reports = [Sent(p, REPORTS, key, report(self.rng)) for p in self.partners]
            for sent in reports:
                self.said.sent(sent)
                told = await carried(self.line, self.said, sent)
                if not self.plain and self.rng.random() < 0.2:
                    await carried(self.line, self.said, sent)
                if self.rng.random() < 0.5:
                    await self.work_on(str(told.body["case_id"]), key)

    async def work_on(self, case: str, key: str) -> None:
        for action, form in (
            ("claim", {}),
            ("register", {"indicator": "P10", "condition": "P10-2"}),
        ):
            sent = Sent(self.staff[0], f"/api/v1/cases/{case}/{action}", key, dict(form))
            self.said.sent(sent)
            await carried(self.line, self.said, sent)

    async def drive_rudely(self) -> None:
        """Hang up in the middle of a request, or before its answer."""
        for self.number in range(RUDE):
            sent = Sent(self.partners[0], REPORTS, f"{self.seed}-{self.number}", report(self.rng))
            self.said.sent(sent)
            await self.line.hang_up(sent, self.rng.choice([0.3, 0.9, 1.0, 1.0]))


async def drive(port: int, people: Sequence[Person], said: Said, given: argparse.Namespace) -> None:
    async def one(n: int) -> None:
        seed = f"{Path(given.said[0]).stem}-{n}"
        client = Client(port, people, said, seed, plain=given.plain)
        try:
            await (client.drive_rudely() if given.rude else client.drive())
        except Gone:
            return

    await asyncio.gather(*(one(n) for n in range(given.clients)))


def unsettled(paths: Sequence[Path], people: Sequence[Person]) -> Iterator[Sent]:
    """What was sent and never answered."""
    person_of = {person.who: person for person in people}
    waiting: dict[tuple[str, str, str], Sent] = {}
    for path in paths:
        for text in path.read_text().splitlines():
            line = json.loads(text)
            name = (line["who"], line["path"], line["key"])
            if "status" in line:
                waiting.pop(name, None)
            else:
                who = person_of[line["who"]]
                waiting[name] = Sent(who, line["path"], line["key"], line["body"])
    yield from waiting.values()


async def settle(port: int, people: Sequence[Person], said: Said, paths: Sequence[Path]) -> None:
    line = Line(port)
    for sent in list(unsettled(paths, people)):
        await carried(line, said, sent)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["drive", "settle"])
    parser.add_argument("port", type=int)
    parser.add_argument("people", type=Path)
    parser.add_argument("said", type=Path, nargs="+")
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--rude", action="store_true")
    parser.add_argument("--plain", action="store_true", help="send nothing twice")
    given = parser.parse_args()
    people = [Person(*pair) for pair in json.loads(given.people.read_text())]
    said = Said(given.said[-1])
    if given.what == "drive":
        asyncio.run(drive(given.port, people, said, given))
    else:
        asyncio.run(settle(given.port, people, said, given.said))


if __name__ == "__main__":
    main()
