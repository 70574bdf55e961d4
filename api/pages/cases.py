"""案件页: where a case stands, when it is due and how that came about, and what has happened."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from fastapi import Request as HttpRequest
from starlette.responses import FileResponse, RedirectResponse, Response

from api.access import Visitor
from api.pages.rendering import STATIC, page
from api.pages.visitors import page_guard, token_of, wants_page
from api.routes.cases import CaseRef, explain_clock, read_case, read_timeline
from api.routes.indicators import PLACE_NAMES
from api.visitors import With
from casework.errors import UnknownCase
from casework.model import PlaceKind
from casework.numbers import is_case_number

router = APIRouter(include_in_schema=False)


@router.get("/", name="pages.home")
async def home(
    parts: With,
    visitor: Annotated[Visitor, Depends(page_guard("pages.home"))],
    number: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Look a case up by its number."""
    wanted = number.strip().upper()
    error = ""
    if wanted:
        if is_case_number(wanted):
            return RedirectResponse(f"/cases/{wanted}", 303)
        error = "这不是一个案件编号。编号形如 HD26112200123452，请核对后再查。"
    return page(
        "home.html",
        422 if error else 200,
        visitor=visitor,
        token=token_of(parts, visitor),
        number=number,
        error=error,
    )


@router.get("/cases/{case}", name="pages.case")
async def case_page(
    case: CaseRef,
    request: HttpRequest,
    parts: With,
    visitor: Annotated[Visitor, Depends(page_guard("pages.case"))],
) -> Response:
    """The case as the API tells it to this visitor."""
    try:
        shown = await read_case(case, Response(), parts, visitor)
    except UnknownCase as unknown:
        if not wants_page(request):
            raise
        return page(
            "message.html",
            404,
            visitor=visitor,
            token=token_of(parts, visitor),
            title="没有找到这个案件",
            text=str(unknown),
        )
    told = await explain_clock(case, parts, visitor)
    timeline = await read_timeline(case, parts, visitor)
    return page(
        "case.html",
        visitor=visitor,
        token=token_of(parts, visitor),
        case=shown,
        place_name=PLACE_NAMES[PlaceKind(shown.place_kind)],
        clocks=told.clocks,
        at=told.at,
        steps=timeline.steps,
    )


@router.get("/static/{name}", name="pages.static")
async def static(
    name: Annotated[str, Path(pattern=r"^[a-z0-9_.-]{1,60}$")],
    _visitor: Annotated[Visitor, Depends(page_guard("pages.static"))],
) -> Response:
    """A file of our own."""
    path = STATIC / name
    if not path.is_file():
        raise UnknownCase(name)
    return FileResponse(
        path, headers={"X-Content-Type-Options": "nosniff", "Cache-Control": "max-age=3600"}
    )
