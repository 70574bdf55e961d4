"""Events to stored bytes and back, under stable names. Knows every shape ever stored, no storage.

A stored name never changes its meaning. When a shape changes more than by a field with a default,
the new shape gets a new name ("case-dispatched.2") and an upcaster leads from the old one.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from eventsourcing.persistence import Mapper, StoredEvent, Transcoder

from casework.instants import from_micros, to_micros
from casework.log.port import Recorded, UnknownEvent
from casework.log.stored import LoggedEvent, PendingEvent
from casework.model import Actor, Role

ROLES = frozenset(Role)


class Upcaster(NamedTuple):
    """Leads from one stored name to the next: a function from raw dict to raw dict."""

    to: str
    change: Callable[[dict[str, object]], dict[str, object]]


class Names:
    """The stored names of all events, gathered from the modules that define them.

    `tables` map a stored name to the type it is written from; `upcasters` map an older name to
    the next one. Raises ValueError where two types share a name, a type has two names, or an
    upcaster leads nowhere.
    """

    def __init__(
        self,
        tables: Iterable[Mapping[str, type[msgspec.Struct]]],
        upcasters: Mapping[str, Upcaster] | None = None,
    ) -> None:
        self._name_of: dict[type[msgspec.Struct], str] = {}
        self._type_of: dict[str, type[msgspec.Struct]] = {}
        self._upcasters = dict(upcasters or {})
        for table in tables:
            for name, kind in table.items():
                if name in self._type_of or kind in self._name_of:
                    raise ValueError(f"stored twice: {name}, {kind.__name__}")
                self._type_of[name] = kind
                self._name_of[kind] = name
        for name in self._upcasters:
            self._end_of(name)
        self._decoders = {
            # Lenient: a number kept as text, or a field dropped since, still reads.
            name: msgspec.json.Decoder(kind, strict=False)
            for name, kind in self._type_of.items()
        }
        self._raw = msgspec.json.Decoder(dict[str, object])
        self._encoder = msgspec.json.Encoder(order="deterministic")
        self.known = frozenset(self._type_of) | frozenset(self._upcasters)

    def _end_of(self, name: str) -> str:
        seen = {name}
        while name in self._upcasters:
            if name in self._type_of:
                raise ValueError(f"upcast and still written: {name}")
            name = self._upcasters[name].to
            if name in seen:
                raise ValueError(f"upcasters run in a circle: {name}")
            seen.add(name)
        if name not in self._type_of:
            raise ValueError(f"an upcaster leads to no known name: {name}")
        return name

    def name_of(self, event: msgspec.Struct) -> str:
        """The stored name of an event. Raises LookupError for a type that has none."""
        try:
            return self._name_of[type(event)]
        except KeyError:
            raise LookupError(f"no stored name for {type(event).__name__}") from None

    def encode(self, event: msgspec.Struct) -> bytes:
        """The event as JSON; the same event always gives the same bytes."""
        return self._encoder.encode(event)

    def decode(self, name: str, state: bytes) -> msgspec.Struct:
        """The event of these bytes, or an UnknownEvent that keeps them."""
        if name not in self.known:
            return UnknownEvent(name, state, "unknown name")
        try:
            if name in self._upcasters:
                return self._upcast(name, state)
            return self._decoders[name].decode(state)
        except (msgspec.MsgspecError, LookupError, TypeError, ValueError) as error:
            return UnknownEvent(name, state, f"unreadable: {error}")

    def _upcast(self, name: str, state: bytes) -> msgspec.Struct:
        raw = self._raw.decode(state)
        while name in self._upcasters:
            step = self._upcasters[name]
            raw = step.change(raw)
            name = step.to
        return msgspec.convert(raw, self._type_of[name], strict=False)


class Pending(NamedTuple):
    """One event addressed to a stream, for the library's `save` and `put`."""

    originator_id: UUID
    originator_version: int
    event: msgspec.Struct
    at: datetime
    actor: Actor
    command_id: UUID


class EventMapper(Mapper[UUID]):
    """The library's mapper over our names. Its domain events are `Pending` in, `Recorded` out."""

    def __init__(self, transcoder: Transcoder, names: Names) -> None:
        super().__init__(transcoder)  # no cipher, no compressor: words are sealed before decide
        self.names = names
        self._actors = msgspec.json.Decoder(Actor)
        self._raw_actor = msgspec.json.Decoder(dict[str, object])
        self._actor_encoder = msgspec.json.Encoder(order="deterministic")

    def encode_actor(self, actor: Actor) -> bytes:
        """The actor as stored and hashed."""
        return self._actor_encoder.encode(actor)

    def decode_actor(self, stored: bytes) -> Actor:
        """The actor; a role of a later release is left out, since nobody here can compare it."""
        try:
            return self._actors.decode(stored)
        except msgspec.ValidationError:
            raw = self._raw_actor.decode(stored)
            roles = raw.get("roles")
            held = [role for role in roles if role in ROLES] if isinstance(roles, list) else []
            return msgspec.convert({**raw, "roles": held}, Actor)

    def to_stored_event(self, domain_event: object) -> PendingEvent:
        """Refuses everything but `Pending`: an event without actor and command has no place."""
        if not isinstance(domain_event, Pending):
            raise TypeError(f"not a pending event: {type(domain_event).__name__}")
        return PendingEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=self.names.name_of(domain_event.event),
            state=self.names.encode(domain_event.event),
            at=to_micros(domain_event.at),
            actor=self.encode_actor(domain_event.actor),
            command_id=domain_event.command_id,
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Recorded:
        """An event it cannot read becomes an `UnknownEvent`.

        Raises msgspec.ValidationError for an actor of a kind this release does not know.
        """
        if not isinstance(stored_event, LoggedEvent):
            raise TypeError(f"not from this log: {type(stored_event).__name__}")
        assert isinstance(stored_event.originator_id, UUID)
        return Recorded(
            stored_event.originator_id,
            stored_event.originator_version,
            stored_event.id,
            stored_event.topic,
            self.names.decode(stored_event.topic, stored_event.state),
            from_micros(stored_event.at),
            self.decode_actor(stored_event.actor),
            stored_event.command_id,
            stored_event.ordinal,
            stored_event.hash,
        )
