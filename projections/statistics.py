"""Percentages as published, intervals and quantiles. Knows no case."""

import math
from collections.abc import Sequence


def percent(part: int, whole: int) -> float | None:
    """To two places, half up, as it is published; None over nothing."""
    return (part * 20_000 + whole) // (2 * whole) / 100 if whole else None


Z = 1.959963984540054
"""The normal quantile of a two-sided 95 %."""


def share_interval(part: int, whole: int) -> tuple[float, float]:
    """Wilson's score interval of a share in 0..1 at 95 %; (0, 1) where there is nothing to count.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference (1927).
    """
    if not whole:
        return 0.0, 1.0
    share, spread = part / whole, Z * Z / whole
    middle = share + spread / 2
    reach = Z * math.sqrt((share * (1 - share) + spread / 4) / whole)
    low, high = (middle - reach) / (1 + spread), (middle + reach) / (1 + spread)
    return max(low, 0.0), min(high, 1.0)


def wilson(part: int, whole: int) -> tuple[float, float] | None:
    """The same in percent to two places, as it is published; None over nothing."""
    if not whole:
        return None
    low, high = share_interval(part, whole)
    return round(100 * low, 2), round(100 * high, 2)


def quantile(values: Sequence[int], share: float) -> int:
    """The smallest value that at least that share of the sorted `values` does not exceed."""
    return values[max(math.ceil(share * len(values)) - 1, 0)]
