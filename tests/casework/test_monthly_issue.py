"""Typical cases of a month: two persons, a last look, and no change that does not show."""

from datetime import timedelta
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from casework.candidates import Candidate, Ended, Said, Shot
from casework.errors import (
    ConflictOfInterest,
    Missing,
    NothingPending,
    NotPermitted,
    Refusal,
    TooEarly,
    UnknownCode,
)
from casework.model import Actor, Outcome, Role, Solved
from casework.monthly_issue import (
    MOST_ALT,
    MOST_CAPTION,
    MOST_ENTRIES,
    MOST_PHOTOS,
    MOST_TITLE,
    MOST_WORDS,
    Approve,
    CaseNominated,
    Command,
    EntryApproved,
    EntryRedacted,
    EntryWithdrawn,
    Event,
    Issue,
    IssuePublished,
    LastLook,
    Nominate,
    NotPublishable,
    Picture,
    Publish,
    Redact,
    Shown,
    Withdraw,
    begins,
    decide,
    erased,
    evolve,
    fold,
    is_month,
    pending,
    previewed,
)
from tests.history import EDITOR, EVERYBODY, REVIEWER, REVIEWER_2, RULES, fri, mon, staff, wed

MONTH = "2026-03"
CODES = RULES.catalogue.family("W")
EDITOR_2 = staff("editor-2", Role.EDITOR)
BOTH = staff("both", Role.REVIEWER, Role.EDITOR)

SPACE = UUID("6a1f6f2e-7f0c-4f57-8b0c-2f4f3a8d9c02")
CASE, WANG, LI = uuid5(SPACE, "case"), uuid5(SPACE, "王"), uuid5(SPACE, "李")
BEFORE, AFTER, OF_LI = uuid5(SPACE, "before"), uuid5(SPACE, "after"), uuid5(SPACE, "of li")
CAPTION = "路口垃圾当天清走。"

SOLVED = Candidate(
    number="HD26030200000018",
    person=WANG,
    submitted_at=mon("09:00"),
    lon=116.32,
    lat=39.98,
    street="110108011",
    indicator="P01",
    consenting=(WANG,),
    before=(Shot(BEFORE, WANG), Shot(OF_LI, LI)),
    after=(AFTER,),
    outcome=Outcome.RECTIFIED,
    handed_over_at=mon("11:30"),
    in_time=True,
    ended=Ended.CLOSED,
    said=(Said(WANG, Solved.YES, 5, 4),),
    rated_at=wed("09:00"),
)
SHOWN = Shown(
    entry=1,
    street="110108011",
    street_name="中关村街道",
    indicator="P01",
    indicator_name="公共区域清扫保洁不到位",
    outcome=Outcome.RECTIFIED,
    minutes=150,
    satisfaction=5,
    efficiency=4,
    raters=1,
    lon=116.3201,
    lat=39.9801,
)
OF_BEFORE, OF_AFTER = Picture(BEFORE, "n1"), Picture(AFTER, "n2")
NOMINATE = Nominate(case=CASE, candidate=SOLVED, caption=CAPTION, before=(BEFORE,), after=(AFTER,))
REDACT = Redact(entry=1, caption=CAPTION, before=(OF_BEFORE,), after=(OF_AFTER,))
LOOK = LastLook(candidate=SOLVED, shown=SHOWN)


def nominated(entry: int = 1, case: UUID = CASE, by: Actor = REVIEWER) -> CaseNominated:
    return CaseNominated(
        month=MONTH,
        entry=entry,
        case=case,
        case_number=SOLVED.number,
        persons=(WANG,),
        caption=CAPTION,
        nominated_by=by.id,
        before=(BEFORE,),
        after=(AFTER,),
    )


def test_a_title_and_what_pictures_show_are_kept_and_published() -> None:
    told = replace(OF_BEFORE, alt="单车堵住盲道")
    draft = replace(REDACT, title="盲道当天恢复", before=(told,))
    made = when([nominated()], draft, EDITOR)
    issue = after(nominated(), *made)
    look = LastLook(candidate=SOLVED, shown=SHOWN)
    then = previewed(issue.entries[1], look, fri("10:00"))
    assert then is not None and then.shown is not None
    assert (then.shown.title, then.shown.before) == ("盲道当天恢复", (told,))
    public = when([nominated(), *made, approved()], Publish(looks={1: look}, seen=40), EDITOR)
    assert isinstance(public[0], IssuePublished)
    assert public[0].entries == (then.shown,), "a preview is what is published"
    gone = erased(issue, WANG, fri("11:00")).entries[1]
    assert (gone.title, gone.pictures_before) == ("", ())


