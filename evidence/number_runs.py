"""Which numbers in a text are a person's: telephones, identity cards, bank cards. Pure and linear.

A run is digits with at most two separators between them; it is cut into groups, and only shapes
that people write are looked at (138 1234 5678, 010-6234-5678, 6222 0212 …). Dates, coordinates,
case numbers and short hotlines (12345, 96310) are none of these shapes.
"""

import re
from collections.abc import Iterator
from datetime import date

Span = tuple[int, int, str]
"""Start and end in characters, and what stands there instead."""

TELEPHONE = "〔电话〕"
IDENTITY = "〔证件号〕"
BANK_CARD = "〔银行卡〕"

_Shape = tuple[int, ...]

_RUN = re.compile(r"[0-9](?:[ \-.·_()]{0,2}[0-9])*+[Xx]?")
_GROUP = re.compile(r"[0-9]+")
_FEWEST = 8  # digits of the shortest number meant here, a telephone of Beijing without its code

_MOBILE = re.compile(r"(?:(?:00)?86|0)?1[3-9][0-9]{9}")
_LANDLINE = re.compile(r"(?:(?:00)?86)?0?(?:10|2[0-9])[2-8][0-9]{7}|0[3-9][0-9]{2}[2-8][0-9]{6,7}")
_LOCAL = re.compile(r"[5-8][0-9]{7}")
_EXTENSION = re.compile(r" ?(?:转|分机|ext\.?) ?[0-9]{1,6}+|-[0-9]{1,4}+(?![0-9\-])", re.IGNORECASE)

_MOBILE_SHAPES: set[_Shape] = {
    (11,),
    (3, 4, 4),
    (3, 8),
    (7, 4),
    (4, 4, 3),
    (5, 6),
    (6, 5),
    (3, 3, 5),
    (4, 7),
}
_MOBILE_SHAPES |= {(prefix, *shape) for prefix in (1, 2, 3, 4) for shape in _MOBILE_SHAPES}
_MOBILE_SHAPES |= {(12,), (13,), (15,), (1,) * 11}
_LANDLINE_SHAPES: set[_Shape] = {
    (3, 8),
    (4, 7),
    (4, 8),
    (3, 4, 4),
    (4, 4, 4),
    (4, 3, 4),
    (11,),
    (12,),
}
_LANDLINE_SHAPES |= {(2, 2, 8), (2, 2, 4, 4), (2, 3, 8), (2, 3, 4, 4), (4, 2, 8), (4, 3, 8)}
_IDENTITY_SHAPES: set[_Shape] = {(18,), (17,), (6, 8, 4), (6, 8, 3), (6, 4, 4, 4), (6, 4, 4, 3)}
_IDENTITY_SHAPES |= {(6, 4, 2, 2, 4), (6, 4, 2, 2, 3), (3, 3, 4, 4, 4), (3, 3, 4, 4, 3)}
_OLD_IDENTITY_SHAPES: set[_Shape] = {(15,), (6, 6, 3)}
_BANK_SHAPES: set[_Shape] = {(n,) for n in range(16, 20)} | {(4, 4, 4, 4)}
_BANK_SHAPES |= {(4, 4, 4, 4, n) for n in (1, 2, 3)} | {(6, 10), (6, 13)}
_LONGEST_SHAPE = 11
_SHAPES = (
    _MOBILE_SHAPES
    | _LANDLINE_SHAPES
    | _IDENTITY_SHAPES
    | _OLD_IDENTITY_SHAPES
    | _BANK_SHAPES
    | {(8,)}
)
_LENGTHS = sorted({len(shape) for shape in _SHAPES}, reverse=True)

_REGIONS = frozenset(
    f"{n}"
    for first, last in (
        (11, 15),
        (21, 23),
        (31, 37),
        (41, 46),
        (50, 54),
        (61, 65),
        (71, 71),
        (81, 83),
    )
    for n in range(first, last + 1)
)
_WEIGHTS = tuple(2 ** (17 - n) % 11 for n in range(17))
_CHECKS = "10X98765432"


def numbers(text: str) -> Iterator[Span]:
    """Spans of personal numbers in text already folded to ASCII digits; none overlap."""
    for run in _RUN.finditer(text):
        if run.end() - run.start() >= _FEWEST:
            yield from _in_run(text, run)


def _in_run(text: str, run: re.Match[str]) -> Iterator[Span]:
    groups = [found.span() for found in _GROUP.finditer(text, run.start(), run.end())]
    ends_in_x = run.end() > groups[-1][1]
    at = 0
    while at < len(groups):
        shape = tuple(end - start for start, end in groups[at : at + _LONGEST_SHAPE])
        for length in _LENGTHS:
            if length > len(shape) or shape[:length] not in _SHAPES:
                continue
            window = groups[at : at + length]
            with_x = ends_in_x and at + length == len(groups)
            token, takes_x = _what(text, window, with_x=with_x)
            if token is None:
                continue
            start, end = window[0][0], window[-1][1] + takes_x
            if token is TELEPHONE and (more := _EXTENSION.match(text, end)):
                end = more.end()
            yield start, end, token
            while at < len(groups) and groups[at][0] < end:
                at += 1
            break
        else:
            at += 1


def _what(text: str, window: list[tuple[int, int]], *, with_x: bool) -> tuple[str | None, bool]:
    """What a window of groups is, and whether the X behind it belongs to it."""
    digits = "".join(text[start:end] for start, end in window)
    shape = tuple(end - start for start, end in window)
    start = window[0][0]
    if shape in _IDENTITY_SHAPES:
        number = digits + "X" if with_x and len(digits) == 17 else digits
        # Cut where region, day and order meet, it is one even with a slip in the check.
        if _is_identity(number, sure=shape[0] >= 6):
            return IDENTITY, number is not digits
    if (
        (shape in _MOBILE_SHAPES and _MOBILE.fullmatch(digits))
        or (shape in _LANDLINE_SHAPES and _is_landline(digits))
        # Eight digits behind a point are the fraction of a coordinate.
        or (shape == (8,) and text[start - 1 : start] != "." and _LOCAL.fullmatch(digits))
    ):
        return TELEPHONE, False
    if shape in _OLD_IDENTITY_SHAPES and _is_old_identity(digits):
        return IDENTITY, False
    if shape in _BANK_SHAPES and digits[0] in "34569" and _luhn(digits):
        return BANK_CARD, False
    return None, False


def _is_landline(digits: str) -> bool:
    return digits.startswith(("0", "86")) and _LANDLINE.fullmatch(digits) is not None


def _is_identity(number: str, *, sure: bool) -> bool:
    """GB 11643: region, day of birth; and the check, unless the form is sure."""
    if len(number) != 18 or number[:2] not in _REGIONS or not _is_day(number[6:14]):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], _WEIGHTS, strict=True))
    return sure or _CHECKS[total % 11] == number[17]


def _is_old_identity(digits: str) -> bool:
    return digits[:2] in _REGIONS and _is_day("19" + digits[6:12])


def _is_day(digits: str) -> bool:
    try:
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return False
    return 1900 <= day.year < 2100


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
