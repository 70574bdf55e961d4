"""The checker itself: it passes what is in order, and finds each thing that is not."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pysqlite3 import dbapi2

from tests.api.client import open_town, settings_for
from tests.api.test_life_stories import (
    a_recheck_upheld_by_one_who_did_not_close,
    two_reports_of_one_matter_merged_and_both_rated,
)
from tests.assurance.rig import check


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation in which some cases have lived."""
    folder = tmp_path_factory.mktemp("sound")
    with open_town(settings_for(folder / "var")) as town:
        two_reports_of_one_matter_merged_and_both_rated(town)
        a_recheck_upheld_by_one_who_did_not_close(town)
    return folder / "var"


def alter(var: Path, file: str, *statements: str) -> None:
    connection = dbapi2.connect(var / file, isolation_level=None)
    triggers = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
    for (name,) in triggers.fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    connection.close()


def in_views(statement: str) -> Callable[[Path], None]:
    def meddle(var: Path) -> None:
        name = (var / "views-serving").read_text().strip()
        alter(var, f"views-{name}.db", statement)

    return meddle


def in_log(*statements: str) -> Callable[[Path], None]:
    return lambda var: alter(var, "log.db", *statements)


def in_desk(statement: str) -> Callable[[Path], None]:
    return lambda var: alter(var, "desk.db", statement)


def without_a_file(var: Path) -> None:
    next(path for path in (var / "blobs").glob("??/??/*")).unlink()


LAST = (
    "DELETE FROM events WHERE position = (SELECT max(position) FROM events WHERE stream ="
    " (SELECT stream FROM events WHERE name = 'report-submitted' ORDER BY position LIMIT 1))"
)
MEDDLING: dict[str, tuple[str, Callable[[Path], None]]] = {
    "an event gone from the end": ("I7", in_log(LAST)),
    "an event gone from the middle": (
        "I4", in_log("DELETE FROM events WHERE name = 'case-acknowledged'"),
    ),
    "an event's words changed": (
        "I11", in_log("UPDATE events SET state = x'7b7d' WHERE version = 2"),
    ),
    "an event's time changed": ("I11", in_log("UPDATE events SET at = at - 1 WHERE version = 1")),
    "a step that the table does not know": (
        "I10", in_log("UPDATE events SET name = 'case-suspended' WHERE name = 'case-acknowledged'"),
    ),
    "a status changed in the view": ("I7", in_views("UPDATE case_board SET status = 'refused'")),
    "a case gone from the view": ("I7", in_views("DELETE FROM case_board WHERE version > 3")),
    "an event twice in the view": (
        "I6", in_views("UPDATE timeline SET position = position + 100000 WHERE name LIKE '%rated'"),
    ),
    "a reader ahead of its rows": ("I8", in_views("UPDATE reader_position SET n = n + 1")),
    "a file gone": ("I9", without_a_file),
    "an audit row gone": ("I16", in_desk("DELETE FROM audit WHERE action = 'close'")),
    "an audit row changed": ("I16", in_desk("UPDATE audit SET action = 'x' WHERE seq = 9")),
}  # fmt: skip


def test_what_is_in_order_passes(sound: Path) -> None:
    code, says = check(sound)
    assert code == 0, says
    assert json.loads(says)["looked at"]["cases"] == 3


@pytest.mark.parametrize(("number", "meddle"), MEDDLING.values(), ids=MEDDLING)
def test_what_is_not_in_order_is_found(
    sound: Path, tmp_path: Path, number: str, meddle: Callable[[Path], None]
) -> None:
    var = tmp_path / "var"
    shutil.copytree(sound, var)
    meddle(var)
    code, says = check(var)
    assert code == 1
    assert number in says


ANSWER: dict[str, object] = {"who": "partner:x", "path": "/api/v1/reports", "key": "k"}
TALES: dict[str, tuple[str, list[dict[str, object]]]] = {
    "an answer for what is not there": (
        "I1", [ANSWER, {**ANSWER, "status": 201, "case": "c", "position": 1, "hash": "00"}],
    ),
    "two answers to one key": (
        "I2",
        [
            {**ANSWER, "status": 201, "case": "c", "position": 1, "hash": "00"},
            {**ANSWER, "status": 201, "case": "d", "position": 2, "hash": "00"},
        ],
    ),
    "the case of a stranger": (
        "given the case of a stranger",
        [
            {**ANSWER, "status": 201, "case": "c", "position": 1, "hash": "00"},
            {**ANSWER, "who": "partner:y", "status": 201, "case": "c", "position": 1, "hash": "00"},
        ],
    ),
    "a command never settled": ("I3", [ANSWER]),
}  # fmt: skip


@pytest.mark.parametrize(("number", "lines"), TALES.values(), ids=TALES)
def test_an_answer_that_cannot_be_is_found(
    sound: Path, tmp_path: Path, number: str, lines: list[dict[str, object]]
) -> None:
    said = tmp_path / "said.jsonl"
    said.write_text("".join(json.dumps(line) + "\n" for line in lines))
    code, says = check(sound, said=[said])
    assert code == 1
    assert number in says
