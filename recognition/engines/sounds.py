"""Learns and judges texts by their toneless syllables, inside the worker. Knows no indicator."""

from collections.abc import Sequence

import msgspec
import numpy as np
from pypinyin import Style, lazy_pinyin

from recognition.linear import Problem, Rows, fit
from recognition.sounds import Judged, Lesson, Told
from recognition.worker import Engine

_INITIALS = ("zh", "ch", "sh", *"bpmfdtnlgkhjqxrzcsyw")
_ALIKE = {"zh": "z", "ch": "c", "sh": "s"}
"""Initials that many speakers and most models take for one another; finals lose their -g."""

_PENALTY = 1e-5
_ROUNDS = 60
_START, _END = "^", "$"
_SOUND, _PAIR, _HEADS = 0.7, 1.0, 0.5  # shares: a syllable, two of them, and their initials


def features(text: str) -> dict[str, float]:
    """What is counted: syllables, pairs of them, and pairs of their initials; length 1."""
    split = [
        _split(syllable) for syllable in lazy_pinyin(text, style=Style.NORMAL) if syllable.isalnum()
    ]
    folded = [
        _START,
        *(_ALIKE.get(head, head) + tail.removesuffix("g") for head, tail in split),
        _END,
    ]
    heads = [_START, *(_ALIKE.get(head, head) for head, _ in split), _END]
    found: dict[str, float] = {}
    for place in range(len(folded) - 1):
        found[f"{folded[place]}+{folded[place + 1]}"] = _PAIR
        found[f"{heads[place]}-{heads[place + 1]}"] = _HEADS
    found |= dict.fromkeys(folded[1:-1], _SOUND)
    length = sum(value * value for value in found.values()) ** 0.5
    return {name: value / length for name, value in found.items()}


def _split(syllable: str) -> tuple[str, str]:
    head = next((each for each in _INITIALS if syllable.startswith(each)), "")
    return head, syllable.removeprefix(head)


class _Learnt:
    """A model of one lesson."""

    def __init__(self, key: str, examples: Sequence[tuple[str, str]]) -> None:
        self.key = key
        self._labels = sorted({label for _, label in examples})
        self._place: dict[str, int] = {}
        rows = [features(text) for text, _ in examples]
        for row in rows:
            for name in row:
                self._place.setdefault(name, len(self._place))
        counts = dict.fromkeys(self._labels, 0)
        for _, label in examples:
            counts[label] += 1
        even = 1.0 / len(self._labels)
        self._weights = fit(
            Problem(
                rows=Rows(
                    np.array([self._place[n] for row in rows for n in row], np.int64),
                    np.array([v for row in rows for v in row.values()], np.float32),
                    np.cumsum([0, *map(len, rows)], dtype=np.int64),
                ),
                label=np.array([self._labels.index(label) for _, label in examples], np.int64),
                weight=np.array([even / counts[label] for _, label in examples], np.float32),
                features=len(self._place),
                labels=len(self._labels),
                penalty=_PENALTY,
            ),
            _ROUNDS,
        )

    def judge(self, text: str) -> dict[str, float]:
        raw = self._weights[-1].astype(np.float64)
        for name, value in features(text).items():
            if name in self._place:
                raw = raw + value * self._weights[self._place[name]]
        raised = np.exp(raw - raw.max())
        return dict(zip(self._labels, (raised / raised.sum()).tolist(), strict=True))


def load(_settings: bytes) -> Engine:
    """The engine: `Lesson` to nothing, `Told` to `Judged`, msgpack both ways."""
    learnt: _Learnt | None = None

    def answer(question: bytes) -> bytes:
        nonlocal learnt
        asked = msgspec.msgpack.decode(question, type=Lesson | Told)
        if isinstance(asked, Lesson):
            learnt = _Learnt(asked.key, asked.examples)
            return b""
        known = learnt is not None and learnt.key == asked.key
        judged = Judged(learnt.judge(asked.text) if learnt is not None and known else None)
        return msgspec.msgpack.encode(judged)

    return answer
