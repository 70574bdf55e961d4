"""A site's own vision and speech models: what they answer is not trusted, and never waited for."""

import base64
import io
import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from recognition.bounded import Bounded, Bounds, Task
from recognition.model import OUT, Asked, Kind, Unavailable
from recognition.remote import FAILURES, LARGEST, Remote
from recognition.remote_speech import RemoteSpeech
from recognition.remote_vision import RemoteVision
from tests.recognition.services import Said, Service, service

KINDS = (
    Kind(code="P02", name="喷涂张贴小广告"),
    Kind(code="P05", name="水面漂浮物"),
    Kind(code="P09", name="车辆占压盲道"),
)
SECONDS = 2.0


@pytest.fixture
def site() -> Iterator[Service]:
    with service() as made:
        yield made


@pytest.fixture(scope="module")
def redraw() -> Iterator[Bounded]:
    task = Task("picture", msgspec.msgpack.encode(320))
    worker = Bounded("picture", task, Bounds(memory_mb=1024, seconds=10))
    yield worker
    worker.close()


def remote(site: Service, key_file: Path | None = None, pause: float = 60) -> Remote:
    return Remote("识别服务", site.url, key_file=key_file, seconds=SECONDS, pause=pause)


def vision(site: Service, redraw: Bounded) -> RemoteVision:
    return RemoteVision(remote(site), "qwen-vl", redraw)


def photo(width: int = 800) -> bytes:
    """A picture with what a phone writes into it."""
    picture = Image.effect_noise((width, 600), 60).convert("RGB")
    exif = Image.Exif()
    exif[0x010F] = "a maker"
    exif.get_ifd(0x8825)[1] = "N"
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif)
    return out.getvalue()


ASKED = Asked(photos=(photo(),))


def candidates(*given: object) -> str:
    return json.dumps({"candidates": given}, ensure_ascii=False)


def test_what_the_vision_model_sees_is_an_opinion(site: Service, redraw: Bounded) -> None:
    seen = candidates(
        {"code": "P05", "confidence": 0.7, "because": "河面上的\u202e塑料瓶\n" + "很" * 100},
        {"code": "P02", "confidence": 0.6},
    )
    site.completes(f"好的，结果如下：\n```json\n{seen}\n```")
    opinion = vision(site, redraw).opinion(ASKED, KINDS)
    assert opinion is not None and opinion.model.version == "qwen-vl"
    assert opinion.scores["P05"] == pytest.approx(0.7 / 1.3)
    (reason,) = opinion.because["P05"]
    assert reason.startswith("照片上看到河面上的 塑料瓶 很") and len(reason) < 50


def test_the_photo_leaves_small_and_without_what_the_camera_wrote(
    site: Service, redraw: Bounded
) -> None:
    site.completes(candidates())
    vision(site, redraw).opinion(ASKED, KINDS)
    (asked,) = site.asked
    assert asked.path == "/v1/chat/completions"
    question, picture = json.loads(asked.body)["messages"][0]["content"]
    assert "P09 车辆占压盲道" in question["text"]
    content = base64.b64decode(picture["image_url"]["url"].partition("base64,")[2])
    sent = Image.open(io.BytesIO(content))
    assert len(Image.open(io.BytesIO(ASKED.photos[0])).getexif()) == 2
    assert max(sent.size) == 320 and not sent.getexif() and b"a maker" not in content


def test_codes_that_do_not_exist_are_passed_over(site: Service, redraw: Bounded) -> None:
    wrong = ({"code": code, "confidence": 0.9} for code in ("P99", "p02", "", "P02 "))
    odd = ({"code": "P09", "confidence": c} for c in (-1, 0, 1.5, "0.9", None, 1e308))
    site.completes(candidates(*wrong, *odd, {"code": "P02", "confidence": 0.4}, "P05", 7))
    opinion = vision(site, redraw).opinion(ASKED, KINDS)
    assert opinion is not None and opinion.scores == {"P02": 0.4}


def test_none_of_them_speaks_for_out_of_scope(site: Service, redraw: Bounded) -> None:
    site.completes(candidates())
    opinion = vision(site, redraw).opinion(ASKED, KINDS)
    assert opinion is not None and set(opinion.scores) == {OUT}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "我不知道",
        "{",
        "[]",
        '{"candidates": 5}',
        '{"candidates": [{"code": "P77"}]}',
        "{" * 9999,
    ],
)
def test_nonsense_of_a_vision_model_is_told(site: Service, redraw: Bounded, content: str) -> None:
    site.completes(content)
    asking = vision(site, redraw)
    with pytest.raises(Unavailable, match="识别服务"):
        asking.opinion(ASKED, KINDS)
    assert asking.condition().state == "failing"


def test_after_some_nonsense_the_address_is_left_alone_for_a_while(
    site: Service, redraw: Bounded
) -> None:
    site.completes("我不知道")
    asking = vision(site, redraw)
    for _ in range(FAILURES):
        with pytest.raises(Unavailable, match="看不懂"):
            asking.opinion(ASKED, KINDS)
    with pytest.raises(Unavailable, match="暂停使用"):
        asking.opinion(ASKED, KINDS)
    assert len(site.asked) == FAILURES


