"""Failed sign-ins and the wait they cause. Knows no password; keeps no name and no address.

Every attempt is counted before the password is looked at, and taken back when it was right, so
that a hundred attempts at once are a hundred attempts. Budgets (buckets) are named by a keyed
hash. Whoever comes with a device, or from a source, that signed in to this account before has a
budget of their own; everybody else shares the strangers' budgets. So no stranger can use up what
the owner needs.
"""

import hmac
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import Connection, case, delete, insert, literal, select, update

from api.accounts.tables import Instant, known_device, sign_in_failures

_MEMORY = timedelta(hours=24)
"""A budget that saw no failure for so long is full again."""
_KNOWN_FOR = timedelta(days=180)
_MOST_KNOWN = 20
"""Devices and sources kept for an account; the one unused for longest goes first."""


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """`free` failures cost nothing; each one more doubles the wait, `first` up to `longest`."""

    free: int
    first: timedelta
    longest: timedelta

    def wait(self, failures: int) -> timedelta:
        """How long after so many failures the next attempt is refused."""
        if failures < self.free:
            return timedelta()
        doublings = min(failures - self.free, 20)
        return min(self.first * (1 << doublings), self.longest)


OWN = Budget(free=10, first=timedelta(seconds=15), longest=timedelta(minutes=15))
"""A device or source that the account knows: its owner, who may mistype."""
PAIR = Budget(free=5, first=timedelta(seconds=30), longest=timedelta(hours=1))
"""One source guessing at one account."""
SOURCE = Budget(free=30, first=timedelta(seconds=30), longest=timedelta(minutes=15))
"""One source over all accounts. An office behind one address has many people who mistype."""
ACCOUNT = Budget(free=50, first=timedelta(seconds=30), longest=timedelta(minutes=15))
"""All strangers together on one account: a guess spread over many sources."""


class Attempt(msgspec.Struct, frozen=True):
    """An attempt that was counted: where, for taking it back."""

    at: datetime
    buckets: tuple[bytes, ...]
    pair: bytes
    device: bytes | None
    source: bytes


