"""Where all parts meet: the one reader of settings and of the clock, the one maker of ids.

What must be on the disk is made by `api.preparing`; here it is only opened.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter
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
from api.accounts.second_factor import SecondFactors
from api.accounts.server_key import Purpose, open_server_key
from api.accounts.sessions import Sessions
from api.accounts.sign_in import SignIn
from api.accounts.sources import Sources
from api.accounts.trail import AuditTrail
from api.boundary_versions import FOLDER, BoundaryVersions
from api.checking import Checking
from api.collecting import Collecting
from api.duty import DutyRoster, on_duty
from api.erasing import Erasing
from api.examining import Examining
from api.geocoding import Geocoding
from api.learning import Learner
from api.parts import Limits, Parts
from api.photo_learning import PhotoLearner
from api.place_codes import PlaceCodes
from api.recognising import Recognising
from api.recognition_sources import OtherSources
from api.recognition_tickets import Tickets
from api.redacted_photos import RedactedPhotos
from api.redacting import Redacting
from api.sealed_months import SealedMonths
from api.settings import Settings
from api.stored_files import content_of
from api.texts import OpenedTexts
from api.timekeeping import Timekeeper
from api.uploads import Uploads
from api.watching import Meters
from casework import key_file
from casework.application import Casework, case_of
from casework.erasure import ErasureLedger
from casework.errors import Erased
from casework.events import ReportSubmitted
from casework.keys import KeyStore
from casework.model import Actor, ActorKind, Photo, Role
from casework.sealing import Sealer
from evidence.blobs import BlobStore
from evidence.errors import BlobDamaged, BlobMissing
from evidence.examining import Examiner
from evidence.masking import mask
from evidence.redaction import Finder
from evidence.store import Folder, Store
from geo.gazetteer import Gazetteer
from projections.behaviour import Behaviour
from projections.case_board import CaseBoard
from projections.case_history import CaseHistory
from projections.case_keys import CaseKeys
from projections.due import DueIndex
from projections.erasure import scrub
from projections.evidence import Evidence
from projections.facts import Facts
from projections.feed import Feed
from projections.generations import PostgresShelf, Shelf, SqliteShelf, create, next_name
from projections.hand_overs import HandOvers
from projections.handlings import Handlings
from projections.lines import Opener
from projections.my_cases import MyCases
from projections.notices import Notices
from projections.place_code_scans import PlaceCodeScans
from projections.places_seen import PlacesSeen
from projections.process import ErasureAcknowledgements, Process, sqlite_ledgers
from projections.reading import Readers
from projections.redispatch import Redispatch
from projections.search import Search
from projections.tables import postgres_views, reading
from projections.timeline import Timeline
from projections.training import Extent, Learnt, Training, extent, learnt
from projections.training_photos import registered
from projections.typical_cases import TypicalCases
from projections.view import View
from recognition.training import trainer

FOUNDER = Actor(ActorKind.STAFF, "setup", roles=(Role.SYSADMIN,))
"""Who founds the reference streams: the command line, before any account exists."""


KEYS_CACHED = 4_000
"""Keys held open in a serving process: some hundred bytes each, the cases of a day."""


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def new_id() -> UUID:
    """A fresh random id."""
    return uuid4()


def all_views() -> tuple[View, ...]:
    """Every registered view."""
    return (
        CaseKeys(),
        CaseBoard(),
        Timeline(),
        MyCases(),
        Search(),
        DueIndex(),
        Notices(),
        Redispatch(),
        CaseHistory(),
        PlacesSeen(),
        Handlings(),
        Training(),
        Evidence(),
        HandOvers(),
        Behaviour(),
        Facts(),
        TypicalCases(),
    )


# places on the disk ----------------------------------------------------------------------


def keys_path(settings: Settings) -> Path:
    return settings.keys or settings.var / "keys.db"


def master_path(settings: Settings) -> Path:
    return keys_path(settings).with_name("master.key")


def desk_url(settings: Settings) -> str:
    return settings.database or f"sqlite+pysqlite:///{settings.var.absolute() / 'desk.db'}"


def open_shelf(settings: Settings) -> Shelf:
    """Where the generations of the views lie."""
    if settings.database:
        return PostgresShelf(settings.database)
    return SqliteShelf(settings.var)


def log_environment(settings: Settings) -> dict[str, str]:
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


def open_store(settings: Settings) -> Store:
    """Where the sealed files lie."""
    if not settings.blobs:
        return Folder(settings.var / "blobs")
    # The client of an object store costs memory and time to load: only where one is set.
    from evidence.s3_store import S3  # noqa: PLC0415

    return S3(
        settings.blobs,
        settings.var / "blobs" / "incoming",
        settings.blobs_endpoint,
        settings.blobs_region,
    )


# building --------------------------------------------------------------------------------


def build(
    settings: Settings,
    clock: Callable[[], datetime] = now,
    steady: Callable[[], float] = time.monotonic,
) -> Parts:
    """Open everything that `prepare` made. `steady` is a clock in seconds that nobody can set.

    Raises where a file, a table or a setting would not keep what the engine promises.
    """
    casework = Casework(log_environment(settings))
    casework.refresh(clock())
    master = key_file.read_master_key(master_path(settings))
    keys = KeyStore(keys_path(settings), master, clock, cached=KEYS_CACHED)
    sealer = Sealer(keys)
    server = open_server_key(settings.var / "server.key")
    desk = Desk(desk_url(settings))
    sessions = Sessions(
        desk,
        server.derive(Purpose.CREDENTIALS),
        server.derive(Purpose.CSRF),
        factor_roles=frozenset(settings.second_factor_roles),
    )
    passwords = Passwords(profile_named(settings.password_profile))
    factors = SecondFactors(desk, server.derive(Purpose.SECOND_FACTORS), sessions.forget)
    lockout = Lockout(server.derive(Purpose.SOURCES))
    storage = DeskStorage(desk, lambda: clock().timestamp())
    uploads, blobs = Uploads(desk), BlobStore(open_store(settings))
    ledger = ErasureLedger(keys)
    duty = DutyRoster(casework.eventlog)
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
    ledgers = open_ledgers(settings)
    process = Process(ledgers, acknowledgements)
    feed = Feed(casework.eventlog, readers, processes=(process,))
    examiner, finder = Examiner(max(1, settings.examiners)), Finder()
    checking = Checking(casework, sealer, lambda: feed, settings.album)
    erasing.also_forget(checking.forget)
    examining = Examining(
        uploads=uploads,
        blobs=blobs,
        sealer=sealer,
        casework=casework,
        feed=lambda: feed,
        examiner=examiner,
        checking=checking,
        now=clock,
        new_id=new_id,
        threads=settings.examiners,
        most_waiting=settings.examine_queue,
    )
    redacting = Redacting(
        casework=casework,
        examining=examining,
        examiner=examiner,
        finder=finder,
        feed=lambda: feed,
    )
    return Parts(
        settings=settings,
        now=clock,
        timekeeper=Timekeeper(casework, feed, partial(on_duty, duty, desk), clock, steady),
        new_id=new_id,
        casework=casework,
        keys=keys,
        sealer=sealer,
        ledger=ledger,
        erasing=erasing,
        blobs=blobs,
        uploads=uploads,
        examining=examining,
        checking=checking,
        redacting=redacting,
        examiner=examiner,
        finder=finder,
        collecting=Collecting(uploads, blobs, lambda: feed, clock),
        public_photos=RedactedPhotos(redacting, examining),
        boundaries=BoundaryVersions(lambda: casework.references, settings.var / FOLDER),
        place_codes=PlaceCodes(
            casework.eventlog, server.derive(Purpose.PLACE_CODES), PlaceCodeScans(ledgers)
        ),
        duty=duty,
        sealed_months=SealedMonths(casework.eventlog, feed),
        gazetteer=Gazetteer.bundled(),
        geocoder=_geocoder(settings),
        recognising=_recognising(
            settings,
            casework,
            lambda: feed.readers.engine,
            clock,
            _photo_learner(casework, lambda: feed.readers.engine, sealer, blobs),
        ),
        tickets=Tickets(server.derive(Purpose.RECOGNITIONS)),
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
        factors=factors,
        lockout=lockout,
        sources=Sources(server.derive(Purpose.SOURCES)),
        receipts=Receipts(server.derive(Purpose.RECEIPTS)),
        audit=AuditTrail(desk),
        limits_store=storage,
        limiter=MovingWindowRateLimiter(storage),
        partner_limiter=FixedWindowRateLimiter(storage),
        limits=Limits(
            reports=parse(settings.report_limit),
            uploads=parse(settings.upload_limit),
            status=parse(settings.status_limit),
            maps=parse(settings.map_limit),
            recognitions=parse(settings.recognition_limit),
            citizens=parse(settings.citizen_limit),
            partners=parse(settings.partner_limit),
        ),
        fingerprint_key=server.derive(Purpose.FINGERPRINTS),
        meters=Meters(),
        work=ThreadPoolExecutor(8, thread_name_prefix="work"),
        trials=ThreadPoolExecutor(1, thread_name_prefix="trials"),
    )


def open_ledgers(settings: Settings) -> Engine:
    """Where processes keep their positions and what they owe."""
    if settings.database:
        return postgres_views(settings.database, "public")
    return sqlite_ledgers(settings.var / "ledgers.db")


def _recognising(
    settings: Settings,
    casework: Casework,
    views: Callable[[], Engine],
    clock: Callable[[], datetime],
    photos: PhotoLearner,
) -> Recognising:
    """Recognition over the catalogue in force and what the views have learnt."""
    folder = settings.var / "recognition"

    def how_much() -> Extent:
        with reading(views()) as connection:
            return extent(connection)

    def newest(most: int, each: int) -> list[Learnt]:
        with reading(views()) as connection:
            return learnt(connection, most, each)

    learner = Learner(
        folder,
        trainer(),
        lambda: casework.references.rules_at(clock()).catalogue,
        how_much,
        newest,
        clock,
    )
    return Recognising(learner, OtherSources(settings, folder, learner.lessons(), photos))


def _photo_learner(
    casework: Casework, views: Callable[[], Engine], sealer: Sealer, blobs: BlobStore
) -> PhotoLearner:
    """What photos of registered cases look like."""

    def cases(each: int) -> list[tuple[UUID, str]]:
        with reading(views()) as connection:
            return registered(connection, each)

    def photos(case_id: UUID) -> tuple[Photo, ...]:
        first = next(iter(casework.history(case_id)), None)
        event = None if first is None else first.event
        if not isinstance(event, ReportSubmitted) or event.demonstration:
            return ()
        return event.photos

    def content(photo: Photo) -> bytes | None:
        try:
            return content_of(blobs, sealer, photo)
        except (Erased, BlobMissing, BlobDamaged):
            return None

    def alive(photo: Photo) -> bool:
        return sealer.unwrap(photo.wrapped_key) is not None

    return PhotoLearner(cases, photos, content, alive)


def _geocoder(settings: Settings) -> Geocoding | None:
    """The outside geocoder, where one is set."""
    if not settings.geocoder_url:
        return None
    # An HTTP client costs five megabytes and a tenth of a second: only where one is set.
    from api.geocoder import Geocoder  # noqa: PLC0415

    return Geocoder(settings.geocoder_url, settings.geocoder_crs)


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
