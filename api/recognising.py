"""Asks all sources what a report may be about, and pools their answers. Decides and keeps nothing.

The text model answers at once; the others answer in threads of their own, side by side, and
whatever of them fails leaves a note in Chinese.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import msgspec

from api.learning import Learner
from api.recognition_sources import OtherSources
from recognition.model import (
    Asked,
    Condition,
    Door,
    Expert,
    Kind,
    Model,
    Opinion,
    Recognised,
    Unavailable,
)
from recognition.recogniser import pooled
from recognition.text_model import Thresholds

THREADS = 4
"""Sources asked at once; each is bounded in itself."""

NO_EYES = "照片不能自动识别，请写几句话或自己选择类别。"
NO_EARS = "录音不能自动转成文字；录音本身就是有效的描述，请自己选择类别或写几句话。"
NO_VOICE = "录音里没有听到说话，请重新录一段或写几句话。"
PREPARING = "类别推荐暂时不可用，请自己选择类别。"


class Recording(NamedTuple):
    """A recording as it was taken in."""

    content: bytes
    media_type: str


class Recognising:
    """The one way to ask. Safe to share; `close` ends what it started."""

    def __init__(self, learner: Learner, sources: OtherSources) -> None:
        self.learner = learner
        self._sources = sources
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="recognition")

    async def answer(
        self,
        asked: Asked,
        recording: Recording | None,
        hints_in: Callable[[str], Sequence[str]],
    ) -> Recognised:
        """The proposals for what was sent. Never fails: what cannot be looked at is told.

        `hints_in` names the matters elsewhere whose words the catalogue finds in a text.
        """
        notes: list[str] = []
        heard: Model | None = None
        if recording is not None:
            heard, transcript = await self._heard(recording, notes)
            asked = msgspec.structs.replace(asked, transcript=transcript or asked.transcript)
        if asked.photos and not self._sources.see:
            notes.append(NO_EYES)
        known = self.learner.known()
        opinions, thresholds = await self._opinions(asked, known.kinds, notes)
        doors: dict[str, Door] = {door.name: door for door in known.all_doors}
        answer = pooled(
            opinions,
            known.kinds,
            doors=doors,
            hints=hints_in(said_in(asked)),
            thresholds=thresholds,
            notes=tuple(dict.fromkeys(notes)),
        )
        models = answer.models if heard is None else (*answer.models, heard)
        return msgspec.structs.replace(answer, transcript=asked.transcript, models=models)

    def conditions(self) -> tuple[Condition, ...]:
        """How every source is, for /health, without loading any."""
        trained = self.learner.trained
        state = "idle" if trained is None else "ready"
        return (Condition(name="text", state=state), *self._sources.conditions())

    def look_back(self) -> int:
        """Look at some photos of earlier cases; how many. Raises Unavailable."""
        return self._sources.keep_up()

    def close(self) -> None:
        self._sources.close()
        self.learner.close()
        self._threads.shutdown(cancel_futures=True)

    async def _heard(
        self, recording: Recording, notes: list[str]
    ) -> tuple[Model | None, str | None]:
        transcriber = self._sources.transcriber
        if transcriber is None:
            notes.append(NO_EARS)
            return None, None
        try:
            said = await asyncio.get_running_loop().run_in_executor(
                self._threads, transcriber.transcribe, recording.content, recording.media_type
            )
        except Unavailable as why:
            notes += [str(why), NO_EARS]
            return None, None
        if not said.text:
            notes.append(NO_VOICE)
        return said.model, said.text or None

    async def _opinions(
        self, asked: Asked, kinds: Sequence[Kind], notes: list[str]
    ) -> tuple[list[Opinion], Thresholds]:
        loop = asyncio.get_running_loop()
        others = [
            loop.run_in_executor(self._threads, _ask, expert, asked, kinds)
            for expert in (*self._sources.read, *self._sources.see)
        ]
        opinions: list[Opinion | str | None] = []
        thresholds = Thresholds()
        try:
            model = self.learner.ready()
            if model is None:
                model = await asyncio.to_thread(self.learner.model)
            thresholds = model.fitted.thresholds
            opinions.append(model.opinion(asked, kinds))
        except Unavailable:
            notes.append(PREPARING)
        opinions += await asyncio.gather(*others)
        notes += [said for said in opinions if isinstance(said, str)]
        return [said for said in opinions if isinstance(said, Opinion)], thresholds


def said_in(asked: Asked) -> str:
    """All that was written and said."""
    return "。".join(said for said in (asked.text, asked.transcript) if said)


def _ask(expert: Expert, asked: Asked, kinds: Sequence[Kind]) -> Opinion | str | None:
    """What it says, or why it cannot."""
    try:
        return expert.opinion(asked, kinds)
    except Unavailable as why:
        return str(why)
