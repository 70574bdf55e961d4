"""Checks what the engine left behind, by itself: log, views, keys, files, audit, and the answers.

`python scripts/checker.py --var VAR [--database postgresql://…] [--said FILE …]` shares no code
with the engine: it opens the databases plainly and recomputes everything by the written rules
(the statuses of a case, the hash chains, the ids of commands). A `--said` file holds what load
clients sent and were answered, one JSON object a line:

    {"who": "partner:<id>", "path": "/api/v1/reports", "key": "k-1"}               sent
    {…the same…, "status": 201, "case": "<id>", "position": 7, "hash": "…"}        answered

Prints one JSON line (what was looked at, what is wrong) and ends with 1 if anything is. Run it
while no server writes. The invariants' numbers are those of docs/adr/0072.
"""

import argparse
import hashlib
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid5

import psycopg
from pysqlite3 import dbapi2

STREAMS = UUID("5d0f2e2c-6c0b-5a58-9a2e-8d1f0c7f6b11")
COMMANDS = UUID("0d7c1a5e-2f53-5f0e-8a43-6a1f6a1f9b70")

BEFORE_END = {"submitted", "awaiting_information", "registered", "dispatched", "handling"}
BEFORE_END |= {"suspended", "rectified"}
OPEN = BEFORE_END | {"closed", "under_recheck"}
ANY = OPEN | {"completed", "refused", "withdrawn", "merged"}
REVIEWED = {"submitted", "rectified", "under_recheck"}
WITH_STREET = {"dispatched", "handling"}
BEFORE_FORCE = {"registered", "dispatched", "handling", "suspended"}
RATED = {"closed", "under_recheck", "completed"}

# Event: from where, and to where (None: it stays). Written from the table of the domain's page,
# not from the engine's.
MOVES: dict[str, tuple[set[str], str | None]] = {
    "report-submitted": (set(), "submitted"),
    "information-requested": ({"submitted"}, "awaiting_information"),
    "information-supplied": ({"awaiting_information"}, "submitted"),
    "information-lapsed": ({"awaiting_information"}, "submitted"),
    "information-added": (BEFORE_END, None),
    "reporter-joined": (BEFORE_END, None),
    "reporter-left": ({"submitted", "awaiting_information"}, None),
    "case-withdrawn": ({"submitted", "awaiting_information"}, "withdrawn"),
    "case-registered": ({"submitted"}, "registered"),
    "case-refused": ({"submitted"}, "refused"),
    "refusal-objected": ({"refused"}, "submitted"),
    "case-merged": ({"submitted", "registered", "dispatched", "handling", "merged"}, "merged"),
    "case-absorbed": (BEFORE_END, None),
    "case-unmerged": ({"merged"}, "submitted"),
    "case-released": (OPEN, None),
    "revocation-requested": ({"registered"}, None),
    "registration-revoked": ({"registered"}, "refused"),
    "case-reclassified": ({"submitted", "registered", "handling"}, None),
    "place-corrected": ({"submitted", "registered", "handling"}, None),
    "case-dispatched": ({"registered"}, "dispatched"),
    "case-recalled": (WITH_STREET, "registered"),
    "case-acknowledged": ({"dispatched"}, "handling"),
    "return-requested": (WITH_STREET, None),
    "return-accepted": (WITH_STREET, "registered"),
    "return-rejected": (WITH_STREET, None),
    "handler-assigned": ({"handling"}, None),
    "coordination-requested": ({"handling"}, None),
    "co-handler-named": ({"handling"}, None),
    "extension-requested": ({"handling"}, None),
    "extension-granted": ({"handling"}, None),
    "extension-denied": ({"handling"}, None),
    "suspension-requested": ({"handling"}, None),
    "case-suspended": ({"handling"}, "suspended"),
    "suspension-denied": ({"handling"}, None),
    "case-resumed": ({"suspended"}, "handling"),
    "case-rectified": ({"handling"}, "rectified"),
    "site-check-requested": (REVIEWED, None),
    "site-check-reported": (REVIEWED, None),
    "rework-ordered": ({"rectified"}, "handling"),
    "rectification-unreadable": ({"rectified"}, "handling"),
    "case-closed": ({"rectified"}, "closed"),
    "transfer-requested": ({"handling"}, None),
    "case-transferred": ({"handling"}, "closed"),
    "force-close-requested": (BEFORE_FORCE, None),
    "case-force-closed": (BEFORE_FORCE, "closed"),
    "second-person-declined": (BEFORE_FORCE, None),
    "citizen-notified": ({"closed"}, None),
    "case-rated": (RATED, None),
    "recheck-opened": ({"closed"}, "under_recheck"),
    "case-completed": ({"closed"}, "completed"),
    "rating-lapsed": ({"closed"}, "completed"),
    "visit-recorded": (RATED, None),
    "recheck-upheld": ({"under_recheck"}, "completed"),
    "case-reopened": ({"under_recheck", "completed"}, "dispatched"),
    "appeal-made": ({"closed", "completed"}, None),
    "appeal-upheld": (ANY, None),
    "appeal-dismissed": (ANY, None),
    "instruction-noted": (OPEN, None),
    "instruction-answered": (OPEN, None),
    "case-claimed": (OPEN, None),
    "claim-released": (OPEN, None),
}


