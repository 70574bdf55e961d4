"""The shipped calendar is what the package tells, and a new year is seeded from it."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import msgspec
import pytest

from casework.clocks import CalendarYear, Holiday
from casework.errors import Missing
from casework.seeds import calendar_events
from scripts.calendar_years import FOLDER, as_toml, differences, seeded, shipped
from tests.history import FOUNDED

ROOT = Path(__file__).parents[2]
SHIPPED = [shipped(path) for path in sorted(FOLDER.glob("[0-9][0-9][0-9][0-9].toml"))]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scripts.calendar_years", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("year", SHIPPED, ids=lambda year: str(year.year))
def test_a_shipped_year_is_what_the_package_tells_but_for_the_source(year: CalendarYear) -> None:
    assert seeded(year.year) == msgspec.structs.replace(year, source="")
    assert year.source


@pytest.mark.parametrize("year", SHIPPED, ids=lambda year: str(year.year))
def test_a_seeded_file_reads_back_and_asks_for_its_source(
    year: CalendarYear, tmp_path: Path
) -> None:
    file = tmp_path / f"{year.year}.toml"
    file.write_text(as_toml(seeded(year.year)))
    (tmp_path / "windows.toml").write_bytes((FOLDER / "windows.toml").read_bytes())
    assert shipped(file) == seeded(year.year)
    with pytest.raises(Missing, match="出处"):
        calendar_events(tmp_path, FOUNDED)


def test_a_day_told_otherwise_is_named() -> None:
    [*_, year] = SHIPPED
    wrong = msgspec.structs.replace(
        year,
        worked=year.worked[1:],
        holidays=(*year.holidays[:-1], Holiday("国庆节", date(2026, 10, 1), date(2026, 10, 8))),
    )
    assert differences(year, year) == []
    assert differences(wrong, year) == ["2026-01-04: 平日 / 上班", "2026-10-08: 国庆节 / 平日"]


def test_the_program_seeds_a_missing_year_once_and_never_one_that_is_unknown(
    tmp_path: Path,
) -> None:
    seeding = run("2025", "--into", str(tmp_path))
    assert seeding.returncode == 0 and (tmp_path / "2025.toml").exists()
    assert run("2025", "--into", str(tmp_path)).returncode == 2
    assert run("2090", "--into", str(tmp_path)).returncode == 3
    assert not (tmp_path / "2090.toml").exists()
