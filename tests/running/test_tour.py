"""docs/tour.md, executed: its Python runs against a real server over a real demonstration."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from api.demo_pictures import picture
from tests.ports import free_port
from tests.running.conftest import Stage

ROOT = Path(__file__).parents[2]
ADDRESS = "http://127.0.0.1:8000"


def wait_until_ready(address: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        try:
            if httpx.get(f"{address}/health/ready").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise TimeoutError


def test_every_step_of_the_tour_is_so(demonstration: Stage, tmp_path: Path) -> None:
    blocks = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs/tour.md").read_text(encoding="utf-8"), re.DOTALL
    )
    shutil.copytree(demonstration.parts.settings.var, tmp_path / "var")
    (tmp_path / "after.jpg").write_bytes(picture("P01", 1, after=True))
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-m", "api", "serve", "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, "CASEWORK_VAR": str(tmp_path / "var")},
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_ready(address, server)
        done = subprocess.run(
            [sys.executable, "-c", "\n".join(blocks).replace(ADDRESS, address)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        server.terminate()
        # It ends the requests in hand, then itself by the signal it got.
        assert server.wait(60) in (0, -signal.SIGTERM)
    assert done.returncode == 0, done.stderr
