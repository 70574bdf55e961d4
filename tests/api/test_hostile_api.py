"""Files that mean harm, sent through the real door: refused or harmless, and the server lives."""

import io
import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pillow_heif
import pytest
from PIL import Image

from api.examining import unpacked
from api.stored_files import content_of
from casework.evidence import EvidenceExamined, PhotoUnreadable
from tests.api.client import Town, open_town, settings_for
from tests.api.test_evidence_api import until
from tests.evidence.corpus import collect
from tests.evidence.hostile import HOSTILE

QUICK = (
    "PNG of 900 megapixels",
    "PNG with a comment of 100 MB (zTXt)",
    "JPEG of 65,535 × 65,535",
    "JPEG that is a page",
    "SVG",
    "JPEG cut short",
)
"""A few of each kind for every day; all of them, and thousands of others, by `make deep`."""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with open_town(settings_for(tmp_path_factory.mktemp("hostile") / "var")) as found:
        yield found


def sent(town: Town, content: bytes) -> httpx.Response:
    return town.http.post(
        "/api/v1/photos",
        files={"file": ("p", content, "image/jpeg")},
        headers={"Draft": str(uuid4())},
    )


def outcome(town: Town, answer: httpx.Response) -> EvidenceExamined | PhotoUnreadable | None:
    """What became of it: None where the door refused it at once, with a sentence."""
    if answer.status_code != 201:
        assert answer.status_code in {413, 415, 422}, answer.text
        assert answer.json()["detail"]
        return None
    upload = UUID(answer.json()["upload"])
    stored = until(lambda: town.parts.uploads.outcomes([upload])[upload])
    found = unpacked(stored)
    assert isinstance(found, EvidenceExamined | PhotoUnreadable)
    return found


def refused(town: Town, content: bytes) -> float:
    """Seconds until it was refused, at the door or by the examination."""
    began = time.monotonic()
    found = outcome(town, sent(town, content))
    assert found is None or isinstance(found, PhotoUnreadable)
    return time.monotonic() - began


@pytest.mark.parametrize("name", QUICK)
def test_a_file_that_means_harm_is_refused_and_the_server_answers_on(town: Town, name: str) -> None:
    refused(town, HOSTILE[name][0]())
    assert town.http.get("/health/ready").status_code == 200
    assert town.parts.examining.failures == 0


@pytest.mark.deep
def test_every_bomb_and_polyglot_is_refused_within_a_second(town: Town) -> None:
    pillow_heif.register_heif_opener()  # some of them are made by it
    slow = {}
    for name, (make, _why) in HOSTILE.items():
        content = make()
        took = min(refused(town, content) for _ in range(2))
        if took > 1.0:
            slow[name] = round(took, 2)
    assert not slow


@pytest.mark.deep
@pytest.mark.timeout(3600)
def test_a_corpus_of_malformed_pictures_comes_through_the_door_and_harms_nobody(
    town: Town, tmp_path: Path
) -> None:
    kept = os.environ.get("CASEWORK_CORPUS")
    samples, missing = collect(Path(kept) if kept else tmp_path)
    print(f"{len(samples)} files; not fetched: {missing or 'nothing'}")
    if len(samples) < 1500:
        pytest.skip(f"only {len(samples)} files could be fetched here: {missing}")
    found: Counter[str] = Counter()
    for sample in samples:
        answer = sent(town, sample.content)
        assert answer.status_code < 500, sample.name
        told = outcome(town, answer)
        found[type(told).__name__] += 1
        if isinstance(told, EvidenceExamined):
            for file in (told.thumbnail, told.display):
                content = content_of(town.parts.blobs, town.parts.sealer, file)
                image = Image.open(io.BytesIO(content))
                assert image.format == "JPEG" and not image.getexif(), sample.name
                assert content.count(b"\xff\xe1") == 0, sample.name
    print(dict(found))
    assert town.parts.examining.failures == 0
    assert town.http.get("/health/ready").status_code == 200
