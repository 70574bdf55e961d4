import io
import os
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from evidence.blobs import LIMIT_BYTES, Blob, BlobStore
from evidence.errors import (
    BlobDamaged,
    BlobMissing,
    Empty,
    NotAPicture,
    NotARecording,
    RecordingDamaged,
    RecordingTooLong,
    TooLarge,
    TooManyPixels,
    UploadRefused,
)
from evidence.signatures import HEAD_BYTES, Kind, recognise
from evidence.store import Folder

NOW = datetime(2025, 6, 3, 1, 0, tzinfo=UTC)
PIECE = 65_536


def wrap(secret: bytes) -> bytes:
    """An honest small stand-in for the uploader's key: reversible and visibly not the key."""
    return bytes(one ^ 0x5A for one in secret)


unwrap = wrap


def picture(form: str, size: tuple[int, int] = (640, 480), noise: int = 0) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (90, 120, 60)).save(out, form)
    return out.getvalue() + os.urandom(noise)


def png(width: int, height: int) -> bytes:
    head = b"IHDR" + width.to_bytes(4) + height.to_bytes(4) + b"\x08\x02\0\0\0"
    return b"\x89PNG\r\n\x1a\n\0\0\0\x0d" + head + zlib.crc32(head).to_bytes(4)


def box(name: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4) + name + content


def ftyp(major: bytes, *others: bytes) -> bytes:
    return box(b"ftyp", major + b"\0\0\0\0" + b"".join(others))


def heic(width: int, height: int) -> bytes:
    tile = box(b"ispe", b"\0\0\0\0" + (512).to_bytes(4) * 2)
    whole = box(b"ispe", b"\0\0\0\0" + width.to_bytes(4) + height.to_bytes(4))
    properties = box(b"iprp", box(b"ipco", tile + whole))
    return ftyp(b"mif1", b"mif1", b"heic") + box(b"meta", b"\0\0\0\0" + properties)


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(Folder(tmp_path / "blobs"))


def files(store_root: Path) -> list[Path]:
    return [path for path in store_root.rglob("*") if path.is_file()]


def content(store: BlobStore, blob: Blob) -> bytes:
    return b"".join(store.get(blob, unwrap))


# Taking in and giving out -------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 17])
@pytest.mark.parametrize("step", [700, PIECE, 10**6])
def test_a_file_comes_back_as_it_was_whatever_its_pieces(
    store: BlobStore, size: int, step: int
) -> None:
    sent = (picture("JPEG", (8, 8)) + os.urandom(size))[: max(size, 300)]
    blob = store.put((sent[at : at + step] for at in range(0, len(sent), step)), wrap)
    assert content(store, blob) == sent
    assert (blob.size, blob.media_type) == (len(sent), "image/jpeg")


def test_nothing_stands_in_the_clear_and_the_name_is_that_of_the_sealed_bytes(
    tmp_path: Path, store: BlobStore
) -> None:
    canary = b"GPS 39.99N 116.31E canary"
    blob = store.put([picture("JPEG") + canary * 5000], wrap)
    (path,) = files(tmp_path)
    assert path == tmp_path / "blobs" / blob.sha256[:2] / blob.sha256[2:4] / blob.sha256
    assert canary not in path.read_bytes()
    assert store.verify(blob.sha256)


def test_one_picture_sent_twice_is_two_files_that_share_nothing(store: BlobStore) -> None:
    sent = picture("PNG")
    first, second = store.put([sent], wrap), store.put([sent], wrap)
    assert first.sha256 != second.sha256
    assert store.delete(first.sha256)
    assert content(store, second) == sent


def test_quarantine_holds_no_clear_byte_while_a_file_comes_in(
    tmp_path: Path, store: BlobStore
) -> None:
    canary = b"canary of the reporter" * 10_000
    with store.incoming(Kind.PICTURE) as incoming:
        incoming.write(picture("JPEG") + canary)
        incoming._file.flush()
        (path,) = files(tmp_path)
        assert path.parent.name == "incoming"
        assert b"canary of" not in path.read_bytes()
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    "harm",
    [
        lambda raw: raw[:-1],
        lambda raw: raw[: 6 + PIECE + 16],
        lambda raw: raw[:6],
        lambda raw: raw + b"\0",
        lambda raw: b"X" + raw[1:],
        lambda raw: raw[:100] + bytes([raw[100] ^ 1]) + raw[101:],
        lambda raw: raw[:6] + raw[6 + PIECE + 16 : 6 + 2 * (PIECE + 16)] + raw[6 : 6 + PIECE + 16],
    ],
    ids=["cut", "cut at a piece", "empty", "longer", "magic", "bit", "swapped"],
)
def test_a_file_that_was_changed_is_found_out(
    tmp_path: Path, store: BlobStore, harm: Callable[[bytes], bytes]
) -> None:
    blob = store.put([picture("JPEG", noise=3 * PIECE)], wrap)
    (path,) = files(tmp_path)
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(BlobDamaged):
        content(store, blob)
    assert not store.verify(blob.sha256)