def test_a_preview_shows_the_draft_and_of_a_public_entry_what_it_corrects() -> None:
    look = LastLook(candidate=SOLVED, shown=SHOWN)
    assert previewed(after(nominated()).entries[1], look, fri("10:00")) is None
    public = after(*PUBLIC).entries[1]
    assert previewed(public, look, fri("10:00")) == public
    history = [*PUBLIC, redacted(caption="改过的说明。", why="更正。")]
    corrected = previewed(after(*history).entries[1], look, fri("10:00"))
    assert corrected is not None and corrected.shown is not None
    assert (corrected.shown.caption, corrected.shown.why) == ("改过的说明。", "更正。")
    assert corrected.earlier[0].shown == public.shown
    nothing = LastLook(candidate=None, shown=None)
    assert previewed(after(*history).entries[1], nothing, fri("10:00")) is None


@pytest.mark.parametrize(
    ("draft", "words"),
    [
        (replace(REDACT, title="长" * (MOST_TITLE + 1)), "标题最多40字"),
        (
            replace(REDACT, after=(replace(OF_AFTER, alt="长" * (MOST_ALT + 1)),)),
            "文字说明最多120字",
        ),
        (
            replace(REDACT, before=(OF_BEFORE, replace(OF_BEFORE, alt="另一句"))),
            "同一张照片不能重复使用",
        ),
    ],
)
def test_what_is_too_long_or_used_twice_is_refused(draft: Redact, words: str) -> None:
    refused(Missing, words, [nominated()], draft, EDITOR)


def redacted(
    entry: int = 1, by: Actor = EDITOR, caption: str = CAPTION, why: str = ""
) -> EntryRedacted:
    return EntryRedacted(
        entry=entry,
        caption=caption,
        redacted_by=by.id,
        before=(OF_BEFORE,),
        after=(OF_AFTER,),
        why=why,
    )


def approved(entry: int = 1, by: Actor = EDITOR_2) -> EntryApproved:
    return EntryApproved(entry=entry, approved_by=by.id)


def published(number: int = 1, caption: str = CAPTION, why: str = "") -> IssuePublished:
    shown = replace(SHOWN, caption=caption, before=(OF_BEFORE,), after=(OF_AFTER,), why=why)
    return IssuePublished(number=number, entries=(shown,), published_by=EDITOR.id, seen=40)


WITHDRAWN = EntryWithdrawn(entry=1, code="W02", withdrawn_by=EDITOR.id)
PUBLIC: list[Event] = [nominated(), redacted(), approved(), published()]


def after(*history: Event) -> Issue:
    return fold([(event, wed("10:00") + timedelta(hours=n)) for n, event in enumerate(history)])


def when(history: list[Event], command: Command, by: Actor) -> list[Event]:
    return decide(after(*history), MONTH, command, by, fri("10:00"), CODES)


def refused(
    kind: type[Refusal], says: str, history: list[Event], command: Command, by: Actor
) -> None:
    with pytest.raises(kind, match=says):
        when(history, command, by)


def publish(**looks: LastLook) -> Publish:
    return Publish(looks={int(name[1:]): look for name, look in looks.items()}, seen=40)


def test_from_nomination_to_publication() -> None:
    history: list[Event] = []
    for command, by, event in (
        (NOMINATE, REVIEWER, nominated()),
        (REDACT, EDITOR, redacted()),
        (Approve(entry=1), EDITOR_2, approved()),
        (publish(_1=LOOK), EDITOR, published()),
    ):
        assert when(history, command, by) == [event]
        history.append(event)
    issue = after(*history)
    entry = issue.entries[1]
    assert (issue.month, issue.version, issue.publications) == (MONTH, 4, 1)
    assert entry.shown is not None and entry.shown.caption == CAPTION
    assert issue.published_at == entry.published_at == entry.shown_since == wed("13:00")
    assert (entry.seen, pending(issue)) == (40, [])


def test_nobody_approves_what_they_nominated_or_redacted() -> None:
    own: list[Event] = [nominated(by=BOTH), redacted()]
    refused(ConflictOfInterest, "由您推荐", own, Approve(entry=1), BOTH)
    refused(ConflictOfInterest, "由您处理", [nominated(), redacted()], Approve(entry=1), EDITOR)
    # An earlier draft counts too: the first redactor has seen it with their own eyes already.
    twice: list[Event] = [nominated(), redacted(), redacted(by=EDITOR_2)]
    for by in (EDITOR, EDITOR_2):
        refused(ConflictOfInterest, "由您处理", twice, Approve(entry=1), by)
    assert when(twice, Approve(entry=1), BOTH)


