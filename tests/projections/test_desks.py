"""The desks: what presses at each, on both databases, and the same as a plain look at every row."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from random import Random
from uuid import uuid5

import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import func

from casework import desks, evidence
from casework import events as did
from casework.lifecycle import CLOCK_OF, Action, Status
from casework.log.port import Recorded
from casework.model import CLOCK, Certainty, Clock
from projections import street_desk
from projections.case_board import CASE_BOARD
from projections.desk_lists import Pressing, among_open, bare
from projections.desk_work import Work, desk_work
from projections.reading import Readers
from projections.repeats import open_reports
from projections.reviewer_desk import SOON, ReviewerDesk, reviewer_desk
from projections.supervisor_desk import SupervisorDesk, supervisor_desk
from projections.tables import moment, reading
from tests.projections.conftest import Made
from tests.projections.histories import (
    DAWN,
    LIMIT,
    STREETS,
    ListedLog,
    Scribe,
    Story,
    citizen,
    lives,
    starts,
    stops,
    street_actor,
)

HERE, THERE = STREETS[0], STREETS[1]
HOUR = timedelta(hours=1)


@pytest.fixture
def lone(make_readers: Made) -> Readers:
    """Readers on SQLite only: what is asked of both databases is asked with `readers`."""
    return make_readers()


def tell(readers: Readers, events: Sequence[Recorded]) -> None:
    log = ListedLog(events)
    while readers.step(log):
        pass
    assert readers.held() == []


def to_handling(story: Story, hours: float = 4) -> list[Recorded]:
    return [story.submitted(), story.registered(), story.dispatched(hours), story.acknowledged()]


def asked(story: Story, event: did.Fact, clock: Clock, hours: float) -> Recorded:
    started = (starts(clock, story.at, hours),)
    return story.step(replace(event, started=started), street_actor(story.street))


def numbers(found: Sequence[Pressing]) -> list[str]:
    return [each.number for each in found]


# the supervisor's ----------------------------------------------------------------------------


def supervisors(readers: Readers, at: datetime, street: str | None = None) -> SupervisorDesk:
    with reading(readers.engine) as connection:
        return supervisor_desk(connection, at, street=street)


def test_overdue_cases_stand_by_street_and_by_how_long(readers: Readers) -> None:
    scribe = Scribe()
    first, second = Story(scribe, "1", street=HERE), Story(scribe, "2", street=HERE)
    third, fourth = Story(scribe, "3", street=THERE), Story(scribe, "4", street=THERE)
    events = [
        *to_handling(first, 2),
        *to_handling(second, 1),
        *to_handling(third, 3),
        *to_handling(fourth, 100),
    ]
    waits = Story(scribe, "5")
    events.append(waits.submitted())  # a review clock of four hours
    tell(readers, events)
    desk = supervisors(readers, DAWN + 5 * HOUR)
    assert [(late.street, late.overdue) for late in desk.by_street] == [(HERE, 2), (THERE, 1)]
    assert desk.by_street[0].oldest_due_at == DAWN + HOUR + timedelta(minutes=1)
    assert numbers(desk.overdue) == ["HD2", "HD1", "HD3", "HD5"]
    assert [each.clock for each in desk.overdue][-1] is Clock.REVIEW
    assert (desk.counts["overdue"], desk.counts["overdue_street"]) == (4, 3)
    assert desk.counts["overdue_review"] == 1
    one = supervisors(readers, DAWN + 5 * HOUR, street=THERE)
    assert [late.street for late in one.by_street] == [THERE] and numbers(one.overdue) == ["HD3"]


def test_an_open_rating_window_makes_nobody_late(lone: Readers) -> None:
    story = Story(Scribe(), "a")
    tell(lone, story.whole()[:8])
    desk = supervisors(lone, DAWN + timedelta(days=100))
    assert desk.overdue == () and desk.counts["overdue"] == 0


REQUESTS: tuple[tuple[str, did.Fact, Clock], ...] = (
    ("request_extension", did.ExtensionRequested(code="E01", by=LIMIT), Clock.EXTENSION),
    (
        "request_suspension",
        did.SuspensionRequested(code="S01", resume_on=date(2026, 7, 1)),
        Clock.SUSPENSION,
    ),
    ("request_coordination", did.CoordinationRequested(code="K01"), Clock.COORDINATION),
    ("transfer_out", did.TransferRequested(body="水务局", number="1"), Clock.SECOND_PERSON),
    (
        "appeal",
        did.AppealMade(code="A01", words=Story(Scribe(), "w").words("不属实")),
        Clock.APPEAL,
    ),
)


def test_every_decision_waits_with_its_own_clock_the_first_due_first(lone: Readers) -> None:
    scribe = Scribe()
    events: list[Recorded] = []
    for n, (_, event, clock) in enumerate(REQUESTS):
        story = Story(scribe, f"{n}")
        events += [*to_handling(story), asked(story, event, clock, 10 - n)]
    back = Story(scribe, "return")
    events += [*to_handling(back), asked(back, did.ReturnRequested(code="T01"), Clock.RETURN, 1)]
    tell(lone, events)
    desk = supervisors(lone, DAWN)
    assert [each.request for each in desk.decisions] == [name for name, _, _ in REQUESTS][::-1]
    assert {each.request: each.clock for each in desk.decisions} == {
        name: clock for name, _, clock in REQUESTS
    }
    assert desk.counts["decisions"] == 5 and desk.counts["appeal"] == 1
    assert desk.counts["request_force_close"] == 0


def test_an_appeal_of_a_case_that_ended_still_waits(lone: Readers) -> None:
    story = Story(Scribe(), "a")
    events = story.whole()
    made = did.AppealMade(code="A01", words=story.words("不属实"))
    events.append(asked(story, made, Clock.APPEAL, 24))
    tell(lone, events)
    (appeal,) = supervisors(lone, DAWN).decisions
    assert (appeal.status, appeal.clock) == (Status.COMPLETED, Clock.APPEAL)


def test_a_note_waits_for_its_answer_also_through_a_reopening(lone: Readers) -> None:
    scribe = Scribe()
    story = Story(scribe, "a")
    noted = did.InstructionNoted(note=1, words=story.words("请说明"))
    events = [
        *to_handling(story),
        story.step(replace(noted, started=(starts(Clock.NOTE, story.at, 6),))),
    ]
    tell(lone, events)
    (note,) = supervisors(lone, DAWN).notes
    assert (note.number, note.clock, note.request) == ("HDa", Clock.NOTE, "note")
    ended = [
        story.step(
            did.CaseForceClosed(code="F01", stopped=(stops(Clock.NOTE, final=False),)),
        )
    ]
    log = ListedLog(ended)
    lone.step(log)
    assert supervisors(lone, DAWN).notes == ()
    again = did.CaseReopened(
        code="V11",
        words=story.words("没有解决"),
        street=HERE,
        assignment=story.assignment(),
        limit=LIMIT,
        due_at=story.at + 2 * HOUR,
        round=2,
        started=(starts(Clock.HANDLING, story.at, 2), starts(Clock.NOTE, story.at, 5)),
    )
    lone.step(ListedLog([story.step(again)]))
    assert numbers(supervisors(lone, DAWN).notes) == ["HDa"]


def returned(story: Story, code: str = "T01") -> list[Recorded]:
    accepted = did.ReturnAccepted(
        street=story.street,
        code=code,
        stopped=(stops(Clock.HANDLING), stops(Clock.ACKNOWLEDGE)),
        started=(starts(Clock.DISPATCH, story.at, 0.25),),
    )
    return [story.dispatched(), story.step(accepted)]


def test_after_two_accepted_returns_the_supervisor_designates(readers: Readers) -> None:
    scribe = Scribe()
    once, twice, given = (Story(scribe, name) for name in ("once", "twice", "given"))
    events: list[Recorded] = []
    for story, times in ((once, 1), (twice, 2), (given, 2)):
        events += [story.submitted(), story.registered()]
        for _ in range(times):
            events += returned(story)
    events.append(given.dispatched())
    tell(readers, events)
    (found,) = supervisors(readers, DAWN).to_designate
    assert (found.number, found.clock, found.status) == (
        "HDtwice",
        Clock.DISPATCH,
        Status.REGISTERED,
    )


def suspended(story: Story, days: float) -> list[Recorded]:
    event = did.CaseSuspended(
        code="S01",
        resume_on=date(2026, 6, 1),
        stopped=(stops(Clock.HANDLING, final=False),),
        started=(starts(Clock.RESUMPTION, DAWN, days * 24),),
    )
    return [*to_handling(story), story.step(event)]


def test_suspensions_that_end_within_a_day_are_told_before(lone: Readers) -> None:
    scribe = Scribe()
    soon, late = Story(scribe, "soon", street=HERE), Story(scribe, "late", street=HERE)
    tell(lone, [*suspended(soon, 3), *suspended(late, 9)])
    at = DAWN + timedelta(days=2, minutes=1)
    assert numbers(supervisors(lone, at).suspensions_ending) == ["HDsoon"]
    assert supervisors(lone, at - timedelta(minutes=1)).suspensions_ending == ()
    with reading(lone.engine) as connection:
        desk = street_desk.desk(connection, HERE, at, at + 24 * HOUR)
    assert desk.suspensions_ending == 1 and desk.by_status[Status.SUSPENDED] == 2


# what the supervisor is told before it is late, and what came back ----------------------------


def test_what_falls_due_within_a_day_is_told_before_it_is_late(lone: Readers) -> None:
    scribe = Scribe()
    near, far = Story(scribe, "near", street=HERE), Story(scribe, "far", street=THERE)
    tell(lone, [*to_handling(near, 5), *to_handling(far, 60)])
    desk = supervisors(lone, DAWN + HOUR)
    assert numbers(desk.due_soon) == ["HDnear"] and desk.counts["due_soon"] == 1
    assert numbers(supervisors(lone, DAWN + HOUR, THERE).due_soon) == []
    late = supervisors(lone, DAWN + 9 * HOUR)
    assert numbers(late.due_soon) == [] and numbers(late.overdue) == ["HDnear"]


def test_what_came_back_twice_stays_on_the_desk_wherever_it_is(readers: Readers) -> None:
    scribe = Scribe()
    once, twice = Story(scribe, "once"), Story(scribe, "twice")
    events: list[Recorded] = []
    for story, times in ((once, 1), (twice, 2)):
        events += [story.submitted(), story.registered()]
        for _ in range(times):
            events += returned(story)
        events.append(story.dispatched())
    tell(readers, events)
    desk = supervisors(readers, DAWN)
    (found,) = desk.returned
    assert (found.case.number, found.returns) == ("HDtwice", 2)
    assert desk.to_designate == () and desk.counts["returned"] == 1


def handed_over(story: Story, severity: str | None) -> list[Recorded]:
    """Handed over with a photo, of which the check says something as severe as this."""
    story.photos = 1
    events = [*to_handling(story), story.rectified()]
    (photo,) = story.pictures(f"rectified {story.at - timedelta(minutes=1)}")
    found = evidence.Finding(
        uuid5(photo.upload, "found"),
        "same_picture",
        f"与{story.number}的照片相同。",
        severity or "",
    )
    checked = evidence.PhotoChecked(
        upload=photo.upload,
        case=story.case_id,
        position=events[-1].position,
        rectified_at=story.at,
        version=1,
        findings=(found,) if severity else (),
    )
    return [*events, story.scribe.tell(checked, story.at)]


def test_hand_overs_in_doubt_are_told_with_what_speaks_against_them(readers: Readers) -> None:
    scribe = Scribe()
    clean, slight, grave, back, closed, long_ago = (
        Story(scribe, name) for name in ("clean", "slight", "grave", "back", "closed", "long")
    )
    ordered = did.ReworkOrdered(
        code="R05",
        words=back.words("不是现场照片"),
        stopped=(stops(Clock.VERIFICATION),),
        started=(starts(Clock.HANDLING, DAWN, 60),),
    )
    long_ago.at -= timedelta(days=15)
    events = [
        *[*handed_over(long_ago, "grave"), long_ago.closed()],
        *handed_over(clean, None),
        *handed_over(slight, "note"),
        *handed_over(grave, "grave"),
        *[*handed_over(back, "doubt"), back.step(ordered)],
        *[*handed_over(closed, "doubt"), closed.closed()],
    ]
    tell(readers, events)
    desk = supervisors(readers, DAWN + HOUR)
    told = {one.number: one for one in desk.suspected}
    assert set(told) == {"HDgrave", "HDback", "HDclosed"} and desk.counts["suspected"] == 3
    assert desk.suspected[0].number == "HDgrave", "what is to be looked at now stands first"
    assert told["HDgrave"].findings == ("与HDgrave的照片相同。",)
    assert (told["HDgrave"].code, told["HDback"].code) == (None, "R05")
    lone_again = back.rectified()
    for _ in range(2):
        readers.step(ListedLog([lone_again]))
    again = {one.number: one for one in supervisors(readers, DAWN + HOUR).suspected}
    assert again["HDback"].status is Status.RECTIFIED, "found false once, it is looked at closely"


def test_spots_that_rebound_are_told_for_a_week(lone: Readers) -> None:
    scribe = Scribe()
    first, again, other = (Story(scribe, name) for name in ("first", "again", "other"))
    other.place = (116.4, 40.0)
    events = [*to_handling(first), first.rectified(), first.closed()]
    again.at = first.at + timedelta(days=2)
    other.at = again.at
    events += [again.submitted(), again.registered(), other.submitted(), other.registered()]
    tell(lone, events)
    (spot,) = supervisors(lone, again.at + HOUR).rebounds
    assert (spot.indicator, spot.reports, spot.street) == ("P09", 1, str(HERE))
    assert supervisors(lone, again.at + HOUR, str(THERE)).rebounds == ()
    assert supervisors(lone, again.at + timedelta(days=8)).rebounds == ()


def test_the_streets_lists_are_those_that_its_counts_count(readers: Readers) -> None:
    scribe = Scribe()
    late, today, rework, noted, asks, closed, elsewhere = (
        Story(scribe, name, street=HERE)
        for name in ("late", "today", "rework", "noted", "asks", "closed", "else")
    )
    elsewhere.street = THERE
    ordered = did.ReworkOrdered(
        code="R02",
        words=rework.words("还有"),
        stopped=(stops(Clock.VERIFICATION),),
        started=(starts(Clock.HANDLING, DAWN, 60),),
    )
    note = did.InstructionNoted(
        note=1, words=noted.words("请说明"), started=(starts(Clock.NOTE, DAWN, 50),)
    )
    asking = did.CoordinationRequested(code="K01")
    window = (starts(Clock.APPEAL_WINDOW, DAWN, 50),)
    events = [
        *[late.submitted(), late.registered(), late.dispatched(60)],
        *to_handling(today, 5),
        *[*to_handling(rework), rework.rectified(), rework.step(ordered)],
        *[*to_handling(noted, 60), noted.step(note)],
        *[
            *to_handling(asks, 60),
            asked(asks, asking, Clock.COORDINATION, 60),
        ],
        *[
            *to_handling(closed, 60),
            closed.rectified(),
            with_(closed.closed(), started=window),
        ],
        *to_handling(elsewhere, 5),
    ]
    tell(readers, events)
    now, midnight = DAWN + 2 * HOUR, DAWN + 15 * HOUR
    with reading(readers.engine) as connection:
        found = street_desk.sections(connection, HERE, now, now + 24 * HOUR, midnight)
        desk = street_desk.desk(connection, HERE, now, now + 24 * HOUR, midnight)
        every = street_desk.pressing(connection, HERE)
        beside = street_desk.beside(connection, HERE, now)
    of = {name: [task.case.number for task in tasks] for name, tasks in found.items()}
    assert tuple(of) == street_desk.SECTIONS
    assert of["overdue"] == ["HDlate"] and len(of["overdue"]) == desk.overdue
    assert of["due_today"] == ["HDtoday"] and len(of["due_today"]) == desk.due_today
    assert of["to_acknowledge"] == ["HDlate"] and of["again"] == ["HDrework"]
    assert of["requests"] == ["HDasks"] and of["appealable"] == ["HDclosed"]
    assert beside == {"requests": 1, "appealable": 1}
    with reading(readers.engine) as connection:
        late_for_it = street_desk.beside(connection, HERE, now + 60 * HOUR)
    assert late_for_it == {"requests": 1, "appealable": 0}
    assert of["notes"] == ["HDnoted"] and of["dissatisfied"] == of["suspensions_ending"] == []
    assert [task.case.number for task in every][:2] == ["HDlate", "HDtoday"]
    clocks = {task.case.number: task.clock for task in every}
    assert (clocks["HDlate"], clocks["HDnoted"]) == (Clock.ACKNOWLEDGE, Clock.NOTE)
    assert [task.case.number for task in every if task.again] == ["HDrework"]


# the street's --------------------------------------------------------------------------------


def test_the_street_is_told_what_came_back_and_what_is_due_today(readers: Readers) -> None:
    scribe = Scribe()
    fresh, today, rework, blurred, reopened, unhappy, done = (
        Story(scribe, name, street=HERE)
        for name in ("fresh", "today", "rework", "blurred", "reopened", "unhappy", "done")
    )
    ordered = did.ReworkOrdered(
        code="R02",
        words=rework.words("还有"),
        stopped=(stops(Clock.VERIFICATION),),
        started=(starts(Clock.HANDLING, DAWN, 60),),
    )
    unreadable = did.RectificationUnreadable(
        photos=(),
        stopped=(stops(Clock.VERIFICATION),),
        started=(starts(Clock.HANDLING, DAWN, 60),),
    )
    done_again = replace(ordered, started=(starts(Clock.HANDLING, DAWN, 60),))
    again = did.CaseReopened(
        code="V11",
        words=reopened.words("没有解决"),
        street=HERE,
        assignment=reopened.assignment(),
        limit=LIMIT,
        due_at=DAWN + 60 * HOUR,
        round=2,
        started=(starts(Clock.ACKNOWLEDGE, DAWN, 60), starts(Clock.HANDLING, DAWN, 60)),
    )
    opened = did.RecheckOpened(
        stopped=(stops(Clock.RATING),), started=(starts(Clock.RECHECK, DAWN, 60),)
    )
    events = [
        *[fresh.submitted(), fresh.registered(), fresh.dispatched(60)],
        *to_handling(today, 5),
        *[*to_handling(rework), rework.rectified(), rework.step(ordered)],
        *[*to_handling(blurred), blurred.rectified(), blurred.step(unreadable)],
        *[*to_handling(reopened), reopened.rectified(), reopened.closed(), reopened.step(opened)],
        reopened.step(again),
        *[*to_handling(unhappy), unhappy.rectified(), unhappy.closed(), unhappy.step(opened)],
        *[*to_handling(done), done.rectified(), done.step(done_again), done.rectified()],
        done.closed(),
    ]
    tell(readers, events)
    now = DAWN + 2 * HOUR
    with reading(readers.engine) as connection:
        midnight = DAWN + 15 * HOUR
        desk = street_desk.desk(connection, HERE, now, now + 24 * HOUR, midnight)
        before = street_desk.desk(connection, HERE, now, now + 24 * HOUR, now + HOUR)
        everywhere = street_desk.desk(connection, None, now, now + 24 * HOUR, midnight)
        elsewhere = street_desk.desk(connection, THERE, now, now + 24 * HOUR, midnight)
    assert desk.again == 3, "rework, blurred and reopened; not what was handed over since"
    assert (desk.due_today, before.due_today) == (1, 0)
    assert desk.to_acknowledge == 2 and desk.dissatisfied == 1
    assert desk.overdue == 1, "nobody signed for `fresh` in half an hour"
    assert desk.by_status[Status.CLOSED] == 1
    assert everywhere == desk
    assert elsewhere.again == 0 and sum(elsewhere.by_status.values()) == 0


# the reviewers' ------------------------------------------------------------------------------


def reviewers(readers: Readers, at: datetime) -> ReviewerDesk:
    with reading(readers.engine) as connection:
        return reviewer_desk(connection, at)


def with_(recorded: Recorded, **changes: object) -> Recorded:
    return replace(recorded, event=msgspec.structs.replace(recorded.event, **changes))


def test_the_reviewers_desk_is_told_by_kind_of_work(readers: Readers) -> None:
    scribe = Scribe()
    danger, plain, answered, border, back, done = (
        Story(scribe, name) for name in ("danger", "plain", "answered", "border", "back", "done")
    )
    question = did.InformationRequested(
        code="Q01",
        question=answered.words("在哪"),
        stopped=(stops(Clock.REVIEW, final=False),),
        started=(starts(Clock.INFORMATION, DAWN, 48),),
    )
    supplied = did.InformationSupplied(
        person=answered.person,
        stopped=(stops(Clock.INFORMATION),),
        started=(starts(Clock.REVIEW, DAWN, 1.5),),
    )
    near = replace(border.assignment(), certainty=Certainty.NEAR_BORDER)
    events = [
        with_(danger.submitted(), danger=("井盖",), started=(starts(Clock.REVIEW, DAWN, 0.25),)),
        plain.submitted(),
        *[answered.submitted(), answered.step(question)],
        answered.step(supplied, citizen(answered.person)),
        *[with_(border.submitted(), assignment=near), border.registered()],
        *to_handling(back),
        asked(back, did.ReturnRequested(code="T01"), Clock.RETURN, 0.5),
        *[*to_handling(done), done.rectified()],
    ]
    tell(readers, events)
    desk = reviewers(readers, DAWN + HOUR)

    def found(section: str) -> list[str]:
        told = getattr(desk, section)
        assert told.count == len(told.cases)
        return [case.number for case in told.cases]

    assert found("urgent") == ["HDdanger"] and found("overdue") == ["HDdanger"]
    assert found("due_soon") == ["HDanswered"]
    assert found("supplied") == ["HDanswered"]
    assert found("border") == ["HDborder"]
    assert found("returns") == ["HDback"] and desk.returns.cases[0].clock is Clock.RETURN
    assert found("verification") == ["HDdone"] and found("recheck") == []
    assert found("to_review") == ["HDdanger", "HDanswered", "HDplain"]
    assert found("to_dispatch") == [] and found("duplicates") == []
    assert desk.by_status[Status.SUBMITTED] == 3 and desk.by_status[Status.RECTIFIED] == 1
    with reading(readers.engine) as connection:
        seqs = {report.case.number: report.seq for report in open_reports(connection)}
        told = reviewer_desk(connection, DAWN + HOUR, repeats=set(seqs.values()))
    assert {case.number for case in told.duplicates.cases} == {"HDdanger", "HDplain", "HDanswered"}


def test_what_was_supplied_is_no_news_once_somebody_moved_the_case_on(lone: Readers) -> None:
    story = Story(Scribe(), "a")
    supplied = did.InformationSupplied(person=story.person)
    tell(
        lone,
        [
            story.submitted(),
            story.step(did.InformationRequested(code="Q01", question=story.words("在哪"))),
            story.step(supplied, citizen(story.person)),
            story.step(did.InformationRequested(code="Q01", question=story.words("哪个门"))),
            story.step(did.InformationLapsed(), CLOCK),
        ],
    )
    assert reviewers(lone, DAWN).supplied.count == 0


def test_a_list_is_cut_and_its_count_is_not(lone: Readers) -> None:
    scribe = Scribe()
    tell(lone, [Story(scribe, f"{n}").submitted() for n in range(5)])
    with reading(lone.engine) as connection:
        desk = reviewer_desk(connection, DAWN + 4 * HOUR + SOON, limit=2)
    assert desk.overdue.count == 5 and len(desk.overdue.cases) == 2


# what is handed over -------------------------------------------------------------------------


def plain_work(
    readers: Readers, desk: str, now: datetime, near: datetime
) -> tuple[Work, set[tuple[str, Clock]]]:
    """The same by looking at every row."""
    open_, overdue, near_due, pending, notes = 0, 0, 0, 0, 0
    pressing: set[tuple[str, Clock]] = set()
    street = desks.street_of(desk)
    reviewer = {"submitted", "awaiting_information", "registered", "rectified", "under_recheck"}
    with reading(readers.engine) as connection:
        rows = connection.execute(CASE_BOARD.select()).all()
    for row in rows:
        clocks = {Clock(c): moment(due) for c, due in msgspec.json.decode(row.clocks).items()}
        asks = set(filter(None, row.pending.split(",")))
        mine = {
            desks.REVIEWER: row.status in reviewer,
            desks.SUPERVISOR: bool(asks - {"note", "request_return", "request_site_check"}),
        }.get(desk, row.street == street and row.status in {"dispatched", "handling", "suspended"})
        open_ += mine
        for clock, due in clocks.items():
            late = clock in desks.clocks_of(desk) and due < near
            late &= mine or clock is Clock.RETURN or desk == desks.SUPERVISOR
            late &= street is None or mine
            overdue += late and due < now
            near_due += late and due >= now
            pressing |= {(row.number, clock)} if late else set()
        for name in asks - {"note"}:
            clock = CLOCK_OF[Action(name)]
            told = mine if street else clock in desks.clocks_of(desk)
            pending += told
            pressing |= {(row.number, clock)} if told else set()
        noted = "note" in asks and (mine or desk == desks.SUPERVISOR)
        notes += noted
        pressing |= {(row.number, Clock.NOTE)} if noted else set()
    counts = Work(
        open=open_, overdue=overdue, near_due=near_due, pending=pending, notes=notes, pressing=()
    )
    return counts, pressing


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_work_of_a_desk_is_what_a_look_at_every_row_finds(lone: Readers, seed: int) -> None:
    random, scribe = Random(seed), Scribe()
    events = lives(scribe, [f"{n}" for n in range(25)], random, 160)
    more = Story(scribe, "more", street=STREETS[1])
    noted = did.InstructionNoted(note=1, words=more.words("请说明"))
    events += [
        *to_handling(more),
        asked(more, did.ReturnRequested(code="T01"), Clock.RETURN, 1),
        more.step(replace(noted, started=(starts(Clock.NOTE, more.at, 6),))),
    ]
    tell(lone, events)
    for desk in (desks.REVIEWER, desks.SUPERVISOR, *(desks.of_street(s) for s in STREETS[:3])):
        for hours in (0.5, 3, 30):
            now = DAWN + hours * HOUR
            with reading(lone.engine) as connection:
                work = desk_work(connection, desk, now, now + 4 * HOUR)
            counts, pressing = plain_work(lone, desk, now, now + 4 * HOUR)
            assert replace(work, pressing=()) == counts, (desk, hours)
            assert {(p.number, p.clock) for p in work.pressing} == pressing
            assert len(work.pressing) == len(pressing)
            assert [p.due_at for p in work.pressing] == sorted(p.due_at for p in work.pressing)


def test_there_is_no_work_at_what_is_no_desk(lone: Readers) -> None:
    with (
        reading(lone.engine) as connection,
        pytest.raises(ValueError, match="no desk"),
    ):
        desk_work(connection, "reception", DAWN, DAWN)


def test_counts_of_the_desks_are_read_from_the_index_of_open_cases(lone: Readers) -> None:
    with reading(lone.engine) as connection:
        question = among_open(bare(connection, CASE_BOARD.c.status), func.count())
        plain = str(question.compile(connection, compile_kwargs={"literal_binds": True}))
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {plain}")]
    assert any("COVERING INDEX case_board_open" in line for line in plan), plan
