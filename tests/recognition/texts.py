"""Texts that no model learns from, with what they are: read from the two sets beside this file.

`development.txt` was looked at while the method was chosen; `held_out.txt` was written afterwards,
and measured once. Both are our own words, in voices other than those of the examples.
"""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from recognition.material import gathered, shipped_kinds
from recognition.model import OUT, Asked, Expert
from recognition.recogniser import recognise

HERE = Path(__file__).parent


class Text(NamedTuple):
    text: str
    label: str


def texts(name: str) -> list[Text]:
    """The texts of a set, each under the code it is, or OUT."""
    found, label = [], ""
    for line in (HERE / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if re.fullmatch(r"[A-Z]\d\d|OUT", line):
            label = OUT if line == "OUT" else line
        elif line.strip():
            found.append(Text(line.strip(), label))
    return found


class Figures(NamedTuple):
    """How a source does on a set. Shares in 0..1; `flagged` at nine of ten texts in scope kept."""

    top1: float
    top3: float
    flagged: float
    kept_as_shipped: float
    flagged_as_shipped: float
    preselected: float
    preselected_right: float
    confused: dict[tuple[str, str], int]


def figures(found: list[Text], experts: list[Expert]) -> Figures:
    kinds = shipped_kinds()
    doors = {door.name: door for door in gathered(kinds).doors}
    answers = [recognise(Asked(text=t.text), experts, kinds, doors=doors) for t in found]
    inside, outside = [], []
    confused: dict[tuple[str, str], int] = {}
    hits1 = hits3 = 0
    preselected: list[bool] = []
    for text, answer in zip(found, answers, strict=True):
        codes = [proposal.indicator for proposal in answer.proposals]
        if answer.preselected:
            preselected.append(answer.preselected == text.label)
        if text.label == OUT:
            outside.append(answer.out_of_scope)
            continue
        inside.append(answer.out_of_scope)
        hits1 += codes[0] == text.label
        hits3 += text.label in codes
        if codes[0] != text.label:
            pair = (text.label, codes[0])
            confused[pair] = confused.get(pair, 0) + 1
    limit = np.quantile([scope.confidence for scope in inside], 0.9)
    return Figures(
        hits1 / len(inside),
        hits3 / len(inside),
        float(np.mean([scope.confidence > limit for scope in outside])),
        1 - float(np.mean([scope.flagged for scope in inside])),
        float(np.mean([scope.flagged for scope in outside])),
        len(preselected) / len(found),
        float(np.mean(preselected)),
        confused,
    )
