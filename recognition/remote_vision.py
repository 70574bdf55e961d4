"""A site's own vision model, asked what a photo shows. Its answer is a proposal like any other.

The photo is drawn anew before it leaves the house: smaller, and without what the camera wrote into
it. Codes that do not exist are passed over, an answer with none but such
counts as nonsense.
"""

import base64
from collections.abc import Container, Sequence

import msgspec

from recognition.believed import Believed, at_most_one, believed
from recognition.bounded import Bounded
from recognition.model import OUT, Asked, Condition, Kind, Model, Opinion
from recognition.remote import Nonsense, Remote

MOST_PHOTOS = 3
"""Of one report that are sent; they show the same spot."""

WEIGHT = 1.0

_NONE_OF_THEM = 0.5
"""What an empty list says for “out of scope”: the words may still tell what the photo does not."""


class _Message(msgspec.Struct):
    content: str


class _Choice(msgspec.Struct):
    message: _Message


class Completion(msgspec.Struct):
    """Of a chat completion, what is read."""

    choices: list[_Choice]


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
        known = {kind.code for kind in kinds}
        scores, because = self._remote.post(
            "/v1/chat/completions",
            Completion,
            lambda answer: _understood(answer, known),
            json={
                "model": self._model,
                "temperature": 0,
                "max_tokens": 400,
                "messages": [{"role": "user", "content": [_question(kinds), *map(_image, photos)]}],
            },
        )
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


def _understood(answer: Completion, known: Container[str]) -> Believed:
    """Scores and reasons by known code. Raises Nonsense where none is left."""
    if not answer.choices:
        raise Nonsense("没有给出回答")
    content = answer.choices[0].message.content
    start, end = content.find("{"), content.rfind("}")
    try:
        said = msgspec.json.decode(content[start : end + 1], type=_Said)
    except msgspec.MsgspecError as fault:
        raise Nonsense("的回答看不懂") from fault
    if not said.candidates:
        return Believed({OUT: _NONE_OF_THEM}, {})
    scores, because = believed(said.candidates, known, seen="照片上看到")
    if not scores:
        raise Nonsense("没有给出目录中的指标")
    return Believed(at_most_one(scores), because)


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
