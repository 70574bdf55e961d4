"""我的上报、查进度、回执: how a resident follows what they reported, with an account or a receipt.

A browser keeps receipts in a cookie that no script reads; on a shared phone they are forgotten by
one button. Decides nothing about a case.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import RedirectResponse, Response

from api.access import Visitor, actor_at, reporter_mark
from api.accounts.principal import NOBODY
from api.door import Door
from api.office_schemas import EraseIn
from api.pages.cases import case_answer
from api.pages.frame import Frame, framed
from api.pages.live import live
from api.pages.own_case import as_followed
from api.pages.refusing import Refused
from api.pages.shown_case import shown_case
from api.pages.visitors import forget_receipt, forget_receipts, keep_receipt, receipts_of
from api.problems import ProblemError
from api.routes.cases import CaseRef, mine_of, read_case, read_status, seen_up_to, sight
from api.routes.persons import ME, erase
from api.routes.reports import promised, warnings
from api.routes.typical_cases import withdraw_consent
from api.schemas import MyCaseOut, StatusOut
from api.shown import street_name
from api.visitors import keep_rate
from casework.clock_words import limit_in_words
from casework.errors import Refusal, UnknownCase
from casework.events import ReportSubmitted
from casework.indicators import NotInCatalogue
from casework.model import ActorKind, Certainty, PlaceKind
from casework.numbers import is_case_number

router = APIRouter(include_in_schema=False)

ASKED = {"supply": "请补充说明", "rate": "请评价", "object": "可以提出异议"}


# 我的上报 ----------------------------------------------------------------------------------


@router.get("/my", name="pages.my")
async def my_page(frame: Annotated[Frame, Depends(framed("pages.my"))]) -> Response:
    """What was reported with this account or from this browser; what is asked now comes first."""
    cases = await own_cases(frame)
    asking = [case for case in cases if case.asked in WANTED]
    return frame.page(
        "my.html",
        asking=asking,
        others=[case for case in cases if case not in asking],
        asked=ASKED,
        kept=bool(receipts_of(frame.request)),
    )


WANTED = frozenset({"supply", "rate"})
"""What a reporter is asked for; an objection is theirs to make."""


async def own_cases(frame: Frame) -> list[MyCaseOut]:
    """The cases of this account and of the receipts that this browser keeps, newest first."""
    parts, visitor = frame.parts, frame.visitor
    as_of = await seen_up_to(parts, None)
    found: dict[str, MyCaseOut] = {}
    if visitor.principal.person_id is not None:
        own = await mine_of(parts, visitor.principal.person_id, as_of)
        found = {case.number: case for case in own}
    for number, receipt in receipts_of(frame.request).items():
        for case in await _by_receipt(frame, number, receipt, as_of):
            found.setdefault(case.number, case)
    return sorted(found.values(), key=lambda case: case.since, reverse=True)


async def _by_receipt(frame: Frame, number: str, receipt: str, as_of: int) -> tuple[MyCaseOut, ...]:
    """The case of a receipt, as its holder sees it; none where it holds no longer."""
    parts = frame.parts
    try:
        case_id = await Door(parts).case_id(number)
        known = (await Door(parts).loaded(case_id)).case
    except UnknownCase:
        return ()
    holder = actor_at(_holding(frame, receipt), case_id, known, parts.receipts)
    person = next((p for p in known.reporters if holder and str(p) == holder.id), None)
    return () if person is None else await mine_of(parts, person, as_of)


def _holding(frame: Frame, receipt: str) -> Visitor:
    """Somebody without an account who holds this receipt."""
    return Visitor(NOBODY, frame.visitor.source, receipt=receipt)


@router.post("/my/forget", name="pages.my_forget")
async def forget(frame: Annotated[Frame, Depends(framed("pages.my_forget"))]) -> Response:
    """On a shared phone: this browser keeps no receipt any more. The cases go on."""
    await frame.posted()
    response = frame.go("/my", "这台手机上的回执已清除。凭编号和回执仍可查询。")
    forget_receipts(response)
    return response


# 查进度 ------------------------------------------------------------------------------------


@router.get("/status", name="pages.status")
async def status_page(
    frame: Annotated[Frame, Depends(framed("pages.status"))],
    number: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """What anybody may know of a number."""
    wanted = number.strip().upper()
    told, error, status = None, "", 200
    if wanted and not is_case_number(wanted):
        error, status = NO_NUMBER, 422
    elif wanted:
        try:
            told = await _told(frame, wanted)
        except UnknownCase:
            error, status = f"没有编号为{wanted}的案件，请核对编号。", 404
        except ProblemError as fault:
            error, status = fault.problem.detail, fault.problem.status
    return _status(frame, status, number=number.strip(), told=told, error=error)


async def _told(frame: Frame, number: str) -> StatusOut:
    """The status; a number that was given out this moment is waited for. Raises UnknownCase."""
    parts = frame.parts
    try:
        return await read_status(number, parts, frame.visitor)
    except UnknownCase:
        head = await Door(parts).in_thread(parts.casework.eventlog.head)
        return await read_status(number, parts, frame.visitor, head)


NO_NUMBER = "这不是一个案件编号。编号形如 HD26112200123452，请核对后再查。"


@router.post("/status", name="pages.status")
async def with_receipt(frame: Annotated[Frame, Depends(framed("pages.status"))]) -> Response:
    """With the receipt to the case itself; the browser keeps it, as after reporting."""
    form = await frame.posted()
    number, receipt = form.one("number").upper(), form.one("receipt").upper()[:64]
    if not receipt:
        return RedirectResponse(f"/status?number={number[:40]}", 303)
    if not is_case_number(number):
        return _status(frame, 422, number=number, receipt=receipt, error=NO_NUMBER)
    try:
        keep_rate(frame.parts, frame.visitor, "status", frame.parts.limits.status)
        await sight(frame.parts, _holding(frame, receipt), number)
    except UnknownCase:
        error = "编号和回执对不上，请核对后再试。"
        return _status(frame, 422, number=number, receipt=receipt, receipt_error=error)
    except ProblemError as fault:
        detail, code = fault.problem.detail, fault.problem.status
        return _status(frame, code, number=number, receipt=receipt, error=detail)
    response = frame.go(f"/cases/{number}")
    keep_receipt(response, frame.request, number, receipt)
    return response


def _status(
    frame: Frame,
    status: int,
    *,
    number: str,
    receipt: str = "",
    told: StatusOut | None = None,
    error: str = "",
    receipt_error: str = "",
) -> Response:
    held = told is not None and bool(told.steps)
    return frame.page(
        "status.html",
        status,
        number=number,
        receipt=receipt,
        told=told,
        error=error,
        receipt_error=receipt_error,
        is_number=is_case_number(number.upper()),
        held=held or number.upper() in receipts_of(frame.request),
    )


# 进展 --------------------------------------------------------------------------------------


@router.get("/cases/{case}/progress", name="pages.progress")
async def progress(
    case: CaseRef, frame: Annotated[Frame, Depends(framed("pages.progress"))]
) -> Response:
    """Only what changes of a resident's page of a case. Raises UnknownCase, also for another's."""
    shown, own = await as_followed(frame, await shown_case(frame, case))
    return live(frame, "my_case_progress.html", shown=shown, case=shown.case, own=own)


# 回执 --------------------------------------------------------------------------------------


@router.get("/cases/{case}/receipt", name="pages.receipt")
async def receipt_page(
    case: CaseRef, frame: Annotated[Frame, Depends(framed("pages.receipt"))]
) -> Response:
    """Number and receipt, what was promised, what happens next, whom else to call.

    Raises UnknownCase, also for another's case.
    """
    parts = frame.parts
    loaded, actor = await sight(parts, frame.visitor, case)
    history = await Door(parts).in_thread(lambda: parts.casework.history(loaded.case_id))
    submitted = history[0].event
    assert isinstance(submitted, ReportSubmitted)
    receipt = ""
    if actor.kind is ActorKind.CITIZEN:
        person = next(p for p in loaded.case.reporters if str(p) == actor.id)
        mark = reporter_mark(loaded.case_id, person, loaded.case.first_reporter)
        receipt = parts.receipts.of(mark)
    shown = await read_case(
        str(loaded.case_id), Response(), parts, frame.visitor, history[-1].position
    )
    doors = warnings(parts, submitted)
    return frame.page(
        "receipt.html",
        case=shown,
        receipt=receipt,
        promised=promised(submitted),
        open=shown.status == "submitted",
        dangers=[door for door in doors if door.name in submitted.danger],
        elsewhere=[door for door in doors if door.name not in submitted.danger],
        usual=_usual_limit(frame, submitted),
        street=street_name(parts, submitted.assignment.street),
        certain=submitted.assignment.certainty is Certainty.INSIDE,
    )


def _usual_limit(frame: Frame, submitted: ReportSubmitted) -> str:
    """How long such a thing usually may take, where its kind was chosen."""
    if submitted.indicator is None:
        return ""
    catalogue = frame.parts.casework.references.rules_of(submitted.versions).catalogue
    try:
        indicator = catalogue.indicator(submitted.indicator)
    except NotInCatalogue:
        return ""
    row = indicator.row_for(PlaceKind(submitted.place.kind))
    sample = "（示例，待区级确认）" if indicator.sample else ""
    return f"“{indicator.name}”一般在立案派遣后{limit_in_words(row.limit)}内处置{sample}"


# 授权和个人信息 ----------------------------------------------------------------------------


@router.post("/cases/{case}/withdraw-publication-consent", name="pages.withdraw_consent")
async def no_longer_public(
    case: CaseRef, frame: Annotated[Frame, Depends(framed("pages.withdraw_consent"))]
) -> Response:
    """Photos of this reporter are shown no more. Raises UnknownCase."""
    form = await frame.posted()
    frame.permit("cases.withdraw_consent")
    await withdraw_consent(case, frame.request, frame.parts, frame.visitor, form.key)
    return frame.go(f"/cases/{case}", "已撤回授权，您的照片不再公开。")


@router.post("/my/erase", name="pages.my_erase")
async def erase_account(frame: Annotated[Frame, Depends(framed("pages.my_erase"))]) -> Response:
    """All that this account's person wrote in any case."""
    form = await frame.posted()
    if form.one("sure") != "yes":
        return frame.go("/my", "没有删除：请先勾选“我知道删除后不能恢复”。")
    return await _erased(frame, None, form.key)


@router.post("/cases/{case}/erase", name="pages.my_erase")
async def erase_report(
    case: CaseRef, frame: Annotated[Frame, Depends(framed("pages.my_erase"))]
) -> Response:
    """All that the holder of this receipt wrote; with an account all of its person."""
    form = await frame.posted()
    if form.one("sure") != "yes":
        problem = "请先勾选“我知道删除后不能恢复”。"
        refused = Refused(action="erase", status=422, title="没有删除", says=problem)
        return await case_answer(frame, case, refused)
    return await _erased(frame, case, form.key)


async def _erased(frame: Frame, case: str | None, key: str) -> Response:
    frame.permit("persons.erase")
    receipt = frame.visitor.receipt if case else None
    visitor = _holding(frame, receipt) if receipt else frame.visitor
    try:
        row = await erase(
            ME, EraseIn(case=case), frame.request, Response(), frame.parts, visitor, key
        )
    except Refusal as refusal:
        return frame.message(422, "没有删除", str(refusal), f"/cases/{case}" if case else "/my")
    said = f"您的个人信息{'已经删除' if row.completed_at else '正在删除'}，不能恢复。"
    response = frame.go("/my", said)
    if case is not None and receipt:
        forget_receipt(response, frame.request, case)
    return response
