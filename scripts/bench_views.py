"""Measures the views: rebuild of a whole log, with appends and reads beside it, and their queries.

    python scripts/bench_views.py --events 1000000 --directory /tmp/bench

The log is made once and kept. Every case has 8 to 12 events, a quarter of all events carry sealed
words; keys are derived, so a key is made where a store would unwrap one. Prints one line a figure.
"""

import argparse
import gc
import hashlib
import multiprocessing
import multiprocessing.synchronize
import os
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import TypeAlias
from uuid import UUID, uuid4, uuid5

import msgspec
from cachetools import LRUCache
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eventsourcing.persistence import JSONTranscoder
from pysqlite3 import dbapi2
from sqlalchemy import text

from api import similar
from api.wiring import all_views
from casework import events as did
from casework.instants import to_micros
from casework.lifecycle import Status
from casework.log.committer import Committer
from casework.log.eventlog import EventLog
from casework.log.mapper import EventMapper, Names
from casework.log.port import Appended, Write, stream_id
from casework.log.schema import prepare_sqlite
from casework.log.sqlite import SqliteRecorder
from casework.log.sqlite_writer import SqliteWriter
from casework.model import (
    CLOCK,
    Actor,
    ActorKind,
    Assignment,
    Certainty,
    Clock,
    ClockStarted,
    ClockStopped,
    Limit,
    Outcome,
    Photo,
    Place,
    PlaceKind,
    Role,
    Sealed,
    Solved,
    StreetCode,
    Unit,
    Versions,
)
from evidence.likeness import Likeness
from evidence.masking import mask
from projections import evidence_seen, search, street_desk, timeline
from projections.case_list import Filters, newest, one
from projections.feed import Feed
from projections.generations import SqliteShelf, create
from projections.lines import CaseKey, Opener
from projections.reading import Readers
from projections.rebuild import BULK_PAGE, Part, rebuild
from projections.stored_log import StoredLog, open_sqlite_log, sqlite_rows
from projections.tables import reading

VIEWS = all_views()
"""Every registered view, as the server runs them."""
START = datetime(2025, 1, 1, tzinfo=UTC)
STREETS = [StreetCode(f"110108{n:03d}") for n in range(1, 30)]
INDICATORS = ["C01", "C02", *(f"P{n:02d}" for n in range(1, 11))]
PLACES = [
    "中关村大街",
    "知春路",
    "五道口",
    "西二旗",
    "上地东里",
    "清河",
    "苏州街",
    "万柳中路",
    "学院路",
    "四季青",
]
WHAT = [
    "盲道被共享单车占满，老人推轮椅过不去",
    "垃圾桶满冒没人清理，味道很大",
    "电线杆上贴满了小广告，铲了又贴",
    "快递员把货物堆在人行道上分拣，行人只能走机动车道",
    "河面上漂着塑料袋和树枝",
    "工地门口浮土很厚，一刮风就扬尘",
    "绿地里扔了旧床垫和装修垃圾",
    "楼下大件垃圾堆了一周",
]
MORE = ["请尽快处理。", "已经反映过两次了。", "每天早晚高峰都这样。", "希望有人管管。", ""]
SPACE = UUID("11111111-2222-5333-8444-555555555555")
VERSIONS = Versions(1, 1, 1)
REVIEWER = Actor(ActorKind.STAFF, "reviewer-1", roles=(Role.REVIEWER,))
NONCE = b"\0" * 12


Answers: TypeAlias = "multiprocessing.Queue[float]"
Flag: TypeAlias = multiprocessing.synchronize.Event


def case_of(command_id: UUID) -> UUID:
    return uuid5(command_id, "case")


class DerivedKeys:
    """Real AES-256-GCM under keys derived from their ids: no store, all of the cipher."""

    def __init__(self) -> None:
        self._keys: LRUCache[UUID, AESGCM] = LRUCache(50_000)

    def _aead(self, key_id: UUID) -> AESGCM:
        aead = self._keys.get(key_id)
        if aead is None:
            aead = self._keys[key_id] = AESGCM(hashlib.sha256(key_id.bytes).digest())
        return aead

    def seal(self, key_id: UUID, case_id: UUID, field: str, command_id: UUID, words: str) -> Sealed:
        aad = case_id.bytes + field.encode() + command_id.bytes
        return Sealed(key_id, NONCE, self._aead(key_id).encrypt(NONCE, words.encode(), aad))

    def open(self, sealed: Sealed, case_id: UUID, field: str, command_id: UUID) -> str | None:
        aad = case_id.bytes + field.encode() + command_id.bytes
        return self._aead(sealed.key_id).decrypt(sealed.nonce, sealed.box, aad).decode()