def test_a_draft_is_approved_once_and_approved_again_when_it_is_changed() -> None:
    refused(NothingPending, "还没有处理好", [nominated()], Approve(entry=1), EDITOR_2)
    ready: list[Event] = [nominated(), redacted(), approved()]
    refused(NothingPending, "已经批准", ready, Approve(entry=1), BOTH)
    changed = [*ready, redacted(caption="另一种说法。")]
    assert pending(after(*changed)) == []
    refused(NothingPending, "没有已批准", changed, publish(_1=LOOK), EDITOR)


@pytest.mark.parametrize(
    ("command", "history", "role"),
    [
        (NOMINATE, [], Role.REVIEWER),
        (REDACT, [nominated()], Role.EDITOR),
        (Approve(entry=1), [nominated(by=staff("x")), redacted(by=staff("x"))], Role.EDITOR),
        (publish(_1=LOOK), [nominated(), redacted(), approved()], Role.EDITOR),
        (Withdraw(entry=1, code="W01"), PUBLIC, Role.EDITOR),
    ],
)
def test_each_step_has_its_role(command: Command, history: list[Event], role: Role) -> None:
    for actor in (*EVERYBODY, EDITOR_2):
        if actor.holds(role):
            assert when(history, command, actor)
        else:
            refused(NotPermitted, "典型案例", history, command, actor)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"ended": None}, "没有结案，或已重办"),
        ({"ended": Ended.TRANSFERRED}, "已转办"),
        ({"ended": Ended.FORCE_CLOSED}, "强制结案"),
        ({"ended": Ended.MERGED}, "推荐主案件"),
        ({"rechecking": True}, "正在复核"),
        ({"outcome": Outcome.NOT_FOUND}, "现场未发现"),
        ({"said": ()}, "还没有评价"),
        ({"said": (Said(WANG, Solved.YES, 5, 5), Said(LI, Solved.PARTLY, 3, 3))}, "部分解决"),
    ],
)
def test_only_what_is_solved_and_rated_is_nominated_or_published(
    change: dict[str, object], says: str
) -> None:
    barred = replace(SOLVED, **change)
    refused(Missing, says, [], replace(NOMINATE, candidate=barred), REVIEWER)
    ready: list[Event] = [nominated(), redacted(), approved()]
    look = LastLook(candidate=barred, shown=SHOWN)
    refused(NotPublishable, f"第1件: .*{says}", ready, publish(_1=look), EDITOR)


def test_photos_are_the_cases_own_and_their_reporters_agreed() -> None:
    for field in ("before", "after"):
        stranger = replace(NOMINATE, **{field: (uuid5(SPACE, "stranger"),)})
        refused(Missing, "本案件", [], stranger, REVIEWER)
        twice = replace(NOMINATE, **{field: getattr(NOMINATE, field) * 2})
        refused(Missing, "重复", [], twice, REVIEWER)
        many = tuple(uuid5(SPACE, str(n)) for n in range(MOST_PHOTOS + 1))
        refused(Missing, "最多4张", [], replace(NOMINATE, **{field: many}), REVIEWER)
    refused(Missing, "没有同意", [], replace(NOMINATE, before=(OF_LI,)), REVIEWER)
    agreed = replace(SOLVED, consenting=(WANG, LI))
    (event,) = when([], replace(NOMINATE, candidate=agreed, before=(OF_LI,)), REVIEWER)
    assert isinstance(event, CaseNominated) and event.persons == (WANG, LI)
    other = replace(REDACT, before=(Picture(OF_LI, "n3"),))
    refused(Missing, "推荐时选定", [nominated()], other, EDITOR)


def test_words_have_their_length() -> None:
    for caption in ("", "  ", "话" * (MOST_CAPTION + 1)):
        refused(Missing, "说明文字", [], replace(NOMINATE, caption=caption), REVIEWER)
        refused(Missing, "说明文字", [nominated()], replace(REDACT, caption=caption), EDITOR)
    long = replace(REDACT, why="话" * (MOST_WORDS + 1))
    refused(Missing, "最多200字", PUBLIC, long, EDITOR)


