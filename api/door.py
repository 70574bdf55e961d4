"""From a form to a durable answer: idempotency, sealing, dispatch, the decision, the audit row.

Write order: keys (fsynced) → blobs (stored before, when uploaded) → events. Words are sealed
before a command exists; nothing behind this door sees them.
"""

import asyncio
import hmac
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import TypeVar
from uuid import UUID, uuid5

import msgspec

from api.access import Visitor, actor_at, may_see, reporter_mark
from api.accounts.audit import entry_of
from api.accounts.errors import Overloaded
from api.accounts.principal import PrincipalKind
from api.actions import CloseIn, Form, OrderReworkIn, RegisterIn, consents
from api.parts import Parts
from api.schemas import PhotoIn, PlaceIn, ReportIn
from casework import commands as ask
from casework.application import Done, Loaded, case_of
from casework.errors import Missing, OutsideDistrict, Refusal, UnknownCase
from casework.events import ReportTurnedAway
from casework.evidence import Finding
from casework.keys import Owner, OwnerKind, person_key, staff_text_key
from casework.lifecycle import Action
from casework.log.port import stream_id
from casework.model import (
    Actor,
    ActorKind,
    Assignment,
    Certainty,
    Crs,
    ExternalRef,
    Photo,
    Place,
    Role,
    Sealed,
    StreetCode,
)
from casework.numbers import is_case_number
from evidence.blobs import Blob
from geo.coordinates import to_wgs84
from geo.dispatch import Dispatcher
from projections.case_list import recurrence_of
from projections.evidence_seen import findings_of_hand_over
from projections.tables import reading

COMMANDS = UUID("0d7c1a5e-2f53-5f0e-8a43-6a1f6a1f9b70")
"""Namespace of command ids, for ever."""

PERSONS = UUID("b7c3f1d2-9f4e-5c55-9d0e-3a5c1c1d7e21")
"""Namespace of the pseudonymous persons of anonymous reports."""

CHANNEL_CRS: Mapping[str, Crs] = {"wechat": Crs.GCJ02, "miniprogram": Crs.GCJ02}
"""Channels whose positions are known to come in one CRS; others must say."""

_KEY = re.compile(r"[\x21-\x7e]{1,128}")

T = TypeVar("T")


class Request(msgspec.Struct, frozen=True):
    """What came with a form: who, the idempotency key, the path, the very bytes, the version."""

    visitor: Visitor
    key: str
    path: str
    body: bytes
    expect: int | None = None


class Reported(msgspec.Struct, frozen=True):
    """A report taken in, and the receipt for it."""

    done: Done
    receipt: str
    person: UUID


class Acted(msgspec.Struct, frozen=True):
    """An action carried out; a new joiner gets a receipt, a handler's link is shown once."""

    done: Done
    receipt: str | None = None
    link: str | None = None


