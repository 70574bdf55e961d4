"""Receipts of anonymous reporters: drawn from the case id, stored nowhere. Knows no case.

A receipt is HMAC-SHA256(key, case id) cut to 128 bits, in Crockford's base 32 with two check
characters: `XXXX-XXXX-XXXX-XXXX-XXXX-XXXX-XXXX`. It may be typed in any case, with or without
dashes; I and L are read as 1, O as 0. A slip of one character or two swapped ones never passes
the check (weights below 27 and digits below 32, modulo the prime 1021).
"""

import hmac
from uuid import UUID

_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUE = {digit: value for value, digit in enumerate(_DIGITS)} | {"I": 1, "L": 1, "O": 0}
_BODY = 26  # 128 bits in characters of 5
_PRIME = 1021  # the greatest prime that two characters can hold


class Receipts:
    """Draws and checks receipts under one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, case: UUID) -> str:
        """The receipt of a case: always the same one."""
        number = int.from_bytes(hmac.digest(self._key, case.bytes, "sha256")[:16])
        digits = [number >> (5 * place) & 31 for place in reversed(range(_BODY))]
        check = _check(digits)
        text = "".join(_DIGITS[digit] for digit in (*digits, check >> 5, check & 31))
        return "-".join(text[start : start + 4] for start in range(0, len(text), 4))

    def matches(self, receipt: str, case: UUID) -> bool:
        """Whether this is the receipt of that case. Takes the same time for near and far misses."""
        digits = read(receipt)
        if digits is None:
            return False
        wanted = read(self.of(case))
        return wanted is not None and hmac.compare_digest(bytes(digits), bytes(wanted))


def read(receipt: str) -> tuple[int, ...] | None:
    """The values of a receipt's characters; None where its check fails: a typing slip."""
    try:
        digits = tuple(_VALUE[sign] for sign in receipt.upper() if sign not in "- ")
    except KeyError:
        return None
    if len(digits) != _BODY + 2 or _check(digits[:_BODY]) != digits[-2] << 5 | digits[-1]:
        return None
    return digits


def _check(digits: list[int] | tuple[int, ...]) -> int:
    return sum((place + 1) * digit for place, digit in enumerate(digits)) % _PRIME
