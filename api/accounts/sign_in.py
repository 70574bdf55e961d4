"""Signing in with name and password. Brings together what neither knows of the other.

A wrong name takes as long as a wrong password and is answered in the same words.
"""

import secrets
from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, select, update

from api.accounts.audit import Entry, append
from api.accounts.desk import Desk, Turn
from api.accounts.errors import TooManyAttempts, WrongCredentials
from api.accounts.lockout import Attempt, Lockout
from api.accounts.passwords import Passwords
from api.accounts.people import name_key
from api.accounts.principal import Channel, PrincipalKind
from api.accounts.sessions import Issued, Sessions
from api.accounts.tables import account


class SignedIn(msgspec.Struct, frozen=True):
    """A fresh sign-in. `device` goes into a long-lived cookie (180 days) of this name only.

    `must_change_password`: the password is temporary or too old; only changing it is allowed.
    """

    session: Issued
    device: str
    account_id: UUID
    kind: PrincipalKind
    must_change_password: bool


class SignIn:
    """The door for name and password."""

    def __init__(
        self, desk: Desk, passwords: Passwords, lockout: Lockout, sessions: Sessions
    ) -> None:
        self._desk = desk
        self._passwords = passwords
        self._lockout = lockout
        self._sessions = sessions

    async def sign_in(
        self,
        name: str,
        password: str,
        *,
        source: str,
        device: str | None,
        channel: Channel,
        session_id: UUID,
        now: datetime,
        scopes: tuple[str, ...] = (),
    ) -> SignedIn:
        """Open a session for a right password. Each outcome has its audit row when this returns.

        `source` is from `Sources.name`, `device` from an earlier SignedIn. Raises
        WrongCredentials, TooManyAttempts (with the wait in whole seconds), Overloaded.
        """
        return await self._passwords.run(
            lambda: self._sign_in(name, password, source, device, channel, session_id, now, scopes)
        )

    def _sign_in(
        self,
        name: str,
        password: str,
        source: str,
        device: str | None,
        channel: Channel,
        session_id: UUID,
        now: datetime,
        scopes: tuple[str, ...],
    ) -> SignedIn:
        key = name_key(name)
        with self._desk.write(Turn.SIGN_IN, Turn.AUDIT) as connection:
            known = connection.execute(select(account).where(account.c.name_key == key)).first()
            account_id = None if known is None else known.id
            attempt = self._lockout.begin(connection, key, account_id, source, device, now)
            if isinstance(attempt, timedelta):
                append(connection, [_entry("sign-in", known, "locked", now)])
        if isinstance(attempt, timedelta):
            raise TooManyAttempts(max(1, ceil(attempt.total_seconds())))
        stored: str | None = None if known is None else known.password_hash
        fits = self._passwords.verify(stored, password)
        if known is None or stored is None or not fits or known.disabled_at is not None:
            with self._desk.write(Turn.AUDIT) as connection:
                append(connection, [_entry("sign-in", known, "refused", now)])
            raise WrongCredentials
        renewed = self._passwords.hash(password) if self._passwords.is_outdated(stored) else stored
        with self._desk.write(Turn.ACCOUNTS, Turn.SIGN_IN, Turn.AUDIT) as connection:
            return self._open(connection, known, attempt, renewed, channel, session_id, now, scopes)

    def _open(
        self,
        connection: Connection,
        known: Row[tuple[object, ...]],
        attempt: Attempt,
        renewed: str,
        channel: Channel,
        session_id: UUID,
        now: datetime,
        scopes: tuple[str, ...],
    ) -> SignedIn:
        current = connection.execute(select(account).where(account.c.id == known.id)).first()
        if (
            current is None
            or current.disabled_at is not None
            or current.password_hash != known.password_hash
        ):
            # Disabled, erased or given another password while the hash was computed.
            raise WrongCredentials
        if renewed != known.password_hash:
            connection.execute(
                update(account).where(account.c.id == known.id).values(password_hash=renewed)
            )
        device = secrets.token_urlsafe(32)
        self._lockout.succeeded(connection, attempt, known.id, device, now)
        kind = PrincipalKind(known.kind)
        session = self._sessions.open(connection, known.id, kind, channel, session_id, now, scopes)
        append(connection, [_entry("sign-in", known, "done", now, session_id)])
        must_change = current.must_change_at is not None and current.must_change_at <= now
        return SignedIn(session, device, known.id, kind, must_change)


def _entry(
    action: str,
    known: Row[tuple[object, ...]] | None,
    outcome: str,
    now: datetime,
    session_id: UUID | None = None,
) -> Entry:
    """What was typed is not kept where it is no account: people type passwords there."""
    if known is None:
        return Entry(
            at=now,
            principal_kind=PrincipalKind.ANONYMOUS.value,
            principal_id=None,
            action=action,
            outcome=outcome,
        )
    return Entry(
        at=now,
        principal_kind=known.kind,
        principal_id=str(known.person_id or known.id),
        action=action,
        target=None if session_id is None else f"session/{session_id}",
        outcome=outcome,
    )
