"""Trains a text model in a process of its own (`recognition.worker`), and measures its thresholds.

The material goes in, the fitted model comes out; nothing is kept here.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from recognition.bounded import Bounded, Bounds, Task
from recognition.material import Material, Sample, is_door
from recognition.model import OUT, Asked
from recognition.text_model import FLAG, PRESELECT, Fitted, TextModel, Thresholds, train
from recognition.worker import Engine

ENOUGH = 200
"""Learnt cases from which thresholds are measured on the newest of them."""

NEWEST = 5
"""The newest of so many parts are held out: what will be met is like them."""

RIGHT = 0.95
"""Of the preselected so many are right …"""
LEAST_SEEN = 30
"""… counted over at least so many."""

KEPT = 0.92
"""Of the texts in scope so many are not warned: a little above the nine of ten promised."""

LOWEST, HIGHEST = 0.3, 0.85
"""Between these a measured threshold is believed; beyond them the sample was odd."""

BOUNDS = Bounds(memory_mb=1024, seconds=120.0, waiting=1, idle=5.0)
"""A training of 12,000 texts takes some 20 s and 300 MB; it leaves at once when it is done."""


def trainer() -> Bounded:
    """The process that trains. Asked with a Material, it answers with a Fitted, both msgpack."""
    return Bounded("training", Task("recognition.training"), BOUNDS)


def trained(process: Bounded, material: Material) -> Fitted:
    """Train there. Raises Unavailable."""
    answer = process.ask(msgspec.msgpack.encode(material))
    return msgspec.msgpack.decode(answer, type=Fitted)


def load(_settings: bytes) -> Engine:
    """See `recognition.worker`."""

    def answer(question: bytes) -> bytes:
        material = msgspec.msgpack.decode(question, type=Material)
        return msgspec.msgpack.encode(train(material, measured(material)))

    return answer


def measured(material: Material) -> Thresholds:
    """The thresholds measured on the newest learnt cases; the shipped ones where there are few."""
    if len(material.learnt) < ENOUGH:
        return Thresholds()
    split = len(material.learnt) - len(material.learnt) // NEWEST
    before = msgspec.structs.replace(material, learnt=material.learnt[:split])
    return thresholds_on(TextModel(train(before)), material, material.learnt[split:])


def thresholds_on(model: TextModel, material: Material, samples: Sequence[Sample]) -> Thresholds:
    """The thresholds that hold on these samples, which the model has not learnt."""
    sure: list[tuple[float, bool]] = []
    out: list[float] = []
    for sample in samples:
        opinion = model.opinion(Asked(text=sample.text), material.kinds)
        if opinion is None:
            continue
        best = max((c for c in opinion.scores if c != OUT), key=lambda c: opinion.scores[c])
        sure.append((opinion.scores[best], best == sample.label))
        if not is_door(sample.label):
            out.append(opinion.scores.get(OUT, 0.0))
    flag = float(np.quantile(out, KEPT)) if out else FLAG
    return Thresholds(preselect=_lowest_right(sure), flag=min(max(flag, LOWEST), HIGHEST))


def _lowest_right(sure: Sequence[tuple[float, bool]]) -> float:
    """The lowest confidence from which on enough are right."""
    best = PRESELECT if not sure else HIGHEST
    right = 0
    for seen, (confidence, hit) in enumerate(sorted(sure, reverse=True), 1):
        right += hit
        if seen >= LEAST_SEEN and right >= RIGHT * seen:
            best = confidence
    return min(max(best, LOWEST), HIGHEST)
