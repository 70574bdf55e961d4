"""Whether two reports tell of one problem: place, indicator, time, picture. Pure; a proposal.

The citizen is asked before sending (我也遇到), the reviewer when looking; nobody is merged by a
number alone.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

PROPOSE = 0.6
"""From here on the reviewer is told; and the citizen from `ASK` on, who knows less and is in a
hurry."""
ASK = 0.75
NEAR_M, FAR_M = 15.0, 150.0
"""Within the error of a phone in a street; beyond the length of a house's front twice over."""
SAME_PICTURE_M = 1000.0
"""A picture sent twice is one report even if one of the pins was dropped carelessly."""
_FRESH, _STALE = timedelta(hours=24), timedelta(days=30)
_MOST_ACCURACY_M = 50.0


class Pair(msgspec.Struct, frozen=True):
    """What is known of a report and an earlier one that is still open.

    `accuracy_m` is the worse of both pins' own. Indicators are None while nobody named one;
    `indicator_name` is the common one's, for the reasons. `apart` is the time between them.
    `same_picture` is None where one of the two has no picture examined yet.
    """

    distance_m: float
    apart: timedelta
    accuracy_m: float = 0.0
    indicator: str | None = None
    earlier_indicator: str | None = None
    indicator_name: str = ""
    same_picture: bool | None = None


class Score(msgspec.Struct, frozen=True):
    """0 (nothing to do with each other) to 1 (one and the same), with the reasons for a reader."""

    value: float
    reasons: tuple[str, ...]

    @property
    def proposed(self) -> bool:
        """Whether a reviewer should see it."""
        return self.value >= PROPOSE

    @property
    def worth_asking(self) -> bool:
        """Whether a citizen should be asked before sending."""
        return self.value >= ASK


def score(pair: Pair) -> Score:
    """Place counts half, the indicator three tenths, time two; one picture settles it."""
    if pair.same_picture and pair.distance_m <= SAME_PICTURE_M:
        return Score(0.98, ("照片几乎相同", _where(pair), _when(pair)))
    place = _falling(pair.distance_m - min(pair.accuracy_m, _MOST_ACCURACY_M), NEAR_M, FAR_M)
    if not place:
        return Score(0.0, ())
    kind, named = _kind(pair)
    time = 0.2 + 0.8 * _falling(
        abs(pair.apart).total_seconds(), _FRESH.total_seconds(), _STALE.total_seconds()
    )
    value = 0.5 * place + 0.3 * kind + 0.2 * time
    if kind == 0.0:
        value = min(value, PROPOSE - 0.01)  # two problems may well lie side by side
    reasons = (_where(pair), *named, _when(pair))
    return Score(round(value, 3), reasons)


def _falling(value: float, full: float, none: float) -> float:
    """1 up to `full`, 0 from `none` on, straight between."""
    return min(1.0, max(0.0, (none - value) / (none - full)))


def _kind(pair: Pair) -> tuple[float, tuple[str, ...]]:
    if pair.indicator is None or pair.earlier_indicator is None:
        return 0.5, ()
    if pair.indicator == pair.earlier_indicator:
        return 1.0, (f"同为「{pair.indicator_name or pair.indicator}」",)
    return 0.0, ("问题类别不同",)


def _where(pair: Pair) -> str:
    return "位置基本相同" if pair.distance_m < NEAR_M else f"相距约{pair.distance_m:.0f}米"


def _when(pair: Pair) -> str:
    minutes = int(abs(pair.apart).total_seconds() // 60)
    if minutes < 60:
        return f"相隔{max(minutes, 1)}分钟"
    return f"相隔{minutes // 60}小时" if minutes < 2880 else f"相隔{minutes // 1440}天"
