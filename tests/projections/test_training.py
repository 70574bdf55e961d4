"""What recognition learns from and how good it was, on both databases."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest

from casework import events as did
from casework.log.port import Recorded
from casework.model import Proposed, Recognition, SpokenModel
from projections.reading import Readers
from projections.statistics import share_interval
from projections.tables import reading
from projections.training import (
    Extent,
    Learnt,
    Warnings,
    extent,
    hit_rates,
    learnt,
    warnings,
)
from tests.projections.histories import DAWN, ListedLog, Scribe, Story

FIRST, LAST = DAWN - timedelta(days=1), DAWN + timedelta(days=1)


def tell(readers: Readers, events: Sequence[Recorded]) -> None:
    log = ListedLog(events)
    while readers.step(log):
        pass
    assert readers.held() == []


def texts(readers: Readers, most: int = 100, each: int = 100) -> list[Learnt]:
    with reading(readers.engine) as connection:
        return learnt(connection, most, each)


def changed(report: Recorded, **fields: object) -> Recorded:
    """The same with other fields of its fact."""
    return msgspec.structs.replace(report, event=msgspec.structs.replace(report.event, **fields))


def with_recognition(
    report: Recorded, *codes: str, version: str = "v1", warned: bool = False
) -> Recorded:
    """The report as somebody sent it who had been shown these codes."""
    shown = Recognition(
        proposals=tuple(Proposed(code, 0.5) for code in codes),
        models=(SpokenModel("text", version),),
        warned=warned,
    )
    return changed(report, recognition=shown)


def reclassified(story: Story, indicator: str) -> Recorded:
    return story.step(
        did.CaseReclassified(indicator=indicator, condition=None, reason=story.words("改类"))
    )


def refused(story: Story, code: str) -> Recorded:
    return story.step(did.CaseRefused(code=code, words=story.words("不受理")))


def test_a_text_is_learnt_as_what_it_was_last_found_to_be(readers: Readers) -> None:
    scribe = Scribe()
    one, two, three, unread = (Story(scribe, name) for name in "abcd")
    tell(
        readers,
        [
            one.submitted("盲道被占"),
            one.registered(),
            two.submitted("车太多"),
            two.registered(),
            reclassified(two, "P10"),
            three.submitted("楼道里有箱子"),
            refused(three, "N02"),
            unread.submitted("没有人看过"),
        ],
    )
    assert texts(readers) == [
        Learnt("盲道被占", "P09", None, 0),
        Learnt("车太多", "P10", None, 1),
        Learnt("楼道里有箱子", None, "N02", 2),
    ]
    with reading(readers.engine) as connection:
        assert extent(connection) == Extent(found=4, erasures=0)


def test_the_newest_are_learnt_so_many_in_all_and_so_many_of_each(readers: Readers) -> None:
    scribe = Scribe()
    events = []
    for n in range(6):
        story = Story(scribe, f"s{n}", indicator="P09" if n < 4 else "P01")
        events += [story.submitted(f"第{n}件"), story.registered()]
    tell(readers, events)
    assert [t.text for t in texts(readers, each=2)] == ["第2件", "第3件", "第4件", "第5件"]
    assert [t.text for t in texts(readers, most=3)] == ["第3件", "第4件", "第5件"]


def test_a_revoked_registration_teaches_nothing_of_the_indicator(readers: Readers) -> None:
    story = Story(Scribe(), "a")
    revoked = did.RegistrationRevoked(code="X02")
    tell(readers, [story.submitted("占道"), story.registered(), story.step(revoked)])
    assert [(t.indicator, t.code) for t in texts(readers)] == [(None, "X02")]


def test_an_erased_persons_words_are_not_learnt_any_more(readers: Readers) -> None:
    scribe = Scribe()
    one, two = Story(scribe, "a"), Story(scribe, "b")
    log = ListedLog(
        [one.submitted("我家门口"), one.registered(), two.submitted("河里"), two.registered()]
    )
    readers.step(log)
    assert len(texts(readers)) == 2
    log.add(scribe.erase(one.person))
    readers.step(log)
    assert [t.text for t in texts(readers)] == ["河里"]
    with reading(readers.engine) as connection:
        assert extent(connection).erasures == 1


def test_a_demonstration_teaches_nothing_and_counts_nothing(readers: Readers) -> None:
    story = Story(Scribe(), "a")
    told = with_recognition(story.submitted("示范"), "P09")
    tell(readers, [changed(told, demonstration=True), story.registered()])
    assert texts(readers) == []
    with reading(readers.engine) as connection:
        assert hit_rates(connection, FIRST, LAST) == []


def test_hits_are_counted_against_the_first_registration(readers: Readers) -> None:
    scribe = Scribe()
    shown = [
        ("P09", ("P09", "P10", "P01"), "v1"),
        ("P09", ("P10", "P09", "P01"), "v1"),
        ("P09", ("P10", "P01", "P02"), "v1"),
        ("P09", ("P09",), "v2"),
        ("P05", ("P05", "P04", "P03"), "v1"),
    ]
    events = []
    for n, (indicator, codes, version) in enumerate(shown):
        story = Story(scribe, f"s{n}", indicator=indicator)
        events.append(with_recognition(story.submitted(f"第{n}件"), *codes, version=version))
        events += [story.registered(), reclassified(story, "P07"), story.registered()]
    quiet = Story(scribe, "q")
    events += [quiet.submitted("没有推荐"), quiet.registered()]
    tell(readers, events)
    with reading(readers.engine) as connection:
        found = hit_rates(connection, FIRST, LAST)
        assert hit_rates(connection, LAST, LAST + timedelta(days=9)) == []
    assert [(r.version, r.indicator, r.n, r.top1, r.top3) for r in found] == [
        ("v1", "P05", 1, 1, 1),
        ("v1", "P09", 3, 1, 2),
        ("v2", "P09", 1, 1, 1),
    ]
    assert found[1].top1_interval == share_interval(1, 3)


def test_warnings_are_counted_by_what_became_of_the_report(readers: Readers) -> None:
    scribe = Scribe()
    events = []
    for n, (warned, code) in enumerate(
        [(True, "N03"), (False, "N02"), (True, ""), (False, ""), (False, ""), (True, "N05")]
    ):
        story = Story(scribe, f"s{n}")
        events.append(with_recognition(story.submitted(f"第{n}件"), "P09", warned=warned))
        events.append(refused(story, code) if code else story.registered())
    tell(readers, events)
    with reading(readers.engine) as connection:
        assert warnings(connection, FIRST, LAST, ["N02", "N03"]) == [
            Warnings("text", "v1", refused=2, refused_warned=1, registered=3, registered_warned=1)
        ]


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(0, 0, 0, 1), (0, 10, 0, 0.2775), (10, 10, 0.7225, 1), (5, 10, 0.2366, 0.7634)],
)
def test_wilsons_interval(hits: int, n: int, low: float, high: float) -> None:
    """The values are those of published tables."""
    assert share_interval(hits, n) == pytest.approx((low, high), abs=5e-4)
