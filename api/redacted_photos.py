"""Redacted pictures as evidence has them, for the monthly issue."""

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
        try:
            return self._redacting.publishable(case_id, upload).name
        except ProblemError as problem:  # no such photo: erased, or of another case
            raise Missing("photos", str(problem)) from None

    def read(self, case_id: UUID, upload: UUID, name: str) -> PublicPicture | None:
        """See PublicPhotos."""
        try:
            file = self._redacting.publishable(case_id, upload)
            if file.name != name:
                return None
            return PublicPicture(self._examining.read(file), file.media_type)
        except (Missing, ProblemError, Erased, BlobMissing, BlobDamaged):
            return None
