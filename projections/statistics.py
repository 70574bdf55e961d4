"""Percentages as published, intervals and quantiles. Knows no case."""

import math
from collections.abc import Sequence


def percent(part: int, whole: int) -> float | None:
    """To two places, half up, as it is published; None over nothing."""
    return (part * 20_000 + whole) // (2 * whole) / 100 if whole else None


Z = 1.959963984540054
"""The normal quantile of a two-sided 95 %."""


def wilson(part: int, whole: int) -> tuple[float, float] | None:
    """Wilson's score interval at 95 %, in percent to two places; None over nothing.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference (1927).
    """
    if not whole:
        return None
    share, spread = part / whole, Z * Z / whole
    middle = share + spread / 2
    reach = Z * math.sqrt((share * (1 - share) + spread / 4) / whole)
    low, high = (middle - reach) / (1 + spread), (middle + reach) / (1 + spread)
    return round(100 * max(low, 0.0), 2), round(100 * min(high, 1.0), 2)


def quantile(values: Sequence[int], share: float) -> int:
    """The smallest value that at least that share of the sorted `values` does not exceed."""
    return values[max(math.ceil(share * len(values)) - 1, 0)]
