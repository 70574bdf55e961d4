"""The text model: trained from material in under a second, an opinion in under a millisecond.

Words speak through a linear model, the kind of place as a prior. Needs numpy alone, no file and no
service, so it is there on every installation; richer sources speak beside it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from recognition import linear
from recognition.linear import Floats
from recognition.material import Material, Sample, door_label, is_door
from recognition.model import OUT, Asked, Condition, Kind, Model, Opinion
from recognition.words import Words, is_group, plain

NAME = "text"

PENALTY, ROUNDS = 5e-4, 25
"""Chosen on the development set; more rounds change nothing there (docs/adr/0100)."""

BALANCE = 0.5
"""A label's weight grows as its number of texts to this power: a new indicator is heard too."""

TWICE = 2
"""A piece of text met in one text only teaches nothing, except of an indicator with few texts."""
FEW = 40

PERSONS = 3
"""A piece of words that only reporters wrote is kept from so many persons on (docs/adr/0101)."""

USUAL, UNSAID, UNUSUAL = 1.0, 0.7, 0.4
"""How likely a kind of place is for an indicator that names it, names none, names others."""

ANY = "other"
"""The kind of place 其他 says nothing."""

INDOORS = "indoor"
INDOOR_DOOR = door_label("楼道内、室内")
INDOOR_ODDS = 8.0
"""The kind of place 楼道内/室内 speaks for the class of matters that have their door there."""

SPOKEN = 3
"""Words shown as what spoke for a proposal: more is not read."""

SHOWN_DIGITS = 16
"""Of a version in answers and facts: enough to find the training again among all there will be."""

PRESELECT, FLAG = 0.65, 0.55
"""Measured on the development set: right in 19 of 20 above the first; nine of ten texts in
scope below the second (docs/adr/0100). A training on enough learnt cases measures its own."""


class Thresholds(msgspec.Struct, frozen=True):
    """From which probability on the first is preselected, and out of scope is said."""

    preselect: float = PRESELECT
    flag: float = FLAG


class Fitted(msgspec.Struct, frozen=True, kw_only=True):
    """A trained model as it is kept: `weights` are float32, a row a feature and the bias last."""

    version: str
    labels: tuple[str, ...]
    features: tuple[str, ...]
    weights: bytes
    groups: Mapping[str, tuple[str, ...]]
    places: Mapping[str, tuple[str, ...]]
    """The usual kinds of place by indicator."""
    thresholds: Thresholds = Thresholds()
    texts: Mapping[str, int] = {}
    """How many texts it learnt from by label, for the record."""
    learnt: int = 0
    """How many of them were cases."""


def train(material: Material, thresholds: Thresholds | None = None) -> Fitted:
    """The model of a material; the same material gives the same model.

    Raises ValueError where there is nothing to tell apart.
    """
    reader = Words(material.groups)
    samples = [*material.shipped, *material.learnt]
    read = [reader.features(sample.text) for sample in samples]
    kept = [i for i, features in enumerate(read) if features]
    samples, read = [samples[i] for i in kept], [read[i] for i in kept]
    labels = tuple(sorted({sample.label for sample in samples}))
    if len(labels) < TWICE:
        raise ValueError("fewer than two labels")
    place = {label: i for i, label in enumerate(labels)}
    label = np.array([place[sample.label] for sample in samples], dtype=np.int64)
    counts = np.bincount(label, minlength=len(labels))
    few = {name for name, n in zip(labels, counts, strict=True) if n < FEW}
    features = tuple(_vocabulary(samples, read, few))
    weight = counts[label].astype(np.float32) ** np.float32(BALANCE - 1)
    problem = linear.Problem(
        rows=_rows(read, {name: i for i, name in enumerate(features)}),
        label=label,
        weight=weight / weight.sum(),
        features=len(features),
        labels=len(labels),
        penalty=PENALTY,
    )
    return Fitted(
        version=material.version(),
        labels=labels,
        features=features,
        weights=linear.fit(problem, ROUNDS).astype("<f4").tobytes(),
        groups=material.groups,
        places={kind.code: kind.place_kinds for kind in material.kinds},
        thresholds=thresholds or Thresholds(),
        texts={name: int(n) for name, n in zip(labels, counts, strict=True)},
        learnt=len(material.learnt),
    )


def _vocabulary(
    samples: Sequence[Sample], read: Sequence[Mapping[str, float]], few: set[str]
) -> Iterator[str]:
    """The features worth a weight, none of which is the way one or two persons write."""
    met: dict[str, int] = defaultdict(int)
    shipped: set[str] = set()
    persons: dict[str, set[int]] = defaultdict(set)
    rare: set[str] = set()
    for sample, features in zip(samples, read, strict=True):
        for name in features:
            met[name] += 1
            if sample.person is not None:
                persons[name].add(sample.person)
        if sample.person is None:
            shipped.update(features)
        if sample.label in few:
            rare.update(features)
    for name, n in met.items():
        public = name in shipped or len(persons[name]) >= PERSONS or is_group(name)
        if public and (n >= TWICE or name in rare):
            yield name


