"""The queue of what is to be examined: bounded, on the disk, told once; and what nobody needs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from api.examining import stream_of
from api.parts import Parts
from api.preparing import prepare
from api.settings import Settings
from api.uploads import GOOD_FOR, TAKEN_FOR
from api.wiring import build
from casework.evidence import EvidenceExamined
from casework.log.port import Recorded
from evidence.blobs import Blob
from tests.api.client import MORNING, HandClock, Town, is_problem, open_town, settings_for
from tests.api.test_evidence_api import (
    SMALL,
    examined,
    jpeg,
    photos,
    reported,
    until,
    upload,
)
from tests.evidence.s3_server import s3_server
from tests.evidence.scenes import scene


@contextmanager
def opened(settings: Settings, clock: HandClock) -> Iterator[Parts]:
    """The engine without timers: the test does each step itself."""
    prepare(settings)
    parts = build(settings, clock)
    parts.audit.start()
    try:
        yield parts
    finally:
        parts.examiner.close()
        parts.finder.close()
        parts.audit.stop()
        parts.work.shutdown()
        parts.casework.close()
        parts.keys.close()
        parts.desk.close()
        parts.feed.readers.engine.dispose()
        parts.ledgers.dispose()
        parts.shelf.close()


def told_of(parts: Parts, upload_id: UUID) -> list[Recorded]:
    return parts.casework.eventlog.history(stream_of(upload_id))


def test_what_waits_outlives_a_restart_and_two_workers_tell_it_once(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "var", examiners=0)
    with open_town(settings) as town:
        sent = [upload(town.anonymous(), jpeg(scene(1, SMALL)))]
        reporter = town.anonymous()
        sent += [upload(reporter, jpeg(scene(2, SMALL)))]
        case = reported(reporter, sent[-1])
        until(lambda: town.http.get("/health/ready").json()["examining"] == 2)
        assert "casework_examining_waiting 2" in town.http.get("/metrics").text
        assert photos(town.holder(case.receipt), case)[0]["state_name"] == "检查中"
        clock = town.clock
    cited, uncited = UUID(str(sent[1]["upload"])), UUID(str(sent[0]["upload"]))
    with opened(settings, clock) as one, opened(settings, clock) as other:
        while one.feed.round():
            pass
        assert one.uploads.waiting() == 2
        assert one.examining.tell() == 0, "nothing is known yet"
        assert one.examining.examine_next() and other.examining.examine_next()
        assert not one.examining.examine_next()
        one.examining.tell()
        other.examining.tell()  # its look at the views is as old as the other's
        (told,) = told_of(one, cited)
        assert isinstance(told.event, EvidenceExamined) and told.event.person is not None
        assert told_of(one, uncited) == [], "what nobody handed in is told to nobody"
        while one.feed.round():
            pass
        assert one.examining.tell() == 0


def test_a_file_whose_examiner_died_is_taken_again(tmp_path: Path) -> None:
    clock = HandClock()
    with opened(settings_for(tmp_path / "var"), clock) as parts:
        blob = Blob("ab" * 32, 10, "image/jpeg", b"k" * 60)
        parts.uploads.add(uuid4(), "citizen:a", blob, clock())
        taken = parts.uploads.take(clock())
        assert taken is not None
        assert parts.uploads.take(clock()) is None
        clock.forward(seconds=TAKEN_FOR.total_seconds() + 1)
        again = parts.uploads.take(clock())
        assert again is not None and again.id == taken.id
        assert parts.uploads.settle(taken.id, b"{}")
        assert parts.uploads.take(clock()) is None
        parts.uploads.remove(taken.id)
        assert not parts.uploads.settle(taken.id, b"{}"), "erased meanwhile"
        assert not parts.uploads.note_derived(taken.id, ["cd" * 32])


def test_looking_for_a_file_where_none_waits_holds_up_nobody_and_waits_for_nobody(
    tmp_path: Path,
) -> None:
    settings, clock = settings_for(tmp_path / "var"), HandClock()
    with opened(settings, clock) as one, opened(settings, clock) as other, one.desk.write():
        assert other.uploads.take(clock()) is None


def test_a_full_queue_refuses_photos_for_a_while_and_takes_reports(tmp_path: Path) -> None:
    with open_town(settings_for(tmp_path / "var", examiners=0, examine_queue=2)) as town:
        reporter = town.anonymous()
        sent = [upload(reporter, jpeg(scene(n, SMALL))) for n in (1, 2)]
        full = town.http.post(
            "/api/v1/photos",
            files={"file": ("p.jpg", jpeg(scene(3, SMALL)), "image/jpeg")},
            headers=reporter._headers(None, None),
        )
        is_problem(full, 503, "examining-full")
        assert int(full.headers["Retry-After"]) > 0
        assert reported(reporter, *sent).status == "submitted"
        assert town.parts.blobs.exists(next(iter(town.parts.blobs.names())))
        assert len(list(town.parts.blobs.names())) == 2, "the refused one left nothing"


def test_only_what_no_case_cites_is_collected_and_only_when_it_is_old(tmp_path: Path) -> None:
    with open_town(settings_for(tmp_path / "var")) as town:
        reporter = town.anonymous()
        kept = upload(reporter, jpeg(scene(1, SMALL)))
        lost = upload(reporter, jpeg(scene(2, SMALL)))
        case = reported(reporter, kept)
        examined(town.holder(case.receipt), case)
        until(lambda: town.parts.uploads.waiting() == 0)
        stray = town.parts.blobs.put([jpeg(scene(3, SMALL))], lambda key: b"w" + key).sha256
        files = set(town.parts.blobs.names())
        assert len(files) == 7
        until(lambda: not town.parts.collecting.collect().waits)
        assert set(town.parts.blobs.names()) == files, "young"
        age(tmp_path / "var" / "blobs", hours=72)
        town.clock.forward(hours=GOOD_FOR.total_seconds() / 3600 + 25)
        first = town.parts.collecting.collect()
        assert (first.uploads, first.files) == (1, 1)
        left = set(town.parts.blobs.names())
        assert stray not in left and len(left) == 3
        again = town.parts.collecting.collect()
        assert (again.uploads, again.files) == (0, 0)
        health = town.parts.collecting.check()
        assert (health.files, health.missing, health.damaged) == (3, (), ())
        (photo,) = photos(town.holder(case.receipt), case)
        assert photo["state"] == "ready"
        assert str(lost["upload"]) not in str(photo)


def age(root: Path, *, hours: float) -> None:
    """Make every file so old by the clock of the engine, which is another than that of the disk."""
    at = (MORNING - timedelta(hours=hours)).timestamp()
    for path in root.rglob("*"):
        if path.is_file():
            os.utime(path, (at, at))


def test_nothing_is_collected_while_the_views_cannot_know_what_is_cited(tmp_path: Path) -> None:
    clock = HandClock()
    with opened(settings_for(tmp_path / "var"), clock) as parts:
        stray = parts.blobs.put([jpeg(scene(3, SMALL))], lambda key: b"w" + key).sha256
        age(tmp_path / "var" / "blobs", hours=72)
        assert parts.feed.readers.seen() < parts.casework.eventlog.head()
        assert parts.collecting.collect().waits
        assert parts.blobs.exists(stray)
        while parts.feed.round():
            pass
        clock.forward(hours=1)
        assert parts.collecting.collect().files == 1


def test_a_file_lost_or_damaged_is_told_and_one_the_desk_forgot_is_examined(
    tmp_path: Path,
) -> None:
    settings = settings_for(tmp_path / "var", examiners=0)
    with open_town(settings) as town:
        reporter = town.anonymous()
        sent = [upload(reporter, jpeg(scene(n, SMALL))) for n in (1, 2, 3)]
        reported(reporter, *sent)
        clock = town.clock
    with opened(settings, clock) as parts:
        while parts.feed.round():
            pass
        ids = [UUID(str(one["upload"])) for one in sent]
        for forgotten in ids:
            parts.uploads.remove(forgotten)
        assert parts.examining.tell() == 0
        assert parts.uploads.waiting() == 3, "brought back from the log"
        with parts.desk.read():
            names = sorted(parts.blobs.names())
        (tmp_path / "var" / "blobs" / names[0][:2] / names[0][2:4] / names[0]).unlink()
        path = tmp_path / "var" / "blobs" / names[1][:2] / names[1][2:4] / names[1]
        path.write_bytes(path.read_bytes()[:-1])
        health = parts.collecting.check()
        assert (health.missing, health.damaged) == ((names[0],), (names[1],))
        for _ in ids:
            assert parts.examining.examine_next()
        while parts.feed.round():
            pass
        parts.examining.tell()
        told = {type(r.event).__name__ for one in ids for r in told_of(parts, one)}
        assert told == {"EvidenceExamined", "PhotoUnreadable"}
        assert parts.uploads.waiting() == 1, "the missing one waits for a restore"


@pytest.mark.deep
def test_photos_lie_in_an_s3_service_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tests")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "tests")
    with s3_server("evidence") as address:
        settings = settings_for(
            tmp_path / "var", blobs="s3://evidence/haidian", blobs_endpoint=address
        )
        with open_town(settings) as town:
            reporter = town.citizen("市民甲")
            case = reported(reporter, upload(reporter, jpeg(scene(1, SMALL))))
            (photo,) = examined(reporter, case)
            file = photo["display"]
            assert isinstance(file, dict)
            shown = reporter.get(str(file["url"]).removeprefix("/api/v1"))
            assert shown.status_code == 200 and shown.content[:2] == b"\xff\xd8"
            names = list(town.parts.blobs.names())
            assert len(names) == 3
            local = tmp_path / "var" / "blobs"
            assert [p for p in local.rglob("*") if p.is_file()] == []
            assert reporter.post("/persons/me/erase", {}).status_code < 300
            until(lambda: not any(town.parts.blobs.exists(name) for name in names))


def test_an_s3_service_that_is_gone_is_told_and_the_report_without_photos_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tests")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "tests")
    settings = settings_for(
        tmp_path / "var", blobs="s3://evidence", blobs_endpoint="http://127.0.0.1:9"
    )
    with open_town(settings) as town:
        answer = _photo(town)
        is_problem(answer, 503, "not-stored")
        assert answer.headers["Retry-After"]
        assert town.anonymous().report().status == "submitted"


def _photo(town: Town) -> httpx.Response:
    return town.http.post(
        "/api/v1/photos",
        files={"file": ("p.jpg", jpeg(scene(3, SMALL)), "image/jpeg")},
        headers=town.anonymous()._headers(None, None),
    )
