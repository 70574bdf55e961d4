"""An installation with its server and its load as processes, to be killed and looked at."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import LiteralString
from uuid import UUID, uuid4

import httpx
import psycopg
from pysqlite3 import dbapi2

from api.access import READS, REPORTS
from api.accounts.people import add_account
from api.accounts.principal import Channel, Principal, PrincipalKind
from api.commands.opening import opened
from api.parts import Parts
from casework.model import Role
from tests.api.client import prepared, settings_for
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds after which something that was waited for counts as wedged."""

SERVE = ("-m", "api", "serve")
LYING = ("-m", "tests.assurance.lying")
"""A server that acknowledges before it commits: the control."""


def wait_for(happened: Callable[[], bool], what: str, process: subprocess.Popen[bytes]) -> None:
    """Look until it has happened; the process it depends on must live. Raises TimeoutError."""
    until = time.monotonic() + PATIENCE
    while not happened():
        try:
            ended = process.wait(0.02)
        except subprocess.TimeoutExpired:
            ended = None
        if ended is not None:
            raise ChildProcessError(f"ended with {ended} while waiting: {what}")
        if time.monotonic() > until:
            raise TimeoutError(what)


@dataclass
class Installation:
    """Files and databases, the people in it, and what its clients said."""

    folder: Path
    database: str = ""
    further: dict[str, str] = field(default_factory=dict)
    """Settings of the server beside the usual ones."""
    said: list[Path] = field(default_factory=list)
    program: tuple[str, ...] = SERVE

    def __post_init__(self) -> None:
        self.var = self.folder / "var"
        self.people = self.folder / "people.json"
        settings = settings_for(self.var, self.database)
        if not self.database:
            prepared(self.var)
        self._env = os.environ | {
            f"CASEWORK_{name.upper()}": str(getattr(settings, name))
            for name in (
                "var", "database", "log_owner_allowed",
                "report_limit", "upload_limit", "status_limit", "citizen_limit",
            )
        } | {f"CASEWORK_{name.upper()}": value for name, value in self.further.items()}  # fmt: skip
        with opened(settings) as parts:
            people = [*(_partner(parts, name) for name in ("甲平台", "乙平台")), _reviewer(parts)]
        self.people.write_text(json.dumps(people))
        self.says = people[0][1]

    # servers -------------------------------------------------------------------------

    @contextmanager
    def server(self) -> Iterator["Server"]:
        """A running, ready server; ended by SIGTERM if it still lives."""
        port = free_port()
        with (self.folder / "server.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *self.program, "--port", str(port)],
                cwd=ROOT, env=self._env, stdout=log, stderr=log,
            )  # fmt: skip
        server = Server(self, process, port)
        try:
            wait_for(server.ready, "the server is ready", process)
            yield server
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(PATIENCE)
            server.http.close()

    # looking inside ------------------------------------------------------------------

    def ask(self, file: str, question: LiteralString) -> int:
        """One number of a database, asked plainly; on SQLite the schemas are files."""
        if self.database:
            with psycopg.connect(self.database) as connection:
                found = connection.execute(question).fetchone()
        else:
            connection = dbapi2.connect(f"file:{self.var / file}?mode=ro", uri=True)
            try:
                found = connection.execute(question.replace("desk.", "")).fetchone()
            finally:
                connection.close()
        return int(found[0] or 0) if found else 0

    def head(self) -> int:
        return self.ask("log.db", "SELECT max(position) FROM events")

    def commands(self) -> int:
        """Commands of this load in the log."""
        return self.ask(
            "log.db",
            "SELECT count(*) FROM events WHERE ordinal = 0"
            " AND name IN ('report-submitted', 'case-claimed', 'case-registered')",
        )

    def answers(self) -> int:
        """Answers written down so far."""
        return sum(path.read_bytes().count(b'"status"') for path in self.said if path.exists())

    def check(self) -> tuple[int, str]:
        """What the checker says, while no server runs."""
        return check(self.var, self.database, self.said)


