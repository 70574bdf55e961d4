import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from evidence.likeness import (
    SAME,
    SIDE,
    Album,
    Likeness,
    distance,
    likeness_of,
    same_picture,
)
from tests.evidence.copies import COPIES
from tests.evidence.scenes import scene

SMALL = (480, 360)


def likeness(image: Image.Image) -> Likeness:
    square = image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    return likeness_of(np.asarray(square))


def missed(kind: str, images: list[Image.Image]) -> list[int]:
    """Which of the pictures are not found again after this was done to them."""
    rng = np.random.default_rng(5)
    return [
        number
        for number, image in enumerate(images)
        if not same_picture(likeness(image), likeness(COPIES[kind](image, rng)))
    ]


def nearest(ones: list[Likeness]) -> tuple[int, int, int]:
    """The smallest distance between two different pictures, and which they are."""
    album: Album[int] = Album()
    for number, one in enumerate(ones):
        album.add(number, one)
    best = (192, -1, -1)
    for number, one in enumerate(ones):
        if one.parts:
            near = album.distances(one)
            near[number] = 192
            best = min(best, (int(near.min()), number, int(near.argmin())))
    return best


@pytest.fixture(scope="module")
def few() -> list[Image.Image]:
    return [scene(seed, SMALL) for seed in range(24)]


@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_is_found(few: list[Image.Image], kind: str) -> None:
    assert missed(kind, few) == []


def test_different_pictures_are_not_taken_for_copies(few: list[Image.Image]) -> None:
    assert nearest([likeness(image) for image in few])[0] > SAME


def test_nearness_needs_no_order(few: list[Image.Image]) -> None:
    rng = np.random.default_rng(1)
    part = likeness(COPIES["cropped by 10 % at each side"](few[0], rng))
    whole = likeness(few[0])
    assert distance(whole, part) == distance(part, whole) <= SAME
    assert distance(whole, whole) == 0


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_plain_surfaces_are_like_nothing_not_even_themselves(shade: int) -> None:
    rng = np.random.default_rng(shade)
    noise = rng.normal(shade, 6, (SIDE, SIDE)).clip(0, 255).astype(np.uint8)
    plain = likeness_of(noise)
    assert plain == Likeness(0, 0, b"")
    assert not same_picture(plain, plain)
    album: Album[str] = Album()
    album.add("lens cap", plain)
    assert len(album) == 0 and album.find(plain) == []


def test_an_album_finds_what_comparing_one_by_one_finds(few: list[Image.Image]) -> None:
    rng = np.random.default_rng(2)
    album: Album[str] = Album()
    for copy in range(12):  # more than its first room
        for number, image in enumerate(few):
            turned = image.transpose(Image.Transpose(copy % 7)) if copy else image
            album.add(f"{copy}/{number}", likeness(turned))
    assert len(album) == 12 * len(few)
    asked = likeness(COPIES["cropped by 10 %"](few[3], rng))
    found = album.find(asked)
    assert found[0] == ("0/3", distance(asked, likeness(few[3])))
    assert len(found) == 1


@given(st.binary(min_size=64, max_size=64), st.integers(0, 2**32 - 1))
def test_any_pixels_have_a_likeness_of_one_size(pixels: bytes, seed: int) -> None:
    coarse = np.frombuffer(pixels, np.uint8).reshape(8, 8).repeat(16, 0).repeat(16, 1)
    grain = np.random.default_rng(seed).integers(0, 4, (SIDE, SIDE), np.uint8)
    one = likeness_of(np.minimum(coarse, 250) + grain)
    assert len(one.parts) in {0, 55 * 24}
    assert 0 <= one.phash < 2**64 and 0 <= one.dhash < 2**64
    assert same_picture(one, one) == bool(one.parts)


@pytest.mark.deep
@pytest.mark.timeout(3600)
def test_of_a_thousand_pictures_none_is_another_and_copies_are_found() -> None:
    images = [scene(seed, SMALL) for seed in range(1000, 2000)]
    near, one, other = nearest([likeness(image) for image in images])
    print(f"nearest pair of 1,000 drawn: {near} bits of 192 (seeds {1000 + one}, {1000 + other})")
    assert near > SAME
    for kind in COPIES:
        lost = missed(kind, images)
        print(f"{kind}: {1 - len(lost) / len(images):.1%} found")
        assert len(lost) <= 0.05 * len(images)
