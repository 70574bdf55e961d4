"""Telephone numbers in lines that were read on a photo. Pure; knows shapes of numbers only.

Reading mistakes letters for digits inside a number, and cuts a widely spaced number into lines.
"""

import re
from collections.abc import Iterator, Sequence

_LIKE = str.maketrans(
    {"O": "0", "o": "0", "D": "0", "l": "1", "I": "1", "|": "1", "Z": "2", "S": "5", "B": "8"}
)
_RUN = re.compile(r"[0-9OoDlI|ZSB](?:[\s\-—–_.·,、()（）:]{0,2}[0-9OoDlI|ZSB])+")
_PIECE = re.compile(r"[\s0-9\-—]+")
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
    cue = any(_CUE.search(line) for line in lines)
    found: dict[str, None] = {}
    for line in (*lines, *_joined(lines)):
        for run in _RUN.finditer(line):
            text = run.group(0)
            marks = [c for c in text if c.isalnum() or c == "|"]
            if sum(c.isdigit() for c in marks) < _REAL_DIGITS * len(marks):
                continue
            found |= dict.fromkeys(_in_run(text, cue=cue))
    return tuple(found)


def _in_run(text: str, *, cue: bool) -> Iterator[str]:
    digits = "".join(c for c in text.translate(_LIKE) if c.isdigit())
    for number in _NUMBER.finditer(digits):
        yield next(part for part in number.groups() if part)
    if cue and _LOCAL.fullmatch(digits):
        yield digits


def _joined(lines: Sequence[str]) -> Iterator[str]:
    """Neighbouring lines that hold nothing but pieces of a number, put together."""
    pieces: list[str] = []
    for line in (*lines, ""):
        if _PIECE.fullmatch(line):
            pieces.append(line.strip())
            continue
        if len(pieces) > 1:
            yield " ".join(pieces)
        pieces = []
