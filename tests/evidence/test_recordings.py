import random
import struct
import time

import pytest

from evidence.errors import (
    Empty,
    NotARecording,
    RecordingDamaged,
    RecordingTooLong,
    TooLarge,
    UploadRefused,
)
from evidence.recordings import LIMIT_BYTES, check
from tests.evidence.sounds import FORMATS, film, recording

MEDIA = {
    "webm": "audio/webm",
    "ogg": "audio/ogg",
    "m4a": "audio/mp4",
    "mp3": "audio/mpeg",
    "aac": "audio/aac",
    "wav": "audio/wav",
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_recording_of_each_format_tells_its_own_length(name: str) -> None:
    found = check([recording(name, 4.0)])
    assert found.media_type == MEDIA[name.split(maxsplit=1)[0]]
    assert found.seconds == pytest.approx(4.0, abs=0.2)


@pytest.mark.parametrize("name", ["webm of a browser", "wav"])
def test_a_minute_is_taken_and_more_is_refused(name: str) -> None:
    assert check([recording(name, 59.9)]).seconds == pytest.approx(59.9, abs=0.3)
    with pytest.raises(RecordingTooLong, match="录音长70秒，最长可上传60秒") as refused:
        check([recording(name, 70.0)])
    assert refused.value.limit == 60


def test_what_is_counted_frame_by_frame_is_refused_by_the_frames() -> None:
    sounds = [recording("aac", 4.0), recording("mp3", 4.0)]
    frames = sounds[1].index(b"\xff\xfb")  # behind the tag
    for sound in (sounds[0], sounds[1][frames:]):
        assert check([sound * 14]).seconds == pytest.approx(57, abs=2)
        with pytest.raises(RecordingTooLong):
            check([sound * 18])


def test_a_header_that_lies_about_the_length_is_not_believed() -> None:
    honest = recording("webm", 70.0)
    duration = honest.index(b"\x44\x89\x88")
    lying = honest[: duration + 3] + struct.pack(">d", 1000.0) + honest[duration + 11 :]
    with pytest.raises(RecordingTooLong):
        check([lying])
    wav = bytearray(recording("wav", 70.0))
    wav[4:8] = (1000).to_bytes(4, "little")
    with pytest.raises(RecordingTooLong):
        check([bytes(wav)])


def test_amr_counts_frames_of_twenty_milliseconds() -> None:
    frame = b"\x3c" + bytes(31)
    assert check([b"#!AMR\n" + frame * 150]).seconds == 3.0
    with pytest.raises(RecordingTooLong):
        check([b"#!AMR\n" + frame * 3200])
    with pytest.raises(RecordingDamaged):
        check([b"#!AMR\n" + frame * 150 + frame[:9]])


def test_too_large_is_refused_without_reading_on() -> None:
    pieces = iter([bytes(1 << 20)] * 40)
    with pytest.raises(TooLarge, match="5 MB"):
        check(pieces)
    assert len(list(pieces)) == 34


def test_what_is_no_recording_is_named() -> None:
    with pytest.raises(Empty):
        check([])
    with pytest.raises(NotARecording, match="不支持PDF文件"):
        check([b"%PDF-1.7 ..."])
    with pytest.raises(NotARecording, match="无法识别这个文件"):
        check([bytes(500)])
    with pytest.raises(NotARecording, match="不支持JPEG文件"):
        check([b"\xff\xd8\xff\xe0" + bytes(500)])


@pytest.mark.parametrize("container", ["mp4", "webm"])
def test_a_film_is_no_recording_wherever_its_index_stands(container: str) -> None:
    with pytest.raises(NotARecording, match="视频"):
        check([film(container)])


def answer(content: bytes) -> float | str:
    """Seconds, or the sentence of the refusal."""
    try:
        return check([content]).seconds
    except UploadRefused as refused:
        return str(refused)


@pytest.mark.parametrize("name", [one for one in FORMATS if "mp3" not in one and one != "wav"])
def test_what_was_cut_short_is_refused_or_shorter(name: str) -> None:
    whole = recording(name, 4.0)
    found = answer(whole[: len(whole) // 2])
    assert found == "录音没有传完整或已损坏，请重新录制后上传。" or (
        isinstance(found, float) and found < 4.2
    )


@pytest.mark.parametrize("name", FORMATS)
def test_nonsense_is_an_answer_and_quick(name: str) -> None:
    rng = random.Random(name)
    whole = recording(name, 4.0)
    for _ in range(40):
        broken = bytearray(whole)
        for _ in range(rng.choice((1, 5, 40))):
            broken[rng.randrange(len(broken))] = rng.choice((0, 0xFF, rng.randrange(256)))
        before = time.thread_time()
        found = answer(bytes(broken))
        assert found > 0 if isinstance(found, float) else found.endswith("。")
        assert time.thread_time() - before < 1.0


@pytest.mark.parametrize(
    "content",
    [
        b"\x1a\x45\xdf\xa3\x84webm" + b"\xec\x80" * (LIMIT_BYTES // 2 - 10),
        b"OggS" + bytes(22) + b"\0" + b"OpusHead" + bytes(20),
        b"RIFF\xff\xff\xff\xffWAVE" + b"LIST\0\0\0\0" * (LIMIT_BYTES // 8 - 10),
        b"\0\0\0\x14ftypM4A \0\0\0\0M4A " + b"\0\0\0\x08moof" * (LIMIT_BYTES // 8 - 10),
        b"\0\0\0\x14ftypM4A \0\0\0\0M4A " + (b"\0\0\0\x10trun" + bytes(4) + b"\xff" * 4) * 300_000,
        b"#!AMR\n" + b"\x7c" * (LIMIT_BYTES - 10),
        b"\xff\xf3\x14\xc0" * (LIMIT_BYTES // 4 - 4),
    ],
    ids=["webm", "ogg", "wav", "m4a folders", "m4a runs", "amr", "mp3"],
)
def test_files_made_to_cost_time_do_not(content: bytes) -> None:
    before = time.thread_time()
    with pytest.raises(UploadRefused):
        check([content])
    assert time.thread_time() - before < 2.0
