"""An erasure carried through, step by step, from any point at which the process may have died.

ledger → keys destroyed → PersonErased in the log → the desk, the files, the views and the caches
say that they hold nothing → complete. Every step is durable and may be taken again; two processes
may take it at once. Knows no route and decides nothing: who may ask is asked elsewhere.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from api.accounts.people import People
from api.accounts.principal import Principal, PrincipalKind
from api.uploads import Uploads
from casework.application import Casework
from casework.erasure import Erasure, ErasureLedger, ErasureState
from casework.events import PersonErased
from casework.key_writer import KeysBusy, KeysNotWritten
from casework.keys import KeyStore, person_key
from casework.log.port import LogError, stream_id
from casework.model import Actor, ActorKind, Role
from evidence.blobs import BlobStore
from evidence.errors import StoreUnavailable

VIEWS, DESK, BLOBS, CACHES = "views", "desk", "blobs", "caches"
READERS = (BLOBS, CACHES, DESK, VIEWS)
"""Who must say that nothing is left, beside the keys."""


class Erasing:
    """Carries erasures through. Every call may wait for disks; call from a thread.

    `views_passed(position)` answers whether the views have wiped and scrubbed up to a position;
    it is asked only at `resume`, for an erasure whose event was in the log before (a restore).
    """

    def __init__(
        self,
        *,
        ledger: ErasureLedger,
        keys: KeyStore,
        casework: Casework,
        people: People,
        uploads: Uploads,
        blobs: BlobStore,
        now: Callable[[], datetime],
        views_passed: Callable[[int], bool] = lambda _position: False,
    ) -> None:
        self._ledger = ledger
        self._keys = keys
        self._casework = casework
        self._people = people
        self._uploads = uploads
        self._blobs = blobs
        self._now = now
        self._views_passed = views_passed
        self._forgets: list[Callable[[], None]] = []

    def also_forget(self, forget: Callable[[], None]) -> None:
        """Have another cache emptied where the caches are."""
        self._forgets.append(forget)

    def by_oneself(self, erasure_id: UUID, person: UUID) -> Erasure:
        """The person asks for themself: nobody else need agree, and it goes through at once."""
        asked = self._ledger.ask(erasure_id, str(person), str(person), self._now())
        if asked.state is ErasureState.ASKED:
            asked = self._ledger.approve(asked.id, str(person), self._now())
        return self._as_far_as_it_goes(asked)

    def approve(self, erasure_id: UUID, by: str) -> Erasure:
        """A second person agrees, and it goes through.

        Raises ConflictOfInterest for the one who asked, NothingPending.
        """
        known = self._ledger.get(erasure_id)
        if known.decided_by != by or known.state is ErasureState.DECLINED:
            known = self._ledger.approve(erasure_id, by, self._now())
        return self._as_far_as_it_goes(known)

    def views_forgot(self, person: UUID, position: int) -> None:
        """The views have wiped the person up to `position`. May be told again, by any process."""
        for erasure in self._ledger.unfinished():
            if erasure.person_id != str(person):
                continue
            # The views may be quicker than the one who appended the event.
            known = self.carry_on(erasure)
            if known.position is not None and known.position <= position:
                self._acknowledge(known, VIEWS)

    def resume(self) -> list[Erasure]:
        """Carry on every approved erasure; how far each has come. At start, and now and then."""
        reached = []
        for erasure in self._ledger.unfinished():
            known = self._as_far_as_it_goes(erasure)
            waits = VIEWS in known.waiting_for and known.position is not None
            if waits and self._views_passed(known.position or 0):
                known = self._acknowledge(known, VIEWS)
            reached.append(known)
        return reached

    def carry_on(self, erasure: Erasure) -> Erasure:
        """Take every step that is left but the views' own.

        Raises KeysBusy, KeysNotWritten, LogError; then call again later.
        """
        if erasure.state is ErasureState.APPROVED:
            erasure = self._ledger.destroy_keys(erasure.id, self._now())
        if erasure.state is ErasureState.KEYS_DESTROYED:
            erasure = self._append(erasure)
        if erasure.state is ErasureState.APPENDED:
            erasure = self._clear(erasure)
        return erasure

    def _as_far_as_it_goes(self, erasure: Erasure) -> Erasure:
        """The decision is on the disk already: what fails now is carried on by `resume`."""
        try:
            return self.carry_on(erasure)
        except (KeysBusy, KeysNotWritten, LogError, OSError, StoreUnavailable):
            return self._ledger.get(erasure.id)

    def _append(self, erasure: Erasure) -> Erasure:
        """The event, once: its command id is the ledger's, so a second time finds the first."""
        person = UUID(erasure.person_id)
        appended = self._casework.record_fact(
            stream_id(f"person/{person}"),
            PersonErased(person=person),
            at=self._now(),
            by=_actor(erasure),
            command_id=erasure.id,
        )
        return self._ledger.appended(erasure.id, max(appended.positions), READERS)

    def _clear(self, erasure: Erasure) -> Erasure:
        person = UUID(erasure.person_id)
        if DESK in erasure.waiting_for and self._people.erase_person(
            person, _principal(erasure), self._now()
        ):
            erasure = self._acknowledge(erasure, DESK)
        if BLOBS in erasure.waiting_for:
            self._sweep(person)
            erasure = self._acknowledge(erasure, BLOBS)
        if CACHES in erasure.waiting_for:
            self._keys.purge()
            self._casework.forget()
            for forget in self._forgets:
                forget()
            erasure = self._acknowledge(erasure, CACHES)
        return erasure

    def _sweep(self, person: UUID) -> None:
        """Delete the person's files, cited or not; the row goes last, so none is forgotten."""
        for upload in self._uploads.under_key(person_key(str(person))):
            for name in self._uploads.derived(upload.id):
                self._blobs.delete(name)
            self._blobs.delete(upload.blob.sha256)
            self._uploads.remove(upload.id)

    def _acknowledge(self, erasure: Erasure, reader: str) -> Erasure:
        if erasure.state is not ErasureState.APPENDED:
            return erasure
        return self._ledger.acknowledge(erasure.id, reader, self._now())


def _is_own(erasure: Erasure) -> bool:
    return erasure.decided_by in (None, erasure.person_id)


def _actor(erasure: Erasure) -> Actor:
    """Who decided it, as the log names them."""
    if erasure.decided_by is None or _is_own(erasure):
        return Actor(ActorKind.CITIZEN, erasure.person_id, roles=(Role.CITIZEN,))
    return Actor(ActorKind.STAFF, erasure.decided_by, roles=(Role.SECADMIN,))


def _principal(erasure: Erasure) -> Principal:
    """Who decided it, as the audit trail names them; also after a restart."""
    if erasure.decided_by is None or _is_own(erasure):
        return Principal(
            kind=PrincipalKind.CITIZEN,
            person_id=UUID(erasure.person_id),
            roles=(Role.CITIZEN,),
        )
    return Principal(
        kind=PrincipalKind.STAFF, account_id=UUID(erasure.decided_by), roles=(Role.SECADMIN,)
    )
