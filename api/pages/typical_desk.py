"""典型案例台: a month from proposal to publication, each step a plain form, two persons in sight.

Every step is the API's own function; a refusal keeps what was typed and leads to what is missing.
"""

from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends, Query
from starlette.responses import RedirectResponse, Response

from api.accounts.errors import NotThere
from api.door import Door
from api.pages.frame import Frame, framed
from api.pages.posted import Posted, shaped
from api.pages.refusing import Refused, Wrong
from api.pages.rendering import of_case
from api.pages.submitting import read
from api.pages.typical import EntryPath
from api.pages.typical_work import (
    HOME,
    Against,
    Shots,
    Work,
    against,
    against_publishing,
    carried,
    caught_up,
    digest_of,
    may_look,
    not_filled,
    seen_version,
    sent,
    shots_of,
    work_of,
)
from api.routes.cases import sight
from api.routes.photos import list_photos
from api.routes.typical_cases import (
    MonthPath,
    approve,
    list_desk_months,
    nominate,
    preview,
    proposal,
    publish,
    redact,
    withdraw,
)
from api.schemas import FileOut, PhotoOut
from api.typical_cases import candidate_of
from api.typical_schemas import (
    ApproveEntryIn,
    DeskEntryOut,
    IssueDeskOut,
    NominateIn,
    RedactEntryIn,
    TypicalOut,
    WithdrawEntryIn,
)
from api.typical_shown import month_title
from casework import candidates
from casework.candidates import Candidate
from casework.clocks import SHANGHAI
from casework.errors import Refusal
from casework.monthly_issue import (
    MOST_ALT,
    MOST_CAPTION,
    MOST_PHOTOS,
    MOST_TITLE,
    MOST_WORDS,
    WITHDRAWAL,
)
from casework.numbers import is_case_number

router = APIRouter(include_in_schema=False)

OnDesk = Annotated[Frame, Depends(framed("pages.typical_desk"))]

NONE_OF_THEM = 0
"""Where a page is about no entry of the month: none is looked at."""

IN_HAND = frozenset({"nominated", "redacted", "approved"})
"""Stages at which somebody has to do something."""

LIMITS = {
    "title": MOST_TITLE,
    "caption": MOST_CAPTION,
    "alt": MOST_ALT,
    "words": MOST_WORDS,
    "photos": MOST_PHOTOS,
}


# the board -------------------------------------------------------------------------------


@router.get(HOME, name="pages.typical_desk")
async def begin(frame: OnDesk) -> Response:
    """The newest month with work in hand, else this month."""
    board = await list_desk_months(frame.parts, frame.visitor)
    busy = (
        line.month
        for line in board.months
        if line.must_withdraw or any(s.entries and s.stage in IN_HAND for s in line.stages)
    )
    now = frame.parts.now().astimezone(SHANGHAI)
    return RedirectResponse(f"{HOME}/{next(busy, f'{now:%Y-%m}')}", 303)


@router.get(HOME + "/{month}", name="pages.typical_desk")
async def board_page(month: MonthPath, frame: OnDesk) -> Response:
    """The month's entries by stage, who did what, and what is next."""
    return await _board(frame, await work_of(frame, month))


async def _board(frame: Frame, work: Work, refused: Refused | None = None) -> Response:
    board = await list_desk_months(frame.parts, frame.visitor)
    reasons: tuple[Against, ...] = ()
    if refused is not None and refused.title == "暂不能发布":
        reasons = against_publishing(work, refused.says)
    return frame.form_page(
        "typical_desk.html",
        refused,
        months=board.months,
        work=work,
        title=month_title(work.month),
        against={entry.entry: against(work, entry) for entry in work.issue.entries},
        reasons=reasons,
        turns=_turns(work.month),
    )


def _turns(month: str) -> tuple[str, str]:
    """The months before and after."""
    year, number = map(int, month.split("-"))
    count = year * 12 + number - 1
    return tuple(f"{n // 12:04d}-{n % 12 + 1:02d}" for n in (count - 1, count + 1))  # type: ignore[return-value]  # two of them


