"""Which sources of opinions this installation has beside the text model, and who transcribes.

Each is loaded on first use, in bounds of its own; a missing one means that a person chooses.
"""

from pathlib import Path

from api.photo_learning import PhotoLearner
from api.settings import Settings
from recognition.extras import Extras, Services
from recognition.lessons import Lessons
from recognition.model import Condition, Expert, Transcriber


class OtherSources:
    """`read` read words, `see` look at photos; both may be empty. `folder` is for what they keep.

    Raises ValueError, in Chinese, for a list of models that cannot be read.
    """

    def __init__(
        self, settings: Settings, folder: Path, lessons: Lessons, photos: PhotoLearner
    ) -> None:
        self._photos = photos
        self._extras = Extras(
            lessons=lessons,
            seen=photos.seen,
            models=settings.recognition_models,
            services=Services(
                vision_url=settings.vision_url,
                vision_model=settings.vision_model,
                speech_url=settings.speech_url,
                speech_model=settings.speech_model,
                key_file=settings.model_key_file,
                seconds=settings.model_seconds,
            ),
            kept=folder,
        )
        self._platform = _platform(settings)
        self.read: tuple[Expert, ...] = (*self._platform, *self._extras.read)
        self.see: tuple[Expert, ...] = self._extras.see
        self.transcriber: Transcriber | None = self._extras.transcriber

    def conditions(self) -> tuple[Condition, ...]:
        """How each is, for /health, without loading anything."""
        return (*(each.condition() for each in self._platform), *self._extras.conditions())

    def keep_up(self) -> int:
        """Follow what was learnt, and look at some photos; how many. Raises Unavailable."""
        self._extras.follow()
        try:
            return self._photos.keep_up(self._extras.eyes)
        finally:
            self._extras.likeness.follow()

    def close(self) -> None:
        """End the processes that it started."""
        self._extras.close()


def _platform(settings: Settings) -> tuple[Expert, ...]:
    """The district's own recognition platform, where one is set."""
    if not settings.recognition_url:
        return ()
    # An HTTP client costs five megabytes and a tenth of a second: only where one is set.
    from recognition.outside import Platform  # noqa: PLC0415  see above
    from recognition.remote import Remote  # noqa: PLC0415  see above

    remote = Remote(
        "智能识别平台",
        settings.recognition_url,
        key_file=settings.recognition_key_file,
        seconds=settings.recognition_seconds,
    )
    return (Platform(remote),)