class Door:
    """The way in for everything that changes a case."""

    def __init__(self, parts: Parts, *, demonstration: bool = False) -> None:
        self._parts = parts
        self._demonstration = demonstration
        """Reports are marked as told, not met. No form can ask for the mark."""

    # reports -------------------------------------------------------------------------

    async def report(self, request: Request, form: ReportIn) -> Reported:
        """Take in a report: one case, however often it is sent under one key."""
        parts, visitor = self._parts, request.visitor
        self._require_room()
        citizens = {PrincipalKind.ANONYMOUS, PrincipalKind.CITIZEN}
        if form.external_refs and visitor.principal.kind in citizens:
            # Else a stranger could try numbers of other platforms and learn which are cases here.
            raise Missing("external_refs", "外部平台编号只能由接入方或工作人员填写。")
        command_id = self._command_id(request, _principal(visitor))
        case_id = case_of(command_id)
        person = self._reporter(visitor, request.key, command_id)
        actor = _reporting_actor(visitor, person)
        at = parts.now()
        key_id, owner = person_key(str(person)), Owner(OwnerKind.PERSON, str(person))
        try:
            await parts.keys.ensure(key_id, owner)
            fingerprint = parts.sealer.fingerprint(key_id, request.body)
            files = await self._files(
                [*(p.upload for p in form.photos), *([form.recording] if form.recording else [])],
                self._owners(visitor, request.key),
                at,
                lambda: parts.casework.earlier(command_id, fingerprint, case_id),
            )
            if isinstance(files, Done):
                return self._reported(files, person)
            texts = {"text": form.text, "contact": form.contact, **_of_place(form.place)}
            made = _Prepared(
                seal=lambda field, text: parts.sealer.seal(
                    key_id, case_id, field, command_id, text
                ),
                texts={field: text for field, text in texts.items() if text},
                files=files,
                dispatcher=lambda: parts.boundaries.at(at),
                channel=form.source_channel,
            )
            done = await parts.casework.handle(
                case_id,
                self._submission(form, made, person, at),
                at=at,
                by=actor,
                command_id=command_id,
                fingerprint=fingerprint,
            )
        except OutsideDistrict as outside:
            await self._turned_away(outside, form.source_channel, command_id, at)
            await self._audit_refusal(visitor, Action.SUBMIT, None, outside, at)
            raise
        except Refusal as refusal:
            await self._audit_refusal(visitor, Action.SUBMIT, None, refusal, at)
            raise
        self._audit_done(visitor, Action.SUBMIT, done, command_id)
        return self._reported(done, person)

    async def reported_before(self, request: Request) -> Reported | None:
        """The report that was taken in under this key before, whatever stands in the form now.

        For the page alone, whose key nobody else knows: an answer that was lost is given again.
        """
        parts, visitor = self._parts, request.visitor
        command_id = self._command_id(request, _principal(visitor))
        case_id, person = case_of(command_id), self._reporter(visitor, request.key, command_id)
        casework = parts.casework

        def before() -> Done | None:
            prior = casework.eventlog.by_command(command_id)
            if prior is None:
                return None
            return casework.earlier(command_id, prior.fingerprint, case_id)

        done = await self.in_thread(before)
        return None if done is None else self._reported(done, person)

    def _submission(
        self, form: ReportIn, made: "_Prepared", person: UUID, at: datetime
    ) -> ask.Submit:
        place, assignment = made.place(form.place)
        wordings = self._parts.casework.references.rules_at(at).catalogue
        return ask.Submit(
            person=person,
            place=place,
            assignment=assignment,
            indicator=form.indicator,
            text=made.words("text"),
            recording=made.file(form.recording, "recording") if form.recording else None,
            photos=made.photos(form.photos),
            no_photo_reason=form.no_photo_reason,
            contact=made.sealed("contact"),
            consents=consents(form.consents),
            channel=form.source_channel,
            external_refs=tuple(ExternalRef(r.platform, r.number) for r in form.external_refs),
            danger=tuple(w.name for w in wordings.dangers_in(form.text or "")),
            out_of_scope=tuple(w.name for w in wordings.out_of_scope_in(form.text or "")),
            demonstration=self._demonstration,
            recognition=self._parts.tickets.read(form.recognition, at),
        )

    def _reported(self, done: Done, person: UUID) -> Reported:
        return Reported(done, self._parts.receipts.of(done.case_id), person)

    async def _turned_away(
        self, outside: OutsideDistrict, channel: str, command_id: UUID, at: datetime
    ) -> None:
        """Counted without text or position, once however often it is sent.

        Under an id of its own: the same form with the place put right is a report.
        """
        fact = ReportTurnedAway(channel=channel, neighbour=outside.neighbour)
        stream = stream_id(f"turned-away/{at:%Y-%m}")
        clerk = Actor(ActorKind.DISPATCHER, "dispatcher", roles=(Role.DISPATCHER,))
        await self.in_thread(
            lambda: self._parts.casework.record_fact(
                stream, fact, at=at, by=clerk, command_id=uuid5(command_id, "turned away")
            )
        )

    # actions -------------------------------------------------------------------------

    async def act(self, request: Request, reference: str, action: Action, form: Form) -> Acted:
        """Carry out an action on a case, or refuse it with an audit row."""
        self._require_room()
        at = self._parts.now()
        try:
            case_id = await self.case_id(reference)
            reference = str(case_id)  # an auditor looks for the case, however it was named
            return await self._act(request, case_id, action, form, at)
        except Refusal as refusal:
            await self._audit_refusal(request.visitor, action, reference, refusal, at)
            raise

    async def _act(
        self, request: Request, case_id: UUID, action: Action, form: Form, at: datetime
    ) -> Acted:
        parts, visitor = self._parts, request.visitor
        loaded, actor, new_person = await self._actor(request, case_id, action)
        principal = f"receipt:{actor.id}" if visitor.is_anonymous else _principal(visitor)
        command_id = self._command_id(request, principal)
        if action is not Action.JOIN:
            loaded = await self._in_sight(loaded, actor, command_id)
        if action in _FOLLOWS and loaded.case.merged_into is not None:
            loaded = await self.loaded(loaded.case.merged_into)
        keys = _keys_of(actor, loaded.case_id, command_id, form.texts())
        if actor.kind is ActorKind.CITIZEN:
            keys[""] = (person_key(actor.id), Owner(OwnerKind.PERSON, actor.id))
        await parts.keys.ensure_all(list(dict.fromkeys(keys.values())))
        fingerprint = self._fingerprint(keys, request.body)

        def earlier() -> Done | None:
            return parts.casework.earlier(command_id, fingerprint, loaded.case_id)

        owners = (*self._owners(visitor, request.key), f"case:{loaded.case_id}", owner_of(actor))
        uploads = [photo.upload for photo in form.uploads()]
        files = await self._files(uploads, owners, at, earlier)
        if isinstance(files, Done):
            return Acted(files)
        made = _Prepared(
            seal=lambda field, text: parts.sealer.seal(
                keys[field][0], loaded.case_id, field, command_id, text
            ),
            texts=form.texts(),
            files=files,
            # A case keeps the map that it was reported under.
            dispatcher=lambda: parts.boundaries.of(loaded.case.assignment.boundary_version),
            channel="",
            case=loaded,
            recurs=await self._recurrence(loaded, form, at),
            findings=await self._findings(loaded, form),
        )
        done = await parts.casework.handle(
            loaded.case_id,
            form.command(made),
            at=at,
            by=actor,
            command_id=command_id,
            fingerprint=fingerprint,
            expect=request.expect,
        )
        self._audit_done(visitor, action, done, command_id)
        receipt = None
        if new_person is not None:
            mark = reporter_mark(done.case_id, new_person, done.case.first_reporter)
            receipt = parts.receipts.of(mark)
        link = f"{done.case_id}.{made.secret}" if made.secret and not done.repeated else None
        return Acted(done, receipt, link)

    async def _recurrence(self, loaded: Loaded, form: Form, at: datetime) -> UUID | None:
        """On 立案: the case of the same kind that ended at this spot not long ago."""
        if not isinstance(form, RegisterIn) or form.recurrence_of is not None:
            return None
        place, indicator = loaded.case.place, form.indicator

        def look() -> UUID | None:
            with reading(self._parts.feed.readers.engine) as connection:
                return recurrence_of(connection, place.lon, place.lat, indicator, at)

        return await self.in_thread(look)

    async def _findings(self, loaded: Loaded, form: Form) -> tuple[Finding, ...]:
        """On 结案 and 返工: what was found on the photos handed over, to be named as seen."""
        if not isinstance(form, CloseIn | OrderReworkIn):
            return ()

        def look() -> tuple[Finding, ...]:
            with reading(self._parts.feed.readers.engine) as connection:
                found = findings_of_hand_over(connection, loaded.case_id)
            return tuple(Finding(f.id, f.kind, f.says, f.severity) for f in found)

        return await self.in_thread(look)

    async def _actor(
        self, request: Request, case_id: UUID, action: Action
    ) -> tuple[Loaded, Actor, UUID | None]:
        """The case and who acts on it; a stranger may only join."""
        parts, visitor = self._parts, request.visitor
        loaded = await self.loaded(case_id)
        if action is Action.JOIN:
            if visitor.is_anonymous:
                person = self._reporter(visitor, request.key, UUID(int=0))
                return loaded, _reporting_actor(visitor, person), person
            if visitor.principal.kind is PrincipalKind.CITIZEN:
                return loaded, visitor.principal.actor(), None
        actor = actor_at(visitor, case_id, loaded.case, parts.receipts)
        if actor is None:
            raise UnknownCase(case_id)
        return loaded, actor, None

    async def _in_sight(self, loaded: Loaded, actor: Actor, command_id: UUID) -> Loaded:
        """The case, if it is theirs to see, or if this very command was carried out before.

        Whoever left a case, or handed it back, gets the same answer when they send that again.

        Raises:
            UnknownCase: neither; in the very words for a case that is not there.

        """
        if may_see(actor, loaded.case):
            return loaded
        casework = self._parts.casework
        fresh = await self.in_thread(lambda: casework.load(loaded.case_id))
        if fresh is not None and may_see(actor, fresh.case):
            return fresh
        if await self.in_thread(lambda: casework.eventlog.by_command(command_id)) is None:
            raise UnknownCase(loaded.case_id)
        return loaded

    async def loaded(self, case_id: UUID) -> Loaded:
        """The case as it stands. Raises UnknownCase."""
        found = await self._parts.casework.current(case_id)
        if found is None:
            raise UnknownCase(case_id)
        return found

    async def case_id(self, reference: str) -> UUID:
        """The case of an id or a number. Raises UnknownCase, whatever else was written."""
        try:
            return UUID(reference)
        except ValueError:
            number = reference.upper()
        if not is_case_number(number):
            raise UnknownCase(reference)
        found = await self.in_thread(lambda: self._parts.casework.case_of_number(number))
        if found is None:
            raise UnknownCase(reference)
        return found

    # small parts ---------------------------------------------------------------------

    def _command_id(self, request: Request, principal: str) -> UUID:
        """The id of the command: the same for the same person, path and key, for ever.

        Raises:
            Missing: no key, or from someone without an account one that others could guess.

        """
        key = request.key
        if request.visitor.is_anonymous:
            key = str(_random_uuid(key))
        elif not _KEY.fullmatch(key):
            raise Missing("Idempotency-Key", "请提供 Idempotency-Key（1至128个可见字符）。")
        return uuid5(COMMANDS, f"{principal}\0POST {request.path}\0{key}")

    def _reporter(self, visitor: Visitor, key: str, command_id: UUID) -> UUID:
        """The person a report is filed under: the account's, or one made for this draft."""
        if visitor.principal.kind is PrincipalKind.CITIZEN:
            assert visitor.principal.person_id is not None
            return visitor.principal.person_id
        if visitor.is_anonymous:
            return self.person_of_draft(_random_uuid(key))
        return uuid5(PERSONS, f"command:{command_id}")

    def person_of_draft(self, draft: UUID) -> UUID:
        """The pseudonymous person of an anonymous report, known by its draft."""
        return uuid5(PERSONS, f"draft:{draft}")

    def _owners(self, visitor: Visitor, key: str) -> tuple[str, ...]:
        """Under which names this visitor's uploads stand."""
        return (upload_owner(visitor, _random_uuid(key) if visitor.is_anonymous else None),)

    def _fingerprint(self, keys: Mapping[str, tuple[UUID, Owner]], body: bytes) -> bytes:
        """Tells the same body again: under the person's or text's own key, so that it dies too."""
        for key_id, _ in keys.values():
            return self._parts.sealer.fingerprint(key_id, body)
        return hmac.digest(self._parts.fingerprint_key, body, "sha256")

    async def _files(
        self,
        uploads: Sequence[UUID],
        owners: Sequence[str],
        at: datetime,
        earlier: Callable[[], Done | None],
    ) -> dict[UUID, Blob] | Done:
        """The cited files; if one is no longer good, the answer once given for this command."""
        if not uploads:
            return {}

        def look() -> dict[UUID, Blob] | Done:
            try:
                return self._parts.uploads.cited(uploads, owners, at)
            except Missing:
                done = earlier()
                if done is None:
                    raise
                return done

        return await self.in_thread(look)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Do what may wait for a disk without holding the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._parts.work, work)

    def _require_room(self) -> None:
        if not self._parts.audit.has_room():
            raise Overloaded

    def _audit_done(self, visitor: Visitor, action: Action, done: Done, command_id: UUID) -> None:
        if done.repeated:
            return
        self._parts.audit.record(
            entry_of(
                visitor.principal,
                str(action),
                done.at,
                target=f"case/{done.case_id}",
                facts={"version": done.version, "position": done.position},
                command_id=command_id,
            )
        )

    async def _audit_refusal(
        self,
        visitor: Visitor,
        action: Action,
        reference: str | None,
        refusal: Refusal,
        at: datetime,
    ) -> None:
        await self._parts.audit.record_durably(
            entry_of(
                visitor.principal,
                str(action),
                at,
                target=f"case/{reference}" if reference else None,
                outcome="refused",
                facts={"why": type(refusal).__name__},
            )
        )


