"""What holds of the repository itself: locks with hashes, no addresses of an index, thin rules."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests import sharing

ROOT = Path(__file__).parents[2]
LOCKS = (
    "requirements.txt",
    "requirements-dev.txt",
    "requirements-setup.txt",
    "requirements-assets.txt",
)
INDEX = re.compile(
    r"--(?:extra-)?index-url|--find-links|--trusted-host|https?://[^\s\"')]*/(?:simple|pypi)\b"
    r"|https?://registry|npmjs|npmmirror|/-/[\w.-]+\.tgz|_authToken"
)
HERE = Path(__file__).relative_to(ROOT)


def committed() -> list[Path]:
    """The files of the repository; where it is no clone, all that lie in its folders."""
    done = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode == 0 and done.stdout:
        return [Path(name) for name in done.stdout.split("\0") if name]
    folders = (
        "api",
        "casework",
        "data",
        "docs",
        "evidence",
        "recognition",
        "geo",
        "miniprogram",
        "projections",
        "scripts",
        "tests",
    )
    return [p.relative_to(ROOT) for f in folders for p in (ROOT / f).rglob("*") if p.is_file()]


def lines(name: str) -> list[str]:
    return (ROOT / name).read_text().splitlines()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_of_a_lock_is_pinned_and_hashed(lock: str) -> None:
    text = (ROOT / lock).read_text().replace("\\\n", " ")
    packages = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert packages
    for package in packages:
        assert re.match(r"[a-z0-9._-]+==[^ ]+ ", package), package
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", package), package


def test_what_runs_is_locked_alike_for_developers() -> None:
    def pins(lock: str) -> set[str]:
        """Those of the oldest Python; a lock may part for newer ones."""
        pinned = [line for line in lines(lock) if "==" in line and line[0] != " "]
        return {line.split(" ")[0] for line in pinned if "version >=" not in line}

    assert pins("requirements.txt") <= pins("requirements-dev.txt")


def test_every_dependency_is_in_its_lock() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = {line.split("==")[0] for line in lines("requirements.txt") if "==" in line}
    for wanted in project["dependencies"]:
        name = re.split(r"[\[<>=]", wanted)[0]
        assert name.lower().replace("_", "-") in locked


def test_no_file_names_an_index_of_packages() -> None:
    for path in committed():
        if path == HERE or not (ROOT / path).is_file():
            continue
        text = (ROOT / path).read_bytes().decode("utf-8", errors="ignore")
        found = INDEX.search(text)
        allowed = path == Path("Makefile") and found is not None and "--no-emit-index-url" in text
        assert found is None or allowed, f"{path}: {found}"


def test_the_rules_about_imports_are_kept() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_the_scripts_a_person_runs_can_be_run() -> None:
    for name in (
        "scripts/setup",
        "scripts/check",
        "scripts/casework",
        "scripts/bring-assets",
        ".ci/run",
    ):
        assert (ROOT / name).stat().st_mode & 0o111, name
        assert lines(name)[0] == "#!/bin/sh"


def test_every_ignore_of_a_rule_has_a_reason() -> None:
    for path in committed():
        if path.suffix != ".py" or path == HERE or not (ROOT / path).is_file():
            continue
        before = ""
        for number, line in enumerate(lines(str(path)), start=1):
            if "# noqa" in line and not before.startswith("# "):
                said = re.sub(r".*# noqa(?:: ?[A-Z]+\d+(?:, ?[A-Z]+\d+)*)?", "", line)
                assert len(said.strip(" -:#")) >= 4, f"{path}:{number}"
            before = line.strip()


def test_the_groups_of_tests_name_files_there_are() -> None:
    named = {*sharing.DEMONSTRATION, *sharing.LONGEST} - {
        *sharing.ACROSS_FILES,
        *sharing.BROWSERS,
        "demonstration",
    }
    assert not [name for name in named if not (ROOT / name).is_file()]
    marked = "mark." + "xdist_group"  # without effect: see tests/sharing.py
    tests = [path for path in committed() if path.parts[0] == "tests" and path.suffix == ".py"]
    assert not [
        path for path in tests if (ROOT / path).is_file() and marked in (ROOT / path).read_text()
    ]


def test_a_test_is_of_its_file_or_of_a_group_across_files() -> None:
    of = sharing.group_of
    assert of("tests/api/test_pages.py::test_a[town-sqlite]") == "town-sqlite"
    assert of("tests/api/test_pages.py::test_a[x-town-postgres]") == "town-postgres"
    assert of("tests/api/test_pages.py::test_town-sqlite") == "tests/api/test_pages.py"
    assert of("tests/running/test_tour.py::test_a") == "demonstration"
    assert sharing.rank("town-postgres") < sharing.rank("tests/api/test_pages.py")


def test_one_module_alone_makes_a_log() -> None:
    """Another could write to standard output, which belongs to what a command was asked for."""
    own = [
        file.as_posix()
        for file in committed()
        if file.suffix == ".py"
        and file.parts[0] != "tests"
        and "structlog" in (ROOT / file).read_text()
    ]
    assert own == ["api/logs.py"]
