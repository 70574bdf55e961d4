from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from PIL import Image, ImageFilter

from evidence.examining import Facts, Measures
from evidence.likeness import SIDE, Likeness, likeness_of
from evidence.measures import measures_of
from evidence.provenance import (
    Circumstances,
    Code,
    Earlier,
    Finding,
    Picture,
    Position,
    Severity,
    findings,
    metres,
)
from tests.evidence.copies import cropped
from tests.evidence.scenes import scene

SENT = datetime(2025, 6, 3, 2, 0, tzinfo=UTC)
PLACE = Position(116.3237, 39.9821)
CLEAR = Measures(brightness=110.0, highlights=200.0, sharpness=0.8)
SMALL = (480, 360)


def likeness(image: Image.Image) -> Likeness:
    square = image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    return likeness_of(np.asarray(square))


def photo(
    seed: int = 1,
    *,
    content: str = "c1",
    pixels: str = "p1",
    facts: Facts | None = None,
    measures: Measures = CLEAR,
    source: str = "camera",
    image: Image.Image | None = None,
) -> Picture:
    shown = scene(seed, SMALL) if image is None else image
    return Picture(content, pixels, likeness(shown), measures, facts or Facts(), source)


def taken(after: timedelta) -> Facts:
    return Facts(any=True, taken_at=SENT + after)


def at(longitude: float, latitude: float, accuracy_m: float | None = None) -> Facts:
    return Facts(any=True, longitude=longitude, latitude=latitude, accuracy_m=accuracy_m)


def codes(found: tuple[Finding, ...]) -> list[Code]:
    return [one.code for one in found]


WHERE = Circumstances(dispatched_at=SENT, places=(PLACE,))


def test_a_photo_without_any_metadata_has_nothing_against_it() -> None:
    assert findings(photo(source="unknown"), WHERE) == ()


def test_a_good_photo_from_the_spot_has_nothing_against_it() -> None:
    facts = Facts(
        any=True, taken_at=SENT + timedelta(hours=2), longitude=116.3240, latitude=39.9823
    )
    assert findings(photo(facts=facts), WHERE) == ()


@pytest.mark.parametrize(("content", "pixels"), [("c1", "p9"), ("c9", "p1")])
def test_the_same_file_and_the_same_pixels_are_one_finding(content: str, pixels: str) -> None:
    report = Earlier("u7", "本案上报照片", content, pixels, likeness(scene(1, SMALL)))
    assert findings(photo(), WHERE, [report]) == (
        Finding(Code.SAME_FILE, Severity.GRAVE, "与本案上报照片是同一张照片。", "u7"),
    )


def test_a_cropped_old_photo_is_found_and_another_is_not() -> None:
    old = scene(1, SMALL)
    earlier = [
        Earlier("u1", "案件HD1的整改照片", "a", "b", likeness(old)),
        Earlier("u2", "案件HD2的整改照片", "c", "d", likeness(scene(2, SMALL))),
    ]
    again = photo(image=cropped(old, np.random.default_rng(3)))
    (found,) = findings(again, WHERE, earlier)
    assert (found.code, found.severity, found.earlier) == (Code.SAME_PICTURE, Severity.GRAVE, "u1")
    assert found.sentence.startswith("与案件HD1的整改照片几乎相同")


@pytest.mark.parametrize(
    ("after", "sentence"),
    [
        (timedelta(days=-3), "照片拍摄于派遣之前（早3天）。"),
        (timedelta(hours=-5), "照片拍摄于派遣之前（早5小时）。"),
        (timedelta(minutes=-6), "照片拍摄于派遣之前（早6分钟）。"),
        (timedelta(minutes=-5), None),
        (timedelta(0), None),
        (timedelta(hours=1), None),
    ],
)
def test_taken_before_dispatch(after: timedelta, sentence: str | None) -> None:
    found = findings(photo(facts=taken(after)), WHERE)
    assert [one.sentence for one in found] == ([] if sentence is None else [sentence])


def test_satellite_time_is_believed_to_the_second_and_before_the_phones_clock() -> None:
    early = Facts(any=True, taken_at=SENT + timedelta(hours=3), gps_at=SENT - timedelta(seconds=1))
    assert codes(findings(photo(facts=early), WHERE)) == [Code.BEFORE_DISPATCH]
    wrong_clock = Facts(any=True, taken_at=SENT - timedelta(days=9), gps_at=SENT)
    assert findings(photo(facts=wrong_clock), WHERE) == ()


@pytest.mark.parametrize(
    ("facts", "far"),
    [
        (at(116.3237, 39.9838), False),  # 189 m north
        (at(116.3237, 39.9840), True),  # 211 m
        (at(116.3237, 39.9840, 20.0), False),  # 211 m, give or take 20
        (at(116.3237, 39.9900, 5000.0), True),  # a camera that knows nothing excuses 200 m
    ],
)
def test_taken_elsewhere(facts: Facts, far: bool) -> None:
    assert codes(findings(photo(facts=facts), WHERE)) == ([Code.FAR_AWAY] if far else [])


def test_the_nearest_of_a_places_forms_counts() -> None:
    shifted = Position(PLACE.longitude + 0.006, PLACE.latitude + 0.001)  # as on a Chinese map
    both = Circumstances(places=(PLACE, shifted))
    facts = at(shifted.longitude, shifted.latitude)
    assert codes(findings(photo(facts=facts), WHERE)) == [Code.FAR_AWAY]
    assert findings(photo(facts=facts), both) == ()
    assert findings(photo(facts=facts), Circumstances()) == ()


def test_the_sentence_tells_how_far() -> None:
    (found,) = findings(photo(facts=at(116.3637, 39.9821)), WHERE)
    assert found.sentence == "照片拍摄地点距案件位置约3.4公里。"
    assert found.value == pytest.approx(3408, abs=5)


def test_metres_against_a_known_distance() -> None:
    # One minute of latitude is a nautical mile, 1,852 m, within half a percent anywhere.
    assert metres(Position(116, 40), Position(116, 40 + 1 / 60)) == pytest.approx(1852, rel=0.005)
    assert metres(PLACE, PLACE) == 0


def test_an_album_is_a_note_and_the_gravest_finding_comes_first() -> None:
    report = Earlier("u7", "本案上报照片", "c1", "p", likeness(scene(1, SMALL)))
    facts = at(116.3637, 39.9821)
    found = findings(photo(source="album", facts=facts), WHERE, [report])
    assert codes(found) == [Code.SAME_FILE, Code.FAR_AWAY, Code.FROM_ALBUM]
    assert [one.severity for one in found] == [Severity.GRAVE, Severity.DOUBT, Severity.NOTE]


def measured(image: Image.Image) -> list[Code]:
    grey = image.convert("L")
    grey.thumbnail((480, 480))
    return codes(findings(photo(measures=measures_of(np.asarray(grey))), WHERE))


@pytest.mark.parametrize("seed", range(4))
def test_dark_and_blurred_photos_are_told_from_good_ones(seed: int) -> None:
    good = scene(seed, (640, 480))
    assert measured(good) == []
    assert measured(good.point(lambda value: value * 0.08)) == [Code.TOO_DARK]
    assert measured(good.filter(ImageFilter.GaussianBlur(10))) == [Code.BLURRED]


def test_a_street_at_night_under_lamps_is_not_too_dark() -> None:
    night = np.asarray(scene(3, (640, 480))).astype(np.float32) * 0.15
    night[100:300, 200:440] = night[100:300, 200:440] * 6 + 40
    assert measured(Image.fromarray(night.clip(0, 255).astype(np.uint8))) == []
