"""What speaks against a photo of a rectification. Pure functions of facts; they advise, no more.

A finding is never a proof: clocks are wrong, places are coarse, and a street photographed twice
from one spot can look like one picture. So each has a severity, and a person decides. What is
missing is no finding: mini-programs take the metadata off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from math import asin, cos, radians, sin, sqrt

import msgspec

from evidence.examining import Facts, Measures
from evidence.likeness import Likeness, same_picture

FAR_M = 200.0
CLOCK_TOLERANCE = timedelta(minutes=5)
"""A phone's clock may be wrong by so much; satellites' time may not."""
DARK, DARK_HIGHLIGHTS = 30.0, 90.0
"""Mean and 95th percentile of luma, both below: black but for a lamp. A street at night under
lamps has brighter parts. Measured in ADR 0092."""
BLURRED = 0.08
"""Sharpness (evidence/measures.py) below which no edge of a scene is left. Measured in ADR 0092."""
_EARTH_M = 6_371_008.8


class Severity(StrEnum):
    """How much a finding should weigh with whoever looks."""

    NOTE = "note"
    DOUBT = "doubt"
    GRAVE = "grave"


class Code(StrEnum):
    """Stable names of findings."""

    SAME_FILE = "same_file"
    SAME_PICTURE = "same_picture"
    BEFORE_DISPATCH = "before_dispatch"
    FAR_AWAY = "far_away"
    FROM_ALBUM = "from_album"
    TOO_DARK = "too_dark"
    BLURRED = "blurred"


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """`earlier` is the key of the picture it repeats; `value` metres, minutes or the measure."""

    code: Code
    severity: Severity
    sentence: str
    earlier: str | None = None
    value: float | None = None


class Picture(msgspec.Struct, frozen=True):
    """What an examination told of the photo, and whether the phone said camera or album."""

    content: str
    pixels: str
    likeness: Likeness
    measures: Measures
    facts: Facts
    source: str = "unknown"


class Earlier(msgspec.Struct, frozen=True):
    """A picture that was there before. `words` names it to the reader: 本案上报照片."""

    key: str
    words: str
    content: str
    pixels: str
    likeness: Likeness


class Position(msgspec.Struct, frozen=True):
    """Degrees."""

    longitude: float
    latitude: float


class Circumstances(msgspec.Struct, frozen=True):
    """When the 街镇 got the case, and where the place is.

    `places` may hold the one place in each reference system a camera may have written; the
    nearest counts. Without any, distance is not judged.
    """

    dispatched_at: datetime | None = None
    places: tuple[Position, ...] = ()


def findings(
    picture: Picture, circumstances: Circumstances, earlier: Iterable[Earlier] = ()
) -> tuple[Finding, ...]:
    """All that speaks against the photo, the gravest first."""
    found = [
        *_repeats(picture, earlier),
        *_too_early(picture.facts, circumstances.dispatched_at),
        *_too_far(picture.facts, circumstances.places),
        *_from_album(picture.source),
        *_hard_to_see(picture.measures),
    ]
    order = list(reversed(Severity))
    return tuple(sorted(found, key=lambda one: order.index(one.severity)))


def metres(one: Position, other: Position) -> float:
    """Along the great circle, on a sphere: within 0.3 % in Beijing."""
    up = radians(other.latitude - one.latitude) / 2
    right = radians(other.longitude - one.longitude) / 2
    chord = (
        sin(up) ** 2 + cos(radians(one.latitude)) * cos(radians(other.latitude)) * sin(right) ** 2
    )
    return 2 * _EARTH_M * asin(sqrt(min(1.0, chord)))


def _repeats(picture: Picture, earlier: Iterable[Earlier]) -> Iterator[Finding]:
    for one in earlier:
        if picture.content == one.content or picture.pixels == one.pixels:
            yield Finding(Code.SAME_FILE, Severity.GRAVE, f"与{one.words}是同一张照片。", one.key)
        elif same_picture(picture.likeness, one.likeness):
            words = f"与{one.words}几乎相同，可能是翻拍、裁剪或加水印后的旧照片。"
            yield Finding(Code.SAME_PICTURE, Severity.GRAVE, words, one.key)


def _too_early(facts: Facts, dispatched_at: datetime | None) -> Iterator[Finding]:
    taken = facts.gps_at or facts.taken_at
    if taken is None or dispatched_at is None:
        return
    tolerance = timedelta(0) if facts.gps_at else CLOCK_TOLERANCE
    early = dispatched_at - taken
    if early > tolerance:
        yield Finding(
            Code.BEFORE_DISPATCH,
            Severity.GRAVE,
            f"照片拍摄于派遣之前（早{_span(early)}）。",
            value=round(early.total_seconds() / 60, 1),
        )


def _span(time: timedelta) -> str:
    minutes = int(time.total_seconds() // 60)
    if minutes >= 2 * 24 * 60:
        return f"{minutes // (24 * 60)}天"
    return f"{minutes // 60}小时" if minutes >= 120 else f"{max(minutes, 1)}分钟"


def _too_far(facts: Facts, places: tuple[Position, ...]) -> Iterator[Finding]:
    if facts.longitude is None or facts.latitude is None or not places:
        return
    there = Position(facts.longitude, facts.latitude)
    away = min(metres(there, place) for place in places)
    # In doubt for the photographer: the camera says how wrong it may be.
    if away - min(facts.accuracy_m or 0.0, FAR_M) > FAR_M:
        words = f"{away / 1000:.1f}公里" if away >= 1000 else f"{away:.0f}米"
        yield Finding(
            Code.FAR_AWAY,
            Severity.DOUBT,
            f"照片拍摄地点距案件位置约{words}。",
            value=round(away, 1),
        )


def _from_album(source: str) -> Iterator[Finding]:
    if source == "album":
        yield Finding(Code.FROM_ALBUM, Severity.NOTE, "照片选自相册，不是现场拍摄。")


def _hard_to_see(measures: Measures) -> Iterator[Finding]:
    if measures.brightness < DARK and measures.highlights < DARK_HIGHLIGHTS:
        words = "照片太暗，看不清现场。"
        yield Finding(Code.TOO_DARK, Severity.NOTE, words, value=measures.brightness)
    elif measures.sharpness < BLURRED:
        words = "照片模糊，看不清现场。"
        yield Finding(Code.BLURRED, Severity.NOTE, words, value=measures.sharpness)
