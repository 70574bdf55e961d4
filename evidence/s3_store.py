"""Sealed bytes in an S3-compatible service. Opens none; credentials come from the environment.

The service sees sealed bytes and their hash, nothing else. A file is created only where none of
its name is (`If-None-Match: *`), so that no writer replaces what a reader may be reading.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from io import BufferedIOBase, BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError
from obstore.store import S3Store as Bucket

from evidence.errors import BlobMissing, StoreUnavailable
from evidence.store import Kept, Quarantine, require_name

TIMEOUT = timedelta(seconds=20)
"""For one request; an upload that the service does not take in this time is refused."""

_LISTED = 1000


class S3:
    """A bucket, under a prefix: `s3://bucket/prefix`.

    `endpoint` is the service's address, such as https://oss.example.cn; empty for AWS by region.
    Keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or what else the environment has.
    """

    def __init__(
        self, address: str, quarantine: Path, endpoint: str = "", region: str = ""
    ) -> None:
        at = urlsplit(address)
        self._incoming = Quarantine(quarantine)
        self._bucket = Bucket(
            at.netloc,
            prefix=at.path.strip("/") or None,
            endpoint=endpoint or None,
            region=region or "us-east-1",
            client_options={"allow_http": endpoint.startswith("http://"), "timeout": TIMEOUT},
            retry_config={"max_retries": 3, "retry_timeout": TIMEOUT},
        )

    def quarantine(self) -> tuple[int, Path]:
        """See Store."""
        return self._incoming.new()

    def admit(self, path: Path, sha256: str) -> None:
        """See Store. One of that name is that very file: names are hashes."""
        with _told(), suppress(AlreadyExistsError):
            # In one request: a file is ≤ 20 MB, and parts could not be made conditional.
            obstore.put(
                self._bucket, _key(sha256), path.read_bytes(), mode="create", use_multipart=False
            )
        path.unlink()

    def open(self, sha256: str) -> BufferedIOBase:
        """See Store."""
        with _told():
            try:
                return BytesIO(obstore.get(self._bucket, _key(sha256)).bytes())
            except (NotFoundError, FileNotFoundError):
                raise BlobMissing(sha256) from None

    def exists(self, sha256: str) -> bool:
        """See Store."""
        with _told():
            try:
                obstore.head(self._bucket, _key(sha256))
            except (NotFoundError, FileNotFoundError):
                return False
            return True

    def delete(self, sha256: str) -> bool:
        """See Store. The service itself answers the same whether it was there or not."""
        there = self.exists(sha256)
        with _told():
            obstore.delete(self._bucket, _key(sha256))
        return there

    def kept(self) -> Iterator[Kept]:
        """See Store."""
        with _told():
            pages = list(obstore.list(self._bucket, chunk_size=_LISTED))
        for page in pages:
            for found in page:
                name = str(found["path"]).rpartition("/")[2]
                with suppress(BlobMissing):
                    yield Kept(require_name(name), found["last_modified"].astimezone(UTC))

    def clear_quarantine(self, before: datetime) -> None:
        """See Store."""
        self._incoming.clear(before)


@contextmanager
def _told() -> Iterator[None]:
    """What the service could not do, in the words of this package."""
    try:
        yield
    except BaseError as fault:
        raise StoreUnavailable(type(fault).__name__) from fault


def _key(sha256: str) -> str:
    require_name(sha256)
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"
