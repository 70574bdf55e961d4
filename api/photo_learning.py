"""What photos of registered cases look like, as vectors, for the likeness that recognition learns.

Vectors are kept in memory alone: they come from persons' photos, and go when a photo's key does.
A few photos are looked at a round, beside the work.
"""

from collections.abc import Callable, Sequence
from uuid import UUID

from casework.model import Photo
from recognition.model import Unavailable
from recognition.vision import Eyes, Seen

EACH = 40
"""Newest cases of an indicator whose photos are looked at: half a thousand in all."""

A_ROUND = 10
"""Photos a round, a second each on one core."""

_PHOTOS_OF_A_CASE = 2


class PhotoLearner:
    """The vectors, and how they are come by.

    `registered` gives cases with their indicator, `photos` those of a case's report (none for a
    demonstration), `content` a file, or None once its key was destroyed; `alive` tells the same
    without opening it.
    """

    def __init__(
        self,
        registered: Callable[[int], Sequence[tuple[UUID, str]]],
        photos: Callable[[UUID], Sequence[Photo]],
        content: Callable[[Photo], bytes | None],
        alive: Callable[[Photo], bool],
    ) -> None:
        self._registered = registered
        self._photos = photos
        self._content = content
        self._alive = alive
        self._cases: dict[UUID, tuple[Photo, ...]] = {}
        self._vectors: dict[UUID, bytes] = {}
        """By upload; empty for one that could not be looked at."""
        self._seen: tuple[Seen, ...] = ()

    def seen(self) -> tuple[Seen, ...]:
        """What is known now; the same tuple for as long as nothing changes."""
        return self._seen

    def keep_up(self, eyes: Eyes) -> int:
        """Look at some photos more, and forget those that are gone; how many were looked at.

        Raises Unavailable where nothing can look now.
        """
        if eyes.condition("").state == "absent":
            return 0
        wanted = self._registered(EACH)
        self._cases = {
            case_id: self._cases[case_id] if case_id in self._cases else self._of(case_id)
            for case_id, _ in wanted
        }
        photos = {
            photo.upload: (photo, indicator)
            for case_id, indicator in wanted
            for photo in self._cases[case_id]
            if self._alive(photo)
        }
        self._vectors = {u: vector for u, vector in self._vectors.items() if u in photos}
        missing = [photo for upload, (photo, _) in photos.items() if upload not in self._vectors]
        try:
            for photo in missing[:A_ROUND]:
                self._vectors[photo.upload] = self._vector(photo, eyes)
        finally:
            seen = tuple(
                Seen(self._vectors[upload], indicator)
                for upload, (_, indicator) in photos.items()
                if self._vectors.get(upload)
            )
            if seen != self._seen:
                self._seen = seen
        return len(missing[:A_ROUND])

    def _of(self, case_id: UUID) -> tuple[Photo, ...]:
        images = (p for p in self._photos(case_id) if p.media_type.startswith("image/"))
        return tuple(images)[:_PHOTOS_OF_A_CASE]

    def _vector(self, photo: Photo, eyes: Eyes) -> bytes:
        content = self._content(photo)
        if content is None:
            return b""
        try:
            return eyes.look(content).vector
        except Unavailable:
            if eyes.condition("").state == "failing":
                raise  # the process, not the photo
            return b""
