"""A site's own vision model, asked what a photo shows. Its answer is a proposal like any other.

The photo is drawn anew before it leaves the house: smaller, and without what the camera wrote into
it. Codes that do not exist are passed over, an answer with none but such
counts as nonsense.
"""

import base64
import math
from collections.abc import Sequence

import msgspec

from recognition.bounded import Bounded
from recognition.model import OUT, Asked, Condition, Kind, Model, Opinion
from recognition.remote import Remote

MOST_PHOTOS = 3
"""Of one report that are sent; they show the same spot."""

MOST = 20
"""Candidates that are read."""

WEIGHT = 1.0

_NONE_OF_THEM = 0.5
"""What an empty list says for “out of scope”: the words may still tell what the photo does not."""

_LONGEST_REASON = 40


class _Message(msgspec.Struct):
    content: str


class _Choice(msgspec.Struct):
    message: _Message


class Completion(msgspec.Struct):
    """Of a chat completion, what is read."""

    choices: list[_Choice]


class _Candidate(msgspec.Struct):
    code: str
    confidence: float
    because: str = ""


class _Said(msgspec.Struct):
    candidates: list[msgspec.Raw]


class RemoteVision:
    """The expert behind `/v1/chat/completions`. `redraw` makes a photo fit to be sent."""

    name = "vision-service"

    def __init__(self, remote: Remote, model: str, redraw: Bounded) -> None:
        self._remote = remote
        self._model = model
        self._redraw = redraw

    def opinion(self, asked: Asked, kinds: Sequence[Kind]) -> Opinion | None:
        """What the model sees in the first photos; None without any. Raises Unavailable."""
        if not asked.photos:
            return None
        photos = [self._redraw.ask(photo) for photo in asked.photos[:MOST_PHOTOS]]
        answer = self._remote.post(
            "/v1/chat/completions",
            Completion,
            json={
                "model": self._model,
                "temperature": 0,
                "max_tokens": 400,
                "messages": [{"role": "user", "content": [_question(kinds), *map(_image, photos)]}],
            },
        )
        if not answer.choices:
            raise self._remote.nonsense("没有给出回答")
        scores, because = self._understood(answer.choices[0].message.content, kinds)
        return Opinion(
            model=Model(self.name, self._model),
            scores=scores,
            because=because,
            weight=WEIGHT,
            quotes=False,
        )

    def condition(self) -> Condition:
        """How the address is, by the last answers."""
        return msgspec.structs.replace(self._remote.condition(), name=self.name)

    def _understood(
        self, content: str, kinds: Sequence[Kind]
    ) -> tuple[dict[str, float], dict[str, tuple[str, ...]]]:
        """Scores and reasons by known code. Raises Unavailable where none is left."""
        start, end = content.find("{"), content.rfind("}")
        try:
            said = msgspec.json.decode(content[start : end + 1], type=_Said)
        except msgspec.MsgspecError as fault:
            raise self._remote.nonsense("的回答看不懂") from fault
        if not said.candidates:
            return {OUT: _NONE_OF_THEM}, {}
        known = {kind.code for kind in kinds}
        scores: dict[str, float] = {}
        because: dict[str, tuple[str, ...]] = {}
        for raw in said.candidates[:MOST]:
            try:
                one = msgspec.json.decode(raw, type=_Candidate)
            except msgspec.MsgspecError:
                continue
            if one.code in known and math.isfinite(one.confidence) and 0 < one.confidence <= 1:
                scores[one.code] = max(one.confidence, scores.get(one.code, 0.0))
                because[one.code] = (f"照片上看到{_plain(one.because)}",) if one.because else ()
        if not scores:
            raise self._remote.nonsense("没有给出目录中的指标")
        return _at_most_one(scores), because


def _at_most_one(scores: dict[str, float]) -> dict[str, float]:
    """Scaled so that they sum to 1 or less."""
    whole = max(1.0, sum(scores.values()))
    return {code: score / whole for code, score in scores.items()}


def _plain(words: str) -> str:
    """Words of a stranger as one short printable line."""
    shown = "".join(c if c.isprintable() else " " for c in words[:200])
    return " ".join(shown.split())[:_LONGEST_REASON]


def _question(kinds: Sequence[Kind]) -> dict[str, str]:
    listed = "\n".join(f"{kind.code} {kind.name}" for kind in kinds)
    return {
        "type": "text",
        "text": (
            "照片由市民拍摄，反映公共环境问题。请从下列指标中选出最可能的至多三项，"
            '只回答 JSON：{"candidates":[{"code":"指标代码","confidence":0到1之间的数,'
            '"because":"看到了什么，20字以内"}]}。都不是则 candidates 为空列表。\n' + listed
        ),
    }


def _image(photo: bytes) -> dict[str, object]:
    content = base64.b64encode(photo).decode()
    return {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{content}"}}