def _random_uuid(key: str) -> UUID:
    """The key of somebody without an account: random, so that no stranger can guess it."""
    try:
        guess = UUID(key)
    except ValueError:
        guess = UUID(int=0)
    if guess.version != 4:
        raise Missing("Idempotency-Key", "未登录时 Idempotency-Key 须是客户端随机生成的 UUID。")
    return guess


_FOLLOWS = frozenset({Action.RATE, Action.ADD_INFORMATION, Action.JOIN})
"""What a citizen does to a merged case is done to its primary."""


class _Prepared:
    """What a form needs to become a command; see `api.actions.Made`."""

    def __init__(
        self,
        *,
        seal: Callable[[str, str], Sealed],
        texts: Mapping[str, str],
        files: Mapping[UUID, Blob],
        dispatcher: Callable[[], Dispatcher],
        channel: str,
        case: Loaded | None = None,
        recurs: UUID | None = None,
        findings: tuple[Finding, ...] = (),
    ) -> None:
        self._seal = seal
        self._texts = texts
        self._files = files
        self._dispatcher = dispatcher
        self._channel = channel
        self._case = case
        self._recurs = recurs
        self._findings = findings
        self.secret: str | None = None

    def words(self, field: str) -> ask.Words | None:
        text = self._texts.get(field)
        return None if text is None else ask.Words(self._seal(field, text), len(text))

    def some_words(self, field: str) -> ask.Words:
        text = self._texts[field]
        return ask.Words(self._seal(field, text), len(text))

    def sealed(self, field: str) -> Sealed | None:
        text = self._texts.get(field)
        return None if text is None else self._seal(field, text)

    def file(self, upload: UUID, source: str) -> Photo:
        blob = self._files[upload]
        return Photo(upload, blob.sha256, blob.media_type, source, blob.wrapped_key, blob.size)

    def photos(self, photos: Iterable[PhotoIn]) -> tuple[Photo, ...]:
        return tuple(self.file(photo.upload, photo.source) for photo in photos)

    def place(self, place: PlaceIn) -> tuple[Place, Assignment]:
        crs = place.crs or CHANNEL_CRS.get(self._channel)
        if crs is None:
            raise Missing("place.crs", "请说明坐标系: wgs84、gcj02、bd09 或 cgcs2000。")
        lon, lat = to_wgs84(place.lon, place.lat, crs.value)
        found = Place(
            lon=lon,
            lat=lat,
            kind=place.kind,
            crs=crs,
            source_lon=place.lon,
            source_lat=place.lat,
            accuracy_m=place.accuracy_m,
            address=self.sealed("address"),
            device=self.sealed("device"),
        )
        return found, assigned(self._dispatcher(), found)

    def proposal(self) -> Assignment:
        assert self._case is not None
        case = self._case.case
        return assigned(self._dispatcher(), case.place, case.returned_by)

    def recurrence_of(self) -> UUID | None:
        return self._recurs

    def findings(self) -> tuple[Finding, ...]:
        return self._findings

    def link(self) -> str:
        self.secret = secrets.token_urlsafe(24)
        return sha256(self.secret.encode()).hexdigest()