def test_a_file_does_not_open_with_another_key_or_as_another_type(store: BlobStore) -> None:
    blob = store.put([picture("JPEG")], wrap)
    other = store.put([picture("JPEG")], wrap)
    swapped = Blob(blob.sha256, blob.size, blob.media_type, other.wrapped_key)
    posing = Blob(blob.sha256, blob.size, "image/png", blob.wrapped_key)
    for wrong in (swapped, posing):
        with pytest.raises(BlobDamaged):
            content(store, wrong)


@pytest.mark.parametrize("name", ["0" * 64, "../../etc/passwd", "", "A" * 64])
def test_a_name_that_is_not_there_or_no_name_is_missing(store: BlobStore, name: str) -> None:
    with pytest.raises(BlobMissing):
        store.get(Blob(name, 1, "image/png", b"k" * 32), unwrap)
    with pytest.raises(BlobMissing):
        store.verify(name)


def test_deleting_twice_is_no_fault(store: BlobStore) -> None:
    blob = store.put([picture("PNG")], wrap)
    assert store.delete(blob.sha256) is True
    assert store.delete(blob.sha256) is False


# Refusals -----------------------------------------------------------------------------------


def test_a_file_over_the_limit_is_refused_at_once_and_leaves_nothing(
    tmp_path: Path, store: BlobStore
) -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        yield picture("JPEG")
        while True:
            taken += 1
            yield b"\0" * 100_000

    with pytest.raises(TooLarge, match="20 MB"):
        store.put(endless(), wrap)
    assert taken <= LIMIT_BYTES // 100_000 + 1
    assert files(tmp_path) == []


def test_a_file_of_exactly_the_limit_is_taken(store: BlobStore) -> None:
    sent = picture("PNG")
    assert store.put([sent], wrap, limit=len(sent)).size == len(sent)
    with pytest.raises(TooLarge):
        store.put([sent], wrap, limit=len(sent) - 1)


def test_an_empty_upload_is_refused_in_words(tmp_path: Path, store: BlobStore) -> None:
    with pytest.raises(Empty, match="没有收到"):
        store.put([b"", b""], wrap)
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("sent", "named"),
    [
        (picture("GIF"), "GIF"),
        (picture("TIFF"), "TIFF"),
        (picture("BMP"), "BMP"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<svg onload="alert(1)"/>', "SVG"),
        (b"<svg/>", "SVG"),
        (b"%PDF-1.7", "PDF"),
        (ftyp(b"avif", b"mif1"), "AVIF"),
        (ftyp(b"qt  "), "视频"),
        (b"#!AMR\n1234", "AMR"),
        (b"<html><script>", "无法识别"),
        (b"MZ\x90\0", "无法识别"),
        (b"\xff\xd8", "无法识别"),
    ],
)
def test_what_is_not_a_picture_of_ours_is_refused_by_name(
    tmp_path: Path, store: BlobStore, sent: bytes, named: str
) -> None:
    with pytest.raises(NotAPicture, match=named):
        store.put([sent], wrap)
    assert files(tmp_path) == []


def test_a_wrong_file_is_refused_before_it_is_all_sent(store: BlobStore) -> None:
    sent = 0

    def page() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b"<html>" * 10_000

    with pytest.raises(NotAPicture):
        store.put(page(), wrap)
    assert sent <= 3


def test_a_picture_that_claims_too_many_pixels_is_refused(store: BlobStore) -> None:
    for bomb in (png(50_000, 50_000), heic(20_000, 20_000)):
        with pytest.raises(TooManyPixels, match="5000万像素"):
            store.put([bomb], wrap)


def test_a_picture_is_no_recording_and_a_film_is_none_either(store: BlobStore) -> None:
    with pytest.raises(NotARecording, match="JPEG"):
        store.put([picture("JPEG")], wrap, Kind.RECORDING)
    film = ftyp(b"isom", b"mp42") + box(b"hdlr", b"\0" * 8 + b"vide")
    with pytest.raises(NotARecording, match="视频"):
        store.put([film], wrap, Kind.RECORDING)


