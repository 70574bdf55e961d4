"""The campaign of `make deep`: thousands of malformed pictures of others through the sandbox."""

import io
import os
import resource
import time
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from evidence.examining import Examined, Examiner
from evidence.unreadable import Unreadable
from tests.evidence.corpus import Sample, collect
from tests.untested import untested

pytestmark = pytest.mark.deep
ENOUGH = 1500
PLAIN = {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


@pytest.mark.timeout(3600)
def test_no_malformed_picture_hurts_anybody(tmp_path: Path) -> None:
    kept = os.environ.get("CASEWORK_CORPUS")
    folder = Path(kept) if kept else tmp_path
    samples, missing = collect(folder)
    print(f"{len(samples)} files; not fetched: {missing or 'nothing'}")
    genuine = sum("~" not in sample.name for sample in samples)
    if len(samples) < ENOUGH:
        untested(f"only {len(samples)} malformed pictures could be fetched: {missing}")

    outcomes: Counter[str] = Counter()
    slowest: list[tuple[float, str]] = []
    with Examiner() as examiner:
        examiner.confinement()
        bench = examiner.pids()
        for sample in samples:
            before = time.monotonic()
            outcome = examiner.examine([sample.content])
            slowest = sorted([*slowest, (time.monotonic() - before, sample.name)])[-3:]
            outcomes[told(outcome, sample)] += 1
        assert examiner.pids() == bench, "the bench itself never died"
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{genuine} as collected, {len(samples) - genuine} broken by us; {dict(outcomes)}")
    print(f"slowest: {[(round(took, 2), name) for took, name in slowest]}")
    print(f"largest process: {children.ru_maxrss / 1024:.0f} MB")
    assert children.ru_maxrss * 1024 <= 1024**3
    assert slowest[-1][0] <= 20 + 5


def told(outcome: Examined | Unreadable, sample: Sample) -> str:
    """Its name for the count, after looking through what would be served."""
    if isinstance(outcome, Unreadable):
        return outcome.code.value
    for derivative, side in ((outcome.thumbnail, 320), (outcome.display, 1600)):
        image = Image.open(io.BytesIO(derivative))
        assert image.format == "JPEG" and max(image.size) <= side, sample.name
        assert set(image.info) <= PLAIN and not image.getexif(), sample.name
        assert derivative.count(b"\xff\xe1") == 0 and derivative.endswith(b"\xff\xd9"), sample.name
        image.load()
    return "readable"
