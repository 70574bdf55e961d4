"""The command line as a person meets it: exit codes, Chinese sentences, nothing half done."""

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from api.__main__ import COMMANDS
from api.commands.exits import Exit
from tests.api.client import prepared

ROOT = Path(__file__).parents[2]


def casework(
    *arguments: str, var: Path, given: str = "", **settings: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "api", *arguments],
        cwd=ROOT,
        env={**os.environ, "CASEWORK_VAR": str(var), "COLUMNS": "200", "NO_COLOR": "1", **settings},
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_names_every_command_in_chinese(tmp_path: Path) -> None:
    shown = casework("--help", var=tmp_path).stdout
    for name, line in COMMANDS.items():
        assert name in shown and line in shown


def test_positions_become_streets(tmp_path: Path) -> None:
    table = "id,lon,lat\na,116.3195,39.9834\nb,116.5,39.9\n"
    done = casework("locate", var=tmp_path, given=table)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert done.returncode == Exit.DONE
    assert [(row["id"], row["street"], row["certainty"]) for row in rows] == [
        ("a", "110108011", "inside"),
        ("b", "", "outside_district"),
    ]
    assert list(rows[0]) == ["id", "street", "certainty", "border_m", "runner_up", "because"]


def test_a_table_without_its_columns_is_refused(tmp_path: Path) -> None:
    done = casework("locate", var=tmp_path, given="id,lon\n1,116.3\n")
    assert (done.returncode, done.stdout) == (Exit.BAD_INPUT, "")
    assert "缺少列" in done.stderr


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    done = casework("accounts", "list", var=tmp_path, CASEWORK_PORT="many")
    assert done.returncode == Exit.BAD_INPUT
    assert "CASEWORK_PORT" in done.stderr


def test_the_first_administrators_token_is_given_for_one_of_three_roles_only(
    tmp_path: Path,
) -> None:
    var = prepared(tmp_path / "var")
    done = casework("accounts", "first-admin", var=var)
    assert done.returncode == Exit.DONE
    assert len(done.stdout.strip()) >= 40
    refused = casework("accounts", "first-admin", "--role", "reviewer", var=var)
    assert (refused.returncode, refused.stdout) == (Exit.NOT_POSSIBLE, "")


def test_a_fresh_folder_verifies(tmp_path: Path) -> None:
    done = casework("verify", var=tmp_path / "var")
    assert done.returncode == Exit.DONE
    assert "全部完好" in done.stdout


@pytest.mark.parametrize("day", ["2999-01-01"])
def test_no_story_is_told_of_the_future(tmp_path: Path, day: str) -> None:
    done = casework("demo", "--until", day, var=tmp_path / "var")
    assert done.returncode == Exit.BAD_INPUT
    assert not (tmp_path / "var" / "log.db").exists()


def test_texts_become_indicators(tmp_path: Path) -> None:
    table = (
        "\ufeffid,text,place_kind\n"
        "a,盲道上停满了共享单车,road\n"
        'b,"小区里有人扔了旧沙发,还有床垫",compound\n'
        "c,楼道里堆满了纸箱子,\n"
        "d,,\n"
    )
    done = casework("recognise", var=tmp_path / "none", given=table)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert done.returncode == Exit.DONE, done.stderr
    assert list(rows[0]) == [
        "id", "text", "place_kind", "first", "second", "third", "score", "out_of_scope",
    ]  # fmt: skip
    assert [(row["first"], row["out_of_scope"]) for row in rows] == [
        ("P09", "0"),
        ("C02", "0"),
        (rows[2]["first"], "1"),
        ("", "0"),
    ]
    assert rows[1]["text"] == "小区里有人扔了旧沙发,还有床垫"
    assert len({rows[0][name] for name in ("first", "second", "third")}) == 3
    assert 0.65 < float(rows[0]["score"]) <= 1 and rows[3]["score"] == ""
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ("id,words\n1,盲道\n", "缺少列"),
        ("text,score\n盲道,1\n", "score"),
        ("text\n盲道,1\n", "第 2 行"),
        ("", "缺少列"),
    ],
)
def test_a_table_that_cannot_be_recognised_is_refused(tmp_path: Path, table: str, why: str) -> None:
    done = casework("recognise", var=tmp_path, given=table)
    assert done.returncode == Exit.BAD_INPUT
    assert why in done.stderr
