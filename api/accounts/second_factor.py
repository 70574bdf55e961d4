"""One-time codes from a phone (TOTP, RFC 6238) as a second factor. Knows no password.

Six digits, 30 s, SHA-1, as every authenticator app has it. The secret is sealed (AES-256-GCM)
under a key of the server's, bound to the account. A code works once; a clock may be off by one
period. One in force is replaced by whoever shows its code; until the new one is confirmed the old
one holds. Who has lost theirs is helped by a secadmin (docs/adr/0150).
"""

import base64
import hmac
import secrets
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import Connection, delete, insert, select, update

from api.accounts.audit import Entry, append, entry_of
from api.accounts.desk import Desk, Turn
from api.accounts.errors import CodeNeeded, NotForYou, NotThere, WrongCode
from api.accounts.people import name_key, read_account, require
from api.accounts.principal import Principal, PrincipalKind
from api.accounts.roles import THREE
from api.accounts.tables import account, credential, second_factor
from casework.model import Role

_PERIOD_S = 30
_DRIFT = 1
_SECRET = 20
_NONCE = 12


class Verdict(StrEnum):
    """What a code, or none, says about a sign-in."""

    NOT_ENROLLED = "not_enrolled"
    NEEDED = "needed"
    WRONG = "wrong"
    PASSED = "passed"


class Enrolment(msgspec.Struct, frozen=True):
    """What the owner puts into their app, shown once: the secret in base 32, and as a URI."""

    secret: str
    uri: str


class State(msgspec.Struct, frozen=True):
    """Since when an account's factor is in force, and whether one waits to be confirmed."""

    since: datetime | None
    waits: bool


