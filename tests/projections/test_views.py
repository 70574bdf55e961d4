"""What each view shows of given histories, on both databases."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import uuid5

import pytest

from casework import events as did
from casework.lifecycle import Status
from casework.log.port import Recorded
from casework.model import Clock, Solved
from projections import due, my_cases, search, street_desk, timeline
from projections.case_keys import case_of_number, number_of_case
from projections.case_list import (
    Filters,
    StaleCursor,
    newest,
    one,
    one_by_number,
    public_status,
)
from projections.my_cases import Asked, How
from projections.reading import Readers
from projections.tables import reading
from projections.timeline_words import SENTENCES
from tests.projections.histories import (
    DAWN,
    EPOCH,
    LIMIT,
    SPACE,
    STREETS,
    ListedLog,
    Scribe,
    Story,
    starts,
    stops,
)


def street_name(code: str) -> str:
    return f"街道{code[-2:]}"


def tell(readers: Readers, events: Sequence[Recorded]) -> None:
    log = ListedLog(events)
    while readers.step(log):
        pass
    assert readers.held() == []


def test_the_board_shows_a_case_as_it_stands(readers: Readers) -> None:
    story = Story(Scribe(), "a")
    tell(
        readers,
        [
            story.submitted("盲道被占\n第二行"),
            story.registered(),
            story.dispatched(),
            story.acknowledged(),
            story.claimed(),
            story.extension_requested(),
        ],
    )
    with reading(readers.engine) as connection:
        case = one(connection, story.case_id)
        assert case == one_by_number(connection, story.number)
        assert case_of_number(connection, story.number) == story.case_id
        assert number_of_case(connection, story.case_id) == story.number
    assert case is not None
    assert (case.status, case.street, case.version, case.position) == (
        Status.HANDLING, STREETS[0], 6, 6,
    )  # fmt: skip
    assert case.first_line == "盲道被占"
    assert case.pending == ("request_extension",)
    assert (case.due_clock, case.due_at) == (
        "extension",
        story.at - timedelta(minutes=1) + timedelta(hours=2),
    )
    assert case.street_due_at == DAWN + timedelta(minutes=1, hours=4)
    assert case.claim_by == "审甲"


def test_a_request_is_no_longer_pending_once_its_clock_stops(readers: Readers) -> None:
    story = Story(Scribe(), "a")
    tell(
        readers,
        [
            story.submitted(),
            story.registered(),
            story.dispatched(),
            story.acknowledged(),
            story.extension_requested(),
            story.step(
                did.ExtensionDenied(words=story.words("不同意"), stopped=(stops(Clock.EXTENSION),))
            ),
        ],
    )
    with reading(readers.engine) as connection:
        case = one(connection, story.case_id)
        assert street_desk.with_pending(connection, "request_extension") == []
    assert case is not None
    assert (case.pending, case.due_clock) == ((), "handling")


def test_a_rating_window_makes_nobody_late(readers: Readers) -> None:
    story = Story(Scribe(), "a")
    tell(readers, story.whole()[:8])
    late = DAWN + timedelta(days=400)
    with reading(readers.engine) as connection:
        assert newest(connection, Filters(overdue=late), epoch=EPOCH).cases == ()
        (case,) = newest(connection, Filters(due_before=late), epoch=EPOCH).cases
    assert (case.status, case.due_clock) == (Status.CLOSED, "rating")


def many(readers: Readers, count: int = 30) -> list[Story]:
    scribe = Scribe()
    stories = [
        Story(
            scribe, f"{n:03d}", street=STREETS[n % 3], indicator=f"P0{n % 2 + 1}",
            at=DAWN + timedelta(hours=n), place=(116.2 + n / 100, 39.9),
        )
        for n in range(count)
    ]  # fmt: skip
    tell(readers, [step for s in stories for step in s.whole()[: 1 + int(s.number[2:]) % 8]])
    return stories


@pytest.mark.parametrize(
    "filters",
    [
        Filters(),
        Filters(status=(Status.SUBMITTED,)),
        Filters(status=(Status.DISPATCHED, Status.HANDLING, Status.CLOSED)),
        Filters(street=STREETS[1]),
        Filters(indicator="P02", status=(Status.HANDLING,)),
        Filters(bbox=(116.25, 39.0, 116.35, 40.0)),
        Filters(start=DAWN + timedelta(hours=3), end=DAWN + timedelta(hours=9)),
        Filters(due_before=DAWN + timedelta(hours=12)),
        Filters(overdue=DAWN + timedelta(hours=12), street=STREETS[2]),
        Filters(demonstration=True),
    ],
)
def test_a_filtered_list_is_the_whole_list_filtered(readers: Readers, filters: Filters) -> None:
    many(readers)
    with reading(readers.engine) as connection:
        everything = newest(connection, Filters(), epoch=EPOCH, limit=200).cases
        found = newest(connection, filters, epoch=EPOCH, limit=200).cases
    assert len(everything) == 30
    f = filters
    assert list(found) == [
        case
        for case in everything
        if (not f.status or case.status in f.status)
        and f.street in {None, case.street}
        and f.indicator in {None, case.indicator}
        and (f.bbox is None or f.bbox[0] <= case.lon <= f.bbox[2])
        and (f.start is None or case.submitted_at >= f.start)
        and (f.end is None or case.submitted_at < f.end)
        and (f.due_before is None or (case.due_at is not None and case.due_at < f.due_before))
        and (
            f.overdue is None
            or (case.due_at is not None and case.due_at < f.overdue and case.due_clock != "rating")
        )
        and (f.demonstration is None or case.demonstration is f.demonstration)
    ]


def test_pages_stay_in_place_while_new_cases_come_in(readers: Readers) -> None:
    scribe = Scribe()
    log = ListedLog([Story(scribe, f"{n:03d}").submitted() for n in range(10)])
    readers.step(log)
    numbers: list[str] = []
    cursor = None
    for turn in range(4):
        with reading(readers.engine) as connection:
            page = newest(connection, Filters(), epoch=EPOCH, cursor=cursor, limit=3)
        numbers += [case.number for case in page.cases]
        cursor = page.cursor
        log.add(Story(scribe, f"1{turn:02d}").submitted())
        readers.step(log)
    assert numbers == [f"HD{n:03d}" for n in range(9, -1, -1)]
    assert cursor is None


def test_a_cursor_of_another_epoch_is_refused(readers: Readers) -> None:
    many(readers, 5)
    with reading(readers.engine) as connection:
        cursor = newest(connection, Filters(), epoch=EPOCH, limit=2).cursor
        for wrong in (cursor, "x", "盲道"):
            with pytest.raises(StaleCursor, match="失效"):
                newest(connection, Filters(), epoch=SPACE, cursor=wrong)


def test_a_timeline_tells_each_step_in_chinese(readers: Readers) -> None:
    story = Story(Scribe(), "a")
    tell(readers, story.whole())
    with reading(readers.engine) as connection:
        steps = timeline.steps_of(connection, story.case_id, street_name)
    assert [(step.sentence, step.words) for step in steps] == [
        ("收到上报，编号HDa。", "盲道被占"),
        ("审核通过，予以立案。", None),
        ("派遣至街道01，时限4值守时，应于2026年05月06日 13:01前处置。", None),
        ("街道01已签收。", None),
        ("领办至2026年05月06日 09:18。", None),
        ("街道01申请延期4值守时（E01）。", "需要吊车"),
        ("街道01反馈整改结果: 已整改，待核查。", "已清理干净"),
        ("核查通过，案件办结，请评价。", "您反映的问题已处置"),
        ("反映人评价: 已解决，满意度5分，处置效率4分。", "很快"),
        ("反映人均认为已解决，案件归档。", None),
    ]
    assert [step.role for step in steps[:4]] == ["市民", "审核员", "审核员", "街镇经办"]


def test_the_public_timeline_holds_no_account_and_only_words_for_the_reporter(
    readers: Readers,
) -> None:
    story = Story(Scribe(), "a")
    tell(readers, story.whole())
    with reading(readers.engine) as connection:
        steps = timeline.public_steps_of(connection, story.case_id, street_name)
    assert [step.event for step in steps] == [
        "report-submitted", "case-registered", "case-dispatched", "case-acknowledged",
        "case-rectified", "case-closed", "case-completed",
    ]  # fmt: skip
    assert [step.words for step in steps if step.words] == ["您反映的问题已处置"]
    assert "审甲" not in repr(steps)
    assert str(story.person) not in repr(steps)


def test_there_is_a_sentence_for_every_fact() -> None:
    assert set(SENTENCES) == set(did.STORED_AS)


def test_public_status_tells_status_dates_and_street_only(readers: Readers) -> None:
    story = Story(Scribe(), "a")
    tell(readers, story.whole()[:4])
    with reading(readers.engine) as connection:
        status = public_status(connection, story.number, street_name)
        assert public_status(connection, "HDnone", street_name) is None
    assert status is not None
    assert status.label == "处置中(预计2026年05月06日 13:01前)"
    assert (status.street, status.submitted_at, status.ended_at) == (STREETS[0], DAWN, None)


def test_a_street_sees_its_own_tasks_by_remaining_time(readers: Readers) -> None:
    scribe = Scribe()
    slow, quick, other = (
        Story(scribe, name, street=street)
        for name, street in (("slow", STREETS[0]), ("quick", STREETS[0]), ("other", STREETS[1]))
    )
    events = []
    for story, hours in ((slow, 8), (quick, 2), (other, 1)):
        events += [story.submitted(), story.registered(), story.dispatched(hours)]
        events.append(story.acknowledged())
    events.append(slow.extension_requested())
    tell(readers, events)
    with reading(readers.engine) as connection:
        tasks = street_desk.tasks(connection, STREETS[0])
        assert [case.number for case in tasks] == ["HDquick", "HDslow"]
        desk = street_desk.desk(
            connection, STREETS[0], DAWN + timedelta(hours=3), DAWN + timedelta(hours=24)
        )
        waiting = street_desk.with_pending(connection, "request_extension", street=STREETS[0])
    assert [case.number for case in waiting] == ["HDslow"]
    assert desk.by_status[Status.HANDLING] == 2
    assert (desk.overdue, desk.due_soon, desk.pending) == (1, 1, {"request_extension": 1})


def test_a_reporter_is_asked_to_rate_until_the_window_ends(readers: Readers) -> None:
    story = Story(Scribe(), "a")
    log = ListedLog(story.whole()[:8])
    readers.step(log)
    with reading(readers.engine) as connection:
        (mine,) = my_cases.cases_of(connection, story.person, street_name)
    assert (mine.how, mine.label, mine.asked) == (How.REPORTED, "已结案·请评价", Asked.RATE)
    assert mine.until == story.at - timedelta(minutes=3) + timedelta(days=15)
    log.add(story.rated(Solved.YES))
    readers.step(log)
    with reading(readers.engine) as connection:
        (mine,) = my_cases.cases_of(connection, story.person, street_name)
    assert (mine.asked, mine.rated) == (None, True)


def test_a_merged_case_shows_how_its_primary_stands(readers: Readers) -> None:
    scribe = Scribe()
    primary, secondary = Story(scribe, "p"), Story(scribe, "s")
    joiner = uuid5(SPACE, "joiner")
    tell(
        readers,
        [
            primary.submitted(),
            secondary.submitted(),
            primary.registered(),
            secondary.step(
                did.CaseMerged(
                    primary=primary.case_id, primary_number=primary.number,
                    stopped=(stops(Clock.REVIEW),),
                )
            ),
            primary.step(
                did.CaseAbsorbed(
                    secondary=secondary.case_id, secondary_number=secondary.number,
                    reporters=(secondary.person,),
                )
            ),
            primary.joined(joiner),
            primary.dispatched(),
            primary.acknowledged(),
        ],
    )  # fmt: skip
    with reading(readers.engine) as connection:
        (mine,) = my_cases.cases_of(connection, secondary.person, street_name)
        (theirs,) = my_cases.cases_of(connection, joiner, street_name)
        assert my_cases.is_reporter(connection, secondary.person, primary.case_id)
        assert not my_cases.is_reporter(connection, joiner, secondary.case_id)
    assert (mine.status, mine.label, mine.shown.status) == (
        Status.MERGED, "已并入HDp", Status.HANDLING,
    )  # fmt: skip
    assert (theirs.how, theirs.shown.new_information) == (How.JOINED, False)


def test_the_due_index_holds_the_clocks_that_run(readers: Readers) -> None:
    story = Story(Scribe(), "a")
    tell(readers, story.whole()[:6])
    with reading(readers.engine) as connection:
        clocks = due.of_case(connection, story.case_id)
        assert [c.clock for c in clocks] == [Clock.EXTENSION, Clock.HANDLING]
        assert clocks[1].started_at == DAWN + timedelta(minutes=2)
        assert (clocks[1].limit, clocks[1].round, clocks[1].because) == (LIMIT, 1, "test")
        at = clocks[0].due_at
        assert due.due(connection, at, 10) == [clocks[0]]
        assert due.due(connection, at - timedelta(microseconds=1), 10) == []
        assert due.handled(connection, (), (), 0, 10) == [clocks[1]]
        assert due.handled(connection, ["110108001"], ["C02"], 0, 10) == []
        assert due.provisional(connection, 0, 10) == []
        assert due.counts(connection, at) == {Clock.EXTENSION: (1, 1), Clock.HANDLING: (1, 0)}


def test_a_clock_started_again_carries_its_new_round(readers: Readers) -> None:
    story = Story(Scribe(), "a")
    events = story.whole()[:8]
    events.append(
        story.step(
            did.CaseReopened(
                code="V11", words=story.words("未解决"), street=story.street,
                assignment=story.assignment(), limit=LIMIT, due_at=story.at, round=2,
                stopped=(stops(Clock.RATING),), started=(starts(Clock.HANDLING, story.at),),
            )
        )
    )  # fmt: skip
    tell(readers, events)
    with reading(readers.engine) as connection:
        (clock,) = due.of_case(connection, story.case_id)
    assert (clock.clock, clock.round) == (Clock.HANDLING, 2)


def found(
    readers: Readers, question: str, filters: Filters | None = None, few: int = search.FEW
) -> list[str]:
    with reading(readers.engine) as connection:
        page = search.find(connection, question, filters or Filters(), epoch=EPOCH, few=few)
    return [case.number[2:] for case in page.cases]


def test_search_finds_words_anywhere_newest_case_first(readers: Readers) -> None:
    scribe = Scribe()
    texts = {"a": "盲道被占", "b": "垃圾桶满了，很臭", "c": "盲 道", "d": "占道的垃圾 Bike2Go"}
    stories = {name: Story(scribe, name) for name in texts}
    events = [stories[name].submitted(text, "中关村大街5号") for name, text in texts.items()]
    events.append(stories["a"].joined(uuid5(SPACE, "x"), "那里还有垃圾"))
    events.append(stories["b"].registered())
    tell(readers, events)
    assert found(readers, "垃圾") == ["d", "b", "a"]
    assert found(readers, "盲道") == ["a"]
    assert found(readers, "垃圾桶") == ["b"]
    assert found(readers, "臭") == ["b"]
    assert found(readers, "桶") == ["b"]
    assert found(readers, "垃圾 盲道") == []
    assert found(readers, "ｂｉｋｅ") == ["d"]
    assert found(readers, "HDc") == ["c"]
    assert found(readers, "中关村") == ["d", "c", "b", "a"]
    assert found(readers, "垃圾", Filters(status=(Status.REGISTERED,))) == ["b"]
    assert found(readers, "\"') OR *") == []
    assert found(readers, "。") == []


def test_common_and_rare_words_are_found_by_different_ways_with_one_answer(
    readers: Readers,
) -> None:
    many(readers)
    filters = Filters(status=(Status.SUBMITTED, Status.HANDLING), street=STREETS[0])
    rare = {q: found(readers, q, filters) for q in ("盲道", "盲", "HD0", "被占 盲道")}
    assert {q: found(readers, q, filters, few=2) for q in rare} == rare
    assert len(rare["盲道"]) > 2
