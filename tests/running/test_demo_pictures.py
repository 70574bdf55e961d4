"""The drawn pictures: marked, each another one, before and after of one spot; words for all."""

import io
import tomllib
from pathlib import Path
from random import Random

import pytest
from PIL import Image

from api import demo_words
from api.demo_pictures import SIZE, picture

SHIPPED = sorted(
    tomllib.loads(path.read_text())["code"]
    for path in (Path(__file__).parents[2] / "data" / "indicators").glob("[A-Z][0-9]*.toml")
)


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("RGB")


@pytest.mark.parametrize("indicator", SHIPPED)
def test_before_and_after_differ_and_both_carry_the_mark(indicator: str) -> None:
    before, after = (opened(picture(indicator, 3, after=later)) for later in (False, True))
    assert before.size == after.size == SIZE
    assert before.tobytes() != after.tobytes()
    for image in (before, after):
        red, green, blue = image.crop((352, 296, 358, 350)).resize((1, 1)).tobytes()
        assert red > 150 and green < 80 and blue < 80


def test_the_same_numbers_draw_the_same_and_others_something_else() -> None:
    assert picture("P03", 5, after=False) == picture("P03", 5, after=False)
    assert picture("P03", 5, after=False) != picture("P03", 6, after=False)


def test_there_are_words_for_every_shipped_indicator_and_many_of_them() -> None:
    assert sorted(demo_words.SUBJECTS) == SHIPPED
    for indicator in SHIPPED:
        told = {demo_words.report(Random(n), indicator, "某路口") for n in range(200)}
        assert len(told) > 60
        assert all(10 <= len(text) <= 200 for text in told)