def check(var: Path, database: str = "", said: Sequence[Path] = ()) -> tuple[int, str]:
    """The checker's exit code and its words."""
    done = subprocess.run(
        [
            sys.executable, "scripts/checker.py", "--var", str(var),
            "--database", database, "--said", *map(str, said),
        ],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@dataclass
class Server:
    """A process that serves."""

    installation: Installation
    process: subprocess.Popen[bytes]
    port: int

    def __post_init__(self) -> None:
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"Authorization": self.installation.says},
            timeout=30,
        )

    def ready(self) -> bool:
        try:
            return self.http.get("/health/ready").status_code == 200
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        """SIGKILL: nothing is written, closed or said any more."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)

    @contextmanager
    def load(self, *options: str, processes: int = 2, clients: int = 6) -> Iterator[None]:
        """Clients in processes of their own; they end when the server is gone or at the end."""
        started = []
        for _ in range(processes):
            said = self.installation.folder / f"said-{len(self.installation.said)}.jsonl"
            self.installation.said.append(said)
            started.append(self._client("drive", said, "--clients", str(clients), *options))
        try:
            yield
        finally:
            for process in started:
                if self.process.poll() is None:
                    process.terminate()
                process.wait(PATIENCE)

    def settle(self) -> None:
        """Send again, under the same keys, all that was sent and not answered."""
        settled = self.installation.folder / f"said-{len(self.installation.said)}.jsonl"
        self.installation.said.append(settled)
        process = self._client("settle", *self.installation.said)
        assert process.wait(PATIENCE) == 0

    def _client(self, what: str, *arguments: Path | str) -> subprocess.Popen[bytes]:
        if what == "settle":
            for path in arguments:
                Path(path).touch()
        return subprocess.Popen(
            [
                sys.executable, "-m", "tests.assurance.load", what, str(self.port),
                str(self.installation.people), *map(str, arguments),
            ],
            cwd=ROOT,
        )  # fmt: skip

    def answered(self, more: int) -> None:
        """Wait for this many more answers."""
        before = self.installation.answers()
        wait_for(
            lambda: self.installation.answers() >= before + more, f"{more} answers", self.process
        )

    def in_order(self) -> None:
        """Wait until views and audit trail have all that stands in the log."""
        head = self.installation.head()

        def reached() -> bool:
            answer = self.http.get("/api/v1/cases", params={"after": head, "limit": 1})
            if answer.status_code != 200 or answer.json()["as_of"] < head:
                return False
            rows = self.installation.ask("desk.db", "SELECT count(command_id) FROM desk.audit")
            return rows >= self.installation.commands()

        wait_for(reached, "views and audit have caught up", self.process)


def _office(role: Role) -> Principal:
    return Principal(kind=PrincipalKind.STAFF, account_id=uuid4(), roles=(role,))


def _partner(parts: Parts, name: str) -> tuple[str, str]:
    partner: UUID = uuid4()
    parts.partners.create(partner, name, _office(Role.SYSADMIN), parts.now())
    scopes = (READS, REPORTS)
    parts.partners.grant_scopes(partner, scopes, _office(Role.SECADMIN), parts.now())
    issued = parts.partners.rotate_key(partner, uuid4(), _office(Role.SYSADMIN), parts.now())
    return f"partner:{partner}", f"Partner {issued.value}"


def _reviewer(parts: Parts) -> tuple[str, str]:
    account, proposal, now = uuid4(), uuid4(), parts.now()
    with parts.desk.write() as connection:
        add_account(connection, account, "审核甲", "审核甲", "never signs in", now=now)
    roles = (Role.REVIEWER,)
    parts.grants.propose(proposal, account, roles, None, _office(Role.SYSADMIN), now)
    parts.grants.confirm(proposal, _office(Role.SECADMIN), now)
    with parts.desk.write() as connection:
        token = parts.sessions.open(
            connection, account, PrincipalKind.STAFF, Channel.BEARER, uuid4(), now
        )
    return f"staff:{account}", f"Bearer {token.value}"
