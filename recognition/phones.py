"""Telephone numbers in lines that were read on a photo. Pure; knows shapes of numbers only.

Reading mistakes letters for digits inside a number, and cuts a widely spaced number into lines.
"""

import re
from collections.abc import Iterator, Sequence

_LIKE = str.maketrans(
    {"O": "0", "o": "0", "D": "0", "l": "1", "I": "1", "|": "1", "Z": "2", "S": "5", "B": "8"}
)
_RUN = re.compile(r"[0-9OoDlI|ZSB](?:[\s\-—–_.·,、()（）:]{0,2}[0-9OoDlI|ZSB])+")
_BEGINNING = re.compile(r"(?<![0-9])(?:1[3-9][0-9](?:[0-9]{4})?|0[0-9]{2,3})$")
_REST = re.compile(r"[0-9]{4,8}")
_DATE = re.compile(r"(?:19|20)[0-9]{2}[-./年 ][0-9]{1,2}[-./月 ][0-9]{1,2}")
_NUMBER = re.compile(
    r"(?<!\d)(?:(?:0086|86)?(1[3-9]\d{9})"  # mobile
    r"|(0(?:10|2\d|[3-9]\d{2})[2-8]\d{6,7})"  # fixed line with its code
    r"|(400\d{7}))(?!\d)"
)
_LOCAL = re.compile(r"(?<!\d)([2-8]\d{7})(?!\d)")
_CUE = re.compile(r"电话|热线|联系|手机|微信|[Tt][Ee][Ll]|☎")
_REAL_DIGITS = 0.7  # of a run: else it is a word


def numbers_in(lines: Sequence[str]) -> tuple[str, ...]:
    """The telephone numbers, digits alone, each once, in the order they stand."""
    found: dict[str, None] = {}
    for line in (*lines, *_joined(lines)):
        cue = _CUE.search(line) is not None
        for run in _RUN.finditer(_DATE.sub("", line)):
            text = run.group(0)
            marks = [c for c in text if c.isalnum() or c == "|"]
            if sum(c.isdigit() for c in marks) >= _REAL_DIGITS * len(marks):
                found |= dict.fromkeys(_in_run(text, cue=cue))
    return tuple(found)


def _in_run(text: str, *, cue: bool) -> Iterator[str]:
    digits = "".join(c for c in text.translate(_LIKE) if c.isdigit())
    for number in _NUMBER.finditer(digits):
        yield next(part for part in number.groups() if part)
    if cue and _LOCAL.fullmatch(digits):
        yield digits


def _joined(lines: Sequence[str]) -> Iterator[str]:
    """A line that ends as a number begins, with the lines of digits alone that follow it."""
    plain = [line.strip() for line in lines]
    for place, line in enumerate(plain):
        if not _BEGINNING.search(line):
            continue
        parts = [line]
        for following in plain[place + 1 : place + 3]:
            if not _REST.fullmatch(following):
                break
            parts.append(following)
            yield " ".join(parts)