def test_when_the_key_cannot_be_wrapped_nothing_is_kept(tmp_path: Path, store: BlobStore) -> None:
    def erased(secret: bytes) -> bytes:
        raise PermissionError

    with pytest.raises(PermissionError):
        store.put([picture("JPEG")], erased)
    assert files(tmp_path) == []


def test_every_refusal_speaks_chinese() -> None:
    made = [
        TooLarge(1),
        Empty(),
        NotAPicture(None),
        NotARecording("GIF"),
        TooManyPixels(1),
        RecordingTooLong(60, 75),
        RecordingDamaged(),
    ]
    assert {type(one) for one in made} == set(UploadRefused.__subclasses__())
    assert all("请" in str(one) for one in made)


# Signatures ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")]
)
def test_the_size_in_the_header_is_that_of_a_real_picture(form: str, media_type: str) -> None:
    found = recognise(picture(form, (321, 123)))
    assert found is not None
    assert (found.media_type, found.width, found.height) == (media_type, 321, 123)


def test_a_lossless_and_an_animated_webp_tell_their_size() -> None:
    for options in (
        {"lossless": True},
        {"save_all": True, "append_images": [Image.new("RGB", (321, 123), (9, 9, 9))]},
    ):
        out = io.BytesIO()
        Image.new("RGB", (321, 123), (1, 2, 3)).save(out, "WEBP", **options)
        found = recognise(out.getvalue())
        assert found is not None and (found.width, found.height) == (321, 123)


def test_a_progressive_jpeg_with_exif_before_tells_its_size() -> None:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "x" * 30_000
    Image.new("RGB", (300, 200)).save(out, "JPEG", progressive=True, exif=exif)
    found = recognise(out.getvalue())
    assert found is not None and (found.width, found.height) == (300, 200)


def test_a_heic_tells_the_size_of_the_whole_and_not_of_a_tile() -> None:
    found = recognise(heic(4032, 3024))
    assert found is not None
    assert (found.media_type, found.width, found.height) == ("image/heic", 4032, 3024)


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"#!AMR\n\x3c", "audio/amr"),
        (b"#!AMR-WB\n\x3c", "audio/amr"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav"),
        (b"OggS\0\x02" + b"\0" * 20 + b"\x01\x13OpusHead\x01", "audio/ogg"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm\x86\x86A_OPUS", "audio/webm"),
        (ftyp(b"M4A ", b"mp42", b"isom"), "audio/mp4"),
        (ftyp(b"mp42", b"isom"), "audio/mp4"),
        (b"\xff\xf1\x50\x80\x02\x1f\xfc", "audio/aac"),
        (b"ID3\x04\0\0\0\0\0\0", "audio/mpeg"),
        (b"\xff\xfb\x90\x64\0", "audio/mpeg"),
    ],
)
def test_recordings_of_phones_are_known(head: bytes, media_type: str) -> None:
    found = recognise(head)
    assert found is not None
    assert (found.kind, found.media_type) == (Kind.RECORDING, media_type)


@given(
    start=st.sampled_from(
        [
            b"",
            b"\xff\xd8\xff",
            b"\x89PNG\r\n\x1a\n",
            b"RIFF\0\0\0\0WEBPVP8X",
            ftyp(b"heic"),
            b"\xff\xfb",
        ]
    ),
    rest=st.binary(max_size=200),
)
def test_no_bytes_whatever_break_the_look_at_a_head(start: bytes, rest: bytes) -> None:
    recognise(start + rest)


def test_a_jpeg_of_nothing_but_markers_is_read_once_through() -> None:
    assert recognise(b"\xff\xd8" + b"\xff" * HEAD_BYTES) is not None
    assert recognise(b"\xff\xd8" + b"\xff\xd0" * (HEAD_BYTES // 2)) is not None


# Orphans ------------------------------------------------------------------------------------


def test_only_old_files_that_nobody_cites_are_collected(tmp_path: Path, store: BlobStore) -> None:
    cited, orphan, young = (store.put([picture("PNG")], wrap).sha256 for _ in range(3))
    half = tmp_path / "blobs" / "incoming" / "half"
    half.write_bytes(b"half")
    old = (NOW - timedelta(hours=49)).timestamp()
    for path in files(tmp_path):
        if path.name != young:
            os.utime(path, (old, old))
    os.utime(next(path for path in files(tmp_path) if path.name == young), (NOW.timestamp(),) * 2)
    gone = store.collect_orphans(lambda name: name == cited, NOW - timedelta(hours=48))
    assert gone == [orphan]
    assert sorted(store.names()) == sorted([cited, young])
    assert not half.exists()
