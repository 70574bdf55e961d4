"""Photos and recordings for a page: the API's answers, to a session or to a receipt kept here."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.pages.frame import Frame, framed
from api.routes.cases import CaseRef
from api.routes.photos import Name, read_photo, read_recording
from api.routes.requests import read_upload

router = APIRouter(include_in_schema=False)


@router.get("/cases/{case}/photos/{name}", name="pages.photo")
async def photo(
    case: CaseRef,  # noqa: ARG001  whose receipt is looked for
    name: Name,
    frame: Annotated[Frame, Depends(framed("pages.photo"))],
) -> Response:
    """A picture made for looking at."""
    return await read_photo(name, frame.parts, frame.visitor)


@router.get("/cases/{case}/uploads/{upload}", name="pages.case_upload")
async def upload_of_handler(
    case: CaseRef,
    upload: UUID,
    frame: Annotated[Frame, Depends(framed("pages.case_upload"))],
) -> Response:
    """A small picture of what a handler sent by the one-time link."""
    return await read_upload(case, upload, frame.parts, frame.visitor)


@router.get("/cases/{case}/recordings/{name}", name="pages.recording")
async def recording(
    case: CaseRef,  # noqa: ARG001  whose receipt is looked for
    name: Name,
    frame: Annotated[Frame, Depends(framed("pages.recording"))],
) -> Response:
    """A recording that was examined."""
    return await read_recording(name, frame.parts, frame.visitor)