def assigned(
    dispatcher: Dispatcher, place: Place, excluded: frozenset[StreetCode] = frozenset()
) -> Assignment:
    """The dispatcher's verdict in the words of a case."""
    verdict = dispatcher.assign(place.lon, place.lat, place.accuracy_m, excluded)
    return Assignment(
        street=StreetCode(verdict.street) if verdict.street else None,
        certainty=Certainty(verdict.certainty.value),
        because=verdict.because,
        boundary_version=verdict.boundary_version,
        border_m=verdict.border_m,
        runner_up=StreetCode(verdict.runner_up) if verdict.runner_up else None,
        neighbour=verdict.neighbour,
    )


def owner_of(actor: Actor) -> str:
    """Under whose name the uploads of somebody known stand."""
    return f"{actor.kind}:{actor.id}"


def upload_owner(visitor: Visitor, draft: UUID | None) -> str:
    """Under whose name an upload stands: an account, or an anonymous report's draft."""
    if visitor.is_anonymous:
        return f"draft:{draft}"
    return f"{visitor.principal.kind}:{visitor.principal.actor_id}"


def _principal(visitor: Visitor) -> str:
    if visitor.is_anonymous:
        return "anonymous"
    return f"{visitor.principal.kind}:{visitor.principal.actor_id}"


