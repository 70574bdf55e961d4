"""Where all parts meet: the one reader of settings and of the clock, the one maker of ids.

`prepare` makes what must be on the disk (tables, keys, the first rules) and is run by the command
line; `build` only opens it. Every process of a server only ever builds.
"""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4, uuid5

from limits.strategies import MovingWindowRateLimiter
from limits.util import parse
from sqlalchemy import Engine

from api.accounts.desk import Desk
from api.accounts.grants import Grants
from api.accounts.limits_store import DeskStorage
from api.accounts.lockout import Lockout
from api.accounts.partners import Partners
from api.accounts.passwords import Passwords, profile_named
from api.accounts.people import People
from api.accounts.receipts import Receipts
from api.accounts.schema.prepare import prepare as prepare_desk
from api.accounts.second_factor import SecondFactors
from api.accounts.server_key import Purpose, open_server_key
from api.accounts.sessions import Sessions
from api.accounts.sign_in import SignIn
from api.accounts.sources import Sources
from api.accounts.trail import AuditTrail
from api.erasing import Erasing
from api.parts import Limits, Parts
from api.settings import Settings
from api.texts import OpenedTexts
from api.uploads import Uploads
from api.watching import Meters
from casework import key_file, seeds
from casework.application import BOUNDARIES, CALENDAR, CATALOGUE, Casework, case_of
from casework.erasure import ErasureLedger
from casework.keys import KeyStore
from casework.log.schema import prepare_postgres, prepare_sqlite
from casework.model import Actor, ActorKind, Role
from casework.reference import AdoptBoundaries, found_boundaries
from casework.sealing import Sealer
from evidence.blobs import BlobStore
from evidence.masking import mask
from geo.boundaries import Boundaries
from geo.dispatch import Dispatcher
from projections.case_board import CaseBoard
from projections.case_keys import CaseKeys
from projections.due import DueIndex
from projections.erasure import scrub
from projections.feed import Feed
from projections.generations import PostgresShelf, Shelf, SqliteShelf, create, next_name
from projections.lines import Opener
from projections.my_cases import MyCases
from projections.process import ErasureAcknowledgements, Process, sqlite_ledgers
from projections.reading import Readers
from projections.rebuild import LogSource, Source
from projections.search import Search
from projections.tables import postgres_views
from projections.timeline import Timeline
from projections.view import View

FOUNDER = Actor(ActorKind.STAFF, "setup", roles=(Role.SYSADMIN,))
"""Who founds the reference streams: the command line, before any account exists."""

FOUNDED = datetime(2024, 1, 1, tzinfo=UTC)
"""From when the first rules hold: the first calendar year that is shipped."""

_FOUNDING = UUID("a1c9c2de-4f1b-5d7e-8a51-51a0b7c4d3e2")


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def new_id() -> UUID:
    """A fresh random id."""
    return uuid4()


def all_views() -> tuple[View, ...]:
    """Every registered view."""
    return (CaseKeys(), CaseBoard(), Timeline(), MyCases(), Search(), DueIndex())


# places on the disk ----------------------------------------------------------------------


def _keys_path(settings: Settings) -> Path:
    return settings.keys or settings.var / "keys.db"


def _master_path(settings: Settings) -> Path:
    return _keys_path(settings).with_name("master.key")


def _desk_url(settings: Settings) -> str:
    return settings.database or f"sqlite+pysqlite:///{settings.var.absolute() / 'desk.db'}"


def open_shelf(settings: Settings) -> Shelf:
    """Where the generations of the views lie."""
    if settings.database:
        return PostgresShelf(settings.database)
    return SqliteShelf(settings.var)


def _log_environment(settings: Settings) -> dict[str, str]:
    if settings.database:
        return {
            "PERSISTENCE_MODULE": "casework.log.postgres",
            "LOG_URL": settings.database,
            "LOG_OWNER_ALLOWED": "y" if settings.log_owner_allowed else "n",
        }
    return {
        "PERSISTENCE_MODULE": "casework.log.sqlite",
        "LOG_PATH": str(settings.var.absolute() / "log.db"),
    }


