"""Sign-ins that last: page sessions, bearer tokens, partner keys. Knows no password.

A credential is 256 random bits behind a letter for its channel; only HMAC-SHA256 of it under the
server's key is stored. Looking one up is cached for 5 s, so that a hot token costs microseconds
and a revocation reaches other processes within 5 s; in this process it works at once.
"""

import hmac
import secrets
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import blake2b
from uuid import UUID

import msgspec
from cachetools import LRUCache
from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update

from api.accounts.audit import append, entry_of
from api.accounts.desk import Desk, Turn
from api.accounts.principal import Channel, Principal, PrincipalKind
from api.accounts.tables import account, account_role, credential, partner
from casework.model import Role

_CACHED_FOR = timedelta(seconds=5)
_CACHED = 20_000
"""Principals kept, about 1 kB each."""
_SEEN_STEP = timedelta(minutes=1)
"""`seen_at` is written at most this often, so that reading pages does not write rows."""
_MARK = {Channel.PAGE: "s.", Channel.BEARER: "b.", Channel.PARTNER: "k."}
_CHANNEL = {mark: channel for channel, mark in _MARK.items()}
_LONGEST = 100


class SessionLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How long a sign-in lasts without use, and at most."""

    idle: timedelta
    longest: timedelta


STAFF_LIMITS = SessionLimits(idle=timedelta(minutes=30), longest=timedelta(hours=12))
"""等保三级 asks that an idle session end; half an hour is what assessors take."""
CITIZEN_LIMITS = SessionLimits(idle=timedelta(days=7), longest=timedelta(days=30))


class Issued(msgspec.Struct, frozen=True):
    """A fresh credential. `value` is told once and stored nowhere."""

    session_id: UUID
    value: str
    expires_at: datetime


class _Known(msgspec.Struct, frozen=True):
    principal: Principal
    channel: Channel
    loaded_at: datetime
    until: datetime


class Sessions:
    """Opens, recognises and ends sign-ins."""

    def __init__(
        self,
        desk: Desk,
        key: bytes,
        csrf_key: bytes,
        *,
        staff: SessionLimits = STAFF_LIMITS,
        citizen: SessionLimits = CITIZEN_LIMITS,
        factor_roles: frozenset[Role] = frozenset(),
    ) -> None:
        """`factor_roles` may do nothing without a second factor but set one up."""
        self._desk = desk
        self._key = key
        self._csrf_key = csrf_key
        self._factor_roles = factor_roles
        self._limits = {PrincipalKind.STAFF: staff, PrincipalKind.CITIZEN: citizen}
        self._cache: LRUCache[bytes, _Known] = LRUCache(_CACHED)
        self._lock = threading.Lock()
        self._purges = 0

    def open(
        self,
        connection: Connection,
        account_id: UUID,
        kind: PrincipalKind,
        channel: Channel,
        session_id: UUID,
        now: datetime,
        scopes: tuple[str, ...] = (),
        *,
        second_factor: bool = False,
    ) -> Issued:
        """A new sign-in of an account, within the caller's transaction (see `SignIn`)."""
        limits = self._limits[kind]
        value, digest = self._fresh(channel)
        expires_at = now + limits.longest
        connection.execute(
            insert(credential).values(
                id=session_id,
                digest=digest,
                channel=channel.value,
                account_id=account_id,
                scopes=scopes,
                created_at=now,
                seen_at=now,
                idle_seconds=int(limits.idle.total_seconds()),
                expires_at=expires_at,
                second_factor=second_factor,
            )
        )
        return Issued(session_id, value, expires_at)

    def open_partner_key(
        self,
        connection: Connection,
        partner_id: UUID,
        session_id: UUID,
        expires_at: datetime,
        now: datetime,
    ) -> Issued:
        """A new key of a partner, within the caller's transaction (see `Partners`)."""
        value, digest = self._fresh(Channel.PARTNER)
        connection.execute(
            insert(credential).values(
                id=session_id,
                digest=digest,
                channel=Channel.PARTNER.value,
                partner_id=partner_id,
                scopes=(),
                created_at=now,
                seen_at=now,
                expires_at=expires_at,
            )
        )
        return Issued(session_id, value, expires_at)

    def known(self, value: str, channel: Channel, now: datetime) -> Principal | None:
        """The principal, if it is in the cache: never waits for the disk. None says nothing."""
        if len(value) > _LONGEST:
            return None
        with self._lock:
            found = self._cache.get(self._digest(value))
        if found is None or found.channel is not channel:
            return None
        if not found.loaded_at <= now < found.until:
            return None
        return found.principal

    def authenticate(self, value: str, channel: Channel, now: datetime) -> Principal | None:
        """Who this credential belongs to; None if it is unknown, ended, idle too long or disabled.

        May wait for the disk: from an async endpoint ask `known` first and call this in a thread.
        """
        cached = self.known(value, channel, now)
        if cached is not None:
            return cached
        if len(value) > _LONGEST or _CHANNEL.get(value[:2]) is not channel:
            return None
        digest = self._digest(value)
        with self._lock:
            purges = self._purges
        with self._desk.read() as connection:
            loaded = self._load(connection, digest, now)
        if loaded is None:
            return None
        found, seen_at = loaded
        if now - seen_at >= _SEEN_STEP:
            with self._desk.write() as connection:
                connection.execute(
                    update(credential)
                    .where(credential.c.digest == digest, credential.c.seen_at < now)
                    .values(seen_at=now)
                )
        with self._lock:
            # What was read before a purge may be what the purge was about.
            if purges == self._purges:
                self._cache[digest] = found
        return found.principal

    def revoke(self, session_id: UUID, by: Principal, now: datetime) -> bool:
        """End one sign-in (sign-out, lost phone). False if there was none."""
        with self._desk.write(Turn.AUDIT) as connection:
            ended = connection.execute(delete(credential).where(credential.c.id == session_id))
            if ended.rowcount:
                append(
                    connection,
                    [entry_of(by, "session-revoked", now, target=f"session/{session_id}")],
                )
        self._purge(lambda principal: principal.session_id == session_id)
        return bool(ended.rowcount)

    def revoke_all(self, account_id: UUID, by: Principal, now: datetime) -> int:
        """End every sign-in of an account or partner; returns how many there were."""
        mine = (credential.c.account_id == account_id) | (credential.c.partner_id == account_id)
        with self._desk.write(Turn.AUDIT) as connection:
            ended = connection.execute(delete(credential).where(mine)).rowcount
            if ended:
                target = f"account/{account_id}"
                facts = {"sessions": ended}
                append(
                    connection,
                    [entry_of(by, "sessions-revoked", now, target=target, facts={**facts})],
                )
        self.forget(account_id)
        return ended

    def forget(self, account_id: UUID) -> None:
        """Drop what is cached of an account, so that the next request reads it anew."""
        self._purge(lambda principal: principal.account_id == account_id)

    def remove_expired(self, now: datetime) -> int:
        """Delete rows past their end; for a daily timer."""
        with self._desk.write() as connection:
            return connection.execute(
                delete(credential).where(credential.c.expires_at <= now)
            ).rowcount

    def csrf_token(self, session_id: UUID) -> str:
        """The token that forms of a page session carry. Bound to the session, stored nowhere."""
        return hmac.digest(self._csrf_key, session_id.bytes, "sha256").hex()

    def csrf_matches(self, session_id: UUID, token: str) -> bool:
        wanted = self.csrf_token(session_id)
        return hmac.compare_digest(wanted.encode(), token.encode(errors="replace"))

    def _fresh(self, channel: Channel) -> tuple[str, bytes]:
        value = _MARK[channel] + secrets.token_urlsafe(32)
        return value, self._digest(value)

    def _digest(self, value: str) -> bytes:
        # Keyed BLAKE2 (RFC 7693 2.9): as good a MAC as HMAC, and it never lets go of the
        # interpreter, which under load costs more than the hash.
        return blake2b(value.encode(errors="replace"), key=self._key, digest_size=32).digest()

    def _purge(self, hit: Callable[[Principal], bool]) -> None:
        with self._lock:
            self._purges += 1
            for digest in [d for d, found in self._cache.items() if hit(found.principal)]:
                del self._cache[digest]

    def _load(
        self, connection: Connection, digest: bytes, now: datetime
    ) -> tuple[_Known, datetime] | None:
        row = connection.execute(
            select(
                credential,
                account.c.kind,
                account.c.person_id,
                account.c.display_name,
                account.c.street,
                account.c.must_change_at,
                account.c.disabled_at.label("account_disabled_at"),
                partner.c.name.label("partner_name"),
                partner.c.scopes.label("partner_scopes"),
                partner.c.disabled_at.label("partner_disabled_at"),
            )
            .outerjoin(account, account.c.id == credential.c.account_id)
            .outerjoin(partner, partner.c.id == credential.c.partner_id)
            .where(_live(digest, now))
        ).first()
        if row is None or row.account_disabled_at or row.partner_disabled_at:
            return None
        until = min(now + _CACHED_FOR, row.expires_at)
        if row.idle_seconds is not None:
            idle_until = row.seen_at + timedelta(seconds=row.idle_seconds)
            if now >= idle_until:
                return None
        if row.partner_id is not None:
            principal = _partner(row)
        else:
            held = set(
                connection.scalars(
                    select(account_role.c.role).where(account_role.c.account_id == row.account_id)
                )
            )
            principal = _person(row, held, now, self._factor_roles)
        return _Known(principal, Channel(row.channel), now, until), row.seen_at


def _live(digest: bytes, now: datetime) -> ColumnElement[bool]:
    return (credential.c.digest == digest) & (credential.c.expires_at > now)


def _partner(row: Row[tuple[object, ...]]) -> Principal:
    return Principal(
        kind=PrincipalKind.PARTNER,
        account_id=row.partner_id,
        display_name=row.partner_name,
        roles=(Role.PARTNER,),
        scopes=row.partner_scopes,
        session_id=row.id,
    )


def _person(
    row: Row[tuple[object, ...]], held: set[str], now: datetime, factor_roles: frozenset[Role]
) -> Principal:
    kind = PrincipalKind(row.kind)
    citizen = kind is PrincipalKind.CITIZEN
    return Principal(
        kind=kind,
        account_id=row.account_id,
        person_id=row.person_id,
        display_name=row.display_name,
        roles=(Role.CITIZEN,) if citizen else tuple(role for role in Role if role.value in held),
        street=row.street,
        scopes=row.scopes,
        session_id=row.id,
        second_factor=row.second_factor,
        second_factor_due=not citizen
        and not row.second_factor
        and any(role.value in held for role in factor_roles),
        must_change_password=row.must_change_at is not None and row.must_change_at <= now,
    )