class SecondFactors:
    """Enrols, checks and removes second factors. `forget` drops what is cached of an account."""

    def __init__(
        self,
        desk: Desk,
        key: bytes,
        forget: Callable[[UUID], None],
        issuer: str = "海淀随手拍",
    ) -> None:
        self._desk = desk
        self._box = AESGCM(key)
        self._forget = forget
        self._issuer = issuer

    def state(self, by: Principal) -> State:
        """How the owner's account stands. Raises NotForYou for those without a staff account."""
        mine = second_factor.c.account_id == _owner(by)
        with self._desk.read() as connection:
            found = connection.execute(select(second_factor).where(mine)).first()
        if found is None:
            return State(None, waits=False)
        since: datetime | None = found.confirmed_at
        return State(since, waits=since is None or found.next_sealed is not None)

    def enrolled(self) -> dict[UUID, datetime]:
        """The accounts whose factor is in force, and since when."""
        with self._desk.read() as connection:
            rows = connection.execute(
                select(second_factor).where(second_factor.c.confirmed_at.is_not(None))
            )
            return {row.account_id: row.confirmed_at for row in rows}

    def begin(self, by: Principal, now: datetime, code: str | None = None) -> Enrolment:
        """A fresh secret for the owner, not in force before `confirm`. Replaces an unconfirmed one.

        Where a factor is in force its `code` is asked for, and used up; it holds until `confirm`.
        Whether it is the owner who asks, the caller has looked at the password for.

        Raises CodeNeeded, WrongCode, NotForYou for those without a staff account.
        """
        owner = _owner(by)
        secret = secrets.token_bytes(_SECRET)
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + self._box.encrypt(nonce, secret, owner.bytes)
        mine = second_factor.c.account_id == owner
        with self._desk.write(Turn.ACCOUNTS, Turn.AUDIT) as connection:
            name = read_account(connection, owner).name
            found = connection.execute(select(second_factor).where(mine)).first()
            if found is not None and found.confirmed_at is not None:
                if code is None:
                    raise CodeNeeded
                period = self._period(owner, bytes(found.sealed), code, found.last_period, now)
                if period is None:
                    raise WrongCode
                connection.execute(
                    update(second_factor).where(mine).values(next_sealed=sealed, last_period=period)
                )
            else:
                connection.execute(delete(second_factor).where(mine))
                connection.execute(
                    insert(second_factor).values(account_id=owner, sealed=sealed, last_period=0)
                )
            target = f"account/{owner}"
            append(connection, [entry_of(by, "second-factor-begun", now, target=target)])
        uri = _totp(secret).get_provisioning_uri(name, self._issuer)
        return Enrolment(base64.b32encode(secret).decode(), uri)

    def confirm(self, code: str, by: Principal, now: datetime) -> None:
        """Put the secret in force, after the owner's app showed the right code.

        This sign-in counts as one with a code from now on; every other of the account ends.

        Raises WrongCode, NotThere (nothing begun, or in force already).
        """
        owner = _owner(by)
        mine = second_factor.c.account_id == owner
        with self._desk.write(Turn.ACCOUNTS, Turn.AUDIT) as connection:
            found = connection.execute(select(second_factor).where(mine)).first()
            replaces = found is not None and found.next_sealed is not None
            if found is None or (found.confirmed_at is not None and not replaces):
                raise NotThere("待确认的动态口令")
            sealed = bytes(found.next_sealed if replaces else found.sealed)
            last = 0 if replaces else found.last_period
            period = self._period(owner, sealed, code, last, now)
            if period is None:
                raise WrongCode
            connection.execute(
                update(second_factor)
                .where(mine)
                .values(sealed=sealed, next_sealed=None, confirmed_at=now, last_period=period)
            )
            others = credential.c.account_id == owner, credential.c.id != by.session_id
            connection.execute(delete(credential).where(*others))
            connection.execute(
                update(credential)
                .where(credential.c.id == by.session_id)
                .values(second_factor=True)
            )
            done = "second-factor-replaced" if replaces else "second-factor-set"
            append(connection, [entry_of(by, done, now, target=f"account/{owner}")])
        self._forget(owner)

    def remove(self, account_id: UUID, by: Principal, now: datetime) -> None:
        """Take the factor off an account whose owner lost the phone. By a secadmin.

        Every sign-in of the account ends. A sysadmin, who may set a password anew, may not: nobody
        alone gets into the account of another. Never for 三员: see `remove_on_server`.
        """
        require(by, Role.SECADMIN, "解除动态口令", "须由安全管理员办理")
        with self._desk.write(Turn.ACCOUNTS, Turn.AUDIT) as connection:
            if THREE & set(read_account(connection, account_id).roles):
                raise NotForYou("解除动态口令", "三员账号的动态口令须在服务器上解除")
            _take_off(connection, account_id)
            target = f"account/{account_id}"
            append(connection, [entry_of(by, "second-factor-removed", now, target=target)])
        self._forget(account_id)

    def remove_on_server(self, name: str, now: datetime) -> None:
        """The same for any account, by its sign-in name; for the command line. Raises NotThere."""
        with self._desk.write(Turn.ACCOUNTS, Turn.AUDIT) as connection:
            owner = connection.scalar(
                select(account.c.id).where(account.c.name_key == name_key(name))
            )
            if owner is None:
                raise NotThere("账号")
            _take_off(connection, owner)
            by_hand = Entry(
                at=now,
                principal_kind="operator",
                principal_id=None,
                action="second-factor-removed",
                target=f"account/{owner}",
            )
            append(connection, [by_hand])

    def check(
        self, connection: Connection, account_id: UUID, code: str | None, now: datetime
    ) -> Verdict:
        """What the code says, within the caller's transaction (Turn.SIGN_IN); uses the code up."""
        mine = second_factor.c.account_id == account_id
        found = connection.execute(select(second_factor).where(mine)).first()
        if found is None or found.confirmed_at is None:
            return Verdict.NOT_ENROLLED
        if code is None:
            return Verdict.NEEDED
        period = self._period(account_id, bytes(found.sealed), code, found.last_period, now)
        if period is None:
            return Verdict.WRONG
        connection.execute(update(second_factor).where(mine).values(last_period=period))
        return Verdict.PASSED

    def _period(
        self, account_id: UUID, sealed: bytes, code: str, last: int, now: datetime
    ) -> int | None:
        """The period whose code this is, if it is near now and later than the last one used."""
        secret = self._box.decrypt(sealed[:_NONCE], sealed[_NONCE:], account_id.bytes)
        typed = code.replace(" ", "").encode(errors="replace")
        current = int(now.timestamp()) // _PERIOD_S
        for period in range(current - _DRIFT, current + _DRIFT + 1):
            right = _totp(secret).generate(period * _PERIOD_S)
            if period > last and hmac.compare_digest(right, typed):
                return period
        return None


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, 6, SHA1(), _PERIOD_S)  # noqa: S303  what authenticator apps implement


def _take_off(connection: Connection, account_id: UUID) -> None:
    """Remove the factor and end every sign-in. Raises NotThere where there is none."""
    gone = connection.execute(delete(second_factor).where(second_factor.c.account_id == account_id))
    if not gone.rowcount:
        raise NotThere("动态口令")
    connection.execute(delete(credential).where(credential.c.account_id == account_id))


def _owner(by: Principal) -> UUID:
    if by.account_id is None or by.kind is not PrincipalKind.STAFF:
        raise NotForYou("绑定动态口令", "动态口令只用于工作人员账号")
    return by.account_id
