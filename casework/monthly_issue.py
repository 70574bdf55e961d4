"""Typical cases of a month (月度典型案例): nominated, redacted, approved, published, withdrawn.

A stream a month. What the public sees is frozen in the fact that published it; a later change is a
fact of its own and shows as one. Knows no photo, no view and no clock; captions are masked before
they come here, and what was found out about a case is told with the command.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias, assert_never
from uuid import UUID

import msgspec
from msgspec.structs import replace

from casework import candidates
from casework.candidates import Candidate
from casework.clocks import SHANGHAI
from casework.errors import (
    ConflictOfInterest,
    Missing,
    NothingPending,
    NotPermitted,
    Refusal,
    TooEarly,
    UnknownCode,
)
from casework.indicators import ReasonCode
from casework.lifecycle import ROLE_NAMES
from casework.model import Actor, Outcome, Role

NAME = "月度典型案例"
WITHDRAWAL = "W"
"""The family of coded reasons for withdrawing an entry."""

MOST_CAPTION = 300
"""Characters of a caption: what fits under a pair of pictures on a phone."""

MOST_TITLE = 40
"""Characters of a title: two lines on a phone."""

MOST_ALT = 120
"""Characters of what is said in a picture's place: a breath's length when it is read out."""

MOST_WORDS = 200
MOST_PHOTOS = 4
"""Pictures before and after: a pair, and another for the detail of each."""

MOST_ENTRIES = 60
"""Entries ever nominated for a month: some twenty are published."""

_MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")


def is_month(text: str) -> bool:
    """Whether it is written as a month, such as 2026-05."""
    return _MONTH.fullmatch(text) is not None


def begins(month: str) -> datetime:
    """The first moment of the month in Shanghai."""
    return datetime.strptime(month, "%Y-%m").replace(tzinfo=SHANGHAI)


@dataclass(eq=False)
class NotPublishable(Refusal):
    """Some of what is to be published cannot be, each with its reason (不能发布)."""

    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return f"暂不能发布: {'；'.join(self.reasons)}"


# What is shown ---------------------------------------------------------------------------


class Picture(msgspec.Struct, frozen=True, omit_defaults=True):
    """A redacted picture by its random name, and the upload it was made from.

    `alt` is what it shows, for those who cannot see it; empty, its place in the entry is told.
    """

    upload: UUID
    name: str
    alt: str = ""


class Shown(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry as it is published, frozen: never a person, never the number of a case.

    `minutes` from report to accepted hand-over, by the wall. `lon`, `lat` are the middle of the
    100 m cell in WGS-84 degrees. Names stand as they were. `why` tells of a correction. Without a
    `title` it is that of its 街镇 and indicator.
    """

    entry: int
    street: str
    street_name: str
    indicator: str
    indicator_name: str
    outcome: Outcome
    minutes: int
    satisfaction: float
    efficiency: float
    raters: int
    lon: float
    lat: float
    caption: str = ""
    before: tuple[Picture, ...] = ()
    after: tuple[Picture, ...] = ()
    why: str = ""
    demonstration: bool = False
    title: str = ""


class LastLook(msgspec.Struct, frozen=True, kw_only=True):
    """What is found out about an entry when it is to be published.

    `against` are reasons beside those of the case itself: erasure, consent, photos. `shown` is what
    would be published, without words and pictures: those are the entry's own.
    """

    candidate: Candidate | None
    shown: Shown | None
    against: tuple[str, ...] = ()


# Commands --------------------------------------------------------------------------------


class Nominate(msgspec.Struct, frozen=True, kw_only=True):
    """推荐. `candidate` is the case as its history tells it; photos are uploads of that case."""

    case: UUID
    candidate: Candidate
    caption: str
    before: tuple[UUID, ...] = ()
    after: tuple[UUID, ...] = ()