class Life:
    """One made-up case, from the report to wherever chance leaves it."""

    def __init__(self, n: int, random: Random, keys: DerivedKeys) -> None:
        self.n = n
        self.random = random
        self.keys = keys
        self.command = uuid5(SPACE, str(n))
        self.case_id = case_of(self.command)
        self.stream = stream_id(f"case/{self.case_id}")
        self.person = uuid5(SPACE, f"p{n * 2 // 3}")
        self.street = random.choice(STREETS)
        self.indicator = random.choice(INDICATORS)
        self.at = START + timedelta(minutes=5 * n)
        self.version = 0
        self.actor = REVIEWER
        self.now_command = self.command

    def words(self, field: str, said: str, person: UUID | None = None) -> Sealed:
        key = uuid5(person, "key") if person else uuid5(self.now_command, field)
        return self.keys.seal(key, self.case_id, field, self.now_command, said)

    def starts(self, clock: Clock, hours: float) -> tuple[ClockStarted, ...]:
        due = self.at + timedelta(hours=hours)
        return (ClockStarted(clock, Limit(4, Unit.DUTY_HOUR), due, "dispatch"),)

    def stops(self, *clocks: Clock) -> tuple[ClockStopped, ...]:
        return tuple(ClockStopped(c, 3_600_000_000, in_time=True, because="done") for c in clocks)

    def assignment(self) -> Assignment:
        return Assignment(
            street=self.street, certainty=Certainty.INSIDE, because="位于街镇界内",
            boundary_version=3, border_m=240.5,
        )  # fmt: skip

    def photo(self) -> Photo:
        upload = uuid5(self.now_command, "photo")
        return Photo(upload, hashlib.sha256(upload.bytes).hexdigest(), "image/jpeg", "camera")

    def report(self) -> did.ReportSubmitted:
        said = (
            f"{self.random.choice(PLACES)}附近，{self.random.choice(WHAT)}。"
            + self.random.choice(MORE)
        )
        place = f"{self.random.choice(PLACES)}{self.random.randint(1, 200)}号"
        return did.ReportSubmitted(
            number=f"HD25{self.n:09d}",
            person=self.person,
            place=Place(
                lon=116.2 + self.random.random() / 5,
                lat=39.9 + self.random.random() / 5,
                kind=PlaceKind.ROAD,
                accuracy_m=12.0,
                address=self.words("address", place, self.person),
            ),
            assignment=self.assignment(),
            versions=VERSIONS,
            indicator=self.indicator,
            text=self.words("text", said, self.person),
            photos=(self.photo(),),
            started=self.starts(Clock.REVIEW, 0.5),
        )

    def steps(self) -> Iterator[tuple[Actor, msgspec.Struct]]:
        """What happens, each time with who does it."""
        citizen = Actor(ActorKind.CITIZEN, str(self.person), roles=(Role.CITIZEN,))
        street = Actor(ActorKind.STAFF, f"street-{self.street}", self.street, (Role.STREET,))
        yield citizen, self.report()
        yield REVIEWER, did.CaseClaimed(until=self.at + timedelta(minutes=15))
        yield REVIEWER, did.CaseRegistered(
            indicator=self.indicator, condition="a", versions=VERSIONS,
            stopped=self.stops(Clock.REVIEW),
        )  # fmt: skip
        hours = self.random.choice([2, 4, 24, 72])
        yield REVIEWER, did.CaseDispatched(
            street=self.street, assignment=self.assignment(), limit=Limit(4, Unit.DUTY_HOUR),
            due_at=self.at + timedelta(hours=hours), versions=VERSIONS,
            started=(*self.starts(Clock.ACKNOWLEDGE, 0.5), *self.starts(Clock.HANDLING, hours)),
        )  # fmt: skip
        yield (
            street,
            did.CaseAcknowledged(street=self.street, stopped=self.stops(Clock.ACKNOWLEDGE)),
        )
        yield street, did.HandlerAssigned(handler=f"handler-{self.n % 97}")
        if self.random.random() < 0.5:
            yield street, did.CaseClaimed(until=self.at + timedelta(minutes=15))
        if self.random.random() < 0.1:
            yield street, did.ExtensionRequested(
                code="E01", by=Limit(4, Unit.DUTY_HOUR), words=self.words("words", "工程量大"),
                started=self.starts(Clock.EXTENSION, 2),
            )  # fmt: skip
        yield street, did.CaseRectified(
            street=self.street, outcome=Outcome.RECTIFIED, photos=(self.photo(),),
            words=self.words("words", "已安排人员到现场清理完毕，恢复整洁"),
            stopped=self.stops(Clock.HANDLING), started=self.starts(Clock.VERIFICATION, 2),
        )  # fmt: skip
        yield REVIEWER, did.CaseClosed(
            reply=self.words("reply", "您反映的问题已由属地街镇处置完毕，感谢您的监督"),
            standard="已清除", stopped=self.stops(Clock.VERIFICATION),
            started=self.starts(Clock.RATING, 360),
        )  # fmt: skip
        yield CLOCK, did.CitizenNotified(person=self.person, channel="app")
        if self.random.random() < 0.4:
            yield (
                citizen,
                did.CaseRated(
                    person=self.person, round=1, solved=Solved.YES, satisfaction=5, efficiency=4
                ),
            )
        yield CLOCK, did.RatingLapsed(stopped=self.stops(Clock.RATING))


