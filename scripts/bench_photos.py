"""Reports with two photos of 400 kB through HTTP while they are examined; a large photo when idle.

`python -m scripts.bench_photos [--seconds 10] [--clients 8]` starts the real server in a process of
its own with everything on, and its examiner. One unit is what a phone does: two uploads one after
the other, then the report that cites them. Prints one JSON line: units a second, p50/p99 of a unit
and p99 of its requests in ms, how many photos were examined meanwhile, seconds until a photo of
12 megapixels can be looked at when nothing else is asked (the slowest of five), the ratio of sealed
and durable bytes to plain ones written and fsynced alone.
"""

import argparse
import asyncio
import io
import json
import os
import re
import tempfile
import time
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import httpx
import numpy as np
from PIL import Image

from scripts.bench_http import cpu_seconds, resident_mb, server

PHOTO_BYTES = 400_000
LARGE = (4000, 3000)
EDGE = "bench-photo-edge"


class Timed(NamedTuple):
    """Seconds of whole units, and of each of their requests."""

    units: list[float]
    uploads: list[float]
    reports: list[float]


def photo(seed: int, size: tuple[int, int] = (2000, 1500), wanted: int = PHOTO_BYTES) -> bytes:
    """A JPEG of about so many bytes, as a phone's: smooth parts, edges, grain."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (size[1] // 50, size[0] // 50, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    grain = rng.normal(0, 9, (size[1], size[0], 1))
    image = Image.fromarray(np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8))
    out = io.BytesIO()
    for quality in range(95, 20, -5):
        out = io.BytesIO()
        image.save(out, "JPEG", quality=quality)
        if out.tell() <= wanted:
            break
    return out.getvalue()


def multipart(content: bytes) -> bytes:
    """The body of an upload."""
    head = (
        f'--{EDGE}\r\nContent-Disposition: form-data; name="file"; filename="p.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    return head.encode() + content + f"\r\n--{EDGE}--\r\n".encode()


class Phone:
    """One kept-alive connection."""

    def __init__(self, port: int, key: str, took: Timed) -> None:
        self._port, self._key, self._took = port, key, took

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

    async def post(self, path: str, kind: str, body: bytes) -> dict[str, object]:
        head = (
            f"POST /api/v1{path} HTTP/1.1\r\nHost: bench\r\nContent-Type: {kind}\r\n"
            f"Authorization: Partner {self._key}\r\nIdempotency-Key: {uuid4()}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        await self._writer.drain()
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        content = await self._reader.readexactly(length)
        if not answer.startswith(b"HTTP/1.1 201"):
            raise SystemExit(answer.decode() + content.decode())
        told: dict[str, object] = json.loads(content)
        return told

    async def unit(self, photos: list[bytes], n: int) -> None:
        """Two uploads and the report that cites them."""
        began = time.perf_counter()
        cited = []
        for i in range(2):
            at = time.perf_counter()
            body = photos[(2 * n + i) % len(photos)]
            told = await self.post("/photos", f"multipart/form-data; boundary={EDGE}", body)
            self._took.uploads.append(time.perf_counter() - at)
            cited.append({"upload": told["upload"], "source": "camera"})
        at = time.perf_counter()
        place = {"lon": 116.28 + n % 97 / 2000, "lat": 39.99, "crs": "wgs84", "kind": "road"}
        report = {"place": place, "text": "路口堆着垃圾，没人清理。", "photos": cited}
        await self.post("/reports", "application/json", json.dumps(report).encode())
        self._took.reports.append(time.perf_counter() - at)
        self._took.units.append(time.perf_counter() - began)


async def load(port: int, key: str, clients: int, seconds: float, photos: list[bytes]) -> Timed:
    """All phones at once, for so long."""
    took = Timed([], [], [])
    until = time.perf_counter() + seconds

    async def phone(n: int) -> None:
        one = Phone(port, key, took)
        await one.open()
        turn = n
        while time.perf_counter() < until:
            await one.unit(photos, turn)
            turn += clients

    await asyncio.gather(*(phone(n) for n in range(clients)))
    return took


def waiting(http: httpx.Client) -> int:
    """How many files wait to be examined."""
    found = re.search(r"^casework_examining_waiting (\d+)", http.get("/metrics").text, re.MULTILINE)
    assert found
    return int(found[1])


def drain(http: httpx.Client) -> None:
    """Wait until nothing waits to be examined, and what is in hand is done."""
    while waiting(http):
        time.sleep(0.1)
    time.sleep(1.5)  # the count is a second old


def ready_after(http: httpx.Client, key: str, content: bytes) -> float:
    """Seconds from the first byte sent until the photo of a report can be looked at."""
    headers = {"Authorization": f"Partner {key}", "Idempotency-Key": str(uuid4())}
    began = time.perf_counter()
    sent = http.post("/api/v1/photos", files={"file": ("p.jpg", content)}, headers=headers)
    place = {"lon": 116.3, "lat": 39.99, "crs": "wgs84", "kind": "road"}
    cited = [{"upload": sent.json()["upload"], "source": "camera"}]
    report = {"place": place, "text": "路口堆着垃圾，没人清理。", "photos": cited}
    case = http.post("/api/v1/reports", json=report, headers=headers).json()["case_id"]
    while True:
        shown = http.get(f"/api/v1/cases/{case}/photos", headers=headers).json()["photos"]
        if shown and shown[0]["state"] == "ready":
            return time.perf_counter() - began
        time.sleep(0.01)


def plain_writes(folder: Path, contents: list[bytes], seconds: float) -> float:
    """The same bytes as plain files, fsynced one after another: files a second."""
    n, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        with (folder / f"plain{n}").open("wb") as file:
            file.write(contents[n % len(contents)])
            file.flush()
            os.fsync(file.fileno())
        n += 1
    return n / (time.perf_counter() - began)


def at(took: list[float], part: float) -> float:
    """A quantile in ms."""
    return round(sorted(took)[int(len(took) * part)] * 1e3, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--clients", type=int, default=8)
    given = parser.parse_args()
    contents = [photo(seed) for seed in range(6)]
    bodies = [multipart(content) for content in contents]
    with tempfile.TemporaryDirectory() as folder:
        var = Path(folder) / "var"
        with server(var, "") as (port, key, pid):
            http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
            asyncio.run(load(port, key, 2, 2, bodies))  # warm
            drain(http)
            idle = [ready_after(http, key, photo(90 + n, LARGE, 5_000_000)) for n in range(5)]
            drain(http)
            before = cpu_seconds(pid)
            began = time.perf_counter()
            took = asyncio.run(load(port, key, given.clients, given.seconds, bodies))
            spent = time.perf_counter() - began
            cpu = cpu_seconds(pid) - before
            left = waiting(http)
            memory = resident_mb(pid)
            drained = time.perf_counter()
            drain(http)
            drained = time.perf_counter() - drained
            http.close()
        plain = plain_writes(Path(folder), contents, 2)
    units = len(took.units)
    print(
        json.dumps(
            {
                "clients": given.clients,
                "photo_kb": round(sum(map(len, contents)) / len(contents) / 1000),
                "photo_reports_per_s": round(units / spent, 1),
                "unit_p50_ms": at(took.units, 0.5),
                "unit_p99_ms": at(took.units, 0.99),
                "upload_p99_ms": at(took.uploads, 0.99),
                "report_p99_ms": at(took.reports, 0.99),
                "examined_meanwhile_per_s": round((2 * units - left) / spent, 1),
                "left_waiting": left,
                "drained_in_s": round(drained, 1),
                "ready_12_megapixels_s": round(max(idle), 2),
                "server_cpu_ms_per_unit": round(cpu / units * 1e3, 1),
                "resident_mb": round(memory, 1),
                "plain_files_per_s": round(plain),
                "ratio_to_plain_files": round(2 * units / spent / plain, 3),
            }
        )
    )


if __name__ == "__main__":
    main()
