"""Case numbers (案件编号): derived from the case id, not counted, with a check digit.

`HD` + yymmdd (Shanghai) + 7 digits + check digit. Knows no store; a number already taken asks
for the next attempt.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

PREFIX = "HD"


def case_number(case_id: UUID, at: datetime, attempt: int = 0) -> str:
    """The number of a case reported at a moment; the same id and attempt give the same number."""
    day = (at + timedelta(hours=8)).strftime("%y%m%d")
    digest = sha256(b"case-number\0" + case_id.bytes + attempt.to_bytes(2)).digest()
    digits = day + f"{int.from_bytes(digest[:8]) % 10_000_000:07d}"
    return PREFIX + digits + check_digit(digits)


def check_digit(digits: str) -> str:
    """ISO 7064 MOD 11,10: a wrong digit shows, and nearly every swap of two neighbours."""
    product = 10
    for digit in digits:
        total = (product + int(digit)) % 10 or 10
        product = 2 * total % 11
    return str((11 - product) % 10)


def is_case_number(text: str) -> bool:
    """Whether the text is a number that could have been given out."""
    digits, check = text[2:15], text[15:]
    return (
        text[:2] == PREFIX
        and len(text) == 16
        and digits.isascii()
        and digits.isdigit()
        and check == check_digit(digits)
    )
