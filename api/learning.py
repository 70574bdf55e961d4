"""Keeps the text model: loads it, trains it beside the work when there is reason to, remembers.

Reads the view of what was learnt and the catalogue in force. Reasons to train: another catalogue,
a person erased, enough new cases. Models lie in var/recognition/; only the newest is kept, and of
every one a line that says what it was trained on.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import msgspec

from casework.catalogue import Catalogue
from projections.training import Extent, Learnt
from recognition.bounded import Bounded
from recognition.lessons import Example, Lessons
from recognition.material import (
    ELSEWHERE,
    Material,
    Sample,
    door_label,
    gathered,
)
from recognition.model import OUT, Door, Kind
from recognition.text_model import INDOOR_DOOR, Fitted, TextModel, Thresholds
from recognition.training import trained

MOST, EACH = 12_000, 800
"""Learnt texts in all and of one indicator: a training takes some 20 s and 300 MB with them."""

NEW_CASES, NEW_SHARE = 50, 0.05
"""So many judgements more, and at least this share of what there was, are worth a training."""

LABEL_OF_CODE = {"N02": INDOOR_DOOR, "N03": door_label(ELSEWHERE.name)}
"""Refusals that say what a report is about. The others say something of the report instead."""


class Trained(msgspec.Struct, frozen=True, kw_only=True):
    """A line on a training: its inputs' SHA-256, when, on what. Holds no word of anybody."""

    version: str
    at: datetime
    catalogue: str
    """SHA-256 of the indicators and doors it knows."""
    found: int
    erasures: int
    learnt: int
    texts: dict[str, int]
    thresholds: Thresholds


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a version of the catalogue tells apart, and the SHA-256 of that."""

    version: int
    kinds: tuple[Kind, ...]
    doors: tuple[Door, ...]
    """The catalogue's own."""
    all_doors: tuple[Door, ...]
    """With the shipped ones."""
    digest: str


