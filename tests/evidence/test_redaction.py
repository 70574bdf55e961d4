import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from evidence.examining import Examiner
from evidence.redaction import (
    MOST_BOXES,
    BadBox,
    Box,
    Finder,
    Found,
    What,
    check,
    looks_for,
    redact,
    redact_caption,
    says,
)
from evidence.unreadable import Unreadable
from tests.evidence.scenes import scene


@pytest.fixture(scope="module")
def examiner() -> Iterator[Examiner]:
    with Examiner() as one:
        yield one


def jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90)
    return out.getvalue()


def pixels(content: bytes | Unreadable) -> np.ndarray:
    assert isinstance(content, bytes)
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), np.int16)


def test_what_is_in_the_box_is_gone_and_the_rest_stays(examiner: Examiner) -> None:
    before = jpeg(scene(1, (640, 480)))
    kept = bytes(before)
    after = pixels(redact(examiner, before, [Box(0.25, 0.25, 0.5, 0.75), Box(0, 0, 0.01, 0.01)]))
    inside = after[122:358, 162:318]
    assert inside.std() < 3 and abs(inside.mean() - 32) < 3
    outside = np.abs(after - pixels(before))[:, 340:]
    assert outside.mean() < 4
    assert after[:4, :6].max() < 90
    assert before == kept, "the derivative itself is never drawn on"


def test_two_pictures_that_differ_only_under_the_box_become_one(examiner: Examiner) -> None:
    """Nothing of what was hidden can be computed back from what is left."""
    box = [Box(0.2, 0.2, 0.6, 0.6)]
    results = []
    for shade in ("white", "black"):
        image = scene(2, (640, 480))
        image.paste(shade, (160, 128, 352, 256))
        out = io.BytesIO()
        image.save(out, "PNG")
        results.append(redact(examiner, out.getvalue(), box))
    assert results[0] == results[1]


def test_a_redacted_picture_has_no_metadata(examiner: Examiner) -> None:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0110] = "canary"
    scene(3, (320, 240)).save(out, "JPEG", exif=exif.tobytes(), comment="canary")
    after = redact(examiner, out.getvalue(), [])
    assert isinstance(after, bytes) and b"canary" in out.getvalue() and b"canary" not in after
    assert not Image.open(io.BytesIO(after)).getexif()


@pytest.mark.parametrize(
    "box",
    [
        Box(0.5, 0, 0.5, 1),
        Box(0.6, 0, 0.5, 1),
        Box(-0.1, 0, 0.5, 1),
        Box(0, 0, 1.01, 1),
        Box(0, float("nan"), 1, 1),
        Box(0, 0, 1, float("inf")),
    ],
)
def test_a_box_that_is_none_is_refused(examiner: Examiner, box: Box) -> None:
    with pytest.raises(BadBox, match="遮盖框超出了照片范围"):
        redact(examiner, jpeg(scene(1, (64, 64))), [box])


def test_too_many_boxes_are_refused() -> None:
    check([Box(0, 0, 1, 1)] * MOST_BOXES)
    with pytest.raises(BadBox, match="最多遮盖200处"):
        check([Box(0, 0, 1, 1)] * (MOST_BOXES + 1))


def test_what_is_no_picture_is_told(examiner: Examiner) -> None:
    assert isinstance(redact(examiner, b"nothing", []), Unreadable)


def test_captions_lose_what_rules_find() -> None:
    assert "13812345678" not in redact_caption("联系人王小明 13812345678，垃圾已清运")


def test_what_was_looked_for_is_said_and_what_was_not_is_left_to_a_person() -> None:
    assert says(()) == "未安装识别组件，请逐张人工检查并遮盖人脸、车牌和电话。"
    assert says((What.FACE, What.PLATE)) == "已自动标出可能的人脸、车牌，请核对并补充遗漏。"


@pytest.mark.skipif(bool(looks_for()), reason="the vision extra is installed")
def test_without_the_extra_there_are_no_proposals_and_no_process() -> None:
    with Finder() as finder:
        assert finder.find(jpeg(scene(1, (64, 64)))) == Found((), ())
