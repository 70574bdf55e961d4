"""Stores that fail under the engine: writes are refused, reads go on, nothing is lost."""

import resource
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from pysqlite3 import dbapi2

from tests.assurance.rig import Installation, Server, wait_for
from tests.postgres import running_server

REPORT = {
    "place": {"lon": 116.32367, "lat": 39.98207, "crs": "wgs84", "kind": "road"},
    "text": "共享单车停得太满。",
    "no_photo_reason": "no_camera",
}


def report(server: Server) -> httpx.Response:
    return server.http.post(
        "/api/v1/reports", json=REPORT, headers={"Idempotency-Key": str(uuid4())}
    )


@pytest.mark.deep
def test_a_crashed_postgresql_is_taken_up_again_by_the_same_process(tmp_path: Path) -> None:
    with running_server() as postgres:
        installation = Installation(tmp_path, postgres.fresh_database())
        with installation.server() as server:
            with server.load(processes=1):
                server.answered(100)
                postgres.stop("immediate")
                wait_for(lambda: not server.ready(), "the crash is noticed", server.process)
                assert server.http.get("/api/v1/cases").status_code == 503
                answer = report(server)
                assert answer.status_code == 503
                assert answer.json()["type"].startswith("/problems/")
                assert int(answer.headers["Retry-After"]) >= 1
                postgres.start()
                wait_for(server.ready, "the engine has recovered", server.process)
                server.answered(100)
            server.settle()
            server.in_order()
        code, says = installation.check()
        assert code == 0, says


def size(installation: Installation, files: str) -> int:
    """Bytes of the largest of these files."""
    return max(path.stat().st_size for path in installation.var.glob(files))


def sitting_in(log: Path) -> dbapi2.Connection:
    """A reader who stays: the WAL is not begun again while it sits there, so it only grows."""
    connection = dbapi2.connect(f"file:{log}?mode=ro", uri=True, isolation_level=None)
    connection.execute("BEGIN")
    connection.execute("SELECT count(*) FROM events").fetchone()
    return connection


def test_a_full_disk_refuses_writes_and_keeps_reads(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: the log's WAL cannot grow."""
    installation = Installation(tmp_path)
    with installation.server() as server, closing(sitting_in(installation.var / "log.db")):
        with server.load(processes=1):
            server.answered(250)
        server.settle()
        server.in_order()
        first = server.http.get("/api/v1/cases", params={"limit": 1}).json()["cases"][0]
        # The limit must meet the log before anything else. A busy machine commits more at once,
        # and the views are larger then; one by one it is the log's WAL that grows.
        while (log := size(installation, "log.db-wal")) < size(installation, "*.db*"):
            assert report(server).status_code == 201
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (log + 8192, log + 8192))
        refused = [answer for _ in range(40) if (answer := report(server)).status_code != 201]
        assert refused
        for answer in refused:
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["Retry-After"]) >= 1
        assert not server.ready()
        assert server.http.get("/health/live").status_code == 200
        again = server.http.get(f"/api/v1/cases/{first['case_id']}")
        assert again.status_code == 200 and again.json()["number"] == first["number"]
        assert server.http.get("/api/v1/cases").status_code == 200
    with installation.server() as server:  # on a disk with room again
        assert report(server).status_code == 201
        server.in_order()