@router.post(HOME + "/{month}/publish", name="pages.typical_desk")
async def publish_month(month: MonthPath, frame: OnDesk) -> Response:
    """Everything approved becomes public, or nothing, and what is missing where."""
    posted = await frame.posted()
    frame.permit("typical_cases.publish")

    async def call() -> IssueDeskOut:
        step = sent(frame, posted, posted.version)
        return await publish(month, frame.parts, frame.visitor, step)

    done = await carried("publish", posted, call)
    if isinstance(done, Refused):
        return await _board(frame, await work_of(frame, month), done)
    await caught_up(frame)
    return frame.go(f"{HOME}/{month}", "已发布，公众现在可以看到。")


# proposals and nomination ----------------------------------------------------------------


@router.get(HOME + "/{month}/proposal", name="pages.typical_desk")
async def proposal_page(month: MonthPath, frame: OnDesk) -> Response:
    """Which cases are proposed, each with its reasons."""
    frame.permit("typical_cases.proposal")
    return frame.page(
        "typical_proposal.html",
        told=await proposal(month, frame.parts, frame.visitor, 20, None),
        work=await work_of(frame, month, NONE_OF_THEM),
        title=month_title(month),
        number="",
        error="",
    )


class Nominee:
    """A case that may be nominated, with the photos to choose from, or why it may not."""

    def __init__(
        self, number: str, candidate: Candidate | None, photos: tuple[PhotoOut, ...], barred: str
    ) -> None:
        self.number = number
        self.candidate = candidate
        self.barred = barred
        known = {photo.upload: photo for photo in photos}
        case = candidate
        before = [shot.upload for shot in case.before] if case else []
        self.without_consent = case is not None and candidates.without_consent(case, before)
        agreed = [s.upload for s in case.before if s.person in case.consenting] if case else []
        self.before = [known[upload] for upload in agreed if upload in known]
        self.after = [known[upload] for upload in case.after if upload in known] if case else []

    def small(self, photo: PhotoOut) -> FileOut | None:
        """Its small picture, as a page fetches it."""
        file = photo.thumbnail or photo.display
        if file is None:
            return None
        return file.model_copy(update={"url": of_case(file.url, self.number)})


async def _nominee(frame: Frame, number: str) -> Nominee:
    """Raises UnknownCase."""
    parts = frame.parts
    loaded, _actor = await sight(parts, frame.visitor, number)
    candidate = await Door(parts).in_thread(lambda: candidate_of(parts, loaded.case_id))
    photos = await list_photos(number, parts, frame.visitor, None)
    barred = candidates.why_not(candidate) if candidate else "没有找到案件。"
    return Nominee(loaded.case.number, candidate, photos.photos, barred or "")


@router.get(HOME + "/{month}/nominate", name="pages.typical_desk")
async def nominate_page(
    month: MonthPath, frame: OnDesk, case: Annotated[str, Query(max_length=40)] = ""
) -> Response:
    """The form for one case: which photos, which words."""
    frame.permit("typical_cases.nominate")
    number = case.strip().upper()
    if not is_case_number(number):
        return await _ask_again(frame, month, case, "这不是一个案件编号，请核对后再填。")
    try:
        nominee = await _nominee(frame, number)
    except Refusal as refusal:
        return await _ask_again(frame, month, case, str(refusal))
    return await _nominate_form(frame, month, nominee)


async def _ask_again(frame: Frame, month: str, number: str, error: str) -> Response:
    return frame.page(
        "typical_proposal.html",
        422,
        told=await proposal(month, frame.parts, frame.visitor, 20, None),
        work=await work_of(frame, month, NONE_OF_THEM),
        title=month_title(month),
        number=number,
        error=error,
    )


async def _nominate_form(
    frame: Frame, month: str, nominee: Nominee, refused: Refused | None = None
) -> Response:
    return frame.form_page(
        "typical_nominate.html",
        refused,
        work=await work_of(frame, month, NONE_OF_THEM),
        title=month_title(month),
        nominee=nominee,
        limits=LIMITS,
    )


