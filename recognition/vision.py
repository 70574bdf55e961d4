"""What photos say: a number read on a small ad, and what looks like photos of earlier cases.

The extra `[vision]`; both experts share one worker, and one look at each photo. The reading knows
one kind of problem, the small ad; the likeness knows those that cases have shown often enough.
"""

import hashlib
import re
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from recognition import weights
from recognition.bounded import Bounded
from recognition.heads import Floats, Head, fitted
from recognition.model import Asked, Condition, Kind, Model, Opinion, Unavailable
from recognition.phones import numbers_in

MISSING = "未安装扩展 vision（pip install 'haidian-casework[vision]'），照片请人工查看"

NEEDED = ("rapidocr", "onnxruntime")

MOST_PHOTOS = 3
"""Of one report that are looked at, a second each: they show the same spot."""

AD = "小广告"
"""What the kind is called that a number on a photo speaks for; by name, as codes may change."""

_TRADES = re.compile(
    "办证|刻章|开锁|换锁|疏通|通下水|贷款|借款|信用卡|套现|招聘|招工|日结|兼职|出租|租房|合租|求租"
    "|发票|代开|回收|收药|搬家|保洁|防水|维修|家教|加微信|私家侦探|讨债|专治|祖传|重金|文凭"
)
"""What small ads offer. With a number, it is hardly anything else."""

SURE, PERHAPS = 0.9, 0.5
"""For a number with a trade, and for a number alone: a van or a shop sign has one too."""

READ_WELL = 0.5
"""Of the reader's own confidence, below which a line is not believed."""

ENOUGH = 10
"""Cases of an indicator before their photos say something about the next."""

DECAY = 3e-3
"""Of the head over 1,280 numbers of length 1, from few photos: strong."""

_REMEMBERED = 8


class Settings(msgspec.Struct, frozen=True):
    """Which files read and see. `seen` may be left out: then no vector is made."""

    detection: weights.Weight
    direction: weights.Weight
    reading: weights.Weight
    seen: weights.Weight | None = None


class Looked(msgspec.Struct, frozen=True):
    """Lines with the reader's own confidence in 0..1, and 1,280 float32 or nothing."""

    lines: tuple[tuple[str, float], ...]
    vector: bytes = b""


class Eyes:
    """The worker, with the last few looks remembered for as long as an answer is made of them."""

    def __init__(self, engine: Bounded) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._looks: OrderedDict[bytes, Looked] = OrderedDict()

    def look(self, photo: bytes) -> Looked:
        """What is on a photo. Raises Unavailable."""
        key = hashlib.sha256(photo).digest()
        with self._lock:
            if key in self._looks:
                return self._looks[key]
        looked = msgspec.msgpack.decode(self._engine.ask(photo), type=Looked)
        with self._lock:
            self._looks[key] = looked
            while len(self._looks) > _REMEMBERED:
                self._looks.popitem(last=False)
        return looked

    def looks(self, photos: Sequence[bytes]) -> list[Looked]:
        """The first photos that can be read. Raises Unavailable where none can."""
        found: list[Looked] = []
        last: Unavailable | None = None
        for photo in photos[:MOST_PHOTOS]:
            try:
                found.append(self.look(photo))
            except Unavailable as why:
                last = why
        if not found and last is not None:
            raise last
        return found

    def condition(self, name: str) -> Condition:
        """How the worker is, under the name of who asks."""
        return msgspec.structs.replace(self._engine.condition(), name=name)

    def close(self) -> None:
        with self._lock:
            self._looks.clear()
        self._engine.close()


class AdReader:
    """The expert for small ads."""

    name = "ads"

    def __init__(self, eyes: Eyes) -> None:
        self._eyes = eyes

    def opinion(self, asked: Asked, kinds: Sequence[Kind]) -> Opinion | None:
        """Whether a telephone number stands on a photo; None where none does."""
        code = next((kind.code for kind in kinds if AD in kind.name), None)
        if code is None or not asked.photos:
            return None
        lines = [
            text
            for looked in self._eyes.looks(asked.photos)
            for text, sure in looked.lines
            if sure >= READ_WELL
        ]
        numbers = numbers_in(lines)
        if not numbers:
            return None
        trades = list(dict.fromkeys(_TRADES.findall("\n".join(lines))))
        because = [f"照片上读到电话号码 {number}" for number in numbers[:2]]
        because += [f"照片上读到“{trade}”" for trade in trades[:2]]
        return Opinion(
            model=Model(weights.OCR.name, weights.OCR.version),
            scores={code: SURE if trades else PERHAPS},
            because={code: tuple(because)},
            quotes=False,
        )

    def condition(self) -> Condition:
        return self._eyes.condition(self.name)


class Seen(msgspec.Struct, frozen=True):
    """A photo of an earlier case: its vector (1,280 float32) and the case's indicator."""

    vector: bytes
    label: str


class Likeness:
    """The expert that compares with photos of registered cases. Silent until it has seen enough."""

    name = "likeness"

    def __init__(self, eyes: Eyes, seen: Callable[[], Sequence[Seen]]) -> None:
        self._eyes = eyes
        self._seen = seen
        self._learnt_from: Sequence[Seen] = ()
        self._learnt: tuple[str, Head] | None = None

    def opinion(self, asked: Asked, kinds: Sequence[Kind]) -> Opinion | None:
        """What earlier photos like these were of; None where too few were seen.

        Learns nothing: see `follow`.
        """
        learnt = self._learnt
        if not asked.photos or learnt is None:
            return None
        version, head = learnt
        codes = {kind.code for kind in kinds}
        vectors = [looked.vector for looked in self._eyes.looks(asked.photos) if looked.vector]
        if not vectors:
            return None
        chances = head.chances(rows(vectors)).mean(axis=0)
        found = {
            label: float(chance)
            for label, chance in zip(head.labels, chances, strict=True)
            if label in codes
        }
        if not found:
            return None
        # The rest is left to the indicators that it has not seen enough of.
        share = len(found) / len(codes)
        return Opinion(
            model=Model(weights.LITE1.name, f"{weights.LITE1.version}+{version}"),
            scores={label: chance * share for label, chance in found.items()},
            because={max(found, key=found.__getitem__): ("与以往同类案件的照片相似",)},
            weight=0.5,
            quotes=False,
        )

    def condition(self) -> Condition:
        return self._eyes.condition(self.name)

    def follow(self) -> None:
        """Learn anew where other photos are seen than before: seconds, for a thread beside."""
        seen = self._seen()
        if seen is not self._learnt_from:
            self._learnt = self._learn(seen)
            self._learnt_from = seen

    def _learn(self, seen: Sequence[Seen]) -> tuple[str, Head] | None:
        """The head over the indicators with enough photos; None for fewer than two of them."""
        counts = Counter(one.label for one in seen)
        used = [one for one in seen if counts[one.label] >= ENOUGH]
        if len({one.label for one in used}) < 2:
            return None
        told = hashlib.sha256()
        for one in used:
            told.update(one.label.encode() + one.vector)
        version = told.hexdigest()[:8]
        if self._learnt is not None and self._learnt[0] == version:
            return self._learnt
        head = fitted(rows([o.vector for o in used]), [o.label for o in used], decay=DECAY)
        return version, head


def rows(vectors: Sequence[bytes]) -> Floats:
    """Vectors as rows of length 1. Raises ValueError where they are not of one length."""
    found = np.array([np.frombuffer(vector, "<f4") for vector in vectors], np.float64)
    scaled: Floats = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)
    return scaled
