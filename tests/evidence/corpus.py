"""Malformed images that others collected, fetched when a test asks for them and never committed.

`collect(folder)` fetches source archives through the machine's own package tools: Pillow's from
the Python index by pip, exiv2's and libheif's from Debian by apt-get (a private configuration, so
that nothing of the system is changed). What cannot be had is told, not hidden. From the archives
come all files that begin or end like a picture, each once by its content; and from each of the
readable ones a few broken by us, by a fixed seed, so that the number is enough anywhere.
"""

import hashlib
import io
import os
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ENDINGS = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".heic", ".heif", ".avif", ".gif",
    ".tif", ".tiff", ".bmp", ".svg", ".jp2", ".psd", ".ico", ".cr2", ".nef", ".crw", ".orf", ".mpo",
    ".raf", ".pgf", ".eps", ".xmp", ".exv", ".poc", ".jls", ".dds", ".tga", ".icns", ".pcx", ".fli",
)  # fmt: skip
# Names that fuzzers give.
MARKS = ("crash", "timeout", "oom", "poc", "clusterfuzz", "fuzz", "issue_", "hang", "corpus")
MOST_BYTES = 20 * 1024 * 1024
PILLOW = "pillow==13.0.0"
DEBIAN = ("exiv2", "libheif", "libwebp", "libpng1.6", "libjpeg-turbo")
_SOURCES = Path("/etc/apt/sources.list.d/debian.sources")


class Sample(NamedTuple):
    """A file of the corpus: where it comes from, and its bytes."""

    name: str
    content: bytes


class Corpus(NamedTuple):
    """All files, and what could not be fetched and why."""

    samples: list[Sample]
    missing: list[str]


def collect(folder: Path, broken_each: int = 4) -> Corpus:
    """Fetch what can be fetched into `folder`; each file once."""
    missing = [*_fetch_pillow(folder), *_fetch_debian(folder)]
    seen: dict[str, Sample] = {}
    for archive in sorted(folder.glob("*.tar.*")):
        if archive.suffix not in {".gz", ".xz", ".bz2"}:
            continue  # a signature
        for sample in _in_archive(archive):
            seen.setdefault(hashlib.sha256(sample.content).hexdigest(), sample)
    found = list(seen.values())
    return Corpus([*found, *_broken(found, broken_each)], missing)


def _fetch_pillow(folder: Path) -> Iterator[str]:
    run = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "pillow"]
    if shutil.which("pip") is None and not _has_pip():
        yield "pillow: no pip"
        return
    if not _has_pip():
        run[:3] = ["pip"]
    if list(folder.glob("pillow-*")):
        return
    done = subprocess.run(
        [*run, "--dest", str(folder), PILLOW],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if done.returncode:
        yield f"pillow: {done.stderr.strip()[-200:]}"


def _has_pip() -> bool:
    probe = [sys.executable, "-m", "pip", "--version"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def _fetch_debian(folder: Path) -> Iterator[str]:
    if shutil.which("apt-get") is None or not _SOURCES.exists():
        yield "Debian: no apt-get here"
        return
    with tempfile.TemporaryDirectory() as room:
        apt = _apt(Path(room))
        update = subprocess.run(
            [*apt, "update"], capture_output=True, text=True, timeout=600, check=False
        )
        if update.returncode:
            yield f"Debian: {update.stderr.strip()[-200:]}"
            return
        for package in DEBIAN:
            if list(folder.glob(f"{package}_*.orig*")):
                continue
            done = subprocess.run(
                [*apt, "source", "--download-only", "--tar-only", package],
                cwd=folder, capture_output=True, text=True, timeout=600, check=False,
            )  # fmt: skip
            if done.returncode:
                yield f"{package}: {done.stderr.strip()[-200:]}"


def _apt(room: Path) -> list[str]:
    """apt-get with lists and cache of its own, for the sources of the system's own servers."""
    sources = room / "sources.sources"
    sources.write_text(_SOURCES.read_text().replace("Types: deb\n", "Types: deb-src\n"))
    for part in ("lists/partial", "cache/archives/partial"):
        (room / part).mkdir(parents=True)
    options = {
        "Dir::Etc::sourcelist": str(sources),
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": str(room / "lists"),
        "Dir::Cache": str(room / "cache"),
        "Debug::NoLocking": "1",
        "APT::Sandbox::User": "",
    }
    return ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in options.items())]


def _in_archive(archive: Path) -> Iterator[Sample]:
    with tarfile.open(archive) as opened:
        for member in opened:
            if not member.isfile() or not 0 < member.size <= MOST_BYTES:
                continue
            name = member.name.lower()
            file = opened.extractfile(member) if _wanted(name) or name.endswith(".zip") else None
            if file is None:
                continue
            content = file.read()
            if name.endswith(".zip"):
                yield from _in_zip(f"{archive.name}/{member.name}", content)
            else:
                yield Sample(f"{archive.name}/{member.name}", content)


def _in_zip(name: str, content: bytes) -> Iterator[Sample]:
    """Fuzzing corpora are kept zipped."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            for member in opened.infolist()[:500]:
                if 0 < member.file_size <= MOST_BYTES and not member.is_dir():
                    yield Sample(f"{name}/{member.filename}", opened.read(member))
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError):
        return


def _wanted(name: str) -> bool:
    base = os.path.basename(name)  # noqa: PTH119  a name inside an archive is no path of ours
    return base.endswith(ENDINGS) or any(mark in base for mark in MARKS)


def _broken(samples: list[Sample], each: int) -> Iterator[Sample]:
    """Bytes turned, runs repeated, ends cut off: of what looks like an accepted picture."""
    rng = random.Random(20_250_601)
    for sample in samples:
        if not sample.content.startswith((b"\xff\xd8\xff", b"\x89PNG", b"RIFF")) and (
            sample.content[4:8] != b"ftyp"
        ):
            continue
        if len(sample.content) > 400_000:
            continue
        for number in range(each):
            broken = bytearray(sample.content)
            for _ in range(rng.choice((1, 3, 12, 60))):
                broken[rng.randrange(len(broken))] = rng.choice((0, 0x7F, 0xFF, rng.randrange(256)))
            if rng.random() < 0.3:
                at = rng.randrange(len(broken))
                broken[at:at] = broken[at : at + rng.randrange(1, 2000)]
            if rng.random() < 0.3:
                del broken[rng.randrange(len(broken) // 4, len(broken)) :]
            yield Sample(f"{sample.name}~{number}", bytes(broken))
