"""案件页: where a case stands, what may be done with it, when it is due and how that came about."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.pages.acting import act
from api.pages.frame import Frame, framed, local
from api.pages.own_case import as_followed
from api.pages.refusing import Refused
from api.pages.shown_case import shown_case
from api.pages.street_case import street_view
from api.pages.supervisor_case import supervisor_view
from api.pages.uploading import UPLOADS_LIMIT
from api.pages.visitors import keep_receipt, to_status
from api.routes.cases import CaseRef
from casework.lifecycle import NAME_OF, Action
from casework.model import Role

router = APIRouter(include_in_schema=False)


def template_for(frame: Frame) -> str:
    """Which page of a case this visitor works on."""
    if not frame.staff:
        return "my_case.html"
    held = frame.visitor.held()
    if frame.visitor.principal.roles == (Role.CHECKER,):
        return "check_case.html"
    if held & {Role.STREET, Role.STREET_LEAD}:
        return "street_case.html"
    if Role.SUPERVISOR in held and Role.REVIEWER not in held:
        return "supervisor_case.html"
    return "case.html"


async def case_answer(
    frame: Frame,
    reference: str,
    refused: Refused | None = None,
    back: str = "",
    **more: object,
) -> Response:
    """The page of a case; with what was typed and what is wrong with it, where it was refused.

    Raises UnknownCase, also for another's case.
    """
    shown = await shown_case(frame, reference)
    template = template_for(frame)
    if template == "street_case.html":
        more["street"] = await street_view(frame, shown, refused)
    elif template == "supervisor_case.html":
        more["desk"] = await supervisor_view(frame, shown)
    if not frame.staff:
        shown, more["own"] = await as_followed(frame, shown)
    return frame.form_page(
        template,
        refused,
        shown=shown,
        case=shown.case,
        back=back,
        **more,
    )


@router.get("/cases/{case}", name="pages.case")
async def case_page(
    case: CaseRef,
    frame: Annotated[Frame, Depends(framed("pages.case", to_status))],
    back: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """The case as the API tells it to this visitor."""
    return await case_answer(frame, case, back=local(back, ""))


@router.post("/cases/{case}/{action}", name="pages.act", max_body_size=UPLOADS_LIMIT)
async def act_on_case(
    case: CaseRef,
    action: str,
    frame: Annotated[Frame, Depends(framed("pages.act"))],
) -> Response:
    """Carry out an action; then back to where one came from, or to the form with what is wrong."""
    form = await frame.posted()
    back = local(form.one("back"), f"/cases/{case}")
    try:
        wanted = Action(action.replace("-", "_"))
    except ValueError:
        return frame.message(
            404, "没有这个操作", "没有这个操作，请从案件页办理。", f"/cases/{case}"
        )
    acted = await act(frame, case, wanted, form)
    if isinstance(acted, Refused):
        return await case_answer(frame, case, acted, back)
    name = NAME_OF[wanted]
    said = f"已办理：{name}（{acted.done.case.number}）。"
    if acted.link:
        said += f"一次性上传链接（只显示这一次）：{frame.origin}/handler/{acted.link}"
    response = frame.go(back, said)
    if acted.receipt:
        keep_receipt(response, frame.request, acted.done.case.number, acted.receipt)
    return response
