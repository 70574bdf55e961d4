"""What a PostgreSQL must be before the log is written to it. Asks, changes nothing."""

from dataclasses import dataclass

import psycopg
from psycopg.rows import TupleRow

SESSION = {
    "synchronous_commit": "on",
    # A writer that hangs inside a transaction would hold back every reader of the log.
    "idle_in_transaction_session_timeout": "10s",
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "client_encoding": "UTF8",
}
"""Settings of the writing session, asserted after connecting: a pooler may have dropped them."""

NETWORK = {
    "connect_timeout": "5",
    "tcp_user_timeout": "10000",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "2",
    "target_session_attrs": "primary",
}
"""Connection parameters: a peer that has vanished is noticed within seconds, a standby refused."""


@dataclass(frozen=True, slots=True)
class Check:
    """A question with one right answer, and what it means when the answer is another."""

    question: str
    right: tuple[str, ...]
    otherwise: str


CHECKS = (
    Check("SHOW synchronous_commit", ("on", "remote_apply"), "an acknowledged event could be lost"),
    Check("SHOW fsync", ("on",), "an acknowledged event could be lost"),
    Check("SHOW full_page_writes", ("on",), "a torn page would destroy events"),
    Check("SHOW idle_in_transaction_session_timeout", ("10s",), "readers could be held for ever"),
    Check("SHOW statement_timeout", ("30s",), "the committer could hang for ever"),
    Check(
        "SHOW max_prepared_transactions",
        ("0",),
        "a forgotten prepared transaction would hold back every reader",
    ),
    Check(
        "SELECT seqcache::text FROM pg_sequence"
        " WHERE seqrelid = pg_get_serial_sequence('events', 'position')::regclass",
        ("1",),
        "positions given out in blocks would appear behind readers",
    ),
    Check(
        "SELECT count(*)::text FROM pg_trigger WHERE tgrelid = 'events'::regclass"
        " AND tgname = 'events_only_grow' AND tgenabled IN ('O', 'A')",
        ("1",),
        "the log could be rewritten",
    ),
    Check("SELECT pg_is_in_recovery()::text", ("false",), "a standby takes no writes"),
)

ROLE = Check(
    "SELECT has_table_privilege('events', 'UPDATE, DELETE, TRUNCATE')::text",
    ("false",),
    "the engine should sign in as a role that can INSERT and SELECT only",
)

REMOTE = Check("SHOW tcp_user_timeout", ("10s",), "a dead network would be noticed after hours")


def shortcomings(
    connection: psycopg.Connection[TupleRow],
    *,
    owner_allowed: bool,
) -> list[str]:
    """What is wrong, in words; empty if nothing is. Raises psycopg.Error.

    `owner_allowed` leaves out the narrow role, for a trial on one's own machine.
    """
    checks = list(CHECKS)
    if not owner_allowed:
        checks.append(ROLE)
    if not connection.info.host.startswith("/"):
        checks.append(REMOTE)
    wrong = []
    for check in checks:
        row = connection.execute(check.question).fetchone()
        answer = None if row is None else str(row[0])
        if answer not in check.right:
            wrong.append(f"{check.question} → {answer}: {check.otherwise}")
    if not connection.info.host.startswith("/"):
        wrong += _tcp(connection)
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    if row is None or row[0] != connection.info.backend_pid:
        # A pooler shows its clients a process id of its own making.
        wrong.append("a pooler stands in between: sessions, LISTEN and locks would not hold")
    return wrong


def _tcp(connection: psycopg.Connection[TupleRow]) -> list[str]:
    if connection.info.get_parameters().get("tcp_user_timeout", "0") == "0":
        return ["tcp_user_timeout is not set on our side of the connection"]
    return []