class Learner:
    """The text model that serves, and how it is renewed. Any thread may ask.

    `extent` and `newest` ask the view: how much there is, and for the newest texts
    (at most so many in all, so many of one indicator).
    """

    def __init__(
        self,
        folder: Path,
        trainer: Bounded,
        catalogue: Callable[[], Catalogue],
        extent: Callable[[], Extent],
        newest: Callable[[int, int], list[Learnt]],
        now: Callable[[], datetime],
    ) -> None:
        self._folder = folder
        self._trainer = trainer
        self._catalogue = catalogue
        self._extent = extent
        self._newest = newest
        self._now = now
        self._turn = threading.Lock()
        self._model: TextModel | None = None
        self._trained: Trained | None = None
        self._seen: Known | None = None

    @property
    def trained(self) -> Trained | None:
        """On what the model that serves was trained; None before the first question."""
        return self._trained

    def ready(self) -> TextModel | None:
        """The model for the catalogue in force, if it is there: nothing to wait for."""
        model, trained = self._model, self._trained
        return model if trained is not None and self._fits(trained) else None

    def model(self) -> TextModel:
        """The model for the catalogue in force, trained if need be. Raises Unavailable."""
        with self._turn:
            if self._model is None:
                self._load()
            return self.ready() or self._train()

    def keep_up(self) -> bool:
        """Train anew if there is reason to; whether it did. Raises Unavailable."""
        with self._turn:
            if self._model is None:
                self._load()
            if self._trained is None:  # nobody has asked yet
                return False
            if self._fits(self._trained) and not _worth(self._trained, self._extent()):
                return False
            self._train()
            return True

    def known(self) -> Known:
        """What the catalogue in force tells apart."""
        catalogue = self._catalogue()
        if self._seen is None or self._seen.version != catalogue.version:
            self._seen = known_by(catalogue)
        return self._seen

    def lessons(self) -> Lessons:
        """What other sources of opinions learn from; they begin anew when this does."""
        return Lessons(
            lambda: "" if self._trained is None else self._trained.version, self.examples
        )

    def examples(self, kinds: Sequence[Kind]) -> list[Example]:
        """What another source of opinions may learn from: written and learnt texts."""
        material = self._material(kinds)
        return [_example(s, material) for s in (*material.shipped, *material.learnt)]

    def history(self) -> list[Trained]:
        """A line on each training, the first one first."""
        path = self._folder / "versions.jsonl"
        if not path.exists():
            return []
        return [msgspec.json.decode(line, type=Trained) for line in path.read_bytes().splitlines()]

    def close(self) -> None:
        self._trainer.close()

    def _fits(self, trained: Trained) -> bool:
        return trained.catalogue == self.known().digest

    def _train(self) -> TextModel:
        extent, known = self._extent(), self.known()
        material = self._material(known.kinds)
        fitted = trained(self._trainer, material)
        line = Trained(
            version=fitted.version,
            at=self._now(),
            catalogue=known.digest,
            found=extent.found,
            erasures=extent.erasures,
            learnt=fitted.learnt,
            texts=dict(fitted.texts),
            thresholds=fitted.thresholds,
        )
        self._keep(fitted, line)
        self._model, self._trained = TextModel(fitted), line
        return self._model

    def _material(self, kinds: Sequence[Kind]) -> Material:
        return gathered(kinds, doors=self.known().doors, learnt=self._learnt(kinds))

    def _learnt(self, kinds: Sequence[Kind]) -> list[Sample]:
        codes = {kind.code for kind in kinds}
        found = []
        for each in self._newest(MOST, EACH):
            label = each.indicator or LABEL_OF_CODE.get(each.code or "")
            if label is not None and (each.indicator is None or each.indicator in codes):
                found.append(Sample(each.text, label, each.person))
        return found

    def _keep(self, fitted: Fitted, line: Trained) -> None:
        """Whole or not at all; then the older ones go, which may know what was erased since."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{fitted.version}.model"
        _replace(self._folder / name, msgspec.msgpack.encode(fitted))
        _replace(self._folder / "current.json", msgspec.json.encode(line))
        with (self._folder / "versions.jsonl").open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")
        for old in self._folder.glob("*.model"):
            if old.name != name:
                old.unlink(missing_ok=True)

    def _load(self) -> None:
        """The model of the last training, if it is whole."""
        try:
            line = msgspec.json.decode((self._folder / "current.json").read_bytes(), type=Trained)
            content = (self._folder / f"{line.version}.model").read_bytes()
            model = TextModel(msgspec.msgpack.decode(content, type=Fitted))
        except (FileNotFoundError, msgspec.MsgspecError, ValueError):
            return
        self._model, self._trained = model, line


def _worth(trained: Trained, extent: Extent) -> bool:
    if extent.erasures != trained.erasures or extent.found < trained.found:
        return True
    return extent.found - trained.found >= max(NEW_CASES, NEW_SHARE * trained.found)


def known_by(catalogue: Catalogue) -> Known:
    """The indicators of a catalogue, by code, and its doors for matters elsewhere."""
    kinds = tuple(
        Kind(
            code=indicator.code,
            name=indicator.name,
            keywords=indicator.keywords,
            examples=indicator.examples,
            place_kinds=tuple(str(kind) for kind in indicator.place_kinds),
        )
        for _, indicator in sorted(catalogue.indicators.items())
    )
    doors = tuple(Door(name=w.name, door=w.door, number=w.number) for w in catalogue.scope_words)
    digest = sha256(msgspec.msgpack.encode((kinds, doors), order="sorted")).hexdigest()
    return Known(
        version=catalogue.version,
        kinds=kinds,
        doors=doors,
        all_doors=gathered(kinds, doors=doors).doors,
        digest=digest,
    )


def _example(sample: Sample, material: Material) -> Example:
    codes = {kind.code for kind in material.kinds}
    label = sample.label if sample.label in codes else OUT
    return Example(text=sample.text, label=label, written=sample.person is None)


def _replace(path: Path, content: bytes) -> None:
    aside = path.with_name(f".{path.name}.new")
    aside.write_bytes(content)
    aside.replace(path)
