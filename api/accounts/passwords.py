"""Password profiles and argon2id in a bounded pool. Knows no account and no table.

Profiles: 等保三级 (GB/T 22239-2019 8.1.4.1: complexity and regular change; the figures are the
ones assessors ask for) and OWASP ASVS 5.0 6.2 (length, no composition rules, no forced change,
common passwords refused). Hashing: argon2id, 19 MiB, t=2, p=1 (RFC 9106; OWASP's first choice).
"""

import asyncio
import secrets
import string
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from api.accounts.common_passwords import is_common
from api.accounts.errors import Overloaded, WeakPassword

_LONGEST = 128  # argon2 takes any length; this keeps a request from being a load
_T = TypeVar("_T")


class PasswordProfile(msgspec.Struct, frozen=True, kw_only=True):
    """What a new password must be. `history` former ones are refused; `max_age` None: never old."""

    name: str
    shortest: int
    classes: int
    history: int
    max_age: timedelta | None


MLPS3 = PasswordProfile(
    name="等保三级", shortest=8, classes=3, history=5, max_age=timedelta(days=90)
)
ASVS = PasswordProfile(name="ASVS", shortest=12, classes=0, history=0, max_age=None)


def profile_named(name: str) -> PasswordProfile:
    """The profile of a setting: `dengbao` or `asvs`. Raises KeyError for any other word."""
    return {"dengbao": MLPS3, "asvs": ASVS}[name]


def prepared(password: str) -> str:
    """The form that is hashed: NFC (RFC 8265 OpaqueString), so that two keyboards agree."""
    return unicodedata.normalize("NFC", password.encode(errors="replace").decode())


def check_password(profile: PasswordProfile, password: str, names: tuple[str, ...] = ()) -> None:
    """Raise WeakPassword with every rule of the profile that this password misses.

    `names` are words about the person (sign-in name …) that it may not contain.
    """
    text = prepared(password)
    why = []
    if any("\ud800" <= sign <= "\udfff" for sign in password):
        why.append("含有无法识别的字符")
    if len(text) < profile.shortest:
        why.append(f"至少{profile.shortest}位")
    if len(text) > _LONGEST:
        why.append(f"最多{_LONGEST}位")
    if _classes(text) < profile.classes:
        why.append(f"大写字母、小写字母、数字、符号中至少含{profile.classes}类")
    if any(len(name) >= 3 and name.casefold() in text.casefold() for name in names):
        why.append("不能包含登录名")
    if is_common(text):
        why.append("过于常见，容易被猜中")
    if why:
        raise WeakPassword(tuple(why))


def temporary_password() -> str:
    """A random one that fits every profile (about 118 bits): to be changed at first sign-in."""
    body = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(17))
    return (
        secrets.choice(string.ascii_uppercase)
        + body
        + secrets.choice("23456789")
        + secrets.choice("-_+=")
        + secrets.choice(string.ascii_lowercase)
    )


class Passwords:
    """Hashes and verifies under a profile, at most `threads` at once, `waiting` more in line.

    The blocking halves (`hash`, `verify`) are for work that is already inside `run`.
    """

    def __init__(
        self,
        profile: PasswordProfile,
        *,
        threads: int = 2,
        waiting: int = 64,
        memory_kib: int = 19 * 1024,
    ) -> None:
        self.profile = profile
        self._argon2 = PasswordHasher(time_cost=2, memory_cost=memory_kib, parallelism=1)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._places = threading.BoundedSemaphore(threads + waiting)
        self._dummy = self._argon2.hash(secrets.token_urlsafe(32))

    async def run(self, work: Callable[[], _T]) -> _T:
        """Do blocking work with hashes in the pool. Raises Overloaded where the line is full."""
        if not self._places.acquire(blocking=False):
            raise Overloaded
        task = self._pool.submit(work)
        task.add_done_callback(lambda _: self._places.release())
        # Shielded: a client that goes away must not leave an attempt half counted.
        return await asyncio.shield(asyncio.wrap_future(task))

    def hash(self, password: str) -> str:
        return self._argon2.hash(prepared(password))

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether the password fits. Without a stored hash it takes as long, and never fits."""
        text = prepared(password)
        known = stored is not None and len(text) <= _LONGEST
        try:
            self._argon2.verify(stored if known and stored else self._dummy, text[:_LONGEST])
        except (VerificationError, InvalidHashError):
            return False
        return known

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters and should be made anew."""
        return self._argon2.check_needs_rehash(stored)

    def close(self) -> None:
        self._pool.shutdown()


def _classes(text: str) -> int:
    return sum(
        any(map(kind, text))
        for kind in (str.isupper, str.islower, str.isdigit, lambda sign: not sign.isalnum())
    )
