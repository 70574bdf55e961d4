"""A district's own recognition platform, asked as one more source. Fails soft; ours answers on.

It gets what the reporter wrote, not who they are or where. Codes are held against the catalogue.
"""

import math
from collections.abc import Sequence

import msgspec

from recognition.model import OUT, Asked, Condition, Kind, Model, Opinion
from recognition.remote import Remote

NAME = "platform"

WEIGHT = 2.0
"""Beside the text model's 1: whoever sets it up trusts it, but not blindly."""

MOST = 20
"""Candidates that are read."""

LONGEST_REASON = 40


class _Candidate(msgspec.Struct):
    indicator: str
    confidence: float
    because: str = ""


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
        answer = self._remote.post(
            "",
            Answer,
            json={
                "text": text,
                "place_kind": asked.place_kind,
                "indicators": [{"code": kind.code, "name": kind.name} for kind in kinds],
            },
        )
        known = {kind.code for kind in kinds}
        scores: dict[str, float] = {}
        because: dict[str, tuple[str, ...]] = {}
        for raw in answer.candidates[:MOST]:
            try:
                each = msgspec.json.decode(raw, type=_Candidate)
            except msgspec.MsgspecError:
                continue
            if each.indicator in known and _is_share(each.confidence):
                scores[each.indicator] = max(each.confidence, scores.get(each.indicator, 0.0))
                reason = _plain(each.because)
                because[each.indicator] = (reason,) if reason else ()
        if _is_share(answer.out_of_scope):
            scores[OUT] = answer.out_of_scope
        if not scores:
            raise self._remote.nonsense("没有给出目录中的指标")
        whole = max(1.0, sum(scores.values()))
        return Opinion(
            model=Model(NAME, _plain(answer.model) or "?"),
            scores={code: score / whole for code, score in scores.items()},
            because=because,
            weight=WEIGHT,
        )

    def condition(self) -> Condition:
        """How it fared last."""
        return msgspec.structs.replace(self._remote.condition(), name=NAME)


def _is_share(number: float) -> bool:
    return math.isfinite(number) and 0 < number <= 1


def _plain(words: str) -> str:
    """A stranger's words as one short printable line."""
    shown = "".join(c if c.isprintable() else " " for c in words[:200])
    return " ".join(shown.split())[:LONGEST_REASON]
