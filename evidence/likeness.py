"""What a picture looks like, in few bytes, and whether two are the same picture again.

Imports no picture library: the worker computes (evidence/picture_hashes.py), everybody compares.
"""

from __future__ import annotations

import msgspec


class Likeness(msgspec.Struct, frozen=True, array_like=True):
    """`phash` and `dhash` are 64 bits each, unsigned. `parts` tells of parts of the picture, so
    that a cropped copy is found: opaque bytes, compared by `same_picture`.
    """

    phash: int
    dhash: int
    parts: bytes
