"""The running app against its own description, by a client that was not written here."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from casework.model import Role
from tests.api.client import SQLITE, ZHONGGUANCUN, Caller, Town

CONFIG = Path(__file__).parent / "schemathesis.toml"
BRIEF = ["--phases", "examples"]
EDGES = ["--phases", "coverage"]
DEEP = [
    "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "60",
    "--exclude-path", "/api/v1/sessions/current",
]  # fmt: skip
"""Nobody signs out in the middle: all that comes after it would be answered by 401."""


def staff(role: Role, street: str | None = None) -> Callable[[Town], Caller]:
    """An account of its own: among what is tried is signing out."""
    return lambda town: town.staff(f"照章{role}", role, street=street)


VISITORS: dict[str, Callable[[Town], Caller | None]] = {
    "nobody": lambda _town: None,
    "a partner": lambda town: town.partner("照章接入方"),
    "a citizen": lambda town: town.citizen("照章市民"),
    "a reviewer": staff(Role.REVIEWER),
    "a street": staff(Role.STREET, ZHONGGUANCUN),
    "a street's lead": staff(Role.STREET_LEAD, ZHONGGUANCUN),
    "a checker": staff(Role.CHECKER),
    "a supervisor": staff(Role.SUPERVISOR),
    "an editor": staff(Role.EDITOR),
    "an analyst": staff(Role.ANALYST),
    "a sysadmin": staff(Role.SYSADMIN),
    "a secadmin": staff(Role.SECADMIN),
    "an auditor": staff(Role.AUDITOR),
}


def run(town: Town, visitor: Caller | None, folder: Path, options: list[str]) -> None:
    """Every check of schemathesis; what it found otherwise stands in the failure.

    One worker: two that compile at once upset CPython 3.11 now and then ("AST constructor
    recursion depth mismatch"), which counts as an error of the run.
    """
    said = visitor.credentials() if visitor else None
    base = str(town.http.base_url).rstrip("/")
    command = [
        str(Path(sys.executable).with_name("st")), "--config-file", str(CONFIG), "run",
        f"{base}/api/v1/openapi.json", "--checks", "all", "--no-color", "--workers", "1",
        "--seed", "20260511", "--generation-database", ":memory:", "--suppress-health-check", "all",
        "--warnings", "off", "--continue-on-failure", *options,
    ]  # fmt: skip
    if said is not None:
        command += ["--header", f"Authorization: {said}"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONWARNINGS": "default"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    assert "operations" in done.stdout.lower()


@pytest.mark.parametrize("town", [SQLITE], indirect=True)
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("nobody", BRIEF),
        pytest.param("a reviewer", EDGES, marks=pytest.mark.deep),
        pytest.param("a partner", EDGES, marks=pytest.mark.deep),
    ],
    ids=["nobody", "a reviewer, every edge", "a partner, every edge"],
)
def test_the_app_answers_as_it_says(
    town: Town, name: str, options: list[str], tmp_path: Path
) -> None:
    run(town, VISITORS[name](town), tmp_path, options)


@pytest.mark.deep
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", VISITORS)
def test_the_app_answers_as_it_says_at_length(town: Town, name: str, tmp_path: Path) -> None:
    run(town, VISITORS[name](town), tmp_path, DEEP)