def test_without_a_photo_nothing_is_asked(site: Service, redraw: Bounded) -> None:
    assert vision(site, redraw).opinion(Asked(text="河里有垃圾"), KINDS) is None
    assert not site.asked


def test_a_file_that_is_no_photo_is_not_sent(site: Service, redraw: Bounded) -> None:
    with pytest.raises(Unavailable, match="照片无法读取"):
        vision(site, redraw).opinion(Asked(photos=(b"GIF89a no photo",)), KINDS)
    assert not site.asked


def bomb(width: int, height: int) -> bytes:
    """A small file that says it is a picture so large."""
    out = io.BytesIO()
    Image.new("L", (1, 1)).save(out, "PNG")
    content = out.getvalue()
    head = struct.pack(">4sII", b"IHDR", width, height) + content[24:29]
    return content[:12] + head + struct.pack(">I", zlib.crc32(head)) + content[33:]


@pytest.mark.parametrize("side", [8_000, 12_000, 20_000])
def test_photos_of_too_many_pixels_are_refused_and_the_worker_goes_on(
    redraw: Bounded, side: int
) -> None:
    redraw.ask(photo())
    before = redraw.pid
    with pytest.raises(Unavailable, match="像素太多"):
        redraw.ask(bomb(side, side))
    assert redraw.condition().state == "ready" and redraw.pid == before


FAULTS = {
    "a status": (Said(status=500), "状态 500"),
    "a redirect is not followed": (Said(status=307, headers=(("Location", "/"),)), "状态 307"),
    "a page": (Said(b"<html>", content_type="text/html"), "不是 JSON"),
    "no type": (Said(content_type=""), "不是 JSON"),
    "another shape": (Said(b'{"error": {"message": "no such model"}}'), "约定的格式"),
    "broken": (Said(b'{"text": "\xff'), "约定的格式"),
    "packed": (Said(b"\x1f\x8b\x08", headers=(("Content-Encoding", "gzip"),)), "约定的格式"),
    "deep": (Said(b"[" * 200_000), "约定的格式"),
    "too long": (Said(b'{"text": "' + b"x" * LARGEST + b'"}'), "过长"),
    "nothing at all": (Said(hang=True), "时限"),
    "a byte now and then": (Said(b'{"text": "' + b"x" * 500 + b'"}', drip=True), "时限"),
}


@pytest.mark.parametrize(("says", "told"), FAULTS.values(), ids=FAULTS)
def test_a_service_that_fails_is_told_in_words_and_soon(
    site: Service, says: Said, told: str
) -> None:
    site.says = says
    with pytest.raises(Unavailable, match=told):
        RemoteSpeech(remote(site), "whisper-1").transcribe(b"RIFF", "audio/wav")


def test_nobody_there_is_told(site: Service) -> None:
    site.close()
    with pytest.raises(Unavailable, match="连接失败"):
        RemoteSpeech(remote(site), "whisper-1").transcribe(b"RIFF", "audio/wav")


def test_after_some_failures_the_address_is_left_alone_for_a_while(site: Service) -> None:
    resting = RemoteSpeech(remote(site), "m")
    trying = RemoteSpeech(remote(site, pause=0), "m")
    site.says = Said(status=503)
    for each in (resting, trying):
        for _ in range(FAILURES):
            with pytest.raises(Unavailable, match="503"):
                each.transcribe(b"RIFF", "audio/wav")
    site.says = Said('{"text": "路灯杆上有小广告"}'.encode())
    with pytest.raises(Unavailable, match="暂停使用"):
        resting.transcribe(b"RIFF", "audio/wav")
    assert trying.transcribe(b"RIFF", "audio/wav").text == "路灯杆上有小广告"
    assert trying.condition().state == "ready" and resting.condition().state == "failing"


def test_a_recording_is_sent_as_a_form_with_the_key(site: Service, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("s3cret\n")
    site.says = Said('{"text": " 盲道上\\n停着车 \\u0000"}'.encode())
    heard = RemoteSpeech(remote(site, key), "whisper-1").transcribe(b"OggS sound", "audio/ogg")
    (asked,) = site.asked
    assert heard.text == "盲道上 停着车" and heard.model.version == "whisper-1"
    assert asked.path == "/v1/audio/transcriptions"
    assert asked.headers["authorization"] == "Bearer s3cret"
    assert asked.headers["content-type"].startswith("multipart/form-data")
    assert b'filename="recording.ogg"' in asked.body and b"OggS sound" in asked.body


def test_what_services_invent_for_silence_is_nothing(site: Service) -> None:
    speech = RemoteSpeech(remote(site), "whisper-1")
    for invented in (
        "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目",
        "谢谢观看",
        "嗯嗯嗯嗯嗯嗯嗯嗯",
        "。",
    ):
        site.says = Said(json.dumps({"text": invented}).encode())
        assert not speech.transcribe(b"RIFF", "audio/wav").text