class Lockout:
    """Counts attempts under one key. All methods run within the caller's transaction.

    The transaction must hold Turn.SIGN_IN.
    """

    def __init__(
        self,
        key: bytes,
        *,
        own: Budget = OWN,
        pair: Budget = PAIR,
        source: Budget = SOURCE,
        account: Budget = ACCOUNT,
    ) -> None:
        self._key = key
        self._own, self._pair, self._source, self._account = own, pair, source, account

    def begin(
        self,
        connection: Connection,
        name_key: str,
        account_id: UUID | None,
        source: str,
        device: str | None,
        now: datetime,
    ) -> Attempt | timedelta:
        """Count an attempt, or the time until the next one is allowed.

        `name_key` is what was typed, whether or not it is an account (`account_id`). `source` is
        the keyed name of an address; `device` the cookie of an earlier sign-in, if any.
        """
        device_digest = (
            None if device is None else self._name(b"device", device.encode(errors="replace"))
        )
        source_digest = self._name(b"place", source.encode())
        typed = name_key.encode(errors="replace")
        pair = self._name(b"pair", typed, source.encode())
        budgets = {pair: self._pair}
        own = self._own_bucket(connection, account_id, device_digest, source_digest, now)
        if own is not None:
            budgets = {own: self._own}
        else:
            budgets[self._name(b"source", source.encode())] = self._source
            budgets[self._name(b"account", typed)] = self._account
        counted = self._failures(connection, tuple(budgets), now)
        wait = max((until - now for _, until in counted.values()), default=timedelta())
        if wait > timedelta():
            return wait
        for bucket, budget in budgets.items():
            self._count(connection, bucket, budget, counted.get(bucket), now)
        return Attempt(now, tuple(budgets), own or pair, device_digest, source_digest)

    def succeeded(
        self, connection: Connection, attempt: Attempt, account_id: UUID, device: str, now: datetime
    ) -> None:
        """Take the attempt back, forget the slips before it, know device and source from now."""
        own = sign_in_failures.c.bucket == attempt.pair
        connection.execute(delete(sign_in_failures).where(own))
        connection.execute(
            update(sign_in_failures)
            .where(sign_in_failures.c.bucket.in_(attempt.buckets), sign_in_failures.c.failures > 0)
            .values(
                failures=sign_in_failures.c.failures - 1,
                # A wait that a later attempt brought about stays.
                until_at=case(
                    (sign_in_failures.c.last_at <= attempt.at, literal(now, Instant)),
                    else_=sign_in_failures.c.until_at,
                ),
            )
        )
        fresh = self._name(b"device", device.encode(errors="replace"))
        for digest in {fresh, attempt.source}:
            mine = (known_device.c.account_id == account_id) & (known_device.c.digest == digest)
            connection.execute(delete(known_device).where(mine))
            connection.execute(
                insert(known_device).values(account_id=account_id, digest=digest, seen_at=now)
            )
        if attempt.device is not None and attempt.device != fresh:
            connection.execute(
                delete(known_device).where(
                    known_device.c.account_id == account_id, known_device.c.digest == attempt.device
                )
            )
        self._keep_newest(connection, account_id)

    def remove_old(self, connection: Connection, now: datetime) -> None:
        """Delete budgets that are full again and devices long unused; for a daily timer."""
        old = sign_in_failures.c.last_at < now - _MEMORY
        connection.execute(delete(sign_in_failures).where(old, sign_in_failures.c.until_at < now))
        connection.execute(delete(known_device).where(known_device.c.seen_at < now - _KNOWN_FOR))

    def _own_bucket(
        self,
        connection: Connection,
        account_id: UUID | None,
        device: bytes | None,
        source: bytes,
        now: datetime,
    ) -> bytes | None:
        """The budget of a known device, else of a known source. The device's is nobody else's.

        Asked also for unknown names (of the nil account), so that both take as long.
        """
        wanted = [digest for digest in (device, source) if digest is not None]
        owner = account_id or UUID(int=0)
        known = {
            bytes(digest)
            for digest in connection.scalars(
                select(known_device.c.digest).where(
                    known_device.c.account_id == owner,
                    known_device.c.digest.in_(wanted),
                    known_device.c.seen_at > now - _KNOWN_FOR,
                )
            )
        }
        for digest in wanted:
            if digest in known:
                return self._name(b"own", owner.bytes, digest)
        return None

    def _failures(
        self, connection: Connection, buckets: tuple[bytes, ...], now: datetime
    ) -> dict[bytes, tuple[int, datetime]]:
        rows = connection.execute(
            select(sign_in_failures).where(sign_in_failures.c.bucket.in_(buckets))
        )
        return {
            bytes(row.bucket): (row.failures if row.last_at > now - _MEMORY else 0, row.until_at)
            for row in rows
        }

    def _count(
        self,
        connection: Connection,
        bucket: bytes,
        budget: Budget,
        counted: tuple[int, datetime] | None,
        now: datetime,
    ) -> None:
        failures = 1 if counted is None else counted[0] + 1
        values = {"failures": failures, "last_at": now, "until_at": now + budget.wait(failures)}
        if counted is None:
            connection.execute(insert(sign_in_failures).values(bucket=bucket, **values))
        else:
            connection.execute(
                update(sign_in_failures).where(sign_in_failures.c.bucket == bucket).values(**values)
            )

    def _keep_newest(self, connection: Connection, account_id: UUID) -> None:
        mine = known_device.c.account_id == account_id
        kept = connection.scalars(
            select(known_device.c.digest)
            .where(mine)
            .order_by(known_device.c.seen_at.desc())
            .limit(_MOST_KNOWN)
        ).all()
        connection.execute(delete(known_device).where(mine, known_device.c.digest.not_in(kept)))

    def _name(self, *parts: bytes) -> bytes:
        joined = b"".join(len(part).to_bytes(4) + part for part in parts)
        return hmac.digest(self._key, joined, "sha256")[:16]
