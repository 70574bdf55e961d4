"""Reports through HTTP against raw INSERT+COMMIT of the same bytes, in one run on the same cores.

`python scripts/bench_http.py [--postgres] [--seconds 10] [--clients 32]` starts the real server in
a process of its own with everything on (sealing, keys, policy with a partner key, idempotency,
dispatch, audit) and sends text reports over kept-alive connections. Prints one JSON line: reports
a second, p50/p99 in ms, raw rows a second, their ratio, resident memory after 1,000 reports.
"""

import argparse
import asyncio
import json
import os
import random
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from pysqlite3 import dbapi2  # noqa: E402  after the path is set

from tests.postgres import running_server  # noqa: E402  as above

TEXTS = (
    "地铁口人行道上共享单车停得太满，推婴儿车过不去，请尽快清理。",
    "小区东门旁边的垃圾桶满了两天，垃圾都堆到路上了，味道很大。",
    "公交站牌和电线杆上贴满了小广告，看着很乱，还有开锁的电话。",
    "河道里漂着很多塑料袋和树叶，水面很脏，希望有人打捞。",
    "工地外面的路上全是浮土，车一过就扬尘，附近居民不敢开窗。",
)


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@contextmanager
def server(var: Path, database: str) -> Iterator[tuple[int, str, int]]:
    """A running server: its port, a partner's key, its process id."""
    env = {**os.environ, "CASEWORK_VAR": str(var), "CASEWORK_DATABASE": database}
    env["CASEWORK_LOG_OWNER_ALLOWED"] = "true"
    made = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "bench_partner.py")],
        env=env, cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    key = made.stdout.strip().splitlines()[-1]
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "api", "serve", "--port", str(port)],
        env=env, cwd=ROOT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _await_ready(port)
        yield port, key, process.pid
    finally:
        process.terminate()
        process.wait(20)


def _await_ready(port: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as s:
                s.sendall(b"GET /health/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                if b" 200 " in s.recv(100):
                    return
        except OSError:
            pass
        time.sleep(0.05)
    raise TimeoutError("the server did not become ready")


def body(rng: random.Random) -> bytes:
    """One report inside the district."""
    return json.dumps(
        {
            "place": {
                "lon": round(rng.uniform(116.25, 116.33), 6),
                "lat": round(rng.uniform(39.96, 40.04), 6),
                "crs": "wgs84",
                "accuracy_m": 10,
                "kind": rng.choice(["road", "compound", "metro_exit", "green"]),
                "address": "中关村大街27号附近",
            },
            "text": rng.choice(TEXTS),
            "no_photo_reason": "no_camera",
            "contact": "13900000000",
            "source_channel": "app",
        }
    ).encode()


async def client(
    port: int, key: str, until: float, seed: int, took: list[float], most: int = 1 << 30
) -> None:
    """One kept-alive connection that reports again and again, at most so often."""
    rng = random.Random(seed)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < until and most:
        most -= 1
        content = body(rng)
        head = (
            "POST /api/v1/reports HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
            f"Authorization: Partner {key}\r\nIdempotency-Key: {uuid4()}\r\n"
            f"Content-Length: {len(content)}\r\n\r\n"
        )
        began = time.perf_counter()
        writer.write(head.encode() + content)
        answer = await reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 201"):
            raise SystemExit(answer.decode() + (await reader.read(2000)).decode())
        length = int(answer.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        took.append(time.perf_counter() - began)
    writer.close()


async def reports(port: int, key: str, clients: int, count: int) -> None:
    """So many reports, shared by the clients."""
    took: list[float] = []
    until = time.perf_counter() + 60
    share = count // clients
    await asyncio.gather(*(client(port, key, until, -n, took, share) for n in range(clients)))


async def load(port: int, key: str, clients: int, seconds: float) -> list[float]:
    """The times of all answered reports, in seconds."""
    took: list[float] = []
    until = time.perf_counter() + seconds
    await asyncio.gather(*(client(port, key, until, n, took) for n in range(clients)))
    return took


def raw_sqlite(folder: Path, seconds: float, size: int) -> float:
    """INSERT+COMMIT of one row of these bytes, durable, one after another: rows a second."""
    connection = dbapi2.connect(str(folder / "raw.db"), isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE raw (id INTEGER PRIMARY KEY AUTOINCREMENT, state BLOB)")
    payload, n, began = os.urandom(size), 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        connection.execute("INSERT INTO raw (state) VALUES (?)", (payload,))
        n += 1
    rate = n / (time.perf_counter() - began)
    connection.close()
    return rate


def raw_postgres(url: str, seconds: float, size: int) -> float:
    """The same on PostgreSQL."""
    import psycopg  # noqa: PLC0415  only this mode needs it

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE raw (id bigserial PRIMARY KEY, state bytea)")
        payload, n, began = os.urandom(size), 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            connection.execute("INSERT INTO raw (state) VALUES (%s)", (payload,))
            n += 1
        return n / (time.perf_counter() - began)


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """Resident memory of a process in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def measure(var: Path, database: str, clients: int, seconds: float) -> dict[str, object]:
    """One run on one store."""
    with server(var, database) as (port, key, pid):
        empty = resident_mb(pid)
        asyncio.run(reports(port, key, 8, 1000))  # warm
        memory = resident_mb(pid)
        before = cpu_seconds(pid)
        took = sorted(asyncio.run(load(port, key, clients, seconds)))
        cpu = cpu_seconds(pid) - before
    size = 1500
    raw = raw_postgres(database, 3, size) if database else raw_sqlite(var, 3, size)
    rate = len(took) / seconds
    return {
        "store": "postgresql" if database else "sqlite",
        "clients": clients,
        "reports_per_s": round(rate),
        "p50_ms": round(took[len(took) // 2] * 1e3, 1),
        "p99_ms": round(took[int(len(took) * 0.99)] * 1e3, 1),
        "raw_rows_per_s": round(raw),
        "ratio_to_raw": round(rate / raw, 2),
        "server_cpu_ms_per_report": round(cpu / len(took) * 1e3, 2),
        "resident_mb_at_start": round(empty, 1),
        "resident_mb_after_1000": round(memory, 1),
        "client_cpu_s": round(resource.getrusage(resource.RUSAGE_SELF).ru_utime, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--clients", type=int, default=32)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        var = Path(folder) / "var"
        if not given.postgres:
            print(json.dumps(measure(var, "", given.clients, given.seconds)))
            return
        with running_server() as found:
            print(json.dumps(measure(var, found.fresh_database(), given.clients, given.seconds)))


if __name__ == "__main__":
    main()
