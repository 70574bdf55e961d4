"""What the extras learn from: the same examples as the text model. Knows no model."""

import hashlib
from collections.abc import Callable, Sequence

import msgspec

from recognition.model import Kind

MOST_LEARNT = 2_000
"""The newest texts of cases that an extra learns from: a minute of embedding at 30 ms each."""


class Example(msgspec.Struct, frozen=True):
    """A text and its code, or OUT. `written` by us: it may be kept in a file, and be shown."""

    text: str
    label: str
    written: bool = True


class Lessons(msgspec.Struct, frozen=True):
    """`state` is cheap to ask and changes whenever `examples` would, an erasure above all."""

    state: Callable[[], str]
    examples: Callable[[Sequence[Kind]], Sequence[Example]]
    """All examples of these kinds, the written ones and then the learnt ones in order of time."""

    def newest(self, kinds: Sequence[Kind]) -> list[Example]:
        """The written ones and the newest learnt ones."""
        found = self.examples(kinds)
        learnt = [one for one in found if not one.written]
        return [*(one for one in found if one.written), *learnt[-MOST_LEARNT:]]


def lesson_key(lessons: Lessons, kinds: Sequence[Kind]) -> str:
    """Tells whether there is something new to learn."""
    known = msgspec.msgpack.encode((lessons.state(), tuple(kinds)))
    return hashlib.sha256(known).hexdigest()


def version_of(examples: Sequence[Example]) -> str:
    """Eight hexadecimal digits that tell two sets of examples apart."""
    found = hashlib.sha256()
    for example in examples:
        found.update(f"{example.label}\t{example.text}\n".encode())
    return found.hexdigest()[:8]
