"""A case as its reporter follows it, like a parcel: stages with times, what comes next, by when.

Made of what the API tells a reporter; decides nothing and shows no account.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec
from msgspec.structs import replace

from api.access import may_see
from api.door import Door
from api.one_case import steps_told
from api.pages.action_forms import ActionForm, forms_of
from api.pages.frame import Frame
from api.pages.rendering import short
from api.pages.shown_case import Shown
from api.routes.cases import look
from api.schemas import CaseOut, ClockOut, Step
from api.shown import Seen, of_state
from api.typical_cases import candidate_in
from casework.catalogue import Catalogue
from casework.clock_words import length_in_words
from casework.indicators import NotInCatalogue
from casework.lifecycle import Action, Status
from casework.model import ActorKind, Clock
from projections import case_list


class Stand(StrEnum):
    """How far a stage is."""

    DONE = "done"
    NOW = "now"
    TO_COME = "to-come"
    ENDED = "ended"
    """Here the way ended otherwise."""


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A stage of the way, when it was reached, or what is promised of it."""

    name: str
    stand: Stand
    at: datetime | None = None
    says: str = ""


class OwnView(msgspec.Struct, frozen=True, kw_only=True):
    """What the reporter's page tells besides the case itself."""

    stages: tuple[Stage, ...]
    next: str
    handled_by: str
    steps: tuple[Step, ...] = ()
    """What happened; of a merged case to its primary too."""
    followed: CaseOut | None = None
    """The case that a merged one follows, under the reporter's own number."""
    forms: tuple[ActionForm, ...] = ()
    """What the reporter may do to it."""
    took: str = ""
    """From the report to the closing, to be read beside the rating of the speed."""
    publishing: bool = False
    """This reporter agreed to publication, and has not taken that back."""
    due: ClockOut | None = None
    """The clock that is promised, or asked of the reporter; not those of other desks."""
    reason: str = ""
    """Why it was not taken up, in words instead of a code."""
    goes_on: bool = False
    """Whether others may still do something about it."""


_OVER = frozenset({Status.COMPLETED, Status.REFUSED, Status.WITHDRAWN, Status.MERGED})

_REACHED: Sequence[tuple[str, tuple[str, ...]]] = (
    ("已上报", ("report-submitted",)),
    ("审核", ("case-registered",)),
    ("派遣", ("case-dispatched", "case-reopened")),
    ("街镇处置", ("case-rectified",)),
    ("核查结案", ("case-closed", "case-transferred", "case-force-closed")),
    ("评价归档", ("case-completed", "rating-lapsed", "recheck-upheld")),
)
"""Stages in their order, each with the steps that end it."""

_AT: Mapping[Status, int] = {
    Status.SUBMITTED: 1,
    Status.AWAITING_INFORMATION: 1,
    Status.REGISTERED: 2,
    Status.DISPATCHED: 3,
    Status.HANDLING: 3,
    Status.SUSPENDED: 3,
    Status.RECTIFIED: 4,
    Status.CLOSED: 5,
    Status.UNDER_RECHECK: 5,
    Status.COMPLETED: 6,
}
"""Which stage is under way."""

_ENDS: Mapping[Status, str] = {
    Status.REFUSED: "未受理",
    Status.WITHDRAWN: "已撤回",
    Status.MERGED: "已并案",
}

_NEXT: Mapping[Status, str] = {
    Status.SUBMITTED: "审核员正在看您的上报{by}，结果会告诉您。",
    Status.AWAITING_INFORMATION: "请您补充说明{by}；逾期未补充会按现有材料审核。",
    Status.REGISTERED: "已经立案，将派给所在街镇{by}。",
    Status.DISPATCHED: "{street}将到现场处置{by}。",
    Status.HANDLING: "{street}正在处置{by}，办完会上传整改照片。",
    Status.SUSPENDED: "因客观条件暂缓处置，到期自动恢复{by}。",
    Status.RECTIFIED: "{street}已反馈整改结果，审核员正在核查{by}。",
    Status.CLOSED: "请看看解决了没有，给个评价{by}；没解决会重新复核。",
    Status.UNDER_RECHECK: "有反映人认为没有解决，审核员正在复核{by}。",
    Status.COMPLETED: "已经办完归档。同一地点再出现问题，请重新上报。",
    Status.REFUSED: "不同意的，可以提出一次异议，由另一名审核员重新审核{by}。",
    Status.WITHDRAWN: "您已撤回这份上报。需要时请重新上报。",
    Status.MERGED: "与另一件案件是同一问题，一并办理；进展和评价您都有份。",
}

_CLOCKS: Mapping[Status, tuple[Clock, ...]] = {
    Status.SUBMITTED: (Clock.REVIEW,),
    Status.AWAITING_INFORMATION: (Clock.INFORMATION,),
    Status.REGISTERED: (Clock.DISPATCH,),
    Status.DISPATCHED: (Clock.HANDLING,),
    Status.HANDLING: (Clock.HANDLING,),
    Status.SUSPENDED: (Clock.RESUMPTION,),
    Status.RECTIFIED: (Clock.VERIFICATION,),
    Status.CLOSED: (Clock.RATING,),
    Status.UNDER_RECHECK: (Clock.RECHECK,),
    Status.REFUSED: (Clock.OBJECTION,),
}
"""Which due time is the promise of a status."""


