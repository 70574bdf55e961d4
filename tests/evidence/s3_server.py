"""A real S3 server on the loopback, in a process of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.ports import free_port


@contextmanager
def s3_server(*buckets: str) -> Iterator[str]:
    """Its address, with these buckets in it. It ends with the block, and keeps nothing."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "MOTO_CORS": ""},
    )
    try:
        _await(server, port)
        for bucket in buckets:
            assert httpx.put(f"{address}/{bucket}", timeout=60).status_code == 200
        yield address
    finally:
        server.terminate()
        server.wait(60)


def _await(server: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert server.poll() is None, "the S3 server has ended"
        with socket.socket() as knock:
            knock.settimeout(0.1)
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(port)