class Redact(msgspec.Struct, frozen=True, kw_only=True):
    """处理: title, caption and the redacted pictures as they shall be shown.

    Of an entry that is published it prepares a correction, and `why` is needed.
    """

    entry: int
    caption: str
    before: tuple[Picture, ...] = ()
    after: tuple[Picture, ...] = ()
    why: str = ""
    title: str = ""


class Approve(msgspec.Struct, frozen=True, kw_only=True):
    entry: int


class Publish(msgspec.Struct, frozen=True, kw_only=True):
    """发布 everything approved and not yet public, after a last look at each.

    `seen` is the position of the log up to which was surely looked: what comes later is news.
    """

    looks: Mapping[int, LastLook]
    seen: int


class Withdraw(msgspec.Struct, frozen=True, kw_only=True):
    """撤回, before publication or after. `words` are masked already."""

    entry: int
    code: str
    words: str = ""


Command: TypeAlias = Nominate | Redact | Approve | Publish | Withdraw


# Events ----------------------------------------------------------------------------------


class CaseNominated(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`entry` counts the month's entries from 1; `persons` are the reporters it would show of."""

    month: str
    entry: int
    case: UUID
    case_number: str
    persons: tuple[UUID, ...]
    caption: str
    nominated_by: str
    before: tuple[UUID, ...] = ()
    after: tuple[UUID, ...] = ()


class EntryRedacted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    entry: int
    caption: str
    redacted_by: str
    before: tuple[Picture, ...] = ()
    after: tuple[Picture, ...] = ()
    why: str = ""
    title: str = ""


class EntryApproved(msgspec.Struct, frozen=True, kw_only=True):
    entry: int
    approved_by: str


class IssuePublished(msgspec.Struct, frozen=True, kw_only=True):
    """`number` counts the publications of the month from 1; later ones add or correct."""

    number: int
    entries: tuple[Shown, ...]
    published_by: str
    seen: int


class EntryWithdrawn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    entry: int
    code: str
    withdrawn_by: str
    words: str = ""


Event: TypeAlias = CaseNominated | EntryRedacted | EntryApproved | IssuePublished | EntryWithdrawn

STORED_AS: dict[str, type[Event]] = {
    "case-nominated": CaseNominated,
    "entry-redacted": EntryRedacted,
    "entry-approved": EntryApproved,
    "issue-published": IssuePublished,
    "entry-withdrawn": EntryWithdrawn,
}


# The issue -------------------------------------------------------------------------------


class Earlier(msgspec.Struct, frozen=True):
    """What was public before a correction, and until when."""

    shown: Shown
    until: datetime


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry as its month tells it. `shown` is what is public, the rest how it came about."""

    number: int
    case: UUID
    case_number: str
    persons: tuple[UUID, ...]
    caption: str
    nominated_by: str
    nominated_at: datetime
    before: tuple[UUID, ...] = ()
    after: tuple[UUID, ...] = ()
    redactors: tuple[str, ...] = ()
    redacted: bool = False
    """A draft is ready: never published, or other than what is public."""
    pictures_before: tuple[Picture, ...] = ()
    pictures_after: tuple[Picture, ...] = ()
    why: str = ""
    title: str = ""
    approved_by: str | None = None
    shown: Shown | None = None
    published_at: datetime | None = None
    """When it was first public; `shown_since` when it came to be as it is."""
    shown_since: datetime | None = None
    seen: int = 0
    """The position of the log up to which was looked before it came to be as it is."""
    earlier: tuple[Earlier, ...] = ()
    withdrawn_code: str | None = None
    withdrawn_words: str = ""
    withdrawn_at: datetime | None = None
    erased_at: datetime | None = None

    @property
    def gone(self) -> bool:
        return self.withdrawn_at is not None or self.erased_at is not None


class Issue(msgspec.Struct, frozen=True, omit_defaults=True):
    """A month: its entries by number, how often it was published, and what version that makes."""

    month: str = ""
    version: int = 0
    entries: dict[int, Entry] = {}
    publications: int = 0
    published_at: datetime | None = None


def pending(issue: Issue) -> list[Entry]:
    """What a publication would publish: approved drafts of entries that were not withdrawn."""
    return [e for e in issue.entries.values() if e.approved_by is not None and not e.gone]


def decide(
    issue: Issue,
    month: str,
    command: Command,
    by: Actor,
    at: datetime,
    codes: Sequence[ReasonCode],
) -> list[Event]:
    """What follows for the month, or a Refusal. `codes` are the W… reasons in force.

    KeyError for an entry that never was: whoever asks has looked.
    """
    match command:
        case Nominate():
            _require(by, "推荐", Role.REVIEWER)
            return [_nominated(issue, month, command, by, at)]
        case Redact():
            _require(by, "处理", Role.EDITOR)
            return [_redacted(_live(issue, command.entry, "处理"), command, by)]
        case Approve(entry=number):
            _require(by, "批准", Role.EDITOR)
            _require_another(_live(issue, number, "批准"), by)
            return [EntryApproved(entry=number, approved_by=by.id)]
        case Publish():
            _require(by, "发布", Role.EDITOR)
            return [_published(issue, command, by)]
        case Withdraw(entry=number, code=code, words=words):
            _require(by, "撤回", Role.EDITOR)
            entry = issue.entries[number]
            if entry.withdrawn_at is not None:
                raise NothingPending("撤回", "这件案例已经撤回。")
            _require_code(code, words, codes)
            return [EntryWithdrawn(entry=number, code=code, words=words, withdrawn_by=by.id)]
        case _:
            assert_never(command)


def _require(by: Actor, action: str, role: Role) -> None:
    if not by.holds(role):
        raise NotPermitted(f"{action}典型案例", (ROLE_NAMES[role],))


def _live(issue: Issue, number: int, action: str) -> Entry:
    entry = issue.entries[number]
    if entry.gone:
        raise NothingPending(action, f"第{number}件已撤回或移除，不能再{action}。")
    return entry


def _require_caption(caption: str) -> None:
    if not caption.strip():
        raise Missing("caption", "请填写说明文字。")
    if len(caption) > MOST_CAPTION:
        raise Missing("caption", f"说明文字最多{MOST_CAPTION}字。")


def _require_short(title: str, pictures: Sequence[Picture]) -> None:
    if len(title) > MOST_TITLE:
        raise Missing("title", f"标题最多{MOST_TITLE}字。")
    if any(len(picture.alt) > MOST_ALT for picture in pictures):
        raise Missing("alt", f"每张照片的文字说明最多{MOST_ALT}字。")


def _require_few(before: Sequence[object], after: Sequence[object]) -> None:
    for field, photos in (("before", before), ("after", after)):
        if len(photos) > MOST_PHOTOS:
            raise Missing(field, f"整改前、整改后的照片各最多{MOST_PHOTOS}张。")
        if len(set(photos)) < len(photos):
            raise Missing(field, "同一张照片不能重复使用。")


def _nominated(
    issue: Issue, month: str, command: Nominate, by: Actor, at: datetime
) -> CaseNominated:
    first, case = begins(month), command.candidate
    if at < first:
        raise TooEarly(f"推荐{month}典型案例", first)
    if len(issue.entries) >= MOST_ENTRIES:
        raise NothingPending("推荐", f"每月最多推荐{MOST_ENTRIES}件。")
    if any(e.case == command.case and e.withdrawn_at is None for e in issue.entries.values()):
        raise NothingPending("推荐", "这个案件已经推荐到本月。")
    reason = candidates.why_not(case)
    if reason is not None:
        raise Missing("case", f"不能推荐: {reason}")
    _require_caption(command.caption)
    _require_few(command.before, command.after)
    own = {shot.upload for shot in case.before}
    if not own.issuperset(command.before) or not set(case.after).issuperset(command.after):
        raise Missing("before", "照片须是本案件反映时的和整改后的照片。")
    if candidates.without_consent(case, command.before):
        raise Missing("before", "反映人没有同意公开照片，请不要选用。")
    shots = case.shots_of(command.before)
    return CaseNominated(
        month=month,
        entry=len(issue.entries) + 1,
        case=command.case,
        case_number=case.number,
        persons=tuple(dict.fromkeys((case.person, *(shot.person for shot in shots)))),
        caption=command.caption,
        nominated_by=by.id,
        before=command.before,
        after=command.after,
    )


def _redacted(entry: Entry, command: Redact, by: Actor) -> EntryRedacted:
    _require_caption(command.caption)
    _require_short(command.title, (*command.before, *command.after))
    _require_few([p.upload for p in command.before], [p.upload for p in command.after])
    chosen = {*entry.before, *entry.after}
    if not chosen.issuperset(p.upload for p in (*command.before, *command.after)):
        raise Missing("before", "只能使用推荐时选定的照片。")
    if entry.shown is not None and not command.why.strip():
        raise Missing("why", "案例已公开，更正须写明原因，原因会一并公开。")
    if len(command.why) > MOST_WORDS:
        raise Missing("why", f"更正原因最多{MOST_WORDS}字。")
    return EntryRedacted(
        entry=entry.number,
        caption=command.caption,
        redacted_by=by.id,
        before=command.before,
        after=command.after,
        why=command.why if entry.shown is not None else "",
        title=command.title,
    )


def _require_another(entry: Entry, by: Actor) -> None:
    """Nobody approves what they nominated or redacted, now or in an earlier draft."""
    if not entry.redacted:
        raise NothingPending("批准", f"第{entry.number}件还没有处理好的稿件，请先处理。")
    if entry.approved_by is not None:
        raise NothingPending("批准", f"第{entry.number}件已经批准。")
    if by.id == entry.nominated_by:
        raise ConflictOfInterest("批准", "案例由您推荐")
    if by.id in entry.redactors:
        raise ConflictOfInterest("批准", "案例由您处理")


def _published(issue: Issue, command: Publish, by: Actor) -> IssuePublished:
    waiting, looks = pending(issue), command.looks
    if not waiting:
        raise NothingPending("发布", "没有已批准、待发布的案例。")
    against = [
        f"第{entry.number}件: {reason}"
        for entry in waiting
        for reason in _against(entry, looks.get(entry.number))
    ]
    if against:
        raise NotPublishable(tuple(against))
    return IssuePublished(
        number=issue.publications + 1,
        entries=tuple(_shown(entry, looks[entry.number]) for entry in waiting),
        published_by=by.id,
        seen=command.seen,
    )


def _against(entry: Entry, look: LastLook | None) -> list[str]:
    """Reopened, unrated, without consent, erased, or with a photo that nobody has looked at."""
    if look is None or look.candidate is None:
        return ["批准后有变动，请重新发布。" if look is None else "没有找到案件。"]
    reasons = list(look.against)
    barred = candidates.why_not(look.candidate)
    if barred is not None:
        reasons.insert(0, barred)
    if candidates.without_consent(look.candidate, [p.upload for p in entry.pictures_before]):
        reasons.append("反映人不同意公开照片。")
    if not reasons and look.shown is None:
        reasons.append("案件资料不全。")
    return list(dict.fromkeys(reasons))


def _shown(entry: Entry, look: LastLook) -> Shown:
    assert look.shown is not None, "`_against` saw to it"
    return replace(
        look.shown,
        entry=entry.number,
        caption=entry.caption,
        before=entry.pictures_before,
        after=entry.pictures_after,
        why=entry.why,
        title=entry.title,
    )


def previewed(entry: Entry, look: LastLook, at: datetime) -> Entry | None:
    """The entry as a publication at that time would leave it; None where nothing would be shown.

    Whether it may be published is not asked here: a preview shows what approving is about.
    """
    if not entry.redacted:
        return entry if entry.shown is not None else None
    return _public(entry, _shown(entry, look), at, entry.seen) if look.shown is not None else None


def _require_code(code: str, words: str, codes: Sequence[ReasonCode]) -> None:
    reason = next((each for each in codes if each.code == code), None)
    if reason is None:
        raise UnknownCode(code, tuple(each.code for each in codes))
    if len(words.strip()) < reason.words:
        raise Missing("words", f"选择「{reason.text}」须写明至少{reason.words}字的说明。")
    if len(words) > MOST_WORDS:
        raise Missing("words", f"说明最多{MOST_WORDS}字。")


def evolve(issue: Issue, event: Event, at: datetime) -> Issue:
    """The month after the event. Refuses nothing."""
    issue = replace(issue, version=issue.version + 1)
    match event:
        case CaseNominated():
            return _with(
                replace(issue, month=event.month),
                Entry(
                    number=event.entry,
                    case=event.case,
                    case_number=event.case_number,
                    persons=event.persons,
                    caption=event.caption,
                    nominated_by=event.nominated_by,
                    nominated_at=at,
                    before=event.before,
                    after=event.after,
                ),
            )
        case EntryRedacted(entry=number):
            entry = issue.entries[number]
            return _with(
                issue,
                replace(
                    entry,
                    caption=event.caption,
                    pictures_before=event.before,
                    pictures_after=event.after,
                    why=event.why,
                    title=event.title,
                    redactors=tuple(dict.fromkeys((*entry.redactors, event.redacted_by))),
                    redacted=True,
                    approved_by=None,
                ),
            )
        case EntryApproved(entry=number, approved_by=approver):
            return _with(issue, replace(issue.entries[number], approved_by=approver))
        case IssuePublished(entries=shown):
            for each in shown:
                issue = _with(issue, _public(issue.entries[each.entry], each, at, event.seen))
            return replace(
                issue,
                publications=event.number,
                published_at=issue.published_at or at,
            )
        case EntryWithdrawn(entry=number, code=code, words=words):
            entry = issue.entries[number]
            withdrawn = replace(
                entry, withdrawn_code=code, withdrawn_words=words, withdrawn_at=at, approved_by=None
            )
            return _with(issue, withdrawn)
        case _:
            assert_never(event)


def _with(issue: Issue, entry: Entry) -> Issue:
    return replace(issue, entries={**issue.entries, entry.number: entry})


def _public(entry: Entry, shown: Shown, at: datetime, seen: int) -> Entry:
    earlier = entry.earlier
    if entry.shown is not None:
        earlier = (*earlier, Earlier(entry.shown, at))
    return replace(
        entry,
        shown=shown,
        earlier=earlier,
        published_at=entry.published_at or at,
        shown_since=at,
        seen=seen,
        redacted=False,
        approved_by=None,
    )


def erased(issue: Issue, person: UUID, at: datetime) -> Issue:
    """The month once a person is erased: of entries that showed of them nothing stays but a mark.

    Ids, accounts and reasons stay; caption and pictures go, also those of earlier forms.
    """
    for entry in issue.entries.values():
        if person in entry.persons and entry.erased_at is None:
            issue = _with(
                issue,
                replace(
                    entry,
                    caption="",
                    before=(),
                    after=(),
                    pictures_before=(),
                    pictures_after=(),
                    why="",
                    title="",
                    approved_by=None,
                    shown=entry.shown
                    and replace(entry.shown, caption="", title="", before=(), after=()),
                    earlier=(),
                    erased_at=at,
                ),
            )
    return issue


def fold(history: Sequence[tuple[Event, datetime]]) -> Issue:
    """The month after these events, each with its time."""
    issue = Issue()
    for event, at in history:
        issue = evolve(issue, event, at)
    return issue
