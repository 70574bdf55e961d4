"""All that a request may need, built once by `api.wiring`. Holds no logic."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from limits.limits import RateLimitItem
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter
from sqlalchemy import Engine

from api.accounts.desk import Desk
from api.accounts.grants import Grants
from api.accounts.limits_store import DeskStorage
from api.accounts.lockout import Lockout
from api.accounts.partners import Partners
from api.accounts.passwords import Passwords
from api.accounts.people import People
from api.accounts.receipts import Receipts
from api.accounts.second_factor import SecondFactors
from api.accounts.sessions import Sessions
from api.accounts.sign_in import SignIn
from api.accounts.sources import Sources
from api.accounts.trail import AuditTrail
from api.boundary_versions import BoundaryVersions
from api.checking import Checking
from api.collecting import Collecting
from api.duty import DutyRoster
from api.erasing import Erasing
from api.examining import Examining
from api.geocoding import Geocoding
from api.place_codes import PlaceCodes
from api.public_photos import PublicPhotos
from api.recognising import Recognising
from api.recognition_tickets import Tickets
from api.redacting import Redacting
from api.sealed_months import SealedMonths
from api.settings import Settings
from api.timekeeping import Timekeeper
from api.uploads import Uploads
from api.watching import Meters
from casework.application import Casework
from casework.catalogue import Catalogue
from casework.erasure import ErasureLedger
from casework.keys import KeyStore
from casework.sealing import Sealer
from evidence.blobs import BlobStore
from evidence.examining import Examiner
from evidence.redaction import Finder
from geo.dispatch import Dispatcher
from geo.gazetteer import Gazetteer
from projections.feed import Feed
from projections.generations import Shelf
from projections.lines import Opener
from projections.view import View


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Rate limits by what they are for."""

    reports: RateLimitItem
    uploads: RateLimitItem
    status: RateLimitItem
    maps: RateLimitItem
    recognitions: RateLimitItem
    citizens: RateLimitItem
    partners: RateLimitItem


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The engine's parts."""

    settings: Settings
    now: Callable[[], datetime]
    timekeeper: Timekeeper
    new_id: Callable[[], UUID]
    casework: Casework
    keys: KeyStore
    sealer: Sealer
    ledger: ErasureLedger
    erasing: Erasing
    blobs: BlobStore
    uploads: Uploads
    examining: Examining
    checking: Checking
    redacting: Redacting
    examiner: Examiner
    finder: Finder
    collecting: Collecting
    public_photos: PublicPhotos
    boundaries: BoundaryVersions
    place_codes: PlaceCodes
    duty: DutyRoster
    sealed_months: SealedMonths
    gazetteer: Gazetteer
    geocoder: Geocoding | None
    recognising: Recognising
    tickets: Tickets
    feed: Feed
    shelf: Shelf
    ledgers: Engine
    """Where processes keep their positions and what they owe."""
    views: tuple[View, ...]
    opener: Opener
    desk: Desk
    people: People
    grants: Grants
    partners: Partners
    passwords: Passwords
    sessions: Sessions
    sign_in: SignIn
    factors: SecondFactors
    lockout: Lockout
    sources: Sources
    receipts: Receipts
    audit: AuditTrail
    limits_store: DeskStorage
    limiter: MovingWindowRateLimiter
    partner_limiter: FixedWindowRateLimiter
    limits: Limits
    fingerprint_key: bytes
    meters: Meters
    work: ThreadPoolExecutor
    """For what may wait on a disk: cold sessions, uploads, look-ups."""
    trials: ThreadPoolExecutor
    """For what computes for seconds, one after another: dry runs, measures of a whole month."""

    @property
    def dispatcher(self) -> Dispatcher:
        """The one in force now. A case keeps that of its report: see `boundaries`."""
        return self.boundaries.at(self.now())

    @property
    def catalogue(self) -> Catalogue:
        """The one in force now; what was decided keeps that of its day."""
        return self.casework.references.rules_at(self.now()).catalogue

    def let_go(self) -> None:
        """Let work in threads end, then close what it writes to: the log, the keys, the tables.

        What still works beside requests is ended before, by who began it.
        """
        self.trials.shutdown()
        self.work.shutdown()
        self.casework.close()
        self.keys.close()
        self.desk.close()
        self.feed.readers.engine.dispose()
        self.ledgers.dispose()
        self.shelf.close()
