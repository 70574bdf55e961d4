"""The first page: a resident is led to reporting, staff to their desk; the type size; errors."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import RedirectResponse, Response

from api.pages.following import WANTED, own_cases
from api.pages.frame import Frame, framed, local

router = APIRouter(include_in_schema=False)


@router.get("/", name="pages.home")
async def home(frame: Annotated[Frame, Depends(framed("pages.home"))]) -> Response:
    """Staff begin at the first desk that is theirs."""
    if frame.staff:
        first = next(iter(frame.links), None)
        if first is not None:
            return RedirectResponse(first.path, 303)
    asking = [case for case in await own_cases(frame) if case.asked in WANTED]
    return frame.page("home.html", asking=len(asking))


@router.post("/size", name="pages.size")
async def size(frame: Annotated[Frame, Depends(framed("pages.size"))]) -> Response:
    """长辈版 on or off, for this browser."""
    form = await frame.posted()
    frame.elder = form.one("elder") == "1"
    response = frame.go(local(form.one("back")))
    frame.keep_size(response)
    return response
