"""One-time codes from a phone (TOTP, RFC 6238) as a second factor. Knows no password.

Six digits, 30 s, SHA-1, as every authenticator app has it. The secret is sealed (AES-256-GCM)
under a key of the server's, bound to the account. A code works once; a clock may be off by one
period.
"""

import base64
import hmac
import secrets
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import Connection, delete, insert, select, update

from api.accounts.audit import append, entry_of
from api.accounts.desk import Desk, Turn
from api.accounts.errors import NotForYou, NotThere, Unfit, WrongCode
from api.accounts.people import read_account, require
from api.accounts.principal import Principal
from api.accounts.roles import THREE
from api.accounts.tables import second_factor
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


class SecondFactors:
    """Enrols, checks and removes second factors."""

    def __init__(self, desk: Desk, key: bytes, issuer: str = "海淀随手拍") -> None:
        self._desk = desk
        self._box = AESGCM(key)
        self._issuer = issuer

    def begin(self, by: Principal) -> Enrolment:
        """A fresh secret for the owner, not in force before `confirm`. Replaces an unconfirmed one.

        Raises Unfit where one is in force already, NotForYou for those without an account.
        """
        owner = _owner(by)
        secret = secrets.token_bytes(_SECRET)
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + self._box.encrypt(nonce, secret, owner.bytes)
        mine = second_factor.c.account_id == owner
        with self._desk.write(Turn.ACCOUNTS) as connection:
            name = read_account(connection, owner).name
            if connection.scalar(select(second_factor.c.confirmed_at).where(mine)) is not None:
                raise Unfit("second_factor", "已启用动态口令，请先由系统管理员解除后再重新绑定。")
            connection.execute(delete(second_factor).where(mine))
            connection.execute(
                insert(second_factor).values(account_id=owner, sealed=sealed, last_period=0)
            )
        uri = _totp(secret).get_provisioning_uri(name, self._issuer)
        return Enrolment(base64.b32encode(secret).decode(), uri)

    def confirm(self, code: str, by: Principal, now: datetime) -> None:
        """Put the secret in force, after the owner's app showed the right code.

        Raises WrongCode, NotThere (nothing begun, or in force already).
        """
        owner = _owner(by)
        mine = second_factor.c.account_id == owner
        with self._desk.write(Turn.ACCOUNTS, Turn.AUDIT) as connection:
            found = connection.execute(select(second_factor).where(mine)).first()
            if found is None or found.confirmed_at is not None:
                raise NotThere("待确认的动态口令")
            period = self._period(owner, bytes(found.sealed), code, found.last_period, now)
            if period is None:
                raise WrongCode
            connection.execute(
                update(second_factor).where(mine).values(confirmed_at=now, last_period=period)
            )
            append(connection, [entry_of(by, "second-factor-set", now, target=f"account/{owner}")])

    def remove(self, account_id: UUID, by: Principal, now: datetime) -> None:
        """Take the factor off an account whose owner lost the phone. By a sysadmin.

        Never for 三员 accounts or one's own: those are made anew from the command line.
        """
        require(by, Role.SYSADMIN, "解除动态口令", "须由系统管理员办理")
        with self._desk.write(Turn.ACCOUNTS, Turn.AUDIT) as connection:
            if THREE & set(read_account(connection, account_id).roles):
                raise NotForYou("解除动态口令", "三员账号须在服务器上用一次性口令重新建立")
            gone = connection.execute(
                delete(second_factor).where(second_factor.c.account_id == account_id)
            )
            if not gone.rowcount:
                raise NotThere("动态口令")
            target = f"account/{account_id}"
            append(connection, [entry_of(by, "second-factor-removed", now, target=target)])

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


def _owner(by: Principal) -> UUID:
    if by.account_id is None:
        raise NotForYou("绑定动态口令", "请先登录")
    return by.account_id
