"""What is believed of a stranger's candidates: known codes, shares, a short printable reason."""

import math
from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple

import msgspec

MOST = 20
"""Candidates that are read."""

LONGEST_REASON = 40


class Candidate(msgspec.Struct, kw_only=True):
    """One, with a confidence of 0..1."""

    code: str
    confidence: float
    because: str = ""


class Believed(NamedTuple):
    """Scores and reasons by code; of a code told more than once the most, and its last reason."""

    scores: dict[str, float]
    because: dict[str, tuple[str, ...]]


def believed(
    told: Sequence[msgspec.Raw],
    known: Container[str],
    *,
    shape: type[Candidate] = Candidate,
    seen: str = "",
) -> Believed:
    """The first of those told, as far as they make sense; `seen` stands before each reason."""
    found = Believed({}, {})
    for raw in told[:MOST]:
        try:
            each = msgspec.json.decode(raw, type=shape)
        except msgspec.MsgspecError:
            continue
        if each.code in known and is_share(each.confidence):
            found.scores[each.code] = max(each.confidence, found.scores.get(each.code, 0.0))
            reason = plain(each.because)
            found.because[each.code] = (seen + reason,) if reason else ()
    return found


def is_share(number: float) -> bool:
    """Whether it is more than 0 and at most 1."""
    return math.isfinite(number) and 0 < number <= 1


def at_most_one(scores: Mapping[str, float]) -> dict[str, float]:
    """Scaled so that they sum to 1 or less."""
    whole = max(1.0, sum(scores.values()))
    return {code: score / whole for code, score in scores.items()}


def plain(words: str) -> str:
    """A stranger's words as one short printable line."""
    return printable(words[:200])[:LONGEST_REASON]


def printable(words: str) -> str:
    """One line, with a single blank for whatever cannot be shown."""
    shown = "".join(c if c.isprintable() else " " for c in words)
    return " ".join(shown.split())
