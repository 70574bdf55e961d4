"""What is known of uploads, on both databases: what is owed and found, what an erasure takes."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid5

import pytest
from msgspec import structs

from casework import events as did
from casework import evidence
from casework.log.port import Recorded
from casework.model import Sealed
from projections import evidence_seen
from projections.evidence import CHECK, EXAMINE, signed, unsigned
from projections.evidence_seen import Owed, State
from projections.hand_overs import FalseRate, false_rates, false_rounds
from projections.lines import Unopenable
from projections.reading import Readers
from projections.tables import reading
from tests.projections.conftest import Made
from tests.projections.histories import (
    DAWN,
    LIMIT,
    REVIEWER,
    STREETS,
    ClearTexts,
    ListedLog,
    Scribe,
    Story,
    appearance,
    derived,
    evidence_stream,
    examined,
    key_of,
    opener,
    unreadable,
)

FIRST, LAST = DAWN - timedelta(days=5), DAWN + timedelta(days=26)


def tell(readers: Readers, events: Sequence[Recorded]) -> None:
    log = ListedLog(events)
    while readers.step(log):
        pass
    assert readers.held() == []


def uploads_of(recorded: Recorded) -> list[UUID]:
    return [photo.upload for photo in recorded.event.photos]  # type: ignore[attr-defined]


def story_with_photos(scribe: Scribe, name: str = "a", photos: int = 1) -> Story:
    story = Story(scribe, name)
    story.photos = photos
    return story


def checked(story: Story, cited: Recorded, upload: UUID, *found: evidence.Finding) -> Recorded:
    return story.scribe.tell(
        evidence.PhotoChecked(
            upload=upload,
            case=story.case_id,
            position=cited.position,
            rectified_at=cited.at,
            version=1,
            findings=found,
        )
    )


def owed(readers: Readers) -> list[Owed]:
    with reading(readers.engine) as connection:
        return evidence_seen.owed(connection, 100)


@pytest.mark.parametrize("bits", [0, 1, (1 << 63) - 1, 1 << 63, (1 << 64) - 1])
def test_64_bits_go_into_a_whole_number_of_a_database_and_back(bits: int) -> None:
    assert -(1 << 63) <= signed(bits) < 1 << 63
    assert unsigned(signed(bits)) == bits


def test_what_a_case_cites_is_owed_a_look_and_a_hand_over_a_comparison(readers: Readers) -> None:
    story = story_with_photos(Scribe())
    report = story.submitted()
    events = [report, story.registered(), story.dispatched(), story.acknowledged()]
    after = story.rectified()
    tell(readers, [*events, after])
    (before,), (done,) = uploads_of(report), uploads_of(after)
    assert {(o.upload, o.position, o.what) for o in owed(readers)} == {
        (before, report.position, EXAMINE),
        (done, after.position, EXAMINE),
        (done, after.position, CHECK),
    }
    with reading(readers.engine) as connection:
        shown = evidence_seen.photos_of_case(connection, story.case_id)
    assert [(p.cited.upload, p.state) for p in shown] == [
        (before, State.EXAMINING),
        (done, State.EXAMINING),
    ]


def test_what_was_told_is_owed_no_more_whatever_is_cited_again(readers: Readers) -> None:
    scribe = Scribe()
    story = story_with_photos(scribe)
    report = story.submitted()
    (before,) = uploads_of(report)
    look = scribe.tell(examined(before, story.person))
    events = [report, look, story.registered(), story.dispatched(), story.acknowledged()]
    after = story.rectified()
    (done,) = uploads_of(after)
    events += [after, scribe.tell(examined(done)), checked(story, after, done)]
    again = story.step(did.InformationAdded(person=story.person, photos=report.event.photos))  # type: ignore[attr-defined]
    tell(readers, [*events, again])
    assert owed(readers) == []
    with reading(readers.engine) as connection:
        shown = evidence_seen.photos_of_case(connection, story.case_id)
        file = shown[0].file("display")
        assert file is not None
        assert evidence_seen.file_named(connection, file.name) == file
        assert evidence_seen.is_cited(connection, file.sha256)
        assert not evidence_seen.is_cited(connection, "0" * 64)
        assert len(evidence_seen.files_cited(connection)) == 6
    assert [p.state for p in shown] == [State.READY] * 3
    assert [p.checked for p in shown] == [False, True, False]


def test_an_unreadable_photo_is_owed_no_comparison_and_its_case_is_named(readers: Readers) -> None:
    scribe = Scribe()
    story, other = story_with_photos(scribe), story_with_photos(scribe, "b")
    events = [story.submitted(), story.rectified()]
    bad = other.submitted()
    (done,) = uploads_of(events[1])
    told = [scribe.tell(unreadable(done)), scribe.tell(unreadable(uploads_of(bad)[0]))]
    tell(readers, [*events, bad, *told])
    assert [o.what for o in owed(readers)] == [EXAMINE]
    with reading(readers.engine) as connection:
        assert evidence_seen.hand_overs_unreadable(connection, FIRST) == [story.case_id]
        assert evidence_seen.hand_overs_unreadable(connection, LAST) == []
        assert evidence_seen.unreadable(connection, [done, story.case_id]) == {done}
        shown = evidence_seen.photos_of_case(connection, story.case_id)
    assert (shown[1].state, shown[1].says, shown[1].files) == (State.UNREADABLE, "坏了。", ())


def test_findings_are_those_of_the_last_hand_over(readers: Readers) -> None:
    scribe = Scribe()
    story = story_with_photos(scribe)
    events = [story.submitted(), story.rectified()]
    first = events[-1]
    (old,) = uploads_of(first)
    found = evidence.Finding(uuid5(old, "1"), "same_picture", "与旧照片相同。", "grave", old, old)
    events += [scribe.tell(examined(old)), checked(story, first, old, found)]
    tell(readers, events)
    with reading(readers.engine) as connection:
        (one,) = evidence_seen.findings_of_hand_over(connection, story.case_id)
    assert (one.id, one.severity, one.says, one.other) == (
        found.id, "grave", "与旧照片相同。", old,
    )  # fmt: skip
    story.at += timedelta(minutes=30)
    second = story.rectified()
    tell(readers, [*events, second])
    with reading(readers.engine) as connection:
        assert evidence_seen.findings_of_hand_over(connection, story.case_id) == []
        assert len(evidence_seen.photos_of_case(connection, story.case_id)[1].findings) == 1


def test_an_erased_person_leaves_nothing_of_their_pictures(readers: Readers) -> None:
    scribe = Scribe()
    story, other = story_with_photos(scribe, "a", 2), story_with_photos(scribe, "b")
    mine, theirs = story.submitted(), other.submitted()
    one, two = uploads_of(mine)
    after = story.rectified()
    kept = uploads_of(after)[0]
    events = [
        mine, theirs, after,
        scribe.tell(examined(one, story.person)),
        scribe.tell(
            evidence.PhotoRedacted(
                upload=one, person=story.person, case=story.case_id, number=1,
                file=derived(one, "r"),
            )
        ),
        scribe.tell(examined(uploads_of(theirs)[0], other.person)),
        scribe.tell(examined(kept)),
    ]  # fmt: skip
    gone = scribe.erase(story.person)
    tell(readers, [*events, gone])
    assert {o.upload for o in owed(readers)} == {kept, *uploads_of(after)}
    with reading(readers.engine) as connection:
        left = {p.cited.upload for p in evidence_seen.photos_of_case(connection, story.case_id)}
        assert left == set(uploads_of(after)), "what the 街镇 handed over is not theirs"
        assert evidence_seen.hashes_of(connection, [one, two]) == {}
        assert evidence_seen.file_named(connection, derived(one, "r").name) is None
        assert not evidence_seen.is_cited(connection, derived(one, "d").sha256)
        assert evidence_seen.hashes_of(connection, uploads_of(theirs)) != {}


def test_what_a_picture_looks_like_never_comes_where_its_key_is_destroyed(
    make_readers: Made,
) -> None:
    scribe = Scribe()
    story, other = story_with_photos(scribe), story_with_photos(scribe, "b")
    mine, theirs = story.submitted(), other.submitted()
    gone, kept = uploads_of(mine)[0], uploads_of(theirs)[0]
    texts = ClearTexts()
    texts.destroyed.add(key_of(story.person))
    readers = make_readers(with_opener=opener(texts))
    told = [
        scribe.tell(examined(gone, story.person, 5)),
        scribe.tell(examined(kept, other.person, 6)),
    ]
    tell(readers, [mine, theirs, *told])
    with reading(readers.engine) as connection:
        assert [h.upload for h in evidence_seen.hashes_after(connection, 0, 10)] == [kept]
        assert evidence_seen.same_bytes(connection, gone.hex, gone.hex) == set()
        (shown,) = evidence_seen.photos_of_case(connection, story.case_id)
    assert shown.state is State.READY, "that it could be read is no more than that"


def test_what_does_not_open_holds_its_upload_and_no_other(make_readers: Made) -> None:
    class Torn(ClearTexts):
        broken = True

        def open(self, sealed: Sealed, case_id: UUID, field: str, command_id: UUID) -> str | None:
            if self.broken and (case_id, field) == (bad, evidence.APPEARANCE):
                raise Unopenable("torn")
            return super().open(sealed, case_id, field, command_id)

    scribe = Scribe()
    story = story_with_photos(scribe, "a", 2)
    report = story.submitted()
    bad, good = uploads_of(report)
    told = [scribe.tell(examined(upload, story.person)) for upload in (bad, good)]
    log, texts = ListedLog([report, *told]), Torn()
    readers = make_readers(with_opener=opener(texts))
    while readers.step(log):
        pass
    assert [(held.reader, held.stream) for held in readers.held()] == [
        ("evidence", evidence_stream(bad))
    ]
    with reading(readers.engine) as connection:
        assert set(evidence_seen.hashes_of(connection, [bad, good])) == {good}
    texts.broken = False
    assert readers.mend(log) == 1
    with reading(readers.engine) as connection:
        assert set(evidence_seen.hashes_of(connection, [bad, good])) == {bad, good}


def test_what_an_earlier_release_told_in_the_clear_is_read_as_ever(make_readers: Made) -> None:
    scribe = Scribe()
    story = story_with_photos(scribe)
    report = story.submitted()
    (upload,) = uploads_of(report)
    plain = structs.asdict(appearance(upload, 7))
    before = structs.replace(examined(upload, story.person), appearance=None, **plain)
    found = []
    for name, fact in (("g_1", before), ("g_2", examined(upload, story.person, 7))):
        readers = make_readers(name=name)
        tell(readers, [report, scribe.tell(fact)])
        with reading(readers.engine) as connection:
            found.append(evidence_seen.hashes_of(connection, [upload])[upload])
    assert structs.replace(found[0], seq=0) == structs.replace(found[1], seq=0)


def test_hashes_come_in_the_order_in_which_they_were_told(readers: Readers) -> None:
    scribe = Scribe()
    story = story_with_photos(scribe, "a", 3)
    report = story.submitted()
    told = [scribe.tell(examined(u, story.person, n)) for n, u in enumerate(uploads_of(report))]
    tell(readers, [report, *told])
    with reading(readers.engine) as connection:
        assert evidence_seen.seq_before_newest(connection, 3) == 0
        start = evidence_seen.seq_before_newest(connection, 2)
        newest = evidence_seen.hashes_after(connection, start, 10)
        same = evidence_seen.same_bytes(connection, newest[0].content, "none")
    assert [h.dhash for h in newest] == [1, 2] and newest[0].phash == (1 << 63) + 1
    assert same == {newest[0].upload}


def test_a_redaction_is_told_with_who_looked_again(readers: Readers) -> None:
    scribe = Scribe()
    story = story_with_photos(scribe)
    report = story.submitted()
    (upload,) = uploads_of(report)
    covered = evidence.PhotoRedacted(
        upload=upload, case=story.case_id, number=1, file=derived(upload, "r"),
        boxes=(evidence.Box(0.1, 0.1, 0.2, 0.2),),
    )  # fmt: skip
    confirmed = evidence.RedactionConfirmed(upload=upload, case=story.case_id, number=1)
    tell(
        readers,
        [report, scribe.tell(examined(upload)), scribe.tell(covered), scribe.tell(confirmed)],
    )
    with reading(readers.engine) as connection:
        (photo,) = evidence_seen.photos_of_case(connection, story.case_id)
    (told,) = photo.redactions
    assert (told.boxes, told.redacted_by, told.confirmed_by) == (1, REVIEWER.id, REVIEWER.id)
    newest = photo.file("redacted")
    assert newest is not None and newest.number == 1


# 虚假整改率 ------------------------------------------------------------------------------------

HERE = STREETS[0]


def to_hand_over(story: Story) -> list[Recorded]:
    return [story.submitted(), story.registered(), story.dispatched(), story.rectified()]


def reopened(story: Story, number: int, code: str, *, supervised: bool = False) -> Recorded:
    return story.step(
        did.CaseReopened(
            code=code,
            words=story.words("重办"),
            street=story.street,
            assignment=story.assignment(),
            limit=LIMIT,
            due_at=story.at,
            round=number,
            supervised=supervised,
        )
    )


def reworked(story: Story, code: str) -> Recorded:
    return story.step(did.ReworkOrdered(code=code, words=story.words("返工")))


def test_a_round_found_false_counts_once_for_the_street_that_handed_it_over(
    readers: Readers,
) -> None:
    scribe = Scribe()
    plain, suspected, untrue, watched, unread = (Story(scribe, n) for n in "abcde")
    events = to_hand_over(plain) + to_hand_over(suspected) + to_hand_over(untrue)
    events += [reworked(suspected, "R05"), suspected.rectified(), reworked(suspected, "R05")]
    events += [untrue.closed(), reopened(untrue, 2, "V13"), untrue.rectified(), untrue.closed()]
    events += [reopened(untrue, 3, "V11")]
    events += [*to_hand_over(watched), watched.closed(), watched.completed()]
    events += [reopened(watched, 2, "", supervised=True)]
    photos = (uuid5(HERE_ID, "x"),)
    events += [*to_hand_over(unread), unread.step(did.RectificationUnreadable(photos=photos))]
    tell(readers, events)
    with reading(readers.engine) as connection:
        assert false_rates(connection, FIRST, LAST) == [FalseRate(HERE, 5, 3, 0)]
        assert false_rates(connection, LAST, LAST + timedelta(days=30)) == []
        found = false_rounds(connection, FIRST, LAST, 10)
        assert false_rounds(connection, FIRST, LAST, 10, STREETS[1]) == []
        assert len(false_rounds(connection, FIRST, LAST, 2)) == 2
    assert {(f.number, f.round, f.code) for f in found} == {
        (suspected.number, 1, "R05"),
        (untrue.number, 1, "V13"),
        (watched.number, 1, "督办重办"),
    }
    tell(readers, [*events, unread.rectified()])
    with reading(readers.engine) as connection:
        assert false_rates(connection, FIRST, LAST) == [FalseRate(HERE, 6, 3, 0)]


HERE_ID = UUID(int=0x11)
