"""`casework dry-run` as a person meets it, over the demonstration: tables, files, exit codes."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from api.__main__ import program
from api.commands.exits import Exit, Refused
from tests.running.conftest import Stage
from tests.running.test_command_line import ROOT

SPAN = ("--first", "2026-10-01", "--last", "2026-11-11")
BIKES = (ROOT / "data" / "indicators" / "P10.toml").read_text(encoding="utf-8")


class Ended(NamedTuple):
    code: int
    out: str
    said: str


@pytest.fixture
def here(demonstration: Stage, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """The command in this very process: what its start costs is another test's affair."""
    monkeypatch.setenv("CASEWORK_VAR", str(demonstration.parts.settings.var.absolute()))
    head = demonstration.parts.casework.eventlog.head()

    def call(*arguments: str) -> Ended:
        command = program("dry-run")
        done = CliRunner().invoke(command, ["dry-run", *SPAN, "--as-of", str(head), *arguments])
        assert demonstration.parts.casework.eventlog.head() == head
        if isinstance(done.exception, Refused):
            return Ended(done.exception.code, done.stdout, str(done.exception))
        return Ended(done.exit_code, done.stdout, done.stderr)

    return call


def table(printed: str) -> list[dict[str, str]]:
    lines = [line for line in printed.splitlines() if "\t" in line]
    return list(csv.DictReader(lines, delimiter="\t"))


@pytest.fixture
def stricter(tmp_path: Path) -> Path:
    """P10 with one duty minute for every row."""
    file = tmp_path / "P10.toml"
    lines = [
        line if "limit" not in line else 'limit = { amount = 1, unit = "duty_minute" }'
        for line in BIKES.splitlines()
    ]
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def test_an_indicator_from_a_file_is_told_by_street_and_saved_with_the_cases(
    here: Callable[..., Ended], stricter: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    done = here("--indicator", str(stricter), "--csv", str(out))
    assert done.code == Exit.DONE, done.said
    told = table(done.out)
    whole = [row for row in told if row["街镇"] == "全区"]
    streets = [row for row in told if row["街镇"] != "全区"]
    assert whole and {row["指标"] for row in told} == {"P10"}
    newly = sum(int(row["新增超期"]) for row in whole)
    assert newly > 0 and newly == sum(int(row["新增超期"]) for row in streets)
    assert "试算 指标 P10" in done.said  # the bar
    saved = list(csv.DictReader(out.read_text(encoding="utf-8-sig").splitlines()))
    assert [row["街镇"] for row in saved] == [row["街镇"] for row in streets]
    assert all(len(row["新增超期案件"].split()) == int(row["新增超期"]) for row in saved)


def test_the_shipped_calendar_changes_nobodys_side_and_another_may(
    here: Callable[..., Ended], tmp_path: Path
) -> None:
    same = here("--calendar", str(ROOT / "data" / "calendar"))
    assert same.code == Exit.DONE, same.said
    assert {(row["新增超期"], row["不再超期"]) for row in table(same.out)} == {("0", "0")}
    (tmp_path / "windows.toml").write_text(
        "duty = [[00:00:00, 00:00:00]]\nworking = [[09:00:00, 18:00:00]]\n"
    )
    night = here("--calendar", str(tmp_path), "--streets", "110108011")
    assert night.code == Exit.DONE, night.said
    assert {row["街镇"] for row in table(night.out)} == {"全区", "110108011"}


def test_what_cannot_be_tried_ends_with_its_code_and_no_table(
    here: Callable[..., Ended], tmp_path: Path
) -> None:
    broken = tmp_path / "P10.toml"
    broken.write_text("code = 7")
    data = str(ROOT / "data" / "calendar")
    for arguments, code in (
        ((), 2),
        (("--change", "1", "--calendar", data), 2),
        (("--calendar", data, "--streets", "110108999"), 2),
        (("--calendar", data, "--last", "2026-01-01"), 2),
        (("--change", "99999"), Exit.NOT_POSSIBLE),
        (("--indicator", str(broken)), Exit.BAD_INPUT),
        (("--calendar", str(tmp_path)), Exit.BAD_INPUT),
        (("--calendar", data, "--as-of", "999999999"), Exit.BAD_INPUT),
    ):
        done = here(*arguments)
        assert (done.code, done.out) == (code, ""), (arguments, done)
        assert any("\u4e00" <= sign <= "\u9fff" for sign in done.said)
