"""A district's own recognition platform, asked as one more source. Fails soft; ours answers on.

It gets what the reporter wrote, not who they are or where. Codes are held against the catalogue.
"""

from collections.abc import Container, Sequence

import msgspec

from recognition.believed import Candidate, at_most_one, believed, is_share, plain
from recognition.model import OUT, Asked, Condition, Kind, Model, Opinion
from recognition.remote import Nonsense, Remote

NAME = "platform"

WEIGHT = 2.0
"""Beside the text model's 1: whoever sets it up trusts it, but not blindly."""


class _Candidate(Candidate, kw_only=True):
    """The platform's word for the code is `indicator`."""

    code: str = msgspec.field(name="indicator")


class Answer(msgspec.Struct):
    """What is read of an answer: candidates with confidences of 0..1, and the model's version."""

    candidates: list[msgspec.Raw]
    model: str = ""
    out_of_scope: float = 0.0


class Platform:
    """The source behind `recognition_url`. The request and the answer are in docs/operations.md."""

    name = NAME

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def opinion(self, asked: Asked, kinds: Sequence[Kind]) -> Opinion | None:
        """Its candidates that are in the catalogue. Raises Unavailable where none is."""
        text = "。".join(said for said in (asked.text, asked.transcript) if said)
        if not text:
            return None
        known = {kind.code for kind in kinds}
        return self._remote.post(
            "",
            Answer,
            lambda answer: _understood(answer, known),
            json={
                "text": text,
                "place_kind": asked.place_kind,
                "indicators": [{"code": kind.code, "name": kind.name} for kind in kinds],
            },
        )

    def condition(self) -> Condition:
        """How it fared last."""
        return msgspec.structs.replace(self._remote.condition(), name=NAME)


def _understood(answer: Answer, known: Container[str]) -> Opinion:
    """What it says of known codes. Raises Nonsense where that is nothing."""
    scores, because = believed(answer.candidates, known, shape=_Candidate)
    if is_share(answer.out_of_scope):
        scores[OUT] = answer.out_of_scope
    if not scores:
        raise Nonsense("没有给出目录中的指标")
    return Opinion(
        model=Model(NAME, plain(answer.model) or "?"),
        scores=at_most_one(scores),
        because=because,
        weight=WEIGHT,
    )
