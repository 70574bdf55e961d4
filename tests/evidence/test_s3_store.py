"""The same sealed files in an S3-compatible service: a real one, reached over the loopback."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import obstore
import pytest
from obstore.store import S3Store as Bucket

from evidence.blobs import Blob, BlobStore
from evidence.errors import BlobDamaged, BlobMissing, StoreUnavailable
from evidence.s3_store import S3
from tests.evidence.s3_server import s3_server
from tests.evidence.test_blobs import picture, unwrap, wrap


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with s3_server("evidence") as found:
        yield found


@pytest.fixture
def s3(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> S3:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tests")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "tests")
    return S3(f"s3://evidence/{tmp_path.name}", tmp_path / "incoming", address)


@pytest.fixture
def store(s3: S3) -> BlobStore:
    return BlobStore(s3)


class Raw:
    """The bucket as somebody with its keys sees it, past the blob store."""

    def __init__(self, address: str, prefix: str) -> None:
        self._bucket = Bucket(
            "evidence",
            prefix=prefix,
            endpoint=address,
            region="us-east-1",
            client_options={"allow_http": True},
        )

    def get(self, sha256: str) -> bytes:
        return bytes(obstore.get(self._bucket, self._key(sha256)).bytes())

    def put(self, sha256: str, content: bytes) -> None:
        obstore.put(self._bucket, self._key(sha256), content)

    def _key(self, sha256: str) -> str:
        return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


@pytest.fixture
def raw(s3: S3, address: str, tmp_path: Path) -> Raw:
    return Raw(address, tmp_path.name)


def test_a_file_comes_back_as_it_was_and_lies_sealed_in_the_bucket(
    store: BlobStore, raw: Raw, tmp_path: Path
) -> None:
    canary = b"canary of the reporter"
    sent = picture("JPEG") + canary * 9000
    blob = store.put([sent], wrap)
    assert store.read(blob, unwrap) == sent
    assert canary not in raw.get(blob.sha256)
    assert list((tmp_path / "incoming").iterdir()) == []
    assert store.verify(blob.sha256) and store.exists(blob.sha256)


def test_what_was_changed_there_is_found_out(store: BlobStore, raw: Raw) -> None:
    blob, other = store.put([picture("PNG")], wrap), store.put([picture("PNG")], wrap)
    for content in (b"", b"HDBLB\x01", os.urandom(400)):
        raw.put(blob.sha256, content)
        assert not store.verify(blob.sha256)
        with pytest.raises(BlobDamaged):
            store.read(blob, unwrap)
    # A whole other file, with its own right key, under this name: only the hash tells.
    raw.put(blob.sha256, raw.get(other.sha256))
    with pytest.raises(BlobDamaged):
        store.read(Blob(blob.sha256, other.size, other.media_type, other.wrapped_key), unwrap)


def test_a_name_is_given_once(s3: S3, store: BlobStore, tmp_path: Path) -> None:
    blob = store.put([picture("PNG")], wrap)
    late = tmp_path / "late"
    late.write_bytes(b"another writer, under a name that is taken")
    s3.admit(late, blob.sha256)
    assert store.read(blob, unwrap) == picture("PNG")
    assert not late.exists()


def test_deleted_is_gone_and_deleting_twice_is_no_fault(store: BlobStore) -> None:
    blob = store.put([picture("PNG")], wrap)
    assert store.delete(blob.sha256) is True
    assert store.delete(blob.sha256) is False
    assert not store.exists(blob.sha256)
    with pytest.raises(BlobMissing):
        store.read(blob, unwrap)
    for name in ("0" * 64, "../../etc/passwd", ""):
        with pytest.raises(BlobMissing):
            store.verify(name)


def test_only_old_files_that_nobody_cites_are_collected(store: BlobStore) -> None:
    cited, orphan = (store.put([picture("PNG")], wrap).sha256 for _ in range(2))
    assert sorted(store.names()) == sorted([cited, orphan])
    now = datetime.now(UTC)
    assert store.collect_orphans(lambda name: name == cited, now - timedelta(hours=48)) == []
    gone = store.collect_orphans(lambda name: name == cited, now + timedelta(minutes=1))
    assert gone == [orphan]
    assert list(store.names()) == [cited]


def test_a_service_that_is_gone_is_told_and_nothing_is_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tests")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "tests")
    gone = BlobStore(S3("s3://evidence", tmp_path / "incoming", "http://127.0.0.1:9"))
    began = time.monotonic()
    with pytest.raises(StoreUnavailable, match="稍后重试"):
        gone.put([picture("PNG")], wrap)
    assert time.monotonic() - began < 60
    assert list((tmp_path / "incoming").iterdir()) == []
