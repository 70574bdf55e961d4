"""How fast pictures are examined, and what is found again. No server.

`python -m scripts.bench_evidence [--pictures N]`, from the root. Each line is one figure; `×` says
a ratio, which does not depend on the machine as the others do.
"""

import argparse
import io
import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import pillow_heif
from PIL import Image

from evidence.examining import Examined, Examiner
from evidence.likeness import SIDE, Album, Likeness, likeness_of, same_picture
from evidence.redaction import Box, redact
from tests.evidence.copies import COPIES
from tests.evidence.hostile import HOSTILE
from tests.evidence.scenes import scene

LARGE = (4032, 3024)


def encoded(image: Image.Image, form: str, quality: int) -> bytes:
    """As a phone writes it."""
    out = io.BytesIO()
    image.save(out, form, quality=quality)
    return out.getvalue()


def seconds(work: Callable[[], object], times: int) -> float:
    """The median of so many."""
    took = []
    for _ in range(times):
        before = time.perf_counter()
        work()
        took.append(time.perf_counter() - before)
    return statistics.median(took)


def likeness(image: Image.Image) -> Likeness:
    """As the worker makes it."""
    square = image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    return likeness_of(np.asarray(square))


def examining(examiner: Examiner) -> None:
    """Photos, by size and format."""
    large = scene(1, (1344, 1008)).resize(LARGE)
    for form, quality in (("JPEG", 90), ("HEIF", 50)):
        content = encoded(large, form, quality)
        took = seconds(partial(examiner.examine, [content]), 5)
        print(f"12 megapixels, {form}, {len(content) / 1e6:.1f} MB, ready in: {took:.3f} s")
        if form == "JPEG":
            before = time.perf_counter()
            Image.open(io.BytesIO(content)).load()
            bare = time.perf_counter() - before
            print(f"… to merely decoding it here: {took / bare:.2f} ×")
    usual = encoded(scene(2, (1600, 1200)), "JPEG", 88)
    took = seconds(lambda: examiner.examine([usual]), 20)
    print(f"a photo of {len(usual) // 1000} kB: {took * 1000:.0f} ms, {1 / took:.1f} /s a process")
    outcome = examiner.examine([usual])
    assert isinstance(outcome, Examined)
    boxes = [Box(0.1, 0.1, 0.2, 0.2)] * 5
    took = seconds(lambda: redact(examiner, outcome.display, boxes), 10)
    print(f"redacted anew: {took * 1000:.0f} ms")


def refusing(examiner: Examiner) -> None:
    """The slowest of the hostile files."""
    worst = (0.0, "")
    for name, (make, _) in HOSTILE.items():
        content = make()
        took = seconds(partial(examiner.examine, [content]), 1)
        worst = max(worst, (took, name))
    print(f"slowest of {len(HOSTILE)} hostile files refused in: {worst[0]:.3f} s ({worst[1]})")


def finding(pictures: int) -> None:
    """Copies found, different pictures told apart, and what asking costs."""
    images = [scene(seed, (480, 360)) for seed in range(pictures)]
    ones = [likeness(image) for image in images]
    rng = np.random.default_rng(5)
    for name, copy in COPIES.items():
        found = sum(
            same_picture(one, likeness(copy(image, rng)))
            for one, image in zip(ones, images, strict=True)
        )
        print(f"copies found, {name}: {100 * found / pictures:.1f} %")
    album: Album[int] = Album()
    for number, one in enumerate(ones):
        album.add(number, one)
    false = sum(len(album.find(one)) - 1 for one in ones) // 2
    print(f"false pairs among {pictures} pictures: {false}")
    while len(album) < 100_000:
        album.add(len(album), ones[len(album) % pictures])
    stranger = likeness(scene(10**6, (480, 360)))
    took = seconds(lambda: album.find(stranger), 3)
    print(f"asked of 100,000 pictures: {took * 1000:.0f} ms")


def main() -> None:
    """Print all figures."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--pictures", type=int, default=60)
    asked = arguments.parse_args()
    pillow_heif.register_heif_opener()
    before = time.perf_counter()
    with Examiner() as examiner:
        fences = examiner.confinement()
        print(f"process ready in: {time.perf_counter() - before:.2f} s; held by: {fences}")
        examining(examiner)
        refusing(examiner)
    finding(asked.pictures)


if __name__ == "__main__":
    main()
