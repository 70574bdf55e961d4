"""审核台: the queue, the case beside it, the map; by mouse, by touch or by keys alone.

Every decision is a form that is posted to the API's door; after it the next case stands open. A
form that is refused comes back on the same page with what was typed and what happened meanwhile.
"""

from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from pydantic import ValidationError
from starlette.responses import JSONResponse, RedirectResponse, Response

from api.door import Acted
from api.pages.acting import act
from api.pages.frame import Frame, framed, local
from api.pages.letters import CLOSING, QUESTIONS, refusals
from api.pages.posted import Posted
from api.pages.refusing import Refused, Wrong, refused
from api.pages.rendering import moment, short
from api.pages.review_case import Review, review_of
from api.pages.review_queue import LISTS, Queue, queue_of
from api.pages.submitting import read, submitted, with_values
from api.pages.uploading import UPLOADS_LIMIT
from api.pages.visitors import wants_page
from api.problems import Problem
from api.routes.cases import CaseRef, reveal
from api.routes.typical_cases import Sent, nominate
from api.schemas import RevealIn, RevealOut
from api.shown import street_name
from api.typical_schemas import NominateIn
from casework.clock_words import limit_in_words
from casework.errors import UnknownCase
from casework.lifecycle import NAME_OF, Action, Status
from casework.model import Clock

router = APIRouter(include_in_schema=False)

STAYS = frozenset(
    {Action.CLAIM, Action.RELEASE, Action.RECLASSIFY, Action.CORRECT_PLACE, Action.ANSWER_NOTE}
)
"""After these the same case stays open: it still waits for the decision."""

REASONS: Mapping[str, str] = {
    "verify": "核实情况",
    "locate": "核对位置",
    "contact": "联系反映人",
    "complaint": "处理投诉或复核",
}
"""Why the original words are looked at, as the audit trail keeps it."""

ListName = Annotated[str, Query(alias="list", max_length=20)]
Number = Annotated[str, Query(alias="case", max_length=40)]


def desk_path(chosen: str, number: str = "") -> str:
    """The address of the desk with a list chosen and a case open."""
    asked = {name: value for name, value in (("list", chosen), ("case", number)) if value}
    return f"/desk/reviewer?{urlencode(asked)}" if asked else "/desk/reviewer"


@router.get("/desk/reviewer", name="pages.reviewer")
async def desk_page(
    frame: Annotated[Frame, Depends(framed("pages.reviewer"))],
    chosen: ListName = "",
    number: Number = "",
) -> Response:
    """The queue, and the case that was chosen or is next."""
    queue = await queue_of(frame, chosen)
    opened = number.upper()
    if not opened and (first := queue.first()) is not None:
        opened = first.number
    try:
        review = await review_of(frame, opened) if opened else None
    except UnknownCase:
        return frame.message(
            404, "没有找到案件", "没有找到这个案件，请从清单中选择。", desk_path(queue.chosen)
        )
    return await desk_answer(frame, queue, review, asked=bool(number))


async def desk_answer(
    frame: Frame,
    queue: Queue,
    review: Review | None,
    *,
    asked: bool,
    wrong: Refused | None = None,
    revealed: RevealOut | None = None,
) -> Response:
    """The page of the desk, with what was typed and what is wrong with it."""
    number = review.case.number if review else ""
    before, after = queue.beside(number)
    return frame.form_page(
        "reviewer.html",
        wrong,
        queue=queue,
        review=review,
        case=review.case if review else None,
        asked=asked,
        revealed=revealed,
        reasons=REASONS,
        letters=refusals(review.elsewhere) if review else {},
        questions=QUESTIONS,
        closing=CLOSING,
        earlier=before,
        later=after,
        next=queue.after(number),
        why=queue.lists_of(number),
        desk_path=desk_path,
    )


@router.get("/desk/reviewer/queue", name="pages.reviewer_queue")
async def queue_part(
    frame: Annotated[Frame, Depends(framed("pages.reviewer_queue"))],
    chosen: ListName = "",
    number: Number = "",
) -> Response:
    """The queue alone, for a script that asks again: nothing new is 304."""
    parts = frame.parts
    minute = int(parts.now().timestamp()) // 60
    seen = f"{parts.feed.as_of().position} {minute} {chosen} {number} {frame.visitor.principal}"
    tag = f'"{blake2b(seen.encode(), digest_size=9).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if frame.request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    queue = await queue_of(frame, chosen)
    response = frame.fragment(
        "reviewer_queue.html",
        queue=queue,
        open=number,
        desk_path=desk_path,
    )
    response.headers.update(headers)
    return response


# decisions -----------------------------------------------------------------------------------


