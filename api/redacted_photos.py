"""Redacted pictures as evidence has them, for the monthly issue."""

from collections.abc import Sequence
from uuid import UUID

from api.examining import Examining
from api.problems import ProblemError
from api.public_photos import PublicPicture
from api.redacting import Redacting
from casework.errors import Erased, Missing
from evidence.errors import BlobDamaged, BlobMissing


class RedactedPhotos:
    """See PublicPhotos: what `Redacting` calls publishable, read by `Examining`."""

    def __init__(self, redacting: Redacting, examining: Examining) -> None:
        self._redacting = redacting
        self._examining = examining

    def publishable(self, case_id: UUID, upload: UUID) -> str:
        """See PublicPhotos."""
        (found,) = self.publishable_each(case_id, (upload,))
        if isinstance(found, Missing):
            raise found
        return found

    def publishable_each(self, case_id: UUID, uploads: Sequence[UUID]) -> Sequence[str | Missing]:
        """See PublicPhotos."""
        each = self._redacting.publishable_each(case_id, uploads)
        return [found if isinstance(found, Missing) else found.name for found in each]

    def read(self, case_id: UUID, upload: UUID, name: str) -> PublicPicture | None:
        """See PublicPhotos."""
        try:
            file = self._redacting.publishable(case_id, upload)
            if file.name != name:
                return None
            return PublicPicture(self._examining.read(file), file.media_type)
        except (Missing, ProblemError, Erased, BlobMissing, BlobDamaged):
            return None
