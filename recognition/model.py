"""The nouns of recognition, and the one interface that every source of an opinion is behind.

A source (`Expert`) looks at what was sent and says how likely each kind of problem is; the
recogniser pools what they say into ranked proposals. A proposal is shown to a person, who decides.
Holds no model, reads no file and no clock. Codes are those of the indicator catalogue.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

OUT = "out_of_scope"
"""The label that stands beside the codes: none of the indicators."""


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of problem to be told from the others: what the catalogue says about an indicator.

    `place_kinds` are where it is usual: a prior, never a bar.
    """

    code: str
    name: str
    keywords: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    place_kinds: tuple[str, ...] = ()


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """A matter that is no indicator's: its name, whom to turn to (in Chinese), and the number."""

    name: str
    door: str
    number: str = ""


class Model(msgspec.Struct, frozen=True):
    """Which model spoke. `version` tells two trainings or releases apart (hexadecimal or text)."""

    name: str
    version: str


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What one wants to know the kind of. At least one of text, transcript and photos.

    `transcript` is what was heard in a recording, and may be misheard. `photos` are whole files as
    they were taken in (JPEG, PNG, WebP, HEIC); whoever decodes them guards itself.
    """

    text: str | None = None
    transcript: str | None = None
    photos: tuple[bytes, ...] = ()
    place_kind: str | None = None


class Opinion(msgspec.Struct, frozen=True, kw_only=True):
    """What one source says: a probability for each code, and for `OUT` if it can tell.

    `scores` are ≥ 0 and sum to 1 or less; what they leave is for the labels that are missing, all
    alike: a source that could not consider some leaves them their share. `because` holds by code
    what spoke for it, each a few words in Chinese (“盲道”, 广告上的号码). `door` names the class of
    matters the source holds it for where `OUT` leads. `weight` is how much it counts beside the
    others; the text model's is 1. `quotes` is whether `because` are words of what was sent, which
    are shown in quotation marks, or whole phrases of the source's own.
    """

    model: Model
    scores: Mapping[str, float]
    because: Mapping[str, tuple[str, ...]] = {}
    door: str | None = None
    weight: float = 1.0
    quotes: bool = True


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """How a source is, for /health: `ready`, `idle` (loads on first use), `absent`, `failing`."""

    name: str
    state: str
    note: str = ""
    """In Chinese, for an operator: what is missing, or what went wrong last."""


class Unavailable(Exception):  # noqa: N818  names the finding
    """The source cannot answer now: not installed, timed out, nonsense. The sentence is Chinese.

    Not a fault of who asks: the others answer without it.
    """


class Expert(Protocol):
    """A source of opinions. Loads on first use, in bounds of its own; may be asked by threads."""

    @property
    def name(self) -> str: ...

    def opinion(self, asked: Asked, kinds: Sequence[Kind]) -> Opinion | None:
        """Say what it looks like; None where there is nothing in it for this source.

        `kinds` is the catalogue in force: no other code may be scored. Raises Unavailable.
        """
        ...

    def condition(self) -> Condition:
        """How it is, without loading anything."""
        ...


class Transcript(msgspec.Struct, frozen=True, kw_only=True):
    """What was heard: a proposal for the reporter to correct. Empty where nobody spoke."""

    text: str
    model: Model


class Transcriber(Protocol):
    """Turns a recording into words."""

    @property
    def name(self) -> str: ...

    def transcribe(self, recording: bytes, media_type: str) -> Transcript:
        """Say what was heard. Raises Unavailable; silence is an empty text and no error."""
        ...

    def condition(self) -> Condition: ...


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """An indicator that it may be: probability in 0..1, and what spoke for it, in Chinese."""

    indicator: str
    name: str
    confidence: float
    because: tuple[str, ...] = ()


class OutOfScope(msgspec.Struct, frozen=True, kw_only=True):
    """It looks like none of the indicators. `flagged` where that is sure enough to say so.

    A warning with the right door; nobody is refused for it.
    """

    flagged: bool
    confidence: float
    door: Door | None = None
    because: tuple[str, ...] = ()


class Recognised(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: the best three, most likely first, always offered with 以上都不是.

    `preselected` is the first's code where it is surer than the measured threshold, and nothing is
    ever submitted by itself. `models` are those that spoke; `notes` say in Chinese what could not
    be looked at.
    """

    proposals: tuple[Proposal, ...]
    out_of_scope: OutOfScope
    preselected: str | None
    models: tuple[Model, ...]
    transcript: str | None = None
    notes: tuple[str, ...] = ()
