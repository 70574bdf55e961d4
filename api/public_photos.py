"""The pictures of typical cases: what evidence must answer before anything is shown.

A picture is fit when somebody has covered it, somebody else has looked, and its reporter agrees.
How that comes about is the affair of evidence; here is only what a monthly issue asks of it.
"""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

import msgspec

from casework.errors import Missing


class PublicPicture(msgspec.Struct, frozen=True):
    """The bytes of a redacted picture, without metadata, and what they are."""

    content: bytes
    media_type: str


class PublicPhotos(Protocol):
    """Redacted pictures by case and upload. Each call may wait for a disk."""

    def publishable(self, case_id: UUID, upload: UUID) -> str:
        """The random name of the picture that may be published of this photo.

        Raises Missing with the reason in Chinese where there is none.
        """
        ...

    def publishable_each(self, case_id: UUID, uploads: Sequence[UUID]) -> Sequence[str | Missing]:
        """The same of several photos of a case at the cost of one: a name, or why there is none."""
        ...

    def read(self, case_id: UUID, upload: UUID, name: str) -> PublicPicture | None:
        """The picture of that name, or None where it is not, or no longer, publishable."""
        ...