class Event(NamedTuple):
    """A row of the log as it lies there."""

    position: int
    stream: UUID
    version: int
    name: str
    state: bytes
    at: int
    actor: bytes
    command: UUID
    ordinal: int
    hash: bytes


class Stored:
    """The databases and files of one installation, opened for looking only."""

    def __init__(self, var: Path, database: str) -> None:
        self.var = var
        self._postgres = psycopg.connect(database, autocommit=True) if database else None

    def _rows(self, file: str, statement: str) -> list[Sequence[object]]:
        if self._postgres is not None and file != "keys.db":
            return list(self._postgres.execute(statement.encode()).fetchall())
        with dbapi2.connect(f"file:{self.var / file}?mode=ro", uri=True) as connection:
            rows: list[Sequence[object]] = connection.execute(statement).fetchall()
        connection.close()
        return rows

    def events(self) -> list[Event]:
        rows = self._rows(
            "log.db",
            "SELECT position, stream, version, name, state, at, actor, command_id, ordinal, hash"
            " FROM events ORDER BY position",
        )
        return [
            Event(int(str(p)), _id(s), int(str(v)), str(n), _raw(st), int(str(at)), _raw(ac),
                  _id(c), int(str(o)), _raw(h))
            for p, s, v, n, st, at, ac, c, o, h in rows
        ]  # fmt: skip

    def view(self, columns: str, table: str) -> list[Sequence[object]]:
        """Rows of the generation that serves."""
        if self._postgres is not None:
            found = self._postgres.execute("SELECT generation FROM views_control.serving")
            name = str((found.fetchone() or ("",))[0])
            return self._rows("", f"SELECT {columns} FROM views_{name}.{table}")  # noqa: S608  names of ours
        name = (self.var / "views-serving").read_text().strip()
        return self._rows(f"views-{name}.db", f"SELECT {columns} FROM {table}")  # noqa: S608  as above

    def desk(self, columns: str, table: str) -> list[Sequence[object]]:
        schema = "desk." if self._postgres is not None else ""
        return self._rows("desk.db", f"SELECT {columns} FROM {schema}{table}")  # noqa: S608  as above

    def erased(self) -> set[str]:
        return {str(row[0]) for row in self._rows("keys.db", "SELECT person_id FROM erasure")}


def _id(value: object) -> UUID:
    if isinstance(value, UUID):
        return value
    return UUID(bytes=bytes(value)) if isinstance(value, (bytes, memoryview)) else UUID(str(value))


def _raw(value: object) -> bytes:
    assert isinstance(value, (bytes, memoryview))
    return bytes(value)


Wrong = list[str]


def chains(events: Sequence[Event]) -> Iterator[str]:
    """I4, I5, I11: versions, positions and the hash chain of every stream."""
    last: dict[UUID, tuple[int, bytes, int]] = {}
    before = 0
    for e in events:
        if e.position <= before:
            yield f"I5 position {e.position} after {before}"
        before = e.position
        version, previous, at = last.get(e.stream, (0, b"", 0))
        if e.version != version + 1:
            yield f"I4 {e.stream}: version {e.version} after {version}"
        if e.at < at:
            yield f"I4 {e.stream}: time goes back at version {e.version}"
        parts = (
            b"haidian-casework/event/1", previous, e.stream.bytes, _eight(e.version),
            e.name.encode(), e.actor, _eight(e.at), e.command.bytes, e.state,
        )  # fmt: skip
        right = hashlib.sha256(b"".join(len(p).to_bytes(8, "big") + p for p in parts)).digest()
        if right != e.hash:
            yield f"I11 {e.stream}: hash of version {e.version}"
        last[e.stream] = (e.version, e.hash, e.at)