def test_a_month_takes_each_case_once_and_not_before_it_begins() -> None:
    refused(NothingPending, "已经推荐", [nominated()], NOMINATE, REVIEWER_2)
    again = when([nominated(), WITHDRAWN], NOMINATE, REVIEWER_2)
    assert again == [nominated(entry=2, by=REVIEWER_2)]
    with pytest.raises(TooEarly, match="2026年04月01日 00:00"):
        decide(Issue(), "2026-04", NOMINATE, REVIEWER, begins("2026-04") - timedelta(0, 1), CODES)
    assert decide(Issue(), "2026-04", NOMINATE, REVIEWER, begins("2026-04"), CODES)
    full: list[Event] = [nominated(n + 1, uuid5(SPACE, str(n))) for n in range(MOST_ENTRIES)]
    refused(NothingPending, "最多推荐60件", full, NOMINATE, REVIEWER)


def test_the_last_look_stops_the_whole_publication_and_names_every_reason() -> None:
    other = uuid5(SPACE, "other")
    ready: list[Event] = [
        nominated(), redacted(), approved(), nominated(2, other), redacted(2), approved(2),
    ]  # fmt: skip
    no_consent = LastLook(candidate=replace(SOLVED, consenting=()), shown=SHOWN)
    erased_ = LastLook(candidate=SOLVED, shown=SHOWN, against=("反映人已要求删除个人信息。",))
    with pytest.raises(NotPublishable) as refusal:
        when(ready, publish(_1=no_consent, _2=erased_), EDITOR)
    assert refusal.value.reasons == (
        "第1件: 反映人不同意公开照片。",
        "第2件: 反映人已要求删除个人信息。",
    )
    refused(NotPublishable, "第2件: 批准后有变动", ready, publish(_1=LOOK), EDITOR)
    nothing = LastLook(candidate=None, shown=None)
    refused(NotPublishable, "没有找到案件", ready, publish(_1=nothing, _2=LOOK), EDITOR)
    bare = LastLook(candidate=SOLVED, shown=None)
    refused(NotPublishable, "资料不全", ready, publish(_1=LOOK, _2=bare), EDITOR)
    (event,) = when(ready, publish(_1=LOOK, _2=LOOK), EDITOR)
    assert isinstance(event, IssuePublished)
    assert [shown.entry for shown in event.entries] == [1, 2]


def test_what_is_public_is_corrected_by_the_same_steps_with_a_reason_that_shows() -> None:
    refused(Missing, "更正须写明原因", PUBLIC, REDACT, EDITOR)
    change = replace(REDACT, caption="当天清走，次日复查。", why="补充复查。")
    (draft,) = when(PUBLIC, change, EDITOR)
    drafted = [*PUBLIC, draft]
    entry = after(*drafted).entries[1]
    assert entry.shown is not None and entry.shown.caption == CAPTION, "public as it was"
    refused(ConflictOfInterest, "由您处理", drafted, Approve(entry=1), EDITOR)
    (event,) = when([*drafted, approved()], publish(_1=LOOK), EDITOR)
    assert event == published(2, "当天清走，次日复查。", "补充复查。")
    corrected = after(*drafted, approved(), event)
    entry = corrected.entries[1]
    assert entry.shown is not None and entry.shown.why == "补充复查。"
    assert [(e.shown.caption, e.until) for e in entry.earlier] == [(CAPTION, wed("16:00"))]
    assert entry.published_at == wed("13:00") and entry.shown_since == wed("16:00")
    assert (corrected.publications, corrected.published_at) == (2, wed("13:00"))


def test_an_entry_is_withdrawn_once_with_a_code() -> None:
    assert when(PUBLIC, Withdraw(entry=1, code="W02"), EDITOR) == [WITHDRAWN]
    refused(UnknownCode, "W01、W02", PUBLIC, Withdraw(entry=1, code="N01"), EDITOR)
    long = Withdraw(entry=1, code="W03", words="话" * (MOST_WORDS + 1))
    refused(Missing, "最多200字", PUBLIC, long, EDITOR)
    gone = [*PUBLIC, WITHDRAWN]
    refused(NothingPending, "已经撤回", gone, Withdraw(entry=1, code="W03"), EDITOR)
    for command in (REDACT, Approve(entry=1)):
        refused(NothingPending, "已撤回或移除", gone, command, EDITOR_2)
    refused(NothingPending, "没有已批准", gone, publish(), EDITOR)
    entry = after(*gone).entries[1]
    assert entry.gone and entry.shown is not None, "what was public is known, and no longer shown"


def test_a_code_may_ask_for_words() -> None:
    strict = [replace(code, words=4) for code in CODES]
    issue = after(*PUBLIC)
    with pytest.raises(Missing, match="至少4字"):
        decide(
            issue, MONTH, Withdraw(entry=1, code="W05", words="不妥"), EDITOR, fri("10:00"), strict
        )
    command = Withdraw(entry=1, code="W05", words="当事人不同意")
    assert decide(issue, MONTH, command, EDITOR, fri("10:00"), strict)