@router.post("/desk/reviewer/{case}/reveal", name="pages.reviewer_reveal")
async def reveal_words(
    case: CaseRef,
    frame: Annotated[Frame, Depends(framed("pages.reviewer_reveal"))],
) -> Response:
    """The original words, once, on the page of the desk; the look is in the audit trail."""
    form = await frame.posted()
    frame.permit("cases.reveal")
    queue = await queue_of(frame, form.one("list"))
    try:
        asked = RevealIn.model_validate({"reason": form.one("reason")})
    except ValidationError:
        problem = Problem(
            "/problems/invalid", "请选择查看原文的理由", 422, "请选择查看原文的理由。"
        )
        wrong = refused("reveal", problem, form.values)
        return await desk_answer(
            frame, queue, await review_of(frame, case), asked=True, wrong=wrong
        )
    words = await reveal(case, asked, frame.parts, frame.visitor)
    response = await desk_answer(
        frame, queue, await review_of(frame, case), asked=True, revealed=words
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@router.post("/desk/reviewer/{case}/nominate", name="pages.nominate")
async def nominate_case(
    case: CaseRef,
    frame: Annotated[Frame, Depends(framed("pages.nominate"))],
) -> Response:
    """For the month's typical cases; the editors' desk has it from here."""
    form = await frame.posted()
    frame.permit("typical_cases.nominate")
    month = form.one("month")

    async def work() -> None:
        asked = read(NominateIn, with_values(form, case=(case,)))
        sent = Sent(frame.request, Response(), form.key, None)
        await nominate(month, asked, frame.parts, frame.visitor, sent)

    done = await submitted("nominate", form, work, instead=(UnknownCase,))
    if isinstance(done, Refused):
        return await _again(frame, case, form, done)
    return frame.go(desk_path(form.one("list"), case), f"已推荐到{month}典型案例，由融媒编辑处理。")


@router.post(
    "/desk/reviewer/{case}/{action}", name="pages.reviewer_act", max_body_size=UPLOADS_LIMIT
)
async def decide(
    case: CaseRef,
    action: Annotated[str, Path(max_length=40)],
    frame: Annotated[Frame, Depends(framed("pages.reviewer_act"))],
) -> Response:
    """Carry out a decision; then the next case, or the form with what is wrong."""
    form = await frame.posted()
    try:
        wanted = Action(action.replace("-", "_"))
    except ValueError:
        return frame.message(404, "没有这个操作", "没有这个操作，请从审核台办理。", desk_path(""))
    done = await act(frame, case, wanted, filled(wanted, form))
    if isinstance(done, Refused):
        if not wants_page(frame.request):
            return JSONResponse(_told(done), done.status)
        return await _again(frame, case, form, done)
    if not wants_page(frame.request):
        return JSONResponse({"version": done.done.version})
    await frame.parts.feed.seen(done.done.position)
    back = local(form.one("back"), "") or await _on(frame, case, form, wanted, done)
    if wanted in _SILENT:
        return RedirectResponse(back, 303)
    return frame.go(back, said(frame, done, wanted))


async def _on(frame: Frame, case: str, form: Posted, action: Action, done: Acted) -> str:
    """Where one goes on: the same case where it still waits, else the next that nobody has."""
    chosen = _list(form)
    if action in STAYS or done.done.case.status is Status.REGISTERED:
        return desk_path(chosen, case)
    following = (await queue_of(frame, chosen)).first(form.one("next"))
    return desk_path(chosen, following.number if following else "")


_SILENT = frozenset({Action.CLAIM, Action.RELEASE})


def _list(form: Posted) -> str:
    chosen = form.one("list")
    return chosen if chosen in LISTS else ""


def filled(action: Action, form: Posted) -> Posted:
    """The form as the API reads it: a row chosen as one thing is an indicator and a condition.

    Words left empty are those that the desk writes for the code.
    """
    values = dict(form.values)
    if action in {Action.REGISTER, Action.RECLASSIFY} and (choice := form.one("choice")):
        if choice == "other":
            choice = form.one("other")
        code, _, row = choice.partition(" ")
        values |= {"indicator": (code,), "condition": (row,)}
    if form.one("street") == "other":
        values["street"] = (form.one("street_other"),)
    for name, letters, at in (
        ("words", refusals(()), Action.REFUSE),
        ("question", QUESTIONS, Action.REQUEST_INFORMATION),
    ):
        if action is at and not form.one(name) and (words := letters.get(form.one("code"))):
            values[name] = (words,)
    return Posted(values, form.files)


async def _again(frame: Frame, case: str, form: Posted, wrong: Refused) -> Response:
    """The desk with the refused form on it. Raises UnknownCase."""
    wrong = msgspec.structs.replace(wrong, wrong=_on_choice(wrong.wrong))
    queue = await queue_of(frame, _list(form))
    return await desk_answer(frame, queue, await review_of(frame, case), asked=True, wrong=wrong)


def _on_choice(wrongs: tuple[Wrong, ...]) -> tuple[Wrong, ...]:
    """What is wrong with a row is said where the row was chosen, once."""
    found: dict[tuple[str, str], Wrong] = {}
    for each in wrongs:
        named = each.field in {"indicator", "condition"}
        field = "choice" if named else each.field
        says = "请选择一种情况。" if named and "不能为空" in each.says else each.says
        found[field, says] = Wrong(field, "立案情况" if named else each.label, says)
    return tuple(found.values())


def _told(wrong: Refused) -> dict[str, object]:
    """A refusal for a script: what is wrong, and who did what meanwhile."""
    return {
        "title": wrong.title,
        "says": wrong.says,
        "since": [f"{short(step.at)} {step.by or ''}：{step.says}" for step in wrong.since],
    }


def said(frame: Frame, acted: Acted, action: Action) -> str:
    """What was done, and what follows from it to the minute."""
    case = acted.done.case
    number, name = case.number, NAME_OF[action]
    street = street_name(frame.parts, case.street)
    handling = case.clocks.get(Clock.HANDLING)
    if case.status is Status.DISPATCHED and handling is not None:
        due: datetime = handling.fact.due_at
        limit = limit_in_words(handling.fact.limit)
        done = "已立案并派遣" if action is Action.REGISTER else f"已办理：{name}"
        return f"{number}{done}至{street}，时限{limit}，应于{moment(due)}前处置。"
    if action is Action.REGISTER:
        return f"{number}已立案。属地需由人确定，请选择街镇派遣。"
    return f"{number}已办理：{name}。"