def _reporting_actor(visitor: Visitor, person: UUID) -> Actor:
    match visitor.principal.kind:
        case PrincipalKind.STAFF:
            return visitor.principal.actor()
        case PrincipalKind.PARTNER:
            partner = str(visitor.principal.account_id)
            return Actor(ActorKind.PARTNER, partner, roles=(Role.PARTNER,))
        case PrincipalKind.CITIZEN | PrincipalKind.ANONYMOUS:
            return Actor(ActorKind.CITIZEN, str(person), roles=(Role.CITIZEN,))


def _keys_of(
    actor: Actor, case_id: UUID, command_id: UUID, texts: Mapping[str, str]
) -> dict[str, tuple[UUID, Owner]]:
    """The key of each text: a citizen's own, or one for each staff text, owned by the case."""
    if actor.kind is ActorKind.CITIZEN:
        own = (person_key(actor.id), Owner(OwnerKind.PERSON, actor.id))
        return dict.fromkeys(texts, own)
    case = Owner(OwnerKind.CASE, str(case_id))
    return {field: (staff_text_key(command_id, field), case) for field in texts}


def _of_place(place: PlaceIn) -> dict[str, str | None]:
    device = place.device
    return {
        "address": place.address,
        "device": device.model_dump_json(exclude_none=True) if device else None,
    }