@router.post(HOME + "/{month}/nominate", name="pages.typical_desk")
async def nominate_case(month: MonthPath, frame: OnDesk) -> Response:
    """推荐: the case enters the month."""
    posted = await frame.posted()
    frame.permit("typical_cases.nominate")

    async def call() -> IssueDeskOut:
        form = read(NominateIn, posted)
        step = sent(frame, posted, None)
        return await nominate(month, form, frame.parts, frame.visitor, step)

    done = await carried("nominate", posted, call)
    if isinstance(done, Refused):
        number = posted.one("case").upper()
        try:
            nominee = await _nominee(frame, number)
        except Refusal as refusal:
            return await _ask_again(frame, month, number, str(refusal))
        return await _nominate_form(frame, month, nominee, done)
    entry = done.entries[-1]
    return frame.go(f"{HOME}/{month}/{entry.entry}", f"已推荐为第{entry.entry}件，请遮盖照片。")


# an entry --------------------------------------------------------------------------------


async def _found(frame: Frame, month: str, number: int) -> tuple[Work, DeskEntryOut]:
    """The month and the entry. Raises NotThere."""
    work = await work_of(frame, month, number)
    entry = work.entry(number)
    if entry is None:
        raise NotThere("这件典型案例")
    return work, entry


async def _entry(
    frame: Frame, work: Work, entry: DeskEntryOut, refused: Refused | None = None
) -> Response:
    shots = await shots_of(frame, entry)
    codes = frame.parts.catalogue.family(WITHDRAWAL)
    return frame.form_page(
        "typical_work.html",
        refused,
        work=work,
        entry=entry,
        was=digest_of(entry),
        title=month_title(work.month),
        shots=shots,
        steps=steps_of(entry, shots),
        against=against(work, entry),
        codes=codes,
        sees_case=await may_look(frame, entry),
        limits=LIMITS,
    )


class Step(msgspec.Struct, frozen=True):
    """A step of an entry's way: done, its turn now, or later; by whom, and what is said of it."""

    anchor: str
    name: str
    state: str
    says: str


def steps_of(entry: DeskEntryOut, shots: Shots) -> tuple[Step, ...]:
    """The way of an entry, each step with who did it or who is to."""
    count = len(shots.all)
    by = "、".join(entry.redacted_by_names)
    written = entry.stage in {"redacted", "approved", "published"}
    done = [
        ("", "推荐", True, f"{entry.nominated_by_name}推荐"),
        (
            "cover",
            "遮盖照片",
            shots.count("covered") == count and not shots.hidden,
            f"{shots.count('covered')}/{count}张已遮盖" if count else "没有选照片",
        ),
        (
            "cover",
            "另一人确认",
            shots.ready,
            f"{shots.count('confirmed')}/{count}张已确认" if count else "没有选照片",
        ),
        ("texts", "写标题和说明", written, f"{by}处理" if written else "融媒编辑处理"),
        (
            "approve",
            "预览并批准",
            entry.stage in {"approved", "published"},
            f"{entry.approved_by_name}批准" if entry.approved_by_name else "另一位编辑批准",
        ),
        ("publish", "发布", entry.stage == "published", "和本月已批准的一起发布"),
    ]
    steps: list[Step] = []
    turn = False
    for anchor, name, is_done, says in done:
        state = "done" if is_done and not turn else "later" if turn else "now"
        turn = turn or not is_done
        steps.append(Step(anchor, name, state, says))
    return tuple(steps)


@router.get(HOME + "/{month}/{entry}", name="pages.typical_desk")
async def entry_page(month: MonthPath, entry: EntryPath, frame: OnDesk) -> Response:
    """One entry: each step, its photos, its words, what stands against it."""
    return await _entry(frame, *await _found(frame, month, entry))


@router.post(HOME + "/{month}/{entry}/texts", name="pages.typical_desk")
async def write_texts(month: MonthPath, entry: EntryPath, frame: OnDesk) -> Response:
    """处理: title, words, and what each picture shows; of a public entry a correction."""
    posted = await frame.posted()
    frame.permit("typical_cases.redact")
    work, found = await _found(frame, month, entry)
    missing = _without_words(posted, found)
    if missing:
        return await _entry(frame, work, found, not_filled("texts", posted, *missing))

    async def call() -> IssueDeskOut:
        form = RedactEntryIn.model_validate_json(msgspec.json.encode(_texts(posted, found)))
        step = sent(frame, posted, seen_version(work, found, posted))
        return await redact(month, form, frame.parts, frame.visitor, step)

    done = await carried("texts", posted, call)
    if isinstance(done, Refused):
        return await _entry(frame, *await _found(frame, month, entry), done)
    return frame.go(f"{work.path(entry)}/preview", "稿件已保存，请看发布后的样子。")


