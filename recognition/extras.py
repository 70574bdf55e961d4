"""The extras put together: which experts and transcribers there are, by what an operator set.

Each is lazy: nothing of a model is loaded, and no process started, before the first question. Knows
the files' names and the bounds; how to ask is each expert's own.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from recognition import semantic, sounds, speech, vision, weights
from recognition.bounded import Bounded, Bounds, Task
from recognition.lessons import Lessons
from recognition.model import Condition, Expert, Transcriber
from recognition.semantic import Semantic
from recognition.sounds import Sounds
from recognition.speech import FirstThatCan, Whisper
from recognition.vision import AdReader, Eyes, Likeness, Seen, Settings
from recognition.weights import Weight

SEMANTIC = Bounds(memory_mb=1024, seconds=5)
SOUNDS = Bounds(memory_mb=1024, seconds=15)
VISION = Bounds(memory_mb=3072, seconds=20)
SPEECH = Bounds(memory_mb=3072, seconds=90, waiting=3)
PICTURE = Bounds(memory_mb=1024, seconds=10)
"""Address space is two to three times what is used: measured in ADR 0105."""

SENT_SIDE = 1280
"""Longest side of a photo that is sent to a site's own model."""

FILES: Mapping[str, Weight] = {
    "e5": weights.E5_WEIGHT,
    "ocr/detection": weights.OCR_DETECTION,
    "ocr/direction": weights.OCR_DIRECTION,
    "ocr/reading": weights.OCR_READING,
    "lite1": weights.LITE1_WEIGHT,
    "voice": weights.SPEECH_PRESENT,
}
"""The packaged files by the names that a list of models may give others for."""

WHISPER_FILES: Mapping[str, tuple[Weight, ...]] = {
    "model.bin": weights.WHISPER_PARTS,
    **{Path(weight.path).name: (weight,) for weight in weights.WHISPER_WORDS},
}
"""The same for `whisper/…`: the form that CTranslate2 reads."""


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """A site's own services; an empty address means none. `key_file` holds a bearer token."""

    vision_url: str = ""
    vision_model: str = "default"
    speech_url: str = ""
    speech_model: str = "whisper-1"
    key_file: Path | None = None
    seconds: float = 20.0


class Extras:
    """All experts beside the text model, and the transcriber. Close it to end the processes.

    `read` read words, `see` look at photos, `transcriber` is None where recordings stay as they
    are: only what is installed or set. The absent ones are told of by `conditions` alone.
    """

    def __init__(
        self,
        *,
        lessons: Lessons,
        seen: Callable[[], Sequence[Seen]] = tuple,
        models: Path | None = None,
        services: Services = Services(),  # noqa: B008  frozen
        kept: Path | None = None,
        patience: float = 1.0,
    ) -> None:
        """`models` is a list of files (see `listed`), `kept` a folder for derived vectors.

        `patience` times the bounds in time, for a machine that has other things to do.

        Raises ValueError, in Chinese, for a list that cannot be read.
        """
        files, whisper = listed(models)

        def worker(
            engine: str, bounds: Bounds, settings: object, needs: Sequence[str], missing: str = ""
        ) -> Bounded:
            longer = msgspec.structs.replace(bounds, seconds=bounds.seconds * patience)
            task = Task(engine, msgspec.msgpack.encode(settings))
            return Bounded(engine, task, longer, needs, missing)

        meaning = worker("semantic", SEMANTIC, files["e5"], semantic.NEEDED, semantic.MISSING)
        self.semantic = Semantic(meaning, files["e5"], lessons, kept)
        self.sounds = Sounds(worker("sounds", SOUNDS, None, sounds.NEEDED, sounds.MISSING), lessons)
        seeing = Settings(
            files["ocr/detection"], files["ocr/direction"], files["ocr/reading"], files["lite1"]
        )
        self.eyes = Eyes(worker("vision", VISION, seeing, vision.NEEDED, vision.MISSING))
        hearing = {"model": whisper, "voice": files["voice"]}
        self._whisper = Whisper(
            worker("speech", SPEECH, hearing, speech.NEEDED, speech.MISSING),
            whisper["model.bin"][0].sha256[:8],
        )
        self._picture = worker("picture", PICTURE, SENT_SIDE, ())
        ads, self.likeness = AdReader(self.eyes), Likeness(self.eyes, seen)
        outside = _vision_service(services, self._picture)
        ears: tuple[Transcriber, ...] = (*_speech_service(services), self._whisper)
        first = FirstThatCan(ears)
        self.read: tuple[Expert, ...] = _there(self.semantic, self.sounds)
        self.see: tuple[Expert, ...] = (*_there(ads, self.likeness), *outside)
        self.transcriber: Transcriber | None = (
            None if first.condition().state == "absent" else first
        )
        self._all: tuple[Expert | Transcriber, ...] = (
            self.semantic,
            self.sounds,
            ads,
            self.likeness,
            *outside,
            *ears,
        )

    def conditions(self) -> tuple[Condition, ...]:
        """How each is, the absent ones too, without loading anything."""
        return tuple(each.condition() for each in self._all)

    def follow(self) -> None:
        """Forget or learn anew where what was learnt from has changed. Waits for nothing."""
        self.semantic.follow()
        self.sounds.follow()

    def close(self) -> None:
        """End the processes; the next question would start them again."""
        for each in (self.semantic, self.sounds, self.eyes, self._whisper, self._picture):
            each.close()


