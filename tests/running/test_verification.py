"""What `casework verify` must find. Each fault is made by hand, in a copy of a whole folder."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pysqlite3 import dbapi2 as sqlite3

from api.commands.verification import LogCheck, audit_wrong
from api.settings import Settings
from api.wiring import build
from tests.running.conftest import Stage

GUARDS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"

Fault = Callable[[Path], None]


def in_log(*statements: str) -> Fault:
    """Changes the log behind its guards, as somebody with the file could."""

    def make(var: Path) -> None:
        with sqlite3.connect(var / "log.db") as db:
            guards = db.execute(GUARDS).fetchall()
            for name, _ in guards:
                db.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                db.execute(statement)
            for _, made in guards:
                db.execute(made)
        db.close()

    return make


def lose_a_file(var: Path) -> None:
    next((var / "blobs").glob("??/??/*")).unlink()


def change_a_file(var: Path) -> None:
    path = next((var / "blobs").glob("??/??/*"))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def change_the_trail(var: Path) -> None:
    with sqlite3.connect(var / "desk.db") as db:
        for name, _ in db.execute(GUARDS).fetchall():
            db.execute(f"DROP TRIGGER {name}")
        db.execute("UPDATE audit SET action = 'nothing' WHERE seq = 20")
    db.close()


MOVE_IN_TIME = (
    "UPDATE events SET at = at + 1"
    " WHERE position = (SELECT max(position) FROM events WHERE name = 'case-rated')"
)
TAKE_OUT = (
    "DELETE FROM events"
    " WHERE position = (SELECT min(position) FROM events WHERE name = 'case-acknowledged')"
)


@pytest.mark.parametrize(
    ("fault", "invariant"),
    [
        (in_log(MOVE_IN_TIME), "I11"),
        (in_log(TAKE_OUT), "I4"),
        (lose_a_file, "I9"),
        (change_a_file, "I9"),
        (change_the_trail, "I16"),
    ],
)
def test_a_fault_is_found(
    demonstration: Stage, tmp_path: Path, fault: Fault, invariant: str
) -> None:
    var = tmp_path / "var"
    shutil.copytree(demonstration.parts.settings.var, var)
    fault(var)
    parts = build(Settings(var=var), demonstration.clock)
    try:
        found = [*LogCheck(parts).run(lambda _read: None), *audit_wrong(parts)]
    finally:
        parts.casework.close()
        parts.keys.close()
        parts.desk.close()
    assert invariant in {wrong.invariant for wrong in found}