# preparing -------------------------------------------------------------------------------


def prepare(settings: Settings) -> None:
    """Make or upgrade everything on the disk; found the reference streams if they are empty.

    Safe to run again. Run by the command line, never by a serving process.
    """
    settings.var.mkdir(mode=0o700, parents=True, exist_ok=True)
    if settings.database:
        prepare_postgres(settings.database, new_id(), settings.log_role or None)
    else:
        prepare_sqlite(settings.var / "log.db", new_id())
    prepare_desk(_desk_url(settings))
    master = _master_path(settings)
    if not master.exists():
        key_file.create_master_key(master)
    key_file.prepare(_keys_path(settings), key_file.read_master_key(master))
    open_server_key(settings.var / "server.key")
    ledgers = _ledgers(settings)
    Process(
        ledgers, ErasureAcknowledgements(UUID(int=0), lambda: False, lambda _p, _n: None)
    ).prepare()
    ledgers.dispose()
    casework = Casework(_log_environment(settings))
    try:
        _found(casework, settings)
    finally:
        casework.close()


def _found(casework: Casework, settings: Settings) -> None:
    """The first contents of catalogue, calendar and boundaries, from the shipped data."""
    at = now()
    head = casework.refresh(at).head
    if not head.catalogue:
        events = seeds.catalogue_events(settings.reference / "indicators", FOUNDED)
        casework.record_reference(
            CATALOGUE, 0, events, at=at, by=FOUNDER, command_id=uuid5(_FOUNDING, "catalogue")
        )
    if not head.calendar:
        years = seeds.calendar_events(settings.reference / "calendar", FOUNDED)
        casework.record_reference(
            CALENDAR, 0, years, at=at, by=FOUNDER, command_id=uuid5(_FOUNDING, "calendar")
        )
    if not head.boundaries:
        adopted = found_boundaries(
            AdoptBoundaries(
                effective_from=FOUNDED,
                sha256=_digest(_boundary_folder(settings)),
                source="随程序提供的概化边界图",
                accuracy_note="各段精度见边界文件；精度以内的点由人工确认",
            )
        )
        casework.record_reference(
            BOUNDARIES, 0, adopted, at=at, by=FOUNDER, command_id=uuid5(_FOUNDING, "boundaries")
        )


def _boundary_folder(settings: Settings) -> Path:
    return settings.boundaries or settings.reference / "street_boundaries"


def _digest(folder: Path) -> str:
    """SHA-256 over names and bytes of the boundary files, in order."""
    found = hashlib.sha256()
    for path in sorted(folder.glob("*.csv")) if folder.is_dir() else [folder]:
        content = path.read_bytes()
        found.update(f"{path.name}\0{len(content)}\0".encode() + content)
    return found.hexdigest()


# building --------------------------------------------------------------------------------


