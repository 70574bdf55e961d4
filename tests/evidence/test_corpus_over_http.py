"""The campaign of `make deep` through the door: malformed pictures of others, sent as residents do.

A server in a process of its own gets every file of the corpora as a report's photo, over HTTP. Its
settings are the usual ones but for the limits per source, since all residents have one address
here, and for the queue, which is short enough to be full at times.
"""

import io
import json
import os
import random
import resource
import threading
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from PIL import Image

from api.commands.opening import opened
from evidence.examining import DISPLAY_SIDE, THUMBNAIL_SIDE
from evidence.sandbox import PICTURES, Limits, Sandbox, Stopped
from tests.api.client import settings_for
from tests.assurance.rig import Installation, Server
from tests.evidence.corpus import Sample, collect
from tests.evidence.leftovers import leftovers, marks
from tests.evidence.residents import NAME, PATIENCE, Photo, Reported, Residents
from tests.evidence.watching import Watch
from tests.untested import untested

pytestmark = pytest.mark.deep

ENOUGH = 1500
CLIENTS = 4
MOST_PHOTOS = 9
QUEUE = 600
SIDES = {"thumbnail": THUMBNAIL_SIDE, "display": DISPLAY_SIDE}
HEADERS = {
    "Content-Type": "image/jpeg",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}
SPARE = 5.0
"""Seconds that pass before somebody stopped is gone, on a machine with much to do."""
TOLD = (0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x8298)
TOLD_WHEN = (0x9003, 0x9004)
"""EXIF: description, make, model, software, time, artist, copyright; taken, digitised."""


@pytest.mark.timeout(7200)
def test_no_malformed_picture_sent_by_a_resident_hurts_anybody(tmp_path: Path) -> None:
    kept = os.environ.get("CASEWORK_CORPUS")
    folder = Path(kept) if kept else tmp_path / "archives"
    folder.mkdir(exist_ok=True)
    samples, missing = collect(folder)
    if len(samples) < ENOUGH:
        untested(f"only {len(samples)} malformed pictures could be fetched: {missing}")
    random.Random(5).shuffle(samples)
    mine = Installation(tmp_path, further={"examine_queue": str(QUEUE)})
    before = in_the_clear(mine.var)
    began = time.monotonic()
    with mine.server() as server, Watch(server.process.pid, "evidence.images") as watch:
        residents = Residents(f"http://127.0.0.1:{server.port}")
        with ThreadPoolExecutor(CLIENTS) as pool:
            reports = list(
                pool.map(residents.report, *zip(*enumerate(nines(samples)), strict=True))
            )
            taken = time.monotonic() - began
            all_examined(server)
            examined = time.monotonic() - began
            looked = list(pool.map(lambda one: Looked(residents, one), reports))
        staff_sees(server, reports)
        assert server.process.poll() is None and server.ready(), "the process that was started"
        measures = server.http.get("/metrics").text
    tell(samples, missing, reports, looked, residents, watch, measures)
    print(f"taken in within {taken:.0f} s, examined within {examined:.0f} s")

    cited = sum(len(one.cited) for one in reports)
    ready = [sample for one in looked for sample in one.ready]
    assert not [status for status in residents.statuses if status >= 500 and status != 503]
    assert residents.statuses[503] == residents.waited, "only `come again later`"
    assert cited + sum(one.refused.total() for one in reports) == len(samples)
    assert len(ready) + sum(one.unreadable.total() for one in looked) == cited
    assert sum(bool(marks(sample.content)) for sample in ready) > ENOUGH / 20, "much was to be lost"

    assert len(watch.benches) == 1, "the bench itself never died"
    assert watch.workers and watch.address_space <= PICTURES.memory
    assert watch.cpu <= PICTURES.cpu + 2 and watch.seconds <= PICTURES.seconds + SPARE
    # Of all processes that ended by now, which the server and each worker are of.
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 <= 1024**3

    code, says = mine.check()
    assert code == 0, says
    only_what_is_cited_stays(mine.var, residents.uncited, cited + 2 * len(ready))
    nothing_of_the_camera_is_kept(mine.var, ready, before)