def test_an_entry_that_never_was_is_not_answered() -> None:
    with pytest.raises(KeyError):
        when([], REDACT, EDITOR)


def test_of_the_erased_nothing_stays_but_a_mark() -> None:
    correction = redacted(caption="又改。", why="更正。")
    issue = after(*PUBLIC, correction, approved(), published(2, "又改。", "更正。"))
    assert erased(issue, LI, fri("09:00")) is issue
    wiped = erased(issue, WANG, fri("09:00"))
    entry = wiped.entries[1]
    assert entry.gone and entry.erased_at == fri("09:00")
    assert CAPTION not in str(wiped) and "又改" not in str(wiped) and "n1" not in str(wiped)
    assert entry.shown is not None and entry.shown.street == "110108011", "where it is filed"
    assert erased(wiped, WANG, fri("10:00")) is wiped
    with pytest.raises(NothingPending, match="已撤回或移除"):
        decide(wiped, MONTH, Approve(entry=1), EDITOR_2, fri("10:00"), CODES)
    assert decide(wiped, MONTH, Withdraw(entry=1, code="W01"), EDITOR, fri("10:00"), CODES)


def test_a_month_is_written_with_its_year() -> None:
    assert is_month("2026-03")
    for text in ("2026-13", "2026-3", "26-03", "2026-03 ", "1999-01"):
        assert not is_month(text)


# whatever is asked -------------------------------------------------------------------------

PEOPLE = (REVIEWER, REVIEWER_2, EDITOR, EDITOR_2, BOTH)
OTHERS = [uuid5(SPACE, f"case {n}") for n in range(3)]

commands = st.one_of(
    st.builds(lambda case: replace(NOMINATE, case=case), st.sampled_from(OTHERS)),
    st.builds(
        lambda entry, caption, why: replace(REDACT, entry=entry, caption=caption, why=why),
        st.integers(1, 3),
        st.sampled_from(["一种说法。", "另一种说法。"]),
        st.sampled_from(["", "更正。"]),
    ),
    st.builds(Approve, entry=st.integers(1, 3)),
    st.builds(
        lambda reopened: Publish(
            looks={
                n: LastLook(
                    candidate=replace(SOLVED, ended=None) if n == reopened else SOLVED, shown=SHOWN
                )
                for n in range(1, 4)
            },
            seen=40,
        ),
        st.integers(1, 9),
    ),
    st.builds(Withdraw, entry=st.integers(1, 3), code=st.sampled_from(["W01", "W03", "N01"])),
)


def next_step(issue: Issue, number: int, person: Actor) -> tuple[Command, Actor]:
    """What usually follows for an entry, so that a walk gets as far as a correction."""
    entry = issue.entries.get(number)
    if entry is None:
        return replace(NOMINATE, case=OTHERS[number - 1]), BOTH
    if not entry.redacted:
        return replace(REDACT, entry=number, caption=f"第{issue.version}稿。", why="更正。"), EDITOR
    if entry.approved_by is None:
        return Approve(entry=number), person
    return Publish(looks=dict.fromkeys(range(1, 4), LOOK), seen=40), EDITOR


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(1, 3), commands, st.sampled_from(PEOPLE)),
        min_size=20,
        max_size=60,
    )
)
def test_whatever_is_asked_nothing_is_public_without_two_and_nothing_changes_unseen(
    asked: list[tuple[int, int, Command, Actor]],
) -> None:
    issue, hour = Issue(), 0
    approvals: dict[int, str] = {}
    for usual, number, other, person in asked:
        command, by = next_step(issue, number, person) if usual else (other, person)
        hour += 1
        at = wed("10:00") + timedelta(hours=hour)
        try:
            happened = decide(issue, MONTH, command, by, at, CODES)
        except (Refusal, KeyError):
            continue
        (event,) = happened
        before, issue = issue, evolve(issue, event, at)
        assert issue.version == before.version + 1
        if isinstance(event, EntryApproved):
            approvals[event.entry] = by.id
        for n, entry in issue.entries.items():
            was = before.entries.get(n)
            if was is None or entry.shown == was.shown:
                continue
            assert isinstance(event, IssuePublished) and entry.shown_since == at
            assert approvals[n] not in {was.nominated_by, *was.redactors}
            assert was.withdrawn_at is None
            if was.shown is not None:
                assert entry.earlier[-1].shown == was.shown and entry.shown is not None
                assert entry.shown.why, "a correction has its reason"