def _rows(read: Sequence[Mapping[str, float]], place: Mapping[str, int]) -> linear.Rows:
    index: list[int] = []
    value: list[float] = []
    start = [0]
    for features in read:
        known = [(place[name], share) for name, share in features.items() if name in place]
        # A row of nothing known still counts for the bias: it borrows a feature at no weight.
        for i, share in known or [(0, 0.0)]:
            index.append(i)
            value.append(share)
        start.append(len(index))
    return linear.Rows(
        np.array(index, dtype=np.int64),
        np.array(value, dtype=np.float32),
        np.array(start, dtype=np.int64),
    )


class TextModel:
    """A fitted model that answers. Holds no state between questions; any thread may ask."""

    name = NAME

    def __init__(self, fitted: Fitted) -> None:
        self.fitted = fitted
        self.model = Model(NAME, fitted.version[:SHOWN_DIGITS])
        self.words = Words(fitted.groups)
        self.place = {name: i for i, name in enumerate(fitted.features)}
        shape = (len(fitted.features) + 1, len(fitted.labels))
        self.weights: Floats = np.frombuffer(fitted.weights, dtype="<f4").reshape(shape)
        self._doors = np.array([is_door(label) for label in fitted.labels])
        self._priors: dict[str, NDArray[np.float64]] = {}

    def opinion(self, asked: Asked, kinds: Sequence[Kind]) -> Opinion | None:
        """See Expert. A transcript is read like a text, after it."""
        text = "。".join(said for said in (asked.text, asked.transcript) if said)
        found = self.words.features(text)
        known = [(self.place[name], share) for name, share in found.items() if name in self.place]
        if not found:
            return None
        scores = self.weights[-1].astype(np.float64)
        if known:
            shares = np.array([share for _, share in known])
            scores = scores + shares @ self.weights[[i for i, _ in known]]
        scores = np.exp(scores - scores.max()) * self._prior(asked.place_kind)
        scores /= scores.sum()
        labels, codes = self.fitted.labels, {kind.code for kind in kinds}
        likely = {labels[i]: float(scores[i]) for i in np.argsort(-scores) if labels[i] in codes}
        best_door = int(np.argmax(np.where(self._doors, scores, -1)))
        out = float(scores[self._doors].sum())
        spoken = _Spoken(self, text)
        because = {code: spoken.by(labels.index(code)) for code in list(likely)[:SPOKEN]}
        because[OUT] = spoken.by(best_door)
        return Opinion(
            model=self.model,
            scores={**likely, OUT: out},
            because=because,
            door=labels[best_door].removeprefix("~"),
        )

    def condition(self) -> Condition:
        """It is there whenever it is trained."""
        return Condition(name=NAME, state="ready")

    def _prior(self, place: str | None) -> NDArray[np.float64]:
        """How likely the kind of place is for each label; the same for all where it is unsaid."""
        if place is None or (place != INDOORS and not self._says_something(place)):
            return np.ones(len(self.fitted.labels))
        if place not in self._priors:
            self._priors[place] = np.array(
                [self._usual(label, place) for label in self.fitted.labels]
            )
        return self._priors[place]

    def _says_something(self, place: str) -> bool:
        """Whether it is a kind of place that some indicator names; 其他 is any."""
        return place != ANY and any(place in usual for usual in self.fitted.places.values())

    def _usual(self, label: str, place: str) -> float:
        if is_door(label):
            return INDOOR_ODDS if place == INDOORS and label == INDOOR_DOOR else UNSAID
        usual = self.fitted.places.get(label, ())
        if not usual:
            return UNSAID
        return USUAL if place in usual else UNUSUAL


class _Spoken:
    """Which words of a text spoke for a label: those of groups first, then pieces of it."""

    def __init__(self, model: TextModel, text: str) -> None:
        letters = plain(text)
        met = [(word, f"#{name}") for name, word in model.words.groups_in(letters).items()]
        pieces = dict.fromkeys(letters[i : i + 2] for i in range(len(letters) - 1))
        said = [*met, *((piece, piece) for piece in pieces)]
        known = [(word, model.place[name]) for word, name in said if name in model.place]
        self._said = [word for word, _ in known]
        self._first_piece = sum(name in model.place for _, name in met)
        weights = model.weights[[row for _, row in known]]
        self._speaks = weights - weights.mean(axis=1, keepdims=True)

    def by(self, label: int) -> tuple[str, ...]:
        """At most three, the strongest first, none within another."""
        speaks = self._speaks[:, label]
        order = sorted(
            np.flatnonzero(speaks > 0), key=lambda i: (i >= self._first_piece, -speaks[i])
        )
        chosen: list[str] = []
        for word in (self._said[i] for i in order):
            if not any(word in other or other in word for other in chosen):
                chosen.append(word)
            if len(chosen) == SPOKEN:
                break
        return tuple(chosen)
