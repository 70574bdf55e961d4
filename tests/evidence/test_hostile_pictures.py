import random
from collections.abc import Iterator

import pillow_heif
import pytest

from evidence.examining import Examined, Examiner
from evidence.unreadable import SENTENCES, Unreadable, Why
from tests.evidence import hostile
from tests.quickness import quickest

pillow_heif.register_heif_opener()


@pytest.fixture(scope="module")
def examiner() -> Iterator[Examiner]:
    with Examiner() as one:
        one.confinement()  # it is running
        yield one


@pytest.mark.parametrize("name", hostile.HOSTILE)
def test_is_refused_within_a_second_and_the_next_photo_is_not(
    examiner: Examiner, name: str
) -> None:
    make, whys = hostile.HOSTILE[name]
    content = make()
    assert len(content) < 20 * 1024 * 1024
    outcomes: list[Examined | Unreadable] = []
    assert quickest(lambda: outcomes.append(examiner.examine([content])), 1.0) < 1.0
    outcome = outcomes[-1]
    assert isinstance(outcome, Unreadable)
    assert outcome.code in whys
    assert outcome.sentence.endswith("。")
    assert isinstance(examiner.examine([hostile.photo()]), Examined)


def test_a_file_over_the_limit_is_not_even_sent_to_the_sandbox(examiner: Examiner) -> None:
    pieces = iter([b"\xff\xd8\xff" + bytes(1 << 20)] * 40)
    assert examiner.examine(pieces) == Unreadable.because(Why.TOO_LARGE)
    assert len(list(pieces)) == 20, "the rest was never asked for"


def test_pixels_beyond_what_the_header_says_are_never_unpacked(examiner: Examiner) -> None:
    content = hostile.lying_png()
    outcomes: list[Examined | Unreadable] = []
    assert quickest(lambda: outcomes.append(examiner.examine([content])), 1.0) < 1.0
    outcome = outcomes[-1]
    assert isinstance(outcome, Examined) and (outcome.width, outcome.height) == (64, 64)


def test_an_hdr_photo_with_its_light_map_behind_it_is_a_photo(examiner: Examiner) -> None:
    outcome = examiner.examine([hostile.with_second_picture()])
    assert isinstance(outcome, Examined) and outcome.media_type == "image/jpeg"


def test_a_photo_with_the_settings_of_a_printer_in_it_is_a_photo(examiner: Examiner) -> None:
    """Editors on a Mac write them beside the picture, as a property list."""
    told = b'Photoshop 3.0\x008BIM\x03\xe9<?xml version="1.0"?><!DOCTYPE plist PUBLIC "-//Apple">'
    segment = b"\xff\xed" + (len(told) + 2).to_bytes(2) + told
    photo = hostile.photo()
    outcome = examiner.examine([photo[:2] + segment + photo[2:]])
    assert isinstance(outcome, Examined)


def test_every_code_has_its_sentence() -> None:
    assert set(SENTENCES) == set(Why)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_bits_turned_over_at_random_never_hurt(examiner: Examiner, form: str) -> None:
    rng = random.Random(form)
    whole = hostile.photo(form)
    for _ in range(25):
        broken = bytearray(whole)
        for _ in range(rng.randint(1, 30)):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        cut = bytes(broken[: rng.randint(len(broken) // 2, len(broken))])
        assert isinstance(examiner.examine([cut]), Examined | Unreadable)
    assert isinstance(examiner.examine([whole]), Examined)