def _eight(number: int) -> bytes:
    return number.to_bytes(8, "big", signed=True)


class Life(NamedTuple):
    """How far a case has come."""

    status: str
    version: int
    position: int


def lives(events: Sequence[Event], wrong: Wrong) -> dict[UUID, Life]:
    """I10: every case from its first event by the table alone; where each stands."""
    found: dict[UUID, Life] = {}
    for e in events:
        if e.name not in MOVES:
            continue
        sources, to = MOVES[e.name]
        known = found.get(e.stream)
        if (known is None) != (e.name == "report-submitted"):
            wrong.append(f"I10 {e.stream}: {e.name} as version {e.version}")
        elif known is not None and known.status not in sources:
            wrong.append(f"I10 {e.stream}: {e.name} from {known.status}")
        status = to or (known.status if known else "?")
        found[e.stream] = Life(status, e.version, e.position)
    return found


def views(stored: Stored, events: Sequence[Event], alive: Mapping[UUID, Life]) -> Iterator[str]:
    """I5-I8: each event once in the views, positions with their rows, rows as recomputed."""
    head = events[-1].position if events else 0
    for reader, at in stored.view("reader, n", "reader_position"):
        if at != head:
            yield f"I8 {reader} stands at {at}, the log ends at {head}"
    board = {
        _id(s): Life(str(status), int(str(v)), int(str(p)))
        for s, status, v, p in stored.view("stream, status, version, position", "case_board")
    }
    for stream in alive.keys() | board.keys():
        if alive.get(stream) != board.get(stream):
            yield f"I7 {stream}: {board.get(stream)} in the view, {alive.get(stream)} in the log"
    shown = Counter(int(str(row[0])) for row in stored.view("position", "timeline"))
    told = Counter(e.position for e in events if e.name in MOVES)
    if shown != told:
        yield f"I6 timeline: {len(told - shown)} events missing, {len(shown - told)} too many"
    if stored.view("reader", "held_stream"):
        yield "I7 a stream is held"


def files(stored: Stored, events: Sequence[Event]) -> Iterator[str]:
    """I9: the bytes of every upload that the log names are there, or its person is erased."""
    erased = stored.erased()
    for e in events:
        state = json.loads(e.state)
        for sha in _cited(state):
            path = stored.var / "blobs" / sha[:2] / sha[2:4] / sha
            if not path.exists():
                if str(state.get("person")) not in erased:
                    yield f"I9 {e.stream}: file {sha} is gone"
            elif hashlib.sha256(path.read_bytes()).hexdigest() != sha:
                yield f"I9 file {sha} is damaged"


