"""What the pages take from others: pinned, without address, whole, and never in the way."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from scripts import assets
from tests.untested import untested

ROOT = assets.ROOT
PLACE = assets.lock_of(ROOT).parent
LOCK = json.loads(assets.lock_of(ROOT).read_text())
EVERYTHING = {**assets.FILES, **assets.TEST_FILES}


def test_the_lock_pins_each_package_by_hash_and_says_nothing_of_where_it_comes_from() -> None:
    assert "omit-lockfile-registry-resolved=true" in (PLACE / ".npmrc").read_text().splitlines()
    assert LOCK["lockfileVersion"] == 3
    for name in ("package.json", "package-lock.json", ".npmrc"):
        assert not re.search(r"https?:|resolved\"|//", (PLACE / name).read_text()), name
    packages = {name: told for name, told in LOCK["packages"].items() if name}
    assert packages.keys() == {f"node_modules/{name}" for name in EVERYTHING}
    for name, told in packages.items():
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", told["integrity"]), name
        assert "hasInstallScript" not in told, name
    asked = json.loads((PLACE / "package.json").read_text())
    for name, version in {**asked["dependencies"], **asked["devDependencies"]}.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name
        assert packages[f"node_modules/{name}"]["version"] == version
    assert asked["dependencies"]["leaflet"] == "1.9.4"


def test_nothing_of_it_is_committed_and_every_package_brings_its_licence() -> None:
    done = subprocess.run(
        ["git", "ls-files", "api/pages/static/vendor"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == ""
    assert "api/pages/static/vendor/" in (ROOT / ".gitignore").read_text().splitlines()
    for package, files in EVERYTHING.items():
        assert any("LICENSE" in name for name in files.values()), package
    names = [name for files in EVERYTHING.values() for name in files.values()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("package", EVERYTHING)
def test_each_file_is_the_one_in_the_package_that_the_lock_names(package: str) -> None:
    tests = package in assets.TEST_FILES
    folder = assets.FOR_TESTS if tests else assets.SERVED
    if not assets.is_there(ROOT, folder, assets.TEST_FILES if tests else assets.FILES):
        untested(f"{folder} is empty: nothing of others is served (`make assets`)")
    locked = LOCK["packages"][f"node_modules/{package}"]["integrity"].removeprefix("sha512-")
    named = base64.b64decode(locked).hex()
    fetched = assets.CACHE / "_cacache" / "content-v2" / "sha512"
    fetched = fetched / named[:2] / named[2:4] / named[4:]
    if not fetched.is_file():
        untested(f"{package} as it was fetched is not kept here (`make assets` from nothing)")
    assert hashlib.sha512(fetched.read_bytes()).hexdigest() == named
    with tarfile.open(fetched) as archive:
        for inside, name in EVERYTHING[package].items():
            member = archive.extractfile(f"package/{inside}")
            assert member is not None and member.read() == (folder / name).read_bytes(), name


def tree(to: Path) -> Path:
    """A tree with just what the bringing needs, and older files in place of what is served."""
    shutil.copytree(PLACE, to / "scripts" / "npm")
    shutil.copy(ROOT / "scripts" / "assets.py", to / "scripts")
    served = to / assets.SERVED.relative_to(ROOT)
    served.mkdir(parents=True)
    (served / "leaflet.js").write_text("older")
    return served


def bring(at: Path, path: str, *, more: str = "") -> subprocess.CompletedProcess[str]:
    """Run the script without any package of this environment (-S) and with this path only."""
    return subprocess.run(
        [sys.executable, "-S", "scripts/assets.py", *more.split()],
        cwd=at, env={"PATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def program(folder: Path, says: str) -> str:
    """A folder with an npm of our own making."""
    folder.mkdir()
    (folder / "npm").write_text(f"#!/bin/sh\n{says}\n")
    (folder / "npm").chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


def test_without_npm_it_says_so_and_leaves_what_was_there(tmp_path: Path) -> None:
    served = tree(tmp_path)
    done = bring(tmp_path, "/nowhere")
    assert done.returncode == 1
    assert "没有 npm" in done.stderr and "页面照常可用" in done.stderr
    assert "make assets" in done.stderr and "Traceback" not in done.stderr
    assert [p.name for p in served.iterdir()] == ["leaflet.js"]
    assert bring(tmp_path, "/nowhere", more="--there").returncode == 1


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        ("echo 'npm error code ENOTFOUND' >&2; exit 1", "ENOTFOUND"),
        ("mkdir -p node_modules/leaflet", "leaflet 里没有 dist/leaflet.js"),
    ],
    ids=["fails", "brings too little"],
)
def test_where_npm_fails_it_says_why_and_leaves_what_was_there(
    tmp_path: Path, says: str, reason: str
) -> None:
    served = tree(tmp_path)
    done = bring(tmp_path, program(tmp_path / "bin", says))
    assert done.returncode == 1 and reason in done.stderr, done.stderr
    assert (served / "leaflet.js").read_text() == "older"
    assert [p.name for p in served.parent.iterdir()] == ["vendor"]


def test_what_is_there_is_not_fetched_again_until_the_lock_changes(tmp_path: Path) -> None:
    served = tree(tmp_path)
    says = "echo ran >> $OUT\n" + "\n".join(
        f'mkdir -p "$(dirname node_modules/{package}/{inside})"'
        f" && echo {package} > node_modules/{package}/{inside}"
        for package, files in assets.FILES.items()
        for inside in files
    )
    ran = tmp_path / "ran"
    path = program(tmp_path / "bin", f"OUT={ran}\n{says}")
    first, again = bring(tmp_path, path), bring(tmp_path, path)
    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    assert ran.read_text() == "ran\n"
    assert (served / "leaflet.js").read_text() == "leaflet\n"
    assert bring(tmp_path, path, more="--there").returncode == 0
    (served / "leaflet.css").unlink()
    assert bring(tmp_path, path).returncode == 0
    assert ran.read_text() == "ran\n" * 2, "a file that has gone is brought again"
    lock = tmp_path / "scripts" / "npm" / "package-lock.json"
    lock.write_text(lock.read_text().replace(LOCK["packages"]["node_modules/leaflet"]["integrity"],
                                             "sha512-" + "A" * 86 + "=="))  # fmt: skip
    assert bring(tmp_path, path, more="--there").returncode == 1
    assert bring(tmp_path, path).returncode == 0
    assert ran.read_text() == "ran\n" * 3


def wheel_of(root: Path, into: Path) -> tuple[zipfile.ZipFile, str]:
    """Build the wheel of a tree; the wheel, and what was said meanwhile."""
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(into)],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (wheel,) = into.glob("*.whl")
    return zipfile.ZipFile(wheel), done.stdout + done.stderr


def test_a_wheel_holds_what_is_served_with_the_licences(tmp_path: Path) -> None:
    if not assets.is_there(ROOT, assets.SERVED, assets.FILES):
        untested("nothing of others is here to go into a wheel (`make assets`)")
    wheel, _ = wheel_of(ROOT, tmp_path)
    with wheel:
        for files in assets.FILES.values():
            for name in files.values():
                assert (
                    wheel.read(f"api/pages/static/vendor/{name}")
                    == (assets.SERVED / name).read_bytes()
                )
        assert not [name for name in wheel.namelist() if "axe" in name or "node_modules" in name]


def test_a_wheel_is_built_where_nothing_can_be_brought(tmp_path: Path) -> None:
    at = tmp_path / "tree"
    served = tree(at)
    shutil.rmtree(served)
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, at)
    for name in ("casework", "geo", "evidence", "recognition", "projections", "api"):
        (at / name).mkdir(exist_ok=True)
        (at / name / "__init__.py").touch()
    (at / "scripts" / "npm" / "package-lock.json").write_text('{"packages": {}}')
    wheel, said = wheel_of(at, tmp_path / "out")
    with wheel:
        assert "api/__init__.py" in wheel.namelist()
        assert not [name for name in wheel.namelist() if "vendor" in name]
    assert "页面照常可用" in said