def _chosen(posted: Posted, entry: DeskEntryOut) -> tuple[list[UUID], list[UUID]]:
    """The nominated photos that are ticked, in the order they were nominated in."""
    before, after = posted.every("before"), posted.every("after")
    return (
        [upload for upload in entry.before if str(upload) in before],
        [upload for upload in entry.after if str(upload) in after],
    )


def _without_words(posted: Posted, entry: DeskEntryOut) -> list[Wrong]:
    """The chosen photos of which nobody has written what they show."""
    before, after = _chosen(posted, entry)
    return [
        Wrong(f"alt.{upload}", f"{when}照片", "请写照片里看得到什么，看不见照片的人靠它了解。")
        for when, uploads in (("整改前", before), ("整改后", after))
        for upload in uploads
        if not posted.one(f"alt.{upload}")
    ]


def _texts(posted: Posted, entry: DeskEntryOut) -> dict[str, object]:
    before, after = _chosen(posted, entry)
    return {
        "entry": entry.entry,
        "title": posted.one("title"),
        "caption": posted.one("caption"),
        "before": [str(upload) for upload in before],
        "after": [str(upload) for upload in after],
        "alt": {str(upload): posted.one(f"alt.{upload}") for upload in (*before, *after)},
        "why": posted.one("why"),
    }


@router.get(HOME + "/{month}/{entry}/preview", name="pages.typical_desk")
async def preview_page(month: MonthPath, entry: EntryPath, frame: OnDesk) -> Response:
    """The entry as the public will see it, and the button for whoever may approve it."""
    return await _preview(frame, *await _found(frame, month, entry))


async def _preview(
    frame: Frame, work: Work, entry: DeskEntryOut, refused: Refused | None = None
) -> Response:
    posted = Posted({}, {})

    async def call() -> TypicalOut:
        return await preview(work.month, entry.entry, frame.parts, frame.visitor)

    told = await carried("preview", posted, call)
    if isinstance(told, Refused):
        return await _entry(frame, work, entry, told)
    return frame.form_page(
        "typical_preview.html",
        refused,
        work=work,
        entry=entry,
        was=digest_of(entry),
        title=month_title(work.month),
        shown=told.model_copy(
            update={
                when: tuple(
                    picture.model_copy(update={"url": of_case(picture.url, entry.number)})
                    for picture in getattr(told, when)
                )
                for when in ("before", "after")
            }
        ),
        against=against(work, entry),
    )


@router.post(HOME + "/{month}/{entry}/approve", name="pages.typical_desk")
async def approve_entry(month: MonthPath, entry: EntryPath, frame: OnDesk) -> Response:
    """批准, by somebody who neither nominated nor wrote it."""
    posted = await frame.posted()
    frame.permit("typical_cases.approve")
    work, found = await _found(frame, month, entry)

    async def call() -> IssueDeskOut:
        step = sent(frame, posted, seen_version(work, found, posted))
        form = ApproveEntryIn(entry=entry)
        return await approve(month, form, frame.parts, frame.visitor, step)

    done = await carried("approve", posted, call)
    if isinstance(done, Refused):
        return await _preview(frame, *await _found(frame, month, entry), done)
    return frame.go(f"{HOME}/{month}", f"第{entry}件已批准，可以发布。")


@router.post(HOME + "/{month}/{entry}/withdraw", name="pages.typical_desk")
async def withdraw_entry(month: MonthPath, entry: EntryPath, frame: OnDesk) -> Response:
    """撤回, with a code and words that the public reads."""
    posted = await frame.posted()
    frame.permit("typical_cases.withdraw")
    work, found = await _found(frame, month, entry)

    async def call() -> IssueDeskOut:
        wanted = shaped(WithdrawEntryIn, posted) | {"entry": entry}
        form = WithdrawEntryIn.model_validate_json(msgspec.json.encode(wanted))
        step = sent(frame, posted, seen_version(work, found, posted))
        return await withdraw(month, form, frame.parts, frame.visitor, step)

    done = await carried("withdraw", posted, call)
    if isinstance(done, Refused):
        return await _entry(frame, *await _found(frame, month, entry), done)
    await caught_up(frame)
    return frame.go(f"{HOME}/{month}", f"第{entry}件已撤回。")