def _cited(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        # An upload, what was found out about one, or a picture made from one.
        if "sha256" in value and ("upload" in value or "name" in value):
            yield str(value["sha256"])
        for child in value.values():
            yield from _cited(child)
    elif isinstance(value, list):
        for child in value:
            yield from _cited(child)


def audit(stored: Stored, events: Sequence[Event]) -> Iterator[str]:
    """I16: one row for each command of a person; the trail's own chain holds."""
    columns = (
        "seq, at, principal_kind, principal_id, action, target, outcome, facts, command_id, hash"
    )
    rows = sorted(stored.desk(columns, "audit"), key=lambda row: int(str(row[0])))
    previous, rows_of = bytes(32), Counter[UUID]()
    for number, row in enumerate(rows, start=1):
        seq, at, kind, who, action, target, outcome, facts, command, found = row
        asked = None if command is None else _id(command)
        if asked is not None:
            rows_of[asked] += 1
        parts = (
            b"haidian-casework/audit/1", previous, str(seq).encode(), str(at).encode(),
            _text(kind), _text(who), _text(action), _text(target), _text(outcome), _text(facts),
            None if asked is None else asked.bytes,
        )  # fmt: skip
        digest = hashlib.sha256()
        for part in parts:
            digest.update(b"-" if part is None else b"%d:" % len(part) + part)
        previous = _raw(found)
        if seq != number or digest.digest() != previous:
            yield f"I16 audit row {number} breaks the chain"
            break
    for e in events:
        by_person = json.loads(e.actor)["kind"] not in {"clock", "dispatcher"}
        asked_for = e.ordinal == 0 and e.name in MOVES and by_person
        if asked_for and rows_of[e.command] != 1:
            yield f"I16 {e.name} of {e.command}: {rows_of[e.command]} audit rows"


def _text(value: object) -> bytes | None:
    return None if value is None else str(value).encode()


class Line(NamedTuple):
    """One line of what a client said: sent, or answered."""

    command: UUID
    who: str
    name: str
    status: int | None
    case: str
    answer: str
    hash: str


def lines_of(said: Sequence[Path]) -> list[Line]:
    found = []
    for path in said:
        for text in path.read_text().splitlines():
            line = json.loads(text)
            name = f"{line['who']}\0POST {line['path']}\0{line['key']}"
            case, where = line.get("case", ""), line.get("position", "")
            found.append(
                Line(
                    uuid5(COMMANDS, name),
                    line["who"].split(":", 1)[1],
                    name.replace("\0", " "),
                    line.get("status"),
                    case,
                    f"{case} {where}",
                    line.get("hash", ""),
                )
            )
    return found


def acknowledged(lines: Sequence[Line], logged: Mapping[UUID, list[Event]]) -> Iterator[str]:
    """I1: what was acknowledged is there; and no report was given the case of another."""
    reporter: dict[str, UUID] = {}
    for line in lines:
        if line.status not in {200, 201}:
            continue
        stream = uuid5(STREAMS, f"case/{line.case}")
        own = [e for e in logged.get(line.command, ()) if e.stream == stream]
        if not own:
            yield f"I1 {line.name}: acknowledged and not in the log"
        elif own[-1].hash.hex() != line.hash:
            yield f"I1 {line.name}: another hash than acknowledged"
        taken = reporter.setdefault(line.case, line.command) if line.status == 201 else line.command
        if taken != line.command:
            yield f"I2 {line.name}: given the case of a stranger"


def settled(lines: Sequence[Line], logged: Mapping[UUID, list[Event]]) -> Iterator[str]:
    """I2, I3: one answer a key, none unsettled, and nothing in the log that nobody sent."""
    names = {line.command: line.name for line in lines}
    done: dict[UUID, set[str]] = defaultdict(set)
    refused = {line.command for line in lines if line.status not in {None, 200, 201}}
    for line in lines:
        if line.status in {200, 201}:
            done[line.command].add(line.answer)
    for command, name in names.items():
        if len(done[command]) > 1:
            yield f"I2 {name}: {len(done[command])} different answers"
        if not done[command] and command not in refused:
            yield f"I3 {name}: sent and never settled"
        if not done[command] and command in refused and command in logged:
            yield f"I3 {name}: refused, and yet in the log"
    senders = {line.who for line in lines}
    for command, found in logged.items():
        if command not in names and json.loads(found[0].actor)["id"] in senders:
            yield f"I2 {found[0].name} of {command}: nobody sent it"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--var", type=Path, required=True)
    parser.add_argument("--database", default="")
    parser.add_argument("--said", type=Path, nargs="*", default=[])
    given = parser.parse_args()
    stored = Stored(given.var, given.database)
    events = stored.events()
    looked = {"events": len(events)}
    wrong: Wrong = [*chains(events)]
    alive = lives(events, wrong)
    logged: dict[UUID, list[Event]] = defaultdict(list)
    for e in events:
        logged[e.command].append(e)
    lines = lines_of(given.said)
    wrong += [
        *views(stored, events, alive),
        *files(stored, events),
        *audit(stored, events),
        *acknowledged(lines, logged),
        *settled(lines, dict(logged)),
    ]
    looked |= {
        "cases": len(alive),
        "commands sent": len({line.command for line in lines}),
        "answers": sum(line.status is not None for line in lines),
    }
    report = {"looked at": looked, "wrong": len(wrong), "first": wrong[:20]}
    print(json.dumps(report, ensure_ascii=False))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