def nines(samples: list[Sample]) -> list[list[Sample]]:
    """The most that one report may cite."""
    return [samples[at : at + MOST_PHOTOS] for at in range(0, len(samples), MOST_PHOTOS)]


def all_examined(server: Server) -> None:
    """Wait for the queue to run empty; it must get shorter meanwhile."""
    pause, shortest, until = threading.Event(), QUEUE + 1, time.monotonic() + PATIENCE
    while waiting := server.http.get("/health/ready").json()["examining"]:
        if waiting < shortest:
            shortest, until = waiting, time.monotonic() + PATIENCE
        assert time.monotonic() < until, f"{waiting} files wait and none is examined"
        pause.wait(0.5)


class Looked:
    """What a resident finds of a report some time later."""

    def __init__(self, residents: Residents, reported: Reported) -> None:
        self.ready: list[Sample] = []
        self.unreadable: Counter[str] = Counter()
        self._residents = residents
        with residents.holder(reported) as http:
            photos = residents.photos(http, reported)
            case = residents.get(http, f"/api/v1/cases/{reported.case_id}")
            assert case.status_code == 200 and case.json()["status"] == "submitted"
            assert {str(photo["upload"]) for photo in photos} == set(reported.cited)
            for photo in photos:
                self._photo(http, photo, reported.cited[str(photo["upload"])])
            for upload, sample in [*reported.cited.items()][:1]:
                self._no_original(http, UUID(upload), sample)

    def _photo(self, http: httpx.Client, photo: Photo, sample: Sample) -> None:
        if photo["state"] == "ready":
            for kind, side in SIDES.items():
                self._derivative(http, photo[kind], side, sample)
            self.ready.append(sample)
            return
        assert photo["state"] == "unreadable" and photo["state_name"] == "无法使用", sample.name
        says = str(photo["says"])
        assert any("\u4e00" <= sign <= "\u9fff" for sign in says) and says.endswith("。"), says
        assert photo["thumbnail"] is photo["display"] is photo["redacted"] is None
        self.unreadable[says] += 1

    def _derivative(self, http: httpx.Client, file: object, side: int, sample: Sample) -> None:
        assert isinstance(file, dict)
        answer = self._residents.get(http, file["url"])
        assert answer.status_code == 200, f"{sample.name}: {answer.text}"
        assert answer.headers.items() >= {k.lower(): v for k, v in HEADERS.items()}.items()
        assert "set-cookie" not in answer.headers
        content = answer.content
        assert content != sample.content and leftovers(content) == [], sample.name
        with Image.open(io.BytesIO(content)) as image:
            assert image.format == "JPEG" and max(image.size) <= side, sample.name

    def _no_original(self, http: httpx.Client, upload: UUID, sample: Sample) -> None:
        """Under none of the names that somebody could think of."""
        for path in (
            f"/api/v1/photos/{upload.hex}",
            f"/api/v1/photos/{sha256(sample.content).hexdigest()[:32]}",
            f"/api/v1/recordings/{upload.hex}",
        ):
            assert self._residents.get(http, path).status_code == 404, path


def staff_sees(server: Server, reports: list[Reported]) -> None:
    """A reviewer is shown derivatives too, of the tenth of the reports that is looked at."""
    people = json.loads(server.installation.people.read_text())
    (reviewer,) = (says for who, says in people if who.startswith("staff"))
    for one in reports[::10]:
        headers = {"Authorization": reviewer}
        answer = server.http.get(f"/api/v1/cases/{one.case_id}/photos", headers=headers)
        assert answer.status_code == 200, answer.text
        for photo in answer.json()["photos"]:
            for kind in SIDES:
                if photo[kind] is not None:
                    shown = server.http.get(photo[kind]["url"], headers=headers)
                    assert shown.status_code == 200 and leftovers(shown.content) == []