def stages(case: CaseOut, steps: Sequence[Step]) -> tuple[Stage, ...]:
    """The stages of the way as far as it has come, in the current round."""
    status = Status(case.status)
    reached = _reached(steps)
    made: list[Stage] = []
    for number, (name, _) in enumerate(_REACHED):
        at = reached.get(number)
        if status in _ENDS:
            if at is not None:
                made.append(Stage(name=name, stand=Stand.DONE, at=at))
            continue
        now = _AT[status]
        stand = Stand.DONE if number < now else Stand.NOW if number == now else Stand.TO_COME
        made.append(Stage(name=name, stand=stand, at=at if stand is Stand.DONE else None))
    if status in _ENDS:
        made.append(Stage(name=_ENDS[status], stand=Stand.ENDED, at=case.updated_at))
    return tuple(made)


def _reached(steps: Sequence[Step]) -> dict[int, datetime]:
    """When each stage was ended last; a case that is handled again begins there again."""
    found: dict[int, datetime] = {}
    for step in steps:
        for number, (_, names) in enumerate(_REACHED):
            if step.name in names:
                found = {n: at for n, at in found.items() if n < number} | {number: step.at}
    return found


def next_words(case: CaseOut) -> str:
    """What happens next and by when, in a sentence."""
    status = Status(case.status)
    due = clock_of(case)
    by = "" if due is None else f"（{short(due.due_at)}前）"
    if due is not None and due.overdue and status is not Status.CLOSED:
        by = f"（原定{short(due.due_at)}前，已超时，正在催办）"
    return _NEXT[status].format(by=by, street=case.street_name or "街镇")


def clock_of(case: CaseOut) -> ClockOut | None:
    """The running clock that a status promises by."""
    wanted = _CLOCKS.get(Status(case.status), ())
    return next((clock for clock in case.clocks if clock.clock in wanted), None)


def handled_by(case: CaseOut) -> str:
    """Who has it now, as far as a resident is told."""
    status = Status(case.status)
    if status in {Status.DISPATCHED, Status.HANDLING, Status.SUSPENDED}:
        return case.street_name or "街镇"
    if status in {Status.AWAITING_INFORMATION, Status.CLOSED}:
        return "等您"
    if status in _ENDS or status is Status.COMPLETED:
        return "已结束"
    return "区随手拍审核员"


def took(case: CaseOut, steps: Sequence[Step]) -> str:
    """How long it was from the report to the last closing, in words."""
    closed = [step.at for step in steps if step.name in _REACHED[4][1]]
    if not closed:
        return ""
    return length_in_words(int((closed[-1] - case.submitted_at).total_seconds()) * 1_000_000)


def reason_of(catalogue: Catalogue, steps: Sequence[Step]) -> str:
    """The last code of a refusal in words."""
    codes = [s.code for s in steps if s.name in {"case-refused", "registration-revoked"} and s.code]
    if not codes:
        return ""
    try:
        return catalogue.code(codes[-1]).text
    except NotInCatalogue:
        return ""


async def own_view(frame: Frame, shown: Shown) -> OwnView:
    """All of it for the page. A merged case tells how its primary stands."""
    parts, case, steps = frame.parts, shown.case, shown.steps
    catalogue = parts.catalogue
    followed: CaseOut | None = None
    forms: tuple[ActionForm, ...] = ()
    live, lived = case, steps
    if case.merged_into is not None:
        found = await _followed(frame, shown, case.merged_into)
        if found is not None:
            followed, then = found
            live, lived = followed, (*steps, *then)
            forms = tuple(f for f in forms_of(parts, followed) if f.action in _FOLLOWING)
    return OwnView(
        stages=stages(live, lived),
        next=next_words(live),
        handled_by=handled_by(live),
        steps=tuple(sorted(lived, key=lambda step: step.position)),
        followed=followed,
        forms=forms,
        took=took(live, lived),
        publishing=await _publishing(frame, shown),
        due=clock_of(live),
        reason=reason_of(catalogue, steps),
        goes_on=Status(live.status) not in _OVER,
    )


async def as_followed(frame: Frame, shown: Shown) -> tuple[Shown, OwnView]:
    """The case as its reporter's page shows it; a merged one with what its primary offers."""
    own = await own_view(frame, shown)
    return (replace(shown, forms=own.forms) if own.followed else shown), own


_FOLLOWING = frozenset({Action.RATE.value, Action.ADD_INFORMATION.value})
"""What a reporter of a merged case does to its primary, by the number that they know."""


async def _followed(
    frame: Frame, shown: Shown, primary: UUID
) -> tuple[CaseOut, tuple[Step, ...]] | None:
    """The primary as this reporter sees it, under their own number, and its steps since."""
    parts, case, actor = frame.parts, shown.case, shown.actor
    loaded = await Door(parts).loaded(primary)
    if not may_see(actor, loaded.case):
        return None
    view, steps = await look(
        parts, lambda c: (case_list.one(c, primary), steps_told(c, parts, primary, actor))
    )
    told = of_state(parts, loaded, view, Seen(actor), case.as_of)
    return (
        told.model_copy(update={"number": case.number, "case_id": case.case_id}),
        tuple(step for step in steps if step.name != "report-submitted"),
    )


async def _publishing(frame: Frame, shown: Shown) -> bool:
    """Whether this reporter agreed to publication, and has not taken that back."""
    parts, actor = frame.parts, shown.actor
    if actor.kind is not ActorKind.CITIZEN:
        return False
    candidate = await Door(parts).in_thread(
        lambda: candidate_in(parts, shown.case.case_id, shown.history)
    )
    return candidate is not None and UUID(actor.id) in candidate.consenting
