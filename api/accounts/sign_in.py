"""Signing in with name and password. Brings together what neither knows of the other.

A wrong name takes as long as a wrong password and is answered in the same words.
"""

import secrets
from datetime import datetime
from math import ceil
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, select, update

from api.accounts.audit import Entry, append
from api.accounts.desk import Desk, Turn
from api.accounts.errors import (
    CodeNeeded,
    DeskRefusal,
    TooManyAttempts,
    WrongCode,
    WrongCredentials,
)
from api.accounts.lockout import Attempt, Lockout
from api.accounts.passwords import Passwords
from api.accounts.people import name_key
from api.accounts.principal import Channel, PrincipalKind
from api.accounts.second_factor import SecondFactors, Verdict
from api.accounts.sessions import Issued, Sessions
from api.accounts.tables import account

_LOOKS = 3
"""How often an account that changes meanwhile (its hash made anew by a twin) is looked at."""


class SignedIn(msgspec.Struct, frozen=True):
    """A fresh sign-in. `device` goes into a long-lived cookie (180 days) of this name only.

    `must_change_password`: the password is temporary or too old; only changing it is allowed.
    `second_factor`: a one-time code was given.
    """

    session: Issued
    device: str
    account_id: UUID
    kind: PrincipalKind
    must_change_password: bool
    second_factor: bool


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for at the door."""

    name: str
    password: str
    code: str | None
    source: str
    device: str | None
    channel: Channel
    session_id: UUID
    scopes: tuple[str, ...]
    now: datetime


class _Changed(msgspec.Struct, frozen=True):
    """The account changed while the hash was computed: look at it again."""


class SignIn:
    """The door for name and password."""

    def __init__(
        self,
        desk: Desk,
        passwords: Passwords,
        lockout: Lockout,
        sessions: Sessions,
        factors: SecondFactors,
    ) -> None:
        self._desk = desk
        self._passwords = passwords
        self._lockout = lockout
        self._sessions = sessions
        self._factors = factors

    async def sign_in(  # noqa: PLR0913  by name: what the request brought and wiring added
        self,
        name: str,
        password: str,
        *,
        source: str,
        device: str | None,
        channel: Channel,
        session_id: UUID,
        now: datetime,
        code: str | None = None,
        scopes: tuple[str, ...] = (),
    ) -> SignedIn:
        """Open a session for a right password. Each outcome has its audit row when this returns.

        `source` is from `Sources.name`, `device` from an earlier SignedIn, `code` from the
        owner's app. Raises WrongCredentials, CodeNeeded, WrongCode, TooManyAttempts (with the
        wait in whole seconds), Overloaded.
        """
        asked = _Asked(
            name=name,
            password=password,
            code=code,
            source=source,
            device=device,
            channel=channel,
            session_id=session_id,
            scopes=scopes,
            now=now,
        )
        return await self._passwords.run(lambda: self._sign_in(asked))

    def _sign_in(self, asked: _Asked) -> SignedIn:
        attempt = self._begin(asked)
        known: Row[tuple[object, ...]] | None = None
        for _ in range(_LOOKS):
            with self._desk.read() as connection:
                known = _look(connection, asked)
            stored: str | None = None if known is None else known.password_hash
            fits = self._passwords.verify(stored, asked.password)
            if known is None or stored is None or not fits or known.disabled_at is not None:
                break
            renewed = stored
            if self._passwords.is_outdated(stored):
                renewed = self._passwords.hash(asked.password)
            with self._desk.write(Turn.ACCOUNTS, Turn.SIGN_IN, Turn.AUDIT) as connection:
                outcome = self._open(connection, asked, known, attempt, renewed)
            if isinstance(outcome, DeskRefusal):
                raise outcome
            if isinstance(outcome, SignedIn):
                return outcome
        with self._desk.write(Turn.AUDIT) as connection:
            append(connection, [_entry(known, "refused", asked.now)])
        raise WrongCredentials

    def _begin(self, asked: _Asked) -> Attempt:
        """Count the attempt; raise TooManyAttempts where there were too many."""
        with self._desk.write(Turn.SIGN_IN, Turn.AUDIT) as connection:
            known = _look(connection, asked)
            attempt = self._lockout.begin(
                connection,
                name_key(asked.name),
                None if known is None else known.id,
                asked.source,
                asked.device,
                asked.now,
            )
            if isinstance(attempt, Attempt):
                return attempt
            append(connection, [_entry(known, "locked", asked.now)])
        raise TooManyAttempts(max(1, ceil(attempt.total_seconds())))

    def _open(
        self,
        connection: Connection,
        asked: _Asked,
        known: Row[tuple[object, ...]],
        attempt: Attempt,
        renewed: str,
    ) -> SignedIn | DeskRefusal | _Changed:
        """Refusals are returned, not raised: what was written about them must stay."""
        current = _look(connection, asked)
        if (
            current is None
            or current.id != known.id
            or current.disabled_at is not None
            or current.password_hash != known.password_hash
        ):
            return _Changed()
        verdict = self._factors.check(connection, known.id, asked.code, asked.now)
        if verdict in {Verdict.NEEDED, Verdict.WRONG}:
            append(connection, [_entry(known, f"code-{verdict}", asked.now)])
            return CodeNeeded() if verdict is Verdict.NEEDED else WrongCode()
        if renewed != known.password_hash:
            connection.execute(
                update(account).where(account.c.id == known.id).values(password_hash=renewed)
            )
        device = secrets.token_urlsafe(32)
        self._lockout.succeeded(connection, attempt, known.id, device, asked.now)
        kind = PrincipalKind(known.kind)
        session = self._sessions.open(
            connection,
            known.id,
            kind,
            asked.channel,
            asked.session_id,
            asked.now,
            asked.scopes,
            second_factor=verdict is Verdict.PASSED,
        )
        append(connection, [_entry(known, "done", asked.now, asked.session_id)])
        must_change = current.must_change_at is not None and current.must_change_at <= asked.now
        return SignedIn(session, device, known.id, kind, must_change, verdict is Verdict.PASSED)


def _look(connection: Connection, asked: _Asked) -> Row[tuple[object, ...]] | None:
    return connection.execute(
        select(account).where(account.c.name_key == name_key(asked.name))
    ).first()


def _entry(
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
            action="sign-in",
            outcome=outcome,
        )
    return Entry(
        at=now,
        principal_kind=known.kind,
        principal_id=str(known.person_id or known.id),
        action="sign-in",
        target=None if session_id is None else f"session/{session_id}",
        outcome=outcome,
    )
