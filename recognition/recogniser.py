"""Pools what the sources say into three ranked proposals and a word on scope. Decides nothing."""

import math
from collections.abc import Mapping, Sequence

from recognition.model import (
    OUT,
    Asked,
    Door,
    Expert,
    Kind,
    Opinion,
    OutOfScope,
    Proposal,
    Recognised,
    Unavailable,
)
from recognition.text_model import Thresholds

OFFERED = 3
"""Proposals shown, always with 以上都不是."""

LEAST = 0.02
"""A source that gives a code no chance may be wrong: no single one bars it."""

HINT_ODDS = 3.0
"""How much the catalogue's own words of matters elsewhere speak for out of scope, in odds."""

AGREED = 0.75
"""Sources that read the same text err together: what several say is drawn back by the power of
their weights together, so that the thresholds measured on one hold (docs/adr/0106)."""

SAID = "“{}”"


def recognise(
    asked: Asked,
    experts: Sequence[Expert],
    kinds: Sequence[Kind],
    *,
    doors: Mapping[str, Door],
    hints: Sequence[str] = (),
    thresholds: Thresholds = Thresholds(),  # noqa: B008  frozen
) -> Recognised:
    """Ask every source and pool the answers.

    A source that cannot answer is named in `notes`; with no answer at all there is no proposal.
    `doors` are the matters elsewhere by name; `hints` the names of those whose words the catalogue
    found in the text.
    """
    opinions: list[Opinion] = []
    notes: list[str] = []
    for expert in experts:
        try:
            opinion = expert.opinion(asked, kinds)
        except Unavailable as why:
            notes.append(str(why))
            continue
        if opinion is not None:
            opinions.append(opinion)
    return pooled(
        opinions, kinds, doors=doors, hints=hints, thresholds=thresholds, notes=tuple(notes)
    )


def pooled(
    opinions: Sequence[Opinion],
    kinds: Sequence[Kind],
    *,
    doors: Mapping[str, Door],
    hints: Sequence[str] = (),
    thresholds: Thresholds = Thresholds(),  # noqa: B008  frozen
    notes: tuple[str, ...] = (),
) -> Recognised:
    """The answer made of these opinions: a weighted product of them (logarithmic pool)."""
    names = {kind.code: kind.name for kind in kinds}
    if not opinions:
        nothing = OutOfScope(flagged=False, confidence=0.0)
        return Recognised(
            proposals=(), out_of_scope=nothing, preselected=None, models=(), notes=notes
        )
    chances = _pool(opinions, [*names, OUT], hinted=bool(hints))
    ranked = sorted(names, key=lambda code: (-chances[code], code))[:OFFERED]
    proposals = tuple(
        Proposal(
            indicator=code,
            name=names[code],
            confidence=round(chances[code], 4),
            because=_because(opinions, code),
        )
        for code in ranked
    )
    scope = _scope(opinions, chances[OUT], doors, hints, thresholds)
    sure = bool(proposals) and chances[ranked[0]] >= thresholds.preselect and not scope.flagged
    return Recognised(
        proposals=proposals,
        out_of_scope=scope,
        preselected=ranked[0] if sure else None,
        models=tuple(opinion.model for opinion in opinions),
        notes=notes,
    )


def _pool(opinions: Sequence[Opinion], labels: Sequence[str], *, hinted: bool) -> dict[str, float]:
    logs = dict.fromkeys(labels, 0.0)
    for opinion in opinions:
        unsaid = [label for label in labels if label not in opinion.scores]
        said = sum(opinion.scores.get(label, 0.0) for label in labels)
        share = max(1 - said, 0.0) / len(unsaid) if unsaid else 0.0  # what it left is anybody's
        even = LEAST / len(labels)
        for label in labels:
            chance = opinion.scores.get(label, share)
            logs[label] += opinion.weight * math.log((1 - LEAST) * chance + even)
    drawn_back = max(1.0, sum(opinion.weight for opinion in opinions)) ** -AGREED
    logs = {label: log * drawn_back for label, log in logs.items()}
    if hinted:
        logs[OUT] += math.log(HINT_ODDS)
    top = max(logs.values())
    raw = {label: math.exp(log - top) for label, log in logs.items()}
    total = sum(raw.values())
    return {label: value / total for label, value in raw.items()}


def _because(opinions: Sequence[Opinion], label: str) -> tuple[str, ...]:
    said = (
        SAID.format(words) if opinion.quotes else words
        for opinion in opinions
        for words in opinion.because.get(label, ())
    )
    return tuple(dict.fromkeys(said))


def _scope(
    opinions: Sequence[Opinion],
    chance: float,
    doors: Mapping[str, Door],
    hints: Sequence[str],
    thresholds: Thresholds,
) -> OutOfScope:
    """Whether to warn, with the door of the catalogue's words, else of the surest source."""
    sure = sorted(
        (o for o in opinions if o.door), key=lambda o: o.weight * o.scores.get(OUT, 0), reverse=True
    )
    named = [*hints, *(o.door for o in sure if o.door)]
    return OutOfScope(
        flagged=chance >= thresholds.flag,
        confidence=round(chance, 4),
        door=next((doors[name] for name in named if name in doors), None),
        because=_because(opinions, OUT),
    )