def _there(*experts: Expert) -> tuple[Expert, ...]:
    return tuple(each for each in experts if each.condition().state != "absent")


def _vision_service(services: Services, picture: Bounded) -> tuple[Expert, ...]:
    if not services.vision_url:
        return ()
    # An HTTP client costs five megabytes and a tenth of a second: only where one is set.
    from recognition.remote import Remote  # noqa: PLC0415  see above
    from recognition.remote_vision import RemoteVision  # noqa: PLC0415  see above

    remote = Remote(
        "视觉识别服务", services.vision_url, key_file=services.key_file, seconds=services.seconds
    )
    return (RemoteVision(remote, services.vision_model, picture),)


def _speech_service(services: Services) -> tuple[Transcriber, ...]:
    if not services.speech_url:
        return ()
    from recognition.remote import Remote  # noqa: PLC0415  see above
    from recognition.remote_speech import RemoteSpeech  # noqa: PLC0415  see above

    remote = Remote(
        "语音识别服务", services.speech_url, key_file=services.key_file, seconds=services.seconds
    )
    return (RemoteSpeech(remote, services.speech_model),)


def listed(models: Path | None) -> tuple[dict[str, Weight], dict[str, tuple[Weight, ...]]]:
    """The files to use: the packaged ones, but for those a TOML file gives another path for.

    Each entry is `["name"]` with `path` and `sha256`, the names those of FILES and
    `whisper/` + WHISPER_FILES. Paths are relative to the list. Raises ValueError, in Chinese.
    """
    files, whisper = dict(FILES), dict(WHISPER_FILES)
    if models is None:
        return files, whisper
    try:
        given = msgspec.toml.decode(models.read_bytes(), type=dict[str, Weight], strict=True)
    except OSError as fault:
        raise ValueError(f"模型清单 {models} 无法读取") from fault
    except msgspec.MsgspecError as fault:
        raise ValueError(f"模型清单 {models} 格式有误: {fault}") from fault
    for name, weight in given.items():
        if len(weight.sha256) != 64 or weight.sha256.strip("0123456789abcdef"):
            raise ValueError(f"模型清单中 {name} 的 sha256 不是64位小写十六进制")
        here = msgspec.structs.replace(weight, path=str(models.parent / weight.path))
        part = name.removeprefix("whisper/")
        if name in files:
            files[name] = here
        elif name.startswith("whisper/") and part in whisper:
            whisper[part] = (here,)
        else:
            raise ValueError(f"模型清单中没有 {name} 这一项可设")
    return files, whisper
