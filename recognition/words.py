"""From a text to what is counted in it: characters, pairs of characters, and groups of words.

Pairs of characters bear typos and need no dictionary; groups (`data/indicators/concepts.toml`) let
a few examples reach sayings that none of them holds. Knows no indicator and no weight.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache

SINGLE, GROUPS, COMPANIONS = 0.5, 1.0, 0.5
"""Shares of single characters beside pairs, of groups, of two groups met together: measured on the
development set (docs/adr/0100)."""

LONGEST = 400
"""Characters of a text that are read: what it is about is said by then, and time stays bounded."""

_START, _END, _GROUP, _WITH = "^", "$", "#", "&"


def plain(text: str) -> str:
    """Letters and digits alone, forms and case folded; what was masked leaves no letters.

    A masked piece (〔电话〕) says something only of the person, so it is taken out whole.
    """
    kept: list[str] = []
    masked = False
    for char in unicodedata.normalize("NFKC", text[: 4 * LONGEST]).casefold():
        if char == "〔":
            masked = True
        elif char == "〕":
            masked = False
        elif not masked and unicodedata.category(char)[0] in "LN":
            kept.append(char)
    return "".join(kept)[:LONGEST]


def pairs_of(letters: str) -> dict[str, float]:
    """Characters and pairs of neighbours, the ends marked, scaled to length 1."""
    ends = f"{_START}{letters}{_END}"
    found = dict.fromkeys(letters, SINGLE)
    found.update((ends[i : i + 2], 1.0) for i in range(len(ends) - 1) if letters)
    length = sum(value * value for value in found.values()) ** 0.5
    return {key: value / length for key, value in found.items()}


@lru_cache(maxsize=4096)
def _companion(one: str, other: str) -> str:
    return f"{_GROUP}{one}{_WITH}{other}"


class Words:
    """Reads texts by groups of words that mean alike. `groups` gives the words of each by name."""

    def __init__(self, groups: Mapping[str, Sequence[str]]) -> None:
        self._words = [
            (word, name) for name, words in groups.items() for word in map(plain, words) if word
        ]

    def groups_in(self, letters: str) -> dict[str, str]:
        """The groups met in a plain text, each with the longest word that met it."""
        met: dict[str, str] = {}
        for word, name in self._words:
            if word in letters and len(word) > len(met.get(name, "")):
                met[name] = word
        return met

    def features(self, text: str) -> dict[str, float]:
        """What is counted in a text, by name. Empty where it holds no letter."""
        letters = plain(text)
        found = pairs_of(letters)
        met = list(self.groups_in(letters))
        share = len(met) ** -0.5 if met else 0.0
        for place, name in enumerate(met):
            found[_GROUP + name] = GROUPS * share
            for other in met[place + 1 :]:
                found[_companion(name, other)] = COMPANIONS * share
        return found


def is_group(feature: str) -> bool:
    """Whether a feature is a group or two of them, and not a piece of somebody's text."""
    return feature.startswith(_GROUP) and len(feature) > 1