def names() -> Names:
    return Names([did.STORED_AS, did.OTHER_STORED_AS])


def mapper() -> EventMapper:
    return EventMapper(JSONTranscoder(), names())


def make_log(path: Path, events: int, seed: int) -> None:
    """A log of about this many events, cases interleaved as they are when many are open."""
    prepare_sqlite(path, uuid4())
    random, keys, to_bytes = Random(seed), DerivedKeys(), mapper()
    connection = dbapi2.connect(str(path), isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN")
    rows: list[tuple[object, ...]] = []
    open_cases: list[tuple[Life, Iterator[tuple[Actor, msgspec.Struct]]]] = []
    n = position = 0
    while position < events:
        while len(open_cases) < 2000:
            life = Life(n, random, keys)
            open_cases.append((life, life.steps()))
            n += 1
        i = random.randrange(len(open_cases))
        life, steps = open_cases[i]
        life.now_command = uuid5(life.stream, str(life.version)) if life.version else life.command
        life.at += timedelta(minutes=random.randint(1, 90))
        # Most lives end; a sixth stay open somewhere, as the backlog of a district does.
        step = None if life.version > 3 and random.random() < 0.02 else next(steps, None)
        if step is None:
            open_cases[i] = open_cases[-1]
            open_cases.pop()
            continue
        actor, event = step
        position += 1
        life.version += 1
        rows.append(
            (
                position, life.stream.bytes, life.version, to_bytes.names.name_of(event),
                to_bytes.names.encode(event), to_micros(life.at), to_bytes.encode_actor(actor),
                life.now_command.bytes, 0, bytes(32), None,
            )
        )  # fmt: skip
        if len(rows) == 10_000:
            _store(connection, rows)
            rows.clear()
    _store(connection, rows)
    connection.execute("COMMIT")
    connection.close()


def _store(connection: dbapi2.Connection, rows: list[tuple[object, ...]]) -> None:
    connection.executemany(
        "INSERT INTO events (position, stream, version, name, state, at, actor, command_id,"
        " ordinal, hash, fingerprint) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        rows,
    )


@contextmanager
def open_source(path: Path) -> Iterator[StoredLog]:
    """The log, for readers only: its committer is never started."""
    recorder = SqliteRecorder(path, Committer(SqliteWriter(path)))
    connection = open_sqlite_log(path)
    reads = mapper()
    try:
        yield StoredLog(
            EventLog(recorder, reads),
            Opener(DerivedKeys(), mask, case_of),
            sqlite_rows(connection),
            reads.names.decode,
        )
    finally:
        connection.close()
        recorder._pool.dispose()  # noqa: SLF001  close() would also stop the committer, never started


def timed(name: str, repeats: int, ask: Callable[[int], object]) -> None:
    """Median and 95th percentile of a query, in milliseconds."""
    spent = []
    for n in range(repeats):
        start = time.perf_counter()
        ask(n)
        spent.append((time.perf_counter() - start) * 1000)
    spent.sort()
    print(f"{name}: p50 {statistics.median(spent):.2f} ms, p95 {spent[int(repeats * 0.95)]:.2f} ms")


def ask_everything(shelf: SqliteShelf, epoch: UUID) -> None:  # noqa: C901, PLR0915  a list of questions
    """The queries people wait for."""
    engine = shelf.open(shelf.serving() or "")
    random = Random(7)
    with reading(engine) as c:
        print("cases:", c.scalar(text("SELECT count(*) FROM case_board")))
        for status, n in c.execute(text("SELECT status, count(*) FROM case_board GROUP BY 1")):
            print("   ", status, n)
    ids = []
    with reading(engine) as c:
        page = newest(c, Filters(), epoch=epoch, limit=200)
        ids = [case.case_id for case in page.cases]
        old = newest(c, Filters(street=STREETS[3], status=(Status.COMPLETED,)), epoch=epoch)
        ids += [case.case_id for case in old.cases]

    def three_filters(_n: int) -> None:
        filters = Filters(
            status=(Status.HANDLING, Status.RECTIFIED, Status.COMPLETED),
            street=random.choice(STREETS), indicator=random.choice(INDICATORS),
        )  # fmt: skip
        with reading(engine) as c:
            newest(c, filters, epoch=epoch)

    def wide(_n: int) -> None:
        with reading(engine) as c:
            newest(c, Filters(status=(Status.COMPLETED, Status.CLOSED)), epoch=epoch)

    def overdue(_n: int) -> None:
        with reading(engine) as c:
            newest(c, Filters(overdue=START + timedelta(days=300)), epoch=epoch)

    def bbox(_n: int) -> None:
        west, south = 116.2 + random.random() / 6, 39.9 + random.random() / 6
        with reading(engine) as c:
            newest(c, Filters(bbox=(west, south, west + 0.01, south + 0.01)), epoch=epoch)

    def one_case(_n: int) -> None:
        case_id = random.choice(ids)
        with reading(engine) as c:
            one(c, case_id)
            timeline.steps_of(c, case_id, str)

    def found(word: str, *statuses: Status) -> Callable[[int], None]:
        def ask(_n: int) -> None:
            with reading(engine) as c:
                search.find(c, word, Filters(status=statuses), epoch=epoch)

        return ask

    def desk(_n: int) -> None:
        with reading(engine) as c:
            street_desk.tasks(c, random.choice(STREETS))
            street_desk.desk(c, random.choice(STREETS), START, START + timedelta(days=1))

    def alike(_n: int) -> None:
        asked = similar.Asked(
            lon=116.2 + random.random() / 6,
            lat=39.9 + random.random() / 6,
            at=START + timedelta(days=300),
            indicator=random.choice(INDICATORS),
            pictures=(Likeness(1, 1, bytes(1320)),),
        )
        with reading(engine) as c:
            similar.for_reviewer(c, asked, UUID(int=0))

    def photos(_n: int) -> None:
        with reading(engine) as c:
            evidence_seen.photos_of_case(c, random.choice(ids))

    timed("newest 100 by three filters", 200, three_filters)
    timed("newest 100 of the two commonest statuses", 100, wide)
    timed("newest 100 overdue", 100, overdue)
    timed("newest 100 of a square kilometre", 100, bbox)
    timed("one case with its timeline", 300, one_case)
    timed("similar open cases within a kilometre", 200, alike)
    timed("the photos of a case", 200, photos)
    timed("a street's desk with counts", 100, desk)
    timed("search 盲道, handling", 100, found("盲道", Status.HANDLING))
    timed("search 垃圾, completed", 100, found("垃圾", Status.COMPLETED))
    timed("search 附近 (every case), suspended (none)", 50, found("附近", Status.SUSPENDED))
    timed("search 附近 (every case), rectified", 50, found("附近", Status.RECTIFIED))
    timed("search 床 (one character)", 50, found("床"))
    timed("search a number", 100, found("HD25000012345"))
    engine.dispose()


def append_beside(path: Path, ended: Flag, answers: Answers) -> None:
    """Append one event at a time, 100 a second, and tell the longest wait in milliseconds."""
    committer = Committer(SqliteWriter(path))
    committer.start()
    log = EventLog(SqliteRecorder(path, committer), mapper())
    longest = 0.0
    n = 0
    while not ended.is_set():
        stream = stream_id(f"turned-away/{n % 50}")
        start = time.perf_counter()
        event = did.ReportTurnedAway(channel="bench")
        log.append([Write(stream, None, (event,), START)], uuid4(), CLOCK)
        longest = max(longest, time.perf_counter() - start)
        n += 1
        ended.wait(0.01)
    answers.put(longest * 1000)
    committer.close()


def read_beside(directory: Path, ended: Flag, answers: Answers) -> None:
    """Ask the serving generation all the while; tell the longest answer in milliseconds."""
    shelf = SqliteShelf(directory)
    longest = 0.0
    while not ended.is_set():
        serving = shelf.serving()
        if serving is None:
            ended.wait(0.05)
            continue
        engine = shelf.open(serving)
        for _ in range(50):
            start = time.perf_counter()
            with reading(engine) as connection:
                newest(connection, Filters(status=(Status.HANDLING,)), epoch=SPACE)
            longest = max(longest, time.perf_counter() - start)
            if ended.wait(0.02):
                break
        engine.dispose()
    answers.put(longest * 1000)


def processor_time() -> float:
    """Seconds of this process and of those that it started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def read_alone(path: Path) -> float:
    """Processor seconds of reading the whole log and opening its words, with no view.

    What is to a rebuild as bare commits are to the log: the same on a busy machine and a free one.
    """
    with open_source(path) as source:
        keys: dict[bytes, CaseKey] = {}
        position, stop = 0, source.log.head()
        gc.disable()
        before = processor_time()
        while position < stop:
            page, last = source.page(position, BULK_PAGE, stop, Part(0, 1))
            if last == position:
                break
            position = last
            for _line in source.opener.lines_from_start(page, keys):
                pass
        spent = processor_time() - before
        gc.enable()
    return spent


def rebuild_beside(directory: Path, path: Path, events: int, workers: int) -> None:
    """Rebuild while another process appends and a third reads."""
    shelf = SqliteShelf(directory)
    if shelf.serving() is None:
        # The readers beside need something that serves.
        rebuild(partial(open_source, path), partial(SqliteShelf, directory), VIEWS, workers=workers)
    context = multiprocessing.get_context("spawn")
    ended = context.Event()
    waits: Answers = context.Queue()
    reads: Answers = context.Queue()
    beside = [
        context.Process(target=append_beside, args=(path, ended, waits)),
        context.Process(target=read_beside, args=(directory, ended, reads)),
    ]
    for process in beside:
        process.start()
    alone = read_alone(path)
    before = processor_time()
    start = time.perf_counter()
    done = rebuild(
        partial(open_source, path), partial(SqliteShelf, directory), VIEWS, workers=workers
    )
    spent = time.perf_counter() - start
    used = processor_time() - before
    ended.set()
    size = shelf.path(done.generation).stat().st_size
    print(
        f"rebuild of {events:,} events into {len(VIEWS)} views with {workers} workers:"
        f" {spent:.1f} s, {events / spent:,.0f} events/s, {size / 1e6:.0f} MB"
    )
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(
        f"processor time: {used:.1f} s, {events / used:,.0f} events for a second of it,"
        f" {used / alone:.1f} times that of reading and opening the log alone"
    )
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(
        f"{os.cpu_count()} cores with load {os.getloadavg()[0]:.1f};"
        f" largest process {largest:.0f} MB"
    )
    print(f"longest append beside it: {waits.get():.0f} ms; longest read: {reads.get():.0f} ms")
    for process in beside:
        process.join()


def lag_beside(directory: Path) -> None:
    """How long after an append, at 100 a second, the views have seen it."""
    path = directory / "lag-log.db"
    for old in directory.glob("lag-log.db*"):
        old.unlink()
    prepare_sqlite(path, uuid4())
    committer = Committer(SqliteWriter(path))
    committer.start()
    log = EventLog(SqliteRecorder(path, committer), mapper())
    keys = DerivedKeys()
    shelf = SqliteShelf(directory)
    shelf.make("lag_1")
    engine = shelf.open("lag_1")
    create(engine, "lag_1", VIEWS)
    feed = Feed(log, Readers(engine, "lag_1", VIEWS, Opener(keys, mask, case_of)))
    feed.start()
    random = Random(3)
    spent = []
    for n in range(60):
        life = Life(n, random, keys)
        steps, version = life.steps(), 0
        while step := next(steps, None):
            actor, event = step
            writes = [Write(life.stream, version, (event,), life.at)]
            done = log.append(writes, life.now_command, actor)
            assert isinstance(done, Appended)
            version += 1
            life.now_command = uuid5(life.stream, str(version))
            start = time.perf_counter()
            feed.wait_for(done.positions[0])
            spent.append((time.perf_counter() - start) * 1000)
            time.sleep(max(0.0, 0.01 - (time.perf_counter() - start)))
    spent.sort()
    print(
        f"view lag at 100 events/s: p50 {statistics.median(spent):.1f} ms,"
        f" p99 {spent[int(len(spent) * 0.99)]:.1f} ms; held {len(feed.held())}"
    )
    feed.stop()
    engine.dispose()
    shelf.remove("lag_1")
    committer.close()


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--no-rebuild", action="store_true")
    arguments = parser.parse_args()
    directory: Path = arguments.directory
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"log-{arguments.events}.db"
    if not path.exists():
        start = time.perf_counter()
        make_log(path, arguments.events, arguments.seed)
        print(f"log of {arguments.events:,} events made in {time.perf_counter() - start:.1f} s")
    shelf = SqliteShelf(directory)
    if not arguments.no_rebuild:
        rebuild_beside(directory, path, arguments.events, arguments.workers)
    lag_beside(directory)
    with open_source(path) as source:
        ask_everything(shelf, source.log.epoch)


if __name__ == "__main__":
    main()