def only_what_is_cited_stays(var: Path, uncited: int, files: int) -> None:
    """Four days later nothing is left but the originals that reports cite and what was made."""
    with opened(settings_for(var), lambda: datetime.now(UTC) + timedelta(days=4)) as parts:
        while parts.feed.round():
            pass
        done = parts.collecting.collect()
        assert (done.uploads, done.files, done.waits) == (uncited, 0, False)
        health = parts.collecting.check()
        assert (health.files, health.missing, health.damaged) == (files, (), ())
        assert sum(1 for _ in parts.blobs.names()) == files
    lying_there = [path for path in (var / "blobs").rglob("*") if path.is_file()]
    assert len(lying_there) == files, "and nothing half done"
    for path in lying_there:
        assert not marks(path.read_bytes()), "a file in the clear"


def nothing_of_the_camera_is_kept(var: Path, ready: Iterable[Sample], before: bytes) -> None:
    """What cameras wrote and what the files were called stands nowhere but sealed."""
    words = {word for sample in ready for word in told_by(sample.content)}
    words = {word for word in words if word not in before}
    after = in_the_clear(var)
    print(f"looked for {len(words)} texts of cameras in {len(after) / 1e6:.0f} MB of databases")
    assert len(words) > 50
    assert b"report-submitted" in after and NAME.encode() not in after
    assert [word for word in words if word in after] == []


def in_the_clear(var: Path) -> bytes:
    """All that is kept but the sealed files themselves."""
    files = sorted(path for path in var.rglob("*") if path.is_file())
    return b"\0".join(path.read_bytes() for path in files if "blobs" not in path.parts)


def told_by(content: bytes) -> set[bytes]:
    """Texts of some length that the camera wrote into a picture, as far as Pillow can read them."""
    found: set[bytes] = set()
    with suppress(Exception), Image.open(io.BytesIO(content)) as image:
        tags = image.getexif()
        values = [tags.get(tag) for tag in TOLD]
        values += [tags.get_ifd(0x8769).get(tag) for tag in TOLD_WHEN]
        for value in values:
            text = value.strip("\0 ") if isinstance(value, str) else ""
            if len(text) >= 10 and any(sign.isalpha() or sign == ":" for sign in text):
                found.add(text.encode())
    return found


def tell(
    samples: list[Sample],
    missing: list[str],
    reports: list[Reported],
    looked: list[Looked],
    residents: Residents,
    watch: Watch,
    measures: str,
) -> None:
    """The figures."""
    genuine = sum("~" not in sample.name for sample in samples)
    refused: Counter[str] = sum((one.refused for one in reports), Counter())
    unreadable: Counter[str] = sum((one.unreadable for one in looked), Counter())
    ready = [sample for one in looked for sample in one.ready]
    failures = [line for line in measures.splitlines() if line.startswith("casework_examining_f")]
    print(
        f"\n{len(samples)} files, {genuine} as collected, not fetched: {missing or 'nothing'}\n"
        f"{len(reports)} reports; at the door: {dict(refused)}\n"
        f"examined: {len(ready)} readable, {dict(unreadable)}\n"
        f"with metadata when sent: {sum(bool(marks(sample.content)) for sample in ready)}\n"
        f"answers: {dict(residents.statuses)}; came again later: {residents.waited}\n"
        f"workers seen: {watch.workers}; most CPU {watch.cpu:.1f} s, life {watch.seconds:.1f} s,"
        f" address space {watch.address_space / 2**20:.0f} MiB; {failures}"
    )


def test_the_watch_sees_a_worker_at_work() -> None:
    """The control: one that takes all the time it may is seen to."""
    limits = Limits(memory=1024**3, cpu=2, seconds=60.0, bytes_in=1 << 16)
    sandbox = Sandbox("tests.evidence.probes", limits)
    try:
        with Watch(os.getpid(), "tests.evidence.probes") as watch:
            assert isinstance(sandbox.run("spin", b""), Stopped)
        assert watch.benches == sandbox.pids()
    finally:
        sandbox.close()
    assert watch.workers and watch.address_space > 0
    assert watch.cpu > 0.5 and watch.seconds > 0.5
