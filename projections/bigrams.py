"""Words to search by: pairs of neighbouring Chinese characters, whole words of other scripts.

A pair needs no dictionary, so that a place name or a new word is found as surely as an old one. A
run 垃圾桶 gives 垃圾 圾桶 桶: every character begins some token, so one character is a prefix.
"""

import re
import unicodedata
from typing import NamedTuple

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_RUN = re.compile(f"[{_HAN}]+|[^\\W_{_HAN}]+")
_MASK = re.compile(r"〔[^〕]{1,12}〕")

MOST_WORDS = 8
"""Runs of a question that are looked for; the rest is left out."""

LONGEST_RUN = 64
"""Characters of a run that count: no word is longer, a pasted page is no question."""


class Phrase(NamedTuple):
    """Tokens that must stand side by side; of the last only the beginning if `prefix`."""

    tokens: tuple[str, ...]
    prefix: bool


def _is_han(run: str) -> bool:
    return run[0] >= "\u3400" and re.match(f"[{_HAN}]", run) is not None


def _runs(text: str) -> list[str]:
    folded = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return _RUN.findall(folded.lower())


def grams(*texts: str | None) -> str:
    """The tokens of some texts, in order, each between blanks; what was masked is left out.

    The parts of different texts never stand side by side.
    """
    tokens: list[str] = []
    for text in texts:
        if text:
            for run in _runs(_MASK.sub(" ", text)):
                if _is_han(run):
                    tokens += [run[i : i + 2] for i in range(len(run))]
                else:
                    tokens.append(run)
    return f" {' '.join(tokens)} " if tokens else ""


def phrases(question: str) -> tuple[Phrase, ...]:
    """What to look for: all of these must be found. Empty where the question holds no word."""
    found = []
    for whole in _runs(question)[:MOST_WORDS]:
        run = whole[:LONGEST_RUN]
        if not _is_han(run) or len(run) == 1:
            found.append(Phrase((run,), prefix=True))
        else:
            pairs = tuple(run[i : i + 2] for i in range(len(run) - 1))
            found.append(Phrase(pairs, prefix=False))
    return tuple(dict.fromkeys(found))
