"""Misheard words sound like the right ones: a transcript is judged by its syllables as well.

The expert trains inside its worker, where the dictionaries of sounds are (58 MB); here is only what
is asked and answered. Part of the extra `[speech]`; needed for a site's own speech service too.
"""

from collections.abc import Sequence

import msgspec

from recognition.bounded import Bounded
from recognition.lessons import Lessons, lesson_key, version_of
from recognition.model import OUT, Asked, Condition, Kind, Model, Opinion

MISSING = "未安装扩展 speech（pip install 'haidian-casework[speech]'），不能按读音归类"

NEEDED = ("pypinyin",)

WEIGHT = 2.0
"""Beside the text model's 1, which reads the misheard characters: measured in ADR 0107."""


class Lesson(msgspec.Struct, frozen=True, tag=True):
    """Examples to learn from: texts and labels. Answered with nothing."""

    key: str
    examples: tuple[tuple[str, str], ...]


class Told(msgspec.Struct, frozen=True, tag=True):
    """A transcript to judge by the lesson of that key. Answered with `Judged`."""

    key: str
    text: str


class Judged(msgspec.Struct, frozen=True):
    """Chances by label; None where the engine does not have that lesson (any more)."""

    scores: dict[str, float] | None


class Sounds:
    """The expert for transcripts."""

    name = "sounds"

    def __init__(self, engine: Bounded, lessons: Lessons) -> None:
        self._engine = engine
        self._lessons = lessons
        self._version = ""
        self._taught: tuple[str, tuple[Kind, ...]] | None = None

    def opinion(self, asked: Asked, kinds: Sequence[Kind]) -> Opinion | None:
        """What the transcript sounds like; None without one. Raises Unavailable."""
        if not (asked.transcript or "").strip():
            return None
        key = lesson_key(self._lessons, kinds)
        told = msgspec.msgpack.encode(Told(key, asked.transcript or ""))
        judged = self._judged(told)
        if judged.scores is None:
            examples = self._lessons.newest(kinds)
            self._version = version_of(examples)
            self._taught = key, tuple(kinds)
            lesson = Lesson(key, tuple((e.text, e.label) for e in examples))
            self._engine.ask(msgspec.msgpack.encode(lesson))
            judged = self._judged(told)
        known = {kind.code for kind in kinds} | {OUT}
        return Opinion(
            model=Model(self.name, self._version),
            scores={label: s for label, s in (judged.scores or {}).items() if label in known},
            weight=WEIGHT,
        )

    def follow(self) -> None:
        """Forget what was learnt where that has changed: a text may be erased."""
        taught = self._taught
        if taught is not None and taught[0] != lesson_key(self._lessons, taught[1]):
            self._taught = None
            self._engine.close()

    def condition(self) -> Condition:
        """How it is, without loading anything."""
        return self._engine.condition()

    def close(self) -> None:
        self._engine.close()

    def _judged(self, told: bytes) -> Judged:
        return msgspec.msgpack.decode(self._engine.ask(told), type=Judged)
