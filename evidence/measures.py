"""How bright and how sharp a picture is. Numbers only; what they mean is said in provenance.py."""

import numpy as np
from numpy.typing import NDArray

from evidence.examining import Measures

SIDE = 480
"""Longest side in pixels of the grey picture measured: at full size grain would count as edges."""


def measures_of(grey: NDArray[np.uint8]) -> Measures:
    """Of luma, 0 to 255, longest side ≤ SIDE.

    Sharpness is the 99th percentile of the strength of the Laplacian against its neighbours,
    relative to the spread of luma: a night photo with few, but sharp, edges is sharp.
    """
    luma = grey.astype(np.float32)
    middle = luma[1:-1, 1:-1]
    edges = np.abs(4 * middle - luma[:-2, 1:-1] - luma[2:, 1:-1] - luma[1:-1, :-2] - luma[1:-1, 2:])
    low, high = np.percentile(luma, (2, 98))
    strongest = float(np.percentile(edges, 99)) if edges.size else 0.0
    return Measures(
        brightness=round(float(luma.mean()), 2),
        highlights=round(float(np.percentile(luma, 95)), 2),
        sharpness=round(strongest / max(float(high - low), 16.0), 4),
    )