def build(settings: Settings, clock: Callable[[], datetime] = now) -> Parts:
    """Open everything that `prepare` made.

    Raises where a file, a table or a setting would not keep what the engine promises.
    """
    casework = Casework(_log_environment(settings))
    casework.refresh(clock())
    keys = KeyStore(_keys_path(settings), key_file.read_master_key(_master_path(settings)), clock)
    sealer = Sealer(keys)
    server = open_server_key(settings.var / "server.key")
    desk = Desk(_desk_url(settings))
    sessions = Sessions(desk, server.derive(Purpose.CREDENTIALS), server.derive(Purpose.CSRF))
    passwords = Passwords(profile_named(settings.password_profile))
    factors = SecondFactors(desk, server.derive(Purpose.SECOND_FACTORS))
    lockout = Lockout(server.derive(Purpose.SOURCES))
    storage = DeskStorage(desk, lambda: clock().timestamp())
    boundaries = casework.references.head.boundaries
    uploads, blobs = Uploads(desk), BlobStore(settings.var / "blobs")
    ledger = ErasureLedger(keys)
    people = People(desk, passwords, sessions.forget)
    erasing = Erasing(
        ledger=ledger,
        keys=keys,
        casework=casework,
        people=people,
        uploads=uploads,
        blobs=blobs,
        now=clock,
        views_passed=lambda position: feed.readers.seen() >= position and scrub(feed.readers),
    )
    opener = Opener(OpenedTexts(sealer), mask, case_of)
    shelf, views = open_shelf(settings), all_views()
    readers = _serving(shelf, views, opener)
    # The views tell the erasure ledger that they have forgotten a person; see api.erasing.
    acknowledgements = ErasureAcknowledgements(
        casework.eventlog.epoch, lambda: scrub(feed.readers), erasing.views_forgot
    )
    ledgers = _ledgers(settings)
    process = Process(ledgers, acknowledgements)
    feed = Feed(casework.eventlog, readers, processes=(process,))
    return Parts(
        settings=settings,
        now=clock,
        new_id=new_id,
        casework=casework,
        keys=keys,
        sealer=sealer,
        ledger=ledger,
        erasing=erasing,
        blobs=blobs,
        uploads=uploads,
        dispatcher=Dispatcher(_boundaries(settings, boundaries)),
        feed=feed,
        shelf=shelf,
        ledgers=ledgers,
        views=views,
        opener=opener,
        desk=desk,
        people=people,
        grants=Grants(desk, passwords, sessions.forget),
        partners=Partners(desk, sessions),
        passwords=passwords,
        sessions=sessions,
        sign_in=SignIn(desk, passwords, lockout, sessions, factors),
        sources=Sources(server.derive(Purpose.SOURCES)),
        receipts=Receipts(server.derive(Purpose.RECEIPTS)),
        audit=AuditTrail(desk),
        limits_store=storage,
        limiter=MovingWindowRateLimiter(storage),
        limits=Limits(
            reports=parse(settings.report_limit),
            uploads=parse(settings.upload_limit),
            status=parse(settings.status_limit),
            citizens=parse(settings.citizen_limit),
            partners=parse(settings.partner_limit),
        ),
        fingerprint_key=server.derive(Purpose.FINGERPRINTS),
        meters=Meters(),
        work=ThreadPoolExecutor(8, thread_name_prefix="work"),
    )


def _ledgers(settings: Settings) -> Engine:
    """Where processes keep their positions and what they owe."""
    if settings.database:
        return postgres_views(settings.database, "public")
    return sqlite_ledgers(settings.var / "ledgers.db")


def _boundaries(settings: Settings, version: int) -> Boundaries:
    if settings.boundaries is None:
        return Boundaries.bundled(version)
    return Boundaries.read(settings.boundaries, version=version)


def _serving(shelf: Shelf, views: tuple[View, ...], opener: Opener) -> Readers:
    """The readers of the generation that serves; an empty first one where there is none."""
    name = shelf.serving()
    if name is None:
        name = next_name(shelf, views)
        shelf.make(name)
        engine = shelf.load(name)
        create(engine, name, views)
        engine.dispose()
        shelf.settle(name)
        shelf.serve(name)
    return Readers(shelf.open(name), name, views, opener)


# for other processes ---------------------------------------------------------------------


@contextmanager
def open_source(settings: Settings) -> Iterator[Source]:
    """The log and the keys as a rebuild reads them, in a process of its own."""
    casework = Casework(_log_environment(settings))
    keys = KeyStore(_keys_path(settings), key_file.read_master_key(_master_path(settings)), now)
    try:
        opener = Opener(OpenedTexts(Sealer(keys)), mask, case_of)
        yield LogSource(casework.eventlog, opener)
    finally:
        keys.close()
        casework.close()
